//! Go maps over raw memory, the same in both heaps: a header, a dense array of entries in the order of insertion,
//! and from a ninth entry on an open-addressing index of entry numbers.
//!
//! Header words: live entries; address of the entries; address of the index (0: none); entries used, dead ones
//! included; capacity; seed; generation, which changes when the entries move. An entry is a meta word (bit 63: alive; low
//! 32 bits: hash), the key at 8, the value behind it. A dead entry's meta word says how many entries to go on by, 0
//! meaning 1: so taking the first entry again and again is not quadratic. Index slots hold entry number + 1, or 0.
#![allow(unsafe_code)] // Maps live in the program's memory.

use lang::bytecode::program::{Kind, PtrKind, TypeIdx};
use pheap::maps::{ALIVE, CAP, COUNT, ENTRIES, GENERATION, INDEX, KEY, SEED, SMALL, USED};

use crate::Vm;
use crate::hash::{self, Failure};
use crate::raw;
use crate::trap::UNHASHABLE_IN_EMPTY_MAP;
use crate::value::{Form, TypeTable};

pub(crate) const HEADER_BYTES: u64 = pheap::MAP_HEADER_BYTES;
pub(crate) const HEADER_PTRS: [(u32, PtrKind); 2] = [(8, PtrKind::Ptr), (16, PtrKind::Ptr)];
/// Operand of `MapNext` for a key or value that is not wanted.
pub(crate) const MAP_VALUE_UNWANTED: usize = 0xffff;
const MAX_ENTRIES: u64 = u32::MAX as u64 / 4;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum KeyClass {
    /// 64 bits compared as such.
    Word,
    /// 32 bits compared as such.
    Half,
    /// As `Word`, but hashed by its place in the heap.
    Pointer,
    Str,
    Any,
}

/// How entries of a map type lie in memory.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub map_ty: TypeIdx,
    pub key_ty: TypeIdx,
    pub val_ty: TypeIdx,
    class: KeyClass,
    pub key_size: u64,
    pub val_size: u64,
    pub val_offset: u64,
    pub stride: u64,
    pub val_form: Form,
    pub key_form: Form,
    /// Registry indices of header and entries in the volatile heap.
    pub gc_header: u32,
    pub gc_entries: u32,
}

impl Layout {
    pub fn of(types: &TypeTable, map_ty: TypeIdx) -> Layout {
        let desc = types.desc(map_ty);
        let (key, val) = (types.rt(desc.map_key), types.rt(desc.elem));
        let class = match types.desc(desc.map_key).kind {
            Kind::String => KeyClass::Str,
            Kind::Int32 | Kind::Uint32 => KeyClass::Half,
            Kind::Int | Kind::Int64 | Kind::Uint | Kind::Uint64 | Kind::Uintptr => KeyClass::Word,
            Kind::Pointer => KeyClass::Pointer,
            Kind::Chan | Kind::UnsafePointer => KeyClass::Word,
            _ => KeyClass::Any,
        };
        let val_offset = KEY + key.size.next_multiple_of(8);
        Layout {
            map_ty,
            key_ty: desc.map_key,
            val_ty: desc.elem,
            class,
            key_size: key.size,
            val_size: val.size,
            val_offset,
            stride: val_offset + val.size.next_multiple_of(8),
            val_form: val.form,
            key_form: key.form,
            gc_header: 0,
            gc_entries: 0,
        }
    }

    #[inline(always)]
    pub fn val_slots(&self) -> usize {
        self.val_size.div_ceil(8) as usize
    }

    /// Pointer map of an entry.
    pub fn entry_ptrs(&self, types: &TypeTable) -> Vec<(u32, PtrKind)> {
        let part = |ty: TypeIdx, at: u64| {
            types
                .desc(ty)
                .ptrs
                .iter()
                .map(move |&(offset, kind)| (offset + at as u32, kind))
                .collect::<Vec<_>>()
        };
        let mut ptrs = part(self.key_ty, KEY);
        ptrs.extend(part(self.val_ty, self.val_offset));
        ptrs
    }

    #[inline(always)]
    fn hash(&self, types: &TypeTable, key: u64, seed: u64) -> Result<u32, Failure> {
        // SAFETY: `key` is the address of a key.
        let h = unsafe {
            match self.class {
                KeyClass::Word => hash::word(raw::read(key), seed),
                KeyClass::Half => hash::word(raw::read32(key).into(), seed),
                KeyClass::Pointer => hash::pointer(types, raw::read(key), seed),
                KeyClass::Str => hash::bytes(raw::slice(raw::read(key), raw::read(key + 8)), seed),
                KeyClass::Any => hash::value(types, self.key_ty, key, seed)?,
            }
        };
        Ok(h as u32)
    }

    #[inline(always)]
    fn same(&self, types: &TypeTable, a: u64, b: u64) -> bool {
        // SAFETY: both are addresses of keys.
        unsafe {
            match self.class {
                KeyClass::Word | KeyClass::Pointer => raw::read(a) == raw::read(b),
                KeyClass::Half => raw::read32(a) == raw::read32(b),
                KeyClass::Str => hash::strings(a, b),
                // Keys in maps are hashable, so comparable.
                KeyClass::Any => hash::equal(types, self.key_ty, a, b).unwrap_or(false),
            }
        }
    }

    /// The entry with the key at `key`; 0 if there is none.
    #[inline(always)]
    pub fn find(&self, types: &TypeTable, map: u64, key: u64) -> Result<u64, Failure> {
        if map == 0 || len(map) == 0 {
            // An unhashable key panics even then.
            if self.class == KeyClass::Any {
                self.hash(types, key, 0).map_err(|text| {
                    text.replace("hash of unhashable type ", UNHASHABLE_IN_EMPTY_MAP)
                })?;
            }
            return Ok(0);
        }
        // SAFETY: `map` is the address of a map's header, whose words are consistent.
        unsafe {
            let h = self.hash(types, key, raw::read(map + SEED))?;
            Ok(self.find_hashed(types, map, key, h))
        }
    }

    #[inline(always)]
    unsafe fn find_hashed(&self, types: &TypeTable, map: u64, key: u64, h: u32) -> u64 {
        // SAFETY: as the caller promises.
        unsafe {
            let want = ALIVE | u64::from(h);
            let entries = raw::read(map + ENTRIES);
            let index = raw::read(map + INDEX);
            if index == 0 {
                let end = entries + raw::read(map + USED) * self.stride;
                let mut entry = entries;
                while entry < end {
                    if raw::read(entry) == want && self.same(types, entry + KEY, key) {
                        return entry;
                    }
                    entry += self.stride;
                }
                return 0;
            }
            let mask = raw::read(map + CAP) * 2 - 1;
            let mut at = u64::from(h) & mask;
            loop {
                let slot = raw::read32(index + at * 4);
                if slot == 0 {
                    return 0;
                }
                let entry = entries + u64::from(slot - 1) * self.stride;
                if raw::read(entry) == want && self.same(types, entry + KEY, key) {
                    return entry;
                }
                at = (at + 1) & mask;
            }
        }
    }
}

/// Number of entries; 0 of nil.
#[inline(always)]
pub(crate) fn len(map: u64) -> u64 {
    if map == 0 {
        return 0;
    }
    // SAFETY: `map` is the address of a header.
    unsafe { raw::read(map + COUNT) }
}

/// Addresses of keys and values, in order.
pub(crate) fn entries(layout: &Layout, map: u64) -> Vec<(u64, u64)> {
    let mut out = Vec::new();
    if map != 0 {
        // SAFETY: the header's words are consistent.
        unsafe {
            let entries = raw::read(map + ENTRIES);
            for i in 0..raw::read(map + USED) {
                let entry = entries + i * layout.stride;
                if raw::read(entry) & ALIVE != 0 {
                    out.push((entry + KEY, entry + layout.val_offset));
                }
            }
        }
    }
    out
}

/// Hashes all keys of a map anew; `announce` is told of every range before it changes. False if two keys are equal by now.
pub(crate) fn rehash(
    layout: &Layout,
    types: &TypeTable,
    map: u64,
    announce: &mut dyn FnMut(u64, u64),
) -> Result<bool, Failure> {
    let mut distinct = true;
    // SAFETY: the header's words are consistent, the entries' keys are values of the layout's key type.
    unsafe {
        let (entries, index) = (raw::read(map + ENTRIES), raw::read(map + INDEX));
        let (seed, cap) = (raw::read(map + SEED), raw::read(map + CAP));
        if index != 0 {
            announce(index, cap * 8);
            raw::zero(index, cap * 8);
        }
        for i in 0..raw::read(map + USED) {
            let entry = entries + i * layout.stride;
            if raw::read(entry) & ALIVE == 0 {
                continue;
            }
            let h = layout.hash(types, entry + KEY, seed)?;
            announce(entry, 8);
            raw::write(entry, ALIVE | u64::from(h));
            let found = layout.find_hashed(types, map, entry + KEY, h);
            distinct &= found == 0 || found == entry;
            if index != 0 {
                index_insert(index, cap * 2 - 1, h, i as u32);
            }
        }
    }
    Ok(distinct)
}

/// State of an iteration, in four slots: map, entries, next entry | entries at the start of the walk << 32, generation.
///
/// Entries that move away (growth) leave the old array as it was: the walk goes on over it and looks each key up
/// in the map, so deleted ones are skipped and none comes twice.
pub(crate) fn iter_start(map: u64) -> [u64; 4] {
    if map == 0 {
        return [0; 4];
    }
    // SAFETY: `map` is the address of a header.
    unsafe {
        [
            map,
            raw::read(map + ENTRIES),
            raw::read(map + CAP) << 32,
            raw::read(map + GENERATION),
        ]
    }
}

/// Advances; gives the next entry, or 0 at the end.
pub(crate) fn iter_next(layout: &Layout, types: &TypeTable, state: &mut [u64; 4]) -> u64 {
    let map = state[0];
    if map == 0 {
        return 0;
    }
    // SAFETY: the state keeps map and entries alive.
    unsafe {
        let moved = raw::read(map + GENERATION) != state[3];
        let cap = state[2] >> 32;
        let end = if moved { cap } else { raw::read(map + USED) };
        let mut i = state[2] & 0xffff_ffff;
        while i < end {
            let entry = state[1] + i * layout.stride;
            let meta = raw::read(entry);
            if meta & ALIVE == 0 {
                i += meta.max(1);
                continue;
            }
            i += 1;
            // NaN cannot be looked up, but cannot have been deleted either.
            let is_nan = moved && !layout.same(types, entry + KEY, entry + KEY) && len(map) != 0;
            let found = if !moved || is_nan {
                entry
            } else {
                layout.find_hashed(types, map, entry + KEY, meta as u32)
            };
            if found != 0 {
                state[2] = i | cap << 32;
                return found;
            }
        }
        state[2] = end | cap << 32;
    }
    0
}

/// Changing maps. `persistent` maps live in the persistent heap: changes there are announced first.
impl Vm {
    /// A new map with room for `hint` entries.
    pub(crate) fn map_make(
        &mut self,
        map_ty: TypeIdx,
        hint: u64,
        persistent: bool,
    ) -> Result<u64, Failure> {
        let layout = self.layout(map_ty);
        let map = self.alloc_map_part(layout, Part::Header, 1, persistent)?;
        self.seed_counter = self
            .seed_counter
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        // SAFETY: a fresh header.
        unsafe { raw::write(map + SEED, hash::word(self.seed_counter, map)) };
        if hint > 0 {
            self.map_rebuild(layout, map, hint.min(MAX_ENTRIES), persistent)?;
        }
        Ok(map)
    }

    fn will_change(&mut self, addr: u64, len: u64, persistent: bool) {
        if persistent {
            self.will_store(addr, len);
        }
    }

    /// Moves the entries into an array for at least `want` of them, with a new index.
    #[cold]
    #[inline(never)]
    fn map_rebuild(
        &mut self,
        layout: &'static Layout,
        map: u64,
        want: u64,
        persistent: bool,
    ) -> Result<(), Failure> {
        if want > MAX_ENTRIES {
            return Err("map too large".into());
        }
        let cap = want.next_power_of_two().max(SMALL);
        let new = self.alloc_map_part(layout, Part::Entries, cap, persistent)?;
        let index = if cap > SMALL {
            self.alloc_map_part(layout, Part::Index, cap * 2, persistent)?
        } else {
            0
        };
        self.will_change(map, HEADER_BYTES, persistent);
        // SAFETY: both arrays are as large as their capacities say.
        unsafe {
            let (old, used) = (raw::read(map + ENTRIES), raw::read(map + USED));
            let mut n = 0;
            for i in 0..used {
                let entry = old + i * layout.stride;
                let meta = raw::read(entry);
                if meta & ALIVE != 0 {
                    raw::copy(new + n * layout.stride, entry, layout.stride);
                    if index != 0 {
                        index_insert(index, cap * 2 - 1, meta as u32, n as u32);
                    }
                    n += 1;
                }
            }
            raw::write(map + ENTRIES, new);
            raw::write(map + INDEX, index);
            raw::write(map + USED, n);
            raw::write(map + CAP, cap);
            raw::write(map + GENERATION, raw::read(map + GENERATION) + 1);
        }
        Ok(())
    }

    /// The entry for the key at `key`, made if it is not there (the value then zero, the key copied as it is). A
    /// persistent caller announces the store of the value itself and has made key and value persistent.
    #[inline]
    pub(crate) fn map_assign(
        &mut self,
        layout: &'static Layout,
        map: u64,
        key: u64,
        persistent: bool,
    ) -> Result<u64, Failure> {
        if persistent {
            self.refuse_store(map)?;
        }
        // SAFETY: `map` is the address of a header whose words are consistent, `key` that of a key.
        unsafe {
            let types = self.types_ptr();
            let h = layout.hash(types, key, raw::read(map + SEED))?;
            if raw::read(map + COUNT) != 0 {
                let entry = layout.find_hashed(types, map, key, h);
                if entry != 0 {
                    return Ok(entry);
                }
            }
            let mut used = raw::read(map + USED);
            let mut cap = raw::read(map + CAP);
            if used == cap {
                let count = raw::read(map + COUNT);
                let want = if count * 4 > cap * 3 || cap == 0 {
                    (cap * 2).max(1)
                } else {
                    cap
                };
                self.map_rebuild(layout, map, want, persistent)?;
                used = raw::read(map + USED);
                cap = raw::read(map + CAP);
            }
            let entry = raw::read(map + ENTRIES) + used * layout.stride;
            if persistent {
                self.will_store(map, HEADER_BYTES);
                self.will_store(entry, layout.stride);
            }
            raw::write(entry, ALIVE | u64::from(h));
            raw::copy(entry + KEY, key, layout.key_size);
            let index = raw::read(map + INDEX);
            if index != 0 {
                let at = index_insert_at(index, cap * 2 - 1, h);
                self.will_change(at, 4, persistent);
                raw::write32(at, used as u32 + 1);
            }
            raw::write(map + USED, used + 1);
            raw::write(map + COUNT, raw::read(map + COUNT) + 1);
            Ok(entry)
        }
    }

    pub(crate) fn map_delete(
        &mut self,
        layout: &'static Layout,
        map: u64,
        key: u64,
        persistent: bool,
    ) -> Result<(), Failure> {
        let entry = layout.find(self.types_ptr(), map, key)?;
        if entry != 0 {
            if persistent {
                self.refuse_store(map)?;
            }
            self.will_change(entry, layout.stride, persistent);
            self.will_change(map, 8, persistent);
            // SAFETY: a live entry of this map, and the array that it lies in.
            unsafe {
                raw::zero(entry, layout.stride);
                raw::write(map + COUNT, raw::read(map + COUNT) - 1);
                let (first, used) = (raw::read(map + ENTRIES), raw::read(map + USED));
                let old = raw::read(first);
                let mut skip = old;
                while skip < used {
                    let meta = raw::read(first + skip * layout.stride);
                    if meta & ALIVE != 0 {
                        break;
                    }
                    skip += meta.max(1);
                }
                if skip != old && old & ALIVE == 0 {
                    self.will_change(first, 8, persistent);
                    raw::write(first, skip);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn map_clear(&mut self, layout: &'static Layout, map: u64, persistent: bool) {
        if map == 0 {
            return;
        }
        // SAFETY: the header's words are consistent.
        unsafe {
            let (entries, used) = (raw::read(map + ENTRIES), raw::read(map + USED));
            if used == 0 {
                return;
            }
            self.will_change(map, HEADER_BYTES, persistent);
            self.will_change(entries, used * layout.stride, persistent);
            raw::zero(entries, used * layout.stride);
            let (index, cap) = (raw::read(map + INDEX), raw::read(map + CAP));
            if index != 0 {
                self.will_change(index, cap * 8, persistent);
                raw::zero(index, cap * 8);
            }
            raw::write(map + COUNT, 0);
            raw::write(map + USED, 0);
        }
    }
}

/// Which object of a map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Header,
    Entries,
    Index,
}

/// Address of the free index slot for a hash.
unsafe fn index_insert_at(index: u64, mask: u64, h: u32) -> u64 {
    let mut at = u64::from(h) & mask;
    // SAFETY: the index has mask + 1 slots, more than entries, so a free one is found.
    unsafe {
        while raw::read32(index + at * 4) != 0 {
            at = (at + 1) & mask;
        }
    }
    index + at * 4
}

unsafe fn index_insert(index: u64, mask: u64, h: u32, entry: u32) {
    // SAFETY: as in `index_insert_at`.
    unsafe { raw::write32(index_insert_at(index, mask, h), entry + 1) };
}

/// Keys compare equal to themselves unless they hold NaN; for tests of iteration.
#[cfg(test)]
pub(crate) fn generation(map: u64) -> u64 {
    // SAFETY: `map` is the address of a header.
    unsafe { raw::read(map + GENERATION) }
}
