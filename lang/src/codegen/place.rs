//! Places: where a value is, and loading it from there.
use super::func::Fun;
use super::heaps::Heap;
use super::types::Shape;
use crate::bytecode::op::{Op, Width};
use crate::tir::*;
use crate::types::ty::{Ty, TyKind};

/// Where a value is. Operands have been evaluated.
#[derive(Clone, Copy, Debug)]
pub enum Loc {
    /// Whole slots, in value form.
    Reg(u32),
    /// Bytes of a struct or array in slots.
    Part { slot: u32, off: u64 },
    /// Element of an array in slots, by a variable index.
    PartIndex { slot: u32, index: u32, len: u64 },
    /// Memory at an address and offset.
    Mem { addr: u32, off: u64, heap: Heap },
    /// Element of a slice.
    Elem { slice: u32, index: u32, heap: Heap },
    /// Element of an array in memory.
    ArrayElem {
        addr: u32,
        index: u32,
        len: u64,
        heap: Heap,
    },
    /// Byte of the package variables.
    Global(u64),
    /// Element of a map; of what type the map is.
    Map {
        map: u32,
        key: u32,
        ty: Ty,
        heap: Heap,
    },
}

/// How the bytes of a shape lie in slots.
pub fn width(shape: Shape) -> Width {
    match shape {
        Shape::U8 => Width::U8,
        Shape::I8 => Width::I8,
        Shape::U16 => Width::U16,
        Shape::I16 => Width::I16,
        Shape::U32 => Width::U32,
        Shape::I32 => Width::I32,
        Shape::Words(1) => Width::W64,
        _ => Width::Bytes,
    }
}

/// Offsets up to this are operands.
const OFFSET_MAX: u64 = 0xff00;

impl Fun<'_, '_> {
    /// The place of an expression; values that have none are put in a temporary.
    pub fn loc(&mut self, e: &Expr) -> Loc {
        match &e.kind {
            ExprKind::Local(l) => {
                let home = self.home(*l);
                match home.boxed {
                    true => Loc::Mem {
                        addr: home.slot,
                        off: 0,
                        heap: Heap::VOLATILE,
                    },
                    false => Loc::Reg(home.slot),
                }
            }
            ExprKind::Global(g) => {
                let place = self.g.global_place(*g);
                if self.g.cx.globals()[g.0 as usize].root.is_none() {
                    return Loc::Global(u64::from(place));
                }
                self.g.source();
                let addr = self.alloc(1);
                self.asm.op_bc(Op::PVar, addr, place);
                Loc::Mem {
                    addr,
                    off: 0,
                    heap: Heap::PERSISTENT,
                }
            }
            ExprKind::Deref(p) => match &p.kind {
                ExprKind::AddrOf(x) => self.loc(x),
                _ => {
                    let heap = self.heap(p);
                    let addr = self.eval(p, None);
                    Loc::Mem { addr, off: 0, heap }
                }
            },
            ExprKind::Field(base, i) => {
                let base_ty = self.sub(base.ty);
                let off = self.g.cx.types_ref().field_offsets(base_ty)[*i as usize];
                let at = self.loc(base);
                let ty = self.sub(e.ty);
                self.inside(at, base_ty, off, ty)
            }
            ExprKind::Index(base, index) => {
                let base_ty = self.sub(base.ty);
                let ty = self.sub(e.ty);
                match self.under(base_ty) {
                    TyKind::Array(_, len) => self.array_elem(base, base_ty, index, len, ty),
                    TyKind::Slice(_) => {
                        let heap = self.heap(base);
                        let (slice, index) = self.operands(base, index);
                        Loc::Elem { slice, index, heap }
                    }
                    _ => Loc::Reg(self.eval(e, None)),
                }
            }
            ExprKind::MapIndex(m, k, false) => {
                let heap = self.heap(m);
                let ty = self.sub(m.ty);
                let (map, key) = self.operands(m, k);
                Loc::Map { map, key, ty, heap }
            }
            _ => Loc::Reg(self.eval(e, None)),
        }
    }

    /// The part at byte `off`, of type `ty`, of a place of type `whole`.
    fn inside(&mut self, at: Loc, whole: Ty, off: u64, ty: Ty) -> Loc {
        let (slot, off) = match at {
            Loc::Reg(slot) => (slot, off),
            Loc::Part { slot, off: o } => (slot, o + off),
            Loc::Global(o) => return Loc::Global(o + off),
            Loc::Mem { addr, off: o, heap } => {
                return Loc::Mem {
                    addr,
                    off: o + off,
                    heap,
                };
            }
            Loc::Elem { .. } | Loc::ArrayElem { .. } => {
                let (addr, o, heap) = self.address(at, whole);
                return Loc::Mem {
                    addr,
                    off: o + off,
                    heap,
                };
            }
            Loc::PartIndex { .. } | Loc::Map { .. } => (self.load(at, whole, None), off),
        };
        match self.g.info(ty).shape {
            Shape::Words(_) if off.is_multiple_of(8) => Loc::Reg(slot + (off / 8) as u32),
            _ => Loc::Part { slot, off },
        }
    }

    fn array_elem(&mut self, base: &Expr, base_ty: Ty, index: &Expr, len: u64, ty: Ty) -> Loc {
        let size = self.g.info(ty).size;
        if let ExprKind::Const(Const::Int(i)) = index.kind {
            let at = self.loc(base);
            return self.inside(at, base_ty, i as u64 * size, ty);
        }
        match self.loc(base) {
            Loc::Reg(slot) => {
                let index = self.eval(index, None);
                Loc::PartIndex { slot, index, len }
            }
            Loc::Part { slot, off } if off.is_multiple_of(8) => {
                let index = self.eval(index, None);
                let slot = slot + (off / 8) as u32;
                Loc::PartIndex { slot, index, len }
            }
            at @ (Loc::Part { .. } | Loc::PartIndex { .. } | Loc::Map { .. }) => {
                let slot = self.load(at, base_ty, None);
                let index = self.eval(index, None);
                Loc::PartIndex { slot, index, len }
            }
            at => {
                let (addr, off, heap) = self.address(at, base_ty);
                let addr = self.plus(addr, off);
                let index = self.eval(index, None);
                Loc::ArrayElem {
                    addr,
                    index,
                    len,
                    heap,
                }
            }
        }
    }

    /// Base slot and offset of a place in memory.
    pub fn address(&mut self, at: Loc, ty: Ty) -> (u32, u64, Heap) {
        match at {
            Loc::Mem { addr, off, heap } => (addr, off, heap),
            Loc::Elem { slice, index, heap } => {
                let addr = self.alloc(1);
                let size = self.g.info(ty).size;
                self.asm.op(Op::EAddr, addr, slice, index);
                self.asm.word(size);
                (addr, 0, heap)
            }
            Loc::ArrayElem {
                addr: base,
                index,
                len,
                heap,
            } => {
                let addr = self.alloc(1);
                let size = self.g.info(ty).size;
                self.asm.op(Op::AAddr, addr, base, index);
                self.asm.word(len);
                self.asm.word(size);
                (addr, 0, heap)
            }
            Loc::Global(off) => {
                let addr = self.alloc(1);
                self.asm.op_bc(Op::GAddr, addr, off as u32);
                (addr, 0, Heap::VOLATILE)
            }
            // A value without a place: a copy in an object of its own.
            Loc::Reg(_) | Loc::Part { .. } | Loc::PartIndex { .. } | Loc::Map { .. } => {
                let src = self.load(at, ty, None);
                let addr = self.alloc(1);
                self.new_box(addr, ty);
                self.store_plain(addr, 0, ty, src);
                (addr, 0, Heap::VOLATILE)
            }
        }
    }

    /// The sum of an address and an offset, in one slot.
    pub fn plus(&mut self, addr: u32, off: u64) -> u32 {
        if off == 0 {
            return addr;
        }
        let d = self.alloc(1);
        self.plus_to(d, addr, off);
        d
    }

    pub fn plus_to(&mut self, d: u32, addr: u32, off: u64) {
        if off <= OFFSET_MAX {
            self.asm.op(Op::Lea, d, addr, off as u32);
        } else {
            self.asm.op(Op::LeaN, d, addr, 0);
            self.asm.word(off);
        }
    }

    /// Offsets that do not fit an operand become part of the address.
    pub fn near(&mut self, addr: u32, off: u64) -> (u32, u32) {
        match off <= OFFSET_MAX {
            true => (addr, off as u32),
            false => (self.plus(addr, off), 0),
        }
    }

    /// Loads from memory.
    pub fn load_plain(&mut self, d: u32, addr: u32, off: u64, ty: Ty) {
        let info = self.g.info(ty);
        let (addr, off) = self.near(addr, off);
        let op = match info.shape {
            Shape::Empty => return self.asm.op(Op::CkNil, addr, 0, 0),
            Shape::U8 => Op::Ld8U,
            Shape::I8 => Op::Ld8S,
            Shape::U16 => Op::Ld16U,
            Shape::I16 => Op::Ld16S,
            Shape::U32 => Op::Ld32U,
            Shape::I32 => Op::Ld32S,
            Shape::Words(1) => Op::Ld64,
            Shape::Words(2) => Op::Ld2,
            Shape::Words(_) => Op::Ld3,
            Shape::Bytes => {
                self.asm.op(Op::LdN, d, addr, off);
                return self.asm.word(info.size);
            }
        };
        self.asm.op(op, d, addr, off);
    }

    /// The value of a place: where it is if that is a register and nothing else is wanted.
    pub fn load(&mut self, at: Loc, ty: Ty, want: Option<u32>) -> u32 {
        let info = self.g.info(ty);
        match at {
            Loc::Reg(slot) => match want {
                None => slot,
                Some(d) => {
                    self.mov(d, slot, info.slots);
                    d
                }
            },
            Loc::Part { slot, off } => {
                if info.shape == Shape::Bytes && off.is_multiple_of(8) && want.is_none() {
                    return slot + (off / 8) as u32;
                }
                let d = self.dest(ty, want);
                self.load_part(d, slot, off, ty);
                d
            }
            Loc::PartIndex { slot, index, len } => {
                let d = self.dest(ty, want);
                self.asm.op(Op::FLdX, d, slot, index);
                self.asm.word(len);
                self.asm.word(info.size);
                self.asm.word(width(info.shape) as u64);
                d
            }
            Loc::Mem { addr, off, .. } => {
                let d = self.dest(ty, want);
                self.load_plain(d, addr, off, ty);
                d
            }
            Loc::Elem { slice, index, .. } => {
                let d = self.dest(ty, want);
                let op = match info.shape {
                    Shape::Empty => {
                        self.asm.op(Op::CkIdx, index, slice + 1, 0);
                        return d;
                    }
                    Shape::U8 => Op::LdX8U,
                    Shape::I8 => Op::LdX8S,
                    Shape::U16 => Op::LdX16U,
                    Shape::I16 => Op::LdX16S,
                    Shape::U32 => Op::LdX32U,
                    Shape::I32 => Op::LdX32S,
                    Shape::Words(1) => Op::LdX64,
                    Shape::Words(2) => Op::LdX2,
                    Shape::Words(_) => Op::LdX3,
                    Shape::Bytes => {
                        self.asm.op(Op::LdXN, d, slice, index);
                        self.asm.word(info.size);
                        return d;
                    }
                };
                self.asm.op(op, d, slice, index);
                d
            }
            Loc::ArrayElem {
                addr, index, len, ..
            } => {
                let op = match info.shape {
                    Shape::U8 => Op::LdA8U,
                    Shape::Words(1) => Op::LdA64,
                    _ => {
                        let (addr, off, _) = self.address(at, ty);
                        let d = self.dest(ty, want);
                        self.load_plain(d, addr, off, ty);
                        return d;
                    }
                };
                let d = self.dest(ty, want);
                self.asm.op(op, d, addr, index);
                self.asm.word(len);
                d
            }
            Loc::Global(off) => {
                let d = self.dest(ty, want);
                if info.shape == Shape::Words(1) {
                    self.asm.op_bc(Op::LdG, d, off as u32);
                } else if info.slots > 0 {
                    let (addr, off, _) = self.address(at, ty);
                    self.load_plain(d, addr, off, ty);
                }
                d
            }
            Loc::Map {
                map,
                key,
                ty: map_ty,
                ..
            } => {
                let d = self.dest(ty, want);
                let t = self.g.type_index(map_ty);
                self.asm.op(Op::MapGet, d, map, key);
                self.asm.word(u64::from(t));
                d
            }
        }
    }

    /// Part of a struct or array in slots.
    fn load_part(&mut self, d: u32, slot: u32, off: u64, ty: Ty) {
        let info = self.g.info(ty);
        match info.shape {
            Shape::Empty => {}
            Shape::Words(_) | Shape::Bytes if off.is_multiple_of(8) => {
                self.mov(d, slot + (off / 8) as u32, info.slots);
            }
            Shape::Words(_) | Shape::Bytes => {
                self.asm.op(Op::FLdN, d, slot, off as u32);
                self.asm.word(info.size);
            }
            shape => {
                self.asm.op(Op::FLd, d, slot, off as u32);
                self.asm.word(width(shape) as u64);
            }
        }
    }

    /// Stores into part of a struct or array in slots.
    pub fn store_part(&mut self, slot: u32, off: u64, ty: Ty, src: u32) {
        let info = self.g.info(ty);
        match info.shape {
            Shape::Empty => {}
            Shape::Words(n) if off.is_multiple_of(8) => self.mov(slot + (off / 8) as u32, src, n),
            Shape::Bytes if off.is_multiple_of(8) && info.size.is_multiple_of(8) => {
                self.mov(slot + (off / 8) as u32, src, info.slots);
            }
            Shape::Words(_) | Shape::Bytes => {
                self.asm.op(Op::FStN, slot, src, off as u32);
                self.asm.word(info.size);
            }
            shape => {
                self.asm.op(Op::FSt, slot, src, off as u32);
                self.asm.word(width(shape) as u64);
            }
        }
    }
}
