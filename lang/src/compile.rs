//! The façade's work: from texts to a program, a list of errors, or a report.
use crate::bytecode::program::Program;
use crate::bytecode::verify;
use crate::check::Checker;
use crate::codegen::{self, State};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lint::lint;
use crate::package::{PackageFiles, PackageSource};
use crate::source::SourceMap;
use crate::types::ty::FuncId;
use rustc_hash::FxHashSet;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// A program that has errors: all diagnostics, sorted, and the files they point into.
#[derive(Debug)]
pub struct Failure {
    pub diagnostics: Vec<Diagnostic>,
    pub sources: SourceMap,
}

/// Passes packages on to the checker and remembers which files are the library's.
pub(crate) struct Loader<'a> {
    source: &'a dyn PackageSource,
    library_files: RefCell<FxHashSet<String>>,
}

impl<'a> Loader<'a> {
    pub fn new(source: &'a dyn PackageSource) -> Loader<'a> {
        Loader {
            source,
            library_files: RefCell::default(),
        }
    }

    /// Marks the files of the library; the program's `own` files come first.
    pub fn mark(&self, sources: &mut SourceMap, own: usize) {
        let names = self.library_files.borrow();
        let ids: Vec<_> = sources
            .files()
            .skip(own)
            .filter(|(_, f)| names.contains(f.name()))
            .map(|(id, _)| id)
            .collect();
        for id in ids {
            sources.mark_library(id);
        }
    }
}

impl PackageSource for Loader<'_> {
    fn load(&self, import_path: &str, from_dir: &str) -> Result<PackageFiles, String> {
        let found = self.source.load(import_path, from_dir)?;
        if found.is_library {
            let names = found.files.iter().map(|f| f.0.clone());
            self.library_files.borrow_mut().extend(names);
        }
        Ok(found)
    }
}

/// Checks a program; gives the checker and the entry if there is no error.
fn checked(
    files: Vec<(String, Vec<u8>)>,
    dir: &str,
    source: &dyn PackageSource,
    require_main: bool,
    start: Option<&'static str>,
    records: bool,
) -> Result<(Checker, FuncId), Failure> {
    let own = files.len();
    let loader = Loader::new(source);
    let mut checker = Checker::new();
    checker.require_main = require_main;
    checker.start = start;
    if records {
        checker.record();
    }
    let entry = checker.check_program(&loader, files, dir);
    loader.mark(&mut checker.sources, own);
    match entry {
        Some(entry) if !checker.diagnostics.has_errors() => Ok((checker, entry)),
        _ => Err(failure(&mut checker)),
    }
}

fn failure(checker: &mut Checker) -> Failure {
    let sources = std::mem::take(&mut checker.sources);
    let diagnostics = std::mem::take(&mut checker.diagnostics);
    Failure {
        diagnostics: diagnostics.into_sorted(&sources),
        sources,
    }
}

/// Generates code for a checked program.
fn generated(checker: &mut Checker, entry: FuncId, st: &mut State) -> Result<(), Failure> {
    let mut diagnostics = Diagnostics::new();
    codegen::generate(checker, st, &mut diagnostics, entry);
    for d in diagnostics.iter() {
        checker.diagnostics.push(d.clone());
    }
    if checker.diagnostics.has_errors() {
        return Err(failure(checker));
    }
    debug_assert_eq!(verify::verify(&st.program), Ok(()));
    Ok(())
}

/// Compiles a program: its files, and the folder that its relative imports start from.
///
/// # Errors
/// All that is wrong with it.
pub fn compile(
    files: Vec<(String, Vec<u8>)>,
    dir: &str,
    source: &dyn PackageSource,
) -> Result<Program, Failure> {
    let (mut checker, entry) = checked(files, dir, source, true, None, false)?;
    let mut st = State::default();
    generated(&mut checker, entry, &mut st)?;
    st.program.sources = checker.sources;
    Ok(st.program)
}

/// As `compile`, with another function of package main to start with; of a script's statements only the declarations
/// run that it depends on.
pub(crate) fn compile_from(
    files: Vec<(String, Vec<u8>)>,
    dir: &str,
    source: &dyn PackageSource,
    start: &'static str,
) -> Result<Program, Failure> {
    let (mut checker, entry) = checked(files, dir, source, true, Some(start), false)?;
    let mut st = State::default();
    generated(&mut checker, entry, &mut st)?;
    st.program.sources = checker.sources;
    Ok(st.program)
}

/// A program without errors: warnings about it, sorted, and the files they point into.
#[derive(Debug)]
pub struct Checked {
    pub warnings: Vec<Diagnostic>,
    pub sources: SourceMap,
}

/// Looks for errors, those that only code generation finds too; and for what is most likely a mistake.
///
/// # Errors
/// All that is wrong with the program.
pub fn check(
    files: Vec<(String, Vec<u8>)>,
    dir: &str,
    source: &dyn PackageSource,
) -> Result<Checked, Failure> {
    let (mut checker, entry) = checked(files, dir, source, false, None, true)?;
    let mut st = State::default();
    generated(&mut checker, entry, &mut st)?;
    for warning in lint(&mut checker, &st.reports) {
        checker.diagnostics.push(warning);
    }
    let Failure {
        diagnostics: warnings,
        sources,
    } = failure(&mut checker);
    Ok(Checked { warnings, sources })
}

/// The class of each store of the program's own files, line by line (LANGUAGE.md §3):
/// `FILE:LINE: what: classes`.
///
/// # Errors
/// All that is wrong with the program.
pub fn heap_report(
    files: Vec<(String, Vec<u8>)>,
    dir: &str,
    source: &dyn PackageSource,
) -> Result<String, Failure> {
    let (mut checker, entry) = checked(files, dir, source, false, None, false)?;
    let mut st = State::with_heaps();
    generated(&mut checker, entry, &mut st)?;
    let mut lines: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for r in &st.reports {
        let file = checker.sources.file(r.span.file);
        if file.is_library() {
            continue;
        }
        let line = file.line_column(r.span.lo).line;
        let class = match r.in_txn {
            true => format!("{} in txn", r.class),
            false => r.class.to_string(),
        };
        let classes = lines.entry((r.span.file, line, &r.what)).or_default();
        if !classes.contains(&class) {
            classes.push(class);
        }
    }
    let mut out = String::new();
    for ((file, line, what), mut classes) in lines {
        classes.sort();
        let name = checker.sources.file(file).name();
        out.push_str(&format!("{name}:{line}: {what}: {}\n", classes.join(", ")));
    }
    Ok(out)
}
