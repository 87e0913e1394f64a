//! Map instructions.
#![allow(unsafe_code)] // Program memory and slots of the frame.

use super::memory::load_form;
use super::*;
use crate::map::{self, MAP_VALUE_UNWANTED};
use crate::raw;
use crate::trap::Trap;

slow_handlers! {
    MkMap |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let hint = (get(fp, i.b()) as i64).max(0) as u64;
        let map = check!(vm, pc, fp, vm.map_make(ext(pc, 0) as u32, hint, ext(pc, 1) & 1 != 0));
        set(fp, i.a(), map);
        (pc.add(2), fp)
    }
    MapGet |vm, i, pc, fp| {
        let layout = vm.layout(ext(pc, 0) as u32);
        let entry = check!(vm, pc, fp, layout.find(vm.types_ptr(), get(fp, i.b()), fp.add(i.c()) as u64));
        load_value(layout, entry, fp, i.a());
        (pc.add(1), fp)
    }
    MapGet2 |vm, i, pc, fp| {
        let layout = vm.layout(ext(pc, 0) as u32);
        let entry = check!(vm, pc, fp, layout.find(vm.types_ptr(), get(fp, i.b()), fp.add(i.c()) as u64));
        load_value(layout, entry, fp, i.a());
        set(fp, i.a() + layout.val_slots(), u64::from(entry != 0));
        (pc.add(1), fp)
    }
    MapSet |vm, i, pc, fp| {
        let (layout, mode) = (vm.layout(ext(pc, 0) as u32), ext(pc, 1));
        let map = get(fp, i.a());
        if map == 0 {
            return vm.throw(Trap::Plain("assignment to entry in nil map".into()), pc, fp);
        }
        vm.poll(pc, fp);
        let persistent = mode != 0 && vm.is_persistent(map);
        let (key, value) = (fp.add(i.b()) as u64, fp.add(i.c()) as u64);
        if persistent {
            vm.mark_place(pc, fp);
            for (ty, at) in [(layout.key_ty, key), (layout.val_ty, value)] {
                if let Err(text) = vm.make_persistent(ty, at) {
                    return vm.throw(Trap::Message(vm.store_message(&text, pc)), pc, fp);
                }
            }
        }
        let entry = check!(vm, pc, fp, vm.map_assign(layout, map, key, persistent));
        let at = entry + layout.val_offset;
        if persistent {
            vm.will_store(at, layout.val_size);
        }
        raw::copy(at, value, layout.val_size);
        (pc.add(2), fp)
    }
    MapDel |vm, i, pc, fp| {
        let (layout, mode) = (vm.layout(ext(pc, 0) as u32), ext(pc, 1));
        let map = get(fp, i.a());
        let persistent = mode != 0 && vm.is_persistent(map);
        if persistent {
            vm.mark_place(pc, fp);
        }
        check!(vm, pc, fp, vm.map_delete(layout, map, fp.add(i.b()) as u64, persistent));
        (pc.add(2), fp)
    }
    MapClear |vm, i, pc, fp| {
        let (layout, mode) = (vm.layout(ext(pc, 0) as u32), ext(pc, 1));
        let map = get(fp, i.a());
        let persistent = mode != 0 && vm.is_persistent(map);
        vm.map_clear(layout, map, persistent);
        (pc.add(2), fp)
    }
    MapIter |vm, i, pc, fp| {
        for (n, word) in map::iter_start(get(fp, i.b())).into_iter().enumerate() {
            set(fp, i.a() + n, word);
        }
        (pc, fp)
    }
    MapNext |vm, i, pc, fp| {
        let layout = vm.layout(ext(pc, 0) as u32);
        let mut state = [get(fp, i.a()), get(fp, i.a() + 1), get(fp, i.a() + 2), get(fp, i.a() + 3)];
        let entry = map::iter_next(layout, vm.types_ptr(), &mut state);
        for (n, word) in state.into_iter().enumerate() {
            set(fp, i.a() + n, word);
        }
        if entry == 0 {
            return (pc.offset(2 + ext(pc, 1) as isize), fp);
        }
        if i.b() != MAP_VALUE_UNWANTED {
            load_form(layout.key_form, layout.key_size, entry + 8, fp.add(i.b()));
        }
        if i.c() != MAP_VALUE_UNWANTED {
            load_form(layout.val_form, layout.val_size, entry + layout.val_offset, fp.add(i.c()));
        }
        (pc.add(2), fp)
    }
}

handlers! {
    MapLen |vm, i, pc, fp| {
        set(fp, i.a(), map::len(get(fp, i.b())));
        (pc, fp)
    }
}

/// Brings the value of an entry into slots; zero for no entry.
#[inline(always)]
unsafe fn load_value(layout: &map::Layout, entry: u64, fp: Fp, a: usize) {
    // SAFETY: an entry of this layout, slots for its value.
    unsafe {
        if entry != 0 {
            load_form(
                layout.val_form,
                layout.val_size,
                entry + layout.val_offset,
                fp.add(a),
            );
        } else {
            for n in 0..layout.val_slots() {
                set(fp, a + n, 0);
            }
        }
    }
}
