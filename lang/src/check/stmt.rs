//! Statements.
use super::Checker;
use super::convert::Context;
use super::func::{Exit, Target};
use super::object::{Builtin, ObjKind, VarRef};
use super::operand::{Mode, Operand, ex, st};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, DeclKind, Expr, ExprKind as E, Stmt, StmtKind as S};
use crate::syntax::symbol::Symbol;
use crate::tir::{self, ExprKind, For, LabelId, StmtKind};
use crate::types::ty::{Basic, ChanDir, Ty, TyKind};

/// Which clause a `fallthrough` ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ClauseEnd {
    Inner,
    Final,
    TypeSwitch,
}

impl Checker {
    pub(super) fn stmts(&mut self, list: &[Stmt], out: &mut Vec<tir::Stmt>) {
        for s in list {
            self.stmt(s, None, out);
        }
    }

    /// Statements in a scope of their own.
    pub(super) fn block(&mut self, list: &[Stmt]) -> Vec<tir::Stmt> {
        self.open_scope();
        let mut out = Vec::new();
        self.stmts(list, &mut out);
        self.close_scope();
        out
    }

    pub(super) fn stmt(&mut self, s: &Stmt, label: Option<Symbol>, out: &mut Vec<tir::Stmt>) {
        let span = s.span;
        match &s.kind {
            S::Bad | S::Empty => {}
            S::Decl(d) => self.local_decl(d, out),
            S::Labeled { label, stmt } => {
                if let Some(&id) = self.ctx().goto_labels.get(&label.name) {
                    out.push(st(label.span, StmtKind::Target(id)));
                }
                self.stmt(stmt, Some(label.name), out);
            }
            S::Expr(e) => self.expr_stmt(e, out),
            S::Send {
                channel,
                value,
                op_span,
            } => self.send(channel, value, *op_span, span, out),
            S::IncDec {
                operand,
                increment,
                op_span,
            } => {
                let op = match increment {
                    true => ast::BinaryOp::Add,
                    false => ast::BinaryOp::Subtract,
                };
                self.op_assign(operand, op, None, *op_span, span, out);
            }
            S::Assign { left, right, .. } => self.assign(left, right, span, out),
            S::OpAssign {
                op,
                left,
                right,
                op_span,
            } => self.op_assign(left, *op, Some(right), *op_span, span, out),
            S::Define {
                names,
                right,
                op_span,
            } => self.define(names, right, *op_span, span, out),
            S::Go(e) => {
                if let Some(f) = self.suspended(e, "go", out) {
                    out.push(st(span, StmtKind::Go(f)));
                }
            }
            S::Defer(e) => self.defer(e, span, out),
            S::Return(values) => self.return_stmt(values, span, out),
            S::Break(l) => self.branch(l.map(|l| l.name), false, span, out),
            S::Continue(l) => self.branch(l.map(|l| l.name), true, span, out),
            S::Goto(l) => self.goto(l.name, span, out),
            S::Fallthrough => self.fallthrough(span, out),
            S::Block(b) => {
                let stmts = self.block(&b.stmts);
                out.push(st(span, StmtKind::Block(stmts)));
            }
            S::If(i) => self.if_stmt(i, span, out),
            S::Switch(w) => self.in_block(span, out, |c, out| c.switch(w, label, span, out)),
            S::TypeSwitch(w) => {
                self.in_block(span, out, |c, out| c.type_switch(w, label, span, out));
            }
            S::Select(w) => self.select(w, label, span, out),
            S::For(f) => self.in_block(span, out, |c, out| c.for_stmt(f, label, span, out)),
            S::Range(r) => self.in_block(span, out, |c, out| c.range(r, label, span, out)),
            S::Txn(t) => self.txn(t, span, out),
        }
    }

    /// Statements in a new scope and a block.
    fn in_block(
        &mut self,
        span: Span,
        out: &mut Vec<tir::Stmt>,
        f: impl FnOnce(&mut Checker, &mut Vec<tir::Stmt>),
    ) {
        self.open_scope();
        let mut inner = Vec::new();
        f(self, &mut inner);
        self.close_scope();
        match inner.len() {
            1 => out.append(&mut inner),
            _ => out.push(st(span, StmtKind::Block(inner))),
        }
    }

    fn local_decl(&mut self, d: &ast::Decl, out: &mut Vec<tir::Stmt>) {
        match &d.kind {
            DeclKind::Func(f) => {
                let message = "not yet supported: function declared inside a statement list";
                self.err(Code::NotSupported, f.name.span, message);
            }
            DeclKind::Const(specs) => self.local_consts(specs),
            DeclKind::Var(specs) => {
                for s in specs {
                    self.local_var(s, out);
                }
            }
            DeclKind::Pvar(specs) => {
                for s in specs {
                    let d = Diagnostic::error(
                        Code::InvalidDeclaration,
                        s.span,
                        "pvar is allowed only at package level",
                    )
                    .help("declare it outside the function, or use pmem.Root");
                    self.diagnostics.push(d);
                    self.local_var(s, out);
                }
            }
            DeclKind::Type(specs) => {
                for s in specs {
                    self.local_types += 1;
                    let local = self.local_types;
                    let id = self.declare_local(s.name, ObjKind::Unresolved);
                    self.obj_mut(id).alias = s.alias;
                    self.type_object(id, s, local);
                    if let ObjKind::Unresolved = self.obj(id).kind {
                        self.obj_mut(id).kind = ObjKind::Bad;
                    }
                }
            }
        }
    }

    fn local_consts(&mut self, specs: &[ast::ConstSpec]) {
        let mut last: Option<&ast::ConstSpec> = None;
        for s in specs {
            let inherited = s.values.is_empty() && s.ty.is_none();
            if !inherited {
                last = Some(s);
            }
            let mut values = Vec::new();
            for (i, n) in s.names.iter().enumerate() {
                values.push(match last {
                    Some(source) => self.const_value(source, *n, i, s.iota),
                    None => {
                        let text = self.name(n.name).to_string();
                        self.err(
                            Code::MissingInit,
                            n.span,
                            format!("missing init expr for {text}"),
                        );
                        (super::INVALID, crate::types::constant::Value::Unknown)
                    }
                });
            }
            if let Some(extra) = last.and_then(|l| l.values.get(s.names.len())) {
                let text = self.text(extra);
                self.err(
                    Code::MissingInit,
                    extra.span,
                    format!("extra init expr {text}"),
                );
            }
            for (n, (ty, v)) in s.names.iter().zip(values) {
                self.declare_local(*n, ObjKind::Const(ty, v));
            }
        }
    }

    fn expr_stmt(&mut self, e: &Expr, out: &mut Vec<tir::Stmt>) {
        let x = self.raw_expr(e, None);
        if x.mode == Mode::Invalid {
            return;
        }
        let message = match x.mode {
            Mode::Builtin(_) => "must be called",
            Mode::Type => "is not an expression",
            _ if self.is_statement(e) => "",
            _ => "is not used",
        };
        if !message.is_empty() {
            let text = match x.mode {
                Mode::Builtin(_) => format!("{} (built-in)", self.operand_text(&x)),
                _ => self.describe(&x),
            };
            self.err(Code::UnusedResult, x.span, format!("{text} {message}"));
            return;
        }
        let v = self.emit(x);
        out.push(st(e.span, StmtKind::Expr(v)));
    }

    /// Calls (but not conversions and builtins without effect) and receives.
    fn is_statement(&mut self, e: &Expr) -> bool {
        match &e.unparen().kind {
            E::Call(c) => match self.callee_kind(&c.callee) {
                Some(ObjKind::Type(_)) => false,
                Some(ObjKind::Builtin(b)) => !is_value_builtin(b),
                _ => true,
            },
            E::Unary { op, .. } => *op == ast::UnaryOp::Receive,
            _ => false,
        }
    }

    /// What a callee names, if it is a type or builtin.
    pub(super) fn callee_kind(&mut self, callee: &Expr) -> Option<ObjKind> {
        match &callee.unparen().kind {
            E::Ident(n) => self.lookup_name(*n).map(|id| self.obj(id).kind.clone()),
            E::Selector { operand, name } => {
                let q = operand.as_ident()?;
                let id = self.lookup_name(q.name)?;
                let ObjKind::Package(pkg) = self.obj(id).kind else {
                    return None;
                };
                let id = *self.packages[pkg.0 as usize].scope.get(&name.name)?;
                Some(self.obj(id).kind.clone())
            }
            E::Index { operand, .. } => self.callee_kind(operand),
            E::Star(_)
            | E::ArrayType { .. }
            | E::SliceType(_)
            | E::MapType { .. }
            | E::ChanType { .. }
            | E::FuncType(_)
            | E::StructType(_)
            | E::InterfaceType(_) => match callee.kind {
                E::Paren(_) if matches!(callee.unparen().kind, E::Star(_)) => {
                    let E::Star(x) = &callee.unparen().kind else {
                        return None;
                    };
                    self.callee_kind(x)
                        .filter(|k| matches!(k, ObjKind::Type(_)))
                }
                E::Star(_) => None,
                _ => Some(ObjKind::Type(super::INVALID)),
            },
            _ => None,
        }
    }

    fn send(
        &mut self,
        channel: &Expr,
        value: &Expr,
        op_span: Span,
        span: Span,
        out: &mut Vec<tir::Stmt>,
    ) {
        if let Some((c, v)) = self.send_operands(channel, value, op_span) {
            out.push(st(span, StmtKind::Send(c, v)));
        }
    }

    pub(super) fn send_operands(
        &mut self,
        channel: &Expr,
        value: &Expr,
        op_span: Span,
    ) -> Option<(tir::Expr, tir::Expr)> {
        let c = self.expr(channel, None);
        let v = self.expr(value, None);
        if !c.is_valid() || !v.is_valid() {
            return None;
        }
        let core = self.a.types.core_type(c.ty);
        let text = self.describe(&c);
        let elem = match core.map(|t| self.a.types.kind(t).clone()) {
            Some(TyKind::Chan(ChanDir::Recv, _)) => {
                let message =
                    format!("invalid operation: cannot send to receive-only channel {text}");
                self.err(Code::InvalidOperation, op_span, message);
                return None;
            }
            Some(TyKind::Chan(_, elem)) => elem,
            _ => {
                let message = format!("invalid operation: cannot send to non-channel {text}");
                self.err(Code::InvalidOperation, op_span, message);
                return None;
            }
        };
        let v = self.assignment(v, Some(elem), Context::Other("send"));
        if !v.is_valid() {
            return None;
        }
        Some((self.emit(c), v.tir))
    }

    /// The call of a `go` or `defer` statement as a `func()` value.
    fn suspended(&mut self, e: &Expr, word: &str, out: &mut Vec<tir::Stmt>) -> Option<tir::Expr> {
        let E::Call(c) = &e.unparen().kind else {
            let x = self.raw_expr(e, None);
            if x.mode == Mode::Invalid {
                return None;
            }
            let message = format!("expression in {word} must be function call");
            self.err(Code::InvalidCall, e.span, message);
            return None;
        };
        let x = self.raw_expr(e, None);
        if x.mode == Mode::Invalid {
            return None;
        }
        match self.callee_kind(&c.callee) {
            Some(ObjKind::Type(_)) => {
                let message = format!("{word} requires function call, not conversion");
                self.err(Code::InvalidCall, x.span, message);
                return None;
            }
            Some(ObjKind::Builtin(b)) if is_value_builtin(b) => {
                let text = self.describe(&x);
                let message = format!("{word} discards result of {text}");
                self.err(Code::UnusedResult, x.span, message);
                return None;
            }
            _ => {}
        }
        let call = self.emit(x);
        Some(self.suspended_call(call, out))
    }

    fn defer(&mut self, e: &Expr, span: Span, out: &mut Vec<tir::Stmt>) {
        let mut stmts = Vec::new();
        let Some(f) = self.suspended(e, "defer", &mut stmts) else {
            return;
        };
        if self.ctx().range.is_some() {
            self.defer_in_range(f, span, &mut stmts);
        } else {
            self.ctx().has_defer = true;
            stmts.push(st(span, StmtKind::Defer(f)));
        }
        match stmts.len() {
            1 => out.append(&mut stmts),
            _ => out.push(st(span, StmtKind::Block(stmts))),
        }
    }

    /// The context of the declared function or literal, below bodies of range-over-func loops.
    pub(super) fn function_depth(&self) -> usize {
        let mut d = self.env.fns.len() - 1;
        while self.env.fns[d].range.is_some() {
            d -= 1;
        }
        d
    }

    fn return_stmt(&mut self, values: &[Expr], span: Span, out: &mut Vec<tir::Stmt>) {
        let depth = self.function_depth();
        let tys = self.env.fns[depth].result_tys.clone();
        let named = self.env.fns[depth].named_results.clone();
        if values.is_empty() {
            if !tys.is_empty() && named.is_empty() {
                let want = self.types_summary(&tys, false);
                let message = format!("not enough return values\n\thave ()\n\twant {want}");
                self.err(Code::ReturnCount, span, message);
                return;
            }
            for obj in named {
                let name = self.obj(obj).name;
                if self.is_blank(name) {
                    continue;
                }
                if let Some(other) = self.lookup_name(name)
                    && other != obj
                {
                    let text = self.name(name).to_string();
                    let at = self.obj(other).span;
                    let message = format!("result parameter {text} not in scope at return");
                    let d = Diagnostic::error(Code::ReturnCount, span, message)
                        .also(at, format!("inner declaration of {text}"));
                    self.diagnostics.push(d);
                }
            }
            self.emit_exit(Exit::Return, span, out);
            return;
        }
        let Some((before, list)) = self.return_values(values, &tys, span) else {
            return;
        };
        out.extend(before);
        if self.ctx().range.is_none() {
            out.push(st(span, StmtKind::Return(list)));
            return;
        }
        let results = self.env.fns[depth].results.clone();
        let pairs = results
            .iter()
            .zip(list)
            .map(|(r, v)| {
                let var = VarRef {
                    depth: depth as u32,
                    local: *r,
                };
                (Some(self.place_of(var, span)), v)
            })
            .collect();
        out.push(st(span, StmtKind::AssignMany(pairs)));
        self.emit_exit(Exit::Return, span, out);
    }

    fn return_values(
        &mut self,
        values: &[Expr],
        tys: &[Ty],
        span: Span,
    ) -> Option<(Vec<tir::Stmt>, Vec<tir::Expr>)> {
        let mut before = Vec::new();
        let is_call = values.len() == 1 && matches!(values[0].unparen().kind, E::Call(_));
        let mut list = Vec::new();
        if is_call {
            let x = self.raw_expr(&values[0], None);
            if x.mode == Mode::Invalid {
                return None;
            }
            if let TyKind::Tuple(ts) = self.a.types.kind(x.ty).clone()
                && x.mode == Mode::Value
            {
                if ts.len() == tys.len() && ts.iter().eq(tys) && self.ctx().range.is_none() {
                    // No conversion between.
                    let vals = self.unpack_tuple(x.tir, &ts, &mut before);
                    return Some((before, vals));
                }
                for v in self.unpack_tuple(x.tir, &ts, &mut before) {
                    let mut o = Operand::value(v.ty, values[0].span, ExprKind::Zero);
                    o.tir = v;
                    o.ast = Some(&values[0]);
                    list.push(o);
                }
            } else {
                let x = self.single_value(x);
                if x.mode == Mode::Invalid {
                    return None;
                }
                list.push(x);
            }
        } else {
            let mut ok = true;
            for (i, v) in values.iter().enumerate() {
                let x = self.expr(v, tys.get(i).copied());
                ok &= x.mode != Mode::Invalid;
                list.push(x);
            }
            if !ok {
                return None;
            }
        }
        if list.len() != tys.len() {
            self.return_count(&list, tys, span);
            return None;
        }
        let mut ok = true;
        let mut out = Vec::new();
        for (x, t) in list.into_iter().zip(tys) {
            let x = self.assignment(x, Some(*t), Context::Return);
            ok &= x.is_valid();
            out.push(x.tir);
        }
        ok.then_some((before, out))
    }

    fn return_count(&mut self, list: &[Operand], tys: &[Ty], span: Span) {
        let (which, at) = match list.len() > tys.len() {
            true => ("too many", list[tys.len()].span),
            false => ("not enough", list.last().map_or(span, |x| x.span)),
        };
        let have: Vec<Ty> = list.iter().map(|x| x.ty).collect();
        let (have, want) = (
            self.types_summary(&have, false),
            self.types_summary(tys, false),
        );
        let message = format!("{which} return values\n\thave {have}\n\twant {want}");
        self.err(Code::ReturnCount, at, message);
    }

    /// `break` and `continue`. Misplaced ones have been reported.
    fn branch(
        &mut self,
        label: Option<Symbol>,
        is_continue: bool,
        span: Span,
        out: &mut Vec<tir::Stmt>,
    ) {
        let mut depth = self.env.fns.len() - 1;
        loop {
            let found = self.env.fns[depth]
                .targets
                .iter()
                .rev()
                .find(|t| match label {
                    Some(l) => t.label == Some(l) && (!is_continue || t.is_loop),
                    None => !is_continue || t.is_loop,
                });
            if let Some(t) = found {
                let (depth, id) = (depth as u32, t.id);
                let exit = match is_continue {
                    true => Exit::Continue { depth, id },
                    false => Exit::Break { depth, id },
                };
                self.emit_exit(exit, span, out);
                return;
            }
            if self.env.fns[depth].range.is_none() {
                return;
            }
            depth -= 1;
        }
    }

    fn goto(&mut self, label: Symbol, span: Span, out: &mut Vec<tir::Stmt>) {
        let mut depth = self.env.fns.len() - 1;
        loop {
            if self.env.fns[depth].goto_labels.contains_key(&label) {
                let depth = depth as u32;
                self.emit_exit(Exit::Goto { depth, label }, span, out);
                return;
            }
            if self.env.fns[depth].range.is_none() {
                return;
            }
            depth -= 1;
        }
    }

    fn condition(&mut self, e: &Expr, what: &str) -> tir::Expr {
        let x = self.expr(e, None);
        let bad = ex(Basic::Bool.ty(), e.span, ExprKind::Zero);
        if !x.is_valid() {
            return bad;
        }
        if !self.a.types.all_basic(x.ty, Basic::is_boolean) {
            let message = format!("non-boolean condition in {what} statement");
            self.err(Code::MismatchedTypes, e.span, message);
            return bad;
        }
        let x = self.defaulted(x);
        self.emit(x)
    }

    fn if_stmt(&mut self, i: &ast::IfStmt, span: Span, out: &mut Vec<tir::Stmt>) {
        self.open_scope();
        let mut stmts = Vec::new();
        if let Some(init) = &i.init {
            self.stmt(init, None, &mut stmts);
        }
        let cond = self.condition(&i.cond, "if");
        let then = self.block(&i.then.stmts);
        let mut otherwise = Vec::new();
        if let Some(e) = &i.otherwise {
            match &e.kind {
                S::Block(b) => otherwise = self.block(&b.stmts),
                _ => self.stmt(e, None, &mut otherwise),
            }
        }
        self.close_scope();
        stmts.push(st(span, StmtKind::If(cond, then, otherwise)));
        match stmts.len() {
            1 => out.append(&mut stmts),
            _ => out.push(st(span, StmtKind::Block(stmts))),
        }
    }

    pub(super) fn push_target(&mut self, label: Option<Symbol>, is_loop: bool) -> LabelId {
        let id = self.new_label();
        self.ctx().targets.push(Target {
            label,
            id,
            is_loop,
            func_loop: false,
        });
        id
    }

    fn for_stmt(
        &mut self,
        f: &ast::ForStmt,
        label: Option<Symbol>,
        span: Span,
        out: &mut Vec<tir::Stmt>,
    ) {
        let mut per_iteration = Vec::new();
        if let Some(init) = &f.init {
            self.stmt(init, None, out);
            if let S::Define { names, .. } = &init.kind {
                for n in names {
                    if let Some(id) = self.in_scope(n.name)
                        && let ObjKind::Local(var, _) = self.obj(id).kind
                    {
                        per_iteration.push(var.local);
                    }
                }
            }
        }
        let cond = f.cond.as_ref().map(|c| self.condition(c, "for"));
        let mut post = Vec::new();
        if let Some(p) = &f.post {
            if let S::Define { .. } = p.kind {
                self.err(
                    Code::InvalidDeclaration,
                    p.span,
                    "cannot declare in post statement of for loop",
                );
            } else {
                self.stmt(p, None, &mut post);
            }
        }
        let id = self.push_target(label, true);
        let body = self.block(&f.body.stmts);
        self.ctx().targets.pop();
        out.push(st(
            span,
            StmtKind::For(For {
                label: id,
                cond,
                post,
                body,
                per_iteration,
            }),
        ));
    }

    fn txn(&mut self, t: &ast::TxnStmt, span: Span, out: &mut Vec<tir::Stmt>) {
        let mut options = tir::TxnOptions::default();
        for o in &t.options {
            match self.name(o.name) {
                "sync" => options.sync = true,
                "async" => options.is_async = true,
                "undo" => {}
                other => {
                    let other = other.to_string();
                    let d = Diagnostic::error(
                        Code::UnknownTxnOption,
                        o.span,
                        format!("unknown txn option {other}"),
                    )
                    .help("the options are sync, async and undo");
                    self.diagnostics.push(d);
                }
            }
        }
        if options.sync && options.is_async {
            let message = "txn options sync and async exclude each other";
            self.err(Code::UnknownTxnOption, t.keyword_span, message);
        }
        let body = self.block(&t.body.stmts);
        out.push(st(span, StmtKind::Txn(options, body)));
    }

    /// `fallthrough` must be the last statement of a clause that another one follows.
    fn fallthrough(&mut self, span: Span, out: &mut Vec<tir::Stmt>) {
        let place = self.env.clause_end.filter(|(at, _)| *at == span);
        let message = match place.map(|(_, place)| place) {
            Some(ClauseEnd::Inner) => {
                out.push(st(span, StmtKind::Fallthrough));
                return;
            }
            Some(ClauseEnd::Final) => "cannot fallthrough final case in switch",
            Some(ClauseEnd::TypeSwitch) => "cannot fallthrough in type switch",
            None => "fallthrough statement out of place",
        };
        self.err(Code::Label, span, message);
    }

    /// Makes jump targets for the labels that a `goto` of this body names.
    pub(super) fn declare_goto_labels(&mut self, stmts: &[Stmt]) {
        let mut names = Vec::new();
        gotos(stmts, &mut names);
        for n in names {
            if !self.ctx().goto_labels.contains_key(&n) {
                let id = self.new_label();
                self.ctx().goto_labels.insert(n, id);
            }
        }
    }
}

pub(super) fn is_value_builtin(b: Builtin) -> bool {
    !matches!(
        b,
        Builtin::Clear
            | Builtin::Close
            | Builtin::Copy
            | Builtin::Delete
            | Builtin::Panic
            | Builtin::Print
            | Builtin::Println
            | Builtin::Recover
            | Builtin::PmemRoot
            | Builtin::PmemLookup
    )
}

fn gotos(stmts: &[Stmt], out: &mut Vec<Symbol>) {
    let one = |s: &Stmt, out: &mut Vec<Symbol>| gotos(std::slice::from_ref(s), out);
    for s in stmts {
        match &s.kind {
            S::Goto(l) => out.push(l.name),
            S::Labeled { stmt, .. } => one(stmt, out),
            S::Block(b) => gotos(&b.stmts, out),
            S::If(i) => {
                gotos(&i.then.stmts, out);
                if let Some(e) = &i.otherwise {
                    one(e, out);
                }
            }
            S::Switch(w) => w.cases.iter().for_each(|c| gotos(&c.body, out)),
            S::TypeSwitch(w) => w.cases.iter().for_each(|c| gotos(&c.body, out)),
            S::Select(w) => w.cases.iter().for_each(|c| gotos(&c.body, out)),
            S::For(f) => gotos(&f.body.stmts, out),
            S::Range(r) => gotos(&r.body.stmts, out),
            S::Txn(t) => gotos(&t.body.stmts, out),
            _ => {}
        }
    }
}
