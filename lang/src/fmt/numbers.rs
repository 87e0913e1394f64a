//! Number literals in their usual spelling.

use std::borrow::Cow;

/// Prefixes and exponents in lower case, no zeros before a decimal imaginary integer; the digits of
/// hexadecimal numbers stay.
pub fn normalized(text: &str) -> Cow<'_, str> {
    let changed = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => format!("0x{}", text[2..].replace('P', "p")),
        [b'0', b'o' | b'O', ..] => format!("0o{}", &text[2..]),
        [b'0', b'b' | b'B', ..] => format!("0b{}", &text[2..]),
        _ if text.contains('E') => text.replace('E', "e"),
        [_, .., b'i'] if !text.contains(['.', 'e']) => match text.trim_start_matches(['0', '_']) {
            "i" => "0i".to_string(),
            rest => rest.to_string(),
        },
        _ => return Cow::Borrowed(text),
    };
    Cow::Owned(changed)
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn spells_numbers_as_usual() {
        for (text, wanted) in [
            ("0XaBC", "0xaBC"),
            ("0X1.8P-2", "0x1.8p-2"),
            ("0O17", "0o17"),
            ("0B11", "0b11"),
            ("1E9", "1e9"),
            ("0017", "0017"),
            ("0123i", "123i"),
            ("00i", "0i"),
            ("0.5i", "0.5i"),
            ("0", "0"),
        ] {
            assert_eq!(normalized(text), wanted);
        }
    }
}
