//! Hashes of map keys. Maps in a heap keep them, so they are the same in every program, and in tools that have none.

use std::sync::atomic::{AtomicU64, Ordering};

const M1: u64 = 0xa076_1d64_78bd_642f;
const M2: u64 = 0xe703_7ed1_a0b4_28db;

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    (wide >> 64) as u64 ^ wide as u64
}

/// Of integers, and of pointers by their offset in the heap.
#[inline(always)]
pub fn word(x: u64, seed: u64) -> u64 {
    fold(x ^ M1, seed ^ M2)
}

/// Hash of bytes: folded multiplication of 16 bytes at a time.
#[inline]
pub fn bytes(data: &[u8], seed: u64) -> u64 {
    let len = data.len();
    let at = |i: usize| u64::from_le_bytes(data[i..i + 8].try_into().expect("eight bytes"));
    let at4 = |i: usize| {
        u64::from(u32::from_le_bytes(
            data[i..i + 4].try_into().expect("four bytes"),
        ))
    };
    let mut h = seed ^ M1;
    let (a, b) = if len >= 16 {
        let mut i = 0;
        while i + 16 < len {
            h = fold(at(i) ^ M2, at(i + 8) ^ h);
            i += 16;
        }
        (at(len - 16), at(len - 8))
    } else if len >= 8 {
        (at(0), at(len - 8))
    } else if len >= 4 {
        (at4(0), at4(len - 4))
    } else if len > 0 {
        let (first, mid, last) = (data[0], data[len / 2], data[len - 1]);
        (
            u64::from(first) << 16 | u64::from(mid) << 8 | u64::from(last),
            0,
        )
    } else {
        (0, 0)
    };
    fold(M2 ^ len as u64, fold(a ^ M2, b ^ h))
}

pub fn float(x: f64, seed: u64) -> u64 {
    static NANS: AtomicU64 = AtomicU64::new(0);
    let bits = if x == 0.0 {
        0 // and -0, which is equal
    } else if x.is_nan() {
        // Equal to nothing, itself included: with one hash, many of them would make a map slow.
        NANS.fetch_add(1, Ordering::Relaxed)
    } else {
        x.to_bits()
    };
    word(bits, seed)
}
