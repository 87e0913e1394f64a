//! Functions of package unsafe that make pointers, slices and strings (spec "Package unsafe").
use super::Checker;
use super::convert::Context;
use super::object::Builtin;
use super::operand::{Operand, ex};
use crate::codes::Code;
use crate::syntax::ast::{self, Expr};
use crate::tir::{self, BinOp, ConvKind, ExprKind};
use crate::types::ty::{Basic, Ty, TyKind};

impl Checker {
    /// A call of `unsafe.Add`, `Slice`, `SliceData`, `String` or `StringData`.
    pub(super) fn unsafe_call<'e>(
        &mut self,
        e: &'e Expr,
        c: &'e ast::CallExpr,
        b: Builtin,
    ) -> Operand<'e> {
        let x = self.expr(&c.args[0], None);
        let byte = self.a.types.pointer(Basic::Uint8.ty());
        let fixed = match b {
            Builtin::UnsafeAdd => Some(Basic::UnsafePointer.ty()),
            Builtin::UnsafeString => Some(byte),
            Builtin::UnsafeStringData => Some(Basic::String.ty()),
            _ => None,
        };
        let x = match fixed {
            Some(ty) => {
                let context = Context::Argument(b.name().into());
                self.assignment(x, Some(ty), context)
            }
            None => self.defaulted(x),
        };
        if !x.is_valid() {
            for a in &c.args[1..] {
                self.use_expr(a);
            }
            return Operand::invalid(e.span);
        }
        let core = self.a.types.core_type(x.ty);
        let ty = match (b, core.map(|t| self.a.types.kind(t).clone())) {
            (Builtin::UnsafeSlice, Some(TyKind::Pointer(elem))) => self.a.types.slice(elem),
            (Builtin::UnsafeSliceData, Some(TyKind::Slice(elem))) => self.a.types.pointer(elem),
            (Builtin::UnsafeSlice | Builtin::UnsafeSliceData, _) => {
                let what = match b {
                    Builtin::UnsafeSlice => "pointer",
                    _ => "slice",
                };
                let message = format!("invalid argument: {} is not a {what}", self.describe(&x));
                self.err(Code::InvalidCall, x.span, message);
                return Operand::invalid(e.span);
            }
            (Builtin::UnsafeString, _) => Basic::String.ty(),
            (Builtin::UnsafeStringData, _) => byte,
            _ => Basic::UnsafePointer.ty(),
        };
        let Some(len) = c.args.get(1) else {
            let x = Box::new(self.emit(x));
            return Operand::value(ty, e.span, ExprKind::Data(x));
        };
        let n = self.expr(len, None);
        let n = self.integer_operand(n, "length", b == Builtin::UnsafeAdd);
        if !n.is_valid() {
            return Operand::invalid(e.span);
        }
        let (x, n) = (self.emit(x), self.emit(n));
        let kind = match b {
            Builtin::UnsafeAdd => {
                let word = Basic::Uintptr.ty();
                let (address, n) = (retyped(x, word), self.convert_value(n, word));
                let kind = ExprKind::Binary(BinOp::Add, Box::new(address), Box::new(n));
                ExprKind::Convert(ConvKind::Unsafe, Box::new(ex(word, e.span, kind)))
            }
            _ => {
                let n = self.convert_value(n, Basic::Int.ty());
                ExprKind::Raw(Box::new(x), Box::new(n))
            }
        };
        Operand::value(ty, e.span, kind)
    }
}

fn retyped(x: tir::Expr, ty: Ty) -> tir::Expr {
    ex(ty, x.span, ExprKind::Convert(ConvKind::Unsafe, Box::new(x)))
}
