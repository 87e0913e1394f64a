//! The only glue to the persistent heap: opening it, types and roots, announcing stores, transactions, values that
//! enter it (LANGUAGE.md §2), deep copies, its collection.

mod deep;
mod enter;
mod migrate;
mod types;

use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lang::bytecode::program::{NO_TYPE, TypeIdx};
use pheap::{BYTES_TYPE, Checking, Durability, Heap, Options, PAUSE_LIMITS_MICROS, Step, TypeDesc};
use rustc_hash::FxHashMap;

use crate::Vm;
use crate::interp::{Fp, Pc};
use crate::map::{self, Layout, Part};
use crate::sched::durable::line;
use crate::world::Deed;
pub use migrate::HeapMigration;
pub(crate) use migrate::Migration;
use types::describe;

/// Which heap file a program uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeapChoice {
    /// Given by the user.
    File(PathBuf),
    /// The program's own; made on the first persistent use, with a line on standard error.
    Default(PathBuf),
    /// In memory only.
    Ephemeral,
    /// None: a persistent use is an error until `pmem.Open` names one.
    Unnamed,
}

/// Collect the persistent heap when at least this much was allocated since the last time.
const MIN_TRIGGER_BYTES: u64 = 64 << 20;
/// A collection under way goes on each time this much was allocated, by looking at four times as much, for so long.
const SLICE_BYTES: u64 = 64 << 10;
const SLICE: Step = Step {
    work: 4 * SLICE_BYTES / 64,
    time: Duration::from_millis(1),
};
/// At every allocation of a machine under stress.
const STRESS_SLICE: Step = Step {
    work: 20,
    time: Duration::from_millis(1),
};
const UNREGISTERED: u32 = u32::MAX;

/// The open heap and what the machine knows about it.
pub(crate) struct Store {
    heap: Heap,
    /// Heap type of each program type.
    types: Vec<u32>,
    entry_types: FxHashMap<TypeIdx, u32>,
    header_types: FxHashMap<TypeIdx, u32>,
    /// An object without bytes: where empty slices that are not nil point.
    empty: u64,
    /// Bytes allocated since the last collection at which the next begins, or the one under way goes on.
    trigger_bytes: u64,
    /// Where the heap's thread tells of its flushes; made when first needed.
    flush_line: Option<UnixStream>,
}

/// As `PAUSE_LIMITS_MICROS`.
const PAUSE_NAMES: [&str; PAUSE_LIMITS_MICROS.len() + 1] = [
    "gc_pauses_to_100us",
    "gc_pauses_to_500us",
    "gc_pauses_to_1ms",
    "gc_pauses_to_2ms",
    "gc_pauses_to_5ms",
    "gc_pauses_longer",
];

impl Store {
    #[inline]
    fn is_due(&self) -> bool {
        self.heap.allocated_since_collection_bytes() >= self.trigger_bytes
    }

    /// Sets when the collector is to be called next.
    fn pace(&mut self) {
        self.trigger_bytes = match self.heap.is_collecting() {
            true => self.heap.allocated_since_collection_bytes() + SLICE_BYTES,
            false => self.heap.used_bytes().max(MIN_TRIGGER_BYTES),
        };
    }

    /// Goes on with the collection under way. What the machine has at hand was reachable when that began, or is newer.
    #[cold]
    fn step(&mut self, step: Step) {
        let start = Instant::now();
        self.heap.step_collection(step);
        self.pace();
        self.heap.count_pause(start.elapsed());
    }

    #[inline(always)]
    pub fn log(&mut self, at: u64, len: u64) {
        if self.heap.contains(at) {
            self.heap.log(at, len as usize);
        }
    }
}

fn read_only(store: &Store) -> String {
    message(pheap::Error::ReadOnly {
        path: store.heap.path().to_owned(),
        what: "a store to persistent data",
    })
}

fn message(error: pheap::Error) -> String {
    error.to_string()
}

/// Numbers about the heap by name.
pub type Figures = Vec<(&'static str, u64)>;

/// Opening, closing, roots.
impl Vm {
    /// Opens the heap that the options choose, unless one is open; true if it was created now.
    pub(crate) fn open_heap(&mut self) -> Result<bool, String> {
        if let Some(store) = &self.store {
            return Ok(store.heap.is_new());
        }
        self.may_open()?;
        match self.options.heap.clone() {
            HeapChoice::File(path) => self.open_path(path, false),
            HeapChoice::Default(path) => self.open_path(path, true),
            HeapChoice::Ephemeral => {
                let heap = Heap::ephemeral(self.heap_options()).map_err(message)?;
                self.adopt(heap)
            }
            HeapChoice::Unnamed => {
                Err(self.unusable("no heap: give one with --heap FILE or pmem.Open".into()))
            }
        }
    }

    /// pmem.Open: the path counts only if the user gave none and no heap is open.
    pub(crate) fn open_heap_at(&mut self, path: &str) -> Result<bool, String> {
        if self.store.is_some()
            || matches!(
                self.options.heap,
                HeapChoice::File(_) | HeapChoice::Ephemeral
            )
        {
            return self.open_heap();
        }
        self.may_open()?;
        self.open_path(path.into(), false)
    }

    /// The heap cannot be used by this program: whatever it does about the error, it ends with this message.
    fn unusable(&mut self, text: String) -> String {
        self.heap_failure = Some(text.clone());
        text
    }

    fn policy(&self, policy: Durability) -> Durability {
        match &self.options.world {
            Some(world) => world.durability(policy),
            None => policy,
        }
    }

    fn heap_options(&self) -> Options {
        let mut options = Options {
            durability: self.policy(self.options.durability),
            ..Options::default()
        };
        if self.options.heap_check {
            options.checking = Checking::Always;
        }
        if self.options.world.is_some() {
            // Small files are copied quickly, and meet growth and checkpoints early.
            (options.initial_bytes, options.log_bytes) = (64 << 10, 16 << 10);
        }
        options
    }

    fn open_path(&mut self, path: PathBuf, announce: bool) -> Result<bool, String> {
        let options = self.heap_options();
        let opened = match &self.options.world {
            Some(world) => {
                Heap::open_on(world.disk.clone(), &path, options).and_then(|heap| heap.recover())
            }
            None if self.options.read_only => pheap::open_read_only(&path, options),
            None => Heap::open(&path, options).and_then(|heap| heap.recover()),
        };
        let heap = opened.map_err(|error| self.unusable(message(error)))?;
        if heap.is_new() && announce {
            self.write_stderr(&format!("pgo: created heap {}\n", path.display()));
        }
        self.adopt(heap)
    }

    fn adopt(&mut self, heap: Heap) -> Result<bool, String> {
        let is_new = heap.is_new();
        self.types.heap_range = (heap.base(), heap.end() - heap.base());
        let Some(mut heap) = self.migrate_on_open(heap)? else {
            return Err(String::new());
        };
        for _ in &self.g.txns {
            heap.begin();
        }
        self.install(heap)?;
        Ok(is_new)
    }

    /// The heap is the program's from now on.
    fn install(&mut self, mut heap: Heap) -> Result<(), String> {
        self.learn_types(&heap);
        let empty = heap.alloc(BYTES_TYPE, 0, 0).map_err(message)?;
        (self.pbase, self.plen) = self.types.heap_range;
        self.store = Some(Store {
            heap,
            types: Vec::new(),
            entry_types: FxHashMap::default(),
            header_types: FxHashMap::default(),
            empty,
            trigger_bytes: MIN_TRIGGER_BYTES,
            flush_line: None,
        });
        Ok(())
    }

    fn opened(&mut self) -> Result<&mut Store, String> {
        self.open_heap()?;
        self.store.as_mut().ok_or_else(|| "no heap is open".into())
    }

    /// Folds pending stores, syncs and closes the heap, if one is open.
    pub(crate) fn close_heap(&mut self) -> Result<(), String> {
        self.pbase = 0;
        self.plen = 0;
        self.pvar_addrs.fill(0);
        match self.store.take() {
            Some(store) => {
                if let Some(world) = &self.options.world {
                    world.witness.see(Deed::Commit, None);
                }
                if std::mem::take(&mut self.lost_store) {
                    return Err(read_only(&store));
                }
                store.heap.close().map_err(message)
            }
            None => Ok(()),
        }
    }

    /// Address of a root of this type; 0 if there is none. Another type is an error.
    pub(crate) fn find_root(&mut self, name: &str, ty: TypeIdx) -> Result<u64, String> {
        self.open_heap()?;
        let want = self.heap_type(ty)?;
        let store = self.opened()?;
        let Some((addr, found)) = store.heap.root(name) else {
            return Ok(0);
        };
        if found == want {
            return Ok(addr);
        }
        let name_of = |index| {
            store
                .heap
                .type_desc(index)
                .map_or_else(String::new, |desc| desc.name.clone())
        };
        let text = format!(
            "{}: root {name} has type {} in the heap, but {} in the program; use another name, or another heap",
            store.heap.path().display(),
            name_of(found),
            name_of(want)
        );
        Err(self.unusable(text))
    }

    pub(crate) fn find_root_of_pvar(&mut self, pvar: usize) -> Result<u64, String> {
        let pvar_desc = &self.types_ptr().program.pvars[pvar];
        let at = self.find_root(&pvar_desc.name, pvar_desc.ty)?;
        self.pvar_addrs[pvar] = at;
        Ok(at)
    }

    /// Makes a zeroed root.
    pub(crate) fn make_root(&mut self, name: &str, ty: TypeIdx) -> Result<u64, String> {
        let at = self.alloc_persistent(ty, 1)?;
        let index = self.heap_type(ty)?;
        self.opened()?
            .heap
            .set_root(name, at, index)
            .map_err(message)?;
        Ok(at)
    }

    pub(crate) fn root_names(&mut self) -> Result<Vec<String>, String> {
        let mut names: Vec<String> = self
            .opened()?
            .heap
            .roots()
            .into_iter()
            .map(|root| root.name)
            .collect();
        names.sort();
        Ok(names)
    }

    /// The roots of the heap, if one is open, and their types, by name.
    pub fn known_roots(&self) -> Vec<(String, String)> {
        let Some(store) = &self.store else {
            return Vec::new();
        };
        let mut roots: Vec<(String, String)> = store
            .heap
            .roots()
            .into_iter()
            .map(|root| {
                let desc = store.heap.type_desc(root.type_index);
                let ty = desc.map_or(String::new(), |desc| match desc.name.is_empty() {
                    true => format!("{:?}", desc.kind).to_lowercase(),
                    false => desc.name.clone(),
                });
                (root.name, ty)
            })
            .collect();
        roots.sort();
        roots
    }

    /// The heap's path and its figures by name; it is opened if it is not.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub fn heap_figures(&mut self) -> Result<(String, Figures), String> {
        let figures = self.open_heap().and_then(|_| self.heap_stats());
        // Nothing has run that would have to end because of it.
        self.heap_failure = None;
        let path = match &self.options.heap {
            HeapChoice::File(path) | HeapChoice::Default(path) => path.display().to_string(),
            HeapChoice::Ephemeral => "in memory".to_string(),
            HeapChoice::Unnamed => "opened by pmem.Open".to_string(),
        };
        Ok((path, figures?))
    }

    pub(crate) fn delete_root(&mut self, name: &str) -> Result<bool, String> {
        self.pvar_addrs.fill(0);
        Ok(self.opened()?.heap.delete_root(name))
    }

    /// Makes everything durable that was committed or stored up to now. Gives the record that the goroutine is to wait
    /// for, if others can run meanwhile.
    pub(crate) fn sync_heap(&mut self) -> Result<Option<u64>, String> {
        let shares = self.can_share_flush() && !self.in_txn();
        self.opened()?;
        self.tell(Deed::Commit);
        let heap = &mut self.opened()?.heap;
        if !shares {
            heap.sync().map_err(message)?;
            self.tell_committed();
            return Ok(None);
        }
        let lsn = heap.publish().map_err(message)?;
        Ok((!self.is_durable(lsn)?).then_some(lsn))
    }

    /// Whether a record is durable by now; an error if it will never be.
    pub(crate) fn is_durable(&self, lsn: u64) -> Result<bool, String> {
        match &self.store {
            Some(store) => store.heap.is_durable(lsn).map_err(message),
            None => Ok(true),
        }
    }

    /// Makes everything durable that is committed. A failure is told to those who wait, by `is_durable`.
    pub(crate) fn flush_heap(&mut self) {
        if let Some(store) = &mut self.store {
            let _ = store.heap.flush();
        }
    }

    /// As `flush_heap`, by the heap's thread: at once, or after a moment in which more may be committed.
    pub(crate) fn request_flush(&mut self, now: bool) {
        if let Some(store) = &mut self.store {
            store.heap.request_flush(now);
        }
    }

    /// Where the heap's thread tells of its flushes; None if there is no such line to be had.
    pub(crate) fn flush_line(&mut self) -> Option<&UnixStream> {
        let store = self.store.as_mut()?;
        if store.flush_line.is_none() {
            let (here, there) = line().ok()?;
            self.sched.events.watch(here.as_raw_fd()).ok()?;
            store.heap.on_flush(Box::new(move || {
                // A full line has been told already.
                let _ = (&there).write(&[0]);
            }));
            store.flush_line = Some(here);
        }
        store.flush_line.as_ref()
    }

    pub(crate) fn checkpoint_heap(&mut self) -> Result<(), String> {
        self.opened()?;
        self.tell(Deed::Commit);
        self.opened()?.heap.checkpoint().map_err(message)?;
        self.tell_committed();
        Ok(())
    }

    pub(crate) fn heap_stats(&mut self) -> Result<Figures, String> {
        let stats = self.opened()?.heap.stats();
        let gc = stats.collections;
        let mut all = vec![
            ("used_bytes", stats.space.used_bytes),
            ("allocated_bytes", stats.space.allocated_bytes),
            ("file_bytes", stats.file_bytes),
            ("log_bytes", stats.log_bytes),
            ("commits", stats.last_lsn),
            ("durable_commits", stats.durable_lsn),
            ("checkpoints", stats.checkpoints),
            ("types", stats.types),
            ("roots", stats.roots),
            ("gc_cycles", gc.cycles),
            ("gc_freed_bytes", gc.freed_bytes),
            ("gc_freed_objects", gc.freed_objects),
            ("gc_longest_pause_us", gc.longest_pause_micros),
        ];
        let names = PAUSE_NAMES.iter().copied();
        all.extend(names.zip(gc.pauses));
        Ok(all)
    }

    /// Collects both heaps, the volatile one first so that its garbage keeps nothing; bytes freed in the persistent one.
    pub(crate) fn collect_persistent(&mut self) -> Result<u64, String> {
        self.opened()?;
        let (pc, fp) = self.at;
        let top = self.frame_end(pc, fp);
        Ok(self.collect_persistent_heap((pc, self.slot_of(fp)), top))
    }

    /// Words outside the persistent heap that may refer into it.
    fn outside_references(&mut self, at: (Pc, usize), top: usize) -> Vec<u64> {
        let mut words = self.persistent_references(at, top);
        words.extend(self.migration.views());
        words.extend(self.store.as_ref().map(|store| store.empty));
        words
    }

    pub(crate) fn collect_persistent_heap(&mut self, at: (Pc, usize), top: usize) -> u64 {
        let words = self.outside_references(at, top);
        let Some(store) = &mut self.store else {
            return 0;
        };
        let done = store
            .heap
            .collect(&mut |visit| words.iter().for_each(|&word| visit(word)));
        store.pace();
        done.freed_bytes
    }

    /// At a safepoint, after a collection of the volatile heap: begins a collection if one is due.
    pub(crate) fn start_persistent_collection(&mut self, at: (Pc, usize), top: usize) {
        let is_due = self.store.as_ref().is_some_and(|store| {
            let stressed = self.options.gc_stress && self.heap.collections.is_multiple_of(2);
            !store.heap.is_collecting() && (store.is_due() || stressed)
        });
        if is_due {
            let start = Instant::now();
            let words = self.outside_references(at, top);
            if let Some(store) = &mut self.store {
                store.heap.start_collection(words);
                store.pace();
                store.heap.count_pause(start.elapsed());
            }
        }
    }
}

/// Transactions and stores.
impl Vm {
    /// Tells the witness what is committed now.
    pub(crate) fn tell_committed(&self) {
        if let Some(store) = self.store.as_ref().filter(|_| self.options.world.is_some()) {
            let stats = store.heap.stats();
            self.tell(Deed::Committed {
                lsn: stats.last_lsn,
                durable_lsn: stats.durable_lsn,
            });
        }
    }

    pub(crate) fn begin_txn(&mut self) {
        if let Some(store) = &mut self.store {
            store.heap.begin();
        }
    }

    /// Commits the innermost level; the outermost by its options (bit 0 sync, bit 1 async), else by the heap's policy.
    /// Gives the record that the goroutine is to wait for, if others can run meanwhile.
    pub(crate) fn commit_txn(&mut self, options: u16) -> Result<Option<u64>, String> {
        if self.is_migrating() {
            return self.commit_migration().map(|()| None);
        }
        let can_share = self.can_share_flush();
        let policy = self.policy(match options & 3 {
            0 => self.options.durability,
            options if options & 1 != 0 => Durability::Sync,
            _ => Durability::Async,
        });
        let Some(store) = &mut self.store else {
            return Ok(None);
        };
        let shares = can_share && policy == Durability::Sync && store.heap.depth() == 1;
        let policy = if shares { Durability::None } else { policy };
        match store.heap.commit_with(policy) {
            Ok(lsn) if shares => Ok((!self.is_durable(lsn)?).then_some(lsn)),
            Ok(_) => Ok(None),
            Err(error) => {
                self.pvar_addrs.fill(0);
                Err(message(error))
            }
        }
    }

    pub(crate) fn rollback_txn(&mut self) {
        self.pvar_addrs.fill(0);
        if let Some(store) = &mut self.store {
            // It fails only without an open transaction.
            let _ = store.heap.rollback();
        }
        self.give_up_migration();
    }

    /// Notes a store to persistent memory outside transactions; false if the heap is read-only.
    #[cold]
    #[inline(never)]
    pub(crate) fn note_store(&mut self, pc: Pc, fp: Fp, at: u64, len: u64) -> bool {
        if self.refuse_store(at).is_err() {
            return false;
        }
        self.mark_place(pc, fp);
        self.will_store(at, len);
        true
    }

    /// Why there may be no store outside transactions at an address; inside, the commit is refused.
    pub(crate) fn refuse_store(&self, at: u64) -> Result<(), String> {
        match &self.store {
            Some(store)
                if store.heap.is_read_only()
                    && store.heap.depth() == 0
                    && !store.heap.is_fresh(at) =>
            {
                Err(read_only(store))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn read_only_message(&self) -> String {
        self.store.as_ref().map_or_else(String::new, read_only)
    }

    /// The words from `at` on are no data: they are written without announcement, and lost when the heap is closed.
    pub(crate) fn will_store_state(&mut self, at: u64, words: u64) {
        if self.is_persistent(at)
            && let Some(store) = &mut self.store
        {
            store.heap.pin(at, words);
        }
    }

    /// Announces a store of `len` bytes at `at`, wherever that is.
    pub(crate) fn will_store(&mut self, at: u64, len: u64) {
        if len == 0 || !self.is_persistent(at) {
            return;
        }
        if self.options.read_only && self.refuse_store(at).is_err() {
            self.lost_store = true;
        }
        if let Some(store) = &mut self.store {
            if store.heap.depth() > 0 {
                store.heap.log(at, len as usize);
            } else {
                store.heap.note(at, len as usize);
                if self.options.world.is_some() && !store.heap.is_fresh(at) {
                    self.tell(Deed::Store);
                }
            }
        }
    }
}

/// Types and allocation.
impl Vm {
    /// The heap's index for a program type, registered with all types it refers to.
    fn heap_type(&mut self, ty: TypeIdx) -> Result<u32, String> {
        let types = self.types_ptr();
        if ty as usize >= types.rt.len() {
            let name = &types.desc(ty).name;
            return Err(format!(
                "value of type {name}, which the program does not name,"
            ));
        }
        let store = self.opened()?;
        if store.types.len() < types.rt.len() {
            store.types.resize(types.rt.len(), UNREGISTERED);
        }
        if store.types[ty as usize] == UNREGISTERED {
            let mut work = vec![ty];
            while let Some(ty) = work.pop() {
                if ty == NO_TYPE || store.types[ty as usize] != UNREGISTERED {
                    continue;
                }
                let desc = describe(types, ty);
                if let Some(old) = store.heap.find_type(desc.key)
                    && let Some(old) = store.heap.type_desc(old)
                    && **old != desc
                {
                    let text = migrate::redefined(&mut store.heap, &desc);
                    return Err(self.unusable(text));
                }
                store.types[ty as usize] = store.heap.register_type(desc).map_err(message)?;
                let program = types.desc(ty);
                work.extend([program.elem, program.map_key]);
                work.extend(program.fields.iter().map(|field| field.ty));
            }
        }
        Ok(store.types[ty as usize])
    }

    /// Zeroed persistent memory for `count` values of a type.
    pub(crate) fn alloc_persistent(&mut self, ty: TypeIdx, count: u64) -> Result<u64, String> {
        let index = match &self.store {
            Some(store)
                if store
                    .types
                    .get(ty as usize)
                    .is_some_and(|&index| index != UNREGISTERED) =>
            {
                store.types[ty as usize]
            }
            _ => self.heap_type(ty)?,
        };
        let size = self.types.rt(ty).size;
        let store = self.store.as_mut().ok_or("no heap is open")?;
        let count32 = u32::try_from(count)
            .map_err(|_| format!("an array of {count} elements is too large for a heap"))?;
        let at = store
            .heap
            .alloc(index, count32, (size * count) as usize)
            .map_err(message)?;
        self.note_allocation();
        Ok(at)
    }

    /// When enough was allocated, goes on with the collection under way, or lets the next safepoint begin one.
    #[inline]
    fn note_allocation(&mut self) {
        if let Some(store) = &mut self.store
            && (store.is_due() || self.options.gc_stress)
        {
            let mut slice = match self.options.gc_stress {
                true => STRESS_SLICE,
                false => SLICE,
            };
            if self.options.world.is_some() {
                // A run on a simulated disk is the same each time.
                slice.time = Duration::MAX;
            }
            match store.heap.is_collecting() {
                true => store.step(slice),
                false => self.request_collection(),
            }
        }
    }

    fn persistent_bytes(&mut self, bytes: &[u8]) -> Result<u64, String> {
        let at = self.opened()?.heap.alloc_bytes(bytes).map_err(message)?;
        self.note_allocation();
        Ok(at)
    }

    /// One of the objects that a map consists of.
    pub(crate) fn alloc_map_part(
        &mut self,
        layout: &Layout,
        part: Part,
        count: u64,
        persistent: bool,
    ) -> Result<u64, String> {
        if !persistent {
            let (gc, size) = match part {
                Part::Header => (layout.gc_header, map::HEADER_BYTES),
                Part::Entries => (layout.gc_entries, count * layout.stride),
                Part::Index => (crate::heap::NOSCAN, count * 4),
            };
            return self
                .try_alloc_volatile(gc, count, size)
                .ok_or_else(|| "out of memory".into());
        }
        let types = self.types_ptr();
        self.heap_type(layout.map_ty)?;
        let store = self.opened()?;
        let (index, size) = match part {
            Part::Header => {
                let index = match store.header_types.get(&layout.map_ty) {
                    Some(&index) => index,
                    None => {
                        let index = store
                            .heap
                            .register_type(TypeDesc::map_header(&describe(types, layout.map_ty)))
                            .map_err(message)?;
                        store.header_types.insert(layout.map_ty, index);
                        index
                    }
                };
                (index, map::HEADER_BYTES)
            }
            Part::Entries => {
                let index = match store.entry_types.get(&layout.map_ty) {
                    Some(&index) => index,
                    None => {
                        let index = store
                            .heap
                            .register_type(TypeDesc::map_entries(
                                &describe(types, layout.map_ty),
                                &describe(types, layout.key_ty),
                                &describe(types, layout.val_ty),
                            ))
                            .map_err(message)?;
                        store.entry_types.insert(layout.map_ty, index);
                        index
                    }
                };
                (index, count * layout.stride)
            }
            Part::Index => (BYTES_TYPE, count * 4),
        };
        let count = if part == Part::Index { size } else { count };
        let at = store
            .heap
            .alloc(index, count as u32, size as usize)
            .map_err(message)?;
        self.note_allocation();
        Ok(at)
    }
}
