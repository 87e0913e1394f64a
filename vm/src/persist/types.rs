//! What the heap is told about the program's types.

use lang::bytecode::program::{Kind, NO_TYPE, PtrKind, TypeIdx};
use pheap::{Field, PointerSlot, TypeDesc};

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
