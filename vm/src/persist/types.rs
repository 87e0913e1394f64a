//! What the heap is told about the program's types.

use std::fmt::Write;
use std::path::Path;

use lang::bytecode::program::{Kind, NO_TYPE, PtrKind, TypeIdx};
use pheap::{Field, PointerSlot, TypeDesc};

use crate::map::{self, Layout};
use crate::value::TypeTable;

/// What the heap stores about a program type.
pub(super) fn describe(types: &TypeTable, ty: TypeIdx) -> TypeDesc {
    let desc = types.desc(ty);
    let key = |ty: TypeIdx| if ty == NO_TYPE { 0 } else { types.rt(ty).key };
    TypeDesc {
        name: desc.name.clone(),
        key: desc.key,
        kind: heap_kind(desc.kind),
        size: desc.size,
        align: desc.align.into(),
        fields: desc
            .fields
            .iter()
            .map(|field| Field {
                name: field.name.clone(),
                type_key: key(field.ty),
                offset: field.offset,
            })
            .collect(),
        elem: key(desc.elem),
        map_key: key(desc.map_key),
        len: if desc.kind == Kind::Array {
            desc.len
        } else {
            0
        },
        pointers: desc.ptrs.iter().map(pointer_slot).collect(),
    }
}

fn pointer_slot(&(offset, kind): &(u32, PtrKind)) -> PointerSlot {
    match kind {
        PtrKind::Ptr => PointerSlot::Ptr(offset),
        PtrKind::Iface => PointerSlot::Iface(offset),
    }
}

pub(super) fn header_desc(types: &TypeTable, layout: &Layout) -> TypeDesc {
    let desc = types.desc(layout.map_ty);
    TypeDesc {
        elem: types.rt(layout.val_ty).key,
        map_key: types.rt(layout.key_ty).key,
        pointers: map::HEADER_PTRS.iter().map(pointer_slot).collect(),
        ..TypeDesc::scalar(
            &format!("header of {}", desc.name),
            0,
            pheap::Kind::Internal,
            map::HEADER_BYTES,
        )
    }
}

pub(super) fn entry_desc(types: &TypeTable, layout: &Layout) -> TypeDesc {
    let desc = types.desc(layout.map_ty);
    let field = |name: &str, ty: TypeIdx, offset: u64| Field {
        name: name.into(),
        type_key: types.rt(ty).key,
        offset: offset as u32,
    };
    TypeDesc {
        fields: vec![
            field("key", layout.key_ty, 8),
            field("value", layout.val_ty, layout.val_offset),
        ],
        pointers: layout.entry_ptrs(types).iter().map(pointer_slot).collect(),
        ..TypeDesc::scalar(
            &format!("entry of {}", desc.name),
            0,
            pheap::Kind::Internal,
            layout.stride,
        )
    }
}

fn heap_kind(kind: Kind) -> pheap::Kind {
    use pheap::Kind as K;
    match kind {
        Kind::Bool => K::Bool,
        Kind::Int => K::Int,
        Kind::Int8 => K::Int8,
        Kind::Int16 => K::Int16,
        Kind::Int32 => K::Int32,
        Kind::Int64 => K::Int64,
        Kind::Uint => K::Uint,
        Kind::Uint8 => K::Uint8,
        Kind::Uint16 => K::Uint16,
        Kind::Uint32 => K::Uint32,
        Kind::Uint64 => K::Uint64,
        Kind::Uintptr => K::Uintptr,
        Kind::Float32 => K::Float32,
        Kind::Float64 => K::Float64,
        Kind::Complex64 => K::Complex64,
        Kind::Complex128 => K::Complex128,
        Kind::String => K::String,
        Kind::Slice => K::Slice,
        Kind::Array => K::Array,
        Kind::Map => K::Map,
        Kind::Pointer | Kind::UnsafePointer | Kind::Chan | Kind::Func => K::Pointer,
        Kind::Interface => K::Interface,
        Kind::Struct => K::Struct,
    }
}

/// The refusal of a type whose description in the heap is another one: what is there, what the program has, line by
/// line for structs.
pub(super) fn type_changed(heap: &Path, old: &TypeDesc, new: &TypeDesc) -> String {
    let mut text = format!(
        "{}: type {} is another one in the heap than in the program; the heap was not changed: \
         declare the type as it was, give the new one another name, or use another heap",
        heap.display(),
        new.name
    );
    let has = |desc: &TypeDesc, field: &Field| {
        let same = |other: &Field| (&other.name, other.type_key) == (&field.name, field.type_key);
        desc.fields.iter().any(same)
    };
    let mut line = |sign: char, what: &str, field: &Field| {
        let _ = write!(text, "\n  {sign} {} ({what})", field.name);
    };
    for field in &old.fields {
        if !has(new, field) {
            line('-', "only in the heap, or of another type there", field);
        }
    }
    for field in &new.fields {
        if !has(old, field) {
            line('+', "only in the program, or of another type there", field);
        }
    }
    let names = |desc: &TypeDesc| {
        let names: Vec<_> = desc
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        names.join(", ")
    };
    let both = |desc: &TypeDesc| {
        desc.fields
            .iter()
            .all(|field| has(old, field) && has(new, field))
    };
    if both(old) && both(new) {
        let _ = write!(
            text,
            "\n  in the heap: {:?} of {} bytes ({})\n  in the program: {:?} of {} bytes ({})",
            old.kind,
            old.size,
            names(old),
            new.kind,
            new.size,
            names(new)
        );
    }
    text
}
