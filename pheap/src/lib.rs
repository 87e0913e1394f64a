//! A persistent, crash-safe, garbage-collected heap in one file.
//!
//! A heap is mapped at a fixed address, so that pointers in it are plain addresses. The program stores to it directly,
//! after telling the heap so: [`Heap::log`] in a transaction, [`Heap::note`] outside. A commit appends one record to the
//! redo log beside the heap file; a checkpoint brings the file up to date and empties the log. After a crash at any
//! moment the heap is the state after some prefix of the commits, which holds all that were acknowledged as durable.
//!
//! What the program owes the heap:
//! - in a transaction, [`Heap::log`] before a store to persistent memory (a store to an object that was allocated at the
//!   same level may go without); outside, [`Heap::note`] before a store;
//! - no address of anything but this heap's objects in a pointer slot, and only types registered with this heap;
//! - [`Heap::commit`] or [`Heap::rollback`] for each [`Heap::begin`], innermost first;
//! - in [`Heap::collect`] and [`Heap::start_collection`], a report of every word outside the heap that refers to its objects;
//! - [`Heap::close`] at an orderly end. Without it the next open replays the log, which loses nothing but stores outside
//!   transactions since the last commit.
//!
//! An object that was never reachable from a root at a commit is never written to disk, so a crash leaks nothing.
//!
//! The crate knows no language: objects are described by [`TypeDesc`]s. FORMAT.md has the layout of the files.
//!
//! ```
//! use pheap::{Heap, Kind, Options, TypeDesc};
//!
//! let mut heap = Heap::ephemeral(Options::default())?;
//! let int = heap.register_type(TypeDesc::scalar("int", 1, Kind::Int, 8))?;
//! heap.begin();
//! let counter = heap.alloc_array(int, 1)?;
//! heap.set_root("counter", counter, int)?;
//! heap.commit()?;
//! assert_eq!(heap.root("counter"), Some((counter, int)));
//! # Ok::<(), pheap::Error>(())
//! ```

pub mod disk;

mod backup;
pub mod bulk;
mod check;
mod checkpoint;
mod collect;
mod commit;
mod compact;
mod error;
mod flusher;
pub mod hash;
mod heap;
mod image;
mod layout;
mod log;
mod mapping;
pub mod maps;
mod migrate;
mod new_file;
mod pages;
mod raw;
mod recovery;
mod relocate;
mod roots;
mod space;
mod spans;
mod stored;
mod superblock;
mod touched;
mod txn;
mod types;
mod view;

/// An address in the process, as stored in pointer words.
pub type Addr = u64;

pub use backup::{Backup, backup, open_read_only, stable_view};
pub use check::{Problem, Report};
pub use collect::{Collection, CollectionStats, PAUSE_LIMITS_MICROS, ReportRoots, Step};
pub use compact::{Compaction, compact, compact_on};
pub use error::{Error, Result};
#[doc(hidden)]
pub use heap::Mutation;
pub use heap::{Checking, Durability, Heap, Options, Stats};
pub use log::Lsn;
pub use mapping::{Mapping, set_fault_prefix};
pub use migrate::{
    Change, FieldChange, Instance, Maker, Migrated, Misfit, Refusal, Survey, Verdict, Wanted,
    WantedType,
};
pub use recovery::Unrecovered;
pub use roots::Root;
pub use space::{ObjectRef, Space, SpaceStats};
pub use spans::{HEADER_BYTES, PAGE_BYTES};
pub use touched::{Touched, TouchedRange, last_records};
pub use types::{
    BYTES_TYPE, FIRST_TYPE, Field, Kind, MAP_HEADER_BYTES, PointerSlot, TypeDesc, built_in_types,
};
pub use view::{FileSizes, View};
