//! `pgo heap stat` and `pgo heap log`: figures of a heap file, and what its last commits touched.
use super::look::with_view;
use super::reach::{self, Size};
use super::value::type_name;
use super::{svg, table};
use crate::quote::quoted;
use pheap::{HEADER_BYTES, Result, View, last_records, stable_view};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct StatArgs {
    /// The heap file
    file: PathBuf,
    /// Print JSON
    #[arg(long, conflicts_with = "svg")]
    json: bool,
    /// Draw the sizes by type and by root as SVG
    #[arg(long)]
    svg: bool,
}

#[derive(clap::Args)]
pub struct LogArgs {
    /// The heap file
    file: PathBuf,
    /// How many commits to show
    #[arg(short, value_name = "N", default_value_t = 10)]
    n: usize,
}

type Sizes = Vec<(String, Size)>;

pub fn stat(args: &StatArgs) -> Result<i32> {
    let (view, _file) = stable_view(&args.file, &mut |_, _| {})?;
    let mut by_type: BTreeMap<String, Size> = BTreeMap::new();
    let mut all = Size::default();
    view.for_each_object(|object| {
        let bytes = view.slot_bytes(&object);
        let size = by_type.entry(name(&view, object.type_index)).or_default();
        size.objects += 1;
        size.bytes += bytes;
        all.objects += 1;
        all.bytes += bytes;
        Ok(())
    })?;
    let mut by_root = Vec::new();
    for root in view.roots() {
        by_root.push((root.name.clone(), reach::from(&view, root.addr)?));
    }
    let mut by_type: Sizes = by_type.into_iter().collect();
    for sizes in [&mut by_type, &mut by_root] {
        sizes.sort_by(|a, b| b.1.bytes.cmp(&a.1.bytes).then_with(|| a.0.cmp(&b.0)));
    }
    let sizes = view.sizes();
    let figures = [
        ("file_bytes", sizes.file_bytes),
        ("heap_bytes", sizes.heap_bytes),
        ("limit_bytes", view.limit_bytes()),
        ("extents", sizes.extents),
        ("span_bytes", sizes.span_bytes),
        ("meta_bytes", sizes.meta_bytes),
        ("free_bytes", sizes.span_bytes.saturating_sub(all.bytes)),
        ("objects", all.objects),
        ("object_bytes", all.bytes),
        ("log_file_bytes", sizes.log_file_bytes),
        ("log_bytes", sizes.log_bytes),
        ("log_records", sizes.records),
        ("last_commit", view.lsn()),
    ];
    let text = if args.svg {
        let (file, all) = (args.file.display(), all.bytes);
        let roots = "by root: all that each reaches, what they share counted for each";
        svg::treemaps(vec![
            (format!("{file}: {all} bytes by type"), shares(&by_type)),
            (roots.into(), shares(&by_root)),
        ])
    } else if args.json {
        let members: Vec<String> = figures
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!(
            "{{{},\"types\":{},\"roots\":{}}}\n",
            members.join(","),
            json(&by_type),
            json(&by_root)
        )
    } else {
        let rows: Vec<Vec<String>> = figures
            .iter()
            .map(|(name, value)| vec![name.replace('_', " "), value.to_string()])
            .collect();
        format!(
            "{}\n{}\n{}",
            table::text(&rows, 1),
            sizes_table("type", &by_type),
            sizes_table("root", &by_root)
        )
    };
    print!("{text}");
    Ok(0)
}

fn shares(sizes: &Sizes) -> Vec<svg::Share> {
    let share = |(name, size): &(String, Size)| svg::Share {
        name: name.clone(),
        bytes: size.bytes,
        objects: size.objects,
    };
    sizes.iter().map(share).collect()
}

fn name(view: &View, type_index: u32) -> String {
    view.types().get(type_index as usize).map_or_else(
        || format!("type {type_index}, unknown"),
        |desc| type_name(desc),
    )
}

fn sizes_table(what: &str, sizes: &Sizes) -> String {
    let mut rows = vec![[what, "objects", "bytes"].map(str::to_string).to_vec()];
    rows.extend(sizes.iter().map(|(name, size)| {
        vec![
            name.clone(),
            size.objects.to_string(),
            size.bytes.to_string(),
        ]
    }));
    table::text(&rows, 1)
}

fn json(sizes: &Sizes) -> String {
    let items: Vec<String> = sizes
        .iter()
        .map(|(name, size)| {
            format!(
                "{{\"name\":{},\"objects\":{},\"bytes\":{}}}",
                quoted(name),
                size.objects,
                size.bytes
            )
        })
        .collect();
    format!("[{}]", items.join(","))
}

/// Prints the last commits, oldest first: number, bytes written, types of the objects written to.
pub fn log(args: &LogArgs) -> Result<i32> {
    let text = with_view(&args.file, |view| {
        let mut out = String::new();
        for record in last_records(view, args.n)? {
            let _ = write!(out, "commit {}: {} bytes", record.lsn, record.record_bytes);
            if record.is_checkpoint {
                out.push_str(", a checkpoint");
            }
            // Number of new objects and of writes to older ones, by type.
            let mut touched: BTreeMap<String, [u64; 2]> = BTreeMap::new();
            for range in &record.ranges {
                let header = if range.is_new_object { HEADER_BYTES } else { 0 };
                let addr = view
                    .base()
                    .saturating_add(range.offset)
                    .saturating_add(header);
                // Later commits may have freed it.
                if let Some(object) = view.find_object(addr)? {
                    let counts = touched.entry(name(view, object.type_index)).or_default();
                    counts[usize::from(!range.is_new_object)] += 1;
                }
            }
            for (name, [new, written]) in touched {
                if new > 0 {
                    let _ = write!(out, "; {new} new {name}");
                }
                if written > 0 {
                    let _ = write!(out, "; {written} writes to {name}");
                }
            }
            out.push('\n');
        }
        Ok(out)
    })?;
    print!("{text}");
    Ok(0)
}
