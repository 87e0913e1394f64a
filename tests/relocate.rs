//! A heap whose address range is taken moves, and its maps find their keys, pointers included.
mod common;

use common::Folder;

const PROGRAM: &str = r#"
import "fmt"

type Node struct {
	n    int
	name string
}

type Key struct {
	p *Node
	n int
}

pvar nodes []*Node
pvar byPointer = pmake(map[*Node]int)
pvar byStruct = pmake(map[Key]string)
pvar byAny = pmake(map[any]int)
pvar middle *string

if len(nodes) == 0 {
	txn <> {
		for i := range 1000 {
			p := pnew(Node{i, fmt.Sprint("node ", i)})
			nodes = append(nodes, p)
			byPointer[p] = i
			byStruct[Key{p, i}] = p.name
			byAny[p] = i
		}
		middle = &nodes[500].name
	}
}
wrong := 0
for i, p := range nodes {
	if byPointer[p] != i || byStruct[Key{p, i}] != p.name || byAny[p] != i {
		wrong++
	}
}
txn <> {
	delete(byPointer, nodes[7])
	byPointer[nodes[7]] = 7
}
fmt.Println(len(nodes), len(byPointer), len(byAny), wrong, *middle)
"#;

#[test]
fn maps_keyed_by_pointers_survive_a_move() {
    let folder = Folder::new("relocate");
    folder.write("program.pgo", PROGRAM);
    let run = || folder.done(&["run", "--heap", "moved.pheap", "program.pgo"]);
    let first = run();
    assert_eq!(first, "1000 1000 1000 0 node 500\n");

    let options = pheap::Options::default();
    let taken = pheap::Mapping::anonymous_at(options.base, 1 << 20).unwrap();
    let heap = pheap::Heap::open(&folder.path("moved.pheap"), options)
        .and_then(|heap| heap.recover())
        .unwrap();
    assert_ne!(heap.base(), taken.base());
    heap.close().unwrap();

    assert_eq!(run(), first);
    assert_eq!(run(), first);
}
