//! Conversions (spec "Conversions").
use super::frame::FRAME_BYTES_MAX;
use super::func::Fun;
use crate::bytecode::op::Op;
use crate::tir::*;
use crate::types::ty::{Basic, Ty, TyKind};

impl Fun<'_, '_> {
    pub fn convert(&mut self, kind: ConvKind, x: &Expr, e: &Expr, want: Option<u32>) -> u32 {
        let (from, to) = (self.sub(x.ty), self.sub(e.ty));
        match kind {
            ConvKind::Retype | ConvKind::Unsafe => self.eval(x, want),
            ConvKind::InterfaceToInterface => self.eval(x, want),
            ConvKind::Numeric => {
                let s = self.eval(x, None);
                self.numeric(s, from, to, want)
            }
            ConvKind::ToInterface => {
                if self.g.cx.types_ref().is_interface(from) {
                    return self.eval(x, want);
                }
                self.g.live_type(from);
                let t = self.g.type_index(from);
                if self.g.info(from).size > FRAME_BYTES_MAX {
                    let fresh = self.alloc(1);
                    self.new_box(fresh, from);
                    self.copy_array(fresh, from, x);
                    let d = want.unwrap_or_else(|| self.alloc(2));
                    self.asm.op(Op::IfaceOf, d, fresh, 0);
                    self.asm.word(u64::from(t));
                    return d;
                }
                let s = self.eval(x, None);
                let d = want.unwrap_or_else(|| self.alloc(2));
                self.asm.op(Op::MkIface, d, s, 0);
                self.asm.word(u64::from(t));
                d
            }
            ConvKind::SliceToArray | ConvKind::SliceToArrayPointer => {
                let s = self.eval(x, None);
                let array = match self.under(to) {
                    TyKind::Pointer(a) => a,
                    _ => to,
                };
                let n = match self.under(array) {
                    TyKind::Array(_, n) => n,
                    _ => 0,
                };
                let pointer = kind == ConvKind::SliceToArrayPointer;
                let p = match want {
                    Some(d) if pointer => d,
                    _ => self.alloc(1),
                };
                self.asm.op(Op::SToArr, p, s, 0);
                self.asm.word(n);
                if pointer {
                    return p;
                }
                let d = self.dest(to, want);
                if self.g.info(to).slots > 0 {
                    self.load_plain(d, p, 0, to);
                }
                d
            }
            ConvKind::IntToString => self.simple(Op::RuneStr, x, to, want),
            ConvKind::BytesToString => self.simple(Op::BytesStr, x, to, want),
            ConvKind::RunesToString => self.simple(Op::RunesStr, x, to, want),
            ConvKind::StringToBytes => self.simple(Op::StrBytes, x, to, want),
            ConvKind::StringToRunes => self.simple(Op::StrRunes, x, to, want),
            ConvKind::Generic => {
                let kind = self.generic_kind(from, to);
                self.convert(kind, x, e, want)
            }
        }
    }

    fn simple(&mut self, op: Op, x: &Expr, to: Ty, want: Option<u32>) -> u32 {
        let s = self.eval(x, None);
        let d = self.dest(to, want);
        self.asm.op(op, d, s, 0);
        d
    }

    /// The conversion that one between type parameters is after substitution.
    fn generic_kind(&mut self, from: Ty, to: Ty) -> ConvKind {
        let types = self.g.cx.types_ref();
        if types.is_interface(to) {
            return match types.is_interface(from) {
                true => ConvKind::InterfaceToInterface,
                false => ConvKind::ToInterface,
            };
        }
        let wide = |ty: Ty| match types.under(ty) {
            TyKind::Slice(e) => types.basic(*e) == Some(Basic::Int32),
            _ => false,
        };
        match (types.under(from), types.under(to)) {
            (TyKind::Basic(a), TyKind::Basic(b)) if a.is_numeric() && b.is_numeric() => {
                ConvKind::Numeric
            }
            (TyKind::Basic(a), TyKind::Basic(b)) if a.is_integer() && b.is_string() => {
                ConvKind::IntToString
            }
            (TyKind::Slice(_), TyKind::Basic(b)) if b.is_string() => match wide(from) {
                true => ConvKind::RunesToString,
                false => ConvKind::BytesToString,
            },
            (TyKind::Basic(a), TyKind::Slice(_)) if a.is_string() => match wide(to) {
                true => ConvKind::StringToRunes,
                false => ConvKind::StringToBytes,
            },
            (TyKind::Slice(_), TyKind::Array(..)) => ConvKind::SliceToArray,
            (TyKind::Slice(_), TyKind::Pointer(_)) => ConvKind::SliceToArrayPointer,
            _ => ConvKind::Retype,
        }
    }

    fn numeric(&mut self, s: u32, from: Ty, to: Ty, want: Option<u32>) -> u32 {
        let (f, t) = (self.basic(from), self.basic(to));
        let one = |this: &mut Self| want.unwrap_or_else(|| this.alloc(1));
        let unsigned64 = |b: Basic| matches!(b, Basic::Uint | Basic::Uint64 | Basic::Uintptr);
        if f.is_complex() {
            if (f == Basic::Complex64) == (t == Basic::Complex64) {
                return self.kept(s, to, want);
            }
            let d = self.dest(to, want);
            let op = match t {
                Basic::Complex64 => Op::CToC64,
                _ => Op::C64ToC,
            };
            self.asm.op(op, d, s, 0);
            return d;
        }
        if f.is_integer() && t.is_integer() {
            if self.fits(f, t) {
                return self.kept(s, to, want);
            }
            let d = one(self);
            self.narrow(d, s, t);
            return d;
        }
        if f.is_integer() {
            let op = match (unsigned64(f), t == Basic::Float32) {
                (false, false) => Op::IToF,
                (true, false) => Op::UToF,
                (false, true) => Op::IToF32,
                (true, true) => Op::UToF32,
            };
            let d = one(self);
            self.asm.op(op, d, s, 0);
            return d;
        }
        if t.is_integer() {
            let d = one(self);
            let mut s = s;
            if f == Basic::Float32 {
                self.asm.op(Op::F32ToF, d, s, 0);
                s = d;
            }
            let op = if unsigned64(t) { Op::FToU } else { Op::FToI };
            self.asm.op(op, d, s, 0);
            self.narrow(d, d, t);
            return d;
        }
        let op = match (f == Basic::Float32, t == Basic::Float32) {
            (true, false) => Op::F32ToF,
            (false, true) => Op::FToF32,
            _ => return self.kept(s, to, want),
        };
        let d = one(self);
        self.asm.op(op, d, s, 0);
        d
    }

    fn kept(&mut self, s: u32, ty: Ty, want: Option<u32>) -> u32 {
        match want {
            None => s,
            Some(d) => {
                let n = self.g.info(ty).slots;
                self.mov(d, s, n);
                d
            }
        }
    }

    /// Is every value of integer type `f` the same 64 bits in `t`?
    fn fits(&self, f: Basic, t: Basic) -> bool {
        let bits = |b: Basic| self.g.cx.types_ref().layout(b.ty()).size;
        match bits(t) {
            8 => true,
            n if f.is_unsigned() == t.is_unsigned() => bits(f) <= n,
            n => f.is_unsigned() && bits(f) < n,
        }
    }
}
