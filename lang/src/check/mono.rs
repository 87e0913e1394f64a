//! Instantiation cycles: a generic function or type that needs ever larger instances of itself has no
//! end. Type parameters are the nodes of a graph; an edge says that one is instantiated with another,
//! or with a larger type that mentions it. A cycle with an edge of the latter kind has no end.
use super::Checker;
use crate::codes::Code;
use crate::source::Span;
use crate::types::ty::{ParamId, Ty, TyKind};
use rustc_hash::{FxHashMap, FxHashSet};

/// Type arguments that mention type parameters.
#[derive(Default)]
pub(super) struct Instances {
    /// For each parameter those that are instantiated with it.
    edges: FxHashMap<ParamId, Vec<ParamId>>,
    known: FxHashSet<(ParamId, Ty)>,
    growing: Vec<Growth>,
}

/// `to` is instantiated with a type that mentions `from`.
struct Growth {
    from: ParamId,
    to: ParamId,
    targ: String,
    at: Span,
}

impl Checker {
    /// Takes note of an instantiation.
    pub(super) fn note_instance(&mut self, params: &[ParamId], targs: &[Ty], at: Span) {
        for (&to, &targ) in params.iter().zip(targs) {
            if !self.a.types.mentions(targ, None) || !self.instances.known.insert((to, targ)) {
                continue;
            }
            let mut mentioned = Vec::new();
            self.a.types.params_in(targ, &mut mentioned);
            let grows = !matches!(self.a.types.kind(targ), TyKind::Param(_));
            for from in mentioned {
                self.instances.edges.entry(from).or_default().push(to);
                if grows {
                    let targ = self.ty_str(targ);
                    let growth = Growth { from, to, targ, at };
                    self.instances.growing.push(growth);
                }
            }
        }
    }

    pub(super) fn report_instantiation_cycles(&mut self) {
        let instances = std::mem::take(&mut self.instances);
        let mut reported: FxHashSet<ParamId> = FxHashSet::default();
        for g in &instances.growing {
            let reached = reachable(&instances.edges, g.to);
            if !reached.contains(&g.from) || !reported.is_disjoint(&reached) {
                continue;
            }
            reported.insert(g.to);
            let at = self.param_spans.get(&g.to).copied().unwrap_or(g.at);
            let name = self.a.types.params[g.to.0 as usize].name;
            let (name, targ) = (self.name(name).to_string(), &g.targ);
            let position = self.sources.position(g.at);
            let message =
                format!("instantiation cycle:\n\t{position}: {name} instantiated as {targ}");
            self.err(Code::InstantiationCycle, at, message);
        }
    }
}

fn reachable(edges: &FxHashMap<ParamId, Vec<ParamId>>, from: ParamId) -> FxHashSet<ParamId> {
    let mut seen = FxHashSet::default();
    let mut todo = vec![from];
    while let Some(p) = todo.pop() {
        if seen.insert(p) {
            todo.extend(edges.get(&p).into_iter().flatten());
        }
    }
    seen
}
