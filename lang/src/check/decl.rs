//! Declarations: package-level objects are resolved when something needs them, cycles found by
//! their colour; local ones in order.
use super::convert::Context;
use super::cycles::{Rhs, Waiting};
use super::object::{DeclRef, GenericAlias, ObjId, ObjKind, State};
use super::operand::{Operand, ex, st};
use super::typexpr::Delayed;
use super::{Checker, Dep, FuncInfo, INVALID, VarInit};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::{self, DeclKind, Ident, StmtKind};
use crate::tir::{self, GlobalId};
use crate::types::constant::Value;
use crate::types::ty::{FuncId, MethodSig, NamedId, PkgId, Ty, TyKind};
use std::rc::Rc;

impl Checker {
    /// Makes sure that a package-level object's type (and a constant's value) is known.
    pub(super) fn resolve(&mut self, id: ObjId) {
        let o = self.obj(id);
        match o.state {
            State::Black => return,
            State::Grey => {
                self.check_cycle(id);
                return;
            }
            State::White => {}
        }
        let Some(decl) = o.decl else {
            return;
        };
        if o.alias {
            self.resolve_defined_types(id);
            if self.obj(id).state != State::White {
                return;
            }
        }
        self.obj_mut(id).state = State::Grey;
        self.path.push(id);
        let env = self.file_env(decl.file());
        let file = self.files[decl.file() as usize].clone();
        let ((), env) = self.in_env(env, |c| match decl {
            DeclRef::Func { file, decl } => c.resolve_func_object(id, file, decl),
            DeclRef::Const {
                decl, spec, name, ..
            } => {
                if let DeclKind::Const(specs) = &file.decls[decl as usize].kind {
                    c.const_object(id, specs, spec as usize, name as usize);
                }
            }
            DeclRef::Var {
                decl,
                spec,
                name,
                stmt,
                ..
            } => {
                let d = match stmt {
                    true => match &file.stmts[decl as usize].kind {
                        StmtKind::Decl(d) => d,
                        _ => unreachable!("collected from a declaration"),
                    },
                    false => &file.decls[decl as usize],
                };
                match &d.kind {
                    DeclKind::Var(specs) => {
                        c.var_object(id, &specs[spec as usize], name as usize, false);
                    }
                    DeclKind::Pvar(specs) => {
                        c.var_object(id, &specs[spec as usize], name as usize, true);
                    }
                    _ => {}
                }
            }
            DeclRef::Type { decl, spec, .. } => {
                if let DeclKind::Type(specs) = &file.decls[decl as usize].kind {
                    c.type_object(id, &specs[spec as usize], 0);
                }
            }
        });
        drop(env);
        self.path.pop();
        let o = self.obj_mut(id);
        o.state = State::Black;
        if matches!(o.kind, ObjKind::Unresolved) {
            o.kind = ObjKind::Bad;
        }
    }

    // Constants.

    fn const_object(&mut self, id: ObjId, specs: &[ast::ConstSpec], spec: usize, name: usize) {
        let iota = specs[spec].iota;
        let inherited = specs[spec].values.is_empty() && specs[spec].ty.is_none();
        // A spec without values repeats the last one that has them.
        let source = match inherited {
            true => specs[..spec]
                .iter()
                .rev()
                .find(|s| !s.values.is_empty() || s.ty.is_some()),
            false => Some(&specs[spec]),
        };
        let Some(source) = source else {
            let span = specs[spec].names[name].span;
            let text = self.name(specs[spec].names[name].name).to_string();
            self.err(
                Code::MissingInit,
                span,
                format!("missing init expr for {text}"),
            );
            self.obj_mut(id).kind = ObjKind::Const(INVALID, Value::Unknown);
            return;
        };
        let before = std::mem::take(&mut self.diagnostics);
        let (ty, value) = self.const_value(source, specs[spec].names[name], name, iota);
        let found = std::mem::replace(&mut self.diagnostics, before);
        for d in found.iter() {
            let mut d = d.clone();
            if inherited {
                // The expression stands elsewhere, right or not: this constant is wrong.
                d.primary.span = specs[spec].names[name].span;
            }
            self.diagnostics.push(d);
        }
        if name + 1 == specs[spec].names.len() && source.values.len() > specs[spec].names.len() {
            let extra = &source.values[specs[spec].names.len()];
            let (span, text) = match inherited {
                true => {
                    let at = self.sources.position(source.span);
                    (specs[spec].names[name].span, format!("at {at}"))
                }
                false => (extra.span, self.text(extra)),
            };
            self.err(Code::MissingInit, span, format!("extra init expr {text}"));
        }
        self.obj_mut(id).kind = ObjKind::Const(ty, value);
    }

    pub(super) fn const_value(
        &mut self,
        source: &ast::ConstSpec,
        ident: Ident,
        name: usize,
        iota: u32,
    ) -> (Ty, Value) {
        let saved = self.env.iota.replace(iota);
        let mut ty = None;
        if let Some(t) = &source.ty {
            let t_ty = self.typ(t);
            if t_ty != INVALID
                && !matches!(self.a.types.under(t_ty), TyKind::Basic(b) if *b != crate::types::ty::Basic::UnsafePointer)
            {
                let text = self.ty_str(t_ty);
                self.err(
                    Code::InvalidType,
                    t.span,
                    format!("invalid constant type {text}"),
                );
                self.env.iota = saved;
                return (INVALID, Value::Unknown);
            }
            ty = Some(t_ty);
        }
        let result = match source.values.get(name) {
            None => {
                let text = self.name(ident.name).to_string();
                self.err(
                    Code::MissingInit,
                    ident.span,
                    format!("missing init expr for {text}"),
                );
                (INVALID, Value::Unknown)
            }
            Some(e) => {
                let x = self.expr(e, ty);
                self.init_const(x, ty)
            }
        };
        self.env.iota = saved;
        result
    }

    fn init_const(&mut self, x: Operand, ty: Option<Ty>) -> (Ty, Value) {
        if !x.is_valid() || ty == Some(INVALID) {
            return (INVALID, Value::Unknown);
        }
        if !x.is_const() {
            let text = self.describe(&x);
            self.err(Code::NotConstant, x.span, format!("{text} is not constant"));
            return (INVALID, Value::Unknown);
        }
        let ty = ty.unwrap_or(x.ty);
        if self.is_untyped(ty) {
            return (ty, x.val);
        }
        let x = self.assignment(x, Some(ty), Context::ConstDecl);
        match x.is_valid() {
            true => (ty, x.val),
            false => (INVALID, Value::Unknown),
        }
    }

    // Variables.

    pub(super) fn new_global(&mut self, id: ObjId, ty: Ty, persistent: bool) -> GlobalId {
        if self.interactive
            && let Some(kept) = self.kept_variable(id, ty, persistent)
        {
            self.obj_mut(id).kind = ObjKind::Global(kept);
            return kept;
        }
        let gid = GlobalId(self.globals.len() as u32);
        let o = self.obj(id);
        let name = self.name(o.name).to_string();
        let pkg = o.pkg.unwrap_or(PkgId(0));
        let path = self.a.names.packages[pkg.0 as usize].1.clone();
        let root = persistent.then(|| match path.as_str() {
            "main" => name.clone(),
            path => format!("{path}.{name}"),
        });
        self.globals.push(tir::Global { name, ty, root });
        self.obj_mut(id).kind = ObjKind::Global(gid);
        gid
    }

    /// Finds the objects of a spec's names: they were collected in a row.
    fn spec_objects(&self, id: ObjId, spec: &ast::VarSpec, name: usize) -> Vec<ObjId> {
        let first = id.0 - name as u32;
        (0..spec.names.len() as u32)
            .map(|i| ObjId(first + i))
            .collect()
    }

    fn var_object(&mut self, id: ObjId, spec: &ast::VarSpec, name: usize, persistent: bool) {
        let objs = self.spec_objects(id, spec, name);
        if let Some(t) = &spec.ty {
            let ty = self.var_typ(t);
            if persistent {
                self.require_storable(ty, t.span, "pvar");
            }
            self.new_global(id, ty, persistent);
            match spec.values.len() {
                0 => {
                    if persistent {
                        self.add_var_init(&[id], None, spec.span, persistent);
                    } else if self.interactive {
                        // It may be a variable that is there already.
                        let zero = ex(ty, spec.names[name].span, tir::ExprKind::Zero);
                        let at = spec.names[name].span;
                        self.add_var_init(&[id], Some(zero), at, persistent);
                    }
                }
                n if n == objs.len() => {
                    let x = self.one_value(&spec.values[name], n);
                    let x = self.assignment(x, Some(ty), Context::VarDecl);
                    self.add_var_init(&[id], Some(x.tir), spec.names[name].span, persistent);
                }
                1 => {
                    // Only the first name's turn makes the initialiser.
                    if name == 0 {
                        for (i, o) in objs.iter().enumerate().skip(1) {
                            if self.obj(*o).state == State::White {
                                self.obj_mut(*o).state = State::Black;
                                self.new_global(*o, ty, persistent);
                            }
                            let _ = i;
                        }
                        self.tuple_init(&objs, &spec.values[0], Some(ty), spec, persistent);
                    } else {
                        self.resolve(objs[0]);
                    }
                }
                n => {
                    if name == 0 {
                        self.var_count_error(spec, n);
                    }
                }
            }
            return;
        }
        if spec.values.len() == objs.len() {
            let x = self.one_value(&spec.values[name], objs.len());
            let x = self.assignment(x, None, Context::VarDecl);
            let ty = x.ty;
            if persistent && x.is_valid() {
                self.require_storable(ty, spec.values[name].span, "pvar");
            }
            self.new_global(id, ty, persistent);
            self.add_var_init(&[id], Some(x.tir), spec.names[name].span, persistent);
        } else if spec.values.len() == 1 {
            if name > 0 && self.obj(objs[0]).state == State::White {
                self.resolve(objs[0]);
                return;
            }
            for o in &objs {
                self.obj_mut(*o).state = match *o == id {
                    true => State::Grey,
                    false => State::Black,
                };
            }
            self.tuple_init(&objs, &spec.values[0], None, spec, persistent);
        } else {
            if name == 0 {
                self.var_count_error(spec, spec.values.len());
            }
            self.new_global(id, INVALID, persistent);
        }
    }

    /// An initial value; a call with several results for one variable has its own message.
    fn one_value<'e>(&mut self, e: &'e ast::Expr, names: usize) -> Operand<'e> {
        if names > 1 {
            return self.expr(e, None);
        }
        let x = self.raw_expr(e, None);
        if let TyKind::Tuple(ts) = self.a.types.kind(x.ty).clone()
            && x.mode == super::operand::Mode::Value
        {
            self.mismatch(e, 1, ts.len(), false);
            return Operand::invalid(e.span);
        }
        self.single_value(x)
    }

    fn var_count_error(&mut self, spec: &ast::VarSpec, values: usize) {
        for v in &spec.values {
            self.use_expr(v);
        }
        if values < spec.names.len() {
            let n = spec.names[values];
            let text = self.name(n.name).to_string();
            self.err(
                Code::MissingInit,
                n.span,
                format!("missing init expr for {text}"),
            );
        } else {
            let extra = &spec.values[spec.names.len()];
            let text = self.text(extra);
            self.err(
                Code::MissingInit,
                extra.span,
                format!("extra init expr {text}"),
            );
        }
    }

    fn tuple_init(
        &mut self,
        objs: &[ObjId],
        value: &ast::Expr,
        ty: Option<Ty>,
        spec: &ast::VarSpec,
        persistent: bool,
    ) {
        let want: Vec<Option<Ty>> = objs.iter().map(|_| ty).collect();
        let (tys, e) = self.unpack_init(value, &want, Context::VarDecl);
        for (o, t) in objs.iter().zip(&tys) {
            if !matches!(self.obj(*o).kind, ObjKind::Global(_)) {
                self.new_global(*o, *t, persistent);
            }
        }
        let Some(e) = e else {
            return;
        };
        if persistent {
            let message = "not yet supported: pvar initialised from several results";
            self.err(Code::NotSupported, spec.span, message);
            return;
        }
        self.add_var_init(objs, Some(e), spec.names[0].span, false);
    }

    /// Makes the initialiser's statements; `e` is a tuple for several variables.
    fn add_var_init(&mut self, objs: &[ObjId], e: Option<tir::Expr>, at: Span, persistent: bool) {
        let mut deps = std::mem::take(&mut self.env.deps);
        self.env.dep_set.clear();
        let span = e.as_ref().map_or(at, |e| e.span);
        let places: Vec<Option<tir::Expr>> = objs
            .iter()
            .map(|o| match self.obj(*o).kind {
                ObjKind::Global(g) if !self.is_blank(self.obj(*o).name) => {
                    let ty = self.globals[g.0 as usize].ty;
                    Some(ex(ty, self.obj(*o).span, tir::ExprKind::Global(g)))
                }
                _ => None,
            })
            .collect();
        let kind = match (&places[..], e) {
            ([Some(place)], e) if persistent => match place.kind {
                tir::ExprKind::Global(g) => tir::StmtKind::PvarInit(g, e),
                _ => unreachable!("package variables are globals"),
            },
            ([Some(place)], Some(e)) => tir::StmtKind::Assign(place.clone(), e),
            ([None], Some(e)) => tir::StmtKind::Expr(e),
            (_, Some(e)) => tir::StmtKind::AssignTuple(places, e),
            (_, None) => return,
        };
        let stmts = vec![st(span, kind)];
        let pkg = self.env.pkg.unwrap_or(PkgId(0));
        let ctx = std::mem::take(self.ctx());
        let (stmts, func) = match ctx.locals.is_empty() && ctx.labels == 0 && !ctx.has_closures {
            true => (stmts, None),
            false => {
                let mut ctx = ctx;
                ctx.name = format!("{}.init", self.a.names.packages[pkg.0 as usize].1);
                ctx.stmts = stmts;
                let name = ctx.name.clone();
                let (mut body, closures) = ctx.into_body(span, span);
                super::fixup::settle_captures(&mut body, closures);
                let f = self.add_synthesised(name, pkg, span, body, std::mem::take(&mut deps));
                deps.push(Dep::Func(f));
                (Vec::new(), Some(f))
            }
        };
        self.packages[pkg.0 as usize].var_inits.push(VarInit {
            at,
            vars: objs.to_vec(),
            stmts,
            func,
            deps,
        });
    }

    // Types.

    pub(super) fn type_object(&mut self, id: ObjId, spec: &ast::TypeSpec, local: u32) {
        self.resolving += 1;
        if spec.alias {
            if !spec.type_params.is_empty() {
                self.open_scope();
                let params = self.declare_type_params(&spec.type_params, |_, _| {});
                let ty = self.typ(&spec.ty);
                self.close_scope();
                if self.a.types.is_param(ty) && self.a.types.mentions(ty, Some(&params)) {
                    let message = "cannot use type parameter declared by alias declaration as RHS";
                    self.err(Code::InvalidType, spec.ty.span, message);
                }
                let alias = GenericAlias { params, ty };
                self.obj_mut(id).kind = match ty {
                    INVALID => ObjKind::Bad,
                    _ => ObjKind::GenericAlias(Rc::new(alias)),
                };
            } else {
                let ty = self.typ(&spec.ty);
                if !matches!(self.obj(id).kind, ObjKind::Bad) {
                    self.obj_mut(id).kind = ObjKind::Type(ty);
                }
            }
            self.finish_resolving();
            return;
        }
        let pkg = self.pkg();
        let (n, ty) = self.a.types.declare_named(spec.name.name, Some(pkg), local);
        self.incomplete.insert(n);
        self.named_objs.insert(n, id);
        self.obj_mut(id).kind = ObjKind::Type(ty);
        self.open_scope();
        if !spec.type_params.is_empty() {
            // Declared in a generic function: its parameters come first.
            let outer = self.env.tparams.clone();
            self.declare_type_params(&spec.type_params, |c, params| {
                let named = &mut c.a.types.named[n.0 as usize];
                named.outer = outer.len() as u32;
                named.params = outer;
                named.params.extend(params);
            });
        } else if local > 0 {
            // Declared in a generic function: a type for each of its instances.
            let named = &mut self.a.types.named[n.0 as usize];
            named.params = self.env.tparams.clone();
            named.outer = named.params.len() as u32;
        }
        if local == 0 {
            self.hide_type(n, spec.name);
            self.collect_methods(id, n, spec.name.name);
        }
        self.note_right_side(n, &spec.ty);
        let rhs = match &spec.ty.unparen().kind {
            ast::ExprKind::InterfaceType(i) => {
                let draft = self.interface_draft(i);
                let embedded = draft.embedded().map(|(ty, _)| ty).collect();
                self.note_interface(spec.ty.unparen().span, i, INVALID, embedded);
                Rhs::Interface(draft)
            }
            _ => Rhs::Type(self.typ(&spec.ty), spec.ty.span),
        };
        self.close_scope();
        match rhs {
            Rhs::Type(ty, span) if self.a.types.is_param(ty) => {
                let message = "cannot use a type parameter as RHS in type declaration";
                self.err(Code::InvalidType, span, message);
                self.set_underlying(n, INVALID);
            }
            rhs => {
                if let Rhs::Type(ty, _) = rhs
                    && let TyKind::Named(_) = self.a.types.kind(ty)
                {
                    self.rhs.insert(n, ty);
                }
                self.complete_named(Waiting { named: n, rhs });
            }
        }
        self.delayed.push(Delayed::ValidType {
            named: n,
            pkg: self.env.pkg,
        });
        self.finish_resolving();
    }

    /// Gives a type its underlying type, or lets it wait until those are known that it needs.
    pub(super) fn complete_named(&mut self, w: Waiting) {
        if w.rhs.needs().any(|(ty, _)| self.is_incomplete(ty)) {
            self.waiting.push(w);
            return;
        }
        let u = match w.rhs {
            Rhs::Type(ty, _) => self.a.types.underlying(ty),
            Rhs::Interface(draft) => self.finish_interface(draft),
        };
        self.set_underlying(w.named, u);
        // Those that waited for this one.
        let waiting = std::mem::take(&mut self.waiting);
        for w in waiting {
            self.complete_named(w);
        }
    }

    fn set_underlying(&mut self, n: NamedId, u: Ty) {
        self.incomplete.remove(&n);
        self.a.types.set_underlying(n, u);
    }

    fn finish_resolving(&mut self) {
        self.resolving -= 1;
        if self.resolving > 0 {
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        if !waiting.is_empty() {
            self.report_waiting(&waiting);
            for w in waiting {
                self.set_underlying(w.named, INVALID);
            }
        }
        self.run_delayed();
    }

    /// Gives a type its declared methods; signatures follow when the type is complete.
    fn collect_methods(&mut self, id: ObjId, n: NamedId, name: crate::syntax::symbol::Symbol) {
        let Some(pkg) = self.env.pkg else {
            return;
        };
        if self.packages[pkg.0 as usize].scope.get(&name) != Some(&id) {
            return;
        }
        let Some(list) = self.packages[pkg.0 as usize].methods.get(&name).cloned() else {
            return;
        };
        for (file, decl) in list {
            let ast = self.files[file as usize].clone();
            let DeclKind::Func(d) = &ast.decls[decl as usize].kind else {
                continue;
            };
            let Some(recv) = &d.receiver else {
                continue;
            };
            let ptr_recv = self.is_pointer_receiver(&recv.ty);
            let f = self.new_func(file, decl, Some(n), d, ptr_recv);
            if self.is_blank(d.name.name) {
                self.packages[pkg.0 as usize].blank_funcs.push((file, decl));
                continue;
            }
            let pkg_of_name = self.name_pkg(d.name.name);
            let methods = &mut self.a.types.named[n.0 as usize].methods;
            if let Some(other) = methods
                .iter()
                .find(|m| m.name == d.name.name)
                .map(|m| m.func)
            {
                let at = self.funcs[other.0 as usize].decl.span;
                let position = self.sources.position(at);
                let (t, m) = (
                    self.name(name).to_string(),
                    self.name(d.name.name).to_string(),
                );
                let message = format!("method {t}.{m} already declared at {position}");
                self.err(Code::Redeclared, d.name.span, message);
                continue;
            }
            methods.push(crate::types::ty::Method {
                name: d.name.name,
                pkg: pkg_of_name,
                func: f,
                ptr_recv,
            });
        }
        self.pending_sigs.push(n);
    }

    /// Signatures of a type's methods.
    pub(super) fn enter_method_sigs(&mut self, n: NamedId) {
        for m in self.a.types.named[n.0 as usize].methods.clone() {
            self.resolve_func(m.func);
        }
    }

    // Functions.

    pub(super) fn new_func(
        &mut self,
        file: u32,
        decl: u32,
        recv: Option<NamedId>,
        d: &ast::FuncDecl,
        ptr_recv: bool,
    ) -> FuncId {
        let pkg = self.file_pkgs[file as usize];
        let path = self.a.names.packages[pkg.0 as usize].1.clone();
        let f = self.name(d.name.name).to_string();
        // As Go's traces name what is generic.
        let dots = |generic: bool| if generic { "[...]" } else { "" };
        let name = match recv {
            None => {
                let is_generic = !d.type_params.is_empty() && d.body.is_some();
                format!("{path}.{f}{}", dots(is_generic))
            }
            Some(n) => {
                let is_generic = d.receiver.as_ref().is_some_and(|r| has_arguments(&r.ty));
                let t = self.name(self.a.types.named[n.0 as usize].name);
                let t = format!("{t}{}", dots(is_generic));
                match ptr_recv {
                    true => format!("{path}.(*{t}).{f}"),
                    false => format!("{path}.{t}.{f}"),
                }
            }
        };
        let id = FuncId(self.funcs.len() as u32);
        let library = self.packages[pkg.0 as usize].library;
        let kind = match (&d.body, library) {
            (Some(_), _) => tir::FuncKind::Body,
            (None, true) => tir::FuncKind::Native,
            (None, false) => {
                if !d.type_params.is_empty() {
                    let message = "generic function is missing function body";
                    self.err(Code::MissingBody, d.name.span, message);
                }
                // Checking alone accepts what another language may implement.
                match self.require_main {
                    true => {
                        self.missing_bodies.push(d.name.span);
                        tir::FuncKind::Body
                    }
                    false => tir::FuncKind::Native,
                }
            }
        };
        self.funcs.push(FuncInfo {
            decl: tir::FuncDecl {
                name,
                pkg,
                span: d.name.span,
                params: vec![],
                results: vec![],
                type_params: vec![],
                kind,
            },
            sig: INVALID,
            source: Some((file, decl)),
            recv,
            resolved: false,
            body: None,
            deps: vec![],
        });
        id
    }

    fn resolve_func_object(&mut self, id: ObjId, file: u32, decl: u32) {
        let ast = self.files[file as usize].clone();
        let DeclKind::Func(d) = &ast.decls[decl as usize].kind else {
            return;
        };
        let f = self.new_func(file, decl, None, d, false);
        self.obj_mut(id).kind = ObjKind::Func(f);
        self.resolve_func(f);
    }

    /// The signature of a declared function.
    pub(super) fn resolve_func(&mut self, f: FuncId) {
        let info = &mut self.funcs[f.0 as usize];
        if info.resolved {
            return;
        }
        info.resolved = true;
        let Some((file, decl)) = info.source else {
            return;
        };
        let recv = info.recv;
        let ast = self.files[file as usize].clone();
        let DeclKind::Func(d) = &ast.decls[decl as usize].kind else {
            return;
        };
        let env = self.file_env(file);
        self.resolving += 1;
        let (result, _) = self.in_env(env, |c| {
            c.open_scope();
            let mut type_params = Vec::new();
            let mut recv_ty = None;
            if let (None, Some(r)) = (recv, &d.receiver) {
                c.bind_bad_receiver_params(&r.ty);
                recv_ty = Some(INVALID);
            }
            if let (Some(n), Some(r)) = (recv, &d.receiver) {
                type_params = c.a.types.named[n.0 as usize].params.clone();
                c.bind_receiver_params(&r.ty, &type_params);
                recv_ty = Some(c.receiver_type(n, &r.ty));
            }
            if !d.type_params.is_empty() {
                let own = c.declare_type_params(&d.type_params, |_, _| {});
                type_params.extend(own);
            }
            let sig = c.signature(&d.ty);
            c.close_scope();
            (sig, recv_ty, type_params)
        });
        let (sig, recv_ty, type_params) = result;
        let TyKind::Func(s) = self.a.types.kind(sig).clone() else {
            unreachable!("a signature is a function type");
        };
        if let Some(n) = recv {
            let params = self.a.types.named[n.0 as usize].params.clone();
            let entry = MethodSig {
                own: type_params[params.len().min(type_params.len())..].to_vec(),
                type_params: params,
                sig,
            };
            self.a.types.method_sigs.insert(f, entry);
        }
        let info = &mut self.funcs[f.0 as usize];
        info.sig = sig;
        info.decl.params = recv_ty
            .into_iter()
            .chain(s.params.iter().copied())
            .collect();
        info.decl.results = s.results.clone();
        info.decl.type_params = type_params;
        self.finish_resolving();
    }

    /// Binds the type parameters of a function in its own scope again, to check its body.
    pub(super) fn bind_type_params(&mut self, f: FuncId, d: &ast::FuncDecl) {
        let info = &self.funcs[f.0 as usize];
        let params = info.decl.type_params.clone();
        self.env.tparams = params.clone();
        let mut rest = params.as_slice();
        if let (None, Some(r)) = (info.recv, &d.receiver) {
            self.bind_bad_receiver_params(&r.ty);
            let names = d.type_params.iter().flat_map(|p| p.names.iter());
            for (n, p) in names.zip(rest) {
                let ty = self.a.types.intern(TyKind::Param(*p));
                self.declare_local(*n, ObjKind::Type(ty));
            }
            return;
        }
        if let (Some(n), Some(r)) = (info.recv, &d.receiver) {
            let own = self.a.types.named[n.0 as usize].params.clone();
            self.bind_receiver_params(&r.ty, &own);
            rest = &params[own.len().min(params.len())..];
        }
        let names = d.type_params.iter().flat_map(|p| p.names.iter());
        for (n, p) in names.zip(rest) {
            let ty = self.a.types.intern(TyKind::Param(*p));
            self.declare_local(*n, ObjKind::Type(ty));
        }
    }
}

/// Is this receiver type `T[P]` or `*T[P]`?
fn has_arguments(ty: &ast::Expr) -> bool {
    match &ty.unparen().kind {
        ast::ExprKind::Star(inner) => has_arguments(inner),
        kind => matches!(kind, ast::ExprKind::Index { .. }),
    }
}
