//! Files in memory, shared by all clones of the disk.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Disk, DiskFile, Mode};

pub(super) type Contents = Arc<Mutex<Vec<u8>>>;

/// A disk in memory. Files keep their contents when they are closed.
#[derive(Clone, Default)]
pub struct MemoryDisk {
    files: Arc<Mutex<BTreeMap<PathBuf, Contents>>>,
}

impl MemoryDisk {
    /// A disk with the given files.
    pub fn new(files: impl IntoIterator<Item = (PathBuf, Vec<u8>)>) -> MemoryDisk {
        let files = files
            .into_iter()
            .map(|(path, bytes)| (path, Arc::new(Mutex::new(bytes))))
            .collect();
        MemoryDisk {
            files: Arc::new(Mutex::new(files)),
        }
    }

    /// The contents of all files.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        guard(&self.files)
            .iter()
            .map(|(path, file)| (path.clone(), guard(file).clone()))
            .collect()
    }
}

pub(super) fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock panics")
}

/// Sets the length of a file, zeroed where it grows. (`Vec::resize` is slow in debug builds.)
pub(super) fn set_len(file: &mut Vec<u8>, len: usize) {
    match len.checked_sub(file.len()) {
        Some(more) => file.extend_from_slice(&vec![0; more]),
        None => file.truncate(len),
    }
}

impl Disk for MemoryDisk {
    fn open(&self, path: &Path, mode: Mode) -> io::Result<Arc<dyn DiskFile>> {
        let mut files = guard(&self.files);
        if !files.contains_key(path) {
            if mode != Mode::Create {
                return Err(io::ErrorKind::NotFound.into());
            }
            files.insert(path.to_owned(), Contents::default());
        }
        Ok(Arc::new(MemoryFile(files[path].clone())))
    }

    fn exists(&self, path: &Path) -> bool {
        guard(&self.files).contains_key(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = guard(&self.files);
        let file = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = guard(&self.files).remove(path);
        removed.map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn sync_names(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

struct MemoryFile(Contents);

impl DiskFile for MemoryFile {
    fn len_bytes(&self) -> io::Result<u64> {
        Ok(guard(&self.0).len() as u64)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let contents = guard(&self.0);
        let from = contents
            .get(offset as usize..)
            .and_then(|rest| rest.get(..bytes.len()));
        bytes.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut contents = guard(&self.0);
        let end = offset as usize + bytes.len();
        if contents.len() < end {
            set_len(&mut contents, end);
        }
        contents[offset as usize..end].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut contents = guard(&self.0);
        if (contents.len() as u64) < len {
            set_len(&mut contents, len as usize);
        }
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        set_len(&mut guard(&self.0), len as usize);
        Ok(())
    }

    fn lock(&self, _: bool) -> io::Result<bool> {
        Ok(true)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
