//! Standard streams, unbuffered as Go's: the process's, or those that the host gives in their place.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What stands for standard input.
pub type InputStream = Arc<Mutex<dyn Read + Send>>;
/// What stands for standard output or standard error.
pub type OutputStream = Arc<Mutex<dyn Write + Send>>;

/// The streams in place of the process's, each locked for as long as one read or write takes.
#[derive(Clone, Default)]
pub struct Streams {
    pub stdin: Option<InputStream>,
    pub stdout: Option<OutputStream>,
    pub stderr: Option<OutputStream>,
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Streams")
    }
}

/// Whoever panicked with the lock does not take the stream from the others.
fn lock<T: ?Sized>(stream: &Mutex<T>) -> MutexGuard<'_, T> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Standard input without a buffer: nothing is taken from what the program reads.
pub struct UnbufferedStdin(ManuallyDrop<File>);

impl UnbufferedStdin {
    #[allow(unsafe_code)] // As in `Host::new`.
    #[allow(clippy::new_without_default)] // It is no value, but access to the process's.
    pub fn new() -> UnbufferedStdin {
        // SAFETY: descriptor 0 is never closed by this value.
        UnbufferedStdin(ManuallyDrop::new(unsafe { File::from_raw_fd(0) }))
    }
}

impl Read for UnbufferedStdin {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

pub(crate) struct Host {
    // Standard streams as files: the library's own handles have buffers.
    stdin: ManuallyDrop<File>,
    stdout: ManuallyDrop<File>,
    given: Streams,
}

impl Host {
    #[allow(unsafe_code)] // Borrows a descriptor that the process has for its whole life.
    pub fn new(given: Streams) -> Host {
        // SAFETY: descriptors 0 and 1 are never closed by this value.
        let of = |fd| ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
        Host {
            stdin: of(0),
            stdout: of(1),
            given,
        }
    }

    pub fn write_stdout(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &self.given.stdout {
            Some(given) => lock(given).write_all(bytes),
            None => self.stdout.write_all(bytes),
        }
    }

    pub fn write_stderr(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &self.given.stderr {
            Some(given) => lock(given).write_all(bytes),
            None => io::stderr().write_all(bytes),
        }
    }

    /// What to wait for before standard input is read.
    pub fn stdin_descriptor(&self) -> Option<i32> {
        self.given.stdin.is_none().then_some(0)
    }

    pub fn read_stdin(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &self.given.stdin {
            Some(given) => lock(given).read(buf),
            None => self.stdin.read(buf),
        }
    }
}
