//! What can be reached from a place in a heap.
use pheap::{Result, View};
use std::collections::HashSet;

#[derive(Clone, Copy, Default)]
pub struct Size {
    pub objects: u64,
    /// With headers and the rest of their slots.
    pub bytes: u64,
}

pub fn from(view: &View, addr: u64) -> Result<Size> {
    let (mut seen, mut work, mut size) = (HashSet::new(), vec![addr], Size::default());
    while let Some(addr) = work.pop() {
        let Some(object) = view.find_object(addr)? else {
            continue;
        };
        if seen.insert(object.addr) {
            size.objects += 1;
            size.bytes += view.slot_bytes(&object);
            view.for_each_pointer(&object, |_, to| {
                work.push(to);
                Ok(())
            })?;
        }
    }
    Ok(size)
}
