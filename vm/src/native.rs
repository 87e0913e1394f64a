//! The API for natives of the library: a cursor over arguments, a cursor over results, strings, slices and typed
//! values behind safe methods. A native never calls back into the machine, and nothing is collected while it runs.
#![allow(unsafe_code)] // Argument and result slots, and the memory that argument values refer to.

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;

use lang::bytecode::program::{Kind, TypeIdx};

use crate::Vm;
use crate::raw;
pub use crate::sched::api::Wait;
use crate::value::{TypeTable, ValueRef};

/// A native: reads its arguments in order, then writes its results in order (each cursor moves by itself).
pub type NativeFn = fn(&mut Ctx<'_>) -> Result<(), NativeError>;

/// An entry of the library's table.
#[derive(Clone, Copy)]
pub struct NativeDef {
    /// `strings.Index`, `time.Time.Unix`.
    pub name: &'static str,
    /// As the declaration's type prints: `func(string, string) int`.
    pub sig: &'static str,
    pub f: NativeFn,
}

/// Why a native did not return.
#[derive(Clone, Debug)]
pub enum NativeError {
    /// A run-time error (`runtime.Error`): the text without `runtime error: `.
    Runtime(String),
    /// The same with the whole text.
    Plain(String),
    /// A nil pointer was dereferenced.
    NilDeref,
    /// A panic with a string as its value.
    Panic(String),
    /// The goroutine waits; other goroutines run meanwhile.
    Block(Wait),
    /// The program ends with this status (os.Exit).
    Exit(i32),
    /// The program ends with `fatal error: `, this text and a trace.
    Fatal(String),
    /// Other goroutines run before the call returns, without results (runtime.Gosched).
    Gosched,
    /// The goroutine runs its deferred functions and ends (runtime.Goexit).
    Goexit,
    /// Both heaps are collected, now (runtime.GC).
    Collect,
}

/// A string: address and length of immutable bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrRef {
    pub(crate) addr: u64,
    pub(crate) len: u64,
}

impl StrRef {
    pub fn len(self) -> usize {
        self.len as usize
    }
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// A slice's three words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceRef {
    pub(crate) addr: u64,
    pub(crate) len: u64,
    pub(crate) cap: u64,
}

impl SliceRef {
    /// A nil slice.
    pub const NIL: SliceRef = SliceRef {
        addr: 0,
        len: 0,
        cap: 0,
    };
    pub fn len(self) -> usize {
        self.len as usize
    }
    pub fn cap(self) -> usize {
        self.cap as usize
    }
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
    pub fn is_nil(self) -> bool {
        self.addr == 0
    }
}

/// The volatile heap in figures.
#[derive(Clone, Copy, Debug, Default)]
pub struct VolatileStats {
    /// Bytes of objects that live or wait to be collected, of the pages they lie in, and of all objects ever.
    pub used_bytes: u64,
    pub span_bytes: u64,
    pub allocated_bytes: u64,
    /// Objects that live or wait to be collected, and objects that were collected.
    pub live_objects: u64,
    pub freed_objects: u64,
    pub collections: u64,
}

/// One call of a native.
pub struct Ctx<'a> {
    pub(crate) vm: &'a mut Vm,
    pub(crate) types: &'a TypeTable,
    /// Next argument and next result slot, in the window of the call.
    pub(crate) arg: *const u64,
    pub(crate) ret: *mut u64,
}

/// Arguments, in the order of the parameters.
impl<'a> Ctx<'a> {
    fn word(&mut self) -> u64 {
        // SAFETY: the signature was checked, so the native reads the slots its parameters have.
        unsafe {
            let word = self.arg.read();
            self.arg = self.arg.add(1);
            word
        }
    }

    /// Where the next argument slot is.
    pub(crate) fn arg_address(&self) -> u64 {
        self.arg as u64
    }

    /// Any integer type (also rune, byte, uintptr, defined ones).
    pub fn int(&mut self) -> i64 {
        self.word() as i64
    }
    pub fn uint(&mut self) -> u64 {
        self.word()
    }
    pub fn bool(&mut self) -> bool {
        self.word() != 0
    }
    /// float64.
    pub fn float(&mut self) -> f64 {
        f64::from_bits(self.word())
    }
    pub fn float32(&mut self) -> f32 {
        f32::from_bits(self.word() as u32)
    }
    /// complex128.
    pub fn complex(&mut self) -> (f64, f64) {
        (self.float(), self.float())
    }
    /// A pointer, map, chan, func as an address.
    pub fn ptr(&mut self) -> u64 {
        self.word()
    }
    pub fn str(&mut self) -> StrRef {
        StrRef {
            addr: self.word(),
            len: self.word(),
        }
    }
    /// A slice of any element type.
    pub fn slice(&mut self) -> SliceRef {
        SliceRef {
            addr: self.word(),
            len: self.word(),
            cap: self.word(),
        }
    }
    /// A []byte.
    pub fn bytes(&mut self) -> SliceRef {
        self.slice()
    }
    /// The dynamic value of an interface argument; None for nil.
    pub fn any(&mut self) -> Option<ValueRef<'a>> {
        let at = self.arg as u64;
        self.word();
        self.word();
        ValueRef::of_iface(self.types, at)
    }
    /// A variadic ...any (or []any): the interface values; their `dynamic()` gives what they hold.
    pub fn anys(&mut self) -> Anys<'a> {
        Anys {
            slice: self.slice(),
            types: self.types,
        }
    }
}

/// The elements of a []any.
#[derive(Clone, Copy)]
pub struct Anys<'a> {
    slice: SliceRef,
    types: &'a TypeTable,
}

impl<'a> Anys<'a> {
    pub fn len(&self) -> usize {
        self.slice.len()
    }
    pub fn is_empty(&self) -> bool {
        self.slice.is_empty()
    }
    /// The dynamic value of element `i`; None for nil. Panics when out of range.
    pub fn get(&self, i: usize) -> Option<ValueRef<'a>> {
        assert!(i < self.len(), "argument index out of range");
        ValueRef::of_iface(self.types, self.slice.addr + i as u64 * 16)
    }
}

/// Reading and writing memory.
impl<'a> Ctx<'a> {
    /// The bytes of a string.
    pub fn get(&self, s: StrRef) -> &'a [u8] {
        // SAFETY: strings are immutable and nothing is collected while a native runs.
        unsafe { raw::slice(s.addr, s.len) }
    }
    /// The bytes of a []byte.
    pub fn bytes_of(&self, s: SliceRef) -> &[u8] {
        // SAFETY: the slice's memory is alive during the call; `&self` excludes `bytes_mut`.
        unsafe { raw::slice(s.addr, s.len) }
    }
    /// The bytes of a caller's []byte, to be written. In the persistent heap the whole range is noted or logged.
    pub fn bytes_mut(&mut self, s: SliceRef) -> &mut [u8] {
        self.vm.will_store(s.addr, s.len);
        // SAFETY: as in `bytes_of`; `&mut self` excludes other views of slices.
        unsafe { raw::slice_mut(s.addr, s.len) }
    }
    /// The elements of a []int (or of another 64-bit integer type).
    pub fn ints_of(&self, s: SliceRef) -> &[i64] {
        // SAFETY: as in `bytes_of`; elements are 8-aligned.
        unsafe { raw::typed(s.addr, s.len) }
    }
    pub fn ints_mut(&mut self, s: SliceRef) -> &mut [i64] {
        self.vm.will_store(s.addr, s.len * 8);
        // SAFETY: as in `bytes_mut`.
        unsafe { raw::typed_mut(s.addr, s.len) }
    }
    /// The elements of a []float64.
    pub fn floats_of(&self, s: SliceRef) -> &[f64] {
        // SAFETY: as in `ints_of`.
        unsafe { raw::typed(s.addr, s.len) }
    }
    pub fn floats_mut(&mut self, s: SliceRef) -> &mut [f64] {
        self.vm.will_store(s.addr, s.len * 8);
        // SAFETY: as in `ints_mut`.
        unsafe { raw::typed_mut(s.addr, s.len) }
    }
    /// The elements of a []rune or []int32.
    pub fn runes_of(&self, s: SliceRef) -> &[i32] {
        // SAFETY: as in `ints_of`; elements are 4-aligned.
        unsafe { raw::typed(s.addr, s.len) }
    }
    /// The elements of a []string.
    pub fn strs_of(&self, s: SliceRef) -> Vec<StrRef> {
        let words: &[i64] = self.ints_of(SliceRef {
            len: s.len * 2,
            ..s
        });
        words
            .chunks_exact(2)
            .map(|w| StrRef {
                addr: w[0] as u64,
                len: w[1] as u64,
            })
            .collect()
    }
    /// Writes the elements of a []string back, reordered: `strs` must be a permutation of what is there.
    pub fn permute_strs(&mut self, s: SliceRef, strs: &[StrRef]) {
        assert_eq!(s.len(), strs.len());
        let words = self.ints_mut(SliceRef {
            len: s.len * 2,
            ..s
        });
        for (to, from) in words.chunks_exact_mut(2).zip(strs) {
            to.copy_from_slice(&[from.addr as i64, from.len as i64]);
        }
    }
    /// Part of a slice, by element indices, for elements of `elem_bytes`.
    pub fn subslice(&self, s: SliceRef, range: Range<usize>, elem_bytes: usize) -> SliceRef {
        assert!(range.start <= range.end && range.end <= s.cap());
        let (start, end) = (range.start as u64, range.end as u64);
        let cap = s.cap - start;
        let addr = if cap == 0 {
            s.addr
        } else {
            s.addr + start * elem_bytes as u64
        };
        SliceRef {
            addr,
            len: end - start,
            cap,
        }
    }
    /// Part of a string, sharing its memory.
    pub fn substr(&self, s: StrRef, range: Range<usize>) -> StrRef {
        assert!(range.start <= range.end && range.end <= s.len());
        StrRef {
            addr: s.addr + range.start as u64,
            len: (range.end - range.start) as u64,
        }
    }
    /// A fresh string.
    pub fn new_str(&mut self, bytes: &[u8]) -> StrRef {
        StrRef {
            addr: self.vm.alloc_bytes(bytes),
            len: bytes.len() as u64,
        }
    }
    /// A fresh []byte with these contents; never nil.
    pub fn new_bytes(&mut self, bytes: &[u8]) -> SliceRef {
        let len = bytes.len() as u64;
        SliceRef {
            addr: self.vm.alloc_bytes(bytes),
            len,
            cap: len,
        }
    }
    /// A fresh []string; never nil.
    pub fn new_strs(&mut self, strs: &[StrRef]) -> SliceRef {
        let addr = self.vm.alloc_strs(strs.len());
        let len = strs.len() as u64;
        // SAFETY: fresh memory of that many strings.
        let words: &mut [u64] = unsafe { raw::typed_mut(addr, len * 2) };
        for (to, from) in words.chunks_exact_mut(2).zip(strs) {
            to.copy_from_slice(&[from.addr, from.len]);
        }
        SliceRef {
            addr,
            len,
            cap: len,
        }
    }
    /// A fresh []int; never nil.
    pub fn new_ints(&mut self, ints: &[i64]) -> SliceRef {
        let len = ints.len() as u64;
        let addr = self.vm.alloc_noscan(len * 8);
        // SAFETY: fresh memory of that many words.
        unsafe { raw::typed_mut(addr, len) }.copy_from_slice(ints);
        SliceRef {
            addr,
            len,
            cap: len,
        }
    }
    /// `append(dst, bytes...)` on a []byte: in place where the capacity allows, else grown as Go grows (in the
    /// heap that dst is in). The result is to be returned to the program.
    pub fn append_bytes(&mut self, dst: SliceRef, bytes: &[u8]) -> SliceRef {
        self.vm.append_bytes(dst, bytes)
    }
    /// Swaps elements i and j of a slice (held in an any: sort.Slice); noted or logged when persistent.
    pub fn swap(&mut self, slice: ValueRef<'a>, i: usize, j: usize) {
        assert!(
            slice.kind() == Kind::Slice && i < slice.len() && j < slice.len(),
            "swap out of range"
        );
        let (a, b) = (slice.elem(i).addr, slice.elem(j).addr);
        let size = self.types.rt(slice.desc().elem).size;
        self.vm.will_store(a, size);
        self.vm.will_store(b, size);
        if a != b {
            // SAFETY: two different elements of a live slice do not overlap.
            unsafe { std::ptr::swap_nonoverlapping(a as *mut u8, b as *mut u8, size as usize) };
        }
    }
    /// Stores `value` in the variable `to` if its type allows: the same one, or an interface that it implements.
    /// A variable in the persistent heap is refused.
    pub fn assign(&mut self, to: ValueRef<'a>, value: ValueRef<'a>) -> bool {
        if to.is_foreign() || value.is_foreign() || self.vm.is_persistent(to.addr) {
            return false;
        }
        if to.kind() == Kind::Interface {
            if self.types.missing_method(value.ty, to.ty).is_some() {
                return false;
            }
            let (key, data) = self.vm.iface_of(&value);
            // SAFETY: the two words of a live interface variable.
            unsafe { raw::typed_mut(to.addr, 2) }.copy_from_slice(&[key, data]);
            return true;
        }
        if to.ty == value.ty {
            // SAFETY: live values of one type; copying a value onto itself is fine.
            unsafe { raw::copy(to.addr, value.addr, self.types.rt(to.ty).size) };
        }
        to.ty == value.ty
    }
    /// A zero value of `value`'s type in the volatile heap; of a pointer type, a pointer to a zero value.
    pub fn zero_like(&mut self, value: ValueRef<'a>) -> ValueRef<'a> {
        let mut fresh = |ty: TypeIdx| {
            let rt = *self.types.rt(ty);
            self.vm.alloc_volatile(rt.gc, 1, rt.size)
        };
        let at = fresh(value.ty);
        if value.kind() == Kind::Pointer {
            let target = fresh(value.desc().elem);
            // SAFETY: the fresh variable is one pointer; nothing is collected while a native runs.
            unsafe { raw::typed_mut(at, 1) }.copy_from_slice(&[target]);
        }
        ValueRef::new(self.types, value.ty, at)
    }
    /// The object at `addr` of type `ty`, for pointer arguments whose type the native knows.
    pub fn view(&self, ty: TypeIdx, addr: u64) -> Option<ValueRef<'a>> {
        (addr >= 4096 && (ty as usize) < self.types.rt.len())
            .then(|| ValueRef::new(self.types, ty, addr))
    }
    pub fn types(&self) -> &'a TypeTable {
        self.types
    }
}

/// Results, in their order.
impl<'a> Ctx<'a> {
    fn put(&mut self, word: u64) {
        // SAFETY: as in `word`.
        unsafe {
            self.ret.write(word);
            self.ret = self.ret.add(1);
        }
    }

    /// An integer, already in the range of the result's type.
    pub fn ret_int(&mut self, n: i64) {
        self.put(n as u64);
    }
    pub fn ret_uint(&mut self, n: u64) {
        self.put(n);
    }
    pub fn ret_bool(&mut self, b: bool) {
        self.put(b.into());
    }
    pub fn ret_float(&mut self, x: f64) {
        self.put(x.to_bits());
    }
    pub fn ret_float32(&mut self, x: f32) {
        self.put(x.to_bits().into());
    }
    pub fn ret_complex(&mut self, (re, im): (f64, f64)) {
        self.ret_float(re);
        self.ret_float(im);
    }
    pub fn ret_ptr(&mut self, addr: u64) {
        self.put(addr);
    }
    /// A string that exists.
    pub fn ret_str_ref(&mut self, s: StrRef) {
        self.put(s.addr);
        self.put(s.len);
    }
    /// A fresh string.
    pub fn ret_str(&mut self, bytes: impl AsRef<[u8]>) {
        let s = self.new_str(bytes.as_ref());
        self.ret_str_ref(s);
    }
    /// Part of a string, sharing its memory.
    pub fn ret_substr(&mut self, s: StrRef, range: Range<usize>) {
        let s = self.substr(s, range);
        self.ret_str_ref(s);
    }
    /// A slice that exists, or `SliceRef::NIL`.
    pub fn ret_slice(&mut self, s: SliceRef) {
        self.put(s.addr);
        self.put(s.len);
        self.put(s.cap);
    }
    /// A fresh []byte.
    pub fn ret_bytes(&mut self, bytes: &[u8]) {
        let s = self.new_bytes(bytes);
        self.ret_slice(s);
    }
    /// A fresh []string.
    pub fn ret_strs(&mut self, strs: &[StrRef]) {
        let s = self.new_strs(strs);
        self.ret_slice(s);
    }
    /// A fresh []int.
    pub fn ret_ints(&mut self, ints: &[i64]) {
        let s = self.new_ints(ints);
        self.ret_slice(s);
    }
    /// An interface that holds the value (boxed in the volatile heap where its type needs it); None is nil.
    pub fn ret_any(&mut self, value: Option<ValueRef<'a>>) {
        let (key, data) = match value {
            Some(value) => self.vm.iface_of(&value),
            None => (0, 0),
        };
        self.put(key);
        self.put(data);
    }
    /// A fresh []any.
    pub fn ret_anys(&mut self, values: &[Option<ValueRef<'a>>]) {
        let len = values.len() as u64;
        let addr = self
            .vm
            .alloc_volatile(crate::heap::CONSERVATIVE, len * 2, len * 16);
        for (i, value) in values.iter().enumerate() {
            let (key, data) = value.map_or((0, 0), |value| self.vm.iface_of(&value));
            // SAFETY: fresh memory of that many interfaces; nothing is collected meanwhile.
            unsafe { raw::typed_mut(addr + i as u64 * 16, 2) }.copy_from_slice(&[key, data]);
        }
        self.ret_slice(SliceRef {
            addr,
            len,
            cap: len,
        });
    }
    /// What the library's convention for errors wants, as two results `(code int, message string)`: code 0 and
    /// "" for success, else a code above 0; the .pgo side makes the error value.
    pub fn ret_status(&mut self, status: Result<(), (i64, String)>) {
        let (code, message) = status.err().unwrap_or_default();
        self.ret_int(code);
        self.ret_str(message);
    }
}

/// The host.
impl Ctx<'_> {
    /// The value of this type that the host has given to its natives, if there is one.
    pub fn host<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let mut values = self.vm.options.values.iter();
        values.find_map(|value| value.clone().downcast().ok())
    }
    /// os.Args.
    pub fn args(&self) -> &[String] {
        &self.vm.options.args
    }
    /// Writes everything to standard output at once (one write per call, as Go's unbuffered os.Stdout).
    pub fn write_stdout(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.vm.write_output(1, bytes)
    }
    pub fn write_stderr(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.vm.write_output(2, bytes)
    }
    /// What to wait for before standard input is read; none if it is what the host has given.
    pub fn stdin_descriptor(&self) -> Option<i32> {
        self.vm.host.stdin_descriptor()
    }
    /// Reads what is there of standard input, at most `buf`; 0 at the end.
    pub fn read_stdin(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.vm.host.read_stdin(buf)
    }
    /// Inside a transaction (blocking operations panic there).
    pub fn in_txn(&self) -> bool {
        self.vm.in_txn()
    }
    pub fn volatile_stats(&self) -> VolatileStats {
        self.vm.volatile_stats()
    }
    /// runtime.NumGoroutine.
    pub fn goroutines(&self) -> usize {
        self.vm.goroutine_count()
    }
}

/// The persistent heap, for package pmem. Errors are messages.
impl Ctx<'_> {
    /// Opens the heap at `path` unless one is open; true when it is new. A failure ends the program unless it `may_fail`.
    pub fn pmem_open(&mut self, path: &str, may_fail: bool) -> Result<bool, String> {
        let opened = self.vm.open_heap_at(path);
        if may_fail {
            self.vm.heap_failure = None;
        }
        opened
    }
    /// Opens the program's own heap if none is open yet; true when it was made by this process.
    pub fn pmem_init(&mut self) -> Result<bool, String> {
        self.vm.open_heap()
    }
    /// Is this address in the persistent heap?
    pub fn pmem_contains(&self, addr: u64) -> bool {
        self.vm.is_persistent(addr)
    }
    /// Makes everything durable; the goroutine may have to wait for it.
    pub fn pmem_sync(&mut self) -> Result<Result<(), String>, NativeError> {
        if let Some(done) = self.vm.awaited() {
            return Ok(done);
        }
        match self.vm.sync_heap() {
            Ok(Some(lsn)) => Err(NativeError::Block(Wait::Durable(lsn))),
            done => Ok(done.map(|_| ())),
        }
    }
    /// Has a func value without parameters and results run after the outcome of the open transaction; false if none
    /// is open.
    pub fn pmem_hook(&mut self, closure: u64, on_commit: bool) -> bool {
        let level = self.vm.g.txns.len();
        if level > 0 {
            let hook = crate::goroutine::Hook {
                level,
                on_commit,
                closure,
                go: None,
            };
            self.vm.g.hooks.push(hook);
        }
        level > 0
    }
    /// pmem.Migrate's function from values of one type to values of another, and the func value that runs all of them.
    pub fn pmem_add_maker(
        &mut self,
        old: TypeIdx,
        new: TypeIdx,
        driver: u64,
    ) -> Result<(), String> {
        self.vm.add_maker(old, new, driver)
    }
    /// Begins the migration that waits for such functions.
    pub fn pmem_begin_migration(&mut self) -> Result<(), String> {
        self.vm.begin_migration()
    }
    /// The number of the function to run next, by order of `pmem_add_maker`, and the addresses of its values.
    pub fn pmem_next_instance(&mut self) -> Option<(usize, u64, u64)> {
        let instance = self.vm.next_instance()?;
        Some((instance.maker, instance.old, instance.new))
    }
    pub fn pmem_finish_migration(&mut self) -> Result<(), String> {
        self.vm.finish_migration()
    }
    pub fn pmem_checkpoint(&mut self) -> Result<(), String> {
        self.vm.checkpoint_heap()
    }
    /// Collects the persistent heap; bytes freed.
    pub fn pmem_collect(&mut self) -> Result<u64, String> {
        self.vm.collect_persistent()
    }
    /// Address of the root of a type, 0 if there is none; `make`: made zeroed, an error if there is one.
    pub fn pmem_root(&mut self, name: &str, ty: TypeIdx, make: bool) -> Result<u64, String> {
        let at = self.vm.find_root(name, ty)?;
        match (make, at) {
            (true, 0) => self.vm.make_root(name, ty),
            (true, _) => Err(format!("pmem: there is a root named {name} already")),
            (false, _) => Ok(at),
        }
    }
    /// Makes a root of slice type `ty` that holds `len` zeroed elements; its address.
    pub fn pmem_make_slice(&mut self, name: &str, ty: TypeIdx, len: u64) -> Result<u64, String> {
        let at = self.pmem_root(name, ty, true)?;
        let data = self.vm.alloc_persistent(self.types.desc(ty).elem, len)?;
        self.vm.will_store(at, 24);
        // SAFETY: a root of slice type has three words.
        unsafe { raw::typed_mut(at, 3) }.copy_from_slice(&[data, len, len]);
        Ok(at)
    }
    /// Names of the roots, sorted.
    pub fn pmem_roots(&mut self) -> Result<Vec<String>, String> {
        self.vm.root_names()
    }
    /// Removes a root; false when there is none.
    pub fn pmem_delete(&mut self, name: &str) -> Result<bool, String> {
        self.vm.delete_root(name)
    }
    /// Named numbers about the heap, for pmem.Stats.
    pub fn pmem_stats(&mut self) -> Result<Vec<(&'static str, u64)>, String> {
        self.vm.heap_stats()
    }
}
