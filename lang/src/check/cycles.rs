//! Cycles of declarations: which ones are allowed, and messages for the others.
use super::Checker;
use super::object::{DeclRef, ObjId, ObjKind};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::types::ty::{NamedId, Ty, TyKind};

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

    pub(super) fn report_init_cycle(&mut self, cycle: &[ObjId]) {
        let name = self.name(self.obj(cycle[0]).name).to_string();
        let head = match cycle.len() {
            1 => format!("initialization cycle: {name} refers to itself"),
            _ => format!("initialization cycle for {name}"),
        };
        self.report_chain(cycle, head, Code::InitializationCycle);
    }

    fn report_chain(&mut self, cycle: &[ObjId], head: String, code: Code) {
        let span = self.obj(cycle[0]).span;
        let mut message = head;
        let mut d = Diagnostic::error(code, span, "");
        if cycle.len() > 1 {
            for (i, o) in cycle.iter().enumerate() {
                let next = cycle[(i + 1) % cycle.len()];
                let at = self.obj(*o).span;
                let (a, b) = (
                    self.name(self.obj(*o).name).to_string(),
                    self.name(self.obj(next).name).to_string(),
                );
                let position = self.sources.position(at);
                message += &format!("\n\t{position}: {a} refers to {b}");
                if i > 0 {
                    d = d.also(at, format!("{a} refers to {b}"));
                }
            }
        }
        d.message = message;
        self.diagnostics.push(d);
    }

    /// Types that wait for each other: every cycle among them once.
    pub(super) fn report_waiting(&mut self, waiting: &[(NamedId, Ty, ObjId)]) {
        let next = |c: &Checker, at: usize| match c.a.types.kind(waiting[at].1) {
            TyKind::Named(n) => waiting.iter().position(|w| w.0 == *n),
            _ => None,
        };
        let mut done = vec![false; waiting.len()];
        for start in 0..waiting.len() {
            let mut path: Vec<usize> = Vec::new();
            let mut at = Some(start);
            while let Some(i) = at {
                if done[i] {
                    break;
                }
                if let Some(from) = path.iter().position(|p| *p == i) {
                    let cycle: Vec<ObjId> = path[from..].iter().map(|p| waiting[*p].2).collect();
                    self.report_cycle(&cycle);
                    break;
                }
                path.push(i);
                at = next(self, i);
            }
            for p in path {
                done[p] = true;
            }
        }
    }
}
