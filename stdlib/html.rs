//! Natives of package html: the named character references, of the HTML standard's list.

use std::collections::HashMap;
use std::sync::LazyLock;

use vm::native::NativeDef;

/// Each name, with its semicolon if it has one, and the code points in base 16.
const TEXT: &str = include_str!("html/entities.txt");

static ENTITIES: LazyLock<HashMap<&[u8], &str>> = LazyLock::new(|| {
    let entity = |line: &'static str| {
        let (name, codes) = line.split_once(' ')?;
        Some((name.as_bytes(), codes))
    };
    TEXT.lines().filter_map(entity).collect()
});

pub const NATIVES: &[NativeDef] = natives! {
    "html.entity" "func(string) string" => |c| {
        let name = c.str();
        let codes = ENTITIES.get(c.get(name)).copied().unwrap_or_default();
        let text: String = codes
            .split(' ')
            .filter_map(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?))
            .collect();
        c.ret_str(text);
    };
};
