//! Everything that can go wrong with a heap. Each message says where, what, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

#[derive(Clone, Debug, Error)]
pub enum Error {
    #[error("{}: no such heap file; check the path, or let it be created", path.display())]
    NotFound { path: PathBuf },
    #[error("{}: not a heap file; check the path: nothing was changed", path.display())]
    NotAHeap { path: PathBuf },
    #[error("{}: truncated: {found_bytes} bytes where the heap has {expected_bytes}; restore it from a copy", path.display())]
    Truncated {
        path: PathBuf,
        expected_bytes: u64,
        found_bytes: u64,
    },
    #[error("{}: heap format version {found}, but this program reads version {supported}; use the program that wrote it", path.display())]
    Version {
        path: PathBuf,
        found: u32,
        supported: u32,
    },
    #[error("{}: damaged at offset {offset}: {what}; restore it from a copy: nothing was changed", path.display())]
    Damaged {
        path: PathBuf,
        offset: u64,
        what: String,
    },
    #[error("{}: the heap's log is missing and the heap was not closed in order; put the log back beside the heap", path.display())]
    LogMissing { path: PathBuf },
    #[error("{}: the log of a heap that is missing; put the heap back beside it, or remove the log to start anew", path.display())]
    HeapMissing { path: PathBuf },
    #[error("{}: this log belongs to another heap; put the heap's own log back", path.display())]
    ForeignLog { path: PathBuf },
    #[error("{}: the heap and its log are of different moments: copied while in use, or put back one without the other; copy with pgo heap backup", path.display())]
    OutOfStep { path: PathBuf },
    #[error("{}: has {names} names (hard links), and would have a log beside each; remove all but one, or copy with pgo heap backup", path.display())]
    ManyNames { path: PathBuf, names: u64 },
    #[error("{}: in use by another process; wait for it to end, or open another heap", path.display())]
    Locked { path: PathBuf },
    #[error("{}: changed while it was read; try again", path.display())]
    Overtaken { path: PathBuf },
    #[error("{}: no space left on the device while {doing}; the heap is as before: make room and try again", path.display())]
    DiskFull { path: PathBuf, doing: &'static str },
    #[error("{}: opened read-only: {what} is not possible", path.display())]
    ReadOnly { path: PathBuf, what: &'static str },
    #[error("{}: {doing} failed: the file or its folder is read-only; make it writable, or copy the heap elsewhere", path.display())]
    NotWritable { path: PathBuf, doing: &'static str },
    #[error("{}: the heap may no longer be written after a failed flush ({cause}); restart to go on from what is durable", path.display())]
    Poisoned {
        path: PathBuf,
        cause: Arc<io::Error>,
    },
    #[error("{}: the address range at {base:#x} is taken in this process; open one heap per process", path.display())]
    BaseTaken { path: PathBuf, base: u64 },
    #[error("{}: the heap's address range of {limit_bytes} bytes is full; collect garbage or delete data", path.display())]
    Full { path: PathBuf, limit_bytes: u64 },
    #[error("an object of {count} elements of {elem_bytes} bytes is too large for a heap")]
    TooLarge { count: u64, elem_bytes: u64 },
    #[error("no transaction is open")]
    NoTxn,
    #[error("the type {name:?} has an invalid description: {what}")]
    BadType { name: String, what: &'static str },
    #[error("{}: {doing} failed: {source}", path.display())]
    Io {
        path: PathBuf,
        doing: &'static str,
        source: Arc<io::Error>,
    },
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An I/O error in its own words, a full disk as such.
    pub(crate) fn io(path: &Path, doing: &'static str, source: io::Error) -> Error {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Error::DiskFull { path, doing },
            io::ErrorKind::ReadOnlyFilesystem => Error::NotWritable { path, doing },
            _ => Error::Io {
                path,
                doing,
                source: Arc::new(source),
            },
        }
    }

    pub(crate) fn damaged(path: &Path, offset: u64, what: impl Into<String>) -> Error {
        Error::Damaged {
            path: path.to_owned(),
            offset,
            what: what.into(),
        }
    }
}
