//! The command line: options, subcommands, their help.
use clap::{Args, Parser, Subcommand, ValueEnum};

const AFTER_HELP: &str =
    "`pgo FILE.pgo [args]` runs a program; `pgo -` reads it from standard input; `pgo` alone starts the REPL.

Exit status: that of the program (0, what it gives os.Exit, 2 after a panic or fatal error); 1 if something could not be
read or compiled, tests failed, or a heap is not as it should be; 2 for wrong usage, or a heap that could not be closed.

Environment: PGO_HEAP is the heap file if --heap gives none; NO_COLOR, if not empty, turns colours off, which only
terminals get.";

#[derive(Parser)]
#[command(
    name = "pgo",
    version,
    about = "Go plus a persistent heap: data structures that outlive the process",
    after_help = AFTER_HELP,
    disable_help_subcommand = false
)]
pub struct Cli {
    #[command(flatten)]
    pub heap: HeapArgs,
    /// Run CODE, a script; what follows are its arguments
    #[arg(short = 'e', value_name = "CODE")]
    pub code: Option<String>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Args, Clone, Default)]
pub struct HeapArgs {
    /// The heap file [default: PGO_HEAP, else NAME.pheap in this folder for NAME.pgo]
    #[arg(long, value_name = "FILE", global = true)]
    pub heap: Option<String>,
    /// Keep the heap in memory; nothing is left after the run
    #[arg(long, global = true, conflicts_with = "heap")]
    pub ephemeral: bool,
    /// Open the heap as of its last commit, to read; another program may be writing to it
    #[arg(long, global = true, conflicts_with = "ephemeral")]
    pub read_only: bool,
    /// What a commit waits for: stable storage, nothing but order (within 10 ms), or nothing
    #[arg(long, value_enum, default_value_t = Durability::Sync, global = true)]
    pub durability: Durability,
}

impl HeapArgs {
    /// As they stand on a command line.
    pub fn as_options(&self) -> Vec<String> {
        let mut options = Vec::new();
        if let Some(path) = &self.heap {
            options.extend(["--heap".to_string(), path.clone()]);
        }
        if self.ephemeral {
            options.push("--ephemeral".to_string());
        }
        if self.read_only {
            options.push("--read-only".to_string());
        }
        if let Some(value) = self.durability.to_possible_value() {
            options.extend(["--durability".to_string(), value.get_name().to_string()]);
        }
        options
    }
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    #[default]
    /// On stable storage before the next statement
    Sync,
    /// Ordered, on stable storage within 10 ms
    Async,
    /// Survives the end of the process, not a power cut
    None,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run a program: files, or the folder of a package; then its arguments
    #[command(override_usage = "pgo run [OPTIONS] FILE…|FOLDER|- [ARGS]…")]
    Run {
        #[arg(
            required = true,
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "FILE|FOLDER|-"
        )]
        args: Vec<String>,
    },
    /// Report a program's errors, and what is most likely a mistake, without running it
    Check(crate::check::CheckArgs),
    /// Run a package's tests: functions TestXxx, BenchmarkXxx, ExampleXxx in files *_test.pgo
    #[command(
        override_usage = "pgo test [FOLDER|FOLDER/...|FILE]… [FLAGS] [-args ARGS…]",
        after_help = crate::test::FLAGS_HELP
    )]
    Test {
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "FOLDER|FILE|FLAG"
        )]
        args: Vec<String>,
    },
    /// Crash a script everywhere, on a simulated disk, and check each heap that is recovered
    #[command(after_help = crate::crashtest::HELP)]
    Crashtest(crate::crashtest::CrashtestArgs),
    /// Print a program's bytecode
    Disasm {
        #[arg(required = true, value_name = "FILE|FOLDER")]
        paths: Vec<String>,
        /// Functions of library packages too
        #[arg(long)]
        all: bool,
    },
    /// Show a package's documentation: PACKAGE, PACKAGE.NAME or PACKAGE.TYPE.METHOD
    Doc {
        #[arg(required = true, value_name = "PACKAGE[.NAME[.METHOD]]")]
        words: Vec<String>,
    },
    /// Look into a heap file, or work on it
    Heap {
        #[command(subcommand)]
        command: crate::heap::HeapCommand,
    },
    /// Run a package's benchmarks: `pgo test` with -run ^$ -bench . and FLAGS
    #[command(override_usage = "pgo bench [FOLDER|FOLDER/...|FILE]… [FLAGS] [-args ARGS…]")]
    Bench {
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "FOLDER|FILE|FLAG"
        )]
        args: Vec<String>,
    },
    /// Make an executable of a program that needs nothing else
    Build {
        #[arg(required = true, value_name = "FILE|FOLDER")]
        paths: Vec<String>,
        /// What to call it [default: NAME for NAME.pgo]
        #[arg(short, long = "output", value_name = "OUT")]
        out: Option<std::path::PathBuf>,
    },
    /// Run a program, and again whenever one of its files changes
    #[command(override_usage = "pgo watch [OPTIONS] FILE…|FOLDER [ARGS]…")]
    Watch {
        #[arg(
            required = true,
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "FILE|FOLDER"
        )]
        args: Vec<String>,
    },
    /// Format source files, in gofmt's style
    Fmt(crate::fmt::FmtArgs),
    /// Serve editors: the language server, over standard input and output
    Lsp,
    /// Start the interactive session
    Repl,
    /// Print a script that completes this command's arguments in a shell
    Completions {
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Print the version
    Version,
    #[command(external_subcommand)]
    Script(Vec<String>),
}
