//! Expressions: dispatch, identifiers, literals, assertions, dereferences.
use super::names::Use;
use super::object::{ObjId, ObjKind, State};
use super::operand::{Generic, Mode, Operand, Via};
use super::{Checker, Dep, INVALID};
use crate::codes::Code;
use crate::syntax::ast::{self, Expr, ExprKind as E, LiteralKind};
use crate::tir::{self, ExprKind};
use crate::types::constant::Value;
use crate::types::ty::{Basic, Ty, TyKind};

impl Checker {
    /// An expression with one value. `hint` is the type of a composite literal that has none.
    pub(super) fn expr<'e>(&mut self, e: &'e Expr, hint: Option<Ty>) -> Operand<'e> {
        let x = self.raw_expr(e, hint);
        let x = self.single_value(x);
        if x.mode == Mode::Invalid {
            return Operand::invalid(e.span);
        }
        x
    }

    /// Checks an expression for its errors and uses only.
    pub(super) fn use_expr(&mut self, e: &Expr) -> bool {
        self.raw_expr(e, None).is_valid()
    }

    /// Any expression: a type, a tuple, a call without results too.
    pub(super) fn raw_expr<'e>(&mut self, e: &'e Expr, hint: Option<Ty>) -> Operand<'e> {
        let mut x = self.expr_kind(e, hint);
        x.ast = Some(e);
        x.span = e.span;
        x.tir.span = e.span;
        if !matches!(x.mode, Mode::Invalid | Mode::Type) && !self.is_usable(x.ty) {
            return Operand::invalid(e.span);
        }
        self.record_expr(e, &x);
        x
    }

    /// Values have a complete type. A value of a type that is being declared is a cycle, reported
    /// here; one of a type in error is left alone.
    pub(super) fn is_usable(&mut self, ty: Ty) -> bool {
        let TyKind::Named(n) = *self.a.types.kind(ty) else {
            return true;
        };
        if self.a.types.underlying(ty) != INVALID {
            return true;
        }
        let origin = self.a.types.type_args(n).0;
        if !self.incomplete.contains(&origin) {
            return false;
        }
        // A type that only waits for others is not in a cycle with this expression.
        let obj = self.named_objs.get(&origin).copied();
        let at = obj.and_then(|o| self.path.iter().position(|p| *p == o));
        match (at, obj) {
            (Some(at), _) => {
                let cycle = self.path[at..].to_vec();
                self.report_cycle(&cycle);
            }
            (None, Some(obj)) if self.obj(obj).decl.is_none() => self.report_cycle(&[obj]),
            _ => {}
        }
        false
    }

    fn expr_kind<'e>(&mut self, e: &'e Expr, hint: Option<Ty>) -> Operand<'e> {
        match &e.kind {
            E::Bad => Operand::invalid(e.span),
            E::Ident(name) => self.ident(e, *name),
            E::Literal(l) => self.literal(e, l),
            E::Composite(c) => self.composite(e, c, hint),
            E::FuncLit(f) => self.func_lit(e, f),
            E::Paren(x) => {
                let x = self.raw_expr(x, hint);
                if let Mode::Builtin(_) = x.mode {
                    return x;
                }
                x
            }
            E::Selector { operand, name } => {
                let selected = self.selector(e, operand, *name);
                self.selected_value(e, selected)
            }
            E::Index { operand, args } => self.index(e, operand, args),
            E::Slice(s) => self.slice_expr(e, s),
            E::TypeAssert { operand, ty } => self.type_assertion(e, operand, ty.as_deref()),
            E::Call(c) => self.call(e, c),
            E::Star(x) => self.star(e, x),
            E::Unary { op, operand } => self.unary(e, *op, operand, hint),
            E::Binary(b) => self.binary(e, b, None),
            E::KeyValue { value, .. } => {
                self.use_expr(value);
                self.err(Code::NotAnExpression, e.span, "no key:value expected");
                Operand::invalid(e.span)
            }
            E::ArrayType { .. }
            | E::SliceType(_)
            | E::MapType { .. }
            | E::ChanType { .. }
            | E::FuncType(_)
            | E::StructType(_)
            | E::InterfaceType(_) => match self.typ(e) {
                INVALID => Operand::invalid(e.span),
                ty => Operand::of_type(ty, e.span),
            },
        }
    }

    fn ident<'e>(&mut self, e: &'e Expr, name: crate::syntax::symbol::Symbol) -> Operand<'e> {
        // In a session it is the last value.
        if self.is_blank(name) && !(self.interactive && self.lookup_name(name).is_some()) {
            self.err(Code::Undefined, e.span, "cannot use _ as value or type");
            return Operand::invalid(e.span);
        }
        let Some(id) = self.lookup_name(name) else {
            let text = self.name(name).to_string();
            self.err(Code::Undefined, e.span, format!("undefined: {text}"));
            return Operand::invalid(e.span);
        };
        if let (Some(file), Some(pkg)) = (self.env.file, self.obj(id).pkg)
            && let Some(used) = self.dot_imports.get_mut(&(file, pkg))
        {
            *used = true;
        }
        if id == self.universe.iota {
            return match self.env.iota {
                Some(n) => Operand::constant(Basic::UntypedInt.ty(), Value::int(n), e.span),
                None => {
                    let message = "cannot use iota outside constant declaration";
                    self.err(Code::Undefined, e.span, message);
                    Operand::invalid(e.span)
                }
            };
        }
        if let ObjKind::Package(_) = self.obj(id).kind {
            let text = self.name(name).to_string();
            let message = format!("use of package {text} not in selector");
            self.err(Code::Undefined, e.span, message);
            return Operand::invalid(e.span);
        }
        self.object_operand(e, id)
    }

    /// The object as an operand; package-level ones are resolved first.
    pub(super) fn object_operand<'e>(&mut self, e: &'e Expr, id: ObjId) -> Operand<'e> {
        if self.obj(id).state != State::Black {
            self.resolve(id);
        }
        self.obj_mut(id).used = true;
        self.note_use(e, Use::Object(id));
        let span = e.span;
        match self.obj(id).kind.clone() {
            ObjKind::Unresolved => {
                if self.obj(id).decl.is_none() {
                    let text = self.name(self.obj(id).name).to_string();
                    self.err(Code::Undefined, span, format!("undefined: {text}"));
                } else {
                    self.depend(Dep::Var(id));
                }
                Operand::invalid(span)
            }
            ObjKind::Bad | ObjKind::Package(_) => Operand::invalid(span),
            ObjKind::GenericAlias(_) => {
                let text = self.text(e);
                let message = format!("cannot use generic type {text} without instantiation");
                self.err(Code::Generic, span, message);
                Operand::invalid(span)
            }
            ObjKind::Const(ty, v) => match ty {
                INVALID => Operand::invalid(span),
                ty => Operand::constant(ty, v, span),
            },
            ObjKind::Type(INVALID) => Operand::invalid(span),
            ObjKind::Type(ty) => Operand::of_type(ty, span),
            ObjKind::Global(g) => {
                self.depend(Dep::Var(id));
                let ty = self.globals[g.0 as usize].ty;
                match ty {
                    INVALID => Operand::invalid(span),
                    ty => Operand::new(Mode::Var, ty, span, ExprKind::Global(g)),
                }
            }
            ObjKind::Local(var, ty) => {
                if ty == INVALID {
                    return Operand::invalid(span);
                }
                let tir = self.var_expr(var, span);
                Operand::new(Mode::Var, ty, span, tir.kind)
            }
            ObjKind::Func(f) => {
                self.depend(Dep::Func(f));
                self.resolve_func(f);
                let info = &self.funcs[f.0 as usize];
                let func = tir::FuncRef {
                    func: f,
                    targs: vec![],
                };
                let mut x = Operand::value(info.sig, span, ExprKind::Func(func.clone()));
                if !info.decl.type_params.is_empty() {
                    x.generic = Some(Box::new(Generic {
                        func,
                        inherited: 0,
                        via: Via::Function,
                    }));
                }
                x
            }
            ObjKind::Builtin(b) => Operand::new(Mode::Builtin(b), INVALID, span, ExprKind::Zero),
            ObjKind::Nil => Operand::new(Mode::Nil, Basic::UntypedNil.ty(), span, ExprKind::Zero),
        }
    }

    fn literal<'e>(&mut self, e: &'e Expr, l: &ast::Literal) -> Operand<'e> {
        let text = self.a.names.resolve(l.text);
        let ty = match l.kind {
            LiteralKind::Int => Basic::UntypedInt,
            LiteralKind::Float => Basic::UntypedFloat,
            LiteralKind::Imaginary => Basic::UntypedComplex,
            LiteralKind::Rune => Basic::UntypedRune,
            LiteralKind::String => Basic::UntypedString,
        };
        match Value::parse_literal(l.kind, text) {
            Ok(v) if v.is_oversized() => {
                let message = "constant overflow".to_string();
                self.err(Code::ConstantOverflow, e.span, message);
                Operand::invalid(e.span)
            }
            Ok(v) => Operand::constant(ty.ty(), v, e.span),
            // Malformed: the lexer has said so.
            Err(_)
                if self
                    .diagnostics
                    .iter()
                    .any(|d| d.primary.span.overlaps(e.span)) =>
            {
                Operand::invalid(e.span)
            }
            Err(_) => {
                let message = format!("malformed constant: {text}");
                self.err(Code::ConstantOverflow, e.span, message);
                Operand::invalid(e.span)
            }
        }
    }

    fn star<'e>(&mut self, e: &'e Expr, inner: &'e Expr) -> Operand<'e> {
        let x = self.raw_expr(inner, None);
        if x.mode == Mode::Invalid {
            return Operand::invalid(e.span);
        }
        if x.mode == Mode::Type {
            if self.typ(inner) == INVALID {
                return Operand::invalid(e.span);
            }
            let ty = self.a.types.pointer(x.ty);
            return Operand::of_type(ty, e.span);
        }
        let x = self.single_value(x);
        if !x.is_valid() {
            return Operand::invalid(e.span);
        }
        if x.is_nil() {
            let message = "invalid operation: cannot indirect nil";
            self.err(Code::InvalidOperation, x.span, message);
            return Operand::invalid(e.span);
        }
        let core = self.a.types.core_type(x.ty);
        match core.and_then(|t| self.a.types.pointee(t)) {
            Some(elem) => {
                let p = self.emit(x);
                Operand::new(Mode::Var, elem, e.span, ExprKind::Deref(Box::new(p)))
            }
            None => {
                let text = self.describe(&x);
                let message = format!("invalid operation: cannot indirect {text}");
                self.err(Code::InvalidOperation, x.span, message);
                Operand::invalid(e.span)
            }
        }
    }

    fn type_assertion<'e>(
        &mut self,
        e: &'e Expr,
        operand: &'e Expr,
        ty: Option<&'e Expr>,
    ) -> Operand<'e> {
        let x = self.expr(operand, None);
        let Some(ty) = ty else {
            let message = "invalid syntax tree: use of .(type) outside type switch";
            self.err(Code::InvalidOperation, e.span, message);
            return Operand::invalid(e.span);
        };
        if !x.is_valid() {
            self.typ(ty);
            return Operand::invalid(e.span);
        }
        if self.a.types.is_param(x.ty) {
            let text = self.describe(&x);
            let message = format!(
                "invalid operation: cannot use type assertion on type parameter value {text}"
            );
            self.err(Code::InvalidOperation, x.span, message);
            return Operand::invalid(e.span);
        }
        if !self.a.types.is_interface(x.ty) {
            let text = self.describe(&x);
            let message = format!("invalid operation: {text} is not an interface");
            self.err(Code::InvalidOperation, x.span, message);
            return Operand::invalid(e.span);
        }
        let t = self.var_typ(ty);
        if t == INVALID {
            return Operand::invalid(e.span);
        }
        if let Some(cause) = self.impossible_assertion(x.ty, t) {
            let (text, ts, xs) = (self.text(e), self.ty_str(t), self.ty_str(x.ty));
            let message = format!(
                "impossible type assertion: {text}\n\t{ts} does not implement {xs} {cause}"
            );
            self.err(Code::ImpossibleAssertion, e.span, message);
            return Operand::invalid(e.span);
        }
        let value = self.emit(x);
        let kind = ExprKind::TypeAssert(Box::new(value), t, false);
        Operand::new(Mode::CommaOk, t, e.span, kind)
    }

    /// Why a concrete type can never be in an interface.
    pub(super) fn impossible_assertion(&mut self, iface: Ty, t: Ty) -> Option<String> {
        if self.a.types.is_interface(t) || self.a.types.is_param(t) {
            return None;
        }
        self.flush_pending();
        let pkg = self.pkg();
        match self.a.types.implements(t, iface, false) {
            Ok(()) => None,
            Err(crate::types::implements::Missing::Methods(list)) => {
                let first = list
                    .iter()
                    .min_by_key(|m| self.name(m.method.name).to_string())?;
                let first = first.clone();
                Some(
                    self.a
                        .types
                        .missing_method_cause(t, &first, &self.a.names, pkg),
                )
            }
            Err(_) => Some(String::new()),
        }
    }

    /// The tuple form `(value, ok)` of an operand that has one.
    pub(super) fn comma_ok(&mut self, x: Operand) -> Option<tir::Expr> {
        let tuple = self.a.types.tuple(&[x.ty, Basic::Bool.ty()]);
        let span = x.span;
        let kind = match x.tir.kind {
            ExprKind::MapIndex(m, k, _) => ExprKind::MapIndex(m, k, true),
            ExprKind::TypeAssert(v, t, _) => ExprKind::TypeAssert(v, t, true),
            ExprKind::Recv(c, _) => ExprKind::Recv(c, true),
            _ => return None,
        };
        Some(super::operand::ex(tuple, span, kind))
    }

    pub(super) fn is_generic_named(&self, t: Ty) -> bool {
        match self.a.types.kind(t) {
            TyKind::Named(n) => self.a.types.is_generic(*n),
            _ => false,
        }
    }
}
