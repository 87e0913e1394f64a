//! What natives do with goroutines: wait, wake others, start timers. Part of the native API (`vm::native`).
#![allow(unsafe_code)] // Words that pointer arguments refer to.

use std::time::{Duration, Instant};

use crate::native::{Ctx, NativeError};
use crate::raw;

/// Why a native's goroutine is to wait. The native returns `Err(NativeError::Block(…))` before it has written results;
/// other goroutines run meanwhile. In a transaction that is a panic instead.
#[derive(Clone, Copy, Debug)]
pub enum Wait {
    /// For a time; the call returns then, without results.
    Time(Duration),
    /// Until `Ctx::wake` is called with this key (the address of the object that is waited for); the call returns
    /// then, without results. The ticket is for `Ctx::wake_ticket`; the text describes the wait in traces.
    Key {
        key: u64,
        ticket: u64,
        reason: &'static str,
    },
    /// Until a record of the persistent heap is durable; the call is made again then.
    Durable(u64),
    /// Until the descriptor, which was found not to be ready, can be read or written, or the time has come; the call is
    /// made again then, with the same arguments.
    Fd {
        fd: i32,
        for_writing: bool,
        until: Option<Instant>,
    },
}

/// Goroutines.
impl Ctx<'_> {
    /// Is the calling goroutine the only thing that can run, so that it may as well block the process?
    pub fn is_alone(&self) -> bool {
        let can_run_alone = self.vm.goroutine_count() == 1 && self.vm.sched.events.is_quiet();
        // What waits in a system call cannot be told to stop.
        can_run_alone && crate::signals::interrupt_descriptor().is_none()
    }
    /// Can a descriptor be read, or written, without blocking?
    pub fn is_ready(&self, fd: i32, for_writing: bool) -> bool {
        super::poll::is_ready(fd, for_writing)
    }
    /// Wakes those who wait for a descriptor: what they wait for has changed.
    pub fn wake_fd(&mut self, fd: i32, for_writing: bool) {
        self.vm.wake_fd(fd, for_writing);
    }
    /// To be called before a descriptor is closed that somebody may have waited for.
    pub fn forget_fd(&mut self, fd: i32) {
        self.vm.forget_fd(fd);
    }
    /// Wakes the goroutine that has waited longest with this key; false if none does.
    pub fn wake(&mut self, key: u64) -> bool {
        self.vm.wake_one_at(key, None)
    }
    /// Wakes the goroutine that waits with this key and ticket.
    pub fn wake_ticket(&mut self, key: u64, ticket: u64) -> bool {
        self.vm.wake_one_at(key, Some(ticket))
    }
    /// Number of goroutines that wait with this key.
    pub fn waiting(&self, key: u64) -> usize {
        self.vm.sleepers_at(key)
    }
    /// Starts a timer: after `delay` nanoseconds, then every `period` if that is not 0, the func value runs as a
    /// goroutine. `chan`: the channel it sends to, if the timer is of no use but to receivers there; else 0. Gives
    /// what `stop_timer` takes.
    pub fn start_timer(&mut self, closure: u64, chan: u64, delay: u64, period: u64) -> u64 {
        self.vm.start_timer(closure, chan, delay, period)
    }
    /// Stops a timer; false if its time had come or it was stopped before.
    pub fn stop_timer(&mut self, id: u64) -> bool {
        self.vm.stop_timer(id)
    }
    /// A channel of a timer: it looks unbuffered to the program.
    pub fn hide_buffer(&mut self, chan: u64) {
        self.vm.chan_hide_buffer(chan);
    }

    /// The words of a lock, at a pointer argument: the first one is `Ctx::session` while the others count. Those of
    /// another session, left in a heap file, read as zero.
    pub fn lock_words<const N: usize>(&self, at: u64) -> Result<[u64; N], NativeError> {
        if at < crate::interp::memory::NIL_PAGE {
            return Err(NativeError::NilDeref);
        }
        // SAFETY: the caller's argument points to a variable of N + 1 words.
        let words: &[u64] = unsafe { raw::typed(at, N as u64 + 1) };
        Ok(match words[0] == self.vm.session {
            true => std::array::from_fn(|n| words[n + 1]),
            false => [0; N],
        })
    }
    /// Writes the words of a lock. The state of a lock is no data: in the persistent heap it is neither logged nor
    /// noted, and a rollback leaves it as it is.
    pub fn set_lock_words<const N: usize>(&mut self, at: u64, words: [u64; N]) {
        let session = self.vm.session;
        self.vm.will_store_state(at, N as u64 + 1);
        // SAFETY: as in `lock_words`, which has checked the address.
        let to: &mut [u64] = unsafe { raw::typed_mut(at, N as u64 + 1) };
        to[0] = session;
        to[1..].copy_from_slice(&words);
    }
}
