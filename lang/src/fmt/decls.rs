//! Declarations and whole files.

use super::lists::{Item, ListStyle};
use super::printer::{Printer, Space};
use super::types::ParamsOf;
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::token::Token;

/// A constant's or variable's line.
struct ValueSpec<'a> {
    span: Span,
    names: &'a [Ident],
    ty: Option<&'a Expr>,
    values: &'a [Expr],
}

impl<'a> ValueSpec<'a> {
    fn of_const(spec: &'a ConstSpec) -> ValueSpec<'a> {
        ValueSpec {
            span: spec.span,
            names: &spec.names,
            ty: spec.ty.as_ref(),
            values: &spec.values,
        }
    }

    fn of_var(spec: &'a VarSpec) -> ValueSpec<'a> {
        ValueSpec {
            span: spec.span,
            names: &spec.names,
            ty: spec.ty.as_ref(),
            values: &spec.values,
        }
    }
}

/// What stands at a file's top level.
enum Top<'a> {
    Imports {
        keyword: u32,
        specs: &'a [ImportSpec],
    },
    Decl(&'a Decl),
    Stmt(&'a Stmt),
}

/// Where in its declaration a spec is.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    alone: bool,
    /// In parentheses.
    grouped: bool,
}

/// What decides whether an empty line goes between two declarations.
#[derive(Clone, Copy, PartialEq)]
enum Sort {
    Import,
    Decl(Token),
    Stmt,
}

impl Top<'_> {
    fn lo(&self) -> u32 {
        match self {
            Top::Imports { keyword, .. } => *keyword,
            Top::Decl(decl) => decl.span.lo,
            Top::Stmt(stmt) => stmt.span.lo,
        }
    }

    fn sort(&self, is_script: bool) -> Sort {
        match self {
            Top::Imports { .. } => Sort::Import,
            Top::Decl(decl) => Sort::Decl(keyword(decl)),
            Top::Stmt(Stmt {
                kind: StmtKind::Decl(decl),
                ..
            }) if !is_script || matches!(decl.kind, DeclKind::Pvar(_)) => Sort::Decl(keyword(decl)),
            Top::Stmt(_) => Sort::Stmt,
        }
    }
}

fn keyword(decl: &Decl) -> Token {
    match decl.kind {
        DeclKind::Func(_) => Token::Func,
        DeclKind::Const(_) => Token::Const,
        DeclKind::Var(_) => Token::Var,
        DeclKind::Pvar(_) => Token::Pvar,
        DeclKind::Type(_) => Token::Type,
    }
}

impl<'a> Printer<'a> {
    pub fn file(&mut self, file: &'a File) {
        if let Some(package) = &file.package {
            let word = self.source.find(0, Token::Package);
            self.token_at(word, Token::Package);
            self.blank();
            self.at(package.span.lo);
            self.name(package.name);
        }
        let mut tops: Vec<Top> = file.decls.iter().map(Top::Decl).collect();
        tops.extend(file.stmts.iter().map(Top::Stmt));
        let mut specs = &file.imports[..];
        let keywords: Vec<u32> = self.source.all(Token::Import).collect();
        for (i, &keyword) in keywords.iter().enumerate() {
            let next = keywords.get(i + 1).copied().unwrap_or(u32::MAX);
            let count = specs.partition_point(|spec| spec.span.lo < next);
            let (own, rest) = specs.split_at(count);
            tops.push(Top::Imports {
                keyword,
                specs: own,
            });
            specs = rest;
        }
        tops.sort_by_key(Top::lo);
        let mark = self.new_mark();
        let mut previous = None;
        for (i, top) in tops.iter().enumerate() {
            let sort = top.sort(self.is_script);
            let line = self.source.line(top.lo());
            let mut section = match top {
                Top::Decl(decl) => {
                    matches!(decl.kind, DeclKind::Func(_)) && self.line_count(decl.span) > 1
                }
                _ => false,
            };
            if sort == Sort::Stmt {
                section |= i == 0 || self.lines_from(mark) > 0;
            }
            if !self.state.page.is_empty() {
                let min = min_breaks(previous, sort);
                self.linebreak(line, min, None, section);
            }
            match top {
                Top::Imports { keyword, specs } => self.imports(*keyword, specs),
                Top::Decl(decl) => self.decl(decl),
                Top::Stmt(stmt) => self.list_entry(*stmt, mark, false),
            }
            previous = Some(sort);
        }
        self.finish();
    }

    fn line_count(&self, span: Span) -> usize {
        self.source.line(span.hi) - self.source.line(span.lo) + 1
    }

    fn imports(&mut self, keyword: u32, specs: &'a [ImportSpec]) {
        self.specs(
            Token::Import,
            keyword,
            specs,
            |spec| spec.span,
            |p, spec, _| {
                if let Some(name) = spec.name {
                    p.at(name.span.lo);
                    match p.source.slice(name.span) {
                        "." => p.token(Token::Dot),
                        _ => p.name(name.name),
                    }
                    p.blank();
                }
                p.at(spec.path_span.lo);
                let written = p.source.slice(spec.path_span);
                let path = p.names.resolve(spec.path);
                match super::imports::is_plain_path(path) {
                    true => p.emit(Token::String(spec.path), &format!("\"{path}\"")),
                    false => p.emit(Token::String(spec.path), written),
                }
                p.at(spec.span.hi);
            },
        );
    }

    /// A declaration that begins at `at`: its keyword and specs, in parentheses or not.
    fn specs<T>(
        &mut self,
        keyword: Token,
        at: u32,
        specs: &'a [T],
        span: impl Fn(&T) -> Span,
        print: impl Fn(&mut Self, &'a T, Place),
    ) {
        self.token_at(at, keyword);
        self.blank();
        let open = self.opening(at + keyword.keyword().map_or(0, str::len) as u32);
        let place = |index| Place {
            index,
            alone: specs.len() == 1,
            grouped: open.is_some(),
        };
        let Some(open) = open else {
            if let Some(spec) = specs.first() {
                print(self, spec, place(0));
            }
            return;
        };
        self.token_at(open, Token::LParen);
        if !specs.is_empty() {
            self.space(Space::Indent);
            self.space(Space::Break);
            let mark = self.new_mark();
            for (i, spec) in specs.iter().enumerate() {
                if i > 0 {
                    let section = self.lines_from(mark) > 0;
                    let line = self.source.line(span(spec).lo);
                    self.linebreak(line, 1, None, section);
                }
                self.mark_next(mark);
                print(self, spec, place(i));
            }
            self.space(Space::Unindent);
            self.space(Space::Break);
        }
        let end = specs.last().map_or(open, |last| span(last).hi);
        let close = self.source.find(end, Token::RParen);
        self.at(close);
        if keyword == Token::Import && !self.source.has_comment_below(end, close) {
            // Empty lines behind a last line's comment are left out.
            self.state.pos.line = self.source.line(end) + 1;
        }
        self.token(Token::RParen);
    }

    /// The parenthesis behind a keyword, if one is there.
    fn opening(&self, behind_keyword: u32) -> Option<u32> {
        let next = self.source.token_from(behind_keyword)?;
        (next.token == Token::LParen).then_some(next.lo)
    }

    pub fn decl(&mut self, decl: &'a Decl) {
        let word = keyword(decl);
        if let DeclKind::Func(func) = &decl.kind {
            return self.func_decl(decl.span, func);
        }
        let at = decl.span.lo;
        match &decl.kind {
            DeclKind::Func(_) => {}
            DeclKind::Const(specs) => {
                let columns = type_columns(specs.iter().map(ValueSpec::of_const));
                self.specs(
                    word,
                    at,
                    specs,
                    |spec| spec.span,
                    |p, spec, place| {
                        p.value_spec(ValueSpec::of_const(spec), place, &columns);
                    },
                );
            }
            DeclKind::Var(specs) | DeclKind::Pvar(specs) => {
                let columns = type_columns(specs.iter().map(ValueSpec::of_var));
                self.specs(
                    word,
                    at,
                    specs,
                    |spec| spec.span,
                    |p, spec, place| {
                        p.value_spec(ValueSpec::of_var(spec), place, &columns);
                    },
                );
            }
            DeclKind::Type(specs) => {
                self.specs(word, at, specs, |spec| spec.span, Printer::type_spec);
            }
        }
    }

    fn value_spec(&mut self, spec: ValueSpec<'a>, place: Place, type_columns: &[bool]) {
        if place.alone {
            self.name_list(spec.names, !place.grouped);
            if let Some(ty) = spec.ty {
                self.blank();
                self.expr(ty);
            }
            if !spec.values.is_empty() {
                self.blank();
                self.token(Token::Assign);
                self.blank();
                self.values(spec.values);
            }
            return;
        }
        self.name_list(spec.names, false);
        // Cells that are missing before a comment.
        let mut missing = 3;
        if spec.ty.is_some() || type_columns[place.index] {
            self.space(Space::Tab);
            missing -= 1;
        }
        if let Some(ty) = spec.ty {
            self.expr(ty);
        }
        if !spec.values.is_empty() {
            self.space(Space::Tab);
            self.token(Token::Assign);
            self.blank();
            self.values(spec.values);
            missing -= 1;
        }
        if self.source.has_line_comment(spec.span.hi) {
            for _ in 0..missing {
                self.space(Space::Tab);
            }
        }
    }

    fn values(&mut self, values: &'a [Expr]) {
        self.list(None, &Item::exprs(values), 1, ListStyle::default(), None);
    }

    fn type_spec(&mut self, spec: &'a TypeSpec, place: Place) {
        self.at(spec.name.span.lo);
        self.name(spec.name.name);
        let behind = spec.name.span.hi;
        if !spec.type_params.is_empty() {
            self.type_params(behind, &spec.type_params, ParamsOf::GenericType);
        }
        self.space(if place.alone {
            Space::Blank
        } else {
            Space::Tab
        });
        if spec.alias {
            self.token(Token::Assign);
            self.blank();
        }
        self.expr(&spec.ty);
    }

    fn func_decl(&mut self, span: Span, func: &'a FuncDecl) {
        self.token_at(span.lo, Token::Func);
        self.blank();
        // Whose blank is not written yet.
        let start_column = self.state.out_column.wrapping_sub("func ".len());
        if let Some(receiver) = &func.receiver {
            self.receiver(span.lo, receiver);
            self.blank();
        }
        self.at(func.name.span.lo);
        self.name(func.name.name);
        let mut behind = func.name.span.hi;
        if !func.type_params.is_empty() {
            behind = self.type_params(behind, &func.type_params, ParamsOf::GenericFunc);
        }
        self.signature(behind, &func.ty);
        if let Some(body) = &func.body {
            let size = self.header_size(span.lo, start_column);
            self.func_body(size, Space::Tab, body);
        }
    }
}

/// The least line ends between two declarations or statements: an empty line where the kind of
/// declaration changes. Statements of a script may stand close to its declarations, functions not.
fn min_breaks(previous: Option<Sort>, next: Sort) -> usize {
    let func = Sort::Decl(Token::Func);
    match (previous, next) {
        (None, _) => 2,
        (Some(Sort::Stmt), Sort::Stmt) => 1,
        (Some(a @ Sort::Stmt), b) | (Some(a), b @ Sort::Stmt) => {
            let apart = |sort| sort == func || sort == Sort::Import;
            1 + usize::from(apart(a) || apart(b))
        }
        (Some(a), b) => 1 + usize::from(a != b),
    }
}

/// Of each line of a group, whether its values leave room for a column of types: those in a run of
/// lines with values, if one of them has a type.
fn type_columns<'a>(specs: impl Iterator<Item = ValueSpec<'a>>) -> Vec<bool> {
    let mut keeps = Vec::new();
    let mut run = None;
    let mut has_type = false;
    let end_run = |keeps: &mut Vec<bool>, run: &mut Option<usize>, has_type: bool| {
        if let Some(start) = run.take() {
            keeps[start..].fill(has_type);
        }
    };
    for (i, spec) in specs.enumerate() {
        if spec.values.is_empty() {
            end_run(&mut keeps, &mut run, has_type);
        } else if run.is_none() {
            run = Some(i);
            has_type = false;
        }
        has_type |= spec.ty.is_some();
        keeps.push(false);
    }
    end_run(&mut keeps, &mut run, has_type);
    keeps
}
