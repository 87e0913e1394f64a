//! Expressions: each is evaluated into a wanted slot, or wherever it is cheapest.
use super::cond::Class;
use super::func::Fun;
use super::place::Loc;
use super::scan;
use crate::bytecode::op::Op;
use crate::bytecode::program::PtrKind;
use crate::tir::*;
use crate::types::ty::{Basic, Ty, TyKind};
use std::rc::Rc;

impl Fun<'_, '_> {
    pub fn eval_to(&mut self, e: &Expr, d: u32) {
        let s = self.eval(e, Some(d));
        debug_assert_eq!(s, d);
    }

    /// Two operands, the left one first.
    pub fn operands(&mut self, a: &Expr, b: &Expr) -> (u32, u32) {
        let a = self.eval(a, None);
        (a, self.eval(b, None))
    }

    /// The value of an expression: in `want` if that is given, else in the slots that are returned,
    /// which may be a variable's own.
    pub fn eval(&mut self, e: &Expr, want: Option<u32>) -> u32 {
        if let Some(s) = self.evaluated(e) {
            let ty = self.sub(e.ty);
            let n = self.g.info(ty).slots;
            if let Some(d) = want {
                self.mov(d, s, n);
            }
            return want.unwrap_or(s);
        }
        match &e.kind {
            ExprKind::Const(c) => self.constant_value(e, c, want),
            ExprKind::Zero => {
                let ty = self.sub(e.ty);
                let n = self.g.info(ty).slots;
                if n == 1 {
                    return self.constant(0, want);
                }
                let d = self.dest(ty, want);
                self.zero(d, n);
                d
            }
            ExprKind::Local(_) | ExprKind::Global(_) | ExprKind::Deref(_) => {
                self.eval_place(e, want)
            }
            ExprKind::Field(..) => self.eval_place(e, want),
            ExprKind::Index(s, i) => {
                let ty = self.sub(s.ty);
                if !matches!(self.under(ty), TyKind::Basic(_)) {
                    return self.eval_place(e, want);
                }
                let (s, i) = self.operands(s, i);
                let d = want.unwrap_or_else(|| self.alloc(1));
                self.asm.op(Op::LdX8U, d, s, i);
                d
            }
            ExprKind::MapIndex(m, k, false) => {
                let _ = (m, k);
                self.eval_place(e, want)
            }
            ExprKind::MapIndex(m, k, true) => {
                let map_ty = self.sub(m.ty);
                let (m, k) = self.operands(m, k);
                let ty = self.sub(e.ty);
                let d = self.dest(ty, want);
                let t = self.g.type_index(map_ty);
                self.asm.op(Op::MapGet2, d, m, k);
                self.asm.word(u64::from(t));
                d
            }
            ExprKind::Func(f) => {
                let at = self.at();
                let f = self.g.sub_func(at.inst, f);
                let id = self.g.request_func_value(&f);
                let t = self.g.capture_type(0, Vec::new());
                let d = want.unwrap_or_else(|| self.alloc(1));
                self.asm.op(Op::MkClo, d, 0, 0);
                self.asm.word(u64::from(id));
                self.asm.word(u64::from(t));
                d
            }
            ExprKind::Closure(b) => self.closure(b, want),
            ExprKind::Unary(op, x) => self.unary(*op, x, e, want),
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, e, want),
            ExprKind::Compare(op, a, b) => self.compare_value(*op, a, b, want),
            ExprKind::AndAnd(a, b) => self.short_circuit(a, b, Op::JF, want),
            ExprKind::OrOr(a, b) => self.short_circuit(a, b, Op::JT, want),
            ExprKind::Call(callee, args) => {
                let r = self.call(e, callee, args, want);
                match want {
                    Some(d) if d != r => {
                        let ty = self.sub(e.ty);
                        let n = self.g.info(ty).slots;
                        self.mov(d, r, n);
                        d
                    }
                    _ => r,
                }
            }
            ExprKind::AddrOf(place) => {
                let ty = self.sub(place.ty);
                let at = self.loc(place);
                let through_pointer = matches!(at, Loc::Mem { .. }) && through_pointer(place);
                let (addr, off, _) = self.address(at, ty);
                if off == 0 && through_pointer {
                    self.asm.op(Op::CkNil, addr, 0, 0);
                }
                match want {
                    None => self.plus(addr, off),
                    Some(d) if off == 0 => {
                        self.mov(d, addr, 1);
                        d
                    }
                    Some(d) => {
                        self.plus_to(d, addr, off);
                        d
                    }
                }
            }
            ExprKind::Slice(x, lo, hi, max) => {
                let bounds = [lo.as_deref(), hi.as_deref(), max.as_deref()];
                let context = self.context([&**x].into_iter().chain(bounds.into_iter().flatten()));
                let s = self.slice(e, x, bounds, want);
                self.close(context);
                s
            }
            ExprKind::TypeAssert(x, ty, ok) => {
                let context = self.context([&**x]);
                let s = self.type_assert(x, *ty, *ok, e, want);
                self.close(context);
                s
            }
            ExprKind::IsType(x, ty) => self.is_type(x, *ty, want),
            ExprKind::Convert(kind, x) => {
                let context = self.context([&**x]);
                let s = self.convert(*kind, x, e, want);
                self.close(context);
                s
            }
            ExprKind::StructLit(fields) => self.struct_lit(e, fields, want),
            ExprKind::ArrayLit(elems) => self.array_lit(e, elems, want),
            ExprKind::SliceLit(len, elems) => self.slice_lit(e, *len, elems, want),
            ExprKind::MapLit(entries) => self.map_lit(e, entries, want),
            ExprKind::Tuple(es) => self.tuple(e, es, want),
            ExprKind::Seq(stmts, x) => {
                for s in stmts {
                    self.stmt(s);
                }
                let context = self.context([&**x]);
                let s = self.eval(x, want);
                self.close(context);
                s
            }
            _ => {
                let context = self.context(scan::operands(e));
                let s = self.builtin(e, want);
                self.close(context);
                s
            }
        }
    }

    fn eval_place(&mut self, e: &Expr, want: Option<u32>) -> u32 {
        let at = self.loc(e);
        let ty = self.sub(e.ty);
        self.load(at, ty, want)
    }

    fn constant_value(&mut self, e: &Expr, c: &Const, want: Option<u32>) -> u32 {
        let ty = self.sub(e.ty);
        let basic = self.g.cx.types_ref().basic(ty);
        match c {
            Const::Bool(b) => self.constant(u64::from(*b), want),
            Const::OffsetOf(t, i) => {
                let t = self.sub(*t);
                let n = self.g.cx.types_ref().field_offsets(t)[*i as usize];
                self.constant(n, want)
            }
            Const::SizeOf(t) | Const::AlignOf(t) => {
                let t = self.sub(*t);
                let layout = self.g.cx.types_ref().layout(t);
                let n = match c {
                    Const::SizeOf(_) => layout.size,
                    _ => layout.align,
                };
                self.constant(n, want)
            }
            Const::Int(n) => match basic {
                Some(b) if b.is_float() => self.float_constant(*n as f64, b, want),
                Some(b) if b.is_complex() => self.complex_constant(*n as f64, 0.0, ty, want),
                _ => self.constant(*n as u64, want),
            },
            Const::Float(f) => match basic {
                Some(b) if b.is_complex() => self.complex_constant(*f, 0.0, ty, want),
                Some(b) => self.float_constant(*f, b, want),
                None => self.constant(f.to_bits(), want),
            },
            Const::Complex(re, im) => self.complex_constant(*re, *im, ty, want),
            Const::Str(s) => {
                let d = want.unwrap_or_else(|| self.alloc(2));
                let i = self.g.string_index(s);
                self.asm.op_bc(Op::LdStr, d, i);
                d
            }
            Const::Nil => {
                let n = self.g.info(ty).slots;
                if n == 1 {
                    return self.constant(0, want);
                }
                let d = self.dest(ty, want);
                self.zero(d, n);
                d
            }
        }
    }

    fn float_constant(&mut self, f: f64, b: Basic, want: Option<u32>) -> u32 {
        match b {
            Basic::Float32 => self.constant(u64::from((f as f32).to_bits()), want),
            _ => self.constant(f.to_bits(), want),
        }
    }

    fn complex_constant(&mut self, re: f64, im: f64, ty: Ty, want: Option<u32>) -> u32 {
        if self.g.info(ty).size == 8 {
            let (re, im) = ((re as f32).to_bits(), (im as f32).to_bits());
            return self.constant(u64::from(re) | u64::from(im) << 32, want);
        }
        let d = want.unwrap_or_else(|| self.alloc(2));
        self.constant(re.to_bits(), Some(d));
        self.constant(im.to_bits(), Some(d + 1));
        d
    }

    fn closure(&mut self, body: &Rc<Body>, want: Option<u32>) -> u32 {
        self.g.own_body(self.inst, body);
        let at = self.at();
        let key = self.g.closure_key(at, body, false);
        let id = self.g.func_value(key);
        let base = self.top;
        let mut ptrs = Vec::new();
        for c in &body.captures {
            let ty = self.local_ty(c.outer);
            let home = self.home(c.outer);
            let here = self.top - base;
            if self.body.locals[c.outer.0 as usize].boxed {
                let slot = self.alloc(1);
                self.mov(slot, home.slot, 1);
                ptrs.push((here * 8, PtrKind::Ptr));
            } else {
                let slot = self.temp(ty);
                match home.boxed {
                    true => self.load_plain(slot, home.slot, 0, ty),
                    false => {
                        let n = self.g.info(ty).slots;
                        self.mov(slot, home.slot, n);
                    }
                }
                self.g.pointers(ty, here * 8, &mut ptrs);
            }
        }
        let n = self.top - base;
        let t = self.g.capture_type(n, ptrs);
        let d = want.unwrap_or_else(|| self.alloc(1));
        self.asm.op(Op::MkClo, d, base, n);
        self.asm.word(u64::from(id));
        self.asm.word(u64::from(t));
        d
    }

    fn tuple(&mut self, e: &Expr, es: &[Expr], want: Option<u32>) -> u32 {
        let ty = self.sub(e.ty);
        let d = self.dest(ty, want);
        let mut slot = d;
        for x in es {
            let mark = self.top;
            self.eval_to(x, slot);
            self.top = mark;
            let ty = self.sub(x.ty);
            slot += self.g.info(ty).slots;
        }
        d
    }

    fn short_circuit(&mut self, a: &Expr, b: &Expr, out: Op, want: Option<u32>) -> u32 {
        let d = want.unwrap_or_else(|| self.alloc(1));
        let end = self.asm.label();
        let context = self.context([a]);
        self.eval_to(a, d);
        self.close(context);
        self.asm.jump_bc(out, d, end);
        let context = self.context([b]);
        self.eval_to(b, d);
        self.close(context);
        self.asm.bind(end);
        d
    }

    /// Brings the result of 64-bit arithmetic into the range of a smaller type.
    pub fn narrow(&mut self, d: u32, s: u32, b: Basic) {
        let op = match b {
            Basic::Int8 => Op::Sx8,
            Basic::Int16 => Op::Sx16,
            Basic::Int32 => Op::Sx32,
            Basic::Uint8 => Op::Zx8,
            Basic::Uint16 => Op::Zx16,
            Basic::Uint32 => Op::Zx32,
            _ => return self.mov(d, s, 1),
        };
        self.asm.op(op, d, s, 0);
    }

    pub fn basic(&self, ty: Ty) -> Basic {
        self.g.cx.types_ref().basic(ty).unwrap_or(Basic::Int)
    }

    fn unary(&mut self, op: UnOp, x: &Expr, e: &Expr, want: Option<u32>) -> u32 {
        let ty = self.sub(e.ty);
        let s = self.eval(x, None);
        let d = self.dest(ty, want);
        let b = self.basic(ty);
        match op {
            UnOp::Not => self.asm.op(Op::NotB, d, s, 0),
            UnOp::Com => {
                self.asm.op(Op::Com, d, s, 0);
                if b.is_unsigned() {
                    self.narrow(d, d, b);
                }
            }
            UnOp::Neg if b == Basic::Float32 => self.asm.op(Op::NegF32, d, s, 0),
            UnOp::Neg if b.is_float() => self.asm.op(Op::NegF, d, s, 0),
            UnOp::Neg if b == Basic::Complex64 => {
                let t = self.alloc(2);
                self.asm.op(Op::C64ToC, t, s, 0);
                self.asm.op(Op::NegC, t, t, 0);
                self.asm.op(Op::CToC64, d, t, 0);
            }
            UnOp::Neg if b.is_complex() => self.asm.op(Op::NegC, d, s, 0),
            UnOp::Neg => {
                self.asm.op(Op::Neg, d, s, 0);
                self.narrow(d, d, b);
            }
        }
        d
    }

    fn binary(&mut self, op: BinOp, a: &Expr, b: &Expr, e: &Expr, want: Option<u32>) -> u32 {
        let ty = self.sub(e.ty);
        let basic = self.basic(ty);
        if basic.is_string() {
            return self.concat(e, want);
        }
        if let (true, Some(n)) = (basic.is_integer(), int_const(b)) {
            // The count of a shift may be of another type; the value alone matters.
            if immediate(op, n) {
                let s = self.eval(a, None);
                let d = self.dest(ty, want);
                self.arith_imm(op, d, s, n, basic);
                return d;
            }
        }
        if let (true, BinOp::Add | BinOp::Mul | BinOp::And, Some(n)) =
            (basic.is_integer(), op, int_const(a))
            && immediate(op, n)
        {
            let s = self.eval(b, None);
            let d = self.dest(ty, want);
            self.arith_imm(op, d, s, n, basic);
            return d;
        }
        let count = self.sub(b.ty);
        let (x, y) = self.operands(a, b);
        let d = self.dest(ty, want);
        self.arith(op, d, x, y, ty, count);
        d
    }

    /// `d = s op n`; `immediate` has said that there is an instruction.
    pub fn arith_imm(&mut self, op: BinOp, d: u32, s: u32, n: i64, b: Basic) {
        match op {
            BinOp::Add => self.asm.op_imm(Op::AddI, d, s, n as i16),
            BinOp::Sub => self.asm.op_imm(Op::AddI, d, s, -n as i16),
            BinOp::Mul => self.asm.op_imm(Op::MulI, d, s, n as i16),
            BinOp::And => self.asm.op(Op::AndI, d, s, n as u32),
            BinOp::Shl if n >= 64 => self.zero(d, 1),
            BinOp::Shl => self.asm.op(Op::ShlI, d, s, n as u32),
            BinOp::Shr if b.is_unsigned() && n >= 64 => self.zero(d, 1),
            BinOp::Shr if b.is_unsigned() => self.asm.op(Op::ShrUI, d, s, n as u32),
            _ => self.asm.op(Op::ShrI, d, s, n.min(63) as u32),
        }
        if matches!(op, BinOp::Add | BinOp::Sub | BinOp::Mul | BinOp::Shl) {
            self.narrow(d, d, b);
        }
    }

    /// `d = x op y` of values of one numeric type (a shift's count is of type `count`).
    pub fn arith(&mut self, op: BinOp, d: u32, x: u32, y: u32, ty: Ty, count: Ty) {
        let b = self.basic(ty);
        if b.is_string() {
            return self.asm.op(Op::Cat, d, x, y);
        }
        if b.is_complex() {
            return self.arith_complex(op, d, x, y, b);
        }
        if b.is_float() {
            let op = match (op, b == Basic::Float32) {
                (BinOp::Add, false) => Op::AddF,
                (BinOp::Sub, false) => Op::SubF,
                (BinOp::Mul, false) => Op::MulF,
                (_, false) => Op::DivF,
                (BinOp::Add, true) => Op::AddF32,
                (BinOp::Sub, true) => Op::SubF32,
                (BinOp::Mul, true) => Op::MulF32,
                (_, true) => Op::DivF32,
            };
            return self.asm.op(op, d, x, y);
        }
        let unsigned = b.is_unsigned();
        if matches!(op, BinOp::Shl | BinOp::Shr) && !self.basic(count).is_unsigned() {
            self.asm.op(Op::CkShift, y, 0, 0);
        }
        let (op, narrow) = match op {
            BinOp::Add => (Op::Add, true),
            BinOp::Sub => (Op::Sub, true),
            BinOp::Mul => (Op::Mul, true),
            BinOp::Div if unsigned => (Op::DivU, false),
            BinOp::Div => (Op::Div, true),
            BinOp::Rem if unsigned => (Op::RemU, false),
            BinOp::Rem => (Op::Rem, false),
            BinOp::And => (Op::And, false),
            BinOp::Or => (Op::Or, false),
            BinOp::Xor => (Op::Xor, false),
            BinOp::AndNot => (Op::AndNot, false),
            BinOp::Shl => (Op::Shl, true),
            BinOp::Shr if unsigned => (Op::ShrU, false),
            BinOp::Shr => (Op::Shr, false),
        };
        self.asm.op(op, d, x, y);
        if narrow {
            self.narrow(d, d, b);
        }
    }

    fn arith_complex(&mut self, op: BinOp, d: u32, x: u32, y: u32, b: Basic) {
        let op = match op {
            BinOp::Add => Op::AddC,
            BinOp::Sub => Op::SubC,
            BinOp::Mul => Op::MulC,
            _ => Op::DivC,
        };
        if b != Basic::Complex64 {
            return self.asm.op(op, d, x, y);
        }
        let t = self.alloc(4);
        self.asm.op(Op::C64ToC, t, x, 0);
        self.asm.op(Op::C64ToC, t + 2, y, 0);
        self.asm.op(op, t, t, t + 2);
        self.asm.op(Op::CToC64, d, t, 0);
    }

    /// A chain of string additions.
    fn concat(&mut self, e: &Expr, want: Option<u32>) -> u32 {
        let mut list = Vec::new();
        let mut left = e;
        while let ExprKind::Binary(BinOp::Add, a, b) = &left.kind {
            list.push(&**b);
            left = a;
        }
        list.push(left);
        list.reverse();
        if let [a, b] = list[..] {
            let (x, y) = self.operands(a, b);
            let d = want.unwrap_or_else(|| self.alloc(2));
            self.asm.op(Op::Cat, d, x, y);
            return d;
        }
        let base = self.alloc(2 * list.len() as u32);
        let mark = self.top;
        for (i, x) in list.iter().enumerate() {
            self.eval_to(x, base + 2 * i as u32);
            self.top = mark;
        }
        let d = want.unwrap_or_else(|| self.alloc(2));
        self.asm.op(Op::CatN, d, base, list.len() as u32);
        d
    }

    fn slice(&mut self, e: &Expr, x: &Expr, bounds: [Option<&Expr>; 3], want: Option<u32>) -> u32 {
        let ty = self.sub(x.ty);
        let s = self.eval(x, None);
        let c = self.alloc(3);
        let mut mode = 0;
        for (i, b) in bounds.into_iter().enumerate() {
            if let Some(b) = b {
                let mark = self.top;
                self.eval_to(b, c + i as u32);
                self.top = mark;
                mode |= 1 << i;
            }
        }
        let out = self.sub(e.ty);
        let d = self.dest(out, want);
        match self.under(ty) {
            TyKind::Basic(_) => {
                self.asm.op(Op::SliceS, d, s, c);
                self.asm.word(mode);
            }
            TyKind::Slice(elem) => {
                self.asm.op(Op::Slice, d, s, c);
                self.asm.word(mode);
                let size = self.g.info(elem).size;
                self.asm.word(size);
            }
            TyKind::Pointer(array) => {
                self.asm.op(Op::SliceA, d, s, c);
                self.asm.word(mode);
                if let TyKind::Array(elem, n) = self.under(array) {
                    let size = self.g.info(elem).size;
                    self.asm.word(size);
                    self.asm.word(n);
                }
            }
            _ => {}
        }
        d
    }

    fn type_assert(&mut self, x: &Expr, ty: Ty, ok: bool, e: &Expr, want: Option<u32>) -> u32 {
        let ty = self.sub(ty);
        self.g.live_type(ty);
        let from = self.sub(x.ty);
        let from = self.g.type_index(from);
        let s = self.eval(x, None);
        let out = self.sub(e.ty);
        let d = self.dest(out, want);
        let t = self.g.type_index(ty);
        let op = match (self.g.cx.types_ref().is_interface(ty), ok) {
            (false, false) => Op::AssertT,
            (false, true) => Op::AssertT2,
            (true, false) => Op::AssertI,
            (true, true) => Op::AssertI2,
        };
        self.asm.op(op, d, s, 0);
        self.asm.word(u64::from(t));
        if !ok {
            self.asm.word(u64::from(from));
        }
        d
    }

    fn is_type(&mut self, x: &Expr, ty: Option<Ty>, want: Option<u32>) -> u32 {
        let s = self.eval(x, None);
        let Some(ty) = ty else {
            let zero = self.constant(0, None);
            let d = want.unwrap_or_else(|| self.alloc(1));
            self.asm.op(Op::Eq, d, s, zero);
            return d;
        };
        let ty = self.sub(ty);
        self.g.live_type(ty);
        let d = want.unwrap_or_else(|| self.alloc(1));
        let t = self.g.type_index(ty);
        let op = match self.g.cx.types_ref().is_interface(ty) {
            true => Op::IsIface,
            false => Op::IsType,
        };
        self.asm.op(op, d, s, 0);
        self.asm.word(u64::from(t));
        d
    }

    /// `x op= y` on a place; in registers without a detour.
    pub fn op_assign(&mut self, op: BinOp, place: &Expr, value: &Expr) {
        let ty = self.sub(place.ty);
        let basic = self.basic(ty);
        let count = self.sub(value.ty);
        let mut at = self.loc(place);
        if matches!(at, Loc::Elem { heap, .. } | Loc::ArrayElem { heap, .. }
            if heap != super::heaps::Heap::VOLATILE && heap != super::heaps::Heap::NIL)
        {
            let (addr, off, heap) = self.address(at, ty);
            at = Loc::Mem { addr, off, heap };
        }
        let imm = int_const(value).filter(|n| basic.is_integer() && immediate(op, *n));
        let y = match imm {
            Some(_) => 0,
            None => self.eval(value, None),
        };
        let d = match at {
            Loc::Reg(slot) => slot,
            _ => self.load(at, ty, None),
        };
        let out = match at {
            Loc::Reg(slot) => slot,
            _ => self.temp(ty),
        };
        match imm {
            Some(n) => self.arith_imm(op, out, d, n, basic),
            None => self.arith(op, out, d, y, ty, count),
        }
        if !matches!(at, Loc::Reg(_)) {
            self.store(at, ty, out, place, None);
        }
    }

    /// How values of a type compare.
    pub fn class(&self, ty: Ty) -> Class {
        match self.g.cx.types_ref().under(ty) {
            TyKind::Basic(b) => match b {
                _ if b.is_string() => Class::Str,
                Basic::Float32 => Class::F32,
                _ if b.is_float() => Class::F64,
                _ if b.is_complex() => Class::General,
                Basic::Uint64 | Basic::Uint | Basic::Uintptr => Class::Unsigned,
                Basic::UnsafePointer => Class::Unsigned,
                _ => Class::Signed,
            },
            TyKind::Pointer(_) | TyKind::Map(..) | TyKind::Chan(..) | TyKind::Func(_) => {
                Class::Unsigned
            }
            _ => Class::General,
        }
    }
}

/// Is the place in what a pointer points to?
fn through_pointer(place: &Expr) -> bool {
    match &place.kind {
        ExprKind::Deref(p) => !matches!(p.kind, ExprKind::AddrOf(_)),
        ExprKind::Field(base, _) | ExprKind::Index(base, _) => through_pointer(base),
        _ => false,
    }
}

/// The value of an integer constant.
pub fn int_const(e: &Expr) -> Option<i64> {
    match &e.kind {
        ExprKind::Const(Const::Int(n)) => Some(*n),
        ExprKind::Const(Const::Bool(b)) => Some(i64::from(*b)),
        ExprKind::Const(Const::Nil) => Some(0),
        _ => None,
    }
}

/// Is there an instruction with this constant as the right operand?
pub fn immediate(op: BinOp, n: i64) -> bool {
    match op {
        BinOp::Add | BinOp::Mul => i16::try_from(n).is_ok(),
        BinOp::Sub => i16::try_from(n).is_ok() && n != i64::from(i16::MIN),
        BinOp::And => u16::try_from(n).is_ok(),
        BinOp::Shl | BinOp::Shr => n >= 0,
        _ => false,
    }
}
