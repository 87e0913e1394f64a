//! Natives of package internal/stdio.

use std::io::{Read, Write};

use vm::native::NativeDef;

use crate::host;

pub const NATIVES: &[NativeDef] = natives! {
    "internal/stdio.Write" "func(int, []uint8) (int, int)" => |c| {
        let (fd, p) = (c.int(), c.bytes());
        let data = c.bytes_of(p).to_vec();
        let errno = match fd {
            1 => host::stdout_errno(c.write_stdout(&data))?,
            2 => host::stdout_errno(c.write_stderr(&data))?,
            _ => host::status(host::with_file(fd, |f| f.write_all(&data))),
        };
        c.ret_int(if errno == 0 { p.len() as i64 } else { 0 });
        c.ret_int(errno);
    };
    "internal/stdio.Read" "func(int, []uint8) (int, int)" => |c| {
        let (fd, p) = (c.int(), c.bytes());
        let raw = if fd == 0 {
            c.stdin_descriptor()
        } else {
            host::raw_fd(fd)
        };
        if let Some(raw) = raw {
            host::wait_ready(c, raw, false)?;
        }
        let result = if fd == 0 {
            let mut buf = vec![0; p.len()];
            let result = c.read_stdin(&mut buf);
            if let Ok(n) = result {
                c.bytes_mut(p)[..n].copy_from_slice(&buf[..n]);
            }
            result
        } else {
            let buf = c.bytes_mut(p);
            host::with_file(fd, |f| f.read(buf))
        };
        c.ret_int(*result.as_ref().unwrap_or(&0) as i64);
        c.ret_int(host::status(result));
    };
    "internal/stdio.ErrnoText" "func(int) string" => |c| {
        let n = c.int();
        c.ret_str(host::errno_text(n));
    };
};
