//! The pgo bytecode machine: loads programs, runs them, keeps their two heaps.

pub mod callers;
mod finalizer;
mod foreign;
mod frames;
mod gc;
mod goroutine;
mod hash;
mod heap;
mod host;
mod interp;
mod load;
mod map;
pub mod native;
mod persist;
pub mod plain;
mod raw;
mod reflect;
mod sched;
pub mod signals;
mod trace;
mod trap;
pub mod value;
mod world;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::sync::Arc;

use lang::bytecode::program::{FuncIdx, FuncValue, Function, TypeIdx};
use pheap::Mapping;
use rustc_hash::FxHashMap;

pub use host::{InputStream, OutputStream, Streams, UnbufferedStdin};
pub use native::{Ctx, NativeDef, NativeError, NativeFn, SliceRef, StrRef};
pub use persist::{HeapChoice, HeapMigration};
pub use reflect::Reflected;
pub use value::{TypeTable, ValueRef};
pub use world::{Deed, Line, Witness, World};

use goroutine::Goroutine;
use heap::VolatileHeap;
use interp::call::{CachedMethod, FuncEntry};
use interp::{Fp, Pc};
use sched::Sched;
use sched::ticker::Ticker;
use value::RtType;

/// Slots at both ends of a stack that no frame uses: room for the links of the first frame, and for reads of several
/// slots at the very end.
pub(crate) const STACK_SLACK: usize = 16;

/// Marks the code of functions that have been redefined.
pub(crate) const RETIRED: FuncIdx = 1 << 31;

/// What the host decides.
#[derive(Clone, Debug)]
pub struct Options {
    /// os.Args.
    pub args: Vec<String>,
    pub heap: HeapChoice,
    pub durability: pheap::Durability,
    /// Where the names of source files start from.
    pub folder: std::path::PathBuf,
    /// Collect both heaps at every allocation.
    pub gc_stress: bool,
    /// Standard streams, if not the process's.
    pub streams: Streams,
    /// What natives find by its type.
    pub values: Vec<Arc<dyn Any + Send + Sync>>,
    /// A stand-in for the disk, and who sees what the program does; standard output and error go there.
    pub world: Option<World>,
    /// Check the whole persistent heap after every commit and collection.
    pub heap_check: bool,
    /// Open the heap as of its last commit, for reading only.
    pub read_only: bool,
}

impl Default for Options {
    fn default() -> Options {
        let durability = pheap::Durability::default();
        Options {
            args: Vec::new(),
            heap: HeapChoice::Unnamed,
            durability,
            folder: std::path::PathBuf::new(),
            gc_stress: false,
            streams: Streams::default(),
            values: Vec::new(),
            world: None,
            heap_check: false,
            read_only: false,
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// By itself.
    Done,
    /// By os.Exit.
    Exit(i32),
    /// By a panic or fatal error that has been reported on standard error.
    Panicked,
    /// By `signals::interrupt_runs`: transactions are rolled back, and the goroutines that the run started are gone.
    Interrupted,
}

impl Outcome {
    /// The exit status of the process.
    pub fn status(self) -> i32 {
        match self {
            Outcome::Done => 0,
            Outcome::Exit(status) => status,
            Outcome::Panicked => 2,
            Outcome::Interrupted => 130,
        }
    }
}

/// Why a heap could not be closed in order.
#[derive(Clone, Debug)]
pub struct CloseError(String);

impl std::fmt::Display for CloseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CloseError {}

/// A native as linked; None where the library has none with that name and signature.
#[derive(Clone, Copy)]
pub(crate) struct Linked {
    pub f: Option<NativeFn>,
    pub result_slots: usize,
}

/// The machine. It stays usable after a panic, and takes ever larger versions of one program.
pub struct Vm {
    // What instructions read, together.
    stack_base: Fp,
    stack_end: Fp,
    growth: interp::Growth,
    funcs_ptr: *const FuncEntry,
    func_values_ptr: *const FuncValue,
    rt_ptr: *const RtType,
    /// Address of the package variables.
    globals: u64,
    /// Range of the persistent heap; empty while none is open.
    pbase: u64,
    plen: u64,
    method_cache: Box<[CachedMethod; interp::call::METHOD_CACHE]>,
    strings: Vec<(u64, u64)>,
    pvar_addrs: Vec<u64>,
    natives: Vec<Linked>,
    heap: VolatileHeap,

    /// The running goroutine; `sched` has the others.
    g: Box<Goroutine>,
    sched: Sched,
    ticker: Ticker,
    /// Registry index of channels.
    chan_gc: u32,
    types: Box<TypeTable>,
    layouts: Vec<Option<&'static map::Layout>>,
    /// Of map types that only the heap or reflection knows.
    foreign_layouts: FxHashMap<TypeIdx, &'static map::Layout>,
    funcs: Vec<FuncEntry>,
    func_values: Vec<FuncValue>,
    /// Code ranges, ascending: first address, end, function; from `RETIRED` on, an index of `retired`.
    ranges: Vec<(u64, u64, FuncIdx)>,
    live_slots: frames::LiveSlots,
    /// Functions as they were before a session redefined them: goroutines may still run that code.
    retired: Vec<(FuncIdx, Function)>,
    /// What `strings` points to; programs may hold on to constants of older versions.
    string_bytes: Vec<Box<[u8]>>,
    /// Objects of func values without captures.
    static_closures: Vec<Option<Box<u64>>>,
    implements_cache: FxHashMap<(u64, TypeIdx), bool>,
    store: Option<persist::Store>,
    migration: persist::Migration,
    /// Why the heap cannot be used: the instruction or native that found out ends the program by it.
    heap_failure: Option<String>,
    /// Something was stored into a heap that is read-only.
    lost_store: bool,
    pub(crate) options: Options,
    host: host::Host,
    library: &'static [NativeDef],
    outcome: Option<Outcome>,
    /// Deferred functions and panics below these belong to an outer run.
    defer_floor: usize,
    panic_floor: usize,
    /// Where the running native was called.
    at: (Pc, Fp),
    /// Words that are roots beside stack and globals.
    pinned: Vec<u64>,
    seed_counter: u64,
    /// Of this machine: tells the locks it took from those that a heap file brings.
    session: u64,
    rt_error_ty: Option<TypeIdx>,
    /// runtime.TypeAssertionError and the key of pointers to it.
    assertion_error: Option<(TypeIdx, u64)>,
    /// As well of runtime.PanicNilError.
    panic_nil_error: Option<(TypeIdx, u64)>,
    string_ty: Option<TypeIdx>,
    _globals_mapping: Mapping,
}
