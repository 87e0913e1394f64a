//! Does a function body end in a terminating statement (spec "Terminating statements")? A `txn` does
//! when its body does.
use crate::syntax::ast::{Block, Expr, ExprKind, Stmt, StmtKind};
use crate::syntax::symbol::Symbol;

/// Does control never run off the end of the block? `is_panic` says whether a called expression is
/// the builtin `panic`.
pub fn is_terminating(block: &Block, is_panic: &dyn Fn(&Expr) -> bool) -> bool {
    list(&block.stmts, is_panic)
}

fn list(stmts: &[Stmt], is_panic: &dyn Fn(&Expr) -> bool) -> bool {
    let last = stmts
        .iter()
        .rev()
        .find(|s| !matches!(s.kind, StmtKind::Empty));
    last.is_some_and(|s| terminates(s, None, is_panic))
}

fn terminates(s: &Stmt, label: Option<Symbol>, is_panic: &dyn Fn(&Expr) -> bool) -> bool {
    let falls = |body: &[Stmt]| {
        let last = body
            .iter()
            .rev()
            .find(|s| !matches!(s.kind, StmtKind::Empty));
        last.is_some_and(|s| matches!(s.kind, StmtKind::Fallthrough))
    };
    let clause =
        |body: &[Stmt]| (list(body, is_panic) || falls(body)) && !breaks_list(body, label, true);
    match &s.kind {
        StmtKind::Return(_) | StmtKind::Goto(_) | StmtKind::Bad => true,
        StmtKind::Expr(e) => match &e.unparen().kind {
            ExprKind::Call(call) => is_panic(call.callee.unparen()),
            _ => false,
        },
        StmtKind::Block(b) => list(&b.stmts, is_panic),
        StmtKind::Txn(t) => list(&t.body.stmts, is_panic),
        StmtKind::Labeled { label, stmt } => terminates(stmt, Some(label.name), is_panic),
        StmtKind::If(s) => {
            let otherwise = s.otherwise.as_ref();
            list(&s.then.stmts, is_panic)
                && otherwise.is_some_and(|s| terminates(s, None, is_panic))
        }
        StmtKind::For(s) => s.cond.is_none() && !breaks_list(&s.body.stmts, label, true),
        StmtKind::Switch(s) => {
            s.cases.iter().any(|c| c.is_default) && s.cases.iter().all(|c| clause(&c.body))
        }
        StmtKind::TypeSwitch(s) => {
            s.cases.iter().any(|c| c.is_default) && s.cases.iter().all(|c| clause(&c.body))
        }
        StmtKind::Select(s) => s.cases.iter().all(|c| clause(&c.body)),
        _ => false,
    }
}

fn breaks_list(stmts: &[Stmt], label: Option<Symbol>, implicit: bool) -> bool {
    stmts.iter().any(|s| breaks(s, label, implicit))
}

/// Has the statement a `break` of the one around it: without label where `implicit`, or with its
/// label?
fn breaks(s: &Stmt, label: Option<Symbol>, implicit: bool) -> bool {
    let inner = |body: &[Stmt]| breaks_list(body, label, false);
    match &s.kind {
        StmtKind::Break(None) => implicit,
        StmtKind::Break(Some(l)) => Some(l.name) == label,
        StmtKind::Block(b) => breaks_list(&b.stmts, label, implicit),
        StmtKind::Txn(t) => breaks_list(&t.body.stmts, label, implicit),
        StmtKind::Labeled { stmt, .. } => breaks(stmt, label, implicit),
        StmtKind::If(s) => {
            breaks_list(&s.then.stmts, label, implicit)
                || s.otherwise
                    .as_ref()
                    .is_some_and(|s| breaks(s, label, implicit))
        }
        StmtKind::For(s) => inner(&s.body.stmts),
        StmtKind::Range(s) => inner(&s.body.stmts),
        StmtKind::Switch(s) => s.cases.iter().any(|c| inner(&c.body)),
        StmtKind::TypeSwitch(s) => s.cases.iter().any(|c| inner(&c.body)),
        StmtKind::Select(s) => s.cases.iter().any(|c| inner(&c.body)),
        _ => false,
    }
}
