//! A small program on a heap, and a model of what it should hold. Shared by the tests of recovery.
#![allow(unsafe_code)] // Stores to the heap directly, as a program does.
#![allow(dead_code)] // Each test binary uses a part.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pheap::disk::Disk;
use pheap::{
    BYTES_TYPE, Durability, Error, Heap, Kind, Mutation, Options, PointerSlot, Result, Step,
    TypeDesc,
};

pub fn get(addr: u64) -> u64 {
    // SAFETY: tests read words of live objects only.
    unsafe { (addr as *const u64).read() }
}

pub fn put(addr: u64, value: u64) {
    // SAFETY: tests write to words of live objects only.
    unsafe { (addr as *mut u64).write(value) }
}

/// A logged store.
pub fn store(heap: &mut Heap, addr: u64, value: u64) {
    heap.log(addr, 8);
    put(addr, value);
}

pub fn heap_path() -> PathBuf {
    PathBuf::from("test.pheap")
}

/// Options for a small heap at an address range that no other open heap has.
pub fn options(durability: Durability) -> Options {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed) % 4096;
    Options {
        durability,
        base: 0x4100_0000_0000 + n * (1 << 28),
        limit_bytes: 1 << 26,
        initial_bytes: 64 << 10,
        log_bytes: 8 << 10,
        log_limit_bytes: 16 << 10,
        dirty_limit_bytes: 96 << 10,
        private_limit_bytes: 16 << 10,
        frees_per_record: 2,
        ..Options::default()
    }
}

pub fn open(disk: &(impl Disk + Clone + 'static), options: &Options) -> Result<Heap> {
    Heap::open_on(Arc::new(disk.clone()), &heap_path(), options.clone())?.recover()
}

pub fn open_file(path: &Path, options: &Options) -> Result<Heap> {
    Heap::open(path, options.clone())?.recover()
}

/// What a heap holds: by root, a list of (number, bytes).
pub type Model = BTreeMap<String, Vec<(u64, Bytes)>>;

/// Bytes that print as their number and a checksum.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}×{:x}", self.0.len(), crc32c::crc32c(&self.0))
    }
}

/// The type of the nodes: next, number, bytes.
pub fn node_type(heap: &mut Heap) -> Result<u32> {
    let desc = TypeDesc {
        pointers: vec![PointerSlot::Ptr(0), PointerSlot::Ptr(16)],
        ..TypeDesc::scalar("node", 42, Kind::Struct, 24)
    };
    heap.register_type(desc)
}

/// Reads the whole heap into a model.
pub fn read_model(heap: &Heap) -> Model {
    let mut model = Model::new();
    for root in heap.roots() {
        let mut list = Vec::new();
        let mut node = root.addr;
        while node != 0 {
            let object = heap.find_object(node).expect("a node is an object");
            assert_eq!(
                heap.type_desc(object.type_index)
                    .expect("a known type")
                    .name,
                "node"
            );
            let bytes = match get(node + 16) {
                0 => Vec::new(),
                addr => {
                    let object = heap.find_object(addr).expect("bytes are an object");
                    assert_eq!(object.type_index, BYTES_TYPE);
                    // SAFETY: a live object of this many bytes.
                    unsafe { std::slice::from_raw_parts(addr as *const u8, object.count as usize) }
                        .to_vec()
                }
            };
            list.push((get(node + 8), Bytes(bytes)));
            node = get(node);
            assert!(list.len() < 100_000, "a list without end");
        }
        model.insert(root.name, list);
    }
    model
}

/// What a step of the workload reports, for the simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A commit begins: the model's new state may be on disk from now on.
    Begin,
    /// A commit has returned with a promise of durability.
    Durable,
}

/// A random program over a heap and its model.
pub struct Workload {
    pub model: Model,
    /// The model after each commit that was tried, failed ones included.
    pub states: Vec<Model>,
    /// The heap's policy promises that a commit is durable when it returns.
    pub commits_are_durable: bool,
    /// Many large objects: spans come and go, the heap grows and shrinks.
    pub is_large: bool,
    pub stores_outside: bool,
    /// Stores outside transactions wait for a record.
    has_noted: bool,
    random: u64,
}

impl Workload {
    pub fn new(seed: u64) -> Workload {
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Workload {
            model: Model::new(),
            states: vec![Model::new()],
            commits_are_durable: false,
            is_large: false,
            stores_outside: true,
            has_noted: false,
            random,
        }
    }

    pub fn random(&mut self, n: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % n
    }

    /// Begins a collection, or goes on with one, in small steps.
    fn collect_some(&mut self, heap: &mut Heap) {
        match self.random(8) {
            0 if !heap.is_collecting() => heap.start_collection(Vec::new()),
            0..=5 => {
                let work = self.random(12);
                let time = Duration::MAX;
                heap.step_collection(Step { work, time });
            }
            _ => {}
        }
    }

    /// A store outside transactions, to the number of a node.
    fn store_outside(&mut self, heap: &mut Heap) {
        let (name, number) = (format!("root{}", self.random(4)), self.random(1 << 40));
        if let Some(list) = self.model.get_mut(&name)
            && let Some((node, _)) = heap.root(&name)
        {
            heap.note(node + 8, 8);
            put(node + 8, number);
            list[0].0 = number;
            self.has_noted = true;
        }
    }

    /// Makes what was stored outside transactions durable.
    pub fn settle(&mut self, heap: &mut Heap, moment: &mut dyn FnMut(Moment, usize)) -> Result<()> {
        if std::mem::take(&mut self.has_noted) {
            self.states.push(self.model.clone());
            moment(Moment::Begin, self.states.len() - 1);
            heap.sync()?;
            moment(Moment::Durable, self.states.len() - 1);
        }
        Ok(())
    }

    /// One random change, in the heap and in the model.
    fn change(&mut self, heap: &mut Heap, node_type: u32) -> Result<()> {
        self.collect_some(heap);
        let name = format!("root{}", self.random(4));
        let at = self.random(8) as usize;
        let number = self.random(1 << 40);
        let head = heap.root(&name).map_or(0, |root| root.0);
        let list = self.model.get(&name).map_or(0, Vec::len);
        match self.random(14) {
            // Push a node with bytes.
            0..=3 => {
                let len = match (self.random(10), self.is_large) {
                    (0..3, true) => 20_000,
                    (3..6, true) => 9_000,
                    (0, false) => 3000,
                    (1, false) => 20_000,
                    _ => self.random(100) as usize,
                };
                let bytes = vec![number as u8; len];
                let node = heap.alloc_array(node_type, 1)?;
                let addr = heap.alloc_bytes(&bytes)?;
                store(heap, node, head);
                store(heap, node + 8, number);
                store(heap, node + 16, addr);
                heap.set_root(&name, node, node_type)?;
                self.model
                    .entry(name)
                    .or_default()
                    .insert(0, (number, Bytes(bytes)));
            }
            // Change a number.
            4..=7 if list > 0 => {
                let at = at % list;
                let mut node = head;
                for _ in 0..at {
                    node = get(node);
                }
                store(heap, node + 8, number);
                self.model.get_mut(&name).expect("not empty")[at].0 = number;
            }
            // Change some bytes in the middle.
            8 if list > 0 => {
                let bytes = get(head + 16);
                let model = &mut self.model.get_mut(&name).expect("not empty")[0].1.0;
                if model.len() > 50 {
                    heap.log(bytes + 3, 40);
                    // SAFETY: inside a live byte object.
                    unsafe { std::ptr::write_bytes((bytes + 3) as *mut u8, number as u8, 40) };
                    model[3..43].fill(number as u8);
                }
            }
            // Cut the list.
            9 | 10 if list > 1 => {
                store(heap, head, 0);
                self.model.get_mut(&name).expect("not empty").truncate(1);
            }
            // Move the rest of a list behind another one.
            11 | 12 if list > 1 => {
                let other = format!("root{}", self.random(4));
                let Some((mut tail, _)) = heap.root(&other).filter(|_| other != name) else {
                    return Ok(());
                };
                let rest = get(head);
                store(heap, head, 0);
                self.collect_some(heap);
                while get(tail) != 0 {
                    tail = get(tail);
                }
                store(heap, tail, rest);
                let moved = self.model.get_mut(&name).expect("not empty").split_off(1);
                self.model.get_mut(&other).expect("a root").extend(moved);
            }
            13 if list > 0 => {
                assert!(heap.delete_root(&name));
                self.model.remove(&name);
            }
            _ => {}
        }
        Ok(())
    }

    /// One step: a transaction with savepoints and rollbacks, at times a collection or a checkpoint.
    pub fn step(
        &mut self,
        heap: &mut Heap,
        node_type: u32,
        moment: &mut dyn FnMut(Moment, usize),
    ) -> Result<()> {
        if self.stores_outside && self.random(4) == 0 {
            self.store_outside(heap);
        }
        self.collect_some(heap);
        let before = self.model.clone();
        heap.begin();
        let done = self.transaction(heap, node_type);
        if done.is_err() || self.random(8) == 0 {
            heap.rollback()?;
            self.model = before;
            assert_eq!(read_model(heap), self.model);
            return done;
        }
        self.states.push(self.model.clone());
        let state = self.states.len() - 1;
        moment(Moment::Begin, state);
        let lsn = heap.commit();
        if let Err(error) = lsn {
            self.model = before;
            return Err(error);
        }
        self.has_noted = false;
        if self.commits_are_durable {
            moment(Moment::Durable, state);
        }
        if self.random(3) == 0 {
            assert_eq!(read_model(heap), self.model);
        }
        match self.random(12) {
            0 => drop(heap.collect(&mut |_| ())),
            1 => {
                heap.checkpoint()?;
                moment(Moment::Durable, state);
            }
            2 => {
                heap.sync()?;
                moment(Moment::Durable, state);
            }
            _ => {}
        }
        Ok(())
    }

    fn transaction(&mut self, heap: &mut Heap, node_type: u32) -> Result<()> {
        for _ in 0..1 + self.random(4) {
            self.change(heap, node_type)?;
        }
        if self.random(3) == 0 {
            let saved = self.model.clone();
            heap.begin();
            let done = self.change(heap, node_type);
            if done.is_err() || self.random(2) == 0 {
                heap.rollback()?;
                self.model = saved;
                done?;
            } else {
                heap.commit()?;
            }
            self.change(heap, node_type)?;
        }
        match self.random(16) {
            0 => drop(heap.collect(&mut |_| ())),
            1 => heap.checkpoint()?,
            _ => {}
        }
        Ok(())
    }
}

/// Whether the error is one of those that a damaged or foreign file may give.
pub fn is_clear(error: &Error) -> bool {
    !matches!(error, Error::Io { .. } | Error::Poisoned { .. })
        && error.to_string().contains("heap")
}

pub fn mutated(options: &Options, mutation: Mutation) -> Options {
    Options {
        mutation,
        ..options.clone()
    }
}
