//! What a machine may be given in place of the real world, for runs on a simulated disk: where heap files are, and
//! someone who is told, in order, what the program does that a crash may undo or cannot take back.

use std::fmt;
use std::io;
use std::sync::Arc;

use pheap::Durability;
use pheap::disk::Disk;

use crate::Vm;
use crate::interp::{Fp, Pc};

/// A line of the program's own files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub file: String,
    pub line: u32,
}

/// Something that a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed<'a> {
    /// It wrote to standard output (1) or standard error (2).
    Output {
        stream: u8,
        bytes: &'a [u8],
        in_txn: bool,
    },
    /// It stores, outside transactions, to memory that a commit has published.
    Store,
    /// Its outermost transaction is going to be committed, or its stores are, by `pmem.Sync` and the like.
    Commit,
    /// That was done: the number of the last record, and of the last one that is on stable storage.
    Committed { lsn: u64, durable_lsn: u64 },
    /// Its outermost transaction was rolled back.
    RolledBack,
}

/// Is told what the program does.
pub trait Witness: Send + Sync {
    fn see(&self, deed: Deed<'_>, at: Option<Line>);
}

/// A stand-in for the world.
#[derive(Clone)]
pub struct World {
    pub disk: Arc<dyn Disk>,
    pub witness: Arc<dyn Witness>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl World {
    /// A policy as it is simulated: a background flush may always come too late, so there is none, and the run is
    /// the same each time.
    pub(crate) fn durability(&self, policy: Durability) -> Durability {
        match policy {
            Durability::Async => Durability::None,
            policy => policy,
        }
    }
}

impl Vm {
    /// Writes to standard output (1) or standard error (2), or tells the witness.
    pub(crate) fn write_output(&mut self, stream: u8, bytes: &[u8]) -> io::Result<()> {
        match (&self.options.world, stream) {
            (Some(world), _) => {
                let in_txn = !self.g.txns.is_empty();
                // What standard error gets comes from the machine too, when no instruction is at work.
                let line = if stream == 1 { self.own_line() } else { None };
                let deed = Deed::Output {
                    stream,
                    bytes,
                    in_txn,
                };
                world.witness.see(deed, line);
                Ok(())
            }
            (None, 1) => self.host.write_stdout(bytes),
            (None, _) => self.host.write_stderr(bytes),
        }
    }

    /// Tells the witness, if there is one. The running instruction or native has said where it is.
    pub(crate) fn tell(&self, deed: Deed<'_>) {
        if let Some(world) = &self.options.world {
            world.witness.see(deed, self.own_line());
        }
    }

    /// Remembers where an instruction is, for the witness.
    #[inline]
    pub(crate) fn mark_place(&mut self, pc: Pc, fp: Fp) {
        self.at = (pc, fp);
    }

    /// The innermost line that is the program's own.
    fn own_line(&self) -> Option<Line> {
        let (pc, fp) = self.at;
        if fp.is_null() {
            return None;
        }
        let frames = self.return_addresses(&self.g, pc, self.slot_of(fp));
        let mut own = frames.into_iter().filter_map(|pc| self.describe_frame(pc));
        let frame = own.find(|frame| !frame.is_library && frame.line > 0)?;
        Some(Line {
            file: frame.file,
            line: frame.line,
        })
    }
}
