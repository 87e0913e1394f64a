//! Natives of package errors.

use lang::bytecode::program::Kind;
use vm::native::NativeDef;

pub const NATIVES: &[NativeDef] = natives! {
    "errors.comparable" "func(interface {}) bool" => |c| {
        let v = c.any();
        c.ret_bool(v.is_none_or(|v| !v.is_foreign() && v.desc().comparable));
    };
    "errors.asCheck" "func(interface {}) int" => |c| {
        let target = c.any();
        c.ret_int(match target {
            None => 1,
            Some(v) if v.kind() != Kind::Pointer || v.is_nil() => 2,
            Some(v) => {
                let elem = v.desc().elem;
                let desc = v.types().desc(elem);
                let is_error = v.deref().is_some_and(|x| x.has_method("Error", "func() string"));
                if desc.kind == Kind::Interface || is_error { 0 } else { 3 }
            }
        });
    };
    "errors.asAssign" "func(interface {}, interface {}) bool" => |c| {
        let (err, target) = (c.any(), c.any());
        let done = match (err, target.and_then(|t| t.deref())) {
            (Some(err), Some(to)) => c.assign(to, err),
            _ => false,
        };
        c.ret_bool(done);
    };
};
