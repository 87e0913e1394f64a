//! A measure of the parser: reads every `.go` and `.pgo` file under the given folders, parses them,
//! and prints how many there were, how fast it went, and every error.
//! `cargo run --release -p lang --example parse_tree -- FOLDER…`; `-v` prints all errors of a file.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let Ok(entries) = std::fs::read_dir(path) else {
            return;
        };
        let mut entries: Vec<_> = entries.flatten().map(|e| e.path()).collect();
        entries.sort();
        for entry in entries {
            collect(&entry, files);
        }
    } else if path.extension().is_some_and(|e| e == "go" || e == "pgo") {
        files.push(path.to_owned());
    }
}

fn measure() {
    let verbose = std::env::args().any(|arg| arg == "-v");
    let mut files = Vec::new();
    for folder in std::env::args().skip(1).filter(|arg| arg != "-v") {
        collect(Path::new(&folder), &mut files);
    }
    let mut time = Duration::ZERO;
    let (mut bytes, mut failed) = (0, 0);
    for file in &files {
        let Ok(text) = std::fs::read(file) else {
            continue;
        };
        bytes += text.len();
        let start = Instant::now();
        let errors = lang::parse_only(&file.display().to_string(), text);
        time += start.elapsed();
        failed += usize::from(!errors.is_empty());
        let shown = if verbose { errors.len() } else { 1 };
        for error in errors.iter().take(shown) {
            println!("{error}");
        }
    }
    let megabytes = bytes as f64 / 1e6;
    let speed = megabytes / time.as_secs_f64();
    println!(
        "{} files, {megabytes:.1} MB, {speed:.1} MB/s, {failed} with errors",
        files.len()
    );
}

fn main() {
    // The depth that the parser allows wants more than the first thread's stack.
    let thread = std::thread::Builder::new()
        .stack_size(1 << 30)
        .spawn(measure);
    thread.expect("a thread").join().expect("no panic");
}
