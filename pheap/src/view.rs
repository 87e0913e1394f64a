//! A heap file read as it stood at a commit, while a program may be using it: for tools. Nothing is mapped, locked
//! or written.
//!
//! The state is superblock, log and descriptors, read at a moment when no checkpoint came between (else they are read
//! again), with the log's records applied to private copies of pages. A page read later must have the checksum that the
//! descriptors of that moment have for it, so a page that a later checkpoint has changed is never taken for the
//! old one: the read fails with [`Error::Overtaken`], and the caller starts over with a new view.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::Addr;
use crate::disk::{Disk, DiskFile, Mode, RealDisk};
use crate::error::{Error, Result};
use crate::heap::Mutation;
use crate::image::{Image, Pages, descriptors, is_descriptors, is_intact, read_extents};
use crate::layout::{DESCRIPTORS_PER_PAGE, Extent, PAGE_SPAN, get_u64};
use crate::log::{self, Chain, Found, Lsn};
use crate::recovery::{beside, catalog_offset, read_page, resolve, scan_log};
use crate::roots::{
    ENDLESS, ENTRY_BYTES, NAME, ROOT_COUNT, ROOTS, Root, TYPE, TYPE_COUNT, TYPES, VALUE,
};
use crate::space::ObjectRef;
use crate::spans::{HEADER_BYTES, PAGE_BYTES, Span};
use crate::superblock::{self, Superblock};
use crate::types::{
    BYTES_TYPE, CATALOG_TYPE, FIRST_TYPE, POINTERS_TYPE, PointerSlot, ROOTS_TYPE, TypeDesc,
};

/// How often a state that is changing is read again, and how long is waited between.
const TRIES: u32 = 200;
/// As well of one that seems to be a bad copy, and is not in use.
const CLOSING_TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(2);
/// Pages kept in memory; beyond this they are read again.
const CACHE_BYTES: u64 = 1 << 30;
const NONE: u32 = u32::MAX;

/// Sizes of the files behind a view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileSizes {
    pub file_bytes: u64,
    /// Bytes in extents.
    pub heap_bytes: u64,
    /// Bytes of pages in spans.
    pub span_bytes: u64,
    /// Bytes of descriptors, bitmaps and superblocks.
    pub meta_bytes: u64,
    pub log_file_bytes: u64,
    /// Bytes and number of the records that are not in the heap file yet.
    pub log_bytes: u64,
    pub records: u64,
    pub extents: u64,
    pub spans: u64,
}

/// The state of a heap at a commit.
pub struct View {
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    pub(crate) superblock: Superblock,
    /// Behind the last record of the state.
    pub(crate) chain: Chain,
    pub(crate) extents: Vec<Extent>,
    /// Pages that the log's records changed, and pages of descriptors.
    pub(crate) changed: Pages,
    /// Checksum of each page in the file; none for one that was never written.
    pub(crate) sums: Vec<Option<u32>>,
    spans: Vec<Span>,
    /// Number of slots in the spans before each.
    slots_before: Vec<u64>,
    span_of_page: Vec<u32>,
    cache: RefCell<Vec<Option<Rc<[u8]>>>>,
    cached_bytes: Cell<u64>,
    types: Vec<Arc<TypeDesc>>,
    newest: FxHashMap<u64, u32>,
    roots: Vec<Root>,
    catalog: Addr,
    sizes: FileSizes,
    /// Pages must have their checksums.
    verify: bool,
}

/// What one reading of the files gives.
struct Files {
    file: Arc<dyn DiskFile>,
    log_file: Option<Arc<dyn DiskFile>>,
    superblock: Superblock,
    log_bytes: Vec<u8>,
    records: Vec<Found>,
    chain: Chain,
    end: u64,
    checkpoint: bool,
}

/// Whether another process has the heap open for writing.
pub fn is_in_use(disk: &dyn Disk, path: &Path) -> bool {
    disk.open(path, Mode::Read)
        .and_then(|file| file.lock(false))
        .is_ok_and(|locked| !locked)
}

/// Calls `read` until it gives a result that no checkpoint of another process spoilt.
pub(crate) fn settled<T>(
    disk: &dyn Disk,
    path: &Path,
    mut read: impl FnMut() -> Result<T>,
) -> Result<T> {
    let mut tries = 0;
    loop {
        tries += 1;
        match read() {
            Err(error) if tries < TRIES => {
                // What looks like damage may be a change that was half done when it was read.
                let passing = match error {
                    Error::Overtaken { .. } => true,
                    // The writer may have closed the heap between two reads.
                    Error::OutOfStep { .. } if tries < CLOSING_TRIES => true,
                    Error::Damaged { .. }
                    | Error::Truncated { .. }
                    | Error::LogMissing { .. }
                    | Error::OutOfStep { .. }
                    | Error::Io { .. } => is_in_use(disk, path),
                    _ => false,
                };
                if !passing {
                    return Err(error);
                }
                std::thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

fn read_files(disk: &dyn Disk, path: &Path) -> Result<Files> {
    if !disk.exists(path) {
        return Err(Error::NotFound {
            path: path.to_owned(),
        });
    }
    let io = |source| Error::io(path, "opening the heap", source);
    let file = disk.open(path, Mode::Read).map_err(io)?;
    let found = superblock::read(&*file, path)?;
    let superblock = found.superblock;
    let log_path = beside(path, "log");
    let log_io = |source| Error::io(&log_path, "reading the log", source);
    let (mut log_bytes, mut log_file) = (Vec::new(), None);
    if disk.exists(&log_path) {
        let opened = disk.open(&log_path, Mode::Read).map_err(log_io)?;
        log::check_head(&*opened, &log_path, superblock.uuid)?;
        let len = opened.len_bytes().map_err(log_io)? as usize;
        log_bytes = log::read_all(&*opened, len).map_err(log_io)?;
        log_file = Some(opened);
    } else if !superblock.clean {
        return Err(Error::LogMissing { path: log_path });
    }
    let scan = scan_log(&*file, path, &found, &log_bytes, Mutation::None)?;
    Ok(Files {
        file,
        log_file,
        superblock,
        log_bytes,
        records: scan.records,
        chain: scan.chain,
        end: scan.end,
        checkpoint: scan.checkpoint,
    })
}

impl Files {
    /// Whether the heap file may have changed since the superblock and the log were read.
    fn has_moved(&self, disk: &dyn Disk, path: &Path) -> bool {
        let same = superblock::read(&*self.file, path)
            .is_ok_and(|found| found.superblock == self.superblock);
        let begun = || -> std::io::Result<bool> {
            let Some(log_file) = &self.log_file else {
                return Ok(false);
            };
            let len = log_file.len_bytes()?.saturating_sub(self.end);
            let mut bytes = vec![0; len as usize];
            log_file.read_at(&mut bytes, self.end)?;
            Ok(log::is_checkpoint_marked(&bytes, self.chain))
        };
        let named = disk.is_named(&*self.file, path).unwrap_or(false);
        !same || !named || (!self.checkpoint && begun().unwrap_or(true))
    }
}

impl View {
    /// The state at the last commit of the heap at `path`.
    pub fn open(path: &Path) -> Result<View> {
        View::open_on(&RealDisk, path)
    }

    /// As `open`, on any disk.
    pub fn open_on(disk: &dyn Disk, path: &Path) -> Result<View> {
        let path = &resolve(disk, path)?;
        settled(disk, path, || View::read_state(disk, path))
    }

    fn read_state(disk: &dyn Disk, path: &Path) -> Result<View> {
        let files = read_files(disk, path)?;
        let Files {
            file, superblock, ..
        } = &files;
        let file_page = |page| read_page(&**file, path, page);
        let intact = !files.checkpoint;
        let extents = read_extents(path, superblock.heap_bytes, intact, file_page, |_, _, _| ())?;
        let mut image = Image::new(&**file, path, extents, false).verifying(intact);
        for record in &files.records {
            image.apply(&files.log_bytes[record.start..record.end])?;
        }
        let (extents, mut changed) = image.into_pages()?;
        let heap_bytes = extents
            .last()
            .map_or(PAGE_BYTES, |extent| extent.end() * PAGE_BYTES);
        let pages = heap_bytes / PAGE_BYTES;
        let mut view = View {
            path: path.to_owned(),
            file: file.clone(),
            superblock: *superblock,
            chain: files.chain,
            extents: Vec::new(),
            changed: Pages::default(),
            sums: vec![None; pages as usize],
            spans: Vec::new(),
            slots_before: Vec::new(),
            span_of_page: vec![NONE; pages as usize],
            cache: RefCell::new(vec![None; pages as usize]),
            cached_bytes: Cell::new(0),
            types: (0..FIRST_TYPE)
                .map(|index| Arc::new(TypeDesc::internal(index)))
                .collect(),
            newest: FxHashMap::default(),
            roots: Vec::new(),
            catalog: superblock.base + catalog_offset(path, &extents)?,
            sizes: FileSizes::default(),
            verify: true,
        };
        let mut kept = Vec::new();
        let read = |page| {
            changed
                .get(&page)
                .map_or_else(|| file_page(page), |bytes| Ok(bytes.to_vec()))
        };
        let mut wrong = None;
        view.extents = read_extents(path, heap_bytes, true, read, |extent, index, bytes| {
            kept.push((extent.first + index, bytes.to_vec().into_boxed_slice()));
            for (i, descriptor) in descriptors(bytes).enumerate() {
                let page = extent.first + index * DESCRIPTORS_PER_PAGE + i as u64;
                if page >= extent.end() {
                    break;
                }
                view.sums[page as usize] = descriptor.crc;
                if descriptor.kind != PAGE_SPAN || page < extent.data() {
                    continue;
                }
                if !descriptor.is_possible_span(extent, page)
                    || view.span_of_page[page as usize] != NONE
                {
                    wrong.get_or_insert(page);
                    continue;
                }
                let (first, last) = (page as usize, (page + descriptor.pages) as usize);
                view.span_of_page[first..last].fill(view.spans.len() as u32);
                let start = superblock.base + page * PAGE_BYTES;
                let bitmap = extent.bitmap(page);
                let span = Span::unloaded(start, descriptor.pages, descriptor.class, bitmap);
                view.spans.push(span);
            }
        })?;
        if let Some(page) = wrong {
            return Err(Error::damaged(path, page * PAGE_BYTES, "impossible span"));
        }
        let mut slots = 0;
        for span in &view.spans {
            view.slots_before.push(slots);
            slots += u64::from(span.slots);
        }
        changed.extend(kept);
        view.changed = changed;
        let log_file_bytes = match &files.log_file {
            Some(log_file) => log_file.len_bytes().unwrap_or(0),
            None => 0,
        };
        view.sizes = FileSizes {
            file_bytes: file.len_bytes().unwrap_or(heap_bytes),
            heap_bytes,
            span_bytes: view.spans.iter().map(Span::bytes).sum(),
            meta_bytes: PAGE_BYTES
                + view
                    .extents
                    .iter()
                    .map(|extent| (extent.data() - extent.first) * PAGE_BYTES)
                    .sum::<u64>(),
            log_file_bytes,
            log_bytes: files.end - crate::layout::LOG_START,
            records: files.records.len() as u64,
            extents: view.extents.len() as u64,
            spans: view.spans.len() as u64,
        };
        if files.has_moved(disk, path) {
            return Err(Error::Overtaken {
                path: path.to_owned(),
            });
        }
        view.read_catalog()?;
        Ok(view)
    }

    /// Pages read from now on may have been changed since, in bytes that the caller does not look at.
    pub(crate) fn without_verification(mut self) -> View {
        self.verify = false;
        self
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn base(&self) -> Addr {
        self.superblock.base
    }

    /// Number of the last record of the state.
    pub fn lsn(&self) -> Lsn {
        self.chain.next_lsn - 1
    }

    pub fn generation(&self) -> u64 {
        self.superblock.generation
    }

    /// Whether the heap was closed in order.
    pub fn is_clean(&self) -> bool {
        self.superblock.clean
    }

    /// Largest size that the heap can grow to.
    pub fn limit_bytes(&self) -> u64 {
        self.superblock.limit_bytes
    }

    pub fn sizes(&self) -> FileSizes {
        self.sizes
    }

    /// The heap's catalog object.
    pub fn catalog(&self) -> Addr {
        self.catalog
    }

    /// All types, the heap's own first, by index.
    pub fn types(&self) -> &[Arc<TypeDesc>] {
        &self.types
    }

    /// The newest type with a key.
    pub fn find_type(&self, key: u64) -> Option<u32> {
        self.newest.get(&key).copied()
    }

    /// All named roots, by name.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    fn damaged(&self, page: u64, what: impl Into<String>) -> Error {
        let moved = superblock::read(&*self.file, &self.path)
            .map_or(true, |found| found.superblock != self.superblock);
        if moved || is_in_use(&RealDisk, &self.path) {
            return Error::Overtaken {
                path: self.path.clone(),
            };
        }
        Error::damaged(&self.path, page * PAGE_BYTES, what)
    }

    /// A page from the file, with the checksum that it must have.
    pub(crate) fn page_of_file(&self, page: u64) -> Result<Vec<u8>> {
        let bytes = match read_page(&*self.file, &self.path, page) {
            Ok(bytes) => bytes,
            Err(_) if is_in_use(&RealDisk, &self.path) => {
                return Err(Error::Overtaken {
                    path: self.path.clone(),
                });
            }
            Err(error) => return Err(error),
        };
        if !self.verify || is_intact(&bytes, self.sums[page as usize]) {
            Ok(bytes)
        } else {
            Err(self.damaged(page, "wrong checksum of a page"))
        }
    }

    fn page(&self, page: u64) -> Result<Rc<[u8]>> {
        if let Some(bytes) = &self.cache.borrow()[page as usize] {
            return Ok(bytes.clone());
        }
        let bytes: Rc<[u8]> = match self.changed.get(&page) {
            Some(bytes) => Rc::from(&**bytes),
            None => Rc::from(self.page_of_file(page)?),
        };
        if self.cached_bytes.get() >= CACHE_BYTES {
            self.cache.borrow_mut().fill(None);
            self.cached_bytes.set(0);
        }
        self.cached_bytes.set(self.cached_bytes.get() + PAGE_BYTES);
        self.cache.borrow_mut()[page as usize] = Some(bytes.clone());
        Ok(bytes)
    }

    fn offset(&self, addr: Addr, len: u64) -> Result<u64> {
        let offset = addr.wrapping_sub(self.base());
        match offset.checked_add(len) {
            Some(end) if end <= self.sizes_heap_bytes() && offset >= PAGE_BYTES => Ok(offset),
            _ => Err(Error::damaged(
                &self.path,
                offset,
                "an address outside the heap",
            )),
        }
    }

    fn sizes_heap_bytes(&self) -> u64 {
        self.sums.len() as u64 * PAGE_BYTES
    }

    /// A word of the heap.
    pub fn word(&self, addr: Addr) -> Result<u64> {
        let offset = self.offset(addr, 8)?;
        if offset % PAGE_BYTES > PAGE_BYTES - 8 {
            let bytes = self.read(addr, 8)?;
            return Ok(get_u64(&bytes, 0));
        }
        let page = self.page(offset / PAGE_BYTES)?;
        Ok(get_u64(&page, (offset % PAGE_BYTES) as usize))
    }

    /// Bytes of the heap.
    pub fn read(&self, addr: Addr, len: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.append(addr, len, &mut bytes)?;
        Ok(bytes)
    }

    /// Appends bytes of the heap.
    pub fn append(&self, addr: Addr, len: u64, to: &mut Vec<u8>) -> Result<()> {
        if len == 0 {
            return Ok(());
        }
        let offset = self.offset(addr, len)?;
        to.reserve(len as usize);
        let (mut at, end) = (offset, offset + len);
        while at < end {
            let from = at % PAGE_BYTES;
            let until = (from + end - at).min(PAGE_BYTES);
            let page = self.page(at / PAGE_BYTES)?;
            to.extend_from_slice(&page[from as usize..until as usize]);
            at += until - from;
        }
        Ok(())
    }

    fn is_allocated(&self, span: &Span, slot: u32) -> Result<bool> {
        let at = self.base() + span.stored_bits() + u64::from(slot / 64) * 8;
        Ok(self.word(at)? & (1 << (slot % 64)) != 0)
    }

    fn object_at(&self, span: &Span, slot: u32) -> Result<ObjectRef> {
        let addr = span.object(slot);
        let header = self.word(addr - HEADER_BYTES)?;
        Ok(ObjectRef {
            addr,
            size_bytes: span.capacity(),
            type_index: header as u32,
            count: (header >> 32) as u32,
        })
    }

    fn span_at(&self, page: u64) -> Option<&Span> {
        let &id = self.span_of_page.get(page as usize)?;
        self.spans.get(id as usize)
    }

    /// The object that a word points into, or just past.
    pub fn find_object(&self, addr: Addr) -> Result<Option<ObjectRef>> {
        let page = addr.wrapping_sub(self.base()) / PAGE_BYTES;
        let Some(span) = self.span_at(page) else {
            return Ok(None);
        };
        match span.slot_of(addr) {
            Some(slot) if self.is_allocated(span, slot)? => Ok(Some(self.object_at(span, slot)?)),
            _ => Ok(None),
        }
    }

    /// Number of places for objects, used or not.
    pub fn slot_count(&self) -> u64 {
        let last = self.spans.last().zip(self.slots_before.last());
        last.map_or(0, |(span, before)| before + u64::from(span.slots))
    }

    /// Which of these places an object of this view has.
    pub fn slot_number(&self, object: &ObjectRef) -> u64 {
        let page = object.addr.wrapping_sub(self.base()) / PAGE_BYTES;
        let id = self.span_of_page[page as usize] as usize;
        let slot = self.spans[id].slot_of(object.addr).unwrap_or(0);
        self.slots_before[id] + u64::from(slot)
    }

    /// Bytes that the object's slot takes, header included.
    pub fn slot_bytes(&self, object: &ObjectRef) -> u64 {
        let page = object.addr.wrapping_sub(self.base()) / PAGE_BYTES;
        self.span_at(page).map_or(0, |span| span.slot_bytes)
    }

    /// Calls `visit` for every object, garbage included, in order of address.
    pub fn for_each_object(&self, mut visit: impl FnMut(ObjectRef) -> Result<()>) -> Result<()> {
        let mut spans: Vec<&Span> = self.spans.iter().collect();
        spans.sort_unstable_by_key(|span| span.start);
        for span in spans {
            for word in 0..span.words() {
                let at = self.base() + span.stored_bits() + word as u64 * 8;
                let mut bits = self.word(at)? & span.valid_bits(word);
                while bits != 0 {
                    let slot = word as u32 * 64 + bits.trailing_zeros();
                    bits &= bits - 1;
                    visit(self.object_at(span, slot)?)?;
                }
            }
        }
        Ok(())
    }

    /// The bytes that an object uses of its slot: its elements.
    pub fn contents(&self, object: &ObjectRef) -> Result<Vec<u8>> {
        self.read(object.addr, self.content_bytes(object))
    }

    /// Length of an object's elements.
    pub fn content_bytes(&self, object: &ObjectRef) -> u64 {
        let size = self
            .types
            .get(object.type_index as usize)
            .map_or(0, |desc| desc.size);
        size.saturating_mul(object.count.into())
            .min(object.size_bytes)
    }

    /// Calls `visit` with the place (from the object's start) and the value of each of its pointers that is not nil.
    pub fn for_each_pointer(
        &self,
        object: &ObjectRef,
        mut visit: impl FnMut(u64, Addr) -> Result<()>,
    ) -> Result<()> {
        let Some(desc) = self.types.get(object.type_index as usize) else {
            return Ok(());
        };
        if desc.pointers.is_empty() {
            return Ok(());
        }
        let count = u64::from(object.count).min(object.size_bytes / desc.size);
        for i in 0..count {
            for &slot in &desc.pointers {
                let mut at = i * desc.size + u64::from(slot.offset());
                if matches!(slot, PointerSlot::Iface(_)) {
                    let key = self.word(object.addr + at)?;
                    if key == 0 || key & 1 != 0 {
                        continue;
                    }
                    at += 8;
                }
                let word = self.word(object.addr + at)?;
                if word != 0 {
                    visit(at, word)?;
                }
            }
        }
        Ok(())
    }

    /// Checks every page against its checksum; `visit` hears of each that is wrong.
    pub fn verify(&self, mut progress: impl FnMut(u64), mut visit: impl FnMut(u64)) -> Result<()> {
        for page in 1..self.sums.len() as u64 {
            progress(page * PAGE_BYTES);
            if is_descriptors(&self.extents, page) || self.changed.contains_key(&page) {
                continue;
            }
            match self.page_of_file(page) {
                Ok(_) => {}
                Err(Error::Damaged { .. }) => visit(page * PAGE_BYTES),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read_catalog(&mut self) -> Result<()> {
        let catalog = self.catalog;
        let damaged = |what: &str| Err(Error::damaged(&self.path, catalog - self.base(), what));
        let is = |addr: Addr, type_index: u32, count: u64| -> Result<bool> {
            Ok(self.find_object(addr)?.is_some_and(|object| {
                object.addr == addr
                    && object.type_index == type_index
                    && u64::from(object.count) >= count
            }))
        };
        if !is(catalog, CATALOG_TYPE, 1)? {
            return damaged("the catalog is missing");
        }
        let (table, type_count) = (
            self.word(catalog + TYPES)?,
            self.word(catalog + TYPE_COUNT)?,
        );
        if type_count > 0 && !is(table, POINTERS_TYPE, type_count)? {
            return damaged("the type table is missing");
        }
        let mut types = self.types.clone();
        let mut newest = FxHashMap::default();
        for i in 0..type_count {
            let addr = self.word(table + i * 8)?;
            let Some(object) = self
                .find_object(addr)?
                .filter(|object| object.addr == addr && object.type_index == BYTES_TYPE)
            else {
                return damaged("a type description is missing");
            };
            let Some(desc) = TypeDesc::decode(&self.contents(&object)?) else {
                return damaged("a type description is unreadable");
            };
            newest.insert(desc.key, types.len() as u32);
            types.push(Arc::new(desc));
        }
        if TypeDesc::find_endless(types.iter().map(|desc| &**desc)).is_some() {
            return damaged(ENDLESS);
        }
        let (table, root_count) = (
            self.word(catalog + ROOTS)?,
            self.word(catalog + ROOT_COUNT)?,
        );
        if root_count > 0 && !is(table, ROOTS_TYPE, root_count)? {
            return damaged("the table of roots is missing");
        }
        let mut roots = Vec::new();
        for i in 0..root_count {
            let entry = table + i * ENTRY_BYTES;
            let (name, type_index) = (self.word(entry + NAME)?, self.word(entry + TYPE)?);
            let Some(name) = self
                .find_object(name)?
                .filter(|object| object.type_index == BYTES_TYPE)
            else {
                return damaged("a root is unreadable");
            };
            if type_index >= types.len() as u64 {
                return damaged("a root is unreadable");
            }
            roots.push(Root {
                name: String::from_utf8_lossy(&self.contents(&name)?).into_owned(),
                addr: self.word(entry + VALUE)?,
                type_index: type_index as u32,
            });
        }
        roots.sort_by(|a, b| a.name.cmp(&b.name));
        self.types = types;
        self.newest = newest;
        self.roots = roots;
        Ok(())
    }
}
