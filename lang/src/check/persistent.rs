//! Builtins of persistent memory, and of memory layout: what can be stored, `pmem.Root` and its like,
//! `unsafe.Sizeof` and its like.
use super::convert::Context;
use super::object::Builtin;
use super::operand::{Operand, ex};
use super::{Checker, INVALID};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind as E};
use crate::tir::{self, ExprKind};
use crate::types::constant::Value;
use crate::types::layout::MAX_SIZE;
use crate::types::ty::{Basic, Ty, TyKind};

impl Checker {
    /// Functions, channels and unsafe.Pointer cannot be stored in the persistent heap.
    pub(super) fn require_storable(&mut self, t: Ty, span: Span, what: &str) -> bool {
        if t == INVALID {
            return true;
        }
        let Err(why) = self.a.types.storable(t, &self.a.names) else {
            self.note_stored(t, span);
            return true;
        };
        let pkg = self.pkg();
        let reason = why.message(&self.a.types, &self.a.names, pkg);
        let text = self.ty_str(t);
        let d = crate::diagnostic::Diagnostic::error(
            Code::NotStorable,
            span,
            format!(
                "cannot use {what} with type {text}: {reason}, which persistent memory cannot hold"
            ),
        )
        .help("functions, channels and unsafe.Pointer live in the volatile heap only");
        self.diagnostics.push(d);
        false
    }

    /// `pmem.Root[T](name)`, `pmem.Lookup[T](name)`.
    pub(super) fn pmem_root<'e>(
        &mut self,
        e: &'e Expr,
        c: &'e ast::CallExpr,
        b: Builtin,
    ) -> Operand<'e> {
        let span = e.span;
        let E::Index { args, .. } = &c.callee.unparen().kind else {
            let message = format!("in call to {}, cannot infer T", b.name());
            self.err(Code::Generic, c.rparen, message);
            self.use_expr(&c.args[0]);
            return Operand::invalid(span);
        };
        let t = self.var_typ(&args[0]);
        if let Some(extra) = args.get(1) {
            let message = format!("got {} type arguments but want 1", args.len());
            self.err(Code::Generic, extra.span, message);
            return Operand::invalid(span);
        }
        let x = self.expr(&c.args[0], None);
        let string = Basic::String.ty();
        let x = self.assignment(x, Some(string), Context::Argument(b.name().into()));
        if t == INVALID || !x.is_valid() {
            return Operand::invalid(span);
        }
        self.require_storable(t, args[0].span, b.name());
        let ptr = self.a.types.pointer(t);
        let name = Box::new(x.tir);
        match b {
            Builtin::PmemRoot => Operand::value(ptr, span, ExprKind::PmemRoot(name)),
            _ => {
                let ty = self.a.types.tuple(&[ptr, Basic::Bool.ty()]);
                Operand::value(ty, span, ExprKind::PmemLookup(name))
            }
        }
    }

    /// Does a value's size depend on a type parameter?
    fn has_variable_size(&self, t: Ty) -> bool {
        match self.a.types.under(t) {
            TyKind::Param(_) => true,
            TyKind::Array(e, _) => self.has_variable_size(*e),
            TyKind::Struct(s) => s.fields.iter().any(|f| self.has_variable_size(f.ty)),
            _ => false,
        }
    }

    pub(super) fn sizes<'e>(
        &mut self,
        e: &'e Expr,
        c: &'e ast::CallExpr,
        b: Builtin,
    ) -> Operand<'e> {
        let span = e.span;
        let arg = &c.args[0];
        let uintptr = Basic::Uintptr.ty();
        if b == Builtin::Offsetof {
            let E::Selector { operand, .. } = &arg.unparen().kind else {
                let text = self.text(arg);
                let message = format!("invalid argument: {text} is not a selector expression");
                self.err(Code::InvalidCall, arg.span, message);
                return Operand::invalid(span);
            };
            let x = self.expr(arg, None);
            // Up to the operand itself; embedded pointers may not be in between.
            let start = self.expr(operand, None).ty;
            let start = self.a.types.pointee(start).unwrap_or(start);
            let (mut at, mut offset) = (&x.tir, 0);
            let mut variable = None;
            while let ExprKind::Field(base, i) = &at.kind {
                if self.has_variable_size(base.ty) {
                    let part = ex(
                        uintptr,
                        span,
                        ExprKind::Const(tir::Const::OffsetOf(base.ty, *i)),
                    );
                    variable = Some(match variable {
                        None => part,
                        Some(sum) => {
                            let add = tir::BinOp::Add;
                            let kind = ExprKind::Binary(add, Box::new(sum), Box::new(part));
                            ex(uintptr, span, kind)
                        }
                    });
                } else {
                    offset += self.a.types.field_offsets(base.ty)[*i as usize];
                }
                at = base;
                if at.ty == start {
                    break;
                }
            }
            if at.ty != start {
                let text = self.text(arg);
                let message = format!(
                    "invalid argument: field {text} is a method value or embedded via a pointer"
                );
                self.err(Code::InvalidCall, arg.span, message);
                return Operand::invalid(span);
            }
            let Some(sum) = variable else {
                return Operand::constant(uintptr, Value::int(offset), span);
            };
            let rest = Operand::constant(uintptr, Value::int(offset), span);
            let rest = Box::new(self.emit(rest));
            let kind = ExprKind::Binary(tir::BinOp::Add, Box::new(sum), rest);
            return Operand::value(uintptr, span, kind);
        }
        let x = self.expr(arg, None);
        let x = self.defaulted(x);
        if !x.is_valid() {
            return Operand::invalid(span);
        }
        if x.is_nil() {
            let message = format!("use of untyped nil in argument to {}", b.name());
            self.err(Code::UntypedNil, x.span, message);
            return Operand::invalid(span);
        }
        if self.has_variable_size(x.ty) {
            let c = match b {
                Builtin::Sizeof => tir::Const::SizeOf(x.ty),
                _ => tir::Const::AlignOf(x.ty),
            };
            return Operand::value(uintptr, span, ExprKind::Const(c));
        }
        let layout = self.a.types.layout(x.ty);
        if layout.size > MAX_SIZE && b == Builtin::Sizeof {
            let message = format!("{} is too large", self.describe(&x));
            self.err(Code::InvalidType, x.span, message);
            return Operand::invalid(span);
        }
        let n = match b {
            Builtin::Sizeof => layout.size,
            _ => layout.align,
        };
        Operand::constant(uintptr, Value::int(n), span)
    }
}
