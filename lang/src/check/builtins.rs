//! Calls of builtin functions: Go's, ours (`pnew`, `pmake`, `persist`), those of unsafe, and the
//! generic ones of package pmem.
use super::convert::Context;
use super::object::Builtin;
use super::operand::{Mode, Operand, ex};
use super::{Checker, INVALID};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, Expr, ExprKind as E};
use crate::tir::{self, ExprKind, Place};
use crate::types::constant::Value;
use crate::types::ty::{Basic, ChanDir, Ty, TyKind};

impl Checker {
    pub(super) fn builtin<'e>(
        &mut self,
        e: &'e Expr,
        c: &'e ast::CallExpr,
        b: Builtin,
    ) -> Operand<'e> {
        let span = e.span;
        let invalid = Operand::invalid(span);
        if c.ellipsis.is_some() && b != Builtin::Append {
            let message = format!(
                "invalid operation: invalid use of ... with built-in {}",
                b.name()
            );
            let at = c.args.last().map_or(span, |a| a.span);
            self.err(Code::InvalidCall, at, message);
            for a in &c.args {
                self.use_expr(a);
            }
            return invalid;
        }
        let (min, max) = arity(b);
        // `copy(f())` and its like take a call with several results.
        let spread_call = !type_argument(b)
            && c.args.len() == 1
            && matches!(c.args[0].unparen().kind, E::Call(_))
            && (min == 2 || matches!(b, Builtin::Print | Builtin::Println));
        if spread_call {
            return self.builtin_of_call(e, c, b, min);
        }
        let n = c.args.len();
        if n < min || max.is_some_and(|m| n > m) {
            let which = if n < min { "not enough" } else { "too many" };
            if !type_argument(b) {
                for a in &c.args {
                    self.use_expr(a);
                }
            }
            let text = self.text(e);
            let message = format!(
                "invalid operation: {which} arguments for {text} (expected {min}, found {n})"
            );
            self.err(Code::ArgumentCount, span, message);
            return invalid;
        }
        match b {
            Builtin::Append => self.append(e, c),
            Builtin::Len | Builtin::Cap => self.len_or_cap(e, c, b),
            Builtin::Clear => self.clear(e, c),
            Builtin::Close => self.close(e, c),
            Builtin::Complex => match self.arguments(c) {
                Some(args) => self.complex(e, args.list),
                None => invalid,
            },
            Builtin::Real | Builtin::Imag => self.real_or_imag(e, c, b),
            Builtin::Copy | Builtin::Delete => {
                let (x, y) = (self.expr(&c.args[0], None), self.expr(&c.args[1], None));
                match b {
                    Builtin::Copy => self.copy(e, x, y),
                    _ => self.delete(e, x, y),
                }
            }
            Builtin::Make => self.make(e, c, Place::Volatile),
            Builtin::Pmake => self.make(e, c, Place::Persistent),
            Builtin::Min | Builtin::Max => self.min_or_max(e, c, b),
            Builtin::New => self.new_value(e, c, Place::Volatile),
            Builtin::Pnew => self.new_value(e, c, Place::Persistent),
            Builtin::Persist => {
                let x = self.expr(&c.args[0], None);
                let x = self.defaulted(x);
                if !x.is_valid() {
                    return invalid;
                }
                let ty = x.ty;
                self.require_storable(ty, c.args[0].span, "persist");
                let v = self.emit(x);
                Operand::value(ty, span, ExprKind::Persist(Box::new(v)))
            }
            Builtin::Panic => {
                let x = self.expr(&c.args[0], None);
                let any = self.universe.any;
                let x = self.assignment(x, Some(any), Context::Argument("panic".into()));
                if !x.is_valid() {
                    return invalid;
                }
                Operand::new(
                    Mode::NoValue,
                    self.no_type(),
                    span,
                    ExprKind::Panic(Box::new(x.tir)),
                )
            }
            Builtin::Print | Builtin::Println => {
                let list = c.args.iter().map(|a| self.expr(a, None)).collect();
                self.print(e, list, b)
            }
            Builtin::Recover => Operand::value(self.universe.any, span, ExprKind::Recover),
            Builtin::PmemRoot | Builtin::PmemLookup => self.pmem_root(e, c, b),
            Builtin::Sizeof | Builtin::Alignof | Builtin::Offsetof => self.sizes(e, c, b),
            Builtin::UnsafeAdd
            | Builtin::UnsafeSlice
            | Builtin::UnsafeSliceData
            | Builtin::UnsafeString
            | Builtin::UnsafeStringData => self.unsafe_call(e, c, b),
        }
    }

    fn no_type(&mut self) -> Ty {
        self.a.types.tuple(&[])
    }

    fn statement<'e>(&mut self, span: Span, kind: ExprKind) -> Operand<'e> {
        let ty = self.no_type();
        Operand::new(Mode::NoValue, ty, span, kind)
    }

    fn append<'e>(&mut self, e: &'e Expr, c: &'e ast::CallExpr) -> Operand<'e> {
        let span = e.span;
        let Some(args) = self.arguments(c) else {
            return Operand::invalid(span);
        };
        let before = args.before;
        let mut list = args.list.into_iter();
        let Some(s) = list.next() else {
            return Operand::invalid(span);
        };
        if s.is_nil() {
            let message = "first argument to append must be a typed slice; have untyped nil";
            self.err(Code::InvalidCall, s.span, message);
            return Operand::invalid(span);
        }
        let ty = s.ty;
        if ty == INVALID {
            return Operand::invalid(span);
        }
        let core = self.a.types.core_type(ty);
        let Some(TyKind::Slice(elem)) = core.map(|t| self.a.types.kind(t).clone()) else {
            let text = self.describe(&s);
            let message = format!("invalid argument: {text} is not a slice");
            self.err(Code::InvalidCall, s.span, message);
            return Operand::invalid(span);
        };
        let slice = self.emit(s);
        if c.ellipsis.is_some() {
            let Some(t) = list.next() else {
                let message = "not enough arguments in call to append";
                self.err(Code::ArgumentCount, c.rparen, message);
                return Operand::invalid(span);
            };
            if list.next().is_some() {
                let message = "can only use ... with final argument in list";
                self.err(Code::InvalidCall, span, message);
                return Operand::invalid(span);
            }
            let is_string = self.a.types.all_basic(t.ty, Basic::is_string)
                || (self.a.types.is_param(t.ty)
                    && self.a.types.core_string(t.ty) == Some(Basic::String.ty()));
            let bytes = self.a.types.basic(elem) == Some(Basic::Uint8);
            let t = match is_string && bytes {
                true => {
                    let mut t = self.defaulted(t);
                    t.tir = self.emit(t.clone());
                    t
                }
                false => {
                    let want = self.a.types.slice(elem);
                    self.assignment(t, Some(want), Context::Argument("append".into()))
                }
            };
            if !t.is_valid() {
                return Operand::invalid(span);
            }
            let kind = ExprKind::AppendSlice(Box::new(slice), Box::new(t.tir));
            return Operand::value(ty, span, kind);
        }
        let mut values = Vec::new();
        let mut ok = true;
        for x in list {
            let x = self.assignment(x, Some(elem), Context::Argument("append".into()));
            ok &= x.is_valid();
            values.push(x.tir);
        }
        if !ok {
            return Operand::value(ty, span, ExprKind::Zero);
        }
        let kind = ExprKind::Append(Box::new(slice), values);
        let kind = match before.is_empty() {
            true => kind,
            false => ExprKind::Seq(before, Box::new(ex(ty, span, kind))),
        };
        Operand::value(ty, span, kind)
    }

    fn len_or_cap<'e>(&mut self, e: &'e Expr, c: &'e ast::CallExpr, b: Builtin) -> Operand<'e> {
        let span = e.span;
        let before = std::mem::replace(&mut self.has_call, false);
        let x = self.expr(&c.args[0], None);
        let calls = self.has_call;
        self.has_call |= before;
        if !x.is_valid() {
            return Operand::invalid(span);
        }
        let int = Basic::Int.ty();
        if b == Builtin::Len
            && x.is_const()
            && let Some(s) = x.val.as_str()
        {
            let n = s.len();
            return Operand::constant(int, Value::int(n), span);
        }
        let x = self.defaulted(x);
        let lengthy = |c: &Checker, t: Ty| match c.a.types.under(t) {
            TyKind::Basic(k) => k.is_string() && b == Builtin::Len,
            TyKind::Slice(_) | TyKind::Chan(..) | TyKind::Array(..) => true,
            TyKind::Map(..) => b == Builtin::Len,
            TyKind::Pointer(p) => matches!(c.a.types.under(*p), TyKind::Array(..)),
            _ => false,
        };
        let ok = match self.a.types.is_param(x.ty) {
            true => {
                let terms = self.a.types.param_terms(x.ty).unwrap_or_default();
                !terms.is_empty() && terms.iter().all(|t| lengthy(self, t.ty))
            }
            false => lengthy(self, x.ty),
        };
        if !ok || x.is_nil() {
            let text = self.describe(&x);
            let message = format!("invalid argument: {text} for built-in {}", b.name());
            self.err(Code::InvalidCall, x.span, message);
            return Operand::invalid(span);
        }
        // Of arrays the length is in the type.
        let array = match self.a.types.under(x.ty) {
            TyKind::Array(_, n) => Some(*n),
            TyKind::Pointer(p) => match self.a.types.under(*p) {
                TyKind::Array(_, n) => Some(*n),
                _ => None,
            },
            _ => None,
        };
        if let Some(n) = array {
            if !calls {
                return Operand::constant(int, Value::int(n), span);
            }
            // Evaluated for its effects.
            let v = self.emit(x);
            let stmts = vec![super::operand::st(span, tir::StmtKind::Expr(v))];
            let n = Self::int_const(n as i64, span);
            return Operand::value(int, span, ExprKind::Seq(stmts, Box::new(n)));
        }
        let v = Box::new(self.emit(x));
        let kind = match b {
            Builtin::Len => ExprKind::Len(v),
            _ => ExprKind::Cap(v),
        };
        Operand::value(int, span, kind)
    }

    fn clear<'e>(&mut self, e: &'e Expr, c: &'e ast::CallExpr) -> Operand<'e> {
        let x = self.expr(&c.args[0], None);
        if !x.is_valid() {
            return Operand::invalid(e.span);
        }
        let ok = self.a.types.all_types(x.ty, &|types, t| {
            matches!(types.under(t), TyKind::Map(..) | TyKind::Slice(_))
        });
        if !ok {
            let text = self.describe(&x);
            let message = format!(
                "invalid argument: cannot clear {text}: argument must be (or constrained by) map or slice"
            );
            self.err(Code::InvalidCall, x.span, message);
            return Operand::invalid(e.span);
        }
        let v = self.emit(x);
        self.statement(e.span, ExprKind::Clear(Box::new(v)))
    }

    fn close<'e>(&mut self, e: &'e Expr, c: &'e ast::CallExpr) -> Operand<'e> {
        let x = self.expr(&c.args[0], None);
        if !x.is_valid() {
            return Operand::invalid(e.span);
        }
        let core = self.a.types.core_type(x.ty);
        let text = self.describe(&x);
        match core.map(|t| self.a.types.kind(t).clone()) {
            Some(TyKind::Chan(ChanDir::Recv, _)) => {
                let message =
                    format!("invalid operation: cannot close receive-only channel {text}");
                self.err(Code::InvalidCall, x.span, message);
                Operand::invalid(e.span)
            }
            Some(TyKind::Chan(..)) => {
                let v = self.emit(x);
                self.statement(e.span, ExprKind::Close(Box::new(v)))
            }
            None if self.a.types.all_types(
                x.ty,
                &|types, t| matches!(types.under(t), TyKind::Chan(d, _) if *d != ChanDir::Recv),
            ) =>
            {
                let v = self.emit(x);
                self.statement(e.span, ExprKind::Close(Box::new(v)))
            }
            _ => {
                let message = format!("invalid operation: cannot close non-channel {text}");
                self.err(Code::InvalidCall, x.span, message);
                Operand::invalid(e.span)
            }
        }
    }

    /// A builtin whose arguments are the results of one call.
    fn builtin_of_call<'e>(
        &mut self,
        e: &'e Expr,
        c: &'e ast::CallExpr,
        b: Builtin,
        min: usize,
    ) -> Operand<'e> {
        let span = e.span;
        let Some(args) = self.arguments(c) else {
            return Operand::invalid(span);
        };
        let n = args.list.len();
        if min == 2 && n != 2 {
            let which = if n < min { "not enough" } else { "too many" };
            let text = self.text(e);
            let message = format!(
                "invalid operation: {which} arguments for {text} (expected {min}, found {n})"
            );
            self.err(Code::ArgumentCount, span, message);
            return Operand::invalid(span);
        }
        let before = args.before;
        let mut list = args.list;
        let mut x = match b {
            Builtin::Print | Builtin::Println => self.print(e, list, b),
            Builtin::Complex => self.complex(e, list),
            _ => match (list.pop(), list.pop()) {
                (Some(y), Some(x)) if b == Builtin::Copy => self.copy(e, x, y),
                (Some(y), Some(x)) => self.delete(e, x, y),
                _ => Operand::invalid(span),
            },
        };
        if x.mode != Mode::Invalid && !before.is_empty() {
            let inner = std::mem::replace(&mut x.tir, ex(x.ty, span, ExprKind::Zero));
            x.tir = ex(inner.ty, span, ExprKind::Seq(before, Box::new(inner)));
        }
        x
    }

    fn print<'e>(&mut self, e: &'e Expr, list: Vec<Operand<'e>>, b: Builtin) -> Operand<'e> {
        let mut values = Vec::new();
        let mut ok = true;
        for x in list {
            let context = Context::Argument(format!("built-in {}", b.name()));
            let x = self.assignment(x, None, context);
            ok &= x.is_valid();
            values.push(x.tir);
        }
        match ok {
            true => self.statement(e.span, ExprKind::Print(values, b == Builtin::Println)),
            false => Operand::invalid(e.span),
        }
    }

    fn complex<'e>(&mut self, e: &'e Expr, list: Vec<Operand<'e>>) -> Operand<'e> {
        let span = e.span;
        let invalid = Operand::invalid(span);
        let [x, y]: [Operand<'e>; 2] = match list.try_into() {
            Ok(two) => two,
            Err(_) => return invalid,
        };
        let (xu, yu) = (self.is_untyped(x.ty), self.is_untyped(y.ty));
        let float = Basic::Float64.ty();
        let fit = |c: &mut Checker, a: Operand<'e>, t: Ty| match c.implicit(a, t) {
            Ok(a) => Some(a),
            Err((a, _)) => {
                let (text, t) = (c.describe(&a), c.ty_str(t));
                let message = format!("cannot use {text} as {t} value in argument to complex");
                c.err(Code::InvalidCall, a.span, message);
                None
            }
        };
        if x.is_const() && y.is_const() && xu && yu {
            let Some(v) = Value::complex(&x.val, &y.val) else {
                let text = self.describe(&x);
                let message = format!(
                    "invalid argument: arguments have type {text}, expected floating-point"
                );
                self.err(Code::InvalidCall, x.span, message);
                return invalid;
            };
            return Operand::constant(Basic::UntypedComplex.ty(), v, span);
        }
        let (x, y) = match (xu, yu) {
            (true, false) => {
                let t = y.ty;
                (fit(self, x, t), Some(y))
            }
            (false, true) => {
                let t = x.ty;
                let y = fit(self, y, t);
                (Some(x), y)
            }
            (true, true) => (fit(self, x, float), fit(self, y, float)),
            _ => (Some(x), Some(y)),
        };
        let (Some(x), Some(y)) = (x, y) else {
            return invalid;
        };
        if x.ty != y.ty {
            let (text, a, b) = (self.text(e), self.ty_str(x.ty), self.ty_str(y.ty));
            let message = format!("invalid operation: {text} (mismatched types {a} and {b})");
            self.err(Code::MismatchedTypes, x.span, message);
            return invalid;
        }
        let ty = match self.a.types.basic(x.ty) {
            Some(Basic::Float32) => Basic::Complex64.ty(),
            Some(Basic::Float64) => Basic::Complex128.ty(),
            _ => {
                let t = self.ty_str(x.ty);
                let message =
                    format!("invalid argument: arguments have type {t}, expected floating-point");
                self.err(Code::InvalidCall, x.span, message);
                return invalid;
            }
        };
        if x.is_const()
            && y.is_const()
            && let Some(v) = Value::complex(&x.val, &y.val)
        {
            return Operand::constant(ty, v, span);
        }
        let (a, b) = (Box::new(self.emit(x)), Box::new(self.emit(y)));
        Operand::value(ty, span, ExprKind::Complex(a, b))
    }

    fn real_or_imag<'e>(&mut self, e: &'e Expr, c: &'e ast::CallExpr, b: Builtin) -> Operand<'e> {
        let span = e.span;
        let x = self.expr(&c.args[0], None);
        if !x.is_valid() {
            return Operand::invalid(span);
        }
        let part = |v: &Value| match b {
            Builtin::Real => v.real(),
            _ => v.imag(),
        };
        let x = match self.is_untyped(x.ty) {
            true if x.is_const() && x.val.to_complex().is_some() => {
                let v = part(&x.val).unwrap_or(Value::Unknown);
                return Operand::constant(Basic::UntypedFloat.ty(), v, span);
            }
            true => {
                let fallback = x.clone();
                self.implicit(x, Basic::Complex128.ty()).unwrap_or(fallback)
            }
            false => x,
        };
        let ty = match self.a.types.basic(x.ty) {
            Some(Basic::Complex64) => Basic::Float32.ty(),
            Some(Basic::Complex128) => Basic::Float64.ty(),
            _ => {
                let t = self.ty_str(x.ty);
                let message =
                    format!("invalid argument: argument has type {t}, expected complex type");
                self.err(Code::InvalidCall, x.span, message);
                return Operand::invalid(span);
            }
        };
        if x.is_const() {
            let v = part(&x.val).unwrap_or(Value::Unknown);
            return Operand::constant(ty, v, span);
        }
        let v = Box::new(self.emit(x));
        let kind = match b {
            Builtin::Real => ExprKind::Real(v),
            _ => ExprKind::Imag(v),
        };
        Operand::value(ty, span, kind)
    }

    fn copy<'e>(&mut self, e: &'e Expr, x: Operand<'e>, y: Operand<'e>) -> Operand<'e> {
        let span = e.span;
        let invalid = Operand::invalid(span);
        if !x.is_valid() || !y.is_valid() {
            return invalid;
        }
        let y = self.defaulted(y);
        let dst = self
            .a
            .types
            .core_type(x.ty)
            .map(|t| self.a.types.kind(t).clone());
        let src = self
            .a
            .types
            .core_string(y.ty)
            .map(|t| self.a.types.kind(t).clone());
        let Some(TyKind::Slice(d)) = dst else {
            let text = self.describe(&x);
            let message = format!("invalid copy: argument must be a slice; have {text}");
            self.err(Code::InvalidCall, x.span, message);
            return invalid;
        };
        let s = match src {
            Some(TyKind::Slice(s)) => s,
            Some(TyKind::Basic(b)) if b.is_string() => Basic::Uint8.ty(),
            _ => {
                let text = self.describe(&y);
                let message =
                    format!("invalid copy: argument must be a slice or string; have {text}");
                self.err(Code::InvalidCall, y.span, message);
                return invalid;
            }
        };
        let byte_pair = s == Basic::Uint8.ty()
            && self.a.types.basic(d) == Some(Basic::Uint8)
            && self.a.types.all_basic(y.ty, Basic::is_string);
        if d != s && !byte_pair {
            let (a, b) = (self.describe(&x), self.describe(&y));
            let (dt, st) = (self.ty_str(d), self.ty_str(s));
            let message = format!(
                "invalid copy: arguments {a} and {b} have different element types {dt} and {st}"
            );
            self.err(Code::InvalidCall, x.span, message);
            return invalid;
        }
        let (a, b) = (Box::new(self.emit(x)), Box::new(self.emit(y)));
        Operand::value(Basic::Int.ty(), span, ExprKind::Copy(a, b))
    }

    fn delete<'e>(&mut self, e: &'e Expr, m: Operand<'e>, k: Operand<'e>) -> Operand<'e> {
        let span = e.span;
        if !m.is_valid() || !k.is_valid() {
            return Operand::invalid(span);
        }
        let key = match self.a.types.core_type(m.ty) {
            Some(core) => self.map_key(core),
            // Maps of one key type.
            None => {
                let terms = self.a.types.param_terms(m.ty).unwrap_or_default();
                let mut keys = terms.iter().map(|t| self.map_key(t.ty));
                let first = keys.next().flatten();
                first.filter(|k| keys.all(|other| other == Some(*k)))
            }
        };
        let Some(key) = key else {
            let text = self.describe(&m);
            let message = format!("invalid argument: {text} is not a map");
            self.err(Code::InvalidCall, m.span, message);
            return Operand::invalid(span);
        };
        let k = self.assignment(k, Some(key), Context::Argument("delete".into()));
        if !k.is_valid() {
            return Operand::invalid(span);
        }
        let m = Box::new(self.emit(m));
        self.statement(span, ExprKind::Delete(m, Box::new(k.tir)))
    }

    fn map_key(&self, t: Ty) -> Option<Ty> {
        match self.a.types.under(t) {
            TyKind::Map(key, _) => Some(*key),
            _ => None,
        }
    }

    fn make<'e>(&mut self, e: &'e Expr, c: &'e ast::CallExpr, place: Place) -> Operand<'e> {
        let span = e.span;
        let t = self.var_typ(&c.args[0]);
        let rest = &c.args[1..];
        if t == INVALID {
            for a in rest {
                self.use_expr(a);
            }
            return Operand::invalid(span);
        }
        let core = self.a.types.core_type(t);
        let kind = core.map(|t| self.a.types.kind(t).clone());
        let min = match kind {
            Some(TyKind::Slice(_)) => 2,
            Some(TyKind::Map(..)) => 1,
            Some(TyKind::Chan(..)) if place == Place::Volatile => 1,
            _ => {
                let text = self.ty_str(t);
                let message = match place {
                    Place::Volatile => format!(
                        "invalid argument: cannot make {text}; type must be slice, map, or channel"
                    ),
                    Place::Persistent => {
                        format!("invalid argument: cannot pmake {text}; type must be slice or map")
                    }
                };
                self.err(Code::InvalidCall, c.args[0].span, message);
                return Operand::invalid(span);
            }
        };
        if place == Place::Persistent {
            self.require_storable(t, c.args[0].span, "pmake");
        }
        let n = c.args.len();
        if n < min || n > min + 1 {
            let text = self.text(e);
            let message = format!(
                "invalid operation: {text} expects {min} or {} arguments; found {n}",
                min + 1
            );
            self.err(Code::ArgumentCount, span, message);
            return Operand::invalid(span);
        }
        let mut sizes = Vec::new();
        let mut consts = Vec::new();
        for a in rest {
            let x = self.expr(a, None);
            // A constant like 1e3 is fine.
            let x = self.integer_operand(x, "index", false);
            if !x.is_valid() {
                return Operand::invalid(span);
            }
            if x.is_const() {
                consts.push(x.val.as_i64().unwrap_or(0));
            }
            sizes.push(Box::new(self.emit(x)));
        }
        if let [len, cap] = consts[..]
            && len > cap
            && min == 2
        {
            let message = "invalid argument: length and capacity swapped";
            self.err(Code::InvalidCall, c.args[1].span, message);
            return Operand::invalid(span);
        }
        let mut sizes = sizes.into_iter();
        let kind = match kind {
            Some(TyKind::Slice(_)) => {
                let Some(len) = sizes.next() else {
                    return Operand::invalid(span);
                };
                ExprKind::MakeSlice(place, len, sizes.next())
            }
            Some(TyKind::Map(..)) => ExprKind::MakeMap(place, sizes.next()),
            _ => ExprKind::MakeChan(sizes.next()),
        };
        Operand::value(t, span, kind)
    }

    fn min_or_max<'e>(&mut self, e: &'e Expr, c: &'e ast::CallExpr, b: Builtin) -> Operand<'e> {
        let span = e.span;
        let Some(args) = self.arguments(c) else {
            return Operand::invalid(span);
        };
        let op = match b {
            Builtin::Max => BinaryOp::Greater,
            _ => BinaryOp::Less,
        };
        for a in &args.list {
            if !a.is_valid() {
                return Operand::invalid(span);
            }
            if !self.a.types.ordered(a.ty) {
                let text = self.describe(a);
                let message = format!("invalid argument: {text} cannot be ordered");
                self.err(Code::InvalidCall, a.span, message);
                return Operand::invalid(span);
            }
        }
        // The operands' common type: typed ones must agree, untyped ones follow.
        let mut ty: Option<Ty> = None;
        let typed = args
            .list
            .iter()
            .find(|a| !self.is_untyped(a.ty))
            .map(|a| a.ty);
        if typed.is_none() {
            for a in &args.list {
                ty = match ty {
                    None => Some(a.ty),
                    Some(t) => self.max_untyped(t, a.ty),
                };
                if ty.is_none() {
                    let (x, y) = (self.ty_str(args.list[0].ty), self.ty_str(a.ty));
                    let at = self.operand_text(a);
                    let message = format!(
                        "invalid argument: mismatched types {x} (previous argument) and {y} (type of {at})"
                    );
                    self.err(Code::MismatchedTypes, a.span, message);
                    return Operand::invalid(span);
                }
            }
        }
        let Some(ty) = typed.or(ty) else {
            return Operand::invalid(span);
        };
        // min(1 << s, 2): what is not constant has the default type.
        let ty = match self.is_untyped(ty) && !args.list.iter().all(|a| a.is_const()) {
            true => self.a.types.default_type(ty),
            false => ty,
        };
        let mut list = Vec::new();
        for a in args.list {
            let was = a.ty;
            let shown = a.clone();
            let x = match self.implicit(a, ty) {
                Ok(x) if x.ty == ty => x,
                _ => {
                    let (x, y) = (self.ty_str(ty), self.ty_str(was));
                    let at = self.operand_text(&shown);
                    let message = format!(
                        "invalid argument: mismatched types {x} (previous argument) and {y} (type of {at})"
                    );
                    self.err(Code::MismatchedTypes, shown.span, message);
                    return Operand::invalid(span);
                }
            };
            list.push(x);
        }
        if list.iter().all(|x| x.is_const()) {
            let mut best = list[0].val.clone();
            for x in &list[1..] {
                if Value::compare(op, &x.val, &best) {
                    best = x.val.clone();
                }
            }
            return Operand::constant(ty, best, span);
        }
        let values = list.into_iter().map(|x| self.emit(x)).collect();
        let kind = match b {
            Builtin::Max => ExprKind::Max(values),
            _ => ExprKind::Min(values),
        };
        Operand::value(ty, span, kind)
    }

    /// `new(T)`, `new(expr)`, and the persistent forms.
    fn new_value<'e>(&mut self, e: &'e Expr, c: &'e ast::CallExpr, place: Place) -> Operand<'e> {
        let span = e.span;
        let arg = &c.args[0];
        let x = self.raw_expr(arg, None);
        let word = match place {
            Place::Persistent => "pnew",
            Place::Volatile => "new",
        };
        if x.mode == Mode::Type {
            let t = self.var_typ(arg);
            if t == INVALID {
                return Operand::invalid(span);
            }
            if place == Place::Persistent {
                self.require_storable(t, arg.span, word);
            }
            let ty = self.a.types.pointer(t);
            return Operand::value(ty, span, ExprKind::New(place, None));
        }
        let x = self.assignment(x, None, Context::Argument(word.into()));
        if !x.is_valid() {
            return Operand::invalid(span);
        }
        if place == Place::Persistent {
            self.require_storable(x.ty, arg.span, word);
        }
        let ty = self.a.types.pointer(x.ty);
        let init = match x.tir.kind {
            ExprKind::Zero => None,
            _ => Some(Box::new(x.tir)),
        };
        Operand::value(ty, span, ExprKind::New(place, init))
    }
}

/// Least and most arguments.
fn arity(b: Builtin) -> (usize, Option<usize>) {
    use Builtin::*;
    match b {
        Append | Make | Pmake | Min | Max => (1, None),
        Complex | Copy | Delete | UnsafeAdd | UnsafeSlice | UnsafeString => (2, Some(2)),
        Print | Println => (0, None),
        Recover => (0, Some(0)),
        _ => (1, Some(1)),
    }
}

fn type_argument(b: Builtin) -> bool {
    matches!(
        b,
        Builtin::Make | Builtin::Pmake | Builtin::New | Builtin::Pnew
    )
}
