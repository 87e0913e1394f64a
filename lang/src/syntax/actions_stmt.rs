//! What the grammar's productions build: declarations and statements.

use super::actions::*;
use super::ast::*;
use super::depth::{self, MAX_DEPTH};
use super::token::Semicolon;
use crate::codes::Code;
use crate::source::Span;

pub fn case_clause(keyword: Span, exprs: Option<Vec<Expr>>, body: Vec<Stmt>) -> CaseClause {
    let end = body.last().map(|s| s.span);
    let end = end.or(exprs.as_ref().and_then(|x| x.last()).map(|x| x.span));
    CaseClause {
        span: keyword.to(end.unwrap_or(keyword)),
        keyword_span: keyword,
        is_default: exprs.is_none(),
        exprs: exprs.unwrap_or_default(),
        body,
    }
}

pub fn comm_clause(keyword: Span, comm: Option<Stmt>, body: Vec<Stmt>) -> CommClause {
    let end = body.last().or(comm.as_ref()).map_or(keyword, |s| s.span);
    CommClause {
        span: keyword.to(end),
        keyword_span: keyword,
        comm,
        body,
    }
}

impl Context<'_> {
    pub fn import(&mut self, lo: u32, name: Option<Ident>, path: Tag) -> ImportSpec {
        let span = self.span(lo, path.span.hi);
        let text = self.unquoted(path.text);
        if self.interner.resolve(text).is_empty() {
            self.diags.error(
                Code::Syntax,
                path.span,
                "invalid import path (empty string)",
            );
        }
        ImportSpec {
            span,
            name,
            path: text,
            path_span: path.span,
        }
    }

    pub fn import_dot(&mut self, lo: u32, dot: Span, path: Tag) -> ImportSpec {
        let name = self.interner.get(".");
        self.import(lo, Some(Ident { name, span: dot }), path)
    }

    #[allow(clippy::too_many_arguments)]
    pub fn func_decl(
        &mut self,
        lo: u32,
        receiver: Option<Vec<Param>>,
        name: Ident,
        type_params: Vec<TypeParam>,
        ty: FuncType,
        body: Option<Block>,
        hi: u32,
    ) -> Decl {
        let span = self.span(lo, hi);
        let mut first = None;
        if let Some(list) = receiver {
            let names: usize = list.iter().map(|p| p.names.len().max(1)).sum();
            if names == 0 {
                self.diags
                    .error(Code::Syntax, span, "method has no receiver");
            } else if names > 1 {
                self.diags
                    .error(Code::Syntax, span, "method has multiple receivers");
            }
            let mut param = list.into_iter().next().unwrap_or_else(|| Param {
                names: Vec::new(),
                variadic: None,
                ty: self.bad(name.span),
            });
            param.names.truncate(1);
            if let Some(dots) = param.variadic.take() {
                let message = "can only use ... with final parameter";
                self.diags.error(Code::Syntax, dots, message);
            }
            first = Some(param);
        }
        let func = FuncDecl {
            span,
            receiver: first,
            name,
            type_params,
            ty,
            body,
        };
        Decl {
            span,
            kind: DeclKind::Func(Box::new(func)),
        }
    }

    pub fn const_group(&mut self, mut specs: Vec<ConstSpec>) -> DeclKind {
        for (iota, spec) in (0..).zip(&mut specs) {
            spec.iota = iota;
        }
        DeclKind::Const(specs)
    }

    pub fn type_spec(&mut self, lo: u32, name: Ident, rest: TypeSpecRest, hi: u32) -> TypeSpec {
        let TypeSpecRest {
            params: type_params,
            alias,
            ty,
        } = rest;
        TypeSpec {
            span: self.span(lo, hi),
            name,
            type_params,
            alias,
            ty,
        }
    }

    /// `type T [len]ty`: one bare expression in the brackets is a length, as Go rules.
    pub fn array_or_generic(&mut self, lo: u32, len: Expr, ty: Expr) -> TypeSpecRest {
        TypeSpecRest::plain(self.array_type(lo, Some(len), ty))
    }

    pub fn generic(&mut self, params: Vec<TypeParamEntry>, alias: bool, ty: Expr) -> TypeSpecRest {
        TypeSpecRest {
            params: self.type_params(params),
            alias,
            ty,
        }
    }

    /// A type parameter that was parsed as an expression: `P`, `P *C`, `P *C | D`, `P (C)`.
    pub fn split_type_param(&mut self, expr: Expr) -> TypeParamEntry {
        let span = expr.span;
        let mut terms = Vec::new();
        let mut at = expr;
        loop {
            match at.kind {
                ExprKind::Binary(b) if b.op == BinaryOp::Or => {
                    terms.push(UnionTerm {
                        tilde: None,
                        ty: b.right,
                    });
                    at = b.left;
                }
                ExprKind::Binary(b) if b.op == BinaryOp::Multiply => {
                    if let Some(name) = b.left.as_ident() {
                        let ty = self.star(b.op_span.lo, b.right);
                        terms.push(UnionTerm { tilde: None, ty });
                        return self.entry(name, terms);
                    }
                    break;
                }
                ExprKind::Call(mut c) if c.args.len() == 1 => {
                    if let (Some(name), Some(arg)) = (c.callee.as_ident(), c.args.pop()) {
                        let ty = self.paren(c.lparen.lo, arg, c.rparen.hi);
                        terms.push(UnionTerm { tilde: None, ty });
                        return self.entry(name, terms);
                    }
                    break;
                }
                ExprKind::Ident(name) if terms.is_empty() => {
                    let name = Ident {
                        name,
                        span: at.span,
                    };
                    return TypeParamEntry {
                        name,
                        constraint: None,
                    };
                }
                _ => break,
            }
        }
        self.syntax_error(span.end(), "unexpected comma; expected ]");
        let name = Ident {
            name: self.interner.get("_"),
            span,
        };
        TypeParamEntry {
            name,
            constraint: Some(self.bad(span)),
        }
    }

    /// `reversed` has the terms from last to first.
    fn entry(&mut self, name: Ident, mut reversed: Vec<UnionTerm>) -> TypeParamEntry {
        reversed.reverse();
        TypeParamEntry {
            name,
            constraint: Some(self.constraint(reversed)),
        }
    }

    /// `P C`, or `P [n]C`, where `P [n]` was parsed as an index expression.
    pub fn first_type_param(
        &mut self,
        name: Expr,
        mut first: UnionTerm,
        rest: Vec<UnionTerm>,
    ) -> TypeParamEntry {
        let span = name.span;
        let name = match name.kind {
            ExprKind::Index { operand, args } if operand.as_ident().is_some() => {
                first.ty = self.array_of_args(operand.span.hi, args, first.ty);
                operand.as_ident()
            }
            _ => name.as_ident(),
        };
        let name = name.unwrap_or_else(|| {
            self.syntax_error(span, "in type declaration: expected a type parameter name");
            Ident {
                name: self.interner.get("_"),
                span,
            }
        });
        let mut terms = vec![first];
        terms.extend(rest);
        TypeParamEntry {
            name,
            constraint: Some(self.constraint(terms)),
        }
    }

    pub fn type_params(&mut self, entries: Vec<TypeParamEntry>) -> Vec<TypeParam> {
        let mut params = Vec::new();
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.name);
            if let Some(constraint) = entry.constraint {
                let names = std::mem::take(&mut names);
                params.push(TypeParam { names, constraint });
            }
        }
        if let Some(last) = names.last() {
            let span = last.span;
            let message = if params.is_empty() {
                "type parameters must be named"
            } else {
                "missing type constraint"
            };
            self.syntax_error(span, message);
            params.push(TypeParam {
                names,
                constraint: self.bad(span),
            });
        }
        params
    }

    pub fn stmt(&mut self, lo: u32, kind: StmtKind, hi: u32) -> Stmt {
        let span = self.span(lo, hi);
        let depth = depth::of_stmt(&kind);
        if depth > MAX_DEPTH {
            self.diags
                .error(Code::TooDeep, span, "statement nested too deeply");
            return Stmt {
                span,
                depth: 1,
                kind: StmtKind::Bad,
            };
        }
        Stmt { span, depth, kind }
    }

    /// The operand of `go` and `defer`.
    pub fn called(&mut self, keyword: &str, expr: Expr) -> Expr {
        if let ExprKind::Paren(_) = &expr.kind
            && matches!(expr.unparen().kind, ExprKind::Call(_))
        {
            let message = format!("expression in {keyword} must not be parenthesized");
            self.diags.error(Code::Syntax, expr.span, message);
        }
        expr
    }

    pub fn define(&mut self, left: Vec<Expr>, op_span: Span, right: Vec<Expr>) -> StmtKind {
        let names = left.iter().map(|x| self.defined_name(x)).collect();
        StmtKind::Define {
            names,
            right,
            op_span,
        }
    }

    fn defined_name(&mut self, expr: &Expr) -> Ident {
        expr.as_ident().unwrap_or_else(|| {
            let message = format!("non-name {} on left side of :=", self.source(expr.span));
            self.diags.error(Code::Syntax, expr.span, message);
            Ident {
                name: self.interner.get("_"),
                span: expr.span,
            }
        })
    }

    /// The expression that a header's last statement must be.
    fn value_of(&mut self, stmt: Stmt) -> Expr {
        let emphasized = |cx: &Self, list: &[Expr]| {
            let span = list
                .iter()
                .map(|x| x.span)
                .reduce(Span::to)
                .unwrap_or(stmt.span);
            match list {
                [
                    Expr {
                        kind: ExprKind::Ident(_) | ExprKind::Literal(_),
                        ..
                    },
                ] => cx.source(span).to_owned(),
                _ => format!("({})", cx.source(span)),
            }
        };
        let (at, what) = match &stmt.kind {
            StmtKind::Assign {
                left,
                right,
                op_span,
            } => {
                let (left, right) = (emphasized(self, left), emphasized(self, right));
                (*op_span, format!("assignment {left} = {right}"))
            }
            StmtKind::Expr(_) => {
                let StmtKind::Expr(expr) = stmt.kind else {
                    unreachable!()
                };
                return expr;
            }
            StmtKind::Bad => return self.bad(stmt.span),
            _ => (stmt.span, self.source(stmt.span).to_owned()),
        };
        self.syntax_error(at, format_args!("cannot use {what} as value"));
        self.bad(stmt.span)
    }

    pub fn if_stmt(
        &mut self,
        keyword: Span,
        header: Header,
        then: Block,
        otherwise: Option<Stmt>,
    ) -> StmtKind {
        let cond = match (header.last, header.semicolon) {
            (Some(last), _) => self.value_of(last),
            (None, Some((Semicolon::Newline, at))) => {
                self.syntax_error(at, "unexpected newline, expected { after if clause");
                self.bad(at)
            }
            (None, semicolon) => {
                let at = semicolon.map_or(then.span.start(), |(_, span)| span);
                self.syntax_error(at, "missing condition in if statement");
                self.bad(keyword)
            }
        };
        StmtKind::If(Box::new(IfStmt {
            init: header.init.map(Box::new),
            cond,
            then,
            otherwise: otherwise.map(Box::new),
        }))
    }

    pub fn switch(&mut self, header: Header, lo: u32, cases: Vec<CaseClause>, hi: u32) -> StmtKind {
        let body_span = self.span(lo, hi);
        let init = header.init.map(Box::new);
        let is_guard = |x: &Expr| matches!(x.kind, ExprKind::TypeAssert { ty: None, .. });
        let mut binding = None;
        let tag = match header.last {
            Some(Stmt {
                kind: StmtKind::Define {
                    names, mut right, ..
                },
                ..
            }) if names.len() == 1 && right.len() == 1 && is_guard(&right[0]) => {
                binding = names.first().copied();
                right.pop()
            }
            Some(last) => Some(self.value_of(last)),
            None => None,
        };
        match tag {
            Some(Expr {
                kind: ExprKind::TypeAssert { operand, ty: None },
                ..
            }) => StmtKind::TypeSwitch(Box::new(TypeSwitchStmt {
                init,
                binding,
                operand: *operand,
                body_span,
                cases,
            })),
            tag => StmtKind::Switch(Box::new(SwitchStmt {
                init,
                tag,
                body_span,
                cases,
            })),
        }
    }

    pub fn for_stmt(&mut self, header: ForHeader, body: Block) -> StmtKind {
        match header {
            ForHeader::Clause { init, cond, post } => {
                let cond = cond.and_then(|stmt| match stmt.kind {
                    StmtKind::Empty => None,
                    _ => Some(self.value_of(stmt)),
                });
                if let Some(Stmt {
                    kind: StmtKind::Define { op_span, .. },
                    ..
                }) = &post
                {
                    self.syntax_error(*op_span, "cannot declare in post statement of for loop");
                }
                let (init, post) = (init.map(Box::new), post.map(Box::new));
                StmtKind::For(Box::new(ForStmt {
                    init,
                    cond,
                    post,
                    body,
                }))
            }
            ForHeader::Range {
                mut vars,
                define,
                keyword,
                operand,
            } => {
                if define.is_some() {
                    for var in &mut vars {
                        let name = self.defined_name(var);
                        *var = self.name(name);
                    }
                }
                let define = define.is_some();
                StmtKind::Range(Box::new(RangeStmt {
                    vars,
                    define,
                    keyword_span: keyword,
                    operand,
                    body,
                }))
            }
        }
    }

    pub fn quoted_option(&mut self, text: Tag) -> TxnOption {
        TxnOption {
            span: text.span,
            name: self.unquoted(text.text),
            quoted: true,
        }
    }
}
