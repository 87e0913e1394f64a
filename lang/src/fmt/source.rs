//! What the printer knows of the text: tokens and lines by offset, and comments in groups.

use crate::source::{SourceFile, Span};
use crate::syntax::token::{Lexeme, Semicolon, Token};

/// A place in the text, or what the printer supposes it to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    pub offset: usize,
    pub line: usize,
    /// In bytes, from 1.
    pub column: usize,
}

impl Position {
    /// Behind everything.
    pub const END: Position = Position {
        offset: usize::MAX,
        line: usize::MAX,
        // Not the column of any comment.
        column: 0,
    };
}

#[derive(Clone, Copy, Debug)]
pub struct Comment {
    pub lo: u32,
    pub hi: u32,
}

/// Comments that belong together: those behind a token on its line, or on lines without a gap.
#[derive(Debug)]
pub struct Group {
    pub comments: Vec<Comment>,
    pub end_line: usize,
    /// Ends its line, or spans several: behind the end of a statement it would be one's end too.
    pub has_line_end: bool,
}

impl Group {
    pub fn lo(&self) -> u32 {
        self.comments[0].lo
    }

    pub fn hi(&self) -> u32 {
        self.comments[self.comments.len() - 1].hi
    }
}

pub struct Source<'a> {
    pub text: &'a str,
    file: &'a SourceFile,
    tokens: &'a [Lexeme],
    pub groups: Vec<Group>,
}

impl<'a> Source<'a> {
    pub fn new(file: &'a SourceFile, tokens: &'a [Lexeme], comments: &[Span]) -> Source<'a> {
        let mut source = Source {
            text: file.text(),
            file,
            tokens,
            groups: Vec::new(),
        };
        let mut all: Vec<Comment> = comments
            .iter()
            .map(|c| Comment { lo: c.lo, hi: c.hi })
            .collect();
        if let Some(line) = source.shebang() {
            source.add_group(&[line]);
        }
        let mut rest = &mut all[..];
        let mut previous = None;
        let real = tokens.iter().filter(|t| !is_automatic(t.token));
        for next in real.map(|t| Some(*t)).chain([None]) {
            let lo = next.map_or(u32::MAX, |t: Lexeme| t.lo);
            let count = rest.partition_point(|c| c.lo < lo);
            let (gap, later) = rest.split_at_mut(count);
            source.group_gap(gap, previous);
            rest = later;
            previous = next.map(|t| t.hi);
        }
        source
    }

    /// A first line `#!…`, which is printed as a comment of its own.
    fn shebang(&self) -> Option<Comment> {
        let lo = self.text.len() - self.text.trim_start_matches('\u{feff}').len();
        let rest = &self.text[lo..];
        rest.starts_with("#!").then(|| Comment {
            lo: lo as u32,
            hi: (lo + rest.find('\n').unwrap_or(rest.len())) as u32,
        })
    }

    fn group_gap(&mut self, gap: &[Comment], previous: Option<u32>) {
        let mut at = 0;
        let mut lines_apart = 1;
        if let (Some(first), Some(previous)) = (gap.first(), previous)
            && self.line(first.lo) == self.line(previous)
        {
            lines_apart = 0;
        }
        while at < gap.len() {
            let start = at;
            let mut end_line = self.line(gap[at].hi);
            at += 1;
            while at < gap.len() && self.line(gap[at].lo) <= end_line + lines_apart {
                end_line = self.line(gap[at].hi);
                at += 1;
            }
            self.add_group(&gap[start..at]);
            lines_apart = 1;
        }
    }

    fn add_group(&mut self, comments: &[Comment]) {
        let first = comments[0];
        let end_line = self.line(comments[comments.len() - 1].hi);
        let has_line_end = end_line != self.line(first.lo)
            || comments
                .iter()
                .any(|c| !self.text[c.lo as usize..].starts_with("/*"));
        self.groups.push(Group {
            comments: comments.to_vec(),
            end_line,
            has_line_end,
        });
    }

    pub fn position(&self, offset: u32) -> Position {
        let at = self.file.line_column(offset);
        Position {
            offset: offset as usize,
            line: at.line as usize,
            column: at.column as usize,
        }
    }

    pub fn line(&self, offset: u32) -> usize {
        self.file.line_column(offset).line as usize
    }

    pub fn slice(&self, span: Span) -> &'a str {
        &self.text[span.lo as usize..span.hi as usize]
    }

    /// The first token at or behind an offset; line ends are none.
    pub fn token_from(&self, offset: u32) -> Option<Lexeme> {
        let start = self.tokens.partition_point(|t| t.lo < offset);
        let mut rest = self.tokens[start..].iter();
        rest.find(|t| !is_automatic(t.token)).copied()
    }

    /// Where the first token of a kind at or behind an offset begins; the parser saw that it is there.
    pub fn find(&self, offset: u32, token: Token) -> u32 {
        let start = self.tokens.partition_point(|t| t.lo < offset);
        let found = self.tokens[start..].iter().find(|t| t.token == token);
        found.map_or(offset, |t| t.lo)
    }

    /// Where each token of a kind begins.
    pub fn all(&self, token: Token) -> impl Iterator<Item = u32> {
        let found = self.tokens.iter().filter(move |t| t.token == token);
        found.map(|t| t.lo)
    }

    /// Whether there are comments between `end`, on lines below it, and `next`.
    pub fn has_comment_below(&self, end: u32, next: u32) -> bool {
        let at = self.groups.partition_point(|g| g.lo() < end);
        let mut between = self.groups[at..].iter().take_while(|g| g.lo() < next);
        between.any(|g| self.line(g.lo()) > self.line(end))
    }

    /// Whether a comment stands behind what ends at `end`, and ends the line.
    pub fn has_line_comment(&self, end: u32) -> bool {
        let mut next = self.token_from(end);
        let mut from = end;
        if let Some(semicolon) = next
            && semicolon.token == Token::Semi(Semicolon::Written)
        {
            from = semicolon.hi;
            next = self.token_from(from);
        }
        let at = self.groups.partition_point(|g| g.lo() < from);
        let Some(group) = self.groups.get(at) else {
            return false;
        };
        let before_next =
            next.is_none_or(|next| group.lo() < next.lo && group.end_line != self.line(next.lo));
        before_next && self.line(group.lo()) == self.line(from)
    }
}

fn is_automatic(token: Token) -> bool {
    matches!(
        token,
        Token::Semi(Semicolon::Newline | Semicolon::EndOfFile)
    )
}
