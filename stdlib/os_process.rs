//! Natives of package os about processes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, PidfdFlags, Signal};
use vm::native::{Ctx, NativeDef, SliceRef};

use crate::host::{errno, os_string, status, wait_ready, with_file};

/// A process that was started here, and what becomes readable at its end, where the system has that.
struct Process {
    child: Child,
    end: Option<OwnedFd>,
}

thread_local! {
    static PROCESSES: RefCell<HashMap<i64, Process>> = RefCell::default();
}

const EINVAL: i32 = 22;
const ECHILD: i64 = 10;

fn os_strings(c: &mut Ctx, list: SliceRef) -> Vec<OsString> {
    let list = c.strs_of(list);
    list.into_iter().map(|s| OsString::from_vec(c.get(s).to_vec())).collect()
}

/// A file of the program as one of the new process.
fn file(fd: i64) -> io::Result<Stdio> {
    let own = match fd {
        -1 => return Ok(Stdio::null()),
        0 => io::stdin().as_fd().try_clone_to_owned()?,
        1 => io::stdout().as_fd().try_clone_to_owned()?,
        2 => io::stderr().as_fd().try_clone_to_owned()?,
        _ => with_file(fd, |f| f.try_clone())?.into(),
    };
    Ok(own.into())
}

fn start(path: &OsStr, argv: &[OsString], dir: &OsStr, env: &[OsString], files: &[i64], group: i64) -> io::Result<Child> {
    // Without a slash the path is in the folder, never in $PATH.
    let in_folder;
    let path = if path.as_bytes().contains(&b'/') {
        path
    } else {
        in_folder = [OsStr::new("./"), path].join(OsStr::new(""));
        &in_folder
    };
    let mut command = Command::new(path);
    if let Some((name, rest)) = argv.split_first() {
        command.arg0(name).args(rest);
    }
    if !dir.is_empty() {
        command.current_dir(dir);
    }
    command.env_clear();
    for entry in env {
        let bytes = entry.as_bytes();
        if let Some(at) = bytes.iter().position(|&b| b == b'=') {
            command.env(OsStr::from_bytes(&bytes[..at]), OsStr::from_bytes(&bytes[at + 1..]));
        }
    }
    if let Ok(group) = i32::try_from(group)
        && group >= 0
    {
        command.process_group(group);
    }
    let of = |i: usize| file(files.get(i).copied().unwrap_or(-1));
    command.stdin(of(0)?).stdout(of(1)?).stderr(of(2)?);
    command.spawn()
}

/// User and system time in nanoseconds of a process that has ended but is not waited for yet.
fn times(pid: i64) -> Option<(i64, i64)> {
    const TICK_NANOSECONDS: i64 = 10_000_000;
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || Some(fields.next()?.parse::<i64>().ok()? * TICK_NANOSECONDS);
    Some((next()?, next()?))
}

/// The pid of the system for a number of a process.
fn pid(n: i64) -> io::Result<Pid> {
    let raw = i32::try_from(n).ok().and_then(Pid::from_raw);
    raw.ok_or_else(|| io::Error::from_raw_os_error(EINVAL))
}

/// Sends a signal to a process, to all of a group for a negative number, to the own group for 0.
fn signal(n: i64, number: i64) -> io::Result<()> {
    use rustix::process::{kill_current_process_group, kill_process, kill_process_group};
    use rustix::process::{test_kill_current_process_group, test_kill_process, test_kill_process_group};
    let group = || pid(n.checked_neg().unwrap_or(0));
    let sent = if number == 0 {
        match n {
            0 => test_kill_current_process_group(),
            1.. => test_kill_process(pid(n)?),
            _ => test_kill_process_group(group()?),
        }
    } else {
        let number = i32::try_from(number).ok().and_then(Signal::from_named_raw);
        let signal = number.ok_or_else(|| io::Error::from_raw_os_error(EINVAL))?;
        match n {
            0 => kill_current_process_group(signal),
            1.. => kill_process(pid(n)?, signal),
            _ => kill_process_group(group()?, signal),
        }
    };
    Ok(sent?)
}

pub const NATIVES: &[NativeDef] = natives! {
    "os.startProcess" "func(string, []string, string, []string, []int, int) (int, int)" => |c| {
        let path = os_string(c);
        let argv = c.slice();
        let dir = os_string(c);
        let (env, files, group) = (c.slice(), c.slice(), c.int());
        let (argv, env) = (os_strings(c, argv), os_strings(c, env));
        match start(&path, &argv, &dir, &env, c.ints_of(files), group) {
            Ok(child) => {
                let number = i64::from(child.id());
                let end = pid(number)
                    .and_then(|pid| Ok(rustix::process::pidfd_open(pid, PidfdFlags::empty())?))
                    .ok();
                PROCESSES.with_borrow_mut(|all| all.insert(number, Process { child, end }));
                c.ret_int(number);
                c.ret_int(0);
            }
            Err(e) => {
                c.ret_int(-1);
                c.ret_int(errno(&e));
            }
        }
    };
    "os.waitProcess" "func(int) (int, int, bool, int64, int64, int)" => |c| {
        let number = c.int();
        let end = PROCESSES.with_borrow(|all| all.get(&number).map(|p| p.end.as_ref().map(AsRawFd::as_raw_fd)));
        if let Some(Some(end)) = end {
            wait_ready(c, end, false)?;
            c.forget_fd(end);
        }
        let process = PROCESSES.with_borrow_mut(|all| all.remove(&number));
        let Some(mut process) = process else {
            for _ in 0..5 {
                c.ret_int(0);
            }
            c.ret_int(ECHILD);
            return Ok(());
        };
        // A process that has not ended by now is waited for here.
        let (user, system) = times(number).unwrap_or_default();
        let ended = process.child.wait();
        let found = ended.as_ref().ok();
        c.ret_int(found.and_then(|s| s.code()).unwrap_or(0).into());
        c.ret_int(found.and_then(|s| s.signal()).unwrap_or(0).into());
        c.ret_bool(found.is_some_and(|s| s.core_dumped()));
        c.ret_int(user);
        c.ret_int(system);
        c.ret_int(status(ended));
    };
    "syscall.kill" "func(int, int) int" => |c| {
        let (pid, number) = (c.int(), c.int());
        c.ret_int(status(signal(pid, number)));
    };
};
