//! Interface types: methods, embedded interfaces and unions of terms (spec "Interface types").
use super::cycles::{Rhs, Waiting};
use super::{Checker, INVALID};
use crate::codes::Code;
use crate::source::Span;
use crate::syntax::ast::{self, InterfaceElem};
use crate::types::ty::{IMethod, InterfaceType, Term, Ty, TyKind};
use std::rc::Rc;

/// An interface type as written, its types resolved; the embedded ones may be incomplete.
pub(super) struct Draft {
    methods: Vec<IMethod>,
    elems: Vec<Vec<DraftTerm>>,
    /// `[P A | B]`: the interface around the union is not written.
    implicit: bool,
}

#[derive(Clone, Copy)]
struct DraftTerm {
    tilde: Option<Span>,
    ty: Ty,
    span: Span,
}

impl Draft {
    /// Embedded types and the types of terms.
    pub fn embedded(&self) -> impl Iterator<Item = (Ty, Span)> {
        self.elems.iter().flatten().map(|t| (t.ty, t.span))
    }
}

impl Checker {
    /// An interface type that is no declaration's right side.
    pub(super) fn interface_type(&mut self, i: &ast::InterfaceType, span: Span) -> Ty {
        let draft = self.interface_draft(i);
        let embedded = draft.embedded().map(|(ty, _)| ty).collect();
        if !draft.embedded().any(|(ty, _)| self.is_incomplete(ty)) {
            let ty = self.finish_interface(draft);
            self.note_interface(span, i, ty, embedded);
            return ty;
        }
        // It embeds a type in whose declaration it stands: a nameless defined type stands for it.
        let name = self.a.get("");
        self.local_types += 1;
        let local = self.local_types;
        let (named, ty) = self.a.types.declare_named(name, None, local);
        self.incomplete.insert(named);
        let rhs = Rhs::Interface(draft);
        self.waiting.push(Waiting { named, rhs });
        self.anonymous_cycles.push(span);
        self.note_interface(span, i, ty, embedded);
        ty
    }

    pub(super) fn interface_draft(&mut self, i: &ast::InterfaceType) -> Draft {
        let mut methods: Vec<IMethod> = Vec::new();
        let mut elems = Vec::new();
        for elem in &i.elems {
            match elem {
                InterfaceElem::Method { name, ty } => {
                    if self.is_blank(name.name) {
                        let message = "methods must have a unique non-blank name";
                        self.err(Code::InvalidType, name.span, message);
                        continue;
                    }
                    let sig = self.signature(ty);
                    if methods.iter().any(|m| m.name == name.name) {
                        let text = self.name(name.name).to_string();
                        self.err(
                            Code::Redeclared,
                            name.span,
                            format!("duplicate method {text}"),
                        );
                        continue;
                    }
                    methods.push(IMethod {
                        name: name.name,
                        pkg: self.name_pkg(name.name),
                        sig,
                    });
                }
                InterfaceElem::Union(list) => {
                    let terms = list.iter().map(|t| DraftTerm {
                        tilde: t.tilde,
                        ty: self.typ(&t.ty),
                        span: t.ty.span,
                    });
                    elems.push(terms.collect());
                }
            }
        }
        Draft {
            methods,
            elems,
            implicit: i.implicit,
        }
    }

    /// The interface with its embedded ones merged, all of which are complete.
    pub(super) fn finish_interface(&mut self, draft: Draft) -> Ty {
        let mut methods = draft.methods;
        let mut terms: Option<Vec<Term>> = None;
        let mut comparable = false;
        for list in &draft.elems {
            let (set, embedded) = self.union(list, draft.implicit);
            if let Some(e) = embedded {
                comparable |= e.comparable;
                for m in &e.methods {
                    match methods.iter().find(|n| n.name == m.name && n.pkg == m.pkg) {
                        None => methods.push(m.clone()),
                        Some(n) if n.sig == m.sig => {}
                        Some(_) => {
                            let text = self.name(m.name).to_string();
                            let message = format!("duplicate method {text}");
                            self.err(Code::Redeclared, list[0].span, message);
                        }
                    }
                }
            }
            terms = match (terms, set) {
                (None, set) => set,
                (terms, None) => terms,
                (Some(a), Some(b)) => Some(self.intersect(&a, &b)),
            };
        }
        methods.sort();
        // Of `comparable` and terms only comparable types are left.
        if comparable && let Some(terms) = &mut terms {
            terms.retain(|t| self.a.types.strictly_comparable(t.ty));
        }
        self.a
            .types
            .intern(TyKind::Interface(Rc::new(InterfaceType {
                methods,
                terms,
                comparable,
            })))
    }

    /// The terms of an element (`None`: all types), and the interface if it embeds one.
    fn union(
        &mut self,
        list: &[DraftTerm],
        implicit: bool,
    ) -> (Option<Vec<Term>>, Option<Rc<InterfaceType>>) {
        let mut terms: Vec<Term> = Vec::new();
        let mut own: Vec<Term> = Vec::new();
        let mut all = false;
        for t in list {
            let ty = t.ty;
            if ty == INVALID {
                all = true;
                continue;
            }
            if self.a.types.is_param(ty) {
                let message = match list.len() {
                    1 if !implicit => "cannot embed type parameter".to_string(),
                    1 => "cannot use a type parameter as constraint".to_string(),
                    _ => "term cannot be a type parameter".to_string(),
                };
                self.err(Code::InvalidType, t.span, message);
                all = true;
                continue;
            }
            if let TyKind::Interface(i) = self.a.types.under(ty).clone() {
                let text = self.ty_str(ty);
                if t.tilde.is_some() {
                    let message = format!("invalid use of ~ ({text} is an interface)");
                    self.err(Code::InvalidType, t.span, message);
                } else if list.len() == 1 {
                    return (i.terms.clone(), Some(i));
                } else if !i.methods.is_empty() {
                    let message = format!("cannot use {text} in union ({text} contains methods)");
                    self.err(Code::InvalidType, t.span, message);
                } else if ty == self.universe.comparable {
                    self.err(Code::InvalidType, t.span, "cannot use comparable in union");
                } else if i.comparable {
                    let message = format!("cannot use {text} in union ({text} embeds comparable)");
                    self.err(Code::InvalidType, t.span, message);
                }
                match &i.terms {
                    Some(ts) => terms.extend(ts.iter().copied()),
                    None => all = true,
                }
                continue;
            }
            let u = self.a.types.underlying(ty);
            if t.tilde.is_some() && u != ty {
                let (a, b) = (self.ty_str(ty), self.ty_str(u));
                let message = format!("invalid use of ~ (underlying type of {a} is {b})");
                self.err(Code::InvalidType, t.span, message);
            }
            let new = Term {
                tilde: t.tilde.is_some(),
                ty,
            };
            let clash = own.iter().copied().find(|o| {
                o.ty == ty
                    || (o.tilde && self.a.types.underlying(ty) == o.ty)
                    || (new.tilde && self.a.types.underlying(o.ty) == ty)
            });
            if let Some(o) = clash {
                let show = |c: &Checker, t: Term| {
                    format!("{}{}", if t.tilde { "~" } else { "" }, c.ty_str(t.ty))
                };
                let message = format!(
                    "overlapping terms {} and {}",
                    show(self, new),
                    show(self, o)
                );
                let span = t.tilde.map_or(t.span, |s| s.to(t.span));
                self.err(Code::InvalidType, span, message);
                continue;
            }
            own.push(new);
            terms.push(new);
        }
        ((!all).then_some(terms), None)
    }

    fn intersect(&self, a: &[Term], b: &[Term]) -> Vec<Term> {
        let mut out: Vec<Term> = Vec::new();
        for x in a {
            for y in b {
                let (xu, yu) = (self.a.types.underlying(x.ty), self.a.types.underlying(y.ty));
                let both = match (x.tilde, y.tilde) {
                    (true, true) if xu == yu => *x,
                    (true, false) if xu == yu => *y,
                    (false, true) if xu == yu => *x,
                    (false, false) if x.ty == y.ty => *x,
                    _ => continue,
                };
                if !out.contains(&both) {
                    out.push(both);
                }
            }
        }
        out
    }
}
