//! Expressions as messages show them: Go's short form, function bodies and literal elements elided.
use crate::syntax::ast::{self, Expr, ExprKind, InterfaceElem, UnaryOp};
use crate::syntax::symbol::Interner;
use std::fmt::Write;

/// The text of an expression or type.
pub(super) fn expr_string(names: &Interner, e: &Expr) -> String {
    let mut p = Printer {
        names,
        out: String::new(),
    };
    p.expr(e);
    p.out
}

struct Printer<'a> {
    names: &'a Interner,
    out: String,
}

impl Printer<'_> {
    fn name(&mut self, s: crate::syntax::symbol::Symbol) {
        self.out.push_str(self.names.resolve(s));
    }

    fn put(&mut self, s: &str) {
        self.out.push_str(s);
    }

    fn list(&mut self, es: &[Expr]) {
        for (i, e) in es.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.expr(e);
        }
    }

    fn opt(&mut self, e: &Option<Expr>) {
        if let Some(e) = e {
            self.expr(e);
        }
    }

    fn expr(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Bad => self.put("_"),
            ExprKind::Ident(s) => self.name(*s),
            ExprKind::Literal(l) => self.name(l.text),
            ExprKind::Composite(c) => {
                self.opt(&c.ty);
                self.put(if c.elements.is_empty() { "{}" } else { "{…}" });
            }
            ExprKind::FuncLit(f) => {
                self.put("func");
                self.signature(&f.ty);
                self.put(" {…}");
            }
            ExprKind::Paren(x) => {
                self.put("(");
                self.expr(x);
                self.put(")");
            }
            ExprKind::Selector { operand, name } => {
                self.expr(operand);
                self.put(".");
                self.name(name.name);
            }
            ExprKind::Index { operand, args } => {
                self.expr(operand);
                self.put("[");
                self.list(args);
                self.put("]");
            }
            ExprKind::Slice(s) => {
                self.expr(&s.operand);
                self.put("[");
                self.opt(&s.low);
                self.put(":");
                self.opt(&s.high);
                if s.max.is_some() {
                    self.put(":");
                    self.opt(&s.max);
                }
                self.put("]");
            }
            ExprKind::TypeAssert { operand, ty } => {
                self.expr(operand);
                self.put(".(");
                match ty {
                    Some(t) => self.expr(t),
                    None => self.put("type"),
                }
                self.put(")");
            }
            ExprKind::Call(c) => {
                self.expr(&c.callee);
                self.put("(");
                self.list(&c.args);
                if c.ellipsis.is_some() {
                    self.put("...");
                }
                self.put(")");
            }
            ExprKind::Star(x) => {
                self.put("*");
                self.expr(x);
            }
            ExprKind::Unary { op, operand } => {
                self.put(op.text());
                if *op == UnaryOp::Address
                    && matches!(
                        operand.kind,
                        ExprKind::Unary {
                            op: UnaryOp::Address,
                            ..
                        }
                    )
                {
                    self.put(" ");
                }
                self.expr(operand);
            }
            ExprKind::Binary(b) => {
                self.expr(&b.left);
                let _ = write!(self.out, " {} ", b.op.text());
                self.expr(&b.right);
            }
            ExprKind::KeyValue { key, value } => {
                self.expr(key);
                self.put(": ");
                self.expr(value);
            }
            ExprKind::ArrayType { len, elem } => {
                self.put("[");
                match len {
                    Some(n) => self.expr(n),
                    None => self.put("..."),
                }
                self.put("]");
                self.expr(elem);
            }
            ExprKind::SliceType(x) => {
                self.put("[]");
                self.expr(x);
            }
            ExprKind::MapType { key, value } => {
                self.put("map[");
                self.expr(key);
                self.put("]");
                self.expr(value);
            }
            ExprKind::ChanType { dir, elem } => {
                self.put(match dir {
                    ast::ChanDir::Both => "chan ",
                    ast::ChanDir::Send => "chan<- ",
                    ast::ChanDir::Receive => "<-chan ",
                });
                self.expr(elem);
            }
            ExprKind::FuncType(f) => {
                self.put("func");
                self.signature(f);
            }
            ExprKind::StructType(s) => {
                self.put("struct{");
                for (i, f) in s.fields.iter().enumerate() {
                    if i > 0 {
                        self.put("; ");
                    }
                    self.names_list(&f.names);
                    self.expr(&f.ty);
                }
                self.put("}");
            }
            ExprKind::InterfaceType(t) => {
                if !t.implicit {
                    self.put("interface{");
                }
                for (i, elem) in t.elems.iter().enumerate() {
                    if i > 0 {
                        self.put("; ");
                    }
                    match elem {
                        InterfaceElem::Method { name, ty } => {
                            self.name(name.name);
                            self.signature(ty);
                        }
                        InterfaceElem::Union(terms) => {
                            for (i, t) in terms.iter().enumerate() {
                                if i > 0 {
                                    self.put(" | ");
                                }
                                if t.tilde.is_some() {
                                    self.put("~");
                                }
                                self.expr(&t.ty);
                            }
                        }
                    }
                }
                if !t.implicit {
                    self.put("}");
                }
            }
        }
    }

    fn names_list(&mut self, names: &[ast::Ident]) {
        for (i, n) in names.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.name(n.name);
        }
        if !names.is_empty() {
            self.put(" ");
        }
    }

    fn params(&mut self, ps: &[ast::Param]) {
        self.put("(");
        for (i, p) in ps.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.names_list(&p.names);
            if p.variadic.is_some() {
                self.put("...");
            }
            self.expr(&p.ty);
        }
        self.put(")");
    }

    fn signature(&mut self, f: &ast::FuncType) {
        self.params(&f.params);
        match f.results.as_slice() {
            [] => {}
            [r] if r.names.is_empty() => {
                self.put(" ");
                self.expr(&r.ty);
            }
            rs => {
                self.put(" ");
                self.params(rs);
            }
        }
    }
}
