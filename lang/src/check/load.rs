//! Loading packages: imports are found through the `PackageSource`, parsed, and their package-level
//! objects declared; nothing is checked here.
use super::object::{Builtin, ObjKind, State};
use super::{Checker, Package};
use crate::codes::Code;
use crate::package::PackageSource;
use crate::source::Span;
use crate::syntax::ast;
use crate::types::ty::{Basic, PkgId};
use rustc_hash::FxHashMap;
use std::rc::Rc;

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
            inits: Vec::new(),
            blank_funcs: Vec::new(),
            var_inits: Vec::new(),
            initialised: false,
        });
        id
    }

    /// Parses a file and adds it to the package; loads what it imports.
    pub(super) fn add_file(&mut self, pkg: PkgId, name: &str, text: Vec<u8>) -> u32 {
        let id = self.sources.add(name, text);
        let file = crate::syntax::parse_file(
            &self.sources,
            id,
            &mut self.a.names.interner,
            &mut self.diagnostics,
        );
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
        for file in self.packages[pkg.0 as usize].files.clone() {
            let ast = self.files[file as usize].clone();
            for spec in &ast.imports {
                let Some(imported) = self.import(spec, dir, source) else {
                    continue;
                };
                let imports = &mut self.packages[pkg.0 as usize].imports;
                if !imports.contains(&imported) {
                    imports.push(imported);
                }
                self.declare_import(pkg, file, spec, imported);
            }
        }
        self.loading.pop();
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
