//! Natives of packages runtime and sync.

use vm::native::{NativeDef, NativeError};

pub const NATIVES: &[NativeDef] = natives! {
    "runtime.GC" "func()" => |c| { c.collect_volatile(); };
    "runtime.NumCPU" "func() int" => |c| {
        c.ret_int(std::thread::available_parallelism().map_or(1, |n| n.get() as i64));
    };
    "sync.fatal" "func(string)" => |c| {
        let text = c.str();
        let text = String::from_utf8_lossy(c.get(text)).into_owned();
        let message = format!("fatal error: {text}\n\ngoroutine 1 [running]:\nexit status 2\n");
        // Nothing can be done if standard error is gone.
        let _ = c.write_stderr(message.trim_end_matches("exit status 2\n").as_bytes());
        return Err(NativeError::Exit(2));
    };
};
