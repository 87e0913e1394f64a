//! Type descriptors: what a heap knows of the types of its objects, so that the collector finds their pointers and
//! tools read the heap without the program that wrote it. They are stored in the heap as byte objects.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::{Error, Result};

/// Type of byte objects, such as the bytes of strings: no pointers.
pub const BYTES_TYPE: u32 = 0;
/// The heap's own types: its catalog, arrays of pointers, root entries.
pub(crate) const CATALOG_TYPE: u32 = 1;
pub(crate) const POINTERS_TYPE: u32 = 2;
pub(crate) const ROOTS_TYPE: u32 = 3;
/// Index of the first registered type.
pub const FIRST_TYPE: u32 = 4;

/// Bytes of the header of a map.
pub const MAP_HEADER_BYTES: u64 = 56;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    Bytes = 0,
    Bool = 1,
    Int = 2,
    Int8 = 3,
    Int16 = 4,
    Int32 = 5,
    Int64 = 6,
    Uint = 7,
    Uint8 = 8,
    Uint16 = 9,
    Uint32 = 10,
    Uint64 = 11,
    Uintptr = 12,
    Float32 = 13,
    Float64 = 14,
    Complex64 = 15,
    Complex128 = 16,
    String = 17,
    Slice = 18,
    Array = 19,
    Map = 20,
    Pointer = 21,
    Interface = 22,
    Struct = 23,
    /// Data structures of the program's run-time system, such as the tables of a map.
    Internal = 24,
}

const KINDS: [Kind; 25] = [
    Kind::Bytes,
    Kind::Bool,
    Kind::Int,
    Kind::Int8,
    Kind::Int16,
    Kind::Int32,
    Kind::Int64,
    Kind::Uint,
    Kind::Uint8,
    Kind::Uint16,
    Kind::Uint32,
    Kind::Uint64,
    Kind::Uintptr,
    Kind::Float32,
    Kind::Float64,
    Kind::Complex64,
    Kind::Complex128,
    Kind::String,
    Kind::Slice,
    Kind::Array,
    Kind::Map,
    Kind::Pointer,
    Kind::Interface,
    Kind::Struct,
    Kind::Internal,
];

/// A place in a value that may refer to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointerSlot {
    /// A pointer word at this byte offset; it may point into the middle of an object.
    Ptr(u32),
    /// An interface at this byte offset: a type key, then a data word. Key 0 is nil; a key with bit 0 set means a
    /// scalar in the data word, otherwise the data word is a pointer (bit 1 set: to a boxed value).
    Iface(u32),
}

impl PointerSlot {
    pub fn offset(self) -> u32 {
        match self {
            PointerSlot::Ptr(offset) | PointerSlot::Iface(offset) => offset,
        }
    }

    /// The same in a value that begins `by` bytes further on.
    pub(crate) fn shifted(self, by: u32) -> PointerSlot {
        match self {
            PointerSlot::Ptr(offset) => PointerSlot::Ptr(offset + by),
            PointerSlot::Iface(offset) => PointerSlot::Iface(offset + by),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    pub name: String,
    /// Key of the field's type.
    pub type_key: u64,
    pub offset: u32,
}

/// A type as the heap stores it. Types refer to each other by key, so they may be recursive.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeDesc {
    /// As the program writes it; empty for a type without a name.
    pub name: String,
    /// Equal in every run: a hash of package path and name, or of the structure. Zero is no key.
    pub key: u64,
    pub kind: Kind,
    /// Bytes of a value; a multiple of `align`.
    pub size: u64,
    pub align: u32,
    /// Of a struct, in order.
    pub fields: Vec<Field>,
    /// Key of the element type of a pointer, slice, array, or map; else 0.
    pub elem: u64,
    /// Key of the key type of a map; else 0.
    pub map_key: u64,
    /// Length of an array; else 0.
    pub len: u64,
    /// In order of offset.
    pub pointers: Vec<PointerSlot>,
}

/// The types that every heap has, before those that are registered.
pub fn built_in_types() -> Vec<TypeDesc> {
    (0..FIRST_TYPE).map(TypeDesc::internal).collect()
}

impl TypeDesc {
    /// A type of plain data.
    pub fn scalar(name: &str, key: u64, kind: Kind, size: u64) -> TypeDesc {
        TypeDesc {
            name: name.into(),
            key,
            kind,
            size,
            align: size.clamp(1, 8) as u32,
            fields: Vec::new(),
            elem: 0,
            map_key: 0,
            len: 0,
            pointers: Vec::new(),
        }
    }

    /// The header of maps of a type: refers to the entries, then to their index.
    pub fn map_header(map: &TypeDesc) -> TypeDesc {
        TypeDesc {
            elem: map.elem,
            map_key: map.map_key,
            pointers: vec![PointerSlot::Ptr(8), PointerSlot::Ptr(16)],
            ..TypeDesc::scalar(
                &format!("header of {}", map.name),
                0,
                Kind::Internal,
                MAP_HEADER_BYTES,
            )
        }
    }

    /// An entry of maps of a type: a word of the table's own, then key and value, each at a multiple of 8.
    pub fn map_entries(map: &TypeDesc, key: &TypeDesc, elem: &TypeDesc) -> TypeDesc {
        let value_at = 8 + key.size.next_multiple_of(8);
        let field = |name: &str, desc: &TypeDesc, offset: u64| Field {
            name: name.into(),
            type_key: desc.key,
            offset: offset as u32,
        };
        let shifted = |slots: &[PointerSlot], by: u64| -> Vec<PointerSlot> {
            slots.iter().map(|slot| slot.shifted(by as u32)).collect()
        };
        let mut pointers = shifted(&key.pointers, 8);
        pointers.extend(shifted(&elem.pointers, value_at));
        TypeDesc {
            fields: vec![field("key", key, 8), field("value", elem, value_at)],
            pointers,
            ..TypeDesc::scalar(
                &format!("entry of {}", map.name),
                0,
                Kind::Internal,
                value_at + elem.size.next_multiple_of(8),
            )
        }
    }

    pub(crate) fn internal(index: u32) -> TypeDesc {
        let (name, size, offsets): (_, _, &[u32]) = match index {
            BYTES_TYPE => ("bytes", 1, &[]),
            CATALOG_TYPE => ("catalog", 32, &[0, 16]),
            POINTERS_TYPE => ("pointers", 8, &[0]),
            _ => ("roots", 24, &[0, 8]),
        };
        let kind = if index == BYTES_TYPE {
            Kind::Bytes
        } else {
            Kind::Internal
        };
        let pointers = offsets
            .iter()
            .map(|&offset| PointerSlot::Ptr(offset))
            .collect();
        TypeDesc {
            pointers,
            ..TypeDesc::scalar(name, 0, kind, size)
        }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let bad = |what| {
            Err(Error::BadType {
                name: self.name.clone(),
                what,
            })
        };
        let mut end = 0;
        for slot in &self.pointers {
            let len = if matches!(slot, PointerSlot::Ptr(_)) {
                8
            } else {
                16
            };
            let offset = u64::from(slot.offset());
            if offset % 8 != 0 || offset < end || offset + len > self.size {
                return bad("pointers must be aligned, in order and inside the value");
            }
            end = offset + len;
        }
        if !self.pointers.is_empty() && !self.size.is_multiple_of(8) {
            return bad("a type with pointers has a size that is a multiple of 8");
        }
        if self
            .fields
            .iter()
            .any(|field| u64::from(field.offset) > self.size)
        {
            return bad("fields must be inside the value");
        }
        Ok(())
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.push(self.kind as u8);
        for word in [
            self.key,
            self.size,
            u64::from(self.align),
            self.elem,
            self.map_key,
            self.len,
        ] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        text(&mut out, &self.name);
        number(&mut out, self.fields.len());
        for field in &self.fields {
            text(&mut out, &field.name);
            out.extend_from_slice(&field.type_key.to_le_bytes());
            out.extend_from_slice(&field.offset.to_le_bytes());
        }
        number(&mut out, self.pointers.len());
        for slot in &self.pointers {
            let tag = u32::from(matches!(slot, PointerSlot::Iface(_)));
            out.extend_from_slice(&(slot.offset() | tag).to_le_bytes());
        }
        out
    }

    /// A type whose values would contain values of the same type, which no program can have written.
    pub(crate) fn find_endless<'a>(
        descs: impl Iterator<Item = &'a TypeDesc>,
    ) -> Option<&'a TypeDesc> {
        let known: FxHashMap<u64, &TypeDesc> = descs.map(|desc| (desc.key, desc)).collect();
        // Types whose parts are all seen to end.
        let mut ends: FxHashSet<u64> = FxHashSet::default();
        for &desc in known.values() {
            // The types around each other, each with the number of the part that is looked at next.
            let mut path = vec![(desc, 0)];
            while let Some((around, next)) = path.last_mut() {
                let part = match around.kind {
                    Kind::Array if *next == 0 => Some(around.elem),
                    Kind::Struct => around.fields.get(*next).map(|field| field.type_key),
                    _ => None,
                };
                *next += 1;
                let Some(part) = part else {
                    ends.insert(around.key);
                    path.pop();
                    continue;
                };
                if path.iter().any(|(around, _)| around.key == part) {
                    return Some(desc);
                }
                if let Some(&desc) = known.get(&part).filter(|_| !ends.contains(&part)) {
                    path.push((desc, 0));
                }
            }
        }
        None
    }

    /// None if the bytes are no type descriptor.
    pub(crate) fn decode(bytes: &[u8]) -> Option<TypeDesc> {
        let mut input = Input { bytes };
        let kind = *KINDS.get(usize::from(input.take::<1>()?[0]))?;
        let (key, size) = (input.u64()?, input.u64()?);
        let align = u32::try_from(input.u64()?).ok()?;
        let (elem, map_key, len) = (input.u64()?, input.u64()?, input.u64()?);
        let name = input.text()?;
        let mut fields = Vec::new();
        for _ in 0..input.u32()? {
            fields.push(Field {
                name: input.text()?,
                type_key: input.u64()?,
                offset: input.u32()?,
            });
        }
        let mut pointers = Vec::new();
        for _ in 0..input.u32()? {
            let word = input.u32()?;
            pointers.push(if word & 1 == 0 {
                PointerSlot::Ptr(word)
            } else {
                PointerSlot::Iface(word & !1)
            });
        }
        let desc = TypeDesc {
            name,
            key,
            kind,
            size,
            align,
            fields,
            elem,
            map_key,
            len,
            pointers,
        };
        (input.bytes.is_empty() && desc.validate().is_ok()).then_some(desc)
    }
}

fn number(out: &mut Vec<u8>, n: usize) {
    out.extend_from_slice(
        &u32::try_from(n)
            .expect("a type has fewer than 2^32 parts")
            .to_le_bytes(),
    );
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

struct Input<'a> {
    bytes: &'a [u8],
}

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*head)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let len = self.u32()? as usize;
        let (text, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            name in ".*",
            key: u64,
            kind in 0usize..25,
            fields in proptest::collection::vec((".*", any::<u64>(), 0u32..4096), 0..9),
            pointers in proptest::collection::btree_map(0u32..256, any::<bool>(), 0..9),
        ) {
            let desc = TypeDesc {
                kind: KINDS[kind],
                fields: fields.into_iter().map(|(name, type_key, offset)| Field { name, type_key, offset }).collect(),
                pointers: pointers
                    .into_iter()
                    .map(|(i, iface)| if iface { PointerSlot::Iface(i * 16) } else { PointerSlot::Ptr(i * 16) })
                    .collect(),
                ..TypeDesc::scalar(&name, key, Kind::Struct, 4096)
            };
            prop_assert_eq!(TypeDesc::decode(&desc.encode()), Some(desc));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            TypeDesc::decode(&bytes);
        }
    }

    #[test]
    fn types_that_contain_themselves_are_found() {
        let struct_of = |key: u64, parts: &[u64]| TypeDesc {
            fields: (parts.iter())
                .map(|&type_key| Field {
                    name: "f".into(),
                    type_key,
                    offset: 0,
                })
                .collect(),
            ..TypeDesc::scalar("s", key, Kind::Struct, 0)
        };
        let array = |key, elem| TypeDesc {
            elem,
            len: 1,
            ..TypeDesc::scalar("a", key, Kind::Array, 0)
        };
        let pointer = |key, elem| TypeDesc {
            elem,
            ..TypeDesc::scalar("p", key, Kind::Pointer, 8)
        };
        let right = [struct_of(1, &[2, 3, 2]), array(2, 4), pointer(3, 1)];
        assert_eq!(TypeDesc::find_endless(right.iter()), None);
        for wrong in [
            &[struct_of(1, &[1])][..],
            &[struct_of(1, &[3, 2]), array(2, 4), struct_of(4, &[5, 1])],
            &[array(1, 2), array(2, 1)],
        ] {
            assert!(TypeDesc::find_endless(wrong.iter()).is_some());
        }
    }
}
