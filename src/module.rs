//! Go modules: where imports other than the library's are, in projects that have a `go.mod`.
use crate::packages::{display, normal};
use std::fs;
use std::path::{Path, PathBuf};

/// A Go module: where its `go.mod` lies, and the path that imports of its packages start with.
pub struct Module {
    root: PathBuf,
    pub path: String,
}

impl Module {
    /// The module that a folder belongs to.
    pub fn above(dir: &Path) -> Option<Module> {
        let from = if dir.is_absolute() {
            dir.to_path_buf()
        } else {
            std::env::current_dir().ok()?.join(dir)
        };
        from.ancestors().find_map(|root| {
            let text = fs::read_to_string(root.join("go.mod")).ok()?;
            let path = text.lines().find_map(|line| {
                let rest = line.trim_start().strip_prefix("module")?;
                rest.starts_with([' ', '\t', '"']).then(|| {
                    rest.split("//")
                        .next()
                        .unwrap_or("")
                        .trim()
                        .trim_matches('"')
                })
            })?;
            Some(Module {
                root: shortened(root),
                path: path.to_string(),
            })
        })
    }

    /// The folder of a package that is imported somewhere in the module.
    pub fn folder(&self, import_path: &str) -> Option<PathBuf> {
        let inside = import_path
            .strip_prefix(&self.path)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let dir = match inside {
            Some(rest) => self.root.join(rest.trim_start_matches('/')),
            None => self.root.join("vendor").join(import_path),
        };
        dir.is_dir().then(|| normal(&dir))
    }

    /// The path by which the packages of the module import the one in this folder (absolute, no links).
    pub fn import_path(&self, dir: &Path) -> String {
        let root = self.root.canonicalize().unwrap_or_default();
        match dir.strip_prefix(root).map(display) {
            Ok(rest) if !rest.is_empty() => format!("{}/{rest}", self.path),
            _ => self.path.clone(),
        }
    }
}

/// As seen from the current folder, if it is below it: messages name files so.
fn shortened(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(here) {
        Ok(rest) if rest.as_os_str().is_empty() => ".".into(),
        Ok(rest) => rest.to_path_buf(),
        Err(_) => path.to_path_buf(),
    }
}
