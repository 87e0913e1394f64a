//! Loading programs, linking natives, entering functions from outside; allocation and safepoints.
#![allow(unsafe_code)] // Frames of entry calls, fresh memory.

use std::rc::Rc;

use lang::bytecode::program::{FuncIdx, Function, Kind, NO_FUNC, Program, TypeDesc, TypeIdx};
use lang::source::SourceMap;
use pheap::Mapping;

use crate::frames::LiveSlots;
use crate::goroutine::Goroutine;
use crate::heap::{NOSCAN, VolatileHeap};
use crate::interp::call::{CachedMethod, FuncEntry, METHOD_CACHE};
use crate::interp::{Fp, HALT_CODE, Pc, run};
use crate::map::{HEADER_BYTES, HEADER_PTRS, Layout};
use crate::native::{NativeDef, SliceRef, VolatileStats};
use crate::raw;
use crate::sched::Sched;
use crate::sched::channel::{CHAN_BYTES, CHAN_PTRS};
use crate::value::{Form, RtType, TypeTable, ValueRef};
use crate::{CloseError, Linked, Options, Outcome, RETIRED, STACK_SLACK, Vm, host, signals};

/// Address range for package variables.
const GLOBALS_LIMIT_BYTES: u64 = 4 << 30;

impl Vm {
    /// A machine without a program.
    pub fn new(options: Options, library: &'static [NativeDef]) -> Vm {
        let globals_mapping =
            Mapping::anonymous(GLOBALS_LIMIT_BYTES).expect("address space for package variables");
        let mut heap = VolatileHeap::new().expect("address space for the volatile heap");
        let chan_gc = heap.register(CHAN_BYTES, &CHAN_PTRS, None);
        let none = CachedMethod {
            key: 0,
            method: 0,
            func: NO_FUNC,
        };
        // The same maps in each simulated run.
        let seed_counter = match options.world {
            Some(_) => 1,
            None => std::process::id().into(),
        };
        let mut vm = Vm {
            stack_base: std::ptr::null_mut(),
            stack_end: std::ptr::null_mut(),
            growth: Default::default(),
            funcs_ptr: std::ptr::null(),
            func_values_ptr: std::ptr::null(),
            rt_ptr: std::ptr::null(),
            globals: globals_mapping.base(),
            pbase: 0,
            plen: 0,
            method_cache: Box::new([none; METHOD_CACHE]),
            strings: Vec::new(),
            pvar_addrs: Vec::new(),
            natives: Vec::new(),
            heap,
            g: Box::new(Goroutine::first()),
            sched: Sched::new(),
            ticker: Default::default(),
            chan_gc,
            types: Box::default(),
            layouts: Vec::new(),
            foreign_layouts: Default::default(),
            funcs: Vec::new(),
            func_values: Vec::new(),
            ranges: Vec::new(),
            live_slots: LiveSlots::default(),
            retired: Vec::new(),
            string_bytes: Vec::new(),
            static_closures: Vec::new(),
            implements_cache: Default::default(),
            store: None,
            heap_failure: None,
            lost_store: false,
            migration: Default::default(),
            host: host::Host::new(options.streams.clone()),
            options,
            library,
            outcome: None,
            defer_floor: 0,
            panic_floor: 0,
            at: (HALT_CODE.as_ptr(), std::ptr::null_mut()),
            pinned: Vec::new(),
            seed_counter,
            session: new_session(),
            rt_error_ty: None,
            assertion_error: None,
            panic_nil_error: None,
            string_ty: None,
            _globals_mapping: globals_mapping,
        };
        vm.bind_stack();
        if vm.options.gc_stress {
            vm.heap.trigger_bytes = 0;
        }
        vm
    }

    /// Takes a program, or a grown version of the one it has. Not while one runs.
    pub fn load(&mut self, program: &Program) {
        debug_assert_eq!(lang::bytecode::verify::verify(program), Ok(()));
        let mut program = copy_of(program);
        if !self.keep_code(&mut program) {
            self.drop_other_goroutines();
        }
        let (old, new) = (self.types.rt.len(), program.types.len());
        let mut rt = std::mem::take(&mut self.types.rt);
        for (ty, desc) in program.types.iter().enumerate().take(new).skip(old) {
            let gc = self.heap.register(desc.size, &desc.ptrs, Some(ty as u32));
            rt.push(RtType {
                size: desc.size,
                slots: desc.size.div_ceil(8) as u32,
                gc,
                form: form_of(desc),
                direct: desc.direct,
                key: desc.key,
            });
        }
        for text in &program.strings[self.string_bytes.len()..] {
            self.string_bytes.push(text.clone());
            let text = &self.string_bytes[self.string_bytes.len() - 1];
            self.strings.push((text.as_ptr() as u64, text.len() as u64));
        }
        self.funcs = program
            .funcs
            .iter()
            .map(|func| FuncEntry {
                code: func.code.as_ptr(),
                frame_slots: func.frame_slots as usize,
            })
            .collect();
        self.ranges = (0..)
            .zip(&program.funcs)
            .map(|(index, func)| {
                let start = func.code.as_ptr() as u64;
                (start, start + func.code.len() as u64 * 8, index)
            })
            .collect();
        let retired = (RETIRED..).zip(&self.retired).map(|(index, (_, func))| {
            let start = func.code.as_ptr() as u64;
            (start, start + func.code.len() as u64 * 8, index)
        });
        self.ranges.extend(retired);
        self.ranges.sort_unstable();
        self.func_values = program.func_values.clone();
        self.pvar_addrs.resize(program.pvars.len(), 0);
        self.natives = program
            .natives
            .iter()
            .map(|native| Linked {
                f: self
                    .library
                    .iter()
                    .find(|def| def.name == native.name && def.sig == native.sig)
                    .map(|def| def.f),
                result_slots: native.result_slots as usize,
            })
            .collect();
        let named = |name: &str, kind| {
            program
                .types
                .iter()
                .position(|ty| ty.name == name && ty.kind == kind)
        };
        self.rt_error_ty = named("runtime.rtError", Kind::String).map(|ty| ty as u32);
        let pointer_to = |name: &str| {
            let pointer = program.types.iter().find(|ty| ty.name == name);
            pointer.map(|pointer| (pointer.elem, pointer.key))
        };
        self.assertion_error = pointer_to("*runtime.TypeAssertionError");
        self.panic_nil_error = pointer_to("*runtime.PanicNilError");
        self.string_ty = named("string", Kind::String).map(|ty| ty as u32);
        let by_key = (0..)
            .zip(&program.types)
            .map(|(ty, desc)| (desc.key, ty))
            .collect();
        let foreign = std::mem::take(&mut self.types.foreign);
        let cells = std::mem::take(&mut self.types.cells);
        *self.types = TypeTable {
            program: Rc::new(program),
            rt,
            by_key,
            foreign,
            cells,
            heap_range: self.types.heap_range,
        };
        self.types.renew_cells();
        self.live_slots = LiveSlots::default();
        for ty in old..new {
            let layout = (self.types.desc(ty as u32).kind == Kind::Map)
                .then(|| self.new_layout(ty as TypeIdx));
            self.layouts.push(layout);
        }
        self.funcs_ptr = self.funcs.as_ptr();
        self.func_values_ptr = self.func_values.as_ptr();
        self.rt_ptr = self.types.rt.as_ptr();
        self.implements_cache.clear();
        self.method_cache.fill(CachedMethod {
            key: 0,
            method: 0,
            func: NO_FUNC,
        });
    }

    /// Code stays where it is while a program grows, and when functions are redefined: goroutines of earlier chunks of
    /// a session go on in it. False if it could not be kept.
    fn keep_code(&mut self, program: &mut Program) -> bool {
        let Some(old) = Rc::get_mut(&mut self.types.program) else {
            return false;
        };
        for (index, (new, old)) in (0..).zip(program.funcs.iter_mut().zip(&mut old.funcs)) {
            if new.code == old.code {
                std::mem::swap(&mut new.code, &mut old.code);
                continue;
            }
            let code = std::mem::take(&mut old.code);
            let before = copy_of_function(old);
            self.retired.push((index, Function { code, ..before }));
        }
        true
    }

    /// Lives as long as the process, as map types of a program do.
    pub(crate) fn new_layout(&mut self, ty: TypeIdx) -> &'static Layout {
        let mut layout = Layout::of(&self.types, ty);
        layout.gc_header = self.heap.register(HEADER_BYTES, &HEADER_PTRS, None);
        let ptrs = layout.entry_ptrs(&self.types);
        layout.gc_entries = self.heap.register(layout.stride, &ptrs, None);
        Box::leak(Box::new(layout))
    }

    pub(crate) fn layout(&mut self, map_ty: TypeIdx) -> &'static Layout {
        match self.layouts.get(map_ty as usize) {
            Some(layout) => layout.expect("a map type"),
            None => self.foreign_layout(map_ty),
        }
    }

    /// Runs a function without parameters and results (`Program::entry`) to its end.
    pub fn run(&mut self, func: FuncIdx) -> Outcome {
        self.outcome = None;
        (self.defer_floor, self.panic_floor) = (0, 0);
        signals::forget_interrupt();
        self.sched.before_run = self.sched.last_id();
        self.enter(func, STACK_SLACK, &[]);
        let outcome = self.outcome.take().unwrap_or(Outcome::Done);
        // A function that just ends has committed its transactions; after anything else none is open.
        self.rollback_txns(0);
        self.settle_goroutines(outcome == Outcome::Done);
        if outcome == Outcome::Interrupted {
            self.drop_goroutines_of_run();
        }
        outcome
    }

    /// Whether there is something that could run beside the first goroutine: others, or timers.
    pub fn has_goroutines(&self) -> bool {
        self.goroutine_count() > 1 || !self.sched.events.is_quiet()
    }

    /// Closes the heap in order: what was stored outside transactions becomes durable.
    pub fn close(&mut self) -> Result<(), CloseError> {
        self.close_heap().map_err(CloseError)
    }

    /// Calls a function in a frame at slot `at`, with `args` in its first slots, and runs until it returns.
    fn enter(&mut self, func: FuncIdx, at: usize, args: &[u64]) {
        let entry = self.funcs[func as usize];
        if at + entry.frame_slots + STACK_SLACK > self.g.stack.len() {
            self.g.grow(at + entry.frame_slots + STACK_SLACK);
            self.bind_stack();
        }
        self.g.stack[at..at + args.len()].copy_from_slice(args);
        self.g.stack[at - 1] = HALT_CODE.as_ptr() as u64;
        self.g.stack[at - 2] = 0;
        let fp = self.frame_at(at);
        // SAFETY: the frame lies in the stack, the code is that of a loaded function.
        unsafe { run(self, entry.code, fp) };
    }

    /// Runs a method `func() string` on an interface's data word, above the frames that end at slot `top`; its
    /// result, or None if it panicked or ended the program.
    pub(crate) fn run_nested(&mut self, func: FuncIdx, data: u64, top: usize) -> Option<[u64; 2]> {
        if func == NO_FUNC {
            return None;
        }
        let floors = (self.defer_floor, self.panic_floor);
        (self.defer_floor, self.panic_floor) = (self.g.defers.len(), self.g.panics.len());
        let at = top + 2;
        self.sched.nested += 1;
        // Two words of result, then the receiver.
        self.enter(func, at, &[0, 0, data]);
        self.sched.nested -= 1;
        (self.defer_floor, self.panic_floor) = floors;
        match self.outcome.take() {
            None => Some([self.g.stack[at], self.g.stack[at + 1]]),
            Some(_) => None,
        }
    }

    /// The type table, for uses beside a mutable machine.
    #[inline(always)]
    pub(crate) fn types_ptr(&self) -> &'static TypeTable {
        // SAFETY: the table is boxed and replaced by `load` only, never while code or natives run.
        unsafe { &*std::ptr::from_ref::<TypeTable>(&self.types) }
    }

    #[inline(always)]
    pub(crate) fn is_persistent(&self, addr: u64) -> bool {
        addr.wrapping_sub(self.pbase) < self.plen
    }

    pub(crate) fn in_txn(&self) -> bool {
        !self.g.txns.is_empty()
    }

    /// The object of a func value without captures.
    pub(crate) fn static_closure(&mut self, id: u64) -> u64 {
        if self.static_closures.len() <= id as usize {
            self.static_closures.resize_with(id as usize + 1, || None);
        }
        &raw const **self.static_closures[id as usize].get_or_insert_with(|| Box::new(id)) as u64
    }
}

/// Allocation. Collections happen at safepoints only, which instructions pass before they allocate.
impl Vm {
    /// A safepoint: `pc` is in the running function, `fp` its frame.
    #[inline(always)]
    pub(crate) fn poll(&mut self, pc: Pc, fp: Fp) {
        if self.heap.is_due() {
            self.collect(pc, fp);
        }
    }

    #[cold]
    #[inline(never)]
    fn collect(&mut self, pc: Pc, fp: Fp) {
        self.collect_below(self.frame_end(pc, fp), pc, fp);
    }

    /// Collects while the running goroutine, at `pc` in frame `fp`, uses the slots below `top`.
    pub(crate) fn collect_below(&mut self, top: usize, pc: Pc, fp: Fp) {
        let at = (pc, self.slot_of(fp));
        self.collect_volatile_heap(at, top);
        if self.options.gc_stress {
            self.heap.trigger_bytes = 0;
        }
        // Under stress collections in steps and whole ones take turns.
        if self.options.gc_stress && !self.heap.collections.is_multiple_of(2) {
            self.collect_persistent_heap(at, top);
        } else {
            self.start_persistent_collection(at, top);
        }
        if self.options.gc_stress {
            self.poison_dead_slots(at, top);
        }
        if !self.heap.due.is_empty() {
            self.start_finalizers(pc);
        }
    }

    /// Makes the next safepoint collect.
    pub(crate) fn request_collection(&mut self) {
        self.heap.trigger_bytes = 0;
    }

    #[inline(always)]
    pub(crate) fn try_alloc_volatile(
        &mut self,
        gc: u32,
        count: u64,
        size_bytes: u64,
    ) -> Option<u64> {
        self.heap.alloc(gc, count, size_bytes)
    }

    /// Zeroed volatile memory; the process ends, as Go's does, when there is none.
    #[inline(always)]
    pub(crate) fn alloc_volatile(&mut self, gc: u32, count: u64, size_bytes: u64) -> u64 {
        match self.heap.alloc(gc, count, size_bytes) {
            Some(addr) => addr,
            None => out_of_memory(),
        }
    }

    pub(crate) fn alloc_noscan(&mut self, size_bytes: u64) -> u64 {
        self.alloc_volatile(NOSCAN, size_bytes, size_bytes)
    }

    /// A volatile copy of bytes.
    pub(crate) fn alloc_bytes(&mut self, bytes: &[u8]) -> u64 {
        let addr = self.alloc_noscan(bytes.len() as u64);
        // SAFETY: fresh memory of this length.
        unsafe { raw::slice_mut(addr, bytes.len() as u64) }.copy_from_slice(bytes);
        addr
    }

    /// Zeroed volatile memory for `n` strings.
    pub(crate) fn alloc_strs(&mut self, n: usize) -> u64 {
        let n = n as u64;
        match self.string_ty {
            Some(ty) => self.alloc_volatile(self.types.rt(ty).gc, n, n * 16),
            None => self.alloc_volatile(crate::heap::CONSERVATIVE, n, n * 16),
        }
    }

    /// For natives: `append` on a []byte.
    pub(crate) fn append_bytes(&mut self, dst: SliceRef, bytes: &[u8]) -> SliceRef {
        let (len, n) = (dst.len, bytes.len() as u64);
        if n == 0 {
            return dst;
        }
        if len + n <= dst.cap {
            self.will_store(dst.addr + len, n);
            // SAFETY: the room between length and capacity.
            unsafe { raw::slice_mut(dst.addr + len, n) }.copy_from_slice(bytes);
            return SliceRef {
                len: len + n,
                ..dst
            };
        }
        let cap = (len + n).max(dst.cap * 2).next_multiple_of(16);
        let addr = self.alloc_noscan(cap);
        // SAFETY: fresh memory, larger than what is copied.
        unsafe {
            if len > 0 {
                raw::copy(addr, dst.addr, len);
            }
            raw::slice_mut(addr + len, n).copy_from_slice(bytes);
        }
        SliceRef {
            addr,
            len: len + n,
            cap,
        }
    }

    /// For natives: the two words of an interface holding a value.
    pub(crate) fn iface_of(&mut self, value: &ValueRef<'_>) -> (u64, u64) {
        if value.is_foreign() {
            return (0, 0);
        }
        let rt = *self.types.rt(value.ty);
        if self.types.desc(value.ty).kind == Kind::Interface {
            // SAFETY: an interface's two words.
            return unsafe { (raw::read(value.addr), raw::read(value.addr + 8)) };
        }
        let mut word = 0u64;
        let to = if rt.direct {
            &raw mut word as u64
        } else {
            self.alloc_volatile(rt.gc, 1, rt.size)
        };
        // SAFETY: a direct value has at most 8 bytes; else a fresh object of its size.
        unsafe {
            if rt.direct {
                crate::interp::memory::load_form(rt.form, rt.size, value.addr, &raw mut word);
                return (rt.key, word);
            }
            raw::copy(to, value.addr, rt.size);
        }
        (rt.key, to)
    }

    pub(crate) fn volatile_stats(&self) -> VolatileStats {
        let space = self.heap.space.stats();
        VolatileStats {
            used_bytes: space.used_bytes,
            span_bytes: space.span_bytes,
            allocated_bytes: space.allocated_bytes,
            live_objects: space.live_objects,
            freed_objects: space.freed_objects,
            collections: self.heap.collections,
        }
    }
}

#[cold]
#[inline(never)]
fn out_of_memory() -> ! {
    eprintln!("fatal error: runtime: out of memory");
    std::process::exit(2);
}

/// A number that no other machine has, and not 0.
fn new_session() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // The standard library seeds these from the system.
    RandomState::new().build_hasher().finish() | 1
}

/// How a value of a type lies in a slot.
pub(crate) fn form_of(desc: &TypeDesc) -> Form {
    match desc.kind {
        Kind::Bool | Kind::Uint8 => Form::U8,
        Kind::Int8 => Form::I8,
        Kind::Uint16 => Form::U16,
        Kind::Int16 => Form::I16,
        Kind::Uint32 | Kind::Float32 => Form::U32,
        Kind::Int32 => Form::I32,
        Kind::Struct
        | Kind::Array
        | Kind::String
        | Kind::Slice
        | Kind::Interface
        | Kind::Complex128 => Form::Bytes,
        _ => Form::W64,
    }
}

fn copy_of_function(func: &Function) -> Function {
    Function {
        name: func.name.clone(),
        instance: func.instance.clone(),
        code: func.code.clone(),
        frame_slots: func.frame_slots,
        result_slots: func.result_slots,
        param_slots: func.param_slots,
        recover_pc: func.recover_pc,
        wrapper: func.wrapper,
        value_method: func.value_method,
        lines: func.lines.clone(),
        store_notes: func.store_notes.clone(),
        reads: func.reads.clone(),
        span: func.span,
    }
}

/// The machine's own copy of a program: its code must stay where it is while the compiler goes on with the original.
fn copy_of(program: &Program) -> Program {
    let mut sources = SourceMap::new();
    for (_, file) in program.sources.files() {
        sources.add_copy(file);
    }
    let global = |var: &lang::bytecode::program::GlobalVar| lang::bytecode::program::GlobalVar {
        name: var.name.clone(),
        ty: var.ty,
        offset: var.offset,
    };
    let pvar = |var: &lang::bytecode::program::PVar| lang::bytecode::program::PVar {
        name: var.name.clone(),
        ty: var.ty,
    };
    Program {
        funcs: program.funcs.iter().map(copy_of_function).collect(),
        types: program.types.clone(),
        strings: program.strings.clone(),
        natives: program.natives.clone(),
        func_values: program.func_values.clone(),
        methods: program.methods.clone(),
        method_types: program.method_types.clone(),
        globals: program.globals.iter().map(global).collect(),
        globals_size: program.globals_size,
        pvars: program.pvars.iter().map(pvar).collect(),
        entry: program.entry,
        error_method: program.error_method,
        string_method: program.string_method,
        sources,
    }
}
