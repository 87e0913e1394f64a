//! Whole programs: checking all of the user's packages, the order of initialisation, and the
//! function where execution begins. Sessions feed a program in chunks.
use super::func::FnCtx;
use super::init_order::{InitNode, init_order};
use super::object::{DeclRef, ObjId, ObjKind};
use super::operand::{ex, st};
use super::{Checker, Dep};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::package::PackageSource;
use crate::source::Span;
use crate::syntax::ast::{self, Form, StmtKind as S};
use crate::syntax::symbol::Symbol;
use crate::tir::{self, Callee, ExprKind, StmtKind};
use crate::types::ty::{FuncId, PkgId};
use rustc_hash::{FxHashMap, FxHashSet};

impl Checker {
    /// Checks a program of files (names and texts); the entry function, unless there were errors.
    pub fn check_program(
        &mut self,
        source: &dyn PackageSource,
        files: Vec<(String, Vec<u8>)>,
        dir: &str,
    ) -> Option<FuncId> {
        let pkg = self.new_package("main", "main", false);
        for (name, text) in files {
            self.add_file(pkg, &name, text);
        }
        self.malformed = self.diagnostics.iter().map(|d| d.primary.span).collect();
        if self.has_syntax_errors() {
            self.check_labels_only(pkg);
            return None;
        }
        self.check_package_names(pkg);
        self.finish_package(pkg, "main", dir, source);
        self.load_runtime(pkg, source);
        self.check_packages(0);
        let name = self.a.names.packages[pkg.0 as usize].0.clone();
        let start = self.main_function(pkg, &name);
        let order = self.package_order(pkg);
        let mut inits = self.initialisation(&order);
        if self.diagnostics.has_errors() {
            return None;
        }
        if let Some(other) = self.other_start(pkg) {
            if let (Some(main), Some(_)) = (start, self.script_file(pkg)) {
                // What is left of the script's statements.
                let span = self.funcs[main.0 as usize].decl.span;
                inits.push(self.static_call(main, span));
            }
            return Some(self.make_entry(pkg, inits, Some(other)));
        }
        Some(self.make_entry(pkg, inits, start))
    }

    /// The function that a program starts with instead of `main`, if it is declared.
    fn other_start(&self, pkg: PkgId) -> Option<FuncId> {
        let name = self.a.names.interner.find(self.start?)?;
        let id = self.packages[pkg.0 as usize].scope.get(&name)?;
        match self.obj(*id).kind {
            ObjKind::Func(f) => Some(f),
            _ => None,
        }
    }

    /// Malformed literals are no reason not to go on; what does not follow the grammar is.
    fn has_syntax_errors(&self) -> bool {
        let fatal = |d: &Diagnostic| {
            matches!(d.code, Code::TooDeep | Code::FileTooLarge)
                || d.message.starts_with("syntax error")
        };
        self.diagnostics.iter().any(fatal)
    }

    /// Jumps are checked with the syntax, so also when there are syntax errors elsewhere.
    fn check_labels_only(&mut self, pkg: PkgId) {
        for file in self.packages[pkg.0 as usize].files.clone() {
            let ast = self.files[file as usize].clone();
            for d in &ast.decls {
                if let ast::DeclKind::Func(f) = &d.kind
                    && let Some(body) = &f.body
                {
                    self.check_label_rules(&body.stmts, body.span);
                }
            }
        }
    }

    /// Resolves and checks everything in the user's packages from index `first` on.
    pub(super) fn check_packages(&mut self, first: usize) {
        for p in first..self.packages.len() {
            if self.packages[p].library {
                continue;
            }
            let pkg = PkgId(p as u32);
            self.check_methods_have_types(pkg);
            let is_script = self.script_file(pkg).is_some();
            for id in self.packages[p].objects.clone() {
                let in_stmts = matches!(self.obj(id).decl, Some(DeclRef::Var { stmt: true, .. }));
                if !(is_script && in_stmts) {
                    self.resolve(id);
                }
            }
            self.flush_pending();
        }
        for p in first..self.packages.len() {
            if self.packages[p].library {
                continue;
            }
            let pkg = PkgId(p as u32);
            if let Some(file) = self.script_file(pkg) {
                self.check_script(pkg, file);
            }
            self.check_bodies(pkg);
        }
        for p in first..self.packages.len() {
            if !self.packages[p].library && !self.interactive {
                self.report_unused_imports(PkgId(p as u32));
            }
        }
        // These do not matter while anything else is wrong.
        if !self.diagnostics.has_errors() {
            self.report_instantiation_cycles();
        }
        if !self.diagnostics.has_errors() {
            for span in std::mem::take(&mut self.large_elems) {
                let message = "channel element type too large (>64kB)";
                self.err(Code::InvalidType, span, message);
            }
            for span in std::mem::take(&mut self.missing_bodies) {
                self.err(Code::MissingBody, span, "missing function body");
            }
            for span in std::mem::take(&mut self.anonymous_cycles) {
                let message = "invalid recursive type: anonymous interface refers to itself (see https://go.dev/issue/56103)";
                self.err(Code::RecursiveType, span, message);
            }
        }
    }

    fn check_bodies(&mut self, pkg: PkgId) {
        for f in 0..self.funcs.len() {
            let f = FuncId(f as u32);
            let info = &self.funcs[f.0 as usize];
            if info.decl.pkg == pkg
                && info.source.is_some()
                && info.decl.kind == tir::FuncKind::Body
            {
                self.checked_body(f);
            }
        }
        let package = &self.packages[pkg.0 as usize];
        let unnamed = [&package.blank_funcs[..], &package.inits].concat();
        for (file, decl) in unnamed {
            let f = self.init_func(file, decl);
            self.checked_body(f);
        }
    }

    fn init_func(&mut self, file: u32, decl: u32) -> FuncId {
        let known = self
            .funcs
            .iter()
            .position(|f| f.source == Some((file, decl)));
        if let Some(f) = known {
            return FuncId(f as u32);
        }
        let ast = self.files[file as usize].clone();
        let ast::DeclKind::Func(d) = &ast.decls[decl as usize].kind else {
            unreachable!("collected from a function declaration");
        };
        let f = self.new_func(file, decl, None, d, false);
        self.resolve_func(f);
        f
    }

    pub(super) fn script_file(&self, pkg: PkgId) -> Option<u32> {
        let files = &self.packages[pkg.0 as usize].files;
        files
            .iter()
            .copied()
            .find(|f| self.files[*f as usize].form == Form::Script)
    }

    /// The statements of a script become `main.main`.
    fn check_script(&mut self, pkg: PkgId, file: u32) {
        let ast = self.files[file as usize].clone();
        let env = self.file_env(file);
        let span = match (ast.stmts.first(), ast.stmts.last()) {
            (Some(a), Some(b)) => a.span.to(b.span),
            _ => ast.end,
        };
        let (body, env) = self.in_env(env, |c| {
            c.env.fns = vec![FnCtx {
                name: "main.main".into(),
                ..FnCtx::default()
            }];
            c.open_scope();
            c.check_label_rules(&ast.stmts, span);
            c.declare_goto_labels(&ast.stmts);
            let mut out = Vec::new();
            let mut declarations = Vec::new();
            for (i, s) in ast.stmts.iter().enumerate() {
                c.is_last = i + 1 == ast.stmts.len();
                let from = out.len();
                let outer = std::mem::take(&mut c.env.deps);
                c.env.dep_set.clear();
                c.script_stmt(s, &mut out);
                let deps = std::mem::replace(&mut c.env.deps, outer);
                if c.start.is_some() {
                    declarations.push((c.declared_by(s), from..out.len(), deps.clone()));
                }
                c.env.deps.extend(deps);
            }
            if let Some(start) = c.other_start(pkg) {
                c.keep_declarations(start, declarations, &mut out);
            } else if let Some(main) = c.declared_main(pkg)
                && !c.env.deps.contains(&Dep::Func(main))
            {
                // A script's own main runs behind its statements, unless these call it.
                let call = c.static_call(main, span);
                c.env.deps.push(Dep::Func(main));
                out.push(call);
            }
            c.finish_script(span, out)
        });
        let f = self.add_synthesised("main.main".into(), pkg, span, body, env.deps);
        self.packages[pkg.0 as usize].script = Some(f);
    }

    /// `func main`, if it is declared.
    fn declared_main(&self, pkg: PkgId) -> Option<FuncId> {
        let id = self.packages[pkg.0 as usize]
            .scope
            .get(&self.universe.main)?;
        match self.obj(*id).kind {
            ObjKind::Func(f) => Some(f),
            _ => None,
        }
    }

    /// The package variables that a statement declares.
    fn declared_by(&self, s: &ast::Stmt) -> Vec<ObjId> {
        let names: Vec<&ast::Ident> = match &s.kind {
            S::Define { names, .. } => names.iter().collect(),
            S::Decl(d) => match &d.kind {
                ast::DeclKind::Var(specs) | ast::DeclKind::Pvar(specs) => {
                    specs.iter().flat_map(|spec| &spec.names).collect()
                }
                _ => return Vec::new(),
            },
            _ => return Vec::new(),
        };
        let pkg = self.env.pkg.map_or(0, |p| p.0 as usize);
        let scope = &self.packages[pkg].scope;
        names
            .iter()
            .filter_map(|n| scope.get(&n.name).copied())
            .collect()
    }

    /// Drops all statements of a script but the declarations that a function depends on.
    fn keep_declarations(
        &mut self,
        start: FuncId,
        declarations: Vec<(Vec<ObjId>, std::ops::Range<usize>, Vec<Dep>)>,
        out: &mut Vec<tir::Stmt>,
    ) {
        let mut kept = vec![false; declarations.len()];
        let mut seen: FxHashSet<Dep> = FxHashSet::default();
        let mut work = vec![Dep::Func(start)];
        while let Some(dep) = work.pop() {
            if !seen.insert(dep) {
                continue;
            }
            match dep {
                Dep::Func(f) => {
                    if self.funcs[f.0 as usize].source.is_some()
                        && self.funcs[f.0 as usize].decl.kind == tir::FuncKind::Body
                    {
                        self.checked_body(f);
                    }
                    work.extend(&self.funcs[f.0 as usize].deps);
                }
                Dep::Var(id) => {
                    for (i, (ids, _, deps)) in declarations.iter().enumerate() {
                        if ids.contains(&id) && !std::mem::replace(&mut kept[i], true) {
                            work.extend(deps);
                        }
                    }
                }
            }
        }
        let mut at = 0;
        out.retain(|_| {
            at += 1;
            let of = declarations
                .iter()
                .position(|(_, range, _)| range.contains(&(at - 1)));
            of.is_some_and(|i| kept[i])
        });
    }

    fn finish_script(&mut self, span: Span, mut out: Vec<tir::Stmt>) -> tir::Body {
        let vars = std::mem::take(&mut self.ctx().vars);
        self.report_unused(&vars);
        let mut all = self.deferred_prologue(span.start());
        all.append(&mut out);
        self.ctx().stmts = all;
        self.close_scope();
        let ctx = self.env.fns.pop().unwrap_or_default();
        let (mut body, closures) = ctx.into_body(span, span.end());
        super::fixup::settle_captures(&mut body, closures);
        body
    }

    fn is_package_var(&self, name: Symbol) -> bool {
        let pkg = self.env.pkg.map_or(0, |p| p.0 as usize);
        let id = self.packages[pkg].scope.get(&name);
        id.is_some_and(|id| {
            let o = self.obj(*id);
            matches!(o.kind, ObjKind::Global(_))
                || o.decl.is_none() && matches!(o.kind, ObjKind::Unresolved)
        })
    }

    /// A statement at the top of a script: its variables are the package's.
    fn script_stmt(&mut self, s: &ast::Stmt, out: &mut Vec<tir::Stmt>) {
        if self.interactive && self.session_stmt(s, out) {
            return;
        }
        if let S::Define {
            names,
            right,
            op_span,
        } = &s.kind
            && names
                .iter()
                .all(|n| self.is_blank(n.name) || self.is_package_var(n.name))
        {
            self.define_globals(names, right, *op_span, s, out);
            return;
        }
        let S::Decl(d) = &s.kind else {
            self.stmt(s, None, out);
            return;
        };
        let specs = match &d.kind {
            ast::DeclKind::Var(specs) | ast::DeclKind::Pvar(specs) => specs,
            _ => {
                self.stmt(s, None, out);
                return;
            }
        };
        let pkg = self.env.pkg.unwrap_or(PkgId(0));
        for spec in specs {
            let ids: Vec<ObjId> = self.packages[pkg.0 as usize]
                .objects
                .iter()
                .copied()
                .filter(|id| spec.names.iter().any(|n| n.span == self.obj(*id).span))
                .collect();
            for id in ids {
                self.resolve(id);
            }
            // The initialiser runs here, in its turn.
            let inits = &mut self.packages[pkg.0 as usize].var_inits;
            let mine =
                |v: &super::VarInit| spec.names.iter().any(|n| n.span == v.at) || v.at == spec.span;
            let mut taken = Vec::new();
            let mut i = 0;
            while i < inits.len() {
                match mine(&inits[i]) {
                    true => taken.push(inits.remove(i)),
                    false => i += 1,
                }
            }
            taken.sort_by_key(|v| v.at.lo);
            for v in taken {
                for d in v.deps {
                    self.depend(d);
                }
                out.extend(v.stmts);
                if let Some(f) = v.func {
                    let call = self.static_call(f, v.at);
                    out.push(call);
                }
            }
            // `var x T` in a loop of scripts does not exist, so zero values need no statement.
        }
    }

    fn static_call(&mut self, f: FuncId, span: Span) -> tir::Stmt {
        let nothing = self.a.types.tuple(&[]);
        let callee = Callee::Static(tir::FuncRef {
            func: f,
            targs: vec![],
        });
        st(
            span,
            StmtKind::Expr(ex(nothing, span, ExprKind::Call(callee, vec![]))),
        )
    }

    /// Where the package's execution begins: a script's statements, or main.
    pub(super) fn start_function(&self, pkg: PkgId) -> Option<FuncId> {
        let script = self.packages[pkg.0 as usize].script;
        script.or_else(|| self.declared_main(pkg))
    }

    fn main_function(&mut self, pkg: PkgId, name: &str) -> Option<FuncId> {
        match self.start_function(pkg) {
            Some(f) => Some(f),
            _ if name == "main" && self.require_main && !self.diagnostics.has_errors() => {
                let end = self.packages[pkg.0 as usize]
                    .files
                    .first()
                    .map_or(Span::default(), |f| self.files[*f as usize].end);
                let span = Span {
                    lo: 0,
                    hi: 0,
                    ..end
                };
                let message = "function main is undeclared in the main package";
                self.err(Code::NoMain, span, message);
                None
            }
            _ => None,
        }
    }

    /// Packages, those imported first.
    pub(super) fn package_order(&self, root: PkgId) -> Vec<PkgId> {
        fn visit(c: &Checker, p: PkgId, seen: &mut Vec<bool>, out: &mut Vec<PkgId>) {
            if std::mem::replace(&mut seen[p.0 as usize], true) {
                return;
            }
            let mut imports = c.packages[p.0 as usize].imports.clone();
            imports.sort_by_key(|i| c.a.names.packages[i.0 as usize].1.clone());
            for i in imports {
                visit(c, i, seen, out);
            }
            out.push(p);
        }
        let mut out = Vec::new();
        let mut seen = vec![false; self.packages.len()];
        visit(self, root, &mut seen, &mut out);
        out
    }

    /// The statements that initialise the packages, in order.
    pub(super) fn initialisation(&mut self, order: &[PkgId]) -> Vec<tir::Stmt> {
        for &p in order {
            if self.packages[p.0 as usize].library {
                for id in self.packages[p.0 as usize].objects.clone() {
                    if let Some(DeclRef::Var { file, .. }) = self.obj(id).decl
                        && !self.on_demand[file as usize]
                    {
                        self.resolve(id);
                    }
                }
            }
        }
        let mut out = Vec::new();
        for &p in order {
            self.initialise_package(p, &mut out);
            for (file, decl) in std::mem::take(&mut self.packages[p.0 as usize].inits) {
                let f = self.init_func(file, decl);
                if !self.packages[p.0 as usize].library {
                    self.checked_body(f);
                }
                let span = self.funcs[f.0 as usize].decl.span;
                let call = self.static_call(f, span);
                out.push(call);
            }
        }
        out
    }

    fn initialise_package(&mut self, p: PkgId, out: &mut Vec<tir::Stmt>) {
        let mut inits = std::mem::take(&mut self.packages[p.0 as usize].var_inits);
        if inits.is_empty() {
            return;
        }
        inits.sort_by_key(|v| (v.at.file, v.at.lo));
        // Variables with one initialiser are one.
        let mut owner: FxHashMap<ObjId, Dep> = FxHashMap::default();
        for v in &inits {
            owner.extend(v.vars.iter().map(|id| (*id, Dep::Var(v.vars[0]))));
        }
        // Variables without initialisers are ready, in their turn.
        let mut bare: Vec<ObjId> = Vec::new();
        for id in &self.packages[p.0 as usize].objects {
            if matches!(self.obj(*id).kind, ObjKind::Global(_)) && !owner.contains_key(id) {
                bare.push(*id);
            }
        }
        bare.sort_by_key(|id| (self.obj(*id).span.file, self.obj(*id).span.lo));
        let mut bare = bare.into_iter().peekable();
        let mut nodes: Vec<InitNode<Dep>> = Vec::new();
        let mut funcs: Vec<FuncId> = Vec::new();
        let mut known: FxHashSet<FuncId> = FxHashSet::default();
        let mut note = |funcs: &mut Vec<FuncId>, deps: &[Dep]| {
            for d in deps {
                if let Dep::Func(f) = d
                    && known.insert(*f)
                {
                    funcs.push(*f);
                }
            }
        };
        for v in &inits {
            let at = (v.at.file, v.at.lo);
            let before = |id: &ObjId| {
                let span = self.obj(*id).span;
                (span.file, span.lo) < at
            };
            while let Some(id) = bare.next_if(before) {
                nodes.push(ready(id));
            }
            let uses = v.deps.clone();
            note(&mut funcs, &uses);
            nodes.push(InitNode {
                id: Dep::Var(v.vars[0]),
                uses,
                is_var: true,
            });
        }
        nodes.extend(bare.map(ready));
        let mut at = 0;
        while let Some(&f) = funcs.get(at) {
            at += 1;
            let info = &self.funcs[f.0 as usize];
            if info.decl.pkg != p || info.decl.kind == tir::FuncKind::Native {
                continue;
            }
            self.checked_body(f);
            let deps = self.funcs[f.0 as usize].deps.clone();
            note(&mut funcs, &deps);
            nodes.push(InitNode {
                id: Dep::Func(f),
                uses: deps,
                is_var: false,
            });
        }
        for n in &mut nodes {
            for u in &mut n.uses {
                if let Dep::Var(id) = *u {
                    *u = owner.get(&id).copied().unwrap_or(*u);
                }
            }
        }
        let (order, cycles) = init_order(&nodes);
        let mut at: FxHashMap<Dep, usize> = FxHashMap::default();
        for (i, v) in inits.iter().enumerate() {
            at.insert(Dep::Var(v.vars[0]), i);
        }
        let order = self.migrations_first(&nodes, order, |d| at.get(&d).map(|i| &inits[*i]));
        for d in order {
            let Some(v) = at.get(&d).map(|i| &mut inits[*i]) else {
                continue;
            };
            out.append(&mut v.stmts);
            let (func, at) = (v.func, v.at);
            if let Some(f) = func {
                let call = self.static_call(f, at);
                out.push(call);
            }
        }
        for mut cycle in cycles {
            // Of several variables with one initialiser the one that is mentioned.
            let members = cycle.clone();
            for d in &mut cycle {
                let Some(v) = at.get(d).map(|i| &inits[*i]) else {
                    continue;
                };
                let mentioned = v.vars.iter().find(|id| {
                    members.iter().any(|m| match m {
                        Dep::Func(f) => self.funcs[f.0 as usize].deps.contains(&Dep::Var(**id)),
                        Dep::Var(_) => at
                            .get(m)
                            .is_some_and(|i| inits[*i].deps.contains(&Dep::Var(**id))),
                    })
                });
                *d = mentioned.map_or(*d, |id| Dep::Var(*id));
            }
            self.report_dep_cycle(&cycle);
        }
    }

    /// Variables initialised by pmem.Migrate come before persistent ones, which open the heap; so does what they need.
    fn migrations_first<'a>(
        &self,
        nodes: &[InitNode<Dep>],
        order: Vec<Dep>,
        init: impl Fn(Dep) -> Option<&'a super::VarInit>,
    ) -> Vec<Dep> {
        let is_persistent = |d: Dep| match d {
            Dep::Var(id) => match self.obj(id).kind {
                ObjKind::Global(g) => self.globals[g.0 as usize].root.is_some(),
                _ => false,
            },
            Dep::Func(_) => false,
        };
        let is_migrate = |d: &Dep| match d {
            Dep::Func(f) => {
                let decl = &self.funcs[f.0 as usize].decl;
                decl.name == "pmem.Migrate[...]" && self.packages[decl.pkg.0 as usize].library
            }
            Dep::Var(_) => false,
        };
        let migrates = |d: Dep| {
            init(d).is_some_and(|v| {
                // An initialiser with a function literal is a function itself.
                let inner = v.func.iter().flat_map(|f| &self.funcs[f.0 as usize].deps);
                v.deps.iter().chain(inner).any(is_migrate)
            })
        };
        if !order.iter().any(|d| is_persistent(*d)) {
            return order;
        }
        let mut early: FxHashSet<Dep> = FxHashSet::default();
        let mut work: Vec<Dep> = order.iter().copied().filter(|d| migrates(*d)).collect();
        while let Some(d) = work.pop() {
            if !is_persistent(d) && early.insert(d) {
                let uses = nodes.iter().filter(|n| n.id == d).flat_map(|n| &n.uses);
                work.extend(uses.copied());
            }
        }
        let (mut first, rest): (Vec<Dep>, Vec<Dep>) =
            order.into_iter().partition(|d| early.contains(d));
        first.extend(rest);
        first
    }

    pub(super) fn make_entry(
        &mut self,
        pkg: PkgId,
        mut stmts: Vec<tir::Stmt>,
        main: Option<FuncId>,
    ) -> FuncId {
        if let Some(f) = main {
            let span = self.funcs[f.0 as usize].decl.span;
            stmts.push(self.static_call(f, span));
        }
        self.synthesise("main.entry".into(), pkg, Span::default(), |_| stmts)
    }
}

/// A variable without an initialiser.
fn ready(id: ObjId) -> InitNode<Dep> {
    InitNode {
        id: Dep::Var(id),
        uses: Vec::new(),
        is_var: true,
    }
}
