//! Trigonometric and hyperbolic functions with the results of Go's implementations to the last bit: the algorithms of
//! Moshier's Cephes library (sine to tanh), FreeBSD's msun (asinh to atanh), Payne and Hanek's reduction.
#![allow(clippy::excessive_precision)] // Figures as published.

use std::f64::consts::{FRAC_1_PI, FRAC_PI_2, FRAC_PI_4, LN_2, PI};

use crate::elementary::{exp, horner, log, log1p};

const SIN: [f64; 6] = [
    1.589_623_015_765_465_680_60e-10,
    -2.505_074_776_285_780_728_66e-8,
    2.755_731_362_138_572_452_13e-6,
    -1.984_126_982_958_953_859_96e-4,
    8.333_333_333_322_118_588_78e-3,
    -1.666_666_666_666_663_072_95e-1,
];
const COS: [f64; 6] = [
    -1.135_853_652_138_768_173_00e-11,
    2.087_570_084_197_473_167_78e-9,
    -2.755_731_417_929_673_881_12e-7,
    2.480_158_728_885_170_453_48e-5,
    -1.388_888_888_887_305_641_16e-3,
    4.166_666_666_666_659_292_18e-2,
];

/// The bits of 4/pi.
const FOUR_OVER_PI: [u64; 20] = [
    0x0000000000000001,
    0x45f306dc9c882a53,
    0xf84eafa3ea69bb81,
    0xb6c52b3278872083,
    0xfca2c757bd778ac3,
    0x6e48dc74849ba5c0,
    0x0c925dd413a32439,
    0xfc3bd63962534e7d,
    0xd1046bea5d768909,
    0xd338e04d68befc82,
    0x7323ac7306a673e9,
    0x3908bf177bf25076,
    0x3ff12fffbc0b301f,
    0xde5e2316b414da3e,
    0xda6cfd9e4f96136e,
    0x9e8c7ecd3cbfd45a,
    0xea4f758fd7cbe2f6,
    0x7a0e73ef14a525d4,
    0xd7f6bf623f1aba10,
    0xac06608df8f6d757,
];

/// The octant (made even) and the rest of a positive number, modulo a full turn.
fn reduce(x: f64) -> (u64, f64) {
    if x >= (1 << 29) as f64 {
        return reduce_large(x);
    }
    let mut octant = (x * (4.0 * FRAC_1_PI)) as u64;
    octant += octant & 1;
    let y = octant as f64;
    // pi/4 in three parts.
    let z = ((x - y * 7.853_981_256_484_985_351_56e-1) - y * 3.774_894_707_930_798_176_68e-8)
        - y * 2.695_151_429_079_059_526_45e-15;
    (octant & 7, z)
}

/// Payne and Hanek: the product of the mantissa with those 192 bits of 4/pi that matter.
fn reduce_large(x: f64) -> (u64, f64) {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i64 - 1023 - 52;
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    let (digit, shift) = ((exponent + 61) as usize / 64, (exponent + 61) as u32 % 64);
    let word = |i: usize| {
        let pair =
            u128::from(FOUR_OVER_PI[digit + i]) << 64 | u128::from(FOUR_OVER_PI[digit + i + 1]);
        (pair << shift >> 64) as u64
    };
    let product = (u128::from(word(0).wrapping_mul(mantissa)) << 64)
        .wrapping_add(u128::from(word(1)) * u128::from(mantissa))
        .wrapping_add((u128::from(word(2)) * u128::from(mantissa)) >> 64);
    let octant = (product >> 125) as u64;
    let high = (product << 3 >> 64) as u64;
    let zeros = high.leading_zeros();
    // Go takes the low word as it was before the shift by three.
    let fraction = u128::from(high) << 64 | u128::from(product as u64);
    let digits = (fraction << (zeros + 1) >> 64) as u64 >> 12;
    let z = f64::from_bits(digits | u64::from(1023 - (zeros + 1)) << 52);
    if octant & 1 == 1 {
        return ((octant + 1) & 7, (z - 1.0) * FRAC_PI_4);
    }
    (octant, z * FRAC_PI_4)
}

fn sin_part(z: f64) -> f64 {
    let zz = z * z;
    z + z * zz * horner(zz, &SIN)
}

fn cos_part(z: f64) -> f64 {
    let zz = z * z;
    1.0 - 0.5 * zz + zz * zz * horner(zz, &COS)
}

/// An odd function by its values for positive arguments.
pub fn odd(x: f64, positive: impl FnOnce(f64) -> f64) -> f64 {
    if x == 0.0 {
        return x;
    }
    negate_if(x < 0.0, positive(x.abs()))
}

fn negate_if(negative: bool, x: f64) -> f64 {
    if negative { -x } else { x }
}

pub fn sin(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() {
        return x;
    }
    if x.is_infinite() {
        return f64::NAN;
    }
    let (octant, z) = reduce(x.abs());
    let y = if octant & 3 == 2 {
        cos_part(z)
    } else {
        sin_part(z)
    };
    negate_if((x < 0.0) != (octant > 3), y)
}

pub fn cos(x: f64) -> f64 {
    if !x.is_finite() {
        return f64::NAN;
    }
    let (octant, z) = reduce(x.abs());
    let y = if octant & 3 == 2 {
        sin_part(z)
    } else {
        cos_part(z)
    };
    negate_if((octant > 3) != (octant & 3 > 1), y)
}

pub fn sincos(x: f64) -> (f64, f64) {
    (sin(x), cos(x))
}

pub fn tan(x: f64) -> f64 {
    const P: [f64; 3] = [
        -1.309_369_391_813_837_776_46e4,
        1.153_516_648_385_874_161_40e6,
        -1.795_652_519_764_848_779_88e7,
    ];
    const Q: [f64; 4] = [
        1.368_129_634_706_929_546_78e4,
        -1.320_892_344_402_109_674_47e6,
        2.500_838_018_233_579_158_39e7,
        -5.386_957_559_294_546_298_81e7,
    ];
    if x == 0.0 || x.is_nan() {
        return x;
    }
    if x.is_infinite() {
        return f64::NAN;
    }
    let (octant, z) = reduce(x.abs());
    let zz = z * z;
    let mut y = z;
    if zz > 1e-14 {
        let q = Q[1..].iter().fold(zz + Q[0], |sum, c| sum * zz + c);
        y = z + z * (zz * horner(zz, &P) / q);
    }
    if octant & 2 == 2 {
        y = -1.0 / y;
    }
    negate_if(x < 0.0, y)
}

/// The arctangent up to 0.66.
fn atan_small(x: f64) -> f64 {
    const P: [f64; 5] = [
        -8.750_608_600_031_904_122_785e-1,
        -1.615_753_718_733_365_076_637e1,
        -7.500_855_792_314_704_667_340e1,
        -1.228_866_684_490_136_173_410e2,
        -6.485_021_904_942_025_371_773e1,
    ];
    const Q: [f64; 5] = [
        2.485_846_490_142_306_297_962e1,
        1.650_270_098_316_988_542_046e2,
        4.328_810_604_912_902_668_951e2,
        4.853_903_996_359_136_964_868e2,
        1.945_506_571_482_613_964_425e2,
    ];
    let z = x * x;
    let q = Q[1..].iter().fold(z + Q[0], |sum, c| sum * z + c);
    let z = z * horner(z, &P) / q;
    x * z + x
}

fn atan_positive(x: f64) -> f64 {
    const MORE_BITS: f64 = 6.123_233_995_736_765_886_130e-17; // pi/2 less its double
    if x <= 0.66 {
        return atan_small(x);
    }
    if x > 2.414_213_562_373_095_048_80 {
        return FRAC_PI_2 - atan_small(1.0 / x) + MORE_BITS;
    }
    FRAC_PI_4 + atan_small((x - 1.0) / (x + 1.0)) + 0.5 * MORE_BITS
}

pub fn atan(x: f64) -> f64 {
    if x == 0.0 {
        return x;
    }
    if x > 0.0 {
        atan_positive(x)
    } else {
        -atan_positive(-x)
    }
}

pub fn asin(x: f64) -> f64 {
    if x == 0.0 {
        return x;
    }
    let size = x.abs();
    if size > 1.0 || x.is_nan() {
        return f64::NAN;
    }
    let other = (1.0 - size * size).sqrt();
    let y = if size > 0.7 {
        FRAC_PI_2 - atan_positive(other / size)
    } else {
        atan_positive(size / other)
    };
    negate_if(x < 0.0, y)
}

pub fn acos(x: f64) -> f64 {
    FRAC_PI_2 - asin(x)
}

pub fn atan2(y: f64, x: f64) -> f64 {
    if y.is_nan() || x.is_nan() {
        return f64::NAN;
    }
    let angle = if y == 0.0 {
        if x.is_sign_negative() { PI } else { 0.0 }
    } else if x == 0.0 {
        FRAC_PI_2
    } else if x.is_infinite() {
        match (x > 0.0, y.is_infinite()) {
            (true, true) => FRAC_PI_4,
            (true, false) => 0.0,
            (false, true) => 2.356_194_490_192_344_928_8,
            (false, false) => PI,
        }
    } else if y.is_infinite() {
        FRAC_PI_2
    } else {
        let q = atan(y / x);
        return match (x < 0.0, q <= 0.0) {
            (true, true) => q + PI,
            (true, false) => q - PI,
            _ => q,
        };
    };
    angle.copysign(y)
}

pub fn sinh(x: f64) -> f64 {
    const P: [f64; 4] = [
        -0.263_056_321_339_749_706_281_948_9e2,
        -0.289_421_135_598_956_380_728_466_036_6e4,
        -0.899_127_202_203_950_935_539_801_351_1e5,
        -0.630_767_364_049_771_699_118_478_725_1e6,
    ];
    const Q: [f64; 3] = [
        -0.173_678_953_558_233_699_533_450_911e3,
        0.152_151_737_879_001_907_069_648_517_6e5,
        -0.630_767_364_049_771_699_121_207_727_7e6,
    ];
    odd(x, |size| {
        if size > 21.0 {
            exp(size) * 0.5
        } else if size > 0.5 {
            let e = exp(size);
            (e - 1.0 / e) * 0.5
        } else {
            let sq = size * size;
            let q = Q[1..].iter().fold(sq + Q[0], |sum, c| sum * sq + c);
            horner(sq, &P) * size / q
        }
    })
}

pub fn cosh(x: f64) -> f64 {
    let size = x.abs();
    if size > 21.0 {
        return exp(size) * 0.5;
    }
    let e = exp(size);
    (e + 1.0 / e) * 0.5
}

pub fn tanh(x: f64) -> f64 {
    const P: [f64; 3] = [
        -9.643_991_794_250_522_386_28e-1,
        -9.928_772_310_019_185_865_64e1,
        -1.614_687_684_417_084_479_52e3,
    ];
    const Q: [f64; 3] = [
        1.128_116_784_916_329_314_02e2,
        2.235_488_390_601_004_485_83e3,
        4.844_063_053_251_254_860_48e3,
    ];
    let size = x.abs();
    if size > 0.5 * 8.802_969_193_111_305_429_598_8e1 {
        return 1.0_f64.copysign(x);
    }
    if size >= 0.625 {
        return negate_if(x < 0.0, 1.0 - 2.0 / (exp(2.0 * size) + 1.0));
    }
    if x == 0.0 {
        return x;
    }
    let s = x * x;
    let q = Q[1..].iter().fold(s + Q[0], |sum, c| sum * s + c);
    x + x * s * horner(s, &P) / q
}

const LARGE: f64 = (1 << 28) as f64;

pub fn asinh(x: f64) -> f64 {
    if !x.is_finite() {
        return x;
    }
    odd(x, |size| {
        if size > LARGE {
            log(size) + LN_2
        } else if size > 2.0 {
            log(2.0 * size + 1.0 / ((size * size + 1.0).sqrt() + size))
        } else if size < 1.0 / LARGE {
            size
        } else {
            log1p(size + size * size / (1.0 + (1.0 + size * size).sqrt()))
        }
    })
}

pub fn acosh(x: f64) -> f64 {
    if x < 1.0 || x.is_nan() {
        return f64::NAN;
    }
    if x == 1.0 {
        return 0.0;
    }
    if x >= LARGE {
        return log(x) + LN_2;
    }
    if x > 2.0 {
        return log(2.0 * x - 1.0 / (x + (x * x - 1.0).sqrt()));
    }
    let t = x - 1.0;
    log1p(t + (2.0 * t + t * t).sqrt())
}

pub fn atanh(x: f64) -> f64 {
    let size = x.abs();
    if size > 1.0 || x.is_nan() {
        return f64::NAN;
    }
    if size == 1.0 {
        return f64::INFINITY.copysign(x);
    }
    odd(x, |size| {
        if size < 1.0 / LARGE {
            size
        } else if size < 0.5 {
            let twice = size + size;
            0.5 * log1p(twice + twice * size / (1.0 - size))
        } else {
            0.5 * log1p((size + size) / (1.0 - size))
        }
    })
}

/// The larger one times the root of one and the square of the quotient.
pub fn hypot(x: f64, y: f64) -> f64 {
    let (x, y) = (x.abs(), y.abs());
    if x.is_infinite() || y.is_infinite() {
        return f64::INFINITY;
    }
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    let (small, large) = if x < y { (x, y) } else { (y, x) };
    if large == 0.0 {
        return 0.0;
    }
    let q = small / large;
    large * (q * q + 1.0).sqrt()
}
