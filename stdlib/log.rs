//! Natives of package log.

use vm::native::NativeDef;

pub const NATIVES: &[NativeDef] = natives! {
    "log.caller" "func(int) (string, int)" => |c| { crate::host::ret_caller(c); };
};
