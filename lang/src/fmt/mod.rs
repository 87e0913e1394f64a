//! The formatter: prints a file in gofmt's style. It walks the syntax tree, and takes the places of
//! tokens, comments and line breaks from the source.

mod align;
mod build_lines;
mod comments;
mod decls;
mod doc_comment;
mod exprs;
mod imports;
mod lists;
mod numbers;
mod printer;
mod source;
mod stmts;
mod types;

use crate::compile::Failure;
use crate::diagnostic::Diagnostics;
use crate::source::SourceMap;
use crate::syntax::ast::{File, Form};
use crate::syntax::parse_tokens;
use crate::syntax::symbol::Interner;
use crate::syntax::token::Lexeme;
use printer::Printer;
use source::Source;

/// After so many passes a text is taken as it is; none is known that needs more than two.
const PASSES_MAX: usize = 4;

/// A parsed text.
struct Parsed {
    sources: SourceMap,
    file: File,
    tokens: Vec<Lexeme>,
    names: Interner,
}

/// Formats a program's or script's text; `name` is what messages call it. The result formatted again
/// is itself.
///
/// # Errors
/// Syntax errors, as the compiler reports them.
pub fn format(name: &str, text: &[u8]) -> Result<String, Failure> {
    let mut formatted = format_once(name, text)?;
    // A comment that only now stands where documentation does is set as such.
    let mut before = std::borrow::Cow::Borrowed(text);
    for _ in 0..PASSES_MAX {
        if formatted.as_bytes() == &before[..] {
            break;
        }
        let next = format_once(name, formatted.as_bytes())?;
        before = std::mem::replace(&mut formatted, next).into_bytes().into();
    }
    Ok(formatted)
}

fn format_once(name: &str, text: &[u8]) -> Result<String, Failure> {
    let mut parsed = parse(name, text)?;
    let sorted = imports::sort(&source_of(&parsed), &parsed.file.imports, &parsed.names);
    if let Some(sorted) = sorted {
        parsed = parse(name, sorted.as_bytes())?;
    }
    let source = source_of(&parsed);
    let is_empty = parsed.tokens.len() <= 1 && source.groups.is_empty();
    if is_empty {
        return Ok(String::new());
    }
    let is_script = parsed.file.form == Form::Script;
    let mut printer = Printer::new(&source, &parsed.names, is_script);
    printer.file(&parsed.file);
    let state = printer.state;
    let text = state.page.render();
    if state.go_build.is_empty() && state.plus_build.is_empty() {
        return Ok(text);
    }
    Ok(build_lines::arrange(
        &text,
        &state.go_build,
        &state.plus_build,
    ))
}

fn source_of(parsed: &Parsed) -> Source<'_> {
    let file = parsed.sources.file(parsed.file.id);
    Source::new(file, &parsed.tokens, &parsed.file.comments)
}

fn parse(name: &str, text: &[u8]) -> Result<Parsed, Failure> {
    let mut sources = SourceMap::new();
    let id = sources.add(name, without_carriage_returns(text));
    let mut names = Interner::new();
    let mut diags = Diagnostics::new();
    let (file, tokens) = parse_tokens(&sources, id, &mut names, &mut diags);
    if diags.has_errors() {
        let diagnostics = diags.into_sorted(&sources);
        return Err(Failure {
            diagnostics,
            sources,
        });
    }
    Ok(Parsed {
        sources,
        file,
        tokens,
        names,
    })
}

/// Lines end in `\n` alone.
fn without_carriage_returns(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for (i, &byte) in text.iter().enumerate() {
        if byte != b'\r' || text.get(i + 1) != Some(&b'\n') {
            out.push(byte);
        }
    }
    out
}
