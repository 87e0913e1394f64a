//! Running scripts from Rust: what the host gives them, and what can go wrong before they run.
use crate::packages::{Input, Packages, input_from_paths};
use lang::bytecode::program::Program;
use lang::diagnostic::Diagnostic;
use lang::package::{PackageFiles, PackageSource};
use pheap::Durability;
use std::any::Any;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vm::{HeapChoice, InputStream, NativeDef, Options, Outcome, OutputStream, Streams, Vm};

/// Compiling recurses with the nesting of the source; the pages are used only when it does.
const STACK_BYTES: usize = 1 << 30;

/// What scripts get from their host. Each run is a program of its own: what it shares with others is the heap.
#[derive(Clone)]
pub struct Engine {
    args: Vec<String>,
    heap: HeapChoice,
    durability: Durability,
    packages: Vec<(String, String)>,
    natives: &'static [NativeDef],
    values: Vec<Arc<dyn Any + Send + Sync>>,
    streams: Streams,
}

/// Why a script did not run, or not to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be read.
    Unreadable(String),
    /// It has errors: each as `FILE:LINE:COLUMN: MESSAGE`, and with all that is known of it.
    Invalid(Vec<(String, Diagnostic)>),
    /// Its heap could not be closed in order: commits that were not durable yet may be lost.
    NotClosed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unreadable(text) | Error::NotClosed(text) => f.write_str(text),
            Error::Invalid(list) => {
                let lines: Vec<&str> = list.iter().map(|(line, _)| line.as_str()).collect();
                f.write_str(&lines.join("\n"))
            }
        }
    }
}

impl std::error::Error for Error {}

impl Default for Engine {
    fn default() -> Engine {
        Engine::new()
    }
}

impl Engine {
    /// Without a heap, arguments, and packages but those of the library.
    pub fn new() -> Engine {
        Engine {
            args: Vec::new(),
            heap: HeapChoice::Unnamed,
            durability: Durability::default(),
            packages: Vec::new(),
            natives: stdlib::natives(),
            values: Vec::new(),
            streams: Streams::default(),
        }
    }

    /// The heap file; it is opened, and created if it is not there, when a script first uses it, and closed at the end
    /// of the run. Without one, only `pmem.Open` gives a script a heap.
    pub fn heap(mut self, path: impl Into<PathBuf>) -> Engine {
        self.heap = HeapChoice::File(path.into());
        self
    }

    /// A heap in memory, new in each run.
    pub fn ephemeral(mut self) -> Engine {
        self.heap = HeapChoice::Ephemeral;
        self
    }

    /// What a commit waits for: stable storage, unless said otherwise.
    pub fn durability(mut self, durability: Durability) -> Engine {
        self.durability = durability;
        self
    }

    /// `os.Args[1:]`.
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Engine {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// A package that scripts can import by this path, or just mention if that has no slash. A function without a body is
    /// the native `PATH.NAME`; its `sig` is the function's type without names, defined types by their import paths
    /// (`func(string, int) bool`). One that is declared, but not given, fails when it is called.
    ///
    /// The list is kept as long as the process lives.
    pub fn package(mut self, path: &str, source: &str, natives: &[NativeDef]) -> Engine {
        self.packages.push((path.to_string(), source.to_string()));
        self.natives = Box::leak([self.natives, natives].concat().into_boxed_slice());
        self
    }

    /// A value that natives find by its type: `call.host::<T>()`. It is the same in all runs.
    pub fn value<T: Any + Send + Sync>(mut self, value: Arc<T>) -> Engine {
        self.values.push(value);
        self
    }

    /// What scripts read as standard input, in place of the process's.
    pub fn stdin(mut self, input: InputStream) -> Engine {
        self.streams.stdin = Some(input);
        self
    }

    /// Where standard output of scripts goes, in place of the process's; each write of the script is one to it.
    pub fn stdout(mut self, output: OutputStream) -> Engine {
        self.streams.stdout = Some(output);
        self
    }

    /// Where standard error of scripts goes, in place of the process's: what `println` prints, and the reports of panics.
    pub fn stderr(mut self, output: OutputStream) -> Engine {
        self.streams.stderr = Some(output);
        self
    }

    /// Runs a script or program from its text; `name` is what messages call it. Relative imports start from the current
    /// folder.
    ///
    /// # Errors
    /// It has errors, or its heap could not be closed in order.
    pub fn run(&self, name: &str, text: &str) -> Result<Outcome, Error> {
        self.run_input(Input {
            files: vec![(name.to_string(), text.as_bytes().to_vec())],
            dir: ".".to_string(),
            name: name.to_string(),
            heap_stem: None,
        })
    }

    /// Runs a file, or the package in a folder.
    ///
    /// # Errors
    /// It cannot be read, has errors, or its heap could not be closed in order.
    pub fn run_file(&self, path: impl AsRef<Path>) -> Result<Outcome, Error> {
        let path = path.as_ref().to_string_lossy().into_owned();
        let input = input_from_paths(&[path]).map_err(Error::Unreadable)?;
        self.run_input(input)
    }

    fn run_input(&self, input: Input) -> Result<Outcome, Error> {
        let mut args = vec![input.name.clone()];
        args.extend_from_slice(&self.args);
        let program = self.compiled(input)?;
        let options = Options {
            args,
            heap: self.heap.clone(),
            durability: self.durability,
            folder: std::env::current_dir().unwrap_or_default(),
            streams: self.streams.clone(),
            values: self.values.clone(),
            ..Options::default()
        };
        let mut vm = Vm::new(options, self.natives);
        vm.load(&program);
        let outcome = vm.run(program.entry);
        match vm.close() {
            Ok(()) => Ok(outcome),
            Err(e) => Err(Error::NotClosed(e.to_string())),
        }
    }

    /// Compiles on a thread of its own, which has stack enough for any nesting.
    fn compiled(&self, input: Input) -> Result<Program, Error> {
        let source = HostPackages {
            packages: &self.packages,
            others: Packages::of_program(&input.dir),
        };
        let compile = || match lang::compile(input.files, &input.dir, &source) {
            Ok(program) => Ok(program),
            Err(failure) => {
                let line = |d: &Diagnostic| {
                    let at = failure.sources.position(d.primary.span);
                    format!("{at}: {}", d.message)
                };
                let list = failure.diagnostics.into_iter();
                Err(Error::Invalid(list.map(|d| (line(&d), d)).collect()))
            }
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
            let unstarted = |e: std::io::Error| Error::Unreadable(e.to_string());
            let thread = thread.spawn_scoped(scope, compile).map_err(unstarted)?;
            match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

/// The host's packages before all others.
struct HostPackages<'a> {
    packages: &'a [(String, String)],
    others: Packages,
}

impl PackageSource for HostPackages<'_> {
    fn load(&self, import_path: &str, from_dir: &str) -> Result<PackageFiles, String> {
        let own = self.packages.iter().find(|(path, _)| path == import_path);
        let Some((path, text)) = own else {
            return self.others.load(import_path, from_dir);
        };
        Ok(PackageFiles {
            path: path.clone(),
            dir: String::new(),
            files: vec![(format!("{path}.pgo"), text.as_bytes().to_vec())],
            is_library: true,
        })
    }
}
