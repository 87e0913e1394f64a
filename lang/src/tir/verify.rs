//! The verifier of the typed IR, run in debug builds: locals are declared once and before use, labels
//! are known, places are places, operands' types agree. What mentions type parameters is checked for
//! structure only.
use super::{
    Body, Callee, Comm, Const, ConvKind, Expr, ExprKind, LabelId, LocalId, RangeKind, Stmt,
    StmtKind,
};
use crate::types::ty::{Basic, Ty, TyKind, Types};

/// All broken rules, each a sentence; empty for a sound body.
pub fn verify(body: &Body, types: &Types) -> Vec<String> {
    let mut v = Verifier {
        body,
        types,
        declared: vec![false; body.locals.len()],
        errors: Vec::new(),
    };
    for id in body.params.iter().chain(&body.results) {
        v.declare(*id);
    }
    for c in &body.captures {
        v.declare(c.inner);
    }
    v.stmts(&body.stmts);
    v.errors
}

struct Verifier<'a> {
    body: &'a Body,
    types: &'a Types,
    declared: Vec<bool>,
    errors: Vec<String>,
}

impl Verifier<'_> {
    fn check(&mut self, ok: bool, what: impl FnOnce() -> String) {
        if !ok {
            let name = &self.body.name;
            let text = what();
            self.errors.push(format!("{name}: {text}"));
        }
    }

    fn declare(&mut self, id: LocalId) {
        match self.declared.get_mut(id.0 as usize) {
            Some(d) => *d = true,
            None => self.check(false, || format!("local %{} does not exist", id.0)),
        }
    }

    fn local(&mut self, id: LocalId) -> Ty {
        let known = self.declared.get(id.0 as usize).copied().unwrap_or(false);
        self.check(known, || {
            format!("local %{} is used before its declaration", id.0)
        });
        let local = self.body.locals.get(id.0 as usize);
        local.map_or(Basic::Invalid.ty(), |l| l.ty)
    }

    fn label(&mut self, l: LabelId) {
        let labels = self.body.labels;
        self.check(l.0 < labels, || format!("label L{} of {labels}", l.0));
    }

    /// Identical, or one of them is in error or generic.
    fn same(&self, a: Ty, b: Ty) -> bool {
        let loose = |t: Ty| t == Basic::Invalid.ty() || self.types.mentions(t, None);
        a == b || loose(a) || loose(b)
    }

    fn agree(&mut self, a: Ty, b: Ty, what: &str) {
        let ok = self.same(a, b);
        self.check(ok, || format!("{what}: types {} and {} differ", a.0, b.0));
    }

    fn bool(&mut self, e: &Expr, what: &str) {
        let ok = self
            .types
            .basic(e.ty)
            .is_none_or(|b| b.is_boolean() || b == Basic::Invalid);
        self.check(ok, || format!("{what} is no bool"));
        self.expr(e);
    }

    fn is_place(e: &Expr) -> bool {
        match &e.kind {
            ExprKind::Local(_) | ExprKind::Global(_) | ExprKind::Deref(_) => true,
            ExprKind::MapIndex(_, _, ok) => !ok,
            ExprKind::Field(x, _) => Self::is_place(x),
            // Elements of slices are variables whatever the slice expression is.
            ExprKind::Index(..) => true,
            _ => false,
        }
    }

    fn place(&mut self, e: &Expr) {
        self.check(Self::is_place(e), || {
            "assignment to what is no place".into()
        });
        if let ExprKind::Index(x, _) = &e.kind {
            let array = matches!(self.types.under(x.ty), TyKind::Array(..));
            let ok = !array || Self::is_place(x);
            self.check(ok, || "element of an array that is no place".into());
        }
        self.expr(e);
    }

    fn tuple(&self, t: Ty) -> Option<Vec<Ty>> {
        match self.types.kind(t) {
            TyKind::Tuple(ts) => Some(ts.to_vec()),
            _ => None,
        }
    }

    fn stmts(&mut self, stmts: &[Stmt]) {
        for s in stmts {
            self.stmt(s);
        }
    }

    fn stmt(&mut self, s: &Stmt) {
        match &s.kind {
            StmtKind::Expr(e) => self.expr(e),
            StmtKind::Let(ids, init) => {
                if let Some(e) = init {
                    self.expr(e);
                }
                for id in ids {
                    self.declare(*id);
                }
                match (ids.as_slice(), init) {
                    (_, None) => {}
                    ([one], Some(e)) => {
                        let ty = self.local(*one);
                        self.agree(ty, e.ty, "let");
                    }
                    (many, Some(e)) => {
                        let types = self.tuple(e.ty).unwrap_or_default();
                        let ok = types.len() == many.len();
                        self.check(ok, || "let of a tuple of another length".into());
                        for (id, t) in many.iter().zip(types) {
                            let ty = self.local(*id);
                            self.agree(ty, t, "let of a tuple");
                        }
                    }
                }
            }
            StmtKind::Assign(l, r) => {
                self.place(l);
                self.expr(r);
                self.agree(l.ty, r.ty, "assignment");
            }
            StmtKind::AssignMany(pairs) => {
                for (l, r) in pairs {
                    if let Some(l) = l {
                        self.place(l);
                        self.agree(l.ty, r.ty, "assignment");
                    }
                    self.expr(r);
                }
            }
            StmtKind::AssignTuple(places, e) => {
                self.expr(e);
                let types = self.tuple(e.ty).unwrap_or_default();
                let ok = types.len() == places.len();
                self.check(ok, || "assignment from a tuple of another length".into());
                for (place, t) in places.iter().zip(types) {
                    if let Some(p) = place {
                        self.place(p);
                        self.agree(p.ty, t, "assignment from a tuple");
                    }
                }
            }
            StmtKind::OpAssign(op, l, r) => {
                self.place(l);
                self.expr(r);
                if !matches!(op, super::BinOp::Shl | super::BinOp::Shr) {
                    self.agree(l.ty, r.ty, "op-assignment");
                }
            }
            StmtKind::Block(b) | StmtKind::Txn(_, b) => self.stmts(b),
            StmtKind::If(c, a, b) => {
                self.bool(c, "condition");
                self.stmts(a);
                self.stmts(b);
            }
            StmtKind::For(f) => {
                self.label(f.label);
                if let Some(c) = &f.cond {
                    self.bool(c, "condition");
                }
                self.stmts(&f.body);
                self.stmts(&f.post);
                for l in &f.per_iteration {
                    self.local(*l);
                }
            }
            StmtKind::Range(r) => {
                self.label(r.label);
                self.expr(&r.over);
                let under = self.types.under(r.over.ty);
                let fits = match (r.kind, under) {
                    (_, TyKind::Param(_) | TyKind::Basic(Basic::Invalid)) => true,
                    (RangeKind::Int, TyKind::Basic(b)) => b.is_integer(),
                    (RangeKind::String, TyKind::Basic(b)) => b.is_string(),
                    (RangeKind::Slice, TyKind::Slice(_))
                    | (RangeKind::Array, TyKind::Array(..))
                    | (RangeKind::ArrayPointer, TyKind::Pointer(_))
                    | (RangeKind::Map, TyKind::Map(..))
                    | (RangeKind::Chan, TyKind::Chan(..)) => true,
                    _ => false,
                };
                self.check(fits, || format!("range {:?} over another type", r.kind));
                for l in r.key.iter().chain(&r.value) {
                    self.declare(*l);
                }
                self.stmts(&r.body);
            }
            StmtKind::Switch(s) => {
                self.label(s.label);
                for c in &s.clauses {
                    for e in &c.conds {
                        self.bool(e, "case");
                    }
                    self.stmts(&c.body);
                }
            }
            StmtKind::Return(es) => {
                let results = &self.body.results;
                let ok = es.is_empty() || es.len() == results.len();
                self.check(ok, || "return of another number of values".into());
                for (e, id) in es.iter().zip(results) {
                    self.expr(e);
                    let ty = self.local(*id);
                    self.agree(ty, e.ty, "return");
                }
            }
            StmtKind::Break(l)
            | StmtKind::Continue(l)
            | StmtKind::Goto(l)
            | StmtKind::Target(l) => self.label(*l),
            StmtKind::Fallthrough => {}
            StmtKind::Defer(e) => {
                let ok = self.body.has_defer;
                self.check(ok, || "defer in a body without has_defer".into());
                self.func_value(e);
            }
            StmtKind::Go(e) => self.func_value(e),
            StmtKind::Send(c, v) => {
                self.expr(c);
                self.expr(v);
                if let TyKind::Chan(_, t) = self.types.under(c.ty) {
                    self.agree(*t, v.ty, "send");
                }
            }
            StmtKind::Select(cases, l) => {
                self.label(*l);
                for c in cases {
                    match &c.comm {
                        Comm::Default => {}
                        Comm::Send(c, v) => {
                            self.expr(c);
                            self.expr(v);
                        }
                        Comm::Recv(c, v, ok) => {
                            self.expr(c);
                            for l in v.iter().chain(ok) {
                                self.declare(*l);
                            }
                        }
                    }
                    self.stmts(&c.body);
                }
            }
            StmtKind::PvarInit(_, e) => {
                if let Some(e) = e {
                    self.expr(e);
                }
            }
        }
    }

    /// The operand of `defer` and `go`: a `func()`.
    fn func_value(&mut self, e: &Expr) {
        let ok = match self.types.under(e.ty) {
            TyKind::Func(s) => s.params.is_empty() && s.results.is_empty(),
            _ => false,
        };
        self.check(ok, || "defer or go of what is no func()".into());
        self.expr(e);
    }

    fn constant(&mut self, c: &Const, ty: Ty) {
        let Some(b) = self.types.basic(ty).filter(|b| *b != Basic::Invalid) else {
            let nil_or_generic = *c == Const::Nil || self.types.mentions(ty, None);
            return self.check(nil_or_generic, || "constant of no basic type".into());
        };
        let ok = match c {
            Const::Bool(_) => b.is_boolean(),
            Const::Int(_) | Const::SizeOf(_) | Const::AlignOf(_) | Const::OffsetOf(..) => {
                b.is_integer()
            }
            Const::Float(_) => b.is_float(),
            Const::Complex(..) => b.is_complex(),
            Const::Str(_) => b.is_string(),
            Const::Nil => b == Basic::UnsafePointer,
        };
        self.check(ok, || format!("constant {c:?} of type {}", b.name()));
    }

    fn expr(&mut self, e: &Expr) {
        use ExprKind as K;
        let untyped = matches!(self.types.kind(e.ty), TyKind::Basic(b) if b.is_untyped());
        self.check(!untyped, || format!("untyped expression {:?}", e.kind));
        match &e.kind {
            K::Const(c) => self.constant(c, e.ty),
            K::Local(l) => {
                let ty = self.local(*l);
                self.agree(ty, e.ty, "local");
            }
            K::Closure(b) => {
                for c in &b.captures {
                    let outer = self.local(c.outer);
                    let inner = b.locals.get(c.inner.0 as usize).map_or(outer, |l| l.ty);
                    self.agree(outer, inner, "capture");
                    let outer_boxed = self.body.locals.get(c.outer.0 as usize).map(|l| l.boxed);
                    let inner_boxed = b.locals.get(c.inner.0 as usize).map(|l| l.boxed);
                    self.check(outer_boxed == inner_boxed, || {
                        format!("capture of %{}: boxed on one side only", c.outer.0)
                    });
                }
                let errors = verify(b, self.types);
                self.errors.extend(errors);
            }
            K::Binary(op, x, y) => {
                self.agree(e.ty, x.ty, "binary");
                if !matches!(op, super::BinOp::Shl | super::BinOp::Shr) {
                    self.agree(x.ty, y.ty, "binary");
                }
            }
            K::Unary(_, x) => self.agree(e.ty, x.ty, "unary"),
            K::Compare(_, x, y) => self.agree(x.ty, y.ty, "comparison"),
            K::Call(callee, args) => self.callee(callee, args, e.ty),
            K::Field(x, i) => {
                let field = match self.types.under(x.ty) {
                    TyKind::Struct(s) => s.fields.get(*i as usize).map(|f| f.ty),
                    _ => None,
                };
                match field {
                    Some(t) => self.agree(t, e.ty, "field"),
                    None => self.check(false, || format!("no field {i}")),
                }
            }
            K::Deref(x) => match self.types.pointee(x.ty) {
                Some(t) => self.agree(t, e.ty, "deref"),
                None => {
                    let generic = self.types.mentions(x.ty, None);
                    self.check(generic, || "deref of no pointer".into());
                }
            },
            K::AddrOf(x) => {
                self.check(Self::is_place(x), || "address of what is no place".into());
                if let Some(id) = root_local(x, self.types) {
                    let local = self.body.locals.get(id.0 as usize);
                    let boxed = local.is_none_or(|l| l.boxed);
                    self.check(boxed, || {
                        format!("address of %{}, which is not boxed", id.0)
                    });
                }
                let pointee = self.types.pointee(e.ty).unwrap_or(Basic::Invalid.ty());
                self.agree(pointee, x.ty, "address");
            }
            K::Convert(kind, x) => {
                let to = self.types.is_interface(e.ty);
                let from = self.types.is_interface(x.ty);
                let ok = match kind {
                    ConvKind::ToInterface => to && !from,
                    ConvKind::InterfaceToInterface => to && from,
                    _ => true,
                };
                self.check(ok, || format!("{kind:?} between other types"));
            }
            K::Panic(x) | K::TypeAssert(x, ..) | K::IsType(x, _) => {
                let ok = self.types.is_interface(x.ty) || self.types.mentions(x.ty, None);
                self.check(ok, || "operand must be an interface".into());
            }
            K::AndAnd(x, y) | K::OrOr(x, y) => {
                self.bool(x, "operand");
                return self.bool(y, "operand");
            }
            K::Seq(stmts, x) => {
                self.stmts(stmts);
                self.agree(e.ty, x.ty, "sequence");
            }
            _ => {}
        }
        for x in operands(e) {
            self.expr(x);
        }
    }

    fn callee(&mut self, callee: &Callee, args: &[Expr], ty: Ty) {
        let sig = match callee {
            Callee::Static(_) => return,
            Callee::Value(f) => {
                self.expr(f);
                f.ty
            }
            Callee::Interface(x, m) | Callee::Param(x, m) => {
                self.expr(x);
                m.sig
            }
        };
        let TyKind::Func(s) = self.types.under(sig) else {
            let generic = self.types.mentions(sig, None);
            return self.check(generic, || "call of no function".into());
        };
        let ok = s.params.len() == args.len();
        self.check(ok, || "call with another number of arguments".into());
        for (p, a) in s.params.iter().zip(args) {
            self.agree(*p, a.ty, "argument");
        }
        if let [one] = s.results.as_slice() {
            self.agree(*one, ty, "result");
        }
    }
}

/// The variable of this body that a place is part of, if no pointer or slice lies between.
fn root_local(e: &Expr, types: &Types) -> Option<LocalId> {
    match &e.kind {
        ExprKind::Local(l) => Some(*l),
        ExprKind::Field(x, _) => root_local(x, types),
        ExprKind::Index(x, _) if matches!(types.under(x.ty), TyKind::Array(..)) => {
            root_local(x, types)
        }
        _ => None,
    }
}

/// Direct operands, but those of calls' callees and of logical operators.
fn operands(e: &Expr) -> Vec<&Expr> {
    use ExprKind as K;
    match &e.kind {
        K::Const(_) | K::Zero | K::Local(_) | K::Global(_) | K::Func(_) | K::Closure(_) => vec![],
        K::Recover | K::AndAnd(..) | K::OrOr(..) => vec![],
        K::Unary(_, x)
        | K::Field(x, _)
        | K::Deref(x)
        | K::AddrOf(x)
        | K::TypeAssert(x, ..)
        | K::IsType(x, _)
        | K::Convert(_, x)
        | K::Seq(_, x)
        | K::Len(x)
        | K::Cap(x)
        | K::Clear(x)
        | K::Persist(x)
        | K::Real(x)
        | K::Imag(x)
        | K::Panic(x)
        | K::Close(x)
        | K::Recv(x, _)
        | K::PmemRoot(x)
        | K::Data(x)
        | K::PmemLookup(x) => vec![x],
        K::Binary(_, x, y)
        | K::Compare(_, x, y)
        | K::Index(x, y)
        | K::MapIndex(x, y, _)
        | K::AppendSlice(x, y)
        | K::Copy(x, y)
        | K::Delete(x, y)
        | K::Raw(x, y)
        | K::Complex(x, y) => vec![x, y],
        K::Slice(x, a, b, c) => {
            let parts = [a, b, c].into_iter().flatten();
            std::iter::once(x).chain(parts).map(Box::as_ref).collect()
        }
        K::StructLit(fields) => fields.iter().map(|(_, e)| e).collect(),
        K::ArrayLit(elems) | K::SliceLit(_, elems) => elems.iter().map(|(_, e)| e).collect(),
        K::MapLit(pairs) => pairs.iter().flat_map(|(k, v)| [k, v]).collect(),
        K::Append(s, es) => std::iter::once(s.as_ref()).chain(es).collect(),
        K::Call(_, es) | K::Min(es) | K::Max(es) | K::Print(es, _) | K::Tuple(es) => {
            es.iter().collect()
        }
        K::New(_, x) | K::MakeMap(_, x) | K::MakeChan(x) => x.iter().map(Box::as_ref).collect(),
        K::MakeSlice(_, n, c) => std::iter::once(n).chain(c).map(Box::as_ref).collect(),
    }
}
