//! Comparisons and jumps.
#![allow(unsafe_code)] // Slots of the frame.

use super::*;
use crate::hash;
use crate::raw;

macro_rules! comparison {
    ($($name:ident |$x:ident, $y:ident| $value:expr;)*) => {
        handlers! {$(
            $name |vm, i, pc, fp| {
                let ($x, $y) = (get(fp, i.b()), get(fp, i.c()));
                set(fp, i.a(), u64::from($value));
                (pc, fp)
            }
        )*}
    };
}
macro_rules! jump {
    ($($name:ident |$x:ident, $y:ident| $value:expr;)*) => {
        handlers! {$(
            $name |vm, i, pc, fp| {
                let ($x, $y) = (get(fp, i.a()), get(fp, i.b()));
                if $value {
                    keep_branch();
                    (pc.offset(i.ic() as isize), fp)
                } else {
                    (pc, fp)
                }
            }
        )*}
    };
}
macro_rules! jump_immediate {
    ($($name:ident |$x:ident, $y:ident| $value:expr;)*) => {
        handlers! {$(
            $name |vm, i, pc, fp| {
                let ($x, $y) = (get(fp, i.a()) as i64, i.ib());
                if $value {
                    keep_branch();
                    (pc.offset(i.ic() as isize), fp)
                } else {
                    (pc, fp)
                }
            }
        )*}
    };
}

#[inline(always)]
fn f(x: u64) -> f64 {
    f64::from_bits(x)
}

#[inline(always)]
fn less(x: u64, y: u64) -> bool {
    f(x) < f(y)
}

#[inline(always)]
fn less_or_equal(x: u64, y: u64) -> bool {
    f(x) <= f(y)
}

comparison! {
    Eq |x, y| x == y;
    Ne |x, y| x != y;
    Lt |x, y| (x as i64) < y as i64;
    Le |x, y| x as i64 <= y as i64;
    LtU |x, y| x < y;
    LeU |x, y| x <= y;
    EqF |x, y| f(x) == f(y);
    NeF |x, y| f(x) != f(y);
    LtF |x, y| f(x) < f(y);
    LeF |x, y| f(x) <= f(y);
}

jump! {
    JEq |x, y| x == y;
    JNe |x, y| x != y;
    JLt |x, y| (x as i64) < y as i64;
    JLe |x, y| x as i64 <= y as i64;
    JLtU |x, y| x < y;
    JLeU |x, y| x <= y;
    JLtF |x, y| f(x) < f(y);
    JLeF |x, y| f(x) <= f(y);
    JNLtF |x, y| !less(x, y);
    JNLeF |x, y| !less_or_equal(x, y);
}

jump_immediate! {
    JEqI |x, y| x == y;
    JNeI |x, y| x != y;
    JLtI |x, y| x < y;
    JLeI |x, y| x <= y;
    JGtI |x, y| x > y;
    JGeI |x, y| x >= y;
}

handlers! {
    Jmp |vm, i, pc, fp| { (pc.offset(i.ibc() as isize), fp) }
    JT |vm, i, pc, fp| {
        if get(fp, i.a()) != 0 {
            keep_branch();
            (pc.offset(i.ibc() as isize), fp)
        } else {
            (pc, fp)
        }
    }
    JF |vm, i, pc, fp| {
        if get(fp, i.a()) == 0 {
            keep_branch();
            (pc.offset(i.ibc() as isize), fp)
        } else {
            (pc, fp)
        }
    }
    IncJLt |vm, i, pc, fp| {
        let x = get(fp, i.a()).wrapping_add(1);
        set(fp, i.a(), x);
        if (x as i64) < get(fp, i.b()) as i64 {
            keep_branch();
            (pc.offset(i.ic() as isize), fp)
        } else {
            (pc, fp)
        }
    }
    AddIJLt |vm, i, pc, fp| {
        let x = get(fp, i.a()).wrapping_add(i.ib() as u64);
        set(fp, i.a(), x);
        if (x as i64) < get(fp, i.c()) as i64 {
            keep_branch();
            (pc.offset(1 + ext(pc, 0) as isize), fp)
        } else {
            (pc.add(1), fp)
        }
    }
    JTab |vm, i, pc, fp| {
        let (n, x) = (ext(pc, 0), get(fp, i.a()));
        let end = pc.add(1 + n as usize);
        if x < n { (end.offset(ext(pc, 1 + x as usize) as isize), fp) } else { (end, fp) }
    }
    EqS |vm, i, pc, fp| {
        let equal = hash::strings(fp.add(i.b()) as u64, fp.add(i.c()) as u64);
        set(fp, i.a(), equal.into());
        (pc, fp)
    }
    LtS |vm, i, pc, fp| {
        set(fp, i.a(), u64::from(order(fp, i).is_lt()));
        (pc, fp)
    }
    LeS |vm, i, pc, fp| {
        set(fp, i.a(), u64::from(order(fp, i).is_le()));
        (pc, fp)
    }
}

slow_handlers! {
    EqT |vm, i, pc, fp| {
        let (x, y) = (fp.add(i.b()) as u64, fp.add(i.c()) as u64);
        let equal = check!(vm, pc, fp, hash::equal(vm.types_ptr(), ext(pc, 0) as u32, x, y));
        set(fp, i.a(), equal.into());
        (pc.add(1), fp)
    }
}

#[inline(always)]
unsafe fn order(fp: Fp, i: Ins) -> std::cmp::Ordering {
    // SAFETY: two strings in slots.
    unsafe {
        let x = raw::slice(get(fp, i.b()), get(fp, i.b() + 1));
        let y = raw::slice(get(fp, i.c()), get(fp, i.c() + 1));
        x.cmp(y)
    }
}
