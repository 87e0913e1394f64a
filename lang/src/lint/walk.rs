//! Visits every statement and expression of a file, and tells where it stands.
use crate::syntax::ast::*;

/// Where a statement stands, to judge by the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Outside,
    /// In a transaction's block.
    Txn,
    /// In a function literal, or called by `go` or `defer`: it may be run anywhere.
    Later,
}

pub(super) trait Visitor<'a> {
    fn stmt(&mut self, stmt: &'a Stmt, place: Place);
    fn expr(&mut self, expr: &'a Expr, place: Place);

    /// Does a call run the function literals it is given in a transaction?
    fn runs_in_txn(&self, _: &CallExpr) -> bool {
        false
    }
}

pub(super) fn walk_file<'a>(v: &mut impl Visitor<'a>, file: &'a File) {
    for decl in &file.decls {
        walk_decl(v, decl, Place::Outside);
    }
    walk_stmts(v, &file.stmts, Place::Outside);
}

fn walk_decl<'a>(v: &mut impl Visitor<'a>, decl: &'a Decl, place: Place) {
    match &decl.kind {
        DeclKind::Func(func) => {
            if let Some(body) = &func.body {
                walk_stmts(v, &body.stmts, Place::Outside);
            }
        }
        DeclKind::Var(specs) | DeclKind::Pvar(specs) => {
            for spec in specs {
                walk_exprs(v, &spec.values, place);
            }
        }
        DeclKind::Const(_) | DeclKind::Type(_) => {}
    }
}

fn walk_stmts<'a>(v: &mut impl Visitor<'a>, stmts: &'a [Stmt], place: Place) {
    for stmt in stmts {
        walk_stmt(v, stmt, place);
    }
}

fn walk_stmt<'a>(v: &mut impl Visitor<'a>, stmt: &'a Stmt, place: Place) {
    v.stmt(stmt, place);
    let optional = |v: &mut _, stmt: &'a Option<Box<Stmt>>| {
        if let Some(stmt) = stmt {
            walk_stmt(v, stmt, place);
        }
    };
    match &stmt.kind {
        StmtKind::Bad
        | StmtKind::Empty
        | StmtKind::Break(_)
        | StmtKind::Continue(_)
        | StmtKind::Goto(_)
        | StmtKind::Fallthrough => {}
        StmtKind::Decl(decl) => walk_decl(v, decl, place),
        StmtKind::Labeled { stmt, .. } => walk_stmt(v, stmt, place),
        StmtKind::Expr(x) => walk_expr(v, x, place),
        StmtKind::Go(x) | StmtKind::Defer(x) => walk_expr(v, x, Place::Later),
        StmtKind::IncDec { operand, .. } => walk_expr(v, operand, place),
        StmtKind::Send { channel, value, .. } => {
            walk_expr(v, channel, place);
            walk_expr(v, value, place);
        }
        StmtKind::Assign { left, right, .. } => {
            walk_exprs(v, left, place);
            walk_exprs(v, right, place);
        }
        StmtKind::OpAssign { left, right, .. } => {
            walk_expr(v, left, place);
            walk_expr(v, right, place);
        }
        StmtKind::Define { right, .. } | StmtKind::Return(right) => walk_exprs(v, right, place),
        StmtKind::Block(block) => walk_stmts(v, &block.stmts, place),
        StmtKind::If(s) => {
            optional(v, &s.init);
            walk_expr(v, &s.cond, place);
            walk_stmts(v, &s.then.stmts, place);
            optional(v, &s.otherwise);
        }
        StmtKind::Switch(s) => {
            optional(v, &s.init);
            walk_exprs(v, s.tag.as_slice(), place);
            for case in &s.cases {
                walk_exprs(v, &case.exprs, place);
                walk_stmts(v, &case.body, place);
            }
        }
        StmtKind::TypeSwitch(s) => {
            optional(v, &s.init);
            walk_expr(v, &s.operand, place);
            for case in &s.cases {
                walk_stmts(v, &case.body, place);
            }
        }
        StmtKind::Select(s) => {
            for case in &s.cases {
                walk_stmts(v, case.comm.as_slice(), place);
                walk_stmts(v, &case.body, place);
            }
        }
        StmtKind::For(s) => {
            optional(v, &s.init);
            walk_exprs(v, s.cond.as_slice(), place);
            optional(v, &s.post);
            walk_stmts(v, &s.body.stmts, place);
        }
        StmtKind::Range(s) => {
            walk_exprs(v, &s.vars, place);
            walk_expr(v, &s.operand, place);
            walk_stmts(v, &s.body.stmts, place);
        }
        StmtKind::Txn(s) => walk_stmts(v, &s.body.stmts, Place::Txn),
    }
}

fn walk_exprs<'a>(v: &mut impl Visitor<'a>, exprs: &'a [Expr], place: Place) {
    for expr in exprs {
        walk_expr(v, expr, place);
    }
}

fn walk_expr<'a>(v: &mut impl Visitor<'a>, expr: &'a Expr, place: Place) {
    v.expr(expr, place);
    match &expr.kind {
        ExprKind::Composite(c) => walk_exprs(v, &c.elements, place),
        ExprKind::FuncLit(f) => walk_stmts(v, &f.body.stmts, Place::Later),
        ExprKind::Paren(x) | ExprKind::Star(x) => walk_expr(v, x, place),
        ExprKind::Selector { operand, .. }
        | ExprKind::TypeAssert { operand, .. }
        | ExprKind::Unary { operand, .. } => walk_expr(v, operand, place),
        ExprKind::Index { operand, args } => {
            walk_expr(v, operand, place);
            walk_exprs(v, args, place);
        }
        ExprKind::Slice(s) => {
            walk_expr(v, &s.operand, place);
            for bound in [&s.low, &s.high, &s.max] {
                walk_exprs(v, bound.as_slice(), place);
            }
        }
        ExprKind::Call(c) => {
            walk_expr(v, &c.callee, place);
            for arg in &c.args {
                match &arg.kind {
                    ExprKind::FuncLit(f) if v.runs_in_txn(c) => {
                        v.expr(arg, place);
                        walk_stmts(v, &f.body.stmts, Place::Txn);
                    }
                    _ => walk_expr(v, arg, place),
                }
            }
        }
        ExprKind::Binary(b) => {
            walk_expr(v, &b.left, place);
            walk_expr(v, &b.right, place);
        }
        ExprKind::KeyValue { key, value } => {
            walk_expr(v, key, place);
            walk_expr(v, value, place);
        }
        _ => {}
    }
}
