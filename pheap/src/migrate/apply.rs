//! The migration itself: new objects, references to them, and what is left for the caller to do.
#![allow(unsafe_code)] // Reads and writes objects and the references in them.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::convert::{Converter, NodeId, Pair, Reference, Shape, Step};
use super::graph::{Object, Survey, is_used};
use super::locate::Want;
use super::number;
use super::view::Views;
use super::{Instance, Maker, Migrated, Refusal};
use crate::Addr;
use crate::heap::Heap;
use crate::raw;
use crate::types::{Kind, TypeDesc};

impl Heap {
    /// Carries a migration out, as a part of the open transaction. If it fails, the heap must be dropped, not closed.
    pub fn migrate(&mut self, survey: &mut Survey) -> Result<Migrated, Refusal> {
        assert!(self.depth() > 0, "a migration outside transactions");
        survey.register(self)?;
        for i in 0..survey.objects.len() {
            let object = survey.objects[i];
            let node = &survey.converter.nodes[object.node as usize];
            if !node.same {
                let new = node.new.clone();
                let index = self.register_type((*new).clone())?;
                let bytes = new.size.saturating_mul(object.count.into());
                let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
                survey.objects[i].new_addr = self.alloc(index, object.count, bytes)?;
            }
        }
        let mut migrated = Migrated {
            tables: survey.tables(),
            instances: Vec::new(),
        };
        // Views are copies of what is still as it was.
        survey.instances(self, &mut migrated)?;
        for i in 0..survey.objects.len() {
            survey.fill(self, survey.objects[i])?;
        }
        for (name, pair) in &survey.roots {
            let Some((addr, _)) = self.root(name) else {
                continue;
            };
            let new = survey.map(self, addr, *pair, 1)?;
            if let Some(desc) = survey.converter.new_desc(pair.1)
                && (new != addr || pair.0 != pair.1)
            {
                let index = self.register_type((*desc).clone())?;
                self.set_root(name, new, index)?;
            }
        }
        Ok(migrated)
    }
}

impl Converter {
    /// Converts a value, from one address to another if it has `moved`, and calls `refer` for each of its references.
    pub(super) fn value(
        &self,
        node: NodeId,
        (from, to): (u64, u64),
        moved: bool,
        refer: &mut impl FnMut(Reference, u64, u64) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        for step in &self.nodes[node].steps {
            match *step {
                Step::Copy {
                    from: a,
                    to: b,
                    len,
                } if moved => {
                    // SAFETY: old and new value are as large as their types, and apart.
                    unsafe { raw::write_bytes(to + b, raw::bytes(from + a, len)) };
                }
                Step::Number { from: a, to: b } if moved => {
                    // SAFETY: as above.
                    unsafe { number::convert((from + a.0, a.1), (to + b.0, b.1)) };
                }
                Step::Refer {
                    from: a,
                    to: b,
                    reference,
                } => refer(reference, from + a, to + b)?,
                Step::Repeat {
                    from: a,
                    to: b,
                    node,
                    count,
                } => {
                    let inner = &self.nodes[node];
                    for i in 0..count {
                        let from = from + a + i * inner.old.size;
                        let to = to + b + i * inner.new.size;
                        self.value(node, (from, to), moved, refer)?;
                    }
                }
                Step::Copy { .. } | Step::Number { .. } => {}
            }
        }
        Ok(())
    }
}

impl Survey {
    /// Tells the heap the types as they will be.
    fn register(&self, heap: &mut Heap) -> Result<(), Refusal> {
        let Converter { schema, .. } = &self.converter;
        let mut work: Vec<u64> = schema.old.keys().copied().collect();
        work.extend(self.roots.iter().map(|(_, pair)| pair.1));
        work.extend(self.makers.iter().map(|maker| maker.old));
        work.sort_unstable();
        let mut done = FxHashSet::default();
        while let Some(key) = work.pop() {
            if key == 0 || !done.insert(key) {
                continue;
            }
            if let Some(desc) = self.converter.laid_out(key) {
                let fields = desc.fields.iter().map(|field| field.type_key);
                work.extend(fields.chain([desc.elem, desc.map_key]));
                heap.register_type((*desc).clone())?;
            }
        }
        Ok(())
    }

    /// Gives an object its new content.
    fn fill(&self, heap: &mut Heap, object: Object) -> Result<(), Refusal> {
        let node = &self.converter.nodes[object.node as usize];
        let moved = object.new_addr != 0;
        if !moved && !node.is_followed {
            return Ok(());
        }
        for i in 0..u64::from(object.count) {
            let from = object.addr + i * node.old.size;
            let to = match moved {
                true => object.new_addr + i * node.new.size,
                false => from,
            };
            if moved || is_used(&node.old, from) {
                let node = object.node as usize;
                self.converter
                    .value(node, (from, to), moved, &mut |reference, from, to| {
                        self.refer(heap, reference, from, to, moved)
                    })?;
            }
        }
        Ok(())
    }

    /// Makes the reference at `to`, which is a copy of that at `from` or the same, refer to the new objects.
    pub(super) fn refer(
        &self,
        heap: &mut Heap,
        reference: Reference,
        from: u64,
        to: u64,
        moved: bool,
    ) -> Result<(), Refusal> {
        // SAFETY: the words of a reference in a live object.
        let word = |i: u64| unsafe { raw::read_u64(from + i * 8) };
        let mut at = to;
        let (old, new) = match reference {
            Reference::Pointer(pair) => (word(0), self.map(heap, word(0), pair, 1)?),
            Reference::Slice(pair) => (word(0), self.map(heap, word(0), pair, word(2))?),
            Reference::Map(_) | Reference::Entries(_) => (word(0), self.map_object(word(0))),
            Reference::Interface => {
                at += 8;
                (word(1), self.map_dynamic(heap, word(0), word(1))?)
            }
        };
        if old != new {
            if !moved {
                heap.log(at, 8);
            }
            // SAFETY: as above; the old word has been logged, or the object is new.
            unsafe { raw::write_u64(at, new) };
        }
        Ok(())
    }

    fn map_dynamic(&self, heap: &Heap, key: u64, word: u64) -> Result<u64, Refusal> {
        let Some(desc) = self.converter.old(key) else {
            return Ok(word);
        };
        match key & 3 {
            2 => self.map(heap, word, (key, key), 1),
            0 if desc.kind == Kind::Map => Ok(self.map_object(word)),
            0 => {
                let elem = self
                    .converter
                    .laid_out(key)
                    .map_or(desc.elem, |new| new.elem);
                self.map(heap, word, (desc.elem, elem), 1)
            }
            _ => Ok(self.scalar(key, word).unwrap_or(word)),
        }
    }

    /// Where an object is that is referred to as a whole.
    fn map_object(&self, word: u64) -> u64 {
        match self.ids.get(&word) {
            Some(&id) if self.objects[id as usize].new_addr != 0 => {
                self.objects[id as usize].new_addr
            }
            _ => word,
        }
    }

    /// Where `n` values are that are referred to by an address.
    pub(super) fn map(&self, heap: &Heap, word: u64, pair: Pair, n: u64) -> Result<u64, Refusal> {
        let Some(object) = heap.find_object(word) else {
            return Ok(word);
        };
        let Some(&id) = self.ids.get(&object.addr) else {
            return Ok(word);
        };
        let object = self.objects[id as usize];
        let node = object.node as usize;
        let offset = word - object.addr;
        if object.new_addr == 0 {
            return Ok(word);
        }
        let want = Want { pair, n };
        match self.locate_run(node, object.count.into(), offset, want) {
            Some(new) => Ok(object.new_addr + new),
            // It shows nothing.
            None if n == 0 => Ok(object.new_addr),
            None => Err(self.lost(node, offset, pair)),
        }
    }

    /// Maps whose keys changed or are hashed by addresses.
    fn tables(&self) -> Vec<(Addr, u64)> {
        let mut tables = Vec::new();
        for object in &self.objects {
            let node = &self.converter.nodes[object.node as usize];
            if let Shape::Reference(Reference::Entries(pair)) = node.shape
                && self.is_rehashed(pair)
            {
                tables.push((self.map_object(object.addr), pair.1));
            }
        }
        tables
    }

    pub(super) fn is_rehashed(&self, pair: Pair) -> bool {
        let key = |map: Option<&Arc<TypeDesc>>| map.map_or(0, |map| map.map_key);
        let new = self.converter.laid_out(pair.1);
        let keys = (key(self.converter.old(pair.0)), key(new.as_ref()));
        let changed = match self.converter.node(keys) {
            Some(node) => !self.converter.nodes[node].same,
            None => false,
        };
        changed || self.has_addresses(keys.0)
    }

    /// Whether values of the type hold pointers or interfaces.
    fn has_addresses(&self, key: u64) -> bool {
        self.converter.old(key).is_some_and(|desc| match desc.kind {
            Kind::Pointer | Kind::Interface => true,
            Kind::Array => self.has_addresses(desc.elem),
            Kind::Struct => {
                let mut fields = desc.fields.iter();
                fields.any(|field| self.has_addresses(field.type_key))
            }
            _ => false,
        })
    }

    /// The values that makers make, each with a view of the old one.
    fn instances(&self, heap: &mut Heap, out: &mut Migrated) -> Result<(), Refusal> {
        let mut places = Vec::new();
        for object in &self.objects {
            let node = &self.converter.nodes[object.node as usize];
            if !node.has_maker || object.new_addr == 0 {
                continue;
            }
            for i in 0..u64::from(object.live) {
                let from = object.addr + i * node.old.size;
                if is_used(&node.old, from) {
                    let to = object.new_addr + i * node.new.size;
                    self.made(object.node as usize, from, to, &mut places);
                }
            }
        }
        places.sort_by_key(|&(maker, _, _)| maker);
        let mut views = Views::new(self);
        for (maker, from, new) in places {
            let Maker { old, new: key } = self.makers[maker];
            let old = views.view(heap, from, (key, old), 1)?;
            out.instances.push(Instance { maker, old, new });
        }
        views.finish(heap)?;
        out.tables.extend(views.tables);
        Ok(())
    }

    fn made(&self, node: NodeId, from: u64, to: u64, out: &mut Vec<(usize, u64, u64)>) {
        let node = &self.converter.nodes[node];
        if !node.has_maker {
            return;
        }
        match &node.shape {
            Shape::Struct { parts, .. } => {
                for part in parts {
                    self.made(part.node, from + part.from, to + part.to, out);
                }
                if let Some(&maker) = self.converter.makers.get(&node.new.key)
                    && node.old.key == node.new.key
                {
                    out.push((maker, from, to));
                }
            }
            Shape::Array(elem) => {
                let inner = &self.converter.nodes[*elem];
                let (old, new) = (inner.old.size, inner.new.size);
                for i in 0..node.old.len {
                    self.made(*elem, from + i * old, to + i * new, out);
                }
            }
            _ => {}
        }
    }
}
