//! Natives of package unicode.

use vm::native::NativeDef;

use crate::text;

pub const NATIVES: &[NativeDef] = natives! {
    "unicode.is" "func(int, int32) bool" => |c| {
        let (class, r) = (c.int(), c.int());
        c.ret_bool(text::is_class(class, r as u32));
    };
    "unicode.toUpper" "func(int32) int32" => |c| { let r = c.int(); c.ret_int(text::to_upper(r as u32) as i32 as i64); };
    "unicode.toLower" "func(int32) int32" => |c| { let r = c.int(); c.ret_int(text::to_lower(r as u32) as i32 as i64); };
    "unicode.toTitle" "func(int32) int32" => |c| { let r = c.int(); c.ret_int(text::to_title(r as u32) as i32 as i64); };
    "unicode.SimpleFold" "func(int32) int32" => |c| { let r = c.int(); c.ret_int(text::simple_fold(r as u32) as i32 as i64); };
};
