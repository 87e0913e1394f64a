//! Drives the generated parser over a file: one top-level declaration or statement at a time, so
//! that a syntax error costs no more than the one it stands in.

use super::actions::{Context, Parsed};
use super::ast::*;
use super::depth::MAX_DEPTH;
use super::errors;
use super::grammar::StartParser;
use super::semicolons::{Lexed, lex};
use super::symbol::Interner;
use super::token::{Lexeme, Semicolon, Token};
use crate::codes::Code;
use crate::diagnostic::Diagnostics;
use crate::source::{FileId, SourceMap, Span};
use lalrpop_util::ParseError;

/// Lines with syntax errors after which a file is given up.
const MAX_ERRORS: usize = 100;

/// How many tokens are looked back over for the keyword of a header, so that no text takes
/// quadratic time.
pub const MAX_HEADER: usize = 1000;

/// Parses a file of either form; a package clause makes it a program. What has errors is reported
/// and left out. A REPL's input is a file too: a script of a few statements.
pub fn parse_file(
    sources: &SourceMap,
    file: FileId,
    interner: &mut Interner,
    diags: &mut Diagnostics,
) -> File {
    parse_tokens(sources, file, interner, diags).0
}

/// As `parse_file`, for tools that print source: the tokens too, of which the last is the end.
pub fn parse_tokens(
    sources: &SourceMap,
    file: FileId,
    interner: &mut Interner,
    diags: &mut Diagnostics,
) -> (File, Vec<Lexeme>) {
    let source = sources.file(file);
    if source.text().len() > u32::MAX as usize {
        diags.error(
            Code::FileTooLarge,
            Span::new(file, 0, 0),
            "source file too large",
        );
        let parser = Parser::new(file, "", &[], interner, diags);
        return (parser.file, Vec::new());
    }
    let text = source.text();
    let lexed = lex(file, text, source.invalid_utf8(), interner, diags);
    let Lexed {
        tokens, comments, ..
    } = lexed;
    let mut parser = Parser::new(file, text, &tokens, interner, diags);
    parser.run();
    let mut parsed = parser.file;
    parsed.comments = comments;
    (parsed, tokens)
}

/// Whether a script's text ends too early, so that more lines could make it right.
pub fn is_incomplete(text: &str) -> bool {
    let file = FileId(0);
    let (mut interner, mut diags) = (Interner::new(), Diagnostics::new());
    let lexed = lex(file, text, &[], &mut interner, &mut diags);
    if lexed.unterminated {
        return true;
    }
    let mut parser = Parser::new(file, text, &lexed.tokens, &mut interner, &mut diags);
    parser.run();
    parser.error_at_end
}

/// Whether a text begins with a package clause.
pub fn is_program(text: &str) -> bool {
    let (mut interner, mut diags) = (Interner::new(), Diagnostics::new());
    let lexed = lex(FileId(0), text, &[], &mut interner, &mut diags);
    matches!(lexed.tokens.first(), Some(first) if first.token == Token::Package)
}

struct Parser<'a> {
    tokens: &'a [Lexeme],
    generated: StartParser,
    context: Context<'a>,
    file: File,
    /// Where the line of the last syntax error ends.
    error_line_end: Option<usize>,
    /// How many lines had one.
    errors: usize,
    /// The first error found the end of the text where more was expected.
    error_at_end: bool,
}

impl<'a> Parser<'a> {
    fn new(
        file: FileId,
        text: &'a str,
        tokens: &'a [Lexeme],
        interner: &'a mut Interner,
        diags: &'a mut Diagnostics,
    ) -> Parser<'a> {
        let end = text.len().min(u32::MAX as usize) as u32;
        let is_program = matches!(tokens.first(), Some(first) if first.token == Token::Package);
        Parser {
            tokens,
            generated: StartParser::new(),
            context: Context {
                file,
                text,
                interner,
                diags,
            },
            file: File {
                id: file,
                form: if is_program {
                    Form::Program
                } else {
                    Form::Script
                },
                package: None,
                imports: Vec::new(),
                decls: Vec::new(),
                stmts: Vec::new(),
                comments: Vec::new(),
                end: Span::new(file, end, end),
            },
            error_line_end: None,
            errors: 0,
            error_at_end: false,
        }
    }

    fn span(&self, at: usize) -> Span {
        self.context.span(self.tokens[at].lo, self.tokens[at].hi)
    }

    fn run(&mut self) {
        let mut at = 0;
        let mut after_error = false;
        while at < self.tokens.len() && self.errors < MAX_ERRORS {
            if let Token::Semi(_) = self.tokens[at].token {
                at += 1;
                continue;
            }
            let end = self.chunk_end(at);
            let Some(mode) = self.mode(at) else {
                if !after_error {
                    self.misplaced(at);
                }
                after_error = true;
                at = self.resume(at, at, end);
                continue;
            };
            match self.chunk(mode, at, end, None) {
                Ok(parsed) => {
                    self.add(parsed, at);
                    after_error = false;
                    at = end;
                }
                Err(error_at) => {
                    after_error = true;
                    let next = self.resume(at, error_at, end);
                    self.recover(at, error_at, next);
                    at = next;
                }
            }
        }
    }

    /// The end (exclusive) of the declaration or statement that begins at a token: past the first
    /// semicolon outside brackets (and of a statement's header).
    fn chunk_end(&self, start: usize) -> usize {
        let mut at = start;
        loop {
            at = self.statement_end(at, self.tokens.len());
            match self.tokens.get(at) {
                Some(Lexeme {
                    token: Token::Semi(_),
                    ..
                }) => return at + 1,
                // A stray closing bracket.
                Some(_) => at += 1,
                None => return self.tokens.len(),
            }
        }
    }

    /// The semicolon that ends the statement at `start`, or the bracket that closes what is around.
    /// The semicolons of headers are passed over, and the line end before a misplaced `{`.
    fn statement_end(&self, start: usize, end: usize) -> usize {
        let mut depth = 0usize;
        let mut header = None;
        // `if x := T{…}; …`: the first braces of such a header are no body.
        let mut assigned = false;
        for at in start..end {
            let token = self.tokens[at].token;
            match token {
                Token::LParen | Token::LBrack | Token::LBrace => depth += 1,
                Token::RParen | Token::RBrack | Token::RBrace => {
                    if depth == 0 {
                        return at;
                    }
                    depth -= 1;
                    if depth == 0 && token == Token::RBrace && !assigned {
                        header = None;
                    }
                }
                _ if depth > 0 => {}
                Token::If | Token::For | Token::Switch => header = Some(token),
                Token::Define | Token::Assign => assigned = header == Some(Token::If),
                Token::Semi(kind) => {
                    let brace = matches!(self.tokens.get(at + 1), Some(next) if next.token == Token::LBrace);
                    let within = header.is_some() && (kind == Semicolon::Written || brace);
                    if !within {
                        return at;
                    }
                    assigned = false;
                }
                _ => {}
            }
        }
        end
    }

    /// The colon after the `case` or `default` at `start`; `None` when there is none.
    fn case_colon(&self, start: usize, end: usize) -> Option<usize> {
        let mut depth = 0usize;
        for at in start..end {
            match self.tokens[at].token {
                Token::LParen | Token::LBrack | Token::LBrace => depth += 1,
                Token::RParen | Token::RBrack | Token::RBrace => depth = depth.checked_sub(1)?,
                Token::Semi(_) if depth == 0 => return None,
                Token::Colon if depth == 0 => return Some(at),
                _ => {}
            }
        }
        None
    }

    /// How to parse what begins at a token; `None` when nothing may.
    fn mode(&self, at: usize) -> Option<Token> {
        let script = self.file.form == Form::Script;
        match self.tokens[at].token {
            Token::Package => (at == 0).then_some(Token::ModeDecl),
            Token::Func if script && self.is_func_literal(at) => Some(Token::ModeStmt),
            Token::Import | Token::Const | Token::Type | Token::Func => Some(Token::ModeDecl),
            Token::Var | Token::Pvar if !script => Some(Token::ModeDecl),
            _ => script.then_some(Token::ModeStmt),
        }
    }

    /// Tells `func (…) {…}(…)`, `func (…) T {…}(…)` from methods `func (r T) name(…)`.
    fn is_func_literal(&self, at: usize) -> bool {
        let kind = |i: usize| self.tokens.get(i).map(|lexeme| lexeme.token);
        if kind(at + 1) != Some(Token::LParen) {
            return false;
        }
        let mut depth = 0usize;
        for i in at + 1..self.tokens.len() {
            match self.tokens[i].token {
                Token::LParen => depth += 1,
                Token::RParen if depth == 1 => {
                    let method = matches!(kind(i + 1), Some(Token::Ident(_)))
                        && matches!(kind(i + 2), Some(Token::LParen | Token::LBrack));
                    return !method;
                }
                Token::RParen => depth -= 1,
                _ => {}
            }
        }
        false
    }

    /// Parses one chunk, to which `closing` is added; an error is reported, one a line at the most,
    /// and its place returned.
    fn chunk(
        &mut self,
        mode: Token,
        start: usize,
        end: usize,
        closing: Option<Lexeme>,
    ) -> Result<Parsed, usize> {
        if let Some(at) = self.too_deep(start, end) {
            let (span, message) = (self.span(at), "expression nested too deeply");
            self.context.diags.error(Code::TooDeep, span, message);
            return Err(at);
        }
        let first = self.tokens[start].lo;
        let tokens = self.tokens[start..end].iter().chain(closing.as_ref());
        let tokens = tokens.map(|t| Ok::<_, ()>((t.lo, t.token, t.hi)));
        let stream = std::iter::once(Ok((first, mode, first))).chain(tokens);
        let result = self.generated.parse(&mut self.context, stream);
        let (lo, expected) = match result {
            Ok(parsed) => return Ok(parsed),
            Err(ParseError::UnrecognizedToken { token, expected }) => (token.0, expected),
            Err(ParseError::UnrecognizedEof { expected, .. }) => (u32::MAX, expected),
            Err(ParseError::ExtraToken { token }) => (token.0, Vec::new()),
            Err(ParseError::InvalidToken { location }) => (location, Vec::new()),
            Err(ParseError::User { error: () }) => (first, Vec::new()),
        };
        let last = if closing.is_some() { end } else { end - 1 };
        let at = start + self.tokens[start..=last].partition_point(|t| t.lo < lo);
        let at = at.min(last);
        let span = self.span(at);
        let lo = span.lo as usize;
        if self.error_line_end.is_none_or(|end| lo > end) {
            if self.errors == 0 {
                self.error_at_end = self.tokens[at].token == Token::Semi(Semicolon::EndOfFile);
            }
            self.errors += 1;
            let rest = &self.context.text[lo..];
            self.error_line_end = Some(lo + rest.find('\n').unwrap_or(rest.len()));
            let error = errors::SyntaxError {
                tokens: self.tokens,
                start,
                at,
                top_level: mode == Token::ModeDecl,
                expected: &expected,
            };
            let message = error.message(self.context.interner);
            self.context.syntax_error(span, message);
        }
        Err(at)
    }

    /// The bracket that passes the depth any tree may have: a text of nothing but open brackets
    /// would cost the parser much before it sees that the rest is missing.
    fn too_deep(&self, start: usize, end: usize) -> Option<usize> {
        let mut depth = 0;
        (start..end).find(|&at| {
            match self.tokens[at].token {
                Token::LParen | Token::LBrack | Token::LBrace => depth += 1,
                Token::RParen | Token::RBrack | Token::RBrace => depth -= 1,
                _ => {}
            }
            depth > MAX_DEPTH as i32
        })
    }

    /// Looks for more errors in the function that has one at `error_at`: goes on with the next
    /// statement of the innermost block, up to `end`. What it parses is dropped.
    fn recover(&mut self, start: usize, error_at: usize, end: usize) {
        let mut blocks = Vec::new();
        let mut at = start;
        self.skip(&mut blocks, &mut at, error_at, start, false);
        while at < end && self.errors < MAX_ERRORS {
            self.skip(&mut blocks, &mut at, end, start, true);
            while at < end && !blocks.is_empty() {
                match self.tokens[at].token {
                    Token::Semi(_) => at += 1,
                    Token::RBrace => break,
                    Token::Case | Token::Default => {
                        at = self.case_colon(at, end).map_or(at + 1, |colon| colon + 1);
                    }
                    _ => {
                        let stop = self.statement_end(at, end);
                        if stop == at || stop >= self.tokens.len() {
                            break;
                        }
                        let stopper = self.tokens[stop];
                        let token = Token::Semi(Semicolon::Written);
                        let closing = match stopper.token {
                            Token::Semi(_) => stopper,
                            _ => Lexeme { token, ..stopper },
                        };
                        let from = at;
                        match self.chunk(Token::ModeStmt, from, stop, Some(closing)) {
                            Ok(_) => at = stop,
                            Err(error_at) => {
                                self.skip(&mut blocks, &mut at, error_at, from, false);
                                break;
                            }
                        }
                    }
                }
            }
            if blocks.is_empty() {
                return;
            }
        }
    }

    /// Moves `at` on, keeping in `blocks` which open brackets are blocks: to `end`, or only past
    /// the next semicolon in a block, or out of all brackets.
    fn skip(
        &self,
        blocks: &mut Vec<bool>,
        at: &mut usize,
        end: usize,
        start: usize,
        to_statement: bool,
    ) {
        while *at < end {
            match self.tokens[*at].token {
                Token::LBrace => blocks.push(self.opens_block(start, *at)),
                Token::LParen | Token::LBrack => blocks.push(false),
                // A stray one closes no block.
                Token::RParen | Token::RBrack if blocks.last() == Some(&false) => {
                    blocks.pop();
                }
                Token::RBrace => {
                    blocks.pop();
                    if to_statement && blocks.is_empty() {
                        *at = end;
                        return;
                    }
                }
                Token::Semi(_) if to_statement && blocks.last() == Some(&true) => {
                    *at += 1;
                    return;
                }
                _ => {}
            }
            *at += 1;
        }
    }

    /// Whether a `{` begins statements, to judge by what stands before it.
    fn opens_block(&self, start: usize, at: usize) -> bool {
        let mut closed = 0;
        for i in (start..at).rev().take(MAX_HEADER) {
            match self.tokens[i].token {
                Token::Struct | Token::Interface if i + 1 == at => return false,
                Token::RParen | Token::RBrack | Token::RBrace => closed += 1,
                Token::LBrace | Token::Semi(_) | Token::Colon | Token::Else if closed == 0 => {
                    return i + 1 == at;
                }
                Token::LParen | Token::LBrack if closed == 0 => return false,
                Token::LParen | Token::LBrack | Token::LBrace => closed -= 1,
                Token::If
                | Token::For
                | Token::Switch
                | Token::Select
                | Token::Func
                | Token::Txn
                    if closed == 0 =>
                {
                    return true;
                }
                _ => {}
            }
        }
        false
    }

    /// Where to go on after an error in the chunk `start..end`: at the next declaration keyword in
    /// the first column, or at the chunk's end when that comes first.
    fn resume(&self, start: usize, error_at: usize, end: usize) -> usize {
        (error_at.max(start + 1)..end)
            .find(|&at| {
                matches!(
                    self.tokens[at].token,
                    Token::Func
                        | Token::Var
                        | Token::Const
                        | Token::Type
                        | Token::Import
                        | Token::Pvar
                ) && self.starts_line(at)
            })
            .unwrap_or(end)
    }

    fn starts_line(&self, at: usize) -> bool {
        let lo = self.tokens[at].lo as usize;
        lo == 0 || self.context.text.as_bytes()[lo - 1] == b'\n'
    }

    fn misplaced(&mut self, at: usize) {
        let bodyless = at >= 2
            && self.tokens[at].token == Token::LBrace
            && matches!(self.file.decls.last(), Some(Decl { kind: DeclKind::Func(f), span })
                if f.body.is_none() && span.hi == self.tokens[at - 2].hi);
        let message = if bodyless {
            "unexpected semicolon or newline before {"
        } else if self.tokens[at].token == Token::Package && self.file.form == Form::Script {
            "package statement must be first"
        } else {
            "non-declaration statement outside function body"
        };
        self.context.syntax_error(self.span(at), message);
    }

    fn add(&mut self, parsed: Parsed, at: usize) {
        match parsed {
            Parsed::Package(name) => self.file.package = Some(name),
            Parsed::Imports(specs) => {
                if self.file.form == Form::Program && !self.file.decls.is_empty() {
                    let message = "imports must appear before other declarations";
                    self.context.syntax_error(self.span(at), message);
                }
                self.file.imports.extend(specs);
            }
            Parsed::Decl(decl) => self.file.decls.push(decl),
            Parsed::Stmt(Stmt {
                kind: StmtKind::Empty,
                ..
            }) => {}
            Parsed::Stmt(stmt) => self.file.stmts.push(stmt),
        }
    }
}
