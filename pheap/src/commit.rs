//! Commit: find the fresh objects that became reachable, put everything into one record, append it, make it durable.
#![allow(unsafe_code)] // Reads the words and bytes that go into the record.

use crate::error::{Error, Result};
use crate::flusher::Urgency;
use crate::heap::{Durability, Heap, Mutation, Scratch, Store};
use crate::layout::{RECORD_ALIGN, RECORD_HEAD_BYTES, extent_of, part};
use crate::log::Lsn;
use crate::raw;
use crate::space::Space;
use crate::spans::{Bits, HEADER_BYTES, PAGE_BYTES};
use crate::types::TypeDesc;

/// Limit of a record: its length in words is a `u32`.
const MAX_RECORD_BYTES: usize = (u32::MAX as usize) * 8;

/// As `Options::frees_per_record`, when the program waits anyway.
const FREES_AT_ONCE: usize = 1 << 16;

impl Heap {
    /// Commits the innermost level. The outermost commit gives the number of the record that holds it, durable by
    /// the heap's policy; if it fails, the transaction has been rolled back.
    #[inline]
    pub fn commit(&mut self) -> Result<Lsn> {
        self.commit_with(self.options.durability)
    }

    /// As `commit`, with a policy for this transaction; it counts for the outermost level.
    #[inline]
    pub fn commit_with(&mut self, durability: Durability) -> Result<Lsn> {
        match self.txn.depth() {
            0 => Err(Error::NoTxn),
            1 => {
                let done = self
                    .write_record(self.options.frees_per_record)
                    .and_then(|lsn| self.acknowledge(lsn, durability));
                match done {
                    Ok(_) => {
                        self.txn.finish();
                        self.roots.settle();
                        self.check_sometimes();
                    }
                    Err(_) => {
                        self.unpublish();
                        self.rollback()?;
                    }
                }
                done
            }
            _ => {
                self.txn.merge();
                Ok(self.last_lsn())
            }
        }
    }

    /// Writes a record of what was stored outside transactions, if anything, and gives its number or the last one's.
    /// Not inside one.
    pub fn publish(&mut self) -> Result<Lsn> {
        assert_eq!(
            self.depth(),
            0,
            "stores of an open transaction must not be published"
        );
        match self.write_record(self.options.frees_per_record) {
            Ok(lsn) => {
                self.txn.finish();
                Ok(lsn)
            }
            Err(error) => {
                self.unpublish();
                Err(error)
            }
        }
    }

    /// Makes everything committed or stored outside transactions durable. Inside one: everything before it that is
    /// in a record.
    pub fn sync(&mut self) -> Result<()> {
        if self.depth() == 0 {
            self.publish()?;
        }
        self.wait_durable(self.last_lsn())
    }

    /// Returns when the record is on stable storage.
    pub fn wait_durable(&mut self, lsn: Lsn) -> Result<()> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        if store.flusher.durable_lsn() >= lsn {
            return store.flusher.check(&store.path);
        }
        match self.options.mutation {
            Mutation::RetryFailedSync => store.flusher.flush_retrying(store.log.path()),
            _ => store.flusher.flush(store.log.path()),
        }
    }

    /// Has what is in records so far made durable in the background: at once, or after a moment in which more may be
    /// committed. `on_flush` tells when.
    pub fn request_flush(&mut self, now: bool) {
        if let Some(store) = &mut self.store {
            store.flusher.request(match now {
                true => Urgency::Now,
                false => Urgency::Awaited,
            });
        }
    }

    /// Makes what is in records so far durable.
    pub fn flush(&mut self) -> Result<()> {
        self.wait_durable(self.last_lsn())
    }

    /// Whether a record is durable by now; an error if a flush has failed, so that it never will be.
    #[inline]
    pub fn is_durable(&self, lsn: Lsn) -> Result<bool> {
        match &self.store {
            Some(store) if store.flusher.durable_lsn() < lsn => {
                store.flusher.check(&store.path).map(|()| false)
            }
            _ => Ok(true),
        }
    }

    /// Has `tell` called, in another thread, after each flush in the background. Only the first call counts.
    pub fn on_flush(&self, tell: Box<dyn Fn() + Send + Sync>) {
        if let Some(store) = &self.store {
            store.flusher.on_flush(tell);
        }
    }

    /// Sets the policy of later commits.
    pub fn set_durability(&mut self, durability: Durability) {
        self.options.durability = durability;
    }

    /// Number of the last record.
    pub fn last_lsn(&self) -> Lsn {
        self.store
            .as_ref()
            .map_or(0, |store| store.log.chain.next_lsn - 1)
    }

    #[inline]
    fn acknowledge(&mut self, lsn: Lsn, durability: Durability) -> Result<Lsn> {
        match durability {
            Durability::None => {}
            Durability::Async => {
                if let Some(store) = &mut self.store
                    && store.flusher.durable_lsn() < lsn
                {
                    store.flusher.request(Urgency::None);
                }
            }
            Durability::Sync if self.options.mutation == Mutation::AckBeforeSync => {}
            Durability::Sync => self.wait_durable(lsn)?,
        }
        Ok(lsn)
    }

    /// As `publish`, in as many records as all frees take.
    pub(crate) fn publish_all(&mut self) -> Result<Lsn> {
        while self.pending.has_freed() && self.store.is_some() && !self.read_only {
            if let Err(error) = self.write_record(FREES_AT_ONCE) {
                self.unpublish();
                return Err(error);
            }
            self.txn.finish();
        }
        self.publish()
    }

    /// Appends one record of all changes since the last, if there are any; of frees only so many.
    fn write_record(&mut self, frees: usize) -> Result<Lsn> {
        let last = self.last_lsn();
        self.scratch.published.clear();
        self.scratch.new_spans.clear();
        let Some(store) = &self.store else {
            return Ok(last);
        };
        if !self.txn.has_changes() && !self.pending.has_freed() {
            return Ok(last);
        }
        if self.read_only {
            // What the program noted by itself, such as its types, stays in memory.
            if !self.txn.has_saved() {
                return Ok(last);
            }
            return Err(Error::ReadOnly {
                path: store.path.clone(),
                what: "a change of persistent data",
            });
        }
        store.flusher.check(&store.path)?;
        let freed_spans = self.pending.freed_spans.len().saturating_sub(frees);
        let freed_words = self.pending.freed_words.len().saturating_sub(frees);
        self.build_record(freed_spans, freed_words);
        self.scratch.mark_dirty(&self.space, &mut self.pages);
        let len = self.scratch.record.len();
        if len == RECORD_HEAD_BYTES {
            self.pending.freed_words.truncate(freed_words);
            return Ok(last);
        }
        if len > MAX_RECORD_BYTES {
            return Err(Error::TooLarge {
                count: 1,
                elem_bytes: len as u64,
            });
        }
        self.make_room(len)?;
        let store = self.store.as_mut().expect("tested above");
        let lsn = store
            .log
            .append(&mut self.scratch.record, store.flusher.durable_lsn())?;
        store.flusher.written(lsn);
        if self.scratch.record.capacity() > 16 << 20 {
            self.scratch.record = Vec::new();
        }
        self.txn.forget_notes();
        self.pending.extents.clear();
        if self.options.mutation == Mutation::PagesReusedBeforeRecord {
            self.pending.freed_spans.truncate(freed_spans);
        }
        for (first, pages) in self.pending.freed_spans.drain(freed_spans..) {
            self.space.release(first, pages);
        }
        self.pending.freed_words.truncate(freed_words);
        Ok(lsn)
    }

    /// With frees from these places of their lists on.
    fn build_record(&mut self, freed_spans: usize, freed_words: usize) {
        let Heap {
            space,
            txn,
            scratch,
            types,
            pending,
            extents,
            options,
            ..
        } = self;
        let Scratch {
            record,
            ranges,
            changed,
            published,
            new_spans,
        } = scratch;
        let base = space.base();
        txn.changed(ranges, changed);
        // What lies in objects that are free by now, or still fresh, is no part of the durable state.
        changed.retain(|&(addr, _)| {
            space
                .locate(addr)
                .is_some_and(|(id, slot)| !space.is_fresh_slot(id, slot))
        });
        for &(addr, words) in changed.iter() {
            publish_words(space, addr, words, published);
        }
        let mut at = 0;
        while at < published.len() {
            let (id, slot) = published[at];
            let object = space.object_at(id, slot);
            let desc = &types[object.type_index as usize];
            if !desc.pointers.is_empty() {
                publish_words(
                    space,
                    object.addr,
                    object_bytes(desc, object.count, object.size_bytes) / 8,
                    published,
                );
            }
            at += 1;
        }

        record.clear();
        record.resize(RECORD_HEAD_BYTES, 0);
        for extent in &pending.extents {
            words(record, &[part::GROW | extent.first << 8, extent.pages]);
        }
        for &(page, _) in &pending.freed_spans[freed_spans..] {
            words(record, &[part::FREE_SPAN | page << 8]);
        }
        for &(id, _) in published.iter() {
            let span = space.span_mut(id);
            if !span.persisted {
                span.persisted = true;
                new_spans.push(id);
                let (first, second) =
                    ((span.start - base) / PAGE_BYTES, u64::from(span.pages) << 8);
                words(
                    record,
                    &[part::SPAN | first << 8, second | u64::from(span.class)],
                );
            }
        }
        for &(page, word) in &pending.freed_words[freed_words..] {
            let Some(span) = space.span_at_page(page).filter(|span| span.persisted) else {
                continue;
            };
            if span.start == base + page * PAGE_BYTES && (word as usize) < span.words() {
                let bits =
                    span.word(Bits::Alloc, word as usize) & !span.word(Bits::Fresh, word as usize);
                let bitmap = extent_of(extents, page)
                    .expect("spans lie in extents")
                    .bitmap(page);
                words(
                    record,
                    &[part::WORDS | 1 << 8, bitmap + u64::from(word) * 8, bits],
                );
            }
        }
        if options.mutation != Mutation::FreshNotLogged {
            for &(id, slot) in published.iter() {
                let object = space.object_at(id, slot);
                let desc = &types[object.type_index as usize];
                let len = HEADER_BYTES + object_bytes(desc, object.count, object.size_bytes);
                let first = (space.span(id).start - base) / PAGE_BYTES;
                let start = object.addr - HEADER_BYTES;
                words(
                    record,
                    &[
                        part::OBJECT | len << 8,
                        start - base,
                        first << 16 | u64::from(slot),
                    ],
                );
                // SAFETY: the object and its header lie in a mapped span; nothing writes while a commit runs.
                record.extend_from_slice(unsafe { raw::bytes(start, len) });
            }
        }
        // Single words are packed; where more follow each other a range takes less.
        let mut count_at = None;
        for &(addr, n) in changed.iter() {
            if n == 1 {
                let at = *count_at.get_or_insert_with(|| {
                    words(record, &[part::WORDS]);
                    record.len() - 8
                });
                // SAFETY: a word of a live object, as found above.
                words(record, &[addr - base, unsafe { raw::read_u64(addr) }]);
                let count = (record.len() - at - 8) as u64 / 16;
                record[at..at + 8].copy_from_slice(&(part::WORDS | count << 8).to_le_bytes());
            } else {
                count_at = None;
                words(record, &[part::RANGE | (n * 8) << 8, addr - base]);
                // SAFETY: words of a live object, as found above.
                record.extend_from_slice(unsafe { raw::bytes(addr, n * 8) });
            }
        }
    }

    /// The record that published objects was not written: they are fresh again.
    fn unpublish(&mut self) {
        while let Some((id, slot)) = self.scratch.published.pop() {
            self.space.span_mut(id).set(Bits::Fresh, slot);
        }
        while let Some(id) = self.scratch.new_spans.pop() {
            self.space.span_mut(id).persisted = false;
        }
    }

    /// Makes room for a record in the log: by growing it up to its limit, then by a checkpoint. There is one also when many
    /// pages are dirty.
    fn make_room(&mut self, record_bytes: usize) -> Result<()> {
        let store = self
            .store
            .as_mut()
            .expect("only heaps with files write records");
        if self.pages.dirty_bytes() > self.options.dirty_limit_bytes && store.log.used_bytes() > 0 {
            self.checkpoint_before_record()?;
            return self.make_room(record_bytes);
        }
        if store.log.fits(record_bytes) {
            return Ok(());
        }
        let limit = self.options.log_limit_bytes;
        if store.log.capacity() * 2 <= limit && store.grow_log(store.log.capacity() * 2).is_ok() {
            return self.make_room(record_bytes);
        }
        self.checkpoint_before_record()?;
        let store = self.store.as_mut().expect("as before");
        if !store.log.fits(record_bytes) {
            let needed = crate::layout::LOG_START + record_bytes as u64 + 2 * RECORD_ALIGN;
            store.grow_log(needed.next_multiple_of(4096))?;
        }
        Ok(())
    }
}

impl Heap {
    /// A checkpoint while a record has been made but not written.
    fn checkpoint_before_record(&mut self) -> Result<()> {
        self.empty_log(false)?;
        self.scratch.mark_dirty(&self.space, &mut self.pages);
        self.trim();
        Ok(())
    }
}

impl Store {
    fn grow_log(&mut self, capacity: u64) -> Result<()> {
        self.flusher.check(&self.path)?;
        self.log.extend(capacity)?;
        self.flusher.flush_all(self.log.path())?;
        self.log.use_extension(capacity, self.superblock.uuid)
    }
}

/// Bytes of an object that count, a multiple of 8.
fn object_bytes(desc: &TypeDesc, count: u32, capacity_bytes: u64) -> u64 {
    desc.size
        .saturating_mul(count.into())
        .next_multiple_of(8)
        .min(capacity_bytes)
}

/// Publishes the fresh objects that words may point to. Scalars that look like such a pointer publish too much,
/// which is harmless: the collector will free it.
#[inline]
fn publish_words(space: &mut Space, addr: u64, words: u64, published: &mut Vec<(u32, u32)>) {
    for i in 0..words {
        // SAFETY: the words belong to a live object.
        let word = unsafe { raw::read_u64(addr + i * 8) };
        if space.contains(word)
            && let Some((id, slot)) = space.locate(word)
            && space.is_fresh_slot(id, slot)
        {
            space.span_mut(id).reset(Bits::Fresh, slot);
            published.push((id, slot));
        }
    }
}

#[inline]
fn words(record: &mut Vec<u8>, words: &[u64]) {
    for word in words {
        record.extend_from_slice(&word.to_le_bytes());
    }
}
