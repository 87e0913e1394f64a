//! Calls: the window above the temporaries becomes the callee's frame.
use super::frame::LINK_SLOTS;
use super::func::Fun;
use crate::bytecode::op::Op;
use crate::tir::*;
use crate::types::ty::{Ty, TyKind};

impl Fun<'_, '_> {
    /// Calls; the results are in the slots that are returned.
    pub fn call(&mut self, e: &Expr, callee: &Callee, args: &[Expr], want: Option<u32>) -> u32 {
        match callee {
            Callee::Static(f) => {
                let f = self.g.sub_func(self.inst, f);
                self.static_call(e, &f, args, want)
            }
            Callee::Value(v) => {
                let ty = self.sub(v.ty);
                let context = self.context([&**v].into_iter().chain(args));
                let f = self.eval(v, None);
                let (results, params) = self.signature(ty);
                let window = self.window(results, params);
                self.arguments(window + results, args);
                self.close(context);
                let txn = self.in_txn();
                self.g.calls_values(txn);
                self.asm.at(e.span);
                self.asm.reads(window + results, params);
                self.asm.op(Op::CallV, window, f, u32::from(txn));
                self.close_window(window, results)
            }
            Callee::Interface(x, m) => {
                let m = self.g.sub_method(self.inst, m);
                let context = self.context([&**x].into_iter().chain(args));
                let recv = self.eval(x, None);
                let (results, params) = self.signature(m.sig);
                let window = self.window(results, params + 1);
                self.arguments(window + results + 1, args);
                self.close(context);
                let txn = self.in_txn();
                self.g.calls_values(txn);
                self.g.call_method(&m);
                let id = self.g.method_index(&m);
                self.asm.at(e.span);
                self.asm.reads(window + results + 1, params);
                self.asm.op(Op::CallI, window, recv, results);
                self.asm.word(u64::from(id));
                self.asm.word(u64::from(txn));
                self.close_window(window, results)
            }
            Callee::Param(x, m) => self.param_call(e, x, m, args, want),
        }
    }

    /// A method of a type parameter's value.
    fn param_call(
        &mut self,
        e: &Expr,
        x: &Expr,
        m: &crate::types::ty::IMethod,
        args: &[Expr],
        want: Option<u32>,
    ) -> u32 {
        let ty = self.sub(x.ty);
        if self.g.cx.types_ref().is_interface(ty) {
            let callee = Callee::Interface(Box::new(x.clone()), m.clone());
            return self.call(e, &callee, args, want);
        }
        let at = self.at();
        let Some(f) = self.g.param_method(at, ty, m) else {
            return self.promoted_call(e, x, ty, m, args, want);
        };
        let decl = self.g.cx.decl(f.func);
        let (params, type_params) = (decl.params.clone(), decl.type_params.clone());
        let want_ty = self.g.cx.types().subst(params[0], &type_params, &f.targs);
        let recv = if want_ty == ty {
            x.clone()
        } else if self.g.cx.types_ref().pointee(want_ty) == Some(ty) {
            Expr {
                ty: want_ty,
                span: x.span,
                kind: ExprKind::AddrOf(Box::new(x.clone())),
            }
        } else {
            Expr {
                ty: want_ty,
                span: x.span,
                kind: ExprKind::Deref(Box::new(x.clone())),
            }
        };
        let all: Vec<Expr> = std::iter::once(recv).chain(args.iter().cloned()).collect();
        self.static_call(e, &f, &all, want)
    }

    /// A method that the type argument has from an embedded field.
    fn promoted_call(
        &mut self,
        e: &Expr,
        x: &Expr,
        ty: Ty,
        m: &crate::types::ty::IMethod,
        args: &[Expr],
        want: Option<u32>,
    ) -> u32 {
        let m = self.g.sub_method(self.inst, m);
        let x = Expr { ty, ..x.clone() };
        match self.g.promoted_method(x, &m) {
            Some((callee, first)) => {
                let all: Vec<Expr> = first.into_iter().chain(args.iter().cloned()).collect();
                self.call(e, &callee, &all, want)
            }
            None => {
                self.unsupported(e.span, "this method of a type parameter");
                self.top
            }
        }
    }

    /// Slots of results and parameters of a func type.
    fn signature(&mut self, ty: Ty) -> (u32, u32) {
        let TyKind::Func(s) = self.under(ty) else {
            return (0, 0);
        };
        let results = s.results.iter().map(|t| self.g.info(*t).slots).sum();
        let params = s.params.iter().map(|t| self.g.info(*t).slots).sum();
        (results, params)
    }

    fn window(&mut self, results: u32, params: u32) -> u32 {
        self.alloc(LINK_SLOTS);
        let at = self.alloc(results);
        self.alloc(params);
        at
    }

    fn close_window(&mut self, window: u32, results: u32) -> u32 {
        self.top = window + results;
        window
    }

    /// Evaluates arguments into their slots.
    fn arguments(&mut self, at: u32, args: &[Expr]) {
        let mark = self.top;
        let mut slot = at;
        for a in args {
            self.eval_to(a, slot);
            self.top = mark;
            let ty = self.sub(a.ty);
            slot += self.g.info(ty).slots;
        }
    }

    fn static_call(&mut self, e: &Expr, f: &FuncRef, args: &[Expr], want: Option<u32>) -> u32 {
        let context = self.context(args);
        let slot = self.static_call_in(e, f, args, want);
        self.close(context);
        slot
    }

    fn static_call_in(&mut self, e: &Expr, f: &FuncRef, args: &[Expr], want: Option<u32>) -> u32 {
        let decl = self.g.cx.decl(f.func).clone();
        let native = decl.kind == FuncKind::Native;
        if native && let [x] = args {
            let op = match decl.name.as_str() {
                "math.Sqrt" => Some(Op::SqrtF),
                "math.Abs" => Some(Op::AbsF),
                "math.Floor" => Some(Op::FloorF),
                _ => None,
            };
            if let Some(op) = op {
                let s = self.eval(x, None);
                let d = want.unwrap_or_else(|| self.alloc(1));
                self.asm.op(op, d, s, 0);
                return d;
            }
        }
        if native && decl.name.starts_with("reflect.") {
            let at = self.at();
            self.g.note_reflection(at, &decl.name, args);
            if let Some(slot) = self.reflection(&decl.name, args) {
                return slot;
            }
        }
        let (mut results, mut params) = (0, 0);
        for (n, list) in [(&mut results, &decl.results), (&mut params, &decl.params)] {
            for t in list {
                let ty = self.g.cx.types().subst(*t, &decl.type_params, &f.targs);
                *n += self.g.info(ty).slots;
            }
        }
        let window = self.window(results, params);
        self.arguments(window + results, args);
        self.asm.at(e.span);
        if native {
            if decl.name.starts_with("pmem.") {
                self.g.source();
            }
            let index = self.g.native_index(f);
            self.asm.reads(window + results, params);
            self.asm.op_bc(Op::CallN, window, index);
        } else {
            let at = self.at();
            let key = self.g.static_key(at, f, args);
            let id = self.g.instance(key);
            let index = self.g.func_index(id);
            self.asm.op_bc(Op::Call, window, index);
        }
        self.close_window(window, results)
    }
}
