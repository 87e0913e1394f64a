//! Operands: an expression's mode, type, constant value and typed IR while it is being checked.
use super::Checker;
use super::object::Builtin;
use super::print_expr::expr_string;
use super::select::BoundMethod;
use crate::source::Span;
use crate::syntax::ast;
use crate::tir;
use crate::types::constant::Value;
use crate::types::lookup::MethodSel;
use crate::types::ty::{Basic, Ty, TyKind};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// In error, reported.
    Invalid,
    /// A call without results.
    NoValue,
    Builtin(Builtin),
    Type,
    Const,
    /// Addressable.
    Var,
    MapIndex,
    Value,
    Nil,
    /// A value that may be asked for its `ok`: type assertion, receive.
    CommaOk,
}

#[derive(Clone, Debug)]
pub(super) struct Operand<'e> {
    pub mode: Mode,
    pub ty: Ty,
    /// Of constants.
    pub val: Value,
    pub span: Span,
    pub ast: Option<&'e ast::Expr>,
    pub tir: tir::Expr,
    /// A generic function that still lacks type arguments.
    pub generic: Option<Box<Generic>>,
}

/// A generic function or method without all of its type arguments.
#[derive(Clone, Debug)]
pub(super) struct Generic {
    /// The declaration and the type arguments known so far: a method's receiver's, and given ones.
    pub func: tir::FuncRef,
    /// How many come from the receiver.
    pub inherited: usize,
    pub via: Via,
}

/// How a generic function was named.
#[derive(Clone, Debug)]
pub(super) enum Via {
    Function,
    /// `x.m`
    Method(BoundMethod),
    /// `T.m`
    Expression(Ty, MethodSel),
}

pub(super) fn ex(ty: Ty, span: Span, kind: tir::ExprKind) -> tir::Expr {
    tir::Expr { ty, span, kind }
}

pub(super) fn st(span: Span, kind: tir::StmtKind) -> tir::Stmt {
    tir::Stmt { span, kind }
}

impl<'e> Operand<'e> {
    pub fn invalid(span: Span) -> Operand<'e> {
        Operand::new(
            Mode::Invalid,
            Basic::Invalid.ty(),
            span,
            tir::ExprKind::Zero,
        )
    }
    pub fn new(mode: Mode, ty: Ty, span: Span, kind: tir::ExprKind) -> Operand<'e> {
        Operand {
            mode,
            ty,
            val: Value::Unknown,
            span,
            ast: None,
            tir: ex(ty, span, kind),
            generic: None,
        }
    }
    pub fn value(ty: Ty, span: Span, kind: tir::ExprKind) -> Operand<'e> {
        Operand::new(Mode::Value, ty, span, kind)
    }
    pub fn of_type(ty: Ty, span: Span) -> Operand<'e> {
        Operand::new(Mode::Type, ty, span, tir::ExprKind::Zero)
    }
    pub fn constant(ty: Ty, val: Value, span: Span) -> Operand<'e> {
        let mut o = Operand::new(Mode::Const, ty, span, tir::ExprKind::Zero);
        o.val = val;
        o
    }
    pub fn is_valid(&self) -> bool {
        self.mode != Mode::Invalid && self.ty != Basic::Invalid.ty()
    }
    pub fn is_const(&self) -> bool {
        self.mode == Mode::Const
    }
    pub fn is_nil(&self) -> bool {
        self.mode == Mode::Nil
    }
}

impl Checker {
    pub(super) fn text(&self, e: &ast::Expr) -> String {
        expr_string(&self.a.names.interner, e)
    }

    pub(super) fn operand_text(&self, x: &Operand) -> String {
        match x.ast {
            Some(e) => self.text(e),
            None if x.mode == Mode::Const => x.val.to_string(),
            None => self.ty_str(x.ty),
        }
    }

    pub(super) fn is_untyped(&self, t: Ty) -> bool {
        matches!(self.a.types.kind(t), TyKind::Basic(b) if b.is_untyped())
    }

    /// An operand as Go's messages describe it: `x (variable of type int)`.
    pub(super) fn describe(&self, x: &Operand) -> String {
        if x.is_nil() {
            return "nil".into();
        }
        let text = self.operand_text(x);
        let mut out = format!("{text} (");
        let untyped = self.is_untyped(x.ty);
        let typed_mode = !matches!(
            x.mode,
            Mode::Invalid | Mode::NoValue | Mode::Builtin(_) | Mode::Type
        );
        if typed_mode && untyped {
            out += self.a.types.basic(x.ty).map_or("", |b| b.name());
            out.push(' ');
        }
        out += match x.mode {
            Mode::Invalid => "invalid operand",
            Mode::NoValue => "no value",
            Mode::Builtin(_) => "built-in",
            Mode::Type => "type",
            Mode::Const => "constant",
            Mode::Var => "variable",
            Mode::MapIndex => "map index expression",
            Mode::Value => "value",
            Mode::Nil => "nil",
            Mode::CommaOk => "comma, ok expression",
        };
        if x.mode == Mode::Const {
            let value = x.val.to_string();
            if value != text {
                out.push(' ');
                out += &value;
            }
        }
        if typed_mode && !untyped {
            if x.ty == Basic::Invalid.ty() {
                out += " with invalid type";
            } else {
                out += " of ";
                if x.generic.is_some() {
                    out += "generic ";
                }
                if let TyKind::Named(_) = self.a.types.kind(x.ty) {
                    out += self.composite_kind(x.ty);
                    out.push(' ');
                }
                out += "type ";
                out += &self.ty_str(x.ty);
                if let TyKind::Param(p) = self.a.types.kind(x.ty) {
                    out += " constrained by ";
                    out += &self.ty_str(self.a.types.params[p.0 as usize].constraint);
                }
            }
        }
        out.push(')');
        out
    }

    /// `struct`, `slice`, … or the name of the underlying basic type.
    pub(super) fn composite_kind(&self, t: Ty) -> &'static str {
        match self.a.types.under(t) {
            TyKind::Basic(b) => b.name(),
            TyKind::Array(..) => "array",
            TyKind::Slice(_) => "slice",
            TyKind::Struct(_) => "struct",
            TyKind::Pointer(_) => "pointer",
            TyKind::Func(_) => "func",
            TyKind::Interface(_) => "interface",
            TyKind::Map(..) => "map",
            TyKind::Chan(..) => "chan",
            TyKind::Tuple(_) => "tuple",
            TyKind::Named(_) | TyKind::Param(_) => "",
        }
    }
}
