//! Random types that change from version to version of a program: fields come, go, change places, get wider, get other
//! names. Each version finds every value of the fields that it shares with the one before, and zero in new ones.
mod common;

use std::fmt::Write;

use common::Folder;
use proptest::prelude::*;
use proptest::test_runner::Config;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((self.0 >> 33) % n as u64) as usize
    }
}

#[derive(Clone, PartialEq)]
enum Kind {
    /// Its place in `SCALARS`.
    Scalar(usize),
    Array(usize),
    /// Of struct types, by number.
    Pointer(usize),
    Value(usize),
    Slice(usize),
    Map(usize),
    Any,
}

/// Each with those that it may widen to.
const SCALARS: [(&str, &[usize]); 12] = [
    ("int8", &[1, 2, 3, 4]),
    ("int16", &[2, 3, 4]),
    ("int32", &[3, 4]),
    ("int", &[]),
    ("int64", &[]),
    ("uint8", &[6, 7]),
    ("uint16", &[7]),
    ("uint64", &[]),
    ("float32", &[9]),
    ("float64", &[]),
    ("bool", &[]),
    ("string", &[]),
];
/// Struct types; the last is that of keys of maps.
const TYPES: usize = 4;
const KEYS: usize = TYPES - 1;
const OBJECTS: usize = 3;

#[derive(Clone)]
struct Field {
    id: usize,
    name: String,
    was: Option<String>,
    kind: Kind,
    /// Not filled by an earlier version: it must be zero.
    is_new: bool,
}

struct Schema {
    types: Vec<Vec<Field>>,
    fields: usize,
}

impl Schema {
    fn new(random: &mut Random) -> Schema {
        let mut schema = Schema {
            types: vec![Vec::new(); TYPES],
            fields: 0,
        };
        for ty in 0..TYPES {
            for _ in 0..2 + random.below(5) {
                let field = schema.field(random, ty);
                schema.types[ty].push(field);
            }
        }
        schema
    }

    fn field(&mut self, random: &mut Random, ty: usize) -> Field {
        self.fields += 1;
        let scalar = Kind::Scalar(random.below(SCALARS.len()));
        let other = random.below(KEYS);
        let kind = match random.below(10) {
            _ if ty == KEYS => scalar,
            0 => Kind::Array(random.below(10)),
            1 | 2 => Kind::Pointer(other),
            // Values lie in values of types with smaller numbers only.
            3 if ty + 1 < KEYS => Kind::Value(ty + 1),
            4 if ty + 1 < KEYS => Kind::Slice(ty + 1),
            5 => Kind::Map(other),
            6 => Kind::Any,
            _ => scalar,
        };
        Field {
            id: self.fields,
            name: format!("F{}", self.fields),
            was: None,
            kind,
            is_new: false,
        }
    }

    /// Changes the types; true if data is lost by it.
    fn evolve(&mut self, random: &mut Random) -> bool {
        let mut lossy = false;
        for ty in 0..TYPES {
            for field in &mut self.types[ty] {
                // What a version has found to be zero it has filled, but for keys.
                field.is_new &= ty == KEYS;
                field.was = None;
            }
            for _ in 0..random.below(4) {
                match random.below(6) {
                    0 | 1 => {
                        let mut field = self.field(random, ty);
                        field.is_new = true;
                        let at = random.below(self.types[ty].len() + 1);
                        self.types[ty].insert(at, field);
                    }
                    2 => {
                        let len = self.types[ty].len();
                        let (a, b) = (random.below(len), random.below(len));
                        self.types[ty].swap(a, b);
                    }
                    3 => {
                        let len = self.types[ty].len();
                        let field = &mut self.types[ty][random.below(len)];
                        if let Kind::Scalar(at) | Kind::Array(at) = &mut field.kind {
                            let wider = SCALARS[*at].1;
                            if !wider.is_empty() {
                                *at = wider[random.below(wider.len())];
                            }
                        }
                    }
                    4 => {
                        let len = self.types[ty].len();
                        let field = &mut self.types[ty][random.below(len)];
                        if field.was.is_none() && !field.is_new {
                            let name = format!("{}x", field.name);
                            field.was = Some(std::mem::replace(&mut field.name, name));
                        }
                    }
                    _ if ty != KEYS && self.types[ty].len() > 2 && random.below(3) == 0 => {
                        let at = random.below(self.types[ty].len());
                        self.types[ty].remove(at);
                        lossy = true;
                    }
                    _ => {}
                }
            }
        }
        lossy
    }

    /// The program: it fills the heap if that is new, checks everything, and fills what it has found to be zero.
    fn program(&self) -> String {
        let mut text = String::from(PRELUDE);
        for (ty, fields) in self.types.iter().enumerate() {
            let _ = writeln!(text, "type S{ty} struct {{");
            for field in fields {
                let was = field.was.as_ref();
                let tag = was.map_or(String::new(), |was| format!(" `pmem:\"was={was}\"`"));
                let _ = writeln!(text, "\t{} {}{tag}", field.name, go_type(&field.kind));
            }
            text += "}\n";
            for (name, wanted) in [("fill", None), ("add", Some(true)), ("check", Some(false))] {
                let _ = writeln!(text, "func {name}{ty}(x *S{ty}, s uint64) {{");
                for field in fields {
                    let h = format!("h(s, {})", field.id);
                    let x = format!("x.{}", field.name);
                    match (name, wanted) {
                        ("check", _) if field.is_new => zero(&mut text, field, &x),
                        ("check", _) => check(&mut text, field, &x, &h),
                        // Keys in maps stay as they are.
                        (_, _) if ty == KEYS && field.is_new => {}
                        ("add", _) if !field.is_new => descend(&mut text, field, &x, &h),
                        _ => fill(&mut text, field, &x, &h),
                    }
                }
                text += "}\n";
            }
            let _ = writeln!(text, "pvar r{ty} []*S{ty}");
        }
        let _ = writeln!(text, "pvar keyed = pmake(map[S{KEYS}]int)");
        text += "if r0 == nil {\n\ttxn <> {\n";
        for ty in 0..TYPES {
            let _ = writeln!(
                text,
                "for range {OBJECTS} {{ r{ty} = append(r{ty}, pnew(S{ty})) }}"
            );
        }
        for ty in 0..TYPES {
            let _ = writeln!(text, "for i, x := range r{ty} {{ fill{ty}(x, uint64(i)) }}");
        }
        let _ = writeln!(
            text,
            "for i := range 20 {{ k := S{KEYS}{{}}; fill{KEYS}(&k, uint64(i)); keyed[k] += 1 << i }}\n\t}}\n}}"
        );
        for ty in 0..TYPES {
            let _ = writeln!(
                text,
                "if len(r{ty}) != {OBJECTS} {{ bad(\"r{ty}\") }}\nfor i, x := range r{ty} {{ check{ty}(x, uint64(i)) }}"
            );
        }
        let _ = writeln!(
            text,
            "all := 0\nfor _, n := range keyed {{ all += n }}\nif all != 1<<20-1 {{ bad(\"keyed\") }}\n\
             for i := range 20 {{ k := S{KEYS}{{}}; fill{KEYS}(&k, uint64(i)); if keyed[k]>>i&1 != 1 {{ bad(\"key\") }} }}"
        );
        text += "txn <> {\n";
        for ty in 0..KEYS {
            let _ = writeln!(text, "for i, x := range r{ty} {{ add{ty}(x, uint64(i)) }}");
        }
        text += "}\nfmt.Println(\"fine\")\n";
        text
    }
}

const PRELUDE: &str = r#"
import (
	"fmt"
	"os"
)

func h(s, id uint64) uint64 {
	x := (s*31 + id + 1) * 0x9e3779b97f4a7c15
	return x ^ x>>29
}
func bad(what string) {
	fmt.Println("wrong:", what)
	os.Exit(1)
}
"#;

fn go_type(kind: &Kind) -> String {
    match kind {
        Kind::Scalar(at) => SCALARS[*at].0.into(),
        Kind::Array(at) => format!("[3]{}", SCALARS[*at].0),
        Kind::Pointer(ty) => format!("*S{ty}"),
        Kind::Value(ty) => format!("S{ty}"),
        Kind::Slice(ty) => format!("[]S{ty}"),
        Kind::Map(ty) => format!("map[string]*S{ty}"),
        Kind::Any => "any".into(),
    }
}

/// A value that every type which this one was before can hold.
fn scalar(at: usize, h: &str) -> String {
    match SCALARS[at].0 {
        "bool" => format!("{h}%2 == 0"),
        "string" => format!("fmt.Sprint(\"s\", {h}%1000)"),
        "float32" | "float64" => format!("{}({h}%1000) / 4", SCALARS[at].0),
        name => format!("{name}({h}%100)"),
    }
}

fn fill(text: &mut String, field: &Field, x: &str, h: &str) {
    let _ = match &field.kind {
        Kind::Scalar(at) => writeln!(text, "{x} = {}", scalar(*at, h)),
        Kind::Array(at) => writeln!(
            text,
            "for i := range {x} {{ {x}[i] = {} }}",
            scalar(*at, &format!("h({h}, uint64(i))"))
        ),
        Kind::Pointer(ty) => writeln!(text, "{x} = r{ty}[{h}%{OBJECTS}]"),
        Kind::Value(ty) => writeln!(text, "fill{ty}(&{x}, {h})"),
        Kind::Slice(ty) => writeln!(
            text,
            "{x} = pmake([]S{ty}, 2, 5); for i := range {x} {{ fill{ty}(&{x}[i], h({h}, uint64(i))) }}"
        ),
        Kind::Map(ty) => writeln!(
            text,
            "{x} = pmake(map[string]*S{ty}); for i := range uint64(12) {{ {x}[fmt.Sprint(i)] = r{ty}[h({h}, i)%{OBJECTS}] }}"
        ),
        Kind::Any => writeln!(
            text,
            "switch {h} % 3 {{ case 0: {x} = int({h}%100); case 1: {x} = fmt.Sprint({h}); default: {x} = r1[{h}%{OBJECTS}] }}"
        ),
    };
}

/// Fills what is new inside a value that is not.
fn descend(text: &mut String, field: &Field, x: &str, h: &str) {
    let _ = match &field.kind {
        Kind::Value(ty) => writeln!(text, "add{ty}(&{x}, {h})"),
        Kind::Slice(ty) => writeln!(
            text,
            "for i := range {x} {{ add{ty}(&{x}[i], h({h}, uint64(i))) }}"
        ),
        _ => Ok(()),
    };
}

fn check(text: &mut String, field: &Field, x: &str, h: &str) {
    let bad = format!("{{ bad(\"{}\") }}", field.name);
    let _ = match &field.kind {
        Kind::Scalar(at) => writeln!(text, "if {x} != ({}) {bad}", scalar(*at, h)),
        Kind::Array(at) => writeln!(
            text,
            "for i := range {x} {{ if {x}[i] != ({}) {bad} }}",
            scalar(*at, &format!("h({h}, uint64(i))"))
        ),
        Kind::Pointer(ty) => writeln!(text, "if {x} != r{ty}[{h}%{OBJECTS}] {bad}"),
        Kind::Value(ty) => writeln!(text, "check{ty}(&{x}, {h})"),
        Kind::Slice(ty) => writeln!(
            text,
            "if len({x}) != 2 || cap({x}) != 5 {bad}; for i := range {x} {{ check{ty}(&{x}[i], h({h}, uint64(i))) }}"
        ),
        Kind::Map(ty) => writeln!(
            text,
            "if len({x}) != 12 {bad}; for i := range uint64(12) {{ if {x}[fmt.Sprint(i)] != r{ty}[h({h}, i)%{OBJECTS}] {bad} }}"
        ),
        Kind::Any => writeln!(
            text,
            "switch {h} % 3 {{ case 0: if {x} != any(int({h}%100)) {bad}; case 1: if {x} != any(fmt.Sprint({h})) {bad}; default: if {x} != any(r1[{h}%{OBJECTS}]) {bad} }}"
        ),
    };
}

fn zero(text: &mut String, field: &Field, x: &str) {
    let bad = format!("{{ bad(\"zero {}\") }}", field.name);
    let _ = match &field.kind {
        Kind::Scalar(_) | Kind::Array(_) => {
            writeln!(
                text,
                "{{ var z {}; if {x} != z {bad} }}",
                go_type(&field.kind)
            )
        }
        // Its parts are of types that have new fields of their own.
        Kind::Value(_) => Ok(()),
        _ => writeln!(text, "if {x} != nil {bad}"),
    };
}

fn evolve(seed: u64, versions: usize) -> Result<(), TestCaseError> {
    let mut random = Random(seed);
    let folder = Folder::new(&format!("schema-{seed:x}"));
    let mut schema = Schema::new(&mut random);
    for version in 0..versions {
        let lossy = version > 0 && schema.evolve(&mut random);
        let file = format!("v{version}.pgo");
        let path = folder.write(&file, schema.program());
        let done = |args: &[&str], begins: &str| {
            let printed = folder.pgo(args);
            let fine = printed.status == Some(0) && printed.out.starts_with(begins);
            prop_assert!(fine, "{}: {printed:?}", path.display());
            Ok(())
        };
        if lossy || random.below(4) == 0 && version > 0 {
            done(&["heap", "migrate", "--drop", "heap", &file], "")?;
        }
        done(&["run", "--heap", "heap", &file], "fine\n")?;
        done(&["heap", "check", "heap"], "")?;
    }
    Ok(())
}

/// Few, unless `PROPTEST_CASES` says how many.
fn cases() -> u32 {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => Config::default().cases,
        None => 8,
    }
}

proptest! {
    #![proptest_config(Config { cases: cases(), max_shrink_iters: 20, failure_persistence: None, ..Config::default() })]

    #[test]
    fn values_follow_their_types(seed: u64, versions in 2usize..6) {
        evolve(seed, versions)?;
    }
}
