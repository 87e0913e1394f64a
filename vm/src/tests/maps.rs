//! Maps against a model, in both heaps.
use super::*;
use crate::map;
use crate::raw;
use std::collections::HashMap;

#[allow(unsafe_code)]
fn read(addr: u64) -> u64 {
    // SAFETY: an entry's word.
    unsafe { raw::read(addr) }
}

/// A machine with types and no code.
fn machine() -> Vm {
    let mut vm = Vm::new(options(), NATIVES);
    vm.load(&program(vec![]));
    vm
}

#[allow(unsafe_code)]
fn assign(
    vm: &mut Vm,
    layout: &'static map::Layout,
    m: u64,
    key: u64,
    value: u64,
    persistent: bool,
) {
    let entry = vm
        .map_assign(layout, m, &raw const key as u64, persistent)
        .unwrap();
    vm.will_store(entry + layout.val_offset, 8);
    // SAFETY: the value's place in a live entry.
    unsafe { raw::write(entry + layout.val_offset, value) };
}

fn check_against_model(persistent: bool) {
    let mut vm = machine();
    let layout = vm.layout(MAP_INT_INT);
    let m = vm.map_make(MAP_INT_INT, 0, persistent).unwrap();
    let mut model = HashMap::new();
    let mut x = 1u64;
    for step in 0..20_000u64 {
        x = x
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let key = (x >> 33) % 700;
        match x >> 60 {
            0..=8 => {
                assign(&mut vm, layout, m, key, step, persistent);
                model.insert(key, step);
            }
            9..=13 => {
                vm.map_delete(layout, m, &raw const key as u64, persistent)
                    .unwrap();
                model.remove(&key);
            }
            _ => {
                let entry = layout
                    .find(vm.types_ptr(), m, &raw const key as u64)
                    .unwrap();
                let found = (entry != 0).then(|| read(entry + layout.val_offset));
                assert_eq!(found, model.get(&key).copied());
            }
        }
        if step % 9_999 == 5_000 {
            vm.map_clear(layout, m, persistent);
            model.clear();
        }
        assert_eq!(map::len(m), model.len() as u64);
    }
    let all: HashMap<u64, u64> = map::entries(layout, m)
        .into_iter()
        .map(|(k, v)| (read(k), read(v)))
        .collect();
    assert_eq!(all, model);
}

#[test]
fn volatile_maps_agree_with_the_model() {
    check_against_model(false);
}

#[test]
fn persistent_maps_agree_with_the_model() {
    check_against_model(true);
}

#[test]
fn iteration_survives_growth_and_deletion() {
    let mut vm = machine();
    let layout = vm.layout(MAP_INT_INT);
    let m = vm.map_make(MAP_INT_INT, 0, false).unwrap();
    for key in 0..100 {
        assign(&mut vm, layout, m, key, key, false);
    }
    let mut state = map::iter_start(m);
    let mut seen = Vec::new();
    let mut next_key = 1000;
    loop {
        let entry = map::iter_next(layout, vm.types_ptr(), &mut state);
        if entry == 0 {
            break;
        }
        let key = read(entry + 8);
        seen.push(key);
        if key < 100 {
            // Delete one that was not seen yet, add others so that the map grows.
            let victim = key + 50;
            vm.map_delete(layout, m, &raw const victim as u64, false)
                .unwrap();
            for _ in 0..3 {
                assign(&mut vm, layout, m, next_key, 0, false);
                next_key += 1;
            }
        }
        assert!(seen.len() < 1000);
    }
    assert!(map::generation(m) > 3);
    let mut old: Vec<u64> = seen.iter().copied().filter(|&key| key < 100).collect();
    old.sort();
    assert_eq!(old, (0..50).collect::<Vec<_>>());
    seen.sort();
    let all = seen.len();
    seen.dedup();
    assert_eq!(seen.len(), all, "no key comes twice");
}

#[test]
fn string_keys_are_found_by_content() {
    let mut vm = machine();
    let layout = vm.layout(MAP_STR_INT);
    let m = vm.map_make(MAP_STR_INT, 0, false).unwrap();
    let text = |i: u64| format!("key number {i}");
    for i in 0..1000 {
        let s = text(i);
        let key = [vm.alloc_bytes(s.as_bytes()), s.len() as u64];
        let entry = vm
            .map_assign(layout, m, key.as_ptr() as u64, false)
            .unwrap();
        vm.will_store(entry, 0);
    }
    for i in 0..2000 {
        let s = text(i);
        let key = [s.as_ptr() as u64, s.len() as u64];
        let entry = layout.find(vm.types_ptr(), m, key.as_ptr() as u64).unwrap();
        assert_eq!(entry != 0, i < 1000);
    }
}
