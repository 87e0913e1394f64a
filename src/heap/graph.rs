//! `pgo heap graph`: the objects that a root or another value reaches, and what refers to what, as DOT or SVG. Strings are
//! part of the objects that hold them, the parts of a map one node.
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;

use pheap::maps::key_of_header;
use pheap::{FIRST_TYPE, Kind, ObjectRef, Result, View};

use super::look::with_view;
use super::path::{Found, find};
use super::print::inline;
use super::value::{
    Bounds, Place, Reader, desc, dynamic, entries_of, place, sequence, target, type_name,
};
use super::{reach, svg};
use crate::quote::quoted;

/// Lines of a node's values, and characters of a line, at most.
const LINES: usize = 8;
const LINE_CHARS: usize = 48;
/// References out of one object that are looked at.
const EDGES: usize = 100_000;

#[derive(clap::Args)]
pub struct Args {
    /// The heap file
    file: PathBuf,
    /// Where to start, such as users["ada"] [default: all roots]
    path: Option<String>,
    /// Objects to show at most, those nearest to the start
    #[arg(long, value_name = "N", default_value_t = 60)]
    max: usize,
    /// Draw it as SVG instead of DOT, which is for Graphviz
    #[arg(long, conflicts_with = "json")]
    svg: bool,
    /// Print nodes and edges as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Default)]
pub struct Graph {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    /// Objects of the program that can be reached, shown or not.
    pub objects: u64,
    pub shown: u64,
}

pub struct Node {
    pub title: String,
    pub lines: Vec<String>,
    /// Distance from the start.
    pub depth: usize,
    pub role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Root,
    Object,
    /// Stands for what is not shown.
    More,
}

pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub label: String,
}

pub fn run(args: &Args) -> Result<i32> {
    let graph = with_view(&args.file, |view| {
        let starts = match &args.path {
            None => view
                .roots()
                .iter()
                .map(|root| {
                    let at = Place {
                        type_index: root.type_index,
                        addr: root.addr,
                    };
                    (root.name.clone(), at)
                })
                .collect(),
            Some(path) => match find(view, path)? {
                Ok(Found::At(at)) => vec![(path.clone(), at)],
                Ok(Found::Range(..)) => {
                    return Ok(Err(format!("{path}: a part of a slice; name an element")));
                }
                Err(message) => return Ok(Err(message)),
            },
        };
        Builder::build(view, starts, args.max.max(1)).map(Ok)
    })?;
    match graph {
        Ok(graph) if args.svg => print!("{}", svg::graph(&graph)),
        Ok(graph) if args.json => println!("{}", json(&graph)),
        Ok(graph) => print!("{}", dot(&graph)),
        Err(message) => return Ok(crate::run::fail(&message)),
    }
    Ok(0)
}

struct Builder<'a> {
    view: &'a View,
    graph: Graph,
    /// Node of each object, by address.
    nodes: HashMap<u64, usize>,
    queue: VecDeque<(usize, ObjectRef)>,
    max: usize,
}

impl Builder<'_> {
    fn build(view: &View, starts: Vec<(String, Place)>, max: usize) -> Result<Graph> {
        let mut builder = Builder {
            view,
            graph: Graph::default(),
            nodes: HashMap::new(),
            queue: VecDeque::new(),
            max,
        };
        let addrs = starts.iter().map(|(_, at)| at.addr);
        let reached = reach::all(view, addrs, |object| !is_part(view, object))?;
        builder.graph.objects = reached.objects;
        let (mut more, all) = (0, starts.len());
        for (name, at) in starts {
            if builder.graph.nodes.len() >= max {
                more += 1;
                continue;
            }
            let title = format!("{name} {}", type_name(desc(view, at)));
            let lines = builder.lines(at)?;
            let node = builder.node(title, lines, 0, Role::Root);
            if let Some(object) = view.find_object(at.addr)?
                && object.addr == at.addr
                && builder.nodes.insert(object.addr, node).is_none()
            {
                builder.graph.shown += 1;
            }
            let mut edges = Vec::new();
            builder.references(at, String::new(), &mut edges)?;
            builder.connect(node, 0, edges)?;
        }
        if more > 0 {
            builder.node(
                format!("… {more} more of {all} roots"),
                Vec::new(),
                0,
                Role::More,
            );
        }
        while let Some((node, object)) = builder.queue.pop_front() {
            let depth = builder.graph.nodes[node].depth;
            let edges = builder.edges(&object)?;
            builder.connect(node, depth, edges)?;
        }
        Ok(builder.graph)
    }

    fn node(&mut self, title: String, lines: Vec<String>, depth: usize, role: Role) -> usize {
        self.graph.nodes.push(Node {
            title,
            lines,
            depth,
            role,
        });
        self.graph.nodes.len() - 1
    }

    /// Draws edges, with new nodes for what they lead to while there is room.
    fn connect(&mut self, from: usize, depth: usize, edges: Vec<(String, u64)>) -> Result<()> {
        let (mut more, mut drawn) = (0, HashMap::new());
        for (label, addr) in edges {
            let Some(object) = self.view.find_object(addr)? else {
                continue;
            };
            if is_part(self.view, &object) {
                continue;
            }
            let to = match self.nodes.get(&object.addr) {
                Some(&to) => to,
                None if self.graph.nodes.len() >= self.max => {
                    more += 1;
                    continue;
                }
                None => {
                    let (title, lines) = self.describe(&object)?;
                    let to = self.node(title, lines, depth + 1, Role::Object);
                    self.graph.shown += 1;
                    self.nodes.insert(object.addr, to);
                    self.queue.push_back((to, object));
                    to
                }
            };
            // Several references to one object are one edge.
            let edge = *drawn.entry(to).or_insert_with(|| {
                self.graph.edges.push(Edge {
                    from,
                    to,
                    label: String::new(),
                });
                self.graph.edges.len() - 1
            });
            let text = &mut self.graph.edges[edge].label;
            if text.is_empty() {
                *text = label;
            } else if !text.ends_with('…') {
                *text = match text.chars().count() + label.chars().count() < 24 {
                    true => format!("{text}, {label}"),
                    false => format!("{text}, …"),
                };
            }
        }
        if more > 0 {
            let to = self.node(format!("… {more} more"), Vec::new(), depth + 1, Role::More);
            self.graph.edges.push(Edge {
                from,
                to,
                label: String::new(),
            });
        }
        Ok(())
    }

    /// Title and values of an object.
    fn describe(&self, object: &ObjectRef) -> Result<(String, Vec<String>)> {
        let Some(desc) = self.view.types().get(object.type_index as usize) else {
            return Ok(("an unknown type".into(), Vec::new()));
        };
        let name = type_name(desc);
        if key_of_header(desc).is_some() {
            let count = self.view.word(object.addr + pheap::maps::COUNT)?;
            let name = name.trim_start_matches("header of ");
            return Ok((format!("{name}, {count} entries"), Vec::new()));
        }
        let at = Place {
            type_index: object.type_index,
            addr: object.addr,
        };
        if object.count == 1 {
            return Ok((name, self.lines(at)?));
        }
        let mut lines = Vec::new();
        if desc.pointers.is_empty() && desc.size > 0 && object.count > 0 {
            let bounds = Bounds { depth: 2, width: 4 };
            let mut reader = Reader::new(self.view, bounds);
            let shown = u64::from(object.count).min(4);
            for i in 0..shown {
                let addr = object.addr + i * desc.size;
                lines.push(inline(&reader.read(Place { addr, ..at })?));
            }
            let mut line = lines.join(", ");
            if u64::from(object.count) > shown {
                line += ", …";
            }
            lines = vec![short(&line)];
        }
        Ok((format!("[{}]{name}", object.count), lines))
    }

    /// Lines for the parts of a value that are no references.
    fn lines(&self, at: Place) -> Result<Vec<String>> {
        let view = self.view;
        let ty = desc(view, at);
        let bounds = Bounds { depth: 2, width: 4 };
        let mut reader = Reader::new(view, bounds);
        let mut lines = Vec::new();
        if ty.kind == Kind::Struct {
            for field in &ty.fields {
                let part = place(view, field.type_key, at.addr + u64::from(field.offset))?;
                if is_plain(view, part)? {
                    let value = inline(&reader.read(part)?);
                    lines.push(short(&format!("{}: {value}", field.name)));
                }
            }
            let rest = lines.len().saturating_sub(LINES);
            if rest > 1 {
                lines.truncate(LINES - 1);
                lines.push(format!("… {} more fields", rest + 1));
            }
        } else if is_plain(view, at)? {
            lines.push(short(&inline(&reader.read(at)?)));
        }
        Ok(lines)
    }

    /// What an object refers to, each with the way there.
    fn edges(&self, object: &ObjectRef) -> Result<Vec<(String, u64)>> {
        let view = self.view;
        let mut edges = Vec::new();
        let Some(desc) = view.types().get(object.type_index as usize) else {
            return Ok(edges);
        };
        if let Some(key) = key_of_header(desc) {
            entries_of(view, object.addr, key, desc.elem, |key, value| {
                let bounds = Bounds { depth: 2, width: 4 };
                let name = inline(&Reader::new(view, bounds).read(key)?);
                let label = format!("[{}]", short(&name));
                self.references(key, "key".into(), &mut edges)?;
                self.references(value, label, &mut edges)?;
                Ok(edges.len() < EDGES)
            })?;
        } else if !desc.pointers.is_empty() {
            for i in 0..u64::from(object.count) {
                let label = match object.count {
                    1 => String::new(),
                    _ => format!("[{i}]"),
                };
                let at = Place {
                    type_index: object.type_index,
                    addr: object.addr + i * desc.size,
                };
                self.references(at, label, &mut edges)?;
                if edges.len() >= EDGES {
                    break;
                }
            }
        }
        Ok(edges)
    }

    /// What a value refers to.
    fn references(&self, at: Place, label: String, out: &mut Vec<(String, u64)>) -> Result<()> {
        let view = self.view;
        let desc = desc(view, at);
        if desc.pointers.is_empty() || out.len() >= EDGES {
            return Ok(());
        }
        match desc.kind {
            Kind::Pointer => {
                if let Some(to) = target(view, at)? {
                    out.push((label, to.addr));
                }
            }
            Kind::Map | Kind::Slice => match view.word(at.addr)? {
                0 => {}
                addr => out.push((label, addr)),
            },
            Kind::Interface => {
                if let Some((inner, is_pointer)) = dynamic(view, at)? {
                    let boxed = view.word(at.addr)? & 2 != 0;
                    match is_pointer || boxed {
                        true => out.push((label, inner.addr)),
                        false => self.references(inner, label, out)?,
                    }
                }
            }
            Kind::Struct => {
                for field in &desc.fields {
                    let part = place(view, field.type_key, at.addr + u64::from(field.offset))?;
                    let dot = if label.is_empty() { "" } else { "." };
                    self.references(part, format!("{label}{dot}{}", field.name), out)?;
                }
            }
            Kind::Array => {
                let (start, len, size) = sequence(view, at)?;
                for i in 0..len {
                    let part = place(view, desc.elem, start + i * size)?;
                    self.references(part, format!("{label}[{i}]"), out)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Bytes of strings, and the entries of maps: no nodes.
fn is_part(view: &View, object: &ObjectRef) -> bool {
    let desc = view.types().get(object.type_index as usize);
    object.type_index < FIRST_TYPE
        || desc.is_some_and(|desc| desc.kind == Kind::Internal && key_of_header(desc).is_none())
}

/// Whether a value is shown as such: it has no references but to strings.
fn is_plain(view: &View, at: Place) -> Result<bool> {
    let desc = desc(view, at);
    Ok(match desc.kind {
        Kind::Pointer | Kind::Map | Kind::Slice => view.word(at.addr)? == 0,
        Kind::Interface => match dynamic(view, at)? {
            Some((inner, false)) => is_plain(view, inner)?,
            Some((_, true)) => false,
            None => true,
        },
        Kind::Struct => {
            for field in &desc.fields {
                let part = place(view, field.type_key, at.addr + u64::from(field.offset))?;
                if !is_plain(view, part)? {
                    return Ok(false);
                }
            }
            true
        }
        Kind::Array => desc.len == 0 || is_plain(view, place(view, desc.elem, at.addr)?)?,
        _ => true,
    })
}

fn short(line: &str) -> String {
    match line.char_indices().nth(LINE_CHARS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_string(),
    }
}

fn dot(graph: &Graph) -> String {
    let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = format!(
        "digraph heap {{\n    rankdir=LR;\n    label=\"{} of {} objects\";\n    node [shape=box, fontname=\"monospace\", fontsize=10];\n    edge [fontname=\"monospace\", fontsize=9];\n",
        graph.shown, graph.objects
    );
    for (i, node) in graph.nodes.iter().enumerate() {
        let mut label = quote(&node.title);
        for line in &node.lines {
            label += &format!("\\n{}", quote(line));
        }
        if !node.lines.is_empty() {
            label = label.replace("\\n", "\\l") + "\\l";
        }
        let style = match node.role {
            Role::Root => ", style=bold",
            Role::Object => "",
            Role::More => ", style=dashed",
        };
        out += &format!("    n{i} [label=\"{label}\"{style}];\n");
    }
    for edge in &graph.edges {
        let label = match edge.label.as_str() {
            "" => String::new(),
            label => format!(" [label=\"{}\"]", quote(label)),
        };
        out += &format!("    n{} -> n{}{label};\n", edge.from, edge.to);
    }
    out + "}\n"
}

fn json(graph: &Graph) -> String {
    let nodes = graph.nodes.iter().map(|node| {
        let lines: Vec<String> = node.lines.iter().map(|line| quoted(line)).collect();
        let role = match node.role {
            Role::Root => "root",
            Role::Object => "object",
            Role::More => "more",
        };
        format!(
            "{{\"title\":{},\"role\":\"{role}\",\"depth\":{},\"values\":[{}]}}",
            quoted(&node.title),
            node.depth,
            lines.join(",")
        )
    });
    let edges = graph.edges.iter().map(|edge| {
        let label = quoted(&edge.label);
        format!(
            "{{\"from\":{},\"to\":{},\"label\":{label}}}",
            edge.from, edge.to
        )
    });
    format!(
        "{{\"objects\":{},\"shown\":{},\"nodes\":[{}],\"edges\":[{}]}}",
        graph.objects,
        graph.shown,
        nodes.collect::<Vec<_>>().join(","),
        edges.collect::<Vec<_>>().join(",")
    )
}
