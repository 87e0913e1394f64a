//! `pgo heap migrate`: gives a heap the types of a program, without running it; says what changes.
use std::path::PathBuf;

use pheap::{Change, Verdict};
use vm::{HeapMigration, Vm};

use crate::cli::HeapArgs;
use crate::packages::{Packages, input_from_paths};
use crate::quote::quoted;
use crate::render;

#[derive(clap::Args)]
pub struct Args {
    /// The heap file
    file: PathBuf,
    /// The program: files, or the folder of a package
    #[arg(required = true)]
    program: Vec<String>,
    /// Say what would change, and change nothing; the exit status says whether it can be done
    #[arg(long)]
    dry_run: bool,
    /// Consent to losing what has no place in the program's types: fields, roots of another type, the range of numbers
    #[arg(long)]
    drop: bool,
    /// Print what changes as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> i32 {
    let input = match input_from_paths(&args.program) {
        Ok(input) => input,
        Err(message) => return crate::run::fail(&message),
    };
    let program = match lang::compile(input.files, &input.dir, &Packages::of_program(&input.dir)) {
        Ok(program) => program,
        Err(failure) => {
            render::report(&failure.diagnostics, &failure.sources, render::ERRORS_MAX);
            return crate::run::STATUS_NOT_COMPILED;
        }
    };
    let heap = HeapArgs::default();
    let options = crate::run::options(Vec::new(), vm::HeapChoice::Unnamed, &heap);
    let mut vm = Vm::new(options, stdlib::natives());
    vm.load(&program);
    let done = match vm.migrate_heap(&args.file, args.drop, args.dry_run) {
        Ok(done) => done,
        Err(message) => return crate::run::fail(&message),
    };
    match args.json {
        true => println!("{}", json(args, &done)),
        false => print!("{}", text(args, &done)),
    }
    match &done.refusal {
        None => 0,
        Some(reason) => crate::run::fail(&format!(
            "{}: the heap {} be migrated: {reason}; it was not changed",
            args.file.display(),
            if args.dry_run { "would not" } else { "cannot" }
        )),
    }
}

fn text(args: &Args, done: &HeapMigration) -> String {
    let mut text = String::new();
    for change in &done.changes {
        text += &format!("{change}\n");
    }
    for root in &done.roots {
        let (name, old, new) = (&root.name, &root.old, &root.new);
        text += &format!("root {name}\n    ~ {old} → {new} (another type; its value is dropped)\n");
    }
    let values: u64 = done.changes.iter().map(|change| change.values).sum();
    let file = args.file.display();
    if done.is_needed && done.refusal.is_none() {
        let plural = if values == 1 { "" } else { "s" };
        text += &match args.dry_run {
            true => format!("{file}: {values} value{plural} to migrate; nothing was changed\n"),
            false => format!(
                "{file}: migrated {values} value{plural} in {} ms\n",
                done.time.as_millis()
            ),
        };
    } else if !done.is_needed {
        text += &format!("{file}: has the program's types already\n");
    }
    text
}

fn json(args: &Args, done: &HeapMigration) -> String {
    let types: Vec<String> = done.changes.iter().map(change_json).collect();
    let roots = done.roots.iter().map(|root| {
        let (name, old, new) = (&root.name, &root.old, &root.new);
        let [name, old, new] = [name, old, new].map(|text| quoted(text));
        format!("{{\"name\":{name},\"old\":{old},\"new\":{new}}}")
    });
    format!(
        "{{\"file\":{},\"migrated\":{},\"possible\":{},\"types\":[{}],\"roots\":[{}]}}",
        quoted(&args.file.to_string_lossy()),
        done.is_needed && done.refusal.is_none() && !args.dry_run,
        done.refusal.is_none(),
        types.join(","),
        roots.collect::<Vec<_>>().join(",")
    )
}

fn change_json(change: &Change) -> String {
    let fields = change.fields.iter().map(|field| {
        let (what, before) = match &field.verdict {
            Verdict::Same => ("same", None),
            Verdict::Added => ("added", None),
            Verdict::Widened => ("widened", None),
            Verdict::Renamed(before) => ("renamed", Some(before)),
            Verdict::Reordered => ("reordered", None),
            Verdict::Removed => ("removed", None),
            Verdict::Narrowed => ("narrowed", None),
            Verdict::Incompatible => ("incompatible", None),
        };
        let before = before.map_or(String::new(), |before| {
            format!(",\"was\":{}", quoted(before))
        });
        let [name, old, new] = [&field.name, &field.old, &field.new].map(|text| quoted(text));
        format!("{{\"name\":{name},\"old\":{old},\"new\":{new},\"change\":\"{what}\"{before}}}")
    });
    format!(
        "{{\"name\":{},\"values\":{},\"fields\":[{}]}}",
        quoted(&change.type_name),
        change.values,
        fields.collect::<Vec<_>>().join(",")
    )
}
