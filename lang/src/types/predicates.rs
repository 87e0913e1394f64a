//! Properties of types and relations between them: comparison, type sets and core types, storability
//! in the persistent heap. Assignability and conversion are in `relations.rs`, `implements` in
//! `implements.rs`.
use super::print::Names;
use super::ty::{Basic, ChanDir, Field, InterfaceType, PkgId, StructType, Term, Ty, TyKind, Types};
use std::rc::Rc;

/// What keeps a type out of the persistent heap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotStorable {
    /// `conn.notify`, `items[].done`; empty when it is the type itself.
    pub path: String,
    pub ty: Ty,
}

impl NotStorable {
    /// `field conn.notify has type chan int`.
    pub fn message(&self, types: &Types, names: &dyn Names, pkg: PkgId) -> String {
        let ty = types.display(self.ty, names, pkg);
        match self.path.as_str() {
            "" => format!("it is of type {ty}"),
            path if path.starts_with('[') => format!("element {path} has type {ty}"),
            path => format!("field {path} has type {ty}"),
        }
    }
}

impl Types {
    /// The interface behind an interface type or a type parameter's constraint.
    pub fn interface_of(&self, t: Ty) -> Option<Rc<InterfaceType>> {
        match self.under(t) {
            TyKind::Interface(i) => Some(i.clone()),
            TyKind::Param(p) => match self.under(self.params[p.0 as usize].constraint) {
                TyKind::Interface(i) => Some(i.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    pub fn is_param(&self, t: Ty) -> bool {
        matches!(self.kind(t), TyKind::Param(_))
    }

    /// The terms of a type parameter's type set; `None` if it is not restricted. Terms that are
    /// type parameters themselves are replaced by their own.
    pub fn param_terms(&self, t: Ty) -> Option<Vec<Term>> {
        let i = self.interface_of(t)?;
        let mut out = Vec::new();
        for term in i.terms.as_ref()? {
            match self.is_param(term.ty) {
                true => out.extend(self.param_terms(term.ty)?),
                false => out.push(*term),
            }
        }
        Some(out)
    }

    /// Does the predicate hold for the type, or for all types of a type parameter's type set (which
    /// must have terms)?
    pub fn all_types(&self, t: Ty, pred: &dyn Fn(&Types, Ty) -> bool) -> bool {
        if !self.is_param(t) {
            return pred(self, t);
        }
        let terms = self.param_terms(t).unwrap_or_default();
        !terms.is_empty() && terms.iter().all(|term| pred(self, term.ty))
    }

    /// Is the type (all of a type parameter's types) of basic types that satisfy the predicate?
    pub fn all_basic(&self, t: Ty, pred: fn(Basic) -> bool) -> bool {
        self.all_types(t, &|types, t| types.basic(t).is_some_and(pred))
    }

    /// Has the values `<` and its like (spec "Comparison operators").
    pub fn ordered(&self, t: Ty) -> bool {
        self.all_basic(t, |b| b.is_integer() || b.is_float() || b.is_string())
    }

    /// Is nil a value of the type?
    pub fn has_nil(&self, t: Ty) -> bool {
        self.all_types(t, &|types, t| match types.under(t) {
            TyKind::Basic(b) => matches!(b, Basic::UnsafePointer | Basic::UntypedNil),
            TyKind::Pointer(_)
            | TyKind::Slice(_)
            | TyKind::Map(..)
            | TyKind::Chan(..)
            | TyKind::Func(_)
            | TyKind::Interface(_) => true,
            _ => false,
        })
    }

    /// Can values be compared with `==` (interfaces can, though it may panic)?
    pub fn comparable(&self, t: Ty) -> bool {
        self.compares(t, true)
    }

    /// Comparable without ever panicking.
    pub fn strictly_comparable(&self, t: Ty) -> bool {
        self.compares(t, false)
    }

    pub(super) fn compares(&self, t: Ty, dynamic: bool) -> bool {
        self.compares_inside(t, dynamic, &mut Vec::new())
    }

    /// `seen` holds the type parameters being looked at: constraints may mention themselves.
    fn compares_inside(&self, t: Ty, dynamic: bool, seen: &mut Vec<Ty>) -> bool {
        match self.under(t) {
            TyKind::Basic(b) => *b != Basic::UntypedNil,
            TyKind::Pointer(_) | TyKind::Chan(..) => true,
            TyKind::Interface(i) => dynamic || self.set_comparable(i, seen),
            TyKind::Struct(s) => s
                .fields
                .iter()
                .all(|f| self.compares_inside(f.ty, dynamic, seen)),
            TyKind::Array(e, _) => self.compares_inside(*e, dynamic, seen),
            TyKind::Param(_) => {
                if seen.contains(&t) {
                    return true;
                }
                seen.push(t);
                let interface = self.interface_of(t);
                let found = interface.is_some_and(|i| self.set_comparable(&i, seen));
                seen.pop();
                found
            }
            _ => false,
        }
    }

    fn set_comparable(&self, i: &InterfaceType, seen: &mut Vec<Ty>) -> bool {
        let terms = i.terms.as_deref();
        i.comparable
            || terms.is_some_and(|ts| {
                !ts.is_empty() && ts.iter().all(|t| self.compares_inside(t.ty, false, seen))
            })
    }

    /// Why values cannot be compared, in Go's words: `slice can only be compared to nil`.
    pub fn incomparable_cause(&self, t: Ty, names: &dyn Names, pkg: PkgId) -> Option<String> {
        if self.comparable(t) {
            return None;
        }
        let show = |t| self.display(t, names, pkg);
        Some(match self.under(t) {
            TyKind::Slice(_) => "slice can only be compared to nil".into(),
            TyKind::Func(_) => "func can only be compared to nil".into(),
            TyKind::Map(..) => "map can only be compared to nil".into(),
            TyKind::Struct(s) => {
                let field = s.fields.iter().find(|f| !self.comparable(f.ty));
                let field = field.map_or(t, |f| f.ty);
                format!("struct containing {} cannot be compared", show(field))
            }
            TyKind::Array(..) => format!("{} cannot be compared", show(t)),
            TyKind::Param(_) => "incomparable types in type set".into(),
            _ => return None,
        })
    }

    /// The core type: the one underlying type of all types of a type parameter's type set, channels
    /// of different directions giving the restricted one; of another type the underlying one.
    pub fn core_type(&mut self, t: Ty) -> Option<Ty> {
        if !self.is_param(t) {
            let u = self.underlying(t);
            let constraint = match self.kind(u) {
                TyKind::Interface(i) => i.terms.clone(),
                _ => None,
            };
            return match constraint {
                Some(terms) => self.common_type(&terms),
                None => Some(u),
            };
        }
        let terms = self.param_terms(t)?;
        self.common_type(&terms)
    }

    fn common_type(&mut self, terms: &[Term]) -> Option<Ty> {
        let mut common: Option<Ty> = None;
        for term in terms {
            let u = self.underlying(term.ty);
            let Some(c) = common else {
                common = Some(u);
                continue;
            };
            if c == u {
                continue;
            }
            match (self.kind(c).clone(), self.kind(u).clone()) {
                (TyKind::Chan(a, ea), TyKind::Chan(b, eb)) if ea == eb => {
                    let dir = match (a, b) {
                        (ChanDir::Both, d) | (d, ChanDir::Both) => d,
                        _ => return None,
                    };
                    common = Some(self.intern(TyKind::Chan(dir, ea)));
                }
                _ => return None,
            }
        }
        common
    }

    /// As `core_type`, with a mix of byte slices and strings counting as string (spec "Core types":
    /// `append`, `copy`, slicing).
    pub fn core_string(&mut self, t: Ty) -> Option<Ty> {
        if let Some(core) = self.core_type(t) {
            return Some(core);
        }
        let bytes = self.slice(Basic::Uint8.ty());
        let terms = self.param_terms(t)?;
        let fits = |u: Ty| u == bytes || u == Basic::String.ty();
        (!terms.is_empty() && terms.iter().all(|t| fits(self.underlying(t.ty))))
            .then(|| Basic::String.ty())
    }

    /// The type that an untyped constant takes without context; others stay.
    pub fn default_type(&self, t: Ty) -> Ty {
        let TyKind::Basic(b) = self.kind(t) else {
            return t;
        };
        match b {
            Basic::UntypedBool => Basic::Bool,
            Basic::UntypedInt => Basic::Int,
            Basic::UntypedRune => Basic::Int32,
            Basic::UntypedFloat => Basic::Float64,
            Basic::UntypedComplex => Basic::Complex128,
            Basic::UntypedString => Basic::String,
            _ => return t,
        }
        .ty()
    }

    /// The type with all struct tags removed: conversions ignore them.
    pub fn without_tags(&mut self, t: Ty) -> Ty {
        let kind = match self.kind(t).clone() {
            TyKind::Pointer(e) => TyKind::Pointer(self.without_tags(e)),
            TyKind::Slice(e) => TyKind::Slice(self.without_tags(e)),
            TyKind::Array(e, n) => TyKind::Array(self.without_tags(e), n),
            TyKind::Map(k, v) => TyKind::Map(self.without_tags(k), self.without_tags(v)),
            TyKind::Chan(d, e) => TyKind::Chan(d, self.without_tags(e)),
            TyKind::Struct(s) => {
                let strip = |f: &Field| Field {
                    ty: self.without_tags(f.ty),
                    tag: None,
                    ..f.clone()
                };
                let fields = s.fields.iter().map(strip).collect();
                TyKind::Struct(Rc::new(StructType { fields }))
            }
            TyKind::Func(s) => {
                let mut s = (*s).clone();
                for t in s.params.iter_mut().chain(&mut s.results) {
                    *t = self.without_tags(*t);
                }
                TyKind::Func(Rc::new(s))
            }
            _ => return t,
        };
        self.intern(kind)
    }

    /// Can values live in the persistent heap? Functions, channels and unsafe.Pointer cannot,
    /// neither alone nor inside another type, through pointers and elements too. Interfaces are
    /// checked at run time, type parameters when they are instantiated.
    pub fn storable(&self, t: Ty, names: &dyn Names) -> Result<(), NotStorable> {
        self.find_unstorable(t, names, &mut String::new(), &mut Vec::new())
    }

    fn find_unstorable(
        &self,
        t: Ty,
        names: &dyn Names,
        path: &mut String,
        seen: &mut Vec<Ty>,
    ) -> Result<(), NotStorable> {
        if matches!(self.kind(t), TyKind::Named(_)) {
            if seen.contains(&t) {
                return Ok(());
            }
            seen.push(t);
        }
        let len = path.len();
        match self.under(t) {
            TyKind::Func(_) | TyKind::Chan(..) | TyKind::Basic(Basic::UnsafePointer) => {
                return Err(NotStorable {
                    path: path.clone(),
                    ty: t,
                });
            }
            TyKind::Pointer(e) => self.find_unstorable(*e, names, path, seen)?,
            TyKind::Slice(e) | TyKind::Array(e, _) => {
                path.push_str("[]");
                self.find_unstorable(*e, names, path, seen)?;
            }
            TyKind::Map(k, v) => {
                path.push_str("[]");
                self.find_unstorable(*k, names, path, seen)?;
                self.find_unstorable(*v, names, path, seen)?;
            }
            TyKind::Struct(s) => {
                for f in &s.fields {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(names.symbol(f.name));
                    self.find_unstorable(f.ty, names, path, seen)?;
                    path.truncate(len);
                }
            }
            _ => {}
        }
        path.truncate(len);
        Ok(())
    }
}
