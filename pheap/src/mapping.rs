//! Reserved address ranges: anonymous memory, and private (copy-on-write) views of a file laid over it.
#![allow(unsafe_code)] // mmap at fixed addresses has no safe form; memmap2 offers none either.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Once, OnceLock};

use crate::disk::DiskFile;

/// An address range of this process, reserved without backing store until it is touched; unmapped on drop.
#[derive(Debug)]
pub struct Mapping {
    base: u64,
    len: u64,
}

impl Mapping {
    /// Reserves `len` bytes of zeroed, writable memory wherever there is room.
    pub fn anonymous(len: u64) -> io::Result<Mapping> {
        Mapping::reserve(None, len)
    }

    /// Reserves `len` bytes of zeroed, writable memory at `base` exactly; `AddrInUse` if anything is mapped there.
    pub fn anonymous_at(base: u64, len: u64) -> io::Result<Mapping> {
        Mapping::reserve(Some(base), len)
    }

    fn reserve(base: Option<u64>, len: u64) -> io::Result<Mapping> {
        let mut flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        if base.is_some() {
            flags |= libc::MAP_FIXED_NOREPLACE;
        }
        let hint = base.unwrap_or(0) as *mut libc::c_void;
        // SAFETY: a fresh mapping; MAP_FIXED_NOREPLACE never replaces an existing one.
        let at = unsafe {
            libc::mmap(
                hint,
                len as usize,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                -1,
                0,
            )
        };
        if at == libc::MAP_FAILED {
            let error = io::Error::last_os_error();
            let taken = error.raw_os_error() == Some(libc::EEXIST);
            return Err(if taken {
                io::ErrorKind::AddrInUse.into()
            } else {
                error
            });
        }
        let mapping = Mapping {
            base: at as u64,
            len,
        };
        // Kernels before 4.17 take the address as a hint only.
        if base.is_some_and(|base| base != mapping.base) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        Ok(mapping)
    }

    pub fn base(&self) -> u64 {
        self.base
    }

    pub fn len_bytes(&self) -> u64 {
        self.len
    }

    /// Lays a private view of `file`'s bytes `offset..offset + len` over the same offsets of the range.
    /// What was there is replaced, so the caller must hold no reference into it.
    pub(crate) fn map_file(&self, file: BorrowedFd<'_>, offset: u64, len: u64) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        assert!(
            offset.checked_add(len).is_some_and(|end| end <= self.len),
            "view outside the reservation"
        );
        let flags = libc::MAP_PRIVATE | libc::MAP_NORESERVE | libc::MAP_FIXED;
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        let at = (self.base + offset) as *mut libc::c_void;
        // SAFETY: the range lies in this reservation, which this value owns.
        let got = unsafe {
            libc::mmap(
                at,
                len as usize,
                prot,
                flags,
                file.as_raw_fd(),
                offset as libc::off_t,
            )
        };
        if got == libc::MAP_FAILED {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }

    /// Takes what was laid over a part of the range away: zeroed memory is there again.
    pub(crate) fn clear(&self, offset: u64, len: u64) -> io::Result<()> {
        assert!(
            offset.checked_add(len).is_some_and(|end| end <= self.len),
            "range outside the reservation"
        );
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        let at = (self.base + offset) as *mut libc::c_void;
        // SAFETY: the range lies in this reservation, which this value owns, and nothing uses it.
        if unsafe { libc::mmap(at, len as usize, prot, flags, -1, 0) } == libc::MAP_FAILED {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }

    /// Copies bytes to an offset of the range.
    pub(crate) fn copy_in(&self, offset: u64, bytes: &[u8]) {
        assert!(
            offset + bytes.len() as u64 <= self.len,
            "bytes outside the reservation"
        );
        // SAFETY: the range is writable and belongs to this value; `bytes` is ordinary memory elsewhere.
        unsafe { crate::raw::write_bytes(self.base + offset, bytes) };
    }

    /// Asks for huge pages from `offset` on, where the system has them.
    pub(crate) fn prefer_huge_pages(&self, offset: u64) {
        if offset < self.len {
            let at = (self.base + offset) as *mut libc::c_void;
            // SAFETY: advice about a range that this value owns; a refusal changes nothing.
            unsafe { libc::madvise(at, (self.len - offset) as usize, libc::MADV_HUGEPAGE) };
        }
    }

    /// Gives the memory of a range back; it reads as zero afterwards, or as the file that was laid over it.
    pub(crate) fn discard(&self, addr: u64, len: u64) -> bool {
        assert!(
            addr >= self.base && addr + len <= self.base + self.len,
            "range outside the reservation"
        );
        // SAFETY: the range lies in this reservation; no references into it exist.
        unsafe { libc::madvise(addr as *mut libc::c_void, len as usize, libc::MADV_DONTNEED) == 0 }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this value owns the range.
        unsafe { libc::munmap(self.base as *mut libc::c_void, self.len as usize) };
    }
}

/// A shared, writable view of a whole file: what is written there survives the death of the process.
pub(crate) struct SharedView {
    view: memmap2::MmapMut,
}

impl SharedView {
    pub fn new(file: BorrowedFd<'_>, len: u64) -> io::Result<SharedView> {
        use std::os::fd::AsRawFd;
        // SAFETY: the file is locked and written through this view only; a truncation by another program ends the
        // process with a message (see `guard_faults`).
        let view = unsafe {
            memmap2::MmapOptions::new()
                .len(len as usize)
                .map_mut(file.as_raw_fd())?
        };
        Ok(SharedView { view })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.view
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.view
    }
}

/// The bytes of a file as they are: a view of a real file, else a copy.
pub(crate) enum FileBytes {
    View(memmap2::Mmap),
    Copy(Vec<u8>),
}

impl FileBytes {
    pub fn read(file: &dyn DiskFile) -> io::Result<FileBytes> {
        use std::os::fd::AsRawFd;
        match file.fd() {
            // SAFETY: as in `SharedView::new`.
            Some(fd) => Ok(FileBytes::View(unsafe {
                memmap2::Mmap::map(fd.as_raw_fd())?
            })),
            None => {
                let mut bytes = vec![0; file.len_bytes()? as usize];
                file.read_at(&mut bytes, 0)?;
                Ok(FileBytes::Copy(bytes))
            }
        }
    }
}

impl std::ops::Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            FileBytes::View(view) => view,
            FileBytes::Copy(bytes) => bytes,
        }
    }
}

/// The message for a fault in a heap's mapping; its first byte's address and its length.
static FAULT_MESSAGE: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
static FAULT_MESSAGE_LEN: AtomicUsize = AtomicUsize::new(0);

/// What the message begins with.
static FAULT_PREFIX: OnceLock<&'static str> = OnceLock::new();

/// Sets what the message of a fault in a heap's mapping begins with: the program's name, `pgo: `. The first call counts.
pub fn set_fault_prefix(prefix: &'static str) {
    let _ = FAULT_PREFIX.set(prefix);
}

pub(crate) fn fault_prefix() -> &'static str {
    FAULT_PREFIX.get().copied().unwrap_or_default()
}

/// Makes a bus error (a mapped file was truncated by another program, or its device failed) end the process with
/// `message` and exit status 2.
pub(crate) fn guard_faults(message: String) {
    let message = message.into_bytes().leak();
    FAULT_MESSAGE_LEN.store(0, Ordering::SeqCst);
    FAULT_MESSAGE.store(message.as_mut_ptr(), Ordering::SeqCst);
    FAULT_MESSAGE_LEN.store(message.len(), Ordering::SeqCst);
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        extern "C" fn on_bus_error(_: libc::c_int) {
            let (at, len) = (
                FAULT_MESSAGE.load(Ordering::SeqCst),
                FAULT_MESSAGE_LEN.load(Ordering::SeqCst),
            );
            // SAFETY: the message is leaked, so alive; write and _exit are async-signal-safe.
            unsafe {
                libc::write(2, at.cast(), len);
                libc::_exit(2);
            }
        }
        // SAFETY: the handler only does what is allowed in one; a zeroed sigaction is a valid start.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_bus_error as extern "C" fn(libc::c_int) as usize;
            action.sa_flags = libc::SA_ONSTACK;
            libc::sigaction(libc::SIGBUS, &action, std::ptr::null_mut());
        }
    });
}
