//! What Go prints when a program dies: the panics, then the goroutine's frames; and what `print` writes.
#![allow(unsafe_code)] // Walks frames; reads panic values.

use std::fmt::Write;

use lang::bytecode::program::Kind;

use crate::Vm;
use crate::goroutine::{Goroutine, State};
use crate::interp::{AFTER_DEFERRED_CODE, LINK_PC, Pc};
use crate::raw;
use crate::value::ValueRef;

/// Frames shown at each end of a long trace.
const SHOWN_FRAMES: usize = 50;

/// A frame of a trace.
pub(crate) struct FrameInfo {
    pub function: String,
    pub has_params: bool,
    pub file: String,
    pub line: u32,
    pub offset: usize,
    pub is_library: bool,
}

impl Vm {
    /// Addresses in the functions that a goroutine runs, innermost first, from the frame at slot `frame` outwards;
    /// wrappers and the entry function are left out.
    pub(crate) fn return_addresses(&self, g: &Goroutine, mut pc: Pc, mut frame: usize) -> Vec<Pc> {
        let mut out = Vec::new();
        let after = AFTER_DEFERRED_CODE.as_ptr();
        while let Some((index, func)) = self.func_at(pc) {
            if !func.wrapper && index != self.types.program.entry {
                out.push(pc);
            }
            let link = g.stack[frame - 1];
            let ret = (link & LINK_PC) as Pc;
            if ret == after {
                let Some(panic) = g.panics.iter().rev().find(|panic| panic.deferred == frame)
                else {
                    break;
                };
                (pc, frame) = (panic.pc, panic.frame);
            } else {
                pc = ret;
                frame -= (link >> 48) as usize;
            }
        }
        out
    }

    pub(crate) fn describe_frame(&self, pc: Pc) -> Option<FrameInfo> {
        let (_, func) = self.func_at(pc)?;
        let word = (pc as usize - func.code.as_ptr() as usize) / 8 - 1;
        let at = func.lines.partition_point(|line| line.0 as usize <= word);
        let span = at.checked_sub(1).map_or(func.span, |at| func.lines[at].1);
        let sources = &self.types.program.sources;
        let is_known = sources.files().any(|(id, _)| id == span.file);
        let shown = is_known.then(|| sources.shown(span));
        Some(FrameInfo {
            function: func.name.clone(),
            has_params: func.param_slots > 0,
            file: shown.map_or("?", |at| at.name).into(),
            line: shown.map_or(0, |at| at.line),
            offset: word * 8,
            is_library: is_known && sources.file(span.file).is_library(),
        })
    }

    /// A goroutine with its frames.
    pub(crate) fn trace(&self, g: &Goroutine, pc: Pc, frame: usize) -> String {
        let state = match g.state {
            State::Waiting(reason) => reason,
            State::Runnable => "runnable",
            State::Running | State::Dead => "running",
        };
        let mut out = format!("\ngoroutine {} [{state}]:\n", g.id);
        let all = self.return_addresses(g, pc, frame);
        let hidden = all.len().saturating_sub(2 * SHOWN_FRAMES);
        for (i, &pc) in all.iter().enumerate() {
            if hidden > 0 && (SHOWN_FRAMES..SHOWN_FRAMES + hidden).contains(&i) {
                if i == SHOWN_FRAMES {
                    let _ = writeln!(out, "...{hidden} frames elided...");
                }
                continue;
            }
            if let Some(f) = self.describe_frame(pc) {
                let args = if f.has_params { "..." } else { "" };
                let _ = writeln!(
                    out,
                    "{}({args})\n\t{}:{} +{:#x}",
                    f.function, f.file, f.line, f.offset
                );
            }
        }
        if let Some((at, creator)) = g.creator
            && let Some(f) = self.describe_frame(at)
        {
            let _ = writeln!(
                out,
                "created by {} in goroutine {creator}\n\t{}:{} +{:#x}",
                f.function, f.file, f.line, f.offset
            );
        }
        out
    }

    /// A fatal error of all goroutines, with their traces.
    pub(crate) fn report_deadlock(&mut self, text: &str) {
        let mut all: Vec<&Goroutine> = self.sched.parked().chain([&*self.g]).collect();
        all.retain(|g| g.state != State::Dead);
        all.sort_by_key(|g| g.id);
        let mut report = format!("fatal error: {text}\n");
        for g in all {
            report.push_str(&self.trace(g, g.at, g.frame));
        }
        self.write_stderr(&report);
    }

    /// `fatal error: …` and the trace.
    pub(crate) fn report_fatal(&mut self, text: &str, pc: Pc, frame: usize) {
        let report = format!("fatal error: {text}\n{}", self.trace(&self.g, pc, frame));
        self.write_stderr(&report);
    }

    /// All panics in flight, oldest first, and the trace of where the newest was raised.
    pub(crate) fn report_panics(&mut self) {
        let (pc, frame) = match self.g.panics.last() {
            Some(panic) => (panic.pc, panic.frame),
            None => return,
        };
        let top = self.frame_end(pc, self.frame_at(frame)) + 2;
        let mut report = String::new();
        let (mut is_nil_deref, mut repanicked) = (false, false);
        for i in self.panic_floor..self.g.panics.len() {
            let panic = &self.g.panics[i];
            if panic.is_goexit {
                continue;
            }
            let (key, data, text, recovered) =
                (panic.key, panic.data, panic.text.clone(), panic.recovered);
            is_nil_deref = panic.is_nil_deref;
            let text = match text {
                Some(text) => text,
                None => self.panic_text(key, data, top),
            };
            // Raised again with the same value: one line says both.
            let next = self.g.panics.get(i + 1);
            let again = (recovered || repanicked)
                && key != 0
                && next.is_some_and(|next| (next.key, next.data) == (key, data));
            let is_told = std::mem::replace(&mut repanicked, again);
            if is_told {
                continue;
            }
            let tabs = if report.is_empty() { "" } else { "\t" };
            let recovered = match (again, recovered) {
                (true, _) => " [recovered, repanicked]",
                (false, true) => " [recovered]",
                (false, false) => "",
            };
            let _ = writeln!(
                report,
                "{tabs}panic: {}{recovered}",
                text.replace('\n', "\n\t")
            );
        }
        if is_nil_deref {
            let _ = writeln!(
                report,
                "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc={:#x}]",
                pc as u64
            );
        }
        report.push_str(&self.trace(&self.g, pc, frame));
        self.write_stderr(&report);
    }

    /// A panic value as Go prints it: by its `Error` or `String` method (run on the machine, frames from slot `top`
    /// on), basic kinds by value, others by type and address.
    fn panic_text(&mut self, key: u64, data: u64, top: usize) -> String {
        let Some(ty) = self.types.any_by_key(key) else {
            return format!("({}) {data:#x}", self.types.key_name(key));
        };
        let program = self.types.program.clone();
        for method in [program.error_method, program.string_method] {
            if let Some(value) = self.types.method(ty, method)
                && let Some(value) = self.func_values.get(value as usize).copied()
                && let Some([addr, len]) = self.run_nested(value.plain, data, top)
            {
                // SAFETY: the method's result is a string.
                return String::from_utf8_lossy(unsafe { raw::slice(addr, len) }).into_owned();
            }
        }
        let words = [key, data];
        let types = self.types_ptr();
        let desc = types.desc(ty);
        let Some(value) = ValueRef::of_iface(types, words.as_ptr() as u64) else {
            return "nil".into();
        };
        let text = match desc.kind {
            Kind::Bool => value.bool().to_string(),
            Kind::Int | Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64 => {
                value.int().to_string()
            }
            Kind::Uint
            | Kind::Uint8
            | Kind::Uint16
            | Kind::Uint32
            | Kind::Uint64
            | Kind::Uintptr => value.uint().to_string(),
            Kind::Float32 => print_float(value.float(), true),
            Kind::Float64 => print_float(value.float(), false),
            Kind::Complex64 | Kind::Complex128 => {
                let (re, im) = value.complex();
                print_complex(re, im)
            }
            Kind::String => {
                let text = String::from_utf8_lossy(value.str()).into_owned();
                return if desc.pkg_path.is_empty() {
                    text
                } else {
                    format!("{}(\"{text}\")", desc.name)
                };
            }
            _ => return format!("({}) {data:#x}", desc.name),
        };
        if desc.pkg_path.is_empty() {
            text
        } else {
            // A complex number has its own parentheses.
            let text = text.trim_start_matches('(').trim_end_matches(')');
            format!("{}({text})", desc.name)
        }
    }

    /// The predeclared `print` of one operand.
    pub(crate) fn print(&mut self, kind: usize, words: [u64; 3]) {
        let float = f64::from_bits;
        let text = match kind {
            0 => (words[0] != 0).to_string(),
            1 => (words[0] as i64).to_string(),
            2 => words[0].to_string(),
            3 => print_float(float(words[0]), false),
            4 => print_complex(float(words[0]), float(words[1])),
            5 => {
                // SAFETY: a string in slots.
                let bytes = unsafe { raw::slice(words[0], words[1]) };
                let _ = self.write_output(2, bytes);
                return;
            }
            6 => format!("{:#x}", words[0]),
            7 => format!("[{}/{}]{:#x}", words[1], words[2], words[0]),
            8 => format!("({:#x},{:#x})", words[0], words[1]),
            9 => " ".into(),
            11 => print_float(f64::from(f32::from_bits(words[0] as u32)), true),
            _ => "\n".into(),
        };
        self.write_stderr(&text);
    }

    pub(crate) fn write_stderr(&mut self, text: &str) {
        // Nothing is left to be told when standard error is gone.
        let _ = self.write_output(2, text.as_bytes());
    }
}

/// As Go's `print` writes floats: the shortest text that gives the value back, as `strconv`'s 'g'.
fn print_float(x: f64, is_32_bit: bool) -> String {
    if x.is_nan() {
        return "NaN".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "+Inf" } else { "-Inf" }.into();
    }
    let text = match is_32_bit {
        true => format!("{:e}", x as f32),
        false => format!("{x:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return match is_32_bit {
            true => (x as f32).to_string(),
            false => x.to_string(),
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// `(3+4i)`.
fn print_complex(re: f64, im: f64) -> String {
    let im = print_float(im, false);
    let plus = if im.starts_with(['+', '-']) { "" } else { "+" };
    format!("({}{plus}{im}i)", print_float(re, false))
}
