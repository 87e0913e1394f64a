//! Natives of package reflect: facts of types, types made at run time, memory by type, maps, methods.

use lang::bytecode::program::{FieldDesc, Kind, NO_TYPE, PtrKind, TypeDesc, TypeIdx};
use lang::bytecode::typekey;
use vm::native::{Ctx, NativeDef, NativeError};
use vm::value::{TypeTable, ValueRef};

use crate::text::Plain;

/// A type without a name; the rest is to be filled in.
fn unnamed(name: String, hash: u64, kind: Kind, size: u64) -> TypeDesc {
    let direct = matches!(kind, Kind::Pointer | Kind::Map | Kind::Chan | Kind::Func);
    TypeDesc {
        name,
        pkg_path: String::new(),
        type_name: String::new(),
        key: typekey::key(hash, direct, true),
        hash,
        kind,
        size,
        align: 8,
        direct,
        comparable: matches!(kind, Kind::Pointer | Kind::Chan),
        ptrs: vec![(0, PtrKind::Ptr)],
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
        storable: true,
    }
}

fn of_elem(elem: TypeIdx, e: &TypeDesc, kind: Kind, prefix: &str, size: u64) -> TypeDesc {
    let hash = match kind {
        Kind::Pointer => typekey::pointer(e.hash),
        _ => typekey::slice(e.hash),
    };
    TypeDesc {
        elem,
        prints_by_method: e.prints_by_method,
        storable: e.storable,
        ..unnamed(format!("{prefix}{}", e.name), hash, kind, size)
    }
}

fn pointer_type(types: &TypeTable, elem: TypeIdx) -> TypeDesc {
    of_elem(elem, types.desc(elem), Kind::Pointer, "*", 8)
}

fn slice_type(types: &TypeTable, elem: TypeIdx) -> TypeDesc {
    of_elem(elem, types.desc(elem), Kind::Slice, "[]", 24)
}

fn array_type(types: &TypeTable, elem: TypeIdx, len: u64) -> Option<TypeDesc> {
    let e = types.desc(elem);
    let size = e.size.checked_mul(len).filter(|size| *size < 1 << 40)?;
    let mut ptrs = Vec::new();
    if !e.ptrs.is_empty() {
        for i in 0..len {
            let at = (i * e.size) as u32;
            ptrs.extend(e.ptrs.iter().map(|(offset, kind)| (at + offset, *kind)));
        }
    }
    Some(TypeDesc {
        elem,
        len,
        align: e.align,
        comparable: e.comparable,
        ptrs,
        prints_by_method: e.prints_by_method,
        storable: e.storable,
        ..unnamed(format!("[{len}]{}", e.name), typekey::array(len, e.hash), Kind::Array, size)
    })
}

fn map_type(types: &TypeTable, key: TypeIdx, elem: TypeIdx) -> TypeDesc {
    let (k, e) = (types.desc(key), types.desc(elem));
    TypeDesc {
        elem,
        map_key: key,
        prints_by_method: k.prints_by_method || e.prints_by_method,
        storable: k.storable && e.storable,
        ..unnamed(format!("map[{}]{}", k.name, e.name), typekey::map(k.hash, e.hash), Kind::Map, 8)
    }
}

/// Directions as in `TypeDesc::len`.
fn chan_type(types: &TypeTable, direction: u64, elem: TypeIdx) -> TypeDesc {
    let e = types.desc(elem);
    let name = match direction {
        1 => format!("chan<- {}", e.name),
        2 => format!("<-chan {}", e.name),
        _ if e.kind == Kind::Chan && e.len == 2 && e.type_name.is_empty() => format!("chan ({})", e.name),
        _ => format!("chan {}", e.name),
    };
    TypeDesc {
        elem,
        len: direction,
        storable: false,
        ..unnamed(name, typekey::chan(direction, e.hash), Kind::Chan, 8)
    }
}

fn func_type(types: &TypeTable, params: Vec<TypeIdx>, results: Vec<TypeIdx>, variadic: bool) -> TypeDesc {
    let names = |list: &[TypeIdx]| -> Vec<String> {
        list.iter().map(|ty| types.desc(*ty).name.clone()).collect()
    };
    let hashes = |list: &[TypeIdx]| -> Vec<u64> {
        list.iter().map(|ty| types.desc(*ty).hash).collect()
    };
    let mut ins = names(&params);
    if variadic && let Some(last) = ins.last_mut() {
        *last = format!("...{}", last.trim_start_matches("[]"));
    }
    let outs = names(&results);
    let outs = match &outs[..] {
        [] => String::new(),
        [one] => format!(" {one}"),
        many => format!(" ({})", many.join(", ")),
    };
    let hash = typekey::func(&hashes(&params), &hashes(&results), variadic);
    TypeDesc {
        params,
        results,
        variadic,
        storable: false,
        ..unnamed(format!("func({}){outs}", ins.join(", ")), hash, Kind::Func, 8)
    }
}

/// A field of a struct to be made.
struct NewField {
    name: String,
    pkg_path: String,
    tag: String,
    ty: TypeIdx,
    embedded: bool,
}

fn struct_type(types: &TypeTable, new: &[NewField]) -> TypeDesc {
    let (mut size, mut align) = (0u64, 1u64);
    let (mut fields, mut ptrs, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut comparable, mut by_method, mut storable) = (true, false, true);
    for f in new {
        let ty = types.desc(f.ty);
        let at = size.next_multiple_of(ty.align.max(1).into());
        size = at + ty.size;
        align = align.max(ty.align.into());
        comparable &= ty.comparable;
        by_method |= ty.prints_by_method;
        storable &= ty.storable;
        ptrs.extend(ty.ptrs.iter().map(|(offset, kind)| (at as u32 + offset, *kind)));
        let mut text = if f.embedded { ty.name.clone() } else { format!("{} {}", f.name, ty.name) };
        if !f.tag.is_empty() {
            text = format!("{text} {}", String::from_utf8_lossy(&crate::text::quote(f.tag.as_bytes(), Plain::Print)));
        }
        texts.push(text);
        fields.push(FieldDesc {
            name: f.name.clone(),
            ty: f.ty,
            offset: at as u32,
            embedded: f.embedded,
            exported: f.pkg_path.is_empty(),
            pkg_path: f.pkg_path.clone(),
            tag: f.tag.clone(),
        });
    }
    let hash = typekey::structure(new.iter().map(|f| typekey::Field {
        pkg_path: &f.pkg_path,
        name: &f.name,
        ty: types.desc(f.ty).hash,
        embedded: f.embedded,
        tag: &f.tag,
    }));
    let name = if texts.is_empty() { "struct {}".into() } else { format!("struct {{ {} }}", texts.join("; ")) };
    TypeDesc {
        fields,
        ptrs,
        comparable,
        prints_by_method: by_method,
        storable,
        align: align as u8,
        ..unnamed(name, hash, Kind::Struct, size.next_multiple_of(align))
    }
}

fn is_exported(name: &str) -> bool {
    !name.contains('.') && name.starts_with(char::is_uppercase)
}

/// The methods that reflection shows: names (unexported ones with their package) and indices in the program's
/// table, sorted by name.
fn shown_methods(types: &TypeTable, ty: TypeIdx) -> Vec<(String, u32)> {
    let desc = types.desc(ty);
    let bare = |m: u32| types.method_name(m).to_string();
    let mut list: Vec<(String, u32)> = match desc.kind {
        Kind::Interface => desc.iface_methods.iter().map(|m| (bare(*m), *m)).collect(),
        _ => desc.methods.iter().map(|(m, _)| (bare(*m), *m)).filter(|(name, _)| is_exported(name)).collect(),
    };
    list.sort_by(|a, b| last_part(&a.0).cmp(last_part(&b.0)));
    list
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// reflect.Value.IsZero.
fn is_zero(v: &ValueRef) -> bool {
    match v.kind() {
        Kind::Array => (0..v.len()).all(|i| is_zero(&v.elem(i))),
        Kind::Struct => (0..v.len()).all(|i| is_zero(&v.field(i))),
        Kind::String => v.is_empty(),
        Kind::Float32 | Kind::Float64 => v.float().to_bits() == 0,
        Kind::Complex64 | Kind::Complex128 => v.complex().0.to_bits() == 0 && v.complex().1.to_bits() == 0,
        Kind::Pointer | Kind::Slice | Kind::Map | Kind::Chan | Kind::Func | Kind::Interface => v.is_nil(),
        _ => v.uint() == 0,
    }
}

fn strings(c: &mut Ctx) -> Vec<String> {
    let s = c.slice();
    let strs = c.strs_of(s);
    strs.into_iter().map(|s| String::from_utf8_lossy(c.get(s)).into_owned()).collect()
}

fn make(c: &mut Ctx, desc: TypeDesc) {
    let ty = c.make_type(desc);
    c.ret_reflect_type(ty);
}

pub const NATIVES: &[NativeDef] = natives! {
    "reflect.typeOf" "func(interface {}) *reflect.rtype" => |c| {
        let v = c.any();
        c.ret_reflect_type(v.map_or(NO_TYPE, |v| v.type_index()));
    };
    "reflect.unpack" "func(interface {}) (*reflect.rtype, unsafe.Pointer, bool)" => |c| {
        let v = c.any();
        c.ret_unpacked(v);
    };
    "reflect.pack" "func(reflect.Value, bool) interface {}" => |c| {
        let v = c.reflect_value();
        let share = c.bool();
        match v {
            Some(v) => c.ret_packed(v, share),
            None => c.ret_any(None),
        }
    };
    "reflect.typeText" "func(*reflect.rtype, int) string" => |c| {
        let (ty, what) = (c.known_type()?, c.int());
        let desc = c.types().desc(ty);
        c.ret_str(match what {
            0 => &desc.name,
            1 => &desc.type_name,
            _ => &desc.pkg_path,
        });
    };
    "reflect.typeElem" "func(*reflect.rtype) *reflect.rtype" => |c| {
        let ty = c.known_type()?;
        let elem = c.types().desc(ty).elem;
        c.ret_reflect_type(elem);
    };
    "reflect.typeKey" "func(*reflect.rtype) *reflect.rtype" => |c| {
        let ty = c.known_type()?;
        let key = c.types().desc(ty).map_key;
        c.ret_reflect_type(key);
    };
    "reflect.typePart" "func(*reflect.rtype, int) *reflect.rtype" => |c| {
        let (ty, i) = (c.known_type()?, c.int() as usize);
        let desc = c.types().desc(ty);
        let part = desc.params.iter().chain(&desc.results).nth(i).copied();
        c.ret_reflect_type(part.unwrap_or(NO_TYPE));
    };
    "reflect.fieldAt" "func(*reflect.rtype, int) (*reflect.rtype, uintptr, bool, bool)" => |c| {
        let (ty, i) = (c.known_type()?, c.int() as usize);
        let field = c.types().desc(ty).fields.get(i).ok_or(NativeError::Panic("reflect: Field index out of bounds".into()))?;
        c.ret_reflect_type(field.ty);
        c.ret_uint(field.offset.into());
        c.ret_bool(field.embedded);
        c.ret_bool(field.exported);
    };
    "reflect.fieldText" "func(*reflect.rtype, int) (string, string, string)" => |c| {
        let (ty, i) = (c.known_type()?, c.int() as usize);
        let field = c.types().desc(ty).fields.get(i).ok_or(NativeError::Panic("reflect: Field index out of bounds".into()))?;
        c.ret_str(&field.name);
        c.ret_str(if field.exported { "" } else { &field.pkg_path });
        c.ret_str(&field.tag);
    };
    "reflect.fieldNamed" "func(*reflect.rtype, string) int" => |c| {
        let (ty, name) = (c.known_type()?, c.str());
        let name = c.get(name);
        let at = c.types().desc(ty).fields.iter().position(|f| f.name.as_bytes() == name);
        c.ret_int(at.map_or(-1, |at| at as i64));
    };
    "reflect.methodCount" "func(*reflect.rtype) int" => |c| {
        let ty = c.known_type()?;
        let n = shown_methods(c.types(), ty).len();
        c.ret_int(n as i64);
    };
    // Name, package of an unexported one, func type, index in the machine's table.
    "reflect.methodType" "func(*reflect.rtype, int) (string, string, *reflect.rtype, int)" => |c| {
        let (ty, i) = (c.known_type()?, c.int() as usize);
        let list = shown_methods(c.types(), ty);
        let (name, id) = list.get(i).ok_or(NativeError::Panic("reflect: Method index out of range".into()))?;
        c.ret_str(last_part(name));
        c.ret_str(name.rsplit_once('.').map_or("", |parts| parts.0));
        let sig = c.types().method_type(*id);
        c.ret_reflect_type(sig);
        c.ret_int((*id).into());
    };
    "reflect.methodNamed" "func(*reflect.rtype, string) int" => |c| {
        let (ty, name) = (c.known_type()?, c.str());
        let name = c.get(name);
        let list = shown_methods(c.types(), ty);
        let at = list.iter().position(|(n, _)| last_part(n).as_bytes() == name);
        c.ret_int(at.map_or(-1, |at| at as i64));
    };
    "reflect.methodCode" "func(*reflect.rtype, int) unsafe.Pointer" => |c| {
        let (ty, id) = (c.known_type()?, c.int());
        let at = c.method_closure(ty, id as u32);
        c.ret_ptr(at);
    };
    "reflect.implements" "func(*reflect.rtype, *reflect.rtype) bool" => |c| {
        let (ty, iface) = (c.known_type()?, c.known_type()?);
        let types = c.types();
        let is = match types.desc(ty).kind {
            Kind::Interface => types.desc(iface).iface_methods.iter().all(|m| types.desc(ty).iface_methods.contains(m)),
            _ => c.implements(ty, iface),
        };
        c.ret_bool(is);
    };
    "reflect.makePointer" "func(*reflect.rtype) *reflect.rtype" => |c| {
        let elem = c.known_type()?;
        let desc = pointer_type(c.types(), elem);
        make(c, desc);
    };
    "reflect.makeSlice" "func(*reflect.rtype) *reflect.rtype" => |c| {
        let elem = c.known_type()?;
        let desc = slice_type(c.types(), elem);
        make(c, desc);
    };
    "reflect.makeArray" "func(*reflect.rtype, int) *reflect.rtype" => |c| {
        let (elem, len) = (c.known_type()?, c.int() as u64);
        let desc = array_type(c.types(), elem, len)
            .ok_or(NativeError::Panic("reflect.ArrayOf: array size would exceed virtual address space".into()))?;
        make(c, desc);
    };
    "reflect.makeMap" "func(*reflect.rtype, *reflect.rtype) *reflect.rtype" => |c| {
        let (key, elem) = (c.known_type()?, c.known_type()?);
        let desc = map_type(c.types(), key, elem);
        make(c, desc);
    };
    "reflect.makeChan" "func(int, *reflect.rtype) *reflect.rtype" => |c| {
        let (direction, elem) = (c.int() as u64, c.known_type()?);
        let desc = chan_type(c.types(), direction, elem);
        make(c, desc);
    };
    "reflect.makeFunc" "func([]*reflect.rtype, []*reflect.rtype, bool) *reflect.rtype" => |c| {
        let (params, results, variadic) = (c.reflect_types(), c.reflect_types(), c.bool());
        let desc = func_type(c.types(), params, results, variadic);
        make(c, desc);
    };
    "reflect.makeStruct" "func([]string, []string, []string, []*reflect.rtype, []bool) *reflect.rtype" => |c| {
        let (names, paths, tags) = (strings(c), strings(c), strings(c));
        let types = c.reflect_types();
        let embedded = c.bytes();
        let embedded = c.bytes_of(embedded).to_vec();
        let fields: Vec<NewField> = names.into_iter().zip(paths).zip(tags).zip(types).zip(embedded)
            .map(|((((name, pkg_path), tag), ty), embedded)| NewField { name, pkg_path, tag, ty, embedded: embedded != 0 })
            .collect();
        let desc = struct_type(c.types(), &fields);
        make(c, desc);
    };
    "reflect.alloc" "func(*reflect.rtype, int) unsafe.Pointer" => |c| {
        let (ty, n) = (c.known_type()?, c.int() as u64);
        let at = c.alloc_values_near(ty, n, 0)?;
        c.ret_ptr(at);
    };
    "reflect.allocNear" "func(*reflect.rtype, int, unsafe.Pointer) unsafe.Pointer" => |c| {
        let (ty, n, near) = (c.known_type()?, c.int() as u64, c.ptr());
        let at = c.alloc_values_near(ty, n, near)?;
        c.ret_ptr(at);
    };
    "reflect.isPersistent" "func(unsafe.Pointer) bool" => |c| {
        let at = c.ptr();
        c.ret_bool(c.pmem_contains(at));
    };
    "reflect.persistValue" "func(*reflect.rtype, unsafe.Pointer)" => |c| {
        let (ty, at) = (c.known_type()?, c.ptr());
        c.persist_value(ty, at)?;
    };
    "reflect.store" "func(*reflect.rtype, unsafe.Pointer, unsafe.Pointer, int)" => |c| {
        let (ty, to, from, n) = (c.known_type()?, c.ptr(), c.ptr(), c.int() as u64);
        c.store_values(ty, to, from, n)?;
    };
    "reflect.newFrame" "func(int) unsafe.Pointer" => |c| {
        let slots = c.int() as u64;
        let at = c.alloc_frame(slots);
        c.ret_ptr(at);
    };
    "reflect.loadSlots" "func(*reflect.rtype, unsafe.Pointer, int, unsafe.Pointer)" => |c| {
        let (ty, image, slot, from) = (c.known_type()?, c.ptr(), c.int() as u64, c.ptr());
        c.load_slots(ty, image, slot, from);
    };
    "reflect.equal" "func(*reflect.rtype, unsafe.Pointer, unsafe.Pointer) bool" => |c| {
        let (ty, a, b) = (c.known_type()?, c.ptr(), c.ptr());
        let same = c.values_equal(ty, a, b)?;
        c.ret_bool(same);
    };
    "reflect.isZero" "func(reflect.Value) bool" => |c| {
        let v = c.reflect_value();
        c.ret_bool(v.is_some_and(|v| is_zero(&v.value)));
    };
    "reflect.mapMake" "func(*reflect.rtype, int) unsafe.Pointer" => |c| {
        let (ty, n) = (c.known_type()?, c.int().max(0) as u64);
        let map = c.map_new(ty, n)?;
        c.ret_ptr(map);
    };
    "reflect.mapLen" "func(unsafe.Pointer) int" => |c| {
        let map = c.ptr();
        let n = c.map_len(map);
        c.ret_uint(n);
    };
    "reflect.mapFind" "func(*reflect.rtype, unsafe.Pointer, unsafe.Pointer) unsafe.Pointer" => |c| {
        let (ty, map, key) = (c.known_type()?, c.ptr(), c.ptr());
        let at = c.map_find(ty, map, key)?;
        c.ret_ptr(at);
    };
    "reflect.mapStore" "func(*reflect.rtype, unsafe.Pointer, unsafe.Pointer, unsafe.Pointer)" => |c| {
        let (ty, map, key, value) = (c.known_type()?, c.ptr(), c.ptr(), c.ptr());
        c.map_store(ty, map, key, value)?;
    };
    "reflect.mapDelete" "func(*reflect.rtype, unsafe.Pointer, unsafe.Pointer)" => |c| {
        let (ty, map, key) = (c.known_type()?, c.ptr(), c.ptr());
        c.map_remove(ty, map, key)?;
    };
    "reflect.mapClear" "func(*reflect.rtype, unsafe.Pointer)" => |c| {
        let (ty, map) = (c.known_type()?, c.ptr());
        c.map_empty(ty, map);
    };
    "reflect.mapStart" "func(unsafe.Pointer, unsafe.Pointer)" => |c| {
        let (map, state) = (c.ptr(), c.ptr());
        let words = c.map_walk(map);
        c.set_words(state, words);
    };
    "reflect.mapNext" "func(*reflect.rtype, unsafe.Pointer) (unsafe.Pointer, unsafe.Pointer)" => |c| {
        let (ty, at) = (c.known_type()?, c.ptr());
        let mut state = c.words_at::<4>(at);
        let (key, value) = c.map_step(ty, &mut state);
        c.set_words(at, state);
        c.ret_ptr(key);
        c.ret_ptr(value);
    };
    "reflect.makeClosure" "func(func(), unsafe.Pointer, int, int) unsafe.Pointer" => |c| {
        let (stub, context, results, params) = (c.ptr(), c.ptr(), c.uint(), c.uint());
        let at = c.reflect_closure(stub, context, results, params);
        c.ret_ptr(at);
    };
    "reflect.swapElems" "func(reflect.Value, int, int)" => |c| {
        let (v, i, j) = (c.reflect_value(), c.int(), c.int());
        if let Some(v) = v {
            c.swap(v.value, i as usize, j as usize);
        }
    };
    "reflect.chanMake" "func(*reflect.rtype, int) unsafe.Pointer" => |c| {
        let (ty, n) = (c.known_type()?, c.int());
        let chan = c.chan_new(ty, n)?;
        c.ret_ptr(chan);
    };
    "reflect.chanSizes" "func(unsafe.Pointer) (int, int)" => |c| {
        let chan = c.ptr();
        let (len, cap) = c.chan_sizes(chan);
        c.ret_uint(len);
        c.ret_uint(cap);
    };
    "reflect.chanClose" "func(unsafe.Pointer)" => |c| {
        let chan = c.ptr();
        c.chan_shut(chan)?;
    };
    // Without waiting: was it done?
    "reflect.trySend" "func(unsafe.Pointer, unsafe.Pointer) bool" => |c| {
        let (chan, image) = (c.ptr(), c.ptr());
        let done = c.chan_offer(chan, image)?;
        c.ret_bool(done);
    };
    // Did a value, or the channel's end, come; was it a value?
    "reflect.tryReceive" "func(unsafe.Pointer, unsafe.Pointer) (bool, bool)" => |c| {
        let (chan, image) = (c.ptr(), c.ptr());
        let (done, ok) = c.chan_take(chan, image)?;
        c.ret_bool(done);
        c.ret_bool(ok);
    };
    // Instructions; see lang's codegen.
    "reflect.sendWords" "func(unsafe.Pointer, unsafe.Pointer, int, int)" => |_c| {
        return Err(NativeError::Panic("reflect: sendWords is an instruction".into()));
    };
    "reflect.receiveWords" "func(unsafe.Pointer, unsafe.Pointer, int, int)" => |_c| {
        return Err(NativeError::Panic("reflect: receiveWords is an instruction".into()));
    };
    "reflect.selectWords" "func(int, unsafe.Pointer, int, int)" => |_c| {
        return Err(NativeError::Panic("reflect: selectWords is an instruction".into()));
    };
    "reflect.callFrame" "func(unsafe.Pointer, unsafe.Pointer, int, int)" => |_c| {
        return Err(NativeError::Panic("reflect: callFrame is an instruction".into()));
    };
    "reflect.enterStub" "func(reflect.stubBody)" => |_c| {
        return Err(NativeError::Panic("reflect: enterStub is an instruction".into()));
    };
};
