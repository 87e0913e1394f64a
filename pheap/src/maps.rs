//! Maps in a heap, as vm/src/map.rs makes them: a header, an array of entries, and an index from the ninth entry on.
//! Here: what tools without a program must know of them, and new hashes for maps whose keys have moved.

use rustc_hash::FxHashMap;

use crate::Addr;
use crate::error::{Error, Result};
use crate::hash;
use crate::image::Image;
use crate::space::ObjectRef;
use crate::types::{Kind, TypeDesc};
use crate::view::View;

// Byte offsets in a map's header.
/// Number of live entries.
pub const COUNT: u64 = 0;
/// Address of the entries.
pub const ENTRIES: u64 = 8;
/// Address of the index; 0 of a small map.
pub const INDEX: u64 = 16;
/// Number of entries used, dead ones included.
pub const USED: u64 = 24;
/// Number of entries that there is room for, a power of two.
pub const CAP: u64 = 32;
/// Of the keys' hashes.
pub const SEED: u64 = 40;
/// Changes when the entries move.
pub const GENERATION: u64 = 48;

/// In the first word of an entry, beside the hash in its low half: the entry is in use.
pub const ALIVE: u64 = 1 << 63;
/// Byte offset of the key in an entry.
pub const KEY: u64 = 8;
/// Maps of up to so many entries have no index.
pub const SMALL: u64 = 8;

/// Interfaces in interfaces, in one key.
const DEPTH: u32 = 10_000;

/// Which maps are to be hashed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rehash {
    /// Those whose hashes depend on where objects lie.
    AddressKeys,
    All,
}

/// The key of the key type of a map, if the type is that of headers of maps.
pub fn key_of_header(desc: &TypeDesc) -> Option<u64> {
    (desc.kind == Kind::Internal && desc.map_key != 0).then_some(desc.map_key)
}

/// Hashes the keys of maps anew. What `view` shows of the heap is as it is in the image, but for hashes and indices.
pub fn rehash(view: &View, image: &mut Image<'_>, which: Rehash) -> Result<()> {
    let mut needed: FxHashMap<u64, bool> = FxHashMap::default();
    view.for_each_object(|object| {
        let desc = view.types().get(object.type_index as usize);
        let Some(key) = desc.and_then(|desc| key_of_header(desc)) else {
            return Ok(());
        };
        let needed = *needed
            .entry(key)
            .or_insert_with(|| which == Rehash::All || depends_on_addresses(view, key));
        match needed {
            true => rehash_map(view, image, &object, key),
            false => Ok(()),
        }
    })
}

fn depends_on_addresses(view: &View, key: u64) -> bool {
    let Some(desc) = view.find_type(key).map(|i| &view.types()[i as usize]) else {
        return false;
    };
    match desc.kind {
        Kind::Pointer | Kind::Interface => true,
        Kind::Array => depends_on_addresses(view, desc.elem),
        Kind::Struct => desc
            .fields
            .iter()
            .any(|field| depends_on_addresses(view, field.type_key)),
        _ => false,
    }
}

fn rehash_map(view: &View, image: &mut Image<'_>, header: &ObjectRef, key: u64) -> Result<()> {
    let word = |at| view.word(header.addr + at);
    let (entries, index, used) = (word(ENTRIES)?, word(INDEX)?, word(USED)?);
    let (cap, seed) = (word(CAP)?, word(SEED)?);
    if used == 0 {
        return Ok(());
    }
    let damaged = || {
        let offset = header.addr - view.base();
        Err(Error::damaged(view.path(), offset, "an impossible map"))
    };
    let Some(object) = view.find_object(entries)?.filter(|o| o.addr == entries) else {
        return damaged();
    };
    let Some(desc) = view.types().get(object.type_index as usize) else {
        return damaged();
    };
    let mut slots: Vec<u32> = Vec::new();
    if index != 0 {
        let room = match view.find_object(index)? {
            Some(object) if object.addr == index => u64::from(object.count) / 4,
            _ => 0,
        };
        if !cap.is_power_of_two() || cap > u64::from(u32::MAX) || room < cap * 2 {
            return damaged();
        }
        slots = vec![0; cap as usize * 2];
    }
    let room = u64::from(object.count).saturating_mul(desc.size) <= view.content_bytes(&object);
    if used > cap || used > u64::from(object.count) || !room || desc.fields.len() != 2 {
        return damaged();
    }
    // By entry; none of dead ones.
    let mut hashes: Vec<Option<u32>> = Vec::new();
    for i in 0..used {
        let entry = entries + i * desc.size;
        if view.word(entry)? & ALIVE == 0 {
            hashes.push(None);
            continue;
        }
        let h = value(view, key, entry + KEY, seed, 0)? as u32;
        let meta = ALIVE | u64::from(h);
        image.write(entry - view.base(), &meta.to_le_bytes())?;
        let is_twice = |other: usize| -> Result<bool> {
            let other_key = entries + other as u64 * desc.size + KEY;
            Ok(hashes[other] == Some(h) && is_same(view, key, other_key, entry + KEY)?)
        };
        let mut twice = false;
        if slots.is_empty() {
            for other in 0..i as usize {
                twice |= is_twice(other)?;
            }
        } else {
            let mut at = h as usize & (slots.len() - 1);
            while slots[at] != 0 {
                twice |= is_twice(slots[at] as usize - 1)?;
                at = (at + 1) & (slots.len() - 1);
            }
            slots[at] = i as u32 + 1;
        }
        if twice {
            let offset = entry - view.base();
            let what = "a map that has a key twice";
            return Err(Error::damaged(view.path(), offset, what));
        }
        hashes.push(Some(h));
    }
    let bytes: Vec<u8> = slots.iter().flat_map(|slot| slot.to_le_bytes()).collect();
    image.write(index.wrapping_sub(view.base()), &bytes)
}

/// As `hash::value` of the machine, by the heap's own descriptions.
fn value(view: &View, key: u64, addr: Addr, seed: u64, depth: u32) -> Result<u64> {
    let unknown = || {
        let offset = addr.wrapping_sub(view.base());
        Error::damaged(view.path(), offset, "a key of a map that is no key")
    };
    let index = view.find_type(key).ok_or_else(unknown)?;
    let desc = &view.types()[index as usize];
    let small = |len: u64| -> Result<u64> {
        let mut word = [0; 8];
        word[..len as usize].copy_from_slice(&view.read(addr, len)?);
        Ok(u64::from_le_bytes(word))
    };
    let half = |at: u64| -> Result<f64> {
        let bytes = view.read(addr + at, 4)?;
        let bytes: [u8; 4] = bytes.try_into().expect("four bytes");
        Ok(f32::from_le_bytes(bytes).into())
    };
    let double = |at: u64| view.word(addr + at).map(f64::from_bits);
    Ok(match desc.kind {
        Kind::Bool | Kind::Int8 | Kind::Uint8 => hash::word(small(1)?, seed),
        Kind::Int16 | Kind::Uint16 => hash::word(small(2)?, seed),
        Kind::Int32 | Kind::Uint32 => hash::word(small(4)?, seed),
        Kind::Int | Kind::Int64 | Kind::Uint | Kind::Uint64 | Kind::Uintptr => {
            hash::word(view.word(addr)?, seed)
        }
        Kind::Float32 => hash::float(half(0)?, seed),
        Kind::Float64 => hash::float(double(0)?, seed),
        Kind::Complex64 => hash::float(half(4)?, hash::float(half(0)?, seed)),
        Kind::Complex128 => hash::float(double(8)?, hash::float(double(0)?, seed)),
        Kind::String => {
            let (start, len) = (view.word(addr)?, view.word(addr + 8)?);
            hash::bytes(&view.read(start, len)?, seed)
        }
        Kind::Pointer => pointer(view, view.word(addr)?, seed),
        Kind::Array => {
            let size = view
                .find_type(desc.elem)
                .map(|i| view.types()[i as usize].size);
            let size = size.ok_or_else(unknown)?;
            let mut h = seed;
            // Without bytes there is nothing to hash, however many elements there are.
            for i in 0..if size == 0 { 0 } else { desc.len } {
                h = value(view, desc.elem, addr + i * size, h, depth)?;
            }
            h
        }
        Kind::Struct => {
            let mut h = seed;
            for field in desc.fields.iter().filter(|field| field.name != "_") {
                h = value(
                    view,
                    field.type_key,
                    addr + u64::from(field.offset),
                    h,
                    depth,
                )?;
            }
            h
        }
        Kind::Interface => {
            let (key, data) = (view.word(addr)?, view.word(addr + 8)?);
            if key == 0 {
                return Ok(hash::word(0, seed));
            }
            if depth > DEPTH {
                return Err(unknown());
            }
            let seed = hash::word(key, seed);
            if key & 2 != 0 {
                return value(view, key, data, seed, depth + 1);
            }
            match view.find_type(key) {
                Some(_) => return value(view, key, addr + 8, seed, depth + 1),
                // The heap need not know the type of a pointer that only interfaces hold.
                None if key & 1 == 0 => pointer(view, data, seed),
                None => hash::word(data, seed),
            }
        }
        Kind::Slice | Kind::Map | Kind::Bytes | Kind::Internal => return Err(unknown()),
    })
}

/// As `hash::equal` of the machine, of keys that `value` has hashed.
fn is_same(view: &View, key: u64, a: Addr, b: Addr) -> Result<bool> {
    let Some(index) = view.find_type(key) else {
        return Ok(false);
    };
    let desc = &view.types()[index as usize];
    let double = |at: Addr| view.word(at).map(f64::from_bits);
    let half = |at: Addr| -> Result<f32> {
        let bytes: [u8; 4] = view.read(at, 4)?.try_into().expect("four bytes");
        Ok(f32::from_le_bytes(bytes))
    };
    Ok(match desc.kind {
        Kind::Float32 => half(a)? == half(b)?,
        Kind::Float64 => double(a)? == double(b)?,
        Kind::Complex64 => half(a)? == half(b)? && half(a + 4)? == half(b + 4)?,
        Kind::Complex128 => double(a)? == double(b)? && double(a + 8)? == double(b + 8)?,
        Kind::String => {
            let text = |at: Addr| view.read(view.word(at)?, view.word(at + 8)?);
            text(a)? == text(b)?
        }
        Kind::Array => {
            let elem = view.find_type(desc.elem);
            let size = elem.map_or(0, |i| view.types()[i as usize].size);
            for i in 0..if size == 0 { 0 } else { desc.len } {
                if !is_same(view, desc.elem, a + i * size, b + i * size)? {
                    return Ok(false);
                }
            }
            true
        }
        Kind::Struct => {
            for field in desc.fields.iter().filter(|field| field.name != "_") {
                let offset = u64::from(field.offset);
                if !is_same(view, field.type_key, a + offset, b + offset)? {
                    return Ok(false);
                }
            }
            true
        }
        Kind::Interface => {
            let key = view.word(a)?;
            let (one, other) = (view.word(a + 8)?, view.word(b + 8)?);
            match key == view.word(b)? {
                false => false,
                true if key == 0 => true,
                true if key & 2 != 0 => is_same(view, key, one, other)?,
                true if view.find_type(key).is_some() => is_same(view, key, a + 8, b + 8)?,
                true => one == other,
            }
        }
        _ => view.read(a, desc.size)? == view.read(b, desc.size)?,
    })
}

fn pointer(view: &View, addr: Addr, seed: u64) -> u64 {
    let offset = addr.wrapping_sub(view.base());
    let inside = offset < view.limit_bytes();
    hash::word(if inside { offset } else { addr }, seed)
}
