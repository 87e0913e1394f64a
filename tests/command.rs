//! The command's ways of being called, and what it says of bad input: one clear message, the right
//! exit status, nothing lost.
mod common;

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use common::{Folder, first_byte};

const COUNTER: &str =
    "import \"fmt\"\npvar runs int\ntxn <> { runs++ }\nfmt.Println(\"run\", runs)\n";

#[test]
fn ways_to_run() {
    let s = Folder::new("command-ways");
    let args = "import (\"fmt\"; \"os\")\nfmt.Println(len(os.Args), os.Args[1:])\n";
    s.write("args.pgo", format!("#!/usr/bin/env pgo\n{args}"));
    s.pgo(&["run", "args.pgo", "a", "--flag", "-x"])
        .succeeds("4 [a --flag -x]\n");
    s.pgo(&["args.pgo", "b", "--heap"])
        .succeeds("3 [b --heap]\n");
    s.pgo(&["-e", args, "c"]).succeeds("2 [c]\n");
    s.pgo_with_input(&["-", "d"], args).succeeds("2 [d]\n");
    s.pgo_with_input(&[], "println(1)").succeeds("");
    s.pgo(&["-e", "import \"os\"\nos.Exit(7)"]).fails(7, &[]);
    assert!(s.pgo(&["version"]).out.starts_with("pgo "));
    assert_eq!(s.pgo(&["--help"]).status, Some(0));
}

#[test]
fn programs_of_several_files_and_packages() {
    let s = Folder::new("command-packages");
    s.write("app/a.pgo", "package main\nimport (\"fmt\"; \"./util\")\nfunc main() { fmt.Println(helper(), util.Double(4), util.Count) }\n");
    s.write(
        "app/b.pgo",
        "package main\nfunc helper() string { return \"from b\" }\n",
    );
    s.write("app/util/u.pgo", "package util\nvar Count = initial()\nfunc initial() int { return Double(1) }\nfunc Double(x int) int { return 2 * x }\n");
    s.pgo(&["run", "app"]).succeeds("from b 8 2\n");
    s.pgo(&["run", "app/a.pgo", "app/b.pgo"])
        .succeeds("from b 8 2\n");
    s.write(
        "cycle/m.pgo",
        "package main\nimport \"./a\"\nfunc main() { a.F() }\n",
    );
    s.write(
        "cycle/a/a.pgo",
        "package a\nimport \"../b\"\nfunc F() { b.F() }\n",
    );
    s.write(
        "cycle/b/b.pgo",
        "package b\nimport \"../a\"\nfunc F() { a.F() }\n",
    );
    s.pgo(&["run", "cycle"])
        .fails(1, &["import cycle not allowed"]);
    s.pgo(&["-e", "import \"no/such\""])
        .fails(1, &["no/such", "strings"]);
}

#[test]
fn packages_of_a_module() {
    let s = Folder::new("command-module");
    s.write(
        "go.mod",
        "// A shop.\nmodule example.com/shop // the path\n\ngo 1.22\n",
    );
    s.write(
        "cmd/app/main.go",
        "package main\nimport (\"fmt\"; \"example.com/shop\"; \"example.com/shop/stock\"; \"other.org/y\")\n\
         func main() { fmt.Println(shop.Name, stock.New(), y.Y) }\n",
    );
    s.write("shop.go", "package shop\nconst Name = \"corner shop\"\n");
    s.write("stock/stock.go", "package stock\nimport \"example.com/shop\"\nfunc New() string { return \"stock of \" + shop.Name }\n");
    s.write("vendor/other.org/y/y.go", "package y\nvar Y = 7\n");
    s.pgo(&["run", "cmd/app"])
        .succeeds("corner shop stock of corner shop 7\n");
    s.write("bad.go", "package main\nimport \"example.com/shop/none\"\n");
    s.pgo(&["run", "bad.go"])
        .fails(1, &["example.com/shop/none", "module example.com/shop"]);
}

/// A heap knows types by the paths of their packages, which do not change when the program is moved.
#[test]
fn a_moved_program_keeps_its_types() {
    let s = Folder::new("command-moved");
    s.write(
        "one/count.pgo",
        "import (\"fmt\"; \"./util\")\npvar c util.Counter\ntxn <> { c.N++ }\nfmt.Println(c.N)\n",
    );
    s.write(
        "one/util/util.pgo",
        "package util\ntype Counter struct{ N int }\n",
    );
    s.pgo(&["--heap", "h.pheap", "run", "one/count.pgo"])
        .succeeds("1\n");
    std::fs::rename(s.path("one"), s.path("two")).unwrap();
    s.pgo(&["--heap", "h.pheap", "run", "two/count.pgo"])
        .succeeds("2\n");
}

/// A package that is not there is one error: what is said through its name is none.
#[test]
fn missing_packages_have_no_follow_on_errors() {
    let s = Folder::new("command-missing");
    s.write(
        "m.pgo",
        r#"package main

import (
	"fmt"
	"no/such/shapes"
	other "no/such"
)

type Box struct {
	shapes.Base
	*other.Thing
	content other.Kind
}

func (b *Box) Shape() shapes.Shape { return b.Area(1) }

func main() {
	b := &Box{content: other.New()}
	for _, part := range shapes.Parts(b) {
		part.Draw()
	}
	fmt.Println(b.Name, shapes.Count+1, b.Missing().X)
	var n int = "a real one"
}
"#,
    );
    let printed = s.pgo(&["check", "m.pgo"]);
    let errors: Vec<&str> = printed
        .err
        .lines()
        .filter(|line| line.starts_with("m.pgo:"))
        .map(|line| line.split(';').next().unwrap())
        .collect();
    assert_eq!(
        errors,
        [
            "m.pgo:5:2: package no/such/shapes is not in the library",
            "m.pgo:6:8: package no/such is not in the library",
            "m.pgo:23:14: cannot use \"a real one\" (untyped string constant) as int value in variable declaration",
        ]
    );
}

#[test]
fn bad_arguments_and_sources() {
    let s = Folder::new("command-sources");
    s.pgo(&["run", "missing.pgo"])
        .fails(1, &["missing.pgo", "no such file"]);
    s.pgo(&["missing.pgo"])
        .fails(1, &["missing.pgo", "no such file"]);
    std::fs::create_dir(s.path("empty")).unwrap();
    s.pgo(&["run", "empty"])
        .fails(1, &["no .pgo files in empty"]);
    s.pgo(&["run"]).fails(2, &["FILE"]);
    s.pgo(&["--no-such-option"]).fails(2, &["--no-such-option"]);
    s.write("utf8.pgo", b"println(\"a\xffb\")\n");
    s.pgo(&["utf8.pgo"])
        .fails(1, &["utf8.pgo:1:", "invalid UTF-8"]);
    s.write("nul.pgo", b"x := 1\0\n");
    s.pgo(&["nul.pgo"]).fails(1, &["nul.pgo:1:", "NUL"]);
    s.write(
        "long.pgo",
        format!("x := \"{}\"; println(y)\n", "text ".repeat(2_000_000)),
    );
    s.pgo(&["long.pgo"]).fails(1, &["undefined: y"]);
    s.write(
        "nested.pgo",
        format!(
            "x := {}1{}\nprintln(x)",
            "(".repeat(10_000),
            ")".repeat(10_000)
        ),
    );
    s.pgo(&["nested.pgo"]).succeeds("");
    s.write("deeper.pgo", format!("x := {}", "(".repeat(3_000_000)));
    s.pgo(&["deeper.pgo"]).fails(1, &["deeper.pgo:1:"]);
    s.write("braces.pgo", "{".repeat(3_000_000));
    s.pgo(&["braces.pgo"]).fails(1, &["braces.pgo:1:"]);
}

#[test]
fn counter_counts() {
    let s = Folder::new("command-counter");
    s.write("counter.pgo", COUNTER);
    let first = s.pgo(&["counter.pgo"]);
    assert!(first.err.contains("counter.pheap"), "{first:?}");
    first.succeeds("run 1\n");
    let second = s.pgo(&["counter.pgo"]);
    assert_eq!(second.err, "");
    second.succeeds("run 2\n");
    s.pgo(&["--ephemeral", "counter.pgo"]).succeeds("run 1\n");
    s.pgo(&["run", "--heap", "other.pheap", "counter.pgo"])
        .succeeds("run 1\n");
    for policy in ["sync", "async", "none"] {
        assert_eq!(
            s.pgo(&["--durability", policy, "counter.pgo"]).status,
            Some(0)
        );
    }
    s.pgo(&["counter.pgo"]).succeeds("run 6\n");
    s.pgo(&["-e", COUNTER]).fails(2, &["--heap"]);
}

#[test]
fn bad_heap_files() {
    let s = Folder::new("command-heaps");
    s.write("counter.pgo", COUNTER);
    s.pgo(&["counter.pgo"]).succeeds("run 1\n");
    s.write("noheap.pheap", "this is no heap file");
    s.pgo(&["--heap", "noheap.pheap", "counter.pgo"])
        .fails(2, &["noheap.pheap"]);
    s.write("empty.pheap", "");
    let empty = s.pgo(&["--heap", "empty.pheap", "counter.pgo"]);
    assert!(empty.err.contains("empty.pheap"), "{empty:?}");
    s.pgo(&["--heap", "no/such/folder/x.pheap", "counter.pgo"])
        .fails(2, &["x.pheap"]);
    let heap = std::fs::read(s.path("counter.pheap")).unwrap();
    let log = std::fs::read(s.path("counter.pheap.log")).unwrap();
    for cut in [100, 5000, heap.len() / 2] {
        s.write("cut.pheap", &heap[..cut]);
        s.write("cut.pheap.log", &log);
        s.pgo(&["--heap", "cut.pheap", "counter.pgo"])
            .fails(2, &["cut.pheap"]);
    }
    for at in (0..8192).step_by(61) {
        let mut damaged = heap.clone();
        damaged[at] ^= 0x40;
        s.write("damaged.pheap", &damaged);
        s.write("damaged.pheap.log", &log);
        let printed = s.pgo(&["--heap", "damaged.pheap", "counter.pgo"]);
        match printed.status {
            Some(0) => assert_eq!(printed.out, "run 2\n", "byte {at}"),
            _ => printed.fails(2, &["damaged.pheap"]),
        }
    }
    s.pgo(&["counter.pgo"]).succeeds("run 2\n");
}

#[test]
fn a_heap_in_use_is_refused() {
    let s = Folder::new("command-locked");
    let wait = "import (\"fmt\"; \"os\"; \"bufio\")\npvar n int\ntxn <> { n++ }\nfmt.Println(n)\nbufio.NewReader(os.Stdin).ReadString('\\n')\n";
    s.write("wait.pgo", wait);
    let mut first = s.command(&["--heap", "x.pheap", "wait.pgo"]);
    let mut first = first.stdin(Stdio::piped()).spawn().unwrap();
    assert_eq!(first_byte(&mut first), b'1');
    s.pgo(&["--heap", "x.pheap", "wait.pgo"])
        .fails(2, &["x.pheap", "in use"]);
    first.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(first.wait().unwrap().success());
    s.pgo(&["--heap", "x.pheap", "wait.pgo"]).succeeds("2\n");
}

#[test]
fn a_session_goes_on_after_errors_and_panics() {
    let s = Folder::new("command-repl");
    let first = s.pgo_with_input(
        &["repl", "--heap", "r.pheap"],
        "x := 5\nx * 2\nfunc f(n int) int {\n\treturn n + x\n}\nf(1)\nboom\npanic(\"p\")\nf(2)\n\
         pvar k = 3\ntxn <> { k++; panic(\"in txn\") }\nk\nx := \"a string now\"\nx\n\
         strings.ToUpper(x)\nfmt.Println(k)\ntype T struct{ A, B int }\nT{1, 2}\n",
    );
    assert_eq!(first.status, Some(0), "{first:?}");
    let printed: Vec<_> = first.out.lines().collect();
    assert_eq!(
        printed,
        [
            "10",
            "6",
            "7",
            "3",
            "\"a string now\"",
            "\"A STRING NOW\"",
            "3",
            "T{A: 1, B: 2}"
        ]
    );
    for part in ["repl:1:1: undefined: boom", "panic: p", "panic: in txn"] {
        assert!(first.err.contains(part), "{part}: {first:?}");
    }
    let second = s.pgo_with_input(
        &["repl", "--heap", "r.pheap"],
        "pvar k int\nk\nos.Exit(4)\n",
    );
    assert_eq!(second.status, Some(4));
    assert_eq!(second.out, "3\n");
}

#[test]
fn scripts_need_no_imports() {
    let s = Folder::new("command-code");
    let code = "fmt.Println(strings.Repeat(\"ab\", 2))";
    s.pgo(&["-e", code]).succeeds("abab\n");
    s.write("script.pgo", code);
    s.pgo(&["script.pgo"]).succeeds("abab\n");
    s.write(
        "program.pgo",
        format!("package main\nfunc main() {{ {code} }}\n"),
    );
    s.pgo(&["program.pgo"]).fails(1, &["undefined: fmt"]);
}

/// A goroutine that reads standard input does not keep others from running.
#[test]
fn input_that_is_late() {
    let s = Folder::new("command-late");
    let program = s.write(
        "late.pgo",
        "import (\n\"bufio\"\n\"fmt\"\n\"os\"\n\"time\"\n)\n\
         lines := make(chan string)\n\
         go func() {\n\tfor s := bufio.NewScanner(os.Stdin); s.Scan(); {\n\t\tlines <- s.Text()\n\t}\n\tclose(lines)\n}()\n\
         fmt.Println(<-lines)\n\
         ticks := 0\n\
         for t := time.NewTicker(time.Millisecond); ticks < 5; ticks++ {\n\t<-t.C\n}\n\
         fmt.Println(\"ticked\")\n\
         for l := range lines {\n\tfmt.Println(l)\n}\n",
    );
    let mut child = s.command(&[program.to_str().unwrap()]);
    let mut child = child.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"one\n").unwrap();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    // The second line comes only after the ticks.
    for expected in ["one", "ticked"] {
        line.clear();
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        assert_eq!(line.trim_end(), expected);
    }
    input.write_all(b"two\n").unwrap();
    drop(input);
    line.clear();
    std::io::Read::read_to_string(&mut output, &mut line).unwrap();
    assert_eq!(line, "two\n");
    assert!(child.wait().unwrap().success());
}

/// Goroutines of a session go on with its next chunks, also after one of them has failed.
#[test]
fn goroutines_of_a_session() {
    let s = Folder::new("command-session");
    let printed = s.pgo_with_input(
        &["repl"],
        "c, d := make(chan int), make(chan string)\n\
         go func() { for v := range c { d <- string(rune('a' + v)) } }()\n\
         c <- 1\n\
         <-d\n\
         var none chan int\n\
         <-none\n\
         c <- 2\n\
         <-d\n\
         import \"time\"\n\
         go func() { panic(\"in go\") }()\n\
         time.Sleep(time.Millisecond)\n\
         c <- 3\n\
         <-d\n",
    );
    for part in ["\"b\"", "\"c\"", "\"d\""] {
        assert!(printed.out.contains(part), "{printed:?}");
    }
    assert!(
        printed.err.contains("all goroutines are asleep"),
        "{printed:?}"
    );
    assert!(printed.err.contains("panic: in go"), "{printed:?}");
}

#[test]
fn doc_shows_declarations() {
    let scratch = Folder::new("command-doc");
    let text = "// Package shape has shapes.\npackage shape\n\n// A Square has one side.\n\
                type Square struct {\n\tSide float64\n\tid   int\n}\n\n\
                // Of makes one.\nfunc Of(side float64) *Square { return &Square{Side: side} }\n\n\
                // Area is the side times itself.\nfunc (s *Square) Area() float64 { return s.Side * s.Side }\n";
    scratch.write("shape/shape.pgo", text);
    let all = scratch.pgo(&["doc", "shape"]);
    assert_eq!(
        all.out,
        "package shape // import \"./shape\"\n\nPackage shape has shapes.\n\n\
         type Square struct{ ... }\n    func Of(side float64) *Square\n"
    );
    let one = scratch.pgo(&["doc", "shape.Square.Area"]);
    assert_eq!(
        one.out,
        "package shape // import \"./shape\"\n\nfunc (s *Square) Area() float64\n    \
         Area is the side times itself.\n\n"
    );
    assert!(
        scratch
            .pgo(&["doc", "strings.Builder"])
            .out
            .contains("// Has unexported fields.")
    );
    // The last name of a package is enough; groups show what they export, comments stay with their lines.
    let text = "package group\n\n// Errors.\nvar (\n\thidden = 1 // not seen\n\t// A is first.\n\tA   = 2 // or second\n\tBcd = 3\n)\n\n\
                type T struct {\n\tX int // of x\n\tY int\n\tz int\n}\n";
    scratch.write("group/group.pgo", text);
    assert_eq!(
        scratch.pgo(&["doc", "group.Bcd"]).out,
        "package group // import \"./group\"\n\n\
         var (\n\t// A is first.\n\tA   = 2 // or second\n\tBcd = 3\n)\n    Errors.\n\n"
    );
    assert_eq!(
        scratch.pgo(&["doc", "group.T"]).out,
        "package group // import \"./group\"\n\n\
         type T struct {\n\tX int // of x\n\tY int\n\t// Has unexported fields.\n}\n\n"
    );
    let short = scratch.pgo(&["doc", "json.Decoder.Decode"]);
    assert!(
        short
            .out
            .starts_with("package json // import \"encoding/json\"\n\nfunc (d"),
        "{}{}",
        short.out,
        short.err
    );
    let none = scratch.pgo(&["doc", "strings.Nope"]);
    assert_eq!(
        (&none.err[..], none.status),
        ("pgo: no Nope in package strings\n", Some(1))
    );
}

/// A reader that goes away, as `head` does, ends a command without a word.
#[test]
fn closed_pipes() {
    let scratch = Folder::new("command-pipes");
    for args in [
        &["doc", "strings"][..],
        &["completions", "bash"],
        &["--help"],
        &["-e", "for { fmt.Println(1) }"],
    ] {
        let mut command = scratch.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let died = output.status.signal() == Some(13) || output.status.code() == Some(141);
        let may_end = args[0] == "--help" && output.status.success();
        assert!(died || may_end, "{args:?}: {:?}", output.status);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}

#[test]
fn check_warns_and_can_deny() {
    let s = Folder::new("command-check-warns");
    s.write("a.pgo", "x := \"\\\"\"\nx = x\n_ = x\n");
    let printed = s.pgo(&["check", "a.pgo"]);
    assert_eq!(printed.status, Some(0));
    assert!(
        printed
            .err
            .starts_with("a.pgo:2:1: warning: self-assignment"),
        "{}",
        printed.err
    );
    assert_eq!(
        s.pgo(&["check", "--deny-warnings", "a.pgo"]).status,
        Some(1)
    );
    let printed = s.pgo(&["check", "--json", "a.pgo"]);
    let wanted = "[\n  {\"file\": \"a.pgo\", \"line\": 2, \"column\": 1, \"end_line\": 2, \"end_column\": 2, \
                  \"severity\": \"warning\", \"code\": \"W0003\", \"message\": \"self-assignment of x to x\"}\n]\n";
    assert_eq!(
        (printed.out.as_str(), printed.err.as_str(), printed.status),
        (wanted, "", Some(0))
    );
    s.write("b.pgo", "x := y\n");
    let printed = s.pgo(&["check", "--json", "b.pgo"]);
    assert!(
        printed
            .out
            .contains("\"severity\": \"error\", \"code\": \"E0101\""),
        "{}",
        printed.out
    );
    assert_eq!(printed.status, Some(1));
    s.write("c.pgo", "x := 1\n_ = x\n");
    assert_eq!(s.pgo(&["check", "--json", "c.pgo"]).out, "[]\n");
}
