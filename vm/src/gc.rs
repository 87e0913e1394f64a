//! Collection of the volatile heap: stop the world, mark from the roots, sweep. Objects do not move.
//!
//! Objects are scanned precisely by their type's pointer map. Of frames, the slots that may still be read are scanned
//! (`frames`), whatever their type: a word that is the address of an object keeps it. That is sound because nothing moves
//! and `find_object` accepts any word. Persistent memory never refers to the volatile heap, so it
//! holds no roots.
#![allow(unsafe_code)] // Reads the words of objects and globals.

use lang::bytecode::program::PtrKind;
use pheap::ObjectRef;

use crate::Vm;
use crate::frames::LiveSlots;
use crate::goroutine::Goroutine;
use crate::heap::{CONSERVATIVE, VolatileHeap, has_pointers};
use crate::interp::Pc;
use crate::raw;

struct Marker<'a> {
    heap: &'a mut VolatileHeap,
    work: Vec<ObjectRef>,
}

impl Marker<'_> {
    #[inline]
    fn word(&mut self, word: u64) {
        if self.heap.space.contains(word)
            && let Some(object) = self.heap.space.mark(word)
            && has_pointers(object.type_index)
        {
            self.work.push(object);
        }
    }

    /// Marks what an object refers to, but not the object.
    fn content(&mut self, addr: u64) {
        if let Some(object) = self.heap.space.find_object(addr) {
            if has_pointers(object.type_index) {
                self.work.push(object);
            }
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(object) = self.work.pop() {
            if object.type_index == CONSERVATIVE {
                for at in (object.addr..object.addr + object.size_bytes).step_by(8) {
                    // SAFETY: a word of a live object.
                    self.word(unsafe { raw::read(at) });
                }
                continue;
            }
            each_pointer(self.heap, object, &mut self.work, |heap, work, word| {
                if heap.space.contains(word)
                    && let Some(found) = heap.space.mark(word)
                    && has_pointers(found.type_index)
                {
                    work.push(found);
                }
            });
        }
    }
}

/// Calls `visit` with each pointer word of a precisely typed object.
fn each_pointer<W>(
    heap: &mut VolatileHeap,
    object: ObjectRef,
    work: &mut W,
    mut visit: impl FnMut(&mut VolatileHeap, &mut W, u64),
) {
    let ty = &heap.types[object.type_index as usize];
    let (stride, count) = (ty.stride, u64::from(object.count));
    // The map is taken out for the walk: marking does not touch the registry.
    let ptrs = std::mem::take(&mut heap.types[object.type_index as usize].ptrs);
    if !ptrs.is_empty() {
        for i in 0..count {
            let at = object.addr + i * stride;
            for &(offset, kind) in &ptrs {
                let at = at + u64::from(offset);
                // SAFETY: the pointer map lies within the element, the element in a live object.
                let word = unsafe { raw::read(at) };
                match kind {
                    PtrKind::Ptr => visit(heap, work, word),
                    // SAFETY: the second word of the same interface.
                    PtrKind::Iface if word & 1 == 0 => {
                        visit(heap, work, unsafe { raw::read(at + 8) })
                    }
                    PtrKind::Iface => {}
                }
            }
        }
    }
    heap.types[object.type_index as usize].ptrs = ptrs;
}

impl Vm {
    /// Calls `visit` with every word that may be a reference of the machine: of stacks (see `each_stack_root`), globals,
    /// deferred closures, panics.
    fn each_root(
        &self,
        known: &mut LiveSlots,
        at: (Pc, usize),
        top: usize,
        mut visit: impl FnMut(u64),
    ) {
        self.each_stack_root(known, at, top, &mut visit);
        for global in &self.types.program.globals {
            let desc = self.types.desc(global.ty);
            let at = self.globals + u64::from(global.offset);
            for &(offset, kind) in &desc.ptrs {
                let at = at + u64::from(offset);
                // SAFETY: the variable lies in the globals.
                unsafe {
                    let word = raw::read(at);
                    match kind {
                        PtrKind::Ptr => visit(word),
                        PtrKind::Iface if word & 1 == 0 => visit(raw::read(at + 8)),
                        PtrKind::Iface => {}
                    }
                }
            }
        }
        self.goroutine_roots(&self.g, &mut visit);
        for g in self.sched.parked() {
            self.goroutine_roots(g, &mut visit);
        }
        for word in self.sched.events.roots() {
            visit(word);
        }
        for &word in &self.pinned {
            visit(word);
        }
        for finalizer in self.heap.finalizers.iter().chain(&self.heap.due) {
            visit(finalizer.closure);
        }
        for finalizer in &self.heap.due {
            finalizer.args.iter().for_each(|&word| visit(word));
        }
    }

    /// What a goroutine refers to beside its stack.
    fn goroutine_roots(&self, g: &Goroutine, visit: &mut impl FnMut(u64)) {
        for defer in &g.defers {
            visit(defer.closure);
        }
        for panic in &g.panics {
            visit(panic.data);
        }
        for hook in &g.hooks {
            visit(hook.closure);
        }
    }

    /// Collects the volatile heap; frames end at slot `top`.
    #[cold]
    #[inline(never)]
    pub(crate) fn collect_volatile_heap(&mut self, at: (Pc, usize), top: usize) {
        let mut roots = Vec::with_capacity(top);
        let (base, end) = (self.heap.space.base(), self.heap.space.end());
        let mut known = std::mem::take(&mut self.live_slots);
        self.each_root(&mut known, at, top, |word| {
            if word >= base && word < end {
                roots.push(word);
            }
        });
        self.live_slots = known;
        let mut marker = Marker {
            heap: &mut self.heap,
            work: Vec::new(),
        };
        for word in roots {
            marker.word(word);
            marker.drain();
        }
        let finalizers = std::mem::take(&mut marker.heap.finalizers);
        for finalizer in finalizers.iter().filter(|f| f.cleanup == 0) {
            marker.content(finalizer.object);
        }
        for finalizer in finalizers {
            if marker.heap.space.is_marked(finalizer.object) {
                marker.heap.finalizers.push(finalizer);
            } else {
                marker.heap.due.push(finalizer);
            }
        }
        for i in 0..marker.heap.due.len() {
            for word in marker.heap.due[i].args.clone() {
                marker.word(word);
                marker.drain();
            }
        }
        self.heap.space.sweep(|_| ());
        self.heap.pace();
    }

    /// Every address in the persistent range that the machine or a live volatile object may refer to.
    pub(crate) fn persistent_references(&mut self, at: (Pc, usize), top: usize) -> Vec<u64> {
        let (base, len) = (self.pbase, self.plen);
        let is_persistent = move |word: u64| word.wrapping_sub(base) < len;
        let mut found = Vec::new();
        let mut known = std::mem::take(&mut self.live_slots);
        self.each_root(&mut known, at, top, |word| {
            if is_persistent(word) {
                found.push(word);
            }
        });
        self.live_slots = known;
        let mut objects = Vec::new();
        self.heap
            .space
            .for_each_object(|object| objects.push(object));
        for object in objects {
            if object.type_index == CONSERVATIVE {
                for at in (object.addr..object.addr + object.size_bytes).step_by(8) {
                    // SAFETY: a word of an object.
                    let word = unsafe { raw::read(at) };
                    if is_persistent(word) {
                        found.push(word);
                    }
                }
            } else if has_pointers(object.type_index) {
                each_pointer(&mut self.heap, object, &mut found, |_, found, word| {
                    if is_persistent(word) {
                        found.push(word);
                    }
                });
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
