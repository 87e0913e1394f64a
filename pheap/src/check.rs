//! The check of a whole heap: superblocks, log chain, descriptors, checksums, bitmaps, headers, pointers, reachability,
//! and that replaying the log twice gives the same as once.
#![allow(unsafe_code)] // Compares objects in memory with what is on disk.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::heap::{Heap, Store};
use crate::image::{Image, Pages, descriptors, read_extents};
use crate::layout::{DESCRIPTORS_PER_PAGE, Extent, PAGE_SPAN, extent_of, get_u64};
use crate::log::{self, Chain};
use crate::raw;
use crate::spans::{Bits, HEADER_BYTES, PAGE_BYTES};
use crate::{collect, superblock};

/// Something wrong with a heap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, in the heap file.
    pub offset: u64,
    pub what: String,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub problems: Vec<Problem>,
    pub objects: u64,
    /// Objects that a collection would free: no problem.
    pub unreachable_objects: u64,
    pub spans: u64,
    /// Pages whose checksums were compared.
    pub pages: u64,
    pub records: u64,
}

impl Report {
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }

    fn problem(&mut self, offset: u64, what: impl Into<String>) {
        self.problems.push(Problem {
            offset,
            what: what.into(),
        });
    }
}

/// The durable state: the file with the log's records applied.
struct Durable<'a> {
    store: &'a Store,
    pages: Pages,
    extents: Vec<Extent>,
    /// First page → pages and class.
    spans: BTreeMap<u64, (u64, u8)>,
}

impl Durable<'_> {
    fn page(&self, page: u64) -> Result<Vec<u8>> {
        if let Some(bytes) = self.pages.get(&page) {
            return Ok(bytes.to_vec());
        }
        let mut bytes = vec![0; PAGE_BYTES as usize];
        let io = |source| Error::io(&self.store.path, "reading the heap", source);
        self.store
            .file
            .read_at(&mut bytes, page * PAGE_BYTES)
            .map_err(io)?;
        Ok(bytes)
    }

    /// Reads a range; `last` holds the page that was read last.
    fn read(&self, offset: u64, len: u64, last: &mut (u64, Vec<u8>)) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(len as usize);
        let (mut at, end) = (offset, offset + len);
        while at < end {
            let (page, from) = (at / PAGE_BYTES, at % PAGE_BYTES);
            let to = (from + end - at).min(PAGE_BYTES);
            if last.0 != page || last.1.is_empty() {
                *last = (page, self.page(page)?);
            }
            bytes.extend_from_slice(&last.1[from as usize..to as usize]);
            at += to - from;
        }
        Ok(bytes)
    }
}

impl Heap {
    /// Checks the heap, in memory and on disk. Errors are those of reading; what is wrong is in the report.
    pub fn check(&mut self) -> Result<Report> {
        self.finish_collection();
        self.check_now()
    }

    /// As `check`, without reachability and pointers while a collection is under way.
    pub(crate) fn check_now(&mut self) -> Result<Report> {
        let mut report = Report::default();
        self.space.make_all();
        if let Some(store) = &self.store {
            let durable = check_files(store, self.options.mutation, &mut report)?;
            // With stores pending, memory is ahead of the files.
            let pending = self.depth() > 0 || self.txn.has_changes() || self.pending.has_freed();
            if !pending && !self.read_only {
                self.compare(&durable, &mut report)?;
            }
        }
        self.check_objects(&mut report);
        Ok(report)
    }

    /// Compares spans, bitmaps and objects with the durable state.
    fn compare(&self, durable: &Durable<'_>, report: &mut Report) -> Result<()> {
        let base = self.base();
        let mut last = (0, Vec::new());
        let mut in_memory = BTreeMap::new();
        for span in self.space.spans().filter(|span| span.persisted) {
            in_memory.insert(
                (span.start - base) / PAGE_BYTES,
                (u64::from(span.pages), span.class),
            );
        }
        if in_memory != durable.spans {
            report.problem(0, "the spans in memory are not those on disk");
            return Ok(());
        }
        for span in self
            .space
            .spans()
            .filter(|span| span.persisted && span.is_loaded())
        {
            let page = (span.start - base) / PAGE_BYTES;
            let Some(extent) = extent_of(&durable.extents, page) else {
                continue;
            };
            let stored = durable.read(extent.bitmap(page), span.words() as u64 * 8, &mut last)?;
            for word in 0..span.words() {
                if get_u64(&stored, word * 8)
                    != span.word(Bits::Alloc, word) & !span.word(Bits::Fresh, word)
                {
                    report.problem(
                        extent.bitmap(page),
                        "an allocation bitmap differs from memory",
                    );
                }
            }
        }
        let mut objects = Vec::new();
        self.space.for_each_object(|object| {
            if !self.is_fresh(object.addr) {
                objects.push(object);
            }
        });
        for object in objects {
            let desc = self.types.get(object.type_index as usize);
            let bytes = desc
                .map_or(0, |desc| desc.size.saturating_mul(object.count.into()))
                .min(object.size_bytes);
            let start = object.addr - HEADER_BYTES;
            let stored = durable.read(start - base, bytes + HEADER_BYTES, &mut last)?;
            // SAFETY: the object and its header lie in a mapped span; nothing is written meanwhile.
            if !self.is_same(start, &stored, unsafe {
                raw::bytes(start, bytes + HEADER_BYTES)
            }) {
                report.problem(
                    start - base,
                    "an object on disk differs from the one in memory",
                );
            }
        }
        Ok(())
    }

    /// Checks headers, pointers and reachability.
    fn check_objects(&mut self, report: &mut Report) {
        let base = self.base();
        let mut objects = Vec::new();
        self.space.for_each_object(|object| objects.push(object));
        report.objects = objects.len() as u64;
        for &object in &objects {
            let offset = object.addr - HEADER_BYTES - base;
            let Some(desc) = self.types.get(object.type_index as usize) else {
                report.problem(
                    offset,
                    format!("an object of the unknown type {}", object.type_index),
                );
                continue;
            };
            if desc
                .size
                .checked_mul(object.count.into())
                .is_none_or(|size| size > object.size_bytes)
            {
                report.problem(
                    offset,
                    format!(
                        "an object of {} × {} is larger than its slot",
                        object.count, desc.name
                    ),
                );
            }
        }
        if !report.is_ok() || self.is_collecting() {
            return;
        }
        // An unreachable object may refer to one that was freed before it.
        report.unreachable_objects = report.objects;
        self.for_each_reachable(|heap, object| {
            report.unreachable_objects -= 1;
            let desc = &heap.types[object.type_index as usize];
            let published = !heap.space.is_fresh(object.addr);
            let settled = published && !heap.txn.has_changes() && heap.store.is_some();
            collect::each_pointer(object, desc, |at, word| {
                let what = match heap.space.find_object(word) {
                    None => "a pointer to no object",
                    Some(_) if settled && heap.space.is_fresh(word) => {
                        "a pointer to an object that was never committed"
                    }
                    Some(_) => return,
                };
                report.problem(
                    at - base,
                    format!("{what} in an object of type {:?}", desc.name),
                );
            });
        });
    }
}

fn check_files<'a>(
    store: &'a Store,
    mutation: crate::heap::Mutation,
    report: &mut Report,
) -> Result<Durable<'a>> {
    match superblock::read(&*store.file, &store.path) {
        Ok(found) if found.superblock == store.superblock => {}
        Ok(_) => report.problem(
            store.superblock.offset(),
            "the newest superblock is not the one in use",
        ),
        Err(error) => report.problem(0, error.to_string()),
    }
    let chain = Chain {
        salt: store.superblock.salt(),
        next_lsn: store.superblock.next_lsn,
        prev_crc: store.superblock.prev_crc,
    };
    let io = |source| Error::io(store.log.path(), "reading the log", source);
    let len = store.log.file.len_bytes().map_err(io)? as usize;
    let bytes = log::read_all(&*store.log.file, len).map_err(io)?;
    let scan = log::scan(&bytes, store.log.path(), chain, mutation)?;
    if scan.chain != store.log.chain {
        report.problem(
            0,
            format!(
                "the log ends at record {}, not {}",
                scan.chain.next_lsn, store.log.chain.next_lsn
            ),
        );
    }
    report.records = scan.records.len() as u64;
    let replay = |times: usize| {
        let mut image = Image::new(&*store.file, &store.path, store.extents.clone(), false);
        for _ in 0..times {
            scan.records
                .iter()
                .try_for_each(|record| image.apply(&bytes[record.start..record.end]))?;
        }
        image.into_pages()
    };
    let (extents, pages) = replay(1)?;
    if replay(2)? != (extents.clone(), pages.clone()) {
        report.problem(0, "replaying the log twice gives another state than once");
    }
    let mut durable = Durable {
        store,
        pages,
        extents,
        spans: BTreeMap::new(),
    };

    let heap_bytes = durable
        .extents
        .last()
        .map_or(PAGE_BYTES, |extent| extent.end() * PAGE_BYTES);
    let (mut spans, mut sums) = (BTreeMap::<u64, (u64, u8)>::new(), Vec::new());
    let read = |page| durable.page(page);
    let found = read_extents(
        &store.path,
        heap_bytes,
        true,
        read,
        |extent, index, bytes| {
            for (i, descriptor) in descriptors(bytes).enumerate() {
                let page = extent.first + index * DESCRIPTORS_PER_PAGE + i as u64;
                if page >= extent.end() {
                    break;
                }
                if let Some(crc) = descriptor.crc {
                    sums.push((page, crc));
                }
                if descriptor.kind == PAGE_SPAN && page >= extent.data() {
                    spans.insert(page, (descriptor.pages, descriptor.class));
                }
            }
        },
    );
    match found {
        Ok(found) if found == durable.extents => {}
        Ok(_) => report.problem(0, "the extents on disk are not those of the log"),
        Err(error) => report.problem(0, error.to_string()),
    }
    let mut end = 0;
    for (&page, &(pages, _)) in &spans {
        if page < end {
            report.problem(page * PAGE_BYTES, "two spans overlap");
        }
        end = page + pages;
    }
    report.spans = spans.len() as u64;
    report.pages = sums.len() as u64;
    for (page, crc) in sums {
        if crc32c::crc32c(&durable.page(page)?) != crc {
            report.problem(page * PAGE_BYTES, "wrong checksum of a page");
        }
    }
    durable.spans = spans;
    Ok(durable)
}
