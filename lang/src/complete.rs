//! What may stand at the end of a text: the one list behind the completion of sessions and of editors.
use crate::check::{Checker, Found, implicit_packages};
pub use crate::check::{Name, NameKind};
use crate::highlight::{KEYWORDS, operand_before};
use crate::package::PackageSource;

/// Words that may stand where names may, beside those that are declared.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    pub keywords: bool,
    /// The import paths of the library.
    pub packages: &'a [&'a str],
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completions {
    /// Where the word starts that they complete.
    pub start: usize,
    /// Sorted, each text once; not only those that begin with the word.
    pub names: Vec<Name>,
}

/// Whoever knows the program that a text continues.
pub(crate) trait Known {
    fn checker(&mut self) -> &mut Checker;
    /// What an expression is.
    fn find(&mut self, expression: &str) -> Found;
    /// The names that are declared.
    fn names(&mut self) -> Vec<Name>;
}

pub(crate) fn complete(
    known: &mut dyn Known,
    before: &str,
    words: Words<'_>,
    source: &dyn PackageSource,
) -> Completions {
    let rest = before.trim_end_matches(is_word);
    let names = match rest.strip_suffix('.') {
        Some(rest) => members(known, operand_before(rest), source),
        None => {
            let mut names = known.names();
            names.extend(words_as_names(words));
            sorted(names)
        }
    };
    Completions {
        start: rest.len(),
        names,
    }
}

/// What may follow `operand.`: fields and methods, or a package's exported names.
pub(crate) fn members(
    known: &mut dyn Known,
    operand: &str,
    source: &dyn PackageSource,
) -> Vec<Name> {
    if operand.is_empty() {
        return Vec::new();
    }
    let mut found = known.find(operand);
    if matches!(found, Found::Nothing) && operand.chars().all(is_word) {
        let package = known.checker().package_named(source, operand);
        found = package.map_or(found, Found::Package);
    }
    sorted(known.checker().members(&found))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Of several with one text the first is kept.
fn sorted(mut names: Vec<Name>) -> Vec<Name> {
    names.sort_by(|a, b| a.text.cmp(&b.text));
    names.dedup_by(|a, b| a.text == b.text);
    names
}

/// Packages are those that scripts need not import.
fn words_as_names(words: Words<'_>) -> Vec<Name> {
    let name = |text: &str, kind, detail: &str| Name {
        text: text.to_string(),
        kind,
        detail: detail.to_string(),
        doc: String::new(),
    };
    let packages = implicit_packages(words.packages).into_iter();
    let packages = packages.map(|(text, path)| {
        let detail = format!("package {path}");
        name(text, NameKind::Package, &detail)
    });
    let keywords = KEYWORDS.iter().filter(|_| words.keywords);
    let keywords = keywords.map(|word| name(word, NameKind::Keyword, "keyword"));
    packages.chain(keywords).collect()
}
