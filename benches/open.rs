//! `cargo bench --bench open [GIB…]`: heaps of that many GiB of 64-byte objects (1), five times left by a crash with
//! 16 MiB of commits in the log: how long a process takes that opens one and reads a little, by wall time. Beside it
//! SQLite (WAL of 16 MiB, from Python) and Redis (its snapshot) with as many records of 64 bytes. Then half of our
//! objects are let go of: time, pauses, and file size after collection and after compaction. It needs free disk for
//! three times the largest heap; Redis is left out where its data would take more than half of the memory, as are
//! peers that are not installed.
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

fn pgo(heap: &Path, args: &[&str]) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/fill.pgo");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgo"));
    command
        .args(["run", "--durability", "none", "--heap"])
        .args([heap, &script])
        .args(args);
    command
}

/// Runs it to its end, whatever that is; the wall time.
fn timed(mut command: Command) -> Duration {
    let start = Instant::now();
    command.status().expect("it starts");
    start.elapsed()
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    println!("{what:<24} {:>8.3} s", times[times.len() / 2].as_secs_f64());
}

const SQLITE: &str = "
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[2], isolation_level=None)
db.execute('PRAGMA journal_mode=WAL')
db.execute('PRAGMA wal_autocheckpoint=0')
db.execute('PRAGMA synchronous=OFF')
if sys.argv[1] == 'fill':
    n = int(sys.argv[3])
    db.execute('CREATE TABLE m(id INTEGER PRIMARY KEY, data BLOB)')
    for first in range(0, n, 1 << 20):
        db.execute('BEGIN')
        rows = ((i, bytes(56)) for i in range(first, min(n, first + (1 << 20))))
        db.executemany('INSERT INTO m VALUES(?,?)', rows)
        db.execute('COMMIT')
        db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
elif sys.argv[1] == 'crash':
    i, n = 0, db.execute('SELECT max(id) FROM m').fetchone()[0]
    while not os.path.exists(sys.argv[2] + '-wal') or os.path.getsize(sys.argv[2] + '-wal') < 16 << 20:
        i += 1
        db.execute('UPDATE m SET data=? WHERE id=?', (i.to_bytes(56, 'little'), i * 7919 % n))
    os.kill(os.getpid(), signal.SIGKILL)
else:
    print(db.execute('SELECT data FROM m WHERE id=7919').fetchone() is not None)
    os._exit(0)
";

fn sqlite(folder: &Path, records: u64) {
    let file = folder.join("sqlite").display().to_string();
    let python = |what: &str, n: &str| {
        let mut command = Command::new("python3");
        command
            .args(["-c", SQLITE, what, &file, n])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    let filled = python("fill", &records.to_string()).status();
    if !filled.is_ok_and(|status| status.success()) {
        return println!("sqlite: not available");
    }
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        timed(python("crash", ""));
        times.push(timed(python("look", "")));
    }
    report("sqlite from python", times);
}

fn redis(folder: &Path, records: u64) {
    const PORT: &str = "16399";
    let start = || {
        let mut command = Command::new("redis-server");
        command
            .args([
                "--port",
                PORT,
                "--save",
                "",
                "--enable-debug-command",
                "yes",
            ])
            .args(["--dbfilename", "redis.rdb", "--dir"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn()
    };
    let ask = |args: &[&str]| {
        let out = Command::new("redis-cli")
            .args(["-p", PORT])
            .args(args)
            .output();
        out.map(|out| String::from_utf8_lossy(&out.stdout).into_owned())
            .unwrap_or_default()
    };
    let answers = || {
        while !ask(&["ping"]).starts_with("PONG") {
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    let Ok(mut server) = start() else {
        return println!("redis: not available");
    };
    answers();
    ask(&["debug", "populate", &records.to_string(), "o", "64"]);
    ask(&["save"]);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        // The server is our child and has nothing unsaved.
        let _ = server.kill();
        let _ = server.wait();
        let begin = Instant::now();
        server = start().expect("it started before");
        answers();
        times.push(begin.elapsed());
    }
    let _ = server.kill();
    let _ = server.wait();
    report("redis", times);
}

fn memory_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|l| l.strip_prefix("MemTotal:"));
    let kib = total.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

fn clear(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
}

fn main() {
    let mut sizes: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse().ok())
        .collect();
    if sizes.is_empty() {
        sizes.push(1);
    }
    let folder: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("open");
    for gib in sizes {
        println!("== {gib} GiB of 64-byte objects");
        clear(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let heap = folder.join("bench.pheap");
        timed(pgo(&heap, &["fill", &(gib << 10).to_string()]));
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            timed(pgo(&heap, &["crash"]));
            times.push(timed(pgo(&heap, &["look"])));
        }
        report("pgo", times);
        timed(pgo(&heap, &["halve"]));
        let mut compact = Command::new(env!("CARGO_BIN_EXE_pgo"));
        compact.args(["heap", "compact"]).arg(&heap);
        report("pgo heap compact", vec![timed(compact)]);
        let bytes = std::fs::metadata(&heap).map_or(0, |m| m.len());
        println!("file after compaction    {:>8} MiB", bytes >> 20);
        clear(&folder);
        let records = (gib << 30) / 64;
        std::fs::create_dir_all(&folder).expect("a folder");
        sqlite(&folder, records);
        // About 150 bytes a record.
        if records * 150 < memory_bytes() / 2 {
            redis(&folder, records);
        }
    }
    clear(&folder);
}
