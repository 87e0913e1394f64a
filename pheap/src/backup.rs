//! Copies of a heap that another process may be writing to: the state at a commit, in one file.
//!
//! The copy is made in rounds. A round takes a view of the last commit and copies the pages whose checksums are not
//! those of the pages copied already; when a checkpoint overtakes it, the next round goes on with a newer view. So each
//! round copies only what changed since, and the last one ends with every page as its view has it.

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use crate::disk::{Disk, DiskFile, Mode, RealDisk};
use crate::error::{Error, Result};
use crate::heap::{Heap, Options};
use crate::image::is_descriptors;
use crate::log::Lsn;
use crate::new_file::NewFile;
use crate::recovery::{Unrecovered, beside, new_uuid, open_locked, resolve};
use crate::spans::PAGE_BYTES;
use crate::superblock::Superblock;
use crate::view::{View, settled};

/// Rounds after which a heap counts as changing too fast.
const ROUNDS: u32 = 1000;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Number of the last record whose changes it holds.
    pub lsn: Lsn,
    pub file_bytes: u64,
    /// Pages copied, those that were copied again counted each time.
    pub copied_pages: u64,
    pub rounds: u32,
}

/// Copies the heap at `path`, as of a commit, to `dest`, which appears when it is complete and durable. The copy is a
/// heap of its own (it has another UUID), without a log. What was at `dest` is replaced, log and all, unless it is a heap
/// in use ([`Error::Locked`]). `progress` hears of bytes done and bytes in all.
pub fn backup(path: &Path, dest: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Backup> {
    let disk = RealDisk;
    let dest = &resolve(&disk, dest)?;
    let io = |source| Error::io(dest, "writing the backup", source);
    // Held until it is replaced.
    let replaced = match disk.exists(dest) {
        true => open_locked(&disk, dest, Mode::ReadWrite)?,
        false => open_source(&disk, path)?,
    };
    let new = NewFile::begin(&disk, dest, Some(&*replaced))?;
    let done = copy(&disk, path, dest, new.file(), progress)?;
    new.finish(|| {
        // A crash before this leaves a log that is refused as another heap's, never one that is applied.
        match std::fs::remove_file(beside(dest, "log")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(error)),
            _ => Ok(()),
        }
    })?;
    Ok(done)
}

fn open_source(disk: &dyn Disk, path: &Path) -> Result<Arc<dyn DiskFile>> {
    if !disk.exists(path) {
        let path = path.to_owned();
        return Err(Error::NotFound { path });
    }
    let io = |source| Error::io(path, "opening the heap", source);
    disk.open(path, Mode::Read).map_err(io)
}

fn copy(
    disk: &dyn Disk,
    path: &Path,
    dest: &Path,
    file: &Arc<dyn DiskFile>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Backup> {
    let io = |source| Error::io(dest, "writing the backup", source);
    // Checksum of each page of the copy; none for pages that are zero.
    let mut have: Vec<Option<u32>> = Vec::new();
    let (mut copied_pages, mut rounds) = (0, 0);
    let view = settled(disk, path, || {
        rounds += 1;
        if rounds > ROUNDS {
            return Err(Error::Io {
                path: path.to_owned(),
                doing: "copying a heap that changes faster than it can be read",
                source: Arc::new(std::io::ErrorKind::TimedOut.into()),
            });
        }
        let view = View::open_on(disk, path)?;
        let pages = view.sums.len();
        file.allocate(pages as u64 * PAGE_BYTES).map_err(io)?;
        have.resize(have.len().max(pages), None);
        for (page, (had, &sum)) in have.iter_mut().zip(&view.sums).enumerate().skip(1) {
            let number = page as u64;
            progress(number * PAGE_BYTES, pages as u64 * PAGE_BYTES);
            if view.changed.contains_key(&number)
                || *had == sum
                || is_descriptors(&view.extents, number)
            {
                continue;
            }
            file.write_at(&view.page_of_file(number)?, number * PAGE_BYTES)
                .map_err(io)?;
            *had = sum;
            copied_pages += 1;
        }
        Ok(view)
    })?;
    for (&page, bytes) in &view.changed {
        file.write_at(bytes, page * PAGE_BYTES).map_err(io)?;
    }
    copied_pages += view.changed.len() as u64;
    let heap_bytes = view.sums.len() as u64 * PAGE_BYTES;
    file.truncate(heap_bytes).map_err(io)?;
    let superblock = Superblock {
        uuid: new_uuid(),
        generation: view.superblock.generation + 1,
        heap_bytes,
        next_lsn: view.chain.next_lsn,
        prev_crc: view.chain.prev_crc,
        clean: true,
        ..view.superblock
    };
    superblock.write(&**file).map_err(io)?;
    Ok(Backup {
        lsn: view.lsn(),
        file_bytes: heap_bytes,
        copied_pages,
        rounds,
    })
}

/// A view that nothing overtakes: of the heap itself, locked against writers, or of a private copy if it is in use.
/// The lock is held as long as the second value lives.
pub fn stable_view(
    path: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(View, Arc<dyn DiskFile>)> {
    match open_source(&RealDisk, path).and_then(|_| open_locked(&RealDisk, path, Mode::Read)) {
        Err(Error::Locked { .. }) => {}
        file => return Ok((View::open(path)?, file?)),
    }
    let io = |source| Error::io(path, "opening the heap", source);
    let copy = private_copy(path, progress)?;
    let view = View::open(&copy)?;
    let file = RealDisk.open(&copy, Mode::Read).map_err(io)?;
    let _ = std::fs::remove_file(&copy);
    Ok((view, file))
}

/// Opens a heap read-only; one that is in use, as it stood at its last commit, by way of a private copy.
pub fn open_read_only(path: &Path, options: Options) -> Result<Heap> {
    let options = Options {
        read_only: true,
        create: false,
        ..options
    };
    match Heap::open(path, options.clone()) {
        Err(Error::Locked { .. }) => {
            let copy = private_copy(path, &mut |_, _| ())?;
            let heap = Heap::open(&copy, options).and_then(Unrecovered::recover);
            let _ = std::fs::remove_file(&copy);
            let mut heap = heap?;
            if let Some(store) = &mut heap.store {
                // What it says of itself, it says of the original.
                store.path = path.to_owned();
            }
            Ok(heap)
        }
        opened => opened?.recover(),
    }
}

/// A copy in the folder for temporary files, to be removed by the caller once it is open.
fn private_copy(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<std::path::PathBuf> {
    let unique = u64::from_le_bytes(new_uuid()[..8].try_into().expect("eight bytes"));
    let copy = std::env::temp_dir().join(format!("pheap-{}-{unique:x}", std::process::id()));
    // For no one else: the heap's own folder may be closed to others.
    let mine = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&copy);
    let io = |source| Error::io(&copy, "making a private copy", source);
    mine.map_err(io)?;
    match backup(path, &copy, progress) {
        Ok(_) => Ok(copy),
        Err(error) => {
            let _ = std::fs::remove_file(&copy);
            Err(error)
        }
    }
}
