//! Timers, and goroutines that wait for a time, for a wake-up at an address, or for a file descriptor.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::poll;
use crate::Vm;

/// What a timer does when its time has come.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// Makes a goroutine ready.
    Wake(usize),
    /// Starts a func value as a goroutine. With a channel, nothing but receivers at it wait for the timer.
    Start { closure: u64, chan: u64 },
}

#[derive(Clone, Copy, Debug)]
struct Timer {
    action: Action,
    period_nanos: u64,
    /// Tells uses of one entry apart; entries of the heap with another one are void.
    use_number: u32,
    is_pending: bool,
}

/// A goroutine that waits at an address, by number where the order matters to the waker.
#[derive(Clone, Copy, Debug)]
struct Sleeper {
    goroutine: usize,
    ticket: u64,
}

/// A goroutine that waits for a file descriptor.
#[derive(Clone, Copy, Debug)]
struct FdWait {
    goroutine: usize,
    fd: i32,
    for_writing: bool,
}

pub(crate) struct Events {
    started: Instant,
    timers: Vec<Timer>,
    free: Vec<u32>,
    /// Times in nanoseconds, entries of `timers`, their use numbers.
    due: BinaryHeap<Reverse<(u64, u32, u32)>>,
    sleepers: FxHashMap<u64, VecDeque<Sleeper>>,
    fds: Vec<FdWait>,
}

impl Events {
    pub fn new() -> Events {
        Events {
            started: Instant::now(),
            timers: Vec::new(),
            free: Vec::new(),
            due: BinaryHeap::new(),
            sleepers: FxHashMap::default(),
            fds: Vec::new(),
        }
    }

    /// Nothing but other goroutines can make one ready.
    pub fn is_quiet(&self) -> bool {
        self.due.is_empty() && self.fds.is_empty()
    }

    /// Func values and channels of timers.
    pub fn roots(&self) -> impl Iterator<Item = u64> {
        let pending = self.timers.iter().filter(|timer| timer.is_pending);
        pending.flat_map(|timer| match timer.action {
            Action::Wake(_) => [0, 0],
            Action::Start { closure, chan } => [closure, chan],
        })
    }

    fn now_nanos(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    fn add(&mut self, action: Action, delay_nanos: u64, period_nanos: u64) -> u64 {
        let when = self.now_nanos().saturating_add(delay_nanos);
        let at = self.free.pop().unwrap_or_else(|| {
            self.timers.push(Timer {
                action,
                period_nanos: 0,
                use_number: 0,
                is_pending: false,
            });
            self.timers.len() as u32 - 1
        });
        let timer = &mut self.timers[at as usize];
        timer.use_number += 1;
        *timer = Timer {
            action,
            period_nanos,
            is_pending: true,
            ..*timer
        };
        self.due.push(Reverse((when, at, timer.use_number)));
        u64::from(timer.use_number) << 32 | u64::from(at)
    }

    /// Takes a timer out; false if its time had come or it was stopped before.
    fn stop(&mut self, id: u64) -> bool {
        let (at, use_number) = (id as u32, (id >> 32) as u32);
        match self.timers.get_mut(at as usize) {
            Some(timer) if timer.is_pending && timer.use_number == use_number => {
                timer.is_pending = false;
                self.free.push(at);
                true
            }
            _ => false,
        }
    }

    /// Nothing wakes the goroutine any more.
    pub fn forget(&mut self, goroutine: usize) {
        for (at, timer) in self.timers.iter_mut().enumerate() {
            if timer.is_pending && matches!(timer.action, Action::Wake(index) if index == goroutine)
            {
                timer.is_pending = false;
                self.free.push(at as u32);
            }
        }
        self.sleepers.retain(|_, sleepers| {
            sleepers.retain(|sleeper| sleeper.goroutine != goroutine);
            !sleepers.is_empty()
        });
        self.fds.retain(|wait| wait.goroutine != goroutine);
    }

    /// The earliest pending timer.
    fn first(&mut self) -> Option<(u64, u32)> {
        while let Some(&Reverse((when, at, use_number))) = self.due.peek() {
            let timer = &self.timers[at as usize];
            if timer.is_pending && timer.use_number == use_number {
                return Some((when, at));
            }
            self.due.pop();
        }
        None
    }

    fn take_due(&mut self) -> Option<Action> {
        let (when, at) = self.first()?;
        let now = self.now_nanos();
        if when > now {
            return None;
        }
        self.due.pop();
        let timer = &mut self.timers[at as usize];
        if timer.period_nanos > 0 {
            // Ticks that were missed are left out.
            let next = when + timer.period_nanos * (1 + (now - when) / timer.period_nanos);
            self.due.push(Reverse((next, at, timer.use_number)));
        } else {
            timer.is_pending = false;
            self.free.push(at);
        }
        Some(self.timers[at as usize].action)
    }
}

impl Vm {
    /// Starts a timer that makes goroutines of a func value.
    pub(crate) fn start_timer(&mut self, closure: u64, chan: u64, delay: u64, period: u64) -> u64 {
        let id = self
            .sched
            .events
            .add(Action::Start { closure, chan }, delay, period);
        self.start_ticker();
        id
    }

    pub(crate) fn stop_timer(&mut self, id: u64) -> bool {
        self.sched.events.stop(id)
    }

    /// The running goroutine becomes ready after a delay.
    pub(crate) fn wake_after(&mut self, delay: Duration) {
        let nanos = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        let index = self.g.index;
        self.sched.events.add(Action::Wake(index), nanos, 0);
    }

    /// The running goroutine waits for a wake-up at `key`.
    pub(crate) fn sleep_at(&mut self, key: u64, ticket: u64) {
        let goroutine = self.g.index;
        let sleepers = self.sched.events.sleepers.entry(key).or_default();
        sleepers.push_back(Sleeper { goroutine, ticket });
    }

    /// Number of goroutines that wait at `key`.
    pub(crate) fn sleepers_at(&self, key: u64) -> usize {
        self.sched
            .events
            .sleepers
            .get(&key)
            .map_or(0, VecDeque::len)
    }

    /// Wakes the goroutine that has waited longest at `key`, or the one with the ticket; false if there is none.
    pub(crate) fn wake_one_at(&mut self, key: u64, ticket: Option<u64>) -> bool {
        let Some(sleepers) = self.sched.events.sleepers.get_mut(&key) else {
            return false;
        };
        let at = match ticket {
            None => Some(0),
            Some(ticket) => sleepers.iter().position(|sleeper| sleeper.ticket == ticket),
        };
        let Some(sleeper) = at.and_then(|at| sleepers.remove(at)) else {
            return false;
        };
        if sleepers.is_empty() {
            self.sched.events.sleepers.remove(&key);
        }
        self.ready(sleeper.goroutine);
        true
    }

    /// The running goroutine waits until a file descriptor can be read or written.
    pub(crate) fn wait_for_fd(&mut self, fd: i32, for_writing: bool) {
        let goroutine = self.g.index;
        self.sched.events.fds.push(FdWait {
            goroutine,
            fd,
            for_writing,
        });
    }

    /// Does what is due, without waiting.
    pub(crate) fn run_due(&mut self) {
        while let Some(action) = self.sched.events.take_due() {
            match action {
                Action::Wake(goroutine) => self.ready(goroutine),
                Action::Start { closure, chan } => {
                    let index = self.spawn(closure, None);
                    self.goroutine(index).is_system = chan != 0;
                }
            }
            // In the order of their times.
            self.sched.queue_next();
        }
        if !self.sched.events.fds.is_empty() {
            self.poll_fds(Some(Duration::ZERO));
        }
    }

    fn poll_fds(&mut self, timeout: Option<Duration>) {
        let fds: Vec<_> = self
            .sched
            .events
            .fds
            .iter()
            .map(|wait| (wait.fd, wait.for_writing))
            .collect();
        let ready = poll::wait(&fds, timeout);
        for at in ready.into_iter().rev() {
            let wait = self.sched.events.fds.remove(at);
            self.ready(wait.goroutine);
        }
    }

    /// No goroutine is ready: sleeps until a timer or a file descriptor makes one so; false if none ever will.
    pub(crate) fn wait_for_events(&mut self) -> bool {
        let first = self.sched.events.first();
        if self.sched.events.fds.is_empty() && !self.any_timer_counts() {
            return false;
        }
        self.stop_ticker();
        let timeout = first.map(|(when, _)| {
            Duration::from_nanos(when.saturating_sub(self.sched.events.now_nanos()))
        });
        match timeout {
            Some(timeout) if self.sched.events.fds.is_empty() => std::thread::sleep(timeout),
            timeout => self.poll_fds(timeout),
        }
        self.run_due();
        self.start_ticker();
        true
    }

    /// A timer of a channel at which nobody receives makes no goroutine ready.
    fn any_timer_counts(&self) -> bool {
        let mut pending = self
            .sched
            .events
            .timers
            .iter()
            .filter(|timer| timer.is_pending);
        pending.any(|timer| match timer.action {
            Action::Start { chan, .. } if chan != 0 => self.chan_has_receiver(chan),
            _ => true,
        })
    }
}
