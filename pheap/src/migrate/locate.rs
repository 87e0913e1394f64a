//! Places in values that change: where what a pointer leads to is in the new value, and what to call it.

use std::sync::Arc;

use super::Refusal;
use super::convert::{NodeId, Pair, Shape};
use super::graph::Survey;
use super::schema::is_identical_underneath;
use crate::types::{Kind, TypeDesc};

#[derive(Clone, Copy)]
pub(super) struct Want {
    pub pair: Pair,
    pub n: u64,
}

impl Survey {
    /// A place in a value, in words.
    pub(super) fn place(&self, node: NodeId, offset: u64) -> String {
        let mut text = self.converter.nodes[node].old.name.clone();
        let (mut node, mut offset) = (node, offset);
        loop {
            match &self.converter.nodes[node].shape {
                Shape::Struct { parts, .. } => {
                    let old = &self.converter.nodes[node].old;
                    let part = parts.iter().rfind(|part| part.from <= offset);
                    let Some(part) = part else {
                        return text;
                    };
                    let at = part.from;
                    let field = old
                        .fields
                        .iter()
                        .find(|field| u64::from(field.offset) == at);
                    if let Some(field) = field {
                        text = format!("{text}.{}", field.name);
                    }
                    (node, offset) = (part.node, offset - part.from);
                }
                Shape::Array(elem) => {
                    let size = self.converter.nodes[*elem].old.size.max(1);
                    text = format!("{text}[{}]", offset / size);
                    (node, offset) = (*elem, offset % size);
                }
                _ => return text,
            }
        }
    }

    pub(super) fn lost(&self, node: NodeId, offset: u64, pair: Pair) -> Refusal {
        let size = self.converter.nodes[node].old.size.max(1);
        let mut text = format!(
            "a pointer to {} leads into {}",
            self.converter.schema.name(pair.0),
            self.place(node, offset % size),
        );
        if let Some(name) = self.removed(node, offset % size) {
            text = format!("{text}, whose field {name} is removed: set it to nil first");
        } else {
            text = format!(
                "{text}, which does not become {}",
                self.converter.schema.name(pair.1)
            );
        }
        Refusal::Value(text)
    }

    /// The removed field at an offset.
    fn removed(&self, node: NodeId, offset: u64) -> Option<&str> {
        match &self.converter.nodes[node].shape {
            Shape::Struct { parts, removed } => {
                let at = |(from, size, _): &&(u64, u64, String)| {
                    (*from..from + (*size).max(1)).contains(&offset)
                };
                if let Some((_, _, name)) = removed.iter().find(at) {
                    return Some(name);
                }
                let part = parts.iter().rfind(|part| part.from <= offset)?;
                self.removed(part.node, offset - part.from)
            }
            Shape::Array(elem) => {
                let size = self.converter.nodes[*elem].old.size.max(1);
                self.removed(*elem, offset % size)
            }
            _ => None,
        }
    }

    /// The new offset of what was at an offset of `len` values in a row.
    pub(super) fn locate_run(
        &self,
        elem: NodeId,
        len: u64,
        offset: u64,
        want: Want,
    ) -> Option<u64> {
        let node = &self.converter.nodes[elem];
        let (old, new) = (node.old.size, node.new.size);
        let Some(i) = offset.checked_div(old) else {
            return (offset == 0 && self.is_wanted(elem, want.pair)).then_some(0);
        };
        let rest = offset - i * old;
        if rest == 0 && i + want.n <= len && self.is_wanted(elem, want.pair) {
            return Some(i * new);
        }
        if rest == 0
            && let (Some(array), Some(target)) = (
                self.converter.old(want.pair.0),
                self.converter.laid_out(want.pair.1),
            )
            && array.kind == Kind::Array
            && target.kind == Kind::Array
            && i + array.len * want.n <= len
            && self.is_wanted(elem, (array.elem, target.elem))
        {
            return Some(i * new);
        }
        (i < len)
            .then(|| self.locate(elem, rest, want))?
            .map(|at| i * new + at)
    }

    /// The same inside one value.
    fn locate(&self, node: NodeId, offset: u64, want: Want) -> Option<u64> {
        match &self.converter.nodes[node].shape {
            Shape::Struct { parts, .. } => parts.iter().find_map(|part| {
                let size = self.converter.nodes[part.node].old.size;
                let inner = offset.checked_sub(part.from)?;
                if inner == 0 && want.n <= 1 && self.is_wanted(part.node, want.pair) {
                    return Some(part.to);
                }
                let at = (inner < size).then(|| self.locate(part.node, inner, want))?;
                at.map(|at| part.to + at)
            }),
            Shape::Array(elem) => {
                let len = self.converter.nodes[node].old.len;
                self.locate_run(*elem, len, offset, want)
            }
            _ => None,
        }
    }

    /// Whether a conversion is the one that a reference expects.
    fn is_wanted(&self, node: NodeId, (old, new): Pair) -> bool {
        let node = &self.converter.nodes[node];
        let is = |desc: &Arc<TypeDesc>, other: Option<Arc<TypeDesc>>| {
            other.is_some_and(|other| is_identical_underneath(desc, &other))
        };
        (node.old.key == old || is(&node.old, self.converter.old(old).cloned()))
            && (node.new.key == new || is(&node.new, self.converter.laid_out(new)))
    }
}
