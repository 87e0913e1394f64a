//! A compiled program: code, constants, tables. Everything that the machine sees of the language.
//! A program only ever grows (the REPL compiles into the same one), so indices stay good.
use crate::source::{SourceMap, Span};

/// Index into `Program::funcs`.
pub type FuncIdx = u32;
/// Index into `Program::types`.
pub type TypeIdx = u32;

/// No function: a variant that nothing can call.
pub const NO_FUNC: FuncIdx = u32::MAX;
/// No type.
pub const NO_TYPE: TypeIdx = u32::MAX;

#[derive(Default)]
pub struct Program {
    pub funcs: Vec<Function>,
    pub types: Vec<TypeDesc>,
    pub strings: Vec<Box<[u8]>>,
    pub natives: Vec<NativeRef>,
    /// What func values and method tables point to.
    pub func_values: Vec<FuncValue>,
    /// Method identities: `CallI` names one; `TypeDesc::methods` and `iface_methods` hold them.
    pub methods: Vec<MethodId>,
    /// Func type of each method; `NO_TYPE`, or missing at the end, where no reflection can ask.
    pub method_types: Vec<TypeIdx>,
    pub globals: Vec<GlobalVar>,
    /// Bytes of all package variables.
    pub globals_size: u32,
    pub pvars: Vec<PVar>,
    /// Runs the program: initialises packages, then `main.main`. For a REPL, the newest chunk.
    pub entry: FuncIdx,
    /// Index in `methods` of `Error() string` and `String() string`, for printing panics.
    pub error_method: u32,
    pub string_method: u32,
    /// For traces and messages.
    pub sources: SourceMap,
}

/// One instance of a function.
pub struct Function {
    /// As Go's traces print it: `main.(*T).Add`.
    pub name: String,
    /// The instance beyond the name: type arguments, heaps, `txn`; for the disassembler. Empty for
    /// the plain one.
    pub instance: String,
    pub code: Vec<u64>,
    /// Slots of the frame, links not counted, windows of calls it makes included.
    pub frame_slots: u32,
    /// Slots of results, which come first, and of parameters, which follow.
    pub result_slots: u32,
    pub param_slots: u32,
    /// Where to go on after one of this frame's deferred functions has recovered a panic: runs the
    /// remaining ones, loads the results and returns. In words.
    pub recover_pc: Option<u32>,
    /// A forwarding function that `recover` looks through and traces leave out.
    pub wrapper: bool,
    /// Of those, one from a pointer to a method of the value: nil is told by the method's name.
    pub value_method: bool,
    /// (word, source position), sorted by word: each entry holds up to the next one.
    pub lines: Vec<(u32, Span)>,
    /// (word of a `PVal`, what is stored where: `field next of Node`).
    pub store_notes: Vec<(u32, String)>,
    /// (word of an instruction, slot, count): slots that it reads beside those that its operands tell of, sorted by word.
    pub reads: Vec<(u32, u32, u32)>,
    pub span: Span,
}

/// The two variants that a call through a value may need; `NO_FUNC` where none can.
#[derive(Clone, Copy, Debug)]
pub struct FuncValue {
    pub plain: FuncIdx,
    pub txn: FuncIdx,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MethodId {
    /// Unexported ones are qualified with their package's path: `pkg.name`.
    pub name: String,
    /// The signature as `%T` would print it: `func(int) string`.
    pub sig: String,
}

/// A function declared without a body.
#[derive(Clone, Debug)]
pub struct NativeRef {
    /// `strings.Index`, `time.Time.Unix`.
    pub name: String,
    /// The declared signature as `%T` prints it, receiver first; checked against the native's own.
    pub sig: String,
    /// Slots of the results, which come first in the call's window; the parameters follow.
    pub result_slots: u32,
}

pub struct GlobalVar {
    pub name: String,
    pub ty: TypeIdx,
    /// Byte in the globals.
    pub offset: u32,
}

pub struct PVar {
    /// Of the root.
    pub name: String,
    pub ty: TypeIdx,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
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
    Pointer,
    Slice,
    Array,
    Map,
    Chan,
    Struct,
    Func,
    Interface,
}

/// What a word of a value is to the collector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PtrKind {
    /// An address, interior ones included, or nil.
    Ptr,
    /// The first of an interface's two words (type key, data). Key bit 0 set: the data word is a
    /// scalar; clear: an address (bit 1 set: of a boxed value).
    Iface,
}

/// A type at run time.
#[derive(Clone, Debug)]
pub struct TypeDesc {
    /// As `%T` prints it.
    pub name: String,
    /// Defined types: package path and bare name with type arguments, else empty.
    pub pkg_path: String,
    pub type_name: String,
    /// Equal in every run; what interface words hold. Never 0.
    pub key: u64,
    /// What keys of types made of this one are computed from (`typekey`).
    pub hash: u64,
    pub kind: Kind,
    pub size: u64,
    pub align: u8,
    /// Stored in an interface's data word itself.
    pub direct: bool,
    pub comparable: bool,
    /// Offsets of pointers, ascending.
    pub ptrs: Vec<(u32, PtrKind)>,
    /// Pointer, slice, array, map, chan.
    pub elem: TypeIdx,
    /// Map key.
    pub map_key: TypeIdx,
    /// Array length; chan direction (0 both, 1 send, 2 receive).
    pub len: u64,
    pub fields: Vec<FieldDesc>,
    /// Func: parameter and result types, variadic.
    pub params: Vec<TypeIdx>,
    pub results: Vec<TypeIdx>,
    pub variadic: bool,
    /// The method set, sorted by method index: index in `Program::methods`, index in
    /// `Program::func_values` (`NO_FUNC` if no call in the program can reach it). Grows as the
    /// program does.
    pub methods: Vec<(u32, u32)>,
    /// Interface: indices in `Program::methods`, sorted.
    pub iface_methods: Vec<u32>,
    /// Some part of a value could have an `Error`, `String`, `Format` or `GoString` method:
    /// printing needs the slow road. True for interfaces.
    pub prints_by_method: bool,
    /// Can be stored in the persistent heap.
    pub storable: bool,
}

#[derive(Clone, Debug)]
pub struct FieldDesc {
    pub name: String,
    pub ty: TypeIdx,
    pub offset: u32,
    pub embedded: bool,
    pub exported: bool,
    /// Of the package, for names that are not exported.
    pub pkg_path: String,
    pub tag: String,
}
