//! What can be reached from a place in a heap.
use pheap::{ObjectRef, Result, View};
use std::collections::HashSet;

#[derive(Clone, Copy, Default)]
pub struct Size {
    pub objects: u64,
    /// With headers and the rest of their slots.
    pub bytes: u64,
}

pub fn from(view: &View, addr: u64) -> Result<Size> {
    all(view, [addr].into_iter(), |_| true)
}

/// As `from`, of several places; objects that are not `counted` are followed all the same.
pub fn all(
    view: &View,
    addrs: impl Iterator<Item = u64>,
    counted: impl Fn(&ObjectRef) -> bool,
) -> Result<Size> {
    let (mut seen, mut work) = (HashSet::new(), addrs.collect::<Vec<_>>());
    let mut size = Size::default();
    while let Some(addr) = work.pop() {
        let Some(object) = view.find_object(addr)? else {
            continue;
        };
        if seen.insert(object.addr) {
            if counted(&object) {
                size.objects += 1;
                size.bytes += view.slot_bytes(&object);
            }
            view.for_each_pointer(&object, |_, to| {
                work.push(to);
                Ok(())
            })?;
        }
    }
    Ok(size)
}
