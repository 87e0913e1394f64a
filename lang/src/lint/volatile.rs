//! Volatile variables that count or collect what a transaction does: when it is rolled back, they keep what they have.
use super::flow::{self, Analysis};
use super::functions::Functions;
use super::{Linter, root};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::*;

pub(super) fn file(linter: &mut Linter, functions: &Functions) {
    let updates = functions.updates.iter().map(|f| (&f.body, f.ty.span, true));
    let blocks = functions.txns.iter();
    let blocks = blocks.map(|txn| {
        let function = functions.around(txn.keyword_span).span;
        (&txn.body, function, false)
    });
    let mut found: Vec<Found> = Vec::new();
    for (body, function, is_update) in updates.chain(blocks) {
        if linter.source(body.span).contains("pmem.OnRollback") {
            continue;
        }
        let mut analysis = Rollbacks {
            linter,
            function: function.to(body.span),
            is_update,
            found: Vec::new(),
        };
        flow::run(&mut analysis, &body.stmts, None);
        found.append(&mut analysis.found);
    }
    found.sort_by_key(|found| found.place);
    found.dedup_by_key(|found| found.place);
    for Found { place, rollback } in found {
        let name = linter.source(place);
        let message =
            format!("{name} is volatile: it stays changed if the transaction is rolled back");
        let warning = linter.warn(Code::VolatileInTxn, place, message);
        *warning = warning
            .clone()
            .also(rollback, "a rollback")
            .help("change it behind the transaction, or in a function that pmem.OnCommit is given");
    }
}

struct Found {
    place: Span,
    rollback: Span,
}

/// The state is where the transaction may be rolled back next.
struct Rollbacks<'a, 'b> {
    linter: &'a Linter<'b>,
    /// The function that a rollback leaves, and with it its variables.
    function: Span,
    /// An error that the function returns rolls back, too.
    is_update: bool,
    found: Vec<Found>,
}

impl Rollbacks<'_, '_> {
    /// A value that was there before becomes another one by what it was; were it only set, the next try would set it again.
    fn changed(&mut self, stmt: &Stmt, place: &Expr, rollback: Span) {
        let Some(declared) = self.linter.variable(place) else {
            return;
        };
        let variable = root(place);
        if self.function.overlaps(declared) || self.linter.checker.is_pvar(variable.span) {
            return;
        }
        let is_whole = place.unparen().span == variable.span;
        let stores = self.linter.stores.iter();
        let mut own = stores.filter(|s| s.span.overlaps(stmt.span)).peekable();
        if is_whole || own.peek().is_some() && own.all(|store| store.class == "volatile") {
            self.found.push(Found {
                place: place.span,
                rollback,
            });
        }
    }

    fn call(&mut self, stmt: &Stmt, call: &CallExpr, after: Option<Span>) -> Option<Span> {
        let checker = &self.linter.checker;
        if checker.is_builtin(call.callee.span, "panic") || self.linter.calls(call, "pmem.Rollback")
        {
            return Some(stmt.span);
        }
        if checker.is_builtin(call.callee.span, "delete")
            && let (Some(rollback), Some(map)) = (after, call.args.first())
        {
            self.changed(stmt, map, rollback);
        }
        after
    }

    /// `x = append(x, …)`.
    fn appends(&self, left: &Expr, right: &Expr) -> bool {
        let ExprKind::Call(call) = &right.unparen().kind else {
            return false;
        };
        let linter = self.linter;
        linter.checker.is_builtin(call.callee.span, "append")
            && call
                .args
                .first()
                .is_some_and(|first| linter.source(first.span) == linter.source(left.span))
    }
}

impl Analysis for Rollbacks<'_, '_> {
    type State = Option<Span>;

    fn join(&mut self, a: Option<Span>, b: Option<Span>) -> Option<Span> {
        a.or(b)
    }

    fn simple(&mut self, stmt: &Stmt, after: Option<Span>) -> Option<Span> {
        if let StmtKind::Expr(Expr {
            kind: ExprKind::Call(call),
            ..
        }) = &stmt.kind
        {
            return self.call(stmt, call, after);
        }
        let Some(rollback) = after else {
            return after;
        };
        match &stmt.kind {
            StmtKind::IncDec { operand: place, .. } | StmtKind::OpAssign { left: place, .. } => {
                self.changed(stmt, place, rollback);
            }
            StmtKind::Assign { left, right, .. } if left.len() == right.len() => {
                for (place, value) in left.iter().zip(right) {
                    let adds = match &place.unparen().kind {
                        ExprKind::Index { operand, .. } => self.linter.checker.is_map(operand.span),
                        _ => false,
                    };
                    if adds || self.appends(place, value) {
                        self.changed(stmt, place, rollback);
                    }
                }
            }
            _ => {}
        }
        after
    }

    fn expr(&mut self, _: &Expr, after: Option<Span>) -> Option<Span> {
        after
    }

    fn leave(&mut self, stmt: &Stmt) -> Option<Span> {
        let StmtKind::Return(values) = &stmt.kind else {
            return None;
        };
        let is_nil = |x: &Expr| self.linter.source(x.span) == "nil";
        let fails = self.is_update && values.iter().any(|value| !is_nil(value));
        fails.then_some(stmt.span)
    }
}
