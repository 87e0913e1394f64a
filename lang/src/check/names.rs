//! What each name of a program's own files means and where that is declared: the index behind an editor's questions,
//! made of what was noted while checking.
use super::Checker;
use super::inspect::Found;
use super::object::ObjId;
use crate::source::{FileId, Span};
use crate::syntax::ast::{self, Expr, ExprKind, Ident, InterfaceElem};
use crate::syntax::symbol::Symbol;
use crate::types::lookup::{MethodKind, MethodSel, Step};
use crate::types::ty::{FuncId, NamedId, Ty, TyKind};
use rustc_hash::{FxHashMap, FxHashSet};

/// What a name was found to mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Use {
    Object(ObjId),
    Method(FuncId),
    /// A field of a struct type or a method of an interface type, perhaps under a defined type's name.
    Member(Ty, Symbol),
    /// The label that is declared there.
    Label(Span),
}

/// What a name means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    Object(ObjId),
    Method(FuncId),
    /// A field or an interface's method that is declared there.
    Member(Span),
    /// A method with this signature that is written nowhere: error's.
    Unwritten(Symbol, Ty),
    Label(Span),
}

/// A field, or a method of an interface, as declared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub name: Ident,
    pub kind: MemberKind,
    /// Its type, or signature, as written.
    pub ty: Span,
    /// Of a field with one: the tag, as written.
    pub tag: Option<Span>,
    /// Fields that share a declaration share its type and tag.
    pub is_alone: bool,
    /// A heap may have values of its type.
    pub is_stored: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MemberKind {
    Field,
    Embedded,
    Method,
}

/// A struct or interface type as written.
struct Written {
    span: Span,
    ty: Ty,
    members: Vec<Member>,
    /// The interfaces that are embedded in an interface.
    embedded: Vec<Ty>,
}

#[derive(Default)]
pub(crate) struct Notes {
    /// By the span of the name.
    uses: FxHashMap<Span, Use>,
    /// By span; a declaration that is looked at again says the same.
    written: FxHashMap<Span, Written>,
    /// The right sides of type declarations.
    right_sides: FxHashMap<NamedId, Span>,
}

impl Notes {
    pub fn use_at(&self, span: Span) -> Option<Use> {
        self.uses.get(&span).copied()
    }

    pub fn objects(&self) -> impl Iterator<Item = (Span, ObjId)> {
        self.uses.iter().filter_map(|(span, found)| match found {
            Use::Object(id) => Some((*span, *id)),
            _ => None,
        })
    }
}

/// The index.
#[derive(Default)]
pub(crate) struct NameIndex {
    /// Sorted; a name has one entry.
    places: Vec<(Span, Target)>,
    /// The places that mean what is declared somewhere.
    by_definition: FxHashMap<Span, Vec<Span>>,
    members: FxHashMap<Span, Member>,
}

impl NameIndex {
    /// The name at a place, or right before it.
    pub fn at(&self, file: FileId, offset: u32) -> Option<(Span, Target)> {
        let after = self
            .places
            .partition_point(|(span, _)| (span.file, span.lo) <= (file, offset));
        let (span, target) = *self.places[..after].last()?;
        (span.file == file && offset <= span.hi).then_some((span, target))
    }

    /// Where what is declared somewhere is named, its declaration among them; sorted.
    pub fn of(&self, definition: Span) -> &[Span] {
        self.by_definition
            .get(&definition)
            .map_or(&[], |spans| spans)
    }

    pub fn member(&self, definition: Span) -> Option<&Member> {
        self.members.get(&definition)
    }
}

impl Checker {
    /// Of a selector, its last name is meant.
    pub(super) fn note_use(&mut self, e: &Expr, found: Use) {
        let span = match &e.kind {
            ExprKind::Selector { name, .. } => name.span,
            _ => e.span,
        };
        self.note_name(span, found);
    }

    pub(super) fn note_name(&mut self, span: Span, found: Use) {
        if self.records_here()
            && let Some(records) = &mut self.records
        {
            records.names.uses.insert(span, found);
        }
    }

    /// The last step of a way through a value's fields.
    pub(super) fn note_field(&mut self, name: Ident, ty: Ty, path: &[Step]) {
        let owner = path.iter().rev().nth(1).map_or(ty, |step| step.ty);
        self.note_name(name.span, Use::Member(owner, name.name));
    }

    pub(super) fn note_method(&mut self, name: Ident, sel: &MethodSel) {
        let found = match &sel.kind {
            MethodKind::Concrete { func, .. } => Use::Method(func.func),
            MethodKind::Interface(_) | MethodKind::Param(_) => Use::Member(sel.recv, name.name),
        };
        self.note_name(name.span, found);
    }

    /// The type's name in a receiver.
    pub(super) fn note_receiver(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Paren(x) | ExprKind::Star(x) => self.note_receiver(x),
            ExprKind::Index { operand, .. } => self.note_receiver(operand),
            ExprKind::Ident(name) => {
                if let Some(id) = self.lookup_name(*name) {
                    self.note_name(e.span, Use::Object(id));
                }
            }
            _ => {}
        }
    }

    pub(super) fn note_right_side(&mut self, named: NamedId, e: &Expr) {
        if let Some(records) = &mut self.records {
            records.names.right_sides.insert(named, e.unparen().span);
        }
    }

    pub(super) fn note_struct(&mut self, span: Span, s: &ast::StructType, ty: Ty) {
        let Some(records) = &mut self.records else {
            return;
        };
        let mut members = Vec::new();
        for f in &s.fields {
            let embedded = super::typexpr::embedded_name(&f.ty).filter(|_| f.names.is_empty());
            let kind = match embedded {
                Some(_) => MemberKind::Embedded,
                None => MemberKind::Field,
            };
            members.extend(f.names.iter().copied().chain(embedded).map(|name| Member {
                name,
                kind,
                ty: f.ty.span,
                tag: f.tag.map(|tag| tag.span),
                is_alone: f.names.len() == 1,
                is_stored: false,
            }));
        }
        let embedded = Vec::new();
        let written = Written {
            span,
            ty,
            members,
            embedded,
        };
        records.names.written.insert(span, written);
    }

    /// `ty` is known later of a declaration's right side, which is found by its span.
    pub(super) fn note_interface(
        &mut self,
        span: Span,
        i: &ast::InterfaceType,
        ty: Ty,
        embedded: Vec<Ty>,
    ) {
        let Some(records) = &mut self.records else {
            return;
        };
        let methods = i.elems.iter().filter_map(|elem| match elem {
            InterfaceElem::Method { name, ty } => Some(Member {
                name: *name,
                kind: MemberKind::Method,
                ty: ty.span,
                tag: None,
                is_alone: true,
                is_stored: false,
            }),
            InterfaceElem::Union(_) => None,
        });
        let written = Written {
            span,
            ty,
            members: methods.collect(),
            embedded,
        };
        records.names.written.insert(span, written);
    }

    /// Makes the index, of all that has been noted.
    pub(crate) fn index_names(&mut self) -> NameIndex {
        let Some(notes) = self.records.as_mut().map(|r| std::mem::take(&mut r.names)) else {
            return NameIndex::default();
        };
        let index = Index::new(self, &notes);
        let stored = self.redefinitions.stored.iter().filter_map(|n| {
            let right = notes.right_sides.get(&self.a.types.type_args(*n).0);
            right.copied()
        });
        let stored: FxHashSet<Span> = stored.collect();
        let mut names = NameIndex::default();
        for (span, found) in &notes.uses {
            let target = match *found {
                Use::Object(id) => Some(Target::Object(id)),
                Use::Method(f) => Some(Target::Method(f)),
                Use::Label(at) => Some(Target::Label(at)),
                Use::Member(ty, name) => match index.member(ty, name, 0) {
                    Some(at) => Some(Target::Member(at)),
                    None => index.unwritten(ty, name),
                },
            };
            names.places.extend(target.map(|target| (*span, target)));
        }
        let objects = (0..self.a.objects.len() as u32).map(ObjId);
        let declared = objects.map(|id| (self.obj(id).span, Target::Object(id)));
        names
            .places
            .extend(declared.filter(|(span, _)| self.is_own(*span)));
        let funcs = (0..self.funcs.len() as u32).map(FuncId);
        let methods = funcs.filter(|f| self.funcs[f.0 as usize].recv.is_some());
        let methods =
            methods.filter_map(|f| Some((self.func_decl(f)?.0.name.span, Target::Method(f))));
        names
            .places
            .extend(methods.filter(|(span, _)| self.is_own(*span)));
        for written in notes.written.values() {
            for member in &written.members {
                let is_stored = stored.contains(&written.span);
                let known = Member {
                    is_stored,
                    ..*member
                };
                names.members.insert(member.name.span, known);
                let at = index.canonical(written, member.name);
                if self.is_own(member.name.span) && member.kind != MemberKind::Embedded {
                    names.places.push((member.name.span, Target::Member(at)));
                }
            }
        }
        // Uses come first: an embedded field's name is its type's.
        names.places.sort_by_key(|(span, _)| *span);
        for (span, target) in &names.places {
            if let Some(at) = self.definition(*target) {
                names.by_definition.entry(at).or_default().push(*span);
            }
        }
        for (definition, spans) in &mut names.by_definition {
            spans.push(*definition);
            spans.sort();
            spans.dedup();
        }
        names.places.dedup_by_key(|(span, _)| *span);
        names
    }

    fn is_own(&self, span: Span) -> bool {
        span.lo < span.hi && !self.sources.file(span.file).is_library()
    }

    pub(crate) fn definition(&self, target: Target) -> Option<Span> {
        match target {
            Target::Object(id) => Some(self.obj(id).span).filter(|span| span.lo < span.hi),
            Target::Method(f) => Some(self.func_decl(f)?.0.name.span),
            Target::Member(span) | Target::Label(span) => Some(span),
            Target::Unwritten(..) => None,
        }
    }

    /// A field or an interface's method, for people: as declared, with the comments before and behind it; `found` is
    /// what the expression at the place is.
    pub(crate) fn member_text(&self, member: &Member, found: Option<&Found>) -> String {
        let comment = self.comment_before(member.name.span);
        let declared = |span| {
            let words: Vec<&str> = self.sources.text(span).split_whitespace().collect();
            words.join(" ")
        };
        let name = self.name(member.name.name);
        if member.kind == MemberKind::Method {
            return format!("{comment}func {name}{}", declared(member.ty));
        }
        let ty = found.and_then(|found| self.found_text(found));
        let ty = ty.unwrap_or_else(|| declared(member.ty));
        let end = member.tag.unwrap_or(member.ty).hi as usize;
        let line = &self.sources.file(member.ty.file).text()[end..];
        let behind = line.lines().next().unwrap_or_default().trim_start();
        let behind = match behind.starts_with("//") {
            true => format!("{behind}\n"),
            false => String::new(),
        };
        format!("{comment}{behind}field {name} {ty}")
    }
}

/// Finds the declarations of members.
struct Index<'a> {
    checker: &'a Checker,
    notes: &'a Notes,
    /// The right sides of type declarations, sorted.
    right_sides: Vec<Span>,
    /// Types that are written without being declared, identical ones once: the first.
    nameless: FxHashMap<Ty, &'a Written>,
}

impl<'a> Index<'a> {
    fn new(checker: &'a Checker, notes: &'a Notes) -> Index<'a> {
        let mut right_sides: Vec<Span> = notes.right_sides.values().copied().collect();
        right_sides.sort();
        let mut all: Vec<&Written> = notes.written.values().collect();
        all.retain(|written| right_sides.binary_search(&written.span).is_err());
        all.sort_by_key(|written| std::cmp::Reverse(written.span));
        let nameless = all
            .into_iter()
            .map(|written| (written.ty, written))
            .collect();
        Index {
            checker,
            notes,
            right_sides,
            nameless,
        }
    }

    /// Where a member of a type is declared.
    fn member(&self, ty: Ty, name: Symbol, depth: u32) -> Option<Span> {
        // Types in error may be made of themselves.
        if depth > 100 {
            return None;
        }
        let types = &self.checker.a.types;
        let ty = types.pointee(ty).unwrap_or(ty);
        match types.kind(ty) {
            TyKind::Named(n) => {
                let origin = types.type_args(*n).0;
                let right = self.notes.right_sides.get(&origin);
                if let Some(written) = right.and_then(|span| self.notes.written.get(span)) {
                    return self.member_of(written, name, depth);
                }
                let next = self.checker.rhs.get(&origin);
                let next = next.copied().unwrap_or_else(|| types.underlying(ty));
                (next != ty).then(|| self.member(next, name, depth + 1))?
            }
            TyKind::Param(p) => {
                let constraint = types.params[p.0 as usize].constraint;
                self.member(constraint, name, depth + 1)
            }
            TyKind::Struct(_) | TyKind::Interface(_) => {
                let written = self.nameless.get(&ty).copied().or_else(|| self.alike(ty))?;
                self.member_of(written, name, depth)
            }
            _ => None,
        }
    }

    fn unwritten(&self, ty: Ty, name: Symbol) -> Option<Target> {
        let TyKind::Interface(i) = self.checker.a.types.under(ty) else {
            return None;
        };
        let method = i.methods.iter().find(|m| m.name == name)?;
        Some(Target::Unwritten(name, method.sig))
    }

    fn member_of(&self, written: &Written, name: Symbol, depth: u32) -> Option<Span> {
        let mut own = written.members.iter();
        if let Some(member) = own.find(|member| member.name.name == name) {
            return Some(member.name.span);
        }
        let mut embedded = written.embedded.iter();
        embedded.find_map(|ty| self.member(*ty, name, depth + 1))
    }

    /// The type with type parameters that another may be an instance of: it has the same names.
    fn alike(&self, ty: Ty) -> Option<&'a Written> {
        let types = &self.checker.a.types;
        let names: Vec<Symbol> = match types.kind(ty) {
            TyKind::Struct(s) => s.fields.iter().map(|f| f.name).collect(),
            _ => return None,
        };
        let same = |written: &&&Written| {
            let own = written.members.iter().map(|member| member.name.name);
            types.mentions(written.ty, None) && own.eq(names.iter().copied())
        };
        let found = self.nameless.values().filter(same);
        found.min_by_key(|written| written.span).copied()
    }

    /// Where a member is declared first, if its type is written several times.
    fn canonical(&self, written: &Written, name: Ident) -> Span {
        let is_right_side = self.right_sides.binary_search(&written.span).is_ok();
        let first = self.nameless.get(&written.ty).filter(|_| !is_right_side);
        let mut members = first.into_iter().flat_map(|first| &first.members);
        let member = members.find(|member| member.name.name == name.name);
        member.map_or(name.span, |member| member.name.span)
    }
}
