//! What the last commits touched, from the records that the log file still holds.

use std::path::Path;

use crate::disk::{Disk, Mode, RealDisk};
use crate::error::{Error, Result};
use crate::image::Words;
use crate::layout::part;
use crate::log::{self, Lsn};
use crate::recovery::beside;
use crate::view::View;

/// A run of bytes that a record wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TouchedRange {
    /// In the heap file.
    pub offset: u64,
    pub len_bytes: u64,
    /// A whole new object, header first.
    pub is_new_object: bool,
}

/// What a record did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    pub lsn: Lsn,
    /// Length of the record's parts.
    pub record_bytes: u64,
    pub ranges: Vec<TouchedRange>,
    pub new_spans: u64,
    pub freed_spans: u64,
    /// Bytes by which the heap grew.
    pub grown_bytes: u64,
    /// The record only says that a checkpoint began.
    pub is_checkpoint: bool,
}

/// The last `max` records up to the view's state, oldest first. Records of before the last checkpoint are among them as far
/// as the log file has not been written over.
pub fn last_records(view: &View, max: usize) -> Result<Vec<Touched>> {
    let log_path = beside(view.path(), "log");
    if !RealDisk.exists(&log_path) {
        return Ok(Vec::new());
    }
    let io = |source| Error::io(&log_path, "reading the log", source);
    let file = RealDisk.open(&log_path, Mode::Read).map_err(io)?;
    log::check_head(&*file, &log_path, view.superblock.uuid)?;
    let len = file.len_bytes().map_err(io)? as usize;
    let bytes = log::read_all(&*file, len).map_err(io)?;
    let records = log::all_records(&bytes);
    let known = records.partition_point(|&(lsn, _)| lsn <= view.lsn());
    records[known.saturating_sub(max)..known]
        .iter()
        .map(|&(lsn, found)| read_record(lsn, &bytes[found.start..found.end], &log_path))
        .collect()
}

fn read_record(lsn: Lsn, payload: &[u8], path: &Path) -> Result<Touched> {
    let mut touched = Touched {
        lsn,
        record_bytes: payload.len() as u64,
        ..Touched::default()
    };
    let mut words = Words { bytes: payload };
    while let Some(head) = words.next() {
        let number = head >> 8;
        let mut range = |offset, len_bytes, is_new_object| {
            touched.ranges.push(TouchedRange {
                offset,
                len_bytes,
                is_new_object,
            });
        };
        match head & 0xff {
            0 if head == 0 => break,
            part::WORDS => {
                for _ in 0..number {
                    range(words.word()?, 8, false);
                    words.word()?;
                }
            }
            part::RANGE => {
                let offset = words.word()?;
                words.bytes(number)?;
                range(offset, number, false);
            }
            part::OBJECT => {
                let offset = words.word()?;
                words.word()?;
                words.bytes(number)?;
                range(offset, number, true);
            }
            part::SPAN => {
                words.word()?;
                touched.new_spans += 1;
            }
            part::FREE_SPAN => touched.freed_spans += 1,
            part::GROW => touched.grown_bytes += words.word()? * crate::spans::PAGE_BYTES,
            part::CHECKPOINT => touched.is_checkpoint = true,
            _ => {
                return Err(Error::damaged(
                    path,
                    0,
                    "a log record has a part of unknown kind",
                ));
            }
        }
    }
    Ok(touched)
}
