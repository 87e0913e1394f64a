//! Strings: concatenation, ranging, conversions.
#![allow(unsafe_code)] // Program memory and slots of the frame.

use super::*;
use crate::interp::slice::round_up_size;
use crate::raw;

slow_handlers! {
    Cat |vm, i, pc, fp| {
        concatenate(vm, i.a(), i.b(), i.c(), pc, fp)
    }
    CatN |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let mut len = 0;
        let mut single = None;
        for n in 0..i.c() {
            let part = get(fp, i.b() + 2 * n + 1);
            if part > 0 {
                single = if len == 0 { Some(n) } else { None };
                len += part;
            }
        }
        let addr = match single {
            Some(n) => get(fp, i.b() + 2 * n),
            None => {
                let addr = vm.alloc_noscan(len);
                let mut at = addr;
                for n in 0..i.c() {
                    let (from, part) = (get(fp, i.b() + 2 * n), get(fp, i.b() + 2 * n + 1));
                    if part > 0 {
                        raw::copy(at, from, part);
                        at += part;
                    }
                }
                addr
            }
        };
        set(fp, i.a(), addr);
        set(fp, i.a() + 1, len);
        (pc, fp)
    }
    RuneStr |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let c = u32::try_from(get(fp, i.b())).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
        let mut buf = [0; 4];
        let text = c.encode_utf8(&mut buf);
        let addr = vm.alloc_bytes(text.as_bytes());
        set(fp, i.a(), addr);
        set(fp, i.a() + 1, text.len() as u64);
        (pc, fp)
    }
    BytesStr |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let (from, len) = (get(fp, i.b()), get(fp, i.b() + 1));
        let addr = vm.alloc_bytes(raw::slice(from, len));
        set(fp, i.a(), addr);
        set(fp, i.a() + 1, len);
        (pc, fp)
    }
    StrBytes |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let (from, len) = (get(fp, i.b()), get(fp, i.b() + 1));
        let cap = round_up_size(len, false);
        let addr = vm.alloc_noscan(cap);
        if len > 0 {
            raw::copy(addr, from, len);
        }
        set(fp, i.a(), addr);
        set(fp, i.a() + 1, len);
        set(fp, i.a() + 2, if len == 0 { 0 } else { cap });
        (pc, fp)
    }
    RunesStr |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let runes: &[i32] = raw::typed(get(fp, i.b()), get(fp, i.b() + 1));
        let text: String = runes
            .iter()
            .map(|&r| u32::try_from(r).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        let addr = vm.alloc_bytes(text.as_bytes());
        set(fp, i.a(), addr);
        set(fp, i.a() + 1, text.len() as u64);
        (pc, fp)
    }
    StrRunes |vm, i, pc, fp| {
        vm.poll(pc, fp);
        let mut text = raw::slice(get(fp, i.b()), get(fp, i.b() + 1));
        let mut runes: Vec<i32> = Vec::with_capacity(text.len());
        while !text.is_empty() {
            let (rune, size) = decode_rune(text);
            runes.push(rune as i32);
            text = &text[size..];
        }
        let len = runes.len() as u64;
        let cap = round_up_size(len * 4, false) / 4;
        let addr = vm.alloc_noscan(cap * 4);
        raw::typed_mut(addr, len).copy_from_slice(&runes);
        set(fp, i.a(), addr);
        set(fp, i.a() + 1, len);
        set(fp, i.a() + 2, if len == 0 { 0 } else { cap });
        (pc, fp)
    }
}

handlers! {
    StrNext |vm, i, pc, fp| {
        let (addr, len, at) = (get(fp, i.b()), get(fp, i.b() + 1), get(fp, i.c()));
        if at >= len {
            return (pc.offset(1 + ext(pc, 0) as isize), fp);
        }
        let first = raw::read8(addr + at);
        let (rune, size) =
            if first < 0x80 { (first.into(), 1) } else { decode_rune_at(addr + at, len - at) };
        set(fp, i.a(), rune.into());
        set(fp, i.a() + 1, at);
        set(fp, i.c(), at + size);
        (pc.add(1), fp)
    }
}

unsafe fn concatenate(vm: &mut Vm, a: usize, b: usize, c: usize, pc: Pc, fp: Fp) -> Next {
    // SAFETY: as for handlers.
    unsafe {
        let (x, x_len) = (get(fp, b), get(fp, b + 1));
        let (y, y_len) = (get(fp, c), get(fp, c + 1));
        let (addr, len) = if y_len == 0 {
            (x, x_len)
        } else if x_len == 0 {
            (y, y_len)
        } else {
            vm.poll(pc, fp);
            let addr = vm.alloc_noscan(x_len + y_len);
            raw::copy(addr, x, x_len);
            raw::copy(addr + x_len, y, y_len);
            (addr, x_len + y_len)
        };
        set(fp, a, addr);
        set(fp, a + 1, len);
        (pc, fp)
    }
}

#[inline(never)]
unsafe fn decode_rune_at(addr: u64, len: u64) -> (u32, u64) {
    // SAFETY: bytes of a string.
    let (rune, size) = decode_rune(unsafe { raw::slice(addr, len.min(4)) });
    (rune, size as u64)
}

/// The first rune of non-empty text and its length; U+FFFD and 1 for what is not UTF-8.
pub(crate) fn decode_rune(text: &[u8]) -> (u32, usize) {
    let text = &text[..text.len().min(4)];
    let valid = match std::str::from_utf8(text) {
        Ok(valid) => valid,
        Err(error) => std::str::from_utf8(&text[..error.valid_up_to()]).unwrap_or(""),
    };
    match valid.chars().next() {
        Some(c) => (c.into(), c.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER.into(), 1),
    }
}
