//! AI scope: which resources are AI, and which AI reaches, over which path.

use std::collections::{BTreeSet, VecDeque};

use petgraph::Direction;
use smol_str::SmolStr;

use crate::catalog::{Ai, Catalog, LinkKind};
use crate::finding::PathStep;
use crate::graph::{NodeId, ResourceGraph};
use crate::program::Resource;

use super::iam::Policies;

/// A path is not followed further than this many edges.
const MAX_PATH: usize = 6;

/// Which resources are in AI scope.
#[derive(Debug)]
pub struct Scope {
    /// By node: how it is reached.
    reach: Vec<Option<Reach>>,
    /// By node: types of the AI resources that reach it over data edges.
    reached_by: Vec<BTreeSet<SmolStr>>,
}

#[derive(Clone, Debug)]
struct Reach {
    /// The node before it on the path and the edge between; [`None`] if it is AI itself.
    from: Option<(NodeId, &'static str)>,
    length: usize,
}

impl Scope {
    /// Walks the graph from all AI resources at once, so that every path is a shortest one.
    pub(super) fn new(graph: &ResourceGraph, policies: &[Option<Box<Policies>>]) -> Self {
        let count = graph.graph.node_count();
        let mut this = Self { reach: vec![None; count], reached_by: vec![BTreeSet::new(); count] };
        let mut queue = VecDeque::new();
        for node in graph.graph.node_indices() {
            let held = policies.get(node.index()).and_then(Option::as_deref);
            if graph.resource(node).is_some_and(|resource| is_ai(resource, held)) {
                this.set(node, Reach { from: None, length: 0 });
                queue.push_back(node);
            }
        }
        let direct: Vec<NodeId> = queue.iter().copied().collect();
        for &policy in &direct {
            for holder in holders(graph, policy) {
                if this.get(holder).is_none() {
                    this.set(holder, Reach { from: Some((policy, LinkKind::Attachment.name())), length: 1 });
                    queue.push_back(holder);
                }
            }
        }
        while let Some(node) = queue.pop_front() {
            let Some(length) = this.get(node).map(|reach| reach.length) else { continue };
            if length == MAX_PATH {
                continue;
            }
            for (kind, next) in neighbours(graph, node) {
                if this.get(next).is_none() {
                    this.set(next, Reach { from: Some((node, kind)), length: length + 1 });
                    queue.push_back(next);
                }
            }
        }
        for node in direct {
            this.reach_data(graph, node);
        }
        this
    }

    /// Whether the resource is in AI scope.
    pub fn contains(&self, node: NodeId) -> bool {
        self.get(node).is_some()
    }

    /// Whether the resource is itself AI.
    pub fn is_direct(&self, node: NodeId) -> bool {
        self.get(node).is_some_and(|reach| reach.from.is_none())
    }

    /// How many resources are in scope.
    pub fn len(&self) -> usize {
        self.reach.iter().flatten().count()
    }

    /// Whether nothing is in scope.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Types of the AI resources that reach the node over data edges, sorted.
    pub fn reached_by(&self, node: NodeId) -> impl Iterator<Item = &SmolStr> {
        self.reached_by.get(node.index()).into_iter().flatten()
    }

    /// The path from an AI resource to the node; empty if it is out of scope.
    pub fn path(&self, graph: &ResourceGraph, node: NodeId) -> Vec<PathStep> {
        let mut path = Vec::new();
        let mut next = Some(node);
        while let Some(node) = next {
            let (Some(reach), Some(resource)) = (self.get(node), graph.resource(node)) else { break };
            path.push(PathStep { edge: reach.from.map(|(_, edge)| edge), address: resource.address.clone() });
            next = reach.from.map(|(from, _)| from);
        }
        path.reverse();
        path
    }

    fn get(&self, node: NodeId) -> Option<&Reach> {
        self.reach.get(node.index())?.as_ref()
    }

    fn set(&mut self, node: NodeId, reach: Reach) {
        if let Some(slot) = self.reach.get_mut(node.index()) {
            *slot = Some(reach);
        }
    }

    /// Notes the type of an AI resource at everything its data edges lead to.
    fn reach_data(&mut self, graph: &ResourceGraph, start: NodeId) {
        let Some(type_name) = graph.resource(start).map(|resource| resource.type_name.clone()) else {
            return;
        };
        let mut seen = BTreeSet::from([start]);
        let mut queue = VecDeque::from([(start, 0)]);
        while let Some((node, length)) = queue.pop_front() {
            let next = graph.edges(node, Direction::Outgoing).filter(|(edge, _)| edge.kind == LinkKind::Data);
            for (_, next) in next {
                if length < MAX_PATH && seen.insert(next) {
                    if let Some(types) = self.reached_by.get_mut(next.index()) {
                        types.insert(type_name.clone());
                    }
                    queue.push_back((next, length + 1));
                }
            }
        }
    }
}

/// Where scope goes from a resource: forward to its data, identities, keys and networks and what it contains, backward to
/// what configures it, and forward from a sub-resource to what it attaches (a role's policy).
fn neighbours(graph: &ResourceGraph, node: NodeId) -> impl Iterator<Item = (&'static str, NodeId)> {
    let forward = graph
        .edges(node, Direction::Outgoing)
        .filter(|(edge, _)| edge.kind != LinkKind::Reference && edge.kind != LinkKind::Attachment)
        .map(|(edge, next)| (edge.kind.name(), next));
    let backward = graph
        .edges(node, Direction::Incoming)
        .filter(|(edge, _)| edge.kind == LinkKind::Attachment)
        .map(|(edge, next)| (edge.kind.name(), next));
    forward.chain(backward)
}

/// The roles and users that a policy is given to, by itself or by an attachment.
fn holders(graph: &ResourceGraph, policy: NodeId) -> Vec<NodeId> {
    let is = |node: NodeId, names: &[&str]| {
        graph.resource(node).is_some_and(|it| names.contains(&it.type_name.as_str()))
    };
    if !is(policy, &["aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy"]) {
        return Vec::new();
    }
    let attachments =
        ["aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment", "aws_iam_policy_attachment"];
    let by = graph.edges(policy, Direction::Incoming).map(|(_, source)| source);
    let by = by.filter(|&source| is(source, &attachments)).chain([policy]);
    let holders = by.flat_map(|source| graph.edges(source, Direction::Outgoing)).map(|(_, target)| target);
    holders.filter(|&target| is(target, &["aws_iam_role", "aws_iam_user"])).collect()
}

/// Whether a resource is AI itself: by its type, or an identity whose documents name AI services.
fn is_ai(resource: &Resource, policies: Option<&Policies>) -> bool {
    Catalog::get().kind(&resource.type_name).is_some_and(|info| info.ai == Ai::Direct)
        || policies.is_some_and(Policies::name_ai)
}
