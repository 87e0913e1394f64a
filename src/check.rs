//! `pgo check`: a program's errors, all of them, and warnings; `--heaps`: the class of each store.
use crate::packages::{Packages, input_from_paths};
use crate::quote::quoted;
use crate::render;
use crate::run::{STATUS_NOT_COMPILED, fail};
use clap::Args;
use lang::diagnostic::{Diagnostic, Severity};
use lang::source::SourceMap;

#[derive(Args)]
pub struct CheckArgs {
    #[arg(required = true, value_name = "FILE|FOLDER")]
    paths: Vec<String>,
    /// Print, line by line, the heap that each store goes to
    #[arg(long)]
    heaps: bool,
    /// Exit with status 1 on warnings too
    #[arg(long)]
    deny_warnings: bool,
    /// Print errors and warnings to standard output, as a JSON array of objects with file, line,
    /// column, end_line, end_column, severity, code and message
    #[arg(long)]
    json: bool,
}

/// Gives the exit status.
pub fn check(args: &CheckArgs) -> i32 {
    let input = match input_from_paths(&args.paths) {
        Ok(input) => input,
        Err(message) => return fail(&message),
    };
    let packages = Packages::of_program(&input.dir);
    if args.heaps {
        return match lang::heap_report(input.files, &input.dir, &packages) {
            Ok(report) => {
                print!("{report}");
                0
            }
            Err(failure) => {
                report(args, &failure.diagnostics, &failure.sources);
                STATUS_NOT_COMPILED
            }
        };
    }
    match lang::check(input.files, &input.dir, &packages) {
        Ok(checked) => {
            report(args, &checked.warnings, &checked.sources);
            let denied = args.deny_warnings && !checked.warnings.is_empty();
            if denied { STATUS_NOT_COMPILED } else { 0 }
        }
        Err(failure) => {
            report(args, &failure.diagnostics, &failure.sources);
            STATUS_NOT_COMPILED
        }
    }
}

fn report(args: &CheckArgs, diagnostics: &[Diagnostic], sources: &SourceMap) {
    if !args.json {
        return render::report(diagnostics, sources, usize::MAX);
    }
    let objects: Vec<String> = diagnostics.iter().map(|d| json(d, sources)).collect();
    match &objects[..] {
        [] => println!("[]"),
        objects => println!("[\n  {}\n]", objects.join(",\n  ")),
    }
}

fn json(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let span = diagnostic.primary.span;
    let file = sources.file(span.file);
    let (start, end) = (file.line_column(span.lo), file.line_column(span.hi));
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    format!(
        "{{\"file\": {}, \"line\": {}, \"column\": {}, \"end_line\": {}, \"end_column\": {}, \
         \"severity\": \"{severity}\", \"code\": \"{}\", \"message\": {}}}",
        quoted(file.name()),
        start.line,
        start.column,
        end.line,
        end.column,
        diagnostic.code.number(),
        quoted(&diagnostic.message)
    )
}
