//! The volatile heap: the span allocator with a registry of what the collector must know of objects.

use std::io;

use lang::bytecode::program::{PtrKind, TypeIdx};
use pheap::{ObjectRef, Space};

use crate::finalizer::Finalizer;

/// Address range of the volatile heap; reserved, not used, until touched.
const LIMIT_BYTES: u64 = 1 << 38;
const MIN_TRIGGER_BYTES: u64 = 8 << 20;

/// Set in registry indices of objects without pointers.
const PLAIN: u32 = 1 << 31;
/// Registry index of plain bytes.
pub(crate) const NOSCAN: u32 = PLAIN;
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

/// Whether objects of a registry index have pointers.
#[inline(always)]
pub(crate) fn has_pointers(type_index: u32) -> bool {
    type_index & PLAIN == 0
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

    /// Registers a type; gives its index.
    pub fn register(&mut self, stride: u64, ptrs: &[(u32, PtrKind)], ty: Option<TypeIdx>) -> u32 {
        let index = self.types.len() as u32;
        self.types.push(GcType {
            stride,
            ptrs: ptrs.into(),
            ty,
        });
        match ptrs {
            [] => index | PLAIN,
            _ => index,
        }
    }

    /// The program's type of an object's elements; none for memory that natives, closures and maps have.
    pub fn element_type(&self, object: ObjectRef) -> Option<TypeIdx> {
        self.types[(object.type_index & !PLAIN) as usize].ty
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
