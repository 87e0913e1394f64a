//! Errors and warnings about a program, as values; whoever shows them renders them.

use crate::codes::Code;
use crate::source::{SourceMap, Span};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    Error,
    Warning,
}

/// A place that a diagnostic points to, and what to say there (may be empty).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// One message. `message` has Go's wording where Go has one; labels, notes and helps say more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    pub severity: Severity,
    pub code: Code,
    pub message: String,
    pub primary: Label,
    pub secondary: Vec<Label>,
    pub notes: Vec<String>,
    pub helps: Vec<String>,
}

impl Diagnostic {
    pub fn new(
        severity: Severity,
        code: Code,
        span: Span,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            severity,
            code,
            message: message.into(),
            primary: Label {
                span,
                text: String::new(),
            },
            secondary: Vec::new(),
            notes: Vec::new(),
            helps: Vec::new(),
        }
    }

    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, code, span, message)
    }

    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, code, span, message)
    }

    /// What to say at the primary span.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Diagnostic {
        self.primary.text = text.into();
        self
    }

    /// Another place that explains the message.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.secondary.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }

    /// What the user could do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.helps.push(text.into());
        self
    }
}

/// Where the stages put their diagnostics.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    errors: usize,
}

impl Diagnostics {
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        self.list.push(diagnostic);
    }

    /// Reports an error without labels.
    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.push(Diagnostic::error(code, span, message));
    }

    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    pub fn error_count(&self) -> usize {
        self.errors
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// In the order of reporting.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// Sorted by file and position; of several with the same message on the same line, the first.
    pub fn into_sorted(self, sources: &SourceMap) -> Vec<Diagnostic> {
        let mut list = self.list;
        list.sort_by_key(|d| (d.primary.span.file, d.primary.span.lo));
        let mut seen = rustc_hash::FxHashSet::default();
        list.retain(|d| {
            let span = d.primary.span;
            seen.insert((span.file, sources.line(span), d.message.clone()))
        });
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_and_deduplicated_by_line() {
        let mut sources = SourceMap::new();
        let file = sources.add("a.pgo", "one two\nthree\n");
        let mut sink = Diagnostics::new();
        for (lo, message) in [(8, "b"), (4, "a"), (0, "a"), (0, "c")] {
            sink.error(Code::Syntax, Span::new(file, lo, lo + 1), message);
        }
        let sorted = sink.into_sorted(&sources);
        let got: Vec<_> = sorted
            .iter()
            .map(|d| (d.primary.span.lo, d.message.as_str()))
            .collect();
        assert_eq!(got, [(0, "a"), (0, "c"), (8, "b")]);
    }
}
