//! The type arena: Go spec "Types". Identical types (spec "Type identity") share one handle, so
//! identity is `==` on `Ty`.
use crate::syntax::symbol::Symbol;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// A handle to an interned type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Ty(pub u32);

/// A handle to a defined (named) type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct NamedId(pub u32);

/// A handle to a type parameter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ParamId(pub u32);

/// A handle to a package.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct PkgId(pub u32);

/// A handle to a function or method body in `tir::Module`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FuncId(pub u32);

/// The predeclared types, and the kinds of untyped constants. `byte` and `rune` are `Uint8` and
/// `Int32`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u32)]
pub enum Basic {
    /// The type of an expression in error; silences follow-on errors.
    Invalid = 0,
    Bool,
    Int,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Uintptr,
    Float32,
    Float64,
    Complex64,
    Complex128,
    String,
    UnsafePointer,
    UntypedBool,
    UntypedInt,
    UntypedRune,
    UntypedFloat,
    UntypedComplex,
    UntypedString,
    UntypedNil,
}

impl Basic {
    pub const ALL: [Basic; 26] = [
        Basic::Invalid,
        Basic::Bool,
        Basic::Int,
        Basic::Int8,
        Basic::Int16,
        Basic::Int32,
        Basic::Int64,
        Basic::Uint,
        Basic::Uint8,
        Basic::Uint16,
        Basic::Uint32,
        Basic::Uint64,
        Basic::Uintptr,
        Basic::Float32,
        Basic::Float64,
        Basic::Complex64,
        Basic::Complex128,
        Basic::String,
        Basic::UnsafePointer,
        Basic::UntypedBool,
        Basic::UntypedInt,
        Basic::UntypedRune,
        Basic::UntypedFloat,
        Basic::UntypedComplex,
        Basic::UntypedString,
        Basic::UntypedNil,
    ];

    pub fn name(self) -> &'static str {
        use Basic::*;
        match self {
            Invalid => "invalid type",
            Bool => "bool",
            Int => "int",
            Int8 => "int8",
            Int16 => "int16",
            Int32 => "int32",
            Int64 => "int64",
            Uint => "uint",
            Uint8 => "uint8",
            Uint16 => "uint16",
            Uint32 => "uint32",
            Uint64 => "uint64",
            Uintptr => "uintptr",
            Float32 => "float32",
            Float64 => "float64",
            Complex64 => "complex64",
            Complex128 => "complex128",
            String => "string",
            UnsafePointer => "unsafe.Pointer",
            UntypedBool => "untyped bool",
            UntypedInt => "untyped int",
            UntypedRune => "untyped rune",
            UntypedFloat => "untyped float",
            UntypedComplex => "untyped complex",
            UntypedString => "untyped string",
            UntypedNil => "untyped nil",
        }
    }
    pub fn is_untyped(self) -> bool {
        self >= Basic::UntypedBool
    }
    pub fn is_integer(self) -> bool {
        (Basic::Int..=Basic::Uintptr).contains(&self)
            || matches!(self, Basic::UntypedInt | Basic::UntypedRune)
    }
    pub fn is_unsigned(self) -> bool {
        (Basic::Uint..=Basic::Uintptr).contains(&self)
    }
    pub fn is_float(self) -> bool {
        matches!(self, Basic::Float32 | Basic::Float64 | Basic::UntypedFloat)
    }
    pub fn is_complex(self) -> bool {
        matches!(
            self,
            Basic::Complex64 | Basic::Complex128 | Basic::UntypedComplex
        )
    }
    pub fn is_numeric(self) -> bool {
        self.is_integer() || self.is_float() || self.is_complex()
    }
    pub fn is_string(self) -> bool {
        matches!(self, Basic::String | Basic::UntypedString)
    }
    pub fn is_boolean(self) -> bool {
        matches!(self, Basic::Bool | Basic::UntypedBool)
    }
    /// The handle; basic types have the same ones in every arena.
    pub const fn ty(self) -> Ty {
        Ty(self as u32)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ChanDir {
    Both,
    Send,
    Recv,
}

/// One struct field. Embedded fields carry the type's name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Field {
    pub name: Symbol,
    /// The declaring package: unexported names of different packages differ (spec "Uniqueness of
    /// identifiers"). Exported names carry it too but it does not count for identity; intern with
    /// `None` for those.
    pub pkg: Option<PkgId>,
    pub ty: Ty,
    pub embedded: bool,
    pub tag: Option<Rc<str>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct StructType {
    pub fields: Vec<Field>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signature {
    pub params: Vec<Ty>,
    pub results: Vec<Ty>,
    /// The last parameter is `...T`; its `Ty` is the slice type.
    pub variadic: bool,
}

/// A method of an interface, or a name in a method set.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct IMethod {
    pub name: Symbol,
    /// `Some` for unexported names.
    pub pkg: Option<PkgId>,
    pub sig: Ty,
}

/// One term of a union in a constraint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Term {
    pub tilde: bool,
    pub ty: Ty,
}

/// An interface with its embedded ones already merged: all methods sorted by name, and the type
/// set's terms (`None`: all types).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct InterfaceType {
    pub methods: Vec<IMethod>,
    pub terms: Option<Vec<Term>>,
    pub comparable: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TyKind {
    Basic(Basic),
    Named(NamedId),
    Pointer(Ty),
    Slice(Ty),
    Array(Ty, u64),
    Map(Ty, Ty),
    Chan(ChanDir, Ty),
    Struct(Rc<StructType>),
    Func(Rc<Signature>),
    Interface(Rc<InterfaceType>),
    /// Several results of a call. Never the type of a variable.
    Tuple(Rc<[Ty]>),
    Param(ParamId),
}

/// A method declared on a defined type.
#[derive(Clone, Debug)]
pub struct Method {
    pub name: Symbol,
    pub pkg: Option<PkgId>,
    pub func: FuncId,
    pub ptr_recv: bool,
}

/// A defined type: its declaration, or one instantiation of a generic one.
#[derive(Clone, Debug)]
pub struct Named {
    pub name: Symbol,
    pub pkg: Option<PkgId>,
    /// 0 for package-level types; types declared in functions count up, so that two of one name
    /// have different keys.
    pub local: u32,
    /// Set when the declaration has been resolved.
    pub underlying: Ty,
    pub methods: Vec<Method>,
    pub params: Vec<ParamId>,
    /// How many of them belong to the function in which the type is declared.
    pub outer: u32,
    /// For an instantiation: the generic type and the arguments.
    pub origin: Option<(NamedId, Vec<Ty>)>,
}

#[derive(Clone, Debug)]
pub struct Param {
    pub name: Symbol,
    pub index: u32,
    /// An interface type.
    pub constraint: Ty,
}

/// The signature of a declared method.
#[derive(Clone, Debug)]
pub struct MethodSig {
    /// The receiver's type parameters as this method names them.
    pub type_params: Vec<ParamId>,
    /// Its own ones: such a method implements no interface's.
    pub own: Vec<ParamId>,
    /// A `Func` type without the receiver.
    pub sig: Ty,
}

/// The arena.
pub struct Types {
    kinds: Vec<TyKind>,
    /// How deep each type nests.
    depths: Vec<u32>,
    map: FxHashMap<TyKind, Ty>,
    pub named: Vec<Named>,
    pub params: Vec<Param>,
    /// Of every declared method; the checker enters them before bodies are checked.
    pub method_sigs: FxHashMap<FuncId, MethodSig>,
    pub(super) instances: FxHashMap<(NamedId, Vec<Ty>), NamedId>,
    /// A generic type whose expansion does not end (`type T[P any] struct { f *T[[]P] }`).
    pub expansion_cycle: Option<NamedId>,
    /// Generic types whose instances are being made, with the depth of their arguments.
    pub(super) expanding: Vec<(NamedId, u32)>,
}

impl Default for Types {
    fn default() -> Self {
        let mut t = Types {
            kinds: Vec::new(),
            depths: Vec::new(),
            map: FxHashMap::default(),
            named: Vec::new(),
            params: Vec::new(),
            method_sigs: FxHashMap::default(),
            instances: FxHashMap::default(),
            expansion_cycle: None,
            expanding: Vec::new(),
        };
        for b in Basic::ALL {
            t.intern(TyKind::Basic(b));
        }
        t
    }
}

impl Types {
    pub fn intern(&mut self, k: TyKind) -> Ty {
        if let Some(&t) = self.map.get(&k) {
            return t;
        }
        let t = Ty(self.kinds.len() as u32);
        let depth = self.depth_of(&k);
        self.depths.push(depth);
        self.kinds.push(k.clone());
        self.map.insert(k, t);
        t
    }
    /// How deep a type nests: 1 for a type without parts.
    pub fn depth(&self, t: Ty) -> u32 {
        self.depths[t.0 as usize]
    }
    fn depth_of(&self, k: &TyKind) -> u32 {
        let max = |ts: &[Ty]| ts.iter().map(|t| self.depth(*t)).max().unwrap_or(0);
        1 + match k {
            TyKind::Named(n) => match &self.named[n.0 as usize].origin {
                Some((_, targs)) => max(targs),
                None => 0,
            },
            TyKind::Pointer(e) | TyKind::Slice(e) | TyKind::Array(e, _) | TyKind::Chan(_, e) => {
                self.depth(*e)
            }
            TyKind::Map(k, v) => max(&[*k, *v]),
            TyKind::Struct(s) => s.fields.iter().map(|f| self.depth(f.ty)).max().unwrap_or(0),
            TyKind::Func(s) => max(&s.params).max(max(&s.results)),
            TyKind::Tuple(ts) => max(ts),
            TyKind::Interface(i) => {
                let methods = i.methods.iter().map(|m| m.sig);
                let terms = i.terms.iter().flatten().map(|t| t.ty);
                methods
                    .chain(terms)
                    .map(|t| self.depth(t))
                    .max()
                    .unwrap_or(0)
            }
            TyKind::Basic(_) | TyKind::Param(_) => 0,
        }
    }
    /// The handle of a type that may never have been interned.
    pub fn find(&self, k: &TyKind) -> Option<Ty> {
        self.map.get(k).copied()
    }
    pub fn kind(&self, t: Ty) -> &TyKind {
        &self.kinds[t.0 as usize]
    }
    /// The underlying type (spec "Underlying types").
    pub fn underlying(&self, t: Ty) -> Ty {
        match self.kinds[t.0 as usize] {
            TyKind::Named(n) => self.named[n.0 as usize].underlying,
            _ => t,
        }
    }
    /// The kind of the underlying type.
    pub fn under(&self, t: Ty) -> &TyKind {
        self.kind(self.underlying(t))
    }
    pub fn basic(&self, t: Ty) -> Option<Basic> {
        match self.under(t) {
            TyKind::Basic(b) => Some(*b),
            _ => None,
        }
    }
    pub fn pointer(&mut self, t: Ty) -> Ty {
        self.intern(TyKind::Pointer(t))
    }
    pub fn slice(&mut self, t: Ty) -> Ty {
        self.intern(TyKind::Slice(t))
    }
    pub fn tuple(&mut self, ts: &[Ty]) -> Ty {
        self.intern(TyKind::Tuple(ts.into()))
    }
    pub fn is_interface(&self, t: Ty) -> bool {
        matches!(self.under(t), TyKind::Interface(_))
    }
    /// What a pointer points to, through a defined pointer type too.
    pub fn pointee(&self, t: Ty) -> Option<Ty> {
        match self.under(t) {
            TyKind::Pointer(e) => Some(*e),
            _ => None,
        }
    }
}
