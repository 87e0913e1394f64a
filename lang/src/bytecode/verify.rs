//! Checks of a program's code: operands within the frame, jumps to instructions, indices within
//! tables. Run on everything that is compiled in debug builds.
use super::op::{Op, Width};
use super::program::{Function, NO_FUNC, Program};

/// The first thing that is wrong, with function and word.
pub fn verify(p: &Program) -> Result<(), String> {
    for f in &p.funcs {
        function(p, f).map_err(|e| format!("{} {}: {e}", f.name, f.instance))?;
    }
    for v in &p.func_values {
        for f in [v.plain, v.txn] {
            if f != NO_FUNC && f as usize >= p.funcs.len() {
                return Err(format!("func value of function {f}"));
            }
        }
    }
    Ok(())
}

/// Slots that an operand role covers; the least for those given elsewhere.
fn slots(role: &str) -> u32 {
    match role {
        "d1" | "s1" | "u1" => 1,
        "d2" | "s2" => 2,
        "d3" | "s3" => 3,
        _ => 0,
    }
}

fn function(p: &Program, f: &Function) -> Result<(), String> {
    let n = f.code.len();
    let mut starts = vec![false; n + 1];
    let mut jumps = Vec::new();
    let mut at = 0;
    while at < n {
        starts[at] = true;
        let w = f.code[at];
        let wrong = |what: String| Err(format!("word {at}: {what}"));
        let Some(op) = Op::from_u16(w as u16) else {
            return wrong("no such opcode".into());
        };
        let info = op.info();
        let mut end = at + op.len_words();
        if end > n {
            return wrong(format!("{op:?} is cut off"));
        }
        let ext = &f.code[at + 1..end];
        if op == Op::JTab {
            end += ext[0] as usize;
            if end > n {
                return wrong("table is cut off".into());
            }
            for w in &f.code[at + 2..end] {
                jumps.push((at, end as i64 + *w as i64));
            }
        }
        let values = [(w >> 16) as u16, (w >> 32) as u16, (w >> 48) as u16];
        let bc = (w >> 32) as u32;
        for (role, v) in info.operands.iter().zip(values) {
            let absent = v == 0xffff && op == Op::MapNext;
            let extent = u32::from(v) + slots(role);
            match *role {
                "jmp" => jumps.push((at, at as i64 + 1 + i64::from(v as i16))),
                "bcjmp" => jumps.push((at, at as i64 + 1 + i64::from(bc as i32))),
                "bcidx" => index(p, op, bc).or_else(|e| wrong(format!("{op:?}: {e}")))?,
                "_" | "imm" | "uimm" | "bcimm" => {}
                // A slice operand that is a string has two slots.
                "s3" if matches!(op, Op::LdX8U | Op::AppendS | Op::Copy)
                    && extent == f.frame_slots + 1 => {}
                _ if extent > f.frame_slots && !absent => {
                    return wrong(format!("{op:?}: slot {v} is beyond the frame"));
                }
                _ => {}
            }
        }
        for (role, &w) in info.ext.iter().zip(ext) {
            let good = match *role {
                "ty" => (w as usize) < p.types.len(),
                "jmp" => {
                    jumps.push((at, end as i64 + w as i64));
                    true
                }
                "id" => match op {
                    Op::MkClo => (w as usize) < p.func_values.len(),
                    Op::CallI => (w as usize) < p.methods.len(),
                    Op::Append | Op::AppendS => w == 0xffff || w < u64::from(f.frame_slots),
                    _ => (w as usize) < p.types.len(),
                },
                "mode" if matches!(op, Op::FLd | Op::FSt | Op::FLdX | Op::FStX) => {
                    w <= Width::Bytes as u64
                }
                _ => true,
            };
            if !good {
                return wrong(format!("{op:?}: {role} {w} out of range"));
            }
        }
        at = end;
    }
    for (from, to) in jumps {
        if to < 0 || to as usize >= n || !starts[to as usize] {
            return Err(format!("word {from}: jump to {to}"));
        }
    }
    if f.recover_pc
        .is_some_and(|r| !starts.get(r as usize).copied().unwrap_or(false))
    {
        return Err("recovery point is no instruction".into());
    }
    if n == 0 {
        return Err("no code".into());
    }
    Ok(())
}

fn index(p: &Program, op: Op, i: u32) -> Result<(), String> {
    let n = match op {
        Op::LdStr => p.strings.len(),
        Op::Call => p.funcs.len(),
        Op::CallN => p.natives.len(),
        Op::StubIn => p.func_values.len(),
        Op::PVar | Op::PVarHas | Op::PVarMake => p.pvars.len(),
        Op::GAddr | Op::LdG | Op::StGl => p.globals_size as usize + 1,
        _ => p.types.len(),
    };
    match (i as usize) < n {
        true => Ok(()),
        false => Err(format!("index {i} out of range")),
    }
}
