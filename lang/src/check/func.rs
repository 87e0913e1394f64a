//! Function contexts: locals, captures, jump targets; checking declared bodies.
use super::names::Use;
use super::object::{ObjId, ObjKind, State, VarRef};
use super::operand::ex;
use super::{Checker, Dep, Env, INVALID};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, Ident};
use crate::syntax::symbol::Symbol;
use crate::tir::{self, LabelId, LocalId};
use crate::types::ty::{FuncId, PkgId, Signature, Ty, TyKind};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// What is known about a local besides its `tir::Local`.
#[derive(Clone, Copy, Debug)]
pub(super) struct VarInfo {
    /// The variable itself; of captures that of an outer context.
    pub origin: VarRef,
    pub assigned: bool,
    pub captured: bool,
    pub address: bool,
}

/// A statement that `break` or `continue` may name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub label: Option<Symbol>,
    pub id: LabelId,
    pub is_loop: bool,
    /// The range-over-func loop whose body is the context that follows.
    pub func_loop: bool,
}

/// How control leaves the body of a range-over-func loop other than to the next iteration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
    /// Of a target of the context with this depth.
    Break {
        depth: u32,
        id: LabelId,
    },
    Continue {
        depth: u32,
        id: LabelId,
    },
    Goto {
        depth: u32,
        label: Symbol,
    },
    Return,
}

/// The function whose body is being checked. Literals nest.
#[derive(Default)]
pub(super) struct FnCtx {
    pub name: String,
    pub locals: Vec<tir::Local>,
    pub info: Vec<VarInfo>,
    pub captures: Vec<tir::Capture>,
    pub inner: FxHashMap<VarRef, LocalId>,
    pub params: Vec<LocalId>,
    pub results: Vec<LocalId>,
    pub result_tys: Vec<Ty>,
    pub named_results: Vec<ObjId>,
    pub labels: u32,
    pub targets: Vec<Target>,
    pub goto_labels: FxHashMap<Symbol, LabelId>,
    pub has_defer: bool,
    pub closures: u32,
    /// Local variable objects, for "declared and not used".
    pub vars: Vec<ObjId>,
    /// The body of a range-over-func loop: exits so far, and the variable (of the enclosing
    /// context) that says which one was taken.
    pub range: Option<RangeFunc>,
    /// Where a range-over-func body's deferred calls are collected.
    pub deferred: Option<VarRef>,
    /// Function literals are in the body.
    pub has_closures: bool,
    pub stmts: Vec<tir::Stmt>,
}

#[derive(Clone, Debug)]
pub(super) struct RangeFunc {
    pub code: VarRef,
    pub exits: Vec<Exit>,
}

impl Checker {
    pub(super) fn depth(&self) -> u32 {
        self.env.fns.len() as u32 - 1
    }

    pub(super) fn ctx(&mut self) -> &mut FnCtx {
        self.env
            .fns
            .last_mut()
            .expect("expressions are checked inside a function context")
    }

    pub(super) fn new_label(&mut self) -> LabelId {
        let ctx = self.ctx();
        ctx.labels += 1;
        LabelId(ctx.labels - 1)
    }

    pub(super) fn new_local(&mut self, name: &str, ty: Ty) -> LocalId {
        let depth = self.depth();
        let ctx = self.ctx();
        let id = LocalId(ctx.locals.len() as u32);
        ctx.locals.push(tir::Local {
            name: name.into(),
            ty,
            boxed: false,
        });
        ctx.info.push(VarInfo {
            origin: VarRef { depth, local: id },
            assigned: false,
            captured: false,
            address: false,
        });
        id
    }

    pub(super) fn temp(&mut self, ty: Ty) -> LocalId {
        self.new_local("", ty)
    }

    /// `let tmp = e`, and the temporary as an expression.
    pub(super) fn spill(&mut self, e: tir::Expr, out: &mut Vec<tir::Stmt>) -> tir::Expr {
        let (ty, span) = (e.ty, e.span);
        let local = self.temp(ty);
        out.push(tir::Stmt {
            span,
            kind: tir::StmtKind::Let(vec![local], Some(e)),
        });
        ex(ty, span, tir::ExprKind::Local(local))
    }

    /// Evaluates several values together into temporaries.
    pub(super) fn spill_all(
        &mut self,
        values: Vec<tir::Expr>,
        span: Span,
        out: &mut Vec<tir::Stmt>,
    ) -> Vec<tir::Expr> {
        let values = match <[tir::Expr; 1]>::try_from(values) {
            Ok([one]) => return vec![self.spill(one, out)],
            Err(values) => values,
        };
        if values.is_empty() {
            return values;
        }
        let places: Vec<(LocalId, Ty, Span)> = values
            .iter()
            .map(|v| (self.temp(v.ty), v.ty, v.span))
            .collect();
        let locals = places.iter().map(|p| p.0).collect();
        let tuple = self.tuple_of(values, span);
        out.push(tir::Stmt {
            span,
            kind: tir::StmtKind::Let(locals, Some(tuple)),
        });
        let local = |(l, ty, span)| ex(ty, span, tir::ExprKind::Local(l));
        places.into_iter().map(local).collect()
    }

    /// Several values as one.
    pub(super) fn tuple_of(&mut self, values: Vec<tir::Expr>, span: Span) -> tir::Expr {
        let tys: Vec<Ty> = values.iter().map(|v| v.ty).collect();
        let ty = self.a.types.tuple(&tys);
        ex(ty, span, tir::ExprKind::Tuple(values))
    }

    /// The local of this context that stands for a variable of this or an outer one.
    pub(super) fn local_of(&mut self, var: VarRef) -> LocalId {
        let depth = self.depth();
        if var.depth == depth {
            return var.local;
        }
        self.env.fns[var.depth as usize].info[var.local.0 as usize].captured = true;
        let outer = var.local;
        let mut current = outer;
        for d in var.depth + 1..=depth {
            if let Some(&inner) = self.env.fns[d as usize].inner.get(&var) {
                current = inner;
                continue;
            }
            let local = self.env.fns[d as usize - 1].locals[current.0 as usize].clone();
            let ctx = &mut self.env.fns[d as usize];
            let inner = LocalId(ctx.locals.len() as u32);
            ctx.locals.push(local);
            ctx.info.push(VarInfo {
                origin: var,
                assigned: false,
                captured: false,
                address: false,
            });
            ctx.captures.push(tir::Capture {
                outer: current,
                inner,
            });
            ctx.inner.insert(var, inner);
            current = inner;
        }
        current
    }

    pub(super) fn var_expr(&mut self, var: VarRef, span: Span) -> tir::Expr {
        let ty = self.env.fns[var.depth as usize].locals[var.local.0 as usize].ty;
        let local = self.local_of(var);
        ex(ty, span, tir::ExprKind::Local(local))
    }

    fn root_info(&mut self, local: LocalId) -> &mut VarInfo {
        let origin = self.ctx().info[local.0 as usize].origin;
        &mut self.env.fns[origin.depth as usize].info[origin.local.0 as usize]
    }

    pub(super) fn mark_assigned(&mut self, place: &tir::Expr) {
        match &place.kind {
            tir::ExprKind::Local(l) => self.root_info(*l).assigned = true,
            tir::ExprKind::Field(x, _) => self.mark_assigned(x),
            tir::ExprKind::Index(x, _) if self.is_array(x.ty) => self.mark_assigned(x),
            _ => {}
        }
    }

    pub(super) fn mark_address(&mut self, place: &tir::Expr) {
        match &place.kind {
            tir::ExprKind::Local(l) => self.root_info(*l).address = true,
            tir::ExprKind::Field(x, _) => self.mark_address(x),
            tir::ExprKind::Index(x, _) if self.is_array(x.ty) => self.mark_address(x),
            _ => {}
        }
    }

    fn is_array(&self, t: Ty) -> bool {
        // A type parameter may stand for an array.
        matches!(self.a.types.under(t), TyKind::Array(..) | TyKind::Param(_))
    }

    pub(super) fn open_scope(&mut self) {
        let at = self.env.scope.len();
        self.env.scope_starts.push(at);
    }

    pub(super) fn close_scope(&mut self) {
        if let Some(at) = self.env.scope_starts.pop() {
            self.env.scope.truncate(at);
        }
    }

    /// The name's object in the innermost scope.
    pub(super) fn in_scope(&self, name: Symbol) -> Option<ObjId> {
        let start = self.env.scope_starts.last().copied().unwrap_or(0);
        let found = self.env.scope[start..]
            .iter()
            .rev()
            .find(|(n, _)| *n == name);
        found.map(|(_, id)| *id)
    }

    /// Declares a local object; `_` only makes it.
    pub(super) fn declare_local(&mut self, name: Ident, kind: ObjKind) -> ObjId {
        let is_var = matches!(kind, ObjKind::Local(..));
        let pkg = self.env.pkg;
        let id = self
            .a
            .object(name.name, name.span, pkg, kind, State::Black, None);
        if self.is_blank(name.name) {
            return id;
        }
        if let Some(other) = self.in_scope(name.name) {
            self.redeclared(name, other);
        }
        if is_var {
            self.record_shadowing(name.name, id);
        }
        self.env.scope.push((name.name, id));
        if is_var {
            self.ctx().vars.push(id);
        }
        id
    }

    /// A local variable and its object.
    pub(super) fn declare_var(&mut self, name: Ident, ty: Ty) -> (ObjId, LocalId) {
        let text = self.name(name.name).to_string();
        let local = self.new_local(&text, ty);
        let depth = self.depth();
        let id = self.declare_local(name, ObjKind::Local(VarRef { depth, local }, ty));
        (id, local)
    }

    pub(super) fn report_unused(&mut self, vars: &[ObjId]) {
        if self.interactive {
            return;
        }
        for &v in vars {
            let o = self.obj(v);
            if o.used || self.is_blank(o.name) {
                continue;
            }
            let (span, name) = (o.span, self.name(o.name).to_string());
            let message = format!("declared and not used: {name}");
            self.err(Code::UnusedVariable, span, message);
        }
    }

    /// Replaces the environment for something declared elsewhere, and puts it back.
    pub(super) fn in_env<R>(&mut self, env: Env, f: impl FnOnce(&mut Checker) -> R) -> (R, Env) {
        let saved = std::mem::replace(&mut self.env, env);
        let result = f(self);
        (result, std::mem::replace(&mut self.env, saved))
    }

    pub(super) fn file_env(&self, file: u32) -> Env {
        Env {
            pkg: Some(self.file_pkgs[file as usize]),
            file: Some(file),
            fns: vec![FnCtx::default()],
            ..Env::default()
        }
    }

    /// The body of a function, checked when first asked for.
    pub(super) fn checked_body(&mut self, f: FuncId) -> Rc<tir::Body> {
        if let Some(body) = &self.funcs[f.0 as usize].body {
            return body.clone();
        }
        self.resolve_func(f);
        let Some((file, decl)) = self.funcs[f.0 as usize].source else {
            unreachable!("synthesised functions have bodies");
        };
        let ast = self.files[file as usize].clone();
        let ast::DeclKind::Func(d) = &ast.decls[decl as usize].kind else {
            unreachable!("functions come from function declarations");
        };
        let env = self.file_env(file);
        let (body, env) = self.in_env(env, |c| c.check_func_decl(f, d));
        let info = &mut self.funcs[f.0 as usize];
        info.deps = env.deps;
        let body = Rc::new(body);
        info.body = Some(body.clone());
        body
    }

    fn check_func_decl(&mut self, f: FuncId, d: &ast::FuncDecl) -> tir::Body {
        let info = &self.funcs[f.0 as usize];
        let (sig, name) = (info.sig, info.decl.name.clone());
        let recv_ty = match &d.receiver {
            Some(_) => info.decl.params.first().copied(),
            None => None,
        };
        self.env.fns = vec![FnCtx {
            name,
            ..FnCtx::default()
        }];
        self.open_scope();
        self.bind_type_params(f, d);
        if let (Some(recv), Some(ty)) = (&d.receiver, recv_ty) {
            let name = recv.names.first().copied();
            self.declare_param(name, ty);
        }
        let body = d.body.as_ref();
        self.function_body(sig, &d.ty, body);
        self.close_scope();
        let ctx = self.env.fns.pop().unwrap_or_default();
        let end = body.map_or(d.span.end(), |b| b.rbrace());
        let (mut body, closures) = ctx.into_body(d.span, end);
        super::fixup::settle_captures(&mut body, closures);
        if cfg!(debug_assertions) && !self.diagnostics.has_errors() {
            let broken = tir::verify::verify(&body, &self.a.types);
            assert!(
                broken.is_empty(),
                "{}\n{}",
                broken.join("\n"),
                tir::dump::dump(&body, &self.a.types, &self.a.names)
            );
        }
        body
    }

    fn declare_param(&mut self, name: Option<Ident>, ty: Ty) {
        let local = match name {
            Some(n) => {
                let (obj, local) = self.declare_var(n, ty);
                self.obj_mut(obj).used = true;
                local
            }
            None => self.new_local("", ty),
        };
        self.ctx().params.push(local);
    }

    /// Declares parameters and results in the current scope and checks the body; leaves statements
    /// in `FnCtx`.
    pub(super) fn function_body(&mut self, sig: Ty, ty: &ast::FuncType, body: Option<&ast::Block>) {
        let TyKind::Func(sig) = self.a.types.kind(sig).clone() else {
            return;
        };
        self.declare_signature(&sig, ty);
        let Some(body) = body else {
            return;
        };
        self.check_label_rules(&body.stmts, body.span);
        let mut stmts = Vec::new();
        self.declare_goto_labels(&body.stmts);
        self.stmts(&body.stmts, &mut stmts);
        if !sig.results.is_empty() && !self.terminates(body) {
            self.err(Code::MissingReturn, body.rbrace(), "missing return");
        }
        let vars = std::mem::take(&mut self.ctx().vars);
        self.report_unused(&vars);
        let mut all = self.deferred_prologue(body.span.start());
        all.append(&mut stmts);
        self.ctx().stmts = all;
    }

    fn declare_signature(&mut self, sig: &Signature, ty: &ast::FuncType) {
        let mut at = 0;
        for p in &ty.params {
            for i in 0..p.names.len().max(1) {
                let t = sig.params.get(at).copied().unwrap_or(INVALID);
                self.declare_param(p.names.get(i).copied(), t);
                at += 1;
            }
        }
        let mut at = 0;
        for r in &ty.results {
            for i in 0..r.names.len().max(1) {
                let t = sig.results.get(at).copied().unwrap_or(INVALID);
                let local = match r.names.get(i) {
                    Some(n) => {
                        let (obj, local) = self.declare_var(*n, t);
                        self.obj_mut(obj).used = true;
                        self.ctx().named_results.push(obj);
                        local
                    }
                    None => self.new_local("", t),
                };
                // Every `return` assigns it.
                self.ctx().info[local.0 as usize].assigned = true;
                self.ctx().results.push(local);
                at += 1;
            }
        }
        self.ctx().result_tys = sig.results.clone();
    }

    pub(super) fn terminates(&self, body: &ast::Block) -> bool {
        let panic = self.a.names.interner.find("panic");
        let is_panic = |e: &ast::Expr| match e.unparen().kind {
            ast::ExprKind::Ident(s) => Some(s) == panic && self.names_builtin_panic(s),
            _ => false,
        };
        super::returns::is_terminating(body, &is_panic)
    }

    fn names_builtin_panic(&self, s: Symbol) -> bool {
        // Shadowing inside the body cannot be seen any more; at package level it can.
        self.lookup_name(s)
            .is_some_and(|id| matches!(self.obj(id).kind, ObjKind::Builtin(_)))
    }

    pub(super) fn check_label_rules(&mut self, stmts: &[ast::Stmt], span: Span) {
        // As Go does, not where literals are malformed.
        if self.malformed.iter().any(|m| m.overlaps(span)) {
            return;
        }
        let sources = &self.sources;
        let context = super::labels::Context {
            names: &self.a.names.interner,
            position: &|s| sources.position(s),
        };
        let found = super::labels::check_labels(stmts, span, &context);
        for (at, declared) in found.uses {
            self.note_name(at, Use::Label(declared));
        }
        for e in found.errors {
            self.diagnostics
                .push(Diagnostic::error(Code::Label, e.span, e.message));
        }
    }

    /// The body of a synthesised function.
    pub(super) fn synthesise(
        &mut self,
        name: String,
        pkg: PkgId,
        span: Span,
        build: impl FnOnce(&mut Checker) -> Vec<tir::Stmt>,
    ) -> FuncId {
        let env = Env {
            pkg: Some(pkg),
            fns: vec![FnCtx {
                name: name.clone(),
                ..FnCtx::default()
            }],
            ..Env::default()
        };
        let (body, env) = self.in_env(env, |c| {
            let stmts = build(c);
            let mut ctx = c.env.fns.pop().unwrap_or_default();
            ctx.stmts = stmts;
            let (mut body, closures) = ctx.into_body(span, span);
            super::fixup::settle_captures(&mut body, closures);
            body
        });
        self.add_synthesised(name, pkg, span, body, env.deps)
    }

    pub(super) fn add_synthesised(
        &mut self,
        name: String,
        pkg: PkgId,
        span: Span,
        body: tir::Body,
        deps: Vec<Dep>,
    ) -> FuncId {
        let id = FuncId(self.funcs.len() as u32);
        let sig = self.func_type(vec![], vec![], false);
        self.funcs.push(super::FuncInfo {
            decl: tir::FuncDecl {
                name,
                pkg,
                span,
                params: vec![],
                results: vec![],
                type_params: vec![],
                kind: tir::FuncKind::Body,
            },
            sig,
            source: None,
            recv: None,
            resolved: true,
            body: Some(Rc::new(body)),
            deps,
        });
        id
    }

    pub(super) fn func_type(&mut self, params: Vec<Ty>, results: Vec<Ty>, variadic: bool) -> Ty {
        self.a.types.intern(TyKind::Func(Rc::new(Signature {
            params,
            results,
            variadic,
        })))
    }
}

impl FnCtx {
    /// The finished body, and whether function literals are in it.
    pub(super) fn into_body(mut self, span: Span, end: Span) -> (tir::Body, bool) {
        for (local, info) in self.locals.iter_mut().zip(&self.info) {
            local.boxed = info.address || (info.captured && info.assigned);
        }
        let body = tir::Body {
            name: self.name,
            params: self.params,
            results: self.results,
            locals: self.locals,
            captures: self.captures,
            stmts: self.stmts,
            labels: self.labels,
            span,
            end,
            has_defer: self.has_defer,
            wrapper: false,
            value_method: false,
        };
        (body, self.has_closures)
    }
}
