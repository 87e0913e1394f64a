//! Natives of package net: sockets by number, their deadlines, name look-up.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::PipeReader;
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::io::{Errno, Result as SysResult};
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, Shutdown, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use vm::native::{Ctx, NativeDef, NativeError, Wait};

/// Statuses beside the system's error numbers: the socket is closed here, its deadline has passed.
const CLOSED: i64 = -1;
const TIMEOUT: i64 = -2;

struct Socket {
    fd: OwnedFd,
    /// Of reading and of writing.
    deadlines: [Option<Instant>; 2],
}

/// A look-up on a thread of its own, which closes the pipe at its end.
struct Lookup {
    end: PipeReader,
    result: mpsc::Receiver<Result<Vec<IpAddr>, String>>,
}

thread_local! {
    static SOCKETS: RefCell<HashMap<i64, Socket>> = RefCell::default();
    static LOOKUPS: RefCell<HashMap<i64, Lookup>> = RefCell::default();
    /// The last number given; none is used twice, so that a waiter finds its own socket or none.
    static LAST: Cell<i64> = const { Cell::new(0) };
}

fn new_number() -> i64 {
    LAST.set(LAST.get() + 1);
    LAST.get()
}

fn add(fd: OwnedFd) -> i64 {
    let number = new_number();
    let socket = Socket { fd, deadlines: [None; 2] };
    SOCKETS.with_borrow_mut(|all| all.insert(number, socket));
    number
}

fn number_of(errno: Errno) -> i64 {
    errno.raw_os_error().into()
}

/// Runs `f` on an open socket; its status.
fn with<T>(number: i64, f: impl FnOnce(BorrowedFd) -> SysResult<T>) -> Result<T, i64> {
    SOCKETS.with_borrow(|all| match all.get(&number) {
        Some(socket) => f(socket.fd.as_fd()).map_err(number_of),
        None => Err(CLOSED),
    })
}

fn status(result: Result<(), i64>) -> i64 {
    result.err().unwrap_or(0)
}

/// Tries an operation that would wait; if so, the goroutine waits until the socket is ready or the deadline has come.
fn attempt<T>(
    c: &mut Ctx,
    number: i64,
    for_writing: bool,
    mut f: impl FnMut(&mut Ctx, BorrowedFd) -> SysResult<T>,
) -> Result<Result<T, i64>, NativeError> {
    SOCKETS.with_borrow(|all| {
        let Some(socket) = all.get(&number) else {
            return Ok(Err(CLOSED));
        };
        let until = socket.deadlines[usize::from(for_writing)];
        if until.is_some_and(|until| until <= Instant::now()) {
            return Ok(Err(TIMEOUT));
        }
        loop {
            match f(c, socket.fd.as_fd()) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let fd = socket.fd.as_raw_fd();
                    return Err(NativeError::Block(Wait::Fd { fd, for_writing, until }));
                }
                result => return Ok(result.map_err(number_of)),
            }
        }
    })
}

/// An address as the program has it: `4`, port and address; `6`, port, scope and address; `u` and a path, with `@` for
/// the zero byte of an abstract name. Numbers are big-endian.
fn encode(addr: SocketAddrAny) -> Vec<u8> {
    match addr.address_family() {
        AddressFamily::INET | AddressFamily::INET6 => match SocketAddr::try_from(addr) {
            Ok(SocketAddr::V4(a)) => [b"4", &a.port().to_be_bytes()[..], &a.ip().octets()].concat(),
            Ok(SocketAddr::V6(a)) => {
                [b"6", &a.port().to_be_bytes()[..], &a.scope_id().to_be_bytes(), &a.ip().octets()].concat()
            }
            Err(_) => Vec::new(),
        },
        AddressFamily::UNIX => match SocketAddrUnix::try_from(addr) {
            Ok(a) => match (a.abstract_name(), a.path_bytes()) {
                (Some(name), _) => [b"u@", name].concat(),
                (None, Some(path)) => [b"u", path.strip_suffix(b"\0").unwrap_or(path)].concat(),
                (None, None) => b"u@".to_vec(),
            },
            Err(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn decode(addr: &[u8]) -> SysResult<SocketAddrAny> {
    let (family, rest) = addr.split_first().ok_or(Errno::INVAL)?;
    match family {
        b'4' => {
            let (port, ip) = rest.split_first_chunk::<2>().ok_or(Errno::INVAL)?;
            let ip: [u8; 4] = ip.try_into().map_err(|_| Errno::INVAL)?;
            Ok(SocketAddrV4::new(ip.into(), u16::from_be_bytes(*port)).into())
        }
        b'6' => {
            let (port, rest) = rest.split_first_chunk::<2>().ok_or(Errno::INVAL)?;
            let (scope, ip) = rest.split_first_chunk::<4>().ok_or(Errno::INVAL)?;
            let ip: [u8; 16] = ip.try_into().map_err(|_| Errno::INVAL)?;
            let scope = u32::from_be_bytes(*scope);
            Ok(SocketAddrV6::new(ip.into(), u16::from_be_bytes(*port), 0, scope).into())
        }
        _ => Ok(match rest.strip_prefix(b"@") {
            Some(name) => SocketAddrUnix::new_abstract_name(name)?.into(),
            None if rest.is_empty() => SocketAddrUnix::new_unnamed().into(),
            None => SocketAddrUnix::new(rest)?.into(),
        }),
    }
}

fn addr_arg(c: &mut Ctx) -> SysResult<SocketAddrAny> {
    let s = c.str();
    decode(c.get(s))
}

/// `kind`: 1 stream, 2 datagram, 5 sequenced packets.
fn open(family: i64, kind: i64) -> SysResult<OwnedFd> {
    let family = match family {
        4 => AddressFamily::INET,
        6 => AddressFamily::INET6,
        _ => AddressFamily::UNIX,
    };
    let kind = match kind {
        1 => SocketType::STREAM,
        2 => SocketType::DGRAM,
        _ => SocketType::SEQPACKET,
    };
    net::socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)
}

fn set_option(fd: BorrowedFd, option: i64, value: i64) -> SysResult<()> {
    let (on, size) = (value != 0, usize::try_from(value).unwrap_or(0));
    let seconds = Duration::from_secs(size as u64);
    match option {
        1 => sockopt::set_tcp_nodelay(fd, on),
        2 => sockopt::set_socket_keepalive(fd, on),
        3 => sockopt::set_tcp_keepidle(fd, seconds),
        4 => sockopt::set_tcp_keepintvl(fd, seconds),
        5 => sockopt::set_tcp_keepcnt(fd, size as u32),
        6 => sockopt::set_socket_linger(fd, (value >= 0).then_some(seconds)),
        7 => sockopt::set_socket_recv_buffer_size(fd, size),
        8 => sockopt::set_socket_send_buffer_size(fd, size),
        9 => sockopt::set_socket_broadcast(fd, on),
        10 => sockopt::set_socket_reuseaddr(fd, on),
        11 => sockopt::set_ipv6_v6only(fd, on),
        _ => Err(Errno::INVAL),
    }
}

/// What the system's resolver says about a name; its message has more words before the cause.
fn resolve(name: &str) -> Result<Vec<IpAddr>, String> {
    match (name, 0).to_socket_addrs() {
        Ok(found) => {
            let mut list: Vec<IpAddr> = Vec::new();
            for addr in found {
                if !list.contains(&addr.ip()) {
                    list.push(addr.ip());
                }
            }
            Ok(list)
        }
        Err(e) => {
            let text = e.to_string();
            Err(text.rsplit_once("information: ").map_or(text.clone(), |(_, cause)| cause.into()))
        }
    }
}

fn start_lookup(name: String) -> std::io::Result<i64> {
    let (end, writer) = std::io::pipe()?;
    let (sender, result) = mpsc::channel();
    std::thread::Builder::new().name("lookup".into()).spawn(move || {
        // The receiver is gone when the program is.
        let _ = sender.send(resolve(&name));
        drop(writer);
    })?;
    let number = new_number();
    LOOKUPS.with_borrow_mut(|all| all.insert(number, Lookup { end, result }));
    Ok(number)
}

fn ret_count(c: &mut Ctx, result: Result<usize, i64>) {
    c.ret_int(*result.as_ref().unwrap_or(&0) as i64);
    c.ret_int(result.err().unwrap_or(0));
}

fn ret_addr(c: &mut Ctx, addr: Option<SocketAddrAny>) {
    c.ret_str(addr.map(encode).unwrap_or_default());
}

pub const NATIVES: &[NativeDef] = natives! {
    "net.open" "func(int, int) (int, int)" => |c| {
        let fd = open(c.int(), c.int());
        let errno = fd.as_ref().err().copied().map_or(0, number_of);
        c.ret_int(fd.map_or(0, add));
        c.ret_int(errno);
    };
    "net.bind" "func(int, string) int" => |c| {
        let (number, addr) = (c.int(), addr_arg(c));
        c.ret_int(status(with(number, |fd| net::bind(fd, &addr?))));
    };
    "net.listen" "func(int, int) int" => |c| {
        let (number, backlog) = (c.int(), c.int());
        c.ret_int(status(with(number, |fd| net::listen(fd, backlog as i32))));
    };
    "net.connect" "func(int, string) int" => |c| {
        let (number, addr) = (c.int(), addr_arg(c));
        c.ret_int(status(with(number, |fd| net::connect(fd, &addr?))));
    };
    "net.connected" "func(int) int" => |c| {
        let number = c.int();
        let result = attempt(c, number, true, |c, fd| {
            if !c.is_ready(fd.as_raw_fd(), true) {
                return Err(Errno::AGAIN);
            }
            sockopt::socket_error(fd)?
        })?;
        c.ret_int(status(result));
    };
    "net.accept" "func(int) (int, int)" => |c| {
        let number = c.int();
        let result = attempt(c, number, false, |_, fd| loop {
            match net::accept_with(fd, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                // That one has gone again.
                Err(Errno::CONNABORTED) => {}
                result => return result,
            }
        })?;
        let errno = result.as_ref().err().copied().unwrap_or(0);
        c.ret_int(result.map_or(0, add));
        c.ret_int(errno);
    };
    "net.read" "func(int, []uint8) (int, int)" => |c| {
        let (number, p) = (c.int(), c.bytes());
        let result = attempt(c, number, false, |c, fd| {
            Ok(net::recv(fd, c.bytes_mut(p), RecvFlags::empty())?.0)
        })?;
        ret_count(c, result);
    };
    "net.write" "func(int, []uint8) (int, int)" => |c| {
        let (number, p) = (c.int(), c.bytes());
        let result = attempt(c, number, true, |c, fd| net::send(fd, c.bytes_of(p), SendFlags::NOSIGNAL))?;
        ret_count(c, result);
    };
    "net.readFrom" "func(int, []uint8) (int, int, string)" => |c| {
        let (number, p) = (c.int(), c.bytes());
        let result = attempt(c, number, false, |c, fd| net::recvfrom(fd, c.bytes_mut(p), RecvFlags::empty()))?;
        match result {
            Ok((n, _, from)) => {
                ret_count(c, Ok(n));
                ret_addr(c, from);
            }
            Err(errno) => {
                ret_count(c, Err(errno));
                ret_addr(c, None);
            }
        }
    };
    "net.writeTo" "func(int, []uint8, string) (int, int)" => |c| {
        let (number, p, to) = (c.int(), c.bytes(), addr_arg(c));
        let result = attempt(c, number, true, |c, fd| {
            net::sendto(fd, c.bytes_of(p), SendFlags::NOSIGNAL, &to.clone()?)
        })?;
        ret_count(c, result);
    };
    "net.localName" "func(int) string" => |c| {
        let number = c.int();
        let addr = with(number, |fd| net::getsockname(fd));
        ret_addr(c, addr.ok());
    };
    "net.peerName" "func(int) string" => |c| {
        let number = c.int();
        let addr = with(number, |fd| net::getpeername(fd));
        ret_addr(c, addr.ok().flatten());
    };
    "net.shutdown" "func(int, bool) int" => |c| {
        let (number, writing) = (c.int(), c.bool());
        let how = if writing { Shutdown::Write } else { Shutdown::Read };
        c.ret_int(status(with(number, |fd| net::shutdown(fd, how))));
    };
    "net.closeSocket" "func(int)" => |c| {
        let number = c.int();
        if let Some(socket) = SOCKETS.with_borrow_mut(|all| all.remove(&number)) {
            c.forget_fd(socket.fd.as_raw_fd());
        }
    };
    "net.setDeadline" "func(int, int, bool, int64) bool" => |c| {
        let (number, which, is_set, delay) = (c.int(), c.int(), c.bool(), c.int());
        let at = is_set.then(|| Instant::now().checked_add(Duration::from_nanos(delay.max(0) as u64))).flatten();
        let fd = SOCKETS.with_borrow_mut(|all| {
            let socket = all.get_mut(&number)?;
            for (i, deadline) in socket.deadlines.iter_mut().enumerate() {
                if which & 1 << i != 0 {
                    *deadline = at;
                }
            }
            Some(socket.fd.as_raw_fd())
        });
        c.ret_bool(fd.is_some());
        for (i, for_writing) in [false, true].into_iter().enumerate() {
            if let Some(fd) = fd.filter(|_| which & 1 << i != 0) {
                // Those who wait look at the new deadline.
                c.wake_fd(fd, for_writing);
            }
        }
    };
    "net.setOption" "func(int, int, int) int" => |c| {
        let (number, option, value) = (c.int(), c.int(), c.int());
        c.ret_int(status(with(number, |fd| set_option(fd, option, value))));
    };
    "net.descriptor" "func(int) int" => |c| {
        let number = c.int();
        c.ret_int(with(number, |fd| Ok(fd.as_raw_fd())).map_or(-1, i64::from));
    };
    "net.startLookup" "func(string) int" => |c| {
        let name = c.str();
        let name = String::from_utf8_lossy(c.get(name)).into_owned();
        c.ret_int(start_lookup(name).unwrap_or(0));
    };
    "net.endLookup" "func(int) ([]string, string)" => |c| {
        let number = c.int();
        let end = LOOKUPS.with_borrow(|all| all.get(&number).map(|lookup| lookup.end.as_raw_fd()));
        if let Some(fd) = end {
            if !c.is_ready(fd, false) {
                return Err(NativeError::Block(Wait::Fd { fd, for_writing: false, until: None }));
            }
            c.forget_fd(fd);
        }
        let lookup = LOOKUPS.with_borrow_mut(|all| all.remove(&number));
        let result = lookup.and_then(|lookup| lookup.result.recv().ok());
        let result = result.unwrap_or_else(|| Err("no resources for a look-up".into()));
        let list: Vec<_> = result.iter().flatten().map(|ip| c.new_str(ip.to_string().as_bytes())).collect();
        c.ret_strs(&list);
        c.ret_str(result.err().unwrap_or_default());
    };
};
