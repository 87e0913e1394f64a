//! Timers, and goroutines that wait for a time, for a wake-up at an address, or for a file descriptor.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::poll::{FdWait, Poller};
use crate::{Vm, signals};

/// So many entries of the heap of times may be void.
const DUE_MIN: usize = 256;

/// What a timer does when its time has come.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// Makes a goroutine ready.
    Wake(usize),
    /// Makes a goroutine ready whose wait for a file descriptor has lasted long enough.
    WakeAtFd {
        goroutine: usize,
        fd: i32,
        for_writing: bool,
    },
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

pub(crate) struct Events {
    started: Instant,
    timers: Vec<Timer>,
    free: Vec<u32>,
    /// Times in nanoseconds, entries of `timers`, their use numbers.
    due: BinaryHeap<Reverse<(u64, u32, u32)>>,
    sleepers: FxHashMap<u64, VecDeque<Sleeper>>,
    /// How many timers are pending.
    pending: usize,
    poller: Poller,
}

impl Events {
    pub fn new() -> Events {
        Events {
            started: Instant::now(),
            timers: Vec::new(),
            free: Vec::new(),
            due: BinaryHeap::new(),
            sleepers: FxHashMap::default(),
            pending: 0,
            poller: Poller::default(),
        }
    }

    /// Nothing but other goroutines can make one ready.
    pub fn is_quiet(&self) -> bool {
        self.due.is_empty() && self.poller.is_empty()
    }

    /// Has waits for descriptors end as well when this one becomes readable, until it is closed.
    pub fn watch(&mut self, fd: i32) -> std::io::Result<()> {
        self.poller.register(fd)
    }

    /// Func values and channels of timers.
    pub fn roots(&self) -> impl Iterator<Item = u64> {
        let pending = self.timers.iter().filter(|timer| timer.is_pending);
        pending.flat_map(|timer| match timer.action {
            Action::Wake(_) | Action::WakeAtFd { .. } => [0, 0],
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
        self.pending += 1;
        if self.due.len() > DUE_MIN && self.due.len() > 2 * self.pending {
            self.drop_void();
        }
        let timer = &self.timers[at as usize];
        u64::from(timer.use_number) << 32 | u64::from(at)
    }

    /// Drops the heap's entries of timers that were stopped.
    fn drop_void(&mut self) {
        let timers = &self.timers;
        self.due.retain(|&Reverse((_, at, use_number))| {
            let timer = &timers[at as usize];
            timer.is_pending && timer.use_number == use_number
        });
    }

    /// Takes a timer out; false if its time had come or it was stopped before.
    fn stop(&mut self, id: u64) -> bool {
        let (at, use_number) = (id as u32, (id >> 32) as u32);
        match self.timers.get_mut(at as usize) {
            Some(timer) if timer.is_pending && timer.use_number == use_number => {
                self.end(at);
                true
            }
            _ => false,
        }
    }

    fn end(&mut self, at: u32) {
        self.timers[at as usize].is_pending = false;
        self.free.push(at);
        self.pending -= 1;
    }

    /// Nothing wakes the goroutine any more.
    pub fn forget(&mut self, forgotten: usize) {
        for at in 0..self.timers.len() {
            let timer = &self.timers[at];
            let wakes = match timer.action {
                Action::Wake(goroutine) | Action::WakeAtFd { goroutine, .. } => {
                    goroutine == forgotten
                }
                Action::Start { .. } => false,
            };
            if timer.is_pending && wakes {
                self.end(at as u32);
            }
        }
        self.sleepers.retain(|_, sleepers| {
            sleepers.retain(|sleeper| sleeper.goroutine != forgotten);
            !sleepers.is_empty()
        });
        self.poller.forget(forgotten);
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
            self.end(at);
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

    /// The running goroutine waits until a file descriptor can be read or written, or a time has come.
    pub(crate) fn wait_for_fd(&mut self, fd: i32, for_writing: bool, until: Option<Instant>) {
        let goroutine = self.g.index;
        let events = &mut self.sched.events;
        let timer = until.map(|until| {
            let left = until.saturating_duration_since(Instant::now());
            let nanos = u64::try_from(left.as_nanos()).unwrap_or(u64::MAX);
            let action = Action::WakeAtFd {
                goroutine,
                fd,
                for_writing,
            };
            events.add(action, nanos, 0)
        });
        let wait = FdWait { goroutine, timer };
        if events.poller.add(fd, for_writing, wait).is_err() {
            // Nothing can tell when it is ready: the operation is tried again.
            self.wake_from_fd(wait);
        }
    }

    fn wake_from_fd(&mut self, wait: FdWait) {
        if let Some(timer) = wait.timer {
            self.sched.events.stop(timer);
        }
        self.ready(wait.goroutine);
        // In the order in which they waited.
        self.sched.queue_next();
    }

    /// Wakes those who wait for a descriptor; they try their operations again.
    pub(crate) fn wake_fd(&mut self, fd: i32, for_writing: bool) {
        for wait in self.sched.events.poller.take(fd, for_writing) {
            self.wake_from_fd(wait);
        }
    }

    /// A descriptor is about to be closed.
    pub(crate) fn forget_fd(&mut self, fd: i32) {
        self.wake_fd(fd, false);
        self.wake_fd(fd, true);
        self.sched.events.poller.remove(fd);
    }

    /// Does what is due, without waiting.
    pub(crate) fn run_due(&mut self) {
        self.wake_durable();
        while let Some(action) = self.sched.events.take_due() {
            match action {
                Action::Wake(goroutine) => self.ready(goroutine),
                Action::WakeAtFd {
                    goroutine,
                    fd,
                    for_writing,
                } => {
                    let poller = &mut self.sched.events.poller;
                    poller.forget_at(fd, for_writing, goroutine);
                    self.ready(goroutine);
                }
                Action::Start { closure, chan } => {
                    let index = self.spawn(closure, None);
                    self.goroutine(index).is_system = chan != 0;
                }
            }
            // In the order of their times.
            self.sched.queue_next();
        }
        if !self.sched.events.poller.is_empty() {
            self.poll_fds(Some(Duration::ZERO));
        }
    }

    fn poll_fds(&mut self, timeout: Option<Duration>) {
        for wait in self.sched.events.poller.wait(timeout) {
            self.wake_from_fd(wait);
        }
    }

    /// No goroutine is ready: sleeps until a timer or a file descriptor makes one so; false if none ever will.
    pub(crate) fn wait_for_events(&mut self) -> bool {
        let first = self.sched.events.first();
        let awaits_flush = !self.sched.awaiting.is_empty();
        if self.sched.events.poller.is_empty() && !self.any_timer_counts() && !awaits_flush {
            return false;
        }
        self.stop_ticker();
        let timeout = first.map(|(when, _)| {
            Duration::from_nanos(when.saturating_sub(self.sched.events.now_nanos()))
        });
        let interrupts = signals::interrupt_descriptor();
        if let Some(fd) = interrupts {
            // Fails when it is registered already.
            let _ = self.sched.events.poller.register(fd);
        }
        let only_time = self.sched.events.poller.is_empty() && !awaits_flush;
        match timeout {
            Some(timeout) if only_time && interrupts.is_none() => {
                std::thread::sleep(timeout);
            }
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
