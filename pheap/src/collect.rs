//! Collection: mark and sweep, in steps between which the program goes on. What is marked is what could be reached when
//! the collection began (a word is looked at before it is overwritten) and all that was made since. What is freed goes
//! into the next records, a bounded part into each.
#![allow(unsafe_code)] // Reads the pointers in objects.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Addr;
use crate::heap::{Heap, Mutation, Pending};
use crate::raw;
use crate::space::{ObjectRef, Space};
use crate::spans::{Bits, PAGE_BYTES};
use crate::types::{PointerSlot, TypeDesc};

/// What a collection did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collection {
    pub freed_bytes: u64,
    pub freed_objects: u64,
    /// Objects that were reachable when it began.
    pub live_objects: u64,
}

/// Reports the words that may refer to objects to its argument.
pub type ReportRoots<'a> = dyn FnMut(&mut dyn FnMut(u64)) + 'a;

/// What collections have done since the heap was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CollectionStats {
    /// Collections that have ended.
    pub cycles: u64,
    pub freed_bytes: u64,
    pub freed_objects: u64,
    /// Pauses of the program: those of at most `PAUSE_LIMITS_MICROS[i]`, and the longer ones.
    pub pauses: [u64; PAUSE_LIMITS_MICROS.len() + 1],
    pub longest_pause_micros: u64,
}

/// Upper limits of the classes of pauses.
pub const PAUSE_LIMITS_MICROS: [u64; 5] = [100, 500, 1000, 2000, 5000];

impl CollectionStats {
    /// Counts a pause of the program.
    pub fn count_pause(&mut self, pause: Duration) {
        let micros = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX);
        let class = PAUSE_LIMITS_MICROS.partition_point(|&limit| limit < micros);
        self.pauses[class] += 1;
        self.longest_pause_micros = self.longest_pause_micros.max(micros);
    }
}

/// How much a step does at the most.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// In units of 64 bytes of objects looked at.
    pub work: u64,
    /// Looked at from time to time.
    pub time: Duration,
}

impl Step {
    /// A step without end.
    pub const ALL: Step = Step {
        work: u64::MAX,
        time: Duration::MAX,
    };
}

/// Bytes of objects looked at by one unit of work.
const UNIT_BYTES: u64 = 64;
/// Bytes of an array that are looked at in one go.
const CHUNK_BYTES: u64 = 16 << 10;
/// Units of work between looks at the clock: each may fault a page in, which takes microseconds.
const CLOCK_UNITS: u64 = 64;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Idle,
    Marking,
    Sweeping,
}

/// The collection under way.
#[derive(Default)]
pub(crate) struct Collector {
    phase: Phase,
    /// Words that were roots when it began, not yet looked at.
    roots: Vec<u64>,
    /// Marked objects whose pointers are to be followed, from an element on.
    work: Vec<(ObjectRef, u64)>,
    current: Collection,
    pub stats: CollectionStats,
}

impl Collector {
    /// Whether what is overwritten must be marked before.
    #[inline(always)]
    pub fn is_marking(&self) -> bool {
        self.phase == Phase::Marking
    }

    /// Marks the object that a word refers to, if it does.
    #[inline]
    fn shade(&mut self, space: &mut Space, types: &[Arc<TypeDesc>], word: u64) {
        if space.contains(word)
            && let Some(object) = space.mark(word)
        {
            self.current.live_objects += 1;
            let desc = types.get(object.type_index as usize);
            if desc.is_some_and(|desc| !desc.pointers.is_empty()) {
                self.work.push((object, 0));
            }
        }
    }

    /// Follows the pointers of a part of an object; gives the work done.
    fn scan(
        &mut self,
        space: &mut Space,
        types: &[Arc<TypeDesc>],
        (object, from): (ObjectRef, u64),
    ) -> u64 {
        let desc = &types[object.type_index as usize];
        let count = element_count(object, desc);
        let end = count.min(from + (CHUNK_BYTES / desc.size).max(1));
        if end < count {
            self.work.push((object, end));
        }
        each_pointer_of(object, desc, from..end, |_, word| {
            self.shade(space, types, word);
        });
        1 + (end - from) * desc.size / UNIT_BYTES
    }
}

/// Collections in steps.
impl Heap {
    /// Whether a collection is under way.
    #[inline]
    pub fn is_collecting(&self) -> bool {
        self.collector.phase != Phase::Idle
    }

    /// Begins a collection, of all that cannot be reached from the named roots, from what an open transaction may
    /// restore, and from `roots`: every word outside the heap that may refer to its objects (pointers or not). From now on
    /// `log` and `note` must come before the store. One that is under way is finished first.
    pub fn start_collection(&mut self, roots: Vec<u64>) {
        self.finish_collection();
        // What was made before is not marked, so stores to it are looked at.
        self.space.forget_young();
        self.txn.begin_marking();
        if self.options.mutation != Mutation::UnmarkedNewObjects {
            self.space.begin_marking();
        }
        let collector = &mut self.collector;
        collector.current = Collection::default();
        collector.roots = roots;
        collector.roots.push(self.catalog);
        collector.phase = Phase::Marking;
    }

    /// Goes on with the collection under way; true if there is none or it has ended.
    pub fn step_collection(&mut self, step: Step) -> bool {
        let was_collecting = self.is_collecting();
        let start = Instant::now();
        let (mut left, mut look) = (step.work, CLOCK_UNITS);
        while self.is_collecting() {
            let done = self.some_work();
            if done >= left {
                break;
            }
            left -= done;
            look = look.saturating_sub(done);
            if look == 0 {
                if start.elapsed() >= step.time {
                    break;
                }
                look = CLOCK_UNITS;
            }
        }
        if was_collecting && !self.is_collecting() {
            self.check_sometimes();
        }
        !self.is_collecting()
    }

    /// Ends the collection under way.
    pub fn finish_collection(&mut self) {
        self.step_collection(Step::ALL);
    }

    /// A whole collection at once, with the roots that `extra_roots` reports to its argument.
    pub fn collect(&mut self, extra_roots: &mut ReportRoots<'_>) -> Collection {
        let mut roots = Vec::new();
        extra_roots(&mut |word| roots.push(word));
        self.start_collection(roots);
        self.finish_collection();
        self.collector.current
    }

    /// Counts a pause that collection has cost the program.
    pub fn count_pause(&mut self, pause: Duration) {
        self.collector.stats.count_pause(pause);
    }

    /// A small piece of the work; gives its units.
    fn some_work(&mut self) -> u64 {
        if self.collector.phase == Phase::Sweeping {
            return self.some_sweeping();
        }
        let Heap {
            collector,
            space,
            types,
            txn,
            ..
        } = self;
        if let Some(item) = collector.work.pop() {
            return collector.scan(space, types, item);
        }
        if let Some(word) = collector.roots.pop() {
            collector.shade(space, types, word);
            return 1;
        }
        if self.options.mutation != Mutation::UndoNotMarked
            && let Some((old, range)) = txn.next_root()
        {
            // A rollback writes to the object as well, so its memory must not be reused.
            for at in 0..range.words() {
                collector.shade(space, types, range.addr() + at * 8);
            }
            for &word in old {
                collector.shade(space, types, word);
            }
            return range.words();
        }
        space.begin_sweep();
        collector.phase = Phase::Sweeping;
        1
    }

    fn some_sweeping(&mut self) -> u64 {
        const PAGES: u64 = 4;
        let base = self.space.base();
        // Without records, pages are free at once.
        let has_records = self.store.is_some() && !self.read_only;
        let at_once = !has_records || self.options.mutation == Mutation::PagesReusedBeforeRecord;
        let Pending {
            freed_spans,
            freed_words,
            ..
        } = &mut self.pending;
        let current = &mut self.collector.current;
        let is_done = self.space.sweep_step(
            PAGES,
            |span, slot| {
                current.freed_objects += 1;
                current.freed_bytes += span.slot_bytes;
                if has_records && span.persisted && !span.test(Bits::Fresh, slot) {
                    let word = ((span.start - base) / PAGE_BYTES, slot / 64);
                    if freed_words.last() != Some(&word) {
                        freed_words.push(word);
                    }
                }
            },
            |span| {
                if !has_records || !span.persisted {
                    return true;
                }
                freed_spans.push(((span.start - base) / PAGE_BYTES, span.pages.into()));
                at_once
            },
        );
        if is_done {
            let collector = &mut self.collector;
            collector.phase = Phase::Idle;
            collector.stats.cycles += 1;
            collector.stats.freed_bytes += collector.current.freed_bytes;
            collector.stats.freed_objects += collector.current.freed_objects;
            // A deep graph must not hold memory for ever.
            collector.work.shrink_to(1 << 12);
            collector.roots = Vec::new();
        }
        PAGES * PAGE_BYTES / UNIT_BYTES / 8
    }
}

/// The barrier.
impl Heap {
    /// While marking, `word` is overwritten somewhere: what it refers to stays.
    #[cold]
    #[inline(never)]
    pub(crate) fn shade(&mut self, word: u64) {
        if self.options.mutation != Mutation::NoBarrier {
            self.collector.shade(&mut self.space, &self.types, word);
        }
    }

    /// As `shade`, of the words of a range of the heap.
    #[cold]
    #[inline(never)]
    pub(crate) fn shade_range(&mut self, addr: Addr, words: u64) {
        for at in 0..words {
            // SAFETY: the caller has checked that the range lies in the heap, which is mapped.
            let word = unsafe { raw::read_u64((addr & !7) + at * 8) };
            if self.space.contains(word) {
                self.shade(word);
            }
        }
    }

    /// Before the innermost level is rolled back.
    #[cold]
    pub(crate) fn shade_rollback(&mut self) {
        let mut words = Vec::new();
        self.txn.each_of_level(|old, range| {
            words.extend_from_slice(old);
            // SAFETY: the words were stored to, so they are mapped.
            let now = (0..range.words()).map(|at| unsafe { raw::read_u64(range.addr() + at * 8) });
            words.extend(now);
        });
        words.retain(|&word| self.space.contains(word));
        for word in words {
            self.shade(word);
        }
    }
}

impl Heap {
    /// Calls `visit` for each object that the named roots reach.
    pub(crate) fn for_each_reachable(&mut self, mut visit: impl FnMut(&Heap, ObjectRef)) {
        debug_assert!(!self.is_collecting(), "marks are in use");
        let mut marker = Collector::default();
        let Heap {
            space,
            types,
            catalog,
            ..
        } = &mut *self;
        marker.shade(space, types, *catalog);
        while let Some(item) = marker.work.pop() {
            marker.scan(space, types, item);
        }
        self.space.for_each_object(|object| {
            if self.space.is_marked(object.addr) {
                visit(self, object);
            }
        });
        self.space.clear_marks();
    }
}

/// Number of elements of an object, whatever its header says.
fn element_count(object: ObjectRef, desc: &TypeDesc) -> u64 {
    u64::from(object.count).min(object.size_bytes / desc.size.max(1))
}

/// Calls `visit` with the address and value of every non-nil pointer word of an object.
#[inline]
pub(crate) fn each_pointer(object: ObjectRef, desc: &TypeDesc, visit: impl FnMut(Addr, u64)) {
    if !desc.pointers.is_empty() {
        each_pointer_of(object, desc, 0..element_count(object, desc), visit);
    }
}

/// As `each_pointer`, of some elements.
#[inline]
fn each_pointer_of(
    object: ObjectRef,
    desc: &TypeDesc,
    elems: std::ops::Range<u64>,
    mut visit: impl FnMut(Addr, u64),
) {
    for i in elems {
        let elem = object.addr + i * desc.size;
        for &slot in &desc.pointers {
            let at = match slot {
                PointerSlot::Ptr(offset) => elem + u64::from(offset),
                PointerSlot::Iface(offset) => {
                    let at = elem + u64::from(offset);
                    // SAFETY: the description was validated, and the element lies in the object.
                    let key = unsafe { raw::read_u64(at) };
                    if key == 0 || key & 1 != 0 {
                        continue;
                    }
                    at + 8
                }
            };
            // SAFETY: as above.
            let word = unsafe { raw::read_u64(at) };
            if word != 0 {
                visit(at, word);
            }
        }
    }
}
