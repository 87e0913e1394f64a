//! Type arguments of generic functions: explicit ones, inference (spec "Type inference"), and the
//! check that they satisfy their constraints.
use super::call::Args;
use super::operand::{Operand, ex};
use super::{Checker, INVALID};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::{self, Expr};
use crate::tir::{self, Callee, ExprKind};
use crate::types::infer::InferError;
use crate::types::ty::{ParamId, Signature, Ty, TyKind};

impl Checker {
    /// `F[T, …]`; with too few arguments the rest is inferred in a call.
    pub(super) fn explicit_instance<'e>(
        &mut self,
        e: &'e Expr,
        x: Operand<'e>,
        args: &'e [Expr],
    ) -> Operand<'e> {
        let targs: Vec<Ty> = args.iter().map(|a| self.var_typ(a)).collect();
        let Some(f) = x.generic.clone() else {
            return Operand::invalid(e.span);
        };
        if targs.contains(&INVALID) {
            return Operand::invalid(e.span);
        }
        let params = self.funcs[f.func.0 as usize].decl.type_params.clone();
        if targs.len() > params.len() {
            let (got, want) = (targs.len(), params.len());
            let message = format!(
                "got {got} type arguments but {} has {want} type parameters",
                self.operand_text(&x)
            );
            self.err(Code::Generic, args[want].span, message);
            return Operand::invalid(e.span);
        }
        if targs.len() == params.len() {
            let spans: Vec<Span> = args.iter().map(|a| a.span).collect();
            if !self.verify_type_args(&params, &targs, &spans) {
                return Operand::invalid(e.span);
            }
        }
        let mut out = Operand::value(x.ty, e.span, ExprKind::Zero);
        out.ast = Some(e);
        let func = tir::FuncRef {
            func: f.func,
            targs: targs.clone(),
        };
        if targs.len() < params.len() {
            // The constraints may say the rest.
            let Ok(all) = self.a.types.infer(&params, &targs, &[]) else {
                out.generic = Some(func);
                return out;
            };
            let spans = vec![e.span; all.len()];
            if !self.verify_type_args(&params, &all, &spans) {
                return Operand::invalid(e.span);
            }
            out.ty = self.a.types.subst(x.ty, &params, &all);
            let func = tir::FuncRef {
                func: f.func,
                targs: all,
            };
            out.tir = ex(out.ty, e.span, ExprKind::Func(func));
            return out;
        }
        out.ty = self.a.types.subst(x.ty, &params, &targs);
        out.tir = ex(out.ty, e.span, ExprKind::Func(func));
        out
    }

    /// A generic function where a function type is wanted.
    pub(super) fn infer_from_target<'e>(&mut self, x: Operand<'e>, target: Ty) -> Operand<'e> {
        let Some(f) = x.generic.clone() else {
            return x;
        };
        let params = self.funcs[f.func.0 as usize].decl.type_params.clone();
        let pairs = [(x.ty, target)];
        let Ok(targs) = self.a.types.infer(&params, &f.targs, &pairs) else {
            let text = self.operand_text(&x);
            let message = format!("cannot use generic function {text} without instantiation");
            self.err(Code::Generic, x.span, message);
            return Operand::invalid(x.span);
        };
        let spans = vec![x.span; targs.len()];
        if !self.verify_type_args(&params, &targs, &spans) {
            return Operand::invalid(x.span);
        }
        let ty = self.a.types.subst(x.ty, &params, &targs);
        let func = tir::FuncRef {
            func: f.func,
            targs,
        };
        let mut out = Operand::value(ty, x.span, ExprKind::Func(func));
        out.ast = x.ast;
        out
    }

    pub(super) fn generic_call<'e>(
        &mut self,
        e: &'e Expr,
        c: &'e ast::CallExpr,
        x: Operand<'e>,
    ) -> Operand<'e> {
        let span = e.span;
        let invalid = Operand::invalid(span);
        let Some(f) = x.generic.clone() else {
            return invalid;
        };
        let TyKind::Func(sig) = self.a.types.kind(x.ty).clone() else {
            return invalid;
        };
        let Some(args) = self.arguments(c) else {
            return invalid;
        };
        let params = self.funcs[f.func.0 as usize].decl.type_params.clone();
        let Some(targs) = self.infer(c, &params, &f.targs, &sig, &args) else {
            return invalid;
        };
        // Constraint violations are reported at the function.
        let spans = vec![c.lparen; targs.len()];
        if !self.verify_type_args(&params, &targs, &spans) {
            return invalid;
        }
        let ty = self.a.types.subst(x.ty, &params, &targs);
        let TyKind::Func(sig) = self.a.types.kind(ty).clone() else {
            return invalid;
        };
        let before = args.before;
        let Some(list) = self.assign_args(c, args.list, &sig) else {
            return self.call_result(span, &sig, ExprKind::Zero, vec![], true);
        };
        let func = tir::FuncRef {
            func: f.func,
            targs,
        };
        let call = ExprKind::Call(Callee::Static(func), list);
        self.call_result(span, &sig, call, before, false)
    }

    fn infer(
        &mut self,
        c: &ast::CallExpr,
        params: &[ParamId],
        given: &[Ty],
        sig: &Signature,
        args: &Args,
    ) -> Option<Vec<Ty>> {
        self.flush_pending();
        let n = sig.params.len();
        let elem = match (sig.variadic && c.ellipsis.is_none(), sig.params.last()) {
            (true, Some(last)) => match self.a.types.kind(*last) {
                TyKind::Slice(e) => Some(*e),
                _ => None,
            },
            _ => None,
        };
        let want = |i: usize| match elem {
            Some(e) if i + 1 >= n => Some(e),
            _ => sig.params.get(i).copied(),
        };
        let mut pairs = Vec::new();
        let mut sources = Vec::new();
        for (i, a) in args.list.iter().enumerate() {
            let Some(p) = want(i) else {
                continue;
            };
            if !a.is_nil() && a.generic.is_none() && self.a.types.mentions(p, Some(params)) {
                pairs.push((p, a.ty));
                sources.push(i);
            }
        }
        let error = match self.a.types.infer(params, given, &pairs) {
            Ok(targs) => return Some(targs),
            Err(error) => error,
        };
        let f = self.text(&c.callee);
        let param_name =
            |c: &Checker, p: ParamId| c.name(c.a.types.params[p.0 as usize].name).to_string();
        let argument = |c: &Checker, at: usize| {
            let x = &args.list[sources[at]];
            (c.operand_text(x), x.span)
        };
        let (span, why) = match error {
            InferError::CannotInfer(p) => {
                let at = self.funcs_param_position(p);
                (
                    c.rparen,
                    format!("cannot infer {}{at}", param_name(self, p)),
                )
            }
            InferError::Mismatch {
                argument: at,
                arg,
                param,
            } => {
                let (text, span) = argument(self, at);
                let (a, p) = (self.ty_str(arg), self.ty_str(param));
                let declared = pairs[at].0;
                let why = match self.a.types.is_param(declared) {
                    true => {
                        let d = self.ty_str(declared);
                        format!("type {a} of {text} does not match inferred type {p} for {d}")
                    }
                    false if self.a.types.mentions(param, Some(params)) => {
                        let names: Vec<String> =
                            params.iter().map(|p| param_name(self, *p)).collect();
                        let list = match names.as_slice() {
                            [a, b] => format!("{a} and {b}"),
                            many => many.join(", "),
                        };
                        format!("type {a} of {text} does not match {p} (cannot infer {list})")
                    }
                    false => {
                        let d = self.ty_str(declared);
                        format!("type {a} of {text} does not match inferred type {p} for {d}")
                    }
                };
                (span, why)
            }
            InferError::Constraint(p, t) => {
                let constraint = self.a.types.params[p.0 as usize].constraint;
                let pkg = self.pkg();
                let open = self.a.types.mentions(constraint, Some(params));
                let missing = self.a.types.implements(t, constraint, true);
                let typed = pairs.iter().any(|(_, t)| !self.is_untyped(*t));
                if let (false, false, Err(missing)) = (open, typed, missing) {
                    let names = &self.a.names;
                    let message = self
                        .a
                        .types
                        .missing_message(t, constraint, &missing, true, names, pkg);
                    self.err(Code::Generic, c.lparen, message);
                    return None;
                }
                let (n, t, c_text) = (param_name(self, p), self.ty_str(t), self.ty_str(constraint));
                (
                    c.lparen,
                    format!("{n} (type {t}) does not satisfy {c_text}"),
                )
            }
            InferError::Untyped { argument: at, .. } => {
                let (_, span) = argument(self, at);
                let param = pairs[at].0;
                let others = pairs[..at].iter().filter(|(p, _)| *p == param);
                let other = others.map(|(_, t)| *t).find(|t| self.is_untyped(*t));
                let (a, b) = (
                    self.ty_str(other.unwrap_or(pairs[at].1)),
                    self.ty_str(pairs[at].1),
                );
                let p = self.ty_str(param);
                (
                    span,
                    format!("mismatched types {a} and {b} (cannot infer {p})"),
                )
            }
        };
        self.err(Code::Generic, span, format!("in call to {f}, {why}"));
        None
    }

    /// ` (declared at file:line:column)`.
    fn funcs_param_position(&self, p: ParamId) -> String {
        match self.param_spans.get(&p) {
            Some(span) => format!(" (declared at {})", self.sources.position(*span)),
            None => String::new(),
        }
    }

    /// Each type argument satisfies its parameter's constraint.
    pub(super) fn verify_type_args(
        &mut self,
        params: &[ParamId],
        targs: &[Ty],
        spans: &[Span],
    ) -> bool {
        self.flush_pending();
        let pkg = self.pkg();
        let Err((i, constraint, missing)) = self.a.types.verify_targs(params, targs) else {
            return true;
        };
        let message =
            self.a
                .types
                .missing_message(targs[i], constraint, &missing, true, &self.a.names, pkg);
        let span = spans.get(i).copied().unwrap_or_default();
        self.err(Code::Generic, span, message);
        false
    }
}
