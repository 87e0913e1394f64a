//! Natives of package path.

use vm::native::NativeDef;

use crate::text;

fn clean(path: &[u8]) -> Vec<u8> {
    if path.is_empty() {
        return b".".to_vec();
    }
    let rooted = path[0] == b'/';
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&c| c == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match parts.last() {
                Some(&last) if last != b".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(part),
            },
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", &joined[..]].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

/// A character of a class, escapes undone.
fn class_char(p: &[u8]) -> Result<(u32, &[u8]), ()> {
    let p = match p.first() {
        None | Some(b'-' | b']') => return Err(()),
        Some(b'\\') => &p[1..],
        _ => p,
    };
    let (r, n) = text::decode(p);
    if n == 0 || r == text::RUNE_ERROR && n == 1 || p.len() == n {
        return Err(());
    }
    Ok((r, &p[n..]))
}

/// Matches one item that is no star at the start of both; what remains of the pattern, and of the name if it fits.
fn item<'p, 'n>(p: &'p [u8], name: Option<&'n [u8]>) -> Result<(&'p [u8], Option<&'n [u8]>), ()> {
    let (r, n) = text::decode(name.unwrap_or_default());
    let rest = |fits: bool| name.filter(|s| fits && !s.is_empty()).map(|s| &s[n..]);
    match p[0] {
        b'[' => {
            let mut p = &p[1..];
            let negated = p.first() == Some(&b'^');
            if negated {
                p = &p[1..];
            }
            let (mut found, mut ranges) = (false, 0);
            loop {
                if p.first() == Some(&b']') && ranges > 0 {
                    p = &p[1..];
                    break;
                }
                let (low, next) = class_char(p)?;
                p = next;
                let mut high = low;
                if p.first() == Some(&b'-') {
                    (high, p) = class_char(&p[1..])?;
                }
                found |= low <= r && r <= high;
                ranges += 1;
            }
            Ok((p, rest(found != negated)))
        }
        b'?' => Ok((&p[1..], rest(r != u32::from(b'/')))),
        b'\\' if p.len() == 1 => Err(()),
        c => {
            let (c, used) = if c == b'\\' { (p[1], 2) } else { (c, 1) };
            let fits = name.and_then(|s| s.first()) == Some(&c);
            Ok((&p[used..], name.filter(|_| fits).map(|s| &s[1..])))
        }
    }
}

/// Matches items up to the next star; None where they do not fit. Always reads the whole chunk for its syntax.
fn chunk<'n>(mut p: &[u8], name: &'n [u8]) -> Result<Option<&'n [u8]>, ()> {
    let mut name = Some(name);
    while !p.is_empty() {
        (p, name) = item(p, name)?;
    }
    Ok(name)
}

/// Stars at the start, the chunk up to the next star, the rest.
fn scan_chunk(p: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = p.iter().take_while(|&&c| c == b'*').count();
    let p = &p[stars..];
    let (mut i, mut in_class) = (0, false);
    while i < p.len() {
        match p[i] {
            b'\\' => i += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' if !in_class => break,
            _ => {}
        }
        i += 1;
    }
    let i = i.min(p.len());
    (stars > 0, &p[..i], &p[i..])
}

pub fn matches(mut pattern: &[u8], mut name: &[u8]) -> Result<bool, ()> {
    'pattern: while !pattern.is_empty() {
        let (star, part, rest) = scan_chunk(pattern);
        pattern = rest;
        if star && part.is_empty() {
            return Ok(!name.contains(&b'/'));
        }
        if let Some(left) = chunk(part, name)?
            && (left.is_empty() || !pattern.is_empty())
        {
            name = left;
            continue;
        }
        if star {
            let mut i = 0;
            while i < name.len() && name[i] != b'/' {
                if let Some(left) = chunk(part, &name[i + 1..])?
                    && (!pattern.is_empty() || left.is_empty())
                {
                    name = left;
                    continue 'pattern;
                }
                i += 1;
            }
        }
        // No match; the remaining pattern must still be well-formed.
        while !pattern.is_empty() {
            let (_, part, rest) = scan_chunk(pattern);
            pattern = rest;
            chunk(part, b"")?;
        }
        return Ok(false);
    }
    Ok(name.is_empty())
}

pub const NATIVES: &[NativeDef] = natives! {
    "path.Clean" "func(string) string" => |c| {
        let s = c.str();
        let out = clean(c.get(s));
        c.ret_str(out);
    };
    "path.match" "func(string, string) int" => |c| {
        let (pattern, name) = (c.str(), c.str());
        let found = matches(c.get(pattern), c.get(name));
        c.ret_int(found.map_or(2, i64::from));
    };
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning() {
        for (path, want) in [("", "."), ("a//b/../c/.", "a/c"), ("/..", "/"), ("../../x", "../../x"), ("a/..", ".")] {
            assert_eq!(clean(path.as_bytes()), want.as_bytes(), "{path}");
        }
    }

    #[test]
    fn matching() {
        for (p, s, want) in [
            ("abc", "abc", Ok(true)),
            ("*c", "abc", Ok(true)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*", "ab/c", Ok(false)),
            ("a[b-d]e", "ace", Ok(true)),
            ("[^a]x", "bx", Ok(true)),
            ("a\\*b", "a*b", Ok(true)),
            ("[", "a", Err(())),
            ("[a", "b", Err(())),
            ("a?b", "a/b", Ok(false)),
            ("*.pgo", "x.pgo", Ok(true)),
        ] {
            assert_eq!(matches(p.as_bytes(), s.as_bytes()), want, "{p} {s}");
        }
    }
}
