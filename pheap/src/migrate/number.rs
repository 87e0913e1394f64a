//! Numbers that change their type.
#![allow(unsafe_code)] // Reads and writes numbers in objects.

use crate::types::Kind;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Int(i128),
    Float(f64),
    Complex(f64, f64),
}

/// Bits of an integer kind, and whether it is signed.
fn integer(kind: Kind) -> Option<(u32, bool)> {
    Some(match kind {
        Kind::Int8 => (8, true),
        Kind::Int16 => (16, true),
        Kind::Int32 => (32, true),
        Kind::Int | Kind::Int64 => (64, true),
        Kind::Uint8 => (8, false),
        Kind::Uint16 => (16, false),
        Kind::Uint32 => (32, false),
        Kind::Uint | Kind::Uint64 | Kind::Uintptr => (64, false),
        _ => return None,
    })
}

pub(super) fn is_number(kind: Kind) -> bool {
    integer(kind).is_some()
        || matches!(
            kind,
            Kind::Float32 | Kind::Float64 | Kind::Complex64 | Kind::Complex128
        )
}

/// Whether every value of the one kind is one of the other.
pub(super) fn widens(from: Kind, to: Kind) -> bool {
    if from == to {
        return true;
    }
    match (integer(from), integer(to)) {
        (Some((from, true)), Some((to, true))) => to >= from,
        (Some((from, false)), Some((to, false))) => to >= from,
        (Some((from, false)), Some((to, true))) => to > from,
        (None, None) => matches!(
            (from, to),
            (Kind::Float32, Kind::Float64) | (Kind::Complex64, Kind::Complex128)
        ),
        _ => false,
    }
}

/// # Safety
/// A number of the kind is at `at`.
unsafe fn read(kind: Kind, at: u64) -> Number {
    // SAFETY: as the caller promises.
    unsafe {
        match kind {
            Kind::Int8 => Number::Int((at as *const i8).read().into()),
            Kind::Int16 => Number::Int((at as *const i16).read().into()),
            Kind::Int32 => Number::Int((at as *const i32).read().into()),
            Kind::Uint8 => Number::Int((at as *const u8).read().into()),
            Kind::Uint16 => Number::Int((at as *const u16).read().into()),
            Kind::Uint32 => Number::Int((at as *const u32).read().into()),
            Kind::Uint | Kind::Uint64 | Kind::Uintptr => {
                Number::Int((at as *const u64).read().into())
            }
            Kind::Float32 => Number::Float((at as *const f32).read().into()),
            Kind::Float64 => Number::Float((at as *const f64).read()),
            Kind::Complex64 => {
                let [re, im] = (at as *const [f32; 2]).read();
                Number::Complex(re.into(), im.into())
            }
            Kind::Complex128 => {
                let [re, im] = (at as *const [f64; 2]).read();
                Number::Complex(re, im)
            }
            _ => Number::Int((at as *const i64).read().into()),
        }
    }
}

/// The value as one of another kind; None if it does not fit. Floats are rounded.
fn fit(number: Number, to: Kind) -> Option<Number> {
    let float = |x: f64, to: Kind| match to {
        Kind::Float32 | Kind::Complex64 => {
            let narrow = x as f32;
            (narrow.is_finite() || !x.is_finite()).then_some(narrow.into())
        }
        _ => Some(x),
    };
    match (number, integer(to)) {
        (Number::Int(n), Some((bits, signed))) => {
            let (low, high) = match signed {
                true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
                false => (0, (1i128 << bits) - 1),
            };
            (low..=high).contains(&n).then_some(number)
        }
        (Number::Int(n), None) if matches!(to, Kind::Float32 | Kind::Float64) => {
            let x = float(n as f64, to)?;
            (x as i128 == n).then_some(Number::Float(x))
        }
        (Number::Float(x), Some(_)) if x.fract() == 0.0 => fit(Number::Int(x as i128), to),
        (Number::Float(x), None) if matches!(to, Kind::Float32 | Kind::Float64) => {
            float(x, to).map(Number::Float)
        }
        (Number::Complex(re, im), None) if matches!(to, Kind::Complex64 | Kind::Complex128) => {
            Some(Number::Complex(float(re, to)?, float(im, to)?))
        }
        _ => None,
    }
}

/// # Safety
/// A number of the kind has its place at `at`, writable.
unsafe fn write(kind: Kind, at: u64, number: Number) {
    // SAFETY: as the caller promises.
    unsafe {
        match (number, kind) {
            (Number::Float(x), Kind::Float32) => (at as *mut f32).write(x as f32),
            (Number::Float(x), _) => (at as *mut f64).write(x),
            (Number::Complex(re, im), Kind::Complex64) => {
                (at as *mut [f32; 2]).write([re as f32, im as f32]);
            }
            (Number::Complex(re, im), _) => (at as *mut [f64; 2]).write([re, im]),
            (Number::Int(n), Kind::Int8 | Kind::Uint8) => (at as *mut u8).write(n as u8),
            (Number::Int(n), Kind::Int16 | Kind::Uint16) => (at as *mut u16).write(n as u16),
            (Number::Int(n), Kind::Int32 | Kind::Uint32) => (at as *mut u32).write(n as u32),
            (Number::Int(n), _) => (at as *mut u64).write(n as u64),
        }
    }
}

/// Stores the number at `from` as one of another kind at `to`; false if it does not fit.
/// # Safety
/// Numbers of these kinds have their places there, apart from each other, aligned.
pub(super) unsafe fn convert(from: (u64, Kind), to: (u64, Kind)) -> bool {
    // SAFETY: as the caller promises.
    unsafe {
        match fit(read(from.1, from.0), to.1) {
            Some(number) => {
                write(to.1, to.0, number);
                true
            }
            None => false,
        }
    }
}

/// The number at `from`, as text, if it does not fit another kind.
/// # Safety
/// A number of the kind is at `from`.
pub(super) unsafe fn misfit(from: (u64, Kind), to: Kind) -> Option<String> {
    // SAFETY: as the caller promises.
    let number = unsafe { read(from.1, from.0) };
    match (fit(number, to), number) {
        (Some(_), _) => None,
        (None, Number::Int(n)) => Some(n.to_string()),
        (None, Number::Float(x)) => Some(x.to_string()),
        (None, Number::Complex(re, im)) => Some(format!("({re}+{im}i)")),
    }
}

/// The data word of an interface that holds the number.
pub(super) fn convert_word(word: u64, from: Kind, to: Kind) -> Option<u64> {
    // SAFETY: the word's low bytes are the number, and a word holds any number that is stored in one.
    let number = fit(unsafe { read(from, &raw const word as u64) }, to)?;
    Some(match number {
        // Integers are extended to the whole word.
        Number::Int(n) => n as u64,
        Number::Float(x) if to == Kind::Float32 => u64::from((x as f32).to_bits()),
        Number::Float(x) => x.to_bits(),
        Number::Complex(re, im) => {
            u64::from((re as f32).to_bits()) | u64::from((im as f32).to_bits()) << 32
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widening_keeps_every_value_and_narrowing_tells_what_does_not_fit() {
        let word = |word, from, to| convert_word(word, from, to);
        assert_eq!(word(0xff, Kind::Int8, Kind::Int64), Some(u64::MAX));
        assert_eq!(word(0xff, Kind::Uint8, Kind::Int16), Some(255));
        assert_eq!(word(300, Kind::Int, Kind::Uint8), None);
        assert_eq!(word(u64::MAX, Kind::Int, Kind::Uint64), None);
        assert_eq!(word(u64::MAX, Kind::Uint, Kind::Int), None);
        let half = u64::from(0.5f32.to_bits());
        assert_eq!(
            word(half, Kind::Float32, Kind::Float64),
            Some(0.5f64.to_bits())
        );
        assert_eq!(word(0.5f64.to_bits(), Kind::Float64, Kind::Int), None);
        assert_eq!(word(1e300f64.to_bits(), Kind::Float64, Kind::Float32), None);
        assert!(widens(Kind::Uint32, Kind::Int64) && !widens(Kind::Uint64, Kind::Int64));
        assert!(!widens(Kind::Int32, Kind::Float64) && !widens(Kind::Int64, Kind::Int32));
    }
}
