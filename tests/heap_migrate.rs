//! `pgo heap migrate` as its user drives it: what would change, the change, consent to losing data.
mod common;

use common::Folder;

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

/// A folder with the programs, and the heap of the old one.
fn programs_in(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("old.pgo", OLD);
    folder.write("new.pgo", COMPATIBLE);
    folder.write("lossy.pgo", LOSSY);
    folder.done(&["run", "--heap", "heap", "old.pgo"]);
    folder
}

#[test]
fn compatible_types_are_migrated() {
    let folder = programs_in("migrate-compatible");
    let before = folder.bytes("heap");
    let said = folder.done(&["heap", "migrate", "--dry-run", "heap", "new.pgo"]);
    let want = "\
type main.User (10 values)
    + Email string (added)
    ~ Age int32 → Years int64 (renamed)
heap: 10 values to migrate; nothing was changed
";
    assert_eq!(said, want);
    assert_eq!(folder.bytes("heap"), before);
    let said = folder.done(&["heap", "migrate", "heap", "new.pgo"]);
    assert!(said.contains("heap: migrated 10 values in "), "{said}");
    let run = folder.pgo(&["run", "--heap", "heap", "new.pgo"]);
    assert_eq!(run.err, "");
    run.succeeds("10 10 100 user 7 27 nick true true\n");
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
    let folder = programs_in("migrate-lossy");
    for args in [
        &["heap", "migrate", "--dry-run", "heap", "lossy.pgo"][..],
        &["heap", "migrate", "heap", "lossy.pgo"],
    ] {
        let said = folder.refused_after(args, "data would be lost; consent with --drop");
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
    let folder = programs_in("migrate-unfit");
    folder.write("old.pgo", OLD.replace("20 + i", "2000 + i"));
    std::fs::remove_file(folder.path("heap")).unwrap();
    std::fs::remove_file(folder.path("heap.log")).unwrap();
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
        folder.refused_after(args, "2009");
    }
    let shown = folder.done(&["heap", "show", "heap", "users[\"user 9\"].Age"]);
    assert_eq!(shown, "2009\n");
}

#[test]
fn what_cannot_be_migrated_is_refused_in_a_line() {
    let folder = programs_in("migrate-refusals");
    folder.refused(&["heap", "migrate", "none", "new.pgo"], "no such heap file");
    folder.refused(
        &["heap", "migrate", "new.pgo", "new.pgo"],
        "not a heap file",
    );
    folder.refused(&["heap", "migrate", "heap", "none.pgo"], "none.pgo");
    folder.write("bad.pgo", "x := 1 +\n");
    let bad = folder.pgo(&["heap", "migrate", "heap", "bad.pgo"]);
    bad.fails(1, &["bad.pgo:"]);
    assert!(!folder.exists("none"));
}
