//! How a value of one type becomes one of another: a tree of conversions, and the flat list of steps made from it.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::number::{is_number, widens};
use super::schema::{Schema, is_defined, underlying};
use super::text::{Change, FieldChange, Verdict};
use crate::types::{Field, Kind, PointerSlot, TypeDesc};

pub(super) type NodeId = usize;

/// From a type of the heap to one of the program.
pub(super) type Pair = (u64, u64);

/// The conversion of a value.
pub(super) struct Node {
    pub old: Arc<TypeDesc>,
    pub new: Arc<TypeDesc>,
    pub shape: Shape,
    /// Nothing to convert but references to things that move.
    pub same: bool,
    /// No conversion: the value is lost.
    pub mismatch: bool,
    /// The same type but for the stand-ins of makers.
    pub alike: bool,
    /// Changes in values by value, and how often in one.
    pub changes: Vec<(usize, u64)>,
    /// The change of this very type.
    pub own_change: Option<usize>,
    /// A maker makes a part of it.
    pub has_maker: bool,
    pub steps: Vec<Step>,
    /// Its references are to be followed, or its numbers looked at.
    pub is_followed: bool,
}

impl Node {
    fn new(old: Arc<TypeDesc>, new: Arc<TypeDesc>, shape: Shape) -> Node {
        Node {
            same: old == new,
            old,
            new,
            shape,
            mismatch: false,
            alike: true,
            changes: Vec::new(),
            own_change: None,
            has_maker: false,
            steps: Vec::new(),
            is_followed: false,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Shape {
    Bytes,
    /// Numbers of different kinds.
    Number,
    Reference(Reference),
    Array(NodeId),
    Struct {
        parts: Vec<Part>,
        /// Fields of the old struct that the new one does not have.
        removed: Vec<(u64, u64, String)>,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub from: u64,
    pub to: u64,
    pub node: NodeId,
}

/// Keys of a type of one name. Their low bits say how an interface holds it, which may have changed with the type.
pub(super) fn is_same_type(pair: Pair) -> bool {
    pair.0 | 3 == pair.1 | 3
}

/// Where a value refers to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// Type pointed to, before and after.
    Pointer(Pair),
    Slice(Pair),
    /// Types of the map.
    Map(Pair),
    Interface,
    /// From the header of a map to its entries.
    Entries(Pair),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Copy {
        from: u64,
        to: u64,
        len: u64,
    },
    Number {
        from: (u64, Kind),
        to: (u64, Kind),
    },
    /// The reference's words are copied by a step of their own.
    Refer {
        from: u64,
        to: u64,
        reference: Reference,
    },
    Repeat {
        from: u64,
        to: u64,
        node: NodeId,
        count: u64,
    },
}

/// Arrays up to this length have their elements' steps in place.
const UNROLLED: u64 = 8;

pub(super) struct Converter {
    pub schema: Schema,
    pub nodes: Vec<Node>,
    known: FxHashMap<Pair, NodeId>,
    /// Header and entries of maps.
    tables: FxHashMap<Pair, (NodeId, NodeId)>,
    pub changes: Vec<Change>,
    /// Pairs of types that references lead to, still to be looked at; and all there were.
    wanted: Vec<Pair>,
    wanted_tables: Vec<Pair>,
    retyped: FxHashSet<Pair>,
    /// Keys of new types whose values a maker makes, with its number.
    pub makers: FxHashMap<u64, usize>,
    relaid: FxHashMap<u64, Arc<TypeDesc>>,
}

impl Converter {
    pub fn new(schema: Schema) -> Converter {
        Converter {
            schema,
            nodes: Vec::new(),
            known: FxHashMap::default(),
            tables: FxHashMap::default(),
            changes: Vec::new(),
            wanted: Vec::new(),
            wanted_tables: Vec::new(),
            retyped: FxHashSet::default(),
            makers: FxHashMap::default(),
            relaid: FxHashMap::default(),
        }
    }

    pub fn node(&self, pair: Pair) -> Option<NodeId> {
        self.known.get(&pair).copied()
    }

    pub fn table(&self, pair: Pair) -> Option<(NodeId, NodeId)> {
        self.tables.get(&pair).copied()
    }

    pub fn old(&self, key: u64) -> Option<&Arc<TypeDesc>> {
        self.schema.old.get(&key)
    }

    /// A type after the migration, if it has been asked for before.
    pub fn laid_out(&self, key: u64) -> Option<Arc<TypeDesc>> {
        let desc = self.schema.program.get(&key);
        let desc = desc.or_else(|| self.relaid.get(&key));
        desc.or_else(|| self.schema.old.get(&key)).cloned()
    }

    /// References of the one type become such of the other.
    pub fn retype(&mut self, pair: Pair) {
        self.retyped.insert(pair);
    }

    /// A type after the migration: the program's, else the heap's with the new layouts of its parts.
    pub fn new_desc(&mut self, key: u64) -> Option<Arc<TypeDesc>> {
        if let Some(desc) = self.schema.program.get(&key) {
            return Some(desc.clone());
        }
        if let Some(desc) = self.relaid.get(&key) {
            return Some(desc.clone());
        }
        let old = self.schema.old.get(&key)?.clone();
        let new = match old.kind {
            Kind::Struct => self.lay_out(&old),
            Kind::Array => {
                let elem = self.new_desc(old.elem)?;
                let pointers = (0..old.len)
                    .flat_map(|i| shifted(&elem.pointers, i * elem.size))
                    .collect();
                TypeDesc {
                    size: elem.size * old.len,
                    align: elem.align,
                    pointers,
                    ..(*old).clone()
                }
            }
            _ => (*old).clone(),
        };
        let new = if new == *old { old } else { Arc::new(new) };
        self.relaid.insert(key, new.clone());
        Some(new)
    }

    /// A struct that the program does not know, its fields of the new sizes.
    fn lay_out(&mut self, old: &TypeDesc) -> TypeDesc {
        let (mut size, mut align) = (0u64, 1);
        let (mut fields, mut pointers) = (Vec::new(), Vec::new());
        for field in &old.fields {
            let Some(desc) = self.new_desc(field.type_key) else {
                return old.clone();
            };
            let at = size.next_multiple_of(u64::from(desc.align.max(1)));
            pointers.extend(shifted(&desc.pointers, at));
            fields.push(Field {
                offset: at as u32,
                ..field.clone()
            });
            size = at + desc.size;
            align = align.max(desc.align);
        }
        TypeDesc {
            size: size.next_multiple_of(u64::from(align)),
            align,
            fields,
            pointers,
            ..old.clone()
        }
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The conversion of a pair of types, and of all that it leads to.
    pub fn convert(&mut self, pair: Pair) -> Option<NodeId> {
        let node = self.build(pair);
        loop {
            if let Some(pair) = self.wanted.pop() {
                self.build(pair);
            } else if let Some(pair) = self.wanted_tables.pop() {
                self.build_table(pair);
            } else {
                return node;
            }
        }
    }

    fn build(&mut self, pair: Pair) -> Option<NodeId> {
        if let Some(&node) = self.known.get(&pair) {
            return Some(node);
        }
        let old = self.schema.old.get(&pair.0)?.clone();
        let new = self.new_desc(pair.1)?;
        let mut node = Node::new(old.clone(), new.clone(), Shape::Bytes);
        if self.are_related(pair, &old, &new) {
            self.shape(pair, &mut node);
        } else {
            self.mismatch(&mut node);
        }
        // A defined type that is no struct is named itself as the one that changed.
        if node.mismatch && is_same_type(pair) && node.changes.is_empty() {
            let line = FieldChange {
                name: String::new(),
                old: underlying(&self.schema, &old),
                new: underlying(&self.schema, &new),
                verdict: match node.shape {
                    Shape::Number => Verdict::Narrowed,
                    _ => Verdict::Incompatible,
                },
            };
            let change = self.change(&old.name, vec![line]);
            node.changes.push((change, 1));
            node.mismatch = false;
        }
        node.alike |= is_same_type(pair) || self.schema.views.contains(&pair);
        let id = self.add(node);
        self.known.insert(pair, id);
        if old.kind == Kind::Map && new.kind == Kind::Map {
            self.wanted_tables.push(pair);
        }
        Some(id)
    }

    fn change(&mut self, name: &str, fields: Vec<FieldChange>) -> usize {
        self.changes.push(Change {
            type_name: name.into(),
            fields,
            values: 0,
            made: false,
        });
        self.changes.len() - 1
    }

    fn mismatch(&self, node: &mut Node) {
        (node.same, node.mismatch, node.alike) = (false, true, false);
        node.shape = Shape::Struct {
            parts: Vec::new(),
            removed: vec![(0, node.old.size, node.old.name.clone())],
        };
    }

    /// Whether the types may stand for each other at all.
    fn are_related(&self, pair: Pair, old: &TypeDesc, new: &TypeDesc) -> bool {
        if is_same_type(pair) || self.schema.views.contains(&pair) {
            return true;
        }
        match old.kind {
            // Methods of dynamic types are not known here.
            Kind::Interface => new.kind == old.kind && new.name == "interface {}",
            _ => !(is_defined(old) && is_defined(new)),
        }
    }

    fn shape(&mut self, pair: Pair, node: &mut Node) {
        let (old, new) = (node.old.clone(), node.new.clone());
        if is_number(old.kind) && is_number(new.kind) {
            if old.kind != new.kind {
                (node.same, node.alike) = (false, false);
                node.shape = Shape::Number;
                node.mismatch = !self.schema.drop && !widens(old.kind, new.kind);
            }
            return;
        }
        if old.kind != new.kind {
            return self.mismatch(node);
        }
        match old.kind {
            Kind::Interface => node.shape = Shape::Reference(Reference::Interface),
            Kind::Pointer | Kind::Slice => {
                let pair = (old.elem, new.elem);
                if !self.refer(pair, node) {
                    return self.mismatch(node);
                }
                node.shape = Shape::Reference(match old.kind {
                    Kind::Pointer => Reference::Pointer(pair),
                    _ => Reference::Slice(pair),
                });
            }
            Kind::Map => {
                if !self.refer((old.map_key, new.map_key), node)
                    || !self.refer((old.elem, new.elem), node)
                {
                    return self.mismatch(node);
                }
                if pair.0 != pair.1 {
                    self.retyped.insert(pair);
                }
                node.shape = Shape::Reference(Reference::Map(pair));
            }
            Kind::Array => self.array(node),
            Kind::Struct => self.structure(pair, node),
            _ => {}
        }
    }

    /// A reference to a type that becomes another one; false if it cannot.
    fn refer(&mut self, pair: Pair, node: &mut Node) -> bool {
        if pair.0 == pair.1 {
            self.wanted.push(pair);
            return true;
        }
        node.same = false;
        self.retyped.insert(pair);
        if is_same_type(pair) || self.schema.views.contains(&pair) {
            self.wanted.push(pair);
            return true;
        }
        match self.build(pair) {
            Some(elem) => {
                node.alike &= self.nodes[elem].alike;
                !self.nodes[elem].mismatch
            }
            None => false,
        }
    }

    fn array(&mut self, node: &mut Node) {
        let (old, new) = (node.old.clone(), node.new.clone());
        let elem = match self.build((old.elem, new.elem)) {
            Some(elem) if old.len == new.len => elem,
            _ => return self.mismatch(node),
        };
        let inner = &self.nodes[elem];
        if inner.mismatch {
            return self.mismatch(node);
        }
        node.same &= inner.same;
        node.alike &= inner.alike;
        node.has_maker = inner.has_maker;
        node.changes = inner
            .changes
            .iter()
            .map(|&(c, n)| (c, n * old.len))
            .collect();
        node.shape = Shape::Array(elem);
    }

    fn structure(&mut self, pair: Pair, node: &mut Node) {
        let (old, new) = (node.old.clone(), node.new.clone());
        let was = self.schema.was.get(&pair.1).cloned().unwrap_or_default();
        let find = |name: &str| old.fields.iter().find(|field| field.name == name);
        let (mut parts, mut lines, mut taken) = (Vec::new(), Vec::new(), FxHashSet::default());
        let mut order = Vec::new();
        for field in new.fields.iter().filter(|field| field.name != "_") {
            let former = || {
                let names = was.iter().filter(|(now, _)| *now == field.name);
                let is_free = |name: &&String| new.fields.iter().all(|other| other.name != **name);
                names
                    .map(|(_, then)| then)
                    .filter(is_free)
                    .find_map(|name| find(name))
            };
            let source = find(&field.name).or_else(former);
            let mut line = FieldChange {
                name: field.name.clone(),
                old: String::new(),
                new: self.schema.name(field.type_key),
                verdict: Verdict::Added,
            };
            let Some(source) = source else {
                lines.push(line);
                continue;
            };
            taken.insert(source.name.clone());
            order.push(source.offset);
            line.old = self.schema.name(source.type_key);
            let Some(inner) = self.build((source.type_key, field.type_key)) else {
                line.verdict = Verdict::Incompatible;
                lines.push(line);
                continue;
            };
            let part = &self.nodes[inner];
            node.same &= part.same && source.offset == field.offset;
            node.alike &= part.alike;
            node.has_maker |= part.has_maker;
            if part.mismatch {
                line.verdict = match part.shape {
                    Shape::Number => Verdict::Narrowed,
                    _ => Verdict::Incompatible,
                };
                lines.push(line);
                continue;
            }
            for &(change, n) in &part.changes {
                add_change(&mut node.changes, change, n);
            }
            line.verdict = match &part.shape {
                Shape::Number if !widens(part.old.kind, part.new.kind) => Verdict::Narrowed,
                _ if source.name != field.name => Verdict::Renamed(source.name.clone()),
                _ if !part.alike && source.type_key != field.type_key => Verdict::Widened,
                _ => Verdict::Same,
            };
            if line.verdict != Verdict::Same {
                lines.push(line);
            }
            parts.push(Part {
                from: source.offset.into(),
                to: field.offset.into(),
                node: inner,
            });
        }
        let mut removed = Vec::new();
        for field in &old.fields {
            if field.name == "_" || taken.contains(&field.name) {
                continue;
            }
            let size = self.old(field.type_key).map_or(0, |desc| desc.size);
            removed.push((u64::from(field.offset), size, field.name.clone()));
            lines.push(FieldChange {
                name: field.name.clone(),
                old: self.schema.name(field.type_key),
                new: String::new(),
                verdict: Verdict::Removed,
            });
        }
        if lines.is_empty() && !order.is_sorted() {
            lines.push(FieldChange::reordered());
        }
        node.alike &= lines.iter().all(|line| line.verdict == Verdict::Reordered);
        node.shape = Shape::Struct { parts, removed };
        let made = self.makers.contains_key(&pair.1) && pair.0 == pair.1;
        if !lines.is_empty() {
            node.same = false;
            let change = self.change(&old.name, lines);
            self.changes[change].made = made;
            node.own_change = Some(change);
            // A stand-in's differences count for nothing but its choice.
            if !self.schema.views.contains(&pair) {
                add_change(&mut node.changes, change, 1);
            }
        }
        if made {
            (node.has_maker, node.same) = (true, false);
        }
    }

    /// The objects that a map consists of.
    fn build_table(&mut self, pair: Pair) {
        let map = self.nodes[self.known[&pair]].old.clone();
        let new_map = self.nodes[self.known[&pair]].new.clone();
        let (key_pair, elem_pair) = ((map.map_key, new_map.map_key), (map.elem, new_map.elem));
        let (Some(key), Some(elem)) = (self.build(key_pair), self.build(elem_pair)) else {
            return;
        };
        let (key, elem) = (&self.nodes[key], &self.nodes[elem]);
        let old = TypeDesc::map_entries(&map, &key.old, &elem.old);
        let new = TypeDesc::map_entries(&new_map, &key.new, &elem.new);
        let place = |desc: &TypeDesc, i: usize| u64::from(desc.fields[i].offset);
        let mut changes = key.changes.clone();
        elem.changes
            .iter()
            .for_each(|&(change, n)| add_change(&mut changes, change, n));
        let part = |i, pair: Pair| Part {
            from: place(&old, i),
            to: place(&new, i),
            node: self.known[&pair],
        };
        let parts = vec![part(0, key_pair), part(1, elem_pair)];
        let mut entries = Node {
            same: key.same && elem.same && old == new,
            alike: true,
            mismatch: key.mismatch || elem.mismatch,
            changes,
            own_change: None,
            has_maker: key.has_maker || elem.has_maker,
            shape: Shape::Struct {
                parts,
                removed: Vec::new(),
            },
            old: Arc::new(old),
            new: Arc::new(new),
            steps: Vec::new(),
            is_followed: false,
        };
        if entries.old == entries.new {
            entries.new = entries.old.clone();
        }
        let header = |map: &TypeDesc| Arc::new(TypeDesc::map_header(map));
        let (old, new) = (header(&map), header(&new_map));
        let header = Node::new(old, new, Shape::Reference(Reference::Entries(pair)));
        let both = (self.add(header), self.add(entries));
        self.tables.insert(pair, both);
    }

    /// Makes the steps of every conversion; references that lead to nothing that moves are left out.
    pub fn finish(&mut self) {
        let leads = self.leads();
        for id in 0..self.nodes.len() {
            let mut steps = Vec::new();
            self.steps(id, 0, 0, &leads, &mut steps);
            self.nodes[id].steps = steps;
        }
        for id in 0..self.nodes.len() {
            self.nodes[id].is_followed = self.is_followed(id);
        }
    }

    fn is_followed(&self, id: NodeId) -> bool {
        self.nodes[id].steps.iter().any(|step| match step {
            Step::Copy { .. } => false,
            Step::Number { from, to } => !widens(from.1, to.1),
            Step::Refer { .. } => true,
            Step::Repeat { node, .. } => self.is_followed(*node),
        })
    }

    fn steps(&self, id: NodeId, from: u64, to: u64, leads: &Leads, out: &mut Vec<Step>) {
        let node = &self.nodes[id];
        match &node.shape {
            Shape::Bytes => copy(out, from, to, node.old.size),
            Shape::Number => out.push(Step::Number {
                from: (from, node.old.kind),
                to: (to, node.new.kind),
            }),
            Shape::Reference(reference) => {
                copy(out, from, to, node.old.size);
                let at = match reference {
                    Reference::Entries(_) => node.old.pointers.first().map_or(0, |p| p.offset()),
                    _ => 0,
                };
                if leads.through(self, *reference) {
                    out.push(Step::Refer {
                        from: from + u64::from(at),
                        to: to + u64::from(at),
                        reference: *reference,
                    });
                }
            }
            Shape::Array(elem) if node.old.len <= UNROLLED => {
                let (old, new) = (self.nodes[*elem].old.size, self.nodes[*elem].new.size);
                for i in 0..node.old.len {
                    self.steps(*elem, from + i * old, to + i * new, leads, out);
                }
            }
            Shape::Array(elem) => out.push(Step::Repeat {
                from,
                to,
                node: *elem,
                count: node.old.len,
            }),
            Shape::Struct { parts, .. } => {
                // What lies before the first field of a map's entry is the table's own.
                if node.old.kind == Kind::Internal {
                    copy(out, from, to, parts[0].from);
                }
                for part in parts {
                    self.steps(part.node, from + part.from, to + part.to, leads, out);
                }
            }
        }
    }

    fn leads(&self) -> Leads {
        let mut leads = Leads::default();
        // What lies in values that move: pointers to it must follow.
        let mut inside = Vec::new();
        for (pair, &id) in &self.known {
            if !self.nodes[id].same {
                leads.types.insert(pair.0);
                inside.push(pair.0);
            }
        }
        for &(old, _) in &self.retyped {
            leads.types.insert(old);
            inside.push(old);
        }
        leads.moves = !inside.is_empty();
        while let Some(key) = inside.pop() {
            let Some(desc) = self.old(key) else {
                continue;
            };
            let fields = desc.fields.iter().map(|field| field.type_key);
            let elem = (desc.kind == Kind::Array).then_some(desc.elem);
            let entry = (desc.kind == Kind::Map).then_some([desc.map_key, desc.elem]);
            for part in fields.chain(elem).chain(entry.into_iter().flatten()) {
                if leads.inside.insert(part) {
                    inside.push(part);
                }
            }
        }
        loop {
            let before = leads.types.len();
            for (&key, desc) in &self.schema.old {
                let mut parts = desc
                    .fields
                    .iter()
                    .map(|field| field.type_key)
                    .chain([desc.elem, desc.map_key]);
                let is_reference = matches!(desc.kind, Kind::Pointer | Kind::Slice);
                let does = parts.any(|part| {
                    leads.types.contains(&part) || (is_reference && leads.inside.contains(&part))
                });
                if does || (desc.kind == Kind::Interface && leads.moves) {
                    leads.types.insert(key);
                }
            }
            if leads.types.len() == before {
                return leads;
            }
        }
    }
}

/// What leads to objects that move.
#[derive(Default)]
struct Leads {
    /// Types that move, and those from whose values they can be reached.
    types: FxHashSet<u64>,
    /// Types of which there are values inside such as move.
    inside: FxHashSet<u64>,
    moves: bool,
}

impl Leads {
    fn through(&self, converter: &Converter, reference: Reference) -> bool {
        match reference {
            Reference::Pointer((old, new)) | Reference::Slice((old, new)) => {
                old != new || self.types.contains(&old) || self.inside.contains(&old)
            }
            Reference::Map((old, new)) | Reference::Entries((old, new)) => {
                let holds = converter.old(old).is_some_and(|map| {
                    self.types.contains(&map.elem) || self.types.contains(&map.map_key)
                });
                old != new || self.types.contains(&old) || holds
            }
            Reference::Interface => self.moves,
        }
    }
}

fn add_change(changes: &mut Vec<(usize, u64)>, change: usize, n: u64) {
    match changes.iter_mut().find(|(other, _)| *other == change) {
        Some((_, count)) => *count += n,
        None => changes.push((change, n)),
    }
}

fn shifted(pointers: &[PointerSlot], by: u64) -> impl Iterator<Item = PointerSlot> {
    pointers.iter().map(move |slot| slot.shifted(by as u32))
}

/// Copies that follow each other are one.
fn copy(out: &mut Vec<Step>, from: u64, to: u64, len: u64) {
    if len == 0 {
        return;
    }
    if let Some(Step::Copy {
        from: start,
        to: target,
        len: before,
    }) = out
        .iter_mut()
        .rev()
        .find(|step| !matches!(step, Step::Refer { .. }))
        && from == *start + *before
        && to == *target + *before
    {
        *before += len;
        return;
    }
    out.push(Step::Copy { from, to, len });
}
