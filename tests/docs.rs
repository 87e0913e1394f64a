//! The book in docs/: its examples are run, its links lead somewhere, its command reference is the command's own help.
//!
//! A `go` block with `output` blocks behind it is run once for each, on one heap, and prints just that; one with an
//! `error` block behind it fails with these lines among its messages; one alone must compile.
mod common;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use common::{Folder, Printed};
use lang::codes::Code;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut folders = vec![root().join("docs/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|e| e == "md") => pages.push(path),
                false => {}
            }
        }
    }
    pages.sort();
    pages
}

/// A fenced block: its language, its text, the line that it begins on.
struct Block {
    language: String,
    text: String,
    line: usize,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for (i, line) in text.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            if !is_open {
                blocks.push(Block {
                    language: language.to_string(),
                    text: String::new(),
                    line: i + 1,
                });
            }
            is_open = !is_open;
        } else if is_open {
            let block = blocks.last_mut().unwrap();
            block.text.push_str(line);
            block.text.push('\n');
        }
    }
    blocks
}

#[test]
fn examples_do_what_they_say() {
    let folder = Folder::new("docs");
    let mut wrong = String::new();
    let mut run = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let blocks = blocks(&text);
        for (i, block) in blocks.iter().enumerate() {
            if block.language != "go" {
                continue;
            }
            let stem = page.file_stem().unwrap().to_string_lossy();
            let at = format!("{}:{}", page.display(), block.line);
            let is_test = block.text.contains("import \"testing\"");
            let name = match is_test {
                true => format!("{stem}{i}_test.pgo"),
                false => format!("{stem}{i}.pgo"),
            };
            folder.write(&name, &block.text);
            let mut is_alone = true;
            for behind in &blocks[i + 1..] {
                let fails = match &behind.language[..] {
                    "output" => false,
                    "error" => true,
                    _ => break,
                };
                is_alone = false;
                run += 1;
                let Printed { out, err, status } = folder.pgo(&[&name]);
                let right = match fails {
                    false => status == Some(0) && out == behind.text,
                    true => {
                        let says = |line: &str| err.contains(line);
                        status != Some(0) && behind.text.lines().all(says)
                    }
                };
                if !right {
                    let _ = writeln!(wrong, "{at}:\n{out}{err}");
                }
            }
            if is_alone {
                let command = if is_test { "test" } else { "check" };
                let printed = folder.pgo(&[command, &name]);
                if printed.status != Some(0) {
                    let _ = writeln!(wrong, "{at}: does not compile\n{}", printed.err);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(run > 30, "only {run} examples were found");
}

fn without_code(text: &str) -> String {
    let prose = text.split("```").step_by(2).collect::<String>();
    prose.split('`').step_by(2).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut pages = pages();
    let more = ["README.md", "ARCHITECTURE.md", "examples/README.md"];
    pages.extend(more.map(|name| root().join(name)));
    let mut broken = String::new();
    for page in &pages {
        let text = without_code(&std::fs::read_to_string(page).unwrap());
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap();
            let path = target.split('#').next().unwrap();
            if path.is_empty() || target.starts_with("http") {
                continue;
            }
            if !page.parent().unwrap().join(path).exists() {
                let _ = writeln!(broken, "{}: {target}", page.display());
            }
        }
    }
    // Every page is in the table of contents.
    let summary = std::fs::read_to_string(root().join("docs/src/SUMMARY.md")).unwrap();
    for page in pages
        .iter()
        .filter_map(|p| p.strip_prefix(root().join("docs/src")).ok())
    {
        let page = page.to_str().unwrap();
        if page != "SUMMARY.md" && !summary.contains(&format!("({page})")) {
            let _ = writeln!(broken, "{page} is not in SUMMARY.md");
        }
    }
    assert!(broken.is_empty(), "{broken}");
}

/// The names of a command's subcommands, as its help lists them.
fn subcommands(help: &str) -> Vec<String> {
    let list = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    list.lines()
        .take_while(|l| !l.is_empty())
        .filter(|l| l.starts_with("  ") && !l.starts_with("   "))
        .filter_map(|l| l.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_string)
        .collect()
}

fn reference(folder: &Folder, path: &[&str], out: &mut String) {
    let args: Vec<&str> = path.iter().copied().chain(["--help"]).collect();
    let help = folder.done(&args);
    let level = "#".repeat(path.len() + 1);
    let name = ["pgo"]
        .iter()
        .chain(path)
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    let _ = write!(
        out,
        "\n{level} `{name}`\n\n```text\n{}\n```\n",
        help.trim_end()
    );
    for sub in subcommands(&help) {
        let path: Vec<&str> = path.iter().copied().chain([&sub[..]]).collect();
        reference(folder, &path, out);
    }
}

/// Writes a page that is made, when INSTA_UPDATE=always blesses it.
fn assert_made(page: &str, text: &str) {
    let path = root().join("docs/src").join(page);
    if std::env::var("INSTA_UPDATE").is_ok_and(|v| v == "always") {
        std::fs::write(&path, text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        known == text,
        "docs/src/{page} is not what the command says; INSTA_UPDATE=always makes it so"
    );
}

const MADE: &str = "<!-- Made by: INSTA_UPDATE=always cargo test --test docs -->\n";

#[test]
fn the_command_reference_is_the_help() {
    let mut text = MADE.to_string();
    reference(&Folder::new("docs-reference"), &[], &mut text);
    assert_made("commands.md", &text);
}

#[test]
fn the_warnings_are_those_of_the_examples() {
    let folder = Folder::new("docs-warnings");
    let mut text = format!(
        "{MADE}# Warnings\n\nWhat `pgo check` and editors say about programs that compile, and most likely are not what was \
         meant.\n"
    );
    for code in Code::ALL {
        let number = code.number();
        if !number.starts_with('W') {
            continue;
        }
        folder.write("example.pgo", code.example());
        let printed = folder.pgo(&["check", "example.pgo"]);
        let (example, said) = (code.example(), printed.err);
        assert!(
            said.contains(&format!("code: {number}")),
            "{number}: {said}"
        );
        let summary = code.summary();
        let _ = write!(
            text,
            "\n## {number}: {summary}\n```go\n{example}```\n```text\n{said}```\n"
        );
    }
    assert_made("warnings.md", &text);
}
