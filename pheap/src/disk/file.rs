//! Real files.
#![allow(unsafe_code)] // The lock and the allocation calls of libc take raw descriptors.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Disk, DiskFile, Mode};

/// Symbolic links that are followed, one to the other.
const LINKS_MAX: u32 = 40;

/// The file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path, mode: Mode) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(mode != Mode::Read)
            .create(mode == Mode::Create)
            .mode(0o644);
        let file = options.open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Arc::new(RealFile(file)))
    }

    fn exists(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok()
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            if !path.is_symlink() {
                return Ok(path);
            }
            let target = std::fs::read_link(&path)?;
            path.pop();
            path.push(target);
        }
        Err(io::Error::from_raw_os_error(libc::ELOOP))
    }

    fn names(&self, file: &dyn DiskFile) -> io::Result<u64> {
        match file.fd() {
            Some(fd) => Ok(File::from(fd.try_clone_to_owned()?).metadata()?.nlink()),
            None => Ok(1),
        }
    }

    fn is_named(&self, file: &dyn DiskFile, path: &Path) -> io::Result<bool> {
        let Some(fd) = file.fd() else {
            return Ok(true);
        };
        let file = File::from(fd.try_clone_to_owned()?).metadata()?;
        match std::fs::metadata(path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (file.dev(), file.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_names(&self, path: &Path) -> io::Result<()> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()
    }
}

struct RealFile(File);

impl DiskFile for RealFile {
    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        // SAFETY: the descriptor is open; the call touches no memory.
        match unsafe { libc::posix_fallocate(self.0.as_raw_fd(), 0, len as libc::off_t) } {
            0 => Ok(()),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn lock(&self, exclusive: bool) -> io::Result<bool> {
        // SAFETY: an all-zero flock is a valid value: it means the whole file.
        let mut lock: libc::flock = unsafe { std::mem::zeroed() };
        lock.l_type = if exclusive {
            libc::F_WRLCK
        } else {
            libc::F_RDLCK
        } as libc::c_short;
        lock.l_whence = libc::SEEK_SET as libc::c_short;
        // SAFETY: the descriptor is open, and `lock` outlives the call.
        if unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_OFD_SETLK, &lock) } == 0 {
            return Ok(true);
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EACCES) => Ok(false),
            _ => Err(error),
        }
    }

    fn copy_access(&self, from: &dyn DiskFile) -> io::Result<()> {
        let Some(fd) = from.fd() else {
            return Ok(());
        };
        let from = File::from(fd.try_clone_to_owned()?).metadata()?;
        let own = self.0.metadata()?;
        if (own.uid(), own.gid()) != (from.uid(), from.gid()) {
            // Not everyone may give files away.
            let _ = std::os::unix::fs::fchown(&self.0, Some(from.uid()), Some(from.gid()));
        }
        if own.permissions() != from.permissions() {
            self.0.set_permissions(from.permissions())?;
        }
        Ok(())
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }
}
