//! Heap files that cannot be used: one clear message that names the file, status 2, nothing changed,
//! and no `recover` in the program hides it. Damage anywhere is found or harmless.
mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Folder, first_byte, kill, printed};

const PROGRAM: &str = r#"
import (
	"fmt"
	"os"
	"strconv"
)

type Rec struct {
	n    int
	name string
	next *Rec
}

defer func() {
	if e := recover(); e != nil {
		fmt.Println("recovered", e)
	}
}()

pvar head *Rec
pvar names = pmake(map[string]int)
pvar count int

add := 0
if len(os.Args) > 1 {
	add, _ = strconv.Atoi(os.Args[1])
}
for range add {
	txn <> {
		head = pnew(Rec{count, fmt.Sprint("record ", count), head})
		names[head.name] = count
		count++
	}
}
n := count
for r := head; r != nil; r = r.next {
	n--
	if r.n != n || r.name != fmt.Sprint("record ", n) || names[r.name] != n {
		fmt.Println("wrong", n)
		os.Exit(1)
	}
}
if n != 0 || len(names) != count {
	fmt.Println("wrong count", n, len(names), count)
	os.Exit(1)
}
fmt.Println(count, "records")
for len(os.Args) > 2 {
}
"#;

/// A folder with heaps of the program.
struct Heaps(Folder);

impl Heaps {
    fn new(name: &str) -> Heaps {
        let folder = Folder::new(name);
        folder.write("program.pgo", PROGRAM);
        Heaps(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    fn command(&self, program: &str, heap: &str, args: &[&str]) -> Command {
        self.0
            .command(&[&["run", "--heap", heap, program], args].concat())
    }

    /// Standard output, standard error, status.
    fn run(&self, heap: &str, args: &[&str]) -> (String, String, Option<i32>) {
        let printed = printed(self.command("program.pgo", heap, args), "");
        (printed.out, printed.err, printed.status)
    }

    #[track_caller]
    fn refused(&self, heap: &str, reason: &str) {
        let printed = printed(self.command("program.pgo", heap, &[]), "");
        assert_eq!(
            (&*printed.out, printed.status),
            ("", Some(2)),
            "{printed:?}"
        );
        assert!(printed.err.contains(heap), "{printed:?}");
        printed.is_a_line(reason);
    }

    fn copy(&self, from: &str, to: &str) {
        std::fs::copy(self.path(from), self.path(to)).unwrap();
    }

    /// A heap whose program was killed: 50 records in the file, 50 in the log.
    fn killed(&self, heap: &str) {
        assert_eq!(self.run(heap, &["50"]).0, "50 records\n");
        let args = ["50", "stay"];
        let mut child = self.command("program.pgo", heap, &args).spawn().unwrap();
        first_byte(&mut child);
        self.refused(heap, "in use by another process");
        kill(child);
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x55;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn what_is_no_usable_heap_is_refused_in_one_line() {
    let folder = Heaps::new("heapfile-refused");
    folder.0.write("text.pheap", "hello world");
    folder.refused("text.pheap", "not a heap file");
    folder.0.write("empty.pheap", "");
    folder.refused("empty.pheap", "not a heap file");
    std::fs::create_dir(folder.path("folder.pheap")).unwrap();
    folder.refused("folder.pheap", "opening the heap failed");
    folder.refused("missing/folder.pheap", "creating the heap failed");

    folder.killed("a.pheap");
    folder.run("b.pheap", &["3"]);
    folder.copy("a.pheap", "nolog.pheap");
    folder.refused("nolog.pheap", "log is missing");
    folder.copy("a.pheap.log", "noheap.pheap.log");
    folder.refused("noheap.pheap", "the log of a heap that is missing");
    folder.copy("a.pheap", "foreign.pheap");
    folder.copy("b.pheap.log", "foreign.pheap.log");
    folder.refused("foreign.pheap", "belongs to another heap");
    folder.copy("a.pheap", "short.pheap");
    folder.copy("a.pheap.log", "short.pheap.log");
    let file = std::fs::File::options()
        .write(true)
        .open(folder.path("short.pheap"));
    file.unwrap().set_len(100_000).unwrap();
    folder.refused("short.pheap", "truncated");
    // The version is in the word behind the magic number, in both superblocks.
    folder.copy("a.pheap", "version.pheap");
    folder.copy("a.pheap.log", "version.pheap.log");
    flip(&folder.path("version.pheap"), 8);
    flip(&folder.path("version.pheap"), 4096 + 8);
    let (out, err, status) = folder.run("version.pheap", &[]);
    assert_eq!((out.as_str(), status), ("", Some(2)), "{err}");
    assert_eq!(folder.run("a.pheap", &[]).0, "100 records\n");
}

#[test]
fn a_heap_is_one_by_whatever_name() {
    let heaps = Heaps::new("heapfile-names");
    std::fs::create_dir(heaps.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../a.pheap", heaps.path("elsewhere/link")).unwrap();
    std::os::unix::fs::symlink("elsewhere/link", heaps.path("second")).unwrap();
    // Created, and left with commits in its log, by one name after the other.
    let stay = ["100", "stay"];
    let mut child = heaps.command("program.pgo", "second", &stay);
    let mut child = child.spawn().unwrap();
    first_byte(&mut child);
    heaps.refused("a.pheap", "in use by another process");
    kill(child);
    assert_eq!(heaps.run("a.pheap", &[]).0, "100 records\n");
    assert_eq!(heaps.run("elsewhere/link", &["1"]).0, "101 records\n");
    heaps.0.done(&["heap", "backup", "second", "copy"]);
    heaps
        .0
        .done(&["heap", "restore", "--force", "copy", "second"]);
    assert!(heaps.path("second").is_symlink());
    assert_eq!(heaps.run("a.pheap", &[]).0, "101 records\n");
    for name in ["second.log", "elsewhere/link.log"] {
        assert!(!heaps.0.exists(name), "{name}");
    }
    std::fs::hard_link(heaps.path("a.pheap"), heaps.path("b.pheap")).unwrap();
    heaps.refused("b.pheap", "has 2 names (hard links)");
    heaps.refused("a.pheap", "has 2 names (hard links)");
    std::fs::remove_file(heaps.path("b.pheap")).unwrap();
    assert_eq!(heaps.run("a.pheap", &[]).0, "101 records\n");
    std::os::unix::fs::symlink("loop", heaps.path("loop")).unwrap();
    heaps.refused("loop", "following a symbolic link failed");
}

/// Copies of a heap whose superblocks both have other bytes at an offset, and right checksums.
#[test]
fn superblocks_that_cannot_be_are_refused() {
    let heaps = Heaps::new("heapfile-superblocks");
    heaps.run("a.pheap", &["3"]);
    let refused = |offset: usize, value: &[u8], reason: &str| {
        let mut bytes = heaps.0.bytes("a.pheap");
        for superblock in [0, 4096] {
            let block = &mut bytes[superblock..superblock + 80];
            block[offset..offset + value.len()].copy_from_slice(value);
            let crc = crc32c::crc32c(&block[..76]);
            block[76..].copy_from_slice(&crc.to_le_bytes());
        }
        heaps.0.write("other.pheap", bytes);
        heaps.refused("other.pheap", reason);
    };
    for version in [0u32, 2, 99] {
        refused(8, &version.to_le_bytes(), &format!("version {version}"));
    }
    // Its addresses would be nil, nobody's, or go around.
    for base in [0, 8192, 1 << 47, (1 << 47) - 8192, !8191] {
        refused(40, &u64::to_le_bytes(base), "impossible superblock");
    }
    refused(48, &u64::MAX.to_le_bytes(), "impossible superblock");
}

#[test]
fn a_copy_made_while_the_heap_is_in_use_is_consistent_or_refused() {
    let folder = Heaps::new("heapfile-copy");
    folder.run("a.pheap", &["1"]);
    let args = ["4000", "stay"];
    let mut child = folder
        .command("program.pgo", "a.pheap", &args)
        .spawn()
        .unwrap();
    let (mut opened, mut last) = (0, 0);
    for _ in 0..12 {
        std::thread::sleep(Duration::from_millis(20));
        folder.copy("a.pheap", "copy.pheap");
        folder.copy("a.pheap.log", "copy.pheap.log");
        let (out, err, status) = folder.run("copy.pheap", &[]);
        match status {
            Some(0) => {
                let count = out.strip_suffix(" records\n").expect(&out);
                let count: u64 = count.parse().unwrap();
                assert!(count >= last, "{count} after {last}");
                last = count;
                opened += 1;
            }
            Some(2) => assert!(
                err.starts_with("pgo: copy.pheap") && err.lines().count() == 1 && out.is_empty(),
                "{out}{err}"
            ),
            _ => panic!("{out}{err}{status:?}"),
        }
    }
    println!("{opened} of 12 copies open");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn an_error_of_open_is_the_programs_to_handle() {
    let folder = Heaps::new("heapfile-open");
    let program = r#"
import (
	"fmt"
	"pmem"
)

defer func() { fmt.Println(recover()) }()
fmt.Println(pmem.Open("text.pheap"))
panic("its own")
"#;
    folder.0.write("open.pgo", program);
    folder.0.write("text.pheap", "hello world");
    folder
        .0
        .pgo(&["run", "open.pgo"])
        .succeeds("text.pheap: not a heap file; check the path: nothing was changed\nits own\n");
}

#[test]
fn a_damaged_byte_is_found_or_harmless() {
    let folder = Heaps::new("heapfile-damage");
    folder.killed("a.pheap");
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..60 {
        let damaged = if round % 2 == 0 {
            "t.pheap"
        } else {
            "t.pheap.log"
        };
        folder.copy("a.pheap", "t.pheap");
        folder.copy("a.pheap.log", "t.pheap.log");
        let bytes = std::fs::read(folder.path(damaged)).unwrap();
        let used: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at] != 0).collect();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let at = used[random as usize % used.len()];
        flip(&folder.path(damaged), at);
        let (out, err, status) = folder.run("t.pheap", &[]);
        match status {
            // Of the last record nothing says that it was ever whole.
            Some(0) => assert!(
                ["100 records\n", "99 records\n"].contains(&out.as_str()),
                "{damaged} at {at}: {out}{err}"
            ),
            Some(2) => assert!(
                err.starts_with("pgo: t.pheap") && err.lines().count() == 1 && out.is_empty(),
                "{damaged} at {at}: {out}{err}"
            ),
            _ => panic!("{damaged} at {at}: {out}{err}"),
        }
    }
}

#[test]
fn a_file_cut_off_under_a_running_program_is_told() {
    let folder = Heaps::new("heapfile-fault");
    let program = r#"
import ("fmt"; "os")
pvar blocks [][]byte
if len(blocks) == 0 {
	txn <> {
		for range 200 {
			blocks = append(blocks, pmake([]byte, 30000))
		}
	}
	return
}
fmt.Println("open")
os.Stdin.Read(make([]byte, 1))
sum := 0
for _, b := range blocks {
	for _, x := range b { sum += int(x) }
}
fmt.Println(sum)
"#
    .replace("\n\treturn", "\n\tos.Exit(0)");
    folder.0.write("reader.pgo", program);
    assert!(
        folder
            .command("reader.pgo", "a.pheap", &[])
            .status()
            .unwrap()
            .success()
    );
    let mut child = folder
        .command("reader.pgo", "a.pheap", &[])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    let file = std::fs::File::options()
        .write(true)
        .open(folder.path("a.pheap"));
    file.unwrap().set_len(100_000).unwrap();
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        (err.as_ref(), output.status.code()),
        (
            "pgo: a.pheap: the heap or its log was truncated or became unreadable while in use; restore it from a copy\n",
            Some(2)
        )
    );
}

#[test]
fn a_creation_that_fails_leaves_nothing_behind() {
    let folder = Heaps::new("heapfile-creation");
    // No file may grow beyond 100 KiB: the heap does not fit.
    let pgo = env!("CARGO_BIN_EXE_pgo");
    let output = Command::new("sh")
        .current_dir(&folder.0.0)
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -f 100; exec '{pgo}' run --heap a.pheap program.pgo 3"
        ))
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(2)
            && err.starts_with("pgo: a.pheap")
            && err.lines().count() == 1,
        "{err}"
    );
    for name in ["a.pheap", "a.pheap.new", "a.pheap.log"] {
        assert!(!folder.path(name).exists(), "{name} is left");
    }
    assert_eq!(folder.run("a.pheap", &["3"]).0, "3 records\n");
}

#[test]
fn a_file_cut_off_while_in_use_ends_the_program_with_a_message() {
    let folder = Heaps::new("heapfile-cut");
    folder.run("a.pheap", &["2000"]);
    let args = ["0", "stay"];
    let mut child = folder
        .command("program.pgo", "a.pheap", &args)
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let file = std::fs::File::options()
        .write(true)
        .open(folder.path("a.pheap"));
    file.unwrap().set_len(5000).unwrap();
    // What was read already may stay in memory: then the program goes on.
    std::thread::sleep(Duration::from_millis(200));
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    assert!(matches!(output.status.code(), None | Some(2)));
    folder.refused("a.pheap", "truncated");
}
