//! Checkpoint: bring the heap file up to the log, name that state in the other superblock, start the log anew.
//! What is written comes from the log, not from memory, which may be ahead of what is committed.

use crate::error::{Error, Result};
use crate::heap::{Heap, Mutation, Options, Store};
use crate::image::Image;
use crate::log::{self, Chain};
use crate::spans::PAGE_BYTES;
use crate::superblock::{self, Superblock};

impl Heap {
    /// Makes everything durable and empties the log. Inside a transaction, what was committed before it.
    pub fn checkpoint(&mut self) -> Result<()> {
        if self.depth() == 0 {
            self.publish_all()?;
        }
        self.empty_log(false)?;
        self.trim();
        Ok(())
    }

    pub(crate) fn empty_log(&mut self, clean: bool) -> Result<()> {
        let mutation = self.options.mutation;
        let cut = self.free_tail();
        let Some(store) = &mut self.store else {
            return Ok(());
        };
        if self.read_only || (store.log.used_bytes() == 0 && !clean) {
            return Ok(());
        }
        store.flusher.check(&store.path)?;
        let durable_lsn = store.flusher.durable_lsn();
        let mut intact = true;
        if store.log.used_bytes() > 0 {
            intact = !store.log.mark_checkpoint(false, durable_lsn)?;
            store.flusher.written(store.log.chain.next_lsn - 1);
        }
        if mutation != Mutation::HeapWriteBeforeLogSync {
            store.flusher.flush(store.log.path())?;
        }
        let chain = Chain {
            salt: store.superblock.salt(),
            next_lsn: store.superblock.next_lsn,
            prev_crc: store.superblock.prev_crc,
        };
        if store.log.used_bytes() > 0 {
            let end = self.extents.last().map_or(1, |extent| extent.end());
            store.write_tail(end, store.superblock.generation + 1);
        }
        let mut image =
            Image::new(&*store.file, &store.path, store.extents.clone(), true).verifying(intact);
        store.log.read(false, |bytes| {
            let scan = log::scan(bytes, store.log.path(), chain, mutation)?;
            assert!(
                mutation != Mutation::None || scan.chain == store.log.chain,
                "the log in memory is not what was written to it"
            );
            scan.records
                .iter()
                .try_for_each(|record| image.apply(&bytes[record.start..record.end]))
        })?;
        image.write_out()?;
        let mut extents = image.extents;
        extents.truncate(extents.len() - cut);
        let end = store.log.chain;
        if mutation == Mutation::TruncateBeforeSuperblockSync && cut > 0 {
            let bytes = extents
                .last()
                .map_or(PAGE_BYTES, |last| last.end() * PAGE_BYTES);
            let _ = store.file.truncate(bytes);
        }
        store.switch(extents, end, clean, mutation)?;
        self.pages.checkpointed();
        self.cut_tail(cut)
    }

    /// Number of extents at the end of the heap that hold nothing, if it pays to give them back.
    fn free_tail(&self) -> usize {
        // Extents of which no record tells belong to what is to be committed next.
        if !self.pending.extents.is_empty() {
            return 0;
        }
        let free = self.extents[1.min(self.extents.len())..].iter().rev();
        let free = free.take_while(|extent| {
            let data = extent.data();
            self.space.is_free(data, extent.end() - data)
        });
        let (mut count, mut pages) = (0, 0);
        for extent in free {
            count += 1;
            pages += extent.pages;
        }
        let all = self.extents.last().map_or(0, |extent| extent.end());
        let worth = self.options.initial_bytes.max(all * PAGE_BYTES / 8);
        if pages * PAGE_BYTES >= worth {
            count
        } else {
            0
        }
    }

    /// Gives the last extents back, of which the superblock does not tell any more.
    fn cut_tail(&mut self, count: usize) -> Result<()> {
        let Some(store) = self.store.as_ref().filter(|_| count > 0) else {
            return Ok(());
        };
        let io = |source| Error::io(&store.path, "shrinking the heap", source);
        let first = self.extents[self.extents.len() - count].first;
        let end = self.extents.last().map_or(first, |extent| extent.end());
        self.space.remove_pages(first, end - first);
        self.extents.truncate(self.extents.len() - count);
        let (offset, len) = (first * PAGE_BYTES, (end - first) * PAGE_BYTES);
        self.space.mapping().clear(offset, len).map_err(io)?;
        store.file.truncate(offset).map_err(io)?;
        store.write_tail(first, store.superblock.generation);
        Ok(())
    }
}

impl Store {
    /// Notes behind the extents, which end at a page, which checkpoint began last.
    pub fn write_tail(&self, end_page: u64, generation: u64) {
        let uuid = self.superblock.uuid;
        superblock::write_tail(&*self.file, end_page * PAGE_BYTES, uuid, generation);
    }

    /// Syncs the heap file, whose pages have all been written, makes it the state of the next superblock, and reuses
    /// the log. An error in this order of steps leaves the old superblock and the whole log.
    pub fn switch(
        &mut self,
        extents: Vec<crate::layout::Extent>,
        chain: Chain,
        clean: bool,
        mutation: Mutation,
    ) -> Result<()> {
        if mutation != Mutation::SuperblockBeforeHeapSync {
            self.sync_heap()?;
        }
        let superblock = Superblock {
            generation: self.superblock.generation + 1,
            heap_bytes: extents
                .last()
                .map_or(PAGE_BYTES, |extent| extent.end() * PAGE_BYTES),
            next_lsn: chain.next_lsn,
            prev_crc: chain.prev_crc,
            clean,
            ..self.superblock
        };
        let io = |source| Error::io(&self.path, "writing the superblock", source);
        superblock.write(&*self.file).map_err(io)?;
        if mutation != Mutation::LogReuseBeforeSuperblockSync {
            self.sync_heap()?;
        }
        self.superblock = superblock;
        self.extents = extents;
        self.log.reuse(superblock.salt());
        Ok(())
    }

    /// Cuts an empty log that a busy session has blown up: it need not stay beside the heap, nor be read at every open.
    pub fn shrink_log(&mut self, options: &Options, reopen: bool) -> Result<()> {
        let threshold = options.log_bytes.max(options.log_limit_bytes / 4);
        if self.log.capacity() <= threshold {
            return Ok(());
        }
        let Store {
            log, flusher, path, ..
        } = self;
        let uuid = self.superblock.uuid;
        log.shrink(options.log_bytes, uuid, reopen, || flusher.flush_all(path))
    }

    fn sync_heap(&self) -> Result<()> {
        if let Err(cause) = self.file.sync() {
            self.flusher.poison(cause);
        }
        self.flusher.check(&self.path)
    }
}
