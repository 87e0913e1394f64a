//! Which slots of a frame may still be read: the collector looks at no others. A backward data flow over a function's
//! code; what an operand does not say (arguments of calls, sent values) is in `Function::reads`.
use super::op::{MAP_ITER_SLOTS, Op, PrintKind};
use super::program::{Function, Program, TypeIdx};

/// Larger functions are not analysed, so that memory and time stay bounded: words of all sets together.
const WORDS_MAX: usize = 1 << 20;

/// The slots that are live before each instruction of a function. The slot behind the last one is the closure that runs.
pub struct Liveness {
    /// Word of each instruction, and of the end.
    starts: Vec<u32>,
    /// Words of a set.
    width: usize,
    /// A set for each instruction, and an empty one for the end.
    sets: Vec<u64>,
    /// Instructions that may follow each one, as ranges of `next`.
    followers: Vec<u32>,
    next: Vec<u32>,
    /// Whatever panics may go on there.
    recover: Option<usize>,
}

/// What an instruction does to slots.
enum Access {
    Read,
    Write,
}

impl Liveness {
    /// None for functions too large to be analysed, and for those that the machine lays out itself.
    pub fn of(program: &Program, func: &Function) -> Option<Liveness> {
        let mut starts = Vec::new();
        let mut at = 0;
        while at < func.code.len() {
            starts.push(at as u32);
            let op = Op::from_u16(func.code[at] as u16)?;
            if op == Op::StubIn {
                return None;
            }
            at += op.len_words();
            if op == Op::JTab {
                at += func.code[at - 1] as usize;
            }
        }
        starts.push(at as u32);
        let (count, width) = (
            starts.len() - 1,
            (func.frame_slots as usize + 1).div_ceil(64),
        );
        if count * width > WORDS_MAX {
            return None;
        }
        let mut found = Liveness {
            sets: vec![0; (count + 1) * width],
            starts,
            width,
            followers: vec![0],
            next: Vec::new(),
            recover: None,
        };
        found.recover = func.recover_pc.map(|word| found.index_of(word));
        for index in 0..count {
            found.add_followers(func, index);
        }
        found.solve(program, func);
        Some(found)
    }

    /// The instruction that a word is in.
    fn index_of(&self, word: u32) -> usize {
        self.starts.partition_point(|&start| start <= word) - 1
    }

    fn followers_of(&self, index: usize) -> &[u32] {
        &self.next[self.followers[index] as usize..self.followers[index + 1] as usize]
    }

    fn add_followers(&mut self, func: &Function, index: usize) {
        let (start, end) = (self.starts[index] as usize, self.starts[index + 1] as usize);
        let word = func.code[start];
        let op = Op::from_u16(word as u16).expect("it was decoded before");
        if !matches!(op, Op::Jmp | Op::Ret | Op::Panic | Op::Trap) {
            self.next.push(index as u32 + 1);
        }
        let mut jump = |target: i64| {
            self.next
                .push(self.starts.partition_point(|&s| i64::from(s) < target) as u32)
        };
        let info = op.info();
        for (role, value) in info
            .operands
            .iter()
            .zip([word >> 16, word >> 32, word >> 48])
        {
            match *role {
                "jmp" => jump(start as i64 + 1 + i64::from(value as i16)),
                "bcjmp" => jump(start as i64 + 1 + i64::from(value as i32)),
                _ => {}
            }
        }
        let exts = &func.code[start + 1..start + op.len_words()];
        for (role, &value) in info.ext.iter().zip(exts) {
            if *role == "jmp" {
                jump(end as i64 + value as i64);
            }
        }
        if op == Op::JTab {
            for &distance in &func.code[start + 2..end] {
                jump(end as i64 + distance as i64);
            }
        }
        self.followers.push(self.next.len() as u32);
    }

    fn solve(&mut self, program: &Program, func: &Function) {
        let mut set = vec![0; self.width];
        let mut changes = true;
        while changes {
            changes = false;
            for index in (0..self.starts.len() - 1).rev() {
                self.after_index(index, &mut set);
                let slots = func.frame_slots;
                // What is written is read anew only if the instruction reads it.
                accesses(program, func, self.starts[index], |access, first, count| {
                    if let Access::Write = access {
                        (first..first.saturating_add(count).min(slots))
                            .for_each(|slot| clear(&mut set, slot));
                    }
                });
                accesses(program, func, self.starts[index], |access, first, count| {
                    if let Access::Read = access {
                        (first..first.saturating_add(count).min(slots))
                            .for_each(|slot| put(&mut set, slot));
                    }
                });
                if func.code[self.starts[index] as usize] as u16 == Op::LdCap as u16 {
                    put(&mut set, slots);
                }
                self.add_recover(&mut set);
                let stored = &mut self.sets[index * self.width..][..self.width];
                if *stored != *set {
                    stored.copy_from_slice(&set);
                    changes = true;
                }
            }
        }
    }

    fn after_index(&self, index: usize, set: &mut [u64]) {
        set.fill(0);
        for &next in self.followers_of(index) {
            self.add_before(next as usize, set);
        }
    }

    fn add_recover(&self, set: &mut [u64]) {
        if let Some(recover) = self.recover {
            self.add_before(recover, set);
        }
    }

    fn add_before(&self, index: usize, set: &mut [u64]) {
        let before = &self.sets[index * self.width..][..self.width];
        set.iter_mut()
            .zip(before)
            .for_each(|(to, from)| *to |= from);
    }

    /// The slots, a bit each, that may be read when a call returns to `word`, which is behind the call's first word (or the
    /// call itself, for what runs something before it goes on).
    pub fn on_return(&self, word: u32) -> Vec<u64> {
        let mut set = vec![0; self.width];
        self.after_index(self.index_of(word - 1), &mut set);
        self.add_before(self.index_of(word), &mut set);
        self.add_recover(&mut set);
        set
    }

    /// The slots that may be read by the instruction whose first word `word` is behind, or after it.
    pub fn during(&self, word: u32) -> Vec<u64> {
        let mut set = self.on_return(word);
        self.add_before(self.index_of(word - 1), &mut set);
        set
    }
}

fn put(set: &mut [u64], slot: u32) {
    set[slot as usize / 64] |= 1 << (slot % 64);
}

fn clear(set: &mut [u64], slot: u32) {
    set[slot as usize / 64] &= !(1 << (slot % 64));
}

/// Calls `visit` with the slots, first and count, that the instruction at `at` reads or writes; counts may go beyond the
/// frame. Where the number of slots is not known, it reads all that follow and writes none.
fn accesses(program: &Program, func: &Function, at: u32, mut visit: impl FnMut(Access, u32, u32)) {
    use Access::{Read, Write};
    const REST: u32 = u32::MAX;
    let word = func.code[at as usize];
    let op = Op::from_u16(word as u16).expect("code is verified");
    let [a, b, c] = [word >> 16, word >> 32, word >> 48].map(|operand| u32::from(operand as u16));
    let ext = |n: usize| func.code[at as usize + 1 + n];
    let slots = |bytes: u64| u32::try_from(bytes.div_ceil(8)).unwrap_or(REST);
    let size_of = |ty: TypeIdx| program.types.get(ty as usize).map_or(0, |desc| desc.size);
    let value = |n: usize| slots(size_of(ext(n) as TypeIdx));
    // Of the map type that an extension word names.
    let of_map = |n: usize| {
        let map = &program.types[ext(n) as usize];
        (slots(size_of(map.map_key)), slots(size_of(map.elem)))
    };
    let others = |visit: &mut dyn FnMut(Access, u32, u32), otherwise: u32| {
        let first = func.reads.partition_point(|read| read.0 < at);
        let mut mine = func.reads[first..]
            .iter()
            .take_while(|read| read.0 == at)
            .peekable();
        if mine.peek().is_none() {
            visit(Read, otherwise, REST);
        }
        mine.for_each(|read| visit(Read, read.1, read.2));
    };
    // What a callee's frame covers is overwritten.
    let window = |visit: &mut dyn FnMut(Access, u32, u32)| visit(Write, a, REST);
    for (role, slot) in op.info().operands.iter().zip([a, b, c]) {
        match *role {
            "d1" => visit(Write, slot, 1),
            "d2" => visit(Write, slot, 2),
            "d3" => visit(Write, slot, 3),
            "s1" | "u1" => visit(Read, slot, 1),
            "s2" => visit(Read, slot, 2),
            "s3" if matches!(op, Op::Slice | Op::SliceA | Op::SliceS) && slot == c => {
                let present = ext(0);
                (0..3)
                    .filter(|bit| present >> bit & 1 != 0)
                    .for_each(|bit| visit(Read, slot + bit, 1));
                if op == Op::Slice && b == c {
                    visit(Read, b, 3);
                }
            }
            "s3" => visit(Read, slot, 3),
            _ => {}
        }
    }
    match op {
        Op::MovN => {
            visit(Read, b, c);
            visit(Write, a, c);
        }
        Op::Zero => visit(Write, a, b),
        Op::EqT => {
            visit(Read, b, value(0));
            visit(Read, c, value(0));
        }
        Op::LdN | Op::LdXN => visit(Write, a, slots(ext(0))),
        Op::StN | Op::StGN => visit(Read, b, slots(ext(0))),
        Op::StXN => visit(Read, c, slots(ext(0))),
        // A scalar does not cross words; parts of slots are not written as a whole.
        Op::FLd => {
            visit(Read, b + c / 8, 1);
            visit(Write, a, 1);
        }
        Op::FSt => {}
        Op::FLdN => {
            let end = slots(u64::from(c) + ext(0));
            visit(Read, b + c / 8, end - c / 8);
            visit(Write, a, slots(ext(0)));
        }
        Op::FStN => visit(Read, b, slots(ext(0))),
        Op::FLdX => visit(Read, b, slots(ext(0).saturating_mul(ext(1)))),
        Op::FStX => visit(Read, c, slots(ext(1))),
        Op::Append => {
            let one = slots(size_of(ext(0) as TypeIdx));
            visit(Read, c, one.saturating_mul(ext(1) as u32));
            if ext(3) != 0xffff {
                visit(Read, ext(3) as u32, 1);
            }
        }
        Op::AppendS if ext(2) != 0xffff => visit(Read, ext(2) as u32, 1),
        Op::CatN => visit(Read, b, 2 * c),
        Op::MkClo => visit(Read, b, c),
        Op::LdCap => visit(Write, a, c),
        Op::MapGet | Op::MapGet2 => {
            let (key, elem) = of_map(0);
            visit(Read, c, key);
            visit(Write, a, elem + u32::from(op == Op::MapGet2));
        }
        Op::MapSet => {
            let (key, elem) = of_map(0);
            visit(Read, b, key);
            visit(Read, c, elem);
        }
        Op::MapDel => visit(Read, b, of_map(0).0),
        Op::MapIter => visit(Write, a, MAP_ITER_SLOTS),
        Op::MapNext => visit(Read, a, MAP_ITER_SLOTS),
        Op::Send => others(&mut visit, b),
        // Where values are received is written in one case only.
        Op::Select => {
            visit(Read, b, 2 * c);
            others(&mut visit, 0);
        }
        Op::MkIface => visit(Read, b, value(0)),
        Op::Unbox | Op::AssertT => visit(Write, a, value(0)),
        Op::AssertT2 => visit(Write, a, value(0) + 1),
        Op::Call => {
            let callee = &program.funcs[(word >> 32) as usize];
            visit(Read, a + callee.result_slots, callee.param_slots);
            window(&mut visit);
        }
        Op::CallV | Op::CallI | Op::CallN => {
            others(&mut visit, a);
            window(&mut visit);
        }
        Op::CallR | Op::RunDefers => window(&mut visit),
        Op::TakeR => visit(Read, a, REST),
        Op::Ret => visit(Read, 0, func.result_slots),
        Op::Print => {
            let count = match b {
                b if b == PrintKind::Slice as u32 => 3,
                b if b == PrintKind::Space as u32 || b == PrintKind::Newline as u32 => 0,
                _ => 2,
            };
            visit(Read, a, count);
        }
        Op::PVal => visit(Read, a, value(0)),
        Op::Persist => {
            visit(Read, b, value(0));
            visit(Write, a, value(0));
        }
        _ => {}
    }
    if matches!(op, Op::CallR | Op::TakeR | Op::PutR) {
        visit(Read, b, 4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytecode::asm::Asm;
    use crate::source::Span;

    /// A function of 8 slots with one result.
    fn function(build: impl FnOnce(&mut Asm) -> Option<u32>) -> (Program, Liveness) {
        let mut asm = Asm::new(false);
        let recover_pc = build(&mut asm);
        let assembled = asm.finish().expect("short jumps");
        let func = Function {
            name: "f".into(),
            instance: String::new(),
            code: assembled.code,
            frame_slots: 8,
            result_slots: 1,
            param_slots: 2,
            recover_pc,
            wrapper: false,
            value_method: false,
            lines: Vec::new(),
            store_notes: Vec::new(),
            reads: assembled.reads,
            span: Span::default(),
        };
        let mut program = Program::default();
        program.funcs.push(func);
        let live = Liveness::of(&program, &program.funcs[0]).expect("a small function");
        (program, live)
    }

    fn bits(set: Vec<u64>) -> Vec<u32> {
        (0..64).filter(|bit| set[0] >> bit & 1 != 0).collect()
    }

    #[test]
    fn a_slot_is_live_up_to_its_last_read() {
        let (_, live) = function(|asm| {
            asm.op(Op::Add, 3, 1, 2); // 0
            asm.op(Op::Mov, 0, 3, 0); // 1
            asm.op(Op::Ret, 0, 0, 0); // 2
            None
        });
        assert_eq!(bits(live.during(1)), [1, 2, 3]);
        assert_eq!(bits(live.on_return(1)), [3]);
        assert_eq!(bits(live.on_return(2)), [0]);
    }

    #[test]
    fn a_loop_keeps_what_its_next_round_reads_and_calls_overwrite_their_window() {
        let (_, live) = function(|asm| {
            let (next, end) = (asm.label(), asm.label());
            asm.bind(next);
            asm.jump(Op::JEqI, 1, 0, end); // 0
            asm.op(Op::Mov, 6, 2, 0); // 1
            asm.op(Op::Mov, 7, 1, 0); // 2
            asm.op_bc(Op::Call, 5, 0); // 3
            asm.op(Op::Mov, 1, 5, 0); // 4
            asm.jmp(next); // 5
            asm.bind(end);
            asm.op(Op::Mov, 0, 1, 0);
            asm.op(Op::Ret, 0, 0, 0);
            None
        });
        assert_eq!(bits(live.during(4)), [2, 5, 6, 7]);
        assert_eq!(bits(live.on_return(4)), [2, 5]);
        assert_eq!(bits(live.during(1)), [1, 2]);
    }

    #[test]
    fn what_is_read_after_a_recovered_panic_is_live_wherever_one_may_come() {
        let (_, live) = function(|asm| {
            asm.op(Op::Ld64, 4, 1, 0); // 0
            asm.op_bc(Op::LdI, 4, 1); // 1
            asm.op(Op::Mov, 0, 2, 0); // 2
            asm.op(Op::Ret, 0, 0, 0); // 3
            asm.op(Op::Mov, 0, 4, 0); // 4
            asm.op(Op::Ret, 0, 0, 0);
            Some(4)
        });
        assert_eq!(bits(live.on_return(1)), [2, 4]);
        assert_eq!(bits(live.on_return(3)), [0, 4]);
    }
}
