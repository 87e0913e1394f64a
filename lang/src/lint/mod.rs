//! Warnings about programs that compile: what is most likely a mistake. They are quiet about good code, and say nothing
//! about a plain Go program that `go vet` accepts.
mod effects;
mod flow;
mod functions;
mod printf;
mod shadow;
mod txn;
mod unreachable;
mod volatile;
mod walk;

use crate::check::Checker;
use crate::codegen::StoreReport;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{CallExpr, Expr, ExprKind, File, Stmt, StmtKind};
use functions::Functions;
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
    let mut shadowed = shadow::Shadowed::new(&linter);
    for file in &files {
        let functions = Functions::of(file, &linter);
        shadow::file(&mut linter, file, &functions, &mut shadowed);
        volatile::file(&mut linter, &functions);
        effects::file(&mut linter, file, &functions);
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

    /// Is it a call of a function of a package, given as `package.Name`?
    fn calls(&self, call: &CallExpr, function: &str) -> bool {
        match &call.callee.kind {
            ExprKind::Selector { operand, .. } => {
                self.source(call.callee.span) == function && self.checker.is_package(operand.span)
            }
            _ => false,
        }
    }

    /// Where the variable is declared that a place belongs to, as `x` of `x.a[i]`.
    fn variable(&self, place: &Expr) -> Option<Span> {
        self.checker.variable_at(root(place).span)
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

/// The expression that selectors, indices and dereferences begin with.
fn root(place: &Expr) -> &Expr {
    let mut root = place;
    while let ExprKind::Selector { operand, .. }
    | ExprKind::Index { operand, .. }
    | ExprKind::Star(operand)
    | ExprKind::Paren(operand) = &root.kind
    {
        root = operand;
    }
    root
}

fn is_plain(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Ident(_) => true,
        ExprKind::Selector { operand, .. } | ExprKind::Star(operand) => is_plain(operand),
        _ => false,
    }
}

impl Visitor<'_> for Linter<'_> {
    fn stmt(&mut self, stmt: &Stmt, place: Place) {
        if let StmtKind::Assign { left, right, .. } = &stmt.kind {
            self.self_assignment(left, right);
        }
        txn::stmt(self, stmt, place);
    }

    fn expr(&mut self, expr: &Expr, _: Place) {
        if let ExprKind::Call(call) = &expr.kind {
            printf::call(self, call);
        }
    }

    fn runs_in_txn(&self, call: &CallExpr) -> bool {
        self.calls(call, "pmem.Update")
    }
}
