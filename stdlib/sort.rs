//! Natives of packages sort and internal/slicesort.

use lang::bytecode::program::Kind;
use vm::native::{NativeDef, NativeError};

pub const NATIVES: &[NativeDef] = natives! {
    "sort.Ints" "func([]int)" => |c| {
        let s = c.slice();
        if !c.ints_of(s).is_sorted() {
            c.ints_mut(s).sort_unstable();
        }
    };
    "sort.Float64s" "func([]float64)" => |c| {
        let s = c.slice();
        // NaNs first; -0 and 0 are equal.
        c.floats_mut(s).sort_by(|x, y| x.partial_cmp(y).unwrap_or_else(|| y.is_nan().cmp(&x.is_nan())));
    };
    "sort.Strings" "func([]string)" => |c| {
        let s = c.slice();
        let mut list: Vec<_> = c.strs_of(s).into_iter().map(|r| (c.get(r), r)).collect();
        if !list.is_sorted_by(|a, b| a.0 <= b.0) {
            list.sort_unstable_by(|a, b| a.0.cmp(b.0));
            let list: Vec<_> = list.into_iter().map(|x| x.1).collect();
            c.permute_strs(s, &list);
        }
    };
    "internal/slicesort.Len" "func(interface {}) int" => |c| {
        match c.any() {
            Some(v) if v.kind() == Kind::Slice => c.ret_int(v.len() as i64),
            _ => return Err(NativeError::Panic("reflect: call of Swapper on non-slice value".into())),
        }
    };
    "internal/slicesort.Swap" "func(interface {}, int, int)" => |c| {
        let (v, i, j) = (c.any(), c.int(), c.int());
        match v {
            Some(v) if (i as usize) < v.len() && (j as usize) < v.len() => c.swap(v, i as usize, j as usize),
            _ => return Err(NativeError::Panic("reflect: slice index out of range".into())),
        }
    };
};
