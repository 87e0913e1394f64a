//! The redo log: a chain of checksummed records in a file of its own, written through a shared mapping where there
//! is a real file. Layout in FORMAT.md.

use std::io;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::DiskFile;
use crate::error::{Error, Result};
use crate::heap::Mutation;
use crate::layout::{
    LOG_MAGIC, LOG_START, LogHeadBytes, RECORD_ALIGN, RECORD_HEAD_BYTES, RecordBytes, VERSION,
    get_u32, get_u64, part, put_u32, put_u64,
};
use crate::mapping::SharedView;
use crate::superblock::Superblock;

/// Number of a record; consecutive over the life of a heap.
pub type Lsn = u64;

/// What ties the records of a log together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    pub salt: u32,
    pub next_lsn: Lsn,
    pub prev_crc: u32,
}

pub struct Log {
    pub file: Arc<dyn DiskFile>,
    path: PathBuf,
    view: Option<SharedView>,
    capacity: u64,
    tail: u64,
    pub chain: Chain,
    /// The log holds the mark that the heap file is being written.
    marked: bool,
}

/// Bytes of the record that marks a checkpoint; room for it is always kept.
const MARK_BYTES: u64 = RECORD_ALIGN;

const HEAD_BYTES: usize = size_of::<LogHeadBytes>();

fn head(uuid: [u8; 16], log_bytes: u64) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..8].copy_from_slice(&LOG_MAGIC);
    put_u32(&mut head, offset_of!(LogHeadBytes, version), VERSION);
    head[16..32].copy_from_slice(&uuid);
    put_u64(&mut head, offset_of!(LogHeadBytes, log_bytes), log_bytes);
    let crc = crc32c::crc32c(&head[..offset_of!(LogHeadBytes, crc)]);
    put_u32(&mut head, offset_of!(LogHeadBytes, crc), crc);
    head
}

/// Makes an empty log file for the heap with this UUID and syncs it.
pub fn create(file: &dyn DiskFile, path: &Path, uuid: [u8; 16], capacity: u64) -> Result<()> {
    let io = |source| Error::io(path, "creating the log", source);
    let capacity = capacity.max(LOG_START + RECORD_ALIGN);
    let mut bytes = vec![0; capacity as usize];
    bytes[..HEAD_BYTES].copy_from_slice(&head(uuid, capacity));
    file.allocate(capacity).map_err(io)?;
    // Real zeros, so that no write to the log changes the file system's metadata.
    file.write_at(&bytes, 0).map_err(io)?;
    file.sync().map_err(io)
}

/// Checks the head of a log file.
pub fn check_head(file: &dyn DiskFile, path: &Path, uuid: [u8; 16]) -> Result<()> {
    let io = |source| Error::io(path, "reading the log", source);
    let found_bytes = file.len_bytes().map_err(io)?;
    let truncated = |expected_bytes| Error::Truncated {
        path: path.to_owned(),
        expected_bytes,
        found_bytes,
    };
    if found_bytes < LOG_START {
        return Err(truncated(LOG_START));
    }
    let mut head = [0; HEAD_BYTES];
    file.read_at(&mut head, 0).map_err(io)?;
    let crc_at = offset_of!(LogHeadBytes, crc);
    if head[..8] != LOG_MAGIC || crc32c::crc32c(&head[..crc_at]) != get_u32(&head, crc_at) {
        return Err(Error::damaged(
            path,
            0,
            "wrong magic or checksum of the log's head",
        ));
    }
    let found = get_u32(&head, offset_of!(LogHeadBytes, version));
    if found != VERSION {
        return Err(Error::Version {
            path: path.to_owned(),
            found,
            supported: VERSION,
        });
    }
    if head[16..32] != uuid {
        return Err(Error::ForeignLog {
            path: path.to_owned(),
        });
    }
    let log_bytes = get_u64(&head, offset_of!(LogHeadBytes, log_bytes));
    if found_bytes < log_bytes {
        Err(truncated(log_bytes))
    } else {
        Ok(())
    }
}

/// A record that was found: its payload's place in the log's bytes.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub start: usize,
    pub end: usize,
}

/// What a scan of the log gives.
pub struct Scan {
    pub records: Vec<Found>,
    /// The chain behind the last record, and where that ends.
    pub chain: Chain,
    pub end: u64,
    /// A checkpoint or replay of this log may have been interrupted.
    pub checkpoint: bool,
}

/// Reads the records of a chain from the log's bytes, up to the first break.
/// A break that a later record says was durable is damage.
pub fn scan(bytes: &[u8], path: &Path, mut chain: Chain, mutation: Mutation) -> Result<Scan> {
    let (mut records, mut checkpoint) = (Vec::new(), false);
    let mut at = LOG_START as usize;
    while let Some((head, end)) = record_at(bytes, at, mutation) {
        let linked = head.salt == chain.salt
            && head.lsn == chain.next_lsn
            && head.prev_crc == chain.prev_crc;
        if !linked && mutation != Mutation::NoChain {
            break;
        }
        let first_word = get_u64(bytes, at + RECORD_HEAD_BYTES);
        checkpoint |= first_word == part::CHECKPOINT;
        records.push(Found {
            start: at + RECORD_HEAD_BYTES,
            end,
        });
        chain.next_lsn += 1;
        chain.prev_crc = head.crc;
        at = end;
    }
    let mut later = at;
    while later + RECORD_HEAD_BYTES <= bytes.len() {
        if get_u32(bytes, later + offset_of!(RecordBytes, salt)) == chain.salt
            && let Some((head, _)) = record_at(bytes, later, mutation)
            && head.lsn >= chain.next_lsn
            && head.durable_lsn >= chain.next_lsn
            && mutation != Mutation::NoChain
        {
            return Err(Error::damaged(
                path,
                at as u64,
                format!("record {} was durable, but is broken", chain.next_lsn),
            ));
        }
        later += RECORD_ALIGN as usize;
    }
    Ok(Scan {
        records,
        chain,
        end: at as u64,
        checkpoint,
    })
}

/// Whether a chain goes on, in the log's bytes from its end on, with a record that marks a checkpoint.
pub fn is_checkpoint_marked(bytes: &[u8], mut chain: Chain) -> bool {
    let mut at = 0;
    while let Some((head, end)) = record_at(bytes, at, Mutation::None) {
        let (salt, lsn, prev_crc) = (chain.salt, chain.next_lsn, chain.prev_crc);
        if (head.salt, head.lsn, head.prev_crc) != (salt, lsn, prev_crc) {
            return false;
        }
        if get_u64(bytes, at + RECORD_HEAD_BYTES) == part::CHECKPOINT {
            return true;
        }
        chain.next_lsn += 1;
        chain.prev_crc = head.crc;
        at = end;
    }
    false
}

/// All whole records in the log's bytes, of whatever generation, in order of their numbers: number, place of the payload.
pub fn all_records(bytes: &[u8]) -> Vec<(Lsn, Found)> {
    let (mut found, mut at) = (Vec::new(), LOG_START as usize);
    while at + RECORD_HEAD_BYTES <= bytes.len() {
        match record_at(bytes, at, Mutation::None) {
            Some((head, end)) => {
                let start = at + RECORD_HEAD_BYTES;
                found.push((
                    head.lsn,
                    Found {
                        start,
                        end: start + head.len_words as usize * 8,
                    },
                ));
                at = end;
            }
            None => at += RECORD_ALIGN as usize,
        }
    }
    found.sort_unstable_by_key(|&(lsn, _)| lsn);
    found
}

/// Whether the log holds a record, of whatever generation.
pub fn has_records(bytes: &[u8]) -> bool {
    record_at(bytes, LOG_START as usize, Mutation::None).is_some()
}

/// Whether the log's first record is whole and belongs to the given chain's generation.
pub fn begins_with(bytes: &[u8], salt: u32) -> bool {
    record_at(bytes, LOG_START as usize, Mutation::None).is_some_and(|(head, _)| head.salt == salt)
}

/// Generations that a log may be ahead of a heap and be recognised by a record that is not whole.
const AHEAD: u64 = 1024;

/// Whether the log belongs to a later state of the heap than the superblock: by its first record, which may be one that
/// is just being written, or by what an orderly close has left there.
pub fn is_ahead(bytes: &[u8], superblock: &Superblock) -> bool {
    let start = LOG_START as usize;
    let Some(head) = bytes.get(start..start + RECORD_HEAD_BYTES) else {
        return false;
    };
    let salt = get_u32(head, offset_of!(RecordBytes, salt));
    let lsn = get_u64(head, offset_of!(RecordBytes, lsn));
    if salt == superblock.salt() || (salt == 0 && lsn == 0) {
        return false;
    }
    let crc = get_u32(head, offset_of!(RecordBytes, crc));
    let wiped = get_u32(head, offset_of!(RecordBytes, len_words)) == 0;
    if wiped && crc32c::crc32c(&head[4..]) == crc {
        return lsn > superblock.next_lsn;
    }
    (lsn >= superblock.next_lsn && record_at(bytes, start, Mutation::None).is_some())
        || (1..=AHEAD).any(|n| salt == superblock.salt_of(superblock.generation + n))
}

/// The record that begins at `at`, if its checksum is right, and its end.
fn record_at(bytes: &[u8], at: usize, mutation: Mutation) -> Option<(RecordBytes, usize)> {
    let head = bytes.get(at..at + RECORD_HEAD_BYTES)?;
    let record = RecordBytes {
        crc: get_u32(head, offset_of!(RecordBytes, crc)),
        prev_crc: get_u32(head, offset_of!(RecordBytes, prev_crc)),
        salt: get_u32(head, offset_of!(RecordBytes, salt)),
        len_words: get_u32(head, offset_of!(RecordBytes, len_words)),
        lsn: get_u64(head, offset_of!(RecordBytes, lsn)),
        durable_lsn: get_u64(head, offset_of!(RecordBytes, durable_lsn)),
    };
    let len = record.len_words as usize * 8;
    let end = at + (RECORD_HEAD_BYTES + len).next_multiple_of(RECORD_ALIGN as usize);
    let whole = bytes.get(at + 4..end)?;
    let valid =
        len > 0 && (crc32c::crc32c(whole) == record.crc || mutation == Mutation::NoChecksum);
    valid.then_some((record, end))
}

impl Log {
    /// A log whose next record is written at `tail`.
    pub fn open(file: Arc<dyn DiskFile>, path: PathBuf, chain: Chain, tail: u64) -> Result<Log> {
        let io = |source| Error::io(&path, "mapping the log", source);
        let capacity = file.len_bytes().map_err(io)?;
        let view = match file.fd() {
            Some(fd) => Some(SharedView::new(fd, capacity).map_err(io)?),
            None => None,
        };
        Ok(Log {
            file,
            path,
            view,
            capacity,
            tail,
            chain,
            marked: false,
        })
    }

    /// The log of a heap that is open read-only: nothing is written to it.
    pub fn empty(file: Arc<dyn DiskFile>, path: PathBuf, chain: Chain) -> Log {
        Log {
            file,
            path,
            view: None,
            capacity: LOG_START,
            tail: LOG_START,
            chain,
            marked: false,
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn used_bytes(&self) -> u64 {
        self.tail - LOG_START
    }

    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Whether a record of `record_bytes` fits without growing the log.
    #[inline]
    pub fn fits(&self, record_bytes: usize) -> bool {
        let end = self.tail + (record_bytes as u64).next_multiple_of(RECORD_ALIGN);
        end + MARK_BYTES <= self.capacity
    }

    /// Extends the log file to `capacity`, with storage behind it. To be synced before `use_extension`.
    pub fn extend(&self, capacity: u64) -> Result<()> {
        let io = |source| Error::io(&self.path, "growing the log", source);
        self.file.allocate(capacity).map_err(io)?;
        let zeros = vec![0; 1 << 16];
        let mut at = self.capacity;
        while at < capacity {
            let len = (capacity - at).min(zeros.len() as u64);
            self.file.write_at(&zeros[..len as usize], at).map_err(io)?;
            at += len;
        }
        Ok(())
    }

    /// Writes the head, which says how long the file must be, and uses the file up to there.
    pub fn use_extension(&mut self, capacity: u64, uuid: [u8; 16]) -> Result<()> {
        let io = |source| Error::io(&self.path, "growing the log", source);
        self.file.write_at(&head(uuid, capacity), 0).map_err(io)?;
        if let Some(fd) = self.file.fd() {
            self.view = Some(SharedView::new(fd, capacity).map_err(io)?);
        }
        self.capacity = capacity;
        Ok(())
    }

    /// Wipes the first record of an empty log that will not be written any more, as a sign that nothing is lost with
    /// it. What is left says how far the heap is. It need not be durable.
    pub fn wipe(&mut self) -> Result<()> {
        assert_eq!(self.tail, LOG_START, "only an empty log is wiped");
        let io = |source| Error::io(&self.path, "closing the log", source);
        let mut bytes = [0; RECORD_ALIGN as usize];
        put_u32(&mut bytes, offset_of!(RecordBytes, salt), self.chain.salt);
        put_u64(
            &mut bytes,
            offset_of!(RecordBytes, lsn),
            self.chain.next_lsn,
        );
        let crc = crc32c::crc32c(&bytes[4..RECORD_HEAD_BYTES]);
        put_u32(&mut bytes, offset_of!(RecordBytes, crc), crc);
        self.file.write_at(&bytes, LOG_START).map_err(io)
    }

    /// Cuts an empty log: the head first, which says how long the file must be. It is mapped again if it is to be used.
    pub fn shrink(
        &mut self,
        capacity: u64,
        uuid: [u8; 16],
        reopen: bool,
        sync: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let io = |source| Error::io(&self.path, "shrinking the log", source);
        assert_eq!(self.tail, LOG_START, "only an empty log is cut");
        let capacity = capacity.max(LOG_START + RECORD_ALIGN);
        self.view = None;
        self.file.write_at(&head(uuid, capacity), 0).map_err(io)?;
        sync()?;
        self.file.truncate(capacity).map_err(io)?;
        self.capacity = capacity;
        if let Some(fd) = self.file.fd().filter(|_| reopen) {
            self.view = Some(SharedView::new(fd, capacity).map_err(io)?);
        }
        Ok(())
    }

    /// Completes the head of `record` (whose payload follows its first `RECORD_HEAD_BYTES`) and writes it behind the
    /// last one. The log must have room for it.
    #[inline]
    pub fn append(&mut self, record: &mut Vec<u8>, durable_lsn: Lsn) -> Result<Lsn> {
        let len = record.len() - RECORD_HEAD_BYTES;
        assert!(
            len > 0 && len.is_multiple_of(8) && self.tail + record.len() as u64 <= self.capacity,
            "the log has room for a record of whole words"
        );
        record.resize(record.len().next_multiple_of(RECORD_ALIGN as usize), 0);
        put_u32(
            record,
            offset_of!(RecordBytes, prev_crc),
            self.chain.prev_crc,
        );
        put_u32(record, offset_of!(RecordBytes, salt), self.chain.salt);
        put_u32(
            record,
            offset_of!(RecordBytes, len_words),
            u32::try_from(len / 8).expect("checked by the commit"),
        );
        put_u64(record, offset_of!(RecordBytes, lsn), self.chain.next_lsn);
        put_u64(record, offset_of!(RecordBytes, durable_lsn), durable_lsn);
        let crc = crc32c::crc32c(&record[4..]);
        put_u32(record, offset_of!(RecordBytes, crc), crc);
        match &mut self.view {
            Some(view) => {
                view.bytes_mut()[self.tail as usize..][..record.len()].copy_from_slice(record)
            }
            None => {
                let io = |source| Error::io(&self.path, "writing the log", source);
                self.file.write_at(record, self.tail).map_err(io)?;
            }
        }
        self.tail += record.len() as u64;
        let lsn = self.chain.next_lsn;
        self.chain = Chain {
            next_lsn: lsn + 1,
            prev_crc: crc,
            ..self.chain
        };
        Ok(lsn)
    }

    /// Says in the log that the heap file will be written from now on, unless it says so already (as the caller
    /// knows, or from an earlier attempt). True if it was said before.
    pub fn mark_checkpoint(&mut self, marked: bool, durable_lsn: Lsn) -> Result<bool> {
        if marked || self.marked {
            return Ok(true);
        }
        let mut record = vec![0; RECORD_HEAD_BYTES];
        record.extend_from_slice(&part::CHECKPOINT.to_le_bytes());
        self.append(&mut record, durable_lsn)?;
        self.marked = true;
        Ok(false)
    }

    /// The log's bytes up to the tail (all of them when `whole`).
    pub fn read<T>(&self, whole: bool, read: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        let len = if whole { self.capacity } else { self.tail } as usize;
        match &self.view {
            Some(view) => read(&view.bytes()[..len]),
            None => read(
                &read_all(&*self.file, len)
                    .map_err(|e| Error::io(&self.path, "reading the log", e))?,
            ),
        }
    }

    /// Starts over at the front, for the records of a new generation.
    pub fn reuse(&mut self, salt: u32) {
        self.tail = LOG_START;
        self.marked = false;
        self.chain.salt = salt;
    }
}

pub fn read_all(file: &dyn DiskFile, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    file.read_at(&mut bytes, 0)?;
    Ok(bytes)
}
