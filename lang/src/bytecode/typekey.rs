//! Stable 64-bit hashes of types by structure, from those of their parts, and the keys that
//! interface words hold. Part of the heap file's format: they never change.

/// FNV-1a over tagged parts.
#[derive(Clone, Copy)]
pub struct Hash(u64);

impl Hash {
    pub fn new(tag: &str) -> Hash {
        let mut h = Hash(0xcbf2_9ce4_8422_2325);
        h.text(tag);
        h
    }
    pub fn number(&mut self, n: u64) {
        for b in n.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    pub fn text(&mut self, s: &str) {
        self.number(s.len() as u64);
        for b in s.bytes() {
            self.0 = (self.0 ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    pub fn list(&mut self, parts: &[u64]) {
        self.number(parts.len() as u64);
        parts.iter().for_each(|n| self.number(*n));
    }
    /// Spreads the last bytes' influence over all bits.
    pub fn finish(self) -> u64 {
        let mut h = self.0;
        h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        h ^ (h >> 33)
    }
}

/// The key of a type, never 0. Bit 0: the data word of an interface is a scalar. Bit 1: it points to
/// a boxed copy. Neither: it is itself a pointer.
pub fn key(hash: u64, is_direct: bool, is_pointer_shaped: bool) -> u64 {
    let bits = match (is_direct, is_pointer_shaped) {
        (false, _) => 2,
        (true, true) => 0,
        (true, false) => 1,
    };
    (hash & !3).max(4) | bits
}

fn of(tag: &str, parts: &[u64]) -> u64 {
    let mut h = Hash::new(tag);
    parts.iter().for_each(|n| h.number(*n));
    h.finish()
}

pub fn pointer(elem: u64) -> u64 {
    of("pointer", &[elem])
}
pub fn slice(elem: u64) -> u64 {
    of("slice", &[elem])
}
pub fn array(len: u64, elem: u64) -> u64 {
    of("array", &[len, elem])
}
pub fn map(key: u64, elem: u64) -> u64 {
    of("map", &[2, key, elem])
}
/// Directions as in `TypeDesc::len`.
pub fn chan(direction: u64, elem: u64) -> u64 {
    of("chan", &[direction, elem])
}
pub fn func(params: &[u64], results: &[u64], variadic: bool) -> u64 {
    let mut h = Hash::new("func");
    h.list(params);
    h.list(results);
    h.number(u64::from(variadic));
    h.finish()
}

/// A field of a struct: the package of an unexported name, else "".
pub struct Field<'a> {
    pub pkg_path: &'a str,
    pub name: &'a str,
    pub ty: u64,
    pub embedded: bool,
    pub tag: &'a str,
}

pub fn structure<'a>(fields: impl Iterator<Item = Field<'a>>) -> u64 {
    let mut h = Hash::new("struct");
    for f in fields {
        h.text(f.pkg_path);
        h.text(f.name);
        h.number(f.ty);
        h.number(u64::from(f.embedded));
        h.text(f.tag);
    }
    h.finish()
}
