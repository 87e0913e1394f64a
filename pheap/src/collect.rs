//! Collection: stop-the-world mark and sweep. What is freed is part of the next record.
#![allow(unsafe_code)] // Reads the pointers in objects.

use std::sync::Arc;

use crate::Addr;
use crate::heap::Heap;
use crate::layout::extent_of;
use crate::raw;
use crate::space::{ObjectRef, Space};
use crate::spans::{Bits, PAGE_BYTES};
use crate::types::{PointerSlot, TypeDesc};

/// What a collection did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collection {
    pub freed_bytes: u64,
    pub freed_objects: u64,
    pub live_objects: u64,
}

/// Reports the words that may refer to objects to its argument.
pub type ReportRoots<'a> = dyn FnMut(&mut dyn FnMut(u64)) + 'a;

impl Heap {
    /// Frees every object that cannot be reached from the named roots, from what an open transaction may restore,
    /// and from the words that `extra_roots` reports to its argument (pointers or not).
    pub fn collect(&mut self, extra_roots: &mut ReportRoots<'_>) -> Collection {
        let mut marker = Marker {
            space: &mut self.space,
            types: &self.types,
            work: Vec::new(),
            live: 0,
        };
        marker.reach(self.catalog);
        extra_roots(&mut |word| marker.reach(word));
        self.txn.each_saved(|old, range| {
            // A rollback writes to the object as well, so its memory must not be reused.
            for at in 0..range.words() {
                marker.reach(range.addr() + at * 8);
            }
            old.iter().for_each(|&word| marker.reach(word));
        });
        let live_objects = marker.live;

        let base = self.space.base();
        let (pending, mut freed_objects) = (&mut self.pending, 0);
        let mut gone = Vec::new();
        let freed_bytes = self.space.sweep_spans(
            |span, slot| {
                freed_objects += 1;
                if span.persisted && !span.test(Bits::Fresh, slot) {
                    let word = ((span.start - base) / PAGE_BYTES, slot / 64);
                    if pending.freed_words.last() != Some(&word) {
                        pending.freed_words.push(word);
                    }
                }
            },
            |span| {
                if span.persisted {
                    gone.push((span.start - base) / PAGE_BYTES);
                }
            },
        );
        debug_assert!(
            gone.iter()
                .all(|&page| self.store.is_none() || extent_of(&self.extents, page).is_some())
        );
        pending.freed_spans.extend(gone);
        Collection {
            freed_bytes,
            freed_objects,
            live_objects,
        }
    }
}

impl Heap {
    /// Number of objects that the named roots reach.
    pub(crate) fn count_reachable(&mut self) -> u64 {
        let mut marker = Marker {
            space: &mut self.space,
            types: &self.types,
            work: Vec::new(),
            live: 0,
        };
        marker.reach(self.catalog);
        let live = marker.live;
        self.space.clear_marks();
        live
    }
}

struct Marker<'a> {
    space: &'a mut Space,
    types: &'a [Arc<TypeDesc>],
    work: Vec<ObjectRef>,
    live: u64,
}

impl Marker<'_> {
    /// Marks everything reachable from a word.
    #[inline]
    fn reach(&mut self, word: u64) {
        self.mark(word);
        while let Some(object) = self.work.pop() {
            let desc = &self.types[object.type_index as usize];
            each_pointer(object, desc, |_, word| {
                if let Some(object) = self.space.mark(word) {
                    self.live += 1;
                    self.work.push(object);
                }
            });
        }
    }

    #[inline]
    fn mark(&mut self, word: Addr) {
        if let Some(object) = self.space.mark(word) {
            self.live += 1;
            self.work.push(object);
        }
    }
}

/// Calls `visit` with the address and value of every non-nil pointer word of an object.
#[inline]
pub(crate) fn each_pointer(object: ObjectRef, desc: &TypeDesc, mut visit: impl FnMut(Addr, u64)) {
    if desc.pointers.is_empty() {
        return;
    }
    let count = u64::from(object.count).min(object.size_bytes / desc.size);
    for i in 0..count {
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
