//! `pgo test`: runs the tests of packages and reports as `go test` does. Each package's tests run in
//! a process of their own (this command again, with `-child`), in the package's folder.
use crate::cli::{Durability, HeapArgs};
use crate::module::Module;
use crate::packages::{self, is_source_name, is_test_file, normal, sources_in};
use crate::{render, run, testmain};
use std::fs;
use std::io::{PipeReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use vm::{HeapChoice, Vm};

pub const FLAGS_HELP: &str = "Flags, with one hyphen or two, as VALUE or =VALUE:
  -v                 Name every test as it runs, and print all that is logged
  -run REGEXP        Run only these tests and examples (levels of subtests apart by '/')
  -skip REGEXP       Leave these out
  -bench REGEXP      Run these benchmarks too
  -benchtime 1s|100x How long, or how many times, each benchmark runs
  -benchmem          Show allocations of benchmarks
  -count N           Run everything N times
  -short             Ask long tests to take less time
  -failfast          Stop at the first failure
  -shuffle on|off|N  Run tests and benchmarks in a random order, or that of the seed N
  -list REGEXP       Only print the names of tests
  -timeout 10m       End a package's tests after this time
  -library PATH      The test files are of this package of the library
  -args ARGS…        What follows is for the tests: os.Args[1:]

Test files are named NAME_test.pgo or NAME_test.go. Tests use an ephemeral heap unless --heap is given.";

/// What the child writes first when the tests have been compiled: all before it are build errors.
const BUILT: &[u8] = b"\0built\n";

/// What package testing prints when nothing was chosen.
const NOTHING_RAN: &[u8] = b"testing: warning: no tests to run\n";

const STATUS_USAGE: i32 = 2;
const STATUS_FAILED: i32 = 1;

/// The arguments of `pgo test`.
#[derive(Default)]
struct Args {
    targets: Vec<String>,
    /// For package testing: `NAME` or `NAME=VALUE`.
    flags: Vec<String>,
    verbose: bool,
    timeout: Option<Duration>,
    library: Option<String>,
    /// Set in the child: the name of the package.
    child: Option<String>,
    rest: Vec<String>,
}

impl Args {
    fn parse(args: &[String]) -> Result<Args, String> {
        let mut parsed = Args::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let Some(flag) = arg.strip_prefix('-').filter(|flag| !flag.is_empty()) else {
                parsed.targets.push(arg.clone());
                continue;
            };
            let flag = flag.strip_prefix('-').unwrap_or(flag);
            let flag = flag.strip_prefix("test.").unwrap_or(flag);
            let (name, given) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_string())),
                None => (flag, None),
            };
            match name {
                "args" => {
                    parsed.rest.extend(args.by_ref().cloned());
                    break;
                }
                "v" | "short" | "failfast" | "benchmem" => {
                    match given.as_deref() {
                        None | Some("true" | "1") => {}
                        Some("false" | "0") => continue,
                        Some(value) => {
                            return Err(format!("invalid boolean value {value:?} for -{name}"));
                        }
                    }
                    parsed.verbose |= name == "v";
                    parsed.flags.push(name.to_string());
                }
                "run" | "skip" | "bench" | "benchtime" | "count" | "list" | "timeout"
                | "shuffle" | "library" | "child" => {
                    let value = given.or_else(|| args.next().cloned());
                    let value = value.ok_or_else(|| format!("flag needs an argument: -{name}"))?;
                    parsed.set(name, value)?;
                }
                _ => return Err(format!("flag provided but not defined: -{name}")),
            }
        }
        Ok(parsed)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        let invalid = || format!("invalid value {value:?} for flag -{name}: parse error");
        match name {
            "library" => self.library = Some(value),
            "child" => self.child = Some(value),
            _ => {
                let is_good = match name {
                    "count" => value.parse::<u32>().is_ok(),
                    "timeout" => {
                        self.timeout = Some(duration(&value).ok_or_else(invalid)?);
                        true
                    }
                    "shuffle" => {
                        matches!(value.as_str(), "on" | "off") || value.parse::<i64>().is_ok()
                    }
                    "benchtime" => match value.strip_suffix('x') {
                        Some(n) => n.parse::<u32>().is_ok_and(|n| n > 0),
                        None => duration(&value).is_some(),
                    },
                    _ => true,
                };
                if !is_good {
                    return Err(invalid());
                }
                // What benchmarks print is shown as it comes.
                self.verbose |= name == "bench" || name == "list";
                self.flags.push(format!("{name}={value}"));
            }
        }
        Ok(())
    }
}

/// Go's spelling of durations: `1h30m`, `1.5s`, `100ms`, `0`.
fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        seconds += number
            * match &rest[..unit] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    if text.is_empty() {
        return None;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

/// The files of one package to be tested.
struct Target {
    /// As results name it.
    label: String,
    /// As given: what the child is told.
    paths: Vec<String>,
    dir: PathBuf,
    files: Vec<PathBuf>,
}

/// Gives the exit status.
pub fn test(args: &[String], heap: &HeapArgs) -> i32 {
    let mut args = match Args::parse(args) {
        Ok(args) => args,
        Err(message) => {
            eprintln!("{message}\nusage: pgo test [FOLDER|FOLDER/...|FILE]… [FLAGS]");
            eprintln!("Run 'pgo test --help' for the flags.");
            return STATUS_USAGE;
        }
    };
    let given = !args.targets.is_empty();
    if !given {
        args.targets.push(".".to_string());
    }
    let targets = match targets(&args.targets) {
        Ok(targets) => targets,
        Err(message) => return run::fail(&message),
    };
    if args.child.is_some() {
        return run_child(&targets[0], &args, heap);
    }
    let is_shown = !given || args.verbose && targets.len() == 1;
    let mut failed = false;
    for target in &targets {
        if !target.files.iter().any(|path| is_test_file(path)) {
            println!("?   \t{}\t[no test files]", target.label);
            continue;
        }
        match run_target(target, &args, heap, is_shown) {
            Ok(passed) => failed |= !passed,
            Err(e) => return run::fail(&format!("{}: {}", target.label, packages::reason(&e))),
        }
    }
    if failed && given {
        println!("FAIL");
    }
    if failed { STATUS_FAILED } else { 0 }
}

/// The packages that the arguments name.
fn targets(args: &[String]) -> Result<Vec<Target>, String> {
    if args.iter().all(|arg| is_source_name(arg)) {
        let files: Vec<PathBuf> = args.iter().map(PathBuf::from).collect();
        let dir = files[0].parent().filter(|dir| !dir.as_os_str().is_empty());
        return Ok(vec![Target {
            label: "command-line-arguments".to_string(),
            paths: args.to_vec(),
            dir: dir.unwrap_or(Path::new(".")).to_path_buf(),
            files,
        }]);
    }
    let mut found = Vec::new();
    for arg in args {
        if let Some(top) = arg.strip_suffix("...") {
            let top = if top.is_empty() { "." } else { top };
            walk(&normal(Path::new(top)), &mut found)?;
        } else {
            found.push(normal(Path::new(arg)));
        }
    }
    found
        .into_iter()
        .map(|dir| {
            Ok(Target {
                label: label(&dir),
                paths: vec![packages::display(&dir)],
                files: sources_in(&dir)?,
                dir,
            })
        })
        .collect()
}

/// All folders with source files, but for hidden ones and test data.
fn walk(dir: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    if !sources_in(dir)?.is_empty() {
        found.push(dir.to_path_buf());
    }
    let mut inner: Vec<PathBuf> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy());
            path.is_dir() && name.is_some_and(|n| !n.starts_with(['.', '_']) && n != "testdata")
        })
        .collect();
    inner.sort();
    inner.iter().try_for_each(|dir| walk(&normal(dir), found))
}

/// A package as results name it: by its import path in its module, else by its folder.
fn label(dir: &Path) -> String {
    let full = fs::canonicalize(dir);
    if let Ok(full) = &full
        && let Some(module) = Module::above(full)
    {
        return module.import_path(full);
    }
    match full {
        Ok(full) if dir == Path::new(".") || dir.ends_with("..") => full
            .file_name()
            .map_or("/".into(), |n| n.to_string_lossy().into_owned()),
        _ => packages::display(dir),
    }
}

/// Runs one package's tests and prints the result; whether they passed.
fn run_target(
    target: &Target,
    args: &Args,
    heap: &HeapArgs,
    is_shown: bool,
) -> std::io::Result<bool> {
    let started = Instant::now();
    let (reader, writer) = std::io::pipe()?;
    let mut command = Command::new(std::env::current_exe()?);
    if let Some(heap) = &heap.heap {
        command.arg("--heap").arg(heap);
    }
    match heap.durability {
        Durability::Sync => {}
        Durability::Async => drop(command.args(["--durability", "async"])),
        Durability::None => drop(command.args(["--durability", "none"])),
    }
    command.args(["test", "-child", &target.label]);
    command.args(args.library.iter().flat_map(|path| ["-library", path]));
    command.args(args.flags.iter().map(|flag| format!("-{flag}")));
    command.args(&target.paths);
    command.arg("-args").args(&args.rest);
    command.stdin(Stdio::null());
    command.stdout(writer.try_clone()?).stderr(writer);
    let child = command.spawn()?;
    // The pipe ends when nobody can write any more.
    drop(command);
    let output = follow(reader, child, args.timeout, is_shown)?;
    let mut out = std::io::stdout();
    let seconds = started.elapsed().as_secs_f64();
    if !output.is_built {
        std::io::stderr().write_all(&output.text)?;
        writeln!(out, "FAIL\t{} [build failed]", target.label)?;
        return Ok(false);
    }
    if output.status.success() {
        if args.flags.iter().any(|flag| flag.starts_with("list=")) {
            out.write_all(&output.text)?;
        }
        let note = if output.nothing_ran {
            " [no tests to run]"
        } else {
            ""
        };
        writeln!(out, "ok  \t{}\t{seconds:.3}s{note}", target.label)?;
        return Ok(true);
    }
    out.write_all(&output.text)?;
    if output.text.is_empty() {
        let status = output
            .status
            .to_string()
            .replace("exit status: ", "exit status ");
        writeln!(out, "{status}")?;
    }
    writeln!(out, "FAIL\t{}\t{seconds:.3}s", target.label)?;
    Ok(false)
}

/// What came from a child.
struct Output {
    is_built: bool,
    nothing_ran: bool,
    /// What has not been shown yet.
    text: Vec<u8>,
    status: ExitStatus,
}

/// Reads all that a child writes, passing it on at once if it `is_shown`; ends it after `timeout`.
fn follow(
    mut reader: PipeReader,
    mut child: Child,
    timeout: Option<Duration>,
    is_shown: bool,
) -> std::io::Result<Output> {
    let (sender, chunks) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut buf = [0; 16 << 10];
        while let Ok(n @ 1..) = reader.read(&mut buf) {
            if sender.send(buf[..n].to_vec()).is_err() {
                break;
            }
        }
    });
    let limit = timeout.unwrap_or(Duration::from_secs(600));
    let deadline = (!limit.is_zero()).then(|| Instant::now() + limit + GRACE);
    let (mut text, mut tail) = (Vec::new(), Vec::new());
    let (mut is_built, mut nothing_ran) = (false, false);
    loop {
        let chunk = match deadline {
            None => chunks.recv().ok(),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                match chunks.recv_timeout(left) {
                    Ok(chunk) => Some(chunk),
                    Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
                    Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                        child.kill()?;
                        let note = format!("*** Test killed: ran too long ({limit:?}).\n");
                        text.extend_from_slice(note.as_bytes());
                        break;
                    }
                }
            }
        };
        let Some(chunk) = chunk else { break };
        text.extend_from_slice(&chunk);
        if !is_built {
            if text.len() >= BUILT.len() && text.starts_with(BUILT) {
                is_built = true;
                text.drain(..BUILT.len());
            } else {
                continue;
            }
        }
        tail.extend_from_slice(&chunk);
        nothing_ran |= tail
            .windows(NOTHING_RAN.len())
            .any(|part| part == NOTHING_RAN);
        tail.drain(..tail.len().saturating_sub(NOTHING_RAN.len()));
        if is_shown {
            std::io::stdout().write_all(&text)?;
            text.clear();
        }
    }
    Ok(Output {
        is_built,
        nothing_ran,
        text,
        status: child.wait()?,
    })
}

/// How long after the time limit a child may take to end itself.
const GRACE: Duration = Duration::from_secs(5);

/// In the child: compiles the tests and runs them.
fn run_child(target: &Target, args: &Args, heap: &HeapArgs) -> i32 {
    let label = args.child.as_deref().unwrap_or_default();
    let mut flags = args.flags.clone();
    flags.push(format!("pkg={label}"));
    let library = args.library.as_deref();
    let (text, source) = match testmain::program(&target.files, &target.dir, library, &flags) {
        Ok(program) => program,
        Err(message) => {
            eprintln!("# {label}\n{message}");
            return STATUS_FAILED;
        }
    };
    let files = vec![("_testmain.pgo".to_string(), text.into_bytes())];
    let program = match lang::compile(files, ".", &source) {
        Ok(program) => program,
        Err(failure) => {
            eprintln!("# {label}");
            render::report(&failure.diagnostics, &failure.sources, render::ERRORS_MAX);
            return STATUS_FAILED;
        }
    };
    // A lost pipe shows in the tests.
    let _ = std::io::stdout()
        .write_all(BUILT)
        .and_then(|()| std::io::stdout().flush());
    let heap_file = heap.heap.as_ref().map(std::path::absolute);
    let choice = match heap_file {
        Some(Ok(path)) => HeapChoice::File(path),
        _ => HeapChoice::Ephemeral,
    };
    let name = target.dir.file_name().unwrap_or_default().to_string_lossy();
    let mut argv = vec![format!("{name}.test")];
    argv.extend_from_slice(&args.rest);
    let mut vm = Vm::new(run::options(argv, choice, heap), stdlib::natives());
    // A folder that is gone shows in the tests.
    let _ = std::env::set_current_dir(&target.dir);
    vm.load(&program);
    let status = vm.run(program.entry).status();
    match vm.close() {
        Ok(()) => status,
        Err(e) => run::fail(&e.to_string()),
    }
}
