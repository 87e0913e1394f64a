//! Interface values: making, asserting, methods.
#![allow(unsafe_code)] // Program memory and slots of the frame.

use lang::bytecode::program::{Kind, NO_FUNC, NO_TYPE, TypeIdx};

use super::call::{CachedMethod, METHOD_CACHE};
use super::memory::load_form;
use super::*;
use crate::raw;
use crate::trap::Trap;

handlers! {
    IfaceOf |vm, i, pc, fp| {
        let key = (*vm.rt_ptr.add(ext(pc, 0) as usize)).key;
        let at = get(fp, i.b());
        set(fp, i.a(), key);
        set(fp, i.a() + 1, at);
        (pc.add(1), fp)
    }
    MkIface |vm, i, pc, fp| {
        let rt = *vm.rt_ptr.add(ext(pc, 0) as usize);
        if rt.direct {
            let word = get(fp, i.b());
            set(fp, i.a(), rt.key);
            set(fp, i.a() + 1, word);
            return (pc.add(1), fp);
        }
        vm.poll(pc, fp);
        let at = vm.alloc_volatile(rt.gc, 1, rt.size);
        raw::copy(at, fp.add(i.b()) as u64, rt.size);
        set(fp, i.a(), rt.key);
        set(fp, i.a() + 1, at);
        (pc.add(1), fp)
    }
    Unbox |vm, i, pc, fp| {
        unbox(vm, i, fp, ext(pc, 0));
        (pc.add(1), fp)
    }
    AssertT |vm, i, pc, fp| {
        let ty = ext(pc, 0);
        if get(fp, i.b()) != (*vm.rt_ptr.add(ty as usize)).key {
            return throw_assert(vm, pc, fp, get(fp, i.b()), ty, ext(pc, 1));
        }
        unbox(vm, i, fp, ty);
        (pc.add(2), fp)
    }
    AssertT2 |vm, i, pc, fp| {
        let ty = ext(pc, 0);
        let rt = *vm.rt_ptr.add(ty as usize);
        let ok = get(fp, i.b()) == rt.key;
        if ok {
            unbox(vm, i, fp, ty);
        } else {
            for n in 0..rt.slots as usize {
                set(fp, i.a() + n, 0);
            }
        }
        set(fp, i.a() + rt.slots as usize, ok.into());
        (pc.add(1), fp)
    }
    IsType |vm, i, pc, fp| {
        let is = get(fp, i.b()) == (*vm.rt_ptr.add(ext(pc, 0) as usize)).key;
        set(fp, i.a(), is.into());
        (pc.add(1), fp)
    }
}

slow_handlers! {
    AssertI |vm, i, pc, fp| {
        let (key, data) = (get(fp, i.b()), get(fp, i.b() + 1));
        if !vm.implements(key, ext(pc, 0) as u32) {
            return throw_assert(vm, pc, fp, key, ext(pc, 0), ext(pc, 1));
        }
        set(fp, i.a(), key);
        set(fp, i.a() + 1, data);
        (pc.add(2), fp)
    }
    AssertI2 |vm, i, pc, fp| {
        let (key, data) = (get(fp, i.b()), get(fp, i.b() + 1));
        let ok = vm.implements(key, ext(pc, 0) as u32);
        set(fp, i.a(), if ok { key } else { 0 });
        set(fp, i.a() + 1, if ok { data } else { 0 });
        set(fp, i.a() + 2, ok.into());
        (pc.add(1), fp)
    }
    IsIface |vm, i, pc, fp| {
        let is = vm.implements(get(fp, i.b()), ext(pc, 0) as u32);
        set(fp, i.a(), is.into());
        (pc.add(1), fp)
    }
}

/// a = the value of type `ty` in interface b.
#[inline(always)]
unsafe fn unbox(vm: &mut Vm, i: Ins, fp: Fp, ty: u64) {
    // SAFETY: as for handlers; the interface holds that type.
    unsafe {
        let rt = *vm.rt_ptr.add(ty as usize);
        let data = get(fp, i.b() + 1);
        if rt.direct {
            set(fp, i.a(), data);
        } else {
            load_form(rt.form, rt.size, data, fp.add(i.a()));
        }
    }
}

/// Go's texts for a failed type assertion.
#[cold]
#[inline(never)]
fn throw_assert(vm: &mut Vm, pc: Pc, fp: Fp, key: u64, want: u64, iface: u64) -> Next {
    let types = vm.types_ptr();
    let want = want as TypeIdx;
    let to = types.desc(want);
    let from = match iface as TypeIdx {
        NO_TYPE => "interface {}".to_string(),
        iface => {
            let name = &types.desc(iface).name;
            if name.is_empty() || name == "any" {
                "interface {}".into()
            } else {
                name.clone()
            }
        }
    };
    let text = if to.kind == Kind::Interface {
        match types.by_key(key) {
            _ if key == 0 => format!("interface conversion: interface is nil, not {}", to.name),
            Some(ty) => {
                let missing = types
                    .missing_method(ty, want)
                    .map(|m| types.program.methods[m as usize].name.clone());
                let missing = missing.unwrap_or_default();
                let name = missing.rsplit('.').next().unwrap_or_default();
                format!(
                    "interface conversion: {} is not {}: missing method {name}",
                    types.desc(ty).name,
                    to.name
                )
            }
            None => format!(
                "interface conversion: {} is not {}",
                types.key_name(key),
                to.name
            ),
        }
    } else if key == 0 {
        format!("interface conversion: {from} is nil, not {}", to.name)
    } else {
        let is = types.key_name(key);
        let mut text = format!("interface conversion: {from} is {is}, not {}", to.name);
        if is == to.name {
            let same = types
                .by_key(key)
                .is_some_and(|ty| types.desc(ty).pkg_path == to.pkg_path);
            text.push_str(if same {
                " (types from different scopes)"
            } else {
                " (types from different packages)"
            });
        }
        text
    };
    vm.throw(Trap::Assertion(text), pc, fp)
}

impl Vm {
    /// Does the dynamic type implement the interface type? Remembers answers.
    fn implements(&mut self, key: u64, iface: TypeIdx) -> bool {
        if key == 0 {
            return false;
        }
        if let Some(&known) = self.implements_cache.get(&(key, iface)) {
            return known;
        }
        let is = self
            .types
            .any_by_key(key)
            .is_some_and(|ty| self.types.missing_method(ty, iface).is_none());
        self.implements_cache.insert((key, iface), is);
        is
    }

    /// The function behind a method of a dynamic type; fills the cache of interface calls.
    #[cold]
    #[inline(never)]
    pub(crate) fn find_method(&mut self, key: u64, method: u64) -> u32 {
        let Some(ty) = self.types.by_key(key) else {
            return NO_FUNC;
        };
        let Some(value) = self.types.method(ty, (method >> 1) as u32) else {
            return NO_FUNC;
        };
        let Some(value) = self.func_values.get(value as usize) else {
            return NO_FUNC;
        };
        let func = if method & 1 == 0 {
            value.plain
        } else {
            value.txn
        };
        self.method_cache[(key >> 8 ^ method) as usize % METHOD_CACHE] =
            CachedMethod { key, method, func };
        func
    }
}
