//! `pgo crashtest SCRIPT`: runs the script on a simulated disk, crashes it wherever it can be crashed, and asks the
//! script's own `func Invariant` about every heap that is recovered.
mod explore;
mod judge;
mod record;
mod story;
mod subset;

use crate::cli::{Durability, HeapArgs};
use crate::packages::{Input, Packages, input_from_paths};
use crate::render;
use crate::run::{fail, options};
use clap::Args;
use explore::{Explorer, Found, Plan, Tally, files_after};
use indicatif::{ProgressBar, ProgressStyle};
use judge::{Judge, Questions};
use lang::bytecode::program::Program;
use pheap::disk::crash::Files;
use record::{HEAP, Recording, heap_choice, record};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;
use story::{Story, summary};

/// The exit status when an invariant does not hold.
const STATUS_FAILED: i32 = 1;
/// The exit status when the command was told to do what it cannot do.
const STATUS_USAGE: i32 = 2;

pub const HELP: &str = "\
The script runs once, on a simulated disk. Then it is crashed: behind every write, flush, commit and line of output, with
every choice of what of the unflushed bytes (in units of 64) survives while these are few, and a seeded choice of them
beyond. Each heap that a restart would recover is checked, and given to a function of the script:

    func Invariant() error              // nil, or what is wrong; a panic is a failure too
    func Invariant(printed string) error   // the same, told what had been printed by the time of the crash

It runs as after a restart: package variables are initialised, the script's statements are not run. The first crash that
fails is told as a story, and has a name for --replay. A commit under policy sync that was acknowledged must be there.

Files, the clock, the network and standard input are the real ones and are not rolled back; goroutines may take turns
differently in another run. Under --durability async nothing is flushed in the background: that may always come too late.

Exit status: 0 all hold, 1 a failure was found (or the script does not compile), 2 the test could not be made.";

#[derive(Args)]
pub struct CrashtestArgs {
    /// The script, or the folder of a program
    #[arg(value_name = "SCRIPT")]
    script: String,
    /// Arguments for the script
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
    /// Ask this program instead of `func Invariant`: it runs on each recovered heap, with what was printed as standard
    /// input, and fails by its exit status or a panic
    #[arg(long, value_name = "PROGRAM")]
    check: Option<String>,
    /// Try about this many crashes
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    states: u64,
    /// Of the random choices
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Run the script this many times, one after the other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// What is printed promises that all commits before it, and the one around it, are durable
    #[arg(long)]
    acks: bool,
    /// Run the script again on each recovered heap: it must end without a panic, and the invariant hold after it
    #[arg(long)]
    restart: bool,
    /// Make one crash again, by the name that a failing run gave it
    #[arg(long, value_name = "CRASH")]
    replay: Option<String>,
    /// Keep the heap that the failing or replayed crash left in this file (and FILE.log), not yet recovered
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Gives the exit status.
pub fn crashtest(args: &CrashtestArgs, heap: &HeapArgs) -> i32 {
    prepare(args, heap)
        .and_then(|test| test.run(args))
        .unwrap_or_else(|status| status)
}

struct Test {
    name: String,
    recording: Recording,
    judge: Judge,
    policy: Durability,
}

fn refuse(message: &str) -> i32 {
    fail(message);
    STATUS_USAGE
}

fn load(path: &str) -> Result<Input, i32> {
    input_from_paths(&[path.to_string()]).map_err(|message| fail(&message))
}

fn compiled(result: Result<Program, lang::Failure>) -> Result<Program, i32> {
    result.map_err(|failure| {
        render::report(&failure.diagnostics, &failure.sources, render::ERRORS_MAX);
        crate::run::STATUS_NOT_COMPILED
    })
}

fn compile(input: Input) -> Result<Program, i32> {
    compiled(lang::compile(
        input.files,
        &input.dir,
        &Packages::of_program(&input.dir),
    ))
}

/// Compiles everything and records the run.
fn prepare(args: &CrashtestArgs, heap: &HeapArgs) -> Result<Test, i32> {
    let script = load(&args.script)?;
    let name = script.name.clone();
    let invariant = lang::invariant::find(&script.files).map_err(|message| fail(&message))?;
    let mut argv = vec![name.clone()];
    argv.extend_from_slice(&args.args);
    stdlib::set_seed(args.seed);
    let options = options(argv, heap_choice(), heap);
    let (files, dir) = (script.files.clone(), script.dir.clone());
    let program = Rc::new(compile(script)?);
    let restart = args.restart.then(|| (program.clone(), options.clone()));
    let questions = match (&args.check, invariant) {
        (Some(checker), _) => Questions {
            invariant: compile(load(checker)?)?,
            name: checker.clone(),
            options: vm::Options {
                args: vec![checker.clone()],
                ..options.clone()
            },
            printed_is_argument: false,
            printed_is_input: true,
            restart,
        },
        (None, Some(invariant)) => Questions {
            invariant: compiled(invariant.compile(files, &dir, &Packages::of_program(&dir)))?,
            name: "Invariant".into(),
            options: options.clone(),
            printed_is_argument: invariant.takes_printed,
            printed_is_input: false,
            restart,
        },
        (None, None) => {
            return Err(refuse(&format!(
                "{name} has no func Invariant: add one that says what must hold of the heap at any time\n\n    \
                 func Invariant() error {{\n        // return an error if something is wrong\n        return nil\n    \
                 }}\n\nor name a program that checks the heap with --check"
            )));
        }
    };
    let start = start_files(heap)?;
    let recording = record(&program, &options, &start, args.runs);
    if recording.outcome.status() != 0 || recording.close_error.is_some() {
        eprint!("{}", String::from_utf8_lossy(&recording.errors));
        let why = match &recording.close_error {
            Some(error) => error.clone(),
            None => format!("the script ends with status {}", recording.outcome.status()),
        };
        // What it did until then can be crashed all the same.
        eprintln!("pgo: {why}; what it did until then is tested");
    }
    if recording.events.is_empty() {
        return Err(refuse(&format!(
            "{name} uses no persistent data (pvar, pnew, pmake, package pmem), so there is nothing that a crash could \
             spoil"
        )));
    }
    Ok(Test {
        name,
        recording,
        judge: Judge::new(questions),
        policy: heap.durability,
    })
}

/// A copy of the heap that the user named, or no files.
fn start_files(heap: &HeapArgs) -> Result<Files, i32> {
    let mut files = Files::new();
    let Some(path) = &heap.heap else {
        return Ok(files);
    };
    for (from, to) in [
        (path.clone(), HEAP.to_string()),
        (format!("{path}.log"), format!("{HEAP}.log")),
    ] {
        match std::fs::read(&from) {
            Ok(bytes) => drop(files.insert(to.into(), bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let reason = crate::packages::reason(&error);
                return Err(fail(&format!("{from}: {reason}")));
            }
        }
    }
    Ok(files)
}

impl Test {
    fn run(mut self, args: &CrashtestArgs) -> Result<i32, i32> {
        let plan = Plan {
            states: args.states,
            seed: args.seed,
            acks: args.acks,
        };
        let started = Instant::now();
        let bar = progress_bar(args);
        let mut explorer = Explorer::new(&self.recording, &mut self.judge, plan);
        let found = match &args.replay {
            Some(name) => {
                let crash = self.recording.crash_named(name).map_err(|e| refuse(&e))?;
                explorer.replay(&crash).map_err(|e| refuse(&e))?
            }
            None => explorer.explore(&mut |done| bar.set_position(done)).err(),
        };
        let tally = explorer.tally;
        bar.finish_and_clear();
        let seconds = started.elapsed().as_secs_f64();
        let Some(found) = found else {
            self.report_success(args, &tally, seconds);
            return Ok(0);
        };
        let Some(files) = files_after(&self.recording, &found.crash) else {
            return Err(refuse("the script did not do the same again"));
        };
        if let Some(path) = &args.keep {
            keep(path, &files).map_err(|message| refuse(&message))?;
        }
        self.report_failure(args, &found, files, &tally, seconds);
        Ok(STATUS_FAILED)
    }
}

impl Test {
    fn report_success(&self, args: &CrashtestArgs, tally: &Tally, seconds: f64) {
        let distinct = self.judge.distinct();
        if args.json {
            println!(
                "{}",
                story::json(&self.name, tally, distinct, seconds, None)
            );
            return;
        }
        if args.replay.is_some() {
            println!("{}: this crash does no harm", self.name);
            return;
        }
        println!("{}: {}", self.name, summary(tally, distinct, seconds));
        if tally.lost_after_output > 0 && self.policy != Durability::Sync {
            println!(
                "note: {} of the crashes lost commits after which the script had printed something; --acks makes that \
                 a failure",
                story::grouped(tally.lost_after_output)
            );
        }
    }

    fn report_failure(
        &self,
        args: &CrashtestArgs,
        found: &Found,
        files: Files,
        tally: &Tally,
        seconds: f64,
    ) {
        let story = Story::of(&self.recording, found, files);
        let replay = format!("{}@{}", found.crash, self.recording.fingerprint());
        if args.json {
            let distinct = self.judge.distinct();
            let failure = Some((&story, replay.as_str()));
            println!(
                "{}",
                story::json(&self.name, tally, distinct, seconds, failure)
            );
            return;
        }
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        print!("{}", story.text(colour));
        if let Some(path) = &args.keep {
            println!("kept: {}", path.display());
        }
        if args.replay.is_none() {
            println!(
                "\ncrash {} of {}\nagain: pgo crashtest --replay {replay} {}",
                story::grouped(tally.crashes),
                self.name,
                self.name
            );
        }
    }
}

/// A bar on standard error, if that is a terminal.
fn progress_bar(args: &CrashtestArgs) -> ProgressBar {
    if args.replay.is_some() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {human_pos} crashes, {per_sec}, {eta} left");
    let bar = ProgressBar::new(args.states);
    bar.set_style(style.expect("a valid template"));
    bar
}

/// Writes the files of a crashed heap.
fn keep(path: &Path, files: &Files) -> Result<(), String> {
    for (name, bytes) in files {
        let name = name.to_string_lossy();
        let to = format!(
            "{}{}",
            path.display(),
            name.strip_prefix(HEAP).unwrap_or(".new")
        );
        std::fs::write(&to, bytes)
            .map_err(|error| format!("{to}: {}", crate::packages::reason(&error)))?;
    }
    Ok(())
}
