//! What package runtime tells of the program as it runs: frames, functions, traces.

use std::path::PathBuf;

use crate::interp::Pc;
use crate::native::Ctx;

/// A place in a function.
#[derive(Clone, Debug)]
pub struct Place {
    /// As traces name it: `main.(*T).M`.
    pub function: String,
    /// Absolute, but for files of the library.
    pub file: String,
    pub line: u32,
    /// Address of the function's code.
    pub entry: u64,
}

impl Ctx<'_> {
    /// Addresses behind the calls of the frames that run, innermost first; the first one is the native's caller.
    pub fn caller_addresses(&self) -> Vec<u64> {
        let (pc, fp) = self.vm.at;
        let frame = self.vm.slot_of(fp);
        let addresses = self.vm.return_addresses(&self.vm.g, pc, frame);
        addresses.into_iter().map(|pc| pc as u64).collect()
    }

    /// What is at an address that `caller_addresses` gave, or at a function's entry.
    pub fn place(&self, address: u64) -> Option<Place> {
        let at_entry =
            || Some(address.wrapping_add(8)).filter(|next| self.vm.func_at(*next as Pc).is_some());
        let known = self.vm.func_at(address as Pc).map(|_| address);
        let pc = known.or_else(at_entry)? as Pc;
        let frame = self.vm.describe_frame(pc)?;
        let (_, func) = self.vm.func_at(pc)?;
        Some(Place {
            file: self.absolute(frame.file, frame.is_library),
            function: frame.function,
            line: frame.line,
            entry: func.code.as_ptr() as u64,
        })
    }

    fn absolute(&self, file: String, is_library: bool) -> String {
        if is_library || file.starts_with(['/', '-', '?']) {
            return file;
        }
        let mut path = PathBuf::new();
        for part in self.vm.options.folder.join(&file).components() {
            match part {
                std::path::Component::CurDir => {}
                part => path.push(part),
            }
        }
        path.to_string_lossy().into_owned()
    }

    /// The code that a func value runs; None for an address that is none.
    pub fn func_entry(&self, closure: u64) -> Option<u64> {
        let is_static = self.vm.static_closures.iter().flatten();
        let is_static = is_static
            .map(|c| &raw const **c as u64)
            .any(|c| c == closure);
        let is_object = self.vm.heap.space.find_object(closure);
        if !is_static && is_object.is_none_or(|o| o.addr != closure) {
            return None;
        }
        let func = self.vm.deferred_func(closure, false);
        self.vm.funcs.get(func as usize).map(|f| f.code as u64)
    }

    /// `goroutine N [running]:` and the frames, as the end of a program by a panic shows them.
    pub fn stack_trace(&self, all: bool) -> String {
        let (pc, fp) = self.vm.at;
        let mut text = self.vm.trace(&self.vm.g, pc, self.vm.slot_of(fp));
        if all {
            for g in self.vm.sched.parked() {
                text.push_str(&self.vm.trace(g, g.at, g.frame));
            }
        }
        text.trim_start_matches('\n').to_string()
    }
}
