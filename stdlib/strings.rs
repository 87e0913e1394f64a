//! Natives of package strings.

use vm::native::{Ctx, NativeDef, StrRef};

use crate::text;

fn ret_parts(c: &mut Ctx, s: StrRef, parts: Vec<(usize, usize)>) {
    let parts: Vec<StrRef> = parts.into_iter().map(|(lo, hi)| c.substr(s, lo..hi)).collect();
    c.ret_strs(&parts);
}

pub const NATIVES: &[NativeDef] = natives! {
    "strings.Index" "func(string, string) int" => |c| {
        let s = c.str();
        let t = c.str();
        let s = c.get(s);
        let t = c.get(t);
        let n = text::find(s, t).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "strings.LastIndex" "func(string, string) int" => |c| {
        let s = c.str();
        let t = c.str();
        let s = c.get(s);
        let t = c.get(t);
        let n = text::rfind(s, t).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "strings.IndexByte" "func(string, uint8) int" => |c| {
        let s = c.str();
        let t = c.int();
        let s = c.get(s);
        let n = memchr::memchr(t as u8, s).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "strings.LastIndexByte" "func(string, uint8) int" => |c| {
        let s = c.str();
        let t = c.int();
        let s = c.get(s);
        let n = memchr::memrchr(t as u8, s).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "strings.IndexRune" "func(string, int32) int" => |c| {
        let s = c.str();
        let t = c.int();
        let s = c.get(s);
        let n = text::index_rune(s, t).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "strings.IndexAny" "func(string, string) int" => |c| {
        let s = c.str();
        let t = c.str();
        let s = c.get(s);
        let t = c.get(t);
        let n = text::index_any(s, t).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "strings.LastIndexAny" "func(string, string) int" => |c| {
        let s = c.str();
        let t = c.str();
        let s = c.get(s);
        let t = c.get(t);
        let n = text::last_index_any(s, t).map_or(-1, |i| i as i64);
        c.ret_int(n);
    };
    "strings.Count" "func(string, string) int" => |c| {
        let s = c.str();
        let t = c.str();
        let s = c.get(s);
        let t = c.get(t);
        let n = text::count(s, t) as i64;
        c.ret_int(n);
    };
    "strings.EqualFold" "func(string, string) bool" => |c| {
        let s = c.str();
        let t = c.str();
        let s = c.get(s);
        let t = c.get(t);
        let b = text::equal_fold(s, t);
        c.ret_bool(b);
    };
    "strings.Compare" "func(string, string) int" => |c| {
        let s = c.str();
        let t = c.str();
        let s = c.get(s);
        let t = c.get(t);
        let n = s.cmp(t) as i64;
        c.ret_int(n);
    };
    "strings.Replace" "func(string, string, string, int) string" => |c| {
        let s = c.str();
        let t = c.str();
        let u = c.str();
        let v = c.int();
        let s = c.get(s);
        let t = c.get(t);
        let u = c.get(u);
        let out = text::replace(s, t, u, v);
        c.ret_str(out);
    };
    "strings.ToUpper" "func(string) string" => |c| {
        let s = c.str();
        let s = c.get(s);
        let out = text::to_upper_bytes(s);
        c.ret_str(out);
    };
    "strings.ToLower" "func(string) string" => |c| {
        let s = c.str();
        let s = c.get(s);
        let out = text::to_lower_bytes(s);
        c.ret_str(out);
    };
    "strings.ToTitle" "func(string) string" => |c| {
        let s = c.str();
        let s = c.get(s);
        let out = text::map_runes(s, text::to_title);
        c.ret_str(out);
    };
    "strings.ToValidUTF8" "func(string, string) string" => |c| {
        let s = c.str();
        let t = c.str();
        let s = c.get(s);
        let t = c.get(t);
        let out = text::to_valid(s, t);
        c.ret_str(out);
    };
    "strings.trimSpace" "func(string) (int, int)" => |c| {
        let s = c.str();
        let s = c.get(s);
        let (lo, hi) = text::trim(s, 3, text::is_space);
        c.ret_int(lo as i64);
        c.ret_int(hi as i64);
    };
    "strings.trim" "func(string, string, int) (int, int)" => |c| {
        let s = c.str();
        let t = c.str();
        let u = c.int();
        let s = c.get(s);
        let t = c.get(t);
        let (lo, hi) = text::trim_set(s, t, u);
        c.ret_int(lo as i64);
        c.ret_int(hi as i64);
    };
    "strings.Join" "func([]string, string) string" => |c| {
        let (list, sep) = (c.slice(), c.str());
        let sep = c.get(sep);
        let list: Vec<&[u8]> = c.strs_of(list).into_iter().map(|s| c.get(s)).collect();
        let joined = list.join(sep);
        c.ret_str(joined);
    };
    "strings.Fields" "func(string) []string" => |c| {
        let s = c.str();
        let parts = text::fields(c.get(s));
        ret_parts(c, s, parts);
    };
    "strings.split" "func(string, string, int, int) []string" => |c| {
        let (s, sep, keep, n) = (c.str(), c.str(), c.int(), c.int());
        if n == 0 {
            c.ret_slice(vm::native::SliceRef::NIL);
        } else {
            let parts = text::split(c.get(s), c.get(sep), keep as usize, n);
            ret_parts(c, s, parts);
        }
    };
    "strings.repeat" "func(string, int) string" => |c| {
        let (s, n) = (c.str(), c.int());
        let out = c.get(s).repeat(n as usize);
        c.ret_str(out);
    };
    "strings.replaceMany" "func(string, []string) string" => |c| {
        let (s, pairs) = (c.str(), c.slice());
        let pairs: Vec<&[u8]> = c.strs_of(pairs).into_iter().map(|s| c.get(s)).collect();
        let pairs: Vec<_> = pairs.chunks_exact(2).map(|p| (p[0], p[1])).collect();
        let out = text::replace_many(c.get(s), &pairs);
        c.ret_str(out);
    };
};
