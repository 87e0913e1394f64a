//! Range loops (spec "For statements with range clause").
use super::Checker;
use super::object::ObjKind;
use super::operand::{Operand, ex, st};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::{self};
use crate::syntax::symbol::Symbol;
use crate::tir::{self, ExprKind, RangeKind, StmtKind};
use crate::types::ty::{Basic, ChanDir, Ty, TyKind};

/// What ranging over a value gives.
struct Ranging {
    kind: Option<RangeKind>,
    key: Option<Ty>,
    value: Option<Ty>,
    /// Of functions: the body's parameters.
    params: Vec<Ty>,
}

impl Checker {
    pub(super) fn range(
        &mut self,
        r: &ast::RangeStmt,
        label: Option<Symbol>,
        span: Span,
        out: &mut Vec<tir::Stmt>,
    ) {
        let x = self.expr(&r.operand, None);
        let mut ranging = None;
        let mut over = None;
        if x.is_valid() {
            let permit = |n: usize| n < r.vars.len();
            let (x, found) = self.ranging(x, r);
            match found {
                Some(found) => {
                    let allowed = found.key.is_some() as usize + found.value.is_some() as usize;
                    if allowed == 2 && permit(2) {
                        let message = "range clause permits at most two iteration variables";
                        self.err(Code::RangeVariables, r.vars[2].span, message);
                    } else if permit(allowed) {
                        let text = self.describe(&x);
                        let message = match allowed {
                            0 => format!("range over {text} permits no iteration variables"),
                            _ => format!("range over {text} permits only one iteration variable"),
                        };
                        self.err(Code::RangeVariables, r.vars[allowed].span, message);
                    }
                    ranging = Some(found);
                    over = Some(x);
                }
                None => ranging = None,
            }
        }
        let (Some(ranging), Some(x)) = (ranging, over) else {
            // Check the body all the same.
            self.range_vars_invalid(r);
            self.push_target(label, true);
            self.block(&r.body.stmts);
            self.ctx().targets.pop();
            return;
        };
        let tys = [ranging.key, ranging.value];
        let Some(kind) = ranging.kind else {
            let over = self.emit(x);
            let params = ranging.params.clone();
            self.range_over_func(r, over, &params, label, span, out, |c, args, out| {
                c.bind_range_vars(r, args, out);
            });
            return;
        };
        let over = self.emit(x);
        let id = self.push_target(label, true);
        self.open_scope();
        let mut body = Vec::new();
        // The loop's own fresh locals; variables that are declared are these.
        let mut locals = [None, None];
        let mut values = Vec::new();
        for (i, v) in r.vars.iter().enumerate() {
            let Some(ty) = tys.get(i).copied().flatten() else {
                self.range_var_invalid(r, v);
                continue;
            };
            let blank = v.as_ident().is_some_and(|n| self.is_blank(n.name));
            if blank {
                values.push(None);
                continue;
            }
            if r.define
                && let Some(n) = v.as_ident()
            {
                let (_, local) = self.declare_var(n, ty);
                locals[i] = Some(local);
                values.push(None);
            } else {
                let local = self.temp(ty);
                locals[i] = Some(local);
                values.push(Some(ex(ty, v.span, ExprKind::Local(local))));
            }
        }
        for (v, value) in r.vars.iter().zip(values) {
            if let Some(value) = value {
                self.assign_value(v, value, "range clause", &mut body);
            }
        }
        in_parallel(&mut body);
        let inner = self.block(&r.body.stmts);
        body.extend(inner);
        self.close_scope();
        self.ctx().targets.pop();
        let range = tir::Range {
            label: id,
            kind,
            key: locals[0],
            value: locals[1],
            over,
            body,
        };
        out.push(st(span, StmtKind::Range(Box::new(range))));
    }

    fn range_vars_invalid(&mut self, r: &ast::RangeStmt) {
        for v in &r.vars {
            self.range_var_invalid(r, v);
        }
    }

    fn range_var_invalid(&mut self, r: &ast::RangeStmt, v: &ast::Expr) {
        match v.as_ident() {
            Some(n) if r.define => {
                let (id, _) = self.declare_var(n, super::INVALID);
                self.obj_mut(id).used = true;
            }
            Some(n) if self.is_blank(n.name) => {}
            _ => {
                self.use_expr(v);
            }
        }
    }

    /// In the body of a range-over-func loop: its variables from the parameters.
    fn bind_range_vars(
        &mut self,
        r: &ast::RangeStmt,
        args: &[tir::Expr],
        out: &mut Vec<tir::Stmt>,
    ) {
        for v in r.vars.iter().skip(args.len()) {
            self.range_var_invalid(r, v);
        }
        for (v, arg) in r.vars.iter().zip(args) {
            let ident = v.as_ident();
            if ident.is_some_and(|n| self.is_blank(n.name)) {
                continue;
            }
            match ident {
                Some(n) if r.define => {
                    let (_, local) = self.declare_var(n, arg.ty);
                    out.push(st(v.span, StmtKind::Let(vec![local], Some(arg.clone()))));
                }
                // One after the other, as Go does here.
                _ => self.assign_value(v, arg.clone(), "range clause", out),
            }
        }
    }

    fn ranging<'e>(
        &mut self,
        x: Operand<'e>,
        r: &'e ast::RangeStmt,
    ) -> (Operand<'e>, Option<Ranging>) {
        let int = Basic::Int.ty();
        let of = |kind, key, value| Ranging {
            kind: Some(kind),
            key,
            value,
            params: vec![],
        };
        if x.is_nil() {
            self.err(Code::InvalidRange, x.span, "cannot range over nil");
            return (x, None);
        }
        // `for i := range 10`: an int, or the type of the variable assigned to.
        let x = match self.is_untyped(x.ty) && x.is_const() {
            true if self.a.types.basic(x.ty).is_some_and(Basic::is_numeric) => {
                let target = match r.vars.first() {
                    Some(v) if !r.define => self.iteration_type(v),
                    _ => None,
                };
                let kind = self.a.types.basic(x.ty);
                let untyped_int = matches!(kind, Some(Basic::UntypedInt | Basic::UntypedRune));
                if !untyped_int {
                    let text = self.describe(&x);
                    self.err(
                        Code::InvalidRange,
                        x.span,
                        format!("cannot range over {text}"),
                    );
                    return (x, None);
                }
                match target {
                    Some(t) => {
                        let x = self.assignment(
                            x,
                            Some(t),
                            super::convert::Context::Other("range clause"),
                        );
                        if !x.is_valid() {
                            return (x, None);
                        }
                        x
                    }
                    None => {
                        let fallback = x.clone();
                        let goal = self.a.types.default_type(x.ty);
                        match self.implicit(x, goal) {
                            Ok(x) => x,
                            Err(_) => {
                                let x = self.defaulted(fallback);
                                return (x, None);
                            }
                        }
                    }
                }
            }
            _ => self.defaulted(x),
        };
        if !x.is_valid() {
            return (x, None);
        }
        let core = self.a.types.core_string(x.ty);
        let kind = core.map(|t| self.a.types.kind(t).clone());
        let text = self.describe(&x);
        let mut cause = String::new();
        let found = match kind {
            Some(TyKind::Basic(b)) if b.is_integer() => Some(of(RangeKind::Int, Some(x.ty), None)),
            Some(TyKind::Basic(b)) if b.is_string() => {
                Some(of(RangeKind::String, Some(int), Some(Basic::Int32.ty())))
            }
            Some(TyKind::Slice(e)) => Some(of(RangeKind::Slice, Some(int), Some(e))),
            Some(TyKind::Array(e, _)) => Some(of(RangeKind::Array, Some(int), Some(e))),
            Some(TyKind::Pointer(p)) => match self.a.types.under(p) {
                TyKind::Array(e, _) => Some(of(RangeKind::ArrayPointer, Some(int), Some(*e))),
                _ => None,
            },
            Some(TyKind::Map(k, v)) => Some(of(RangeKind::Map, Some(k), Some(v))),
            Some(TyKind::Chan(ChanDir::Send, _)) => {
                cause = "receive from send-only channel".into();
                None
            }
            Some(TyKind::Chan(_, e)) => Some(of(RangeKind::Chan, Some(e), None)),
            Some(TyKind::Func(sig)) => match self.yield_params(&sig) {
                Ok(params) => Some(Ranging {
                    kind: None,
                    key: params.first().copied(),
                    value: params.get(1).copied(),
                    params,
                }),
                Err(why) => {
                    cause = why;
                    None
                }
            },
            None => {
                cause = self.no_core_cause(x.ty);
                None
            }
            _ => None,
        };
        if found.is_none() {
            let message = match cause.is_empty() {
                true => format!("cannot range over {text}"),
                false => format!("cannot range over {text}: {cause}"),
            };
            self.err(Code::InvalidRange, x.span, message);
        }
        (x, found)
    }

    fn iteration_type(&mut self, v: &ast::Expr) -> Option<Ty> {
        let n = v.as_ident()?;
        if self.is_blank(n.name) {
            return None;
        }
        let id = self.lookup_name(n.name)?;
        match self.obj(id).kind {
            ObjKind::Local(_, t) => Some(t),
            ObjKind::Global(g) => Some(self.globals[g.0 as usize].ty),
            _ => None,
        }
    }

    /// The parameters of `yield` of an iterator function.
    fn yield_params(&mut self, sig: &crate::types::ty::Signature) -> Result<Vec<Ty>, String> {
        let bad = |why: &str| Err(format!("func must be func(yield func(...) bool): {why}"));
        let [param] = sig.params[..] else {
            return bad("wrong argument count");
        };
        if !sig.results.is_empty() {
            return bad("unexpected result(s)");
        }
        let core = match self.a.types.core_type(param) {
            Some(core) => core,
            None => {
                let why = self.no_core_cause(param);
                return bad(&format!("in yield type, {why}"));
            }
        };
        let TyKind::Func(y) = self.a.types.kind(core).clone() else {
            return bad("argument is not func");
        };
        if y.variadic {
            let text = self.ty_str(param);
            return Err(format!("yield func of type {text} cannot be variadic"));
        }
        if y.params.len() > 2 {
            return bad("yield func has too many parameters");
        }
        match y.results[..] {
            [r] if r == Basic::Bool.ty() => Ok(y.params.clone()),
            [r] if self.a.types.all_basic(r, Basic::is_boolean) => {
                bad("yield func returns user-defined boolean, not bool")
            }
            _ => bad("yield func does not return bool"),
        }
    }

    /// Why a type parameter has no core type.
    pub(super) fn no_core_cause(&mut self, t: Ty) -> String {
        let terms = self.a.types.param_terms(t).unwrap_or_default();
        let mut under = terms.iter().map(|t| (t.ty, self.a.types.underlying(t.ty)));
        let Some((first, u)) = under.next() else {
            return "no specific type".into();
        };
        match under.find(|(_, v)| *v != u) {
            Some((other, _)) => format!(
                "{} and {} have different underlying types",
                self.ty_str(first),
                self.ty_str(other)
            ),
            None => "no specific type".into(),
        }
    }
}

/// Makes one parallel assignment of the assignments to a clause's variables: operands on the left come first.
pub(super) fn in_parallel(list: &mut Vec<tir::Stmt>) {
    let assigns = |s: &tir::Stmt| matches!(s.kind, StmtKind::Assign(..));
    if list.len() < 2 || !list.iter().all(assigns) {
        return;
    }
    let span = list[0].span;
    let pairs = std::mem::take(list)
        .into_iter()
        .filter_map(|s| match s.kind {
            StmtKind::Assign(place, value) => Some((Some(place), value)),
            _ => None,
        })
        .collect();
    list.push(st(span, StmtKind::AssignMany(pairs)));
}
