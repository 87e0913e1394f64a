//! Declared things: objects, their lazy resolution state, and the universe scope (spec
//! "Predeclared identifiers").
use super::Checker;
use crate::source::Span;
use crate::syntax::symbol::Symbol;
use crate::tir::{GlobalId, LocalId};
use crate::types::constant::Value;
use crate::types::ty::{Basic, FuncId, InterfaceType, ParamId, PkgId, Ty, TyKind};
use rustc_hash::FxHashMap;
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ObjId(pub u32);

/// A variable of one of the function contexts on the stack.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct VarRef {
    pub depth: u32,
    pub local: LocalId,
}

#[derive(Clone, Debug)]
pub(crate) enum ObjKind {
    /// A package-level object that nobody has asked for yet.
    Unresolved,
    /// Its declaration is in error.
    Bad,
    Const(Ty, Value),
    Type(Ty),
    GenericAlias(Rc<GenericAlias>),
    Global(GlobalId),
    Local(VarRef, Ty),
    Func(FuncId),
    Builtin(Builtin),
    Nil,
    Package(PkgId),
}

/// `type A[P C] = T`.
#[derive(Debug)]
pub(crate) struct GenericAlias {
    pub params: Vec<ParamId>,
    pub ty: Ty,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    White,
    Grey,
    Black,
}

/// Where a package-level object is declared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DeclRef {
    Func {
        file: u32,
        decl: u32,
    },
    Const {
        file: u32,
        decl: u32,
        spec: u32,
        name: u32,
    },
    Var {
        file: u32,
        decl: u32,
        spec: u32,
        name: u32,
        stmt: bool,
    },
    Type {
        file: u32,
        decl: u32,
        spec: u32,
    },
}

impl DeclRef {
    pub fn file(self) -> u32 {
        match self {
            DeclRef::Func { file, .. }
            | DeclRef::Const { file, .. }
            | DeclRef::Var { file, .. }
            | DeclRef::Type { file, .. } => file,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Object {
    pub name: Symbol,
    pub span: Span,
    pub pkg: Option<PkgId>,
    pub kind: ObjKind,
    pub state: State,
    pub decl: Option<DeclRef>,
    pub used: bool,
    /// `type A = B`.
    pub alias: bool,
}

/// Predeclared functions, ours, and those of unsafe and pmem that the compiler knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Builtin {
    Append,
    Cap,
    Clear,
    Close,
    Complex,
    Copy,
    Delete,
    Imag,
    Len,
    Make,
    Max,
    Min,
    New,
    Panic,
    Print,
    Println,
    Real,
    Recover,
    Pnew,
    Pmake,
    Persist,
    PmemRoot,
    PmemLookup,
    Sizeof,
    Alignof,
    Offsetof,
    UnsafeAdd,
    UnsafeSlice,
    UnsafeSliceData,
    UnsafeString,
    UnsafeStringData,
}

impl Builtin {
    pub const PREDECLARED: [Builtin; 21] = [
        Builtin::Append,
        Builtin::Cap,
        Builtin::Clear,
        Builtin::Close,
        Builtin::Complex,
        Builtin::Copy,
        Builtin::Delete,
        Builtin::Imag,
        Builtin::Len,
        Builtin::Make,
        Builtin::Max,
        Builtin::Min,
        Builtin::New,
        Builtin::Panic,
        Builtin::Print,
        Builtin::Println,
        Builtin::Real,
        Builtin::Recover,
        Builtin::Pnew,
        Builtin::Pmake,
        Builtin::Persist,
    ];

    pub fn name(self) -> &'static str {
        use Builtin::*;
        match self {
            Append => "append",
            Cap => "cap",
            Clear => "clear",
            Close => "close",
            Complex => "complex",
            Copy => "copy",
            Delete => "delete",
            Imag => "imag",
            Len => "len",
            Make => "make",
            Max => "max",
            Min => "min",
            New => "new",
            Panic => "panic",
            Print => "print",
            Println => "println",
            Real => "real",
            Recover => "recover",
            Pnew => "pnew",
            Pmake => "pmake",
            Persist => "persist",
            PmemRoot => "pmem.Root",
            PmemLookup => "pmem.Lookup",
            Sizeof => "unsafe.Sizeof",
            Alignof => "unsafe.Alignof",
            Offsetof => "unsafe.Offsetof",
            UnsafeAdd => "unsafe.Add",
            UnsafeSlice => "unsafe.Slice",
            UnsafeSliceData => "unsafe.SliceData",
            UnsafeString => "unsafe.String",
            UnsafeStringData => "unsafe.StringData",
        }
    }
}

/// Types and names that the checker itself needs.
pub(crate) struct Universe {
    pub scope: FxHashMap<Symbol, ObjId>,
    pub any: Ty,
    pub comparable: Ty,
    pub blank: Symbol,
    pub init: Symbol,
    pub main: Symbol,
    pub iota: ObjId,
}

impl Universe {
    pub fn new(c: &mut super::Arenas) -> Universe {
        let mut scope = FxHashMap::default();
        let mut declare = |c: &mut super::Arenas, name: &str, kind: ObjKind| {
            let name = c.names.get(name);
            let id = c.object(name, Span::default(), None, kind, State::Black, None);
            scope.insert(name, id);
            id
        };
        for b in Basic::ALL {
            if b != Basic::Invalid && b != Basic::UnsafePointer && !b.is_untyped() {
                declare(c, b.name(), ObjKind::Type(b.ty()));
            }
        }
        declare(c, "byte", ObjKind::Type(Basic::Uint8.ty()));
        declare(c, "rune", ObjKind::Type(Basic::Int32.ty()));
        let empty = InterfaceType {
            methods: vec![],
            terms: None,
            comparable: false,
        };
        let any = c.types.intern(TyKind::Interface(Rc::new(empty.clone())));
        declare(c, "any", ObjKind::Type(any));
        let string_result = c
            .types
            .intern(TyKind::Func(Rc::new(crate::types::ty::Signature {
                params: vec![],
                results: vec![Basic::String.ty()],
                variadic: false,
            })));
        let error_name = c.names.get("Error");
        let error_under = c.types.intern(TyKind::Interface(Rc::new(InterfaceType {
            methods: vec![crate::types::ty::IMethod {
                name: error_name,
                pkg: None,
                sig: string_result,
            }],
            ..empty.clone()
        })));
        let comparable_under = c.types.intern(TyKind::Interface(Rc::new(InterfaceType {
            comparable: true,
            ..empty
        })));
        let error = named(c, "error", error_under);
        declare(c, "error", ObjKind::Type(error));
        let comparable = named(c, "comparable", comparable_under);
        declare(c, "comparable", ObjKind::Type(comparable));
        let constant = |ty: Basic, v| ObjKind::Const(ty.ty(), v);
        declare(c, "true", constant(Basic::UntypedBool, Value::Bool(true)));
        declare(c, "false", constant(Basic::UntypedBool, Value::Bool(false)));
        let iota = declare(c, "iota", constant(Basic::UntypedInt, Value::int(0)));
        declare(c, "nil", ObjKind::Nil);
        for b in Builtin::PREDECLARED {
            declare(c, b.name(), ObjKind::Builtin(b));
        }
        Universe {
            scope,
            any,
            comparable,
            blank: c.names.get("_"),
            init: c.names.get("init"),
            main: c.names.get("main"),
            iota,
        }
    }
}

fn named(c: &mut super::Arenas, name: &str, underlying: Ty) -> Ty {
    let name = c.names.get(name);
    let (id, ty) = c.types.declare_named(name, None, 0);
    c.types.set_underlying(id, underlying);
    ty
}

impl Checker {
    pub(super) fn obj(&self, id: ObjId) -> &Object {
        &self.a.objects[id.0 as usize]
    }
    pub(super) fn obj_mut(&mut self, id: ObjId) -> &mut Object {
        &mut self.a.objects[id.0 as usize]
    }

    /// The object that a name denotes here: local scopes, the file's imports, the package, the
    /// layers of a session, the universe.
    pub(super) fn lookup_name(&self, name: Symbol) -> Option<ObjId> {
        if let Some(&(_, id)) = self.env.scope.iter().rev().find(|(n, _)| *n == name) {
            return Some(id);
        }
        if let Some(file) = self.env.file
            && let Some(&id) = self.file_scopes[file as usize].get(&name)
        {
            return Some(id);
        }
        let mut pkg = self.env.pkg;
        while let Some(p) = pkg {
            let package = &self.packages[p.0 as usize];
            if let Some(&id) = package.scope.get(&name) {
                return Some(id);
            }
            pkg = package.outer;
        }
        self.universe.scope.get(&name).copied()
    }
}
