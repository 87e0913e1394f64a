//! The typed IR: what the checker gives and code generation takes. All sugar is gone: conversions
//! are explicit, constants folded, variadic arguments packed, implicit `&`, `*` and embedded-field
//! steps written out; method values, method expressions, promoted-method wrappers, `defer`red
//! calls and range-over-func bodies are function literals. Generic bodies are kept once; their
//! types mention type parameters, which code generation substitutes per instance.
pub mod build;
pub mod dump;
pub mod verify;

use crate::source::Span;
use crate::types::ty::{FuncId, IMethod, PkgId, Ty};
use std::rc::Rc;

/// A variable of one body (parameters, results, locals, captures, temporaries).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LocalId(pub u32);
/// A package-level variable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GlobalId(pub u32);
/// A jump target of one body: `break`, `continue` and `goto` name it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LabelId(pub u32);

/// A function, method or native as declared.
#[derive(Clone, Debug)]
pub struct FuncDecl {
    /// As Go prints it in traces: `main.f`, `main.(*T).m`, `main.T.m`, `main.f.func1`.
    pub name: String,
    pub pkg: PkgId,
    pub span: Span,
    /// Receiver first, as an ordinary parameter.
    pub params: Vec<Ty>,
    pub results: Vec<Ty>,
    /// The type parameters: receiver's first.
    pub type_params: Vec<crate::types::ty::ParamId>,
    pub kind: FuncKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FuncKind {
    /// Has a body: ask `Bodies::body`.
    Body,
    /// Declared without a body; `FuncDecl::name` finds the native.
    Native,
}

/// A package-level variable.
#[derive(Clone, Debug)]
pub struct Global {
    pub name: String,
    pub ty: Ty,
    /// `pvar`: the name of its root in the heap.
    pub root: Option<String>,
}

/// A checked body.
#[derive(Clone, Debug)]
pub struct Body {
    pub name: String,
    /// One each, receiver first. Blank and unnamed ones have a local too.
    pub params: Vec<LocalId>,
    /// One each, named or not. `Return` stores into them.
    pub results: Vec<LocalId>,
    pub locals: Vec<Local>,
    pub captures: Vec<Capture>,
    pub stmts: Vec<Stmt>,
    /// Number of labels.
    pub labels: u32,
    pub span: Span,
    /// Where the closing brace stands.
    pub end: Span,
    /// The body has a `Defer`: results must be live at any instruction and be reloaded when a
    /// panic is recovered.
    pub has_defer: bool,
    /// A forwarding function that the checker made (deferred call, method value): `recover` looks
    /// through its frame.
    pub wrapper: bool,
    /// The forwarding function of a pointer to a method of the value: nil is told by the method's name.
    pub value_method: bool,
}

#[derive(Clone, Debug)]
pub struct Local {
    pub name: String,
    pub ty: Ty,
    /// Its address is taken, or a function literal that captures it (or it after being captured)
    /// is assigned somewhere: it lives in a heap object of its own, made anew each time its `Let`
    /// runs. The checker sets it for whole variables; `&x.f`, `x[i:j]` of an array and calls of
    /// pointer methods take the address of `x`.
    pub boxed: bool,
}

/// A variable of the enclosing body seen by a function literal. A boxed one is shared, another is
/// copied when the literal is evaluated (it is never assigned after that).
#[derive(Clone, Copy, Debug)]
pub struct Capture {
    pub outer: LocalId,
    pub inner: LocalId,
}

#[derive(Clone, Debug)]
pub struct Expr {
    pub ty: Ty,
    pub span: Span,
    pub kind: ExprKind,
}

/// A constant of a typed expression, already in range.
#[derive(Clone, Debug, PartialEq)]
pub enum Const {
    Bool(bool),
    /// Integers of every type: the value's bits, sign- or zero-extended to 64.
    Int(i64),
    /// `float32` constants are already rounded to it.
    Float(f64),
    Complex(f64, f64),
    Str(Rc<[u8]>),
    /// nil of a pointer, slice, map, chan, func, interface or unsafe.Pointer type.
    Nil,
    /// Size and alignment of a type that mentions type parameters.
    SizeOf(Ty),
    AlignOf(Ty),
    /// Of a field of such a struct.
    OffsetOf(Ty, u32),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnOp {
    Neg,
    Not,
    /// `^x`
    Com,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BinOp {
    /// Also concatenation of strings.
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    And,
    Or,
    Xor,
    AndNot,
    /// The right operand has its own integer type; a negative count panics.
    Shl,
    Shr,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CmpOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConvKind {
    /// Same underlying type (or both pointers to one): no code.
    Retype,
    /// Between integer, floating-point and complex types.
    Numeric,
    /// Integer to string: the UTF-8 of the rune.
    IntToString,
    BytesToString,
    RunesToString,
    StringToBytes,
    StringToRunes,
    /// Concrete value to interface. `nil` constants of interface type are `Const::Nil`, not this.
    ToInterface,
    /// Interface to an interface with fewer methods.
    InterfaceToInterface,
    SliceToArray,
    SliceToArrayPointer,
    /// unsafe.Pointer, uintptr and pointers.
    Unsafe,
    /// The operand's or the result's type is a type parameter: code generation chooses after
    /// substitution.
    Generic,
}

/// A function with the type arguments for `FuncDecl::type_params`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FuncRef {
    pub func: FuncId,
    pub targs: Vec<Ty>,
}

#[derive(Clone, Debug)]
pub enum Callee {
    Static(FuncRef),
    /// A func value; nil panics.
    Value(Box<Expr>),
    /// A method of an interface value.
    Interface(Box<Expr>, IMethod),
    /// A method of a type parameter's value: looked up after substitution. The receiver is
    /// addressable if the flag says so.
    Param(Box<Expr>, IMethod),
}

/// Where a builtin allocates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Volatile,
    Persistent,
}

#[derive(Clone, Debug)]
pub enum ExprKind {
    Const(Const),
    Zero,
    Local(LocalId),
    Global(GlobalId),
    /// A declared function as a value.
    Func(FuncRef),
    Closure(Rc<Body>),
    Unary(UnOp, Box<Expr>),
    /// Both operands have the result's type (but shift counts).
    Binary(BinOp, Box<Expr>, Box<Expr>),
    /// Both operands have one type: conversions to interface are explicit. Comparison with nil
    /// has `Const::Nil` on the right.
    Compare(CmpOp, Box<Expr>, Box<Expr>),
    AndAnd(Box<Expr>, Box<Expr>),
    OrOr(Box<Expr>, Box<Expr>),
    /// Type: the result, a tuple of several, or the empty tuple.
    Call(Callee, Vec<Expr>),
    /// Field of a struct value or place, by index; pointers are dereferenced explicitly.
    Field(Box<Expr>, u32),
    /// nil panics.
    Deref(Box<Expr>),
    /// Address of a place: boxed `Local`, `Global`, `Deref`, `Field` of a place, `Index` of a
    /// slice or of an array place.
    AddrOf(Box<Expr>),
    /// Array (value or place), slice or string by integer index; bounds are checked unless a
    /// constant index of an array.
    Index(Box<Expr>, Box<Expr>),
    /// Map element; the tuple (value, bool) if the flag is set. As the left side of an assignment
    /// it stores.
    MapIndex(Box<Expr>, Box<Expr>, bool),
    /// `x[lo:hi:max]` of a string, slice, or *pointer to* array.
    Slice(
        Box<Expr>,
        Option<Box<Expr>>,
        Option<Box<Expr>>,
        Option<Box<Expr>>,
    ),
    /// The value of the asserted type (`Expr::ty`), or the tuple with a bool if the flag is set.
    TypeAssert(Box<Expr>, Ty, bool),
    /// Does the interface value hold this type (or implement this interface)? `None`: is it nil?
    IsType(Box<Expr>, Option<Ty>),
    Convert(ConvKind, Box<Expr>),
    /// Fields not named are zero. Evaluated in this order.
    StructLit(Vec<(u32, Expr)>),
    ArrayLit(Vec<(u64, Expr)>),
    /// Length, then the elements that are not zero.
    SliceLit(u64, Vec<(u64, Expr)>),
    MapLit(Vec<(Expr, Expr)>),
    /// Several values, of a tuple type: the initialiser of a `Let` alone.
    Tuple(Vec<Expr>),
    /// Statements, then a value: for temporaries.
    Seq(Vec<Stmt>, Box<Expr>),

    // Builtins.
    /// String, slice, array (not constant), map, chan.
    Len(Box<Expr>),
    Cap(Box<Expr>),
    Append(Box<Expr>, Vec<Expr>),
    /// `append(s, t...)`; t is a slice of the same element type, or a string.
    AppendSlice(Box<Expr>, Box<Expr>),
    Copy(Box<Expr>, Box<Expr>),
    Delete(Box<Expr>, Box<Expr>),
    Clear(Box<Expr>),
    Min(Vec<Expr>),
    Max(Vec<Expr>),
    /// `new(T)`, `&T{…}`, `pnew(T)`, `pnew(expr)`: pointer to a fresh variable of the pointee
    /// type, with an initial value or zero.
    New(Place, Option<Box<Expr>>),
    MakeSlice(Place, Box<Expr>, Option<Box<Expr>>),
    MakeMap(Place, Option<Box<Expr>>),
    MakeChan(Option<Box<Expr>>),
    /// Deep copy in the persistent heap.
    Persist(Box<Expr>),
    Complex(Box<Expr>, Box<Expr>),
    Real(Box<Expr>),
    Imag(Box<Expr>),
    /// The operand is an interface.
    Panic(Box<Expr>),
    /// Type `any`.
    Recover,
    /// To standard error; the flag says `println`.
    Print(Vec<Expr>, bool),
    Close(Box<Expr>),
    /// Receive; the tuple with a bool if the flag is set.
    Recv(Box<Expr>, bool),
    /// `pmem.Root[T](name)`: `*T`, made zeroed if it is not there.
    PmemRoot(Box<Expr>),
    /// `unsafe.Slice` or `unsafe.String`, by the type: pointer, length.
    Raw(Box<Expr>, Box<Expr>),
    /// The address of a slice's or string's first element, or whatever stands in its place.
    Data(Box<Expr>),
    /// `pmem.Lookup[T](name)`: the tuple (`*T`, bool).
    PmemLookup(Box<Expr>),
}

/// Options of a `txn`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TxnOptions {
    pub sync: bool,
    pub is_async: bool,
}

#[derive(Clone, Debug)]
pub struct Stmt {
    pub span: Span,
    pub kind: StmtKind,
}

#[derive(Clone, Debug)]
pub enum StmtKind {
    /// The value is dropped.
    Expr(Expr),
    /// A variable comes into being: zeroed or initialised. Every local that is not a parameter,
    /// result or capture has one before its uses. A tuple initialises several.
    Let(Vec<LocalId>, Option<Expr>),
    /// Places are `Local`, `Global`, `Deref`, `Field`, `Index`, `MapIndex`. Operands of index and
    /// deref on the left are evaluated before the right side (spec "Assignment statements").
    Assign(Expr, Expr),
    /// Parallel assignment; `None` is blank. Left operands, then right, then store in order.
    AssignMany(Vec<(Option<Expr>, Expr)>),
    /// From one tuple-valued expression; types already fit.
    AssignTuple(Vec<Option<Expr>>, Expr),
    /// `x op= y`, `x++`: the place is evaluated once.
    OpAssign(BinOp, Expr, Expr),
    Block(Vec<Stmt>),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    For(For),
    Range(Box<Range>),
    Switch(Switch),
    /// The values have the results' types; empty for a bare return (result locals hold them).
    Return(Vec<Expr>),
    Break(LabelId),
    Continue(LabelId),
    Goto(LabelId),
    /// The target of a `Goto`.
    Target(LabelId),
    /// To the next clause of the switch.
    Fallthrough,
    /// A func() value that runs when the function ends.
    Defer(Expr),
    /// A func() value that runs as a goroutine.
    Go(Expr),
    Txn(TxnOptions, Vec<Stmt>),
    Send(Expr, Expr),
    Select(Vec<SelectCase>, LabelId),
    /// `pvar`: makes the root, initialised, if the heap does not have it.
    PvarInit(GlobalId, Option<Expr>),
}

/// `for cond { body } post`. The initial statement stands before it in a block.
#[derive(Clone, Debug)]
pub struct For {
    pub label: LabelId,
    pub cond: Option<Expr>,
    pub post: Vec<Stmt>,
    pub body: Vec<Stmt>,
    /// Variables of the initial statement: boxed ones are copied to a new box before `post`
    /// (spec "For statements with for clause").
    pub per_iteration: Vec<LocalId>,
}

/// Range over anything but functions. Key and value are fresh locals each iteration; ranges that
/// assign have an assignment at the start of the body.
#[derive(Clone, Debug)]
pub struct Range {
    pub label: LabelId,
    pub kind: RangeKind,
    pub key: Option<LocalId>,
    pub value: Option<LocalId>,
    /// Arrays: the value (copied if `value` is used) or, for ranges over pointers to arrays, the
    /// pointer.
    pub over: Expr,
    pub body: Vec<Stmt>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RangeKind {
    Int,
    Slice,
    Array,
    ArrayPointer,
    String,
    Map,
    Chan,
}

/// Clauses are tried in order. Expression and type switches both: the tag is in a temporary, each
/// condition is a bool expression.
#[derive(Clone, Debug)]
pub struct Switch {
    pub label: LabelId,
    pub clauses: Vec<Clause>,
}

#[derive(Clone, Debug)]
pub struct Clause {
    pub conds: Vec<Expr>,
    pub is_default: bool,
    pub body: Vec<Stmt>,
}

#[derive(Clone, Debug)]
pub struct SelectCase {
    pub comm: Comm,
    pub body: Vec<Stmt>,
}

#[derive(Clone, Debug)]
pub enum Comm {
    Default,
    Send(Expr, Expr),
    /// Channel; locals for value and ok, assigned at the start of the body where needed.
    Recv(Expr, Option<LocalId>, Option<LocalId>),
}

/// What code generation asks the checker for, on demand: packages of the library are checked body
/// by body, as instances need them.
pub trait Bodies {
    fn decl(&self, f: FuncId) -> &FuncDecl;
    fn body(&mut self, f: FuncId) -> Rc<Body>;
    fn globals(&self) -> &[Global];
    fn types(&mut self) -> &mut crate::types::ty::Types;
    /// The same, to look at.
    fn types_ref(&self) -> &crate::types::ty::Types;
    /// What is behind symbols and packages, to print types with.
    fn names(&self) -> &dyn crate::types::print::Names;
    /// The name behind a symbol.
    fn name(&self, s: crate::syntax::symbol::Symbol) -> &str;
    /// The import path of a package.
    fn package_path(&self, p: PkgId) -> &str;
    /// The method set of a type (spec "Method sets"), promoted methods included, sorted by name.
    fn is_library(&self, f: FuncId) -> bool;
    fn method_set(&mut self, t: Ty) -> Rc<Vec<MethodSetEntry>>;
    /// The method as a function of an interface's data word: the first parameter is the value
    /// itself where it is stored inline (`Types::is_direct`), else a pointer to it.
    fn interface_wrapper(&mut self, t: Ty, method: &IMethod) -> WrapperFunc;
    /// Types of the values of run-time panics, which programs see by `recover`.
    fn runtime_errors(&mut self) -> Vec<Ty> {
        Vec::new()
    }
}

#[derive(Clone, Debug)]
pub struct MethodSetEntry {
    pub method: IMethod,
    /// Fields to go through to the embedded value that has the method.
    pub path: Vec<u32>,
    /// `None`: the method comes from an embedded interface.
    pub func: Option<FuncRef>,
}

#[derive(Clone, Debug)]
pub enum WrapperFunc {
    /// The declared method itself fits.
    Declared(FuncRef),
    /// A forwarding body.
    Body(Rc<Body>),
}
