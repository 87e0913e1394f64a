//! What package reflect needs of the compiler: method tables of types that only reflection reaches,
//! code of methods that only it calls, and calls of functions whose type is known at run time.
use super::Gen;
use super::frame::LINK_SLOTS;
use super::func::Fun;
use super::heaps::At;
use crate::bytecode::op::Op;
use crate::tir::*;
use crate::types::ty::{Ty, TyKind};

/// Calls a func value: code, frame image, slots of results and parameters, of results.
const CALL: &str = "reflect.callFrame";
/// The body of what MakeFunc makes.
const STUB: &str = "reflect.enterStub";

/// The function that an operand names.
fn declared(e: &Expr) -> Option<&FuncRef> {
    match &e.kind {
        ExprKind::Func(f) => Some(f),
        ExprKind::Convert(_, x) => declared(x),
        _ => None,
    }
}

/// Sends and receives: channel, image of the value, its words, words to copy.
const SEND: &str = "reflect.sendWords";
const RECEIVE: &str = "reflect.receiveWords";
/// Words of an element that these can move, and the bool that says whether one came.
const ELEMENT_SLOTS: u32 = 64 + 1;

/// A select of so many cases: their number, image of results, cases and values, whether there is a default, words.
const SELECT: &str = "reflect.selectWords";
const SELECT_SLOTS: u32 = 2048;

impl Gen<'_> {
    /// The program calls a native of package reflect: what it can do from now on.
    pub fn note_reflection(&mut self, at: At, native: &str, args: &[Expr]) {
        let Some(name) = native.strip_prefix("reflect.") else {
            return;
        };
        if !self.st.reflects {
            self.st.reflects = true;
            self.st.heaps_changed = true;
            for ty in self.st.live_list.clone() {
                self.reflected_parts(ty);
            }
        }
        if name == "methodCode" && !self.st.reflects_methods {
            self.st.reflects_methods = true;
            self.st.heaps_changed = true;
        }
        let stores = matches!(
            name,
            "store" | "mapStore" | "callFrame" | "enterStub" | "sendWords" | "selectWords"
        );
        if stores && !self.st.reflects_stores {
            self.st.reflects_stores = true;
            self.st.heaps_changed = true;
        }
        if matches!(native, CALL | STUB) {
            self.calls_values(at.txn);
        }
        if native == STUB
            && let [f] = args
            && let Some(f) = declared(f)
        {
            let f = self.sub_func(at.inst, f);
            self.request_func_value(&f);
        }
    }

    /// What reflection reaches from a type beyond the parts of its values.
    pub fn reflected_parts(&mut self, ty: Ty) {
        let types = self.cx.types_ref();
        let parts: Vec<Ty> = match types.under(ty) {
            TyKind::Chan(_, e) => vec![*e],
            TyKind::Func(s) => s.params.iter().chain(&s.results).copied().collect(),
            _ => Vec::new(),
        };
        let is_named = matches!(types.kind(ty), TyKind::Named(_));
        for p in parts {
            self.live_type(p);
        }
        if is_named {
            let pointer = self.cx.types().intern(TyKind::Pointer(ty));
            self.live_type(pointer);
        }
    }
}

impl Fun<'_, '_> {
    /// Natives that are instructions; None if this one is not.
    pub fn reflection(&mut self, native: &str, args: &[Expr]) -> Option<u32> {
        let txn = u32::from(self.in_txn());
        match (native, args) {
            (CALL, [_, _, _, _]) => {
                let operands = self.alloc(4);
                for (slot, arg) in (operands..).zip(args) {
                    self.eval_to(arg, slot);
                }
                self.alloc(LINK_SLOTS);
                let window = self.alloc(0);
                self.asm.op(Op::CallR, window, operands, txn);
                self.asm.op(Op::TakeR, window, operands, 0);
                Some(operands)
            }
            (SEND | RECEIVE, [_, _, _, _]) => {
                let operands = self.alloc(4);
                for (slot, arg) in (operands..).zip(args) {
                    self.eval_to(arg, slot);
                }
                let words = self.alloc(ELEMENT_SLOTS);
                if native == SEND {
                    self.asm.op(Op::PutR, words, operands, 0);
                    self.asm.op(Op::Send, operands, words, 0);
                } else {
                    self.asm.op(Op::Recv, words, operands, 1);
                    self.asm.op(Op::TakeR, words, operands, 0);
                }
                self.top = words;
                Some(operands)
            }
            (SELECT, [_, _, _, _]) => {
                let operands = self.alloc(4);
                for (slot, arg) in (operands..).zip(args) {
                    self.eval_to(arg, slot);
                }
                let words = self.alloc(SELECT_SLOTS);
                self.asm.op(Op::PutR, words, operands, 0);
                self.asm.op(Op::Select, words, words + 2, operands);
                self.asm.word(2);
                self.asm.op(Op::TakeR, words, operands, 0);
                self.top = words;
                Some(operands)
            }
            (STUB, [f]) => {
                let f = self.g.sub_func(self.inst, declared(f)?);
                let id = self.g.request_func_value(&f);
                self.asm.op_bc(Op::StubIn, txn, id);
                self.asm.op(Op::StubOut, 0, 0, 0);
                Some(self.top)
            }
            _ => None,
        }
    }
}
