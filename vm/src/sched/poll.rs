//! Waiting for file descriptors: poll(2).
#![allow(unsafe_code)] // The system call.

use std::time::Duration;

/// Waits until one of the descriptors can be read, or written where the flag is set, without blocking, or has an
/// error; for ever without a timeout. Gives the indices of those, ascending; none after the timeout or a signal.
pub(crate) fn wait(fds: &[(i32, bool)], timeout: Option<Duration>) -> Vec<usize> {
    let mut list: Vec<libc::pollfd> = fds
        .iter()
        .map(|&(fd, for_writing)| libc::pollfd {
            fd,
            events: if for_writing {
                libc::POLLOUT
            } else {
                libc::POLLIN
            },
            revents: 0,
        })
        .collect();
    // Rounded up, so that what is waited for is due afterwards.
    let millis = timeout.map_or(-1, |t| {
        i32::try_from(t.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
    });
    // SAFETY: the list has that many entries.
    let n = unsafe { libc::poll(list.as_mut_ptr(), list.len() as libc::nfds_t, millis) };
    if n <= 0 {
        return Vec::new();
    }
    let ready = list.iter().enumerate().filter(|(_, fd)| fd.revents != 0);
    ready.map(|(at, _)| at).collect()
}
