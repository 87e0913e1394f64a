//! The order in which package variables are initialised (spec "Package initialization"), and
//! initialisation cycles.
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;
use std::hash::Hash;

/// An object of the package and the objects that its initialiser or body mentions.
#[derive(Clone, Debug)]
pub struct InitNode<Id> {
    pub id: Id,
    /// In order of mention.
    pub uses: Vec<Id>,
    /// A variable (or the first of several with one initialiser), not a function.
    pub is_var: bool,
}

/// The variables in order, and the cycles: each object refers to the next, the last to the first,
/// which is a variable. `nodes` are in order of declaration.
pub fn init_order<Id: Copy + Eq + Hash>(nodes: &[InitNode<Id>]) -> (Vec<Id>, Vec<Vec<Id>>) {
    let index: FxHashMap<Id, usize> = nodes.iter().enumerate().map(|(i, n)| (n.id, i)).collect();
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut missing = vec![0; nodes.len()];
    // By the number of variables still to come first, then by order of declaration.
    let mut queue = BTreeSet::new();
    for (i, node) in nodes.iter().enumerate() {
        if node.is_var {
            let needs = needed_vars(nodes, &index, i);
            missing[i] = needs.len();
            queue.insert((missing[i], i));
            for n in needs {
                users[n].push(i);
            }
        }
    }
    let (mut order, mut cycles) = (Vec::new(), Vec::new());
    while let Some((count, var)) = queue.pop_first() {
        if count > 0 {
            let mut seen = FxHashSet::default();
            if let Some(cycle) = path_to(nodes, &index, var, var, &mut seen) {
                cycles.push(cycle.iter().map(|i| nodes[*i].id).collect());
            }
        }
        order.push(nodes[var].id);
        for &u in &users[var] {
            if queue.remove(&(missing[u], u)) {
                missing[u] -= 1;
                queue.insert((missing[u], u));
            }
        }
    }
    (order, cycles)
}

/// The variables that must be initialised before `var`.
fn needed_vars<Id: Copy + Eq + Hash>(
    nodes: &[InitNode<Id>],
    index: &FxHashMap<Id, usize>,
    var: usize,
) -> Vec<usize> {
    let mut found = Vec::new();
    let mut seen = FxHashSet::default();
    let mut stack = vec![var];
    while let Some(at) = stack.pop() {
        for used in &nodes[at].uses {
            let Some(&u) = index.get(used) else {
                continue;
            };
            if seen.insert(u) {
                match nodes[u].is_var {
                    true => found.push(u),
                    false => stack.push(u),
                }
            }
        }
    }
    found
}

/// The objects on a way from one to another, the latter left out.
fn path_to<Id: Copy + Eq + Hash>(
    nodes: &[InitNode<Id>],
    index: &FxHashMap<Id, usize>,
    from: usize,
    to: usize,
    seen: &mut FxHashSet<usize>,
) -> Option<Vec<usize>> {
    // Depth-first; the stack holds the way and where in each object's mentions it goes on.
    let mut stack = vec![(from, 0)];
    seen.insert(from);
    while let Some((at, next)) = stack.last_mut() {
        let Some(used) = nodes[*at].uses.get(*next) else {
            stack.pop();
            continue;
        };
        *next += 1;
        let Some(&u) = index.get(used) else {
            continue;
        };
        if u == to {
            return Some(stack.into_iter().map(|(at, _)| at).collect());
        }
        if seen.insert(u) {
            stack.push((u, 0));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &'static str, uses: &[&'static str]) -> InitNode<&'static str> {
        InitNode {
            id,
            uses: uses.to_vec(),
            is_var: !id.ends_with("()"),
        }
    }

    #[test]
    fn the_specifications_example() {
        let nodes = [
            node("a", &["c", "b"]),
            node("b", &["f()"]),
            node("c", &["f()"]),
            node("d", &[]),
            node("f()", &["d"]),
        ];
        assert_eq!(init_order(&nodes), (vec!["d", "b", "c", "a"], vec![]));
    }

    #[test]
    fn cycles_name_the_functions_between() {
        let nodes = [
            node("x", &["f()"]),
            node("f()", &["g()"]),
            node("g()", &["x"]),
        ];
        assert_eq!(
            init_order(&nodes),
            (vec!["x"], vec![vec!["x", "f()", "g()"]])
        );
        let own = [node("x", &["x"])];
        assert_eq!(init_order(&own), (vec!["x"], vec![vec!["x"]]));
        let recursive = [node("x", &["f()"]), node("f()", &["f()"])];
        assert_eq!(init_order(&recursive), (vec!["x"], vec![]));
    }
}
