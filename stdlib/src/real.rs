//! Functions of float64 where Go's definition is its own.

pub fn logb(x: f64) -> f64 {
    if x == 0.0 {
        f64::NEG_INFINITY
    } else if x.is_infinite() {
        f64::INFINITY
    } else if x.is_nan() {
        x
    } else {
        f64::from(libm::frexp(x).1 - 1)
    }
}

/// Exact for powers of two.
pub fn log2(x: f64) -> f64 {
    let (frac, exp) = libm::frexp(x);
    if frac == 0.5 {
        return f64::from(exp - 1);
    }
    frac.ln() * (1.0 / std::f64::consts::LN_2) + f64::from(exp)
}

pub fn dim(x: f64, y: f64) -> f64 {
    let v = x - y;
    if v <= 0.0 { 0.0 } else { v }
}

pub fn max(x: f64, y: f64) -> f64 {
    if x == f64::INFINITY || y == f64::INFINITY {
        return f64::INFINITY;
    }
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    if x == 0.0 && x == y {
        return if x.is_sign_negative() { y } else { x };
    }
    if x > y { x } else { y }
}

pub fn min(x: f64, y: f64) -> f64 {
    if x == f64::NEG_INFINITY || y == f64::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    if x == 0.0 && x == y {
        return if x.is_sign_negative() { x } else { y };
    }
    if x < y { x } else { y }
}

/// x to the power y: the fraction of y by exp and log, the integer part by repeated squaring of the mantissa.
pub fn pow(x: f64, y: f64) -> f64 {
    if y == 0.0
        || x == 1.0
        || y == 1.0
        || x.is_nan()
        || y.is_nan()
        || x == 0.0
        || x.is_infinite()
        || y.is_infinite()
    {
        return x.powf(y);
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
    if int >= 9.223_372_036_854_776e18 {
        return x.powf(y);
    }
    let mut result = 1.0;
    let mut exp: i64 = 0;
    if frac != 0.0 {
        if frac > 0.5 {
            frac -= 1.0;
            int += 1.0;
        }
        result = (frac * x.ln()).exp();
    }
    let (mut base, base_exp) = libm::frexp(x);
    let mut base_exp = i64::from(base_exp);
    let mut n = int as i64;
    while n != 0 {
        if !(-4096..=4096).contains(&base_exp) {
            exp += base_exp;
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
    libm::ldexp(result, exp.clamp(-100_000, 100_000) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers() {
        assert_eq!(pow(2.0, 10.0), 1024.0);
        assert_eq!(pow(10.0, -2.0), 0.01);
        assert_eq!(pow(-2.0, 3.0), -8.0);
        assert!(pow(-2.0, 0.5).is_nan());
        assert_eq!(log2(8.0), 3.0);
        assert!(max(-0.0, 0.0).is_sign_positive() && min(0.0, -0.0).is_sign_negative());
    }
}
