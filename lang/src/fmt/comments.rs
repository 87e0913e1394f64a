//! Where comments go among the white space before the token that follows them, and how they look.

use super::build_lines;
use super::doc_comment;
use super::printer::{Flushed, NEWLINES_MAX, Printer, Space};
use super::source::{Comment, Position};
use crate::syntax::token::{Semicolon, Token};

/// How the comment before looked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `// …`, which the line's end ends.
    Line,
    /// `/* … */`
    Block,
}

fn style(text: &str) -> Style {
    match text.starts_with("/*") {
        true => Style::Block,
        false => Style::Line,
    }
}

impl Printer<'_> {
    /// Prints all comments before `next`, where `token` is, and the spaces asked for.
    pub fn comments_before(&mut self, next: Position, token: Token) -> Flushed {
        let mut last: Option<(Style, Comment)> = None;
        while self.comment_before(next) {
            let group = &self.source.groups[self.state.comment];
            self.state.comment += 1;
            let texts: Vec<String> = group
                .comments
                .iter()
                .map(|c| self.comment_text(c))
                .collect();
            let first = self.source.position(group.lo());
            let is_doc = first.column == 1
                && next.column == 1
                && group.hi() as usize + 1 == next.offset
                && self.documents(token);
            let rewritten = is_doc.then(|| doc_comment::format(&texts)).flatten();
            match rewritten {
                Some(lines) if lines.is_empty() => {
                    let before = last.map(|(style, _)| style);
                    self.comment_prefix(first, next, before, token);
                    self.state.pos = next;
                    self.state.last = next;
                    return self.comment_suffix(false);
                }
                Some(lines) => {
                    for line in &lines {
                        let before = last.map(|(style, _)| style);
                        self.comment_prefix(first, next, before, token);
                        self.write_comment(line, first);
                        last = Some((style(line), group.comments[0]));
                    }
                    if let Some(comment) = group.comments.last() {
                        last = last.map(|(style, _)| (style, *comment));
                    }
                    self.state.pos = self.source.position(group.hi());
                    self.state.last = self.state.pos;
                }
                None => {
                    for (comment, text) in group.comments.iter().zip(&texts) {
                        let at = self.source.position(comment.lo);
                        let before = last.map(|(style, _)| style);
                        self.comment_prefix(at, next, before, token);
                        self.write_comment(text, at);
                        last = Some((style(text), *comment));
                    }
                }
            }
        }
        let Some((last_style, last)) = last else {
            return Flushed::default();
        };
        let mut needs_line_end = false;
        // The token behind `/* … */` on the same line wants a blank between, unless it is a comma
        // or the bracket that closes what was opened before the comment's neighbour.
        let closes = |bracket, opening| token == bracket && self.state.opened != Some(opening);
        if !self.state.no_extra_blank
            && last_style == Style::Block
            && self.source.line(last.lo) == next.line
            && token != Token::Comma
            && !closes(Token::RParen, Token::LParen)
            && !closes(Token::RBrack, Token::LBrack)
        {
            let breaks = |space: &Space| matches!(space, Space::Newline | Space::Break);
            if self.state.spaces.iter().any(breaks)
                && !self.state.no_extra_break
                && self.state.literal_depth == 0
            {
                needs_line_end = true;
            } else {
                self.write_blank();
            }
        }
        if last_style == Style::Line
            || token == Token::Semi(Semicolon::EndOfFile)
            || token == Token::RBrace && !self.state.no_extra_break
        {
            needs_line_end = true;
        }
        self.comment_suffix(needs_line_end)
    }

    /// May comments before this token, both in the first column, be documentation?
    fn documents(&self, token: Token) -> bool {
        match token {
            Token::Package
            | Token::Const
            | Token::Var
            | Token::Pvar
            | Token::Type
            | Token::Func => true,
            Token::Import | Token::Ident(_) => false,
            _ => !self.is_script,
        }
    }

    /// A comment's text without carriage returns.
    fn comment_text(&self, comment: &Comment) -> String {
        let text = &self.source.text[comment.lo as usize..comment.hi as usize];
        text.replace('\r', "")
    }

    /// Writes the white space before a comment: of what was asked for, as much as belongs there.
    fn comment_prefix(
        &mut self,
        at: Position,
        next: Position,
        before: Option<Style>,
        token: Token,
    ) {
        if self.state.page.is_empty() {
            return;
        }
        let same_line = at.line == self.state.last.line && before != Some(Style::Line);
        if same_line {
            self.prefix_on_line(at, next, before);
        } else {
            self.prefix_on_new_line(at, next, before, token);
        }
    }

    fn prefix_on_line(&mut self, at: Position, next: Position, before: Option<Style>) {
        let mut has_separator = false;
        if before.is_none() {
            let mut count = 0;
            for (i, space) in self.state.spaces.iter_mut().enumerate() {
                match space {
                    Space::Blank => *space = Space::Nothing,
                    Space::Tab => has_separator = true,
                    Space::Indent => {}
                    _ => {
                        count = i;
                        break;
                    }
                }
            }
            self.write_spaces(count);
        }
        if !has_separator {
            match at.line == next.line {
                true => self.write_blank(),
                false => self.write_tab(true),
            }
        }
    }

    fn prefix_on_new_line(
        &mut self,
        at: Position,
        next: Position,
        before: Option<Style>,
        token: Token,
    ) {
        let mut dropped = false;
        let mut count = 0;
        for i in 0..self.state.spaces.len() {
            match self.state.spaces[i] {
                Space::Blank | Space::Tab => {
                    self.state.spaces[i] = Space::Nothing;
                    continue;
                }
                Space::Indent => continue,
                Space::Unindent => {
                    // Of several steps back only the last may belong to the token behind; and that
                    // one goes first when the comment stands where the token does (before `case`).
                    let more = self.state.spaces.get(i + 1) == Some(&Space::Unindent);
                    if more || token != Token::RBrace && at.column == next.column {
                        continue;
                    }
                }
                Space::Newline | Space::Break => {
                    self.state.spaces[i] = Space::Nothing;
                    dropped = before.is_none();
                }
                Space::Nothing => {}
            }
            count = i;
            break;
        }
        self.write_spaces(count);
        let mut lines = at.line.saturating_sub(self.state.last.line);
        // Between declarations the empty line goes before the comment of the second.
        if self.state.indent == 0 && dropped {
            lines += 1;
        }
        if before == Some(Style::Line) {
            lines = lines.max(1);
        }
        if lines > 0 {
            self.write_line_ends(true, lines.min(NEWLINES_MAX));
        }
    }

    /// Writes what is left of the spaces asked for, and one line end if there must be one.
    fn comment_suffix(&mut self, mut needs_line_end: bool) -> Flushed {
        let mut flushed = Flushed::default();
        for space in &mut self.state.spaces {
            match *space {
                Space::Blank | Space::Tab => *space = Space::Nothing,
                Space::Newline | Space::Break if needs_line_end => {
                    needs_line_end = false;
                    flushed.wrote_newline = true;
                }
                Space::Newline | Space::Break => {
                    flushed.dropped_break |= *space == Space::Break;
                    *space = Space::Nothing;
                }
                Space::Indent | Space::Unindent | Space::Nothing => {}
            }
        }
        self.write_spaces(self.state.spaces.len());
        if needs_line_end {
            self.write_line_ends(false, 1);
            flushed.wrote_newline = true;
        }
        flushed
    }

    fn write_comment(&mut self, text: &str, at: Position) {
        let indent = self.state.indent;
        // A line directive counts in the first column only.
        if text.starts_with("//line ") && at.column == 1 {
            self.state.indent = 0;
        }
        if style(text) == Style::Line {
            match build_lines::kind(text) {
                Some(build_lines::Kind::Go) => self.state.go_build.push(self.state.out_line),
                Some(build_lines::Kind::Plus) => self.state.plus_build.push(self.state.out_line),
                None => {}
            }
            self.write_text(Some(at), text.trim_end());
        } else {
            let mut lines: Vec<String> = text.split('\n').map(str::to_string).collect();
            // Moved in from the first column, it looks as it will when it is formatted again.
            if at.column == 1 && indent > 0 {
                for line in &mut lines[1..] {
                    line.insert_str(0, "   ");
                }
            }
            strip_common_prefix(&mut lines);
            let mut position = at;
            for (i, line) in lines.iter().enumerate() {
                if i > 0 {
                    self.write_line_ends(true, 1);
                    position = self.state.pos;
                }
                if !line.is_empty() {
                    self.write_text(Some(position), line.trim_end());
                }
            }
        }
        self.state.indent = indent;
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| b <= b' ')
}

/// How many bytes two lines share at their beginning: white space and stars.
fn shared(a: &str, b: &str) -> usize {
    let is_frame = |c: u8| c <= b' ' || c == b'*';
    let pairs = a.bytes().zip(b.bytes());
    pairs.take_while(|(a, b)| a == b && is_frame(*a)).count()
}

/// Takes from the lines of a `/* … */` the white space that they share, so that the printer's
/// indentation can take its place. A row of stars down the left side stays under the first star;
/// text that is indented under `/*` stays so.
fn strip_common_prefix(lines: &mut [String]) {
    let [first, inner @ .., last] = lines else {
        return;
    };
    let mut prefix: Option<String> = None;
    for line in inner.iter_mut() {
        if is_blank(line) {
            line.clear();
            continue;
        }
        let len = prefix
            .as_ref()
            .map_or_else(|| shared(line, line), |p| shared(p, line));
        prefix = Some(line[..len].to_string());
    }
    let mut prefix = match prefix {
        Some(prefix) => prefix,
        None => last[..shared(last, last)].to_string(),
    };
    let mut has_stars = false;
    if let Some(star) = prefix.find('*') {
        has_stars = true;
        prefix.truncate(star);
        if prefix.ends_with(' ') {
            prefix.pop();
        }
    } else if is_blank(&first[2..]) {
        // Nothing but `/*`: up to three blanks or one tab of the text's indentation are its own.
        let blanks = prefix
            .bytes()
            .rev()
            .take(3)
            .take_while(|b| *b == b' ')
            .count();
        if blanks > 0 {
            prefix.truncate(prefix.len() - blanks);
        } else if prefix.ends_with('\t') {
            prefix.pop();
        }
    } else {
        // Text behind `/*` is aligned with the text below: `/*` counts as two blanks, a tab behind
        // it as all of the indentation.
        let gap = first[2..].bytes().take_while(|b| *b <= b' ').count();
        let gap = &first[2..2 + gap];
        let own = match gap.starts_with('\t') {
            true => gap.to_string(),
            false => format!("  {gap}"),
        };
        if prefix.ends_with(&own) {
            prefix.truncate(prefix.len() - own.len());
        }
    }
    let text = last.split("*/").next().unwrap_or_default();
    if is_blank(text) {
        *last = format!("{prefix}{}", if has_stars { " */" } else { "*/" });
    } else {
        prefix.truncate(shared(&prefix, last));
    }
    for line in &mut lines[1..] {
        if !line.is_empty() {
            line.drain(..prefix.len());
        }
    }
}
