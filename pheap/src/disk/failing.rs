//! A disk on which one chosen operation fails: the n-th write, or everything that needs new space, or the n-th sync.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::{Disk, DiskFile, Mode};

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// From the given write, allocation or creation on, the disk is full.
    FullFrom(i64),
    /// The given sync fails once.
    Sync(i64),
}

/// Wraps another disk and counts its operations.
#[derive(Clone)]
pub struct FailingDisk {
    disk: Arc<dyn Disk>,
    state: Arc<State>,
}

struct State {
    failure: Failure,
    writes: AtomicI64,
    syncs: AtomicI64,
    healed: AtomicBool,
}

impl FailingDisk {
    pub fn new(disk: impl Disk + 'static, failure: Failure) -> FailingDisk {
        let state = State {
            failure,
            writes: AtomicI64::new(0),
            syncs: AtomicI64::new(0),
            healed: AtomicBool::new(false),
        };
        FailingDisk {
            disk: Arc::new(disk),
            state: Arc::new(state),
        }
    }

    /// From now on there is room again.
    pub fn heal(&self) {
        self.state.healed.store(true, Ordering::Relaxed);
    }

    /// Whether the failure has been met.
    pub fn failed(&self) -> bool {
        match self.state.failure {
            Failure::FullFrom(n) => self.state.writes.load(Ordering::Relaxed) > n,
            Failure::Sync(n) => self.state.syncs.load(Ordering::Relaxed) > n,
        }
    }
}

impl State {
    fn write(&self) -> io::Result<()> {
        let n = self.writes.fetch_add(1, Ordering::Relaxed);
        match self.failure {
            Failure::FullFrom(from) if n >= from && !self.healed.load(Ordering::Relaxed) => {
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => Ok(()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        let n = self.syncs.fetch_add(1, Ordering::Relaxed);
        if self.failure == Failure::Sync(n) {
            Err(io::Error::other("simulated flush failure"))
        } else {
            Ok(())
        }
    }
}

impl Disk for FailingDisk {
    fn open(&self, path: &Path, mode: Mode) -> io::Result<Arc<dyn DiskFile>> {
        if mode == Mode::Create && !self.disk.exists(path) {
            self.state.write()?;
        }
        Ok(Arc::new(FailingFile {
            file: self.disk.open(path, mode)?,
            state: self.state.clone(),
        }))
    }

    fn exists(&self, path: &Path) -> bool {
        self.disk.exists(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.state.write()?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn sync_names(&self, path: &Path) -> io::Result<()> {
        self.state.sync()?;
        self.disk.sync_names(path)
    }
}

struct FailingFile {
    file: Arc<dyn DiskFile>,
    state: Arc<State>,
}

impl DiskFile for FailingFile {
    fn len_bytes(&self) -> io::Result<u64> {
        self.file.len_bytes()
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.state.write()?;
        self.file.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.state.sync()?;
        self.file.sync()
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.state.write()?;
        self.file.allocate(len)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }

    fn lock(&self, exclusive: bool) -> io::Result<bool> {
        self.file.lock(exclusive)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
