//! Goroutines that wait until a commit is durable: others run meanwhile, and one flush serves all that have come by
//! then. With nothing else to do the machine flushes by itself, else the heap's thread does.

use std::collections::VecDeque;
use std::io::Read;
use std::os::unix::net::UnixStream;

use crate::Vm;
use crate::interp::{Fp, Next, Pc};

/// Who waits for which record, in order of the records.
#[derive(Default)]
pub(crate) struct Awaiting(VecDeque<(u64, usize)>);

impl Awaiting {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn forget(&mut self, goroutine: usize) {
        self.0.retain(|wait| wait.1 != goroutine);
    }
}

/// Two ends of a line: the heap's thread writes to one after a flush, the machine waits at the other.
pub(crate) fn line() -> std::io::Result<(UnixStream, UnixStream)> {
    let (here, there) = UnixStream::pair()?;
    here.set_nonblocking(true)?;
    there.set_nonblocking(true)?;
    Ok((here, there))
}

impl Vm {
    /// Whether others can run while the running goroutine waits for a flush.
    pub(crate) fn can_share_flush(&self) -> bool {
        // A run on a simulated disk is the same each time.
        self.sched.live > 1 && self.sched.nested == 0 && self.options.world.is_none()
    }

    /// The running goroutine waits for the record, and goes on with the instruction before `pc`, again.
    pub(crate) fn wait_for_durability(&mut self, lsn: u64, pc: Pc, fp: Fp) -> Next {
        self.g.awaits = Some(lsn);
        self.sched.awaiting.0.push_back((lsn, self.g.index));
        if self.sched.has_ready() {
            self.request_flush(false);
        }
        self.park(pc, fp, pc.wrapping_sub(1), "commit")
    }

    /// What the running goroutine was woken for: its record is durable, or will never be. None if it did not wait.
    pub(crate) fn awaited(&mut self) -> Option<Result<(), String>> {
        let lsn = self.g.awaits.take()?;
        Some(self.is_durable(lsn).map(|_| ()))
    }

    /// Makes those ready whose records are durable, or will never be.
    #[inline]
    pub(super) fn wake_durable(&mut self) {
        while let Some(&(lsn, index)) = self.sched.awaiting.0.front() {
            if self.is_durable(lsn) == Ok(false) {
                return;
            }
            self.sched.awaiting.0.pop_front();
            self.ready(index);
            // In the order of their commits.
            self.sched.queue_next();
        }
    }

    /// No goroutine is ready: has what some wait for flushed. True if that is done.
    pub(super) fn flush_when_idle(&mut self) -> bool {
        if self.sched.awaiting.is_empty() {
            return false;
        }
        let line = match self.sched.events.is_quiet() {
            true => None,
            false => self.flush_line(),
        };
        let Some(mut line) = line else {
            self.flush_heap();
            return true;
        };
        // What was told up to now is forgotten, and then looked at; what is left to be read makes a wait end early,
        // which is harmless.
        let _ = line.read(&mut [0; 64]);
        self.wake_durable();
        if self.sched.has_ready() {
            return true;
        }
        self.request_flush(true);
        false
    }
}
