//! Expressions. `depth` is how deep in operands we are: deeper ones are set closer together.

use super::lists::{Item, ListStyle};
use super::numbers;
use super::printer::{Printer, Space};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::token::Token;

/// Above every binary operator: blanks around all of them.
const LOOSEST: u8 = 6;

impl<'a> Printer<'a> {
    pub fn expr(&mut self, expr: &'a Expr) {
        self.expr_at_depth(expr, 1);
    }

    pub fn expr_at_depth(&mut self, expr: &'a Expr, depth: usize) {
        if self.state.overflow {
            return;
        }
        let span = expr.span;
        self.at(span.lo);
        match &expr.kind {
            ExprKind::Bad => {}
            ExprKind::Ident(name) => self.name(*name),
            ExprKind::Literal(literal) => self.literal(literal),
            ExprKind::Composite(literal) => self.composite(literal, depth),
            ExprKind::FuncLit(literal) => self.func_literal(span, literal),
            ExprKind::Paren(inner) => match inner.kind {
                ExprKind::Paren(_) => self.expr_at_depth(inner, depth),
                _ => {
                    self.token(Token::LParen);
                    self.expr_at_depth(inner, shallower(depth));
                    self.token_at(span.hi - 1, Token::RParen);
                }
            },
            ExprKind::Selector { operand, name } => {
                self.selector(operand, *name, depth, false);
            }
            ExprKind::Index { operand, args } => self.index(span, operand, args, depth),
            ExprKind::Slice(slice) => self.slice(span, slice, depth),
            ExprKind::TypeAssert { operand, ty } => {
                self.expr_at_depth(operand, depth);
                self.token(Token::Dot);
                self.type_in_parens(operand.span.hi, ty.as_deref(), Some(span.hi - 1));
            }
            ExprKind::Call(call) => self.call(call, depth),
            ExprKind::Star(operand) => {
                self.token(Token::Star);
                self.expr(operand);
            }
            ExprKind::Unary { op, operand } => {
                self.token(match op {
                    UnaryOp::Plus => Token::Plus,
                    UnaryOp::Minus => Token::Minus,
                    UnaryOp::Not => Token::Not,
                    UnaryOp::Complement => Token::Caret,
                    UnaryOp::Address => Token::Amp,
                    UnaryOp::Receive => Token::Arrow,
                    UnaryOp::Tilde => Token::Tilde,
                });
                self.expr_at_depth(operand, depth);
            }
            ExprKind::Binary(binary) => {
                let cutoff = cutoff(binary, depth);
                self.binary(binary, cutoff, depth);
            }
            ExprKind::KeyValue { key, value } => {
                self.expr(key);
                self.colon_of(key);
                self.blank();
                self.expr(value);
            }
            ExprKind::ArrayType { .. }
            | ExprKind::SliceType(_)
            | ExprKind::MapType { .. }
            | ExprKind::ChanType { .. }
            | ExprKind::FuncType(_)
            | ExprKind::StructType(_)
            | ExprKind::InterfaceType(_) => self.type_literal(expr),
        }
    }

    /// The colon behind a key.
    pub fn colon_of(&mut self, key: &Expr) {
        let colon = self.source.find(key.span.hi, Token::Colon);
        self.token_at(colon, Token::Colon);
    }

    /// `(T)` or `(type)` of a type assertion; `from` is where to look for it.
    pub fn type_in_parens(&mut self, from: u32, ty: Option<&'a Expr>, close: Option<u32>) {
        let open = self.source.find(from, Token::LParen);
        self.token_at(open, Token::LParen);
        match ty {
            Some(ty) => self.expr(ty),
            None => self.token(Token::Type),
        }
        let close = close.unwrap_or_else(|| self.source.find(open, Token::RParen));
        self.token_at(close, Token::RParen);
    }

    fn literal(&mut self, literal: &Literal) {
        let names = self.names;
        let text = names.resolve(literal.text);
        let symbol = literal.text;
        match literal.kind {
            LiteralKind::Int => self.emit(Token::Int(symbol), &numbers::normalized(text)),
            LiteralKind::Float => self.emit(Token::Float(symbol), &numbers::normalized(text)),
            LiteralKind::Imaginary => {
                self.emit(Token::Imaginary(symbol), &numbers::normalized(text));
            }
            LiteralKind::Rune => self.emit(Token::Rune(symbol), text),
            LiteralKind::String => self.string(symbol, text),
        }
    }

    pub fn string(&mut self, symbol: crate::syntax::symbol::Symbol, text: &str) {
        match text.contains('\r') {
            true => self.emit(Token::String(symbol), &text.replace('\r', "")),
            false => self.emit(Token::String(symbol), text),
        }
    }

    fn composite(&mut self, literal: &'a CompositeLit, depth: usize) {
        if let Some(ty) = &literal.ty {
            self.expr_at_depth(ty, depth);
        }
        self.state.literal_depth += 1;
        self.token_at(literal.lbrace.lo, Token::LBrace);
        let style = ListStyle {
            comma_at_end: true,
            ..ListStyle::default()
        };
        self.list(
            Some(literal.lbrace.lo),
            &Item::exprs(&literal.elements),
            1,
            style,
            Some(literal.rbrace.lo),
        );
        // So that comments before the brace are set as elements are.
        self.space(Space::Indent);
        self.space(Space::Unindent);
        // Behind a comment before the brace a line end would end the element, if no comma did.
        self.state.no_extra_break = true;
        self.state.no_extra_blank = !literal.elements.is_empty();
        self.token_at(literal.rbrace.lo, Token::RBrace);
        self.state.no_extra_break = false;
        self.state.no_extra_blank = false;
        self.state.literal_depth -= 1;
    }

    fn func_literal(&mut self, span: Span, literal: &'a FuncLit) {
        self.token(Token::Func);
        let start_column = self.state.out_column.wrapping_sub("func".len());
        self.signature(span.lo, &literal.ty);
        let size = self.header_size(span.lo, start_column);
        self.func_body(size, Space::Blank, &literal.body);
    }

    /// Gives whether the name stands on a line of its own, indented, and the indentation is kept.
    fn selector(&mut self, operand: &'a Expr, name: Ident, depth: usize, called: bool) -> bool {
        self.expr_at_depth(operand, depth);
        self.token(Token::Dot);
        if self.state.pos.line >= self.source.line(name.span.lo) {
            self.at(name.span.lo);
            self.name(name.name);
            return false;
        }
        self.space(Space::Indent);
        self.space(Space::Newline);
        self.at(name.span.lo);
        self.name(name.name);
        if !called {
            self.space(Space::Unindent);
        }
        true
    }

    fn index(&mut self, span: Span, operand: &'a Expr, args: &'a [Expr], depth: usize) {
        self.expr_at_depth(operand, 1);
        let open = self.source.find(operand.span.hi, Token::LBrack);
        let close = span.hi - 1;
        self.token_at(open, Token::LBrack);
        match args {
            [one] => self.expr_at_depth(one, depth + 1),
            _ => {
                let style = ListStyle {
                    comma_at_end: true,
                    ..ListStyle::default()
                };
                self.list(
                    Some(open),
                    &Item::exprs(args),
                    depth + 1,
                    style,
                    Some(close),
                );
            }
        }
        self.token_at(close, Token::RBrack);
    }

    fn slice(&mut self, span: Span, slice: &'a SliceExpr, depth: usize) {
        self.expr_at_depth(&slice.operand, 1);
        let open = self.source.find(slice.operand.span.hi, Token::LBrack);
        self.token_at(open, Token::LBrack);
        let bounds = [&slice.low, &slice.high, &slice.max];
        let given = || bounds.iter().filter_map(|bound| bound.as_ref());
        let is_binary = |bound: &Expr| matches!(bound.kind, ExprKind::Binary(_));
        let blanks = depth <= 1 && given().count() > 1 && given().any(is_binary);
        let count = if slice.max.is_some() { 3 } else { 2 };
        for (i, bound) in bounds.into_iter().take(count).enumerate() {
            if i > 0 {
                if blanks && bounds[i - 1].is_some() {
                    self.blank();
                }
                self.token(Token::Colon);
                if blanks && bound.is_some() {
                    self.blank();
                }
            }
            if let Some(bound) = bound {
                self.expr_at_depth(bound, depth + 1);
            }
        }
        self.token_at(span.hi - 1, Token::RBrack);
    }

    fn call(&mut self, call: &'a CallExpr, mut depth: usize) {
        if call.args.len() > 1 {
            depth += 1;
        }
        let indented = match &call.callee.kind {
            ExprKind::Selector { operand, name } => {
                self.at(call.callee.span.lo);
                self.selector(operand, *name, depth, true)
            }
            _ => {
                let callee = &call.callee;
                let in_parens = matches!(
                    callee.kind,
                    ExprKind::FuncType(_)
                        | ExprKind::ChanType {
                            dir: ChanDir::Receive,
                            ..
                        }
                );
                if in_parens {
                    self.token(Token::LParen);
                }
                self.expr_at_depth(callee, depth);
                if in_parens {
                    self.token(Token::RParen);
                }
                false
            }
        };
        self.token_at(call.lparen.lo, Token::LParen);
        let open = Some(call.lparen.lo);
        let args = Item::exprs(&call.args);
        if let Some(dots) = call.ellipsis {
            self.list(open, &args, depth, ListStyle::default(), Some(dots.lo));
            self.token_at(dots.lo, Token::Ellipsis);
            if self.source.line(dots.lo) < self.source.line(call.rparen.lo) {
                self.token(Token::Comma);
                self.space(Space::Break);
            }
        } else {
            let style = ListStyle {
                comma_at_end: true,
                ..ListStyle::default()
            };
            self.list(open, &args, depth, style, Some(call.rparen.lo));
        }
        self.token_at(call.rparen.lo, Token::RParen);
        if indented {
            self.space(Space::Unindent);
        }
    }

    fn binary(&mut self, binary: &'a BinaryExpr, cutoff: u8, depth: usize) {
        let precedence = binary.op.precedence();
        let mut blanks = precedence < cutoff;
        let same =
            |x: &Expr| matches!(&x.kind, ExprKind::Binary(b) if b.op.precedence() == precedence);
        let left_depth = depth + usize::from(!same(&binary.left));
        self.expr_at_depth(&binary.left, left_depth);
        if blanks {
            self.blank();
        }
        let left_line = self.state.pos.line;
        let right_line = self.source.line(binary.right.span.lo);
        self.at(binary.op_span.lo);
        let op = self.source.token_from(binary.op_span.lo);
        if let Some(op) = op {
            self.token(op.token);
        }
        let mut indented = false;
        if left_line != right_line && self.linebreak(right_line, 1, Some(Space::Indent), true) > 0 {
            indented = true;
            blanks = false;
        }
        if blanks {
            self.blank();
        }
        self.expr_at_depth(&binary.right, depth + 1);
        if indented {
            self.space(Space::Unindent);
        }
    }
}

/// Parentheses undo one level of depth.
fn shallower(depth: usize) -> usize {
    (depth - 1).max(1)
}

/// What an operand tree without its primary expressions holds.
#[derive(Default)]
struct Operators {
    has4: bool,
    has5: bool,
    /// The precedence of an operator that would run into the sign of its right operand.
    clash: u8,
}

impl Operators {
    fn add(&mut self, binary: &BinaryExpr) {
        let precedence = binary.op.precedence();
        self.has4 |= precedence == 4;
        self.has5 |= precedence == 5;
        if let ExprKind::Binary(left) = &binary.left.kind {
            self.add(left);
        }
        let clash = match &binary.right.kind {
            ExprKind::Binary(right) => {
                self.add(right);
                0
            }
            ExprKind::Star(_) if binary.op == BinaryOp::Divide => 5,
            ExprKind::Unary { op, .. } => match (binary.op, op) {
                (BinaryOp::And, UnaryOp::Address | UnaryOp::Complement) => 5,
                (BinaryOp::Add, UnaryOp::Plus) | (BinaryOp::Subtract, UnaryOp::Minus) => 4,
                _ => 0,
            },
            _ => 0,
        };
        self.clash = self.clash.max(clash);
    }
}

/// The precedence from which on operators have no blanks around them: none in a deep operand; in a
/// shallow one the tighter of two kinds of arithmetic operators, if both occur.
fn cutoff(binary: &BinaryExpr, depth: usize) -> u8 {
    let mut operators = Operators::default();
    operators.add(binary);
    match operators {
        Operators { clash, .. } if clash > 0 => clash + 1,
        Operators {
            has4: true,
            has5: true,
            ..
        } if depth == 1 => 5,
        _ if depth == 1 => LOOSEST,
        _ => 4,
    }
}
