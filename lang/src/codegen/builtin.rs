//! Builtin functions, ours included.
use super::func::Fun;
use super::heaps::Heap;
use super::place::Loc;
use super::scan;
use super::types::Shape;
use crate::bytecode::op::{Mode, Op, PrintKind};
use crate::tir::*;
use crate::types::ty::{Basic, Ty, TyKind};

const NO_SLOT: u64 = 0xffff;

impl Fun<'_, '_> {
    pub fn builtin(&mut self, e: &Expr, want: Option<u32>) -> u32 {
        match &e.kind {
            ExprKind::Len(x) => self.length(x, 1, want),
            ExprKind::Cap(x) => self.length(x, 2, want),
            ExprKind::Append(s, elems) => self.append(e, s, elems, want),
            ExprKind::AppendSlice(s, t) => self.append_slice(e, s, t, want),
            ExprKind::Copy(a, b) => {
                let ty = self.sub(a.ty);
                let elem = self.elem(ty);
                let heap = self.heap(a);
                let (x, y) = self.operands(a, b);
                let d = want.unwrap_or_else(|| self.alloc(1));
                self.builtin_note(heap, a);
                let (t, mode) = (self.g.type_index(elem), self.mode(heap));
                self.asm.op(Op::Copy, d, x, y);
                self.asm.word(u64::from(t));
                self.asm.word(mode as u64);
                d
            }
            ExprKind::Delete(m, k) => {
                let ty = self.sub(m.ty);
                let heap = self.heap(m);
                let (x, y) = self.operands(m, k);
                self.builtin_note(heap, m);
                let (t, mode) = (self.g.type_index(ty), self.mode(heap));
                self.asm.op(Op::MapDel, x, y, 0);
                self.asm.word(u64::from(t));
                self.asm.word(mode as u64);
                x
            }
            ExprKind::Clear(x) => {
                let ty = self.sub(x.ty);
                let heap = self.heap(x);
                let s = self.eval(x, None);
                self.builtin_note(heap, x);
                let mode = self.mode(heap);
                let (op, ty) = match self.under(ty) {
                    TyKind::Map(..) => (Op::MapClear, ty),
                    _ => (Op::ClearS, self.elem(ty)),
                };
                let t = self.g.type_index(ty);
                self.asm.op(op, s, 0, 0);
                self.asm.word(u64::from(t));
                self.asm.word(mode as u64);
                s
            }
            ExprKind::Min(xs) => self.extreme(e, xs, false, want),
            ExprKind::Max(xs) => self.extreme(e, xs, true, want),
            ExprKind::New(place, init) => self.new_object(e, *place, init.as_deref(), want),
            ExprKind::MakeSlice(place, len, cap) => {
                let ty = self.sub(e.ty);
                let elem = self.elem(ty);
                let (l, c) = match cap {
                    Some(cap) => self.operands(len, cap),
                    None => {
                        let l = self.eval(len, None);
                        (l, l)
                    }
                };
                let d = want.unwrap_or_else(|| self.alloc(3));
                let t = self.g.type_index(elem);
                let persistent = self.placed(*place);
                self.asm.op(Op::MkSlice, d, l, c);
                self.asm.word(u64::from(t));
                self.asm.word(u64::from(persistent));
                d
            }
            ExprKind::MakeMap(place, hint) => {
                let ty = self.sub(e.ty);
                let h = match hint {
                    Some(h) => self.eval(h, None),
                    None => self.constant(0, None),
                };
                let d = want.unwrap_or_else(|| self.alloc(1));
                let t = self.g.type_index(ty);
                let persistent = self.placed(*place);
                self.asm.op(Op::MkMap, d, h, 0);
                self.asm.word(u64::from(t));
                self.asm.word(u64::from(persistent));
                d
            }
            ExprKind::Persist(x) => {
                self.g.source();
                let ty = self.sub(e.ty);
                let s = self.eval(x, None);
                let d = self.dest(ty, want);
                let t = self.g.type_index(ty);
                self.asm.op(Op::Persist, d, s, 0);
                self.asm.word(u64::from(t));
                d
            }
            ExprKind::Complex(re, im) => {
                let ty = self.sub(e.ty);
                if self.g.info(ty).size == 8 {
                    let (x, y) = self.operands(re, im);
                    let t = self.alloc(2);
                    self.asm.op(Op::F32ToF, t, x, 0);
                    self.asm.op(Op::F32ToF, t + 1, y, 0);
                    let d = want.unwrap_or_else(|| self.alloc(1));
                    self.asm.op(Op::CToC64, d, t, 0);
                    return d;
                }
                let d = want.unwrap_or_else(|| self.alloc(2));
                self.eval_to(re, d);
                self.eval_to(im, d + 1);
                d
            }
            ExprKind::Real(x) => self.complex_part(x, 0, want),
            ExprKind::Imag(x) => self.complex_part(x, 1, want),
            ExprKind::Panic(x) => {
                let s = self.eval(x, None);
                self.asm.op(Op::Panic, s, 0, 0);
                s
            }
            ExprKind::Recover => {
                self.g.live_runtime_errors();
                let d = want.unwrap_or_else(|| self.alloc(2));
                self.asm.op(Op::Recover, d, 0, 0);
                d
            }
            ExprKind::Print(xs, line) => {
                self.print(xs, *line);
                self.top
            }
            ExprKind::Raw(p, n) => {
                let (p, n) = self.operands(p, n);
                let ty = self.sub(e.ty);
                let d = self.dest(ty, want);
                match self.under(ty) {
                    TyKind::Slice(elem) => {
                        let size = self.g.info(elem).size;
                        self.asm.op(Op::USlice, d, n, p);
                        self.asm.word(size);
                    }
                    _ => self.asm.op(Op::UStr, d, n, p),
                }
                d
            }
            ExprKind::Data(x) => {
                let s = self.eval(x, None);
                match want {
                    Some(d) => {
                        self.mov(d, s, 1);
                        d
                    }
                    None => s,
                }
            }
            ExprKind::PmemRoot(x) | ExprKind::PmemLookup(x) => {
                self.g.source();
                let root = matches!(e.kind, ExprKind::PmemRoot(_));
                let ty = self.sub(e.ty);
                let pointer = match self.g.cx.types_ref().kind(ty) {
                    TyKind::Tuple(ts) => ts[0],
                    _ => ty,
                };
                let pointee = self.g.cx.types_ref().pointee(pointer);
                let t = self.g.type_index(pointee.unwrap_or(pointer));
                let s = self.eval(x, None);
                let d = self.dest(ty, want);
                let op = if root { Op::PRoot } else { Op::PLookup };
                self.asm.op(op, d, s, 0);
                self.asm.word(u64::from(t));
                d
            }
            ExprKind::MakeChan(size) => self.make_chan(e, size.as_deref(), want),
            ExprKind::Close(x) => self.close_chan(x),
            ExprKind::Recv(x, ok) => self.receive(e, x, *ok, want),
            _ => unreachable!("an expression that is no builtin"),
        }
    }

    fn placed(&mut self, place: Place) -> bool {
        if place == Place::Persistent {
            self.g.source();
        }
        place == Place::Persistent
    }

    pub fn elem(&self, ty: Ty) -> Ty {
        match self.under(ty) {
            TyKind::Slice(e) | TyKind::Array(e, _) | TyKind::Pointer(e) | TyKind::Chan(_, e) => e,
            TyKind::Map(_, v) => v,
            // append([]byte, string...)
            _ => Basic::Uint8.ty(),
        }
    }

    /// `len` is word 1 and `cap` word 2 of a slice.
    fn length(&mut self, x: &Expr, word: u32, want: Option<u32>) -> u32 {
        let ty = self.sub(x.ty);
        match self.under(ty) {
            TyKind::Map(..) => {
                let s = self.eval(x, None);
                let d = want.unwrap_or_else(|| self.alloc(1));
                self.asm.op(Op::MapLen, d, s, 0);
                d
            }
            TyKind::Array(_, n) => {
                if scan::effects(x) {
                    self.eval(x, None);
                }
                self.constant(n, want)
            }
            TyKind::Pointer(a) => {
                self.eval(x, None);
                match self.under(a) {
                    TyKind::Array(_, n) => self.constant(n, want),
                    _ => self.constant(0, want),
                }
            }
            TyKind::Chan(..) => {
                let s = self.eval(x, None);
                let d = want.unwrap_or_else(|| self.alloc(1));
                let op = if word == 1 { Op::ChanLen } else { Op::ChanCap };
                self.asm.op(op, d, s, 0);
                d
            }
            _ => {
                let place = matches!(
                    x.kind,
                    ExprKind::Local(_)
                        | ExprKind::Global(_)
                        | ExprKind::Deref(_)
                        | ExprKind::Field(..)
                );
                if place && let Loc::Mem { addr, off, .. } = self.loc_once(x) {
                    let (addr, off) = self.near(addr, off + u64::from(word) * 8);
                    let d = want.unwrap_or_else(|| self.alloc(1));
                    self.asm.op(Op::Ld64, d, addr, off);
                    return d;
                }
                let s = match self.last_loc.take() {
                    Some(at) => self.load(at, ty, None),
                    None => self.eval(x, None),
                };
                match want {
                    None => s + word,
                    Some(d) => {
                        self.mov(d, s + word, 1);
                        d
                    }
                }
            }
        }
    }

    /// The place of an expression, kept for a load if it is not what the caller hoped for.
    fn loc_once(&mut self, x: &Expr) -> Loc {
        let at = self.loc(x);
        self.last_loc = match at {
            Loc::Mem { .. } => None,
            at => Some(at),
        };
        at
    }

    fn complex_part(&mut self, x: &Expr, part: u32, want: Option<u32>) -> u32 {
        let ty = self.sub(x.ty);
        let s = self.eval(x, None);
        if self.g.info(ty).size == 8 {
            let d = want.unwrap_or_else(|| self.alloc(1));
            match part {
                0 => self.asm.op(Op::Zx32, d, s, 0),
                _ => self.asm.op(Op::ShrUI, d, s, 32),
            }
            return d;
        }
        match want {
            None => s + part,
            Some(d) => {
                self.mov(d, s + part, 1);
                d
            }
        }
    }

    /// Reports a builtin's store and says what a message about it names.
    fn builtin_note(&mut self, heap: Heap, target: &Expr) {
        if self.g.st.persistence {
            let ty = self.sub(target.ty);
            let what = match self.under(ty) {
                TyKind::Map(..) => "map value".to_string(),
                _ => format!("element of {}", self.g.type_name(ty)),
            };
            self.note_store(heap, &what, None);
            if heap == Heap::PERSISTENT || heap == Heap::EITHER {
                self.asm.note(what);
            }
        }
    }

    /// The operand of an append that names the destination of a slice that may be nil.
    fn append_id(&mut self, to: Option<u32>) -> u64 {
        to.map_or(NO_SLOT, u64::from)
    }

    fn append(&mut self, e: &Expr, s: &Expr, elems: &[Expr], want: Option<u32>) -> u32 {
        let to = self.append_to.take();
        let ty = self.sub(e.ty);
        let elem = self.elem(ty);
        let heap = self.heap(s);
        let info = self.g.info(elem);
        let b = self.eval(s, None);
        let n = elems.len() as u32;
        let c = if n == 1 {
            self.eval(&elems[0], None)
        } else {
            let c = self.alloc(info.slots * n);
            for (i, x) in elems.iter().enumerate() {
                let mark = self.top;
                self.eval_to(x, c + info.slots * i as u32);
                self.top = mark;
            }
            c
        };
        let t = self.g.type_index(elem);
        let mode = self.append_mode(heap, to);
        let d = want.unwrap_or_else(|| self.alloc(3));
        if mode == Mode::Volatile && n == 1 && info.shape == Shape::Words(1) {
            self.asm.op(Op::App64, d, b, c);
            self.asm.word(u64::from(t));
            return d;
        }
        if heap == Heap::PERSISTENT {
            let what = format!("element of {}", self.g.type_name(ty));
            for x in elems {
                self.note_store(heap, &what, Some((x, elem)));
            }
            self.asm.note(what);
        } else {
            self.builtin_note(heap, s);
        }
        self.asm.op(Op::Append, d, b, c);
        self.asm.word(u64::from(t));
        self.asm.word(u64::from(n));
        self.asm.word(mode as u64);
        let id = self.append_id(to);
        self.asm.word(id);
        d
    }

    /// A nil slice takes the heap of its destination, which may be persistent.
    fn append_mode(&mut self, heap: Heap, to: Option<u32>) -> Mode {
        match to {
            Some(_) if heap == Heap::NIL || heap == Heap::VOLATILE => self.mode(Heap::EITHER),
            _ => self.mode(heap),
        }
    }

    fn append_slice(&mut self, e: &Expr, s: &Expr, t: &Expr, want: Option<u32>) -> u32 {
        let to = self.append_to.take();
        let ty = self.sub(e.ty);
        let elem = self.elem(ty);
        let heap = self.heap(s);
        let (x, y) = self.operands(s, t);
        let mode = self.append_mode(heap, to);
        let d = want.unwrap_or_else(|| self.alloc(3));
        let index = self.g.type_index(elem);
        self.builtin_note(heap, s);
        self.asm.op(Op::AppendS, d, x, y);
        self.asm.word(u64::from(index));
        self.asm.word(mode as u64);
        let id = self.append_id(to);
        self.asm.word(id);
        d
    }

    fn extreme(&mut self, e: &Expr, xs: &[Expr], max: bool, want: Option<u32>) -> u32 {
        use super::cond::Class;
        let ty = self.sub(e.ty);
        let class = self.class(ty);
        let d = self.dest(ty, want);
        self.eval_to(&xs[0], d);
        for x in &xs[1..] {
            let mark = self.top;
            let s = self.eval(x, None);
            let end = self.asm.label();
            // Keep d if it is on the right side of s.
            let (a, b) = if max { (s, d) } else { (d, s) };
            match class {
                Class::F64 => {
                    let op = if max { Op::MaxF } else { Op::MinF };
                    self.asm.op(op, d, d, s);
                }
                Class::F32 => {
                    let t = self.alloc(2);
                    self.asm.op(Op::F32ToF, t, d, 0);
                    self.asm.op(Op::F32ToF, t + 1, s, 0);
                    let op = if max { Op::MaxF } else { Op::MinF };
                    self.asm.op(op, t, t, t + 1);
                    self.asm.op(Op::FToF32, d, t, 0);
                }
                Class::Str => {
                    let t = self.alloc(1);
                    self.asm.op(Op::LeS, t, a, b);
                    self.asm.jump_bc(Op::JT, t, end);
                    self.mov(d, s, 2);
                }
                Class::Unsigned => {
                    self.asm.jump_slots(Op::JLeU, a, b, end);
                    self.mov(d, s, 1);
                }
                _ => {
                    self.asm.jump_slots(Op::JLe, a, b, end);
                    self.mov(d, s, 1);
                }
            }
            self.asm.bind(end);
            self.top = mark;
        }
        d
    }

    fn new_object(
        &mut self,
        e: &Expr,
        place: Place,
        init: Option<&Expr>,
        want: Option<u32>,
    ) -> u32 {
        let ty = self.sub(e.ty);
        let pointee = self.g.cx.types_ref().pointee(ty).unwrap_or(ty);
        let t = self.g.type_index(pointee);
        let persistent = self.placed(place);
        // A fresh temporary: the initial value may mention the variable that is assigned.
        let p = match want {
            Some(d) if init.is_none() => d,
            _ => self.alloc(1),
        };
        self.asm
            .op_bc(if persistent { Op::PNew } else { Op::New }, p, t);
        if let Some(x) = init {
            let what = persistent.then(|| format!("value of type {}", self.g.type_name(pointee)));
            self.init(p, 0, pointee, x, what.as_deref());
        }
        match want {
            Some(d) => {
                self.mov(d, p, 1);
                d
            }
            None => p,
        }
    }

    fn print(&mut self, xs: &[Expr], line: bool) {
        for (i, x) in xs.iter().enumerate() {
            let mark = self.top;
            if line && i > 0 {
                self.asm.op(Op::Print, 0, PrintKind::Space as u32, 0);
            }
            let ty = self.sub(x.ty);
            let s = self.eval(x, None);
            let kind = match self.under(ty) {
                TyKind::Basic(b) => match b {
                    Basic::Bool => PrintKind::Bool,
                    _ if b.is_string() => PrintKind::String,
                    _ if b.is_complex() => PrintKind::Complex,
                    Basic::Float32 => PrintKind::Float32,
                    _ if b.is_float() => PrintKind::Float,
                    Basic::UnsafePointer => PrintKind::Pointer,
                    _ if b.is_unsigned() => PrintKind::Uint,
                    _ => PrintKind::Int,
                },
                TyKind::Slice(_) => PrintKind::Slice,
                TyKind::Interface(_) => PrintKind::Interface,
                _ => PrintKind::Pointer,
            };
            let s = match self.g.info(ty).size {
                8 if kind == PrintKind::Complex => {
                    let t = self.alloc(2);
                    self.asm.op(Op::C64ToC, t, s, 0);
                    t
                }
                _ => s,
            };
            self.asm.op(Op::Print, s, kind as u32, 0);
            self.top = mark;
        }
        if line {
            self.asm.op(Op::Print, 0, PrintKind::Newline as u32, 0);
        }
    }
}
