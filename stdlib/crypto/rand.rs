//! Natives of package crypto/rand.

use std::fs::File;
use std::io::Read;

use vm::native::NativeDef;

pub const NATIVES: &[NativeDef] = natives! {
    "crypto/rand.fill" "func([]uint8) bool" => |c| {
        let b = c.bytes();
        let buf = c.bytes_mut(b);
        let filled = File::open("/dev/urandom").and_then(|mut f| f.read_exact(buf));
        c.ret_bool(filled.is_ok());
    };
};
