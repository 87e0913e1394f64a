//! Selectors: qualified identifiers, fields, methods, method values and method expressions.
use super::names::Use;
use super::object::ObjKind;
use super::operand::{Generic, Mode, Operand, Via, ex, st};
use super::{Checker, Dep, INVALID};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind as E, Ident};
use crate::tir::{self, Callee, ExprKind, build};
use crate::types::lookup::{Hint, Lookup, MethodKind, MethodSel, Step};
use crate::types::ty::{PkgId, Ty, TyKind};
use std::rc::Rc;

/// What a selector turned out to be.
pub(super) enum Selected<'e> {
    Operand(Operand<'e>),
    /// A method with its receiver, ready for a call.
    Method(BoundMethod),
}

/// A method and the receiver argument it takes.
#[derive(Clone, Debug)]
pub(super) struct BoundMethod {
    pub sel: MethodSel,
    /// Concrete methods: the first argument. Others: the interface or type parameter value.
    pub recv: tir::Expr,
}

impl BoundMethod {
    /// The callee, and the arguments before the declared ones.
    pub fn callee(self) -> (Callee, Vec<tir::Expr>) {
        match self.sel.kind {
            MethodKind::Concrete { func, .. } => (Callee::Static(func), vec![self.recv]),
            MethodKind::Interface(m) => (Callee::Interface(Box::new(self.recv), m), vec![]),
            MethodKind::Param(m) => (Callee::Param(Box::new(self.recv), m), vec![]),
        }
    }
}

impl Checker {
    pub(super) fn selector<'e>(
        &mut self,
        e: &'e Expr,
        operand: &'e Expr,
        name: Ident,
    ) -> Selected<'e> {
        let invalid = Selected::Operand(Operand::invalid(e.span));
        if let Some(q) = operand.as_ident()
            && let Some(id) = self.lookup_name(q.name)
            && let ObjKind::Package(pkg) = self.obj(id).kind
        {
            self.obj_mut(id).used = true;
            self.note_use(operand, Use::Object(id));
            return Selected::Operand(self.qualified(e, pkg, name));
        }
        let x = self.raw_expr(operand, None);
        if x.mode == Mode::Invalid {
            return invalid;
        }
        if self.is_blank(name.name) {
            self.err(
                Code::Undefined,
                name.span,
                "cannot refer to blank field or method",
            );
            return invalid;
        }
        if x.mode == Mode::Type {
            return Selected::Operand(self.method_expression(e, x, name));
        }
        if let Mode::Builtin(_) = x.mode {
            let text = self.describe(&x);
            let message = format!("invalid use of {text} in selector expression");
            self.err(Code::InvalidOperation, e.span, message);
            return invalid;
        }
        let x = self.single_value(x);
        if !x.is_valid() {
            return invalid;
        }
        let x = self.defaulted(x);
        if !x.is_valid() {
            return invalid;
        }
        if x.is_nil() {
            self.err(
                Code::InvalidOperation,
                x.span,
                "invalid use of nil in selector expression",
            );
            return invalid;
        }
        self.flush_pending();
        let addressable = x.mode == Mode::Var;
        let pkg = self.pkg();
        let ty = x.ty;
        match self
            .a
            .types
            .lookup_field_or_method(ty, addressable, pkg, name.name)
        {
            Lookup::Field(sel) => {
                self.note_field(name, ty, &sel.path);
                let is_var = addressable || sel.indirect;
                let value = self.emit(x);
                let value = self.steps(value, &sel.path);
                let mode = match is_var {
                    true => Mode::Var,
                    false => Mode::Value,
                };
                if sel.ty == INVALID {
                    return invalid;
                }
                Selected::Operand(Operand::new(mode, sel.ty, e.span, value.kind))
            }
            Lookup::Method(sel) => {
                self.note_method(name, &sel);
                let value = self.emit(x);
                Selected::Method(self.bind_method(value, sel))
            }
            Lookup::NeedsPointer(_) => {
                let (m, t) = (self.name(name.name).to_string(), self.ty_str(ty));
                let message = format!("cannot call pointer method {m} on {t}");
                self.err(Code::InvalidOperation, name.span, message);
                invalid
            }
            Lookup::Ambiguous => {
                let (t, m) = (self.text(operand), self.name(name.name).to_string());
                let message = format!("ambiguous selector {t}.{m}");
                self.err(Code::Undefined, name.span, message);
                invalid
            }
            Lookup::NotFound if self.a.types.embeds_invalid(ty, &mut Vec::new()) => invalid,
            Lookup::NotFound => {
                self.not_found(operand, ty, name);
                invalid
            }
        }
    }

    fn not_found(&mut self, operand: &Expr, ty: Ty, name: Ident) {
        if self.a.types.embeds(ty, INVALID) {
            return;
        }
        let (x, m) = (self.text(operand), self.name(name.name).to_string());
        let why = self.not_found_cause(ty, name);
        self.err(
            Code::Undefined,
            name.span,
            format!("{x}.{m} undefined ({why})"),
        );
    }

    fn not_found_cause(&mut self, ty: Ty, name: Ident) -> String {
        let m = self.name(name.name).to_string();
        let pkg = self.pkg();
        let t = self.ty_str(ty);
        match self.a.types.lookup_hint(ty, pkg, &m, &self.a.names) {
            Hint::PointerToInterface => {
                format!("type {t} is pointer to interface, not interface")
            }
            Hint::PointerToParam => {
                format!("type {t} is pointer to type parameter, not type parameter")
            }
            Hint::Missing => format!("type {t} has no field or method {m}"),
            Hint::Misspelled { what, name } => {
                format!("type {t} has no field or method {m}, but does have {what} {name}")
            }
            Hint::Unexported { what, name } => {
                format!(
                    "type {t} has no field or method {m}, but does have unexported {what} {name}"
                )
            }
            Hint::Inaccessible { what, name } => {
                format!("cannot refer to unexported {what} {name}")
            }
        }
    }

    fn qualified<'e>(&mut self, e: &'e Expr, pkg: PkgId, name: Ident) -> Operand<'e> {
        let found = self.packages[pkg.0 as usize].scope.get(&name.name).copied();
        let text = self.text(e);
        match found {
            None => {
                self.err(Code::Undefined, name.span, format!("undefined: {text}"));
                Operand::invalid(e.span)
            }
            Some(_) if !self.exported(name.name) => {
                let (m, p) = (
                    self.name(name.name).to_string(),
                    self.a.names.packages[pkg.0 as usize].0.clone(),
                );
                let message = format!("name {m} not exported by package {p}");
                self.err(Code::Undefined, name.span, message);
                Operand::invalid(e.span)
            }
            Some(id) => self.object_operand(e, id),
        }
    }

    /// Goes through fields, pointers being followed.
    pub(super) fn steps(&mut self, mut value: tir::Expr, path: &[Step]) -> tir::Expr {
        for s in path {
            let span = value.span;
            if s.deref {
                let core = self.a.types.core_type(value.ty).unwrap_or(value.ty);
                let elem = self.a.types.pointee(core).unwrap_or(INVALID);
                value = ex(elem, span, ExprKind::Deref(Box::new(value)));
            }
            value = ex(s.ty, span, ExprKind::Field(Box::new(value), s.index));
        }
        value
    }

    /// The receiver argument for a method found by lookup.
    fn bind_method(&mut self, value: tir::Expr, sel: MethodSel) -> BoundMethod {
        if let MethodKind::Concrete { func, .. } = &sel.kind {
            self.depend(Dep::Func(func.func));
            self.resolve_func(func.func);
        }
        let recv = build::receiver(value, &sel, &mut self.a.types);
        match (&recv.kind, &sel.kind) {
            (ExprKind::AddrOf(place), _) => self.mark_address(place),
            // A method of the type argument may have a pointer receiver.
            (_, MethodKind::Param(_)) if !sel.is_ptr => self.mark_address(&recv),
            _ => {}
        }
        BoundMethod { sel, recv }
    }

    /// A selector as a value: a method becomes a closure over its receiver.
    pub(super) fn selected_value<'e>(&mut self, e: &'e Expr, s: Selected<'e>) -> Operand<'e> {
        let m = match s {
            Selected::Operand(x) => return x,
            Selected::Method(m) => m,
        };
        if let Some(g) = self.generic_method(&m) {
            let mut x = Operand::value(m.sel.sig, e.span, ExprKind::Zero);
            x.generic = Some(Box::new(g));
            return x;
        }
        self.method_value(e.span, m)
    }

    /// A method that has type parameters of its own.
    pub(super) fn generic_method(&self, m: &BoundMethod) -> Option<Generic> {
        let func = self.lacks_type_args(&m.sel)?;
        Some(Generic {
            inherited: func.targs.len(),
            func,
            via: Via::Method(m.clone()),
        })
    }

    fn lacks_type_args(&self, sel: &MethodSel) -> Option<tir::FuncRef> {
        let MethodKind::Concrete { func, .. } = &sel.kind else {
            return None;
        };
        let params = self.funcs[func.func.0 as usize].decl.type_params.len();
        (params > func.targs.len()).then(|| func.clone())
    }

    pub(super) fn method_value<'e>(&mut self, span: Span, m: BoundMethod) -> Operand<'e> {
        let sig = m.sel.sig;
        let mut stmts = Vec::new();
        let recv = self.spill(m.recv, &mut stmts);
        let ExprKind::Local(local) = recv.kind else {
            unreachable!("spilled values are locals");
        };
        if self.a.types.is_interface(recv.ty) && !self.a.types.is_param(recv.ty) {
            // A method value of a nil interface panics now, not when it is called.
            let check = ExprKind::TypeAssert(Box::new(recv.clone()), recv.ty, false);
            let check = ex(recv.ty, span, check);
            stmts.push(st(span, tir::StmtKind::Expr(check)));
        }
        let name = self.wrapper_name();
        let body = build::method_value(local, recv.ty, &m.sel, name, span, &mut self.a.types);
        let closure = ex(sig, span, ExprKind::Closure(Rc::new(body)));
        Operand::value(sig, span, ExprKind::Seq(stmts, Box::new(closure)))
    }

    /// `T.m`: a function whose first parameter is the receiver.
    fn method_expression<'e>(&mut self, e: &'e Expr, x: Operand<'e>, name: Ident) -> Operand<'e> {
        self.flush_pending();
        let t = x.ty;
        if !self.is_usable(t) {
            return Operand::invalid(e.span);
        }
        let bare = x.ast.map(|e| &e.unparen().kind);
        if matches!(bare, Some(E::Ident(_) | E::Selector { .. })) && self.is_generic_named(t) {
            let text = self.generic_str(t);
            let message = format!("cannot use generic type {text} without instantiation");
            self.err(Code::Generic, x.span, message);
            return Operand::invalid(e.span);
        }
        let pkg = self.pkg();
        let (ts, m) = (self.ty_str(t), self.name(name.name).to_string());
        let sel = match self
            .a
            .types
            .lookup_field_or_method(t, false, pkg, name.name)
        {
            Lookup::Method(sel) => sel,
            Lookup::NeedsPointer(_) => {
                let message = format!(
                    "invalid method expression {ts}.{m} (needs pointer receiver (*{ts}).{m})"
                );
                self.err(Code::InvalidOperation, name.span, message);
                return Operand::invalid(e.span);
            }
            Lookup::Ambiguous => {
                self.err(
                    Code::Undefined,
                    name.span,
                    format!("ambiguous selector {ts}.{m}"),
                );
                return Operand::invalid(e.span);
            }
            Lookup::Field(_) | Lookup::NotFound => {
                let text = x.ast.map_or(ts.clone(), |e| self.text(e));
                let why = match self
                    .a
                    .types
                    .lookup_field_or_method(t, false, pkg, name.name)
                {
                    Lookup::Field(_) => format!("type {ts} has no method {m}"),
                    _ => self
                        .not_found_cause(t, name)
                        .replace("has no field or method", "has no method"),
                };
                self.err(
                    Code::Undefined,
                    name.span,
                    format!("{text}.{m} undefined ({why})"),
                );
                return Operand::invalid(e.span);
            }
        };
        self.note_method(name, &sel);
        if let MethodKind::Concrete { func, .. } = &sel.kind {
            self.depend(Dep::Func(func.func));
            self.resolve_func(func.func);
        }
        if let Some(func) = self.lacks_type_args(&sel) {
            let ty = self.method_expression_type(t, &sel);
            let mut x = Operand::value(ty, e.span, ExprKind::Zero);
            x.generic = Some(Box::new(Generic {
                inherited: func.targs.len(),
                func,
                via: Via::Expression(t, sel),
            }));
            return x;
        }
        self.method_function(e.span, t, sel)
    }

    /// The type of a method expression: the receiver becomes the first parameter.
    fn method_expression_type(&mut self, t: Ty, sel: &MethodSel) -> Ty {
        let TyKind::Func(sig) = self.a.types.kind(sel.sig).clone() else {
            return INVALID;
        };
        let mut params = vec![t];
        params.extend(sig.params.iter().copied());
        self.func_type(params, sig.results.clone(), sig.variadic)
    }

    /// The function that a method expression is.
    pub(super) fn method_function<'e>(&mut self, span: Span, t: Ty, sel: MethodSel) -> Operand<'e> {
        let ty = self.method_expression_type(t, &sel);
        if ty == INVALID {
            return Operand::invalid(span);
        }
        if let MethodKind::Concrete { func, ptr_recv } = &sel.kind
            && sel.path.is_empty()
            && *ptr_recv == sel.is_ptr
        {
            return Operand::value(ty, span, ExprKind::Func(func.clone()));
        }
        let name = self.wrapper_name();
        let body = build::method_expression(t, &sel, name, span, &mut self.a.types);
        Operand::value(ty, span, ExprKind::Closure(Rc::new(body)))
    }
}
