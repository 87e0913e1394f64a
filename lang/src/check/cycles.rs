//! Cycles of declarations: which ones are allowed, and messages for the others.
use super::interface::Draft;
use super::object::{DeclRef, ObjId, ObjKind};
use super::{Checker, Dep};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::types::ty::{NamedId, Ty, TyKind};
use rustc_hash::FxHashMap;

/// The right side of a type declaration.
pub(super) enum Rhs {
    Type(Ty, Span),
    Interface(Draft),
}

impl Rhs {
    /// The types whose underlying types must be known before this one's is.
    pub fn needs(&self) -> impl Iterator<Item = (Ty, Span)> {
        let (one, draft) = match self {
            Rhs::Type(ty, span) => (Some((*ty, *span)), None),
            Rhs::Interface(draft) => (None, Some(draft)),
        };
        one.into_iter()
            .chain(draft.into_iter().flat_map(Draft::embedded))
    }
}

/// A declared type, or an interface literal, whose underlying type waits for another's.
pub(super) struct Waiting {
    pub named: NamedId,
    pub rhs: Rhs,
}

/// One declaration of a cycle.
#[derive(Clone)]
pub(super) struct CycleNode {
    pub name: String,
    pub at: Span,
}

impl Checker {
    /// A grey object was met again.
    pub(super) fn check_cycle(&mut self, id: ObjId) {
        let Some(at) = self.path.iter().position(|p| *p == id) else {
            return;
        };
        let cycle: Vec<ObjId> = self.path[at..].to_vec();
        let is_type = |c: &Checker, o: &ObjId| matches!(c.obj(*o).decl, Some(DeclRef::Type { .. }));
        let is_func = |c: &Checker, o: &ObjId| matches!(c.obj(*o).decl, Some(DeclRef::Func { .. }));
        let types = cycle.iter().filter(|o| is_type(self, o)).count();
        let defined = cycle
            .iter()
            .filter(|o| is_type(self, o) && !self.obj(**o).alias)
            .count();
        let values = cycle
            .iter()
            .filter(|o| !is_type(self, o) && !is_func(self, o))
            .count();
        if types > 0 && values == 0 && defined > 0 {
            return;
        }
        if types == 0 {
            let consts = cycle
                .iter()
                .all(|o| matches!(self.obj(*o).decl, Some(DeclRef::Const { .. })));
            if consts || cycle.len() == 1 {
                self.report_init_cycle(&cycle);
            }
            return;
        }
        self.report_cycle(&cycle);
    }

    /// The cycle starts with the object that stands first in the source.
    fn first_in_source(&self, cycle: &[ObjId]) -> Vec<ObjId> {
        let mut cycle = cycle.to_vec();
        let first = cycle
            .iter()
            .enumerate()
            .min_by_key(|(_, o)| (self.obj(**o).span.file, self.obj(**o).span.lo))
            .map_or(0, |(i, _)| i);
        cycle.rotate_left(first);
        cycle
    }

    pub(super) fn report_cycle(&mut self, cycle: &[ObjId]) {
        let cycle = self.first_in_source(cycle);
        if cycle.iter().any(|o| !self.cyclic.insert(*o)) {
            return;
        }
        let first = cycle[0];
        let is_type = matches!(self.obj(first).kind, ObjKind::Type(_))
            || matches!(self.obj(first).decl, Some(DeclRef::Type { .. }));
        let name = self.name(self.obj(first).name).to_string();
        let head = match (cycle.len(), is_type) {
            (1, true) => format!("invalid recursive type: {name} refers to itself"),
            (1, false) => format!("invalid cycle in declaration: {name} refers to itself"),
            (_, true) => format!("invalid recursive type {name}"),
            (_, false) => format!("invalid cycle in declaration of {name}"),
        };
        self.report_chain(&cycle, head, Code::RecursiveType);
        for o in cycle {
            if let ObjKind::Unresolved = self.obj(o).kind {
                self.obj_mut(o).kind = ObjKind::Bad;
            }
        }
    }

    /// An initialisation cycle through functions.
    pub(super) fn report_dep_cycle(&mut self, cycle: &[Dep]) {
        let mut nodes = Vec::new();
        for d in cycle {
            nodes.push(match d {
                Dep::Var(id) if self.cyclic.contains(id) => return,
                Dep::Var(id) => CycleNode {
                    name: self.name(self.obj(*id).name).to_string(),
                    at: self.obj(*id).span,
                },
                Dep::Func(f) => {
                    let decl = &self.funcs[f.0 as usize].decl;
                    // Initialisers with locals are functions of their own.
                    if self.funcs[f.0 as usize].source.is_none() {
                        continue;
                    }
                    let name = decl.name.rsplit('.').next().unwrap_or_default().to_string();
                    CycleNode {
                        name,
                        at: decl.span,
                    }
                }
            });
        }
        let name = &nodes[0].name;
        let head = match nodes.len() {
            1 => format!("initialization cycle: {name} refers to itself"),
            _ => format!("initialization cycle for {name}"),
        };
        self.report_nodes(&nodes, head, Code::InitializationCycle);
    }

    pub(super) fn report_init_cycle(&mut self, cycle: &[ObjId]) {
        let name = self.name(self.obj(cycle[0]).name).to_string();
        let head = match cycle.len() {
            1 => format!("initialization cycle: {name} refers to itself"),
            _ => format!("initialization cycle for {name}"),
        };
        self.report_chain(cycle, head, Code::InitializationCycle);
    }

    fn report_chain(&mut self, cycle: &[ObjId], head: String, code: Code) {
        let nodes: Vec<CycleNode> = cycle
            .iter()
            .map(|o| CycleNode {
                name: self.name(self.obj(*o).name).to_string(),
                at: self.obj(*o).span,
            })
            .collect();
        self.report_nodes(&nodes, head, code);
    }

    /// Types that wait for each other: every cycle among them once.
    pub(super) fn report_waiting(&mut self, waiting: &[Waiting]) {
        let mut at = FxHashMap::default();
        for (i, w) in waiting.iter().enumerate() {
            at.insert(w.named, i);
        }
        let mut done = vec![false; waiting.len()];
        for start in 0..waiting.len() {
            let mut path = Vec::new();
            self.find_waiting(start, waiting, &at, &mut path, &mut done);
        }
    }

    fn find_waiting(
        &mut self,
        i: usize,
        waiting: &[Waiting],
        at: &FxHashMap<NamedId, usize>,
        path: &mut Vec<(usize, CycleNode)>,
        done: &mut [bool],
    ) {
        if done[i] {
            return;
        }
        for (ty, span) in waiting[i].rhs.needs() {
            let TyKind::Named(n) = *self.a.types.kind(ty) else {
                continue;
            };
            let Some(&next) = at.get(&self.a.types.type_args(n).0) else {
                continue;
            };
            path.push((i, self.cycle_node(n, Some(span))));
            match path.iter().position(|p| p.0 == next) {
                Some(from) => {
                    // Each step names the type that it leads to.
                    let mut cycle: Vec<CycleNode> =
                        path[from..].iter().map(|p| p.1.clone()).collect();
                    cycle.rotate_right(1);
                    self.report_recursive_type(&cycle);
                    for p in &path[from..] {
                        done[p.0] = true;
                    }
                }
                None => self.find_waiting(next, waiting, at, path, done),
            }
            path.pop();
            if done[i] {
                return;
            }
        }
        done[i] = true;
    }

    /// A defined type of a cycle as messages show it: an instance stands where it was written.
    pub(super) fn cycle_node(&self, n: NamedId, instance: Option<Span>) -> CycleNode {
        let named = &self.a.types.named[n.0 as usize];
        let generic = named.origin.is_some() || self.a.types.is_generic(n);
        let origin = self.a.types.type_args(n).0;
        let known = self.named_objs.get(&origin).map(|o| self.obj(*o).span);
        let written = instance.or(self.instance_spans.get(&n).copied());
        let at = match generic {
            true => written.or(known),
            false => known.or(written),
        };
        let ty = self.a.types.find(&TyKind::Named(n));
        let name = ty.map_or(String::new(), |t| self.ty_str(t));
        CycleNode {
            name,
            at: at.unwrap_or_default(),
        }
    }

    /// `invalid recursive type`, beginning with the type that stands first in the source.
    pub(super) fn report_recursive_type(&mut self, cycle: &[CycleNode]) {
        let first = cycle
            .iter()
            .enumerate()
            .min_by_key(|(_, c)| (c.at.file, c.at.lo))
            .map_or(0, |(i, _)| i);
        let mut cycle = cycle.to_vec();
        cycle.rotate_left(first);
        let name = &cycle[0].name;
        let head = match cycle.len() {
            1 => format!("invalid recursive type: {name} refers to itself"),
            _ => format!("invalid recursive type {name}"),
        };
        self.report_nodes(&cycle, head, Code::RecursiveType);
    }

    fn report_nodes(&mut self, cycle: &[CycleNode], head: String, code: Code) {
        let mut message = head;
        let mut d = Diagnostic::error(code, cycle[0].at, "");
        if cycle.len() > 1 {
            for (i, node) in cycle.iter().enumerate() {
                let next = &cycle[(i + 1) % cycle.len()].name;
                let position = self.sources.position(node.at);
                message += &format!("\n\t{position}: {} refers to {next}", node.name);
                if i > 0 {
                    d = d.also(node.at, format!("{} refers to {next}", node.name));
                }
            }
        }
        d.message = message;
        self.diagnostics.push(d);
    }
}
