//! Range over functions: the body becomes a function literal, and what leaves the body leaves the
//! literal with a code that the statement after the call acts on.
use super::Checker;
use super::func::{Exit, FnCtx, RangeFunc, Target};
use super::object::VarRef;
use super::operand::{ex, st};
use crate::source::Span;
use crate::syntax::ast::{self};
use crate::syntax::symbol::Symbol;
use crate::tir::{self, Callee, CmpOp, ExprKind, StmtKind};
use crate::types::ty::{Basic, Ty};

impl Checker {
    /// `for k, v := range f { body }`; `over` is the function, `bind` declares the variables from
    /// the parameters and checks the body.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn range_over_func(
        &mut self,
        r: &ast::RangeStmt,
        over: tir::Expr,
        params: &[Ty],
        label: Option<Symbol>,
        span: Span,
        out: &mut Vec<tir::Stmt>,
        bind: impl FnOnce(&mut Checker, &[tir::Expr], &mut Vec<tir::Stmt>),
    ) {
        let int = Basic::Int.ty();
        let f = self.spill(over, out);
        let code_local = self.new_local("", int);
        out.push(st(
            span,
            StmtKind::Let(vec![code_local], Some(Self::int_const(0, span))),
        ));
        let depth = self.depth();
        let code = VarRef {
            depth,
            local: code_local,
        };
        let id = self.new_label();
        self.ctx().targets.push(Target {
            label,
            id,
            is_loop: true,
            func_loop: true,
        });
        // The body as a literal.
        self.ctx().closures += 1;
        self.ctx().has_closures = true;
        let ctx = self.ctx();
        let name = format!("{}-range{}", ctx.name, ctx.closures);
        self.env.fns.push(FnCtx {
            name,
            range: Some(RangeFunc {
                code,
                exits: Vec::new(),
            }),
            ..FnCtx::default()
        });
        let mut args = Vec::new();
        for t in params {
            let p = self.temp(*t);
            self.ctx().params.push(p);
            args.push(ex(*t, span, ExprKind::Local(p)));
        }
        let bool_ty = Basic::Bool.ty();
        let result = self.temp(bool_ty);
        self.ctx().info[result.0 as usize].assigned = true;
        self.ctx().results.push(result);
        // While the body runs the code says so: an iterator that goes on after the loop's end,
        // or calls the body again from inside, is caught.
        let mut stmts = Vec::new();
        self.check_running(code, span, &mut stmts);
        self.open_scope();
        bind(self, &args, &mut stmts);
        let body = self.block(&r.body.stmts);
        self.close_scope();
        stmts.extend(body);
        self.set_code(code, 0, span, &mut stmts);
        stmts.push(st(
            span,
            StmtKind::Return(vec![Self::bool_const(bool_ty, true, span)]),
        ));
        let vars = std::mem::take(&mut self.ctx().vars);
        let exits = match &self.ctx().range {
            Some(r) => r.exits.clone(),
            None => Vec::new(),
        };
        self.ctx().stmts = stmts;
        let literal = self.finish_closure(span, r.body.rbrace(), false);
        // They are reported with those of the function.
        self.ctx().vars.extend(vars);
        self.ctx().targets.pop();
        let sig = self.func_type(params.to_vec(), vec![bool_ty], false);
        let literal = ex(sig, span, ExprKind::Closure(literal));
        let nothing = self.a.types.tuple(&[]);
        let callee = match f.kind {
            ExprKind::Func(r) => Callee::Static(r),
            _ => Callee::Value(Box::new(f)),
        };
        let call = ex(nothing, span, ExprKind::Call(callee, vec![literal]));
        out.push(st(span, StmtKind::Expr(call)));
        // What to do next. Code 1 is "the body is running or done", exits count from 2.
        let first = ex(int, span, ExprKind::Local(code_local));
        let taken = self.spill(first, out);
        self.set_code(code, 1, span, out);
        for (i, exit) in exits.iter().enumerate() {
            let n = Self::int_const(i as i64 + 2, span);
            let cond = ex(
                bool_ty,
                span,
                ExprKind::Compare(CmpOp::Eq, Box::new(taken.clone()), Box::new(n)),
            );
            let mut then = Vec::new();
            self.emit_exit(*exit, span, &mut then);
            out.push(st(span, StmtKind::If(cond, then, vec![])));
        }
    }

    fn set_code(&mut self, code: VarRef, n: i64, span: Span, out: &mut Vec<tir::Stmt>) {
        let place = self.place_of(code, span);
        out.push(st(span, StmtKind::Assign(place, Self::int_const(n, span))));
    }

    /// `if code != 0 { panic }; code = 1`.
    fn check_running(&mut self, code: VarRef, span: Span, out: &mut Vec<tir::Stmt>) {
        let bool_ty = Basic::Bool.ty();
        let place = self.var_expr(code, span);
        let zero = Self::int_const(0, span);
        let cond = ex(
            bool_ty,
            span,
            ExprKind::Compare(CmpOp::Ne, Box::new(place), Box::new(zero)),
        );
        let text = "range function continued iteration after function for loop body returned false";
        let string = Basic::String.ty();
        let message = ex(
            string,
            span,
            ExprKind::Const(tir::Const::Str(text.as_bytes().into())),
        );
        let any = self.universe.any;
        let message = self.convert_value(message, any);
        let nothing = self.a.types.tuple(&[]);
        let panic = ex(nothing, span, ExprKind::Panic(Box::new(message)));
        out.push(st(
            span,
            StmtKind::If(cond, vec![st(span, StmtKind::Expr(panic))], vec![]),
        ));
        self.set_code(code, 1, span, out);
    }

    /// Leaves the current context's statement by `exit`, through range-over-func bodies.
    pub(super) fn emit_exit(&mut self, exit: Exit, span: Span, out: &mut Vec<tir::Stmt>) {
        let here = self.depth();
        let direct = match exit {
            Exit::Break { depth, id } if depth == here => Some(StmtKind::Break(id)),
            Exit::Continue { depth, id } if depth == here => Some(StmtKind::Continue(id)),
            Exit::Goto { depth, label } if depth == here => self
                .ctx()
                .goto_labels
                .get(&label)
                .copied()
                .map(StmtKind::Goto),
            Exit::Return if self.ctx().range.is_none() => Some(StmtKind::Return(vec![])),
            _ => None,
        };
        if let Some(kind) = direct {
            out.push(st(span, kind));
            return;
        }
        let Some(range) = &self.env.fns[here as usize].range else {
            return;
        };
        let code = range.code;
        // The loop whose body this is?
        let own = |depth: u32, id| {
            depth + 1 == here
                && self.env.fns[depth as usize]
                    .targets
                    .last()
                    .is_some_and(|t| t.func_loop && t.id == id)
        };
        let bool_ty = Basic::Bool.ty();
        let (n, go_on) = match exit {
            Exit::Continue { depth, id } if own(depth, id) => (0, true),
            Exit::Break { depth, id } if own(depth, id) => (1, false),
            _ => {
                let exits = match &mut self.ctx().range {
                    Some(r) => &mut r.exits,
                    None => return,
                };
                let at = match exits.iter().position(|e| *e == exit) {
                    Some(at) => at,
                    None => {
                        exits.push(exit);
                        exits.len() - 1
                    }
                };
                (at as i64 + 2, false)
            }
        };
        self.set_code(code, n, span, out);
        out.push(st(
            span,
            StmtKind::Return(vec![Self::bool_const(bool_ty, go_on, span)]),
        ));
    }

    /// `defer` in a range-over-func body: the call is kept in a slice of the function, whose one
    /// deferred literal runs them, the last first.
    pub(super) fn defer_in_range(&mut self, f: tir::Expr, span: Span, out: &mut Vec<tir::Stmt>) {
        let depth = self.function_depth();
        let slice = self.a.types.slice(f.ty);
        let var = match self.env.fns[depth].deferred {
            Some(v) => v,
            None => {
                let ctx = &mut self.env.fns[depth];
                let local = tir::LocalId(ctx.locals.len() as u32);
                ctx.locals.push(tir::Local {
                    name: String::new(),
                    ty: slice,
                    boxed: false,
                });
                let var = VarRef {
                    depth: depth as u32,
                    local,
                };
                ctx.info.push(super::func::VarInfo {
                    origin: var,
                    assigned: true,
                    captured: false,
                    address: false,
                });
                ctx.deferred = Some(var);
                ctx.has_defer = true;
                var
            }
        };
        let place = self.place_of(var, span);
        let value = ex(
            slice,
            span,
            ExprKind::Append(Box::new(place.clone()), vec![f]),
        );
        out.push(st(span, StmtKind::Assign(place, value)));
    }

    /// Statements that begin a function whose range-over-func bodies defer.
    pub(super) fn deferred_prologue(&mut self, span: Span) -> Vec<tir::Stmt> {
        let Some(var) = self.ctx().deferred else {
            return Vec::new();
        };
        let func = self.func_type(vec![], vec![], false);
        let declare = st(span, StmtKind::Let(vec![var.local], None));
        let body = self.make_closure(span, &[], &[], true, |c, _| {
            c.ctx().has_defer = true;
            let over = c.var_expr(var, span);
            let label = c.new_label();
            let value = c.temp(func);
            let f = ex(func, span, ExprKind::Local(value));
            let range = tir::Range {
                label,
                kind: tir::RangeKind::Slice,
                key: None,
                value: Some(value),
                over,
                body: vec![st(span, StmtKind::Defer(f))],
            };
            vec![st(span, StmtKind::Range(Box::new(range)))]
        });
        let run = ex(func, span, ExprKind::Closure(body));
        vec![declare, st(span, StmtKind::Defer(run))]
    }
}
