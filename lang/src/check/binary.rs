//! Unary and binary operators, comparison and shifts (spec "Operators").
use super::Checker;
use super::operand::{Mode, Operand, ex};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, UnaryOp};
use crate::tir::{self, BinOp, CmpOp, ExprKind};
use crate::types::constant::{ConstError, ReprError, Value};
use crate::types::ty::{Basic, ChanDir, Ty, TyKind};

pub(super) fn bin_op(op: BinaryOp) -> BinOp {
    match op {
        BinaryOp::Add => BinOp::Add,
        BinaryOp::Subtract => BinOp::Sub,
        BinaryOp::Multiply => BinOp::Mul,
        BinaryOp::Divide => BinOp::Div,
        BinaryOp::Remainder => BinOp::Rem,
        BinaryOp::And => BinOp::And,
        BinaryOp::Or => BinOp::Or,
        BinaryOp::Xor => BinOp::Xor,
        BinaryOp::AndNot => BinOp::AndNot,
        BinaryOp::ShiftLeft => BinOp::Shl,
        BinaryOp::ShiftRight => BinOp::Shr,
        _ => unreachable!("logical operators and comparisons are lowered apart"),
    }
}

fn cmp_op(op: BinaryOp) -> CmpOp {
    match op {
        BinaryOp::Equal => CmpOp::Eq,
        BinaryOp::NotEqual => CmpOp::Ne,
        BinaryOp::Less => CmpOp::Lt,
        BinaryOp::LessEqual => CmpOp::Le,
        BinaryOp::Greater => CmpOp::Gt,
        _ => CmpOp::Ge,
    }
}

/// Longer constant strings are refused; a few doublings would fill the memory.
const STRING_MAX: usize = 1 << 28;

/// What of an operation the messages show.
#[derive(Clone, Copy)]
pub(super) struct Operation<'e> {
    pub op: BinaryOp,
    pub op_span: Span,
    pub span: Span,
    /// The whole expression; `None` for `x op= y`.
    pub ast: Option<&'e ast::Expr>,
}

impl Checker {
    pub(super) fn unary<'e>(
        &mut self,
        e: &'e ast::Expr,
        op: UnaryOp,
        operand: &'e ast::Expr,
        hint: Option<Ty>,
    ) -> Operand<'e> {
        if op == UnaryOp::Address {
            return self.address_of(e, operand, hint);
        }
        let x = self.expr(operand, None);
        if !x.is_valid() {
            return Operand::invalid(e.span);
        }
        if op == UnaryOp::Receive {
            return self.receive(e, x);
        }
        if op == UnaryOp::Tilde {
            let hint = match self.a.types.all_basic(x.ty, Basic::is_integer) {
                true => " (use ^ for bitwise complement)",
                false => "",
            };
            let message = format!("cannot use ~ outside of interface or type constraint{hint}");
            self.err(Code::InvalidOperation, e.span, message);
            return Operand::invalid(e.span);
        }
        let ok = match op {
            UnaryOp::Plus | UnaryOp::Minus => self.a.types.all_basic(x.ty, Basic::is_numeric),
            UnaryOp::Complement => self.a.types.all_basic(x.ty, Basic::is_integer),
            _ => self.a.types.all_basic(x.ty, Basic::is_boolean),
        };
        if !ok {
            let text = self.describe(&x);
            let message = format!(
                "invalid operation: operator {} not defined on {text}",
                op.text()
            );
            self.err(Code::InvalidOperation, x.span, message);
            return Operand::invalid(e.span);
        }
        if x.is_const() {
            let unsigned = self.a.types.basic(x.ty).filter(|b| b.is_unsigned());
            let value = Value::unary(op, &x.val, unsigned);
            let mut out = Operand::constant(x.ty, value, e.span);
            out.ast = Some(e);
            return self.overflow(out, e.span);
        }
        let ty = x.ty;
        let tir = self.emit(x);
        let kind = match op {
            UnaryOp::Plus => tir.kind,
            UnaryOp::Minus => ExprKind::Unary(tir::UnOp::Neg, Box::new(tir)),
            UnaryOp::Complement => ExprKind::Unary(tir::UnOp::Com, Box::new(tir)),
            _ => ExprKind::Unary(tir::UnOp::Not, Box::new(tir)),
        };
        Operand::value(ty, e.span, kind)
    }

    fn receive<'e>(&mut self, e: &'e ast::Expr, x: Operand<'e>) -> Operand<'e> {
        let core = self.a.types.core_type(x.ty);
        match core.map(|t| self.a.types.kind(t).clone()) {
            Some(TyKind::Chan(ChanDir::Send, _)) => {
                let text = self.describe(&x);
                let message =
                    format!("invalid operation: cannot receive from send-only channel {text}");
                self.err(Code::InvalidOperation, e.span, message);
                Operand::invalid(e.span)
            }
            Some(TyKind::Chan(_, elem)) => {
                self.has_call = true;
                let c = self.emit(x);
                Operand::new(
                    Mode::CommaOk,
                    elem,
                    e.span,
                    ExprKind::Recv(Box::new(c), false),
                )
            }
            _ => {
                let text = self.describe(&x);
                let message = format!("invalid operation: cannot receive from non-channel {text}");
                self.err(Code::InvalidOperation, e.span, message);
                Operand::invalid(e.span)
            }
        }
    }

    fn address_of<'e>(
        &mut self,
        e: &'e ast::Expr,
        operand: &'e ast::Expr,
        hint: Option<Ty>,
    ) -> Operand<'e> {
        let inner_hint = hint.and_then(|t| self.a.types.pointee(t));
        let bare = operand.unparen();
        let x = self.expr(operand, inner_hint);
        if !x.is_valid() {
            return Operand::invalid(e.span);
        }
        if let ast::ExprKind::Composite(_) = bare.kind {
            let ty = self.a.types.pointer(x.ty);
            let value = self.emit(x);
            let init = match value.kind {
                ExprKind::Zero => None,
                _ => Some(Box::new(value)),
            };
            return Operand::value(ty, e.span, ExprKind::New(tir::Place::Volatile, init));
        }
        if x.mode != Mode::Var {
            let text = self.describe(&x);
            let message = format!("invalid operation: cannot take address of {text}");
            self.err(Code::InvalidOperation, x.span, message);
            return Operand::invalid(e.span);
        }
        let ty = self.a.types.pointer(x.ty);
        let place = self.emit(x);
        let kind = self.take_address(place);
        Operand::value(ty, e.span, kind)
    }

    /// `&place`; `&*p` is p.
    pub(super) fn take_address(&mut self, place: tir::Expr) -> ExprKind {
        self.mark_address(&place);
        ExprKind::AddrOf(Box::new(place))
    }

    /// A constant result must be representable in its type.
    pub(super) fn overflow<'e>(&mut self, mut x: Operand<'e>, op_span: Span) -> Operand<'e> {
        if x.val.is_unknown() {
            self.err(
                Code::ConstantOverflow,
                op_span,
                "constant result is not representable",
            );
            return Operand::invalid(x.span);
        }
        let Some(b) = self.a.types.basic(x.ty) else {
            return x;
        };
        if !b.is_untyped() {
            match x.val.represent(b) {
                Ok(v) => x.val = v,
                Err(e) => {
                    let (text, t) = (self.describe(&x), self.ty_str(x.ty));
                    let message = match e {
                        ReprError::Truncated => format!("{text} truncated to {t}"),
                        ReprError::Overflow => format!("{text} overflows {t}"),
                        ReprError::NotRepresentable => {
                            format!("cannot convert {text} to type {t}")
                        }
                    };
                    self.err(Code::ConstantOverflow, x.span, message);
                    return Operand::invalid(x.span);
                }
            }
        } else if x.val.is_oversized() {
            let what = self.operation_name(&x);
            self.err(
                Code::ConstantOverflow,
                op_span,
                format!("constant {what}overflow"),
            );
            x.val = Value::Unknown;
            return Operand::invalid(x.span);
        }
        x
    }

    fn operation_name(&self, x: &Operand) -> &'static str {
        match x.ast.map(|e| &e.kind) {
            Some(ast::ExprKind::Binary(b)) => match b.op {
                BinaryOp::Add => "addition ",
                BinaryOp::Subtract => "subtraction ",
                BinaryOp::Xor => "bitwise XOR ",
                BinaryOp::Multiply => "multiplication ",
                BinaryOp::ShiftLeft => "shift ",
                _ => "",
            },
            Some(ast::ExprKind::Unary {
                op: UnaryOp::Complement,
                ..
            }) => "bitwise complement ",
            _ => "",
        }
    }

    pub(super) fn binary<'e>(
        &mut self,
        e: &'e ast::Expr,
        b: &'e ast::BinaryExpr,
        hint: Option<Ty>,
    ) -> Operand<'e> {
        // Chains of operators lean to the left: no recursion there.
        let mut chain = vec![(e, b)];
        let mut left = &b.left;
        while let ast::ExprKind::Binary(inner) = &left.kind {
            chain.push((left, inner));
            left = &inner.left;
        }
        let mut x = self.expr(left, hint);
        while let Some((e, b)) = chain.pop() {
            let y = self.expr(&b.right, hint);
            let operation = Operation {
                op: b.op,
                op_span: b.op_span,
                span: e.span,
                ast: Some(e),
            };
            x = self.operate(x, y, operation);
            x.span = e.span;
            x.tir.span = e.span;
            x.ast = Some(e);
        }
        x
    }

    /// `x op y` of operands.
    pub(super) fn operate<'e>(
        &mut self,
        x: Operand<'e>,
        y: Operand<'e>,
        o: Operation<'e>,
    ) -> Operand<'e> {
        if !x.is_valid() || !y.is_valid() {
            return Operand::invalid(o.span);
        }
        if o.op.is_shift() {
            return self.shift(x, y, o);
        }
        let Some((x, y)) = self.match_operands(x, y, o) else {
            return Operand::invalid(o.span);
        };
        if o.op.is_comparison() {
            return self.comparison(x, y, o, false);
        }
        if x.ty != y.ty {
            self.mismatched(&x, &y, o);
            return Operand::invalid(o.span);
        }
        let t = &self.a.types;
        let defined = match o.op {
            BinaryOp::LogicalAnd | BinaryOp::LogicalOr => t.all_basic(x.ty, Basic::is_boolean),
            BinaryOp::Add => t.all_basic(x.ty, |b| b.is_numeric() || b.is_string()),
            BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => {
                t.all_basic(x.ty, Basic::is_numeric)
            }
            _ => t.all_basic(x.ty, Basic::is_integer),
        };
        if !defined {
            let text = self.describe(&x);
            let message = format!(
                "invalid operation: operator {} not defined on {text}",
                o.op.text()
            );
            self.err(Code::InvalidOperation, x.span, message);
            return Operand::invalid(o.span);
        }
        let integer = self.a.types.all_basic(x.ty, Basic::is_integer);
        if matches!(o.op, BinaryOp::Divide | BinaryOp::Remainder)
            && y.is_const()
            && (x.is_const() || integer)
            && y.val.sign() == 0
            && !y.val.is_unknown()
        {
            self.err(
                Code::DivisionByZero,
                y.span,
                "invalid operation: division by zero",
            );
            return Operand::invalid(o.span);
        }
        if let (Some(a), Some(b)) = (x.val.as_str(), y.val.as_str())
            && a.len() + b.len() > STRING_MAX
        {
            let message = format!(
                "constant string too long ({} bytes > {STRING_MAX} bytes)",
                a.len() + b.len()
            );
            self.err(Code::ConstantOverflow, o.op_span, message);
            return Operand::invalid(o.span);
        }
        if x.is_const() && y.is_const() {
            let int_div = o.op == BinaryOp::Divide && integer;
            let mut out = match Value::binary(o.op, &x.val, &y.val, int_div) {
                Ok(v) => Operand::constant(x.ty, v, o.span),
                Err(ConstError::DivisionByZero) => {
                    self.err(
                        Code::DivisionByZero,
                        y.span,
                        "invalid operation: division by zero",
                    );
                    return Operand::invalid(o.span);
                }
                Err(ConstError::Overflow) => {
                    let mut probe = Operand::constant(x.ty, Value::Unknown, o.span);
                    probe.ast = o.ast;
                    let what = self.operation_name(&probe);
                    let message = format!("constant {what}overflow");
                    self.err(Code::ConstantOverflow, o.op_span, message);
                    return Operand::invalid(o.span);
                }
            };
            out.ast = o.ast;
            return self.overflow(out, o.op_span);
        }
        let ty = x.ty;
        let (a, b) = (Box::new(self.emit(x)), Box::new(self.emit(y)));
        let kind = match o.op {
            BinaryOp::LogicalAnd => ExprKind::AndAnd(a, b),
            BinaryOp::LogicalOr => ExprKind::OrOr(a, b),
            op => ExprKind::Binary(bin_op(op), a, b),
        };
        Operand::value(ty, o.span, kind)
    }

    fn mismatched(&mut self, x: &Operand, y: &Operand, o: Operation) {
        let (a, b) = (self.ty_str(x.ty), self.ty_str(y.ty));
        let text = match o.ast {
            Some(e) => self.text(e),
            None => {
                let (l, r) = (self.operand_text(x), self.operand_text(y));
                format!("{l} {}= {r}", o.op.text())
            }
        };
        let message = format!("invalid operation: {text} (mismatched types {a} and {b})");
        self.err(Code::MismatchedTypes, x.span, message);
    }

    /// Gives an untyped operand the type of the other one.
    fn match_operands<'e>(
        &mut self,
        x: Operand<'e>,
        y: Operand<'e>,
        o: Operation<'e>,
    ) -> Option<(Operand<'e>, Operand<'e>)> {
        let (xu, yu) = (self.is_untyped(x.ty), self.is_untyped(y.ty));
        if !xu && !yu {
            return Some((x, y));
        }
        let may = |c: &Checker, x: &Operand, y: &Operand| {
            let t = &c.a.types;
            let interface = |z: &Operand| t.is_interface(z.ty) && !t.is_param(z.ty);
            if interface(x) || interface(y) {
                return true;
            }
            if t.all_basic(x.ty, Basic::is_boolean) != t.all_basic(y.ty, Basic::is_boolean) {
                return false;
            }
            if t.all_basic(x.ty, Basic::is_string) != t.all_basic(y.ty, Basic::is_string) {
                return false;
            }
            if x.is_nil() {
                return t.has_nil(y.ty);
            }
            if y.is_nil() {
                return t.has_nil(x.ty);
            }
            // A pointer and a constant never match.
            let pointer = |z: &Operand| matches!(t.under(z.ty), TyKind::Pointer(_));
            !pointer(x) && !pointer(y)
        };
        if !may(self, &x, &y) {
            self.mismatched(&x, &y, o);
            return None;
        }
        let (xt, yt) = (x.ty, y.ty);
        if o.op.is_comparison() && (x.is_nil() || y.is_nil()) && !(xu && yu) {
            // nil keeps its mode for the comparison's own rules.
            return Some((x, y));
        }
        let copy = (x.clone(), y.clone());
        let x = match self.implicit(x, yt) {
            Ok(x) => x,
            Err(e) => return self.implicit_failed(e, yt, &copy, o),
        };
        let y = match self.implicit(y, xt) {
            Ok(y) => y,
            Err(e) => return self.implicit_failed(e, xt, &copy, o),
        };
        Some((x, y))
    }

    fn implicit_failed<'e>(
        &mut self,
        (bad, code): (Operand<'e>, Option<ReprError>),
        target: Ty,
        both: &(Operand<'e>, Operand<'e>),
        o: Operation<'e>,
    ) -> Option<(Operand<'e>, Operand<'e>)> {
        match code {
            Some(code) => {
                let (text, t) = (self.describe(&bad), self.ty_str(target));
                let message = match code {
                    ReprError::Truncated => format!("{text} truncated to {t}"),
                    _ => format!("{text} overflows {t}"),
                };
                self.err(Code::ConstantOverflow, bad.span, message);
            }
            None => self.mismatched(&both.0, &both.1, o),
        }
        None
    }

    /// `x == y` and its like; `case` words the message for a switch.
    pub(super) fn comparison<'e>(
        &mut self,
        x: Operand<'e>,
        y: Operand<'e>,
        o: Operation<'e>,
        case: bool,
    ) -> Operand<'e> {
        self.flush_pending_for([x.ty, y.ty]);
        let pkg = self.pkg();
        let equality = matches!(o.op, BinaryOp::Equal | BinaryOp::NotEqual);
        let assignable = |c: &mut Checker, a: &Operand, b: &Operand| match a.is_nil() {
            true => c.a.types.has_nil(b.ty) || b.is_nil(),
            false => c.a.types.assignable_to(a.ty, b.ty),
        };
        let mut at_second = false;
        let mut code = Code::InvalidOperation;
        let mut cause = None;
        if !assignable(self, &x, &y) && !assignable(self, &y, &x) {
            at_second = true;
            code = Code::MismatchedTypes;
            let (a, b) = (self.ty_str(x.ty), self.ty_str(y.ty));
            cause = Some(format!("mismatched types {a} and {b}"));
        } else if equality {
            if x.is_nil() || y.is_nil() {
                let t = if x.is_nil() { &y } else { &x };
                if t.is_nil() || !self.a.types.has_nil(t.ty) {
                    at_second = true;
                    cause = Some("operator == not defined on nil".replace("==", o.op.text()));
                }
            } else if !self.a.types.comparable(x.ty) {
                cause = Some(self.incomparable(x.ty, pkg));
            } else if !self.a.types.comparable(y.ty) {
                at_second = true;
                cause = Some(self.incomparable(y.ty, pkg));
            }
        } else {
            for (second, z) in [(false, &x), (true, &y)] {
                if cause.is_none() && (z.is_nil() || !self.a.types.ordered(z.ty)) {
                    at_second = second;
                    let kind = match self.a.types.is_param(z.ty) {
                        true => {
                            let t = self.ty_str(z.ty);
                            format!("type parameter {t} cannot use operator {}", o.op.text())
                        }
                        false if z.is_nil() => {
                            format!("operator {} not defined on nil", o.op.text())
                        }
                        false => {
                            let kind = match self.a.types.under(z.ty) {
                                TyKind::Basic(b) => {
                                    self.a.types.basic(b.ty()).map_or("", Basic::name)
                                }
                                _ => self.composite_kind(z.ty),
                            };
                            format!("operator {} not defined on {kind}", o.op.text())
                        }
                    };
                    cause = Some(kind);
                }
            }
        }
        if let Some(cause) = cause {
            let (xs, ys) = (self.operand_text(&x), self.operand_text(&y));
            let (span, message) = match case {
                true => (
                    x.span,
                    format!("invalid case {xs} in switch on {ys} ({cause})"),
                ),
                false => (
                    if at_second { y.span } else { x.span },
                    format!("invalid operation: {xs} {} {ys} ({cause})", o.op.text()),
                ),
            };
            self.err(code, span, message);
            return Operand::invalid(o.span);
        }
        let untyped_bool = Basic::UntypedBool.ty();
        if x.is_const() && y.is_const() {
            let v = Value::compare(o.op, &x.val, &y.val);
            let mut out = Operand::constant(untyped_bool, Value::Bool(v), o.span);
            out.ast = o.ast;
            return out;
        }
        let kind = self.compare_values(x, y, cmp_op(o.op));
        Operand::value(untyped_bool, o.span, kind)
    }

    fn incomparable(&self, t: Ty, pkg: crate::types::ty::PkgId) -> String {
        self.a
            .types
            .incomparable_cause(t, &self.a.names, pkg)
            .unwrap_or_else(|| format!("{} cannot be compared", self.ty_str(t)))
    }

    /// Both operands in one type.
    fn compare_values(&mut self, x: Operand, y: Operand, op: CmpOp) -> ExprKind {
        if x.is_nil() || y.is_nil() {
            let (value, nil) = if x.is_nil() { (y, x) } else { (x, y) };
            let ty = value.ty;
            let v = self.emit(value);
            let nil = ex(ty, nil.span, ExprKind::Const(tir::Const::Nil));
            return ExprKind::Compare(op, Box::new(v), Box::new(nil));
        }
        let x = self.defaulted(x);
        let y = self.defaulted(y);
        let (xt, yt) = (x.ty, y.ty);
        let (mut a, mut b) = (self.emit(x), self.emit(y));
        if xt != yt {
            let to_y = self.a.types.assignable_to(xt, yt)
                && (!self.a.types.is_interface(xt) || self.a.types.is_interface(yt));
            match to_y {
                true => a = self.convert_value(a, yt),
                false => b = self.convert_value(b, xt),
            }
        }
        ExprKind::Compare(op, Box::new(a), Box::new(b))
    }

    /// `left == right` of values for switches; both valid and matched.
    pub(super) fn equal_operands<'e>(
        &mut self,
        tag: Operand<'e>,
        case: Operand<'e>,
    ) -> Option<tir::Expr> {
        let span = case.span;
        let o = Operation {
            op: BinaryOp::Equal,
            op_span: span,
            span,
            ast: None,
        };
        let (case_text, tag_text) = (case.clone(), tag.clone());
        let may = {
            let (xu, yu) = (self.is_untyped(case.ty), self.is_untyped(tag.ty));
            match (xu, yu) {
                _ if case.is_nil() && self.a.types.has_nil(tag.ty) => Some(case),
                (true, _) | (_, true) => {
                    let target = tag.ty;
                    match self.implicit(case, target) {
                        Ok(c) => Some(c),
                        Err((bad, code)) => {
                            match code {
                                Some(ReprError::Overflow) => {
                                    let (a, t) = (self.describe(&bad), self.ty_str(target));
                                    self.err(
                                        Code::ConstantOverflow,
                                        bad.span,
                                        format!("{a} overflows {t}"),
                                    );
                                }
                                Some(_) => {
                                    let (a, t) = (self.describe(&bad), self.ty_str(target));
                                    self.err(
                                        Code::ConstantOverflow,
                                        bad.span,
                                        format!("{a} truncated to {t}"),
                                    );
                                }
                                None => {
                                    let (a, b) = (self.ty_str(case_text.ty), self.ty_str(target));
                                    let (xs, ys) = (
                                        self.operand_text(&case_text),
                                        self.operand_text(&tag_text),
                                    );
                                    let message = format!(
                                        "invalid case {xs} in switch on {ys} (mismatched types {a} and {b})"
                                    );
                                    self.err(Code::MismatchedTypes, bad.span, message);
                                }
                            }
                            None
                        }
                    }
                }
                _ => Some(case),
            }
        };
        let r = self.comparison(may?, tag, o, true);
        if !r.is_valid() {
            return None;
        }
        let r = self.implicit(r, Basic::Bool.ty()).ok()?;
        Some(self.emit(r))
    }

    fn shift<'e>(
        &mut self,
        mut x: Operand<'e>,
        mut y: Operand<'e>,
        o: Operation<'e>,
    ) -> Operand<'e> {
        // The left operand: an integer, or an untyped constant that is one.
        let untyped = self.is_untyped(x.ty);
        let x_int = match untyped && x.is_const() {
            true => x.val.to_int(),
            false => None,
        };
        let ok = self.a.types.all_basic(x.ty, Basic::is_integer)
            || (untyped
                && x_int.is_some()
                && self.a.types.basic(x.ty).is_some_and(Basic::is_numeric))
            || (untyped
                && !x.is_const()
                && self.a.types.basic(x.ty).is_some_and(Basic::is_numeric));
        if !ok {
            let text = self.describe(&x);
            let message = format!("invalid operation: shifted operand {text} must be integer");
            self.err(Code::InvalidOperation, x.span, message);
            return Operand::invalid(o.span);
        }
        // The count.
        if y.is_const() {
            let text = self.describe(&y);
            let as_int = y.val.to_int();
            if as_int.is_none() {
                let message = format!("invalid operation: shift count {text} must be integer");
                self.err(Code::InvalidOperation, y.span, message);
                return Operand::invalid(o.span);
            }
            if y.val.sign() < 0 {
                let message = format!("invalid operation: negative shift count {text}");
                self.err(Code::InvalidOperation, y.span, message);
                return Operand::invalid(o.span);
            }
            if self.is_untyped(y.ty) {
                y = match self.implicit(y, Basic::Uint.ty()) {
                    Ok(y) => y,
                    Err((y, _)) => {
                        let message = format!("invalid operation: invalid shift count {text}");
                        self.err(Code::InvalidOperation, y.span, message);
                        return Operand::invalid(o.span);
                    }
                };
            }
        } else if self.is_untyped(y.ty) {
            y = match self.implicit(y, Basic::Uint.ty()) {
                Ok(y) => y,
                Err((y, _)) => {
                    let text = self.describe(&y);
                    let message = format!("invalid operation: shift count {text} must be integer");
                    self.err(Code::InvalidOperation, y.span, message);
                    return Operand::invalid(o.span);
                }
            };
        }
        let constants = x.is_const() && y.is_const();
        if !constants && !self.a.types.all_basic(y.ty, Basic::is_integer) {
            let text = self.describe(&y);
            let message = format!("invalid operation: shift count {text} must be integer");
            self.err(Code::InvalidOperation, y.span, message);
            return Operand::invalid(o.span);
        }
        if x.is_const() && y.is_const() {
            let count = y.val.as_u64().filter(|n| *n < 1023 - 1 + 52);
            let count = match (count, o.op) {
                (Some(n), _) => n as u32,
                (None, BinaryOp::ShiftRight) => 1 << 13,
                (None, _) => {
                    let text = self.describe(&y);
                    let message = format!("invalid operation: invalid shift count {text}");
                    self.err(Code::InvalidOperation, y.span, message);
                    return Operand::invalid(o.span);
                }
            };
            let left = x_int.unwrap_or_else(|| x.val.clone());
            let ty = match untyped && !self.a.types.basic(x.ty).is_some_and(Basic::is_integer) {
                true => Basic::UntypedInt.ty(),
                false => x.ty,
            };
            let value = Value::shift(o.op, &left, count).unwrap_or(Value::Unknown);
            let mut out = Operand::constant(ty, value, o.span);
            out.ast = o.ast;
            if out.val.is_unknown() {
                self.err(Code::ConstantOverflow, o.op_span, "constant shift overflow");
                return Operand::invalid(o.span);
            }
            return self.overflow(out, o.op_span);
        }
        if let Some(v) = x_int {
            x.val = v;
        }
        let ty = x.ty;
        let (a, b) = (Box::new(self.emit(x)), Box::new(self.emit(y)));
        Operand::value(ty, o.span, ExprKind::Binary(bin_op(o.op), a, b))
    }
}
