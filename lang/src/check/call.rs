//! Calls and their arguments.
use super::convert::Context;
use super::operand::{Mode, Operand, ex, st};
use super::select::Selected;
use super::{Checker, INVALID};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind as E};
use crate::tir::{self, Callee, ExprKind, StmtKind};
use crate::types::ty::{Basic, Signature, Ty, TyKind};

/// Arguments checked but not yet assigned; statements that must run before them.
pub(super) struct Args<'e> {
    pub list: Vec<Operand<'e>>,
    pub before: Vec<tir::Stmt>,
}

impl Checker {
    pub(super) fn call<'e>(&mut self, e: &'e Expr, c: &'e ast::CallExpr) -> Operand<'e> {
        let span = e.span;
        let bare = c.callee.unparen();
        if let E::Selector { operand, name } = &bare.kind {
            match self.selector(bare, operand, *name) {
                Selected::Method(m) => {
                    let sig = m.sel.sig;
                    let TyKind::Func(s) = self.a.types.kind(sig).clone() else {
                        self.use_args(c);
                        return Operand::invalid(span);
                    };
                    if let Some(g) = self.generic_method(&m) {
                        let mut x = Operand::value(sig, bare.span, ExprKind::Zero);
                        x.ast = Some(bare);
                        x.generic = Some(Box::new(g));
                        return self.generic_call(e, c, x);
                    }
                    let (callee, first) = m.callee();
                    return self.finish_call(e, c, callee, first, &s);
                }
                Selected::Operand(mut x) => {
                    x.ast = Some(bare);
                    x.span = bare.span;
                    x.tir.span = bare.span;
                    return self.call_operand(e, c, x);
                }
            }
        }
        let x = self.raw_expr(&c.callee, None);
        self.call_operand(e, c, x)
    }

    fn use_args(&mut self, c: &ast::CallExpr) {
        for a in &c.args {
            self.use_expr(a);
        }
    }

    fn call_operand<'e>(
        &mut self,
        e: &'e Expr,
        c: &'e ast::CallExpr,
        x: Operand<'e>,
    ) -> Operand<'e> {
        let span = e.span;
        match x.mode {
            Mode::Invalid => {
                self.use_args(c);
                Operand::invalid(span)
            }
            Mode::Builtin(b) => {
                let x = self.builtin(e, c, b);
                self.has_call |= !matches!(x.mode, Mode::Const | Mode::Invalid);
                x
            }
            Mode::Type => self.conversion_call(e, c),
            _ => {
                if x.generic.is_some() {
                    return self.generic_call(e, c, x);
                }
                let x = self.single_value(x);
                if !x.is_valid() {
                    self.use_args(c);
                    return Operand::invalid(span);
                }
                let core = match self.a.types.is_param(x.ty) {
                    true => self.a.types.core_type(x.ty),
                    false => Some(x.ty),
                };
                let under = core.map(|t| self.a.types.underlying(t));
                let Some(TyKind::Func(sig)) = under.map(|t| self.a.types.kind(t).clone()) else {
                    let text = self.describe(&x);
                    let cause = match core {
                        Some(core) => format!("{} is not a function", self.ty_str(core)),
                        None => self.no_core_cause(x.ty),
                    };
                    let message = format!("invalid operation: cannot call {text}: {cause}");
                    self.err(Code::InvalidCall, x.span, message);
                    self.use_args(c);
                    return Operand::invalid(span);
                };
                let callee = match x.tir.kind {
                    ExprKind::Func(f) => Callee::Static(f),
                    _ => Callee::Value(Box::new(self.emit(x))),
                };
                self.finish_call(e, c, callee, vec![], &sig)
            }
        }
    }

    fn conversion_call<'e>(&mut self, e: &'e Expr, c: &'e ast::CallExpr) -> Operand<'e> {
        let t = self.typ(&c.callee);
        let span = e.span;
        if t == INVALID {
            self.use_args(c);
            return Operand::invalid(span);
        }
        match c.args.as_slice() {
            [] => {
                let text = self.ty_str(t);
                let message = format!("missing argument in conversion to {text}");
                self.err(Code::InvalidCall, c.rparen, message);
                Operand::invalid(span)
            }
            [arg] => {
                if c.ellipsis.is_some() {
                    let text = self.ty_str(t);
                    let message = format!("invalid use of ... in conversion to {text}");
                    self.err(Code::InvalidCall, arg.span, message);
                    return Operand::invalid(span);
                }
                if let TyKind::Interface(i) = self.a.types.under(t)
                    && (i.terms.is_some() || i.comparable)
                {
                    let text = self.ty_str(t);
                    let message = format!(
                        "cannot use interface {text} in conversion (contains specific type constraints or is comparable)"
                    );
                    self.err(Code::InvalidConversion, span, message);
                    self.use_args(c);
                    return Operand::invalid(span);
                }
                let x = self.expr(arg, Some(t));
                self.conversion(x, t, e)
            }
            args => {
                let text = self.ty_str(t);
                let message = format!("too many arguments in conversion to {text}");
                let at = args[args.len() - 1].span;
                self.use_args(c);
                self.err(Code::InvalidCall, at, message);
                Operand::invalid(span)
            }
        }
    }

    /// Evaluates arguments; a single call with several results gives several.
    pub(super) fn arguments<'e>(&mut self, c: &'e ast::CallExpr) -> Option<Args<'e>> {
        let mut before = Vec::new();
        if let [arg] = c.args.as_slice() {
            let x = self.raw_expr(arg, None);
            if let TyKind::Tuple(tys) = self.a.types.kind(x.ty).clone()
                && x.mode == Mode::Value
            {
                let values = self.unpack_tuple(x.tir, &tys, &mut before);
                let list = values
                    .into_iter()
                    .map(|v| {
                        let mut o = Operand::value(v.ty, arg.span, ExprKind::Zero);
                        o.tir = v;
                        o.ast = Some(arg);
                        o
                    })
                    .collect();
                return Some(Args { list, before });
            }
            let x = self.single_value(x);
            return x.mode.ne(&Mode::Invalid).then(|| Args {
                list: vec![x],
                before,
            });
        }
        let mut list = Vec::with_capacity(c.args.len());
        let mut ok = true;
        for a in &c.args {
            let x = self.expr(a, None);
            ok &= x.mode != Mode::Invalid;
            list.push(x);
        }
        ok.then_some(Args { list, before })
    }

    fn finish_call<'e>(
        &mut self,
        e: &'e Expr,
        c: &'e ast::CallExpr,
        callee: Callee,
        first: Vec<tir::Expr>,
        sig: &Signature,
    ) -> Operand<'e> {
        let Some(args) = self.arguments(c) else {
            // The result's type is known all the same: no follow-on errors.
            return self.call_result(e.span, sig, ExprKind::Zero, vec![], true);
        };
        self.call_with(e, c, (callee, first), args, sig)
    }

    /// The call of a callee (with arguments that come before the written ones).
    pub(super) fn call_with<'e>(
        &mut self,
        e: &'e Expr,
        c: &'e ast::CallExpr,
        (callee, first): (Callee, Vec<tir::Expr>),
        args: Args<'e>,
        sig: &Signature,
    ) -> Operand<'e> {
        let (mut callee, mut all, before) = (callee, first, args.before);
        let before = match before.is_empty() {
            true => before,
            false => {
                // What is called is evaluated before its arguments.
                let mut out = Vec::new();
                if let Callee::Value(f) | Callee::Interface(f, _) = &mut callee {
                    **f = self.spill((**f).clone(), &mut out);
                }
                all = all.into_iter().map(|e| self.spill(e, &mut out)).collect();
                out.extend(before);
                out
            }
        };
        let Some(rest) = self.assign_args(c, args.list, sig) else {
            return self.call_result(e.span, sig, ExprKind::Zero, vec![], true);
        };
        all.extend(rest);
        let mut result = self.call_result(e.span, sig, ExprKind::Call(callee, all), before, false);
        // A call's line is that of its parenthesis.
        let call = match &mut result.tir.kind {
            ExprKind::Seq(_, call) => call,
            _ => &mut result.tir,
        };
        call.span = c.lparen.to(c.rparen);
        result
    }

    pub(super) fn call_result<'e>(
        &mut self,
        span: Span,
        sig: &Signature,
        call: ExprKind,
        before: Vec<tir::Stmt>,
        failed: bool,
    ) -> Operand<'e> {
        self.has_call = true;
        let ty = self.result_type(&sig.results);
        if failed {
            let mode = match sig.results.len() {
                0 => Mode::NoValue,
                _ => Mode::Value,
            };
            return Operand::new(mode, ty, span, ExprKind::Zero);
        }
        let kind = match before.is_empty() {
            true => call,
            false => ExprKind::Seq(before, Box::new(ex(ty, span, call))),
        };
        let mode = match sig.results.len() {
            0 => Mode::NoValue,
            _ => Mode::Value,
        };
        Operand::new(mode, ty, span, kind)
    }

    /// The arguments as parameters take them; variadic ones packed.
    pub(super) fn assign_args<'e>(
        &mut self,
        c: &'e ast::CallExpr,
        list: Vec<Operand<'e>>,
        sig: &Signature,
    ) -> Option<Vec<tir::Expr>> {
        let n = sig.params.len();
        let context = Context::Argument(self.text(&c.callee));
        let spread = c.ellipsis.is_some();
        if spread {
            if !sig.variadic {
                let at = c.args.last().map_or(c.rparen, |a| a.span);
                let text = self.text(&c.callee);
                let message = format!("cannot use ... in call to non-variadic {text}");
                self.err(Code::InvalidCall, at, message);
                return None;
            }
            if c.args.len() == 1 && list.len() > 1 {
                let text = self.text(&c.args[0]);
                let message = format!("cannot use ... with {}-valued {text}", list.len());
                self.err(Code::InvalidCall, c.args[0].span, message);
                return None;
            }
        }
        let enough = match sig.variadic && !spread {
            true => list.len() + 1 >= n,
            false => list.len() == n,
        };
        if !enough {
            self.count_error(c, &list, sig);
            return None;
        }
        let mut ok = true;
        let mut out = Vec::with_capacity(n);
        let mut packed = Vec::new();
        let elem = match (sig.variadic && !spread, sig.params.last()) {
            (true, Some(last)) => match self.a.types.under(*last) {
                TyKind::Slice(e) => Some(*e),
                _ => Some(INVALID),
            },
            _ => None,
        };
        for (i, x) in list.into_iter().enumerate() {
            let (target, variadic) = match elem {
                Some(elem) if i + 1 >= n => (elem, true),
                _ => (sig.params[i], false),
            };
            let x = self.assignment(x, Some(target), context.clone());
            ok &= x.is_valid();
            match variadic {
                true => packed.push((packed.len() as u64, x.tir)),
                false => out.push(x.tir),
            }
        }
        if elem.is_some() {
            let slice = sig.params[n - 1];
            let span = match packed.is_empty() {
                true => c.rparen,
                false => packed[0].1.span.to(packed[packed.len() - 1].1.span),
            };
            let kind = match packed.is_empty() {
                true => ExprKind::Const(tir::Const::Nil),
                false => ExprKind::SliceLit(packed.len() as u64, packed),
            };
            out.push(ex(slice, span, kind));
        }
        ok.then_some(out)
    }

    pub(super) fn count_error(&mut self, c: &ast::CallExpr, list: &[Operand], sig: &Signature) {
        let n = sig.params.len();
        let (which, at) = match list.len() < n {
            true => ("not enough", c.args.last().map_or(c.rparen, |a| a.span)),
            false => (
                "too many",
                c.args
                    .get(n)
                    .or(c.args.first())
                    .map_or(c.rparen, |a| a.span),
            ),
        };
        let f = self.text(&c.callee);
        let have: Vec<Ty> = list.iter().map(|x| x.ty).collect();
        let (have, want) = (
            self.types_summary(&have, false),
            self.types_summary(&sig.params, sig.variadic),
        );
        let message = format!("{which} arguments in call to {f}\n\thave {have}\n\twant {want}");
        self.err(Code::ArgumentCount, at, message);
    }

    /// `(int, number, ...string)`.
    pub(super) fn types_summary(&self, tys: &[Ty], variadic: bool) -> String {
        let mut parts = Vec::new();
        for (i, t) in tys.iter().enumerate() {
            let basic = match self.a.types.kind(*t) {
                TyKind::Basic(b) => Some(*b),
                _ => None,
            };
            parts.push(match basic {
                Some(Basic::Invalid) => "unknown type".to_string(),
                Some(b) if b.is_untyped() && b.is_numeric() => "number".into(),
                Some(b) if b.is_untyped() => b.name().replace("untyped ", ""),
                _ if variadic && i + 1 == tys.len() => match self.a.types.under(*t) {
                    TyKind::Slice(e) => format!("...{}", self.ty_str(*e)),
                    _ => self.ty_str(*t),
                },
                _ => self.ty_str(*t),
            });
        }
        format!("({})", parts.join(", "))
    }

    /// Values of an initialiser for several variables: their types and the tuple, converted.
    pub(super) fn unpack_init(
        &mut self,
        value: &Expr,
        want: &[Option<Ty>],
        context: Context,
    ) -> (Vec<Ty>, Option<tir::Expr>) {
        let bad = || {
            want.iter()
                .map(|t| t.unwrap_or(INVALID))
                .collect::<Vec<_>>()
        };
        let x = self.raw_expr(value, None);
        if x.mode == Mode::Invalid {
            return (bad(), None);
        }
        let tuple = match self.a.types.kind(x.ty).clone() {
            TyKind::Tuple(_) if x.mode == Mode::Value => Some(x.tir.clone()),
            _ if want.len() == 2 && matches!(x.mode, Mode::MapIndex | Mode::CommaOk) => {
                self.comma_ok(x.clone())
            }
            _ => None,
        };
        let tys: Vec<Ty> = match tuple.as_ref().map(|t| self.a.types.kind(t.ty).clone()) {
            Some(TyKind::Tuple(tys)) => tys.to_vec(),
            _ => {
                if x.mode == Mode::NoValue || self.single_value(x.clone()).is_valid() {
                    self.mismatch(value, want.len(), 1, x.mode == Mode::NoValue);
                }
                return (bad(), None);
            }
        };
        if tys.len() != want.len() {
            self.mismatch(value, want.len(), tys.len(), false);
            return (bad(), None);
        }
        let Some(tuple) = tuple else {
            return (bad(), None);
        };
        // The ok of a comma-ok form is an untyped bool: any bool type takes it.
        let fits = tys.iter().zip(want).all(|(t, w)| w.is_none_or(|w| w == *t));
        let result: Vec<Ty> = tys.iter().zip(want).map(|(t, w)| w.unwrap_or(*t)).collect();
        if fits {
            return (result, Some(tuple));
        }
        let mut stmts = Vec::new();
        let values = self.unpack_tuple(tuple, &tys, &mut stmts);
        let converted = self.convert_each(values, want, value, context);
        let Some(converted) = converted else {
            return (result, None);
        };
        // Conversions between: through temporaries, as a struct has no tuple literal.
        let ty = self.a.types.tuple(&result);
        let call = self.tuple_value(converted, ty, value.span, stmts);
        (result, Some(call))
    }

    fn convert_each(
        &mut self,
        values: Vec<tir::Expr>,
        want: &[Option<Ty>],
        source: &Expr,
        context: Context,
    ) -> Option<Vec<tir::Expr>> {
        let mut out = Vec::new();
        let mut ok = true;
        for (v, w) in values.into_iter().zip(want) {
            let mut x = Operand::value(v.ty, source.span, ExprKind::Zero);
            x.tir = v;
            x.ast = Some(source);
            let bool_ok = x.ty == Basic::Bool.ty()
                && w.is_some_and(|w| self.a.types.all_basic(w, Basic::is_boolean));
            let x = match (bool_ok && !matches!(source.unparen().kind, E::Call(_)), w) {
                (true, Some(w)) => {
                    x.tir = self.convert_value(x.tir, *w);
                    x
                }
                _ => self.assignment(x, *w, context.clone()),
            };
            ok &= x.is_valid();
            out.push(x.tir);
        }
        ok.then_some(out)
    }

    /// Several values as one tuple: the results of a function literal called at once.
    fn tuple_value(
        &mut self,
        values: Vec<tir::Expr>,
        ty: Ty,
        span: Span,
        before: Vec<tir::Stmt>,
    ) -> tir::Expr {
        let tys: Vec<Ty> = values.iter().map(|v| v.ty).collect();
        let sig = self.func_type(vec![], tys.clone(), false);
        let depth = self.depth();
        let body = self.make_closure(span, &[], &tys, true, |c, _| {
            let mut values = values;
            for v in &mut values {
                super::fixup::expr(v, &mut |e| {
                    if let ExprKind::Local(local) = e.kind {
                        let var = super::object::VarRef { depth, local };
                        e.kind = c.var_expr(var, e.span).kind;
                    }
                });
            }
            vec![st(span, StmtKind::Return(values))]
        });
        let f = ex(sig, span, ExprKind::Closure(body));
        let call = ex(ty, span, ExprKind::Call(Callee::Value(Box::new(f)), vec![]));
        ex(ty, span, ExprKind::Seq(before, Box::new(call)))
    }

    /// `assignment mismatch: 2 variables but f() returns 1 value`.
    pub(super) fn mismatch(&mut self, value: &Expr, left: usize, right: usize, none: bool) {
        let right = if none { 0 } else { right };
        let measure = |n: usize, what: &str| match n {
            1 => format!("1 {what}"),
            n => format!("{n} {what}s"),
        };
        let vars = measure(left, "variable");
        let vals = measure(right, "value");
        let message = match &value.unparen().kind {
            E::Call(c) => {
                let f = self.text(&c.callee);
                format!("assignment mismatch: {vars} but {f} returns {vals}")
            }
            _ => format!("assignment mismatch: {vars} but {vals}"),
        };
        self.err(Code::AssignmentMismatch, value.span, message);
    }
}
