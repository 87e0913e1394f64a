//! A disk that records what is done to it, so that a test can build every state that a power failure may leave:
//! whatever was not synced is optional, in units of 64 bytes.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::memory::{guard, set_len};
use super::{Disk, DiskFile, MemoryDisk, Mode};

/// Bytes that reach the medium together or not at all.
pub const UNIT_BYTES: u64 = 64;

/// One thing that happened, in order.
#[derive(Clone, Debug)]
pub enum Event {
    Write {
        path: PathBuf,
        offset: u64,
        bytes: Vec<u8>,
    },
    Resize {
        path: PathBuf,
        len: u64,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    /// All earlier writes to the file are durable.
    Sync {
        path: PathBuf,
    },
    /// A sync that failed: earlier unsynced writes stay visible but are never written by a later sync.
    SyncFailed {
        path: PathBuf,
    },
    SyncNames,
    /// A remark of the test, for example that a commit was acknowledged.
    Mark(u64),
}

#[derive(Clone, Default)]
pub struct SimulatedDisk {
    visible: MemoryDisk,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    syncs: u64,
    fail_sync: Option<u64>,
}

/// A choice over what was pending at a crash: unit number in, survives or not out.
pub type Survives<'a> = &'a mut dyn FnMut(usize) -> bool;

impl SimulatedDisk {
    /// A disk that holds the given files, all of it durable.
    pub fn new(files: BTreeMap<PathBuf, Vec<u8>>) -> SimulatedDisk {
        SimulatedDisk {
            visible: MemoryDisk::new(files),
            state: Arc::default(),
        }
    }

    /// Lets the n-th sync of a file fail.
    pub fn fail_sync(&self, n: u64) {
        guard(&self.state).fail_sync = Some(n);
    }

    pub fn mark(&self, mark: u64) {
        guard(&self.state).events.push(Event::Mark(mark));
    }

    pub fn events(&self) -> Vec<Event> {
        guard(&self.state).events.clone()
    }

    /// Number of syncs so far.
    pub fn syncs(&self) -> u64 {
        guard(&self.state).syncs
    }

    /// Number of events at the beginning that are durable, whatever comes behind `events`.
    pub fn settled(events: &[Event]) -> usize {
        let certain = certain(events);
        let is_open = |i: &usize| {
            let timeless = matches!(
                events[*i],
                Event::Sync { .. } | Event::SyncFailed { .. } | Event::SyncNames | Event::Mark(_)
            );
            !certain[*i] && !timeless
        };
        (0..events.len()).find(is_open).unwrap_or(events.len())
    }

    /// The files after a crash behind `events`, on a disk that held `files` before them. `survives` is asked once
    /// for each pending unit of 64 bytes (and pending change of length or name). Returns also how many there were.
    pub fn crash(
        files: &BTreeMap<PathBuf, Vec<u8>>,
        events: &[Event],
        survives: Survives<'_>,
    ) -> (BTreeMap<PathBuf, Vec<u8>>, usize) {
        let mut durable = files.clone();
        let certain = certain(events);
        let mut unit = 0;
        let mut ask = |certain: bool| {
            certain || {
                unit += 1;
                survives(unit - 1)
            }
        };
        for (event, certain) in events.iter().zip(certain) {
            match event {
                Event::Write {
                    path,
                    offset,
                    bytes,
                } => {
                    let exists = durable.contains_key(path);
                    let mut file = durable.remove(path).unwrap_or_default();
                    let mut touched = false;
                    let mut at = 0;
                    while at < bytes.len() {
                        let to = *offset + at as u64;
                        let rest = bytes.len() - at;
                        let len = if certain {
                            rest
                        } else {
                            ((UNIT_BYTES - to % UNIT_BYTES) as usize).min(rest)
                        };
                        if ask(certain) {
                            touched = true;
                            let end = to as usize + len;
                            if file.len() < end {
                                set_len(&mut file, end);
                            }
                            file[to as usize..end].copy_from_slice(&bytes[at..at + len]);
                        }
                        at += len;
                    }
                    if exists || touched {
                        durable.insert(path.clone(), file);
                    }
                }
                Event::Resize { path, len } => {
                    if ask(certain) {
                        set_len(durable.entry(path.clone()).or_default(), *len as usize);
                    }
                }
                Event::Rename { from, to } => {
                    if ask(certain)
                        && let Some(file) = durable.remove(from)
                    {
                        durable.insert(to.clone(), file);
                    }
                }
                Event::Sync { .. }
                | Event::SyncFailed { .. }
                | Event::SyncNames
                | Event::Mark(_) => {}
            }
        }
        (durable, unit)
    }
}

/// Which changes are durable behind `events`: those before a sync of their file, if the next one succeeded.
fn certain(events: &[Event]) -> Vec<bool> {
    let mut next_sync: BTreeMap<&Path, bool> = BTreeMap::new();
    let mut names_synced = false;
    let mut certain = vec![false; events.len()];
    for (i, event) in events.iter().enumerate().rev() {
        match event {
            Event::Sync { path } => drop(next_sync.insert(path, true)),
            Event::SyncFailed { path } => drop(next_sync.insert(path, false)),
            Event::SyncNames => names_synced = true,
            Event::Write { path, .. } | Event::Resize { path, .. } => {
                certain[i] = next_sync.get(path.as_path()).copied().unwrap_or(false);
            }
            Event::Rename { .. } => certain[i] = names_synced,
            Event::Mark(_) => {}
        }
    }
    certain
}

impl Disk for SimulatedDisk {
    fn open(&self, path: &Path, mode: Mode) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.visible.open(path, mode)?;
        Ok(Arc::new(SimulatedFile {
            path: path.to_owned(),
            file,
            state: self.state.clone(),
        }))
    }

    fn exists(&self, path: &Path) -> bool {
        self.visible.exists(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        guard(&self.state).events.push(Event::Rename {
            from: from.to_owned(),
            to: to.to_owned(),
        });
        self.visible.rename(from, to)
    }

    /// Only after a failure, which ends the run: whether a crash brings the file back does not matter.
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.visible.remove(path)
    }

    fn sync_names(&self, _: &Path) -> io::Result<()> {
        guard(&self.state).events.push(Event::SyncNames);
        Ok(())
    }
}

struct SimulatedFile {
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    state: Arc<Mutex<State>>,
}

impl DiskFile for SimulatedFile {
    fn len_bytes(&self) -> io::Result<u64> {
        self.file.len_bytes()
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let event = Event::Write {
            path: self.path.clone(),
            offset,
            bytes: bytes.to_vec(),
        };
        guard(&self.state).events.push(event);
        self.file.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = guard(&self.state);
        let path = self.path.clone();
        state.syncs += 1;
        if state.fail_sync == Some(state.syncs - 1) {
            state.events.push(Event::SyncFailed { path });
            return Err(io::Error::other("simulated flush failure"));
        }
        state.events.push(Event::Sync { path });
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        if self.file.len_bytes()? < len {
            guard(&self.state).events.push(Event::Resize {
                path: self.path.clone(),
                len,
            });
        }
        self.file.allocate(len)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        guard(&self.state).events.push(Event::Resize {
            path: self.path.clone(),
            len,
        });
        self.file.truncate(len)
    }

    fn lock(&self, _: bool) -> io::Result<bool> {
        Ok(true)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
