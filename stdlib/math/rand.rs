//! Natives of package math/rand.

use vm::native::NativeDef;

pub const NATIVES: &[NativeDef] = natives! {
    "math/rand.seed" "func() int64" => |c| { c.ret_int(crate::host::entropy() as i64); };
};
