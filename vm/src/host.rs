//! The process's standard streams, unbuffered as Go's.

use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;

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
}

impl Host {
    #[allow(unsafe_code)] // Borrows a descriptor that the process has for its whole life.
    pub fn new() -> Host {
        // SAFETY: descriptors 0 and 1 are never closed by this value.
        let of = |fd| ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
        Host {
            stdin: of(0),
            stdout: of(1),
        }
    }

    pub fn write_stdout(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stdout.write_all(bytes)
    }

    pub fn write_stderr(&mut self, bytes: &[u8]) -> io::Result<()> {
        io::stderr().write_all(bytes)
    }

    pub fn read_stdin(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stdin.read(buf)
    }
}
