//! Statements.
use super::frame::{FRAME_BYTES_MAX, SLOT_BYTES_MAX};
use super::func::Fun;
use super::heaps::Heap;
use super::place::Loc;
use super::scan;
use crate::bytecode::asm::Label;
use crate::bytecode::op::Op;
use crate::tir::*;
use crate::types::ty::{Ty, TyKind};

/// Can evaluating this into a variable's slots write there before all is read?
fn writes_early(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::StructLit(_)
        | ExprKind::ArrayLit(_)
        | ExprKind::MapLit(_)
        | ExprKind::AndAnd(..)
        | ExprKind::OrOr(..)
        | ExprKind::Seq(..)
        | ExprKind::Min(_)
        | ExprKind::Max(_)
        | ExprKind::Complex(..) => true,
        ExprKind::Convert(_, x) => writes_early(x),
        _ => false,
    }
}

/// Can the expression have a place in memory?
pub fn is_place(e: &Expr) -> bool {
    matches!(
        e.kind,
        ExprKind::Local(_)
            | ExprKind::Global(_)
            | ExprKind::Deref(_)
            | ExprKind::Field(..)
            | ExprKind::Index(..)
    )
}

impl Fun<'_, '_> {
    /// A block: its variables' slots are free afterwards.
    pub fn stmts(&mut self, list: &[Stmt]) {
        let mark = self.top;
        for s in list {
            self.stmt(s);
        }
        self.top = mark;
    }

    pub fn stmt(&mut self, s: &Stmt) {
        self.asm.at(s.span);
        let mark = self.top;
        match &s.kind {
            StmtKind::Let(locals, init) => self.let_stmt(s, locals, init.as_ref()),
            _ => {
                let context = self.statement_context(s);
                self.other_stmt(s);
                self.close(context);
                self.top = mark;
            }
        }
    }

    fn other_stmt(&mut self, s: &Stmt) {
        match &s.kind {
            StmtKind::Let(..) => {}
            StmtKind::Expr(e) => {
                let ty = self.sub(e.ty);
                if is_place(e) && self.g.info(ty).size > SLOT_BYTES_MAX {
                    let at = self.loc(e);
                    let (addr, _, _) = self.address(at, ty);
                    self.asm.op(Op::CkNil, addr, 0, 0);
                } else {
                    self.eval(e, None);
                }
            }
            StmtKind::Assign(place, value) => self.assign(place, value),
            StmtKind::AssignMany(list) => self.assign_many(list),
            StmtKind::AssignTuple(places, e) => self.assign_tuple(places, e),
            StmtKind::OpAssign(op, place, value) => self.op_assign(*op, place, value),
            StmtKind::Block(b) => self.stmts(b),
            StmtKind::If(c, a, b) => self.if_stmt(c, a, b),
            StmtKind::For(f) => self.for_stmt(f),
            StmtKind::Range(r) => self.range_stmt(r),
            StmtKind::Switch(sw) => self.switch_stmt(sw),
            StmtKind::Return(es) => self.return_stmt(es),
            StmtKind::Break(l) => {
                let exit = self.breaks[l.0 as usize];
                self.jump_out(exit.target, exit.txns);
            }
            StmtKind::Continue(l) => {
                let exit = self.continues[l.0 as usize];
                self.jump_out(exit.target, exit.txns);
            }
            StmtKind::Goto(l) => {
                let target = self.goto_label(*l);
                let txns = self.scan.target_txns[l.0 as usize];
                self.jump_out(Some(target), txns);
            }
            StmtKind::Target(l) => {
                let target = self.goto_label(*l);
                self.asm.bind(target);
            }
            StmtKind::Fallthrough => {
                if let Some(l) = self.next_clause {
                    self.asm.jmp(l);
                }
            }
            StmtKind::Defer(e) => {
                let f = self.eval(e, None);
                self.asm.op(Op::Defer, f, 0, 0);
            }
            StmtKind::Txn(options, b) => {
                let flags = u32::from(options.sync) | u32::from(options.is_async) << 1;
                self.asm.op(Op::TxnBegin, flags, 0, 0);
                self.txns += 1;
                self.stmts(b);
                self.txns -= 1;
                self.asm.op(Op::TxnCommit, 0, 0, 0);
            }
            StmtKind::PvarInit(g, init) => self.pvar_init(*g, init.as_ref()),
            StmtKind::Go(e) => self.go_stmt(e),
            StmtKind::Send(c, v) => self.send_stmt(c, v),
            StmtKind::Select(cases, label) => self.select_stmt(cases, *label),
        }
    }

    fn goto_label(&mut self, l: LabelId) -> Label {
        match self.gotos[l.0 as usize] {
            Some(t) => t,
            None => {
                let t = self.asm.label();
                self.gotos[l.0 as usize] = Some(t);
                t
            }
        }
    }

    pub fn exit_break(&mut self, l: LabelId, target: Label) {
        self.breaks[l.0 as usize] = super::func::Exit {
            target: Some(target),
            txns: self.txns,
        };
    }

    pub fn exit_continue(&mut self, l: LabelId, target: Label) {
        self.continues[l.0 as usize] = super::func::Exit {
            target: Some(target),
            txns: self.txns,
        };
    }

    /// Leaves to a label, committing the transactions on the way.
    fn jump_out(&mut self, target: Option<Label>, txns: u32) {
        for _ in txns..self.txns {
            self.asm.op(Op::TxnCommit, 0, 0, 0);
        }
        if let Some(t) = target {
            self.asm.jmp(t);
        }
    }

    fn let_stmt(&mut self, s: &Stmt, locals: &[LocalId], init: Option<&Expr>) {
        let base = self.top;
        let mut contiguous = true;
        for l in locals {
            self.declare(*l);
            contiguous &= !self.home(*l).boxed;
        }
        let mark = self.top;
        let context = self.statement_context(s);
        match init {
            None => {
                for l in locals {
                    let home = self.home(*l);
                    if !home.boxed {
                        let ty = self.local_ty(*l);
                        let n = self.g.info(ty).slots;
                        self.zero(home.slot, n);
                    }
                }
            }
            Some(e) => match (&e.kind, locals) {
                (ExprKind::Tuple(es), _) => {
                    for (l, e) in locals.iter().zip(es) {
                        self.initialise(*l, e);
                    }
                }
                (_, [l]) => self.initialise(*l, e),
                _ if contiguous => self.eval_to(e, base),
                _ => {
                    let mut s = self.eval(e, None);
                    for l in locals {
                        let home = self.home(*l);
                        let ty = self.local_ty(*l);
                        let n = self.g.info(ty).slots;
                        match home.boxed {
                            true => self.store_plain(home.slot, 0, ty, s),
                            false => self.mov(home.slot, s, n),
                        }
                        s += n;
                    }
                }
            },
        }
        self.close(context);
        self.top = mark;
    }

    fn initialise(&mut self, l: LocalId, e: &Expr) {
        let mark = self.top;
        let home = self.home(l);
        let ty = self.local_ty(l);
        match home.boxed {
            true => self.init(home.slot, 0, ty, e, None),
            false => self.eval_to(e, home.slot),
        }
        self.top = mark;
    }

    /// May the value be evaluated straight into this variable?
    fn direct(&self, l: LocalId, value: &Expr) -> bool {
        let seen_by_defer = self.body.has_defer && self.body.results.contains(&l);
        !writes_early(value) || !seen_by_defer && !scan::mentions(value, l)
    }

    fn assign(&mut self, place: &Expr, value: &Expr) {
        let ty = self.sub(place.ty);
        let at = self.loc(place);
        if let (Loc::Reg(slot), Some(l)) = (at, scan::root(place))
            && self.direct(l, value)
        {
            return self.eval_to(value, slot);
        }
        let appends = matches!(value.kind, ExprKind::Append(..) | ExprKind::AppendSlice(..));
        let at = match at {
            Loc::Mem { heap, .. } | Loc::Elem { heap, .. } | Loc::ArrayElem { heap, .. }
                if appends && (heap == Heap::PERSISTENT || heap == Heap::EITHER) =>
            {
                let (addr, off, heap) = self.address(at, ty);
                let addr = self.plus(addr, off);
                self.append_to = Some(addr);
                Loc::Mem { addr, off: 0, heap }
            }
            Loc::Map { map, .. } => {
                if appends {
                    self.append_to = Some(map);
                }
                at
            }
            at => at,
        };
        if !self.assign_large(at, ty, value) {
            let src = self.eval(value, None);
            self.store(at, ty, src, place, Some(value));
        }
    }

    /// Large values are copied from memory to memory.
    fn assign_large(&mut self, at: Loc, ty: Ty, value: &Expr) -> bool {
        let volatile = match at {
            Loc::Mem { heap, .. } | Loc::Elem { heap, .. } | Loc::ArrayElem { heap, .. } => {
                heap == Heap::VOLATILE || heap == Heap::NIL
            }
            Loc::Global(_) => true,
            _ => false,
        };
        let size = self.g.info(ty).size;
        let zero = match &value.kind {
            ExprKind::Zero => true,
            ExprKind::StructLit(fields) => fields.is_empty(),
            ExprKind::ArrayLit(elems) => elems.is_empty(),
            _ => false,
        };
        let literal = matches!(value.kind, ExprKind::StructLit(_) | ExprKind::ArrayLit(_));
        // A large literal is made in memory, and only then copied: it may read what it is assigned to.
        let apart = literal && !zero && size > FRAME_BYTES_MAX;
        if !volatile || size <= SLOT_BYTES_MAX || !zero && !apart && !is_place(value) {
            return false;
        }
        let fresh = apart.then(|| {
            let fresh = self.alloc(1);
            self.new_box(fresh, ty);
            self.init(fresh, 0, ty, value, None);
            fresh
        });
        let (addr, off, _) = self.address(at, ty);
        let p = self.plus(addr, off);
        if let Some(fresh) = fresh {
            self.asm.op(Op::MemCp, p, fresh, 0);
            self.asm.word(size);
        } else if zero {
            self.asm.op(Op::MemZ, p, 0, 0);
            self.asm.word(size);
        } else {
            self.copy_array(p, ty, value);
        }
        true
    }

    fn assign_many(&mut self, list: &[(Option<Expr>, Expr)]) {
        // One register each: no operands on the left that could change.
        let mut targets = Vec::new();
        let mut locs = Vec::new();
        for (place, _) in list {
            let at = match place {
                Some(p) => {
                    let ty = self.sub(p.ty);
                    let at = self.loc(p);
                    if let Loc::Reg(s) | Loc::Part { slot: s, .. } = at {
                        targets.push((s, self.g.info(ty).slots.max(1)));
                    }
                    Some(at)
                }
                None => None,
            };
            locs.push(at);
        }
        let pinned = self.pin_operands(locs, &targets);
        // Values; one that is in a variable that an earlier store changes is copied.
        let mut values = Vec::new();
        for (i, (place, value)) in list.iter().enumerate() {
            let ty = self.sub(value.ty);
            let n = self.g.info(ty).slots;
            let target = match (&pinned[i], place.as_ref().and_then(scan::root)) {
                (Some(Loc::Reg(slot)), Some(l)) => Some((*slot, l)),
                _ => None,
            };
            if let Some((slot, l)) = target {
                let later = list[i + 1..].iter().any(|(_, v)| scan::mentions(v, l));
                let borrowed = values
                    .iter()
                    .any(|&(s, m)| s < slot + n && slot < s + m && m > 0);
                // Of several assignments to it the last one counts.
                let overlapping = targets
                    .iter()
                    .filter(|(t, m)| *t < slot + n && slot < t + m);
                let assigned_again = overlapping.count() > 1;
                // What deferred functions see is set when all values are there.
                let seen_by_defer = self.body.has_defer && self.body.results.contains(&l);
                if !later
                    && !borrowed
                    && !assigned_again
                    && !seen_by_defer
                    && self.direct(l, value)
                    && !self.operand_of(&pinned, slot, n)
                {
                    self.eval_to(value, slot);
                    values.push((slot, 0));
                    continue;
                }
            }
            let mut s = self.eval(value, None);
            let earlier = pinned[..i].iter().any(|at| match at {
                Some(Loc::Reg(t) | Loc::Part { slot: t, .. }) => targets
                    .iter()
                    .any(|(x, m)| x == t && s < t + m && *t < s + n),
                _ => false,
            });
            if earlier {
                s = self.copy_of(s, n);
            }
            values.push((s, n));
        }
        for (i, (place, value)) in list.iter().enumerate() {
            if let (Some(at), Some(place)) = (pinned[i], place) {
                if matches!(at, Loc::Reg(slot) if slot == values[i].0) {
                    continue;
                }
                let ty = self.sub(place.ty);
                self.store(at, ty, values[i].0, place, Some(value));
            }
        }
    }

    /// Copies the operands of places that an assignment to registers (slot and number of slots) changes.
    fn pin_operands(&mut self, locs: Vec<Option<Loc>>, targets: &[(u32, u32)]) -> Vec<Option<Loc>> {
        let hit = |s: u32, n: u32| targets.iter().any(|(t, m)| s < t + m && *t < s + n);
        let mut pinned = Vec::new();
        for at in locs {
            pinned.push(match at {
                Some(Loc::Mem { addr, off, heap }) if hit(addr, 1) => Some(Loc::Mem {
                    addr: self.copy_of(addr, 1),
                    off,
                    heap,
                }),
                Some(Loc::Elem { slice, index, heap }) => Some(Loc::Elem {
                    slice: if hit(slice, 3) {
                        self.copy_of(slice, 3)
                    } else {
                        slice
                    },
                    index: if hit(index, 1) {
                        self.copy_of(index, 1)
                    } else {
                        index
                    },
                    heap,
                }),
                Some(Loc::ArrayElem {
                    addr,
                    index,
                    len,
                    heap,
                }) => Some(Loc::ArrayElem {
                    addr: if hit(addr, 1) {
                        self.copy_of(addr, 1)
                    } else {
                        addr
                    },
                    index: if hit(index, 1) {
                        self.copy_of(index, 1)
                    } else {
                        index
                    },
                    len,
                    heap,
                }),
                Some(Loc::Map { map, key, ty, heap }) => {
                    let key_ty = match self.under(ty) {
                        TyKind::Map(k, _) => k,
                        _ => ty,
                    };
                    let n = self.g.info(key_ty).slots;
                    Some(Loc::Map {
                        map: if hit(map, 1) {
                            self.copy_of(map, 1)
                        } else {
                            map
                        },
                        key: if hit(key, n) {
                            self.copy_of(key, n)
                        } else {
                            key
                        },
                        ty,
                        heap,
                    })
                }
                at => at,
            });
        }
        pinned
    }

    /// Is a slot an operand of one of the places?
    fn operand_of(&self, locs: &[Option<Loc>], slot: u32, n: u32) -> bool {
        let hit = |s: u32, m: u32| s < slot + n && slot < s + m;
        locs.iter().flatten().any(|at| match *at {
            Loc::Mem { addr, .. } => hit(addr, 1),
            Loc::Elem { slice, index, .. } => hit(slice, 3) || hit(index, 1),
            Loc::ArrayElem { addr, index, .. } => hit(addr, 1) || hit(index, 1),
            Loc::Map { map, key, .. } => hit(map, 1) || hit(key, 4),
            _ => false,
        })
    }

    fn copy_of(&mut self, s: u32, n: u32) -> u32 {
        let t = self.alloc(n);
        self.mov(t, s, n);
        t
    }

    fn assign_tuple(&mut self, places: &[Option<Expr>], e: &Expr) {
        let mut locs = Vec::new();
        let mut targets = Vec::new();
        for p in places {
            let at = p.as_ref().map(|p| self.loc(p));
            if let (Some(Loc::Reg(slot) | Loc::Part { slot, .. }), Some(p)) = (at, p) {
                let ty = self.sub(p.ty);
                targets.push((slot, self.g.info(ty).slots.max(1)));
            }
            locs.push(at);
        }
        let locs = self.pin_operands(locs, &targets);
        let ty = self.sub(e.ty);
        let types: Vec<Ty> = match self.g.cx.types_ref().kind(ty) {
            TyKind::Tuple(ts) => ts.to_vec(),
            _ => vec![ty],
        };
        let mut s = self.eval(e, None);
        for ((place, at), ty) in places.iter().zip(locs).zip(types) {
            if let (Some(place), Some(at)) = (place, at) {
                self.store(at, ty, s, place, Some(e));
            }
            s += self.g.info(ty).slots;
        }
    }

    /// The target of a statement that only jumps.
    fn plain_jump(&self, s: &Stmt) -> Option<Label> {
        let exit = match &s.kind {
            StmtKind::Break(l) => self.breaks[l.0 as usize],
            StmtKind::Continue(l) => self.continues[l.0 as usize],
            _ => return None,
        };
        exit.target.filter(|_| exit.txns == self.txns)
    }

    fn if_stmt(&mut self, c: &Expr, a: &[Stmt], b: &[Stmt]) {
        if let ExprKind::Const(Const::Bool(v)) = c.kind {
            let labels = |list: &[Stmt]| list.iter().any(|s| matches!(s.kind, StmtKind::Target(_)));
            let dead = if v { b } else { a };
            if !labels(dead) {
                return self.stmts(if v { a } else { b });
            }
        }
        if let ([only], []) = (a, b)
            && let Some(target) = self.plain_jump(only)
        {
            return self.branch(c, target, true);
        }
        let otherwise = self.asm.label();
        self.branch(c, otherwise, false);
        self.stmts(a);
        if b.is_empty() {
            return self.asm.bind(otherwise);
        }
        let end = self.asm.label();
        let ends = matches!(
            a.last().map(|s| &s.kind),
            Some(
                StmtKind::Return(_)
                    | StmtKind::Break(_)
                    | StmtKind::Continue(_)
                    | StmtKind::Goto(_)
                    | StmtKind::Fallthrough
            )
        );
        if !ends {
            self.asm.jmp(end);
        }
        self.asm.bind(otherwise);
        self.stmts(b);
        self.asm.bind(end);
    }

    fn return_stmt(&mut self, es: &[Expr]) {
        let results = self.body.results.clone();
        if es.len() == 1 && results.len() > 1 {
            let mut s = self.eval(&es[0], None);
            for r in &results {
                let ty = self.local_ty(*r);
                self.set_result(*r, ty, s);
                s += self.g.info(ty).slots;
            }
        } else if let ([r], [e]) = (&results[..], es) {
            let ty = self.local_ty(*r);
            let home = self.home(*r);
            if !home.boxed && self.direct(*r, e) {
                self.eval_to(e, home.slot);
            } else {
                let s = self.eval(e, None);
                self.set_result(*r, ty, s);
            }
        } else if !es.is_empty() && !results.is_empty() {
            let plain = !self.body.has_defer
                && results
                    .iter()
                    .all(|r| !self.scan.mentioned[r.0 as usize] && !self.home(*r).boxed);
            if plain {
                for (e, r) in es.iter().zip(&results) {
                    let mark = self.top;
                    let home = self.home(*r);
                    self.eval_to(e, home.slot);
                    self.top = mark;
                }
            } else {
                let mut values = Vec::new();
                for r in &results {
                    let ty = self.local_ty(*r);
                    let n = self.g.info(ty).slots;
                    values.push((*r, ty, self.alloc(n)));
                }
                for (e, v) in es.iter().zip(&values) {
                    let mark = self.top;
                    self.eval_to(e, v.2);
                    self.top = mark;
                }
                for (r, ty, s) in values {
                    self.set_result(r, ty, s);
                }
            }
        } else {
            for e in es {
                self.eval(e, None);
            }
        }
        self.leave();
    }

    fn set_result(&mut self, r: LocalId, ty: Ty, s: u32) {
        let home = self.home(r);
        let n = self.g.info(ty).slots;
        match home.boxed {
            true => self.store_plain(home.slot, 0, ty, s),
            false => self.mov(home.slot, s, n),
        }
    }

    fn pvar_init(&mut self, g: GlobalId, init: Option<&Expr>) {
        self.g.source();
        let index = self.g.global_place(g);
        let ty = self.g.cx.globals()[g.0 as usize].ty;
        let end = self.asm.label();
        let has = self.alloc(1);
        self.asm.op_bc(Op::PVarHas, has, index);
        self.asm.jump_bc(Op::JT, has, end);
        let src = init.map(|e| self.eval(e, None));
        let addr = self.alloc(1);
        self.asm.op_bc(Op::PVarMake, addr, index);
        if let (Some(e), Some(src)) = (init, src) {
            let place = Expr {
                ty,
                span: e.span,
                kind: ExprKind::Global(g),
            };
            let at = Loc::Mem {
                addr,
                off: 0,
                heap: Heap::PERSISTENT,
            };
            self.store(at, ty, src, &place, Some(e));
        }
        self.asm.bind(end);
    }
}
