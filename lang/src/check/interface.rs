//! Interface types: methods, embedded interfaces and unions of terms (spec "Interface types").
use super::{Checker, INVALID};
use crate::codes::Code;
use crate::syntax::ast::{self, InterfaceElem};
use crate::types::ty::{IMethod, InterfaceType, Term, Ty, TyKind};
use std::rc::Rc;

impl Checker {
    pub(super) fn interface_type(&mut self, i: &ast::InterfaceType) -> Ty {
        let mut methods: Vec<IMethod> = Vec::new();
        let mut terms: Option<Vec<Term>> = None;
        let mut comparable = false;
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
                    let (set, embedded) = self.union(list, i.implicit);
                    if let Some(e) = embedded {
                        comparable |= e.comparable;
                        for m in &e.methods {
                            match methods.iter().find(|n| n.name == m.name && n.pkg == m.pkg) {
                                None => methods.push(m.clone()),
                                Some(n) if n.sig == m.sig => {}
                                Some(_) => {
                                    let text = self.name(m.name).to_string();
                                    let at = list[0].ty.span;
                                    self.err(
                                        Code::Redeclared,
                                        at,
                                        format!("duplicate method {text}"),
                                    );
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
            }
        }
        methods.sort();
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
        list: &[ast::UnionTerm],
        implicit: bool,
    ) -> (Option<Vec<Term>>, Option<Rc<InterfaceType>>) {
        let mut terms: Vec<Term> = Vec::new();
        let mut all = false;
        for t in list {
            let ty = self.typ(&t.ty);
            if ty == INVALID {
                all = true;
                continue;
            }
            if let TyKind::Named(n) = *self.a.types.kind(ty)
                && self.incomplete.contains(&self.a.types.type_args(n).0)
            {
                if let Some(o) = self.object_of_named(n) {
                    let at = self.path.iter().position(|p| *p == o);
                    let cycle = at.map_or(vec![o], |at| self.path[at..].to_vec());
                    self.report_cycle(&cycle);
                }
                all = true;
                continue;
            }
            if self.a.types.is_param(ty) {
                let message = match list.len() {
                    1 if !implicit => "cannot embed type parameter".to_string(),
                    1 => "cannot use a type parameter as constraint".to_string(),
                    _ => "term cannot be a type parameter".to_string(),
                };
                self.err(Code::InvalidType, t.ty.span, message);
                all = true;
                continue;
            }
            if let TyKind::Interface(i) = self.a.types.under(ty).clone() {
                let text = self.ty_str(ty);
                if t.tilde.is_some() {
                    let message = format!("invalid use of ~ ({text} is an interface)");
                    self.err(Code::InvalidType, t.ty.span, message);
                } else if list.len() == 1 {
                    return (i.terms.clone(), Some(i));
                } else if !i.methods.is_empty() {
                    let message = format!("cannot use {text} in union ({text} contains methods)");
                    self.err(Code::InvalidType, t.ty.span, message);
                } else if ty == self.universe.comparable {
                    self.err(
                        Code::InvalidType,
                        t.ty.span,
                        "cannot use comparable in union",
                    );
                } else if i.comparable {
                    let message = format!("cannot use {text} in union ({text} embeds comparable)");
                    self.err(Code::InvalidType, t.ty.span, message);
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
                self.err(Code::InvalidType, t.ty.span, message);
            }
            let new = Term {
                tilde: t.tilde.is_some(),
                ty,
            };
            let clash = terms.iter().copied().find(|o| {
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
                let span = t.tilde.map_or(t.ty.span, |s| s.to(t.ty.span));
                self.err(Code::InvalidType, span, message);
                continue;
            }
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
