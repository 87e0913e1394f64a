//! Heap files that are damaged, truncated, foreign, locked, read-only, or on a full or failing disk; and processes
//! that are killed.
#![allow(unsafe_code)] // Reads a heap's memory directly.

mod common;

use std::io::{self, BufRead, BufReader};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use common::{
    Model, Moment, Workload, get, heap_path, is_clear, node_type, open, open_file, options, put,
    read_model, store,
};
use pheap::disk::{Disk, DiskFile, FailingDisk, Failure, MemoryDisk, Mode, RealDisk};
use pheap::{BYTES_TYPE, Durability, Error, Heap, Kind, Options, TypeDesc};

fn log_path() -> PathBuf {
    PathBuf::from("test.pheap.log")
}

/// A folder for the files of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("pheap-test-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A small heap, closed in order or not, and the states that its log holds.
fn small_heap(options: &Options, close: bool) -> (MemoryDisk, Vec<Model>) {
    let disk = MemoryDisk::default();
    let mut heap = open(&disk, options).unwrap();
    let node = node_type(&mut heap).unwrap();
    let mut states = vec![read_model(&heap)];
    for i in 0..6 {
        heap.begin();
        for root in ["a", "b"] {
            let addr = heap.alloc_array(node, 1).unwrap();
            let bytes = heap.alloc_bytes(&[i; 100]).unwrap();
            put(addr, heap.root(root).map_or(0, |root| root.0));
            put(addr + 8, i.into());
            put(addr + 16, bytes);
            heap.set_root(root, addr, node).unwrap();
        }
        heap.commit().unwrap();
        states.push(read_model(&heap));
        if i == 2 {
            heap.checkpoint().unwrap();
            states = vec![read_model(&heap)];
        }
    }
    if close {
        states = vec![read_model(&heap)];
        heap.close().unwrap();
    }
    (disk, states)
}

/// Opens changed files: one of the states must be there, or one clear error. Returns whether it opened.
fn open_changed(
    disk: &MemoryDisk,
    options: &Options,
    states: &[Model],
    path: &Path,
    change: impl FnOnce(&mut Vec<u8>),
    what: &str,
) -> bool {
    let mut files = disk.files();
    change(files.get_mut(path).unwrap());
    match open(&MemoryDisk::new(files), options) {
        Ok(mut heap) => {
            let model = read_model(&heap);
            assert!(states.contains(&model), "{what}: {model:?}");
            let report = heap.check().unwrap();
            assert!(report.is_ok(), "{what}: {report:?}");
            true
        }
        Err(error) => {
            assert!(is_clear(&error), "{what}: {error}");
            false
        }
    }
}

/// Flips a bit at positions of a file: at all of them if `PHEAP_EVERY_BYTE` is set, else at the first of every page and
/// a sample of the others.
fn flip(close: bool) {
    let options = Options {
        initial_bytes: 32 << 10,
        ..options(Durability::Sync)
    };
    let (disk, states) = small_heap(&options, close);
    let every = std::env::var_os("PHEAP_EVERY_BYTE").is_some();
    let (mut refused, mut opened) = (0, 0);
    for (path, file) in disk.files() {
        for at in (0..file.len()).filter(|at| every || at % 4096 < 256 || at % 31 == 0) {
            let what = format!("bit flipped at {at} of {}", path.display());
            let flip = |file: &mut Vec<u8>| file[at] ^= 1 << (at % 8);
            if open_changed(&disk, &options, &states, &path, flip, &what) {
                opened += 1;
            } else {
                refused += 1;
            }
        }
    }
    assert!(
        refused > 1000 && opened > 100,
        "{refused} refused, {opened} opened"
    );
}

#[test]
fn a_flipped_bit_in_a_closed_heap_is_harmless_or_refused() {
    flip(true);
}

#[test]
fn a_flipped_bit_in_a_heap_with_a_log_is_harmless_or_refused() {
    flip(false);
}

#[test]
fn truncated_files_are_refused() {
    let options = options(Durability::Sync);
    for close in [true, false] {
        let (disk, states) = small_heap(&options, close);
        for (path, file) in disk.files() {
            for len in (0..file.len()).step_by(509) {
                let what = format!("{} cut to {len}", path.display());
                assert!(
                    !open_changed(
                        &disk,
                        &options,
                        &states,
                        &path,
                        |file| file.truncate(len),
                        &what
                    ),
                    "{what}"
                );
            }
        }
    }
}

#[test]
fn foreign_files_are_refused_and_left_alone() {
    let options = options(Durability::Sync);
    for contents in [&b""[..], b"#!/bin/sh\n", &[0; 100_000], &[0xff; 100_000]] {
        let disk = MemoryDisk::new([(heap_path(), contents.to_vec())]);
        let error = open(&disk, &options).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::NotAHeap { .. }), "{error}");
        assert_eq!(disk.files()[&heap_path()], contents);
    }
    // A heap of another version, and the log of another heap.
    let (disk, _) = small_heap(&options, true);
    let mut files = disk.files();
    for at in [0, 4096] {
        let block = &mut files.get_mut(&heap_path()).unwrap()[at..at + 80];
        block[8] = 9;
        let crc = crc32c::crc32c(&block[..76]);
        block[76..].copy_from_slice(&crc.to_le_bytes());
    }
    let error = open(&MemoryDisk::new(files), &options)
        .map(|_| ())
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Version {
                found: 9,
                supported: 1,
                ..
            }
        ),
        "{error}"
    );
    let (other, _) = small_heap(&options, false);
    let mut files = disk.files();
    files.insert(log_path(), other.files()[&log_path()].clone());
    let error = open(&MemoryDisk::new(files), &options)
        .map(|_| ())
        .unwrap_err();
    assert!(matches!(error, Error::ForeignLog { .. }), "{error}");
}

#[test]
fn a_missing_log_is_no_loss_after_an_orderly_close_and_refused_otherwise() {
    let options = options(Durability::Sync);
    for close in [true, false] {
        let (disk, states) = small_heap(&options, close);
        let mut files = disk.files();
        files.remove(&log_path());
        match open(&MemoryDisk::new(files), &options) {
            Ok(heap) => assert!(close && states.contains(&read_model(&heap))),
            Err(error) => assert!(
                !close && matches!(error, Error::LogMissing { .. }),
                "{error}"
            ),
        }
    }
}

#[test]
fn a_log_without_its_heap_is_not_overwritten_unless_it_was_closed_in_order() {
    let options = options(Durability::Sync);
    for close in [true, false] {
        let (disk, _) = small_heap(&options, close);
        let mut files = disk.files();
        files.remove(&heap_path());
        let log = files[&log_path()].clone();
        let disk = MemoryDisk::new(files);
        match open(&disk, &options) {
            Ok(heap) => assert!(close && heap.is_new()),
            Err(error) => {
                assert!(
                    !close && matches!(error, Error::HeapMissing { .. }),
                    "{error}"
                );
                assert_eq!(disk.files()[&log_path()], log);
            }
        }
    }
}

#[test]
fn a_full_disk_is_an_error_of_the_commit_that_meets_it() {
    let mut met = 0;
    for n in 0..400 {
        let memory = MemoryDisk::default();
        let options = options(Durability::Sync);
        let disk = FailingDisk::new(memory.clone(), Failure::FullFrom(n));
        let mut workload = Workload::new(3);
        workload.stores_outside = false;
        let mut heap = match open(&disk, &options) {
            Ok(heap) => heap,
            Err(error) => {
                assert!(matches!(error, Error::DiskFull { .. }), "{error}");
                // Once there is room, it is as if nothing had happened.
                assert_eq!(read_model(&open(&memory, &options).unwrap()), Model::new());
                continue;
            }
        };
        let node = node_type(&mut heap).unwrap();
        for _ in 0..40 {
            if let Err(error) = workload.step(&mut heap, node, &mut |_: Moment, _| ()) {
                assert!(matches!(error, Error::DiskFull { .. }), "{error}");
                met += 1;
                assert_eq!(read_model(&heap), workload.model);
                assert_eq!(heap.depth(), 0);
                break;
            }
        }
        if n % 2 == 0 {
            // With room again the heap goes on.
            disk.heal();
            for _ in 0..20 {
                workload
                    .step(&mut heap, node, &mut |_: Moment, _| ())
                    .unwrap();
                assert_eq!(read_model(&heap), workload.model);
            }
            assert_eq!(heap.check().unwrap().problems, []);
        }
        drop(heap);
        let mut heap = open(&memory, &options).unwrap();
        assert_eq!(read_model(&heap), workload.model);
        assert_eq!(heap.check().unwrap().problems, []);
    }
    assert!(met > 50, "{met}");
}

#[test]
fn a_failed_flush_poisons_the_heap() {
    for n in 0..30 {
        let options = options(Durability::Sync);
        let disk = FailingDisk::new(MemoryDisk::default(), Failure::Sync(n));
        let Ok(mut heap) = open(&disk, &options) else {
            continue;
        };
        let node = node_type(&mut heap).unwrap();
        let mut workload = Workload::new(5);
        while !disk.failed() {
            if let Err(error) = workload.step(&mut heap, node, &mut |_: Moment, _| ()) {
                assert!(matches!(error, Error::Poisoned { .. }), "{error}");
            }
        }
        assert_eq!(read_model(&heap), workload.model);
        for _ in 0..3 {
            heap.begin();
            let addr = heap.alloc_array(node, 1).unwrap();
            heap.set_root("late", addr, node).unwrap();
            assert!(matches!(heap.commit(), Err(Error::Poisoned { .. })));
            assert!(heap.root("late").is_none());
        }
        assert!(matches!(heap.close(), Err(Error::Poisoned { .. })));
    }
}

#[test]
fn a_heap_in_use_is_locked_and_readers_share_it() {
    let folder = Folder::new("lock");
    let path = folder.0.join("lock.pheap");
    let options = options(Durability::None);
    let heap = open_file(&path, &options).unwrap();
    let error = Heap::open(&path, options.clone()).map(|_| ()).unwrap_err();
    assert!(
        matches!(error, Error::Locked { .. }) && error.to_string().contains("lock.pheap"),
        "{error}"
    );
    let reader = Options {
        read_only: true,
        ..options.clone()
    };
    assert!(matches!(
        Heap::open(&path, reader.clone()),
        Err(Error::Locked { .. })
    ));
    heap.close().unwrap();
    let first = Heap::open(&path, reader.clone()).unwrap();
    let second = Heap::open(&path, reader).unwrap();
    assert!(matches!(
        Heap::open(&path, options.clone()),
        Err(Error::Locked { .. })
    ));
    drop((first, second));
    open_file(&path, &options).unwrap();
    assert!(matches!(
        Heap::open(&folder.0, options.clone()).map(|_| ()),
        Err(Error::Io { .. })
    ));
    let missing = Options {
        create: false,
        ..options
    };
    assert!(matches!(
        Heap::open(&folder.0.join("none"), missing).map(|_| ()),
        Err(Error::NotFound { .. })
    ));
}

#[test]
fn a_read_only_heap_shows_the_log_and_changes_nothing() {
    let mut options = options(Durability::Sync);
    for close in [true, false] {
        let (disk, states) = small_heap(&options, close);
        let files = disk.files();
        options.read_only = true;
        let mut heap = open(&disk, &options).unwrap();
        assert_eq!(Some(&read_model(&heap)), states.last());
        let node = node_type(&mut heap).unwrap();
        heap.begin();
        assert!(heap.commit().is_ok());
        heap.begin();
        let big = heap.alloc_array(BYTES_TYPE, 1_000_000).unwrap();
        heap.set_root("big", big, BYTES_TYPE).unwrap();
        assert!(matches!(heap.commit(), Err(Error::ReadOnly { .. })));
        heap.begin();
        let (addr, _) = heap.root("a").unwrap();
        store(&mut heap, addr + 8, 99);
        assert!(matches!(heap.commit(), Err(Error::ReadOnly { .. })));
        assert_eq!(Some(&read_model(&heap)), states.last());
        assert_eq!(heap.check().unwrap().problems, []);
        assert!(heap.type_desc(node).is_some());
        heap.close().unwrap();
        assert!(disk.files() == files);
        options.read_only = false;
    }
}

#[test]
fn a_heap_whose_addresses_are_taken_is_relocated() {
    let mut options = options(Durability::Sync);
    for close in [true, false] {
        let (disk, states) = small_heap(&options, close);
        let in_the_way = Heap::ephemeral(options.clone()).unwrap();
        assert_eq!(in_the_way.base(), options.base);
        assert_ne!(
            Heap::ephemeral(options.clone()).unwrap().base(),
            options.base
        );
        let before = disk.files();
        options.read_only = true;
        let mut reader = open(&disk, &options).unwrap();
        assert_ne!(reader.base(), options.base);
        assert_eq!(Some(&read_model(&reader)), states.last());
        assert_eq!(reader.check().unwrap().problems, []);
        drop(reader);
        assert!(disk.files() == before);
        options.read_only = false;

        let mut heap = open(&disk, &options).unwrap();
        let base = heap.base();
        assert_ne!(base, options.base);
        assert_eq!(Some(&read_model(&heap)), states.last());
        assert_eq!(heap.check().unwrap().problems, []);
        let node = node_type(&mut heap).unwrap();
        let mut workload = Workload::new(9);
        workload.stores_outside = false;
        workload.model = read_model(&heap);
        for _ in 0..20 {
            workload
                .step(&mut heap, node, &mut |_: Moment, _| ())
                .unwrap();
        }
        assert_eq!(read_model(&heap), workload.model);
        drop((heap, in_the_way));
        let mut heap = open(&disk, &options).unwrap();
        assert_eq!((heap.base(), read_model(&heap)), (base, workload.model));
        assert_eq!(heap.check().unwrap().problems, []);
    }
}

/// In a child process: the path of the heap to work on.
const CHILD: &str = "PHEAP_TEST_CHILD";

/// Runs one test of this binary in a process of its own.
fn child(test: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture"])
        .env(CHILD, path);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn nothing_committed_is_lost_when_the_process_is_killed() {
    const LEN: u64 = 512;
    let root = |heap: &mut Heap, word: u32| match heap.root("words") {
        Some((addr, _)) => addr,
        None => {
            heap.begin();
            let addr = heap.alloc_array(word, LEN).unwrap();
            heap.set_root("words", addr, word).unwrap();
            heap.commit().unwrap();
            addr
        }
    };
    let word_type = |heap: &mut Heap| {
        heap.register_type(TypeDesc::scalar("uint64", 1, Kind::Uint64, 8))
            .unwrap()
    };
    if let Some(path) = std::env::var_os(CHILD) {
        let durability = [Durability::Sync, Durability::Async, Durability::None]
            [std::process::id() as usize % 3];
        let options = Options {
            log_limit_bytes: 64 << 10,
            log_bytes: 16 << 10,
            durability,
            ..Options::default()
        };
        let mut heap = open_file(Path::new(&path), &options).unwrap();
        let word = word_type(&mut heap);
        let words = root(&mut heap, word);
        loop {
            // Every word of the array counts the transactions: all change together.
            let n = get(words) + 1;
            heap.begin();
            heap.log(words, LEN as usize * 8);
            (0..LEN).for_each(|i| put(words + i * 8, n));
            heap.commit().unwrap();
            println!("committed {n}");
        }
    }
    let folder = Folder::new("kill");
    let path = folder.0.join("kill.pheap");
    for round in 0..12 {
        let mut process = child(
            "nothing_committed_is_lost_when_the_process_is_killed",
            &path,
        )
        .spawn()
        .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let reader = std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .filter_map(|line| line.strip_prefix("committed ")?.parse().ok())
                .last()
        });
        std::thread::sleep(Duration::from_millis(20 + round * 13 % 70));
        process.kill().unwrap();
        process.wait().unwrap();
        let committed: Option<u64> = reader.join().unwrap();
        let mut heap = open_file(&path, &Options::default()).unwrap();
        assert_eq!(heap.check().unwrap().problems, []);
        let word = word_type(&mut heap);
        let words = root(&mut heap, word);
        let n = get(words);
        assert!(n >= committed.unwrap_or(0), "{n} of {committed:?}");
        assert!((0..LEN).all(|i| get(words + i * 8) == n));
    }
}

#[test]
fn a_truncation_by_another_program_ends_in_a_message() {
    if let Some(path) = std::env::var_os(CHILD) {
        let options = Options {
            base: 0x4200_0000_0000,
            ..Options::default()
        };
        let heap = open_file(Path::new(&path), &options).unwrap();
        std::fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(0)
            .unwrap();
        let sum: u64 = (heap.base()..heap.base() + (200 << 10))
            .step_by(4096)
            .map(get)
            .sum();
        unreachable!("read {sum} from a file that is gone");
    }
    let folder = Folder::new("sigbus");
    let output = child(
        "a_truncation_by_another_program_ends_in_a_message",
        &folder.0.join("cut.pheap"),
    )
    .output()
    .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("cut.pheap") && stderr.contains("truncated"),
        "{stderr}"
    );
}

#[test]
fn the_disk_can_be_shared() {
    fn is_shared<T: Send + Sync>(_: &T) {}
    is_shared(&Arc::new(MemoryDisk::default()));
}

/// The file system, but for storage: files grow without it.
#[derive(Clone)]
struct SparseDisk;

struct SparseFile(Arc<dyn DiskFile>);

impl Disk for SparseDisk {
    fn open(&self, path: &Path, mode: Mode) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(SparseFile(RealDisk.open(path, mode)?)))
    }
    fn exists(&self, path: &Path) -> bool {
        RealDisk.exists(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
    fn sync_names(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_names(path)
    }
}

impl DiskFile for SparseFile {
    fn len_bytes(&self) -> io::Result<u64> {
        self.0.len_bytes()
    }
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_at(bytes, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }
    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        match self.0.len_bytes()? < len {
            true => self.0.truncate(len),
            false => Ok(()),
        }
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.truncate(len)
    }
    fn lock(&self, exclusive: bool) -> io::Result<bool> {
        self.0.lock(exclusive)
    }
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.0.fd()
    }
}

/// `cargo test --release -p pheap --test files tebibyte -- --ignored`
#[test]
#[ignore = "writes the descriptors of a tebibyte: some gigabytes"]
fn a_heap_grows_to_a_tebibyte() {
    let folder = Folder::new("tebibyte");
    let path = folder.0.join("large.pheap");
    let options = Options {
        base: 0x4200_0000_0000,
        limit_bytes: 1 << 40,
        checking: pheap::Checking::Never,
        ..Options::default()
    };
    let open = || {
        Heap::open_on(Arc::new(SparseDisk), &path, options.clone())
            .unwrap()
            .recover()
            .unwrap()
    };
    let mut heap = open();
    // In the way, never published: what comes behind it lies near the end of the range.
    let (way, end) = (1 << 38, heap.end());
    for _ in 0..3 {
        heap.alloc(BYTES_TYPE, 0, way).unwrap();
    }
    heap.alloc(BYTES_TYPE, 0, way - (16 << 30)).unwrap();
    heap.begin();
    let mut far = 0;
    for i in 0..20_000u64 {
        far = heap.alloc_array(BYTES_TYPE, 10_000).unwrap();
        put(far, i);
        if i % 100 == 0 {
            heap.set_root(&format!("far{i}"), far, BYTES_TYPE).unwrap();
        }
    }
    heap.set_root("far", far, BYTES_TYPE).unwrap();
    heap.commit().unwrap();
    assert!(far > end - (16 << 30), "{far:#x}");
    assert!(matches!(
        heap.alloc(BYTES_TYPE, 0, 1 << 34),
        Err(Error::Full { .. })
    ));
    heap.checkpoint().unwrap();
    drop(heap);
    let mut heap = open();
    assert_eq!(heap.root("far"), Some((far, BYTES_TYPE)));
    assert_eq!(get(far), 19_999);
    heap.collect(&mut |_| ());
    heap.begin();
    let addr = heap.alloc_array(BYTES_TYPE, 1 << 20).unwrap();
    heap.set_root("far", addr, BYTES_TYPE).unwrap();
    heap.commit().unwrap();
    heap.close().unwrap();
    assert!(open().root("far").is_some());
}
