//! What is fuzzed, as functions of bytes that panic when something is wrong. The cargo-fuzz targets beside this file and the
//! property tests in `tests/fuzz.rs` share it.
use lang::package::{PackageFiles, PackageSource};
use pheap::disk::{Disk, MemoryDisk};
use pheap::{Heap, Options};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The library as a source of packages.
struct Library;

impl PackageSource for Library {
    fn load(&self, path: &str, _: &str) -> Result<PackageFiles, String> {
        let files = stdlib::source(path).ok_or("no such package")?;
        Ok(PackageFiles {
            path: stdlib::canonical(path).to_string(),
            dir: String::new(),
            files: files
                .iter()
                .map(|(name, text)| (name.to_string(), text.as_bytes().to_vec()))
                .collect(),
            is_library: true,
        })
    }
}

/// Lexer and parser: any bytes give errors at worst.
pub fn parse(data: &[u8]) {
    let _ = lang::parse_only("fuzz.pgo", data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = lang::is_incomplete(text);
    }
}

/// Checker and code generation: any text gives errors at worst; what is compiled verifies.
pub fn check(data: &[u8]) {
    let files = vec![("fuzz.pgo".to_string(), data.to_vec())];
    if let Ok(program) = lang::compile(files, ".", &Library) {
        let verified = lang::bytecode::verify::verify(&program);
        assert_eq!(verified, Ok(()), "compiled code does not verify");
    }
}

/// A program with all sorts of instructions.
const PROGRAM: &str = "
type T struct { n int; next *T; names map[string][]int }
pvar root *T
func f(x any, c chan int) (n int, err error) {
	defer func() { recover() }()
	switch x := x.(type) {
	case int: n = x / 3
	case string: n = len(x)
	case error: return 0, x
	}
	select { case n = <-c: default: }
	for i, s := range []string{\"a\", \"b\"} { n += i + len(s) }
	return n, nil
}
txn <> { root = pnew(T{n: 1}); root.names = pmake(map[string][]int); root.names[\"x\"] = append(root.names[\"x\"], 1) }
c := make(chan int, 1)
go func() { c <- 1 }()
f(root.n, c)
x := 1.5
x *= float64(root.n)
println(x)
";

/// The bytecode verifier: whatever the words of a function are, it says yes or no.
pub fn verify(data: &[u8]) {
    let files = vec![("fuzz.pgo".to_string(), PROGRAM.as_bytes().to_vec())];
    let mut program = lang::compile(files, ".", &Library).expect("it compiles");
    let funcs = program.funcs.len();
    for edit in data.chunks_exact(12) {
        let [a, b, c, d, word @ ..] = edit else { break };
        let func = usize::from(u16::from_le_bytes([*a, *b])) % funcs;
        let code = &mut program.funcs[func].code;
        let at = usize::from(u16::from_le_bytes([*c, *d])) % code.len().max(1);
        let word = u64::from_le_bytes(word.try_into().expect("8 bytes"));
        if let Some(to) = code.get_mut(at) {
            // Few bits as a rule, so that most of the instruction stays.
            *to ^= if word & 1 == 0 {
                word & 0xff << (word >> 56 & 63)
            } else {
                word
            };
        }
    }
    let _ = lang::bytecode::verify::verify(&program);
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn heap_path() -> &'static Path {
    Path::new("fuzz.pheap")
}

fn log_path() -> PathBuf {
    PathBuf::from("fuzz.pheap.log")
}

fn options() -> Options {
    Options {
        base: 0x4300_0000_0000,
        limit_bytes: 1 << 26,
        initial_bytes: 64 << 10,
        log_bytes: 16 << 10,
        ..Options::default()
    }
}

/// A heap with a few commits in its file and a few in its log.
fn seed_heap() -> &'static Files {
    static SEED: OnceLock<Files> = OnceLock::new();
    SEED.get_or_init(|| {
        let disk = MemoryDisk::default();
        let mut heap = open(&disk).expect("a new heap");
        for i in 0..12u8 {
            heap.begin();
            let bytes = heap.alloc_bytes(&[i; 300]).expect("room");
            heap.set_root(&format!("root {}", i % 5), bytes, pheap::BYTES_TYPE)
                .expect("a root");
            heap.commit().expect("a commit");
            if i == 6 {
                heap.checkpoint().expect("a checkpoint");
            }
        }
        drop(heap);
        disk.files()
    })
}

fn open(disk: &MemoryDisk) -> pheap::Result<Heap> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Heap::open_on(disk, heap_path(), options())?.recover()
}

/// Opens files as far as they go: an error at worst.
fn use_files(files: Files) {
    let disk = MemoryDisk::new(files);
    if let Ok(mut heap) = open(&disk) {
        let _ = heap.check();
        let _ = heap.roots();
        let _ = heap.close();
    }
}

/// Changes bytes: each edit is a place (4 bytes) and a value.
fn edit(bytes: &mut [u8], data: &[u8]) {
    for edit in data.chunks_exact(5) {
        let [a, b, c, d, value] = *edit else { break };
        let at = u32::from_le_bytes([a, b, c, d]) as usize % bytes.len();
        bytes[at] ^= value;
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"))
}

fn seal(bytes: &mut [u8], from: usize, to: usize, at: usize) {
    let crc = crc32c::crc32c(&bytes[from..to]);
    bytes[at..at + 4].copy_from_slice(&crc.to_le_bytes());
}

/// The heap file: changed bytes are found or harmless. (Checksums of superblocks are made right again, so that their fields
/// are tried.)
pub fn heap_file(data: &[u8]) {
    let mut files = seed_heap().clone();
    let heap = files.get_mut(heap_path()).expect("the heap");
    edit(heap, data);
    for superblock in [0, 4096] {
        seal(heap, superblock, superblock + 76, superblock + 76);
    }
    use_files(files);
}

/// The log: as the heap file. Checksums of the head and of the records are made right again.
pub fn log(data: &[u8]) {
    let mut files = seed_heap().clone();
    let log = files.get_mut(&log_path()).expect("the log");
    edit(log, data);
    seal(log, 0, 60, 60);
    let mut at = 4096;
    while at + 64 <= log.len() {
        let len = u32_at(log, at + 12) as usize * 8;
        let end = at + (32 + len).next_multiple_of(64);
        if len == 0 || end > log.len() {
            break;
        }
        seal(log, at + 4, end, at);
        // The next one names this one's checksum.
        let crc = u32_at(log, at);
        if end + 8 <= log.len() {
            log[end + 4..end + 8].copy_from_slice(&crc.to_le_bytes());
        }
        at = end;
    }
    use_files(files);
}
