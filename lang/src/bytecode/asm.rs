//! The encoder: instructions of one function with labels, source positions and notes. Jumps are
//! resolved at the end; conditional jumps that do not reach are written in a long form on a second
//! run (`far`).
use super::op::{Op, encode, encode_bc};
use crate::source::Span;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label(u32);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AsmError {
    /// A conditional jump does not reach: assemble again with `far`.
    Far,
    /// A slot or offset does not fit its operand.
    TooLarge,
}

#[derive(Clone, Copy)]
enum FixKind {
    /// Distance in operand c.
    C16,
    /// Distance in operands b and c.
    Bc32,
    /// Distance in a word of its own, from this word.
    Ext(usize),
}

const UNBOUND: usize = usize::MAX;

#[derive(Default)]
pub struct Asm {
    code: Vec<u64>,
    labels: Vec<usize>,
    fixes: Vec<(usize, Label, FixKind)>,
    lines: Vec<(u32, Span)>,
    notes: Vec<(u32, String)>,
    reads: Vec<(u32, u32, u32)>,
    far: bool,
    too_large: bool,
    span: Span,
}

/// What assembling gives.
pub struct Assembled {
    pub code: Vec<u64>,
    pub lines: Vec<(u32, Span)>,
    pub notes: Vec<(u32, String)>,
    pub reads: Vec<(u32, u32, u32)>,
}

impl Asm {
    pub fn new(far: bool) -> Asm {
        Asm {
            far,
            ..Asm::default()
        }
    }

    /// Position of the next word.
    pub fn here(&self) -> usize {
        self.code.len()
    }

    /// The source of what follows.
    pub fn at(&mut self, span: Span) {
        self.span = span;
    }
    pub fn span(&self) -> Span {
        self.span
    }

    fn push(&mut self, word: u64) {
        if self.lines.last().is_none_or(|l| l.1 != self.span) {
            let at = self.code.len() as u32;
            match self.lines.last_mut() {
                Some(l) if l.0 == at => l.1 = self.span,
                _ => self.lines.push((at, self.span)),
            }
        }
        self.code.push(word);
    }

    fn u16(&mut self, n: u32) -> u16 {
        u16::try_from(n).unwrap_or_else(|_| {
            self.too_large = true;
            0
        })
    }

    pub fn op(&mut self, op: Op, a: u32, b: u32, c: u32) {
        let (a, b, c) = (self.u16(a), self.u16(b), self.u16(c));
        self.push(encode(op, a, b, c));
    }
    /// Operand c is a signed number.
    pub fn op_imm(&mut self, op: Op, a: u32, b: u32, c: i16) {
        let (a, b) = (self.u16(a), self.u16(b));
        self.push(encode(op, a, b, c as u16));
    }
    pub fn op_bc(&mut self, op: Op, a: u32, bc: u32) {
        let a = self.u16(a);
        self.push(encode_bc(op, a, bc));
    }
    /// An extension word.
    pub fn word(&mut self, w: u64) {
        self.code.push(w);
    }

    /// What the next instruction, a `PVal`, is about.
    pub fn note(&mut self, text: String) {
        self.notes.push((self.code.len() as u32, text));
    }

    /// The next instruction also reads `count` slots from `slot` on; several notes of one add up.
    pub fn reads(&mut self, slot: u32, count: u32) {
        self.reads.push((self.code.len() as u32, slot, count));
    }

    pub fn label(&mut self) -> Label {
        self.labels.push(UNBOUND);
        Label(self.labels.len() as u32 - 1)
    }
    pub fn bind(&mut self, l: Label) {
        debug_assert_eq!(self.labels[l.0 as usize], UNBOUND);
        self.labels[l.0 as usize] = self.code.len();
    }

    pub fn jmp(&mut self, l: Label) {
        self.jump_bc(Op::Jmp, 0, l);
    }
    /// `Jmp`, `JT`, `JF`.
    pub fn jump_bc(&mut self, op: Op, a: u32, l: Label) {
        self.op_bc(op, a, 0);
        self.fixes.push((self.code.len() - 1, l, FixKind::Bc32));
    }
    /// A compare-and-branch with its distance in c; b may be a signed number.
    pub fn jump(&mut self, op: Op, a: u32, b: u16, l: Label) {
        let a = self.u16(a);
        if self.far {
            self.push(encode(op, a, b, 1));
            self.push(encode_bc(Op::Jmp, 0, 1));
            self.jmp(l);
        } else {
            self.push(encode(op, a, b, 0));
            self.fixes.push((self.code.len() - 1, l, FixKind::C16));
        }
    }
    /// The same with a slot as b.
    pub fn jump_slots(&mut self, op: Op, a: u32, b: u32, l: Label) {
        let b = self.u16(b);
        self.jump(op, a, b, l);
    }
    /// A jump in the last extension word of an instruction.
    pub fn ext_jump(&mut self, l: Label) {
        self.code.push(0);
        let at = self.code.len();
        self.fixes.push((at - 1, l, FixKind::Ext(at)));
    }
    /// The table of a `JTab`.
    pub fn jump_table(&mut self, slot: u32, targets: &[Label]) {
        self.op(Op::JTab, slot, 0, 0);
        self.word(targets.len() as u64);
        let end = self.code.len() + targets.len();
        for &t in targets {
            self.fixes.push((self.code.len(), t, FixKind::Ext(end)));
            self.code.push(0);
        }
    }

    /// Replaces the `Nop` at `at` by instructions that `f` writes (constants hoisted out of a loop).
    pub fn splice(&mut self, at: usize, f: impl FnOnce(&mut Asm)) {
        debug_assert_eq!(self.code[at], encode(Op::Nop, 0, 0, 0));
        let mut sub = Asm::new(false);
        f(&mut sub);
        self.too_large |= sub.too_large;
        let n = sub.code.len();
        let shift = |p: usize| if p > at { p + n - 1 } else { p };
        for l in &mut self.labels {
            if *l != UNBOUND {
                *l = shift(*l);
            }
        }
        for f in &mut self.fixes {
            f.0 = shift(f.0);
            if let FixKind::Ext(base) = &mut f.2 {
                *base = shift(*base);
            }
        }
        for l in &mut self.lines {
            l.0 = shift(l.0 as usize) as u32;
        }
        for l in &mut self.notes {
            l.0 = shift(l.0 as usize) as u32;
        }
        for read in &mut self.reads {
            read.0 = shift(read.0 as usize) as u32;
        }
        self.lines.dedup_by(|b, a| {
            let same = a.0 == b.0;
            if same {
                a.1 = b.1;
            }
            same
        });
        self.code.splice(at..=at, sub.code);
    }

    pub fn position(&self, l: Label) -> usize {
        self.labels[l.0 as usize]
    }

    /// Resolves the jumps.
    pub fn finish(&mut self) -> Result<Assembled, AsmError> {
        if self.too_large {
            return Err(AsmError::TooLarge);
        }
        for &(at, label, kind) in &self.fixes {
            let target = self.labels[label.0 as usize];
            debug_assert_ne!(target, UNBOUND, "unbound label");
            let distance = |base: usize| target as i64 - base as i64;
            match kind {
                FixKind::C16 => {
                    let Ok(d) = i16::try_from(distance(at + 1)) else {
                        return Err(AsmError::Far);
                    };
                    self.code[at] = self.code[at] & 0xffff_ffff_ffff | (d as u16 as u64) << 48;
                }
                FixKind::Bc32 => {
                    let d = distance(at + 1) as i32 as u32;
                    self.code[at] = self.code[at] & 0xffff_ffff | (d as u64) << 32;
                }
                FixKind::Ext(base) => self.code[at] = distance(base) as u64,
            }
        }
        Ok(Assembled {
            code: std::mem::take(&mut self.code),
            lines: std::mem::take(&mut self.lines),
            notes: std::mem::take(&mut self.notes),
            reads: std::mem::take(&mut self.reads),
        })
    }
}
