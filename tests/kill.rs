//! `kill -9` at random moments: the word index goes on after the last committed file, and ends as
//! the index of an uninterrupted run does. `PGO_KILL_ROUNDS` sets the number of kills.
mod common;

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Folder, printed};

const FILES: usize = 150;

/// A small pseudo-random generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn texts(folder: &Path, random: &mut Random) {
    std::fs::create_dir_all(folder).unwrap();
    for file in 0..FILES {
        let mut text = String::new();
        for word in 0..2000 {
            // Few words are common, many are rare.
            let rank = random.below(100) * random.below(100) * random.below(60) / 100;
            let _ = write!(
                text,
                "w{}ord{}",
                rank % 7,
                (b'a' + (rank % 26) as u8) as char
            );
            for digit in rank.to_string().bytes() {
                text.push((digit - b'0' + b'k') as char);
            }
            text.push(if word % 12 == 11 { '\n' } else { ' ' });
        }
        std::fs::write(folder.join(format!("{file:03}.txt")), text).unwrap();
    }
}

fn wordcount(folder: &Folder, heap: &str, args: &[&str]) -> Command {
    let program = format!("{}/examples/wordcount.pgo", env!("CARGO_MANIFEST_DIR"));
    folder.command(&[&["run", "--heap", heap, &program], args].concat())
}

fn output(command: Command) -> String {
    let printed = printed(command, "");
    assert_eq!(printed.status, Some(0), "{printed:?}");
    printed.out
}

#[test]
fn an_index_survives_kills_and_ends_the_same() {
    let folder = Folder::new("kill");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    texts(&folder.path("texts"), &mut random);
    let rounds: u64 = std::env::var("PGO_KILL_ROUNDS").map_or(12, |rounds| rounds.parse().unwrap());

    let start = std::time::Instant::now();
    output(wordcount(&folder, "whole.pheap", &["texts"]));
    let whole_ms = start.elapsed().as_millis() as u64;
    let expected = output(wordcount(&folder, "whole.pheap", &["-digest"]));
    assert!(
        expected.starts_with(&format!("{FILES} files ")),
        "{expected}"
    );

    let mut indexed_max = 0;
    for _ in 0..rounds {
        let mut child = wordcount(&folder, "killed.pheap", &["texts"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_micros(
            random.below(2 * 1000 * whole_ms / rounds + 5000),
        ));
        let _ = child.kill();
        child.wait().unwrap();
        if random.below(3) == 0 {
            let digest = output(wordcount(&folder, "killed.pheap", &["-digest"]));
            let indexed: u64 = digest.split(' ').next().unwrap().parse().unwrap();
            assert!(indexed >= indexed_max, "{indexed} after {indexed_max}");
            indexed_max = indexed;
        }
    }
    output(wordcount(&folder, "killed.pheap", &["texts"]));
    assert_eq!(
        output(wordcount(&folder, "killed.pheap", &["-digest"])),
        expected
    );
}
