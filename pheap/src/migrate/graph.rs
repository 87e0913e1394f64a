//! The graph of objects: which of them change, and the change itself.
#![allow(unsafe_code)] // Reads and writes objects and the references in them.

use rustc_hash::{FxHashMap, FxHashSet};

use super::convert::{Converter, NodeId, Pair, Reference, Shape, Step, is_same_type};
use super::number::{self, widens};
use super::schema::Schema;
use super::text::{Change, Verdict};
use super::{Maker, Misfit, Refusal, Wanted};
use crate::Addr;
use crate::heap::Heap;
use crate::raw;
use crate::space::ObjectRef;
use crate::types::{FIRST_TYPE, Kind, TypeDesc};

/// Bit of the first word of a map's entry: it is in use.
const ALIVE: u64 = 1 << 63;

/// What is in the heap and what a migration would do to it.
pub struct Survey {
    pub(super) converter: Converter,
    pub(super) objects: Vec<Object>,
    pub(super) ids: FxHashMap<Addr, u32>,
    pub(super) roots: Vec<(String, Pair)>,
    pub(super) makers: Vec<Maker>,
    /// Objects whose layout changes, and the bytes of the new ones.
    pub moved_objects: u64,
    pub moved_bytes: u64,
}

#[derive(Clone, Copy)]
pub(super) struct Object {
    pub addr: Addr,
    pub new_addr: Addr,
    pub node: u32,
    pub count: u32,
    /// Elements that a slice or pointer shows.
    pub live: u32,
}

/// A reference's target, and how many values of it the reference shows.
#[derive(Clone, Copy)]
struct Target {
    word: u64,
    pair: Pair,
    len: u64,
}

/// Objects found but not looked at yet.
#[derive(Default)]
struct Found {
    work: Vec<u32>,
    /// Objects that only references to their inside have led to.
    inside: Vec<ObjectRef>,
    references: Vec<(u64, Reference)>,
}

impl Heap {
    /// Finds out what a migration would do. Nothing is changed.
    pub fn survey(&mut self, wanted: &Wanted) -> Result<Survey, Refusal> {
        // Every object will be looked for.
        self.space.make_all();
        let makers = active_makers(self, wanted)?;
        let mut schema = Schema::new(self, wanted);
        schema.views = makers
            .iter()
            .map(|&i| (wanted.makers[i].new, wanted.makers[i].old))
            .collect();
        let mut converter = Converter::new(schema);
        for &i in &makers {
            converter.makers.insert(wanted.makers[i].new, i);
        }
        let mut keys: Vec<u64> = converter.schema.old.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            converter.convert((key, key));
        }
        for &i in &makers {
            converter.convert((wanted.makers[i].new, wanted.makers[i].old));
        }
        let mut roots = Vec::new();
        for root in self.roots() {
            let key = self.type_desc(root.type_index).map_or(0, |desc| desc.key);
            let want = wanted.roots.iter().find(|(name, _)| *name == root.name);
            let pair = (key, want.map_or(key, |want| want.1));
            let fits = |converter: &Converter, id: NodeId| {
                let node = &converter.nodes[id];
                is_same_type(pair) || !node.mismatch && node.own_change.is_none()
            };
            let pair = match converter.convert(pair) {
                Some(id) if fits(&converter, id) => pair,
                _ => (key, key),
            };
            if pair.0 != pair.1 {
                converter.retype(pair);
            }
            roots.push((root.name, pair));
        }
        converter.finish();
        let mut survey = Survey {
            converter,
            objects: Vec::new(),
            ids: FxHashMap::default(),
            roots,
            makers: wanted.makers.clone(),
            moved_objects: 0,
            moved_bytes: 0,
        };
        survey.discover(self)?;
        survey.converter.changes.iter_mut().for_each(|change| {
            change.fields.retain(|field| field.verdict != Verdict::Same);
        });
        Ok(survey)
    }
}

/// The makers, by number, that have something to make: of each type the first whose stand-in is what the heap has.
fn active_makers(heap: &Heap, wanted: &Wanted) -> Result<Vec<usize>, Refusal> {
    let mut schema = Schema::new(heap, wanted);
    schema.drop = false;
    let mut converter = Converter::new(schema);
    let (mut active, mut unfit) = (Vec::new(), Vec::new());
    let mut done = FxHashSet::default();
    for (i, maker) in wanted.makers.iter().enumerate() {
        let is_changed = |converter: &Converter| {
            let old = converter.old(maker.new)?;
            Some(converter.schema.program.get(&maker.new)? != old)
        };
        if done.contains(&maker.new) || is_changed(&converter) != Some(true) {
            continue;
        }
        let Some(id) = converter.convert((maker.new, maker.old)) else {
            continue;
        };
        let node = &converter.nodes[id];
        let own = node.own_change.map(|change| &converter.changes[change]);
        let is_fit = !node.mismatch
            && own.is_none_or(|change| {
                let mut fields = change.fields.iter();
                fields.all(|field| field.verdict == Verdict::Reordered)
            });
        if is_fit {
            done.insert(maker.new);
            active.push(i);
        } else {
            let mut change = own.cloned().unwrap_or_else(|| Change {
                type_name: String::new(),
                fields: Vec::new(),
                values: 0,
                made: false,
            });
            change.type_name = format!(
                "{}: the argument {} of pmem.Migrate is not as the heap has it",
                converter.schema.name(maker.new),
                converter.schema.name(maker.old)
            );
            unfit.push((maker.new, change));
        }
    }
    // A function for another version does no harm where none is needed.
    unfit.retain(|(key, _)| {
        let Some(id) = converter.convert((*key, *key)) else {
            return false;
        };
        let node = &converter.nodes[id];
        let lossy = |change: usize| converter.changes[change].is_lossy();
        !done.contains(key) && (node.mismatch || node.own_change.is_some_and(lossy))
    });
    match unfit.is_empty() {
        true => Ok(active),
        false => Err(Refusal::Incompatible(
            unfit.into_iter().map(|(_, change)| change).collect(),
        )),
    }
}

/// Elements of an object that are of its type.
fn elements(count: u32, bytes: u64, desc: &TypeDesc) -> u32 {
    match bytes.checked_div(desc.size) {
        Some(n) => count.min(u32::try_from(n).unwrap_or(u32::MAX)),
        None => count,
    }
}

impl Survey {
    /// The changes of types of which there are values.
    pub fn changes(&self) -> Vec<Change> {
        let changes = self.converter.changes.iter();
        changes.filter(|c| c.values > 0).cloned().collect()
    }

    /// The roots that stay as they are because they do not fit the program's.
    pub fn misfits(&self, heap: &Heap, wanted: &Wanted) -> Vec<Misfit> {
        let name = |key| self.converter.schema.name(key);
        let mut misfits = Vec::new();
        for (root, key) in &wanted.roots {
            let Some((_, index)) = heap.root(root) else {
                continue;
            };
            let pair = self.roots.iter().find(|(name, _)| name == root);
            if pair.is_some_and(|(_, pair)| pair.1 != *key) {
                misfits.push(Misfit {
                    name: root.clone(),
                    old: heap
                        .type_desc(index)
                        .map_or_else(String::new, |desc| desc.name.clone()),
                    new: name(*key),
                });
            }
        }
        misfits
    }

    /// Whether functions of the program are to make values.
    pub fn has_makers(&self) -> bool {
        let makers = &self.converter.makers;
        self.objects.iter().any(|object| {
            !makers.is_empty() && self.converter.nodes[object.node as usize].has_maker
        })
    }

    /// What stands in the way of the migration: changes that lose data, without consent.
    pub fn refusal(&self) -> Option<Refusal> {
        let mut changes = self.changes();
        changes.retain(Change::is_lossy);
        (!changes.is_empty() && !self.converter.schema.drop)
            .then_some(Refusal::Incompatible(changes))
    }

    fn discover(&mut self, heap: &Heap) -> Result<(), Refusal> {
        let mut found = Found::default();
        for (name, pair) in self.roots.clone() {
            if let Some((word, _)) = heap.root(&name) {
                let len = 1;
                self.reach(heap, &mut found, Target { word, pair, len })?;
            }
        }
        loop {
            if let Some(id) = found.work.pop() {
                self.scan(heap, &mut found, id)?;
            } else if let Some(object) = found.inside.pop() {
                let key = heap.types[object.type_index as usize].key;
                if !self.ids.contains_key(&object.addr)
                    && let Some(node) = self.converter.node((key, key))
                {
                    self.visit(&mut found, object, node, 0)?;
                }
            } else {
                return self.count();
            }
        }
    }

    /// The changed values, and what moves.
    fn count(&mut self) -> Result<(), Refusal> {
        for object in &self.objects {
            let node = &self.converter.nodes[object.node as usize];
            if !node.same {
                self.moved_objects += 1;
                self.moved_bytes += node.new.size * u64::from(object.count);
            }
            if node.changes.is_empty() {
                continue;
            }
            let live = (0..u64::from(object.live))
                .filter(|i| is_used(&node.old, object.addr + i * node.old.size))
                .count() as u64;
            for &(change, n) in &node.changes {
                self.converter.changes[change].values += n * live;
            }
        }
        Ok(())
    }

    fn visit(
        &mut self,
        found: &mut Found,
        object: ObjectRef,
        node: NodeId,
        live: u64,
    ) -> Result<(), Refusal> {
        let desc = &self.converter.nodes[node].old;
        let count = elements(object.count, object.size_bytes, desc);
        let live = u32::try_from(live).unwrap_or(u32::MAX).min(count);
        if let Some(&id) = self.ids.get(&object.addr) {
            let known = &mut self.objects[id as usize];
            known.live = known.live.max(live);
            if known.node as usize == node {
                return Ok(());
            }
            let name = |node: NodeId| &self.converter.nodes[node].new.name;
            return Err(Refusal::Value(format!(
                "values of type {} are referred to both as {} and as {}: change both types, or neither",
                desc.name,
                name(self.objects[id as usize].node as usize),
                name(node)
            )));
        }
        let id = self.objects.len() as u32;
        self.ids.insert(object.addr, id);
        self.objects.push(Object {
            addr: object.addr,
            new_addr: 0,
            node: node as u32,
            count,
            live,
        });
        found.work.push(id);
        Ok(())
    }

    /// Follows a reference to values.
    fn reach(&mut self, heap: &Heap, found: &mut Found, target: Target) -> Result<(), Refusal> {
        let Some(object) = heap.find_object(target.word) else {
            return Ok(());
        };
        let (old, new) = target.pair;
        let mut key = heap.types[object.type_index as usize].key;
        if object.type_index < FIRST_TYPE {
            // Bytes serve as elements too.
            let is_byte = self
                .converter
                .old(old)
                .is_some_and(|d| d.kind == Kind::Uint8);
            if !is_byte || old == new {
                return Ok(());
            }
            key = old;
        } else if key == 0 {
            return Ok(());
        } else if heap.find_type(key) != Some(object.type_index) {
            return Err(Refusal::Value(format!(
                "the heap holds values of two versions of type {}",
                self.converter.schema.name(key)
            )));
        }
        let Some(desc) = self.converter.old(key) else {
            return Ok(());
        };
        let (size, offset) = (desc.size, target.word - object.addr);
        let aligned = size == 0 || offset.is_multiple_of(size);
        let first = offset.checked_div(size).unwrap_or(0);
        let as_array = self
            .converter
            .old(old)
            .filter(|desc| desc.kind == Kind::Array && desc.elem == key)
            .map(|desc| desc.len);
        let whole = if key == old && aligned {
            Some(((key, new), target.len))
        } else if let Some(len) = as_array.filter(|_| aligned) {
            let new = self.converter.new_desc(new).map_or(0, |desc| desc.elem);
            Some(((key, new), len))
        } else {
            None
        };
        match whole {
            Some((pair, len)) => match self.converter.node(pair) {
                Some(node) => self.visit(found, object, node, first + len),
                None => Err(self.lost_type(pair)),
            },
            None => {
                if let Some(&id) = self.ids.get(&object.addr) {
                    let live = &mut self.objects[id as usize].live;
                    *live = (*live).max(first as u32 + 1);
                } else {
                    found.inside.push(object);
                }
                Ok(())
            }
        }
    }

    /// Follows the references of an object.
    fn scan(&mut self, heap: &Heap, found: &mut Found, id: u32) -> Result<(), Refusal> {
        let object = self.objects[id as usize];
        let node = object.node as usize;
        if !self.converter.nodes[node].is_followed {
            return Ok(());
        }
        let old = self.converter.nodes[node].old.clone();
        let mut references = std::mem::take(&mut found.references);
        for i in 0..u64::from(object.count) {
            let at = object.addr + i * old.size;
            if !is_used(&old, at) {
                continue;
            }
            references.clear();
            self.references(node, at, &mut references)?;
            for &(at, reference) in &references {
                // SAFETY: the words of a reference in a live object.
                let word = |i: u64| unsafe { raw::read_u64(at + i * 8) };
                match reference {
                    Reference::Pointer(pair) => {
                        let (word, len) = (word(0), 1);
                        self.reach(heap, found, Target { word, pair, len })?;
                    }
                    Reference::Slice(pair) => {
                        let (word, len) = (word(0), word(1));
                        self.reach(heap, found, Target { word, pair, len })?;
                    }
                    Reference::Map(pair) => self.part(heap, found, word(0), pair, true)?,
                    Reference::Entries(pair) => self.part(heap, found, word(0), pair, false)?,
                    Reference::Interface => self.dynamic(heap, found, word(0), word(1))?,
                }
            }
        }
        found.references = references;
        Ok(())
    }

    fn part(
        &mut self,
        heap: &Heap,
        found: &mut Found,
        word: u64,
        pair: Pair,
        header: bool,
    ) -> Result<(), Refusal> {
        let Some(object) = heap.find_object(word) else {
            return Ok(());
        };
        let Some((head, entries)) = self.converter.table(pair) else {
            return Ok(());
        };
        let node = if header { head } else { entries };
        let size = heap.types[object.type_index as usize].size;
        if size != self.converter.nodes[node].old.size {
            return Err(Refusal::Value(format!(
                "a map of type {} has another layout in the heap",
                self.converter.schema.name(pair.0)
            )));
        }
        self.visit(found, object, node, u64::MAX)
    }

    /// Follows an interface's words.
    fn dynamic(
        &mut self,
        heap: &Heap,
        found: &mut Found,
        key: u64,
        word: u64,
    ) -> Result<(), Refusal> {
        let Some(desc) = self.converter.old(key).cloned() else {
            return Ok(());
        };
        let (pair, len) = ((key, key), 1);
        match key & 3 {
            2 => self.reach(heap, found, Target { word, pair, len }),
            0 if desc.kind == Kind::Map => self.part(heap, found, word, pair, true),
            0 => {
                let pair = match self.converter.new_desc(key) {
                    Some(new) if new.kind == desc.kind => (desc.elem, new.elem),
                    _ => (desc.elem, desc.elem),
                };
                self.reach(heap, found, Target { word, pair, len })
            }
            _ => match self.scalar(key, word) {
                Some(_) => Ok(()),
                None => Err(Refusal::Value(format!(
                    "a value of type {} in an interface does not fit its new type",
                    desc.name
                ))),
            },
        }
    }

    /// The data word of an interface that holds a scalar; None if it does not fit the new type.
    pub(super) fn scalar(&self, key: u64, word: u64) -> Option<u64> {
        let node = self.converter.node((key, key))?;
        let node = &self.converter.nodes[node];
        match node.shape {
            Shape::Number => number::convert_word(word, node.old.kind, node.new.kind),
            _ => Some(word),
        }
    }

    /// The references in the value at `at`; numbers that do not fit are an error.
    fn references(
        &self,
        node: NodeId,
        at: u64,
        out: &mut Vec<(u64, Reference)>,
    ) -> Result<(), Refusal> {
        for step in &self.converter.nodes[node].steps {
            match *step {
                Step::Refer {
                    from, reference, ..
                } => out.push((at + from, reference)),
                Step::Repeat {
                    from, node, count, ..
                } => {
                    let size = self.converter.nodes[node].old.size;
                    for i in 0..count {
                        self.references(node, at + from + i * size, out)?;
                    }
                }
                Step::Number { from, to } if !widens(from.1, to.1) => {
                    // SAFETY: the number lies in a live object.
                    let misfit = unsafe { number::misfit((at + from.0, from.1), to.1) };
                    if let Some(number) = misfit {
                        return Err(Refusal::Value(format!(
                            "{}: {number} does not fit {}",
                            self.place(node, from.0),
                            format!("{:?}", to.1).to_lowercase()
                        )));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn lost_type(&self, pair: Pair) -> Refusal {
        let (old, new) = (
            self.converter.schema.name(pair.0),
            self.converter.schema.name(pair.1),
        );
        Refusal::Value(format!("values of type {old} cannot become {new}"))
    }
}

/// Whether the element at `at` is in use: all are but dead entries of maps.
pub(super) fn is_used(desc: &TypeDesc, at: u64) -> bool {
    // SAFETY: an entry begins with a word of the table's own.
    desc.kind != Kind::Internal
        || desc.fields.is_empty()
        || unsafe { raw::read_u64(at) } & ALIVE != 0
}
