//! One function: prologue, body, the way out through deferred functions.
use super::Gen;
use super::frame::{Home, LINK_SLOTS, Pool, SLOT_BYTES_MAX};
use super::heaps::{At, Heap};
use super::instance::InstId;
use super::scan::Scan;
use crate::bytecode::asm::{Asm, AsmError, Label};
use crate::bytecode::op::{Op, TrapKind};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::tir::*;
use crate::types::ty::{Ty, TyKind};
use std::rc::Rc;

/// Where a label's statement can be left to.
#[derive(Clone, Copy, Default)]
pub struct Exit {
    pub target: Option<Label>,
    /// Transactions of this frame open there.
    pub txns: u32,
}

/// A function being compiled.
pub struct Fun<'g, 'a> {
    pub g: &'g mut Gen<'a>,
    pub inst: InstId,
    pub body: Rc<Body>,
    pub asm: Asm,
    pub top: u32,
    pub max: u32,
    pub homes: Vec<Home>,
    pub scan: Scan,
    /// The instance runs in a transaction.
    pub inst_txn: bool,
    /// Transactions that this frame has open here.
    pub txns: u32,
    pub breaks: Vec<Exit>,
    pub continues: Vec<Exit>,
    pub gotos: Vec<Option<Label>>,
    pub next_clause: Option<Label>,
    pub pool: Option<Pool>,
    /// Runs deferred functions and returns; where a recovered panic goes on.
    way_out: Option<Label>,
    result_slots: u32,
    param_slots: u32,
    /// Address of what an `append` is assigned to.
    pub append_to: Option<u32>,
    pub evaluated: super::order::Evaluated,
    /// See `loc_once`.
    pub last_loc: Option<super::place::Loc>,
}

/// Compiles an instance into its place in the program.
pub fn emit(g: &mut Gen, id: InstId) {
    let reports = g.st.reports.len();
    let bad = g.st.bad_stores.len();
    for far in [false, true] {
        g.st.reports.truncate(reports);
        g.st.bad_stores.truncate(bad);
        let errors = g.diagnostics.error_count();
        let mut f = Fun::new(g, id, far);
        f.function();
        if f.g.diagnostics.error_count() > errors {
            return;
        }
        let (max, result_slots, param_slots) = (f.max, f.result_slots, f.param_slots);
        let recover = f.way_out.map(|l| f.asm.position(l) as u32);
        let body = f.body.clone();
        let assembled = match f.asm.finish() {
            Ok(a) => a,
            Err(AsmError::Far) => continue,
            Err(AsmError::TooLarge) => return too_large(g, body.span),
        };
        if max > u32::from(u16::MAX) {
            return too_large(g, body.span);
        }
        let instance = g.instance_name(id);
        let index = g.st.insts[id.0 as usize].func;
        let func = &mut g.st.program.funcs[index as usize];
        func.instance = instance;
        func.code = assembled.code;
        func.lines = assembled.lines;
        func.store_notes = assembled.notes;
        func.reads = assembled.reads;
        func.frame_slots = max;
        func.result_slots = result_slots;
        func.param_slots = param_slots;
        func.recover_pc = recover;
        func.wrapper = body.wrapper;
        func.value_method = body.value_method;
        func.span = body.span;
        return;
    }
}

fn too_large(g: &mut Gen, span: Span) {
    g.diagnostics.push(
        Diagnostic::error(Code::FunctionTooLarge, span, "function too large")
            .note("its variables and temporary values need more than 65535 words"),
    );
}

impl<'g, 'a> Fun<'g, 'a> {
    fn new(g: &'g mut Gen<'a>, id: InstId, far: bool) -> Fun<'g, 'a> {
        let inst = &g.st.insts[id.0 as usize];
        let (body, inst_txn) = (inst.body.clone(), inst.key.txn);
        let none = Home {
            slot: 0,
            boxed: false,
        };
        Fun {
            g,
            inst: id,
            scan: Scan::of(&body),
            homes: vec![none; body.locals.len()],
            breaks: vec![Exit::default(); body.labels as usize],
            continues: vec![Exit::default(); body.labels as usize],
            gotos: vec![None; body.labels as usize],
            body,
            asm: Asm::new(far),
            top: 0,
            max: 0,
            inst_txn,
            txns: 0,
            next_clause: None,
            pool: None,
            way_out: None,
            result_slots: 0,
            param_slots: 0,
            append_to: None,
            evaluated: Default::default(),
            last_loc: None,
        }
    }

    pub fn in_txn(&self) -> bool {
        self.inst_txn || self.txns > 0
    }
    pub fn at(&self) -> At {
        self.g.at(self.inst, self.in_txn())
    }
    /// A type with this instance's type arguments.
    pub fn sub(&mut self, ty: Ty) -> Ty {
        self.g.sub(self.inst, ty)
    }
    pub fn heap(&mut self, e: &Expr) -> Heap {
        let at = self.at();
        self.g.heap(at, e)
    }
    pub fn under(&self, ty: Ty) -> TyKind {
        self.g.cx.types_ref().under(ty).clone()
    }
    pub fn local_ty(&mut self, l: LocalId) -> Ty {
        let ty = self.body.locals[l.0 as usize].ty;
        self.sub(ty)
    }

    /// Reports what this compiler cannot do yet.
    pub fn unsupported(&mut self, span: Span, what: &str) {
        let message = format!("not yet supported: {what}");
        self.g
            .diagnostics
            .push(Diagnostic::error(Code::NotSupported, span, message));
    }

    /// Does the local live in an object of its own?
    fn is_boxed(&mut self, l: LocalId) -> bool {
        let local = &self.body.locals[l.0 as usize];
        let (boxed, ty) = (local.boxed, local.ty);
        if boxed || self.scan.indexed[l.0 as usize] && self.holds_array(ty) {
            return true;
        }
        let ty = self.sub(ty);
        matches!(self.under(ty), TyKind::Array(..) | TyKind::Struct(_))
            && self.g.info(ty).size > SLOT_BYTES_MAX
    }

    fn holds_array(&mut self, ty: Ty) -> bool {
        let ty = self.sub(ty);
        match self.under(ty) {
            TyKind::Array(..) => true,
            TyKind::Struct(s) => s.fields.iter().any(|f| self.holds_array(f.ty)),
            _ => false,
        }
    }

    /// Gives a variable its place; boxed ones get a fresh object.
    pub fn declare(&mut self, l: LocalId) {
        let ty = self.local_ty(l);
        let boxed = self.is_boxed(l);
        let slot = if boxed { self.alloc(1) } else { self.temp(ty) };
        self.homes[l.0 as usize] = Home { slot, boxed };
        if boxed {
            self.new_box(slot, ty);
        }
    }

    pub fn new_box(&mut self, slot: u32, ty: Ty) {
        let t = self.g.type_index(ty);
        self.asm.op_bc(Op::New, slot, t);
    }

    fn function(&mut self) {
        let body = self.body.clone();
        self.asm.at(body.span);
        let mut incoming = Vec::new();
        for l in &body.results {
            let ty = self.local_ty(*l);
            let slot = self.temp(ty);
            self.homes[l.0 as usize] = Home { slot, boxed: false };
        }
        self.result_slots = self.top;
        for l in &body.params {
            let ty = self.local_ty(*l);
            let slot = self.temp(ty);
            self.homes[l.0 as usize] = Home { slot, boxed: false };
            incoming.push((*l, slot, ty));
        }
        self.param_slots = self.top - self.result_slots;
        self.load_captures(&body, &mut incoming);
        for (l, slot, ty) in incoming {
            if self.is_boxed(l) {
                let p = self.alloc(1);
                self.new_box(p, ty);
                self.store_plain(p, 0, ty, slot);
                self.homes[l.0 as usize] = Home {
                    slot: p,
                    boxed: true,
                };
            }
        }
        for l in &body.results {
            let ty = self.local_ty(*l);
            let slots = self.g.info(ty).slots;
            if self.is_boxed(*l) {
                let p = self.alloc(1);
                self.new_box(p, ty);
                self.homes[l.0 as usize] = Home {
                    slot: p,
                    boxed: true,
                };
            } else if body.has_defer || self.scan.mentioned[l.0 as usize] {
                let slot = self.home(*l).slot;
                self.zero(slot, slots);
            }
        }
        if body.has_defer {
            self.way_out = Some(self.asm.label());
        }
        let mark = self.top;
        self.stmts(&body.stmts);
        self.top = mark;
        self.asm.at(body.end);
        let returned = matches!(
            body.stmts.last().map(|s| &s.kind),
            Some(StmtKind::Return(_))
        );
        if !returned && !body.has_defer {
            match body.results.is_empty() {
                true => self.leave(),
                false => self.asm.op(Op::Trap, TrapKind::Unreachable as u32, 0, 0),
            }
        }
        if let Some(l) = self.way_out {
            self.asm.bind(l);
            let window = self.top + LINK_SLOTS;
            self.alloc(LINK_SLOTS);
            if self.inst_txn {
                self.g.calls_values(true);
            }
            self.asm
                .op(Op::RunDefers, window, u32::from(self.inst_txn), 0);
            self.load_results();
            self.asm.op(Op::Ret, 0, 0, 0);
        }
    }

    /// Captures lie in the frame in their order; boxed ones are pointers.
    fn load_captures(&mut self, body: &Rc<Body>, incoming: &mut Vec<(LocalId, u32, Ty)>) {
        let base = self.top;
        for c in &body.captures {
            let ty = self.local_ty(c.inner);
            let boxed = body.locals[c.inner.0 as usize].boxed;
            let slot = if boxed { self.alloc(1) } else { self.temp(ty) };
            self.homes[c.inner.0 as usize] = Home { slot, boxed };
            if !boxed {
                incoming.push((c.inner, slot, ty));
            }
        }
        let n = self.top - base;
        if n > 0 {
            self.asm.op(Op::LdCap, base, 0, n);
        }
    }

    /// Boxed results to their slots.
    fn load_results(&mut self) {
        let body = self.body.clone();
        let mut at = 0;
        for l in &body.results {
            let ty = self.local_ty(*l);
            let home = self.home(*l);
            if home.boxed {
                self.load_plain(at, home.slot, 0, ty);
            }
            at += self.g.info(ty).slots;
        }
    }

    /// Returns; the results are in their variables.
    pub fn leave(&mut self) {
        for _ in 0..self.txns {
            self.asm.op(Op::TxnCommit, 0, 0, 0);
        }
        match self.way_out {
            Some(l) => self.asm.jmp(l),
            None => {
                self.load_results();
                self.asm.op(Op::Ret, 0, 0, 0);
            }
        }
    }
}
