//! Content hashes and equality of Go values in memory: map keys, `==` of composite types.
#![allow(unsafe_code)] // Reads values at addresses that the program's types describe.

use lang::bytecode::program::{Kind, TypeIdx};
use pheap::hash::float;
pub(crate) use pheap::hash::{bytes, word};

use crate::raw;
use crate::value::TypeTable;

/// The text of a run-time error.
pub(crate) type Failure = String;

/// Key of the hash of an interface whose type the program does not know.
const M3: u64 = 0x8ebc_6af0_9c88_c6e3;

/// Hash of a pointer: of a persistent one, by its place in the heap, so that maps stay valid when the heap is mapped
/// at another address.
#[inline(always)]
pub(crate) fn pointer(types: &TypeTable, addr: u64, seed: u64) -> u64 {
    let (base, len) = types.heap_range;
    let offset = addr.wrapping_sub(base);
    word(if offset < len { offset } else { addr }, seed)
}

/// Hash of the value at `addr`; fails for dynamic types that cannot be hashed.
pub(crate) fn value(types: &TypeTable, ty: TypeIdx, addr: u64, seed: u64) -> Result<u64, Failure> {
    let desc = types.desc(ty);
    // SAFETY: as many bytes are read as the type has.
    unsafe {
        Ok(match desc.kind {
            Kind::Bool | Kind::Int8 | Kind::Uint8 => word(raw::read8(addr).into(), seed),
            Kind::Int16 | Kind::Uint16 => word(raw::read16(addr).into(), seed),
            Kind::Int32 | Kind::Uint32 => word(raw::read32(addr).into(), seed),
            Kind::Float32 => float(f32::from_bits(raw::read32(addr)).into(), seed),
            Kind::Float64 => float(f64::from_bits(raw::read(addr)), seed),
            Kind::Complex64 => {
                let part = |at| f64::from(f32::from_bits(raw::read32(at)));
                float(part(addr + 4), float(part(addr), seed))
            }
            Kind::Complex128 => {
                let part = |at| f64::from_bits(raw::read(at));
                float(part(addr + 8), float(part(addr), seed))
            }
            Kind::String => bytes(raw::slice(raw::read(addr), raw::read(addr + 8)), seed),
            Kind::Array => {
                let size = types.rt(desc.elem).size;
                let mut h = seed;
                // Without bytes there is nothing to hash, however many elements there are.
                for i in 0..if size == 0 { 0 } else { desc.len } {
                    h = value(types, desc.elem, addr + i * size, h)?;
                }
                h
            }
            Kind::Struct => {
                let mut h = seed;
                for field in desc.fields.iter().filter(|field| field.name != "_") {
                    h = value(types, field.ty, addr + u64::from(field.offset), h)?;
                }
                h
            }
            Kind::Interface => return interface(types, raw::read(addr), raw::read(addr + 8), seed),
            Kind::Slice | Kind::Map | Kind::Func => {
                return Err(format!("hash of unhashable type {}", desc.name));
            }
            Kind::Pointer => pointer(types, raw::read(addr), seed),
            _ => word(raw::read(addr), seed),
        })
    }
}

fn interface(types: &TypeTable, key: u64, data: u64, seed: u64) -> Result<u64, Failure> {
    if key == 0 {
        return Ok(word(0, seed));
    }
    let Some(ty) = types.any_by_key(key) else {
        return Ok(word(data, seed ^ M3));
    };
    let desc = types.desc(ty);
    if !desc.comparable {
        return Err(format!("hash of unhashable type {}", desc.name));
    }
    let seed = word(key, seed);
    match key & 2 {
        0 => value(types, ty, &raw const data as u64, seed),
        _ => value(types, ty, data, seed),
    }
}

/// Whether the values at `a` and `b` are equal; fails for dynamic types that cannot be compared.
pub(crate) fn equal(types: &TypeTable, ty: TypeIdx, a: u64, b: u64) -> Result<bool, Failure> {
    let desc = types.desc(ty);
    // SAFETY: as many bytes are read as the type has.
    unsafe {
        Ok(match desc.kind {
            Kind::Bool | Kind::Int8 | Kind::Uint8 => raw::read8(a) == raw::read8(b),
            Kind::Int16 | Kind::Uint16 => raw::read16(a) == raw::read16(b),
            Kind::Int32 | Kind::Uint32 => raw::read32(a) == raw::read32(b),
            Kind::Float32 => f32::from_bits(raw::read32(a)) == f32::from_bits(raw::read32(b)),
            Kind::Float64 => f64::from_bits(raw::read(a)) == f64::from_bits(raw::read(b)),
            Kind::Complex64 => {
                let part = |at| f32::from_bits(raw::read32(at));
                part(a) == part(b) && part(a + 4) == part(b + 4)
            }
            Kind::Complex128 => {
                let part = |at| f64::from_bits(raw::read(at));
                part(a) == part(b) && part(a + 8) == part(b + 8)
            }
            Kind::String => strings(a, b),
            Kind::Array => {
                let size = types.rt(desc.elem).size;
                for i in 0..if size == 0 { 0 } else { desc.len } {
                    if !equal(types, desc.elem, a + i * size, b + i * size)? {
                        return Ok(false);
                    }
                }
                true
            }
            Kind::Struct => {
                for field in desc.fields.iter().filter(|field| field.name != "_") {
                    let offset = u64::from(field.offset);
                    if !equal(types, field.ty, a + offset, b + offset)? {
                        return Ok(false);
                    }
                }
                true
            }
            Kind::Interface => {
                let (ka, kb) = (raw::read(a), raw::read(b));
                if ka != kb {
                    return Ok(false);
                }
                if ka == 0 {
                    return Ok(true);
                }
                let (da, db) = (raw::read(a + 8), raw::read(b + 8));
                let Some(ty) = types.any_by_key(ka) else {
                    return Ok(da == db);
                };
                let desc = types.desc(ty);
                if !desc.comparable {
                    return Err(format!("comparing uncomparable type {}", desc.name));
                }
                match ka & 2 {
                    0 => return equal(types, ty, a + 8, b + 8),
                    _ => return equal(types, ty, da, db),
                }
            }
            Kind::Slice | Kind::Map | Kind::Func => {
                return Err(format!("comparing uncomparable type {}", desc.name));
            }
            _ => raw::read(a) == raw::read(b),
        })
    }
}

/// Whether the strings at `a` and `b` are equal.
/// # Safety
/// Both are addresses of strings.
#[inline(always)]
pub(crate) unsafe fn strings(a: u64, b: u64) -> bool {
    // SAFETY: as the caller promises.
    unsafe {
        let (la, lb) = (raw::read(a + 8), raw::read(b + 8));
        if la != lb {
            return false;
        }
        let (pa, pb) = (raw::read(a), raw::read(b));
        pa == pb || raw::slice(pa, la) == raw::slice(pb, lb)
    }
}
