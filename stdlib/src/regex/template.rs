//! Templates of Expand and ReplaceAll: `$1`, `$name`, `${name}`, `$$`.

use crate::{text, ucd};

/// A reference after `$`: the name and what follows; None if there is none.
fn reference(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let braced = text.first() == Some(&b'{');
    let body = if braced { &text[1..] } else { text };
    let mut len = 0;
    while len < body.len() {
        let (c, width) = text::decode(&body[len..]);
        if c != u32::from(b'_') && !ucd::in_category(ucd::LETTER | ucd::DIGIT, c) {
            break;
        }
        len += width;
    }
    if len == 0 {
        return None;
    }
    let (name, rest) = body.split_at(len);
    if braced {
        return Some((name, rest.strip_prefix(b"}")?));
    }
    Some((name, rest))
}

/// The number that a name is, if it is one.
fn number(name: &[u8]) -> Option<usize> {
    if !name.iter().all(u8::is_ascii_digit) || name.len() > 1 && name[0] == b'0' {
        return None;
    }
    let n = name
        .iter()
        .fold(0u64, |n, c| (n * 10 + u64::from(c - b'0')).min(1 << 40));
    (n < 100_000_000).then_some(n as usize)
}

/// Appends the template, its references replaced by the groups of a match in `src`.
pub fn expand(out: &mut Vec<u8>, mut template: &[u8], src: &[u8], slots: &[i64], names: &[String]) {
    let group = |out: &mut Vec<u8>, i: usize| {
        if let Some(&[lo, hi]) = slots.get(2 * i..2 * i + 2)
            && lo >= 0
        {
            out.extend_from_slice(&src[lo as usize..hi as usize]);
            return true;
        }
        false
    };
    while let Some(at) = memchr::memchr(b'$', template) {
        out.extend_from_slice(&template[..at]);
        template = &template[at + 1..];
        if let Some(rest) = template.strip_prefix(b"$") {
            out.push(b'$');
            template = rest;
            continue;
        }
        let Some((name, rest)) = reference(template) else {
            out.push(b'$');
            continue;
        };
        template = rest;
        if let Some(n) = number(name) {
            group(out, n);
        } else {
            // Of groups with one name the first that took part.
            let named = names.iter().enumerate().filter(|n| n.1.as_bytes() == name);
            for (i, _) in named {
                if group(out, i) {
                    break;
                }
            }
        }
    }
    out.extend_from_slice(template);
}
