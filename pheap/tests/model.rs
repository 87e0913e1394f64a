//! The heap against a model, without crashes: transactions, savepoints, rollbacks, collection, reopening.

mod common;

use common::{Moment, Workload, get, heap_path, node_type, open, options, put, read_model, store};
use pheap::disk::MemoryDisk;
use pheap::{BYTES_TYPE, Durability, Heap, Kind, Options, PointerSlot, Step, TypeDesc};

fn check(heap: &mut Heap) {
    let report = heap.check().expect("readable");
    assert_eq!(report.problems, []);
}

#[test]
fn a_random_program_agrees_with_its_model_across_reopens() {
    for seed in 0..12 {
        let disk = MemoryDisk::default();
        let durability = [Durability::Sync, Durability::None, Durability::Async][seed as usize % 3];
        let options = options(durability);
        let mut workload = Workload::new(seed);
        for round in 0..4 {
            let mut heap = open(&disk, &options).unwrap();
            assert_eq!(heap.is_new(), round == 0);
            assert_eq!(read_model(&heap), workload.model);
            check(&mut heap);
            let node = node_type(&mut heap).unwrap();
            for _ in 0..40 {
                workload
                    .step(&mut heap, node, &mut |_: Moment, _| ())
                    .unwrap();
                assert_eq!(read_model(&heap), workload.model);
            }
            workload.settle(&mut heap, &mut |_, _| ()).unwrap();
            check(&mut heap);
            // Half of the time the process just ends.
            if workload.random(2) == 0 {
                heap.close().unwrap();
            }
        }
    }
}

#[test]
fn an_ephemeral_heap_does_the_same() {
    let mut heap = Heap::ephemeral(options(Durability::Sync)).unwrap();
    let node = node_type(&mut heap).unwrap();
    let mut workload = Workload::new(77);
    for _ in 0..300 {
        workload
            .step(&mut heap, node, &mut |_: Moment, _| ())
            .unwrap();
        assert_eq!(read_model(&heap), workload.model);
    }
    check(&mut heap);
    heap.close().unwrap();
}

#[test]
fn stores_outside_transactions_are_folded_into_the_next_commit_and_not_rolled_back() {
    let (disk, options) = (MemoryDisk::default(), options(Durability::Sync));
    let mut heap = open(&disk, &options).unwrap();
    let word = heap
        .register_type(TypeDesc::scalar("uint64", 1, Kind::Uint64, 8))
        .unwrap();
    let a = heap.alloc_array(word, 4).unwrap();
    put(a, 1); // fresh: needs no note
    heap.set_root("a", a, word).unwrap();
    heap.sync().unwrap();
    heap.note(a + 8, 8);
    put(a + 8, 2);
    heap.begin();
    store(&mut heap, a + 8, 3);
    store(&mut heap, a + 16, 4);
    heap.rollback().unwrap();
    assert_eq!((get(a + 8), get(a + 16)), (2, 0));
    drop(heap);
    let mut heap = open(&disk, &options).unwrap();
    assert_eq!(
        (get(a), get(a + 8)),
        (1, 0),
        "a store outside a transaction waits for a commit"
    );
    heap.note(a + 8, 8);
    put(a + 8, 5);
    heap.begin();
    store(&mut heap, a + 24, 6);
    heap.commit().unwrap();
    drop(heap);
    let mut heap = open(&disk, &options).unwrap();
    assert_eq!((get(a), get(a + 8), get(a + 16), get(a + 24)), (1, 5, 0, 6));
    check(&mut heap);
}

#[test]
fn a_rollback_of_a_savepoint_restores_fresh_objects_of_the_outer_level() {
    let mut heap = Heap::ephemeral(options(Durability::Sync)).unwrap();
    let word = heap
        .register_type(TypeDesc::scalar("uint64", 1, Kind::Uint64, 8))
        .unwrap();
    heap.begin();
    let a = heap.alloc_array(word, 100).unwrap();
    for i in 0..100 {
        store(&mut heap, a + i * 8, i);
    }
    heap.begin();
    heap.log(a, 800);
    for i in 0..100 {
        put(a + i * 8, 0);
    }
    store(&mut heap, a + 8, 77);
    heap.rollback().unwrap();
    assert!((0..100).all(|i| get(a + i * 8) == i));
    heap.begin();
    store(&mut heap, a, 5);
    heap.commit().unwrap();
    heap.rollback().unwrap();
    assert_eq!(heap.depth(), 0);
    assert!(heap.commit().is_err() && heap.rollback().is_err());
}

#[test]
fn what_no_commit_reached_is_not_on_disk() {
    let (disk, options) = (MemoryDisk::default(), options(Durability::Sync));
    let mut heap = open(&disk, &options).unwrap();
    let node = node_type(&mut heap).unwrap();
    heap.begin();
    for _ in 0..1000 {
        heap.alloc_array(node, 1).unwrap();
    }
    let kept = heap.alloc_array(node, 1).unwrap();
    heap.set_root("kept", kept, node).unwrap();
    heap.commit().unwrap();
    let before = heap.check().unwrap();
    assert!(before.objects > 1000 && before.is_ok());
    drop(heap);
    let mut heap = open(&disk, &options).unwrap();
    let report = heap.check().unwrap();
    assert_eq!((report.problems.len(), report.unreachable_objects), (0, 0));
    assert!(report.objects < 10);
}

#[test]
fn types_keep_their_indexes_and_descriptions() {
    let (disk, options) = (MemoryDisk::default(), options(Durability::Sync));
    let mut heap = open(&disk, &options).unwrap();
    let descs: Vec<_> = (1..50)
        .map(|i| TypeDesc::scalar(&format!("T{i}"), i, Kind::Struct, i * 8))
        .collect();
    let indexes: Vec<_> = descs
        .iter()
        .map(|desc| heap.register_type(desc.clone()).unwrap())
        .collect();
    heap.close().unwrap();
    let mut heap = open(&disk, &options).unwrap();
    for (desc, &index) in descs.iter().zip(&indexes) {
        assert_eq!(heap.find_type(desc.key), Some(index));
        assert_eq!(heap.register_type(desc.clone()).unwrap(), index);
        assert_eq!(**heap.type_desc(index).unwrap(), *desc);
    }
    let changed = TypeDesc::scalar("T7", 7, Kind::Struct, 1000);
    let index = heap.register_type(changed).unwrap();
    assert!(!indexes.contains(&index) && heap.find_type(7) == Some(index));
}

#[test]
fn collection_frees_and_the_room_is_used_again() {
    let (disk, options) = (MemoryDisk::default(), options(Durability::None));
    let mut heap = open(&disk, &options).unwrap();
    for round in 0..30u8 {
        heap.begin();
        let addr = heap.alloc_bytes(&vec![round; 300_000]).unwrap();
        heap.set_root("big", addr, 0).unwrap();
        heap.commit().unwrap();
        let done = heap.collect(&mut |_| ());
        assert!(round == 0 || done.freed_bytes >= 300_000);
    }
    check(&mut heap);
    let bytes = heap.stats().file_bytes;
    assert!(bytes < 3_000_000, "{bytes}");
    heap.close().unwrap();
    assert!(disk.files()[&heap_path()].len() < 3_000_000);
    check(&mut open(&disk, &options).unwrap());
}

#[test]
fn long_loops_of_stores_roll_back_exactly() {
    const LEN: u64 = 30_000;
    let (disk, options) = (MemoryDisk::default(), options(Durability::None));
    let mut heap = open(&disk, &options).unwrap();
    let word = heap
        .register_type(TypeDesc::scalar("uint64", 1, Kind::Uint64, 8))
        .unwrap();
    let array = heap.alloc_array(word, LEN).unwrap();
    heap.set_root("array", array, word).unwrap();
    heap.sync().unwrap();
    let scatter = |i: u64| array + i * 7919 % LEN * 8;
    for i in 0..300_000 {
        heap.note(scatter(i), 8);
        put(scatter(i), i);
    }
    let before: Vec<u64> = (0..LEN).map(|i| get(array + i * 8)).collect();
    heap.begin();
    store(&mut heap, array, 1);
    heap.begin();
    for i in 0..300_000 {
        store(&mut heap, scatter(i), !i);
    }
    heap.rollback().unwrap();
    assert_eq!(get(array), 1);
    heap.rollback().unwrap();
    assert!((0..LEN).all(|i| get(array + i * 8) == before[i as usize]));
    heap.sync().unwrap();
    drop(heap);
    let mut heap = open(&disk, &options).unwrap();
    assert!((0..LEN).all(|i| get(array + i * 8) == before[i as usize]));
    check(&mut heap);
}

#[test]
fn async_commits_become_durable_by_themselves_within_ten_milliseconds_or_so() {
    let disk = MemoryDisk::default();
    let mut heap = open(&disk, &options(Durability::Async)).unwrap();
    let word = heap
        .register_type(TypeDesc::scalar("uint64", 1, Kind::Uint64, 8))
        .unwrap();
    for round in 0..20 {
        heap.begin();
        let addr = heap.alloc_array(word, 1).unwrap();
        heap.set_root("word", addr, word).unwrap();
        let lsn = heap.commit().unwrap();
        // Generous, for a busy machine.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while heap.stats().durable_lsn < lsn {
            assert!(
                std::time::Instant::now() < deadline,
                "round {round} was never flushed"
            );
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
    // A transaction may ask for more than the heap's policy.
    heap.begin();
    heap.delete_root("word");
    let lsn = heap.commit_with(Durability::Sync).unwrap();
    assert!(heap.stats().durable_lsn >= lsn);
}

#[test]
fn extents_at_the_end_that_hold_nothing_are_given_back_and_grow_again() {
    let (disk, options) = (MemoryDisk::default(), options(Durability::Sync));
    let mut heap = open(&disk, &options).unwrap();
    let small = heap.alloc_bytes(b"small").unwrap();
    heap.set_root("small", small, 0).unwrap();
    heap.sync().unwrap();
    let before = heap.stats().file_bytes;
    for round in 0..3u8 {
        for i in 0..20 {
            heap.begin();
            let big = heap.alloc_bytes(&vec![round; 100_000]).unwrap();
            heap.set_root(&format!("big{i}"), big, 0).unwrap();
            heap.commit().unwrap();
        }
        heap.checkpoint().unwrap();
        assert!(heap.stats().file_bytes > before + 2_000_000);
        check(&mut heap);
        for i in 0..20 {
            heap.delete_root(&format!("big{i}"));
        }
        heap.sync().unwrap();
        heap.collect(&mut |_| ());
        heap.checkpoint().unwrap();
        let after = heap.stats().file_bytes;
        assert!(
            after < before + 200_000,
            "round {round}: {before} → {after}"
        );
        // Behind the last extent is the tail.
        assert_eq!(disk.files()[&heap_path()].len() as u64, after + 64);
        check(&mut heap);
        if round == 1 {
            drop(heap);
            // As if a crash had come before the file was cut.
            let mut files = disk.files();
            let file = files.get_mut(&heap_path()).unwrap();
            file.extend_from_slice(&[0xee; 500_000]);
            heap = open(&MemoryDisk::new(files), &options).unwrap();
            check(&mut heap);
            let big = heap.alloc_bytes(&[7; 300_000]).unwrap();
            heap.set_root("big", big, 0).unwrap();
            let zeroed = heap.alloc(0, 40_000, 40_000).unwrap();
            assert!((0..5_000).all(|i| get(zeroed + i * 8) == 0));
            heap.sync().unwrap();
            check(&mut heap);
            heap.close().unwrap();
            heap = open(&disk, &options).unwrap();
        }
    }
}

#[test]
fn private_pages_are_given_back_but_not_what_only_memory_has() {
    let (disk, options) = (MemoryDisk::default(), options(Durability::Async));
    let mut heap = open(&disk, &options).unwrap();
    let word = heap
        .register_type(TypeDesc::scalar("uint64", 1, Kind::Uint64, 8))
        .unwrap();
    let array = heap.alloc_array(word, 100_000).unwrap();
    heap.set_root("array", array, word).unwrap();
    heap.sync().unwrap();
    let state = array + 8 * 50_000;
    heap.pin(state, 1);
    for i in 0..2000u64 {
        heap.begin();
        let at = array + i * 4099 % 100_000 * 8;
        if at != state {
            store(&mut heap, at, i);
        }
        // Neither logged nor noted: it stays as long as the heap is open.
        put(state, i);
        heap.commit().unwrap();
        assert_eq!((get(at), get(state)), (i, i));
    }
    assert!(heap.stats().checkpoints > 10);
    for i in 0..2000u64 {
        let at = array + i * 4099 % 100_000 * 8;
        assert_eq!(get(at), i);
    }
    check(&mut heap);
}

#[test]
fn a_reopened_heap_finds_allocates_and_collects_before_it_has_seen_all_of_its_spans() {
    const N: u64 = 300;
    let size_of = |seed: u64| match seed % 61 {
        0 => 5 << 20,
        1..=3 => 300_000,
        4..=9 => 20_000,
        _ => 32 + seed % 300,
    };
    let options = Options {
        limit_bytes: 1 << 28,
        initial_bytes: 1 << 20,
        log_bytes: 1 << 20,
        log_limit_bytes: 32 << 20,
        dirty_limit_bytes: 8 << 20,
        private_limit_bytes: 8 << 20,
        ..options(Durability::None)
    };
    let disk = MemoryDisk::default();
    let mut model = vec![(0, 0); N as usize];
    let mut random = Workload::new(5);
    for round in 0..8 {
        let mut heap = open(&disk, &options).unwrap();
        if round == 0 {
            let desc = TypeDesc {
                pointers: vec![PointerSlot::Ptr(0)],
                ..TypeDesc::scalar("pointer", 7, Kind::Pointer, 8)
            };
            let pointer = heap.register_type(desc).unwrap();
            let table = heap.alloc_array(pointer, N).unwrap();
            heap.set_root("table", table, pointer).unwrap();
        }
        let table = heap.roots()[0].addr;
        let verify = |heap: &Heap, i: u64, (seed, stamp): (u64, u64)| {
            let addr = get(table + i * 8);
            if seed == 0 {
                return assert_eq!(addr, 0);
            }
            let object = heap.find_object(addr + seed % 8).expect("an object");
            assert_eq!(object.addr, addr);
            assert_eq!(
                (object.type_index, object.count),
                (BYTES_TYPE, size_of(seed) as u32)
            );
            let last = size_of(seed) / 8 * 8 - 8;
            let found = (get(addr), get(addr + 8), get(addr + last));
            assert_eq!(found, (seed, stamp, seed), "entry {i}");
        };
        for _ in 0..60 * (round % 3 + 1) {
            let i = random.random(N);
            match random.random(9) {
                0 if !heap.is_collecting() => heap.start_collection(Vec::new()),
                0..=2 => {
                    heap.step_collection(Step {
                        work: random.random(4000),
                        ..Step::ALL
                    });
                }
                3 => verify(&heap, i, model[i as usize]),
                4 if model[i as usize].0 != 0 => {
                    heap.begin();
                    let stamp = random.random(1 << 20);
                    store(&mut heap, get(table + i * 8) + 8, stamp);
                    heap.commit().unwrap();
                    model[i as usize].1 = stamp;
                }
                _ => {
                    let seed = 1 + random.random(1 << 20);
                    let size = size_of(seed);
                    heap.begin();
                    let addr = heap.alloc(BYTES_TYPE, size as u32, size as usize).unwrap();
                    put(addr, seed);
                    put(addr + size / 8 * 8 - 8, seed);
                    store(&mut heap, table + i * 8, addr);
                    heap.commit().unwrap();
                    model[i as usize] = (seed, 0);
                }
            }
        }
        for (i, &entry) in model.iter().enumerate() {
            verify(&heap, i as u64, entry);
        }
        if round % 4 == 3 {
            check(&mut heap);
        }
        if round % 2 == 0 {
            heap.close().unwrap();
        }
    }
}
