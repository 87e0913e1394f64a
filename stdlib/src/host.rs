//! The system under packages os, time and internal/stdio: open files by number, error numbers, entropy.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use vm::native::{Ctx, NativeError, Wait};

pub const EBADF: i64 = 9;

thread_local! {
    /// Open files; os.File numbers them from 3. No number is used twice: a goroutine that waits for a file finds it
    /// closed later, not another one in its place.
    static FILES: RefCell<HashMap<i64, File>> = RefCell::default();
    static LAST: Cell<i64> = const { Cell::new(2) };
}

/// Status of a program that a closed pipe ends, as a shell reports it.
const SIGPIPE_STATUS: i32 = 141;

pub fn errno(error: &io::Error) -> i64 {
    error.raw_os_error().unwrap_or(5).into()
}

/// An errno from a result: 0 for success.
pub fn status<T>(result: io::Result<T>) -> i64 {
    result.err().map_or(0, |e| errno(&e))
}

/// As in Go, a broken pipe at standard output or error ends the program.
pub fn stdout_errno(result: io::Result<()>) -> Result<i64, NativeError> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Err(NativeError::Exit(SIGPIPE_STATUS)),
        result => Ok(status(result)),
    }
}

pub fn add_file(file: File) -> i64 {
    let fd = LAST.get() + 1;
    LAST.set(fd);
    FILES.with_borrow_mut(|files| files.insert(fd, file));
    fd
}

pub fn close_file(c: &mut Ctx, fd: i64) -> i64 {
    // The standard files stay open for the machine.
    if (0..3).contains(&fd) {
        return 0;
    }
    if let Some(raw) = raw_fd(fd) {
        c.forget_fd(raw);
    }
    match FILES.with_borrow_mut(|files| files.remove(&fd)) {
        Some(_) => 0,
        None => EBADF,
    }
}

/// Runs `f` on an open file; EBADF if there is none.
pub fn with_file<T>(fd: i64, f: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
    FILES.with_borrow_mut(|files| match files.get_mut(&fd) {
        Some(file) => f(file),
        None => Err(io::Error::from_raw_os_error(EBADF as i32)),
    })
}

/// The system's number of an open file.
pub fn raw_fd(fd: i64) -> Option<i32> {
    use std::os::fd::AsRawFd;
    with_file(fd, |file| Ok(file.as_raw_fd())).ok()
}

/// A string argument as a path or name of the system.
pub fn os_string(c: &mut Ctx) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt;
    let s = c.str();
    std::ffi::OsString::from_vec(c.get(s).to_vec())
}

/// Before a native blocks on a descriptor of the system: lets other goroutines run until it is ready; the native is
/// then called again. An error inside a transaction, where nothing may block.
pub fn wait_ready(c: &mut Ctx, fd: i32, for_writing: bool) -> Result<(), NativeError> {
    if (c.in_txn() || !c.is_alone()) && !c.is_ready(fd, for_writing) {
        return Err(NativeError::Block(Wait::Fd {
            fd,
            for_writing,
            until: None,
        }));
    }
    Ok(())
}

/// File and line of the frame as many calls above the native's caller as the argument says; "" and 0 beyond the last.
pub fn ret_caller(c: &mut Ctx) {
    let frame = usize::try_from(c.int())
        .ok()
        .and_then(|skip| c.caller_addresses().get(skip).copied())
        .and_then(|address| c.place(address));
    c.ret_str(frame.as_ref().map_or("", |place| &place.file));
    c.ret_int(frame.as_ref().map_or(0, |place| place.line.into()));
}

/// The text of an error number as Go's syscall package has it.
pub fn errno_text(n: i64) -> String {
    let text = match n {
        1 => "operation not permitted",
        2 => "no such file or directory",
        4 => "interrupted system call",
        5 => "input/output error",
        9 => "bad file descriptor",
        11 => "resource temporarily unavailable",
        12 => "cannot allocate memory",
        13 => "permission denied",
        16 => "device or resource busy",
        17 => "file exists",
        18 => "invalid cross-device link",
        20 => "not a directory",
        21 => "is a directory",
        22 => "invalid argument",
        24 => "too many open files",
        27 => "file too large",
        28 => "no space left on device",
        29 => "illegal seek",
        30 => "read-only file system",
        31 => "too many links",
        32 => "broken pipe",
        36 => "file name too long",
        39 => "directory not empty",
        40 => "too many levels of symbolic links",
        n => {
            let text = io::Error::from_raw_os_error(n as i32).to_string();
            return match text.split_once(" (os error") {
                Some((text, _)) => text.to_lowercase(),
                None => format!("errno {n}"),
            };
        }
    };
    text.into()
}

/// What random numbers start from, if they are to be the same each time; 0 if not.
static SEED: AtomicU64 = AtomicU64::new(0);

/// Has random numbers be the same each time, for runs that are to be repeated.
pub fn set_seed(seed: u64) {
    SEED.store(seed | 1 << 63, Ordering::Relaxed);
}

pub fn entropy() -> u64 {
    let step = 0x9e37_79b9_7f4a_7c15;
    match SEED.load(Ordering::Relaxed) {
        // The standard library seeds these from the system.
        0 => RandomState::new().build_hasher().finish(),
        _ => {
            let x = SEED.fetch_add(step, Ordering::Relaxed).max(1);
            let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x ^ x >> 27
        }
    }
}
