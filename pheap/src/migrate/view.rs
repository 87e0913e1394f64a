//! Old values as makers see them: copies, as values of the types that the program declares for them. Pointers among them
//! lead to such copies again, all others to the new objects.
#![allow(unsafe_code)] // Reads old objects and fills new ones.

use rustc_hash::FxHashMap;

use super::Refusal;
use super::convert::{NodeId, Pair, Reference};
use super::graph::Survey;
use crate::Addr;
use crate::heap::Heap;
use crate::raw;
use crate::types::{BYTES_TYPE, TypeDesc};

pub(super) struct Views<'a> {
    survey: &'a Survey,
    /// Views by address, type and number of values.
    made: FxHashMap<(Addr, u64, u64), Addr>,
    /// Values still to be copied.
    work: Vec<Copy>,
    /// Copied maps whose keys must be hashed anew.
    pub tables: Vec<(Addr, u64)>,
}

struct Copy {
    from: Addr,
    to: Addr,
    node: NodeId,
    count: u64,
}

impl Views<'_> {
    pub fn new(survey: &Survey) -> Views<'_> {
        Views {
            survey,
            made: FxHashMap::default(),
            work: Vec::new(),
            tables: Vec::new(),
        }
    }

    /// The view of `n` old values.
    pub fn view(
        &mut self,
        heap: &mut Heap,
        from: Addr,
        pair: Pair,
        n: u64,
    ) -> Result<Addr, Refusal> {
        let Some(node) = self.survey.converter.node(pair) else {
            return Ok(0);
        };
        if from == 0 {
            return Ok(0);
        }
        if let Some(&addr) = self.made.get(&(from, pair.1, n)) {
            return Ok(addr);
        }
        let new = self.survey.converter.nodes[node].new.clone();
        let to = self.alloc(heap, &new, n)?;
        self.made.insert((from, pair.1, n), to);
        let count = n;
        self.work.push(Copy {
            from,
            to,
            node,
            count,
        });
        Ok(to)
    }

    fn alloc(&self, heap: &mut Heap, desc: &TypeDesc, n: u64) -> Result<Addr, Refusal> {
        let index = heap.register_type(desc.clone())?;
        Ok(heap.alloc_array(index, n)?)
    }

    /// Copies what the views lead to.
    pub fn finish(&mut self, heap: &mut Heap) -> Result<(), Refusal> {
        while let Some(copy) = self.work.pop() {
            let converter = &self.survey.converter;
            let node = &converter.nodes[copy.node];
            let (old, new) = (node.old.size, node.new.size);
            for i in 0..copy.count {
                let at = (copy.from + i * old, copy.to + i * new);
                converter.value(copy.node, at, true, &mut |reference, from, to| {
                    self.refer(heap, reference, from, to)
                })?;
            }
        }
        Ok(())
    }

    fn refer(
        &mut self,
        heap: &mut Heap,
        reference: Reference,
        from: u64,
        to: u64,
    ) -> Result<(), Refusal> {
        // SAFETY: the words of a reference in a live object.
        let word = |i: u64| unsafe { raw::read_u64(from + i * 8) };
        let new = match reference {
            Reference::Pointer(pair) if pair.0 != pair.1 => self.view(heap, word(0), pair, 1)?,
            Reference::Slice(pair) if pair.0 != pair.1 => {
                self.view(heap, word(0), pair, word(2))?
            }
            Reference::Map(pair) if pair.0 != pair.1 => self.map(heap, word(0), pair)?,
            _ => return self.survey.refer(heap, reference, from, to, true),
        };
        // SAFETY: the copy's word.
        unsafe { raw::write_u64(to, new) };
        Ok(())
    }

    /// A copy of a map: header, entries, index.
    fn map(&mut self, heap: &mut Heap, header: Addr, pair: Pair) -> Result<Addr, Refusal> {
        let Some((head, entries)) = self.survey.converter.table(pair) else {
            return Ok(0);
        };
        if header == 0 {
            return Ok(0);
        }
        if let Some(&addr) = self.made.get(&(header, pair.1, 0)) {
            return Ok(addr);
        }
        let desc = self.survey.converter.nodes[head].new.clone();
        let to = self.alloc(heap, &desc, 1)?;
        self.made.insert((header, pair.1, 0), to);
        // SAFETY: a header has this size, the copy too.
        unsafe { raw::write_bytes(to, raw::bytes(header, desc.size)) };
        let place = |i: usize| u64::from(desc.pointers[i].offset());
        for (i, is_index) in [(0, false), (1, true)] {
            // SAFETY: a word of the old header.
            let part = unsafe { raw::read_u64(header + place(i)) };
            let Some(object) = heap.find_object(part).filter(|_| part != 0) else {
                continue;
            };
            let count = u64::from(object.count);
            let copy = if is_index {
                let copy = heap.alloc_array(BYTES_TYPE, count)?;
                // SAFETY: both objects have so many bytes.
                unsafe { raw::write_bytes(copy, raw::bytes(part, count)) };
                copy
            } else {
                let desc = self.survey.converter.nodes[entries].new.clone();
                let copy = self.alloc(heap, &desc, count)?;
                self.work.push(Copy {
                    from: part,
                    to: copy,
                    node: entries,
                    count,
                });
                copy
            };
            // SAFETY: a word of the new header.
            unsafe { raw::write_u64(to + place(i), copy) };
        }
        if self.survey.is_rehashed(pair) {
            self.tables.push((to, pair.1));
        }
        Ok(to)
    }
}
