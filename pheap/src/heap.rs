//! The heap in use: allocation, the store barriers of transactions, growth. Commit, checkpoint, collection, roots and
//! types are in modules of their own, as further methods.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Addr;
use crate::collect::{CollectionStats, Collector};
use crate::disk::DiskFile;
use crate::error::{Error, Result};
use crate::flusher::Flusher;
use crate::layout::Extent;
use crate::log::{Log, Lsn};
use crate::mapping::Mapping;
use crate::pages::Pages;
use crate::relocate::free_range;
use crate::roots::Roots;
use crate::space::{ObjectRef, Space, SpaceStats};
use crate::spans::{PAGE_BYTES, large_pages};
use crate::superblock::Superblock;
use crate::txn::{Range, Txn};
use crate::types::TypeDesc;

/// When a commit counts as done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// On stable storage before it returns.
    #[default]
    Sync,
    /// On stable storage within 10 ms.
    Async,
    /// Survives the death of the process, not that of the machine.
    None,
}

/// Errors built into the protocol on purpose, to show that the crash simulator finds them.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mutation {
    #[default]
    None,
    SuperblockBeforeHeapSync,
    LogReuseBeforeSuperblockSync,
    HeapWriteBeforeLogSync,
    NoChain,
    NoChecksum,
    AckBeforeSync,
    RetryFailedSync,
    NoReplay,
    FreshNotLogged,
    NoBarrier,
    UnmarkedNewObjects,
    UndoNotMarked,
    PagesReusedBeforeRecord,
    StoredPagesDropped,
    FreshPagesDropped,
    DirtyPagesDropped,
    TruncateBeforeSuperblockSync,
}

/// When a heap checks itself: after commits and collections. What is found wrong is a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checking {
    Never,
    /// Now and then, while the heap is small.
    Sometimes,
    /// Each time.
    Always,
}

/// Larger heaps are checked only if that is always wanted.
const CHECKED_SOMETIMES_BYTES: u64 = 1 << 20;

#[derive(Clone, Debug)]
pub struct Options {
    pub durability: Durability,
    /// Create the heap when there is none.
    pub create: bool,
    pub read_only: bool,
    /// Address at which a new heap is mapped; an existing one has its own.
    pub base: Addr,
    /// Address range reserved by a new heap: how large it can ever become.
    pub limit_bytes: u64,
    /// Size of a new heap file, about.
    pub initial_bytes: u64,
    /// Size of a new log.
    pub log_bytes: u64,
    /// The log is emptied by a checkpoint when it would grow beyond this.
    pub log_limit_bytes: u64,
    /// As well when so many bytes of pages were changed since the last one.
    pub dirty_limit_bytes: u64,
    /// Private copies of pages are given back, where the file has their contents, when they are about this many bytes.
    pub private_limit_bytes: u64,
    pub checking: Checking,
    /// Spans and words of bitmaps that a record may free: enough to keep up with collection, few enough to keep commits
    /// short.
    #[doc(hidden)]
    pub frees_per_record: usize,
    #[doc(hidden)]
    pub mutation: Mutation,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            durability: Durability::Sync,
            create: true,
            read_only: false,
            base: 0x4000_0000_0000,
            limit_bytes: 1 << 40,
            initial_bytes: 256 << 10,
            log_bytes: 256 << 10,
            log_limit_bytes: 64 << 20,
            dirty_limit_bytes: 64 << 20,
            private_limit_bytes: 256 << 20,
            checking: match cfg!(debug_assertions) {
                true => Checking::Sometimes,
                false => Checking::Never,
            },
            frees_per_record: 512,
            mutation: Mutation::None,
        }
    }
}

/// Largest extent that is made ahead of need.
const MAX_EXTENT_BYTES: u64 = 256 << 20;

/// The files of a heap that is not ephemeral.
pub(crate) struct Store {
    pub path: PathBuf,
    pub file: Arc<dyn DiskFile>,
    pub log: Log,
    pub flusher: Flusher,
    pub superblock: Superblock,
    /// Extents as of the last checkpoint.
    pub extents: Vec<Extent>,
}

/// Changes of the heap's structure that the next record must hold.
#[derive(Default)]
pub(crate) struct Pending {
    pub extents: Vec<Extent>,
    /// First page and length of spans that are gone. Their pages are used again when a record says so.
    pub freed_spans: Vec<(u64, u64)>,
    /// Bitmap words (first page of the span, word) in which objects were freed.
    pub freed_words: Vec<(u64, u32)>,
}

impl Pending {
    /// Whether objects were freed that no record says so of.
    pub fn has_freed(&self) -> bool {
        !self.freed_spans.is_empty() || !self.freed_words.is_empty()
    }
}

/// An open heap. Stores are made by the program itself, directly to memory, after `log` or `note`.
pub struct Heap {
    pub(crate) space: Space,
    pub(crate) txn: Txn,
    /// None for an ephemeral heap.
    pub(crate) store: Option<Store>,
    pub(crate) options: Options,
    pub(crate) extents: Vec<Extent>,
    pub(crate) pending: Pending,
    pub(crate) collector: Collector,
    pub(crate) pages: Pages,
    /// Occasions to check the heap so far.
    checks: u64,
    pub(crate) types: Vec<Arc<TypeDesc>>,
    pub(crate) roots: Roots,
    pub(crate) catalog: Addr,
    pub(crate) scratch: Scratch,
    pub(crate) read_only: bool,
    pub(crate) is_new: bool,
}

/// Buffers of commits, kept to save allocations.
#[derive(Default)]
pub(crate) struct Scratch {
    pub record: Vec<u8>,
    pub ranges: Vec<Range>,
    pub changed: Vec<(u64, u64)>,
    /// Objects published by the record: span number and slot.
    pub published: Vec<(u32, u32)>,
    /// Spans that the record makes.
    pub new_spans: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub space: SpaceStats,
    /// Bytes of the heap file.
    pub file_bytes: u64,
    /// Bytes of records in the log.
    pub log_bytes: u64,
    pub last_lsn: Lsn,
    pub durable_lsn: Lsn,
    pub checkpoints: u64,
    pub collections: CollectionStats,
    pub types: u64,
    pub roots: u64,
}

impl Heap {
    /// A heap in memory only, at `options.base` if that is free: transactions roll back, nothing is durable.
    pub fn ephemeral(options: Options) -> Result<Heap> {
        let path = PathBuf::from("(ephemeral heap)");
        let base = match reserve(&path, options.base, options.limit_bytes) {
            Err(Error::BaseTaken { .. }) => free_range(&path, options.limit_bytes)?,
            _ => options.base,
        };
        let mapping = reserve(&path, base, options.limit_bytes)?;
        let mut heap = Heap::over(Space::over(mapping, true), None, options);
        heap.is_new = true;
        heap.space
            .add_pages(1, heap.options.limit_bytes / PAGE_BYTES - 1);
        heap.make_catalog()?;
        Ok(heap)
    }

    pub(crate) fn over(space: Space, store: Option<Store>, options: Options) -> Heap {
        Heap {
            space,
            txn: Txn::new(),
            store,
            read_only: options.read_only,
            options,
            extents: Vec::new(),
            pending: Pending::default(),
            collector: Collector::default(),
            pages: Pages::default(),
            checks: 0,
            types: (0..crate::types::FIRST_TYPE)
                .map(|index| Arc::new(TypeDesc::internal(index)))
                .collect(),
            roots: Roots::default(),
            catalog: 0,
            scratch: Scratch::default(),
            is_new: false,
        }
    }

    /// Start of the heap's address range.
    #[inline(always)]
    pub fn base(&self) -> Addr {
        self.space.base()
    }

    /// End of the heap's address range: all that is reserved, used or not.
    #[inline(always)]
    pub fn end(&self) -> Addr {
        self.space.end()
    }

    /// Whether an arbitrary word is an address in the heap's range.
    #[inline(always)]
    pub fn contains(&self, addr: Addr) -> bool {
        self.space.contains(addr)
    }

    /// Whether the heap was created by this open.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    pub fn is_ephemeral(&self) -> bool {
        self.store.is_none()
    }

    pub fn path(&self) -> &Path {
        self.store
            .as_ref()
            .map_or(Path::new("(ephemeral heap)"), |store| &store.path)
    }

    /// The object that an arbitrary word points into (or just past), published or not.
    #[inline]
    pub fn find_object(&self, addr: Addr) -> Option<ObjectRef> {
        self.space.find_object(addr)
    }

    /// Allocates a zeroed object of `count` elements of the type, `size_bytes` in all. It is fresh: it is stored
    /// durably by the commit after which something durable refers to it, and needs no `log` until then.
    #[inline]
    pub fn alloc(&mut self, type_index: u32, count: u32, size_bytes: usize) -> Result<Addr> {
        debug_assert!(
            (type_index as usize) < self.types.len(),
            "unregistered type"
        );
        match self.space.alloc(type_index, count, size_bytes) {
            Some(addr) => {
                self.space.set_fresh(addr);
                Ok(addr)
            }
            None => self.alloc_growing(type_index, count, size_bytes),
        }
    }

    /// Allocates a zeroed array of `count` elements of the type.
    pub fn alloc_array(&mut self, type_index: u32, count: u64) -> Result<Addr> {
        let elem_bytes = self.types[type_index as usize].size;
        let too_large = Error::TooLarge { count, elem_bytes };
        match (
            u32::try_from(count),
            count
                .checked_mul(elem_bytes)
                .and_then(|size| usize::try_from(size).ok()),
        ) {
            (Ok(count), Some(size)) => self.alloc(type_index, count, size),
            _ => Err(too_large),
        }
    }

    #[cold]
    fn alloc_growing(&mut self, type_index: u32, count: u32, size_bytes: usize) -> Result<Addr> {
        let size = size_bytes as u64;
        if size > self.end() - self.base() {
            return Err(Error::TooLarge {
                count: count.into(),
                elem_bytes: size / u64::from(count.max(1)),
            });
        }
        self.grow(large_pages(size).max(16))?;
        let addr = self
            .space
            .alloc(type_index, count, size_bytes)
            .expect("the heap has grown enough");
        self.space.set_fresh(addr);
        Ok(addr)
    }

    /// Appends an extent with at least `data_pages` pages for spans: storage first, then the addresses.
    fn grow(&mut self, data_pages: u64) -> Result<()> {
        let Some(store) = &self.store else {
            return Err(Error::Full {
                path: self.path().to_owned(),
                limit_bytes: self.options.limit_bytes,
            });
        };
        let first = self.extents.last().map_or(1, |extent| extent.end());
        let limit_pages = self.space.mapping().len_bytes() / PAGE_BYTES;
        let needed = Extent::with_data(first, data_pages);
        // A quarter more each time: few extents, little waste.
        let ahead = (first * PAGE_BYTES / 4).min(MAX_EXTENT_BYTES) / PAGE_BYTES;
        let extent = Extent {
            first,
            pages: needed
                .pages
                .max(ahead)
                .min(limit_pages.saturating_sub(first)),
        };
        if extent.pages < needed.pages {
            return Err(Error::Full {
                path: store.path.clone(),
                limit_bytes: self.space.mapping().len_bytes(),
            });
        }
        if self.read_only {
            // Objects of a read-only heap live in private memory and are never written.
            self.add_extent(extent);
            return Ok(());
        }
        let io = |source| Error::io(&store.path, "growing the heap", source);
        store.flusher.check(&store.path)?;
        // What is left behind the heap's end, by an attempt or a shrinkage that was cut short, is not zero.
        if store.file.len_bytes().map_err(io)? > first * PAGE_BYTES {
            store.file.truncate(first * PAGE_BYTES).map_err(io)?;
        }
        store.file.allocate(extent.end() * PAGE_BYTES).map_err(io)?;
        store.write_tail(extent.end(), store.superblock.generation);
        if let Err(cause) = store.file.sync() {
            store.flusher.poison(cause);
            return store.flusher.check(&store.path);
        }
        if let Some(fd) = store.file.fd() {
            let (offset, len) = (first * PAGE_BYTES, extent.pages * PAGE_BYTES);
            self.space.mapping().map_file(fd, offset, len).map_err(io)?;
        }
        self.pending.extents.push(extent);
        self.add_extent(extent);
        Ok(())
    }

    fn add_extent(&mut self, extent: Extent) {
        self.space
            .add_pages(extent.data(), extent.end() - extent.data());
        self.extents.push(extent);
    }

    /// Begins a transaction; inside one, a savepoint.
    #[inline]
    pub fn begin(&mut self) {
        self.space.forget_young();
        self.txn.begin();
    }

    /// Number of open transaction levels.
    #[inline(always)]
    pub fn depth(&self) -> usize {
        self.txn.depth()
    }

    /// To be called in a transaction before a store to `len` bytes of the heap at `addr`.
    #[inline(always)]
    pub fn log(&mut self, addr: Addr, len: usize) {
        debug_assert!(self.depth() > 0, "a logged store outside transactions");
        if (addr & 7) as usize + len <= 8 {
            if self.txn.is_unsaved(addr) && !self.space.is_young(addr) {
                assert!(self.contains(addr), "range outside the heap");
                let old = self.txn.save_word(addr);
                if self.collector.is_marking() {
                    self.shade(old);
                }
            }
        } else {
            self.log_range(addr, len);
        }
    }

    #[inline(never)]
    fn log_range(&mut self, addr: Addr, len: usize) {
        if len == 0 || self.space.is_young(addr) {
            return;
        }
        let words = (addr & 7).wrapping_add(len as u64).div_ceil(8);
        assert!(
            words * 8 <= self.end() - (addr & !7),
            "range outside the heap"
        );
        if self.collector.is_marking() {
            self.shade_range(addr, words);
        }
        if words > 4 {
            self.txn.save(addr, words);
            return;
        }
        for word in 0..words {
            let addr = (addr & !7) + word * 8;
            if self.txn.is_unsaved(addr) {
                self.txn.save_word(addr);
            }
        }
    }

    /// To be called outside transactions before a store to `len` bytes of the heap at `addr`: it becomes durable with
    /// the next commit, in one piece with it.
    #[inline]
    pub fn note(&mut self, addr: Addr, len: usize) {
        let words = (addr & 7).wrapping_add(len as u64).div_ceil(8);
        assert!(
            self.contains(addr) && words * 8 <= self.end() - (addr & !7),
            "range outside the heap"
        );
        if self.collector.is_marking() {
            self.shade_range(addr, words);
        }
        if words > 0 && !self.is_fresh(addr) {
            self.txn.note(addr & !7, words);
        }
    }

    /// Whether the address is in an object that no commit has published.
    #[inline]
    pub fn is_fresh(&self, addr: Addr) -> bool {
        self.space.is_fresh(addr)
    }

    /// Rolls the innermost transaction level back.
    pub fn rollback(&mut self) -> Result<()> {
        if self.depth() == 0 {
            return Err(Error::NoTxn);
        }
        if self.collector.is_marking() {
            self.shade_rollback();
        }
        self.txn.rollback();
        self.reload_roots();
        Ok(())
    }

    pub fn stats(&self) -> Stats {
        let mut stats = Stats {
            space: self.space.stats(),
            types: self.types.len() as u64,
            roots: self.roots.len() as u64,
            collections: self.collector.stats,
            ..Stats::default()
        };
        if let Some(store) = &self.store {
            stats.file_bytes = self
                .extents
                .last()
                .map_or(PAGE_BYTES, |extent| extent.end() * PAGE_BYTES);
            stats.log_bytes = store.log.used_bytes();
            stats.last_lsn = store.log.chain.next_lsn - 1;
            stats.durable_lsn = store.flusher.durable_lsn();
            stats.checkpoints = store.superblock.generation;
        }
        stats
    }

    /// After a commit or a collection: checks the heap, if that is wanted.
    #[inline]
    pub(crate) fn check_sometimes(&mut self) {
        if self.options.checking != Checking::Never {
            self.check_or_panic();
        }
    }

    #[cold]
    fn check_or_panic(&mut self) {
        self.checks += 1;
        let end = self.extents.last().map_or(0, |extent| extent.end());
        let due = self.checks.is_power_of_two() || self.checks.is_multiple_of(64);
        let small = end * PAGE_BYTES <= CHECKED_SOMETIMES_BYTES;
        if self.options.checking == Checking::Always || (due && small && self.store.is_some()) {
            // A heap that cannot be read is told by what needs to read it.
            let problems = self
                .check_now()
                .map_or_else(|_| Vec::new(), |report| report.problems);
            let path = self.path().display();
            assert!(
                problems.is_empty(),
                "{path}: the heap is damaged: {problems:?}"
            );
        }
    }

    /// As `SpaceStats::used_bytes`, without a look at every span.
    #[inline]
    pub fn used_bytes(&self) -> u64 {
        self.space.used_bytes()
    }

    /// Bytes allocated since the last collection: what paces collections.
    #[inline]
    pub fn allocated_since_collection_bytes(&self) -> u64 {
        self.space.allocated_since_sweep_bytes()
    }

    /// Commits what is pending outside transactions, makes all durable and empties the log.
    /// An open transaction is rolled back first.
    pub fn close(mut self) -> Result<()> {
        while self.depth() > 0 {
            self.rollback()?;
        }
        if self.read_only || self.store.is_none() {
            return Ok(());
        }
        self.publish_all()?;
        self.empty_log(true)?;
        match &mut self.store {
            Some(store) => {
                store.log.wipe()?;
                store.shrink_log(&self.options, false)
            }
            None => Ok(()),
        }
    }
}

pub(crate) fn reserve(path: &Path, base: Addr, limit_bytes: u64) -> Result<Mapping> {
    Mapping::anonymous_at(base, limit_bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Error::BaseTaken {
            path: path.to_owned(),
            base,
        },
        _ => Error::io(path, "reserving the address range", error),
    })
}
