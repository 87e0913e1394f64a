//! Short property tests over what `fuzz/` fuzzes at length: mutated programs, bytecode, heap files and logs never make a
//! panic. The cases are the same in each run; `PGO_FUZZ_CASES` sets their number, `PGO_FUZZ_SEED` has others tried.
#[path = "../fuzz/shared.rs"]
mod shared;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Words that programs consist of.
const TOKENS: &[&str] = &[
    "func",
    "type",
    "struct",
    "interface",
    "map",
    "chan",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "<-",
    ":=",
    "=",
    "==",
    "+",
    "-",
    "*",
    "/",
    "<<",
    "&^",
    "!",
    "...",
    ".",
    ",",
    ";",
    ":",
    "\n",
    "if",
    "else",
    "for",
    "range",
    "switch",
    "case",
    "default",
    "select",
    "go",
    "defer",
    "return",
    "break",
    "continue",
    "goto",
    "fallthrough",
    "var",
    "const",
    "pvar",
    "txn <>",
    "pnew",
    "pmake",
    "persist",
    "iota",
    "nil",
    "x",
    "T",
    "int",
    "string",
    "any",
    "error",
    "0",
    "1e9",
    "0x1p-2",
    "'a'",
    "\"s\"",
    "`r`",
    "len",
    "append",
    "make",
    "new",
    "[T any]",
    "~int|string",
    "fmt.Println",
    "package main",
    "import \"fmt\"",
    "L:",
    "/*",
    "//",
    "\u{e9}",
];

fn runner(cases: u32) -> TestRunner {
    let number = |name: &str| std::env::var(name).ok().map(|n| n.parse::<u64>().unwrap());
    let cases = number("PGO_FUZZ_CASES").map_or(cases, |n| n as u32);
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number("PGO_FUZZ_SEED").unwrap_or(7).to_le_bytes());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// Programs of the test suite.
fn programs() -> Vec<String> {
    let mut programs = Vec::new();
    for folder in ["tests/run", "tests/errors", "tests/panic", "tests/crash"] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if path.is_file() && text.len() < 6000 {
                programs.push(text);
            }
        }
    }
    programs.sort();
    programs
}

/// A program in which some lines and words were dropped, doubled, or replaced by other words.
fn mutated(programs: Vec<String>) -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<u32>(), 0..6u8, 0..TOKENS.len());
    (0..programs.len(), vec(edit, 0..8)).prop_map(move |(index, edits)| {
        let mut words: Vec<String> = programs[index]
            .split_inclusive(|c: char| !c.is_alphanumeric())
            .map(str::to_string)
            .collect();
        for (at, what, token) in edits {
            if words.is_empty() {
                break;
            }
            let at = at as usize % words.len();
            let end = (at + 1 + token % 12).min(words.len());
            match what {
                0 => drop(words.drain(at..end)),
                1 => {
                    let copied = words[at..end].to_vec();
                    words.splice(end..end, copied);
                }
                2 => words[at] = TOKENS[token].to_string(),
                3 => words.insert(at, TOKENS[token].to_string()),
                4 => words.swap(at, end - 1),
                _ => words[at] = words[at].to_uppercase(),
            }
        }
        words.concat().into_bytes()
    })
}

/// Runs `work` over cases, on a stack as large as the command's.
fn sweep<S>(cases: u32, strategy: S, work: fn(&[u8]))
where
    S: Strategy<Value = Vec<u8>> + Send + 'static,
{
    let thread = std::thread::Builder::new().stack_size(1 << 30);
    let run = move || {
        let done = runner(cases).run(&strategy, |data| {
            work(&data);
            Ok(())
        });
        if let Err(error) = done {
            let text = error.to_string();
            panic!("{text}");
        }
    };
    thread.spawn(run).unwrap().join().unwrap();
}

#[test]
fn lexer_and_parser() {
    sweep(400, mutated(programs()), shared::parse);
    let soup = vec(0..TOKENS.len(), 0..60).prop_map(|words| {
        let words: Vec<&str> = words.into_iter().map(|word| TOKENS[word]).collect();
        words.join(" ").into_bytes()
    });
    sweep(400, soup, shared::parse);
    sweep(200, vec(any::<u8>(), 0..200), shared::parse);
}

#[test]
fn checker_and_code_generation() {
    sweep(150, mutated(programs()), shared::check);
}

#[test]
fn bytecode_verifier() {
    sweep(20, vec(any::<u8>(), 12..120), shared::verify);
}

#[test]
fn heap_file() {
    sweep(300, vec(any::<u8>(), 5..60), shared::heap_file);
    // In the superblocks, where each byte counts.
    let near = vec((0..76u32, any::<bool>(), any::<u8>()), 1..6).prop_map(|edits| {
        let bytes = |(at, second, value): (u32, bool, u8)| {
            let at = at + 4096 * u32::from(second);
            [&at.to_le_bytes()[..], &[value]].concat()
        };
        edits.into_iter().flat_map(bytes).collect()
    });
    sweep(300, near, shared::heap_file);
}

#[test]
fn log() {
    let near = vec((0..3000u32, any::<u8>()), 1..8).prop_map(|edits| {
        let bytes = |(at, value): (u32, u8)| [&(4096 + at).to_le_bytes()[..], &[value]].concat();
        edits.into_iter().flat_map(bytes).collect()
    });
    sweep(300, near, shared::log);
}
