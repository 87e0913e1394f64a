//! What the grammar's productions build: expressions and types. `actions_stmt` has declarations and
//! statements. Errors that the notation cannot express are reported here.

use super::ast::*;
use super::depth::{self, MAX_DEPTH};
use super::literal::string_value;
use super::symbol::{Interner, Symbol};
use super::token::Semicolon;
use crate::codes::Code;
use crate::diagnostic::Diagnostics;
use crate::source::{FileId, Span};

/// What a run of the parser shares.
pub struct Context<'a> {
    pub file: FileId,
    pub text: &'a str,
    pub interner: &'a mut Interner,
    pub diags: &'a mut Diagnostics,
}

/// What one run of the parser gives.
pub enum Parsed {
    Package(Ident),
    Imports(Vec<ImportSpec>),
    Decl(Decl),
    Stmt(Stmt),
}

/// One entry of a parameter list; which of its identifiers are types is known at the list's end.
pub struct ParamEntry {
    pub name: Option<Ident>,
    pub variadic: Option<Span>,
    pub ty: Option<Expr>,
}

impl ParamEntry {
    /// A name or a type.
    pub fn name(name: Ident) -> ParamEntry {
        ParamEntry {
            name: Some(name),
            variadic: None,
            ty: None,
        }
    }

    pub fn named(name: Ident, ty: Expr) -> ParamEntry {
        ParamEntry {
            name: Some(name),
            variadic: None,
            ty: Some(ty),
        }
    }

    pub fn unnamed(ty: Expr) -> ParamEntry {
        ParamEntry {
            name: None,
            variadic: None,
            ty: Some(ty),
        }
    }
}

pub struct CallArgs {
    pub lparen: Span,
    pub args: Vec<Expr>,
    pub ellipsis: Option<Span>,
    pub rparen: Span,
}

pub struct LiteralValue {
    pub lbrace: Span,
    pub elements: Vec<Expr>,
    pub rbrace: Span,
}

pub struct TypeParamEntry {
    pub name: Ident,
    pub constraint: Option<Expr>,
}

/// What follows the name in a type declaration.
pub struct TypeSpecRest {
    pub params: Vec<TypeParam>,
    pub alias: bool,
    pub ty: Expr,
}

impl TypeSpecRest {
    pub fn plain(ty: Expr) -> TypeSpecRest {
        TypeSpecRest {
            params: Vec::new(),
            alias: false,
            ty,
        }
    }
}

/// Between the keyword and the body of `if` and `switch`.
pub struct Header {
    pub init: Option<Stmt>,
    pub semicolon: Option<(Semicolon, Span)>,
    pub last: Option<Stmt>,
}

#[allow(clippy::large_enum_variant)] // lives for one reduction
pub enum ForHeader {
    Clause {
        init: Option<Stmt>,
        cond: Option<Stmt>,
        post: Option<Stmt>,
    },
    Range {
        vars: Vec<Expr>,
        define: Option<Span>,
        keyword: Span,
        operand: Expr,
    },
}

pub fn field(names: Vec<Ident>, ty: Expr) -> Field {
    Field {
        names,
        ty,
        tag: None,
    }
}

pub fn embedded(ty: Expr) -> Field {
    field(Vec::new(), ty)
}

impl Context<'_> {
    pub fn span(&self, lo: u32, hi: u32) -> Span {
        Span::new(self.file, lo, hi.max(lo))
    }

    /// A syntax error of Go's wording, which the message continues.
    pub fn syntax_error(&mut self, span: Span, message: impl std::fmt::Display) {
        self.diags
            .error(Code::Syntax, span, format!("syntax error: {message}"));
    }

    pub fn source(&self, span: Span) -> &str {
        self.text
            .get(span.lo as usize..span.hi as usize)
            .unwrap_or("")
    }

    fn expr(&mut self, span: Span, kind: ExprKind) -> Expr {
        let depth = depth::of_expr(&kind);
        if depth > MAX_DEPTH {
            self.diags
                .error(Code::TooDeep, span, "expression nested too deeply");
            return self.bad(span);
        }
        Expr { span, depth, kind }
    }

    pub fn bad(&self, span: Span) -> Expr {
        Expr {
            span,
            depth: 1,
            kind: ExprKind::Bad,
        }
    }

    pub fn name(&mut self, name: Ident) -> Expr {
        Expr {
            span: name.span,
            depth: 1,
            kind: ExprKind::Ident(name.name),
        }
    }

    pub fn literal(&mut self, lo: u32, kind: LiteralKind, text: Symbol, hi: u32) -> Expr {
        let kind = ExprKind::Literal(Literal { kind, text });
        Expr {
            span: self.span(lo, hi),
            depth: 1,
            kind,
        }
    }

    pub fn paren(&mut self, lo: u32, inner: Expr, hi: u32) -> Expr {
        self.expr(self.span(lo, hi), ExprKind::Paren(Box::new(inner)))
    }

    pub fn star(&mut self, lo: u32, operand: Expr) -> Expr {
        let span = self.span(lo, operand.span.hi);
        self.expr(span, ExprKind::Star(Box::new(operand)))
    }

    pub fn unary(&mut self, lo: u32, op: UnaryOp, operand: Expr) -> Expr {
        let span = self.span(lo, operand.span.hi);
        self.expr(
            span,
            ExprKind::Unary {
                op,
                operand: Box::new(operand),
            },
        )
    }

    /// `<-x`; before a channel type the arrow belongs to the type.
    pub fn receive(&mut self, lo: u32, mut operand: Expr) -> Expr {
        if !matches!(operand.kind, ExprKind::ChanType { .. }) {
            return self.unary(lo, UnaryOp::Receive, operand);
        }
        // `<-chan<- T` is `<-chan (<-T)`: each arrow moves one type inwards.
        let arrow = self.span(lo, lo);
        let mut at = &mut operand;
        loop {
            at.span.lo = at.span.lo.min(lo);
            let ExprKind::ChanType { dir, elem } = &mut at.kind else {
                let (span, found) = (at.span, self.source(at.span).to_owned());
                self.syntax_error(span, format_args!("unexpected {found}, expected chan"));
                break;
            };
            match std::mem::replace(dir, ChanDir::Receive) {
                ChanDir::Both => break,
                ChanDir::Receive => {
                    self.syntax_error(arrow, "unexpected <-, expected chan");
                    break;
                }
                ChanDir::Send => at = elem,
            }
        }
        operand
    }

    /// Adds an operator and its right operand to a tree that is already right, by precedence.
    pub fn binary(&mut self, left: Expr, op: BinaryOp, lo: u32, hi: u32, right: Expr) -> Expr {
        let op_span = self.span(lo, hi);
        if let ExprKind::Binary(_) = &left.kind {
            let ExprKind::Binary(mut tree) = left.kind else {
                unreachable!()
            };
            if tree.op.precedence() < op.precedence() {
                let inner = std::mem::replace(&mut tree.right, self.bad(op_span));
                tree.right = self.binary(inner, op, lo, hi, right);
                let span = left.span.to(tree.right.span);
                return self.expr(span, ExprKind::Binary(tree));
            }
            let left = Expr {
                kind: ExprKind::Binary(tree),
                ..left
            };
            return self.binary_node(left, op, op_span, right);
        }
        self.binary_node(left, op, op_span, right)
    }

    fn binary_node(&mut self, left: Expr, op: BinaryOp, op_span: Span, right: Expr) -> Expr {
        let span = left.span.to(right.span);
        self.expr(
            span,
            ExprKind::Binary(Box::new(BinaryExpr {
                op,
                op_span,
                left,
                right,
            })),
        )
    }

    pub fn selector(&mut self, operand: Expr, name: Ident) -> Expr {
        let span = operand.span.to(name.span);
        self.expr(
            span,
            ExprKind::Selector {
                operand: Box::new(operand),
                name,
            },
        )
    }

    pub fn index(&mut self, operand: Expr, args: Vec<Expr>, hi: u32) -> Expr {
        let span = self.span(operand.span.lo, hi);
        self.expr(
            span,
            ExprKind::Index {
                operand: Box::new(operand),
                args,
            },
        )
    }

    /// `third` is the second colon and what follows it.
    pub fn slice(
        &mut self,
        operand: Expr,
        low: Option<Expr>,
        mut high: Option<Expr>,
        third: Option<(Span, Option<Expr>)>,
        hi: u32,
    ) -> Expr {
        let span = self.span(operand.span.lo, hi);
        let mut max = None;
        if let Some((colon, expr)) = third {
            if high.is_none() {
                self.diags.error(
                    Code::Syntax,
                    colon,
                    "middle index required in 3-index slice",
                );
                high = Some(self.bad(colon));
            }
            if expr.is_none() {
                let at = self.span(hi - 1, hi);
                self.diags
                    .error(Code::Syntax, at, "final index required in 3-index slice");
            }
            max = Some(expr.unwrap_or_else(|| self.bad(colon)));
        }
        self.expr(
            span,
            ExprKind::Slice(Box::new(SliceExpr {
                operand,
                low,
                high,
                max,
            })),
        )
    }

    pub fn type_assert(&mut self, operand: Expr, ty: Option<Expr>, hi: u32) -> Expr {
        let span = self.span(operand.span.lo, hi);
        let kind = ExprKind::TypeAssert {
            operand: Box::new(operand),
            ty: ty.map(Box::new),
        };
        self.expr(span, kind)
    }

    pub fn call(&mut self, callee: Expr, args: CallArgs) -> Expr {
        let span = callee.span.to(args.rparen);
        let CallArgs {
            lparen,
            args,
            ellipsis,
            rparen,
        } = args;
        let call = CallExpr {
            callee,
            args,
            ellipsis,
            lparen,
            rparen,
        };
        self.expr(span, ExprKind::Call(Box::new(call)))
    }

    pub fn composite(&mut self, ty: Expr, value: LiteralValue) -> Expr {
        let span = ty.span.to(value.rbrace);
        let mut base = ty.unparen();
        if !std::ptr::eq(base, &ty) {
            let at = ty.span;
            self.syntax_error(at, "cannot parenthesize type in composite literal");
            return self.bad(span);
        }
        if let ExprKind::Index { operand, .. } = &base.kind {
            base = operand;
        }
        let is_type = match &base.kind {
            ExprKind::Ident(_)
            | ExprKind::ArrayType { .. }
            | ExprKind::SliceType(_)
            | ExprKind::MapType { .. }
            | ExprKind::StructType(_) => true,
            ExprKind::Selector { operand, .. } => operand.as_ident().is_some(),
            _ => false,
        };
        if !is_type {
            let message = "unexpected { at end of statement";
            self.syntax_error(value.lbrace, message);
            return self.bad(span);
        }
        self.composite_lit(span, Some(ty), value)
    }

    pub fn inner_composite(&mut self, value: LiteralValue) -> Expr {
        self.composite_lit(value.lbrace.to(value.rbrace), None, value)
    }

    fn composite_lit(&mut self, span: Span, ty: Option<Expr>, value: LiteralValue) -> Expr {
        let LiteralValue {
            lbrace,
            elements,
            rbrace,
        } = value;
        let lit = CompositeLit {
            ty,
            elements,
            lbrace,
            rbrace,
        };
        self.expr(span, ExprKind::Composite(Box::new(lit)))
    }

    pub fn key_value(&mut self, key: Expr, value: Expr) -> Expr {
        let span = key.span.to(value.span);
        self.expr(
            span,
            ExprKind::KeyValue {
                key: Box::new(key),
                value: Box::new(value),
            },
        )
    }

    pub fn func_lit(&mut self, ty: Expr, body: Block) -> Expr {
        let span = ty.span.to(body.span);
        match ty.kind {
            ExprKind::FuncType(ty) => {
                self.expr(span, ExprKind::FuncLit(Box::new(FuncLit { ty: *ty, body })))
            }
            _ => self.bad(span),
        }
    }

    pub fn slice_type(&mut self, lo: u32, elem: Expr) -> Expr {
        let span = self.span(lo, elem.span.hi);
        self.expr(span, ExprKind::SliceType(Box::new(elem)))
    }

    pub fn array_type(&mut self, lo: u32, len: Option<Expr>, elem: Expr) -> Expr {
        let span = self.span(lo, elem.span.hi);
        self.expr(
            span,
            ExprKind::ArrayType {
                len: len.map(Box::new),
                elem: Box::new(elem),
            },
        )
    }

    /// `[args]elem` where the brackets could have held type arguments.
    pub fn array_of_args(&mut self, lo: u32, args: Vec<Expr>, elem: Expr) -> Expr {
        let mut args = args.into_iter();
        let len = args.next();
        if let Some(extra) = args.next() {
            let at = extra.span.start();
            self.syntax_error(at, "unexpected comma; expected ]");
        }
        self.array_type(lo, len, elem)
    }

    pub fn map_type(&mut self, lo: u32, key: Expr, value: Expr) -> Expr {
        let span = self.span(lo, value.span.hi);
        self.expr(
            span,
            ExprKind::MapType {
                key: Box::new(key),
                value: Box::new(value),
            },
        )
    }

    pub fn chan_type(&mut self, lo: u32, dir: ChanDir, elem: Expr) -> Expr {
        let span = self.span(lo, elem.span.hi);
        self.expr(
            span,
            ExprKind::ChanType {
                dir,
                elem: Box::new(elem),
            },
        )
    }

    /// The type `func…`, whose span begins at the keyword, not at the parameters.
    pub fn func_type(&mut self, lo: u32, ty: FuncType) -> Expr {
        let span = self.span(lo, ty.span.hi);
        self.expr(span, ExprKind::FuncType(Box::new(FuncType { span, ..ty })))
    }

    pub fn signature(
        &mut self,
        lo: u32,
        params: Vec<Param>,
        results: Vec<Expr>,
        hi: u32,
    ) -> FuncType {
        let unnamed = |ty| Param {
            names: Vec::new(),
            variadic: None,
            ty,
        };
        let results = results.into_iter().map(unnamed).collect();
        FuncType {
            span: self.span(lo, hi),
            params,
            results,
        }
    }

    /// Sorts out which identifiers of a parameter list are names, as Go does: all entries have
    /// names, or none has.
    pub fn params(&mut self, entries: Vec<ParamEntry>) -> Vec<Param> {
        let named = entries.iter().any(|e| e.name.is_some() && e.ty.is_some());
        let mut params = Vec::with_capacity(entries.len());
        let mut names = Vec::new();
        let mut mixed = None;
        for entry in entries {
            let (name, ty) = match (entry.name, entry.ty) {
                (Some(name), None) if !named => (None, self.name(name)),
                (Some(name), None) => {
                    names.push(name);
                    continue;
                }
                (name, Some(ty)) => (name, ty),
                (None, None) => continue,
            };
            if named && name.is_none() {
                mixed.get_or_insert(ty.span);
            }
            names.extend(name);
            if let (Some(dots), true) = (entry.variadic, names.len() > 1) {
                let message = "can only use ... with final parameter";
                self.diags.error(Code::Syntax, dots, message);
            }
            let names = std::mem::take(&mut names);
            params.push(Param {
                names,
                variadic: entry.variadic,
                ty,
            });
        }
        if let Some(last) = names.last() {
            mixed.get_or_insert(last.span);
        }
        if let Some(span) = mixed {
            self.syntax_error(span, "mixed named and unnamed parameters");
            let ty = self.bad(span);
            if !names.is_empty() {
                params.push(Param {
                    names,
                    variadic: None,
                    ty,
                });
            }
        }
        params
    }

    pub fn embedded_name(&mut self, name: Ident) -> Field {
        embedded(self.name(name))
    }

    /// An embedded type in parentheses is an error, but all that is wrong with it.
    pub fn parenthesized(&mut self, at: Span, lo: u32, ty: Expr) -> Expr {
        self.syntax_error(at, "cannot parenthesize embedded type");
        let span = self.span(lo, ty.span.hi);
        self.bad(span)
    }

    pub fn struct_type(&mut self, lo: u32, fields: Vec<Field>, rbrace: Span) -> Expr {
        let span = self.span(lo, rbrace.hi);
        self.expr(
            span,
            ExprKind::StructType(Box::new(StructType { fields, rbrace })),
        )
    }

    pub fn interface_type(&mut self, lo: u32, elems: Vec<InterfaceElem>, rbrace: Span) -> Expr {
        let span = self.span(lo, rbrace.hi);
        let ty = InterfaceType {
            implicit: false,
            elems,
            rbrace,
        };
        self.expr(span, ExprKind::InterfaceType(Box::new(ty)))
    }

    /// The type that a constraint's terms denote.
    pub fn constraint(&mut self, mut terms: Vec<UnionTerm>) -> Expr {
        if let [UnionTerm { tilde: None, .. }] = terms[..]
            && let Some(term) = terms.pop()
        {
            return term.ty;
        }
        let first = terms[0].tilde.unwrap_or(terms[0].ty.span);
        let span = first.to(terms[terms.len() - 1].ty.span);
        let ty = InterfaceType {
            implicit: true,
            elems: vec![InterfaceElem::Union(terms)],
            rbrace: span.end(),
        };
        self.expr(span, ExprKind::InterfaceType(Box::new(ty)))
    }

    /// The decoded text of a string literal that names something.
    pub fn unquoted(&mut self, text: Symbol) -> Symbol {
        let value = string_value(self.interner.resolve(text));
        self.interner.get(&String::from_utf8_lossy(&value))
    }
}
