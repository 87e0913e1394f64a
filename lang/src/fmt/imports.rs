//! Sorts the imports of a group: lines that follow one another without a gap, by path. What is the
//! same twice is left out.

use super::source::Source;
use crate::syntax::ast::ImportSpec;
use crate::syntax::symbol::Interner;
use crate::syntax::token::Token;

/// Whether a path may stand between double quotes as it is.
pub fn is_plain_path(path: &str) -> bool {
    let is_bad = |c: char| {
        c.is_whitespace() || c.is_control() || "!\"#$%&'()*,:;<=>?[\\]^{|}`\u{fffd}".contains(c)
    };
    !path.is_empty() && !path.contains(is_bad)
}

/// An import with the comments on its line.
struct Line<'a> {
    path: &'a str,
    name: &'a str,
    comment: &'a str,
    text: &'a str,
}

/// The text with its imports sorted; `None` when they are already.
pub fn sort(source: &Source, imports: &[ImportSpec], names: &Interner) -> Option<String> {
    let mut out = String::new();
    let mut copied = 0;
    let mut rest = imports;
    while !rest.is_empty() {
        let follows = |a: &ImportSpec, b: &ImportSpec| {
            let between = b.span.lo > a.span.hi
                && source.token_from(a.span.hi).is_some_and(|next| {
                    next.lo == b.span.lo || matches!(next.token, Token::Semi(_))
                });
            between
                && source.line(b.span.lo) <= source.line(a.span.hi) + 1
                && !is_keyword_between(source, a, b)
        };
        let mut count = 1;
        while count < rest.len() && follows(&rest[count - 1], &rest[count]) {
            count += 1;
        }
        let (run, later) = rest.split_at(count);
        rest = later;
        let (start, end, lines) = lines(source, run, names);
        let mut sorted: Vec<&Line> = lines.iter().collect();
        sorted.sort_by_key(|line| (line.path, line.name, line.comment));
        let mut kept: Vec<&Line> = Vec::new();
        for (i, line) in sorted.iter().enumerate() {
            let doubled = sorted.get(i + 1).is_some_and(|next| {
                (next.path, next.name) == (line.path, line.name) && line.comment.is_empty()
            });
            if !doubled {
                kept.push(line);
            }
        }
        let is_same =
            kept.len() == lines.len() && kept.iter().zip(&lines).all(|(a, b)| std::ptr::eq(*a, b));
        if count == 1 || is_same {
            continue;
        }
        out.push_str(&source.text[copied..start.max(copied)]);
        let texts: Vec<&str> = kept.iter().map(|line| line.text).collect();
        out.push_str(&texts.join("\n"));
        copied = end;
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&source.text[copied..]);
    Some(out)
}

/// `import` stands between two imports of different declarations.
fn is_keyword_between(source: &Source, a: &ImportSpec, b: &ImportSpec) -> bool {
    source
        .all(Token::Import)
        .any(|at| a.span.hi <= at && at < b.span.lo)
}

/// The lines of a run, and where it begins and ends.
fn lines<'a>(
    source: &Source<'a>,
    run: &[ImportSpec],
    names: &'a Interner,
) -> (usize, usize, Vec<Line<'a>>) {
    let text: &'a str = source.text;
    let line_start = text[..run[0].span.lo as usize]
        .rfind('\n')
        .map_or(0, |at| at + 1) as u32;
    let mut start = run[0].span.lo;
    // A comment may stand before the first on its line.
    if let Some(group) = source
        .groups
        .iter()
        .find(|g| g.lo() >= line_start && g.lo() < start)
        && group.hi() <= start
        && source.token_from(group.lo()).is_some_and(|t| t.lo == start)
    {
        start = group.lo();
    }
    let run_start = start;
    let mut lines = Vec::new();
    for (i, spec) in run.iter().enumerate() {
        let next = run.get(i + 1).map(|next| next.span.lo);
        let line = source.line(spec.span.hi);
        let mut end = spec.span.hi;
        let mut comment = "";
        let behind = source.groups.iter().flat_map(|g| &g.comments);
        for c in behind.filter(|c| c.lo >= spec.span.hi) {
            if source.line(c.lo) != line || next.is_some_and(|next| c.lo > next) {
                break;
            }
            end = c.hi;
            comment = &text[c.lo as usize..c.hi as usize];
        }
        lines.push(Line {
            path: names.resolve(spec.path),
            name: spec.name.map_or("", |name| names.resolve(name.name)),
            comment,
            text: &text[start as usize..end as usize],
        });
        let gap = next.map_or("", |next| &text[end as usize..next as usize]);
        let skipped = gap.len() - gap.trim_start_matches([' ', '\t', '\r', '\n', ';']).len();
        start = end + skipped as u32;
        if next.is_none() {
            start = end;
        }
    }
    (run_start as usize, start as usize, lines)
}
