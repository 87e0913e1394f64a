//! The span allocator over one reserved address range, shared by the volatile and the persistent heap:
//! allocation, conservative object lookup, marking and sweeping. It knows no types and no file.
#![allow(unsafe_code)] // Writes headers and clears slots in the range it owns.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::Addr;
use crate::mapping::Mapping;
use crate::raw;
use crate::spans::{
    Bits, CLASS_OF, CLASS_PAGES, CLASSES, HEADER_BYTES, LARGE, MAX_SMALL_BYTES, PAGE_BYTES, Span,
    large_pages,
};
use crate::stored::{Chunks, holds_object};

const NONE: u32 = u32::MAX;
/// In `Space::pages`: the page belongs to a chunk of which no spans have been made.
const NOT_MADE: u32 = u32::MAX - 1;
/// What freed memory is filled with in debug builds.
const POISON: u8 = 0xdb;
/// Free runs of a volatile space at least this long are given back to the system by a sweep.
const DISCARD_BYTES: u64 = 1 << 20;

/// From here on a volatile space asks for huge pages: page faults cost more than allocation itself.
const HUGE_FROM_BYTES: u64 = 4 << 20;

/// An object found by an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectRef {
    /// First byte of the object (behind its header).
    pub addr: Addr,
    /// Bytes that the object's slot holds; at least what was asked for.
    pub size_bytes: u64,
    pub type_index: u32,
    pub count: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpaceStats {
    /// Bytes of slots that hold objects, headers included.
    pub used_bytes: u64,
    /// Bytes of pages in spans.
    pub span_bytes: u64,
    /// Bytes of slots handed out since the space was made.
    pub allocated_bytes: u64,
    pub spans: u64,
    /// Slots that hold objects, and objects that sweeps have freed; together, objects ever allocated.
    pub live_objects: u64,
    pub freed_objects: u64,
}

/// Where the next small object of a class comes from: the free slots of one bitmap word.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    free: u64,
    /// Address of the slot of the word's bit 0.
    addr: u64,
    slot_bytes: u64,
    span: u32,
    word: u32,
    dirty: bool,
}

const EMPTY: Cursor = Cursor {
    free: 0,
    addr: 0,
    slot_bytes: 0,
    span: NONE,
    word: 0,
    dirty: false,
};

/// What a collection does between its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    /// Reachable objects are being marked; new ones are marked from the start.
    Marking,
    Sweeping,
}

#[derive(Debug)]
pub struct Space {
    base: u64,
    limit_bytes: u64,
    cursors: [Cursor; CLASSES],
    spans: Vec<Span>,
    /// Span number of each page, `NONE` outside spans; as long as pages were used so far.
    pages: Vec<u32>,
    /// What is known of a reopened heap's spans that have not been made.
    pub(crate) chunks: Chunks,
    allocated_bytes: u64,
    /// `allocated_bytes` at the end of the last sweep.
    swept_at_bytes: u64,
    /// Bytes of slots that held objects when a reopened heap was opened (of whole spans as long as these are not loaded), and
    /// of slots that were freed.
    stored_bytes: u64,
    freed_bytes: u64,
    freed_objects: u64,
    phase: Phase,
    /// Number of sweeps begun, and the span at which the current one goes on.
    sweeps: u32,
    sweep_at: u32,
    free_span_ids: Vec<u32>,
    partial: [Vec<u32>; CLASSES],
    /// Free runs of pages: first page → (length, reads as zero).
    runs: BTreeMap<u64, (u64, bool)>,
    runs_by_len: BTreeSet<(u64, u64)>,
    bitmaps: usize,
    /// Spans with young objects.
    young: Vec<u32>,
    mapping: Mapping,
}

impl Space {
    /// A volatile space over `limit_bytes` of fresh address range (nothing is used until it is touched).
    pub fn anonymous(limit_bytes: u64) -> io::Result<Space> {
        let limit_bytes = limit_bytes.next_multiple_of(PAGE_BYTES);
        let mapping = Mapping::anonymous(limit_bytes)?;
        mapping.prefer_huge_pages(HUGE_FROM_BYTES);
        let mut space = Space::over(mapping, false);
        space.add_pages(0, limit_bytes / PAGE_BYTES);
        Ok(space)
    }

    /// A space over a reservation, without any page to allocate from yet.
    pub(crate) fn over(mapping: Mapping, persistent: bool) -> Space {
        Space {
            base: mapping.base(),
            limit_bytes: mapping.len_bytes(),
            cursors: [EMPTY; CLASSES],
            spans: Vec::new(),
            pages: Vec::new(),
            chunks: Chunks::default(),
            allocated_bytes: 0,
            swept_at_bytes: 0,
            stored_bytes: 0,
            freed_bytes: 0,
            freed_objects: 0,
            phase: Phase::Idle,
            sweeps: 0,
            sweep_at: 0,
            free_span_ids: Vec::new(),
            partial: [const { Vec::new() }; CLASSES],
            runs: BTreeMap::new(),
            runs_by_len: BTreeSet::new(),
            bitmaps: if persistent { 4 } else { 2 },
            young: Vec::new(),
            mapping,
        }
    }

    pub fn base(&self) -> Addr {
        self.base
    }

    /// End of the reserved range.
    pub fn end(&self) -> Addr {
        self.base + self.limit_bytes
    }

    pub(crate) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Whether an arbitrary word is an address in the reserved range.
    #[inline(always)]
    pub fn contains(&self, addr: Addr) -> bool {
        addr.wrapping_sub(self.base) < self.limit_bytes
    }

    /// Allocates `size_bytes` of zeroed memory, 8-aligned, behind a header of type index and element count.
    /// None when the range is full.
    #[inline]
    pub fn alloc(&mut self, type_index: u32, count: u32, size_bytes: usize) -> Option<Addr> {
        if size_bytes <= MAX_SMALL_BYTES {
            let class = CLASS_OF[size_bytes.div_ceil(8)] as usize;
            let cursor = &mut self.cursors[class];
            if cursor.free != 0 {
                let bit = cursor.free.trailing_zeros();
                cursor.free &= cursor.free - 1;
                let cursor = *cursor;
                let slot = cursor.addr + u64::from(bit) * cursor.slot_bytes;
                *self.spans[cursor.span as usize].word_mut(Bits::Alloc, cursor.word as usize) |=
                    1 << bit;
                self.allocated_bytes += cursor.slot_bytes;
                // SAFETY: the slot lies in a mapped span of this space and is free, so nothing refers to it.
                unsafe {
                    if cursor.dirty {
                        raw::zero_words(slot + HEADER_BYTES, cursor.slot_bytes - HEADER_BYTES);
                    }
                    raw::write_u64(slot, header(type_index, count));
                }
                return Some(slot + HEADER_BYTES);
            }
        }
        self.alloc_slow(type_index, count, size_bytes)
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, type_index: u32, count: u32, size_bytes: usize) -> Option<Addr> {
        if size_bytes <= MAX_SMALL_BYTES {
            let class = CLASS_OF[size_bytes.div_ceil(8)] as usize;
            return if self.refill(class) {
                self.alloc(type_index, count, size_bytes)
            } else {
                None
            };
        }
        let size = size_bytes as u64;
        if size > self.limit_bytes {
            return None;
        }
        let id = self.new_span(large_pages(size), LARGE)?;
        let is_marked = self.marks_new(id);
        let span = &mut self.spans[id as usize];
        span.set(Bits::Alloc, 0);
        if is_marked {
            span.set(Bits::Mark, 0);
        }
        let (addr, dirty) = (span.object(0), span.dirty);
        self.allocated_bytes += span.slot_bytes;
        // SAFETY: the span was cut from free pages of this space just now.
        unsafe {
            if dirty {
                raw::zero_words(addr, size.next_multiple_of(8));
            }
            raw::write_u64(addr - HEADER_BYTES, header(type_index, count));
        }
        Some(addr)
    }

    /// Makes the cursor of `class` point at free slots: of its span, of another span with free slots, of a new one.
    fn refill(&mut self, class: usize) -> bool {
        let mut cursor = self.cursors[class];
        let mut from = cursor.word as usize + 1;
        loop {
            if cursor.span != NONE {
                self.load(cursor.span);
                let is_marked = self.marks_new(cursor.span);
                let span = &mut self.spans[cursor.span as usize];
                for word in from..span.words() {
                    let free = !span.word(Bits::Alloc, word) & span.valid_bits(word);
                    if free != 0 {
                        if is_marked {
                            *span.word_mut(Bits::Mark, word) |= free;
                        }
                        self.cursors[class] = Cursor {
                            free,
                            addr: span.start + word as u64 * 64 * span.slot_bytes,
                            slot_bytes: span.slot_bytes,
                            span: cursor.span,
                            word: word as u32,
                            dirty: span.dirty,
                        };
                        return true;
                    }
                }
                self.cursors[class] = EMPTY;
            }
            from = 0;
            let mut partial = self.take_partial(class);
            if partial.is_none() && self.make_some() {
                partial = self.take_partial(class);
            }
            cursor.span = match partial {
                Some(id) => id,
                None => match self.new_span(CLASS_PAGES[class].into(), class as u8) {
                    Some(id) => id,
                    None => return false,
                },
            };
        }
    }

    /// A span of the class that may have free slots.
    fn take_partial(&mut self, class: usize) -> Option<u32> {
        loop {
            let id = self.partial[class].pop()?;
            let span = &mut self.spans[id as usize];
            // The entry may be of a span that is gone, whose number may be another one's now.
            if span.listed && usize::from(span.class) == class {
                span.listed = false;
                return Some(id);
            }
        }
    }

    /// Whether objects made in the span now must be marked, so that the collection under way does not free them.
    #[inline]
    fn marks_new(&self, id: u32) -> bool {
        match self.phase {
            Phase::Idle => false,
            Phase::Marking => true,
            Phase::Sweeping => self.spans[id as usize].swept != self.sweeps,
        }
    }

    fn new_span(&mut self, pages: u64, class: u8) -> Option<u32> {
        let (len, first) = loop {
            if let Some(&run) = self.runs_by_len.range((pages, 0)..).next() {
                break run;
            }
            if !self.make_some() {
                return None;
            }
        };
        self.runs_by_len.remove(&(len, first));
        let (_, zero) = self
            .runs
            .remove(&first)
            .expect("both indexes hold the same runs");
        if len > pages {
            self.insert_run(first + pages, len - pages, zero);
        }
        let span = Span::new(
            self.base + first * PAGE_BYTES,
            pages,
            class,
            !zero,
            self.bitmaps,
        );
        Some(self.insert_span(span))
    }

    fn insert_span(&mut self, mut span: Span) -> u32 {
        span.swept = self.sweeps;
        let first = ((span.start - self.base) / PAGE_BYTES) as usize;
        let end = first + span.pages as usize;
        let id = match self.free_span_ids.pop() {
            Some(id) => {
                self.spans[id as usize] = span;
                id
            }
            None => {
                self.spans.push(span);
                (self.spans.len() - 1) as u32
            }
        };
        if self.pages.len() < end {
            self.pages.resize(end, NONE);
        }
        self.pages[first..end].fill(id);
        id
    }

    /// Pages that belong to no span.
    pub(crate) fn no_span(&mut self, first: u64, pages: u64) {
        self.pages[first as usize..(first + pages) as usize].fill(NONE);
    }

    /// Takes over what the descriptors of a heap file tell.
    pub(crate) fn set_stored(&mut self, chunks: Chunks) {
        self.pages = vec![NOT_MADE; chunks.end().max(1) as usize];
        self.no_span(0, 1);
        for (first, end) in chunks.meta() {
            self.no_span(first, end - first);
        }
        // An upper bound, until the spans are loaded.
        self.stored_bytes = chunks.span_pages * PAGE_BYTES;
        self.chunks = chunks;
    }

    fn insert_run(&mut self, first: u64, len: u64, zero: bool) {
        self.runs.insert(first, (len, zero));
        self.runs_by_len.insert((len, first));
    }

    /// Adds pages that read as zero and belong to no span.
    pub(crate) fn add_pages(&mut self, first: u64, len: u64) {
        debug_assert!((first + len) * PAGE_BYTES <= self.limit_bytes);
        self.free_run(first, len, true);
    }

    /// Adds pages of unknown contents.
    pub(crate) fn add_used_pages(&mut self, first: u64, len: u64) {
        self.free_run(first, len, false);
    }

    /// Adds a span found in a heap file, whose allocation bitmap lies at `stored_bits`.
    pub(crate) fn add_stored_span(&mut self, first: u64, pages: u64, class: u8, stored_bits: u64) {
        let start = self.base + first * PAGE_BYTES;
        // A sweep under way is to come by here.
        let free_ids = std::mem::take(&mut self.free_span_ids);
        let id = self.insert_span(Span::unloaded(start, pages, class, stored_bits));
        self.free_span_ids = free_ids;
        if self.phase == Phase::Sweeping {
            self.spans[id as usize].swept = self.sweeps - 1;
        }
        if class != LARGE {
            self.spans[id as usize].listed = true;
            self.partial[class as usize].push(id);
        }
    }

    fn free_run(&mut self, mut first: u64, mut len: u64, zero: bool) {
        if let Some((&before, &(before_len, before_zero))) = self.runs.range(..first).next_back()
            && before + before_len == first
            && before_zero == zero
        {
            self.runs.remove(&before);
            self.runs_by_len.remove(&(before_len, before));
            first = before;
            len += before_len;
        }
        if let Some(&(after_len, after_zero)) = self.runs.get(&(first + len))
            && after_zero == zero
        {
            self.runs.remove(&(first + len));
            self.runs_by_len.remove(&(after_len, first + len));
            len += after_len;
        }
        self.insert_run(first, len, zero);
    }

    /// Reads the bitmap of a reopened heap's span, before something changes there.
    fn load(&mut self, id: u32) {
        let bitmaps = self.bitmaps;
        let span = &mut self.spans[id as usize];
        if !span.is_loaded() {
            let at = span.stored_bits();
            // SAFETY: the bitmap of a stored span lies in the mapped metadata of its extent.
            span.load(
                (0..span.words() as u64).map(|word| unsafe { raw::read_u64(at + word * 8) }),
                bitmaps,
            );
            let used = span.allocated_slots() * span.slot_bytes;
            self.stored_bytes -= span.bytes() - used;
        }
    }

    /// What `pages` says of an arbitrary word.
    #[inline]
    fn page_entry(&self, addr: Addr) -> u32 {
        if !self.contains(addr) {
            return NONE;
        }
        let page = ((addr - self.base) / PAGE_BYTES) as usize;
        self.pages.get(page).copied().unwrap_or(NONE)
    }

    /// Span number and slot of the object that an arbitrary word points into.
    #[inline]
    pub(crate) fn locate(&mut self, addr: Addr) -> Option<(u32, u32)> {
        if self.page_entry(addr) == NOT_MADE {
            self.make_page((addr - self.base) / PAGE_BYTES);
        }
        self.locate_made(addr)
    }

    /// As `locate`, among the spans that have been made.
    #[inline]
    fn locate_made(&self, addr: Addr) -> Option<(u32, u32)> {
        let id = self.page_entry(addr);
        if id >= NOT_MADE {
            return None;
        }
        let span = &self.spans[id as usize];
        let slot = span.slot_of(addr)?;
        holds_object(span, slot).then_some((id, slot))
    }

    /// The object that an arbitrary word points into, or just past; None if it is no such pointer.
    #[inline]
    pub fn find_object(&self, addr: Addr) -> Option<ObjectRef> {
        if self.page_entry(addr) == NOT_MADE {
            return self.find_stored(addr);
        }
        let (id, slot) = self.locate_made(addr)?;
        Some(self.object_at(id, slot))
    }

    #[inline]
    pub(crate) fn object_at(&self, id: u32, slot: u32) -> ObjectRef {
        object_in(&self.spans[id as usize], slot)
    }

    /// Marks the object that `addr` points into and returns it, if that is one and it was not marked before.
    #[inline]
    pub fn mark(&mut self, addr: Addr) -> Option<ObjectRef> {
        let (id, slot) = self.locate(addr)?;
        if !self.spans[id as usize].is_loaded() {
            self.load(id);
        }
        let word = self.spans[id as usize].word_mut(Bits::Mark, slot as usize / 64);
        let bit = 1 << (slot % 64);
        if *word & bit != 0 {
            return None;
        }
        *word |= bit;
        Some(self.object_at(id, slot))
    }

    /// Whether the object that `addr` points into is marked.
    pub fn is_marked(&self, addr: Addr) -> bool {
        self.test(Bits::Mark, addr)
    }

    fn test(&self, which: Bits, addr: Addr) -> bool {
        // Nothing is marked, fresh or young where no spans have been made.
        self.locate_made(addr).is_some_and(|(id, slot)| {
            let span = &self.spans[id as usize];
            span.is_loaded() && span.test(which, slot)
        })
    }

    pub fn clear_marks(&mut self) {
        for span in &mut self.spans {
            span.clear(Bits::Mark);
        }
    }

    /// Begins to mark: objects that are made from now on are marked.
    pub(crate) fn begin_marking(&mut self) {
        self.phase = Phase::Marking;
        for cursor in self.cursors.iter().filter(|cursor| cursor.free != 0) {
            let span = &mut self.spans[cursor.span as usize];
            *span.word_mut(Bits::Mark, cursor.word as usize) |= cursor.free;
        }
    }

    /// All that is reachable is marked: begins to free what is not.
    pub(crate) fn begin_sweep(&mut self) {
        self.phase = Phase::Sweeping;
        self.sweeps += 1;
        self.sweep_at = 0;
    }

    /// Frees every object that is not marked, reporting each, and clears the marks. Returns the bytes freed.
    pub fn sweep(&mut self, mut freed: impl FnMut(Addr)) -> u64 {
        let before = self.freed_bytes;
        self.begin_sweep();
        self.sweep_step(u64::MAX, |span, slot| freed(span.object(slot)), |_| true);
        self.freed_bytes - before
    }

    /// Sweeps spans of at least `pages` pages. Reports the span and slot of each freed object, and each span that becomes
    /// empty; if that one is answered by false, its pages stay out of use until `release`. True at the end of the sweep.
    pub(crate) fn sweep_step(
        &mut self,
        pages: u64,
        mut freed: impl FnMut(&Span, u32),
        mut gone: impl FnMut(&Span) -> bool,
    ) -> bool {
        let mut done = 0;
        while (self.sweep_at as usize) < self.spans.len() || self.make_some() {
            if self.sweep_at as usize == self.spans.len() {
                continue;
            }
            if done >= pages {
                return false;
            }
            let id = self.sweep_at;
            self.sweep_at += 1;
            let span = &self.spans[id as usize];
            done += 1;
            if span.pages != 0 && span.swept != self.sweeps {
                done += u64::from(span.pages);
                self.sweep_span(id, &mut freed, &mut gone);
            }
        }
        self.phase = Phase::Idle;
        self.swept_at_bytes = self.allocated_bytes;
        if self.bitmaps == 2 {
            self.discard_long_runs();
        }
        true
    }

    fn sweep_span(
        &mut self,
        id: u32,
        freed: &mut impl FnMut(&Span, u32),
        gone: &mut impl FnMut(&Span) -> bool,
    ) {
        self.load(id);
        let span = &mut self.spans[id as usize];
        span.swept = self.sweeps;
        let class = usize::from(span.class);
        // The rest of a word that is being allocated from is found again.
        if span.class != LARGE && self.cursors[class].span == id {
            self.cursors[class] = EMPTY;
        }
        let (mut live, mut dead_slots) = (0u64, 0u64);
        for word in 0..span.words() {
            let allocated = span.word(Bits::Alloc, word);
            // Slots that were marked ahead may not hold an object.
            let marked = span.word(Bits::Mark, word) & allocated;
            let mut dead = allocated & !marked;
            dead_slots += u64::from(dead.count_ones());
            live += u64::from(marked.count_ones());
            while dead != 0 {
                let slot = word as u32 * 64 + dead.trailing_zeros();
                dead &= dead - 1;
                freed(span, slot);
                if cfg!(debug_assertions) {
                    // SAFETY: the object was unreachable; its slot lies in a mapped span.
                    unsafe { raw::fill(span.object(slot), span.capacity(), POISON) };
                }
            }
            *span.word_mut(Bits::Alloc, word) = marked;
            *span.word_mut(Bits::Mark, word) = 0;
            if self.bitmaps > 2 {
                *span.word_mut(Bits::Fresh, word) &= marked;
                *span.word_mut(Bits::Young, word) &= marked;
            }
        }
        if dead_slots > 0 {
            span.dirty = true;
            self.freed_objects += dead_slots;
            self.freed_bytes += dead_slots * span.slot_bytes;
        }
        if live == 0 {
            let is_free = gone(span);
            self.dissolve(id, is_free);
        } else if span.class != LARGE && live < u64::from(span.slots) && !span.listed {
            span.listed = true;
            self.partial[class].push(id);
        }
    }

    /// Ends a span without objects; its pages are free then, or wait for `release`.
    fn dissolve(&mut self, id: u32, is_free: bool) {
        let span = &mut self.spans[id as usize];
        let (first, pages) = ((span.start - self.base) / PAGE_BYTES, u64::from(span.pages));
        span.pages = 0;
        span.listed = false;
        self.pages[first as usize..(first + pages) as usize].fill(NONE);
        self.free_span_ids.push(id);
        if is_free {
            self.free_run(first, pages, false);
        }
    }

    /// The pages of a span that is gone may be used again.
    pub(crate) fn release(&mut self, first: u64, pages: u64) {
        self.free_run(first, pages, false);
    }

    /// Gives the memory of long free runs back to the system.
    fn discard_long_runs(&mut self) {
        let long = |&(&first, &(len, zero)): &(&u64, &(u64, bool))| {
            (!zero && len * PAGE_BYTES >= DISCARD_BYTES).then_some((first, len))
        };
        let runs: Vec<_> = self.runs.iter().filter_map(|run| long(&run)).collect();
        for (first, len) in runs {
            if self
                .mapping
                .discard(self.base + first * PAGE_BYTES, len * PAGE_BYTES)
            {
                self.runs.remove(&first);
                self.runs_by_len.remove(&(len, first));
                self.free_run(first, len, true);
            }
        }
    }

    /// Calls `visit` for every object of the spans that have been made (see `make_all`).
    pub fn for_each_object(&self, mut visit: impl FnMut(ObjectRef)) {
        for span in self.spans() {
            for slot in (0..span.slots).filter(|&slot| holds_object(span, slot)) {
                visit(object_in(span, slot));
            }
        }
    }

    pub fn stats(&self) -> SpaceStats {
        let spans = self.spans.iter().filter(|span| span.pages != 0);
        SpaceStats {
            used_bytes: self.used_bytes(),
            span_bytes: spans.clone().map(Span::bytes).sum::<u64>()
                + self.chunks.span_pages * PAGE_BYTES,
            allocated_bytes: self.allocated_bytes,
            spans: spans.clone().count() as u64 + self.chunks.spans,
            live_objects: spans.map(Span::allocated_slots).sum(),
            freed_objects: self.freed_objects,
        }
    }

    /// As `SpaceStats::used_bytes`, without a look at every span.
    #[inline]
    pub fn used_bytes(&self) -> u64 {
        self.stored_bytes + self.allocated_bytes - self.freed_bytes
    }

    /// As `SpaceStats::allocated_bytes`.
    pub(crate) fn stats_allocated_bytes(&self) -> u64 {
        self.allocated_bytes
    }

    /// Whether no page of the range belongs to a span or waits for its release.
    pub(crate) fn is_free(&self, first: u64, len: u64) -> bool {
        let runs = self.runs.range(first..first + len);
        runs.map(|(_, &(len, _))| len).sum::<u64>() == len
    }

    /// Takes the free pages of a range out of use.
    pub(crate) fn remove_pages(&mut self, first: u64, len: u64) {
        let mut rest = self.runs.split_off(&first);
        self.runs.append(&mut rest.split_off(&(first + len)));
        for (first, (len, _)) in rest {
            self.runs_by_len.remove(&(len, first));
        }
    }

    /// Bytes of slots handed out since the end of the last sweep: what paces collections.
    #[inline]
    pub fn allocated_since_sweep_bytes(&self) -> u64 {
        self.allocated_bytes - self.swept_at_bytes
    }
}

/// What only the persistent heap needs: which objects no commit has published yet.
impl Space {
    pub(crate) fn span(&self, id: u32) -> &Span {
        &self.spans[id as usize]
    }

    pub(crate) fn span_mut(&mut self, id: u32) -> &mut Span {
        &mut self.spans[id as usize]
    }

    /// Remembers an object just allocated as fresh, and as young for the current transaction level.
    #[inline]
    pub(crate) fn set_fresh(&mut self, addr: Addr) {
        let page = ((addr - self.base) / PAGE_BYTES) as usize;
        let id = self.pages[page];
        let span = &mut self.spans[id as usize];
        let slot = span.slot_of(addr).expect("the address of an object");
        span.set(Bits::Fresh, slot);
        span.set(Bits::Young, slot);
        if !span.has_young {
            span.has_young = true;
            self.young.push(id);
        }
    }

    /// Whether the object that `addr` points into is in no committed state yet.
    #[inline]
    pub(crate) fn is_fresh(&self, addr: Addr) -> bool {
        self.test(Bits::Fresh, addr)
    }

    #[inline]
    pub(crate) fn is_fresh_slot(&self, id: u32, slot: u32) -> bool {
        let span = &self.spans[id as usize];
        span.is_loaded() && span.test(Bits::Fresh, slot)
    }

    pub(crate) fn span_at_page(&self, page: u64) -> Option<&Span> {
        let id = *self.pages.get(page as usize)?;
        (id < NOT_MADE).then(|| &self.spans[id as usize])
    }

    /// The spans that have been made (see `make_all`).
    pub(crate) fn spans(&self) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(|span| span.pages != 0)
    }

    /// Whether the object that `addr` points into was allocated at the current transaction level.
    #[inline]
    pub(crate) fn is_young(&self, addr: Addr) -> bool {
        !self.young.is_empty() && self.test(Bits::Young, addr)
    }

    /// Starts a new transaction level: no object is young any more.
    #[inline]
    pub(crate) fn forget_young(&mut self) {
        while let Some(id) = self.young.pop() {
            let span = &mut self.spans[id as usize];
            span.has_young = false;
            span.clear(Bits::Young);
        }
    }
}

/// The object in a slot of a span.
#[inline]
pub(crate) fn object_in(span: &Span, slot: u32) -> ObjectRef {
    let addr = span.object(slot);
    // SAFETY: the slot lies in a mapped span, and its header with it.
    let header = unsafe { raw::read_u64(addr - HEADER_BYTES) };
    ObjectRef {
        addr,
        size_bytes: span.capacity(),
        type_index: header as u32,
        count: (header >> 32) as u32,
    }
}

fn header(type_index: u32, count: u32) -> u64 {
    u64::from(type_index) | u64::from(count) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> Space {
        Space::anonymous(1 << 30).unwrap()
    }

    #[test]
    fn objects_are_zeroed_and_found_from_every_address_up_to_their_end() {
        let mut space = space();
        for size in [0usize, 1, 8, 9, 24, 128, 129, 1000, 16384, 16385, 100_000] {
            let pair = [
                space.alloc(7, 3, size).unwrap(),
                space.alloc(8, 4, size).unwrap(),
            ];
            for (addr, type_index) in pair.into_iter().zip([7, 8]) {
                assert_eq!(addr % 8, 0);
                for at in [addr, addr + size as u64 / 2, addr + size as u64] {
                    let object = space.find_object(at).unwrap();
                    assert_eq!((object.addr, object.type_index), (addr, type_index));
                    assert!(object.size_bytes >= size as u64);
                }
                // SAFETY: the object was allocated with this size and nothing writes to it.
                assert!(
                    unsafe { raw::bytes(addr, size as u64) }
                        .iter()
                        .all(|&byte| byte == 0)
                );
            }
        }
        for word in [
            0,
            1,
            42,
            space.base(),
            space.base() + 1,
            space.end() - 1,
            space.end(),
            u64::MAX,
        ] {
            assert_eq!(space.find_object(word), None);
        }
    }

    #[test]
    fn a_sweep_frees_what_is_unmarked_and_its_memory_is_zero_when_reused() {
        let mut space = space();
        for round in 0..3 {
            let mut kept = Vec::new();
            for i in 0..5000u64 {
                let size = (i * 37 % 3000) as usize * if i % 100 == 0 { 100 } else { 1 };
                let addr = space.alloc(round, 0, size).unwrap();
                // SAFETY: the object was allocated with this size.
                unsafe {
                    assert!(raw::bytes(addr, size as u64).iter().all(|&byte| byte == 0));
                    raw::fill(addr, size as u64, 0xff);
                }
                if i % 3 == 0 {
                    kept.push(addr);
                }
            }
            for &addr in &kept {
                assert!(space.mark(addr + 5).is_some());
                assert!(space.mark(addr).is_none());
            }
            let mut freed = 0;
            assert!(space.sweep(|_| freed += 1) > 0);
            assert!(freed >= 3333);
            let mut live = Vec::new();
            space.for_each_object(|object| live.push(object.addr));
            kept.sort();
            live.sort();
            assert_eq!(kept, live);
        }
    }

    #[test]
    fn a_full_range_gives_none_and_a_sweep_makes_room_again() {
        let mut space = Space::anonymous(1 << 20).unwrap();
        while space.alloc(0, 0, 5000).is_some() {}
        assert_eq!(space.alloc(0, 0, 1 << 40), None);
        space.sweep(|_| ());
        assert_eq!(space.stats().used_bytes, 0);
        assert!(space.alloc(0, 0, 900_000).is_some());
    }
}
