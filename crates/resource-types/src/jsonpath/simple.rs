//! Paths that are names and nothing else, which is most of them.

use super::node::Node;
use crate::keys::{KeyTree, Values};

/// The most alternatives that are looked for in one pass; a path with more is followed step by step.
const MAX_ALTERNATIVES: usize = 64;

/// The most names of one alternative: they are looked for one inside of the other.
const MAX_NAMES: usize = 32;

/// Ways to a value: names that lead from the top, one inside of the other. What the first one finds comes first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chains {
    alternatives: Vec<Vec<String>>,
    tree: KeyTree,
}

impl Chains {
    /// Nothing, when there is more to the path than names.
    pub(super) fn of(node: &Node) -> Option<Self> {
        let alternatives = alternatives(node, true)?;
        // The whole document has no name.
        if !alternatives.iter().all(|names| (1..=MAX_NAMES).contains(&names.len())) {
            return None;
        }
        let mut tree = KeyTree::default();
        for (slot, names) in alternatives.iter().enumerate() {
            tree.add(names.iter().map(String::as_str), slot);
        }
        Some(Self { alternatives, tree })
    }

    /// The names, alternative by alternative.
    pub(crate) fn alternatives(&self) -> &[Vec<String>] {
        &self.alternatives
    }

    /// The text of the first value that is not `null`.
    pub(super) fn first<'a>(&self, document: &'a str) -> Option<&'a str> {
        let mut values = Values::from_elem(None, self.alternatives.len());
        self.tree.find(document, &mut values);
        values.into_iter().flatten().find(|value| *value != "null")
    }
}

/// Each is one way, which finds one value or none, so that what a chain finds is in the order of its first part, then of
/// its second.
fn alternatives(node: &Node, at_top: bool) -> Option<Vec<Vec<String>>> {
    let found = match node {
        Node::Root if at_top => vec![Vec::new()],
        Node::This => vec![Vec::new()],
        Node::Fields(names) if names.iter().all(|name| name != "*") => {
            names.iter().map(|name| vec![name.clone()]).collect()
        }
        Node::Union(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(|part| alternatives(part, at_top)).collect();
            parts?.concat()
        }
        Node::Chain(parts) => {
            let mut ways: Vec<Vec<String>> = vec![Vec::new()];
            for part in parts {
                let top = at_top && ways.iter().all(Vec::is_empty);
                let next = alternatives(part, top)?;
                if ways.len() * next.len() > MAX_ALTERNATIVES {
                    return None;
                }
                let join = |way: &Vec<String>| {
                    let way = way.clone();
                    next.iter().map(move |step| [way.as_slice(), step].concat()).collect::<Vec<_>>()
                };
                ways = ways.iter().flat_map(join).collect();
            }
            ways
        }
        _ => return None,
    };
    (found.len() <= MAX_ALTERNATIVES).then_some(found)
}
