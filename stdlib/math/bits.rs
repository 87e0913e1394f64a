//! Natives of package math/bits.

use vm::native::NativeDef;

pub const NATIVES: &[NativeDef] = natives! {
    "math/bits.LeadingZeros64" "func(uint64) int" => |c| { let x = c.uint(); c.ret_int(x.leading_zeros().into()); };
    "math/bits.TrailingZeros64" "func(uint64) int" => |c| { let x = c.uint(); c.ret_int(x.trailing_zeros().into()); };
    "math/bits.OnesCount64" "func(uint64) int" => |c| { let x = c.uint(); c.ret_int(x.count_ones().into()); };
    "math/bits.Len64" "func(uint64) int" => |c| { let x = c.uint(); c.ret_int((64 - x.leading_zeros()).into()); };
    "math/bits.Reverse64" "func(uint64) uint64" => |c| { let x = c.uint(); c.ret_uint(x.reverse_bits()); };
    "math/bits.ReverseBytes64" "func(uint64) uint64" => |c| { let x = c.uint(); c.ret_uint(x.swap_bytes()); };
    "math/bits.Mul64" "func(uint64, uint64) (uint64, uint64)" => |c| {
        let p = u128::from(c.uint()) * u128::from(c.uint());
        c.ret_uint((p >> 64) as u64);
        c.ret_uint(p as u64);
    };
    // The caller has seen to it that hi < y.
    "math/bits.div64" "func(uint64, uint64, uint64) (uint64, uint64)" => |c| {
        let n = u128::from(c.uint()) << 64 | u128::from(c.uint());
        let y = u128::from(c.uint().max(1));
        c.ret_uint((n / y) as u64);
        c.ret_uint((n % y) as u64);
    };
};
