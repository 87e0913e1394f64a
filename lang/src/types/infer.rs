//! Type inference (spec "Type inference", "Type unification"): type arguments from the arguments of
//! a call, then from constraints.
use super::ty::{Basic, ChanDir, Param, ParamId, Ty, TyKind, Types};

/// Why inference fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InferError {
    /// "in call to f, cannot infer T"
    CannotInfer(ParamId),
    /// "type A of x does not match P": the argument's place, its type, the parameter's type with
    /// what was inferred before put in.
    Mismatch { argument: usize, arg: Ty, param: Ty },
    /// "T (type A) does not satisfy C": the core type of the constraint does not match.
    Constraint(ParamId, Ty),
    /// "mismatched types of untyped arguments": "default type X of y does not match inferred type Z
    /// for T".
    Untyped {
        argument: usize,
        default: Ty,
        inferred: Ty,
    },
}

/// What is known of each type parameter.
struct Unifier<'a> {
    types: &'a mut Types,
    params: &'a [ParamId],
    known: Vec<Option<Ty>>,
}

impl Types {
    /// The type arguments for `params`, of which `given` are written out. `args` are pairs of a
    /// parameter's type and the argument's; untyped constants have their untyped type. For the
    /// assignment of a generic function, the pair of its type and the target's.
    pub fn infer(
        &mut self,
        params: &[ParamId],
        given: &[Ty],
        args: &[(Ty, Ty)],
    ) -> Result<Vec<Ty>, InferError> {
        // A generic function that calls itself: its parameters are types there, not unknowns.
        let own = |types: &Types, t: Ty| types.mentions(t, Some(params));
        if args.iter().any(|(_, arg)| own(self, *arg)) || given.iter().any(|t| own(self, *t)) {
            let fresh = self.rename(params);
            let new: Vec<Ty> = fresh
                .iter()
                .map(|p| self.intern(TyKind::Param(*p)))
                .collect();
            let args: Vec<(Ty, Ty)> = args
                .iter()
                .map(|(param, arg)| (self.subst(*param, params, &new), *arg))
                .collect();
            return self.infer(&fresh, given, &args).map_err(|e| match e {
                InferError::CannotInfer(p) | InferError::Constraint(p, _) => {
                    let at = fresh.iter().position(|f| *f == p).unwrap_or(0);
                    match e {
                        InferError::Constraint(_, t) => InferError::Constraint(params[at], t),
                        _ => InferError::CannotInfer(params[at]),
                    }
                }
                e => e,
            });
        }
        let mut known: Vec<Option<Ty>> = given.iter().copied().map(Some).collect();
        known.resize(params.len(), None);
        let mut u = Unifier {
            types: self,
            params,
            known,
        };
        u.typed_arguments(args)?;
        u.constraints()?;
        u.untyped_arguments(args)?;
        u.constraints()?;
        u.simplify();
        let missing = u.known.iter().position(Option::is_none);
        match missing {
            Some(i) => Err(InferError::CannotInfer(params[i])),
            None => Ok(u.known.into_iter().flatten().collect()),
        }
    }

    /// Type parameters of the same names and constraints that are others.
    fn rename(&mut self, params: &[ParamId]) -> Vec<ParamId> {
        let mut fresh = Vec::with_capacity(params.len());
        for p in params {
            let Param {
                name,
                index,
                constraint,
            } = self.params[p.0 as usize].clone();
            fresh.push(self.declare_param(name, index, constraint).0);
        }
        let new: Vec<Ty> = fresh
            .iter()
            .map(|p| self.intern(TyKind::Param(*p)))
            .collect();
        for p in &fresh {
            let constraint = self.params[p.0 as usize].constraint;
            self.params[p.0 as usize].constraint = self.subst(constraint, params, &new);
        }
        fresh
    }

    /// The type arguments `targs` satisfy their constraints; else the first that does not.
    pub fn verify_targs(
        &mut self,
        params: &[ParamId],
        targs: &[Ty],
    ) -> Result<(), (usize, Ty, super::implements::Missing)> {
        for (i, p) in params.iter().enumerate() {
            let constraint = self.params[p.0 as usize].constraint;
            let constraint = self.subst(constraint, params, targs);
            self.implements(targs[i], constraint, true)
                .map_err(|missing| (i, constraint, missing))?;
        }
        Ok(())
    }
}

impl Unifier<'_> {
    fn typed_arguments(&mut self, args: &[(Ty, Ty)]) -> Result<(), InferError> {
        for (argument, (param, arg)) in args.iter().enumerate() {
            let untyped = matches!(self.types.kind(*arg), TyKind::Basic(b) if b.is_untyped());
            let invalid = *arg == Basic::Invalid.ty();
            if untyped || invalid || !self.types.mentions(*param, Some(self.params)) {
                continue;
            }
            if !self.unify(*param, *arg, false) {
                let param = self.put_in(*param);
                let arg = *arg;
                return Err(InferError::Mismatch {
                    argument,
                    arg,
                    param,
                });
            }
        }
        Ok(())
    }

    /// A parameter met only by untyped constants takes the default type of the "largest" kind.
    fn untyped_arguments(&mut self, args: &[(Ty, Ty)]) -> Result<(), InferError> {
        let mut largest: Vec<Option<Basic>> = vec![None; self.params.len()];
        for (argument, (param, arg)) in args.iter().enumerate() {
            let (Some(i), TyKind::Basic(b)) = (self.index(*param), self.types.kind(*arg).clone())
            else {
                continue;
            };
            if !b.is_untyped() || b == Basic::UntypedNil || self.known[i].is_some() {
                continue;
            }
            largest[i] = Some(match largest[i] {
                None => b,
                Some(old) if old.is_numeric() && b.is_numeric() => old.max(b),
                Some(old) if old == b => b,
                Some(old) => {
                    return Err(InferError::Untyped {
                        argument,
                        default: self.types.default_type(b.ty()),
                        inferred: self.types.default_type(old.ty()),
                    });
                }
            });
        }
        for (i, b) in largest.into_iter().enumerate() {
            if let Some(b) = b {
                self.known[i] = Some(self.types.default_type(b.ty()));
            }
        }
        Ok(())
    }

    /// Core types of constraints, and methods that they want, again and again until nothing new
    /// comes of it.
    fn constraints(&mut self) -> Result<(), InferError> {
        loop {
            let before = self.known.clone();
            for i in 0..self.params.len() {
                self.constraint(i)?;
            }
            if self.known == before {
                return Ok(());
            }
        }
    }

    fn constraint(&mut self, i: usize) -> Result<(), InferError> {
        let p = self.params[i];
        let constraint = self.types.params[p.0 as usize].constraint;
        let TyKind::Interface(interface) = self.types.under(constraint).clone() else {
            return Ok(());
        };
        let core = self.types.core_type(constraint);
        let single = interface
            .terms
            .as_ref()
            .filter(|t| t.len() == 1 && !t[0].tilde);
        if let (Some(core), Some(_)) = (core, &interface.terms) {
            match self.known[i] {
                // With a tilde the argument's underlying type has to match.
                Some(known) => {
                    let known_core = self.types.core_type(known).unwrap_or(known);
                    if !self.unify(core, known_core, true) {
                        return Err(InferError::Constraint(p, known));
                    }
                }
                None if single.is_some() => {
                    let exact = interface.terms.as_ref().map_or(core, |t| t[0].ty);
                    self.known[i] = Some(exact);
                }
                // With a tilde the type may be any of that underlying type.
                None => {}
            }
        }
        if let Some(known) = self.known[i]
            && !self.types.mentions(known, Some(self.params))
        {
            for m in &interface.methods {
                if let super::lookup::Lookup::Method(sel) = self.types.lookup_method(known, m)
                    && !self.unify(m.sig, sel.sig, true)
                {
                    return Err(InferError::Constraint(p, known));
                }
            }
        }
        Ok(())
    }

    /// Puts inferred types into each other (a core type may mention other parameters).
    fn simplify(&mut self) {
        for _ in 0..self.params.len() {
            for i in 0..self.known.len() {
                if let Some(t) = self.known[i] {
                    let new = self.put_in(t);
                    // A parameter inferred through itself stays open.
                    let own = &self.params[i..=i];
                    self.known[i] = (!self.types.mentions(new, Some(own))).then_some(new);
                }
            }
        }
        let open = |t: &Ty| !self.types.mentions(*t, Some(self.params));
        self.known = self.known.iter().map(|t| t.filter(open)).collect();
    }

    fn put_in(&mut self, t: Ty) -> Ty {
        let pairs = self.params.iter().zip(&self.known);
        let (params, args): (Vec<ParamId>, Vec<Ty>) =
            pairs.filter_map(|(p, t)| t.map(|t| (*p, t))).unzip();
        self.types.subst(t, &params, &args)
    }

    fn index(&self, t: Ty) -> Option<usize> {
        match self.types.kind(t) {
            TyKind::Param(p) => self.params.iter().position(|q| q == p),
            _ => None,
        }
    }

    /// Makes `x` (of the parameters' side) and `y` identical by binding parameters. Inexact: as
    /// assignability asks, so channel directions and defined types may differ at the top.
    fn unify(&mut self, x: Ty, y: Ty, exact: bool) -> bool {
        if x == y && self.index(x).is_none() {
            return true;
        }
        if let Some(i) = self.index(x) {
            return self.bind(i, y, exact);
        }
        if let Some(i) = self.index(y) {
            return self.bind(i, x, exact);
        }
        let (kx, ky) = (self.types.kind(x).clone(), self.types.kind(y).clone());
        // One defined type against a literal: the underlying types are compared.
        if !exact {
            match (&kx, &ky) {
                (TyKind::Named(_), TyKind::Named(_)) | (TyKind::Basic(_), _) => {}
                (TyKind::Named(_), _) => {
                    let u = self.types.underlying(x);
                    return self.unify(u, y, false);
                }
                (_, TyKind::Named(_)) => {
                    let u = self.types.underlying(y);
                    return self.unify(x, u, false);
                }
                _ => {}
            }
        }
        match (kx, ky) {
            (TyKind::Named(a), TyKind::Named(b)) => {
                let (origin_a, args_a) = self.types.type_args(a);
                let (origin_b, args_b) = self.types.type_args(b);
                if origin_a == origin_b {
                    return self.all(&args_a, &args_b);
                }
                // An interface parameter takes what has its methods; they may bind parameters.
                !exact && self.interface_methods(x, y)
            }
            (TyKind::Interface(_), TyKind::Named(_)) if !exact => self.interface_methods(x, y),
            (TyKind::Pointer(a), TyKind::Pointer(b)) | (TyKind::Slice(a), TyKind::Slice(b)) => {
                self.unify(a, b, true)
            }
            (TyKind::Array(a, n), TyKind::Array(b, m)) => n == m && self.unify(a, b, true),
            (TyKind::Map(k, v), TyKind::Map(l, w)) => {
                self.unify(k, l, true) && self.unify(v, w, true)
            }
            (TyKind::Chan(d, a), TyKind::Chan(e, b)) => {
                let fits = d == e || (!exact && (d == ChanDir::Both || e == ChanDir::Both));
                fits && self.unify(a, b, true)
            }
            (TyKind::Func(a), TyKind::Func(b)) => {
                a.variadic == b.variadic
                    && self.all(&a.params, &b.params)
                    && self.all(&a.results, &b.results)
            }
            (TyKind::Tuple(a), TyKind::Tuple(b)) => self.all(&a, &b),
            (TyKind::Struct(a), TyKind::Struct(b)) => {
                a.fields.len() == b.fields.len()
                    && a.fields.iter().zip(&b.fields).all(|(f, g)| {
                        (f.name, f.pkg, f.embedded, &f.tag) == (g.name, g.pkg, g.embedded, &g.tag)
                            && self.unify(f.ty, g.ty, true)
                    })
            }
            (TyKind::Interface(a), TyKind::Interface(b)) => {
                a.methods.len() == b.methods.len()
                    && a.comparable == b.comparable
                    && a.terms == b.terms
                    && a.methods.iter().zip(&b.methods).all(|(m, n)| {
                        m.name == n.name && m.pkg == n.pkg && self.unify(m.sig, n.sig, true)
                    })
            }
            // A parameter of the enclosing function stands for its core type.
            (TyKind::Param(_), _) => match self.types.core_type(x) {
                Some(core) => self.unify(core, y, false),
                None => false,
            },
            (_, TyKind::Param(_)) => match self.types.core_type(y) {
                Some(core) => self.unify(x, core, false),
                None => false,
            },
            _ => false,
        }
    }

    fn interface_methods(&mut self, x: Ty, y: Ty) -> bool {
        let (x, y) = match self.types.is_interface(x) {
            true => (x, y),
            false => (y, x),
        };
        let TyKind::Interface(i) = self.types.under(x).clone() else {
            return false;
        };
        i.methods
            .iter()
            .all(|m| match self.types.lookup_method(y, m) {
                super::lookup::Lookup::Method(sel) => self.unify(m.sig, sel.sig, true),
                _ => false,
            })
    }

    fn all(&mut self, a: &[Ty], b: &[Ty]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.unify(*a, *b, true))
    }

    fn bind(&mut self, i: usize, t: Ty, exact: bool) -> bool {
        let Some(old) = self.known[i] else {
            if self.index(t) != Some(i) {
                self.known[i] = Some(t);
            }
            return true;
        };
        if !self.unify(old, t, exact) {
            return false;
        }
        // Inexact: the defined type wins over the literal, the restricted channel over the other.
        let both = |types: &Types, t: Ty| matches!(types.kind(t), TyKind::Chan(ChanDir::Both, _));
        let named = |types: &Types, t: Ty| matches!(types.kind(t), TyKind::Named(_));
        let better = (named(self.types, t) && !named(self.types, old))
            || (both(self.types, old) && !both(self.types, t) && !named(self.types, old));
        if !exact && better {
            self.known[i] = Some(t);
        }
        true
    }
}
