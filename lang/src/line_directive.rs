//! Line directives (`//line file:9`, `/*line file:9:4*/`; Go's command compile documents them): comments that say
//! what positions the text behind them is told to have.
use crate::source::Span;

/// Lines and columns of directives may not be above this.
const POSITION_MAX: u32 = 1 << 30;

/// From a byte of a file on, positions count from another place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineDirective {
    /// The first byte that it governs.
    pub from: u32,
    /// The file's name; none for the one before.
    pub name: Option<String>,
    /// The line of that byte, and its column if it is told.
    pub line: u32,
    pub column: Option<u32>,
}

/// A directive that cannot be followed.
#[derive(Debug)]
pub struct BadDirective {
    pub span: Span,
    pub message: String,
}

/// The directive that a comment is, if it is one.
pub fn directive(text: &str, comment: Span) -> Result<Option<LineDirective>, BadDirective> {
    let (lo, hi) = (comment.lo as usize, comment.hi as usize);
    let body = text.get(lo..hi).unwrap_or("");
    let (told, from) = if let Some(told) = body.strip_prefix("//line ") {
        if lo > 0 && text.as_bytes()[lo - 1] != b'\n' {
            return Ok(None);
        }
        let next = text[hi..].find('\n').map_or(text.len(), |n| hi + n + 1);
        (told.trim_end_matches('\r'), next)
    } else if let Some(told) = body.strip_prefix("/*line ") {
        (told.strip_suffix("*/").unwrap_or(told), hi)
    } else {
        return Ok(None);
    };
    let bad = |what: &str, text: &str, at: usize| {
        let at = comment.lo + 7 + at as u32;
        Err(BadDirective {
            span: Span::new(comment.file, at, at + text.len() as u32),
            message: format!("invalid {what} number: {text}"),
        })
    };
    let number = |text: &str| text.parse::<u32>().ok().filter(|_| !text.starts_with('+'));
    let in_range = |n: &u32| (1..=POSITION_MAX).contains(n);
    let Some((rest, last)) = told.rsplit_once(':') else {
        return Ok(None);
    };
    let last_at = rest.len() + 1;
    let Some(n) = number(last) else {
        return bad("line", last, last_at);
    };
    let (name, line, line_text, line_at, column) = match rest.rsplit_once(':') {
        Some((name, line)) if number(line).is_some() => {
            if !in_range(&n) {
                return bad("column", last, last_at);
            }
            let at = name.len() + 1;
            (name, number(line).unwrap_or(0), line, at, Some(n))
        }
        _ => (rest, n, last, last_at, None),
    };
    if !in_range(&line) {
        return bad("line", line_text, line_at);
    }
    Ok(Some(LineDirective {
        from: from as u32,
        name: (!name.is_empty()).then(|| name.to_string()),
        line,
        column,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn of(text: &str) -> Result<Option<LineDirective>, String> {
        let end = text.find('\n').unwrap_or(text.len()) as u32;
        directive(text, Span::new(FileId(0), 0, end)).map_err(|e| e.message)
    }

    #[test]
    fn forms() {
        let d = |from, name: Option<&str>, line, column| {
            Ok(Some(LineDirective {
                from,
                name: name.map(String::from),
                line,
                column,
            }))
        };
        assert_eq!(of("//line a.y:7\nx"), d(13, Some("a.y"), 7, None));
        assert_eq!(of("/*line :7:3*/"), d(13, None, 7, Some(3)));
        assert_eq!(of("//line c:\\a.y:7"), d(15, Some("c:\\a.y"), 7, None));
        assert_eq!(of("//line no number"), Ok(None));
        assert_eq!(of("// line a:1"), Ok(None));
        assert_eq!(of("//line a:x"), Err("invalid line number: x".into()));
        assert_eq!(of("//line a:0"), Err("invalid line number: 0".into()));
        assert_eq!(of("//line a:1:0"), Err("invalid column number: 0".into()));
    }
}
