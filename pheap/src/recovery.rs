//! Opening a heap: create it if there is none, lock it, find the newest state, replay the log, map it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, DiskFile, Mode, RealDisk};
use crate::error::{Error, Result};
use crate::flusher::Flusher;
use crate::heap::{Heap, Mutation, Options, Store, reserve};
use crate::image::{Image, descriptors, is_descriptors, is_intact, read_extents};
use crate::layout::{DESCRIPTORS_PER_PAGE, Extent, part};
use crate::log::{self, Chain, Log, Scan};
use crate::mapping::{FileBytes, guard_faults};
use crate::new_file::NewFile;
use crate::relocate::{free_range, move_pointers, relocate};
use crate::space::Space;
use crate::spans::{CLASS_OF, CLASS_PAGES, HEADER_BYTES, PAGE_BYTES};
use crate::stored::Chunks;
use crate::superblock::{self, Found, Superblock};
use crate::types::{CATALOG_TYPE, TypeDesc};

/// Heap files up to this size are verified page by page when they are opened.
const VERIFY_BYTES: u64 = 16 << 20;

/// How often a heap file may be replaced while it is being opened.
const REPLACEMENTS: u32 = 100;

/// A heap that is locked and known to be one, but not yet brought up to date.
pub struct Unrecovered {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    options: Options,
    file: Arc<dyn DiskFile>,
    log_file: Arc<dyn DiskFile>,
    superblock: Superblock,
    scan: Scan,
    log_bytes: FileBytes,
    is_new: bool,
}

impl Heap {
    /// Locks the heap file and reads its superblocks and log; creates it first if there is none and that is wanted.
    pub fn open(path: &Path, options: Options) -> Result<Unrecovered> {
        Heap::open_on(Arc::new(RealDisk), path, options)
    }

    /// As `open`, on any disk.
    pub fn open_on(disk: Arc<dyn Disk>, path: &Path, options: Options) -> Result<Unrecovered> {
        let path = &resolve(&*disk, path)?;
        let mut is_new = false;
        if !disk.exists(path) {
            if !options.create || options.read_only {
                return Err(Error::NotFound {
                    path: path.to_owned(),
                });
            }
            create(&*disk, path, &options)?;
            is_new = true;
        }
        let mode = if options.read_only {
            Mode::Read
        } else {
            Mode::ReadWrite
        };
        let file = open_locked(&*disk, path, mode)?;
        if file.fd().is_some() {
            guard_faults(format!(
                "{}{}: the heap or its log was truncated or became unreadable while in use; restore it from a copy\n",
                crate::mapping::fault_prefix(),
                path.display()
            ));
        }
        let found = superblock::read(&*file, path)?;
        let superblock = found.superblock;
        let log_path = beside(path, "log");
        let log_io = |source| Error::io(&log_path, "reading the log", source);
        let mut log_bytes = FileBytes::Copy(Vec::new());
        let log_file = if disk.exists(&log_path) {
            let log_file = disk.open(&log_path, mode).map_err(log_io)?;
            log::check_head(&*log_file, &log_path, superblock.uuid)?;
            if !options.read_only {
                // It holds the same data.
                log_file.copy_access(&*file).map_err(log_io)?;
            }
            log_bytes = FileBytes::read(&*log_file).map_err(log_io)?;
            log_file
        } else if !superblock.clean {
            return Err(Error::LogMissing { path: log_path });
        } else if options.read_only {
            file.clone()
        } else {
            let log_file = disk.open(&log_path, Mode::Create).map_err(log_io)?;
            log_file.copy_access(&*file).map_err(log_io)?;
            log::create(&*log_file, &log_path, superblock.uuid, options.log_bytes)?;
            log_file
        };
        let scan = scan_log(&*file, path, &found, &log_bytes, options.mutation)?;
        let path = path.to_owned();
        Ok(Unrecovered {
            disk,
            path,
            options,
            file,
            log_file,
            superblock,
            scan,
            log_bytes,
            is_new,
        })
    }
}

/// Finds the records of the log that belong to the heap's state, if heap and log belong together.
pub(crate) fn scan_log(
    file: &dyn DiskFile,
    path: &Path,
    found: &Found,
    log_bytes: &[u8],
    mutation: Mutation,
) -> Result<Scan> {
    let superblock = &found.superblock;
    if let Some(offset) = found.damaged_other
        && log::begins_with(log_bytes, superblock.salt_of(superblock.generation + 1))
    {
        return Err(Error::damaged(
            path,
            offset,
            "the newer superblock has a wrong checksum",
        ));
    }
    let out_of_step = || Error::OutOfStep {
        path: path.to_owned(),
    };
    if mutation == Mutation::None && log::is_ahead(log_bytes, superblock) {
        return Err(out_of_step());
    }
    // After an orderly close the log holds nothing, if it is the log of this state of the heap.
    let bytes = match superblock.clean && found.damaged_other.is_none() {
        true => &[],
        false => log_bytes,
    };
    let chain = Chain {
        salt: superblock.salt(),
        next_lsn: superblock.next_lsn,
        prev_crc: superblock.prev_crc,
    };
    let scan = log::scan(bytes, &beside(path, "log"), chain, mutation)?;
    let io = |source| Error::io(path, "reading the heap", source);
    if !scan.checkpoint && superblock::is_overwritten(file, superblock).map_err(io)? {
        return Err(out_of_step());
    }
    Ok(scan)
}

/// The path of a file that belongs to the heap at `path`.
pub(crate) fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

/// The name that the heap's log is found by, which all names of links lead to.
pub(crate) fn resolve(disk: &dyn Disk, path: &Path) -> Result<PathBuf> {
    let io = |source| Error::io(path, "following a symbolic link", source);
    disk.resolve(path).map_err(io)
}

/// Opens the file of this name and locks it, for readers or exclusively.
pub(crate) fn open_locked(disk: &dyn Disk, path: &Path, mode: Mode) -> Result<Arc<dyn DiskFile>> {
    let io = |source| Error::io(path, "opening the heap", source);
    for _ in 0..REPLACEMENTS {
        let file = disk
            .open(path, mode)
            .map_err(|source| match source.kind() {
                std::io::ErrorKind::PermissionDenied if mode != Mode::Read => Error::NotWritable {
                    path: path.to_owned(),
                    doing: "opening it for writing",
                },
                _ => io(source),
            })?;
        lock(&*file, path, mode != Mode::Read)?;
        if !disk.is_named(&*file, path).map_err(io)? {
            continue;
        }
        let names = disk.names(&*file).map_err(io)?;
        if names > 1 && mode != Mode::Read {
            let path = path.to_owned();
            return Err(Error::ManyNames { path, names });
        }
        return Ok(file);
    }
    Err(Error::Overtaken {
        path: path.to_owned(),
    })
}

pub(crate) fn lock(file: &dyn DiskFile, path: &Path, exclusive: bool) -> Result<()> {
    match file.lock(exclusive) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::Locked {
            path: path.to_owned(),
        }),
        Err(source) => Err(Error::io(path, "locking the heap", source)),
    }
}

/// Makes a heap with an empty catalog under another name, and gives it its name when it is durable.
fn create(disk: &dyn Disk, path: &Path, options: &Options) -> Result<()> {
    let new = NewFile::begin(disk, path, None)?;
    if disk.exists(path) {
        // Another process was faster.
        return Ok(());
    }
    let log_path = beside(path, "log");
    let had_log = disk.exists(&log_path);
    let done = fill(disk, &**new.file(), path, options).and_then(|()| new.finish(|| Ok(())));
    if done.is_err() && !disk.exists(path) && !had_log {
        // Nothing is left of an attempt that failed.
        let _ = disk.remove(&log_path);
    }
    done.map(|_| ())
}

/// Writes the files of a new heap.
fn fill(disk: &dyn Disk, file: &dyn DiskFile, path: &Path, options: &Options) -> Result<()> {
    let io = |source| Error::io(path, "creating the heap", source);
    let log_path = beside(path, "log");
    let log_file = disk.open(&log_path, Mode::Create).map_err(io)?;
    if log_file.len_bytes().map_err(io)? > 0
        && log::has_records(&FileBytes::read(&*log_file).map_err(io)?)
    {
        return Err(Error::HeapMissing { path: log_path });
    }
    log_file.truncate(0).map_err(io)?;
    let uuid = new_uuid();
    log::create(&*log_file, &log_path, uuid, options.log_bytes)?;

    let data_pages = (options.initial_bytes / PAGE_BYTES).max(4);
    let extent = Extent::with_data(1, data_pages);
    file.allocate(extent.end() * PAGE_BYTES).map_err(io)?;
    let class = CLASS_OF[TypeDesc::internal(CATALOG_TYPE).size as usize / 8];
    let pages = u64::from(CLASS_PAGES[class as usize]);
    let catalog = catalog_offset(path, &[extent])?;
    let object_bytes = HEADER_BYTES + TypeDesc::internal(CATALOG_TYPE).size;
    let record: Vec<u8> = [
        part::GROW | extent.first << 8,
        extent.pages,
        part::SPAN | extent.data() << 8,
        pages << 8 | u64::from(class),
        part::OBJECT | object_bytes << 8,
        catalog - HEADER_BYTES,
        extent.data() << 16,
        u64::from(CATALOG_TYPE) | 1 << 32,
        0,
        0,
        0,
        0,
    ]
    .iter()
    .flat_map(|word| word.to_le_bytes())
    .collect();
    let mut image = Image::new(file, path, Vec::new(), true);
    image.apply(&record)?;
    image.write_out()?;
    let superblock = Superblock {
        uuid,
        generation: 1,
        base: options.base,
        limit_bytes: options.limit_bytes,
        heap_bytes: extent.end() * PAGE_BYTES,
        next_lsn: 1,
        prev_crc: 0,
        clean: true,
    };
    superblock.write(file).map_err(io)
}

/// Offset of the catalog: the first object of the first extent.
pub(crate) fn catalog_offset(path: &Path, extents: &[Extent]) -> Result<u64> {
    let first = extents
        .first()
        .ok_or_else(|| Error::damaged(path, PAGE_BYTES, "no extent"))?;
    Ok(first.data() * PAGE_BYTES + HEADER_BYTES)
}

pub(crate) fn read_page(file: &dyn DiskFile, path: &Path, page: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; PAGE_BYTES as usize];
    let io = |source| Error::io(path, "reading the heap", source);
    file.read_at(&mut bytes, page * PAGE_BYTES).map_err(io)?;
    Ok(bytes)
}

pub(crate) fn new_uuid() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};
    let words = [
        RandomState::new().hash_one(std::process::id()),
        RandomState::new().hash_one(std::time::Instant::now()),
    ];
    let mut uuid = [0; 16];
    for (to, word) in uuid.chunks_exact_mut(8).zip(words) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    uuid
}

impl Unrecovered {
    /// Number of records in the log that are to be replayed.
    pub fn records(&self) -> usize {
        self.scan.records.len()
    }

    /// Brings the heap file up to date from the log and maps it; if its addresses are taken, it is relocated. A crash
    /// meanwhile is harmless.
    pub fn recover(self) -> Result<Heap> {
        let Unrecovered {
            disk,
            path,
            options,
            file,
            log_file,
            superblock,
            scan,
            log_bytes,
            is_new,
        } = self;
        let read = |page| read_page(&*file, &path, page);
        // If no checkpoint was interrupted, every page is as its checksum says.
        let intact = !scan.checkpoint;
        let extents = read_extents(&path, superblock.heap_bytes, intact, read, |_, _, _| ())?;
        let mut log = None;
        if !options.read_only {
            let chain = Chain {
                salt: superblock.salt(),
                ..scan.chain
            };
            let mut writer = Log::open(log_file.clone(), beside(&path, "log"), chain, scan.end)?;
            if !scan.records.is_empty() {
                // The records may be in the system's cache only, if it was the process that died.
                writer.mark_checkpoint(scan.checkpoint, superblock.next_lsn - 1)?;
                let io = |source| Error::io(&path, "flushing the log", source);
                log_file.sync().map_err(io)?;
            }
            log = Some(writer);
        }
        let mut image = Image::new(&*file, &path, extents, !options.read_only).verifying(intact);
        if options.mutation != Mutation::NoReplay {
            for record in &scan.records {
                image.apply(&log_bytes[record.start..record.end])?;
            }
        }
        let Some(log) = log else {
            let (extents, pages) = image.into_pages()?;
            let chain = scan.chain;
            let read = |page| {
                pages
                    .get(&page)
                    .map_or_else(|| read(page), |bytes| Ok(bytes.to_vec()))
            };
            let heap_bytes = extents
                .last()
                .map_or(PAGE_BYTES, |extent| extent.end() * PAGE_BYTES);
            let load_at = |base| {
                load(
                    &path,
                    &*file,
                    &Superblock { base, ..superblock },
                    heap_bytes,
                    read,
                )
            };
            let overlay = |space: &Space| {
                for (&page, bytes) in &pages {
                    space.mapping().copy_in(page * PAGE_BYTES, bytes);
                }
            };
            let (space, extents) = match load_at(superblock.base) {
                Err(Error::BaseTaken { .. }) => {
                    let (space, extents) = load_at(free_range(&path, superblock.limit_bytes)?)?;
                    overlay(&space);
                    (
                        move_pointers(space, superblock.base, &path, &options, &extents)?,
                        extents,
                    )
                }
                loaded => {
                    let (space, extents) = loaded?;
                    overlay(&space);
                    (space, extents)
                }
            };
            let log = Log::empty(log_file.clone(), beside(&path, "log"), chain);
            let flusher = Flusher::new(log_file, chain.next_lsn - 1);
            let store = Store {
                path,
                file,
                log,
                flusher,
                superblock,
                extents: extents.clone(),
            };
            return Heap::recovered(space, store, extents, options, false);
        };
        if !scan.records.is_empty() {
            let end = image.extents.last().map_or(1, |extent| extent.end());
            let (end, uuid) = (end * PAGE_BYTES, superblock.uuid);
            superblock::write_tail(&*file, end, uuid, superblock.generation + 1);
        }
        image.write_out()?;
        let extents = image.extents;
        let chain = log.chain;
        // Replayed records are durable in the heap file from the switch on.
        let flusher = Flusher::new(log_file, chain.next_lsn - 1);
        let mut store = Store {
            path,
            file,
            log,
            flusher,
            superblock,
            extents: Vec::new(),
        };
        store.switch(extents, chain, false, options.mutation)?;
        drop(log_bytes);
        store.shrink_log(&options, true)?;
        let load_it = |store: &Store| {
            let heap_bytes = store.superblock.heap_bytes;
            load(
                &store.path,
                &*store.file,
                &store.superblock,
                heap_bytes,
                |page| read_page(&*store.file, &store.path, page),
            )
        };
        let (space, extents) = match load_it(&store) {
            Err(Error::BaseTaken { .. }) => {
                relocate(&*disk, &mut store, &options)?;
                load_it(&store)?
            }
            loaded => loaded?,
        };
        Heap::recovered(space, store, extents, options, is_new)
    }
}

impl Heap {
    fn recovered(
        space: Space,
        store: Store,
        extents: Vec<Extent>,
        options: Options,
        is_new: bool,
    ) -> Result<Heap> {
        let path = store.path.clone();
        let catalog = space.base() + catalog_offset(&path, &extents)?;
        let mut heap = Heap::over(space, Some(store), options);
        heap.extents = extents;
        heap.is_new = is_new;
        heap.read_catalog(catalog)?;
        Ok(heap)
    }
}

/// Maps the heap file and reads its span table.
pub(crate) fn load(
    path: &Path,
    file: &dyn DiskFile,
    superblock: &Superblock,
    heap_bytes: u64,
    read: impl Fn(u64) -> Result<Vec<u8>>,
) -> Result<(Space, Vec<Extent>)> {
    let mapping = reserve(path, superblock.base, superblock.limit_bytes)?;
    let io = |source| Error::io(path, "mapping the heap", source);
    let file_bytes = file.len_bytes().map_err(io)?.min(heap_bytes);
    match file.fd() {
        Some(fd) => {
            mapping.map_file(fd, 0, file_bytes).map_err(io)?;
        }
        None => {
            let bytes = log::read_all(file, file_bytes as usize).map_err(io)?;
            mapping.copy_in(0, &bytes);
        }
    }
    let (mut chunks, mut impossible) = (Chunks::default(), None);
    let verify = heap_bytes <= VERIFY_BYTES;
    let mut sums = Vec::new();
    let extents = read_extents(path, heap_bytes, true, &read, |extent, index, bytes| {
        if verify {
            let first = extent.first + index * DESCRIPTORS_PER_PAGE;
            let all = (first..extent.end()).zip(descriptors(bytes));
            sums.extend(all.map(|(page, descriptor)| (page, descriptor.crc)));
        }
        if let Err(page) = chunks.add(extent, index, bytes) {
            impossible.get_or_insert(page);
        }
    })?;
    if let Some(page) = impossible {
        let what = "impossible span";
        return Err(Error::damaged(path, page * PAGE_BYTES, what));
    }
    for (page, crc) in sums {
        // Descriptor pages have their own checksums.
        if !is_descriptors(&extents, page) && !is_intact(&read(page)?, crc) {
            return Err(Error::damaged(
                path,
                page * PAGE_BYTES,
                "wrong checksum of a page",
            ));
        }
    }
    let mut space = Space::over(mapping, true);
    space.set_stored(chunks);
    Ok((space, extents))
}
