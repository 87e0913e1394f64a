//! `pgo repl`: an interactive session. Each input is a chunk of script, compiled into the growing program and run.
//! `input` edits lines, `complete` knows what may follow, `command` does what begins with a colon, `batch` reads chunks
//! from a file or pipe.
mod batch;
mod command;
mod complete;
mod input;

use crate::cli::HeapArgs;
use crate::packages::Packages;
use crate::render;
use crate::run::{fail, heap_choice, options};
use lang::session::{Mode, Session};
use rustyline::error::ReadlineError;
use std::cell::RefCell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};
use vm::{HeapChoice, Outcome, Vm};

/// A session and the machine that runs it.
struct Repl<'a> {
    packages: &'a Packages,
    heap: HeapArgs,
    session: Session<'a>,
    vm: Vm,
    /// At a terminal Ctrl-C ends the input that runs, not the process.
    interactive: bool,
}

/// How an input went.
enum Ran {
    Done,
    /// It has errors, or failed.
    Failed,
    /// The program, or the user, wants to leave with this exit status.
    Leave(i32),
}

/// How long compiling and running took.
#[derive(Default)]
struct Times {
    compiling: Duration,
    running: Duration,
}

fn machine(heap: &HeapArgs) -> Vm {
    let choice = match heap_choice(heap, None) {
        HeapChoice::Default(_) => HeapChoice::Unnamed,
        choice => choice,
    };
    Vm::new(
        options(vec!["pgo".to_string()], choice, heap),
        stdlib::natives(),
    )
}

impl<'a> Repl<'a> {
    fn new(packages: &'a Packages, heap: &HeapArgs) -> Repl<'a> {
        Repl {
            packages,
            heap: heap.clone(),
            session: Session::new(packages),
            vm: machine(heap),
            interactive: std::io::stdin().is_terminal(),
        }
    }

    /// Forgets all names and volatile values; the heap is opened anew by what uses it next.
    fn reset(&mut self) {
        if let Err(e) = self.vm.close() {
            fail(&e.to_string());
        }
        // A heap has its address; the old machine must be gone before the new one maps it.
        self.session = Session::new(self.packages);
        self.vm = machine(&self.heap);
    }

    /// An input: a chunk of script, a program, or a command.
    fn input(&mut self, text: &str) -> Ran {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ran::Done;
        }
        if let Some(line) = trimmed.strip_prefix(':') {
            return self.command(line);
        }
        if let Some(name) = trimmed.strip_prefix('?') {
            return self.command(&format!("doc {name}"));
        }
        self.run("repl", text.as_bytes(), Mode::Shown).0
    }

    fn run(&mut self, name: &str, text: &[u8], mode: Mode) -> (Ran, Times) {
        let mut times = Times::default();
        let start = Instant::now();
        let chunk = match self.session.chunk(name, text, mode) {
            Ok(chunk) => chunk,
            Err(diagnostics) => {
                render::report(&diagnostics, self.session.sources(), render::ERRORS_MAX);
                return (Ran::Failed, times);
            }
        };
        for note in &chunk.notes {
            eprintln!("note: {note}");
        }
        self.vm.load(self.session.program());
        times.compiling = start.elapsed();
        if self.interactive {
            vm::signals::interrupt_runs();
        }
        let start = Instant::now();
        let outcome = self.vm.run(chunk.entry);
        times.running = start.elapsed();
        let ran = match outcome {
            Outcome::Done => Ran::Done,
            Outcome::Exit(status) => Ran::Leave(status),
            Outcome::Panicked => Ran::Failed,
            Outcome::Interrupted => {
                eprintln!("interrupted");
                Ran::Failed
            }
        };
        (ran, times)
    }

    fn close(&mut self, status: i32) -> i32 {
        match self.vm.close() {
            Ok(()) => status,
            Err(e) => status.max(fail(&e.to_string())),
        }
    }
}

/// Runs the session; gives the exit status.
pub fn repl(heap: &HeapArgs) -> i32 {
    let packages = Packages::of_program(".");
    let repl = Repl::new(&packages, heap);
    match repl.interactive {
        true => interact(repl),
        false => batch::read(repl),
    }
}

fn interact(repl: Repl<'_>) -> i32 {
    let repl = RefCell::new(repl);
    let mut editor = match input::editor(&repl) {
        Ok(editor) => editor,
        Err(e) => return fail(&format!("no terminal: {e}")),
    };
    println!(
        "pgo {}  (:help shows what there is, Ctrl-D leaves)",
        env!("CARGO_PKG_VERSION")
    );
    let status = loop {
        match editor.readline(input::PROMPT) {
            Ok(text) => {
                input::remember(&mut editor, &text);
                if let Ran::Leave(status) = repl.borrow_mut().input(&text) {
                    break status;
                }
            }
            // The line is cleared.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break 0,
            Err(e) => break fail(&format!("terminal: {e}")),
        }
    };
    drop(editor);
    repl.into_inner().close(status)
}
