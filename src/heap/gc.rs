//! `pgo heap gc`: a whole collection of a heap that no program is using.
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// The heap file
    file: PathBuf,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> pheap::Result<i32> {
    let options = pheap::Options {
        create: false,
        ..pheap::Options::default()
    };
    let mut heap = pheap::Heap::open(&args.file, options)?.recover()?;
    let done = heap.collect(&mut |_| ());
    heap.close()?;
    if args.json {
        println!(
            "{{\"freed_objects\":{},\"freed_bytes\":{},\"live_objects\":{}}}",
            done.freed_objects, done.freed_bytes, done.live_objects
        );
    } else {
        println!(
            "{}: freed {} objects, {} bytes; {} objects are live",
            args.file.display(),
            done.freed_objects,
            done.freed_bytes,
            done.live_objects
        );
    }
    Ok(0)
}
