//! `pgo repl` without a terminal: chunks are read from standard input, one as soon as it is complete. What a chunk reads
//! from standard input itself comes from the lines behind it.
use super::{Ran, Repl};
use crate::packages::reason;
use crate::run::fail;
use std::io::{ErrorKind, Read};

/// Runs all chunks; gives the exit status.
pub fn read(mut repl: Repl<'_>) -> i32 {
    let mut pending = Vec::new();
    let status = loop {
        let more = match read_line(&mut pending) {
            Ok(more) => more,
            Err(e) => break fail(&format!("standard input: {}", reason(&e))),
        };
        let text = String::from_utf8_lossy(&pending).into_owned();
        // A program goes on to the end.
        if more && (super::input::is_incomplete(&text) || super::input::is_program(&text)) {
            continue;
        }
        pending.clear();
        if let Ran::Leave(status) = repl.input(&text) {
            break status;
        }
        if !more {
            break 0;
        }
    };
    repl.close(status)
}

/// Appends a line, byte for byte, so that what follows is left for the program; false at the end.
fn read_line(line: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut stdin = vm::UnbufferedStdin::new();
    let mut byte = [0];
    loop {
        match stdin.read(&mut byte) {
            Ok(0) => return Ok(false),
            Ok(_) => line.push(byte[0]),
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        }
        if byte[0] == b'\n' {
            return Ok(true);
        }
    }
}
