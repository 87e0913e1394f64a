//! `pgo heap export`: a heap as JSON from which `pgo heap import` makes an equal one. `FORMAT_HELP` has the format.
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use pheap::maps::{ENTRIES, key_of_header};
use pheap::{FIRST_TYPE, Kind, ObjectRef, PointerSlot, TypeDesc, View, stable_view};

use super::exchange::{Failure, Result, base64, blank_name, kind_name, labels};
use super::json::{NAN, NAN_32};
use super::value::{damaged, entries_of, place};
use super::{Bar, exists_already};
use crate::quote::quoted;

/// Integers beyond this are written as strings: readers that know only floating-point numbers would change them.
const EXACT: u64 = 1 << 53;
pub const FORMAT_HELP: &str = "The JSON has the heap's types, its named roots, and its objects, numbered, one a line. \
    Pointers are {\"ref\": NUMBER, \"offset\": BYTES}, slices have len and cap besides, strings that are not UTF-8 are \
    {\"base64\": TEXT}, integers beyond 2^53 strings, values of interfaces have their type, maps are lists of pairs.";

#[derive(clap::Args)]
#[command(after_help = FORMAT_HELP)]
pub struct Args {
    /// The heap file
    file: PathBuf,
    /// Write to this file [default: standard output]
    #[arg(short, long = "output", value_name = "OUT")]
    out: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(long)]
    force: bool,
}

pub fn run(args: &Args) -> pheap::Result<i32> {
    if let Some(out) = args.out.as_ref().filter(|out| out.exists() && !args.force) {
        return Ok(exists_already(out));
    }
    let mut bar = Bar::new();
    let (view, _file) = stable_view(&args.file, &mut |done, of| bar.set(done, of))?;
    let done = match &args.out {
        None => export(&view, BufWriter::new(io::stdout().lock()), &mut bar).map(|_| ()),
        Some(out) => File::create(out)
            .map_err(Failure::Io)
            .and_then(|file| export(&view, BufWriter::with_capacity(1 << 20, file), &mut bar))
            .and_then(|file| {
                let file = file.into_inner().map_err(|error| error.into_error())?;
                Ok(file.sync_all()?)
            }),
    };
    drop(bar);
    match done {
        Ok(()) => Ok(0),
        Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(1),
        Err(failure) => {
            if let Some(out) = &args.out {
                let _ = std::fs::remove_file(out);
            }
            failure.report(args.out.as_deref())
        }
    }
}

struct Exporter<'a, W> {
    view: &'a View,
    out: W,
    labels: Vec<String>,
    /// Number of each object met so far, by the number of its slot; 0 for the others.
    ids: Vec<u64>,
    met: u64,
    /// Those of them that are not written yet.
    queue: VecDeque<ObjectRef>,
}

fn export<W: Write>(view: &View, out: W, bar: &mut Bar) -> Result<W> {
    let mut exporter = Exporter {
        view,
        out,
        labels: labels(view.types().iter().map(|desc| desc.name.as_str())),
        ids: vec![0; view.slot_count() as usize],
        met: 0,
        queue: VecDeque::new(),
    };
    writeln!(
        exporter.out,
        "{{\"pgo_heap\":1,\"limit_bytes\":{},\n\"types\":[",
        view.limit_bytes()
    )?;
    let types = view.types().len();
    for (index, desc) in view.types().iter().enumerate().skip(FIRST_TYPE as usize) {
        exporter.type_desc(index, desc)?;
        let end = if index + 1 < types { ",\n" } else { "\n" };
        exporter.out.write_all(end.as_bytes())?;
    }
    exporter.out.write_all(b"],\n\"roots\":[\n")?;
    for (i, root) in view.roots().iter().enumerate() {
        let label = quoted(&exporter.labels[root.type_index as usize]);
        let separator = if i > 0 { ",\n" } else { "" };
        let name = quoted(&root.name);
        write!(
            exporter.out,
            "{separator}{{\"name\":{name},\"type\":{label},\"value\":"
        )?;
        exporter.reference(root.addr, None)?;
        exporter.out.write_all(b"}")?;
    }
    exporter.out.write_all(b"\n],\n\"objects\":[\n")?;
    let (mut written, mut bytes) = (0, 0);
    while let Some(object) = exporter.queue.pop_front() {
        written += 1;
        bytes += view.slot_bytes(&object);
        bar.set(bytes, view.sizes().span_bytes);
        exporter.object(written, &object)?;
        let end = if exporter.queue.is_empty() {
            "\n"
        } else {
            ",\n"
        };
        exporter.out.write_all(end.as_bytes())?;
    }
    exporter.out.write_all(b"]}\n")?;
    exporter.out.flush()?;
    Ok(exporter.out)
}

impl<W: Write> Exporter<'_, W> {
    fn type_desc(&mut self, index: usize, desc: &TypeDesc) -> Result<()> {
        let out = &mut self.out;
        write!(
            out,
            "{{\"name\":{},\"label\":{},\"kind\":\"{}\",\"key\":\"{:#x}\",\"size\":{},\"align\":{}",
            quoted(&desc.name),
            quoted(&self.labels[index]),
            kind_name(desc.kind),
            desc.key,
            desc.size,
            desc.align
        )?;
        for (name, key) in [("elem", desc.elem), ("map_key", desc.map_key)] {
            if key != 0 {
                write!(out, ",\"{name}\":\"{key:#x}\"")?;
            }
        }
        if desc.len != 0 {
            write!(out, ",\"len\":{}", desc.len)?;
        }
        if !desc.fields.is_empty() {
            out.write_all(b",\"fields\":[")?;
            for (i, field) in desc.fields.iter().enumerate() {
                let separator = if i > 0 { "," } else { "" };
                let (name, key) = (quoted(&field.name), field.type_key);
                let offset = field.offset;
                write!(
                    out,
                    "{separator}{{\"name\":{name},\"type\":\"{key:#x}\",\"offset\":{offset}}}"
                )?;
            }
            out.write_all(b"]")?;
        }
        if !desc.pointers.is_empty() {
            let slots = |is_pointer: bool| {
                let slots = desc.pointers.iter();
                let slots = slots.filter(|slot| matches!(slot, PointerSlot::Ptr(_)) == is_pointer);
                slots
                    .map(|slot| slot.offset().to_string())
                    .collect::<Vec<_>>()
                    .join(",")
            };
            let (pointers, interfaces) = (slots(true), slots(false));
            write!(
                out,
                ",\"pointers\":[{pointers}],\"interfaces\":[{interfaces}]"
            )?;
        }
        out.write_all(b"}")?;
        Ok(())
    }

    fn damaged(&self, addr: u64, what: &str) -> Failure {
        Failure::Heap(damaged(self.view, addr, what))
    }

    /// What leads to an address: the number of the object, the place in it; `more` of a slice: len and cap.
    fn reference(&mut self, addr: u64, more: Option<(u64, u64)>) -> Result<()> {
        if addr == 0 {
            self.out.write_all(b"null")?;
            return Ok(());
        }
        let Some(object) = self.view.find_object(addr)? else {
            return Err(self.damaged(addr, "a pointer to no object"));
        };
        let id = &mut self.ids[self.view.slot_number(&object) as usize];
        if *id == 0 {
            self.met += 1;
            *id = self.met;
            self.queue.push_back(object);
        }
        write!(self.out, "{{\"ref\":{id}")?;
        if addr != object.addr {
            write!(self.out, ",\"offset\":{}", addr - object.addr)?;
        }
        if let Some((len, cap)) = more {
            write!(self.out, ",\"len\":{len}")?;
            if cap != len {
                write!(self.out, ",\"cap\":{cap}")?;
            }
        }
        self.out.write_all(b"}")?;
        Ok(())
    }

    fn object(&mut self, id: u64, object: &ObjectRef) -> Result<()> {
        let view = self.view;
        let Some(desc) = view.types().get(object.type_index as usize) else {
            return Err(self.damaged(object.addr, "an object of an unknown type"));
        };
        let label = quoted(&self.labels[object.type_index as usize]);
        write!(self.out, "{{\"id\":{id},\"type\":{label}")?;
        match desc.kind {
            Kind::Internal => match key_of_header(desc) {
                Some(key) => self.map(object.addr, key, desc.elem)?,
                None => return Err(self.damaged(object.addr, "a pointer to the parts of a map")),
            },
            Kind::Bytes | Kind::Uint8 => {
                let bytes = base64(&view.contents(object)?);
                write!(self.out, ",\"base64\":\"{bytes}\"")?;
            }
            _ if object.count == 1 => {
                self.out.write_all(b",\"value\":")?;
                self.value(object.type_index, object.addr)?;
            }
            _ => {
                self.out.write_all(b",\"values\":")?;
                self.sequence(object.type_index, object.addr, object.count.into())?;
            }
        }
        self.out.write_all(b"}")?;
        Ok(())
    }

    fn map(&mut self, header: u64, key: u64, elem: u64) -> Result<()> {
        let view = self.view;
        let mut entries = Vec::new();
        entries_of(view, header, key, elem, |key, value| {
            entries.push((key, value));
            Ok(true)
        })?;
        if !entries.is_empty()
            && let Some(object) = view.find_object(view.word(header + ENTRIES)?)?
        {
            let label = quoted(&self.labels[object.type_index as usize]);
            write!(self.out, ",\"entries\":{label}")?;
        }
        self.out.write_all(b",\"values\":[")?;
        for (i, (key, value)) in entries.into_iter().enumerate() {
            self.out.write_all(if i > 0 { b",[" } else { b"[" })?;
            self.value(key.type_index, key.addr)?;
            self.out.write_all(b",")?;
            self.value(value.type_index, value.addr)?;
            self.out.write_all(b"]")?;
        }
        self.out.write_all(b"]")?;
        Ok(())
    }

    fn sequence(&mut self, type_index: u32, addr: u64, count: u64) -> Result<()> {
        let size = self.view.types()[type_index as usize].size;
        self.out.write_all(b"[")?;
        for i in 0..count {
            if i > 0 {
                self.out.write_all(b",")?;
            }
            self.value(type_index, addr + i * size)?;
        }
        self.out.write_all(b"]")?;
        Ok(())
    }

    fn unsigned(&mut self, value: u64) -> Result<()> {
        match value <= EXACT {
            true => write!(self.out, "{value}")?,
            false => write!(self.out, "\"{value}\"")?,
        }
        Ok(())
    }

    fn signed(&mut self, value: i64) -> Result<()> {
        match value.unsigned_abs() <= EXACT {
            true => write!(self.out, "{value}")?,
            false => write!(self.out, "\"{value}\"")?,
        }
        Ok(())
    }

    fn double(&mut self, value: f64) -> Result<()> {
        match value {
            _ if value.is_nan() && value.to_bits() == NAN => write!(self.out, "\"NaN\"")?,
            _ if value.is_nan() => write!(self.out, "\"NaN:{:x}\"", value.to_bits())?,
            f64::INFINITY => write!(self.out, "\"+Inf\"")?,
            f64::NEG_INFINITY => write!(self.out, "\"-Inf\"")?,
            _ => write!(self.out, "{value:?}")?,
        }
        Ok(())
    }

    fn single(&mut self, value: f32) -> Result<()> {
        match value {
            _ if value.is_nan() && value.to_bits() == NAN_32 => write!(self.out, "\"NaN\"")?,
            _ if value.is_nan() => write!(self.out, "\"NaN:{:x}\"", value.to_bits())?,
            f32::INFINITY => write!(self.out, "\"+Inf\"")?,
            f32::NEG_INFINITY => write!(self.out, "\"-Inf\"")?,
            _ => write!(self.out, "{value:?}")?,
        }
        Ok(())
    }

    /// The value of a type at an address.
    fn value(&mut self, type_index: u32, addr: u64) -> Result<()> {
        let view = self.view;
        let desc = &view.types()[type_index as usize];
        let bytes = |len: u64| -> Result<u64> {
            let mut word = [0; 8];
            word[..len as usize].copy_from_slice(&view.read(addr, len)?);
            Ok(u64::from_le_bytes(word))
        };
        let half = |at: u64| -> Result<f32> {
            let bytes: [u8; 4] = view.read(addr + at, 4)?.try_into().expect("four bytes");
            Ok(f32::from_le_bytes(bytes))
        };
        match desc.kind {
            Kind::Bool => write!(self.out, "{}", bytes(1)? != 0)?,
            Kind::Int8 => self.signed((bytes(1)? as i8).into())?,
            Kind::Int16 => self.signed((bytes(2)? as i16).into())?,
            Kind::Int32 => self.signed((bytes(4)? as i32).into())?,
            Kind::Int | Kind::Int64 => self.signed(view.word(addr)? as i64)?,
            Kind::Uint8 => self.unsigned(bytes(1)?)?,
            Kind::Uint16 => self.unsigned(bytes(2)?)?,
            Kind::Uint32 => self.unsigned(bytes(4)?)?,
            Kind::Uint | Kind::Uint64 | Kind::Uintptr => self.unsigned(view.word(addr)?)?,
            Kind::Float32 => self.single(half(0)?)?,
            Kind::Float64 => self.double(f64::from_bits(view.word(addr)?))?,
            Kind::Complex64 => {
                let (re, im) = (half(0)?, half(4)?);
                self.out.write_all(b"[")?;
                self.single(re)?;
                self.out.write_all(b",")?;
                self.single(im)?;
                self.out.write_all(b"]")?;
            }
            Kind::Complex128 => {
                self.out.write_all(b"[")?;
                self.double(f64::from_bits(view.word(addr)?))?;
                self.out.write_all(b",")?;
                self.double(f64::from_bits(view.word(addr + 8)?))?;
                self.out.write_all(b"]")?;
            }
            Kind::String => {
                let text = view.read(view.word(addr)?, view.word(addr + 8)?)?;
                match std::str::from_utf8(&text) {
                    Ok(text) => self.out.write_all(quoted(text).as_bytes())?,
                    Err(_) => write!(self.out, "{{\"base64\":\"{}\"}}", base64(&text))?,
                }
            }
            Kind::Pointer | Kind::Map => self.reference(view.word(addr)?, None)?,
            Kind::Slice => {
                let (len, cap) = (view.word(addr + 8)?, view.word(addr + 16)?);
                self.reference(view.word(addr)?, Some((len, cap)))?;
            }
            Kind::Interface => self.interface(addr)?,
            Kind::Array => {
                let elem = place(view, desc.elem, addr)?;
                self.sequence(elem.type_index, addr, desc.len)?;
            }
            Kind::Struct => {
                self.out.write_all(b"{")?;
                for (i, field) in desc.fields.iter().enumerate() {
                    let name = match field.name.as_str() {
                        "_" => blank_name(field.offset),
                        name => name.to_string(),
                    };
                    let separator = if i > 0 { "," } else { "" };
                    write!(self.out, "{separator}{}:", quoted(&name))?;
                    let at = addr + u64::from(field.offset);
                    let at = place(view, field.type_key, at)?;
                    self.value(at.type_index, at.addr)?;
                }
                self.out.write_all(b"}")?;
            }
            Kind::Bytes | Kind::Internal => {
                return Err(self.damaged(addr, "a value of a type of the heap's own"));
            }
        }
        Ok(())
    }

    fn interface(&mut self, addr: u64) -> Result<()> {
        let (key, data) = (self.view.word(addr)?, self.view.word(addr + 8)?);
        if key == 0 {
            self.out.write_all(b"null")?;
            return Ok(());
        }
        let known = self.view.find_type(key);
        match known {
            Some(index) => {
                let label = quoted(&self.labels[index as usize]);
                write!(self.out, "{{\"type\":{label},\"value\":")?;
            }
            None => write!(self.out, "{{\"type\":\"{key:#x}\",\"value\":")?,
        }
        match known {
            // A box, or a pointer of a type that the heap does not know.
            _ if key & 2 != 0 => self.reference(data, None)?,
            None if key & 1 == 0 => self.reference(data, None)?,
            None => write!(self.out, "\"{data:#x}\"")?,
            Some(index) => self.value(index, addr + 8)?,
        }
        self.out.write_all(b"}")?;
        Ok(())
    }
}
