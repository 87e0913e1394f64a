//! The frame of a function being compiled: results, parameters, captures, locals, temporaries, and
//! the windows of calls. Slots are taken as from a stack and given back at the end of statements and
//! blocks.
use super::func::Fun;
use crate::bytecode::asm::Asm;
use crate::bytecode::op::Op;
use crate::tir::LocalId;
use crate::types::ty::Ty;

/// Link words below a callee's frame.
pub const LINK_SLOTS: u32 = 2;
/// Constants that a loop keeps in slots.
const POOL_SLOTS: u32 = 6;
/// Arrays and structs with more bytes than this live in an object of their own.
pub const SLOT_BYTES_MAX: u64 = 256;
/// Larger values do not even pass through a frame where that can be helped.
pub const FRAME_BYTES_MAX: u64 = 32 << 10;

/// Where a local lives.
#[derive(Clone, Copy, Debug)]
pub struct Home {
    /// Of the value, or of the pointer to its box.
    pub slot: u32,
    pub boxed: bool,
}

/// Constants of the loop that is being compiled, loaded before it begins.
pub struct Pool {
    /// The `Nop` that their loads replace.
    at: usize,
    base: u32,
    entries: Vec<u64>,
}

/// Loads a 64-bit constant.
pub fn load_const(asm: &mut Asm, slot: u32, bits: u64) {
    match i32::try_from(bits as i64) {
        Ok(n) => asm.op_bc(Op::LdI, slot, n as u32),
        Err(_) => {
            asm.op(Op::LdK, slot, 0, 0);
            asm.word(bits);
        }
    }
}

impl Fun<'_, '_> {
    /// Takes slots.
    pub fn alloc(&mut self, slots: u32) -> u32 {
        let at = self.top;
        self.top = self.top.saturating_add(slots);
        self.max = self.max.max(self.top);
        at
    }
    /// A temporary for a value.
    pub fn temp(&mut self, ty: Ty) -> u32 {
        let n = self.g.info(ty).slots;
        self.alloc(n)
    }
    /// The wanted slot or a temporary.
    pub fn dest(&mut self, ty: Ty, want: Option<u32>) -> u32 {
        want.unwrap_or_else(|| self.temp(ty))
    }

    pub fn home(&self, l: LocalId) -> Home {
        self.homes[l.0 as usize]
    }

    /// Copies slots.
    pub fn mov(&mut self, to: u32, from: u32, slots: u32) {
        if to == from {
            return;
        }
        match slots {
            0 => {}
            1 => self.asm.op(Op::Mov, to, from, 0),
            2 => self.asm.op(Op::Mov2, to, from, 0),
            3 => self.asm.op(Op::Mov3, to, from, 0),
            n => self.asm.op(Op::MovN, to, from, n),
        }
    }

    pub fn zero(&mut self, slot: u32, slots: u32) {
        match slots {
            0 => {}
            1 => self.asm.op_bc(Op::LdI, slot, 0),
            n => self.asm.op(Op::Zero, slot, n, 0),
        }
    }

    /// A constant in the wanted slot, or in any.
    pub fn constant(&mut self, bits: u64, want: Option<u32>) -> u32 {
        if want.is_none()
            && let Some(p) = &mut self.pool
        {
            if let Some(i) = p.entries.iter().position(|k| *k == bits) {
                return p.base + i as u32;
            }
            if p.entries.len() < POOL_SLOTS as usize {
                p.entries.push(bits);
                return p.base + p.entries.len() as u32 - 1;
            }
        }
        let d = want.unwrap_or_else(|| self.alloc(1));
        load_const(&mut self.asm, d, bits);
        d
    }

    /// A loop begins; the outermost one gets a pool. Gives what `end_pool` takes.
    pub fn begin_pool(&mut self) -> bool {
        if self.pool.is_some() {
            return false;
        }
        let base = self.alloc(POOL_SLOTS);
        let at = self.asm.here();
        self.asm.op(Op::Nop, 0, 0, 0);
        self.pool = Some(Pool {
            at,
            base,
            entries: Vec::new(),
        });
        true
    }

    pub fn end_pool(&mut self, outermost: bool) {
        if !outermost {
            return;
        }
        if let Some(p) = self.pool.take() {
            self.asm.splice(p.at, |asm| {
                for (i, k) in p.entries.iter().enumerate() {
                    load_const(asm, p.base + i as u32, *k);
                }
            });
        }
    }
}
