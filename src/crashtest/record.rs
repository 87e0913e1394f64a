//! The recorded run: the user's script on a simulated disk, with what it did in order. Marks among the disk's events
//! stand for the notes.
use super::subset::{Crash, mix};
use pheap::disk::crash::Files;
use pheap::disk::{Event, SimulatedDisk};
use std::sync::{Arc, Mutex};
use vm::{Deed, HeapChoice, Line, Options, Outcome, Vm, Witness, World};

/// Something that the script did.
#[derive(Clone, Debug)]
pub struct Note {
    pub what: What,
    pub at: Option<Line>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It printed, up to this many bytes in all.
    Printed {
        len: usize,
        in_txn: bool,
    },
    /// A store outside transactions.
    Store,
    /// A commit begins.
    Commit,
    /// A commit is done.
    Committed {
        lsn: u64,
        durable_lsn: u64,
    },
    RolledBack,
    /// The script begins once more, after an orderly end.
    Restart,
}

/// What a run did to the disk, and all else that can be observed of it.
pub struct Recording {
    pub start: Files,
    pub events: Vec<Event>,
    pub notes: Vec<Note>,
    pub printed: Vec<u8>,
    /// Standard error, and how the last run ended.
    pub errors: Vec<u8>,
    pub outcome: Outcome,
    pub close_error: Option<String>,
}

#[derive(Default)]
struct Seen {
    notes: Vec<Note>,
    printed: Vec<u8>,
    errors: Vec<u8>,
}

struct Recorder {
    disk: SimulatedDisk,
    seen: Mutex<Seen>,
}

impl Recorder {
    fn note(&self, seen: &mut Seen, what: What, at: Option<Line>) {
        self.disk.mark(seen.notes.len() as u64);
        seen.notes.push(Note { what, at });
    }
}

impl Witness for Recorder {
    fn see(&self, deed: Deed<'_>, at: Option<Line>) {
        let mut seen = self.seen.lock().expect("no holder of this lock panics");
        let what = match deed {
            Deed::Output {
                stream: 1,
                bytes,
                in_txn,
            } => {
                seen.printed.extend_from_slice(bytes);
                let len = seen.printed.len();
                What::Printed { len, in_txn }
            }
            Deed::Output { bytes, .. } => {
                seen.errors.extend_from_slice(bytes);
                return;
            }
            Deed::Store => What::Store,
            Deed::Commit => What::Commit,
            Deed::Committed { lsn, durable_lsn } => What::Committed { lsn, durable_lsn },
            Deed::RolledBack => What::RolledBack,
        };
        self.note(&mut seen, what, at);
    }
}

impl Recording {
    /// Says in four letters what was done to the disk, apart from the bytes: the name of a crash holds for runs that do
    /// the same.
    pub fn fingerprint(&self) -> String {
        let mut hash = 0u64;
        let mut add = |n: u64| hash = mix(hash ^ mix(n));
        for event in &self.events {
            match event {
                Event::Write { offset, bytes, .. } => {
                    add(1);
                    add(*offset);
                    add(bytes.len() as u64);
                }
                Event::Resize { len, .. } => add(2 ^ *len << 8),
                Event::Mark(_) => add(3),
                Event::Sync { .. } | Event::SyncFailed { .. } => add(4),
                Event::Rename { .. } | Event::SyncNames => add(5),
            }
        }
        format!("{:04x}", hash >> 48)
    }

    /// The crash in a name that `--replay` was given.
    pub fn crash_named(&self, name: &str) -> Result<Crash, String> {
        let (crash, fingerprint) = name.split_once('@').unwrap_or((name, ""));
        if !fingerprint.is_empty() && fingerprint != self.fingerprint() {
            return Err(format!(
                "the script did not do the same as when {name} was found: were its source, arguments, --seed, --runs \
                 and heap the same, and does it depend on time, input or the order of goroutines?"
            ));
        }
        crash.parse()
    }
}

/// Runs a program `runs` times, one run after the other, on a disk that holds `start`.
pub fn record(
    program: &lang::bytecode::program::Program,
    options: &Options,
    start: &Files,
    runs: u32,
) -> Recording {
    let disk = SimulatedDisk::new(start.clone());
    let recorder = Arc::new(Recorder {
        disk: disk.clone(),
        seen: Mutex::default(),
    });
    let world = World {
        disk: Arc::new(disk.clone()),
        witness: recorder.clone(),
    };
    let (mut outcome, mut close_error) = (Outcome::Done, None);
    for run in 0..runs {
        if run > 0 {
            let mut seen = recorder.seen.lock().expect("as above");
            recorder.note(&mut seen, What::Restart, None);
        }
        let options = Options {
            world: Some(world.clone()),
            ..options.clone()
        };
        let mut vm = Vm::new(options, stdlib::natives());
        vm.load(program);
        outcome = vm.run(program.entry);
        close_error = vm.close().err().map(|error| error.to_string());
        if outcome.status() != 0 || close_error.is_some() {
            break;
        }
    }
    let seen = std::mem::take(&mut *recorder.seen.lock().expect("as above"));
    Recording {
        start: start.clone(),
        events: disk.events(),
        notes: seen.notes,
        printed: seen.printed,
        errors: seen.errors,
        outcome,
        close_error,
    }
}

/// Keeps what a program prints.
#[derive(Default)]
pub struct Listener(Mutex<(Vec<u8>, Vec<u8>)>);

impl Listener {
    /// Standard output and standard error so far.
    pub fn heard(&self) -> (Vec<u8>, Vec<u8>) {
        self.0
            .lock()
            .expect("no holder of this lock panics")
            .clone()
    }
}

impl Witness for Listener {
    fn see(&self, deed: Deed<'_>, _: Option<Line>) {
        if let Deed::Output { stream, bytes, .. } = deed {
            let mut heard = self.0.lock().expect("no holder of this lock panics");
            match stream {
                1 => heard.0.extend_from_slice(bytes),
                _ => heard.1.extend_from_slice(bytes),
            }
        }
    }
}

/// The name of the heap on simulated disks.
pub const HEAP: &str = "test.pheap";

/// The choice of that heap.
pub fn heap_choice() -> HeapChoice {
    HeapChoice::File(HEAP.into())
}
