//! Natives of package runtime.

use vm::native::{NativeDef, NativeError};

pub const NATIVES: &[NativeDef] = natives! {
    "runtime.GC" "func()" => |c| { c.collect_volatile(); };
    "runtime.NumGoroutine" "func() int" => |c| { c.ret_int(c.goroutines() as i64); };
    "runtime.Gosched" "func()" => |c| { let _ = c; return Err(NativeError::Gosched); };
    "runtime.Goexit" "func()" => |c| { let _ = c; return Err(NativeError::Goexit); };
    "runtime.NumCPU" "func() int" => |c| {
        c.ret_int(std::thread::available_parallelism().map_or(1, |n| n.get() as i64));
    };
};
