//! The type checker (Go spec from "Types" to "Program initialization"): takes syntax trees, reports
//! errors in Go's words on Go's lines, and gives typed IR. Packages of the library are checked
//! lazily, declaration by declaration and body by body.
mod assign;
mod binary;
mod builtins;
mod call;
mod closure;
mod collect;
mod composite;
mod convert;
mod cycles;
mod decl;
mod entry;
mod expr;
mod fixup;
mod func;
mod generic;
mod index;
mod init_order;
mod inspect;
mod interface;
mod labels;
mod load;
mod mono;
mod names;
mod object;
mod operand;
mod persistent;
mod print_expr;
mod range;
mod range_func;
mod receiver;
mod records;
mod redefine;
mod returns;
mod select;
mod session;
mod stmt;
mod switch;
mod typexpr;
mod unsafe_calls;
mod valid_type;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceMap, Span};
use crate::syntax::ast::{self};
use crate::syntax::symbol::Interner;
use crate::syntax::symbol::Symbol;
use crate::tir;
use crate::types::print::Names;
use crate::types::ty::{Basic, FuncId, IMethod, NamedId, PkgId, Ty, TyKind, Types};
use func::FnCtx;
pub(crate) use inspect::Found;
pub use inspect::{Name, NameKind};
pub(crate) use load::implicit_packages;
pub(crate) use names::{Member, MemberKind, NameIndex, Target};
use object::{DeclRef, ObjId, ObjKind, Object, State, Universe};
pub(crate) use redefine::Renewed;
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

/// Symbols and packages by name.
pub(crate) struct NameTable {
    pub interner: Interner,
    /// Name in the package clause, import path.
    packages: Vec<(String, String)>,
}

impl NameTable {
    fn get(&mut self, text: &str) -> Symbol {
        self.interner.get(text)
    }
    fn resolve(&self, s: Symbol) -> &str {
        self.interner.resolve(s)
    }
}

impl Names for NameTable {
    fn symbol(&self, s: Symbol) -> &str {
        self.interner.resolve(s)
    }
    fn package_name(&self, p: PkgId) -> &str {
        self.packages.get(p.0 as usize).map_or("", |p| &p.0)
    }
    fn package_path(&self, p: PkgId) -> &str {
        self.packages.get(p.0 as usize).map_or("", |p| &p.1)
    }
}

/// What grows and never shrinks.
pub(crate) struct Arenas {
    pub types: Types,
    pub names: NameTable,
    objects: Vec<Object>,
}

impl Arenas {
    fn get(&mut self, text: &str) -> Symbol {
        self.names.get(text)
    }
    fn object(
        &mut self,
        name: Symbol,
        span: Span,
        pkg: Option<PkgId>,
        kind: ObjKind,
        state: State,
        decl: Option<DeclRef>,
    ) -> ObjId {
        let id = ObjId(self.objects.len() as u32);
        self.objects.push(Object {
            name,
            span,
            pkg,
            kind,
            state,
            decl,
            used: false,
            alias: false,
        });
        id
    }
}

/// A package, or one chunk of a session.
struct Package {
    /// Whose unexported names it shares: itself, or the session's first chunk.
    identity: PkgId,
    library: bool,
    /// Names of the chunk before.
    outer: Option<PkgId>,
    scope: FxHashMap<Symbol, ObjId>,
    /// Declared package-level objects in source order.
    objects: Vec<ObjId>,
    files: Vec<u32>,
    imports: Vec<PkgId>,
    /// Method declarations by the name of their receiver's base type.
    methods: FxHashMap<Symbol, Vec<(u32, u32)>>,
    /// Methods whose receiver is no name.
    foreign_methods: Vec<(u32, u32)>,
    /// `func init()`s.
    inits: Vec<(u32, u32)>,
    blank_funcs: Vec<(u32, u32)>,
    /// Variable initialisers in source order once resolved.
    var_inits: Vec<VarInit>,
    /// A script's statements.
    script: Option<FuncId>,
    /// Of a session: an earlier chunk runs its initialisation.
    initialised: bool,
}

/// The initialiser of package variables: `var a, b = f()` is one.
struct VarInit {
    /// Position in the package: file, offset.
    at: Span,
    vars: Vec<ObjId>,
    stmts: Vec<tir::Stmt>,
    /// The initialiser needs locals of its own: a function runs it.
    func: Option<FuncId>,
    deps: Vec<Dep>,
}

/// What an initialiser or a body mentions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Dep {
    Var(ObjId),
    Func(FuncId),
}

struct FuncInfo {
    decl: tir::FuncDecl,
    /// With the receiver left out.
    sig: Ty,
    /// Where it is declared; synthesised functions have their body from the start.
    source: Option<(u32, u32)>,
    /// Of a method: the receiver's generic or plain type.
    recv: Option<NamedId>,
    resolved: bool,
    body: Option<Rc<tir::Body>>,
    deps: Vec<Dep>,
}

/// Where the checker is.
#[derive(Default)]
struct Env {
    pkg: Option<PkgId>,
    file: Option<u32>,
    /// Local names, innermost last.
    scope: Vec<(Symbol, ObjId)>,
    scope_starts: Vec<usize>,
    fns: Vec<FnCtx>,
    iota: Option<u32>,
    /// The last statement of the innermost switch clause.
    clause_end: Option<(Span, stmt::ClauseEnd)>,
    /// Type parameters of the function being checked.
    tparams: Vec<crate::types::ty::ParamId>,
    deps: Vec<Dep>,
    dep_set: FxHashSet<Dep>,
}

pub(crate) struct Checker {
    pub a: Arenas,
    pub sources: SourceMap,
    pub diagnostics: Diagnostics,
    universe: Universe,
    packages: Vec<Package>,
    by_path: FxHashMap<String, PkgId>,
    loading: Vec<String>,
    files: Vec<Rc<ast::File>>,
    file_pkgs: Vec<PkgId>,
    /// By file: of the library, with variables that are initialised only if something mentions them. Bodies of
    /// library functions must not, as they are checked later.
    on_demand: Vec<bool>,
    file_scopes: Vec<FxHashMap<Symbol, ObjId>>,
    funcs: Vec<FuncInfo>,
    globals: Vec<tir::Global>,
    env: Env,
    /// Objects being resolved, outermost first.
    path: Vec<ObjId>,
    /// Named types whose underlying type waits for another's.
    waiting: Vec<cycles::Waiting>,
    /// Named types whose underlying type is not known yet.
    incomplete: FxHashSet<NamedId>,
    /// What a type declaration's right side is, if that is a defined type.
    rhs: FxHashMap<NamedId, Ty>,
    /// The objects of declared types, and where types were first instantiated.
    named_objs: FxHashMap<NamedId, ObjId>,
    instance_spans: FxHashMap<NamedId, Span>,
    /// Objects in cycles that have been reported.
    cyclic: FxHashSet<ObjId>,
    /// Types known not to contain themselves.
    finite: FxHashSet<NamedId>,
    /// Types whose methods' signatures are still to be entered.
    pending_sigs: Vec<NamedId>,
    delayed: Vec<typexpr::Delayed>,
    /// How many type declarations and signatures are being resolved.
    resolving: u32,
    /// Constants inside untyped expressions that are not constant.
    untyped: Vec<crate::types::constant::Value>,
    /// Where type parameters are declared.
    param_spans: FxHashMap<crate::types::ty::ParamId, Span>,
    local_types: u32,
    method_sets: FxHashMap<Ty, Rc<Vec<tir::MethodSetEntry>>>,
    wrappers: FxHashMap<(Ty, IMethod), tir::WrapperFunc>,
    /// Packages imported with a dot, by file, and whether a name of theirs is used.
    dot_imports: FxHashMap<(u32, PkgId), bool>,
    /// What is instantiated with type parameters.
    instances: mono::Instances,
    /// Where errors were found before checking began.
    malformed: Vec<Span>,
    /// A call or receive has been met: `len` of such an expression is no constant.
    has_call: bool,
    /// Interactive: unused names are no errors.
    interactive: bool,
    /// Functions without a body; reported if nothing else is wrong.
    missing_bodies: Vec<Span>,
    /// Channel types whose elements are too large, and
    /// interface literals that refer to themselves; reported if nothing else is wrong.
    large_elems: Vec<Span>,
    anonymous_cycles: Vec<Span>,
    /// The chunk before.
    last_chunk: Option<PkgId>,
    /// Of a session: the package that prints values.
    printer: Option<PkgId>,
    redefinitions: redefine::Redefinitions,
    /// For lints and editors.
    records: Option<records::Records>,
    /// A chunk is checked only to learn what its last expression is.
    asked: Option<inspect::Found>,
    /// The value of the chunk's last statement is shown.
    shows: bool,
    is_last: bool,
    /// A main package must have func main.
    pub require_main: bool,
    /// A function of the main package to start with instead.
    pub start: Option<&'static str>,
}

impl Checker {
    pub fn new() -> Checker {
        let mut a = Arenas {
            types: Types::default(),
            names: NameTable {
                interner: Interner::new(),
                packages: Vec::new(),
            },
            objects: Vec::new(),
        };
        let universe = Universe::new(&mut a);
        Checker {
            a,
            sources: SourceMap::new(),
            diagnostics: Diagnostics::new(),
            universe,
            packages: Vec::new(),
            by_path: FxHashMap::default(),
            loading: Vec::new(),
            files: Vec::new(),
            file_pkgs: Vec::new(),
            on_demand: Vec::new(),
            file_scopes: Vec::new(),
            funcs: Vec::new(),
            globals: Vec::new(),
            env: Env::default(),
            path: Vec::new(),
            waiting: Vec::new(),
            incomplete: FxHashSet::default(),
            rhs: FxHashMap::default(),
            named_objs: FxHashMap::default(),
            instance_spans: FxHashMap::default(),
            cyclic: FxHashSet::default(),
            finite: FxHashSet::default(),
            pending_sigs: Vec::new(),
            delayed: Vec::new(),
            resolving: 0,
            untyped: Vec::new(),
            param_spans: FxHashMap::default(),
            local_types: 0,
            method_sets: FxHashMap::default(),
            wrappers: FxHashMap::default(),
            dot_imports: FxHashMap::default(),
            instances: mono::Instances::default(),
            malformed: Vec::new(),
            has_call: false,
            interactive: false,
            missing_bodies: Vec::new(),
            large_elems: Vec::new(),
            anonymous_cycles: Vec::new(),
            last_chunk: None,
            printer: None,
            redefinitions: redefine::Redefinitions::default(),
            records: None,
            asked: None,
            shows: false,
            is_last: false,
            require_main: true,
            start: None,
        }
    }

    fn err(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::error(code, span, message));
    }

    /// The package whose unexported names are ours.
    fn pkg(&self) -> PkgId {
        self.env
            .pkg
            .map_or(PkgId(u32::MAX), |p| self.packages[p.0 as usize].identity)
    }

    fn name(&self, s: Symbol) -> &str {
        self.a.names.resolve(s)
    }

    fn ty_str(&self, t: Ty) -> String {
        self.a.types.display(t, &self.a.names, self.pkg())
    }

    /// A generic type as declared: `T[P any]`.
    fn generic_str(&self, t: Ty) -> String {
        match *self.a.types.kind(t) {
            TyKind::Named(n) => self.a.types.generic_text(n, &self.a.names, self.pkg()),
            _ => self.ty_str(t),
        }
    }

    fn is_blank(&self, s: Symbol) -> bool {
        s == self.universe.blank
    }

    fn depend(&mut self, dep: Dep) {
        if self.env.dep_set.insert(dep) {
            self.env.deps.push(dep);
        }
    }

    /// `Some(pkg)` for unexported names: half of a field's or method's identity.
    fn name_pkg(&self, name: Symbol) -> Option<PkgId> {
        (!is_exported(self.name(name))).then(|| self.pkg())
    }

    /// As `flush_pending`, if one of the types is an interface or a type parameter: only then do signatures matter to
    /// what is assignable, and their types may mention what is just being declared.
    fn flush_pending_for(&mut self, types: [Ty; 2]) {
        let matters = |t: Ty| {
            let under = self.a.types.under(t);
            matches!(under, TyKind::Interface(_) | TyKind::Param(_))
        };
        if types.into_iter().any(matters) {
            self.flush_pending();
        }
    }

    fn flush_pending(&mut self) {
        while let Some(n) = self.pending_sigs.pop() {
            self.enter_method_sigs(n);
        }
    }
}

fn is_exported(name: &str) -> bool {
    name.chars().next().is_some_and(char::is_uppercase)
}

const INVALID: Ty = Basic::Invalid.ty();

impl tir::Bodies for Checker {
    fn decl(&self, f: FuncId) -> &tir::FuncDecl {
        &self.funcs[f.0 as usize].decl
    }
    fn body(&mut self, f: FuncId) -> Rc<tir::Body> {
        self.checked_body(f)
    }
    fn is_library(&self, f: FuncId) -> bool {
        let pkg = self.funcs[f.0 as usize].decl.pkg;
        self.packages[pkg.0 as usize].library
    }
    fn globals(&self) -> &[tir::Global] {
        &self.globals
    }
    fn types(&mut self) -> &mut Types {
        &mut self.a.types
    }
    fn types_ref(&self) -> &Types {
        &self.a.types
    }
    fn names(&self) -> &dyn Names {
        &self.a.names
    }
    fn name(&self, s: Symbol) -> &str {
        self.a.names.resolve(s)
    }
    fn package_path(&self, p: PkgId) -> &str {
        Names::package_path(&self.a.names, p)
    }
    fn method_set(&mut self, t: Ty) -> Rc<Vec<tir::MethodSetEntry>> {
        if let Some(set) = self.method_sets.get(&t) {
            return set.clone();
        }
        self.flush_pending();
        let set = Rc::new(self.a.types.method_set(t));
        self.method_sets.insert(t, set.clone());
        set
    }
    fn interface_wrapper(&mut self, t: Ty, method: &IMethod) -> tir::WrapperFunc {
        let key = (t, method.clone());
        if let Some(w) = self.wrappers.get(&key) {
            return w.clone();
        }
        self.flush_pending();
        let span = Span::default();
        let w = tir::build::interface_wrapper(t, method, &self.a.names, span, &mut self.a.types);
        self.wrappers.insert(key, w.clone());
        w
    }
    fn runtime_errors(&mut self) -> Vec<Ty> {
        let Some(&pkg) = self.by_path.get("runtime") else {
            return Vec::new();
        };
        let mut named = |name: &str| {
            let name = self.a.names.interner.find(name)?;
            let id = *self.packages[pkg.0 as usize].scope.get(&name)?;
            self.resolve(id);
            match self.obj(id).kind {
                ObjKind::Type(ty) => Some(ty),
                _ => None,
            }
        };
        let plain = named("rtError");
        let others = [named("TypeAssertionError"), named("PanicNilError")];
        let pointer = |ty| self.a.types.intern(TyKind::Pointer(ty));
        let others = others.into_iter().flatten().map(pointer);
        plain.into_iter().chain(others).collect()
    }
}
