//! Types that contain themselves (spec "Type declarations"): a value of such a type would have no
//! finite size.
use super::cycles::CycleNode;
use super::{Checker, INVALID};
use crate::types::ty::{NamedId, Ty, TyKind};

impl Checker {
    /// Reports a type whose values contain values of the type itself, and makes it invalid.
    pub(super) fn check_valid_type(&mut self, n: NamedId) -> bool {
        let ty = self.a.types.intern(TyKind::Named(n));
        if self.a.types.underlying(ty) == INVALID {
            return false;
        }
        let mut path = Vec::new();
        let Some(cycle) = self.containment_cycle(ty, &mut path) else {
            return true;
        };
        let nodes: Vec<CycleNode> = cycle.iter().map(|n| self.cycle_node(*n, None)).collect();
        self.report_recursive_type(&nodes);
        for n in cycle {
            self.finite.insert(n);
            self.a.types.set_underlying(n, INVALID);
            let origin = self.a.types.type_args(n).0;
            self.a.types.set_underlying(origin, INVALID);
        }
        false
    }

    /// The defined types of a cycle below a type.
    fn containment_cycle(&mut self, t: Ty, path: &mut Vec<NamedId>) -> Option<Vec<NamedId>> {
        match self.a.types.kind(t).clone() {
            TyKind::Named(n) => {
                if self.finite.contains(&n) {
                    return None;
                }
                if let Some(at) = path.iter().position(|p| *p == n) {
                    return Some(path[at..].to_vec());
                }
                path.push(n);
                // Through the declaration, not the underlying type: the cycle names all types.
                let (origin, targs) = self.a.types.type_args(n);
                let inner = match self.rhs.get(&origin) {
                    Some(&rhs) => {
                        let params = self.a.types.named[origin.0 as usize].params.clone();
                        self.a.types.subst(rhs, &params, &targs)
                    }
                    None => self.a.types.underlying(t),
                };
                let found = self.containment_cycle(inner, path);
                path.pop();
                if found.is_none() && !self.is_incomplete(t) {
                    self.finite.insert(n);
                }
                found
            }
            TyKind::Array(e, _) => self.containment_cycle(e, path),
            TyKind::Struct(s) => s
                .fields
                .iter()
                .find_map(|f| self.containment_cycle(f.ty, path)),
            // A constraint's terms count as parts.
            TyKind::Interface(i) => i
                .terms
                .iter()
                .flatten()
                .find_map(|term| self.containment_cycle(term.ty, path)),
            _ => None,
        }
    }
}
