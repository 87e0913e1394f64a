//! Numbers to text and back, as strconv and fmt need them.

use std::fmt::Write;

/// Status of a parse: 1 syntax, 2 range, 3 bad base, 4 bad bit size.
pub type Status = i64;
pub const SYNTAX: Status = 1;
pub const RANGE: Status = 2;

/// Significant decimal digits without trailing zeros, and the position of the point: 0.d1d2… × 10^point.
struct Digits {
    digits: Vec<u8>,
    point: i32,
}

impl Digits {
    /// From Rust's exponent form `d.ddde±x`.
    fn parse(text: &str) -> Digits {
        let (mantissa, exp) = text.split_once('e').unwrap_or((text, "0"));
        let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        while digits.len() > 1 && digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits == b"0" {
            return Digits {
                digits: Vec::new(),
                point: 0,
            };
        }
        Digits {
            digits,
            point: exp.parse::<i32>().unwrap_or(0) + 1,
        }
    }

    /// The fewest digits that lead back to `x`. Of two equally near ones Go takes the even one; they are possible only
    /// where about as many digits are needed as there can be.
    fn shortest(x: f64, bits: i64) -> Digits {
        let single = bits == 32;
        let text = if single {
            format!("{:e}", x as f32)
        } else {
            format!("{x:e}")
        };
        let digits = Digits::parse(&text);
        let count = digits.digits.len();
        if count >= if single { 7 } else { 16 } {
            let even = format!("{:.*e}", count - 1, x);
            let same = if single {
                even.parse() == Ok(x as f32)
            } else {
                even.parse() == Ok(x)
            };
            if same {
                return Digits::parse(&even);
            }
        }
        digits
    }

    /// Rounded to `count` significant digits.
    fn rounded(x: f64, count: usize) -> Digits {
        Digits::parse(&format!("{:.*e}", count - 1, x))
    }

    fn digit(&self, i: i32) -> u8 {
        usize::try_from(i)
            .ok()
            .and_then(|i| self.digits.get(i).copied())
            .unwrap_or(b'0')
    }

    fn write_exp(&self, out: &mut Vec<u8>, prec: usize, e: u8) {
        out.push(self.digit(0));
        if prec > 0 {
            out.push(b'.');
            out.extend((1..=prec as i32).map(|i| self.digit(i)));
        }
        out.push(e);
        let exp = if self.digits.is_empty() {
            0
        } else {
            self.point - 1
        };
        out.push(if exp < 0 { b'-' } else { b'+' });
        out.extend(format!("{:02}", exp.abs()).bytes());
    }

    fn write_fixed(&self, out: &mut Vec<u8>, prec: usize) {
        if self.point > 0 {
            out.extend((0..self.point).map(|i| self.digit(i)));
        } else {
            out.push(b'0');
        }
        if prec > 0 {
            out.push(b'.');
            out.extend((0..prec as i32).map(|i| self.digit(self.point + i)));
        }
    }
}

/// strconv.FormatFloat.
pub fn format_float(x: f64, verb: u8, prec: i64, bits: i64) -> Vec<u8> {
    if x.is_nan() {
        return b"NaN".to_vec();
    }
    if x.is_infinite() {
        return if x > 0.0 {
            b"+Inf".to_vec()
        } else {
            b"-Inf".to_vec()
        };
    }
    let mut out = Vec::with_capacity(24);
    if x.is_sign_negative() {
        out.push(b'-');
    }
    let x = x.abs();
    match verb {
        b'b' => binary_exponent(&mut out, x, bits),
        b'x' | b'X' => hex_float(&mut out, x, verb, prec, bits),
        b'e' | b'E' if prec < 0 => {
            let d = Digits::shortest(x, bits);
            let prec = d.digits.len().saturating_sub(1);
            d.write_exp(&mut out, prec, verb);
        }
        b'e' | b'E' => {
            Digits::rounded(x, prec as usize + 1).write_exp(&mut out, prec as usize, verb)
        }
        b'f' | b'F' if prec < 0 => {
            let d = Digits::shortest(x, bits);
            let prec = (d.digits.len() as i32 - d.point).max(0) as usize;
            d.write_fixed(&mut out, prec);
        }
        b'f' | b'F' => out.extend(format!("{:.*}", prec as usize, x).bytes()),
        b'g' | b'G' => {
            let shortest = prec < 0;
            let mut prec = if prec == 0 { 1 } else { prec };
            let d = if shortest {
                Digits::shortest(x, bits)
            } else {
                Digits::rounded(x, prec as usize)
            };
            let count = d.digits.len() as i64;
            let mut threshold = prec;
            if threshold > count && count >= i64::from(d.point) {
                threshold = count;
            }
            if shortest {
                threshold = 6;
                prec = 6;
            }
            let exp = i64::from(d.point) - 1;
            if exp < -4 || exp >= threshold {
                if shortest || prec > count {
                    prec = count;
                }
                d.write_exp(&mut out, (prec - 1).max(0) as usize, verb + b'e' - b'g');
            } else {
                d.write_fixed(&mut out, (count - i64::from(d.point)).max(0) as usize);
            }
        }
        _ => return vec![b'%', verb],
    }
    out
}

/// Mantissa and binary exponent such that x = mantissa × 2^exponent.
fn mantissa(x: f64, bits: i64) -> (u64, i32) {
    let (raw, width, bias) = if bits == 32 {
        (u64::from((x as f32).to_bits()), 23, 127)
    } else {
        (x.to_bits(), 52, 1023)
    };
    let exp = (raw >> width) as i32;
    let frac = raw & ((1 << width) - 1);
    if exp == 0 {
        (frac, 1 - bias - width)
    } else {
        (frac | 1 << width, exp - bias - width)
    }
}

fn binary_exponent(out: &mut Vec<u8>, x: f64, bits: i64) {
    let (m, e) = mantissa(x, bits);
    out.extend(format!("{m}p{e:+}").bytes());
}

fn hex_float(out: &mut Vec<u8>, x: f64, verb: u8, prec: i64, bits: i64) {
    let (m, e) = mantissa(x, bits);
    let (mut m, mut e) = if m == 0 { (0, 0) } else { (m, e + 60) };
    // Normalise: one digit before the point, 60 bits after it.
    while m != 0 && m & (1 << 60) == 0 {
        m <<= 1;
        e -= 1;
    }
    if (0..15).contains(&prec) {
        let shift = 60 - 4 * prec as u32;
        let extra = m & ((1 << shift) - 1);
        m >>= shift;
        if extra | (m & 1) > 1 << (shift - 1) {
            m += 1;
        }
        m <<= shift;
        if m & (1 << 61) != 0 {
            m >>= 1;
            e += 1;
        }
    }
    let mut text = String::from("0x");
    text.push(if m >> 60 & 1 == 1 { '1' } else { '0' });
    let mut frac = format!("{:015x}", m & ((1 << 60) - 1));
    if prec < 0 {
        frac.truncate(frac.trim_end_matches('0').len());
    } else {
        while frac.len() < prec as usize {
            frac.push('0');
        }
        frac.truncate(prec as usize);
    }
    if !frac.is_empty() {
        text.push('.');
        text.push_str(&frac);
    }
    let _ = write!(text, "p{}{:02}", if e < 0 { '-' } else { '+' }, e.abs());
    if verb == b'X' {
        text.make_ascii_uppercase();
    }
    out.extend(text.bytes());
}

/// Digits of `n` in a base from 2 to 36.
pub fn format_uint(n: u64, base: u64) -> Vec<u8> {
    if base == 10 {
        return n.to_string().into_bytes();
    }
    let mut out = Vec::new();
    let mut n = n;
    loop {
        out.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(n % base) as usize]);
        n /= base;
        if n == 0 {
            out.reverse();
            return out;
        }
    }
}

pub fn format_int(n: i64, base: u64) -> Vec<u8> {
    let mut out = Vec::new();
    if n < 0 {
        out.push(b'-');
    }
    out.extend(format_uint(n.unsigned_abs(), base));
    out
}

/// Underscores stand between digits or between a base prefix and a digit.
fn underscores_fit(s: &[u8]) -> bool {
    let s = s.strip_prefix(b"-").or(s.strip_prefix(b"+")).unwrap_or(s);
    let prefixed = s.len() >= 2 && s[0] == b'0' && matches!(s[1] | 0x20, b'b' | b'o' | b'x');
    let hex = prefixed && s[1] | 0x20 == b'x';
    // What came before: digit (or prefix), underscore, other.
    let mut before = if prefixed { b'0' } else { b'^' };
    for &c in &s[if prefixed { 2 } else { 0 }..] {
        if c.is_ascii_digit() || hex && c.is_ascii_hexdigit() {
            before = b'0';
        } else if c == b'_' {
            if before != b'0' {
                return false;
            }
            before = b'_';
        } else {
            if before == b'_' {
                return false;
            }
            before = b'!';
        }
    }
    before != b'_'
}

/// strconv.ParseUint.
pub fn parse_uint(s: &[u8], base: i64, bits: i64) -> (u64, Status) {
    if s.is_empty() {
        return (0, SYNTAX);
    }
    let whole = s;
    let (radix, s) = match base {
        2..=36 => (base as u64, s),
        0 if s[0] == b'0' => match s.get(1).map(|c| c | 0x20) {
            Some(b'b') if s.len() >= 3 => (2, &s[2..]),
            Some(b'o') if s.len() >= 3 => (8, &s[2..]),
            Some(b'x') if s.len() >= 3 => (16, &s[2..]),
            _ => (8, &s[1..]),
        },
        0 => (10, s),
        _ => return (0, 3),
    };
    let bits = match bits {
        0 => 64,
        1..=64 => bits,
        _ => return (0, 4),
    };
    let max = if bits == 64 {
        u64::MAX
    } else {
        (1 << bits) - 1
    };
    let (mut n, mut underscores) = (0u64, false);
    let mut over = false;
    for &c in s {
        if c == b'_' && base == 0 {
            underscores = true;
            continue;
        }
        let digit = match c {
            b'0'..=b'9' => c - b'0',
            b'a'..=b'z' | b'A'..=b'Z' => (c | 0x20) - b'a' + 10,
            _ => return (0, SYNTAX),
        };
        if u64::from(digit) >= radix {
            return (0, SYNTAX);
        }
        if over {
            continue;
        }
        match n
            .checked_mul(radix)
            .and_then(|n| n.checked_add(digit.into()))
        {
            Some(m) if m <= max => n = m,
            _ => over = true,
        }
    }
    if over {
        return (max, RANGE);
    }
    if underscores && !underscores_fit(whole) {
        return (0, SYNTAX);
    }
    (n, 0)
}

/// strconv.ParseInt.
pub fn parse_int(s: &[u8], base: i64, bits: i64) -> (i64, Status) {
    let (negative, digits) = match s.first() {
        Some(b'-') => (true, &s[1..]),
        Some(b'+') => (false, &s[1..]),
        _ => (false, s),
    };
    let (n, status) = parse_uint(digits, base, bits);
    if status != 0 && status != RANGE {
        return (0, status);
    }
    let bits = if bits == 0 { 64 } else { bits };
    let cutoff = 1u64 << (bits - 1);
    if !negative && n >= cutoff {
        return ((cutoff - 1) as i64, RANGE);
    }
    if negative && n > cutoff {
        return ((cutoff as i64).wrapping_neg(), RANGE);
    }
    (
        if negative {
            (n as i64).wrapping_neg()
        } else {
            n as i64
        },
        0,
    )
}

/// strconv.ParseFloat.
pub fn parse_float(s: &[u8], bits: i64) -> (f64, Status) {
    let (sign, body) = match s.first() {
        Some(b'-') => (-1.0, &s[1..]),
        Some(b'+') => (1.0, &s[1..]),
        _ => (1.0, s),
    };
    let lower = body.to_ascii_lowercase();
    match &lower[..] {
        b"inf" | b"infinity" => return (sign * f64::INFINITY, 0),
        b"nan" => return (f64::NAN, if body.len() == s.len() { 0 } else { SYNTAX }),
        _ => {}
    }
    if lower.contains(&b'_') && !underscores_fit(s) {
        return (0.0, SYNTAX);
    }
    let text: Vec<u8> = lower.into_iter().filter(|&c| c != b'_').collect();
    let value = if let Some(hex) = text.strip_prefix(b"0x") {
        parse_hex_float(hex, bits)
    } else {
        parse_decimal(&text, bits)
    };
    match value {
        None => (0.0, SYNTAX),
        Some(x) if x.is_infinite() => (sign * x, RANGE),
        Some(x) => (sign * x, 0),
    }
}

/// Length of the longest start of `s` that has the form of a floating-point number.
pub fn float_prefix(s: &[u8]) -> usize {
    let sign = usize::from(matches!(s.first(), Some(b'+' | b'-')));
    let starts = |at: usize, word: &[u8]| {
        s.get(at..at + word.len())
            .is_some_and(|part| part.eq_ignore_ascii_case(word))
    };
    for (from, word) in [(sign, &b"infinity"[..]), (sign, b"inf"), (0, b"nan")] {
        if starts(from, word) {
            return from + word.len();
        }
    }
    let hex = starts(sign, b"0x");
    let is_digit = |c: u8| {
        c == b'_'
            || if hex {
                c.is_ascii_hexdigit()
            } else {
                c.is_ascii_digit()
            }
    };
    let mut at = sign + if hex { 2 } else { 0 };
    let mut dot = false;
    while let Some(&c) = s.get(at)
        && (is_digit(c) || c == b'.' && !dot)
    {
        dot |= c == b'.';
        at += 1;
    }
    if s.get(at)
        .is_some_and(|c| c.to_ascii_lowercase() == if hex { b'p' } else { b'e' })
    {
        let digits = at + 1 + usize::from(matches!(s.get(at + 1), Some(b'+' | b'-')));
        let more = s[digits.min(s.len())..].iter();
        let count = more
            .take_while(|&&c| c == b'_' || c.is_ascii_digit())
            .count();
        if count > 0 {
            return digits + count;
        }
    }
    at
}

fn parse_decimal(text: &[u8], bits: i64) -> Option<f64> {
    let (mantissa, exp) = match text.iter().position(|&c| c == b'e') {
        Some(i) => (&text[..i], Some(&text[i + 1..])),
        None => (text, None),
    };
    let dots = mantissa.iter().filter(|&&c| c == b'.').count();
    let digits = mantissa.iter().filter(|c| c.is_ascii_digit()).count();
    if dots > 1 || digits == 0 || dots + digits != mantissa.len() {
        return None;
    }
    if let Some(exp) = exp {
        let exp = exp
            .strip_prefix(b"-")
            .or(exp.strip_prefix(b"+"))
            .unwrap_or(exp);
        if exp.is_empty() || !exp.iter().all(u8::is_ascii_digit) {
            return None;
        }
    }
    let text = std::str::from_utf8(text).ok()?;
    if bits == 32 {
        text.parse::<f32>().ok().map(f64::from)
    } else {
        text.parse().ok()
    }
}

fn parse_hex_float(text: &[u8], bits: i64) -> Option<f64> {
    let at = text.iter().position(|&c| c == b'p')?;
    let (mantissa, exp) = (&text[..at], std::str::from_utf8(&text[at + 1..]).ok()?);
    let digits = exp.strip_prefix(['+', '-']).unwrap_or(exp);
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let mut exp: i64 = exp.parse().unwrap_or(if exp.starts_with('-') {
        -100_000
    } else {
        100_000
    });
    exp = exp.clamp(-100_000, 100_000);
    let (mut m, mut sticky, mut seen, mut dot) = (0u64, false, false, false);
    for &c in mantissa {
        if c == b'.' && !dot {
            dot = true;
            continue;
        }
        let digit = (c as char).to_digit(16)?;
        seen = true;
        if m >> 59 == 0 {
            m = m << 4 | u64::from(digit);
            exp -= if dot { 4 } else { 0 };
        } else {
            sticky |= digit != 0;
            exp += if dot { 0 } else { 4 };
        }
    }
    if !seen {
        return None;
    }
    if m == 0 {
        return Some(0.0);
    }
    let lead = m.leading_zeros();
    m <<= lead;
    exp -= i64::from(lead);
    // Value: m × 2^exp with bit 63 of m set. Round to the mantissa that the exponent leaves.
    let (width, min_exp, max_exp) = if bits == 32 {
        (24, -149, 128)
    } else {
        (53, -1074, 1024)
    };
    let mut keep = width;
    let top = exp + 64;
    if top - keep < min_exp {
        keep = top - min_exp;
    }
    if keep < 0 {
        return Some(0.0);
    }
    let drop = 64 - keep as u32;
    let (kept, rest) = if drop == 64 {
        (0, m)
    } else {
        (m >> drop, m & ((1 << drop) - 1))
    };
    let half = 1u64 << (drop - 1);
    let up = rest > half || rest == half && (sticky || kept & 1 == 1);
    let rounded = kept + u64::from(up);
    let exp = exp + i64::from(drop);
    if rounded.ilog2_or_zero() as i64 + exp >= max_exp {
        return Some(f64::INFINITY);
    }
    // Two steps, as 2^exp alone may be subnormal.
    Some(rounded as f64 * 2f64.powi((exp / 2) as i32) * 2f64.powi((exp - exp / 2) as i32))
}

trait Ilog2 {
    fn ilog2_or_zero(self) -> u32;
}

impl Ilog2 for u64 {
    fn ilog2_or_zero(self) -> u32 {
        self.checked_ilog2().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(x: f64, verb: u8, prec: i64) -> String {
        String::from_utf8(format_float(x, verb, prec, 64)).unwrap()
    }

    #[test]
    fn floats_to_text() {
        assert_eq!(text(1e6, b'g', -1), "1e+06");
        assert_eq!(text(123456.0, b'g', -1), "123456");
        assert_eq!(text(0.0001, b'g', -1), "0.0001");
        assert_eq!(text(0.00001, b'g', -1), "1e-05");
        assert_eq!(text(2.5, b'f', 0), "2");
        assert_eq!(text(100.0, b'g', 3), "100");
        assert_eq!(text(1000.0, b'g', 3), "1e+03");
        assert_eq!(text(0.0, b'e', 2), "0.00e+00");
        assert_eq!(text(1.0, b'x', -1), "0x1p+00");
        assert_eq!(text(3.25, b'x', 1), "0x1.ap+01");
        assert_eq!(text(-0.0, b'g', -1), "-0");
        assert_eq!(text(1e21, b'f', -1), "1000000000000000000000");
        assert_eq!(
            String::from_utf8(format_float(0.1f32.into(), b'g', -1, 32)).unwrap(),
            "0.1"
        );
    }

    #[test]
    fn text_to_numbers() {
        assert_eq!(parse_int(b"-128", 10, 8), (-128, 0));
        assert_eq!(parse_int(b"128", 10, 8), (127, RANGE));
        assert_eq!(parse_int(b"0x_ff", 0, 64), (255, 0));
        assert_eq!(parse_int(b"1__0", 0, 64), (0, SYNTAX));
        assert_eq!(
            parse_uint(b"18446744073709551616", 10, 64),
            (u64::MAX, RANGE)
        );
        assert_eq!(parse_float(b"1e400", 64), (f64::INFINITY, RANGE));
        assert_eq!(parse_float(b"0x1.8p1", 64), (3.0, 0));
        assert_eq!(parse_float(b"0x1p-1074", 64), (5e-324, 0));
        assert_eq!(parse_float(b".", 64).1, SYNTAX);
    }
}
