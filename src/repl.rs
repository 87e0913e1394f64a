//! `pgo repl`: reads a chunk of script, compiles it into the growing program, runs it, prints the
//! value of an expression. The parser decides whether input is complete.
use crate::cli::HeapArgs;
use crate::packages::Packages;
use crate::render;
use crate::run::{fail, heap_choice, options};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Completer, Editor, Helper, Highlighter, Hinter};
use std::path::PathBuf;
use vm::{HeapChoice, Outcome, Vm};

#[derive(Completer, Helper, Highlighter, Hinter)]
struct Input;

impl Validator for Input {
    fn validate(&self, ctx: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        Ok(if lang::is_incomplete(ctx.input()) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

/// Where the history is kept; `None` without a home folder.
fn history_path() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| {
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"))
    })?;
    Some(state.join("pgo/history"))
}

/// Runs the session; gives the exit status.
pub fn repl(heap: &HeapArgs) -> i32 {
    let mut editor: Editor<Input, DefaultHistory> = match Editor::new() {
        Ok(editor) => editor,
        Err(e) => return fail(&format!("no terminal: {e}")),
    };
    editor.set_helper(Some(Input));
    let history = history_path();
    if let Some(path) = &history {
        // There is none the first time.
        let _ = editor.load_history(path);
    }
    let choice = match heap_choice(heap, None) {
        HeapChoice::Default(_) => HeapChoice::Unnamed,
        choice => choice,
    };
    let mut vm = Vm::new(
        options(vec!["pgo".to_string()], choice, heap),
        stdlib::natives(),
    );
    let packages = Packages::of_program(".");
    let mut session = lang::Session::new(&packages);
    println!("pgo {} (Ctrl-D leaves)", env!("CARGO_PKG_VERSION"));
    let status = loop {
        match editor.readline("> ") {
            Ok(text) => {
                if text.trim().is_empty() {
                    continue;
                }
                let _ = editor.add_history_entry(&text);
                match session.chunk(&text) {
                    Err(diagnostics) => {
                        render::report(&diagnostics, session.sources(), render::ERRORS_MAX);
                    }
                    Ok(entry) => {
                        vm.load(session.program());
                        if let Outcome::Exit(status) = vm.run(entry) {
                            break status;
                        }
                    }
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break 0,
            Err(e) => break fail(&format!("terminal: {e}")),
        }
    };
    if let Some(path) = &history {
        if let Some(folder) = path.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        let _ = editor.save_history(path);
    }
    match vm.close() {
        Ok(()) => status,
        Err(e) => status.max(fail(&e.to_string())),
    }
}
