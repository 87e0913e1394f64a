//! Tests of the whole front end: tokens, the shape of trees, contextual words, error wording.

use super::ast::*;
use super::parser::{is_incomplete, parse_file};
use super::semicolons::lex;
use super::symbol::Interner;
use super::token::{Semicolon, Token};
use crate::codes::Code;
use crate::diagnostic::Diagnostics;
use crate::source::{FileId, SourceMap};

struct Outcome {
    file: File,
    /// `line: message`.
    errors: Vec<String>,
    codes: Vec<Code>,
}

fn parse(text: &str) -> Outcome {
    let mut sources = SourceMap::new();
    let file = sources.add("t.pgo", text);
    let (mut interner, mut diags) = (Interner::new(), Diagnostics::new());
    let file = parse_file(&sources, file, &mut interner, &mut diags);
    let sorted = diags.into_sorted(&sources);
    let line = |d: &crate::diagnostic::Diagnostic| {
        format!("{}: {}", sources.line(d.primary.span), d.message)
    };
    Outcome {
        file,
        errors: sorted.iter().map(line).collect(),
        codes: sorted.iter().map(|d| d.code).collect(),
    }
}

/// The single statement of a script, which has no errors.
fn stmt(text: &str) -> StmtKind {
    let mut outcome = parse(text);
    assert!(outcome.errors.is_empty(), "{text}: {:?}", outcome.errors);
    assert_eq!(outcome.file.stmts.len(), 1, "{text}");
    outcome.file.stmts.pop().unwrap().kind
}

/// An expression written out with every operation in parentheses.
fn shape(text: &str) -> String {
    let StmtKind::Assign { mut right, .. } = stmt(&format!("_ = {text}")) else {
        panic!("{text}: no assignment");
    };
    show(&right.pop().unwrap())
}

fn show(x: &Expr) -> String {
    match &x.kind {
        ExprKind::Ident(_) | ExprKind::Literal(_) => "x".to_owned(),
        ExprKind::Binary(b) => format!("({}{}{})", show(&b.left), b.op.text(), show(&b.right)),
        ExprKind::Unary { op, operand } => format!("({}{})", op.text(), show(operand)),
        ExprKind::Star(x) => format!("(*{})", show(x)),
        ExprKind::Paren(x) => format!("[{}]", show(x)),
        ExprKind::Call(c) => {
            let args: Vec<_> = c.args.iter().map(show).collect();
            format!("{}({})", show(&c.callee), args.join(","))
        }
        ExprKind::Index { operand, args } => {
            let args: Vec<_> = args.iter().map(show).collect();
            format!("{}[{}]", show(operand), args.join(","))
        }
        ExprKind::Selector { operand, .. } => format!("{}.s", show(operand)),
        ExprKind::ChanType { dir, elem } => format!("{dir:?}({})", show(elem)),
        ExprKind::SliceType(elem) => format!("slice({})", show(elem)),
        ExprKind::ArrayType { elem, .. } => format!("array({})", show(elem)),
        ExprKind::MapType { value, .. } => format!("map({})", show(value)),
        ExprKind::FuncType(f) => format!("func/{}/{}", f.params.len(), f.results.len()),
        ExprKind::FuncLit(f) => format!("funclit/{}/{}", f.ty.params.len(), f.ty.results.len()),
        ExprKind::Composite(c) => {
            let ty = c.ty.as_ref().map(show).unwrap_or_default();
            let elements: Vec<_> = c.elements.iter().map(show).collect();
            format!("{ty}{{{}}}", elements.join(","))
        }
        ExprKind::KeyValue { key, value } => format!("{}:{}", show(key), show(value)),
        other => format!("{other:?}")
            .split([' ', '('])
            .next()
            .unwrap()
            .to_owned(),
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let (mut interner, mut diags) = (Interner::new(), Diagnostics::new());
    let lexed = lex(FileId(0), text, &[], &mut interner, &mut diags);
    lexed.tokens.iter().map(|t| t.token).collect()
}

#[test]
fn semicolons_follow_what_ends_a_statement() {
    let semis = |text: &str| {
        let all = tokens(text);
        let newline = Token::Semi(Semicolon::Newline);
        all.iter().filter(|t| **t == newline).count()
    };
    for ended in [
        "x", "1", "1.5", "2i", "'a'", "\"s\"", "`s`", "break", "continue", "return",
    ] {
        assert_eq!(semis(&format!("{ended}\n\n")), 1, "{ended}");
    }
    for ended in ["fallthrough", "x++", "x--", "f()", "a[0]", "{}"] {
        assert_eq!(semis(&format!("{ended} // c\n")), 1, "{ended}");
    }
    for open in [
        "x +", "(", "[", "{", ",", "if", "x.", "=", "func", "else", ";",
    ] {
        assert_eq!(semis(&format!("{open}\n")), 0, "{open}");
    }
    assert_eq!(semis("x /* a */ y"), 0);
    assert_eq!(semis("x /* a\n */ + y"), 1);
    assert_eq!(tokens("").len(), 1);
    assert_eq!(tokens("x").last(), Some(&Token::Semi(Semicolon::EndOfFile)));
}

#[test]
fn shebang_and_byte_order_mark_are_skipped() {
    assert!(parse("#!/usr/bin/env pgo\nx()\n").errors.is_empty());
    assert!(parse("\u{feff}x()\n").errors.is_empty());
    assert!(parse("\u{feff}#!pgo").errors.is_empty());
    assert_eq!(
        parse("x()\u{feff}\n").errors,
        ["1: invalid BOM in the middle of the file"]
    );
}

#[test]
fn names_may_be_any_letters() {
    assert!(
        parse("größe := 1; 世界 := größe; _a1 := é; breaké := 1\n")
            .errors
            .is_empty()
    );
    assert_eq!(
        parse("a· := 1\n").errors,
        ["1: invalid character U+00B7 '·' in identifier"]
    );
    assert_eq!(
        parse("x := ٣\n").errors,
        ["1: identifier cannot begin with digit U+0663 '٣'"]
    );
}

#[test]
fn numbers() {
    for ok in [
        "0",
        "1_000",
        "0x_1F",
        "0X1f",
        "0b101",
        "0o17",
        "017",
        "0_7",
        "1.",
        ".5",
        "1.5e-3",
        "1e9",
        "0x1p-2",
        "0x1.8P1",
        "0x.8p0",
        "09.5",
        "08i",
        "1i",
        "0x1p1i",
        "1_0.2_5e1_0",
        "09e1",
    ] {
        assert!(parse(&format!("x = {ok}\n")).errors.is_empty(), "{ok}");
    }
    for (text, message) in [
        ("0x", "hexadecimal literal has no digits"),
        ("0b", "binary literal has no digits"),
        ("08", "invalid digit '8' in octal literal"),
        ("0b12", "invalid digit '2' in binary literal"),
        ("0o8", "invalid digit '8' in octal literal"),
        ("1__0", "'_' must separate successive digits"),
        ("1_", "'_' must separate successive digits"),
        ("0_x1", "'_' must separate successive digits"),
        ("1e", "exponent has no digits"),
        ("0x1.8", "hexadecimal mantissa requires a 'p' exponent"),
        ("1p3", "'p' exponent requires hexadecimal mantissa"),
        ("0b1e3", "'e' exponent requires decimal mantissa"),
        ("0b1.0", "invalid radix point in binary literal"),
    ] {
        let errors = parse(&format!("x = {text}\n")).errors;
        let first = errors.first().cloned().unwrap_or_default();
        assert!(first.ends_with(message), "{text}: {errors:?}");
    }
}

#[test]
fn lexical_errors_have_go_wording() {
    for (text, error) in [
        ("x = \"abc\n", "1: newline in string"),
        ("x = \"abc", "1: string not terminated"),
        ("y()\nx = `abc\n\n", "2: string not terminated"),
        ("x = 'ab'\n", "1: more than one character in rune literal"),
        ("x = ''\n", "1: empty rune literal or unescaped '"),
        ("x = 'a\n", "1: newline in rune literal"),
        ("x = 'a", "1: rune literal not terminated"),
        ("x = \"\\q\"\n", "1: unknown escape"),
        ("x = '\\\"'\n", "1: unknown escape"),
        ("x = '\\400'\n", "1: octal escape value 256 > 255"),
        (
            "x = '\\xg'\n",
            "1: invalid character 'g' in hexadecimal escape",
        ),
        (
            "x = '\\ud800'\n",
            "1: escape is invalid Unicode code point U+D800",
        ),
        (
            "x = \"\\U00110000\"\n",
            "1: escape is invalid Unicode code point U+110000",
        ),
        ("x()\n/* abc\n", "2: comment not terminated"),
        ("x = 1 @\n", "1: invalid character U+0040 '@'"),
        ("x = 1 // \0\n", "1: invalid NUL character"),
        ("x = 1 #\n", "1: invalid character U+0023 '#'"),
    ] {
        assert_eq!(parse(text).errors, [error], "{text}");
    }
    assert!(
        parse("x = '\\''; x = '\\x41'; x = '\\U0001F600'; x = \"\\\"\"\n")
            .errors
            .is_empty()
    );
}

#[test]
fn invalid_utf8_is_an_error_with_its_place() {
    let mut sources = SourceMap::new();
    let file = sources.add("t.pgo", b"x()\n// \xff\n".to_vec());
    let (mut interner, mut diags) = (Interner::new(), Diagnostics::new());
    parse_file(&sources, file, &mut interner, &mut diags);
    let all: Vec<_> = diags
        .iter()
        .map(|d| (d.primary.span.lo, d.message.as_str()))
        .collect();
    assert_eq!(all, [(7, "invalid UTF-8 encoding")]);
}

#[test]
fn precedence_and_association() {
    for (text, expected) in [
        ("a + b * c", "(x+(x*x))"),
        ("a * b + c", "((x*x)+x)"),
        ("a - b - c", "((x-x)-x)"),
        ("a || b && c == d + e << f", "(x||(x&&(x==(x+(x<<x)))))"),
        ("a << f + e == d && c || b", "(((((x<<x)+x)==x)&&x)||x)"),
        ("a * b + c * d == e || f", "((((x*x)+(x*x))==x)||x)"),
        ("-a * !b", "((-x)*(!x))"),
        ("*p.q[1] &^ ^c", "((*x.s[x])&^(^x))"),
        ("<-c + <-d", "((<-x)+(<-x))"),
        ("(a + b) * c", "([(x+x)]*x)"),
        ("&x{1}", "(&x{x})"),
    ] {
        assert_eq!(shape(text), expected, "{text}");
    }
}

#[test]
fn types_in_expressions() {
    for (text, expected) in [
        ("[]int{1, 2}", "slice(x){x,x}"),
        ("[...]string{0: a, b}", "array(x){x:x,x}"),
        ("[2][]T{{1}, {}}", "array(slice(x)){{x},{}}"),
        ("map[string]pkg.T{a: {b}}", "map(x.s){x:{x}}"),
        ("[]func(){f}", "slice(func/0/0){x}"),
        ("make(chan<- chan int, 1)", "x(Send(Both(x)),x)"),
        ("make(<-chan int)", "x(Receive(x))"),
        ("make(<-chan<- chan int)", "x(Receive(Receive(x)))"),
        ("new(*[]int)", "x((*slice(x)))"),
        ("new(func(int) string)", "x(func/1/1)"),
        ("(*T)(p)", "[(*x)](x)"),
        ("[]byte(s)", "slice(x)(x)"),
        ("(<-chan int)(c)", "[Receive(x)](x)"),
        ("<-chan int(c)", "(<-Both(x)(x))"),
        (
            "func(a, b int) (c int) { return a }(1, 2)",
            "funclit/1/1(x,x)",
        ),
        ("func() func() { return nil }", "funclit/0/1"),
        ("F[int, []string](x)", "x[x,slice(x)](x)"),
        ("Pair[K, V]{k, v}", "x[x,x]{x,x}"),
        ("struct{}{}", "StructType{}"),
        ("interface{}(x)", "InterfaceType(x)"),
        ("interface{ M() }.M", "InterfaceType.s"),
    ] {
        assert_eq!(shape(text), expected, "{text}");
    }
}

#[test]
fn every_statement() {
    use StmtKind as S;
    type Test = fn(&StmtKind) -> bool;
    let matching: [(&str, Test); 42] = [
        ("f(x...)", |s| matches!(s, S::Expr(_))),
        ("c <- v", |s| matches!(s, S::Send { .. })),
        ("x++", |s| {
            matches!(
                s,
                S::IncDec {
                    increment: true,
                    ..
                }
            )
        }),
        ("p.x[1]--", |s| {
            matches!(
                s,
                S::IncDec {
                    increment: false,
                    ..
                }
            )
        }),
        (
            "a, b = b, a",
            |s| matches!(s, S::Assign { left, .. } if left.len() == 2),
        ),
        (
            "a, b := f()",
            |s| matches!(s, S::Define { names, .. } if names.len() == 2),
        ),
        ("a &^= 2", |s| {
            matches!(
                s,
                S::OpAssign {
                    op: BinaryOp::AndNot,
                    ..
                }
            )
        }),
        ("go f()", |s| matches!(s, S::Go(_))),
        ("defer func() {}()", |s| matches!(s, S::Defer(_))),
        ("return", |s| matches!(s, S::Return(v) if v.is_empty())),
        ("return 1, 2", |s| matches!(s, S::Return(v) if v.len() == 2)),
        ("break L", |s| matches!(s, S::Break(Some(_)))),
        ("continue", |s| matches!(s, S::Continue(None))),
        ("goto L", |s| matches!(s, S::Goto(_))),
        ("fallthrough", |s| matches!(s, S::Fallthrough)),
        ("L: for {}", |s| matches!(s, S::Labeled { .. })),
        (
            "{ a(); { } }",
            |s| matches!(s, S::Block(b) if b.stmts.len() == 2),
        ),
        ("if x {}", |s| matches!(s, S::If(i) if i.init.is_none())),
        (
            "if x := f(); x {} else if y {} else {}",
            |s| matches!(s, S::If(i) if i.otherwise.is_some()),
        ),
        ("if x == (T{1}) {}", |s| matches!(s, S::If(_))),
        ("if f(T{1}) {}", |s| matches!(s, S::If(_))),
        (
            "switch {}",
            |s| matches!(s, S::Switch(w) if w.tag.is_none()),
        ),
        (
            "switch x := f(); x {\ncase 1, 2: a()\ndefault:\n}",
            |s| matches!(s, S::Switch(w) if w.cases.len() == 2),
        ),
        (
            "switch x.(type) {\ncase nil, []int, *T, func(): }",
            |s| matches!(s, S::TypeSwitch(w) if w.cases[0].exprs.len() == 4 && w.binding.is_none()),
        ),
        (
            "switch a(); x := y.(type) {}",
            |s| matches!(s, S::TypeSwitch(w) if w.binding.is_some()),
        ),
        (
            "select {\ncase x := <-c:\ncase c <- 1:\ncase a[0], ok = <-c:\ndefault: }",
            |s| matches!(s, S::Select(w) if w.cases.len() == 4 && w.cases[3].comm.is_none()),
        ),
        ("for {}", |s| matches!(s, S::For(f) if f.cond.is_none())),
        (
            "for x < 3 {}",
            |s| matches!(s, S::For(f) if f.cond.is_some()),
        ),
        (
            "for i := 0; i < 3; i++ {}",
            |s| matches!(s, S::For(f) if f.init.is_some() && f.post.is_some()),
        ),
        ("for ;; {}", |s| matches!(s, S::For(f) if f.cond.is_none())),
        (
            "for range 10 {}",
            |s| matches!(s, S::Range(r) if r.vars.is_empty()),
        ),
        (
            "for i := range x {}",
            |s| matches!(s, S::Range(r) if r.define && r.vars.len() == 1),
        ),
        (
            "for a[0], b.c = range m {}",
            |s| matches!(s, S::Range(r) if !r.define),
        ),
        ("for _, x := range []int{1, 2} {}", |s| {
            matches!(s, S::Range(_))
        }),
        ("const (\nA = iota\nB\n)", |s| matches!(s, S::Decl(_))),
        ("var x, y int = 1, 2", |s| matches!(s, S::Decl(_))),
        (
            "pvar runs int",
            |s| matches!(s, S::Decl(d) if matches!(d.kind, DeclKind::Pvar(_))),
        ),
        (
            "pvar m = pmake(map[string]int)",
            |s| matches!(s, S::Decl(d) if matches!(d.kind, DeclKind::Pvar(_))),
        ),
        (
            "txn <> { x++ }",
            |s| matches!(s, S::Txn(t) if t.options.is_empty()),
        ),
        (
            "txn <sync, undo> {}",
            |s| matches!(s, S::Txn(t) if t.options.len() == 2),
        ),
        ("txn() {}", |s| matches!(s, S::Txn(_))),
        (
            "txn(\"undo\") {}",
            |s| matches!(s, S::Txn(t) if t.options[0].quoted),
        ),
    ];
    for (text, test) in matching {
        let text = if text.starts_with("const") {
            format!("{{ {text} }}")
        } else {
            text.to_owned()
        };
        let kind = match stmt(&text) {
            StmtKind::Block(mut b) if text.contains("const") => b.stmts.remove(0).kind,
            kind => kind,
        };
        assert!(test(&kind), "{text}: {kind:?}");
    }
}

#[test]
fn declarations() {
    let text = "package p
import \"fmt\"
import ( . \"a\"; _ \"b\"; c \"d/e\" )
func f(a, b int, c ...string) (x, y error) { return }
func g(int, []T, m.T[int], func(), ...any)
func (r *T[K]) m() []int { return nil }
func h[K comparable, V int | ~string](m map[K]V) {}
const A, B = iota, 1
const ( C T = iota; D )
var x, y = 1, 2
var z [n]int
type A1 = B
type ( S struct { a, b int `t`; *E; p.F; G[int]; arr [2]int; sl []int; f func() }; I interface { M(int) string; ~int | E; p.Q } )
type L[T any] struct { next *L[T] }
type M[K, V any] map[K]V
type N[P *C, Q any] []P
type O[P []int, Q interface{ m() }] struct {}
type R [n * 2]int
type U[P ~int | string] []P
pvar root = pnew(T)
";
    let outcome = parse(text);
    assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
    assert_eq!(outcome.file.form, Form::Program);
    assert_eq!(outcome.file.imports.len(), 4);
    assert_eq!(outcome.file.decls.len(), 17);
    let specs: Vec<&TypeSpec> = (outcome.file.decls.iter())
        .filter_map(|d| match &d.kind {
            DeclKind::Type(specs) => Some(specs),
            _ => None,
        })
        .flatten()
        .collect();
    let params: Vec<_> = specs
        .iter()
        .map(|s| s.type_params.iter().map(|p| p.names.len()).sum::<usize>())
        .collect();
    assert_eq!(params, [0, 0, 0, 1, 2, 2, 2, 0, 1]);
    let DeclKind::Func(f) = &outcome.file.decls[0].kind else {
        panic!()
    };
    assert_eq!(
        f.ty.params
            .iter()
            .map(|p| p.names.len())
            .collect::<Vec<_>>(),
        [2, 1]
    );
    let DeclKind::Func(g) = &outcome.file.decls[1].kind else {
        panic!()
    };
    assert_eq!(g.ty.params.len(), 5);
    assert!(g.body.is_none() && g.ty.params.iter().all(|p| p.names.is_empty()));
}

#[test]
fn scripts_keep_the_order_of_statements() {
    let outcome = parse(
        "x := 1\nfunc f() {}\nvar y = 2\ntype T int\nfunc (T) m() {}\nfunc() {}()\nimport \"a\"\nf()\n",
    );
    assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
    assert_eq!(outcome.file.form, Form::Script);
    assert_eq!(outcome.file.stmts.len(), 4);
    assert_eq!(outcome.file.decls.len(), 3);
    assert_eq!(outcome.file.imports.len(), 1);
}

#[test]
fn contextual_words_break_no_go_program() {
    for text in [
        "txn := 1; txn++; txn(1); txn = txn + txn(txn)\n",
        "pvar := 1; pvar(pvar); pvar.x = pvar[0]\n",
        "if x := f(); txn() { }\n",
        "if txn() { }\n",
        "for i := txn(); txn(); { }\n",
        "switch txn(\"a\") { }\n",
        "x := txn < a\n",
        "func txn() {}\n",
        "type txn struct { pvar int; txn string }\n",
        "var pnew, pmake, persist = 1, 2, 3\n",
    ] {
        let outcome = parse(text);
        assert!(outcome.errors.is_empty(), "{text}: {:?}", outcome.errors);
        let txn = outcome
            .file
            .stmts
            .iter()
            .any(|s| matches!(s.kind, StmtKind::Txn(_)));
        assert!(!txn, "{text}");
    }
    let nested = parse("func f() {\n\tpvar x int\n}\n");
    assert_eq!(nested.codes, [Code::NestedPvar]);
}

#[test]
fn syntax_errors_have_go_wording() {
    let mut wrong = Vec::new();
    for (text, error) in [
        (
            "x := := 1",
            "1: syntax error: unexpected :=, expected expression",
        ),
        (
            "x = f(1 2)",
            "1: syntax error: unexpected literal 2 in argument list; possibly missing comma or )",
        ),
        (
            "x = f(1,\n2\n)",
            "2: syntax error: unexpected newline in argument list; possibly missing comma or )",
        ),
        (
            "x = []int{1\n}",
            "1: syntax error: unexpected newline in composite literal; possibly missing comma or }",
        ),
        (
            "func f() { x 1; y() }",
            "1: syntax error: unexpected literal 1 at end of statement",
        ),
        (
            "x = 1 2",
            "1: syntax error: unexpected literal 2 at end of statement",
        ),
        (
            "if x\n{\n}",
            "1: syntax error: unexpected newline, expected { after if clause",
        ),
        (
            "if {\n}",
            "1: syntax error: missing condition in if statement",
        ),
        (
            "if x = 1 {\n}",
            "1: syntax error: cannot use assignment x = 1 as value",
        ),
        (
            "if x := 1 {\n}",
            "1: syntax error: cannot use x := 1 as value",
        ),
        (
            "if x {} else y()",
            "1: syntax error: else must be followed by if or statement block",
        ),
        (
            "for i := 0; {\n}",
            "1: syntax error: unexpected {, expected for loop condition",
        ),
        (
            "for i := 0; i < 3 {\n}",
            "1: syntax error: unexpected {, expected semicolon or newline",
        ),
        ("var x", "1: syntax error: unexpected EOF, expected type"),
        (
            "func f(a, b int, string) {}",
            "1: syntax error: mixed named and unnamed parameters",
        ),
        (
            "func f(a 1) {}",
            "1: syntax error: unexpected literal 1 in parameter list; possibly missing comma or )",
        ),
        (
            "func f() {\n\tx(\n}",
            "3: syntax error: unexpected }, expected expression",
        ),
        ("func f() {", "1: syntax error: unexpected EOF, expected }"),
        ("func () {", "1: syntax error: unexpected EOF, expected }"),
        (
            "package p\nx := 1\n",
            "2: syntax error: non-declaration statement outside function body",
        ),
        (
            "package p\nfunc f()\n{\n}\n",
            "3: syntax error: unexpected semicolon or newline before {",
        ),
        (
            "package p\nfunc f() {} var x int\n",
            "2: syntax error: unexpected keyword var after top level declaration",
        ),
        (
            "package p\nvar x int\nimport \"a\"\n",
            "3: syntax error: imports must appear before other declarations",
        ),
        ("import 42", "1: syntax error: import path must be a string"),
        (
            "defer (f())",
            "1: expression in defer must not be parenthesized",
        ),
        ("a.b := 1", "1: non-name a.b on left side of :="),
        ("x = a[1::3]", "1: middle index required in 3-index slice"),
        ("x = a[1:2:]", "1: final index required in 3-index slice"),
        (
            "var c chan",
            "1: syntax error: missing channel element type",
        ),
        (
            "switch x {\nfoo()\n}",
            "2: syntax error: unexpected name foo, expected case or default or }",
        ),
    ] {
        let errors = parse(text).errors;
        if errors != [error] {
            wrong.push(format!("{text}\n  got  {errors:?}\n  want {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn several_errors_are_found_in_one_run() {
    let text = "package p
func f() {
	x := 1 2
	if a b { y() }
	for {
		z z
	}
}
func g() { ) }
var ok int
";
    let lines: Vec<_> = parse(text)
        .errors
        .iter()
        .map(|e| e.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(lines, ["3", "4", "6", "9"]);
}

#[test]
fn the_repl_knows_when_to_ask_for_more() {
    for more in [
        "func f() {",
        "x := ",
        "f(1,",
        "/* a",
        "x := `a",
        "if x {\n\ty()\n",
        "a +",
        "type T struct {",
    ] {
        assert!(is_incomplete(more), "{more}");
    }
    for complete in [
        "x := 1",
        "f(",
        "func f() {}",
        "x := := 1",
        "x := \"a",
        "}",
        "",
    ] {
        assert_eq!(is_incomplete(complete), complete == "f(", "{complete}");
    }
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    let deep = std::thread::Builder::new().stack_size(1 << 28).spawn(|| {
        let nested = |n: usize| format!("x = {}1{}\n", "(".repeat(n), ")".repeat(n));
        assert!(parse(&nested(10_000)).errors.is_empty());
        assert_eq!(parse(&nested(100_000)).codes, [Code::TooDeep]);
        let chain = format!("x = 1{}\n", " + 1".repeat(100_000));
        assert!(parse(&chain).codes.contains(&Code::TooDeep));
        let blocks = format!("{}{}\n", "{".repeat(50_000), "}".repeat(50_000));
        assert!(parse(&blocks).codes.contains(&Code::TooDeep));
        assert!(!parse(&"(".repeat(100_000)).errors.is_empty());
    });
    deep.unwrap().join().unwrap();
}

#[test]
fn every_syntax_code_has_an_example_that_reports_it() {
    let untestable = [Code::TooDeep, Code::FileTooLarge];
    for &code in Code::ALL
        .iter()
        .filter(|c| c.number() < "E0100" && !untestable.contains(c))
    {
        let codes = parse(code.example()).codes;
        assert!(codes.contains(&code), "{code:?}: {codes:?}");
    }
}
