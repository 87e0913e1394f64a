//! Typed views of Go values in memory, for natives: kinds, scalars, parts, dynamic values. Reading only.
#![allow(unsafe_code)] // Reads Go values at addresses that typed values of the program led to.

use std::cell::RefCell;
use std::rc::Rc;

use lang::bytecode::program::{FieldDesc, Kind, NO_TYPE, Program, TypeDesc, TypeIdx};
use rustc_hash::FxHashMap;

use crate::foreign::{self, ForeignTypes};
use crate::map;
use crate::raw;
use crate::reflect;

/// How a value of a type lies in a slot compared to memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    W64,
    /// The same bytes.
    Bytes,
}

/// What the machine needs of a type at every turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RtType {
    pub size: u64,
    /// Slots of a value in a frame.
    pub slots: u32,
    /// Index in the volatile heap's registry; what object headers hold.
    pub gc: u32,
    pub form: Form,
    pub direct: bool,
    pub key: u64,
}

/// The program's types and what is derived from them.
#[derive(Default)]
pub struct TypeTable {
    pub(crate) program: Rc<Program>,
    pub(crate) rt: Vec<RtType>,
    pub(crate) by_key: FxHashMap<u64, TypeIdx>,
    /// Types that only the persistent heap knows.
    pub(crate) foreign: RefCell<ForeignTypes>,
    /// What `*reflect.rtype`s point to, by type key.
    pub(crate) cells: RefCell<FxHashMap<u64, Box<reflect::Cell>>>,
    /// Start and length of the persistent heap, on which the hashes of pointers into it do not depend.
    pub(crate) heap_range: (u64, u64),
}

impl TypeTable {
    pub fn desc(&self, ty: TypeIdx) -> &TypeDesc {
        match self.program.types.get(ty as usize) {
            Some(desc) => desc,
            None => &self.foreign_type(ty).0,
        }
    }

    /// Is this the index of a type?
    pub(crate) fn has(&self, ty: TypeIdx) -> bool {
        let foreign = |at: TypeIdx| (at as usize) < self.foreign.borrow().types.len();
        (ty as usize) < self.rt.len() || ty.checked_sub(foreign::FIRST).is_some_and(foreign)
    }

    #[cold]
    fn foreign_type(&self, ty: TypeIdx) -> &'static (TypeDesc, RtType) {
        self.foreign.borrow().types[(ty - foreign::FIRST) as usize]
    }

    /// As `by_key`, types that only the heap knows included.
    pub(crate) fn any_by_key(&self, key: u64) -> Option<TypeIdx> {
        self.by_key(key)
            .or_else(|| self.foreign.borrow().by_key.get(&key).copied())
    }

    /// The type of the program whose values interface words mark with `key`.
    pub fn by_key(&self, key: u64) -> Option<TypeIdx> {
        self.by_key.get(&key).copied()
    }

    pub(crate) fn rt(&self, ty: TypeIdx) -> &RtType {
        match self.rt.get(ty as usize) {
            Some(rt) => rt,
            None => &self.foreign_type(ty).1,
        }
    }

    /// The name `%T` prints for an interface's type key.
    pub fn key_name(&self, key: u64) -> String {
        match self.any_by_key(key) {
            Some(ty) => self.desc(ty).name.clone(),
            None => format!("type {key:#x} of the heap"),
        }
    }

    /// A method's name, of an unexported one with its package's path in front.
    pub fn method_name(&self, method: u32) -> &str {
        &self.program.methods[method as usize].name
    }

    /// A method's func type; `NO_TYPE` where the compiler left it out.
    pub fn method_type(&self, method: u32) -> TypeIdx {
        let types = &self.program.method_types;
        types.get(method as usize).copied().unwrap_or(NO_TYPE)
    }

    /// Method table entry of a dynamic type: index in `Program::func_values`.
    pub(crate) fn method(&self, ty: TypeIdx, method: u32) -> Option<u32> {
        let methods = &self.desc(ty).methods;
        methods
            .binary_search_by_key(&method, |entry| entry.0)
            .ok()
            .map(|at| methods[at].1)
    }

    /// The first method of interface type `iface` that `ty` lacks, if any.
    pub fn missing_method(&self, ty: TypeIdx, iface: TypeIdx) -> Option<u32> {
        let methods = &self.desc(ty).methods;
        let has = |m: &u32| methods.binary_search_by_key(m, |entry| entry.0).is_ok();
        self.desc(iface)
            .iface_methods
            .iter()
            .copied()
            .find(|m| !has(m))
    }
}

/// A value of a known type somewhere in memory; good for the duration of one native call.
#[derive(Clone, Copy)]
pub struct ValueRef<'a> {
    pub(crate) types: &'a TypeTable,
    pub(crate) ty: TypeIdx,
    /// Where the value's bytes are. A slot serves too: its low bytes are the value.
    pub(crate) addr: u64,
    /// The type key, for values of types that the program does not know (`ty` is `NO_TYPE`).
    pub(crate) key: u64,
}

impl<'a> ValueRef<'a> {
    pub(crate) fn new(types: &'a TypeTable, ty: TypeIdx, addr: u64) -> ValueRef<'a> {
        ValueRef {
            types,
            ty,
            addr,
            key: 0,
        }
    }

    /// The dynamic value of the interface whose two words are at `addr`; None for nil.
    pub(crate) fn of_iface(types: &'a TypeTable, addr: u64) -> Option<ValueRef<'a>> {
        // SAFETY: `addr` is that of an interface value.
        let (key, data) = unsafe { (raw::read(addr), raw::read(addr + 8)) };
        if key == 0 {
            return None;
        }
        let ty = types.any_by_key(key).unwrap_or(NO_TYPE);
        let at = if key & 2 != 0 { data } else { addr + 8 };
        Some(ValueRef {
            types,
            ty,
            addr: at,
            key,
        })
    }

    /// A value of a type that only the heap knows: nothing but its type name can be had.
    pub fn is_foreign(&self) -> bool {
        self.ty == NO_TYPE
    }

    /// Of the dynamic value of an interface: the key of its type.
    pub fn type_key(&self) -> u64 {
        self.key
    }

    pub fn type_index(&self) -> TypeIdx {
        self.ty
    }

    /// The description; not of foreign values.
    pub fn desc(&self) -> &'a TypeDesc {
        self.types.desc(self.ty)
    }

    pub fn types(&self) -> &'a TypeTable {
        self.types
    }

    /// The type as `%T` prints it.
    pub fn type_name(&self) -> String {
        if self.is_foreign() {
            self.types.key_name(self.key)
        } else {
            self.desc().name.clone()
        }
    }

    /// The kind; `UnsafePointer` of foreign values.
    pub fn kind(&self) -> Kind {
        if self.is_foreign() {
            Kind::UnsafePointer
        } else {
            self.desc().kind
        }
    }

    fn word(&self, offset: u64) -> u64 {
        // SAFETY: the value has this word: callers ask by kind.
        unsafe { raw::read(self.addr + offset) }
    }

    pub fn bool(&self) -> bool {
        self.uint() & 0xff != 0
    }

    /// Value of an integer kind, sign-extended.
    pub fn int(&self) -> i64 {
        // SAFETY: as many bytes are read as the kind has.
        unsafe {
            match self.kind() {
                Kind::Int8 => i64::from(raw::read8(self.addr) as i8),
                Kind::Int16 => i64::from(raw::read16(self.addr) as i16),
                Kind::Int32 => i64::from(raw::read32(self.addr) as i32),
                _ => self.uint() as i64,
            }
        }
    }

    /// Value of an integer, bool or pointer kind, zero-extended.
    pub fn uint(&self) -> u64 {
        // SAFETY: as many bytes are read as the kind has.
        unsafe {
            match self.kind() {
                Kind::Int8 | Kind::Uint8 | Kind::Bool => raw::read8(self.addr).into(),
                Kind::Int16 | Kind::Uint16 => raw::read16(self.addr).into(),
                Kind::Int32 | Kind::Uint32 | Kind::Float32 => raw::read32(self.addr).into(),
                _ => self.word(0),
            }
        }
    }

    /// Value of float32 and float64.
    pub fn float(&self) -> f64 {
        match self.kind() {
            Kind::Float32 => f32::from_bits(self.uint() as u32).into(),
            _ => f64::from_bits(self.word(0)),
        }
    }

    /// Real and imaginary part.
    pub fn complex(&self) -> (f64, f64) {
        match self.kind() {
            Kind::Complex64 => {
                let bits = self.word(0);
                (
                    f32::from_bits(bits as u32).into(),
                    f32::from_bits((bits >> 32) as u32).into(),
                )
            }
            _ => (f64::from_bits(self.word(0)), f64::from_bits(self.word(8))),
        }
    }

    /// The bytes of a string.
    pub fn str(&self) -> &'a [u8] {
        // SAFETY: string memory is immutable and not collected during a native.
        unsafe { raw::slice(self.word(0), self.word(8)) }
    }

    /// A copy of a []byte, or of an array of bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let at = if self.kind() == Kind::Array {
            self.addr
        } else {
            self.word(0)
        };
        // SAFETY: the slice's own words, or the array itself.
        unsafe { raw::slice(at, self.len() as u64).to_vec() }
    }

    /// Length of a string, slice, array or map; number of a struct's fields.
    pub fn len(&self) -> usize {
        (match self.kind() {
            Kind::String | Kind::Slice => self.word(8),
            Kind::Array => self.desc().len,
            Kind::Struct => self.desc().fields.len() as u64,
            Kind::Map => map::len(self.word(0)),
            _ => 0,
        }) as usize
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Capacity of a slice.
    pub fn cap(&self) -> usize {
        self.word(16) as usize
    }

    /// Nil pointer, slice, map, chan, func, interface.
    pub fn is_nil(&self) -> bool {
        match self.kind() {
            Kind::Pointer | Kind::Slice | Kind::Map | Kind::Chan | Kind::Func | Kind::Interface => {
                self.word(0) == 0
            }
            Kind::UnsafePointer => self.is_foreign() || self.word(0) == 0,
            _ => false,
        }
    }

    /// The address in a pointer, map, chan, func, unsafe.Pointer; of a slice's array.
    pub fn pointer(&self) -> u64 {
        self.word(0)
    }

    /// What a pointer points to; None for nil.
    pub fn deref(&self) -> Option<ValueRef<'a>> {
        let at = self.word(0);
        (at != 0).then(|| ValueRef::new(self.types, self.desc().elem, at))
    }

    /// Element `i` of a slice or array; panics when out of range.
    pub fn elem(&self, i: usize) -> ValueRef<'a> {
        assert!(i < self.len(), "element index out of range");
        let elem = self.desc().elem;
        let start = if self.kind() == Kind::Array {
            self.addr
        } else {
            self.word(0)
        };
        ValueRef::new(
            self.types,
            elem,
            start + i as u64 * self.types.rt(elem).size,
        )
    }

    /// Field `i` of a struct.
    pub fn field(&self, i: usize) -> ValueRef<'a> {
        let field = self.field_desc(i);
        ValueRef::new(self.types, field.ty, self.addr + u64::from(field.offset))
    }

    pub fn field_desc(&self, i: usize) -> &'a FieldDesc {
        &self.desc().fields[i]
    }

    /// The dynamic value of an interface; None for nil.
    pub fn dynamic(&self) -> Option<ValueRef<'a>> {
        ValueRef::of_iface(self.types, self.addr)
    }

    /// Keys and values of a map, in its own order.
    pub fn map_entries(&self) -> Vec<(ValueRef<'a>, ValueRef<'a>)> {
        let desc = self.desc();
        let value = |ty, addr| ValueRef::new(self.types, ty, addr);
        let layout = map::Layout::of(self.types, self.ty);
        let entries = map::entries(&layout, self.word(0));
        entries
            .into_iter()
            .map(|(k, v)| (value(desc.map_key, k), value(desc.elem, v)))
            .collect()
    }

    /// Whether the value's type has a method of this name and signature (`func() string`).
    pub fn has_method(&self, name: &str, sig: &str) -> bool {
        if self.is_foreign() {
            return false;
        }
        let methods = &self.types.program.methods;
        self.desc().methods.iter().any(|&(m, _)| {
            let method = &methods[m as usize];
            method.name == name && method.sig == sig
        })
    }
}
