//! Heap and log copied file by file while a program writes to them, as cp does it: page after page, each as it is at its
//! moment, then the log. The copy is one of the program's states, or refused.

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;

use common::{Workload, heap_path, is_clear, node_type, open, options, read_model};
use pheap::disk::MemoryDisk;
use pheap::{Durability, Error};

const PAGE: usize = 8192;

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn log_path() -> PathBuf {
    PathBuf::from("test.pheap.log")
}

/// The files after each step of a program; it closes and reopens its heap now and then.
fn moments(seed: u64) -> (Vec<Files>, Workload) {
    let options = options(Durability::Sync);
    let disk = MemoryDisk::default();
    let mut workload = Workload::new(seed);
    workload.is_large = seed.is_multiple_of(2);
    workload.stores_outside = false;
    let mut moments = Vec::new();
    for session in 0..4 {
        let mut heap = open(&disk, &options).unwrap();
        let node = node_type(&mut heap).unwrap();
        moments.push(disk.files());
        for _ in 0..10 {
            workload.step(&mut heap, node, &mut |_, _| ()).unwrap();
            moments.push(disk.files());
        }
        if session % 2 == 0 {
            heap.close().unwrap();
            moments.push(disk.files());
        }
    }
    (moments, workload)
}

/// What is copied first.
#[derive(Clone, Copy, PartialEq)]
enum First {
    Heap,
    Log,
    /// The log is left out.
    HeapOnly,
}

/// A copy whose pages are from moments that follow each other, in up to `runs` runs, and whose log is from the last of
/// them or later, or from the first or earlier.
fn copy(moments: &[Files], first: First, runs: u64, workload: &mut Workload) -> Files {
    let mut at = workload.random(moments.len() as u64) as usize;
    let away = workload.random(4) as usize;
    let mut log_at = at.saturating_sub(away);
    let mut heap = Vec::new();
    let mut left = runs;
    loop {
        let now = &moments[at][&heap_path()];
        let pages = now.len().div_ceil(PAGE) as u64;
        let until = match left {
            0 => usize::MAX,
            _ => heap.len() + PAGE * (1 + workload.random(pages.max(2) / 2) as usize),
        };
        let end = now.len().min(until);
        if heap.len() < end {
            heap.extend_from_slice(&now[heap.len()..end]);
        }
        if end == now.len() || left == 0 {
            break;
        }
        left -= 1;
        let later = workload.random(3) as usize;
        at = (at + later).min(moments.len() - 1);
    }
    if first == First::Heap {
        log_at = (at + away).min(moments.len() - 1);
    }
    let mut files = BTreeMap::from([(heap_path(), heap)]);
    if let Some(log) = moments[log_at].get(&log_path())
        && first != First::HeapOnly
    {
        files.insert(log_path(), log.clone());
    }
    files
}

fn copies_are_right_or_refused(first: First) {
    let (mut opened, mut refused, mut out_of_step) = (0, 0, 0);
    for seed in 0..12 {
        let (moments, mut workload) = moments(seed);
        for i in 0..150 {
            let files = copy(&moments, first, i % 4, &mut workload);
            let options = options(Durability::Sync);
            match open(&MemoryDisk::new(files), &options) {
                Ok(mut heap) => {
                    let model = read_model(&heap);
                    assert!(workload.states.contains(&model), "seed {seed}: {model:?}");
                    let report = heap.check().unwrap();
                    assert!(report.is_ok(), "seed {seed}: {:?}", report.problems);
                    opened += 1;
                }
                Err(error) => {
                    assert!(is_clear(&error), "{error}");
                    out_of_step += u32::from(matches!(error, Error::OutOfStep { .. }));
                    refused += 1;
                }
            }
        }
    }
    println!("{opened} copies open, {refused} are refused, {out_of_step} of them as out of step");
    assert!(refused > 100 && (first == First::HeapOnly || opened.min(out_of_step) > 100));
}

#[test]
fn a_heap_copied_before_its_log_is_one_of_its_states_or_refused() {
    copies_are_right_or_refused(First::Heap);
}

#[test]
fn a_heap_copied_without_its_log_is_one_of_its_states_or_refused() {
    copies_are_right_or_refused(First::HeapOnly);
}

#[test]
fn a_heap_copied_after_its_log_is_one_of_its_states_or_refused() {
    copies_are_right_or_refused(First::Log);
}
