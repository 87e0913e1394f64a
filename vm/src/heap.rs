//! The volatile heap: the span allocator with a registry of what the collector must know of objects.

use std::io;

use lang::bytecode::program::{PtrKind, TypeIdx};
use pheap::Space;

use crate::finalizer::Finalizer;

/// Address range of the volatile heap; reserved, not used, until touched.
const LIMIT_BYTES: u64 = 1 << 38;
const MIN_TRIGGER_BYTES: u64 = 8 << 20;

/// Registry index of objects without pointers.
pub(crate) const NOSCAN: u32 = 0;
/// Registry index of objects whose every word may be a pointer (closures).
pub(crate) const CONSERVATIVE: u32 = 1;

/// What object headers refer to: how to find the pointers of `count` elements.
#[derive(Clone, Debug)]
pub(crate) struct GcType {
    /// Bytes from element to element.
    pub stride: u64,
    pub ptrs: Box<[(u32, PtrKind)]>,
    /// The program's type of an element, if it has one.
    pub ty: Option<TypeIdx>,
}

pub(crate) struct VolatileHeap {
    pub space: Space,
    pub types: Vec<GcType>,
    /// Collect when this much was allocated since the last time.
    pub trigger_bytes: u64,
    pub collections: u64,
    /// Waiting for their objects to become unreachable, and those that are to run.
    pub finalizers: Vec<Finalizer>,
    pub due: Vec<Finalizer>,
    pub last_cleanup: u64,
}

impl VolatileHeap {
    pub fn new() -> io::Result<VolatileHeap> {
        let none = GcType {
            stride: 1,
            ptrs: Box::default(),
            ty: None,
        };
        Ok(VolatileHeap {
            space: Space::anonymous(LIMIT_BYTES)?,
            types: vec![none.clone(), none],
            trigger_bytes: MIN_TRIGGER_BYTES,
            collections: 0,
            finalizers: Vec::new(),
            due: Vec::new(),
            last_cleanup: 0,
        })
    }

    /// Registers a type; types without pointers share one entry.
    pub fn register(&mut self, stride: u64, ptrs: &[(u32, PtrKind)], ty: Option<TypeIdx>) -> u32 {
        self.types.push(GcType {
            stride,
            ptrs: ptrs.into(),
            ty,
        });
        (self.types.len() - 1) as u32
    }

    #[inline(always)]
    pub fn is_due(&self) -> bool {
        self.space.allocated_since_sweep_bytes() >= self.trigger_bytes
    }

    /// Zeroed memory for `count` elements of a registered type; None when the range is full.
    #[inline(always)]
    pub fn alloc(&mut self, gc: u32, count: u64, size_bytes: u64) -> Option<u64> {
        self.space.alloc(
            gc,
            count.min(u64::from(u32::MAX)) as u32,
            size_bytes as usize,
        )
    }

    /// Sets the next trigger after a collection: as much again as is live.
    pub fn pace(&mut self) {
        self.collections += 1;
        self.trigger_bytes = self.space.used_bytes().max(MIN_TRIGGER_BYTES);
    }
}
