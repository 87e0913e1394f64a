//! `pgo heap …`: looks into heap files and works on them, without the programs that wrote them. A file a subcommand.
mod backup;
mod check;
mod compact;
mod exchange;
mod export;
mod gc;
mod graph;
mod import;
mod json;
mod look;
mod migrate;
mod path;
mod print;
mod reach;
mod stat;
mod svg;
mod table;
mod time;
mod value;

use std::io::IsTerminal;
use std::path::Path;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

/// One a line, sorted, so that subcommands are added without touching others.
#[derive(Subcommand)]
pub enum HeapCommand {
    /// Copy a heap as of its last commit, also while a program is using it
    Backup(backup::BackupArgs),
    /// Check a whole heap; one in use, as of its last commit
    Check(check::Args),
    /// Rewrite a heap that is not in use without garbage and gaps
    Compact(compact::Args),
    /// Write a heap as JSON, from which an equal one can be made
    Export(export::Args),
    /// Free what no root reaches, in a heap that is not in use
    Gc(gc::Args),
    /// Draw objects and what refers to what, as DOT or SVG
    Graph(graph::Args),
    /// Make a heap from the JSON of an export
    Import(import::Args),
    /// Print what the last commits touched
    Log(stat::LogArgs),
    /// List the named roots
    Ls(look::LsArgs),
    /// Give a heap the types of a program, or say what would change
    Migrate(migrate::Args),
    /// Put a backup in a heap's place
    Restore(backup::RestoreArgs),
    /// Print a value, found by its path
    Show(look::ShowArgs),
    /// Print sizes: of the files, by type and by root
    Stat(stat::StatArgs),
}

/// Gives the exit status: 0, or 1 for what could not be done or was found wrong.
pub fn heap(command: &HeapCommand) -> i32 {
    let done = match command {
        HeapCommand::Backup(args) => backup::backup(args),
        HeapCommand::Check(args) => check::run(args),
        HeapCommand::Compact(args) => compact::run(args),
        HeapCommand::Export(args) => export::run(args),
        HeapCommand::Gc(args) => gc::run(args),
        HeapCommand::Graph(args) => graph::run(args),
        HeapCommand::Import(args) => import::run(args),
        HeapCommand::Log(args) => stat::log(args),
        HeapCommand::Ls(args) => look::ls(args),
        HeapCommand::Migrate(args) => Ok(migrate::run(args)),
        HeapCommand::Restore(args) => backup::restore(args),
        HeapCommand::Show(args) => look::show(args),
        HeapCommand::Stat(args) => stat::stat(args),
    };
    match done {
        Ok(status) => status,
        Err(error) => crate::run::fail(&error.to_string()),
    }
}

fn exists_already(path: &Path) -> i32 {
    crate::run::fail(&format!(
        "{}: exists already; name another file, or replace it with --force",
        path.display()
    ))
}

/// How far a long job is; on a terminal only.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new() -> Bar {
        let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes}");
        Bar(style
            .ok()
            .filter(|_| std::io::stderr().is_terminal())
            .map(|style| ProgressBar::new(0).with_style(style)))
    }

    fn set(&mut self, done: u64, of: u64) {
        if let Some(bar) = &self.0 {
            bar.set_length(of);
            bar.set_position(done);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
