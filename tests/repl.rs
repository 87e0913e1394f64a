//! The REPL: sessions read from a pipe, whose output is compared; and real ones, at a pseudo-terminal.
mod common;

use std::process::{Command, Stdio};

use common::{Folder, printed};
use rexpect::session::{PtySession, spawn_command};

/// A folder for sessions, with a history of its own.
struct Scratch(Folder);

impl Scratch {
    fn new(name: &str) -> Scratch {
        Scratch(Folder::new(&format!("repl-{name}")))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.0.command(&[&["repl"], args].concat());
        let state = self.0.path("state");
        command.env("XDG_STATE_HOME", state).env("TERM", "xterm");
        command
    }

    /// Standard output and standard error of a session that is given these lines.
    fn run(&self, args: &[&str], input: &str) -> (String, String) {
        let printed = printed(self.command(args), input);
        (printed.out, printed.err)
    }

    fn terminal(&self, args: &[&str]) -> PtySession {
        let mut session = at_terminal(self.command(args));
        session.exp_string("leaves)").unwrap();
        session.exp_string(EMPTY_LINE).unwrap();
        session
    }
}

fn at_terminal(mut command: Command) -> PtySession {
    command.stdin(Stdio::inherit());
    command.stdout(Stdio::inherit()).stderr(Stdio::inherit());
    spawn_command(command, Some(30_000)).unwrap()
}

/// Types without a line end.
fn keys(t: &mut PtySession, text: &str) {
    t.send(text).unwrap();
    t.flush().unwrap();
}

/// What an empty line is drawn with: keys count from then on.
const EMPTY_LINE: &str = "\x1b[K> \r\x1b[2C";

/// Ctrl-C at the prompt.
fn clear_line(t: &mut PtySession) {
    t.send_control('c').unwrap();
    t.exp_string(EMPTY_LINE).unwrap();
}

/// Ctrl-D on an empty line that has not been waited for.
fn leave(t: &mut PtySession) {
    t.exp_string(EMPTY_LINE).unwrap();
    leave_now(t);
}

fn leave_now(t: &mut PtySession) {
    t.send_control('d').unwrap();
    t.exp_eof().unwrap();
}

/// Runs each input and compares what is printed for it.
fn transcript(scratch: &Scratch, args: &[&str], lines: &[(&str, &str)]) -> String {
    let input: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
    let (out, err) = scratch.run(args, &input);
    let expected: String = lines
        .iter()
        .filter(|(_, shown)| !shown.is_empty())
        .map(|(_, shown)| format!("{shown}\n"))
        .collect();
    assert_eq!(out, expected, "{err}");
    err
}

#[test]
fn values_are_shown_in_go_syntax() {
    let s = Scratch::new("values");
    let cycle = "n.next = n";
    transcript(
        &s,
        &[],
        &[
            ("1 + 2", "3"),
            ("_ * 2", "6"),
            ("2.0", "float64(2)"),
            ("uint8(5)", "uint8(5)"),
            ("\"a\\tb\"", "\"a\\tb\""),
            ("var e error", ""),
            ("e", "nil"),
            ("errors.New(\"boom\")", "(*errors.errorString)(\"boom\")"),
            ("time.Second", "time.Duration(1s)"),
            ("strconv.Atoi(\"12\")", "12, nil"),
            ("_", "12"),
            ("type T struct{ A int; b []string }", ""),
            ("&T{1, nil}", "&T{A: 1, b: nil}"),
            ("[]T{{A: 2}}", "[]T{{A: 2, b: nil}}"),
            (
                "map[string]any{\"b\": 1, \"a\": nil}",
                "map[string]any{\"a\": nil, \"b\": 1}",
            ),
            ("[]byte(\"xy\")", "[]byte(\"xy\")"),
            ("func (t T) String() string { return \"T!\" }", ""),
            ("T{A: 1}", "T{A: 1, b: nil}  // T!"),
            ("type N struct{ next *N }", ""),
            ("n := &N{}", ""),
            (cycle, ""),
            ("n", "&N{next: …cycle to *N}"),
            ("len(make([]int, 100)); _", "100"),
            ("(*T)(nil)", "(*T)(nil)"),
            ("fmt.Println(\"no value is shown\")", "no value is shown"),
        ],
    );
    let (out, _) = s.run(&[], "make([]int, 100000)\n");
    assert!(out.contains("… +99940 more"), "{out}");
    assert!(out.lines().all(|l| l.chars().count() <= 82), "{out}");
}

#[test]
fn what_is_declared_again() {
    let s = Scratch::new("again");
    let err = transcript(
        &s,
        &[],
        &[
            ("func f(n int) int { return n + 1 }", ""),
            ("func g(n int) int { return f(n) * 10 }", ""),
            ("h := f", ""),
            ("g(1)", "20"),
            ("func f(n int) int { return n + 2 }", ""),
            ("g(1)", "30"),
            ("h(1)", "3"),
            // Another signature: a function of its own.
            ("func f(s string) int { return len(s) }", ""),
            ("g(1)", "30"),
            ("f(\"abc\")", "3"),
            ("v := 1", ""),
            ("func get() int { return v }", ""),
            ("v := 7", ""),
            ("get()", "7"),
            ("v := \"s\"", ""),
            ("get()", "7"),
            ("var z = 5", ""),
            ("var z int", ""),
            ("z", "0"),
            // Methods: added, replaced, with another signature.
            ("type S struct { x int }", ""),
            ("func (s S) Get() int { return s.x }", ""),
            ("var i interface{ Get() int } = S{4}", ""),
            ("func (s S) Get() int { return s.x * 10 }", ""),
            ("i.Get()", "40"),
            ("fmt.Sprint(S{4})", "\"{4}\""),
            (
                "func (s S) String() string { return \"now by its method\" }",
                "",
            ),
            ("fmt.Sprint(S{4})", "\"now by its method\""),
            // Generic ones, whatever their type parameters are called.
            ("func two[T any](x T) []T { return []T{x, x} }", ""),
            (
                "func twos() (int, int) { return len(two(1)), len(two(\"\")) }",
                "",
            ),
            ("twos()", "2, 2"),
            (
                "func two[U any](x U) []U { f := func() U { return x }; return []U{f()} }",
                "",
            ),
            ("twos()", "1, 1"),
            ("type L[T any] struct { all []T }", ""),
            ("func (l *L[T]) Add(x T) { l.all = append(l.all, x) }", ""),
            ("var l L[int]", ""),
            ("func add() int { l.Add(1); return len(l.all) }", ""),
            ("add()", "1"),
            (
                "func (l *L[E]) Add(x E) { l.all = append(l.all, x, x) }",
                "",
            ),
            ("add()", "3"),
            ("func two[T comparable](x T) []T { return nil }", ""),
            ("twos()", "1, 1"),
            // The same type again, then another one.
            ("type S struct {   x int }", ""),
            ("i.(S).x", "4"),
            ("type S struct { y string }", ""),
            ("_, ok := any(i).(S); ok", "false"),
            ("S{\"a\"}", "S{y: \"a\"}"),
        ],
    );
    for note in [
        "note: f has another signature now; g keeps to the old one until it is declared again",
        "note: v is another variable now, of another type; get keeps",
        "note: two[...] has another signature now; twos keeps to the old one until it is declared again",
    ] {
        assert!(err.contains(note), "{note}: {err}");
    }
}

/// Goroutines that run code which is declared again go on in what it was, and call what is new.
#[test]
fn goroutines_and_declaring_again() {
    let s = Scratch::new("goroutines");
    transcript(
        &s,
        &[],
        &[
            ("c, done := make(chan int), make(chan int)", ""),
            ("func handle(v int) int { return v }", ""),
            (
                "func worker() { defer func() { recover(); done <- -1 }(); for v := range c { done <- handle(v) } }",
                "",
            ),
            ("go worker()", ""),
            ("c <- 1", ""),
            ("<-done", "1"),
            ("func handle(v int) int { return v * 100 }", ""),
            ("c <- 2", ""),
            ("<-done", "200"),
            ("func worker() { done <- 5 }", ""),
            ("c <- 3", ""),
            ("<-done", "300"),
            ("func handle(v int) int { panic(v) }", ""),
            ("c <- 4", ""),
            ("<-done", "-1"),
            ("go worker()", ""),
            ("<-done", "5"),
        ],
    );
}

#[test]
fn errors_lose_nothing() {
    let s = Scratch::new("errors");
    let err = transcript(
        &s,
        &[],
        &[
            ("x := 5", ""),
            ("boom", ""),
            ("x := boom", ""),
            ("func (x int) M() {}", ""),
            ("panic(\"p\")", ""),
            ("[]int{}[x]", ""),
            ("var none chan int; <-none", ""),
            ("func deep(n int) int { return deep(n+1) + 1 }", ""),
            ("x", "5"),
            ("import \"os\"", ""),
            ("func unused() { y := 1 }", ""),
            ("x", "5"),
        ],
    );
    for part in [
        "undefined: boom",
        "panic: p",
        "index out of range",
        "deadlock",
    ] {
        assert!(err.contains(part), "{part}: {err}");
    }
    let status = |input: &str| printed(s.command(&[]), input).status;
    assert_eq!(status("defer os.Exit(3)\nos.Exit(4)\n"), Some(3));
    assert_eq!(status("func f() {"), Some(0));
}

#[test]
fn persistent_variables() {
    let s = Scratch::new("persistent");
    let err = transcript(
        &s,
        &["--heap", "h.pheap"],
        &[
            ("type T struct { A int }", ""),
            ("pvar p = T{5}", ""),
            ("txn <> { p.A = 9; panic(\"no\") }", ""),
            ("p", "T{A: 5}"),
            ("type T struct { A int64; B string }", ""),
            ("p.A++; p", "T{A: 6}"),
            (":roots", "p main.T"),
            (":reset", ""),
            ("type T struct { A int64; B string }", ""),
            ("pvar p T", ""),
            ("p", "T{A: 6, B: \"\"}"),
        ],
    );
    for part in [
        "field A is int64 instead of int: its values would be widened",
        "field B string is new: it would be zero",
        "migrated main.T (1 value)",
    ] {
        assert!(err.contains(part), "{part}: {err}");
    }
    let (_, err) = s.run(&[], "pvar q int\n:heap\n");
    assert!(err.contains("no heap: give one with --heap FILE"), "{err}");
}

#[test]
fn commands() {
    let s = Scratch::new("commands");
    s.0.write("lib.pgo", "// Twice doubles.\nfunc Twice(n int) int { return 2 * n }\n\nTwice(3)\nfmt.Println(\"loaded\")\n",
    );
    s.0.write("bad.pgo", "x :=\n");
    transcript(
        &s,
        &[],
        &[
            (":load lib.pgo", "loaded"),
            ("Twice(4)", "8"),
            (":type Twice(1)", "int"),
            (
                ":type strings.Repeat",
                "func Repeat(s string, count int) string",
            ),
            (
                ":type strings.Cut",
                "func Cut(s, sep string) (before, after string, found bool)",
            ),
            (":doc Twice", "// Twice doubles.\nfunc Twice(n int) int"),
            ("?Twice", "// Twice doubles.\nfunc Twice(n int) int"),
            (":load lib.pgo", "loaded"),
        ],
    );
    let (out, err) = s.run(
        &[],
        ":load lib.pgo\n:time Twice(2)\n:disasm Twice\n:help\n?pnew\n:doc math.MaxInt8\n:load bad.pgo\n:nope\n:type 1 +\n:reset\nTwice(1)\n",
    );
    for part in [
        "4\nran for ",
        "func main.Twice",
        ":load FILE",
        "in the persistent heap",
        "MaxInt8",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    for part in [
        "bad.pgo:2:1",
        "no command :nope",
        "syntax error",
        "undefined: Twice",
    ] {
        assert!(err.contains(part), "{part}: {err}");
    }
}

#[test]
fn programs_and_input() {
    let s = Scratch::new("programs");
    let program = "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(help())\n}\n\nfunc help() int { return 7 }\n";
    assert_eq!(s.run(&[], program).0, "7\n");
    // Once declared, main is a function as others are.
    let again = "func main() { fmt.Println(1) }\nmain()\nfunc main() { fmt.Println(2) }\nmain()\n";
    assert_eq!(s.run(&[], again).0, "1\n1\n2\n2\n");
    // A chunk reads what follows it.
    assert_eq!(
        s.run(&[], "var w string\nfmt.Scanln(&w)\nhello\nw\n").0,
        "1, nil\n\"hello\"\n"
    );
    assert_eq!(
        s.run(&[], "for i := range 2 {\n\n\tfmt.Println(i)\n}\n").0,
        "0\n1\n"
    );
}

// At a terminal.

#[test]
fn editing_and_history() {
    let s = Scratch::new("editing");
    let mut t = s.terminal(&[]);
    t.send_line("func add(a, b int) int {").unwrap();
    t.send_line("return a + b").unwrap();
    t.send_line("}").unwrap();
    t.send_line("add(2, 40)").unwrap();
    t.exp_regex("\n42\r\n").unwrap();
    // Ctrl-C clears the line.
    keys(&mut t, "panic(1)");
    t.exp_string("panic(1)").unwrap();
    clear_line(&mut t);
    t.send_line("add(1, 1)").unwrap();
    t.exp_regex("\n2\r\n").unwrap();
    // A name, a member, a package's member by Tab.
    t.send_line("type Point struct{ Horizontal, Vertical int }")
        .unwrap();
    t.send_line("point := Point{3, 4}").unwrap();
    keys(&mut t, "poi\t.Hor\t");
    t.send_line("").unwrap();
    t.exp_regex("\n3\r\n").unwrap();
    keys(&mut t, "strings.ToUpp\t");
    t.exp_string("ToUpper").unwrap();
    t.send_line("(\"x\")").unwrap();
    t.exp_string("\"X\"").unwrap();
    // A package whose path is longer than its name.
    keys(&mut t, "cmpl\t.Abs(");
    t.exp_string("func Abs(x complex128) float64").unwrap();
    clear_line(&mut t);
    // Files in strings; how a function is called.
    s.0.write("some-file.txt", "content\n");
    keys(&mut t, "os.ReadFile(\"some-f\t");
    t.exp_string("some-file.txt").unwrap();
    t.send_line("\")").unwrap();
    t.exp_string("[]byte(\"content\\n\"), nil").unwrap();
    keys(&mut t, "add(");
    t.exp_string("func add(a, b int) int").unwrap();
    clear_line(&mut t);
    leave_now(&mut t);
    // In a new session the whole function is one entry.
    let mut t = s.terminal(&[]);
    for _ in 0..8 {
        keys(&mut t, "\x10");
    }
    t.send_line("").unwrap();
    t.send_line("add(20, 3)").unwrap();
    t.exp_regex("\n23\r\n").unwrap();
    leave(&mut t);
}

#[test]
fn interrupting() {
    let s = Scratch::new("interrupting");
    let mut t = s.terminal(&["--heap", "h.pheap"]);
    t.send_line("pvar n = 1").unwrap();
    t.send_line("ticks := 0; stop := make(chan bool)").unwrap();
    t.send_line("go func() { for { ticks++; time.Sleep(time.Millisecond) } }()")
        .unwrap();
    for busy in [
        "txn <> { n = 2; fmt.Println(\"bu\" + \"sy\"); for {} }",
        "fmt.Println(\"bu\" + \"sy\"); time.Sleep(time.Hour)",
        "go func() { for { n = 3 } }(); fmt.Println(\"bu\" + \"sy\"); <-stop",
        "fmt.Println(\"bu\" + \"sy\"); var m sync.Mutex; m.Lock(); m.Lock()",
    ] {
        t.send_line(busy).unwrap();
        t.exp_string("busy").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
        t.send_control('c').unwrap();
        t.exp_string("interrupted").unwrap();
    }
    t.send_line("var word string").unwrap();
    t.send_line("fmt.Println(\"bu\" + \"sy\"); fmt.Scanln(&word)")
        .unwrap();
    t.exp_string("busy").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    t.send_control('c').unwrap();
    t.exp_string("interrupted").unwrap();
    t.send_line("fmt.Println(\"re\" + \"ady\"); fmt.Scanln(&word)")
        .unwrap();
    t.exp_string("ready").unwrap();
    t.send_line("something").unwrap();
    t.exp_string("1, nil").unwrap();
    // The transaction was rolled back; the goroutine of an ended input runs on, that of an interrupted one does not.
    t.send_line("n = 1; before := ticks; time.Sleep(50*time.Millisecond); fmt.Println(\"state\", n, ticks > before)")
        .unwrap();
    t.exp_string("state 1 true").unwrap();
    t.send_line("os.Exit(3)").unwrap();
    t.exp_eof().unwrap();
}

/// Goroutines run while the user types; one that ends the program ends the session.
#[test]
fn goroutines_at_the_prompt() {
    let s = Scratch::new("prompt");
    let mut t = s.terminal(&[]);
    let line = "go func() { for range 3 { time.Sleep(50*time.Millisecond) }; fmt.Println(\"from \" + \"behind\") }()";
    t.send_line(line).unwrap();
    t.exp_string("from behind").unwrap();
    t.send_line("1 + 41").unwrap();
    t.exp_regex("\n42\r\n").unwrap();
    t.send_line("go func() { for { } }()").unwrap();
    keys(&mut t, "strings.ToUpp\t");
    t.exp_string("ToUpper").unwrap();
    t.send_line("(\"x\")").unwrap();
    t.exp_string("\"X\"").unwrap();
    t.send_line("go func() { time.Sleep(50*time.Millisecond); panic(\"be\" + \"hind\") }()")
        .unwrap();
    t.exp_string("panic: behind").unwrap();
    t.send_line("time.AfterFunc(50*time.Millisecond, func() { os.Exit(3) })")
        .unwrap();
    t.exp_eof().unwrap();
}

#[test]
fn pasting_a_program() {
    let s = Scratch::new("pasting");
    let mut t = s.terminal(&[]);
    let program = "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(\"from \" + name())\n}\n\nfunc name() string { return \"main\" }\n";
    // As terminals do it.
    keys(&mut t, &format!("\x1b[200~{program}\x1b[201~"));
    t.send_line("").unwrap();
    t.exp_regex("\nfrom main\r\n").unwrap();
    t.send_line("name() + \"!\"").unwrap();
    t.exp_regex("\n\"main!\"\r\n").unwrap();
    leave(&mut t);
}

#[test]
fn colours() {
    let s = Scratch::new("colours");
    let mut command = s.command(&[]);
    command.env_remove("NO_COLOR");
    let mut t = at_terminal(command);
    t.exp_string("> ").unwrap();
    keys(&mut t, "func");
    t.exp_string("\x1b[35mfunc\x1b[0m").unwrap();
    clear_line(&mut t);
    leave_now(&mut t);
}
