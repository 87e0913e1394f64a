//! `pgo lsp`, driven over standard input and output as an editor does.
mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use common::Folder;
use serde_json::{Value, json};

struct Client {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    last_id: u64,
    folder: Folder,
    /// Notifications that came while a response was waited for.
    notifications: Vec<Value>,
}

impl Client {
    fn start(name: &str) -> Client {
        let folder = Folder::new(&format!("lsp-{name}"));
        let mut command = folder.command(&["lsp"]);
        command.stdin(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut client = Client {
            child,
            input,
            output,
            last_id: 0,
            folder,
            notifications: Vec::new(),
        };
        let started = client.request("initialize", json!({"capabilities": {}}));
        assert_eq!(started["capabilities"]["hoverProvider"], true);
        client.notify("initialized", json!({}));
        client
    }

    fn send(&mut self, message: Value) {
        let text = message.to_string();
        let input = self.input.as_mut().unwrap();
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        input.flush().unwrap();
    }

    fn receive(&mut self) -> Value {
        let mut len = 0;
        loop {
            let mut line = String::new();
            assert_ne!(
                self.output.read_line(&mut line).unwrap(),
                0,
                "the server is gone"
            );
            match line.trim().split_once(": ") {
                Some(("Content-Length", n)) => len = n.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut text = vec![0; len];
        self.output.read_exact(&mut text).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn response(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.receive();
            if message["id"] == id {
                return message;
            }
            self.notifications.push(message);
        }
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        let response = self.response(method, params);
        assert!(response.get("error").is_none(), "{method}: {response}");
        response["result"].clone()
    }

    fn uri(&self, name: &str) -> String {
        format!("file://{}", self.folder.path(name).display())
    }

    fn open(&mut self, name: &str, text: &str) -> Vec<String> {
        let document =
            json!({"uri": self.uri(name), "languageId": "pgo", "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document}));
        self.diagnostics()
    }

    fn change(&mut self, name: &str, text: &str) -> Vec<String> {
        let params = json!({
            "textDocument": {"uri": self.uri(name), "version": 2},
            "contentChanges": [{"text": text}],
        });
        self.notify("textDocument/didChange", params);
        self.diagnostics()
    }

    /// The next diagnostics: `line:character severity message`.
    fn diagnostics(&mut self) -> Vec<String> {
        let message = match self.notifications.is_empty() {
            true => self.receive(),
            false => self.notifications.remove(0),
        };
        assert_eq!(message["method"], "textDocument/publishDiagnostics");
        let all = message["params"]["diagnostics"].as_array().unwrap().clone();
        let line = |d: &Value| {
            let (at, first) = (&d["range"]["start"], d["message"].as_str().unwrap());
            let first = first.lines().next().unwrap_or_default();
            format!(
                "{}:{} {} {first}",
                at["line"], at["character"], d["severity"]
            )
        };
        all.iter().map(line).collect()
    }

    /// A request about the place where `marked` stands in the text, at its `|`.
    fn at(&mut self, method: &str, name: &str, text: &str, marked: &str) -> Value {
        let params = self.place(name, text, marked);
        self.request(method, params)
    }

    fn place(&self, name: &str, text: &str, marked: &str) -> Value {
        let bar = marked.find('|').expect("a mark");
        let at = text
            .find(&marked.replace('|', ""))
            .expect("the marked text")
            + bar;
        let before = &text[..at];
        let line = before.matches('\n').count();
        let character = before.rsplit('\n').next().unwrap().encode_utf16().count();
        json!({
            "textDocument": {"uri": self.uri(name)},
            "position": {"line": line, "character": character},
            "context": {"includeDeclaration": true},
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

/// Lines of locations, of edits, or of whatever has a range.
fn lines(list: &Value) -> Vec<u64> {
    let range = |x: &Value| x["range"]["start"]["line"].as_u64();
    list.as_array().unwrap().iter().filter_map(range).collect()
}

fn labels(list: &Value) -> Vec<&str> {
    let label = |x: &'_ Value| x["label"].as_str().is_some();
    let all = list.as_array().unwrap().iter().filter(|x| label(x));
    all.map(|x| x["label"].as_str().unwrap()).collect()
}

const SCRIPT: &str = "\
// A Counter counts.
type Counter struct {
	n    int
	name string
}

// Add adds d.
func (c *Counter) Add(d int) int {
	c.n += d
	return c.n
}

pvar visits Counter

// twice doubles.
func twice(x int) int { return x * 2 }

total := twice(21)
txn <> {
	visits.Add(total)
	visits.name = \"é\"
}
fmt.Println(total, visits.n)
";

#[test]
fn diagnostics_follow_the_text() {
    let mut c = Client::start("diagnostics");
    assert_eq!(c.open("a.pgo", SCRIPT), [] as [&str; 0]);
    let broken = SCRIPT.replace("twice(21)", "twise(21)");
    assert_eq!(c.change("a.pgo", &broken), ["17:9 1 undefined: twise"]);
    let syntax = SCRIPT.replace("twice(21)", "twice(21");
    assert_eq!(c.change("a.pgo", &syntax).len(), 1);
    let warned = SCRIPT.replace("txn <> {", "visits.n++\ntxn <> {");
    let wanted = ["18:0 2 store to persistent visits outside a transaction"];
    assert_eq!(c.change("a.pgo", &warned), wanted);
    let warned = SCRIPT.replace("txn <> {", "txn <> {\n\tos.Remove(\"a\")");
    let wanted = ["19:1 2 os.Remove in a transaction is not undone if it is rolled back"];
    assert_eq!(c.change("a.pgo", &warned), wanted);
    assert_eq!(c.change("a.pgo", SCRIPT), [] as [&str; 0]);
}

#[test]
fn names_are_explained_found_and_renamed() {
    let mut c = Client::start("names");
    c.open("a.pgo", SCRIPT);
    let hover = c.at("textDocument/hover", "a.pgo", SCRIPT, "= tw|ice(");
    let text = hover["contents"]["value"].as_str().unwrap();
    assert_eq!(text, "```go\nfunc twice(x int) int\n```\ntwice doubles.");
    let hover = c.at("textDocument/hover", "a.pgo", SCRIPT, "\tvis|its.Add");
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.contains("pvar visits Counter"), "{text}");
    let hover = c.at("textDocument/hover", "a.pgo", SCRIPT, "visits.na|me");
    assert!(
        hover["contents"]["value"]
            .as_str()
            .unwrap()
            .contains("name string")
    );
    let found = c.at("textDocument/definition", "a.pgo", SCRIPT, "visits.A|dd");
    assert_eq!(found["range"]["start"], json!({"line": 7, "character": 18}));
    assert_eq!(found["uri"], c.uri("a.pgo"));
    let found = c.at("textDocument/references", "a.pgo", SCRIPT, "to|tal := ");
    assert_eq!(lines(&found), [17, 19, 22]);
    let again =
        "a, err := os.ReadFile(\"a\")\nb, err := os.ReadFile(\"b\")\nfmt.Println(a, b, err)\n";
    for text in [
        again.to_string(),
        format!("func f() {{\n{again}}}\n\nf()\n"),
    ] {
        c.open("b.pgo", &text);
        let found = c.at("textDocument/references", "b.pgo", &text, "a, e|rr");
        assert_eq!(lines(&found).len(), 3);
    }

    let mut params = c.place("a.pgo", SCRIPT, "visits.Add(to|tal)");
    params["newName"] = json!("sum");
    let edits = c.request("textDocument/rename", params.clone());
    let own = &edits["changes"][c.uri("a.pgo")];
    assert_eq!(lines(own), [17, 19, 22]);
    assert_eq!(own[0]["newText"], "sum");
    for bad in ["func", "1x", ""] {
        params["newName"] = json!(bad);
        assert!(c.response("textDocument/rename", params.clone())["error"].is_object());
    }
    assert_eq!(
        c.at(
            "textDocument/prepareRename",
            "a.pgo",
            SCRIPT,
            "fmt.Print|ln"
        ),
        Value::Null
    );
}

const FIELDS: &str = "\
package main

// A Base is embedded.
type Base struct {
	// ID numbers it.
	ID   int // unique
	name string
}

type Pair[T any] struct {
	first, second T
}

type Shape interface {
	// Area is in square metres.
	Area() float64
}

type Solid interface {
	Shape
	Volume() float64
}

type Square struct {
	*Base
	side  float64
	inner struct{ depth int }
}

func (s Square) Area() float64 { return s.side * s.side }

func main() {
	s := Square{Base: &Base{ID: 1, name: \"é\"}, side: 2}
	s.ID++
	s.Base.name = \"x\"
	s.inner.depth = 3
	p := Pair[int]{first: 1}
	p.first += p.second
	var shape Shape = s
	println(shape.Area(), s.Area(), Shape.Area(s))
	var solid Solid
	if solid != nil {
		println(solid.Area(), solid.Volume())
	}
outer:
	for {
		switch v := any(shape).(type) {
		case Square:
			println(v.side)
			break outer
		case nil:
			println(v == nil)
			continue outer
		}
	}
}

func largest[T interface{ Area() float64 }](list []T) (found T, err error) {
	for _, x := range list {
		if x.Area() > 1 {
			found = x
		}
	}
	println(err.Error())
	return
}
";

#[test]
fn fields_methods_of_interfaces_labels_and_the_rest_are_found() {
    let mut c = Client::start("fields");
    assert_eq!(c.open("a.go", FIELDS), [] as [&str; 0]);
    let mut check = |marked: &str, wanted: &[u64]| {
        let found = c.at("textDocument/references", "a.go", FIELDS, marked);
        assert_eq!(lines(&found), wanted, "{marked}");
        let found = c.at("textDocument/documentHighlight", "a.go", FIELDS, marked);
        assert_eq!(lines(&found), wanted, "{marked}");
        let found = c.at("textDocument/definition", "a.go", FIELDS, marked);
        assert_eq!(found["range"]["start"]["line"], wanted[0], "{marked}");
    };
    check("\ts.I|D++", &[5, 32, 33]);
    check("Base{I|D:", &[5, 32, 33]);
    check("s.Base.na|me", &[6, 32, 34]);
    check("s.Ba|se.name", &[24, 32, 34]);
    check("p.fir|st +=", &[10, 36, 37]);
    check("s.inner.de|pth", &[26, 35]);
    check("shape.Ar|ea()", &[15, 39, 39, 42]);
    check("(solid.Ar|ea()", &[15, 39, 39, 42]);
    check(" s.Ar|ea()", &[29, 39]);
    check("break ou|ter", &[44, 49, 52]);
    check("println(v|.side)", &[46, 48, 51]);
    check("fo|und = x", &[57, 60]);
    check("list []|T", &[57, 57, 57]);
    check("if x.Ar|ea()", &[57, 59]);
    let mut hover = |marked: &str| {
        let found = c.at("textDocument/hover", "a.go", FIELDS, marked);
        found["contents"]["value"].as_str().unwrap().to_string()
    };
    let id = "```go\nfield ID int\n```\nID numbers it.\nunique";
    assert_eq!(hover("\ts.I|D++"), id);
    assert_eq!(hover("Base{I|D:"), id);
    assert_eq!(hover("\tI|D   int"), id);
    assert_eq!(hover("p.fir|st +="), "```go\nfield first int\n```");
    assert_eq!(hover("fir|st, second"), "```go\nfield first T\n```");
    let area = "```go\nfunc Area() float64\n```\nArea is in square metres.";
    assert_eq!(hover("shape.Ar|ea()"), area);
    assert_eq!(hover("err.Er|ror()"), "```go\nfunc Error() string\n```");
    assert_eq!(hover("break ou|ter"), "```go\nlabel outer\n```");
    assert_eq!(hover("println(v|.side)"), "```go\nvar v Square\n```");
}

/// The text with the edits of a renaming, or why there are none.
fn renamed(c: &mut Client, name: &str, text: &str, marked: &str, new: &str) -> String {
    let mut params = c.place(name, text, marked);
    params["newName"] = json!(new);
    let response = c.response("textDocument/rename", params);
    if let Some(message) = response["error"]["message"].as_str() {
        return message.to_string();
    }
    let edits = response["result"]["changes"][c.uri(name)].clone();
    let mut out: Vec<String> = text.lines().map(str::to_string).collect();
    for edit in edits.as_array().unwrap().iter().rev() {
        let at = |end: &str| {
            let place = &edit["range"][end];
            let number = |key: &str| place[key].as_u64().unwrap() as usize;
            (number("line"), number("character"))
        };
        let ((line, from), (last, to)) = (at("start"), at("end"));
        assert_eq!(line, last);
        let units: Vec<u16> = out[line].encode_utf16().collect();
        let part = |units: &[u16]| String::from_utf16(units).unwrap();
        let new = edit["newText"].as_str().unwrap();
        out[line] = format!("{}{new}{}", part(&units[..from]), part(&units[to..]));
    }
    out.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn renaming_leaves_a_program_as_it_was() {
    let mut c = Client::start("rename");
    c.open("a.go", FIELDS);
    let mut rename = |marked: &str, new: &str| renamed(&mut c, "a.go", FIELDS, marked, new);
    let wanted = FIELDS
        .replace("ID   int", "Key   int")
        .replace("ID:", "Key:")
        .replace("s.ID", "s.Key");
    assert_eq!(rename("\ts.I|D++", "Key"), wanted);
    let wanted = FIELDS
        .replace("type Base", "type Root")
        .replace("*Base", "*Root")
        .replace("Base:", "Root:")
        .replace("&Base{", "&Root{")
        .replace("s.Base", "s.Root");
    assert_eq!(rename("type Ba|se", "Root"), wanted);
    let wanted = FIELDS.replace("outer", "again");
    assert_eq!(rename("break ou|ter", "again"), wanted);
    for (marked, new, why) in [
        ("\ts.I|D++", "1x", "1x is no name"),
        (
            "\ts.I|D++",
            "name",
            "cannot rename to name: name redeclared",
        ),
        (
            "s.si|de *",
            "Area",
            "cannot rename to Area: field and method with the same name Area",
        ),
        (
            "s.Ba|se.name",
            "Root",
            "the field is embedded: its name is that of its type *Base",
        ),
        // It would hide the promoted one.
        (
            "s.si|de *",
            "ID",
            "cannot rename to ID: it is the name of something else here",
        ),
    ] {
        let found = rename(marked, new);
        assert!(found.starts_with(why), "{marked}: {found}");
    }
    let broken = rename("\tAr|ea() float64\n}", "Size");
    assert!(broken.contains("does not implement Shape"), "{broken}");

    let quiet = "x := 1\nfunc f() int {\n\ty := 2\n\treturn x + y\n}\nprintln(f())\n";
    c.open("b.pgo", quiet);
    let found = renamed(&mut c, "b.pgo", quiet, "y| := 2", "x");
    assert_eq!(
        found,
        "cannot rename to x: it is the name of something else here"
    );

    // The heap is told the old names.
    let stored = "\
type Item struct {
	Name  string
	Price int `json:\"price\"`
	a, b  int
}

type Shop struct{ items []*Item }

type Other struct{ Name string }

pvar shop Shop

for _, item := range shop.items {
	println(item.Name, item.Price, item.a, item.b, Other{Name: item.Name}.Name)
}
";
    assert_eq!(c.open("c.pgo", stored), [] as [&str; 0]);
    let mut rename = |marked: &str, new: &str| renamed(&mut c, "c.pgo", stored, marked, new);
    let wanted = stored
        .replace("\tName  string", "\tTitle  string `pmem:\"was=Name\"`")
        .replace("item.Name", "item.Title");
    assert_eq!(rename("item.Na|me", "Title"), wanted);
    let wanted = stored
        .replace("Price int `json", "Cost int `pmem:\"was=Price\" json")
        .replace("item.Price", "item.Cost");
    assert_eq!(rename("item.Pri|ce", "Cost"), wanted);
    assert!(rename("item.a|,", "c").contains("a line of its own"));
    let wanted = stored
        .replace("Other struct{ Name", "Other struct{ Text")
        .replace("Other{Name", "Other{Text")
        .replace("}.Name", "}.Text");
    assert_eq!(rename("}.Na|me", "Text"), wanted);
}

#[test]
fn completion_and_signatures_while_typing() {
    let mut c = Client::start("completion");
    c.open("a.pgo", SCRIPT);
    let typing = format!("{SCRIPT}visits.\n");
    c.change("a.pgo", &typing);
    let items = c.at("textDocument/completion", "a.pgo", &typing, "\nvisits.|\n");
    assert_eq!(labels(&items), ["Add", "n", "name"]);
    assert_eq!(items[0]["kind"], 2);
    assert_eq!(items[0]["detail"], "func (c *Counter) Add(d int) int");
    assert_eq!(items[0]["documentation"], "Add adds d.");
    assert_eq!(items[1]["kind"], 5);
    let typing = format!("{SCRIPT}strings.Rep\n");
    c.change("a.pgo", &typing);
    let items = c.at("textDocument/completion", "a.pgo", &typing, "strings.Rep|");
    assert!(labels(&items).contains(&"Repeat"), "{items}");
    let typing = format!("{SCRIPT}to\n");
    c.change("a.pgo", &typing);
    let items = c.at("textDocument/completion", "a.pgo", &typing, "\nto|\n");
    for name in [
        "total", "twice", "visits", "Counter", "append", "txn", "strings", "json",
    ] {
        assert!(labels(&items).contains(&name), "{name}");
    }
    let typing = format!("{SCRIPT}twice(total, \n");
    c.change("a.pgo", &typing);
    let help = c.at(
        "textDocument/signatureHelp",
        "a.pgo",
        &typing,
        "twice(total, |",
    );
    assert_eq!(help["signatures"][0]["label"], "func twice(x int) int");
    assert_eq!(
        help["signatures"][0]["parameters"],
        json!([{"label": "x int"}])
    );
    let imports = "import h \"container/heap\"\n\nurl := struct{ host string }{\"a\"}\n";
    c.change(
        "a.pgo",
        &format!("{imports}_ = h.Init\nprintln(url.host)\n"),
    );
    for (expression, wanted) in [("h.", "Push"), ("json.", "Marshal"), ("url.", "host")] {
        let typing = format!("{imports}_ = h.Init\nprintln(url.host)\n{expression}\n");
        c.change("a.pgo", &typing);
        let marked = format!("\n{expression}|\n");
        let items = c.at("textDocument/completion", "a.pgo", &typing, &marked);
        assert!(labels(&items).contains(&wanted), "{expression} {items}");
    }
    let in_string = format!("{SCRIPT}_ = \"a.b\"\n");
    c.change("a.pgo", &in_string);
    let items = c.at("textDocument/completion", "a.pgo", &in_string, "\"a.|b\"");
    assert_eq!(items, json!([]));
}

#[test]
fn documents_are_formatted_listed_and_coloured() {
    let mut c = Client::start("documents");
    c.open("a.pgo", SCRIPT);
    let document = json!({"textDocument": {"uri": c.uri("a.pgo")}});
    assert_eq!(
        c.request("textDocument/formatting", document.clone()),
        json!([])
    );
    let symbols = c.request("textDocument/documentSymbol", document.clone());
    let names: Vec<&str> = symbols
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Counter", "Counter.Add", "visits", "twice"]);
    let found = c.request("workspace/symbol", json!({"query": "add"}));
    assert_eq!(found[0]["name"], "Counter.Add");
    let hints = c.request("textDocument/inlayHint", document.clone());
    let all: Vec<(u64, &str)> = hints
        .as_array()
        .unwrap()
        .iter()
        .map(|h| {
            (
                h["position"]["line"].as_u64().unwrap(),
                h["label"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(all.contains(&(20, "persistent, logged")), "{all:?}");
    let tokens = c.request("textDocument/semanticTokens/full", document.clone());
    let data = tokens["data"].as_array().unwrap();
    // `// A Counter counts.`, a comment of 20 units at the very start.
    assert_eq!(data[..5], [0, 0, 20, 4, 0].map(|n| json!(n)));
    assert_eq!(data.len() % 5, 0);
    c.change("a.pgo", "x:=1\nprintln( x )\n");
    let edits = c.request("textDocument/formatting", document.clone());
    assert_eq!(edits[0]["newText"], "x := 1\nprintln(x)\n");
    c.change("a.pgo", "x := := 1\n");
    assert_eq!(c.request("textDocument/formatting", document), Value::Null);
}

#[test]
fn packages_of_several_files_and_bad_requests() {
    let mut c = Client::start("packages");
    let a = "package main\n\nfunc main() { println(half(4)) }\n";
    let b = "package main\n\nfunc half(x int) int { return x / 2 }\n";
    c.folder.write("a.go", a);
    c.folder.write("b.go", b);
    assert_eq!(c.open("a.go", a), [] as [&str; 0]);
    let found = c.at("textDocument/definition", "a.go", a, "ha|lf(4)");
    assert_eq!(found["uri"], c.uri("b.go"));
    assert_eq!(found["range"]["start"], json!({"line": 2, "character": 5}));
    assert!(
        c.response(
            "textDocument/hover",
            json!({"textDocument": {"uri": "file:///no"}})
        )["error"]
            .is_object()
    );
    assert!(c.response("no/such", json!({}))["error"].is_object());
    let mut far = c.place("a.go", a, "mai|n()");
    far["position"] = json!({"line": 1000, "character": 1000});
    assert_eq!(c.request("textDocument/hover", far), Value::Null);
    assert_eq!(c.request("shutdown", Value::Null), Value::Null);
    c.notify("exit", json!({}));
    c.input = None;
    assert!(c.child.wait().unwrap().success());
}

/// The extension for editors knows the words of the language.
#[test]
fn the_grammar_for_editors_has_every_keyword() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/editors/vscode");
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(dir.join(name)).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    let package = read("package.json");
    let grammar = package["contributes"]["grammars"][0]["path"]
        .as_str()
        .unwrap();
    let language = &package["contributes"]["languages"][0];
    read(language["configuration"].as_str().unwrap());
    let grammar = read(grammar);
    assert_eq!(
        grammar["scopeName"],
        package["contributes"]["grammars"][0]["scopeName"]
    );
    let words: Vec<String> = grammar["repository"]
        .to_string()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(str::to_string)
        .collect();
    for keyword in lang::highlight::KEYWORDS {
        assert!(words.iter().any(|word| word == keyword), "{keyword}");
    }
}

/// The tree-sitter grammar and its query for colours have these words, each between quotes; its tests need tree-sitter.
#[test]
fn the_tree_sitter_grammar_has_every_keyword() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/editors/tree-sitter-pgo");
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    let (grammar, colours) = (read("grammar.js"), read("queries/highlights.scm"));
    for keyword in lang::highlight::KEYWORDS {
        let quoted = format!("\"{keyword}\"");
        assert!(grammar.contains(&quoted), "{keyword}");
        // A statement of one word is its own node.
        let statement = format!("({keyword}_statement)");
        let coloured = colours.contains(&quoted) || colours.contains(&statement);
        assert!(coloured, "{keyword}");
    }
}
