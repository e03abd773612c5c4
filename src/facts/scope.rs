//! AI scope: which resources are AI, and which AI reaches, over which path.
//!
//! From what is AI itself (`seeds`) scope goes forward over data, identity, key, network and containment edges and backward
//! over attachments: to what AI needs and what configures that. It goes to those who call AI too, but not to all who share
//! something with it: to what acts as an identity that may use AI, to what names a model, an agent or a knowledge base, and
//! from there to the front through which the public comes.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, OnceLock};

use foldhash::HashSet;
use petgraph::Direction;
use rayon::prelude::*;
use smol_str::SmolStr;

use crate::catalog::LinkKind;
use crate::config::Config;
use crate::finding::{Exclusion, PathStep};
use crate::graph::{NodeId, ResourceGraph};
use crate::program::Mode;

use super::classes::Class;
use super::iam::Policies;
use super::of_type::OfTypes;
use super::seeds::{Seed, left_out};

/// A path is not followed further than this many edges.
const MAX_PATH: usize = 6;

/// Which resources are in AI scope.
#[derive(Debug)]
pub struct Scope {
    /// By node: how it is reached.
    reach: Vec<Option<Reach>>,
    /// What tags left out, in the order of the input.
    excluded: Vec<Exclusion>,
    /// By node: the path to it, found when it is first told. Several findings are about one resource.
    paths: Vec<OnceLock<Arc<[PathStep]>>>,
}

#[derive(Clone, Debug)]
struct Reach {
    from: From,
    length: usize,
}

#[derive(Clone, Debug)]
enum From {
    /// It is AI itself, or said to be.
    Seed(Seed),
    /// The node before it on the path and the edge between.
    Edge(NodeId, &'static str),
}

impl Scope {
    /// Walks the graph from all AI resources at once, so that every path is a shortest one.
    pub(super) fn new(
        graph: &ResourceGraph,
        config: &Config,
        policies: &[Option<Box<Policies>>],
        types: &OfTypes,
    ) -> Self {
        let count = graph.graph.node_count();
        let mut this =
            Self { reach: vec![None; count], excluded: Vec::new(), paths: vec![OnceLock::new(); count] };
        let mut queue = VecDeque::new();
        let mut excluded = vec![None; count];
        let nodes: Vec<NodeId> = graph.graph.node_indices().collect();
        let look = |&node: &NodeId| {
            let resource = graph.resource(node)?;
            let held = policies.get(node.index()).and_then(Option::as_deref);
            Some((left_out(graph, config, resource), Seed::of(config, resource, held)))
        };
        let found: Vec<_> = nodes.par_iter().map(look).collect();
        for (node, found) in nodes.into_iter().zip(found) {
            let Some((tag, seed)) = found else { continue };
            if let (Some(tag), Some(slot)) = (tag, excluded.get_mut(node.index())) {
                *slot = Some(tag);
            }
            if let Some(seed) = seed {
                this.set(node, Reach { from: From::Seed(seed), length: 0 });
                queue.push_back(node);
            }
        }
        let is_excluded = |node: NodeId| excluded.get(node.index()).is_some_and(Option::is_some);
        let mut found = Vec::new();
        while let Some(node) = queue.pop_front() {
            let Some(length) = this.get(node).map(|reach| reach.length) else { continue };
            if length == MAX_PATH || is_excluded(node) {
                continue;
            }
            this.neighbours(graph, policies, types, node, &mut found);
            for (kind, next) in found.drain(..) {
                if this.get(next).is_none() {
                    this.set(next, Reach { from: From::Edge(node, kind), length: length + 1 });
                    queue.push_back(next);
                }
            }
        }
        this.exclude(graph, excluded);
        this
    }

    /// Takes out what tags leave out, and notes it where it would be in scope.
    fn exclude(&mut self, graph: &ResourceGraph, excluded: Vec<Option<SmolStr>>) {
        for ((node, tag), reach) in graph.graph.node_indices().zip(excluded).zip(&mut self.reach) {
            let (Some(tag), Some(resource)) = (tag, graph.resource(node)) else { continue };
            if reach.take().is_some() && resource.mode == Mode::Managed {
                self.excluded.push(Exclusion { address: resource.address.clone(), tag });
            }
        }
    }

    /// Whether the resource is in AI scope.
    pub fn contains(&self, node: NodeId) -> bool {
        self.get(node).is_some()
    }

    /// Whether the resource is itself AI.
    pub fn is_direct(&self, node: NodeId) -> bool {
        matches!(self.get(node), Some(Reach { from: From::Seed(seed), .. }) if seed.is_direct())
    }

    /// How many resources are in scope.
    pub fn len(&self) -> usize {
        self.reach.iter().flatten().count()
    }

    /// Whether nothing is in scope.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What tags left out of scope.
    pub fn excluded(&self) -> &[Exclusion] {
        &self.excluded
    }

    /// Types of the AI resources that reach the node over data edges, sorted.
    pub fn reached_by<'g>(&self, graph: &'g ResourceGraph, node: NodeId) -> BTreeSet<&'g SmolStr> {
        let (mut seen, mut from) = (HashSet::from_iter([node]), Vec::new());
        let mut last = vec![node];
        for _ in 0..MAX_PATH {
            let edges = last.iter().flat_map(|&node| graph.edges(node, Direction::Incoming));
            let new = edges.filter(|(edge, from)| edge.kind == LinkKind::Data && seen.insert(*from));
            last = new.map(|(_, from)| from).collect();
            from.extend_from_slice(&last);
        }
        let direct = from.into_iter().filter(|&from| self.is_direct(from));
        direct.filter_map(|from| Some(&graph.resource(from)?.type_name)).collect()
    }

    /// The AI resource that the path to the node begins at; [`None`] if it is out of scope.
    pub fn origin(&self, node: NodeId) -> Option<NodeId> {
        let mut at = node;
        // A path has no circles.
        loop {
            match self.get(at)?.from {
                From::Seed(_) => return Some(at),
                From::Edge(from, _) => at = from,
            }
        }
    }

    /// Why the resource is in scope by itself, where its type does not say it.
    pub fn reason(&self, node: NodeId) -> Option<SmolStr> {
        match &self.get(node)?.from {
            From::Seed(seed) => seed.reason(),
            From::Edge(..) => None,
        }
    }

    /// The path from an AI resource to the node; empty if it is out of scope.
    pub fn path(&self, graph: &ResourceGraph, node: NodeId) -> Arc<[PathStep]> {
        let find = || self.find_path(graph, node).into();
        self.paths.get(node.index()).map_or_else(find, |known| Arc::clone(known.get_or_init(find)))
    }

    fn find_path(&self, graph: &ResourceGraph, node: NodeId) -> Vec<PathStep> {
        let mut path = Vec::with_capacity(self.get(node).map_or(0, |reach| reach.length + 1));
        let mut next = Some(node);
        while let Some(node) = next {
            let (Some(reach), Some(resource)) = (self.get(node), graph.resource(node)) else { break };
            let (from, edge) = match reach.from {
                From::Seed(_) => (None, None),
                From::Edge(from, edge) => (Some(from), Some(edge)),
            };
            path.push(PathStep { edge, address: resource.address.clone() });
            next = from;
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

    /// Where scope goes from a resource.
    fn neighbours(
        &self,
        graph: &ResourceGraph,
        policies: &[Option<Box<Policies>>],
        types: &OfTypes,
        node: NodeId,
        found: &mut Vec<(&'static str, NodeId)>,
    ) {
        let class = types.class(node);
        let seed = match self.get(node).map(|reach| &reach.from) {
            Some(From::Seed(seed)) => Some(seed),
            _ => None,
        };
        // Asked once: many may act as one role.
        let acts_for_ai = (class.is(Class::ROLE) || class.is(Class::IDENTITY))
            && self.may_use_ai(graph, types, node)
            || class.is(Class::PROFILE) && self.is_called(types, node);
        let forward = |kind: LinkKind, next: NodeId| match kind {
            LinkKind::Reference => {
                types.class(next).is(Class::STORE) && serves_ai(graph, policies, types, node)
            }
            // A front is a part of the API that it belongs to; the role or user of a policy about AI may use AI.
            LinkKind::Attachment => {
                class.is(Class::FRONT) || class.is(Class::GRANT) && types.class(next).is(Class::GRANTEE)
            }
            _ => true,
        };
        let backward = |kind: LinkKind, from: NodeId| match kind {
            LinkKind::Attachment => true,
            // Who acts as an identity that may use AI, but not everybody of a role that AI uses.
            LinkKind::Identity => {
                acts_for_ai && types.class(from).is(Class::CALLER)
                    || class.is(Class::POLICY) && seed.is_some() && types.class(from).is(Class::GRANT)
            }
            // Who calls AI, and what brings requests to it.
            LinkKind::Data => {
                let from = types.class(from);
                seed == Some(&Seed::Type) && from.is(Class::CALLER)
                    || from.is(Class::FRONT) && (class.is(Class::CALLER) || class.is(Class::TARGETS))
            }
            // What is made by an accelerated template is accelerated.
            LinkKind::Containment => class.is(Class::TEMPLATE) && matches!(seed, Some(Seed::Accelerator(_))),
            LinkKind::Key | LinkKind::Network | LinkKind::Reference => false,
        };
        let outgoing =
            graph.edges(node, Direction::Outgoing).filter(|(edge, next)| forward(edge.kind, *next));
        let incoming =
            graph.edges(node, Direction::Incoming).filter(|(edge, from)| backward(edge.kind, *from));
        found.extend(outgoing.chain(incoming).map(|(edge, other)| (edge.kind.name(), other)));
    }

    /// Whether the policies of a role let it use AI: it holds one that names AI, or one is attached to it.
    fn may_use_ai(&self, graph: &ResourceGraph, types: &OfTypes, role: NodeId) -> bool {
        let names_ai =
            |node: NodeId| matches!(self.get(node), Some(Reach { from: From::Seed(Seed::Policy), .. }));
        let is_of_ai = |node: NodeId| match self.get(node).map(|reach| &reach.from) {
            Some(From::Edge(from, _)) => names_ai(*from),
            _ => names_ai(node),
        };
        let mut grants = graph
            .edges(role, Direction::Incoming)
            .filter(|(edge, from)| edge.kind == LinkKind::Attachment && types.class(*from).is(Class::GRANT));
        names_ai(role) || grants.any(|(_, from)| is_of_ai(from))
    }

    /// Whether the profile was reached from its role, and not from a machine.
    fn is_called(&self, types: &OfTypes, profile: NodeId) -> bool {
        let Some(From::Edge(from, _)) = self.get(profile).map(|reach| &reach.from) else { return false };
        types.class(*from).is(Class::ROLE)
    }
}

/// Whether it is a role that an AI service acts as, or a policy of one.
fn serves_ai(
    graph: &ResourceGraph,
    policies: &[Option<Box<Policies>>],
    types: &OfTypes,
    node: NodeId,
) -> bool {
    let is_of_role = |node: NodeId| {
        let held = policies.get(node.index()).and_then(Option::as_deref);
        types.class(node).is(Class::ROLE) && held.is_some_and(Policies::serve_ai)
    };
    let attached = |node: NodeId| {
        let mut roles = graph.edges(node, Direction::Outgoing);
        roles.any(|(edge, role)| edge.kind == LinkKind::Attachment && is_of_role(role))
    };
    let holder = |from: NodeId| is_of_role(from) || attached(from);
    let mut holders = graph.edges(node, Direction::Incoming);
    is_of_role(node)
        || attached(node)
        || types.class(node).is(Class::POLICY)
            && holders.any(|(edge, from)| edge.kind == LinkKind::Identity && holder(from))
}
