//! Selectors (spec "Selectors"): fields and methods by breadth-first search through embedded fields;
//! method sets (spec "Method sets").
use super::print::Names;
use super::ty::{IMethod, NamedId, PkgId, Ty, TyKind, Types};
use crate::syntax::symbol::Symbol;
use crate::tir::{FuncRef, MethodSetEntry};

/// One field on the way to what a selector names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    pub index: u32,
    /// The value that has the field is a pointer to the struct.
    pub deref: bool,
    /// The field's type.
    pub ty: Ty,
}

/// What a selector names.
#[derive(Clone, PartialEq, Debug)]
pub enum Lookup {
    Field(FieldSel),
    Method(MethodSel),
    NotFound,
    /// Several at the least depth.
    Ambiguous,
    /// `*T` has the method, the operand is a `T` whose address cannot be taken.
    NeedsPointer(MethodSel),
}

#[derive(Clone, PartialEq, Debug)]
pub struct FieldSel {
    /// The field itself is the last step.
    pub path: Vec<Step>,
    pub ty: Ty,
    /// A pointer is followed on the way: the field is a variable whatever the operand is.
    pub indirect: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub struct MethodSel {
    /// The embedded fields to go through; empty for the operand's own method.
    pub path: Vec<Step>,
    /// Type of the value after the path: `T` or `*T`, an interface, or a type parameter.
    pub recv: Ty,
    /// It is a pointer (to the type that has the method).
    pub is_ptr: bool,
    pub kind: MethodKind,
    /// Without receiver, type arguments substituted.
    pub sig: Ty,
}

#[derive(Clone, PartialEq, Debug)]
pub enum MethodKind {
    /// Of a defined type. The receiver argument is the value after the path, its address, or what
    /// it points to, as `ptr_recv` and `MethodSel::is_ptr` say.
    Concrete {
        func: FuncRef,
        ptr_recv: bool,
    },
    Interface(IMethod),
    /// Of a type parameter's constraint.
    Param(IMethod),
}

/// Why a selector finds nothing, for the message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hint {
    Missing,
    /// "but does have field x", "but does have method X".
    Misspelled {
        what: &'static str,
        name: String,
    },
    /// "but does have unexported field x".
    Unexported {
        what: &'static str,
        name: String,
    },
    /// "cannot refer to unexported field x".
    Inaccessible {
        what: &'static str,
        name: String,
    },
    /// "type *I is pointer to interface, not interface".
    PointerToInterface,
    /// "type *P is pointer to type parameter, not type parameter".
    PointerToParam,
}

/// Does an identifier of that name and package count as the one looked for?
type Matcher<'a> = &'a dyn Fn(Symbol, Option<PkgId>) -> bool;

/// An embedded type still to be searched.
struct Candidate {
    ty: Ty,
    path: Vec<Step>,
    is_ptr: bool,
    indirect: bool,
    /// The same type is embedded several times at this depth.
    multiple: bool,
}

impl Types {
    /// What `x.name` means in package `pkg` for an `x` of type `t`.
    pub fn lookup_field_or_method(
        &mut self,
        t: Ty,
        addressable: bool,
        pkg: PkgId,
        name: Symbol,
    ) -> Lookup {
        let matches = |n: Symbol, p: Option<PkgId>| n == name && p.is_none_or(|p| p == pkg);
        self.lookup_matching(t, addressable, &matches)
    }

    fn lookup_matching(&mut self, t: Ty, addressable: bool, matches: Matcher) -> Lookup {
        // A defined pointer type has its base's fields, but no methods.
        if let (TyKind::Named(_), TyKind::Pointer(_)) = (self.kind(t), self.under(t)) {
            let base = self.underlying(t);
            return match self.search(base, addressable, matches) {
                found @ (Lookup::Field(_) | Lookup::Ambiguous) => found,
                _ => Lookup::NotFound,
            };
        }
        self.search(t, addressable, matches)
    }

    /// `T` for `*T`, and whether it was a pointer. A defined pointer type stays.
    fn strip_pointer(&self, t: Ty) -> (Ty, bool) {
        match self.kind(t) {
            TyKind::Pointer(e) => (*e, true),
            _ => (t, false),
        }
    }

    fn search(&mut self, t: Ty, addressable: bool, matches: Matcher) -> Lookup {
        let (base, is_ptr) = self.strip_pointer(t);
        if is_ptr && matches!(self.under(base), TyKind::Interface(_) | TyKind::Param(_)) {
            return Lookup::NotFound;
        }
        let mut current = vec![Candidate {
            ty: base,
            path: Vec::new(),
            is_ptr,
            indirect: is_ptr,
            multiple: false,
        }];
        let mut seen: Vec<NamedId> = Vec::new();
        while !current.is_empty() {
            let mut next: Vec<Candidate> = Vec::new();
            let mut found: Option<Lookup> = None;
            for c in &current {
                if let TyKind::Named(n) = *self.kind(c.ty) {
                    // Met at a lesser depth already: everything in it is shadowed.
                    if seen.contains(&n) {
                        continue;
                    }
                    seen.push(n);
                }
                let here = self.search_one(c, addressable, matches, &mut next);
                if let Some(here) = here {
                    if found.is_some() || c.multiple {
                        return Lookup::Ambiguous;
                    }
                    found = Some(here);
                }
            }
            if let Some(found) = found {
                return found;
            }
            current = consolidate(next);
        }
        Lookup::NotFound
    }

    /// Looks in one type; adds its embedded fields to `next`.
    /// Embeds a type that could not be resolved, at any depth: what it has is not known.
    pub fn embeds(&self, t: Ty, unknown: Ty) -> bool {
        let mut work = vec![self.strip_pointer(t).0];
        let mut seen = Vec::new();
        while let Some(t) = work.pop() {
            if t == unknown {
                return true;
            }
            if !seen.contains(&t)
                && let TyKind::Struct(s) = self.under(t)
            {
                let embedded = s.fields.iter().filter(|f| f.embedded);
                work.extend(embedded.map(|f| self.strip_pointer(f.ty).0));
            }
            seen.push(t);
        }
        false
    }

    fn search_one(
        &mut self,
        c: &Candidate,
        addressable: bool,
        matches: Matcher,
        next: &mut Vec<Candidate>,
    ) -> Option<Lookup> {
        let value_ty = match c.is_ptr {
            true => self.pointer(c.ty),
            false => c.ty,
        };
        let select = |kind, sig| MethodSel {
            path: c.path.clone(),
            recv: value_ty,
            is_ptr: c.is_ptr,
            kind,
            sig,
        };
        if let TyKind::Named(n) = *self.kind(c.ty) {
            let method = self.methods(n).iter().find(|m| matches(m.name, m.pkg));
            if let Some(m) = method.cloned() {
                let func = FuncRef {
                    func: m.func,
                    targs: self.type_args(n).1,
                };
                let sig = self.method_sig(n, &m);
                let ptr_recv = m.ptr_recv;
                let sel = select(MethodKind::Concrete { func, ptr_recv }, sig);
                let reachable = !ptr_recv || c.indirect || addressable;
                return Some(match reachable {
                    true => Lookup::Method(sel),
                    false => Lookup::NeedsPointer(sel),
                });
            }
        }
        match self.under(c.ty).clone() {
            TyKind::Struct(s) => {
                let mut found = None;
                for (index, f) in s.fields.iter().enumerate() {
                    let mut path = c.path.clone();
                    path.push(Step {
                        index: index as u32,
                        deref: c.is_ptr,
                        ty: f.ty,
                    });
                    if matches(f.name, f.pkg) {
                        found = Some(Lookup::Field(FieldSel {
                            path,
                            ty: f.ty,
                            indirect: c.indirect,
                        }));
                    } else if f.embedded {
                        let (ty, is_ptr) = self.strip_pointer(f.ty);
                        next.push(Candidate {
                            ty,
                            path,
                            is_ptr,
                            indirect: c.indirect || is_ptr,
                            multiple: c.multiple,
                        });
                    }
                }
                found
            }
            TyKind::Interface(i) => {
                let m = i.methods.iter().find(|m| matches(m.name, m.pkg))?;
                let sel = select(MethodKind::Interface(m.clone()), m.sig);
                Some(Lookup::Method(sel))
            }
            TyKind::Param(p) => {
                let constraint = self.params[p.0 as usize].constraint;
                let TyKind::Interface(i) = self.under(constraint) else {
                    return None;
                };
                let m = i.methods.iter().find(|m| matches(m.name, m.pkg))?;
                let sel = select(MethodKind::Param(m.clone()), m.sig);
                Some(Lookup::Method(sel))
            }
            _ => None,
        }
    }

    /// What the message about `x.name`, which was not found, should add.
    pub fn lookup_hint(&mut self, t: Ty, pkg: PkgId, name: &str, names: &dyn Names) -> Hint {
        if let TyKind::Pointer(e) = self.under(t) {
            match self.under(*e) {
                TyKind::Interface(_) => return Hint::PointerToInterface,
                TyKind::Param(_) => return Hint::PointerToParam,
                _ => {}
            }
        }
        let hit = std::cell::Cell::new(None);
        let matches = |n: Symbol, p: Option<PkgId>| {
            let same = same_letters(names.symbol(n), name);
            if same {
                hit.set(Some((n, p)));
            }
            same
        };
        let what = match self.lookup_matching(t, true, &matches) {
            Lookup::Field(_) => "field",
            Lookup::Method(_) | Lookup::NeedsPointer(_) => "method",
            _ => return Hint::Missing,
        };
        let Some((found, found_pkg)) = hit.get() else {
            return Hint::Missing;
        };
        let found = names.symbol(found).to_string();
        let same_tail = found.chars().skip(1).eq(name.chars().skip(1));
        match found_pkg {
            Some(p) if p != pkg && found == name => Hint::Inaccessible { what, name: found },
            Some(p) if p != pkg && same_tail => Hint::Unexported { what, name: found },
            Some(p) if p != pkg => Hint::Missing,
            _ => Hint::Misspelled { what, name: found },
        }
    }

    /// The method set of a type, promoted methods included, in the order of `IMethod`.
    pub fn method_set(&mut self, t: Ty) -> Vec<MethodSetEntry> {
        let mut names = Vec::new();
        self.collect_method_names(t, &mut names, &mut Vec::new());
        names.sort();
        names.dedup();
        let mut entries = Vec::with_capacity(names.len());
        for (name, pkg) in names {
            let matches = |n: Symbol, p: Option<PkgId>| n == name && p == pkg;
            if let Lookup::Method(sel) = self.lookup_matching(t, false, &matches)
                && !self.is_generic_method(&sel)
            {
                entries.push(MethodSetEntry {
                    method: IMethod {
                        name,
                        pkg,
                        sig: sel.sig,
                    },
                    path: sel.path.iter().map(|s| s.index).collect(),
                    func: match sel.kind {
                        MethodKind::Concrete { func, .. } => Some(func),
                        _ => None,
                    },
                });
            }
        }
        entries
    }

    /// Names of all methods anywhere in the type; shadowed and ambiguous ones too.
    fn collect_method_names(
        &self,
        t: Ty,
        names: &mut Vec<(Symbol, Option<PkgId>)>,
        seen: &mut Vec<Ty>,
    ) {
        let (base, _) = self.strip_pointer(t);
        if seen.contains(&base) {
            return;
        }
        seen.push(base);
        if let TyKind::Named(n) = self.kind(base) {
            names.extend(self.methods(*n).iter().map(|m| (m.name, m.pkg)));
        }
        match self.under(base) {
            TyKind::Struct(s) => {
                for f in s.fields.iter().filter(|f| f.embedded) {
                    self.collect_method_names(f.ty, names, seen);
                }
            }
            TyKind::Interface(i) => names.extend(i.methods.iter().map(|m| (m.name, m.pkg))),
            TyKind::Param(p) => {
                if let TyKind::Interface(i) = self.under(self.params[p.0 as usize].constraint) {
                    names.extend(i.methods.iter().map(|m| (m.name, m.pkg)));
                }
            }
            _ => {}
        }
    }
}

/// Types embedded several times at one depth become one candidate that makes what it has ambiguous.
fn consolidate(list: Vec<Candidate>) -> Vec<Candidate> {
    let mut out: Vec<Candidate> = Vec::with_capacity(list.len());
    for c in list {
        match out.iter_mut().find(|o| o.ty == c.ty) {
            Some(o) => o.multiple = true,
            None => out.push(c),
        }
    }
    out
}

fn same_letters(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}
