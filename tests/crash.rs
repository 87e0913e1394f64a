//! `pgo crashtest`: the programs in `tests/crash/` hold at every crash, the mistakes in `tests/crash/found/` are found.
//! For a long soak `PGO_CRASH_STATES` sets the number of crashes of each program, `PGO_CRASH_SCALE` has each do so many times
//! as many steps.
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash")
}

/// Standard output, standard error, status.
fn crashtest(dir: &Path, args: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_pgo"))
        .arg("crashtest")
        .args(args)
        .current_dir(dir)
        .env_remove("PGO_HEAP")
        .stdin(Stdio::null())
        .output()
        .expect("pgo starts");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code(),
    )
}

/// The folder of the programs, or of copies that do `scale` times as many steps.
fn scaled(scripts: &[String], scale: usize) -> PathBuf {
    if scale == 1 {
        return folder();
    }
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("crash-scaled");
    std::fs::create_dir_all(&dir).unwrap();
    for script in scripts {
        let text = std::fs::read_to_string(folder().join(script)).unwrap();
        let text = text.replace("const steps = ", &format!("const steps = {scale} * "));
        std::fs::write(dir.join(script), text).unwrap();
    }
    dir
}

/// A number in a flat JSON object.
fn number(json: &str, key: &str) -> u64 {
    let (_, rest) = json
        .split_once(&format!("\"{key}\":"))
        .unwrap_or_else(|| panic!("no {key} in {json}"));
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
    digits.unwrap_or_default().parse().expect("a number")
}

/// The heap that the first program of `migration/` leaves.
fn heap_to_migrate() -> String {
    let heap = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("crash-migration");
    let heap = heap.to_str().expect("a path in UTF-8");
    for file in [heap.to_string(), format!("{heap}.log")] {
        let _ = std::fs::remove_file(file);
    }
    let made = Command::new(env!("CARGO_BIN_EXE_pgo"))
        .args(["run", "--heap", heap, "1.pgo"])
        .current_dir(folder().join("migration"))
        .status();
    assert!(made.expect("pgo starts").success());
    heap.to_string()
}

#[test]
fn programs_hold_at_every_crash() {
    let states = std::env::var("PGO_CRASH_STATES").ok();
    let least = if states.is_some() { 1_000_000 } else { 20_000 };
    let states = states.unwrap_or("8000".into());
    let mut scripts: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".pgo"))
        .collect();
    scripts.sort();
    assert!(scripts.len() >= 9, "{scripts:?}");
    let scale = std::env::var("PGO_CRASH_SCALE").map_or(1, |scale| scale.parse().unwrap());
    let dir = scaled(&scripts, scale);
    let mut work: Vec<(PathBuf, Vec<String>)> = scripts
        .into_iter()
        .map(|s| (dir.clone(), vec![s]))
        .collect();
    let heap = heap_to_migrate();
    for script in ["2.pgo", "3.pgo"] {
        let args = ["--heap", &heap, script].map(String::from);
        work.push((folder().join("migration"), args.to_vec()));
    }
    let (work, disks) = (Mutex::new(work), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((dir, own)) = { work.lock().unwrap().pop() } {
                    let mut args = vec!["--json", "--states", &states];
                    args.extend(own.iter().map(String::as_str));
                    let (out, err, status) = crashtest(&dir, &args);
                    assert_eq!(status, Some(0), "{own:?}: {out}{err}");
                    assert!(out.contains("\"failure\":null"), "{out}");
                    assert!(number(&out, "disks") > 100, "{out}");
                    println!("{}", out.trim_end());
                    *disks.lock().unwrap() += number(&out, "disks");
                }
            });
        }
    });
    let disks = *disks.lock().unwrap();
    println!("{disks} different disks");
    assert!(disks >= least, "only {disks} different disks");
}

/// The mistake is found, and told with these words.
#[track_caller]
fn found(args: &[&str], words: &[&str]) {
    let (out, err, status) = crashtest(&folder().join("found"), args);
    assert_eq!(status, Some(1), "{args:?}: {out}{err}");
    for word in words {
        assert!(out.contains(word), "{args:?}: no {word:?} in\n{out}{err}");
    }
    // The crash can be made again, and tells the same.
    let (_, replay) = out.split_once("--replay ").expect("a name to replay");
    let replay = replay.split_whitespace().next().unwrap();
    let again = [&["--replay", replay], args].concat();
    let (again, err, status) = crashtest(&folder().join("found"), &again);
    assert_eq!(status, Some(1), "{again}{err}");
    assert!(out.starts_with(&again), "{out}\nagain:\n{again}");
}

#[test]
fn mistakes_are_found_and_told() {
    let two = "two_transactions.pgo";
    found(
        &[two],
        &[
            "two_transactions.pgo:24  committed, durable\n",
            "  two_transactions.pgo:18  a commit has begun\n",
            "accounts",
            "Invariant says: total is 190, not 200\n",
        ],
    );
    found(
        &["--check", "checker.pgo", two],
        &["checker.pgo says: money is lost\n"],
    );
    found(
        &["promise_before_commit.pgo"],
        &[
            "prints \"saved 0\" inside the transaction\n",
            "Printed before the crash\n  saved 0\n",
            "Invariant says: job 0 was promised, but there are 0 jobs\n",
        ],
    );
    found(
        &["store_outside.pgo"],
        &[
            "store_outside.pgo:24  stores outside any transaction\n",
            "Invariant says: the count is wrong\n",
        ],
    );
    found(
        &["weak_policy.pgo"],
        &[
            "not durable yet",
            "Invariant says: n is 0, but was said to be 1\n",
        ],
    );
    found(
        &["--restart", "restart.pgo"],
        &["Invariant, after the restart, says: steps [0 0 1 2]\n"],
    );
    found(
        &["--acks", "--durability", "none", "weak_policy.pgo"],
        &["Invariant says"],
    );
}

#[test]
fn what_cannot_be_tested_is_told() {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("crashtest");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let refused = |text: &str, args: &[&str], says: &str| {
        std::fs::write(dir.join("a.pgo"), text).unwrap();
        let (out, err, status) = crashtest(&dir, &[args, &["a.pgo"]].concat());
        assert!(
            out.is_empty() && err.contains(says) && matches!(status, Some(1 | 2)),
            "{out}{err}{status:?}"
        );
    };
    refused("pvar n int\nn++\n", &[], "has no func Invariant");
    refused(
        "func Invariant() {}\nprintln(1)\n",
        &[],
        "uses no persistent data",
    );
    refused(
        "pvar n int\nfunc Invariant(n int) bool { return true }\n",
        &[],
        "a.pgo:2:6: wrong signature for Invariant",
    );
    refused("pvar n int\nn +\n", &[], "a.pgo:3");
    let fine = "pvar n int\nfunc Invariant() {}\ntxn <> { n++ }\n";
    refused(fine, &["--replay", "1-most"], "names no crash");
    refused(fine, &["--replay", "1-all@zzzz"], "did not do the same");
    refused(fine, &["--replay", "999999-all"], "does less");
    // A panic of the script is a point to crash at, like its end.
    let text = "pvar n int\nfunc Invariant() {}\ntxn <> { n++ }\npanic(\"enough\")\n";
    std::fs::write(dir.join("a.pgo"), text).unwrap();
    let (out, err, status) = crashtest(&dir, &["--states", "500", "a.pgo"]);
    assert!(
        out.contains("all hold") && err.contains("panic: enough") && status == Some(0),
        "{out}{err}"
    );
    std::fs::remove_dir_all(&dir).unwrap();
}
