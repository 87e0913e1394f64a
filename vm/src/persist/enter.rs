//! Values that enter the persistent heap (LANGUAGE.md §2).
#![allow(unsafe_code)] // Copies values between the heaps.

use lang::bytecode::program::{Kind, TypeIdx};

use crate::Vm;
use crate::raw;

/// What a conversion did, so that a refused one leaves no trace: interface words of the value itself and what they
/// were; copies of boxed values, whose own references are still to be converted.
#[derive(Default)]
struct Entering {
    replaced: Vec<(u64, u64)>,
    copies: Vec<(TypeIdx, u64)>,
}

/// Values that enter the heap.
impl Vm {
    /// Makes the value at `at`, not yet in the heap, fit to be stored there: strings and boxed values are copied, what
    /// refers to volatile memory is refused, by a text like `volatile pointer`; the value is as before then.
    pub(crate) fn make_persistent(&mut self, ty: TypeIdx, at: u64) -> Result<(), String> {
        if self.types.desc(ty).ptrs.is_empty() {
            return Ok(());
        }
        let mut entering = Entering::default();
        let done = self.enter_all(&mut entering, ty, at);
        if done.is_err() {
            // SAFETY: interface words of the value; copies made just now, which nothing refers to any more.
            unsafe {
                for &(at, old) in &entering.replaced {
                    raw::write(at, old);
                }
                for &(ty, copy) in &entering.copies {
                    raw::zero(copy, self.types.rt(ty).size);
                }
            }
        }
        done
    }

    /// Boxes may hold boxes, as deep as a list: no recursion.
    fn enter_all(&mut self, entering: &mut Entering, ty: TypeIdx, at: u64) -> Result<(), String> {
        self.enter_value(entering, ty, at)?;
        let mut next = 0;
        while let Some(&(ty, copy)) = entering.copies.get(next) {
            next += 1;
            self.enter_value(entering, ty, copy)?;
        }
        Ok(())
    }

    fn enter_value(&mut self, entering: &mut Entering, ty: TypeIdx, at: u64) -> Result<(), String> {
        let types = self.types_ptr();
        let desc = types.desc(ty);
        if desc.ptrs.is_empty() {
            return Ok(());
        }
        // SAFETY: the value of this type is at `at`, writable by the caller.
        unsafe {
            match desc.kind {
                Kind::String => self.make_string_persistent(at),
                Kind::Struct => {
                    for field in &desc.fields {
                        self.enter_value(entering, field.ty, at + u64::from(field.offset))?;
                    }
                    Ok(())
                }
                Kind::Array => {
                    let size = types.rt(desc.elem).size;
                    (0..desc.len)
                        .try_for_each(|i| self.enter_value(entering, desc.elem, at + i * size))
                }
                Kind::Interface => self.enter_interface(entering, at),
                Kind::Slice => {
                    let addr = raw::read(at);
                    if addr == 0 || self.is_persistent(addr) {
                        Ok(())
                    } else if raw::read(at + 16) == 0 {
                        let empty = self.opened()?.empty;
                        raw::write(at, empty);
                        Ok(())
                    } else {
                        Err("volatile slice".into())
                    }
                }
                kind => {
                    let addr = raw::read(at);
                    if addr == 0 || self.is_persistent(addr) {
                        Ok(())
                    } else {
                        Err(refused(kind).into())
                    }
                }
            }
        }
    }

    /// # Safety
    /// A string is at `at`.
    pub(super) unsafe fn make_string_persistent(&mut self, at: u64) -> Result<(), String> {
        // SAFETY: as the caller promises; string memory is immutable.
        unsafe {
            let (addr, len) = (raw::read(at), raw::read(at + 8));
            if addr != 0 && !self.is_persistent(addr) {
                let copy = if len == 0 {
                    0
                } else {
                    self.persistent_bytes(raw::slice(addr, len))?
                };
                raw::write(at, copy);
            }
        }
        Ok(())
    }

    /// # Safety
    /// An interface value is at `at`.
    unsafe fn enter_interface(&mut self, entering: &mut Entering, at: u64) -> Result<(), String> {
        // SAFETY: as the caller promises.
        unsafe {
            let (key, data) = (raw::read(at), raw::read(at + 8));
            if key == 0 {
                return Ok(());
            }
            if key & 1 == 0 && self.is_persistent(data) {
                return match self.types.by_key(key) {
                    Some(ty) => self.heap_type(ty).map(|_| ()),
                    None => Ok(()),
                };
            }
            let Some(ty) = self.types.by_key(key) else {
                return match key & 1 {
                    1 => Ok(()),
                    _ => Err(format!(
                        "volatile value of type {}",
                        self.types.key_name(key)
                    )),
                };
            };
            match key & 3 {
                // The type is told to the heap, so that it can be read without the program.
                1 => self.heap_type(ty).map(|_| ()),
                0 if data == 0 => self.heap_type(ty).map(|_| ()),
                0 => Err(refused(self.types.desc(ty).kind).into()),
                _ => {
                    if !self.types.desc(ty).storable {
                        return Err(format!(
                            "volatile value of type {}",
                            self.types.desc(ty).name
                        ));
                    }
                    let copy = self.alloc_persistent(ty, 1)?;
                    raw::copy(copy, data, self.types.rt(ty).size);
                    entering.copies.push((ty, copy));
                    entering.replaced.push((at + 8, data));
                    raw::write(at + 8, copy);
                    Ok(())
                }
            }
        }
    }

    /// Copies of `n` values at `from` that may enter the heap, in a buffer: what is refused, or does not fit into the
    /// heap, is so before anything changes. None for values without references.
    pub(crate) fn stage_elements(
        &mut self,
        ty: TypeIdx,
        from: u64,
        n: u64,
    ) -> Result<Option<Vec<u64>>, String> {
        if self.types.desc(ty).ptrs.is_empty() {
            return Ok(None);
        }
        let size = self.types.rt(ty).size;
        let mut staged = vec![0u64; (n * size).div_ceil(8) as usize];
        let at = staged.as_mut_ptr() as u64;
        // SAFETY: `n` values are at `from`, and the buffer has room for them.
        unsafe { raw::copy(at, from, n * size) };
        (0..n).try_for_each(|i| self.make_persistent(ty, at + i * size))?;
        Ok(Some(staged))
    }
}

/// A value that is refused.
pub(super) fn refused(kind: Kind) -> &'static str {
    match kind {
        Kind::Map => "volatile map",
        Kind::Func => "func value",
        Kind::Chan => "channel",
        Kind::UnsafePointer => "unsafe.Pointer",
        _ => "volatile pointer",
    }
}
