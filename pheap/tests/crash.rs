//! Power failures: a workload runs on the simulated disk; then every cut of what it did, with subsets of what was not
//! synced, is reopened. The state must be one of the model's between the last durable commit and the last one begun.

mod common;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use common::{Model, Moment, Workload, heap_path, mutated, node_type, open, options, read_model};
use pheap::disk::{Event, MemoryDisk, SimulatedDisk};
use pheap::{
    Durability, Error, Field, Heap, Kind, Mutation, Options, PointerSlot, TypeDesc, Wanted,
    WantedType, compact_on,
};

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// What a workload did to the disk, and the model's states that its marks name.
struct Recording {
    options: Options,
    events: Vec<Event>,
    states: Vec<Model>,
}

fn mark(moment: Moment, state: usize) -> u64 {
    (state as u64) << 1 | u64::from(moment == Moment::Durable)
}

fn record(seed: u64, steps: usize, options: &Options, fail_sync: Option<u64>) -> Recording {
    let disk = SimulatedDisk::default();
    let mut workload = Workload::new(seed);
    workload.is_large = seed % 4 == 3;
    workload.commits_are_durable = options.durability == Durability::Sync;
    if let Some(n) = fail_sync {
        disk.fail_sync(n);
    }
    let run = |workload: &mut Workload| {
        for session in 0..3 {
            let mut heap = open(&disk, options)?;
            let node = node_type(&mut heap)?;
            for _ in 0..steps {
                let done = workload.step(&mut heap, node, &mut |moment, state| {
                    disk.mark(mark(moment, state))
                });
                // A heap that goes on after a failed flush gets the chance to lose something.
                if done.is_err() && options.mutation != Mutation::RetryFailedSync {
                    return done;
                }
            }
            workload.settle(&mut heap, &mut |moment, state| {
                disk.mark(mark(moment, state))
            })?;
            if session != 1 {
                heap.close()?;
            }
        }
        Ok(())
    };
    let done = run(&mut workload);
    assert!(
        fail_sync.is_some() || options.mutation != Mutation::None || done.is_ok(),
        "{done:?}"
    );
    Recording {
        options: options.clone(),
        events: disk.events(),
        states: workload.states,
    }
}

/// The states allowed after a crash behind some events: from the last durable one to the last one begun.
fn allowed(events: &[Event]) -> (usize, usize) {
    let (mut durable, mut begun) = (0, 0);
    for event in events {
        if let Event::Mark(mark) = event {
            let state = (mark >> 1) as usize;
            begun = begun.max(state);
            if mark & 1 == 1 {
                durable = durable.max(state);
            }
        }
    }
    (durable, begun)
}

/// Opens what a crash left and compares it with the model.
fn verify(
    recording: &Recording,
    files: Files,
    (durable, begun): (usize, usize),
) -> Result<(), String> {
    let disk = MemoryDisk::new(files);
    let verified = catch_unwind(AssertUnwindSafe(|| {
        let mut heap = open(&disk, &recording.options).map_err(|error| error.to_string())?;
        let model = read_model(&heap);
        if !recording.states[durable..=begun].contains(&model) {
            return Err(format!("not a state from {durable} to {begun}: {model:?}"));
        }
        let report = heap.check().map_err(|error| error.to_string())?;
        if report.is_ok() {
            Ok(())
        } else {
            Err(format!("{:?}", report.problems))
        }
    }));
    verified.unwrap_or_else(|_| Err("a panic".into()))
}

struct Random(u64);

impl Random {
    fn next(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }
}

/// Calls `visit` with the states that crashes leave: at every cut every subset of what is pending, if these are few,
/// else none, all, and `subsets` random ones. Stops at an error.
fn explore(
    start: &Files,
    events: &[Event],
    subsets: u64,
    random: &mut Random,
    visit: &mut dyn FnMut(usize, Files) -> Result<(), String>,
) -> Result<u64, String> {
    let mut states = 0;
    let mut before = None;
    let (mut start, mut settled) = (start.clone(), 0);
    for cut in 0..=events.len() {
        if cut < events.len() && matches!(events[cut], Event::Mark(_)) {
            continue;
        }
        // What is durable anyway is done once.
        let more = SimulatedDisk::settled(&events[settled..cut]);
        if more > 0 {
            let certain = &events[settled..settled + more];
            start = SimulatedDisk::crash(&start, certain, &mut |_| true).0;
            settled += more;
        }
        let (start, events) = (&start, &events[settled..cut]);
        let (files, pending) = SimulatedDisk::crash(start, events, &mut |_| true);
        if before == Some((pending, files.len())) && pending == 0 {
            continue;
        }
        before = Some((pending, files.len()));
        visit(cut, files)?;
        states += 1;
        let all = pending < 63 && (1 << pending) <= subsets;
        for i in 0..if all { (1 << pending) - 1 } else { subsets } {
            let density = 1 + random.next(8);
            let odd = random.next(pending.max(1) as u64) as usize;
            let (files, _) = SimulatedDisk::crash(start, events, &mut |unit| match (all, i % 4) {
                (true, _) => i >> unit & 1 == 1,
                // Everything but one unit, nothing but one, a prefix, a random choice.
                (false, 0) => i > 0 && unit != odd,
                (false, 1) => unit == odd,
                (false, 2) => unit < odd,
                _ => random.next(9) < density,
            });
            visit(cut, files)?;
            states += 1;
        }
    }
    Ok(states)
}

/// Tells states apart: the files, and what is allowed of them.
fn fingerprint(files: &Files, bounds: (usize, usize)) -> u64 {
    let mut hasher = DefaultHasher::new();
    bounds.hash(&mut hasher);
    for (path, bytes) in files {
        (path, bytes.len(), crc32c::crc32c(bytes)).hash(&mut hasher);
    }
    hasher.finish()
}

/// Explores crashes of a workload, and for some of them crashes of the recovery. Gives the number of distinct states.
fn crash(recording: &Recording, subsets: u64, nested: u64) -> Result<u64, String> {
    let seen = RefCell::new(HashSet::new());
    let is_new = |files: &Files, bounds| seen.borrow_mut().insert(fingerprint(files, bounds));
    let mut random = Random(7);
    let mut inner_random = Random(8);
    let mut count = 0u64;
    explore(
        &Files::new(),
        &recording.events,
        subsets,
        &mut random,
        &mut |cut, files| {
            let bounds = allowed(&recording.events[..cut]);
            if !is_new(&files, bounds) {
                return Ok(());
            }
            count += 1;
            if nested > 0 && count.is_multiple_of(nested) {
                let disk = SimulatedDisk::new(files.clone());
                drop(open(&disk, &recording.options).map_err(|error| error.to_string())?);
                explore(
                    &files,
                    &disk.events(),
                    4,
                    &mut inner_random,
                    &mut |_, files| match is_new(&files, bounds) {
                        true => verify(recording, files, bounds),
                        false => Ok(()),
                    },
                )?;
            }
            verify(recording, files, bounds).map_err(|what| format!("after {cut} events: {what}"))
        },
    )?;
    Ok(seen.into_inner().len() as u64)
}

/// Explores workloads, one a seed, until that many distinct states were seen; on both of two threads.
fn soak(states: u64) {
    let run = move |first: u64| {
        let mut seen = 0;
        for seed in (first..).step_by(2) {
            let durability =
                [Durability::Sync, Durability::None, Durability::Async][seed as usize / 2 % 3];
            let recording = record(seed, 12, &options(durability), None);
            match crash(&recording, 14, 40) {
                Ok(n) => seen += n,
                Err(what) => panic!("seed {seed}: {what}"),
            }
            if seen >= states / 2 {
                println!("{seen} distinct states up to seed {seed}");
                return;
            }
        }
    };
    let other = std::thread::spawn(move || run(0));
    run(1);
    other.join().unwrap();
}

#[test]
fn after_every_crash_the_heap_is_a_prefix_that_holds_all_durable_commits() {
    soak(20_000);
}

/// `cargo test --release -p pheap --test crash million -- --ignored --nocapture`
#[test]
#[ignore = "takes many minutes"]
fn a_million_crashes() {
    soak(1_000_000);
}

#[test]
fn a_failed_flush_loses_nothing_that_was_acknowledged() {
    for n in 0..24 {
        let recording = record(n, 6, &options(Durability::Sync), Some(n));
        if let Err(what) = crash(&recording, 2, 0) {
            panic!("flush {n}: {what}");
        }
    }
}

#[test]
fn a_crash_while_a_heap_is_relocated_leaves_it_whole() {
    let options = options(Durability::Sync);
    let recording = record(1, 12, &options, None);
    // The second session was not closed: its log is full of records.
    let closes = recording
        .events
        .iter()
        .rposition(|event| matches!(event, Event::Mark(_)));
    let (files, _) = SimulatedDisk::crash(
        &Files::new(),
        &recording.events[..closes.unwrap()],
        &mut |_| true,
    );
    let bounds = allowed(&recording.events[..closes.unwrap()]);
    let disk = SimulatedDisk::new(files.clone());
    let in_the_way = Heap::ephemeral(options.clone()).unwrap();
    assert_ne!(open(&disk, &options).unwrap().base(), options.base);
    drop(in_the_way);
    let events = disk.events();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Rename { .. }))
    );
    let visit = &mut |_, files| verify(&recording, files, bounds);
    let states = explore(&files, &events, 20, &mut Random(1), visit).unwrap();
    assert!(states > 80, "{states}");
}

/// Whether the simulator finds the mistake, in one of several workloads.
fn is_caught(mutation: Mutation, durability: Durability) -> bool {
    (0..40).any(|seed| {
        let options = mutated(&options(durability), mutation);
        let fail_sync = (mutation == Mutation::RetryFailedSync).then_some(8 + seed);
        // The program itself may find out.
        let record = AssertUnwindSafe(|| record(seed, 8, &options, fail_sync));
        catch_unwind(record).map_or(true, |recording| crash(&recording, 10, 0).is_err())
    })
}

macro_rules! caught {
    ($($name:ident: $mutation:ident $durability:ident;)+) => {
        $(#[test]
        fn $name() {
            assert!(is_caught(Mutation::$mutation, Durability::$durability));
        })+
    };
}

caught! {
    a_superblock_written_before_the_heap_is_synced_is_caught: SuperblockBeforeHeapSync Sync;
    a_log_reused_before_the_superblock_is_synced_is_caught: LogReuseBeforeSuperblockSync Sync;
    a_heap_written_before_the_log_is_synced_is_caught: HeapWriteBeforeLogSync None;
    a_log_without_chain_is_caught: NoChain Sync;
    a_log_without_checksums_is_caught: NoChecksum None;
    an_acknowledgement_before_the_flush_is_caught: AckBeforeSync Sync;
    a_retry_of_a_failed_flush_is_caught: RetryFailedSync Sync;
    a_recovery_without_replay_is_caught: NoReplay Sync;
    a_commit_without_its_fresh_objects_is_caught: FreshNotLogged Sync;
    a_store_that_hides_an_object_from_the_collector_is_caught: NoBarrier Sync;
    an_object_made_while_marking_and_not_marked_is_caught: UnmarkedNewObjects Sync;
    an_object_that_a_rollback_brings_back_and_not_marked_is_caught: UndoNotMarked Sync;
    stored_pages_dropped_are_caught: StoredPagesDropped None;
    fresh_pages_dropped_are_caught: FreshPagesDropped None;
    dirty_pages_dropped_are_caught: DirtyPagesDropped None;
    a_heap_cut_before_the_superblock_is_synced_is_caught: TruncateBeforeSuperblockSync Sync;
    pages_used_again_before_the_record_of_their_freeing_are_caught: PagesReusedBeforeRecord Sync;
}

#[test]
fn a_break_in_the_log_before_a_durable_record_is_refused() {
    let options = options(Durability::Sync);
    let disk = MemoryDisk::default();
    let mut heap = open(&disk, &options).unwrap();
    let node = node_type(&mut heap).unwrap();
    for i in 0..5 {
        heap.begin();
        let addr = heap.alloc_array(node, 1).unwrap();
        heap.set_root(&format!("root{i}"), addr, node).unwrap();
        heap.commit().unwrap();
    }
    drop(heap);
    let mut files = disk.files();
    files.get_mut(&PathBuf::from("test.pheap.log")).unwrap()[4096 + 40] ^= 1;
    let opened = Heap::open_on(Arc::new(MemoryDisk::new(files)), &heap_path(), options);
    assert!(matches!(opened, Err(Error::Damaged { .. })));
}

#[test]
fn a_crash_while_a_heap_is_compacted_leaves_it_whole() {
    for seed in [1, 3] {
        let options = options(Durability::Sync);
        let recording = record(seed, 12, &options, None);
        // The heap as its last session left it, its log full of records.
        let closes = recording
            .events
            .iter()
            .rposition(|event| matches!(event, Event::Mark(_)));
        let events = &recording.events[..closes.unwrap()];
        let (files, _) = SimulatedDisk::crash(&Files::new(), events, &mut |_| true);
        let bounds = allowed(events);
        let disk = SimulatedDisk::new(files.clone());
        let path = heap_path();
        let done = compact_on(
            Arc::new(disk.clone()),
            &path,
            options.clone(),
            &mut |_, _| (),
        );
        assert!(done.unwrap().dropped_objects > 0);
        // It goes on in the log that was there before.
        let mut heap = open(&disk, &options).unwrap();
        let model = read_model(&heap);
        heap.begin();
        heap.delete_root("no such root");
        heap.commit().unwrap();
        drop(heap);
        let visit = &mut |_, files| verify(&recording, files, bounds);
        let states = explore(&files, &disk.events(), 20, &mut Random(1), visit).unwrap();
        assert!(states > 80, "{states}");
        assert!(recording.states.contains(&model));
    }
}

/// Numbers in a list, as a type of some version has them: a node with a pointer, a number, and what versions add.
type Versioned = (usize, Vec<i64>);

/// The types of a version: of nodes, of pointers to them, of numbers.
fn version(version: usize) -> Vec<TypeDesc> {
    let (number, size) = [(Kind::Int32, 4), (Kind::Int64, 8), (Kind::Int64, 8)][version];
    let number = TypeDesc::scalar("number", 60 + size, number, size);
    let pointer = TypeDesc {
        elem: 50,
        pointers: vec![PointerSlot::Ptr(0)],
        ..TypeDesc::scalar("*test.Node", 51, Kind::Pointer, 8)
    };
    let field = |name: &str, desc: &TypeDesc, offset: u32| Field {
        name: name.into(),
        type_key: desc.key,
        offset,
    };
    let next = [0, 8, 512][version];
    let mut fields = vec![
        field("next", &pointer, next),
        field("number", &number, [8, 0, 520][version]),
    ];
    fields.sort_by_key(|field| field.offset);
    let node = TypeDesc {
        fields,
        pointers: vec![PointerSlot::Ptr(next)],
        ..TypeDesc::scalar("test.Node", 50, Kind::Struct, [16, 16, 528][version])
    };
    vec![node, pointer, number]
}

fn wanted(of: usize) -> Wanted {
    let types = version(of).into_iter().map(|desc| WantedType {
        desc,
        was: Vec::new(),
    });
    Wanted {
        types: types.collect(),
        ..Wanted::default()
    }
}

/// Address of the list's first pointer and number, and the version.
fn place(heap: &Heap, node: u64) -> (u64, u64, usize) {
    let object = heap.find_object(node).expect("a node is an object");
    let desc = heap.type_desc(object.type_index).expect("a known type");
    let at = |name| {
        let field = desc.fields.iter().find(|field| field.name == name);
        node + u64::from(field.expect("a field").offset)
    };
    let of = (0..3).find(|&of| version(of)[0].fields == desc.fields);
    (at("next"), at("number"), of.expect("a known version"))
}

fn read_versioned(heap: &Heap) -> Versioned {
    let (mut numbers, mut found) = (Vec::new(), None);
    let mut node = heap.root("list").map_or(0, |root| root.0);
    while node != 0 {
        let (next, number, of) = place(heap, node);
        assert_eq!(*found.get_or_insert(of), of, "nodes of two versions");
        numbers.push(match of {
            0 => i64::from(common::get(number) as u32 as i32),
            _ => common::get(number) as i64,
        });
        node = common::get(next);
    }
    (found.unwrap_or(0), numbers)
}

/// Sessions of programs with ever newer types, none of which closes the heap.
fn record_migrations(seed: u64, options: &Options) -> (Vec<Event>, Vec<Versioned>) {
    let disk = SimulatedDisk::default();
    let mut random = Random(seed);
    let mut states = vec![(0, Vec::new())];
    for of in 0..3 {
        let mut heap = open(&disk, options).unwrap();
        let mut commit = |heap: &mut Heap, state: Versioned| {
            states.push(state);
            disk.mark(mark(Moment::Begin, states.len() - 1));
            heap.commit().unwrap();
            disk.mark(mark(Moment::Durable, states.len() - 1));
        };
        let (_, mut numbers) = read_versioned(&heap);
        let wanted = wanted(of);
        if heap.needs_migration(&wanted) {
            let mut survey = heap.survey(&wanted).unwrap();
            assert!(survey.refusal().is_none());
            heap.begin();
            heap.migrate(&mut survey).unwrap();
            commit(&mut heap, (of, numbers.clone()));
        }
        let node_type = heap.register_type(version(of)[0].clone()).unwrap();
        for desc in version(of) {
            heap.register_type(desc).unwrap();
        }
        for _ in 0..8 {
            heap.begin();
            for _ in 0..1 + random.next(3) {
                let head = heap.root("list").map_or(0, |root| root.0);
                let node = heap.alloc_array(node_type, 1).unwrap();
                let number = random.next(1 << 31) as i64;
                let (next, at, _) = place(&heap, node);
                common::put(next, head);
                common::put(at, number as u64);
                heap.set_root("list", node, node_type).unwrap();
                numbers.insert(0, number);
            }
            commit(&mut heap, (of, numbers.clone()));
            match random.next(6) {
                0 => drop(heap.collect(&mut |_| ())),
                1 => heap.checkpoint().unwrap(),
                _ => {}
            }
        }
    }
    (disk.events(), states)
}

#[test]
fn after_a_crash_a_migration_is_done_or_not_begun() {
    let mut seen = HashSet::new();
    for seed in 0..8 {
        let options = options(Durability::Sync);
        let (events, states) = record_migrations(seed, &options);
        let mut random = Random(seed);
        explore(
            &Files::new(),
            &events,
            12,
            &mut random,
            &mut |cut, files| {
                let (durable, begun) = allowed(&events[..cut]);
                if !seen.insert(fingerprint(&files, (durable, begun))) {
                    return Ok(());
                }
                let disk = MemoryDisk::new(files);
                let mut heap = open(&disk, &options).map_err(|error| error.to_string())?;
                let found = read_versioned(&heap);
                if !states[durable..=begun].contains(&found) {
                    return Err(format!("not a state from {durable} to {begun}: {found:?}"));
                }
                let report = heap.check().map_err(|error| error.to_string())?;
                match report.is_ok() {
                    true => Ok(()),
                    false => Err(format!("{:?}", report.problems)),
                }
            },
        )
        .unwrap_or_else(|what| panic!("seed {seed}: {what}"));
    }
    println!("{} distinct states", seen.len());
    assert!(seen.len() > 2000, "{}", seen.len());
}
