//! The two sides of a migration: the types as the heap has them, and as the program wants them.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Wanted;
use crate::heap::Heap;
use crate::types::{Kind, TypeDesc};

pub(super) struct Schema {
    /// What the heap has, the newest of each key.
    pub old: FxHashMap<u64, Arc<TypeDesc>>,
    /// What the program has.
    pub program: FxHashMap<u64, Arc<TypeDesc>>,
    /// Former names of fields, by type.
    pub was: FxHashMap<u64, Vec<(String, String)>>,
    /// Stored type and the program's type that stands for it in a maker.
    pub views: FxHashSet<(u64, u64)>,
    pub drop: bool,
}

impl Schema {
    pub fn new(heap: &Heap, wanted: &Wanted) -> Schema {
        let mut schema = Schema {
            old: FxHashMap::default(),
            program: FxHashMap::default(),
            was: FxHashMap::default(),
            views: FxHashSet::default(),
            drop: wanted.drop,
        };
        for (_, desc) in heap.types().filter(|(_, desc)| desc.key != 0) {
            schema.old.insert(desc.key, desc.clone());
        }
        for ty in &wanted.types {
            schema
                .program
                .insert(ty.desc.key, Arc::new(ty.desc.clone()));
            if !ty.was.is_empty() {
                schema.was.insert(ty.desc.key, ty.was.clone());
            }
        }
        for maker in &wanted.makers {
            schema.views.insert((maker.new, maker.old));
        }
        schema
    }

    /// The name of a type on either side.
    pub fn name(&self, key: u64) -> String {
        match self.old.get(&key).or_else(|| self.program.get(&key)) {
            Some(desc) => desc.name.clone(),
            None => format!("type {key:#x}"),
        }
    }
}

/// Whether a type that both sides have differs, or a root has another type.
pub(super) fn differs(heap: &Heap, wanted: &Wanted) -> bool {
    let newest = |key| heap.find_type(key).and_then(|index| heap.type_desc(index));
    wanted
        .types
        .iter()
        .any(|ty| newest(ty.desc.key).is_some_and(|old| **old != ty.desc))
        || wanted.roots.iter().any(|(name, key)| {
            heap.root(name)
                .and_then(|(_, index)| heap.type_desc(index))
                .is_some_and(|desc| desc.key != *key)
        })
}

/// A type that a program defined, and so knows by its name: not predeclared, not composed.
pub(super) fn is_defined(desc: &TypeDesc) -> bool {
    let composed = [
        "*",
        "[",
        "map[",
        "struct {",
        "interface {",
        "func(",
        "chan ",
    ];
    desc.name.contains('.') && !composed.iter().any(|start| desc.name.starts_with(start))
}

/// Whether two types have the same underlying type.
pub(super) fn is_identical_underneath(a: &TypeDesc, b: &TypeDesc) -> bool {
    (a.kind, a.size, a.elem, a.map_key, a.len) == (b.kind, b.size, b.elem, b.map_key, b.len)
        && a.fields == b.fields
}

/// What a type is underneath, as a program would write it.
pub(super) fn underlying(schema: &Schema, desc: &TypeDesc) -> String {
    match desc.kind {
        Kind::Pointer => format!("*{}", schema.name(desc.elem)),
        Kind::Slice => format!("[]{}", schema.name(desc.elem)),
        Kind::Array => format!("[{}]{}", desc.len, schema.name(desc.elem)),
        Kind::Map => format!(
            "map[{}]{}",
            schema.name(desc.map_key),
            schema.name(desc.elem)
        ),
        Kind::Struct => "struct".into(),
        Kind::Interface => "interface".into(),
        kind => format!("{kind:?}").to_lowercase(),
    }
}
