//! Natives of package math.

use vm::native::NativeDef;

use crate::{bessel, elementary, real, special, trigonometry};

pub const NATIVES: &[NativeDef] = natives! {
    "math.Sqrt" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.sqrt()); };
    "math.Cbrt" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(elementary::cbrt(x)); };
    "math.Exp" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(elementary::exp(x)); };
    "math.Exp2" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(elementary::exp2(x)); };
    "math.Expm1" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(elementary::expm1(x)); };
    "math.Log" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(elementary::log(x)); };
    "math.Log2" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(elementary::log2(x)); };
    "math.Log10" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(elementary::log10(x)); };
    "math.Log1p" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(elementary::log1p(x)); };
    "math.Sin" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(trigonometry::sin(x)); };
    "math.Cos" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(trigonometry::cos(x)); };
    "math.Tan" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(trigonometry::tan(x)); };
    "math.Asin" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(trigonometry::asin(x)); };
    "math.Acos" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(trigonometry::acos(x)); };
    "math.Atan" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(trigonometry::atan(x)); };
    "math.Sinh" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(trigonometry::sinh(x)); };
    "math.Cosh" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(trigonometry::cosh(x)); };
    "math.Tanh" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(trigonometry::tanh(x)); };
    "math.Asinh" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(trigonometry::asinh(x)); };
    "math.Acosh" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(trigonometry::acosh(x)); };
    "math.Atanh" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(trigonometry::atanh(x)); };
    "math.Floor" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.floor()); };
    "math.Ceil" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.ceil()); };
    "math.Trunc" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.trunc()); };
    "math.Round" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.round()); };
    "math.RoundToEven" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.round_ties_even()); };
    "math.Gamma" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(special::gamma(x)); };
    "math.Erf" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(special::erf(x)); };
    "math.Erfc" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(special::erfc(x)); };
    "math.J0" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(bessel::j0(x)); };
    "math.J1" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(bessel::j1(x)); };
    "math.Y0" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(bessel::y0(x)); };
    "math.Y1" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(bessel::y1(x)); };
    "math.Erfinv" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(special::erfinv(x)); };
    "math.Jn" "func(int, float64) float64" => |c| { let (n, x) = (c.int(), c.float()); c.ret_float(bessel::jn(n, x)); };
    "math.Yn" "func(int, float64) float64" => |c| { let (n, x) = (c.int(), c.float()); c.ret_float(bessel::yn(n, x)); };
    "math.Logb" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(real::logb(x)); };
    "math.Pow" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(elementary::pow(x, y)); };
    "math.Atan2" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(trigonometry::atan2(x, y)); };
    "math.Hypot" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(trigonometry::hypot(x, y)); };
    "math.Mod" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(x % y); };
    "math.Remainder" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(libm::remainder(x, y)); };
    "math.Dim" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(real::dim(x, y)); };
    "math.Nextafter" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(if x == y { x } else { libm::nextafter(x, y) }); };
    "math.Max" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(real::max(x, y)); };
    "math.Min" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(real::min(x, y)); };
    "math.Copysign" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(x.copysign(y)); };
    "math.FMA" "func(float64, float64, float64) float64" => |c| {
        let (x, y, z) = (c.float(), c.float(), c.float());
        c.ret_float(x.mul_add(y, z));
    };
    "math.Float64bits" "func(float64) uint64" => |c| { let x = c.float(); c.ret_uint(x.to_bits()); };
    "math.Float64frombits" "func(uint64) float64" => |c| { let n = c.uint(); c.ret_float(f64::from_bits(n)); };
    "math.Float32bits" "func(float32) uint32" => |c| { let x = c.float32(); c.ret_uint(x.to_bits().into()); };
    "math.Float32frombits" "func(uint32) float32" => |c| { let n = c.uint(); c.ret_float32(f32::from_bits(n as u32)); };
    "math.Frexp" "func(float64) (float64, int)" => |c| {
        let (frac, exp) = elementary::frexp(c.float());
        c.ret_float(frac);
        c.ret_int(exp.into());
    };
    "math.Ldexp" "func(float64, int) float64" => |c| {
        let (x, n) = (c.float(), c.int());
        c.ret_float(elementary::ldexp(x, n));
    };
    "math.Modf" "func(float64) (float64, float64)" => |c| {
        let x = c.float();
        c.ret_float(x.trunc());
        c.ret_float(if x.is_infinite() { f64::NAN } else { (x - x.trunc()).copysign(x) });
    };
    "math.Lgamma" "func(float64) (float64, int)" => |c| {
        let x = c.float();
        let (value, sign) = special::lgamma(x);
        c.ret_float(value);
        c.ret_int(sign);
    };
    "math.Sincos" "func(float64) (float64, float64)" => |c| {
        let x = c.float();
        let (sin, cos) = trigonometry::sincos(x);
        c.ret_float(sin);
        c.ret_float(cos);
    };
    "math.pow10" "func(int) float64" => |c| {
        let n = c.int();
        c.ret_float(format!("1e{n}").parse().unwrap_or(f64::NAN));
    };
};
