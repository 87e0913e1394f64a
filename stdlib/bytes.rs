//! Natives of package bytes.

use vm::native::NativeDef;

use crate::text;

pub const NATIVES: &[NativeDef] = natives! {
    "bytes.Index" "func([]uint8, []uint8) int" => |c| {
        let s = c.bytes();
        let t = c.bytes();
        let s = c.bytes_of(s);
        let t = c.bytes_of(t);
        let n = text::find(s, t).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "bytes.LastIndex" "func([]uint8, []uint8) int" => |c| {
        let s = c.bytes();
        let t = c.bytes();
        let s = c.bytes_of(s);
        let t = c.bytes_of(t);
        let n = text::rfind(s, t).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "bytes.IndexByte" "func([]uint8, uint8) int" => |c| {
        let s = c.bytes();
        let t = c.int();
        let s = c.bytes_of(s);
        let n = memchr::memchr(t as u8, s).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "bytes.LastIndexByte" "func([]uint8, uint8) int" => |c| {
        let s = c.bytes();
        let t = c.int();
        let s = c.bytes_of(s);
        let n = memchr::memrchr(t as u8, s).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "bytes.IndexRune" "func([]uint8, int32) int" => |c| {
        let s = c.bytes();
        let t = c.int();
        let s = c.bytes_of(s);
        let n = text::index_rune(s, t).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "bytes.IndexAny" "func([]uint8, string) int" => |c| {
        let s = c.bytes();
        let t = c.str();
        let s = c.bytes_of(s);
        let t = c.get(t);
        let n = text::index_any(s, t).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "bytes.LastIndexAny" "func([]uint8, string) int" => |c| {
        let s = c.bytes();
        let t = c.str();
        let s = c.bytes_of(s);
        let t = c.get(t);
        let n = text::last_index_any(s, t).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "bytes.Count" "func([]uint8, []uint8) int" => |c| {
        let s = c.bytes();
        let t = c.bytes();
        let s = c.bytes_of(s);
        let t = c.bytes_of(t);
        let n = text::count(s, t) as i64;
        c.ret_int(n);
    };
    "bytes.EqualFold" "func([]uint8, []uint8) bool" => |c| {
        let s = c.bytes();
        let t = c.bytes();
        let s = c.bytes_of(s);
        let t = c.bytes_of(t);
        let b = text::equal_fold(s, t);
        c.ret_bool(b);
    };
    "bytes.Compare" "func([]uint8, []uint8) int" => |c| {
        let s = c.bytes();
        let t = c.bytes();
        let s = c.bytes_of(s);
        let t = c.bytes_of(t);
        let n = s.cmp(t) as i64;
        c.ret_int(n);
    };
    "bytes.Replace" "func([]uint8, []uint8, []uint8, int) []uint8" => |c| {
        let s = c.bytes();
        let t = c.bytes();
        let u = c.bytes();
        let v = c.int();
        let s = c.bytes_of(s);
        let t = c.bytes_of(t);
        let u = c.bytes_of(u);
        let out = text::replace(s, t, u, v);
        c.ret_bytes(&out);
    };
    "bytes.ToUpper" "func([]uint8) []uint8" => |c| {
        let s = c.bytes();
        let s = c.bytes_of(s);
        let out = text::to_upper_bytes(s);
        c.ret_bytes(&out);
    };
    "bytes.ToLower" "func([]uint8) []uint8" => |c| {
        let s = c.bytes();
        let s = c.bytes_of(s);
        let out = text::to_lower_bytes(s);
        c.ret_bytes(&out);
    };
    "bytes.ToTitle" "func([]uint8) []uint8" => |c| {
        let s = c.bytes();
        let s = c.bytes_of(s);
        let out = text::map_runes(s, text::to_title);
        c.ret_bytes(&out);
    };
    "bytes.ToValidUTF8" "func([]uint8, []uint8) []uint8" => |c| {
        let s = c.bytes();
        let t = c.bytes();
        let s = c.bytes_of(s);
        let t = c.bytes_of(t);
        let out = text::to_valid(s, t);
        c.ret_bytes(&out);
    };
    "bytes.trimSpace" "func([]uint8) (int, int)" => |c| {
        let s = c.bytes();
        let s = c.bytes_of(s);
        let (lo, hi) = text::trim(s, 3, text::is_space);
        c.ret_int(lo as i64);
        c.ret_int(hi as i64);
    };
    "bytes.trim" "func([]uint8, string, int) (int, int)" => |c| {
        let s = c.bytes();
        let t = c.str();
        let u = c.int();
        let s = c.bytes_of(s);
        let t = c.get(t);
        let (lo, hi) = text::trim_set(s, t, u);
        c.ret_int(lo as i64);
        c.ret_int(hi as i64);
    };
    "bytes.Equal" "func([]uint8, []uint8) bool" => |c| {
        let (s, t) = (c.bytes(), c.bytes());
        let equal = c.bytes_of(s) == c.bytes_of(t);
        c.ret_bool(equal);
    };
};
