//! Scripts run from Rust: native functions, a heap, and every way of ending.
mod common;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use common::Folder;
use pgo::{Engine, Error, NativeDef, NativeError, Outcome};

/// What scripts tell the host.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

const HOST: &str = "package host\n\n\
    // Tell gives the host a text.\nfunc Tell(text string)\n\n\
    func Sum(list []int) int\n\n\
    func Find(key string) (value string, found bool)\n\n\
    func Fail()\n\n\
    // Twice is in the language itself.\nfunc Twice(n int) int { return Sum([]int{n, n}) }\n\n\
    func Missing() int\n";

const NATIVES: &[NativeDef] = &[
    NativeDef {
        name: "host.Tell",
        sig: "func(string)",
        f: |call| {
            let text = call.str();
            let text = String::from_utf8_lossy(call.get(text)).into_owned();
            TOLD.lock().unwrap().push(text);
            Ok(())
        },
    },
    NativeDef {
        name: "host.Sum",
        sig: "func([]int) int",
        f: |call| {
            let list = call.slice();
            let sum = call.ints_of(list).iter().sum();
            call.ret_int(sum);
            Ok(())
        },
    },
    NativeDef {
        name: "host.Find",
        sig: "func(string) (string, bool)",
        f: |call| {
            let key = call.str();
            let found = call.get(key) == b"name";
            call.ret_str(if found { "ada" } else { "" });
            call.ret_bool(found);
            Ok(())
        },
    },
    NativeDef {
        name: "host.Fail",
        sig: "func()",
        f: |_| Err(NativeError::Panic("the host says no".to_string())),
    },
];

#[test]
fn natives_and_a_heap() {
    let folder = Folder::new("embed-heap");
    let engine = Engine::new()
        .heap(folder.path("h.pheap"))
        .args(["x", "y"])
        .package("host", HOST, NATIVES);
    let script = "pvar runs int\n\
        txn <> { runs++ }\n\
        value, ok := host.Find(\"name\")\n\
        _, none := host.Find(\"else\")\n\
        list := persist([]int{1, 2, 3})\n\
        host.Tell(fmt.Sprintf(\"%v %v %v %v %v %v %v\", runs, host.Sum(list), host.Twice(4), value, ok, none, os.Args[1:]))\n\
        func() {\n\tdefer func() { host.Tell(fmt.Sprint(recover())) }()\n\thost.Fail()\n}()\n";
    for _ in 0..2 {
        assert_eq!(engine.run("script.pgo", script).unwrap(), Outcome::Done);
    }
    let told = TOLD.lock().unwrap().clone();
    assert_eq!(
        told,
        [
            "1 6 8 ada true false [x y]",
            "the host says no",
            "2 6 8 ada true false [x y]",
            "the host says no"
        ]
    );
    std::fs::write(
        folder.path("file.pgo"),
        "pvar runs int\nos.Exit(10 * runs)\n",
    )
    .unwrap();
    let outcome = engine.run_file(folder.path("file.pgo")).unwrap();
    assert_eq!(outcome, Outcome::Exit(20));
}

#[test]
fn ways_of_ending() {
    let engine = Engine::new().ephemeral().package("host", HOST, NATIVES);
    let run = |text: &str| engine.run("s.pgo", text);
    assert_eq!(run("os.Exit(3)").unwrap(), Outcome::Exit(3));
    assert_eq!(run("panic(1)").unwrap(), Outcome::Panicked);
    assert_eq!(run("host.Fail()").unwrap(), Outcome::Panicked);
    assert_eq!(run("host.Missing()").unwrap(), Outcome::Panicked);
    let program = "package main\n\nimport \"host\"\n\nfunc main() { host.Twice(1) }\n";
    assert_eq!(run(program).unwrap(), Outcome::Done);
    let invalid = run("x := 1\ny + 2\n").unwrap_err();
    assert_eq!(
        invalid.to_string(),
        "s.pgo:1:1: declared and not used: x\ns.pgo:2:1: undefined: y"
    );
    assert!(matches!(invalid, Error::Invalid(list) if list.len() == 2));
    let deep = format!("_ = {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    assert_eq!(run(&deep).unwrap(), Outcome::Done);
    let unreadable = engine.run_file("no/such.pgo").unwrap_err();
    assert!(matches!(unreadable, Error::Unreadable(_)), "{unreadable}");
    // Without a heap there are no persistent variables.
    assert_eq!(
        Engine::new().run("s.pgo", "pvar x int\nx++").unwrap(),
        Outcome::Panicked
    );
}

/// What natives of two packages keep.
struct Meter(AtomicI64);
struct Name(&'static str);

#[test]
fn natives_have_values_of_the_host() {
    let natives = &[
        NativeDef {
            name: "meter.Add",
            sig: "func(int) int",
            f: |call| {
                let n = call.int();
                let meter = call.host::<Meter>().expect("the meter");
                let sum = meter.0.fetch_add(n, Ordering::Relaxed) + n;
                call.ret_int(sum);
                Ok(())
            },
        },
        NativeDef {
            name: "meter.Name",
            sig: "func() string",
            f: |call| {
                let name = call.host::<Name>().expect("the name");
                assert!(call.host::<String>().is_none());
                call.ret_str(name.0);
                Ok(())
            },
        },
    ];
    let meter = Arc::new(Meter(AtomicI64::new(30)));
    let (out, errors) = (Arc::new(Mutex::new(vec![])), Arc::new(Mutex::new(vec![])));
    let input = VecDeque::from(*b"4 words of\ninput");
    let engine = Engine::new()
        .package(
            "meter",
            "package meter\n\nfunc Add(n int) int\n\nfunc Name() string\n",
            natives,
        )
        .value(meter.clone())
        .value(Arc::new(Name("power")))
        .stdin(Arc::new(Mutex::new(input)))
        .stdout(out.clone())
        .stderr(errors.clone());
    let script = "fmt.Println(meter.Name(), meter.Add(1))\n\
        in := bufio.NewScanner(os.Stdin)\n\
        for in.Scan() {\n\tmeter.Add(len(in.Text()))\n}\n\
        fmt.Fprintln(os.Stderr, meter.Add(0))\nprintln(true)\n";
    assert_eq!(engine.run("script.pgo", script).unwrap(), Outcome::Done);
    let panics = "fmt.Print(1)\npanic(\"as told\")\n";
    assert_eq!(engine.run("p.pgo", panics).unwrap(), Outcome::Panicked);
    assert_eq!(meter.0.load(Ordering::Relaxed), 46);
    let text = |stream: Arc<Mutex<Vec<u8>>>| {
        String::from_utf8(std::mem::take(&mut *stream.lock().unwrap())).unwrap()
    };
    assert_eq!(text(out), "power 31\n1");
    let errors = text(errors);
    assert!(
        errors.starts_with("46\ntrue\npanic: as told\n\ngoroutine 1 [running]:\n"),
        "{errors}"
    );
}
