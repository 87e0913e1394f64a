//! Source files and positions in them: `FileId`, `Span` (byte offsets) and `SourceMap`, which turns
//! offsets into Go's lines and byte columns.
use crate::line_directive::{self, BadDirective, LineDirective};

/// A file of a `SourceMap`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FileId(pub u32);

/// The bytes `lo..hi` of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    pub file: FileId,
    pub lo: u32,
    pub hi: u32,
}

impl Span {
    pub fn new(file: FileId, lo: u32, hi: u32) -> Span {
        debug_assert!(lo <= hi);
        Span { file, lo, hi }
    }

    /// Have the two a byte in common?
    pub fn overlaps(self, other: Span) -> bool {
        self.file == other.file && self.lo < other.hi && other.lo < self.hi
    }

    /// The smallest span that covers both; both are of the same file.
    pub fn to(self, other: Span) -> Span {
        debug_assert_eq!(self.file, other.file);
        Span {
            file: self.file,
            lo: self.lo.min(other.lo),
            hi: self.hi.max(other.hi),
        }
    }

    /// The empty span where this one begins.
    pub fn start(self) -> Span {
        Span {
            hi: self.lo,
            ..self
        }
    }

    /// The empty span where this one ends.
    pub fn end(self) -> Span {
        Span {
            lo: self.hi,
            ..self
        }
    }
}

/// Line and column, both from 1; the column counts bytes, as Go's does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LineColumn {
    pub line: u32,
    pub column: u32,
}

/// One file's name and text.
///
/// The text is valid UTF-8 always: a byte that is not is replaced by one `\x1a`, which keeps every
/// offset, and its place is remembered so that the lexer can report it.
#[derive(Clone, Debug)]
pub struct SourceFile {
    name: String,
    text: String,
    invalid_utf8: Vec<u32>,
    line_starts: Vec<u32>,
    /// In the order of the text.
    directives: Vec<LineDirective>,
    library: bool,
}

impl SourceFile {
    fn new(name: String, bytes: Vec<u8>) -> SourceFile {
        let mut invalid_utf8 = Vec::new();
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            let mut bytes = error.into_bytes();
            let mut at = 0;
            while let Err(error) = std::str::from_utf8(&bytes[at..]) {
                at += error.valid_up_to();
                invalid_utf8.push(at as u32);
                bytes[at] = 0x1a;
                at += 1;
            }
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let mut line_starts = vec![0];
        line_starts.extend(text.match_indices('\n').map(|(at, _)| at as u32 + 1));
        SourceFile {
            name,
            text,
            invalid_utf8,
            line_starts,
            directives: Vec::new(),
            library: false,
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Is it part of the standard library?
    pub fn is_library(&self) -> bool {
        self.library
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Offsets of the bytes that were not UTF-8, ascending.
    pub fn invalid_utf8(&self) -> &[u32] {
        &self.invalid_utf8
    }

    pub fn line_count(&self) -> u32 {
        self.line_starts.len() as u32
    }

    /// The line and column of a byte offset; an offset past the end counts as the end.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let offset = offset.min(self.text.len() as u32);
        let line = self.line_starts.partition_point(|&start| start <= offset);
        LineColumn {
            line: line as u32,
            column: offset - self.line_starts[line - 1] + 1,
        }
    }

    /// Where messages and traces say that a byte is: elsewhere than it is where a line directive says so.
    fn shown(&self, offset: u32) -> Shown<'_> {
        let at = self.line_column(offset);
        let directives = self.directives.partition_point(|d| d.from <= offset);
        let Some(d) = self.directives[..directives].last() else {
            let (name, line) = (self.name(), at.line);
            let column = Some(at.column);
            return Shown { name, line, column };
        };
        let names = self.directives[..directives].iter().rev();
        let start = self.line_column(d.from);
        Shown {
            name: names
                .filter_map(|d| d.name.as_deref())
                .next()
                .unwrap_or(&self.name),
            line: d.line + (at.line - start.line),
            column: d.column.map(|column| match at.line == start.line {
                true => column + (at.column - start.column),
                false => at.column,
            }),
        }
    }

    /// The text of a line (from 1) without its line end; empty when there is no such line.
    pub fn line_text(&self, line: u32) -> &str {
        let Some(&start) = self.line_starts.get(line.wrapping_sub(1) as usize) else {
            return "";
        };
        let end = match self.line_starts.get(line as usize) {
            Some(&next) => next - 1,
            None => self.text.len() as u32,
        };
        let text = &self.text[start as usize..end as usize];
        text.strip_suffix('\r').unwrap_or(text)
    }
}

/// A position as messages and traces show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shown<'a> {
    pub name: &'a str,
    pub line: u32,
    /// None where a line directive tells none.
    pub column: Option<u32>,
}

/// All files of a compilation.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    pub fn new() -> SourceMap {
        SourceMap::default()
    }

    /// Adds a file; `name` is what messages show.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Vec<u8>>) -> FileId {
        let id = FileId(self.files.len() as u32);
        self.files.push(SourceFile::new(name.into(), text.into()));
        id
    }

    /// Adds a file of another map, with all that is known of it.
    pub fn add_copy(&mut self, file: &SourceFile) {
        self.files.push(file.clone());
    }

    /// Says that a file is part of the standard library.
    pub fn mark_library(&mut self, id: FileId) {
        self.files[id.0 as usize].library = true;
    }

    /// Follows the line directives among the comments of a file; gives those that cannot be followed.
    pub fn follow_directives(&mut self, id: FileId, comments: &[Span]) -> Vec<BadDirective> {
        let file = &mut self.files[id.0 as usize];
        let mut bad = Vec::new();
        for c in comments {
            match line_directive::directive(&file.text, *c) {
                Ok(found) => file.directives.extend(found),
                Err(e) => bad.push(e),
            }
        }
        bad
    }

    /// The file of an id that `add` of this map returned.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0..).map(FileId).zip(&self.files)
    }

    /// Where a span begins.
    pub fn line_column(&self, span: Span) -> LineColumn {
        self.file(span.file).line_column(span.lo)
    }

    /// The line a span begins in, from 1.
    pub fn line(&self, span: Span) -> u32 {
        self.line_column(span).line
    }

    /// The text of a span; empty for one that is not within the file.
    pub fn text(&self, span: Span) -> &str {
        let text = self.file(span.file).text();
        text.get(span.lo as usize..span.hi as usize).unwrap_or("")
    }

    /// Where messages and traces say that a span begins.
    pub fn shown(&self, span: Span) -> Shown<'_> {
        self.file(span.file).shown(span.lo)
    }

    /// `name:line:column` of where a span begins, as it is shown.
    pub fn position(&self, span: Span) -> String {
        let at = self.shown(span);
        match at.column {
            Some(column) => format!("{}:{}:{column}", at.name, at.line),
            None => format!("{}:{}", at.name, at.line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_bytes() {
        let mut sources = SourceMap::new();
        let file = sources.add("a.pgo", "é x\r\n\nend");
        let at = |lo| sources.line_column(Span::new(file, lo, lo));
        assert_eq!(at(0), LineColumn { line: 1, column: 1 });
        assert_eq!(at(3), LineColumn { line: 1, column: 4 });
        assert_eq!(at(6), LineColumn { line: 2, column: 1 });
        assert_eq!(at(99), LineColumn { line: 3, column: 4 });
        assert_eq!(sources.file(file).line_text(1), "é x");
        assert_eq!(sources.file(file).line_text(2), "");
        assert_eq!(sources.file(file).line_text(3), "end");
        assert_eq!(sources.file(file).line_text(4), "");
    }

    #[test]
    fn invalid_utf8_keeps_offsets() {
        let mut sources = SourceMap::new();
        let file = sources.add("a.pgo", b"ab\xff\xc3(c".to_vec());
        assert_eq!(sources.file(file).invalid_utf8(), [2, 3]);
        assert_eq!(sources.file(file).text(), "ab\x1a\x1a(c");
        assert_eq!(sources.text(Span::new(file, 4, 6)), "(c");
    }
}
