//! What power failures may leave of a simulated disk, moment by moment. Each state has a hash that is known before its
//! files are put together, so that of millions of states only those that differ cost anything.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use super::memory::set_len;
use super::simulated::{Event, UNIT_BYTES};

/// File contents by name.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

const UNIT: usize = UNIT_BYTES as usize;

/// A disk at one moment: what is durable, and what was done since that may or may not survive, in units of 64 bytes and
/// changes of length or name. They are numbered in the order in which they were done.
#[derive(Clone, Default)]
pub struct Moment {
    durable: Files,
    durable_hash: u64,
    pending: Vec<Pending>,
    units: usize,
    /// Of the pending writes, if there is nothing else.
    groups: Option<BTreeMap<(u64, u64), Group>>,
}

#[derive(Clone)]
struct Pending {
    event: Event,
    /// A sync has covered it, but something before it is not certain.
    certain: bool,
    /// A failed sync has covered it: no later one will.
    orphaned: bool,
    first_unit: usize,
}

/// The pieces that were written to one 64-byte unit of a file.
#[derive(Clone)]
struct Group {
    pieces: Vec<Piece>,
    before: [u8; UNIT],
    /// What the state's hash changes by if the only piece survives.
    delta: u64,
}

#[derive(Clone, Copy)]
struct Piece {
    /// Index of the pending write.
    write: usize,
    /// Number of the unit; none if the write is certain.
    unit: Option<usize>,
    /// Places in the write and in the unit.
    from: usize,
    to: usize,
    len: usize,
}

/// Which of the pending units survive.
pub type Survives<'a> = &'a mut dyn FnMut(usize) -> bool;

impl Moment {
    /// A disk that holds files, all of it durable.
    pub fn new(files: Files) -> Moment {
        Moment {
            durable_hash: hash_files(&files),
            durable: files,
            groups: Some(BTreeMap::new()),
            ..Moment::default()
        }
    }

    /// Number of units whose survival is open.
    pub fn units(&self) -> usize {
        self.units
    }

    /// One more thing happens.
    pub fn advance(&mut self, event: &Event) {
        match event {
            Event::Mark(_) => {}
            Event::Sync { path } => self.settle(|pending| {
                pending.certain |= !pending.orphaned && path_of(&pending.event) == Some(path);
            }),
            Event::SyncFailed { path } => self.settle(|pending| {
                pending.orphaned |= !pending.certain && path_of(&pending.event) == Some(path);
            }),
            Event::SyncNames => self.settle(|pending| {
                pending.certain |= matches!(pending.event, Event::Rename { .. });
            }),
            Event::Write { .. } | Event::Resize { .. } | Event::Rename { .. } => {
                self.push(Pending {
                    event: event.clone(),
                    certain: false,
                    orphaned: false,
                    first_unit: 0,
                });
            }
        }
    }

    /// Makes durable what is certain and has nothing open before it.
    fn settle(&mut self, mark: impl Fn(&mut Pending)) {
        let mut open: BTreeSet<PathBuf> = BTreeSet::new();
        let mut all_open = false;
        let mut rest = Vec::new();
        for mut pending in std::mem::take(&mut self.pending) {
            mark(&mut pending);
            let path = path_of(&pending.event);
            let is_free = path.is_some_and(|path| !open.contains(path)) || open.is_empty();
            if pending.certain && is_free && !all_open {
                self.make_durable(&pending.event);
                continue;
            }
            match path {
                Some(path) => drop(open.insert(path.to_owned())),
                None => all_open = true,
            }
            rest.push(pending);
        }
        self.units = 0;
        self.groups = Some(BTreeMap::new());
        for pending in rest {
            self.push(pending);
        }
    }

    fn make_durable(&mut self, event: &Event) {
        if let Event::Write {
            path,
            offset,
            bytes,
        } = event
        {
            let id = file_id(path);
            let old_len = self.durable.get(path).map(Vec::len);
            let file = self.durable.entry(path.clone()).or_default();
            let end = *offset as usize + bytes.len();
            let units = *offset / UNIT_BYTES..(end as u64).div_ceil(UNIT_BYTES);
            let sum = |file: &[u8]| {
                units.clone().fold(0u64, |sum, index| {
                    sum.wrapping_add(hash_unit(id, index, &unit_at(file, index)))
                })
            };
            let before = sum(file);
            if file.len() < end {
                set_len(file, end);
            }
            file[*offset as usize..end].copy_from_slice(bytes);
            self.durable_hash = self
                .durable_hash
                .wrapping_sub(before)
                .wrapping_add(sum(file))
                .wrapping_sub(old_len.map_or(0, |len| hash_len(id, len)))
                .wrapping_add(hash_len(id, file.len()));
        } else {
            apply(&mut self.durable, event);
            self.durable_hash = hash_files(&self.durable);
        }
    }

    /// Adds a change to the pending ones: numbers its units, and groups its pieces by the unit of the file that they are
    /// in.
    fn push(&mut self, mut pending: Pending) {
        pending.first_unit = self.units;
        let write = self.pending.len();
        match &pending.event {
            Event::Write {
                path,
                offset,
                bytes,
            } => {
                let id = file_id(path);
                let durable = self.durable.get(path);
                // Where a write makes a file, or makes one longer, the length is part of the state.
                if durable.is_none_or(|file| (file.len() as u64) < offset + bytes.len() as u64) {
                    self.groups = None;
                }
                for (from, at, len) in pieces(*offset, bytes.len()) {
                    let unit = (!pending.certain).then_some(self.units);
                    self.units += usize::from(!pending.certain);
                    let (Some(groups), Some(file)) = (&mut self.groups, durable) else {
                        continue;
                    };
                    let index = at / UNIT_BYTES;
                    let group = groups.entry((id, index)).or_insert_with(|| Group {
                        pieces: Vec::new(),
                        before: unit_at(file, index),
                        delta: 0,
                    });
                    let to = (at % UNIT_BYTES) as usize;
                    if group.pieces.is_empty() {
                        let mut after = group.before;
                        after[to..to + len].copy_from_slice(&bytes[from..from + len]);
                        group.delta = group.change_to(id, index, &after);
                    }
                    group.pieces.push(Piece {
                        write,
                        unit,
                        from,
                        to,
                        len,
                    });
                }
            }
            _ => {
                self.groups = None;
                self.units += usize::from(!pending.certain);
            }
        }
        self.pending.push(pending);
    }

    /// The hash of the state in which some of the units survive.
    pub fn hash(&self, survives: Survives<'_>) -> u64 {
        let Some(groups) = &self.groups else {
            return hash_files(&self.files(survives));
        };
        groups
            .iter()
            .fold(self.durable_hash, |hash, (&(file, index), group)| {
                let change = match group.pieces[..] {
                    [
                        Piece {
                            unit: Some(unit), ..
                        },
                    ] if !survives(unit) => 0,
                    [_] => group.delta,
                    _ => group.change(file, index, &self.pending, survives),
                };
                hash.wrapping_add(change)
            })
    }

    /// The files of the state in which some of the units survive.
    pub fn files(&self, survives: Survives<'_>) -> Files {
        let mut files = self.durable.clone();
        for pending in &self.pending {
            match &pending.event {
                Event::Write {
                    path,
                    offset,
                    bytes,
                } => {
                    for (i, (from, at, len)) in pieces(*offset, bytes.len()).enumerate() {
                        if pending.certain || survives(pending.first_unit + i) {
                            let file = files.entry(path.clone()).or_default();
                            let end = at as usize + len;
                            if file.len() < end {
                                set_len(file, end);
                            }
                            file[at as usize..end].copy_from_slice(&bytes[from..from + len]);
                        }
                    }
                }
                event => {
                    if pending.certain || survives(pending.first_unit) {
                        apply(&mut files, event);
                    }
                }
            }
        }
        files
    }

    /// Says what the open units are, for people: file, and place in it or what else is done to it.
    pub fn describe(&self, unit: usize) -> Option<(&Path, String)> {
        let pending = self
            .pending
            .iter()
            .rev()
            .find(|pending| !pending.certain && pending.first_unit <= unit)?;
        Some(match &pending.event {
            Event::Write {
                path,
                offset,
                bytes,
            } => {
                let (_, at, len) = pieces(*offset, bytes.len()).nth(unit - pending.first_unit)?;
                (path, format!("bytes {at} to {}", at + len as u64 - 1))
            }
            Event::Resize { path, len } => (path, format!("its length, {len}")),
            Event::Rename { from, to } => (from, format!("its name, {}", to.display())),
            _ => return None,
        })
    }
}

impl Group {
    fn change(&self, file: u64, index: u64, pending: &[Pending], survives: Survives<'_>) -> u64 {
        let mut after = self.before;
        for piece in &self.pieces {
            if piece.unit.is_none_or(&mut *survives)
                && let Event::Write { bytes, .. } = &pending[piece.write].event
            {
                after[piece.to..piece.to + piece.len]
                    .copy_from_slice(&bytes[piece.from..piece.from + piece.len]);
            }
        }
        self.change_to(file, index, &after)
    }

    fn change_to(&self, file: u64, index: u64, after: &[u8; UNIT]) -> u64 {
        hash_unit(file, index, after).wrapping_sub(hash_unit(file, index, &self.before))
    }
}

/// The pieces of a write that survive or not, each in a unit of its own: place in the write, in the file, length.
fn pieces(offset: u64, len: usize) -> impl Iterator<Item = (usize, u64, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = offset + from as u64;
        let piece = (UNIT - (at % UNIT_BYTES) as usize).min(len - from);
        let this = (from, at, piece);
        from += piece;
        (piece > 0).then_some(this)
    })
}

/// The file that an event changes; none for a change of names.
fn path_of(event: &Event) -> Option<&PathBuf> {
    match event {
        Event::Write { path, .. } | Event::Resize { path, .. } => Some(path),
        _ => None,
    }
}

/// Changes of lengths and names.
fn apply(files: &mut Files, event: &Event) {
    match event {
        Event::Resize { path, len } => {
            set_len(files.entry(path.clone()).or_default(), *len as usize);
        }
        Event::Rename { from, to } => {
            if let Some(file) = files.remove(from) {
                files.insert(to.clone(), file);
            }
        }
        _ => {}
    }
}

fn unit_at(file: &[u8], index: u64) -> [u8; UNIT] {
    let mut unit = [0; UNIT];
    if let Some(rest) = file.get(index as usize * UNIT..) {
        let len = rest.len().min(UNIT);
        unit[..len].copy_from_slice(&rest[..len]);
    }
    unit
}

fn file_id(path: &Path) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// The hash of files: a sum over all units that are not zero, and the lengths.
pub fn hash_files(files: &Files) -> u64 {
    files.iter().fold(0, |sum, (path, file)| {
        sum.wrapping_add(hash_bytes(file_id(path), file))
    })
}

/// The hash of a file's contents.
pub fn hash_bytes(id: u64, file: &[u8]) -> u64 {
    (0..)
        .zip(file.chunks(UNIT))
        .fold(hash_len(id, file.len()), |sum, (index, _)| {
            sum.wrapping_add(hash_unit(id, index, &unit_at(file, index)))
        })
}

fn hash_len(id: u64, len: usize) -> u64 {
    fold(
        id ^ 0x9e37_79b9_7f4a_7c15,
        len as u64 ^ 0xe703_7ed1_a0b4_28db,
    )
}

fn hash_unit(id: u64, index: u64, unit: &[u8; UNIT]) -> u64 {
    let mut any = 0;
    let mut hash = fold(id ^ 0x8ebc_6af0_9c88_c6e3, index ^ 0x5899_65cc_7537_4cc3);
    for pair in unit.chunks_exact(16) {
        let word = |at: usize| u64::from_le_bytes(pair[at..at + 8].try_into().expect("8 bytes"));
        any |= word(0) | word(8);
        hash = fold(hash ^ word(0), word(8) ^ 0xa076_1d64_78bd_642f);
    }
    if any == 0 { 0 } else { hash }
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::SimulatedDisk;

    #[test]
    fn states_and_their_hashes_agree_with_the_simulated_disk() {
        let mut random = 1u64;
        let mut next = |n: u64| {
            random = random
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (random >> 33) % n
        };
        for _ in 0..300 {
            let names = [PathBuf::from("a"), PathBuf::from("b")];
            let start: Files = names
                .iter()
                .map(|name| (name.clone(), vec![7; 300]))
                .collect();
            let mut moment = Moment::new(start.clone());
            let mut events = Vec::new();
            for _ in 0..12 {
                let path = names[next(2) as usize].clone();
                let event = match next(9) {
                    0..=4 => Event::Write {
                        path,
                        offset: next(400),
                        bytes: vec![next(3) as u8; 1 + next(150) as usize],
                    },
                    5 => Event::Resize {
                        path,
                        len: next(500),
                    },
                    6 if next(4) == 0 => Event::Rename {
                        from: names[0].clone(),
                        to: names[1].clone(),
                    },
                    6 => Event::SyncNames,
                    7 if next(3) == 0 => Event::SyncFailed { path },
                    _ => Event::Sync { path },
                };
                moment.advance(&event);
                events.push(event);
                let mask = next(1 << 31);
                let mut survives = |unit: usize| mask >> (unit % 31) & 1 == 1;
                let (files, units) = SimulatedDisk::crash(&start, &events, &mut survives);
                assert_eq!(units, moment.units(), "{events:?}");
                assert!(files == moment.files(&mut survives), "{events:?}");
                assert_eq!(moment.hash(&mut survives), hash_files(&files), "{events:?}");
            }
        }
    }
}
