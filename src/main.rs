//! The pgo command: wiring and exit status. Each subcommand has a file.
#![forbid(unsafe_code)]
mod bundle;
mod check;
mod cli;
mod crashtest;
mod disasm;
mod doc;
mod fmt;
mod heap;
mod lsp;
mod quote;
mod render;
mod repl;
mod run;
mod test;
mod testmain;
mod watch;

use clap::{CommandFactory, Parser};
// What the library has too.
use cli::{Cli, Command};
use pgo::{module, packages};
use std::io::IsTerminal;

/// Compiling recurses with the nesting of the source; the pages are used only when it does.
const STACK_BYTES: usize = 1 << 30;

fn main() {
    pheap::set_fault_prefix("pgo: ");
    let status = std::thread::Builder::new()
        .name("main".to_string())
        .stack_size(STACK_BYTES)
        .spawn(command)
        .expect("a thread")
        .join()
        .unwrap_or(101);
    std::process::exit(status);
}

/// Gives the exit status: 0, the program's own, 1 for what could not be read or compiled, 2 for
/// wrong usage (and for a program that panics).
fn command() -> i32 {
    if let Some(status) = bundle::run_own() {
        return status;
    }
    let cli = Cli::parse();
    if let Some(code) = &cli.code {
        let args = match cli.command {
            Some(Command::Script(args)) => args,
            None => Vec::new(),
            Some(_) => return run::fail("-e CODE takes arguments for the script, not a command"),
        };
        return run::run_code(code, &args, &cli.heap);
    }
    // Programs that run hear of closed pipes themselves, as Go's do, and `lsp` of its client's.
    if !matches!(
        cli.command,
        None | Some(
            Command::Run { .. }
                | Command::Script(_)
                | Command::Watch { .. }
                | Command::Repl
                | Command::Lsp
        )
    ) {
        vm::signals::die_of_closed_pipes();
    }
    match cli.command {
        Some(Command::Run { args } | Command::Script(args)) => run::run(&args, &cli.heap),
        Some(Command::Check(args)) => check::check(&args),
        Some(Command::Test { args }) => test::test(&args, &cli.heap),
        Some(Command::Bench { args }) => {
            let all = ["-run", "^$", "-bench", "."].map(str::to_string);
            test::test(&[&all[..], &args].concat(), &cli.heap)
        }
        Some(Command::Build { paths, out }) => bundle::build(&paths, out.as_deref()),
        Some(Command::Watch { args }) => watch::watch(&args, &cli.heap.as_options()),
        Some(Command::Completions { shell }) => {
            let mut out = std::io::stdout();
            clap_complete::generate(shell, &mut Cli::command(), "pgo", &mut out);
            0
        }
        Some(Command::Disasm { paths, all }) => disasm::disasm(&paths, all),
        Some(Command::Crashtest(args)) => crashtest::crashtest(&args, &cli.heap),
        Some(Command::Heap { command }) => heap::heap(&command),
        Some(Command::Lsp) => lsp::lsp(),
        Some(Command::Fmt(args)) => fmt::fmt(&args),
        Some(Command::Doc { words }) => doc::doc(&words),
        Some(Command::Version) => {
            println!("pgo {}", env!("CARGO_PKG_VERSION"));
            0
        }
        Some(Command::Repl) => repl::repl(&cli.heap),
        None if std::io::stdin().is_terminal() => repl::repl(&cli.heap),
        None => run::run(&["-".to_string()], &cli.heap),
    }
}
