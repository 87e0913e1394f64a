//! A body of the typed IR as text, for tests and debugging: one statement a line, blocks indented.
use super::{
    Body, Callee, Comm, Const, Expr, ExprKind, LocalId, RangeKind, Stmt, StmtKind, Switch,
};
use crate::types::literal::quote;
use crate::types::print::Names;
use crate::types::ty::{FuncId, Ty, Types};
use std::fmt::Write;

/// The text of a body; function literals in it follow it.
pub fn dump(body: &Body, types: &Types, names: &dyn Names) -> String {
    let mut d = Dumper {
        types,
        names,
        body,
        out: String::new(),
        indent: 0,
        literals: Vec::new(),
    };
    d.header_and_body();
    d.out
}

struct Dumper<'a> {
    types: &'a Types,
    names: &'a dyn Names,
    body: &'a Body,
    out: String,
    indent: usize,
    literals: Vec<String>,
}

impl Dumper<'_> {
    fn header_and_body(&mut self) {
        let b = self.body;
        let (params, results) = (self.locals(&b.params), self.locals(&b.results));
        self.line(&format!("func {}({params}) ({results}) {{", b.name));
        self.indent += 1;
        for c in &b.captures {
            let inner = self.locals(&[c.inner]);
            self.line(&format!("capture {inner} = outer %{}", c.outer.0));
        }
        self.stmts(&b.stmts);
        self.indent -= 1;
        self.line("}");
        for text in std::mem::take(&mut self.literals) {
            self.out.push_str(&text);
        }
    }

    /// Declarations of locals: `%1 x int boxed`.
    fn locals(&self, ids: &[LocalId]) -> String {
        let one = |id: &LocalId| match self.body.locals.get(id.0 as usize) {
            Some(l) => {
                let boxed = if l.boxed { " boxed" } else { "" };
                format!("%{} {} {}{boxed}", id.0, l.name, self.ty(l.ty))
            }
            None => format!("%{}?", id.0),
        };
        ids.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{:1$}{text}", "", self.indent * 2);
    }

    fn ty(&self, t: Ty) -> String {
        self.types.runtime_name(t, self.names)
    }

    fn nested(&mut self, head: &str, stmts: &[Stmt]) {
        self.line(&format!("{head} {{"));
        self.indent += 1;
        self.stmts(stmts);
        self.indent -= 1;
        self.line("}");
    }

    fn stmts(&mut self, stmts: &[Stmt]) {
        for s in stmts {
            self.stmt(s);
        }
    }

    fn place(&mut self, e: &Option<Expr>) -> String {
        e.as_ref().map_or("_".into(), |e| self.expr(e))
    }

    fn stmt(&mut self, s: &Stmt) {
        let text = match &s.kind {
            StmtKind::Expr(e) => self.expr(e),
            StmtKind::Let(ids, init) => {
                let ids = self.locals(ids);
                match init {
                    Some(e) => format!("let {ids} = {}", self.expr(e)),
                    None => format!("let {ids}"),
                }
            }
            StmtKind::Assign(l, r) => format!("{} = {}", self.expr(l), self.expr(r)),
            StmtKind::AssignMany(pairs) => {
                let left: Vec<String> = pairs.iter().map(|p| self.place(&p.0)).collect();
                let right: Vec<String> = pairs.iter().map(|p| self.expr(&p.1)).collect();
                format!("{} = {}", left.join(", "), right.join(", "))
            }
            StmtKind::AssignTuple(places, e) => {
                let left: Vec<String> = places.iter().map(|p| self.place(p)).collect();
                format!("{} = {}", left.join(", "), self.expr(e))
            }
            StmtKind::OpAssign(op, l, r) => {
                format!("{} {op:?}= {}", self.expr(l), self.expr(r))
            }
            StmtKind::Block(b) => return self.nested("block", b),
            StmtKind::If(c, then, otherwise) => {
                let head = format!("if {}", self.expr(c));
                self.nested(&head, then);
                if !otherwise.is_empty() {
                    self.nested("else", otherwise);
                }
                return;
            }
            StmtKind::For(f) => {
                let cond = f.cond.as_ref().map_or(String::new(), |c| self.expr(c));
                let fresh: Vec<String> = f
                    .per_iteration
                    .iter()
                    .map(|l| format!("%{}", l.0))
                    .collect();
                let fresh = match fresh.is_empty() {
                    true => String::new(),
                    false => format!(" fresh {}", fresh.join(", ")),
                };
                self.nested(&format!("L{}: for {cond}{fresh}", f.label.0), &f.body);
                if !f.post.is_empty() {
                    self.nested("post", &f.post);
                }
                return;
            }
            StmtKind::Range(r) => {
                let var = |l: Option<LocalId>| l.map_or("_".into(), |l| format!("%{}", l.0));
                let (key, value) = (var(r.key), var(r.value));
                let kind = match r.kind {
                    RangeKind::Int => "int",
                    RangeKind::Slice => "slice",
                    RangeKind::Array => "array",
                    RangeKind::ArrayPointer => "array pointer",
                    RangeKind::String => "string",
                    RangeKind::Map => "map",
                    RangeKind::Chan => "chan",
                };
                let over = self.expr(&r.over);
                let head = format!("L{}: range {kind} {key}, {value} = {over}", r.label.0);
                return self.nested(&head, &r.body);
            }
            StmtKind::Switch(s) => return self.switch(s),
            StmtKind::Return(es) => format!("return {}", self.list(es)),
            StmtKind::Break(l) => format!("break L{}", l.0),
            StmtKind::Continue(l) => format!("continue L{}", l.0),
            StmtKind::Goto(l) => format!("goto L{}", l.0),
            StmtKind::Target(l) => format!("L{}:", l.0),
            StmtKind::Fallthrough => "fallthrough".into(),
            StmtKind::Defer(e) => format!("defer {}", self.expr(e)),
            StmtKind::Go(e) => format!("go {}", self.expr(e)),
            StmtKind::Txn(o, b) => {
                let option = match (o.sync, o.is_async) {
                    (true, _) => "sync",
                    (_, true) => "async",
                    _ => "",
                };
                return self.nested(&format!("txn <{option}>"), b);
            }
            StmtKind::Send(c, v) => format!("{} <- {}", self.expr(c), self.expr(v)),
            StmtKind::Select(cases, l) => {
                self.line(&format!("L{}: select", l.0));
                for c in cases {
                    let var = |l: &Option<LocalId>| l.map_or("_".into(), |l| format!("%{}", l.0));
                    let head = match &c.comm {
                        Comm::Default => "default".into(),
                        Comm::Send(c, v) => {
                            format!("case {} <- {}", self.expr(c), self.expr(v))
                        }
                        Comm::Recv(c, v, ok) => {
                            format!("case {}, {} = <-{}", var(v), var(ok), self.expr(c))
                        }
                    };
                    self.nested(&head, &c.body);
                }
                return;
            }
            StmtKind::PvarInit(g, e) => match e {
                Some(e) => format!("pvar @{} = {}", g.0, self.expr(e)),
                None => format!("pvar @{}", g.0),
            },
        };
        self.line(text.trim_end());
    }

    fn switch(&mut self, s: &Switch) {
        self.line(&format!("L{}: switch", s.label.0));
        for c in &s.clauses {
            let conds = self.list(&c.conds);
            let head = match (c.is_default, conds.is_empty()) {
                (true, true) => "default".into(),
                (true, false) => format!("case {conds}, default"),
                _ => format!("case {conds}"),
            };
            self.nested(&head, &c.body);
        }
    }

    fn list(&mut self, es: &[Expr]) -> String {
        let each: Vec<String> = es.iter().map(|e| self.expr(e)).collect();
        each.join(", ")
    }

    fn func(&self, f: FuncId, targs: &[Ty]) -> String {
        match targs {
            [] => format!("f{}", f.0),
            _ => {
                let each: Vec<String> = targs.iter().map(|t| self.ty(*t)).collect();
                format!("f{}[{}]", f.0, each.join(", "))
            }
        }
    }

    /// `word(a, b)`.
    fn call(&mut self, word: &str, operands: &[&Expr]) -> String {
        let each: Vec<String> = operands.iter().map(|e| self.expr(e)).collect();
        format!("{word}({})", each.join(", "))
    }

    fn optional(&mut self, word: &str, operands: [Option<&Expr>; 3]) -> String {
        let present: Vec<&Expr> = operands.into_iter().flatten().collect();
        self.call(word, &present)
    }

    fn expr(&mut self, e: &Expr) -> String {
        use ExprKind as K;
        let ty = self.ty(e.ty);
        match &e.kind {
            K::Const(c) => match c {
                Const::Bool(b) => b.to_string(),
                Const::Int(n) => format!("{n}:{ty}"),
                Const::Float(x) => format!("{x:?}:{ty}"),
                Const::Complex(r, i) => format!("({r:?}+{i:?}i):{ty}"),
                Const::Str(s) => quote(s),
                Const::Nil => format!("nil:{ty}"),
                Const::SizeOf(t) => format!("sizeof {}", self.ty(*t)),
                Const::OffsetOf(t, i) => format!("offsetof {} {i}", self.ty(*t)),
                Const::AlignOf(t) => format!("alignof {}", self.ty(*t)),
            },
            K::Zero => format!("zero:{ty}"),
            K::Local(l) => format!("%{}", l.0),
            K::Global(g) => format!("@{}", g.0),
            K::Func(f) => self.func(f.func, &f.targs),
            K::Closure(b) => {
                let inner = dump(b, self.types, self.names);
                self.literals.push(inner);
                format!("closure {}", b.name)
            }
            K::Unary(op, x) => self.call(&format!("{op:?}"), &[x]),
            K::Binary(op, x, y) => self.call(&format!("{op:?}"), &[x, y]),
            K::Compare(op, x, y) => self.call(&format!("{op:?}"), &[x, y]),
            K::AndAnd(x, y) => self.call("AndAnd", &[x, y]),
            K::OrOr(x, y) => self.call("OrOr", &[x, y]),
            K::Call(callee, args) => {
                let callee = match callee {
                    Callee::Static(f) => self.func(f.func, &f.targs),
                    Callee::Value(f) => format!("({})", self.expr(f)),
                    Callee::Interface(x, m) | Callee::Param(x, m) => {
                        format!("{}.{}", self.expr(x), self.names.symbol(m.name))
                    }
                };
                format!("{callee}({})", self.list(args))
            }
            K::Field(x, i) => format!("{}.{i}", self.expr(x)),
            K::Deref(x) => format!("*{}", self.expr(x)),
            K::AddrOf(x) => format!("&{}", self.expr(x)),
            K::Index(x, i) => format!("{}[{}]", self.expr(x), self.expr(i)),
            K::MapIndex(m, k, ok) => {
                self.call(if *ok { "MapIndexOk" } else { "MapIndex" }, &[m, k])
            }
            K::Slice(x, lo, hi, max) => {
                let mut part =
                    |e: &Option<Box<Expr>>| e.as_ref().map_or(String::new(), |e| self.expr(e));
                let (lo, hi, max) = (part(lo), part(hi), part(max));
                format!("{}[{lo}:{hi}:{max}]", self.expr(x))
            }
            K::TypeAssert(x, t, ok) => {
                let ok = if *ok { ", ok" } else { "" };
                format!("{}.({}{ok})", self.expr(x), self.ty(*t))
            }
            K::IsType(x, t) => {
                let t = t.map_or("nil".into(), |t| self.ty(t));
                format!("{} is {t}", self.expr(x))
            }
            K::Convert(kind, x) => format!("{kind:?}:{ty}({})", self.expr(x)),
            K::StructLit(fields) => {
                let each = fields.iter().map(|(i, e)| format!("{i}: {}", self.expr(e)));
                format!("{ty}{{{}}}", each.collect::<Vec<_>>().join(", "))
            }
            K::ArrayLit(elems) | K::SliceLit(_, elems) => {
                let each = elems.iter().map(|(i, e)| format!("{i}: {}", self.expr(e)));
                format!("{ty}{{{}}}", each.collect::<Vec<_>>().join(", "))
            }
            K::MapLit(pairs) => {
                let each = pairs
                    .iter()
                    .map(|(k, v)| format!("{}: {}", self.expr(k), self.expr(v)));
                format!("{ty}{{{}}}", each.collect::<Vec<_>>().join(", "))
            }
            K::Seq(stmts, x) => {
                // Inline: the statements' lines joined, which a temporary's `let` reads well in.
                let mut inner = Dumper {
                    out: String::new(),
                    indent: 0,
                    literals: Vec::new(),
                    ..*self
                };
                inner.stmts(stmts);
                let value = inner.expr(x);
                let text = inner.out.trim_end().replace('\n', "; ");
                let literals = inner.literals;
                self.literals.extend(literals);
                format!("{{{text}; {value}}}")
            }
            K::Len(x) => self.call("len", &[x]),
            K::Cap(x) => self.call("cap", &[x]),
            K::Append(s, es) => format!("append({}; {})", self.expr(s), self.list(es)),
            K::AppendSlice(s, t) => self.call("append...", &[s, t]),
            K::Copy(d, s) => self.call("copy", &[d, s]),
            K::Delete(m, k) => self.call("delete", &[m, k]),
            K::Clear(x) => self.call("clear", &[x]),
            K::Tuple(es) => format!("({})", self.list(es)),
            K::Min(es) => format!("min({})", self.list(es)),
            K::Max(es) => format!("max({})", self.list(es)),
            K::New(place, init) => {
                let word = format!("new {place:?} {ty}");
                self.optional(&word, [init.as_deref(), None, None])
            }
            K::MakeSlice(place, len, cap) => {
                let word = format!("make {place:?} {ty}");
                self.optional(&word, [Some(len), cap.as_deref(), None])
            }
            K::MakeMap(place, hint) => {
                let word = format!("make {place:?} {ty}");
                self.optional(&word, [hint.as_deref(), None, None])
            }
            K::MakeChan(size) => {
                self.optional(&format!("make {ty}"), [size.as_deref(), None, None])
            }
            K::Persist(x) => self.call("persist", &[x]),
            K::Complex(r, i) => self.call("complex", &[r, i]),
            K::Real(x) => self.call("real", &[x]),
            K::Imag(x) => self.call("imag", &[x]),
            K::Panic(x) => self.call("panic", &[x]),
            K::Recover => "recover()".into(),
            K::Print(es, line) => {
                let word = if *line { "println" } else { "print" };
                format!("{word}({})", self.list(es))
            }
            K::Close(x) => self.call("close", &[x]),
            K::Recv(x, ok) => self.call(if *ok { "recv_ok" } else { "recv" }, &[x]),
            K::PmemRoot(x) => self.call(&format!("root {ty}"), &[x]),
            K::Raw(p, n) => self.call(&format!("raw {ty}"), &[p, n]),
            K::Data(x) => self.call("data", &[x]),
            K::PmemLookup(x) => self.call(&format!("lookup {ty}"), &[x]),
        }
    }
}
