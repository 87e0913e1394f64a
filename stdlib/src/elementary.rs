//! Exponentials, logarithms and powers with the results of Go's implementations to the last bit: the algorithms of
//! FreeBSD's msun, for `exp` that of Shibata ("Efficient evaluation methods of elementary functions suitable for SIMD
//! computation", 2010), whose multiplications and additions are fused.
#![allow(clippy::excessive_precision)] // Figures as published.

use std::f64::consts::{LN_2, LOG2_E, LOG10_E, SQRT_2};

const LN2_HI: f64 = 6.931_471_803_691_238_164_90e-1;
const LN2_LO: f64 = 1.908_214_929_270_587_700_02e-10;

/// A polynomial by Horner's rule; the coefficient of the highest power first.
pub fn horner(x: f64, coefficients: &[f64]) -> f64 {
    let (first, rest) = coefficients.split_first().expect("coefficients");
    rest.iter().fold(*first, |sum, c| sum * x + c)
}

/// The same with the constant term first.
pub fn poly(x: f64, coefficients: &[f64]) -> f64 {
    let (last, rest) = coefficients.split_last().expect("coefficients");
    rest.iter().rev().fold(*last, |sum, c| c + x * sum)
}

/// Mantissa in [0.5, 1) and exponent.
pub fn frexp(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    libm::frexp(x)
}

/// `frac` times two to the power `exp`, rounded once.
pub fn ldexp(frac: f64, exp: i64) -> f64 {
    if frac == 0.0 || !frac.is_finite() {
        return frac;
    }
    let (mantissa, e) = frexp(frac);
    let exp = exp.saturating_add(i64::from(e)); // of a mantissa below 1
    if exp < -1074 {
        return 0.0_f64.copysign(frac);
    }
    if exp > 1024 {
        return f64::INFINITY.copysign(frac);
    }
    let power = |e: i64| f64::from_bits(((e + 1023) as u64) << 52);
    if exp < -1021 {
        mantissa * power(exp + 53) * power(-53)
    } else {
        mantissa * 2.0 * power(exp - 1)
    }
}

pub fn exp(x: f64) -> f64 {
    const LN2_U: f64 = 0.693_147_180_559_662_956_511_601_805_686_950_683_593_75;
    const LN2_L: f64 = 0.282_352_905_630_315_771_225_884_481_750_134_360_255_254_120_68e-12;
    /// Of (e^x - 1) / x.
    const SERIES: [f64; 8] = [
        2.480_158_730_158_730_158_7e-5,
        1.984_126_984_126_984_127_0e-4,
        1.388_888_888_888_888_888_9e-3,
        8.333_333_333_333_333_333_3e-3,
        4.166_666_666_666_666_666_7e-2,
        1.666_666_666_666_666_666_7e-1,
        0.5,
        1.0,
    ];
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x > 7.097_827_128_933_84e2 {
        return f64::INFINITY;
    }
    if x < -800.0 {
        return 0.0;
    }
    let n = (LOG2_E * x).round_ties_even();
    let r = (-n).mul_add(LN2_L, (-n).mul_add(LN2_U, x)) * 0.0625;
    let sum = SERIES[1..]
        .iter()
        .fold(SERIES[0], |sum, c| sum.mul_add(r, *c));
    // y = e^r - 1; doubling r makes it y * (y + 2).
    let mut y = r * sum;
    for _ in 0..3 {
        y *= y + 2.0;
    }
    let y = (y + 2.0).mul_add(y, 1.0);
    let exponent = n as i64 + 1023;
    let power = |e: i64| f64::from_bits((e as u64) << 52);
    match exponent {
        ..-52 => 0.0,
        -52..=0 => y * power(exponent + 1022) * power(1),
        1..2047 => y * power(exponent),
        _ => f64::INFINITY,
    }
}

pub fn exp2(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x > 1.023_999_999_999_999_9e3 {
        return f64::INFINITY;
    }
    if x < -1074.0 {
        return 0.0;
    }
    let k = if x > 0.0 { x + 0.5 } else { x - 0.5 }.trunc();
    let t = x - k;
    let (hi, lo) = (t * LN2_HI, -t * LN2_LO);
    let r = hi - lo;
    let t = r * r;
    let c = r - t * poly(
        t,
        &[
            1.666_666_666_666_666_574_15e-1,
            -2.777_777_777_701_559_338_42e-3,
            6.613_756_321_437_934_361_17e-5,
            -1.653_390_220_546_525_153_90e-6,
            4.138_136_797_057_238_460_39e-8,
        ],
    );
    ldexp(1.0 - ((lo - (r * c) / (2.0 - c)) - hi), k as i64)
}

/// y times two to the power k by its bits; y is in no danger of leaving the normal numbers.
fn scaled(y: f64, k: i64) -> f64 {
    f64::from_bits(y.to_bits().wrapping_add((k as u64) << 52))
}

pub fn expm1(x: f64) -> f64 {
    const Q: [f64; 6] = [
        1.0,
        -3.333_333_333_333_313_164_28e-2,
        1.587_301_587_254_814_601_65e-3,
        -7.936_507_578_674_879_424_73e-5,
        4.008_217_827_329_362_395_52e-6,
        -2.010_992_181_836_243_713_26e-7,
    ];
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    let size = x.abs();
    if size >= 3.881_624_211_135_693_732_74e1 {
        if x < 0.0 {
            return -1.0;
        }
        if size >= 7.097_827_128_933_839_730_96e2 {
            return f64::INFINITY;
        }
    }
    let (mut x, mut c, mut k) = (x, 0.0, 0);
    if size > 3.465_735_902_799_726_547_09e-1 {
        let (hi, lo);
        if size < 1.039_720_770_839_917_964_13 {
            (hi, lo, k) = if x > 0.0 {
                (x - LN2_HI, LN2_LO, 1)
            } else {
                (x + LN2_HI, -LN2_LO, -1)
            };
        } else {
            let half = if x > 0.0 { 0.5 } else { -0.5 };
            k = (LOG2_E * x + half) as i64;
            let t = k as f64;
            (hi, lo) = (x - t * LN2_HI, t * LN2_LO);
        }
        x = hi - lo;
        c = (hi - x) - lo;
    } else if size < 1.0 / (1_u64 << 54) as f64 {
        return x;
    }
    let half = 0.5 * x;
    let square = x * half;
    let r = poly(square, &Q);
    let t = 3.0 - r * half;
    let mut e = square * ((r - t) / (6.0 - x * t));
    if k == 0 {
        return x - (x * e - square);
    }
    e = x * (e - c) - c;
    e -= square;
    match k {
        -1 => 0.5 * (x - e) - 0.5,
        1 if x < -0.25 => -2.0 * (e - (x + 0.5)),
        1 => 1.0 + 2.0 * (x - e),
        2..20 => {
            let t = f64::from_bits(0x3ff0_0000_0000_0000 - (0x20_0000_0000_0000_u64 >> k));
            scaled(t - (e - x), k)
        }
        20..=56 => {
            let t = f64::from_bits(((0x3ff - k) as u64) << 52);
            scaled(x - (e + t) + 1.0, k)
        }
        _ => scaled(1.0 - (e - x), k) - 1.0,
    }
}

const L: [f64; 7] = [
    6.666_666_666_666_735_130e-1,
    3.999_999_999_940_941_908e-1,
    2.857_142_874_366_239_149e-1,
    2.222_219_843_214_978_396e-1,
    1.818_357_216_161_805_012e-1,
    1.531_383_769_920_937_332e-1,
    1.479_819_860_511_658_591e-1,
];

pub fn log(x: f64) -> f64 {
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    // As in Go's assembly, subnormal numbers are taken as they lie, without normalising them.
    let mut f = f64::from_bits(x.to_bits() & ((1 << 52) - 1) | 0x3fe0_0000_0000_0000);
    let mut k = (x.to_bits() >> 52) as f64 - 1022.0;
    if f < SQRT_2 / 2.0 {
        f *= 2.0;
        k -= 1.0;
    }
    f -= 1.0;
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let odd = s2 * poly(s4, &[L[0], L[2], L[4], L[6]]);
    let even = s4 * poly(s4, &[L[1], L[3], L[5]]);
    let r = odd + even;
    let half_square = 0.5 * f * f;
    k * LN2_HI - ((half_square - (s * (half_square + r) + k * LN2_LO)) - f)
}

pub fn log10(x: f64) -> f64 {
    log(x) * LOG10_E
}

/// Exact for powers of two.
pub fn log2(x: f64) -> f64 {
    let (frac, exp) = frexp(x);
    if frac == 0.5 {
        return f64::from(exp - 1);
    }
    log(frac) * (1.0 / LN_2) + f64::from(exp)
}

pub fn log1p(x: f64) -> f64 {
    if x < -1.0 || x.is_nan() {
        return f64::NAN;
    }
    if x == -1.0 {
        return f64::NEG_INFINITY;
    }
    if x == f64::INFINITY {
        return x;
    }
    const MANTISSA: u64 = (1 << 52) - 1;
    let size = x.abs();
    let (mut f, mut c, mut k, mut zero) = (x, 0.0, 0_i64, false);
    let small = size < 4.142_135_623_730_950_488_017e-1;
    if small && size < 1.0 / (1 << 29) as f64 {
        return if size < 1.0 / (1_u64 << 54) as f64 {
            x
        } else {
            x - x * x * 0.5
        };
    }
    if !(small && x > -2.928_932_188_134_524_755_992e-1) {
        let u = if size < (1_u64 << 53) as f64 {
            1.0 + x
        } else {
            x
        };
        k = (u.to_bits() >> 52) as i64 - 1023;
        if size < (1_u64 << 53) as f64 {
            // What the addition lost.
            c = if k > 0 { 1.0 - (u - x) } else { x - (u - 1.0) } / u;
        }
        let mut mantissa = u.to_bits() & MANTISSA;
        let u = if mantissa < 0x0006_a09e_667f_3bcd {
            f64::from_bits(mantissa | 0x3ff0_0000_0000_0000)
        } else {
            k += 1;
            let u = f64::from_bits(mantissa | 0x3fe0_0000_0000_0000);
            mantissa = (MANTISSA + 1 - mantissa) >> 2;
            u
        };
        f = u - 1.0;
        zero = mantissa == 0;
    }
    let half_square = 0.5 * f * f;
    let kf = k as f64;
    if zero {
        if f == 0.0 {
            return if k == 0 {
                0.0
            } else {
                kf * LN2_HI + (c + kf * LN2_LO)
            };
        }
        let r = half_square * (1.0 - 0.666_666_666_666_666_66 * f);
        return if k == 0 {
            f - r
        } else {
            kf * LN2_HI - ((r - (kf * LN2_LO + c)) - f)
        };
    }
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * poly(z, &L);
    if k == 0 {
        return f - (half_square - s * (half_square + r));
    }
    kf * LN2_HI - ((half_square - (s * (half_square + r) + (kf * LN2_LO + c))) - f)
}

pub fn cbrt(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    let size = x.abs();
    // A third of the exponent, to five bits; then to 23 bits, rounded so that its square is exact; then a Newton step.
    let mut t = f64::from_bits(size.to_bits() / 3 + (715_094_163 << 32));
    if size < f64::MIN_POSITIVE {
        let scaled = (1_u64 << 54) as f64 * size;
        t = f64::from_bits(scaled.to_bits() / 3 + (696_219_795 << 32));
    }
    let r = t * t / size;
    let s = 5.428_571_428_571_428_159_06e-1 + r * t;
    t *= 3.571_428_571_428_571_507_87e-1
        + 1.607_142_857_142_857_206_30
            / (s + 1.414_285_714_285_714_368_19 + -7.053_061_224_489_796_110_50e-1 / s);
    t = f64::from_bits((t.to_bits() & (0xF_FFFF_FFFC << 28)) + (1 << 30));
    let s = t * t;
    let r = size / s;
    let w = t + t;
    let r = (r - t) / (w + r);
    (t + t * r).copysign(x)
}

fn is_odd(x: f64) -> bool {
    x.abs() < (1_u64 << 53) as f64 && x.fract() == 0.0 && x as i64 & 1 == 1
}

/// x to the power y: the fraction of y by exp and log, the integer part by repeated squaring of the mantissa.
pub fn pow(x: f64, y: f64) -> f64 {
    if y == 0.0 || x == 1.0 {
        return 1.0;
    }
    if y == 1.0 {
        return x;
    }
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    if x == 0.0 {
        let sign = if is_odd(y) { x } else { 0.0 };
        return if y < 0.0 { f64::INFINITY } else { 0.0 }.copysign(sign);
    }
    let toward = |up: bool| if up { f64::INFINITY } else { 0.0 };
    if y.is_infinite() {
        return if x == -1.0 {
            1.0
        } else {
            toward((x.abs() < 1.0) != (y > 0.0))
        };
    }
    if x.is_infinite() {
        return if x < 0.0 {
            pow(1.0 / x, -y)
        } else {
            toward(y > 0.0)
        };
    }
    if y == 0.5 {
        return x.sqrt();
    }
    if y == -0.5 {
        return 1.0 / x.sqrt();
    }
    let (mut int, mut frac) = (y.abs().trunc(), y.abs().fract());
    if frac != 0.0 && x < 0.0 {
        return f64::NAN;
    }
    if int >= (1_u64 << 63) as f64 {
        return if x == -1.0 {
            1.0
        } else {
            toward((x.abs() < 1.0) != (y > 0.0))
        };
    }
    let mut result = 1.0;
    let mut exp: i64 = 0;
    if frac != 0.0 {
        if frac > 0.5 {
            frac -= 1.0;
            int += 1.0;
        }
        result = self::exp(frac * log(x));
    }
    let (mut base, base_exp) = frexp(x);
    let mut base_exp = i64::from(base_exp);
    let mut n = int as i64;
    while n != 0 {
        if !(-4096..=4096).contains(&base_exp) {
            exp += base_exp; // An overflow or underflow already.
            break;
        }
        if n & 1 == 1 {
            result *= base;
            exp += base_exp;
        }
        base *= base;
        base_exp *= 2;
        if base < 0.5 {
            base += base;
            base_exp -= 1;
        }
        n >>= 1;
    }
    if y < 0.0 {
        result = 1.0 / result;
        exp = -exp;
    }
    ldexp(result, exp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers() {
        assert_eq!(pow(2.0, 10.0), 1024.0);
        assert_eq!(pow(10.0, -2.0), 0.01);
        assert_eq!(pow(-2.0, 3.0), -8.0);
        assert_eq!(pow(-0.0, -3.0), f64::NEG_INFINITY);
        assert!(pow(-2.0, 0.5).is_nan());
        assert_eq!(log2(8.0), 3.0);
    }

    #[test]
    fn scaling_rounds_once() {
        assert_eq!(ldexp(0.5, -1073), 5e-324);
        assert_eq!(ldexp(0.75, -1074), 5e-324);
        assert_eq!(ldexp(0.5, -1074), 0.0);
        assert_eq!(ldexp(-0.5, 1024), -8.98846567431158e307);
        assert_eq!(ldexp(1.0, 1024), f64::INFINITY);
    }
}
