//! `pgo heap graph` and `pgo heap stat --svg`: what is drawn, and how much of it.
mod common;

use common::Folder;

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

/// A folder with the program and its heap.
fn heap_in(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("program.pgo", PROGRAM);
    folder.done(&["run", "--heap", "heap", "program.pgo"]);
    folder
}

#[test]
fn a_graph_shows_objects_and_references() {
    let folder = heap_in("draw-graph");
    let dot = folder.done(&["heap", "graph", "heap", "--max", "12"]);
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
    let whole = folder.done(&["heap", "graph", "heap", "list", "--max", "1000", "--json"]);
    assert!(!whole.contains("\"more\""), "{whole}");
    assert!(
        whole.starts_with("{\"objects\":101,\"shown\":101,"),
        "{whole}"
    );
}

#[test]
fn drawings_are_svg() {
    let folder = heap_in("draw-svg");
    let is_whole = |svg: &str| svg.starts_with("<svg ") && svg.ends_with("</svg>\n");
    let svg = folder.done(&["heap", "graph", "heap", "list", "--svg", "--max", "5"]);
    assert!(is_whole(&svg), "{svg}");
    assert!(svg.contains("&lt;item&gt; &amp; "), "{svg}");
    assert!(svg.contains("… 1 more"), "{svg}");
    let svg = folder.done(&["heap", "stat", "heap", "--svg"]);
    assert!(is_whole(&svg), "{svg}");
    assert!(
        svg.contains(">main.Item</text>") && svg.contains("<title>byName: "),
        "{svg}"
    );
}

#[test]
fn what_cannot_be_drawn_is_told() {
    let folder = heap_in("draw-told");
    for (args, reason) in [
        (&["heap", "graph", "none"][..], "no such heap file"),
        (&["heap", "graph", "program.pgo"], "not a heap file"),
        (
            &["heap", "graph", "heap", "lost"],
            "no root of this name: lost",
        ),
        (&["heap", "graph", "heap", "list.Lost"], "has no field Lost"),
    ] {
        folder.refused(args, reason);
    }
}
