//! The graph as plain data: resources and what joins them, sorted, for the writers of `airgate graph`.

use std::collections::BTreeSet;

use petgraph::visit::EdgeRef;
use smol_str::SmolStr;

use crate::catalog::{Catalog, LinkKind};
use crate::facts::Facts;
use crate::finding::PathStep;
use crate::graph::NodeId;
use crate::program::{InputKind, Mode};

/// The graph of one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The input's path, as the user gave it.
    pub path: String,
    /// What the input is.
    pub kind: InputKind,
    /// Resources, by module and address.
    pub nodes: Vec<Node>,
    /// What one says of another, by the indexes of both, kind and attribute.
    pub edges: Vec<Edge>,
    /// What could not be read.
    pub errors: Vec<String>,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The full address.
    pub address: SmolStr,
    /// The path of its module instance; empty for the root.
    pub module: SmolStr,
    /// Terraform's type.
    pub type_name: SmolStr,
    /// The type as the user wrote it, where that is another.
    pub native_type: Option<SmolStr>,
    /// Whether it is only read.
    pub is_data: bool,
    /// What the catalog says it does in a system.
    pub role: Option<&'static str>,
    /// What AI has to do with it.
    pub ai: Reach,
    /// Why that is so, where it says something: the words of [`crate::facts::scope`].
    pub reason: Option<SmolStr>,
    /// The way from the AI resource that reaches it, as in findings.
    pub way: Vec<PathStep>,
}

/// What AI has to do with a resource.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It is AI itself.
    Direct,
    /// AI reaches it.
    Reached,
    /// It is out of AI scope.
    Out,
}

/// What one resource says of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Index of the node that says it.
    pub source: usize,
    /// Index of the node that it names.
    pub target: usize,
    /// Its kind.
    pub kind: LinkKind,
    /// The attribute that says it, without indexes; empty where it is found otherwise.
    pub attribute: SmolStr,
}

impl Reach {
    /// Its name in formats.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Reached => "reached",
            Self::Out => "out",
        }
    }
}

impl Picture {
    /// What is left after the change; data sources only where something names them. With `only_ai`, only what is in scope.
    pub fn of(facts: &Facts<'_>, path: String, errors: Vec<String>, only_ai: bool) -> Self {
        let (graph, scope) = (facts.graph, facts.scope());
        let is_shown = |node: NodeId| {
            let Some(resource) = graph.resource(node).filter(|resource| !resource.is_deleted()) else {
                return false;
            };
            let is_joined = || graph.graph.neighbors_undirected(node).next().is_some();
            (resource.mode == Mode::Managed || is_joined()) && (!only_ai || scope.contains(node))
        };
        let mut shown: Vec<NodeId> = graph.graph.node_indices().filter(|&node| is_shown(node)).collect();
        shown.sort_by_cached_key(|&node| {
            graph.resource(node).map(|resource| (resource.module.clone(), resource.address.clone()))
        });
        let mut index = vec![None; graph.graph.node_count()];
        for (at, node) in shown.iter().enumerate() {
            if let Some(slot) = index.get_mut(node.index()) {
                *slot = Some(at);
            }
        }
        let at = |node: NodeId| index.get(node.index()).copied().flatten();
        let edges: BTreeSet<Edge> = graph
            .graph
            .edge_references()
            .filter_map(|edge| {
                let weight = edge.weight();
                let (source, target) = (at(edge.source())?, at(edge.target())?);
                Some(Edge { source, target, kind: weight.kind, attribute: weight.path.clone() })
            })
            .collect();
        let node = |&node: &NodeId| {
            let resource = graph.resource(node)?;
            let ai = match (scope.is_direct(node), scope.contains(node)) {
                (true, _) => Reach::Direct,
                (false, true) => Reach::Reached,
                (false, false) => Reach::Out,
            };
            Some(Node {
                address: resource.address.clone(),
                module: resource.module.clone(),
                type_name: resource.type_name.clone(),
                native_type: resource.native_type.clone().filter(|native| *native != resource.type_name),
                is_data: resource.mode == Mode::Data,
                role: Catalog::get().kind(&resource.type_name).map(|info| info.role),
                ai,
                reason: scope.reason(node),
                way: if ai == Reach::Reached { scope.path(graph, node).to_vec() } else { Vec::new() },
            })
        };
        Self {
            path,
            kind: graph.kind,
            nodes: shown.iter().filter_map(node).collect(),
            edges: edges.into_iter().collect(),
            errors,
        }
    }

    /// The edges without their attributes: each pair of resources once for each kind.
    pub fn lines(&self) -> BTreeSet<(usize, usize, LinkKind)> {
        self.edges.iter().map(|edge| (edge.source, edge.target, edge.kind)).collect()
    }

    /// The nodes of each module, in order.
    pub fn modules(&self) -> Vec<(&str, std::ops::Range<usize>)> {
        let mut modules: Vec<(&str, std::ops::Range<usize>)> = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            match modules.last_mut() {
                Some((module, range)) if *module == node.module => range.end = at + 1,
                _ => modules.push((&node.module, at..at + 1)),
            }
        }
        modules
    }
}

impl Node {
    /// The address without the module.
    pub fn label(&self) -> &str {
        let rest = self.address.strip_prefix(self.module.as_str()).unwrap_or(&self.address);
        rest.strip_prefix('.').unwrap_or(rest)
    }
}
