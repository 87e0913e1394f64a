//! What may stand where the cursor is: names, members behind a dot, commands, files in strings.
use super::{Repl, command};
use lang::complete::Words;
use lang::highlight::{Place, place};
use rustyline::completion::Pair;
use std::path::Path;

/// Candidates for the word that ends `before`, and where that starts.
pub fn candidates(repl: &mut Repl<'_>, before: &str) -> (usize, Vec<Pair>) {
    if let Some(line) = before.strip_prefix(':') {
        return command_line(repl, before, line);
    }
    if let Some(name) = before.strip_prefix('?') {
        return code(repl, before, name, false);
    }
    match place(before) {
        Place::String(start) => (start, files(&before[start..])),
        Place::Opaque => (before.len(), Vec::new()),
        Place::Code => code(repl, before, before, true),
    }
}

fn command_line(repl: &mut Repl<'_>, before: &str, line: &str) -> (usize, Vec<Pair>) {
    let Some((name, rest)) = line.split_once(' ') else {
        let names = command::COMMANDS.iter().map(|(name, ..)| *name);
        let found = names.filter(|n| n.starts_with(line));
        return (
            1,
            found.map(|n| pair(n.to_string(), n.to_string())).collect(),
        );
    };
    match name {
        "load" => {
            let start = before.len() - rest.trim_start().len();
            (start, files(&before[start..]))
        }
        _ => code(repl, before, rest, false),
    }
}

/// In code; `text` is the part of `before` that is code.
fn code(repl: &mut Repl<'_>, before: &str, text: &str, keywords: bool) -> (usize, Vec<Pair>) {
    let packages: Vec<&str> = stdlib::packages().collect();
    let words = Words {
        keywords,
        packages: &packages,
    };
    let known = repl.session.completions(text, words);
    let word = &text[known.start..];
    let mut names: Vec<String> = known.names.into_iter().map(|name| name.text).collect();
    if !text[..known.start].ends_with('.') {
        names.extend(repl.vm.known_roots().into_iter().map(|(name, _)| name));
    }
    names.retain(|name| name.starts_with(word) && !(word.is_empty() && name == "_"));
    names.sort();
    names.dedup();
    let found = names.into_iter().map(|name| pair(name.clone(), name));
    (before.len() - word.len(), found.collect())
}

fn pair(display: String, replacement: String) -> Pair {
    Pair {
        display,
        replacement,
    }
}

/// Files whose paths begin with the text; folders end in a slash.
fn files(text: &str) -> Vec<Pair> {
    let (folder, name) = match text.rfind('/') {
        Some(at) => text.split_at(at + 1),
        None => ("", text),
    };
    let home = std::env::var("HOME").unwrap_or_default();
    let real = match folder.strip_prefix("~/") {
        Some(rest) => Path::new(&home).join(rest),
        None => Path::new(if folder.is_empty() { "." } else { folder }).to_path_buf(),
    };
    let Ok(entries) = std::fs::read_dir(real) else {
        return Vec::new();
    };
    let mut found: Vec<Pair> = entries
        .filter_map(Result::ok)
        .filter_map(|e| {
            let file = e.file_name().into_string().ok()?;
            let hidden = file.starts_with('.') && !name.starts_with('.');
            if hidden || !file.starts_with(name) {
                return None;
            }
            let slash = if e.path().is_dir() { "/" } else { "" };
            Some(pair(
                format!("{file}{slash}"),
                format!("{folder}{file}{slash}"),
            ))
        })
        .collect();
    found.sort_by(|a, b| a.replacement.cmp(&b.replacement));
    found
}
