//! `--read-only`: a program or a session on a heap as of its last commit, also while another program writes to it.
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = r#"
import (
	"bufio"
	"fmt"
	"os"
	"time"
)

type Event struct {
	What string
	When time.Time
	Took time.Duration
}

pvar events []Event
pvar byName = pmake(map[string]int)
pvar n int
pvar at = time.Unix(1700000000, 123456000).UTC()

txn <> {
	n++
	events = append(events, Event{"start", at, 90 * time.Second})
	byName["start"] = n
}
if len(os.Args) > 1 {
	fmt.Println("running")
	bufio.NewReader(os.Stdin).ReadString('\n')
}
"#;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("read-only-{name}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("program.pgo"), PROGRAM).unwrap();
        let folder = Folder(folder);
        assert!(
            folder
                .pgo(&["run", "--heap", "heap", "program.pgo"])
                .status
                .success()
        );
        folder
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgo"));
        command.current_dir(&self.0).args(args).stdin(Stdio::null());
        command
    }

    fn pgo(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs code on the read-only heap: what it prints, its errors, its status.
    fn code(&self, code: &str) -> (String, String, Option<i32>) {
        let code = format!(
            "type Event struct {{ What string; When time.Time; Took time.Duration }}\npvar events []Event\npvar byName map[string]int\npvar n int\n{code}"
        );
        let output = self.pgo(&["run", "--read-only", "--heap", "heap", "-e", &code]);
        (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
            output.status.code(),
        )
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.0.join("heap")).unwrap()
    }
}

const REFUSAL: &str = "heap: opened read-only: a store to persistent data is not possible";

#[test]
fn a_heap_is_read_and_stays_as_it_is() {
    let folder = Folder::new("read");
    let before = folder.bytes();
    let (out, err, status) = folder.code(
        "fmt.Println(n, len(events), events[0].What, byName[\"start\"])\nx := pnew(5)\n*x = 6\ntxn <> { fmt.Println(*x) }",
    );
    assert_eq!(
        (out.as_str(), status),
        ("1 1 start 1\n6\n", Some(0)),
        "{err}"
    );
    for (code, reason) in [
        ("n = 7", REFUSAL),
        ("n++", REFUSAL),
        ("events[0].What = \"x\"", REFUSAL),
        ("events[0] = Event{}", REFUSAL),
        ("byName[\"b\"] = 1", REFUSAL),
        ("delete(byName, \"start\")", REFUSAL),
        ("clear(byName)", REFUSAL),
        ("events = append(events, Event{})", REFUSAL),
        ("copy(events, events)", REFUSAL),
        (
            "txn <> { n = 7 }",
            "heap: opened read-only: a change of persistent data is not possible",
        ),
        (
            "txn <> { byName[\"b\"] = 1 }",
            "heap: opened read-only: a change of persistent data is not possible",
        ),
    ] {
        let (_, err, status) = folder.code(code);
        assert!(
            err.contains(reason) && status == Some(2),
            "{code}: {err} {status:?}"
        );
    }
    // A refused store can be recovered from.
    let (out, err, status) = folder.code(
        "func() { defer func() { fmt.Println(recover() != nil) }(); n = 7 }()\nfmt.Println(n)",
    );
    assert_eq!((out.as_str(), status), ("true\n1\n", Some(0)), "{err}");
    assert_eq!(folder.bytes(), before);
    let missing = folder.pgo(&[
        "run",
        "--read-only",
        "--heap",
        "none",
        "-e",
        "pvar n int; n = 1",
    ]);
    let err = String::from_utf8(missing.stderr).unwrap();
    assert!(err.contains("none: no such heap file"), "{err}");
    assert!(!folder.0.join("none").exists());
}

#[test]
fn a_writer_is_read_at_its_last_commit() {
    let folder = Folder::new("writer");
    let mut writer = folder
        .command(&["run", "--heap", "heap", "program.pgo", "wait"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 7];
    std::io::Read::read_exact(writer.stdout.as_mut().unwrap(), &mut first).unwrap();
    let (out, err, status) = folder.code("fmt.Println(n, len(events))");
    assert_eq!((out.as_str(), status), ("2 2\n", Some(0)), "{err}");
    let mut session = folder
        .command(&["repl", "--read-only", "--heap", "heap"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = "pvar n int\nn + 40\nn = 5\nn + 50\n";
    std::io::Write::write_all(&mut session.stdin.take().unwrap(), lines.as_bytes()).unwrap();
    let output = session.wait_with_output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(out.contains("42"), "{out}{err}");
    assert!(format!("{out}{err}").contains(REFUSAL), "{out}{err}");
    drop(writer.stdin.take());
    assert!(writer.wait().unwrap().success());
}

#[test]
fn times_are_shown_as_people_write_them() {
    let folder = Folder::new("times");
    let shown = folder.pgo(&["heap", "show", "heap", "events"]);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(
        text.contains("When: 2023-11-14 22:13:20.123456 UTC, Took: 1m30s"),
        "{text}"
    );
    let json = folder.pgo(&["heap", "show", "--json", "heap", "events[0]"]);
    assert_eq!(
        String::from_utf8(json.stdout).unwrap(),
        "{\"What\":\"start\",\"When\":\"2023-11-14T22:13:20.123456Z\",\"Took\":90000000000}\n"
    );
}
