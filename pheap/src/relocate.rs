//! Relocation: when a heap's address range is taken in this process, the heap is rewritten for another one. The new file
//! replaces the old one by a rename, so a crash leaves one of them whole.
#![allow(unsafe_code)] // Rewrites pointers in mapped objects.

use std::path::Path;

use crate::Addr;
use crate::collect;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::heap::{Heap, Options, Store};
use crate::image::{Image, descriptors, read_extents};
use crate::layout::{DESCRIPTORS_PER_PAGE, Extent};
use crate::mapping::Mapping;
use crate::new_file::NewFile;
use crate::raw;
use crate::recovery::{catalog_offset, load, read_page};
use crate::space::Space;
use crate::spans::PAGE_BYTES;
use crate::superblock::Superblock;
use crate::types::FIRST_TYPE;

/// New bases are multiples of this.
const ALIGN: u64 = 2 << 20;

/// An address range of `len` bytes that is free now.
pub fn free_range(path: &Path, len: u64) -> Result<Addr> {
    let io = |source| Error::io(path, "reserving an address range", source);
    let range = Mapping::anonymous(len + ALIGN).map_err(io)?;
    Ok(range.base().next_multiple_of(ALIGN))
}

/// Rewrites, in memory, the pointers of a heap that is loaded at another base than `from`, its own.
pub fn move_pointers(
    space: Space,
    from: Addr,
    path: &Path,
    options: &Options,
    extents: &[Extent],
) -> Result<Space> {
    let to = space.base();
    let mut heap = Heap::over(space, None, options.clone());
    heap.space.make_all();
    // The catalog first: it has the descriptions of the other types.
    rewrite(&heap, from, to, |type_index| type_index < FIRST_TYPE);
    heap.read_catalog(to + catalog_offset(path, extents)?)?;
    rewrite(&heap, from, to, |type_index| type_index >= FIRST_TYPE);
    Ok(heap.space)
}

/// Moves the pointers in objects of the chosen types.
fn rewrite(heap: &Heap, from: Addr, to: Addr, chosen: impl Fn(u32) -> bool) {
    heap.space.for_each_object(|object| {
        let desc = heap.types.get(object.type_index as usize);
        if let Some(desc) = desc.filter(|_| chosen(object.type_index)) {
            collect::each_pointer(object, desc, |at, word| {
                if word.wrapping_sub(from) < heap.end() - heap.base() {
                    // SAFETY: a pointer slot of a live object, and no reference to it is alive.
                    unsafe { raw::write_u64(at, word - from + to) };
                }
            });
        }
    });
}

/// Rewrites the heap file, which is up to date, for a free address range; the store then is that file's.
pub fn relocate(disk: &dyn Disk, store: &mut Store, options: &Options) -> Result<()> {
    let old = store.superblock;
    let base = free_range(&store.path, old.limit_bytes)?;
    let moved = Superblock {
        base,
        generation: old.generation + 1,
        clean: false,
        ..old
    };
    let read = |page| read_page(&*store.file, &store.path, page);
    let (space, extents) = load(&store.path, &*store.file, &moved, old.heap_bytes, read)?;
    let space = move_pointers(space, old.base, &store.path, options, &extents)?;

    let io = |source| Error::io(&store.path, "relocating the heap", source);
    let new = NewFile::begin(disk, &store.path, Some(&*store.file))?;
    let file = new.file();
    file.allocate(old.heap_bytes).map_err(io)?;
    let mut written = Vec::new();
    read_extents(
        &store.path,
        old.heap_bytes,
        true,
        read,
        |extent, index, bytes| {
            for (i, descriptor) in descriptors(bytes).enumerate() {
                let page = extent.first + index * DESCRIPTORS_PER_PAGE + i as u64;
                if page < extent.data() || (page < extent.end() && descriptor.crc.is_some()) {
                    written.push((page, page >= extent.data()));
                }
            }
        },
    )?;
    // All pages of descriptors come before the pages that they describe.
    let mut image = Image::new(&**file, &store.path, extents, true);
    for (page, is_data) in written {
        if is_data {
            let at = base + page * PAGE_BYTES;
            debug_assert!(space.contains(at));
            // SAFETY: pages of the heap file are mapped, and nothing writes to them here.
            image
                .page(page)?
                .copy_from_slice(unsafe { raw::bytes(at, PAGE_BYTES) });
        } else {
            let bytes = read(page)?;
            image.page(page)?.copy_from_slice(&bytes);
        }
    }
    image.write_out()?;
    moved.write(&**file).map_err(io)?;
    let file = new.finish(|| Ok(()))?;
    store.file = file;
    store.superblock = moved;
    store.log.reuse(moved.salt());
    Ok(())
}
