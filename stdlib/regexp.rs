//! Natives of package regexp. They take an expression by its text and mode; compiled forms are kept on this side.

use std::rc::Rc;

use vm::native::{Ctx, NativeDef, NativeError, SliceRef, StrRef};

use crate::regex::{self, Compiled};

/// The expression and mode that a search begins with. They were compiled before, so they have no errors.
fn expression(c: &mut Ctx) -> Result<Rc<Compiled>, NativeError> {
    let (expr, mode) = (c.str(), c.int());
    regex::compiled(c.get(expr), mode)
        .map_err(|_| NativeError::Panic("regexp: Regexp was not made by Compile".into()))
}

fn limit(n: i64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

pub const NATIVES: &[NativeDef] = natives! {
    "regexp.compile" "func(string, int) ([]string, string, bool, int, string)" => |c| {
        let (expr, mode) = (c.str(), c.int());
        match regex::compiled(c.get(expr), mode) {
            Ok(found) => {
                let names: Vec<StrRef> = found.names.iter().map(|name| c.new_str(name.as_bytes())).collect();
                c.ret_strs(&names);
                c.ret_str(&found.prefix);
                c.ret_bool(found.complete);
                c.ret_int(0);
                c.ret_str("");
            }
            Err(regex::Error(code, at)) => {
                c.ret_slice(SliceRef::NIL);
                c.ret_str("");
                c.ret_bool(false);
                c.ret_int(code as i64);
                c.ret_str(at);
            }
        }
    };
    "regexp.isMatch" "func(string, int, string) bool" => |c| {
        let re = expression(c)?;
        let s = c.str();
        c.ret_bool(re.is_match(c.get(s)));
    };
    "regexp.find" "func(string, int, string, int) []int" => |c| {
        let re = expression(c)?;
        let (s, groups) = (c.str(), c.int());
        match re.find(c.get(s), groups as usize) {
            Some(slots) => c.ret_ints(&slots),
            None => c.ret_slice(SliceRef::NIL),
        }
    };
    "regexp.findAll" "func(string, int, string, int, int) []int" => |c| {
        let re = expression(c)?;
        let (s, n, groups) = (c.str(), c.int(), c.int());
        let slots = re.find_all(c.get(s), limit(n), groups as usize);
        c.ret_ints(&slots);
    };
    "regexp.findAllStrings" "func(string, int, string, int) []string" => |c| {
        let re = expression(c)?;
        let (s, n) = (c.str(), c.int());
        let slots = re.find_all(c.get(s), limit(n), 1);
        let parts: Vec<StrRef> =
            slots.chunks_exact(2).map(|m| c.substr(s, m[0] as usize..m[1] as usize)).collect();
        if parts.is_empty() {
            c.ret_slice(SliceRef::NIL);
        } else {
            c.ret_strs(&parts);
        }
    };
    "regexp.replaced" "func(string, int, string, int) []int" => |c| {
        let re = expression(c)?;
        let (s, groups) = (c.str(), c.int());
        let slots = re.replaced(c.get(s), groups as usize);
        c.ret_ints(&slots);
    };
    "regexp.replaceAll" "func(string, int, string, string, bool) string" => |c| {
        let re = expression(c)?;
        let (s, template, literal) = (c.str(), c.str(), c.bool());
        let (src, template) = (c.get(s), c.get(template));
        let literal = literal || !template.contains(&b'$');
        let groups = if literal { 1 } else { re.names.len() };
        let slots = re.replaced(src, groups);
        if slots.is_empty() {
            c.ret_str_ref(s);
            return Ok(());
        }
        let mut out = Vec::with_capacity(src.len());
        let mut end = 0;
        for found in slots.chunks_exact(groups * 2) {
            out.extend_from_slice(&src[end..found[0] as usize]);
            if literal {
                out.extend_from_slice(template);
            } else {
                regex::expand(&mut out, template, src, found, &re.names);
            }
            end = found[1] as usize;
        }
        out.extend_from_slice(&src[end..]);
        c.ret_str(out);
    };
    "regexp.expand" "func([]uint8, string, string, []int, []string) []uint8" => |c| {
        let (dst, template, src, slots, names) = (c.bytes(), c.str(), c.str(), c.slice(), c.slice());
        let names: Vec<String> = c.strs_of(names).into_iter()
            .map(|name| String::from_utf8_lossy(c.get(name)).into_owned())
            .collect();
        let src = c.get(src);
        let slots = c.ints_of(slots).to_vec();
        if slots.iter().any(|&at| at > src.len() as i64) {
            return Err(NativeError::Runtime("slice bounds out of range".into()));
        }
        let mut out = Vec::new();
        regex::expand(&mut out, c.get(template), src, &slots, &names);
        let dst = c.append_bytes(dst, &out);
        c.ret_slice(dst);
    };
    "regexp.QuoteMeta" "func(string) string" => |c| {
        let s = c.str();
        let is_meta = |b: &u8| br"\.+*?()|[]{}^$".contains(b);
        let src = c.get(s);
        if !src.iter().any(is_meta) {
            c.ret_str_ref(s);
            return Ok(());
        }
        let mut out = Vec::with_capacity(src.len() * 2);
        for b in src {
            if is_meta(b) {
                out.push(b'\\');
            }
            out.push(*b);
        }
        c.ret_str(out);
    };
};
