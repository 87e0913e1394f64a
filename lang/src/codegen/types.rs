//! What code needs to know of types: their form in slots and memory, their references, and the
//! run-time descriptors.
use super::Gen;
use crate::bytecode::program::*;
use crate::types::ty::{Basic, ChanDir, IMethod, Signature, Ty, TyKind};
use rustc_hash::FxHashSet;
use std::rc::Rc;

/// How a value is loaded and stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// No bytes.
    Empty,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    /// 1 to 3 whole words, aligned as such.
    Words(u32),
    /// Anything else.
    Bytes,
}

#[derive(Clone, Copy, Debug)]
pub struct TypeInfo {
    pub shape: Shape,
    pub size: u64,
    pub slots: u32,
    /// Holds pointers, slices, maps or interfaces: has a heap.
    pub is_ref: bool,
    /// Holds strings or references: a store in persistent memory looks at the value.
    pub has_data: bool,
}

impl Gen<'_> {
    pub fn info(&mut self, ty: Ty) -> TypeInfo {
        if let Some(i) = self.st.type_info.get(&ty) {
            return *i;
        }
        let types = self.cx.types_ref();
        let layout = types.layout(ty);
        let slots = types.slots(ty);
        let small = |size: u64, signed: bool| match (size, signed) {
            (1, false) => Shape::U8,
            (1, true) => Shape::I8,
            (2, false) => Shape::U16,
            (2, true) => Shape::I16,
            (4, false) => Shape::U32,
            (4, true) => Shape::I32,
            _ => Shape::Words(1),
        };
        let shape = match types.under(ty) {
            _ if layout.size == 0 => Shape::Empty,
            TyKind::Basic(Basic::Complex64) => Shape::Bytes,
            TyKind::Basic(b) if layout.size < 8 => {
                small(layout.size, b.is_integer() && !b.is_unsigned())
            }
            _ if layout.align == 8 && layout.size.is_multiple_of(8) && layout.size <= 24 => {
                Shape::Words(slots)
            }
            _ => Shape::Bytes,
        };
        let (is_ref, has_data) = match types.under(ty).clone() {
            TyKind::Basic(b) => (
                b == Basic::UnsafePointer,
                b.is_string() || b == Basic::UnsafePointer,
            ),
            TyKind::Pointer(_) | TyKind::Slice(_) | TyKind::Map(..) | TyKind::Interface(_) => {
                (true, true)
            }
            TyKind::Array(_, 0) => (false, false),
            TyKind::Array(e, _) => {
                let e = self.info(e);
                (e.is_ref, e.has_data)
            }
            TyKind::Struct(s) => {
                let mut r = (false, false);
                for f in &s.fields {
                    let f = self.info(f.ty);
                    r = (r.0 | f.is_ref, r.1 | f.has_data);
                }
                r
            }
            TyKind::Tuple(ts) => {
                let mut r = (false, false);
                for t in ts.iter() {
                    let f = self.info(*t);
                    r = (r.0 | f.is_ref, r.1 | f.has_data);
                }
                r
            }
            _ => (false, false),
        };
        let info = TypeInfo {
            shape,
            size: layout.size,
            slots,
            is_ref,
            has_data,
        };
        self.st.type_info.insert(ty, info);
        info
    }

    pub fn is_ref(&mut self, ty: Ty) -> bool {
        self.info(ty).is_ref
    }

    /// The reference types in a value.
    pub fn ref_leaves(&mut self, ty: Ty) -> Rc<[Ty]> {
        if let Some(l) = self.st.leaves.get(&ty) {
            return l.clone();
        }
        let mut out = Vec::new();
        match self.cx.types_ref().under(ty).clone() {
            TyKind::Array(e, _) => out.extend(self.ref_leaves(e).iter()),
            TyKind::Struct(s) => {
                for f in &s.fields {
                    out.extend(self.ref_leaves(f.ty).iter());
                }
            }
            TyKind::Tuple(ts) => {
                for t in ts.iter() {
                    out.extend(self.ref_leaves(*t).iter());
                }
            }
            _ if self.is_ref(ty) => out.push(self.cx.types_ref().underlying(ty)),
            _ => {}
        }
        out.sort();
        out.dedup();
        let out: Rc<[Ty]> = out.into();
        self.st.leaves.insert(ty, out.clone());
        out
    }

    pub fn type_name(&self, ty: Ty) -> String {
        self.cx.types_ref().runtime_name(ty, self.cx.names())
    }

    /// The index of a type's descriptor, made on first use.
    pub fn type_index(&mut self, ty: Ty) -> TypeIdx {
        if let Some(&i) = self.st.type_map.get(&ty) {
            return i;
        }
        let index = self.st.program.types.len() as TypeIdx;
        self.st.type_map.insert(ty, index);
        let desc = self.blank_desc(ty);
        self.st.program.types.push(desc);
        self.fill_desc(ty, index);
        index
    }

    fn blank_desc(&mut self, ty: Ty) -> TypeDesc {
        let name = self.type_name(ty);
        let types = self.cx.types_ref();
        let layout = types.layout(ty);
        let (mut pkg_path, mut type_name) = (String::new(), String::new());
        match types.kind(ty) {
            TyKind::Named(n) => {
                let named = &types.named[n.0 as usize];
                if let Some(p) = named.pkg {
                    pkg_path = self.cx.package_path(p).to_string();
                }
                // The name as printed, without the package; type arguments may have dots too.
                let end = name.find('[').unwrap_or(name.len());
                let dot = name[..end].rfind('.').map_or(0, |dot| dot + 1);
                type_name = name[dot..].to_string();
            }
            TyKind::Basic(Basic::UnsafePointer) => {
                pkg_path = "unsafe".into();
                type_name = "Pointer".into();
            }
            TyKind::Basic(_) => type_name = name.clone(),
            _ => {}
        }
        let kind = self.kind_of(ty);
        TypeDesc {
            key: types.type_key(ty, self.cx.names()),
            hash: types.structural_hash(ty, self.cx.names()),
            direct: types.is_direct(ty),
            name,
            pkg_path,
            type_name,
            kind,
            size: layout.size,
            align: layout.align as u8,
            comparable: self.comparable(ty),
            ptrs: Vec::new(),
            elem: NO_TYPE,
            map_key: NO_TYPE,
            len: 0,
            fields: Vec::new(),
            params: Vec::new(),
            results: Vec::new(),
            variadic: false,
            methods: Vec::new(),
            iface_methods: Vec::new(),
            prints_by_method: false,
            storable: false,
        }
    }

    fn fill_desc(&mut self, ty: Ty, index: TypeIdx) {
        let kind = self.cx.types_ref().under(ty).clone();
        let mut d = self.st.program.types[index as usize].clone();
        match &kind {
            TyKind::Pointer(e) | TyKind::Slice(e) => d.elem = self.type_index(*e),
            TyKind::Array(e, n) => {
                d.elem = self.type_index(*e);
                d.len = *n;
            }
            TyKind::Chan(dir, e) => {
                d.elem = self.type_index(*e);
                d.len = match dir {
                    ChanDir::Both => 0,
                    ChanDir::Send => 1,
                    ChanDir::Recv => 2,
                };
            }
            TyKind::Map(k, v) => {
                d.map_key = self.type_index(*k);
                d.elem = self.type_index(*v);
            }
            TyKind::Struct(s) => {
                let offsets = self.cx.types_ref().field_offsets(ty);
                for (f, offset) in s.fields.iter().zip(offsets) {
                    let name = self.cx.name(f.name).to_string();
                    let pkg_path = f.pkg.map_or("", |p| self.cx.package_path(p)).to_string();
                    d.fields.push(FieldDesc {
                        exported: name.chars().next().is_some_and(char::is_uppercase),
                        name,
                        ty: self.type_index(f.ty),
                        offset: offset as u32,
                        embedded: f.embedded,
                        pkg_path,
                        tag: f.tag.as_deref().unwrap_or("").to_string(),
                    });
                }
            }
            TyKind::Func(s) => {
                d.params = s.params.iter().map(|t| self.type_index(*t)).collect();
                d.results = s.results.iter().map(|t| self.type_index(*t)).collect();
                d.variadic = s.variadic;
            }
            TyKind::Interface(i) => {
                d.iface_methods = i.methods.iter().map(|m| self.method_index(m)).collect();
                d.iface_methods.sort_unstable();
            }
            _ => {}
        }
        self.pointers(ty, 0, &mut d.ptrs);
        d.storable = self.storable(ty, &mut FxHashSet::default());
        d.prints_by_method = self.prints_by_method(ty, &mut FxHashSet::default());
        self.st.program.types[index as usize] = d;
    }

    /// Offsets of the pointers of a value at byte `at`.
    pub fn pointers(&mut self, ty: Ty, at: u32, out: &mut Vec<(u32, PtrKind)>) {
        match self.cx.types_ref().under(ty).clone() {
            TyKind::Basic(b) if b.is_string() || b == Basic::UnsafePointer => {
                out.push((at, PtrKind::Ptr));
            }
            TyKind::Pointer(_) | TyKind::Slice(_) | TyKind::Map(..) | TyKind::Chan(..) => {
                out.push((at, PtrKind::Ptr));
            }
            TyKind::Func(_) => out.push((at, PtrKind::Ptr)),
            TyKind::Interface(_) => out.push((at, PtrKind::Iface)),
            TyKind::Array(e, n) => {
                let size = self.info(e).size as u32;
                let mut one = Vec::new();
                self.pointers(e, 0, &mut one);
                if one.is_empty() {
                    return;
                }
                for i in 0..n as u32 {
                    out.extend(one.iter().map(|(o, k)| (at + i * size + o, *k)));
                }
            }
            TyKind::Struct(s) => {
                let offsets = self.cx.types_ref().field_offsets(ty);
                for (f, o) in s.fields.iter().zip(offsets) {
                    self.pointers(f.ty, at + o as u32, out);
                }
            }
            _ => {}
        }
    }

    /// The type of a closure's captures: words with these pointers.
    pub fn capture_type(&mut self, slots: u32, ptrs: Vec<(u32, PtrKind)>) -> TypeIdx {
        let mut key: Vec<(u32, u8)> = ptrs
            .iter()
            .map(|(o, k)| (*o, u8::from(*k == PtrKind::Iface)))
            .collect();
        key.push((slots, 2));
        if let Some(&i) = self.st.capture_types.get(&key) {
            return i;
        }
        let index = self.st.program.types.len() as TypeIdx;
        let unit = self.blank_desc(Basic::Int.ty());
        let mut hash = 0x9e37_79b9_7f4a_7c15u64;
        for (a, b) in &key {
            hash = (hash ^ (u64::from(*a) << 8 | u64::from(*b))).wrapping_mul(0x0100_0000_01b3);
        }
        self.st.program.types.push(TypeDesc {
            name: "captures".into(),
            type_name: String::new(),
            key: (hash & !3).max(4) | 2,
            hash,
            kind: Kind::Struct,
            size: u64::from(slots) * 8,
            align: 8,
            direct: false,
            comparable: false,
            ptrs,
            ..unit
        });
        self.st.capture_types.insert(key, index);
        index
    }

    fn kind_of(&self, ty: Ty) -> Kind {
        match self.cx.types_ref().under(ty) {
            TyKind::Basic(b) => match b {
                Basic::Bool | Basic::UntypedBool => Kind::Bool,
                Basic::Int8 => Kind::Int8,
                Basic::Int16 => Kind::Int16,
                Basic::Int32 | Basic::UntypedRune => Kind::Int32,
                Basic::Int64 => Kind::Int64,
                Basic::Uint => Kind::Uint,
                Basic::Uint8 => Kind::Uint8,
                Basic::Uint16 => Kind::Uint16,
                Basic::Uint32 => Kind::Uint32,
                Basic::Uint64 => Kind::Uint64,
                Basic::Uintptr => Kind::Uintptr,
                Basic::Float32 => Kind::Float32,
                Basic::Float64 | Basic::UntypedFloat => Kind::Float64,
                Basic::Complex64 => Kind::Complex64,
                Basic::Complex128 | Basic::UntypedComplex => Kind::Complex128,
                Basic::String | Basic::UntypedString => Kind::String,
                Basic::UnsafePointer => Kind::UnsafePointer,
                _ => Kind::Int,
            },
            TyKind::Pointer(_) => Kind::Pointer,
            TyKind::Slice(_) => Kind::Slice,
            TyKind::Array(..) => Kind::Array,
            TyKind::Map(..) => Kind::Map,
            TyKind::Chan(..) => Kind::Chan,
            TyKind::Struct(_) | TyKind::Tuple(_) => Kind::Struct,
            TyKind::Func(_) => Kind::Func,
            TyKind::Interface(_) => Kind::Interface,
            TyKind::Named(_) | TyKind::Param(_) => Kind::Int,
        }
    }

    fn comparable(&self, ty: Ty) -> bool {
        match self.cx.types_ref().under(ty) {
            TyKind::Slice(_) | TyKind::Map(..) | TyKind::Func(_) => false,
            TyKind::Array(e, _) => self.comparable(*e),
            TyKind::Struct(s) => s.fields.iter().all(|f| self.comparable(f.ty)),
            _ => true,
        }
    }

    fn storable(&self, ty: Ty, seen: &mut FxHashSet<Ty>) -> bool {
        if !seen.insert(ty) {
            return true;
        }
        match self.cx.types_ref().under(ty) {
            TyKind::Func(_) | TyKind::Chan(..) | TyKind::Basic(Basic::UnsafePointer) => false,
            TyKind::Pointer(e) | TyKind::Slice(e) | TyKind::Array(e, _) => self.storable(*e, seen),
            TyKind::Map(k, v) => self.storable(*k, seen) && self.storable(*v, seen),
            TyKind::Struct(s) => s.fields.iter().all(|f| self.storable(f.ty, seen)),
            _ => true,
        }
    }

    /// Types have got methods: printing may have to call them.
    pub fn renew_printing(&mut self) {
        let all: Vec<(Ty, TypeIdx)> = self.st.type_map.iter().map(|(t, i)| (*t, *i)).collect();
        for (ty, index) in all {
            let by_method = self.prints_by_method(ty, &mut FxHashSet::default());
            self.st.program.types[index as usize].prints_by_method = by_method;
        }
    }

    fn prints_by_method(&mut self, ty: Ty, seen: &mut FxHashSet<Ty>) -> bool {
        if !seen.insert(ty) {
            return false;
        }
        if self.can_have_methods(ty) {
            let set = self.cx.method_set(ty);
            let hook = |m: &IMethod| {
                matches!(
                    self.cx.name(m.name),
                    "Error" | "String" | "Format" | "GoString"
                )
            };
            if set.iter().any(|e| hook(&e.method)) {
                return true;
            }
        }
        match self.cx.types_ref().under(ty).clone() {
            TyKind::Interface(_) => true,
            TyKind::Pointer(e) | TyKind::Slice(e) | TyKind::Array(e, _) => {
                self.prints_by_method(e, seen)
            }
            TyKind::Map(k, v) => self.prints_by_method(k, seen) || self.prints_by_method(v, seen),
            TyKind::Struct(s) => s.fields.iter().any(|f| self.prints_by_method(f.ty, seen)),
            _ => false,
        }
    }

    /// Index of a method's identity.
    pub fn method_index(&mut self, m: &IMethod) -> u32 {
        let mut name = self.cx.name(m.name).to_string();
        if let Some(p) = m.pkg {
            name = format!("{}.{name}", self.cx.package_path(p));
        }
        let sig = self.type_name(m.sig);
        let index = self.method_id(MethodId { name, sig });
        self.st.method_sigs.insert(index, m.sig);
        index
    }

    fn method_id(&mut self, id: MethodId) -> u32 {
        let next = self.st.program.methods.len() as u32;
        let index = *self.st.method_map.entry(id.clone()).or_insert(next);
        if index == next {
            self.st.program.methods.push(id);
        }
        index
    }

    /// Index of an interned string constant.
    pub fn string_index(&mut self, s: &Rc<[u8]>) -> u32 {
        if let Some(&i) = self.st.strings.get(s) {
            return i;
        }
        let index = self.st.program.strings.len() as u32;
        self.st.program.strings.push(s.to_vec().into());
        self.st.strings.insert(s.clone(), index);
        index
    }

    /// Index of a native.
    pub fn native_index(&mut self, f: &crate::tir::FuncRef) -> u32 {
        let key = (f.func, f.targs.clone());
        if let Some(&i) = self.st.native_map.get(&key) {
            return i;
        }
        let decl = self.cx.decl(f.func).clone();
        let mut sub = |ts: &[Ty]| -> Vec<Ty> {
            ts.iter()
                .map(|t| self.cx.types().subst(*t, &decl.type_params, &f.targs))
                .collect()
        };
        let (params, results) = (sub(&decl.params), sub(&decl.results));
        let result_slots = results.iter().map(|t| self.info(*t).slots).sum();
        let sig = self.cx.types().intern(TyKind::Func(Rc::new(Signature {
            params,
            results,
            variadic: false,
        })));
        let sig = self.type_name(sig);
        let index = self.st.program.natives.len() as u32;
        self.st.program.natives.push(NativeRef {
            name: decl.name,
            sig,
            result_slots,
        });
        self.st.native_map.insert(key, index);
        index
    }

    /// Where a package variable lies: its byte in the globals, or the index of its pvar.
    pub fn global_place(&mut self, g: crate::tir::GlobalId) -> u32 {
        let i = g.0 as usize;
        if let Some(Some(p)) = self.st.global_places.get(i) {
            return *p;
        }
        let global = self.cx.globals()[i].clone();
        let ty = self.type_index(global.ty);
        let place = if let Some(name) = global.root {
            self.st.program.pvars.push(PVar { name, ty });
            self.st.program.pvars.len() as u32 - 1
        } else {
            let offset = self.st.program.globals_size;
            self.st.program.globals.push(GlobalVar {
                name: global.name,
                ty,
                offset,
            });
            let size = self.info(global.ty).slots * 8;
            self.st.program.globals_size = offset.saturating_add(size);
            offset
        };
        if self.st.global_places.len() <= i {
            self.st.global_places.resize(i + 1, None);
        }
        self.st.global_places[i] = Some(place);
        place
    }

    /// Method tables of the types that interfaces can hold.
    pub fn finish_types(&mut self) {
        let string_sig = "func() string".to_string();
        let id = |name: &str| MethodId {
            name: name.into(),
            sig: string_sig.clone(),
        };
        self.st.program.error_method = self.method_id(id("Error"));
        self.st.program.string_method = self.method_id(id("String"));
        for i in 0..self.st.live_list.len() {
            let ty = self.st.live_list[i];
            let index = self.type_index(ty);
            if !self.can_have_methods(ty) {
                continue;
            }
            let mut table = Vec::new();
            for e in self.cx.method_set(ty).iter() {
                let value = self.st.methods_done.get(&(ty, e.method.clone()));
                let value = value.copied().unwrap_or(NO_FUNC);
                table.push((self.method_index(&e.method), value));
            }
            table.sort_unstable();
            self.st.program.types[index as usize].methods = table;
        }
        if self.st.reflects {
            self.method_types();
        }
    }

    /// The func types of all methods: each may bring interfaces with further ones.
    fn method_types(&mut self) {
        let mut at = self.st.program.method_types.len();
        while at < self.st.program.methods.len() {
            let ty = match self.st.method_sigs.get(&(at as u32)) {
                Some(&sig) => self.type_index(sig),
                None => NO_TYPE,
            };
            self.st.program.method_types.push(ty);
            at += 1;
        }
    }
}
