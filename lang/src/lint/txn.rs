//! Persistence: stores that no transaction makes atomic, and loops that commit in every round.
use super::walk::Place;
use super::{Linter, root};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::*;

pub(super) fn stmt(linter: &mut Linter, stmt: &Stmt, place: Place) {
    match &stmt.kind {
        StmtKind::For(s) if s.cond.is_some() => commits_each_round(linter, stmt, &s.body),
        StmtKind::Range(s) if linter.checker.is_data(s.operand.span) => {
            commits_each_round(linter, stmt, &s.body);
        }
        StmtKind::Assign { left, .. } if place == Place::Outside => {
            for target in left {
                bare_store(linter, stmt, target);
            }
        }
        StmtKind::OpAssign { left, .. } if place == Place::Outside => {
            bare_store(linter, stmt, left)
        }
        StmtKind::IncDec { operand, .. } if place == Place::Outside => {
            bare_store(linter, stmt, operand)
        }
        _ => {}
    }
}

/// A loop whose whole body is one transaction.
fn commits_each_round(linter: &mut Linter, stmt: &Stmt, body: &Block) {
    let [
        Stmt {
            kind: StmtKind::Txn(txn),
            ..
        },
    ] = &body.stmts[..]
    else {
        return;
    };
    if !txn.options.is_empty() {
        return;
    }
    let span = txn.keyword_span;
    let warning = linter.warn(
        Code::TxnInLoop,
        span,
        "a transaction in each round of a loop waits for the disk each time",
    );
    *warning = warning.clone().also(head(stmt), "this loop").help(
        "put the loop into one transaction, or say txn <async> if each round stands for itself",
    );
}

fn head(stmt: &Stmt) -> Span {
    let body = match &stmt.kind {
        StmtKind::For(s) => s.body.span.lo,
        StmtKind::Range(s) => s.body.span.lo,
        _ => stmt.span.hi,
    };
    Span {
        hi: body,
        ..stmt.span
    }
}

/// A store to a persistent variable, or to what is reached through one, that runs outside transactions.
fn bare_store(linter: &mut Linter, stmt: &Stmt, place: &Expr) {
    let root = root(place);
    let mut own = linter
        .stores
        .iter()
        .filter(|s| s.span.overlaps(stmt.span))
        .peekable();
    // A function that transactions call too knows what it does.
    let outside_only = own.peek().is_some() && own.all(|store| !store.in_txn);
    if !outside_only || !linter.checker.is_pvar(root.span) {
        return;
    }
    let name = linter.source(root.span);
    let warning = linter.warn(
        Code::BareStore,
        place.span,
        format!("store to persistent {name} outside a transaction"),
    );
    *warning = warning
        .clone()
        .note("it takes effect at once and becomes durable with the next commit; no rollback undoes it")
        .help("put it into txn <> { … } with the stores that belong to it");
}
