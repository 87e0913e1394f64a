//! Natives of package internal/blockhash.

use vm::native::NativeDef;

pub const NATIVES: &[NativeDef] = natives! {
    "internal/blockhash.compress" "func(int, []uint64, []uint8)" => |c| {
        let (function, state, data) = (c.int(), c.slice(), c.bytes());
        let mut words = [0; 8];
        words.copy_from_slice(c.plain_of(state));
        let data = c.bytes_of(data);
        match function {
            0 => narrow(&mut words, |s| md5::block_api::compress(s, data.as_chunks().0)),
            1 => narrow(&mut words, |s| sha1::block_api::compress(s, data.as_chunks().0)),
            2 => narrow(&mut words, |s| sha2::block_api::compress256(s, data.as_chunks().0)),
            _ => sha2::block_api::compress512(&mut words, data.as_chunks().0),
        }
        c.plain_mut(state).copy_from_slice(&words);
    };
};

/// Runs a function on a state of 32-bit words, which lie in 64-bit ones.
fn narrow<const N: usize>(words: &mut [u64; 8], compress: impl FnOnce(&mut [u32; N])) {
    let mut state: [u32; N] = std::array::from_fn(|i| words[i] as u32);
    compress(&mut state);
    for (word, state) in words.iter_mut().zip(state) {
        *word = state.into();
    }
}
