//! Which pages of the mapping are private copies, and how they are given back: what is in the heap file as well need
//! not be held in memory, so a heap may be larger than that.

use rustc_hash::FxHashSet;

use crate::Addr;
use crate::heap::{Heap, Mutation, Scratch, Store};
use crate::mapping::Mapping;
use crate::space::Space;
use crate::spans::{Bits, PAGE_BYTES};
use crate::txn::Range;

/// The pages that the program has stored to.
#[derive(Default)]
pub(crate) struct Pages {
    /// A bit for each page that a record since the last checkpoint changes, and how many there are.
    dirty: Vec<u64>,
    dirty_count: u64,
    /// Pages dirty at earlier checkpoints, since pages were given back.
    clean_count: u64,
    /// Bytes that had been allocated then.
    allocated_bytes: u64,
    /// Addresses of words that no record tells of.
    pinned: FxHashSet<u64>,
}

impl Pages {
    #[inline]
    fn mark(&mut self, offset: u64, len: u64) {
        let (first, last) = (offset / PAGE_BYTES, (offset + len.max(1) - 1) / PAGE_BYTES);
        if self.dirty.len() as u64 * 64 <= last {
            self.dirty.resize(last as usize / 64 + 64, 0);
        }
        for page in first..=last {
            let word = &mut self.dirty[page as usize / 64];
            let bit = 1 << (page % 64);
            self.dirty_count += u64::from(*word & bit == 0);
            *word |= bit;
        }
    }

    /// What records have changed up to now is in the heap file.
    pub fn checkpointed(&mut self) {
        self.clean_count += self.dirty_count;
        self.dirty_count = 0;
        self.dirty.fill(0);
    }

    pub fn dirty_bytes(&self) -> u64 {
        self.dirty_count * PAGE_BYTES
    }

    /// About how many bytes of private copies there are, beside the dirty ones.
    fn held_bytes(&self, space: &Space) -> u64 {
        let allocated = space.stats_allocated_bytes() - self.allocated_bytes;
        (self.clean_count * PAGE_BYTES).max(allocated)
    }
}

impl Scratch {
    /// The pages that the record changes become dirty.
    #[inline]
    pub fn mark_dirty(&self, space: &Space, pages: &mut Pages) {
        let base = space.base();
        for &(addr, words) in &self.changed {
            pages.mark(addr - base, words * 8);
        }
        for &(id, slot) in &self.published {
            let span = space.span(id);
            let offset = span.start - base + u64::from(slot) * span.slot_bytes;
            pages.mark(offset, span.slot_bytes);
        }
    }
}

impl Heap {
    /// The words from `addr` on have contents that no record tells of and that must stay as long as the heap is open.
    pub fn pin(&mut self, addr: Addr, words: u64) {
        let all = (0..words).map(|at| addr + at * 8);
        self.pages
            .pinned
            .extend(all.filter(|&addr| self.space.contains(addr)));
    }

    /// Whether two versions of the memory at `addr` are the same but for what is pinned.
    pub(crate) fn is_same(&self, addr: Addr, a: &[u8], b: &[u8]) -> bool {
        let mut words = (addr..).step_by(8).zip(a.chunks(8).zip(b.chunks(8)));
        a == b || words.all(|(at, (a, b))| a == b || self.pages.pinned.contains(&at))
    }

    /// Gives private pages back if they are more than the budget: all but those whose contents are not in the heap file.
    /// Called after a checkpoint, before another record is written.
    pub(crate) fn trim(&mut self) {
        let held = self.pages.held_bytes(&self.space);
        if held <= self.options.private_limit_bytes || self.read_only || self.store.is_none() {
            return;
        }
        let mut kept = self.kept_pages();
        let end = self.extents.last().map_or(1, |extent| extent.end());
        kept.push(end);
        let mut from = 1;
        for page in kept {
            if page > from
                && let Some(store) = &self.store
            {
                give_back(self.space.mapping(), store, from, page);
            }
            from = from.max(page + 1);
        }
        self.pages.clean_count = 0;
        self.pages.allocated_bytes = self.space.stats_allocated_bytes();
    }

    /// Pages whose contents are in memory only, in order.
    fn kept_pages(&self) -> Vec<u64> {
        let base = self.base();
        let pinned = self.pages.pinned.iter();
        let mut kept: Vec<u64> = pinned.map(|addr| (addr - base) / PAGE_BYTES).collect();
        let mut keep = |addr: Addr, len: u64| {
            let first = (addr - base) / PAGE_BYTES;
            kept.extend(first..=(addr - base + len - 1) / PAGE_BYTES);
        };
        if self.options.mutation != Mutation::StoredPagesDropped {
            self.txn
                .each_range(|range: Range| keep(range.addr(), range.words() * 8));
        }
        if self.options.mutation != Mutation::FreshPagesDropped {
            for span in self.space.spans().filter(|span| span.is_loaded()) {
                for word in 0..span.words() {
                    let mut fresh = span.word(Bits::Fresh, word);
                    while fresh != 0 {
                        let slot = word as u64 * 64 + u64::from(fresh.trailing_zeros());
                        fresh &= fresh - 1;
                        keep(span.start + slot * span.slot_bytes, span.slot_bytes);
                    }
                }
            }
        }
        if self.options.mutation != Mutation::DirtyPagesDropped {
            for (i, &word) in self.pages.dirty.iter().enumerate() {
                let mut bits = word;
                while bits != 0 {
                    keep(
                        base + (i as u64 * 64 + u64::from(bits.trailing_zeros())) * PAGE_BYTES,
                        1,
                    );
                    bits &= bits - 1;
                }
            }
        }
        kept.sort_unstable();
        kept
    }
}

/// The pages have the contents of the heap file again, and take no memory until they are used.
fn give_back(mapping: &Mapping, store: &Store, first: u64, end: u64) {
    let (offset, len) = (first * PAGE_BYTES, (end - first) * PAGE_BYTES);
    if store.file.fd().is_some() {
        mapping.discard(mapping.base() + offset, len);
        return;
    }
    // Where there is no real file, so that tests see what would be lost.
    let mut bytes = vec![0; len as usize];
    if store.file.read_at(&mut bytes, offset).is_ok() {
        mapping.copy_in(offset, &bytes);
    }
}
