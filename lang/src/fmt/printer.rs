//! The printer's core: tokens go out with the spaces that were asked for before them, and comments
//! are put between the two. Where a line breaks is told by the source's lines, which `pos` follows.

use super::align::Page;
use super::source::{Position, Source};
use crate::source::Span;
use crate::syntax::symbol::{Interner, Symbol};
use crate::syntax::token::{Semicolon, Token};
use rustc_hash::FxHashMap;

/// White space that is asked for, and written with the next token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Space {
    Blank,
    /// Ends a cell of a table.
    Tab,
    Newline,
    /// A line end below which no column of the table goes on.
    Break,
    Indent,
    Unindent,
    /// Was taken back when a comment came between.
    Nothing,
}

/// The most line ends in a row: one empty line.
pub const NEWLINES_MAX: usize = 2;

/// What has been printed so far, and where that leaves us.
pub struct State {
    pub page: Page,
    pub spaces: Vec<Space>,
    pub indent: usize,
    /// Where in the source the next token is, as far as known.
    pub pos: Position,
    /// Where in the source the last text ended.
    pub last: Position,
    pub out_line: usize,
    pub out_column: usize,
    /// A line end here would end a statement.
    pub implied_semicolon: bool,
    /// `None` after white space.
    pub last_token: Option<Token>,
    /// The bracket that was opened last, if nothing else came behind it.
    pub opened: Option<Token>,
    /// Blocks comments from asking for a blank or a line end behind them.
    pub no_extra_blank: bool,
    pub no_extra_break: bool,
    /// How many composite literals are around.
    pub literal_depth: usize,
    /// The next group of comments; behind the last when there are none to print.
    pub comment: usize,
    /// A text with line ends was written on this line, so columns make no sense on the rest of it.
    pub end_alignment: bool,
    /// Output lines that lists remember, and the one to set at the next token.
    marks: Vec<usize>,
    mark: Option<usize>,
    /// Of a measuring printer: whether there was a line end, so that the rest is of no interest.
    pub overflow: bool,
    measuring: bool,
    /// Output lines of `//go:build` and `// +build` comments.
    pub go_build: Vec<usize>,
    pub plus_build: Vec<usize>,
}

impl State {
    fn new(comment: usize, measuring: bool) -> State {
        let start = Position {
            offset: 0,
            line: 1,
            column: 1,
        };
        State {
            page: Page::default(),
            spaces: Vec::new(),
            indent: 0,
            pos: start,
            last: start,
            out_line: 1,
            out_column: 1,
            implied_semicolon: false,
            last_token: None,
            opened: None,
            no_extra_blank: false,
            no_extra_break: false,
            literal_depth: 0,
            comment,
            end_alignment: false,
            marks: Vec::new(),
            mark: None,
            overflow: false,
            measuring,
            go_build: Vec::new(),
            plus_build: Vec::new(),
        }
    }
}

/// What an entry of a list remembers: the output line where it began.
#[derive(Clone, Copy)]
pub struct Mark(usize);

pub struct Printer<'a> {
    pub source: &'a Source<'a>,
    pub names: &'a Interner,
    /// Scripts have statements at top level, whose comments are no documentation.
    pub is_script: bool,
    pub state: State,
    /// Sizes of nodes that fit on one line; `None` for those that do not.
    sizes: FxHashMap<Span, Option<usize>>,
}

impl<'a> Printer<'a> {
    pub fn new(source: &'a Source<'a>, names: &'a Interner, is_script: bool) -> Printer<'a> {
        Printer {
            source,
            names,
            is_script,
            state: State::new(0, false),
            sizes: FxHashMap::default(),
        }
    }

    // Asking for white space

    pub fn space(&mut self, space: Space) {
        self.note_opened();
        self.state.spaces.push(space);
        if matches!(space, Space::Newline | Space::Break) {
            self.state.implied_semicolon = false;
            // A measured text ends in no line end, so this one is within.
            self.state.overflow |= self.state.measuring;
        }
        self.state.last_token = None;
    }

    pub fn blank(&mut self) {
        self.space(Space::Blank);
    }

    /// Asks for the line ends that the source has before `line`, at least `min`, with `extra` before
    /// them; `section` ends the table. Gives how many line ends that is.
    pub fn linebreak(
        &mut self,
        line: usize,
        min: usize,
        extra: Option<Space>,
        section: bool,
    ) -> usize {
        let wanted = line.saturating_sub(self.state.pos.line);
        let count = wanted.min(NEWLINES_MAX).max(min);
        if count == 0 {
            return 0;
        }
        if let Some(space) = extra {
            self.space(space);
        }
        for at in 0..count {
            let is_break = section && at == 0;
            self.space(if is_break {
                Space::Break
            } else {
                Space::Newline
            });
        }
        // A new section counts twice, as it ends the table like an empty line does.
        count + usize::from(section)
    }

    // Printing tokens

    /// Says where in the source the next token is.
    pub fn at(&mut self, offset: u32) {
        self.state.pos = self.source.position(offset);
    }

    /// A token of fixed text, at a place that follows from what was before.
    pub fn token(&mut self, token: Token) {
        let text = token.keyword().or(token.punctuation()).unwrap_or_default();
        let may_combine = matches!(
            (self.state.last_token, text.as_bytes().first()),
            (Some(Token::Int(_)), Some(b'.'))
                | (Some(Token::Plus), Some(b'+'))
                | (Some(Token::Minus), Some(b'-'))
                | (Some(Token::Slash), Some(b'*'))
                | (Some(Token::Less), Some(b'-' | b'<'))
                | (Some(Token::Amp), Some(b'&' | b'^'))
        );
        if may_combine {
            self.state.spaces.push(Space::Blank);
        }
        self.emit(token, text);
    }

    pub fn token_at(&mut self, offset: u32, token: Token) {
        self.at(offset);
        self.token(token);
    }

    pub fn name(&mut self, name: Symbol) {
        let names = self.names;
        self.emit(Token::Ident(name), names.resolve(name));
    }

    /// Writes what was asked for, the comments before the token, and the token.
    pub fn emit(&mut self, token: Token, text: &str) {
        if self.state.overflow {
            return;
        }
        self.note_opened();
        self.state.last_token = Some(token);
        let next = self.state.pos;
        let flushed = self.flush(next, token);
        let mut ends_statement = token.ends_statement();
        if !self.state.implied_semicolon {
            let wanted = next.line.saturating_sub(self.state.pos.line);
            let mut count = wanted.min(NEWLINES_MAX);
            if flushed.wrote_newline {
                count = count.min(NEWLINES_MAX - 1);
            }
            if count > 0 {
                self.write_line_ends(flushed.dropped_break, count);
                ends_statement = false;
            }
        }
        if let Some(mark) = self.state.mark.take() {
            self.state.marks[mark] = self.state.out_line;
        }
        self.write_text(Some(next), text);
        self.state.implied_semicolon = ends_statement;
    }

    /// Writes what is left before the end of the file.
    pub fn finish(&mut self) {
        self.space(Space::Newline);
        self.flush(Position::END, Token::Semi(Semicolon::EndOfFile));
    }

    fn note_opened(&mut self) {
        if let Some(token) = self.state.last_token {
            self.state.opened = Some(token).filter(|t| matches!(t, Token::LParen | Token::LBrack));
        }
    }

    fn flush(&mut self, next: Position, token: Token) -> Flushed {
        if self.comment_before(next) {
            return self.comments_before(next, token);
        }
        self.write_spaces(self.state.spaces.len());
        Flushed::default()
    }

    /// Whether the next comments stand before a place, and printing them now ends no statement.
    pub fn comment_before(&self, next: Position) -> bool {
        let group = self.source.groups.get(self.state.comment);
        group.is_some_and(|group| {
            (group.lo() as usize) < next.offset
                && !(self.state.implied_semicolon && group.has_line_end)
        })
    }

    /// The bytes of the comments that would be printed before a place.
    pub fn comment_size_before(&mut self, next: Position) -> usize {
        let saved = self.state.comment;
        let mut size = 0;
        while self.comment_before(next) {
            let group = &self.source.groups[self.state.comment];
            size += group
                .comments
                .iter()
                .map(|c| (c.hi - c.lo) as usize)
                .sum::<usize>();
            self.state.comment += 1;
        }
        self.state.comment = saved;
        size
    }

    // Lists

    pub fn new_mark(&mut self) -> Mark {
        self.state.marks.push(0);
        Mark(self.state.marks.len() - 1)
    }

    /// Notes the output line of the next token.
    pub fn mark_next(&mut self, mark: Mark) {
        self.state.mark = Some(mark.0);
    }

    /// How many lines have been written since.
    pub fn lines_from(&self, mark: Mark) -> usize {
        self.state.out_line.saturating_sub(self.state.marks[mark.0])
    }

    /// The start of the statement behind a label, which stands on a line of its own.
    pub fn skip_label_line(&mut self, mark: Mark) {
        self.state.marks[mark.0] += 1;
    }

    // Measuring

    /// How many bytes a node takes on one line, comments left out; `None` when it takes several.
    pub fn size(&mut self, node: Span, print: impl FnOnce(&mut Self)) -> Option<usize> {
        if self.state.overflow {
            return None;
        }
        if let Some(&size) = self.sizes.get(&node) {
            return size;
        }
        let no_comments = self.source.groups.len();
        let saved = std::mem::replace(&mut self.state, State::new(no_comments, true));
        print(self);
        self.write_spaces(self.state.spaces.len());
        let measured = std::mem::replace(&mut self.state, saved);
        let size = measured.page.one_line_len().filter(|_| !measured.overflow);
        self.sizes.insert(node, size);
        size
    }

    // Writing

    pub fn write_text(&mut self, position: Option<Position>, text: &str) {
        if self.state.out_column == 1 {
            self.write_indent();
        }
        let state = &mut self.state;
        if let Some(position) = position {
            state.pos = position;
        }
        state.page.push(text);
        state.pos.offset += text.len();
        match text.rfind('\n') {
            Some(at) => {
                let lines = text.matches('\n').count();
                state.end_alignment = true;
                state.overflow |= state.measuring;
                state.pos.line += lines;
                state.out_line += lines;
                state.pos.column = text.len() - at;
                state.out_column = text.len() - at;
            }
            None => {
                state.pos.column += text.len();
                state.out_column += text.len();
            }
        }
        state.last = state.pos;
    }

    fn write_indent(&mut self) {
        let state = &mut self.state;
        for _ in 0..state.indent {
            state.page.end_cell(true);
        }
        state.pos.offset += state.indent;
        state.pos.column += state.indent;
        state.out_column += state.indent;
    }

    pub fn write_blank(&mut self) {
        self.write_gap(|page| page.push(" "));
    }

    /// Ends a cell; `hard` keeps its column even when all of it is empty.
    pub fn write_tab(&mut self, hard: bool) {
        match self.state.end_alignment {
            true => self.write_blank(),
            false => self.write_gap(|page| page.end_cell(hard)),
        }
    }

    fn write_gap(&mut self, write: impl FnOnce(&mut Page)) {
        if self.state.out_column == 1 {
            self.write_indent();
        }
        let state = &mut self.state;
        write(&mut state.page);
        state.pos.offset += 1;
        state.pos.column += 1;
        state.out_column += 1;
    }

    pub fn write_line_ends(&mut self, ends_section: bool, count: usize) {
        if self.state.out_column == 1 {
            self.write_indent();
        }
        let state = &mut self.state;
        let ends_section = std::mem::take(&mut state.end_alignment) || ends_section;
        for _ in 0..count {
            state.page.end_line(ends_section);
        }
        state.overflow |= state.measuring;
        state.pos.offset += count;
        state.pos.line += count;
        state.out_line += count;
        state.pos.column = 1;
        state.out_column = 1;
    }

    /// Writes the first `count` of the spaces asked for.
    pub fn write_spaces(&mut self, count: usize) {
        let mut at = 0;
        while at < count {
            match self.state.spaces[at] {
                Space::Nothing => {}
                Space::Indent => self.state.indent += 1,
                Space::Unindent => self.state.indent = self.state.indent.saturating_sub(1),
                Space::Blank => self.write_blank(),
                Space::Tab => self.write_tab(false),
                space @ (Space::Newline | Space::Break) => {
                    // A label goes one step back: before the line end, so that the line has its
                    // indentation, and with the end of the table, so that it widens no column.
                    if at + 1 < count && self.state.spaces[at + 1] == Space::Unindent {
                        self.state.spaces[at] = Space::Unindent;
                        self.state.spaces[at + 1] = Space::Break;
                        continue;
                    }
                    self.write_line_ends(space == Space::Break, 1);
                }
            }
            at += 1;
        }
        self.state.spaces.drain(..count);
    }
}

/// What came of writing spaces and comments.
#[derive(Clone, Copy, Default)]
pub struct Flushed {
    pub wrote_newline: bool,
    /// A line end that was to end the table was left out, as a comment brought its own.
    pub dropped_break: bool,
}
