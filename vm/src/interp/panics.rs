//! Panics: raising, running deferred functions on top of the panicking frames, recovering, giving up; stack growth.
#![allow(unsafe_code)] // Frames.

use lang::bytecode::program::{FuncIdx, Function, NO_FUNC};

use super::*;
use crate::goroutine::{Defer, MAX_STACK_BYTES};
use crate::raw;
use crate::trap::{Panic, Trap};
use crate::{Outcome, RETIRED, STACK_SLACK};

impl Vm {
    /// Slot number of a frame.
    #[inline(always)]
    pub(crate) fn slot_of(&self, fp: Fp) -> usize {
        (fp as usize - self.stack_base as usize) / 8
    }

    #[inline(always)]
    pub(crate) fn frame_at(&self, slot: usize) -> Fp {
        // SAFETY: slot numbers come from frames of this stack.
        unsafe { self.stack_base.add(slot) }
    }

    /// The function whose code a return address (or the address behind an instruction word) is in.
    pub(crate) fn func_at(&self, pc: Pc) -> Option<(FuncIdx, &Function)> {
        let at = (pc as u64).wrapping_sub(8);
        let i = self
            .ranges
            .partition_point(|range| range.0 <= at)
            .checked_sub(1)?;
        let (_, end, func) = self.ranges[i];
        (at < end).then(|| match func.checked_sub(RETIRED) {
            None => (func, &self.types.program.funcs[func as usize]),
            Some(retired) => {
                let (func, body) = &self.retired[retired as usize];
                (*func, body)
            }
        })
    }

    /// Slot number where the frame ends whose code `pc` is in.
    pub(crate) fn frame_end(&self, pc: Pc, fp: Fp) -> usize {
        self.slot_of(fp)
            + self
                .func_at(pc)
                .map_or(0, |(_, func)| func.frame_slots as usize)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn throw_nil(&mut self, pc: Pc, fp: Fp) -> Next {
        let trap = match self.func_at(pc) {
            Some((_, func)) if func.value_method => {
                // The wrapper is named `main.(*T).F`, the method `main.T.F`.
                let (pkg, rest) = func.name.split_once("(*").unwrap_or(("", &func.name));
                let (ty, method) = rest.rsplit_once(").").unwrap_or((rest, ""));
                Trap::Plain(format!(
                    "value method {pkg}{ty}.{method} called using nil *{ty} pointer"
                ))
            }
            _ => Trap::NilDeref,
        };
        self.throw(trap, pc, fp)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn throw_read_only(&mut self, pc: Pc, fp: Fp) -> Next {
        let trap = Trap::Message(self.read_only_message());
        self.throw(trap, pc, fp)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn throw_divide(&mut self, pc: Pc, fp: Fp) -> Next {
        self.throw(Trap::DivideByZero, pc, fp)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn throw_index(&mut self, pc: Pc, fp: Fp, index: u64, len: u64) -> Next {
        self.throw(
            Trap::Index {
                index: index as i64,
                len,
            },
            pc,
            fp,
        )
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn no_variant(&mut self, pc: Pc, fp: Fp) -> Next {
        self.throw(
            Trap::Fatal("internal error: a call reached a variant that was not compiled".into()),
            pc,
            fp,
        )
    }

    /// Raises; gives the place to go on.
    #[cold]
    #[inline(never)]
    pub(crate) fn throw(&mut self, trap: Trap, pc: Pc, fp: Fp) -> Next {
        if let Some(closure) = self.waiting_migration() {
            // SAFETY: the instruction failed because it opened the heap, and has changed nothing.
            return unsafe { super::persistops::run_migration(self, closure, pc, fp) };
        }
        if matches!(trap, Trap::Message(_))
            && let Some(text) = self.heap_failure.take()
        {
            self.write_stderr(&format!("pgo: {text}\n"));
            self.abandon();
            return self.stop(Outcome::Panicked);
        }
        match trap {
            Trap::Exit(code) => {
                self.abandon();
                return self.stop(Outcome::Exit(code));
            }
            Trap::Fatal(text) => {
                self.report_fatal(&text, pc, self.slot_of(fp));
                self.abandon();
                return self.stop(Outcome::Panicked);
            }
            _ => {}
        }
        let is_nil_deref = matches!(trap, Trap::NilDeref);
        let is_goexit = matches!(trap, Trap::Goexit);
        let (key, data, text) = match trap {
            Trap::Value(key, data) => (key, data, None),
            Trap::Goexit => (0, 0, None),
            Trap::Message(text) => {
                let (key, data) = self.string_value(self.string_ty, &text);
                (key, data, Some(text))
            }
            Trap::Assertion(text) if self.assertion_error.is_some() => {
                let (ty, key) = self.assertion_error.expect("looked at just now");
                // The pointer to a struct of one string: as an interface holding a string, but for the key.
                let (_, data) = self.string_value(Some(ty), &text);
                (key, data, Some(text))
            }
            Trap::NilPanic if self.panic_nil_error.is_some() => {
                let (ty, key) = self.panic_nil_error.expect("looked at just now");
                let text = trap.text().unwrap_or_default();
                let (_, data) = self.string_value(Some(ty), &text);
                (key, data, Some(text))
            }
            other => {
                let text = other.text().unwrap_or_default();
                let (key, data) = self.string_value(self.rt_error_ty.or(self.string_ty), &text);
                (key, data, Some(text))
            }
        };
        let frame = self.slot_of(fp);
        self.g.panics.push(Panic {
            key,
            data,
            text,
            is_nil_deref,
            is_goexit,
            frame,
            pc,
            deferring: 0,
            deferring_pc: pc,
            deferred: 0,
            recovered: false,
            in_hook: false,
        });
        self.unwind()
    }

    /// An interface holding a string of a type with string as its underlying type.
    fn string_value(&mut self, ty: Option<u32>, text: &str) -> (u64, u64) {
        let Some(ty) = ty else { return (0, 0) };
        let (gc, key) = (self.types.rt(ty).gc, self.types.rt(ty).key);
        let addr = self.alloc_bytes(text.as_bytes());
        let string = self.alloc_volatile(gc, 1, 16);
        // SAFETY: a fresh object of a string's size.
        unsafe {
            raw::write(string, addr);
            raw::write(string + 8, text.len() as u64);
        }
        (key, string)
    }

    /// Rolls back the transactions that the newest panic leaves before the next deferred function runs; their hooks
    /// come before it.
    fn unwind_txns(&mut self) {
        let above = self.g.defers.get(self.defer_floor..).and_then(<[_]>::last);
        let next = above.map(|defer| (defer.frame, defer.pc));
        if self.defer_floor == 0 || next.is_some() {
            self.rollback_txns(next.map_or(0, |(frame, _)| frame));
        }
        let panic = self.g.panics.last().expect("only panics unwind");
        let (frame, pc) = next.unwrap_or((panic.frame, panic.pc));
        // Inserted below one another: the first one runs first.
        let at = self.g.defers.len();
        while let Some(closure) = self.next_hook() {
            let hook = Defer {
                frame,
                closure,
                pc,
                is_hook: true,
            };
            self.g.defers.insert(at, hook);
        }
    }

    /// Runs the next deferred function for the newest panic, or gives up.
    fn unwind(&mut self) -> Next {
        self.unwind_txns();
        if self.g.defers.len() <= self.defer_floor {
            if self.g.panics.last().is_some_and(|panic| panic.is_goexit) && self.sched.nested == 0 {
                return self.end_goroutine();
            }
            self.report_panics();
            self.abandon();
            return self.stop(Outcome::Panicked);
        }
        let defer = self.g.defers.pop().expect("there is one above the floor");
        let txn = self.in_txn();
        let panic = self.g.panics.last_mut().expect("only panics unwind");
        panic.in_hook = defer.is_hook;
        panic.deferring = defer.frame;
        panic.deferring_pc = defer.pc;
        let (pc, frame) = (panic.pc, panic.frame);
        let at = self.frame_end(pc, self.frame_at(frame)) + 2;
        self.g.panics.last_mut().expect("as above").deferred = at;
        if defer.closure == 0 {
            return self.throw_nil(pc, self.frame_at(frame));
        }
        let func = self.deferred_func(defer.closure, txn);
        let entry = self.funcs[func as usize];
        if at + entry.frame_slots + STACK_SLACK > self.g.stack.len()
            && !self.grow_to(at + entry.frame_slots + STACK_SLACK)
        {
            return self.stack_overflow(pc, self.frame_at(frame));
        }
        self.g.stack[at - 1] = AFTER_DEFERRED_CODE.as_ptr() as u64;
        self.g.stack[at - 2] = defer.closure;
        (entry.code, self.frame_at(at))
    }

    /// The variant of a deferred func value that fits; the other one if only that exists.
    pub(crate) fn deferred_func(&self, closure: u64, txn: bool) -> FuncIdx {
        // SAFETY: a func value is the address of an object that starts with an index of `func_values`.
        let value = self.func_values[unsafe { raw::read(closure) } as usize];
        let (want, other) = if txn {
            (value.txn, value.plain)
        } else {
            (value.plain, value.txn)
        };
        if want == NO_FUNC { other } else { want }
    }

    /// The value of `recover()` in the frame `fp`: the newest panic's, if a deferred function of it (or a function
    /// that only wrappers lie between) asks.
    pub(crate) fn recover(&mut self, pc: Pc, fp: Fp) -> (u64, u64) {
        let mut frame = self.slot_of(fp);
        let Some(panic) = self.g.panics.last() else {
            return (0, 0);
        };
        if panic.recovered
            || panic.in_hook
            || panic.is_goexit
            || self.func_at(pc).is_some_and(|(_, func)| func.wrapper)
        {
            return (0, 0);
        }
        while frame != panic.deferred {
            let link = self.g.stack[frame - 1];
            match self.func_at((link & LINK_PC) as Pc) {
                Some((_, func)) if func.wrapper => frame -= (link >> 48) as usize,
                _ => return (0, 0),
            }
        }
        let panic = self.g.panics.last_mut().expect("looked at just now");
        panic.recovered = true;
        (panic.key, panic.data)
    }

    pub(crate) fn stop(&mut self, outcome: Outcome) -> Next {
        self.outcome = Some(outcome);
        (HALT_CODE.as_ptr(), self.frame_at(STACK_SLACK))
    }

    /// Nothing of the running program goes on: open transactions are rolled back.
    pub(crate) fn abandon(&mut self) {
        self.rollback_txns(0);
        self.g.hooks.clear();
        self.g.defers.truncate(self.defer_floor);
        self.g.panics.truncate(self.panic_floor);
    }

    /// Makes room for a frame that ends `slots` behind `fp`, and goes on with the instruction before `pc`.
    #[cold]
    #[inline(never)]
    pub(crate) fn grow_stack(&mut self, pc: Pc, fp: Fp, slots: usize) -> Next {
        let at = self.slot_of(fp);
        if self.grow_to(at + slots + STACK_SLACK) {
            // SAFETY: `pc` is behind an instruction word.
            return (unsafe { pc.sub(1) }, self.frame_at(at));
        }
        self.stack_overflow(pc, fp)
    }

    /// Does the stack have slots up to `end`?
    pub(crate) fn has_room(&self, end: usize) -> bool {
        end + STACK_SLACK <= self.g.stack.len()
    }

    /// As `grow_stack`, up to slot `end`, but never switches to another goroutine.
    #[cold]
    #[inline(never)]
    pub(crate) fn grow_now(&mut self, pc: Pc, fp: Fp, end: usize) -> Next {
        let at = self.slot_of(fp);
        if self.grow_to(end + STACK_SLACK) {
            // SAFETY: `pc` is behind an instruction word.
            return (unsafe { pc.sub(1) }, self.frame_at(at));
        }
        self.stack_overflow(pc, fp)
    }

    fn grow_to(&mut self, slots: usize) -> bool {
        let done = self.g.grow(slots);
        self.bind_stack();
        done
    }

    /// Points the machine at the current goroutine's stack.
    pub(crate) fn bind_stack(&mut self) {
        self.stack_base = self.g.stack.as_mut_ptr();
        // SAFETY: the slack lies within the stack.
        self.stack_end = unsafe { self.stack_base.add(self.g.stack.len() - STACK_SLACK) };
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn stack_overflow(&mut self, pc: Pc, fp: Fp) -> Next {
        self.write_stderr(&format!(
            "runtime: goroutine stack exceeds {MAX_STACK_BYTES}-byte limit\n"
        ));
        self.throw(Trap::Fatal("stack overflow".into()), pc, fp)
    }
}

/// A call needs more stack; it is made again.
pub(crate) fn grow(vm: &mut Vm, fp: Fp) -> Next {
    let (pc, slots) = (vm.growth.pc, vm.growth.slots);
    vm.grow_stack(pc, fp, slots)
}

/// A deferred function that a panic ran has returned.
pub(crate) fn after_deferred(vm: &mut Vm, _: Fp) -> Next {
    let panic = vm.g.panics.last().expect("a panic ran the function");
    if !panic.recovered {
        return vm.unwind();
    }
    let (frame, pc) = (panic.deferring, panic.deferring_pc);
    vm.g.panics.pop();
    // Older panics whose deferred calls are gone with the frames above are over, too.
    while vm.g.panics.len() > vm.panic_floor
        && vm
            .g
            .panics
            .last()
            .is_some_and(|older| older.deferred > frame)
    {
        if vm.g.panics.last().is_some_and(|older| older.is_goexit) {
            // Goexit goes on whatever is recovered.
            return vm.unwind();
        }
        vm.g.panics.pop();
    }
    let start = vm
        .func_at(pc)
        .and_then(|(_, func)| Some((func.code.as_ptr(), func.recover_pc?)));
    match start {
        // SAFETY: the address of an instruction of the function.
        Some((code, word)) => (unsafe { code.add(word as usize) }, vm.frame_at(frame)),
        None => vm.throw(
            Trap::Fatal("internal error: a function with deferred calls cannot be resumed".into()),
            pc,
            vm.frame_at(frame),
        ),
    }
}
