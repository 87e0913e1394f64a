//! Code generation: checked bodies to bytecode, by instance, on demand from a work list
//! (LANGUAGE.md §3 rule 4). Expressions are evaluated straight into their destination slots.
mod builtin;
mod call;
mod chan;
mod cond;
mod convert;
mod expr;
mod frame;
mod func;
mod heaps;
mod infer;
mod instance;
mod literal;
mod loops;
mod order;
mod place;
mod reflect;
mod scan;
mod stmt;
mod store;
mod switch;
#[cfg(test)]
mod tests;
mod types;

use crate::bytecode::op::{Op, TrapKind, encode};
use crate::bytecode::program::{NO_FUNC, Program, TypeIdx};
use crate::check::Renewed;
use crate::diagnostic::Diagnostics;
use crate::source::Span;
use crate::tir::*;
use crate::types::ty::{FuncId, IMethod, ParamId, Ty};
use heaps::{At, Heap};
use instance::{BodyRef, Inst, InstId, Key};
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;
use types::TypeInfo;

/// The class of a store, for reports.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreReport {
    pub span: Span,
    /// `volatile`, `persistent` or `either`.
    pub class: &'static str,
    /// `field next of main.Node`.
    pub what: String,
    pub in_txn: bool,
    pub function: String,
}

/// What generation keeps; a session keeps it from chunk to chunk.
#[derive(Default)]
pub struct State {
    pub program: Program,
    /// Later chunks may store anything anywhere.
    open_world: bool,
    /// The program can have persistent data; without any, nothing is inferred.
    persistence: bool,
    emitting: bool,
    heaps_changed: bool,
    txn_values: bool,
    insts: Vec<Inst>,
    inst_map: FxHashMap<Key, InstId>,
    body_owner: FxHashMap<BodyRef, Rc<[ParamId]>>,
    wanted: Vec<InstId>,
    /// Types of references that persistent ones are stored as in volatile memory.
    persistent_in_memory: FxHashSet<Ty>,
    global_heaps: FxHashMap<GlobalId, Heap>,
    /// Their address is taken.
    globals_shared: FxHashSet<GlobalId>,
    func_value_map: FxHashMap<Key, u32>,
    func_value_keys: Vec<Key>,
    live: FxHashSet<Ty>,
    live_list: Vec<Ty>,
    called: FxHashSet<IMethod>,
    /// Func value of a type's method for interfaces.
    methods_done: FxHashMap<(Ty, IMethod), u32>,
    type_map: FxHashMap<Ty, TypeIdx>,
    capture_types: FxHashMap<Vec<(u32, u8)>, TypeIdx>,
    type_info: FxHashMap<Ty, TypeInfo>,
    leaves: FxHashMap<Ty, Rc<[Ty]>>,
    strings: FxHashMap<Rc<[u8]>, u32>,
    native_map: FxHashMap<(FuncId, Vec<Ty>), u32>,
    method_map: FxHashMap<crate::bytecode::program::MethodId, u32>,
    method_sigs: FxHashMap<u32, Ty>,
    /// The program asks for types at run time, calls methods by what it finds there, stores by it.
    reflects: bool,
    reflects_methods: bool,
    reflects_stores: bool,
    /// Where package variables lie: byte in the globals or index of the pvar.
    global_places: Vec<Option<u32>>,
    pub reports: Vec<StoreReport>,
    /// Volatile values stored in persistent memory: instances of the function that agree.
    bad_stores: Vec<store::BadStore>,
}

impl State {
    /// For a session: later chunks are not known.
    pub fn open_world() -> State {
        State {
            open_world: true,
            persistence: true,
            ..State::default()
        }
    }

    /// With heaps inferred whether or not the program has persistent data.
    pub fn with_heaps() -> State {
        State {
            persistence: true,
            ..State::default()
        }
    }
}

/// Functions have other bodies again; code follows with the next generation.
pub fn renew(cx: &mut dyn Bodies, st: &mut State, renewed: &Renewed) {
    st.emitting = false;
    let diagnostics = &mut Diagnostics::new();
    Gen {
        cx,
        st,
        diagnostics,
    }
    .renew(renewed);
}

/// One run of generation.
pub struct Gen<'a> {
    pub cx: &'a mut dyn Bodies,
    pub st: &'a mut State,
    pub diagnostics: &'a mut Diagnostics,
}

/// Compiles what `entry` reaches into the state's program.
pub fn generate(cx: &mut dyn Bodies, st: &mut State, diagnostics: &mut Diagnostics, entry: FuncId) {
    generate_renewed(cx, st, diagnostics, entry, &Renewed::default());
}

/// As `generate`, with what a session's chunk has declared again.
pub fn generate_renewed(
    cx: &mut dyn Bodies,
    st: &mut State,
    diagnostics: &mut Diagnostics,
    entry: FuncId,
    renewed: &Renewed,
) {
    st.persistence |= cx.globals().iter().any(|g| g.root.is_some());
    let mut found = Diagnostics::new();
    let mut g = Gen {
        cx,
        st,
        diagnostics: &mut found,
    };
    let knew = g.st.persistence;
    g.st.emitting = false;
    g.renew(renewed);
    g.run(entry);
    if renewed.types {
        g.renew_printing();
    }
    if g.st.persistence && !knew {
        // Persistent data after all: once more, with heaps inferred.
        *g.st = State {
            persistence: true,
            ..State::default()
        };
        *g.diagnostics = Diagnostics::new();
        g.run(entry);
    }
    g.report_bad_stores();
    if g.diagnostics.has_errors() {
        g.discard_unfinished();
    }
    for d in found.iter() {
        diagnostics.push(d.clone());
    }
}

impl Gen<'_> {
    fn run(&mut self, entry: FuncId) {
        let key = Key {
            code: instance::Code::Func(entry),
            targs: Rc::from([]),
            heaps: Rc::from([]),
            txn: false,
        };
        let id = self.instance(key);
        if self.st.persistence {
            self.st.emitting = false;
            self.infer_heaps();
        }
        self.st.emitting = true;
        if !self.st.open_world {
            self.st.txn_values = false;
            self.st.live.clear();
            self.st.live_list.clear();
            self.st.called.clear();
        }
        self.st.methods_done.retain(|_, _| self.st.open_world);
        self.st.program.entry = self.func_index(id);
        loop {
            while let Some(id) = self.st.wanted.pop() {
                self.emit(id);
                if self.diagnostics.error_count() > 50 {
                    return;
                }
            }
            self.request_methods();
            self.request_txn_variants();
            if self.st.wanted.is_empty() {
                break;
            }
        }
        self.finish_types();
    }

    /// Substitutes the type arguments of an instance.
    pub fn sub(&mut self, inst: InstId, ty: Ty) -> Ty {
        let inst = &self.st.insts[inst.0 as usize];
        if inst.type_params.is_empty() {
            return ty;
        }
        let (params, args) = (inst.type_params.clone(), inst.key.targs.clone());
        self.cx.types().subst(ty, &params, &args)
    }

    pub fn sub_func(&mut self, inst: InstId, f: &FuncRef) -> FuncRef {
        let targs = f.targs.iter().map(|t| self.sub(inst, *t)).collect();
        FuncRef {
            func: f.func,
            targs,
        }
    }

    pub fn sub_method(&mut self, inst: InstId, m: &IMethod) -> IMethod {
        IMethod {
            sig: self.sub(inst, m.sig),
            ..m.clone()
        }
    }

    /// After an error: what has no code yet must not count as compiled.
    pub fn discard_unfinished(&mut self) {
        self.st.wanted.clear();
        let trap = encode(Op::Trap, TrapKind::Unreachable as u16, 0, 0);
        let mut broken = FxHashSet::default();
        for (i, f) in self.st.program.funcs.iter_mut().enumerate() {
            if f.code.is_empty() {
                f.code.push(trap);
                broken.insert(i as u32);
            }
        }
        for inst in &mut self.st.insts {
            if broken.contains(&inst.func) {
                inst.func = NO_FUNC;
            }
        }
        let values = &self.st.program.func_values;
        let good = |v: &u32| !broken.contains(&values[*v as usize].plain);
        self.st.func_value_map.retain(|_, v| good(v));
        self.st.methods_done.retain(|_, v| good(v));
    }

    fn emit(&mut self, id: InstId) {
        func::emit(self, id);
    }

    /// A place of a call, in and out of transactions.
    fn at(&self, inst: InstId, txn: bool) -> At {
        At { inst, txn }
    }
}
