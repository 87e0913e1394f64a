//! Natives of package os/signal.

use vm::native::{NativeDef, NativeError, Wait};
use vm::signals::{self, Disposition};

/// As numbers of the program.
const DISPOSITIONS: [Disposition; 3] = [Disposition::Default, Disposition::Ignore, Disposition::Catch];

pub const NATIVES: &[NativeDef] = natives! {
    "os/signal.set" "func(int, int)" => |c| {
        let (signal, disposition) = (c.int(), c.int());
        if let Ok(signal) = i32::try_from(signal) {
            // As in Go, a signal that cannot be caught is silently left as it is.
            signals::set(signal, DISPOSITIONS[disposition as usize]);
        }
    };
    "os/signal.isIgnored" "func(int) bool" => |c| {
        let signal = c.int();
        c.ret_bool(i32::try_from(signal).is_ok_and(signals::is_ignored));
    };
    "os/signal.receive" "func() uint64" => |c| {
        let pending = signals::take();
        if pending == 0 {
            let Some(fd) = signals::descriptor() else {
                return Err(NativeError::Plain("os/signal: no descriptor is left".into()));
            };
            return Err(NativeError::Block(Wait::Fd { fd, for_writing: false, until: None }));
        }
        c.ret_uint(pending);
    };
};
