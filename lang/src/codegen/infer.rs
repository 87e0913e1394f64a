//! The walk of heap inference: bodies over and over until no heap grows. Calls make instances,
//! conversions to interfaces make types live, stores reach memory.
use super::Gen;
use super::heaps::{At, Heap};
use super::instance::{InstId, Key};
use crate::tir::*;
use crate::types::ty::TyKind;

impl Gen<'_> {
    /// Computes the heaps of everything that has been asked for.
    pub fn infer_heaps(&mut self) {
        loop {
            self.st.heaps_changed = false;
            let mut next = 0;
            while next < self.st.insts.len() {
                let inst = InstId(next as u32);
                let body = self.st.insts[next].body.clone();
                let at = At {
                    inst,
                    txn: self.st.insts[next].key.txn,
                };
                self.walk_stmts(at, &body.stmts);
                for (i, r) in body.results.iter().enumerate() {
                    let h = self.local_heap(at, *r);
                    let slot = &mut self.st.insts[next].results[i];
                    if *slot | h != *slot {
                        *slot |= h;
                        self.st.heaps_changed = true;
                    }
                }
                next += 1;
            }
            let before = self.st.insts.len();
            self.request_methods();
            if !self.st.heaps_changed && self.st.insts.len() == before {
                return;
            }
        }
    }

    fn walk_stmts(&mut self, at: At, list: &[Stmt]) {
        for s in list {
            self.walk_stmt(at, s);
        }
    }

    fn walk_stmt(&mut self, at: At, s: &Stmt) {
        match &s.kind {
            StmtKind::Expr(e) => {
                self.walk(at, e);
            }
            StmtKind::Let(ls, Some(e)) => {
                if let ExprKind::Tuple(es) = &e.kind {
                    for (l, e) in ls.iter().zip(es) {
                        let h = self.walk(at, e);
                        self.join_local(at, *l, h);
                    }
                    return;
                }
                let h = self.walk(at, e);
                for l in ls {
                    self.join_local(at, *l, h);
                }
            }
            StmtKind::Assign(l, e) => {
                self.walk_operands(at, l);
                let h = self.walk(at, e);
                self.assign(at, l, h);
            }
            StmtKind::AssignMany(list) => {
                for (l, e) in list {
                    let h = self.walk(at, e);
                    if let Some(l) = l {
                        self.walk_operands(at, l);
                        self.assign(at, l, h);
                    }
                }
            }
            StmtKind::AssignTuple(ls, e) => {
                let h = self.walk(at, e);
                for l in ls.iter().flatten() {
                    self.walk_operands(at, l);
                    self.assign(at, l, h);
                }
            }
            StmtKind::OpAssign(_, l, e) => {
                self.walk_operands(at, l);
                self.walk(at, e);
            }
            StmtKind::Block(b) => self.walk_stmts(at, b),
            StmtKind::If(c, a, b) => {
                self.walk(at, c);
                self.walk_stmts(at, a);
                self.walk_stmts(at, b);
            }
            StmtKind::For(f) => {
                if let Some(c) = &f.cond {
                    self.walk(at, c);
                }
                self.walk_stmts(at, &f.post);
                self.walk_stmts(at, &f.body);
            }
            StmtKind::Range(r) => {
                let h = self.walk(at, &r.over);
                for l in [r.key, r.value].into_iter().flatten() {
                    let body = self.st.insts[at.inst.0 as usize].body.clone();
                    let ty = self.sub(at.inst, body.locals[l.0 as usize].ty);
                    let h = match r.kind {
                        RangeKind::Array => h,
                        RangeKind::Chan => self.memory_heap(ty),
                        _ => self.through(h, ty),
                    };
                    self.join_local(at, l, h);
                }
                self.walk_stmts(at, &r.body);
            }
            StmtKind::Switch(sw) => {
                for c in &sw.clauses {
                    for e in &c.conds {
                        self.walk(at, e);
                    }
                    self.walk_stmts(at, &c.body);
                }
            }
            StmtKind::Return(es) => {
                let body = self.st.insts[at.inst.0 as usize].body.clone();
                let tuple = es.len() == 1 && body.results.len() > 1;
                for (i, r) in body.results.iter().enumerate() {
                    if let Some(e) = es.get(if tuple { 0 } else { i }) {
                        let h = self.walk(at, e);
                        self.join_local(at, *r, h);
                    }
                }
                if body.results.is_empty() {
                    es.iter().for_each(|e| {
                        self.walk(at, e);
                    });
                }
            }
            StmtKind::Defer(e) | StmtKind::Go(e) => {
                self.walk(at, e);
                self.calls_values(at.txn);
            }
            StmtKind::Txn(_, b) => self.walk_stmts(At { txn: true, ..at }, b),
            StmtKind::Send(c, e) => {
                self.walk(at, c);
                let h = self.walk(at, e);
                let ty = self.sub(at.inst, e.ty);
                self.reaches_memory(ty, h);
            }
            StmtKind::Select(cases, _) => {
                for c in cases {
                    self.walk_comm(at, &c.comm);
                    self.walk_stmts(at, &c.body);
                }
            }
            StmtKind::PvarInit(_, e) => {
                self.source();
                if let Some(e) = e {
                    self.walk(at, e);
                }
            }
            StmtKind::Let(_, None)
            | StmtKind::Break(_)
            | StmtKind::Continue(_)
            | StmtKind::Goto(_)
            | StmtKind::Target(_)
            | StmtKind::Fallthrough => {}
        }
    }

    /// The operands of a place that is stored to.
    fn walk_operands(&mut self, at: At, place: &Expr) {
        match &place.kind {
            ExprKind::Local(_) | ExprKind::Global(_) => {}
            ExprKind::Field(b, _) => self.walk_operands(at, b),
            ExprKind::Index(a, b) | ExprKind::MapIndex(a, b, _) => {
                self.walk(at, a);
                self.walk(at, b);
            }
            _ => {
                self.walk(at, place);
            }
        }
    }

    /// Visits an expression and all in it: calls make instances, stores reach memory.
    fn walk(&mut self, at: At, e: &Expr) -> Heap {
        match &e.kind {
            ExprKind::Const(_) | ExprKind::Zero | ExprKind::Local(_) => {}
            ExprKind::Recover => self.live_runtime_errors(),
            ExprKind::Global(g) => {
                self.global_heap(*g);
                if self.cx.globals()[g.0 as usize].root.is_some() {
                    self.source();
                }
            }
            ExprKind::Func(f) => {
                let f = self.sub_func(at.inst, f);
                self.request_func_value(&f);
            }
            ExprKind::Closure(b) => {
                self.own_body(at.inst, b);
                let key = self.closure_key(at, b, false);
                self.instance(key);
                if self.st.txn_values {
                    let key = self.closure_key(at, b, true);
                    self.instance(key);
                }
            }
            ExprKind::Unary(_, x)
            | ExprKind::Field(x, _)
            | ExprKind::Deref(x)
            | ExprKind::Len(x)
            | ExprKind::Cap(x)
            | ExprKind::Clear(x)
            | ExprKind::Real(x)
            | ExprKind::Data(x)
            | ExprKind::Imag(x)
            | ExprKind::Close(x)
            | ExprKind::Recv(x, _) => {
                self.walk(at, x);
            }
            ExprKind::Panic(x) => {
                let h = self.walk(at, x);
                let ty = self.sub(at.inst, x.ty);
                self.reaches_memory(ty, h);
            }
            ExprKind::Persist(x) | ExprKind::PmemRoot(x) | ExprKind::PmemLookup(x) => {
                self.source();
                self.walk(at, x);
            }
            ExprKind::Binary(_, a, b)
            | ExprKind::Compare(_, a, b)
            | ExprKind::AndAnd(a, b)
            | ExprKind::OrOr(a, b)
            | ExprKind::Index(a, b)
            | ExprKind::MapIndex(a, b, _)
            | ExprKind::Delete(a, b)
            | ExprKind::Raw(a, b)
            | ExprKind::Complex(a, b) => {
                self.walk(at, a);
                self.walk(at, b);
            }
            ExprKind::AddrOf(place) => {
                let mut root = place;
                while let ExprKind::Field(b, _) | ExprKind::Index(b, _) = &root.kind {
                    root = b;
                }
                if let ExprKind::Global(g) = root.kind
                    && self.st.globals_shared.insert(g)
                {
                    self.st.heaps_changed = true;
                }
                self.walk(at, place);
            }
            ExprKind::Slice(a, x, y, z) => {
                self.walk(at, a);
                for x in [x, y, z].into_iter().flatten() {
                    self.walk(at, x);
                }
            }
            ExprKind::TypeAssert(x, ty, _) => {
                self.walk(at, x);
                let ty = self.sub(at.inst, *ty);
                self.live_type(ty);
            }
            ExprKind::IsType(x, ty) => {
                self.walk(at, x);
                if let Some(ty) = ty {
                    let ty = self.sub(at.inst, *ty);
                    self.live_type(ty);
                }
            }
            ExprKind::Convert(kind, x) => {
                self.walk(at, x);
                if *kind == ConvKind::ToInterface {
                    let ty = self.sub(at.inst, x.ty);
                    self.live_type(ty);
                    if !self.cx.types_ref().is_direct(ty) {
                        let h = self.heap(at, x);
                        self.reaches_memory(ty, h);
                    }
                }
            }
            ExprKind::StructLit(fs) => fs.iter().for_each(|f| {
                self.walk(at, &f.1);
            }),
            ExprKind::ArrayLit(es) => es.iter().for_each(|f| {
                self.walk(at, &f.1);
            }),
            ExprKind::SliceLit(_, es) => {
                for (_, e) in es {
                    let h = self.walk(at, e);
                    let ty = self.sub(at.inst, e.ty);
                    self.reaches_memory(ty, h);
                }
            }
            ExprKind::MapLit(es) => {
                for e in es.iter().flat_map(|(k, v)| [k, v]) {
                    let h = self.walk(at, e);
                    let ty = self.sub(at.inst, e.ty);
                    self.reaches_memory(ty, h);
                }
            }
            ExprKind::Seq(stmts, x) => {
                self.walk_stmts(at, stmts);
                self.walk(at, x);
            }
            ExprKind::Append(s, es) => {
                let target = self.walk(at, s);
                for e in es {
                    let h = self.walk(at, e);
                    if target != Heap::PERSISTENT {
                        let ty = self.sub(at.inst, e.ty);
                        self.reaches_memory(ty, h);
                    }
                }
            }
            ExprKind::AppendSlice(a, b) | ExprKind::Copy(a, b) => {
                let target = self.walk(at, a);
                let h = self.walk(at, b);
                let ty = self.sub(at.inst, b.ty);
                if let TyKind::Slice(elem) = *self.cx.types_ref().under(ty)
                    && target != Heap::PERSISTENT
                {
                    let h = self.through(h, elem);
                    self.reaches_memory(elem, h);
                }
            }
            ExprKind::Min(es)
            | ExprKind::Max(es)
            | ExprKind::Print(es, _)
            | ExprKind::Tuple(es) => {
                es.iter().for_each(|e| {
                    self.walk(at, e);
                });
            }
            ExprKind::New(p, x) => {
                if *p == Place::Persistent {
                    self.source();
                }
                if let Some(x) = x {
                    let h = self.walk(at, x);
                    let ty = self.sub(at.inst, x.ty);
                    if *p == Place::Volatile {
                        self.reaches_memory(ty, h);
                    }
                }
            }
            ExprKind::MakeSlice(p, x, y) => {
                if *p == Place::Persistent {
                    self.source();
                }
                self.walk(at, x);
                if let Some(y) = y {
                    self.walk(at, y);
                }
            }
            ExprKind::MakeMap(p, x) => {
                if *p == Place::Persistent {
                    self.source();
                }
                if let Some(x) = x {
                    self.walk(at, x);
                }
            }
            ExprKind::MakeChan(x) => {
                if let Some(x) = x {
                    self.walk(at, x);
                }
            }
            ExprKind::Call(callee, args) => self.walk_call(at, callee, args),
        }
        self.heap(at, e)
    }

    fn walk_comm(&mut self, at: At, comm: &Comm) {
        match comm {
            Comm::Default => {}
            Comm::Send(c, e) => {
                self.walk(at, c);
                let h = self.walk(at, e);
                let ty = self.sub(at.inst, e.ty);
                self.reaches_memory(ty, h);
            }
            Comm::Recv(c, value, _) => {
                self.walk(at, c);
                if let Some(l) = value {
                    let body = self.st.insts[at.inst.0 as usize].body.clone();
                    let ty = self.sub(at.inst, body.locals[l.0 as usize].ty);
                    let h = self.memory_heap(ty);
                    self.join_local(at, *l, h);
                }
            }
        }
    }

    fn walk_call(&mut self, at: At, callee: &Callee, args: &[Expr]) {
        for a in args {
            self.walk(at, a);
        }
        match callee {
            Callee::Static(f) => {
                let f = self.sub_func(at.inst, f);
                let decl = self.cx.decl(f.func);
                if decl.kind == FuncKind::Native {
                    let name = decl.name.clone();
                    if name.starts_with("pmem.") {
                        self.source();
                    }
                    self.note_reflection(at, &name, args);
                    return;
                }
                let key = self.static_key(at, &f, args);
                self.instance(key);
            }
            Callee::Value(f) => {
                self.walk(at, f);
                self.calls_values(at.txn);
            }
            Callee::Interface(x, m) => {
                self.walk(at, x);
                self.calls_values(at.txn);
                let m = self.sub_method(at.inst, m);
                self.call_method(&m);
            }
            Callee::Param(x, m) => {
                self.walk(at, x);
                let recv = self.sub(at.inst, x.ty);
                if let Some(f) = self.param_method(at, recv, m) {
                    let key = self.any_key(&f);
                    self.instance(Key { txn: at.txn, ..key });
                    return;
                }
                // From an embedded field.
                let m = self.sub_method(at.inst, m);
                let x = Expr {
                    ty: recv,
                    ..(**x).clone()
                };
                match self.promoted_method(x, &m) {
                    Some((Callee::Static(f), _)) => {
                        let key = self.any_key(&f);
                        self.instance(Key { txn: at.txn, ..key });
                    }
                    Some((Callee::Interface(_, m), _)) => {
                        self.calls_values(at.txn);
                        self.call_method(&m);
                    }
                    _ => {}
                }
            }
        }
    }
}
