//! The spans of a reopened heap, of which its descriptors tell: made when something is first looked for among them, for
//! one page of descriptors at a time, so that opening a larger heap does not take longer.
#![allow(unsafe_code)] // Reads descriptors and bitmaps in the range of the space.

use crate::Addr;
use crate::image::{Descriptor, descriptors};
use crate::layout::{DESCRIPTORS_PER_PAGE, Extent, PAGE_SPAN};
use crate::raw;
use crate::space::{ObjectRef, Space, object_in};
use crate::spans::{Bits, PAGE_BYTES, Span};

/// The pages that one page of descriptors tells of.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    extent: Extent,
    /// Number of the page of descriptors in its extent.
    index: u64,
    /// The first page that objects may lie in, the first one that no span of an earlier chunk covers, the end.
    first: u64,
    from: u64,
    end: u64,
    /// Number of the chunk of the span that covers the pages up to `from`.
    owner: usize,
    is_made: bool,
}

/// A part of a chunk.
enum Run {
    Span {
        pages: u64,
        class: u8,
    },
    /// Pages in no span, and whether they read as zero.
    Free {
        pages: u64,
        zero: bool,
    },
}

impl Chunk {
    /// Calls `visit` with the first page of each run, and the run; gives the end of the last one. The error is the page of a
    /// descriptor that cannot be right.
    fn each_run(
        &self,
        descriptors: impl Iterator<Item = Descriptor>,
        mut visit: impl FnMut(u64, Run),
    ) -> Result<u64, u64> {
        let start = self.extent.first + self.index * DESCRIPTORS_PER_PAGE;
        let mut next = self.from;
        let mut free: Option<(u64, bool)> = None;
        for (page, descriptor) in (start..self.end).zip(descriptors) {
            if page < next {
                continue;
            }
            // Pages that were never written read as zero.
            let zero = descriptor.crc.is_none();
            let is_span = descriptor.kind == PAGE_SPAN;
            if let Some((first, was_zero)) = free
                && (is_span || zero != was_zero)
            {
                let pages = page - first;
                visit(
                    first,
                    Run::Free {
                        pages,
                        zero: was_zero,
                    },
                );
                free = None;
            }
            if !is_span {
                free.get_or_insert((page, zero));
                next = page + 1;
                continue;
            }
            if !descriptor.is_possible_span(self.extent, page) {
                return Err(page);
            }
            let (pages, class) = (descriptor.pages, descriptor.class);
            visit(page, Run::Span { pages, class });
            next = page + pages;
        }
        if let Some((first, zero)) = free {
            let pages = next - first;
            visit(first, Run::Free { pages, zero });
        }
        Ok(next)
    }
}

/// The chunks of a heap, in order.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    all: Vec<Chunk>,
    /// Those before this one are made.
    next: usize,
    /// End of the last span, and the chunk in which it begins.
    end_of_span: u64,
    owner: usize,
    /// Pages in spans of chunks that are not made, and the number of these spans.
    pub span_pages: u64,
    pub spans: u64,
}

impl Chunks {
    /// Adds the next page of descriptors of a heap, number `index` of its extent. The error is the page of a descriptor that
    /// cannot be right.
    pub fn add(&mut self, extent: Extent, index: u64, bytes: &[u8]) -> Result<(), u64> {
        let start = extent.first + index * DESCRIPTORS_PER_PAGE;
        let end = (start + DESCRIPTORS_PER_PAGE).min(extent.end());
        let first = extent.data().clamp(start, end);
        let chunk = Chunk {
            extent,
            index,
            first,
            from: self.end_of_span.clamp(first, end),
            end,
            owner: self.owner,
            is_made: false,
        };
        let number = self.all.len();
        chunk.each_run(descriptors(bytes), |page, run| {
            if let Run::Span { pages, .. } = run {
                self.span_pages += pages;
                self.spans += 1;
                (self.end_of_span, self.owner) = (page + pages, number);
            }
        })?;
        self.all.push(chunk);
        Ok(())
    }

    /// End of the last page.
    pub fn end(&self) -> u64 {
        self.all.last().map_or(0, |chunk| chunk.end)
    }

    /// The ranges of pages that hold neither objects nor are free.
    pub fn meta(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let extents = self.all.iter().filter(|chunk| chunk.index == 0);
        extents.map(|chunk| (chunk.extent.first, chunk.extent.data()))
    }

    /// The chunk with the span or free run that a page belongs to.
    fn of_page(&self, page: u64) -> Option<usize> {
        let number = self.all.partition_point(|chunk| chunk.end <= page);
        let chunk = self.all.get(number)?;
        match page {
            page if page < chunk.first => None,
            page if page < chunk.from => Some(chunk.owner),
            _ => Some(number),
        }
    }
}

impl Space {
    /// The descriptors of a chunk, in the mapping. What they tell of spans does not change before the chunk is made: who
    /// changes something makes it first.
    fn descriptors_of(&self, chunk: &Chunk) -> impl Iterator<Item = Descriptor> + use<> {
        let page = chunk.extent.first + chunk.index;
        // SAFETY: the page lies in the mapped heap file, and the program writes to pages of objects only.
        descriptors(unsafe { raw::bytes(self.base() + page * PAGE_BYTES, PAGE_BYTES) })
    }

    /// Makes the spans of the chunk that a page belongs to.
    #[cold]
    #[inline(never)]
    pub(crate) fn make_page(&mut self, page: u64) {
        if let Some(number) = self.chunks.of_page(page) {
            self.make_chunk(number);
        }
    }

    /// Makes the spans of the first chunk that has not been made; false if there is none.
    pub(crate) fn make_some(&mut self) -> bool {
        while let Some(chunk) = self.chunks.all.get(self.chunks.next) {
            let is_made = chunk.is_made;
            if !is_made {
                self.make_chunk(self.chunks.next);
            }
            self.chunks.next += 1;
            if !is_made {
                return true;
            }
        }
        false
    }

    /// Makes all spans that have not been made.
    pub(crate) fn make_all(&mut self) {
        while self.make_some() {}
    }

    fn make_chunk(&mut self, number: usize) {
        let chunk = self.chunks.all[number];
        if chunk.is_made {
            return;
        }
        self.chunks.all[number].is_made = true;
        let runs = self.descriptors_of(&chunk);
        // They were looked at when the heap was opened; what another program may have done to the file since is not followed.
        let _ = chunk.each_run(runs, |page, run| match run {
            Run::Span { pages, class } => {
                self.chunks.span_pages -= pages;
                self.chunks.spans -= 1;
                let bitmap = self.base() + chunk.extent.bitmap(page);
                self.add_stored_span(page, pages, class, bitmap);
            }
            Run::Free { pages, zero } => {
                self.no_span(page, pages);
                match zero {
                    true => self.add_pages(page, pages),
                    false => self.add_used_pages(page, pages),
                }
            }
        });
    }

    /// The object that an arbitrary word points into, in a chunk that is not made.
    #[cold]
    #[inline(never)]
    pub(crate) fn find_stored(&self, addr: Addr) -> Option<ObjectRef> {
        let page = (addr - self.base()) / PAGE_BYTES;
        let chunk = self.chunks.all[self.chunks.of_page(page)?];
        let mut found = None;
        let runs = self.descriptors_of(&chunk);
        let _ = chunk.each_run(runs, |first, run| {
            if let Run::Span { pages, class } = run
                && (first..first + pages).contains(&page)
            {
                let start = self.base() + first * PAGE_BYTES;
                let bitmap = self.base() + chunk.extent.bitmap(first);
                let span = Span::unloaded(start, pages, class, bitmap);
                let slot = span.slot_of(addr).filter(|&slot| holds_object(&span, slot));
                found = slot.map(|slot| object_in(&span, slot));
            }
        });
        found
    }
}

/// Whether a slot of a span holds an object.
#[inline]
pub(crate) fn holds_object(span: &Span, slot: u32) -> bool {
    if span.is_loaded() {
        return span.test(Bits::Alloc, slot);
    }
    // SAFETY: the bitmap of a stored span lies in the mapped metadata of its extent.
    let word = unsafe { raw::read_u64(span.stored_bits() + u64::from(slot / 64) * 8) };
    word & (1 << (slot % 64)) != 0
}
