//! Reads and writes of raw memory. Every function asks of its caller that the range is mapped (readable, for
//! writes writable) and that no Rust reference into it is in use.
#![allow(unsafe_code)] // Objects of the heaps are plain memory at addresses that programs compute with.
#![allow(clippy::missing_safety_doc)] // The module's head says it once for all.

macro_rules! access {
    ($read:ident, $write:ident, $ty:ty) => {
        #[inline(always)]
        pub unsafe fn $read(addr: u64) -> $ty {
            // SAFETY: as the caller promises.
            unsafe { (addr as *const $ty).read_unaligned() }
        }
        #[inline(always)]
        pub unsafe fn $write(addr: u64, value: $ty) {
            // SAFETY: as the caller promises.
            unsafe { (addr as *mut $ty).write_unaligned(value) }
        }
    };
}
access!(read, write, u64);
access!(read8, write8, u8);
access!(read16, write16, u16);
access!(read32, write32, u32);

/// The bytes of a range; empty for length 0 at whatever address.
#[inline(always)]
pub unsafe fn slice<'a>(addr: u64, len: u64) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: as the caller promises.
    unsafe { std::slice::from_raw_parts(addr as *const u8, len as usize) }
}

#[inline(always)]
pub unsafe fn slice_mut<'a>(addr: u64, len: u64) -> &'a mut [u8] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: as the caller promises.
    unsafe { std::slice::from_raw_parts_mut(addr as *mut u8, len as usize) }
}

/// `len` elements at an address aligned for them.
#[inline(always)]
pub unsafe fn typed<'a, T>(addr: u64, len: u64) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: as the caller promises.
    unsafe { std::slice::from_raw_parts(addr as *const T, len as usize) }
}

#[inline(always)]
pub unsafe fn typed_mut<'a, T>(addr: u64, len: u64) -> &'a mut [T] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: as the caller promises.
    unsafe { std::slice::from_raw_parts_mut(addr as *mut T, len as usize) }
}

/// Copies `len` bytes; the ranges may overlap.
#[inline(always)]
pub unsafe fn copy(to: u64, from: u64, len: u64) {
    // SAFETY: as the caller promises.
    unsafe { std::ptr::copy(from as *const u8, to as *mut u8, len as usize) }
}

#[inline(always)]
pub unsafe fn zero(addr: u64, len: u64) {
    // SAFETY: as the caller promises.
    unsafe { std::ptr::write_bytes(addr as *mut u8, 0, len as usize) }
}
