//! Measures the heap: one-store transactions, swaps in one transaction, opening a large heap.
//! `cargo run --release -p pheap --example measure [FOLDER]`
#![allow(unsafe_code)] // Stores to the heap directly, as a program does.

use std::path::PathBuf;
use std::time::Instant;

use pheap::{Durability, Heap, Kind, Options, PointerSlot, Result, TypeDesc};

fn put(addr: u64, value: u64) {
    // SAFETY: only called with addresses of words in live objects.
    unsafe { (addr as *mut u64).write(value) }
}

fn get(addr: u64) -> u64 {
    // SAFETY: as in `put`.
    unsafe { (addr as *const u64).read() }
}

fn main() -> Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let path = folder.join(format!("measure-{}.pheap", std::process::id()));
    let remove = || {
        for extension in ["pheap", "pheap.log"] {
            let _ = std::fs::remove_file(path.with_extension(extension));
        }
    };
    let open = |durability| {
        Heap::open(
            &path,
            Options {
                durability,
                ..Options::default()
            },
        )?
        .recover()
    };

    let start = Instant::now();
    let mut heap = open(Durability::None)?;
    println!(
        "create                        {:10.2} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    let word = heap.register_type(TypeDesc::scalar("uint64", 1, Kind::Uint64, 8))?;
    const LEN: u64 = 1 << 20;
    heap.begin();
    let array = heap.alloc_array(word, LEN)?;
    heap.set_root("array", array, word)?;
    heap.commit()?;

    for (name, durability, rounds) in [
        ("none", Durability::None, 5_000_000u64),
        ("async", Durability::Async, 5_000_000),
        ("sync", Durability::Sync, 500),
    ] {
        heap.set_durability(durability);
        let start = Instant::now();
        for i in 0..rounds {
            heap.begin();
            let at = array + i % LEN * 8;
            heap.log(at, 8);
            put(at, i);
            heap.commit()?;
        }
        let each = start.elapsed().as_nanos() as f64 / rounds as f64;
        println!("one-store transaction, {name:<6} {each:10.1} ns");
    }
    heap.set_durability(Durability::None);
    for round in 0..2 {
        let start = Instant::now();
        heap.begin();
        let mut random = 88172645463325252u64;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            array + random % LEN * 8
        };
        for _ in 0..1_000_000 {
            let (a, b) = (next(), next());
            let (x, y) = (get(a), get(b));
            heap.log(a, 8);
            put(a, y);
            heap.log(b, 8);
            put(b, x);
        }
        let stores = start.elapsed();
        heap.commit()?;
        println!(
            "1M swaps in one transaction   {:10.2} ms ({round}; {:.2} ms before the commit)",
            start.elapsed().as_secs_f64() * 1e3,
            stores.as_secs_f64() * 1e3
        );
    }

    let node = heap.register_type(TypeDesc {
        pointers: vec![PointerSlot::Ptr(0)],
        ..TypeDesc::scalar("node", 2, Kind::Struct, 128)
    })?;
    let start = Instant::now();
    let head = heap.alloc_array(node, 1)?;
    heap.set_root("list", head, node)?;
    let (mut tail, mut objects) = (head, 0u64);
    while heap.stats().file_bytes < 1 << 30 {
        heap.begin();
        for _ in 0..50_000 {
            let new = heap.alloc_array(node, 1)?;
            heap.log(tail, 8);
            put(tail, new);
            tail = new;
            objects += 1;
        }
        heap.commit()?;
    }
    println!(
        "allocate and commit an object {:10.1} ns ({objects} objects)",
        start.elapsed().as_nanos() as f64 / objects as f64
    );
    let start = Instant::now();
    let done = heap.collect(&mut |_| ());
    println!(
        "collect                       {:10.2} ms ({done:?})",
        start.elapsed().as_secs_f64() * 1e3
    );
    let start = Instant::now();
    heap.close()?;
    println!(
        "close                         {:10.2} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    let start = Instant::now();
    let mut heap = open(Durability::Sync)?;
    println!(
        "open a heap of {:4} MiB       {:10.2} ms",
        heap.stats().file_bytes >> 20,
        start.elapsed().as_secs_f64() * 1e3
    );
    let start = Instant::now();
    let report = heap.check()?;
    println!(
        "check                         {:10.2} ms ({} objects, {:?})",
        start.elapsed().as_secs_f64() * 1e3,
        report.objects,
        report.problems
    );
    drop(heap);
    remove();
    Ok(())
}
