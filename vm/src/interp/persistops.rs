//! Persistence instructions: persistent variables and roots, transactions, log and note, values entering the heap.
#![allow(unsafe_code)] // Slots of the frame.

use super::memory::NIL_PAGE;
use super::*;
use crate::goroutine::{Hook, TxnMark};
use crate::raw;
use crate::trap::Trap;
use crate::world::Deed;

/// `Ok` value, or leaves the handler by panicking with the message.
macro_rules! or_panic {
    ($vm:ident, $pc:ident, $fp:ident, $result:expr) => {
        match $result {
            Ok(value) => value,
            Err(text) => return $vm.throw(Trap::Message(text), $pc, $fp),
        }
    };
}

handlers! {
    PVar |vm, i, pc, fp| {
        let known = *vm.pvar_addrs.as_ptr().add(i.bc());
        if known == 0 {
            return find_pvar(vm, i, pc, fp);
        }
        set(fp, i.a(), known);
        (pc, fp)
    }
    Log |vm, i, pc, fp| {
        let base = get(fp, i.a());
        if base < NIL_PAGE {
            return vm.throw_nil(pc, fp);
        }
        vm.log_store(base + i.b() as u64, i.c() as u64);
        (pc, fp)
    }
    LogN |vm, i, pc, fp| {
        let base = get(fp, i.a());
        if base < NIL_PAGE {
            return vm.throw_nil(pc, fp);
        }
        vm.log_store(base, ext(pc, 0));
        (pc.add(1), fp)
    }
    LogCk |vm, i, pc, fp| {
        let at = get(fp, i.a()).wrapping_add(i.b() as u64);
        if vm.is_persistent(at) {
            vm.log_store(at, i.c() as u64);
        }
        (pc, fp)
    }
    LogCkN |vm, i, pc, fp| {
        let at = get(fp, i.a());
        if vm.is_persistent(at) {
            vm.log_store(at, ext(pc, 0));
        }
        (pc.add(1), fp)
    }
    PVal |vm, i, pc, fp| {
        if ext(pc, 1) == 1 && !vm.is_persistent(get(fp, i.b())) {
            return (pc.add(2), fp);
        }
        enter_heap(vm, i, pc, fp)
    }
}

slow_handlers! {
    PVarHas |vm, i, pc, fp| {
        let has = or_panic!(vm, pc, fp, vm.find_root_of_pvar(i.bc())) != 0;
        set(fp, i.a(), has.into());
        (pc, fp)
    }
    PVarMake |vm, i, pc, fp| {
        let program = &vm.types_ptr().program;
        let pvar = &program.pvars[i.bc()];
        let at = or_panic!(vm, pc, fp, vm.make_root(&pvar.name, pvar.ty));
        vm.pvar_addrs[i.bc()] = at;
        set(fp, i.a(), at);
        (pc, fp)
    }
    PRoot |vm, i, pc, fp| {
        let (name, ty) = (root_name(fp, i), ext(pc, 0) as u32);
        let at = match or_panic!(vm, pc, fp, vm.find_root(&name, ty)) {
            0 => or_panic!(vm, pc, fp, vm.make_root(&name, ty)),
            at => at,
        };
        set(fp, i.a(), at);
        (pc.add(1), fp)
    }
    PLookup |vm, i, pc, fp| {
        let (name, ty) = (root_name(fp, i), ext(pc, 0) as u32);
        let at = or_panic!(vm, pc, fp, vm.find_root(&name, ty));
        set(fp, i.a(), at);
        set(fp, i.a() + 1, u64::from(at != 0));
        (pc.add(1), fp)
    }
    Persist |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let ty = ext(pc, 0) as u32;
        let rt = *vm.types.rt(ty);
        let (from, to) = (fp.add(i.b()), fp.add(i.a()));
        std::ptr::copy(from, to, rt.slots as usize);
        if let Err(text) = vm.persist_deep(ty, to as u64) {
            return vm.throw(Trap::Message(text), pc, fp);
        }
        (pc.add(1), fp)
    }
    TxnBegin |vm, i, pc, fp| {
        let frame = vm.slot_of(fp);
        vm.g.txns.push(TxnMark { frame, options: i.a() as u16 });
        vm.begin_txn();
        (pc, fp)
    }
    TxnCommit |vm, i, pc, fp| {
        // A hook that it ran, and a wait for the flush, return to this very instruction.
        if vm.g.txns.is_empty() {
            if let Some(done) = vm.awaited() {
                vm.g.settle_hooks(done.is_ok());
                or_panic!(vm, pc, fp, done);
            }
            return run_hook(vm, pc, fp);
        }
        let options = vm.g.txns.first().map_or(0, |outermost| outermost.options);
        vm.g.txns.pop();
        let outermost = vm.g.txns.is_empty() && vm.options.world.is_some();
        if outermost {
            vm.mark_place(pc, fp);
            vm.tell(Deed::Commit);
        }
        let done = vm.commit_txn(options);
        if let Ok(Some(lsn)) = done {
            return vm.wait_for_durability(lsn, pc, fp);
        }
        if outermost && done.is_ok() {
            vm.tell_committed();
        }
        vm.g.settle_hooks(done.is_ok());
        or_panic!(vm, pc, fp, done);
        if vm.g.hooks.is_empty() {
            return (pc, fp);
        }
        run_hook(vm, pc, fp)
    }
}

/// Runs the functions of pmem.Migrate; then the instruction is tried again.
#[cold]
#[inline(never)]
pub(crate) unsafe fn run_migration(vm: &mut Vm, closure: u64, pc: Pc, fp: Fp) -> Next {
    let slots = vm.frame_end(pc, fp) - vm.slot_of(fp) + 2;
    let entry = vm.funcs[vm.deferred_func(closure, false) as usize];
    // SAFETY: as in `run_hook`.
    unsafe {
        if fp.add(slots + entry.frame_slots) > vm.stack_end {
            return vm.grow_stack(pc, fp, slots + entry.frame_slots);
        }
        let callee = fp.add(slots);
        *callee.sub(1) = pc.sub(1) as u64 | (slots as u64) << 48;
        *callee.sub(2) = closure;
        (entry.code, callee)
    }
}

/// Runs the next function that waited for the outcome of the outermost transaction, if there is one.
#[cold]
#[inline(never)]
unsafe fn run_hook(vm: &mut Vm, pc: Pc, fp: Fp) -> Next {
    let slots = vm.frame_end(pc, fp) - vm.slot_of(fp) + 2;
    let Some(closure) = vm.next_hook() else {
        return (pc, fp);
    };
    let func = vm.deferred_func(closure, false);
    let entry = vm.funcs[func as usize];
    // SAFETY: the frame behind this one's end, in the stack once there is room.
    unsafe {
        if fp.add(slots + entry.frame_slots) > vm.stack_end {
            let hook = Hook {
                level: 0,
                on_commit: true,
                closure,
                go: None,
            };
            vm.g.hooks.insert(0, hook);
            return vm.grow_stack(pc, fp, slots + entry.frame_slots);
        }
        let callee = fp.add(slots);
        *callee.sub(1) = pc.sub(1) as u64 | (slots as u64) << 48;
        *callee.sub(2) = closure;
        (entry.code, callee)
    }
}

#[cold]
#[inline(never)]
unsafe fn find_pvar(vm: &mut Vm, i: Ins, pc: Pc, fp: Fp) -> Next {
    // SAFETY: as for handlers.
    unsafe {
        let at = match or_panic!(vm, pc, fp, vm.find_root_of_pvar(i.bc())) {
            0 => {
                // Deleted by the program: it comes back zeroed.
                let pvar = &vm.types_ptr().program.pvars[i.bc()];
                let at = or_panic!(vm, pc, fp, vm.make_root(&pvar.name, pvar.ty));
                vm.pvar_addrs[i.bc()] = at;
                at
            }
            at => at,
        };
        set(fp, i.a(), at);
        (pc, fp)
    }
}

#[inline(never)]
unsafe fn enter_heap(vm: &mut Vm, i: Ins, pc: Pc, fp: Fp) -> Next {
    vm.poll(pc, fp);
    // SAFETY: as for handlers.
    unsafe {
        match vm.make_persistent(ext(pc, 0) as u32, fp.add(i.a()) as u64) {
            Ok(()) => (pc.add(2), fp),
            Err(text) => vm.throw(Trap::Message(vm.store_message(&text, pc)), pc, fp),
        }
    }
}

unsafe fn root_name(fp: Fp, i: Ins) -> String {
    // SAFETY: a string in slots.
    String::from_utf8_lossy(unsafe { raw::slice(get(fp, i.b()), get(fp, i.b() + 1)) }).into_owned()
}

impl Vm {
    /// The message of a refused store: `text` (what was to be stored), where by the function's notes, what to do.
    pub(crate) fn store_message(&self, text: &str, pc: Pc) -> String {
        let place = self.func_at(pc).and_then(|(func, desc)| {
            let word = (pc as usize - self.funcs[func as usize].code as usize) / 8 - 1;
            desc.store_notes
                .iter()
                .find(|note| note.0 as usize == word)
                .map(|note| format!(": {}", note.1))
        });
        format!(
            "{text} stored into persistent memory{} (use pnew, pmake or persist)",
            place.unwrap_or_default()
        )
    }

    /// Rolls back the transactions that frames from slot `frame` on have open.
    pub(crate) fn rollback_txns(&mut self, frame: usize) {
        while self.g.txns.last().is_some_and(|mark| mark.frame >= frame) {
            self.g.txns.pop();
            self.rollback_txn();
            if let (Some(world), true) = (&self.options.world, self.g.txns.is_empty()) {
                world.witness.see(Deed::RolledBack, None);
            }
            self.g.settle_hooks(false);
        }
    }

    /// Announces a store to persistent memory inside a transaction.
    #[inline(always)]
    fn log_store(&mut self, at: u64, len: u64) {
        if let Some(store) = &mut self.store {
            store.log(at, len);
        }
    }
}
