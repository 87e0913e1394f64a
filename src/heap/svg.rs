//! Drawings: object graphs in columns, sizes as treemaps. Plain SVG, without scripts or fonts of its own.
use std::fmt::Write;

use super::graph::{Graph, Role};

const CHAR: f64 = 6.7;
const LINE: f64 = 15.0;
const PAD: f64 = 8.0;
const GAP_X: f64 = 110.0;
const GAP_Y: f64 = 14.0;

fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn chars(text: &str) -> f64 {
    text.chars().count() as f64
}

fn open(width: f64, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"monospace\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    )
}

struct Rect {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

/// A column for each distance from the start.
pub fn graph(graph: &Graph) -> String {
    let columns = graph
        .nodes
        .iter()
        .map(|node| node.depth + 1)
        .max()
        .unwrap_or(0);
    let mut widths = vec![0.0f64; columns];
    for node in &graph.nodes {
        let longest = node
            .lines
            .iter()
            .map(|line| chars(line))
            .fold(chars(&node.title), f64::max);
        widths[node.depth] = widths[node.depth].max(longest * CHAR + 2.0 * PAD);
    }
    let mut lefts = vec![PAD; columns];
    for column in 1..columns {
        lefts[column] = lefts[column - 1] + widths[column - 1] + GAP_X;
    }
    let mut bottoms = vec![2.0 * LINE; columns];
    let rects: Vec<Rect> = graph
        .nodes
        .iter()
        .map(|node| {
            let h = LINE * (1 + node.lines.len()) as f64 + PAD;
            let rect = Rect {
                x: lefts[node.depth],
                y: bottoms[node.depth],
                w: widths[node.depth],
                h,
            };
            bottoms[node.depth] += h + GAP_Y;
            rect
        })
        .collect();
    let width = lefts
        .iter()
        .zip(&widths)
        .map(|(x, w)| x + w)
        .fold(200.0, f64::max)
        + 60.0;
    let height = bottoms.iter().copied().fold(0.0, f64::max) + PAD;
    let mut out = open(width, height);
    let _ = writeln!(
        out,
        "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0 0L8 4L0 8z\" fill=\"#567\"/></marker></defs>\n<text x=\"{PAD}\" y=\"{LINE}\" fill=\"#567\">{} of {} objects</text>",
        graph.shown, graph.objects
    );
    for edge in &graph.edges {
        let (from, to) = (&rects[edge.from], &rects[edge.to]);
        let (x1, y1) = (from.x + from.w, from.y + from.h / 2.0);
        // What leads back, or down its own column, comes in from the right.
        let forward = graph.nodes[edge.to].depth > graph.nodes[edge.from].depth;
        let (x2, bend) = match forward {
            true => (to.x, -45.0),
            false => (to.x + to.w, 45.0),
        };
        let y2 = to.y + LINE / 2.0 + PAD / 2.0;
        let dashes = if forward {
            ""
        } else {
            " stroke-dasharray=\"4 3\""
        };
        let _ = writeln!(
            out,
            "<path d=\"M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {x2:.1} {y2:.1}\" fill=\"none\" stroke=\"#89a\"{dashes} marker-end=\"url(#arrow)\"/>",
            x1 + 45.0,
            x2 + bend
        );
        if !edge.label.is_empty() {
            let (x, y) = match forward {
                true => (x1 + (x2 - x1) * 0.35, y1 + (y2 - y1) * 0.3 - 3.0),
                false => (x1 + 6.0, y1 - 4.0),
            };
            let label = escape(&edge.label);
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"9\" fill=\"#567\">{label}</text>"
            );
        }
    }
    for (node, rect) in graph.nodes.iter().zip(&rects) {
        let (fill, stroke) = match node.role {
            Role::Root => ("#fff3d6", "#b8860b"),
            Role::Object => ("#eef4fb", "#4a76a8"),
            Role::More => ("#fff", "#999\" stroke-dasharray=\"4 3"),
        };
        let Rect { x, y, w, h } = rect;
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"4\" fill=\"{fill}\" stroke=\"{stroke}\"/>"
        );
        let title = escape(&node.title);
        let (left, mut top) = (x + PAD, y + LINE);
        let _ = writeln!(
            out,
            "<text x=\"{left:.1}\" y=\"{top:.1}\" font-weight=\"bold\">{title}</text>"
        );
        for line in &node.lines {
            top += LINE;
            let line = escape(line);
            let _ = writeln!(out, "<text x=\"{left:.1}\" y=\"{top:.1}\">{line}</text>");
        }
    }
    out + "</svg>\n"
}

/// One of the things whose sizes are drawn.
pub struct Share {
    pub name: String,
    pub bytes: u64,
    pub objects: u64,
}

const MAP_WIDTH: f64 = 900.0;
const MAP_HEIGHT: f64 = 320.0;
/// Shares drawn each for itself.
const SHARES: usize = 60;
const COLOURS: [&str; 8] = [
    "#7fb0dc", "#f2b872", "#93c98f", "#e29a9a", "#b6a3d9", "#d9c86f", "#8ccbc6", "#d6a3c3",
];

/// A treemap for each heading, one below the other. Shares are in order of size.
pub fn treemaps(maps: Vec<(String, Vec<Share>)>) -> String {
    let height = (MAP_HEIGHT + 3.0 * LINE) * maps.len() as f64 + PAD;
    let mut out = open(MAP_WIDTH + 2.0 * PAD, height);
    let mut top = LINE;
    for (heading, mut shares) in maps {
        let _ = writeln!(
            out,
            "<text x=\"{PAD}\" y=\"{:.1}\" font-weight=\"bold\">{}</text>",
            top + 4.0,
            escape(&heading)
        );
        shares.retain(|share| share.bytes > 0);
        if shares.len() > SHARES {
            let rest = shares.split_off(SHARES - 1);
            shares.push(Share {
                name: format!("… {} more", rest.len()),
                bytes: rest.iter().map(|share| share.bytes).sum(),
                objects: rest.iter().map(|share| share.objects).sum(),
            });
        }
        let whole = Rect {
            x: PAD,
            y: top + LINE,
            w: MAP_WIDTH,
            h: MAP_HEIGHT,
        };
        let sizes: Vec<f64> = shares.iter().map(|share| share.bytes as f64).collect();
        for (i, rect) in squarify(&sizes, whole) {
            tile(&mut out, &shares[i], &rect, COLOURS[i % COLOURS.len()]);
        }
        top += MAP_HEIGHT + 3.0 * LINE;
    }
    out + "</svg>\n"
}

fn tile(out: &mut String, share: &Share, rect: &Rect, colour: &str) {
    let Rect { x, y, w, h } = rect;
    let (name, bytes) = (escape(&share.name), readable(share.bytes));
    let _ = writeln!(
        out,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" fill=\"{colour}\" stroke=\"#fff\"><title>{name}: {bytes} in {} objects</title></rect>",
        share.objects
    );
    let room = ((w - PAD) / CHAR) as usize;
    if room < 4 || *h < LINE {
        return;
    }
    let fit = |text: &str| match text.chars().count() > room {
        true => format!("{}…", text.chars().take(room - 1).collect::<String>()),
        false => text.to_string(),
    };
    let (left, line) = (x + PAD / 2.0, y + LINE - 3.0);
    let _ = writeln!(
        out,
        "<text x=\"{left:.1}\" y=\"{line:.1}\">{}</text>",
        escape(&fit(&share.name))
    );
    if *h >= 2.0 * LINE {
        let line = line + LINE;
        let _ = writeln!(
            out,
            "<text x=\"{left:.1}\" y=\"{line:.1}\" fill=\"#333\">{}</text>",
            fit(&bytes)
        );
    }
}

fn readable(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} B"),
        _ => format!("{value:.1} {}", units[unit]),
    }
}

/// Places areas, largest first, in rows along the shorter side, each row as long as that keeps its tiles near squares
/// (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000).
fn squarify(sizes: &[f64], mut rest: Rect) -> Vec<(usize, Rect)> {
    let mut placed = Vec::new();
    let total: f64 = sizes.iter().sum();
    let scale = if total > 0.0 {
        rest.w * rest.h / total
    } else {
        0.0
    };
    let mut at = 0;
    while at < sizes.len() {
        let side = rest.w.min(rest.h).max(1e-9);
        let worst = |row: &[f64]| {
            let sum: f64 = row.iter().sum::<f64>() * scale;
            let thick = sum / side;
            row.iter()
                .map(|size| {
                    let long = size * scale / thick;
                    (long / thick).max(thick / long)
                })
                .fold(0.0, f64::max)
        };
        let mut end = at + 1;
        while end < sizes.len() && worst(&sizes[at..=end]) <= worst(&sizes[at..end]) {
            end += 1;
        }
        let thick = sizes[at..end].iter().sum::<f64>() * scale / side;
        let mut along = 0.0;
        for (i, size) in sizes.iter().enumerate().take(end).skip(at) {
            let long = size * scale / thick;
            placed.push((
                i,
                match rest.w >= rest.h {
                    true => Rect {
                        x: rest.x,
                        y: rest.y + along,
                        w: thick,
                        h: long,
                    },
                    false => Rect {
                        x: rest.x + along,
                        y: rest.y,
                        w: long,
                        h: thick,
                    },
                },
            ));
            along += long;
        }
        match rest.w >= rest.h {
            true => {
                rest.x += thick;
                rest.w -= thick;
            }
            false => {
                rest.y += thick;
                rest.h -= thick;
            }
        }
        at = end;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_have_their_areas_and_stay_inside() {
        let sizes = [600.0, 300.0, 200.0, 100.0, 50.0, 1.0];
        let whole = Rect {
            x: 10.0,
            y: 20.0,
            w: 400.0,
            h: 200.0,
        };
        let placed = squarify(&sizes, whole);
        assert_eq!(placed.len(), sizes.len());
        for (i, Rect { x, y, w, h }) in &placed {
            let want = sizes[*i] / 1251.0 * 400.0 * 200.0;
            assert!((w * h - want).abs() < 1.0, "{i}: {w} × {h}");
            assert!(*x >= 9.9 && *y >= 19.9 && x + w <= 410.1 && y + h <= 220.1);
        }
        assert!(
            squarify(
                &[],
                Rect {
                    x: 0.0,
                    y: 0.0,
                    w: 1.0,
                    h: 1.0
                }
            )
            .is_empty()
        );
    }
}
