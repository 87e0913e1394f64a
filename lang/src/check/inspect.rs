//! What a session's names and expressions are, for completion, hints and questions: nothing here changes the program.
use super::names::Target;
use super::object::{DeclRef, ObjId, ObjKind, State};
use super::operand::{Mode, Operand};
use super::{Checker, INVALID, is_exported};
use crate::package::PackageSource;
use crate::source::Span;
use crate::syntax::ast::{DeclKind, FuncDecl};
use crate::syntax::symbol::Symbol;
use crate::tir::ExprKind;
use crate::types::ty::{FuncId, PkgId, Ty, TyKind};
use rustc_hash::FxHashSet;

/// What an expression is.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// In error, or no expression.
    Nothing,
    /// A call without results.
    NoValue,
    Nil,
    Builtin(&'static str),
    Type(Ty),
    Value(Ty),
    /// A declared function.
    Func(FuncId, Ty),
    Package(PkgId),
}

/// A name that may stand somewhere, and what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    pub text: String,
    pub kind: NameKind,
    /// `func(s string) int`, `var int`, `package`.
    pub detail: String,
    /// The comment before its declaration, `//` included.
    pub doc: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameKind {
    Const,
    Type,
    Var,
    Func,
    Method,
    Field,
    Package,
    Keyword,
}

impl Checker {
    pub(super) fn found(&self, x: &Operand<'_>) -> Found {
        match (x.mode, &x.tir.kind) {
            (Mode::Invalid, _) => Found::Nothing,
            (Mode::NoValue, _) => Found::NoValue,
            (Mode::Builtin(b), _) => Found::Builtin(b.name()),
            (Mode::Nil, _) => Found::Nil,
            (Mode::Type, _) => Found::Type(x.ty),
            (_, ExprKind::Func(f)) => Found::Func(f.func, x.ty),
            _ => Found::Value(x.ty),
        }
    }

    /// What is found, for people: a type, mostly.
    pub(crate) fn found_text(&self, found: &Found) -> Option<String> {
        Some(match found {
            Found::Nothing => return None,
            Found::NoValue => "no value".to_string(),
            Found::Nil => "untyped nil".to_string(),
            Found::Builtin(name) => format!("builtin {name}"),
            Found::Package(p) => format!("package {}", self.a.names.packages[p.0 as usize].1),
            Found::Type(ty) => {
                let under = self.a.types.underlying(*ty);
                match under == *ty {
                    true => format!("type {}", self.session_text(*ty)),
                    false => {
                        let (name, under) = (self.session_text(*ty), self.session_text(under));
                        format!("type {name} {under}")
                    }
                }
            }
            Found::Value(ty) => self.session_text(*ty),
            Found::Func(f, ty) => self.header(*f).unwrap_or_else(|| self.session_text(*ty)),
        })
    }

    /// A type as messages of the session show it.
    fn session_text(&self, ty: Ty) -> String {
        let pkg = self
            .last_chunk
            .map_or(PkgId(u32::MAX), |p| self.packages[p.0 as usize].identity);
        match self.a.types.kind(ty) {
            TyKind::Tuple(tys) => {
                let all: Vec<String> = tys.iter().map(|t| self.session_text(*t)).collect();
                format!("({})", all.join(", "))
            }
            _ => self.a.types.display(ty, &self.a.names, pkg),
        }
    }

    pub(super) fn func_decl(&self, f: FuncId) -> Option<(&FuncDecl, Span)> {
        let (file, decl) = self.funcs[f.0 as usize].source?;
        let decl = &self.files[file as usize].decls[decl as usize];
        match &decl.kind {
            DeclKind::Func(d) => Some((d, decl.span)),
            _ => None,
        }
    }

    /// `func F(x int) string`, as it is written.
    fn header(&self, f: FuncId) -> Option<String> {
        let (d, span) = self.func_decl(f)?;
        let hi = d.body.as_ref().map_or(span.hi, |b| b.span.lo);
        let text = self.sources.text(Span { hi, ..span });
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Fields and methods of a value, methods of a type, or the exported names of a package.
    pub(crate) fn members(&mut self, found: &Found) -> Vec<Name> {
        let (ty, is_type) = match *found {
            Found::Value(ty) | Found::Func(_, ty) => (ty, false),
            Found::Type(ty) => (ty, true),
            Found::Package(p) => return self.exported_names(p),
            _ => return Vec::new(),
        };
        self.flush_pending();
        let pkg = self
            .last_chunk
            .map(|p| self.packages[p.0 as usize].identity);
        let mut out = Vec::new();
        if !is_type {
            let mut seen = FxHashSet::default();
            self.fields(ty, pkg, &mut seen, &mut out);
        }
        let is_named = matches!(self.a.types.kind(ty), TyKind::Named(_));
        // A variable's address can be taken.
        let full = match is_named && !is_type && !self.a.types.is_interface(ty) {
            true => self.a.types.pointer(ty),
            false => ty,
        };
        for entry in self.a.types.method_set(full) {
            if entry.method.pkg.is_some_and(|p| Some(p) != pkg) {
                continue;
            }
            let text = self.name(entry.method.name).to_string();
            let func = entry.func.map(|f| f.func);
            let written = func.and_then(|f| self.header(f));
            let detail = written.unwrap_or_else(|| self.session_text(entry.method.sig));
            out.push(Name {
                text,
                kind: NameKind::Method,
                detail,
                doc: func.map(|f| self.func_comment(f)).unwrap_or_default(),
            });
        }
        out
    }

    fn fields(&self, ty: Ty, pkg: Option<PkgId>, seen: &mut FxHashSet<Ty>, out: &mut Vec<Name>) {
        let ty = self.a.types.pointee(ty).unwrap_or(ty);
        let TyKind::Struct(s) = self.a.types.under(ty) else {
            return;
        };
        if !seen.insert(ty) {
            return;
        }
        for f in &s.fields {
            if f.pkg.is_some_and(|p| Some(p) != pkg) && !is_exported(self.name(f.name)) {
                continue;
            }
            out.push(Name {
                text: self.name(f.name).to_string(),
                kind: NameKind::Field,
                detail: self.session_text(f.ty),
                doc: String::new(),
            });
            if f.embedded {
                self.fields(f.ty, pkg, seen, out);
            }
        }
    }

    fn exported_names(&mut self, pkg: PkgId) -> Vec<Name> {
        let scope = &self.packages[pkg.0 as usize].scope;
        let mut list: Vec<(Symbol, ObjId)> = scope.iter().map(|(n, id)| (*n, *id)).collect();
        list.retain(|(n, _)| is_exported(self.name(*n)));
        list.into_iter().map(|(n, id)| self.named(n, id)).collect()
    }

    /// The import path of the package that a name means.
    pub(crate) fn package_path(
        &mut self,
        source: &dyn PackageSource,
        name: &str,
    ) -> Option<String> {
        let pkg = self.package_named(source, name)?;
        Some(self.a.names.packages[pkg.0 as usize].1.clone())
    }

    /// The package that the session has under a name, or one of the library.
    pub(crate) fn package_named(
        &mut self,
        source: &dyn PackageSource,
        name: &str,
    ) -> Option<PkgId> {
        match self.session_object(name) {
            Some(id) => match self.obj(id).kind {
                ObjKind::Package(p) => Some(p),
                _ => None,
            },
            None => {
                let path = super::load::implicit_path(name);
                let known = source.load(path, ".").is_ok_and(|p| p.is_library);
                let diagnostics = std::mem::take(&mut self.diagnostics);
                let found = known
                    .then(|| self.import_path(path, Span::default(), ".", source))
                    .flatten();
                self.diagnostics = diagnostics;
                found
            }
        }
    }

    fn session_object(&self, name: &str) -> Option<ObjId> {
        let name = self.a.names.interner.find(name)?;
        self.object_of_chunks(self.last_chunk, name)
    }

    pub(super) fn named(&mut self, name: Symbol, id: ObjId) -> Name {
        if self.obj(id).state == State::White {
            self.resolve(id);
        }
        let detail = match self.obj(id).kind.clone() {
            ObjKind::Unresolved | ObjKind::Bad => String::new(),
            ObjKind::Const(ty, _) => format!("const {}", self.session_text(ty)),
            ObjKind::Type(_) | ObjKind::GenericAlias(_) => "type".to_string(),
            ObjKind::Global(g) => {
                let global = &self.globals[g.0 as usize];
                let word = match global.root {
                    Some(_) => "pvar",
                    None => "var",
                };
                format!("{word} {}", self.session_text(global.ty))
            }
            ObjKind::Local(_, ty) => self.session_text(ty),
            ObjKind::Func(f) => self.header(f).unwrap_or_default(),
            ObjKind::Builtin(_) => "builtin".to_string(),
            ObjKind::Nil => "nil".to_string(),
            ObjKind::Package(_) => "package".to_string(),
        };
        let (kind, doc) = match self.obj(id).kind {
            ObjKind::Const(..) | ObjKind::Nil => (NameKind::Const, self.declared_comment(id)),
            ObjKind::Type(_) | ObjKind::GenericAlias(_) => {
                (NameKind::Type, self.declared_comment(id))
            }
            ObjKind::Func(f) => (NameKind::Func, self.func_comment(f)),
            ObjKind::Builtin(_) => (NameKind::Func, String::new()),
            ObjKind::Package(_) => (NameKind::Package, String::new()),
            ObjKind::Global(_) => (NameKind::Var, self.declared_comment(id)),
            ObjKind::Local(..) | ObjKind::Unresolved | ObjKind::Bad => {
                (NameKind::Var, String::new())
            }
        };
        Name {
            text: self.name(name).to_string(),
            kind,
            detail,
            doc,
        }
    }

    fn func_comment(&self, f: FuncId) -> String {
        let decl = self.func_decl(f);
        decl.map_or_else(String::new, |(_, span)| self.comment_before(span))
    }

    /// The comment before an object that is declared in a file; predeclared ones have none.
    fn declared_comment(&self, id: ObjId) -> String {
        let span = self.obj(id).span;
        match span.lo < span.hi {
            true => self.comment_before(span),
            false => String::new(),
        }
    }

    /// All names that the session has declared, and the predeclared ones.
    pub(crate) fn visible_names(&mut self) -> Vec<Name> {
        let mut seen: FxHashSet<Symbol> = FxHashSet::default();
        let mut list: Vec<(Symbol, ObjId)> = Vec::new();
        let mut at = self.last_chunk;
        while let Some(p) = at {
            let package = &self.packages[p.0 as usize];
            list.extend(package.scope.iter().map(|(n, id)| (*n, *id)));
            at = package.outer;
        }
        list.extend(self.universe.scope.iter().map(|(n, id)| (*n, *id)));
        let blank = self.universe.blank;
        list.retain(|(n, _)| *n != blank && seen.insert(*n));
        list.into_iter().map(|(n, id)| self.named(n, id)).collect()
    }

    /// What the session knows of a name: its declaration and the comment before it.
    pub(crate) fn description(&mut self, name: &str) -> Option<String> {
        let (ty, method) = match name.split_once('.') {
            Some((ty, method)) => (ty, Some(method)),
            None => (name, None),
        };
        let id = self.session_object(ty)?;
        let symbol = self.obj(id).name;
        if let Some(method) = method {
            let ObjKind::Type(t) = self.obj(id).kind else {
                return None;
            };
            let p = self.a.types.pointer(t);
            let set = self.a.types.method_set(p);
            let entry = set.iter().find(|e| self.name(e.method.name) == method)?;
            let f = entry.func.as_ref()?.func;
            return self.func_text(f);
        }
        let detail = self.named(symbol, id).detail;
        match self.obj(id).kind.clone() {
            ObjKind::Func(f) => self.func_text(f),
            ObjKind::Type(t) if t != INVALID => {
                let mut out = self.type_text(id)?;
                let p = self.a.types.pointer(t);
                for entry in self.a.types.method_set(p) {
                    let f = entry.func.filter(|_| entry.path.is_empty());
                    if let Some(text) = f.and_then(|f| self.header(f.func)) {
                        out.push_str(&format!("\n{text}"));
                    }
                }
                Some(out)
            }
            ObjKind::Package(_) => None,
            _ => {
                let (word, ty) = detail.split_once(' ').unwrap_or((&detail, ""));
                Some(format!("{word} {name} {ty}"))
            }
        }
    }

    /// What a name means, for people: its declaration and the comment before that.
    pub(crate) fn target_text(&mut self, target: Target) -> String {
        let id = match target {
            Target::Method(f) => return self.func_text(f).unwrap_or_default(),
            Target::Label(at) => return format!("label {}", self.sources.text(at)),
            Target::Member(_) => return String::new(),
            Target::Unwritten(name, sig) => {
                let sig = self.session_text(sig);
                let sig = sig.strip_prefix("func").unwrap_or(&sig);
                return format!("func {}{sig}", self.name(name));
            }
            Target::Object(id) => id,
        };
        let name = self.obj(id).name;
        let detail = self.named(name, id).detail;
        let name = self.name(name).to_string();
        match self.obj(id).kind {
            ObjKind::Func(f) => self.func_text(f).unwrap_or(detail),
            ObjKind::Type(_) | ObjKind::GenericAlias(_) => {
                self.type_text(id).unwrap_or_else(|| format!("type {name}"))
            }
            ObjKind::Local(..) => format!("var {name} {detail}"),
            ObjKind::Const(..) | ObjKind::Global(_) => {
                let comment = self.comment_before(self.obj(id).span);
                let (word, ty) = detail.split_once(' ').unwrap_or((&detail, ""));
                format!("{comment}{word} {name} {ty}")
            }
            _ => format!("{detail} {name}"),
        }
    }

    fn func_text(&self, f: FuncId) -> Option<String> {
        Some(format!("{}{}", self.func_comment(f), self.header(f)?))
    }

    fn type_text(&self, id: ObjId) -> Option<String> {
        let DeclRef::Type { file, decl, spec } = self.obj(id).decl? else {
            return None;
        };
        let d = &self.files[file as usize].decls[decl as usize];
        let DeclKind::Type(specs) = &d.kind else {
            return None;
        };
        let comment = self.comment_before(d.span);
        let text = self.sources.text(specs[spec as usize].span);
        Some(format!("{comment}type {text}"))
    }

    /// The `//` lines right before a declaration.
    pub(super) fn comment_before(&self, span: Span) -> String {
        let text = &self.sources.file(span.file).text()[..span.lo as usize];
        let mut start = text.rfind('\n').map_or(0, |at| at + 1);
        let end = start;
        while start > 0 {
            let line = text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
            if !text[line..start].trim_start().starts_with("//") {
                break;
            }
            start = line;
        }
        let lines = text[start..end].lines();
        lines.map(|l| format!("{l}\n")).collect()
    }
}
