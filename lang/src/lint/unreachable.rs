//! Statements that nothing reaches: behind a return, a jump, a panic, a loop without an end.
use super::Linter;
use super::walk::{Place, Visitor, walk_file};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::symbol::Symbol;

/// Collects what is in no other list of statements visited before.
struct Lists<'a, 'b> {
    linter: &'a mut Linter<'b>,
}

pub(super) fn file(linter: &mut Linter, file: &File) {
    let mut lists = Lists { linter };
    for decl in &file.decls {
        if let DeclKind::Func(func) = &decl.kind
            && let Some(body) = &func.body
        {
            lists.list(&body.stmts);
        }
    }
    lists.list(&file.stmts);
    walk_file(&mut lists, file);
}

impl Visitor<'_> for Lists<'_, '_> {
    fn stmt(&mut self, stmt: &Stmt, _: Place) {
        match &stmt.kind {
            StmtKind::Block(block) => self.list(&block.stmts),
            StmtKind::If(s) => self.list(&s.then.stmts),
            StmtKind::Switch(s) => s.cases.iter().for_each(|case| self.list(&case.body)),
            StmtKind::TypeSwitch(s) => s.cases.iter().for_each(|case| self.list(&case.body)),
            StmtKind::Select(s) => s.cases.iter().for_each(|case| self.list(&case.body)),
            StmtKind::For(s) => self.list(&s.body.stmts),
            StmtKind::Range(s) => self.list(&s.body.stmts),
            StmtKind::Txn(s) => self.list(&s.body.stmts),
            _ => {}
        }
    }

    fn expr(&mut self, expr: &Expr, _: Place) {
        if let ExprKind::FuncLit(f) = &expr.kind {
            self.list(&f.body.stmts);
        }
    }
}

impl Lists<'_, '_> {
    fn list(&mut self, stmts: &[Stmt]) {
        let declared = |stmt: &Stmt| match &stmt.kind {
            StmtKind::Decl(decl) => !matches!(decl.kind, DeclKind::Var(_)),
            kind => matches!(kind, StmtKind::Empty),
        };
        for (i, stmt) in stmts.iter().enumerate() {
            if !self.ends(stmt, None) {
                continue;
            }
            let mut rest = stmts[i + 1..].iter().filter(|stmt| !declared(stmt));
            // A label may be jumped to.
            if let Some(next) = rest.next()
                && !rest.any(has_label)
                && !has_label(next)
            {
                let span = first_line(self.linter, next.span);
                self.linter
                    .warn(Code::Unreachable, span, "unreachable code");
            }
            return;
        }
    }

    /// Whether nothing behind the statement is reached.
    fn ends(&self, stmt: &Stmt, label: Option<Symbol>) -> bool {
        let list = |stmts: &[Stmt]| stmts.last().is_some_and(|last| self.ends(last, None));
        match &stmt.kind {
            StmtKind::Return(_) | StmtKind::Break(_) | StmtKind::Continue(_) => true,
            StmtKind::Goto(_) => true,
            StmtKind::Expr(x) => self.is_panic(x),
            StmtKind::Block(block) => list(&block.stmts),
            StmtKind::Txn(s) => list(&s.body.stmts),
            StmtKind::Labeled { label, stmt } => self.ends(stmt, Some(label.name)),
            StmtKind::If(s) => {
                let otherwise = s.otherwise.as_ref();
                list(&s.then.stmts) && otherwise.is_some_and(|stmt| self.ends(stmt, None))
            }
            StmtKind::For(s) => s.cond.is_none() && !breaks(&s.body.stmts, label, true),
            StmtKind::Switch(s) => self.all_end(&s.cases, label),
            StmtKind::TypeSwitch(s) => self.all_end(&s.cases, label),
            StmtKind::Select(s) => {
                let ends = |case: &CommClause| list(&case.body) && !breaks(&case.body, label, true);
                s.cases.iter().all(ends)
            }
            _ => false,
        }
    }

    /// Whether a switch of these cases goes on in none of them.
    fn all_end(&self, cases: &[CaseClause], label: Option<Symbol>) -> bool {
        let ends =
            |last: &Stmt| matches!(last.kind, StmtKind::Fallthrough) || self.ends(last, None);
        let case_ends = |case: &CaseClause| {
            case.body.last().is_some_and(ends) && !breaks(&case.body, label, true)
        };
        cases.iter().any(|case| case.is_default) && cases.iter().all(case_ends)
    }

    fn is_panic(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Call(call) => self.linter.checker.is_builtin(call.callee.span, "panic"),
            _ => false,
        }
    }
}

fn has_label(stmt: &Stmt) -> bool {
    matches!(stmt.kind, StmtKind::Labeled { .. })
}

/// Whether a `break` in these statements leaves the statement that they are the body of.
fn breaks(stmts: &[Stmt], label: Option<Symbol>, own: bool) -> bool {
    stmts.iter().any(|stmt| match &stmt.kind {
        StmtKind::Break(None) => own,
        StmtKind::Break(Some(name)) => Some(name.name) == label,
        StmtKind::Block(block) => breaks(&block.stmts, label, own),
        StmtKind::Txn(s) => breaks(&s.body.stmts, label, own),
        StmtKind::Labeled { stmt, .. } => breaks(std::slice::from_ref(stmt), label, own),
        StmtKind::If(s) => {
            let otherwise = s.otherwise.as_deref().map(std::slice::from_ref);
            breaks(&s.then.stmts, label, own) || breaks(otherwise.unwrap_or_default(), label, own)
        }
        StmtKind::For(s) => breaks(&s.body.stmts, label, false),
        StmtKind::Range(s) => breaks(&s.body.stmts, label, false),
        StmtKind::Switch(s) => s.cases.iter().any(|c| breaks(&c.body, label, false)),
        StmtKind::TypeSwitch(s) => s.cases.iter().any(|c| breaks(&c.body, label, false)),
        StmtKind::Select(s) => s.cases.iter().any(|c| breaks(&c.body, label, false)),
        _ => false,
    })
}

fn first_line(linter: &Linter, span: Span) -> Span {
    let len = linter.source(span).lines().next().map_or(0, str::len);
    Span {
        hi: span.lo + len as u32,
        ..span
    }
}
