//! Finds nodes by patterns of their names.

use std::collections::BTreeMap;
use std::ops::Bound;

use foldhash::HashMap;
use smol_str::SmolStr;

use super::NodeId;
use crate::iam::pattern::glob;

/// A pattern that more nodes answer to says nothing of any one of them.
const MAX_MATCHES: usize = 64;

type Names = BTreeMap<SmolStr, Vec<NodeId>>;

/// Nodes by name, of each module instance and of all.
#[derive(Default)]
pub(super) struct ByName {
    all: Names,
    near: HashMap<SmolStr, Names>,
}

impl ByName {
    /// Adds a node of a module instance.
    pub(super) fn insert(&mut self, name: SmolStr, module: &SmolStr, node: NodeId) {
        let near = self.near.entry(module.clone()).or_default();
        near.entry(name.clone()).or_default().push(node);
        self.all.entry(name).or_default().push(node);
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Those whose names a pattern with `*` and `?` matches: those of the same module instance if there are any, since
    /// instances of one module often give their resources the same names. Only names that begin as it does are looked at.
    pub(super) fn matching(&self, pattern: &str, module: &str) -> Vec<NodeId> {
        let find = |names: &Names| -> Vec<NodeId> {
            let begin = pattern.split(['*', '?']).next().unwrap_or(pattern);
            names
                .range::<str, _>((Bound::Included(begin), Bound::Unbounded))
                .take_while(|(name, _)| name.starts_with(begin))
                .filter(|(name, _)| glob(pattern, name))
                .flat_map(|(_, nodes)| nodes.iter().copied())
                .take(MAX_MATCHES)
                .collect()
        };
        let near = self.near.get(module).map(find).unwrap_or_default();
        if near.is_empty() { find(&self.all) } else { near }
    }
}
