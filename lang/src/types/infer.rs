//! Type inference (spec "Type inference", "Type unification"): type arguments from the arguments of
//! a call, then from constraints.
use super::implements::{Missing, MissingMethod, MissingReason};
use super::lookup::Lookup;
use super::ty::{Basic, ChanDir, InterfaceType, NamedId, Param, ParamId, Ty, TyKind, Types};
use std::rc::Rc;

/// Why inference fails.
#[derive(Clone, PartialEq, Debug)]
pub enum InferError {
    /// "in call to f, cannot infer T"
    CannotInfer(ParamId),
    /// "type A of x does not match P": the argument's place, its type, and the parameter's type
    /// with what was inferred before put in, if anything was.
    Mismatch {
        argument: usize,
        arg: Ty,
        param: Option<Ty>,
    },
    /// "T (type A) does not satisfy C": the core type or the methods of the constraint do not
    /// match.
    Constraint(ParamId, Ty, Option<Missing>),
    /// "mismatched types of untyped arguments": the argument's place, its type and the other's.
    Untyped { argument: usize, kinds: (Ty, Ty) },
}

/// How exactly two types have to match (spec "Type unification").
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Exact,
    /// Underlying types, channel directions and interfaces' methods are enough, at any depth.
    Loose,
    /// The same at the top, what is inside exactly: as for assignments.
    Assign,
}

impl Mode {
    /// For the elements of a composite type.
    fn inside(self) -> Mode {
        match self {
            Mode::Loose => Mode::Loose,
            _ => Mode::Exact,
        }
    }
}

/// What is known of each type parameter. Parameters found equal share a slot.
struct Unifier<'a> {
    types: &'a mut Types,
    params: &'a [ParamId],
    slots: Vec<usize>,
    known: Vec<Option<Ty>>,
    /// Pairs of interfaces being compared: their methods may mention themselves.
    comparing: Vec<(Ty, Ty)>,
    depth: u32,
}

/// Parameters bound to each other would be compared without end.
const DEPTH_MAX: u32 = 100;

impl Types {
    /// The type arguments for `params`, of which some are `given`. `args` are pairs of a
    /// parameter's type and the argument's; untyped constants have their untyped type. For the
    /// assignment of a generic function, the pair of its type and the target's.
    ///
    /// # Errors
    /// The first reason why there are none.
    pub fn infer(
        &mut self,
        params: &[ParamId],
        given: &[Option<Ty>],
        args: &[(Ty, Ty)],
    ) -> Result<Vec<Ty>, InferError> {
        let mut known = given.to_vec();
        known.resize(params.len(), None);
        let mut u = Unifier {
            types: self,
            params,
            slots: (0..params.len()).collect(),
            known,
            comparing: Vec::new(),
            depth: 0,
        };
        u.typed_arguments(args)?;
        u.constraints()?;
        u.untyped_arguments(args)?;
        let found = u.simplified();
        match found.iter().position(Option::is_none) {
            Some(i) => Err(InferError::CannotInfer(params[i])),
            None => Ok(found.into_iter().flatten().collect()),
        }
    }

    /// Type parameters of the same names and constraints that are others: for a generic function
    /// that calls itself, whose own parameters are types there, not unknowns.
    pub fn rename(&mut self, params: &[ParamId]) -> (Vec<ParamId>, Vec<Ty>) {
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
        (fresh, new)
    }

    /// The type arguments `targs` satisfy their constraints; else the first that does not.
    pub fn verify_targs(
        &mut self,
        params: &[ParamId],
        targs: &[Ty],
    ) -> Result<(), (usize, Ty, Missing)> {
        for (i, p) in params.iter().enumerate() {
            let constraint = self.params[p.0 as usize].constraint;
            let constraint = self.subst(constraint, params, targs);
            self.implements(targs[i], constraint, true)
                .map_err(|missing| (i, constraint, missing))?;
        }
        Ok(())
    }

    fn named(&self, t: Ty) -> Option<NamedId> {
        match self.kind(t) {
            TyKind::Named(n) => Some(*n),
            _ => None,
        }
    }

    /// The interface that a type is; none for a type parameter.
    fn as_interface(&self, t: Ty) -> Option<Rc<InterfaceType>> {
        match self.under(t) {
            TyKind::Interface(i) => Some(i.clone()),
            _ => None,
        }
    }
}

impl Unifier<'_> {
    fn typed_arguments(&mut self, args: &[(Ty, Ty)]) -> Result<(), InferError> {
        for (argument, (param, arg)) in args.iter().enumerate() {
            let untyped = matches!(self.types.kind(*arg), TyKind::Basic(b) if b.is_untyped());
            if untyped || *arg == Basic::Invalid.ty() || !(self.open(*param) || self.open(*arg)) {
                continue;
            }
            if !self.unify(*param, *arg, Mode::Assign) {
                let new = self.put_in(*param);
                return Err(InferError::Mismatch {
                    argument,
                    arg: *arg,
                    param: (new != *param).then_some(new),
                });
            }
        }
        Ok(())
    }

    /// Is one of the parameters in the type?
    fn open(&self, t: Ty) -> bool {
        self.types.mentions(t, Some(self.params))
    }

    /// A parameter met only by untyped constants takes the default type of the "largest" kind.
    fn untyped_arguments(&mut self, args: &[(Ty, Ty)]) -> Result<(), InferError> {
        let mut largest: Vec<Option<Basic>> = vec![None; self.params.len()];
        for (argument, (param, arg)) in args.iter().enumerate() {
            let (Some(i), TyKind::Basic(b)) = (self.index(*param), self.types.kind(*arg).clone())
            else {
                continue;
            };
            let slot = self.slots[i];
            if !b.is_untyped() || b == Basic::UntypedNil || self.known[slot].is_some() {
                continue;
            }
            largest[slot] = Some(match largest[slot] {
                None => b,
                Some(old) if old.is_numeric() && b.is_numeric() => old.max(b),
                Some(old) if old == b => b,
                Some(old) => {
                    let kinds = (old.ty(), b.ty());
                    return Err(InferError::Untyped { argument, kinds });
                }
            });
        }
        for (slot, b) in largest.into_iter().enumerate() {
            if let Some(b) = b {
                self.known[slot] = Some(self.types.default_type(b.ty()));
            }
        }
        Ok(())
    }

    /// Core types of constraints, and methods that they want, again and again until nothing new
    /// comes of it.
    fn constraints(&mut self) -> Result<(), InferError> {
        loop {
            let unknown = |u: &Unifier| u.slots.iter().filter(|s| u.known[**s].is_none()).count();
            let before = unknown(self);
            for i in 0..self.params.len() {
                self.constraint(i)?;
            }
            if unknown(self) == before {
                return Ok(());
            }
        }
    }

    fn constraint(&mut self, i: usize) -> Result<(), InferError> {
        let p = self.params[i];
        let slot = self.slots[i];
        let constraint = self.types.params[p.0 as usize].constraint;
        let Some(interface) = self.types.as_interface(constraint) else {
            return Ok(());
        };
        let known = self.known[slot];
        if let Some(terms) = &interface.terms
            && let Some(core) = self.types.core_type(constraint)
        {
            // One type without tilde is meant itself, else the underlying type.
            let single = match terms[..] {
                [term] if !term.tilde => Some(term.ty),
                _ => None,
            };
            match known {
                Some(known) => {
                    if !self.unify(known, single.unwrap_or(core), Mode::Loose) {
                        return Err(InferError::Constraint(p, known, None));
                    }
                }
                None => self.known[slot] = single,
            }
        }
        match known {
            Some(known) if !self.open(known) => self.methods(p, known, &interface),
            _ => Ok(()),
        }
    }

    /// A type argument has the methods of the constraint; their signatures may say more.
    fn methods(&mut self, p: ParamId, known: Ty, want: &InterfaceType) -> Result<(), InferError> {
        for m in &want.methods {
            let reason = match self.types.lookup_method(known, m) {
                Lookup::Method(sel) if self.unify(m.sig, sel.sig, Mode::Exact) => continue,
                Lookup::Method(sel) => MissingReason::WrongType(sel.sig),
                Lookup::NeedsPointer(_) => MissingReason::PointerReceiver,
                Lookup::Ambiguous => MissingReason::Ambiguous,
                Lookup::Field(_) => MissingReason::Field,
                Lookup::NotFound => MissingReason::NotFound,
            };
            let method = m.clone();
            let missing = Missing::Methods(vec![MissingMethod { method, reason }]);
            return Err(InferError::Constraint(p, known, Some(missing)));
        }
        Ok(())
    }

    /// The inferred types put into each other (a core type may mention other parameters); none
    /// where a parameter is left.
    fn simplified(&mut self) -> Vec<Option<Ty>> {
        for _ in 0..self.params.len() {
            let mut changed = false;
            for slot in 0..self.known.len() {
                let Some(t) = self.known[slot] else {
                    continue;
                };
                let new = self.put_in(t);
                changed |= new != t;
                // Inferred through itself, it stays unknown.
                let own = (0..self.params.len()).filter(|i| self.slots[*i] == slot);
                let own: Vec<ParamId> = own.map(|i| self.params[i]).collect();
                self.known[slot] = (!self.types.mentions(new, Some(&own))).then_some(new);
            }
            if !changed {
                break;
            }
        }
        let found = self.slots.iter().map(|s| self.known[*s]);
        found.map(|t| t.filter(|t| !self.open(*t))).collect()
    }

    fn put_in(&mut self, t: Ty) -> Ty {
        let pairs = self.params.iter().zip(&self.slots);
        let (params, args): (Vec<ParamId>, Vec<Ty>) = pairs
            .filter_map(|(p, s)| self.known[*s].map(|t| (*p, t)))
            .unzip();
        self.types.subst(t, &params, &args)
    }

    fn index(&self, t: Ty) -> Option<usize> {
        match self.types.kind(t) {
            TyKind::Param(p) => self.params.iter().position(|q| q == p),
            _ => None,
        }
    }

    /// Makes two types match by binding parameters.
    fn unify(&mut self, x: Ty, y: Ty, mode: Mode) -> bool {
        if x == y {
            return true;
        }
        if self.depth >= DEPTH_MAX {
            return false;
        }
        self.depth += 1;
        let same = self.unify_different(x, y, mode);
        self.depth -= 1;
        same
    }

    fn unify_different(&mut self, x: Ty, y: Ty, mode: Mode) -> bool {
        let (mut x, mut y) = (x, y);
        if mode != Mode::Exact {
            // A defined type against a literal: its underlying type is compared.
            if self.types.named(x).is_some() {
                std::mem::swap(&mut x, &mut y);
            }
            let literal = !matches!(self.types.kind(x), TyKind::Named(_) | TyKind::Param(_));
            if literal && self.types.named(y).is_some() && !self.types.is_interface(x) {
                y = self.types.underlying(y);
                if x == y {
                    return true;
                }
            }
        }
        match (self.index(x), self.index(y)) {
            (Some(i), Some(j)) => return self.join(i, j, mode),
            (Some(i), None) => return self.bind(i, y, mode),
            (None, Some(j)) => return self.bind(j, x, mode),
            (None, None) => {}
        }
        if mode != Mode::Exact {
            match (self.types.as_interface(x), self.types.as_interface(y)) {
                (Some(a), Some(b)) => return self.interfaces(x, &a, y, &b),
                (Some(a), None) => return self.implements(&a, y),
                (None, Some(b)) => return self.implements(&b, x),
                (None, None) => {}
            }
        }
        if self.types.is_param(y) {
            std::mem::swap(&mut x, &mut y);
        }
        self.structures(x, y, mode)
    }

    /// Types of the same form, none of them a parameter to be inferred.
    fn structures(&mut self, x: Ty, y: Ty, mode: Mode) -> bool {
        let inside = mode.inside();
        match (self.types.kind(x).clone(), self.types.kind(y).clone()) {
            (TyKind::Named(a), TyKind::Named(b)) => {
                let (origin_a, args_a) = self.types.type_args(a);
                let (origin_b, args_b) = self.types.type_args(b);
                origin_a == origin_b && self.all(&args_a, &args_b, mode)
            }
            (TyKind::Pointer(a), TyKind::Pointer(b)) | (TyKind::Slice(a), TyKind::Slice(b)) => {
                self.unify(a, b, inside)
            }
            (TyKind::Array(a, n), TyKind::Array(b, m)) => n == m && self.unify(a, b, inside),
            (TyKind::Map(k, v), TyKind::Map(l, w)) => {
                self.unify(k, l, inside) && self.unify(v, w, inside)
            }
            (TyKind::Chan(d, a), TyKind::Chan(e, b)) => {
                (d == e || mode != Mode::Exact) && self.unify(a, b, inside)
            }
            (TyKind::Func(a), TyKind::Func(b)) => {
                a.variadic == b.variadic
                    && self.all(&a.params, &b.params, inside)
                    && self.all(&a.results, &b.results, inside)
            }
            (TyKind::Tuple(a), TyKind::Tuple(b)) => self.all(&a, &b, inside),
            (TyKind::Struct(a), TyKind::Struct(b)) => {
                a.fields.len() == b.fields.len()
                    && a.fields.iter().zip(&b.fields).all(|(f, g)| {
                        (f.name, f.pkg, f.embedded, &f.tag) == (g.name, g.pkg, g.embedded, &g.tag)
                            && self.unify(f.ty, g.ty, inside)
                    })
            }
            (TyKind::Interface(a), TyKind::Interface(b)) => {
                a.methods.len() == b.methods.len() && self.interfaces(x, &a, y, &b)
            }
            // A parameter of the function around: its types' common underlying type has to match.
            (TyKind::Param(_), _) => match self.types.core_type(x) {
                Some(core) => self.unify(core, y, Mode::Assign),
                None => false,
            },
            _ => false,
        }
    }

    /// Interfaces match when the methods of one are among the other's.
    fn interfaces(&mut self, x: Ty, a: &InterfaceType, y: Ty, b: &InterfaceType) -> bool {
        if a.comparable != b.comparable || a.terms != b.terms {
            return false;
        }
        if self.comparing.contains(&(x, y)) {
            return true;
        }
        let (few, many) = match a.methods.len() <= b.methods.len() {
            true => (a, b),
            false => (b, a),
        };
        self.comparing.push((x, y));
        let found = few.methods.iter().all(|m| {
            let same = |n: &&super::ty::IMethod| n.name == m.name && n.pkg == m.pkg;
            let other = many.methods.iter().find(same);
            other.is_some_and(|n| self.unify(m.sig, n.sig, Mode::Exact))
        });
        self.comparing.pop();
        found
    }

    /// A type that is no interface has the methods of one.
    fn implements(&mut self, i: &InterfaceType, t: Ty) -> bool {
        i.methods
            .iter()
            .all(|m| match self.types.lookup_method(t, m) {
                Lookup::Method(sel) | Lookup::NeedsPointer(sel) => {
                    self.unify(m.sig, sel.sig, Mode::Exact)
                }
                _ => false,
            })
    }

    fn all(&mut self, a: &[Ty], b: &[Ty], mode: Mode) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.unify(*a, *b, mode))
    }

    /// Two parameters are one from now on.
    fn join(&mut self, i: usize, j: usize, mode: Mode) -> bool {
        let (a, b) = (self.slots[i], self.slots[j]);
        if a == b {
            return true;
        }
        match (self.known[a], self.known[b]) {
            (Some(x), Some(y)) => self.unify(x, y, mode),
            (known, other) => {
                self.known[a] = known.or(other);
                self.known[b] = None;
                self.slots
                    .iter_mut()
                    .filter(|s| **s == b)
                    .for_each(|s| *s = a);
                true
            }
        }
    }

    fn bind(&mut self, i: usize, t: Ty, mode: Mode) -> bool {
        let slot = self.slots[i];
        let Some(old) = self.known[slot] else {
            self.known[slot] = Some(t);
            return true;
        };
        if !self.unify(old, t, mode) {
            return false;
        }
        if mode == Mode::Exact {
            return true;
        }
        let (defined, was_defined) = (self.types.named(t), self.types.named(old));
        match (self.types.as_interface(old), self.types.as_interface(t)) {
            (Some(_), Some(_)) if defined.is_some() && was_defined.is_some() => return old == t,
            (Some(a), Some(b)) if a.methods.len() != b.methods.len() => return false,
            (Some(_), Some(_)) | (None, None) => {}
            // Either could be meant; to choose would depend on the order.
            _ => return false,
        }
        // The defined type wins over the literal, the restricted channel over the other.
        let restricted = matches!(self.types.under(t), TyKind::Chan(d, _) if *d != ChanDir::Both);
        if (defined.is_some() && was_defined.is_none())
            || (restricted && !(was_defined.is_some() && defined.is_none()))
        {
            self.known[slot] = Some(t);
        }
        true
    }
}
