//! Signals of the process that the program wants to hear of: a handler notes them and makes a descriptor readable.
#![allow(unsafe_code)] // System calls, and a handler that they run.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

/// What a signal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// What the system does by itself.
    Default,
    Ignore,
    /// The program hears of it.
    Catch,
}

/// Bit n: signal n has come.
static PENDING: AtomicU64 = AtomicU64::new(0);
/// An eventfd that is readable after a signal; 0 before the first use.
static EVENT: AtomicI32 = AtomicI32::new(0);

/// Signals that faults raise in the thread that runs: returning from a handler would meet the fault again.
const FAULTS: [i32; 5] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
];

fn is_known(signal: i32) -> bool {
    (1..64).contains(&signal)
}

extern "C" fn note(signal: i32) {
    PENDING.fetch_or(1 << signal, Ordering::SeqCst);
    let one = 1u64;
    // SAFETY: write is async-signal-safe and reads eight bytes; errno is put back, since the handler may run between
    // a failed call and the look at its cause.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(EVENT.load(Ordering::SeqCst), (&raw const one).cast(), 8);
        *libc::__errno_location() = errno;
    }
}

/// The descriptor that becomes readable when a caught signal comes; None if the system has no more.
pub fn descriptor() -> Option<i32> {
    let fd = EVENT.load(Ordering::SeqCst);
    if fd > 0 {
        return Some(fd);
    }
    // SAFETY: no pointers.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if fd <= 0 {
        return None;
    }
    EVENT.store(fd, Ordering::SeqCst);
    Some(fd)
}

/// SIGINT has come since the run began.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// An eventfd that is readable then; 0 unless SIGINT ends runs.
static INTERRUPT_EVENT: AtomicI32 = AtomicI32::new(0);

extern "C" fn interrupt(_: i32) {
    INTERRUPTED.store(true, Ordering::SeqCst);
    // An atomic store.
    crate::interp::ask_for_switch(true);
    let one = 1u64;
    let event = INTERRUPT_EVENT.load(Ordering::SeqCst);
    // SAFETY: as in `note`.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(event, (&raw const one).cast(), 8);
        *libc::__errno_location() = errno;
    }
}

/// From now on SIGINT ends the running input (`Outcome::Interrupted`) instead of the process, unless the program has
/// asked to hear of it. To be called before each run, as programs can change what it does. That the process was started
/// with SIGINT ignored, as shells do for what they put into the background, does not count at a terminal.
pub fn interrupt_runs() {
    // SAFETY: as in `set` and `descriptor`. Without SA_RESTART, so that a blocking read ends too.
    unsafe {
        if INTERRUPT_EVENT.load(Ordering::SeqCst) == 0 {
            let fd = libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK);
            INTERRUPT_EVENT.store(fd, Ordering::SeqCst);
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGINT, std::ptr::null(), &mut action);
        if matches!(action.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) {
            action.sa_flags = libc::SA_ONSTACK;
            action.sa_sigaction = interrupt as extern "C" fn(i32) as libc::sighandler_t;
            libc::sigaction(libc::SIGINT, &action, std::ptr::null_mut());
        }
    }
}

/// The descriptor that becomes readable when the run is to end; None if nothing asks for that.
pub(crate) fn interrupt_descriptor() -> Option<i32> {
    Some(INTERRUPT_EVENT.load(Ordering::SeqCst)).filter(|fd| *fd > 0)
}

pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// A run begins.
pub(crate) fn forget_interrupt() {
    INTERRUPTED.store(false, Ordering::SeqCst);
    if let Some(fd) = interrupt_descriptor() {
        let mut count = 0u64;
        // SAFETY: reads eight bytes at most, without blocking.
        unsafe { libc::read(fd, (&raw mut count).cast(), 8) };
    }
}

/// From now on a write to a pipe that nobody reads any more ends the process, as it ends other commands.
pub fn die_of_closed_pipes() {
    set(libc::SIGPIPE, Disposition::Default);
}

/// Sets what a signal does; false if it cannot be set (SIGKILL, SIGSTOP, faults, no such signal).
pub fn set(signal: i32, disposition: Disposition) -> bool {
    if !is_known(signal) || FAULTS.contains(&signal) || descriptor().is_none() {
        return false;
    }
    // SAFETY: a zeroed sigaction is a valid one; the handler has the signature that goes without SA_SIGINFO.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
        action.sa_sigaction = match disposition {
            Disposition::Default => libc::SIG_DFL,
            Disposition::Ignore => libc::SIG_IGN,
            Disposition::Catch => note as extern "C" fn(i32) as libc::sighandler_t,
        };
        libc::sigaction(signal, &action, std::ptr::null_mut()) == 0
    }
}

/// Is a signal ignored?
pub fn is_ignored(signal: i32) -> bool {
    if !is_known(signal) {
        return false;
    }
    // SAFETY: as in `set`; nothing is changed.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
    }
}

/// Takes the signals that have come since the last call: bit n for signal n.
pub fn take() -> u64 {
    let mut count = 0u64;
    // SAFETY: reads eight bytes at most, without blocking.
    unsafe { libc::read(EVENT.load(Ordering::SeqCst), (&raw mut count).cast(), 8) };
    PENDING.swap(0, Ordering::SeqCst)
}
