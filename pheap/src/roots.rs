//! The catalog: the heap's table of types and its named roots, kept in objects of the heap itself, so that commits,
//! rollbacks and recovery treat them as they treat everything else.
#![allow(unsafe_code)] // Reads and writes the catalog's words.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::Addr;
use crate::error::{Error, Result};
use crate::heap::Heap;
use crate::raw;
use crate::spans::{HEADER_BYTES, PAGE_BYTES};
use crate::types::{BYTES_TYPE, CATALOG_TYPE, FIRST_TYPE, POINTERS_TYPE, ROOTS_TYPE, TypeDesc};

// Byte offsets in the catalog.
pub(crate) const TYPES: u64 = 0;
pub(crate) const TYPE_COUNT: u64 = 8;
pub(crate) const ROOTS: u64 = 16;
pub(crate) const ROOT_COUNT: u64 = 24;

// Byte offsets in a root entry, and its size.
pub(crate) const NAME: u64 = 0;
pub(crate) const VALUE: u64 = 8;
pub(crate) const TYPE: u64 = 16;
pub(crate) const ENTRY_BYTES: u64 = 24;

/// What is in the catalog, for quick answers.
#[derive(Default)]
pub(crate) struct Roots {
    index: FxHashMap<String, u64>,
    types: FxHashMap<TypeDesc, u32>,
    newest: FxHashMap<u64, u32>,
    /// A root was added or removed in the open transaction.
    changed: bool,
}

impl Roots {
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// The outermost transaction has ended.
    #[inline]
    pub fn settle(&mut self) {
        self.changed = false;
    }
}

/// What is wrong with types that would contain themselves.
pub(crate) const ENDLESS: &str = "a type that contains itself";

/// A named root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    pub name: String,
    pub addr: Addr,
    pub type_index: u32,
}

impl Heap {
    pub(crate) fn make_catalog(&mut self) -> Result<()> {
        self.catalog = self.alloc(
            CATALOG_TYPE,
            1,
            TypeDesc::internal(CATALOG_TYPE).size as usize,
        )?;
        Ok(())
    }

    /// Reads the catalog of a heap just opened, every step checked.
    pub(crate) fn read_catalog(&mut self, catalog: Addr) -> Result<()> {
        self.catalog = catalog;
        let damaged = |what| {
            let offset = catalog - self.base();
            Err(Error::damaged(self.path(), offset, what))
        };
        let is = |addr: Addr, type_index: u32, count: u64| {
            self.find_object(addr).is_some_and(|object| {
                object.addr == addr
                    && object.type_index == type_index
                    && u64::from(object.count) >= count
            })
        };
        if !is(catalog, CATALOG_TYPE, 1) {
            return damaged("the catalog is missing");
        }
        let (types, type_count) = (self.word(catalog + TYPES), self.word(catalog + TYPE_COUNT));
        if type_count > 0 && !is(types, POINTERS_TYPE, type_count) {
            return damaged("the type table is missing");
        }
        let mut descs = Vec::new();
        for i in 0..type_count {
            let addr = self.word(types + i * 8);
            let desc = if is(addr, BYTES_TYPE, 1) {
                TypeDesc::decode(self.object_bytes(addr))
            } else {
                None
            };
            let Some(desc) = desc else {
                return damaged("a type description is unreadable");
            };
            descs.push(desc);
        }
        if TypeDesc::find_endless(descs.iter()).is_some() {
            return damaged(ENDLESS);
        }
        for desc in descs {
            self.add_type(desc);
        }
        let (roots, root_count) = (self.word(catalog + ROOTS), self.word(catalog + ROOT_COUNT));
        let is = |addr: Addr, type_index: u32, count: u64| {
            self.find_object(addr).is_some_and(|object| {
                object.addr == addr
                    && object.type_index == type_index
                    && u64::from(object.count) >= count
            })
        };
        let damaged = |what| Err(Error::damaged(self.path(), catalog - self.base(), what));
        if root_count > 0 && !is(roots, ROOTS_TYPE, root_count) {
            return damaged("the table of roots is missing");
        }
        for i in 0..root_count {
            let entry = roots + i * ENTRY_BYTES;
            let type_ok = self.word(entry + TYPE) < self.types.len() as u64;
            if !is(self.word(entry + NAME), BYTES_TYPE, 0) || !type_ok {
                return damaged("a root is unreadable");
            }
        }
        self.read_roots();
        Ok(())
    }

    fn read_roots(&mut self) {
        let (roots, count) = (
            self.word(self.catalog + ROOTS),
            self.word(self.catalog + ROOT_COUNT),
        );
        self.roots.index.clear();
        for i in 0..count {
            let name = self.name(roots + i * ENTRY_BYTES);
            self.roots.index.insert(name, i);
        }
    }

    /// After a rollback: the roots are what the heap says.
    pub(crate) fn reload_roots(&mut self) {
        if self.roots.changed {
            self.read_roots();
            // An outer level may have changed them too.
            self.roots.changed = self.depth() > 0;
        }
    }

    fn word(&self, addr: Addr) -> u64 {
        debug_assert!(self.contains(addr) && addr.is_multiple_of(8));
        // SAFETY: the catalog's objects are checked when they are read, and made by this module since.
        unsafe { raw::read_u64(addr) }
    }

    /// The bytes of a byte object.
    fn object_bytes(&self, addr: Addr) -> &[u8] {
        let object = self.find_object(addr).expect("an object of the catalog");
        // SAFETY: the object is live and `self` is borrowed, so nothing in this module writes to it.
        unsafe { raw::bytes(addr, u64::from(object.count).min(object.size_bytes)) }
    }

    fn name(&self, entry: Addr) -> String {
        String::from_utf8_lossy(self.object_bytes(self.word(entry + NAME))).into_owned()
    }

    /// Stores a word of a root: part of the open transaction, if there is one.
    fn store_word(&mut self, addr: Addr, value: u64) {
        if self.depth() > 0 {
            self.log(addr, 8);
        } else {
            self.note(addr, 8);
        }
        // SAFETY: the catalog's objects lie in mapped spans; no reference into them is alive.
        unsafe { raw::write_u64(addr, value) };
    }

    /// A new byte object.
    pub fn alloc_bytes(&mut self, bytes: &[u8]) -> Result<Addr> {
        let addr = self.alloc_array(BYTES_TYPE, bytes.len() as u64)?;
        // SAFETY: the object is new and has this length.
        unsafe { raw::write_bytes(addr, bytes) };
        Ok(addr)
    }

    /// A copy of an array of the catalog with twice the room, at least 8.
    fn enlarged(&mut self, array: Addr, count: u64, type_index: u32) -> Result<Addr> {
        let bytes = count * self.types[type_index as usize].size;
        let new = self.alloc_array(type_index, (count * 2).max(8))?;
        if bytes > 0 {
            // SAFETY: both arrays are live and at least this long; the new one does not overlap the old.
            unsafe { raw::write_bytes(new, raw::bytes(array, bytes)) };
        }
        Ok(new)
    }

    /// The index for a type; equal descriptions have the same index in every run. Not undone by a rollback.
    pub fn register_type(&mut self, desc: TypeDesc) -> Result<u32> {
        if let Some(&index) = self.roots.types.get(&desc)
            && (desc.key == 0 || self.roots.newest.get(&desc.key) == Some(&index))
        {
            return Ok(index);
        }
        // A type that is again as it was before a migration is registered anew, to be the newest of its key.
        desc.validate()?;
        let bytes = self.alloc_bytes(&desc.encode())?;
        let (mut types, count) = (
            self.word(self.catalog + TYPES),
            self.word(self.catalog + TYPE_COUNT),
        );
        let room = self
            .find_object(types)
            .map_or(0, |object| u64::from(object.count));
        if count == room {
            types = self.enlarged(types, count, POINTERS_TYPE)?;
            self.put_type_word(self.catalog + TYPES, types);
        }
        self.put_type_word(types + count * 8, bytes);
        self.put_type_word(self.catalog + TYPE_COUNT, count + 1);
        Ok(self.add_type(desc))
    }

    fn put_type_word(&mut self, addr: Addr, value: u64) {
        self.note(addr, 8);
        // SAFETY: as in `store_word`.
        unsafe { raw::write_u64(addr, value) };
    }

    fn add_type(&mut self, desc: TypeDesc) -> u32 {
        let index = self.types.len() as u32;
        self.roots.types.insert(desc.clone(), index);
        self.roots.newest.insert(desc.key, index);
        self.types.push(Arc::new(desc));
        index
    }

    /// The description of a type.
    pub fn type_desc(&self, type_index: u32) -> Option<&Arc<TypeDesc>> {
        self.types.get(type_index as usize)
    }

    /// The newest type with a key.
    pub fn find_type(&self, key: u64) -> Option<u32> {
        self.roots.newest.get(&key).copied()
    }

    /// All registered types, with their indexes, oldest first.
    pub fn types(&self) -> impl Iterator<Item = (u32, &Arc<TypeDesc>)> {
        (0..).zip(&self.types).skip(FIRST_TYPE as usize)
    }

    fn entry(&self, name: &str) -> Option<Addr> {
        let &i = self.roots.index.get(name)?;
        Some(self.word(self.catalog + ROOTS) + i * ENTRY_BYTES)
    }

    /// The address and type of a named root.
    pub fn root(&self, name: &str) -> Option<(Addr, u32)> {
        let entry = self.entry(name)?;
        Some((self.word(entry + VALUE), self.word(entry + TYPE) as u32))
    }

    /// Makes `addr` the root of this name.
    pub fn set_root(&mut self, name: &str, addr: Addr, type_index: u32) -> Result<()> {
        assert!(
            (type_index as usize) < self.types.len(),
            "unregistered type"
        );
        if let Some(entry) = self.entry(name) {
            self.store_word(entry + VALUE, addr);
            self.store_word(entry + TYPE, type_index.into());
            return Ok(());
        }
        let name_object = self.alloc_bytes(name.as_bytes())?;
        let (mut roots, count) = (
            self.word(self.catalog + ROOTS),
            self.word(self.catalog + ROOT_COUNT),
        );
        let room = self
            .find_object(roots)
            .map_or(0, |object| u64::from(object.count));
        if count == room {
            roots = self.enlarged(roots, count, ROOTS_TYPE)?;
            self.store_word(self.catalog + ROOTS, roots);
        }
        let entry = roots + count * ENTRY_BYTES;
        self.store_word(entry + NAME, name_object);
        self.store_word(entry + VALUE, addr);
        self.store_word(entry + TYPE, type_index.into());
        self.store_word(self.catalog + ROOT_COUNT, count + 1);
        self.roots.index.insert(name.to_owned(), count);
        self.roots.changed = true;
        Ok(())
    }

    /// Removes a root; false if there is none of this name.
    pub fn delete_root(&mut self, name: &str) -> bool {
        let Some(entry) = self.entry(name) else {
            return false;
        };
        let count = self.word(self.catalog + ROOT_COUNT) - 1;
        let last = self.word(self.catalog + ROOTS) + count * ENTRY_BYTES;
        for offset in [NAME, VALUE, TYPE] {
            let word = self.word(last + offset);
            self.store_word(entry + offset, word);
        }
        for offset in [NAME, VALUE, TYPE] {
            self.store_word(last + offset, 0);
        }
        self.store_word(self.catalog + ROOT_COUNT, count);
        self.read_roots();
        self.roots.changed = true;
        true
    }

    /// All named roots, in no particular order.
    pub fn roots(&self) -> Vec<Root> {
        let (roots, count) = (
            self.word(self.catalog + ROOTS),
            self.word(self.catalog + ROOT_COUNT),
        );
        (0..count)
            .map(|i| {
                let entry = roots + i * ENTRY_BYTES;
                let (addr, type_index) = (self.word(entry + VALUE), self.word(entry + TYPE) as u32);
                Root {
                    name: self.name(entry),
                    addr,
                    type_index,
                }
            })
            .collect()
    }
}

// The catalog is the first object of a heap and found by its place, so it must fit a span of one page.
const _: () = assert!(ROOT_COUNT + 8 + HEADER_BYTES < PAGE_BYTES);
