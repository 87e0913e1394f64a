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
        let depth = self.depth();
        let mut hoist = |c: &mut Checker, e: &mut tir::Expr| {
            if matches!(
                e.kind,
                ExprKind::Const(_) | ExprKind::Func(_) | ExprKind::Zero
            ) {
                return;
            }
            let value = std::mem::replace(e, ex(e.ty, e.span, ExprKind::Zero));
            *e = c.spill(value, out);
            if let ExprKind::Local(local) = e.kind {
                temps.push(VarRef { depth, local });
            }
        };
        match &mut call.kind {
            ExprKind::Seq(stmts, inner) => {
                // Statements before the call run now.
                let stmts = std::mem::take(stmts);
                let mut inner =
                    std::mem::replace(&mut **inner, ex(call.ty, call.span, ExprKind::Zero));
                out.extend(stmts);
                self.hoist_operands(&mut inner, out, temps);
                *call = inner;
            }
            ExprKind::Call(callee, args) => {
                match callee {
                    Callee::Static(_) => {}
                    Callee::Value(x) => hoist(self, x),
                    Callee::Interface(x, _) => {
                        // A nil interface panics now.
                        let (ty, span) = (x.ty, x.span);
                        let value = std::mem::replace(&mut **x, ex(ty, span, ExprKind::Zero));
                        let check = ExprKind::TypeAssert(Box::new(value), ty, false);
                        **x = ex(ty, span, check);
                        hoist(self, x);
                    }
                    // The receiver may be needed by address: a copy is as good, defers of
                    // pointer methods have theirs explicit.
                    Callee::Param(x, _) => hoist(self, x),
                }
                for a in args {
                    hoist(self, a);
                }
            }
            ExprKind::Print(xs, _) => {
                for x in xs {
                    hoist(self, x);
                }
            }
            ExprKind::Panic(x) | ExprKind::Close(x) | ExprKind::Clear(x) => hoist(self, x),
            ExprKind::Delete(a, b) | ExprKind::Copy(a, b) => {
                hoist(self, a);
                hoist(self, b);
            }
            _ => {}
        }
    }
}
