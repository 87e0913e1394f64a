//! A persistent, crash-safe, garbage-collected heap in one file.

pub mod mapping;
mod raw;
pub mod space;
mod spans;

/// An address in the process, as stored in pointer words.
pub type Addr = u64;

pub use space::{ObjectRef, Space, SpaceStats};
pub use spans::{HEADER_BYTES, PAGE_BYTES};
