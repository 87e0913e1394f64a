//! The commands around programs: build, watch, bench, completions, help.
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tools-{name}"));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        Scratch(dir)
    }

    fn file(&self, name: &str, content: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
    }

    fn pgo(&self, args: &[&str]) -> Output {
        self.run(Path::new(env!("CARGO_BIN_EXE_pgo")), args)
    }

    fn run(&self, program: &Path, args: &[&str]) -> Output {
        Command::new(program)
            .args(args)
            .current_dir(&self.0)
            .env_remove("PGO_HEAP")
            .output()
            .unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const COUNTER: &str = "import (\n\t\"fmt\"\n\t\"os\"\n\n\t\"./greet\"\n)\n\npvar n int\nn++\n\
    fmt.Println(greet.Word(), n, os.Args[1:])\nos.Exit(n)\n";

#[test]
fn build_makes_one_executable() {
    let s = Scratch::new("build");
    s.file("src/counter.pgo", COUNTER);
    s.file(
        "src/greet/greet.pgo",
        "package greet\n\nimport \"../words\"\n\nfunc Word() string { return words.Hello }\n",
    );
    s.file(
        "src/words/words.pgo",
        "package words\n\nconst Hello = \"hello\"\n",
    );
    let built = s.pgo(&["build", "src/counter.pgo", "-o", "tool"]);
    assert!(built.status.success(), "{}", err(&built));
    std::fs::remove_dir_all(s.0.join("src")).unwrap();
    let tool = s.0.join("tool");
    let first = s.run(&tool, &["--heap", "x", "-e"]);
    assert_eq!(out(&first), "hello 1 [--heap x -e]\n", "{}", err(&first));
    assert_eq!(first.status.code(), Some(1));
    let second = s.run(&tool, &[]);
    assert_eq!(
        (&out(&second)[..], second.status.code()),
        ("hello 2 []\n", Some(2))
    );
    assert!(s.0.join("counter.pheap").exists());
    s.file("bad.pgo", "x :=\n");
    let bad = s.pgo(&["build", "bad.pgo"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(err(&bad).contains("bad.pgo:2:1") && !s.0.join("bad").exists());
}

#[test]
fn watch_runs_again() {
    let s = Scratch::new("watch");
    s.file("a.pgo", "import (\n\t\"fmt\"\n\t\"time\"\n\n\t\"./lib\"\n)\n\nfmt.Println(lib.N)\ntime.Sleep(time.Hour)\n");
    s.file("lib/lib.pgo", "package lib\n\nconst N = 1\n");
    let mut child = Command::new(env!("CARGO_BIN_EXE_pgo"))
        .args(["watch", "a.pgo"])
        .current_dir(&s.0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "1");
    s.file("lib/lib.pgo", "package lib\n\nconst N = 2\n");
    assert_eq!(lines.next().unwrap().unwrap(), "2");
    // A text that does not compile is no end.
    s.file("lib/lib.pgo", "package lib\n\nconst N =\n");
    std::thread::sleep(std::time::Duration::from_millis(500));
    s.file("a.pgo", "println(\"done\")\n");
    std::thread::sleep(std::time::Duration::from_millis(500));
    s.file("a.pgo", "import \"fmt\"\n\nfmt.Println(\"three\")\n");
    assert_eq!(lines.next().unwrap().unwrap(), "three");
    child.kill().unwrap();
    child.wait().unwrap();
    let none = s.pgo(&["watch", "none.pgo"]);
    assert_eq!(none.status.code(), Some(1));
}

#[test]
fn bench_completions_help() {
    let s = Scratch::new("others");
    s.file(
        "p/p_test.pgo",
        "package p\n\nimport \"testing\"\n\nfunc TestNot(t *testing.T) { t.Fatal(\"no test is run\") }\n\n\
         func BenchmarkAdd(b *testing.B) {\n\tfor range b.N {\n\t}\n}\n",
    );
    let bench = s.pgo(&["bench", "p", "-benchtime", "3x"]);
    assert!(bench.status.success(), "{}{}", out(&bench), err(&bench));
    assert!(out(&bench).contains("BenchmarkAdd"), "{}", out(&bench));
    for shell in ["bash", "zsh", "fish"] {
        let script = s.pgo(&["completions", shell]);
        assert!(out(&script).contains("crashtest"), "{shell}");
    }
    assert_eq!(s.pgo(&["completions", "none"]).status.code(), Some(2));
    let help = out(&s.pgo(&["help"]));
    for part in ["Exit status", "NO_COLOR", "PGO_HEAP", "watch"] {
        assert!(help.contains(part), "{help}");
    }
    assert!(!help.contains('\x1b'));
}
