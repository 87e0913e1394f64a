//! Natives of package bufio.

use vm::native::NativeDef;

use crate::text;

/// Start and end of the first word and where to go on; end is -1 while the word may go on.
fn word(s: &[u8]) -> (usize, i64, usize) {
    let mut start = None;
    for (at, r, n) in text::runes(s) {
        match (text::is_space(r), start) {
            (true, Some(from)) => return (from, at as i64, at + n),
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    (start.unwrap_or(s.len()), -1, 0)
}

pub const NATIVES: &[NativeDef] = natives! {
    "bufio.word" "func([]uint8) (int, int, int)" => |c| {
        let s = c.bytes();
        let (start, end, next) = word(c.bytes_of(s));
        c.ret_int(start as i64);
        c.ret_int(end);
        c.ret_int(next as i64);
    };
};
