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
    pub fn through(&mut self, h: Heap, ty: Ty) -> Heap {
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
    pub fn memory_heap(&mut self, ty: Ty) -> Heap {
        if !self.is_ref(ty) {
            return Heap::NIL;
        }
        if self.st.open_world || self.st.reflects_stores {
            return Heap::EITHER;
        }
        let leaves = self.ref_leaves(ty);
        match leaves
            .iter()
            .any(|l| self.st.persistent_in_memory.contains(l))
        {
            true => Heap::EITHER,
            false => Heap::VOLATILE,
        }
    }

    /// A value of heap `h` is stored as `ty` in volatile memory.
    pub fn reaches_memory(&mut self, ty: Ty, h: Heap) {
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

    pub fn join_local(&mut self, at: At, l: LocalId, h: Heap) {
        let body = self.st.insts[at.inst.0 as usize].body.clone();
        let local = &body.locals[l.0 as usize];
        if local.boxed {
            let ty = self.sub(at.inst, local.ty);
            self.reaches_memory(ty, h);
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

    pub fn global_heap(&mut self, g: GlobalId) -> Heap {
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
    pub fn assign(&mut self, at: At, place: &Expr, h: Heap) {
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
                    self.reaches_memory(ty, h);
                }
            }
            ExprKind::Field(base, _) => self.assign(at, base, h),
            ExprKind::Index(base, _) if self.is_array(at.inst, base.ty) => self.assign(at, base, h),
            ExprKind::Index(base, _) | ExprKind::Deref(base) => {
                let b = self.heap(at, base);
                if b != Heap::PERSISTENT {
                    let ty = self.sub(at.inst, place.ty);
                    self.reaches_memory(ty, h);
                }
            }
            ExprKind::MapIndex(m, k, _) => {
                let b = self.heap(at, m);
                if b != Heap::PERSISTENT {
                    let ty = self.sub(at.inst, place.ty);
                    self.reaches_memory(ty, h);
                    let kh = self.heap(at, k);
                    let kt = self.sub(at.inst, k.ty);
                    self.reaches_memory(kt, kh);
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
            ExprKind::Field(base, _) => self.part_heap(at, base, ty),
            ExprKind::Index(base, _) if self.is_array(at.inst, base.ty) => {
                self.part_heap(at, base, ty)
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
            // What an interface holds is not followed.
            ExprKind::TypeAssert(..) => Heap::EITHER,
            ExprKind::StructLit(fields) => self.join_all(at, fields.iter().map(|f| &f.1)),
            ExprKind::ArrayLit(elems) => self.join_all(at, elems.iter().map(|f| &f.1)),
            ExprKind::Min(xs) | ExprKind::Max(xs) | ExprKind::Tuple(xs) => {
                self.join_all(at, xs.iter())
            }
            ExprKind::Seq(_, x) | ExprKind::Raw(x, _) | ExprKind::Data(x) => self.heap(at, x),
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

    /// Heap of a field or element of type `ty` of a struct or array.
    fn part_heap(&mut self, at: At, whole: &Expr, ty: Ty) -> Heap {
        match self.in_memory(at, whole) {
            true => {
                let h = self.place_heap(at, whole);
                self.through(h, ty)
            }
            false => self.heap(at, whole),
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
                    if decl.name.starts_with("reflect.") {
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
            if i == 0 && args.len() == 1 && matches!(self.cx.types_ref().kind(ty), TyKind::Tuple(_))
            {
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

    /// Code in a transaction calls through values: they need transaction variants.
    pub fn calls_values(&mut self, txn: bool) {
        if txn && !self.st.txn_values {
            self.st.txn_values = true;
            self.st.heaps_changed = true;
        }
    }
}
