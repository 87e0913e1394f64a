//! The syntax tree of a file: Go's whole language and ours, names unresolved. Types are expressions
//! (only the checker can tell them apart), every node has its span.

#![allow(
    dead_code,
    reason = "positions for tools that print source, such as a formatter"
)]

use super::symbol::Symbol;
use crate::source::{FileId, Span};

/// One parsed file; after a syntax error, what could be parsed.
#[derive(Debug)]
pub struct File {
    pub id: FileId,
    pub form: Form,
    /// The package clause's name; `None` in a script.
    pub package: Option<Ident>,
    pub imports: Vec<ImportSpec>,
    /// In source order: a program's declarations; of a script the functions, methods, types and
    /// constants, which may be used before they are declared.
    pub decls: Vec<Decl>,
    /// A script's statements in order, its `var` and `pvar` declarations among them.
    pub stmts: Vec<Stmt>,
    /// Comments with their delimiters, in order.
    pub comments: Vec<Span>,
    /// The empty span at the end of the file.
    pub end: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Has a package clause.
    Program,
    /// Statements at top level.
    Script,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ident {
    pub name: Symbol,
    pub span: Span,
}

#[derive(Debug)]
pub struct ImportSpec {
    pub span: Span,
    /// `.`, `_` or a name.
    pub name: Option<Ident>,
    /// The path without quotes.
    pub path: Symbol,
    pub path_span: Span,
}

#[derive(Debug)]
pub struct Decl {
    pub span: Span,
    pub kind: DeclKind,
}

#[derive(Debug)]
pub enum DeclKind {
    Func(Box<FuncDecl>),
    Const(Vec<ConstSpec>),
    Var(Vec<VarSpec>),
    /// `pvar name T`, `pvar name = expr`: persistent variables.
    Pvar(Vec<VarSpec>),
    Type(Vec<TypeSpec>),
}

#[derive(Debug)]
pub struct FuncDecl {
    pub span: Span,
    /// A method's receiver: exactly one parameter (the parser saw to it), perhaps unnamed.
    pub receiver: Option<Param>,
    pub name: Ident,
    pub type_params: Vec<TypeParam>,
    pub ty: FuncType,
    /// `None`: implemented outside the language.
    pub body: Option<Block>,
}

#[derive(Debug)]
pub struct ConstSpec {
    pub span: Span,
    pub names: Vec<Ident>,
    pub ty: Option<Expr>,
    /// Empty (and `ty` too) where the spec before is repeated.
    pub values: Vec<Expr>,
    /// The spec's place in its group.
    pub iota: u32,
}

#[derive(Debug)]
pub struct VarSpec {
    pub span: Span,
    pub names: Vec<Ident>,
    pub ty: Option<Expr>,
    pub values: Vec<Expr>,
}

#[derive(Debug)]
pub struct TypeSpec {
    pub span: Span,
    pub name: Ident,
    pub type_params: Vec<TypeParam>,
    /// `type A = B`.
    pub alias: bool,
    pub ty: Expr,
}

/// `P, Q C` of a type parameter list. A constraint written as a union or with `~` is an implicit
/// interface type.
#[derive(Debug)]
pub struct TypeParam {
    pub names: Vec<Ident>,
    pub constraint: Expr,
}

#[derive(Debug)]
pub struct Stmt {
    pub span: Span,
    /// Height of the tree below; the parser keeps it under `MAX_DEPTH`, so passes may recurse.
    pub depth: u32,
    pub kind: StmtKind,
}

#[derive(Debug)]
pub enum StmtKind {
    /// What a syntax error left; already reported.
    Bad,
    Empty,
    Decl(Box<Decl>),
    Labeled {
        label: Ident,
        stmt: Box<Stmt>,
    },
    Expr(Expr),
    Send {
        channel: Expr,
        value: Expr,
        op_span: Span,
    },
    IncDec {
        operand: Expr,
        increment: bool,
        op_span: Span,
    },
    Assign {
        left: Vec<Expr>,
        right: Vec<Expr>,
        op_span: Span,
    },
    /// `left op= right`.
    OpAssign {
        op: BinaryOp,
        left: Expr,
        right: Expr,
        op_span: Span,
    },
    /// `names := right`.
    Define {
        names: Vec<Ident>,
        right: Vec<Expr>,
        op_span: Span,
    },
    /// The operand is a `Call` (perhaps of a conversion or builtin), or `Bad`.
    Go(Expr),
    /// As `Go`.
    Defer(Expr),
    Return(Vec<Expr>),
    Break(Option<Ident>),
    Continue(Option<Ident>),
    Goto(Ident),
    Fallthrough,
    Block(Block),
    If(Box<IfStmt>),
    Switch(Box<SwitchStmt>),
    TypeSwitch(Box<TypeSwitchStmt>),
    Select(Box<SelectStmt>),
    For(Box<ForStmt>),
    Range(Box<RangeStmt>),
    Txn(Box<TxnStmt>),
}

/// `{ … }`; the closing brace, where a missing return is reported, is the last byte of the span.
#[derive(Debug)]
pub struct Block {
    pub span: Span,
    pub stmts: Vec<Stmt>,
}

impl Block {
    /// The span of the closing brace.
    pub fn rbrace(&self) -> Span {
        Span {
            lo: self.span.hi.saturating_sub(1).max(self.span.lo),
            ..self.span
        }
    }
}

#[derive(Debug)]
pub struct IfStmt {
    pub init: Option<Box<Stmt>>,
    pub cond: Expr,
    pub then: Block,
    /// A `Block` or an `If`.
    pub otherwise: Option<Box<Stmt>>,
}

#[derive(Debug)]
pub struct SwitchStmt {
    pub init: Option<Box<Stmt>>,
    pub tag: Option<Expr>,
    /// From `{` to `}`.
    pub body_span: Span,
    pub cases: Vec<CaseClause>,
}

#[derive(Debug)]
pub struct TypeSwitchStmt {
    pub init: Option<Box<Stmt>>,
    /// `x` of `switch x := y.(type)`.
    pub binding: Option<Ident>,
    /// `y`.
    pub operand: Expr,
    pub body_span: Span,
    pub cases: Vec<CaseClause>,
}

#[derive(Debug)]
pub struct CaseClause {
    /// From the keyword to the end of the last statement.
    pub span: Span,
    pub keyword_span: Span,
    pub is_default: bool,
    /// Empty for `default`.
    pub exprs: Vec<Expr>,
    pub body: Vec<Stmt>,
}

#[derive(Debug)]
pub struct SelectStmt {
    pub body_span: Span,
    pub cases: Vec<CommClause>,
}

#[derive(Debug)]
pub struct CommClause {
    pub span: Span,
    pub keyword_span: Span,
    /// `None` for `default`; else a `Send`, or an `Expr`, `Assign` or `Define` to be checked for
    /// being a receive.
    pub comm: Option<Stmt>,
    pub body: Vec<Stmt>,
}

#[derive(Debug)]
pub struct ForStmt {
    pub init: Option<Box<Stmt>>,
    pub cond: Option<Expr>,
    pub post: Option<Box<Stmt>>,
    pub body: Block,
}

#[derive(Debug)]
pub struct RangeStmt {
    /// At most two; none in `for range x`. When `define`, identifiers only.
    pub vars: Vec<Expr>,
    pub define: bool,
    /// Of `range`.
    pub keyword_span: Span,
    pub operand: Expr,
    pub body: Block,
}

/// `txn <options> { … }`, `txn() { … }`, `txn("undo") { … }`.
#[derive(Debug)]
pub struct TxnStmt {
    pub keyword_span: Span,
    pub options: Vec<TxnOption>,
    pub body: Block,
}

/// A word between `<` and `>`, or a string between `(` and `)`; which ones exist is the checker's.
#[derive(Debug)]
pub struct TxnOption {
    pub span: Span,
    /// Without quotes.
    pub name: Symbol,
    pub quoted: bool,
}

/// An expression or a type.
#[derive(Debug)]
pub struct Expr {
    pub span: Span,
    /// As `Stmt::depth`.
    pub depth: u32,
    pub kind: ExprKind,
}

#[derive(Debug)]
pub enum ExprKind {
    /// What a syntax error left; already reported.
    Bad,
    Ident(Symbol),
    Literal(Literal),
    Composite(Box<CompositeLit>),
    FuncLit(Box<FuncLit>),
    Paren(Box<Expr>),
    Selector {
        operand: Box<Expr>,
        name: Ident,
    },
    /// `x[i]`, `F[T]`, `F[K, V]`: an index or an instantiation.
    Index {
        operand: Box<Expr>,
        args: Vec<Expr>,
    },
    Slice(Box<SliceExpr>),
    /// `x.(T)`; without a type `x.(type)`, which only a type switch may have (and then only in
    /// `TypeSwitchStmt::operand`'s place, already removed), so `None` is an error already reported.
    TypeAssert {
        operand: Box<Expr>,
        ty: Option<Box<Expr>>,
    },
    Call(Box<CallExpr>),
    /// `*x`: a dereference or a pointer type.
    Star(Box<Expr>),
    Unary {
        op: UnaryOp,
        operand: Box<Expr>,
    },
    Binary(Box<BinaryExpr>),
    /// Only as an element of a composite literal.
    KeyValue {
        key: Box<Expr>,
        value: Box<Expr>,
    },
    /// `[len]elem`, or `[...]elem` without a length.
    ArrayType {
        len: Option<Box<Expr>>,
        elem: Box<Expr>,
    },
    SliceType(Box<Expr>),
    MapType {
        key: Box<Expr>,
        value: Box<Expr>,
    },
    ChanType {
        dir: ChanDir,
        elem: Box<Expr>,
    },
    FuncType(Box<FuncType>),
    StructType(Box<StructType>),
    InterfaceType(Box<InterfaceType>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Literal {
    pub kind: LiteralKind,
    /// As written, quotes included; `syntax::literal` decodes it.
    pub text: Symbol,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LiteralKind {
    Int,
    Float,
    Imaginary,
    Rune,
    String,
}

#[derive(Debug)]
pub struct CompositeLit {
    /// `None` for an inner literal whose type is its outer one's element type.
    pub ty: Option<Expr>,
    /// Values or `KeyValue`s; a value may be a `Composite` without type.
    pub elements: Vec<Expr>,
    pub lbrace: Span,
    pub rbrace: Span,
}

#[derive(Debug)]
pub struct FuncLit {
    pub ty: FuncType,
    pub body: Block,
}

#[derive(Debug)]
pub struct SliceExpr {
    pub operand: Expr,
    pub low: Option<Expr>,
    pub high: Option<Expr>,
    /// Of `x[low:high:max]`.
    pub max: Option<Expr>,
}

#[derive(Debug)]
pub struct CallExpr {
    pub callee: Expr,
    pub args: Vec<Expr>,
    /// Of `f(x...)`.
    pub ellipsis: Option<Span>,
    pub lparen: Span,
    pub rparen: Span,
}

#[derive(Debug)]
pub struct BinaryExpr {
    pub op: BinaryOp,
    pub op_span: Span,
    pub left: Expr,
    pub right: Expr,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChanDir {
    Both,
    /// `chan<-`
    Send,
    /// `<-chan`
    Receive,
}

#[derive(Debug)]
pub struct FuncType {
    pub span: Span,
    pub params: Vec<Param>,
    pub results: Vec<Param>,
}

/// `a, b T`; unnamed parameters have one entry each, with no names.
#[derive(Debug)]
pub struct Param {
    pub names: Vec<Ident>,
    /// The `...` of a variadic parameter.
    pub variadic: Option<Span>,
    pub ty: Expr,
}

#[derive(Debug)]
pub struct StructType {
    pub fields: Vec<Field>,
    pub rbrace: Span,
}

/// `a, b T "tag"`; an embedded field has no names, its type is `T` or `*T`.
#[derive(Debug)]
pub struct Field {
    pub names: Vec<Ident>,
    pub ty: Expr,
    pub tag: Option<Tag>,
}

/// A string literal as written.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    pub text: Symbol,
    pub span: Span,
}

#[derive(Debug)]
pub struct InterfaceType {
    /// Written without `interface { }`, as in `[T ~int | string]`.
    pub implicit: bool,
    pub elems: Vec<InterfaceElem>,
    pub rbrace: Span,
}

#[derive(Debug)]
pub enum InterfaceElem {
    Method {
        name: Ident,
        ty: FuncType,
    },
    /// One term without tilde is an embedded type.
    Union(Vec<UnionTerm>),
}

#[derive(Debug)]
pub struct UnionTerm {
    /// The `~`.
    pub tilde: Option<Span>,
    pub ty: Expr,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    Plus,
    Minus,
    Not,
    /// `^`
    Complement,
    /// `&`
    Address,
    /// `<-`
    Receive,
    /// `~`, which only constraints may have.
    Tilde,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    LogicalOr,
    LogicalAnd,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Or,
    Xor,
    Multiply,
    Divide,
    Remainder,
    ShiftLeft,
    ShiftRight,
    And,
    AndNot,
}

impl BinaryOp {
    /// From 1 (`||`) to 5 (`*`).
    pub fn precedence(self) -> u8 {
        use BinaryOp::*;
        match self {
            LogicalOr => 1,
            LogicalAnd => 2,
            Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual => 3,
            Add | Subtract | Or | Xor => 4,
            Multiply | Divide | Remainder | ShiftLeft | ShiftRight | And | AndNot => 5,
        }
    }

    pub fn is_comparison(self) -> bool {
        self.precedence() == 3
    }

    pub fn is_shift(self) -> bool {
        matches!(self, BinaryOp::ShiftLeft | BinaryOp::ShiftRight)
    }

    pub fn text(self) -> &'static str {
        use BinaryOp::*;
        match self {
            LogicalOr => "||",
            LogicalAnd => "&&",
            Equal => "==",
            NotEqual => "!=",
            Less => "<",
            LessEqual => "<=",
            Greater => ">",
            GreaterEqual => ">=",
            Add => "+",
            Subtract => "-",
            Or => "|",
            Xor => "^",
            Multiply => "*",
            Divide => "/",
            Remainder => "%",
            ShiftLeft => "<<",
            ShiftRight => ">>",
            And => "&",
            AndNot => "&^",
        }
    }
}

impl UnaryOp {
    pub fn text(self) -> &'static str {
        match self {
            UnaryOp::Plus => "+",
            UnaryOp::Minus => "-",
            UnaryOp::Not => "!",
            UnaryOp::Complement => "^",
            UnaryOp::Tilde => "~",
            UnaryOp::Address => "&",
            UnaryOp::Receive => "<-",
        }
    }
}

impl Expr {
    /// The expression without the parentheses around it.
    pub fn unparen(&self) -> &Expr {
        let mut expr = self;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// The identifier, when the expression is nothing else.
    pub fn as_ident(&self) -> Option<Ident> {
        match self.kind {
            ExprKind::Ident(name) => Some(Ident {
                name,
                span: self.span,
            }),
            _ => None,
        }
    }
}
