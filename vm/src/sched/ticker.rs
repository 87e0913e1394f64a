//! The clock of preemption: a thread that, while machines run goroutines, asks for a switch every few milliseconds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::{Vm, interp};

/// How long a goroutine runs while others are ready, as in Go.
const SLICE: Duration = Duration::from_millis(10);

/// Machines that want ticks; with none the thread sleeps.
static BUSY: AtomicUsize = AtomicUsize::new(0);
static THREAD: Mutex<Option<Thread>> = Mutex::new(None);

/// The request has been seen: by any machine of the process, there is one for all.
pub(crate) fn acknowledge() {
    interp::ask_for_switch(false);
}

/// A machine's claim on ticks.
#[derive(Default)]
pub(crate) struct Ticker {
    is_on: bool,
}

impl Vm {
    /// From now on goroutines share time.
    #[inline]
    pub(crate) fn start_ticker(&mut self) {
        if !self.ticker.is_on {
            self.ticker.start();
        }
    }

    /// The machine waits, or nothing else can run: no switches are needed.
    pub(crate) fn stop_ticker(&mut self) {
        self.ticker.stop();
    }
}

impl Ticker {
    #[cold]
    fn start(&mut self) {
        self.is_on = true;
        if BUSY.fetch_add(1, Ordering::Relaxed) > 0 {
            return;
        }
        let mut known = THREAD.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(thread) => thread.unpark(),
            None => {
                // Without a thread goroutines still run, each until it blocks.
                let started = thread::Builder::new().name("ticker".into()).spawn(run);
                *known = started.ok().map(|handle| handle.thread().clone());
            }
        }
    }

    fn stop(&mut self) {
        if std::mem::take(&mut self.is_on) {
            BUSY.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run() {
    loop {
        thread::sleep(SLICE);
        if BUSY.load(Ordering::Relaxed) > 0 {
            interp::ask_for_switch(true);
        } else {
            thread::park();
        }
    }
}
