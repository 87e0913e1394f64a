//! Loads, stores, addresses, package variables, parts of structs in slots.
#![allow(unsafe_code)] // Program memory and slots of the frame.

use super::*;
use crate::raw;
use crate::value::Form;

/// Addresses below this are nil, with an offset or without.
pub(crate) const NIL_PAGE: u64 = 4096;

/// The address in slot `n`, or leaves the handler by a nil dereference panic.
macro_rules! base {
    ($vm:ident, $pc:ident, $fp:ident, $n:expr) => {{
        let base = get($fp, $n);
        if base < $crate::interp::memory::NIL_PAGE {
            return $vm.throw_nil($pc, $fp);
        }
        base
    }};
}
pub(crate) use base;

macro_rules! loads {
    ($($name:ident |$at:ident| $value:expr;)*) => {
        handlers! {$(
            $name |vm, i, pc, fp| {
                let $at = base!(vm, pc, fp, i.b()) + i.c() as u64;
                set(fp, i.a(), $value as u64);
                (pc, fp)
            }
        )*}
    };
}
/// Plain and guarded stores of one slot.
macro_rules! stores {
    ($($plain:ident $guarded:ident $write:ident $ty:ty;)*) => {
        handlers! {$(
            $plain |vm, i, pc, fp| {
                let at = base!(vm, pc, fp, i.a()) + i.c() as u64;
                raw::$write(at, get(fp, i.b()) as $ty);
                (pc, fp)
            }
            $guarded |vm, i, pc, fp| {
                let at = base!(vm, pc, fp, i.a()) + i.c() as u64;
                if vm.is_persistent(at) && !vm.note_store(pc, fp, at, size_of::<$ty>() as u64) {
                    return vm.throw_read_only(pc, fp);
                }
                raw::$write(at, get(fp, i.b()) as $ty);
                (pc, fp)
            }
        )*}
    };
}

loads! {
    Ld8U |at| raw::read8(at);
    Ld8S |at| raw::read8(at) as i8;
    Ld16U |at| raw::read16(at);
    Ld16S |at| raw::read16(at) as i16;
    Ld32U |at| raw::read32(at);
    Ld32S |at| raw::read32(at) as i32;
    Ld64 |at| raw::read(at);
}

stores! {
    St8 StG8 write8 u8;
    St16 StG16 write16 u16;
    St32 StG32 write32 u32;
    St64 StG64 write u64;
}

handlers! {
    Ld2 |vm, i, pc, fp| {
        let at = base!(vm, pc, fp, i.b()) + i.c() as u64;
        set(fp, i.a(), raw::read(at));
        set(fp, i.a() + 1, raw::read(at + 8));
        (pc, fp)
    }
    Ld3 |vm, i, pc, fp| {
        let at = base!(vm, pc, fp, i.b()) + i.c() as u64;
        set(fp, i.a(), raw::read(at));
        set(fp, i.a() + 1, raw::read(at + 8));
        set(fp, i.a() + 2, raw::read(at + 16));
        (pc, fp)
    }
    LdN |vm, i, pc, fp| {
        let at = base!(vm, pc, fp, i.b()) + i.c() as u64;
        copy_bytes(fp.add(i.a()) as u64, at, ext(pc, 0));
        (pc.add(1), fp)
    }
    St2 |vm, i, pc, fp| {
        let at = base!(vm, pc, fp, i.a()) + i.c() as u64;
        raw::write(at, get(fp, i.b()));
        raw::write(at + 8, get(fp, i.b() + 1));
        (pc, fp)
    }
    St3 |vm, i, pc, fp| {
        let at = base!(vm, pc, fp, i.a()) + i.c() as u64;
        raw::write(at, get(fp, i.b()));
        raw::write(at + 8, get(fp, i.b() + 1));
        raw::write(at + 16, get(fp, i.b() + 2));
        (pc, fp)
    }
    StN |vm, i, pc, fp| {
        let at = base!(vm, pc, fp, i.a()) + i.c() as u64;
        copy_bytes(at, fp.add(i.b()) as u64, ext(pc, 0));
        (pc.add(1), fp)
    }
    StG2 |vm, i, pc, fp| {
        let at = base!(vm, pc, fp, i.a()) + i.c() as u64;
        if vm.is_persistent(at) && !vm.note_store(pc, fp, at, 16) {
            return vm.throw_read_only(pc, fp);
        }
        raw::write(at, get(fp, i.b()));
        raw::write(at + 8, get(fp, i.b() + 1));
        (pc, fp)
    }
    StG3 |vm, i, pc, fp| {
        let at = base!(vm, pc, fp, i.a()) + i.c() as u64;
        if vm.is_persistent(at) && !vm.note_store(pc, fp, at, 24) {
            return vm.throw_read_only(pc, fp);
        }
        raw::write(at, get(fp, i.b()));
        raw::write(at + 8, get(fp, i.b() + 1));
        raw::write(at + 16, get(fp, i.b() + 2));
        (pc, fp)
    }
    StGN |vm, i, pc, fp| {
        let at = base!(vm, pc, fp, i.a()) + i.c() as u64;
        if vm.is_persistent(at) && !vm.note_store(pc, fp, at, ext(pc, 0)) {
            return vm.throw_read_only(pc, fp);
        }
        copy_bytes(at, fp.add(i.b()) as u64, ext(pc, 0));
        (pc.add(1), fp)
    }
    CkNil |vm, i, pc, fp| {
        base!(vm, pc, fp, i.a());
        (pc, fp)
    }
    Lea |vm, i, pc, fp| {
        let base = base!(vm, pc, fp, i.b());
        set(fp, i.a(), base + i.c() as u64);
        (pc, fp)
    }
    LeaN |vm, i, pc, fp| {
        let base = base!(vm, pc, fp, i.b());
        set(fp, i.a(), base.wrapping_add(ext(pc, 0)));
        (pc.add(1), fp)
    }
    GAddr |vm, i, pc, fp| {
        set(fp, i.a(), vm.globals + i.bc() as u64);
        (pc, fp)
    }
    LdG |vm, i, pc, fp| {
        set(fp, i.a(), raw::read(vm.globals + i.bc() as u64));
        (pc, fp)
    }
    StGl |vm, i, pc, fp| {
        raw::write(vm.globals + i.bc() as u64, get(fp, i.a()));
        (pc, fp)
    }
    FLd |vm, i, pc, fp| {
        set(fp, i.a(), load_width(fp.add(i.b()) as u64 + i.c() as u64, ext(pc, 0)));
        (pc.add(1), fp)
    }
    FSt |vm, i, pc, fp| {
        store_width(fp.add(i.a()) as u64 + i.c() as u64, ext(pc, 0), get(fp, i.b()));
        (pc.add(1), fp)
    }
    FLdN |vm, i, pc, fp| {
        copy_bytes(fp.add(i.a()) as u64, fp.add(i.b()) as u64 + i.c() as u64, ext(pc, 0));
        (pc.add(1), fp)
    }
    FStN |vm, i, pc, fp| {
        copy_bytes(fp.add(i.a()) as u64 + i.c() as u64, fp.add(i.b()) as u64, ext(pc, 0));
        (pc.add(1), fp)
    }
    FLdX |vm, i, pc, fp| {
        let (n, size, width, x) = (ext(pc, 0), ext(pc, 1), ext(pc, 2), get(fp, i.c()));
        if x >= n {
            return vm.throw_index(pc, fp, x, n);
        }
        let at = fp.add(i.b()) as u64 + x * size;
        if width == BYTES {
            copy_bytes(fp.add(i.a()) as u64, at, size);
        } else {
            set(fp, i.a(), load_width(at, width));
        }
        (pc.add(3), fp)
    }
    FStX |vm, i, pc, fp| {
        let (n, size, width, x) = (ext(pc, 0), ext(pc, 1), ext(pc, 2), get(fp, i.b()));
        if x >= n {
            return vm.throw_index(pc, fp, x, n);
        }
        let at = fp.add(i.a()) as u64 + x * size;
        if width == BYTES {
            copy_bytes(at, fp.add(i.c()) as u64, size);
        } else {
            store_width(at, width, get(fp, i.c()));
        }
        (pc.add(3), fp)
    }
}

const BYTES: u64 = lang::bytecode::op::Width::Bytes as u64;

/// Copies a value; ranges may overlap.
/// # Safety
/// Both ranges are accessible.
#[inline(always)]
pub(crate) unsafe fn copy_bytes(to: u64, from: u64, len: u64) {
    // SAFETY: as the caller promises.
    unsafe {
        if len == 32 {
            let words = (from as *const [u64; 4]).read_unaligned();
            (to as *mut [u64; 4]).write_unaligned(words);
        } else {
            raw::copy(to, from, len);
        }
    }
}

/// # Safety
/// `at` is the address of a scalar of this `Width`.
#[inline(always)]
unsafe fn load_width(at: u64, width: u64) -> u64 {
    // SAFETY: as the caller promises.
    unsafe {
        match width {
            0 => raw::read8(at).into(),
            1 => raw::read8(at) as i8 as u64,
            2 => raw::read16(at).into(),
            3 => raw::read16(at) as i16 as u64,
            4 => raw::read32(at).into(),
            5 => raw::read32(at) as i32 as u64,
            _ => raw::read(at),
        }
    }
}

/// # Safety
/// As for `load_width`.
#[inline(always)]
unsafe fn store_width(at: u64, width: u64, value: u64) {
    // SAFETY: as the caller promises.
    unsafe {
        match width {
            0 | 1 => raw::write8(at, value as u8),
            2 | 3 => raw::write16(at, value as u16),
            4 | 5 => raw::write32(at, value as u32),
            _ => raw::write(at, value),
        }
    }
}

/// Brings a value of a type from memory into slots.
/// # Safety
/// `at` is the address of such a value, `to` the slots for it.
#[inline(always)]
pub(crate) unsafe fn load_form(form: Form, size: u64, at: u64, to: *mut u64) {
    // SAFETY: as the caller promises.
    unsafe {
        match form {
            Form::W64 => *to = raw::read(at),
            Form::U8 => *to = raw::read8(at).into(),
            Form::I8 => *to = raw::read8(at) as i8 as u64,
            Form::U16 => *to = raw::read16(at).into(),
            Form::I16 => *to = raw::read16(at) as i16 as u64,
            Form::U32 => *to = raw::read32(at).into(),
            Form::I32 => *to = raw::read32(at) as i32 as u64,
            Form::Bytes => raw::copy(to as u64, at, size),
        }
    }
}
