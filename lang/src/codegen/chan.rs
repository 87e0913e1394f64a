//! Goroutines and channels: `go`, send, receive, `close`, `make`, `select`, `range` over a channel.
use super::func::Fun;
use super::place::Loc;
use crate::bytecode::op::Op;
use crate::tir::*;
use crate::types::ty::Ty;

impl Fun<'_, '_> {
    pub fn go_stmt(&mut self, e: &Expr) {
        let f = self.eval(e, None);
        self.asm.op(Op::Go, f, 0, 0);
    }

    pub fn send_stmt(&mut self, chan: &Expr, value: &Expr) {
        let (c, v) = self.operands(chan, value);
        let ty = self.elem_of(chan);
        let slots = self.g.info(ty).slots;
        self.asm.reads(v, slots);
        self.asm.op(Op::Send, c, v, 0);
    }

    pub fn make_chan(&mut self, e: &Expr, size: Option<&Expr>, want: Option<u32>) -> u32 {
        let ty = self.sub(e.ty);
        let elem = self.elem(ty);
        let n = match size {
            Some(n) => self.eval(n, None),
            None => self.constant(0, None),
        };
        let d = want.unwrap_or_else(|| self.alloc(1));
        let t = self.g.type_index(elem);
        self.asm.op(Op::MkChan, d, n, 0);
        self.asm.word(u64::from(t));
        d
    }

    pub fn close_chan(&mut self, x: &Expr) -> u32 {
        let c = self.eval(x, None);
        self.asm.op(Op::Close, c, 0, 0);
        c
    }

    /// A receive; with `ok` the value is followed by the bool.
    pub fn receive(&mut self, e: &Expr, chan: &Expr, ok: bool, want: Option<u32>) -> u32 {
        let c = self.eval(chan, None);
        let ty = self.sub(e.ty);
        let d = self.dest(ty, want);
        self.asm.op(Op::Recv, d, c, u32::from(ok));
        d
    }

    fn elem_of(&mut self, chan: &Expr) -> Ty {
        let ty = self.sub(chan.ty);
        self.elem(ty)
    }

    pub fn range_chan(&mut self, r: &Range) {
        let c = self.alloc(1);
        self.eval_to(&r.over, c);
        let elem = self.elem_of(&r.over);
        let slots = self.g.info(elem).slots;
        let d = self.alloc(slots + 1);
        let outermost = self.begin_pool();
        let (next, end) = (self.asm.label(), self.asm.label());
        self.exit_break(r.label, end);
        self.exit_continue(r.label, next);
        self.asm.bind(next);
        self.asm.op(Op::Recv, d, c, 1);
        self.asm.jump_bc(Op::JF, d + slots, end);
        let mark = self.top;
        if let Some(k) = r.key {
            self.give(k, Loc::Reg(d));
        }
        self.stmts(&r.body);
        self.top = mark;
        self.asm.jmp(next);
        self.asm.bind(end);
        self.end_pool(outermost);
    }

    /// Channels and values to send are evaluated once, in source order; then the cases are tried.
    pub fn select_stmt(&mut self, cases: &[SelectCase], label: LabelId) {
        let n = cases
            .iter()
            .filter(|c| !matches!(c.comm, Comm::Default))
            .count() as u32;
        let records = self.alloc(2 * n);
        let chosen = self.alloc(2);
        // Of each case: where its value is, and whether it is sent.
        let (mut values, mut sent_slots) = (Vec::new(), vec![(0, 0)]);
        for c in cases {
            let (chan, sent) = match &c.comm {
                Comm::Default => continue,
                Comm::Send(chan, v) => (chan, Some(v)),
                Comm::Recv(chan, ..) => (chan, None),
            };
            let elem = self.elem_of(chan);
            let record = records + 2 * values.len() as u32;
            let value = self.temp(elem);
            let mark = self.top;
            self.eval_to(chan, record);
            if let Some(v) = sent {
                self.eval_to(v, value);
            }
            self.top = mark;
            values.push((value, sent.is_some()));
            sent_slots.push((
                value,
                if sent.is_some() {
                    self.g.info(elem).slots
                } else {
                    0
                },
            ));
        }
        for (record, (value, is_send)) in (records..).step_by(2).zip(&values) {
            let what = u64::from(*value) << 1 | u64::from(*is_send);
            self.constant(what, Some(record + 1));
        }
        let has_default = cases.len() as u32 > n;
        for (slot, count) in sent_slots {
            self.asm.reads(slot, count);
        }
        self.asm.op(Op::Select, chosen, records, n);
        self.asm.word(u64::from(has_default));
        let end = self.asm.label();
        self.exit_break(label, end);
        let bodies: Vec<_> = cases.iter().map(|_| self.asm.label()).collect();
        let mut index = 0;
        for (c, body) in cases.iter().zip(&bodies) {
            if !matches!(c.comm, Comm::Default) {
                self.asm.jump(Op::JEqI, chosen, index, *body);
                index += 1;
            }
        }
        let default = cases.iter().position(|c| matches!(c.comm, Comm::Default));
        if let Some(at) = default {
            self.asm.jmp(bodies[at]);
        }
        let mut given = values.iter();
        for (c, body) in cases.iter().zip(&bodies) {
            self.asm.bind(*body);
            let mark = self.top;
            if !matches!(c.comm, Comm::Default)
                && let Some((value, _)) = given.next()
                && let Comm::Recv(_, v, ok) = &c.comm
            {
                for (l, slot) in [(v, *value), (ok, chosen + 1)] {
                    if let Some(l) = l {
                        self.give(*l, Loc::Reg(slot));
                    }
                }
            }
            self.stmts(&c.body);
            self.top = mark;
            self.asm.jmp(end);
        }
        self.asm.bind(end);
    }
}
