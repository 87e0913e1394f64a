//! Natives of package os.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{self as unix, DirBuilderExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::time::{Duration, SystemTime};

use vm::native::{Ctx, NativeDef, NativeError};

use crate::host::{add_file, close_file, entropy, errno, os_string, raw_fd, status, wait_ready, with_file};

/// See pipe(7).
const PIPE_BUF: usize = 4096;

/// fs.FileMode of a file.
fn file_mode(kind: fs::FileType, mode: u32) -> u32 {
    let bit = |on: bool, n: u32| u32::from(on) << n;
    bit(kind.is_dir(), 31)
        | bit(kind.is_symlink(), 27)
        | bit(kind.is_block_device() || kind.is_char_device(), 26)
        | bit(kind.is_fifo(), 25)
        | bit(kind.is_socket(), 24)
        | bit(mode & 0o4000 != 0, 23)
        | bit(mode & 0o2000 != 0, 22)
        | bit(kind.is_char_device(), 21)
        | bit(mode & 0o1000 != 0, 20)
        | mode & 0o777
}

fn ret_stat(c: &mut Ctx, meta: io::Result<Metadata>) {
    match meta {
        Ok(m) => {
            c.ret_int(m.len() as i64);
            c.ret_uint(file_mode(m.file_type(), m.mode()).into());
            c.ret_int(m.mtime());
            c.ret_int(m.mtime_nsec());
            c.ret_uint(m.dev());
            c.ret_uint(m.ino());
            c.ret_int(0);
        }
        Err(e) => {
            for _ in 0..6 {
                c.ret_int(0);
            }
            c.ret_int(errno(&e));
        }
    }
}

fn ret_path(c: &mut Ctx, path: io::Result<std::path::PathBuf>) {
    let text = path.as_ref().map(|p| p.as_os_str().as_bytes().to_vec()).unwrap_or_default();
    c.ret_str(text);
    c.ret_int(status(path));
}

fn open(name: &std::ffi::OsStr, flags: i64, perm: u32) -> io::Result<fs::File> {
    let on = |bit: i64| flags & bit != 0;
    let (write, append) = (flags & 3 != 0, on(0x400));
    let mut options = OpenOptions::new();
    options.read(flags & 3 != 1).write(write).mode(perm);
    // Passed as they are, for Rust refuses combinations that the system knows.
    options.custom_flags((flags & (0x40 | 0x80 | 0x200 | 0x400 | 0x101000)) as i32);
    if append && write {
        options.append(true);
    }
    options.open(name)
}

fn time(sec: i64, nsec: i64) -> SystemTime {
    let shift = |s: i64| Duration::from_secs(s.unsigned_abs());
    let base = SystemTime::UNIX_EPOCH;
    let at = if sec < 0 { base - shift(sec) } else { base + shift(sec) };
    at + Duration::from_nanos(nsec as u64)
}

/// A number of a user or group; -1 leaves it.
fn owner(id: i64) -> Option<u32> {
    u32::try_from(id).ok()
}

/// The whole of a file, or an errno and the operation that met it.
fn read_file(name: &std::ffi::OsStr) -> Result<Vec<u8>, (io::Error, &'static str)> {
    let mut file = fs::File::open(name).map_err(|e| (e, "open"))?;
    let mut data = Vec::new();
    file.read_to_end(&mut data).map_err(|e| (e, "read"))?;
    Ok(data)
}

pub const NATIVES: &[NativeDef] = natives! {
    "os.args" "func() []string" => |c| {
        let args = c.args().to_vec();
        let args: Vec<_> = args.iter().map(|arg| c.new_str(arg.as_bytes())).collect();
        c.ret_strs(&args);
    };
    "os.Exit" "func(int)" => |c| { return Err(NativeError::Exit(c.int() as i32)); };
    "os.open" "func(string, int, uint32) (int, int)" => |c| {
        let (name, flags, perm) = (os_string(c), c.int(), c.int());
        let file = open(&name, flags, perm as u32);
        let error = file.as_ref().err().map_or(0, errno);
        c.ret_int(file.map_or(-1, add_file));
        c.ret_int(error);
    };
    "os.closeFile" "func(int) int" => |c| { let fd = c.int(); let errno = close_file(c, fd); c.ret_int(errno); };
    "os.readAt" "func(int, []uint8, int64) (int, int)" => |c| {
        let (fd, p, offset) = (c.int(), c.bytes(), c.int());
        let buf = c.bytes_mut(p);
        let result = with_file(fd, |f| f.read_at(buf, offset as u64));
        c.ret_int(*result.as_ref().unwrap_or(&0) as i64);
        c.ret_int(status(result));
    };
    "os.writeAt" "func(int, []uint8, int64) (int, int)" => |c| {
        let (fd, p, offset) = (c.int(), c.bytes(), c.int());
        let errno = status(with_file(fd, |f| f.write_all_at(c.bytes_of(p), offset as u64)));
        c.ret_int(if errno == 0 { p.len() as i64 } else { 0 });
        c.ret_int(errno);
    };
    "os.seek" "func(int, int64, int) (int64, int)" => |c| {
        let (fd, offset, whence) = (c.int(), c.int(), c.int());
        let einval = || Err(io::Error::from_raw_os_error(22));
        let result = match whence {
            0 if offset < 0 => einval(),
            0 => with_file(fd, |f| f.seek(SeekFrom::Start(offset as u64))),
            1 => with_file(fd, |f| f.seek(SeekFrom::Current(offset))),
            2 => with_file(fd, |f| f.seek(SeekFrom::End(offset))),
            _ => einval(),
        };
        c.ret_int(*result.as_ref().unwrap_or(&0) as i64);
        c.ret_int(status(result));
    };
    "os.fsync" "func(int) int" => |c| {
        let fd = c.int();
        c.ret_int(status(with_file(fd, |f| f.sync_all())));
    };
    "os.truncateFile" "func(int, int64) int" => |c| {
        let (fd, size) = (c.int(), c.int());
        c.ret_int(if size < 0 { 22 } else { status(with_file(fd, |f| f.set_len(size as u64))) });
    };
    "os.realFd" "func(int) int" => |c| {
        let fd = c.int();
        c.ret_int(if fd < 3 { fd } else { with_file(fd, |f| Ok(f.as_raw_fd())).map_or(-1, i64::from) });
    };
    "os.fstat" "func(int) (int64, uint32, int64, int, uint64, uint64, int)" => |c| {
        let fd = c.int();
        let meta = match fd {
            0..3 => fs::metadata(format!("/proc/self/fd/{fd}")),
            _ => with_file(fd, |f| f.metadata()),
        };
        ret_stat(c, meta);
    };
    "os.stat" "func(string, bool) (int64, uint32, int64, int, uint64, uint64, int)" => |c| {
        let (name, follow) = (os_string(c), c.bool());
        let meta = if follow { fs::metadata(&name) } else { fs::symlink_metadata(&name) };
        ret_stat(c, meta);
    };
    "os.readDir" "func(string) ([]string, []int, int)" => |c| {
        let name = os_string(c);
        let list = fs::read_dir(&name).and_then(|dir| {
            dir.map(|entry| {
                let entry = entry?;
                let mode = file_mode(entry.file_type()?, 0);
                Ok((entry.file_name().into_vec(), i64::from(mode)))
            })
            .collect::<io::Result<Vec<_>>>()
        });
        let errno = list.as_ref().err().map_or(0, errno);
        let mut list = list.unwrap_or_default();
        list.sort();
        let names: Vec<_> = list.iter().map(|entry| c.new_str(&entry.0)).collect();
        let modes: Vec<_> = list.iter().map(|entry| entry.1).collect();
        c.ret_strs(&names);
        c.ret_ints(&modes);
        c.ret_int(errno);
    };
    "os.readFile" "func(string) ([]uint8, int, string)" => |c| {
        let name = os_string(c);
        let (data, errno, op) = match read_file(&name) {
            Ok(data) => (data, 0, ""),
            Err((e, op)) => (Vec::new(), errno(&e), op),
        };
        c.ret_bytes(&data);
        c.ret_int(errno);
        c.ret_str(op);
    };
    "os.mkdir" "func(string, uint32) int" => |c| {
        let (name, perm) = (os_string(c), c.int());
        c.ret_int(status(fs::DirBuilder::new().mode(perm as u32).create(&name)));
    };
    "os.remove" "func(string) int" => |c| {
        let name = os_string(c);
        let result = match fs::remove_file(&name) {
            Err(e) if matches!(errno(&e), 1 | 21) => fs::remove_dir(&name),
            result => result,
        };
        c.ret_int(status(result));
    };
    "os.removeAll" "func(string) int" => |c| {
        let name = os_string(c);
        let result = match fs::symlink_metadata(&name) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e),
            Ok(m) if m.is_dir() => fs::remove_dir_all(&name),
            Ok(_) => fs::remove_file(&name),
        };
        c.ret_int(status(result));
    };
    "os.rename" "func(string, string) int" => |c| {
        let (from, to) = (os_string(c), os_string(c));
        c.ret_int(status(fs::rename(from, to)));
    };
    "os.link" "func(string, string, bool) int" => |c| {
        let (from, to, symbolic) = (os_string(c), os_string(c), c.bool());
        let result = if symbolic { std::os::unix::fs::symlink(from, to) } else { fs::hard_link(from, to) };
        c.ret_int(status(result));
    };
    "os.readlink" "func(string) (string, int)" => |c| { let name = os_string(c); ret_path(c, fs::read_link(name)); };
    "os.chmod" "func(string, uint32) int" => |c| {
        let (name, mode) = (os_string(c), c.int());
        c.ret_int(status(fs::set_permissions(name, fs::Permissions::from_mode(mode as u32))));
    };
    "os.chtimes" "func(string, int64, int64, int64, int64) int" => |c| {
        let name = os_string(c);
        let (accessed, modified) = (time(c.int(), c.int()), time(c.int(), c.int()));
        let times = fs::FileTimes::new().set_accessed(accessed).set_modified(modified);
        c.ret_int(status(fs::File::open(name).and_then(|f| f.set_times(times))));
    };
    "os.chown" "func(string, int, int, bool) int" => |c| {
        let (name, uid, gid, follow) = (os_string(c), c.int(), c.int(), c.bool());
        let (uid, gid) = (owner(uid), owner(gid));
        let result = if follow { unix::chown(name, uid, gid) } else { unix::lchown(name, uid, gid) };
        c.ret_int(status(result));
    };
    "os.chownFile" "func(int, int, int) int" => |c| {
        let (fd, uid, gid) = (c.int(), c.int(), c.int());
        c.ret_int(status(with_file(fd, |f| unix::fchown(f, owner(uid), owner(gid)))));
    };
    "os.groups" "func() ([]int, int)" => |c| {
        let groups = rustix::process::getgroups().map_err(io::Error::from);
        let list: Vec<i64> = groups.iter().flatten().map(|gid| gid.as_raw().into()).collect();
        c.ret_ints(&list);
        c.ret_int(status(groups));
    };
    "os.pipe" "func() (int, int, int)" => |c| {
        let pipe = io::pipe();
        let error = pipe.as_ref().err().map_or(0, errno);
        let (r, w) = match pipe {
            Ok((r, w)) => (add_file(OwnedFd::from(r).into()), add_file(OwnedFd::from(w).into())),
            Err(_) => (-1, -1),
        };
        c.ret_int(r);
        c.ret_int(w);
        c.ret_int(error);
    };
    "os.writePipe" "func(int, []uint8) (int, int)" => |c| {
        let (fd, p) = (c.int(), c.bytes());
        if let Some(raw) = raw_fd(fd) {
            wait_ready(c, raw, true)?;
        }
        // So much a pipe takes at once when it takes anything.
        let part = &c.bytes_of(p)[..p.len().min(PIPE_BUF)];
        let result = with_file(fd, |f| f.write(part));
        c.ret_int(*result.as_ref().unwrap_or(&0) as i64);
        c.ret_int(status(result));
    };
    "os.openFd" "func(int) int" => |c| {
        let path = format!("/proc/self/fd/{}", c.int());
        let file = [OpenOptions::new().read(true).write(true), OpenOptions::new().read(true), OpenOptions::new().write(true)]
            .iter()
            .find_map(|options| options.open(&path).ok());
        c.ret_int(file.map_or(-1, add_file));
    };
    "os.getwd" "func() (string, int)" => |c| { ret_path(c, std::env::current_dir()); };
    "os.chdir" "func(string) int" => |c| {
        let name = os_string(c);
        c.ret_int(status(std::env::set_current_dir(name)));
    };
    "os.getenv" "func(string) (string, bool)" => |c| {
        let key = os_string(c);
        let value = crate::env::get(&key);
        c.ret_str(value.as_ref().map(|v| v.as_bytes().to_vec()).unwrap_or_default());
        c.ret_bool(value.is_some());
    };
    "os.setenv" "func(string, string)" => |c| {
        let (key, value) = (os_string(c), os_string(c));
        crate::env::set(key, Some(value));
    };
    "os.unsetenv" "func(string)" => |c| { let key = os_string(c); crate::env::set(key, None); };
    "os.Environ" "func() []string" => |c| {
        let list: Vec<_> = crate::env::all().iter().map(|kv| c.new_str(kv)).collect();
        c.ret_strs(&list);
    };
    "os.hostname" "func() (string, int)" => |c| {
        let name = fs::read_to_string("/proc/sys/kernel/hostname");
        c.ret_str(name.as_deref().unwrap_or_default().trim_end());
        c.ret_int(status(name));
    };
    "os.random" "func() uint64" => |c| { c.ret_uint(entropy()); };
    "syscall.Getpid" "func() int" => |c| { c.ret_int(std::process::id().into()); };
    "syscall.Getppid" "func() int" => |c| { c.ret_int(std::os::unix::process::parent_id().into()); };
    "syscall.Getuid" "func() int" => |c| { c.ret_int(fs::metadata("/proc/self").map_or(-1, |m| m.uid().into())); };
    "syscall.Getgid" "func() int" => |c| { c.ret_int(fs::metadata("/proc/self").map_or(-1, |m| m.gid().into())); };
};
