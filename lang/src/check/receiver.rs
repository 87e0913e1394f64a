//! Receivers (spec "Method declarations"): the type that a method belongs to, aliases followed, and
//! what is wrong with methods of other types.
use super::collect::receiver_base;
use super::object::{DeclRef, ObjId, ObjKind, State};
use super::{Checker, INVALID};
use crate::codes::Code;
use crate::syntax::ast::{self, DeclKind, Expr, ExprKind};
use crate::syntax::symbol::Symbol;
use crate::types::ty::{PkgId, TyKind};

impl Checker {
    /// Enters methods whose receiver is an alias under the name of the type it denotes.
    pub(super) fn follow_receiver_aliases(&mut self, pkg: PkgId) {
        let mut names: Vec<Symbol> = self.packages[pkg.0 as usize]
            .methods
            .keys()
            .copied()
            .collect();
        names.sort();
        for name in names {
            let Some((base, _)) = self.alias_base(pkg, name).filter(|(b, _)| *b != name) else {
                continue;
            };
            let methods = &mut self.packages[pkg.0 as usize].methods;
            let moved = methods.remove(&name).unwrap_or_default();
            let list = methods.entry(base).or_default();
            list.extend(moved);
            list.sort_unstable();
        }
    }

    /// The defined type of the package that a name denotes, found without resolving anything, and
    /// whether an alias on the way is a pointer to it.
    fn alias_base(&self, pkg: PkgId, name: Symbol) -> Option<(Symbol, bool)> {
        let (mut name, mut pointer) = (name, false);
        let mut seen = Vec::new();
        loop {
            let id = *self.packages[pkg.0 as usize].scope.get(&name)?;
            let DeclRef::Type { file, decl, spec } = self.obj(id).decl? else {
                return None;
            };
            if !self.obj(id).alias {
                return Some((name, pointer));
            }
            if seen.contains(&name) {
                return None;
            }
            seen.push(name);
            let DeclKind::Type(specs) = &self.files[file as usize].decls[decl as usize].kind else {
                return None;
            };
            let spec = &specs[spec as usize];
            if !spec.type_params.is_empty() {
                return None;
            }
            let mut e = spec.ty.unparen();
            if let ExprKind::Star(x) = &e.kind
                && !pointer
            {
                pointer = true;
                e = x.unparen();
            }
            name = e.as_ident()?.name;
        }
    }

    /// The defined types that an alias mentions are resolved before it, so that it has its type
    /// when they refer to it.
    pub(super) fn resolve_defined_types(&mut self, alias: ObjId) {
        let (mut todo, mut seen) = (vec![alias], vec![alias]);
        while let Some(id) = todo.pop() {
            let Some(DeclRef::Type { file, decl, spec }) = self.obj(id).decl else {
                continue;
            };
            let ast = self.files[file as usize].clone();
            let DeclKind::Type(specs) = &ast.decls[decl as usize].kind else {
                continue;
            };
            let words = self.sources.text(specs[spec as usize].ty.span);
            let words = words.split(|c: char| !c.is_alphanumeric() && c != '_');
            let words: Vec<Symbol> = words
                .filter_map(|w| self.a.names.interner.find(w))
                .collect();
            let pkg = self.file_pkgs[file as usize];
            for word in words {
                let Some(&found) = self.packages[pkg.0 as usize].scope.get(&word) else {
                    continue;
                };
                if seen.contains(&found)
                    || self.obj(found).state != State::White
                    || !matches!(self.obj(found).decl, Some(DeclRef::Type { .. }))
                {
                    continue;
                }
                seen.push(found);
                match self.obj(found).alias {
                    true => todo.push(found),
                    false => self.resolve(found),
                }
            }
        }
    }

    /// Is a receiver `*T`, or an alias of it?
    pub(super) fn is_pointer_receiver(&self, e: &Expr) -> bool {
        if matches!(e.unparen().kind, ExprKind::Star(_)) {
            return true;
        }
        let (Some(name), Some(pkg)) = (e.unparen().as_ident(), self.env.pkg) else {
            return false;
        };
        self.alias_base(pkg, name.name).is_some_and(|(_, p)| p)
    }

    /// Methods belong to a type of their package; the others are checked as functions.
    pub(super) fn check_methods_have_types(&mut self, pkg: PkgId) {
        self.check_foreign_methods(pkg);
        let mut all: Vec<_> = self.packages[pkg.0 as usize]
            .methods
            .iter()
            .map(|(n, l)| (*n, l.clone()))
            .collect();
        all.sort();
        for (name, list) in all {
            let found = self.packages[pkg.0 as usize].scope.get(&name).copied();
            let is_type = found.is_some_and(|id| {
                matches!(self.obj(id).decl, Some(DeclRef::Type { .. })) && !self.obj(id).alias
            });
            if is_type {
                continue;
            }
            for (file, decl) in list {
                let ast = self.files[file as usize].clone();
                let DeclKind::Func(d) = &ast.decls[decl as usize].kind else {
                    continue;
                };
                let Some(recv) = &d.receiver else {
                    continue;
                };
                self.packages[pkg.0 as usize].blank_funcs.push((file, decl));
                self.bad_receiver(pkg, file, found, name, recv);
            }
        }
    }

    /// `func (r *other.T) m()` and receivers that are no types at all.
    fn check_foreign_methods(&mut self, pkg: PkgId) {
        for (file, decl) in self.packages[pkg.0 as usize].foreign_methods.clone() {
            let ast = self.files[file as usize].clone();
            let DeclKind::Func(d) = &ast.decls[decl as usize].kind else {
                continue;
            };
            self.packages[pkg.0 as usize].blank_funcs.push((file, decl));
            let Some(recv) = &d.receiver else {
                continue;
            };
            let mut base = recv.ty.unparen();
            if let ExprKind::Star(x) = &base.kind {
                base = x.unparen();
            }
            let env = self.file_env(file);
            self.in_env(env, |c| {
                let ty = c.typ(base);
                if ty == INVALID {
                    return;
                }
                let text = c.ty_str(ty);
                let message = match c.a.types.kind(ty) {
                    TyKind::Named(_) | TyKind::Basic(_) => {
                        format!("cannot define new methods on non-local type {text}")
                    }
                    _ => format!("invalid receiver type {text}"),
                };
                c.err(Code::InvalidDeclaration, base.span, message);
            });
        }
    }

    fn bad_receiver(
        &mut self,
        pkg: PkgId,
        file: u32,
        found: Option<ObjId>,
        name: Symbol,
        recv: &ast::Param,
    ) {
        let saved = self.env.pkg.replace(pkg);
        let text = self.name(name).to_string();
        let span = receiver_base(&recv.ty).map_or(recv.ty.span, |i| i.span);
        let imported = self.file_scopes[file as usize].get(&name).copied();
        let found = found.or(imported);
        if let Some(id) = found
            && self.obj(id).state == State::White
        {
            self.resolve(id);
        }
        let kind = match found {
            Some(id) => Some(self.obj(id).kind.clone()),
            None => self
                .universe
                .scope
                .get(&name)
                .map(|id| self.obj(*id).kind.clone()),
        };
        let message = match kind {
            None => format!("undefined: {text}"),
            Some(ObjKind::Bad | ObjKind::Unresolved | ObjKind::Type(INVALID)) => {
                self.env.pkg = saved;
                return;
            }
            Some(ObjKind::GenericAlias(alias)) => {
                let params = self.type_params_text(&alias.params);
                format!("cannot define new methods on generic alias type {text}{params}")
            }
            Some(ObjKind::Type(ty)) => {
                let base = match self.a.types.kind(ty) {
                    TyKind::Pointer(e) => *e,
                    _ => ty,
                };
                match self.a.types.kind(base).clone() {
                    TyKind::Named(n) if self.a.types.named[n.0 as usize].origin.is_some() => {
                        let text = self.ty_str(base);
                        format!("cannot define new methods on instantiated type {text}")
                    }
                    TyKind::Named(n) if self.a.types.named[n.0 as usize].pkg == Some(pkg) => {
                        format!("invalid receiver type {text}")
                    }
                    TyKind::Named(_) | TyKind::Basic(_) => {
                        format!("cannot define new methods on non-local type {text}")
                    }
                    TyKind::Pointer(_) | TyKind::Interface(_) => {
                        format!("invalid receiver type {text} (pointer or interface type)")
                    }
                    _ => format!("invalid receiver type {}", self.text(&recv.ty)),
                }
            }
            Some(_) => format!("{text} is not a type"),
        };
        self.err(Code::InvalidDeclaration, span, message);
        self.env.pkg = saved;
    }

    /// `[P any, Q C]`.
    pub(super) fn type_params_text(&self, params: &[crate::types::ty::ParamId]) -> String {
        let list: Vec<String> = params
            .iter()
            .map(|p| {
                let p = &self.a.types.params[p.0 as usize];
                format!("{} {}", self.name(p.name), self.ty_str(p.constraint))
            })
            .collect();
        format!("[{}]", list.join(", "))
    }

    /// The names in the receiver of a method that belongs to no type.
    pub(super) fn bind_bad_receiver_params(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Paren(x) | ExprKind::Star(x) => self.bind_bad_receiver_params(x),
            ExprKind::Index { args, .. } => {
                for n in args.iter().filter_map(|a| a.as_ident()) {
                    self.declare_local(n, ObjKind::Bad);
                }
            }
            _ => {}
        }
    }
}
