//! What literals mean: decodes the text of strings and runes, which the lexer has checked (what it
//! reported decodes to something, never a panic).

/// The bytes of a string literal as written, interpreted or raw.
pub fn string_value(text: &str) -> Vec<u8> {
    if let Some(raw) = text.strip_prefix('`') {
        let raw = raw.strip_suffix('`').unwrap_or(raw);
        return raw.bytes().filter(|&b| b != b'\r').collect();
    }
    let inner = text.strip_prefix('"').unwrap_or(text);
    let mut value = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find(['\\', '"']) {
        value.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        if rest.starts_with('"') {
            return value;
        }
        let (unit, len) = unescape(rest);
        match unit {
            Unit::Byte(byte) => value.push(byte),
            Unit::Char(c) => value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = &rest[len..];
    }
    value.extend_from_slice(rest.as_bytes());
    value
}

/// The value of a rune literal as written.
pub fn rune_value(text: &str) -> i32 {
    let inner = text.strip_prefix('\'').unwrap_or(text);
    match inner.chars().next() {
        Some('\\') => match unescape(inner).0 {
            Unit::Byte(byte) => i32::from(byte),
            Unit::Char(c) => c as i32,
        },
        Some(c) => c as i32,
        None => 0,
    }
}

enum Unit {
    Byte(u8),
    Char(char),
}

/// The escape at the start of a text that begins with a backslash, and its length.
fn unescape(text: &str) -> (Unit, usize) {
    let letter = text[1..].chars().next().unwrap_or('\\');
    let number = |from: usize, digits: usize, base: u32| {
        let end = from + digits;
        let value = text
            .get(from..end)
            .and_then(|t| u32::from_str_radix(t, base).ok());
        (value, end.min(text.len()))
    };
    let byte = match letter {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '0'..='7' | 'x' => {
            let (value, len) = match letter {
                'x' => number(2, 2, 16),
                _ => number(1, 3, 8),
            };
            return match value {
                Some(value) => (Unit::Byte(value as u8), len),
                None => (Unit::Char(letter), 2),
            };
        }
        'u' | 'U' => {
            let (value, len) = number(2, if letter == 'u' { 4 } else { 8 }, 16);
            return match value.and_then(char::from_u32) {
                Some(c) => (Unit::Char(c), len),
                None => (Unit::Char(letter), 2),
            };
        }
        _ => {
            let len = (1 + letter.len_utf8()).min(text.len());
            return (Unit::Char(letter), len);
        }
    };
    (Unit::Byte(byte), 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings() {
        assert_eq!(
            string_value(r#""a\tb\"\\\x41\101\u00e9\U0001F600é""#),
            "a\tb\"\\AAé😀é".as_bytes()
        );
        assert_eq!(string_value(r#""\xff\377""#), [255, 255]);
        assert_eq!(string_value("`a\\n\r\nb`"), b"a\\n\nb");
        assert_eq!(string_value(r#""\q"#), b"q");
        assert_eq!(string_value("\"\\"), b"\\");
    }

    #[test]
    fn runes() {
        for (text, value) in [("'a'", 97), ("'é'", 233), (r"'\''", 39), (r"'\n'", 10)] {
            assert_eq!(rune_value(text), value, "{text}");
        }
        for (text, value) in [
            (r"'\xff'", 255),
            (r"'\377'", 255),
            (r"'\u4e16'", 0x4e16),
            ("'", 0),
        ] {
            assert_eq!(rune_value(text), value, "{text}");
        }
    }
}
