//! The functions of a file, and statements and names in them that lints look for.
use super::Linter;
use super::walk::{Place, Visitor, walk_file};
use crate::source::Span;
use crate::syntax::ast::*;
use rustc_hash::FxHashSet;

/// A function's or a script's own statements.
pub(super) struct Function<'a> {
    pub span: Span,
    pub stmts: &'a [Stmt],
    /// The names of its results.
    pub results: Vec<Span>,
}

/// The functions of a file, and what stands in them.
pub(super) struct Functions<'a> {
    /// Outer ones before inner ones; the first is the file itself.
    list: Vec<Function<'a>>,
    /// Names that are assigned to.
    pub assigned: FxHashSet<Span>,
    /// Names that are compared with nil.
    pub tested: FxHashSet<Span>,
    /// Names whose address is taken.
    pub addressed: FxHashSet<Span>,
    /// Function literals that `defer` calls.
    pub deferred: Vec<Span>,
    pub ifs: Vec<&'a IfStmt>,
    pub txns: Vec<&'a TxnStmt>,
    /// What pmem.Update is given.
    pub updates: Vec<&'a FuncLit>,
}

impl<'a> Functions<'a> {
    pub fn of(file: &'a File, linter: &Linter) -> Functions<'a> {
        let mut functions = Functions {
            list: vec![Function {
                span: Span::new(file.id, 0, file.end.hi),
                stmts: &file.stmts,
                results: Vec::new(),
            }],
            assigned: FxHashSet::default(),
            tested: FxHashSet::default(),
            addressed: FxHashSet::default(),
            deferred: Vec::new(),
            ifs: Vec::new(),
            txns: Vec::new(),
            updates: Vec::new(),
        };
        for decl in &file.decls {
            if let DeclKind::Func(func) = &decl.kind
                && let Some(body) = &func.body
            {
                functions.add(decl.span, &func.ty, body);
            }
        }
        let mut collector = Collector { functions, linter };
        walk_file(&mut collector, file);
        let mut functions = collector.functions;
        functions.list.sort_by_key(|f| f.span.lo);
        functions
    }

    fn add(&mut self, span: Span, ty: &FuncType, body: &'a Block) {
        let results = ty.results.iter().flat_map(|result| &result.names);
        self.list.push(Function {
            span,
            stmts: &body.stmts,
            results: results.map(|name| name.span).collect(),
        });
    }

    /// The innermost transaction around a place, to judge by the text.
    pub fn txn_around(&self, place: Span) -> Option<Span> {
        let blocks = self.txns.iter().map(|txn| txn.body.span);
        let literals = self.updates.iter().map(|f| f.body.span);
        let around = blocks
            .chain(literals)
            .filter(|s| s.lo <= place.lo && place.hi <= s.hi);
        around.max_by_key(|span| span.lo)
    }

    /// The innermost function around a place.
    pub fn around(&self, place: Span) -> &Function<'a> {
        let before = self.list.partition_point(|f| f.span.lo <= place.lo);
        let mut around = self.list[1..before].iter().rev();
        around
            .find(|f| place.hi <= f.span.hi)
            .unwrap_or(&self.list[0])
    }
}

struct Collector<'a, 'b> {
    functions: Functions<'a>,
    linter: &'b Linter<'b>,
}

impl<'a> Visitor<'a> for Collector<'a, '_> {
    fn stmt(&mut self, stmt: &'a Stmt, _: Place) {
        match &stmt.kind {
            StmtKind::Assign { left, .. } => {
                let names = left.iter().filter_map(|x| x.unparen().as_ident());
                self.functions.assigned.extend(names.map(|name| name.span));
            }
            StmtKind::Define { names, .. } => self
                .functions
                .assigned
                .extend(names.iter().map(|name| name.span)),
            StmtKind::Defer(call) => {
                if let ExprKind::Call(call) = &call.kind
                    && let ExprKind::FuncLit(_) = &call.callee.unparen().kind
                {
                    self.functions.deferred.push(call.callee.span);
                }
            }
            StmtKind::If(s) => self.functions.ifs.push(s),
            StmtKind::Txn(s) => self.functions.txns.push(s),
            _ => {}
        }
    }

    fn expr(&mut self, expr: &'a Expr, _: Place) {
        match &expr.kind {
            ExprKind::FuncLit(f) => self.functions.add(expr.span, &f.ty, &f.body),
            ExprKind::Call(call) if self.linter.runs_in_txn(call) => {
                for arg in &call.args {
                    if let ExprKind::FuncLit(f) = &arg.kind {
                        self.functions.updates.push(f);
                    }
                }
            }
            ExprKind::Binary(b) if matches!(b.op, BinaryOp::Equal | BinaryOp::NotEqual) => {
                let sides = [b.left.unparen(), b.right.unparen()];
                if sides.iter().any(|x| self.linter.source(x.span) == "nil") {
                    self.functions.tested.extend(sides.map(|x| x.span));
                }
            }
            ExprKind::Unary {
                op: UnaryOp::Address,
                operand,
            } => {
                let name = operand.unparen().as_ident();
                self.functions.addressed.extend(name.map(|name| name.span));
            }
            _ => {}
        }
    }
}
