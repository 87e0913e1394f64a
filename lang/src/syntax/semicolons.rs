//! The adapter over the raw tokens: automatic semicolons, comments set apart, and the contextual
//! words `txn` and `pvar` found in their places.

use super::ast::LiteralKind;
use super::lexer::{LexState, char_name};
use super::parser::MAX_HEADER;
use super::symbol::Interner;
use super::token::{Lexeme, Semicolon, Token};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, Span};
use logos::Logos;

/// A file as tokens. The last one is always a `Semi(EndOfFile)`.
pub struct Lexed {
    pub tokens: Vec<Lexeme>,
    pub comments: Vec<Span>,
    /// The text ends within a comment or a raw string.
    pub unterminated: bool,
}

/// Lexes all of a file's text. Errors are reported and stood in for, so that parsing goes on.
/// `invalid_utf8` are the offsets of `SourceFile::invalid_utf8`.
pub fn lex(
    file: FileId,
    text: &str,
    invalid_utf8: &[u32],
    interner: &mut Interner,
    diags: &mut Diagnostics,
) -> Lexed {
    let state = LexState {
        interner: std::mem::take(interner),
        ..LexState::default()
    };
    let mut adapter = Adapter {
        file,
        tokens: Vec::with_capacity(text.len() / 4),
        comments: Vec::new(),
    };
    let mut lexer = Token::lexer_with_extras(text, state);
    if text.starts_with('\u{feff}') {
        lexer.bump('\u{feff}'.len_utf8());
    }
    if lexer.remainder().starts_with("#!") {
        let line = lexer.remainder().find('\n');
        lexer.bump(line.unwrap_or(lexer.remainder().len()));
    }
    adapter.run(&mut lexer);
    let mut state = lexer.extras;
    report_bytes(text, invalid_utf8, &mut state);
    let txn = state.interner.find("txn");
    let pvar = state.interner.find("pvar");
    *interner = state.interner;
    state.errors.sort_by_key(|error| error.lo);
    for error in state.errors {
        let span = Span::new(file, error.lo, error.hi);
        diags.error(error.code, span, error.message);
    }
    let mut tokens = adapter.tokens;
    if txn.is_some() || pvar.is_some() {
        let word = |token| match token {
            Token::Ident(name) if Some(name) == txn => Some(Token::Txn),
            Token::Ident(name) if Some(name) == pvar => Some(Token::Pvar),
            _ => None,
        };
        for nested in contextual_words(&mut tokens, word) {
            let message = "pvar declaration not at package or script level";
            let span = Span::new(file, nested.lo, nested.hi);
            let help = "declare it outside the function, or use var for a variable of this run";
            diags.push(Diagnostic::error(Code::NestedPvar, span, message).help(help));
        }
    }
    Lexed {
        tokens,
        comments: adapter.comments,
        unterminated: state.unterminated,
    }
}

/// Bytes that may stand nowhere in a text, not even in a comment.
fn report_bytes(text: &str, invalid_utf8: &[u32], state: &mut LexState) {
    for &at in invalid_utf8 {
        let message = "invalid UTF-8 encoding".to_owned();
        state.error(
            at as usize,
            at as usize + 1,
            Code::InvalidCharacter,
            message,
        );
    }
    for (at, _) in text.match_indices('\0') {
        let message = "invalid NUL character".to_owned();
        state.error(at, at + 1, Code::InvalidCharacter, message);
    }
    for (at, mark) in text.match_indices('\u{feff}').filter(|&(at, _)| at > 0) {
        let message = "invalid BOM in the middle of the file".to_owned();
        state.error(at, at + mark.len(), Code::InvalidCharacter, message);
    }
}

struct Adapter {
    file: FileId,
    tokens: Vec<Lexeme>,
    comments: Vec<Span>,
}

impl Adapter {
    fn run(&mut self, lexer: &mut logos::Lexer<Token>) {
        while let Some(token) = lexer.next() {
            let span = lexer.span();
            let (lo, hi) = (span.start as u32, span.end as u32);
            let token = match token {
                Ok(Token::Newline) => {
                    self.line_end(Semicolon::Newline, lo, hi);
                    continue;
                }
                Ok(Token::LineComment) => {
                    let hi = lo + lexer.slice().trim_end_matches('\r').len() as u32;
                    self.comments.push(Span::new(self.file, lo, hi));
                    continue;
                }
                Ok(Token::BlockComment(has_line_end)) => {
                    if has_line_end {
                        self.line_end(Semicolon::Newline, lo, lo);
                    }
                    self.comments.push(Span::new(self.file, lo, hi));
                    continue;
                }
                Ok(Token::Number((kind, text))) => match kind {
                    LiteralKind::Float => Token::Float(text),
                    LiteralKind::Imaginary => Token::Imaginary(text),
                    _ => Token::Int(text),
                },
                Ok(token @ Token::Ident(_)) => match self.tokens.last_mut() {
                    // A keyword run into a letter outside ASCII is no keyword.
                    Some(last) if last.hi == lo && last.token.keyword().is_some() => {
                        let text = &lexer.source()[last.lo as usize..hi as usize];
                        last.token = Token::Ident(lexer.extras.interner.get(text));
                        last.hi = hi;
                        continue;
                    }
                    _ => token,
                },
                Ok(token) => token,
                Err(()) => {
                    let c = lexer.slice().chars().next().unwrap_or_default();
                    // The other two are reported wherever they stand.
                    if !matches!(c, '\0' | '\x1a') {
                        let message = format!("invalid character {}", char_name(c));
                        let code = Code::InvalidCharacter;
                        lexer.extras.error(span.start, span.end, code, message);
                    }
                    continue;
                }
            };
            self.tokens.push(Lexeme { token, lo, hi });
        }
        let end = lexer.source().len() as u32;
        self.line_end(Semicolon::EndOfFile, end, end);
        if !matches!(
            self.tokens.last(),
            Some(Lexeme {
                token: Token::Semi(Semicolon::EndOfFile),
                ..
            })
        ) {
            self.tokens.push(Lexeme {
                token: Token::Semi(Semicolon::EndOfFile),
                lo: end,
                hi: end,
            });
        }
    }

    fn line_end(&mut self, kind: Semicolon, lo: u32, hi: u32) {
        if self
            .tokens
            .last()
            .is_some_and(|last| last.token.ends_statement())
        {
            let token = Token::Semi(kind);
            self.tokens.push(Lexeme { token, lo, hi });
        }
    }
}

/// Turns names that `word` knows into keywords where they stand as such:
/// - `txn` before `< names > {` (which is no Go in any place), and at the start of a statement
///   before `( ) {` or `( string ) {`;
/// - `pvar` at the start of a statement, before a name on the same line. Within a block it is given
///   back as an error and stands for `var`.
fn contextual_words(tokens: &mut [Lexeme], word: impl Fn(Token) -> Option<Token>) -> Vec<Lexeme> {
    let mut nested = Vec::new();
    // Of each open bracket, whether statements may stand in it.
    let mut open: Vec<bool> = Vec::new();
    for at in 0..tokens.len() {
        match tokens[at].token {
            Token::LBrace => {
                let before = at.checked_sub(1).map(|i| tokens[i].token);
                open.push(!matches!(before, Some(Token::Struct | Token::Interface)));
            }
            Token::LParen | Token::LBrack => open.push(false),
            Token::RParen | Token::RBrack | Token::RBrace => {
                open.pop();
            }
            token => match word(token) {
                Some(Token::Txn) if opens_txn(tokens, at) => tokens[at].token = Token::Txn,
                Some(Token::Pvar) if declares_pvar(tokens, at) => match open.last() {
                    None => tokens[at].token = Token::Pvar,
                    Some(true) => {
                        tokens[at].token = Token::Var;
                        nested.push(tokens[at]);
                    }
                    Some(false) => {}
                },
                _ => {}
            },
        }
    }
    nested
}

fn declares_pvar(tokens: &[Lexeme], at: usize) -> bool {
    let next = tokens.get(at + 1).map(|lexeme| lexeme.token);
    starts_statement(tokens, at) && matches!(next, Some(Token::Ident(_)))
}

fn opens_txn(tokens: &[Lexeme], at: usize) -> bool {
    let kind = |i: usize| tokens.get(i).map(|lexeme| lexeme.token);
    match kind(at + 1) {
        Some(Token::Less) => {
            let mut i = at + 2;
            while matches!(kind(i), Some(Token::Ident(_) | Token::Comma)) {
                i += 1;
            }
            kind(i) == Some(Token::Greater) && kind(i + 1) == Some(Token::LBrace)
        }
        Some(Token::LParen) => {
            let quoted = matches!(kind(at + 2), Some(Token::String(_)));
            let close = at + 2 + usize::from(quoted);
            kind(close) == Some(Token::RParen)
                && kind(close + 1) == Some(Token::LBrace)
                && starts_statement(tokens, at)
                && !in_header(tokens, at)
        }
        _ => false,
    }
}

fn starts_statement(tokens: &[Lexeme], at: usize) -> bool {
    at == 0
        || matches!(
            tokens[at - 1].token,
            Token::Semi(_) | Token::LBrace | Token::RBrace | Token::Colon
        )
}

/// Whether the token, which follows a written semicolon, stands in the header of an `if`, `for` or
/// `switch` on the same line, as `txn` does in `if x := f(); txn() {`.
fn in_header(tokens: &[Lexeme], at: usize) -> bool {
    if at < 2
        || tokens[at - 1].token != Token::Semi(Semicolon::Written)
        || tokens[at - 2].token == Token::RBrace
    {
        return false;
    }
    let mut closed = 0;
    for lexeme in tokens[..at].iter().rev().take(MAX_HEADER) {
        match lexeme.token {
            Token::RParen | Token::RBrack | Token::RBrace => closed += 1,
            Token::LParen | Token::LBrack | Token::LBrace if closed == 0 => return false,
            Token::LParen | Token::LBrack | Token::LBrace => closed -= 1,
            Token::Semi(Semicolon::Newline) if closed == 0 => return false,
            Token::If | Token::For | Token::Switch if closed == 0 => return true,
            _ => {}
        }
    }
    false
}
