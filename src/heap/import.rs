//! `pgo heap import`: a new heap from the JSON of `pgo heap export`. The JSON is read twice: objects get their places,
//! then they are written, as the first may refer to the last.
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use pheap::bulk::{Catalog, Layout, Place, Writer, create_heap};
use pheap::maps::{ALIVE, CAP, COUNT, ENTRIES, INDEX, SEED, SMALL, USED, key_of_header};
use pheap::{
    BYTES_TYPE, Field, Kind, MAP_HEADER_BYTES, PointerSlot, Root, TypeDesc, built_in_types, hash,
};

use super::exchange::{Result, blank_name, kind_of, labels};
use super::json::{Parser, Scalar};
use super::{Bar, exists_already, export};
use crate::quote::quoted;

#[derive(clap::Args)]
#[command(after_help = export::FORMAT_HELP)]
pub struct Args {
    /// What pgo heap export wrote
    json_file: PathBuf,
    /// The heap file to make
    file: PathBuf,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> pheap::Result<i32> {
    if args.file.exists() {
        return Ok(exists_already(&args.file));
    }
    let (objects, bytes) = match import(args) {
        Ok(done) => done,
        Err(failure) => return failure.report(Some(&args.json_file)),
    };
    let heap = args.file.to_string_lossy();
    if args.json {
        let file = quoted(&heap);
        println!("{{\"file\":{file},\"objects\":{objects},\"bytes\":{bytes}}}");
    } else {
        println!("{heap}: {objects} objects, {bytes} bytes");
    }
    Ok(0)
}

/// Arrays and structs in each other, in one type.
const DEPTH: u32 = 1000;

type Input = Parser<BufReader<File>>;
/// None while objects get their places.
type Output<'a, 'b> = Option<&'a mut Writer<'b>>;

/// A reference as the JSON has it.
#[derive(Clone, Copy, Default)]
struct Ref {
    id: u64,
    offset: u64,
    len: u64,
    cap: Option<u64>,
}

struct Object {
    place: Place,
    type_index: u32,
    count: u32,
}

struct Import {
    bar: Bar,
    file_bytes: u64,
    limit_bytes: u64,
    types: Vec<TypeDesc>,
    by_label: HashMap<String, u32>,
    /// The newest type of each key.
    by_key: HashMap<u64, u32>,
    roots: Vec<(Root, Ref)>,
    catalog: Option<Catalog>,
    layout: Layout,
    objects: Vec<Object>,
    /// Places of what has no number: the bytes of strings, the parts of maps.
    parts: Vec<Place>,
    /// How many of both have been written.
    written: (usize, usize),
}

fn import(args: &Args) -> Result<(usize, u64)> {
    let file_bytes = std::fs::metadata(&args.json_file)?.len();
    let open = || -> Result<Input> {
        let file = File::open(&args.json_file)?;
        Ok(Parser::new(BufReader::with_capacity(1 << 18, file)))
    };
    let mut import = Import {
        bar: Bar::new(),
        file_bytes,
        limit_bytes: 0,
        types: built_in_types(),
        by_label: HashMap::new(),
        by_key: HashMap::new(),
        roots: Vec::new(),
        catalog: None,
        layout: Layout::default(),
        objects: Vec::new(),
        parts: Vec::new(),
        written: (0, 0),
    };
    import.read(&mut open()?, &mut None)?;
    let Some(catalog) = import.catalog.take() else {
        return open()?.fail("no \"roots\": this is not what pgo heap export writes");
    };
    let layout = std::mem::take(&mut import.layout);
    let limit_bytes = import.limit_bytes;
    let bytes = create_heap(&args.file, &layout, limit_bytes, |writer| -> Result<()> {
        let mut addrs = Vec::new();
        for (root, to) in &import.roots {
            let to = import.resolve(&open()?, Some(writer), *to, root.type_index, 1)?;
            addrs.push(to);
        }
        catalog.put(writer, &addrs)?;
        import.read(&mut open()?, &mut Some(writer))
    })?;
    Ok((import.objects.len(), bytes))
}

impl Import {
    fn read(&mut self, input: &mut Input, out: &mut Output<'_, '_>) -> Result<()> {
        input.members(|input, name| match name {
            "pgo_heap" => match input.unsigned()? {
                1 => Ok(()),
                version => input.fail(format!(
                    "export format {version}, but this program reads format 1"
                )),
            },
            "limit_bytes" => {
                self.limit_bytes = input.unsigned()?;
                Ok(())
            }
            "types" | "roots" if out.is_some() => input.skip(),
            "types" => {
                input.list(|input| self.type_desc(input))?;
                self.know_types(input)
            }
            "roots" => {
                input.list(|input| self.root(input))?;
                self.place_catalog()
            }
            "objects" if self.catalog.is_none() && out.is_none() => {
                input.fail("\"objects\" before \"types\" and \"roots\"")
            }
            "objects" => input.list(|input| self.object(input, out)),
            _ => input.fail(format!("an unknown member {name:?}")),
        })?;
        match input.peek()? {
            None => Ok(()),
            Some(_) => input.fail("more behind the end of the JSON"),
        }
    }

    fn type_desc(&mut self, input: &mut Input) -> Result<()> {
        let mut desc = TypeDesc::scalar("", 0, Kind::Struct, 0);
        desc.align = 1;
        input.members(|input, name| {
            match name {
                "name" => desc.name = input.string()?,
                // Made from the names again.
                "label" => drop(input.string()?),
                "kind" => {
                    let kind = input.string()?;
                    desc.kind = match kind_of(&kind) {
                        Some(kind) => kind,
                        None => return input.fail(format!("an unknown kind {kind:?}")),
                    };
                }
                "key" => desc.key = input.unsigned()?,
                "size" => desc.size = input.unsigned()?,
                "align" => desc.align = input.small()?,
                "elem" => desc.elem = input.unsigned()?,
                "map_key" => desc.map_key = input.unsigned()?,
                "len" => desc.len = input.unsigned()?,
                "fields" => input.list(|input| {
                    let mut field = Field {
                        name: String::new(),
                        type_key: 0,
                        offset: 0,
                    };
                    input.members(|input, name| {
                        match name {
                            "name" => field.name = input.string()?,
                            "type" => field.type_key = input.unsigned()?,
                            "offset" => field.offset = input.small()?,
                            _ => return input.fail(format!("an unknown member {name:?}")),
                        }
                        Ok(())
                    })?;
                    desc.fields.push(field);
                    Ok(())
                })?,
                "pointers" => input.list(|input| {
                    desc.pointers.push(PointerSlot::Ptr(input.small()?));
                    Ok(())
                })?,
                "interfaces" => input.list(|input| {
                    desc.pointers.push(PointerSlot::Iface(input.small()?));
                    Ok(())
                })?,
                _ => return input.fail(format!("an unknown member {name:?}")),
            }
            Ok(())
        })?;
        desc.pointers.sort_by_key(|slot| slot.offset());
        self.types.push(desc);
        Ok(())
    }

    fn know_types(&mut self, input: &Input) -> Result<()> {
        let labels = labels(self.types.iter().map(|desc| desc.name.as_str()));
        self.by_label = (labels.into_iter().zip(0..)).collect();
        for (index, desc) in (0..).zip(&self.types) {
            if desc.key != 0 {
                self.by_key.insert(desc.key, index);
            }
        }
        match self.types.len() > u32::MAX as usize / 2 {
            true => input.fail("too many types"),
            false => Ok(()),
        }
    }

    fn label(&self, input: &mut Input) -> Result<u32> {
        let label = input.string()?;
        match self.by_label.get(&label) {
            Some(&index) => Ok(index),
            None => input.fail(format!("an unknown type {label:?}")),
        }
    }

    /// The type with a key, at a place where a value of it is.
    fn known(&self, input: &Input, key: u64) -> Result<u32> {
        match self.by_key.get(&key) {
            Some(&index) => Ok(index),
            None => input.fail("a value of a type that \"types\" does not have"),
        }
    }

    fn root(&mut self, input: &mut Input) -> Result<()> {
        let (mut name, mut type_index, mut to) = (None, None, None);
        input.members(|input, member| {
            match member {
                "name" => name = Some(input.string()?),
                "type" => type_index = Some(self.label(input)?),
                "value" => to = reference(input)?,
                _ => return input.fail(format!("an unknown member {member:?}")),
            }
            Ok(())
        })?;
        let (Some(name), Some(type_index), Some(to)) = (name, type_index, to) else {
            return input.fail("a root without name, type or value");
        };
        if self.roots.iter().any(|(root, _)| root.name == name) {
            return input.fail(format!("two roots {name:?}"));
        }
        let root = Root {
            name,
            addr: 0,
            type_index,
        };
        self.roots.push((root, to));
        Ok(())
    }

    fn place_catalog(&mut self) -> Result<()> {
        let roots: Vec<Root> = self.roots.iter().map(|(root, _)| root.clone()).collect();
        let types = self.types[built_in_types().len()..].iter();
        self.catalog = Some(Catalog::place(types, &roots, &mut self.layout)?);
        Ok(())
    }

    fn object(&mut self, input: &mut Input, out: &mut Output<'_, '_>) -> Result<()> {
        let (number, done) = match out {
            None => (self.objects.len() as u64 + 1, 0),
            Some(_) => (self.written.0 as u64 + 1, self.file_bytes),
        };
        let all_bytes = self.file_bytes * 2;
        self.bar.set(done + input.bytes(), all_bytes);
        let (mut type_index, mut entries) = (None, None);
        let (mut contents, mut count) = (Vec::new(), None);
        input.members(|input, name| {
            let Some(of) = type_index else {
                match name {
                    "id" if input.unsigned()? == number => {}
                    "id" => return input.fail(format!("expected object number {number}")),
                    "entries" => entries = Some(self.label(input)?),
                    "type" => type_index = Some(self.label(input)?),
                    _ => {
                        return input
                            .fail(format!("an unknown member {name:?}, or no \"type\" before"));
                    }
                }
                return Ok(());
            };
            let header = key_of_header(&self.types[of as usize]);
            let kind = self.types[of as usize].kind;
            match (name, header) {
                ("entries", Some(_)) => entries = Some(self.label(input)?),
                ("values", Some(key)) => {
                    contents = self.map(input, out, number, of, key, entries)?;
                    count = Some(1);
                }
                (_, None) if kind == Kind::Internal => {
                    return input.fail("an object of a type of the heap's own");
                }
                ("base64", None) if matches!(kind, Kind::Bytes | Kind::Uint8) => {
                    contents = input.binary()?;
                    count = Some(contents.len());
                }
                ("value", None) => {
                    self.room(input, &mut contents, of)?;
                    self.value(input, out, of, &mut contents, 0)?;
                    count = Some(1);
                }
                ("values", None) => {
                    let mut n = 0;
                    input.list(|input| {
                        let at = self.room(input, &mut contents, of)?;
                        n += 1;
                        self.value(input, out, of, &mut contents, at)
                    })?;
                    count = Some(n);
                }
                _ => return input.fail(format!("an unknown member {name:?}")),
            }
            Ok(())
        })?;
        let (Some(type_index), Some(count)) = (type_index, count) else {
            return input.fail("an object without type or value");
        };
        let Ok(count) = u32::try_from(count) else {
            return input.fail("an object of too many values");
        };
        match out {
            None => {
                let place = self.layout.place(contents.len() as u64);
                self.objects.push(Object {
                    place,
                    type_index,
                    count,
                });
            }
            Some(writer) => {
                let Some(object) = self.objects.get(self.written.0) else {
                    return changed(input);
                };
                self.written.0 += 1;
                writer.put(object.place, type_index, count, &contents)?;
            }
        }
        Ok(())
    }

    /// Makes room for one more value at the end; gives its place.
    fn room(&self, input: &Input, contents: &mut Vec<u8>, type_index: u32) -> Result<usize> {
        let at = contents.len();
        let size = self.types[type_index as usize].size;
        // No part of a value is so much shorter in JSON than in memory.
        if size > self.file_bytes.saturating_mul(24) + 4096 {
            return input.fail("a type that is too large");
        }
        contents.resize(at + size as usize, 0);
        Ok(at)
    }

    /// Puts an object without a number into the heap; gives its address.
    fn part(
        &mut self,
        input: &Input,
        out: &mut Output<'_, '_>,
        type_index: u32,
        count: usize,
        contents: &[u8],
    ) -> Result<u64> {
        let Ok(count) = u32::try_from(count) else {
            return input.fail("a string or a map that is too large");
        };
        let Some(writer) = out else {
            self.parts.push(self.layout.place(contents.len() as u64));
            return Ok(0);
        };
        let Some(&place) = self.parts.get(self.written.1) else {
            return changed(input);
        };
        self.written.1 += 1;
        writer.put(place, type_index, count, contents)?;
        Ok(writer.addr(place))
    }

    /// The header of a map, whose parts are put into the heap. Keys are hashed when all is there.
    fn map(
        &mut self,
        input: &mut Input,
        out: &mut Output<'_, '_>,
        number: u64,
        header: u32,
        key: u64,
        entries: Option<u32>,
    ) -> Result<Vec<u8>> {
        let elem = self.types[header as usize].elem;
        let (mut contents, mut n) = (Vec::new(), 0);
        input.list(|input| {
            let desc = entries.map(|index| &self.types[index as usize]);
            let keys = match desc.map(|desc| &desc.fields[..]) {
                Some([key_field, elem_field])
                    if (key_field.type_key, elem_field.type_key) == (key, elem) =>
                {
                    [key_field.offset, elem_field.offset]
                }
                _ => return input.fail("the entries of a map have another type"),
            };
            let at = self.room(input, &mut contents, entries.unwrap_or(0))?;
            put(input, &mut contents, at, &ALIVE.to_le_bytes())?;
            n += 1;
            let mut parts = [(key, keys[0]), (elem, keys[1])].into_iter();
            input.list(|input| {
                let Some((key, offset)) = parts.next() else {
                    return input.fail("more than a key and a value in an entry of a map");
                };
                let of = self.known(input, key)?;
                self.value(input, out, of, &mut contents, at + offset as usize)
            })?;
            match parts.next() {
                None => Ok(()),
                Some(_) => input.fail("an entry of a map without a value"),
            }
        })?;
        let mut words = [0; MAP_HEADER_BYTES as usize];
        let mut set = |at: u64, word: u64| {
            words[at as usize..at as usize + 8].copy_from_slice(&word.to_le_bytes());
        };
        set(SEED, hash::word(number, 0));
        if n > 0 {
            let cap = u64::next_power_of_two(n).max(SMALL);
            contents.resize(contents.len() / n as usize * cap as usize, 0);
            set(COUNT, n);
            set(USED, n);
            set(CAP, cap);
            let entries = entries.unwrap_or(0);
            set(
                ENTRIES,
                self.part(input, out, entries, cap as usize, &contents)?,
            );
            if cap > SMALL {
                let index = vec![0; cap as usize * 8];
                set(
                    INDEX,
                    self.part(input, out, BYTES_TYPE, index.len(), &index)?,
                );
            }
        }
        Ok(words.to_vec())
    }

    /// Reads a value of a type and puts it into the contents of an object.
    fn value(
        &mut self,
        input: &mut Input,
        out: &mut Output<'_, '_>,
        type_index: u32,
        contents: &mut Vec<u8>,
        at: usize,
    ) -> Result<()> {
        let desc = &self.types[type_index as usize];
        let (kind, elem, len) = (desc.kind, desc.elem, desc.len);
        let word = match kind {
            Kind::Bool => match input.scalar()? {
                Scalar::Bool(value) => value.into(),
                _ => return input.fail("expected true or false"),
            },
            Kind::Int8 => input.signed_bits(8)?,
            Kind::Int16 => input.signed_bits(16)?,
            Kind::Int32 => input.signed_bits(32)?,
            Kind::Int | Kind::Int64 => input.signed_bits(64)?,
            Kind::Uint8 => input.unsigned_bits(8)?,
            Kind::Uint16 => input.unsigned_bits(16)?,
            Kind::Uint32 => input.unsigned_bits(32)?,
            Kind::Uint | Kind::Uint64 | Kind::Uintptr => input.unsigned_bits(64)?,
            Kind::Float32 => u64::from(input.single()?),
            Kind::Float64 => input.double()?,
            Kind::Complex64 | Kind::Complex128 => {
                let (mut n, step) = (0, if kind == Kind::Complex64 { 4 } else { 8 });
                input.list(|input| {
                    let word = match kind {
                        Kind::Complex64 => input.single()?.into(),
                        _ => input.double()?,
                    };
                    n += 1;
                    match n <= 2 {
                        true => put(
                            input,
                            contents,
                            at + (n - 1) * step,
                            &word.to_le_bytes()[..step],
                        ),
                        false => input.fail("a complex number has two parts"),
                    }
                })?;
                return Ok(());
            }
            Kind::String => {
                let bytes = match input.peek()? {
                    Some(b'{') => {
                        let mut bytes = Vec::new();
                        input.members(|input, name| match name {
                            "base64" => {
                                bytes = input.binary()?;
                                Ok(())
                            }
                            _ => input.fail(format!("an unknown member {name:?}")),
                        })?;
                        bytes
                    }
                    _ => input.string()?.into_bytes(),
                };
                if !bytes.is_empty() {
                    let addr = self.part(input, out, BYTES_TYPE, bytes.len(), &bytes)?;
                    put(input, contents, at + 8, &(bytes.len() as u64).to_le_bytes())?;
                    return put(input, contents, at, &addr.to_le_bytes());
                }
                return Ok(());
            }
            Kind::Pointer => match reference(input)? {
                Some(to) => {
                    let elem = self.known(input, elem)?;
                    self.resolve(input, out.as_deref(), to, elem, 1)?
                }
                None => 0,
            },
            Kind::Map => match reference(input)? {
                Some(to) => self.resolve(input, out.as_deref(), to, type_index, 1)?,
                None => 0,
            },
            Kind::Slice => {
                let Some(to) = reference(input)? else {
                    return Ok(());
                };
                let cap = to.cap.unwrap_or(to.len);
                if cap < to.len {
                    return input.fail("a slice longer than its capacity");
                }
                let elem = self.known(input, elem)?;
                let addr = self.resolve(input, out.as_deref(), to, elem, cap)?;
                for (i, word) in [addr, to.len, cap].into_iter().enumerate() {
                    put(input, contents, at + i * 8, &word.to_le_bytes())?;
                }
                return Ok(());
            }
            Kind::Interface => {
                let (key, data) = self.interface(input, out)?;
                put(input, contents, at + 8, &data.to_le_bytes())?;
                key
            }
            Kind::Array => {
                let of = self.known(input, elem)?;
                let size = self.types[of as usize].size as usize;
                let mut i = 0;
                return input.list(|input| {
                    if i as u64 == len {
                        return input.fail(format!("more than {len} elements in an array"));
                    }
                    i += 1;
                    self.value(input, out, of, contents, at + (i - 1) * size)
                });
            }
            Kind::Struct => return self.structure(input, out, type_index, contents, at),
            Kind::Bytes | Kind::Internal => {
                return input.fail("a value of a type of the heap's own");
            }
        };
        let size = self.types[type_index as usize].size.min(8) as usize;
        put(input, contents, at, &word.to_le_bytes()[..size])
    }

    fn structure(
        &mut self,
        input: &mut Input,
        out: &mut Output<'_, '_>,
        type_index: u32,
        contents: &mut Vec<u8>,
        at: usize,
    ) -> Result<()> {
        let mut next = 0;
        input.members(|input, name| {
            let fields = &self.types[type_index as usize].fields;
            let is_it = |field: &Field| match field.name.as_str() {
                "_" => blank_name(field.offset) == name,
                have => have == name,
            };
            // Most often they come in order.
            let found = match fields.get(next) {
                Some(field) if is_it(field) => Some(next),
                _ => fields.iter().position(is_it),
            };
            let Some(found) = found else {
                let name_of = &self.types[type_index as usize].name;
                return input.fail(format!("{name_of} has no field {name}"));
            };
            next = found + 1;
            let (key, offset) = (fields[found].type_key, fields[found].offset as usize);
            let of = self.known(input, key)?;
            self.value(input, out, of, contents, at + offset)
        })
    }

    /// Type key and data word.
    fn interface(&mut self, input: &mut Input, out: &mut Output<'_, '_>) -> Result<(u64, u64)> {
        if input.peek()? != Some(b'{') {
            return match input.scalar()? {
                Scalar::Null => Ok((0, 0)),
                _ => input.fail("expected null, or the type and value of an interface"),
            };
        }
        let (mut key, mut data) = (None, None);
        input.members(|input, name| {
            match (name, key) {
                ("type", _) => {
                    let label = input.string()?;
                    let unknown = label.strip_prefix("0x");
                    key = match (self.by_label.get(&label), unknown) {
                        (Some(&index), _) => Some((self.types[index as usize].key, Some(index))),
                        (None, Some(digits)) => match u64::from_str_radix(digits, 16) {
                            Ok(key) => Some((key, None)),
                            Err(_) => return input.fail("a key that is not hexadecimal"),
                        },
                        _ => return input.fail(format!("an unknown type {label:?}")),
                    };
                }
                ("value", Some((key, known))) => {
                    let is_reference = key & 2 != 0 || (key & 1 == 0 && known.is_none());
                    data = Some(match known {
                        _ if is_reference => match reference(input)? {
                            Some(to) => {
                                let of = known.unwrap_or(u32::MAX);
                                self.resolve(input, out.as_deref(), to, of, 1)?
                            }
                            None => 0,
                        },
                        Some(index) => {
                            let mut word = vec![0; 8];
                            self.value(input, out, index, &mut word, 0)?;
                            u64::from_le_bytes(word.try_into().expect("eight bytes"))
                        }
                        None => input.unsigned()?,
                    });
                }
                ("value", None) => return input.fail("the value of an interface before its type"),
                _ => return input.fail(format!("an unknown member {name:?}")),
            }
            Ok(())
        })?;
        match (key, data) {
            (Some((key, _)), Some(data)) if key != 0 => Ok((key, data)),
            _ => input.fail("an interface without type or value"),
        }
    }

    /// The address that a reference leads to, at which there must be `count` values of a type (`u32::MAX`: of any); 0
    /// while objects get their places.
    fn resolve(
        &self,
        input: &Input,
        out: Option<&Writer<'_>>,
        to: Ref,
        type_index: u32,
        count: u64,
    ) -> Result<u64> {
        let Some(writer) = out else {
            return Ok(0);
        };
        let Some(object) = to
            .id
            .checked_sub(1)
            .and_then(|i| self.objects.get(i as usize))
        else {
            return input.fail(format!("no object has the number {}", to.id));
        };
        let found = match type_index {
            u32::MAX => 1,
            _ if count == 0 => 0,
            want => {
                let count = object.count.into();
                self.values_at(object.type_index, count, to.offset, want, DEPTH)
            }
        };
        let size = self.types[object.type_index as usize].size;
        let bytes = size.saturating_mul(object.count.into());
        if to.offset > bytes || found < count {
            let want = self.types.get(type_index as usize);
            return input.fail(format!(
                "object {} has no {} at offset {}",
                to.id,
                want.map_or("value", |desc| &desc.name),
                to.offset
            ));
        }
        Ok(writer.addr(object.place) + to.offset)
    }

    /// How many values of the type wanted are at an offset in `count` values of a type.
    fn values_at(&self, type_index: u32, count: u64, offset: u64, want: u32, depth: u32) -> u64 {
        let Some(depth) = depth.checked_sub(1) else {
            return 0;
        };
        let (have, wanted) = (&self.types[type_index as usize], &self.types[want as usize]);
        if wanted.kind == Kind::Map && key_of_header(have) == Some(wanted.map_key) {
            return u64::from(have.elem == wanted.elem && offset == 0);
        }
        if have.size == 0 {
            return if wanted.size == 0 { u64::MAX } else { 0 };
        }
        // Types of the same structure convert to each other.
        let same = have.key == wanted.key && have.key != 0
            || (have.kind, have.size, &have.pointers)
                == (wanted.kind, wanted.size, &wanted.pointers);
        let (i, inner) = (offset / have.size, offset % have.size);
        if same && inner == 0 {
            return count.saturating_sub(i);
        }
        if wanted.size == 0 {
            return u64::from(i <= count);
        }
        if i < count {
            let found = match have.kind {
                Kind::Array => match self.by_key.get(&have.elem) {
                    Some(&elem) => self.values_at(elem, have.len, inner, want, depth),
                    None => 0,
                },
                Kind::Struct => {
                    let fields = have.fields.iter().rev();
                    let mut fields = fields.filter(|field| u64::from(field.offset) <= inner);
                    fields.next().map_or(0, |field| {
                        let offset = inner - u64::from(field.offset);
                        let of = self.by_key.get(&field.type_key);
                        of.map_or(0, |&of| self.values_at(of, 1, offset, want, depth))
                    })
                }
                _ => 0,
            };
            if found > 0 {
                return found;
            }
        }
        // A pointer to an array may be one into a slice.
        match (wanted.kind, self.by_key.get(&wanted.elem)) {
            (Kind::Array, Some(&elem)) if wanted.len > 0 => {
                self.values_at(type_index, count, offset, elem, depth) / wanted.len
            }
            _ => 0,
        }
    }
}

fn changed<T>(input: &Input) -> Result<T> {
    input.fail("the file changed while it was read")
}

fn put(input: &Input, contents: &mut [u8], at: usize, bytes: &[u8]) -> Result<()> {
    match contents.get_mut(at..at.saturating_add(bytes.len())) {
        Some(to) => to.copy_from_slice(bytes),
        None => return input.fail("a value that does not fit into its type"),
    }
    Ok(())
}

/// None of null.
fn reference(input: &mut Input) -> Result<Option<Ref>> {
    if input.peek()? != Some(b'{') {
        return match input.scalar()? {
            Scalar::Null => Ok(None),
            _ => input.fail("expected null or a reference"),
        };
    }
    let mut to = Ref::default();
    input.members(|input, name| {
        match name {
            "ref" => to.id = input.unsigned()?,
            "offset" => to.offset = input.unsigned()?,
            "len" => to.len = input.unsigned()?,
            "cap" => to.cap = Some(input.unsigned()?),
            _ => return input.fail(format!("an unknown member {name:?}")),
        }
        Ok(())
    })?;
    Ok(Some(to))
}
