//! Warnings about programs that compile: what is most likely a mistake. They are quiet about good code, and say nothing
//! about a plain Go program that `go vet` accepts.
mod printf;
mod txn;
mod unreachable;
mod walk;

use crate::check::Checker;
use crate::codegen::StoreReport;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, File, Stmt, StmtKind};
use std::rc::Rc;
use walk::{Place, Visitor, walk_file};

/// What lints know, and where they put what they find.
struct Linter<'a> {
    checker: &'a mut Checker,
    stores: &'a [StoreReport],
    found: Vec<Diagnostic>,
}

/// Warnings about a checked program's own files; `stores` are the stores that code was generated for.
pub(crate) fn lint(checker: &mut Checker, stores: &[StoreReport]) -> Vec<Diagnostic> {
    let files: Vec<Rc<File>> = checker.own_files();
    let mut linter = Linter {
        checker,
        stores,
        found: Vec::new(),
    };
    for file in &files {
        unreachable::file(&mut linter, file);
        walk_file(&mut linter, file);
    }
    linter.found
}

impl Linter<'_> {
    fn warn(&mut self, code: Code, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.found.push(Diagnostic::warning(code, span, message));
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    fn source(&self, span: Span) -> String {
        self.checker.sources.text(span).to_string()
    }

    /// `x = x`, where looking at x does nothing.
    fn self_assignment(&mut self, left: &[Expr], right: &[Expr]) {
        if left.len() != right.len() {
            return;
        }
        for (a, b) in left.iter().zip(right) {
            let text = self.source(a.span);
            if text == self.source(b.span) && text != "_" && is_plain(a) {
                let message = format!("self-assignment of {text} to {text}");
                self.warn(Code::SelfAssignment, a.span, message);
            }
        }
    }
}

fn is_plain(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Ident(_) => true,
        ExprKind::Selector { operand, .. } | ExprKind::Star(operand) => is_plain(operand),
        _ => false,
    }
}

impl Visitor for Linter<'_> {
    fn stmt(&mut self, stmt: &Stmt, place: Place) {
        if let StmtKind::Assign { left, right, .. } = &stmt.kind {
            self.self_assignment(left, right);
        }
        txn::stmt(self, stmt, place);
    }

    fn expr(&mut self, expr: &Expr, place: Place) {
        if let ExprKind::Call(call) = &expr.kind {
            printf::call(self, call);
            txn::call(self, expr, call, place);
        }
    }
}
