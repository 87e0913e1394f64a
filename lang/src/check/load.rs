//! Loading packages: imports are found through the `PackageSource`, parsed, and their package-level
//! objects declared; nothing is checked here.
use super::object::{Builtin, ObjKind, State};
use super::{Checker, Package};
use crate::codes::Code;
use crate::package::PackageSource;
use crate::source::Span;
use crate::syntax::ast;
use crate::types::ty::{Basic, PkgId};
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

/// Library packages that scripts may use by their last name alone.
const NESTED: [(&str, &str); 20] = [
    ("atomic", "sync/atomic"),
    ("base64", "encoding/base64"),
    ("big", "math/big"),
    ("binary", "encoding/binary"),
    ("bits", "math/bits"),
    ("cmplx", "math/cmplx"),
    ("csv", "encoding/csv"),
    ("exec", "os/exec"),
    ("filepath", "path/filepath"),
    ("fs", "io/fs"),
    ("hex", "encoding/hex"),
    ("json", "encoding/json"),
    ("rand", "math/rand"),
    ("sha256", "crypto/sha256"),
    ("slog", "log/slog"),
    ("tabwriter", "text/tabwriter"),
    ("template", "text/template"),
    ("url", "net/url"),
    ("utf16", "unicode/utf16"),
    ("utf8", "unicode/utf8"),
];

/// The path of the library package that a script means by a name which it declares nowhere.
pub(super) fn implicit_path(name: &str) -> &str {
    let nested = NESTED.iter().find(|(n, _)| *n == name);
    nested.map_or(name, |(_, path)| path)
}

/// The packages that scripts may use by a name alone, and their paths, of the library's paths.
pub(crate) fn implicit_packages<'a>(paths: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let named = paths.iter().map(|path| {
        let name = path.rsplit('/').next().unwrap_or_default();
        (name, *path)
    });
    named
        .filter(|(name, path)| implicit_path(name) == *path)
        .collect()
}

impl Checker {
    pub(super) fn new_package(&mut self, path: &str, name: &str, library: bool) -> PkgId {
        let id = PkgId(self.packages.len() as u32);
        self.a.names.packages.push((name.into(), path.into()));
        self.packages.push(Package {
            identity: id,
            library,
            outer: None,
            scope: FxHashMap::default(),
            objects: Vec::new(),
            files: Vec::new(),
            imports: Vec::new(),
            methods: FxHashMap::default(),
            foreign_methods: Vec::new(),
            inits: Vec::new(),
            blank_funcs: Vec::new(),
            var_inits: Vec::new(),
            script: None,
            initialised: false,
        });
        id
    }

    /// Parses a file and adds it to the package; loads what it imports.
    pub(super) fn add_file(&mut self, pkg: PkgId, name: &str, text: Vec<u8>) -> u32 {
        let library = self.packages[pkg.0 as usize].library;
        self.on_demand
            .push(library && text.starts_with(b"//pgo:ondemand\n"));
        let id = self.sources.add(name, text);
        let file = crate::syntax::parse_file(
            &self.sources,
            id,
            &mut self.a.names.interner,
            &mut self.diagnostics,
        );
        for bad in self.sources.follow_directives(id, &file.comments) {
            self.err(Code::Syntax, bad.span, bad.message);
        }
        let index = self.files.len() as u32;
        self.files.push(Rc::new(file));
        self.file_pkgs.push(pkg);
        self.file_scopes.push(FxHashMap::default());
        self.packages[pkg.0 as usize].files.push(index);
        index
    }

    /// Loads the imports of all files of a package and declares its objects.
    pub(super) fn finish_package(
        &mut self,
        pkg: PkgId,
        path: &str,
        dir: &str,
        source: &dyn PackageSource,
    ) {
        self.loading.push(path.into());
        self.collect_objects(pkg);
        self.follow_receiver_aliases(pkg);
        for file in self.packages[pkg.0 as usize].files.clone() {
            let ast = self.files[file as usize].clone();
            for spec in &ast.imports {
                let Some(imported) = self.import(spec, dir, source) else {
                    self.declare_failed_import(file, spec);
                    continue;
                };
                let imports = &mut self.packages[pkg.0 as usize].imports;
                if !imports.contains(&imported) {
                    imports.push(imported);
                }
                self.declare_import(pkg, file, spec, imported);
            }
            if ast.form == ast::Form::Script {
                self.implicit_imports(pkg, file, dir, source);
            }
        }
        self.loading.pop();
    }

    /// A script may use packages of the library without importing them: words that stand before a
    /// dot and an exported name, are declared nowhere and name a package.
    fn implicit_imports(&mut self, pkg: PkgId, file: u32, dir: &str, source: &dyn PackageSource) {
        let ast = self.files[file as usize].clone();
        let text = self.sources.file(ast.id).text().to_string();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut seen: FxHashSet<&str> = FxHashSet::default();
        for (dot, _) in text.match_indices('.') {
            if !text[dot + 1..].starts_with(char::is_uppercase) {
                continue;
            }
            let word = &text[..dot];
            let start = word.rfind(|c: char| !is_word(c)).map_or(0, |at| {
                at + word[at..].chars().next().map_or(1, char::len_utf8)
            });
            let word = &word[start..];
            if word.is_empty() || text[..start].ends_with('.') || !seen.insert(word) {
                continue;
            }
            let Some(name) = self.a.names.interner.find(word) else {
                continue;
            };
            let visible = self.file_scopes[file as usize].contains_key(&name);
            if visible || self.visible_in_package(pkg, name) {
                continue;
            }
            let path = implicit_path(word);
            if self.by_path.contains_key(path) || source.load(path, dir).is_ok_and(|p| p.is_library)
            {
                let end = ast.end;
                let Some(imported) = self.import_path(path, end, dir, source) else {
                    continue;
                };
                let kind = ObjKind::Package(imported);
                let id = self
                    .a
                    .object(name, end, Some(pkg), kind, State::Black, None);
                self.obj_mut(id).used = true;
                self.file_scopes[file as usize].insert(name, id);
                let imports = &mut self.packages[pkg.0 as usize].imports;
                if !imports.contains(&imported) {
                    imports.push(imported);
                }
            }
        }
    }

    /// Is the name one of the package's, or of the chunks before?
    fn visible_in_package(&self, pkg: PkgId, name: crate::syntax::symbol::Symbol) -> bool {
        let mut at = Some(pkg);
        while let Some(p) = at {
            let package = &self.packages[p.0 as usize];
            if package.scope.contains_key(&name) {
                return true;
            }
            at = package.outer;
        }
        false
    }

    fn import(
        &mut self,
        spec: &ast::ImportSpec,
        importer: &str,
        source: &dyn PackageSource,
    ) -> Option<PkgId> {
        let written = self.name(spec.path).to_string();
        self.import_path(&written, spec.path_span, importer, source)
    }

    /// Package runtime has the types of run-time panics; sources without it do without them.
    pub(super) fn load_runtime(&mut self, pkg: PkgId, source: &dyn PackageSource) {
        if source.load("runtime", ".").is_ok() {
            let span = Span::default();
            if let Some(id) = self.import_path("runtime", span, ".", source) {
                let imports = &mut self.packages[pkg.0 as usize].imports;
                if !imports.contains(&id) {
                    imports.push(id);
                }
            }
        }
    }

    /// The package that a path means, loaded if it is not there yet.
    pub(super) fn import_path(
        &mut self,
        written: &str,
        span: Span,
        importer: &str,
        source: &dyn PackageSource,
    ) -> Option<PkgId> {
        let path = match written {
            "github.com/vmware/go-pmem-transaction/pmem" => "pmem",
            "github.com/vmware/go-pmem-transaction/transaction" => "transaction",
            p => p,
        };
        if path == "unsafe" || path == "transaction" {
            if let Some(&id) = self.by_path.get(path) {
                return Some(id);
            }
            let id = self.new_package(path, path, true);
            self.by_path.insert(path.into(), id);
            if path == "unsafe" {
                self.declare_unsafe(id);
            }
            return Some(id);
        }
        if path.is_empty() {
            self.err(Code::Import, span, "invalid import path (empty string)");
            return None;
        }
        if let Some(&id) = self.by_path.get(path)
            && !path.starts_with('.')
            && !self.loading.iter().any(|p| p == path)
        {
            return Some(id);
        }
        let text = match source.load(path, importer) {
            Ok(text) => text,
            Err(why) => {
                self.err(Code::Import, span, why);
                return None;
            }
        };
        if let Some(at) = self.loading.iter().position(|p| *p == text.path) {
            let mut cycle: Vec<String> = self.loading[at..].to_vec();
            cycle.push(text.path);
            let message = format!("import cycle not allowed: {}", cycle.join(" imports "));
            self.err(Code::Import, span, message);
            return None;
        }
        if let Some(&id) = self.by_path.get(&text.path) {
            return Some(id);
        }
        let id = self.new_package(&text.path, "", text.is_library);
        self.by_path.insert(text.path.clone(), id);
        for (name, bytes) in text.files {
            self.add_file(id, &name, bytes);
        }
        self.check_package_names(id);
        self.finish_package(id, &text.path, &text.dir, source);
        if text.path == "pmem" {
            for (name, b) in [("Root", Builtin::PmemRoot), ("Lookup", Builtin::PmemLookup)] {
                let name = self.a.get(name);
                let obj = self.a.object(
                    name,
                    Span::default(),
                    Some(id),
                    ObjKind::Builtin(b),
                    State::Black,
                    None,
                );
                self.packages[id.0 as usize].scope.insert(name, obj);
            }
        }
        Some(id)
    }

    /// The package clauses agree; the first one names the package.
    pub(super) fn check_package_names(&mut self, pkg: PkgId) {
        let mut first = None;
        for file in self.packages[pkg.0 as usize].files.clone() {
            let ast = self.files[file as usize].clone();
            let Some(ident) = ast.package else {
                continue;
            };
            let name = self.name(ident.name).to_string();
            match &first {
                None => {
                    if name == "_" {
                        self.err(Code::Import, ident.span, "invalid package name _");
                    }
                    self.a.names.packages[pkg.0 as usize].0 = name.clone();
                    first = Some(name);
                }
                Some(expected) if *expected != name => {
                    let message = format!("package {name}; expected package {expected}");
                    self.err(Code::Import, ident.span, message);
                }
                Some(_) => {}
            }
        }
    }

    fn declare_unsafe(&mut self, pkg: PkgId) {
        let pointer = ObjKind::Type(Basic::UnsafePointer.ty());
        let list = [
            ("Pointer", pointer),
            ("Sizeof", ObjKind::Builtin(Builtin::Sizeof)),
            ("Alignof", ObjKind::Builtin(Builtin::Alignof)),
            ("Offsetof", ObjKind::Builtin(Builtin::Offsetof)),
            ("Add", ObjKind::Builtin(Builtin::UnsafeAdd)),
            ("Slice", ObjKind::Builtin(Builtin::UnsafeSlice)),
            ("SliceData", ObjKind::Builtin(Builtin::UnsafeSliceData)),
            ("String", ObjKind::Builtin(Builtin::UnsafeString)),
            ("StringData", ObjKind::Builtin(Builtin::UnsafeStringData)),
        ];
        for (name, kind) in list {
            let name = self.a.get(name);
            let obj = self
                .a
                .object(name, Span::default(), Some(pkg), kind, State::Black, None);
            self.packages[pkg.0 as usize].scope.insert(name, obj);
        }
    }
}
