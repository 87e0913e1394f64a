//! Paths to values: `users["ada"].orders[3]`, from a root by fields, indices, slices and keys of maps; pointers and
//! interfaces on the way are followed.
use super::print;
use super::value::{
    Bounds, Form, Place, Reader, Value, desc, dynamic, for_each_entry, place, sequence, string,
    target, type_name,
};
use pheap::{Error, Kind, Result, View};

/// Names listed in messages at most.
const LISTED: usize = 12;
/// Pointers followed for one step at most: a cycle of pointers has no end.
const HOPS: usize = 64;
/// How much of a key its text in a path gives.
const KEY_BOUNDS: Bounds = Bounds {
    depth: 8,
    width: 1000,
};

#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    Field(String),
    /// The text between brackets.
    Bracket(String),
}

/// What a path leads to; or, as the inner error, why it leads nowhere.
pub enum Found {
    At(Place),
    /// Elements from, to (behind the last) of a slice or an array.
    Range(Place, u64, u64),
}

fn list(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.take(LISTED + 1).collect();
    if names.is_empty() {
        return "nothing".into();
    }
    if names.len() > LISTED {
        names[LISTED] = "…".into();
    }
    names.join(", ")
}

/// The root that a path begins with, the longest if several fit, and the steps behind it.
fn split<'a>(view: &View, path: &'a str) -> std::result::Result<(Place, &'a str), String> {
    view.roots()
        .iter()
        .filter(|root| {
            path.strip_prefix(root.name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
        .max_by_key(|root| root.name.len())
        .map(|root| {
            let at = Place {
                type_index: root.type_index,
                addr: root.addr,
            };
            (at, &path[root.name.len()..])
        })
        .ok_or_else(|| {
            let names = list(view.roots().iter().map(|root| root.name.clone()));
            format!("no root of this name: {path}; there is {names}")
        })
}

/// The steps of what follows a root's name.
fn steps(text: &str) -> std::result::Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let body = &rest[first.len_utf8()..];
        match first {
            '.' => {
                let end = body.find(['.', '[']).unwrap_or(body.len());
                if end == 0 {
                    return Err(format!("a name is missing in the path at {rest}"));
                }
                steps.push(Step::Field(body[..end].to_string()));
                rest = &body[end..];
            }
            '[' => {
                let Some(end) = closing(body) else {
                    return Err(format!("a ] is missing in the path at {rest}"));
                };
                steps.push(Step::Bracket(body[..end].trim().to_string()));
                rest = &body[end + 1..];
            }
            _ => return Err(format!("expected . or [ in the path at {rest}")),
        }
    }
    Ok(steps)
}

/// Where the bracket ends that was opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0, None, false);
    for (at, c) in text.char_indices() {
        match (quoted, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some('"' | '\''), '\\') => escaped = true,
            (Some(q), c) if q == c => quoted = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quoted = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The text of a string literal; other text as it is, so that quotes may be left out.
fn unquote(text: &str) -> String {
    let inner = |quote: char| {
        text.strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    if let Some(raw) = inner('`') {
        return raw.to_string();
    }
    let Some(body) = inner('"') else {
        return text.to_string();
    };
    let (mut out, mut chars) = (String::new(), body.chars());
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('u') => {
                let digits: String = chars.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok();
                out.extend(code.and_then(char::from_u32));
            }
            Some(c) => out.push(c),
            None => {}
        }
    }
    out
}

/// Follows pointers and interfaces.
fn follow(view: &View, mut at: Place) -> Result<std::result::Result<Place, String>> {
    for _ in 0..HOPS {
        let next = match desc(view, at).kind {
            Kind::Pointer => target(view, at)?,
            Kind::Interface => match dynamic(view, at) {
                Err(Error::Damaged { what, .. }) => return Ok(Err(format!("is {what}"))),
                found => found?.map(|(inner, _)| inner),
            },
            _ => return Ok(Ok(at)),
        };
        match next {
            Some(next) => at = next,
            None => return Ok(Err("is nil".into())),
        }
    }
    Ok(Err("is a pointer to pointers without end".into()))
}

/// Whether a key is what the text in brackets says.
fn is_key(key: &Value, text: &str) -> bool {
    match &key.form {
        Form::Str(have, 0) => *have == unquote(text),
        Form::Int(have) => text.parse() == Ok(*have),
        Form::Uint(have) => text.parse() == Ok(*have),
        _ => {
            let bare = |text: &str| text.replace(char::is_whitespace, "").replace("main.", "");
            let (have, text) = (bare(&print::inline(key)), bare(text));
            // The type of a key that is a struct or array goes without saying.
            have == text
                || (text.starts_with('{')
                    && have.strip_prefix(&bare(&key.type_name)) == Some(&text))
        }
    }
}

/// A field, also of an embedded struct.
fn field(view: &View, at: Place, name: &str, levels: usize) -> Result<Option<Place>> {
    let fields = &desc(view, at).fields;
    let part = |f: &pheap::Field| place(view, f.type_key, at.addr + u64::from(f.offset));
    if let Some(found) = fields.iter().find(|f| f.name == name) {
        return part(found).map(Some);
    }
    if levels == 0 {
        return Ok(None);
    }
    for f in fields {
        let inner = part(f)?;
        let own = type_name(desc(view, inner));
        let own = own.trim_start_matches('*');
        // Embedded fields are named after their types.
        let base = own.split('[').next().unwrap_or(own);
        if base.rsplit('.').next() != Some(f.name.as_str()) {
            continue;
        }
        if let Ok(inner) = follow(view, inner)?
            && desc(view, inner).kind == Kind::Struct
            && let Some(found) = field(view, inner, name, levels - 1)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Finds what a path leads to; the inner error says in a line what there is instead.
pub fn find(view: &View, path: &str) -> Result<std::result::Result<Found, String>> {
    let (mut at, rest) = match split(view, path) {
        Ok(found) => found,
        Err(message) => return Ok(Err(message)),
    };
    let steps = match steps(rest) {
        Ok(steps) => steps,
        Err(message) => return Ok(Err(message)),
    };
    for (i, step) in steps.iter().enumerate() {
        let inner = match follow(view, at)? {
            Ok(inner) => inner,
            Err(what) => {
                return Ok(Err(format!(
                    "{path}: what step {} is taken of {what}",
                    i + 1
                )));
            }
        };
        let taken = match step {
            Step::Field(name) => take_field(view, inner, name)?.map(Found::At),
            Step::Bracket(text) => take_bracket(view, inner, text)?,
        };
        at = match taken {
            Ok(Found::At(next)) => next,
            Ok(range) if i + 1 == steps.len() => return Ok(Ok(range)),
            Ok(_) => return Ok(Err(format!("{path}: [i:j] must be the path's last step"))),
            Err(message) => return Ok(Err(format!("{path}: {message}"))),
        };
    }
    Ok(Ok(Found::At(at)))
}

fn take_field(view: &View, at: Place, name: &str) -> Result<std::result::Result<Place, String>> {
    let desc = desc(view, at);
    if desc.kind != Kind::Struct {
        return Ok(Err(format!("{} has no fields", type_name(desc))));
    }
    Ok(field(view, at, name, 8)?.ok_or_else(|| {
        let names = list(desc.fields.iter().map(|f| f.name.clone()));
        format!("{} has no field {name}; there is {names}", type_name(desc))
    }))
}

fn take_bracket(view: &View, at: Place, text: &str) -> Result<std::result::Result<Found, String>> {
    let desc = desc(view, at);
    let name = type_name(desc);
    match desc.kind {
        Kind::Map => {
            let (mut found, mut names) = (None, Vec::new());
            let wanted = unquote(text);
            for_each_entry(view, at, |key, value| {
                let is_string = super::value::desc(view, key).kind == Kind::String;
                if is_string && names.len() > LISTED {
                    let (bytes, len) = string(view, key, wanted.len() as u64 + 1)?;
                    if len == wanted.len() as u64 && bytes == wanted.as_bytes() {
                        found = Some(value);
                    }
                    return Ok(found.is_none());
                }
                let key = Reader::new(view, KEY_BOUNDS).read(key)?;
                if is_key(&key, text) {
                    found = Some(value);
                } else if names.len() <= LISTED {
                    names.push(print::inline(&key));
                }
                Ok(found.is_none())
            })?;
            Ok(match found {
                Some(value) => Ok(Found::At(value)),
                None => Err(format!(
                    "{name} has no key {text}; there is {}",
                    list(names.into_iter())
                )),
            })
        }
        Kind::Slice | Kind::Array => {
            let (start, len, size) = sequence(view, at)?;
            let number = |text: &str, none: u64| match text.trim() {
                "" => Some(none),
                text => text.parse().ok(),
            };
            if let Some((from, to)) = text.split_once(':') {
                return Ok(match (number(from, 0), number(to, len)) {
                    (Some(from), Some(to)) if from <= to && to <= len => {
                        Ok(Found::Range(at, from, to))
                    }
                    _ => Err(format!("[{text}] is no part of {name} of length {len}")),
                });
            }
            match text.parse::<u64>() {
                Ok(i) if i < len => {
                    place(view, desc.elem, start + i * size).map(|at| Ok(Found::At(at)))
                }
                _ => Ok(Err(format!(
                    "no element [{text}] in {name} of length {len}"
                ))),
            }
        }
        _ => Ok(Err(format!("{name} has no elements"))),
    }
}
