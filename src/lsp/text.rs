//! Places in texts as the protocol has them (lines and UTF-16 units), and URIs of files.
use lang::source::{FileId, SourceMap, Span};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The byte offset of a position; behind a line's end counts as the end.
pub fn offset(text: &str, position: &Value) -> usize {
    let number = |key: &str| position[key].as_u64().unwrap_or(0) as usize;
    let mut start = 0;
    for _ in 0..number("line") {
        match text[start..].find('\n') {
            Some(at) => start += at + 1,
            None => return text.len(),
        }
    }
    let line = text[start..].split('\n').next().unwrap_or_default();
    let mut units = 0;
    for (at, c) in line.char_indices() {
        if units >= number("character") {
            return start + at;
        }
        units += c.len_utf16();
    }
    start + line.len()
}

pub fn position(text: &str, offset: usize) -> Value {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let character: usize = before[start..].chars().map(char::len_utf16).sum();
    json!({"line": before.matches('\n').count(), "character": character})
}

pub fn range(sources: &SourceMap, span: Span) -> Value {
    let file = sources.file(span.file);
    let place = |offset: u32| {
        let at = file.line_column(offset);
        let before = offset.saturating_sub(at.column - 1) as usize..offset as usize;
        let before = file.text().get(before).unwrap_or_default();
        json!({"line": at.line - 1, "character": before.encode_utf16().count()})
    };
    json!({"start": place(span.lo), "end": place(span.hi)})
}

pub fn location(sources: &SourceMap, span: Span) -> Value {
    let path = Path::new(sources.file(span.file).name());
    json!({"uri": uri(path), "range": range(sources, span)})
}

/// The file of an analysis that has this path.
pub fn file_of(sources: &SourceMap, path: &Path) -> Option<FileId> {
    let mut files = sources.files();
    let found = files.find(|(_, f)| !f.is_library() && Path::new(f.name()) == path);
    found.map(|(id, _)| id)
}

/// `file:///a%20b.pgo`
pub fn uri(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut out = "file://".to_string();
    for b in path.to_string_lossy().bytes() {
        match b {
            b'/' | b'-' | b'.' | b'_' | b'~' => out.push(b as char),
            b if b.is_ascii_alphanumeric() => out.push(b as char),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// The path of a `file:` URI; of another one, its text, which no file has.
pub fn path(uri: &str) -> PathBuf {
    let Some(text) = uri.strip_prefix("file://") else {
        return PathBuf::from(uri);
    };
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let hex = text
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    PathBuf::from(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_utf16_units() {
        let text = "a\n\u{1d4e4}é x\n";
        for (at, line, character) in [(0, 0, 0), (2, 1, 0), (6, 1, 2), (8, 1, 3), (10, 1, 5)] {
            let place = json!({"line": line, "character": character});
            assert_eq!(position(text, at), place);
            assert_eq!(offset(text, &place), at);
        }
        assert_eq!(
            offset(text, &json!({"line": 9, "character": 0})),
            text.len()
        );
    }

    #[test]
    fn uris() {
        let file = Path::new("/a b/é.pgo");
        assert_eq!(uri(file), "file:///a%20b/%C3%A9.pgo");
        assert_eq!(path(&uri(file)), file);
    }
}
