//! From the text of a literal to its value, and quoting of strings (spec "Integer literals" to
//! "String literals"). The lexer has validated the text.
use super::constant::{ConstError, Value, tame};
use crate::syntax::ast::LiteralKind;
use crate::syntax::literal::{rune_value, string_value};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

/// Decimal exponents beyond this overflow, or give zero.
const DECIMAL_EXPONENT_MAX: i64 = 310_000;

impl Value {
    /// The value of a literal as written. `Overflow`: too large for any constant.
    pub fn parse_literal(kind: LiteralKind, text: &str) -> Result<Value, ConstError> {
        Ok(match kind {
            LiteralKind::Int => Value::Int(integer(&without_underscores(text))),
            LiteralKind::Float => Value::Rat(float(&without_underscores(text))?),
            LiteralKind::Imaginary => {
                let digits = without_underscores(text.strip_suffix('i').unwrap_or(text));
                Value::Complex(RBig::ZERO, imaginary(&digits)?)
            }
            LiteralKind::Rune => Value::int(rune_value(text)),
            LiteralKind::String => Value::string(string_value(text)),
        })
    }
}

fn without_underscores(text: &str) -> String {
    text.chars()
        .filter(|c| *c != '_')
        .collect::<String>()
        .to_ascii_lowercase()
}

fn integer(text: &str) -> IBig {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x', ..] => (&text[2..], 16),
        [b'0', b'b', ..] => (&text[2..], 2),
        [b'0', b'o', ..] => (&text[2..], 8),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    IBig::from_str_radix(digits, radix).unwrap_or(IBig::ZERO)
}

/// Leading zeros of an imaginary integer do not make it octal.
fn imaginary(text: &str) -> Result<RBig, ConstError> {
    let prefixed = matches!(text.as_bytes(), [b'0', b'x' | b'b' | b'o', ..]);
    if prefixed && !text.contains(['.', 'p']) {
        return Ok(integer(text).into());
    }
    float(text)
}

fn float(text: &str) -> Result<RBig, ConstError> {
    let (digits, radix, mark) = match text.strip_prefix("0x") {
        Some(rest) => (rest, 16u32, 'p'),
        None => (text, 10, 'e'),
    };
    let (mantissa, exponent) = digits.split_once(mark).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let value = UBig::from_str_radix(all.trim_start_matches('0'), radix).unwrap_or(UBig::ZERO);
    if value == UBig::ZERO {
        return Ok(RBig::ZERO);
    }
    let negative = exponent.starts_with('-');
    let exponent: i64 = exponent.parse().unwrap_or(match negative {
        true => -i64::from(i32::MAX),
        false => i64::from(i32::MAX),
    });
    let places = fraction.len() as i64 * if radix == 16 { 4 } else { 1 };
    let exponent = exponent - places;
    let size = exponent + all.len() as i64;
    if size > DECIMAL_EXPONENT_MAX {
        return Err(ConstError::Overflow);
    }
    if exponent < -2 * DECIMAL_EXPONENT_MAX {
        return Ok(RBig::ZERO);
    }
    let power = match radix {
        16 => UBig::ONE << exponent.unsigned_abs() as usize,
        _ => UBig::from(10u8).pow(exponent.unsigned_abs() as usize),
    };
    tame(match exponent >= 0 {
        true => RBig::from(value * power),
        false => RBig::from_parts(value.into(), power),
    })
}

/// A Go string literal for the bytes, as `strconv.Quote` makes it.
pub fn quote(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\x07' => out.push_str("\\a"),
                '\x08' => out.push_str("\\b"),
                '\x0c' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\x0b' => out.push_str("\\v"),
                _ if c < ' ' || c == '\x7f' => {
                    let _ = write!(out, "\\x{:02x}", u32::from(c));
                }
                _ if c.is_control() || (c != ' ' && c.is_whitespace()) => {
                    let _ = write!(out, "\\u{:04x}", u32::from(c));
                }
                _ => out.push(c),
            }
        }
        for b in chunk.invalid() {
            let _ = write!(out, "\\x{b:02x}");
        }
    }
    out.push('"');
    out
}
