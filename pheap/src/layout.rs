//! The byte layout of heap files: fixed structures, extents and page descriptors. FORMAT.md says the same in tables;
//! the assertions at the end tie the two together.

use std::mem::{offset_of, size_of};

use crate::spans::PAGE_BYTES;

pub const VERSION: u32 = 1;
pub const HEAP_MAGIC: [u8; 8] = *b"PHEAP\r\n\x1a";
pub const LOG_MAGIC: [u8; 8] = *b"PHEAPLOG";

/// Offset of each of the two superblocks, in page 0.
pub const SUPERBLOCK_OFFSETS: [u64; 2] = [0, 4096];
/// Where the records begin in a log file.
pub const LOG_START: u64 = 4096;
/// Records begin at multiples of this.
pub const RECORD_ALIGN: u64 = 64;

/// A superblock.
#[repr(C)]
pub struct SuperblockBytes {
    pub magic: [u8; 8],
    pub version: u32,
    pub flags: u32,
    pub uuid: [u8; 16],
    pub generation: u64,
    pub base: u64,
    pub limit_bytes: u64,
    pub heap_bytes: u64,
    pub next_lsn: u64,
    pub prev_crc: u32,
    pub crc: u32,
}
/// Superblock flag: closed in order, the log holds nothing.
pub const FLAG_CLEAN: u32 = 1;

/// What lies behind the last extent: the checkpoint that began last.
#[repr(C)]
pub struct TailBytes {
    pub magic: [u8; 8],
    pub uuid: [u8; 16],
    pub generation: u64,
    pub zeros: [u8; 28],
    pub crc: u32,
}
pub const TAIL_MAGIC: [u8; 8] = *b"PHEAPEND";

/// The head of a log file.
#[repr(C)]
pub struct LogHeadBytes {
    pub magic: [u8; 8],
    pub version: u32,
    pub zero: u32,
    pub uuid: [u8; 16],
    /// Length of the log file, at least.
    pub log_bytes: u64,
    pub zeros: [u8; 20],
    pub crc: u32,
}

/// The head of a record.
#[repr(C)]
pub struct RecordBytes {
    pub crc: u32,
    pub prev_crc: u32,
    pub salt: u32,
    pub len_words: u32,
    pub lsn: u64,
    pub durable_lsn: u64,
}
pub const RECORD_HEAD_BYTES: usize = size_of::<RecordBytes>();

/// What a page is, one for each page of an extent.
#[repr(C)]
pub struct DescriptorBytes {
    pub kind: u8,
    pub class: u8,
    pub flags: u16,
    pub pages: u32,
    pub crc: u32,
    pub zero: u32,
}
pub const DESCRIPTOR_BYTES: u64 = size_of::<DescriptorBytes>() as u64;
/// The last descriptor's place in a descriptor page is its trailer.
pub const DESCRIPTORS_PER_PAGE: u64 = PAGE_BYTES / DESCRIPTOR_BYTES - 1;
/// The page belongs to no span, or is a later page of one.
pub const PAGE_PLAIN: u8 = 0;
/// The page holds descriptors or bitmaps.
pub const PAGE_META: u8 = 1;
/// The page is the first of a span.
pub const PAGE_SPAN: u8 = 2;
/// Descriptor flag: `crc` holds the page's checksum (else the page was never written and is all zero).
pub const FLAG_CRC: u16 = 1;

/// The end of a descriptor page.
#[repr(C)]
pub struct TrailerBytes {
    /// Pages of the extent.
    pub pages: u64,
    /// Number of the descriptor page in its extent.
    pub index: u32,
    pub crc: u32,
}
pub const TRAILER_OFFSET: usize = (PAGE_BYTES - DESCRIPTOR_BYTES) as usize;

/// Bytes of allocation bitmap for each page: a bit for each 16 bytes.
pub const BITMAP_BYTES_PER_PAGE: u64 = PAGE_BYTES / 16 / 8;

/// Kinds of the parts of a record, in the low byte of a part's first word; the rest of the word is a number.
pub mod part {
    /// number = count; then count × (offset, value): words at 8-aligned offsets.
    pub const WORDS: u64 = 1;
    /// number = bytes; then the offset; then the bytes, padded to 8.
    pub const RANGE: u64 = 2;
    /// number = bytes (header included); then the offset of the header; then first page of the span << 16 | slot;
    /// then the bytes, padded to 8. Sets the slot's allocation bit.
    pub const OBJECT: u64 = 3;
    /// number = first page; then pages << 8 | class. Makes a span without objects.
    pub const SPAN: u64 = 4;
    /// number = first page. Makes the span's pages free.
    pub const FREE_SPAN: u64 = 5;
    /// number = first page; then pages. Appends an extent.
    pub const GROW: u64 = 6;
    /// A checkpoint or a replay of the log has begun to write to the heap file.
    pub const CHECKPOINT: u64 = 7;
}

/// A run of pages with its own descriptors and allocation bitmaps at the front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub first: u64,
    pub pages: u64,
}

impl Extent {
    pub fn descriptor_pages(self) -> u64 {
        self.pages.div_ceil(DESCRIPTORS_PER_PAGE)
    }

    pub fn bitmap_pages(self) -> u64 {
        (self.pages * BITMAP_BYTES_PER_PAGE).div_ceil(PAGE_BYTES)
    }

    /// First page that spans may use.
    pub fn data(self) -> u64 {
        self.first + self.descriptor_pages() + self.bitmap_pages()
    }

    pub fn end(self) -> u64 {
        self.first + self.pages
    }

    /// The smallest extent at `first` with `data_pages` pages for spans.
    pub fn with_data(first: u64, data_pages: u64) -> Extent {
        let mut extent = Extent {
            first,
            pages: data_pages + 2,
        };
        while extent.end() - extent.data() < data_pages {
            extent.pages += 1;
        }
        extent
    }

    /// Offset in the file of the descriptor of `page`.
    pub fn descriptor(self, page: u64) -> u64 {
        let i = page - self.first;
        (self.first + i / DESCRIPTORS_PER_PAGE) * PAGE_BYTES
            + i % DESCRIPTORS_PER_PAGE * DESCRIPTOR_BYTES
    }

    /// Offset in the file of the allocation bitmap of a span that begins at `page`.
    pub fn bitmap(self, page: u64) -> u64 {
        (self.first + self.descriptor_pages()) * PAGE_BYTES
            + (page - self.first) * BITMAP_BYTES_PER_PAGE
    }
}

/// The extent that holds `page`; `extents` are in order.
pub fn extent_of(extents: &[Extent], page: u64) -> Option<Extent> {
    let i = extents.partition_point(|extent| extent.end() <= page);
    extents
        .get(i)
        .copied()
        .filter(|extent| extent.first <= page)
}

pub fn get_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

pub fn get_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

pub fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

pub fn put_u64(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

macro_rules! format_md {
    ($($type:ident: $size:literal { $($field:ident $offset:literal),+ })+) => {
        const _: () = { $(assert!(size_of::<$type>() == $size); $(assert!(offset_of!($type, $field) == $offset);)+)+ };
    };
}
format_md! {
    SuperblockBytes: 80 {
        magic 0, version 8, flags 12, uuid 16, generation 32, base 40, limit_bytes 48, heap_bytes 56, next_lsn 64,
        prev_crc 72, crc 76
    }
    TailBytes: 64 { magic 0, uuid 8, generation 24, crc 60 }
    LogHeadBytes: 64 { magic 0, version 8, uuid 16, log_bytes 32, crc 60 }
    RecordBytes: 32 { crc 0, prev_crc 4, salt 8, len_words 12, lsn 16, durable_lsn 24 }
    DescriptorBytes: 16 { kind 0, class 1, flags 2, pages 4, crc 8 }
    TrailerBytes: 16 { pages 0, index 8, crc 12 }
}
const _: () =
    assert!(PAGE_BYTES == 8192 && DESCRIPTORS_PER_PAGE == 511 && BITMAP_BYTES_PER_PAGE == 64);
const _: () = assert!(
    cfg!(target_endian = "little"),
    "pointers in the file are the machine's own words"
);
