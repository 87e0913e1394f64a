//! What the checker remembers of a program's own files for lints and editors: what each expression is, and what each name
//! means. Kept only when someone asks.
use super::Checker;
use super::inspect::Found;
use super::object::{ObjId, ObjKind};
use super::operand::Operand;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, File};
use crate::syntax::literal::string_value;
use crate::syntax::symbol::Symbol;
use crate::types::ty::{FuncId, Ty, TyKind};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// What a name means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    Object(ObjId),
    Method(FuncId),
}

#[derive(Default)]
pub(crate) struct Records {
    exprs: FxHashMap<Span, Found>,
    /// By the span of the name.
    uses: FxHashMap<Span, Target>,
}

impl Checker {
    /// Begins to remember.
    pub(crate) fn record(&mut self) {
        self.records = Some(Records::default());
    }

    fn records_here(&self) -> bool {
        let is_own = |p: super::PkgId| !self.packages[p.0 as usize].library;
        self.records.is_some() && self.env.pkg.is_some_and(is_own)
    }

    pub(super) fn record_expr(&mut self, e: &Expr, x: &Operand<'_>) {
        if !self.records_here() {
            return;
        }
        let found = self.found(x);
        if let Some(records) = &mut self.records {
            records.exprs.insert(e.span, found);
        }
    }

    /// Of a selector, its last name means the target.
    pub(super) fn record_use(&mut self, e: &Expr, target: Target) {
        let span = match &e.kind {
            ExprKind::Selector { name, .. } => name.span,
            _ => e.span,
        };
        if self.records_here()
            && let Some(records) = &mut self.records
        {
            records.uses.insert(span, target);
        }
    }

    fn found_at(&self, span: Span) -> Option<&Found> {
        self.records.as_ref()?.exprs.get(&span)
    }

    fn object_at(&self, span: Span) -> Option<&ObjKind> {
        match self.records.as_ref()?.uses.get(&span)? {
            Target::Object(id) => Some(&self.obj(*id).kind),
            Target::Method(_) => None,
        }
    }

    /// The files of the program and of its local packages.
    pub(crate) fn own_files(&self) -> Vec<Rc<File>> {
        let is_own = |file: &u32| {
            let pkg = self.file_pkgs[*file as usize];
            !self.packages[pkg.0 as usize].library
        };
        let all = (0..self.files.len() as u32).filter(is_own);
        all.map(|file| self.files[file as usize].clone()).collect()
    }

    /// The type of the value at a place; none of nil, types, and calls without results.
    pub(crate) fn type_at(&self, span: Span) -> Option<Ty> {
        match *self.found_at(span)? {
            Found::Value(ty) | Found::Func(_, ty) => Some(ty),
            _ => None,
        }
    }

    /// The type's name; of an untyped constant, its default type's.
    pub(crate) fn text_of_type(&self, ty: Ty) -> String {
        match self.ty_str(ty).strip_prefix("untyped ") {
            Some("float") => "float64".to_string(),
            Some(name) => name.to_string(),
            None => self.ty_str(ty),
        }
    }

    pub(crate) fn is_panic(&self, span: Span) -> bool {
        matches!(self.found_at(span), Some(Found::Builtin("panic")))
    }

    pub(crate) fn is_package(&self, span: Span) -> bool {
        matches!(self.object_at(span), Some(ObjKind::Package(_)))
    }

    pub(crate) fn is_pvar(&self, span: Span) -> bool {
        match self.object_at(span) {
            Some(ObjKind::Global(g)) => self.globals[g.0 as usize].root.is_some(),
            _ => false,
        }
    }

    /// Is the value at a place neither a channel nor a function?
    pub(crate) fn is_data(&self, span: Span) -> bool {
        let kind = self.type_at(span).map(|ty| self.a.types.under(ty));
        kind.is_some_and(|kind| !matches!(kind, TyKind::Chan(..) | TyKind::Func(_)))
    }

    /// May a type's values be errors?
    pub(crate) fn is_error(&mut self, ty: Ty) -> bool {
        let under = self.a.types.under(ty);
        matches!(under, TyKind::Interface(_) | TyKind::Param(_))
            || self.methods_of(ty).iter().any(|name| name == "Error")
    }

    /// The names of the methods that values of a type have.
    pub(crate) fn methods_of(&mut self, ty: Ty) -> Vec<String> {
        self.flush_pending();
        let set = self.a.types.method_set(ty);
        let names = set
            .iter()
            .map(|entry| self.name(entry.method.name).to_string());
        names.collect()
    }

    /// A string literal's value, given as written.
    pub(crate) fn literal_text(&self, text: Symbol) -> String {
        String::from_utf8_lossy(&string_value(self.name(text))).into_owned()
    }
}
