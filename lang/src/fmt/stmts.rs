//! Statements and blocks, function bodies on one line among them.

use super::lists::{Item, ListStyle};
use super::printer::{Mark, Printer, Space};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::token::{Semicolon, Token};

/// A function is set on one line up to about this size, and with this many statements.
const ONE_LINE_MAX: usize = 100;
const ONE_LINE_STATEMENTS_MAX: usize = 5;

/// An entry of a statement list: a statement, or a clause of a switch or select.
pub trait Entry<'a> {
    fn lo(&self) -> u32;
    fn print(&'a self, p: &mut Printer<'a>, before_brace: bool);
    /// How many labels, each on a line of its own, stand before the statement.
    fn label_count(&self) -> usize {
        0
    }
}

impl<'a> Entry<'a> for Stmt {
    fn lo(&self) -> u32 {
        self.span.lo
    }

    fn print(&'a self, p: &mut Printer<'a>, before_brace: bool) {
        p.stmt(self, before_brace);
    }

    fn label_count(&self) -> usize {
        let (mut stmt, mut count) = (self, 0);
        while let StmtKind::Labeled { stmt: inner, .. } = &stmt.kind {
            (stmt, count) = (inner, count + 1);
        }
        count
    }
}

impl<'a> Entry<'a> for CaseClause {
    fn lo(&self) -> u32 {
        self.span.lo
    }

    fn print(&'a self, p: &mut Printer<'a>, before_brace: bool) {
        p.at(self.span.lo);
        let mut end = self.keyword_span.hi;
        if self.is_default {
            p.token(Token::Default);
        } else {
            p.token(Token::Case);
            p.blank();
            end = self.exprs.last().map_or(end, |last| last.span.hi);
            let colon = p.source.find(end, Token::Colon);
            let (keyword, style) = (Some(self.span.lo), ListStyle::default());
            p.list(keyword, &Item::exprs(&self.exprs), 1, style, Some(colon));
        }
        let colon = p.source.find(end, Token::Colon);
        p.token_at(colon, Token::Colon);
        p.stmt_list(&self.body, true, before_brace);
    }
}

impl<'a> Entry<'a> for CommClause {
    fn lo(&self) -> u32 {
        self.span.lo
    }

    fn print(&'a self, p: &mut Printer<'a>, before_brace: bool) {
        p.at(self.span.lo);
        let mut end = self.keyword_span.hi;
        match &self.comm {
            Some(comm) => {
                p.token(Token::Case);
                p.blank();
                p.stmt(comm, false);
                end = comm.span.hi;
            }
            None => p.token(Token::Default),
        }
        let colon = p.source.find(end, Token::Colon);
        p.token_at(colon, Token::Colon);
        p.stmt_list(&self.body, true, before_brace);
    }
}

/// The expression, the statements before and after it, and the place of a header.
struct Header<'a> {
    is_for: bool,
    init: Option<&'a Stmt>,
    expr: Option<&'a Expr>,
    post: Option<&'a Stmt>,
}

impl<'a> Printer<'a> {
    /// Statements on lines of their own; clauses of a switch are not indented, and each is a section.
    pub fn stmt_list<T: Entry<'a>>(&mut self, list: &'a [T], indent: bool, before_brace: bool) {
        if indent {
            self.space(Space::Indent);
        }
        let mark = self.new_mark();
        for (i, entry) in list.iter().enumerate() {
            if !self.state.page.is_empty() || self.state.overflow {
                let section = i == 0 || !indent || self.lines_from(mark) > 0;
                self.linebreak(self.source.line(entry.lo()), 1, None, section);
            }
            self.list_entry(entry, mark, before_brace && i + 1 == list.len());
        }
        if indent {
            self.space(Space::Unindent);
        }
    }

    pub fn list_entry<T: Entry<'a>>(&mut self, entry: &'a T, mark: Mark, before_brace: bool) {
        self.mark_next(mark);
        entry.print(self, before_brace);
        for _ in 0..entry.label_count() {
            self.skip_label_line(mark);
        }
    }

    pub fn block(&mut self, block: &'a Block) {
        self.braces(block.span, &block.stmts, true);
    }

    fn braces<T: Entry<'a>>(&mut self, span: Span, list: &'a [T], indent: bool) {
        self.token_at(span.lo, Token::LBrace);
        self.stmt_list(list, indent, true);
        self.linebreak(self.source.line(span.hi - 1), 1, None, true);
        self.token_at(span.hi - 1, Token::RBrace);
    }

    pub fn stmt(&mut self, stmt: &'a Stmt, before_brace: bool) {
        if self.state.overflow {
            return;
        }
        let span = stmt.span;
        self.at(span.lo);
        match &stmt.kind {
            StmtKind::Bad | StmtKind::Empty => {}
            StmtKind::Decl(decl) => self.decl(decl),
            StmtKind::Labeled { label, stmt } => self.labeled(*label, stmt, before_brace),
            StmtKind::Expr(expr) => self.expr(expr),
            StmtKind::Send {
                channel,
                value,
                op_span,
            } => {
                self.expr(channel);
                self.operator(op_span.lo, Token::Arrow);
                self.expr(value);
            }
            StmtKind::IncDec {
                operand,
                increment,
                op_span,
            } => {
                self.expr_at_depth(operand, 2);
                let op = match increment {
                    true => Token::PlusPlus,
                    false => Token::MinusMinus,
                };
                self.token_at(op_span.lo, op);
            }
            StmtKind::Assign {
                left,
                right,
                op_span,
            } => {
                let depth = 1 + usize::from(left.len() > 1 && right.len() > 1);
                self.assignment(&Item::exprs(left), right, op_span.lo, depth);
            }
            StmtKind::Define {
                names,
                right,
                op_span,
            } => {
                let depth = 1 + usize::from(names.len() > 1 && right.len() > 1);
                self.assignment(&Item::names(names), right, op_span.lo, depth);
            }
            StmtKind::OpAssign {
                left,
                right,
                op_span,
                ..
            } => {
                let right = std::slice::from_ref(right);
                self.assignment(&[Item::Expr(left)], right, op_span.lo, 1);
            }
            StmtKind::Go(call) => self.keyword_and(Token::Go, call),
            StmtKind::Defer(call) => self.keyword_and(Token::Defer, call),
            StmtKind::Return(results) => self.return_stmt(results),
            StmtKind::Break(label) => self.branch(Token::Break, *label),
            StmtKind::Continue(label) => self.branch(Token::Continue, *label),
            StmtKind::Goto(label) => self.branch(Token::Goto, Some(*label)),
            StmtKind::Fallthrough => self.branch(Token::Fallthrough, None),
            StmtKind::Block(block) => self.block(block),
            StmtKind::If(stmt) => self.if_stmt(stmt, before_brace),
            StmtKind::Switch(stmt) => {
                self.token(Token::Switch);
                self.header(Header {
                    is_for: false,
                    init: stmt.init.as_deref(),
                    expr: stmt.tag.as_ref(),
                    post: None,
                });
                self.braces(stmt.body_span, &stmt.cases, false);
            }
            StmtKind::TypeSwitch(stmt) => self.type_switch(stmt),
            StmtKind::Select(stmt) => {
                self.token(Token::Select);
                self.blank();
                let body = stmt.body_span;
                let close = self.source.position(body.hi - 1);
                if stmt.cases.is_empty() && !self.comment_before(close) {
                    self.token_at(body.lo, Token::LBrace);
                    self.token_at(body.hi - 1, Token::RBrace);
                } else {
                    self.braces(body, &stmt.cases, false);
                }
            }
            StmtKind::For(stmt) => {
                self.token(Token::For);
                self.header(Header {
                    is_for: true,
                    init: stmt.init.as_deref(),
                    expr: stmt.cond.as_ref(),
                    post: stmt.post.as_deref(),
                });
                self.block(&stmt.body);
            }
            StmtKind::Range(stmt) => self.range_stmt(stmt),
            StmtKind::Txn(stmt) => self.txn(stmt),
        }
    }

    /// A token with blanks around it.
    fn operator(&mut self, offset: u32, token: Token) {
        self.blank();
        self.token_at(offset, token);
        self.blank();
    }

    fn keyword_and(&mut self, keyword: Token, expr: &'a Expr) {
        self.token(keyword);
        self.blank();
        self.expr(expr);
    }

    fn branch(&mut self, keyword: Token, label: Option<Ident>) {
        self.token(keyword);
        if let Some(label) = label {
            self.blank();
            self.at(label.span.lo);
            self.name(label.name);
        }
    }

    /// The label stands one step to the left, on a line of its own.
    fn labeled(&mut self, label: Ident, stmt: &'a Stmt, before_brace: bool) {
        self.space(Space::Unindent);
        self.at(label.span.lo);
        self.name(label.name);
        let colon = self.source.find(label.span.hi, Token::Colon);
        self.token_at(colon, Token::Colon);
        self.space(Space::Indent);
        if !matches!(stmt.kind, StmtKind::Empty) {
            self.linebreak(self.source.line(stmt.span.lo), 1, None, true);
            self.stmt(stmt, before_brace);
        } else if !before_brace {
            self.space(Space::Newline);
            self.at(stmt.span.lo);
            self.emit(Token::Semi(Semicolon::Written), ";");
        }
    }

    fn assignment(&mut self, left: &[Item<'a>], right: &'a [Expr], op: u32, depth: usize) {
        let start = left.first().map(|item| item.span().lo);
        self.list(start, left, depth, ListStyle::default(), Some(op));
        self.blank();
        self.at(op);
        match self.source.token_from(op).map(|lexeme| lexeme.token) {
            Some(token @ Token::OpAssign(op)) => self.emit(token, &format!("{}=", op.text())),
            Some(token) => self.token(token),
            None => {}
        }
        self.blank();
        self.list(
            Some(op),
            &Item::exprs(right),
            depth,
            ListStyle::default(),
            None,
        );
    }

    fn return_stmt(&mut self, results: &'a [Expr]) {
        self.token(Token::Return);
        if results.is_empty() {
            return;
        }
        self.blank();
        let indent = self.indents_wholly(results);
        if indent {
            self.space(Space::Indent);
        }
        let style = ListStyle {
            no_indent: indent,
            ..ListStyle::default()
        };
        // A line break before the first result would end the statement.
        self.list(None, &Item::exprs(results), 1, style, None);
        if indent {
            self.space(Space::Unindent);
        }
    }

    fn if_stmt(&mut self, stmt: &'a IfStmt, before_brace: bool) {
        self.token(Token::If);
        self.header(Header {
            is_for: false,
            init: stmt.init.as_deref(),
            expr: Some(&stmt.cond),
            post: None,
        });
        self.block(&stmt.then);
        if let Some(otherwise) = &stmt.otherwise {
            self.blank();
            self.token(Token::Else);
            self.blank();
            self.stmt(otherwise, before_brace);
        }
    }

    fn type_switch(&mut self, stmt: &'a TypeSwitchStmt) {
        self.token(Token::Switch);
        if let Some(init) = &stmt.init {
            self.blank();
            self.stmt(init, false);
            self.token(Token::Semi(Semicolon::Written));
        }
        self.blank();
        let operand = &stmt.operand;
        if let Some(binding) = stmt.binding {
            self.at(binding.span.lo);
            self.name(binding.name);
            let define = self.source.find(binding.span.hi, Token::Define);
            self.operator(define, Token::Define);
        }
        self.expr(operand);
        self.token(Token::Dot);
        self.type_in_parens(operand.span.hi, None, None);
        self.blank();
        self.braces(stmt.body_span, &stmt.cases, false);
    }

    fn range_stmt(&mut self, stmt: &'a RangeStmt) {
        self.token(Token::For);
        self.blank();
        if let [key, values @ ..] = &stmt.vars[..] {
            self.expr(key);
            for value in values {
                self.token_at(value.span.lo, Token::Comma);
                self.blank();
                self.expr(value);
            }
            let end = stmt.vars[stmt.vars.len() - 1].span.hi;
            let op = if stmt.define {
                Token::Define
            } else {
                Token::Assign
            };
            let at = self.source.find(end, op);
            self.operator(at, op);
        }
        self.token(Token::Range);
        self.blank();
        self.expr(without_parens(&stmt.operand));
        self.blank();
        self.block(&stmt.body);
    }

    /// `txn <sync> {`, `txn("undo") {`: options are set as type arguments and arguments are.
    fn txn(&mut self, stmt: &'a TxnStmt) {
        self.token(Token::Txn);
        let open = self.source.token_from(stmt.keyword_span.hi);
        let (opening, closing) = match open.map(|lexeme| lexeme.token) {
            Some(Token::LParen) => (Token::LParen, Token::RParen),
            _ => (Token::Less, Token::Greater),
        };
        if opening == Token::Less {
            self.blank();
        }
        let at = self.source.find(stmt.keyword_span.hi, opening);
        self.token_at(at, opening);
        let mut end = at + 1;
        for (i, option) in stmt.options.iter().enumerate() {
            if i > 0 {
                self.token_at(option.span.lo, Token::Comma);
                self.blank();
            }
            self.at(option.span.lo);
            self.emit(Token::Ident(option.name), self.source.slice(option.span));
            end = option.span.hi;
        }
        let close = self.source.find(end, closing);
        self.token_at(close, closing);
        self.blank();
        self.block(&stmt.body);
    }

    fn header(&mut self, header: Header<'a>) {
        let semicolon = Token::Semi(Semicolon::Written);
        self.blank();
        let mut needs_blank = header.expr.is_some();
        if header.init.is_none() && header.post.is_none() {
            if let Some(expr) = header.expr {
                self.expr(without_parens(expr));
            }
        } else {
            if let Some(init) = header.init {
                self.stmt(init, false);
            }
            self.token(semicolon);
            self.blank();
            if let Some(expr) = header.expr {
                self.expr(without_parens(expr));
            }
            if header.is_for {
                self.token(semicolon);
                self.blank();
                needs_blank = header.post.is_some();
                if let Some(post) = header.post {
                    self.stmt(post, false);
                }
            }
        }
        if needs_blank {
            self.blank();
        }
    }

    // Function bodies

    /// The size of a function's header that began at `start` in the source and at this column of the
    /// output; `None` when it spans lines.
    pub fn header_size(&self, start: u32, start_column: usize) -> Option<usize> {
        (self.source.line(start) == self.state.pos.line)
            .then(|| self.state.out_column.wrapping_sub(start_column))
    }

    /// A body behind a header of this size: on the same line if both are short, set off by `gap`.
    pub fn func_body(&mut self, header_size: Option<usize>, gap: Space, body: &'a Block) {
        let depth = std::mem::take(&mut self.state.literal_depth);
        let size = header_size.zip(self.body_size(body));
        if size.is_some_and(|(header, body)| header + body <= ONE_LINE_MAX) {
            self.space(gap);
            self.token_at(body.span.lo, Token::LBrace);
            for (i, stmt) in body.stmts.iter().enumerate() {
                if i > 0 {
                    self.token(Token::Semi(Semicolon::Written));
                }
                self.blank();
                self.stmt(stmt, i + 1 == body.stmts.len());
            }
            if !body.stmts.is_empty() {
                self.blank();
            }
            self.state.no_extra_break = true;
            self.token_at(body.span.hi - 1, Token::RBrace);
            self.state.no_extra_break = false;
        } else {
            self.blank();
            self.block(body);
        }
        self.state.literal_depth = depth;
    }

    fn body_size(&mut self, body: &'a Block) -> Option<usize> {
        let one_line = self.source.line(body.span.lo) == self.source.line(body.span.hi);
        if !one_line || body.stmts.len() > ONE_LINE_STATEMENTS_MAX {
            return None;
        }
        let mut size = self.comment_size_before(self.source.position(body.span.hi - 1));
        for (i, stmt) in body.stmts.iter().enumerate() {
            size += 2 * usize::from(i > 0);
            size += self.size(stmt.span, |p| {
                // A label goes one step to the left of it.
                p.state.indent = usize::from(matches!(stmt.kind, StmtKind::Labeled { .. }));
                p.stmt(stmt, false);
            })?;
        }
        Some(size)
    }
}

/// A header's expression without parentheses around it, unless they keep a composite literal's brace
/// from being taken for the body's.
fn without_parens(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Paren(inner) if !has_bare_literal(inner) => without_parens(inner),
        _ => expr,
    }
}

fn has_bare_literal(expr: &Expr) -> bool {
    let any = |list: &[Expr]| list.iter().any(has_bare_literal);
    match &expr.kind {
        ExprKind::Composite(literal) => literal.ty.as_ref().is_some_and(is_type_name),
        ExprKind::Selector { operand, .. } => has_bare_literal(operand),
        ExprKind::Index { operand, args } => has_bare_literal(operand) || any(args),
        ExprKind::Slice(s) => {
            let bounds = [&s.low, &s.high, &s.max].into_iter().flatten();
            has_bare_literal(&s.operand) || bounds.into_iter().any(has_bare_literal)
        }
        ExprKind::TypeAssert { operand, .. } => has_bare_literal(operand),
        ExprKind::Call(call) => has_bare_literal(&call.callee) || any(&call.args),
        ExprKind::Star(operand) | ExprKind::Unary { operand, .. } => has_bare_literal(operand),
        ExprKind::Binary(binary) => {
            has_bare_literal(&binary.left) || has_bare_literal(&binary.right)
        }
        _ => false,
    }
}

fn is_type_name(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Ident(_) => true,
        ExprKind::Selector { operand, .. } => is_type_name(operand),
        _ => false,
    }
}
