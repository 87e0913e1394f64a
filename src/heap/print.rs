//! Trees of values as text: in Go's syntax, or as JSON.
use super::time;
use super::value::{Form, Value};
use crate::quote::quoted;
use std::fmt::Write;

const LINE_CHARS: usize = 100;

fn float(value: f64, short: String) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.into()
    } else if value != 0.0 && !(1e-5..1e21).contains(&value.abs()) {
        format!("{value:e}")
    } else {
        short
    }
}

/// Plain values; none for those with parts.
fn plain(value: &Value) -> Option<String> {
    let name = &value.type_name;
    Some(match &value.form {
        Form::Nil => "nil".into(),
        Form::Bool(b) => b.to_string(),
        Form::Int(i) if name == "time.Duration" => time::duration(*i),
        Form::Int(i) => i.to_string(),
        Form::Moment(moment) => moment.text(),
        Form::Uint(u) => u.to_string(),
        Form::Float32(f) => float((*f).into(), f.to_string()),
        Form::Float64(f) => float(*f, f.to_string()),
        Form::Complex(re, im) => format!("({re}{im:+}i)"),
        Form::Str(text, 0) => quoted(text),
        Form::Str(text, left) => format!("{} /* {left} bytes more */", quoted(text)),
        Form::Cycle(addr) => format!("({name})({addr:#x}) /* cycle */"),
        Form::Deep => match name.strip_prefix('*') {
            Some(target) => format!("&{target}{{…}}"),
            None => format!("{name}{{…}}"),
        },
        Form::Unreadable(what) => format!("/* unreadable: {what} */"),
        _ => return None,
    })
}

/// The whole value on one line, as keys of maps are named in paths.
pub fn inline(value: &Value) -> String {
    if let Some(text) = plain(value) {
        return text;
    }
    if let Form::Pointer(to) = &value.form {
        return format!("&{}", inline(to));
    }
    format!("{}{{{}}}", value.type_name, parts(value, inline).join(", "))
}

fn parts(value: &Value, print: impl Fn(&Value) -> String) -> Vec<String> {
    let (mut parts, left): (Vec<String>, u64) = match &value.form {
        Form::Seq(items, left) => (items.iter().map(print).collect(), *left),
        Form::Map(entries, left) => (
            entries
                .iter()
                .map(|(key, value)| format!("{}: {}", inline(key), print(value)))
                .collect(),
            *left,
        ),
        Form::Struct(fields) => (
            fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", print(value)))
                .collect(),
            0,
        ),
        _ => (Vec::new(), 0),
    };
    if left > 0 {
        parts.push(format!("… /* {left} more */"));
    }
    parts
}

/// In Go's syntax, over several lines where one would be long.
pub fn go(value: &Value, indent: usize) -> String {
    let line = inline(value);
    if line.chars().count() + indent * 4 <= LINE_CHARS || plain(value).is_some() {
        return line;
    }
    if let Form::Pointer(to) = &value.form {
        return format!("&{}", go(to, indent));
    }
    let pad = "    ".repeat(indent + 1);
    let mut out = format!("{}{{\n", value.type_name);
    for part in parts(value, |part| go(part, indent + 1)) {
        let _ = writeln!(out, "{pad}{part},");
    }
    out + &"    ".repeat(indent) + "}"
}

/// As JSON: pointers as what they point to, what was left out as an object with one member that begins with `$`.
pub fn json(value: &Value) -> String {
    let more = |left: u64| format!("{{\"$more\":{left}}}");
    match &value.form {
        Form::Nil => "null".into(),
        Form::Float32(f) if !f.is_finite() => quoted(&float((*f).into(), String::new())),
        Form::Float64(f) if !f.is_finite() => quoted(&float(*f, String::new())),
        Form::Int(i) => i.to_string(),
        Form::Moment(moment) => quoted(&moment.rfc3339()),
        Form::Bool(_) | Form::Uint(_) | Form::Float32(_) | Form::Float64(_) => {
            plain(value).unwrap_or_default()
        }
        Form::Complex(..) => quoted(&inline(value)),
        Form::Str(text, 0) => quoted(text),
        Form::Str(text, left) => format!("{{\"$text\":{},\"$more\":{left}}}", quoted(text)),
        Form::Seq(items, left) => {
            let mut items: Vec<String> = items.iter().map(json).collect();
            if *left > 0 {
                items.push(more(*left));
            }
            format!("[{}]", items.join(","))
        }
        Form::Map(entries, left) => {
            let mut members: Vec<String> = entries
                .iter()
                .map(|(key, value)| {
                    let name = match &key.form {
                        Form::Str(text, 0) => text.clone(),
                        _ => inline(key),
                    };
                    format!("{}:{}", quoted(&name), json(value))
                })
                .collect();
            if *left > 0 {
                members.push(format!("\"$more\":{left}"));
            }
            format!("{{{}}}", members.join(","))
        }
        Form::Struct(fields) => {
            let members: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}:{}", quoted(name), json(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Form::Pointer(to) => json(to),
        Form::Cycle(addr) => format!("{{\"$cycle\":\"{addr:#x}\"}}"),
        Form::Deep => format!("{{\"$deep\":{}}}", quoted(&value.type_name)),
        Form::Unreadable(what) => format!("{{\"$unreadable\":{}}}", quoted(what)),
    }
}
