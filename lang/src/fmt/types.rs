//! Types: signatures with their parameters, structs, interfaces.

use super::printer::{Printer, Space};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::token::Token;

/// A struct or interface of one field is set on one line up to about this size.
const ONE_LINE_MAX: usize = 30;

/// What parameters are of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ParamsOf {
    Func,
    GenericFunc,
    GenericType,
}

/// An entry of a parameter list of any kind.
struct Entry<'a> {
    names: &'a [Ident],
    variadic: Option<Span>,
    ty: &'a Expr,
}

impl Entry<'_> {
    fn lo(&self) -> u32 {
        let ty = self.variadic.unwrap_or(self.ty.span);
        self.names.first().map_or(ty, |name| name.span).lo
    }
}

fn entries<'a>(params: &'a [Param]) -> Vec<Entry<'a>> {
    let entry = |param: &'a Param| Entry {
        names: &param.names,
        variadic: param.variadic,
        ty: &param.ty,
    };
    params.iter().map(entry).collect()
}

impl<'a> Printer<'a> {
    pub fn type_literal(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::ArrayType { len, elem } => {
                self.token(Token::LBrack);
                match len {
                    Some(len) => self.expr(len),
                    None => {
                        let dots = self.source.find(expr.span.lo, Token::Ellipsis);
                        self.token_at(dots, Token::Ellipsis);
                    }
                }
                self.token(Token::RBrack);
                self.expr(elem);
            }
            ExprKind::SliceType(elem) => {
                self.token(Token::LBrack);
                self.token(Token::RBrack);
                self.expr(elem);
            }
            ExprKind::MapType { key, value } => {
                self.token(Token::Map);
                self.token(Token::LBrack);
                self.expr(key);
                self.token(Token::RBrack);
                self.expr(value);
            }
            ExprKind::ChanType { dir, elem } => {
                if *dir == ChanDir::Receive {
                    self.token(Token::Arrow);
                }
                self.token(Token::Chan);
                if *dir == ChanDir::Send {
                    let arrow = self.source.find(expr.span.lo, Token::Arrow);
                    self.token_at(arrow, Token::Arrow);
                }
                self.blank();
                self.expr(elem);
            }
            ExprKind::FuncType(ty) => {
                self.token(Token::Func);
                self.signature(expr.span.lo, ty);
            }
            ExprKind::StructType(ty) => {
                self.token(Token::Struct);
                self.struct_fields(expr.span.lo, ty);
            }
            ExprKind::InterfaceType(ty) => match (&ty.elems[..], ty.implicit) {
                ([InterfaceElem::Union(terms)], true) => self.union(terms),
                _ => {
                    self.token(Token::Interface);
                    self.interface_elems(expr.span.lo, ty);
                }
            },
            _ => {}
        }
    }

    /// Parameters and results; `from` is where to look for them.
    pub fn signature(&mut self, from: u32, ty: &'a FuncType) {
        let open = self.source.find(from, Token::LParen);
        let close = self.params(open, entries(&ty.params), ParamsOf::Func);
        match &ty.results[..] {
            [] => {}
            [one] if one.names.is_empty() => {
                self.blank();
                self.expr(one.ty.unparen());
            }
            results => {
                self.blank();
                let open = self.source.find(close + 1, Token::LParen);
                self.params(open, entries(results), ParamsOf::Func);
            }
        }
    }

    pub fn type_params(&mut self, from: u32, params: &'a [TypeParam], of: ParamsOf) -> u32 {
        let open = self.source.find(from, Token::LBrack);
        let entry = |p: &'a TypeParam| Entry {
            names: &p.names,
            variadic: None,
            ty: &p.constraint,
        };
        self.params(open, params.iter().map(entry).collect(), of)
    }

    /// A receiver, alone in its parentheses.
    pub fn receiver(&mut self, from: u32, receiver: &'a Param) -> u32 {
        let open = self.source.find(from, Token::LParen);
        self.params(
            open,
            entries(std::slice::from_ref(receiver)),
            ParamsOf::Func,
        )
    }

    /// Prints a bracketed parameter list; gives where its closing bracket is.
    fn params(&mut self, open: u32, list: Vec<Entry<'a>>, of: ParamsOf) -> u32 {
        let (opening, closing) = match of {
            ParamsOf::Func => (Token::LParen, Token::RParen),
            _ => (Token::LBrack, Token::RBrack),
        };
        let end = list.last().map_or(open, |last| last.ty.span.hi);
        let close = self.source.find(end, closing);
        self.token_at(open, opening);
        let mut indent = Some(Space::Indent);
        let mut previous_line = self.source.line(open);
        for (i, entry) in list.iter().enumerate() {
            let first_line = self.source.line(entry.lo());
            let needs_break = previous_line < first_line;
            if i > 0 {
                if !needs_break {
                    self.at(entry.lo());
                }
                self.token(Token::Comma);
            }
            if needs_break && self.linebreak(first_line, 0, indent, true) > 0 {
                indent = None;
            } else if i > 0 {
                self.blank();
            }
            if !entry.names.is_empty() {
                self.name_list(entry.names, indent.is_some());
                self.blank();
            }
            if let Some(dots) = entry.variadic {
                self.token_at(dots.lo, Token::Ellipsis);
                self.expr(entry.ty);
            } else {
                self.expr(entry.ty.unparen());
            }
            previous_line = self.source.line(entry.ty.span.hi);
        }
        if let Some(first) = list.first() {
            let close_line = self.source.line(close);
            if previous_line < close_line {
                self.token(Token::Comma);
                self.linebreak(close_line, 0, None, true);
            } else if of == ParamsOf::GenericType
                && list.len() == 1
                && first.names.len() == 1
                && reads_as_operand(first.ty.unparen())
            {
                // `[P *T,]`, as `[P *T]` would be an array's length.
                self.token(Token::Comma);
            }
            if indent.is_none() {
                self.space(Space::Unindent);
            }
        }
        self.token_at(close, closing);
        close
    }

    fn struct_fields(&mut self, from: u32, ty: &'a StructType) {
        let open = self.source.find(from, Token::LBrace);
        let close = ty.rbrace.lo;
        let fields = &ty.fields;
        let has_comments = self.comment_before(self.source.position(close));
        let on_one_line = self.source.line(open) == self.source.line(close);
        if !has_comments && on_one_line {
            match &fields[..] {
                [] => {
                    self.token_at(open, Token::LBrace);
                    self.token_at(close, Token::RBrace);
                    return;
                }
                [field] if self.field_is_short(field) => {
                    self.token_at(open, Token::LBrace);
                    self.blank();
                    for (i, name) in field.names.iter().enumerate() {
                        if i > 0 {
                            self.token(Token::Comma);
                            self.blank();
                        }
                        self.at(name.span.lo);
                        self.name(name.name);
                    }
                    if !field.names.is_empty() {
                        self.blank();
                    }
                    self.expr(&field.ty);
                    self.blank();
                    self.token_at(close, Token::RBrace);
                    return;
                }
                _ => {}
            }
        }
        self.blank();
        self.token_at(open, Token::LBrace);
        self.space(Space::Indent);
        if has_comments || !fields.is_empty() {
            self.space(Space::Break);
        }
        let separator = if fields.len() == 1 {
            Space::Blank
        } else {
            Space::Tab
        };
        let mark = self.new_mark();
        for (i, field) in fields.iter().enumerate() {
            let lo = field.names.first().map_or(field.ty.span, |n| n.span).lo;
            if i > 0 {
                let section = self.lines_from(mark) > 0;
                self.linebreak(self.source.line(lo), 1, None, section);
            }
            self.mark_next(mark);
            // Cells that are missing before a comment.
            let mut missing = 2;
            if !field.names.is_empty() {
                self.name_list(&field.names, false);
                self.space(separator);
                missing = 1;
            }
            self.expr(&field.ty);
            let mut end = field.ty.span.hi;
            if let Some(tag) = &field.tag {
                if !field.names.is_empty() && separator == Space::Tab {
                    self.space(separator);
                }
                self.space(separator);
                self.at(tag.span.lo);
                let names = self.names;
                self.string(tag.text, names.resolve(tag.text));
                missing = 0;
                end = tag.span.hi;
            }
            if self.source.has_line_comment(end) {
                for _ in 0..missing {
                    self.space(separator);
                }
            }
        }
        self.space(Space::Unindent);
        self.space(Space::Break);
        self.token_at(close, Token::RBrace);
    }

    fn field_is_short(&mut self, field: &'a Field) -> bool {
        if field.tag.is_some() || self.source.has_line_comment(field.ty.span.hi) {
            return false;
        }
        // Names count as one blank: a rule that Go's own formatter has.
        let blank = usize::from(!field.names.is_empty());
        let size = self.size(field.ty.span, |p| p.expr(&field.ty));
        size.is_some_and(|size| blank + size <= ONE_LINE_MAX)
    }

    fn interface_elems(&mut self, from: u32, ty: &'a InterfaceType) {
        let open = self.source.find(from, Token::LBrace);
        let close = ty.rbrace.lo;
        let has_comments = self.comment_before(self.source.position(close));
        let on_one_line = self.source.line(open) == self.source.line(close);
        if !has_comments && on_one_line {
            match &ty.elems[..] {
                [] => {
                    self.token_at(open, Token::LBrace);
                    self.token_at(close, Token::RBrace);
                    return;
                }
                [elem] if self.elem_is_short(elem) => {
                    self.token_at(open, Token::LBrace);
                    self.blank();
                    self.interface_elem(elem);
                    self.blank();
                    self.token_at(close, Token::RBrace);
                    return;
                }
                _ => {}
            }
        }
        self.blank();
        self.token_at(open, Token::LBrace);
        self.space(Space::Indent);
        if has_comments || !ty.elems.is_empty() {
            self.space(Space::Break);
        }
        let mark = self.new_mark();
        for (i, elem) in ty.elems.iter().enumerate() {
            if i > 0 {
                let section = self.lines_from(mark) > 0;
                let line = self.source.line(elem_span(elem).lo);
                self.linebreak(line, 1, None, section);
            }
            self.mark_next(mark);
            self.interface_elem(elem);
        }
        self.space(Space::Unindent);
        self.space(Space::Break);
        self.token_at(close, Token::RBrace);
    }

    fn elem_is_short(&mut self, elem: &'a InterfaceElem) -> bool {
        let span = elem_span(elem);
        if self.source.has_line_comment(span.hi) {
            return false;
        }
        match elem {
            InterfaceElem::Method { ty, .. } => {
                let size = self.size(ty.span, |p| {
                    p.at(ty.span.lo);
                    p.token(Token::Func);
                    p.signature(ty.span.lo, ty);
                });
                size.is_some_and(|size| size < ONE_LINE_MAX)
            }
            InterfaceElem::Union(terms) => {
                let size = self.size(span, |p| p.union(terms));
                size.is_some_and(|size| size <= ONE_LINE_MAX)
            }
        }
    }

    fn interface_elem(&mut self, elem: &'a InterfaceElem) {
        match elem {
            InterfaceElem::Method { name, ty } => {
                self.at(name.span.lo);
                self.name(name.name);
                self.signature(name.span.hi, ty);
            }
            InterfaceElem::Union(terms) => self.union(terms),
        }
    }

    /// `A | ~B`: printed as the binary expression that it looks like.
    fn union(&mut self, terms: &'a [UnionTerm]) {
        for (i, term) in terms.iter().enumerate() {
            let lo = term_lo(term);
            let mut indented = false;
            if i > 0 {
                self.blank();
                let left_line = self.state.pos.line;
                let op = self.source.find(terms[i - 1].ty.span.hi, Token::Pipe);
                self.token_at(op, Token::Pipe);
                let line = self.source.line(lo);
                indented =
                    left_line != line && self.linebreak(line, 1, Some(Space::Indent), true) > 0;
                if !indented {
                    self.blank();
                }
            }
            self.at(lo);
            if term.tilde.is_some() {
                self.token(Token::Tilde);
            }
            self.expr(&term.ty);
            if indented {
                self.space(Space::Unindent);
            }
        }
    }
}

fn term_lo(term: &UnionTerm) -> u32 {
    term.tilde.unwrap_or(term.ty.span).lo
}

fn elem_span(elem: &InterfaceElem) -> Span {
    match elem {
        InterfaceElem::Method { name, ty } => name.span.to(ty.span),
        InterfaceElem::Union(terms) => {
            let (first, last) = (&terms[0], &terms[terms.len() - 1]);
            first.tilde.unwrap_or(first.ty.span).to(last.ty.span)
        }
    }
}

/// Whether a name and this constraint behind it could be read as an expression: `P *T`.
fn reads_as_operand(constraint: &Expr) -> bool {
    match &constraint.kind {
        ExprKind::Star(inner) | ExprKind::Paren(inner) => !is_only_type(inner),
        ExprKind::InterfaceType(ty) if ty.implicit => match &ty.elems[..] {
            [InterfaceElem::Union(terms)] => {
                let (first, rest) = (&terms[0], &terms[1..]);
                first.tilde.is_none()
                    && reads_as_operand(&first.ty)
                    && rest
                        .iter()
                        .all(|t| t.tilde.is_none() && !is_only_type(&t.ty))
            }
            _ => false,
        },
        _ => false,
    }
}

fn is_only_type(expr: &Expr) -> bool {
    matches!(
        expr.unparen().kind,
        ExprKind::ArrayType { .. }
            | ExprKind::SliceType(_)
            | ExprKind::StructType(_)
            | ExprKind::FuncType(_)
            | ExprKind::InterfaceType(_)
            | ExprKind::MapType { .. }
            | ExprKind::ChanType { .. }
    )
}
