//! Interactive sessions: chunk after chunk is compiled into one growing program; and what an editor of their input asks
//! about names and expressions.
use crate::bytecode::program::{FuncIdx, Program};
use crate::bytecode::verify;
use crate::check::{Checker, Found, Renewed};
use crate::codegen::{self, State};
use crate::compile::Loader;
use crate::complete::{self, Completions, Known, Name, Words};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::package::PackageSource;
use crate::source::SourceMap;

/// An interactive session: each chunk is a script, or a program, that sees what the chunks before declared.
pub struct Session<'a> {
    loader: Loader<'a>,
    checker: Checker,
    st: State,
}

/// A chunk that has been compiled into the program.
#[derive(Debug)]
pub struct Chunk {
    /// Runs it.
    pub entry: FuncIdx,
    /// What the user should know: what was declared again and how far that goes.
    pub notes: Vec<String>,
}

/// Who gives a chunk's text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// The user: the value of the last statement is shown.
    Shown,
    /// A file: values are not shown.
    Quiet,
    /// The REPL itself: what it declares is forgotten.
    Aside,
}

impl<'a> Session<'a> {
    pub fn new(source: &'a dyn PackageSource) -> Session<'a> {
        Session {
            loader: Loader::new(source),
            checker: Checker::new(),
            st: State::open_world(),
        }
    }

    /// Compiles a chunk into the program; `name` is its file for messages.
    ///
    /// # Errors
    /// What is wrong with the chunk; the session goes on without it.
    pub fn chunk(&mut self, name: &str, text: &[u8], mode: Mode) -> Result<Chunk, Vec<Diagnostic>> {
        self.checker.diagnostics = Diagnostics::new();
        let shows = mode == Mode::Shown;
        let checked = self
            .checker
            .check_chunk(&self.loader, name, text.to_vec(), shows);
        self.loader.mark(&mut self.checker.sources, 0);
        let entry = checked.filter(|_| !self.checker.diagnostics.has_errors());
        let mut failed = entry.is_none();
        if let Some((entry, renewed)) = &entry {
            let mut found = Diagnostics::new();
            let (checker, st) = (&mut self.checker, &mut self.st);
            codegen::generate_renewed(checker, st, &mut found, *entry, renewed);
            for d in found.iter() {
                self.checker.diagnostics.push(d.clone());
            }
            failed = found.has_errors();
            if failed || mode == Mode::Aside {
                let funcs = self.checker.undo_chunk();
                let back = Renewed {
                    funcs,
                    ..Renewed::default()
                };
                codegen::renew(&mut self.checker, &mut self.st, &back);
            }
        }
        let have = self.st.program.sources.files().count();
        for (_, file) in self.checker.sources.files().skip(have) {
            self.st.program.sources.add_copy(file);
        }
        let notes = self.checker.take_notes();
        let diagnostics = std::mem::take(&mut self.checker.diagnostics);
        if failed || diagnostics.iter().any(|d| d.severity == Severity::Error) {
            return Err(diagnostics.into_sorted(&self.checker.sources));
        }
        debug_assert_eq!(verify::verify(&self.st.program), Ok(()));
        Ok(Chunk {
            entry: self.st.program.entry,
            notes,
        })
    }

    /// All that has been compiled.
    pub fn program(&self) -> &Program {
        &self.st.program
    }

    /// The files that diagnostics point into.
    pub fn sources(&self) -> &SourceMap {
        &self.checker.sources
    }

    /// The type of an expression; of a declared function its header, of a type what it stands for.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn type_of(&mut self, text: &str) -> Result<String, Vec<Diagnostic>> {
        self.checker.diagnostics = Diagnostics::new();
        let found = self.ask(text);
        match self.checker.found_text(&found) {
            Some(text) => Ok(text),
            None => {
                // As a chunk it says what is wrong.
                self.chunk("repl", format!("_ = {text}").as_bytes(), Mode::Aside)?;
                Ok(String::new())
            }
        }
    }

    /// What the session knows of a name that it has declared: its declaration, and the comment before it.
    pub fn describe(&mut self, name: &str) -> Option<String> {
        self.checker.description(name)
    }

    /// The import path of the package that a name means.
    pub fn package_path(&mut self, name: &str) -> Option<String> {
        self.checker.package_path(&self.loader, name)
    }

    /// What may stand at the end of a text.
    pub fn completions(&mut self, before: &str, words: Words<'_>) -> Completions {
        let (mut known, loader) = self.known();
        complete::complete(&mut known, before, words, loader)
    }

    /// What may follow `operand.`.
    fn members(&mut self, operand: &str) -> Vec<Name> {
        let (mut known, loader) = self.known();
        complete::members(&mut known, operand, loader)
    }

    fn known(&mut self) -> (InSession<'_, 'a>, &Loader<'a>) {
        let known = InSession {
            checker: &mut self.checker,
            loader: &self.loader,
        };
        (known, &self.loader)
    }

    /// How a function is called, by the text that stands before the parenthesis.
    pub fn signature(&mut self, callee: &str) -> Option<String> {
        if let Some((operand, name)) = callee.rsplit_once('.') {
            let members = self.members(operand.trim());
            let member = members.into_iter().find(|m| m.text == name.trim())?;
            return member.detail.contains('(').then_some(member.detail);
        }
        let found = self.ask(callee);
        let text = match found {
            Found::Func(..) | Found::Value(_) => self.checker.found_text(&found)?,
            _ => return None,
        };
        text.starts_with("func").then_some(text)
    }

    fn ask(&mut self, text: &str) -> Found {
        self.known().0.find(text)
    }
}

/// What a session has declared.
struct InSession<'s, 'a> {
    checker: &'s mut Checker,
    loader: &'s Loader<'a>,
}

impl Known for InSession<'_, '_> {
    fn checker(&mut self) -> &mut Checker {
        self.checker
    }

    fn find(&mut self, expression: &str) -> Found {
        let found = self.checker.ask(self.loader, expression);
        self.loader.mark(&mut self.checker.sources, 0);
        found
    }

    fn names(&mut self) -> Vec<Name> {
        self.checker.visible_names()
    }
}
