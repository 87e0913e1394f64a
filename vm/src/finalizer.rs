//! Finalizers and cleanups: what runs after an object of the volatile heap could be reached no more.
//!
//! A finalizer's object is not a root, but what it refers to is, so of two objects that refer to one another in one
//! direction the outer one comes first, and one in a cycle never does, as in Go.

use crate::Vm;
use crate::interp::Pc;
use crate::native::Ctx;

#[derive(Clone, Debug)]
pub(crate) struct Finalizer {
    /// The object watched.
    pub object: u64,
    pub closure: u64,
    /// The finalizer's argument: none for a cleanup.
    pub args: Vec<u64>,
    /// Of a cleanup, to stop it by; 0 for a finalizer.
    pub cleanup: u64,
}

impl Vm {
    /// Starts the functions of objects that a collection found unreachable, in goroutines.
    pub(crate) fn start_finalizers(&mut self, at: Pc) {
        for finalizer in std::mem::take(&mut self.heap.due) {
            self.spawn_with(finalizer.closure, Some(at), &finalizer.args);
        }
    }
}

impl Ctx<'_> {
    /// Address of the object that a pointer points into, if it is one of the volatile heap's.
    pub fn volatile_object(&self, addr: u64) -> Option<u64> {
        self.vm
            .heap
            .space
            .find_object(addr)
            .map(|object| object.addr)
    }

    /// Has `closure` called, with these words as its argument, when the object can be reached no more; one at most.
    /// A closure of 0 takes it back. False if the object has one already.
    pub fn set_finalizer(&mut self, object: u64, closure: u64, args: Vec<u64>) -> bool {
        let finalizers = &mut self.vm.heap.finalizers;
        let known = finalizers
            .iter()
            .position(|f| f.object == object && f.cleanup == 0);
        if closure == 0 {
            known.map(|at| finalizers.swap_remove(at));
            return true;
        }
        if known.is_none() {
            finalizers.push(Finalizer {
                object,
                closure,
                args,
                cleanup: 0,
            });
        }
        known.is_none()
    }

    /// Has `closure`, without parameters, called when the object can be reached no more; a number to stop it by.
    pub fn add_cleanup(&mut self, object: u64, closure: u64) -> u64 {
        self.vm.heap.last_cleanup += 1;
        let cleanup = self.vm.heap.last_cleanup;
        self.vm.heap.finalizers.push(Finalizer {
            object,
            closure,
            args: Vec::new(),
            cleanup,
        });
        cleanup
    }

    /// Takes a cleanup back.
    pub fn stop_cleanup(&mut self, cleanup: u64) {
        self.vm.heap.finalizers.retain(|f| f.cleanup != cleanup);
    }
}
