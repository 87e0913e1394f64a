//! Applying log records to the pages of a heap file: at a checkpoint, at recovery, for a read-only view, and for
//! the check that compares memory with what is on disk. Applying a record twice is the same as once.

use std::io::ErrorKind;
use std::mem::offset_of;
use std::path::Path;

use rustc_hash::FxHashMap;

use crate::disk::DiskFile;
use crate::error::{Error, Result};
use crate::layout::{
    DESCRIPTORS_PER_PAGE, DescriptorBytes, Extent, FLAG_CRC, PAGE_META, PAGE_PLAIN, PAGE_SPAN,
    TRAILER_OFFSET, TrailerBytes, extent_of, get_u32, get_u64, part, put_u32, put_u64,
};
use crate::spans::{CLASS_PAGES, CLASSES, LARGE, PAGE_BYTES};

const PAGE: usize = PAGE_BYTES as usize;
static ZEROS: [u8; PAGE] = [0; PAGE];
/// Pages held before they are written out; what is applied later simply changes them again.
const MAX_PAGES: usize = 16 << 10;
/// Neighbouring pages are written together, up to this many bytes.
const MAX_WRITE_BYTES: usize = 1 << 20;

/// Pages by number.
pub type Pages = FxHashMap<u64, Box<[u8]>>;

/// The pages of a heap file with changes on top.
pub struct Image<'a> {
    file: &'a dyn DiskFile,
    path: &'a Path,
    pub extents: Vec<Extent>,
    pages: Pages,
    /// Write pages out when they become many; else hold them all.
    spill: bool,
    /// Pages before this one are verified when they are read. Not if a checkpoint may have been interrupted: then
    /// they may be torn, but the log has all that was to be written.
    verified_pages: u64,
}

impl<'a> Image<'a> {
    pub fn new(
        file: &'a dyn DiskFile,
        path: &'a Path,
        extents: Vec<Extent>,
        spill: bool,
    ) -> Image<'a> {
        Image {
            file,
            path,
            extents,
            pages: FxHashMap::default(),
            spill,
            verified_pages: 0,
        }
    }

    /// Verifies the pages of the extents there are now, as they are read.
    pub fn verifying(mut self, verify: bool) -> Image<'a> {
        if verify {
            self.verified_pages = self.extents.last().map_or(0, |extent| extent.end());
        }
        self
    }

    fn damaged(&self, page: u64, what: &str) -> Error {
        Error::damaged(self.path, page * PAGE_BYTES, what)
    }

    pub fn page(&mut self, page: u64) -> Result<&mut [u8]> {
        if !self.pages.contains_key(&page) {
            let verify = page < self.verified_pages;
            let crc = if verify && !is_descriptors(&self.extents, page) {
                let at = self.extent(page)?.descriptor(page);
                let descriptors = self.page(at / PAGE_BYTES)?;
                decode(&descriptors[(at % PAGE_BYTES) as usize..]).crc
            } else {
                None
            };
            if self.spill && self.pages.len() >= MAX_PAGES {
                self.write_out()?;
            }
            let mut bytes = vec![0; PAGE].into_boxed_slice();
            let failed = |source: std::io::Error| match source.kind() {
                ErrorKind::UnexpectedEof => self.damaged(page, "the file ends before it"),
                _ => Error::io(self.path, "reading the heap", source),
            };
            self.file
                .read_at(&mut bytes, page * PAGE_BYTES)
                .map_err(failed)?;
            if verify && is_descriptors(&self.extents, page) {
                let index = page - self.extent(page)?.first;
                check_descriptors(&bytes, index, true).map_err(|what| self.damaged(page, what))?;
            } else if verify && !is_intact(&bytes, crc) {
                return Err(self.damaged(page, "wrong checksum of a page"));
            }
            self.pages.insert(page, bytes);
        }
        Ok(self.pages.get_mut(&page).expect("just inserted"))
    }

    pub fn write(&mut self, mut offset: u64, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let at = (offset % PAGE_BYTES) as usize;
            let len = bytes.len().min(PAGE - at);
            let page = offset / PAGE_BYTES;
            if extent_of(&self.extents, page).is_none() {
                return Err(self.damaged(page, "a log record writes outside the heap"));
            }
            self.page(page)?[at..at + len].copy_from_slice(&bytes[..len]);
            offset += len as u64;
            bytes = &bytes[len..];
        }
        Ok(())
    }

    fn extent(&self, page: u64) -> Result<Extent> {
        extent_of(&self.extents, page)
            .ok_or_else(|| self.damaged(page, "a log record names a page outside the heap"))
    }

    /// Sets kind, class and length of a page, leaving its checksum.
    fn describe(&mut self, page: u64, kind: u8, class: u8, pages: u64) -> Result<()> {
        let at = self.extent(page)?.descriptor(page);
        let bytes = self.page(at / PAGE_BYTES)?;
        let at = (at % PAGE_BYTES) as usize;
        bytes[at + offset_of!(DescriptorBytes, kind)] = kind;
        bytes[at + offset_of!(DescriptorBytes, class)] = class;
        put_u32(bytes, at + offset_of!(DescriptorBytes, pages), pages as u32);
        Ok(())
    }

    /// Applies the parts of a record.
    pub fn apply(&mut self, payload: &[u8]) -> Result<()> {
        let mut words = Words { bytes: payload };
        while let Some(head) = words.next() {
            let number = head >> 8;
            match head & 0xff {
                0 if head == 0 => break,
                part::WORDS => {
                    for _ in 0..number {
                        let (offset, value) = (words.word()?, words.word()?);
                        self.write(offset, &value.to_le_bytes())?;
                    }
                }
                part::RANGE => {
                    let offset = words.word()?;
                    self.write(offset, words.bytes(number)?)?;
                }
                part::OBJECT => {
                    let (offset, place) = (words.word()?, words.word()?);
                    self.write(offset, words.bytes(number)?)?;
                    let (first, slot) = (place >> 16, place & 0xffff);
                    let at = self.extent(first)?.bitmap(first) + slot / 8;
                    self.page(at / PAGE_BYTES)?[(at % PAGE_BYTES) as usize] |= 1 << (slot % 8);
                }
                part::SPAN => {
                    let second = words.word()?;
                    let (pages, class) = (second >> 8, (second & 0xff) as u8);
                    let extent = self.extent(number)?;
                    if number + pages > extent.end()
                        || (class != LARGE && class as usize >= CLASSES)
                    {
                        return Err(self.damaged(number, "a log record makes an impossible span"));
                    }
                    self.describe(number, PAGE_SPAN, class, pages)?;
                    // Only small classes have more than a few slots, so a page of bitmap is the most there is.
                    let bitmap_pages = if class == LARGE { 1 } else { pages };
                    let zeros =
                        vec![0; (bitmap_pages * crate::layout::BITMAP_BYTES_PER_PAGE) as usize];
                    self.write(extent.bitmap(number), &zeros)?;
                }
                part::FREE_SPAN => self.describe(number, PAGE_PLAIN, 0, 0)?,
                part::GROW => {
                    let pages = words.word()?;
                    self.grow(Extent {
                        first: number,
                        pages,
                    })?;
                }
                part::CHECKPOINT => {}
                _ => return Err(self.damaged(0, "a log record has a part of unknown kind")),
            }
        }
        Ok(())
    }

    fn grow(&mut self, extent: Extent) -> Result<()> {
        if extent_of(&self.extents, extent.first).is_none() {
            self.extents.push(extent);
        }
        for i in 0..extent.descriptor_pages() {
            let bytes = self.page(extent.first + i)?;
            put_u64(
                bytes,
                TRAILER_OFFSET + offset_of!(TrailerBytes, pages),
                extent.pages,
            );
            put_u32(
                bytes,
                TRAILER_OFFSET + offset_of!(TrailerBytes, index),
                i as u32,
            );
        }
        for page in extent.first..extent.data() {
            self.describe(page, PAGE_META, 0, 0)?;
        }
        Ok(())
    }

    /// Computes the checksums of changed pages: first into their descriptors, then of the descriptor pages.
    pub fn seal(&mut self) -> Result<()> {
        let changed: Vec<u64> = self
            .pages
            .keys()
            .copied()
            .filter(|&page| !is_descriptors(&self.extents, page))
            .collect();
        let spill = std::mem::replace(&mut self.spill, false);
        for page in changed {
            let crc = crc32c::crc32c(&self.pages[&page]);
            let at = self.extent(page)?.descriptor(page);
            let bytes = self.page(at / PAGE_BYTES)?;
            let at = (at % PAGE_BYTES) as usize;
            put_u32(bytes, at + offset_of!(DescriptorBytes, crc), crc);
            bytes[at + offset_of!(DescriptorBytes, flags)] |= FLAG_CRC as u8;
        }
        self.spill = spill;
        let descriptors: Vec<u64> = self
            .pages
            .keys()
            .copied()
            .filter(|&page| is_descriptors(&self.extents, page))
            .collect();
        for page in descriptors {
            let bytes = self.pages.get_mut(&page).expect("listed just now");
            let crc = crc32c::crc32c(&bytes[..PAGE - 4]);
            put_u32(bytes, PAGE - 4, crc);
        }
        Ok(())
    }

    /// Writes all changed pages to the file, without syncing it.
    pub fn write_out(&mut self) -> Result<()> {
        self.seal()?;
        let mut pages: Vec<_> = std::mem::take(&mut self.pages).into_iter().collect();
        pages.sort_unstable_by_key(|&(page, _)| page);
        let io = |source| Error::io(self.path, "writing a checkpoint", source);
        let mut at = 0;
        let mut run = Vec::new();
        while at < pages.len() {
            let first = pages[at].0;
            run.clear();
            while at < pages.len()
                && pages[at].0 * PAGE_BYTES == first * PAGE_BYTES + run.len() as u64
            {
                run.extend_from_slice(&pages[at].1);
                at += 1;
                if run.len() >= MAX_WRITE_BYTES {
                    break;
                }
            }
            self.file.write_at(&run, first * PAGE_BYTES).map_err(io)?;
        }
        Ok(())
    }

    /// The changed pages, sealed.
    pub fn into_pages(mut self) -> Result<(Vec<Extent>, Pages)> {
        self.seal()?;
        Ok((self.extents, self.pages))
    }
}

/// The length of the extent that a descriptor page says it is in, after checks of its place and, if asked, its checksum.
fn check_descriptors(bytes: &[u8], index: u64, verify: bool) -> Result<u64, &'static str> {
    if verify && crc32c::crc32c(&bytes[..PAGE - 4]) != get_u32(bytes, PAGE - 4) {
        return Err("wrong checksum of a page of descriptors");
    }
    if u64::from(get_u32(
        bytes,
        TRAILER_OFFSET + offset_of!(TrailerBytes, index),
    )) != index
    {
        return Err("misplaced page of descriptors");
    }
    Ok(get_u64(
        bytes,
        TRAILER_OFFSET + offset_of!(TrailerBytes, pages),
    ))
}

/// Whether the page holds descriptors.
pub fn is_descriptors(extents: &[Extent], page: u64) -> bool {
    extent_of(extents, page).is_some_and(|extent| page < extent.first + extent.descriptor_pages())
}

/// A page descriptor, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    pub kind: u8,
    pub class: u8,
    pub pages: u64,
    pub crc: Option<u32>,
}

impl Descriptor {
    /// Whether a span that begins at `page` can be as the descriptor says.
    pub fn is_possible_span(&self, extent: Extent, page: u64) -> bool {
        let of_class = CLASS_PAGES.get(usize::from(self.class)).copied();
        let known = self.class == LARGE || of_class.map(u64::from) == Some(self.pages);
        known && self.pages > 0 && page + self.pages <= extent.end()
    }
}

fn decode(bytes: &[u8]) -> Descriptor {
    Descriptor {
        kind: bytes[offset_of!(DescriptorBytes, kind)],
        class: bytes[offset_of!(DescriptorBytes, class)],
        pages: get_u32(bytes, offset_of!(DescriptorBytes, pages)).into(),
        crc: (bytes[offset_of!(DescriptorBytes, flags)] & FLAG_CRC as u8 != 0)
            .then(|| get_u32(bytes, offset_of!(DescriptorBytes, crc))),
    }
}

/// The descriptors of a descriptor page, in order.
pub fn descriptors(bytes: &[u8]) -> impl Iterator<Item = Descriptor> + '_ {
    let all = bytes.chunks_exact(size_of::<DescriptorBytes>()).map(decode);
    all.take(DESCRIPTORS_PER_PAGE as usize)
}

/// Whether a page has its checksum; one without was never written and is zero.
pub fn is_intact(bytes: &[u8], crc: Option<u32>) -> bool {
    match crc {
        Some(crc) => crc32c::crc32c(bytes) == crc,
        None => bytes == ZEROS,
    }
}

/// The extents of a heap file of `heap_bytes` bytes, from their descriptor pages. Before the log is replayed these may be
/// torn by an interrupted checkpoint (but for their trailers, which never change), so they can be verified only after.
pub fn read_extents(
    path: &Path,
    heap_bytes: u64,
    verify: bool,
    mut read: impl FnMut(u64) -> Result<Vec<u8>>,
    mut found: impl FnMut(Extent, u64, &[u8]),
) -> Result<Vec<Extent>> {
    let end = heap_bytes / PAGE_BYTES;
    let mut extents = Vec::new();
    let mut first = 1;
    while first < end {
        let mut extent = Extent { first, pages: 1 };
        let mut index = 0;
        while index < extent.descriptor_pages() {
            let page = first + index;
            let damaged = |what: &str| Error::damaged(path, page * PAGE_BYTES, what);
            let bytes = read(page)?;
            let pages = check_descriptors(&bytes, index, verify).map_err(damaged)?;
            if (index > 0 && pages != extent.pages) || pages < 3 || first + pages > end {
                return Err(damaged("impossible extent"));
            }
            extent.pages = pages;
            found(extent, index, &bytes);
            index += 1;
        }
        extents.push(extent);
        first = extent.end();
    }
    Ok(extents)
}

pub(crate) struct Words<'a> {
    pub bytes: &'a [u8],
}

impl<'a> Words<'a> {
    pub fn next(&mut self) -> Option<u64> {
        let (word, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(u64::from_le_bytes(*word))
    }

    pub fn word(&mut self) -> Result<u64> {
        self.next().ok_or_else(Words::short)
    }

    pub fn bytes(&mut self, len: u64) -> Result<&'a [u8]> {
        let padded = len
            .checked_next_multiple_of(8)
            .and_then(|len| usize::try_from(len).ok());
        let (bytes, rest) = padded
            .and_then(|len| self.bytes.split_at_checked(len))
            .ok_or_else(Words::short)?;
        self.bytes = rest;
        Ok(&bytes[..len as usize])
    }

    fn short() -> Error {
        Error::damaged(Path::new("log"), 0, "a log record ends inside a part")
    }
}
