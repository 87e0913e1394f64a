//! Bytecode as text: for people and golden tests. Stable: no addresses, no file paths but the source
//! file's name.
use super::op::{Op, OpInfo};
use super::program::{Function, Program};
use std::fmt::Write;

/// The decoded operands of the instruction at a word.
struct Ins {
    info: &'static OpInfo,
    a: u16,
    b: u16,
    c: u16,
    bc: u32,
    ext: Vec<u64>,
    /// Words, with the table of a `JTab`.
    len: usize,
}

fn decode(code: &[u64], at: usize) -> Option<Ins> {
    let w = code[at];
    let info = Op::from_u16(w as u16)?.info();
    let words = 1 + info.ext.len();
    let mut ext: Vec<u64> = code.get(at + 1..at + words)?.to_vec();
    let mut len = words;
    if info.op == Op::JTab {
        len += ext[0] as usize;
        ext.extend(code.get(at + words..at + len)?);
    }
    Some(Ins {
        info,
        a: (w >> 16) as u16,
        b: (w >> 32) as u16,
        c: (w >> 48) as u16,
        bc: (w >> 32) as u32,
        ext,
        len,
    })
}

/// The functions of the program, in the order of their compilation; those of library packages only
/// if `all` are wanted.
pub fn program(p: &Program, all: bool) -> String {
    let mut out = String::new();
    for f in &p.funcs {
        if all || !p.sources.file(f.span.file).is_library() {
            function(p, f, &mut out);
            out.push('\n');
        }
    }
    out
}

/// The functions whose names are wanted; instances with the same code once.
pub fn functions(p: &Program, wanted: impl Fn(&str) -> bool) -> String {
    let mut texts: Vec<String> = Vec::new();
    for f in p.funcs.iter().filter(|f| wanted(&f.name)) {
        let mut text = String::new();
        function(p, f, &mut text);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.join("\n")
}

fn function(p: &Program, f: &Function, out: &mut String) {
    let _ = write!(out, "func {}", f.name);
    if !f.instance.is_empty() {
        let _ = write!(out, " {}", f.instance);
    }
    let _ = write!(
        out,
        "  results {} params {} frame {}",
        f.result_slots, f.param_slots, f.frame_slots
    );
    if let Some(r) = f.recover_pc {
        let _ = write!(out, " recover {r}");
    }
    out.push('\n');
    let (mut at, mut line) = (0, 0);
    let mut lines = f.lines.iter().peekable();
    while at < f.code.len() {
        let mut span = None;
        while let Some((_, s)) = lines.next_if(|l| l.0 as usize <= at) {
            span = Some(*s);
        }
        if let Some(s) = span {
            let file = p.sources.file(s.file);
            let n = file.line_column(s.lo).line;
            if n != line {
                line = n;
                let _ = writeln!(out, "  ; {n}: {}", file.line_text(n).trim());
            }
        }
        let Some(ins) = decode(&f.code, at) else {
            let _ = writeln!(out, "{at:5}  ?");
            return;
        };
        let text = instruction(p, f, at, &ins);
        let _ = writeln!(out, "{at:5}  {}", text.trim_end());
        at += ins.len;
    }
}

/// The operands of one instruction.
fn operands(p: &Program, at: usize, ins: &Ins) -> Vec<String> {
    let mut list = Vec::new();
    let next = at as i64 + 1;
    for (role, value) in ins.info.operands.iter().zip([ins.a, ins.b, ins.c]) {
        match *role {
            "_" => {}
            "imm" => list.push(format!("#{}", value as i16)),
            "uimm" => list.push(format!("#{value}")),
            "jmp" => list.push(format!("->{}", next + i64::from(value as i16))),
            "bcjmp" => list.push(format!("->{}", next + i64::from(ins.bc as i32))),
            "bcimm" => list.push(format!("#{}", ins.bc as i32)),
            "bcidx" => list.push(index(p, ins.info.op, ins.bc)),
            _ if value == 0xffff => list.push("-".into()),
            _ => list.push(format!("r{value}")),
        }
    }
    list
}

fn instruction(p: &Program, f: &Function, at: usize, ins: &Ins) -> String {
    let mut list = operands(p, at, ins);
    let end = (at + ins.len) as i64;
    for (role, &w) in ins.info.ext.iter().zip(&ins.ext) {
        list.push(match *role {
            "ty" => type_name(p, w as u32),
            "jmp" => format!("->{}", end + w as i64),
            "k" if (w >> 52) != 0 && (w >> 52) != 0xfff && ins.info.op == Op::LdK => {
                format!("#{w:#x} ({})", f64::from_bits(w))
            }
            "id" => match ins.info.op {
                Op::MkClo => match p.func_values.get(w as usize) {
                    Some(v) => func_name(p, v.plain),
                    None => format!("value {w}"),
                },
                Op::CallI => match p.methods.get(w as usize) {
                    Some(m) => m.name.clone(),
                    None => format!("method {w}"),
                },
                Op::Append | Op::AppendS if w == 0xffff => "-".into(),
                Op::Append | Op::AppendS => format!("r{w}"),
                _ => type_name(p, w as u32),
            },
            "mode" => format!("mode {w}"),
            "size" => format!("size {w}"),
            "n" => format!("n {w}"),
            _ => format!("#{}", w as i64),
        });
    }
    if ins.info.op == Op::JTab {
        for &w in &ins.ext[1..] {
            list.push(format!("->{}", end + w as i64));
        }
    }
    let mut text = format!("{:<10} {}", ins.info.mnemonic, list.join(", "));
    let note = f.store_notes.iter().find(|n| n.0 as usize == at);
    if let Some((_, note)) = note {
        let _ = write!(text, "  ; {note}");
    }
    text
}

fn func_name(p: &Program, f: u32) -> String {
    match p.funcs.get(f as usize) {
        Some(f) if f.instance.is_empty() => f.name.clone(),
        Some(f) => format!("{} {}", f.name, f.instance),
        None => format!("func {f}"),
    }
}

fn type_name(p: &Program, t: u32) -> String {
    match p.types.get(t as usize) {
        Some(t) => t.name.clone(),
        None => format!("type {t}"),
    }
}

fn index(p: &Program, op: Op, i: u32) -> String {
    let missing = || format!("#{i}");
    match op {
        Op::LdStr => p.strings.get(i as usize).map_or_else(missing, |s| {
            let s = String::from_utf8_lossy(s);
            match s.char_indices().nth(40) {
                Some((cut, _)) => format!("{:?}…", &s[..cut]),
                None => format!("{s:?}"),
            }
        }),
        Op::Call => func_name(p, i),
        Op::CallN => p
            .natives
            .get(i as usize)
            .map_or_else(missing, |n| n.name.clone()),
        Op::PVar | Op::PVarHas | Op::PVarMake => p
            .pvars
            .get(i as usize)
            .map_or_else(missing, |v| v.name.clone()),
        Op::GAddr | Op::LdG | Op::StGl => {
            let after = p.globals.partition_point(|g| g.offset <= i);
            match after.checked_sub(1).map(|k| &p.globals[k]) {
                Some(g) if g.offset == i => g.name.clone(),
                Some(g) => format!("{}+{}", g.name, i - g.offset),
                None => missing(),
            }
        }
        _ => type_name(p, i),
    }
}
