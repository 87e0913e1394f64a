//! `pgo fmt` as a command: what it does to files, what it prints, its exit status. What the result
//! looks like is tested by the golden tests of `tests/fmt/`.
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fmt-{name}"));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Scratch(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `pgo fmt`; gives standard output, standard error and the exit status.
    fn fmt(&self, args: &[&str], input: &str) -> (String, String, i32) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pgo"))
            .arg("fmt")
            .args(args)
            .current_dir(&self.0)
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output {
            stdout,
            stderr,
            status,
        } = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (text(stdout), text(stderr), status.code().unwrap())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const UGLY: &str = "x:=1\nprintln( x )\n";
const PRETTY: &str = "x := 1\nprintln(x)\n";

#[test]
fn files_and_folders_are_rewritten_and_named() {
    let scratch = Scratch::new("files");
    scratch.write("a.pgo", UGLY);
    scratch.write("sub/b.pgo", UGLY);
    scratch.write("sub/good.go", "package p\n");
    scratch.write("sub/.hidden.pgo", UGLY);
    scratch.write("sub/notes.txt", UGLY);
    assert_eq!(
        scratch.fmt(&["a.pgo"], ""),
        ("a.pgo\n".into(), "".into(), 0)
    );
    assert_eq!(scratch.read("a.pgo"), PRETTY);
    assert_eq!(
        scratch.fmt(&["."], ""),
        ("sub/b.pgo\n".into(), "".into(), 0)
    );
    assert_eq!(scratch.read("sub/b.pgo"), PRETTY);
    assert_eq!(scratch.read("sub/.hidden.pgo"), UGLY);
    assert_eq!(scratch.read("sub/notes.txt"), UGLY);
    assert_eq!(scratch.fmt(&["."], ""), ("".into(), "".into(), 0));
}

#[test]
fn standard_input_goes_to_standard_output() {
    let scratch = Scratch::new("stdin");
    for args in [&[][..], &["-"]] {
        assert_eq!(scratch.fmt(args, UGLY), (PRETTY.into(), "".into(), 0));
    }
    assert_eq!(scratch.fmt(&["--check"], UGLY).2, 1);
    assert_eq!(scratch.fmt(&["--check"], PRETTY), ("".into(), "".into(), 0));
}

#[test]
fn check_and_diff_change_nothing() {
    let scratch = Scratch::new("check");
    scratch.write("a.pgo", UGLY);
    assert_eq!(
        scratch.fmt(&["--check", "a.pgo"], ""),
        ("a.pgo\n".into(), "".into(), 1)
    );
    let (out, _, status) = scratch.fmt(&["-d", "a.pgo"], "");
    let wanted = "diff a.pgo.orig a.pgo\n--- a.pgo.orig\n+++ a.pgo\n@@ -1,2 +1,2 @@\n\
                  -x:=1\n-println( x )\n+x := 1\n+println(x)\n";
    assert_eq!((&out[..], status), (wanted, 0));
    assert_eq!(scratch.fmt(&["--check", "--diff", "a.pgo"], "").2, 1);
    assert_eq!(scratch.read("a.pgo"), UGLY);
}

#[test]
fn a_syntax_error_leaves_the_file_and_the_others_are_formatted() {
    let scratch = Scratch::new("error");
    scratch.write("bad.pgo", "x := := 1\n");
    scratch.write("good.pgo", UGLY);
    let (out, err, status) = scratch.fmt(&["bad.pgo", "missing.pgo", "good.pgo"], "");
    assert_eq!((&out[..], status), ("good.pgo\n", 1));
    assert!(err.contains("bad.pgo:1:6: syntax error"), "{err}");
    assert!(err.contains("missing.pgo: no such file"), "{err}");
    assert_eq!(scratch.read("bad.pgo"), "x := := 1\n");
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_permissions_kept() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("links");
    scratch.write("real/a.pgo", UGLY);
    let real = scratch.path("real/a.pgo");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o750)).unwrap();
    std::os::unix::fs::symlink("real/a.pgo", scratch.path("link.pgo")).unwrap();
    assert_eq!(scratch.fmt(&["link.pgo"], "").2, 0);
    assert!(scratch.path("link.pgo").is_symlink());
    assert_eq!(scratch.read("real/a.pgo"), PRETTY);
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o750
    );
    let left = fs::read_dir(scratch.path("real")).unwrap().count();
    assert_eq!(left, 1, "a temporary file is left");
}

/// gofmt's output is a fixed point: `GOROOT=… cargo test --test fmt -- --ignored` counts the files of
/// Go's library that come out otherwise.
#[test]
#[ignore = "needs Go's sources"]
fn go_library_is_unchanged() {
    let root = std::env::var("GOROOT").expect("GOROOT names Go's folder");
    let output = Command::new(env!("CARGO_BIN_EXE_pgo"))
        .args(["fmt", "--check"])
        .arg(Path::new(&root).join("src"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let changed: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("/testdata/"))
        .collect();
    // A few vendored files are not formatted as they come.
    assert!(
        changed.len() < 40,
        "{} files differ: {changed:#?}",
        changed.len()
    );
}
