//! Lists of expressions: elements, arguments, operands. A list keeps the line breaks that it has in
//! the source; `key: value` elements on lines of their own are set in columns.

use super::printer::{Printer, Space};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Ident};
use crate::syntax::token::Token;

/// An entry of a list.
#[derive(Clone, Copy)]
pub enum Item<'a> {
    Expr(&'a Expr),
    Name(Ident),
}

impl<'a> Item<'a> {
    pub fn exprs(list: &'a [Expr]) -> Vec<Item<'a>> {
        list.iter().map(Item::Expr).collect()
    }

    pub fn names(list: &[Ident]) -> Vec<Item<'a>> {
        list.iter().copied().map(Item::Name).collect()
    }

    pub fn span(&self) -> Span {
        match self {
            Item::Expr(expr) => expr.span,
            Item::Name(name) => name.span,
        }
    }

    fn as_pair(&self) -> Option<(&'a Expr, &'a Expr)> {
        match self {
            Item::Expr(Expr {
                kind: ExprKind::KeyValue { key, value },
                ..
            }) => Some((key, value)),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Default)]
pub struct ListStyle {
    /// Before a bracket on a line of its own the last element has a comma.
    pub comma_at_end: bool,
    /// Broken lines are not indented.
    pub no_indent: bool,
}

/// Sizes of the keys in a column so far, to judge whether the next one may share it.
#[derive(Default)]
struct Keys {
    log_sum: f64,
    count: usize,
}

impl Keys {
    /// Keys up to this size always share a column.
    const SMALL: usize = 40;
    /// A larger one may be this many times smaller or larger than the geometric mean.
    const RATIO_MAX: f64 = 2.5;

    /// Whether a column has to end between two keys of these sizes.
    fn breaks(&self, previous: Option<usize>, size: Option<usize>) -> bool {
        let (Some(previous), Some(size)) = (previous, size) else {
            return true;
        };
        if self.count == 0 || previous <= Keys::SMALL && size <= Keys::SMALL {
            return false;
        }
        let mean = (self.log_sum / self.count as f64).exp();
        let ratio = size as f64 / mean;
        Keys::RATIO_MAX * ratio <= 1.0 || Keys::RATIO_MAX <= ratio
    }

    fn add(&mut self, size: usize) {
        self.log_sum += (size as f64).ln();
        self.count += 1;
    }
}

impl<'a> Printer<'a> {
    /// Names before a type or value; `indent`: those on further lines are indented.
    pub fn name_list(&mut self, names: &[Ident], indent: bool) {
        let style = ListStyle {
            no_indent: !indent,
            ..ListStyle::default()
        };
        self.list(None, &Item::names(names), 1, style, None);
    }

    fn item(&mut self, item: Item<'a>, depth: usize) {
        match item {
            Item::Expr(expr) => self.expr_at_depth(expr, depth),
            Item::Name(name) => {
                self.at(name.span.lo);
                self.name(name.name);
            }
        }
    }

    /// Prints a list between what begins at `before` and what begins at `after`, where known.
    pub fn list(
        &mut self,
        before: Option<u32>,
        items: &[Item<'a>],
        depth: usize,
        style: ListStyle,
        after: Option<u32>,
    ) {
        let (Some(first), Some(last)) = (items.first(), items.last()) else {
            return;
        };
        let before_line = before.map(|at| self.source.line(at));
        let first_line = self.source.line(first.span().lo);
        if before_line == Some(first_line) && first_line == self.source.line(last.span().hi) {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    // Comments around the comma go before it.
                    self.token_at(item.span().lo, Token::Comma);
                    self.blank();
                }
                self.item(*item, depth);
            }
            return;
        }
        let mut indent = (!style.no_indent).then_some(Space::Indent);
        let mut indented = style.no_indent;
        // The element before which the last line break is.
        let mut broken = None;
        if before_line.is_some_and(|line| line < first_line)
            && self.linebreak(first_line, 0, indent, true) > 0
        {
            indent = None;
            indented = true;
            broken = Some(0);
        }
        let is_between = before.is_some() && after.is_some();
        let mut size: Option<usize> = None;
        let mut keys = Keys::default();
        let mut previous_line = before_line;
        for (i, item) in items.iter().enumerate() {
            let line = self.source.line(item.span().lo);
            let previous_size = size;
            size = if is_between {
                self.key_size(*item)
            } else {
                None
            };
            let ends_section = keys.breaks(previous_size, size);
            let needs_break = previous_line.is_some_and(|previous| previous < line);
            if i > 0 {
                if !needs_break {
                    self.at(item.span().lo);
                }
                self.token(Token::Comma);
                let mut needs_blank = true;
                if needs_break {
                    // Several elements on the line before are no column.
                    let several = broken.map_or(0, |at| at + 1) < i;
                    let count = self.linebreak(line, 0, indent, ends_section || several);
                    if count > 0 {
                        indent = None;
                        indented = true;
                        broken = Some(i);
                        needs_blank = false;
                    }
                    if count > 1 {
                        keys = Keys::default();
                    }
                }
                if needs_blank {
                    self.blank();
                }
            }
            match item.as_pair() {
                Some((key, value)) if items.len() > 1 && size.is_some() && needs_break => {
                    self.expr(key);
                    self.colon_of(key);
                    self.space(Space::Tab);
                    self.expr(value);
                }
                _ => self.item(*item, depth),
            }
            if let Some(size) = size {
                keys.add(size);
            }
            previous_line = Some(line);
        }
        let unindent = indented && !style.no_indent;
        let after_line = after.map(|at| self.source.line(at));
        let ends_line = style.comma_at_end && after_line.is_some_and(|l| self.state.pos.line < l);
        if ends_line {
            self.token(Token::Comma);
        }
        if unindent {
            self.space(Space::Unindent);
        }
        if ends_line {
            self.space(Space::Break);
        }
    }

    /// The size of an element that fits on one line; of a pair, its key's.
    fn key_size(&mut self, item: Item<'a>) -> Option<usize> {
        let size = self.size(item.span(), |p| p.item(item, 1))?;
        match item.as_pair() {
            Some((key, _)) => self.size(key.span, |p| p.expr(key)),
            None => Some(size),
        }
    }

    /// Whether a list that is broken over lines looks better indented from its first element on: when
    /// several elements span lines, or one begins on a line of its own.
    pub fn indents_wholly(&self, list: &[Expr]) -> bool {
        let (first, last) = match list {
            [first, .., last] => (first, last),
            _ => return false,
        };
        let mut line = self.source.line(first.span.lo);
        if line == self.source.line(last.span.hi) {
            return false;
        }
        let mut multiline = 0;
        for expr in list {
            let start = self.source.line(expr.span.lo);
            let end = self.source.line(expr.span.hi);
            if line < start {
                return true;
            }
            multiline += usize::from(start < end);
            line = end;
        }
        multiline > 1
    }
}
