//! Types that the program does not have: the heap's (another program stored values of them in interfaces) and those that
//! reflection makes. They have no methods, but print, compare and hash as any.

use lang::bytecode::program::{FieldDesc, Kind, NO_TYPE, PtrKind, TypeDesc, TypeIdx};
use pheap::{Heap, PointerSlot};
use rustc_hash::FxHashMap;

use crate::Vm;
use crate::load::form_of;
use crate::value::RtType;

/// The first index of such types; those of the program stay below.
pub(crate) const FIRST: TypeIdx = 1 << 31;

/// Only grows; the types live as long as the process, as those of a program do.
#[derive(Default)]
pub(crate) struct ForeignTypes {
    pub types: Vec<&'static (TypeDesc, RtType)>,
    pub by_key: FxHashMap<u64, TypeIdx>,
}

impl Vm {
    /// Makes run-time types of what only the heap knows.
    pub(crate) fn learn_types(&mut self, heap: &Heap) {
        let mut new = Vec::new();
        {
            let mut foreign = self.types.foreign.borrow_mut();
            for (index, desc) in heap.types() {
                if heap.find_type(desc.key) != Some(index) {
                    continue; // as it was before a migration
                }
                let known =
                    self.types.by_key(desc.key).is_some() || foreign.by_key.contains_key(&desc.key);
                if desc.key == 0 || known || kind_of(desc.kind).is_none() {
                    continue;
                }
                let ty = FIRST + (foreign.types.len() + new.len()) as TypeIdx;
                foreign.by_key.insert(desc.key, ty);
                new.push(desc.clone());
            }
        }
        for stored in new {
            let desc = self.describe_foreign(&stored);
            self.push_type(desc);
        }
    }

    /// Adds a type that reflection made; its index.
    pub(crate) fn add_type(&mut self, desc: TypeDesc) -> TypeIdx {
        let key = desc.key;
        let ty = self.push_type(desc);
        self.types.foreign.borrow_mut().by_key.insert(key, ty);
        ty
    }

    fn push_type(&mut self, desc: TypeDesc) -> TypeIdx {
        let ty = FIRST + self.types.foreign.borrow().types.len() as TypeIdx;
        let gc = self.heap.register(desc.size, &desc.ptrs, Some(ty));
        let rt = RtType {
            size: desc.size,
            slots: desc.size.div_ceil(8) as u32,
            gc,
            form: form_of(&desc),
            direct: desc.direct,
            key: desc.key,
        };
        let both: &'static _ = Box::leak(Box::new((desc, rt)));
        self.types.foreign.borrow_mut().types.push(both);
        ty
    }

    fn describe_foreign(&self, stored: &pheap::TypeDesc) -> TypeDesc {
        let index = |key| self.types.any_by_key(key).unwrap_or(NO_TYPE);
        let kind = kind_of(stored.kind).unwrap_or(Kind::UnsafePointer);
        // A defined type is named `package.Name`.
        let (package, name) = match stored.name.split_once('.') {
            Some((package, name)) if package.chars().all(|c| c == '_' || c.is_alphanumeric()) => {
                (package, name)
            }
            _ => ("", ""),
        };
        let fields = stored.fields.iter().map(|field| FieldDesc {
            name: field.name.clone(),
            ty: index(field.type_key),
            offset: field.offset,
            embedded: false,
            exported: field.name.starts_with(char::is_uppercase),
            pkg_path: String::new(),
            tag: String::new(),
        });
        let ptrs = stored.pointers.iter().map(|slot| match *slot {
            PointerSlot::Ptr(offset) => (offset, PtrKind::Ptr),
            PointerSlot::Iface(offset) => (offset, PtrKind::Iface),
        });
        TypeDesc {
            name: stored.name.clone(),
            pkg_path: package.into(),
            type_name: name.into(),
            key: stored.key,
            hash: stored.key,
            kind,
            size: stored.size,
            align: stored.align as u8,
            direct: stored.key & 2 == 0,
            comparable: !matches!(kind, Kind::Slice | Kind::Map),
            ptrs: ptrs.collect(),
            elem: index(stored.elem),
            map_key: index(stored.map_key),
            len: stored.len,
            fields: fields.collect(),
            params: Vec::new(),
            results: Vec::new(),
            variadic: false,
            methods: Vec::new(),
            iface_methods: Vec::new(),
            prints_by_method: false,
            storable: true,
        }
    }
}

fn kind_of(kind: pheap::Kind) -> Option<Kind> {
    use pheap::Kind as K;
    Some(match kind {
        K::Bool => Kind::Bool,
        K::Int => Kind::Int,
        K::Int8 => Kind::Int8,
        K::Int16 => Kind::Int16,
        K::Int32 => Kind::Int32,
        K::Int64 => Kind::Int64,
        K::Uint => Kind::Uint,
        K::Uint8 => Kind::Uint8,
        K::Uint16 => Kind::Uint16,
        K::Uint32 => Kind::Uint32,
        K::Uint64 => Kind::Uint64,
        K::Uintptr => Kind::Uintptr,
        K::Float32 => Kind::Float32,
        K::Float64 => Kind::Float64,
        K::Complex64 => Kind::Complex64,
        K::Complex128 => Kind::Complex128,
        K::String => Kind::String,
        K::Slice => Kind::Slice,
        K::Array => Kind::Array,
        K::Map => Kind::Map,
        K::Pointer => Kind::Pointer,
        K::Interface => Kind::Interface,
        K::Struct => Kind::Struct,
        K::Bytes | K::Internal => return None,
    })
}
