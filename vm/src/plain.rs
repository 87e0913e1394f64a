//! Slices of plain numbers as natives see them.
#![allow(unsafe_code)] // The memory of slices that natives were given.

use lang::bytecode::program::Kind;

use crate::native::{Ctx, SliceRef};
use crate::raw;
use crate::value::ValueRef;

/// A number as it lies in memory: any bits are a value.
pub trait Plain: Copy + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! plain {
    ($($ty:ty)*) => {
        $(impl sealed::Sealed for $ty {}
        impl Plain for $ty {})*
    };
}
plain! { i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 }

impl ValueRef<'_> {
    /// The three words of a slice; panics for another kind.
    pub fn slice(&self) -> SliceRef {
        assert_eq!(self.kind(), Kind::Slice, "not a slice");
        SliceRef {
            addr: self.pointer(),
            len: self.len() as u64,
            cap: self.cap() as u64,
        }
    }

    /// The kind of the elements of a slice or array.
    pub fn elem_kind(&self) -> Kind {
        self.types.desc(self.desc().elem).kind
    }
}

impl Ctx<'_> {
    /// The elements of a slice whose element type has the size of `T` and no pointers.
    pub fn plain_of<T: Plain>(&self, s: SliceRef) -> &[T] {
        // SAFETY: the slice's memory is alive during the call and its elements are aligned; `&self` excludes
        // `plain_mut`.
        unsafe { raw::typed(s.addr, s.len) }
    }

    /// The same to be written. In the persistent heap the whole range is noted or logged.
    pub fn plain_mut<T: Plain>(&mut self, s: SliceRef) -> &mut [T] {
        self.vm.will_store(s.addr, s.len * size_of::<T>() as u64);
        // SAFETY: as in `plain_of`; `&mut self` excludes other views of slices.
        unsafe { raw::typed_mut(s.addr, s.len) }
    }

    /// A fresh slice with these elements; never nil.
    pub fn new_plain<T: Plain>(&mut self, elems: &[T]) -> SliceRef {
        let len = elems.len() as u64;
        let addr = self.vm.alloc_noscan(size_of_val(elems) as u64);
        // SAFETY: fresh memory of that size.
        unsafe { raw::typed_mut(addr, len) }.copy_from_slice(elems);
        SliceRef {
            addr,
            len,
            cap: len,
        }
    }

    /// Stores a bool or number of any kind by its bits: two words for complex128, else the low bytes of the first.
    /// Noted or logged in the persistent heap. Panics for another kind.
    pub fn store_bits(&mut self, v: ValueRef<'_>, bits: [u64; 2]) {
        assert!(
            !v.is_foreign() && v.kind() as u8 <= Kind::Complex128 as u8,
            "not a number"
        );
        let size = self.types.rt(v.ty).size;
        self.vm.will_store(v.addr, size);
        let bytes: [u8; 16] = std::array::from_fn(|i| bits[i / 8].to_le_bytes()[i % 8]);
        // SAFETY: a live variable of that many bytes.
        unsafe { raw::slice_mut(v.addr, size) }.copy_from_slice(&bytes[..size as usize]);
    }
}
