//! Natives of package unicode/utf8.

use vm::native::NativeDef;

use crate::text;

pub const NATIVES: &[NativeDef] = natives! {
    "unicode/utf8.DecodeRune" "func([]uint8) (int32, int)" => |c| {
        let s = c.bytes();
        let (r, n) = text::decode(c.bytes_of(s));
        let n = if s.is_empty() { 0 } else { n };
        c.ret_int(r.into());
        c.ret_int(n as i64);
    };
    "unicode/utf8.DecodeLastRune" "func([]uint8) (int32, int)" => |c| {
        let s = c.bytes();
        let (r, n) = text::decode_last(c.bytes_of(s));
        let n = if s.is_empty() { 0 } else { n };
        c.ret_int(r.into());
        c.ret_int(n as i64);
    };
    "unicode/utf8.FullRune" "func([]uint8) bool" => |c| {
        let s = c.bytes();
        let full = text::full_rune(c.bytes_of(s));
        c.ret_bool(full);
    };
    "unicode/utf8.RuneCount" "func([]uint8) int" => |c| {
        let s = c.bytes();
        let n = text::rune_count(c.bytes_of(s));
        c.ret_int(n as i64);
    };
    "unicode/utf8.DecodeRuneInString" "func(string) (int32, int)" => |c| {
        let s = c.str();
        let (r, n) = text::decode(c.get(s));
        let n = if s.is_empty() { 0 } else { n };
        c.ret_int(r.into());
        c.ret_int(n as i64);
    };
    "unicode/utf8.DecodeLastRuneInString" "func(string) (int32, int)" => |c| {
        let s = c.str();
        let (r, n) = text::decode_last(c.get(s));
        let n = if s.is_empty() { 0 } else { n };
        c.ret_int(r.into());
        c.ret_int(n as i64);
    };
    "unicode/utf8.FullRuneInString" "func(string) bool" => |c| {
        let s = c.str();
        let full = text::full_rune(c.get(s));
        c.ret_bool(full);
    };
    "unicode/utf8.RuneCountInString" "func(string) int" => |c| {
        let s = c.str();
        let n = text::rune_count(c.get(s));
        c.ret_int(n as i64);
    };
    "unicode/utf8.Valid" "func([]uint8) bool" => |c| {
        let s = c.bytes();
        let valid = std::str::from_utf8(c.bytes_of(s)).is_ok();
        c.ret_bool(valid);
    };
    "unicode/utf8.ValidString" "func(string) bool" => |c| {
        let s = c.str();
        let valid = std::str::from_utf8(c.get(s)).is_ok();
        c.ret_bool(valid);
    };
};
