//! Declares the package-level objects of parsed files: names only, resolved when they are needed.
use super::object::{DeclRef, ObjId, ObjKind, State};
use super::{Checker, is_exported};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::{self, DeclKind, ExprKind, Ident, StmtKind};
use crate::syntax::symbol::Symbol;
use crate::types::ty::PkgId;
use rustc_hash::FxHashSet;

impl Checker {
    pub(super) fn collect_objects(&mut self, pkg: PkgId) {
        for file in self.packages[pkg.0 as usize].files.clone() {
            let ast = self.files[file as usize].clone();
            let unchanged = match self.interactive {
                true => self.unchanged_types(pkg, &ast),
                false => FxHashSet::default(),
            };
            for (i, decl) in ast.decls.iter().enumerate() {
                let i = i as u32;
                if let DeclKind::Type(specs) = &decl.kind {
                    for (spec, s) in (0..).zip(specs) {
                        if !unchanged.contains(&(i, spec)) {
                            self.collect_type(pkg, file, i, spec, s);
                        }
                    }
                    continue;
                }
                self.collect_decl(pkg, file, i, decl, false);
            }
            let shared = self.shared_names(&ast);
            for (i, stmt) in ast.stmts.iter().enumerate() {
                match &stmt.kind {
                    StmtKind::Decl(decl) => self.collect_decl(pkg, file, i as u32, decl, true),
                    StmtKind::Define { names, .. }
                        if self.interactive || names.iter().any(|n| shared.contains(&n.name)) =>
                    {
                        self.collect_define(pkg, names);
                    }
                    _ => {}
                }
            }
        }
    }

    /// The variables that `:=` at a script's top must make package-level ones: those whose names
    /// stand in a function declaration, and what is defined together with them. All others are
    /// locals of the script, which are faster and checked for use.
    fn shared_names(&self, ast: &ast::File) -> FxHashSet<Symbol> {
        let mut shared = FxHashSet::default();
        let defines: Vec<&[Ident]> = ast
            .stmts
            .iter()
            .filter_map(|s| match &s.kind {
                StmtKind::Define { names, .. } => Some(&names[..]),
                _ => None,
            })
            .collect();
        if defines.is_empty() || self.interactive {
            return shared;
        }
        for decl in &ast.decls {
            if matches!(decl.kind, DeclKind::Func(_)) {
                let words = self.sources.text(decl.span);
                let words = words.split(|c: char| !c.is_alphanumeric() && c != '_');
                shared.extend(words.filter_map(|w| self.a.names.interner.find(w)));
            }
        }
        loop {
            let before = shared.len();
            for names in &defines {
                if names.iter().any(|n| shared.contains(&n.name)) {
                    shared.extend(names.iter().map(|n| n.name));
                }
            }
            if shared.len() == before {
                return shared;
            }
        }
    }

    /// `x := e` declares package-level variables.
    fn collect_define(&mut self, pkg: PkgId, names: &[Ident]) {
        for n in names {
            if self.is_blank(n.name) || self.packages[pkg.0 as usize].scope.contains_key(&n.name) {
                continue;
            }
            let id = self.a.object(
                n.name,
                n.span,
                Some(pkg),
                ObjKind::Unresolved,
                State::White,
                None,
            );
            self.packages[pkg.0 as usize].scope.insert(n.name, id);
        }
    }

    fn collect_decl(&mut self, pkg: PkgId, file: u32, decl: u32, d: &ast::Decl, stmt: bool) {
        match &d.kind {
            DeclKind::Func(f) => self.collect_func(pkg, file, decl, f),
            DeclKind::Const(specs) => {
                for (spec, s) in specs.iter().enumerate() {
                    for (name, n) in s.names.iter().enumerate() {
                        let at = DeclRef::Const {
                            file,
                            decl,
                            spec: spec as u32,
                            name: name as u32,
                        };
                        // Inside a script's statements they are declared there.
                        if !stmt {
                            self.declare_package_object(pkg, *n, at);
                        }
                    }
                }
            }
            DeclKind::Var(specs) | DeclKind::Pvar(specs) => {
                for (spec, s) in specs.iter().enumerate() {
                    for (name, n) in s.names.iter().enumerate() {
                        let at = DeclRef::Var {
                            file,
                            decl,
                            spec: spec as u32,
                            name: name as u32,
                            stmt,
                        };
                        self.declare_package_object(pkg, *n, at);
                    }
                }
            }
            // At top level they are collected by `collect_type`; a script's statements declare theirs.
            DeclKind::Type(_) => {}
        }
    }

    fn collect_type(&mut self, pkg: PkgId, file: u32, decl: u32, spec: u32, s: &ast::TypeSpec) {
        let at = DeclRef::Type { file, decl, spec };
        let id = self.declare_package_object(pkg, s.name, at);
        self.obj_mut(id).alias = s.alias;
    }

    fn collect_func(&mut self, pkg: PkgId, file: u32, decl: u32, f: &ast::FuncDecl) {
        if let Some(recv) = &f.receiver {
            if let Some(base) = receiver_base(&recv.ty) {
                let methods = &mut self.packages[pkg.0 as usize].methods;
                methods.entry(base.name).or_default().push((file, decl));
            } else {
                let package = &mut self.packages[pkg.0 as usize];
                package.foreign_methods.push((file, decl));
            }
            return;
        }
        let main_pkg = self.a.names.packages[pkg.0 as usize].0 == "main";
        let name = f.name.name;
        if name == self.universe.init || (name == self.universe.main && main_pkg) {
            let text = self.name(name).to_string();
            if !f.type_params.is_empty() {
                let span = f.type_params[0]
                    .names
                    .first()
                    .map_or(f.name.span, |n| n.span);
                let message = format!("func {text} must have no type parameters");
                self.err(Code::InvalidDeclaration, span, message);
            }
            if !f.ty.params.is_empty() || !f.ty.results.is_empty() {
                let message = format!("func {text} must have no arguments and no return values");
                self.err(Code::InvalidDeclaration, f.name.span, message);
            }
        }
        if name == self.universe.init {
            if f.body.is_none() {
                self.err(
                    Code::InvalidDeclaration,
                    f.name.span,
                    "func init must have a body",
                );
            } else {
                self.packages[pkg.0 as usize].inits.push((file, decl));
            }
            return;
        }
        if self.is_blank(name) {
            self.packages[pkg.0 as usize].blank_funcs.push((file, decl));
            return;
        }
        self.declare_package_object(pkg, f.name, DeclRef::Func { file, decl });
    }

    fn declare_package_object(&mut self, pkg: PkgId, name: Ident, decl: DeclRef) -> ObjId {
        let id = self.a.object(
            name.name,
            name.span,
            Some(pkg),
            ObjKind::Unresolved,
            State::White,
            Some(decl),
        );
        self.packages[pkg.0 as usize].objects.push(id);
        if self.is_blank(name.name) {
            return id;
        }
        let is_func = matches!(decl, DeclRef::Func { .. });
        let main_pkg = self.a.names.packages[pkg.0 as usize].0 == "main";
        if !is_func && name.name == self.universe.init {
            let message = "cannot declare init - must be func";
            self.err(Code::InvalidDeclaration, name.span, message);
            return id;
        }
        if !is_func && name.name == self.universe.main && main_pkg {
            let message = "cannot declare main - must be func";
            self.err(Code::InvalidDeclaration, name.span, message);
            return id;
        }
        let scope = &mut self.packages[pkg.0 as usize].scope;
        match scope.get(&name.name) {
            Some(&other) => self.redeclared(name, other),
            None => {
                scope.insert(name.name, id);
            }
        }
        id
    }

    pub(super) fn redeclared(&mut self, name: Ident, other: ObjId) {
        let text = self.name(name.name).to_string();
        let other_span = self.obj(other).span;
        let mut d = Diagnostic::error(
            Code::Redeclared,
            name.span,
            format!("{text} redeclared in this block"),
        );
        if other_span != Default::default() {
            d = d.also(other_span, format!("other declaration of {text}"));
        }
        self.diagnostics.push(d);
    }

    /// What is said through the name of a package that is not there is no error of its own.
    pub(super) fn declare_failed_import(&mut self, file: u32, spec: &ast::ImportSpec) {
        let path = self.name(spec.path);
        let last = path.rsplit('/').next().unwrap_or_default().to_string();
        let name = match spec.name {
            Some(n) => n.name,
            None => self.a.get(&last),
        };
        let id = self
            .a
            .object(name, spec.path_span, None, ObjKind::Bad, State::Black, None);
        self.obj_mut(id).used = true;
        self.file_scopes[file as usize].entry(name).or_insert(id);
    }

    pub(super) fn declare_import(
        &mut self,
        pkg: PkgId,
        file: u32,
        spec: &ast::ImportSpec,
        imported: PkgId,
    ) {
        let (name, span) = match spec.name {
            Some(n) if self.is_blank(n.name) => return,
            Some(n) if self.name(n.name) == "." => {
                self.dot_import(pkg, file, spec, imported);
                return;
            }
            Some(n) => (n.name, n.span),
            None => {
                let text = self.a.names.packages[imported.0 as usize].0.clone();
                (self.a.get(&text), spec.path_span)
            }
        };
        if name == self.universe.init {
            let message = "cannot import package as init - init must be a func";
            self.err(Code::Import, span, message);
            return;
        }
        let kind = ObjKind::Package(imported);
        let id = self
            .a
            .object(name, span, Some(pkg), kind, State::Black, None);
        let ident = Ident { name, span };
        if let Some(&other) = self.file_scopes[file as usize].get(&name) {
            self.redeclared(ident, other);
            return;
        }
        if let Some(&other) = self.packages[pkg.0 as usize].scope.get(&name) {
            let text = self.name(name).to_string();
            let other = self.obj(other).span;
            let path = self.name(spec.path).to_string();
            let d = Diagnostic::error(
                Code::Redeclared,
                other,
                format!("{text} already declared through import of package {text} (\"{path}\")"),
            )
            .also(span, format!("other declaration of {text}"));
            self.diagnostics.push(d);
        }
        self.file_scopes[file as usize].insert(name, id);
    }

    fn dot_import(&mut self, pkg: PkgId, file: u32, spec: &ast::ImportSpec, imported: PkgId) {
        let mut all: Vec<_> = self.packages[imported.0 as usize]
            .scope
            .iter()
            .map(|(n, o)| (*n, *o))
            .collect();
        all.sort();
        self.dot_imports.entry((file, imported)).or_insert(false);
        for (name, obj) in all {
            if !is_exported(self.name(name)) {
                continue;
            }
            if let Some(&own) = self.packages[pkg.0 as usize].scope.get(&name) {
                let text = self.name(name).to_string();
                let (p, path) = (
                    self.a.names.packages[imported.0 as usize].0.clone(),
                    self.name(spec.path).to_string(),
                );
                let message = format!(
                    "{text} already declared through dot-import of package {p} (\"{path}\")"
                );
                let at = self.obj(own).span;
                self.err(Code::Redeclared, at, message);
            }
            self.file_scopes[file as usize].insert(name, obj);
        }
    }

    /// `"os" imported and not used`, for every file of a package.
    pub(super) fn report_unused_imports(&mut self, pkg: PkgId) {
        for file in self.packages[pkg.0 as usize].files.clone() {
            let ast = self.files[file as usize].clone();
            for spec in &ast.imports {
                let span = spec.name.map_or(spec.path_span, |n| n.span);
                if spec.name.is_some_and(|n| self.name(n.name) == ".") {
                    self.report_unused_dot_import(file, spec);
                    continue;
                }
                let found = self.file_scopes[file as usize]
                    .values()
                    .copied()
                    .find(|id| {
                        let o = self.obj(*id);
                        matches!(o.kind, ObjKind::Package(_)) && o.span == span
                    });
                let Some(id) = found else {
                    continue;
                };
                if self.obj(id).used {
                    continue;
                }
                let path = self.name(spec.path).to_string();
                let name = self.name(self.obj(id).name).to_string();
                let last = path.rsplit('/').next().unwrap_or(&path);
                let message = match name == last {
                    true => format!("\"{path}\" imported and not used"),
                    false => format!("\"{path}\" imported as {name} and not used"),
                };
                self.err(Code::UnusedImport, spec.span, message);
            }
        }
    }
}

impl Checker {
    fn report_unused_dot_import(&mut self, file: u32, spec: &ast::ImportSpec) {
        let path = self.name(spec.path).to_string();
        let Some(&imported) = self.by_path.get(&path) else {
            return;
        };
        if self.dot_imports.get(&(file, imported)) == Some(&false) {
            let message = format!("\"{path}\" imported and not used");
            self.err(Code::UnusedImport, spec.span, message);
        }
    }
}

/// The base type name of a receiver: `T` in `T`, `*T`, `T[P]`, `*T[P]`.
pub(super) fn receiver_base(e: &ast::Expr) -> Option<Ident> {
    match &e.kind {
        ExprKind::Paren(x) | ExprKind::Star(x) => receiver_base(x),
        ExprKind::Index { operand, .. } => receiver_base(operand),
        _ => e.as_ident(),
    }
}
