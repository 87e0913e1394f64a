//! `pgo fmt`: formats files in place, or standard input to standard output.
use crate::packages::{display, is_source_name, read, reason};
use crate::render;
use crate::run::{STATUS_NOT_COMPILED, fail};
use clap::Args;
use std::fs;
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

#[derive(Args)]
#[command(
    after_help = "Files are rewritten in place, and the names of those that changed are printed; folders \
                  are searched for .pgo and .go files. Without a path, standard input is formatted to \
                  standard output if it is piped, else the folder that one is in."
)]
pub struct FmtArgs {
    #[arg(value_name = "FILE|FOLDER|-")]
    paths: Vec<String>,
    /// Change nothing: print the names of files that are not formatted; exit status 1 if there are any
    #[arg(long)]
    check: bool,
    /// Change nothing: print what would change, as a unified diff
    #[arg(short = 'd', long)]
    diff: bool,
}

/// What is done with the result.
#[derive(Clone, Copy)]
struct Mode {
    check: bool,
    diff: bool,
}

/// What came of it, over all files.
#[derive(Default)]
struct Outcome {
    failed: bool,
    differs: bool,
}

/// Gives the exit status.
pub fn fmt(args: &FmtArgs) -> i32 {
    let mode = Mode {
        check: args.check,
        diff: args.diff,
    };
    let mut outcome = Outcome::default();
    let from_stdin = args.paths.is_empty() && !std::io::stdin().is_terminal();
    let here = [".".to_string()];
    let paths = match &args.paths[..] {
        [] => &here[..],
        paths => paths,
    };
    if from_stdin || paths == ["-"] {
        format_stdin(mode, &mut outcome);
    } else {
        for path in paths {
            format_path(path, mode, &mut outcome);
        }
    }
    match outcome {
        Outcome { failed: true, .. } => STATUS_NOT_COMPILED,
        Outcome { differs: true, .. } if mode.check => 1,
        _ => 0,
    }
}

fn format_stdin(mode: Mode, outcome: &mut Outcome) {
    let mut text = Vec::new();
    if let Err(e) = std::io::stdin().read_to_end(&mut text) {
        fail(&format!("standard input: {}", reason(&e)));
        outcome.failed = true;
        return;
    }
    let name = "<standard input>";
    let Some(formatted) = formatted(name, &text, outcome) else {
        return;
    };
    outcome.differs |= formatted.as_bytes() != text;
    if mode.diff {
        print_diff("stdin", &text, &formatted, outcome);
    } else if mode.check {
        if outcome.differs {
            print(&format!("{name}\n"), outcome);
        }
    } else {
        print(&formatted, outcome);
    }
}

/// A file, or all source files of a folder and those below it.
fn format_path(path: &str, mode: Mode, outcome: &mut Outcome) {
    let path = Path::new(path);
    if !path.is_dir() {
        return format_file(path, mode, outcome);
    }
    let mut files = Vec::new();
    if let Err(message) = collect(path, &mut files) {
        fail(&message);
        outcome.failed = true;
    }
    for file in files {
        format_file(&file, mode, outcome);
    }
}

/// Finds a folder's source files, sorted; hidden files and folders are left out.
fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |e| format!("{}: {}", dir.display(), reason(&e));
    let entries = fs::read_dir(dir).map_err(failed)?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        // A link to a folder is not followed, as it may lead back up.
        if path.is_dir() && !path.is_symlink() {
            collect(&path, files)?;
        } else if is_source_name(&name) && path.is_file() {
            files.push(match path.strip_prefix("./") {
                Ok(short) => short.to_path_buf(),
                Err(_) => path,
            });
        }
    }
    Ok(())
}

fn format_file(path: &Path, mode: Mode, outcome: &mut Outcome) {
    let name = display(path);
    let text = match read(path) {
        Ok(text) => text,
        Err(message) => {
            fail(&message);
            outcome.failed = true;
            return;
        }
    };
    let Some(formatted) = formatted(&name, &text, outcome) else {
        return;
    };
    if formatted.as_bytes() == text {
        return;
    }
    outcome.differs = true;
    if mode.diff {
        return print_diff(&name, &text, &formatted, outcome);
    }
    if !mode.check
        && let Err(e) = replace(path, formatted.as_bytes())
    {
        fail(&format!("{name}: {}", reason(&e)));
        outcome.failed = true;
        return;
    }
    print(&format!("{name}\n"), outcome);
}

/// Reports syntax errors.
fn formatted(name: &str, text: &[u8], outcome: &mut Outcome) -> Option<String> {
    match lang::fmt::format(name, text) {
        Ok(formatted) => Some(formatted),
        Err(failure) => {
            render::report(&failure.diagnostics, &failure.sources, render::ERRORS_MAX);
            outcome.failed = true;
            None
        }
    }
}

/// Puts a file's new content in its place at once, permissions kept: whoever reads it at any time, or
/// after a crash, has the one or the other whole.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let permissions = fs::metadata(&path)?.permissions();
    if permissions.readonly() {
        return Err(std::io::ErrorKind::PermissionDenied.into());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = fs::File::create_new(&temporary).and_then(|mut file| {
        file.write_all(content)?;
        file.set_permissions(permissions)?;
        file.sync_all()
    });
    let replaced = written.and_then(|()| fs::rename(&temporary, &path));
    if replaced.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    replaced
}

/// A reader that goes away ends the printing, not the formatting.
fn print(text: &str, outcome: &mut Outcome) {
    let mut out = std::io::stdout().lock();
    if out
        .write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        outcome.failed = true;
    }
}

fn print_diff(name: &str, before: &[u8], after: &str, outcome: &mut Outcome) {
    let before = String::from_utf8_lossy(before);
    let diff = similar::TextDiff::from_lines(before.as_ref(), after);
    let mut unified = diff.unified_diff();
    let unified = unified
        .context_radius(3)
        .header(&format!("{name}.orig"), name)
        .to_string();
    if !unified.is_empty() {
        print(&format!("diff {name}.orig {name}\n{unified}"), outcome);
    }
}
