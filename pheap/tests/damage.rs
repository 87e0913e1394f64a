//! Damaged files: whatever single bytes or blocks of a heap or its log are changed, opening gives the right contents or one
//! clear error, soon. `PHEAP_DAMAGES` sets the number of damages, for a long soak.

mod common;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::{Model, Workload, heap_path, is_clear, node_type, open, options, read_model};
use pheap::disk::MemoryDisk;
use pheap::{Durability, Options};

type Files = BTreeMap<PathBuf, Vec<u8>>;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n.max(1) as u64) as usize
    }
}

/// A heap as a killed program left it, partly in the file, partly in the log: its files, and the states that it may be
/// taken to be in.
fn killed(seed: u64, options: &Options) -> (Files, Vec<Model>) {
    let disk = MemoryDisk::default();
    let mut workload = Workload::new(seed);
    let mut heap = open(&disk, options).unwrap();
    let node = node_type(&mut heap).unwrap();
    for _ in 0..20 {
        workload.step(&mut heap, node, &mut |_, _| ()).unwrap();
    }
    heap.checkpoint().unwrap();
    for _ in 0..8 {
        workload.step(&mut heap, node, &mut |_, _| ()).unwrap();
    }
    drop(heap);
    // A transaction that changes nothing writes no record.
    workload.states.dedup();
    (disk.files(), workload.states)
}

/// Changes one of the files; says how, and how many records at the log's end that may hit.
fn damage(files: &mut Files, random: &mut Random) -> (String, usize) {
    let log = PathBuf::from("test.pheap.log");
    let path = [heap_path(), log][random.below(2)].clone();
    let bytes = files.get_mut(&path).expect("both files are there");
    let len = bytes.len();
    // Where something is, as a rule: the rest is never read.
    let mut at = random.below(len);
    for _ in 0..40 {
        if bytes[at] != 0 {
            break;
        }
        at = random.below(len);
    }
    let kind = random.below(8);
    let mut hit = 1;
    match kind {
        0..=3 => bytes[at] ^= 1 << random.below(8),
        4 => bytes[at] = random.below(256) as u8,
        _ => {
            let size = [64, 512, 4096][random.below(3)];
            let start = at / size * size;
            let from = random.below(len / size) * size;
            let end = (start + size).min(len);
            hit = size / 64;
            match kind {
                // A lost write, a misdirected one, noise.
                5 => bytes[start..end].fill(0),
                6 if from + size <= len => bytes.copy_within(from..from + end - start, start),
                _ => bytes[start..end].fill_with(|| random.below(256) as u8),
            }
        }
    }
    (format!("{} at {at}, way {kind}", path.display()), hit)
}

#[test]
fn damage_is_found_or_harmless() {
    let rounds: u64 = std::env::var("PHEAP_DAMAGES").map_or(1200, |rounds| rounds.parse().unwrap());
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let options = options(Durability::Sync);
    let heaps: Vec<_> = (0..8).map(|seed| killed(seed, &options)).collect();
    let (mut errors, mut harmless, mut shorter) = (0, 0, 0);
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let (files, states) = &heaps[random.below(heaps.len())];
        let mut damaged = files.clone();
        let (how, hit) = damage(&mut damaged, &mut random);
        let disk = MemoryDisk::new(damaged);
        let started = Instant::now();
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let mut heap = open(&disk, &options)?;
            let problems = heap.check()?.problems;
            Ok((read_model(&heap), problems))
        }));
        slowest = slowest.max(started.elapsed());
        match opened {
            Err(_) => panic!("round {round}: {how}: a panic"),
            Ok(Err(error)) => {
                assert!(is_clear(&error), "round {round}: {how}: {error}");
                errors += 1;
            }
            Ok(Ok((model, problems))) => {
                assert_eq!(problems, [], "round {round}: {how}");
                let last = states.len() - 1;
                if model == states[last] {
                    harmless += 1;
                } else {
                    // The end of the log is lost as if it had never been written: of the last record nothing says that
                    // it ever was whole.
                    let at = states.iter().rposition(|state| *state == model);
                    assert!(
                        at.is_some_and(|at| at + hit >= last),
                        "round {round}: {how}: state {at:?} of {last}"
                    );
                    shorter += 1;
                }
            }
        }
    }
    println!(
        "{rounds} damages: {errors} refused, {harmless} harmless, {shorter} lost the last record; slowest {slowest:?}"
    );
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
}
