//! `pgo run`, `pgo FILE`, `pgo -`, `pgo -e`: compiles a program and runs it.
use crate::cli::{Durability, HeapArgs};
use crate::packages::{Input, Packages, input_from_paths, input_from_text, is_source_name, reason};
use crate::render;
use lang::Failure;
use lang::bytecode::program::Program;
use std::io::Read;
use vm::{HeapChoice, Options, Vm};

/// The exit status for programs that could not be read or compiled, as the go command's.
pub const STATUS_NOT_COMPILED: i32 = 1;

/// The exit status of programs that panic, and of those whose heap cannot be closed in order.
const STATUS_FAILED: i32 = 2;

/// Says what went wrong, as the command.
pub fn fail(message: &str) -> i32 {
    eprintln!("pgo: {message}");
    STATUS_NOT_COMPILED
}

/// `FILE… [ARGS]`, `FOLDER [ARGS]`, `- [ARGS]`. Gives the exit status.
pub fn run(args: &[String], heap: &HeapArgs) -> i32 {
    if let ("-e", Some(code)) = (args[0].as_str(), args.get(1)) {
        return run_code(code, &args[2..], heap);
    }
    let (input, rest) = if args[0] == "-" {
        let mut text = Vec::new();
        if let Err(e) = std::io::stdin().read_to_end(&mut text) {
            return fail(&format!("standard input: {}", reason(&e)));
        }
        (Ok(input_from_text("-", text)), &args[1..])
    } else {
        let files = args.iter().take_while(|a| is_source_name(a)).count().max(1);
        (input_from_paths(&args[..files]), &args[files..])
    };
    match input {
        Ok(input) => run_input(input, rest, heap),
        Err(message) => fail(&message),
    }
}

/// `-e CODE [ARGS]`.
pub fn run_code(code: &str, args: &[String], heap: &HeapArgs) -> i32 {
    run_input(input_from_text("-e", code.as_bytes().to_vec()), args, heap)
}

fn run_input(input: Input, args: &[String], heap: &HeapArgs) -> i32 {
    let mut argv = vec![input.name.clone()];
    argv.extend_from_slice(args);
    let choice = heap_choice(heap, input.heap_stem.as_deref());
    let compiled = lang::compile(input.files, &input.dir, &Packages::of_program(&input.dir));
    run_compiled(compiled, argv, choice, heap)
}

/// Runs a program, or says what is wrong with it; gives the exit status.
pub fn run_compiled(
    compiled: Result<Program, Failure>,
    argv: Vec<String>,
    choice: HeapChoice,
    heap: &HeapArgs,
) -> i32 {
    match compiled {
        Err(failure) => {
            render::report(&failure.diagnostics, &failure.sources, render::ERRORS_MAX);
            STATUS_NOT_COMPILED
        }
        Ok(program) => {
            let mut vm = Vm::new(options(argv, choice, heap), stdlib::natives());
            vm.load(&program);
            let status = vm.run(program.entry).status();
            match vm.close() {
                Ok(()) => status,
                Err(e) => {
                    fail(&e.to_string());
                    STATUS_FAILED
                }
            }
        }
    }
}

/// What the machine is told.
pub fn options(args: Vec<String>, choice: HeapChoice, heap: &HeapArgs) -> Options {
    Options {
        args,
        heap: choice,
        durability: match heap.durability {
            Durability::Sync => pheap::Durability::Sync,
            Durability::Async => pheap::Durability::Async,
            Durability::None => pheap::Durability::None,
        },
        folder: std::env::current_dir().unwrap_or_default(),
        gc_stress: std::env::var_os("PGO_GC_STRESS").is_some(),
        read_only: heap.read_only,
        heap_check: std::env::var_os("PGO_HEAP_CHECK").is_some(),
        ..Options::default()
    }
}

/// `--ephemeral`, `--heap`, `PGO_HEAP`, then the default for a program's name (LANGUAGE.md §5).
pub fn heap_choice(heap: &HeapArgs, stem: Option<&str>) -> HeapChoice {
    if heap.ephemeral {
        return HeapChoice::Ephemeral;
    }
    if let Some(path) = &heap.heap {
        return HeapChoice::File(path.into());
    }
    match (std::env::var_os("PGO_HEAP"), stem) {
        (Some(path), _) if !path.is_empty() => HeapChoice::File(path.into()),
        (_, Some(stem)) => HeapChoice::Default(format!("{stem}.pheap").into()),
        _ => HeapChoice::Unnamed,
    }
}
