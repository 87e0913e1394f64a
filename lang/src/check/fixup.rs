//! Walks over typed IR: what is known only at the end of a body is put into the function literals
//! in it, and untyped expressions get their final type.
use crate::tir::{Body, Callee, Clause, Comm, Expr, ExprKind, Stmt, StmtKind};
use std::rc::Rc;

/// Captured variables are boxed in the literals where they are in the enclosing body.
pub(super) fn settle_captures(body: &mut Body, has_closures: bool) {
    if !has_closures {
        return;
    }
    let boxed: Vec<bool> = body.locals.iter().map(|l| l.boxed).collect();
    each_closure(&mut body.stmts, &mut |inner| {
        let inner = Rc::make_mut(inner);
        for c in inner.captures.clone() {
            inner.locals[c.inner.0 as usize].boxed = boxed[c.outer.0 as usize];
        }
        settle_captures(inner, true);
    });
}

/// Calls `f` with every function literal directly in the statements (not in those inside them).
fn each_closure(stmts: &mut [Stmt], f: &mut dyn FnMut(&mut Rc<Body>)) {
    each_expr(stmts, &mut |e| {
        if let ExprKind::Closure(body) = &mut e.kind {
            f(body);
        }
    });
}

/// Calls `f` with every expression, outer ones first.
pub(super) fn each_expr(stmts: &mut [Stmt], f: &mut dyn FnMut(&mut Expr)) {
    for s in stmts {
        stmt(s, f);
    }
}

fn opt(e: &mut Option<Expr>, f: &mut dyn FnMut(&mut Expr)) {
    if let Some(e) = e {
        expr(e, f);
    }
}

fn opt_box(e: &mut Option<Box<Expr>>, f: &mut dyn FnMut(&mut Expr)) {
    if let Some(e) = e {
        expr(e, f);
    }
}

fn list(es: &mut [Expr], f: &mut dyn FnMut(&mut Expr)) {
    for e in es {
        expr(e, f);
    }
}

fn stmt(s: &mut Stmt, f: &mut dyn FnMut(&mut Expr)) {
    match &mut s.kind {
        StmtKind::Expr(e) | StmtKind::Defer(e) | StmtKind::Go(e) => expr(e, f),
        StmtKind::Let(_, e) | StmtKind::PvarInit(_, e) => opt(e, f),
        StmtKind::Assign(a, b) | StmtKind::OpAssign(_, a, b) | StmtKind::Send(a, b) => {
            expr(a, f);
            expr(b, f);
        }
        StmtKind::AssignMany(pairs) => {
            for (a, b) in pairs {
                opt(a, f);
                expr(b, f);
            }
        }
        StmtKind::AssignTuple(left, e) => {
            for a in left {
                opt(a, f);
            }
            expr(e, f);
        }
        StmtKind::Block(b) | StmtKind::Txn(_, b) => each_expr(b, f),
        StmtKind::If(c, a, b) => {
            expr(c, f);
            each_expr(a, f);
            each_expr(b, f);
        }
        StmtKind::For(l) => {
            opt(&mut l.cond, f);
            each_expr(&mut l.post, f);
            each_expr(&mut l.body, f);
        }
        StmtKind::Range(r) => {
            expr(&mut r.over, f);
            each_expr(&mut r.body, f);
        }
        StmtKind::Switch(s) => {
            for Clause { conds, body, .. } in &mut s.clauses {
                list(conds, f);
                each_expr(body, f);
            }
        }
        StmtKind::Return(es) => list(es, f),
        StmtKind::Select(cases, _) => {
            for c in cases {
                match &mut c.comm {
                    Comm::Default => {}
                    Comm::Send(a, b) => {
                        expr(a, f);
                        expr(b, f);
                    }
                    Comm::Recv(a, ..) => expr(a, f),
                }
                each_expr(&mut c.body, f);
            }
        }
        StmtKind::Break(_)
        | StmtKind::Continue(_)
        | StmtKind::Goto(_)
        | StmtKind::Target(_)
        | StmtKind::Fallthrough => {}
    }
}

/// Calls `f` with the expression and all in it.
pub(super) fn expr(e: &mut Expr, f: &mut dyn FnMut(&mut Expr)) {
    f(e);
    match &mut e.kind {
        ExprKind::Const(_)
        | ExprKind::Zero
        | ExprKind::Local(_)
        | ExprKind::Global(_)
        | ExprKind::Func(_)
        | ExprKind::Closure(_)
        | ExprKind::MakeMap(_, None)
        | ExprKind::MakeChan(None)
        | ExprKind::New(_, None)
        | ExprKind::Recover => {}
        ExprKind::Unary(_, a)
        | ExprKind::Field(a, _)
        | ExprKind::Deref(a)
        | ExprKind::AddrOf(a)
        | ExprKind::TypeAssert(a, ..)
        | ExprKind::IsType(a, _)
        | ExprKind::Convert(_, a)
        | ExprKind::Len(a)
        | ExprKind::Cap(a)
        | ExprKind::Clear(a)
        | ExprKind::New(_, Some(a))
        | ExprKind::MakeMap(_, Some(a))
        | ExprKind::MakeChan(Some(a))
        | ExprKind::Persist(a)
        | ExprKind::Real(a)
        | ExprKind::Imag(a)
        | ExprKind::Panic(a)
        | ExprKind::Close(a)
        | ExprKind::Recv(a, _)
        | ExprKind::PmemRoot(a)
        | ExprKind::Data(a)
        | ExprKind::PmemLookup(a) => expr(a, f),
        ExprKind::Binary(_, a, b)
        | ExprKind::Compare(_, a, b)
        | ExprKind::AndAnd(a, b)
        | ExprKind::OrOr(a, b)
        | ExprKind::Index(a, b)
        | ExprKind::MapIndex(a, b, _)
        | ExprKind::AppendSlice(a, b)
        | ExprKind::Copy(a, b)
        | ExprKind::Delete(a, b)
        | ExprKind::Raw(a, b)
        | ExprKind::Complex(a, b) => {
            expr(a, f);
            expr(b, f);
        }
        ExprKind::Call(callee, args) => {
            match callee {
                Callee::Static(_) => {}
                Callee::Value(x) | Callee::Interface(x, _) | Callee::Param(x, _) => expr(x, f),
            }
            list(args, f);
        }
        ExprKind::Slice(x, a, b, c) => {
            expr(x, f);
            opt_box(a, f);
            opt_box(b, f);
            opt_box(c, f);
        }
        ExprKind::StructLit(fields) => {
            for (_, x) in fields {
                expr(x, f);
            }
        }
        ExprKind::ArrayLit(elems) | ExprKind::SliceLit(_, elems) => {
            for (_, x) in elems {
                expr(x, f);
            }
        }
        ExprKind::MapLit(pairs) => {
            for (k, v) in pairs {
                expr(k, f);
                expr(v, f);
            }
        }
        ExprKind::Seq(stmts, x) => {
            each_expr(stmts, f);
            expr(x, f);
        }
        ExprKind::Append(x, xs) => {
            expr(x, f);
            list(xs, f);
        }
        ExprKind::Min(xs) | ExprKind::Max(xs) | ExprKind::Print(xs, _) | ExprKind::Tuple(xs) => {
            list(xs, f)
        }
        ExprKind::MakeSlice(_, n, cap) => {
            expr(n, f);
            opt_box(cap, f);
        }
    }
}
