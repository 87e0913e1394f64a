//! Byte strings of UTF-8: decoding with Go's rules, searching, quoting.

use crate::ucd;

pub const RUNE_ERROR: u32 = 0xFFFD;

/// The first rune of `s` and its length; (U+FFFD, 1) for an invalid encoding, (U+FFFD, 0) for none.
pub fn decode(s: &[u8]) -> (u32, usize) {
    let Some(&first) = s.first() else {
        return (RUNE_ERROR, 0);
    };
    let (len, low, high) = match first {
        0..0x80 => return (first.into(), 1),
        0xC2..=0xDF => (2, 0x80, 0xBF),
        0xE0 => (3, 0xA0, 0xBF),
        0xED => (3, 0x80, 0x9F),
        0xE1..=0xEF => (3, 0x80, 0xBF),
        0xF0 => (4, 0x90, 0xBF),
        0xF4 => (4, 0x80, 0x8F),
        0xF1..=0xF3 => (4, 0x80, 0xBF),
        _ => return (RUNE_ERROR, 1),
    };
    if s.len() < len || s[1] < low || s[1] > high || s[2..len].iter().any(|b| b & 0xC0 != 0x80) {
        return (RUNE_ERROR, 1);
    }
    let head = u32::from(first) & (0x7F >> len);
    (
        s[1..len]
            .iter()
            .fold(head, |r, b| r << 6 | u32::from(b & 0x3F)),
        len,
    )
}

/// The last rune of `s` and its length.
pub fn decode_last(s: &[u8]) -> (u32, usize) {
    for back in 1..=s.len().min(4) {
        let at = s.len() - back;
        if s[at] & 0xC0 != 0x80 {
            let (r, n) = decode(&s[at..]);
            if n == back {
                return (r, n);
            }
            break;
        }
    }
    (RUNE_ERROR, s.len().min(1))
}

/// Could `s` be the start of a longer encoding? Then it is not full.
pub fn full_rune(s: &[u8]) -> bool {
    let (r, n) = decode(s);
    if r != RUNE_ERROR || n == 3 {
        return n > 0;
    }
    if s.is_empty() {
        return false;
    }
    // Invalid so far: full unless some continuation makes it valid.
    let mut longer = s.to_vec();
    for next in [0x80, 0x90, 0xA0] {
        longer.truncate(s.len());
        longer.push(next);
        while longer.len() < 5 {
            if decode(&longer).1 == longer.len() {
                return false;
            }
            longer.push(0x80);
        }
    }
    true
}

/// Runes with the byte where each starts and its length.
pub fn runes(s: &[u8]) -> impl Iterator<Item = (usize, u32, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (r, n) = decode(&s[at..]);
        at += n;
        (n > 0).then_some((at - n, r, n))
    })
}

/// Runes in `s`; an invalid byte counts as one.
pub fn rune_count(s: &[u8]) -> usize {
    match std::str::from_utf8(s) {
        Ok(text) => text.chars().count(),
        Err(_) => runes(s).count(),
    }
}

pub fn to_char(r: u32) -> char {
    char::from_u32(r).unwrap_or('\u{FFFD}')
}

pub fn push_rune(out: &mut Vec<u8>, r: u32) {
    if r < 0x80 {
        out.push(r as u8);
    } else {
        out.extend_from_slice(to_char(r).encode_utf8(&mut [0; 4]).as_bytes());
    }
}

pub fn find(s: &[u8], sep: &[u8]) -> Option<usize> {
    match sep.len() {
        0 => Some(0),
        1 => memchr::memchr(sep[0], s),
        _ => memchr::memmem::find(s, sep),
    }
}

pub fn rfind(s: &[u8], sep: &[u8]) -> Option<usize> {
    match sep.len() {
        0 => Some(s.len()),
        1 => memchr::memrchr(sep[0], s),
        _ => memchr::memmem::rfind(s, sep),
    }
}

pub fn count(s: &[u8], sep: &[u8]) -> usize {
    match sep.len() {
        0 => runes(s).count() + 1,
        1 => memchr::memchr_iter(sep[0], s).count(),
        _ => memchr::memmem::find_iter(s, sep).count(),
    }
}

pub fn index_rune(s: &[u8], r: i64) -> Option<usize> {
    match u32::try_from(r) {
        Ok(r @ 0..0x80) => memchr::memchr(r as u8, s),
        Ok(RUNE_ERROR) => runes(s).find(|x| x.1 == RUNE_ERROR).map(|x| x.0),
        Ok(r) => char::from_u32(r).and_then(|c| find(s, c.encode_utf8(&mut [0; 4]).as_bytes())),
        Err(_) => None,
    }
}

fn in_set(set: &[u8], r: u32) -> bool {
    runes(set).any(|x| x.1 == r)
}

pub fn index_any(s: &[u8], chars: &[u8]) -> Option<usize> {
    runes(s).find(|x| in_set(chars, x.1)).map(|x| x.0)
}

pub fn last_index_any(s: &[u8], chars: &[u8]) -> Option<usize> {
    let mut end = s.len();
    while end > 0 {
        let (r, n) = decode_last(&s[..end]);
        end -= n;
        if in_set(chars, r) {
            return Some(end);
        }
    }
    None
}

/// Bounds after trimming runes that `drop` accepts; side bits 1 left, 2 right.
pub fn trim(s: &[u8], side: i64, drop: impl Fn(u32) -> bool) -> (usize, usize) {
    let (mut lo, mut hi) = (0, s.len());
    while side & 1 != 0 && lo < hi {
        let (r, n) = decode(&s[lo..hi]);
        if !drop(r) {
            break;
        }
        lo += n;
    }
    while side & 2 != 0 && lo < hi {
        let (r, n) = decode_last(&s[lo..hi]);
        if !drop(r) {
            break;
        }
        hi -= n;
    }
    (lo, hi)
}

pub fn trim_set(s: &[u8], set: &[u8], side: i64) -> (usize, usize) {
    match set {
        [] => (0, s.len()),
        &[c] if c < 0x80 => trim(s, side, |r| r == u32::from(c)),
        _ => trim(s, side, |r| in_set(set, r)),
    }
}

/// The pieces of a split as ranges; Go's genSplit with n and the bytes of the separator to keep.
pub fn split(s: &[u8], sep: &[u8], keep: usize, n: i64) -> Vec<(usize, usize)> {
    let limit = usize::try_from(n).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    if sep.is_empty() {
        for (at, _, len) in runes(s) {
            if parts.len() + 1 == limit {
                parts.push((at, s.len()));
                break;
            }
            parts.push((at, at + len));
        }
        return parts;
    }
    let mut at = 0;
    while parts.len() + 1 < limit {
        let Some(i) = find(&s[at..], sep) else { break };
        parts.push((at, at + i + keep));
        at += i + sep.len();
    }
    parts.push((at, s.len()));
    parts
}

pub fn fields(s: &[u8]) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at < s.len() {
        let (space, n) = match s[at] {
            b' ' | 9..=13 => (true, 1),
            c if c < 0x80 => (false, 1),
            _ => {
                let (r, n) = decode(&s[at..]);
                (is_space(r), n)
            }
        };
        match (space, start) {
            (true, Some(from)) => {
                parts.push((from, at));
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
        at += n;
    }
    parts.extend(start.map(|from| (from, s.len())));
    parts
}

pub fn replace(s: &[u8], old: &[u8], new: &[u8], n: i64) -> Vec<u8> {
    let limit = usize::try_from(n).unwrap_or(usize::MAX);
    let mut out = Vec::with_capacity(s.len());
    let (mut at, mut done) = (0, 0);
    while done < limit {
        let i = if old.is_empty() {
            // Before each rune and at the end.
            if done == 0 {
                Some(0)
            } else if at >= s.len() {
                None
            } else {
                Some(decode(&s[at..]).1)
            }
        } else {
            find(&s[at..], old)
        };
        let Some(i) = i else { break };
        out.extend_from_slice(&s[at..at + i]);
        out.extend_from_slice(new);
        at += i + old.len();
        done += 1;
    }
    out.extend_from_slice(&s[at..]);
    out
}

/// strings.Replacer: at each place the first pair whose old string is there; an empty one matches everywhere.
pub fn replace_many(s: &[u8], pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len());
    let mut starts = [false; 256];
    let has_empty = pairs.iter().any(|pair| pair.0.is_empty());
    for (old, _) in pairs {
        match old.first() {
            Some(&c) => starts[c as usize] = true,
            None => starts = [true; 256],
        }
    }
    // At each place the first pair that fits, but an empty one not twice at the same place.
    let (mut at, mut after_empty) = (0, false);
    while at < s.len() || at == s.len() && has_empty {
        let here = &s[at..];
        let hit = match here.first() {
            Some(&c) if !starts[c as usize] => None,
            _ => pairs
                .iter()
                .find(|pair| here.starts_with(pair.0) && !(after_empty && pair.0.is_empty())),
        };
        match hit {
            Some((old, new)) => {
                out.extend_from_slice(new);
                at += old.len();
                after_empty = old.is_empty();
            }
            None => {
                out.extend(here.first());
                at += 1;
                after_empty = false;
            }
        }
    }
    out
}

pub fn map_runes(s: &[u8], f: impl Fn(u32) -> u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len());
    for (_, r, _) in runes(s) {
        push_rune(&mut out, f(r));
    }
    out
}

pub fn to_upper_bytes(s: &[u8]) -> Vec<u8> {
    if s.is_ascii() {
        s.to_ascii_uppercase()
    } else {
        map_runes(s, to_upper)
    }
}

pub fn to_lower_bytes(s: &[u8]) -> Vec<u8> {
    if s.is_ascii() {
        s.to_ascii_lowercase()
    } else {
        map_runes(s, to_lower)
    }
}

pub fn equal_fold(a: &[u8], b: &[u8]) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    let (mut x, mut y) = (runes(a), runes(b));
    loop {
        match (x.next(), y.next()) {
            (None, None) => return true,
            (Some(p), Some(q)) if p.1 == q.1 || same_orbit(p.1, q.1) => {}
            _ => return false,
        }
    }
}

pub fn to_valid(s: &[u8], replacement: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len());
    let mut bad = false;
    for (at, r, n) in runes(s) {
        if r == RUNE_ERROR && n == 1 {
            if !bad {
                out.extend_from_slice(replacement);
            }
            bad = true;
        } else {
            out.extend_from_slice(&s[at..at + n]);
            bad = false;
        }
    }
    out
}

// ---- properties

pub fn is_space(r: u32) -> bool {
    matches!(r, 9..=13 | 32 | 0x85 | 0xA0 | 0x1680 | 0x2000..=0x200A | 0x2028 | 0x2029 | 0x202F | 0x205F | 0x3000)
}

/// strconv.IsPrint and unicode.IsPrint.
pub fn is_print(r: u32) -> bool {
    match r {
        0..0x7F => r >= 0x20,
        _ => ucd::in_category(ucd::PRINT, r),
    }
}

pub fn is_graphic(r: u32) -> bool {
    ucd::in_category(ucd::PRINT | ucd::SPACE_SEPARATOR, r)
}

pub fn to_upper(r: u32) -> u32 {
    match r {
        0x61..=0x7A => r - 32,
        0..0x80 => r,
        _ => ucd::to_case(0, r),
    }
}

pub fn to_lower(r: u32) -> u32 {
    match r {
        0x41..=0x5A => r + 32,
        0..0x80 => r,
        _ => ucd::to_case(1, r),
    }
}

pub fn to_title(r: u32) -> u32 {
    match r {
        0..0x80 => to_upper(r),
        _ => ucd::to_case(2, r),
    }
}

/// Are they equal under simple folding?
fn same_orbit(a: u32, b: u32) -> bool {
    let mut r = a;
    loop {
        if r == b {
            return true;
        }
        r = ucd::simple_fold(r);
        if r == a {
            return false;
        }
    }
}

// ---- quoting

/// Which runes stand unescaped in a quoted string.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    Print,
    Ascii,
    Graphic,
}

fn push_escaped(out: &mut Vec<u8>, r: u32, quote: u8, plain: Plain) {
    if r == quote.into() || r == b'\\'.into() {
        out.extend([b'\\', r as u8]);
        return;
    }
    let shown = match plain {
        Plain::Ascii => r < 0x80 && is_print(r),
        Plain::Print => is_print(r),
        Plain::Graphic => is_print(r) || is_graphic(r),
    };
    if shown {
        push_rune(out, r);
        return;
    }
    let short = match r {
        7 => b'a',
        8 => b'b',
        12 => b'f',
        10 => b'n',
        13 => b'r',
        9 => b't',
        11 => b'v',
        _ => 0,
    };
    match r {
        _ if short != 0 => out.extend([b'\\', short]),
        0..0x20 | 0x7F => out.extend(format!("\\x{r:02x}").bytes()),
        0x20..0x10000 => out.extend(format!("\\u{r:04x}").bytes()),
        _ => out.extend(format!("\\U{r:08x}").bytes()),
    }
}

pub fn quote(s: &[u8], plain: Plain) -> Vec<u8> {
    let mut out = vec![b'"'];
    for (at, r, n) in runes(s) {
        if r == RUNE_ERROR && n == 1 {
            out.extend(format!("\\x{:02x}", s[at]).bytes());
        } else {
            push_escaped(&mut out, r, b'"', plain);
        }
    }
    out.push(b'"');
    out
}

pub fn quote_rune(r: i64, plain: Plain) -> Vec<u8> {
    let r = u32::try_from(r)
        .ok()
        .filter(|&r| char::from_u32(r).is_some())
        .unwrap_or(RUNE_ERROR);
    let mut out = vec![b'\''];
    push_escaped(&mut out, r, b'\'', plain);
    out.push(b'\'');
    out
}

pub fn can_backquote(s: &[u8]) -> bool {
    runes(s).all(|(_, r, n)| match r {
        RUNE_ERROR => n > 1,
        0xFEFF | 0x60 | 0x7F => false,
        _ => r >= 0x20 || r == 9,
    })
}

/// The first character or escape of `s`: value, whether it needs UTF-8, length.
pub fn unquote_char(s: &[u8], quote: u8) -> Option<(u32, bool, usize)> {
    let &c = s.first()?;
    if c == quote && (quote == b'\'' || quote == b'"') {
        return None;
    }
    if c >= 0x80 {
        let (r, n) = decode(s);
        return Some((r, true, n));
    }
    if c != b'\\' {
        return Some((c.into(), false, 1));
    }
    let simple = |r: u8| Some((u32::from(r), false, 2));
    let digits = |from: usize, count: usize, radix: u32| {
        let text = s.get(from..from + count)?;
        text.iter().try_fold(0u32, |n, &d| {
            Some(n.wrapping_mul(radix) + (d as char).to_digit(radix)?)
        })
    };
    match *s.get(1)? {
        b'a' => simple(7),
        b'b' => simple(8),
        b'f' => simple(12),
        b'n' => simple(10),
        b'r' => simple(13),
        b't' => simple(9),
        b'v' => simple(11),
        b'\\' => simple(b'\\'),
        e @ (b'\'' | b'"') if e == quote => simple(e),
        b'x' => Some((digits(2, 2, 16)?, false, 4)),
        e @ (b'u' | b'U') => {
            let count = if e == b'u' { 4 } else { 8 };
            let r = digits(2, count, 16)?;
            char::from_u32(r).map(|_| (r, true, 2 + count))
        }
        b'0'..=b'7' => digits(1, 3, 8).filter(|&r| r < 256).map(|r| (r, false, 4)),
        _ => None,
    }
}

/// The quoted string at the start of `s`: its value and length.
pub fn unquote_prefix(s: &[u8]) -> Option<(Vec<u8>, usize)> {
    let &q = s.first()?;
    let mut out = Vec::new();
    match q {
        b'`' => {
            let end = memchr::memchr(b'`', &s[1..])? + 1;
            out.extend(s[1..end].iter().filter(|&&c| c != b'\r'));
            Some((out, end + 1))
        }
        b'"' | b'\'' => {
            let mut at = 1;
            let mut count = 0;
            loop {
                match *s.get(at)? {
                    b'\n' => return None,
                    c if c == q => break,
                    _ => {}
                }
                let (r, multibyte, n) = unquote_char(&s[at..], q)?;
                if r < 0x80 || multibyte && !(r == RUNE_ERROR && n == 1) {
                    push_rune(&mut out, r);
                } else if multibyte {
                    push_rune(&mut out, RUNE_ERROR);
                } else {
                    out.push(r as u8);
                }
                at += n;
                count += 1;
            }
            if q == b'\'' && count != 1 {
                return None;
            }
            Some((out, at + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding() {
        assert_eq!(decode("é".as_bytes()), (0xE9, 2));
        assert_eq!(decode(b"\xff"), (RUNE_ERROR, 1));
        assert_eq!(decode_last("a界".as_bytes()), (0x754C, 3));
        assert_eq!(decode_last(b"a\x80"), (RUNE_ERROR, 1));
        assert!(!full_rune(b"\xe7\x95"));
        assert!(full_rune(b"\xc0") && full_rune(b"a") && !full_rune(b""));
    }

    #[test]
    fn splitting() {
        assert_eq!(split(b"a,b,c", b",", 0, -1), [(0, 1), (2, 3), (4, 5)]);
        assert_eq!(split(b"a,b,c", b",", 1, 2), [(0, 2), (2, 5)]);
        assert_eq!(split(b"", b",", 0, -1), [(0, 0)]);
        assert_eq!(fields(b"  a bc "), [(2, 3), (4, 6)]);
    }

    #[test]
    fn replacing() {
        assert_eq!(replace(b"abc", b"", b"-", -1), b"-a-b-c-");
        assert_eq!(replace(b"aaa", b"a", b"b", 2), b"bba");
        assert_eq!(
            replace_many(b"<a>", &[(b"<", b"&lt;"), (b">", b"&gt;")]),
            b"&lt;a&gt;"
        );
    }

    #[test]
    fn case() {
        assert!(equal_fold("Straße".as_bytes(), "sTRAßE".as_bytes()));
        assert_eq!(ucd::simple_fold('k' as u32), 0x212A);
        assert_eq!(ucd::simple_fold('A' as u32), 'a' as u32);
        assert_eq!(ucd::simple_fold('1' as u32), '1' as u32);
        assert_eq!(to_lower(0x130), 0x69);
    }

    #[test]
    fn quoting() {
        assert_eq!(
            quote(b"a\"\n\xff\x01", Plain::Print),
            b"\"a\\\"\\n\\xff\\x01\""
        );
        assert_eq!(quote_rune(0x754C, Plain::Ascii), b"'\\u754c'");
        assert_eq!(unquote_prefix(b"'\\x41'"), Some((b"A".to_vec(), 6)));
        assert_eq!(unquote_prefix(b"\"a\\q\""), None);
    }
}
