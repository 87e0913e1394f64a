//! `pgo fmt` as a command: what it does to files, what it prints, its exit status. What the result
//! looks like is tested by the golden tests of `tests/fmt/`.
mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::Folder;

/// Runs `pgo fmt`; gives standard output, standard error and the exit status.
fn fmt(folder: &Folder, args: &[&str], input: &str) -> (String, String, i32) {
    let printed = folder.pgo_with_input(&[&["fmt"], args].concat(), input);
    (printed.out, printed.err, printed.status.unwrap())
}

const UGLY: &str = "x:=1\nprintln( x )\n";
const PRETTY: &str = "x := 1\nprintln(x)\n";

#[test]
fn files_and_folders_are_rewritten_and_named() {
    let folder = Folder::new("fmt-files");
    folder.write("a.pgo", UGLY);
    folder.write("sub/b.pgo", UGLY);
    folder.write("sub/good.go", "package p\n");
    folder.write("sub/.hidden.pgo", UGLY);
    folder.write("sub/notes.txt", UGLY);
    assert_eq!(
        fmt(&folder, &["a.pgo"], ""),
        ("a.pgo\n".into(), "".into(), 0)
    );
    assert_eq!(folder.read("a.pgo"), PRETTY);
    assert_eq!(
        fmt(&folder, &["."], ""),
        ("sub/b.pgo\n".into(), "".into(), 0)
    );
    assert_eq!(folder.read("sub/b.pgo"), PRETTY);
    assert_eq!(folder.read("sub/.hidden.pgo"), UGLY);
    assert_eq!(folder.read("sub/notes.txt"), UGLY);
    assert_eq!(fmt(&folder, &["."], ""), ("".into(), "".into(), 0));
}

#[test]
fn standard_input_goes_to_standard_output() {
    let folder = Folder::new("fmt-stdin");
    for args in [&[][..], &["-"]] {
        assert_eq!(fmt(&folder, args, UGLY), (PRETTY.into(), "".into(), 0));
    }
    assert_eq!(fmt(&folder, &["--check"], UGLY).2, 1);
    assert_eq!(
        fmt(&folder, &["--check"], PRETTY),
        ("".into(), "".into(), 0)
    );
}

#[test]
fn check_and_diff_change_nothing() {
    let folder = Folder::new("fmt-check");
    folder.write("a.pgo", UGLY);
    assert_eq!(
        fmt(&folder, &["--check", "a.pgo"], ""),
        ("a.pgo\n".into(), "".into(), 1)
    );
    let (out, _, status) = fmt(&folder, &["-d", "a.pgo"], "");
    let wanted = "diff a.pgo.orig a.pgo\n--- a.pgo.orig\n+++ a.pgo\n@@ -1,2 +1,2 @@\n\
                  -x:=1\n-println( x )\n+x := 1\n+println(x)\n";
    assert_eq!((&out[..], status), (wanted, 0));
    assert_eq!(fmt(&folder, &["--check", "--diff", "a.pgo"], "").2, 1);
    assert_eq!(folder.read("a.pgo"), UGLY);
}

#[test]
fn a_syntax_error_leaves_the_file_and_the_others_are_formatted() {
    let folder = Folder::new("fmt-error");
    folder.write("bad.pgo", "x := := 1\n");
    folder.write("good.pgo", UGLY);
    let (out, err, status) = fmt(&folder, &["bad.pgo", "missing.pgo", "good.pgo"], "");
    assert_eq!((&out[..], status), ("good.pgo\n", 1));
    assert!(err.contains("bad.pgo:1:6: syntax error"), "{err}");
    assert!(err.contains("missing.pgo: no such file"), "{err}");
    assert_eq!(folder.read("bad.pgo"), "x := := 1\n");
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_permissions_kept() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("fmt-links");
    folder.write("real/a.pgo", UGLY);
    let real = folder.path("real/a.pgo");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o750)).unwrap();
    std::os::unix::fs::symlink("real/a.pgo", folder.path("link.pgo")).unwrap();
    assert_eq!(fmt(&folder, &["link.pgo"], "").2, 0);
    assert!(folder.path("link.pgo").is_symlink());
    assert_eq!(folder.read("real/a.pgo"), PRETTY);
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o750
    );
    let left = fs::read_dir(folder.path("real")).unwrap().count();
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
