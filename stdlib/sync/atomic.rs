//! Natives of package sync/atomic.

use vm::native::NativeDef;

pub const NATIVES: &[NativeDef] = natives! {
    "sync/atomic.sameType" "func(interface {}, interface {}) bool" => |c| {
        let (x, y) = (c.any(), c.any());
        c.ret_bool(x.map(|x| x.type_key()) == y.map(|y| y.type_key()));
    };
};
