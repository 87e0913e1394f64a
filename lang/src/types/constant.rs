//! Exact values of constant expressions (spec "Constants"): integers and rationals of any size, with
//! rounding only where a constant takes a floating-point type. Literals are in `literal.rs`.
use super::ty::Basic;
use crate::syntax::ast::{BinaryOp, UnaryOp};
use crate::tir;
use dashu_base::{BitTest, Sign, UnsignedAbs};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;
use std::fmt;
use std::rc::Rc;

/// The value of a constant. Its type is kept beside it: an untyped float constant may be an `Int`.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Of an expression in error; operations on it give it again.
    Unknown,
    Bool(bool),
    Str(Rc<[u8]>),
    Int(IBig),
    Rat(RBig),
    Complex(RBig, RBig),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConstError {
    DivisionByZero,
    /// Beyond what the compiler represents ("constant … overflow").
    Overflow,
}

/// Why a constant is not a value of a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReprError {
    /// "(truncated)"
    Truncated,
    /// "overflows"
    Overflow,
    /// Another kind of value.
    NotRepresentable,
}

/// Untyped integers beyond this many bits are refused.
const INT_BITS_MAX: usize = 512;
/// Rationals with longer parts are rounded to `INT_BITS_MAX` significant bits.
const RAT_BITS_MAX: usize = 4096;
/// Rationals beyond 2^±this overflow, or are zero.
const EXPONENT_MAX: usize = 1 << 20;
/// Longest shift that is computed.
const SHIFT_MAX: u32 = 1 << 14;

type Result<T> = std::result::Result<T, ConstError>;

impl Value {
    pub fn int(n: impl Into<IBig>) -> Value {
        Value::Int(n.into())
    }
    pub fn string(s: impl AsRef<[u8]>) -> Value {
        Value::Str(s.as_ref().into())
    }
    pub fn is_unknown(&self) -> bool {
        matches!(self, Value::Unknown)
    }
    pub fn as_str(&self) -> Option<&Rc<[u8]>> {
        match self {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }
    /// The integer, if it is one and fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self.to_int()? {
            Value::Int(n) => i64::try_from(n).ok(),
            _ => None,
        }
    }
    /// The integer, if it is one, not negative, and fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self.to_int()? {
            Value::Int(n) => u64::try_from(n).ok(),
            _ => None,
        }
    }
    /// -1, 0 or 1; complex numbers are 0 or 1.
    pub fn sign(&self) -> i32 {
        let of = |s: Sign, zero: bool| match s {
            _ if zero => 0,
            Sign::Positive => 1,
            Sign::Negative => -1,
        };
        match self {
            Value::Int(n) => of(n.sign(), n.is_zero()),
            Value::Rat(r) => of(r.sign(), r.is_zero()),
            Value::Complex(r, i) => i32::from(!(r.is_zero() && i.is_zero())),
            _ => 1,
        }
    }
    /// Is it an integer too large for an untyped constant?
    pub fn is_oversized(&self) -> bool {
        matches!(self, Value::Int(n) if n.bit_len() > INT_BITS_MAX)
    }

    /// The same number as an `Int`.
    pub fn to_int(&self) -> Option<Value> {
        match self {
            Value::Int(_) | Value::Unknown => Some(self.clone()),
            Value::Rat(r) => r.is_int().then(|| Value::Int(r.numerator().clone())),
            Value::Complex(r, i) if i.is_zero() => Value::Rat(r.clone()).to_int(),
            _ => None,
        }
    }
    /// The same number as a `Rat`.
    pub fn to_float(&self) -> Option<Value> {
        match self {
            Value::Unknown => Some(Value::Unknown),
            _ => self.rational().map(Value::Rat),
        }
    }
    /// The same number as a `Complex`.
    pub fn to_complex(&self) -> Option<Value> {
        match self {
            Value::Complex(..) | Value::Unknown => Some(self.clone()),
            _ => Some(Value::Complex(self.rational()?, RBig::ZERO)),
        }
    }
    fn rational(&self) -> Option<RBig> {
        match self {
            Value::Int(n) => Some(n.clone().into()),
            Value::Rat(r) => Some(r.clone()),
            Value::Complex(r, i) if i.is_zero() => Some(r.clone()),
            _ => None,
        }
    }
    /// `real(x)`; `None` if it is no number.
    pub fn real(&self) -> Option<Value> {
        match self {
            Value::Complex(r, _) => Some(Value::Rat(r.clone())),
            Value::Int(_) | Value::Rat(_) | Value::Unknown => Some(self.clone()),
            _ => None,
        }
    }
    /// `imag(x)`; `None` if it is no number.
    pub fn imag(&self) -> Option<Value> {
        match self {
            Value::Complex(_, i) => Some(Value::Rat(i.clone())),
            Value::Int(_) | Value::Rat(_) => Some(Value::int(0)),
            Value::Unknown => Some(Value::Unknown),
            _ => None,
        }
    }
    /// `complex(re, im)` of real numbers.
    pub fn complex(re: &Value, im: &Value) -> Option<Value> {
        Some(Value::Complex(re.rational()?, im.rational()?))
    }

    /// `op x`. `^` of an unsigned type needs the type; others ignore it.
    pub fn unary(op: UnaryOp, x: &Value, ty: Option<Basic>) -> Value {
        match (op, x) {
            (UnaryOp::Plus, Value::Int(_) | Value::Rat(_) | Value::Complex(..)) => x.clone(),
            (UnaryOp::Minus, Value::Int(n)) => Value::Int(-n.clone()),
            (UnaryOp::Minus, Value::Rat(r)) => Value::Rat(-r.clone()),
            (UnaryOp::Minus, Value::Complex(r, i)) => Value::Complex(-r.clone(), -i.clone()),
            (UnaryOp::Not, Value::Bool(b)) => Value::Bool(!b),
            (UnaryOp::Complement, _) => match (x.to_int(), ty.filter(|t| t.is_unsigned())) {
                (Some(Value::Int(n)), Some(t)) => {
                    let all = (IBig::ONE << integer_bits(t)) - IBig::ONE;
                    Value::Int(n ^ all)
                }
                (Some(Value::Int(n)), None) => Value::Int(!n),
                _ => Value::Unknown,
            },
            _ => Value::Unknown,
        }
    }

    /// `a op b` for arithmetic, logical and string operators; not shifts and comparisons. `int_div`
    /// says that `/` is of integers. Operands of kinds that do not fit give `Unknown`.
    pub fn binary(op: BinaryOp, a: &Value, b: &Value, int_div: bool) -> Result<Value> {
        use BinaryOp::*;
        let (a, b) = promote(a, b);
        match (&a, &b) {
            (Value::Bool(x), Value::Bool(y)) => Ok(match op {
                LogicalAnd => Value::Bool(*x && *y),
                LogicalOr => Value::Bool(*x || *y),
                _ => Value::Unknown,
            }),
            (Value::Str(x), Value::Str(y)) if op == Add => {
                Ok(Value::Str([x.as_ref(), y.as_ref()].concat().into()))
            }
            (Value::Int(x), Value::Int(y)) => Ok(Value::Int(match op {
                Add => x + y,
                Subtract => x - y,
                Multiply => x * y,
                Divide | Remainder if y.is_zero() => return Err(ConstError::DivisionByZero),
                Divide if int_div => x / y,
                Divide => {
                    return Self::quotient(&x.clone().into(), &y.clone().into()).map(Value::Rat);
                }
                Remainder => x % y,
                And => x & y,
                Or => x | y,
                Xor => x ^ y,
                AndNot => x & !y.clone(),
                _ => return Ok(Value::Unknown),
            })),
            (Value::Rat(x), Value::Rat(y)) => Ok(match op {
                Add => Value::Rat(tame(x + y)?),
                Subtract => Value::Rat(tame(x - y)?),
                Multiply => Value::Rat(tame(x * y)?),
                Divide if int_div => match (a.to_int(), b.to_int()) {
                    (Some(x), Some(y)) => return Value::binary(op, &x, &y, true),
                    _ => Value::Unknown,
                },
                Divide => Value::Rat(Self::quotient(x, y)?),
                _ => match (a.to_int(), b.to_int()) {
                    (Some(x), Some(y)) => return Value::binary(op, &x, &y, int_div),
                    _ => Value::Unknown,
                },
            }),
            (Value::Complex(ar, ai), Value::Complex(br, bi)) => {
                let (re, im) = match op {
                    Add => (ar + br, ai + bi),
                    Subtract => (ar - br, ai - bi),
                    Multiply => (ar * br - ai * bi, ar * bi + ai * br),
                    Divide => {
                        let norm = br * br + bi * bi;
                        if norm.is_zero() {
                            return Err(ConstError::DivisionByZero);
                        }
                        let (re, im) = (ar * br + ai * bi, ai * br - ar * bi);
                        (re / &norm, im / &norm)
                    }
                    _ => return Ok(Value::Unknown),
                };
                Ok(Value::Complex(tame(re)?, tame(im)?))
            }
            _ => Ok(Value::Unknown),
        }
    }

    fn quotient(x: &RBig, y: &RBig) -> Result<RBig> {
        if y.is_zero() {
            return Err(ConstError::DivisionByZero);
        }
        tame(x / y)
    }

    /// `a << count`, `a >> count` of an integer value.
    pub fn shift(op: BinaryOp, a: &Value, count: u32) -> Result<Value> {
        let Some(Value::Int(n)) = a.to_int() else {
            return Ok(Value::Unknown);
        };
        match op {
            BinaryOp::ShiftLeft if n.is_zero() => Ok(Value::Int(n)),
            BinaryOp::ShiftLeft if count > SHIFT_MAX => Err(ConstError::Overflow),
            BinaryOp::ShiftLeft => Ok(Value::Int(n << count as usize)),
            BinaryOp::ShiftRight => Ok(Value::Int(n >> count as usize)),
            _ => Ok(Value::Unknown),
        }
    }

    /// `a op b` for comparison operators; false for operands that do not compare.
    pub fn compare(op: BinaryOp, a: &Value, b: &Value) -> bool {
        use std::cmp::Ordering;
        let (a, b) = promote(a, b);
        let order = match (&a, &b) {
            (Value::Int(x), Value::Int(y)) => x.cmp(y),
            (Value::Rat(x), Value::Rat(y)) => x.cmp(y),
            (Value::Str(x), Value::Str(y)) => x.cmp(y),
            (Value::Unknown, _) | (_, Value::Unknown) => return false,
            _ if a == b => Ordering::Equal,
            _ => return op == BinaryOp::NotEqual,
        };
        match op {
            BinaryOp::Equal => order.is_eq(),
            BinaryOp::NotEqual => order.is_ne(),
            BinaryOp::Less => order.is_lt(),
            BinaryOp::LessEqual => order.is_le(),
            BinaryOp::Greater => order.is_gt(),
            BinaryOp::GreaterEqual => order.is_ge(),
            _ => false,
        }
    }

    /// The value as a basic type holds it (spec "Representability"): floating-point types round.
    pub fn represent(&self, ty: Basic) -> std::result::Result<Value, ReprError> {
        let wrong = Err(ReprError::NotRepresentable);
        match self {
            Value::Unknown => return Ok(Value::Unknown),
            Value::Bool(_) if ty.is_boolean() => return Ok(self.clone()),
            Value::Str(_) if ty.is_string() => return Ok(self.clone()),
            Value::Bool(_) | Value::Str(_) => return wrong,
            _ => {}
        }
        if ty.is_integer() {
            let from_int = matches!(self, Value::Int(_));
            let Some(v) = self.to_int() else {
                return Err(ReprError::Truncated);
            };
            return match &v {
                Value::Int(n) if !ty.is_untyped() && !in_range(n, ty) => {
                    let e = [ReprError::Truncated, ReprError::Overflow];
                    Err(e[usize::from(from_int)])
                }
                _ => Ok(v),
            };
        }
        if ty.is_float() {
            let Some(r) = self.rational() else {
                return Err(ReprError::Truncated);
            };
            return Ok(Value::Rat(round_to(r, ty)?));
        }
        if ty.is_complex() {
            return match self.to_complex() {
                Some(Value::Complex(r, i)) => {
                    Ok(Value::Complex(round_to(r, ty)?, round_to(i, ty)?))
                }
                _ => wrong,
            };
        }
        wrong
    }

    /// The constant for code generation; the value must have been represented as `ty`.
    pub fn to_tir(&self, ty: Basic) -> tir::Const {
        let double = |v: &Value| {
            v.rational()
                .map_or(0.0, |r| nearest(&r, F64).unwrap_or(0.0))
        };
        match self {
            Value::Bool(b) => tir::Const::Bool(*b),
            Value::Str(s) => tir::Const::Str(s.clone()),
            Value::Unknown => tir::Const::Int(0),
            _ if ty.is_complex() => {
                let part = |v: Option<Value>| v.as_ref().map_or(0.0, double);
                tir::Const::Complex(part(self.real()), part(self.imag()))
            }
            _ if ty.is_float() => tir::Const::Float(double(self)),
            _ => {
                let n = match self.to_int() {
                    Some(Value::Int(n)) => n,
                    _ => IBig::ZERO,
                };
                let bits = i64::try_from(&n).or_else(|_| u64::try_from(&n).map(|u| u as i64));
                tir::Const::Int(bits.unwrap_or(0))
            }
        }
    }
}

/// Brings two numbers to the wider of their kinds.
fn promote(a: &Value, b: &Value) -> (Value, Value) {
    let rank = |v: &Value| match v {
        Value::Int(_) => 1,
        Value::Rat(_) => 2,
        Value::Complex(..) => 3,
        _ => 0,
    };
    let (ra, rb) = (rank(a), rank(b));
    let to = |v: &Value| match ra.max(rb) {
        2 => v.to_float().unwrap_or(Value::Unknown),
        3 => v.to_complex().unwrap_or(Value::Unknown),
        _ => v.clone(),
    };
    match ra == rb || ra == 0 || rb == 0 {
        true => (a.clone(), b.clone()),
        false => (to(a), to(b)),
    }
}

/// Keeps a rational within the limits: long ones are rounded, tiny ones are zero.
pub(super) fn tame(r: RBig) -> Result<RBig> {
    let (nb, db) = (r.numerator().bit_len(), r.denominator().bit_len());
    if nb.max(db) <= RAT_BITS_MAX || r.is_zero() {
        return Ok(r);
    }
    if nb > db + EXPONENT_MAX {
        return Err(ConstError::Overflow);
    }
    if db > nb + EXPONENT_MAX {
        return Ok(RBig::ZERO);
    }
    let sign = r.sign();
    let (m, exponent) = scaled(&r, INT_BITS_MAX as i64, i64::MIN / 2);
    let m = IBig::from_parts(sign, m);
    Ok(if exponent >= 0 {
        RBig::from(m << exponent as usize)
    } else {
        RBig::from_parts(m, UBig::ONE << exponent.unsigned_abs() as usize)
    })
}

/// `|r|` as `m × 2^e` with `m` rounded to `precision` bits, ties to even, and `e >= exponent_min`.
fn scaled(r: &RBig, precision: i64, exponent_min: i64) -> (UBig, i64) {
    let num = r.numerator().clone().unsigned_abs();
    let den = r.denominator();
    let (nb, db) = (num.bit_len() as i64, den.bit_len() as i64);
    // The quotient gets at least two bits more than needed; the remainder is the sticky bit.
    let k = precision + 2 - (nb - db);
    let (n, d) = match k >= 0 {
        true => (num << k as usize, den.clone()),
        false => (num, den << k.unsigned_abs() as usize),
    };
    let q = &n / &d;
    let sticky = !(&n % &d).is_zero();
    let e = (q.bit_len() as i64 - precision - k).max(exponent_min);
    let drop = (e + k) as usize;
    let mut m = &q >> drop;
    let half = q.bit(drop - 1);
    let below = sticky || q.trailing_zeros().is_some_and(|z| z < drop - 1);
    if half && (below || m.bit(0)) {
        m += UBig::ONE;
    }
    (m, e)
}

/// A binary floating-point format: precision in bits, least exponent of the last bit, exponent above
/// the largest value.
#[derive(Clone, Copy)]
struct Format {
    precision: i64,
    exponent_min: i64,
    exponent_max: i64,
}

const F32: Format = Format {
    precision: 24,
    exponent_min: -149,
    exponent_max: 128,
};
const F64: Format = Format {
    precision: 53,
    exponent_min: -1074,
    exponent_max: 1024,
};

/// The nearest number of the format, ties to even; `None` if it overflows.
fn nearest(r: &RBig, f: Format) -> Option<f64> {
    if r.is_zero() {
        return Some(0.0);
    }
    let (m, e) = scaled(r, f.precision, f.exponent_min);
    if m.bit_len() as i64 + e > f.exponent_max {
        return None;
    }
    let m = u64::try_from(m).unwrap_or(0) as f64;
    let power = match e {
        ..-1022 => f64::from_bits(1 << (e + 1074)),
        _ => f64::from_bits(((e + 1023) as u64) << 52),
    };
    let x = m * power;
    Some(if r.sign() == Sign::Negative && x != 0.0 {
        -x
    } else {
        x
    })
}

fn round_to(r: RBig, ty: Basic) -> std::result::Result<RBig, ReprError> {
    let format = match ty {
        Basic::Float32 | Basic::Complex64 => F32,
        Basic::Float64 | Basic::Complex128 => F64,
        _ => return Ok(r),
    };
    let x = nearest(&r, format).ok_or(ReprError::Overflow)?;
    Ok(RBig::try_from(x).unwrap_or(r))
}

/// Width of an integer type.
pub fn integer_bits(ty: Basic) -> usize {
    match ty {
        Basic::Int8 | Basic::Uint8 => 8,
        Basic::Int16 | Basic::Uint16 => 16,
        Basic::Int32 | Basic::Uint32 => 32,
        _ => 64,
    }
}

fn in_range(n: &IBig, ty: Basic) -> bool {
    let bits = integer_bits(ty);
    if ty.is_unsigned() {
        n.sign() == Sign::Positive && n.bit_len() <= bits
    } else {
        let limit = IBig::ONE << (bits - 1);
        *n < limit && *n >= -limit
    }
}

/// As Go shows constants in messages: floats with six digits, strings quoted and cut.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Unknown => f.write_str("unknown"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Int(n) => write!(f, "{n}"),
            Value::Rat(r) => f.write_str(&float_text(r)),
            Value::Complex(r, i) => write!(f, "({} + {}i)", float_text(r), float_text(i)),
            Value::Str(s) => {
                const LEN_MAX: usize = 72;
                let quoted = super::literal::quote(s);
                match quoted.chars().count() > LEN_MAX {
                    true => {
                        let head: String = quoted.chars().take(LEN_MAX - 3).collect();
                        write!(f, "{head}...")
                    }
                    false => f.write_str(&quoted),
                }
            }
        }
    }
}

fn float_text(r: &RBig) -> String {
    if let Some(x) = nearest(r, F64).filter(|x| (*x == 0.0) == r.is_zero()) {
        let s = general(&format!("{x:.5e}"));
        if !r.is_int() && !s.contains('.') {
            return general(&format!("{x:e}"));
        }
        return s;
    }
    // Out of range of float64: an approximate decimal exponent is enough.
    let (m, e) = scaled(r, 53, i64::MIN / 2);
    let exponent = e + m.bit_len() as i64;
    let mut mantissa = u64::try_from(m).unwrap_or(0) as f64 / (1u64 << 53) as f64;
    let d = exponent as f64 * std::f64::consts::LOG10_2;
    let mut decimal = d as i64;
    mantissa *= 10f64.powf(d - decimal as f64);
    if mantissa < 1.0 - 0.5e-6 {
        mantissa *= 10.0;
        decimal -= 1;
    } else if mantissa >= 10.0 {
        mantissa /= 10.0;
        decimal += 1;
    }
    let sign = if r.sign() == Sign::Negative { "-" } else { "" };
    format!("{sign}{}e{decimal:+}", general(&format!("{mantissa:.5e}")))
}

/// Go's `%g` from Rust's `{:e}`.
fn general(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(m) => ("-", m),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    let digits = match digits.trim_end_matches('0') {
        "" => "0",
        d => d,
    };
    let n = digits.len() as i32;
    if !(-4..6).contains(&exponent) {
        let (head, tail) = digits.split_at(1);
        let dot = if tail.is_empty() { "" } else { "." };
        let e = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{head}{dot}{tail}e{e}{:02}", exponent.abs());
    }
    if exponent < 0 {
        let zeros = "0".repeat((-exponent - 1) as usize);
        return format!("{sign}0.{zeros}{digits}");
    }
    if n <= exponent + 1 {
        let zeros = "0".repeat((exponent + 1 - n) as usize);
        return format!("{sign}{digits}{zeros}");
    }
    let (head, tail) = digits.split_at(exponent as usize + 1);
    format!("{sign}{head}.{tail}")
}

#[cfg(test)]
#[path = "constant_tests.rs"]
mod tests;
