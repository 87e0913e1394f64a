//! Values of a heap read into trees, by the types that the heap itself describes, with bounds on depth, width and size.
use super::time::{self, Moment};
use pheap::maps::{ALIVE, ENTRIES, USED};
use pheap::{Error, Kind, Result, TypeDesc, View};

/// Bytes of strings read at most.
const STRING_BYTES: u64 = 64 << 10;
/// Values in a tree at most.
const NODES: usize = 200_000;

/// A value of a type at an address of the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub type_index: u32,
    pub addr: u64,
}

pub struct Value {
    pub type_name: String,
    pub form: Form,
}

pub enum Form {
    Nil,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float32(f32),
    Float64(f64),
    Complex(f64, f64),
    /// The text and the number of bytes left out.
    Str(String, u64),
    /// Elements, and how many were left out.
    Seq(Vec<Value>, u64),
    Map(Vec<(Value, Value)>, u64),
    Struct(Vec<(String, Value)>),
    /// A time.Time.
    Moment(Moment),
    Pointer(Box<Value>),
    /// A pointer to a value that this one is inside of.
    Cycle(u64),
    /// Deeper than asked for.
    Deep,
    Unreadable(String),
}

#[derive(Clone, Copy)]
pub struct Bounds {
    pub depth: usize,
    pub width: u64,
}

pub struct Reader<'a> {
    pub view: &'a View,
    bounds: Bounds,
    nodes: usize,
    inside: Vec<Place>,
}

/// The name of a type, made up from its structure if it has none.
pub fn type_name(desc: &TypeDesc) -> String {
    if desc.name.is_empty() {
        format!("{:?}", desc.kind).to_lowercase()
    } else {
        desc.name.clone()
    }
}

pub fn damaged(view: &View, addr: u64, what: &str) -> Error {
    Error::Damaged {
        path: view.path().to_owned(),
        offset: addr.wrapping_sub(view.base()),
        what: what.into(),
    }
}

pub fn desc(view: &View, place: Place) -> &TypeDesc {
    &view.types()[place.type_index as usize]
}

/// A value of the type with a key.
pub fn place(view: &View, key: u64, addr: u64) -> Result<Place> {
    match view.find_type(key) {
        Some(type_index) => Ok(Place { type_index, addr }),
        None => Err(damaged(
            view,
            addr,
            "a value of a type that the heap does not have",
        )),
    }
}

/// Number of elements of an array, slice or string, and where they begin.
pub fn elements(view: &View, at: Place) -> Result<(u64, u64)> {
    let desc = desc(view, at);
    if desc.kind == Kind::Array {
        return Ok((at.addr, desc.len));
    }
    Ok((view.word(at.addr)?, view.word(at.addr + 8)?))
}

/// The element type's key and size, and the elements, checked to lie inside the heap.
pub fn sequence(view: &View, at: Place) -> Result<(u64, u64, u64)> {
    let (start, len) = elements(view, at)?;
    let elem = desc(view, at).elem;
    let size = view.types()[place(view, elem, start)?.type_index as usize].size;
    match len
        .checked_mul(size)
        .and_then(|bytes| start.checked_add(bytes))
    {
        Some(_) => Ok((start, len, size)),
        None => Err(damaged(view, at.addr, "a length out of range")),
    }
}

/// What an interface holds; none if it is nil. The heap need not describe the type of a pointer or map that only
/// interfaces hold, but it does that of the object pointed to: then it is this object, and the second value true.
pub fn dynamic(view: &View, at: Place) -> Result<Option<(Place, bool)>> {
    let key = view.word(at.addr)?;
    if key == 0 {
        return Ok(None);
    }
    let (data, word) = (at.addr + 8, view.word(at.addr + 8)?);
    if key & 3 == 2 || view.find_type(key).is_some() {
        let addr = if key & 3 == 2 { word } else { data };
        return place(view, key, addr).map(|found| Some((found, false)));
    }
    let missing = || {
        damaged(
            view,
            at.addr,
            "an interface that holds what the heap does not have",
        )
    };
    let object = view.find_object(word)?.ok_or_else(missing)?;
    let desc = view.types().get(object.type_index as usize);
    let desc = desc.ok_or_else(missing)?;
    if desc.kind != Kind::Internal {
        let place = Place {
            type_index: object.type_index,
            addr: word,
        };
        return Ok(Some((place, true)));
    }
    let is_map = |map: &TypeDesc| {
        map.kind == Kind::Map && (map.elem, map.map_key) == (desc.elem, desc.map_key)
    };
    let map = view.types().iter().position(|map| is_map(map));
    let type_index = map.ok_or_else(missing)? as u32;
    let place = Place {
        type_index,
        addr: data,
    };
    Ok(Some((place, false)))
}

/// What a pointer points to; none if it is nil.
pub fn target(view: &View, at: Place) -> Result<Option<Place>> {
    match view.word(at.addr)? {
        0 => Ok(None),
        addr => place(view, desc(view, at).elem, addr).map(Some),
    }
}

/// Number of the live entries of a map, and each with its key and value as long as `visit` gives true.
pub fn for_each_entry(
    view: &View,
    at: Place,
    visit: impl FnMut(Place, Place) -> Result<bool>,
) -> Result<u64> {
    let map = desc(view, at);
    match view.word(at.addr)? {
        0 => Ok(0),
        header => entries_of(view, header, map.map_key, map.elem, visit),
    }
}

/// As `for_each_entry`, by the map's header and the keys of its types.
pub fn entries_of(
    view: &View,
    header: u64,
    key: u64,
    elem: u64,
    mut visit: impl FnMut(Place, Place) -> Result<bool>,
) -> Result<u64> {
    let (count, entries, used) = (
        view.word(header)?,
        view.word(header + ENTRIES)?,
        view.word(header + USED)?,
    );
    if used == 0 {
        return Ok(count);
    }
    let object = view.find_object(entries)?;
    let Some(object) = object.filter(|o| o.addr == entries && u64::from(o.count) >= used) else {
        return Err(damaged(view, entries, "the entries of a map are missing"));
    };
    let entry = match view.types().get(object.type_index as usize) {
        Some(entry) if entry.kind == Kind::Internal && entry.fields.len() == 2 => entry,
        _ => return Err(damaged(view, entries, "the entries of a map are missing")),
    };
    for i in 0..used {
        let addr = entries + i * entry.size;
        if view.word(addr)? & ALIVE == 0 {
            continue;
        }
        let key_at = place(view, key, addr + u64::from(entry.fields[0].offset))?;
        let value = place(view, elem, addr + u64::from(entry.fields[1].offset))?;
        if !visit(key_at, value)? {
            break;
        }
    }
    Ok(count)
}

/// The bytes of a string, at most `max`, and its length.
pub fn string(view: &View, at: Place, max: u64) -> Result<(Vec<u8>, u64)> {
    let (start, len) = elements(view, at)?;
    Ok((view.read(start, len.min(max))?, len))
}

impl<'a> Reader<'a> {
    pub fn new(view: &'a View, bounds: Bounds) -> Reader<'a> {
        Reader {
            view,
            bounds,
            nodes: 0,
            inside: Vec::new(),
        }
    }

    /// Damage inside the value is shown in its place.
    pub fn read(&mut self, at: Place) -> Result<Value> {
        self.nodes += 1;
        // An interface shows as what it holds, which is never an interface.
        let at = match desc(self.view, at).kind {
            Kind::Interface => match dynamic(self.view, at) {
                Ok(Some((inner, false))) => inner,
                Ok(Some((inner, true))) => {
                    return Ok(Value {
                        type_name: format!("*{}", type_name(desc(self.view, inner))),
                        form: self.pointer(inner)?,
                    });
                }
                Ok(None) | Err(Error::Damaged { .. }) => at,
                Err(error) => return Err(error),
            },
            _ => at,
        };
        let form = match self.form(at) {
            Err(Error::Damaged { what, .. }) => Form::Unreadable(what),
            form => form?,
        };
        Ok(Value {
            type_name: type_name(desc(self.view, at)),
            form,
        })
    }

    fn form(&mut self, at: Place) -> Result<Form> {
        let (view, addr) = (self.view, at.addr);
        let desc = desc(view, at);
        let bytes = |n: u64| -> Result<u64> {
            let mut word = [0; 8];
            word[..n as usize].copy_from_slice(&view.read(addr, n)?);
            Ok(u64::from_le_bytes(word))
        };
        let float = |at: u64| -> Result<f64> { Ok(f64::from_bits(view.word(at)?)) };
        let half = |at: u64| -> Result<f32> {
            let bytes = view.read(at, 4)?;
            Ok(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        };
        Ok(match desc.kind {
            Kind::Bool => Form::Bool(bytes(1)? != 0),
            Kind::Int8 => Form::Int((bytes(1)? as i8).into()),
            Kind::Int16 => Form::Int((bytes(2)? as i16).into()),
            Kind::Int32 => Form::Int((bytes(4)? as i32).into()),
            Kind::Int | Kind::Int64 => Form::Int(view.word(addr)? as i64),
            Kind::Uint8 => Form::Uint(bytes(1)?),
            Kind::Uint16 => Form::Uint(bytes(2)?),
            Kind::Uint32 => Form::Uint(bytes(4)?),
            Kind::Uint | Kind::Uint64 | Kind::Uintptr => Form::Uint(view.word(addr)?),
            Kind::Float32 => Form::Float32(half(addr)?),
            Kind::Float64 => Form::Float64(float(addr)?),
            Kind::Complex64 => Form::Complex(half(addr)?.into(), half(addr + 4)?.into()),
            Kind::Complex128 => Form::Complex(float(addr)?, float(addr + 8)?),
            Kind::String => {
                let (text, len) = string(view, at, STRING_BYTES)?;
                let left = len - text.len() as u64;
                Form::Str(String::from_utf8_lossy(&text).into_owned(), left)
            }
            Kind::Interface => match dynamic(view, at)? {
                None => Form::Nil,
                Some(_) => Form::Unreadable("an interface in an interface".into()),
            },
            Kind::Pointer => match target(view, at)? {
                None => Form::Nil,
                Some(to) => return self.pointer(to),
            },
            Kind::Slice if view.word(addr)? == 0 => Form::Nil,
            Kind::Map if view.word(addr)? == 0 => Form::Nil,
            Kind::Slice | Kind::Array | Kind::Map | Kind::Struct => {
                if let Some(moment) = time::moment(view, at)? {
                    return Ok(Form::Moment(moment));
                }
                return self.inner(at, |reader| reader.composite(at));
            }
            Kind::Bytes | Kind::Internal => Form::Unreadable("no value of a program".into()),
        })
    }

    fn pointer(&mut self, to: Place) -> Result<Form> {
        if self.inside.contains(&to) {
            return Ok(Form::Cycle(to.addr));
        }
        self.inner(to, |reader| {
            Ok(Form::Pointer(Box::new(reader.read_open(to)?)))
        })
    }

    /// What a pointer points to: the pointer has counted as a level already.
    fn read_open(&mut self, at: Place) -> Result<Value> {
        self.nodes += 1;
        if !matches!(desc(self.view, at).kind, Kind::Struct | Kind::Array) {
            return self.read(at);
        }
        let form = match self.composite(at) {
            Err(Error::Damaged { what, .. }) => Form::Unreadable(what),
            form => form?,
        };
        Ok(Value {
            type_name: type_name(desc(self.view, at)),
            form,
        })
    }

    fn inner(&mut self, at: Place, read: impl FnOnce(&mut Self) -> Result<Form>) -> Result<Form> {
        if self.inside.len() >= self.bounds.depth || self.nodes >= NODES {
            return Ok(Form::Deep);
        }
        self.inside.push(at);
        let form = read(self);
        self.inside.pop();
        form
    }

    fn composite(&mut self, at: Place) -> Result<Form> {
        let view = self.view;
        let desc = desc(view, at);
        if let Some(moment) = time::moment(view, at)? {
            return Ok(Form::Moment(moment));
        }
        match desc.kind {
            Kind::Struct => desc
                .fields
                .iter()
                .map(|field| {
                    let at = place(view, field.type_key, at.addr + u64::from(field.offset))?;
                    Ok((field.name.clone(), self.read(at)?))
                })
                .collect::<Result<_>>()
                .map(Form::Struct),
            Kind::Map => {
                let (mut entries, width) = (Vec::new(), self.bounds.width);
                let count = for_each_entry(view, at, |key, value| {
                    if entries.len() as u64 >= width {
                        return Ok(false);
                    }
                    entries.push((self.read(key)?, self.read(value)?));
                    Ok(true)
                })?;
                let left = count.saturating_sub(entries.len() as u64);
                Ok(Form::Map(entries, left))
            }
            _ => {
                let (start, len, size) = sequence(view, at)?;
                let shown = len.min(self.bounds.width);
                let items: Vec<Value> = (0..shown)
                    .map(|i| self.read(place(view, desc.elem, start + i * size)?))
                    .collect::<Result<_>>()?;
                Ok(Form::Seq(items, len - shown))
            }
        }
    }
}
