//! `pgo heap migrate` as its user drives it: what would change, the change, consent to losing data.
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const OLD: &str = r#"
type User struct {
	Name string
	Age  int32
	Nick string
	Friends []*User
}
pvar users = pmake(map[string]*User)
pvar counter int
pvar level int32
for i := range 10 {
	txn <> {
		name := fmt.Sprint("user ", i)
		users[name] = pnew(User{Name: name, Age: int32(20 + i), Nick: "nick"})
		if i > 0 {
			users[name].Friends = append(users[name].Friends, users["user 0"])
		}
		counter++
		level += 10
	}
}
"#;

/// Fields added, reordered, widened, renamed.
const COMPATIBLE: &str = r#"
type User struct {
	Email string
	Friends []*User
	Years  int64 `pmem:"was=Age"`
	Nick string
	Name string
}
pvar users = pmake(map[string]*User)
pvar counter int
pvar level int32
user := users["user 7"]
fmt.Println(len(users), counter, level, user.Name, user.Years, user.Nick, user.Email == "", user.Friends[0] == users["user 0"])
"#;

/// A field gone, one narrowed, a root of another type.
const LOSSY: &str = r#"
type User struct {
	Name string
	Age  int8
	Friends []*User
}
pvar users = pmake(map[string]*User)
pvar counter string
pvar level int32
user := users["user 7"]
fmt.Println(len(users), counter == "", level, user.Name, user.Age, user.Friends[0] == users["user 0"])
"#;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("migrate-{name}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in [("old", OLD), ("new", COMPATIBLE), ("lossy", LOSSY)] {
            std::fs::write(folder.join(format!("{name}.pgo")), text).unwrap();
        }
        let folder = Folder(folder);
        folder.done(&["run", "--heap", "heap", "old.pgo"]);
        folder
    }

    fn output(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_pgo"))
            .current_dir(&self.0)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Standard output of a command that succeeds.
    #[track_caller]
    fn done(&self, args: &[&str]) -> String {
        let output = self.output(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Standard output of a command that fails with one line on standard error.
    #[track_caller]
    fn refused(&self, args: &[&str], reason: &str) -> String {
        let output = self.output(args);
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {err}");
        assert!(err.contains(reason), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.0.join("heap")).unwrap()
    }
}

#[test]
fn compatible_types_are_migrated() {
    let folder = Folder::new("compatible");
    let before = folder.bytes();
    let said = folder.done(&["heap", "migrate", "--dry-run", "heap", "new.pgo"]);
    let want = "\
type main.User (10 values)
    + Email string (added)
    ~ Age int32 → Years int64 (renamed)
heap: 10 values to migrate; nothing was changed
";
    assert_eq!(said, want);
    assert_eq!(folder.bytes(), before);
    let said = folder.done(&["heap", "migrate", "heap", "new.pgo"]);
    assert!(said.contains("heap: migrated 10 values in "), "{said}");
    let output = folder.output(&["run", "--heap", "heap", "new.pgo"]);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "10 10 100 user 7 27 nick true true\n"
    );
    assert!(output.stderr.is_empty());
    let said = folder.done(&["heap", "migrate", "heap", "new.pgo"]);
    assert_eq!(said, "heap: has the program's types already\n");
    assert!(
        folder
            .done(&["heap", "check", "heap"])
            .contains("no problems")
    );
}

#[test]
fn data_is_lost_with_consent_only() {
    let folder = Folder::new("lossy");
    for args in [
        &["heap", "migrate", "--dry-run", "heap", "lossy.pgo"][..],
        &["heap", "migrate", "heap", "lossy.pgo"],
    ] {
        let said = folder.refused(args, "data would be lost; consent with --drop");
        let want = "\
type main.User (10 values)
    ~ Age int32 → int8 (narrowed)
    - Nick string (removed)
root counter
    ~ int → string (another type; its value is dropped)
";
        assert_eq!(said, want);
    }
    // As it was.
    assert_eq!(folder.done(&["heap", "show", "heap", "counter"]), "10\n");
    let json = folder.done(&[
        "heap",
        "migrate",
        "--dry-run",
        "--drop",
        "--json",
        "heap",
        "lossy.pgo",
    ]);
    assert!(
        json.contains("\"migrated\":false,\"possible\":true"),
        "{json}"
    );
    assert!(
        json.contains("{\"name\":\"Nick\",\"old\":\"string\",\"new\":\"\",\"change\":\"removed\"}"),
        "{json}"
    );
    assert!(
        json.contains("\"roots\":[{\"name\":\"counter\",\"old\":\"int\",\"new\":\"string\"}]"),
        "{json}"
    );
    folder.done(&["heap", "migrate", "--drop", "heap", "lossy.pgo"]);
    assert_eq!(
        folder.done(&["run", "--heap", "heap", "lossy.pgo"]),
        "10 true 100 user 7 27 true\n"
    );
    assert!(
        folder
            .done(&["heap", "check", "heap"])
            .contains("no problems")
    );
}

#[test]
fn a_value_that_does_not_fit_is_told_and_nothing_changes() {
    let folder = Folder::new("unfit");
    let old = folder.0.join("old.pgo");
    std::fs::write(&old, OLD.replace("20 + i", "2000 + i")).unwrap();
    std::fs::remove_file(folder.0.join("heap")).unwrap();
    std::fs::remove_file(folder.0.join("heap.log")).unwrap();
    folder.done(&["run", "--heap", "heap", "old.pgo"]);
    for args in [
        &[
            "heap",
            "migrate",
            "--drop",
            "--dry-run",
            "heap",
            "lossy.pgo",
        ][..],
        &["heap", "migrate", "--drop", "heap", "lossy.pgo"],
    ] {
        folder.refused(args, "2009");
    }
    let shown = folder.done(&["heap", "show", "heap", "users[\"user 9\"].Age"]);
    assert_eq!(shown, "2009\n");
}

#[test]
fn what_cannot_be_migrated_is_refused_in_a_line() {
    let folder = Folder::new("refusals");
    folder.refused(&["heap", "migrate", "none", "new.pgo"], "no such heap file");
    folder.refused(
        &["heap", "migrate", "new.pgo", "new.pgo"],
        "not a heap file",
    );
    folder.refused(&["heap", "migrate", "heap", "none.pgo"], "none.pgo");
    std::fs::write(folder.0.join("bad.pgo"), "x := 1 +\n").unwrap();
    let output = folder.output(&["heap", "migrate", "heap", "bad.pgo"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!folder.0.join("none").exists());
}
