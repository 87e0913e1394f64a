//! Natives of package math.

use vm::native::NativeDef;

use crate::real;

pub const NATIVES: &[NativeDef] = natives! {
    "math.Sqrt" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.sqrt()); };
    "math.Cbrt" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.cbrt()); };
    "math.Exp" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.exp()); };
    "math.Exp2" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.exp2()); };
    "math.Expm1" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.exp_m1()); };
    "math.Log" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.ln()); };
    "math.Log2" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(real::log2(x)); };
    "math.Log10" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(real::log2(x) * (std::f64::consts::LN_2 / std::f64::consts::LN_10)); };
    "math.Log1p" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.ln_1p()); };
    "math.Sin" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.sin()); };
    "math.Cos" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.cos()); };
    "math.Tan" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.tan()); };
    "math.Asin" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.asin()); };
    "math.Acos" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.acos()); };
    "math.Atan" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.atan()); };
    "math.Sinh" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.sinh()); };
    "math.Cosh" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.cosh()); };
    "math.Tanh" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.tanh()); };
    "math.Asinh" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.asinh()); };
    "math.Acosh" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.acosh()); };
    "math.Atanh" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.atanh()); };
    "math.Floor" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.floor()); };
    "math.Ceil" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.ceil()); };
    "math.Trunc" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.trunc()); };
    "math.Round" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.round()); };
    "math.RoundToEven" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(x.round_ties_even()); };
    "math.Gamma" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(libm::tgamma(x)); };
    "math.Erf" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(libm::erf(x)); };
    "math.Erfc" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(libm::erfc(x)); };
    "math.J0" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(libm::j0(x)); };
    "math.J1" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(libm::j1(x)); };
    "math.Y0" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(libm::y0(x)); };
    "math.Y1" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(libm::y1(x)); };
    "math.Logb" "func(float64) float64" => |c| { let x = c.float(); c.ret_float(real::logb(x)); };
    "math.Pow" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(real::pow(x, y)); };
    "math.Atan2" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(x.atan2(y)); };
    "math.Hypot" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(x.hypot(y)); };
    "math.Mod" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(x % y); };
    "math.Remainder" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(libm::remainder(x, y)); };
    "math.Dim" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(real::dim(x, y)); };
    "math.Nextafter" "func(float64, float64) float64" => |c| { let (x, y) = (c.float(), c.float()); c.ret_float(libm::nextafter(x, y)); };
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
        let (frac, exp) = libm::frexp(c.float());
        c.ret_float(frac);
        c.ret_int(exp.into());
    };
    "math.Ldexp" "func(float64, int) float64" => |c| {
        let (x, n) = (c.float(), c.int());
        c.ret_float(libm::ldexp(x, n.clamp(-100_000, 100_000) as i32));
    };
    "math.Modf" "func(float64) (float64, float64)" => |c| {
        let x = c.float();
        c.ret_float(x.trunc());
        c.ret_float(if x.is_infinite() { f64::NAN } else { (x - x.trunc()).copysign(x) });
    };
    "math.Lgamma" "func(float64) (float64, int)" => |c| {
        let x = c.float();
        let (value, sign) = libm::lgamma_r(x);
        c.ret_float(value);
        c.ret_int(if sign < 0 { -1 } else { 1 });
    };
    "math.Sincos" "func(float64) (float64, float64)" => |c| {
        let x = c.float();
        c.ret_float(x.sin());
        c.ret_float(x.cos());
    };
    "math.pow10" "func(int) float64" => |c| {
        let n = c.int();
        c.ret_float(format!("1e{n}").parse().unwrap_or(f64::NAN));
    };
};
