//! `cargo bench --bench compare [NAME…]`: each program of `benches/programs` beside its peers, in
//! turns, five times; prints the median wall time of each and the ratio. Peers that are not
//! installed are left out: `lua5.4`; `go`, compiled, where persistent data is volatile instead; for
//! programs with persistent data C with libpmemobj (`benches/pmdk.c`), which has its pool where our
//! heap is, in memory if there is a file system of that kind; for the others, when asked for by
//! `--yaegi`, the Go interpreter `yaegi` (up to a minute a run).
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 5;

struct Peer {
    name: &'static str,
    command: Command,
    times: Vec<Duration>,
}

fn available(program: &str, arg: &str) -> bool {
    Command::new(program)
        .arg(arg)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

fn peer(name: &'static str, program: &Path, args: &[&OsStr]) -> Peer {
    let mut command = Command::new(program);
    command.args(args).stdout(Stdio::null());
    Peer {
        name,
        command,
        times: Vec::new(),
    }
}

/// The C peer, if there is a compiler and PMDK's library.
fn compile_pmdk(temp: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/pmdk.c");
    let built = temp.join("bench-pmdk");
    let done = Command::new("cc")
        .args(["-O2", "-o"])
        .args([&built, &source])
        .args(["-lpmemobj", "-lm"])
        .stderr(Stdio::null())
        .status();
    done.is_ok_and(|s| s.success()).then_some(built)
}

/// The program as plain Go (1.26 or later, for new's argument).
fn volatile(text: &str) -> String {
    text.replace("pvar ", "var ")
        .replace("pnew(", "new(")
        .replace("pmake(", "make(")
        .replace("persist(", "(")
        .replace("txn <> {", "{")
}

fn clear(heap: &Path, pool: &Path) {
    for path in [heap, &heap.with_extension("pheap.log"), pool] {
        let _ = std::fs::remove_file(path);
    }
}

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/programs");
    let mut programs: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("benches/programs")
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.extension().is_some_and(|e| e == "pgo"))
        .collect();
    programs.sort();
    let (lua, go) = (available("lua5.4", "-v"), available("go", "version"));
    let yaegi = std::env::args().any(|a| a == "--yaegi") && available("yaegi", "version");
    let temp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory } else { temp };
    let (heap, pool) = (
        place.join(format!("pgo-bench-{}.pheap", std::process::id())),
        place.join(format!("pgo-bench-{}.pool", std::process::id())),
    );
    let pmdk = compile_pmdk(temp);
    println!(
        "{:<12} {:<8} {:>10} {:>8}",
        "program", "peer", "median", "pgo/peer"
    );
    for program in programs {
        let name = program.file_stem().unwrap().to_string_lossy().into_owned();
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        let pgo = Path::new(env!("CARGO_BIN_EXE_pgo"));
        let text = std::fs::read_to_string(&program).expect("the program");
        let persistent = text.contains("pvar ");
        let mut flags: Vec<&OsStr> = vec!["run".as_ref()];
        if persistent {
            let options: [&OsStr; 4] = [
                "--durability".as_ref(),
                "none".as_ref(),
                "--heap".as_ref(),
                heap.as_os_str(),
            ];
            flags.extend(options);
        }
        flags.push(program.as_os_str());
        let mut peers = vec![peer("pgo", pgo, &flags)];
        let lua_program = program.with_extension("lua");
        if lua && lua_program.exists() {
            peers.push(peer(
                "lua5.4",
                Path::new("lua5.4"),
                &[lua_program.as_os_str()],
            ));
        }
        if persistent && let Some(pmdk) = &pmdk {
            let mut pmdk = peer("pmdk", pmdk, &[name.as_ref(), pool.as_os_str()]);
            // As on persistent memory: flushed by clwb, not by msync.
            pmdk.command.env("PMEM_IS_PMEM_FORCE", "1");
            peers.push(pmdk);
        }
        let built = temp.join(format!("bench-{name}"));
        if go {
            let source = built.with_extension("go");
            std::fs::write(&source, volatile(&text)).expect("a copy for Go");
            let done = Command::new("go")
                .arg("build")
                .arg("-o")
                .args([&built, &source])
                .status();
            if done.is_ok_and(|s| s.success()) {
                peers.push(peer("go", &built, &[]));
            }
            if yaegi && !persistent {
                let args: [&OsStr; 2] = ["run".as_ref(), source.as_os_str()];
                peers.push(peer("yaegi", Path::new("yaegi"), &args));
            }
        }
        for _ in 0..RUNS {
            for p in &mut peers {
                clear(&heap, &pool);
                let start = Instant::now();
                let status = p.command.status().expect("the peer runs");
                assert!(status.success(), "{} failed on {name}", p.name);
                p.times.push(start.elapsed());
            }
        }
        let medians: Vec<f64> = peers
            .iter_mut()
            .map(|p| {
                p.times.sort();
                p.times[RUNS / 2].as_secs_f64()
            })
            .collect();
        for (p, median) in peers.iter().zip(&medians) {
            println!(
                "{name:<12} {:<8} {:>8.3} s {:>8.2}",
                p.name,
                median,
                medians[0] / median
            );
        }
    }
    clear(&heap, &pool);
}
