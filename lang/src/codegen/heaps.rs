//! Heap inference (LANGUAGE.md §3): for every instance the heap of each local and result, by a
//! fixpoint over the whole program that ends before code is generated. It also finds the instances:
//! code generation asks again and gets the same keys.
use super::Gen;
use super::instance::{Code, InstId, Key};
use crate::tir::*;
use crate::types::ty::{Ty, TyKind};
use std::ops::{BitOr, BitOrAssign};
use std::rc::Rc;

/// Where the object lives that a reference points to; joined by `|`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Heap(u8);

impl Heap {
    /// Nothing or nil.
    pub const NIL: Heap = Heap(0);
    pub const VOLATILE: Heap = Heap(1);
    pub const PERSISTENT: Heap = Heap(2);
    pub const EITHER: Heap = Heap(3);

    pub fn name(self) -> &'static str {
        ["nil", "volatile", "persistent", "either"][self.0 as usize]
    }
    fn may_be_persistent(self) -> bool {
        self.0 & 2 != 0
    }
}

impl BitOr for Heap {
    type Output = Heap;
    fn bitor(self, o: Heap) -> Heap {
        Heap(self.0 | o.0)
    }
}
impl BitOrAssign for Heap {
    fn bitor_assign(&mut self, o: Heap) {
        self.0 |= o.0;
    }
}

/// Where the walk is.
#[derive(Clone, Copy)]
pub struct At {
    pub inst: InstId,
    /// In a transaction here.
    pub txn: bool,
}

impl Gen<'_> {
    /// Heap of what is loaded as `ty` through a reference of heap `h`.
    fn through(&mut self, h: Heap, ty: Ty) -> Heap {
        if h == Heap::NIL || !self.is_ref(ty) {
            return Heap::NIL;
        }
        let mut out = Heap::NIL;
        if h.may_be_persistent() {
            out |= Heap::PERSISTENT;
        }
        if h != Heap::PERSISTENT {
            out |= self.memory_heap(ty);
        }
        out
    }

    /// Heap of what volatile memory of this type holds.
    fn memory_heap(&mut self, ty: Ty) -> Heap {
        if !self.is_ref(ty) {
            return Heap::NIL;
        }
        if self.st.open_world {
            return Heap::EITHER;
        }
        let leaves = self.ref_leaves(ty);
        match leaves.iter().any(|l| self.st.persistent_in_memory.contains(l)) {
            true => Heap::EITHER,
            false => Heap::VOLATILE,
        }
    }

    /// A value of heap `h` is stored as `ty` in volatile memory.
    pub fn into_memory(&mut self, ty: Ty, h: Heap) {
        if h.may_be_persistent() && self.is_ref(ty) {
            for l in self.ref_leaves(ty).iter() {
                if self.st.persistent_in_memory.insert(*l) {
                    self.st.heaps_changed = true;
                }
            }
        }
    }

    /// The program can have persistent data.
    pub fn source(&mut self) -> Heap {
        if !self.st.persistence {
            self.st.persistence = true;
            self.st.heaps_changed = true;
        }
        Heap::PERSISTENT
    }

    fn join_local(&mut self, at: At, l: LocalId, h: Heap) {
        let body = self.st.insts[at.inst.0 as usize].body.clone();
        let local = &body.locals[l.0 as usize];
        if local.boxed {
            let ty = self.sub(at.inst, local.ty);
            self.into_memory(ty, h);
        } else {
            let slot = &mut self.st.insts[at.inst.0 as usize].locals[l.0 as usize];
            if *slot | h != *slot {
                *slot |= h;
                self.st.heaps_changed = true;
            }
        }
    }

    pub fn local_heap(&mut self, at: At, l: LocalId) -> Heap {
        let body = self.st.insts[at.inst.0 as usize].body.clone();
        let local = &body.locals[l.0 as usize];
        let ty = self.sub(at.inst, local.ty);
        if !self.is_ref(ty) {
            return Heap::NIL;
        }
        match local.boxed {
            true => self.memory_heap(ty),
            false => self.st.insts[at.inst.0 as usize].locals[l.0 as usize],
        }
    }

    fn global_heap(&mut self, g: GlobalId) -> Heap {
        let (ty, root) = {
            let global = &self.cx.globals()[g.0 as usize];
            (global.ty, global.root.is_some())
        };
        if !self.is_ref(ty) {
            return Heap::NIL;
        }
        if root {
            return self.source();
        }
        if self.st.open_world {
            return Heap::EITHER;
        }
        let own = self.st.global_heaps.get(&g).copied().unwrap_or_default();
        match self.st.globals_shared.contains(&g) {
            true => own | self.memory_heap(ty),
            false => own,
        }
    }

    /// Stores a value of heap `h` in a place, as far as heaps go.
    fn assign(&mut self, at: At, place: &Expr, h: Heap) {
        match &place.kind {
            ExprKind::Local(l) => self.join_local(at, *l, h),
            ExprKind::Global(g) => {
                if self.cx.globals()[g.0 as usize].root.is_some() {
                    self.source();
                    return;
                }
                let slot = self.st.global_heaps.entry(*g).or_default();
                if *slot | h != *slot {
                    *slot |= h;
                    self.st.heaps_changed = true;
                }
                if self.st.globals_shared.contains(g) {
                    let ty = place.ty;
                    self.into_memory(ty, h);
                }
            }
            ExprKind::Field(base, _) => self.assign(at, base, h),
            ExprKind::Index(base, _) if self.is_array(at.inst, base.ty) => self.assign(at, base, h),
            ExprKind::Index(base, _) | ExprKind::Deref(base) => {
                let b = self.heap(at, base);
                if b != Heap::PERSISTENT {
                    let ty = self.sub(at.inst, place.ty);
                    self.into_memory(ty, h);
                }
            }
            ExprKind::MapIndex(m, k, _) => {
                let b = self.heap(at, m);
                if b != Heap::PERSISTENT {
                    let ty = self.sub(at.inst, place.ty);
                    self.into_memory(ty, h);
                    let kh = self.heap(at, k);
                    let kt = self.sub(at.inst, k.ty);
                    self.into_memory(kt, kh);
                }
            }
            _ => {}
        }
    }

    fn is_array(&mut self, inst: InstId, ty: Ty) -> bool {
        let ty = self.sub(inst, ty);
        matches!(self.cx.types_ref().under(ty), TyKind::Array(..))
    }

    /// The class of the memory that a place is in.
    pub fn place_heap(&mut self, at: At, place: &Expr) -> Heap {
        match &place.kind {
            ExprKind::Global(g) if self.cx.globals()[g.0 as usize].root.is_some() => self.source(),
            ExprKind::Field(base, _) => self.place_heap(at, base),
            ExprKind::Index(base, _) if self.is_array(at.inst, base.ty) => {
                self.place_heap(at, base)
            }
            ExprKind::Index(base, _) | ExprKind::Deref(base) => self.heap(at, base),
            _ => Heap::VOLATILE,
        }
    }

    /// The heap of an expression's value. Of expressions without references nothing is looked at.
    pub fn heap(&mut self, at: At, e: &Expr) -> Heap {
        let ty = self.sub(at.inst, e.ty);
        if !self.is_ref(ty) {
            return Heap::NIL;
        }
        if !self.st.persistence {
            return match &e.kind {
                ExprKind::Const(_) | ExprKind::Zero => Heap::NIL,
                _ => Heap::VOLATILE,
            };
        }
        match &e.kind {
            ExprKind::Const(_) | ExprKind::Zero | ExprKind::Recover => match e.kind {
                ExprKind::Recover => Heap::EITHER,
                _ => Heap::NIL,
            },
            ExprKind::Local(l) => self.local_heap(at, *l),
            ExprKind::Global(g) => self.global_heap(*g),
            ExprKind::Field(base, _) => match self.addressable(at, base) {
                true => {
                    let whole = self.heap(at, base);
                    match self.place_heap(at, base) {
                        Heap::PERSISTENT => Heap::PERSISTENT,
                        p if self.in_memory(at, base) => self.through(p, ty),
                        _ => whole,
                    }
                }
                false => self.heap(at, base),
            },
            ExprKind::Index(base, _) if self.is_array(at.inst, base.ty) => {
                match self.in_memory(at, base) {
                    true => {
                        let p = self.place_heap(at, base);
                        self.through(p, ty)
                    }
                    false => self.heap(at, base),
                }
            }
            ExprKind::Index(base, _) | ExprKind::Deref(base) => {
                let h = self.heap(at, base);
                self.through(h, ty)
            }
            ExprKind::MapIndex(m, _, _) => {
                let h = self.heap(at, m);
                self.through(h, ty)
            }
            ExprKind::AddrOf(place) => self.place_heap(at, place),
            ExprKind::Slice(base, ..)
            | ExprKind::TypeAssert(base, ..)
            | ExprKind::Append(base, _)
            | ExprKind::AppendSlice(base, _) => match self.heap(at, base) {
                Heap::NIL => Heap::VOLATILE,
                h => h,
            },
            ExprKind::Convert(kind, x) => {
                let h = self.heap(at, x);
                match kind {
                    ConvKind::ToInterface => {
                        let from = self.sub(at.inst, x.ty);
                        let types = self.cx.types_ref();
                        match types.is_direct(from) || types.is_interface(from) {
                            true => h,
                            false => h | Heap::VOLATILE,
                        }
                    }
                    ConvKind::Unsafe => Heap::EITHER,
                    ConvKind::StringToBytes | ConvKind::StringToRunes => Heap::VOLATILE,
                    ConvKind::SliceToArray => self.through(h, ty),
                    _ => h,
                }
            }
            ExprKind::StructLit(fields) => self.join_all(at, fields.iter().map(|f| &f.1)),
            ExprKind::ArrayLit(elems) => self.join_all(at, elems.iter().map(|f| &f.1)),
            ExprKind::Min(xs) | ExprKind::Max(xs) => self.join_all(at, xs.iter()),
            ExprKind::Seq(_, x) => self.heap(at, x),
            ExprKind::New(p, _) | ExprKind::MakeSlice(p, ..) | ExprKind::MakeMap(p, _) => match p {
                Place::Persistent => self.source(),
                Place::Volatile => Heap::VOLATILE,
            },
            ExprKind::Persist(_) | ExprKind::PmemRoot(_) | ExprKind::PmemLookup(_) => self.source(),
            ExprKind::Recv(..) => self.memory_heap(ty),
            ExprKind::Call(callee, args) => self.call_heap(at, callee, args),
            _ => Heap::VOLATILE,
        }
    }

    fn join_all<'e>(&mut self, at: At, es: impl Iterator<Item = &'e Expr>) -> Heap {
        es.fold(Heap::NIL, |h, e| h | self.heap(at, e))
    }

    fn addressable(&mut self, at: At, e: &Expr) -> bool {
        match &e.kind {
            ExprKind::Local(_) | ExprKind::Global(_) | ExprKind::Deref(_) => true,
            ExprKind::Field(b, _) => self.addressable(at, b),
            ExprKind::Index(..) => true,
            _ => false,
        }
    }

    /// Is the place reached through a pointer or slice?
    fn in_memory(&mut self, at: At, e: &Expr) -> bool {
        match &e.kind {
            ExprKind::Deref(_) => true,
            ExprKind::Field(b, _) => self.in_memory(at, b),
            ExprKind::Index(b, _) => match self.is_array(at.inst, b.ty) {
                true => self.in_memory(at, b),
                false => true,
            },
            ExprKind::Global(g) => self.cx.globals()[g.0 as usize].root.is_some(),
            _ => false,
        }
    }

    fn call_heap(&mut self, at: At, callee: &Callee, args: &[Expr]) -> Heap {
        match callee {
            Callee::Static(f) => {
                let f = self.sub_func(at.inst, f);
                let decl = self.cx.decl(f.func);
                if decl.kind == FuncKind::Native {
                    if decl.name.starts_with("pmem.") {
                        self.source();
                        return Heap::EITHER;
                    }
                    return self.join_all(at, args.iter()) | Heap::VOLATILE;
                }
                let key = self.static_key(at, &f, args);
                let id = self.instance(key);
                let results = self.st.insts[id.0 as usize].results.clone();
                results.iter().fold(Heap::NIL, |a, h| a | *h)
            }
            _ => Heap::EITHER,
        }
    }

    /// The instance that a call of a declared function runs.
    pub fn static_key(&mut self, at: At, f: &FuncRef, args: &[Expr]) -> Key {
        let mut heaps = Vec::with_capacity(args.len());
        for (i, a) in args.iter().enumerate() {
            let ty = self.sub(at.inst, a.ty);
            if i == 0 && args.len() == 1 && matches!(self.cx.types_ref().kind(ty), TyKind::Tuple(_)) {
                // f(g()) with several results: one heap for all.
                let h = self.heap(at, a);
                let n = self.cx.decl(f.func).params.len();
                heaps = vec![h; n];
                break;
            }
            heaps.push(self.heap(at, a));
        }
        Key {
            code: Code::Func(f.func),
            targs: f.targs.clone().into(),
            heaps: heaps.into(),
            txn: at.txn,
        }
    }

    /// The instance of a function literal; captures come after the parameters.
    pub fn closure_key(&mut self, at: At, body: &Rc<Body>, txn: bool) -> Key {
        let inst = &self.st.insts[at.inst.0 as usize];
        let targs = inst.key.targs.clone();
        let mut heaps = Vec::new();
        for p in &body.params {
            let ty = self.sub(at.inst, body.locals[p.0 as usize].ty);
            heaps.push(self.any_heap(ty));
        }
        for c in &body.captures {
            heaps.push(self.local_heap(at, c.outer));
        }
        Key {
            code: Code::Body(super::instance::BodyRef(body.clone())),
            targs,
            heaps: heaps.into(),
            txn,
        }
    }

    /// Heap of a parameter that callers are not known of.
    pub fn any_heap(&mut self, ty: Ty) -> Heap {
        match (self.is_ref(ty), self.st.persistence) {
            (false, _) => Heap::NIL,
            (true, true) => Heap::EITHER,
            (true, false) => Heap::VOLATILE,
        }
    }

    /// Computes the heaps of everything that `roots` can reach.
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
            StmtKind::Block(b) | StmtKind::Labeled(_, b) => self.walk_stmts(at, b),
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
                self.into_memory(ty, h);
            }
            StmtKind::Select(cases, _) => {
                for c in cases {
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
            ExprKind::Const(_)
            | ExprKind::Zero
            | ExprKind::Local(_)
            | ExprKind::Recover
            | ExprKind::TypeIndex(_) => {}
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
            | ExprKind::Imag(x)
            | ExprKind::Close(x)
            | ExprKind::Recv(x, _) => {
                self.walk(at, x);
            }
            ExprKind::Panic(x) => {
                let h = self.walk(at, x);
                let ty = self.sub(at.inst, x.ty);
                self.into_memory(ty, h);
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
                        self.into_memory(ty, h);
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
                    self.into_memory(ty, h);
                }
            }
            ExprKind::MapLit(es) => {
                for e in es.iter().flat_map(|(k, v)| [k, v]) {
                    let h = self.walk(at, e);
                    let ty = self.sub(at.inst, e.ty);
                    self.into_memory(ty, h);
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
                        self.into_memory(ty, h);
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
                    self.into_memory(elem, h);
                }
            }
            ExprKind::Min(es) | ExprKind::Max(es) | ExprKind::Print(es, _) => {
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
                        self.into_memory(ty, h);
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

    fn walk_call(&mut self, at: At, callee: &Callee, args: &[Expr]) {
        for a in args {
            self.walk(at, a);
        }
        match callee {
            Callee::Static(f) => {
                let f = self.sub_func(at.inst, f);
                let decl = self.cx.decl(f.func);
                if decl.kind == FuncKind::Native {
                    if decl.name.starts_with("pmem.") {
                        self.source();
                    }
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
                }
            }
        }
    }

    /// Code in a transaction calls through values: they need transaction variants.
    pub fn calls_values(&mut self, txn: bool) {
        if txn && !self.st.txn_values {
            self.st.txn_values = true;
            self.st.heaps_changed = true;
        }
    }
}
