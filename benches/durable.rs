//! `cargo bench --bench durable [N]`: N one-key updates (5,000), each durable before the next, by pgo (`durable.pgo`)
//! and its peers: SQLite (WAL, FULL) from C and from Python, LMDB, redb. Prints updates a second, and what the
//! device that holds the files was asked for by each: flushes and writes per update, from the kernel's statistics
//! (of the whole device: run it on a quiet machine). Peers that are not installed are left out.
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const ROUNDS: usize = 5;

/// Writes of data and flushes that the device of this folder has completed (Documentation/block/stat.rst); None if it
/// is no block device. The kernel counts a flush among the writes, as one of no data: those are taken off.
fn device(folder: &Path) -> Option<(f64, f64)> {
    let dev = std::fs::metadata(folder).ok()?.dev();
    let (major, minor) = ((dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00));
    let text = std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")).ok()?;
    let fields: Vec<f64> = text.split_whitespace().flat_map(str::parse).collect();
    let (requests, flushes) = (*fields.get(4)?, *fields.get(15)?);
    Some((requests - flushes, flushes))
}

fn redb(file: &Path, n: usize) -> Result<f64, redb::Error> {
    const M: redb::TableDefinition<&str, &str> = redb::TableDefinition::new("m");
    let db = redb::Database::create(file)?;
    let value = "v".repeat(92);
    let txn = db.begin_write()?;
    for i in 0..1000 {
        txn.open_table(M)?.insert(&*format!("key{i:07}"), &*value)?;
    }
    txn.commit()?;
    let start = Instant::now();
    for i in 0..n {
        let txn = db.begin_write()?;
        txn.open_table(M)?.insert(
            &*format!("key{:07}", i * 7919 % 1000),
            &*format!("{i:08}{value}"),
        )?;
        txn.commit()?;
    }
    Ok(start.elapsed().as_secs_f64())
}

fn run(mut command: Command) -> f64 {
    let out = command
        .stderr(Stdio::inherit())
        .output()
        .expect("the peer runs");
    assert!(out.status.success(), "{command:?} failed");
    let text = String::from_utf8_lossy(&out.stdout);
    text.trim().parse().expect("seconds")
}

type Peer = (&'static str, Box<dyn Fn(&Path) -> f64>);

fn peers(sources: &Path, temp: &Path, n: usize) -> Vec<Peer> {
    let command = move |program: &Path, args: &[&str], file: &Path| {
        let mut command = Command::new(program);
        command.args(args).arg(file).arg(n.to_string());
        run(command)
    };
    let script = sources.join("durable.pgo");
    let pgo = move |file: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgo"));
        command
            .args(["run", "--durability", "sync", "--heap"])
            .args([file, &script])
            .arg(n.to_string());
        run(command)
    };
    let mut peers: Vec<Peer> = vec![("pgo", Box::new(pgo))];
    let built = temp.join("bench-durable");
    let done = Command::new("cc")
        .args(["-O2", "-o"])
        .args([&built, &sources.join("durable.c")])
        .args(["-llmdb", "-lsqlite3"])
        .stderr(Stdio::null())
        .status();
    if done.is_ok_and(|status| status.success()) {
        let sqlite = built.clone();
        let one = move |file: &Path| command(&sqlite, &["sqlite"], file);
        peers.push(("sqlite", Box::new(one)));
        peers.push((
            "lmdb",
            Box::new(move |file: &Path| command(&built, &["lmdb"], file)),
        ));
    }
    let python = sources.join("durable.py").display().to_string();
    let found = Command::new("python3")
        .args(["-c", "import sqlite3"])
        .status();
    if found.is_ok_and(|status| status.success()) {
        let one = move |file: &Path| command(Path::new("python3"), &[&python], file);
        peers.push(("python", Box::new(one)));
    }
    peers.push((
        "redb",
        Box::new(move |file: &Path| redb(file, n).expect("redb")),
    ));
    peers
}

fn clear(folder: &Path) -> PathBuf {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).expect("a folder");
    folder.join("data")
}

fn main() {
    let n = std::env::args()
        .skip(1)
        .find_map(|arg| arg.parse().ok())
        .unwrap_or(5000);
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
    let temp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = temp.join("durable");
    let peers = peers(&sources, temp, n);
    let mut seen = vec![Vec::new(); peers.len()];
    for _ in 0..ROUNDS {
        for ((_, peer), seen) in peers.iter().zip(&mut seen) {
            let file = clear(&folder);
            let before = device(&folder);
            let seconds = peer(&file);
            let asked = before.zip(device(&folder)).map(|(before, after)| {
                (
                    (after.0 - before.0) / n as f64,
                    (after.1 - before.1) / n as f64,
                )
            });
            seen.push((seconds, asked));
        }
    }
    clear(&folder);
    println!(
        "{:<8} {:>10} {:>12} {:>14}",
        "peer", "updates/s", "writes each", "flushes each"
    );
    for ((name, _), mut seen) in peers.iter().zip(seen) {
        seen.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (seconds, asked) = seen[ROUNDS / 2];
        let (writes, flushes) = asked.map_or(("?".into(), "?".into()), |(writes, flushes)| {
            (format!("{writes:.2}"), format!("{flushes:.2}"))
        });
        println!(
            "{name:<8} {:>10.0} {writes:>12} {flushes:>14}",
            n as f64 / seconds
        );
    }
}
