//! Natives of package encoding/binary: values of fixed size, part by part.

use lang::bytecode::program::Kind;
use vm::native::{Ctx, NativeDef, NativeError};
use vm::value::ValueRef;

pub const NATIVES: &[NativeDef] = natives! {
    "encoding/binary.size" "func(interface {}) int" => |c| {
        let size = c.any().and_then(|v| size(target(v)?, true));
        c.ret_int(size.map_or(-1, |n| n as i64));
    };
    "encoding/binary.encode" "func(interface {}, bool) []uint8" => |c| {
        let (v, big) = (c.any(), c.bool());
        let mut out = Vec::new();
        if let Some(v) = v.and_then(target) {
            encode(v, big, &mut out);
        }
        c.ret_bytes(&out);
    };
    "encoding/binary.decode" "func(interface {}, []uint8, bool)" => |c| {
        let (v, buf, big) = (c.any(), c.bytes(), c.bool());
        if let Some(v) = v.and_then(target) {
            let data = c.bytes_of(buf).to_vec();
            decode(c, v, &mut &data[..], big)?;
        }
    };
    "encoding/binary.isReference" "func(interface {}) bool" => |c| {
        let is = c.any().is_some_and(|v| v.kind() == Kind::Slice || v.kind() == Kind::Pointer && !v.is_nil());
        c.ret_bool(is);
    };
    "encoding/binary.typeName" "func(interface {}) string" => |c| {
        let name = c.any().map_or("<nil>".into(), |v| v.type_name());
        c.ret_str(name);
    };
};

/// The value itself, or what a pointer leads to.
fn target(v: ValueRef<'_>) -> Option<ValueRef<'_>> {
    if v.kind() == Kind::Pointer { v.deref() } else { Some(v) }
}

/// Bytes of a number, by its kind; of `int` and its like there is no fixed number.
fn width(kind: Kind) -> Option<usize> {
    match kind {
        Kind::Bool | Kind::Int8 | Kind::Uint8 => Some(1),
        Kind::Int16 | Kind::Uint16 => Some(2),
        Kind::Int32 | Kind::Uint32 | Kind::Float32 => Some(4),
        Kind::Int64 | Kind::Uint64 | Kind::Float64 | Kind::Complex64 => Some(8),
        Kind::Complex128 => Some(16),
        _ => None,
    }
}

/// Bytes of a value; a slice is of fixed size at the top only.
fn size(v: ValueRef<'_>, top: bool) -> Option<usize> {
    let types = v.types();
    match v.kind() {
        Kind::Slice if top => Some(v.len() * type_size(types, v.desc().elem)?),
        Kind::Slice => None,
        _ => type_size(types, v.type_index()),
    }
}

fn type_size(types: &vm::value::TypeTable, ty: u32) -> Option<usize> {
    let desc = types.desc(ty);
    match desc.kind {
        Kind::Array => Some(type_size(types, desc.elem)? * desc.len as usize),
        Kind::Struct => desc.fields.iter().map(|f| type_size(types, f.ty)).sum(),
        kind => width(kind),
    }
}

fn encode(v: ValueRef<'_>, big: bool, out: &mut Vec<u8>) {
    let mut number = |bits: u64, bytes: usize| {
        let le = bits.to_le_bytes();
        if big {
            out.extend(le[..bytes].iter().rev());
        } else {
            out.extend(&le[..bytes]);
        }
    };
    match v.kind() {
        Kind::Slice | Kind::Array if v.elem_kind() == Kind::Uint8 => out.extend(v.bytes()),
        Kind::Slice | Kind::Array => (0..v.len()).for_each(|i| encode(v.elem(i), big, out)),
        Kind::Struct => {
            for i in 0..v.len() {
                if v.field_desc(i).name == "_" {
                    let n = size(v.field(i), false).unwrap_or(0);
                    out.resize(out.len() + n, 0);
                } else {
                    encode(v.field(i), big, out);
                }
            }
        }
        Kind::Bool => number(v.bool().into(), 1),
        Kind::Float64 => number(v.float().to_bits(), 8),
        Kind::Complex64 => {
            let (re, im) = v.complex();
            number((re as f32).to_bits().into(), 4);
            number((im as f32).to_bits().into(), 4);
        }
        Kind::Complex128 => {
            let (re, im) = v.complex();
            number(re.to_bits(), 8);
            number(im.to_bits(), 8);
        }
        kind => number(v.uint(), width(kind).unwrap_or(0)),
    }
}

fn decode(c: &mut Ctx<'_>, v: ValueRef<'_>, data: &mut &[u8], big: bool) -> Result<(), NativeError> {
    match v.kind() {
        Kind::Slice | Kind::Array => {
            for i in 0..v.len() {
                decode(c, v.elem(i), data, big)?;
            }
        }
        Kind::Struct => {
            for i in 0..v.len() {
                let name = &v.field_desc(i).name;
                if name == "_" {
                    *data = &data[size(v.field(i), false).unwrap_or(0)..];
                } else if name.starts_with(char::is_uppercase) {
                    decode(c, v.field(i), data, big)?;
                } else {
                    let message = "reflect: reflect.Value.SetUint using value obtained using unexported field";
                    return Err(NativeError::Panic(message.into()));
                }
            }
        }
        kind => {
            let mut number = |bytes: usize| {
                let (head, rest) = data.split_at(bytes);
                *data = rest;
                let add = |n: u64, b: &u8| n << 8 | u64::from(*b);
                if big { head.iter().fold(0, add) } else { head.iter().rev().fold(0, add) }
            };
            match width(kind) {
                _ if kind == Kind::Complex64 => {
                    let (re, im) = (number(4), number(4));
                    c.store_bits(v, [re | im << 32, 0]);
                }
                Some(16) => {
                    let parts = [number(8), number(8)];
                    c.store_bits(v, parts);
                }
                Some(1) if kind == Kind::Bool => {
                    let set = number(1) != 0;
                    c.store_bits(v, [set.into(), 0]);
                }
                Some(n) => {
                    let bits = number(n);
                    c.store_bits(v, [bits, 0]);
                }
                None => {}
            }
        }
    }
    Ok(())
}
