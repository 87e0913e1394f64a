//! `pgo heap backup` and `pgo heap restore`: copies of a heap as of a commit, checked before they are relied on.
use std::path::{Path, PathBuf};

use super::{Bar, exists_already};
use crate::quote::quoted;

#[derive(clap::Args)]
pub struct BackupArgs {
    /// The heap file
    file: PathBuf,
    /// The copy to make
    dest: PathBuf,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args)]
pub struct RestoreArgs {
    /// The copy that `pgo heap backup` made
    backup: PathBuf,
    /// The heap file to be
    file: PathBuf,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args)]
struct How {
    /// Replace the file if there is one, unless a program is using it
    #[arg(long)]
    force: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

pub fn backup(args: &BackupArgs) -> pheap::Result<i32> {
    copy(&args.file, &args.dest, &args.how, false)
}

pub fn restore(args: &RestoreArgs) -> pheap::Result<i32> {
    copy(&args.backup, &args.file, &args.how, true)
}

/// A restored heap is checked before it replaces another, a backup when it is there.
fn copy(from: &Path, to: &Path, how: &How, restore: bool) -> pheap::Result<i32> {
    if to.exists() && !how.force {
        return Ok(exists_already(to));
    }
    if restore && !check(from)? {
        return Ok(1);
    }
    let mut bar = Bar::new();
    let done = pheap::backup(from, to, &mut |done, of| bar.set(done, of))?;
    drop(bar);
    if !restore && !check(to)? {
        return Ok(1);
    }
    if how.json {
        println!(
            "{{\"file\":{},\"commit\":{},\"bytes\":{},\"copied_pages\":{},\"rounds\":{}}}",
            quoted(&to.to_string_lossy()),
            done.lsn,
            done.file_bytes,
            done.copied_pages,
            done.rounds
        );
    } else {
        println!(
            "{}: as of commit {}, {} bytes, checked",
            to.display(),
            done.lsn,
            done.file_bytes
        );
    }
    Ok(0)
}

fn check(path: &Path) -> pheap::Result<bool> {
    let report = pheap::open_read_only(path, pheap::Options::default())?.check()?;
    if let Some(problem) = report.problems.first() {
        crate::run::fail(&format!(
            "{}: damaged at offset {}: {}; nothing relies on it: make another copy",
            path.display(),
            problem.offset,
            problem.what
        ));
    }
    Ok(report.is_ok())
}
