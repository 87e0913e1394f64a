//! Natives of package internal/randsource.

use std::cell::Cell;

use vm::native::{Ctx, NativeDef};

use crate::cooked::COOKED;
use crate::host;

pub const NATIVES: &[NativeDef] = natives! {
    "internal/randsource.Uint64" "func() uint64" => |c| { c.ret_uint(system()); };
    "internal/randsource.Cooked" "func() []int64" => |c| {
        let table = c.new_plain(&COOKED);
        c.ret_slice(table);
    };
    "internal/randsource.normalTables" "func() ([]uint32, []float32, []float32)" => |c| {
        let (r, v) = (3.442_619_855_899, 9.912_563_035_262_17e-3);
        tables::<128>(c, r, v, 31, |x| (-0.5 * x * x).exp(), |y| (-2.0 * y.ln()).sqrt());
    };
    "internal/randsource.expTables" "func() ([]uint32, []float32, []float32)" => |c| {
        let (r, v) = (7.697_117_470_131_05, 3.949_659_822_581_572e-3);
        tables::<256>(c, r, v, 32, |x| (-x).exp(), |y| -y.ln());
    };
    "internal/randsource.ChaCha8" "func([]uint64, []uint64, uint32)" => |c| {
        let (seed, out, counter) = (c.slice(), c.slice(), c.uint() as u32);
        let seed: Vec<u64> = c.plain_of(seed).to_vec();
        let words = chacha8(&seed, counter);
        c.plain_mut::<u64>(out).copy_from_slice(&words);
    };
};

/// SplitMix64 from a start that the system gives.
fn system() -> u64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(host::entropy());
    }
    let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(state);
    let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Bounds, widths and heights of the ziggurat's strips of area `v` under a density, with the tail from `r` on.
fn tables<const N: usize>(
    c: &mut Ctx<'_>,
    r: f64,
    v: f64,
    bits: i32,
    density: impl Fn(f64) -> f64,
    inverse: impl Fn(f64) -> f64,
) {
    let unit = 2_f64.powi(bits);
    let (mut bounds, mut widths, mut heights) = ([0_u32; N], [0_f32; N], [0_f32; N]);
    let q = v / density(r);
    bounds[0] = (r / q * unit) as u32;
    widths[0] = (q / unit) as f32;
    widths[N - 1] = (r / unit) as f32;
    heights[0] = 1.0;
    heights[N - 1] = density(r) as f32;
    let mut x = r;
    for i in (1..N - 1).rev() {
        let outer = x;
        x = inverse(v / outer + density(outer));
        bounds[i + 1] = (x / outer * unit) as u32;
        heights[i] = density(x) as f32;
        widths[i] = (x / unit) as f32;
    }
    let slices = [c.new_plain(&bounds), c.new_plain(&widths), c.new_plain(&heights)];
    for s in slices {
        c.ret_slice(s);
    }
}

/// Four blocks, word i of all four side by side.
fn chacha8(seed: &[u64], counter: u32) -> [u64; 32] {
    let mut words = [0_u32; 64];
    let mut key = [0_u32; 8];
    for (i, k) in key.iter_mut().enumerate() {
        *k = (seed[i / 2] >> (i % 2 * 32)) as u32;
    }
    for block in 0..4 {
        let mut x = [0_u32; 16];
        x[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
        x[4..12].copy_from_slice(&key);
        x[12] = counter + block as u32;
        for _ in 0..4 {
            for i in 0..4 {
                quarter(&mut x, i, 4 + i, 8 + i, 12 + i);
            }
            for i in 0..4 {
                quarter(&mut x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
            }
        }
        for i in 0..16 {
            let added = if (4..12).contains(&i) { key[i - 4] } else { 0 };
            words[i * 4 + block] = x[i].wrapping_add(added);
        }
    }
    std::array::from_fn(|i| u64::from(words[2 * i]) | u64::from(words[2 * i + 1]) << 32)
}

fn quarter(x: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    for (p, q, r, turn) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
        x[p] = x[p].wrapping_add(x[q]);
        x[r] = (x[r] ^ x[p]).rotate_left(turn);
    }
}
