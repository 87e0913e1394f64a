//! Code for bodies built by hand: what it looks like, and that it verifies.
use super::{State, generate};
use crate::bytecode::{disasm, verify};
use crate::diagnostic::Diagnostics;
use crate::source::{SourceMap, Span};
use crate::syntax::symbol::{Interner, Symbol};
use crate::tir::*;
use crate::types::print::Names;
use crate::types::ty::*;
use std::rc::Rc;

struct Mock {
    types: Types,
    interner: Interner,
    funcs: Vec<(FuncDecl, Rc<Body>)>,
    globals: Vec<Global>,
}

impl Names for Mock {
    fn symbol(&self, s: Symbol) -> &str {
        self.interner.resolve(s)
    }
    fn package_name(&self, _: PkgId) -> &str {
        "main"
    }
    fn package_path(&self, _: PkgId) -> &str {
        "main"
    }
}

impl Bodies for Mock {
    fn decl(&self, f: FuncId) -> &FuncDecl {
        &self.funcs[f.0 as usize].0
    }
    fn body(&mut self, f: FuncId) -> Rc<Body> {
        self.funcs[f.0 as usize].1.clone()
    }
    fn globals(&self) -> &[Global] {
        &self.globals
    }
    fn types(&mut self) -> &mut Types {
        &mut self.types
    }
    fn types_ref(&self) -> &Types {
        &self.types
    }
    fn names(&self) -> &dyn Names {
        self
    }
    fn name(&self, s: Symbol) -> &str {
        self.interner.resolve(s)
    }
    fn package_path(&self, _: PkgId) -> &str {
        "main"
    }
    fn is_library(&self, _: FuncId) -> bool {
        false
    }
    fn method_set(&mut self, _: Ty) -> Rc<Vec<MethodSetEntry>> {
        Rc::new(Vec::new())
    }
    fn interface_wrapper(&mut self, _: Ty, _: &IMethod) -> WrapperFunc {
        unreachable!("no type has methods")
    }
}

const INT: Ty = Basic::Int.ty();
const BOOL: Ty = Basic::Bool.ty();

fn expr(ty: Ty, kind: ExprKind) -> Expr {
    let span = Span::default();
    Expr { ty, span, kind }
}
fn local(ty: Ty, l: u32) -> Expr {
    expr(ty, ExprKind::Local(LocalId(l)))
}
fn int(n: i64) -> Expr {
    expr(INT, ExprKind::Const(Const::Int(n)))
}
fn binary(op: BinOp, a: Expr, b: Expr) -> Expr {
    expr(INT, ExprKind::Binary(op, Box::new(a), Box::new(b)))
}
fn less(a: Expr, b: Expr) -> Expr {
    expr(BOOL, ExprKind::Compare(CmpOp::Lt, Box::new(a), Box::new(b)))
}
fn call(f: u32, ty: Ty, args: Vec<Expr>) -> Expr {
    let callee = Callee::Static(FuncRef {
        func: FuncId(f),
        targs: Vec::new(),
    });
    expr(ty, ExprKind::Call(callee, args))
}
fn deref(ty: Ty, p: Expr) -> Expr {
    expr(ty, ExprKind::Deref(Box::new(p)))
}
fn field(ty: Ty, s: Expr, i: u32) -> Expr {
    expr(ty, ExprKind::Field(Box::new(s), i))
}
fn stmt(kind: StmtKind) -> Stmt {
    let span = Span::default();
    Stmt { span, kind }
}

impl Mock {
    fn new() -> Mock {
        Mock {
            types: Types::default(),
            interner: Interner::new(),
            funcs: Vec::new(),
            globals: Vec::new(),
        }
    }

    /// A function: its parameters come first among the locals, then the results.
    fn func(&mut self, name: &str, params: &[Ty], results: &[Ty], rest: &[Ty], stmts: Vec<Stmt>) {
        let span = Span::default();
        let all: Vec<Ty> = [params, results, rest].concat();
        let ids = |from: usize, n: usize| (from..from + n).map(|i| LocalId(i as u32)).collect();
        let locals = all.iter().enumerate().map(|(i, ty)| Local {
            name: format!("v{i}"),
            ty: *ty,
            boxed: false,
        });
        let body = Body {
            name: name.into(),
            params: ids(0, params.len()),
            results: ids(params.len(), results.len()),
            locals: locals.collect(),
            captures: Vec::new(),
            stmts,
            labels: 4,
            span,
            end: span,
            has_defer: false,
            wrapper: false,
            value_method: false,
        };
        let decl = FuncDecl {
            name: name.into(),
            pkg: PkgId(0),
            span,
            params: params.to_vec(),
            results: results.to_vec(),
            type_params: Vec::new(),
            kind: FuncKind::Body,
        };
        self.funcs.push((decl, Rc::new(body)));
    }

    /// `type Node struct { val int; next *Node }`: the struct and its pointer.
    fn node(&mut self) -> (Ty, Ty) {
        let name = self.interner.get("Node");
        let (id, node) = self.types.declare_named(name, Some(PkgId(0)), 0);
        let pointer = self.types.pointer(node);
        let mut field = |name: &str, ty| Field {
            name: self.interner.get(name),
            pkg: Some(PkgId(0)),
            ty,
            embedded: false,
            tag: None,
        };
        let fields = vec![field("val", INT), field("next", pointer)];
        let s = self
            .types
            .intern(TyKind::Struct(Rc::new(StructType { fields })));
        self.types.set_underlying(id, s);
        (node, pointer)
    }

    /// The disassembly from the entry, and the messages.
    fn compile(&mut self, entry: u32) -> (String, Vec<String>) {
        let mut sources = SourceMap::new();
        sources.add("a.pgo", "");
        let mut st = State::default();
        st.program.sources = sources;
        let mut diagnostics = Diagnostics::new();
        generate(self, &mut st, &mut diagnostics, FuncId(entry));
        if st.program.sources.files().next().is_none() {
            st.program.sources.add("a.pgo", "");
        }
        let messages: Vec<String> = diagnostics.iter().map(|d| d.message.clone()).collect();
        if messages.is_empty() {
            verify::verify(&st.program).expect("the code is good");
        }
        let text = disasm::program(&st.program, true);
        (text, messages)
    }
}

/// The code of one function, without header and source lines.
fn code(text: &str, header: &str) -> Vec<String> {
    text.lines()
        .skip_while(|l| !l.starts_with(&format!("func {header}  ")))
        .skip(1)
        .take_while(|l| !l.is_empty())
        .filter(|l| !l.starts_with("  ;"))
        .map(|l| {
            let words: Vec<&str> = l.split_whitespace().skip(1).collect();
            words.join(" ")
        })
        .collect()
}

#[test]
fn fib_is_tight() {
    let mut m = Mock::new();
    let n = || local(INT, 0);
    let sub = |k| call(0, INT, vec![binary(BinOp::Sub, n(), int(k))]);
    let stmts = vec![
        stmt(StmtKind::If(
            less(n(), int(2)),
            vec![stmt(StmtKind::Return(vec![n()]))],
            vec![],
        )),
        stmt(StmtKind::Return(vec![binary(BinOp::Add, sub(1), sub(2))])),
    ];
    m.func("main.fib", &[INT], &[INT], &[], stmts);
    let (text, _) = m.compile(0);
    assert_eq!(
        code(&text, "main.fib"),
        [
            "jgei r1, #2, ->3",
            "mov r0, r1",
            "ret",
            "addi r5, r1, #-1",
            "call r4, main.fib",
            "addi r8, r1, #-2",
            "call r7, main.fib",
            "add r0, r4, r7",
            "ret",
        ]
    );
}

#[test]
fn counting_loops_end_in_one_instruction() {
    let mut m = Mock::new();
    let (i, n, t) = (|| local(INT, 2), || local(INT, 0), || local(INT, 1));
    let body = vec![stmt(StmtKind::OpAssign(BinOp::Add, t(), i()))];
    let step = vec![stmt(StmtKind::OpAssign(BinOp::Add, i(), int(1)))];
    let stmts = vec![
        stmt(StmtKind::Let(vec![LocalId(2)], Some(int(0)))),
        stmt(StmtKind::For(For {
            label: LabelId(0),
            cond: Some(less(i(), n())),
            post: step,
            body,
            per_iteration: vec![LocalId(2)],
        })),
        stmt(StmtKind::Return(vec![t()])),
    ];
    m.func("main.sum", &[INT], &[INT], &[INT], stmts);
    let (text, _) = m.compile(0);
    assert_eq!(
        code(&text, "main.sum"),
        [
            "ldi r0, #0",
            "ldi r2, #0",
            "jle r1, r2, ->5",
            "add r0, r0, r2",
            "incjlt r2, r1, ->3",
            "ret",
        ]
    );
}

/// set(n *Node, v int) { n.val = v }, called with both heaps, in a transaction and out of it.
#[test]
fn stores_by_class() {
    let mut m = Mock::new();
    let (node, pointer) = m.node();
    let place = field(INT, deref(node, local(pointer, 0)), 0);
    let store = stmt(StmtKind::Assign(place, local(INT, 1)));
    m.func("main.set", &[pointer, INT], &[], &[], vec![store]);
    let new = |p| expr(pointer, ExprKind::New(p, None));
    let unit = m.types.tuple(&[]);
    let set = |l| {
        stmt(StmtKind::Expr(call(
            0,
            unit,
            vec![local(pointer, l), int(1)],
        )))
    };
    let stmts = vec![
        stmt(StmtKind::Let(
            vec![LocalId(0)],
            Some(new(Place::Persistent)),
        )),
        stmt(StmtKind::Let(vec![LocalId(1)], Some(new(Place::Volatile)))),
        set(0),
        set(1),
        stmt(StmtKind::Txn(TxnOptions::default(), vec![set(0), set(1)])),
    ];
    m.func("main.main", &[], &[], &[pointer, pointer], stmts);
    let (text, messages) = m.compile(1);
    assert_eq!(messages, [""; 0]);
    let get = |header| code(&text, header);
    assert_eq!(get("main.set"), ["st64 r0, r1, #0", "ret"]);
    assert_eq!(get("main.set txn"), ["st64 r0, r1, #0", "ret"]);
    assert_eq!(
        get("main.set (v0 persistent)"),
        ["st64.g r0, r1, #0", "ret"]
    );
    let logged = ["log r0, #0, #8", "st64 r0, r1, #0", "ret"];
    assert_eq!(get("main.set (v0 persistent) txn"), logged);
}

#[test]
fn volatile_in_persistent_is_an_error() {
    let mut m = Mock::new();
    let (node, pointer) = m.node();
    let new = |p| expr(pointer, ExprKind::New(p, None));
    let place = field(pointer, deref(node, local(pointer, 0)), 1);
    let stmts = vec![
        stmt(StmtKind::Let(
            vec![LocalId(0)],
            Some(new(Place::Persistent)),
        )),
        stmt(StmtKind::Assign(place, new(Place::Volatile))),
    ];
    m.func("main.main", &[], &[], &[pointer], stmts);
    let (_, messages) = m.compile(0);
    let want = "cannot store a volatile pointer in persistent memory: field next of main.Node";
    assert_eq!(messages, [want]);
}

/// a, b = b, a+b
#[test]
fn parallel_assignment_reads_first() {
    let mut m = Mock::new();
    let (a, b) = (|| local(INT, 0), || local(INT, 1));
    let list = vec![(Some(a()), b()), (Some(b()), binary(BinOp::Add, a(), b()))];
    m.func(
        "main.f",
        &[INT, INT],
        &[],
        &[],
        vec![stmt(StmtKind::AssignMany(list))],
    );
    let (text, _) = m.compile(0);
    let want = ["add r2, r0, r1", "mov r0, r1", "mov r1, r2", "ret"];
    assert_eq!(code(&text, "main.f"), want);
}
