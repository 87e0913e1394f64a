//! Golden tests: every program under `tests/` is run by the real command; what it prints stands in
//! `tests/snapshots/` beside its source. A program's first line is its recipe:
//!
//! - `// run`: standard output, standard error, exit status; the same when both heaps are collected
//!   at every allocation
//! - `// run unstressed`: only once, as that would take too long
//! - `// errors`: what `pgo check` reports
//! - `// disasm`: its bytecode
//!
//! Files under `tests/fmt/` have no recipe: they are formatted, and the result once more.
//!
//! A folder under `tests/persist/` holds numbered programs that run one after another on one heap,
//! each a process of its own. A folder under `tests/test/` is a package whose tests are run with the
//! arguments in the first line of `a_test.pgo`. `INSTA_UPDATE=always cargo test --test golden` blesses new output.
use std::fmt::Write;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder for the heap and other files of one test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("scratch folder");
        Scratch(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs the command on a program, in the scratch folder; gives all that it printed.
fn pgo(args: &[&str], program: &Path, scratch: &Scratch, stress: bool) -> String {
    let program = program.canonicalize().expect("the program's path");
    let folder = program.parent().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgo"));
    command
        .args(args)
        .arg(&program)
        .current_dir(&scratch.0)
        .stdin(Stdio::null())
        .env_remove("PGO_HEAP")
        .env("NO_COLOR", "1");
    if stress {
        command.env("PGO_GC_STRESS", "1");
    }
    let output = command.output().expect("pgo starts");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    if !errors.is_empty() {
        write!(text, "[stderr]\n{errors}").unwrap();
    }
    match output.status.code() {
        Some(0) => {}
        Some(code) => writeln!(text, "[exit {code}]").unwrap(),
        None => writeln!(text, "[killed: {}]", output.status).unwrap(),
    }
    let text = without_code_addresses(&text.replace(&format!("{}/", folder.display()), ""));
    let text = without_times(&text);
    assert!(
        !text.contains("panicked at"),
        "the command itself panicked:\n{text}"
    );
    text
}

/// How long a migration took differs too.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        match line.rsplit_once(" in ") {
            Some((head, tail)) if line.contains(": migrated ") && tail.ends_with(" ms\n") => {
                out.push_str(head);
                out.push_str(" in … ms\n");
            }
            _ => out.push_str(line),
        }
    }
    out
}

/// Where the code lies differs from run to run.
fn without_code_addresses(text: &str) -> String {
    let mut parts = text.split(" pc=0x");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        out.push_str(" pc=0x…");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    out
}

fn recipe(source: &str) -> Vec<&'static str> {
    match source.lines().next() {
        Some("// run" | "// run unstressed") => vec!["run"],
        Some("// errors") => vec!["check"],
        Some("// disasm") => vec!["disasm"],
        line => panic!("no recipe on the first line: {line:?}"),
    }
}

fn is_stressed(source: &str) -> bool {
    !source.starts_with("// run unstressed")
}

fn compare(path: &Path, source: &str, printed: &str) {
    let name: Vec<_> = path.iter().skip_while(|p| *p != "tests").skip(1).collect();
    let name = name.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>();
    insta::with_settings!({
        snapshot_path => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
        description => source,
    }, {
        insta::assert_snapshot!(name.join("-").replace(".pgo", ""), printed);
    });
}

fn program(path: &Path) -> datatest_stable::Result<()> {
    let source = std::fs::read_to_string(path)?;
    let args = recipe(&source);
    let scratch = Scratch::new(&path.to_string_lossy().replace(['/', '.'], "_"));
    let printed = pgo(&args, path, &scratch, false);
    compare(path, &source, &printed);
    if args == ["run"] && is_stressed(&source) {
        let stressed = pgo(&args, path, &scratch, true);
        assert_eq!(
            printed, stressed,
            "collecting at every allocation changes it"
        );
    }
    Ok(())
}

/// The first program of a folder stands for all of them.
fn persist(path: &Path) -> datatest_stable::Result<()> {
    let folder = path.parent().expect("a folder");
    let sources: Vec<String> = (1..)
        .map_while(|number| std::fs::read_to_string(folder.join(format!("{number}.pgo"))).ok())
        .collect();
    let run_all = |stress| {
        let scratch = Scratch::new(&folder.to_string_lossy().replace(['/', '.'], "_"));
        let mut printed = String::new();
        for (number, source) in (1..).zip(&sources) {
            let mut args = recipe(source);
            if !source.contains("pmem.Init(") {
                args.extend(["--heap", "test.pheap"]);
            }
            let step = folder.join(format!("{number}.pgo"));
            let text = pgo(&args, &step, &scratch, stress);
            write!(printed, "--- {number}.pgo\n{text}").expect("a string takes all");
        }
        printed
    };
    let printed = run_all(false);
    let all = (1..).zip(&sources);
    let all = all.map(|(number, source)| format!("--- {number}.pgo\n{source}"));
    compare(folder, &all.collect::<String>(), &printed);
    if sources.iter().all(|source| is_stressed(source)) {
        assert_eq!(
            printed,
            run_all(true),
            "collecting at every allocation changes it"
        );
    }
    Ok(())
}

/// Formats a text; gives the result and the errors.
fn formatted(text: &[u8]) -> std::io::Result<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pgo"))
        .args(["fmt", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().expect("a pipe").write_all(text)?;
    let output = child.wait_with_output()?;
    let all = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&all).into_owned())
}

fn format(path: &Path) -> datatest_stable::Result<()> {
    let text = std::fs::read(path)?;
    let once = formatted(&text)?;
    compare(path, &String::from_utf8_lossy(&text), &once);
    assert_eq!(
        once,
        formatted(once.as_bytes())?,
        "not formatted twice the same"
    );
    Ok(())
}

/// A package's tests, run in its folder.
fn package_test(path: &Path) -> datatest_stable::Result<()> {
    let folder = path.parent().expect("a folder");
    let source = std::fs::read_to_string(path)?;
    let recipe = source
        .lines()
        .next()
        .and_then(|l| l.strip_prefix("// test"));
    let args = recipe.expect("a recipe").split_whitespace();
    let output = Command::new(env!("CARGO_BIN_EXE_pgo"))
        .arg("test")
        .args(args)
        .current_dir(folder)
        .env_remove("PGO_HEAP")
        .env("NO_COLOR", "1")
        .output()?;
    let mut text = String::new();
    let mut in_trace = false;
    let is_digit = |c: char| c.is_ascii_digit();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        // Times differ, and the frames of the library change with it.
        in_trace &= !line.starts_with("exit status");
        if in_trace {
            continue;
        }
        in_trace = line.starts_with("goroutine ");
        let line = match line.rsplit_once('\t') {
            Some((head, time)) if time.starts_with(is_digit) => {
                let note = time.split_once('s').map_or("", |(_, note)| note);
                format!("{head}\t…s{note}")
            }
            _ => match line.rsplit_once(" (") {
                Some((head, time)) if time.starts_with(is_digit) && time.ends_with("s)") => {
                    format!("{head} (…s)")
                }
                _ => line.to_string(),
            },
        };
        writeln!(text, "{line}")?;
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    if !errors.is_empty() {
        write!(text, "[stderr]\n{errors}")?;
    }
    writeln!(text, "[exit {}]", output.status.code().unwrap_or(-1))?;
    let absolute = folder.canonicalize()?.display().to_string();
    compare(folder, &source, &text.replace(&absolute, "…"));
    Ok(())
}

datatest_stable::harness! {
    { test = program, root = "tests/run", pattern = r"\.pgo$" },
    { test = program, root = "tests/errors", pattern = r"\.pgo$" },
    { test = program, root = "tests/panic", pattern = r"\.pgo$" },
    { test = program, root = "tests/disasm", pattern = r"\.pgo$" },
    { test = format, root = "tests/fmt", pattern = r"\.pgo$" },
    { test = persist, root = "tests/persist", pattern = r"/1\.pgo$" },
    { test = package_test, root = "tests/test", pattern = r"/a_test\.pgo$" },
}
