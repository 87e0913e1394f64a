//! What a session's chunk declares again. Functions and methods of the same signature replace the old ones, in all that
//! was compiled before too; variables of the same type stay the same variables; types whose declaration has not changed
//! stay the same types. Anything else is a new thing that hides the old one, and what was compiled before keeps to that.
use super::object::{DeclRef, ObjId, ObjKind};
use super::{Checker, Dep, FuncInfo};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, DeclKind};
use crate::syntax::symbol::Symbol;
use crate::tir::{self, GlobalId};
use crate::types::ty::{Basic, FuncId, Method, NamedId, ParamId, PkgId, Ty, TyKind};
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

/// What a session remembers of it, and what its newest chunk has done.
#[derive(Default)]
pub(super) struct Redefinitions {
    /// Functions that were declared again, with what they are now.
    current: FxHashMap<FuncId, FuncId>,
    /// Types that hide others of their names, and types of what may be in the heap.
    hiding: FxHashSet<NamedId>,
    pub(super) stored: FxHashSet<NamedId>,
    /// Of the newest chunk: what the user is told, …
    notes: Vec<String>,
    /// … types whose methods have changed, as they were, …
    methods_before: Vec<(NamedId, Vec<Method>)>,
    /// … methods that another one stands for, or that have another signature now, …
    same_methods: Vec<(FuncId, FuncId)>,
    changed_methods: Vec<Symbol>,
    /// … types in the heap that it declares otherwise, …
    stored_changes: Vec<(NamedId, NamedId, Span)>,
    /// … and the functions that others stand for now, as they were.
    bodies_before: Vec<Replaced>,
}

/// What a function was before another one took its place; the body's types mention the type parameters.
struct Replaced {
    func: FuncId,
    body: Option<Rc<tir::Body>>,
    type_params: Vec<ParamId>,
    deps: Vec<Dep>,
}

/// What code generation is to do after a chunk.
#[derive(Default)]
pub(crate) struct Renewed {
    /// Functions whose bodies are others now.
    pub funcs: Vec<FuncId>,
    /// Names of methods whose signatures are others now.
    pub methods: Vec<Symbol>,
    /// Types that are compiled already have got methods.
    pub types: bool,
}

impl Checker {
    /// A chunk begins.
    pub(super) fn forget_changes(&mut self) {
        let r = &mut self.redefinitions;
        r.notes.clear();
        r.methods_before.clear();
        r.same_methods.clear();
        r.changed_methods.clear();
        r.stored_changes.clear();
        r.bodies_before.clear();
    }

    /// What the user should know of the newest chunk.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.redefinitions.notes)
    }

    /// The newest chunk failed, or was only asked about: types have the methods that they had.
    pub(super) fn restore_methods(&mut self) {
        for (n, methods) in std::mem::take(&mut self.redefinitions.methods_before) {
            self.a.types.named[n.0 as usize].methods = methods;
            self.method_sets.clear();
            self.wrappers.clear();
        }
    }

    /// What the chunks before call by this name.
    pub(super) fn outer_object(&self, pkg: PkgId, name: Symbol) -> Option<ObjId> {
        self.object_of_chunks(self.packages[pkg.0 as usize].outer, name)
    }

    /// What a chunk, or those before it, call by this name.
    pub(super) fn object_of_chunks(&self, mut at: Option<PkgId>, name: Symbol) -> Option<ObjId> {
        while let Some(p) = at {
            let package = &self.packages[p.0 as usize];
            if let Some(&id) = package.scope.get(&name) {
                return Some(id);
            }
            at = package.outer;
        }
        None
    }

    // Types.

    /// The type declarations of a chunk that say what they said before: declaration, spec.
    pub(super) fn unchanged_types(&self, pkg: PkgId, ast: &ast::File) -> FxHashSet<(u32, u32)> {
        let mut same = FxHashMap::default();
        let mut changed: FxHashSet<Symbol> = FxHashSet::default();
        for (d, decl) in (0..).zip(&ast.decls) {
            match &decl.kind {
                DeclKind::Type(specs) => {
                    for (s, spec) in (0..).zip(specs) {
                        match self.same_declaration(pkg, spec) {
                            Some(file) => {
                                same.insert((d, s), (spec, file));
                            }
                            None => {
                                changed.insert(spec.name.name);
                            }
                        }
                    }
                }
                DeclKind::Const(specs) => {
                    changed.extend(specs.iter().flat_map(|s| s.names.iter().map(|n| n.name)));
                }
                _ => {}
            }
        }
        // What mentions something that has changed has changed.
        loop {
            let is_stale = |(spec, file): &(&ast::TypeSpec, u32)| {
                self.words(spec.span).any(|word| {
                    let newer = self.outer_object(pkg, word).is_some_and(|id| {
                        self.obj(id).decl.is_some_and(|decl| decl.file() > *file)
                    });
                    word != spec.name.name && (changed.contains(&word) || newer)
                })
            };
            let stale = same.iter().find(|(_, v)| is_stale(v)).map(|(k, _)| *k);
            let Some(stale) = stale else {
                return same.into_keys().collect();
            };
            if let Some((spec, _)) = same.remove(&stale) {
                changed.insert(spec.name.name);
            }
        }
    }

    fn words(&self, span: Span) -> impl Iterator<Item = Symbol> {
        let text = self.sources.text(span);
        text.split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter_map(|w| self.a.names.interner.find(w))
    }

    /// The file where a type was declared in the same words.
    fn same_declaration(&self, pkg: PkgId, spec: &ast::TypeSpec) -> Option<u32> {
        let id = self.outer_object(pkg, spec.name.name)?;
        let DeclRef::Type {
            file,
            decl,
            spec: s,
        } = self.obj(id).decl?
        else {
            return None;
        };
        let DeclKind::Type(specs) = &self.files[file as usize].decls[decl as usize].kind else {
            return None;
        };
        let (old, new) = (
            self.sources.text(specs[s as usize].span),
            self.sources.text(spec.span),
        );
        let same = old.split_whitespace().eq(new.split_whitespace());
        same.then_some(file)
    }

    /// A declared type hides one of an earlier chunk: they are told apart.
    pub(super) fn hide_type(&mut self, n: NamedId, name: ast::Ident) {
        let Some(pkg) = self.env.pkg.filter(|_| self.interactive) else {
            return;
        };
        let Some(ObjKind::Type(old)) = self
            .outer_object(pkg, name.name)
            .map(|id| self.obj(id).kind.clone())
        else {
            return;
        };
        let TyKind::Named(old) = *self.a.types.kind(old) else {
            return;
        };
        self.local_types += 1;
        self.a.types.named[n.0 as usize].local = self.local_types;
        self.redefinitions.hiding.insert(n);
        if self.redefinitions.stored.contains(&old) {
            let change = (old, n, name.span);
            self.redefinitions.stored_changes.push(change);
        }
    }

    /// Values of this type may get into the heap.
    pub(super) fn note_stored(&mut self, t: Ty, span: Span) {
        if !self.interactive && self.records.is_none() {
            return;
        }
        let (mut seen, mut work) = (FxHashSet::default(), vec![t]);
        while let Some(t) = work.pop() {
            if !seen.insert(t) {
                continue;
            }
            if let TyKind::Named(n) = *self.a.types.kind(t) {
                if self.redefinitions.hiding.contains(&n) {
                    let text = self.ty_str(t);
                    let message = format!("cannot store {text}: it was declared otherwise before");
                    let d = Diagnostic::error(Code::Redeclared, span, message)
                        .help("`:reset` forgets the session's names; then declare it again");
                    self.diagnostics.push(d);
                    return;
                }
                self.redefinitions.stored.insert(n);
            }
            match self.a.types.under(t) {
                TyKind::Pointer(e) | TyKind::Slice(e) | TyKind::Array(e, _) => work.push(*e),
                TyKind::Map(k, v) => work.extend([*k, *v]),
                TyKind::Struct(s) => work.extend(s.fields.iter().map(|f| f.ty)),
                _ => {}
            }
        }
    }

    /// Types whose values are in the heap cannot change while it is open: says what another declaration would do.
    pub(super) fn refuse_stored_changes(&mut self) {
        for (old, new, span) in std::mem::take(&mut self.redefinitions.stored_changes) {
            let named = |n| self.a.types.find(&TyKind::Named(n));
            let (Some(old), Some(new)) = (named(old), named(new)) else {
                continue;
            };
            let text = self.ty_str(old);
            let message =
                format!("cannot change {text} in this session: the heap may hold values of it");
            let mut d = Diagnostic::error(Code::Redeclared, span, message);
            for change in self.changes(old, new) {
                d = d.note(change);
            }
            self.diagnostics.push(
                d.help("`:reset`, then declare it so: the heap is migrated when it is used next"),
            );
        }
    }

    /// What a changed declaration does to values in the heap (LANGUAGE.md §6).
    fn changes(&self, old: Ty, new: Ty) -> Vec<String> {
        let (TyKind::Struct(a), TyKind::Struct(b)) =
            (self.a.types.under(old), self.a.types.under(new))
        else {
            return vec!["its values would need pmem.Migrate".to_string()];
        };
        let mut out = Vec::new();
        for f in &b.fields {
            let (name, ty) = (self.name(f.name), self.ty_str(f.ty));
            let tag = f.tag.as_deref().unwrap_or_default();
            let was = tag
                .split_once("pmem:\"was=")
                .and_then(|(_, rest)| rest.split_once('"'))
                .map(|(name, _)| name);
            let before = a.fields.iter().find(|o| match was {
                Some(was) => self.name(o.name) == was,
                None => o.name == f.name,
            });
            match before {
                None => out.push(format!("field {name} {ty} is new: it would be zero")),
                Some(o) if o.ty != f.ty => {
                    let from = self.ty_str(o.ty);
                    let how = match self.widens(o.ty, f.ty) {
                        true => "its values would be widened",
                        false => "that needs pmem.Migrate",
                    };
                    out.push(format!("field {name} is {ty} instead of {from}: {how}"));
                }
                Some(_) if was.is_some() => out.push(format!("field {name} has another name")),
                Some(_) => {}
            }
        }
        for o in &a.fields {
            let kept = b.fields.iter().any(|f| {
                let was = format!("pmem:\"was={}\"", self.name(o.name));
                f.name == o.name || f.tag.as_deref().is_some_and(|t| t.contains(&was))
            });
            if !kept {
                let name = self.name(o.name);
                out.push(format!(
                    "field {name} is gone: its values would be lost, which needs pmem.Migrate or `pgo heap migrate --drop`"
                ));
            }
        }
        out
    }

    fn widens(&self, from: Ty, to: Ty) -> bool {
        use Basic::*;
        let rank = |b| match b {
            Int8 => Some((0, 1)),
            Int16 => Some((0, 2)),
            Int32 => Some((0, 4)),
            Int | Int64 => Some((0, 8)),
            Uint8 => Some((1, 1)),
            Uint16 => Some((1, 2)),
            Uint32 => Some((1, 4)),
            Uint | Uint64 => Some((1, 8)),
            Float32 => Some((2, 4)),
            Float64 => Some((2, 8)),
            _ => None,
        };
        let rank = |t| self.a.types.basic(t).and_then(rank);
        matches!((rank(from), rank(to)), (Some((k, a)), Some((l, b))) if k == l && a <= b)
    }

    // Methods.

    /// Gives types of earlier chunks the methods that this one declares for them.
    pub(super) fn adopt_methods(&mut self, pkg: PkgId) {
        let package = &self.packages[pkg.0 as usize];
        let mut names: Vec<Symbol> = package.methods.keys().copied().collect();
        names.retain(|n| !package.scope.contains_key(n));
        names.sort();
        for name in names {
            let Some(n) = self.session_type(pkg, name) else {
                continue;
            };
            let list = self.packages[pkg.0 as usize].methods.remove(&name);
            let before = self.a.types.named[n.0 as usize].methods.clone();
            self.redefinitions.methods_before.push((n, before));
            for (file, decl) in list.unwrap_or_default() {
                let env = self.file_env(file);
                self.in_env(env, |c| c.adopt_method(n, name, file, decl));
            }
            self.method_sets.clear();
            self.wrappers.clear();
        }
    }

    /// A type that an earlier chunk has declared.
    fn session_type(&self, pkg: PkgId, name: Symbol) -> Option<NamedId> {
        let o = self.obj(self.outer_object(pkg, name)?);
        let (ObjKind::Type(ty), false) = (&o.kind, o.alias) else {
            return None;
        };
        match *self.a.types.kind(*ty) {
            TyKind::Named(n) => {
                let named = &self.a.types.named[n.0 as usize];
                let own = named.pkg == Some(self.packages[pkg.0 as usize].identity);
                (own && named.origin.is_none()).then_some(n)
            }
            _ => None,
        }
    }

    fn adopt_method(&mut self, n: NamedId, ty_name: Symbol, file: u32, decl: u32) {
        let ast = self.files[file as usize].clone();
        let DeclKind::Func(d) = &ast.decls[decl as usize].kind else {
            return;
        };
        let Some(recv) = &d.receiver else {
            return;
        };
        let ptr_recv = self.is_pointer_receiver(&recv.ty);
        let f = self.new_func(file, decl, Some(n), d, ptr_recv);
        self.resolve_func(f);
        let name = d.name.name;
        if self.is_blank(name) {
            return;
        }
        let ty = self.a.types.intern(TyKind::Named(n));
        if let TyKind::Struct(s) = self.a.types.under(ty)
            && s.fields.iter().any(|f| f.name == name)
        {
            let (t, m) = (self.name(ty_name).to_string(), self.name(name).to_string());
            let message = format!("field and method with the same name {t}.{m}");
            self.err(Code::Redeclared, d.name.span, message);
            return;
        }
        let pkg = self.name_pkg(name);
        let method = Method {
            name,
            pkg,
            func: f,
            ptr_recv,
        };
        let methods = &mut self.a.types.named[n.0 as usize].methods;
        let Some(at) = methods.iter().position(|m| m.name == name) else {
            methods.push(method);
            return;
        };
        let old = std::mem::replace(&mut methods[at], method);
        let was = old.func;
        if old.ptr_recv == ptr_recv && self.have_one_signature(was, f) {
            self.a.types.named[n.0 as usize].methods[at] = old;
            self.redefinitions.same_methods.push((was, f));
            return;
        }
        self.redefinitions.changed_methods.push(name);
        self.note_callers(was);
    }

    // Functions and variables.

    /// The variable of an earlier chunk that this declaration means, too.
    pub(super) fn kept_variable(
        &mut self,
        id: ObjId,
        ty: Ty,
        persistent: bool,
    ) -> Option<GlobalId> {
        let o = self.obj(id);
        let (name, span, pkg) = (o.name, o.span, o.pkg?);
        let outer = self.outer_object(pkg, name)?;
        let ObjKind::Global(g) = self.obj(outer).kind else {
            return None;
        };
        let old = &self.globals[g.0 as usize];
        let (was, is_root) = (old.ty, old.root.is_some());
        if was == ty && is_root == persistent {
            return Some(g);
        }
        let text = self.name(name).to_string();
        if is_root && persistent {
            let message = format!(
                "cannot redeclare {text}: it is a persistent variable of type {}",
                self.ty_str(was)
            );
            let d = Diagnostic::error(Code::Redeclared, span, message)
                .help("`:reset` first: what the heap holds is migrated then, if it can be");
            self.diagnostics.push(d);
        } else if is_root {
            let note =
                format!("{text} is a volatile variable now; the heap keeps the persistent one");
            self.redefinitions.notes.push(note);
        }
        let mentions = |d: &Dep| matches!(d, Dep::Var(v) if matches!(self.obj(*v).kind, ObjKind::Global(o) if o == g));
        let users = self.users(mentions);
        if !users.is_empty() && !self.is_blank(name) {
            let what = format!("{text} is another variable now, of another type; ");
            self.note_users(&what, users);
        }
        None
    }

    /// Functions of the session, by name, whose bodies mention something.
    fn users(&self, mentions: impl Fn(&Dep) -> bool) -> Vec<String> {
        let current = &self.redefinitions.current;
        let mut users: Vec<String> = (0..)
            .zip(&self.funcs)
            .filter(|(i, f)| {
                let in_use = f.source.is_some() && !current.contains_key(&FuncId(*i));
                in_use
                    && !self.packages[f.decl.pkg.0 as usize].library
                    && f.deps.iter().any(&mentions)
            })
            .map(|(_, f)| f.decl.name.trim_start_matches("main.").to_string())
            .collect();
        users.sort();
        users.dedup();
        users
    }

    fn note_users(&mut self, what: &str, users: Vec<String>) {
        let (keeps, it) = match users.len() {
            1 => ("keeps", "it was"),
            _ => ("keep", "they were"),
        };
        let users = users.join(", ");
        let note = format!("{what}{users} {keeps} to the old one until {it} declared again");
        let note = note
            .replace("until it was", "until it is")
            .replace("until they were", "until they are");
        self.redefinitions.notes.push(note);
    }

    /// A function, and those that it has taken the place of.
    fn versions(&self, f: FuncId) -> Vec<FuncId> {
        let current = &self.redefinitions.current;
        let mut all: Vec<FuncId> = current
            .iter()
            .filter(|(_, now)| **now == f)
            .map(|(f, _)| *f)
            .collect();
        all.push(f);
        all.sort();
        all
    }

    /// Functions that call this one, or what it was, call what it is.
    fn note_callers(&mut self, old: FuncId) {
        let olds = self.versions(old);
        let name = self.funcs[old.0 as usize].decl.name.clone();
        let name = name.trim_start_matches("main.").to_string();
        let mentions = |d: &Dep| matches!(d, Dep::Func(f) if olds.contains(f));
        let mut users = self.users(mentions);
        users.retain(|u| *u != name);
        if !users.is_empty() {
            self.note_users(&format!("{name} has another signature now; "), users);
        }
    }

    /// Do two functions differ in nothing that a caller sees? The names of type parameters do not matter.
    fn have_one_signature(&mut self, a: FuncId, b: FuncId) -> bool {
        let (a, b) = (&self.funcs[a.0 as usize], &self.funcs[b.0 as usize]);
        let (params, others) = (a.decl.type_params.clone(), b.decl.type_params.clone());
        let mut pairs = vec![(a.sig, b.sig)];
        let types = &mut self.a.types;
        let args: Vec<Ty> = others
            .iter()
            .map(|p| types.intern(TyKind::Param(*p)))
            .collect();
        let constraint = |p: &ParamId| types.params[p.0 as usize].constraint;
        pairs.extend(
            params
                .iter()
                .map(constraint)
                .zip(others.iter().map(constraint)),
        );
        params.len() == others.len()
            && pairs
                .into_iter()
                .all(|(of_a, of_b)| types.subst(of_a, &params, &args) == of_b)
    }

    /// The chunk is right: what it declares again takes the place of the old.
    pub(super) fn renew(&mut self, pkg: PkgId) -> Renewed {
        let mut pairs = std::mem::take(&mut self.redefinitions.same_methods);
        let scope = &self.packages[pkg.0 as usize].scope;
        let mut own: Vec<(Symbol, FuncId)> = scope
            .iter()
            .filter_map(|(n, id)| match self.obj(*id).kind {
                ObjKind::Func(f) => Some((*n, f)),
                _ => None,
            })
            .collect();
        own.sort();
        for (name, new) in own {
            let old = self
                .outer_object(pkg, name)
                .map(|id| self.obj(id).kind.clone());
            let Some(ObjKind::Func(old)) = old else {
                continue;
            };
            let (a, b) = (&self.funcs[old.0 as usize], &self.funcs[new.0 as usize]);
            let is_library = self.packages[a.decl.pkg.0 as usize].library;
            if a.decl.kind == b.decl.kind && self.have_one_signature(old, new) {
                pairs.push((old, new));
            } else if !is_library {
                self.note_callers(old);
            }
        }
        let mut funcs = Vec::new();
        for (old, new) in pairs {
            let all = self.versions(old);
            let body = self.checked_body(new);
            let FuncInfo { decl, deps, .. } = &self.funcs[new.0 as usize];
            let (type_params, deps) = (decl.type_params.clone(), deps.clone());
            for f in all {
                let info = &mut self.funcs[f.0 as usize];
                self.redefinitions.bodies_before.push(Replaced {
                    func: f,
                    body: info.body.replace(body.clone()),
                    type_params: std::mem::replace(&mut info.decl.type_params, type_params.clone()),
                    deps: std::mem::replace(&mut info.deps, deps.clone()),
                });
                self.redefinitions.current.insert(f, new);
                funcs.push(f);
            }
        }
        Renewed {
            funcs,
            methods: self.redefinitions.changed_methods.clone(),
            types: !self.redefinitions.methods_before.is_empty(),
        }
    }

    /// The chunk could not be compiled after all: everything is as it was before. Gives the functions to renew again.
    pub(crate) fn undo_chunk(&mut self) -> Vec<FuncId> {
        self.restore_methods();
        let before = std::mem::take(&mut self.redefinitions.bodies_before);
        self.last_chunk = self
            .last_chunk
            .and_then(|p| self.packages[p.0 as usize].outer);
        before
            .into_iter()
            .map(|was| {
                let info = &mut self.funcs[was.func.0 as usize];
                (info.body, info.deps) = (was.body, was.deps);
                info.decl.type_params = was.type_params;
                self.redefinitions.current.remove(&was.func);
                was.func
            })
            .collect()
    }
}
