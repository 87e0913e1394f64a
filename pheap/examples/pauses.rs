//! The pauses of collections in steps, on a heap of 1 GiB of 64-byte objects of which lists are replaced.
//! `cargo run --release -p pheap --example pauses [FOLDER [MIB]]`
#![allow(unsafe_code)] // Stores to the heap directly, as a program does.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use pheap::{
    Durability, Heap, Kind, Options, PAUSE_LIMITS_MICROS, PointerSlot, Result, Step, TypeDesc,
};

const PER_LIST: u64 = 8192;
const NODE_BYTES: u64 = 56;
/// As the machine does it: so much is allocated between steps.
const SLICE_BYTES: u64 = 64 << 10;

fn put(addr: u64, value: u64) {
    // SAFETY: only called with addresses of words in live objects.
    unsafe { (addr as *mut u64).write(value) }
}

/// CPU time of the thread: a busy machine makes pauses longer than what is done in them.
fn cpu_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the place for the result lives during the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn fill(heap: &mut Heap, array: u64, node: u32, i: u64, longest: &mut Duration) -> Result<()> {
    heap.begin();
    let mut list = 0;
    for _ in 0..PER_LIST {
        let new = heap.alloc_array(node, 1)?;
        put(new, list);
        list = new;
        let allocated = heap.allocated_since_collection_bytes();
        if heap.is_collecting() && allocated % SLICE_BYTES < NODE_BYTES + 8 {
            let (start, cpu) = (Instant::now(), cpu_time());
            heap.step_collection(Step {
                work: 4 * SLICE_BYTES / 64,
                time: Duration::from_millis(1),
            });
            let pause = start.elapsed();
            heap.count_pause(pause);
            *longest = (*longest).max(cpu_time() - cpu);
        }
    }
    heap.log(array + i * 8, 8);
    put(array + i * 8, list);
    heap.commit()?;
    Ok(())
}

fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let mib = args.next().and_then(|arg| arg.to_str()?.parse().ok());
    let lists = (mib.unwrap_or(1024u64) << 20) / 64 / PER_LIST;
    let path = folder.join(format!("pauses-{}.pheap", std::process::id()));
    let options = Options {
        durability: Durability::None,
        ..Options::default()
    };
    let mut heap = Heap::open(&path, options)?.recover()?;
    let of_pointer = |name, key, size| TypeDesc {
        pointers: vec![PointerSlot::Ptr(0)],
        ..TypeDesc::scalar(name, key, Kind::Struct, size)
    };
    let node = heap.register_type(of_pointer("node", 1, NODE_BYTES))?;
    let pointer = heap.register_type(of_pointer("pointer", 2, 8))?;
    let array = heap.alloc_array(pointer, lists)?;
    heap.set_root("lists", array, pointer)?;
    heap.sync()?;
    let mut longest = Duration::ZERO;
    for i in 0..lists {
        fill(&mut heap, array, node, i, &mut longest)?;
    }
    let start = Instant::now();
    heap.start_collection(Vec::new());
    heap.count_pause(start.elapsed());
    let mut i = 0;
    while heap.is_collecting() {
        fill(&mut heap, array, node, i * 7919 % lists, &mut longest)?;
        i += 1;
    }
    let stats = heap.stats();
    println!(
        "{} MiB used; {i} of {lists} lists replaced during the collection, {:.1} s",
        stats.space.used_bytes >> 20,
        start.elapsed().as_secs_f64()
    );
    let gc = stats.collections;
    for (count, limit) in gc.pauses.iter().zip(PAUSE_LIMITS_MICROS) {
        println!("{count:6} pauses to {limit} µs");
    }
    println!(
        "{:6} longer; the longest {} µs, in CPU time {} µs",
        gc.pauses[PAUSE_LIMITS_MICROS.len()],
        gc.longest_pause_micros,
        longest.as_micros()
    );
    drop(heap);
    for extension in ["pheap", "pheap.log"] {
        let _ = std::fs::remove_file(path.with_extension(extension));
    }
    Ok(())
}
