//! Where imported packages come from: the command gives the texts, `lang` reads no files.

/// The files of one package.
#[derive(Clone, Debug)]
pub struct PackageFiles {
    /// What identifies the package: the import path of a library package, the folder of a local
    /// one.
    pub path: String,
    /// The folder that its own relative imports start from; empty for library packages.
    pub dir: String,
    /// Names as messages show them, and texts.
    pub files: Vec<(String, Vec<u8>)>,
    /// Of the library: functions may be natives, and bodies are checked only when they are needed.
    pub is_library: bool,
}

/// Finds packages by import path.
pub trait PackageSource {
    /// The package that `import_path`, written in a file of the folder `from_dir`, means.
    ///
    /// # Errors
    /// Why there is none, for the user: `package foo is not in the library (there are: …)`.
    fn load(&self, import_path: &str, from_dir: &str) -> Result<PackageFiles, String>;
}
