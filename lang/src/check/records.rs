//! What the checker remembers of a program's own files for lints and editors: what each expression is (what each
//! name means is in `names`). Kept only when someone asks.
use super::Checker;
use super::inspect::Found;
use super::names::{Notes, Use};
use super::object::{ObjId, ObjKind, Object};
use super::operand::Operand;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, File};
use crate::syntax::literal::string_value;
use crate::syntax::symbol::Symbol;
use crate::types::ty::{Ty, TyKind};
use rustc_hash::FxHashMap;
use std::rc::Rc;

#[derive(Default)]
pub(crate) struct Records {
    exprs: FxHashMap<Span, Found>,
    /// Variables of type error that are declared where another one of their name is known, and that one.
    shadowed: Vec<(ObjId, ObjId)>,
    pub(super) names: Notes,
}

impl Checker {
    /// Begins to remember.
    pub(crate) fn record(&mut self) {
        self.records = Some(Records::default());
    }

    pub(super) fn records_here(&self) -> bool {
        let is_own = |p: super::PkgId| !self.packages[p.0 as usize].library;
        self.records.is_some() && self.env.pkg.is_some_and(is_own)
    }

    pub(super) fn record_expr(&mut self, e: &Expr, x: &Operand<'_>) {
        if !self.records_here() {
            return;
        }
        let found = self.found(x);
        if let Some(records) = &mut self.records {
            if let ExprKind::Selector { name, .. } = &e.kind {
                records.exprs.insert(name.span, found.clone());
            }
            records.exprs.insert(e.span, found);
        }
    }

    /// To be called before the name means the new object.
    pub(super) fn record_shadowing(&mut self, name: Symbol, new: ObjId) {
        if !self.records_here() || !self.is_error_variable(new) {
            return;
        }
        if let Some(old) = self.lookup_name(name)
            && self.is_error_variable(old)
            && let Some(records) = &mut self.records
        {
            records.shadowed.push((new, old));
        }
    }

    fn is_error_variable(&self, id: ObjId) -> bool {
        let ty = match self.obj(id).kind {
            ObjKind::Local(_, ty) => ty,
            ObjKind::Global(g) => self.globals[g.0 as usize].ty,
            _ => return false,
        };
        let error = self.a.names.interner.find("error");
        let error = error.and_then(|name| self.universe.scope.get(&name));
        error.is_some_and(|id| matches!(self.obj(*id).kind, ObjKind::Type(error) if error == ty))
    }

    /// Where variables of type error are declared that hide another one of their name, and where that one is.
    pub(crate) fn shadowed_errors(&self) -> Vec<(Span, Span)> {
        let pairs = self.records.iter().flat_map(|records| &records.shadowed);
        let pairs = pairs.map(|(new, old)| (self.obj(*new).span, self.obj(*old).span));
        pairs.collect()
    }

    pub(crate) fn found_at(&self, span: Span) -> Option<&Found> {
        self.records.as_ref()?.exprs.get(&span)
    }

    fn object_at(&self, span: Span) -> Option<&Object> {
        match self.records.as_ref()?.names.use_at(span)? {
            Use::Object(id) => Some(self.obj(id)),
            _ => None,
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

    pub(crate) fn is_package(&self, span: Span) -> bool {
        let object = self.object_at(span);
        object.is_some_and(|object| matches!(object.kind, ObjKind::Package(_)))
    }

    pub(crate) fn is_pvar(&self, span: Span) -> bool {
        match self.object_at(span).map(|object| &object.kind) {
            Some(ObjKind::Global(g)) => self.globals[g.0 as usize].root.is_some(),
            _ => false,
        }
    }

    /// Where objects are named, sorted, and where they are declared.
    pub(crate) fn object_uses(&self) -> Vec<(Span, Span)> {
        let objects = self.records.iter().flat_map(|r| r.names.objects());
        let mut all: Vec<_> = objects
            .map(|(span, id)| (span, self.obj(id).span))
            .collect();
        all.sort();
        all
    }

    /// Where the variable is declared that a name means.
    pub(crate) fn variable_at(&self, name: Span) -> Option<Span> {
        let object = self.object_at(name)?;
        let is_variable = matches!(object.kind, ObjKind::Local(..) | ObjKind::Global(_));
        is_variable.then_some(object.span)
    }

    pub(crate) fn is_builtin(&self, span: Span, name: &str) -> bool {
        matches!(self.found_at(span), Some(Found::Builtin(found)) if *found == name)
    }

    pub(crate) fn is_map(&self, span: Span) -> bool {
        let kind = self.type_at(span).map(|ty| self.a.types.under(ty));
        matches!(kind, Some(TyKind::Map(..)))
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

    /// Names are shown as from package main.
    pub(crate) fn look_from_main(&mut self) {
        self.last_chunk = Some(super::PkgId(0));
    }

    /// The smallest expression that a place is in.
    pub(crate) fn smallest_expr(&self, covers: &dyn Fn(Span) -> bool) -> Option<(Span, Found)> {
        let exprs = &self.records.as_ref()?.exprs;
        let around = exprs.iter().filter(|(span, _)| covers(**span));
        let smallest = around.min_by_key(|(span, _)| span.hi - span.lo);
        smallest.map(|(span, found)| (*span, found.clone()))
    }

    /// What the expression is that has this text, the nearest before a place or else any; or the variable of this name.
    pub(crate) fn expr_of_text(
        &self,
        file: crate::source::FileId,
        offset: u32,
        text: &str,
    ) -> Option<Found> {
        let distance = |span: Span| (span.lo > offset, offset.abs_diff(span.lo));
        let exprs = &self.records.as_ref()?.exprs;
        let same = exprs.iter().filter(|(span, found)| {
            span.file == file
                && (span.hi - span.lo) as usize == text.len()
                && self.sources.text(**span) == text
                && !matches!(found, Found::Nothing | Found::NoValue)
        });
        if let Some((_, found)) = same.min_by_key(|(span, _)| distance(**span)) {
            return Some(found.clone());
        }
        let name = self.a.names.interner.find(text)?;
        let objects = self
            .a
            .objects
            .iter()
            .filter(|o| o.name == name && o.span.file == file);
        let nearest = objects.min_by_key(|o| distance(o.span))?;
        match nearest.kind {
            ObjKind::Local(_, ty) | ObjKind::Type(ty) => Some(match nearest.kind {
                ObjKind::Type(_) => Found::Type(ty),
                _ => Found::Value(ty),
            }),
            ObjKind::Global(g) => Some(Found::Value(self.globals[g.0 as usize].ty)),
            ObjKind::Package(p) => Some(Found::Package(p)),
            _ => None,
        }
    }

    /// The names that are declared before a place of a file, at package level, or predeclared.
    pub(crate) fn names_before(
        &mut self,
        file: crate::source::FileId,
        offset: u32,
    ) -> Vec<super::Name> {
        let mut names = self.visible_names();
        let locals: Vec<(Symbol, ObjId)> = (0..self.a.objects.len() as u32)
            .map(ObjId)
            .filter(|id| {
                let o = self.obj(*id);
                let is_local = matches!(o.kind, ObjKind::Local(..) | ObjKind::Package(_));
                is_local && o.span.file == file && o.span.lo < offset
            })
            .map(|id| (self.obj(id).name, id))
            .collect();
        // The nearest declaration of a name comes first.
        let locals = locals.into_iter().rev();
        let mut all: Vec<super::Name> = locals.map(|(name, id)| self.named(name, id)).collect();
        all.append(&mut names);
        all
    }
}
