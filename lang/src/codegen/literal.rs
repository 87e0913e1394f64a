//! Composite literals, in slots or straight into fresh objects.
use super::frame::SLOT_BYTES_MAX;
use super::func::Fun;
use super::types::Shape;
use crate::bytecode::op::{Mode, Op};
use crate::tir::*;
use crate::types::ty::{Ty, TyKind};

impl Fun<'_, '_> {
    pub fn struct_lit(&mut self, e: &Expr, fields: &[(u32, Expr)], want: Option<u32>) -> u32 {
        let ty = self.sub(e.ty);
        let offsets = self.g.cx.types_ref().field_offsets(ty);
        let d = self.dest(ty, want);
        let slots = self.g.info(ty).slots;
        let mut covered = 0;
        for (_, x) in fields {
            let ty = self.sub(x.ty);
            if let Shape::Words(n) = self.g.info(ty).shape {
                covered += n;
            }
        }
        if covered < slots {
            self.zero(d, slots);
        }
        for (i, x) in fields {
            self.element(d, offsets[*i as usize], x);
        }
        d
    }

    /// Evaluates a part of a literal that lies in slots.
    fn element(&mut self, d: u32, off: u64, x: &Expr) {
        let ty = self.sub(x.ty);
        let mark = self.top;
        match self.g.info(ty).shape {
            Shape::Words(_) if off.is_multiple_of(8) => self.eval_to(x, d + (off / 8) as u32),
            _ => {
                let s = self.eval(x, None);
                self.store_part(d, off, ty, s);
            }
        }
        self.top = mark;
    }

    pub fn array_lit(&mut self, e: &Expr, elems: &[(u64, Expr)], want: Option<u32>) -> u32 {
        let ty = self.sub(e.ty);
        let TyKind::Array(elem, len) = self.under(ty) else {
            return self.dest(ty, want);
        };
        let d = self.dest(ty, want);
        let info = self.g.info(elem);
        if elems.len() as u64 != len || !matches!(info.shape, Shape::Words(_)) {
            let slots = self.g.info(ty).slots;
            self.zero(d, slots);
        }
        for (i, x) in elems {
            self.element(d, i * info.size, x);
        }
        d
    }

    pub fn slice_lit(
        &mut self,
        e: &Expr,
        len: u64,
        elems: &[(u64, Expr)],
        want: Option<u32>,
    ) -> u32 {
        let ty = self.sub(e.ty);
        let TyKind::Slice(elem) = self.under(ty) else {
            return self.dest(ty, want);
        };
        let p = self.alloc(1);
        let t = self.g.type_index(elem);
        self.asm.op_bc(Op::NewArr, p, t);
        self.asm.word(len);
        let size = self.g.info(elem).size;
        for (i, x) in elems {
            let mark = self.top;
            self.init(p, i * size, elem, x, None);
            self.top = mark;
        }
        let d = want.unwrap_or_else(|| self.alloc(3));
        self.mov(d, p, 1);
        self.constant(len, Some(d + 1));
        self.mov(d + 2, d + 1, 1);
        d
    }

    pub fn map_lit(&mut self, e: &Expr, entries: &[(Expr, Expr)], want: Option<u32>) -> u32 {
        let ty = self.sub(e.ty);
        let t = self.g.type_index(ty);
        let d = want.unwrap_or_else(|| self.alloc(1));
        let mark = self.top;
        let hint = self.constant(entries.len() as u64, None);
        self.asm.op(Op::MkMap, d, hint, 0);
        self.asm.word(u64::from(t));
        self.asm.word(0);
        self.top = mark;
        for (k, v) in entries {
            let context = self.context([k, v]);
            let (k, v) = self.operands(k, v);
            self.close(context);
            self.asm.op(Op::MapSet, d, k, v);
            self.asm.word(u64::from(t));
            self.asm.word(Mode::Volatile as u64);
            self.top = mark;
        }
        d
    }

    /// Initialises zeroed memory of a fresh object; `what` it is if the object is persistent.
    pub fn init(&mut self, addr: u32, off: u64, ty: Ty, x: &Expr, what: Option<&str>) {
        let mark = self.top;
        match &x.kind {
            ExprKind::Zero | ExprKind::Const(Const::Nil) => {}
            ExprKind::StructLit(fields) => {
                let offsets = self.g.cx.types_ref().field_offsets(ty);
                let TyKind::Struct(s) = self.under(ty) else {
                    return;
                };
                for (i, f) in fields {
                    let field_ty = self.sub(f.ty);
                    let name = what.map(|_| {
                        let name = self.g.cx.name(s.fields[*i as usize].name);
                        format!("field {name} of {}", self.g.type_name(ty))
                    });
                    self.init(
                        addr,
                        off + offsets[*i as usize],
                        field_ty,
                        f,
                        name.as_deref(),
                    );
                }
            }
            ExprKind::ArrayLit(elems) => {
                let TyKind::Array(elem, _) = self.under(ty) else {
                    return;
                };
                let size = self.g.info(elem).size;
                for (i, f) in elems {
                    self.init(addr, off + i * size, elem, f, what);
                }
            }
            _ if what.is_none()
                && self.g.info(ty).size > SLOT_BYTES_MAX
                && super::stmt::is_place(x) =>
            {
                let p = self.plus(addr, off);
                self.copy_array(p, ty, x);
            }
            _ => self.store_fresh(addr, off, ty, x, what),
        }
        self.top = mark;
    }
}
