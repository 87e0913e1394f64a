//! Reads and writes of raw memory in mapped address ranges. Every function asks of its caller that the
//! range is mapped (readable, for writes writable) and that no Rust reference into it is alive.
#![allow(unsafe_code)] // Objects of a heap are plain memory at addresses that the VM computes with.

/// # Safety
/// `addr` is 8-aligned and mapped.
#[inline(always)]
pub unsafe fn read_u64(addr: u64) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { (addr as *const u64).read() }
}

/// # Safety
/// `addr` is 8-aligned and mapped writable.
#[inline(always)]
pub unsafe fn write_u64(addr: u64, value: u64) {
    // SAFETY: as the caller promises.
    unsafe { (addr as *mut u64).write(value) }
}

/// # Safety
/// `addr` is 8-aligned, `len` a multiple of 8, the range mapped writable.
#[inline(always)]
pub unsafe fn zero_words(addr: u64, len: u64) {
    if len <= 128 {
        let end = addr + len;
        let mut at = addr;
        while at < end {
            // SAFETY: within the range that the caller promises.
            unsafe { (at as *mut u64).write(0) };
            at += 8;
        }
    } else {
        // SAFETY: as the caller promises.
        unsafe { std::ptr::write_bytes(addr as *mut u8, 0, len as usize) };
    }
}

/// # Safety
/// The range is mapped writable.
pub unsafe fn fill(addr: u64, len: u64, byte: u8) {
    // SAFETY: as the caller promises.
    unsafe { std::ptr::write_bytes(addr as *mut u8, byte, len as usize) };
}

/// The bytes of a mapped range, for as long as nothing writes there.
/// # Safety
/// The range is mapped, and not written while the slice lives.
#[inline(always)]
pub unsafe fn bytes<'a>(addr: u64, len: u64) -> &'a [u8] {
    // SAFETY: as the caller promises.
    unsafe { std::slice::from_raw_parts(addr as *const u8, len as usize) }
}

/// Copies `from` to `addr`.
/// # Safety
/// The range is mapped writable and does not overlap `from`.
#[inline(always)]
pub unsafe fn write_bytes(addr: u64, from: &[u8]) {
    // SAFETY: as the caller promises.
    unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), addr as *mut u8, from.len()) };
}
