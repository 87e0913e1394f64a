//! Makes heaps of some sizes with a log of 16 MiB, not closed in order, and measures how long it takes to open them.
//! `cargo run --release -p pheap --example open [FOLDER [GIB…]]`
#![allow(unsafe_code)] // Stores to the heap directly, as a program does.

use std::path::{Path, PathBuf};
use std::time::Instant;

use pheap::{Durability, Heap, Kind, Options, PointerSlot, Result, TypeDesc};

const LOG_BYTES: u64 = 16 << 20;
const NODE_BYTES: u64 = 1000;

fn put(addr: u64, value: u64) {
    // SAFETY: only called with addresses of words in live objects.
    unsafe { (addr as *mut u64).write(value) }
}

fn open(path: &Path) -> Result<Heap> {
    let options = Options {
        durability: Durability::None,
        ..Options::default()
    };
    Heap::open(path, options)?.recover()
}

/// A list of nodes, and then a log full of small transactions.
fn make(path: &Path, bytes: u64) -> Result<()> {
    let mut heap = open(path)?;
    let node = heap.register_type(TypeDesc {
        pointers: vec![PointerSlot::Ptr(0)],
        ..TypeDesc::scalar("node", 2, Kind::Struct, NODE_BYTES)
    })?;
    let mut head = 0;
    while heap.stats().file_bytes < bytes {
        heap.begin();
        for _ in 0..10_000 {
            let new = heap.alloc_array(node, 1)?;
            put(new, head);
            head = new;
        }
        heap.set_root("list", head, node)?;
        heap.commit()?;
    }
    heap.checkpoint()?;
    let mut i = 0;
    while heap.stats().log_bytes < LOG_BYTES {
        for _ in 0..1000 {
            heap.begin();
            let at = head + 8 + i % (NODE_BYTES / 8 - 1) * 8;
            heap.log(at, 8);
            put(at, i);
            heap.commit()?;
            i += 1;
        }
    }
    // Dropped, not closed: as if the process had been killed.
    Ok(())
}

/// The log beside a heap.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".log");
    name.into()
}

fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let mut sizes: Vec<u64> = args
        .filter_map(|arg| arg.to_str().and_then(|arg| arg.parse().ok()))
        .collect();
    if sizes.is_empty() {
        sizes = vec![1, 4, 16];
    }
    for gib in sizes {
        let path = folder.join(format!("open-{}-{gib}.pheap", std::process::id()));
        let start = Instant::now();
        make(&path, gib << 30)?;
        println!("made {gib} GiB in {:.1} s", start.elapsed().as_secs_f64());
        for round in 0..3 {
            let start = Instant::now();
            let opened = Heap::open(&path, Options::default())?;
            let (found, records) = (start.elapsed(), opened.records());
            let heap = opened.recover()?;
            let all = start.elapsed();
            println!(
                "open {:6} MiB, {records:6} records: {:7.1} ms ({:.1} ms to read the log, round {round})",
                heap.stats().file_bytes >> 20,
                all.as_secs_f64() * 1e3,
                found.as_secs_f64() * 1e3,
            );
        }
        for file in [&path, &log_of(&path)] {
            let _ = std::fs::remove_file(file);
        }
    }
    Ok(())
}
