//! The parser of Go's regular expressions (as documented in regexp/syntax): text to a tree, with Go's errors.

use crate::ucd;
use regex_syntax::hir::{Capture, Class, ClassUnicode, ClassUnicodeRange, Hir, Look, Repetition};

/// What is wrong with an expression; the texts are in regexp/syntax.pgo, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    CharRange = 1,
    Escape,
    NamedCapture,
    PerlOp,
    RepeatOp,
    RepeatSize,
    Utf8,
    MissingBracket,
    MissingParen,
    MissingRepeatArgument,
    TrailingBackslash,
    UnexpectedParen,
    NestingDepth,
    Large,
}

/// An error and the part of the expression that it is about.
#[derive(Clone, Debug)]
pub struct Error(pub Code, pub Vec<u8>);

type Result<T> = std::result::Result<T, Error>;

fn fail<T>(code: Code, at: &[u8]) -> Result<T> {
    Err(Error(code, at.to_vec()))
}

/// A parsed expression.
#[derive(Clone, Debug)]
pub enum Node {
    Empty,
    Char(char),
    Class(ClassUnicode),
    Look(Look),
    Repeat {
        min: u32,
        max: Option<u32>,
        greedy: bool,
        sub: Box<Node>,
    },
    Group {
        index: u32,
        sub: Box<Node>,
    },
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
}

/// An expression and the names of its groups, the whole match's "" first.
pub struct Parsed {
    pub node: Node,
    pub names: Vec<String>,
}

/// Limits, as Go's: repetitions, height of the tree, instructions of the program.
const MAX_REPEAT: i64 = 1000;
const MAX_HEIGHT: usize = 1000;
const MAX_SIZE: u64 = 3_355_443;

impl Node {
    pub fn hir(&self) -> Hir {
        match self {
            Node::Empty => Hir::empty(),
            Node::Char(c) => Hir::literal(c.to_string().into_bytes()),
            Node::Class(class) => Hir::class(Class::Unicode(class.clone())),
            Node::Look(look) => Hir::look(*look),
            Node::Repeat {
                min,
                max,
                greedy,
                sub,
            } => Hir::repetition(Repetition {
                min: *min,
                max: *max,
                greedy: *greedy,
                sub: Box::new(sub.hir()),
            }),
            Node::Group { index, sub } => Hir::capture(Capture {
                index: *index,
                name: None,
                sub: Box::new(sub.hir()),
            }),
            Node::Concat(list) => Hir::concat(list.iter().map(Node::hir).collect()),
            Node::Alternate(list) => Hir::alternation(list.iter().map(Node::hir).collect()),
        }
    }

    /// About how many instructions a program for it has.
    fn size(&self) -> u64 {
        match self {
            Node::Repeat { min, max, sub, .. } => {
                let times = u64::from(max.unwrap_or(*min).max(1));
                sub.size().saturating_mul(times).saturating_add(1)
            }
            Node::Group { sub, .. } => sub.size().saturating_add(2),
            Node::Concat(list) | Node::Alternate(list) => {
                list.iter().fold(1, |n, sub| n.saturating_add(sub.size()))
            }
            _ => 1,
        }
    }

    fn height(&self) -> usize {
        match self {
            Node::Repeat { sub, .. } | Node::Group { sub, .. } => 1 + sub.height(),
            Node::Concat(list) | Node::Alternate(list) => {
                1 + list.iter().map(Node::height).max().unwrap_or(0)
            }
            _ => 1,
        }
    }

    /// Do nested repetitions multiply to at most `limit`?
    fn repeats_fit(&self, limit: i64) -> bool {
        match self {
            Node::Repeat { min, max, sub, .. } if *min > 1 || max.is_some_and(|max| max > 1) => {
                let times = i64::from(max.unwrap_or(*min));
                times <= limit && sub.repeats_fit(if times > 0 { limit / times } else { limit })
            }
            Node::Repeat { sub, .. } | Node::Group { sub, .. } => sub.repeats_fit(limit),
            Node::Concat(list) | Node::Alternate(list) => {
                list.iter().all(|sub| sub.repeats_fit(limit))
            }
            _ => true,
        }
    }

    /// The text that every match begins with; true if that is all that there is to match.
    pub fn literal_prefix(&self) -> (String, bool) {
        let mut out = String::new();
        // An expression anchored at the start of the text is taken without its anchors.
        let complete = match self {
            Node::Concat(list) if matches!(list[0], Node::Look(Look::Start)) => {
                let end =
                    list.len() - usize::from(matches!(list.last(), Some(Node::Look(Look::End))));
                let whole = list[1..end].iter().all(|sub| sub.prefix(&mut out));
                whole && end < list.len() && !out.is_empty()
            }
            _ => self.prefix(&mut out),
        };
        (out, complete)
    }

    fn prefix(&self, out: &mut String) -> bool {
        match self {
            Node::Empty | Node::Repeat { max: Some(0), .. } => true,
            Node::Char(c) if *c != char::REPLACEMENT_CHARACTER => {
                out.push(*c);
                true
            }
            Node::Group { sub, .. } => sub.prefix(out),
            Node::Concat(list) => list.iter().all(|sub| sub.prefix(out)),
            Node::Repeat { min, max, sub, .. } if *min > 0 => {
                (0..*min).all(|_| sub.prefix(out)) && *max == Some(*min)
            }
            Node::Alternate(list) => {
                let mut common: Option<String> = None;
                for sub in list {
                    let mut one = String::new();
                    sub.prefix(&mut one);
                    common = Some(match common {
                        None => one,
                        Some(old) => {
                            let same = old.chars().zip(one.chars()).take_while(|(a, b)| a == b);
                            same.map(|pair| pair.0).collect()
                        }
                    });
                }
                out.push_str(&common.unwrap_or_default());
                false
            }
            _ => false,
        }
    }
}

fn concat(mut list: Vec<Node>) -> Node {
    match list.len() {
        0 => Node::Empty,
        1 => list.remove(0),
        _ => Node::Concat(list),
    }
}

#[derive(Clone, Copy)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_nl: bool,
    lazy: bool,
}

/// An open group: what it holds so far, and what its end restores.
struct Frame {
    alternatives: Vec<Node>,
    sequence: Vec<Node>,
    outer: Flags,
    index: Option<u32>,
}

struct Parser<'a> {
    whole: &'a [u8],
    rest: &'a [u8],
    perl: bool,
    flags: Flags,
    frames: Vec<Frame>,
    names: Vec<String>,
}

/// Parses an expression in the Perl-like syntax, or in that of POSIX egrep.
pub fn parse(whole: &[u8], posix: bool) -> Result<Parsed> {
    let flags = Flags {
        fold: false,
        // In egrep's syntax ^ and $ are at every line.
        multi_line: posix,
        dot_nl: false,
        lazy: false,
    };
    let mut parser = Parser {
        whole,
        rest: whole,
        perl: !posix,
        flags,
        frames: Vec::new(),
        names: vec![String::new()],
    };
    parser.open(None);
    parser.run()?;
    if parser.frames.len() > 1 {
        return fail(Code::MissingParen, whole);
    }
    let node = parser.close();
    if node.height() > MAX_HEIGHT {
        return fail(Code::NestingDepth, whole);
    }
    if node.size() > MAX_SIZE {
        return fail(Code::Large, whole);
    }
    Ok(Parsed {
        node,
        names: parser.names,
    })
}

impl<'a> Parser<'a> {
    fn open(&mut self, index: Option<u32>) {
        self.frames.push(Frame {
            alternatives: Vec::new(),
            sequence: Vec::new(),
            outer: self.flags,
            index,
        });
    }

    /// Ends the innermost group; gives what it holds.
    fn close(&mut self) -> Node {
        let Some(mut frame) = self.frames.pop() else {
            return Node::Empty;
        };
        self.flags = frame.outer;
        let last = concat(frame.sequence);
        let node = if frame.alternatives.is_empty() {
            last
        } else {
            frame.alternatives.push(last);
            Node::Alternate(frame.alternatives)
        };
        match frame.index {
            Some(index) => Node::Group {
                index,
                sub: Box::new(node),
            },
            None => node,
        }
    }

    fn sequence(&mut self) -> &mut Vec<Node> {
        let last = self.frames.len() - 1;
        &mut self.frames[last].sequence
    }

    fn push(&mut self, node: Node) {
        self.sequence().push(node);
    }

    fn literal(&mut self, c: char) {
        let node = if self.flags.fold {
            let class = self.folded(single(c));
            if class.ranges().len() == 1 && class.ranges()[0].len() == 1 {
                Node::Char(c)
            } else {
                Node::Class(class)
            }
        } else {
            Node::Char(c)
        };
        self.push(node);
    }

    fn folded(&self, mut class: ClassUnicode) -> ClassUnicode {
        if self.flags.fold {
            class.case_fold_simple();
        }
        class
    }

    fn run(&mut self) -> Result<()> {
        // The text from the last repetition operator on, if nothing stood after it.
        let mut last_repeat: Option<&'a [u8]> = None;
        while let Some(&c) = self.rest.first() {
            let mut repeat = None;
            match c {
                b'(' if self.perl && self.rest.get(1) == Some(&b'?') => self.perl_group()?,
                b'(' => {
                    let index = self.names.len() as u32;
                    self.names.push(String::new());
                    self.open(Some(index));
                    self.rest = &self.rest[1..];
                }
                b'|' => {
                    let last = self.frames.len() - 1;
                    let frame = &mut self.frames[last];
                    let done = concat(std::mem::take(&mut frame.sequence));
                    frame.alternatives.push(done);
                    self.rest = &self.rest[1..];
                }
                b')' => {
                    if self.frames.len() == 1 {
                        return fail(Code::UnexpectedParen, self.whole);
                    }
                    let node = self.close();
                    self.push(node);
                    self.rest = &self.rest[1..];
                }
                b'^' => self.look(Look::Start, Look::StartLF),
                b'$' => self.look(Look::End, Look::EndLF),
                b'.' => {
                    let mut class = any();
                    if !self.flags.dot_nl {
                        class.difference(&single('\n'));
                    }
                    self.push(Node::Class(class));
                    self.rest = &self.rest[1..];
                }
                b'[' => self.class()?,
                b'*' | b'+' | b'?' => {
                    let (min, max) = match c {
                        b'*' => (0, -1),
                        b'+' => (1, -1),
                        _ => (0, 1),
                    };
                    repeat = Some(self.rest);
                    self.repeat(min, max, &self.rest[1..], last_repeat)?;
                }
                b'{' => match repeat_counts(self.rest) {
                    None => {
                        self.literal('{');
                        self.rest = &self.rest[1..];
                    }
                    Some((min, max, after)) => {
                        let bad = !(0..=MAX_REPEAT).contains(&min)
                            || max > MAX_REPEAT
                            || max >= 0 && min > max;
                        if bad {
                            return fail(Code::RepeatSize, until(self.rest, after));
                        }
                        repeat = Some(self.rest);
                        self.repeat(min, max, after, last_repeat)?;
                    }
                },
                b'\\' => self.escape()?,
                _ => {
                    let c = next_char(&mut self.rest)?;
                    self.literal(c);
                }
            }
            last_repeat = repeat;
        }
        Ok(())
    }

    fn look(&mut self, text: Look, line: Look) {
        let look = if self.flags.multi_line { line } else { text };
        self.push(Node::Look(look));
        self.rest = &self.rest[1..];
    }

    fn repeat(
        &mut self,
        min: i64,
        max: i64,
        mut after: &'a [u8],
        last: Option<&'a [u8]>,
    ) -> Result<()> {
        let start = self.rest;
        let mut lazy = self.flags.lazy;
        if self.perl {
            if after.first() == Some(&b'?') {
                after = &after[1..];
                lazy = !lazy;
            }
            if let Some(last) = last {
                return fail(Code::RepeatOp, until(last, after));
            }
        }
        let Some(sub) = self.sequence().pop() else {
            return fail(Code::MissingRepeatArgument, until(start, after));
        };
        let node = Node::Repeat {
            min: min as u32,
            max: (max >= 0).then_some(max as u32),
            greedy: !lazy,
            sub: Box::new(sub),
        };
        if (min >= 2 || max >= 2) && !node.repeats_fit(MAX_REPEAT) {
            return fail(Code::RepeatSize, until(start, after));
        }
        if self.frames.len() > MAX_HEIGHT || last.is_some() && node.height() > MAX_HEIGHT {
            return fail(Code::NestingDepth, self.whole);
        }
        self.push(node);
        self.rest = after;
        Ok(())
    }

    /// `(?…`: a named group, flags, or a group with flags.
    fn perl_group(&mut self) -> Result<()> {
        let start = self.rest;
        if self.frames.len() > MAX_HEIGHT {
            return fail(Code::NestingDepth, self.whole);
        }
        let name_at = match start {
            [_, _, b'P', b'<', _, ..] => 4,
            [_, _, b'<', _, ..] => 3,
            _ => 0,
        };
        if name_at > 0 {
            let Some(end) = start.iter().position(|&c| c == b'>') else {
                check_utf8(start)?;
                return fail(Code::NamedCapture, start);
            };
            let name = &start[name_at..end];
            check_utf8(name)?;
            let is_word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
            if name.is_empty() || !name.iter().all(is_word) {
                return fail(Code::NamedCapture, &start[..=end]);
            }
            let index = self.names.len() as u32;
            self.names.push(String::from_utf8_lossy(name).into_owned());
            self.open(Some(index));
            self.rest = &start[end + 1..];
            return Ok(());
        }
        let outer = self.flags;
        let mut flags = self.flags;
        let mut rest = &start[2..];
        let mut on = true;
        let mut seen = false;
        while !rest.is_empty() {
            let c = next_char(&mut rest)?;
            match c {
                'i' => flags.fold = on,
                'm' => flags.multi_line = on,
                's' => flags.dot_nl = on,
                'U' => flags.lazy = on,
                '-' if on => {
                    on = false;
                    seen = false;
                    continue;
                }
                ':' | ')' if on || seen => {
                    if c == ':' {
                        self.flags = outer;
                        self.open(None);
                    }
                    self.flags = flags;
                    self.rest = rest;
                    return Ok(());
                }
                _ => break,
            }
            seen = true;
        }
        fail(Code::PerlOp, until(start, rest))
    }

    fn escape(&mut self) -> Result<()> {
        if self.perl
            && let Some(&c) = self.rest.get(1)
        {
            let look = match c {
                b'A' => Some(Look::Start),
                b'b' => Some(Look::WordAscii),
                b'B' => Some(Look::WordAsciiNegate),
                b'z' => Some(Look::End),
                b'C' => return fail(Code::Escape, &self.rest[..2]),
                b'Q' => {
                    let text = &self.rest[2..];
                    let end = memchr::memmem::find(text, b"\\E");
                    let mut quoted = &text[..end.unwrap_or(text.len())];
                    while !quoted.is_empty() {
                        let c = next_char(&mut quoted)?;
                        self.literal(c);
                    }
                    self.rest = end.map_or(&[][..], |end| &text[end + 2..]);
                    return Ok(());
                }
                _ => None,
            };
            if let Some(look) = look {
                self.push(Node::Look(look));
                self.rest = &self.rest[2..];
                return Ok(());
            }
            if let Some(class) = self.class_escape()? {
                self.push(Node::Class(class));
                return Ok(());
            }
        }
        let c = escaped_char(&mut self.rest)?;
        self.literal(c);
        Ok(())
    }

    /// `\d` and its like, `\p{…}`; None if neither is next.
    fn class_escape(&mut self) -> Result<Option<ClassUnicode>> {
        let (true, [b'\\', c, tail @ ..]) = (self.perl, self.rest) else {
            return Ok(None);
        };
        let ranges: &[(char, char)] = match c {
            b'd' | b'D' => &[('0', '9')],
            b's' | b'S' => &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')],
            b'w' | b'W' => WORD,
            b'p' | b'P' => return self.property(*c == b'P').map(Some),
            _ => return Ok(None),
        };
        self.rest = tail;
        Ok(Some(self.group(ranges, c.is_ascii_uppercase())))
    }

    fn group(&self, ranges: &[(char, char)], negated: bool) -> ClassUnicode {
        let ranges = ranges
            .iter()
            .map(|&(lo, hi)| ClassUnicodeRange::new(lo, hi));
        let mut class = self.folded(ClassUnicode::new(ranges));
        if negated {
            class.negate();
        }
        class
    }

    fn property(&mut self, mut negated: bool) -> Result<ClassUnicode> {
        let start = self.rest;
        let mut rest = &start[2..];
        if rest.is_empty() {
            return fail(Code::CharRange, start);
        }
        let mut name = if next_char(&mut rest)? != '{' {
            &start[2..start.len() - rest.len()]
        } else {
            let Some(end) = start.iter().position(|&c| c == b'}') else {
                check_utf8(start)?;
                return fail(Code::CharRange, start);
            };
            rest = &start[end + 1..];
            &start[3..end]
        };
        check_utf8(name)?;
        if name.first() == Some(&b'^') {
            negated = !negated;
            name = &name[1..];
        }
        let Some(mut class) = named_property(name, self.flags.fold) else {
            return fail(Code::CharRange, until(start, rest));
        };
        self.rest = rest;
        if negated {
            class.negate();
        }
        Ok(class)
    }

    fn class(&mut self) -> Result<()> {
        let start = self.rest;
        self.rest = &self.rest[1..];
        let negated = self.rest.first() == Some(&b'^');
        let mut class = ClassUnicode::empty();
        if negated {
            self.rest = &self.rest[1..];
            if !self.perl {
                // In egrep's syntax no negated class matches a newline.
                class.union(&single('\n'));
            }
        }
        let mut first = true;
        while first || self.rest.first() != Some(&b']') {
            if let [b'-', after @ ..] = self.rest
                && !self.perl
                && !first
                && after.first() != Some(&b']')
            {
                let mut rest = after;
                if !rest.is_empty() {
                    next_char(&mut rest)?;
                }
                return fail(Code::CharRange, until(self.rest, rest));
            }
            first = false;
            if let [b'[', b':', ..] = self.rest
                && let Some(end) = memchr::memmem::find(&self.rest[2..], b":]")
            {
                let (name, rest) = self.rest.split_at(end + 4);
                let Some((ranges, negated)) = posix_group(&name[2..end + 2]) else {
                    return fail(Code::CharRange, name);
                };
                class.union(&self.group(ranges, negated));
                self.rest = rest;
                continue;
            }
            if let Some(part) = self.class_escape()? {
                class.union(&part);
                continue;
            }
            let range = self.rest;
            let lo = self.class_char(start)?;
            let mut hi = lo;
            if let [b'-', after @ ..] = self.rest
                && !after.is_empty()
                && after[0] != b']'
            {
                self.rest = after;
                hi = self.class_char(start)?;
                if hi < lo {
                    return fail(Code::CharRange, until(range, self.rest));
                }
            }
            let range = ClassUnicode::new([ClassUnicodeRange::new(lo, hi)]);
            class.union(&self.folded(range));
        }
        self.rest = &self.rest[1..];
        if negated {
            class.negate();
        }
        self.push(Node::Class(class));
        Ok(())
    }

    fn class_char(&mut self, class: &[u8]) -> Result<char> {
        match self.rest.first() {
            None => fail(Code::MissingBracket, class),
            Some(b'\\') => escaped_char(&mut self.rest),
            Some(_) => next_char(&mut self.rest),
        }
    }
}

const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

fn single(c: char) -> ClassUnicode {
    ClassUnicode::new([ClassUnicodeRange::new(c, c)])
}

fn any() -> ClassUnicode {
    ClassUnicode::new([ClassUnicodeRange::new('\0', char::MAX)])
}

/// The part of `text` before its tail `rest`.
fn until<'a>(text: &'a [u8], rest: &[u8]) -> &'a [u8] {
    &text[..text.len() - rest.len()]
}

fn check_utf8(text: &[u8]) -> Result<()> {
    match std::str::from_utf8(text) {
        Ok(_) => Ok(()),
        Err(error) => fail(Code::Utf8, &text[error.valid_up_to()..]),
    }
}

/// Takes one character; the text must not be empty.
fn next_char(text: &mut &[u8]) -> Result<char> {
    let len = match text[0] {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    let found = text
        .get(..len)
        .and_then(|part| std::str::from_utf8(part).ok());
    let Some(c) = found.and_then(|part| part.chars().next()) else {
        return fail(Code::Utf8, text);
    };
    *text = &text[len..];
    Ok(c)
}

/// `\` and what it escapes, for a single character.
fn escaped_char(text: &mut &[u8]) -> Result<char> {
    let start = *text;
    let mut rest = &start[1..];
    if rest.is_empty() {
        return fail(Code::TrailingBackslash, b"");
    }
    let octal = |c: Option<&u8>| {
        c.filter(|c| (b'0'..=b'7').contains(c))
            .map(|c| u32::from(c - b'0'))
    };
    let c = next_char(&mut rest)?;
    let found = match c {
        '0'..='7' if c == '0' || octal(rest.first()).is_some() => {
            let mut n = c as u32 - '0' as u32;
            for _ in 0..2 {
                let Some(digit) = octal(rest.first()) else {
                    break;
                };
                n = n * 8 + digit;
                rest = &rest[1..];
            }
            char::from_u32(n)
        }
        'x' => hex(&mut rest)?,
        'a' => Some('\x07'),
        'f' => Some('\x0c'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\x0b'),
        c => (c.is_ascii() && !c.is_ascii_alphanumeric()).then_some(c),
    };
    match found {
        Some(c) => {
            *text = rest;
            Ok(c)
        }
        None => fail(Code::Escape, until(start, rest)),
    }
}

/// What stands after `\x`; None if it is malformed.
fn hex(rest: &mut &[u8]) -> Result<Option<char>> {
    if rest.is_empty() {
        return Ok(None);
    }
    let first = next_char(rest)?;
    if first != '{' {
        let Some(high) = first.to_digit(16) else {
            // The second character is looked at in any case.
            if !rest.is_empty() {
                next_char(rest)?;
            }
            return Ok(None);
        };
        if rest.is_empty() {
            return Ok(None);
        }
        let low = next_char(rest)?.to_digit(16);
        return Ok(low.and_then(|low| char::from_u32(high * 16 + low)));
    }
    let mut n = 0;
    let mut digits = 0;
    loop {
        if rest.is_empty() {
            return Ok(None);
        }
        let c = next_char(rest)?;
        if c == '}' {
            // A surrogate stands in no text.
            let c = char::from_u32(n).unwrap_or(char::REPLACEMENT_CHARACTER);
            return Ok((digits > 0).then_some(c));
        }
        let Some(digit) = c.to_digit(16) else {
            return Ok(None);
        };
        n = n * 16 + digit;
        digits += 1;
        if n > 0x10_ffff {
            return Ok(None);
        }
    }
}

/// `{n}`, `{n,}` or `{n,m}` and what follows; -1 for no limit, and as the least for numbers too great.
fn repeat_counts(text: &[u8]) -> Option<(i64, i64, &[u8])> {
    let mut rest = text.strip_prefix(b"{")?;
    let mut min = count(&mut rest)?;
    let mut max = min;
    if let Some(after) = rest.strip_prefix(b",") {
        rest = after;
        max = -1;
        if rest.first()? != &b'}' {
            max = count(&mut rest)?;
            if max < 0 {
                min = -1;
            }
        }
    }
    Some((min, max, rest.strip_prefix(b"}")?))
}

fn count(rest: &mut &[u8]) -> Option<i64> {
    let len = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    let (digits, tail) = rest.split_at(len);
    if len == 0 || len > 1 && digits[0] == b'0' {
        return None;
    }
    *rest = tail;
    let n = digits
        .iter()
        .fold(0i64, |n, c| (n * 10 + i64::from(c - b'0')).min(1 << 40));
    Some(if n >= 100_000_000 { -1 } else { n })
}

fn posix_group(name: &[u8]) -> Option<(&'static [(char, char)], bool)> {
    let (name, negated) = match name.strip_prefix(b"^") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let ranges: &[(char, char)] = match name {
        b"alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        b"alpha" => &[('A', 'Z'), ('a', 'z')],
        b"ascii" => &[('\0', '\x7f')],
        b"blank" => &[('\t', '\t'), (' ', ' ')],
        b"cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        b"digit" => &[('0', '9')],
        b"graph" => &[('!', '~')],
        b"lower" => &[('a', 'z')],
        b"print" => &[(' ', '~')],
        b"punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        b"space" => &[('\t', '\r'), (' ', ' ')],
        b"upper" => &[('A', 'Z')],
        b"word" => WORD,
        b"xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    };
    Some((ranges, negated))
}

/// A general category or script by name; with what folds to its members.
fn named_property(name: &[u8], fold: bool) -> Option<ClassUnicode> {
    let name = std::str::from_utf8(name).ok()?;
    let mut class = ClassUnicode::empty();
    let mut add = |kind, name| {
        for (lo, hi, stride) in ucd::ranges(kind, name)? {
            match stride {
                1 => push_range(&mut class, lo, hi),
                _ => (lo..=hi)
                    .step_by(stride as usize)
                    .for_each(|r| push_range(&mut class, r, r)),
            }
        }
        Some(())
    };
    let (kind, key) = match ucd::loose(name).as_str() {
        "any" => {
            class.push(ClassUnicodeRange::new('\0', char::MAX));
            return Some(class);
        }
        "ascii" => {
            class.push(ClassUnicodeRange::new('\0', '\x7F'));
            if fold {
                class.case_fold_simple();
            }
            return Some(class);
        }
        "assigned" => {
            add("category", "Cn");
            class.negate();
            return Some(class);
        }
        loose => ucd::category_or_script(loose)?,
    };
    add(kind, key)?;
    if fold {
        add(&format!("fold{kind}"), key);
    }
    Some(class)
}

/// Adds code points but for surrogates, which are in no text.
fn push_range(class: &mut ClassUnicode, lo: u32, hi: u32) {
    for (lo, hi) in [(lo, hi.min(0xD7FF)), (lo.max(0xE000), hi)] {
        if lo <= hi
            && let (Some(lo), Some(hi)) = (char::from_u32(lo), char::from_u32(hi))
        {
            class.push(ClassUnicodeRange::new(lo, hi));
        }
    }
}
