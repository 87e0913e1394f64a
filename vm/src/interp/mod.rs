//! The interpreter: decoding, the dispatch generated from the opcode table, and the conventions of handlers.
//!
//! A handler is a function named as its opcode, `fn(vm, ins, pc, fp) -> (pc, fp)`, always inlined into the dispatch; `pc`
//! points behind the instruction word. What is rare or long is an out-of-line function that takes and returns scalars only.
//! Panics return the place to go on like any jump, so the loop tests for nothing; it ends at the pseudo-opcode `HALT`.
//!
//! A frame is a window of the goroutine's stack: `fp` is its slot 0; `fp[-1]` holds the return address with, in its upper 16 bits,
//! the slot of the caller's frame at which this one starts; `fp[-2]` the func value that runs (of function literals).
#![allow(unsafe_code)] // Frames and program memory are reached by address.

pub(crate) mod arith;
pub(crate) mod call;
pub(crate) mod chan;
pub(crate) mod compare;
pub(crate) mod iface;
pub(crate) mod index;
pub(crate) mod mapops;
pub(crate) mod memory;
pub(crate) mod panics;
pub(crate) mod persistops;
mod reflectops;
pub(crate) mod slice;
pub(crate) mod string;

#[cfg(any(debug_assertions, not(target_arch = "x86_64")))]
use std::sync::atomic::AtomicBool;
#[cfg(not(any(debug_assertions, not(target_arch = "x86_64"))))]
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering;

use lang::bytecode::op::{OPS, Op};

use crate::{Vm, sched};

pub(crate) type Pc = *const u64;
pub(crate) type Fp = *mut u64;
pub(crate) type Next = (Pc, Fp);

/// Ends a run of the dispatch loop.
pub(crate) const HALT: u16 = OPS.len() as u16;
/// Where a deferred function run by a panic returns to.
pub(crate) const AFTER_DEFERRED: u16 = HALT + 1;
/// Where a goroutine's function returns to.
pub(crate) const GO_END: u16 = HALT + 2;
/// Where a goroutine goes on that is to panic instead.
pub(crate) const WAKE: u16 = HALT + 3;
/// Where calls go that need more stack: as an instruction, so that their handlers have no call.
pub(crate) const GROW: u16 = HALT + 4;
pub(crate) static HALT_CODE: [u64; 2] = [HALT as u64; 2];
pub(crate) static AFTER_DEFERRED_CODE: [u64; 2] = [AFTER_DEFERRED as u64; 2];
pub(crate) static GO_END_CODE: [u64; 2] = [GO_END as u64; 2];
pub(crate) static WAKE_CODE: [u64; 2] = [WAKE as u64; 2];
pub(crate) static GROW_CODE: [u64; 2] = [GROW as u64; 2];

/// The bits of a return link that are the address.
pub(crate) const LINK_PC: u64 = (1 << 48) - 1;

/// What a call leaves for `GROW`.
pub(crate) struct Growth {
    /// Behind the word of the call.
    pub pc: Pc,
    /// Slots that it needs from its frame on.
    pub slots: usize,
}

impl Default for Growth {
    fn default() -> Growth {
        Growth {
            pc: std::ptr::null(),
            slots: 0,
        }
    }
}

/// An instruction word.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Ins(pub u64);

impl Ins {
    #[inline(always)]
    pub fn op(self) -> u16 {
        self.0 as u16
    }
    #[inline(always)]
    pub fn a(self) -> usize {
        (self.0 >> 16) as u16 as usize
    }
    #[inline(always)]
    pub fn b(self) -> usize {
        (self.0 >> 32) as u16 as usize
    }
    #[inline(always)]
    pub fn c(self) -> usize {
        (self.0 >> 48) as usize
    }
    /// b as a signed number.
    #[inline(always)]
    pub fn ib(self) -> i64 {
        ((self.0 >> 32) as i16).into()
    }
    /// c as a signed number.
    #[inline(always)]
    pub fn ic(self) -> i64 {
        self.0 as i64 >> 48
    }
    #[inline(always)]
    pub fn bc(self) -> usize {
        (self.0 >> 32) as usize
    }
    /// b and c as a signed number.
    #[inline(always)]
    pub fn ibc(self) -> i64 {
        self.0 as i64 >> 32
    }
}

/// # Safety
/// `n` is a slot of the frame.
#[inline(always)]
pub(crate) unsafe fn get(fp: Fp, n: usize) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { *fp.add(n) }
}

/// # Safety
/// `n` is a slot of the frame.
#[inline(always)]
pub(crate) unsafe fn set(fp: Fp, n: usize, value: u64) {
    // SAFETY: as the caller promises.
    unsafe { *fp.add(n) = value }
}

/// # Safety
/// `n` is a slot of the frame.
#[inline(always)]
pub(crate) unsafe fn getf(fp: Fp, n: usize) -> f64 {
    // SAFETY: as the caller promises.
    f64::from_bits(unsafe { *fp.add(n) })
}

/// # Safety
/// `n` is a slot of the frame.
#[inline(always)]
pub(crate) unsafe fn setf(fp: Fp, n: usize, value: f64) {
    // SAFETY: as the caller promises.
    unsafe { *fp.add(n) = value.to_bits() }
}

/// Extension word `n` of the instruction.
/// # Safety
/// The instruction has it.
#[inline(always)]
pub(crate) unsafe fn ext(pc: Pc, n: usize) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { *pc.add(n) }
}

/// Keeps the compiler from turning a branch into a conditional move, which would make every dispatch wait for the
/// comparison.
#[inline(always)]
pub(crate) fn keep_branch() {
    #[cfg(not(miri))]
    // SAFETY: no instruction at all.
    unsafe {
        std::arch::asm!("", options(nomem, nostack, preserves_flags))
    };
}

/// Declares handlers: inlined ones (`Name |vm, i, pc, fp| { … }`).
macro_rules! handlers {
    ($($name:ident |$vm:ident, $i:ident, $pc:ident, $fp:ident| $body:block)*) => {$(
        #[inline(always)]
        #[allow(non_snake_case, unused_variables, unused_unsafe)]
        pub(crate) unsafe fn $name($vm: &mut $crate::Vm, $i: $crate::interp::Ins, $pc: $crate::interp::Pc,
            $fp: $crate::interp::Fp) -> $crate::interp::Next {
            // SAFETY: verified code names slots of its own frame; memory operands are checked addresses of the program.
            unsafe { $body }
        }
    )*};
}
/// Declares handlers that are calls of out-of-line functions: whatever is long or needs locals in memory.
macro_rules! slow_handlers {
    ($($name:ident |$vm:ident, $i:ident, $pc:ident, $fp:ident| $body:block)*) => {$(
        #[inline(never)]
        #[allow(non_snake_case, unused_variables, unused_unsafe)]
        pub(crate) unsafe fn $name($vm: &mut $crate::Vm, $i: $crate::interp::Ins, $pc: $crate::interp::Pc,
            $fp: $crate::interp::Fp) -> $crate::interp::Next {
            // SAFETY: as for inlined handlers.
            unsafe { $body }
        }
    )*};
}
/// `Ok` value, or leaves the handler by panicking with the run-time error of the text.
macro_rules! check {
    ($vm:ident, $pc:ident, $fp:ident, $result:expr) => {
        match $result {
            Ok(value) => value,
            Err(text) => return $vm.throw($crate::trap::Trap::of_failure(text), $pc, $fp),
        }
    };
}
pub(crate) use {check, handlers, slow_handlers};

/// All handlers by name, for the dispatch.
mod all {
    pub(crate) use super::arith::*;
    pub(crate) use super::call::*;
    pub(crate) use super::chan::*;
    pub(crate) use super::compare::*;
    pub(crate) use super::iface::*;
    pub(crate) use super::index::*;
    pub(crate) use super::mapops::*;
    pub(crate) use super::memory::*;
    pub(crate) use super::persistops::*;
    pub(crate) use super::reflectops::*;
    pub(crate) use super::slice::*;
    pub(crate) use super::string::*;
}

/// The instructions after which goroutines may switch: jumps and calls.
const fn is_safepoint(op: u16) -> bool {
    let calls = op == Op::Call as u16 || op == Op::CallV as u16 || op == Op::CallI as u16;
    let counting = op == Op::IncJLt as u16 || op == Op::AddIJLt as u16;
    calls || counting || op >= Op::Jmp as u16 && op <= Op::JNLeF as u16
}

/// Asks the running goroutine of some machine to let others run, or takes that back.
#[cfg(any(debug_assertions, not(target_arch = "x86_64")))]
pub(crate) fn ask_for_switch(due: bool) {
    DUE.store(due, Ordering::Relaxed);
}
#[cfg(any(debug_assertions, not(target_arch = "x86_64")))]
static DUE: AtomicBool = AtomicBool::new(false);

/// Dispatch as a loop around one `match`.
#[cfg(any(debug_assertions, not(target_arch = "x86_64")))]
macro_rules! define_dispatch {
    ($($name:ident, $mn:literal, ($a:tt, $b:tt, $c:tt), [$($ext:ident),*], $doc:literal;)*) => {
        /// Runs from `pc` until `HALT`.
        /// # Safety
        /// `pc` is in verified code and `fp` its frame in the current goroutine's stack.
        pub(crate) unsafe fn run(vm: &mut Vm, mut pc: Pc, mut fp: Fp) {
            loop {
                // SAFETY: code ends in instructions that jump, return or halt.
                unsafe {
                    let ins = Ins(*pc);
                    pc = pc.add(1);
                    (pc, fp) = match ins.op() {
                        $(n if n == Op::$name as u16 => all::$name(vm, ins, pc, fp),)*
                        AFTER_DEFERRED => panics::after_deferred(vm, fp),
                        GO_END => sched::go_end(vm, fp),
                        WAKE => sched::wake(vm, fp),
                        GROW => panics::grow(vm, fp),
                        _ => return,
                    };
                    if is_safepoint(ins.op()) && DUE.load(Ordering::Relaxed) && Ins(*pc).op() < HALT {
                        (pc, fp) = vm.preempt(pc, fp);
                    }
                }
            }
        }
    };
}

/// Dispatch by tail calls: one function an opcode, each ending in a jump to the next one's.
#[cfg(not(any(debug_assertions, not(target_arch = "x86_64"))))]
macro_rules! define_dispatch {
    ($($name:ident, $mn:literal, ($a:tt, $b:tt, $c:tt), [$($ext:ident),*], $doc:literal;)*) => {
        type Handler = unsafe extern "C" fn(Ins, Pc, Fp, *mut Vm);

        mod tail {
            use super::*;
            $(
                #[allow(non_snake_case)]
                pub(super) unsafe extern "C" fn $name(ins: Ins, pc: Pc, fp: Fp, vm: *mut Vm) {
                    // SAFETY: as for `run`.
                    unsafe {
                        let (pc, fp) = all::$name(&mut *vm, ins, pc, fp);
                        if is_safepoint(Op::$name as u16) { next_or_switch(pc, fp, vm) } else { next(pc, fp, vm) }
                    }
                }
            )*
            macro_rules! pseudo {
                ($pseudo:ident, $f:path) => {
                    pub(super) unsafe extern "C" fn $pseudo(_: Ins, _: Pc, fp: Fp, vm: *mut Vm) {
                        // SAFETY: as for `run`.
                        unsafe {
                            let (pc, fp) = $f(&mut *vm, fp);
                            next(pc, fp, vm)
                        }
                    }
                };
            }
            pseudo!(after_deferred, panics::after_deferred);
            pseudo!(go_end, sched::go_end);
            pseudo!(wake, sched::wake);
            pseudo!(grow, panics::grow);
            /// In place of every instruction that jumps and calls lead to while a switch is due.
            pub(super) unsafe extern "C" fn preempted(ins: Ins, pc: Pc, fp: Fp, vm: *mut Vm) {
                // SAFETY: as for `run`; `pc` is behind the instruction's word.
                unsafe {
                    let (mut pc, mut fp) = (pc.sub(1), fp);
                    if ins.op() < HALT {
                        (pc, fp) = (*vm).preempt(pc, fp);
                    }
                    next(pc, fp, vm)
                }
            }
            pub(super) unsafe extern "C" fn halt(_: Ins, _: Pc, _: Fp, _: *mut Vm) {}
        }

        type Table = [Handler; OPS.len() + 5];
        static TABLE: Table =
            [$(tail::$name,)* tail::halt, tail::after_deferred, tail::go_end, tail::wake, tail::grow];
        static PREEMPTING: Table = [tail::preempted; OPS.len() + 5];
        /// The table that jumps and calls go on by: a switch is asked for by the other one, which costs no test.
        static CURRENT: AtomicPtr<Table> = AtomicPtr::new((&raw const TABLE).cast_mut());

        /// Asks the running goroutine of some machine to let others run, or takes that back.
        pub(crate) fn ask_for_switch(due: bool) {
            let table = if due { &raw const PREEMPTING } else { &raw const TABLE };
            CURRENT.store(table.cast_mut(), Ordering::Relaxed);
        }

        #[inline(always)]
        unsafe fn next(pc: Pc, fp: Fp, vm: *mut Vm) {
            // SAFETY: verified code has only opcodes of the table.
            unsafe {
                let ins = Ins(*pc);
                let handler = *TABLE.get_unchecked(ins.op() as usize);
                handler(ins, pc.add(1), fp, vm)
            }
        }

        #[inline(always)]
        unsafe fn next_or_switch(pc: Pc, fp: Fp, vm: *mut Vm) {
            // SAFETY: as for `next`; both tables have all opcodes.
            unsafe {
                let ins = Ins(*pc);
                let handler = *(*CURRENT.load(Ordering::Relaxed)).get_unchecked(ins.op() as usize);
                handler(ins, pc.add(1), fp, vm)
            }
        }

        /// Runs from `pc` until `HALT`.
        /// # Safety
        /// `pc` is in verified code and `fp` its frame in the current goroutine's stack.
        pub(crate) unsafe fn run(vm: &mut Vm, pc: Pc, fp: Fp) {
            // SAFETY: as the caller promises.
            unsafe { next(pc, fp, vm) }
        }
    };
}
lang::for_each_op!(define_dispatch);
