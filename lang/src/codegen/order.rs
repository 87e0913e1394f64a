//! Order of evaluation within a statement, as gc has it: calls and other operations that gc puts in
//! temporaries run first, from left to right; what only reads variables and memory is read after
//! the last of them.
//!
//! Operands are evaluated in *contexts*: the operands of a statement, of a call, of one side of
//! `&&`. Where a plain read stands before a call in a context, everything up to that call that gc
//! evaluates at its place is put in temporaries first.
use super::func::Fun;
use super::scan::{self, Part};
use super::stmt::is_place;
use crate::tir::*;
use crate::types::ty::{Basic, Ty, TyKind};
use std::collections::HashMap;

/// Expressions of the contexts open here that have been evaluated, and into what slots. Bodies do
/// not move while they are compiled, so that an expression is known by its address; copies made in
/// passing have contexts of their own, which end before they do.
#[derive(Default)]
pub struct Evaluated {
    slots: HashMap<usize, u32>,
    order: Vec<usize>,
}

/// An open context.
#[must_use]
pub struct Context(usize);

/// An operand of a context.
#[derive(Clone, Copy)]
pub enum Root<'e> {
    Value(&'e Expr),
    /// What is stored to: its own operands alone are read.
    Place(&'e Expr),
}

/// What a walk over a context has found.
#[derive(Default)]
struct Found<'e> {
    /// What gc evaluates at its place, in order.
    early: Vec<&'e Expr>,
    /// So many of them must be evaluated before the rest.
    needed: usize,
    /// A plain read of memory has been passed.
    reads: bool,
}

impl<'e> Found<'e> {
    fn early(&mut self, e: &'e Expr) {
        self.early.push(e);
        if self.reads && runs_code(e) {
            self.needed = self.early.len();
        }
    }
}

fn address(e: &Expr) -> usize {
    std::ptr::from_ref(e) as usize
}

impl Fun<'_, '_> {
    /// The slots of an expression that a context has evaluated.
    pub fn evaluated(&self, e: &Expr) -> Option<u32> {
        match self.evaluated.order.is_empty() {
            true => None,
            false => self.evaluated.slots.get(&address(e)).copied(),
        }
    }

    /// Opens the context of operands: see the head of this file.
    pub fn context<'e>(&mut self, roots: impl IntoIterator<Item = &'e Expr>) -> Context {
        self.context_of(roots.into_iter().map(Root::Value))
    }

    pub fn context_of<'e>(&mut self, roots: impl IntoIterator<Item = Root<'e>>) -> Context {
        let mark = Context(self.evaluated.order.len());
        let mut found = Found::default();
        for r in roots {
            match r {
                Root::Value(e) => self.survey(e, &mut found),
                Root::Place(e) => self.survey_place(e, &mut found),
            }
        }
        for e in &found.early[..found.needed] {
            let slot = self.eval(e, None);
            self.evaluated.slots.insert(address(e), slot);
            self.evaluated.order.push(address(e));
        }
        mark
    }

    pub fn close(&mut self, context: Context) {
        for e in self.evaluated.order.drain(context.0..) {
            self.evaluated.slots.remove(&e);
        }
    }

    /// The context of a statement's operands, in gc's order.
    pub fn statement_context(&mut self, s: &Stmt) -> Context {
        match &s.kind {
            StmtKind::Let(_, Some(e)) | StmtKind::Expr(e) => self.context([e]),
            StmtKind::Assign(place, e) => self.context_of([Root::Place(place), Root::Value(e)]),
            StmtKind::OpAssign(_, place, e) => {
                self.context_of([Root::Value(place), Root::Value(e)])
            }
            StmtKind::AssignMany(list) => {
                let places = list.iter().filter_map(|x| x.0.as_ref()).map(Root::Place);
                let values = list.iter().map(|x| Root::Value(&x.1));
                self.context_of(places.chain(values))
            }
            StmtKind::AssignTuple(places, e) => {
                let places = places.iter().flatten().map(Root::Place);
                self.context_of(places.chain([Root::Value(e)]))
            }
            StmtKind::Return(es) => self.context(es),
            StmtKind::Send(c, e) => self.context([c, e]),
            StmtKind::Range(r) => self.context([&r.over]),
            _ => self.context([]),
        }
    }

    /// Notes in `found` what an expression reads and runs.
    fn survey<'e>(&mut self, e: &'e Expr, found: &mut Found<'e>) {
        if self.evaluated(e).is_some() {
            return;
        }
        if self.is_early(e) {
            return found.early(e);
        }
        match &e.kind {
            ExprKind::AddrOf(place) => return self.survey_place(place, found),
            // What is needed in memory, and is not there, is put there.
            ExprKind::Convert(ConvKind::ToInterface, x)
                if !is_place(x) && self.converts_by_address(x) =>
            {
                return found.early(x);
            }
            ExprKind::Compare(_, a, b) if self.is_aggregate(a) => {
                for x in [a, b] {
                    match is_place(x) {
                        true => self.survey(x, found),
                        false => found.early(x),
                    }
                }
                return;
            }
            _ => {}
        }
        scan::parts(e, &mut |p| {
            if let Part::Expr(x) = p {
                self.survey(x, found);
            }
        });
        found.reads |= match &e.kind {
            ExprKind::Local(l) => self.home(*l).boxed,
            ExprKind::Global(_)
            | ExprKind::Deref(_)
            | ExprKind::Index(..)
            | ExprKind::MapIndex(..)
            | ExprKind::Convert(
                ConvKind::BytesToString | ConvKind::RunesToString | ConvKind::SliceToArray,
                _,
            ) => true,
            _ => false,
        };
    }

    fn survey_place<'e>(&mut self, e: &'e Expr, found: &mut Found<'e>) {
        match &e.kind {
            ExprKind::Local(_) | ExprKind::Global(_) => {}
            ExprKind::Deref(p) => self.survey(p, found),
            ExprKind::Field(base, _) => self.survey_place(base, found),
            ExprKind::Index(base, i) => {
                let ty = self.sub(base.ty);
                match self.under(ty) {
                    TyKind::Array(..) => self.survey_place(base, found),
                    _ => self.survey(base, found),
                }
                self.survey(i, found);
            }
            ExprKind::MapIndex(m, k, _) => {
                self.survey(m, found);
                self.survey(k, found);
            }
            _ => self.survey(e, found),
        }
    }

    /// Does gc put the value in a temporary where the expression stands?
    fn is_early(&mut self, e: &Expr) -> bool {
        match &e.kind {
            ExprKind::Call(..)
            | ExprKind::Seq(..)
            | ExprKind::Recv(..)
            | ExprKind::AndAnd(..)
            | ExprKind::OrOr(..)
            | ExprKind::Append(..)
            | ExprKind::AppendSlice(..)
            | ExprKind::Slice(..)
            | ExprKind::MapLit(_)
            | ExprKind::Copy(..)
            | ExprKind::Delete(..)
            | ExprKind::Clear(_)
            | ExprKind::Len(_)
            | ExprKind::Cap(_)
            | ExprKind::Min(_)
            | ExprKind::Max(_)
            | ExprKind::MakeSlice(..)
            | ExprKind::MakeMap(..)
            | ExprKind::MakeChan(_)
            | ExprKind::Persist(_)
            | ExprKind::Complex(..)
            | ExprKind::Real(_)
            | ExprKind::Imag(_)
            | ExprKind::Panic(_)
            | ExprKind::Recover
            | ExprKind::Print(..)
            | ExprKind::Close(_)
            | ExprKind::PmemRoot(_)
            | ExprKind::PmemLookup(_)
            | ExprKind::Raw(..)
            | ExprKind::Data(_)
            | ExprKind::TypeAssert(_, _, true)
            | ExprKind::Convert(ConvKind::StringToBytes | ConvKind::StringToRunes, _) => true,
            ExprKind::MapIndex(_, k, _) => {
                matches!(k.kind, ExprKind::Convert(ConvKind::BytesToString, _))
            }
            ExprKind::TypeAssert(_, ty, false) => {
                let ty = self.sub(*ty);
                !self.is_pointer_shaped(ty)
            }
            _ => false,
        }
    }

    /// Does gc convert a value of this type to an interface by its address?
    fn converts_by_address(&mut self, x: &Expr) -> bool {
        let ty = self.sub(x.ty);
        let basic = self.g.cx.types_ref().basic(ty);
        if matches!(self.under(ty), TyKind::Slice(_)) || basic.is_some_and(|b| b.is_string()) {
            return false;
        }
        let mut pointers = Vec::new();
        self.g.pointers(ty, 0, &mut pointers);
        let layout = self.g.cx.types_ref().layout(ty);
        let word = layout.size == layout.align && matches!(layout.size, 2 | 4 | 8);
        !word || !pointers.is_empty()
    }

    fn is_aggregate(&mut self, x: &Expr) -> bool {
        let ty = self.sub(x.ty);
        matches!(self.under(ty), TyKind::Struct(_) | TyKind::Array(..))
    }

    /// Is a value of the type a single pointer to gc?
    fn is_pointer_shaped(&self, ty: Ty) -> bool {
        match self.under(ty) {
            TyKind::Pointer(_) | TyKind::Map(..) | TyKind::Chan(..) | TyKind::Func(_) => true,
            TyKind::Basic(b) => b == Basic::UnsafePointer,
            TyKind::Array(elem, 1) => self.is_pointer_shaped(elem),
            TyKind::Struct(s) => s.fields.len() == 1 && self.is_pointer_shaped(s.fields[0].ty),
            _ => false,
        }
    }
}

/// Can evaluating it change what another operand reads?
fn runs_code(e: &Expr) -> bool {
    matches!(e.kind, ExprKind::Copy(..) | ExprKind::Delete(..)) || scan::has_call(e)
}
