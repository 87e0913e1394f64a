//! Implicit and explicit conversions: untyped operands, assignability, `T(x)`.
use super::operand::{Mode, Operand, ex};
use super::{Checker, INVALID};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast;
use crate::tir::{self, ConvKind, ExprKind};
use crate::types::constant::{ReprError, Value};
use crate::types::ty::{Basic, Ty, TyKind};

/// Where a value is assigned, for messages.
#[derive(Clone, Debug)]
pub(super) enum Context {
    Assign,
    VarDecl,
    ConstDecl,
    Return,
    Argument(String),
    Other(&'static str),
}

impl Context {
    pub fn text(&self) -> String {
        match self {
            Context::Assign => "assignment".into(),
            Context::VarDecl => "variable declaration".into(),
            Context::ConstDecl => "constant declaration".into(),
            Context::Return => "return statement".into(),
            Context::Argument(f) => format!("argument to {f}"),
            Context::Other(s) => (*s).into(),
        }
    }
}

impl Checker {
    /// Is the operand one value? Reports if not.
    pub(super) fn single_value<'e>(&mut self, x: Operand<'e>) -> Operand<'e> {
        match x.mode {
            Mode::Invalid => x,
            Mode::NoValue => {
                let text = self.operand_text(&x);
                self.err(
                    Code::NoValue,
                    x.span,
                    format!("{text} (no value) used as value"),
                );
                Operand::invalid(x.span)
            }
            Mode::Builtin(_) => {
                let text = self.operand_text(&x);
                let message = format!("{text} (built-in) must be called");
                self.err(Code::NoValue, x.span, message);
                Operand::invalid(x.span)
            }
            Mode::Type => {
                let text = self.describe(&x);
                let message = match self.is_generic_named(x.ty) {
                    true => {
                        let text = self.operand_text(&x);
                        format!("cannot use generic type {text} without instantiation")
                    }
                    false => format!("{text} is not an expression"),
                };
                self.err(Code::NotAnExpression, x.span, message);
                Operand::invalid(x.span)
            }
            _ => {
                if let TyKind::Tuple(_) = self.a.types.kind(x.ty) {
                    let text = self.tuple_text(&x);
                    let message = format!("multiple-value {text} in single-value context");
                    self.err(Code::AssignmentMismatch, x.span, message);
                    return Operand::invalid(x.span);
                }
                x
            }
        }
    }

    fn tuple_text(&self, x: &Operand) -> String {
        let text = self.operand_text(x);
        format!("{text} (value of type {})", self.ty_str(x.ty))
    }

    /// The typed IR of a typed operand's value.
    pub(super) fn emit(&mut self, x: Operand) -> tir::Expr {
        match x.mode {
            Mode::Const => {
                let kind = match self.a.types.basic(x.ty) {
                    Some(b) if !b.is_untyped() => ExprKind::Const(x.val.to_tir(b)),
                    Some(_) => self.untyped_leaf(x.val.clone()),
                    None => ExprKind::Zero,
                };
                ex(x.ty, x.span, kind)
            }
            Mode::Nil => ex(x.ty, x.span, ExprKind::Const(tir::Const::Nil)),
            _ => x.tir,
        }
    }

    /// A constant within an untyped expression that is not constant, until its type is known.
    fn untyped_leaf(&mut self, v: Value) -> ExprKind {
        self.untyped.push(v);
        ExprKind::Const(tir::Const::Int(self.untyped.len() as i64 - 1))
    }

    /// Gives an untyped expression that is no constant its type, down to its leaves.
    fn retype(&mut self, e: &mut tir::Expr, ty: Ty) {
        if !self.is_untyped(e.ty) {
            return;
        }
        let was = e.ty;
        e.ty = ty;
        let span = e.span;
        match &mut e.kind {
            ExprKind::Unary(_, a) => self.retype(a, ty),
            ExprKind::Seq(_, a) => self.retype(a, ty),
            ExprKind::Binary(tir::BinOp::Shl | tir::BinOp::Shr, a, _) => {
                if !self.is_untyped(ty) && !self.a.types.all_basic(ty, Basic::is_integer) {
                    let (text, t) = (self.sources.text(a.span).to_string(), self.ty_str(ty));
                    let message = format!(
                        "invalid operation: shifted operand {text} (type {t}) must be integer"
                    );
                    self.err(Code::InvalidOperation, a.span, message);
                    return;
                }
                self.retype(a, ty);
            }
            ExprKind::Binary(_, a, b) | ExprKind::AndAnd(a, b) | ExprKind::OrOr(a, b) => {
                self.retype(a, ty);
                self.retype(b, ty);
            }
            ExprKind::Const(tir::Const::Int(i)) => {
                if self.is_untyped(ty) {
                    return;
                }
                let v = self.untyped[*i as usize].clone();
                let x = Operand::constant(was, v, span);
                let x = self.implicit(x, ty);
                match x {
                    Ok(x) => *e = self.emit(x),
                    Err((x, code)) => self.repr_error(&x, ty, code),
                }
            }
            _ => {}
        }
    }

    fn repr_error(&mut self, x: &Operand, ty: Ty, code: Option<ReprError>) {
        let text = match x.ast {
            Some(_) => self.describe(x),
            None => {
                let source = self.sources.text(x.span).to_string();
                let kind = self.a.types.basic(x.ty).map_or("", Basic::name);
                format!("{source} ({kind} constant)")
            }
        };
        let t = self.ty_str(ty);
        let message = match code {
            Some(ReprError::Truncated) => format!("{text} truncated to {t}"),
            Some(ReprError::Overflow) => format!("{text} overflows {t}"),
            _ => format!("cannot convert {text} to type {t}"),
        };
        self.err(Code::ConstantOverflow, x.span, message);
    }

    /// An untyped operand as a value of the target type; typed ones are left alone.
    #[allow(clippy::result_large_err)]
    pub(super) fn implicit<'e>(
        &mut self,
        mut x: Operand<'e>,
        target: Ty,
    ) -> Result<Operand<'e>, (Operand<'e>, Option<ReprError>)> {
        if !x.is_valid() || target == INVALID || !self.is_untyped(x.ty) {
            return Ok(x);
        }
        if self.is_untyped(target) {
            return match self.max_untyped(x.ty, target) {
                Some(t) => {
                    if !x.is_const() && x.ty != t {
                        let mut e = std::mem::replace(&mut x.tir, ex(t, x.span, ExprKind::Zero));
                        self.retype(&mut e, t);
                        x.tir = e;
                    }
                    x.ty = t;
                    Ok(x)
                }
                None => Err((x, None)),
            };
        }
        if x.is_nil() {
            if !self.a.types.has_nil(target) {
                return Err((x, None));
            }
            x.ty = target;
            x.mode = Mode::Value;
            x.tir = ex(target, x.span, ExprKind::Const(tir::Const::Nil));
            return Ok(x);
        }
        if self.a.types.is_param(target) {
            return self.implicit_param(x, target);
        }
        let goal = match self.a.types.under(target) {
            TyKind::Basic(_) => target,
            TyKind::Interface(i) if i.methods.is_empty() && i.terms.is_none() => {
                self.a.types.default_type(x.ty)
            }
            _ => return Err((x, None)),
        };
        let Some(basic) = self.a.types.basic(goal) else {
            return Err((x, None));
        };
        if x.is_const() {
            match x.val.represent(basic) {
                Ok(v) => x.val = v,
                Err(e) => {
                    let numeric = self.a.types.basic(x.ty).is_some_and(Basic::is_numeric);
                    let code = match e {
                        _ if !numeric || !basic.is_numeric() => None,
                        ReprError::NotRepresentable => Some(ReprError::Truncated),
                        e => Some(e),
                    };
                    return Err((x, code));
                }
            }
            x.ty = goal;
            return Ok(x);
        }
        let fits = match self.a.types.basic(x.ty) {
            Some(Basic::UntypedBool) => basic.is_boolean(),
            Some(b) if b.is_numeric() => basic.is_numeric(),
            Some(Basic::UntypedString) => basic.is_string(),
            _ => false,
        };
        if !fits {
            return Err((x, None));
        }
        let mut e = std::mem::replace(&mut x.tir, ex(goal, x.span, ExprKind::Zero));
        self.retype(&mut e, goal);
        x.tir = e;
        x.ty = goal;
        Ok(x)
    }

    #[allow(clippy::result_large_err)]
    fn implicit_param<'e>(
        &mut self,
        mut x: Operand<'e>,
        target: Ty,
    ) -> Result<Operand<'e>, (Operand<'e>, Option<ReprError>)> {
        let terms = self.a.types.param_terms(target).unwrap_or_default();
        if terms.is_empty() {
            return Err((x, None));
        }
        for t in &terms {
            let u = self.a.types.underlying(t.ty);
            if let Err((_, code)) = self.implicit(x.clone(), u) {
                return Err((x, code));
            }
        }
        if x.is_const() {
            // Code generation gives it the form that the type argument wants.
            let all_integers = self.a.types.all_basic(target, Basic::is_integer);
            let forms = [
                (Basic::Int64, true),
                (Basic::Uint64, all_integers),
                (Basic::Float64, true),
                (Basic::Complex128, true),
                (Basic::String, true),
                (Basic::Bool, true),
            ];
            let form = forms.iter().find_map(|(form, fits)| {
                let value = x.val.represent(*form).ok().filter(|_| *fits)?;
                Some(value.to_tir(*form))
            });
            let Some(form) = form else {
                return Err((x, None));
            };
            x.tir = ex(target, x.span, ExprKind::Const(form));
        } else {
            let default = self.a.types.default_type(x.ty);
            let y = self.implicit(x.clone(), default)?;
            let e = self.emit(y);
            let kind = ExprKind::Convert(ConvKind::Generic, Box::new(e));
            x.tir = ex(target, x.span, kind);
        }
        x.mode = Mode::Value;
        x.ty = target;
        Ok(x)
    }

    /// The wider kind of two untyped ones.
    pub(super) fn max_untyped(&self, a: Ty, b: Ty) -> Option<Ty> {
        if a == b {
            return Some(a);
        }
        let (x, y) = (self.a.types.basic(a)?, self.a.types.basic(b)?);
        (x.is_numeric() && y.is_numeric()).then(|| if x > y { a } else { b })
    }

    /// Gives an untyped operand its default type.
    pub(super) fn defaulted<'e>(&mut self, x: Operand<'e>) -> Operand<'e> {
        if !x.is_valid() || !self.is_untyped(x.ty) || x.is_nil() {
            return x;
        }
        let target = self.a.types.default_type(x.ty);
        match self.implicit(x, target) {
            Ok(x) => x,
            Err((x, code)) => {
                let (text, t) = (self.describe(&x), self.ty_str(target));
                let message = match code {
                    Some(ReprError::Overflow) => {
                        format!("cannot use {text} as {t} value in assignment (overflows)")
                    }
                    Some(ReprError::Truncated) => {
                        format!("cannot use {text} as {t} value in assignment (truncated)")
                    }
                    _ => format!("cannot use {text} as {t} value in assignment"),
                };
                self.err(Code::ConstantOverflow, x.span, message);
                Operand::invalid(x.span)
            }
        }
    }

    /// The operand as it is assigned to a variable of type `target` (`None`: its own type): its
    /// `tir` has the conversion.
    pub(super) fn assignment<'e>(
        &mut self,
        x: Operand<'e>,
        target: Option<Ty>,
        context: Context,
    ) -> Operand<'e> {
        let mut x = self.single_value(x);
        if !x.is_valid() {
            return Operand::invalid(x.span);
        }
        if target == Some(INVALID) {
            return Operand::invalid(x.span);
        }
        if x.generic.is_some() {
            x = match target {
                Some(t) => self.infer_from_target(x, t, &context),
                None => {
                    let text = self.operand_text(&x);
                    let message =
                        format!("cannot use generic function {text} without instantiation");
                    self.err(Code::Generic, x.span, message);
                    Operand::invalid(x.span)
                }
            };
            if !x.is_valid() {
                return x;
            }
        }
        if self.is_untyped(x.ty) {
            let interface =
                |c: &Checker, t: Ty| c.a.types.is_interface(t) && !c.a.types.is_param(t);
            let goal = match target {
                None if x.is_nil() => {
                    let message = format!("use of untyped nil in {}", context.text());
                    self.err(Code::UntypedNil, x.span, message);
                    return Operand::invalid(x.span);
                }
                Some(t) if x.is_nil() || !interface(self, t) => t,
                _ => self.a.types.default_type(x.ty),
            };
            match self.implicit(x, goal) {
                Ok(y) => x = y,
                Err((bad, code)) => {
                    let suffix = match code {
                        Some(ReprError::Truncated) => " (truncated)",
                        Some(ReprError::Overflow) => " (overflows)",
                        _ => "",
                    };
                    let (text, t) = (self.describe(&bad), self.ty_str(goal));
                    let message = format!(
                        "cannot use {text} as {t} value in {}{suffix}",
                        context.text()
                    );
                    self.err(Code::MismatchedTypes, bad.span, message);
                    return Operand::invalid(bad.span);
                }
            }
        }
        let Some(target) = target else {
            x.tir = self.emit(x.clone());
            return x;
        };
        self.flush_pending_for([x.ty, target]);
        if !self.a.types.assignable_to(x.ty, target) {
            let cause = self.assign_cause(x.ty, target);
            let (text, t) = (self.describe(&x), self.ty_str(target));
            let mut message = format!("cannot use {text} as {t} value in {}", context.text());
            if let Some(cause) = cause {
                message += &format!(": {cause}");
            }
            self.err(Code::MismatchedTypes, x.span, message);
            return Operand::invalid(x.span);
        }
        let e = self.emit(x.clone());
        x.tir = self.convert_value(e, target);
        x
    }

    /// Why a value cannot be assigned to an interface.
    fn assign_cause(&mut self, v: Ty, t: Ty) -> Option<String> {
        let pkg = self.pkg();
        if self.a.types.is_interface(t) && !self.a.types.is_param(t) {
            let missing = self.a.types.implements(v, t, false).err()?;
            return Some(
                self.a
                    .types
                    .missing_message(v, t, &missing, false, &self.a.names, pkg),
            );
        }
        // The other way round: an assertion is needed.
        if self.a.types.is_interface(v)
            && !self.a.types.is_param(v)
            && !self.a.types.is_param(t)
            && self.a.types.implements(t, v, false).is_ok()
        {
            return Some("need type assertion".into());
        }
        None
    }

    /// The value converted to a type that it is assignable to.
    pub(super) fn convert_value(&mut self, e: tir::Expr, target: Ty) -> tir::Expr {
        if e.ty == target || target == INVALID || e.ty == INVALID {
            return e;
        }
        if let ExprKind::Const(tir::Const::Nil) = e.kind
            && (self.a.types.is_interface(e.ty) || !self.a.types.is_interface(target))
        {
            return ex(target, e.span, e.kind);
        }
        let kind = self
            .a
            .types
            .conversion(e.ty, target)
            .unwrap_or(ConvKind::Retype);
        ex(target, e.span, ExprKind::Convert(kind, Box::new(e)))
    }

    /// `T(x)`.
    pub(super) fn conversion<'e>(
        &mut self,
        x: Operand<'e>,
        t: Ty,
        call: &'e ast::Expr,
    ) -> Operand<'e> {
        let x = self.single_value(x);
        if !x.is_valid() || t == INVALID {
            return Operand::invalid(call.span);
        }
        self.flush_pending_for([x.ty, t]);
        let x = match x.generic.is_some() {
            true => self.infer_from_target(x, t, &Context::Other("conversion")),
            false => x,
        };
        if !x.is_valid() {
            return Operand::invalid(call.span);
        }
        let target_basic = match self.a.types.is_param(t) {
            true => None,
            false => self.a.types.basic(t),
        };
        if let (true, Some(b)) = (x.is_const(), target_basic)
            && b != Basic::UnsafePointer
        {
            return self.const_conversion(x, t, b, call);
        }
        if self.is_untyped(x.ty) {
            return self.convert_untyped(x, t, call);
        }
        let span = call.span;
        match self.a.types.conversion(x.ty, t) {
            Some(kind) => {
                let e = self.emit(x);
                let e = match kind {
                    _ if e.ty == t => ex(t, span, e.kind),
                    kind => ex(t, span, ExprKind::Convert(kind, Box::new(e))),
                };
                let mut out = Operand::value(t, span, ExprKind::Zero);
                out.tir = e;
                out.ast = Some(call);
                out
            }
            None => {
                self.conversion_error(&x, t);
                Operand::invalid(span)
            }
        }
    }

    fn conversion_error(&mut self, x: &Operand, t: Ty) {
        let (text, ts) = (self.describe(x), self.ty_str(t));
        let cause = match x.is_nil() {
            true => None,
            false => self
                .assign_cause(x.ty, t)
                .filter(|_| self.a.types.is_interface(t)),
        };
        let message = match cause {
            Some(c) => format!("cannot convert {text} to type {ts}: {c}"),
            None => format!("cannot convert {text} to type {ts}"),
        };
        self.err(Code::InvalidConversion, x.span, message);
    }

    /// A constant converted to a type parameter: to each of its types.
    fn const_to_param<'e>(&mut self, x: Operand<'e>, t: Ty, call: &'e ast::Expr) -> Operand<'e> {
        let terms = self.a.types.param_terms(t).unwrap_or_default();
        let cause = match terms.is_empty() {
            true => Some(format!(
                "{} does not contain specific types",
                self.ty_str(t)
            )),
            false => terms.iter().find_map(|term| {
                let text = self.ty_str(term.ty);
                let cannot = || {
                    let (x, t) = (self.describe(&x), self.ty_str(t));
                    format!("cannot convert {x} to type {text} (in {t})")
                };
                (!self.const_converts(&x, term.ty)).then(cannot)
            }),
        };
        if let Some(cause) = cause {
            let text = self.operand_text(&x);
            let kind = self.a.types.basic(x.ty).map_or("", Basic::name);
            let (t, what) = (self.ty_str(t), format!("{text} ({kind} value)"));
            let message = format!("cannot convert {what} to type {t}: {cause}");
            self.err(Code::InvalidConversion, x.span, message);
            return Operand::invalid(call.span);
        }
        let numeric = self.a.types.all_basic(t, Basic::is_numeric);
        let default = self.a.types.default_type(x.ty);
        let value = match numeric {
            true => self.implicit_param(x, t),
            false => self.implicit(x, default),
        };
        let Ok(value) = value else {
            return Operand::invalid(call.span);
        };
        let e = self.emit(value);
        let mut out = Operand::value(t, call.span, ExprKind::Zero);
        out.tir = match e.ty == t {
            true => e,
            false => ex(
                t,
                call.span,
                ExprKind::Convert(ConvKind::Generic, Box::new(e)),
            ),
        };
        out.ast = Some(call);
        out
    }

    /// Can a constant be converted to a type that is no type parameter?
    fn const_converts(&self, x: &Operand, t: Ty) -> bool {
        let u = self.a.types.underlying(t);
        let from = self.a.types.basic(x.ty).unwrap_or(Basic::Invalid);
        match self.a.types.kind(u) {
            TyKind::Basic(b) if b.is_string() && from.is_integer() => true,
            TyKind::Basic(b) => x.val.represent(*b).is_ok(),
            TyKind::Slice(e) => {
                let e = self.a.types.basic(*e);
                from.is_string() && matches!(e, Some(Basic::Uint8 | Basic::Int32))
            }
            _ => false,
        }
    }

    fn const_conversion<'e>(
        &mut self,
        x: Operand<'e>,
        t: Ty,
        b: Basic,
        call: &'e ast::Expr,
    ) -> Operand<'e> {
        let from = self.a.types.basic(x.ty).unwrap_or(Basic::Invalid);
        let span = call.span;
        // `byte` and `rune` as written.
        let shown = match &call.unparen().kind {
            ast::ExprKind::Call(c) if c.callee.as_ident().is_some() => self.text(&c.callee),
            _ => self.ty_str(t),
        };
        let done = |v: Value| {
            let mut out = Operand::constant(t, v, span);
            out.ast = Some(call);
            out
        };
        if b.is_string() && from.is_integer() {
            let code = x.val.as_i64().and_then(|n| u32::try_from(n).ok());
            let c = code
                .and_then(char::from_u32)
                .unwrap_or(char::REPLACEMENT_CHARACTER);
            return done(Value::string(c.to_string()));
        }
        match x.val.represent(b) {
            Ok(v) => done(v),
            Err(_) if from.is_integer() && b.is_integer() => {
                let (v, ts) = (x.val.to_string(), shown);
                self.err(
                    Code::ConstantOverflow,
                    x.span,
                    format!("constant {v} overflows {ts}"),
                );
                Operand::invalid(span)
            }
            Err(e) => {
                let (text, ts) = (self.describe(&x), shown);
                let suffix = match e {
                    ReprError::Truncated if from.is_numeric() && b.is_numeric() => " (truncated)",
                    _ => "",
                };
                let message = format!("cannot convert {text} to type {ts}{suffix}");
                self.err(Code::InvalidConversion, x.span, message);
                Operand::invalid(span)
            }
        }
    }

    /// Conversion of an untyped operand to a type that is not basic, or of one that is no constant.
    fn convert_untyped<'e>(&mut self, x: Operand<'e>, t: Ty, call: &'e ast::Expr) -> Operand<'e> {
        let span = call.span;
        if self.a.types.is_param(t) && x.is_const() {
            return self.const_to_param(x, t, call);
        }
        let basic = self.a.types.basic(t);
        let goal = match self.a.types.is_interface(t) || self.a.types.is_param(t) {
            _ if x.is_nil() => t,
            true if self.a.types.is_param(t) => t,
            true => self.a.types.default_type(x.ty),
            // []byte("x"): the operand has its default type.
            false => match basic.is_some() || !x.is_const() {
                true => t,
                false => self.a.types.default_type(x.ty),
            },
        };
        match self.implicit(x, goal) {
            Ok(y) => {
                if y.ty != t && self.a.types.conversion(y.ty, t).is_none() {
                    self.conversion_error(&y, t);
                    return Operand::invalid(span);
                }
                let e = self.emit(y);
                let mut out = Operand::value(t, span, ExprKind::Zero);
                out.tir = self.convert_value(e, t);
                out.tir.span = span;
                out.ast = Some(call);
                out
            }
            Err((x, _)) => {
                self.conversion_error(&x, t);
                Operand::invalid(span)
            }
        }
    }

    /// An operand as an index, length or size: a non-negative integer, of type int if it was
    /// untyped.
    pub(super) fn integer_operand<'e>(
        &mut self,
        x: Operand<'e>,
        what: &str,
        negative_ok: bool,
    ) -> Operand<'e> {
        let x = self.single_value(x);
        if !x.is_valid() {
            return x;
        }
        let x = match self.implicit(x, Basic::Int.ty()) {
            Ok(x) => x,
            Err((x, code)) => {
                let text = self.describe(&x);
                let message = match code {
                    Some(ReprError::Truncated) => format!("{text} truncated to int"),
                    Some(_) => format!("{text} overflows int"),
                    None => format!("cannot convert {text} to type int"),
                };
                self.err(Code::InvalidIndex, x.span, message);
                return Operand::invalid(x.span);
            }
        };
        if !self.a.types.all_basic(x.ty, Basic::is_integer) {
            let text = self.describe(&x);
            let message = format!("invalid argument: {what} {text} must be integer");
            self.err(Code::InvalidIndex, x.span, message);
            return Operand::invalid(x.span);
        }
        if x.is_const() {
            if !negative_ok && x.val.sign() < 0 {
                let text = self.describe(&x);
                let message = format!("invalid argument: {what} {text} must not be negative");
                self.err(Code::InvalidIndex, x.span, message);
                return Operand::invalid(x.span);
            }
            if x.val.as_i64().is_none() {
                let text = self.describe(&x);
                let message = format!("invalid argument: {what} {text} overflows int");
                self.err(Code::InvalidIndex, x.span, message);
                return Operand::invalid(x.span);
            }
        }
        x
    }

    pub(super) fn bool_const(ty: Ty, value: bool, span: Span) -> tir::Expr {
        ex(ty, span, ExprKind::Const(tir::Const::Bool(value)))
    }
}
