//! Diagnostics as text for a person: one line `FILE:LINE:COL: message` for editors and tools, then
//! the source excerpt with carets, notes and helps.
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use lang::diagnostic::{Diagnostic, Label, Severity};
use lang::source::{SourceMap, Span};
use std::io::IsTerminal;

/// At most this many errors are shown, as Go's compiler does.
pub const ERRORS_MAX: usize = 10;
/// Lines longer than this are shown without an excerpt.
const LINE_BYTES_MAX: usize = 2_000;

/// Writes diagnostics to standard error, in colour on a terminal that wants it.
pub fn report(diagnostics: &[Diagnostic], sources: &SourceMap, errors_max: usize) {
    let colour = std::io::stderr().is_terminal() && wants_colour();
    let mut errors = 0;
    for diagnostic in diagnostics {
        if diagnostic.severity == Severity::Error {
            errors += 1;
            if errors > errors_max {
                eprintln!("too many errors");
                return;
            }
        }
        eprint!("{}", render(diagnostic, sources, colour));
    }
}

/// Whether terminals should get colours: NO_COLOR turns them off if it is not empty.
pub fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// One diagnostic as text, with a line end.
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap, colour: bool) -> String {
    let mut lines = diagnostic.message.lines();
    let first = lines.next().unwrap_or_default();
    let at = sources.position(diagnostic.primary.span);
    let warning = match diagnostic.severity {
        Severity::Error => "",
        Severity::Warning => "warning: ",
    };
    let mut out = if colour {
        format!("\x1b[1m{at}: \x1b[31m{warning}{first}\x1b[0m")
    } else {
        format!("{at}: {warning}{first}")
    };
    out.push('\n');
    for line in lines {
        out.push_str(line);
        out.push('\n');
    }
    if let Some(excerpt) = excerpt(diagnostic, sources, colour) {
        out.push_str(&excerpt);
        if !out.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

fn excerpt(diagnostic: &Diagnostic, sources: &SourceMap, colour: bool) -> Option<String> {
    let primary = window(&diagnostic.primary, sources)?;
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_level(level);
    let mut snippet = Snippet::source(primary.text).line_start(primary.line);
    snippet = snippet.annotation(
        AnnotationKind::Primary
            .span(primary.range.clone())
            .label(some_text(&diagnostic.primary.text)),
    );
    let mut others = Vec::new();
    for label in &diagnostic.secondary {
        let Some(w) = window(label, sources) else {
            continue;
        };
        if w.line == primary.line && label.span.file == diagnostic.primary.span.file {
            snippet = snippet.annotation(
                AnnotationKind::Context
                    .span(w.range)
                    .label(some_text(&label.text)),
            );
        } else {
            others.push((label, w));
        }
    }
    group = group.element(snippet);
    for (label, w) in others {
        group = group.element(
            Snippet::source(w.text)
                .line_start(w.line)
                .path(sources.file(label.span.file).name())
                .annotation(
                    AnnotationKind::Context
                        .span(w.range)
                        .label(some_text(&label.text)),
                ),
        );
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(note));
    }
    for help in &diagnostic.helps {
        group = group.element(Level::HELP.message(help));
    }
    group = group.element(
        Level::NOTE
            .with_name(Some("code"))
            .message(diagnostic.code.number()),
    );
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    Some(
        renderer
            .decor_style(DecorStyle::Ascii)
            .render(&[group])
            .to_string(),
    )
}

fn some_text(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// The line that a label points into, and the bytes of it.
struct Window<'a> {
    text: &'a str,
    line: usize,
    range: std::ops::Range<usize>,
}

/// `None` where an excerpt would not help: an empty file, or a line too long to show.
fn window<'a>(label: &Label, sources: &'a SourceMap) -> Option<Window<'a>> {
    let Span { file, lo, hi } = label.span;
    let file = sources.file(file);
    let at = file.line_column(lo);
    let text = file.line_text(at.line);
    if text.len() > LINE_BYTES_MAX {
        return None;
    }
    let start = floor_char(text, at.column as usize - 1);
    let end = floor_char(text, (start + (hi - lo) as usize).max(start + 1));
    Some(Window {
        text,
        line: at.line as usize,
        range: start..end.max(start),
    })
}

/// The last character boundary at or before `at`, within the text.
fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
