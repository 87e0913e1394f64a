//! Index, slice and instantiation expressions.
use super::operand::{Mode, Operand, ex};
use super::{Checker, INVALID};
use crate::codes::Code;
use crate::syntax::ast::{self, Expr};
use crate::tir::{self, ExprKind};
use crate::types::constant::Value;
use crate::types::ty::{Basic, Ty, TyKind};

impl Checker {
    pub(super) fn index<'e>(
        &mut self,
        e: &'e Expr,
        operand: &'e Expr,
        args: &'e [Expr],
    ) -> Operand<'e> {
        if self.generic_alias(operand).is_some() {
            return match self.typ(e) {
                INVALID => Operand::invalid(e.span),
                ty => Operand::of_type(ty, e.span),
            };
        }
        let x = self.raw_expr(operand, None);
        if x.mode == Mode::Invalid {
            for a in args {
                self.use_expr(a);
            }
            return Operand::invalid(e.span);
        }
        if x.mode == Mode::Type {
            let ty = self.typ(e);
            return match ty {
                INVALID => Operand::invalid(e.span),
                ty => Operand::of_type(ty, e.span),
            };
        }
        if x.generic.is_some() {
            return self.explicit_instance(e, x, args);
        }
        if let Mode::Builtin(b) = x.mode {
            let mut out = Operand::new(Mode::Builtin(b), INVALID, e.span, ExprKind::Zero);
            out.ast = Some(e);
            return out;
        }
        let x = self.single_value(x);
        if !x.is_valid() {
            for a in args {
                self.use_expr(a);
            }
            return Operand::invalid(e.span);
        }
        if args.len() != 1 {
            let at = args.get(1).map_or(e.span, |a| a.span);
            self.err(
                Code::InvalidIndex,
                at,
                "invalid operation: more than one index",
            );
            return Operand::invalid(e.span);
        }
        let arg = &args[0];
        if x.is_nil() {
            self.err(
                Code::InvalidOperation,
                x.span,
                "invalid operation: cannot index nil",
            );
            return Operand::invalid(e.span);
        }
        self.index_value(e, x, arg)
    }

    fn index_value<'e>(&mut self, e: &'e Expr, x: Operand<'e>, arg: &'e Expr) -> Operand<'e> {
        let span = e.span;
        let core = match self.a.types.is_param(x.ty) {
            true => match self.a.types.core_string(x.ty) {
                Some(t) => t,
                None => self.param_index_core(x.ty),
            },
            false => self.a.types.underlying(x.ty),
        };
        match self.a.types.kind(core).clone() {
            TyKind::Basic(b) if b.is_string() => {
                let constant = x.is_const().then(|| x.val.clone());
                let max = constant
                    .as_ref()
                    .and_then(|v| v.as_str().map(|s| s.len() as u64));
                let Some(i) = self.index_arg(arg, max) else {
                    return Operand::invalid(span);
                };
                // A constant string and index still give a value that is not constant.
                let x = self.defaulted(x);
                let s = self.emit(x);
                let i = self.emit(i);
                let byte = Basic::Uint8.ty();
                Operand::value(byte, span, ExprKind::Index(Box::new(s), Box::new(i)))
            }
            TyKind::Slice(elem) => {
                let Some(i) = self.index_arg(arg, None) else {
                    return Operand::invalid(span);
                };
                let (s, i) = (Box::new(self.emit(x)), Box::new(self.emit(i)));
                Operand::new(Mode::Var, elem, span, ExprKind::Index(s, i))
            }
            TyKind::Array(elem, n) => {
                let mode = match x.mode {
                    Mode::Var => Mode::Var,
                    _ => Mode::Value,
                };
                let Some(i) = self.index_arg(arg, Some(n)) else {
                    return Operand::invalid(span);
                };
                let (s, i) = (Box::new(self.emit(x)), Box::new(self.emit(i)));
                Operand::new(mode, elem, span, ExprKind::Index(s, i))
            }
            TyKind::Pointer(p) => {
                let arr = self.a.types.core_type(p);
                let Some(TyKind::Array(elem, n)) = arr.map(|t| self.a.types.kind(t).clone()) else {
                    return self.cannot_index(e, &x, arg);
                };
                let Some(i) = self.index_arg(arg, Some(n)) else {
                    return Operand::invalid(span);
                };
                let ptr = self.emit(x);
                let a = ex(p, ptr.span, ExprKind::Deref(Box::new(ptr)));
                let i = Box::new(self.emit(i));
                Operand::new(Mode::Var, elem, span, ExprKind::Index(Box::new(a), i))
            }
            TyKind::Map(key, value) => {
                let k = self.expr(arg, Some(key));
                let k = self.assignment(k, Some(key), super::convert::Context::Other("map index"));
                if !k.is_valid() {
                    return Operand::invalid(span);
                }
                let m = Box::new(self.emit(x));
                let kind = ExprKind::MapIndex(m, Box::new(k.tir), false);
                Operand::new(Mode::MapIndex, value, span, kind)
            }
            _ => self.cannot_index(e, &x, arg),
        }
    }

    /// What indexing a type parameter without core type gives: the same for arrays and slices of
    /// one element type.
    fn param_index_core(&mut self, t: Ty) -> Ty {
        let terms = self.a.types.param_terms(t).unwrap_or_default();
        let mut elem = None;
        for term in &terms {
            let e = match self.a.types.under(term.ty) {
                TyKind::Slice(e) | TyKind::Array(e, _) => *e,
                _ => return INVALID,
            };
            if elem.is_some_and(|x| x != e) {
                return INVALID;
            }
            elem = Some(e);
        }
        match elem {
            Some(e) => self.a.types.slice(e),
            None => INVALID,
        }
    }

    fn cannot_index<'e>(&mut self, e: &'e Expr, x: &Operand, arg: &Expr) -> Operand<'e> {
        self.use_expr(arg);
        let text = self.describe(x);
        self.err(
            Code::InvalidOperation,
            x.span,
            format!("invalid operation: cannot index {text}"),
        );
        Operand::invalid(e.span)
    }

    /// An index, below `max` if both are constant.
    pub(super) fn index_arg<'e>(&mut self, arg: &'e Expr, max: Option<u64>) -> Option<Operand<'e>> {
        let i = self.expr(arg, None);
        let i = self.integer_operand(i, "index", false);
        if !i.is_valid() {
            return None;
        }
        if let (true, Some(max)) = (i.is_const(), max)
            && i.val.as_u64().is_some_and(|n| n >= max)
        {
            let v = i.val.to_string();
            let message = format!("invalid argument: index {v} out of bounds [0:{max}]");
            self.err(Code::InvalidIndex, i.span, message);
            return None;
        }
        Some(i)
    }

    pub(super) fn slice_expr<'e>(&mut self, e: &'e Expr, s: &'e ast::SliceExpr) -> Operand<'e> {
        let span = e.span;
        let x = self.expr(&s.operand, None);
        if !x.is_valid() {
            for i in [&s.low, &s.high, &s.max].into_iter().flatten() {
                self.use_expr(i);
            }
            return Operand::invalid(span);
        }
        let x = match x.is_const() && self.is_untyped(x.ty) {
            true if self.a.types.basic(x.ty).is_some_and(Basic::is_string) => {
                let value = x.val.clone();
                let mut d = self.defaulted(x);
                d.val = value;
                d
            }
            _ => x,
        };
        let Some(core) = self.a.types.core_string(x.ty) else {
            let text = self.describe(&x);
            self.err(
                Code::InvalidOperation,
                x.span,
                format!("cannot slice {text}"),
            );
            return Operand::invalid(span);
        };
        let mut max = None;
        let (result, base) = match self.a.types.kind(core).clone() {
            TyKind::Basic(b) if b.is_string() => {
                if let Some(m) = &s.max {
                    let message = "invalid operation: 3-index slice of string";
                    self.err(Code::InvalidOperation, m.span, message);
                    return Operand::invalid(span);
                }
                if x.is_const() {
                    max = x.val.as_str().map(|s| s.len() as u64);
                }
                let ty = x.ty;
                (ty, self.emit(x))
            }
            TyKind::Slice(_) => {
                let ty = x.ty;
                (ty, self.emit(x))
            }
            TyKind::Array(elem, n) => {
                if x.mode != Mode::Var {
                    let text = self.describe(&x);
                    self.err(
                        Code::InvalidOperation,
                        x.span,
                        format!("cannot slice unaddressable value {text}"),
                    );
                    return Operand::invalid(span);
                }
                max = Some(n);
                let ptr_ty = self.a.types.pointer(x.ty);
                let at = x.span;
                let place = self.emit(x);
                let kind = self.take_address(place);
                (self.a.types.slice(elem), ex(ptr_ty, at, kind))
            }
            TyKind::Pointer(p) => match self.a.types.under(p).clone() {
                TyKind::Array(elem, n) => {
                    max = Some(n);
                    (self.a.types.slice(elem), self.emit(x))
                }
                _ => return self.cannot_slice(e, &x),
            },
            _ => return self.cannot_slice(e, &x),
        };
        let mut parts: Vec<Option<Box<tir::Expr>>> = Vec::new();
        let mut constants: Vec<(i64, &Expr)> = Vec::new();
        let mut ok = true;
        for i in [&s.low, &s.high, &s.max] {
            let Some(i) = i else {
                parts.push(None);
                continue;
            };
            // The upper bound itself is a valid index here.
            match self.index_arg(i, max.map(|n| n + 1)) {
                Some(x) => {
                    if x.is_const()
                        && let Some(n) = x.val.as_i64()
                    {
                        constants.push((n, i));
                    }
                    parts.push(Some(Box::new(self.emit(x))));
                }
                None => {
                    ok = false;
                    parts.push(None);
                }
            }
        }
        for (i, (a, _)) in constants.iter().enumerate() {
            for (b, at) in &constants[i + 1..] {
                if a > b && ok {
                    let message = format!("invalid slice indices: {b} < {a}");
                    self.err(Code::InvalidIndex, at.span, message);
                    ok = false;
                }
            }
        }
        if !ok {
            return Operand::invalid(span);
        }
        let max = parts.pop().flatten();
        let high = parts.pop().flatten();
        let low = parts.pop().flatten();
        Operand::value(
            result,
            span,
            ExprKind::Slice(Box::new(base), low, high, max),
        )
    }

    fn cannot_slice<'e>(&mut self, e: &'e Expr, x: &Operand) -> Operand<'e> {
        let text = self.describe(x);
        self.err(
            Code::InvalidOperation,
            x.span,
            format!("cannot slice {text}"),
        );
        Operand::invalid(e.span)
    }

    pub(super) fn int_const(n: i64, span: crate::source::Span) -> tir::Expr {
        ex(
            Basic::Int.ty(),
            span,
            ExprKind::Const(Value::int(n).to_tir(Basic::Int)),
        )
    }
}
