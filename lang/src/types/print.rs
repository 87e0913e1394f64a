//! Types as text: as the compiler's messages show them, as `%T` does, and their stable 64-bit keys.
use super::ty::{
    Basic, ChanDir, InterfaceType, NamedId, PkgId, Signature, Term, Ty, TyKind, Types,
};
use crate::bytecode::typekey::{self, Hash};
use crate::syntax::symbol::Symbol;

/// What is behind symbols and packages.
pub trait Names {
    fn symbol(&self, s: Symbol) -> &str;
    /// The name in the package clause.
    fn package_name(&self, p: PkgId) -> &str;
    /// The import path.
    fn package_path(&self, p: PkgId) -> &str;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// In a message; types of this package are not qualified.
    Message(PkgId),
    /// `%T`.
    Runtime,
}

struct Printer<'a> {
    types: &'a Types,
    names: &'a dyn Names,
    style: Style,
    out: String,
}

impl Types {
    /// The type as Go's compiler writes it in messages about package `pkg`.
    pub fn display(&self, t: Ty, names: &dyn Names, pkg: PkgId) -> String {
        self.print(t, names, Style::Message(pkg))
    }

    /// The type as `%T` prints it.
    pub fn runtime_name(&self, t: Ty, names: &dyn Names) -> String {
        self.print(t, names, Style::Runtime)
    }

    fn print(&self, t: Ty, names: &dyn Names, style: Style) -> String {
        let mut p = Printer {
            types: self,
            names,
            style,
            out: String::new(),
        };
        p.ty(t);
        p.out
    }

    /// `name(params) results` of a function, as messages about methods show it.
    pub fn display_method(&self, name: Symbol, sig: Ty, names: &dyn Names, pkg: PkgId) -> String {
        let mut p = Printer {
            types: self,
            names,
            style: Style::Message(pkg),
            out: names.symbol(name).into(),
        };
        if let TyKind::Func(s) = self.kind(sig) {
            p.signature(s);
        }
        p.out
    }

    /// A generic type as declared: `T[P any]`.
    pub fn generic_text(&self, n: NamedId, names: &dyn Names, pkg: PkgId) -> String {
        let mut p = Printer {
            types: self,
            names,
            style: Style::Message(pkg),
            out: String::new(),
        };
        p.generic(n);
        p.out
    }

    /// The terms of a union: `~int | string`.
    pub fn display_terms(&self, terms: &[Term], names: &dyn Names, pkg: PkgId) -> String {
        let mut p = Printer {
            types: self,
            names,
            style: Style::Message(pkg),
            out: String::new(),
        };
        p.terms(terms);
        p.out
    }
}

impl Printer<'_> {
    fn runtime(&self) -> bool {
        self.style == Style::Runtime
    }

    fn ty(&mut self, t: Ty) {
        match self.types.kind(t) {
            TyKind::Basic(b) => self.out.push_str(b.name()),
            TyKind::Named(n) => self.named(*n),
            TyKind::Pointer(e) => self.prefixed("*", *e),
            TyKind::Slice(e) => {
                self.out.push_str("[]");
                self.elem(*e);
            }
            TyKind::Array(e, n) => {
                self.out.push_str(&format!("[{n}]"));
                self.elem(*e);
            }
            TyKind::Map(k, v) => {
                self.prefixed("map[", *k);
                self.out.push(']');
                self.ty(*v);
            }
            TyKind::Chan(dir, e) => {
                self.out.push_str(match dir {
                    ChanDir::Both => "chan ",
                    ChanDir::Send => "chan<- ",
                    ChanDir::Recv => "<-chan ",
                });
                // `chan <-chan T` would read as `chan<- chan T`.
                let receiver = matches!(self.types.kind(*e), TyKind::Chan(ChanDir::Recv, _));
                if *dir != ChanDir::Recv && receiver {
                    self.prefixed("(", *e);
                    self.out.push(')');
                } else {
                    self.ty(*e);
                }
            }
            TyKind::Struct(s) => {
                let fields: Vec<String> = s.fields.iter().map(|f| self.field(f)).collect();
                self.braced("struct", &fields);
            }
            TyKind::Func(s) => {
                self.out.push_str("func");
                self.signature(s);
            }
            TyKind::Interface(i) => self.interface(i),
            TyKind::Tuple(ts) => {
                self.out.push('(');
                self.list(ts, false, ", ");
                self.out.push(')');
            }
            TyKind::Param(p) => {
                let name = self.types.params[p.0 as usize].name;
                self.out.push_str(self.names.symbol(name));
            }
        }
    }

    /// Elements of slices and arrays show the usual alias: the arena cannot tell them apart.
    fn elem(&mut self, t: Ty) {
        match self.types.kind(t) {
            TyKind::Basic(Basic::Uint8) if !self.runtime() => self.out.push_str("byte"),
            TyKind::Basic(Basic::Int32) if !self.runtime() => self.out.push_str("rune"),
            _ => self.ty(t),
        }
    }

    fn prefixed(&mut self, prefix: &str, t: Ty) {
        self.out.push_str(prefix);
        self.ty(t);
    }

    fn sub(&self, t: Ty) -> String {
        self.types.print(t, self.names, self.style)
    }

    fn field(&self, f: &super::ty::Field) -> String {
        let mut s = String::new();
        if !f.embedded {
            s.push_str(self.names.symbol(f.name));
            s.push(' ');
        }
        s.push_str(&self.sub(f.ty));
        if let Some(tag) = &f.tag {
            s.push(' ');
            s.push_str(&super::literal::quote(tag.as_bytes()));
        }
        s
    }

    fn braced(&mut self, word: &str, items: &[String]) {
        let (open, close) = match (self.runtime(), items.is_empty()) {
            (true, true) => (" {", "}"),
            (true, false) => (" { ", " }"),
            (false, _) => ("{", "}"),
        };
        self.out.push_str(word);
        self.out.push_str(open);
        self.out.push_str(&items.join("; "));
        self.out.push_str(close);
    }

    fn interface(&mut self, i: &InterfaceType) {
        let plain = i.methods.is_empty() && i.terms.is_none();
        if plain && i.comparable {
            return self.out.push_str("comparable");
        }
        if plain && !self.runtime() {
            return self.out.push_str("any");
        }
        let terms = i.terms.as_deref();
        if let (Some(terms), true, false) = (terms, i.methods.is_empty(), i.comparable) {
            return self.terms(terms);
        }
        let mut items = Vec::new();
        for m in &i.methods {
            let mut p = Printer {
                out: self.names.symbol(m.name).into(),
                ..*self
            };
            if let (true, Some(pkg)) = (self.runtime(), m.pkg) {
                p.out = format!("{}.{}", self.names.package_name(pkg), p.out);
            }
            if let TyKind::Func(s) = self.types.kind(m.sig) {
                p.signature(s);
            }
            items.push(p.out);
        }
        items.sort();
        if i.comparable {
            items.push("comparable".into());
        }
        if let Some(terms) = terms {
            let mut p = Printer {
                out: String::new(),
                ..*self
            };
            p.terms(terms);
            items.push(p.out);
        }
        self.braced("interface", &items);
    }

    fn terms(&mut self, terms: &[Term]) {
        for (i, term) in terms.iter().enumerate() {
            if i > 0 {
                self.out.push_str(" | ");
            }
            if term.tilde {
                self.out.push('~');
            }
            self.ty(term.ty);
        }
    }

    fn list(&mut self, ts: &[Ty], variadic: bool, separator: &str) {
        for (i, t) in ts.iter().enumerate() {
            if i > 0 {
                self.out.push_str(separator);
            }
            match self.types.kind(*t) {
                TyKind::Slice(e) if variadic && i + 1 == ts.len() => {
                    self.out.push_str("...");
                    self.elem(*e);
                }
                _ => self.ty(*t),
            }
        }
    }

    fn signature(&mut self, s: &Signature) {
        self.out.push('(');
        self.list(&s.params, s.variadic, ", ");
        self.out.push(')');
        match s.results.as_slice() {
            [] => {}
            [one] => self.prefixed(" ", *one),
            many => {
                self.out.push_str(" (");
                self.list(many, false, ", ");
                self.out.push(')');
            }
        }
    }

    fn named(&mut self, n: NamedId) {
        let named = &self.types.named[n.0 as usize];
        match (self.style, named.pkg) {
            (_, None) => {}
            (Style::Message(here), Some(pkg)) if pkg == here => {}
            (_, Some(pkg)) => {
                self.out.push_str(self.names.package_name(pkg));
                self.out.push('.');
            }
        }
        self.out.push_str(match self.names.symbol(named.name) {
            // Stands for an interface literal that refers to itself.
            "" => "interface{…}",
            name => name,
        });
        let (_, targs) = self.types.type_args(n);
        // Messages leave out those of the function around the declaration.
        let shown = match self.runtime() {
            true => &targs[..],
            false => &targs[named.outer as usize..],
        };
        if !shown.is_empty() {
            self.out.push('[');
            let outer = match self.runtime() {
                true => named.outer as usize,
                false => 0,
            };
            self.list(&shown[..outer], false, ",");
            if outer > 0 && shown.len() > outer {
                self.out.push(';');
            }
            self.list(&shown[outer..], false, ",");
            self.out.push(']');
        }
    }

    /// A generic type without arguments, and what its parameters are.
    fn generic(&mut self, n: NamedId) {
        let named = &self.types.named[n.0 as usize];
        self.out.push_str(self.names.symbol(named.name));
        if !named.params.is_empty() {
            self.out.push('[');
            for (i, p) in named.params.iter().enumerate() {
                let p = &self.types.params[p.0 as usize];
                let last = named
                    .params
                    .get(i + 1)
                    .map(|q| &self.types.params[q.0 as usize]);
                self.out.push_str(if i > 0 { ", " } else { "" });
                self.out.push_str(self.names.symbol(p.name));
                if last.is_none_or(|q| q.constraint != p.constraint) {
                    self.prefixed(" ", p.constraint);
                }
            }
            self.out.push(']');
        }
    }
}

impl Types {
    /// The key that interface words hold: equal in every run, never 0. Bit 0: the data word is a
    /// scalar. Bit 1: it points to a boxed copy. Neither: it is itself a pointer.
    pub fn type_key(&self, t: Ty, names: &dyn Names) -> u64 {
        let pointer_shaped = !matches!(
            self.under(t),
            TyKind::Basic(b) if *b != Basic::UnsafePointer
        );
        let hash = self.structural_hash(t, names);
        typekey::key(hash, self.is_direct(t), pointer_shaped)
    }

    /// What keys of types that have this one as a part are made from.
    pub fn structural_hash(&self, t: Ty, names: &dyn Names) -> u64 {
        let path = |pkg: Option<PkgId>| pkg.map_or("", |p| names.package_path(p));
        let sub = |t: Ty| self.structural_hash(t, names);
        let all = |ts: &[Ty]| -> Vec<u64> { ts.iter().map(|t| sub(*t)).collect() };
        let mut h;
        match self.kind(t) {
            TyKind::Pointer(e) => return typekey::pointer(sub(*e)),
            TyKind::Slice(e) => return typekey::slice(sub(*e)),
            TyKind::Array(e, n) => return typekey::array(*n, sub(*e)),
            TyKind::Map(k, v) => return typekey::map(sub(*k), sub(*v)),
            TyKind::Chan(dir, e) => return typekey::chan(*dir as u64, sub(*e)),
            TyKind::Func(s) => {
                return typekey::func(&all(&s.params), &all(&s.results), s.variadic);
            }
            TyKind::Struct(s) => {
                return typekey::structure(s.fields.iter().map(|f| typekey::Field {
                    pkg_path: path(f.pkg),
                    name: names.symbol(f.name),
                    ty: sub(f.ty),
                    embedded: f.embedded,
                    tag: f.tag.as_deref().unwrap_or(""),
                }));
            }
            TyKind::Basic(b) => {
                h = Hash::new("basic");
                h.text(b.name());
            }
            TyKind::Named(n) => {
                let named = &self.named[n.0 as usize];
                h = Hash::new("named");
                h.text(path(named.pkg));
                h.text(names.symbol(named.name));
                h.number(u64::from(named.local));
                h.list(&all(&self.type_args(*n).1));
            }
            TyKind::Interface(i) => {
                h = Hash::new("interface");
                // Symbols are numbered anew in every run; their texts are not.
                let mut methods: Vec<_> = i.methods.iter().collect();
                methods.sort_by_key(|m| names.symbol(m.name));
                for m in methods {
                    h.text(path(m.pkg));
                    h.text(names.symbol(m.name));
                    h.number(sub(m.sig));
                }
                for term in i.terms.iter().flatten() {
                    h.number(u64::from(term.tilde));
                    h.number(sub(term.ty));
                }
                h.number(u64::from(i.comparable));
            }
            TyKind::Tuple(ts) => {
                h = Hash::new("tuple");
                h.list(&all(ts));
            }
            TyKind::Param(p) => {
                h = Hash::new("param");
                h.number(u64::from(self.params[p.0 as usize].index));
            }
        }
        h.finish()
    }
}
