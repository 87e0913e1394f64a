//! Natives of package math/big: natural numbers as slices of words, the lowest first. A result is written into the
//! slice `z` where its capacity allows, whatever `z` shares with the operands; else it is a fresh slice.

use std::cmp::Ordering;

use dashu_base::{BitTest, DivRem, ExtendedGcd, Gcd, Sign, SquareRoot};
use dashu_int::fast_div::ConstDivisor;
use dashu_int::{IBig, UBig};
use vm::native::{Ctx, NativeDef, NativeError, SliceRef};

use crate::host;

pub const NATIVES: &[NativeDef] = natives! {
    "math/big.natAdd" "func([]big.Word, []big.Word, []big.Word) []big.Word" => |c| {
        let (z, x, y) = (c.slice(), c.slice(), c.slice());
        let sum = add(c.plain_of(x), c.plain_of(y));
        put(c, z, &sum);
    };
    // x is not less than y.
    "math/big.natSub" "func([]big.Word, []big.Word, []big.Word) []big.Word" => |c| {
        let (z, x, y) = (c.slice(), c.slice(), c.slice());
        let difference = sub(c.plain_of(x), c.plain_of(y));
        put(c, z, &difference);
    };
    "math/big.natMul" "func([]big.Word, []big.Word, []big.Word) []big.Word" => |c| {
        let (z, x, y) = (c.slice(), c.slice(), c.slice());
        let product = mul(c.plain_of(x), c.plain_of(y));
        put(c, z, &product);
    };
    // y is not zero.
    "math/big.natDiv" "func([]big.Word, []big.Word, []big.Word, []big.Word) ([]big.Word, []big.Word)" => |c| {
        let (q, r, x, y) = (c.slice(), c.slice(), c.slice(), c.slice());
        let (quo, rem) = div(c.plain_of(x), c.plain_of(y));
        put(c, q, &quo);
        put(c, r, &rem);
    };
    "math/big.natCmp" "func([]big.Word, []big.Word) int" => |c| {
        let (x, y) = (c.slice(), c.slice());
        let order = cmp(c.plain_of(x), c.plain_of(y));
        c.ret_int(order as i64);
    };
    "math/big.natShift" "func([]big.Word, []big.Word, int, bool) []big.Word" => |c| {
        let (z, x, n, left) = (c.slice(), c.slice(), c.int() as usize, c.bool());
        let x = natural(c, x);
        if left && !x.is_zero() && n > MAX_BITS {
            return Err(too_large());
        }
        let shifted = if left { x << n } else { x >> n };
        put(c, z, shifted.as_words());
    };
    // Of signed numbers in two's complement; op is one of & | ^ n (and not).
    "math/big.natLogic" "func([]big.Word, []big.Word, []big.Word, bool, bool, int32) ([]big.Word, bool)" => |c| {
        let (z, x, y) = (c.slice(), c.slice(), c.slice());
        let (x, y) = (natural(c, x), natural(c, y));
        let x = IBig::from_parts(sign(c.bool()), x);
        let y = IBig::from_parts(sign(c.bool()), y);
        let result = match c.uint() as u8 {
            b'&' => x & y,
            b'|' => x | y,
            b'^' => x ^ y,
            _ => x & !y,
        };
        let (sign, magnitude) = result.into_parts();
        put(c, z, magnitude.as_words());
        c.ret_bool(sign == Sign::Negative);
    };
    // x ** y, modulo m unless that is zero.
    "math/big.natExp" "func([]big.Word, []big.Word, []big.Word, []big.Word) []big.Word" => |c| {
        let (z, x, y, m) = (c.slice(), c.slice(), c.slice(), c.slice());
        let (x, y, m) = (natural(c, x), natural(c, y), natural(c, m));
        let power = if !m.is_zero() {
            power_mod(x, &y, m)
        } else if x.is_zero() || x.is_one() {
            if y.is_zero() { UBig::ONE } else { x }
        } else {
            match usize::try_from(&y) {
                Ok(n) if n < MAX_BITS / x.bit_len() => x.pow(n),
                _ => return Err(too_large()),
            }
        };
        put(c, z, power.as_words());
    };
    // The greatest common divisor of two positive numbers, and the factor of x by which it is a sum of multiples.
    "math/big.natGCD" "func([]big.Word, []big.Word) ([]big.Word, []big.Word, bool)" => |c| {
        let (x, y) = (c.slice(), c.slice());
        let (x, y) = (natural(c, x), natural(c, y));
        let (gcd, factor, _) = (&x).gcd_ext(&y);
        let (sign, magnitude) = factor.into_parts();
        put(c, SliceRef::NIL, gcd.as_words());
        put(c, SliceRef::NIL, magnitude.as_words());
        c.ret_bool(sign == Sign::Negative);
    };
    "math/big.natGCDOnly" "func([]big.Word, []big.Word) []big.Word" => |c| {
        let (x, y) = (c.slice(), c.slice());
        let gcd = natural(c, x).gcd(natural(c, y));
        put(c, SliceRef::NIL, gcd.as_words());
    };
    "math/big.natSqrt" "func([]big.Word, []big.Word) []big.Word" => |c| {
        let (z, x) = (c.slice(), c.slice());
        let root = natural(c, x).sqrt();
        put(c, z, root.as_words());
    };
    "math/big.natText" "func([]big.Word, int) string" => |c| {
        let (x, base) = (c.slice(), c.int());
        let text = text(&natural(c, x), base as u32);
        c.ret_str(text);
    };
    // Only digits of the base.
    "math/big.natParse" "func([]big.Word, string, int) []big.Word" => |c| {
        let (z, s, base) = (c.slice(), c.str(), c.int());
        let number = parse(c.get(s), base as u32);
        put(c, z, number.as_words());
    };
    "math/big.natBytes" "func([]big.Word) []uint8" => |c| {
        let x = c.slice();
        let bytes = natural(c, x).to_be_bytes();
        c.ret_bytes(&bytes);
    };
    "math/big.natSetBytes" "func([]big.Word, []uint8) []big.Word" => |c| {
        let (z, b) = (c.slice(), c.bytes());
        let number = UBig::from_be_bytes(c.bytes_of(b));
        put(c, z, number.as_words());
    };
    // Miller and Rabin's test with n random bases and base 2, and Lucas' test.
    "math/big.natPrime" "func([]big.Word, int) bool" => |c| {
        let (x, n) = (c.slice(), c.int());
        let prime = probably_prime(&natural(c, x), n);
        c.ret_bool(prime);
    };
};

/// Of a number that is made; beyond, memory is missing on any machine.
const MAX_BITS: usize = 1 << 38;

fn too_large() -> NativeError {
    NativeError::Runtime("makeslice: len out of range".into())
}

fn natural(c: &Ctx<'_>, s: SliceRef) -> UBig {
    UBig::from_words(c.plain_of(s))
}

fn sign(negative: bool) -> Sign {
    if negative { Sign::Negative } else { Sign::Positive }
}

/// Returns a number without leading zeros, in `z` if it has room.
fn put(c: &mut Ctx<'_>, z: SliceRef, words: &[u64]) {
    let words = trimmed(words);
    let result = if words.len() <= z.cap() {
        let result = c.subslice(z, 0..words.len(), 8);
        c.plain_mut::<u64>(result).copy_from_slice(words);
        result
    } else {
        c.new_plain(words)
    };
    c.ret_slice(result);
}

fn trimmed(mut words: &[u64]) -> &[u64] {
    while let [rest @ .., 0] = words {
        words = rest;
    }
    words
}

fn cmp(x: &[u64], y: &[u64]) -> Ordering {
    let (x, y) = (trimmed(x), trimmed(y));
    x.len().cmp(&y.len()).then_with(|| x.iter().rev().cmp(y.iter().rev()))
}

fn add(x: &[u64], y: &[u64]) -> Vec<u64> {
    let (long, short) = if x.len() < y.len() { (y, x) } else { (x, y) };
    let mut sum = Vec::with_capacity(long.len() + 1);
    let mut carry = false;
    for (i, &a) in long.iter().enumerate() {
        let (s, c1) = a.overflowing_add(short.get(i).copied().unwrap_or(0));
        let (s, c2) = s.overflowing_add(carry.into());
        carry = c1 | c2;
        sum.push(s);
    }
    sum.push(carry.into());
    sum
}

fn sub(x: &[u64], y: &[u64]) -> Vec<u64> {
    let mut borrow = false;
    x.iter()
        .enumerate()
        .map(|(i, &a)| {
            let (d, b1) = a.overflowing_sub(y.get(i).copied().unwrap_or(0));
            let (d, b2) = d.overflowing_sub(borrow.into());
            borrow = b1 | b2;
            d
        })
        .collect()
}

fn mul(x: &[u64], y: &[u64]) -> Vec<u64> {
    if x.len().min(y.len()) > 24 {
        return (UBig::from_words(x) * UBig::from_words(y)).as_words().to_vec();
    }
    let mut product = vec![0; x.len() + y.len()];
    for (i, &a) in x.iter().enumerate() {
        let mut carry = 0;
        for (j, &b) in y.iter().enumerate() {
            let t = u128::from(a) * u128::from(b) + u128::from(product[i + j]) + u128::from(carry);
            product[i + j] = t as u64;
            carry = (t >> 64) as u64;
        }
        product[i + y.len()] = carry;
    }
    product
}

fn div(x: &[u64], y: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let (x, y) = (trimmed(x), trimmed(y));
    if let &[y] = y {
        let mut rem = 0;
        let mut quo = vec![0; x.len()];
        for (i, &a) in x.iter().enumerate().rev() {
            let n = u128::from(rem) << 64 | u128::from(a);
            quo[i] = (n / u128::from(y)) as u64;
            rem = (n % u128::from(y)) as u64;
        }
        return (quo, vec![rem]);
    }
    if x.len() < y.len() {
        return (Vec::new(), x.to_vec());
    }
    let (quo, rem) = UBig::from_words(x).div_rem(UBig::from_words(y));
    (quo.as_words().to_vec(), rem.as_words().to_vec())
}

/// Numbers modulo m; those to be reduced must be below m already.
fn ring(m: UBig) -> ConstDivisor {
    ConstDivisor::new(m)
}

fn power_mod(x: UBig, y: &UBig, m: UBig) -> UBig {
    if m.is_one() {
        return UBig::ZERO;
    }
    let x = x % &m;
    ring(m).reduce(x).pow(y).residue()
}

const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn text(x: &UBig, base: u32) -> String {
    if base <= 36 {
        return x.in_radix(base as u8).to_string();
    }
    let digits = x.to_digits(base.into());
    let text: String = digits.iter().map(|d| char::from(DIGITS[*d as usize])).collect();
    if text.is_empty() { "0".into() } else { text }
}

fn parse(digits: &[u8], base: u32) -> UBig {
    if base <= 36 {
        let digits = std::str::from_utf8(digits).unwrap_or("0");
        return UBig::from_str_radix(digits, base).unwrap_or(UBig::ZERO);
    }
    let value = |d: &u8| DIGITS.iter().position(|x| x == d).unwrap_or(0) as u64;
    let digits: Vec<u64> = digits.iter().map(value).collect();
    UBig::from_digits(base.into(), &digits).unwrap_or(UBig::ZERO)
}

/// Certain for numbers below 2^64.
fn probably_prime(x: &UBig, rounds: i64) -> bool {
    const SMALL: [u32; 15] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47];
    if *x < UBig::from(2_u32) {
        return false;
    }
    for p in SMALL {
        if *x == UBig::from(p) {
            return true;
        }
        if (x % p) == 0 {
            return false;
        }
    }
    let less = x - UBig::ONE;
    let twos = less.trailing_zeros().unwrap_or(0);
    let odd = &less >> twos;
    let ring = ring(x.clone());
    let passes = |base: UBig| {
        let mut power = ring.reduce(base).pow(&odd);
        if power.residue().is_one() {
            return true;
        }
        for _ in 0..twos {
            if power.residue() == less {
                return true;
            }
            power = power.sqr();
        }
        false
    };
    if !passes(UBig::from(2_u32)) {
        return false;
    }
    if x.bit_len() <= 64 {
        // These bases suffice for 64 bits (Sorenson and Webster, 2015).
        return SMALL[1..12].iter().all(|p| passes(UBig::from(*p)));
    }
    let random = || {
        let words: Vec<u64> = (0..x.as_words().len()).map(|_| host::entropy()).collect();
        UBig::from_words(&words) % (x - UBig::from(3_u32)) + UBig::from(2_u32)
    };
    (0..rounds).all(|_| passes(random())) && lucas(x)
}

/// The strong Lucas test of Baillie and Wagstaff with the parameters of "method C": Q = 1, the first P from 3 on for
/// which P² - 4 is no square modulo x. x is odd.
fn lucas(x: &UBig) -> bool {
    let mut p = 3_u64;
    loop {
        match jacobi(UBig::from(p * p - 4), x.clone()) {
            -1 => break,
            0 => return *x == UBig::from(p + 2), // P + 2 and x have a common factor.
            _ if p == 40 && is_square(x) => return false,
            _ => p += 1,
        }
    }
    let next = x + UBig::ONE;
    let twos = next.trailing_zeros().unwrap_or(0);
    let odd = &next >> twos;
    let ring = ring(x.clone());
    let (two, first) = (ring.reduce(UBig::from(2_u32)), ring.reduce(UBig::from(p)));
    // V(k) and V(k+1) for the prefixes k of `odd`, with V(2k) = V(k)² - 2.
    let (mut v, mut v1) = (two.clone(), first.clone());
    for i in (0..odd.bit_len()).rev() {
        let mixed = &v * &v1 - &first;
        if odd.bit(i) {
            v1 = v1.sqr() - &two;
            v = mixed;
        } else {
            v = v.sqr() - &two;
            v1 = mixed;
        }
    }
    // U(odd) = 0 follows from V(odd) = ±2 and 2 V(odd+1) = P V(odd).
    let minus_two = x - UBig::from(2_u32);
    let residue = v.residue();
    if (residue == UBig::from(2_u32) || residue == minus_two)
        && (&v1 * &two).residue() == (&first * &v).residue()
    {
        return true;
    }
    for _ in 1..twos.max(1) {
        let residue = v.residue();
        if residue.is_zero() {
            return true;
        }
        if residue == UBig::from(2_u32) {
            return false;
        }
        v = v.sqr() - &two;
    }
    false
}

fn is_square(x: &UBig) -> bool {
    let root = x.sqrt();
    &root * &root == *x
}

/// The Jacobi symbol; y is odd.
fn jacobi(mut x: UBig, mut y: UBig) -> i32 {
    let low = |n: &UBig| n.as_words().first().copied().unwrap_or(0) & 7;
    let mut sign = 1;
    loop {
        if y.is_one() {
            return sign;
        }
        x %= &y;
        if x.is_zero() {
            return 0;
        }
        let twos = x.trailing_zeros().unwrap_or(0);
        if twos & 1 == 1 && matches!(low(&y), 3 | 5) {
            sign = -sign;
        }
        x >>= twos;
        if low(&x) & 3 == 3 && low(&y) & 3 == 3 {
            sign = -sign;
        }
        std::mem::swap(&mut x, &mut y);
    }
}
