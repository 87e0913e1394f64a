//! The tokens of the language, with their patterns, and how error messages call them.

use super::ast::BinaryOp;
use super::lexer::{self, LexState};
use super::symbol::{Interner, Symbol};

/// Why a `;` is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Semicolon {
    Written,
    Newline,
    EndOfFile,
}

/// One token; names and literals carry their text. The last few never leave the lexer.
#[derive(Clone, Copy, PartialEq, Debug, logos::Logos)]
#[logos(extras = LexState)]
#[logos(skip r"[ \t\r]+")]
pub enum Token {
    #[regex("[A-Za-z_][A-Za-z0-9_]*", lexer::ascii_identifier)]
    #[regex(r"[^\x00-\x7F]", lexer::unicode_identifier)]
    Ident(Symbol),
    /// A number whose kind the scan finds out; only `Int`, `Float` and `Imaginary` leave the lexer.
    Int(Symbol),
    Float(Symbol),
    Imaginary(Symbol),
    #[token("'", lexer::rune)]
    Rune(Symbol),
    #[token("\"", lexer::string)]
    #[token("`", lexer::raw_string)]
    String(Symbol),
    #[token(";", |_| Semicolon::Written)]
    Semi(Semicolon),

    #[token("break")]
    Break,
    #[token("case")]
    Case,
    #[token("chan")]
    Chan,
    #[token("const")]
    Const,
    #[token("continue")]
    Continue,
    #[token("default")]
    Default,
    #[token("defer")]
    Defer,
    #[token("else")]
    Else,
    #[token("fallthrough")]
    Fallthrough,
    #[token("for")]
    For,
    #[token("func")]
    Func,
    #[token("go")]
    Go,
    #[token("goto")]
    Goto,
    #[token("if")]
    If,
    #[token("import")]
    Import,
    #[token("interface")]
    Interface,
    #[token("map")]
    Map,
    #[token("package")]
    Package,
    #[token("range")]
    Range,
    #[token("return")]
    Return,
    #[token("select")]
    Select,
    #[token("struct")]
    Struct,
    #[token("switch")]
    Switch,
    #[token("type")]
    Type,
    #[token("var")]
    Var,
    /// Contextual: an `Ident` until `semicolons` finds it in its place.
    Txn,
    /// Contextual, as `Txn`.
    Pvar,

    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("%")]
    Percent,
    #[token("&")]
    Amp,
    #[token("|")]
    Pipe,
    #[token("^")]
    Caret,
    #[token("<<")]
    Shl,
    #[token(">>")]
    Shr,
    #[token("&^")]
    AmpCaret,
    #[token("&&")]
    AndAnd,
    #[token("||")]
    OrOr,
    #[token("==")]
    EqEq,
    #[token("!=")]
    NotEq,
    #[token("<")]
    Less,
    #[token("<=")]
    LessEq,
    #[token(">")]
    Greater,
    #[token(">=")]
    GreaterEq,
    #[token("+=", |_| BinaryOp::Add)]
    #[token("-=", |_| BinaryOp::Subtract)]
    #[token("*=", |_| BinaryOp::Multiply)]
    #[token("/=", |_| BinaryOp::Divide)]
    #[token("%=", |_| BinaryOp::Remainder)]
    #[token("&=", |_| BinaryOp::And)]
    #[token("|=", |_| BinaryOp::Or)]
    #[token("^=", |_| BinaryOp::Xor)]
    #[token("<<=", |_| BinaryOp::ShiftLeft)]
    #[token(">>=", |_| BinaryOp::ShiftRight)]
    #[token("&^=", |_| BinaryOp::AndNot)]
    OpAssign(BinaryOp),
    #[token("=")]
    Assign,
    #[token(":=")]
    Define,
    #[token("!")]
    Not,
    #[token("~")]
    Tilde,
    #[token("<-")]
    Arrow,
    #[token("++")]
    PlusPlus,
    #[token("--")]
    MinusMinus,
    #[token("(")]
    LParen,
    #[token(")")]
    RParen,
    #[token("[")]
    LBrack,
    #[token("]")]
    RBrack,
    #[token("{")]
    LBrace,
    #[token("}")]
    RBrace,
    #[token(",")]
    Comma,
    #[token(".")]
    Dot,
    #[token("...")]
    Ellipsis,
    #[token(":")]
    Colon,

    /// Leads a token stream that is to be parsed as one top-level declaration.
    ModeDecl,
    /// Leads a token stream that is to be parsed as one statement.
    ModeStmt,

    #[regex(r"[0-9]|\.[0-9]", lexer::number)]
    Number((super::ast::LiteralKind, Symbol)),
    #[token("\n")]
    Newline,
    #[regex(r"//[^\n]*", allow_greedy = true)]
    LineComment,
    /// True when it holds a line end.
    #[token("/*", lexer::block_comment)]
    BlockComment(bool),
}

/// A token at the bytes `lo..hi`.
#[derive(Clone, Copy, Debug)]
pub struct Lexeme {
    pub token: Token,
    pub lo: u32,
    pub hi: u32,
}

impl Token {
    /// Whether a line end after this token becomes a semicolon.
    pub fn ends_statement(self) -> bool {
        use Token::*;
        matches!(
            self,
            Ident(_)
                | Int(_)
                | Float(_)
                | Imaginary(_)
                | Rune(_)
                | String(_)
                | Break
                | Continue
                | Fallthrough
                | Return
                | PlusPlus
                | MinusMinus
                | RParen
                | RBrack
                | RBrace
        )
    }

    /// The fixed text of a keyword.
    pub fn keyword(self) -> Option<&'static str> {
        use Token::*;
        Some(match self {
            Break => "break",
            Case => "case",
            Chan => "chan",
            Const => "const",
            Continue => "continue",
            Default => "default",
            Defer => "defer",
            Else => "else",
            Fallthrough => "fallthrough",
            For => "for",
            Func => "func",
            Go => "go",
            Goto => "goto",
            If => "if",
            Import => "import",
            Interface => "interface",
            Map => "map",
            Package => "package",
            Range => "range",
            Return => "return",
            Select => "select",
            Struct => "struct",
            Switch => "switch",
            Type => "type",
            Var => "var",
            Txn => "txn",
            Pvar => "pvar",
            _ => return None,
        })
    }

    /// What a message calls an unexpected token, as Go's compiler does.
    pub fn describe(self, interner: &Interner) -> std::string::String {
        use Token::*;
        let fixed = match self {
            Ident(name) => return format!("name {}", interner.resolve(name)),
            Int(text) | Float(text) | Imaginary(text) | Rune(text) | String(text) => {
                return format!("literal {}", interner.resolve(text));
            }
            OpAssign(op) => return format!("{}=", op.text()),
            Semi(Semicolon::Written) => "semicolon",
            Semi(Semicolon::Newline) => "newline",
            Semi(Semicolon::EndOfFile) => "EOF",
            Comma => "comma",
            _ => match self.keyword() {
                Some(keyword) => return format!("keyword {keyword}"),
                None => self.punctuation().unwrap_or("token"),
            },
        };
        fixed.to_owned()
    }

    /// The text of a token that is neither a word nor a literal.
    pub fn punctuation(self) -> Option<&'static str> {
        use Token::*;
        Some(match self {
            Semi(_) => ";",
            Comma => ",",
            Plus => "+",
            Minus => "-",
            Star => "*",
            Slash => "/",
            Percent => "%",
            Amp => "&",
            Pipe => "|",
            Caret => "^",
            Shl => "<<",
            Shr => ">>",
            AmpCaret => "&^",
            AndAnd => "&&",
            OrOr => "||",
            EqEq => "==",
            NotEq => "!=",
            Less => "<",
            LessEq => "<=",
            Greater => ">",
            GreaterEq => ">=",
            Assign => "=",
            Define => ":=",
            Not => "!",
            Tilde => "~",
            Arrow => "<-",
            PlusPlus => "++",
            MinusMinus => "--",
            LParen => "(",
            RParen => ")",
            LBrack => "[",
            RBrack => "]",
            LBrace => "{",
            RBrace => "}",
            Dot => ".",
            Ellipsis => "...",
            Colon => ":",
            _ => return None,
        })
    }
}
