//! Natives of package context.

use vm::native::NativeDef;

pub const NATIVES: &[NativeDef] = natives! {
    "context.typeName" "func(interface {}) string" => |c| {
        let name = c.any().map_or_else(|| "<nil>".into(), |x| x.type_name());
        c.ret_str(name);
    };
    "context.isComparable" "func(interface {}) bool" => |c| {
        let comparable = c.any().is_none_or(|x| x.is_foreign() || x.desc().comparable);
        c.ret_bool(comparable);
    };
};
