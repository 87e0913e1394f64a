//! The order in which package variables are initialised (spec "Package initialization"), and
//! initialisation cycles.
use rustc_hash::{FxHashMap, FxHashSet};
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

/// The variables in order, or the objects of a cycle: each refers to the next, the last to the
/// first, and at least one is a variable. `nodes` are in order of declaration.
pub fn init_order<Id: Copy + Eq + Hash>(nodes: &[InitNode<Id>]) -> Result<Vec<Id>, Vec<Id>> {
    let index: FxHashMap<Id, usize> = nodes.iter().enumerate().map(|(i, n)| (n.id, i)).collect();
    // What a node mentions directly and through functions.
    let mut needs: Vec<(usize, Vec<usize>)> = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        if node.is_var {
            needs.push((i, needed_vars(nodes, &index, i)));
        }
    }
    let mut order = Vec::new();
    let mut done: FxHashSet<usize> = FxHashSet::default();
    // Repeatedly the first one in order of declaration that is ready.
    while let Some(at) = needs
        .iter()
        .position(|(_, n)| n.iter().all(|v| done.contains(v)))
    {
        let (var, _) = needs.remove(at);
        done.insert(var);
        order.push(nodes[var].id);
    }
    match needs.first() {
        None => Ok(order),
        Some(_) => Err(cycle(nodes, &index, &needs)),
    }
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

/// A cycle among what could not be initialised.
fn cycle<Id: Copy + Eq + Hash>(
    nodes: &[InitNode<Id>],
    index: &FxHashMap<Id, usize>,
    left: &[(usize, Vec<usize>)],
) -> Vec<Id> {
    let mut done = FxHashSet::default();
    for (var, _) in left {
        let found = visit(nodes, index, *var, &mut done, &mut Vec::new());
        if let Err(cycle) = found {
            return cycle;
        }
    }
    unreachable!("variables that are never ready depend on themselves")
}

/// Looks for a cycle through the variable.
fn visit<Id: Copy + Eq + Hash>(
    nodes: &[InitNode<Id>],
    index: &FxHashMap<Id, usize>,
    var: usize,
    done: &mut FxHashSet<usize>,
    path: &mut Vec<usize>,
) -> Result<(), Vec<Id>> {
    if done.contains(&var) {
        return Ok(());
    }
    if let Some(at) = path.iter().position(|p| *p == var) {
        return Err(path[at..].iter().map(|i| nodes[*i].id).collect());
    }
    // Depth-first through functions, so that a cycle names them; variables met are initialised
    // first, those declared earlier before those declared later.
    path.push(var);
    let mut needed: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut seen = FxHashSet::default();
    let mut stack = vec![(var, Vec::new())];
    while let Some((at, through)) = stack.pop() {
        for used in nodes[at].uses.iter().rev() {
            let Some(&u) = index.get(used) else {
                continue;
            };
            if nodes[u].is_var {
                needed.push((u, through.clone()));
            } else if seen.insert(u) {
                let mut through = through.clone();
                through.push(u);
                stack.push((u, through));
            }
        }
    }
    needed.sort_by_key(|(u, _)| *u);
    needed.dedup_by_key(|(u, _)| *u);
    for (u, through) in needed {
        let len = path.len();
        path.extend(through);
        visit(nodes, index, u, done, path)?;
        path.truncate(len);
    }
    path.pop();
    done.insert(var);
    Ok(())
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
        assert_eq!(init_order(&nodes), Ok(vec!["d", "b", "c", "a"]));
    }

    #[test]
    fn cycles_name_the_functions_between() {
        let nodes = [
            node("x", &["f()"]),
            node("f()", &["g()"]),
            node("g()", &["x"]),
        ];
        assert_eq!(init_order(&nodes), Err(vec!["x", "f()", "g()"]));
        let own = [node("x", &["x"])];
        assert_eq!(init_order(&own), Err(vec!["x"]));
        let recursive = [node("x", &["f()"]), node("f()", &["f()"])];
        assert_eq!(init_order(&recursive), Ok(vec!["x"]));
    }
}
