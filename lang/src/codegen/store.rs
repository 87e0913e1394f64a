//! Stores, by the class of their target (LANGUAGE.md §3): plain for volatile memory; logged in
//! transactions and guarded outside them for memory that is or may be persistent.
use super::func::Fun;
use super::heaps::Heap;
use super::place::{Loc, width};
use super::types::Shape;
use super::{Gen, StoreReport};
use crate::bytecode::op::{Mode, Op};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::tir::*;
use crate::types::ty::{Ty, TyKind};

/// A reference known to be volatile is stored in memory known to be persistent, in one instance.
pub struct BadStore {
    pub span: Span,
    /// False for an instance where the store is good.
    pub bad: bool,
    pub kind: &'static str,
    pub help: &'static str,
    pub what: String,
    pub instance: String,
}

impl Gen<'_> {
    /// Reports the stores that are wrong in every instance of their function.
    pub fn report_bad_stores(&mut self) {
        let list = std::mem::take(&mut self.st.bad_stores);
        let mut seen = Vec::new();
        for s in list.iter().filter(|s| s.bad) {
            if seen.contains(&s.span) || list.iter().any(|o| o.span == s.span && !o.bad) {
                continue;
            }
            seen.push(s.span);
            let message = format!(
                "cannot store a volatile {} in persistent memory: {}",
                s.kind, s.what
            );
            let mut d = Diagnostic::error(Code::VolatileInPersistent, s.span, message)
                .label("this lives in the volatile heap")
                .help(s.help);
            if !s.instance.is_empty() {
                d = d.note(format!("in the instance {}", s.instance));
            }
            self.diagnostics.push(d);
        }
    }
}

/// `pointer`, `slice` or `map`, and the remedy.
fn remedy(kind: &TyKind) -> Option<(&'static str, &'static str)> {
    match kind {
        TyKind::Pointer(_) => Some((
            "pointer",
            "allocate it with `pnew(…)`, or copy it with `persist(…)`",
        )),
        TyKind::Slice(_) => Some((
            "slice",
            "make it with `pmake(…)`, or copy it with `persist(…)`",
        )),
        TyKind::Map(..) => Some((
            "map",
            "make it with `pmake(…)`, or copy it with `persist(…)`",
        )),
        _ => None,
    }
}

impl Fun<'_, '_> {
    /// How a builtin treats a target of this heap here.
    pub fn mode(&self, heap: Heap) -> Mode {
        match (heap, self.in_txn()) {
            (Heap::PERSISTENT, true) => Mode::Log,
            (Heap::PERSISTENT, false) => Mode::GuardP,
            (Heap::EITHER, true) => Mode::LogCk,
            (Heap::EITHER, false) => Mode::Guard,
            _ => Mode::Volatile,
        }
    }

    /// What a place is, for messages: `field next of main.Node`.
    pub fn describe(&mut self, place: &Expr) -> String {
        match &place.kind {
            ExprKind::Local(l) => format!("variable {}", self.body.locals[l.0 as usize].name),
            ExprKind::Global(g) => {
                format!("variable {}", self.g.cx.globals()[g.0 as usize].name)
            }
            ExprKind::Field(b, i) => {
                let ty = self.sub(b.ty);
                let field = match self.under(ty) {
                    TyKind::Struct(s) => self.g.cx.name(s.fields[*i as usize].name).to_string(),
                    _ => String::new(),
                };
                format!("field {field} of {}", self.g.type_name(ty))
            }
            ExprKind::Index(b, _) => {
                let ty = self.sub(b.ty);
                format!("element of {}", self.g.type_name(ty))
            }
            ExprKind::MapIndex(..) => "map value".into(),
            _ => {
                let ty = self.sub(place.ty);
                format!("value of type {}", self.g.type_name(ty))
            }
        }
    }

    /// Notes a store for reports, and one that the invariant forbids.
    pub fn note_store(&mut self, target: Heap, what: &str, value: Option<(&Expr, Ty)>) {
        let span = self.asm.span();
        if self.g.st.persistence {
            let class = match target {
                Heap::PERSISTENT => "persistent",
                Heap::EITHER => "either",
                _ => "volatile",
            };
            self.g.st.reports.push(StoreReport {
                span,
                class,
                what: what.into(),
                in_txn: self.in_txn(),
                function: self.body.name.clone(),
            });
        }
        let Some((value, ty)) = value else { return };
        if let Some((kind, help)) = remedy(&self.under(ty)) {
            let bad = target == Heap::PERSISTENT && self.is_volatile(value);
            if self.g.st.persistence {
                let instance = match bad {
                    true => self.g.instance_name(self.inst),
                    false => String::new(),
                };
                self.g.st.bad_stores.push(BadStore {
                    span: value.span,
                    bad,
                    kind,
                    help,
                    what: what.into(),
                    instance,
                });
            }
        }
    }

    /// Is it certain that the value refers to the volatile heap? An append to nil takes the heap of
    /// its destination.
    fn is_volatile(&mut self, value: &Expr) -> bool {
        let base = match &value.kind {
            ExprKind::Append(base, _) | ExprKind::AppendSlice(base, _) => base,
            _ => value,
        };
        self.heap(base) == Heap::VOLATILE
    }

    /// Stores in volatile memory, or in an object that nothing refers to yet.
    pub fn store_plain(&mut self, addr: u32, off: u64, ty: Ty, src: u32) {
        self.store_op(addr, off, ty, src, false);
    }

    fn store_op(&mut self, addr: u32, off: u64, ty: Ty, src: u32, guarded: bool) {
        let info = self.g.info(ty);
        let (addr, off) = self.near(addr, off);
        let (plain, guard) = match info.shape {
            Shape::Empty => return self.asm.op(Op::CkNil, addr, 0, 0),
            Shape::U8 | Shape::I8 => (Op::St8, Op::StG8),
            Shape::U16 | Shape::I16 => (Op::St16, Op::StG16),
            Shape::U32 | Shape::I32 => (Op::St32, Op::StG32),
            Shape::Words(1) => (Op::St64, Op::StG64),
            Shape::Words(2) => (Op::St2, Op::StG2),
            Shape::Words(_) => (Op::St3, Op::StG3),
            Shape::Bytes => {
                let op = if guarded { Op::StGN } else { Op::StN };
                self.asm.op(op, addr, src, off);
                return self.asm.word(info.size);
            }
        };
        self.asm
            .op(if guarded { guard } else { plain }, addr, src, off);
    }

    /// The value as it may be stored at an address that is or may be persistent: a copy whose
    /// strings have been moved there.
    fn persistable(&mut self, addr: u32, ty: Ty, src: u32, target: Heap, what: &str) -> u32 {
        let info = self.g.info(ty);
        let tmp = self.alloc(info.slots);
        self.mov(tmp, src, info.slots);
        let t = self.g.type_index(ty);
        self.asm.note(what.into());
        self.asm.op(Op::PVal, tmp, addr, 0);
        self.asm.word(u64::from(t));
        self.asm.word(u64::from(target != Heap::PERSISTENT));
        tmp
    }

    /// Does a store of this value in persistent memory have to look at it?
    fn needs_look(&mut self, ty: Ty, value: Heap) -> bool {
        let info = self.g.info(ty);
        // Strings have no heap of their own in the inference.
        info.has_data && (!self.only_refs(ty) || value == Heap::VOLATILE || value == Heap::EITHER)
    }

    fn only_refs(&mut self, ty: Ty) -> bool {
        match self.under(ty) {
            TyKind::Basic(b) => !b.is_string(),
            TyKind::Struct(s) => s.fields.iter().all(|f| self.only_refs(f.ty)),
            TyKind::Array(e, _) => self.only_refs(e),
            _ => true,
        }
    }

    /// Saves what is about to be overwritten.
    pub fn log(&mut self, addr: u32, off: u64, size: u64, target: Heap) {
        let sure = target == Heap::PERSISTENT;
        if off <= 0xff00 && size <= 0xffff {
            let op = if sure { Op::Log } else { Op::LogCk };
            self.asm.op(op, addr, off as u32, size as u32);
        } else {
            let addr = self.plus(addr, off);
            let op = if sure { Op::LogN } else { Op::LogCkN };
            self.asm.op(op, addr, 0, 0);
            self.asm.word(size);
        }
    }

    /// Stores in memory of any class.
    #[expect(clippy::too_many_arguments)]
    fn store_mem(
        &mut self,
        addr: u32,
        off: u64,
        ty: Ty,
        mut src: u32,
        target: Heap,
        value: Heap,
        what: &str,
    ) {
        if target != Heap::PERSISTENT && target != Heap::EITHER {
            return self.store_plain(addr, off, ty, src);
        }
        if self.needs_look(ty, value) {
            src = self.persistable(addr, ty, src, target, what);
        }
        if self.in_txn() {
            let size = self.g.info(ty).size;
            if size > 0 {
                self.log(addr, off, size, target);
            }
            self.store_plain(addr, off, ty, src);
        } else {
            self.store_op(addr, off, ty, src, true);
        }
    }

    /// Stores a value; `place` is what the location was made of, `value` what the value was.
    pub fn store(&mut self, at: Loc, ty: Ty, src: u32, place: &Expr, value: Option<&Expr>) {
        let target = match at {
            Loc::Mem { heap, .. }
            | Loc::Elem { heap, .. }
            | Loc::ArrayElem { heap, .. }
            | Loc::Map { heap, .. } => heap,
            _ => Heap::VOLATILE,
        };
        let managed = target == Heap::PERSISTENT || target == Heap::EITHER;
        let mut what = String::new();
        let boxed_local = matches!(place.kind, ExprKind::Local(_));
        let in_memory = !matches!(
            at,
            Loc::Reg(_) | Loc::Part { .. } | Loc::PartIndex { .. } | Loc::Global(_)
        );
        if in_memory && !boxed_local && self.g.st.persistence {
            what = self.describe(place);
            self.note_store(target, &what, value.map(|v| (v, ty)));
        }
        let heap = match value {
            Some(v) if managed => self.heap(v),
            _ => Heap::EITHER,
        };
        let info = self.g.info(ty);
        match at {
            Loc::Reg(slot) => self.mov(slot, src, info.slots),
            Loc::Part { slot, off } => self.store_part(slot, off, ty, src),
            Loc::PartIndex { slot, index, len } => {
                self.asm.op(Op::FStX, slot, index, src);
                self.asm.word(len);
                self.asm.word(info.size);
                self.asm.word(width(info.shape) as u64);
            }
            Loc::Mem { addr, off, .. } => self.store_mem(addr, off, ty, src, target, heap, &what),
            Loc::Elem { slice, index, .. } if !managed => {
                let op = match info.shape {
                    Shape::Empty => return self.asm.op(Op::CkIdx, index, slice + 1, 0),
                    Shape::U8 | Shape::I8 => Op::StX8,
                    Shape::U16 | Shape::I16 => Op::StX16,
                    Shape::U32 | Shape::I32 => Op::StX32,
                    Shape::Words(1) => Op::StX64,
                    _ => {
                        self.asm.op(Op::StXN, slice, index, src);
                        return self.asm.word(info.size);
                    }
                };
                self.asm.op(op, slice, index, src);
            }
            Loc::ArrayElem {
                addr, index, len, ..
            } if !managed && matches!(info.shape, Shape::U8 | Shape::I8 | Shape::Words(1)) => {
                let op = match info.shape {
                    Shape::Words(_) => Op::StA64,
                    _ => Op::StA8,
                };
                self.asm.op(op, addr, index, src);
                self.asm.word(len);
            }
            Loc::Elem { .. } | Loc::ArrayElem { .. } => {
                let (addr, off, _) = self.address(at, ty);
                self.store_mem(addr, off, ty, src, target, heap, &what);
            }
            Loc::Global(off) => {
                if info.shape == Shape::Words(1) {
                    self.asm.op_bc(Op::StGl, src, off as u32);
                } else if info.slots > 0 {
                    let (addr, off, _) = self.address(at, ty);
                    self.store_plain(addr, off, ty, src);
                }
            }
            Loc::Map {
                map,
                key,
                ty: map_ty,
                ..
            } => {
                let t = self.g.type_index(map_ty);
                let mode = self.mode(target);
                if managed {
                    self.asm.note(what);
                }
                self.asm.op(Op::MapSet, map, key, src);
                self.asm.word(u64::from(t));
                self.asm.word(mode as u64);
            }
        }
    }

    /// Evaluates and stores (part of) the initial value of a fresh object; `what` it is if the object
    /// is persistent.
    pub fn store_fresh(&mut self, addr: u32, off: u64, ty: Ty, e: &Expr, what: Option<&str>) {
        let mut src = self.eval(e, None);
        if let Some(what) = what {
            self.note_store(Heap::PERSISTENT, what, Some((e, ty)));
            let heap = self.heap(e);
            if self.needs_look(ty, heap) {
                src = self.persistable(addr, ty, src, Heap::PERSISTENT, what);
            }
        }
        self.store_plain(addr, off, ty, src);
    }
}
