//! Moves, constants, arithmetic, conversions.
#![allow(unsafe_code)] // Slots of the frame.

use super::*;
use crate::trap::Trap;

macro_rules! binary {
    ($($name:ident |$x:ident, $y:ident| $value:expr;)*) => {
        handlers! {$(
            $name |vm, i, pc, fp| {
                let ($x, $y) = (get(fp, i.b()), get(fp, i.c()));
                set(fp, i.a(), $value);
                (pc, fp)
            }
        )*}
    };
}
macro_rules! unary {
    ($($name:ident |$x:ident| $value:expr;)*) => {
        handlers! {$(
            $name |vm, i, pc, fp| {
                let $x = get(fp, i.b());
                set(fp, i.a(), $value);
                (pc, fp)
            }
        )*}
    };
}
/// The second operand is the number in c.
macro_rules! immediate {
    ($($name:ident |$x:ident, $i:ident| $value:expr;)*) => {
        handlers! {$(
            $name |vm, $i, pc, fp| {
                let $x = get(fp, $i.b());
                set(fp, $i.a(), $value);
                (pc, fp)
            }
        )*}
    };
}
macro_rules! float {
    ($($name:ident |$x:ident, $y:ident| $value:expr;)*) => {
        handlers! {$(
            $name |vm, i, pc, fp| {
                let ($x, $y) = (getf(fp, i.b()), getf(fp, i.c()));
                setf(fp, i.a(), $value);
                (pc, fp)
            }
        )*}
    };
}
macro_rules! float32 {
    ($($name:ident |$x:ident, $y:ident| $value:expr;)*) => {
        handlers! {$(
            $name |vm, i, pc, fp| {
                let ($x, $y) = (f32::from_bits(get(fp, i.b()) as u32), f32::from_bits(get(fp, i.c()) as u32));
                let value: f32 = $value;
                set(fp, i.a(), value.to_bits().into());
                (pc, fp)
            }
        )*}
    };
}
macro_rules! complex {
    ($($name:ident |$x:ident, $y:ident| $value:expr;)*) => {
        handlers! {$(
            $name |vm, i, pc, fp| {
                let $x = (getf(fp, i.b()), getf(fp, i.b() + 1));
                let $y = (getf(fp, i.c()), getf(fp, i.c() + 1));
                let (re, im) = $value;
                setf(fp, i.a(), re);
                setf(fp, i.a() + 1, im);
                (pc, fp)
            }
        )*}
    };
}

handlers! {
    Nop |vm, i, pc, fp| { (pc, fp) }
    Mov |vm, i, pc, fp| {
        set(fp, i.a(), get(fp, i.b()));
        (pc, fp)
    }
    Mov2 |vm, i, pc, fp| {
        let (x, y) = (get(fp, i.b()), get(fp, i.b() + 1));
        set(fp, i.a(), x);
        set(fp, i.a() + 1, y);
        (pc, fp)
    }
    Mov3 |vm, i, pc, fp| {
        let (x, y, z) = (get(fp, i.b()), get(fp, i.b() + 1), get(fp, i.b() + 2));
        set(fp, i.a(), x);
        set(fp, i.a() + 1, y);
        set(fp, i.a() + 2, z);
        (pc, fp)
    }
    MovN |vm, i, pc, fp| {
        std::ptr::copy(fp.add(i.b()), fp.add(i.a()), i.c());
        (pc, fp)
    }
    LdI |vm, i, pc, fp| {
        set(fp, i.a(), i.ibc() as u64);
        (pc, fp)
    }
    LdK |vm, i, pc, fp| {
        set(fp, i.a(), ext(pc, 0));
        (pc.add(1), fp)
    }
    LdStr |vm, i, pc, fp| {
        let (addr, len) = *vm.strings.as_ptr().add(i.bc());
        set(fp, i.a(), addr);
        set(fp, i.a() + 1, len);
        (pc, fp)
    }
    Zero |vm, i, pc, fp| {
        for n in i.a()..i.a() + i.b() {
            set(fp, n, 0);
        }
        (pc, fp)
    }
    Div |vm, i, pc, fp| {
        let y = get(fp, i.c()) as i64;
        if y == 0 {
            return vm.throw_divide(pc, fp);
        }
        set(fp, i.a(), (get(fp, i.b()) as i64).wrapping_div(y) as u64);
        (pc, fp)
    }
    Rem |vm, i, pc, fp| {
        let y = get(fp, i.c()) as i64;
        if y == 0 {
            return vm.throw_divide(pc, fp);
        }
        set(fp, i.a(), (get(fp, i.b()) as i64).wrapping_rem(y) as u64);
        (pc, fp)
    }
    DivU |vm, i, pc, fp| {
        let y = get(fp, i.c());
        if y == 0 {
            return vm.throw_divide(pc, fp);
        }
        set(fp, i.a(), get(fp, i.b()) / y);
        (pc, fp)
    }
    RemU |vm, i, pc, fp| {
        let y = get(fp, i.c());
        if y == 0 {
            return vm.throw_divide(pc, fp);
        }
        set(fp, i.a(), get(fp, i.b()) % y);
        (pc, fp)
    }
    CkShift |vm, i, pc, fp| {
        if (get(fp, i.a()) as i64) < 0 {
            return throw_shift(vm, pc, fp);
        }
        (pc, fp)
    }
    NegC |vm, i, pc, fp| {
        let (re, im) = (getf(fp, i.b()), getf(fp, i.b() + 1));
        setf(fp, i.a(), -re);
        setf(fp, i.a() + 1, -im);
        (pc, fp)
    }
    C64ToC |vm, i, pc, fp| {
        let bits = get(fp, i.b());
        setf(fp, i.a(), f32::from_bits(bits as u32).into());
        setf(fp, i.a() + 1, f32::from_bits((bits >> 32) as u32).into());
        (pc, fp)
    }
    CToC64 |vm, i, pc, fp| {
        let (re, im) = (getf(fp, i.b()) as f32, getf(fp, i.b() + 1) as f32);
        set(fp, i.a(), u64::from(re.to_bits()) | u64::from(im.to_bits()) << 32);
        (pc, fp)
    }
    LdAddF |vm, i, pc, fp| {
        let base = get(fp, i.b());
        if base < 4096 {
            return vm.throw_nil(pc, fp);
        }
        setf(fp, i.a(), getf(fp, i.a()) + f64::from_bits(crate::raw::read(base + i.c() as u64)));
        (pc, fp)
    }
}

binary! {
    Add |x, y| x.wrapping_add(y);
    Sub |x, y| x.wrapping_sub(y);
    Mul |x, y| x.wrapping_mul(y);
    And |x, y| x & y;
    Or |x, y| x | y;
    Xor |x, y| x ^ y;
    AndNot |x, y| x & !y;
    Shl |x, y| if y < 64 { x << y } else { 0 };
    Shr |x, y| (x as i64 >> y.min(63)) as u64;
    ShrU |x, y| if y < 64 { x >> y } else { 0 };
}

immediate! {
    AddI |x, i| x.wrapping_add(i.ic() as u64);
    MulI |x, i| x.wrapping_mul(i.ic() as u64);
    AndI |x, i| x & i.c() as u64;
    ShlI |x, i| x << (i.c() & 63);
    ShrI |x, i| (x as i64 >> (i.c() & 63)) as u64;
    ShrUI |x, i| x >> (i.c() & 63);
}

unary! {
    Neg |x| x.wrapping_neg();
    Com |x| !x;
    Sx8 |x| x as i8 as u64;
    Sx16 |x| x as i16 as u64;
    Sx32 |x| x as i32 as u64;
    Zx8 |x| x as u8 as u64;
    Zx16 |x| x as u16 as u64;
    Zx32 |x| x as u32 as u64;
    NegF |x| x ^ 1 << 63;
    SqrtF |x| f64::from_bits(x).sqrt().to_bits();
    AbsF |x| x & !(1 << 63);
    FloorF |x| f64::from_bits(x).floor().to_bits();
    NegF32 |x| x ^ 1 << 31;
    IToF |x| (x as i64 as f64).to_bits();
    UToF |x| (x as f64).to_bits();
    FToI |x| float_to_int(f64::from_bits(x)) as u64;
    FToU |x| float_to_uint(f64::from_bits(x));
    IToF32 |x| (x as i64 as f32).to_bits().into();
    UToF32 |x| (x as f32).to_bits().into();
    FToF32 |x| (f64::from_bits(x) as f32).to_bits().into();
    F32ToF |x| f64::from(f32::from_bits(x as u32)).to_bits();
    NotB |x| 1 - x;
}

float! {
    AddF |x, y| x + y;
    SubF |x, y| x - y;
    MulF |x, y| x * y;
    DivF |x, y| x / y;
    MinF |x, y| min(x, y);
    MaxF |x, y| -min(-x, -y);
}

float32! {
    AddF32 |x, y| x + y;
    SubF32 |x, y| x - y;
    MulF32 |x, y| x * y;
    DivF32 |x, y| x / y;
}

complex! {
    AddC |x, y| (x.0 + y.0, x.1 + y.1);
    SubC |x, y| (x.0 - y.0, x.1 - y.1);
    MulC |x, y| (x.0 * y.0 - x.1 * y.1, x.0 * y.1 + x.1 * y.0);
    DivC |x, y| divide_complex(x, y);
}

#[cold]
#[inline(never)]
fn throw_shift(vm: &mut Vm, pc: Pc, fp: Fp) -> Next {
    vm.throw(Trap::Runtime("negative shift amount".into()), pc, fp)
}

/// Truncates; what does not fit gives the smallest integer, as on amd64.
#[inline(always)]
fn float_to_int(x: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) {
        x as i64
    } else {
        i64::MIN
    }
}

#[inline(always)]
fn float_to_uint(x: f64) -> u64 {
    if x < 9_223_372_036_854_775_808.0 {
        float_to_int(x) as u64
    } else {
        float_to_int(x - 9_223_372_036_854_775_808.0) as u64 ^ 1 << 63
    }
}

/// NaN wins, -0 is less than 0.
#[inline(always)]
fn min(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        f64::NAN
    } else if x == 0.0 && y == 0.0 {
        f64::from_bits(x.to_bits() | y.to_bits())
    } else if x < y {
        x
    } else {
        y
    }
}

/// Go's complex division: the quotient of the larger component, then the special cases of infinities and NaN.
#[inline(never)]
fn divide_complex(n: (f64, f64), m: (f64, f64)) -> (f64, f64) {
    let (a, b) = n;
    let (c, d) = m;
    let (mut e, mut f) = if c.abs() >= d.abs() {
        let ratio = d / c;
        let denominator = c + ratio * d;
        ((a + b * ratio) / denominator, (b - a * ratio) / denominator)
    } else {
        let ratio = c / d;
        let denominator = d + ratio * c;
        ((a * ratio + b) / denominator, (b * ratio - a) / denominator)
    };
    if e.is_nan() && f.is_nan() {
        let unit = |x: f64| (if x.is_infinite() { 1.0f64 } else { 0.0 }).copysign(x);
        if c == 0.0 && d == 0.0 && (!a.is_nan() || !b.is_nan()) {
            let inf = f64::INFINITY.copysign(c);
            (e, f) = (inf * a, inf * b);
        } else if (a.is_infinite() || b.is_infinite()) && c.is_finite() && d.is_finite() {
            let (a, b) = (unit(a), unit(b));
            (e, f) = (
                f64::INFINITY * (a * c + b * d),
                f64::INFINITY * (b * c - a * d),
            );
        } else if (c.is_infinite() || d.is_infinite()) && a.is_finite() && b.is_finite() {
            let (c, d) = (unit(c), unit(d));
            (e, f) = (0.0 * (a * c + b * d), 0.0 * (b * c - a * d));
        }
    }
    (e, f)
}
