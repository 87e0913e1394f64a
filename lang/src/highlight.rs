//! Classes of a text's parts, for colours; and where its end is, for completion. Made for input that is being typed:
//! nothing is an error.
use crate::diagnostic::Diagnostics;
use crate::source::FileId;
use crate::syntax::semicolons::lex;
use crate::syntax::symbol::Interner;
use crate::syntax::token::Token;
use std::ops::Range;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    Keyword,
    /// A predeclared type, function or constant.
    Predeclared,
    Number,
    /// Also runes.
    String,
    Comment,
    /// A name before a parenthesis.
    Call,
}

const PREDECLARED: [&str; 49] = [
    "any",
    "append",
    "bool",
    "byte",
    "cap",
    "clear",
    "close",
    "comparable",
    "complex",
    "complex128",
    "complex64",
    "copy",
    "delete",
    "error",
    "false",
    "float32",
    "float64",
    "imag",
    "int",
    "int16",
    "int32",
    "int64",
    "int8",
    "iota",
    "len",
    "make",
    "max",
    "min",
    "new",
    "nil",
    "panic",
    "persist",
    "pmake",
    "pnew",
    "print",
    "println",
    "real",
    "recover",
    "rune",
    "string",
    "true",
    "uint",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "uintptr",
    "pvar",
    "txn",
];

/// Keywords, ours too.
pub const KEYWORDS: [&str; 27] = [
    "break",
    "case",
    "chan",
    "const",
    "continue",
    "default",
    "defer",
    "else",
    "fallthrough",
    "for",
    "func",
    "go",
    "goto",
    "if",
    "import",
    "interface",
    "map",
    "package",
    "pvar",
    "range",
    "return",
    "select",
    "struct",
    "switch",
    "txn",
    "type",
    "var",
];

/// The parts of a text that have a class, in order.
pub fn classes(text: &str) -> Vec<(Range<usize>, Class)> {
    let (mut interner, mut diagnostics) = (Interner::new(), Diagnostics::new());
    let lexed = lex(FileId(0), text, &[], &mut interner, &mut diagnostics);
    let mut out = Vec::new();
    for (i, lexeme) in lexed.tokens.iter().enumerate() {
        let range = lexeme.lo as usize..(lexeme.hi as usize).min(text.len());
        let Some(word) = text.get(range.clone()).filter(|w| !w.is_empty()) else {
            continue;
        };
        let class = match lexeme.token {
            Token::Ident(_) => {
                let next = lexed.tokens.get(i + 1).map(|t| t.token);
                let after_dot = i > 0 && lexed.tokens[i - 1].token == Token::Dot;
                match (after_dot, PREDECLARED.contains(&word), next) {
                    (false, true, _) => Class::Predeclared,
                    (_, _, Some(Token::LParen)) => Class::Call,
                    _ => continue,
                }
            }
            Token::Int(_) | Token::Float(_) | Token::Imaginary(_) => Class::Number,
            Token::String(_) | Token::Rune(_) => Class::String,
            _ if KEYWORDS.contains(&word) => Class::Keyword,
            _ => continue,
        };
        out.push((range, class));
    }
    for span in &lexed.comments {
        out.push((span.lo as usize..span.hi as usize, Class::Comment));
    }
    out.sort_by_key(|(range, _)| range.start);
    out
}

/// What stands at the end of a text that is being typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// In a string literal, which starts (behind its quote) at this byte.
    String(usize),
    /// In a comment, or a raw string.
    Opaque,
    Code,
}

/// Where the end of a text is.
pub fn place(text: &str) -> Place {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let skip = |found: Option<usize>, len: usize| found.map(|n| n + len);
        let next = match bytes[at] {
            b'/' if rest.starts_with("//") => skip(rest.find('\n'), 1),
            b'/' if rest.starts_with("/*") => skip(rest[2..].find("*/"), 4),
            b'`' => skip(rest[1..].find('`'), 2),
            quote @ (b'"' | b'\'') => match closing(&bytes[at + 1..], quote) {
                Some(n) => Some(n + 2),
                None if quote == b'"' => return Place::String(at + 1),
                None => None,
            },
            _ => {
                at += 1;
                continue;
            }
        };
        match next {
            Some(n) => at += n,
            None => return Place::Opaque,
        }
    }
    Place::Code
}

/// The offset of the quote that closes a literal, or of the line end that cuts it off.
fn closing(rest: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 1,
            b'\n' => return Some(at),
            b if b == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The operand that ends where the text ends: `a.b(c)[d]` in `x := a.b(c)[d]`.
pub fn operand_before(text: &str) -> &str {
    let bytes = text.as_bytes();
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80;
    let mut at = bytes.len();
    let mut wants_word = true;
    while at > 0 {
        match bytes[at - 1] {
            b if is_word(b) && wants_word => {
                while at > 0 && is_word(bytes[at - 1]) {
                    at -= 1;
                }
                wants_word = false;
            }
            b'.' if !wants_word => {
                at -= 1;
                wants_word = true;
            }
            b')' | b']' | b'}' if wants_word => match opening(bytes, at - 1) {
                // What stands before may be the function, the list, the type.
                Some(open) => {
                    at = open;
                    wants_word =
                        at > 0 && (is_word(bytes[at - 1]) || b")]".contains(&bytes[at - 1]));
                }
                None => break,
            },
            b'"' if wants_word => match text[..at - 1].rfind('"') {
                Some(open) => {
                    at = open;
                    wants_word = false;
                }
                None => break,
            },
            _ => break,
        }
    }
    text[at..].trim_start_matches('.')
}

/// The bracket that the one at `close` closes.
fn opening(bytes: &[u8], close: usize) -> Option<usize> {
    let mut depth = 0usize;
    for at in (0..=close).rev() {
        match bytes[at] {
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The function whose arguments are being typed at the text's end, and how many are complete.
pub fn callee_before(text: &str) -> Option<(&str, usize)> {
    let (mut depth, mut commas) = (0usize, 0);
    for (at, b) in text.bytes().enumerate().rev() {
        match b {
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' if depth > 0 => depth -= 1,
            b'(' => {
                let callee = operand_before(&text[..at]);
                return (!callee.is_empty()).then_some((callee, commas));
            }
            b'[' | b'{' => return None,
            b',' if depth == 0 => commas += 1,
            b'\n' | b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_and_places() {
        for (text, operand) in [
            ("x := a.b(c)[d]", "a.b(c)[d]"),
            ("f(strings", "strings"),
            ("x + T{1, 2}", "T{1, 2}"),
            ("(&x)", "(&x)"),
            ("a + ", ""),
            ("\"abc\"", "\"abc\""),
        ] {
            assert_eq!(operand_before(text), operand, "{text}");
        }
        assert_eq!(callee_before("x := f(1, g(2), "), Some(("f", 2)));
        assert_eq!(callee_before("f(1)"), None);
        assert_eq!(place("x := \"ab"), Place::String(6));
        assert_eq!(place("x := \"ab\" // c"), Place::Opaque);
        assert_eq!(place("'a' + \"\\\"\""), Place::Code);
    }
}
