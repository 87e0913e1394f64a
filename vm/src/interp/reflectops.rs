//! Calls whose function and signature are known at run time only: package reflect's.
#![allow(unsafe_code)] // Frames, and their images in memory.

use lang::bytecode::program::NO_FUNC;

use super::call::FuncEntry;
use super::*;
use crate::heap::CONSERVATIVE;
use crate::raw;
use crate::trap::Trap;

/// Slots between a frame's end and a call's window.
const LINK_SLOTS: usize = 2;
/// A frame's distance from its caller's must fit the link word.
const MAX_SLOTS: u64 = 0xfff0;

slow_handlers! {
    CallR |vm, i, pc, fp| {
        let (closure, image, slots) = (get(fp, i.b()), get(fp, i.b() + 1), get(fp, i.b() + 2) as usize);
        if closure < memory::NIL_PAGE {
            return vm.throw_nil(pc, fp);
        }
        let value = *vm.func_values_ptr.add(raw::read(closure) as usize);
        let func = if i.c() == 0 { value.plain } else { value.txn };
        if func == NO_FUNC {
            return vm.no_variant(pc, fp);
        }
        let entry: FuncEntry = *vm.funcs_ptr.add(func as usize);
        let callee = fp.add(i.a());
        let frame_slots = entry.frame_slots.max(slots);
        if callee.add(frame_slots) > vm.stack_end {
            return vm.grow_stack(pc, fp, i.a() + frame_slots);
        }
        raw::copy(callee as u64, image, slots as u64 * 8);
        *callee.sub(1) = pc as u64 | (i.a() as u64) << 48;
        *callee.sub(2) = closure;
        (entry.code, callee)
    }
    TakeR |vm, i, pc, fp| {
        let (image, results) = (get(fp, i.b() + 1), get(fp, i.b() + 3));
        raw::copy(image, fp.add(i.a()) as u64, results * 8);
        (pc, fp)
    }
    PutR |vm, i, pc, fp| {
        let (image, words) = (get(fp, i.b() + 1), get(fp, i.b() + 3));
        raw::copy(fp.add(i.a()) as u64, image, words * 8);
        (pc, fp)
    }
    StubIn |vm, i, pc, fp| {
        let value = *vm.func_values_ptr.add(i.bc());
        let func = if i.a() == 0 { value.plain } else { value.txn };
        if func == NO_FUNC {
            return vm.no_variant(pc, fp);
        }
        let (context, slots) = (stub_capture(fp, 0), stub_slots(fp));
        if slots > MAX_SLOTS {
            return vm.throw(Trap::Fatal("reflect: function type too large".into()), pc, fp);
        }
        let at = slots as usize + LINK_SLOTS;
        let entry: FuncEntry = *vm.funcs_ptr.add(func as usize);
        let callee = fp.add(at);
        // Others must not run here: this frame is larger than its function says.
        let end = vm.slot_of(callee) + entry.frame_slots;
        if !vm.has_room(end) {
            return vm.grow_now(pc, fp, end);
        }
        // Allocation alone does not collect.
        let image = vm.alloc_volatile(CONSERVATIVE, slots, slots * 8);
        raw::copy(image, fp as u64, slots * 8);
        // Its result, then its parameters.
        set(callee, 0, 0);
        set(callee, 1, context);
        set(callee, 2, image);
        *callee.sub(1) = pc as u64 | (at as u64) << 48;
        *callee.sub(2) = 0;
        (entry.code, callee)
    }
    StubOut |vm, i, pc, fp| {
        let image = get(fp, stub_slots(fp) as usize + LINK_SLOTS);
        raw::copy(fp as u64, image, stub_capture(fp, 1) * 8);
        (pc, fp)
    }
}

/// # Safety
/// The frame is of a function that `Ctx::reflect_closure` made a value of.
unsafe fn stub_capture(fp: Fp, n: u64) -> u64 {
    // SAFETY: the closure has three captures; it is in the frame's link.
    unsafe { raw::read(*fp.sub(2) + 8 + n * 8) }
}

/// Slots of results and parameters.
/// # Safety
/// As for `stub_capture`.
unsafe fn stub_slots(fp: Fp) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { stub_capture(fp, 1) + stub_capture(fp, 2) }
}
