//! What a crash left: opens it as a restart would, has the whole heap checked, and asks the script's invariant. The same
//! recovered heap is judged once.
use super::record::{HEAP, Listener, heap_choice};
use lang::bytecode::program::Program;
use pheap::disk::crash::{Files, hash_bytes};
use pheap::disk::{Event, MemoryDisk, SimulatedDisk};
use pheap::{Heap, Unrecovered};
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use vm::{Options, Outcome, Streams, Vm, World};

/// What is asked of each recovered heap.
pub struct Questions {
    /// The program that checks the invariant: it fails when it ends with another status than 0.
    pub invariant: Program,
    /// What the failure is called: `Invariant`, or the checker's name.
    pub name: String,
    pub options: Options,
    /// What the script had printed is the last argument (of an invariant).
    pub printed_is_argument: bool,
    /// What the script had printed is standard input (of a checker).
    pub printed_is_input: bool,
    /// The script itself, to be run again on each recovered heap.
    pub restart: Option<(Rc<Program>, Options)>,
}

impl Questions {
    fn depends_on_printed(&self) -> bool {
        self.printed_is_argument || self.printed_is_input
    }
}

/// A heap that was recovered: its number, and the last record that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    pub heap: usize,
    pub lsn: u64,
}

/// Why a recovered heap is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It cannot be opened, or the heap checker found something: a defect of pgo itself.
    Heap(String),
    /// Who complains, and what it says.
    Invariant { who: String, says: String },
    /// Commits are missing that were acknowledged: the last record needed and the last there is.
    Lost { needed: u64, found: u64 },
    /// A crash during recovery leads to another heap.
    Recovery,
}

pub struct Judge {
    questions: Questions,
    by_disk: HashMap<u64, Result<Recovered, Failure>>,
    by_content: HashMap<u64, usize>,
    /// By heap, and length of what was printed if that matters.
    verdicts: HashMap<(usize, usize), Result<(), Failure>>,
}

impl Judge {
    pub fn new(questions: Questions) -> Judge {
        Judge {
            questions,
            by_disk: HashMap::new(),
            by_content: HashMap::new(),
            verdicts: HashMap::new(),
        }
    }

    /// Whether it matters what was printed.
    pub fn depends_on_printed(&self) -> bool {
        self.questions.depends_on_printed()
    }

    /// Distinct disks, and distinct heaps, so far.
    pub fn distinct(&self) -> (usize, usize) {
        (self.by_disk.len(), self.by_content.len())
    }

    /// Judges a disk by its hash; `files` is called if it is new.
    pub fn judge(
        &mut self,
        hash: u64,
        printed: &[u8],
        files: &mut dyn FnMut() -> Files,
    ) -> Result<Recovered, Failure> {
        let known = self.recover(hash, files)?;
        let len = match self.depends_on_printed() {
            true => printed.len(),
            false => 0,
        };
        if let Some(verdict) = self.verdicts.get(&(known.heap, len)) {
            return verdict.clone().map(|()| known);
        }
        let verdict = self.ask(recovered(files())?.1, printed);
        self.verdicts.insert((known.heap, len), verdict.clone());
        verdict.map(|()| known)
    }

    /// Recovers the heap on a disk.
    pub fn recover(
        &mut self,
        hash: u64,
        files: &mut dyn FnMut() -> Files,
    ) -> Result<Recovered, Failure> {
        if let Some(known) = self.by_disk.get(&hash) {
            return known.clone();
        }
        let found = recovered(files()).map(|(lsn, files)| {
            let next = self.by_content.len();
            let heap = *self.by_content.entry(content(&files)).or_insert(next);
            Recovered { heap, lsn }
        });
        self.by_disk.insert(hash, found.clone());
        found
    }

    fn ask(&self, files: Files, printed: &[u8]) -> Result<(), Failure> {
        let checked = guarded(|| {
            let disk = Arc::new(MemoryDisk::new(files.clone()));
            let mut heap = open(disk)?.recover().map_err(|error| error.to_string())?;
            let report = heap.check().map_err(|error| error.to_string())?;
            match report.problems.first() {
                None => Ok(()),
                Some(problem) => Err(format!("the heap checker found: {problem:?}")),
            }
        });
        checked.map_err(Failure::Heap)?;
        let q = &self.questions;
        let (says, _) = run(&q.invariant, &q.options, files.clone(), printed, q);
        failed(&q.name, says)?;
        if let Some((program, options)) = &q.restart {
            let (says, files) = run(program, options, files, &[], q);
            failed("the restarted script", says)?;
            let (says, _) = run(&q.invariant, &q.options, files, printed, q);
            failed(&format!("{}, after the restart,", q.name), says)?;
        }
        Ok(())
    }

    /// What the recovery of a disk does to it.
    pub fn recovery_events(files: &Files) -> Vec<Event> {
        let disk = SimulatedDisk::new(files.clone());
        // An error has shown when the disk was judged.
        let _ = guarded(|| {
            let heap = open(Arc::new(disk.clone()))?.recover();
            drop(heap.map_err(|error| error.to_string())?);
            Ok(())
        });
        disk.events()
    }
}

fn failed(who: &str, says: Option<String>) -> Result<(), Failure> {
    match says {
        None => Ok(()),
        Some(says) => Err(Failure::Invariant {
            who: who.to_string(),
            says,
        }),
    }
}

/// Runs a program on a disk: what it says if it fails, and the disk afterwards.
fn run(
    program: &Program,
    options: &Options,
    files: Files,
    printed: &[u8],
    questions: &Questions,
) -> (Option<String>, Files) {
    let disk = MemoryDisk::new(files);
    let listener = Arc::new(Listener::default());
    let input = match questions.printed_is_input {
        true => VecDeque::from(printed.to_vec()),
        false => VecDeque::new(),
    };
    let mut options = Options {
        heap: heap_choice(),
        world: Some(World {
            disk: Arc::new(disk.clone()),
            witness: listener.clone(),
        }),
        streams: Streams {
            stdin: Some(Arc::new(Mutex::new(input))),
            ..Streams::default()
        },
        ..options.clone()
    };
    if questions.printed_is_argument {
        options
            .args
            .push(String::from_utf8_lossy(printed).into_owned());
    }
    let mut vm = Vm::new(options, stdlib::natives());
    vm.load(program);
    let outcome = vm.run(program.entry);
    let closed = vm.close();
    let says = match (outcome, closed) {
        (Outcome::Done | Outcome::Exit(0), Ok(())) => None,
        (Outcome::Done | Outcome::Exit(0), Err(error)) => Some(error.to_string()),
        (outcome, _) => Some(complaint(&listener.heard(), outcome)),
    };
    (says, disk.files())
}

/// What a failed program says: its panic without the trace, else all that it printed.
fn complaint((out, err): &(Vec<u8>, Vec<u8>), outcome: Outcome) -> String {
    let text = String::from_utf8_lossy(err);
    let said = text.split("\n\ngoroutine ").next().unwrap_or_default();
    let said = said.strip_prefix("panic: ").unwrap_or(said).trim_end();
    if !said.is_empty() {
        return said.replace("\n\t", "\n");
    }
    match String::from_utf8_lossy(out).trim_end() {
        "" => format!("exit status {}", outcome.status()),
        said => said.to_string(),
    }
}

fn open(disk: Arc<dyn pheap::disk::Disk>) -> Result<Unrecovered, String> {
    Heap::open_on(disk, Path::new(HEAP), pheap::Options::default())
        .map_err(|error| error.to_string())
}

/// Recovers the heap on a disk: its last record, and the disk afterwards.
pub fn recovered(files: Files) -> Result<(u64, Files), Failure> {
    guarded(|| {
        let disk = MemoryDisk::new(files);
        let heap = open(Arc::new(disk.clone()))?.recover();
        let heap = heap.map_err(|error| error.to_string())?;
        let lsn = heap.stats().last_lsn;
        drop(heap);
        Ok((lsn, disk.files()))
    })
    .map_err(Failure::Heap)
}

/// What a recovered heap holds: its file but for the superblocks, which count recoveries.
fn content(files: &Files) -> u64 {
    const SUPERBLOCKS: usize = 8192;
    let file = files.get(Path::new(HEAP)).map(Vec::as_slice);
    file.and_then(|file| file.get(SUPERBLOCKS..))
        .map_or(0, |rest| hash_bytes(0, rest))
}

/// A panic of the heap is its error.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("the heap panicked when it was opened".into()))
}
