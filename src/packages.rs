//! Reads programs and the local packages they import; library packages come from `stdlib`.
use crate::constraint;
use crate::module::Module;
use lang::package::{PackageFiles, PackageSource};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// A program as given on the command line.
pub struct Input {
    /// Names as messages show them, and texts.
    pub files: Vec<(String, Vec<u8>)>,
    /// The folder that relative imports start from.
    pub dir: String,
    /// `os.Args[0]`.
    pub name: String,
    /// What the default heap file is called: `NAME.pheap`; `None` for code that has no name.
    pub heap_stem: Option<String>,
}

/// Code given as text: `-e CODE`, or standard input.
pub fn input_from_text(name: &str, text: Vec<u8>) -> Input {
    Input {
        files: vec![(name.to_string(), text)],
        dir: ".".to_string(),
        name: name.to_string(),
        heap_stem: None,
    }
}

/// Is this argument a source file's name?
pub fn is_source_name(arg: &str) -> bool {
    arg.ends_with(".pgo") || arg.ends_with(".go")
}

/// The program of one folder, or of the named files.
///
/// # Errors
/// What could not be read, and why.
pub fn input_from_paths(paths: &[String]) -> Result<Input, String> {
    let first = Path::new(&paths[0]);
    let is_dir = first.is_dir();
    let files = if is_dir {
        files_of_folder(first)?
    } else {
        let named = |path: &String| Ok((path.clone(), read(Path::new(path))?));
        paths.iter().map(named).collect::<Result<_, String>>()?
    };
    let stem = if is_dir {
        fs::canonicalize(first)
            .ok()
            .and_then(|p| p.file_name().map(|n| n.to_string_lossy().into_owned()))
    } else {
        first.file_stem().map(|s| s.to_string_lossy().into_owned())
    };
    let dir = if is_dir {
        display(first)
    } else {
        first.parent().map(display).unwrap_or_default()
    };
    Ok(Input {
        files,
        dir: if dir.is_empty() { ".".into() } else { dir },
        name: paths[0].clone(),
        heap_stem: Some(stem.unwrap_or_else(|| "pgo".to_string())),
    })
}

pub fn display(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{}: {}", path.display(), reason(&e)))
}

/// The operating system's words without Rust's `(os error N)`.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_lowercase(),
        None => text,
    }
}

/// The source files of a package folder, by name, and their texts; tests and files for other platforms are left
/// out.
fn files_of_folder(dir: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut files = sources_in(dir)?;
    files.retain(|path| !is_test_file(path));
    if files.is_empty() {
        return Err(format!("no .pgo files in {}", dir.display()));
    }
    let files = texts_of(&files)?;
    if files.is_empty() {
        let dir = dir.display();
        return Err(format!("build constraints exclude all files in {dir}"));
    }
    Ok(files)
}

/// Names and texts of a package's files, without those that are for other platforms.
pub fn texts_of(paths: &[PathBuf]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let texts = paths.iter().map(|path| Ok((display(path), read(path)?)));
    let mut files = texts.collect::<Result<Vec<_>, String>>()?;
    files.retain(|(name, text)| {
        let stem = Path::new(name).file_stem().unwrap_or_default();
        let stem = stem.to_string_lossy();
        let stem = stem.strip_suffix("_test").unwrap_or(&stem);
        constraint::is_met(stem, text)
    });
    Ok(files)
}

/// `NAME_test.pgo`, `NAME_test.go`.
pub fn is_test_file(path: &Path) -> bool {
    path.file_stem()
        .is_some_and(|stem| stem.to_string_lossy().ends_with("_test"))
}

/// All source files of a folder, by name, tests among them.
pub fn sources_in(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(dir).map_err(|e| format!("{}: {}", dir.display(), reason(&e)))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| {
            let name = p.file_name().map(|s| s.to_string_lossy().into_owned());
            let ext = p.extension().and_then(|e| e.to_str());
            matches!(ext, Some("pgo" | "go"))
                && p.is_file()
                && name.is_some_and(|s| !s.starts_with(['.', '_']))
        })
        .collect();
    files.sort();
    Ok(files)
}

/// Library packages from `stdlib`; others from the file system: by a path relative to the importing
/// folder, or, below a `go.mod`, by the module's path or from its `vendor` folder.
pub struct Packages {
    /// The folder of the program.
    root: PathBuf,
}

impl Packages {
    /// For a program in this folder.
    pub fn of_program(dir: &str) -> Packages {
        Packages { root: dir.into() }
    }

    /// What identifies a local package, the same wherever the program's folder lies, as heaps know
    /// types by it: its import path in its module, else its path from the program's folder.
    pub fn identity(&self, dir: &Path) -> String {
        let (Ok(root), Ok(dir)) = (self.root.canonicalize(), dir.canonicalize()) else {
            return display(dir);
        };
        if let Some(module) = Module::above(&dir) {
            return module.import_path(&dir);
        }
        let shared = root
            .components()
            .zip(dir.components())
            .take_while(|(a, b)| a == b)
            .count();
        let ups = root.components().count() - shared;
        let mut path = if ups == 0 { "." } else { ".." }.to_string();
        path.push_str(&"/..".repeat(ups.saturating_sub(1)));
        for part in dir.components().skip(shared) {
            path.push('/');
            path.push_str(&part.as_os_str().to_string_lossy());
        }
        path
    }

    fn local(&self, dir: &Path, path: String) -> Result<PackageFiles, String> {
        Ok(PackageFiles {
            path,
            dir: display(dir),
            files: files_of_folder(dir)?,
            is_library: false,
        })
    }
}

impl PackageSource for Packages {
    fn load(&self, import_path: &str, from_dir: &str) -> Result<PackageFiles, String> {
        if import_path.starts_with("./") || import_path.starts_with("../") {
            let dir = normal(&Path::new(from_dir).join(import_path));
            if !dir.is_dir() {
                return Err(format!(
                    "package {import_path} is not there: no folder {}",
                    dir.display()
                ));
            }
            return self.local(&dir, self.identity(&dir));
        }
        if let Some(files) = stdlib::source(import_path) {
            return Ok(PackageFiles {
                path: stdlib::canonical(import_path).to_string(),
                dir: String::new(),
                files: files
                    .iter()
                    .map(|(name, text)| (name.to_string(), text.as_bytes().to_vec()))
                    .collect(),
                is_library: true,
            });
        }
        let module = (!from_dir.is_empty())
            .then(|| Module::above(Path::new(from_dir)))
            .flatten();
        if let Some(module) = &module
            && let Some(dir) = module.folder(import_path)
        {
            return self.local(&dir, import_path.to_string());
        }
        let nor = module.map_or(String::new(), |m| {
            format!(" nor in module {} or its vendor folder", m.path)
        });
        Err(format!(
            "package {import_path} is not in the library{nor}; the library has: {}",
            stdlib::packages()
                .filter(|path| !path.starts_with("internal/"))
                .collect::<Vec<_>>()
                .join(", ")
        ))
    }
}

/// The path without `.` and `x/..`.
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            part => out.push(part),
        }
    }
    if out.as_os_str().is_empty() {
        out.push(".");
    }
    out
}
