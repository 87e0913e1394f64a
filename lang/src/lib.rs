//! The pgo language: source text to bytecode.
#![forbid(unsafe_code)]

pub mod bytecode;
pub mod codes;
pub mod complete;
pub mod diagnostic;
pub mod doc;
pub mod editor;
pub mod fmt;
pub mod highlight;
pub mod invariant;
mod lint;
pub mod package;
pub mod session;
pub mod source;
pub mod testing;

pub(crate) mod check;
pub(crate) mod codegen;
mod compile;
mod line_directive;
pub(crate) mod syntax;
pub(crate) mod tir;
pub(crate) mod types;

pub use compile::{Checked, Failure, check, compile, heap_report};
pub use session::{Chunk, Session};

/// Parses a text without checking it and gives its errors as `name:line:column: message`; for
/// measuring the parser.
pub fn parse_only(name: &str, text: impl Into<Vec<u8>>) -> Vec<String> {
    let mut sources = source::SourceMap::new();
    let file = sources.add(name, text);
    let mut diags = diagnostic::Diagnostics::new();
    let mut interner = syntax::symbol::Interner::new();
    syntax::parse_file(&sources, file, &mut interner, &mut diags);
    let errors = diags.into_sorted(&sources);
    let line =
        |d: &diagnostic::Diagnostic| format!("{}: {}", sources.position(d.primary.span), d.message);
    errors.iter().map(line).collect()
}

/// Whether a text begins with a package clause.
pub fn is_program(text: &str) -> bool {
    syntax::is_program(text)
}

/// Whether a script's text ends too early, so that the REPL should ask for more lines.
pub fn is_incomplete(text: &str) -> bool {
    syntax::is_incomplete(text)
}
