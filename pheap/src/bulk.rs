//! Heap files written in one go: places for all objects first, then their bytes. For compaction and import.

use std::path::Path;
use std::sync::Arc;

use crate::Addr;
use crate::disk::{Disk, DiskFile, Mode, RealDisk};
use crate::error::{Error, Result};
use crate::heap::Options;
use crate::image::Image;
use crate::layout::{Extent, part};
use crate::maps::{self, Rehash};
use crate::new_file::NewFile;
use crate::recovery::{beside, new_uuid, resolve};
use crate::roots::Root;
use crate::spans::{
    CLASS_OF, CLASS_PAGES, CLASSES, HEADER_BYTES, LARGE, MAX_SMALL_BYTES, PAGE_BYTES, Span,
    large_pages,
};
use crate::superblock::Superblock;
use crate::types::{BYTES_TYPE, CATALOG_TYPE, POINTERS_TYPE, ROOTS_TYPE, TypeDesc};
use crate::view::View;

/// Larger address ranges are not to be had.
const MAX_LIMIT_BYTES: u64 = 1 << 46;

/// Where an object will lie, in one word: first page of its span (counted from the first page for spans), slot, class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(u64);

impl Place {
    /// Something else than the place of an object; up to 8 such things.
    pub(crate) const fn other(n: u64) -> Place {
        assert!(n < 8);
        Place(u64::MAX - n)
    }

    fn new(page: u64, slot: u32, class: u8) -> Place {
        Place(page << 24 | u64::from(slot) << 8 | u64::from(class))
    }

    fn page(self) -> u64 {
        self.0 >> 24
    }

    fn slot(self) -> u32 {
        (self.0 >> 8) as u16 as u32
    }

    /// Bytes from the start of its span.
    fn offset(self) -> u64 {
        let class = self.0 as u8;
        let pages = match class {
            LARGE => 1,
            class => CLASS_PAGES[usize::from(class)].into(),
        };
        Span::unloaded(0, pages, class, 0).object(self.slot())
    }
}

/// The spans of a heap file to be.
pub struct Layout {
    next_page: u64,
    /// The span of each class that has room: first page and next slot.
    open: [Option<(u64, u32)>; CLASSES],
    spans: Vec<(u64, u64, u8)>,
}

impl Default for Layout {
    fn default() -> Layout {
        Layout {
            next_page: 0,
            open: [None; CLASSES],
            spans: Vec::new(),
        }
    }
}

impl Layout {
    fn span(&mut self, pages: u64, class: u8) -> u64 {
        let first = self.next_page;
        self.next_page += pages;
        self.spans.push((first, pages, class));
        first
    }

    /// A place for an object of `size_bytes`. The first one is that of the catalog.
    pub fn place(&mut self, size_bytes: u64) -> Place {
        if size_bytes > MAX_SMALL_BYTES as u64 {
            return Place::new(self.span(large_pages(size_bytes), LARGE), 0, LARGE);
        }
        let class = CLASS_OF[(size_bytes as usize).div_ceil(8)];
        let pages = u64::from(CLASS_PAGES[usize::from(class)]);
        let (page, slot) = match self.open[usize::from(class)] {
            Some(open) => open,
            None => (self.span(pages, class), 0),
        };
        let slots = Span::unloaded(0, pages, class, 0).slots;
        self.open[usize::from(class)] = (slot + 1 < slots).then_some((page, slot + 1));
        Place::new(page, slot, class)
    }
}

/// Puts objects into a new heap file.
pub struct Writer<'a> {
    image: Image<'a>,
    /// First page for spans.
    data_page: u64,
    base: Addr,
    record: Vec<u8>,
}

impl Writer<'_> {
    fn word(&mut self, word: u64) {
        self.record.extend_from_slice(&word.to_le_bytes());
    }

    /// The address that an object will have.
    pub fn addr(&self, place: Place) -> Addr {
        self.base + (self.data_page + place.page()) * PAGE_BYTES + place.offset()
    }

    /// Writes an object, `count` elements of the type, to its place.
    pub fn put(
        &mut self,
        place: Place,
        type_index: u32,
        count: u32,
        contents: &[u8],
    ) -> Result<()> {
        let offset = self.addr(place) - self.base - HEADER_BYTES;
        self.record.clear();
        self.word(part::OBJECT | (contents.len() as u64 + HEADER_BYTES) << 8);
        self.word(offset);
        self.word((self.data_page + place.page()) << 16 | u64::from(place.slot()));
        self.word(u64::from(type_index) | u64::from(count) << 32);
        self.record.extend_from_slice(contents);
        self.record.resize(self.record.len().next_multiple_of(8), 0);
        self.image.apply(&self.record)
    }
}

/// Writes a heap file with the spans of `layout` and the objects that `fill` puts there, hashes the maps that need it,
/// and puts it in the place of what was at `dest`, when it is complete and durable. Of the superblock, the heap's length
/// does not count. The file given is locked.
pub(crate) fn write_heap<E: From<Error>>(
    disk: &dyn Disk,
    dest: &Path,
    layout: &Layout,
    superblock: Superblock,
    which: Rehash,
    fill: impl FnOnce(&mut Writer<'_>) -> Result<(), E>,
) -> Result<(Arc<dyn DiskFile>, u64), E> {
    let io = |source| Error::io(dest, "writing the new heap", source);
    let replaced = match disk.exists(dest) {
        true => Some(disk.open(dest, Mode::Read).map_err(io)?),
        false => None,
    };
    let new = NewFile::begin(disk, dest, replaced.as_deref())?;
    let file = new.file();
    let write = || -> Result<u64, E> {
        let extent = Extent::with_data(1, layout.next_page.max(4));
        let heap_bytes = extent.end() * PAGE_BYTES;
        if heap_bytes > superblock.limit_bytes {
            return Err(Error::Full {
                path: dest.to_owned(),
                limit_bytes: superblock.limit_bytes,
            }
            .into());
        }
        file.allocate(heap_bytes).map_err(io)?;
        let mut writer = Writer {
            image: Image::new(&**file, dest, Vec::new(), true),
            data_page: extent.data(),
            base: superblock.base,
            record: Vec::new(),
        };
        writer.word(part::GROW | extent.first << 8);
        writer.word(extent.pages);
        for &(page, pages, class) in &layout.spans {
            writer.word(part::SPAN | (extent.data() + page) << 8);
            writer.word(pages << 8 | u64::from(class));
        }
        let record = std::mem::take(&mut writer.record);
        writer.image.apply(&record)?;
        fill(&mut writer)?;
        let mut image = writer.image;
        image.write_out()?;
        let superblock = Superblock {
            heap_bytes,
            clean: true,
            ..superblock
        };
        superblock.write(&**file).map_err(io)?;
        // Its name while it is made says nothing to anyone.
        let by_name = |error| match error {
            Error::Damaged { offset, what, .. } => Error::damaged(dest, offset, what),
            error => error,
        };
        let view = View::open_on(disk, &beside(dest, "new")).map_err(by_name)?;
        maps::rehash(&view.without_verification(), &mut image, which).map_err(by_name)?;
        image.write_out()?;
        Ok(heap_bytes)
    };
    let heap_bytes = write()?;
    Ok((new.finish(|| Ok(()))?, heap_bytes))
}

/// Makes a new heap with the spans of `layout` and the objects that `fill` puts there, its catalog among them. All maps
/// are hashed, so `fill` need not. Gives the file's length.
pub fn create_heap<E: From<Error>>(
    path: &Path,
    layout: &Layout,
    limit_bytes: u64,
    fill: impl FnOnce(&mut Writer<'_>) -> Result<(), E>,
) -> Result<u64, E> {
    let path = &resolve(&RealDisk, path)?;
    let log_path = beside(path, "log");
    if RealDisk.exists(&log_path) {
        return Err(Error::HeapMissing { path: log_path }.into());
    }
    let options = Options::default();
    let usable = limit_bytes.is_multiple_of(PAGE_BYTES) && limit_bytes <= MAX_LIMIT_BYTES;
    let superblock = Superblock {
        uuid: new_uuid(),
        generation: 1,
        base: options.base,
        limit_bytes: match usable && limit_bytes > 0 {
            true => limit_bytes,
            false => options.limit_bytes,
        },
        heap_bytes: 0,
        next_lsn: 1,
        prev_crc: 0,
        clean: true,
    };
    let (_, bytes) = write_heap(&RealDisk, path, layout, superblock, Rehash::All, fill)?;
    Ok(bytes)
}

/// The catalog of a new heap file, for types and roots from elsewhere.
pub struct Catalog {
    /// Type index, count, bytes; where pointers to others of these objects are to be filled in.
    objects: Vec<(u32, u32, Vec<u8>)>,
    places: Vec<Place>,
    roots: Vec<Root>,
}

impl Catalog {
    /// Places the catalog; to be done before any other object. `types` are those from the first registered one on.
    pub fn place<'a>(
        types: impl ExactSizeIterator<Item = &'a TypeDesc>,
        roots: &[Root],
        layout: &mut Layout,
    ) -> Result<Catalog> {
        let mut objects = vec![(CATALOG_TYPE, 1, vec![0; 32])];
        objects.push((POINTERS_TYPE, types.len() as u32, vec![0; types.len() * 8]));
        objects.push((ROOTS_TYPE, roots.len() as u32, vec![0; roots.len() * 24]));
        for desc in types {
            desc.validate()?;
            let bytes = desc.encode();
            objects.push((BYTES_TYPE, bytes.len() as u32, bytes));
        }
        for root in roots {
            let bytes = root.name.clone().into_bytes();
            objects.push((BYTES_TYPE, bytes.len() as u32, bytes));
        }
        let places = objects
            .iter()
            .map(|(_, _, bytes)| layout.place(bytes.len() as u64))
            .collect();
        Ok(Catalog {
            objects,
            places,
            roots: roots.to_vec(),
        })
    }

    /// Writes the catalog; `root_addrs` are the values of the roots, in order.
    pub fn put(mut self, writer: &mut Writer<'_>, root_addrs: &[Addr]) -> Result<()> {
        let addrs: Vec<Addr> = self
            .places
            .iter()
            .map(|&place| writer.addr(place))
            .collect();
        let types = self.objects.len() - 3 - self.roots.len();
        let mut set = |object: usize, at: usize, word: u64| {
            self.objects[object].2[at..at + 8].copy_from_slice(&word.to_le_bytes());
        };
        set(0, 0, addrs[1]);
        set(0, 8, types as u64);
        set(0, 16, addrs[2]);
        set(0, 24, self.roots.len() as u64);
        for i in 0..types {
            set(1, i * 8, addrs[3 + i]);
        }
        for (i, root) in self.roots.iter().enumerate() {
            set(2, i * 24, addrs[3 + types + i]);
            set(2, i * 24 + 8, root_addrs[i]);
            set(2, i * 24 + 16, root.type_index.into());
        }
        for ((type_index, count, bytes), &place) in self.objects.iter().zip(&self.places) {
            writer.put(place, *type_index, *count, bytes)?;
        }
        Ok(())
    }
}
