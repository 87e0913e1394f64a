//! What `pgo doc` shows of a package: its exported declarations with their comments, from the source.
use crate::diagnostic::Diagnostics;
use crate::source::{SourceMap, Span};
use crate::syntax::ast::{self, DeclKind, ExprKind};
use crate::syntax::symbol::Interner;
use crate::testing::comment_text;

/// A package's exported declarations, in source order.
#[derive(Debug, Default)]
pub struct PackageDoc {
    pub name: String,
    /// Of the package clause; empty if there is none.
    pub comment: String,
    pub items: Vec<Item>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ItemKind {
    Const,
    Var,
    Func,
    Type,
    /// Of the type that `of` names.
    Method,
}

#[derive(Debug)]
pub struct Item {
    pub kind: ItemKind,
    /// A group of constants or variables has several.
    pub names: Vec<String>,
    /// Of a method: its type. Of a function: the type of the package that it makes, if it does.
    pub of: Option<String>,
    /// One line: `func F(x int) string`, `type T struct{ ... }`.
    pub summary: String,
    /// The declaration without function bodies and unexported fields.
    pub text: String,
    pub comment: String,
}

/// Reads the exported declarations of a package's files (names and texts); what does not parse is left out.
pub fn package(files: Vec<(String, Vec<u8>)>) -> PackageDoc {
    let mut doc = PackageDoc::default();
    let (mut sources, mut names) = (SourceMap::new(), Interner::new());
    for (name, text) in files {
        let id = sources.add(name, text);
        let file = crate::syntax::parse_file(&sources, id, &mut names, &mut Diagnostics::new());
        let reader = Reader {
            sources: &sources,
            names: &names,
            comments: &file.comments,
        };
        if let Some(package) = file.package {
            doc.name = names.resolve(package.name).to_string();
            let line = sources.file(id).text()[..package.span.lo as usize]
                .rfind('\n')
                .map_or(0, |at| at + 1);
            let comment = reader.comment_before(Span::new(id, line as u32, line as u32));
            // A file's own note on its part is no comment of the package.
            if comment.starts_with(&format!("Package {}", doc.name)) || doc.comment.is_empty() {
                doc.comment = comment;
            }
        }
        for decl in &file.decls {
            reader.decl(decl, &mut doc.items);
        }
    }
    let types: Vec<String> = doc
        .items
        .iter()
        .filter(|item| item.kind == ItemKind::Type)
        .map(|item| item.names[0].clone())
        .collect();
    for item in &mut doc.items {
        if item.kind == ItemKind::Func {
            item.of = item.of.take().filter(|name| types.contains(name));
        }
    }
    doc
}

struct Reader<'a> {
    sources: &'a SourceMap,
    names: &'a Interner,
    comments: &'a [Span],
}

impl Reader<'_> {
    /// The comment that ends on the line before `at`.
    fn comment_before(&self, at: Span) -> String {
        let touches = |before: Span, next: u32| {
            let between = Span {
                lo: before.hi,
                hi: next,
                ..before
            };
            let between = self.sources.text(between);
            between.trim().is_empty() && between.matches('\n').count() <= 1
        };
        let end = self.comments.partition_point(|c| c.hi <= at.lo);
        let (mut start, mut next) = (end, at.lo);
        while start > 0
            && touches(self.comments[start - 1], next)
            && !self.is_behind_code(self.comments[start - 1])
        {
            start -= 1;
            next = self.comments[start].lo;
        }
        comment_text(
            self.comments[start..end]
                .iter()
                .map(|c| self.sources.text(*c)),
        )
    }

    /// Whether a comment belongs to what stands before it on its line.
    fn is_behind_code(&self, comment: Span) -> bool {
        let before = &self.sources.file(comment.file).text()[..comment.lo as usize];
        let line = before.rsplit('\n').next().unwrap_or_default();
        !line.trim().is_empty()
    }

    /// A part of a group or struct, a line of its own, with its comments.
    fn line(&self, part: Span, out: &mut String) {
        for comment in self.comment_before(part).lines() {
            out.push_str(&format!("\t// {comment}\n"));
        }
        out.push_str(&format!("\t{}", self.sources.text(part)));
        let next = self.comments.partition_point(|c| c.lo < part.hi);
        if let Some(comment) = self.comments.get(next) {
            let between = Span {
                lo: part.hi,
                hi: comment.lo,
                ..part
            };
            if !self.sources.text(between).contains('\n') {
                out.push_str(&format!(" {}", self.sources.text(*comment)));
            }
        }
        out.push('\n');
    }

    /// A group's text without what it does not export.
    fn group(&self, word: &str, whole: &str, specs: &[(Span, Vec<String>)]) -> String {
        let is_seen = |names: &[String]| names.iter().any(|n| is_exported(n));
        if specs.iter().all(|(_, names)| is_seen(names)) {
            return whole.to_string();
        }
        let mut out = format!("{word} (\n");
        for (span, _) in specs.iter().filter(|(_, names)| is_seen(names)) {
            self.line(*span, &mut out);
        }
        out.push(')');
        out
    }

    fn name(&self, ident: &ast::Ident) -> String {
        self.names.resolve(ident.name).to_string()
    }

    fn decl(&self, decl: &ast::Decl, items: &mut Vec<Item>) {
        let text = self.sources.text(decl.span);
        let comment = self.comment_before(decl.span);
        let mut values = |kind, word: &str, specs: Vec<(Span, Vec<String>)>| {
            let names = specs.iter().flat_map(|(_, names)| names);
            let exported: Vec<String> = names.filter(|n| is_exported(n)).cloned().collect();
            let is_shown = |(_, names): &&(Span, Vec<String>)| exported.contains(&names[0]);
            if let Some((first, _)) = specs.iter().find(is_shown).or(specs.first())
                && !exported.is_empty()
            {
                let line = self.sources.text(*first);
                let line = line.lines().next().unwrap_or_default();
                let more = if text.contains('\n') { " ..." } else { "" };
                items.push(Item {
                    kind,
                    names: exported,
                    of: None,
                    summary: format!("{word} {}{more}", unaligned(line)),
                    text: self.group(word, text, &specs),
                    comment: comment.clone(),
                });
            }
        };
        let named = |names: &[ast::Ident]| names.iter().map(|n| self.name(n)).collect();
        match &decl.kind {
            DeclKind::Const(specs) => {
                let specs = specs.iter().map(|s| (s.span, named(&s.names)));
                values(ItemKind::Const, "const", specs.collect());
            }
            DeclKind::Var(specs) | DeclKind::Pvar(specs) => {
                let word = match decl.kind {
                    DeclKind::Var(_) => "var",
                    _ => "pvar",
                };
                let specs = specs.iter().map(|s| (s.span, named(&s.names)));
                values(ItemKind::Var, word, specs.collect());
            }
            DeclKind::Func(f) => self.func(f, comment, items),
            DeclKind::Type(specs) => {
                for spec in specs {
                    let own = match specs.len() {
                        1 => comment.clone(),
                        _ => self.comment_before(spec.span),
                    };
                    self.type_spec(spec, own, items);
                }
            }
        }
    }

    fn func(&self, f: &ast::FuncDecl, comment: String, items: &mut Vec<Item>) {
        let name = self.name(&f.name);
        let of = match &f.receiver {
            Some(receiver) => self.base(&receiver.ty),
            None => {
                f.ty.results
                    .first()
                    .and_then(|result| self.base(&result.ty))
            }
        };
        if !is_exported(&name) || f.receiver.is_some() && !of.as_deref().is_some_and(is_exported) {
            return;
        }
        let head = Span {
            hi: f.body.as_ref().map_or(f.span.hi, |body| body.span.lo),
            ..f.span
        };
        let text = self.sources.text(head).trim_end().to_string();
        let is_method = f.receiver.is_some();
        items.push(Item {
            kind: if is_method {
                ItemKind::Method
            } else {
                ItemKind::Func
            },
            names: vec![name],
            of,
            summary: text.split_whitespace().collect::<Vec<_>>().join(" "),
            text,
            comment,
        });
    }

    fn type_spec(&self, spec: &ast::TypeSpec, comment: String, items: &mut Vec<Item>) {
        let name = self.name(&spec.name);
        if !is_exported(&name) {
            return;
        }
        let head = Span {
            hi: spec.ty.span.lo,
            ..spec.span
        };
        let head = format!("type {}", self.sources.text(head));
        let whole = self.sources.text(spec.ty.span);
        let (short, text) = match &spec.ty.kind {
            ExprKind::StructType(s) if !s.fields.is_empty() => {
                ("struct{ ... }".to_string(), self.fields(whole, s))
            }
            ExprKind::InterfaceType(i) if !i.elems.is_empty() => {
                ("interface{ ... }".to_string(), whole.to_string())
            }
            _ => (
                whole.split_whitespace().collect::<Vec<_>>().join(" "),
                whole.to_string(),
            ),
        };
        items.push(Item {
            kind: ItemKind::Type,
            names: vec![name],
            of: None,
            summary: format!("{head}{short}"),
            text: format!("{head}{text}"),
            comment,
        });
    }

    /// A struct type's text without the lines of unexported fields.
    fn fields(&self, whole: &str, s: &ast::StructType) -> String {
        let is_seen = |field: &ast::Field| match field.names.is_empty() {
            true => self.base(&field.ty).is_none_or(|name| is_exported(&name)),
            false => field.names.iter().any(|n| is_exported(&self.name(n))),
        };
        if s.fields.iter().all(is_seen) {
            return whole.to_string();
        }
        let mut out = "struct {\n".to_string();
        for field in s.fields.iter().filter(|f| is_seen(f)) {
            let start = field.names.first().map_or(field.ty.span, |n| n.span);
            let end = field.tag.map_or(field.ty.span.hi, |tag| tag.span.hi);
            self.line(Span { hi: end, ..start }, &mut out);
        }
        out.push_str("\t// Has unexported fields.\n}");
        out
    }

    /// `T` of `T`, `*T`, `T[P]`, `[]T`.
    fn base(&self, ty: &ast::Expr) -> Option<String> {
        match &ty.unparen().kind {
            ExprKind::Ident(name) => Some(self.names.resolve(*name).to_string()),
            ExprKind::Star(inner) | ExprKind::SliceType(inner) => self.base(inner),
            ExprKind::Index { operand, .. } => self.base(operand),
            _ => None,
        }
    }
}

/// A line of a declaration without the spaces that bring it into columns.
fn unaligned(line: &str) -> String {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.split_once('=') {
        Some((name, value)) => format!("{} ={value}", words(name)),
        None => words(line),
    }
}

fn is_exported(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_declarations_and_comments() {
        let text = "// Package p is.\n// Indeed.\npackage p\n\n\
            // T is a type.\ntype T struct {\n\ta int\n\tB string // b\n}\n\n\
            // New makes a T.\nfunc New(x int) *T { return nil }\n\n\
            func hidden() {}\n\n// not near\n\nfunc (t *T) M() (int, error) { return 0, nil }\n\n\
            // Some.\nconst (\n\tA = iota\n\tB\n\tc\n)\n";
        let doc = package(vec![("p.pgo".into(), text.into())]);
        assert_eq!(
            (&doc.name[..], &doc.comment[..]),
            ("p", "Package p is.\nIndeed.\n")
        );
        let items: Vec<_> = doc
            .items
            .iter()
            .map(|i| (i.kind, &i.summary[..], i.of.as_deref(), &i.comment[..]))
            .collect();
        assert_eq!(
            items,
            [
                (
                    ItemKind::Type,
                    "type T struct{ ... }",
                    None,
                    "T is a type.\n"
                ),
                (
                    ItemKind::Func,
                    "func New(x int) *T",
                    Some("T"),
                    "New makes a T.\n"
                ),
                (
                    ItemKind::Method,
                    "func (t *T) M() (int, error)",
                    Some("T"),
                    ""
                ),
                (ItemKind::Const, "const A = iota ...", None, "Some.\n"),
            ]
        );
        assert_eq!(
            doc.items[0].text,
            "type T struct {\n\tB string // b\n\t// Has unexported fields.\n}"
        );
        assert_eq!(doc.items[3].names, ["A", "B"]);
    }
}
