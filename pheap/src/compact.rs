//! Compaction: what is reachable, in a new file without gaps, which replaces the old one by a rename. A crash leaves one
//! of them whole; the log beside them belongs to both, as all that it held is in the files.

use std::path::Path;
use std::sync::Arc;

use crate::Addr;
use crate::bulk::{Catalog, Layout, Place, Writer, write_heap};
use crate::disk::{Disk, RealDisk};
use crate::error::{Error, Result};
use crate::heap::{Heap, Options};
use crate::layout::put_u64;
use crate::maps::Rehash;
use crate::recovery::resolve;
use crate::space::ObjectRef;
use crate::superblock::Superblock;
use crate::types::FIRST_TYPE;
use crate::view::View;

/// What a compaction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compaction {
    /// Length of the heap file before and after.
    pub before_bytes: u64,
    pub after_bytes: u64,
    /// Objects of the program that were kept, and those that nothing reached.
    pub kept_objects: u64,
    pub dropped_objects: u64,
}

/// Compacts the heap at `path`, which no process may be using. `progress` hears of bytes done and bytes in all.
pub fn compact(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Compaction> {
    compact_on(Arc::new(RealDisk), path, Options::default(), progress)
}

/// As `compact`, on any disk.
pub fn compact_on(
    disk: Arc<dyn Disk>,
    path: &Path,
    options: Options,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Compaction> {
    let path = &resolve(&*disk, path)?;
    let options = Options {
        create: false,
        read_only: false,
        ..options
    };
    // Open and locked up to the end; by now the file has all that the log held.
    let heap = Heap::open_on(disk.clone(), path, options)?.recover()?;
    let view = View::open_on(&*disk, path)?;
    let mut moves = Moves::new(&view);
    for root in view.roots() {
        moves.mark(root.addr, REACHED)?;
    }
    moves.mark(view.catalog(), OWN)?;
    let mut layout = Layout::default();
    let types = view.types()[FIRST_TYPE as usize..].iter();
    let catalog = Catalog::place(types.map(|desc| &**desc), view.roots(), &mut layout)?;
    let mut done = Compaction {
        before_bytes: view.sizes().file_bytes,
        after_bytes: 0,
        kept_objects: 0,
        dropped_objects: 0,
    };
    view.for_each_object(|object| {
        match moves.place(&object) {
            REACHED => {
                done.kept_objects += 1;
                *moves.place_mut(&object) = layout.place(view.content_bytes(&object));
            }
            GARBAGE => done.dropped_objects += 1,
            _ => {}
        }
        Ok(())
    })?;
    let superblock = Superblock {
        generation: view.superblock.generation + 1,
        next_lsn: view.chain.next_lsn,
        prev_crc: view.chain.prev_crc,
        ..view.superblock
    };
    let all_bytes = view.sizes().heap_bytes;
    let fill = |writer: &mut Writer<'_>| {
        let roots: Vec<Addr> = (view.roots().iter())
            .map(|root| moves.new_addr(writer, root.addr))
            .collect::<Result<_>>()?;
        catalog.put(writer, &roots)?;
        view.for_each_object(|object| {
            let place = moves.place(&object);
            if matches!(place, GARBAGE | OWN) {
                return Ok(());
            }
            progress(object.addr - view.base(), all_bytes);
            let mut contents = view.contents(&object)?;
            view.for_each_pointer(&object, |at, to| {
                put_u64(&mut contents, at as usize, moves.new_addr(writer, to)?);
                Ok(())
            })?;
            writer.put(place, object.type_index, object.count, &contents)
        })
    };
    let which = Rehash::AddressKeys;
    let (file, after_bytes) = write_heap(&*disk, path, &layout, superblock, which, fill)?;
    done.after_bytes = after_bytes;
    drop((heap, file));
    Ok(done)
}

/// Not reached.
const GARBAGE: Place = Place::other(0);
/// Reached, and not placed yet.
const REACHED: Place = Place::other(1);
/// The heap's own, which is made anew.
const OWN: Place = Place::other(2);

/// Where each object goes.
struct Moves<'a> {
    view: &'a View,
    /// By number of the slot.
    places: Vec<Place>,
}

impl Moves<'_> {
    fn new(view: &View) -> Moves<'_> {
        let places = vec![GARBAGE; view.slot_count() as usize];
        Moves { view, places }
    }

    fn place(&self, object: &ObjectRef) -> Place {
        self.places[self.view.slot_number(object) as usize]
    }

    fn place_mut(&mut self, object: &ObjectRef) -> &mut Place {
        &mut self.places[self.view.slot_number(object) as usize]
    }

    fn find(&self, addr: Addr) -> Result<ObjectRef> {
        let found = self.view.find_object(addr)?;
        let known = found.filter(|found| (found.type_index as usize) < self.view.types().len());
        known.ok_or_else(|| self.damaged(addr))
    }

    fn damaged(&self, addr: Addr) -> Error {
        let offset = addr.wrapping_sub(self.view.base());
        Error::damaged(self.view.path(), offset, "a pointer to no object")
    }

    /// Marks what can be reached from an address and is not marked yet.
    fn mark(&mut self, addr: Addr, how: Place) -> Result<()> {
        let mut work = vec![self.find(addr)?];
        *self.place_mut(&work[0]) = how;
        while let Some(object) = work.pop() {
            self.view.for_each_pointer(&object, |_, to| {
                let object = self.find(to)?;
                let number = self.view.slot_number(&object) as usize;
                if self.places[number] == GARBAGE {
                    self.places[number] = how;
                    work.push(object);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn new_addr(&self, writer: &Writer<'_>, addr: Addr) -> Result<Addr> {
        let object = self.find(addr)?;
        let by = addr - object.addr;
        let room = self.view.content_bytes(&object).next_multiple_of(8);
        match by <= room {
            true => Ok(writer.addr(self.place(&object)) + by),
            false => Err(self.damaged(addr)),
        }
    }
}
