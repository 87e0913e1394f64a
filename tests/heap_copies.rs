//! `pgo heap compact`, `export` and `import` as their user drives them, on a heap with something of everything: values are the same to the program
//! that wrote them, references lead where they led, maps find their keys.
mod common;

use std::process::Stdio;

use common::{Folder, first_byte};

/// Fills the heap on the first run, with garbage between; each run checks what it finds, then changes it a little.
const PROGRAM: &str = r#"
import (
	"fmt"
	"math"
	"os"
	"time"
)

type Point struct{ X, Y int32 }
type Shape interface{ Area() float64 }
type Box struct{ W, H float64 }

func (b Box) Area() float64   { return b.W * b.H }
func (p *Point) Area() float64 { return float64(p.X) * float64(p.Y) }

type Node struct {
	Name  string
	Next  *Node
	Inner Point
	P     *Point // into a node
	Tail  []int
	Any   any
}
type Key struct {
	N *Node
	S string
}
type Base struct{ ID int64 }
type Wide struct {
	Base
	U    uint64
	I    int64
	I8   int8
	U16  uint16
	F32  float32
	F    [5]float64
	C64  complex64
	C    complex128
	B    bool
	R    rune
	Raw  string
	Blob []byte
	When time.Time
	Dur  time.Duration
	_    int32
	Nest map[string]map[int][]string
}

pvar ring *Node
pvar byNode = pmake(map[*Node]int)
pvar byAny = pmake(map[any]string)
pvar byKey = pmake(map[Key]int)
pvar byArray = pmake(map[[2]any]int)
pvar byFloat = pmake(map[float64]string)
pvar byPoint = pmake(map[Point]*Node)
pvar shapes []Shape
pvar wide Wide
pvar back []int
pvar front []int
pvar middle *int
pvar same map[*Node]int
pvar empty = pmake([]int, 0)
pvar none []int
pvar nilMap map[string]int
pvar runs int

const n = 300

fill := func() {
	var last *Node
	for i := range n {
		txn <> {
			junk := pmake([]string, i)
			for j := range junk {
				junk[j] = fmt.Sprint("junk ", i, j)
			}
			node := pnew(Node{Name: fmt.Sprint("node ", i), Inner: Point{int32(i), int32(-i)}})
			node.P = &node.Inner
			if last == nil {
				node.Next = node
			} else {
				node.Next = last.Next
				last.Next = node
				node.P = &last.Inner
			}
			last = node
			byNode[node] = i
			switch i % 5 {
			case 0:
				byAny[node] = node.Name
			case 1:
				byAny[i] = node.Name
			case 2:
				byAny[Point{int32(i), 7}] = node.Name
			case 3:
				byAny[fmt.Sprint("key ", i)] = node.Name
			case 4:
				byAny[float64(i)/2] = node.Name
			}
			byKey[Key{node, node.Name}] = i
			byArray[[2]any{node, i}] = i
			byFloat[float64(i)/4] = node.Name
			byPoint[Point{int32(i), int32(i)}] = node
			if i%3 == 0 {
				delete(byNode, node)
				delete(byFloat, float64(i)/4)
			}
			node.Any = node.Next
		}
	}
	txn <> {
		ring = last
		byFloat[math.NaN()] = "nan"
		byFloat[math.Inf(-1)] = "-inf"
		shapes = append(shapes, Box{2, 3}, pnew(Point{4, 5}), nil, &ring.Inner)
		wide = Wide{
			Base: Base{-9007199254740995}, U: math.MaxUint64, I: math.MinInt64, I8: -128, U16: 65535, F32: 0.1,
			F: [5]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 5e-324},
			C64: complex(1.5, -2), C: complex(math.Inf(1), 0.1), B: true, R: '世',
			Raw: "bytes \xff\xfe\x00 \u2028\"\\\n世界", When: time.Unix(1700000000, 123456789).UTC(), Dur: 90 * time.Second,
		}
		wide.Blob = append(wide.Blob, 0, 255, 128, 10)
		wide.Nest = pmake(map[string]map[int][]string)
		for i := range 20 {
			inner := pmake(map[int][]string)
			inner[i] = append(inner[i], "a", "", "ccc")
			wide.Nest[fmt.Sprint("nest ", i)] = inner
		}
		back = pmake([]int, 10, 100)
		for i := range back {
			back[i] = i
		}
		front = back[2:5:7]
		middle = &back[3]
		ring.Tail = back[10:20]
		same = byNode
	}
}

bad := func(what string, args ...any) {
	fmt.Println("wrong:", what, fmt.Sprint(args...))
	os.Exit(1)
}

check := func() {
	node := ring
	for i := range n {
		last := node
		node = node.Next
		if node.Name != fmt.Sprint("node ", i) || node.Inner != (Point{int32(i), int32(-i)}) {
			bad("node", i, node.Name)
		}
		if i > 0 && node.P != &last.Inner || i == 0 && node.P != &node.Inner {
			bad("interior pointer", i)
		}
		if node.Any.(*Node) == nil {
			bad("any", i)
		}
		if got, ok := byNode[node]; ok != (i%3 != 0) || ok && got != i {
			bad("byNode", i)
		}
		var key any
		switch i % 5 {
		case 0:
			key = node
		case 1:
			key = i
		case 2:
			key = Point{int32(i), 7}
		case 3:
			key = fmt.Sprint("key ", i)
		case 4:
			key = float64(i) / 2
		}
		if byAny[key] != node.Name || byKey[Key{node, node.Name}] != i || byArray[[2]any{node, i}] != i {
			bad("key of a map", i)
		}
		if byPoint[Point{int32(i), int32(i)}] != node {
			bad("byPoint", i)
		}
		if got := byFloat[float64(i)/4]; got != "" && got != node.Name || (got == "") != (i%3 == 0) {
			bad("byFloat", i)
		}
	}
	if node != ring || ring.Next.Name != "node 0" {
		bad("ring")
	}
	if len(byNode) != n-n/3 || len(byAny) != n || len(byFloat) != n-n/3+2 || byFloat[math.Inf(-1)] != "-inf" {
		bad("length of a map")
	}
	if shapes[0].(Box) != (Box{2, 3}) || shapes[1].Area() != 20 || shapes[2] != nil || shapes[3].(*Point) != &ring.Inner {
		bad("shapes")
	}
	w := &wide
	if w.ID != -9007199254740995 || w.U != math.MaxUint64 || w.I != math.MinInt64 || w.I8 != -128 || w.U16 != 65535 || w.F32 != 0.1 {
		bad("numbers")
	}
	if !math.IsNaN(w.F[0]) || !math.IsInf(w.F[1], 1) || !math.IsInf(w.F[2], -1) || !math.Signbit(w.F[3]) || w.F[4] != 5e-324 {
		bad("floats")
	}
	if w.C64 != complex(1.5, -2) || real(w.C) != math.Inf(1) || imag(w.C) != 0.1 || !w.B || w.R != '世' {
		bad("complex")
	}
	if w.Raw != "bytes \xff\xfe\x00 \u2028\"\\\n世界" || string(w.Blob) != "\x00\xff\x80\n" || w.Dur != 90*time.Second {
		bad("strings")
	}
	if !w.When.Equal(time.Unix(1700000000, 123456789)) || w.When.Location() != time.UTC {
		bad("time", w.When)
	}
	if len(w.Nest) != 20 || w.Nest["nest 7"][7][2] != "ccc" {
		bad("nest")
	}
	if len(back) != 10 || cap(back) != 100 || len(front) != 3 || cap(front) != 5 || middle != &back[3] || &front[1] != middle {
		bad("slices")
	}
	*middle++
	if back[3] != front[1] || &back[:20][10] != &ring.Tail[0] {
		bad("shared array")
	}
	same[ring] = 1000 + runs
	if byNode[ring] != 1000+runs {
		bad("shared map")
	}
	byNode[ring] = n - 1
	if empty == nil || none != nil || nilMap != nil {
		bad("nil")
	}
}

if ring == nil {
	fill()
}
check()
txn <> {
	runs++
}
fmt.Println("right", runs)
"#;

/// A folder with the program.
fn program_in(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("program.pgo", PROGRAM);
    folder
}

#[track_caller]
fn run(folder: &Folder, heap: &str, runs: u32) {
    let said = folder.done(&["run", "--heap", heap, "program.pgo"]);
    assert_eq!(said, format!("right {runs}\n"));
}

#[track_caller]
fn check(folder: &Folder, heap: &str) -> String {
    folder.done(&["heap", "check", heap])
}

#[test]
fn a_compacted_heap_is_the_same_to_its_program() {
    let folder = program_in("copies-compact");
    run(&folder, "heap", 1);
    let before = folder.bytes("heap").len();
    let said = folder.done(&["heap", "compact", "heap"]);
    assert!(said.contains("dropped"), "{said}");
    assert!(folder.bytes("heap").len() * 3 < before * 2, "{said}");
    let checked = check(&folder, "heap");
    assert!(checked.contains("no problems"), "{checked}");
    assert!(checked.contains("(0 unreachable)"), "{checked}");
    run(&folder, "heap", 2);
    run(&folder, "heap", 3);
    let json = folder.done(&["heap", "compact", "--json", "heap"]);
    assert!(
        json.starts_with("{\"file\":\"heap\",\"before_bytes\":"),
        "{json}"
    );
    run(&folder, "heap", 4);
    assert!(!folder.exists("heap.new"));
    std::os::unix::fs::symlink("heap", folder.path("link")).unwrap();
    folder.done(&["heap", "compact", "link"]);
    assert!(folder.path("link").is_symlink());
    run(&folder, "link", 5);
    folder.refused(&["heap", "compact", "missing"], "no such heap file");
    folder.refused(&["heap", "compact", "program.pgo"], "not a heap file");
}

#[test]
fn a_heap_in_use_is_not_compacted() {
    let folder = program_in("copies-in-use");
    run(&folder, "heap", 1);
    let code = "import (\"bufio\"; \"fmt\"; \"os\"; \"pmem\"); pmem.Roots(); fmt.Println(1); bufio.NewReader(os.Stdin).ReadString('\\n')";
    let mut user = folder.command(&["--heap", "heap", "-e", code]);
    let mut user = user.stdin(Stdio::piped()).spawn().unwrap();
    first_byte(&mut user);
    folder.refused(&["heap", "compact", "heap"], "in use");
    drop(user.stdin.take());
    assert!(user.wait().unwrap().success());
    folder.done(&["heap", "compact", "heap"]);
    run(&folder, "heap", 2);
}

#[test]
fn an_exported_heap_is_imported_as_it_was() {
    let folder = program_in("copies-export");
    run(&folder, "heap", 1);
    let json = folder.done(&["heap", "export", "heap"]);
    folder.done(&["heap", "export", "heap", "-o", "heap.json"]);
    assert_eq!(folder.read("heap.json"), json);
    folder.refused(
        &["heap", "export", "heap", "-o", "heap.json"],
        "exists already",
    );
    let said = folder.done(&["heap", "import", "heap.json", "again"]);
    assert!(said.contains("objects"), "{said}");
    let checked = check(&folder, "again");
    assert!(checked.contains("no problems"), "{checked}");
    assert!(checked.contains("(0 unreachable)"), "{checked}");
    assert_eq!(folder.done(&["heap", "export", "again"]), json);
    run(&folder, "again", 2);
    run(&folder, "again", 3);
    folder.refused(&["heap", "import", "heap.json", "again"], "exists already");
    folder.done(&["heap", "compact", "again"]);
    run(&folder, "again", 4);
    // What a person has changed: the order of lines does not matter to a reader of JSON, nor does white space.
    let spaced = json.replace("{\"id\"", "{ \n \"id\"").replace(':', " :\t");
    let spaced = spaced.replace(" :\t/", ":/");
    folder.write("spaced.json", spaced);
    folder.done(&["heap", "import", "spaced.json", "spaced"]);
    assert_eq!(folder.done(&["heap", "export", "spaced"]), json);
}

#[test]
fn json_that_is_no_heap_is_refused() {
    let folder = program_in("copies-json");
    let program = "type T struct { A int8; P *T; S []int32; M map[string]*T; I any }\n\
        pvar t = pnew(T{A: 5})\nt.P = t\nt.S = append(t.S, 1, 2)\nt.M = pmake(map[string]*T)\nt.M[\"key\"] = t\nt.I = 7\n";
    folder.write("small.pgo", program);
    folder.done(&["run", "--heap", "small", "small.pgo"]);
    let json = folder.done(&["heap", "export", "small"]);
    let refuse = |from: &str, to: &str, reason: &str| {
        assert!(json.contains(from), "{from}: {json}");
        folder.write("bad.json", json.replacen(from, to, 1));
        folder.refused(&["heap", "import", "bad.json", "bad"], reason);
        assert!(!folder.exists("bad") && !folder.exists("bad.new"));
    };
    refuse("\"pgo_heap\":1", "\"pgo_heap\":2", "export format 2");
    refuse("\"A\":5", "\"A\":500", "500 is not a number of 8 bits");
    refuse("\"A\":5", "\"B\":5", "has no field B");
    refuse("\"A\":5", "\"A\":[5]", "unexpected [");
    refuse(
        "\"P\":{\"ref\":2}",
        "\"P\":{\"ref\":200}",
        "no object has the number 200",
    );
    refuse(
        "\"P\":{\"ref\":2}",
        "\"P\":{\"ref\":3}",
        "object 3 has no main.T",
    );
    refuse(
        "\"P\":{\"ref\":2}",
        "\"P\":{\"ref\":2,\"offset\":8}",
        "at offset 8",
    );
    refuse("\"len\":2", "\"len\":20", "object 3 has no int32");
    refuse("[\"key\",", "[\"key\"],[", "without a value");
    refuse(
        "[[\"key\",",
        "[[\"key\",null],[\"key\",",
        "a map that has a key twice",
    );
    refuse("\"label\"", "\"lable\"", "unknown member \"lable\"");
    refuse("\"roots\"", "\"skip\"", "unknown member \"skip\"");
    refuse("\n]}\n", "\n]}\n{", "more behind the end");
    refuse("\n]}\n", "", "ends too early");
    folder.write("bad.json", "{}");
    folder.refused(&["heap", "import", "bad.json", "bad"], "no \"roots\"");
    folder.refused(&["heap", "import", "small", "bad"], "small:1: expected {");
    folder.refused(&["heap", "import", "none.json", "bad"], "none.json");
    folder.refused(&["heap", "export", "none"], "no such heap file");
    folder.refused(&["heap", "export", "small.pgo"], "not a heap file");
}
