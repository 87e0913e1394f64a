//! The commands around programs: build, watch, bench, completions, help.
mod common;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use common::{Folder, kill, printed};

const COUNTER: &str = "import (\n\t\"fmt\"\n\t\"os\"\n\n\t\"./greet\"\n)\n\npvar n int\nn++\n\
    fmt.Println(greet.Word(), n, os.Args[1:])\nos.Exit(n)\n";

#[test]
fn build_makes_one_executable() {
    let s = Folder::new("tools-build");
    s.write("src/counter.pgo", COUNTER);
    s.write(
        "src/greet/greet.pgo",
        "package greet\n\nimport \"../words\"\n\nfunc Word() string { return words.Hello }\n",
    );
    s.write(
        "src/words/words.pgo",
        "package words\n\nconst Hello = \"hello\"\n",
    );
    s.done(&["build", "src/counter.pgo", "-o", "tool"]);
    std::fs::remove_dir_all(s.path("src")).unwrap();
    let tool = s.path("tool");
    let first = printed(s.command_of(&tool, &["--heap", "x", "-e"]), "");
    assert_eq!(first.out, "hello 1 [--heap x -e]\n", "{first:?}");
    assert_eq!(first.status, Some(1));
    let second = printed(s.command_of(&tool, &[]), "");
    assert_eq!(second.out, "hello 2 []\n");
    assert_eq!(second.status, Some(2));
    assert!(s.exists("counter.pheap"));
    s.write("bad.pgo", "x :=\n");
    s.pgo(&["build", "bad.pgo"]).fails(1, &["bad.pgo:2:1"]);
    assert!(!s.exists("bad"));
}

#[test]
fn watch_runs_again() {
    let s = Folder::new("tools-watch");
    s.write("a.pgo", "import (\n\t\"fmt\"\n\t\"time\"\n\n\t\"./lib\"\n)\n\nfmt.Println(lib.N)\ntime.Sleep(time.Hour)\n");
    s.write("lib/lib.pgo", "package lib\n\nconst N = 1\n");
    let mut watch = s.command(&["watch", "a.pgo"]);
    let mut child = watch.stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "1");
    s.write("lib/lib.pgo", "package lib\n\nconst N = 2\n");
    assert_eq!(lines.next().unwrap().unwrap(), "2");
    // A text that does not compile is no end.
    s.write("lib/lib.pgo", "package lib\n\nconst N =\n");
    std::thread::sleep(std::time::Duration::from_millis(500));
    s.write("a.pgo", "println(\"done\")\n");
    std::thread::sleep(std::time::Duration::from_millis(500));
    s.write("a.pgo", "import \"fmt\"\n\nfmt.Println(\"three\")\n");
    assert_eq!(lines.next().unwrap().unwrap(), "three");
    kill(child);
    s.pgo(&["watch", "none.pgo"]).fails(1, &["none.pgo"]);
}

#[test]
fn bench_completions_help() {
    let s = Folder::new("tools-others");
    s.write(
        "p/p_test.pgo",
        "package p\n\nimport \"testing\"\n\nfunc TestNot(t *testing.T) { t.Fatal(\"no test is run\") }\n\n\
         func BenchmarkAdd(b *testing.B) {\n\tfor range b.N {\n\t}\n}\n",
    );
    let bench = s.done(&["bench", "p", "-benchtime", "3x"]);
    assert!(bench.contains("BenchmarkAdd"), "{bench}");
    for shell in ["bash", "zsh", "fish"] {
        let script = s.done(&["completions", shell]);
        assert!(script.contains("crashtest"), "{shell}");
    }
    assert_eq!(s.pgo(&["completions", "none"]).status, Some(2));
    let help = s.done(&["help"]);
    for part in ["Exit status", "NO_COLOR", "PGO_HEAP", "watch"] {
        assert!(help.contains(part), "{help}");
    }
    assert!(!help.contains('\x1b'));
}
