//! Elements of slices, strings and arrays in memory.
#![allow(unsafe_code)] // Program memory and slots of the frame.

use super::memory::{base, copy_bytes};
use super::*;
use crate::raw;

/// The index in slot `n`, or leaves the handler by Go's panic; unsigned, so that negative ones fail too.
macro_rules! checked {
    ($vm:ident, $pc:ident, $fp:ident, $n:expr, $len:expr) => {{
        let (x, len) = (get($fp, $n), $len);
        if x >= len {
            return $vm.throw_index($pc, $fp, x, len);
        }
        x
    }};
}

macro_rules! loads {
    ($($name:ident $size:literal |$at:ident| $value:expr;)*) => {
        handlers! {$(
            $name |vm, i, pc, fp| {
                let x = checked!(vm, pc, fp, i.c(), get(fp, i.b() + 1));
                let $at = get(fp, i.b()) + x * $size;
                set(fp, i.a(), $value as u64);
                (pc, fp)
            }
        )*}
    };
}
macro_rules! stores {
    ($($name:ident $size:literal $write:ident $ty:ty;)*) => {
        handlers! {$(
            $name |vm, i, pc, fp| {
                let x = checked!(vm, pc, fp, i.b(), get(fp, i.a() + 1));
                raw::$write(get(fp, i.a()) + x * $size, get(fp, i.c()) as $ty);
                (pc, fp)
            }
        )*}
    };
}

loads! {
    LdX8U 1 |at| raw::read8(at);
    LdX8S 1 |at| raw::read8(at) as i8;
    LdX16U 2 |at| raw::read16(at);
    LdX16S 2 |at| raw::read16(at) as i16;
    LdX32U 4 |at| raw::read32(at);
    LdX32S 4 |at| raw::read32(at) as i32;
    LdX64 8 |at| raw::read(at);
}

stores! {
    StX8 1 write8 u8;
    StX16 2 write16 u16;
    StX32 4 write32 u32;
    StX64 8 write u64;
}

handlers! {
    LdX2 |vm, i, pc, fp| {
        let x = checked!(vm, pc, fp, i.c(), get(fp, i.b() + 1));
        let at = get(fp, i.b()) + x * 16;
        set(fp, i.a(), raw::read(at));
        set(fp, i.a() + 1, raw::read(at + 8));
        (pc, fp)
    }
    LdX3 |vm, i, pc, fp| {
        let x = checked!(vm, pc, fp, i.c(), get(fp, i.b() + 1));
        let at = get(fp, i.b()) + x * 24;
        set(fp, i.a(), raw::read(at));
        set(fp, i.a() + 1, raw::read(at + 8));
        set(fp, i.a() + 2, raw::read(at + 16));
        (pc, fp)
    }
    LdXN |vm, i, pc, fp| {
        let size = ext(pc, 0);
        let x = checked!(vm, pc, fp, i.c(), get(fp, i.b() + 1));
        copy_bytes(fp.add(i.a()) as u64, get(fp, i.b()) + x * size, size);
        (pc.add(1), fp)
    }
    StXN |vm, i, pc, fp| {
        let size = ext(pc, 0);
        let x = checked!(vm, pc, fp, i.b(), get(fp, i.a() + 1));
        copy_bytes(get(fp, i.a()) + x * size, fp.add(i.c()) as u64, size);
        (pc.add(1), fp)
    }
    EAddr |vm, i, pc, fp| {
        let x = checked!(vm, pc, fp, i.c(), get(fp, i.b() + 1));
        set(fp, i.a(), get(fp, i.b()) + x * ext(pc, 0));
        (pc.add(1), fp)
    }
    AAddr |vm, i, pc, fp| {
        let base = base!(vm, pc, fp, i.b());
        let x = checked!(vm, pc, fp, i.c(), ext(pc, 0));
        set(fp, i.a(), base + x * ext(pc, 1));
        (pc.add(2), fp)
    }
    LdA64 |vm, i, pc, fp| {
        let base = base!(vm, pc, fp, i.b());
        let x = checked!(vm, pc, fp, i.c(), ext(pc, 0));
        set(fp, i.a(), raw::read(base + x * 8));
        (pc.add(1), fp)
    }
    StA64 |vm, i, pc, fp| {
        let base = base!(vm, pc, fp, i.a());
        let x = checked!(vm, pc, fp, i.b(), ext(pc, 0));
        raw::write(base + x * 8, get(fp, i.c()));
        (pc.add(1), fp)
    }
    LdA8U |vm, i, pc, fp| {
        let base = base!(vm, pc, fp, i.b());
        let x = checked!(vm, pc, fp, i.c(), ext(pc, 0));
        set(fp, i.a(), raw::read8(base + x).into());
        (pc.add(1), fp)
    }
    StA8 |vm, i, pc, fp| {
        let base = base!(vm, pc, fp, i.a());
        let x = checked!(vm, pc, fp, i.b(), ext(pc, 0));
        raw::write8(base + x, get(fp, i.c()) as u8);
        (pc.add(1), fp)
    }
    CkIdx |vm, i, pc, fp| {
        checked!(vm, pc, fp, i.a(), get(fp, i.b()));
        (pc, fp)
    }
}
