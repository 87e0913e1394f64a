//! `for` statements: tested at the bottom, with the counting instructions where they fit.
use super::cond::Class;
use super::expr::int_const;
use super::func::Fun;
use super::heaps::Heap;
use super::place::Loc;
use super::scan;
use crate::bytecode::asm::Label;
use crate::bytecode::op::{MAP_ITER_SLOTS, Op};
use crate::tir::*;
use crate::types::ty::{Basic, Ty, TyKind};

/// The loop `i += step; if i < bound`.
struct Counted<'e> {
    local: LocalId,
    step: i16,
    bound: &'e Expr,
}

impl Fun<'_, '_> {
    pub fn for_stmt(&mut self, f: &For) {
        let mark = self.top;
        let outermost = self.begin_pool();
        let (top, next, end) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.exit_break(f.label, end);
        self.exit_continue(f.label, next);
        let span = self.asm.span();
        let counted = self.counted(f);
        let bound = counted.as_ref().map(|c| match int_const(c.bound) {
            // Every loop needs it in a slot of its own that lives as long as the loop.
            Some(n) => {
                let slot = self.alloc(1);
                self.constant(n as u64, Some(slot))
            }
            None => self.eval(c.bound, None),
        });
        if let Some(c) = &f.cond {
            match (&counted, bound) {
                (Some(c), Some(b)) => {
                    let i = self.home(c.local).slot;
                    self.asm.jump_slots(Op::JLe, b, i, end);
                }
                _ => self.branch(c, end, false),
            }
        }
        self.asm.bind(top);
        self.stmts(&f.body);
        self.asm.bind(next);
        self.asm.at(span);
        for l in &f.per_iteration {
            self.renew(*l);
        }
        if let (Some(c), Some(b)) = (&counted, bound) {
            let i = self.home(c.local).slot;
            self.step(i, c.step, b, top);
        } else {
            self.stmts(&f.post);
            self.asm.at(span);
            match &f.cond {
                Some(c) => self.branch(c, top, true),
                None => self.asm.jmp(top),
            }
        }
        self.asm.bind(end);
        self.end_pool(outermost);
        self.top = mark;
    }

    fn step(&mut self, i: u32, step: i16, bound: u32, top: Label) {
        if step == 1 {
            self.asm.jump_slots(Op::IncJLt, i, bound, top);
        } else {
            self.asm.op(Op::AddIJLt, i, u32::from(step as u16), bound);
            self.asm.ext_jump(top);
        }
    }

    /// Is this `for …; i < n; i += k` with `i` in a register, and `n` a constant or unassigned?
    fn counted<'e>(&mut self, f: &'e For) -> Option<Counted<'e>> {
        let ExprKind::Compare(CmpOp::Lt, a, bound) = &f.cond.as_ref()?.kind else {
            return None;
        };
        let ExprKind::Local(local) = a.kind else {
            return None;
        };
        let [post] = &f.post[..] else { return None };
        let StmtKind::OpAssign(BinOp::Add, place, by) = &post.kind else {
            return None;
        };
        let ty = self.sub(a.ty);
        let full = matches!(self.basic(ty), Basic::Int | Basic::Int64);
        if !matches!(place.kind, ExprKind::Local(l) if l == local)
            || self.home(local).boxed
            || self.class(ty) != Class::Signed
            || !full
        {
            return None;
        }
        let step = i16::try_from(int_const(by)?).ok()?;
        let register = |this: &Self, e: &Expr| match &e.kind {
            ExprKind::Local(l) => !this.home(*l).boxed && *l != local,
            _ => false,
        };
        // Registers are read anew each time, so assignments to them are seen.
        let in_place = match &bound.kind {
            ExprKind::Const(_) => true,
            ExprKind::Len(x) => {
                let ty = self.sub(x.ty);
                let words = matches!(self.under(ty), TyKind::Slice(_))
                    || self.basic(ty).is_string() && matches!(self.under(ty), TyKind::Basic(_));
                register(self, x) && words
            }
            _ => register(self, bound),
        };
        in_place.then_some(Counted { local, step, bound })
    }

    /// A new box with the value of the old one (spec "For statements with for clause").
    fn renew(&mut self, l: LocalId) {
        let home = self.home(l);
        if !home.boxed || !self.body.locals[l.0 as usize].boxed {
            return;
        }
        let mark = self.top;
        let ty = self.local_ty(l);
        let v = self.temp(ty);
        self.load_plain(v, home.slot, 0, ty);
        self.new_box(home.slot, ty);
        self.store_plain(home.slot, 0, ty, v);
        self.top = mark;
    }

    pub fn range_stmt(&mut self, r: &Range) {
        let mark = self.top;
        // What is ranged over is evaluated before the loop's constants are.
        match r.kind {
            RangeKind::Int => self.range_int(r),
            RangeKind::String => self.range_string(r),
            RangeKind::Map => self.range_map(r),
            RangeKind::Chan => self.range_chan(r),
            _ => self.range_elements(r),
        }
        self.top = mark;
    }

    /// A variable of the range clause gets a value.
    pub fn give(&mut self, l: LocalId, at: Loc) {
        self.declare(l);
        let home = self.home(l);
        let ty = self.local_ty(l);
        match home.boxed {
            true => {
                let mark = self.top;
                let s = self.load(at, ty, None);
                self.store_plain(home.slot, 0, ty, s);
                self.top = mark;
            }
            false => {
                self.load(at, ty, Some(home.slot));
            }
        }
    }

    /// The counter: the key variable itself if the body leaves it alone.
    fn counter(&mut self, r: &Range) -> (u32, bool) {
        if let Some(k) = r.key
            && !self.body.locals[k.0 as usize].boxed
            && !self.scan.assigned[k.0 as usize]
        {
            self.declare(k);
            return (self.home(k).slot, true);
        }
        (self.alloc(1), false)
    }

    /// From 0 to the number in slot `n`; `each` starts the body.
    fn count(&mut self, r: &Range, n: u32, each: &mut dyn FnMut(&mut Self, u32)) {
        let ty = r.key.map(|k| self.local_ty(k));
        let (i, own) = self.counter(r);
        let outermost = self.begin_pool();
        let (top, next, end) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.exit_break(r.label, end);
        self.exit_continue(r.label, next);
        let span = self.asm.span();
        self.asm.op_bc(Op::LdI, i, 0);
        let small = ty.map(|t| self.basic(t)).unwrap_or(Basic::Int);
        let unsigned = matches!(small, Basic::Uint | Basic::Uint64 | Basic::Uintptr);
        match unsigned {
            true => self.asm.jump(Op::JEqI, n, 0, end),
            false => self.asm.jump(Op::JLeI, n, 0, end),
        }
        self.asm.bind(top);
        let mark = self.top;
        if !own && let Some(k) = r.key {
            self.give(k, Loc::Reg(i));
        }
        each(self, i);
        self.stmts(&r.body);
        self.top = mark;
        self.asm.bind(next);
        self.asm.at(span);
        match unsigned {
            true => {
                self.asm.op_imm(Op::AddI, i, i, 1);
                self.asm.jump_slots(Op::JLtU, i, n, top);
            }
            false => self.asm.jump_slots(Op::IncJLt, i, n, top),
        }
        self.asm.bind(end);
        self.end_pool(outermost);
    }

    fn range_int(&mut self, r: &Range) {
        let n = self.alloc(1);
        self.eval_to(&r.over, n);
        self.count(r, n, &mut |_, _| {});
    }

    fn range_elements(&mut self, r: &Range) {
        let ty = self.sub(r.over.ty);
        let n = self.alloc(1);
        let (elem, source) = match self.under(ty) {
            TyKind::Slice(elem) => {
                // The slice is evaluated once: a variable that is never assigned needs no copy.
                let kept = matches!(r.over.kind, ExprKind::Local(l)
                    if !self.home(l).boxed && !self.scan.assigned[l.0 as usize]);
                let s = if kept {
                    self.eval(&r.over, None)
                } else {
                    let s = self.alloc(3);
                    self.eval_to(&r.over, s);
                    s
                };
                self.mov(n, s + 1, 1);
                (elem, Some((s, false, 0)))
            }
            TyKind::Array(elem, len) => {
                let source = match r.value {
                    Some(_) => {
                        let p = self.alloc(1);
                        self.new_box(p, ty);
                        self.copy_array(p, ty, &r.over);
                        Some((p, true, len))
                    }
                    None => {
                        if scan::effects(&r.over) {
                            self.eval(&r.over, None);
                        }
                        None
                    }
                };
                self.constant(len, Some(n));
                (elem, source)
            }
            TyKind::Pointer(array) => {
                let p = self.alloc(1);
                self.eval_to(&r.over, p);
                let TyKind::Array(elem, len) = self.under(array) else {
                    return;
                };
                self.constant(len, Some(n));
                (elem, Some((p, true, len)))
            }
            _ => return,
        };
        let _: Ty = elem;
        self.count(r, n, &mut |this, i| {
            let (Some(v), Some((base, in_array, len))) = (r.value, source) else {
                return;
            };
            let heap = Heap::VOLATILE;
            let at = match in_array {
                true => Loc::ArrayElem {
                    addr: base,
                    index: i,
                    len,
                    heap,
                },
                false => Loc::Elem {
                    slice: base,
                    index: i,
                    heap,
                },
            };
            this.give(v, at);
        });
    }

    /// Copies an array value into a fresh object.
    pub fn copy_array(&mut self, p: u32, ty: Ty, e: &Expr) {
        let mark = self.top;
        let at = super::stmt::is_place(e).then(|| self.loc(e));
        match at {
            Some(
                at @ (Loc::Mem { .. } | Loc::Elem { .. } | Loc::ArrayElem { .. } | Loc::Global(_)),
            ) => {
                let (addr, off, _) = self.address(at, ty);
                let addr = self.plus(addr, off);
                let size = self.g.info(ty).size;
                self.asm.op(Op::MemCp, p, addr, 0);
                self.asm.word(size);
            }
            Some(at) => {
                let s = self.load(at, ty, None);
                self.store_plain(p, 0, ty, s);
            }
            None => self.init(p, 0, ty, e, None),
        }
        self.top = mark;
    }

    fn range_string(&mut self, r: &Range) {
        let s = self.alloc(2);
        self.eval_to(&r.over, s);
        // The rune, the index it starts at, and the next index.
        let at = self.alloc(3);
        self.asm.op_bc(Op::LdI, at + 2, 0);
        let outermost = self.begin_pool();
        let (next, end) = (self.asm.label(), self.asm.label());
        self.exit_break(r.label, end);
        self.exit_continue(r.label, next);
        self.asm.bind(next);
        self.asm.op(Op::StrNext, at, s, at + 2);
        self.asm.ext_jump(end);
        let mark = self.top;
        if let Some(k) = r.key {
            self.give(k, Loc::Reg(at + 1));
        }
        if let Some(v) = r.value {
            self.give(v, Loc::Reg(at));
        }
        self.stmts(&r.body);
        self.top = mark;
        self.asm.jmp(next);
        self.asm.bind(end);
        self.end_pool(outermost);
    }

    fn range_map(&mut self, r: &Range) {
        let ty = self.sub(r.over.ty);
        let TyKind::Map(key, value) = self.under(ty) else {
            return;
        };
        let state = self.alloc(MAP_ITER_SLOTS);
        let m = self.eval(&r.over, None);
        self.asm.op(Op::MapIter, state, m, 0);
        let t = self.g.type_index(ty);
        let k = r.key.map(|_| self.temp(key));
        let v = r.value.map(|_| self.temp(value));
        let outermost = self.begin_pool();
        let (next, end) = (self.asm.label(), self.asm.label());
        self.exit_break(r.label, end);
        self.exit_continue(r.label, next);
        self.asm.bind(next);
        self.asm
            .op(Op::MapNext, state, k.unwrap_or(0xffff), v.unwrap_or(0xffff));
        self.asm.word(u64::from(t));
        self.asm.ext_jump(end);
        let mark = self.top;
        for (l, s) in [(r.key, k), (r.value, v)] {
            if let (Some(l), Some(s)) = (l, s) {
                self.give(l, Loc::Reg(s));
            }
        }
        self.stmts(&r.body);
        self.top = mark;
        self.asm.jmp(next);
        self.asm.bind(end);
        self.end_pool(outermost);
    }
}
