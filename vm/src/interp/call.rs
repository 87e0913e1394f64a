//! Calls, returns, deferred functions, natives.
#![allow(unsafe_code)] // Frames.

use lang::bytecode::program::NO_FUNC;

use super::*;
use crate::native::{Ctx, NativeError};
use crate::raw;
use crate::trap::Trap;

/// What a call needs of a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FuncEntry {
    pub code: *const u64,
    pub frame_slots: usize,
}

/// Enters a function whose frame starts at slot `at`; `$ret` is where it returns to, `$again` the address behind
/// the calling instruction's word.
macro_rules! enter {
    ($vm:ident, $entry:expr, $fp:ident, $at:expr, $ret:expr, $again:expr) => {{
        let (entry, at, ret): (FuncEntry, usize, Pc) = ($entry, $at, $ret);
        let callee = $fp.add(at);
        if callee.add(entry.frame_slots) > $vm.stack_end {
            std::hint::cold_path();
            // The same call once more, on a larger stack.
            $vm.growth.pc = $again;
            $vm.growth.slots = at + entry.frame_slots;
            return (GROW_CODE.as_ptr(), $fp);
        }
        *callee.sub(1) = ret as u64 | (at as u64) << 48;
        (entry.code, callee)
    }};
}

handlers! {
    Call |vm, i, pc, fp| {
        let entry = *vm.funcs_ptr.add(i.bc());
        enter!(vm, entry, fp, i.a(), pc, pc)
    }
    Ret |vm, i, pc, fp| {
        let link = *fp.sub(1);
        ((link & LINK_PC) as Pc, fp.sub((link >> 48) as usize))
    }
    CallV |vm, i, pc, fp| {
        let closure = get(fp, i.b());
        if closure < memory::NIL_PAGE {
            return vm.throw_nil(pc, fp);
        }
        let id = raw::read(closure) as usize;
        let func = if i.c() == 0 { (*vm.func_values_ptr.add(id)).plain } else { (*vm.func_values_ptr.add(id)).txn };
        if func == NO_FUNC {
            return vm.no_variant(pc, fp);
        }
        let (code, callee) = enter!(vm, *vm.funcs_ptr.add(func as usize), fp, i.a(), pc, pc);
        *callee.sub(2) = closure;
        (code, callee)
    }
    CallI |vm, i, pc, fp| {
        let (key, data) = (get(fp, i.b()), get(fp, i.b() + 1));
        if key == 0 {
            return vm.throw_nil(pc, fp);
        }
        let method = ext(pc, 0) << 1 | ext(pc, 1) & 1;
        let cached = *vm.method_cache.get_unchecked((key >> 8 ^ method) as usize % METHOD_CACHE);
        let func = if cached.key == key && cached.method == method { cached.func } else { vm.find_method(key, method) };
        if func == NO_FUNC {
            return vm.no_variant(pc, fp);
        }
        set(fp, i.a() + i.c(), data);
        enter!(vm, *vm.funcs_ptr.add(func as usize), fp, i.a(), pc.add(2), pc)
    }
    LdCap |vm, i, pc, fp| {
        let from = *fp.sub(2) + 8 + i.b() as u64 * 8;
        for n in 0..i.c() {
            set(fp, i.a() + n, raw::read(from + n as u64 * 8));
        }
        (pc, fp)
    }
    RunDefers |vm, i, pc, fp| {
        let frame = vm.slot_of(fp);
        match vm.g.defers.last() {
            Some(defer) if defer.frame == frame => {}
            _ => return (pc, fp),
        }
        run_deferred(vm, i, pc, fp)
    }
}

/// Entries of the cache of interface calls.
pub(crate) const METHOD_CACHE: usize = 1024;

#[derive(Clone, Copy, Debug)]
pub(crate) struct CachedMethod {
    pub key: u64,
    /// Method index << 1 | transaction variant.
    pub method: u64,
    pub func: u32,
}

slow_handlers! {
    CallN |vm, i, pc, fp| {
        let native = *vm.natives.get_unchecked(i.bc());
        let Some(f) = native.f else {
            let native = &vm.types.program.natives[i.bc()];
            let text = format!("internal error: no native {} with signature {}", native.name, native.sig);
            return vm.throw(Trap::Fatal(text), pc, fp);
        };
        vm.poll(pc, fp);
        vm.at = (pc, fp);
        let ret = fp.add(i.a());
        let types = vm.types_ptr();
        let mut ctx = Ctx { vm, types, arg: ret.add(native.result_slots), ret };
        let result = f(&mut ctx);
        match result {
            Ok(()) if vm.waiting_migration().is_some() => vm.throw(Trap::Message(String::new()), pc, fp),
            Ok(()) if vm.heap_failure.is_some() => vm.throw(Trap::Message(String::new()), pc, fp),
            Ok(()) => (pc, fp),
            Err(NativeError::Runtime(text)) => vm.throw(Trap::Runtime(text), pc, fp),
            Err(NativeError::Plain(text)) => vm.throw(Trap::Plain(text), pc, fp),
            Err(NativeError::Panic(text)) => vm.throw(Trap::Message(text), pc, fp),
            Err(NativeError::Exit(code)) => vm.throw(Trap::Exit(code), pc, fp),
            Err(NativeError::Fatal(text)) => vm.throw(Trap::Fatal(text), pc, fp),
            Err(NativeError::Gosched) => vm.yield_now(pc, fp, pc),
            Err(NativeError::Collect) => {
                // What lies behind the call's window is left from calls before: nothing of it is kept.
                vm.collect_below(vm.slot_of(fp) + i.a(), pc, fp);
                (pc, fp)
            }
            Err(NativeError::Goexit) => vm.throw(Trap::Goexit, pc, fp),
            Err(NativeError::Block(wait)) => vm.block_native(wait, pc, fp),
            Err(NativeError::NilDeref) => vm.throw_nil(pc, fp),
        }
    }
    Defer |vm, i, pc, fp| {
        let frame = vm.slot_of(fp);
        let closure = get(fp, i.a());
        vm.g.defers.push(crate::goroutine::Defer { frame, closure, pc, is_hook: false });
        (pc, fp)
    }
    Panic |vm, i, pc, fp| {
        let (key, data) = (get(fp, i.a()), get(fp, i.a() + 1));
        if key == 0 {
            return vm.throw(Trap::NilPanic, pc, fp);
        }
        vm.throw(Trap::Value(key, data), pc, fp)
    }
    Recover |vm, i, pc, fp| {
        let (key, data) = vm.recover(pc, fp);
        set(fp, i.a(), key);
        set(fp, i.a() + 1, data);
        (pc, fp)
    }
    Trap |vm, i, pc, fp| {
        let trap = match i.a() {
            0 => Trap::NilDeref,
            1 => Trap::DivideByZero,
            _ => Trap::Fatal("internal error: reached unreachable code".into()),
        };
        vm.throw(trap, pc, fp)
    }
    Print |vm, i, pc, fp| {
        let words = [get(fp, i.a()), get(fp, i.a() + 1), get(fp, i.a() + 2)];
        vm.print(i.b(), words);
        (pc, fp)
    }
}

#[inline(never)]
unsafe fn run_deferred(vm: &mut Vm, i: Ins, pc: Pc, fp: Fp) -> Next {
    // SAFETY: the window at slot a is part of this frame.
    unsafe {
        let Some(defer) = vm.g.defers.last().copied() else {
            return (pc, fp);
        };
        if defer.closure == 0 {
            vm.g.defers.pop();
            return vm.throw_nil(pc, fp);
        }
        let func = vm.deferred_func(defer.closure, i.b() != 0);
        // It returns to this very instruction, which looks for the next one.
        let (code, callee) = enter!(
            vm,
            *vm.funcs_ptr.add(func as usize),
            fp,
            i.a(),
            pc.sub(1),
            pc
        );
        *callee.sub(2) = defer.closure;
        vm.g.defers.pop();
        (code, callee)
    }
}
