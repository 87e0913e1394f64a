//! Natives of package strconv.

use vm::native::{Ctx, NativeDef};

use crate::num;
use crate::text::{self, Plain};

fn ret_parsed_int(c: &mut Ctx, (n, status): (i64, num::Status)) {
    c.ret_int(n);
    c.ret_int(status);
}

/// A decimal of at most 18 digits, sign included in the bytes; what most calls bring.
fn short_decimal(s: &[u8]) -> Option<i64> {
    let digits = s.strip_prefix(b"-").unwrap_or(s);
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let n = digits.iter().try_fold(0i64, |n, c| c.is_ascii_digit().then(|| n * 10 + i64::from(c - b'0')))?;
    Some(if digits.len() < s.len() { -n } else { n })
}

pub const NATIVES: &[NativeDef] = natives! {
    "strconv.atoi" "func(string) (int, int)" => |c| {
        let s = c.str();
        let s = c.get(s);
        let parsed = short_decimal(s).map_or_else(|| num::parse_int(s, 10, 64), |n| (n, 0));
        ret_parsed_int(c, parsed);
    };
    "strconv.parseInt" "func(string, int, int) (int64, int)" => |c| {
        let (s, base, bits) = (c.str(), c.int(), c.int());
        let parsed = num::parse_int(c.get(s), base, bits);
        ret_parsed_int(c, parsed);
    };
    "strconv.parseUint" "func(string, int, int) (uint64, int)" => |c| {
        let (s, base, bits) = (c.str(), c.int(), c.int());
        let (n, status) = num::parse_uint(c.get(s), base, bits);
        ret_parsed_int(c, (n as i64, status));
    };
    "strconv.parseFloat" "func(string, int) (float64, int)" => |c| {
        let (s, bits) = (c.str(), c.int());
        let (x, status) = num::parse_float(c.get(s), bits);
        c.ret_float(x);
        c.ret_int(status);
    };
    "strconv.floatPrefix" "func(string) int" => |c| {
        let s = c.str();
        c.ret_int(num::float_prefix(c.get(s)) as i64);
    };
    "strconv.Itoa" "func(int) string" => |c| { let n = c.int(); c.ret_str(n.to_string()); };
    "strconv.formatInt" "func(int64, int) string" => |c| {
        let (n, base) = (c.int(), c.int());
        c.ret_str(num::format_int(n, base as u64));
    };
    "strconv.formatUint" "func(uint64, int) string" => |c| {
        let (n, base) = (c.uint(), c.int());
        c.ret_str(num::format_uint(n, base as u64));
    };
    "strconv.formatFloat" "func(float64, uint8, int, int) string" => |c| {
        let (x, verb, prec, bits) = (c.float(), c.int(), c.int(), c.int());
        c.ret_str(num::format_float(x, verb as u8, prec, bits));
    };
    "strconv.Quote" "func(string) string" => |c| {
        let s = c.str();
        let out = text::quote(c.get(s), Plain::Print);
        c.ret_str(out);
    };
    "strconv.QuoteRune" "func(int32) string" => |c| {
        let r = c.int();
        c.ret_str(text::quote_rune(r, Plain::Print));
    };
    "strconv.QuoteToASCII" "func(string) string" => |c| {
        let s = c.str();
        let out = text::quote(c.get(s), Plain::Ascii);
        c.ret_str(out);
    };
    "strconv.QuoteRuneToASCII" "func(int32) string" => |c| {
        let r = c.int();
        c.ret_str(text::quote_rune(r, Plain::Ascii));
    };
    "strconv.QuoteToGraphic" "func(string) string" => |c| {
        let s = c.str();
        let out = text::quote(c.get(s), Plain::Graphic);
        c.ret_str(out);
    };
    "strconv.QuoteRuneToGraphic" "func(int32) string" => |c| {
        let r = c.int();
        c.ret_str(text::quote_rune(r, Plain::Graphic));
    };
    "strconv.CanBackquote" "func(string) bool" => |c| {
        let s = c.str();
        let can = text::can_backquote(c.get(s));
        c.ret_bool(can);
    };
    "strconv.IsPrint" "func(int32) bool" => |c| { let r = c.int(); c.ret_bool(text::is_print(r as u32)); };
    "strconv.IsGraphic" "func(int32) bool" => |c| { let r = c.int(); c.ret_bool(text::is_graphic(r as u32)); };
    "strconv.unquote" "func(string) (string, bool)" => |c| {
        let s = c.str();
        let out = text::unquote_prefix(c.get(s)).filter(|x| x.1 == s.len()).map(|x| x.0);
        c.ret_str(out.as_deref().unwrap_or_default());
        c.ret_bool(out.is_some());
    };
    "strconv.unquoteChar" "func(string, uint8) (int32, bool, int)" => |c| {
        let (s, quote) = (c.str(), c.int());
        let found = text::unquote_char(c.get(s), quote as u8);
        let (r, multibyte, n) = found.map_or((0, false, -1), |(r, m, n)| (r, m, n as i64));
        c.ret_int(r.into());
        c.ret_bool(multibyte);
        c.ret_int(n);
    };
    "strconv.quotedPrefix" "func(string) int" => |c| {
        let s = c.str();
        let n = text::unquote_prefix(c.get(s)).map_or(-1, |x| x.1 as i64);
        c.ret_int(n);
    };
};
