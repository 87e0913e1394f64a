//! Editing of input, on a thread of its own, so that goroutines run while the user types: the language's own parser says
//! when an input is complete, its lexer what colours it has. What the session knows is asked from the thread that has it.
use crate::render;
use lang::highlight::{Class, classes};
use rustyline::completion::{Completer, Pair};
use rustyline::config::{ColorMode, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Editor, Helper};
use std::borrow::Cow;
use std::cell::RefCell;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

const PROMPT: &str = "> ";

/// The parser recurses with the nesting of what is typed.
const EDITOR_STACK_BYTES: usize = 1 << 28;

/// Entries that the history keeps.
const HISTORY_MAX: usize = 10_000;

/// What the editor wants.
pub enum Wish {
    /// This input to be run; answered when the next one may be typed.
    Run(Result<String, ReadlineError>, Sender<()>),
    /// What may stand at the end of the text.
    Candidates(String, Sender<(usize, Vec<Pair>)>),
    /// How a function is called.
    Signature(String, Sender<Option<String>>),
}

/// The editor's end of the line to the session.
struct Line {
    wishes: Sender<Wish>,
    /// Becomes readable when there is a wish: what goroutines run beside.
    bell: UnixStream,
}

impl Line {
    /// Asks and waits; None when the session is over.
    fn ask<T>(&self, wish: impl FnOnce(Sender<T>) -> Wish) -> Option<T> {
        let (sender, answer) = channel();
        self.wishes.send(wish(sender)).ok()?;
        (&self.bell).write_all(&[0]).ok()?;
        answer.recv().ok()
    }
}

struct Input {
    line: Line,
    colour: bool,
    /// The last callee and what it is: hints are asked for at every key.
    callee: RefCell<(String, Option<String>)>,
}

/// Starts the editor; gives its wishes, and what becomes readable when there is one.
pub fn start() -> std::io::Result<(Receiver<Wish>, UnixStream)> {
    let (here, there) = UnixStream::pair()?;
    here.set_nonblocking(true)?;
    let (wishes, receiver) = channel();
    let line = Line {
        wishes,
        bell: there,
    };
    thread::Builder::new()
        .name("editor".to_string())
        .stack_size(EDITOR_STACK_BYTES)
        .spawn(|| edit(line))?;
    Ok((receiver, here))
}

fn edit(line: Line) {
    let mut editor = match editor(line) {
        Ok(editor) => editor,
        Err((line, e)) => {
            line.ask(|done| Wish::Run(Err(e), done));
            return;
        }
    };
    loop {
        let read = editor.readline(PROMPT);
        if let Ok(text) = &read {
            remember(&mut editor, text);
        }
        let Some(input) = editor.helper() else {
            return;
        };
        if input.line.ask(|done| Wish::Run(read, done)).is_none() {
            return;
        }
    }
}

/// Whether more lines are needed.
pub fn is_incomplete(text: &str) -> bool {
    let trimmed = text.trim_start();
    if trimmed.starts_with([':', '?']) {
        return false;
    }
    lang::is_incomplete(text)
}

/// Whether it begins with a package clause.
pub fn is_program(text: &str) -> bool {
    lang::is_program(text)
}

impl Validator for Input {
    fn validate(&self, ctx: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = ctx.input();
        // A program may be typed or pasted line by line: an empty line ends it.
        let goes_on = is_program(text) && !text.ends_with('\n');
        Ok(match is_incomplete(text) || goes_on {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

fn colour(class: Class) -> &'static str {
    match class {
        Class::Keyword => "\x1b[35m",
        Class::Predeclared => "\x1b[36m",
        Class::Number => "\x1b[33m",
        Class::String => "\x1b[32m",
        Class::Comment => "\x1b[90m",
        Class::Call => "\x1b[34m",
    }
}

impl Highlighter for Input {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if !self.colour || line.starts_with([':', '?']) {
            return Cow::Borrowed(line);
        }
        let mut out = String::new();
        let mut at = 0;
        for (range, class) in classes(line) {
            let Some(word) = line.get(range.clone()).filter(|_| range.start >= at) else {
                continue;
            };
            out.push_str(&line[at..range.start]);
            out.push_str(colour(class));
            out.push_str(word);
            out.push_str("\x1b[0m");
            at = range.end;
        }
        out.push_str(&line[at..]);
        Cow::Owned(out)
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        match self.colour {
            true => Cow::Owned(format!("\x1b[90m{hint}\x1b[0m")),
            false => Cow::Borrowed(hint),
        }
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.colour
    }
}

/// Shows how the function is called whose arguments are being typed; nothing to be taken over.
pub struct Signature(String);

impl Hint for Signature {
    fn display(&self) -> &str {
        &self.0
    }
    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Input {
    type Hint = Signature;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<Signature> {
        if pos < line.len() || line.starts_with([':', '?']) {
            return None;
        }
        let (callee, _) = lang::highlight::callee_before(line)?;
        let mut known = self.callee.borrow_mut();
        if known.0 != callee {
            let wish = |answer| Wish::Signature(callee.to_string(), answer);
            *known = (callee.to_string(), self.line.ask(wish).flatten());
        }
        known.1.as_ref().map(|s| Signature(format!("   {s}")))
    }
}

impl Completer for Input {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let wish = |answer| Wish::Candidates(line[..pos].to_string(), answer);
        Ok(self.line.ask(wish).unwrap_or((pos, Vec::new())))
    }
}

impl Helper for Input {}

type InputEditor = Editor<Input, DefaultHistory>;

/// Where the history is kept; `None` without a home folder.
fn history_path() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| {
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"))
    })?;
    Some(state.join("pgo/history"))
}

fn editor(line: Line) -> Result<InputEditor, (Line, ReadlineError)> {
    let colour = render::wants_colour();
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY_MAX)
        .and_then(|config| config.history_ignore_dups(true))
        .map(|config| {
            let mode = match colour {
                true => ColorMode::Enabled,
                false => ColorMode::Disabled,
            };
            config.color_mode(mode).tab_stop(4).build()
        });
    let mut editor = match config.and_then(Editor::with_config) {
        Ok(editor) => editor,
        Err(e) => return Err((line, e)),
    };
    editor.set_helper(Some(Input {
        line,
        colour,
        callee: RefCell::default(),
    }));
    if let Some(path) = history_path() {
        // There is none the first time.
        let _ = editor.load_history(&path);
    }
    Ok(editor)
}

/// Adds an entry to the history, on disk too: a session may end by a signal.
fn remember(editor: &mut InputEditor, text: &str) {
    if text.trim().is_empty() || !matches!(editor.add_history_entry(text.trim_end()), Ok(true)) {
        return;
    }
    if let Some(path) = history_path() {
        if let Some(folder) = path.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        let _ = editor.append_history(&path);
    }
}
