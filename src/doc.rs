//! `pgo doc PACKAGE[.NAME[.METHOD]]`: shows a package, or one of its declarations, as `go doc` does.
use crate::packages::Packages;
use crate::run;
use lang::doc::{Item, ItemKind, PackageDoc};
use lang::package::PackageSource;
use std::fmt::Write;
use std::path::Path;

/// Gives the exit status.
pub fn doc(words: &[String]) -> i32 {
    match text(words) {
        Ok(text) => {
            print!("{text}");
            0
        }
        Err(message) => run::fail(&message),
    }
}

/// What there is to say of a package or one of its declarations.
///
/// # Errors
/// There is no such thing.
pub fn text(words: &[String]) -> Result<String, String> {
    let (package, mut path) = find(&words[0])?;
    path.extend(
        words[1..]
            .iter()
            .flat_map(|w| w.split('.'))
            .map(str::to_string),
    );
    let (import_path, doc) = package;
    let text = match &path[..] {
        [] => overview(&import_path, &doc),
        [name] => one(&import_path, &doc, name),
        [ty, method] => {
            let is_it = |item: &&Item| {
                item.kind == ItemKind::Method
                    && item.of.as_ref() == Some(ty)
                    && item.names[0] == *method
            };
            doc.items.iter().find(is_it).map(|item| {
                let mut out = header(&import_path, &doc);
                full(item, &mut out);
                out
            })
        }
        _ => None,
    };
    text.ok_or_else(|| format!("no {} in package {import_path}", path.join(".")))
}

/// The package that a word starts with, and the names behind it.
fn find(word: &str) -> Result<((String, PackageDoc), Vec<String>), String> {
    let mut first_error = None;
    // Dots may belong to a module's path.
    let ends = std::iter::once(word.len()).chain(word.rmatch_indices('.').map(|(at, _)| at));
    for end in ends.filter(|end| *end > 0) {
        let (package, rest) = word.split_at(end);
        let is_folder = Path::new(package).is_dir() && !stdlib::packages().any(|p| p == package);
        let import = match is_folder {
            true => format!("./{package}"),
            false => package.to_string(),
        };
        match Packages::of_program(".").load(&import, ".") {
            Ok(found) => {
                let names = rest.split('.').filter(|n| !n.is_empty());
                let doc = lang::doc::package(found.files);
                return Ok(((found.path, doc), names.map(str::to_string).collect()));
            }
            Err(e) => first_error = first_error.or(Some(e)),
        }
    }
    // A package of the library may be called by its last name alone.
    let (name, rest) = word.split_once('.').unwrap_or((word, ""));
    let named = stdlib::packages().filter(|path| path.rsplit('/').next() == Some(name));
    match named.min_by_key(|path| path.len()) {
        Some(path) if path != name => find(&format!("{path}.{rest}")),
        _ => Err(first_error.unwrap_or_else(|| format!("no package {word}"))),
    }
}

fn header(path: &str, doc: &PackageDoc) -> String {
    format!("package {} // import {path:?}\n\n", doc.name)
}

/// The package comment and a line for each declaration.
fn overview(path: &str, doc: &PackageDoc) -> Option<String> {
    let mut out = header(path, doc);
    if !doc.comment.is_empty() {
        let _ = writeln!(out, "{}", doc.comment);
    }
    let of_kind = |kind| doc.items.iter().filter(move |item| item.kind == kind);
    for kind in [ItemKind::Const, ItemKind::Var] {
        for item in of_kind(kind) {
            let _ = writeln!(out, "{}", item.summary);
        }
    }
    let mut functions: Vec<&Item> = of_kind(ItemKind::Func).collect();
    functions.sort_by_key(|item| &item.names);
    for item in functions.iter().filter(|item| item.of.is_none()) {
        let _ = writeln!(out, "{}", item.summary);
    }
    let mut types: Vec<&Item> = of_kind(ItemKind::Type).collect();
    types.sort_by_key(|item| &item.names);
    for ty in types {
        let _ = writeln!(out, "{}", ty.summary);
        for item in functions
            .iter()
            .filter(|f| f.of.as_ref() == Some(&ty.names[0]))
        {
            let _ = writeln!(out, "    {}", item.summary);
        }
    }
    Some(out)
}

/// A declaration in full, indented comment below; of a type, its functions and methods too.
fn one(path: &str, doc: &PackageDoc, name: &str) -> Option<String> {
    let mut out = header(path, doc);
    let is_it =
        |item: &&Item| item.kind != ItemKind::Method && item.names.iter().any(|n| n == name);
    let item = doc.items.iter().find(is_it)?;
    full(item, &mut out);
    if item.kind == ItemKind::Type {
        for kind in [ItemKind::Func, ItemKind::Method] {
            let mut own: Vec<&Item> = doc
                .items
                .iter()
                .filter(|item| item.kind == kind && item.of.as_deref() == Some(name))
                .collect();
            own.sort_by_key(|item| &item.names);
            for item in own {
                let _ = writeln!(out, "{}", item.summary);
            }
        }
    }
    Some(out)
}

fn full(item: &Item, out: &mut String) {
    let _ = writeln!(out, "{}", item.text);
    for line in item.comment.lines() {
        let indent = if line.is_empty() { "" } else { "    " };
        let _ = writeln!(out, "{indent}{line}");
    }
    out.push('\n');
}
