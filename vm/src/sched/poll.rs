//! Waiting for file descriptors: epoll(7), edge-triggered. A descriptor is registered at its first wait and stays so
//! until it is closed. Whoever waits has found it not ready before, so an edge is still to come.
#![allow(unsafe_code)] // System calls.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use rustc_hash::FxHashMap;

/// Events that one call takes; more wait for the next.
const BATCH: usize = 256;

/// A goroutine that waits, and the timer of its deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FdWait {
    pub goroutine: usize,
    pub timer: Option<u64>,
}

/// Who waits for a registered descriptor.
#[derive(Default)]
struct Waiting {
    readers: Vec<FdWait>,
    writers: Vec<FdWait>,
}

impl Waiting {
    fn list(&mut self, for_writing: bool) -> &mut Vec<FdWait> {
        match for_writing {
            true => &mut self.writers,
            false => &mut self.readers,
        }
    }
}

#[derive(Default)]
pub(crate) struct Poller {
    /// Made at the first wait.
    epoll: Option<OwnedFd>,
    fds: FxHashMap<i32, Waiting>,
    /// Goroutines in all lists.
    waiting: usize,
}

impl Poller {
    /// Does nobody wait?
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Adds a goroutine to those that wait for a descriptor. An error if the system cannot watch it (a regular file,
    /// which is always ready; a limit).
    pub fn add(&mut self, fd: i32, for_writing: bool, wait: FdWait) -> io::Result<()> {
        if !self.fds.contains_key(&fd) {
            self.register(fd)?;
        }
        let waiting = self.fds.entry(fd).or_default();
        waiting.list(for_writing).push(wait);
        self.waiting += 1;
        Ok(())
    }

    /// Has waits end when a descriptor that nobody may wait for becomes ready.
    pub fn register(&mut self, fd: i32) -> io::Result<()> {
        let epoll = match &self.epoll {
            Some(epoll) => epoll.as_raw_fd(),
            None => {
                // SAFETY: a call without pointers; its result is a descriptor of our own unless negative.
                let made = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
                if made < 0 {
                    return Err(io::Error::last_os_error());
                }
                // SAFETY: as above.
                self.epoll = Some(unsafe { OwnedFd::from_raw_fd(made) });
                made
            }
        };
        let flags = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET;
        let mut event = libc::epoll_event {
            events: flags as u32,
            u64: fd as u64,
        };
        // SAFETY: the event lives during the call.
        match unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &mut event) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Takes those out who wait for a descriptor.
    pub fn take(&mut self, fd: i32, for_writing: bool) -> Vec<FdWait> {
        let list = self.fds.get_mut(&fd).map(|w| w.list(for_writing));
        let list = list.map_or(Vec::new(), std::mem::take);
        self.waiting -= list.len();
        list
    }

    /// Nobody waits for a descriptor any more, and it is about to be closed.
    pub fn remove(&mut self, fd: i32) {
        let Some(waiting) = self.fds.remove(&fd) else {
            return;
        };
        assert!(waiting.readers.is_empty() && waiting.writers.is_empty());
        if let Some(epoll) = &self.epoll {
            // SAFETY: removal needs no event; a failure would mean that it is gone already.
            let null = std::ptr::null_mut();
            unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_DEL, fd, null) };
        }
    }

    /// The goroutine waits no more.
    pub fn forget(&mut self, goroutine: usize) {
        for waiting in self.fds.values_mut() {
            for list in [&mut waiting.readers, &mut waiting.writers] {
                let before = list.len();
                list.retain(|wait| wait.goroutine != goroutine);
                self.waiting -= before - list.len();
            }
        }
    }

    /// The goroutine does not wait for this descriptor any more.
    pub fn forget_at(&mut self, fd: i32, for_writing: bool, goroutine: usize) {
        if let Some(waiting) = self.fds.get_mut(&fd) {
            let list = waiting.list(for_writing);
            let before = list.len();
            list.retain(|wait| wait.goroutine != goroutine);
            self.waiting -= before - list.len();
        }
    }

    /// Waits until a registered descriptor has become ready, for ever without a timeout. Gives those who waited for
    /// it; none after the timeout or a signal.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Vec<FdWait> {
        let Some(epoll) = self.epoll.as_ref().map(AsRawFd::as_raw_fd) else {
            return Vec::new();
        };
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; BATCH];
        // SAFETY: the list has that many entries.
        let n =
            unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), BATCH as i32, millis(timeout)) };
        let mut ready = Vec::new();
        for event in &events[..usize::try_from(n).unwrap_or(0)] {
            let (fd, flags) = (event.u64 as i32, event.events);
            let failed = libc::EPOLLERR | libc::EPOLLHUP;
            if flags & (libc::EPOLLIN | libc::EPOLLRDHUP | failed) as u32 != 0 {
                ready.extend(self.take(fd, false));
            }
            if flags & (libc::EPOLLOUT | failed) as u32 != 0 {
                ready.extend(self.take(fd, true));
            }
        }
        ready
    }
}

/// Rounded up, so that what is waited for is due afterwards; -1 for no timeout.
fn millis(timeout: Option<Duration>) -> i32 {
    timeout.map_or(-1, |t| {
        i32::try_from(t.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
    })
}

/// Can a descriptor be read, or written, without blocking, or has it an error?
pub(crate) fn is_ready(fd: i32, for_writing: bool) -> bool {
    let events = match for_writing {
        true => libc::POLLOUT,
        false => libc::POLLIN,
    };
    let mut entry = libc::pollfd {
        fd,
        events,
        revents: 0,
    };
    // SAFETY: one entry.
    unsafe { libc::poll(&mut entry, 1, 0) > 0 }
}
