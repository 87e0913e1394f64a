//! Natives of package hash/maphash.

use vm::native::NativeDef;

fn mix(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    (wide >> 64) as u64 ^ wide as u64
}

/// Folded multiplication of 16 bytes at a time.
fn sum(seed: u64, data: &[u8]) -> u64 {
    const KEYS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03];
    let mut hash = mix(seed ^ KEYS[0], data.len() as u64 ^ KEYS[1]);
    for block in data.chunks(16) {
        let mut words = [0; 16];
        words[..block.len()].copy_from_slice(block);
        let word = |i: usize| u64::from_le_bytes(words[i..i + 8].try_into().expect("eight bytes"));
        hash = mix(word(0) ^ KEYS[1] ^ hash, word(8) ^ seed.rotate_left(32) ^ KEYS[0]);
    }
    mix(hash ^ KEYS[0], seed ^ KEYS[1])
}

pub const NATIVES: &[NativeDef] = natives! {
    "hash/maphash.sum" "func(uint64, string) uint64" => |c| {
        let (seed, data) = (c.uint(), c.str());
        let hash = sum(seed, c.get(data));
        c.ret_uint(hash);
    };
};
