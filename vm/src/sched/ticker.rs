//! The clock of preemption: a thread that, while goroutines run, poisons the stack limit every few milliseconds.
//! Calls compare with the limit anyway; loops look at it when they jump back.

use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::Vm;

/// How long a goroutine runs while others are ready, as in Go.
const SLICE: Duration = Duration::from_millis(10);

/// What the ticker and the machine share.
#[derive(Default)]
pub(crate) struct Tick {
    /// Where the running goroutine's frames must end; null asks it to stop at its next call or jump back.
    limit: AtomicPtr<u64>,
    /// The machine runs goroutines; else the ticker sleeps.
    busy: AtomicBool,
}

impl Tick {
    /// Does a frame that ends at `end` need a larger stack, or is a switch due?
    #[inline(always)]
    pub fn exceeds(&self, end: *mut u64) -> bool {
        end > self.limit.load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub fn is_due(&self) -> bool {
        self.limit.load(Ordering::Relaxed).is_null()
    }

    /// Sets the limit, which also takes back a request to stop.
    pub fn set_limit(&self, limit: *mut u64) {
        self.limit.store(limit, Ordering::Relaxed);
    }
}

/// The thread, once there is one.
#[derive(Default)]
pub(crate) struct Ticker {
    thread: Option<Thread>,
}

impl Vm {
    /// From now on goroutines share time.
    #[inline]
    pub(crate) fn start_ticker(&mut self) {
        if !self.tick.busy.load(Ordering::Relaxed) {
            self.wake_ticker();
        }
    }

    #[cold]
    fn wake_ticker(&mut self) {
        self.tick.busy.store(true, Ordering::Relaxed);
        match &self.ticker.thread {
            Some(thread) => thread.unpark(),
            None => {
                let tick = Arc::downgrade(&self.tick);
                // Without a thread goroutines still run, each until it blocks.
                let started = thread::Builder::new()
                    .name("ticker".into())
                    .spawn(move || run(&tick));
                self.ticker.thread = started.ok().map(|handle| handle.thread().clone());
            }
        }
    }

    /// The machine waits, or there is one goroutine only: no switches are needed.
    pub(crate) fn stop_ticker(&mut self) {
        self.tick.busy.store(false, Ordering::Relaxed);
    }
}

fn run(tick: &Weak<Tick>) {
    loop {
        thread::sleep(SLICE);
        let Some(tick) = tick.upgrade() else { return };
        if tick.busy.load(Ordering::Relaxed) {
            tick.limit.store(std::ptr::null_mut(), Ordering::Relaxed);
            continue;
        }
        drop(tick);
        thread::park_timeout(Duration::from_secs(60));
    }
}
