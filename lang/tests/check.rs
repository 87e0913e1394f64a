//! What the type checker reports: every code's example reports that code, and messages have Go's
//! words and places.
use lang::codes::Code;
use lang::package::{PackageFiles, PackageSource};

struct NoPackages;

impl PackageSource for NoPackages {
    fn load(&self, path: &str, _dir: &str) -> Result<PackageFiles, String> {
        Err(format!("package {path} is not in the library"))
    }
}

/// `LINE:COLUMN: message` of each error; further lines of a message follow ` | `.
fn errors(text: &str) -> Vec<(Code, String)> {
    let files = vec![("t.pgo".to_string(), text.as_bytes().to_vec())];
    let Err(failure) = lang::check(files, ".", &NoPackages) else {
        return Vec::new();
    };
    let line = |d: &lang::diagnostic::Diagnostic| {
        let at = failure.sources.line_column(d.primary.span);
        let message = d.message.replace("\n\t", " | ").replace("t.pgo:", "");
        (d.code, format!("{}:{}: {message}", at.line, at.column))
    };
    failure.diagnostics.iter().map(line).collect()
}

#[test]
fn examples_report_their_code() {
    let mut silent = Vec::new();
    for code in Code::ALL {
        let checker = code.number() > "E0100" && code.number() < "E0700";
        // `check` takes packages without main.
        if !checker || *code == Code::NoMain {
            continue;
        }
        if !errors(code.example())
            .iter()
            .any(|(found, _)| found == code)
        {
            silent.push((code.number(), errors(code.example())));
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

/// Each program's one error.
const PROGRAMS: &[(&str, &str)] = &[
    ("func f() { x := 1 }", "3:12: declared and not used: x"),
    ("func f() { y = 1 }", "3:12: undefined: y"),
    (
        "func f(x int) { var s string = x; _ = s }",
        "3:32: cannot use x (variable of type int) as string value in variable declaration",
    ),
    ("func f() int { for { break } }", "3:30: missing return"),
    (
        "func f(a, b int) {}; func g() { f(1) }",
        "3:35: not enough arguments in call to f | have (number) | want (int, int)",
    ),
    (
        "func f() int { return 1 }; func g() { a, b := f(); _, _ = a, b }",
        "3:47: assignment mismatch: 2 variables but f returns 1 value",
    ),
    (
        "type I interface{ M() }; type T int; var _ I = T(1)",
        "3:48: cannot use T(1) (constant 1 of int type T) as I value in variable declaration: T does not implement I (missing method M)",
    ),
    (
        "type I interface{ M() }; type T int; func (*T) M() {}; func f(t T) I { return t }",
        "3:79: cannot use t (variable of int type T) as I value in return statement: T does not implement I (method M has pointer receiver)",
    ),
    ("var b = byte(256)", "3:14: constant 256 overflows byte"),
    (
        "func f(a [3]int) int { return a[5] }",
        "3:33: invalid argument: index 5 out of bounds [0:3]",
    ),
    (
        "func f(x int, s string) bool { return x == s }",
        "3:44: invalid operation: x == s (mismatched types int and string)",
    ),
    (
        "func f(x int) bool { return !x }",
        "3:30: invalid operation: operator ! not defined on x (variable of type int)",
    ),
    (
        "type T struct{ T }",
        "3:6: invalid recursive type: T refers to itself",
    ),
    (
        "type T struct{ name int }; func f(t T) { t.nam = 1 }",
        "3:44: t.nam undefined (type T has no field or method nam)",
    ),
    (
        "func f(x int) { switch x { case 1: case 1: } }",
        "3:41: duplicate case 1 (constant of type int) in expression switch",
    ),
    (
        "func f() { L: for {} }",
        "3:12: label L defined and not used",
    ),
    (
        "func f() { 1 + 2 }",
        "3:12: 1 + 2 (untyped int constant 3) is not used",
    ),
    (
        "func f() {}; func f() {}",
        "3:19: f redeclared in this block",
    ),
    (
        "var a = b; var b = a",
        "3:5: initialization cycle for a | 3:5: a refers to b | 3:16: b refers to a",
    ),
    (
        "func f[T any](x, y T) {}; func g() { f(1, \"a\") }",
        "3:43: in call to f, mismatched types untyped int and untyped string (cannot infer T)",
    ),
    (
        "func f[T ~int](x T) {}; func g() { f(\"a\") }",
        "3:37: string does not satisfy ~int (string missing in ~int)",
    ),
    (
        "type T struct{ done chan int }; var p = pnew(T)",
        "3:46: cannot use pnew with type T: field done has type chan int, which persistent memory cannot hold",
    ),
    (
        "func f() { txn <quick> {} }",
        "3:17: unknown txn option quick",
    ),
    (
        "func f() (int, string) { return 1 }",
        "3:33: not enough return values | have (number) | want (int, string)",
    ),
];

#[test]
fn messages_are_those_of_go() {
    let mut wrong = Vec::new();
    for (text, expected) in PROGRAMS {
        let found = errors(&format!("package p\n\n{text}\n"));
        let found: Vec<&str> = found.iter().map(|(_, m)| m.as_str()).collect();
        if found != [*expected] {
            wrong.push(format!("{text}\n  expected {expected}\n  found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sound_programs_have_no_errors() {
    let programs = [
        "type List[T any] struct { next *List[T]; v T }\nfunc (l *List[T]) push(v T) *List[T] { return &List[T]{l, v} }\nvar l = (&List[int]{}).push(3)",
        "type A struct { b *B }; type B struct { a A; m map[string]A }",
        "var x, y = f(); func f() (int, string) { return 1, \"a\" }",
        "func f(s uint) float64 { var i int64 = 1 << s; return float64(i) }",
        "const ( a = iota; b; c = \"x\"; d ); var _ = [b]int{}; var _ string = d",
        "func f() (n int) { defer func() { n++ }(); goto end; end: return n }",
        "func all(yield func(int) bool) {}; func f() int { for x := range all { if x > 1 { return x } }; return 0 }",
    ];
    for text in programs {
        assert_eq!(errors(&format!("package p\n\n{text}\n")), [], "{text}");
    }
}
