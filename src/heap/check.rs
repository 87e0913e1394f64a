//! `pgo heap check`: the checker of whole heaps.
use std::path::PathBuf;

use crate::quote::quoted;

#[derive(clap::Args)]
pub struct Args {
    /// The heap file
    file: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> pheap::Result<i32> {
    let report = pheap::open_read_only(&args.file, pheap::Options::default())?.check()?;
    if args.json {
        let problems: Vec<String> = report
            .problems
            .iter()
            .map(|problem| {
                format!(
                    "{{\"offset\":{},\"what\":{}}}",
                    problem.offset,
                    quoted(&problem.what)
                )
            })
            .collect();
        println!(
            "{{\"ok\":{},\"objects\":{},\"unreachable_objects\":{},\"spans\":{},\"pages\":{},\"records\":{},\"problems\":[{}]}}",
            report.is_ok(),
            report.objects,
            report.unreachable_objects,
            report.spans,
            report.pages,
            report.records,
            problems.join(",")
        );
        return Ok(i32::from(!report.is_ok()));
    }
    for problem in &report.problems {
        println!("offset {}: {}", problem.offset, problem.what);
    }
    println!(
        "{}: {}: {} objects ({} unreachable), {} spans, {} pages, {} log records",
        args.file.display(),
        match report.problems.len() {
            0 => "no problems".to_string(),
            1 => "1 problem".to_string(),
            found => format!("{found} problems"),
        },
        report.objects,
        report.unreachable_objects,
        report.spans,
        report.pages,
        report.records
    );
    Ok(i32::from(!report.is_ok()))
}
