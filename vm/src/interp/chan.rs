//! Channel instructions and `go`.
#![allow(unsafe_code)] // Slots of the frame.

use super::*;
use crate::sched::channel::{Case, Tried};
use crate::trap::Trap;

/// `Ok` value, or leaves the handler by panicking.
macro_rules! or_throw {
    ($vm:ident, $pc:ident, $fp:ident, $result:expr) => {
        match $result {
            Ok(value) => value,
            Err(trap) => return $vm.throw(trap, $pc, $fp),
        }
    };
}

slow_handlers! {
    Go |vm, i, pc, fp| {
        let closure = get(fp, i.a());
        if closure == 0 {
            return vm.throw(Trap::Fatal("go of nil func value".into()), pc, fp);
        }
        vm.go(closure, pc);
        (pc, fp)
    }
    MkChan |vm, i, pc, fp| {
        vm.poll(pc, fp);
        match vm.chan_make(ext(pc, 0) as u32, get(fp, i.b()) as i64) {
            Some(chan) => {
                set(fp, i.a(), chan);
                (pc.add(1), fp)
            }
            None => vm.throw(Trap::Plain("makechan: size out of range".into()), pc, fp),
        }
    }
    Close |vm, i, pc, fp| {
        or_throw!(vm, pc, fp, vm.chan_close(get(fp, i.a())));
        (pc, fp)
    }
    Send |vm, i, pc, fp| {
        let chan = get(fp, i.a());
        if chan == 0 {
            return vm.block_for_ever(pc, fp, "chan send (nil chan)");
        }
        if or_throw!(vm, pc, fp, vm.chan_try_send(chan, fp.add(i.b()))) == Tried::Done {
            return (pc, fp);
        }
        if let Some(trap) = vm.blocking_trap() {
            return vm.throw(trap, pc, fp);
        }
        let frame = vm.slot_of(fp);
        vm.chan_wait_send(chan, frame + i.b());
        vm.park(pc, fp, pc, "chan send")
    }
    Recv |vm, i, pc, fp| {
        let chan = get(fp, i.b());
        if chan == 0 {
            return vm.block_for_ever(pc, fp, "chan receive (nil chan)");
        }
        let wants_ok = i.c() != 0;
        let tried = vm.chan_try_receive(chan, fp.add(i.a()));
        let ok = if wants_ok { i.a() + vm.chan_elem_slots(chan) } else { 0 };
        if tried != Tried::WouldBlock {
            if wants_ok {
                set(fp, ok, (tried == Tried::Done).into());
            }
            return (pc, fp);
        }
        if let Some(trap) = vm.blocking_trap() {
            return vm.throw(trap, pc, fp);
        }
        let frame = vm.slot_of(fp);
        vm.chan_wait_receive(chan, frame + i.a(), if wants_ok { frame + ok } else { 0 });
        vm.park(pc, fp, pc, "chan receive")
    }
    Select |vm, i, pc, fp| {
        let (n, has_default, values) = match ext(pc, 0) {
            2 => (get(fp, i.c()) as usize, get(fp, i.c() + 2) != 0, i.a()),
            mode => (i.c(), mode != 0, 0),
        };
        let resume = pc.add(1);
        let mut few = [Case { chan: 0, is_send: false, value: 0 }; 8];
        let mut many = Vec::new();
        let cases = if n <= few.len() {
            &mut few[..n]
        } else {
            many.resize(n, few[0]);
            &mut many[..]
        };
        for (k, case) in cases.iter_mut().enumerate() {
            let (chan, what) = (get(fp, i.b() + 2 * k), get(fp, i.b() + 2 * k + 1));
            *case = Case { chan, is_send: what & 1 != 0, value: values + (what >> 1) as usize };
        }
        let done = or_throw!(vm, pc, fp, vm.select_try(cases, fp));
        if done.is_some() || has_default {
            let (case, ok) = done.unwrap_or((n, false));
            set(fp, i.a(), case as u64);
            set(fp, i.a() + 1, ok.into());
            return (resume, fp);
        }
        if let Some(trap) = vm.blocking_trap() {
            return vm.throw(trap, pc, fp);
        }
        let frame = vm.slot_of(fp);
        vm.select_wait(cases, frame, i.a());
        vm.park(pc, fp, resume, if n == 0 { "select (no cases)" } else { "select" })
    }
    ChanLen |vm, i, pc, fp| {
        set(fp, i.a(), vm.chan_len_cap(get(fp, i.b())).0);
        (pc, fp)
    }
    ChanCap |vm, i, pc, fp| {
        set(fp, i.a(), vm.chan_len_cap(get(fp, i.b())).1);
        (pc, fp)
    }
}
