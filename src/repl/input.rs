//! Editing of input: the language's own parser says when it is complete, its lexer what colours it has.
use super::{Repl, complete};
use crate::render;
use lang::highlight::{Class, classes};
use rustyline::completion::{Completer, Pair};
use rustyline::config::{ColorMode, CompletionType, Config};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Editor, Helper};
use std::borrow::Cow;
use std::cell::RefCell;
use std::path::PathBuf;

pub const PROMPT: &str = "> ";

/// Entries that the history keeps.
const HISTORY_MAX: usize = 10_000;

pub struct Input<'r, 'a> {
    repl: &'r RefCell<Repl<'a>>,
    colour: bool,
    /// The last callee and what it is: hints are asked for at every key.
    callee: RefCell<(String, Option<String>)>,
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

impl Validator for Input<'_, '_> {
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

impl Highlighter for Input<'_, '_> {
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

impl Hinter for Input<'_, '_> {
    type Hint = Signature;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<Signature> {
        if pos < line.len() || line.starts_with([':', '?']) {
            return None;
        }
        let (callee, _) = lang::highlight::callee_before(line)?;
        let mut known = self.callee.borrow_mut();
        if known.0 != callee {
            let signature = self.repl.borrow_mut().session.signature(callee);
            *known = (callee.to_string(), signature);
        }
        known.1.as_ref().map(|s| Signature(format!("   {s}")))
    }
}

impl Completer for Input<'_, '_> {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(complete::candidates(
            &mut self.repl.borrow_mut(),
            &line[..pos],
        ))
    }
}

impl Helper for Input<'_, '_> {}

type InputEditor<'r, 'a> = Editor<Input<'r, 'a>, DefaultHistory>;

/// Where the history is kept; `None` without a home folder.
fn history_path() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| {
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"))
    })?;
    Some(state.join("pgo/history"))
}

pub fn editor<'r, 'a>(repl: &'r RefCell<Repl<'a>>) -> rustyline::Result<InputEditor<'r, 'a>> {
    let colour = render::wants_colour();
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY_MAX)?
        .history_ignore_dups(true)?
        .color_mode(match colour {
            true => ColorMode::Enabled,
            false => ColorMode::Disabled,
        })
        .tab_stop(4)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Input {
        repl,
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
pub fn remember(editor: &mut InputEditor<'_, '_>, text: &str) {
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
