//! What package reflect's natives need of the machine: the `*rtype` behind each type, values given as (type, word,
//! flags), storing by type, maps of any type, func values of types known at run time only.
#![allow(unsafe_code)] // Values at addresses that reflect.Value holds; cells that `*rtype` points to.

use lang::bytecode::program::{Kind, NO_TYPE, TypeDesc, TypeIdx};

use crate::Vm;
use crate::hash;
use crate::heap::CONSERVATIVE;
use crate::interp::memory::load_form;
use crate::map;
use crate::native::{Ctx, NativeError, SliceRef};
use crate::raw;
use crate::sched::channel::Tried;
use crate::trap::Trap;
use crate::value::{TypeTable, ValueRef};

/// What an `*rtype` points to; reflect.pgo declares the same words.
pub(crate) type Cell = [u64; 8];

/// `Value.flag`: the word is an address of the value, not the value.
const INDIRECT: u64 = 1 << 7;
/// Reached through an unexported field, embedded or not; a method of the value.
const HIDDEN: u64 = 3 << 5;
const METHOD: u64 = 1 << 9;
/// Bits of `Cell`'s facts above the alignment.
const COMPARABLE: u64 = 1 << 8;
const DIRECT: u64 = 1 << 9;
const VARIADIC: u64 = 1 << 10;
const HAS_POINTERS: u64 = 1 << 11;

impl TypeTable {
    /// The address of a type's cell, equal for equal types.
    fn cell(&self, ty: TypeIdx) -> u64 {
        let desc = self.desc(ty);
        let mut cells = self.cells.borrow_mut();
        let cell = cells.entry(desc.key).or_insert_with(|| {
            let mut cell: Box<Cell> = Box::new(self.cell_of(ty));
            // Never nil, so that the persistent heap refuses it.
            cell[7] = &raw const *cell as u64;
            cell
        });
        &raw const **cell as u64
    }

    fn cell_of(&self, ty: TypeIdx) -> Cell {
        let desc = self.desc(ty);
        let parts = match desc.kind {
            Kind::Struct => desc.fields.len(),
            Kind::Func => desc.params.len(),
            _ => 0,
        };
        let mut facts = u64::from(desc.align);
        for (is, bit) in [
            (desc.comparable, COMPARABLE),
            (desc.direct, DIRECT),
            (desc.variadic, VARIADIC),
            (!desc.ptrs.is_empty(), HAS_POINTERS),
        ] {
            facts |= if is { bit } else { 0 };
        }
        let kind = kind_number(desc.kind);
        let results = desc.results.len() as u64;
        let parts = parts as u64;
        [
            ty.into(),
            kind,
            desc.size,
            facts,
            desc.len,
            parts,
            results,
            0,
        ]
    }

    /// After the program has grown: types that only reflection had made may be its own now.
    pub(crate) fn renew_cells(&self) {
        for (key, cell) in self.cells.borrow_mut().iter_mut() {
            if let Some(ty) = self.by_key(*key) {
                cell[0] = ty.into();
            }
        }
    }
}

/// Go's number of a kind: reflect.Kind.
fn kind_number(kind: Kind) -> u64 {
    match kind {
        Kind::Bool => 1,
        Kind::Int => 2,
        Kind::Int8 => 3,
        Kind::Int16 => 4,
        Kind::Int32 => 5,
        Kind::Int64 => 6,
        Kind::Uint => 7,
        Kind::Uint8 => 8,
        Kind::Uint16 => 9,
        Kind::Uint32 => 10,
        Kind::Uint64 => 11,
        Kind::Uintptr => 12,
        Kind::Float32 => 13,
        Kind::Float64 => 14,
        Kind::Complex64 => 15,
        Kind::Complex128 => 16,
        Kind::Array => 17,
        Kind::Chan => 18,
        Kind::Func => 19,
        Kind::Interface => 20,
        Kind::Map => 21,
        Kind::Pointer => 22,
        Kind::Slice => 23,
        Kind::String => 24,
        Kind::Struct => 25,
        Kind::UnsafePointer => 26,
    }
}

/// A reflect.Value as memory holds it, taken apart.
#[derive(Clone, Copy)]
pub struct Reflected<'a> {
    pub value: ValueRef<'a>,
    /// `Value.flag`.
    pub flag: u64,
}

impl Reflected<'_> {
    /// It was reached through an unexported field: its methods must not be called.
    pub fn is_hidden(&self) -> bool {
        self.flag & HIDDEN != 0
    }
    /// A method of the value.
    pub fn is_method(&self) -> bool {
        self.flag & METHOD != 0
    }
}

impl<'a> ValueRef<'a> {
    /// What a value of type reflect.Value holds; None for its zero Value.
    pub fn reflected(&self) -> Option<Reflected<'a>> {
        // SAFETY: a reflect.Value has three words.
        let words: &[u64] = unsafe { raw::typed(self.addr, 3) };
        reflected(self.types, words[0], words[2], words[1], self.addr + 8)
    }
}

/// A type's cell, word and flags; the word is also at `slot`.
fn reflected(
    types: &TypeTable,
    cell: u64,
    flag: u64,
    word: u64,
    slot: u64,
) -> Option<Reflected<'_>> {
    let ty = type_of_cell(types, cell)?;
    let addr = if flag & INDIRECT != 0 { word } else { slot };
    let value = ValueRef::new(types, ty, addr);
    Some(Reflected { value, flag })
}

fn type_of_cell(types: &TypeTable, cell: u64) -> Option<TypeIdx> {
    if cell == 0 {
        return None;
    }
    // SAFETY: only natives make `*rtype`s.
    let ty = unsafe { raw::read(cell) } as TypeIdx;
    types.has(ty).then_some(ty)
}

/// Types and values as arguments and results.
impl<'a> Ctx<'a> {
    /// A `*rtype`; None for nil.
    pub fn reflect_type(&mut self) -> Option<TypeIdx> {
        let cell = self.ptr();
        type_of_cell(self.types, cell)
    }
    /// A `*rtype` that is not nil.
    pub fn known_type(&mut self) -> Result<TypeIdx, NativeError> {
        self.reflect_type()
            .ok_or_else(|| NativeError::Panic("reflect: nil type".into()))
    }
    /// A []*rtype.
    pub fn reflect_types(&mut self) -> Vec<TypeIdx> {
        let s = self.slice();
        let cells = self.ints_of(s).iter().map(|cell| *cell as u64);
        cells
            .filter_map(|cell| type_of_cell(self.types, cell))
            .collect()
    }
    /// A reflect.Value; None for the zero Value.
    pub fn reflect_value(&mut self) -> Option<Reflected<'a>> {
        let cell = self.ptr();
        let slot = self.arg_address();
        let (word, flag) = (self.ptr(), self.uint());
        reflected(self.types, cell, flag, word, slot)
    }
    pub fn ret_reflect_type(&mut self, ty: TypeIdx) {
        let cell = if ty == NO_TYPE {
            0
        } else {
            self.types.cell(ty)
        };
        self.ret_ptr(cell);
    }
    /// Type and word of an interface's dynamic value, and whether the word is an address of it.
    pub fn ret_unpacked(&mut self, value: Option<ValueRef<'a>>) {
        let Some(value) = value.filter(|value| !value.is_foreign()) else {
            self.ret_ptr(0);
            self.ret_ptr(0);
            self.ret_bool(false);
            return;
        };
        self.ret_reflect_type(value.ty);
        let direct = self.types.rt(value.ty).direct;
        // SAFETY: a direct value is an interface's second word.
        let word = if direct {
            unsafe { raw::read(value.addr) }
        } else {
            value.addr
        };
        self.ret_ptr(word);
        self.ret_bool(!direct);
    }
    /// The value as an interface; one that nobody can change is shared.
    pub fn ret_packed(&mut self, v: Reflected<'a>, may_share: bool) {
        let rt = *self.types.rt(v.value.ty);
        if may_share && !rt.direct && v.value.kind() != Kind::Interface && rt.size > 0 {
            self.ret_uint(rt.key);
            self.ret_ptr(v.value.addr);
            return;
        }
        self.ret_any(Some(v.value));
    }
    /// The value of a type at an address, for natives that were given both.
    pub fn value_at(&self, ty: TypeIdx, addr: u64) -> ValueRef<'a> {
        ValueRef::new(self.types, ty, addr)
    }
    /// Adds a type unless there is one with its key; its index.
    pub fn make_type(&mut self, desc: TypeDesc) -> TypeIdx {
        match self.types.any_by_key(desc.key) {
            Some(ty) => ty,
            None => self.vm.add_type(desc),
        }
    }
    pub fn implements(&mut self, ty: TypeIdx, iface: TypeIdx) -> bool {
        self.types.missing_method(ty, iface).is_none()
    }
    /// The func value of a method of a type, which takes an interface's data word; 0 if it was not compiled.
    pub fn method_closure(&mut self, ty: TypeIdx, method: u32) -> u64 {
        match self.types.method(ty, method) {
            Some(value) if (value as usize) < self.vm.func_values.len() => {
                self.vm.static_closure(value.into())
            }
            _ => 0,
        }
    }
    /// A func value that runs the code of `stub` (see `StubIn`).
    pub fn reflect_closure(&mut self, stub: u64, context: u64, results: u64, params: u64) -> u64 {
        let at = self.vm.alloc_volatile(CONSERVATIVE, 4, 32);
        // SAFETY: fresh memory of four words; a func value starts with its index.
        unsafe {
            raw::typed_mut(at, 4).copy_from_slice(&[raw::read(stub), context, results, params]);
        }
        at
    }
}

/// Memory by type.
impl<'a> Ctx<'a> {
    /// Zeroed memory for `n` values; None when there is not that much.
    pub fn alloc_values(&mut self, ty: TypeIdx, n: u64) -> Option<u64> {
        let rt = *self.types.rt(ty);
        let size = rt.size.checked_mul(n).filter(|size| *size < 1 << 47)?;
        self.vm.try_alloc_volatile(rt.gc, n, size)
    }
    /// The same in the heap in which `near` lies.
    pub fn alloc_values_near(
        &mut self,
        ty: TypeIdx,
        n: u64,
        near: u64,
    ) -> Result<u64, NativeError> {
        if self.vm.is_persistent(near) {
            return self
                .vm
                .alloc_persistent(ty, n)
                .map_err(|text| self.refused(&text));
        }
        self.alloc_values(ty, n)
            .ok_or(NativeError::Panic("reflect: out of memory".into()))
    }
    /// Gives the value at `at`, in volatile memory, a persistent copy of all that it refers to.
    pub fn persist_value(&mut self, ty: TypeIdx, at: u64) -> Result<(), NativeError> {
        self.vm
            .persist_deep(ty, at)
            .map_err(|text| self.refused(&text))
    }
    /// Zeroed memory for an image of a frame.
    pub fn alloc_frame(&mut self, slots: u64) -> u64 {
        self.vm.alloc_volatile(CONSERVATIVE, slots, slots * 8)
    }
    /// Stores `n` values from one place in another; in persistent memory as the store instructions do.
    pub fn store_values(
        &mut self,
        ty: TypeIdx,
        to: u64,
        from: u64,
        n: u64,
    ) -> Result<(), NativeError> {
        let bytes = self.types.rt(ty).size * n;
        if bytes == 0 {
            return Ok(());
        }
        let mut source = from;
        let staged;
        if self.vm.is_persistent(to) {
            staged = self
                .vm
                .stage_elements(ty, from, n)
                .map_err(|text| self.refused(&text))?;
            source = staged.as_ref().map_or(from, |words| words.as_ptr() as u64);
            self.vm.will_store(to, bytes);
        }
        // SAFETY: `n` values of this type lie at both addresses.
        unsafe { raw::copy(to, source, bytes) };
        Ok(())
    }
    fn refused(&self, text: &str) -> NativeError {
        NativeError::Panic(self.vm.store_message(text, self.vm.at.0))
    }
    /// Brings a value into slots of a frame's image.
    pub fn load_slots(&mut self, ty: TypeIdx, image: u64, slot: u64, from: u64) {
        let rt = self.types.rt(ty);
        // SAFETY: the image has slots for the value at `slot`.
        unsafe { load_form(rt.form, rt.size, from, (image + slot * 8) as *mut u64) };
    }
    pub fn values_equal(&self, ty: TypeIdx, a: u64, b: u64) -> Result<bool, NativeError> {
        hash::equal(self.types, ty, a, b).map_err(NativeError::Runtime)
    }
    /// Words at an address that a native gave out.
    pub fn words_at<const N: usize>(&self, addr: u64) -> [u64; N] {
        // SAFETY: reflect.pgo passes addresses of its own variables.
        unsafe { raw::typed(addr, N as u64) }
            .try_into()
            .expect("N words")
    }
    pub fn set_words<const N: usize>(&mut self, addr: u64, words: [u64; N]) {
        // SAFETY: as in `words_at`.
        unsafe { raw::typed_mut(addr, N as u64) }.copy_from_slice(&words);
    }
    /// The words of a slice that is at an address.
    pub fn slice_at(&self, addr: u64) -> SliceRef {
        let [addr, len, cap] = self.words_at(addr);
        SliceRef { addr, len, cap }
    }
}

/// Maps of a type known at run time.
impl Ctx<'_> {
    fn map_failure(text: String) -> NativeError {
        match Trap::of_failure(text) {
            Trap::Plain(text) => NativeError::Plain(text),
            Trap::Runtime(text) => NativeError::Runtime(text),
            other => NativeError::Panic(other.text().unwrap_or_default()),
        }
    }
    pub fn map_new(&mut self, ty: TypeIdx, hint: u64) -> Result<u64, NativeError> {
        self.vm.map_make(ty, hint, false).map_err(Self::map_failure)
    }
    pub fn map_len(&self, map: u64) -> u64 {
        map::len(map)
    }
    /// Address of the value for the key at `key`; 0 if there is none.
    pub fn map_find(&mut self, ty: TypeIdx, map: u64, key: u64) -> Result<u64, NativeError> {
        let layout = self.vm.layout(ty);
        let entry = layout
            .find(self.types, map, key)
            .map_err(Self::map_failure)?;
        Ok(if entry == 0 {
            0
        } else {
            entry + layout.val_offset
        })
    }
    pub fn map_store(
        &mut self,
        ty: TypeIdx,
        map: u64,
        key: u64,
        value: u64,
    ) -> Result<(), NativeError> {
        if map == 0 {
            return Err(NativeError::Plain("assignment to entry in nil map".into()));
        }
        let layout = self.vm.layout(ty);
        let persistent = self.vm.is_persistent(map);
        let (mut key, mut value) = (key, value);
        let (staged_key, staged_value);
        if persistent {
            let mut stage = |ty, at| self.vm.stage_elements(ty, at, 1);
            let staged =
                stage(layout.key_ty, key).and_then(|k| Ok((k, stage(layout.val_ty, value)?)));
            (staged_key, staged_value) = staged.map_err(|text| self.refused(&text))?;
            key = staged_key
                .as_ref()
                .map_or(key, |words| words.as_ptr() as u64);
            value = staged_value
                .as_ref()
                .map_or(value, |words| words.as_ptr() as u64);
        }
        let entry = self
            .vm
            .map_assign(layout, map, key, persistent)
            .map_err(Self::map_failure)?;
        let at = entry + layout.val_offset;
        if persistent {
            self.vm.will_store(at, layout.val_size);
        }
        // SAFETY: an entry of this layout, and a value.
        unsafe { raw::copy(at, value, layout.val_size) };
        Ok(())
    }
    pub fn map_remove(&mut self, ty: TypeIdx, map: u64, key: u64) -> Result<(), NativeError> {
        let layout = self.vm.layout(ty);
        let persistent = self.vm.is_persistent(map);
        self.vm
            .map_delete(layout, map, key, persistent)
            .map_err(Self::map_failure)
    }
    pub fn map_empty(&mut self, ty: TypeIdx, map: u64) {
        let layout = self.vm.layout(ty);
        let persistent = self.vm.is_persistent(map);
        self.vm.map_clear(layout, map, persistent);
    }
    /// Starts a walk; its state is four words.
    pub fn map_walk(&self, map: u64) -> [u64; 4] {
        map::iter_start(map)
    }
    /// Addresses of the next key and value of a walk; zeros at the end.
    pub fn map_step(&mut self, ty: TypeIdx, state: &mut [u64; 4]) -> (u64, u64) {
        let layout = self.vm.layout(ty);
        match map::iter_next(layout, self.types, state) {
            0 => (0, 0),
            entry => (entry + 8, entry + layout.val_offset),
        }
    }
}

/// Channels of a type known at run time. Images hold the element in whole words.
impl Ctx<'_> {
    fn chan_failure(trap: Trap) -> NativeError {
        match trap {
            Trap::Runtime(text) => NativeError::Runtime(text),
            other => NativeError::Plain(other.text().unwrap_or_default()),
        }
    }
    pub fn chan_new(&mut self, elem: TypeIdx, cap: i64) -> Result<u64, NativeError> {
        let chan = self.vm.chan_make(elem, cap);
        chan.ok_or_else(|| NativeError::Plain("makechan: size out of range".into()))
    }
    /// Elements that wait, and room for them.
    pub fn chan_sizes(&self, chan: u64) -> (u64, u64) {
        self.vm.chan_len_cap(chan)
    }
    pub fn chan_shut(&mut self, chan: u64) -> Result<(), NativeError> {
        self.vm.chan_close(chan).map_err(Self::chan_failure)
    }
    /// Sends if that needs no waiting.
    pub fn chan_offer(&mut self, chan: u64, image: u64) -> Result<bool, NativeError> {
        if chan == 0 {
            return Ok(false);
        }
        // SAFETY: a channel, and an image of an element of it.
        let tried = unsafe { self.vm.chan_try_send(chan, image as *const u64) };
        Ok(tried.map_err(Self::chan_failure)? == Tried::Done)
    }
    /// Receives if that needs no waiting; was there something, and was it a value?
    pub fn chan_take(&mut self, chan: u64, image: u64) -> Result<(bool, bool), NativeError> {
        if chan == 0 {
            return Ok((false, false));
        }
        // SAFETY: as for `chan_offer`.
        let tried = unsafe { self.vm.chan_try_receive(chan, image as *mut u64) };
        Ok((tried != Tried::WouldBlock, tried == Tried::Done))
    }
}

impl Vm {
    /// The layout of a map type that is not the program's own.
    #[cold]
    pub(crate) fn foreign_layout(&mut self, ty: TypeIdx) -> &'static map::Layout {
        if let Some(layout) = self.foreign_layouts.get(&ty) {
            return layout;
        }
        let layout = self.new_layout(ty);
        self.foreign_layouts.insert(ty, layout);
        layout
    }
}
