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
use input::Wish;
use lang::bytecode::program::FuncIdx;
use lang::session::{Mode, Session};
use rustyline::error::ReadlineError;
use std::io::{IsTerminal, Read};
use std::os::fd::AsRawFd;
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};
use vm::{HeapChoice, Outcome, Vm};

/// A session and the machine that runs it.
struct Repl<'a> {
    packages: &'a Packages,
    heap: HeapArgs,
    session: Session<'a>,
    vm: Vm,
    /// Waits for the editor, once it has been compiled.
    waiting: Option<FuncIdx>,
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
            waiting: None,
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
        self.waiting = None;
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

    /// Lets goroutines run until the descriptor can be read; the exit status if one of them ends the program.
    fn wait(&mut self, fd: i32) -> Option<i32> {
        let entry = match self.waiting {
            Some(entry) => entry,
            None => {
                let text = format!("import \"internal/show\"\nshow.Wait({fd})");
                let chunk = self.session.chunk("repl", text.as_bytes(), Mode::Aside);
                let entry = chunk.expect("a right text").entry;
                self.vm.load(self.session.program());
                *self.waiting.insert(entry)
            }
        };
        match self.vm.run(entry) {
            Outcome::Exit(status) => Some(status),
            _ => None,
        }
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
        false => {
            vm::signals::die_of_closed_pipes();
            batch::read(repl)
        }
    }
}

fn interact(mut repl: Repl<'_>) -> i32 {
    println!(
        "pgo {}  (:help shows what there is, Ctrl-D leaves)",
        env!("CARGO_PKG_VERSION")
    );
    let (wishes, bell) = match input::start() {
        Ok(started) => started,
        Err(e) => return fail(&format!("no terminal: {e}")),
    };
    let status = loop {
        // Goroutines that were started run until the user wants something.
        let wish = match wishes.try_recv() {
            Ok(wish) => wish,
            Err(TryRecvError::Disconnected) => break 0,
            Err(TryRecvError::Empty) if repl.vm.has_goroutines() => {
                match repl.wait(bell.as_raw_fd()) {
                    Some(status) => {
                        restore_terminal();
                        break status;
                    }
                    None => {
                        let _ = (&bell).read(&mut [0; 64]);
                        continue;
                    }
                }
            }
            Err(TryRecvError::Empty) => match wishes.recv() {
                Ok(wish) => wish,
                Err(_) => break 0,
            },
        };
        // Nobody waits for an answer any more when the editor has ended.
        let _ = match wish {
            Wish::Candidates(before, answer) => answer
                .send(complete::candidates(&mut repl, &before))
                .is_ok(),
            Wish::Signature(callee, answer) => answer.send(repl.session.signature(&callee)).is_ok(),
            Wish::Run(Ok(text), done) => {
                if let Ran::Leave(status) = repl.input(&text) {
                    break status;
                }
                done.send(()).is_ok()
            }
            // The line is cleared.
            Wish::Run(Err(ReadlineError::Interrupted), done) => done.send(()).is_ok(),
            Wish::Run(Err(ReadlineError::Eof), _) => break 0,
            Wish::Run(Err(e), _) => break fail(&format!("terminal: {e}")),
        };
    };
    repl.close(status)
}

/// A goroutine has ended the process while a line was being edited.
fn restore_terminal() {
    // As it was cannot be asked from here; without the command it stays as it is.
    let _ = std::process::Command::new("stty").arg("sane").status();
    println!("\x1b[?2004l");
}
