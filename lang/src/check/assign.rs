//! Assignments, short variable declarations, `x op= y`, `x++`, and local var declarations.
use super::binary::{Operation, bin_op};
use super::convert::Context;
use super::names::Use;
use super::object::{ObjId, ObjKind, VarRef};
use super::operand::{Mode, Operand, ex, st};
use super::{Checker, INVALID};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, Expr, ExprKind as E, Ident};
use crate::tir::{self, ExprKind, LocalId, StmtKind};
use crate::types::constant::Value;
use crate::types::ty::{Basic, Ty};

/// The left side of an assignment.
enum Left {
    /// In error.
    Invalid,
    Blank,
    Place(tir::Expr),
}

impl Left {
    fn ty(&self) -> Option<Ty> {
        match self {
            Left::Invalid => Some(INVALID),
            Left::Blank => None,
            Left::Place(p) => Some(p.ty),
        }
    }
}

impl Checker {
    fn left_side(&mut self, e: &Expr) -> Left {
        let ident = e.unparen().as_ident();
        if let Some(n) = ident
            && self.is_blank(n.name)
        {
            return Left::Blank;
        }
        // Being assigned to is not a use.
        let var = ident
            .and_then(|n| self.lookup_name(n.name))
            .filter(|id| matches!(self.obj(*id).kind, ObjKind::Local(..)));
        let used = var.map(|id| self.obj(id).used);
        let x = self.expr(e, None);
        if let (Some(id), Some(used)) = (var, used) {
            self.obj_mut(id).used = used;
        }
        if !x.is_valid() {
            return Left::Invalid;
        }
        match x.mode {
            Mode::Var | Mode::MapIndex => {
                let place = self.emit(x);
                self.mark_assigned(&place);
                Left::Place(place)
            }
            _ => {
                let text = self.text(e);
                if let ExprKind::Field(base, _) = &x.tir.kind
                    && matches!(innermost_field(base).kind, ExprKind::MapIndex(..))
                {
                    let message = format!("cannot assign to struct field {text} in map");
                    self.err(Code::NotAssignable, e.span, message);
                } else {
                    let message = format!(
                        "cannot assign to {text} (neither addressable nor a map index expression)"
                    );
                    self.err(Code::NotAssignable, e.span, message);
                }
                Left::Invalid
            }
        }
    }

    pub(super) fn assign(
        &mut self,
        left: &[Expr],
        right: &[Expr],
        span: Span,
        out: &mut Vec<tir::Stmt>,
    ) {
        let is_call = right.len() == 1 && matches!(right[0].unparen().kind, E::Call(_));
        if left.len() == right.len() && (left.len() == 1 || !is_call) {
            let mut pairs = Vec::new();
            let mut ok = true;
            for (l, r) in left.iter().zip(right) {
                let place = self.left_side(l);
                let hint = place.ty();
                if let [_] = left
                    && is_call
                {
                    // One call: a mismatch of counts has its own message.
                    let x = self.raw_expr(r, hint);
                    if let crate::types::ty::TyKind::Tuple(ts) = self.a.types.kind(x.ty).clone()
                        && x.mode == Mode::Value
                    {
                        self.mismatch(r, 1, ts.len(), false);
                        ok = false;
                        continue;
                    }
                    let x = self.assignment(x, hint, Context::Assign);
                    ok &= x.is_valid() && !matches!(place, Left::Invalid);
                    pairs.push((place, x.tir));
                    continue;
                }
                let x = self.expr(r, hint);
                let x = self.assignment(x, hint, Context::Assign);
                ok &= x.is_valid() && !matches!(place, Left::Invalid);
                pairs.push((place, x.tir));
            }
            if !ok {
                return;
            }
            if pairs.len() == 1 {
                let (place, value) = pairs.remove(0);
                let kind = match place {
                    Left::Place(p) => StmtKind::Assign(p, value),
                    _ => StmtKind::Expr(value),
                };
                out.push(st(span, kind));
                return;
            }
            let pairs = pairs
                .into_iter()
                .map(|(l, r)| match l {
                    Left::Place(p) => (Some(p), r),
                    _ => (None, r),
                })
                .collect();
            out.push(st(span, StmtKind::AssignMany(pairs)));
            return;
        }
        let places: Vec<Left> = left.iter().map(|l| self.left_side(l)).collect();
        if right.len() != 1 {
            let mut ok = true;
            for r in right {
                ok &= self.use_expr(r);
            }
            if ok {
                self.count_mismatch(left.len(), right);
            }
            return;
        }
        let want: Vec<Option<Ty>> = places.iter().map(Left::ty).collect();
        let (_, value) = self.unpack_init(&right[0], &want, Context::Assign);
        let Some(value) = value else {
            return;
        };
        if places.iter().any(|p| matches!(p, Left::Invalid)) {
            return;
        }
        let places = places
            .into_iter()
            .map(|p| match p {
                Left::Place(p) => Some(p),
                _ => None,
            })
            .collect();
        out.push(st(span, StmtKind::AssignTuple(places, value)));
    }

    fn count_mismatch(&mut self, left: usize, right: &[Expr]) {
        let measure = |n: usize, what: &str| match n {
            1 => format!("1 {what}"),
            n => format!("{n} {what}s"),
        };
        let message = format!(
            "assignment mismatch: {} but {}",
            measure(left, "variable"),
            measure(right.len(), "value")
        );
        self.err(Code::AssignmentMismatch, right[0].span, message);
    }

    /// `x op= y`, and `x++` with `right` none.
    pub(super) fn op_assign(
        &mut self,
        left: &Expr,
        op: BinaryOp,
        right: Option<&Expr>,
        op_span: Span,
        span: Span,
        out: &mut Vec<tir::Stmt>,
    ) {
        let x = self.expr(left, None);
        let y = match right {
            Some(r) => self.expr(r, None),
            None => Operand::constant(Basic::UntypedInt.ty(), Value::int(1), op_span),
        };
        if !x.is_valid() || !y.is_valid() {
            return;
        }
        if right.is_none() && !self.a.types.all_basic(x.ty, Basic::is_numeric) {
            let (text, t) = (self.text(left), self.ty_str(x.ty));
            let sign = if op == BinaryOp::Add { "++" } else { "--" };
            let message = format!("invalid operation: {text}{sign} (non-numeric type {t})");
            self.err(Code::InvalidOperation, left.span, message);
            return;
        }
        let is_place = matches!(x.mode, Mode::Var | Mode::MapIndex);
        let (ty, place) = (x.ty, x.tir.clone());
        let shown = x.clone();
        let mut value = x;
        // The operation is checked on a value: constants do not fold here.
        value.ast = Some(left);
        let operation = Operation {
            op,
            op_span,
            span,
            ast: None,
        };
        let result = self.operate(value, y, operation);
        if !result.is_valid() {
            return;
        }
        if !is_place {
            let text = self.text(left);
            if let ExprKind::Field(base, _) = &shown.tir.kind
                && matches!(innermost_field(base).kind, ExprKind::MapIndex(..))
            {
                let message = format!("cannot assign to struct field {text} in map");
                self.err(Code::NotAssignable, left.span, message);
            } else {
                let message = format!(
                    "cannot assign to {text} (neither addressable nor a map index expression)"
                );
                self.err(Code::NotAssignable, left.span, message);
            }
            return;
        }
        self.mark_assigned(&place);
        let result = self.assignment(result, Some(ty), Context::Assign);
        if !result.is_valid() {
            return;
        }
        let rhs = match result.tir.kind {
            ExprKind::Binary(_, _, b) => *b,
            _ => return,
        };
        out.push(st(span, StmtKind::OpAssign(bin_op(op), place, rhs)));
    }

    /// `a, b := …`.
    pub(super) fn define(
        &mut self,
        names: &[Ident],
        right: &[Expr],
        op_span: Span,
        span: Span,
        out: &mut Vec<tir::Stmt>,
    ) {
        // Known variables of this scope are assigned, the others declared.
        let mut known: Vec<Option<ObjId>> = Vec::new();
        let mut any_new = false;
        for (i, n) in names.iter().enumerate() {
            let blank = self.is_blank(n.name);
            if !blank && names[..i].iter().any(|m| m.name == n.name) {
                let text = self.name(n.name).to_string();
                let message = format!("{text} repeated on left side of :=");
                self.err(Code::Redeclared, n.span, message);
            }
            let found = match blank {
                true => None,
                false => self.in_scope(n.name),
            };
            match found {
                Some(id) if !matches!(self.obj(id).kind, ObjKind::Local(..)) => {
                    let text = self.name(n.name).to_string();
                    self.err(
                        Code::NotAssignable,
                        n.span,
                        format!("cannot assign to {text}"),
                    );
                    known.push(None);
                }
                Some(id) => {
                    self.note_name(n.span, Use::Object(id));
                    known.push(Some(id));
                }
                None => {
                    any_new |= !blank;
                    known.push(None);
                }
            }
        }
        if !any_new {
            let message = "no new variables on left side of :=";
            self.err(Code::NoNewVariables, op_span, message);
        }
        let want: Vec<Option<Ty>> = known
            .iter()
            .map(|k| {
                k.and_then(|id| match self.obj(id).kind {
                    ObjKind::Local(_, t) => Some(t),
                    _ => None,
                })
            })
            .collect();
        let values = self.initial_values(&want, right, Context::Assign);
        self.declare_all(names, &known, values, span, out);
    }

    /// The values of an initialisation: one each, or a tuple; and their types.
    pub(super) fn initial_values(
        &mut self,
        want: &[Option<Ty>],
        right: &[Expr],
        context: Context,
    ) -> Values {
        let is_call = right.len() == 1 && matches!(right[0].unparen().kind, E::Call(_));
        if want.len() == right.len() && (!is_call || want.len() == 1) {
            let mut values = Vec::new();
            for (w, r) in want.iter().zip(right) {
                let x = match is_call {
                    true => {
                        let x = self.raw_expr(r, *w);
                        if let crate::types::ty::TyKind::Tuple(ts) = self.a.types.kind(x.ty).clone()
                            && x.mode == Mode::Value
                        {
                            self.mismatch(r, 1, ts.len(), false);
                            Operand::invalid(r.span)
                        } else {
                            x
                        }
                    }
                    false => self.expr(r, *w),
                };
                let x = self.assignment(x, *w, context.clone());
                match x.is_valid() {
                    true => values.push((x.ty, Some(x.tir))),
                    false => values.push((w.unwrap_or(INVALID), None)),
                }
            }
            return Values::Each(values);
        }
        if right.len() != 1 {
            let mut ok = true;
            for r in right {
                ok &= self.use_expr(r);
            }
            if ok {
                self.count_mismatch(want.len(), right);
            }
            return Values::Tuple(want.iter().map(|w| w.unwrap_or(INVALID)).collect(), None);
        }
        let (tys, tuple) = self.unpack_init(&right[0], want, context);
        Values::Tuple(tys, tuple)
    }

    fn declare_all(
        &mut self,
        names: &[Ident],
        known: &[Option<ObjId>],
        values: Values,
        span: Span,
        out: &mut Vec<tir::Stmt>,
    ) {
        match values {
            Values::Each(values) => {
                if let ([name], [None], [(ty, value)]) = (names, known, &values[..]) {
                    let ty = value.as_ref().map_or(*ty, |v| v.ty);
                    let (_, local) = self.declare_var(*name, ty);
                    self.mark_failed(name, value.is_none());
                    if let Some(v) = value {
                        out.push(st(span, StmtKind::Let(vec![local], Some(v.clone()))));
                    }
                    return;
                }
                // All values first, then the variables.
                let tys: Vec<Ty> = values
                    .iter()
                    .map(|(ty, v)| v.as_ref().map_or(*ty, |v| v.ty))
                    .collect();
                let all: Option<Vec<tir::Expr>> = values.iter().map(|x| x.1.clone()).collect();
                if let Some(all) = all.as_ref()
                    && known.iter().all(Option::is_none)
                {
                    let tuple = self.tuple_of(all.clone(), span);
                    let locals = names.iter().zip(&tys);
                    let locals = locals.map(|(n, t)| self.declare_var(*n, *t).1).collect();
                    out.push(st(span, StmtKind::Let(locals, Some(tuple))));
                    return;
                }
                let mut temps: Vec<Option<tir::Expr>> = match all {
                    Some(all) => self
                        .spill_all(all, span, out)
                        .into_iter()
                        .map(Some)
                        .collect(),
                    None => values.into_iter().map(|x| x.1).collect(),
                };
                for (i, n) in names.iter().enumerate() {
                    let ty = tys[i];
                    self.declare_or_assign(*n, known[i], ty, temps[i].take(), span, out);
                }
            }
            Values::Tuple(tys, tuple) => {
                if known.iter().all(Option::is_none) {
                    let mut locals = Vec::new();
                    let failed = tuple.is_none();
                    for (n, t) in names.iter().zip(&tys) {
                        let (_, local) = self.declare_var(*n, *t);
                        self.mark_failed(n, failed);
                        locals.push(local);
                    }
                    if let Some(t) = tuple {
                        out.push(st(span, StmtKind::Let(locals, Some(t))));
                    }
                    return;
                }
                let temps: Vec<Option<tir::Expr>> = match tuple {
                    Some(t) => {
                        let values = self.unpack_tuple(t, &tys, out);
                        values.into_iter().map(Some).collect()
                    }
                    None => tys.iter().map(|_| None).collect(),
                };
                for (i, temp) in temps.into_iter().enumerate() {
                    self.declare_or_assign(names[i], known[i], tys[i], temp, span, out);
                }
            }
        }
    }

    /// A variable whose initialiser is in error counts as used.
    fn mark_failed(&mut self, name: &Ident, failed: bool) {
        if failed
            && !self.is_blank(name.name)
            && let Some(id) = self.in_scope(name.name)
        {
            self.obj_mut(id).used = true;
        }
    }

    fn declare_or_assign(
        &mut self,
        name: Ident,
        known: Option<ObjId>,
        ty: Ty,
        value: Option<tir::Expr>,
        span: Span,
        out: &mut Vec<tir::Stmt>,
    ) {
        match known.map(|id| self.obj(id).kind.clone()) {
            Some(ObjKind::Local(var, _)) => {
                let Some(value) = value else {
                    return;
                };
                let place = self.var_expr(var, name.span);
                self.mark_assigned(&place);
                out.push(st(span, StmtKind::Assign(place, value)));
            }
            _ => {
                let (_, local) = self.declare_var(name, ty);
                self.mark_failed(&name, value.is_none());
                if let Some(v) = value {
                    out.push(st(span, StmtKind::Let(vec![local], Some(v))));
                }
            }
        }
    }

    /// `var a, b T = …` in a function.
    pub(super) fn local_var(&mut self, spec: &ast::VarSpec, out: &mut Vec<tir::Stmt>) {
        let ty = spec.ty.as_ref().map(|t| self.var_typ(t));
        if spec.values.is_empty() {
            for n in &spec.names {
                let (_, local) = self.declare_var(*n, ty.unwrap_or(INVALID));
                out.push(st(n.span, StmtKind::Let(vec![local], None)));
            }
            return;
        }
        let n = spec.names.len();
        if spec.values.len() != n && spec.values.len() != 1 {
            let mut ok = true;
            for v in &spec.values {
                ok &= self.use_expr(v);
            }
            if ok {
                self.count_mismatch(n, &spec.values);
            }
            for name in &spec.names {
                let (id, _) = self.declare_var(*name, ty.unwrap_or(INVALID));
                self.obj_mut(id).used = true;
            }
            return;
        }
        let want: Vec<Option<Ty>> = spec.names.iter().map(|_| ty).collect();
        let context = match n {
            1 => Context::VarDecl,
            _ => Context::Assign,
        };
        let values = self.initial_values(&want, &spec.values, context);
        let known = vec![None; n];
        // The declared type is the variable's, also when the value is of another one.
        let values = match (values, ty) {
            (Values::Each(vs), Some(t)) => {
                Values::Each(vs.into_iter().map(|(_, v)| (t, v)).collect())
            }
            (v, _) => v,
        };
        self.declare_all(&spec.names, &known, values, spec.span, out);
    }

    /// `(local, ok)` of a comma-ok form on the right side, for select and range.
    pub(super) fn place_of(&mut self, var: VarRef, span: Span) -> tir::Expr {
        let e = self.var_expr(var, span);
        self.mark_assigned(&e);
        e
    }

    pub(super) fn local_expr(&self, local: LocalId, ty: Ty, span: Span) -> tir::Expr {
        ex(ty, span, ExprKind::Local(local))
    }

    /// Assigns a value of another statement (range, select) to an expression on the left.
    pub(super) fn assign_value(
        &mut self,
        left: &Expr,
        value: tir::Expr,
        what: &'static str,
        out: &mut Vec<tir::Stmt>,
    ) {
        let place = self.left_side(left);
        let mut x = Operand::value(value.ty, left.span, ExprKind::Zero);
        x.ast = Some(left);
        x.tir = value;
        let bool_ok = x.ty == Basic::Bool.ty()
            && place
                .ty()
                .is_some_and(|t| self.a.types.all_basic(t, Basic::is_boolean));
        match place {
            Left::Place(p) => {
                let v = match bool_ok {
                    true => self.convert_value(x.tir, p.ty),
                    false => {
                        let x = self.assignment(x, Some(p.ty), Context::Other(what));
                        if !x.is_valid() {
                            return;
                        }
                        x.tir
                    }
                };
                out.push(st(left.span, StmtKind::Assign(p, v)));
            }
            Left::Blank | Left::Invalid => {}
        }
    }
}

/// Initial values: expression by expression, or one tuple.
pub(super) enum Values {
    /// The variable's type; no value where it is in error.
    Each(Vec<(Ty, Option<tir::Expr>)>),
    Tuple(Vec<Ty>, Option<tir::Expr>),
}

fn innermost_field(e: &tir::Expr) -> &tir::Expr {
    match &e.kind {
        ExprKind::Field(x, _) => innermost_field(x),
        ExprKind::Index(x, _) => innermost_field(x),
        _ => e,
    }
}
