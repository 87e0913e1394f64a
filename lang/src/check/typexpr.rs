//! Type expressions (spec "Types"), receivers and type parameter lists.
use super::names::Use;
use super::object::{GenericAlias, ObjKind, State};
use super::operand::Mode;
use super::{Checker, INVALID, is_exported};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind};
use crate::types::layout::MAX_SIZE;
use crate::types::ty::{
    Basic, ChanDir, Field, InterfaceType, NamedId, ParamId, PkgId, StructType, Term, Ty, TyKind,
};
use std::rc::Rc;

/// What can be checked only when all types involved are complete.
pub(super) enum Delayed {
    MapKey {
        key: Ty,
        span: Span,
        pkg: Option<PkgId>,
    },
    ValidType {
        named: NamedId,
        pkg: Option<PkgId>,
    },
    Embedded {
        ty: Ty,
        ptr: bool,
        span: Span,
        pkg: Option<PkgId>,
    },
    TypeArgs {
        params: Vec<ParamId>,
        targs: Vec<Ty>,
        spans: Vec<Span>,
        pkg: Option<PkgId>,
    },
    VarType {
        ty: Ty,
        span: Span,
        pkg: Option<PkgId>,
    },
    ChanElem {
        ty: Ty,
        span: Span,
        pkg: Option<PkgId>,
    },
    FieldMethod {
        named: NamedId,
        pkg: Option<PkgId>,
    },
}

impl Checker {
    pub(super) fn run_delayed(&mut self) {
        while let Some(d) = self.delayed.pop() {
            let pkg = match &d {
                Delayed::MapKey { pkg, .. }
                | Delayed::ValidType { pkg, .. }
                | Delayed::Embedded { pkg, .. }
                | Delayed::TypeArgs { pkg, .. }
                | Delayed::VarType { pkg, .. }
                | Delayed::ChanElem { pkg, .. }
                | Delayed::FieldMethod { pkg, .. } => *pkg,
            };
            let saved = std::mem::replace(&mut self.env.pkg, pkg);
            self.run_one_delayed(d);
            self.env.pkg = saved;
        }
    }

    fn run_one_delayed(&mut self, d: Delayed) {
        match d {
            Delayed::MapKey { key, span, .. } => {
                if key == INVALID || self.a.types.comparable(key) {
                    return;
                }
                let text = self.ty_str(key);
                let why = match self.a.types.is_param(key) {
                    true => " (missing comparable constraint)",
                    false => "",
                };
                self.err(
                    Code::InvalidType,
                    span,
                    format!("invalid map key type {text}{why}"),
                );
            }
            Delayed::ValidType { named, .. } => {
                if self.check_valid_type(named) {
                    self.delayed.push(Delayed::FieldMethod {
                        named,
                        pkg: self.env.pkg,
                    });
                }
            }
            Delayed::ChanElem { ty, span, .. } => {
                if !self.a.types.mentions(ty, None) && self.a.types.layout(ty).size >= 1 << 16 {
                    self.large_elems.push(span);
                }
            }
            Delayed::FieldMethod { named, .. } => self.field_method_clash(named),
            Delayed::Embedded { ty, ptr, span, .. } => {
                let u = self.a.types.under(ty);
                let message = match u {
                    TyKind::Basic(Basic::UnsafePointer) => {
                        "embedded field type cannot be unsafe.Pointer"
                    }
                    TyKind::Pointer(_) => "embedded field type cannot be a pointer",
                    TyKind::Param(_) => {
                        "embedded field type cannot be a (pointer to a) type parameter"
                    }
                    TyKind::Interface(_) if ptr => {
                        "embedded field type cannot be a pointer to an interface"
                    }
                    _ => return,
                };
                self.err(Code::InvalidType, span, message);
            }
            Delayed::TypeArgs {
                params,
                targs,
                spans,
                ..
            } => {
                self.verify_type_args(&params, &targs, &spans);
            }
            Delayed::VarType { ty, span, .. } => self.check_var_type(ty, span),
        }
    }

    fn check_var_type(&mut self, ty: Ty, span: Span) {
        let TyKind::Interface(i) = self.a.types.under(ty) else {
            return;
        };
        let what = match (i.comparable, i.terms.is_some()) {
            (_, true) => "interface contains type constraints",
            (true, _) if ty == self.universe.comparable => "interface is (or embeds) comparable",
            (true, _) => "interface is (or embeds) comparable",
            _ => return,
        };
        let text = self.ty_str(ty);
        let message = format!("cannot use type {text} outside a type constraint: {what}");
        self.err(Code::InvalidType, span, message);
    }

    fn field_method_clash(&mut self, n: NamedId) {
        let named = &self.a.types.named[n.0 as usize];
        let TyKind::Struct(s) = self.a.types.kind(named.underlying).clone() else {
            return;
        };
        for m in named.methods.clone() {
            if s.fields.iter().any(|f| f.name == m.name) {
                let span = self.funcs[m.func.0 as usize].decl.span;
                let text = self.name(m.name).to_string();
                let message = format!("field and method with the same name {text}");
                self.err(Code::Redeclared, span, message);
            }
        }
    }

    /// The type of a variable, parameter or field: not a constraint interface.
    pub(super) fn var_typ(&mut self, e: &Expr) -> Ty {
        let ty = self.typ(e);
        let pkg = self.env.pkg;
        let unresolved = self.resolving > 0;
        match unresolved {
            true => self.delayed.push(Delayed::VarType {
                ty,
                span: e.span,
                pkg,
            }),
            false => self.check_var_type(ty, e.span),
        }
        ty
    }

    /// The type that an expression denotes; in error `INVALID`, reported.
    pub(super) fn typ(&mut self, e: &Expr) -> Ty {
        if let Some(alias) = self.generic_alias(e) {
            let (text, params) = (self.text(e), self.type_params_text(&alias.params));
            let message = format!("cannot use generic type {text}{params} without instantiation");
            self.err(Code::Generic, e.span, message);
            return INVALID;
        }
        let ty = self.generic_typ(e);
        let written = matches!(
            e.unparen().kind,
            ExprKind::Ident(_) | ExprKind::Selector { .. }
        );
        if written && self.is_generic_named(ty) {
            let text = self.generic_str(ty);
            let message = format!("cannot use generic type {text} without instantiation");
            self.err(Code::Generic, e.span, message);
            return INVALID;
        }
        ty
    }

    /// As `typ`, a generic type being allowed.
    pub(super) fn generic_typ(&mut self, e: &Expr) -> Ty {
        match &e.kind {
            ExprKind::Bad => INVALID,
            ExprKind::Ident(_) | ExprKind::Selector { .. } => {
                let x = self.raw_expr(e, None);
                match x.mode {
                    Mode::Type => x.ty,
                    Mode::Invalid => INVALID,
                    Mode::NoValue => {
                        let text = self.describe(&x);
                        self.err(Code::NotAType, e.span, format!("{text} used as type"));
                        INVALID
                    }
                    _ => {
                        let text = match &e.kind {
                            ExprKind::Ident(s) => {
                                let name = self.name(*s).to_string();
                                format!("{name} ({})", self.object_kind(*s))
                            }
                            _ => self.text(e),
                        };
                        let span = match &e.kind {
                            ExprKind::Selector { name, .. } => name.span,
                            _ => e.span,
                        };
                        self.err(Code::NotAType, span, format!("{text} is not a type"));
                        INVALID
                    }
                }
            }
            ExprKind::Paren(x) => self.typ(x),
            ExprKind::Star(x) => {
                let t = self.var_typ(x);
                match t {
                    INVALID => INVALID,
                    t => self.a.types.pointer(t),
                }
            }
            ExprKind::Index { operand, args } => self.instantiated_type(operand, args),
            ExprKind::ArrayType { len, elem } => {
                let n = match len {
                    Some(n) => self.array_length(n),
                    None => {
                        let message = "invalid use of [...] array (outside a composite literal)";
                        self.err(Code::InvalidType, e.span, message);
                        None
                    }
                };
                let elem = self.var_typ(elem);
                match n {
                    Some(n) if elem != INVALID => self.a.types.intern(TyKind::Array(elem, n)),
                    _ => INVALID,
                }
            }
            ExprKind::SliceType(elem) => {
                let elem = self.var_typ(elem);
                self.a.types.slice(elem)
            }
            ExprKind::MapType { key, value } => {
                let k = self.var_typ(key);
                let v = self.var_typ(value);
                let pkg = self.env.pkg;
                let span = key.span;
                self.delayed.push(Delayed::MapKey { key: k, span, pkg });
                if self.resolving == 0 {
                    self.run_delayed();
                }
                self.a.types.intern(TyKind::Map(k, v))
            }
            ExprKind::ChanType { dir, elem } => {
                let elem = self.var_typ(elem);
                let (span, pkg) = (e.span, self.env.pkg);
                let ty = elem;
                self.delayed.push(Delayed::ChanElem { ty, span, pkg });
                if self.resolving == 0 {
                    self.run_delayed();
                }
                let dir = match dir {
                    ast::ChanDir::Both => ChanDir::Both,
                    ast::ChanDir::Send => ChanDir::Send,
                    ast::ChanDir::Receive => ChanDir::Recv,
                };
                self.a.types.intern(TyKind::Chan(dir, elem))
            }
            ExprKind::FuncType(f) => self.signature(f),
            ExprKind::StructType(s) => {
                let ty = self.struct_type(s);
                self.note_struct(e.span, s, ty);
                ty
            }
            ExprKind::InterfaceType(i) => self.interface_type(i, e.span),
            _ => {
                let x = self.raw_expr(e, None);
                if x.mode == Mode::Type {
                    return x.ty;
                }
                if x.mode != Mode::Invalid {
                    let text = self.text(e);
                    self.err(Code::NotAType, e.span, format!("{text} is not a type"));
                }
                INVALID
            }
        }
    }

    fn object_kind(&self, name: crate::syntax::symbol::Symbol) -> &'static str {
        match self.lookup_name(name).map(|id| &self.obj(id).kind) {
            Some(ObjKind::Const(..)) => "constant",
            Some(ObjKind::Global(_)) => "package-level variable",
            Some(ObjKind::Local(..)) => "local variable",
            Some(ObjKind::Func(_)) => "function",
            Some(ObjKind::Builtin(_)) => "built-in function",
            Some(ObjKind::Nil) => "untyped nil",
            Some(ObjKind::Package(_)) => "package name",
            _ => "type",
        }
    }

    fn array_length(&mut self, e: &Expr) -> Option<u64> {
        if let Some(name) = e.as_ident() {
            match self.lookup_name(name.name) {
                None => {
                    let text = self.name(name.name).to_string();
                    let message =
                        format!("undefined array length {text} or missing type constraint");
                    self.err(Code::Undefined, e.span, message);
                    return None;
                }
                Some(id) => {
                    self.resolve(id);
                    if !matches!(
                        self.obj(id).kind,
                        ObjKind::Const(..) | ObjKind::Bad | ObjKind::Unresolved
                    ) {
                        let text = self.name(name.name).to_string();
                        self.obj_mut(id).used = true;
                        let message = format!("invalid array length {text}");
                        self.err(Code::InvalidType, e.span, message);
                        return None;
                    }
                }
            }
        }
        let x = self.expr(e, None);
        if !x.is_valid() {
            return None;
        }
        if !x.is_const() {
            let text = self.describe(&x);
            let message = format!("array length {text} must be constant");
            self.err(Code::NotConstant, e.span, message);
            return None;
        }
        let integer =
            self.is_untyped(x.ty) || self.a.types.basic(x.ty).is_some_and(Basic::is_integer);
        match x.val.as_i64() {
            Some(n) if integer && n >= 0 && (n as u64) < MAX_SIZE => Some(n as u64),
            found => {
                let text = self.describe(&x);
                let message = match integer && found.is_some() {
                    true => format!("invalid array length {text}"),
                    false if integer && x.val.to_int().is_some() => {
                        format!("invalid array length {text}")
                    }
                    false => format!("array length {text} must be integer"),
                };
                self.err(Code::InvalidType, e.span, message);
                None
            }
        }
    }

    /// A function type.
    pub(super) fn signature(&mut self, f: &ast::FuncType) -> Ty {
        let names = f.params.iter().chain(&f.results).flat_map(|p| &p.names);
        let mut seen: Vec<ast::Ident> = Vec::new();
        for n in names {
            if self.is_blank(n.name) {
                continue;
            }
            match seen.iter().find(|s| s.name == n.name) {
                Some(other) => {
                    let text = self.name(n.name).to_string();
                    let d = Diagnostic::error(
                        Code::Redeclared,
                        n.span,
                        format!("{text} redeclared in this block"),
                    )
                    .also(other.span, format!("other declaration of {text}"));
                    self.diagnostics.push(d);
                }
                None => seen.push(*n),
            }
        }
        let mut params = Vec::new();
        let mut variadic = false;
        let count: usize = f.params.iter().map(|p| p.names.len().max(1)).sum();
        for p in &f.params {
            let mut t = self.var_typ(&p.ty);
            if let Some(dots) = p.variadic {
                let n = p.names.len().max(1);
                if params.len() + n == count && n == 1 {
                    variadic = true;
                } else {
                    let message = "can only use ... with final parameter";
                    self.err(Code::InvalidType, dots, message);
                }
                t = self.a.types.slice(t);
            }
            for _ in 0..p.names.len().max(1) {
                params.push(t);
            }
        }
        let mut results = Vec::new();
        for r in &f.results {
            let t = self.var_typ(&r.ty);
            if let Some(dots) = r.variadic {
                let message = "can only use ... with final parameter";
                self.err(Code::InvalidType, dots, message);
            }
            for _ in 0..r.names.len().max(1) {
                results.push(t);
            }
        }
        self.func_type(params, results, variadic)
    }

    fn struct_type(&mut self, s: &ast::StructType) -> Ty {
        let mut fields: Vec<Field> = Vec::new();
        let mut spans: Vec<Span> = Vec::new();
        for f in &s.fields {
            let tag = f.tag.and_then(|t| {
                let text = self.name(t.text).to_string();
                let bytes = crate::syntax::literal::string_value(&text);
                // An empty tag is none.
                let text = String::from_utf8_lossy(&bytes);
                (!text.is_empty()).then(|| Rc::from(text.as_ref()))
            });
            let ty = self.var_typ(&f.ty);
            let names: Vec<(ast::Ident, bool)> = match f.names.is_empty() {
                false => f.names.iter().map(|n| (*n, false)).collect(),
                true => {
                    let ptr = matches!(f.ty.kind, ExprKind::Star(_));
                    let base = match ptr {
                        true => self.a.types.pointee(ty).unwrap_or(ty),
                        false => ty,
                    };
                    let (span, pkg) = (f.ty.span, self.env.pkg);
                    self.delayed.push(Delayed::Embedded {
                        ty: base,
                        ptr,
                        span,
                        pkg,
                    });
                    embedded_name(&f.ty)
                        .map(|n| (n, true))
                        .into_iter()
                        .collect()
                }
            };
            for (n, embedded) in names {
                if !self.is_blank(n.name)
                    && let Some(i) = fields.iter().position(|f| f.name == n.name)
                {
                    let text = self.name(n.name).to_string();
                    let d =
                        Diagnostic::error(Code::Redeclared, n.span, format!("{text} redeclared"))
                            .also(spans[i], format!("other declaration of {text}"));
                    self.diagnostics.push(d);
                    continue;
                }
                fields.push(Field {
                    name: n.name,
                    pkg: self.name_pkg(n.name),
                    ty,
                    embedded,
                    tag: tag.clone(),
                });
                spans.push(n.span);
            }
        }
        if self.resolving == 0 {
            self.run_delayed();
        }
        self.a
            .types
            .intern(TyKind::Struct(Rc::new(StructType { fields })))
    }

    /// `G[T…]`.
    fn instantiated_type(&mut self, operand: &Expr, args: &[Expr]) -> Ty {
        let alias = self.generic_alias(operand);
        let generic = match alias {
            Some(_) => self.universe.any,
            None => self.generic_typ(operand),
        };
        let targs: Vec<Ty> = args.iter().map(|a| self.var_typ(a)).collect();
        if generic == INVALID || targs.contains(&INVALID) {
            return INVALID;
        }
        // A type declared in a generic function is made with that one's parameters first.
        let (origin, params, mut all) = match (&alias, self.a.types.kind(generic).clone()) {
            (Some(alias), _) => (None, alias.params.clone(), Vec::new()),
            (None, TyKind::Named(n)) if self.a.types.is_generic(n) => {
                let named = &self.a.types.named[n.0 as usize];
                let (params, outer) = (named.params.clone(), named.outer as usize);
                let outer = self.a.types.type_args(n).1[..outer].to_vec();
                (Some(n), params, outer)
            }
            _ => {
                let (text, whole) = (self.ty_str(generic), self.instance_text(operand, args));
                let message = format!("invalid operation: {whole} ({text} is not a generic type)");
                self.err(Code::Generic, operand.span, message);
                return INVALID;
            }
        };
        let outer = all.len();
        let (got, want) = (targs.len(), params.len() - outer);
        if got != want {
            let text = self.text(operand);
            let (which, span) = match got < want {
                true => ("not enough", args[got - 1].span),
                false => ("too many", args[want].span),
            };
            let message =
                format!("{which} type arguments for type {text}: have {got}, want {want}");
            self.err(Code::Generic, span, message);
            return INVALID;
        }
        all.extend(targs);
        let mut spans = vec![operand.span; outer];
        spans.extend(args.iter().map(|a| a.span));
        let pkg = self.env.pkg;
        self.delayed.push(Delayed::TypeArgs {
            params: params.clone(),
            targs: all.clone(),
            spans,
            pkg,
        });
        self.note_instance(&params, &all, operand.span);
        let ty = match (origin, alias) {
            (Some(origin), _) => self.a.types.instantiate(origin, &all),
            (None, Some(alias)) => self.a.types.subst(alias.ty, &params, &all),
            (None, None) => INVALID,
        };
        if let (Some(_), TyKind::Named(n)) = (origin, self.a.types.kind(ty)) {
            self.instance_spans.entry(*n).or_insert(operand.span);
        }
        if self.resolving == 0 {
            self.run_delayed();
        }
        ty
    }

    fn instance_text(&self, operand: &Expr, args: &[Expr]) -> String {
        let args: Vec<String> = args.iter().map(|a| self.text(a)).collect();
        format!("{}[{}]", self.text(operand), args.join(", "))
    }

    /// The generic alias that an expression names.
    pub(super) fn generic_alias(&mut self, e: &Expr) -> Option<Rc<GenericAlias>> {
        let id = match &e.unparen().kind {
            ExprKind::Ident(name) => self.lookup_name(*name)?,
            ExprKind::Selector { operand, name } => {
                let q = operand.as_ident()?;
                let package = self.lookup_name(q.name)?;
                let ObjKind::Package(pkg) = self.obj(package).kind else {
                    return None;
                };
                let id = *self.packages[pkg.0 as usize].scope.get(&name.name)?;
                if !self.obj(id).alias {
                    return None;
                }
                self.obj_mut(package).used = true;
                self.note_use(operand, Use::Object(package));
                id
            }
            _ => return None,
        };
        if !self.obj(id).alias {
            return None;
        }
        if self.obj(id).state != State::Black {
            self.resolve(id);
        }
        match &self.obj(id).kind {
            ObjKind::GenericAlias(alias) => {
                let alias = alias.clone();
                self.obj_mut(id).used = true;
                self.note_use(e, Use::Object(id));
                Some(alias)
            }
            _ => None,
        }
    }

    /// Declares a type parameter list in the current scope; `bind` hears of the parameters before
    /// their constraints are resolved.
    pub(super) fn declare_type_params(
        &mut self,
        list: &[ast::TypeParam],
        bind: impl FnOnce(&mut Checker, &[ParamId]),
    ) -> Vec<ParamId> {
        let mut params = Vec::new();
        for p in list {
            for n in &p.names {
                let any = self.universe.any;
                let index = params.len() as u32;
                let (id, ty) = self.a.types.declare_param(n.name, index, any);
                params.push(id);
                self.param_spans.insert(id, n.span);
                self.declare_local(*n, ObjKind::Type(ty));
            }
        }
        bind(self, &params);
        let mut at = 0;
        for p in list {
            let c = self.typ(&p.constraint);
            let constraint = match c {
                INVALID => self.universe.any,
                c if self.a.types.is_param(c) => {
                    let message = "cannot use a type parameter as constraint";
                    self.err(Code::InvalidType, p.constraint.span, message);
                    self.universe.any
                }
                c if self.a.types.is_interface(c) || self.is_incomplete(c) => c,
                // `[P int]` means `[P interface{ int }]`.
                c => self
                    .a
                    .types
                    .intern(TyKind::Interface(Rc::new(InterfaceType {
                        methods: vec![],
                        terms: Some(vec![Term {
                            tilde: false,
                            ty: c,
                        }]),
                        comparable: false,
                    }))),
            };
            for _ in &p.names {
                self.a.types.params[params[at].0 as usize].constraint = constraint;
                at += 1;
            }
        }
        params
    }

    pub(super) fn is_incomplete(&self, t: Ty) -> bool {
        matches!(self.a.types.kind(t), TyKind::Named(n)
            if self.incomplete.contains(&self.a.types.type_args(*n).0))
    }

    /// Binds the names in a receiver `T[A, B]` to the type's own parameters.
    pub(super) fn bind_receiver_params(&mut self, e: &Expr, params: &[ParamId]) {
        match &e.kind {
            ExprKind::Paren(x) | ExprKind::Star(x) => self.bind_receiver_params(x, params),
            ExprKind::Index { args, .. } => {
                if args.len() != params.len() {
                    let (got, want) = (args.len(), params.len());
                    let message = format!(
                        "receiver declares {got} type parameter{}, but receiver base type declares {want}",
                        if got == 1 { "" } else { "s" }
                    );
                    self.err(Code::Generic, e.span, message);
                }
                for (a, p) in args.iter().zip(params) {
                    let Some(n) = a.as_ident() else {
                        let text = self.text(a);
                        let message =
                            format!("receiver type parameter {text} must be an identifier");
                        self.err(Code::Generic, a.span, message);
                        continue;
                    };
                    let ty = self.a.types.intern(TyKind::Param(*p));
                    self.declare_local(n, ObjKind::Type(ty));
                }
            }
            _ => {
                if !params.is_empty() && e.as_ident().is_some() {
                    let text = self.text(e);
                    let message = format!("cannot use generic type {text} without instantiation");
                    self.err(Code::Generic, e.span, message);
                }
            }
        }
    }

    /// `T` or `*T` of a method of the defined type.
    pub(super) fn receiver_type(&mut self, n: NamedId, e: &Expr) -> Ty {
        self.note_receiver(e);
        let base = self.a.types.intern(TyKind::Named(n));
        let u = self.a.types.underlying(base);
        let bad = match self.a.types.kind(u) {
            TyKind::Pointer(_) => Some("pointer or interface type"),
            TyKind::Interface(_) => Some("pointer or interface type"),
            TyKind::Basic(Basic::UnsafePointer) => Some("unsafe.Pointer"),
            _ => None,
        };
        if let Some(why) = bad {
            let text = self.text(e);
            self.err(
                Code::InvalidType,
                e.span,
                format!("invalid receiver type {text} ({why})"),
            );
        }
        match self.is_pointer_receiver(e) {
            true => self.a.types.pointer(base),
            false => base,
        }
    }

    pub(super) fn exported(&self, s: crate::syntax::symbol::Symbol) -> bool {
        is_exported(self.name(s))
    }
}

/// The name of an embedded field: its type's.
pub(super) fn embedded_name(e: &Expr) -> Option<ast::Ident> {
    match &e.kind {
        ExprKind::Star(x) | ExprKind::Paren(x) => embedded_name(x),
        ExprKind::Selector { name, .. } => Some(*name),
        ExprKind::Index { operand, .. } => embedded_name(operand),
        _ => e.as_ident(),
    }
}
