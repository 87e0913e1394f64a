//! Instances: a function with its type arguments, the heaps of its reference parameters and whether
//! it runs in a transaction. Code is made for the instances that something asks for.
use super::Gen;
use super::heaps::{At, Heap};
use crate::bytecode::program::{FuncIdx, FuncValue, Function, NO_FUNC};
use crate::check::Renewed;
use crate::source::Span;
use crate::tir::*;
use crate::types::lookup::{Lookup, MethodKind};
use crate::types::ty::{FuncId, IMethod, ParamId, Ty, TyKind, Types};
use rustc_hash::FxHashMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct InstId(pub u32);

/// A body without a declaration, by identity: a function literal or a forwarding function.
#[derive(Clone)]
pub struct BodyRef(pub Rc<Body>);

impl PartialEq for BodyRef {
    fn eq(&self, o: &BodyRef) -> bool {
        Rc::ptr_eq(&self.0, &o.0)
    }
}
impl Eq for BodyRef {}
impl Hash for BodyRef {
    fn hash<H: Hasher>(&self, h: &mut H) {
        Rc::as_ptr(&self.0).hash(h);
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Code {
    Func(FuncId),
    Body(BodyRef),
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: Code,
    pub targs: Rc<[Ty]>,
    /// Of the parameters, then of a literal's captures.
    pub heaps: Rc<[Heap]>,
    pub txn: bool,
}

pub struct Inst {
    pub key: Key,
    pub body: Rc<Body>,
    pub type_params: Rc<[ParamId]>,
    /// Inferred heaps of locals and results.
    pub locals: Vec<Heap>,
    pub results: Vec<Heap>,
    /// Index in the program once something calls it.
    pub func: FuncIdx,
}

impl Gen<'_> {
    /// The instance of a key, made if there is none.
    /// Reports a function that instantiates itself with ever larger types; an instance to go on
    /// with.
    fn instantiation_cycle(&mut self, key: &Key) -> Option<InstId> {
        let Code::Func(f) = key.code else {
            return None;
        };
        let types = self.cx.types_ref();
        let mut depths = FxHashMap::default();
        if !key
            .targs
            .iter()
            .any(|t| depth(types, *t, &mut depths) > TYPE_DEPTH_MAX)
        {
            return None;
        }
        let known = self.st.insts.iter().position(|i| i.key.code == key.code)?;
        let span = self.cx.decl(f).span;
        self.diagnostics.error(
            crate::codes::Code::InstantiationCycle,
            span,
            "instantiation cycle",
        );
        Some(InstId(known as u32))
    }

    pub fn instance(&mut self, mut key: Key) -> InstId {
        if !self.st.persistence {
            key.heaps = Rc::from([]);
        }
        if let Some(&id) = self.st.inst_map.get(&key) {
            return id;
        }
        if let Some(id) = self.instantiation_cycle(&key) {
            return id;
        }
        let (body, type_params): (Rc<Body>, Rc<[ParamId]>) = match &key.code {
            Code::Func(f) => {
                let decl = self.cx.decl(*f);
                let params = decl.type_params.clone().into();
                match decl.kind {
                    FuncKind::Body => (self.cx.body(*f), params),
                    FuncKind::Native => (Rc::new(self.native_stub(*f, &key.targs)), params),
                }
            }
            Code::Body(b) => {
                let owner = self.st.body_owner.get(b);
                (b.0.clone(), owner.cloned().unwrap_or_else(|| Rc::from([])))
            }
        };
        let id = InstId(self.st.insts.len() as u32);
        self.st.insts.push(Inst {
            key: key.clone(),
            locals: vec![Heap::NIL; body.locals.len()],
            results: vec![Heap::NIL; body.results.len()],
            body: body.clone(),
            type_params,
            func: NO_FUNC,
        });
        self.st.inst_map.insert(key.clone(), id);
        self.st.heaps_changed = true;
        self.seed_heaps(id, &key, &body);
        id
    }

    /// What is known of an instance's variables and results before inference.
    fn seed_heaps(&mut self, id: InstId, key: &Key, body: &Rc<Body>) {
        if self.st.emitting && self.st.persistence {
            self.assume_either(id, body);
        }
        if self.st.open_world
            && let Code::Func(f) = key.code
            && !self.cx.is_library(f)
        {
            // A later chunk may redefine it.
            let results = &mut self.st.insts[id.0 as usize].results;
            results.fill(Heap::EITHER);
        }
        let captures = body.captures.iter().map(|c| c.inner);
        let seeds: Vec<LocalId> = body.params.iter().copied().chain(captures).collect();
        for (l, h) in seeds.into_iter().zip(key.heaps.iter()) {
            let ty = self.sub(id, body.locals[l.0 as usize].ty);
            if !self.is_ref(ty) {
                continue;
            }
            let inst = &mut self.st.insts[id.0 as usize];
            if !body.locals[l.0 as usize].boxed {
                inst.locals[l.0 as usize] = *h;
            } else {
                self.reaches_memory(ty, *h);
            }
        }
    }

    /// Functions have other bodies now: their instances are compiled again, in their places.
    pub fn renew(&mut self, renewed: &Renewed) {
        for i in 0..self.st.insts.len() {
            let key = self.st.insts[i].key.clone();
            let Code::Func(f) = key.code else {
                continue;
            };
            if !renewed.funcs.contains(&f) {
                continue;
            }
            let (id, body) = (InstId(i as u32), self.cx.body(f));
            let type_params = self.cx.decl(f).type_params.clone().into();
            let inst = &mut self.st.insts[i];
            inst.locals = vec![Heap::NIL; body.locals.len()];
            inst.results = vec![Heap::NIL; body.results.len()];
            inst.body = body.clone();
            inst.type_params = type_params;
            if inst.func != NO_FUNC {
                self.st.wanted.push(id);
            }
            self.seed_heaps(id, &key, &body);
        }
        let methods = &renewed.methods;
        self.st
            .methods_done
            .retain(|(_, m), _| !methods.contains(&m.name));
    }

    /// An instance that inference did not meet: nothing is known of its variables.
    fn assume_either(&mut self, id: InstId, body: &Body) {
        for (i, l) in body.locals.iter().enumerate() {
            let ty = self.sub(id, l.ty);
            let h = self.any_heap(ty);
            self.st.insts[id.0 as usize].locals[i] = h;
        }
        for r in &mut self.st.insts[id.0 as usize].results {
            *r = Heap::EITHER;
        }
    }

    /// A function literal's types mention the type parameters of the function it stands in.
    pub fn own_body(&mut self, inst: InstId, body: &Rc<Body>) {
        let params = self.st.insts[inst.0 as usize].type_params.clone();
        if !params.is_empty() {
            self.st.body_owner.insert(BodyRef(body.clone()), params);
        }
    }

    /// A native as a value: a function that calls it.
    fn native_stub(&mut self, f: FuncId, targs: &[Ty]) -> Body {
        let decl = self.cx.decl(f).clone();
        let span = decl.span;
        let mut locals = Vec::new();
        let mut make = |ty: &Ty| {
            locals.push(Local {
                name: String::new(),
                ty: *ty,
                boxed: false,
            });
            LocalId(locals.len() as u32 - 1)
        };
        let params: Vec<LocalId> = decl.params.iter().map(&mut make).collect();
        let results: Vec<LocalId> = decl.results.iter().map(&mut make).collect();
        let args = params.iter().zip(&decl.params).map(|(l, ty)| Expr {
            ty: *ty,
            span,
            kind: ExprKind::Local(*l),
        });
        let callee = Callee::Static(FuncRef {
            func: f,
            targs: targs.to_vec(),
        });
        let kind = ExprKind::Call(callee, args.collect());
        let ty = match decl.results.as_slice() {
            [one] => *one,
            many => self.cx.types().tuple(many),
        };
        let call = Expr { ty, span, kind };
        let kind = match decl.results.is_empty() {
            true => StmtKind::Expr(call),
            false => StmtKind::Return(vec![call]),
        };
        Body {
            name: decl.name,
            params,
            results,
            locals,
            captures: Vec::new(),
            stmts: vec![Stmt { span, kind }],
            labels: 0,
            span,
            end: span,
            has_defer: false,
            wrapper: true,
            value_method: false,
        }
    }

    /// The index of an instance's function; the code follows from the work list.
    pub fn func_index(&mut self, id: InstId) -> FuncIdx {
        let inst = &self.st.insts[id.0 as usize];
        if inst.func != NO_FUNC {
            return inst.func;
        }
        let index = self.st.program.funcs.len() as FuncIdx;
        let name = inst.body.name.clone();
        self.st.program.funcs.push(Function {
            name,
            instance: String::new(),
            code: Vec::new(),
            frame_slots: 0,
            result_slots: 0,
            param_slots: 0,
            recover_pc: None,
            wrapper: false,
            value_method: false,
            lines: Vec::new(),
            store_notes: Vec::new(),
            reads: Vec::new(),
            span: Span::default(),
        });
        self.st.insts[id.0 as usize].func = index;
        self.st.wanted.push(id);
        index
    }

    /// What tells instances of one function apart, for people.
    pub fn instance_name(&mut self, id: InstId) -> String {
        let inst = &self.st.insts[id.0 as usize];
        let (key, body) = (inst.key.clone(), inst.body.clone());
        let mut parts = Vec::new();
        if matches!(key.code, Code::Func(_)) && !key.targs.is_empty() {
            let names: Vec<String> = key.targs.iter().map(|t| self.type_name(*t)).collect();
            parts.push(format!("[{}]", names.join(",")));
        }
        let mut heaps = Vec::new();
        let captures = body.captures.iter().map(|c| c.inner);
        for (l, h) in body
            .params
            .iter()
            .copied()
            .chain(captures)
            .zip(key.heaps.iter())
        {
            let local = &body.locals[l.0 as usize];
            let ty = self.sub(id, local.ty);
            if self.is_ref(ty) && *h != Heap::VOLATILE {
                heaps.push(format!("{} {}", local.name, h.name()));
            }
        }
        if !heaps.is_empty() {
            parts.push(format!("({})", heaps.join(", ")));
        }
        if key.txn {
            parts.push("txn".into());
        }
        parts.join(" ")
    }

    /// The func value of a key, of which the plain variant is given.
    pub fn func_value(&mut self, key: Key) -> u32 {
        debug_assert!(!key.txn);
        if let Some(&i) = self.st.func_value_map.get(&key) {
            return i;
        }
        let id = self.instance(key.clone());
        let plain = self.func_index(id);
        let index = self.st.program.func_values.len() as u32;
        self.st.program.func_values.push(FuncValue {
            plain,
            txn: NO_FUNC,
        });
        self.st.func_value_map.insert(key.clone(), index);
        self.st.func_value_keys.push(key);
        index
    }

    /// The key of a declared function that callers are not known of.
    pub fn any_key(&mut self, f: &FuncRef) -> Key {
        let decl = self.cx.decl(f.func);
        let (params, type_params) = (decl.params.clone(), decl.type_params.clone());
        let mut heaps = Vec::new();
        for p in params {
            let ty = self.cx.types().subst(p, &type_params, &f.targs);
            heaps.push(self.any_heap(ty));
        }
        Key {
            code: Code::Func(f.func),
            targs: f.targs.clone().into(),
            heaps: heaps.into(),
            txn: false,
        }
    }

    fn request_key(&mut self, key: Key) -> u32 {
        if self.st.emitting {
            return self.func_value(key);
        }
        self.instance(key.clone());
        if self.st.txn_values {
            self.instance(Key { txn: true, ..key });
        }
        0
    }

    /// A declared function is used as a value.
    pub fn request_func_value(&mut self, f: &FuncRef) -> u32 {
        let key = self.any_key(f);
        self.request_key(key)
    }

    /// Makes the transaction variants of func values once something can call them.
    pub fn request_txn_variants(&mut self) {
        if !self.st.txn_values {
            return;
        }
        for i in 0..self.st.func_value_keys.len() {
            if self.st.program.func_values[i].txn == NO_FUNC {
                let key = Key {
                    txn: true,
                    ..self.st.func_value_keys[i].clone()
                };
                let id = self.instance(key);
                let f = self.func_index(id);
                self.st.program.func_values[i].txn = f;
            }
        }
    }

    /// A value of this type gets into an interface; printing reaches what is in it.
    pub fn live_type(&mut self, ty: Ty) {
        if self.cx.types_ref().is_interface(ty) || !self.st.live.insert(ty) {
            return;
        }
        self.st.live_list.push(ty);
        self.st.heaps_changed = true;
        let parts: Vec<Ty> = match self.cx.types_ref().under(ty) {
            TyKind::Pointer(e) | TyKind::Slice(e) | TyKind::Array(e, _) => vec![*e],
            TyKind::Map(k, v) => vec![*k, *v],
            TyKind::Struct(s) => s.fields.iter().map(|f| f.ty).collect(),
            _ => Vec::new(),
        };
        for p in parts {
            self.live_type(p);
        }
        if self.st.reflects {
            self.reflected_parts(ty);
        }
    }

    /// `recover` may give a run-time error.
    pub fn live_runtime_errors(&mut self) {
        for ty in self.cx.runtime_errors() {
            self.live_type(ty);
        }
    }

    /// Something calls this method of an interface.
    pub fn call_method(&mut self, m: &IMethod) {
        if self.st.called.insert(m.clone()) {
            self.st.heaps_changed = true;
        }
    }

    /// Can a call in the program reach this method through an interface? Printing calls some.
    fn is_called(&self, m: &IMethod) -> bool {
        self.st.called.contains(m)
            || self.st.reflects_methods && m.pkg.is_none()
            || matches!(
                self.cx.name(m.name),
                "Error" | "String" | "Format" | "GoString"
            )
    }

    /// Makes func values of the methods that live types have and interfaces call.
    pub fn request_methods(&mut self) {
        let mut at = 0;
        while at < self.st.live_list.len() {
            let ty = self.st.live_list[at];
            at += 1;
            if !self.can_have_methods(ty) {
                continue;
            }
            for entry in self.cx.method_set(ty).iter() {
                if self.st.reflects_methods && entry.method.pkg.is_none() {
                    self.live_type(entry.method.sig);
                }
                let done = (ty, entry.method.clone());
                if self.st.methods_done.contains_key(&done) && self.st.emitting
                    || !self.is_called(&entry.method)
                {
                    continue;
                }
                let wrapper = self.cx.interface_wrapper(ty, &entry.method);
                let key = match wrapper {
                    WrapperFunc::Declared(f) => self.any_key(&f),
                    WrapperFunc::Body(b) => {
                        let mut heaps = Vec::new();
                        for p in &b.params {
                            heaps.push(self.any_heap(b.locals[p.0 as usize].ty));
                        }
                        Key {
                            code: Code::Body(BodyRef(b)),
                            targs: Rc::from([]),
                            heaps: heaps.into(),
                            txn: false,
                        }
                    }
                };
                let value = self.request_key(key);
                if self.st.emitting {
                    self.st.methods_done.insert(done, value);
                }
            }
        }
    }

    pub fn can_have_methods(&self, ty: Ty) -> bool {
        let types = self.cx.types_ref();
        match types.kind(ty) {
            TyKind::Named(_) | TyKind::Struct(_) => true,
            TyKind::Pointer(e) => matches!(types.kind(*e), TyKind::Named(_) | TyKind::Struct(_)),
            _ => false,
        }
    }

    /// What a method of a type parameter's value is after substitution.
    pub fn param_method(&mut self, at: At, recv: Ty, m: &IMethod) -> Option<FuncRef> {
        let m = self.sub_method(at.inst, m);
        let set = self.cx.method_set(recv);
        let entry = set.iter().find(|e| e.method == m && e.path.is_empty())?;
        entry.func.clone()
    }

    /// The callee for a method that a value has from an embedded field, and the receiver argument
    /// if it is a declared one.
    pub fn promoted_method(&mut self, x: Expr, m: &IMethod) -> Option<(Callee, Option<Expr>)> {
        let types = self.cx.types();
        let sel = match types.lookup_method(x.ty, m) {
            Lookup::Method(sel) | Lookup::NeedsPointer(sel) => sel,
            _ => return None,
        };
        let recv = build::receiver(x, &sel, types);
        match sel.kind {
            MethodKind::Concrete { func, .. } => Some((Callee::Static(func), Some(recv))),
            MethodKind::Interface(m) => Some((Callee::Interface(Box::new(recv), m), None)),
            MethodKind::Param(_) => None,
        }
    }
}

/// Type arguments nested deeper come from an endless instantiation.
const TYPE_DEPTH_MAX: u32 = 100;

/// How deep a type nests; capped, so that shared parts are looked at once.
fn depth(types: &Types, t: Ty, known: &mut FxHashMap<Ty, u32>) -> u32 {
    if let Some(&d) = known.get(&t) {
        return d;
    }
    let mut max = |ts: &[Ty]| {
        let each = ts.iter().map(|t| depth(types, *t, known));
        1 + each.max().unwrap_or(0)
    };
    let d = match types.kind(t) {
        TyKind::Pointer(e) | TyKind::Slice(e) | TyKind::Array(e, _) | TyKind::Chan(_, e) => {
            max(&[*e])
        }
        TyKind::Map(k, v) => max(&[*k, *v]),
        TyKind::Struct(s) => max(&s.fields.iter().map(|f| f.ty).collect::<Vec<_>>()),
        TyKind::Func(s) => max(&[&s.params[..], &s.results[..]].concat()),
        TyKind::Named(n) => match &types.named[n.0 as usize].origin {
            Some((_, targs)) => max(&targs.clone()),
            None => 0,
        },
        _ => 0,
    };
    known.insert(t, d);
    d
}
