//! Natives of package internal/show.

use vm::native::{NativeDef, NativeError, Wait};

pub const NATIVES: &[NativeDef] = natives! {
    "internal/show.wait" "func(int)" => |c| {
        let fd = c.int() as i32;
        if !c.is_ready(fd, false) {
            return Err(NativeError::Block(Wait::Fd {
                fd,
                for_writing: false,
                until: None,
            }));
        }
    };
};
