//! Natives of package flag.

use lang::bytecode::program::Kind;
use vm::native::NativeDef;

pub const NATIVES: &[NativeDef] = natives! {
    "flag.caller" "func(int) (string, int)" => |c| { crate::host::ret_caller(c); };
    "flag.zeroLike" "func(interface {}) interface {}" => |c| {
        let zero = c.any().filter(|v| !v.is_foreign()).map(|v| c.zero_like(v));
        c.ret_any(zero);
    };
    "flag.setText" "func(interface {}, interface {}) int" => |c| {
        let (p, value) = (c.any(), c.any());
        let code = match p.filter(|p| p.kind() == Kind::Pointer).and_then(|p| p.deref()) {
            None => 1,
            Some(to) => {
                let value = value.and_then(|v| if v.kind() == Kind::Pointer { v.deref() } else { Some(v) });
                if value.is_some_and(|value| c.assign(to, value)) { 0 } else { 2 }
            }
        };
        c.ret_int(code);
    };
};
