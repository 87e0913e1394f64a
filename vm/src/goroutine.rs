//! A goroutine: its stack of slots, deferred functions, panics in flight, open transactions, what it waits for.

use crate::interp::Pc;
use crate::trap::{Panic, Trap};

/// Where growth ends, as in Go.
pub(crate) const MAX_STACK_BYTES: usize = 1_000_000_000;
/// Slots of the stacks of the first goroutine and of others.
const FIRST_SLOTS: usize = 8 << 10;
pub(crate) const SMALL_SLOTS: usize = 128;

/// A deferred func value of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defer {
    /// Slot number of the frame's slot 0.
    pub frame: usize,
    pub closure: u64,
    /// Behind the `Defer`: says which function the frame is of.
    pub pc: *const u64,
    /// Of a transaction (`Hook`): it runs before the frame's own and cannot recover.
    pub is_hook: bool,
}

/// What `pmem.OnCommit` and `pmem.OnRollback` leave with an open transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hook {
    /// Which of the open transactions it belongs to, from 1; 0: its outcome is known, it is to run.
    pub level: usize,
    pub on_commit: bool,
    pub closure: u64,
    /// Of a `go` statement, at this place: the func value becomes a goroutine.
    pub go: Option<Pc>,
}

/// An open `txn` block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TxnMark {
    pub frame: usize,
    /// Options as in `TxnBegin`.
    pub options: u16,
}

/// What a goroutine does; blocked ones say it in traces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Running,
    /// Ready to run.
    Runnable,
    /// Blocked, with Go's words for it.
    Waiting(&'static str),
    /// Has ended; its place is free after the next switch.
    Dead,
}

pub(crate) struct Goroutine {
    pub id: u64,
    /// Its place in the table of goroutines.
    pub index: usize,
    /// Slots; frames overlap in it. Nothing points into it, so it may move.
    pub stack: Vec<u64>,
    pub defers: Vec<Defer>,
    pub panics: Vec<Panic>,
    pub txns: Vec<TxnMark>,
    pub hooks: Vec<Hook>,
    pub state: State,
    /// While it does not run: where it goes on, behind which instruction word it stopped, and slot 0 of its frame.
    pub resume: Pc,
    pub at: Pc,
    pub frame: usize,
    /// Entries of the channels' queues that it stands in.
    pub waits: Vec<u32>,
    /// The record of the persistent heap that it waits for.
    pub awaits: Option<u64>,
    /// Raised when it goes on (a send whose channel was closed meanwhile).
    pub wake_trap: Option<Trap>,
    /// Sends for a timer; programs do not count it.
    pub is_system: bool,
    /// The `go` statement that started it, and the goroutine that ran the statement.
    pub creator: Option<(Pc, u64)>,
}

impl Goroutine {
    /// The goroutine that runs the program.
    pub fn first() -> Goroutine {
        Goroutine {
            state: State::Running,
            ..Goroutine::new(1, 0, FIRST_SLOTS)
        }
    }

    pub fn new(id: u64, index: usize, slots: usize) -> Goroutine {
        Goroutine {
            id,
            index,
            stack: vec![0; slots],
            defers: Vec::new(),
            panics: Vec::new(),
            txns: Vec::new(),
            hooks: Vec::new(),
            state: State::Runnable,
            resume: std::ptr::null(),
            at: std::ptr::null(),
            frame: 0,
            waits: Vec::new(),
            awaits: None,
            wake_trap: None,
            is_system: false,
            creator: None,
        }
    }

    /// Makes room for `needed` slots; false where Go would give up.
    pub fn grow(&mut self, needed: usize) -> bool {
        if needed * 8 > MAX_STACK_BYTES {
            return false;
        }
        let mut bigger = vec![0; needed.max(self.stack.len() * 2).min(MAX_STACK_BYTES / 8)];
        bigger[..self.stack.len()].copy_from_slice(&self.stack);
        self.stack = bigger;
        true
    }

    /// The innermost transaction, just taken off `txns`, is over. What belongs to a committed inner one goes to
    /// the outer one.
    pub fn settle_hooks(&mut self, committed: bool) {
        let depth = self.txns.len();
        self.hooks.retain_mut(|hook| {
            if hook.level <= depth {
                return true;
            }
            if committed && depth > 0 {
                hook.level = depth;
                return true;
            }
            hook.level = 0;
            hook.on_commit == committed
        });
    }

    /// Takes the next hook to run: none before the outermost transaction is over.
    pub fn next_hook(&mut self) -> Option<Hook> {
        let first = self.txns.is_empty() && self.hooks.first().is_some_and(|hook| hook.level == 0);
        first.then(|| self.hooks.remove(0))
    }
}
