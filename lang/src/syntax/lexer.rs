//! The callbacks behind the token patterns: names, numbers, runes, strings and comments, with the
//! error messages of Go's compiler. A malformed literal is reported and stands in for itself.

use super::ast::LiteralKind;
use super::symbol::{Interner, Symbol};
use super::token::Token;
use crate::codes::Code;
use unicode_general_category::{GeneralCategory, get_general_category};

type Lexer<'s> = logos::Lexer<'s, Token>;

/// What the callbacks share: the interner (borrowed by value for the run) and the errors so far.
#[derive(Default)]
pub struct LexState {
    pub interner: Interner,
    pub errors: Vec<LexError>,
    /// A comment or raw string runs to the end of the text.
    pub unterminated: bool,
}

pub struct LexError {
    pub lo: u32,
    pub hi: u32,
    pub code: Code,
    pub message: String,
}

impl LexState {
    pub fn error(&mut self, lo: usize, hi: usize, code: Code, message: String) {
        self.errors.push(LexError {
            lo: lo as u32,
            hi: hi as u32,
            code,
            message,
        });
    }
}

fn intern(lex: &mut Lexer) -> Symbol {
    let text = lex.slice();
    lex.extras.interner.get(text)
}

/// `U+0040 '@'`, Go's `%#U`.
pub fn char_name(c: char) -> String {
    let code = format!("U+{:04X}", c as u32);
    let printable = c == ' '
        || !(c.is_whitespace()
            || matches!(
                get_general_category(c),
                GeneralCategory::Control
                    | GeneralCategory::Format
                    | GeneralCategory::Surrogate
                    | GeneralCategory::PrivateUse
                    | GeneralCategory::Unassigned
            ));
    if printable {
        format!("{code} '{c}'")
    } else {
        code
    }
}

/// A character in single quotes, Go's `%q`.
fn quoted(c: char) -> String {
    match c {
        '\'' => r"'\''".to_owned(),
        '\\' => r"'\\'".to_owned(),
        '\n' => r"'\n'".to_owned(),
        '\t' => r"'\t'".to_owned(),
        '\r' => r"'\r'".to_owned(),
        _ => format!("'{c}'"),
    }
}

fn is_letter(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic() || {
        !c.is_ascii()
            && matches!(
                get_general_category(c),
                GeneralCategory::UppercaseLetter
                    | GeneralCategory::LowercaseLetter
                    | GeneralCategory::TitlecaseLetter
                    | GeneralCategory::ModifierLetter
                    | GeneralCategory::OtherLetter
            )
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || !c.is_ascii() && get_general_category(c) == GeneralCategory::DecimalNumber
}

/// Consumes the rest of an identifier that is not known to be ASCII.
fn identifier_rest(lex: &mut Lexer) {
    let mut at = lex.span().end;
    let mut len = 0;
    for c in lex.remainder().chars() {
        if !is_letter(c) && !is_digit(c) {
            if c.is_ascii() || c == '\u{feff}' {
                break;
            }
            let message = format!("invalid character {} in identifier", char_name(c));
            let code = Code::InvalidCharacter;
            lex.extras.error(at, at + c.len_utf8(), code, message);
        }
        at += c.len_utf8();
        len += c.len_utf8();
    }
    lex.bump(len);
}

pub fn ascii_identifier(lex: &mut Lexer) -> Symbol {
    if lex
        .remainder()
        .as_bytes()
        .first()
        .is_some_and(|&b| b >= 0x80)
    {
        identifier_rest(lex);
    }
    intern(lex)
}

/// A name that begins outside ASCII. Go takes every such character for one of an identifier; the
/// byte order mark alone is left out (and reported elsewhere).
pub fn unicode_identifier(lex: &mut Lexer) -> logos::Filter<Symbol> {
    let first = lex.slice().chars().next().unwrap_or_default();
    if first == '\u{feff}' {
        return logos::Filter::Skip;
    }
    if !is_letter(first) {
        let name = char_name(first);
        let message = if is_digit(first) {
            format!("identifier cannot begin with digit {name}")
        } else {
            format!("invalid character {name} in identifier")
        };
        let span = lex.span();
        let code = Code::InvalidCharacter;
        lex.extras.error(span.start, span.end, code, message);
    }
    identifier_rest(lex);
    logos::Filter::Emit(intern(lex))
}

fn base_name(base: u32) -> &'static str {
    match base {
        2 => "binary",
        8 => "octal",
        10 => "decimal",
        _ => "hexadecimal",
    }
}

/// The scan of one number: position, and the first error, which is the only one reported.
struct Number<'s> {
    bytes: &'s [u8],
    at: usize,
    digits: bool,
    separators: bool,
    /// The first digit too large for the base.
    invalid: Option<usize>,
    error: Option<(usize, String)>,
}

impl Number<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn fail(&mut self, at: usize, message: impl Into<String>) {
        self.error.get_or_insert((at, message.into()));
    }

    fn digits(&mut self, base: u32) {
        loop {
            let c = self.peek();
            if c == b'_' {
                self.separators = true;
            } else if c.is_ascii_digit() || base == 16 && c.is_ascii_hexdigit() {
                self.digits = true;
                if u32::from(c) >= u32::from(b'0') + base && base <= 10 {
                    self.invalid.get_or_insert(self.at);
                }
            } else {
                return;
            }
            self.at += 1;
        }
    }

    /// Where an `_` does not separate two digits (or the base prefix from a digit).
    fn misplaced_separator(&self) -> Option<usize> {
        let text = &self.bytes[..self.at];
        let hex = text.len() > 1 && matches!(text[1], b'x' | b'X');
        let prefixed = text.len() > 1 && text[1].is_ascii_alphabetic() && text[0] == b'0';
        let is_digit = |i: usize| {
            prefixed && i == 1
                || text
                    .get(i)
                    .is_some_and(|c| c.is_ascii_digit() || hex && c.is_ascii_hexdigit())
        };
        (0..text.len())
            .find(|&i| text[i] == b'_' && (i == 0 || !is_digit(i - 1) || !is_digit(i + 1)))
    }
}

pub fn number(lex: &mut Lexer) -> (LiteralKind, Symbol) {
    let start = lex.span().start;
    let mut scan = Number {
        bytes: &lex.source().as_bytes()[start..],
        at: 0,
        digits: false,
        separators: false,
        invalid: None,
        error: None,
    };
    let mut kind = LiteralKind::Int;
    let mut base = 10;
    let mut prefix = 0;
    if scan.peek() == b'0' {
        scan.at = 1;
        (base, prefix) = match scan.peek().to_ascii_lowercase() {
            b'x' => (16, b'x'),
            b'o' => (8, b'o'),
            b'b' => (2, b'b'),
            _ => (8, b'0'),
        };
        if prefix == b'0' {
            scan.digits = true;
        } else {
            scan.at = 2;
        }
    }
    scan.digits(base);
    if scan.peek() == b'.' {
        if matches!(prefix, b'o' | b'b') {
            let name = base_name(base);
            scan.fail(scan.at, format!("invalid radix point in {name} literal"));
        }
        scan.at += 1;
        kind = LiteralKind::Float;
        scan.digits(base);
    }
    if !scan.digits {
        scan.fail(
            scan.at,
            format!("{} literal has no digits", base_name(base)),
        );
    }
    let e = scan.peek();
    if matches!(e.to_ascii_lowercase(), b'e' | b'p') {
        if e.eq_ignore_ascii_case(&b'e') && !matches!(prefix, 0 | b'0') {
            let message = format!("'{}' exponent requires decimal mantissa", e as char);
            scan.fail(scan.at, message);
        } else if e.eq_ignore_ascii_case(&b'p') && prefix != b'x' {
            let message = format!("'{}' exponent requires hexadecimal mantissa", e as char);
            scan.fail(scan.at, message);
        }
        scan.at += 1;
        kind = LiteralKind::Float;
        if matches!(scan.peek(), b'+' | b'-') {
            scan.at += 1;
        }
        scan.digits = false;
        scan.digits(10);
        if !scan.digits {
            scan.fail(scan.at, "exponent has no digits");
        }
    } else if prefix == b'x' && kind == LiteralKind::Float {
        scan.fail(scan.at, "hexadecimal mantissa requires a 'p' exponent");
    }
    if scan.peek() == b'i' {
        scan.at += 1;
        kind = LiteralKind::Imaginary;
    }
    // A leading 0 makes only integers octal: 089.5 and 089i are decimal.
    if let (LiteralKind::Int, Some(at)) = (kind, scan.invalid) {
        let digit = scan.bytes[at] as char;
        scan.fail(
            at,
            format!("invalid digit '{digit}' in {} literal", base_name(base)),
        );
    }
    if scan.separators
        && let Some(at) = scan.misplaced_separator()
    {
        scan.fail(at, "'_' must separate successive digits");
    }
    let (len, error) = (scan.at, scan.error);
    lex.bump(len - lex.slice().len());
    if let Some((at, message)) = error {
        let at = start + at;
        let end = lex.span().end.max(at);
        lex.extras.error(at, end, Code::InvalidNumber, message);
    }
    (kind, intern(lex))
}

/// Checks the escape after a backslash at the start of `rest`; gives its length, or the place,
/// length and text of the error. `None`: the text ends in it.
fn escape(rest: &str, quote: char) -> Option<Result<usize, (usize, usize, String)>> {
    let first = rest.chars().next()?;
    let (skip, digits, base, max) = match first {
        'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\' => return Some(Ok(1)),
        '0'..='7' => (0, 3, 8, 255),
        'x' => (1, 2, 16, 255),
        'u' => (1, 4, 16, 0x10ffff),
        'U' => (1, 8, 16, 0x10ffff),
        c if c == quote => return Some(Ok(1)),
        _ => return Some(Err((0, 0, "unknown escape".to_owned()))),
    };
    let mut value: u64 = 0;
    let mut chars = rest[skip..].char_indices();
    for _ in 0..digits {
        let (at, c) = chars.next()?;
        let Some(digit) = c.to_digit(base) else {
            let message = format!(
                "invalid character {} in {} escape",
                quoted(c),
                base_name(base)
            );
            return Some(Err((skip + at, skip + at, message)));
        };
        value = value * u64::from(base) + u64::from(digit);
    }
    let len = skip + digits;
    if value > max && base == 8 {
        return Some(Err((len, len, format!("octal escape value {value} > 255"))));
    }
    if value > max || (0xd800..0xe000).contains(&value) {
        let message = format!("escape is invalid Unicode code point U+{value:04X}");
        return Some(Err((len, len, message)));
    }
    Some(Ok(len))
}

/// Consumes one escape (the backslash is at `at` in the remainder); false after an error.
fn bump_escape(lex: &mut Lexer, at: &mut usize, quote: char) -> bool {
    *at += 1;
    let base = lex.span().end;
    match escape(&lex.remainder()[*at..], quote) {
        None => {
            *at = lex.remainder().len();
            true
        }
        Some(Ok(len)) => {
            *at += len;
            true
        }
        Some(Err((error_at, len, message))) => {
            let lo = base + *at - 1;
            let hi = base + *at + error_at;
            lex.extras.error(lo, hi, Code::InvalidEscape, message);
            *at += len;
            false
        }
    }
}

pub fn rune(lex: &mut Lexer) -> Symbol {
    let span = lex.span();
    let mut ok = true;
    let mut at = 0;
    let mut count = 0;
    loop {
        let code = Code::InvalidRune;
        match lex.remainder()[at..].chars().next() {
            Some('\'') => {
                at += 1;
                let end = span.end + at;
                if ok && count == 0 {
                    let message = "empty rune literal or unescaped '".to_owned();
                    lex.extras.error(span.start, end, code, message);
                } else if ok && count > 1 {
                    let message = "more than one character in rune literal".to_owned();
                    lex.extras.error(span.start, end, code, message);
                }
                break;
            }
            Some('\\') => ok &= bump_escape(lex, &mut at, '\''),
            Some('\n') => {
                if ok {
                    let end = span.end + at;
                    lex.extras
                        .error(end, end, code, "newline in rune literal".to_owned());
                }
                break;
            }
            Some(c) => at += c.len_utf8(),
            None => {
                if ok {
                    let message = "rune literal not terminated".to_owned();
                    lex.extras.error(span.start, span.end + at, code, message);
                }
                break;
            }
        }
        count += 1;
    }
    lex.bump(at);
    intern(lex)
}

pub fn string(lex: &mut Lexer) -> Symbol {
    let span = lex.span();
    let mut at = 0;
    loop {
        let rest = &lex.remainder().as_bytes()[at..];
        let plain = rest
            .iter()
            .position(|b| matches!(b, b'"' | b'\\' | b'\n'))
            .unwrap_or(rest.len());
        at += plain;
        match rest.get(plain) {
            Some(b'"') => {
                at += 1;
                break;
            }
            Some(b'\\') => {
                bump_escape(lex, &mut at, '"');
            }
            Some(_) => {
                let end = span.end + at;
                let code = Code::InvalidString;
                lex.extras
                    .error(end, end, code, "newline in string".to_owned());
                break;
            }
            None => {
                let message = "string not terminated".to_owned();
                let end = span.end + at;
                lex.extras
                    .error(span.start, end, Code::InvalidString, message);
                break;
            }
        }
    }
    lex.bump(at);
    intern(lex)
}

pub fn raw_string(lex: &mut Lexer) -> Symbol {
    match lex.remainder().find('`') {
        Some(at) => lex.bump(at + 1),
        None => {
            let lo = lex.span().start;
            lex.bump(lex.remainder().len());
            let hi = lex.span().end;
            let message = "string not terminated".to_owned();
            lex.extras.error(lo, hi, Code::InvalidString, message);
            lex.extras.unterminated = true;
        }
    }
    intern(lex)
}

pub fn block_comment(lex: &mut Lexer) -> bool {
    match lex.remainder().find("*/") {
        Some(at) => lex.bump(at + 2),
        None => {
            let lo = lex.span().start;
            lex.bump(lex.remainder().len());
            let hi = lex.span().end;
            let message = "comment not terminated".to_owned();
            lex.extras.error(lo, hi, Code::UnterminatedComment, message);
            lex.extras.unterminated = true;
        }
    }
    lex.slice().contains('\n')
}
