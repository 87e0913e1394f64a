//! What export and import share: names of types and kinds, base64, the ways to fail.
use std::collections::HashMap;
use std::io;
use std::path::Path;

use pheap::Kind;

pub type Result<T> = std::result::Result<T, Failure>;

pub enum Failure {
    Heap(pheap::Error),
    Io(io::Error),
    /// The JSON is not what it should be: line, what.
    Text(u64, String),
}

impl From<pheap::Error> for Failure {
    fn from(error: pheap::Error) -> Failure {
        Failure::Heap(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Io(error)
    }
}

impl Failure {
    /// Gives the exit status; `path` is that of the JSON.
    pub fn report(self, path: Option<&Path>) -> pheap::Result<i32> {
        let path = path.unwrap_or(Path::new("standard output")).display();
        Ok(crate::run::fail(&match self {
            Failure::Heap(error) => return Err(error),
            Failure::Io(error) => format!("{path}: {error}"),
            Failure::Text(line, what) => format!("{path}:{line}: {what}"),
        }))
    }
}

const KINDS: [(Kind, &str); 25] = [
    (Kind::Bytes, "bytes"),
    (Kind::Bool, "bool"),
    (Kind::Int, "int"),
    (Kind::Int8, "int8"),
    (Kind::Int16, "int16"),
    (Kind::Int32, "int32"),
    (Kind::Int64, "int64"),
    (Kind::Uint, "uint"),
    (Kind::Uint8, "uint8"),
    (Kind::Uint16, "uint16"),
    (Kind::Uint32, "uint32"),
    (Kind::Uint64, "uint64"),
    (Kind::Uintptr, "uintptr"),
    (Kind::Float32, "float32"),
    (Kind::Float64, "float64"),
    (Kind::Complex64, "complex64"),
    (Kind::Complex128, "complex128"),
    (Kind::String, "string"),
    (Kind::Slice, "slice"),
    (Kind::Array, "array"),
    (Kind::Map, "map"),
    (Kind::Pointer, "pointer"),
    (Kind::Interface, "interface"),
    (Kind::Struct, "struct"),
    (Kind::Internal, "internal"),
];

pub fn kind_name(kind: Kind) -> &'static str {
    let found = KINDS.iter().find(|(have, _)| *have == kind);
    found.map_or("", |(_, name)| name)
}

pub fn kind_of(name: &str) -> Option<Kind> {
    let found = KINDS.iter().find(|(_, have)| *have == name);
    found.map(|(kind, _)| *kind)
}

/// A name for each type that no other has.
pub fn labels<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let mut uses: HashMap<&str, u32> = HashMap::new();
    for name in names.clone() {
        *uses.entry(name).or_default() += 1;
    }
    names
        .enumerate()
        .map(|(index, name)| match uses[name] {
            1 if !name.is_empty() && !name.contains('#') => name.to_string(),
            _ => format!("{name}#{index}"),
        })
        .collect()
}

/// The member for a field `_`.
pub fn blank_name(offset: u32) -> String {
    format!("_@{offset}")
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i > chunk.len() { '=' } else { digit.into() });
        }
    }
    text
}

pub fn unbase64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    if !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for chunk in digits.chunks(4) {
        let mut bits = 0;
        for &digit in chunk {
            bits = bits << 6 | DIGITS.iter().position(|&have| have == digit)? as u32;
        }
        bits <<= 6 * (4 - chunk.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_it_was_written() {
        for len in 0..40u8 {
            let bytes: Vec<u8> = (0..len).map(|i| i.wrapping_mul(37) ^ 0xa5).collect();
            assert_eq!(unbase64(&base64(&bytes)), Some(bytes));
        }
        assert_eq!(base64(b"any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
        for bad in ["a", "ab=", "a===", "ab!=", "====", "YQ==YQ=="] {
            assert_eq!(unbase64(bad), None, "{bad}");
        }
    }

    #[test]
    fn types_of_the_same_name_have_labels_of_their_own() {
        let names = ["a", "b", "a", "", "c#0", ""];
        assert_eq!(
            labels(names.into_iter()),
            ["a#0", "b", "a#2", "#3", "c#0#4", "#5"]
        );
    }
}
