//! Visits every statement and expression of a file, and tells where it stands.
use crate::syntax::ast::*;

/// Where a statement stands, to judge by the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Outside,
    /// In a transaction's block.
    Txn,
    /// In a function literal, which may be run anywhere.
    Literal,
}

pub(super) trait Visitor {
    fn stmt(&mut self, stmt: &Stmt, place: Place);
    fn expr(&mut self, expr: &Expr, place: Place);
}

pub(super) fn walk_file(v: &mut impl Visitor, file: &File) {
    for decl in &file.decls {
        walk_decl(v, decl, Place::Outside);
    }
    walk_stmts(v, &file.stmts, Place::Outside);
}

fn walk_decl(v: &mut impl Visitor, decl: &Decl, place: Place) {
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

fn walk_stmts(v: &mut impl Visitor, stmts: &[Stmt], place: Place) {
    for stmt in stmts {
        walk_stmt(v, stmt, place);
    }
}

fn walk_stmt(v: &mut impl Visitor, stmt: &Stmt, place: Place) {
    v.stmt(stmt, place);
    let optional = |v: &mut _, stmt: &Option<Box<Stmt>>| {
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
        StmtKind::Expr(x) | StmtKind::Go(x) | StmtKind::Defer(x) => walk_expr(v, x, place),
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

fn walk_exprs(v: &mut impl Visitor, exprs: &[Expr], place: Place) {
    for expr in exprs {
        walk_expr(v, expr, place);
    }
}

fn walk_expr(v: &mut impl Visitor, expr: &Expr, place: Place) {
    v.expr(expr, place);
    match &expr.kind {
        ExprKind::Composite(c) => walk_exprs(v, &c.elements, place),
        ExprKind::FuncLit(f) => walk_stmts(v, &f.body.stmts, Place::Literal),
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
            walk_exprs(v, &c.args, place);
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
