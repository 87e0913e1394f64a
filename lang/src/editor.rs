//! What editors ask about a program: what is wrong, what a name means and where it is used, what may stand at a place.
use crate::check::{Checker, Found, NameIndex, Target};
use crate::codegen::{self, State};
use crate::compile::Loader;
use crate::complete::{self, Completions, Known, Name, Words};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::highlight::callee_before;
use crate::lint::lint;
use crate::package::PackageSource;
use crate::source::{FileId, SourceMap, Span};
use crate::syntax::ast::{DeclKind, ExprKind, File, Ident, Stmt, StmtKind};

mod rename;

pub use rename::{Edit, RenameError};

/// A program as far as it could be checked.
pub struct Analysis {
    checker: Checker,
    names: NameIndex,
    /// How many files the program has; packages that it imports follow.
    own_len: usize,
    diagnostics: Vec<Diagnostic>,
    stores: Vec<Store>,
}

/// What a name means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meaning {
    pub span: Span,
    /// Where it is declared, if that is in the program's own files.
    pub definition: Option<Span>,
    /// Its declaration or type, with the comment before it.
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SymbolKind {
    Func,
    Method,
    Type,
    Const,
    Var,
    Pvar,
}

/// A declaration at a file's top level.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Symbol {
    pub name: String,
    pub kind: SymbolKind,
    pub span: Span,
    pub name_span: Span,
    /// Of a method: its type.
    pub container: Option<String>,
}

/// A store that may go to the persistent heap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    pub span: Span,
    /// Else it goes to whichever heap its target is in.
    pub surely_persistent: bool,
    pub in_txn: bool,
}

impl Analysis {
    /// Checks a program; `files` and `dir` are as for `compile`.
    pub fn new(files: Vec<(String, Vec<u8>)>, dir: &str, source: &dyn PackageSource) -> Analysis {
        let own = files.len();
        let loader = Loader::new(source);
        let mut checker = Checker::new();
        checker.require_main = false;
        checker.record();
        let entry = checker.check_program(&loader, files, dir);
        loader.mark(&mut checker.sources, own);
        checker.look_from_main();
        let mut st = State::with_heaps();
        if let Some(entry) = entry
            && !checker.diagnostics.has_errors()
        {
            let mut found = Diagnostics::new();
            codegen::generate(&mut checker, &mut st, &mut found, entry);
            for d in found.iter().cloned() {
                checker.diagnostics.push(d);
            }
            if !found.has_errors() {
                for warning in lint(&mut checker, &st.reports) {
                    checker.diagnostics.push(warning);
                }
            }
        }
        let diagnostics = std::mem::take(&mut checker.diagnostics).into_sorted(&checker.sources);
        let mut stores: Vec<Store> = Vec::new();
        for report in st.reports.iter().filter(|r| r.class != "volatile") {
            let store = Store {
                span: report.span,
                surely_persistent: report.class == "persistent",
                in_txn: report.in_txn,
            };
            if !checker.sources.file(store.span.file).is_library() && !stores.contains(&store) {
                stores.push(store);
            }
        }
        let names = checker.index_names();
        Analysis {
            checker,
            names,
            own_len: own,
            diagnostics,
            stores,
        }
    }

    pub fn sources(&self) -> &SourceMap {
        &self.checker.sources
    }

    /// Errors and warnings, sorted.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    pub fn stores(&self) -> &[Store] {
        &self.stores
    }

    /// The name at a place, or right before it.
    pub fn meaning(&mut self, file: FileId, offset: u32) -> Option<Meaning> {
        if let Some((span, target)) = self.names.at(file, offset) {
            let text = match target {
                Target::Member(at) => {
                    let found = self.checker.found_at(span);
                    let member = self.names.member(at)?;
                    self.checker.member_text(member, found)
                }
                _ => self.checker.target_text(target),
            };
            return Some(Meaning {
                span,
                definition: self.own_definition(target),
                text,
            });
        }
        let covers = |span: Span| {
            span.file == file && span.lo <= offset && offset <= span.hi && span.lo < span.hi
        };
        let (span, found) = self.checker.smallest_expr(&covers)?;
        let text = self.checker.found_text(&found)?;
        let word = self.checker.sources.text(span).to_string();
        let is_name = word.chars().all(|c| c.is_alphanumeric() || c == '_');
        is_name.then(|| Meaning {
            span,
            definition: None,
            text: format!("{word} {text}"),
        })
    }

    fn own_definition(&self, target: Target) -> Option<Span> {
        let span = self.checker.definition(target)?;
        (!self.checker.sources.file(span.file).is_library()).then_some(span)
    }

    /// Where a name is declared and used, given its definition; sorted.
    pub fn occurrences(&self, definition: Span) -> &[Span] {
        self.names.of(definition)
    }

    /// The declarations at the top level of the program's own files.
    pub fn symbols(&self) -> Vec<Symbol> {
        let mut out = Vec::new();
        for file in self.checker.own_files() {
            self.symbols_of(&file, &mut out);
        }
        out.sort_by_key(|symbol| symbol.span);
        out
    }

    fn symbols_of(&self, file: &File, out: &mut Vec<Symbol>) {
        let declared = file.stmts.iter().filter_map(|stmt| match stmt {
            Stmt {
                kind: StmtKind::Decl(decl),
                ..
            } => Some(&**decl),
            _ => None,
        });
        let mut add = |kind, name: &Ident, span: Span, container| {
            out.push(Symbol {
                name: self.checker.sources.text(name.span).to_string(),
                kind,
                span,
                name_span: name.span,
                container,
            });
        };
        for decl in file.decls.iter().chain(declared) {
            match &decl.kind {
                DeclKind::Func(f) => {
                    let of = f.receiver.as_ref().map(|r| {
                        let mut ty = r.ty.unparen();
                        while let ExprKind::Star(x) | ExprKind::Index { operand: x, .. } = &ty.kind
                        {
                            ty = x.unparen();
                        }
                        self.checker.sources.text(ty.span).to_string()
                    });
                    let kind = if of.is_some() {
                        SymbolKind::Method
                    } else {
                        SymbolKind::Func
                    };
                    add(kind, &f.name, decl.span, of);
                }
                DeclKind::Type(specs) => {
                    for spec in specs {
                        add(SymbolKind::Type, &spec.name, spec.span, None);
                    }
                }
                DeclKind::Const(specs) => {
                    for spec in specs {
                        let each = spec.names.iter();
                        each.for_each(|name| add(SymbolKind::Const, name, spec.span, None));
                    }
                }
                DeclKind::Var(specs) | DeclKind::Pvar(specs) => {
                    let kind = match decl.kind {
                        DeclKind::Pvar(_) => SymbolKind::Pvar,
                        _ => SymbolKind::Var,
                    };
                    for spec in specs {
                        spec.names
                            .iter()
                            .for_each(|name| add(kind, name, spec.span, None));
                    }
                }
            }
        }
    }

    /// What may stand at the end of `before`, the text of the file up to a place. The text may be newer than the analysis.
    pub fn completions(
        &mut self,
        file: FileId,
        before: &str,
        words: Words<'_>,
        source: &dyn PackageSource,
    ) -> Completions {
        let mut known = AtPlace {
            checker: &mut self.checker,
            file,
            offset: before.len() as u32,
        };
        complete::complete(&mut known, before, words, source)
    }

    /// The function whose arguments are being typed at the end of `before`, and which one is.
    pub fn signature(&mut self, file: FileId, before: &str) -> Option<(String, usize)> {
        let (callee, argument) = callee_before(before)?;
        let found = self.find(file, before.len() as u32, callee)?;
        let text = self.checker.found_text(&found)?;
        let text = match text.strip_prefix("func(") {
            Some(rest) => format!("func {callee}({rest}"),
            None => text,
        };
        Some((text, argument))
    }

    /// What an expression of this text is: the nearest one before the place.
    fn find(&self, file: FileId, offset: u32, text: &str) -> Option<Found> {
        self.checker.expr_of_text(file, offset, text)
    }
}

/// What is declared before a place of a file.
struct AtPlace<'a> {
    checker: &'a mut Checker,
    file: FileId,
    offset: u32,
}

impl Known for AtPlace<'_> {
    fn checker(&mut self) -> &mut Checker {
        self.checker
    }

    fn find(&mut self, expression: &str) -> Found {
        let found = self
            .checker
            .expr_of_text(self.file, self.offset, expression);
        found.unwrap_or(Found::Nothing)
    }

    fn names(&mut self) -> Vec<Name> {
        self.checker.names_before(self.file, self.offset)
    }
}
