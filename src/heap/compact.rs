//! `pgo heap compact`: a heap that no program is using, in a new file that holds what is reachable and nothing else.
use std::path::PathBuf;

use super::Bar;
use crate::quote::quoted;

#[derive(clap::Args)]
pub struct Args {
    /// The heap file
    file: PathBuf,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> pheap::Result<i32> {
    let mut bar = Bar::new();
    let done = pheap::compact(&args.file, &mut |done, of| bar.set(done, of))?;
    drop(bar);
    if args.json {
        println!(
            "{{\"file\":{},\"before_bytes\":{},\"after_bytes\":{},\"kept_objects\":{},\"dropped_objects\":{}}}",
            quoted(&args.file.to_string_lossy()),
            done.before_bytes,
            done.after_bytes,
            done.kept_objects,
            done.dropped_objects
        );
    } else {
        println!(
            "{}: {} bytes, {} before; kept {} objects, dropped {}",
            args.file.display(),
            done.after_bytes,
            done.before_bytes,
            done.kept_objects,
            done.dropped_objects
        );
    }
    Ok(0)
}
