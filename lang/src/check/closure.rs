//! Function literals, and those the checker makes for deferred calls.
use super::Checker;
use super::func::FnCtx;
use super::object::VarRef;
use super::operand::{Operand, ex, st};
use crate::source::Span;
use crate::syntax::ast;
use crate::tir::{self, Callee, ExprKind, LocalId, StmtKind};
use crate::types::ty::Ty;
use std::rc::Rc;

impl Checker {
    pub(super) fn func_lit<'e>(&mut self, e: &'e ast::Expr, f: &'e ast::FuncLit) -> Operand<'e> {
        let sig = self.signature(&f.ty);
        let name = self.closure_name();
        self.env.fns.push(FnCtx {
            name,
            ..FnCtx::default()
        });
        self.open_scope();
        let has_call = self.has_call;
        self.function_body(sig, &f.ty, Some(&f.body));
        self.has_call = has_call;
        self.close_scope();
        let body = self.finish_closure(e.span, f.body.rbrace(), false);
        Operand::value(sig, e.span, ExprKind::Closure(body))
    }

    pub(super) fn closure_name(&mut self) -> String {
        let is_nested = self.env.fns.len() > 1;
        let ctx = self.ctx();
        ctx.closures += 1;
        ctx.has_closures = true;
        let word = if is_nested { "" } else { "func" };
        format!("{}.{word}{}", ctx.name, ctx.closures)
    }

    /// The name of a literal that the checker makes; only those of the program are numbered.
    pub(super) fn wrapper_name(&mut self) -> String {
        let ctx = self.ctx();
        ctx.has_closures = true;
        format!("{}.wrapper", ctx.name)
    }

    /// Pops the context of a literal.
    pub(super) fn finish_closure(&mut self, span: Span, end: Span, wrapper: bool) -> Rc<tir::Body> {
        let ctx = self.env.fns.pop().unwrap_or_default();
        let (mut body, _) = ctx.into_body(span, end);
        body.wrapper = wrapper;
        Rc::new(body)
    }

    /// A literal that the checker makes. `build` gets its parameters and gives its statements.
    pub(super) fn make_closure(
        &mut self,
        span: Span,
        params: &[Ty],
        results: &[Ty],
        wrapper: bool,
        build: impl FnOnce(&mut Checker, &[LocalId]) -> Vec<tir::Stmt>,
    ) -> Rc<tir::Body> {
        let name = match wrapper {
            true => self.wrapper_name(),
            false => self.closure_name(),
        };
        self.env.fns.push(FnCtx {
            name,
            result_tys: results.to_vec(),
            ..FnCtx::default()
        });
        for t in params {
            let p = self.temp(*t);
            self.ctx().params.push(p);
        }
        for t in results {
            let r = self.temp(*t);
            self.ctx().info[r.0 as usize].assigned = true;
            self.ctx().results.push(r);
        }
        let locals = self.ctx().params.clone();
        let stmts = build(self, &locals);
        self.ctx().stmts = stmts;
        self.finish_closure(span, span, wrapper)
    }

    /// Type of a call: nothing is the empty tuple.
    pub(super) fn result_type(&mut self, results: &[Ty]) -> Ty {
        match results {
            [one] => *one,
            many => self.a.types.tuple(many),
        }
    }

    /// A tuple's values in temporaries.
    pub(super) fn unpack_tuple(
        &mut self,
        tuple: tir::Expr,
        tys: &[Ty],
        out: &mut Vec<tir::Stmt>,
    ) -> Vec<tir::Expr> {
        let span = tuple.span;
        let locals: Vec<LocalId> = tys.iter().map(|t| self.temp(*t)).collect();
        out.push(st(span, StmtKind::Let(locals.clone(), Some(tuple))));
        locals
            .iter()
            .zip(tys)
            .map(|(l, t)| ex(*t, span, ExprKind::Local(*l)))
            .collect()
    }

    /// The call as a `func()` value whose operands are evaluated now: for `defer` and `go`.
    pub(super) fn suspended_call(
        &mut self,
        call: tir::Expr,
        out: &mut Vec<tir::Stmt>,
    ) -> tir::Expr {
        let span = call.span;
        let nothing = self.func_type(vec![], vec![], false);
        // `defer func() { … }()` needs no wrapper.
        if let ExprKind::Call(Callee::Value(f), args) = &call.kind
            && args.is_empty()
            && f.ty == nothing
        {
            return (**f).clone();
        }
        let mut call = call;
        let mut temps: Vec<VarRef> = Vec::new();
        self.hoist_operands(&mut call, out, &mut temps);
        let body = self.make_closure(span, &[], &[], true, |c, _| {
            let mut call = call;
            super::fixup::expr(&mut call, &mut |e| {
                if let ExprKind::Local(l) = e.kind
                    && let Some(var) = temps.iter().find(|v| v.local == l)
                {
                    e.kind = c.var_expr(*var, e.span).kind;
                }
            });
            vec![st(span, StmtKind::Expr(call))]
        });
        ex(nothing, span, ExprKind::Closure(body))
    }

    /// Evaluates the operands of a call or builtin into temporaries.
    fn hoist_operands(
        &mut self,
        call: &mut tir::Expr,
        out: &mut Vec<tir::Stmt>,
        temps: &mut Vec<VarRef>,
    ) {
        if let ExprKind::Seq(stmts, inner) = &mut call.kind {
            // Statements before the call run now.
            out.append(stmts);
            *call = take(inner);
            return self.hoist_operands(call, out, temps);
        }
        let span = call.span;
        let mut operands: Vec<&mut tir::Expr> = Vec::new();
        match &mut call.kind {
            ExprKind::Call(callee, args) => {
                match callee {
                    Callee::Static(_) => {}
                    // The receiver may be needed by address: a copy is as good, defers of
                    // pointer methods have theirs explicit.
                    Callee::Value(x) | Callee::Param(x, _) => operands.push(x),
                    Callee::Interface(x, _) => {
                        // A nil interface panics now.
                        let (ty, span) = (x.ty, x.span);
                        let check = ExprKind::TypeAssert(Box::new(take(x)), ty, false);
                        **x = ex(ty, span, check);
                        operands.push(x);
                    }
                }
                operands.extend(args);
            }
            ExprKind::Print(xs, _) => operands.extend(xs),
            ExprKind::Panic(x) | ExprKind::Close(x) | ExprKind::Clear(x) => operands.push(x),
            ExprKind::Delete(a, b) | ExprKind::Copy(a, b) => operands.extend([&mut **a, &mut **b]),
            _ => {}
        }
        operands.retain(|e| {
            !matches!(
                e.kind,
                ExprKind::Const(_) | ExprKind::Func(_) | ExprKind::Zero
            )
        });
        let values = operands.iter_mut().map(|e| take(e)).collect();
        let depth = self.depth();
        let locals = self.spill_all(values, span, out);
        for (e, local) in operands.into_iter().zip(locals) {
            if let ExprKind::Local(local) = local.kind {
                temps.push(VarRef { depth, local });
            }
            *e = local;
        }
    }
}

/// The expression, out of its place.
fn take(e: &mut tir::Expr) -> tir::Expr {
    std::mem::replace(e, ex(e.ty, e.span, ExprKind::Zero))
}
