//! Substitution of type parameters and instantiation of generic types (spec "Instantiations").
//!
//! A generic type used with its own parameters is itself. A type declared in a generic function has
//! that function's type parameters as its own `params`, so it is instantiated with the function.
use super::lookup::{MethodKind, MethodSel};
use super::ty::{
    Basic, Field, IMethod, InterfaceType, Method, MethodSig, Named, NamedId, Param, ParamId, PkgId,
    Signature, StructType, Term, Ty, TyKind, Types,
};
use crate::syntax::symbol::Symbol;
use std::rc::Rc;

/// A generic type that appears in itself this often, with ever deeper arguments, has no end.
const EXPANSIONS_MAX: usize = 3;

impl Types {
    /// A new defined type, unresolved until `set_underlying`.
    pub fn declare_named(&mut self, name: Symbol, pkg: Option<PkgId>, local: u32) -> (NamedId, Ty) {
        let id = NamedId(self.named.len() as u32);
        self.named.push(Named {
            name,
            pkg,
            local,
            underlying: Basic::Invalid.ty(),
            methods: Vec::new(),
            params: Vec::new(),
            outer: 0,
            origin: None,
        });
        (id, self.intern(TyKind::Named(id)))
    }

    /// A new type parameter; the constraint is set once it is resolved.
    pub fn declare_param(&mut self, name: Symbol, index: u32, constraint: Ty) -> (ParamId, Ty) {
        let id = ParamId(self.params.len() as u32);
        self.params.push(Param {
            name,
            index,
            constraint,
        });
        (id, self.intern(TyKind::Param(id)))
    }

    /// Resolves a declaration, and the instances that were made of it before.
    pub fn set_underlying(&mut self, n: NamedId, underlying: Ty) {
        self.named[n.0 as usize].underlying = underlying;
        if self.named[n.0 as usize].params.is_empty() {
            return;
        }
        let waiting: Vec<NamedId> = self
            .instances
            .iter()
            .filter(|((origin, _), _)| *origin == n)
            .map(|(_, id)| *id)
            .collect();
        for id in waiting {
            self.complete_instance(id);
        }
    }

    /// `origin[targs…]`: the same arguments give the same type.
    pub fn instantiate_named(&mut self, origin: NamedId, targs: &[Ty]) -> NamedId {
        let generic = &self.named[origin.0 as usize];
        if self.param_types(&generic.params) == targs {
            return origin;
        }
        let key = (origin, targs.to_vec());
        if let Some(&id) = self.instances.get(&key) {
            return id;
        }
        let id = NamedId(self.named.len() as u32);
        self.named.push(Named {
            name: generic.name,
            pkg: generic.pkg,
            local: generic.local,
            underlying: Basic::Invalid.ty(),
            methods: Vec::new(),
            params: Vec::new(),
            outer: generic.outer,
            origin: Some(key.clone()),
        });
        // Entered before its structure is made: recursive types meet it there.
        self.instances.insert(key, id);
        let depth = targs.iter().map(|t| self.depth(*t)).max().unwrap_or(0);
        let outer = self.expanding.iter();
        let smaller = outer.filter(|(o, d)| *o == origin && *d < depth).count();
        if smaller >= EXPANSIONS_MAX {
            self.expansion_cycle = Some(origin);
        } else {
            self.expanding.push((origin, depth));
            self.complete_instance(id);
            self.expanding.pop();
        }
        id
    }

    /// `origin[targs…]` as a type.
    pub fn instantiate(&mut self, origin: NamedId, targs: &[Ty]) -> Ty {
        let id = self.instantiate_named(origin, targs);
        self.intern(TyKind::Named(id))
    }

    fn complete_instance(&mut self, id: NamedId) {
        let Some((origin, targs)) = self.named[id.0 as usize].origin.clone() else {
            return;
        };
        let generic = &self.named[origin.0 as usize];
        let (underlying, params) = (generic.underlying, generic.params.clone());
        let underlying = self.subst(underlying, &params, &targs);
        self.named[id.0 as usize].underlying = self.underlying(underlying);
    }

    /// The handles of type parameters. They exist: declaring one interns it.
    fn param_types(&self, params: &[ParamId]) -> Vec<Ty> {
        let ty = |p: &ParamId| self.find(&TyKind::Param(*p)).unwrap_or(Basic::Invalid.ty());
        params.iter().map(ty).collect()
    }

    /// The generic type and the type arguments of a defined type; a type without parameters has
    /// none, a generic one its own parameters.
    pub fn type_args(&self, n: NamedId) -> (NamedId, Vec<Ty>) {
        let named = &self.named[n.0 as usize];
        match &named.origin {
            Some((origin, targs)) => (*origin, targs.clone()),
            None => (n, self.param_types(&named.params)),
        }
    }

    /// Is it a declaration with type parameters of its own, not an instance?
    pub fn is_generic(&self, n: NamedId) -> bool {
        let named = &self.named[n.0 as usize];
        named.origin.is_none() && named.params.len() > named.outer as usize
    }

    /// The declared methods of a defined type; an instance has its generic type's.
    pub fn methods(&self, n: NamedId) -> &[Method] {
        let n = self.named[n.0 as usize].origin.as_ref().map_or(n, |o| o.0);
        &self.named[n.0 as usize].methods
    }

    /// The signature of a method of `n`, without receiver, with `n`'s type arguments. Invalid while
    /// the checker has not entered it.
    pub fn method_sig(&mut self, n: NamedId, m: &Method) -> Ty {
        let Some(MethodSig {
            type_params, sig, ..
        }) = self.method_sigs.get(&m.func).cloned()
        else {
            return Basic::Invalid.ty();
        };
        let (_, targs) = self.type_args(n);
        self.subst(sig, &type_params, &targs)
    }

    /// Has the selected method type parameters of its own?
    pub fn is_generic_method(&self, sel: &MethodSel) -> bool {
        match &sel.kind {
            MethodKind::Concrete { func, .. } => self
                .method_sigs
                .get(&func.func)
                .is_some_and(|m| !m.own.is_empty()),
            _ => false,
        }
    }

    /// Replaces type parameters by type arguments.
    pub fn subst(&mut self, t: Ty, params: &[ParamId], args: &[Ty]) -> Ty {
        if params.is_empty() {
            return t;
        }
        let each = |types: &mut Types, ts: &[Ty]| -> Vec<Ty> {
            ts.iter().map(|t| types.subst(*t, params, args)).collect()
        };
        let kind = match self.kind(t).clone() {
            TyKind::Basic(_) => return t,
            TyKind::Param(p) => {
                let at = params.iter().position(|q| *q == p);
                return at.and_then(|i| args.get(i)).copied().unwrap_or(t);
            }
            TyKind::Named(n) => {
                let (origin, targs) = self.type_args(n);
                let new = each(self, &targs);
                return match new == targs {
                    true => t,
                    false => self.instantiate(origin, &new),
                };
            }
            TyKind::Pointer(e) => TyKind::Pointer(self.subst(e, params, args)),
            TyKind::Slice(e) => TyKind::Slice(self.subst(e, params, args)),
            TyKind::Array(e, n) => TyKind::Array(self.subst(e, params, args), n),
            TyKind::Chan(d, e) => TyKind::Chan(d, self.subst(e, params, args)),
            TyKind::Map(k, v) => {
                TyKind::Map(self.subst(k, params, args), self.subst(v, params, args))
            }
            TyKind::Tuple(ts) => TyKind::Tuple(each(self, &ts).into()),
            TyKind::Struct(s) => {
                let mut fields = Vec::with_capacity(s.fields.len());
                for f in &s.fields {
                    let ty = self.subst(f.ty, params, args);
                    fields.push(Field { ty, ..f.clone() });
                }
                TyKind::Struct(Rc::new(StructType { fields }))
            }
            TyKind::Func(s) => TyKind::Func(Rc::new(Signature {
                params: each(self, &s.params),
                results: each(self, &s.results),
                variadic: s.variadic,
            })),
            TyKind::Interface(i) => {
                let mut methods = Vec::with_capacity(i.methods.len());
                for m in &i.methods {
                    let sig = self.subst(m.sig, params, args);
                    methods.push(IMethod { sig, ..m.clone() });
                }
                let terms = i.terms.as_ref().map(|terms| {
                    let new = |t: &Term| Term {
                        ty: self.subst(t.ty, params, args),
                        ..*t
                    };
                    terms.iter().map(new).collect()
                });
                TyKind::Interface(Rc::new(InterfaceType {
                    methods,
                    terms,
                    comparable: i.comparable,
                }))
            }
        };
        self.intern(kind)
    }

    /// Collects the type parameters that a type mentions.
    pub fn params_in(&self, t: Ty, out: &mut Vec<ParamId>) {
        let mut each = |ts: &[Ty]| ts.iter().for_each(|t| self.params_in(*t, out));
        match self.kind(t) {
            TyKind::Basic(_) => {}
            TyKind::Param(p) => {
                if !out.contains(p) {
                    out.push(*p);
                }
            }
            TyKind::Named(n) => each(&self.type_args(*n).1),
            TyKind::Pointer(e) | TyKind::Slice(e) | TyKind::Array(e, _) | TyKind::Chan(_, e) => {
                self.params_in(*e, out);
            }
            TyKind::Map(k, v) => each(&[*k, *v]),
            TyKind::Tuple(ts) => each(ts),
            TyKind::Struct(s) => s.fields.iter().for_each(|f| self.params_in(f.ty, out)),
            TyKind::Func(s) => {
                each(&s.params);
                each(&s.results);
            }
            TyKind::Interface(i) => {
                i.methods.iter().for_each(|m| self.params_in(m.sig, out));
                let terms = i.terms.iter().flatten();
                terms.for_each(|t| self.params_in(t.ty, out));
            }
        }
    }

    /// Does the type mention one of the parameters (any, if `None`)?
    pub fn mentions(&self, t: Ty, params: Option<&[ParamId]>) -> bool {
        let any = |ts: &[Ty]| ts.iter().any(|t| self.mentions(*t, params));
        match self.kind(t) {
            TyKind::Basic(_) => false,
            TyKind::Param(p) => params.is_none_or(|ps| ps.contains(p)),
            TyKind::Named(n) => any(&self.type_args(*n).1),
            TyKind::Pointer(e) | TyKind::Slice(e) | TyKind::Array(e, _) | TyKind::Chan(_, e) => {
                self.mentions(*e, params)
            }
            TyKind::Map(k, v) => any(&[*k, *v]),
            TyKind::Tuple(ts) => any(ts),
            TyKind::Struct(s) => s.fields.iter().any(|f| self.mentions(f.ty, params)),
            TyKind::Func(s) => any(&s.params) || any(&s.results),
            TyKind::Interface(i) => {
                i.methods.iter().any(|m| self.mentions(m.sig, params))
                    || i.terms
                        .iter()
                        .flatten()
                        .any(|t| self.mentions(t.ty, params))
            }
        }
    }
}
