//! The file operations that a heap needs, behind a trait, so that the same engine runs on real files, in memory,
//! on a disk that fails, and on a simulated one that loses what was not synced.

pub mod crash;
mod failing;
mod file;
mod memory;
mod simulated;

use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use failing::{FailingDisk, Failure};
pub use file::RealDisk;
pub use memory::MemoryDisk;
pub use simulated::{Event, SimulatedDisk, UNIT_BYTES};

/// How a file is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Read,
    ReadWrite,
    /// As `ReadWrite`; created when it does not exist.
    Create,
}

/// A place where files have names.
pub trait Disk: Send + Sync {
    fn open(&self, path: &Path, mode: Mode) -> io::Result<Arc<dyn DiskFile>>;
    fn exists(&self, path: &Path) -> bool;
    /// The name of the file itself where `path` is a symbolic link: a heap has one log, whatever it is called by.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
    /// Names (hard links) of an open file.
    fn names(&self, _file: &dyn DiskFile) -> io::Result<u64> {
        Ok(1)
    }
    /// Whether an open file is the one of this name, and not one that was replaced meanwhile.
    fn is_named(&self, _file: &dyn DiskFile, _path: &Path) -> io::Result<bool> {
        Ok(true)
    }
    /// Replaces `to` by `from`, atomically.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file; its name need not be gone durably.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names of files in the folder of `path` durable.
    fn sync_names(&self, path: &Path) -> io::Result<()>;
}

/// An open file. Reads and writes are exact: all bytes or an error.
pub trait DiskFile: Send + Sync {
    fn len_bytes(&self) -> io::Result<u64>;
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes all earlier writes, and the length, durable.
    fn sync(&self) -> io::Result<()>;
    /// Grows the file to `len` bytes, zeroed and with storage behind them.
    fn allocate(&self, len: u64) -> io::Result<()>;
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Takes the lock on the whole file: exclusive, or shared for readers. False if another process has it.
    fn lock(&self, exclusive: bool) -> io::Result<bool>;
    /// Gives the file to the owner of another one, with the same rights for others, as far as that is allowed.
    fn copy_access(&self, _from: &dyn DiskFile) -> io::Result<()> {
        Ok(())
    }
    /// The descriptor, for mapping; None where there is no real file.
    fn fd(&self) -> Option<BorrowedFd<'_>>;
}
