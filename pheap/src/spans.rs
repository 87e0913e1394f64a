//! Size classes and spans: how a run of pages is cut into slots, and the bitmaps that go with it.
//! A slot is an 8-byte header followed by the object's bytes; addresses handed out point behind the header.

/// Bytes of a page, the unit in which spans are cut from an address range.
pub const PAGE_BYTES: u64 = 8192;
/// Bytes of the header in front of every object: type index, then element count, both `u32`.
pub const HEADER_BYTES: u64 = 8;
/// Number of size classes.
pub const CLASSES: usize = 44;
/// The pseudo-class of a span that holds one large object.
pub const LARGE: u8 = 0xff;
/// The largest object, header excluded, that is allocated from a size class.
pub const MAX_SMALL_BYTES: usize = 16384;

/// Object bytes (header excluded) of each class: every multiple of 8 up to 128, then four to a doubling.
pub const CLASS_BYTES: [u32; CLASSES] = class_bytes();
/// Pages of a span of each class.
pub const CLASS_PAGES: [u8; CLASSES] = class_pages();
/// Class of an object of `8 * i` bytes.
pub(crate) static CLASS_OF: [u8; MAX_SMALL_BYTES / 8 + 1] = class_of();

const fn class_bytes() -> [u32; CLASSES] {
    let mut bytes = [0; CLASSES];
    let mut class = 0;
    while class < 16 {
        bytes[class] = (class as u32 + 1) * 8;
        class += 1;
    }
    let mut base = 128;
    while class < CLASSES {
        let step = base / 4;
        let mut quarter = 1;
        while quarter <= 4 {
            bytes[class] = base + step * quarter;
            class += 1;
            quarter += 1;
        }
        base *= 2;
    }
    bytes
}

const fn class_pages() -> [u8; CLASSES] {
    let mut pages = [0; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        let slot = CLASS_BYTES[class] as u64 + HEADER_BYTES;
        let mut n = 1;
        // At most an eighth of a span may be lost behind its last slot.
        loop {
            let bytes = n * PAGE_BYTES;
            let lost = bytes - slots_in(bytes, slot) as u64 * slot;
            if bytes > slot + HEADER_BYTES && lost * 8 <= bytes {
                break;
            }
            n += 1;
        }
        pages[class] = n as u8;
        class += 1;
    }
    pages
}

const fn class_of() -> [u8; MAX_SMALL_BYTES / 8 + 1] {
    let mut table = [0; MAX_SMALL_BYTES / 8 + 1];
    let mut class = 0;
    let mut i = 0;
    while i < table.len() {
        while CLASS_BYTES[class] < (i as u32) * 8 {
            class += 1;
        }
        table[i] = class as u8;
        i += 1;
    }
    table
}

/// Slots in a span of `bytes`. Eight bytes stay free at the end, so that a pointer just past the last object
/// never is an address of the next span; within a span the next slot's header does that service.
const fn slots_in(bytes: u64, slot_bytes: u64) -> u32 {
    ((bytes - HEADER_BYTES) / slot_bytes) as u32
}

/// Number of pages that a large object of `size_bytes` takes.
pub(crate) const fn large_pages(size_bytes: u64) -> u64 {
    (size_bytes + 2 * HEADER_BYTES).div_ceil(PAGE_BYTES)
}

const _: () = assert!(CLASS_BYTES[CLASSES - 1] as usize == MAX_SMALL_BYTES);
// The slot number is found by a multiplication that is exact for spans of up to 128 KiB.
const _: () = {
    let mut class = 0;
    while class < CLASSES {
        assert!(CLASS_PAGES[class] <= 16);
        class += 1;
    }
};

/// Which of a span's bitmaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bits {
    /// The slot holds an object.
    Alloc = 0,
    /// The collector has reached the object.
    Mark = 1,
    /// The object is in no committed state yet (persistent heaps only).
    Fresh = 2,
    /// The object was allocated at the current transaction level (persistent heaps only).
    Young = 3,
}

/// A run of pages cut into slots of one class, or holding one large object.
#[derive(Debug)]
pub(crate) struct Span {
    pub start: u64,
    pub slot_bytes: u64,
    /// `2^32 / slot_bytes`, rounded up: slot numbers by multiplication.
    magic: u64,
    pub pages: u32,
    pub slots: u32,
    pub class: u8,
    /// Reused memory, to be cleared at allocation.
    pub dirty: bool,
    /// In its class's list of spans with free slots.
    pub listed: bool,
    /// The span's descriptor is in a committed state.
    pub persisted: bool,
    /// Some bit is set in `Bits::Young`.
    pub has_young: bool,
    /// Number of the sweep that came by here last, or before which the span was made.
    pub swept: u32,
    /// The bitmaps, one after the other; empty while they have not been read from `stored_bits`.
    bits: Box<[u64]>,
    /// Address of the allocation bitmap of a span found at open, until something changes in the span.
    stored_bits: u64,
}

impl Span {
    pub fn new(start: u64, pages: u64, class: u8, dirty: bool, bitmaps: usize) -> Span {
        let mut span = Span::unloaded(start, pages, class, 0);
        span.dirty = dirty;
        span.bits = vec![0; span.words() * bitmaps].into_boxed_slice();
        span.persisted = false;
        span
    }

    /// A span of a reopened heap whose allocation bitmap lies at `stored_bits` and is read when needed.
    pub fn unloaded(start: u64, pages: u64, class: u8, stored_bits: u64) -> Span {
        let (slot_bytes, slots) = if class == LARGE {
            (pages * PAGE_BYTES, 1)
        } else {
            let slot = u64::from(CLASS_BYTES[class as usize]) + HEADER_BYTES;
            (slot, slots_in(pages * PAGE_BYTES, slot))
        };
        Span {
            start,
            slot_bytes,
            magic: (1u64 << 32) / slot_bytes + 1,
            pages: u32::try_from(pages).expect("spans are shorter than 2^32 pages"),
            slots,
            class,
            dirty: true,
            listed: false,
            persisted: true,
            has_young: false,
            swept: 0,
            bits: Box::default(),
            stored_bits,
        }
    }

    #[inline]
    pub fn words(&self) -> usize {
        (self.slots as usize).div_ceil(64)
    }

    pub fn bytes(&self) -> u64 {
        u64::from(self.pages) * PAGE_BYTES
    }

    /// Slots that hold objects, as far as the bitmaps are in memory.
    pub fn allocated_slots(&self) -> u64 {
        let words = if self.is_loaded() { self.words() } else { 0 };
        let ones = |word| u64::from(self.word(Bits::Alloc, word).count_ones());
        (0..words).map(ones).sum()
    }

    pub fn is_loaded(&self) -> bool {
        !self.bits.is_empty()
    }

    /// Where the allocation bitmap is to be read from while the span is not loaded.
    pub fn stored_bits(&self) -> u64 {
        self.stored_bits
    }

    pub fn load(&mut self, alloc: impl Iterator<Item = u64>, bitmaps: usize) {
        let words = self.words();
        let mut bits = vec![0; words * bitmaps].into_boxed_slice();
        for (to, from) in bits[..words].iter_mut().zip(alloc) {
            *to = from;
        }
        self.bits = bits;
    }

    /// The slot that an address in the span belongs to. The header of the next slot counts to the slot before:
    /// a pointer one past the end of an object is still a pointer into it. None for the first slot's header.
    #[inline]
    pub fn slot_of(&self, addr: u64) -> Option<u32> {
        let offset = addr.wrapping_sub(self.start + HEADER_BYTES);
        if offset >= self.bytes() {
            return None;
        }
        if self.class == LARGE {
            return Some(0);
        }
        let slot = ((offset * self.magic) >> 32) as u32;
        (slot < self.slots).then_some(slot)
    }

    /// Address of the object in a slot.
    #[inline]
    pub fn object(&self, slot: u32) -> u64 {
        self.start + u64::from(slot) * self.slot_bytes + HEADER_BYTES
    }

    /// Bytes that an object in this span can hold.
    #[inline]
    pub fn capacity(&self) -> u64 {
        if self.class == LARGE {
            self.slot_bytes - 2 * HEADER_BYTES
        } else {
            self.slot_bytes - HEADER_BYTES
        }
    }

    #[inline]
    pub fn word(&self, which: Bits, word: usize) -> u64 {
        self.bits[which as usize * self.words() + word]
    }

    #[inline]
    pub fn word_mut(&mut self, which: Bits, word: usize) -> &mut u64 {
        let at = which as usize * self.words() + word;
        &mut self.bits[at]
    }

    #[inline]
    pub fn test(&self, which: Bits, slot: u32) -> bool {
        self.word(which, slot as usize / 64) & (1 << (slot % 64)) != 0
    }

    #[inline]
    pub fn set(&mut self, which: Bits, slot: u32) {
        *self.word_mut(which, slot as usize / 64) |= 1 << (slot % 64);
    }

    #[inline]
    pub fn reset(&mut self, which: Bits, slot: u32) {
        *self.word_mut(which, slot as usize / 64) &= !(1 << (slot % 64));
    }

    pub fn clear(&mut self, which: Bits) {
        let words = self.words();
        let at = which as usize * words;
        if !self.bits.is_empty() {
            self.bits[at..at + words].fill(0);
        }
    }

    /// Bits of a bitmap word that stand for slots.
    #[inline]
    pub fn valid_bits(&self, word: usize) -> u64 {
        let rest = self.slots as usize - word * 64;
        if rest >= 64 { !0 } else { (1 << rest) - 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_the_smallest_class_that_fits() {
        for size in 0..=MAX_SMALL_BYTES {
            let class = CLASS_OF[size.div_ceil(8)] as usize;
            assert!(CLASS_BYTES[class] as usize >= size);
            assert!(class == 0 || (CLASS_BYTES[class - 1] as usize) < size.max(1));
        }
    }

    #[test]
    fn slot_numbers_are_exact_for_every_address_of_every_class() {
        for (class, pages) in (0u8..).zip(CLASS_PAGES) {
            let span = Span::new(1 << 20, pages.into(), class, false, 2);
            assert!(span.object(span.slots - 1) + span.capacity() < span.start + span.bytes());
            for addr in span.start..span.start + span.bytes() {
                let exact = addr
                    .checked_sub(span.start + HEADER_BYTES)
                    .map(|o| o / span.slot_bytes);
                let exact = exact
                    .filter(|&slot| slot < u64::from(span.slots))
                    .map(|slot| slot as u32);
                assert_eq!(span.slot_of(addr), exact);
            }
        }
    }
}
