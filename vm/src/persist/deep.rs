//! Deep copies (`persist`, LANGUAGE.md §2). The graph is walked first: that finds what cannot be stored, and what of each
//! object can be seen; of a long array that is what slices and pointers show, not the rest of it. Then this much is copied
//! of each, so that what was shared still is, and the references in the copies are led to copies.
#![allow(unsafe_code)] // Copies values between the heaps.

use lang::bytecode::program::{Kind, TypeIdx};
use rustc_hash::FxHashMap;

use super::enter::refused;
use crate::Vm;
use crate::heap::NOSCAN;
use crate::map;
use crate::raw;

/// What is seen of a volatile object: elements `lo..hi` of an array.
struct Extent {
    ty: TypeIdx,
    stride: u64,
    /// Address of element 0.
    base: u64,
    lo: u64,
    hi: u64,
    /// Address of the copy of element `lo`.
    copy: u64,
}

impl Extent {
    /// The elements that some bytes touch.
    fn touched(&self, addr: u64, bytes: u64) -> (u64, u64) {
        let (from, stride) = (addr - self.base, self.stride.max(1));
        (from / stride, (from + bytes).div_ceil(stride))
    }

    fn is_seen(&self, addr: u64) -> bool {
        (self.base + self.lo * self.stride..=self.base + self.hi * self.stride).contains(&addr)
    }

    /// What an address in it is in the copy.
    fn led(&self, addr: u64) -> u64 {
        self.copy + (addr - self.base - self.lo * self.stride)
    }
}

/// Nothing to copy is referred to.
const NONE: u32 = u32::MAX;

#[derive(Default)]
struct Copier {
    extents: Vec<Extent>,
    /// Address of element 0 → extent.
    known: FxHashMap<u64, u32>,
    /// Parts of extents whose references have been followed: extent, first element's address, count, …
    parts: Vec<(u32, u64, u64, usize)>,
    /// … and where in here the extents are that they refer to, in the order of the walk.
    found: Vec<u32>,
    /// Type, map, copy.
    maps: Vec<(TypeIdx, u64, u64)>,
    /// Map → its place in `maps`.
    known_maps: FxHashMap<u64, usize>,
    /// Seen memory whose references are still to be followed: extent (none for what maps hold), type, address, count.
    work: Vec<(u32, TypeIdx, u64, u64)>,
}

/// How the extents are known that a value refers to.
enum Way<'c> {
    /// By what the walk has found.
    Found(std::slice::Iter<'c, u32>),
    /// By the addresses.
    Asked,
}

impl Vm {
    /// Replaces the value at `at` by one whose whole graph is persistent; shared and cyclic references are kept.
    ///
    /// # Errors
    /// There is something in it that cannot be stored, or the heap is full; the value is as it was then.
    pub(crate) fn persist_deep(&mut self, ty: TypeIdx, at: u64) -> Result<(), String> {
        let mut copier = Copier::default();
        self.look(&mut copier, ty, at)?;
        copier.found.clear();
        while let Some((index, ty, at, count)) = copier.work.pop() {
            let (size, start) = (self.types.rt(ty).size, copier.found.len());
            (0..count).try_for_each(|i| self.look(&mut copier, ty, at + i * size))?;
            match index {
                NONE => copier.found.truncate(start),
                _ => copier.parts.push((index, at, count, start)),
            }
        }
        let done = self.copy_seen(&mut copier, ty, at);
        if done.is_err() {
            for extent in copier.extents.iter().filter(|e| e.copy != 0) {
                // SAFETY: a copy made just now, which nothing but others of them refers to.
                unsafe { raw::zero(extent.copy, (extent.hi - extent.lo) * extent.stride) };
            }
        }
        done
    }

    /// Finds what the value at `at` refers to.
    fn look(&mut self, copier: &mut Copier, ty: TypeIdx, at: u64) -> Result<(), String> {
        let types = self.types_ptr();
        let desc = types.desc(ty);
        if desc.ptrs.is_empty() {
            return Ok(());
        }
        // SAFETY: a value of this type is at `at`, or a map.
        unsafe {
            match desc.kind {
                Kind::String => {}
                Kind::Struct => {
                    for field in &desc.fields {
                        self.look(copier, field.ty, at + u64::from(field.offset))?;
                    }
                }
                Kind::Array => {
                    let size = types.rt(desc.elem).size;
                    (0..desc.len).try_for_each(|i| self.look(copier, desc.elem, at + i * size))?;
                }
                Kind::Pointer => {
                    let found = self.see(copier, desc.elem, raw::read(at), 1);
                    copier.found.push(found);
                }
                Kind::Slice => {
                    let found = self.see(copier, desc.elem, raw::read(at), raw::read(at + 8));
                    copier.found.push(found);
                }
                Kind::Map => {
                    let map = raw::read(at);
                    if map == 0 || self.is_persistent(map) || copier.known_maps.contains_key(&map) {
                        return Ok(());
                    }
                    copier.known_maps.insert(map, copier.maps.len());
                    copier.maps.push((ty, map, 0));
                    let layout = self.layout(ty);
                    let has_refs = |ty| !types.desc(ty).ptrs.is_empty();
                    let (keys, values) = (has_refs(layout.key_ty), has_refs(layout.val_ty));
                    for (key, value) in map::entries(layout, map) {
                        if keys {
                            copier.work.push((NONE, layout.key_ty, key, 1));
                        }
                        if values {
                            copier.work.push((NONE, layout.val_ty, value, 1));
                        }
                    }
                }
                Kind::Interface => {
                    let (key, data) = (raw::read(at), raw::read(at + 8));
                    match types.by_key(key) {
                        Some(dynamic) if key & 3 == 0 => self.look(copier, dynamic, at + 8)?,
                        Some(dynamic) if key & 2 != 0 && self.leads_on(dynamic) => {
                            let found = self.see(copier, dynamic, data, 1);
                            copier.found.push(found);
                        }
                        _ => {}
                    }
                }
                kind => {
                    if raw::read(at) != 0 {
                        return Err(format!("{} cannot be persisted", refused(kind)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Notes that `count` values of a type are seen at `addr`; the extent.
    fn see(&self, copier: &mut Copier, ty: TypeIdx, addr: u64, count: u64) -> u32 {
        if addr == 0 || count == 0 || self.is_persistent(addr) {
            return NONE;
        }
        let bytes = self.types.rt(ty).size * count;
        let index = match copier.known.get(&addr) {
            Some(&index) => index,
            None => self.extent_at(copier, ty, addr),
        };
        let extent = &mut copier.extents[index as usize];
        let (lo, hi) = extent.touched(addr, bytes);
        let (old_lo, old_hi) = (extent.lo, extent.hi);
        (extent.lo, extent.hi) = (lo.min(old_lo), hi.max(old_hi));
        let new = match old_lo > old_hi {
            true => [(lo, hi), (0, 0)],
            // What lies between two places that are seen is copied with them.
            false => [(extent.lo, old_lo), (old_hi, extent.hi)],
        };
        if !self.types.desc(extent.ty).ptrs.is_empty() {
            for (lo, hi) in new.into_iter().filter(|(lo, hi)| lo < hi) {
                let at = extent.base + lo * extent.stride;
                copier.work.push((index, extent.ty, at, hi - lo));
            }
        }
        index
    }

    /// The extent of the array that a value at `addr` lies in, made if there is none.
    fn extent_at(&self, copier: &mut Copier, ty: TypeIdx, addr: u64) -> u32 {
        let (base, ty) = self.array_of(ty, addr);
        let next = copier.extents.len() as u32;
        let index = *copier.known.entry(base).or_insert(next);
        if index == next {
            copier.extents.push(Extent {
                ty,
                stride: self.types.rt(ty).size,
                base,
                lo: u64::MAX,
                hi: 0,
                copy: 0,
            });
        }
        index
    }

    /// The array that a value at `addr` lies in: the address of its first element, and their type. Variables outside the heap
    /// are arrays of their own.
    fn array_of(&self, ty: TypeIdx, addr: u64) -> (u64, TypeIdx) {
        let Some(object) = self.heap.space.find_object(addr) else {
            return (addr, ty);
        };
        if let Some(elem) = self.heap.element_type(object) {
            return (object.addr, elem);
        }
        // Bytes that a native made hold values of one type from end to end.
        let size = self.types.rt(ty).size;
        match object.type_index == NOSCAN && size > 0 && (addr - object.addr).is_multiple_of(size) {
            true => (object.addr, ty),
            false => (addr, ty),
        }
    }

    fn copy_seen(&mut self, copier: &mut Copier, ty: TypeIdx, at: u64) -> Result<(), String> {
        for extent in &mut copier.extents {
            let count = extent.hi - extent.lo;
            extent.copy = self.alloc_persistent(extent.ty, count.max(1))?;
            let from = extent.base + extent.lo * extent.stride;
            // SAFETY: that many values are seen there; the copy is fresh.
            unsafe { raw::copy(extent.copy, from, count * extent.stride) };
        }
        for (ty, map, copy) in &mut copier.maps {
            *copy = self.map_make(*ty, map::len(*map), true)?;
        }
        for &(index, part, count, start) in &copier.parts {
            let extent = &copier.extents[index as usize];
            let (at, mut way) = (extent.led(part), Way::Found(copier.found[start..].iter()));
            for i in 0..count {
                self.lead(copier, &mut way, extent.ty, at + i * extent.stride)?;
            }
        }
        // Keys are hashed: all that they refer to is whole by now.
        for &(ty, map, copy) in &copier.maps {
            self.copy_entries(copier, ty, map, copy)?;
        }
        self.lead(copier, &mut Way::Asked, ty, at)
    }

    fn copy_entries(
        &mut self,
        copier: &Copier,
        ty: TypeIdx,
        map: u64,
        copy: u64,
    ) -> Result<(), String> {
        let layout = self.layout(ty);
        let mut key = vec![0u64; layout.key_size.div_ceil(8) as usize + 1];
        let mut value = vec![0u64; layout.val_size.div_ceil(8) as usize + 1];
        let (key, value) = (key.as_mut_ptr() as u64, value.as_mut_ptr() as u64);
        for (from_key, from_value) in map::entries(layout, map) {
            // SAFETY: the buffers hold a key and a value; entry and originals lie in live maps.
            unsafe {
                raw::copy(key, from_key, layout.key_size);
                raw::copy(value, from_value, layout.val_size);
                self.lead(copier, &mut Way::Asked, layout.key_ty, key)?;
                self.lead(copier, &mut Way::Asked, layout.val_ty, value)?;
                let entry = self.map_assign(layout, copy, key, true)?;
                raw::copy(entry + layout.val_offset, value, layout.val_size);
            }
        }
        Ok(())
    }

    /// Makes every reference in the value at `at` persistent.
    fn lead(&mut self, copier: &Copier, way: &mut Way, ty: TypeIdx, at: u64) -> Result<(), String> {
        let types = self.types_ptr();
        let desc = types.desc(ty);
        if desc.ptrs.is_empty() {
            return Ok(());
        }
        // SAFETY: a value of this type is at `at`, not visible to the program yet.
        unsafe {
            match desc.kind {
                Kind::String => self.make_string_persistent(at)?,
                Kind::Struct => {
                    for field in &desc.fields {
                        self.lead(copier, way, field.ty, at + u64::from(field.offset))?;
                    }
                }
                Kind::Array => {
                    let size = types.rt(desc.elem).size;
                    (0..desc.len)
                        .try_for_each(|i| self.lead(copier, way, desc.elem, at + i * size))?;
                }
                Kind::Pointer => {
                    let addr = raw::read(at);
                    if let Some(extent) = self.extent(copier, way, desc.elem, addr) {
                        raw::write(at, extent.led(addr));
                    }
                }
                Kind::Slice => self.lead_slice(copier, way, desc.elem, at)?,
                Kind::Map => {
                    if let Some(&index) = copier.known_maps.get(&raw::read(at)) {
                        raw::write(at, copier.maps[index].2);
                    }
                }
                Kind::Interface => {
                    let (key, data) = (raw::read(at), raw::read(at + 8));
                    match types.by_key(key) {
                        Some(dynamic) if key & 3 == 0 => self.lead(copier, way, dynamic, at + 8)?,
                        Some(dynamic) => {
                            self.heap_type(dynamic)?;
                            if key & 2 == 0 {
                            } else if self.leads_on(dynamic) {
                                if let Some(extent) = self.extent(copier, way, dynamic, data) {
                                    raw::write(at + 8, extent.led(data));
                                }
                            } else if !self.is_persistent(data) {
                                raw::write(at + 8, self.copy_leaf(copier, dynamic, data)?);
                            }
                        }
                        None => {}
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a box of this type refers to more than bytes. Others are copied for each reference: that they are shared
    /// cannot be seen.
    fn leads_on(&self, ty: TypeIdx) -> bool {
        let desc = self.types.desc(ty);
        !desc.ptrs.is_empty() && desc.kind != Kind::String
    }

    /// A copy of a box that refers to nothing but bytes.
    fn copy_leaf(&mut self, copier: &Copier, ty: TypeIdx, data: u64) -> Result<u64, String> {
        let copy = self.alloc_persistent(ty, 1)?;
        // SAFETY: a value of this type is at `data`; the copy is fresh.
        unsafe { raw::copy(copy, data, self.types.rt(ty).size) };
        self.lead(copier, &mut Way::Asked, ty, copy)?;
        Ok(copy)
    }

    /// A slice shows what it did; there is room behind that where other references show more.
    ///
    /// # Safety
    /// A slice is at `at`, not visible to the program yet.
    unsafe fn lead_slice(
        &mut self,
        copier: &Copier,
        way: &mut Way,
        elem: TypeIdx,
        at: u64,
    ) -> Result<(), String> {
        // SAFETY: as the caller promises.
        unsafe {
            let addr = raw::read(at);
            let found = self.extent(copier, way, elem, addr);
            // The walk saw nothing of an empty one, but it may lie in what it saw.
            let found = found.or_else(|| self.extent_of(copier, elem, addr));
            match found {
                Some(extent) => {
                    let end = extent.base + extent.hi * extent.stride;
                    if let Some(room) = (end - addr).checked_div(self.types.rt(elem).size) {
                        raw::write(at + 16, raw::read(at + 16).min(room));
                    }
                    raw::write(at, extent.led(addr));
                }
                None if addr == 0 || self.is_persistent(addr) => {}
                None => {
                    let empty = self.opened()?.empty;
                    raw::write(at, empty);
                    raw::write(at + 16, 0);
                }
            }
        }
        Ok(())
    }

    /// The extent that a reference of the value under way refers to.
    fn extent<'c>(
        &self,
        copier: &'c Copier,
        way: &mut Way,
        ty: TypeIdx,
        addr: u64,
    ) -> Option<&'c Extent> {
        match way {
            Way::Found(found) => found.next().and_then(|&i| copier.extents.get(i as usize)),
            Way::Asked => self.extent_of(copier, ty, addr),
        }
    }

    /// The extent of volatile memory that the walk has seen.
    fn extent_of<'c>(&self, copier: &'c Copier, ty: TypeIdx, addr: u64) -> Option<&'c Extent> {
        if addr == 0 || copier.extents.is_empty() || self.is_persistent(addr) {
            return None;
        }
        // Most references are to first elements.
        let index = copier.known.get(&addr).or_else(|| {
            let (base, _) = self.array_of(ty, addr);
            copier.known.get(&base)
        });
        let extent = &copier.extents[*index? as usize];
        extent.is_seen(addr).then_some(extent)
    }
}
