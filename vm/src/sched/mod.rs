//! Goroutines on one OS thread: starting, switching, preempting, waking, ending them.
//!
//! A switch happens inside a handler: it saves where its goroutine goes on, takes the next one and returns that
//! one's place as if it were a jump. Goroutines wait in queues of channels; who completes an operation for a
//! waiting goroutine writes its results into its stack, so a woken one just goes on behind its instruction.
#![allow(unsafe_code)] // Frames of new goroutines; code addresses.

pub(crate) mod api;
pub(crate) mod channel;
pub(crate) mod durable;
pub(crate) mod poll;
pub(crate) mod ticker;
pub(crate) mod timer;

use std::collections::VecDeque;

use crate::goroutine::{Goroutine, SMALL_SLOTS, State};
use crate::interp::{Fp, GO_END_CODE, Next, Pc, WAKE_CODE};
use crate::trap::Trap;
use crate::{Outcome, STACK_SLACK, Vm, signals};

use api::Wait;
use channel::Waiters;
use durable::Awaiting;
use timer::Events;

/// Ended goroutines keep no larger stacks.
const KEPT_SLOTS_MAX: usize = 1024;

/// Packages whose own code is not interrupted.
const ATOMIC_PACKAGES: [&str; 4] = ["sync", "sync/atomic", "context", "time"];

pub(crate) struct Sched {
    /// Goroutines by index; None for the running one. Ended ones wait there for new ones to take their stacks.
    all: Vec<Option<Box<Goroutine>>>,
    /// Indices of ended goroutines.
    free: Vec<usize>,
    run_queue: VecDeque<usize>,
    /// Runs before the queue: the goroutine that was made ready last.
    next: Option<usize>,
    pub waiters: Waiters,
    pub events: Events,
    pub awaiting: Awaiting,
    /// Goroutines that have not ended.
    live: usize,
    last_id: u64,
    /// Goroutines with larger ids were started by the current run.
    pub before_run: u64,
    /// Of the choice among ready cases of a `select`.
    random: u64,
    /// Main has called runtime.Goexit.
    main_ended: bool,
    /// Methods that run to print a panic must not switch.
    pub nested: usize,
}

impl Sched {
    /// With the first goroutine, which runs.
    pub fn new() -> Sched {
        Sched {
            all: vec![None],
            free: Vec::new(),
            run_queue: VecDeque::new(),
            next: None,
            waiters: Waiters::default(),
            events: Events::new(),
            awaiting: Awaiting::default(),
            live: 1,
            last_id: 1,
            before_run: 1,
            random: u64::from(std::process::id()) << 32 | 0x9e37_79b9,
            main_ended: false,
            nested: 0,
        }
    }

    /// The goroutines that do not run.
    pub fn parked(&self) -> impl Iterator<Item = &Goroutine> {
        self.all
            .iter()
            .flatten()
            .map(Box::as_ref)
            .filter(|g| g.state != State::Dead)
    }

    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// A number below `n`.
    pub fn random_below(&mut self, n: u64) -> u64 {
        // xorshift64 (Marsaglia 2003).
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        ((u128::from(self.random) * u128::from(n)) >> 64) as u64
    }

    /// Puts a goroutine where it runs next; the one that was to run next goes to the end of the queue.
    fn push_next(&mut self, index: usize) {
        if let Some(before) = self.next.replace(index) {
            self.run_queue.push_back(before);
        }
    }

    /// What was to run next runs after all others.
    pub fn queue_next(&mut self) {
        if let Some(next) = self.next.take() {
            self.run_queue.push_back(next);
        }
    }

    fn has_ready(&self) -> bool {
        self.next.is_some() || !self.run_queue.is_empty()
    }

    fn take_next(&mut self) -> Option<usize> {
        self.next.take().or_else(|| self.run_queue.pop_front())
    }
}

impl Vm {
    /// Number of the program's goroutines that have not ended.
    pub(crate) fn goroutine_count(&self) -> usize {
        let system = self.sched.parked().filter(|g| g.is_system).count();
        self.sched.live - system
    }

    /// A goroutine by index, running or not.
    pub(crate) fn goroutine(&mut self, index: usize) -> &mut Goroutine {
        if index == self.g.index {
            return &mut self.g;
        }
        self.sched.all[index]
            .as_mut()
            .expect("an index of a goroutine")
    }

    /// Starts a func value without parameters as a goroutine and gives its index; `at` is behind the instruction of
    /// the `go` statement, if one starts it.
    pub(crate) fn spawn(&mut self, closure: u64, at: Option<Pc>) -> usize {
        self.spawn_with(closure, at, &[])
    }

    /// As `spawn`, for a func value whose parameters are these words.
    pub(crate) fn spawn_with(&mut self, closure: u64, at: Option<Pc>, args: &[u64]) -> usize {
        let func = self.deferred_func(closure, false);
        let entry = self.funcs[func as usize];
        let slots = (2 * STACK_SLACK + entry.frame_slots).max(SMALL_SLOTS);
        let index = self.sched.free.pop().unwrap_or_else(|| {
            self.sched.all.push(None);
            self.sched.all.len() - 1
        });
        self.sched.last_id += 1;
        self.sched.live += 1;
        let id = self.sched.last_id;
        let mut g = match self.sched.all[index].take() {
            Some(mut g) => {
                if g.stack.len() < slots {
                    g.stack.resize(slots, 0);
                }
                g.id = id;
                g
            }
            None => Box::new(Goroutine::new(id, index, slots)),
        };
        let frame = STACK_SLACK;
        g.stack[frame - 1] = GO_END_CODE.as_ptr() as u64;
        g.stack[frame - 2] = closure;
        let results = self.types.program.funcs[func as usize].result_slots as usize;
        g.stack[frame + results..frame + results + args.len()].copy_from_slice(args);
        g.state = State::Runnable;
        g.resume = entry.code;
        // SAFETY: code has at least one word.
        g.at = unsafe { entry.code.add(1) };
        g.frame = frame;
        g.creator = at.map(|at| (at, self.g.id));
        g.is_system = false;
        self.sched.all[index] = Some(g);
        self.sched.push_next(index);
        self.start_ticker();
        index
    }

    /// Makes a waiting goroutine ready.
    pub(crate) fn ready(&mut self, index: usize) {
        self.goroutine(index).state = State::Runnable;
        self.sched.push_next(index);
    }

    /// What an operation that would block raises where nothing may block.
    pub(crate) fn blocking_trap(&self) -> Option<Trap> {
        if self.in_txn() {
            return Some(Trap::Message("blocking operation inside txn".into()));
        }
        let nested = self.sched.nested > 0;
        nested.then(|| Trap::Message("blocking operation while a panic is printed".into()))
    }

    /// The running goroutine waits; it stopped behind the instruction word before `pc` and goes on at `resume`.
    pub(crate) fn park(&mut self, pc: Pc, fp: Fp, resume: Pc, reason: &'static str) -> Next {
        self.leave(pc, fp, resume, State::Waiting(reason));
        self.schedule()
    }

    /// A native waits; `pc` is behind its call.
    pub(crate) fn block_native(&mut self, wait: Wait, pc: Pc, fp: Fp) -> Next {
        if let Some(trap) = self.blocking_trap() {
            return self.throw(trap, pc, fp);
        }
        // SAFETY: `pc` is behind an instruction word.
        let again = unsafe { pc.sub(1) };
        match wait {
            Wait::Time(delay) => {
                self.wake_after(delay);
                self.park(pc, fp, pc, "sleep")
            }
            Wait::Key {
                key,
                ticket,
                reason,
            } => {
                self.sleep_at(key, ticket);
                self.park(pc, fp, pc, reason)
            }
            Wait::Durable(lsn) => self.wait_for_durability(lsn, pc, fp),
            Wait::Fd {
                fd,
                for_writing,
                until,
            } => {
                self.wait_for_fd(fd, for_writing, until);
                self.park(pc, fp, again, "IO wait")
            }
        }
    }

    /// Waits for ever.
    pub(crate) fn block_for_ever(&mut self, pc: Pc, fp: Fp, reason: &'static str) -> Next {
        match self.blocking_trap() {
            Some(trap) => self.throw(trap, pc, fp),
            None => self.park(pc, fp, pc, reason),
        }
    }

    fn leave(&mut self, pc: Pc, fp: Fp, resume: Pc, state: State) {
        let frame = self.slot_of(fp);
        let g = &mut *self.g;
        (g.at, g.frame, g.resume, g.state) = (pc, frame, resume, state);
    }

    /// Lets the goroutines that are ready run first (runtime.Gosched, and preemption).
    pub(crate) fn yield_now(&mut self, pc: Pc, fp: Fp, resume: Pc) -> Next {
        self.sched.queue_next();
        if self.sched.run_queue.is_empty() || self.in_txn() || self.sched.nested > 0 {
            return (resume, fp);
        }
        self.leave(pc, fp, resume, State::Runnable);
        self.sched.run_queue.push_back(self.g.index);
        self.schedule()
    }

    /// A switch is due, and the goroutine has come by a jump or a call to the instruction at `pc`.
    #[cold]
    pub(crate) fn preempt(&mut self, pc: Pc, fp: Fp) -> Next {
        // SAFETY: an instruction has at least one word.
        let at = unsafe { pc.add(1) };
        if self.is_atomic(at) {
            return (pc, fp);
        }
        ticker::acknowledge();
        if signals::is_interrupted() {
            return self.interrupt(at, fp, pc);
        }
        if !self.in_txn() && self.sched.nested == 0 {
            self.run_due();
            if self.sched.live == 1 && self.sched.events.is_quiet() {
                self.stop_ticker();
            }
        }
        self.yield_now(at, fp, pc)
    }

    /// Code of library packages that relies on running without interruption between its waits and its calls of
    /// other code.
    fn is_atomic(&self, pc: Pc) -> bool {
        let name = self.func_at(pc).map_or("", |(_, func)| &func.name);
        ATOMIC_PACKAGES.iter().any(|path| {
            name.strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('.'))
        })
    }

    /// The running goroutine has left its state; goes on with the next one that is ready.
    fn schedule(&mut self) -> Next {
        let index = loop {
            if signals::is_interrupted() {
                return self.stop_waiting();
            }
            self.wake_durable();
            if let Some(index) = self.sched.take_next() {
                break index;
            }
            if self.flush_when_idle() {
                continue;
            }
            if !self.wait_for_events() {
                return self.deadlock();
            }
        };
        if index != self.g.index {
            let next = self.sched.all[index]
                .take()
                .expect("ready goroutines are in the table");
            let before = std::mem::replace(&mut self.g, next);
            self.put_away(before);
            self.bind_stack();
        }
        self.g.state = State::Running;
        let resume = match self.g.wake_trap {
            None => self.g.resume,
            Some(_) => WAKE_CODE.as_ptr(),
        };
        (resume, self.frame_at(self.g.frame))
    }

    fn put_away(&mut self, mut g: Box<Goroutine>) {
        let index = g.index;
        if g.state == State::Dead {
            // The first goroutine's place is its own.
            if index != 0 {
                self.sched.free.push(index);
            }
            if g.stack.len() > KEPT_SLOTS_MAX {
                g.stack = Vec::new();
            }
            g.defers.clear();
            g.panics.clear();
            g.hooks.clear();
            g.awaits = None;
        }
        self.sched.all[index] = Some(g);
    }

    /// The user wants the run to end. A goroutine of an earlier run that is at work, outside a transaction, goes on
    /// with the next one.
    #[cold]
    fn interrupt(&mut self, pc: Pc, fp: Fp, resume: Pc) -> Next {
        let is_older = self.g.index != 0 && self.g.id <= self.sched.before_run;
        if is_older && !self.in_txn() && self.sched.nested == 0 {
            self.leave(pc, fp, resume, State::Runnable);
            self.sched.run_queue.push_back(self.g.index);
            return self.stop_waiting();
        }
        self.abandon();
        self.stop(Outcome::Interrupted)
    }

    /// As `interrupt`, when the running goroutine has left its state.
    #[cold]
    fn stop_waiting(&mut self) -> Next {
        self.return_to_first();
        self.bind_stack();
        self.abandon();
        self.stop(Outcome::Interrupted)
    }

    /// Ends the goroutines that the last run started.
    pub(crate) fn drop_goroutines_of_run(&mut self) {
        let before = self.sched.before_run;
        let new = self
            .sched
            .parked()
            .filter(|g| g.id > before && g.index != 0);
        for index in new.map(|g| g.index).collect::<Vec<_>>() {
            self.drop_goroutine(index);
            if let Some(g) = self.sched.all[index].take() {
                self.put_away(g);
            }
        }
    }

    /// Nothing is left that could wake anyone.
    #[cold]
    fn deadlock(&mut self) -> Next {
        let text = if self.sched.live == 0 && self.sched.main_ended {
            "no goroutines (main called runtime.Goexit) - deadlock!"
        } else {
            "all goroutines are asleep - deadlock!"
        };
        self.report_deadlock(text);
        // Whichever ran last is not to blame: it stays for a session's next chunk.
        if !self.sched.main_ended {
            self.return_to_first();
            self.bind_stack();
        }
        self.abandon();
        self.stop(Outcome::Panicked)
    }

    /// The running goroutine has ended.
    pub(crate) fn end_goroutine(&mut self) -> Next {
        self.g.state = State::Dead;
        self.sched.live -= 1;
        self.sched.main_ended |= self.g.index == 0;
        self.schedule()
    }

    /// After a run: the first goroutine is the running one again, anew if the run did not end by itself. Others go
    /// on with a session's next chunk, but for one whose panic has ended the run.
    pub(crate) fn settle_goroutines(&mut self, ended: bool) {
        if ended && self.g.index == 0 {
            return;
        }
        if self.g.index != 0 {
            let failed = self.g.index;
            self.drop_goroutine(failed);
            self.return_to_first();
        }
        self.forget(0);
        if self.g.state == State::Dead {
            self.sched.live += 1;
            self.sched.main_ended = false;
        }
        *self.g = Goroutine::first();
        self.bind_stack();
    }

    /// Makes the first goroutine, which does not run, the running one.
    fn return_to_first(&mut self) {
        if self.g.index != 0 {
            let first = self.sched.all[0].take().expect("the first goroutine waits");
            let before = std::mem::replace(&mut self.g, first);
            self.put_away(before);
        }
    }

    /// Ends all goroutines but the first.
    pub(crate) fn drop_other_goroutines(&mut self) {
        let others: Vec<usize> = self.sched.parked().map(|g| g.index).collect();
        for index in others {
            self.drop_goroutine(index);
            if let Some(g) = self.sched.all[index].take() {
                self.put_away(g);
            }
        }
    }

    fn drop_goroutine(&mut self, index: usize) {
        self.forget(index);
        let g = self.goroutine(index);
        if g.state != State::Dead {
            g.state = State::Dead;
            self.sched.live -= 1;
        }
    }

    /// Takes a goroutine out of all queues.
    fn forget(&mut self, index: usize) {
        self.leave_channels(index);
        self.sched.events.forget(index);
        self.sched.awaiting.forget(index);
        self.sched.run_queue.retain(|&ready| ready != index);
        if self.sched.next == Some(index) {
            self.sched.next = None;
        }
    }
}

/// A goroutine's function has returned.
pub(crate) fn go_end(vm: &mut Vm, _: Fp) -> Next {
    vm.end_goroutine()
}

/// A woken goroutine panics instead of going on.
pub(crate) fn wake(vm: &mut Vm, _: Fp) -> Next {
    let trap = vm.g.wake_trap.take().expect("a goroutine woken to panic");
    let (at, frame) = (vm.g.at, vm.g.frame);
    vm.throw(trap, at, vm.frame_at(frame))
}

impl Vm {
    /// The func value of a `go` statement; inside a transaction it waits for the commit.
    pub(crate) fn go(&mut self, closure: u64, pc: Pc) {
        let level = self.g.txns.len();
        if level == 0 {
            self.spawn(closure, Some(pc));
            return;
        }
        let hook = crate::goroutine::Hook {
            level,
            on_commit: true,
            closure,
            go: Some(pc),
        };
        self.g.hooks.push(hook);
    }

    /// Takes the next func value that waited for a transaction's outcome; `go` statements' are started on the way.
    pub(crate) fn next_hook(&mut self) -> Option<u64> {
        loop {
            let hook = self.g.next_hook()?;
            match hook.go {
                at @ Some(_) => {
                    self.spawn(hook.closure, at);
                }
                None => return Some(hook.closure),
            }
        }
    }
}
