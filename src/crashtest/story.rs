//! The failure of a crash, told: what the script had done, what was lost, what the recovered heap holds, who complains.
use super::explore::{Found, Tally};
use super::judge::{Failure, recovered};
use super::record::{HEAP, Note, Recording, What};
use super::subset::Crash;
use crate::quote::quoted;
use pheap::disk::crash::{Files, Moment};
use pheap::disk::{Event, MemoryDisk};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use vm::Line;

/// Steps before the crash that are told.
const STEPS_MAX: usize = 8;
/// Lines of output that are shown.
const OUTPUT_LINES_MAX: usize = 8;

/// What is told of a failure.
pub struct Story {
    /// What the script had done last: a line of source and what happened there.
    pub steps: Vec<(Option<Line>, String)>,
    /// What happened to the bytes that were on their way.
    pub crash: String,
    /// The state that the recovered heap is in.
    pub state: String,
    /// Lines with stores outside transactions that are not in it.
    pub lost_stores: Vec<String>,
    pub printed: String,
    /// Names and values of the roots.
    pub roots: Vec<(String, String)>,
    pub complaint: String,
}

fn place(at: &Option<Line>) -> String {
    match at {
        Some(at) => format!("{}:{}", at.file, at.line),
        None => "the end".to_string(),
    }
}

impl Story {
    pub fn of(recording: &Recording, found: &Found, files: Files) -> Story {
        let events = &recording.events[..found.crash.cut];
        let notes: Vec<&Note> = events
            .iter()
            .filter_map(|event| match event {
                Event::Mark(index) => recording.notes.get(*index as usize),
                _ => None,
            })
            .collect();
        let printed = notes.iter().rev().find_map(|note| match note.what {
            What::Printed { len, .. } => Some(len),
            _ => None,
        });
        let printed = &recording.printed[..printed.unwrap_or(0)];
        let recovered = recovered(files).ok();
        let lsn = recovered.as_ref().map_or(0, |(lsn, _)| *lsn);
        Story {
            steps: steps(&notes, &recording.printed),
            crash: what_was_pending(recording, &found.crash),
            state: state(&notes, lsn, recovered.is_some()),
            lost_stores: lost_stores(&notes, lsn),
            printed: String::from_utf8_lossy(printed).into_owned(),
            roots: recovered.map_or_else(Vec::new, |(_, files)| roots(files)),
            complaint: complaint(&found.failure, &notes),
        }
    }

    /// For a person.
    pub fn text(&self, colour: bool) -> String {
        let paint = |code: &str, text: &str| match colour {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_string(),
        };
        let mut out = String::new();
        let head = |out: &mut String, text: &str| {
            let _ = writeln!(out, "{}", paint("1", text));
        };
        head(&mut out, "What the script did");
        let width = self.steps.iter().map(|(at, _)| place(at).chars().count());
        let width = width.max().unwrap_or(0);
        for (at, what) in &self.steps {
            let _ = writeln!(out, "  {:<width$}  {what}", place(at));
        }
        let _ = writeln!(
            out,
            "  {}",
            paint("1;31", &format!("CRASH: {}", self.crash))
        );
        head(&mut out, "What a restart finds");
        let _ = writeln!(out, "  {}", self.state);
        if !self.lost_stores.is_empty() {
            let lines = self.lost_stores.join(", ");
            let _ = writeln!(
                out,
                "  stores outside transactions that are not in it yet: {lines}"
            );
        }
        for (name, value) in &self.roots {
            let _ = writeln!(out, "  {name} = {value}");
        }
        if !self.printed.is_empty() {
            head(&mut out, "Printed before the crash");
            let lines: Vec<&str> = self.printed.lines().collect();
            let hidden = lines.len().saturating_sub(OUTPUT_LINES_MAX);
            if hidden > 0 {
                let _ = writeln!(out, "  … {hidden} lines more");
            }
            for line in &lines[hidden..] {
                let _ = writeln!(out, "  {line}");
            }
        }
        let _ = writeln!(out, "{}", paint("1;31", &self.complaint));
        out
    }
}

/// The last things that were done, the same ones on one line together.
fn steps(notes: &[&Note], printed: &[u8]) -> Vec<(Option<Line>, String)> {
    let mut steps: Vec<(Option<Line>, String, usize)> = Vec::new();
    let mut from = 0;
    let mut add = |at: &Option<Line>, what: String| match steps.last_mut() {
        Some((last, text, times)) if last == at && *text == what => *times += 1,
        _ => steps.push((at.clone(), what, 1)),
    };
    let mut notes = notes.iter().peekable();
    while let Some(note) = notes.next() {
        match note.what {
            What::Store => add(&note.at, "stores outside any transaction".into()),
            What::Commit => {
                let done = notes.peek().is_some_and(|next| {
                    matches!(next.what, What::Committed { .. }) && next.at == note.at
                });
                match (done, &note.at) {
                    (true, _) => {}
                    (false, Some(_)) => add(&note.at, "a commit has begun".into()),
                    (false, None) => add(&note.at, "the heap is being closed".into()),
                }
            }
            What::Committed { lsn, durable_lsn } => {
                let how = match durable_lsn >= lsn {
                    true => "durable",
                    false => "not durable yet",
                };
                add(&note.at, format!("committed, {how}"));
            }
            What::RolledBack => add(&note.at, "a transaction is rolled back".into()),
            What::Restart => add(&note.at, "the script runs again".into()),
            What::Printed { len, in_txn } => {
                let text = String::from_utf8_lossy(&printed[from..len]);
                let mut text: String = text.trim_end().chars().take(50).collect();
                text = format!("prints {text:?}");
                if in_txn {
                    text.push_str(" inside the transaction");
                }
                add(&note.at, text);
                from = len;
            }
        }
    }
    let hidden = steps.len().saturating_sub(STEPS_MAX);
    let shown = steps.drain(..).skip(hidden);
    shown
        .map(|(at, what, times)| match times {
            1 => (at, what),
            _ => (at, format!("{what}, {times} times")),
        })
        .collect()
}

fn what_was_pending(recording: &Recording, crash: &Crash) -> String {
    let mut moment = Moment::new(recording.start.clone());
    let events = &recording.events[..crash.cut];
    events.iter().for_each(|event| moment.advance(event));
    let units = moment.units();
    let lost: Vec<usize> = (0..units).filter(|&u| !crash.subset.holds(u)).collect();
    let mut text = match (units, lost.len()) {
        (0, _) => "everything written so far is on the disk".to_string(),
        (_, 0) => "all that was on its way reaches the disk".to_string(),
        (_, n) if n == units => "nothing that was on its way reaches the disk".to_string(),
        (_, n) => format!("{n} of {units} pieces on their way do not reach the disk"),
    };
    if let [first, ..] = lost[..]
        && lost.len() < units
        && let Some((file, what)) = moment.describe(first)
    {
        let _ = write!(text, ", such as {} of {}", what, file.display());
    }
    if crash.again.is_some() {
        text.push_str("; the power fails again while the heap recovers");
    }
    text
}

/// Which commit the recovered heap is the state after.
fn state(notes: &[&Note], lsn: u64, opened: bool) -> String {
    if !opened {
        return "no heap that can be opened".to_string();
    }
    let commits = || {
        notes.iter().filter_map(|note| match note.what {
            What::Committed { lsn, .. } => Some((lsn, &note.at)),
            _ => None,
        })
    };
    let last = commits().filter(|(at, _)| *at <= lsn).enumerate().last();
    let next = commits().find(|(at, _)| *at > lsn);
    let begun = notes
        .iter()
        .rev()
        .find(|note| !matches!(note.what, What::Printed { .. } | What::Store))
        .filter(|note| note.what == What::Commit);
    let mut text = match (last, begun) {
        // It holds more than any commit that is done.
        (last, Some(begun))
            if next.is_none() && last.is_none_or(|(_, (at, _))| lsn > at) && lsn > 0 =>
        {
            format!(
                "the heap with the commit that had begun ({})",
                place(&begun.at)
            )
        }
        (Some((i, (_, line))), _) => format!("the heap after commit {} ({})", i + 1, place(line)),
        (None, _) => "a heap without any commit".to_string(),
    };
    if let Some((_, line)) = next {
        let _ = write!(text, "; the commit at {} is lost", place(line));
    } else if let Some(begun) = begun
        && last.is_some_and(|(_, (at, _))| lsn == at)
    {
        let _ = write!(
            text,
            ", without the one that had begun ({})",
            place(&begun.at)
        );
    }
    text
}

/// The lines of stores outside transactions that no commit up to `lsn` has taken along.
fn lost_stores(notes: &[&Note], lsn: u64) -> Vec<String> {
    let (mut lines, mut committed) = (Vec::new(), 0);
    // Those that come before the commit that is being made.
    let mut before = 0;
    for note in notes {
        match note.what {
            What::Store => {
                let line = place(&note.at);
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
            What::Commit => before = lines.len(),
            What::Committed { lsn: at, .. } => {
                committed = at;
                if at <= lsn {
                    lines.drain(..before);
                }
                before = 0;
            }
            _ => {}
        }
    }
    if lsn > committed {
        lines.drain(..before);
    }
    lines
}

/// The roots of a recovered heap.
fn roots(files: Files) -> Vec<(String, String)> {
    let disk = Arc::new(MemoryDisk::new(files));
    let options = pheap::Options::default();
    let opened = pheap::Heap::open_on(disk, Path::new(HEAP), options);
    let Ok(heap) = opened.and_then(|heap| heap.recover()) else {
        return Vec::new();
    };
    let mut roots: Vec<(String, String)> = heap
        .roots()
        .into_iter()
        .map(|root| {
            let desc = heap.type_desc(root.type_index);
            (
                root.name,
                desc.map_or_else(String::new, |desc| desc.name.clone()),
            )
        })
        .collect();
    roots.sort();
    roots
}

fn complaint(failure: &Failure, notes: &[&Note]) -> String {
    match failure {
        Failure::Heap(what) => format!("pgo itself fails here, which is a defect to report: {what}"),
        Failure::Recovery => {
            "pgo itself fails here, which is a defect to report: a crash during recovery changes the heap".into()
        }
        Failure::Invariant { who, says } => format!("{who} says: {says}"),
        Failure::Lost { needed, .. } => {
            let commit = notes.iter().find_map(|note| match note.what {
                What::Committed { lsn, .. } if lsn == *needed => Some(place(&note.at)),
                _ => None,
            });
            match commit {
                Some(line) => format!("the commit at {line} was acknowledged, and is lost"),
                None => "something was printed that acknowledges a commit, and the commit is lost".into(),
            }
        }
    }
}

/// The line at the end of a run without failures.
pub fn summary(tally: &Tally, (disks, heaps): (usize, usize), seconds: f64) -> String {
    let rate = tally.crashes as f64 / seconds.max(0.001);
    format!(
        "{} crashes ({} of them during recovery), {} different disks, {} different heaps, all hold ({:.1} s, {} a second)",
        grouped(tally.crashes),
        grouped(tally.in_recovery),
        grouped(disks as u64),
        grouped(heaps as u64),
        seconds,
        grouped(rate as u64)
    )
}

/// A number with its thousands apart.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The result for a program to read.
pub fn json(
    script: &str,
    tally: &Tally,
    (disks, heaps): (usize, usize),
    seconds: f64,
    failure: Option<(&Story, &str)>,
) -> String {
    let list = |items: Vec<String>| format!("[{}]", items.join(","));
    let failure = failure.map_or("null".to_string(), |(story, replay)| {
        let steps = story.steps.iter();
        let steps = steps.map(|(at, what)| list(vec![quoted(&place(at)), quoted(what)]));
        let roots = story.roots.iter();
        let roots = roots.map(|(name, value)| list(vec![quoted(name), quoted(value)]));
        format!(
            "{{\"replay\":{},\"complaint\":{},\"crash\":{},\"state\":{},\"steps\":{},\"lost_stores\":{},\
             \"printed\":{},\"roots\":{}}}",
            quoted(replay),
            quoted(&story.complaint),
            quoted(&story.crash),
            quoted(&story.state),
            list(steps.collect()),
            list(story.lost_stores.iter().map(|line| quoted(line)).collect()),
            quoted(&story.printed),
            list(roots.collect()),
        )
    });
    format!(
        "{{\"script\":{},\"crashes\":{},\"in_recovery\":{},\"disks\":{disks},\"heaps\":{heaps},\
         \"lost_after_output\":{},\"seconds\":{seconds:.3},\"failure\":{failure}}}",
        quoted(script),
        tally.crashes,
        tally.in_recovery,
        tally.lost_after_output,
    )
}
