//! `pgo heap graph` and `pgo heap stat --svg`: what is drawn, and how much of it.
use std::path::PathBuf;
use std::process::{Command, Stdio};

const PROGRAM: &str = r#"
type Item struct { Name string; N int; Next *Item; In struct{ P *int } }
pvar list *Item
pvar byName = pmake(map[string]*Item)
pvar box any
pvar total int
for i := range 100 {
	txn <> {
		list = pnew(Item{Name: "<item> & \"" + string(rune('a'+i%26)) + "\"", N: i, Next: list})
		byName[fmt.Sprint("n", i)] = list
		total += i
	}
}
list.In.P = &list.N
box = list
"#;

/// Standard output and error of a command on a new heap, and whether it succeeded.
fn pgo(name: &str, args: &[&str]) -> (String, bool) {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("draw-{name}"));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("program.pgo"), PROGRAM).unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgo"));
        let output = command.current_dir(&dir).args(args).stdin(Stdio::null());
        let output = output.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (String::from_utf8(text).unwrap(), output.status.success())
    };
    assert!(run(&["run", "--heap", "heap", "program.pgo"]).1);
    run(args)
}

#[test]
fn a_graph_shows_objects_and_references() {
    let (dot, done) = pgo("dot", &["heap", "graph", "heap", "--max", "12"]);
    assert!(done, "{dot}");
    assert!(dot.starts_with("digraph heap {\n") && dot.ends_with("}\n"));
    // 100 items, a map, and the four roots.
    assert!(dot.contains("label=\"12 of 105 objects\""), "{dot}");
    for part in [
        "[label=\"total int\\l4950\\l\", style=bold]",
        "[label=\"map[string]*main.Item, 100 entries\"]",
        "main.Item\\lName: \\\"<item> & \\\\\\\"v\\\\\\\"\\\"\\lN: 99\\l",
        "[label=\"[\\\"n0\\\"]\"]",
        "[label=\"In.P\"]",
        "more\", style=dashed]",
    ] {
        assert!(dot.contains(part), "{part}: {dot}");
    }
    let (whole, done) = pgo(
        "whole",
        &["heap", "graph", "heap", "list", "--max", "1000", "--json"],
    );
    assert!(done && !whole.contains("\"more\""), "{whole}");
    assert!(
        whole.starts_with("{\"objects\":101,\"shown\":101,"),
        "{whole}"
    );
}

#[test]
fn drawings_are_svg() {
    let (svg, done) = pgo(
        "svg",
        &["heap", "graph", "heap", "list", "--svg", "--max", "5"],
    );
    assert!(
        done && svg.starts_with("<svg ") && svg.ends_with("</svg>\n"),
        "{svg}"
    );
    assert!(svg.contains("&lt;item&gt; &amp; "), "{svg}");
    assert!(svg.contains("… 1 more"), "{svg}");
    let (svg, done) = pgo("stat", &["heap", "stat", "heap", "--svg"]);
    assert!(
        done && svg.starts_with("<svg ") && svg.ends_with("</svg>\n"),
        "{svg}"
    );
    assert!(
        svg.contains(">main.Item</text>") && svg.contains("<title>byName: "),
        "{svg}"
    );
}

#[test]
fn what_cannot_be_drawn_is_told() {
    for (args, reason) in [
        (&["heap", "graph", "none"][..], "no such heap file"),
        (&["heap", "graph", "program.pgo"], "not a heap file"),
        (
            &["heap", "graph", "heap", "lost"],
            "no root of this name: lost",
        ),
        (&["heap", "graph", "heap", "list.Lost"], "has no field Lost"),
    ] {
        let (said, done) = pgo("told", args);
        assert!(!done && said.contains(reason), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
