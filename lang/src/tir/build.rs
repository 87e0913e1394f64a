//! Building typed IR: selector paths, receivers, and the forwarding bodies behind interface methods,
//! method values and method expressions.
use super::{Body, Callee, Capture, Expr, ExprKind, Local, LocalId, Stmt, StmtKind, WrapperFunc};
use crate::source::Span;
use crate::types::lookup::{Lookup, MethodKind, MethodSel, Step};
use crate::types::print::Names;
use crate::types::ty::{Basic, IMethod, Signature, Ty, TyKind, Types};
use std::rc::Rc;

impl Expr {
    pub fn new(ty: Ty, span: Span, kind: ExprKind) -> Expr {
        Expr { ty, span, kind }
    }

    pub fn local(id: LocalId, ty: Ty, span: Span) -> Expr {
        Expr::new(ty, span, ExprKind::Local(id))
    }

    /// `*self`, which has type `ty`.
    pub fn deref(self, ty: Ty) -> Expr {
        let span = self.span;
        Expr::new(ty, span, ExprKind::Deref(Box::new(self)))
    }

    /// The field of a struct value or place.
    pub fn field(self, index: u32, ty: Ty) -> Expr {
        let span = self.span;
        Expr::new(ty, span, ExprKind::Field(Box::new(self), index))
    }

    /// `&self` of a place.
    pub fn address(self, types: &mut Types) -> Expr {
        let (span, ty) = (self.span, types.pointer(self.ty));
        match self.kind {
            // `&*p` is `p`: no nil check, and the place need not be made.
            ExprKind::Deref(p) if p.ty == ty => *p,
            _ => Expr::new(ty, span, ExprKind::AddrOf(Box::new(self))),
        }
    }

    /// The value behind a path of embedded fields, pointers followed explicitly.
    pub fn select(self, path: &[Step], types: &Types) -> Expr {
        let mut e = self;
        for step in path {
            if step.deref {
                let base = types.pointee(e.ty).unwrap_or(Basic::Invalid.ty());
                e = e.deref(base);
            }
            e = e.field(step.index, step.ty);
        }
        e
    }
}

/// The receiver of a selected method, made from the operand: path, then `&` or `*` as needed.
pub fn receiver(operand: Expr, sel: &MethodSel, types: &mut Types) -> Expr {
    let e = operand.select(&sel.path, types);
    match &sel.kind {
        MethodKind::Concrete { ptr_recv, .. } => match (*ptr_recv, sel.is_ptr) {
            (true, false) => e.address(types),
            (false, true) => {
                let base = types.pointee(e.ty).unwrap_or(Basic::Invalid.ty());
                e.deref(base)
            }
            _ => e,
        },
        _ => e,
    }
}

/// The call of a selected method; `recv` comes from `receiver`.
pub fn method_call(
    recv: Expr,
    sel: &MethodSel,
    args: Vec<Expr>,
    span: Span,
    types: &mut Types,
) -> Expr {
    let results = match types.kind(sel.sig) {
        TyKind::Func(s) => s.results.clone(),
        _ => Vec::new(),
    };
    let ty = match results.as_slice() {
        [one] => *one,
        many => types.tuple(many),
    };
    let kind = match &sel.kind {
        MethodKind::Concrete { func, .. } => {
            let mut all = vec![recv];
            all.extend(args);
            ExprKind::Call(Callee::Static(func.clone()), all)
        }
        MethodKind::Interface(m) => {
            ExprKind::Call(Callee::Interface(Box::new(recv), m.clone()), args)
        }
        MethodKind::Param(m) => ExprKind::Call(Callee::Param(Box::new(recv), m.clone()), args),
    };
    Expr::new(ty, span, kind)
}

/// A forwarding body in the making.
struct Forwarder {
    body: Body,
}

impl Forwarder {
    fn new(name: String, span: Span) -> Forwarder {
        Forwarder {
            body: Body {
                name,
                params: Vec::new(),
                results: Vec::new(),
                locals: Vec::new(),
                captures: Vec::new(),
                stmts: Vec::new(),
                labels: 0,
                span,
                end: span,
                has_defer: false,
                wrapper: true,
                value_method: false,
            },
        }
    }

    fn local(&mut self, name: &str, ty: Ty) -> LocalId {
        let id = LocalId(self.body.locals.len() as u32);
        self.body.locals.push(Local {
            name: name.into(),
            ty,
            boxed: false,
        });
        id
    }

    /// Parameters and results of the signature; the parameters as arguments.
    fn signature(&mut self, s: &Signature) -> Vec<Expr> {
        let mut args = Vec::with_capacity(s.params.len());
        for (i, ty) in s.params.iter().enumerate() {
            let id = self.local(&format!("a{i}"), *ty);
            self.body.params.push(id);
            args.push(Expr::local(id, *ty, self.body.span));
        }
        for (i, ty) in s.results.iter().enumerate() {
            let id = self.local(&format!("r{i}"), *ty);
            self.body.results.push(id);
        }
        args
    }

    /// Ends the body with the call and the return of what it gives.
    fn finish(mut self, call: Expr, results: &[Ty]) -> Body {
        let span = self.body.span;
        let mut push = |kind| self.body.stmts.push(Stmt { span, kind });
        match results {
            [] => push(StmtKind::Expr(call)),
            [_] => push(StmtKind::Return(vec![call])),
            many => {
                let places = many
                    .iter()
                    .zip(&self.body.results)
                    .map(|(ty, id)| Some(Expr::local(*id, *ty, span)))
                    .collect();
                push(StmtKind::AssignTuple(places, call));
                push(StmtKind::Return(Vec::new()));
            }
        }
        self.body
    }
}

fn signature_of(sig: Ty, types: &Types) -> Rc<Signature> {
    match types.kind(sig) {
        TyKind::Func(s) => s.clone(),
        _ => Rc::new(Signature {
            params: Vec::new(),
            results: Vec::new(),
            variadic: false,
        }),
    }
}

/// The function that the method expression `T.m` is: `T` first, then `m`'s parameters.
pub fn method_expression(
    t: Ty,
    sel: &MethodSel,
    name: String,
    span: Span,
    types: &mut Types,
) -> Body {
    let s = signature_of(sel.sig, types);
    let mut f = Forwarder::new(name, span);
    let own = f.local("recv", t);
    f.body.params.push(own);
    let args = f.signature(&s);
    let recv = receiver(Expr::local(own, t, span), sel, types);
    let call = method_call(recv, sel, args, span, types);
    f.finish(call, &s.results)
}

/// The function literal that the method value `x.m` is. `outer` holds the receiver, already made by
/// `receiver` when the value was evaluated, of type `recv`; for an interface method it must have been
/// checked for nil there.
pub fn method_value(
    outer: LocalId,
    recv: Ty,
    sel: &MethodSel,
    name: String,
    span: Span,
    types: &mut Types,
) -> Body {
    let s = signature_of(sel.sig, types);
    let mut f = Forwarder::new(name, span);
    let inner = f.local("recv", recv);
    f.body.captures.push(Capture { outer, inner });
    let args = f.signature(&s);
    let call = method_call(Expr::local(inner, recv, span), sel, args, span, types);
    f.finish(call, &s.results)
}

/// The method of `t` as a function of an interface's data word: the first parameter is the value
/// itself where it is stored inline, else a pointer to it. `t` must have the method.
pub fn interface_wrapper(
    t: Ty,
    method: &IMethod,
    names: &dyn Names,
    span: Span,
    types: &mut Types,
) -> WrapperFunc {
    let sel = match types.lookup_method(t, method) {
        Lookup::Method(sel) | Lookup::NeedsPointer(sel) => sel,
        other => panic!("no method for an interface: {other:?}"),
    };
    let direct = types.is_direct(t);
    if let MethodKind::Concrete { func, ptr_recv } = &sel.kind
        && direct
        && sel.path.is_empty()
        && *ptr_recv == sel.is_ptr
    {
        return WrapperFunc::Declared(func.clone());
    }
    let s = signature_of(sel.sig, types);
    let base = types
        .pointee(t)
        .filter(|_| matches!(types.kind(t), TyKind::Pointer(_)));
    let shown = match base {
        Some(base) => {
            let base = types.runtime_name(base, names);
            match base.split_once('.') {
                Some((pkg, name)) => format!("{pkg}.(*{name})"),
                None => format!("(*{base})"),
            }
        }
        None => types.runtime_name(t, names),
    };
    let mut f = Forwarder::new(format!("{shown}.{}", names.symbol(method.name)), span);
    let word = match direct {
        true => t,
        false => types.pointer(t),
    };
    let own = f.local("recv", word);
    f.body.params.push(own);
    let by_value = matches!(&sel.kind, MethodKind::Concrete { ptr_recv, .. } if !ptr_recv);
    f.body.value_method = base.is_some() && by_value && sel.path.is_empty();
    let args = f.signature(&s);
    let mut value = Expr::local(own, word, span);
    if !direct {
        value = value.deref(t);
    }
    let recv = receiver(value, &sel, types);
    let call = method_call(recv, &sel, args, span, types);
    WrapperFunc::Body(Rc::new(f.finish(call, &s.results)))
}
