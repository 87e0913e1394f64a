//! The program that `pgo test` runs for a package: its files with the test files among them, and a
//! generated `main` that hands their tests to package testing.
use crate::packages::{Packages, display, is_test_file, texts_of};
use crate::quote::quoted;
use lang::package::{PackageFiles, PackageSource};
use lang::testing::{TestFunction, TestKind};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const INTERNAL: &str = "pgo.test/package";
const EXTERNAL: &str = "pgo.test/external";

/// A package under test: what imports of it give, and the package of external tests.
pub struct TestSource {
    others: Packages,
    internal: Option<PackageFiles>,
    external: Option<PackageFiles>,
}

impl PackageSource for TestSource {
    fn load(&self, import_path: &str, from_dir: &str) -> Result<PackageFiles, String> {
        let own = match import_path {
            INTERNAL => &self.internal,
            EXTERNAL => &self.external,
            _ => {
                let found = self.others.load(import_path, from_dir)?;
                return Ok(match &self.internal {
                    Some(internal) if internal.path == found.path => internal.clone(),
                    _ => found,
                });
            }
        };
        own.clone().ok_or_else(|| import_path.to_string())
    }
}

/// The test functions of one of the two packages.
struct Found {
    alias: &'static str,
    functions: Vec<TestFunction>,
}

/// Puts the program together: the text of its `main`, and where its imports come from. `files` are
/// the package's, tests among them; with `library` they are added to that package.
///
/// # Errors
/// A file cannot be read, or a function has a test's name but not its parameters.
pub fn program(
    files: &[PathBuf],
    dir: &Path,
    library: Option<&str>,
    flags: &[String],
) -> Result<(String, TestSource), String> {
    let above = dir.join("..");
    let others = Packages::of_program(&display(&above));
    let mut internal = PackageFiles {
        path: others.identity(dir),
        dir: display(dir),
        files: Vec::new(),
        is_library: false,
    };
    if let Some(library) = library {
        internal = others.load(library, ".")?;
        internal.dir = display(dir);
    }
    let mut external = PackageFiles {
        path: format!("{}_test", internal.path),
        dir: display(dir),
        files: Vec::new(),
        is_library: false,
    };
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for (name, text) in texts_of(files)? {
        if !is_test_file(Path::new(&name)) {
            internal.files.push((name, text));
            continue;
        }
        let found = lang::testing::scan(&name, text.clone())?;
        let (package, functions) = match found.package {
            Some(package) if package.ends_with("_test") => (&mut external, &mut outside),
            _ => (&mut internal, &mut inside),
        };
        package.files.push((name, text));
        functions.extend(found.functions);
    }
    let packages = [
        Found {
            alias: "_inside",
            functions: inside,
        },
        Found {
            alias: "_outside",
            functions: outside,
        },
    ];
    let source = TestSource {
        others,
        internal: (!internal.files.is_empty()).then_some(internal),
        external: (!external.files.is_empty()).then_some(external),
    };
    Ok((main_text(&packages, &source, flags), source))
}

fn main_text(packages: &[Found; 2], source: &TestSource, flags: &[String]) -> String {
    let mut out = "package main\n\nimport (\n\t\"testing\"\n".to_string();
    let there = [source.internal.is_some(), source.external.is_some()];
    for ((package, path), there) in packages.iter().zip([INTERNAL, EXTERNAL]).zip(there) {
        let is_used = package.functions.iter().any(|f| entry(f, "").is_some());
        let alias = if is_used { package.alias } else { "_" };
        if there {
            let _ = writeln!(out, "\t{alias} {path:?}");
        }
    }
    out.push_str(")\n\nfunc main() {\n\ttesting.MainStart(\n\t\t[]string{");
    for flag in flags {
        let _ = write!(out, "{}, ", quoted(flag));
    }
    out.push_str("},\n");
    let mains = packages.iter().flat_map(|package| {
        let functions = package.functions.iter();
        functions
            .filter(|f| f.kind == TestKind::Main)
            .map(|f| format!("{}.{}", package.alias, f.name))
    });
    let main = mains.last();
    let _ = writeln!(out, "\t\t{},", main.as_deref().unwrap_or("nil"));
    for list in ["Test", "Benchmark", "FuzzTarget", "Example"] {
        let _ = writeln!(out, "\t\t[]testing.Internal{list}{{");
        for package in packages {
            let entries = package.functions.iter().filter_map(|f| {
                let (kind, text) = entry(f, package.alias)?;
                (kind == list).then_some(text)
            });
            for text in entries {
                let _ = writeln!(out, "\t\t\t{text},");
            }
        }
        out.push_str("\t\t},\n");
    }
    out.push_str("\t)\n}\n");
    out
}

/// The kind of list that a function is in, and its element; None for what is not run.
fn entry(f: &TestFunction, alias: &str) -> Option<(&'static str, String)> {
    let plain = format!("{{{:?}, {alias}.{}}}", f.name, f.name);
    Some(match &f.kind {
        TestKind::Test => ("Test", plain),
        TestKind::Benchmark => ("Benchmark", plain),
        TestKind::Fuzz => ("FuzzTarget", plain),
        TestKind::Main => ("", String::new()),
        TestKind::Example { output, unordered } => {
            let output = quoted(output.as_deref()?);
            let text = format!(
                "{{{:?}, {alias}.{}, {output}, {unordered}}}",
                f.name, f.name
            );
            ("Example", text)
        }
    })
}
