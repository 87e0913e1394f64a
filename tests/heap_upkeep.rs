//! `pgo heap` as its user drives it: backups of a heap that a program is writing to, restored and asked for the
//! program's own invariant; the checker; collection; refusals in one line.
mod common;

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use common::{Folder, first_byte, kill};

/// A ring of nodes, and maps, slices and interfaces that go with it. Every commit keeps all of them in step.
const PROGRAM: &str = r#"
import (
	"fmt"
	"os"
)

type Node struct {
	n    int
	any  any
	next *Node
}

pvar ring *Node
pvar names = pmake(map[string]*Node)
pvar places = pmake(map[*Node]int)
pvar list []*Node
pvar garbage []int
pvar count int

add := func() {
	txn <> {
		node := pnew(Node{n: count})
		node.next = node
		if ring != nil {
			node.next = ring.next
			ring.next = node
		}
		ring = node
		if count%2 == 0 {
			node.any = count
		} else {
			node.any = fmt.Sprint("odd ", count)
		}
		names[fmt.Sprint("node ", count)] = node
		places[node] = count
		list = append(list, node)
		garbage = pmake([]int, 100)
		count++
	}
}
if len(os.Args) > 1 && os.Args[1] == "forever" {
	for {
		add()
		if count == 100 {
			fmt.Println("running")
		}
	}
}
if len(os.Args) > 1 {
	for range 200 {
		add()
	}
}
if len(list) != count || len(names) != count || len(places) != count {
	fmt.Println("wrong count", count, len(list), len(names), len(places))
	os.Exit(1)
}
node := ring
for i := range count {
	node = node.next
	var want any = i
	if i%2 == 1 {
		want = fmt.Sprint("odd ", i)
	}
	if node != list[i] || node.n != i || node.any != want || places[node] != i || names[fmt.Sprint("node ", i)] != node {
		fmt.Println("wrong node", i)
		os.Exit(1)
	}
}
fmt.Println(count, "right")
"#;

/// A folder with the program.
fn program_in(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("program.pgo", PROGRAM);
    folder
}

#[test]
fn backups_under_a_writer_hold_whole_commits() {
    let folder = program_in("upkeep-writer");
    let mut writer = folder
        .command(&["run", "--heap", "live", "program.pgo", "forever"])
        .spawn()
        .unwrap();
    first_byte(&mut writer);
    let mut counts = Vec::new();
    for _ in 0..5 {
        folder.done(&["heap", "backup", "--force", "live", "copy"]);
        folder.done(&["heap", "restore", "--force", "copy", "restored"]);
        let said = folder.done(&["run", "--heap", "restored", "program.pgo"]);
        let count = said.strip_suffix(" right\n").expect(&said);
        counts.push(count.parse::<u64>().unwrap());
    }
    assert!(
        folder
            .done(&["heap", "check", "live"])
            .contains("no problems")
    );
    folder.refused(&["heap", "restore", "--force", "copy", "live"], "in use");
    folder.refused(&["heap", "gc", "live"], "in use");
    kill(writer);
    assert!(counts.is_sorted() && counts[0] >= 100, "{counts:?}");
    assert!(counts[0] < counts[4], "{counts:?}");
    assert!(
        folder
            .done(&["heap", "check", "live"])
            .contains("no problems")
    );
}

#[test]
fn a_restore_replaces_only_when_told_to() {
    let folder = program_in("upkeep-restore");
    folder.done(&["run", "--heap", "heap", "program.pgo", "add"]);
    folder.done(&["heap", "backup", "heap", "copy"]);
    folder.refused(&["heap", "backup", "heap", "copy"], "exists already");
    folder.done(&["run", "--heap", "heap", "program.pgo", "add"]);
    folder.refused(&["heap", "restore", "copy", "heap"], "exists already");
    assert_eq!(
        folder.done(&["run", "--heap", "heap", "program.pgo"]),
        "400 right\n"
    );
    folder.done(&["heap", "restore", "--force", "copy", "heap"]);
    assert!(!folder.exists("heap.log"));
    assert_eq!(
        folder.done(&["run", "--heap", "heap", "program.pgo"]),
        "200 right\n"
    );
    let json = folder.done(&["heap", "backup", "--json", "heap", "another"]);
    assert!(
        json.starts_with("{\"file\":\"another\",\"commit\":"),
        "{json}"
    );
    folder.refused(&["heap", "backup", "missing", "x"], "no such heap file");
    folder.refused(&["heap", "backup", "program.pgo", "x"], "not a heap file");
    folder.refused(&["heap", "restore", "program.pgo", "x"], "not a heap file");
    assert!(!folder.exists("x") && !folder.exists("x.new"));
}

#[test]
fn who_may_read_a_heap_may_read_its_copies() {
    let folder = program_in("upkeep-rights");
    let run = || folder.done(&["run", "--heap", "heap", "program.pgo", "add"]);
    let mode = |name: &str| folder.path(name).metadata().unwrap().mode() & 0o777;
    run();
    let private = Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.path("heap"), private).unwrap();
    run();
    folder.done(&["heap", "compact", "heap"]);
    folder.done(&["heap", "backup", "heap", "copy"]);
    folder.done(&["heap", "restore", "copy", "restored"]);
    for name in ["heap", "heap.log", "copy", "restored"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    std::fs::set_permissions(folder.path("restored"), Permissions::from_mode(0o640)).unwrap();
    folder.done(&["heap", "restore", "--force", "copy", "restored"]);
    assert_eq!(mode("restored"), 0o640);
    run();
}

#[test]
fn a_collection_keeps_what_is_reachable() {
    let folder = program_in("upkeep-gc");
    folder.done(&["run", "--heap", "heap", "program.pgo", "add"]);
    let said = folder.done(&["heap", "gc", "--json", "heap"]);
    assert!(!said.contains("\"freed_objects\":0,"), "{said}");
    assert!(
        folder
            .done(&["heap", "check", "heap"])
            .contains("(0 unreachable)")
    );
    assert_eq!(
        folder.done(&["run", "--heap", "heap", "program.pgo"]),
        "200 right\n"
    );
    folder.refused(&["heap", "gc", "missing"], "no such heap file");
    assert!(!folder.exists("missing"));
}

#[test]
fn damage_is_found_and_never_restored() {
    let folder = program_in("upkeep-damage");
    folder.done(&["run", "--heap", "heap", "program.pgo", "add"]);
    folder.done(&["run", "--heap", "heap", "program.pgo"]);
    let good = folder.bytes("heap");
    // A byte of an object: the text is somewhere in a page of data.
    let at = good
        .windows(8)
        .position(|bytes| bytes == b"node 150")
        .unwrap();
    let mut bad = good.clone();
    bad[at] ^= 0x20;
    folder.write("bad", &bad);
    std::fs::copy(folder.path("heap.log"), folder.path("bad.log")).unwrap();
    let checked = folder.pgo(&["heap", "check", "bad"]);
    assert_eq!(checked.status, Some(1), "{checked:?}");
    let said = checked.out + &checked.err;
    assert!(said.contains("checksum"), "{said}");
    folder.refused(&["heap", "restore", "--force", "bad", "heap"], "checksum");
    folder.refused(&["heap", "backup", "bad", "copy"], "checksum");
    assert!(!folder.exists("copy"));
    assert_eq!(folder.bytes("heap"), good);
}
