//! Type arguments of generic functions: explicit ones, inference (spec "Type inference"), and the
//! check that they satisfy their constraints.
use super::convert::Context;
use super::operand::{Operand, Via};
use super::{Checker, INVALID};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::{self, Expr};
use crate::tir::{self, Callee, ExprKind};
use crate::types::implements::Missing;
use crate::types::infer::InferError;
use crate::types::lookup::{MethodKind, MethodSel};
use crate::types::ty::{FuncId, ParamId, Signature, Ty, TyKind};

impl Checker {
    /// `F[T, …]`; with too few arguments the rest is inferred in a call.
    pub(super) fn explicit_instance<'e>(
        &mut self,
        e: &'e Expr,
        x: Operand<'e>,
        args: &'e [Expr],
    ) -> Operand<'e> {
        let mut explicit = Vec::new();
        for a in args {
            explicit.push(self.type_argument(a));
        }
        let Some(g) = x.generic.clone() else {
            return Operand::invalid(e.span);
        };
        if explicit.contains(&INVALID) {
            return Operand::invalid(e.span);
        }
        let params = self.type_params(g.func.func);
        let want = params.len() - g.inherited;
        if explicit.len() > want {
            let message = format!("got {} type arguments but want {want}", explicit.len());
            self.err(Code::Generic, args[want].span, message);
            return Operand::invalid(e.span);
        }
        let mut targs = g.func.targs[..g.inherited].to_vec();
        targs.extend(explicit);
        let mut spans = vec![e.span; g.inherited];
        spans.extend(args.iter().map(|a| a.span));
        let mut out = x;
        out.span = e.span;
        out.ast = Some(e);
        if targs.len() < params.len() {
            // The constraints may say the rest.
            let given: Vec<Option<Ty>> = targs.iter().copied().map(Some).collect();
            let (fresh, _) = self.a.types.rename(&params);
            let Ok(all) = self.a.types.infer(&fresh, &given, &[]) else {
                if let Some(g) = &mut out.generic {
                    g.func.targs = targs;
                }
                return out;
            };
            targs = all;
            spans.resize(targs.len(), e.span);
        }
        if !self.verify_type_args(&params, &targs, &spans) {
            return Operand::invalid(e.span);
        }
        self.instantiated(out, targs)
    }

    pub(super) fn type_params(&self, f: FuncId) -> Vec<ParamId> {
        self.funcs[f.0 as usize].decl.type_params.clone()
    }

    /// A generic function with all of its type arguments.
    pub(super) fn instantiated<'e>(&mut self, x: Operand<'e>, targs: Vec<Ty>) -> Operand<'e> {
        let Some(g) = x.generic.clone() else {
            return x;
        };
        let params = self.type_params(g.func.func);
        self.note_instance(&params, &targs, x.span);
        let ty = self.a.types.subst(x.ty, &params, &targs);
        let func = tir::FuncRef {
            func: g.func.func,
            targs: targs.clone(),
        };
        let (span, ast) = (x.span, x.ast);
        let mut out = match g.via {
            Via::Function => Operand::value(ty, span, ExprKind::Func(func)),
            Via::Method(mut m) => {
                m.sel = self.method_instance(m.sel, func);
                self.method_value(span, m)
            }
            Via::Expression(t, sel) => {
                let sel = self.method_instance(sel, func);
                self.method_function(span, t, sel)
            }
        };
        out.span = span;
        out.tir.span = span;
        out.ast = ast;
        out
    }

    /// The type that a type argument denotes.
    fn type_argument(&mut self, e: &Expr) -> Ty {
        self.var_typ(e)
    }

    fn method_instance(&mut self, sel: MethodSel, func: tir::FuncRef) -> MethodSel {
        let params = self.type_params(func.func);
        let sig = self.a.types.subst(sel.sig, &params, &func.targs);
        let kind = match sel.kind {
            MethodKind::Concrete { ptr_recv, .. } => MethodKind::Concrete { func, ptr_recv },
            other => other,
        };
        MethodSel { sig, kind, ..sel }
    }

    /// A generic function where a function type is wanted.
    pub(super) fn infer_from_target<'e>(
        &mut self,
        x: Operand<'e>,
        target: Ty,
        context: &Context,
    ) -> Operand<'e> {
        let Some(g) = x.generic.clone() else {
            return x;
        };
        let params = self.type_params(g.func.func);
        let (fresh, new) = self.a.types.rename(&params);
        let given: Vec<Option<Ty>> = g.func.targs.iter().copied().map(Some).collect();
        let sig = self.a.types.subst(x.ty, &params, &new);
        let core = self.a.types.core_type(target).unwrap_or(target);
        let is_func = matches!(self.a.types.kind(core), TyKind::Func(_));
        let found = match is_func {
            true => self.a.types.infer(&fresh, &given, &[(sig, core)]),
            false => Err(InferError::CannotInfer(fresh[0])),
        };
        let Ok(targs) = found else {
            let text = self.operand_text(&x);
            let message = match (is_func, &found) {
                (true, Err(InferError::Mismatch { .. })) => {
                    let (what, t) = (self.describe(&x), self.ty_str(target));
                    let (at, t_sig) = (context.text(), self.ty_str(x.ty));
                    let _ = what;
                    format!("type {t_sig} of {text} does not match {t} in {at}")
                }
                _ => format!("cannot use generic function {text} without instantiation"),
            };
            self.err(Code::Generic, x.span, message);
            return Operand::invalid(x.span);
        };
        let spans = vec![x.span; targs.len()];
        if !self.verify_type_args(&params, &targs, &spans) {
            return Operand::invalid(x.span);
        }
        self.instantiated(x, targs)
    }

    pub(super) fn generic_call<'e>(
        &mut self,
        e: &'e Expr,
        c: &'e ast::CallExpr,
        x: Operand<'e>,
    ) -> Operand<'e> {
        let span = e.span;
        let invalid = Operand::invalid(span);
        let Some(g) = x.generic.clone() else {
            return invalid;
        };
        let TyKind::Func(sig) = self.a.types.kind(x.ty).clone() else {
            return invalid;
        };
        let Some(mut args) = self.arguments(c) else {
            return invalid;
        };
        let params = self.type_params(g.func.func);
        let Some(targs) = self.infer(c, &params, &g.func.targs, &sig, &mut args.list) else {
            return invalid;
        };
        // Constraint violations are reported at the function.
        let spans = vec![c.lparen; targs.len()];
        if !self.verify_type_args(&params, &targs, &spans) {
            return invalid;
        }
        self.note_instance(&params, &targs, c.callee.span);
        let ty = self.a.types.subst(x.ty, &params, &targs);
        let TyKind::Func(sig) = self.a.types.kind(ty).clone() else {
            return invalid;
        };
        let func = tir::FuncRef {
            func: g.func.func,
            targs: targs.clone(),
        };
        let (callee, first) = match g.via {
            Via::Function => (Callee::Static(func), vec![]),
            Via::Method(mut m) => {
                m.sel = self.method_instance(m.sel, func);
                m.callee()
            }
            Via::Expression(..) => {
                let f = self.instantiated(x, targs);
                (Callee::Value(Box::new(f.tir)), vec![])
            }
        };
        self.call_with(e, c, (callee, first), args, &sig)
    }

    /// Type arguments for a call; generic functions among the arguments get theirs with it.
    fn infer<'e>(
        &mut self,
        c: &'e ast::CallExpr,
        params: &[ParamId],
        given: &[Ty],
        sig: &Signature,
        list: &mut [Operand<'e>],
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
        // The count is wrong: said before anything is inferred.
        let fits = match elem {
            Some(_) => list.len() + 1 >= n,
            None => list.len() == n,
        };
        if !fits {
            self.count_error(c, list, sig);
            return None;
        }
        // The function's own parameters may be types here: it may call itself.
        let (mut all, new) = self.a.types.rename(params);
        let mut known: Vec<Option<Ty>> = given.iter().copied().map(Some).collect();
        known.resize(params.len(), None);
        let substituted: Vec<Ty> = (0..params.len())
            .map(|i| known[i].unwrap_or(new[i]))
            .collect();
        let mut pairs = Vec::new();
        let mut sources = Vec::new();
        let mut functions = Vec::new();
        for (i, a) in list.iter().enumerate() {
            let Some(p) = (match elem {
                Some(e) if i + 1 >= n => Some(e),
                _ => sig.params.get(i).copied(),
            }) else {
                continue;
            };
            if a.is_nil() || !self.a.types.mentions(p, Some(params)) {
                continue;
            }
            let p = self.a.types.subst(p, params, &substituted);
            let mut ty = a.ty;
            if let Some(g) = &a.generic {
                let own = self.funcs[g.func.func.0 as usize].decl.type_params.clone();
                let (fresh, new) = self.a.types.rename(&own);
                ty = self.a.types.subst(ty, &own, &new);
                functions.push((i, all.len(), fresh.len()));
                all.extend(fresh);
                known.extend(g.func.targs.iter().copied().map(Some));
                known.resize(all.len(), None);
            }
            if self.a.types.mentions(p, Some(&all)) || a.generic.is_some() {
                pairs.push((p, ty));
                sources.push(i);
            }
        }
        let targs = match self.a.types.infer(&all, &known, &pairs) {
            Ok(targs) => targs,
            Err(error) => {
                let shown: Vec<ParamId> = params.to_vec();
                self.infer_error(c, error, (&all, &shown), &pairs, &sources, list);
                return None;
            }
        };
        for (i, at, count) in functions {
            let mine = targs[at..at + count].to_vec();
            let x = std::mem::replace(&mut list[i], Operand::invalid(c.lparen));
            let own = x.generic.as_ref().map_or(vec![], |g| {
                self.funcs[g.func.func.0 as usize].decl.type_params.clone()
            });
            let spans = vec![x.span; count];
            if !self.verify_type_args(&own, &mine, &spans) {
                return None;
            }
            list[i] = self.instantiated(x, mine);
        }
        Some(targs[..params.len()].to_vec())
    }

    fn infer_error(
        &mut self,
        c: &ast::CallExpr,
        error: InferError,
        (all, params): (&[ParamId], &[ParamId]),
        pairs: &[(Ty, Ty)],
        sources: &[usize],
        list: &[Operand],
    ) {
        let f = self.text(&c.callee);
        let param_name =
            |c: &Checker, p: ParamId| c.name(c.a.types.params[p.0 as usize].name).to_string();
        // The parameter as declared.
        let declared = |p: ParamId| {
            let at = all.iter().position(|q| *q == p);
            at.and_then(|i| params.get(i)).copied().unwrap_or(p)
        };
        let argument = |c: &Checker, at: usize| {
            let x = &list[sources[at]];
            (c.operand_text(x), x.span)
        };
        let (span, why) = match error {
            InferError::CannotInfer(p) => {
                let at = self.funcs_param_position(declared(p));
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
                let (a, d) = (self.ty_str(arg), self.ty_str(pairs[at].0));
                let why = match param {
                    Some(p) => {
                        let p = self.ty_str(p);
                        format!("type {a} of {text} does not match inferred type {p} for {d}")
                    }
                    None => {
                        let names: Vec<String> =
                            params.iter().map(|p| param_name(self, *p)).collect();
                        let list = match names.as_slice() {
                            [one] => one.clone(),
                            [a, b] => format!("{a} and {b}"),
                            [first @ .., last] => format!("{}, and {last}", first.join(", ")),
                            [] => String::new(),
                        };
                        format!("type {a} of {text} does not match {d} (cannot infer {list})")
                    }
                };
                (span, why)
            }
            InferError::Constraint(p, t, missing) => {
                let constraint = self.a.types.params[p.0 as usize].constraint;
                let (name, ty, text) =
                    (param_name(self, p), self.ty_str(t), self.ty_str(constraint));
                let pkg = self.pkg();
                let cause = match missing {
                    Some(Missing::Methods(list)) => {
                        let names = &self.a.names;
                        let cause = self.a.types.missing_method_cause(t, &list[0], names, pkg);
                        format!(" {cause}")
                    }
                    _ => String::new(),
                };
                (
                    c.lparen,
                    format!("{name} (type {ty}) does not satisfy {text}{cause}"),
                )
            }
            InferError::Untyped {
                argument: at,
                kinds: (a, b),
            } => {
                let (_, span) = argument(self, at);
                let (a, b, p) = (self.ty_str(a), self.ty_str(b), self.ty_str(pairs[at].0));
                (
                    span,
                    format!("mismatched types {a} and {b} (cannot infer {p})"),
                )
            }
        };
        self.err(Code::Generic, span, format!("in call to {f}, {why}"));
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
