//! What the tests of the command share: a folder of their own, and the command that runs in it.
#![allow(dead_code)] // Each test binary uses a part.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A folder that is removed at the end, but for that of a test that failed.
pub struct Folder(pub PathBuf);

impl Folder {
    /// An empty one; `name` is of this test alone.
    pub fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Writes a file, in new folders where `name` has some.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    #[track_caller]
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// `pgo` in this folder, with nothing to read, and what it prints in pipes.
    pub fn command(&self, args: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_pgo")), args)
    }

    /// As well another program.
    pub fn command_of(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(&self.0)
            .env("NO_COLOR", "1")
            .env_remove("PGO_HEAP")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    #[track_caller]
    pub fn pgo(&self, args: &[&str]) -> Printed {
        printed(self.command(args), "")
    }

    #[track_caller]
    pub fn pgo_with_input(&self, args: &[&str], input: &str) -> Printed {
        printed(self.command(args), input)
    }

    /// Standard output of a call that succeeds.
    #[track_caller]
    pub fn done(&self, args: &[&str]) -> String {
        let printed = self.pgo(args);
        assert_eq!(printed.status, Some(0), "{args:?}: {printed:?}");
        printed.out
    }

    /// A call that prints nothing but one line with the reason why it fails.
    #[track_caller]
    pub fn refused(&self, args: &[&str], reason: &str) {
        assert_eq!(self.refused_after(args, reason), "", "{args:?}");
    }

    /// As well, after standard output, which it gives.
    #[track_caller]
    pub fn refused_after(&self, args: &[&str], reason: &str) -> String {
        let printed = self.pgo(args);
        assert_eq!(printed.status, Some(1), "{args:?}: {printed:?}");
        printed.is_a_line(reason);
        printed.out
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// What a process has printed, and its status.
#[derive(Debug)]
pub struct Printed {
    pub out: String,
    pub err: String,
    pub status: Option<i32>,
}

impl Printed {
    #[track_caller]
    pub fn succeeds(self, out: &str) {
        let found = (self.out.as_str(), self.status);
        assert_eq!(found, (out, Some(0)), "{}", self.err);
    }

    /// Fails with a status and one short message that contains all of `parts`.
    #[track_caller]
    pub fn fails(&self, status: i32, parts: &[&str]) {
        assert_eq!(self.status, Some(status), "{self:?}");
        for part in parts {
            assert!(self.err.contains(part), "no {part:?} in {:?}", self.err);
        }
        assert!(self.err.len() < 4000, "{} bytes of message", self.err.len());
    }

    /// Standard error is one line of the command's own, with this reason.
    #[track_caller]
    pub fn is_a_line(&self, reason: &str) {
        let err = &self.err;
        assert!(err.starts_with("pgo: ") && err.contains(reason), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}

/// Runs a command to its end.
#[track_caller]
pub fn printed(mut command: Command, input: &str) -> Printed {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // It may end without reading it all.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(!err.contains("panicked at"), "{err}");
    let status = output.status.code();
    Printed { out, err, status }
}

/// Waits for the first byte that a process prints.
#[track_caller]
pub fn first_byte(child: &mut Child) -> u8 {
    let mut byte = [0];
    let out = child.stdout.as_mut().expect("a pipe");
    out.read_exact(&mut byte).unwrap();
    byte[0]
}

pub fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}
