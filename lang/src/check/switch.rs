//! Expression switches, type switches and select statements.
use super::Checker;
use super::composite::exact_key;
use super::object::ObjId;
use super::operand::{Mode, Operand, ex, st};
use super::stmt::ClauseEnd;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind as E, StmtKind as S};
use crate::syntax::symbol::Symbol;
use crate::tir::{self, Clause, Comm, ExprKind, LocalId, SelectCase, StmtKind, Switch};
use crate::types::constant::Value;
use crate::types::ty::{Basic, Ty};
use rustc_hash::FxHashMap;

impl Checker {
    fn check_defaults(&mut self, defaults: impl Iterator<Item = Span>) {
        let mut first: Option<Span> = None;
        for d in defaults {
            match first {
                Some(f) => {
                    let at = self.sources.position(f);
                    let message = format!("multiple defaults (first at {at})");
                    self.err(Code::DuplicateCase, d, message);
                }
                None => first = Some(d),
            }
        }
    }

    /// Notes the last statement of a clause, which may be a `fallthrough`; gives the one noted
    /// before.
    fn enter_clause(&mut self, body: &[ast::Stmt], end: ClauseEnd) -> Option<(Span, ClauseEnd)> {
        let mut last = body.iter().rev().find(|s| !matches!(s.kind, S::Empty));
        while let Some(S::Labeled { stmt, .. }) = last.map(|s| &s.kind) {
            last = Some(stmt);
        }
        let noted = last.map(|s| (s.span, end));
        std::mem::replace(&mut self.env.clause_end, noted)
    }

    pub(super) fn switch(
        &mut self,
        w: &ast::SwitchStmt,
        label: Option<Symbol>,
        span: Span,
        out: &mut Vec<tir::Stmt>,
    ) {
        if let Some(init) = &w.init {
            self.stmt(init, None, out);
        }
        let mut tag = self.switch_tag(w, out);
        self.check_defaults(
            w.cases
                .iter()
                .filter(|c| c.is_default)
                .map(|c| c.keyword_span),
        );
        let id = self.push_target(label, false);
        let mut seen: FxHashMap<(Ty, String), Span> = FxHashMap::default();
        let mut clauses = Vec::new();
        for (i, c) in w.cases.iter().enumerate() {
            let mut conds = Vec::new();
            for e in &c.exprs {
                let x = self.expr(e, None);
                if !x.is_valid() {
                    continue;
                }
                let Some(t) = &mut tag else {
                    continue;
                };
                let (value, shown) = (x.val.clone(), x.is_const());
                let ty = match self.is_untyped(x.ty) {
                    true if self.a.types.is_interface(t.ty) => self.a.types.default_type(x.ty),
                    true => t.ty,
                    false => x.ty,
                };
                let Some(cond) = self.case_condition(t.clone(), x) else {
                    continue;
                };
                if shown {
                    self.duplicate_case(&value, ty, e, &mut seen);
                }
                conds.push(cond);
            }
            let end = match i + 1 == w.cases.len() {
                true => ClauseEnd::Final,
                false => ClauseEnd::Inner,
            };
            let outer = self.enter_clause(&c.body, end);
            let body = self.block(&c.body);
            self.env.clause_end = outer;
            clauses.push(Clause {
                conds,
                is_default: c.is_default,
                body,
            });
        }
        self.ctx().targets.pop();
        out.push(st(span, StmtKind::Switch(Switch { label: id, clauses })));
    }

    /// The tag in a temporary; a switch without one has the constant true.
    fn switch_tag<'e>(
        &mut self,
        w: &'e ast::SwitchStmt,
        out: &mut Vec<tir::Stmt>,
    ) -> Option<Operand<'e>> {
        let Some(e) = &w.tag else {
            let mut x = Operand::constant(Basic::Bool.ty(), Value::Bool(true), w.body_span);
            x.span = w.body_span;
            return Some(x);
        };
        let x = self.expr(e, None);
        if !x.is_valid() {
            return None;
        }
        let x = self.assignment(x, None, super::convert::Context::Other("switch expression"));
        if !x.is_valid() {
            return None;
        }
        if !self.a.types.comparable(x.ty) && !self.a.types.has_nil(x.ty) {
            let (text, t) = (self.describe(&x), self.ty_str(x.ty));
            let message = format!("cannot switch on {text} ({t} is not comparable)");
            self.err(Code::InvalidOperation, x.span, message);
            return None;
        }
        let ty = x.ty;
        let tmp = self.spill(x.tir, out);
        let mut tag = Operand::value(ty, e.span, tmp.kind);
        tag.ast = Some(e);
        Some(tag)
    }

    fn case_condition<'e>(&mut self, tag: Operand<'e>, x: Operand<'e>) -> Option<tir::Expr> {
        // `switch { case cond: }`: the condition itself.
        if tag.is_const() && tag.ast.is_none() {
            if self.a.types.all_basic(x.ty, Basic::is_boolean) {
                let x = self.defaulted(x);
                return Some(self.emit(x));
            }
            if self.a.types.is_interface(x.ty) && !self.a.types.is_param(x.ty) {
                return self.equal_operands(tag, x);
            }
            let (text, t) = (self.operand_text(&x), self.ty_str(x.ty));
            let message = format!("invalid case {text} in switch (mismatched types {t} and bool)");
            self.err(Code::MismatchedTypes, x.span, message);
            return None;
        }
        self.equal_operands(tag, x)
    }

    fn duplicate_case(
        &mut self,
        v: &Value,
        ty: Ty,
        e: &Expr,
        seen: &mut FxHashMap<(Ty, String), Span>,
    ) {
        if v.is_unknown() || matches!(v, Value::Bool(_)) {
            return;
        }
        let key = (ty, exact_key(&v.to_int().unwrap_or_else(|| v.clone())));
        if let Some(previous) = seen.get(&key) {
            let mut x = Operand::constant(ty, v.clone(), e.span);
            x.ast = Some(e);
            let text = self.describe(&x);
            let message = format!("duplicate case {text} in expression switch");
            let d = Diagnostic::error(Code::DuplicateCase, e.span, message)
                .also(*previous, "previous case");
            self.diagnostics.push(d);
            return;
        }
        seen.insert(key, e.span);
    }

    pub(super) fn type_switch(
        &mut self,
        w: &ast::TypeSwitchStmt,
        label: Option<Symbol>,
        span: Span,
        out: &mut Vec<tir::Stmt>,
    ) {
        if let Some(init) = &w.init {
            self.stmt(init, None, out);
        }
        if let Some(b) = w.binding
            && self.is_blank(b.name)
        {
            self.err(
                Code::NoNewVariables,
                b.span,
                "no new variable on left side of :=",
            );
        }
        let x = self.expr(&w.operand, None);
        let mut subject = None;
        if x.is_valid() {
            if self.a.types.is_param(x.ty) {
                let text = self.describe(&x);
                let message = format!("cannot use type switch on type parameter value {text}");
                self.err(Code::InvalidOperation, x.span, message);
            } else if !self.a.types.is_interface(x.ty) {
                let text = self.describe(&x);
                self.err(
                    Code::InvalidOperation,
                    x.span,
                    format!("{text} is not an interface"),
                );
            } else {
                let e = self.emit(x);
                subject = Some(self.spill(e, out));
            }
        }
        self.check_defaults(
            w.cases
                .iter()
                .filter(|c| c.is_default)
                .map(|c| c.keyword_span),
        );
        let id = self.push_target(label, false);
        let mut seen: FxHashMap<Option<Ty>, Span> = FxHashMap::default();
        let mut bound: Vec<ObjId> = Vec::new();
        let mut clauses = Vec::new();
        for c in &w.cases {
            let mut conds = Vec::new();
            let mut single: Option<Ty> = None;
            for e in &c.exprs {
                let Some(ty) = self.case_type(e) else {
                    single = Some(super::INVALID);
                    continue;
                };
                if let Some(previous) = seen.get(&ty) {
                    let text = match ty {
                        Some(t) => self.ty_str(t),
                        None => "nil".into(),
                    };
                    let message = format!("duplicate case {text} in type switch");
                    let d = Diagnostic::error(Code::DuplicateCase, e.span, message)
                        .also(*previous, "previous case");
                    self.diagnostics.push(d);
                    continue;
                }
                seen.insert(ty, e.span);
                if let (Some(s), Some(t)) = (&subject, ty)
                    && let Some(cause) = self.impossible_assertion(s.ty, t)
                {
                    let (text, ts) = (self.text(e), self.ty_str(t));
                    let message = format!(
                        "impossible type switch case: {text}\n\t{} cannot have dynamic type {ts} {cause}",
                        self.describe_subject(s, &w.operand)
                    );
                    self.err(Code::ImpossibleAssertion, e.span, message);
                    continue;
                }
                if c.exprs.len() == 1 {
                    single = ty;
                }
                if let Some(s) = &subject {
                    let kind = ExprKind::IsType(Box::new(s.clone()), ty);
                    conds.push(ex(Basic::Bool.ty(), e.span, kind));
                }
            }
            self.open_scope();
            let mut body = Vec::new();
            if let Some(b) = w.binding
                && !self.is_blank(b.name)
            {
                let ty = match (single, &subject) {
                    (Some(t), _) => t,
                    (None, Some(s)) => s.ty,
                    (None, None) => super::INVALID,
                };
                let (obj, local) = self.declare_var(b, ty);
                // Reported once for all clauses.
                self.ctx().vars.pop();
                bound.push(obj);
                if let Some(s) = subject.clone().filter(|_| ty != super::INVALID) {
                    let value = match single {
                        Some(t) => ex(t, b.span, ExprKind::TypeAssert(Box::new(s), t, false)),
                        None => s,
                    };
                    body.push(st(b.span, StmtKind::Let(vec![local], Some(value))));
                }
            }
            let outer = self.enter_clause(&c.body, ClauseEnd::TypeSwitch);
            self.stmts(&c.body, &mut body);
            self.env.clause_end = outer;
            self.close_scope();
            clauses.push(Clause {
                conds,
                is_default: c.is_default,
                body,
            });
        }
        self.ctx().targets.pop();
        if let Some(b) = w.binding
            && !self.is_blank(b.name)
            && !bound.iter().any(|o| self.obj(*o).used)
        {
            let text = self.name(b.name).to_string();
            let message = format!("declared and not used: {text}");
            self.err(Code::UnusedVariable, b.span, message);
        }
        out.push(st(span, StmtKind::Switch(Switch { label: id, clauses })));
    }

    fn describe_subject(&self, s: &tir::Expr, e: &Expr) -> String {
        let mut x = Operand::new(Mode::Var, s.ty, e.span, ExprKind::Zero);
        x.ast = Some(e);
        self.describe(&x)
    }

    /// A case of a type switch: a type, or `Some(None)` for nil.
    fn case_type(&mut self, e: &Expr) -> Option<Option<Ty>> {
        let x = match e.unparen().kind {
            E::Ident(_) => self.raw_expr(e, None),
            _ => {
                let t = self.typ(e);
                return (t != super::INVALID).then_some(Some(t));
            }
        };
        match x.mode {
            Mode::Nil => Some(None),
            Mode::Type => {
                let t = self.var_typ(e);
                (t != super::INVALID).then_some(Some(t))
            }
            Mode::Invalid => None,
            _ => {
                let text = self.text(e);
                self.err(Code::NotAType, e.span, format!("{text} is not a type"));
                None
            }
        }
    }

    pub(super) fn select(
        &mut self,
        w: &ast::SelectStmt,
        label: Option<Symbol>,
        span: Span,
        out: &mut Vec<tir::Stmt>,
    ) {
        let defaults = w.cases.iter().filter(|c| c.comm.is_none());
        self.check_defaults(defaults.map(|c| c.keyword_span));
        let id = self.push_target(label, false);
        let mut cases = Vec::new();
        for c in &w.cases {
            self.open_scope();
            let mut body = Vec::new();
            let comm = match &c.comm {
                None => Some(Comm::Default),
                Some(s) => self.comm_clause(s, &mut body),
            };
            self.stmts(&c.body, &mut body);
            self.close_scope();
            if let Some(comm) = comm {
                cases.push(SelectCase { comm, body });
            }
        }
        self.ctx().targets.pop();
        out.push(st(span, StmtKind::Select(cases, id)));
    }

    fn comm_clause(&mut self, s: &ast::Stmt, body: &mut Vec<tir::Stmt>) -> Option<Comm> {
        let receive = |e: &Expr| matches!(e.unparen().kind, E::Unary { op, .. } if op == ast::UnaryOp::Receive);
        match &s.kind {
            S::Send {
                channel,
                value,
                op_span,
            } => {
                let (c, v) = self.send_operands(channel, value, *op_span)?;
                Some(Comm::Send(c, v))
            }
            S::Expr(e) if receive(e) => {
                let (c, ..) = self.receive_channel(e)?;
                Some(Comm::Recv(c, None, None))
            }
            S::Define { names, right, .. } if right.len() == 1 && receive(&right[0]) => {
                let (c, elem) = self.receive_channel(&right[0])?;
                let tys = [elem, Basic::Bool.ty()];
                let mut locals: [Option<LocalId>; 2] = [None, None];
                for (i, n) in names.iter().take(2).enumerate() {
                    if !self.is_blank(n.name) {
                        let (_, local) = self.declare_var(*n, tys[i]);
                        locals[i] = Some(local);
                    }
                }
                Some(Comm::Recv(c, locals[0], locals[1]))
            }
            S::Assign { left, right, .. } if right.len() == 1 && receive(&right[0]) => {
                let (c, elem) = self.receive_channel(&right[0])?;
                let tys = [elem, Basic::Bool.ty()];
                let mut locals: [Option<LocalId>; 2] = [None, None];
                for (i, l) in left.iter().take(2).enumerate() {
                    let local = self.temp(tys[i]);
                    locals[i] = Some(local);
                    let value = self.local_expr(local, tys[i], l.span);
                    self.assign_value(l, value, "assignment", body);
                }
                super::range::in_parallel(body);
                Some(Comm::Recv(c, locals[0], locals[1]))
            }
            _ => {
                self.err(
                    Code::InvalidSelect,
                    s.span,
                    "select case must be send or receive (possibly with assignment)",
                );
                None
            }
        }
    }

    fn receive_channel(&mut self, e: &Expr) -> Option<(tir::Expr, Ty)> {
        let x = self.expr(e, None);
        if !x.is_valid() {
            return None;
        }
        match x.tir.kind {
            ExprKind::Recv(c, _) => Some((*c, x.ty)),
            _ => None,
        }
    }
}
