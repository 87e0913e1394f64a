//! `pgo heap ls|show|stat|log` on heaps that programs wrote, as a user would call them.
mod common;

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Folder, kill};

const PROGRAM: &str = r#"
type Base struct{ ID int; tags []string }
type Shape interface{ Area() float64 }
type Square struct{ side float64 }
func (s Square) Area() float64 { return s.side * s.side }
type Circle struct{ r float64 }
func (c *Circle) Area() float64 { return c.r }
type Color int
type Node struct {
	Base
	name string
	next *Node
	any  any
}
type Key struct{ a int; b string }
type Pair[A any, B any] struct{ First A; Second B }
pvar users = pmake(map[string]*Node)
pvar byKey = pmake(map[Key]int)
pvar byInt = pmake(map[int]string)
pvar byBool = pmake(map[bool]float64)
pvar byAny = pmake(map[any]int)
pvar byArray = pmake(map[[2]int]string)
pvar grid [][]int
pvar shapes []Shape
pvar pair Pair[string, int]
pvar nothing *Node
pvar list []*Node
txn <> {
	ada := pnew(Node{Base{1, nil}, "ada \"L\"\n", nil, Color(5)})
	ada.next = ada
	users["ada"] = ada
	users["bob"] = pnew(Node{Base{2, nil}, "bob", ada, nil})
	byKey[Key{1, "x"}] = 7
	byInt[-5] = "minus"
	byInt[6] = "gone"
	delete(byInt, 6)
	byBool[true] = 1.5
	byAny["s"] = 1
	byAny[2] = 2
	byArray[[2]int{1, 2}] = "array"
	grid = persist([][]int{{0, 1}, {2, 3}, {4, 5}})
	shapes = append(shapes, Shape(Square{2}), Shape(pnew(Circle{3})))
	pair = Pair[string, int]{"a", 1}
	for i := range 100000 {
		list = append(list, pnew(Node{Base: Base{ID: i}}))
	}
}
"#;

const WRITER: &str = r#"
pvar words = pmake(map[string]int)
pvar total int
for {
	txn <> {
		words["n"]++
		total++
		words[string(rune('a' + total % 26))] = total
	}
}
"#;

fn written(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("program.pgo", PROGRAM);
    folder.done(&["run", "--durability", "none", "--heap", "h", "program.pgo"]);
    folder
}

#[test]
fn values_are_found_and_printed() {
    let folder = written("look-values");
    for (path, value) in [
        ("users[\"ada\"].next.next.ID", "1"),
        ("users[ada].name", "\"ada \\\"L\\\"\\n\""),
        ("users[\"bob\"].next.Base.ID", "1"),
        ("users[\"bob\"].any", "nil"),
        ("byKey[Key{a: 1, b: \"x\"}]", "7"),
        ("byKey[{a:1, b:\"x\"}]", "7"),
        ("byInt[-5]", "\"minus\""),
        ("byInt", "map[int]string{-5: \"minus\"}"),
        ("byBool[true]", "1.5"),
        ("byAny[\"s\"]", "1"),
        ("byAny[2]", "2"),
        ("byArray[{1, 2}]", "\"array\""),
        ("grid[1][1]", "3"),
        ("grid[1:]", "[][]int{[]int{2, 3}, []int{4, 5}}"),
        (
            "shapes",
            "[]main.Shape{main.Square{side: 2}, &main.Circle{r: 3}}",
        ),
        ("shapes[1].r", "3"),
        ("pair", "main.Pair[string,int]{First: \"a\", Second: 1}"),
        ("nothing", "nil"),
        ("list[99999].ID", "99999"),
    ] {
        assert_eq!(
            folder.done(&["heap", "show", "h", path]),
            format!("{value}\n")
        );
    }
    let ada = folder.done(&["heap", "show", "h", "users[ada]"]);
    assert!(
        ada.contains("/* cycle */") && ada.contains("next: (*main.Node)(0x"),
        "{ada}"
    );
    let shallow = folder.done(&["heap", "show", "h", "users", "--depth", "1", "--max", "1"]);
    assert_eq!(
        shallow,
        "map[string]*main.Node{\"ada\": &main.Node{…}, … /* 1 more */}\n"
    );
    let json = folder.done(&["heap", "show", "h", "--json", "users[bob]", "--depth", "2"]);
    assert!(
        json.starts_with("{\"Base\":{\"ID\":2,\"tags\":null},\"name\":\"bob\","),
        "{json}"
    );
    assert!(
        folder
            .done(&["heap", "show", "h"])
            .contains("/* 99980 more */")
    );
}

#[test]
fn bad_paths_name_what_there_is() {
    let folder = written("look-paths");
    for (path, part) in [
        ("nope", "there is byAny, byArray"),
        ("users.x", "map[string]*main.Node has no fields"),
        ("users[\"x\"]", "there is \"ada\", \"bob\""),
        ("users[ada].zip", "there is Base, name, next, any"),
        ("grid[3]", "of length 3"),
        ("grid[2:1]", "of length 3"),
        ("grid[-1]", "of length 3"),
        ("grid[", "a ] is missing"),
        ("grid[0]x", "expected . or ["),
        ("grid.", "a name is missing"),
        ("nothing.name", "is nil"),
        ("pair[0]", "has no elements"),
    ] {
        folder.refused(&["heap", "show", "h", path], part);
    }
    folder.refused(&["heap", "ls", "missing"], "no such heap file");
    assert_eq!(folder.pgo(&["heap", "show"]).status, Some(2));
}

#[test]
fn sizes_and_log() {
    let folder = written("look-sizes");
    let roots = folder.done(&["heap", "ls", "h"]);
    assert!(
        roots.lines().any(|line| line == "grid     [][]int"),
        "{roots}"
    );
    let sizes = folder.done(&["heap", "ls", "h", "--sizes"]);
    let list = sizes
        .lines()
        .find(|line| line.starts_with("list "))
        .unwrap();
    assert_eq!(list.split_whitespace().nth(2), Some("100002"));
    let stat = folder.done(&["heap", "stat", "h"]);
    let nodes = stat
        .lines()
        .find(|line| line.starts_with("main.Node "))
        .unwrap();
    assert_eq!(nodes.split_whitespace().nth(1), Some("100002"));
    let json = folder.done(&["heap", "stat", "--json", "h"]);
    assert!(
        json.contains("{\"name\":\"main.Node\",\"objects\":100002,"),
        "{json}"
    );
    assert!(folder.done(&["heap", "log", "h"]).starts_with("commit "));
}

#[test]
fn while_a_program_writes() {
    let folder = Folder::new("look-writer");
    folder.write("program.pgo", WRITER);
    let writer = ["run", "--durability", "none", "--heap", "h", "program.pgo"];
    let writer = folder.command(&writer).spawn().unwrap();
    let begun = Instant::now();
    while folder.pgo(&["heap", "show", "h", "words[n]"]).status != Some(0) {
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
    let mut last = 0;
    for _ in 0..5 {
        let total = folder.done(&["heap", "show", "h", "total"]);
        let total: u64 = total.trim().parse().unwrap();
        assert!(total >= last);
        last = total;
        // Both are of the same commit.
        let all = folder.done(&["heap", "show", "h", "--json", "--max", "100"]);
        let number = |name: &str| {
            let from = &all[all.find(name).unwrap() + name.len()..];
            from[..from.find([',', '}']).unwrap()].to_string()
        };
        assert_eq!(
            number("\"total\":"),
            number("\"n\":").replace('}', ""),
            "{all}"
        );
        folder.done(&["heap", "stat", "h"]);
        folder.done(&["heap", "log", "h"]);
    }
    kill(writer);
    folder.done(&["heap", "show", "h"]);
}

/// Calls with a limit of time: no damage makes them hang or panic.
fn survives(folder: &Folder, heap: &str) {
    for args in [&["ls", "--sizes"][..], &["show"], &["stat"], &["log"]] {
        let mut command = folder.command(&[&["heap"], args, &[heap]].concat());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status.code();
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{args:?} hangs");
            std::thread::sleep(Duration::from_millis(2));
        };
        assert!(matches!(status, Some(0 | 1)), "{args:?}: {status:?}");
    }
}

#[test]
fn damaged_heaps() {
    let folder = Folder::new("look-damaged");
    folder.write("program.pgo", PROGRAM.replace("100000", "20"));
    folder.done(&["run", "--durability", "none", "--heap", "h", "program.pgo"]);
    let bytes = folder.bytes("h");
    for i in 0..24 {
        let mut copy = bytes.clone();
        let at = (i * 7919 + i * i * 4099) % copy.len();
        if i % 4 == 0 {
            copy.truncate(at);
        } else {
            copy[at] ^= 0x55;
        }
        folder.write("damaged", copy);
        survives(&folder, "damaged");
    }
}
