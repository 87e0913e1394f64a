//! Does a type implement an interface or satisfy a constraint (spec "Implementing an interface",
//! "Satisfying a type constraint"), and Go's words for why not.
use super::lookup::{Hint, Lookup};
use super::print::Names;
use super::ty::{Basic, IMethod, PkgId, Term, Ty, TyKind, Types};

/// Why a type does not implement an interface.
#[derive(Clone, PartialEq, Debug)]
pub enum Missing {
    /// The second type is no interface.
    NotInterface,
    /// Not empty.
    Methods(Vec<MissingMethod>),
    /// The interface needs comparable types.
    NotComparable,
    /// The type set has no types.
    EmptySet,
    /// The type is not among the terms; perhaps `~` was forgotten before the one given.
    NotInSet { tilde: Option<Ty> },
    /// Of an interface or type parameter: its type set is not within the other.
    NotSubset,
}

#[derive(Clone, PartialEq, Debug)]
pub struct MissingMethod {
    pub method: IMethod,
    pub reason: MissingReason,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MissingReason {
    NotFound,
    PointerReceiver,
    /// Has this signature.
    WrongType(Ty),
    Ambiguous,
    /// There is a field of this name.
    Field,
}

impl Types {
    /// `v` implements the interface `t`; with `constraint`, `v` satisfies it as a constraint.
    pub fn implements(&mut self, v: Ty, t: Ty, constraint: bool) -> Result<(), Missing> {
        let invalid = Basic::Invalid.ty();
        if v == invalid || t == invalid {
            return Ok(());
        }
        let TyKind::Interface(want) = self.under(t).clone() else {
            return Err(Missing::NotInterface);
        };
        let have = self.interface_of(v);
        if have
            .as_ref()
            .is_some_and(|i| i.terms.as_ref().is_some_and(|ts| ts.is_empty()))
        {
            return Ok(());
        }
        if want.terms.as_ref().is_some_and(|ts| ts.is_empty()) {
            return Err(Missing::EmptySet);
        }
        let missing = self.missing_methods(v, &want.methods);
        if !missing.is_empty() {
            return Err(Missing::Methods(missing));
        }
        if let Some(terms) = &want.terms {
            match have {
                Some(_) => {
                    let mine = match self.is_param(v) {
                        true => self.param_terms(v),
                        false => have.and_then(|i| i.terms.clone()),
                    };
                    let within = |a: &Term| terms.iter().any(|b| self.term_within(*a, *b));
                    if !mine.is_some_and(|ts| ts.iter().all(within)) {
                        return Err(Missing::NotSubset);
                    }
                }
                None if !terms.iter().any(|term| self.term_has(*term, v)) => {
                    let u = self.underlying(v);
                    let near = |term: &&Term| {
                        !term.tilde && term.ty == u && self.underlying(term.ty) == term.ty
                    };
                    let tilde = terms.iter().find(near).map(|term| term.ty);
                    return Err(Missing::NotInSet { tilde });
                }
                None => {}
            }
        }
        // An interface satisfies `comparable` though it does not implement it.
        if want.comparable && !self.compares(v, constraint) {
            return Err(Missing::NotComparable);
        }
        Ok(())
    }

    fn term_has(&self, term: Term, t: Ty) -> bool {
        let u = self.underlying(t);
        match self.kind(term.ty) {
            TyKind::Param(_) => {
                let terms = self.param_terms(term.ty).unwrap_or_default();
                terms.iter().any(|term| self.term_has(*term, t))
            }
            _ if term.tilde => self.underlying(term.ty) == u,
            _ => term.ty == t,
        }
    }

    fn term_within(&self, a: Term, b: Term) -> bool {
        match (a.tilde, b.tilde) {
            (true, false) => false,
            _ => self.term_has(b, a.ty),
        }
    }

    fn missing_methods(&mut self, v: Ty, methods: &[IMethod]) -> Vec<MissingMethod> {
        let mut missing = Vec::new();
        for m in methods {
            let reason = match self.lookup_method(v, m) {
                Lookup::Method(sel) if sel.sig == Basic::Invalid.ty() => continue,
                Lookup::Method(sel) if sel.sig == m.sig && !self.is_generic_method(&sel) => {
                    continue;
                }
                // In error, and reported.
                Lookup::Method(sel) if self.has_invalid(sel.sig) || self.has_invalid(m.sig) => {
                    continue;
                }
                Lookup::Method(sel) => MissingReason::WrongType(sel.sig),
                Lookup::NeedsPointer(sel) if sel.sig != m.sig => MissingReason::WrongType(sel.sig),
                Lookup::NeedsPointer(_) => MissingReason::PointerReceiver,
                Lookup::Ambiguous => MissingReason::Ambiguous,
                Lookup::Field(_) => MissingReason::Field,
                Lookup::NotFound if self.embeds_invalid(v, &mut Vec::new()) => continue,
                Lookup::NotFound => MissingReason::NotFound,
            };
            missing.push(MissingMethod {
                method: m.clone(),
                reason,
            });
        }
        missing
    }

    /// Is a type in error among a function type's?
    fn has_invalid(&self, sig: Ty) -> bool {
        let invalid = |t: &Ty| self.underlying(*t) == Basic::Invalid.ty();
        match self.kind(sig) {
            TyKind::Func(s) => s.params.iter().chain(&s.results).any(invalid),
            _ => false,
        }
    }

    /// Is a type in error embedded, whose methods nobody knows?
    pub fn embeds_invalid(&self, t: Ty, seen: &mut Vec<Ty>) -> bool {
        let base = match self.kind(t) {
            TyKind::Pointer(e) => *e,
            _ => t,
        };
        if seen.contains(&base) {
            return false;
        }
        seen.push(base);
        match self.under(base) {
            TyKind::Basic(b) => *b == Basic::Invalid,
            TyKind::Struct(s) => s
                .fields
                .iter()
                .any(|f| f.embedded && self.embeds_invalid(f.ty, seen)),
            _ => false,
        }
    }

    /// The method that a method of an interface names.
    pub fn lookup_method(&mut self, t: Ty, m: &IMethod) -> Lookup {
        // Exported names match in any package.
        let pkg = m.pkg.unwrap_or(PkgId(u32::MAX));
        self.lookup_field_or_method(t, false, pkg, m.name)
    }

    /// Go's sentence: `T does not implement I (missing method M)`.
    pub fn missing_message(
        &mut self,
        v: Ty,
        t: Ty,
        missing: &Missing,
        constraint: bool,
        names: &dyn Names,
        pkg: PkgId,
    ) -> String {
        let verb = if constraint { "satisfy" } else { "implement" };
        let (vs, ts) = (self.display(v, names, pkg), self.display(t, names, pkg));
        let head = format!("{vs} does not {verb} {ts}");
        match missing {
            Missing::NotInterface => match self.pointee(t).is_some_and(|e| self.is_interface(e)) {
                true => format!("type {ts} is pointer to interface, not interface"),
                false => format!("{ts} is not an interface"),
            },
            Missing::EmptySet => format!("cannot {verb} {ts} (empty type set)"),
            Missing::NotComparable => format!("{vs} does not {verb} comparable"),
            Missing::NotSubset => head,
            Missing::NotInSet { tilde: Some(alt) } => {
                let alt = self.display(*alt, names, pkg);
                format!("{head} (possibly missing ~ for {alt} in {ts})")
            }
            Missing::NotInSet { tilde: None } => {
                let terms = match self.under(t) {
                    TyKind::Interface(i) => i.terms.clone().unwrap_or_default(),
                    _ => Vec::new(),
                };
                let terms = self.display_terms(&terms, names, pkg);
                format!("{head} ({vs} missing in {terms})")
            }
            Missing::Methods(list) => {
                let first = list.iter().min_by_key(|m| names.symbol(m.method.name));
                let cause = first.map(|m| self.missing_method_cause(v, m, names, pkg));
                format!("{head} {}", cause.unwrap_or_default())
            }
        }
    }

    /// The parenthesis of the sentence, with `have` and `want` lines where Go has them. For type
    /// assertions, whose sentence begins differently.
    pub fn missing_method_cause(
        &mut self,
        v: Ty,
        missing: &MissingMethod,
        names: &dyn Names,
        pkg: PkgId,
    ) -> String {
        let m = &missing.method;
        let name = names.symbol(m.name);
        let want = self.display_method(m.name, m.sig, names, pkg);
        match missing.reason {
            MissingReason::PointerReceiver => format!("(method {name} has pointer receiver)"),
            MissingReason::Field => format!("(missing method {name})"),
            MissingReason::Ambiguous => {
                format!(
                    "(ambiguous selector {}.{name})",
                    self.display(v, names, pkg)
                )
            }
            MissingReason::WrongType(sig) => {
                let have = self.display_method(m.name, sig, names, pkg);
                format!("(wrong type for method {name})\n\t\thave {have}\n\t\twant {want}")
            }
            MissingReason::NotFound => {
                let here = m.pkg.unwrap_or(pkg);
                match self.lookup_hint(v, here, name, names) {
                    Hint::PointerToInterface => {
                        let v = self.display(v, names, pkg);
                        format!("(type {v} is pointer to interface, not interface)")
                    }
                    Hint::PointerToParam => {
                        let v = self.display(v, names, pkg);
                        format!("(type {v} is pointer to type parameter, not type parameter)")
                    }
                    Hint::Misspelled {
                        what: "method",
                        name: alt,
                    } => {
                        let have = self.method_named(v, &alt, names);
                        let sig = have.map(|e| self.display_method(e.name, e.sig, names, pkg));
                        let have = sig.unwrap_or(alt);
                        format!("(missing method {name})\n\t\thave {have}\n\t\twant {want}")
                    }
                    Hint::Inaccessible { what: "method", .. } => {
                        format!("(unexported method {name})")
                    }
                    _ => format!("(missing method {name})"),
                }
            }
        }
    }

    /// A method of `v` or `*v` by the text of its name.
    fn method_named(&mut self, v: Ty, name: &str, names: &dyn Names) -> Option<IMethod> {
        let v = match self.is_interface(v) || self.pointee(v).is_some() {
            true => v,
            false => self.pointer(v),
        };
        let set = self.method_set(v);
        let found = set
            .into_iter()
            .find(|e| names.symbol(e.method.name) == name);
        found.map(|e| e.method)
    }
}
