//! Slices: making, slicing, append, copy, clear; allocation of single objects.
#![allow(unsafe_code)] // Program memory and slots of the frame.

use super::memory::{base, copy_bytes};
use super::*;
use crate::raw;
use crate::trap::Trap;

/// Largest object that can be asked for; beyond it lengths are out of range.
const MAX_ALLOC_BYTES: u64 = 1 << 47;

handlers! {
    New |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let rt = *vm.rt_ptr.add(i.bc());
        set(fp, i.a(), vm.alloc_volatile(rt.gc, 1, rt.size));
        (pc, fp)
    }
}

slow_handlers! {
    PNew |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let at = match vm.alloc_persistent(i.bc() as u32, 1) {
            Ok(at) => at,
            Err(text) => return vm.throw(Trap::Message(text), pc, fp),
        };
        set(fp, i.a(), at);
        (pc, fp)
    }
    NewArr |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let rt = *vm.rt_ptr.add(i.bc());
        let n = ext(pc, 0);
        set(fp, i.a(), vm.alloc_volatile(rt.gc, n, rt.size * n));
        (pc.add(1), fp)
    }
    PNewArr |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let at = match vm.alloc_persistent(i.bc() as u32, ext(pc, 0)) {
            Ok(at) => at,
            Err(text) => return vm.throw(Trap::Message(text), pc, fp),
        };
        set(fp, i.a(), at);
        (pc.add(1), fp)
    }
    MkSlice |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let (ty, persistent) = (ext(pc, 0) as u32, ext(pc, 1) & 1 != 0);
        let (len, cap) = (get(fp, i.b()), get(fp, i.c()));
        let rt = *vm.rt_ptr.add(ty as usize);
        let max = MAX_ALLOC_BYTES / rt.size.max(1);
        if len > max {
            return vm.throw(Trap::Runtime("makeslice: len out of range".into()), pc, fp);
        }
        if cap < len || cap > max {
            return vm.throw(Trap::Runtime("makeslice: cap out of range".into()), pc, fp);
        }
        let at = if persistent {
            match vm.alloc_persistent(ty, cap) {
                Ok(at) => at,
                Err(text) => return vm.throw(Trap::Message(text), pc, fp),
            }
        } else {
            match vm.try_alloc_volatile(rt.gc, cap, rt.size * cap) {
                Some(at) => at,
                None => return vm.throw(Trap::Fatal("runtime: out of memory".into()), pc, fp),
            }
        };
        set(fp, i.a(), at);
        set(fp, i.a() + 1, len);
        set(fp, i.a() + 2, cap);
        (pc.add(2), fp)
    }
    MkClo |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let (id, n) = (ext(pc, 0), i.c());
        let at = if n == 0 {
            vm.static_closure(id)
        } else {
            let at = vm.alloc_volatile(crate::heap::CONSERVATIVE, n as u64 + 1, (n as u64 + 1) * 8);
            raw::write(at, id);
            raw::copy(at + 8, fp.add(i.b()) as u64, n as u64 * 8);
            at
        };
        set(fp, i.a(), at);
        (pc.add(2), fp)
    }
    Append |vm, i, pc, fp| {
        let (ty, n, mode, id) = (ext(pc, 0) as u32, ext(pc, 1), ext(pc, 2), ext(pc, 3));
        vm.poll(pc, fp);
        let target = if id as u16 == 0xffff { 0 } else { get(fp, id as usize) };
        let (addr, len, cap) = (get(fp, i.b()), get(fp, i.b() + 1), get(fp, i.b() + 2));
        let rt = *vm.rt_ptr.add(ty as usize);
        let persistent = vm.appends_persistently(addr, target, mode);
        if persistent {
            vm.mark_place(pc, fp);
            for k in 0..n {
                let at = fp.add(i.c() + (k * u64::from(rt.slots)) as usize) as u64;
                if let Err(text) = vm.make_persistent(ty, at) {
                    return vm.throw(Trap::Message(vm.store_message(&text, pc)), pc, fp);
                }
            }
        }
        let (addr, cap) = match vm.make_room(ty, addr, len, cap, n, persistent) {
            Ok(room) => room,
            Err(text) => return vm.throw(Trap::Message(text), pc, fp),
        };
        let to = addr + len * rt.size;
        for k in 0..n {
            copy_bytes(to + k * rt.size, fp.add(i.c() + (k * u64::from(rt.slots)) as usize) as u64, rt.size);
        }
        set(fp, i.a(), addr);
        set(fp, i.a() + 1, len + n);
        set(fp, i.a() + 2, cap);
        (pc.add(4), fp)
    }
    AppendS |vm, i, pc, fp| {
        let (ty, mode, id) = (ext(pc, 0) as u32, ext(pc, 1), ext(pc, 2));
        vm.poll(pc, fp);
        let target = if id as u16 == 0xffff { 0 } else { get(fp, id as usize) };
        let (addr, len, cap) = (get(fp, i.b()), get(fp, i.b() + 1), get(fp, i.b() + 2));
        let (from, n) = (get(fp, i.c()), get(fp, i.c() + 1));
        let rt = *vm.rt_ptr.add(ty as usize);
        if n == 0 {
            set(fp, i.a(), addr);
            set(fp, i.a() + 1, len);
            set(fp, i.a() + 2, cap);
            return (pc.add(3), fp);
        }
        let persistent = vm.appends_persistently(addr, target, mode);
        let staged = if persistent {
            vm.mark_place(pc, fp);
            match vm.stage_elements(ty, from, n) {
                Ok(staged) => staged,
                Err(text) => return vm.throw(Trap::Message(vm.store_message(&text, pc)), pc, fp),
            }
        } else {
            None
        };
        let (addr, cap) = match vm.make_room(ty, addr, len, cap, n, persistent) {
            Ok(room) => room,
            Err(text) => return vm.throw(Trap::Message(text), pc, fp),
        };
        let from = staged.as_ref().map_or(from, |staged| staged.as_ptr() as u64);
        raw::copy(addr + len * rt.size, from, n * rt.size);
        set(fp, i.a(), addr);
        set(fp, i.a() + 1, len + n);
        set(fp, i.a() + 2, cap);
        (pc.add(3), fp)
    }
    Copy |vm, i, pc, fp| {
        let (ty, mode) = (ext(pc, 0) as u32, ext(pc, 1));
        let size = (*vm.rt_ptr.add(ty as usize)).size;
        let n = get(fp, i.b() + 1).min(get(fp, i.c() + 1));
        let (to, from) = (get(fp, i.b()), get(fp, i.c()));
        if n > 0 {
            if mode != 0 && vm.is_persistent(to) {
                vm.mark_place(pc, fp);
                let staged = match vm.stage_elements(ty, from, n) {
                    Ok(staged) => staged,
                    Err(text) => return vm.throw(Trap::Message(vm.store_message(&text, pc)), pc, fp),
                };
                vm.will_store(to, n * size);
                raw::copy(to, staged.as_ref().map_or(from, |staged| staged.as_ptr() as u64), n * size);
            } else {
                raw::copy(to, from, n * size);
            }
        }
        set(fp, i.a(), n);
        (pc.add(2), fp)
    }
    ClearS |vm, i, pc, fp| {
        let (ty, mode) = (ext(pc, 0), ext(pc, 1));
        let len = get(fp, i.a() + 1) * (*vm.rt_ptr.add(ty as usize)).size;
        let at = get(fp, i.a());
        if mode != 0 {
            vm.mark_place(pc, fp);
            vm.will_store(at, len);
        }
        if len > 0 {
            raw::zero(at, len);
        }
        (pc.add(2), fp)
    }
    SliceA |vm, i, pc, fp| {
        let (mode, size, n) = (ext(pc, 0), ext(pc, 1), ext(pc, 2));
        let addr = base!(vm, pc, fp, i.b());
        cut(vm, i, pc.add(3), fp, mode, size, [addr, n, n], pc)
    }
}

handlers! {
    App64 |vm, i, pc, fp| {
        let (addr, len, cap) = (get(fp, i.b()), get(fp, i.b() + 1), get(fp, i.b() + 2));
        let value = get(fp, i.c());
        if len < cap {
            raw::write(addr + len * 8, value);
            set(fp, i.a(), addr);
            set(fp, i.a() + 1, len + 1);
            set(fp, i.a() + 2, cap);
            return (pc.add(1), fp);
        }
        append_word(vm, i, pc, fp)
    }
    Slice |vm, i, pc, fp| {
        let (mode, size) = (ext(pc, 0), ext(pc, 1));
        let (addr, len, cap) = (get(fp, i.b()), get(fp, i.b() + 1), get(fp, i.b() + 2));
        if mode & 4 == 0 {
            let lo = if mode & 1 != 0 { get(fp, i.c()) } else { 0 };
            let hi = if mode & 2 != 0 { get(fp, i.c() + 1) } else { len };
            if hi <= cap && lo <= hi {
                set(fp, i.a(), if lo == cap { addr } else { addr + lo * size });
                set(fp, i.a() + 1, hi - lo);
                set(fp, i.a() + 2, cap - lo);
                return (pc.add(2), fp);
            }
        }
        slice_slow(vm, i, pc, fp)
    }
    SliceS |vm, i, pc, fp| {
        let mode = ext(pc, 0);
        let (addr, len) = (get(fp, i.b()), get(fp, i.b() + 1));
        let lo = if mode & 1 != 0 { get(fp, i.c()) } else { 0 };
        let hi = if mode & 2 != 0 { get(fp, i.c() + 1) } else { len };
        if hi > len || lo > hi {
            return throw_slice(vm, pc, fp, mode, lo, hi, 0, len, 1);
        }
        set(fp, i.a(), if lo == len { addr } else { addr + lo });
        set(fp, i.a() + 1, hi - lo);
        (pc.add(1), fp)
    }
    SToArr |vm, i, pc, fp| {
        let (len, n) = (get(fp, i.b() + 1), ext(pc, 0));
        if len < n {
            return throw_to_array(vm, pc, fp, len, n);
        }
        set(fp, i.a(), get(fp, i.b()));
        (pc.add(1), fp)
    }
    USlice |vm, i, pc, fp| {
        let (n, addr, size) = (get(fp, i.b()), get(fp, i.c()), ext(pc, 0));
        let bytes = n.checked_mul(size).filter(|_| n as i64 >= 0);
        if let Some(text) = bad_raw(addr, n, bytes, "Slice") {
            return vm.throw(Trap::Runtime(text), pc, fp);
        }
        set(fp, i.a(), addr);
        set(fp, i.a() + 1, n);
        set(fp, i.a() + 2, n);
        (pc.add(1), fp)
    }
    UStr |vm, i, pc, fp| {
        let (n, addr) = (get(fp, i.b()), get(fp, i.c()));
        let bytes = Some(n).filter(|_| n as i64 >= 0);
        if let Some(text) = bad_raw(addr, n, bytes, "String") {
            return vm.throw(Trap::Runtime(text), pc, fp);
        }
        set(fp, i.a(), addr);
        set(fp, i.a() + 1, n);
        (pc, fp)
    }
    MemCp |vm, i, pc, fp| {
        let (to, from) = (base!(vm, pc, fp, i.a()), base!(vm, pc, fp, i.b()));
        copy_bytes(to, from, ext(pc, 0));
        (pc.add(1), fp)
    }
    MemZ |vm, i, pc, fp| {
        let at = base!(vm, pc, fp, i.a());
        raw::zero(at, ext(pc, 0));
        (pc.add(1), fp)
    }
}

/// What Go says of a bad `unsafe.Slice` or `unsafe.String` of `n` elements, `bytes` together, at an address.
#[inline(never)]
fn bad_raw(addr: u64, n: u64, bytes: Option<u64>, what: &str) -> Option<String> {
    if addr == 0 && n > 0 && bytes.is_some() {
        return Some(format!("unsafe.{what}: ptr is nil and len is not zero"));
    }
    match bytes.and_then(|n| addr.checked_add(n)) {
        Some(_) => None,
        None => Some(format!("unsafe.{what}: len out of range")),
    }
}

#[cold]
#[inline(never)]
unsafe fn append_word(vm: &mut Vm, i: Ins, pc: Pc, fp: Fp) -> Next {
    // SAFETY: as for handlers.
    unsafe {
        vm.poll(pc, fp);
        let (addr, len, cap) = (get(fp, i.b()), get(fp, i.b() + 1), get(fp, i.b() + 2));
        let value = get(fp, i.c());
        let (addr, cap) = match vm.make_room(ext(pc, 0) as u32, addr, len, cap, 1, false) {
            Ok(room) => room,
            Err(text) => return vm.throw(Trap::Message(text), pc, fp),
        };
        raw::write(addr + len * 8, value);
        set(fp, i.a(), addr);
        set(fp, i.a() + 1, len + 1);
        set(fp, i.a() + 2, cap);
        (pc.add(1), fp)
    }
}

#[cold]
#[inline(never)]
unsafe fn slice_slow(vm: &mut Vm, i: Ins, pc: Pc, fp: Fp) -> Next {
    // SAFETY: as for handlers.
    unsafe {
        let slice = [get(fp, i.b()), get(fp, i.b() + 1), get(fp, i.b() + 2)];
        cut(vm, i, pc.add(2), fp, ext(pc, 0), ext(pc, 1), slice, pc)
    }
}

/// Slicing of slices and arrays in general; `next` is where to go on, `pc` where to panic.
#[allow(clippy::too_many_arguments)]
unsafe fn cut(
    vm: &mut Vm,
    i: Ins,
    next: Pc,
    fp: Fp,
    mode: u64,
    size: u64,
    slice: [u64; 3],
    pc: Pc,
) -> Next {
    let [addr, len, cap] = slice;
    // SAFETY: as for handlers.
    unsafe {
        let lo = if mode & 1 != 0 { get(fp, i.c()) } else { 0 };
        let hi = if mode & 2 != 0 {
            get(fp, i.c() + 1)
        } else {
            len
        };
        let max = if mode & 4 != 0 {
            get(fp, i.c() + 2)
        } else {
            cap
        };
        if max > cap || hi > max || lo > hi {
            let kind = if i.op() == Op::SliceA as u16 { 2 } else { 0 };
            return throw_slice(vm, pc, fp, mode, lo, hi, max, cap, kind);
        }
        set(fp, i.a(), if lo == max { addr } else { addr + lo * size });
        set(fp, i.a() + 1, hi - lo);
        set(fp, i.a() + 2, max - lo);
        (next, fp)
    }
}

/// Go's texts for bad slice bounds. `kind`: 0 slice, 1 string, 2 array; `limit` the capacity (or length).
#[cold]
#[inline(never)]
#[allow(clippy::too_many_arguments)]
fn throw_slice(
    vm: &mut Vm,
    pc: Pc,
    fp: Fp,
    mode: u64,
    lo: u64,
    hi: u64,
    max: u64,
    limit: u64,
    kind: u8,
) -> Next {
    let what = if kind == 0 { "capacity" } else { "length" };
    let (slo, shi, smax) = (lo as i64, hi as i64, max as i64);
    let text = if mode & 4 != 0 {
        if max > limit {
            if smax < 0 {
                format!("[::{smax}]")
            } else {
                format!("[::{smax}] with {what} {limit}")
            }
        } else if hi > max {
            if shi < 0 {
                format!("[:{shi}:]")
            } else {
                format!("[:{shi}:{smax}]")
            }
        } else if slo < 0 {
            format!("[{slo}::]")
        } else {
            format!("[{slo}:{shi}:]")
        }
    } else if hi > limit {
        if shi < 0 {
            format!("[:{shi}]")
        } else {
            format!("[:{shi}] with {what} {limit}")
        }
    } else if slo < 0 {
        format!("[{slo}:]")
    } else {
        format!("[{slo}:{shi}]")
    };
    vm.throw(Trap::SliceBounds(text), pc, fp)
}

#[cold]
#[inline(never)]
fn throw_to_array(vm: &mut Vm, pc: Pc, fp: Fp, len: u64, n: u64) -> Next {
    let text = format!(
        "cannot convert slice with length {len} to array or pointer to array with length {n}"
    );
    vm.throw(Trap::Runtime(text), pc, fp)
}

/// Go's allocation sizes, on which capacities after append depend.
const GO_CLASSES: [u64; 67] = [
    8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352,
    384, 416, 448, 480, 512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048,
    2304, 2688, 3072, 3200, 3456, 4096, 4864, 5120, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728,
    10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672,
];

/// The size that Go would allocate for `size` bytes.
pub(crate) fn round_up_size(size: u64, has_pointers: bool) -> u64 {
    // Objects with pointers of more than 512 bytes have a header word there.
    let header = if has_pointers && size > 512 { 8 } else { 0 };
    let needed = size + header;
    if needed <= 32768 - header {
        let class = GO_CLASSES
            .iter()
            .find(|&&class| class >= needed)
            .copied()
            .unwrap_or(32768);
        return class - header;
    }
    size.next_multiple_of(8192)
}

/// The capacity that Go gives a slice that must hold `len` elements.
fn grown_cap(len: u64, old_cap: u64, size: u64, has_pointers: bool) -> u64 {
    let mut cap = old_cap;
    if len > old_cap * 2 {
        cap = len;
    } else if old_cap < 256 {
        cap = old_cap * 2;
    } else {
        while cap < len {
            cap += (cap + 3 * 256) >> 2;
        }
    }
    round_up_size(cap * size, has_pointers)
        .checked_div(size)
        .unwrap_or(len)
}

impl Vm {
    /// Where append allocates and whether its stores are announced.
    fn appends_persistently(&self, addr: u64, target: u64, mode: u64) -> bool {
        match mode {
            0 => false,
            // Known to be persistent.
            3 | 4 => true,
            _ => self.is_persistent(addr) || (addr == 0 && self.is_persistent(target)),
        }
    }

    /// Makes a slice of `len` of `cap` elements at `addr` have room for `n` more: address and capacity. Stores of the
    /// new elements are announced.
    pub(crate) fn make_room(
        &mut self,
        ty: u32,
        addr: u64,
        len: u64,
        cap: u64,
        n: u64,
        persistent: bool,
    ) -> Result<(u64, u64), String> {
        let rt = *self.types.rt(ty);
        let needed = len + n;
        let is_moving_home = persistent && addr != 0 && !self.is_persistent(addr);
        if needed <= cap && !is_moving_home {
            if persistent {
                self.will_store(addr + len * rt.size, n * rt.size);
            }
            return Ok((addr, cap));
        }
        if needed > MAX_ALLOC_BYTES / rt.size.max(1) {
            return Err("runtime error: growslice: len out of range".into());
        }
        let has_pointers = !self.types.desc(ty).ptrs.is_empty();
        let cap = grown_cap(needed, cap, rt.size, has_pointers);
        let staged = if is_moving_home {
            self.stage_elements(ty, addr, len)?
        } else {
            None
        };
        let new = if persistent {
            self.alloc_persistent(ty, cap)?
        } else {
            self.try_alloc_volatile(rt.gc, cap, cap * rt.size)
                .ok_or("runtime: out of memory")?
        };
        if len > 0 {
            let from = staged
                .as_ref()
                .map_or(addr, |staged| staged.as_ptr() as u64);
            // SAFETY: the old elements are live, the new memory is fresh and larger.
            unsafe { raw::copy(new, from, len * rt.size) };
        }
        if persistent {
            self.will_store(new, needed * rt.size);
        }
        Ok((new, cap))
    }
}
