//! Transactions in memory: the undo list, the levels of nesting, and the ranges that the next record must hold.
#![allow(unsafe_code)] // Saves and restores words of the heap.

use rustc_hash::FxHashMap;

use crate::raw;

const FILTER_WORDS: usize = 4096;
/// Longer ranges are saved in pieces.
const MAX_RANGE_WORDS: u64 = 0xffff;
/// Filter entries carry the epoch above the 44 bits of a word number.
const EPOCH_SHIFT: u32 = 44;
const MAX_EPOCH: u64 = (1 << (64 - EPOCH_SHIFT)) - 1;

/// A range of words: number of the first word in the address space << 16 | number of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Range(pub u64);

impl Range {
    #[inline(always)]
    pub fn addr(self) -> u64 {
        self.0 >> 16 << 3
    }

    #[inline(always)]
    pub fn words(self) -> u64 {
        self.0 & MAX_RANGE_WORDS
    }
}

/// Drops repeats of words recently seen: direct-mapped, forgotten at once by a new epoch.
struct Filter {
    words: Box<[u64; FILTER_WORDS]>,
    epoch: u64,
}

impl Filter {
    fn new() -> Filter {
        Filter {
            words: Box::new([0; FILTER_WORDS]),
            epoch: 1,
        }
    }

    /// Whether the word was not seen in this epoch, as far as the filter remembers.
    #[inline(always)]
    fn is_new(&mut self, word: u64) -> bool {
        let tag = word | self.epoch << EPOCH_SHIFT;
        let entry = &mut self.words[word as usize % FILTER_WORDS];
        if *entry == tag {
            return false;
        }
        *entry = tag;
        true
    }

    #[inline]
    fn forget(&mut self) {
        if self.epoch == MAX_EPOCH {
            self.words.fill(0);
            self.epoch = 0;
        }
        self.epoch += 1;
    }
}

pub(crate) struct Txn {
    /// Entries, oldest first: the old words, then their range.
    undo: Vec<u64>,
    /// Length of `undo` at the begin of each open level.
    levels: Vec<usize>,
    filter: Filter,
    /// Ranges stored to outside transactions since the last record.
    noted: Vec<Range>,
    note_filter: Filter,
    /// Entries before this place are still to be given to the collector.
    roots_end: usize,
    /// Lengths of `undo` and `noted` at which repeats that got through the filters are to be removed.
    compact_undo_at: usize,
    compact_noted_at: usize,
}

/// Lists shorter than this (128 MiB of undo, 32 MiB of notes) are not worth compacting.
const COMPACT_UNDO_MIN: usize = 1 << 24;
const COMPACT_NOTED_MIN: usize = 1 << 22;

impl Txn {
    pub fn new() -> Txn {
        let (undo, levels, noted) = (Vec::new(), Vec::new(), Vec::new());
        Txn {
            undo,
            levels,
            filter: Filter::new(),
            noted,
            note_filter: Filter::new(),
            roots_end: 0,
            compact_undo_at: COMPACT_UNDO_MIN,
            compact_noted_at: COMPACT_NOTED_MIN,
        }
    }

    #[inline(always)]
    pub fn depth(&self) -> usize {
        self.levels.len()
    }

    #[inline]
    pub fn begin(&mut self) {
        self.levels.push(self.undo.len());
        self.filter.forget();
    }

    /// Whether the word at `addr` has no undo entry at this level yet; it counts as saved from now on.
    #[inline(always)]
    pub fn is_unsaved(&mut self, addr: u64) -> bool {
        self.filter.is_new(addr >> 3)
    }

    /// Saves one word, and gives it.
    #[inline(always)]
    pub fn save_word(&mut self, addr: u64) -> u64 {
        // SAFETY: the heap has checked that the word lies in its mapped range.
        let old = unsafe { raw::read_u64(addr & !7) };
        self.undo.extend_from_slice(&[old, addr >> 3 << 16 | 1]);
        if self.undo.len() >= self.compact_undo_at {
            self.compact_undo();
        }
        old
    }

    /// Keeps of each word saved at the innermost level the oldest value.
    #[cold]
    fn compact_undo(&mut self) {
        let from = self.levels.last().copied().unwrap_or(0);
        let mut oldest = FxHashMap::default();
        Txn::each_entry(&self.undo, from, |old, range| {
            let words = (range.addr() >> 3..).zip(old);
            oldest.extend(words.map(|(word, &value)| (word, value)));
        });
        let mut words: Vec<(u64, u64)> = oldest.into_iter().collect();
        words.sort_unstable();
        self.undo.truncate(from);
        let mut at = 0;
        while at < words.len() {
            let first = words[at].0;
            let run = words[at..]
                .iter()
                .zip(first..)
                .take(MAX_RANGE_WORDS as usize);
            let n = run.take_while(|&(&(word, _), next)| word == next).count();
            self.undo
                .extend(words[at..at + n].iter().map(|&(_, value)| value));
            self.undo.push(first << 16 | n as u64);
            at += n;
        }
        if self.roots_end > from {
            self.roots_end = self.undo.len();
        }
        self.compact_undo_at = COMPACT_UNDO_MIN.max(self.undo.len() * 2);
    }

    #[cold]
    fn compact_noted(&mut self) {
        self.noted.sort_unstable();
        self.noted.dedup();
        self.compact_noted_at = COMPACT_NOTED_MIN.max(self.noted.len() * 2);
    }

    /// Saves `words` words from the word at `addr` on.
    pub fn save(&mut self, addr: u64, words: u64) {
        let (mut word, end) = (addr >> 3, (addr >> 3) + words);
        while word < end {
            let n = (end - word).min(MAX_RANGE_WORDS);
            for at in word..word + n {
                // SAFETY: the heap has checked that the range lies in its mapped range.
                self.undo.push(unsafe { raw::read_u64(at << 3) });
            }
            self.undo.push(word << 16 | n);
            word += n;
        }
        if self.undo.len() >= self.compact_undo_at {
            self.compact_undo();
        }
    }

    /// Notes a range that was stored to outside transactions.
    #[inline]
    pub fn note(&mut self, addr: u64, words: u64) {
        let (mut word, end) = (addr >> 3, (addr >> 3) + words);
        if words == 1 && !self.note_filter.is_new(word) {
            return;
        }
        while word < end {
            let n = (end - word).min(MAX_RANGE_WORDS);
            self.noted.push(Range(word << 16 | n));
            word += n;
        }
        if self.noted.len() >= self.compact_noted_at {
            self.compact_noted();
        }
    }

    pub fn has_changes(&self) -> bool {
        !self.undo.is_empty() || !self.noted.is_empty()
    }

    /// Whether an open transaction has logged a store.
    pub fn has_saved(&self) -> bool {
        !self.undo.is_empty()
    }

    /// Calls `visit` for the entries from the newest back to position `from`: old words and range.
    fn each_entry(undo: &[u64], from: usize, mut visit: impl FnMut(&[u64], Range)) {
        let mut at = undo.len();
        while at > from {
            let range = Range(undo[at - 1]);
            let start = at - 1 - range.words() as usize;
            visit(&undo[start..at - 1], range);
            at = start;
        }
    }

    /// A collection begins: what is saved by now is among its roots, and every word is saved again before it is stored to
    /// for the first time from now on.
    pub fn begin_marking(&mut self) {
        self.roots_end = self.undo.len();
        self.filter.forget();
    }

    /// Gives the next entry that is a root of the collection, if there is one left: old words and range.
    pub fn next_root(&mut self) -> Option<(&[u64], Range)> {
        let at = self.roots_end.checked_sub(1)?;
        let range = Range(self.undo[at]);
        self.roots_end = at - range.words() as usize;
        Some((&self.undo[self.roots_end..at], range))
    }

    /// Every range saved or noted.
    pub fn each_range(&self, mut visit: impl FnMut(Range)) {
        Txn::each_entry(&self.undo, 0, |_, range| visit(range));
        self.noted.iter().for_each(|&range| visit(range));
    }

    /// The ranges saved at the innermost level, and their old words.
    pub fn each_of_level(&self, visit: impl FnMut(&[u64], Range)) {
        let from = self.levels.last().copied().unwrap_or(0);
        Txn::each_entry(&self.undo, from, visit);
    }

    /// All changed ranges, sorted and without repeats or overlaps, as (address, words).
    #[inline]
    pub fn changed(&self, scratch: &mut Vec<Range>, out: &mut Vec<(u64, u64)>) {
        scratch.clear();
        out.clear();
        scratch.extend_from_slice(&self.noted);
        Txn::each_entry(&self.undo, 0, |_, range| scratch.push(range));
        if scratch.len() > 1 {
            scratch.sort_unstable();
        }
        for range in scratch.iter() {
            let (addr, words) = (range.addr(), range.words());
            match out.last_mut() {
                Some((last, last_words)) if *last + *last_words * 8 >= addr => {
                    *last_words = (*last_words).max((addr - *last) / 8 + words);
                }
                _ => out.push((addr, words)),
            }
        }
    }

    /// Ends the innermost level, its changes becoming the next outer one's.
    pub fn merge(&mut self) {
        self.levels.pop();
    }

    /// The outermost level is committed: forgets all changes.
    #[inline]
    pub fn finish(&mut self) {
        self.levels.clear();
        self.undo.clear();
        self.roots_end = 0;
        self.forget_notes();
        // A giant transaction must not hold its memory for ever.
        if self.undo.capacity() > 1 << 20 {
            self.undo.shrink_to(1 << 16);
        }
        self.compact_undo_at = COMPACT_UNDO_MIN;
    }

    /// The noted ranges are in a record.
    #[inline]
    pub fn forget_notes(&mut self) {
        if !self.noted.is_empty() {
            self.noted.clear();
            self.compact_noted_at = COMPACT_NOTED_MIN;
            self.note_filter.forget();
        }
    }

    /// Restores what the innermost level changed and ends it.
    pub fn rollback(&mut self) {
        let from = self
            .levels
            .pop()
            .expect("the heap has checked that a level is open");
        Txn::each_entry(&self.undo, from, |old, range| {
            for (i, &word) in old.iter().enumerate() {
                // SAFETY: the words were read from these addresses, which stay mapped.
                unsafe { raw::write_u64(range.addr() + i as u64 * 8, word) };
            }
        });
        self.undo.truncate(from);
        self.roots_end = self.roots_end.min(from);
        self.filter.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compacting_changes_neither_what_is_restored_nor_what_is_written() {
        let mut memory: Vec<u64> = (0..3000).collect();
        let base = memory.as_mut_ptr() as u64;
        let mut random = 1u64;
        let mut next = |n: u64| {
            random = random
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (random >> 33) % n
        };
        for round in 0..50 {
            let mut txn = Txn::new();
            let mut saved = Vec::new();
            let mut changed = vec![false; memory.len()];
            for _ in 0..3 {
                saved.push((memory.clone(), changed.clone()));
                txn.begin();
                for _ in 0..200 {
                    let (at, words) = (next(2900), 1 + next(9));
                    let addr = base + at * 8;
                    if words > 4 {
                        txn.save(addr, words);
                    } else {
                        (0..words).map(|i| addr + i * 8).for_each(|addr| {
                            if txn.is_unsaved(addr) {
                                txn.save_word(addr);
                            }
                        });
                    }
                    for i in at..at + words {
                        // SAFETY: a word of `memory`, to which no reference is alive.
                        unsafe { raw::write_u64(base + i * 8, next(1 << 40)) };
                        changed[i as usize] = true;
                    }
                    if next(20) == 0 {
                        txn.compact_undo();
                    }
                }
            }
            let mut ranges = Vec::new();
            txn.changed(&mut Vec::new(), &mut ranges);
            let mut listed = vec![false; memory.len()];
            for (addr, words) in ranges {
                let first = ((addr - base) / 8) as usize;
                listed[first..first + words as usize].fill(true);
            }
            assert_eq!(listed, changed, "round {round}");
            while let Some((before, _)) = saved.pop() {
                txn.rollback();
                assert!(memory == before, "round {round}");
            }
        }
    }
}
