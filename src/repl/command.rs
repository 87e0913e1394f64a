//! What begins with a colon.
use super::{Ran, Repl};
use crate::packages::read;
use crate::{doc, render};
use lang::session::Mode;
use std::path::Path;
use std::time::Duration;

/// Name, what follows it, what it does.
pub const COMMANDS: &[(&str, &str, &str)] = &[
    ("disasm", "NAME", "the bytecode of a function"),
    (
        "doc",
        "NAME",
        "what a name is: of the session, of a package, predeclared; also ?NAME",
    ),
    ("heap", "", "the persistent heap in figures"),
    ("help", "", "this"),
    (
        "load",
        "FILE",
        "run a file's declarations and statements as if typed here",
    ),
    ("quit", "", "leave; also Ctrl-D"),
    (
        "reset",
        "",
        "forget all names and volatile values; the heap keeps what it has",
    ),
    (
        "roots",
        "",
        "the persistent variables and other roots of the heap",
    ),
    ("time", "INPUT", "run it and say how long that took"),
    (
        "type",
        "EXPR",
        "the type of an expression, which is not evaluated",
    ),
];

const HELP: &str = "\
Statements, declarations and whole programs run as they are entered; the value of an expression is shown and is `_` then.
Variables are volatile unless declared by `pvar`, for which the session needs a heap: pgo repl --heap FILE.
What is declared again replaces the old: functions and methods of the same signature in all callers too.
Ctrl-C ends what runs: its transaction is rolled back, goroutines that it started end, those started before go on.
Goroutines run on while you type. Tab completes; an input of several lines is one entry of the history.
";

impl Repl<'_> {
    pub(super) fn command(&mut self, line: &str) -> Ran {
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let mut matching = COMMANDS.iter().filter(|(n, ..)| n.starts_with(name));
        let command = match (matching.next(), matching.next()) {
            (Some((n, ..)), None) => *n,
            _ => name,
        };
        let known = COMMANDS.iter().find(|(n, ..)| *n == command);
        if let Some((name, argument, _)) = known
            && !argument.is_empty()
            && rest.is_empty()
        {
            return complain(&format!(":{name} needs {argument}"));
        }
        match command {
            "disasm" => self.disasm(rest),
            "doc" => self.doc(rest),
            "heap" => self.heap_figures(),
            "help" => {
                println!("{HELP}");
                for (name, argument, what) in COMMANDS {
                    println!("{:<14} {what}", format!(":{name} {argument}"));
                }
                Ran::Done
            }
            "load" => match read(Path::new(rest)) {
                Ok(text) => self.run(rest, &text, Mode::Quiet).0,
                Err(message) => complain(&message),
            },
            "quit" => Ran::Leave(0),
            "reset" => {
                self.reset();
                Ran::Done
            }
            "roots" => self.roots(),
            "time" => {
                let (ran, times) = self.run("repl", rest.as_bytes(), Mode::Shown);
                if let Ran::Done = ran {
                    let (compiling, running) = (duration(times.compiling), duration(times.running));
                    println!("ran for {running}, compiled in {compiling}");
                }
                ran
            }
            "type" => match self.session.type_of(rest) {
                Ok(text) => {
                    println!("{text}");
                    Ran::Done
                }
                Err(diagnostics) => {
                    render::report(&diagnostics, self.session.sources(), render::ERRORS_MAX);
                    Ran::Failed
                }
            },
            _ => complain(&format!("no command :{name}; :help shows all")),
        }
    }

    fn disasm(&mut self, name: &str) -> Ran {
        let find = |repl: &Self| {
            let names = [format!("main.{name}"), name.to_string()];
            lang::bytecode::disasm::functions(repl.session.program(), |n| {
                let n = n.strip_suffix("[...]").unwrap_or(n);
                names.iter().any(|name| n == name)
            })
        };
        let mut text = find(self);
        if text.is_empty() {
            // Functions are compiled when something needs them.
            let chunk = self
                .session
                .chunk("repl", format!("_ = {name}").as_bytes(), Mode::Aside);
            if let Err(diagnostics) = chunk {
                render::report(&diagnostics, self.session.sources(), 1);
                return Ran::Failed;
            }
            text = find(self);
        }
        if text.is_empty() {
            return complain(&format!("no function {name} has been compiled"));
        }
        print!("{text}");
        Ran::Done
    }

    fn doc(&mut self, name: &str) -> Ran {
        if let Some(text) = self.session.describe(name) {
            println!("{text}");
            return Ran::Done;
        }
        if let Some((_, text)) = PREDECLARED.iter().find(|(n, _)| *n == name) {
            println!("{text}");
            return Ran::Done;
        }
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let path = self.session.package_path(first);
        let words = match (&path, rest) {
            (Some(path), "") => path.clone(),
            (Some(path), rest) => format!("{path}.{rest}"),
            (None, _) => name.to_string(),
        };
        match doc::text(&[words]) {
            Ok(text) => {
                print!("{text}");
                Ran::Done
            }
            Err(message) if path.is_some() => complain(&message),
            Err(_) => complain(&format!("nothing is known of {name}")),
        }
    }

    fn heap_figures(&mut self) -> Ran {
        match self.vm.heap_figures() {
            Ok((path, figures)) => {
                println!("{path}");
                for (name, value) in figures {
                    println!("{name:<20} {value}");
                }
                Ran::Done
            }
            Err(message) => complain(&message),
        }
    }

    fn roots(&mut self) -> Ran {
        if let Err(message) = self.vm.heap_figures() {
            return complain(&message);
        }
        for (name, ty) in self.vm.known_roots() {
            println!("{name} {ty}");
        }
        Ran::Done
    }
}

fn complain(message: &str) -> Ran {
    eprintln!("pgo: {message}");
    Ran::Failed
}

/// Three digits and a unit.
fn duration(d: Duration) -> String {
    let nanos = d.as_nanos() as f64;
    let (value, unit) = match nanos {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let digits = match value {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}

/// What is known everywhere.
const PREDECLARED: &[(&str, &str)] = &[
    (
        "append",
        "func append(s []T, x ...T) []T\n    s with the values behind its elements; in the heap that s is in",
    ),
    (
        "cap",
        "func cap(x) int\n    how many elements a slice, array or channel has room for",
    ),
    (
        "clear",
        "func clear(m)\n    deletes a map's entries, or zeroes a slice's elements",
    ),
    (
        "close",
        "func close(c chan T)\n    nothing more will be sent on c",
    ),
    (
        "copy",
        "func copy(dst, src []T) int\n    copies as many elements as both have, and says how many",
    ),
    (
        "delete",
        "func delete(m map[K]V, key K)\n    removes an entry, if there is one",
    ),
    (
        "len",
        "func len(x) int\n    the length of a string, slice, array, map or channel",
    ),
    (
        "make",
        "func make(T, sizes ...int) T\n    a slice, map or channel in the volatile heap",
    ),
    ("max", "func max(x, y ...) T\n    the largest of the values"),
    (
        "min",
        "func min(x, y ...) T\n    the smallest of the values",
    ),
    (
        "new",
        "func new(T) *T; func new(expr) *T\n    a zeroed variable, or one with that value, in the volatile heap",
    ),
    (
        "panic",
        "func panic(v any)\n    ends the function and its callers, unless a deferred function recovers; transactions are rolled back",
    ),
    (
        "persist",
        "func persist(x T) T\n    a copy of x and of all that it refers to, in the persistent heap",
    ),
    (
        "pmake",
        "func pmake(T, sizes ...int) T\n    a slice or map in the persistent heap",
    ),
    (
        "pnew",
        "func pnew(T) *T; func pnew(expr) *T\n    a zeroed variable, or one with that value, in the persistent heap",
    ),
    (
        "pvar",
        "pvar name T; pvar name = expr\n    a persistent variable: a root of the heap; the value is given only if the heap has none yet",
    ),
    (
        "recover",
        "func recover() any\n    in a deferred function: ends a panic and gives its value",
    ),
    (
        "txn",
        "txn <> { ... }\n    runs the block atomically: after a crash all its persistent stores are there, or none; a panic rolls it back",
    ),
];
