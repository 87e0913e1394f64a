//! `--read-only`: a program or a session on a heap as of its last commit, also while another program writes to it.
mod common;

use std::process::Stdio;

use common::{Folder, Printed, first_byte};

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

/// A folder with the program and its heap.
fn heap_in(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("program.pgo", PROGRAM);
    folder.done(&["run", "--heap", "heap", "program.pgo"]);
    folder
}

/// Runs code on the read-only heap.
fn code(folder: &Folder, code: &str) -> Printed {
    let code = format!(
        "type Event struct {{ What string; When time.Time; Took time.Duration }}\npvar events []Event\npvar byName map[string]int\npvar n int\n{code}"
    );
    folder.pgo(&["run", "--read-only", "--heap", "heap", "-e", &code])
}

const REFUSAL: &str = "heap: opened read-only: a store to persistent data is not possible";

#[test]
fn a_heap_is_read_and_stays_as_it_is() {
    let folder = heap_in("read-only-read");
    let before = folder.bytes("heap");
    code(
        &folder,
        "fmt.Println(n, len(events), events[0].What, byName[\"start\"])\nx := pnew(5)\n*x = 6\ntxn <> { fmt.Println(*x) }",
    )
    .succeeds("1 1 start 1\n6\n");
    for (change, reason) in [
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
        code(&folder, change).fails(2, &[reason]);
    }
    // A refused store can be recovered from.
    code(
        &folder,
        "func() { defer func() { fmt.Println(recover() != nil) }(); n = 7 }()\nfmt.Println(n)",
    )
    .succeeds("true\n1\n");
    assert_eq!(folder.bytes("heap"), before);
    let missing = folder.pgo(&[
        "run",
        "--read-only",
        "--heap",
        "none",
        "-e",
        "pvar n int; n = 1",
    ]);
    assert!(
        missing.err.contains("none: no such heap file"),
        "{missing:?}"
    );
    assert!(!folder.exists("none"));
}

#[test]
fn a_writer_is_read_at_its_last_commit() {
    let folder = heap_in("read-only-writer");
    let mut writer = folder
        .command(&["run", "--heap", "heap", "program.pgo", "wait"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    first_byte(&mut writer);
    code(&folder, "fmt.Println(n, len(events))").succeeds("2 2\n");
    let lines = "pvar n int\nn + 40\nn = 5\nn + 50\n";
    let session = folder.pgo_with_input(&["repl", "--read-only", "--heap", "heap"], lines);
    assert!(session.out.contains("42"), "{session:?}");
    assert!((session.out + &session.err).contains(REFUSAL));
    drop(writer.stdin.take());
    assert!(writer.wait().unwrap().success());
}

#[test]
fn times_are_shown_as_people_write_them() {
    let folder = heap_in("read-only-times");
    let text = folder.done(&["heap", "show", "heap", "events"]);
    assert!(
        text.contains("When: 2023-11-14 22:13:20.123456 UTC, Took: 1m30s"),
        "{text}"
    );
    let json = folder.done(&["heap", "show", "--json", "heap", "events[0]"]);
    assert_eq!(
        json,
        "{\"What\":\"start\",\"When\":\"2023-11-14T22:13:20.123456Z\",\"Took\":90000000000}\n"
    );
}
