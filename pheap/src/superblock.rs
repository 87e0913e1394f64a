//! The two superblocks: where a heap's state begins. The valid one of the higher generation counts.

use std::mem::offset_of;
use std::path::Path;

use crate::disk::DiskFile;
use crate::error::{Error, Result};
use crate::layout::{
    FLAG_CLEAN, HEAP_MAGIC, SUPERBLOCK_OFFSETS, SuperblockBytes as Bytes, TAIL_MAGIC, TailBytes,
    VERSION, get_u32, get_u64, put_u32, put_u64,
};

use crate::spans::PAGE_BYTES;

const LEN: usize = size_of::<Bytes>();

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Superblock {
    pub uuid: [u8; 16],
    /// Counts checkpoints; its parity says which of the two places it has.
    pub generation: u64,
    pub base: u64,
    pub limit_bytes: u64,
    /// Length of the committed heap: its extents end here.
    pub heap_bytes: u64,
    /// Number of the first record in the log that belongs to this generation, and the checksum of the one before.
    pub next_lsn: u64,
    pub prev_crc: u32,
    pub clean: bool,
}

impl Superblock {
    /// The salt of this generation's records: no older record can pass for a newer one.
    pub fn salt(&self) -> u32 {
        self.salt_of(self.generation)
    }

    pub fn salt_of(&self, generation: u64) -> u32 {
        let mut bytes = [0; 24];
        bytes[..16].copy_from_slice(&self.uuid);
        put_u64(&mut bytes, 16, generation);
        crc32c::crc32c(&bytes)
    }

    pub fn offset(&self) -> u64 {
        SUPERBLOCK_OFFSETS[(self.generation & 1) as usize]
    }

    pub fn write(&self, file: &dyn DiskFile) -> std::io::Result<()> {
        let mut bytes = [0; LEN];
        bytes[..8].copy_from_slice(&HEAP_MAGIC);
        put_u32(&mut bytes, offset_of!(Bytes, version), VERSION);
        put_u32(
            &mut bytes,
            offset_of!(Bytes, flags),
            if self.clean { FLAG_CLEAN } else { 0 },
        );
        bytes[16..32].copy_from_slice(&self.uuid);
        put_u64(&mut bytes, offset_of!(Bytes, generation), self.generation);
        put_u64(&mut bytes, offset_of!(Bytes, base), self.base);
        put_u64(&mut bytes, offset_of!(Bytes, limit_bytes), self.limit_bytes);
        put_u64(&mut bytes, offset_of!(Bytes, heap_bytes), self.heap_bytes);
        put_u64(&mut bytes, offset_of!(Bytes, next_lsn), self.next_lsn);
        put_u32(&mut bytes, offset_of!(Bytes, prev_crc), self.prev_crc);
        let crc = crc32c::crc32c(&bytes[..offset_of!(Bytes, crc)]);
        put_u32(&mut bytes, offset_of!(Bytes, crc), crc);
        file.write_at(&bytes, self.offset())
    }

    fn parse(bytes: &[u8; LEN]) -> Slot {
        if bytes.iter().all(|&byte| byte == 0) {
            return Slot::Empty;
        }
        if bytes[..8] != HEAP_MAGIC {
            return Slot::Foreign;
        }
        if crc32c::crc32c(&bytes[..offset_of!(Bytes, crc)])
            != get_u32(bytes, offset_of!(Bytes, crc))
        {
            return Slot::Damaged;
        }
        let version = get_u32(bytes, offset_of!(Bytes, version));
        if version != VERSION {
            return Slot::Version(version);
        }
        Slot::Valid(Superblock {
            uuid: bytes[16..32].try_into().expect("sixteen bytes"),
            generation: get_u64(bytes, offset_of!(Bytes, generation)),
            base: get_u64(bytes, offset_of!(Bytes, base)),
            limit_bytes: get_u64(bytes, offset_of!(Bytes, limit_bytes)),
            heap_bytes: get_u64(bytes, offset_of!(Bytes, heap_bytes)),
            next_lsn: get_u64(bytes, offset_of!(Bytes, next_lsn)),
            prev_crc: get_u32(bytes, offset_of!(Bytes, prev_crc)),
            clean: get_u32(bytes, offset_of!(Bytes, flags)) & FLAG_CLEAN != 0,
        })
    }
}

/// Says at the end of the file, behind the extents that end at `end_bytes`, that a checkpoint of this generation writes to
/// the heap from now on: who copies the file from its start to its end will find that out. It need not be durable, and what
/// cannot be said is no loss to the heap itself.
pub fn write_tail(file: &dyn DiskFile, end_bytes: u64, uuid: [u8; 16], generation: u64) {
    let mut bytes = [0; size_of::<TailBytes>()];
    bytes[..8].copy_from_slice(&TAIL_MAGIC);
    bytes[8..24].copy_from_slice(&uuid);
    put_u64(&mut bytes, offset_of!(TailBytes, generation), generation);
    let crc = crc32c::crc32c(&bytes[..offset_of!(TailBytes, crc)]);
    put_u32(&mut bytes, offset_of!(TailBytes, crc), crc);
    let _ = file.write_at(&bytes, end_bytes);
}

/// Whether a checkpoint after the superblock's generation has begun to write to the heap, as the end of the file says.
pub fn is_overwritten(file: &dyn DiskFile, superblock: &Superblock) -> std::io::Result<bool> {
    const TAIL: usize = size_of::<TailBytes>();
    let mut bytes = [0; TAIL];
    let len = file.len_bytes()?;
    if len % PAGE_BYTES != TAIL as u64 {
        return Ok(false);
    }
    file.read_at(&mut bytes, len - TAIL as u64)?;
    let crc = crc32c::crc32c(&bytes[..offset_of!(TailBytes, crc)]);
    Ok(bytes[..8] == TAIL_MAGIC
        && bytes[8..24] == superblock.uuid
        && get_u32(&bytes, offset_of!(TailBytes, crc)) == crc
        && get_u64(&bytes, offset_of!(TailBytes, generation)) > superblock.generation)
}

enum Slot {
    Valid(Superblock),
    Version(u32),
    Damaged,
    Empty,
    Foreign,
}

/// The superblock that counts, and the offset of a damaged other one, if that may have been newer.
pub struct Found {
    pub superblock: Superblock,
    pub damaged_other: Option<u64>,
}

/// Below are the addresses that count as nil, and what the system keeps for itself.
const LOWEST_BASE: u64 = 1 << 20;
/// Where the addresses of a process end.
const ADDRESSES_END: u64 = 1 << 47;

pub fn read(file: &dyn DiskFile, path: &Path) -> Result<Found> {
    let io = |source| Error::io(path, "reading the superblock", source);
    let len = file.len_bytes().map_err(io)?;
    let mut slots = Vec::new();
    for offset in SUPERBLOCK_OFFSETS {
        let mut bytes = [0; LEN];
        if len >= offset + LEN as u64 {
            file.read_at(&mut bytes, offset).map_err(io)?;
        }
        slots.push((offset, Superblock::parse(&bytes)));
    }
    let mut best: Option<Superblock> = None;
    let (mut damaged_other, mut foreign, mut version) = (None, 0, None);
    for (offset, slot) in slots {
        match slot {
            Slot::Valid(superblock) => {
                if best.is_none_or(|best| best.generation < superblock.generation) {
                    best = Some(superblock);
                }
            }
            Slot::Version(found) => version = Some(found),
            Slot::Damaged => damaged_other = Some(offset),
            Slot::Foreign => {
                foreign += 1;
                damaged_other = Some(offset);
            }
            Slot::Empty => foreign += 1,
        }
    }
    let path = path.to_owned();
    match (best, version) {
        (_, Some(found)) => Err(Error::Version {
            path,
            found,
            supported: VERSION,
        }),
        (None, None) if foreign == 2 => Err(Error::NotAHeap { path }),
        (None, None) => {
            let offset = damaged_other.unwrap_or(0);
            Err(Error::Damaged {
                path,
                offset,
                what: "no superblock has a valid checksum".into(),
            })
        }
        (Some(superblock), None) => {
            let end = superblock.base.checked_add(superblock.limit_bytes);
            let valid = superblock.base % 8192 == 0
                && superblock.base >= LOWEST_BASE
                && end.is_some_and(|end| end <= ADDRESSES_END)
                && superblock.heap_bytes % 8192 == 0
                && superblock.heap_bytes <= superblock.limit_bytes;
            if !valid {
                return Err(Error::Damaged {
                    path,
                    offset: superblock.offset(),
                    what: "impossible superblock".into(),
                });
            }
            if len < superblock.heap_bytes {
                return Err(Error::Truncated {
                    path,
                    expected_bytes: superblock.heap_bytes,
                    found_bytes: len,
                });
            }
            Ok(Found {
                superblock,
                damaged_other,
            })
        }
    }
}
