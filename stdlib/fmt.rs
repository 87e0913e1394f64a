//! Natives of package fmt: whole calls and single values, as long as no method has to be called.

use std::cmp::Ordering;

use lang::bytecode::program::{Kind, TypeDesc};
use vm::native::{Anys, Ctx, NativeDef, NativeError};
use vm::value::ValueRef;

use crate::format::{Spec, Writer};
use crate::text;

/// Some value's type has a method that prints it: the .pgo side must do it.
struct NeedsMethod;

type Done = Result<(), NeedsMethod>;

/// Values nested deeper are left to the .pgo side, whose stack is limited by the machine.
const DEPTH_MAX: i64 = 500;

/// How a value was reached: freely, through an embedded unexported field, through an unexported one.
const OPEN: i64 = 0;
const EMBEDDED: i64 = 1;
const HIDDEN: i64 = 2;

struct Printer {
    w: Writer,
    erroring: bool,
}

fn prints_itself(v: &ValueRef, verb: char, spec: &Spec) -> bool {
    if v.is_foreign() || !v.desc().prints_by_method || v.desc().methods.is_empty() {
        return false;
    }
    if v.has_method("Format", "func(fmt.State, int32)") {
        return true;
    }
    if spec.sharp_v {
        return v.has_method("GoString", "func() string");
    }
    matches!(verb, 'v' | 's' | 'x' | 'X' | 'q' | 'w')
        && (v.has_method("Error", "func() string") || v.has_method("String", "func() string"))
}

fn is_reflect_value(v: &ValueRef) -> bool {
    v.kind() == Kind::Struct && v.desc().name == "reflect.Value" && v.desc().pkg_path == "reflect"
}

fn is_byte_list(v: &ValueRef) -> bool {
    matches!(v.kind(), Kind::Slice | Kind::Array)
        && v.types().desc(v.desc().elem).kind == Kind::Uint8
}

fn field_access(v: &ValueRef, i: usize, ro: i64) -> i64 {
    let field = v.field_desc(i);
    let kept = if ro == HIDDEN { HIDDEN } else { OPEN };
    match (field.exported, field.embedded) {
        (true, _) => kept,
        (false, true) => kept.max(EMBEDDED),
        (false, false) => HIDDEN,
    }
}

fn inner_access(ro: i64) -> i64 {
    if ro == OPEN { OPEN } else { HIDDEN }
}

impl Printer {
    fn new() -> Printer {
        Printer { w: Writer { out: Vec::with_capacity(128), spec: Spec::default() }, erroring: false }
    }

    fn arg(&mut self, v: Option<ValueRef>, verb: char) -> Done {
        let Some(v) = v else {
            match verb {
                'T' | 'v' => self.w.pad(b"<nil>"),
                _ => self.w.raw(&format!("%!{verb}(<nil>)")),
            }
            return Ok(());
        };
        match verb {
            'T' => {
                self.w.string_verb(v.type_name().as_bytes(), 's');
                Ok(())
            }
            _ if is_reflect_value(&v) => self.reflected(v, verb),
            'p' => self.pointer(v, 'p'),
            _ => self.value(v, verb, 0, OPEN),
        }
    }

    /// An operand of type reflect.Value stands for what it holds.
    fn reflected(&mut self, v: ValueRef, verb: char) -> Done {
        let Some(held) = v.reflected() else {
            self.w.raw("<invalid reflect.Value>");
            return Ok(());
        };
        let ro = if held.is_hidden() { HIDDEN } else { OPEN };
        match held.value.kind() {
            _ if held.is_method() => self.pointer(v.field(1), verb),
            _ if verb == 'p' => self.pointer(held.value, 'p'),
            Kind::Interface => self.inner(held.value, verb, 1, ro),
            _ => self.value(held.value, verb, 0, ro),
        }
    }

    fn bad_verb(&mut self, v: ValueRef, verb: char) -> Done {
        let erroring = std::mem::replace(&mut self.erroring, true);
        self.w.raw(&format!("%!{verb}({}=", v.type_name()));
        let done = self.value(v, 'v', 0, OPEN);
        self.w.raw(")");
        self.erroring = erroring;
        done
    }

    fn value(&mut self, v: ValueRef, verb: char, depth: i64, ro: i64) -> Done {
        if !self.erroring && ro == OPEN && prints_itself(&v, verb, &self.w.spec) {
            return Err(NeedsMethod);
        }
        let fits = match v.kind() {
            Kind::Bool if matches!(verb, 't' | 'v') => {
                self.w.bool(v.bool());
                true
            }
            Kind::Bool => false,
            Kind::Int | Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64 => {
                self.w.integer_verb(v.int() as u64, true, verb)
            }
            Kind::Uint | Kind::Uint8 | Kind::Uint16 | Kind::Uint32 | Kind::Uint64 | Kind::Uintptr => {
                self.w.integer_verb(v.uint(), false, verb)
            }
            Kind::Float32 => self.w.float_verb(v.float(), 32, verb),
            Kind::Float64 => self.w.float_verb(v.float(), 64, verb),
            Kind::Complex64 => self.w.complex_verb(v.complex(), 32, verb),
            Kind::Complex128 => self.w.complex_verb(v.complex(), 64, verb),
            Kind::String => self.w.string_verb(v.str(), verb),
            _ if v.is_foreign() => {
                self.w.raw(&format!("<{}>", v.type_name()));
                true
            }
            _ => return self.composite(v, verb, depth, ro),
        };
        if fits { Ok(()) } else { self.bad_verb(v, verb) }
    }

    fn composite(&mut self, v: ValueRef, verb: char, depth: i64, ro: i64) -> Done {
        if depth > DEPTH_MAX {
            return Err(NeedsMethod);
        }
        let go = self.w.spec.sharp_v;
        match v.kind() {
            Kind::Struct => {
                if go {
                    self.w.raw(&v.desc().name);
                }
                self.w.raw("{");
                for i in 0..v.len() {
                    if i > 0 {
                        self.w.raw(if go { ", " } else { " " });
                    }
                    if go || self.w.spec.plus_v {
                        self.w.raw(&v.field_desc(i).name);
                        self.w.raw(":");
                    }
                    self.inner(v.field(i), verb, depth + 1, field_access(&v, i, ro))?;
                }
                self.w.raw("}");
                Ok(())
            }
            Kind::Map => {
                if go {
                    self.w.raw(&v.desc().name);
                    if v.is_nil() {
                        self.w.raw("(nil)");
                        return Ok(());
                    }
                }
                self.w.raw(if go { "{" } else { "map[" });
                for (i, (key, elem)) in sorted_entries(&v).into_iter().enumerate() {
                    if i > 0 {
                        self.w.raw(if go { ", " } else { " " });
                    }
                    self.inner(key, verb, depth + 1, inner_access(ro))?;
                    self.w.raw(":");
                    self.inner(elem, verb, depth + 1, inner_access(ro))?;
                }
                self.w.raw(if go { "}" } else { "]" });
                Ok(())
            }
            Kind::Interface => self.inner(v, verb, depth, ro),
            Kind::Slice | Kind::Array => self.list(v, verb, depth, ro),
            Kind::Pointer => {
                if let (0, Some(to)) = (depth, v.deref())
                    && matches!(to.kind(), Kind::Array | Kind::Slice | Kind::Struct | Kind::Map)
                {
                    self.w.raw("&");
                    return self.value(to, verb, depth + 1, inner_access(ro));
                }
                self.pointer(v, verb)
            }
            _ => self.pointer(v, verb),
        }
    }

    /// A part of a value; interfaces are looked through.
    fn inner(&mut self, v: ValueRef, verb: char, depth: i64, ro: i64) -> Done {
        if v.kind() != Kind::Interface {
            return self.value(v, verb, depth, ro);
        }
        match v.dynamic() {
            Some(x) => self.value(x, verb, depth, inner_access(ro)),
            None if self.w.spec.sharp_v => {
                self.w.raw(&v.desc().name);
                self.w.raw("(nil)");
                Ok(())
            }
            None => {
                self.w.raw("<nil>");
                Ok(())
            }
        }
    }

    fn list(&mut self, v: ValueRef, verb: char, depth: i64, ro: i64) -> Done {
        if matches!(verb, 's' | 'q' | 'x' | 'X') && is_byte_list(&v) {
            self.w.string_verb(&v.bytes(), verb);
            return Ok(());
        }
        let go = self.w.spec.sharp_v;
        if go {
            // An operand of type []byte itself is written so, though its type prints as []uint8.
            let name = if depth == 0 && v.desc().name == "[]uint8" { "[]byte" } else { &v.desc().name };
            self.w.raw(name);
            if v.is_nil() {
                self.w.raw("(nil)");
                return Ok(());
            }
        }
        self.w.raw(if go { "{" } else { "[" });
        for i in 0..v.len() {
            if i > 0 {
                self.w.raw(if go { ", " } else { " " });
            }
            self.inner(v.elem(i), verb, depth + 1, inner_access(ro))?;
        }
        self.w.raw(if go { "}" } else { "]" });
        Ok(())
    }

    fn pointer(&mut self, v: ValueRef, verb: char) -> Done {
        let kinds =
            [Kind::Chan, Kind::Func, Kind::Map, Kind::Pointer, Kind::Slice, Kind::UnsafePointer];
        if v.is_foreign() || !kinds.contains(&v.kind()) {
            return self.bad_verb(v, verb);
        }
        let addr = v.pointer();
        match verb {
            'v' if self.w.spec.sharp_v => {
                self.w.raw(&format!("({})(", v.type_name()));
                if addr == 0 {
                    self.w.raw("nil");
                } else {
                    self.w.hex(addr, true);
                }
                self.w.raw(")");
            }
            'v' if addr == 0 => self.w.pad(b"<nil>"),
            'v' | 'p' => self.w.hex(addr, !self.w.spec.sharp),
            'b' | 'o' | 'd' | 'x' | 'X' => {
                self.w.integer_verb(addr, false, verb);
            }
            _ => return self.bad_verb(v, verb),
        }
        Ok(())
    }

    fn print(&mut self, args: Anys, ln: bool) -> Done {
        let mut previous = false;
        for i in 0..args.len() {
            let v = args.get(i);
            let string = v.is_some_and(|v| v.kind() == Kind::String);
            if i > 0 && (ln || !string && !previous) {
                self.w.out.push(b' ');
            }
            self.arg(v, 'v')?;
            previous = string;
        }
        if ln {
            self.w.out.push(b'\n');
        }
        Ok(())
    }
}

/// Entries in fmt's order.
fn sorted_entries<'a>(map: &ValueRef<'a>) -> Vec<(ValueRef<'a>, ValueRef<'a>)> {
    let mut entries = map.map_entries();
    entries.sort_by(|a, b| compare(&a.0, &b.0));
    entries
}

fn compare(a: &ValueRef, b: &ValueRef) -> Ordering {
    let floats = |x: f64, y: f64| {
        x.partial_cmp(&y).unwrap_or_else(|| y.is_nan().cmp(&x.is_nan()))
    };
    match a.kind() {
        Kind::Int | Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64 => a.int().cmp(&b.int()),
        Kind::String => a.str().cmp(b.str()),
        Kind::Float32 | Kind::Float64 => floats(a.float(), b.float()),
        Kind::Complex64 | Kind::Complex128 => {
            let (x, y) = (a.complex(), b.complex());
            floats(x.0, y.0).then(floats(x.1, y.1))
        }
        Kind::Struct => {
            (0..a.len()).map(|i| compare(&a.field(i), &b.field(i))).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
        }
        Kind::Array => {
            (0..a.len()).map(|i| compare(&a.elem(i), &b.elem(i))).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
        }
        Kind::Interface => match (a.dynamic(), b.dynamic()) {
            (Some(x), Some(y)) if x.type_index() == y.type_index() && !x.is_foreign() => compare(&x, &y),
            (Some(x), Some(y)) => x.type_index().cmp(&y.type_index()),
            (x, y) => x.is_some().cmp(&y.is_some()),
        },
        _ => a.uint().cmp(&b.uint()),
    }
}

/// Where a Printf stands.
#[derive(Clone, Copy)]
struct Cursor {
    pos: usize,
    arg: usize,
    reordered: bool,
}

/// Why `run` stopped.
enum Stop {
    End,
    /// The operand before the cursor's needs a method for this verb.
    Operand(char),
    /// Surplus operands need methods.
    Extra,
}

/// Widths and precisions beyond this are errors.
const NUMBER_MAX: i64 = 1_000_000;

fn number(s: &[u8], pos: &mut usize) -> Option<usize> {
    let start = *pos;
    let mut n = 0i64;
    while let Some(d) = s.get(*pos).filter(|c| c.is_ascii_digit()) {
        n = n * 10 + i64::from(d - b'0');
        if n > NUMBER_MAX {
            *pos = s.len();
            return None;
        }
        *pos += 1;
    }
    (*pos > start).then_some(n as usize)
}

/// An operand given as `*`.
fn int_operand(args: &Anys, at: &mut usize) -> Option<i64> {
    if *at >= args.len() {
        return None;
    }
    let v = args.get(*at);
    *at += 1;
    let v = v?;
    let n = match v.kind() {
        Kind::Int | Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64 => v.int(),
        Kind::Uint | Kind::Uint8 | Kind::Uint16 | Kind::Uint32 | Kind::Uint64 | Kind::Uintptr => {
            i64::try_from(v.uint()).ok()?
        }
        _ => return None,
    };
    (-NUMBER_MAX..=NUMBER_MAX).contains(&n).then_some(n)
}

impl Printer {
    /// Formats from the cursor on until the end or an operand that needs a method.
    fn run(&mut self, format: &[u8], at: &mut Cursor, args: Anys, wrap: bool) -> Stop {
        while at.pos < format.len() {
            let rest = &format[at.pos..];
            let literal = memchr::memchr(b'%', rest).unwrap_or(rest.len());
            self.w.out.extend_from_slice(&rest[..literal]);
            at.pos += literal;
            if at.pos < format.len() {
                at.pos += 1;
                if let Some(verb) = self.directive(format, at, args, wrap) {
                    return Stop::Operand(verb);
                }
            }
        }
        if !at.reordered && at.arg < args.len() {
            self.w.spec = Spec::default();
            let mark = self.w.out.len();
            self.w.raw("%!(EXTRA ");
            for i in at.arg..args.len() {
                if i > at.arg {
                    self.w.raw(", ");
                }
                let Some(v) = args.get(i) else {
                    self.w.raw("<nil>");
                    continue;
                };
                self.w.raw(&v.type_name());
                self.w.raw("=");
                if self.arg(Some(v), 'v').is_err() {
                    self.w.out.truncate(mark);
                    return Stop::Extra;
                }
            }
            self.w.raw(")");
        }
        Stop::End
    }

    /// One directive, the cursor behind its `%`; a verb if its operand needs a method.
    fn directive(&mut self, s: &[u8], at: &mut Cursor, args: Anys, wrap: bool) -> Option<char> {
        let mut spec = Spec::default();
        while let Some(c) = s.get(at.pos) {
            match c {
                b'#' => spec.sharp = true,
                b'0' => spec.zero = true,
                b'+' => spec.plus = true,
                b'-' => spec.minus = true,
                b' ' => spec.space = true,
                _ => break,
            }
            at.pos += 1;
        }
        let mut good = true;
        let mut indexed = self.index(s, at, args.len(), &mut good);
        if s.get(at.pos) == Some(&b'*') {
            at.pos += 1;
            match int_operand(&args, &mut at.arg) {
                Some(n) => {
                    spec.width = Some(n.unsigned_abs() as usize);
                    if n < 0 {
                        spec.minus = true;
                        spec.zero = false;
                    }
                }
                None => self.w.raw("%!(BADWIDTH)"),
            }
            indexed = false;
        } else {
            spec.width = number(s, &mut at.pos);
            good &= !(indexed && spec.width.is_some());
        }
        if s.get(at.pos) == Some(&b'.') {
            at.pos += 1;
            good &= !indexed;
            indexed = self.index(s, at, args.len(), &mut good);
            if s.get(at.pos) == Some(&b'*') {
                at.pos += 1;
                match int_operand(&args, &mut at.arg) {
                    Some(n) if n >= 0 => spec.prec = Some(n as usize),
                    _ => self.w.raw("%!(BADPREC)"),
                }
                indexed = false;
            } else {
                spec.prec = Some(number(s, &mut at.pos).unwrap_or(0));
            }
        }
        if !indexed {
            self.index(s, at, args.len(), &mut good);
        }
        if at.pos >= s.len() {
            self.w.raw("%!(NOVERB)");
            return None;
        }
        let (r, n) = text::decode(&s[at.pos..]);
        let verb = text::to_char(r);
        at.pos += n;
        if verb == '%' {
            self.w.raw("%");
            return None;
        }
        if !good {
            self.w.raw(&format!("%!{verb}(BADINDEX)"));
            return None;
        }
        if at.arg >= args.len() {
            self.w.raw(&format!("%!{verb}(MISSING)"));
            return None;
        }
        if matches!(verb, 'v' | 'w') {
            spec.sharp_v = std::mem::take(&mut spec.sharp);
            spec.plus_v = std::mem::take(&mut spec.plus);
        }
        self.w.spec = spec;
        let mark = self.w.out.len();
        at.arg += 1;
        let v = args.get(at.arg - 1);
        let done = match (verb, v) {
            ('w', _) if wrap => Err(NeedsMethod),
            ('w', Some(v)) => self.bad_verb(v, 'w'),
            _ => self.arg(v, verb),
        };
        done.is_err().then(|| {
            self.w.out.truncate(mark);
            verb
        })
    }

    /// An operand index `[n]`; whether one is there.
    fn index(&mut self, s: &[u8], at: &mut Cursor, args: usize, good: &mut bool) -> bool {
        if s.get(at.pos) != Some(&b'[') {
            return false;
        }
        at.reordered = true;
        let Some(close) = memchr::memchr(b']', &s[at.pos..]).map(|i| at.pos + i) else {
            *good = false;
            at.pos += 1;
            return false;
        };
        let mut p = at.pos + 1;
        let n = number(s, &mut p);
        at.pos = close + 1;
        match n {
            Some(n) if p == close => {
                if n >= 1 && n <= args {
                    at.arg = n - 1;
                } else {
                    *good = false;
                }
                true
            }
            _ => {
                *good = false;
                false
            }
        }
    }
}

/// Writes what was printed to standard output: results n and errno.
fn finish_print(c: &mut Ctx, out: &[u8]) -> Result<(), NativeError> {
    let result = c.write_stdout(out);
    let errno = crate::host::stdout_errno(result)?;
    c.ret_int(if errno == 0 { out.len() as i64 } else { 0 });
    c.ret_int(errno);
    Ok(())
}

fn refuse(c: &mut Ctx) -> Result<(), NativeError> {
    c.ret_int(-1);
    c.ret_int(0);
    Ok(())
}

fn finish_string(c: &mut Ctx, out: Option<Vec<u8>>) -> Result<(), NativeError> {
    c.ret_str(out.as_deref().unwrap_or_default());
    c.ret_bool(out.is_some());
    Ok(())
}

fn verb_of(n: i64) -> char {
    u32::try_from(n).ok().and_then(char::from_u32).unwrap_or('\u{FFFD}')
}

/// Parts of a value as fmt.pgo's printParts sees them.
fn shape(v: &ValueRef) -> (i64, i64) {
    let len = if v.is_nil() { -1 } else { v.len() as i64 };
    match v.kind() {
        Kind::Struct => (1, len),
        Kind::Map => (2, len),
        Kind::Slice | Kind::Array => (3, len),
        Kind::Pointer => (4, 1),
        _ => (0, 0),
    }
}

fn part<'a>(v: &ValueRef<'a>, i: usize) -> Option<ValueRef<'a>> {
    match v.kind() {
        Kind::Struct => Some(v.field(i)),
        Kind::Pointer => v.deref(),
        Kind::Slice | Kind::Array => Some(v.elem(i)),
        _ => None,
    }
}

fn open_interface(v: ValueRef) -> Option<ValueRef> {
    if v.kind() == Kind::Interface { v.dynamic() } else { Some(v) }
}

/// What scanning makes of a variable of this type: see the constants in `fmt_scan.pgo`.
fn scan_kind(ty: &TypeDesc, kind_of: impl Fn(u32) -> Kind) -> i64 {
    const KINDS: [Kind; 17] = [
        Kind::Bool,
        Kind::Int,
        Kind::Int8,
        Kind::Int16,
        Kind::Int32,
        Kind::Int64,
        Kind::Uint,
        Kind::Uint8,
        Kind::Uint16,
        Kind::Uint32,
        Kind::Uint64,
        Kind::Uintptr,
        Kind::Float32,
        Kind::Float64,
        Kind::Complex64,
        Kind::Complex128,
        Kind::String,
    ];
    if ty.kind == Kind::Slice && kind_of(ty.elem) == Kind::Uint8 {
        return KINDS.len() as i64;
    }
    let at = KINDS.iter().position(|&kind| kind == ty.kind);
    at.map_or(-1, |at| at as i64)
}

pub const NATIVES: &[NativeDef] = natives! {
    "fmt.print" "func([]interface {}, bool) (int, int)" => |c| {
        let (args, ln) = (c.anys(), c.bool());
        let mut p = Printer::new();
        if p.print(args, ln).is_err() { return refuse(c); }
        return finish_print(c, &p.w.out);
    };
    "fmt.printf" "func(string, []interface {}) (int, int)" => |c| {
        let (format, args) = (c.str(), c.anys());
        let mut p = Printer::new();
        let mut at = Cursor { pos: 0, arg: 0, reordered: false };
        match p.run(c.get(format), &mut at, args, false) {
            Stop::End => return finish_print(c, &p.w.out),
            _ => return refuse(c),
        }
    };
    "fmt.sprint" "func([]interface {}, bool) (string, bool)" => |c| {
        let (args, ln) = (c.anys(), c.bool());
        let mut p = Printer::new();
        let out = p.print(args, ln).is_ok().then_some(p.w.out);
        return finish_string(c, out);
    };
    "fmt.sprintf" "func(string, []interface {}, bool) (string, bool)" => |c| {
        let (format, args, wrap) = (c.str(), c.anys(), c.bool());
        let mut p = Printer::new();
        let mut at = Cursor { pos: 0, arg: 0, reordered: false };
        let stop = p.run(c.get(format), &mut at, args, wrap);
        return finish_string(c, matches!(stop, Stop::End).then_some(p.w.out));
    };
    "fmt.advance" "func([]uint8, string, int, int, []interface {}, bool) ([]uint8, int, int, int, int, int, int32)" => |c| {
        let (buf, format, pos, arg) = (c.bytes(), c.str(), c.int(), c.int());
        let (args, wrap) = (c.anys(), c.bool());
        let mut p = Printer::new();
        let mut at = Cursor { pos: pos as usize, arg: (arg & 0xffff_ffff) as usize, reordered: arg >> 32 != 0 };
        let stop = p.run(c.get(format), &mut at, args, wrap);
        let buf = c.append_bytes(buf, &p.w.out);
        c.ret_slice(buf);
        c.ret_int(at.pos as i64);
        c.ret_int(at.arg as i64 | i64::from(at.reordered) << 32);
        let (bits, width, prec) = p.w.spec.to_bits();
        c.ret_int(bits);
        c.ret_int(width);
        c.ret_int(prec);
        c.ret_int(match stop {
            Stop::End => 0,
            Stop::Operand(verb) => verb as i64,
            Stop::Extra => -1,
        });
    };
    "fmt.value" "func([]uint8, int, int, int, int32, int, bool, bool, interface {}) ([]uint8, bool)" => |c| {
        let buf = c.bytes();
        let spec = Spec::from_bits(c.int(), c.int(), c.int());
        let (verb, depth, ro, erroring) = (verb_of(c.int()), c.int(), c.bool(), c.bool());
        let mut p = Printer::new();
        p.w.spec = spec;
        p.erroring = erroring;
        let v = c.any();
        let done = match v {
            Some(v) if depth > 0 => p.value(v, verb, depth, if ro { HIDDEN } else { OPEN }),
            None if depth > 0 => { p.w.raw("<nil>"); Ok(()) }
            // An operand of %w: Errorf decides.
            _ if verb == 'w' && !erroring => Err(NeedsMethod),
            v => p.arg(v, verb),
        };
        let buf = if done.is_ok() { c.append_bytes(buf, &p.w.out) } else { buf };
        c.ret_slice(buf);
        c.ret_bool(done.is_ok());
    };
    "fmt.formatString" "func([]uint8, int, int, int, int32, string) []uint8" => |c| {
        let buf = c.bytes();
        let mut w = Writer { out: Vec::new(), spec: Spec::from_bits(c.int(), c.int(), c.int()) };
        let (verb, s) = (verb_of(c.int()), c.str());
        let s = c.get(s);
        if !w.string_verb(s, verb) {
            w.raw(&format!("%!{verb}(string="));
            w.str(s);
            w.raw(")");
        }
        let buf = c.append_bytes(buf, &w.out);
        c.ret_slice(buf);
    };
    "fmt.badVerb" "func([]uint8, int, int, int, int32, interface {}) []uint8" => |c| {
        let buf = c.bytes();
        let mut p = Printer::new();
        p.w.spec = Spec::from_bits(c.int(), c.int(), c.int());
        let verb = verb_of(c.int());
        match c.any() {
            // Erroring calls no methods, so this cannot fail but by depth.
            Some(v) => if p.bad_verb(v, verb).is_err() { p.w.raw("...)"); },
            None => p.w.raw(&format!("%!{verb}(<nil>)")),
        }
        let buf = c.append_bytes(buf, &p.w.out);
        c.ret_slice(buf);
    };
    "fmt.typeName" "func(interface {}) string" => |c| {
        let name = c.any().map_or("<nil>".into(), |v| v.type_name());
        c.ret_str(name);
    };
    "fmt.isString" "func(interface {}) bool" => |c| {
        let v = c.any();
        c.ret_bool(v.is_some_and(|v| v.kind() == Kind::String));
    };
    "fmt.isNilPointer" "func(interface {}) bool" => |c| {
        let v = c.any();
        c.ret_bool(v.is_some_and(|v| v.kind() == Kind::Pointer && v.is_nil()));
    };
    "fmt.pointee" "func(interface {}) (unsafe.Pointer, int)" => |c| {
        let v = c.any();
        let types = c.types();
        let (at, kind) = match v {
            Some(v) if v.kind() == Kind::Pointer => {
                let to = types.desc(v.desc().elem);
                (v.pointer(), scan_kind(to, |elem| types.desc(elem).kind))
            }
            _ => (0, -2),
        };
        c.ret_ptr(at);
        c.ret_int(kind);
    };
    // What an operand of type reflect.Value holds, and how it was reached.
    "fmt.held" "func(interface {}) (interface {}, int, bool)" => |c| {
        let v = c.any().filter(is_reflect_value);
        let held = v.and_then(|v| v.reflected());
        c.ret_any(held.and_then(|held| open_interface(held.value)));
        c.ret_int(if held.is_some_and(|held| held.is_hidden()) { HIDDEN } else { OPEN });
        c.ret_bool(v.is_some());
    };
    "fmt.shape" "func(interface {}) (int, int)" => |c| {
        let (kind, n) = c.any().map_or((0, 0), |v| shape(&v));
        c.ret_int(kind);
        c.ret_int(n);
    };
    "fmt.part" "func(interface {}, int, int) (interface {}, int)" => |c| {
        let (v, i, ro) = (c.any(), c.int() as usize, c.int());
        let ro = match v {
            Some(v) if v.kind() == Kind::Struct => field_access(&v, i, ro),
            _ => inner_access(ro),
        };
        let x = v.and_then(|v| part(&v, i));
        let ro = if x.is_some_and(|x| x.kind() == Kind::Interface) { inner_access(ro) } else { ro };
        c.ret_any(x.and_then(open_interface));
        c.ret_int(ro);
    };
    "fmt.partType" "func(interface {}, int) string" => |c| {
        let (v, i) = (c.any(), c.int() as usize);
        let name = match v {
            Some(v) if v.kind() == Kind::Map => {
                let desc = v.desc();
                v.types().desc(if i == 0 { desc.map_key } else { desc.elem }).name.clone()
            }
            Some(v) => part(&v, i).map(|x| x.type_name()).unwrap_or_default(),
            None => String::new(),
        };
        c.ret_str(name);
    };
    "fmt.fieldName" "func(interface {}, int) string" => |c| {
        let (v, i) = (c.any(), c.int() as usize);
        c.ret_str(v.map_or("", |v| &v.field_desc(i).name));
    };
    "fmt.mapParts" "func(interface {}) []interface {}" => |c| {
        let v = c.any();
        let entries = v.map(|v| sorted_entries(&v)).unwrap_or_default();
        let parts: Vec<_> = entries.into_iter().flat_map(|(k, x)| [open_interface(k), open_interface(x)]).collect();
        c.ret_anys(&parts);
    };
};
