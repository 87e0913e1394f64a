//! Natives of package internal/slicesort.

use lang::bytecode::program::Kind;
use vm::native::{Ctx, NativeDef, NativeError, SliceRef};
use vm::plain::Plain;
use vm::value::ValueRef;

pub const NATIVES: &[NativeDef] = natives! {
    "internal/slicesort.Len" "func(interface {}) int" => |c| {
        match c.any() {
            Some(v) if v.kind() == Kind::Slice => c.ret_int(v.len() as i64),
            v => {
                let kind = match v.map(|v| v.kind()) {
                    None => "zero".into(),
                    Some(Kind::Pointer) => "ptr".into(),
                    Some(Kind::UnsafePointer) => "unsafe.Pointer".into(),
                    Some(kind) => format!("{kind:?}").to_lowercase(),
                };
                return Err(NativeError::Panic(format!("reflect: call of Swapper on {kind} Value")));
            }
        }
    };
    "internal/slicesort.Swap" "func(interface {}, int, int)" => |c| {
        let (v, i, j) = (c.any(), c.int(), c.int());
        match v {
            Some(v) if (i as usize) < v.len() && (j as usize) < v.len() => c.swap(v, i as usize, j as usize),
            _ => return Err(NativeError::Panic("reflect: slice index out of range".into())),
        }
    };
    "internal/slicesort.Ordered" "func(interface {}) bool" => |c| {
        let done = c.any().is_some_and(|v| sort_ordered(c, v));
        c.ret_bool(done);
    };
};

/// Sorts a slice of an ordered type; false when it is another, or when equal floats with different bits are in it.
fn sort_ordered(c: &mut Ctx<'_>, v: ValueRef<'_>) -> bool {
    if v.kind() != Kind::Slice {
        return false;
    }
    let s = v.slice();
    match v.elem_kind() {
        Kind::Int | Kind::Int64 => sort_ints::<i64>(c, s),
        Kind::Int32 => sort_ints::<i32>(c, s),
        Kind::Int16 => sort_ints::<i16>(c, s),
        Kind::Int8 => sort_ints::<i8>(c, s),
        Kind::Uint | Kind::Uint64 | Kind::Uintptr => sort_ints::<u64>(c, s),
        Kind::Uint32 => sort_ints::<u32>(c, s),
        Kind::Uint16 => sort_ints::<u16>(c, s),
        Kind::Uint8 => sort_ints::<u8>(c, s),
        Kind::Float64 => {
            let list = c.plain_of::<f64>(s);
            if list.iter().any(|x| x.is_nan() || *x == 0.0 && x.is_sign_negative()) {
                return false;
            }
            if !list.is_sorted() {
                c.plain_mut::<f64>(s).sort_unstable_by(f64::total_cmp);
            }
        }
        Kind::Float32 => {
            let list = c.plain_of::<f32>(s);
            if list.iter().any(|x| x.is_nan() || *x == 0.0 && x.is_sign_negative()) {
                return false;
            }
            if !list.is_sorted() {
                c.plain_mut::<f32>(s).sort_unstable_by(f32::total_cmp);
            }
        }
        Kind::String => {
            let mut list: Vec<_> = c.strs_of(s).into_iter().map(|r| (c.get(r), r)).collect();
            if !list.is_sorted_by(|a, b| a.0 <= b.0) {
                list.sort_unstable_by(|a, b| a.0.cmp(b.0));
                let list: Vec<_> = list.into_iter().map(|x| x.1).collect();
                c.permute_strs(s, &list);
            }
        }
        _ => return false,
    }
    true
}

fn sort_ints<T: Plain + Ord>(c: &mut Ctx<'_>, s: SliceRef) {
    if !c.plain_of::<T>(s).is_sorted() {
        c.plain_mut::<T>(s).sort_unstable();
    }
}
