//! `pgo watch`: runs a program, in a process of its own, again whenever one of its files changes.
use crate::packages::{Packages, input_from_paths, is_source_name};
use crate::run::fail;
use notify::{RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Editors write a file in several steps; changes so close together are one.
const SETTLING: Duration = Duration::from_millis(50);

/// Ends when it is told to (Ctrl-C); gives the exit status if it cannot begin.
pub fn watch(args: &[String], options: &[String]) -> i32 {
    let count = args.iter().take_while(|a| is_source_name(a)).count().max(1);
    let paths = &args[..count];
    if !paths.iter().all(|p| Path::new(p).exists()) {
        return fail(&format!("{}: no such file or directory", paths.join(" ")));
    }
    let (sender, changes) = channel();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if let Ok(event) = event
            && !event.kind.is_access()
        {
            for path in event.paths {
                // Nobody listens any more at the end.
                let _ = sender.send(path);
            }
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => watcher,
        Err(e) => return fail(&format!("cannot watch files: {e}")),
    };
    let mut folders = BTreeSet::new();
    loop {
        let files = files_of(paths);
        for file in &files {
            // Editors put new files in the places of old ones: the folder is what stays.
            let folder = file.parent().unwrap_or(Path::new("/")).to_path_buf();
            if !folders.contains(&folder)
                && watcher.watch(&folder, RecursiveMode::NonRecursive).is_ok()
            {
                folders.insert(folder);
            }
        }
        let mut child = match start(args, options) {
            Ok(child) => child,
            Err(e) => return fail(&format!("cannot start the program: {e}")),
        };
        let changed = wait(&changes, &files, &folders, &mut child);
        // What it has committed stays, whatever it is at.
        let _ = child.kill();
        let _ = child.wait();
        let Some(changed) = changed else {
            return 0;
        };
        let name = changed.file_name().unwrap_or_default().to_string_lossy();
        eprintln!("pgo: {name} has changed");
    }
}

fn start(args: &[String], options: &[String]) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(options).arg("run").args(args).spawn()
}

/// The program's own files, absolute: those that compiling it reads.
fn files_of(paths: &[String]) -> BTreeSet<PathBuf> {
    let mut files: BTreeSet<PathBuf> = paths.iter().map(PathBuf::from).collect();
    if let Ok(input) = input_from_paths(paths) {
        files.extend(input.files.iter().map(|(name, _)| PathBuf::from(name)));
        let source = Packages::of_program(&input.dir);
        let sources = match lang::compile(input.files, &input.dir, &source) {
            Ok(program) => program.sources,
            Err(failure) => failure.sources,
        };
        let own = sources.files().filter(|(_, file)| !file.is_library());
        files.extend(own.map(|(_, file)| PathBuf::from(file.name())));
    }
    files
        .into_iter()
        .filter_map(|file| std::path::absolute(file).ok())
        .collect()
}

/// Waits until one of the files, or another source file beside them, changes; says when the program ends meanwhile.
fn wait(
    changes: &Receiver<PathBuf>,
    files: &BTreeSet<PathBuf>,
    folders: &BTreeSet<PathBuf>,
    child: &mut Child,
) -> Option<PathBuf> {
    let mut has_ended = false;
    let matters = |path: &PathBuf| {
        let beside = path.parent().is_some_and(|p| folders.contains(p));
        files.contains(path) || beside && is_source_name(&path.to_string_lossy())
    };
    loop {
        match changes.recv_timeout(Duration::from_millis(200)) {
            Ok(path) if matters(&path) => {
                while changes.recv_timeout(SETTLING).is_ok() {}
                return Some(path);
            }
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => {
                if !has_ended && let Ok(Some(status)) = child.try_wait() {
                    has_ended = true;
                    let code = status
                        .code()
                        .map_or("by a signal".to_string(), |c| c.to_string());
                    eprintln!("pgo: ended ({code}), waiting for changes");
                }
            }
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}
