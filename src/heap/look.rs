//! `pgo heap ls` and `pgo heap show`.
use super::path::{Found, find};
use super::value::{Bounds, Form, Place, Reader, Value, desc, place, sequence, type_name};
use super::{print, reach, table};
use crate::quote::quoted;
use pheap::{Error, Result, View, stable_view};
use std::path::{Path, PathBuf};

/// How often a view that a writer overtook is taken anew, before a private copy is made instead.
const TRIES: u32 = 20;

#[derive(clap::Args)]
pub struct LsArgs {
    /// The heap file
    file: PathBuf,
    /// Count the objects and bytes that each root reaches
    #[arg(long)]
    sizes: bool,
}

#[derive(clap::Args)]
pub struct ShowArgs {
    /// The heap file
    file: PathBuf,
    /// A value, such as users["ada"].orders[3] or list[10:20] [default: all roots]
    path: Option<String>,
    /// Levels of values to show [default: 4; with --json 64]
    #[arg(long, value_name = "N")]
    depth: Option<usize>,
    /// Elements to show of each slice or map [default: 20; with --json 10000]
    #[arg(long, value_name = "N")]
    max: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Reads from a heap that another process may be writing to.
pub fn with_view<T>(path: &Path, mut read: impl FnMut(&View) -> Result<T>) -> Result<T> {
    for _ in 0..TRIES {
        match View::open(path).and_then(|view| read(&view)) {
            Err(Error::Overtaken { .. }) => {}
            done => return done,
        }
    }
    let (view, _file) = stable_view(path, &mut |_, _| {})?;
    read(&view)
}

pub fn ls(args: &LsArgs) -> Result<i32> {
    let text = with_view(&args.file, |view| {
        let mut rows = vec![vec!["root".to_string(), "type".to_string()]];
        if args.sizes {
            rows[0].extend(["objects".to_string(), "bytes".to_string()]);
        }
        for root in view.roots() {
            let mut row = vec![
                root.name.clone(),
                type_name(&view.types()[root.type_index as usize]),
            ];
            if args.sizes {
                let size = reach::from(view, root.addr)?;
                row.extend([size.objects.to_string(), size.bytes.to_string()]);
            }
            rows.push(row);
        }
        Ok(table::text(&rows, 2))
    })?;
    print!("{text}");
    Ok(0)
}

pub fn show(args: &ShowArgs) -> Result<i32> {
    let bounds = Bounds {
        // Beyond, printing would need more stack than there is.
        depth: args
            .depth
            .unwrap_or(if args.json { 64 } else { 4 })
            .min(500),
        width: args.max.unwrap_or(if args.json { 10_000 } else { 20 }),
    };
    let shown = with_view(&args.file, |view| match &args.path {
        None => all(view, bounds, args.json).map(Ok),
        Some(path) => Ok(match find(view, path)? {
            Ok(found) => {
                let value = read(view, found, bounds)?;
                Ok(if args.json {
                    print::json(&value) + "\n"
                } else {
                    print::go(&value, 0) + "\n"
                })
            }
            Err(message) => Err(message),
        }),
    })?;
    match shown {
        Ok(text) => {
            print!("{text}");
            Ok(0)
        }
        Err(message) => Ok(crate::run::fail(&message)),
    }
}

fn read(view: &View, found: Found, bounds: Bounds) -> Result<Value> {
    match found {
        Found::At(at) => Reader::new(view, bounds).read(at),
        Found::Range(at, from, to) => {
            let (start, _, size) = sequence(view, at)?;
            let mut reader = Reader::new(view, bounds);
            let end = to.min(from.saturating_add(bounds.width));
            let items = (from..end)
                .map(|i| reader.read(place(view, desc(view, at).elem, start + i * size)?))
                .collect::<Result<_>>()?;
            Ok(Value {
                type_name: type_name(desc(view, at)),
                form: Form::Seq(items, to - end),
            })
        }
    }
}

fn all(view: &View, bounds: Bounds, json: bool) -> Result<String> {
    let mut members = Vec::new();
    for root in view.roots() {
        let at = Place {
            type_index: root.type_index,
            addr: root.addr,
        };
        let value = Reader::new(view, bounds).read(at)?;
        members.push(if json {
            format!("{}:{}", quoted(&root.name), print::json(&value))
        } else {
            format!("{} = {}\n", root.name, print::go(&value, 0))
        });
    }
    Ok(if json {
        format!("{{{}}}\n", members.join(","))
    } else {
        members.concat()
    })
}
