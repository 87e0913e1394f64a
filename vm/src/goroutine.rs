//! A goroutine: its stack of slots, deferred functions, panics in flight, open transactions.

use crate::trap::Panic;

/// Where growth ends, as in Go.
pub(crate) const MAX_STACK_BYTES: usize = 1_000_000_000;
const FIRST_SLOTS: usize = 8 << 10;

/// A deferred func value of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defer {
    /// Slot number of the frame's slot 0.
    pub frame: usize,
    pub closure: u64,
    /// Behind the `Defer`: says which function the frame is of.
    pub pc: *const u64,
}

/// An open `txn` block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TxnMark {
    pub frame: usize,
    /// Options as in `TxnBegin`.
    pub options: u16,
}

pub(crate) struct Goroutine {
    pub id: u64,
    /// Slots; frames overlap in it. Nothing points into it, so it may move.
    pub stack: Vec<u64>,
    pub defers: Vec<Defer>,
    pub panics: Vec<Panic>,
    pub txns: Vec<TxnMark>,
}

impl Goroutine {
    pub fn new(id: u64) -> Goroutine {
        Goroutine {
            id,
            stack: vec![0; FIRST_SLOTS],
            defers: Vec::new(),
            panics: Vec::new(),
            txns: Vec::new(),
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
}
