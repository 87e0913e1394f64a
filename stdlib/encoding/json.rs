//! Natives of package encoding/json: the grammar (checking, skipping), strings, layout, base64.

use vm::native::NativeDef;

use crate::text;

/// Nesting beyond this is refused, as Go does.
const DEPTH_MAX: usize = 10_000;

/// What is wrong with a text, and how many bytes of it were read.
struct Wrong {
    offset: usize,
    message: String,
}

const EARLY_END: &str = "unexpected end of JSON input";

fn shown(s: &[u8]) -> String {
    let (r, n) = text::decode(s);
    match r {
        0x27 => r"'\''".into(),
        0x22 => "'\"'".into(),
        0xfffd if n == 1 => format!("'\\x{:02x}'", s[0]),
        _ => String::from_utf8_lossy(&text::quote_rune(r.into(), text::Plain::Print)).into_owned(),
    }
}

/// A walk over a JSON text.
struct Scan<'a> {
    s: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn space(&mut self) {
        while matches!(self.s.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn early_end(&self) -> Wrong {
        Wrong { offset: self.s.len(), message: EARLY_END.into() }
    }

    fn invalid(&self, context: &str) -> Wrong {
        match self.s.get(self.at) {
            None => self.early_end(),
            Some(_) => Wrong {
                offset: self.at + 1,
                message: format!("invalid character {} {context}", shown(&self.s[self.at..])),
            },
        }
    }

    /// One value, the cursor at its first byte.
    fn value(&mut self) -> Result<(), Wrong> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            self.space();
            match self.s.get(self.at) {
                Some(&c @ (b'{' | b'[')) => {
                    self.at += 1;
                    if open.len() >= DEPTH_MAX {
                        return Err(Wrong { offset: self.at, message: "exceeded max depth".into() });
                    }
                    self.space();
                    if self.s.get(self.at) == Some(&(c + 2)) {
                        self.at += 1;
                    } else {
                        open.push(c);
                        if c == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                Some(b'"') => self.string()?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.literal(b"true")?,
                Some(b'f') => self.literal(b"false")?,
                Some(b'n') => self.literal(b"null")?,
                _ => return Err(self.invalid("looking for beginning of value")),
            }
            // After a value: whatever it ends.
            loop {
                let Some(&container) = open.last() else {
                    return Ok(());
                };
                self.space();
                match (container, self.s.get(self.at)) {
                    (b'{', Some(b',')) => {
                        self.at += 1;
                        self.space();
                        self.key()?;
                        break;
                    }
                    (b'[', Some(b',')) => {
                        self.at += 1;
                        break;
                    }
                    (b'{', Some(b'}')) | (b'[', Some(b']')) => {
                        self.at += 1;
                        open.pop();
                    }
                    (b'{', _) => return Err(self.invalid("after object key:value pair")),
                    _ => return Err(self.invalid("after array element")),
                }
            }
        }
    }

    fn key(&mut self) -> Result<(), Wrong> {
        if self.s.get(self.at) != Some(&b'"') {
            return Err(self.invalid("looking for beginning of object key string"));
        }
        self.string()?;
        self.space();
        if self.s.get(self.at) != Some(&b':') {
            return Err(self.invalid("after object key"));
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<(), Wrong> {
        self.at += 1;
        loop {
            match self.s.get(self.at) {
                None => return Err(self.early_end()),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(0..=0x1f) => return Err(self.invalid("in string")),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), Wrong> {
        let rest = &self.s[self.at..];
        let len = match rest.get(1) {
            None => return Err(self.early_end()),
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                return Ok(());
            }
            Some(b'u') => {
                let digits = rest[2..].iter().take(4).take_while(|c| c.is_ascii_hexdigit()).count();
                if digits == 4 {
                    self.at += 6;
                    return Ok(());
                }
                if rest.len() == 2 + digits {
                    return Err(self.early_end());
                }
                rest.len().min(6)
            }
            Some(_) => 2,
        };
        let sequence = String::from_utf8_lossy(&rest[..len]).into_owned();
        Err(Wrong {
            offset: self.at + len,
            message: format!("invalid escape sequence `{sequence}` in string"),
        })
    }

    fn digits(&mut self, start: usize) -> Result<(), Wrong> {
        let first = self.at;
        while matches!(self.s.get(self.at), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > first {
            return Ok(());
        }
        match self.s.get(self.at) {
            None => Err(Wrong { offset: start, message: EARLY_END.into() }),
            Some(_) => Err(self.invalid("in numeric literal")),
        }
    }

    fn number(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        if self.s[self.at] == b'-' {
            self.at += 1;
        }
        if self.s.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits(start)?;
        }
        if self.s.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits(start)?;
        }
        if matches!(self.s.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.s.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits(start)?;
        }
        Ok(())
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Wrong> {
        for c in word {
            if self.s.get(self.at) != Some(c) {
                let word = String::from_utf8_lossy(word);
                return Err(self.invalid(&format!("in literal {word} (expecting '{}')", char::from(*c))));
            }
            self.at += 1;
        }
        Ok(())
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends a string as JSON.
fn quote(out: &mut Vec<u8>, s: &[u8], html: bool) {
    out.push(b'"');
    let mut start = 0;
    let mut i = 0;
    while i < s.len() {
        let c = s[i];
        if (0x20..0x80).contains(&c) && c != b'"' && c != b'\\' && !(html && matches!(c, b'<' | b'>' | b'&')) {
            i += 1;
            continue;
        }
        let (r, n) = if c < 0x80 { (u32::from(c), 1) } else { text::decode(&s[i..]) };
        let is_invalid = r == 0xfffd && n == 1;
        if c >= 0x80 && !is_invalid && r != 0x2028 && r != 0x2029 {
            i += n;
            continue;
        }
        out.extend_from_slice(&s[start..i]);
        match c {
            _ if is_invalid => out.extend("\u{fffd}".as_bytes()),
            b'"' | b'\\' => out.extend([b'\\', c]),
            8 => out.extend(b"\\b"),
            12 => out.extend(b"\\f"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            _ => {
                out.extend(b"\\u");
                out.extend([12, 8, 4, 0].map(|shift| HEX[(r >> shift & 15) as usize]));
            }
        }
        i += n;
        start = i;
    }
    out.extend_from_slice(&s[start..]);
    out.push(b'"');
}

fn hex4(s: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(s.get(..4)?).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

/// The string that a valid literal, quotes included, stands for.
fn unquote(s: &[u8]) -> Vec<u8> {
    let s = &s[1..s.len() - 1];
    let mut out = Vec::with_capacity(s.len());
    let mut i = 0;
    while i < s.len() {
        if s[i] == b'\\' {
            i += 2;
            match s[i - 1] {
                b'b' => out.push(8),
                b'f' => out.push(12),
                b'n' => out.push(b'\n'),
                b'r' => out.push(b'\r'),
                b't' => out.push(b'\t'),
                b'u' => {
                    let mut r = hex4(&s[i..]).unwrap_or(0xfffd);
                    i += 4;
                    if (0xd800..0xdc00).contains(&r)
                        && s[i..].starts_with(b"\\u")
                        && let Some(low @ 0xdc00..0xe000) = hex4(&s[i + 2..])
                    {
                        r = 0x10000 + ((r - 0xd800) << 10) + (low - 0xdc00);
                        i += 6;
                    }
                    let c = char::from_u32(r).unwrap_or('\u{fffd}');
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                c => out.push(c),
            }
        } else if s[i] < 0x80 {
            out.push(s[i]);
            i += 1;
        } else {
            let (r, n) = text::decode(&s[i..]);
            let c = char::from_u32(r).unwrap_or('\u{fffd}');
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            i += n;
        }
    }
    out
}

/// A valid text without its space; `html`: with `<`, `>`, `&` and line separators escaped.
fn compact(s: &[u8], html: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len());
    let mut in_string = false;
    let mut i = 0;
    while i < s.len() {
        let c = s[i];
        let separator = html && s[i..].starts_with(b"\xe2\x80") && matches!(s.get(i + 2), Some(0xa8 | 0xa9));
        if separator {
            out.extend(b"\\u202");
            out.push(HEX[usize::from(s[i + 2] & 15)]);
            i += 3;
            continue;
        }
        if html && matches!(c, b'<' | b'>' | b'&') {
            out.extend(b"\\u00");
            out.extend([HEX[usize::from(c >> 4)], HEX[usize::from(c & 15)]]);
            i += 1;
            continue;
        }
        if in_string && c == b'\\' {
            out.extend_from_slice(&s[i..(i + 2).min(s.len())]);
            i += 2;
            continue;
        }
        if c == b'"' {
            in_string = !in_string;
        }
        if in_string || !matches!(c, b' ' | b'\t' | b'\r' | b'\n') {
            out.push(c);
        }
        i += 1;
    }
    out
}

/// A valid text, one element a line.
fn indent(s: &[u8], prefix: &[u8], step: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len() * 2);
    let mut depth = 0usize;
    let mut i = 0;
    let newline = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.extend_from_slice(prefix);
        for _ in 0..depth {
            out.extend_from_slice(step);
        }
    };
    while i < s.len() {
        let c = s[i];
        i += 1;
        match c {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'"' => {
                let mut scan = Scan { s, at: i - 1 };
                let _ = scan.string();
                out.extend_from_slice(&s[i - 1..scan.at]);
                i = scan.at;
            }
            b'{' | b'[' => {
                out.push(c);
                let mut scan = Scan { s, at: i };
                scan.space();
                if scan.s.get(scan.at) == Some(&(c + 2)) {
                    out.push(c + 2);
                    i = scan.at + 1;
                } else {
                    depth += 1;
                    newline(&mut out, depth);
                }
            }
            b',' => {
                out.push(c);
                newline(&mut out, depth);
            }
            b':' => out.extend(b": "),
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                newline(&mut out, depth);
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(out: &mut Vec<u8>, s: &[u8]) {
    for chunk in s.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = BASE64[(bits >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= chunk.len() { digit } else { b'=' });
        }
    }
}

/// The bytes, or where the text is wrong.
fn unbase64(s: &[u8]) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(s.len() / 4 * 3);
    let (mut bits, mut n, mut pads) = (0u32, 0, 0);
    for (i, c) in s.iter().enumerate() {
        if matches!(c, b'\r' | b'\n') {
            continue;
        }
        let digit = BASE64.iter().position(|d| d == c);
        match digit {
            Some(d) if pads == 0 => bits = bits << 6 | d as u32,
            None if *c == b'=' && n >= 2 => {
                pads += 1;
                bits <<= 6;
            }
            _ => return Err(i),
        }
        n += 1;
        if n == 4 {
            out.extend_from_slice(&bits.to_be_bytes()[1..4 - pads]);
            if pads > 0 {
                let rest = s[i + 1..].iter().position(|c| !matches!(c, b'\r' | b'\n'));
                return match rest {
                    Some(at) => Err(i + 1 + at),
                    None => Ok(out),
                };
            }
            (bits, n) = (0, 0);
        }
    }
    if n == 0 { Ok(out) } else { Err(s.len() - n) }
}


pub const NATIVES: &[NativeDef] = natives! {
    // The end of the value that starts at a position, space before it skipped; else how far the text is good, and
    // what is wrong.
    "encoding/json.scan" "func([]uint8, int) (int, int, string)" => |c| {
        let (s, at) = (c.bytes(), c.int() as usize);
        let mut scan = Scan { s: c.bytes_of(s), at };
        let wrong = scan.value().err();
        let end = scan.at;
        c.ret_int(end as i64);
        c.ret_int(wrong.as_ref().map_or(0, |wrong| wrong.offset as i64));
        c.ret_str(wrong.map_or(String::new(), |wrong| wrong.message));
    };
    "encoding/json.wrongCharacter" "func([]uint8, int, string) string" => |c| {
        let (s, at, context) = (c.bytes(), c.int() as usize, c.str());
        let context = String::from_utf8_lossy(c.get(context)).into_owned();
        let wrong = Scan { s: c.bytes_of(s), at }.invalid(&context);
        c.ret_str(wrong.message);
    };
    "encoding/json.skipSpace" "func([]uint8, int) int" => |c| {
        let (s, at) = (c.bytes(), c.int() as usize);
        let mut scan = Scan { s: c.bytes_of(s), at };
        scan.space();
        let end = scan.at;
        c.ret_int(end as i64);
    };
    "encoding/json.appendQuoted" "func([]uint8, string, bool) []uint8" => |c| {
        let (dst, s, html) = (c.bytes(), c.str(), c.bool());
        let mut out = Vec::with_capacity(s.len() + 2);
        quote(&mut out, c.get(s), html);
        let dst = c.append_bytes(dst, &out);
        c.ret_slice(dst);
    };
    "encoding/json.unquote" "func([]uint8, int, int) string" => |c| {
        let (s, start, end) = (c.bytes(), c.int() as usize, c.int() as usize);
        let text = unquote(&c.bytes_of(s)[start..end]);
        c.ret_str(text);
    };
    "encoding/json.compacted" "func([]uint8, []uint8, bool) []uint8" => |c| {
        let (dst, s, html) = (c.bytes(), c.bytes(), c.bool());
        let out = compact(c.bytes_of(s), html);
        let dst = c.append_bytes(dst, &out);
        c.ret_slice(dst);
    };
    // <, >, & and the line separators only, space kept.
    "encoding/json.escaped" "func([]uint8) []uint8" => |c| {
        let s = c.bytes();
        let mut out = Vec::new();
        for part in c.bytes_of(s).split_inclusive(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
            out.extend(match part.split_last() {
                Some((&space @ (b' ' | b'\t' | b'\r' | b'\n'), rest)) => {
                    let mut part = compact(rest, true);
                    part.push(space);
                    part
                }
                _ => compact(part, true),
            });
        }
        c.ret_bytes(&out);
    };
    "encoding/json.indented" "func([]uint8, []uint8, string, string) []uint8" => |c| {
        let (dst, s, prefix, step) = (c.bytes(), c.bytes(), c.str(), c.str());
        let out = indent(c.bytes_of(s), c.get(prefix), c.get(step));
        let dst = c.append_bytes(dst, &out);
        c.ret_slice(dst);
    };
    "encoding/json.appendBase64" "func([]uint8, []uint8) []uint8" => |c| {
        let (dst, s) = (c.bytes(), c.bytes());
        let mut out = Vec::new();
        base64(&mut out, c.bytes_of(s));
        let dst = c.append_bytes(dst, &out);
        c.ret_slice(dst);
    };
    // The bytes, and where the text is wrong or -1.
    "encoding/json.fromBase64" "func(string) ([]uint8, int)" => |c| {
        let s = c.str();
        let (bytes, wrong) = match unbase64(c.get(s)) {
            Ok(bytes) => (bytes, -1),
            Err(at) => (Vec::new(), at as i64),
        };
        c.ret_bytes(&bytes);
        c.ret_int(wrong);
    };
};
