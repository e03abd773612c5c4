//! The resource graph: resources are nodes, what one says of another are edges.
//!
//! Built by ordered steps (`STEPS`); each step says why it stands where it stands. Knows nothing of rules.

mod before;
mod globs;
mod literals;
pub mod manifests;
mod patterns;
mod references;
mod spelling;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use rayon::prelude::*;
use smol_str::SmolStr;

pub use before::Before;

use crate::catalog::{self, LinkKind};
use crate::program::{
    Action, FollowedCall, InputKind, Mode, ModuleCall, Program, ProviderConfig, Repeated, Resource,
};
use crate::source::FileId;
use crate::value::{Kind, Partial, Value};

/// A node of the graph.
pub type NodeId = NodeIndex<u32>;

/// What one resource says of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its kind.
    pub kind: LinkKind,
    /// The attribute that says it, without indexes: `data_source_configuration.s3_configuration.bucket_arn`.
    pub path: SmolStr,
}

/// All resources of one input and how they hang together.
#[derive(Debug, Default)]
pub struct ResourceGraph {
    /// Resources and edges.
    pub graph: DiGraph<Resource, Edge>,
    /// Provider configurations; [`Resource::provider`] is an index into them.
    pub providers: Vec<ProviderConfig>,
    /// Module calls whose resources are not here.
    pub unfollowed: Vec<ModuleCall>,
    /// Module calls whose resources are here: [`Program::calls`].
    pub calls: BTreeMap<SmolStr, FollowedCall>,
    /// What makes instances that stand for any: [`Program::repeated`].
    pub repeated: BTreeMap<SmolStr, Repeated>,
    /// Addresses before the change of what it moves: [`Program::moved`].
    pub moved: BTreeMap<SmolStr, SmolStr>,
    /// What the state had otherwise before it was refreshed: [`Program::stored`].
    stored: Vec<Resource>,
    /// What the input is.
    pub kind: InputKind,
    /// [`Program::document`]
    pub document: Option<FileId>,
    by_address: HashMap<SmolStr, NodeId>,
    by_block: HashMap<SmolStr, Vec<NodeId>>,
    /// By node, the first instance of its block.
    first_of_block: Vec<NodeId>,
    by_type: BTreeMap<SmolStr, Vec<NodeId>>,
    /// By type: the names of what the change deletes.
    removed: HashMap<SmolStr, HashSet<SmolStr>>,
}

/// A step of building.
type Step = fn(&mut ResourceGraph);

/// The steps, in order.
const STEPS: [Step; 9] = [
    // First: the schema is that of the type it is settled to be.
    spelling::settle,
    // As the one before.
    manifests::read,
    // Before all else: later steps read attributes by the provider's schema.
    complete,
    // Before any edge: edges are found by address, block and type.
    index,
    // Before literals: a reference proves a link, a literal only suggests the same one.
    references::connect_values,
    // Before links: a literal names an instance, a link may name only a block.
    literals::connect,
    references::connect_links,
    // After all of them: an association leads to the role that its own edge leads to.
    globs::connect,
    workloads::connect,
];

impl ResourceGraph {
    /// Builds the graph of a program.
    pub fn build(program: Program) -> Self {
        let mut graph = DiGraph::with_capacity(program.resources.len(), program.resources.len());
        for resource in program.resources {
            graph.add_node(resource);
        }
        let mut this = Self {
            graph,
            providers: program.providers,
            unfollowed: program.unfollowed,
            calls: program.calls,
            repeated: program.repeated,
            moved: program.moved,
            stored: program.stored,
            kind: program.kind,
            document: program.document,
            ..Self::default()
        };
        for step in STEPS {
            step(&mut this);
        }
        this
    }

    /// The resource of a node. Every [`NodeId`] of this graph has one.
    pub fn resource(&self, node: NodeId) -> Option<&Resource> {
        self.graph.node_weight(node)
    }

    /// The provider configuration that stands for the account of a resource. The Cloud Control provider is configured beside
    /// that of AWS, and makes its resources in the same account.
    pub fn account(&self, resource: &Resource) -> Option<usize> {
        let own = resource.provider?;
        let Some(cloud_control) = self.providers.get(own).filter(|provider| provider.name == "awscc") else {
            return Some(own);
        };
        let is_aws = |provider: &ProviderConfig| provider.name == "aws";
        let of_alias = |provider: &ProviderConfig| is_aws(provider) && provider.alias == cloud_control.alias;
        // What is called otherwise stands beside the only one of its region.
        let region = cloud_control.region.as_str();
        let of_region = |provider: &ProviderConfig| {
            is_aws(provider) && region.is_some() && provider.region.as_str() == region
        };
        let only = || {
            let mut found = self.providers.iter().enumerate().filter(|(_, provider)| of_region(provider));
            found.next().filter(|_| found.next().is_none()).map(|(at, _)| at)
        };
        Some(self.providers.iter().position(of_alias).or_else(only).unwrap_or(own))
    }

    /// The node of an instance's full address.
    pub fn by_address(&self, address: &str) -> Option<NodeId> {
        self.by_address.get(address).copied()
    }

    /// The nodes of a type, in the order of the input.
    pub fn by_type(&self, type_name: &str) -> &[NodeId] {
        self.by_type.get(type_name).map_or(&[], Vec::as_slice)
    }

    /// The nodes of each type, sorted by type.
    pub fn nodes_by_type(&self) -> impl Iterator<Item = (&str, &[NodeId])> {
        self.by_type.iter().map(|(name, nodes)| (name.as_str(), nodes.as_slice()))
    }

    /// Whether the change deletes a resource of that type and name, and leaves none of that name: an ARN, a key's id, a
    /// bucket.
    pub fn removes(&self, type_name: &str, name: &str) -> bool {
        self.removed.get(type_name).is_some_and(|names| names.contains(name))
    }

    /// The instances of a block address.
    pub fn by_block(&self, block: &str) -> &[NodeId] {
        self.by_block.get(block).map_or(&[], Vec::as_slice)
    }

    /// The resource of an instance's address, or the first instance of a block's.
    pub fn named(&self, address: &str) -> Option<&Resource> {
        self.resource(self.by_address(address).or_else(|| self.by_block(address).first().copied())?)
    }

    /// The calls that lead to the module of a resource, the innermost first, each with the path of what it calls.
    pub fn calls_of<'s>(&'s self, resource: &'s Resource) -> Vec<(&'s str, FollowedCall)> {
        let block = resource.block.as_str();
        let ends = block.match_indices('.').map(|(end, _)| block.get(..end).unwrap_or_default());
        let mut calls: Vec<_> = ends.filter_map(|path| Some((path, *self.calls.get(path)?))).collect();
        calls.reverse();
        calls
    }

    /// The first instance of the block that `node` is one of: what tells blocks apart without a look at what they are called.
    pub fn first_of_block(&self, node: NodeId) -> Option<NodeId> {
        self.first_of_block.get(node.index()).copied()
    }

    /// Edges that leave (`Outgoing`) or reach (`Incoming`) a node, with the node at the other end.
    pub fn edges(&self, node: NodeId, direction: Direction) -> impl Iterator<Item = (&Edge, NodeId)> {
        self.graph.edges_directed(node, direction).map(move |edge| {
            let other = if direction == Direction::Outgoing { edge.target() } else { edge.source() };
            (edge.weight(), other)
        })
    }

    /// Resources of `type_name` that configure `node`: its attachments.
    pub fn attachments<'g>(&'g self, node: NodeId, type_name: &'g str) -> impl Iterator<Item = &'g Resource> {
        self.edges(node, Direction::Incoming)
            .filter(|(edge, _)| edge.kind == LinkKind::Attachment)
            .filter_map(|(_, source)| self.resource(source))
            .filter(move |resource| resource.type_name == type_name && !resource.is_deleted())
    }

    /// Adds the edges that `find` sees of each resource. It sees the graph as it was before.
    fn connect_all(&mut self, find: impl Fn(&Self, NodeId, &Resource) -> Vec<(NodeId, Edge)> + Sync) {
        let nodes: Vec<NodeId> = self.graph.node_indices().collect();
        let find = |&node: &NodeId| {
            self.resource(node).map(|resource| find(self, node, resource)).unwrap_or_default()
        };
        let found: Vec<Vec<(NodeId, Edge)>> = nodes.par_iter().map(find).collect();
        for (node, edges) in nodes.into_iter().zip(found) {
            for (target, edge) in edges {
                self.connect(node, target, edge);
            }
        }
    }

    /// Adds an edge, unless the two are joined by the same one or are one.
    fn connect(&mut self, source: NodeId, target: NodeId, edge: Edge) {
        if source != target && !self.is_joined(source, target, &edge.path) {
            self.graph.add_edge(source, target, edge);
        }
    }

    /// Whether an edge with that path joins the two. One end may have thousands of edges: those of both are looked at in turn,
    /// and it is told when either has no more.
    fn is_joined(&self, source: NodeId, target: NodeId, path: &str) -> bool {
        let leaving = self.graph.edges_directed(source, Direction::Outgoing);
        let arriving = self.graph.edges_directed(target, Direction::Incoming);
        leaving.zip(arriving).any(|(leaving, arriving)| {
            leaving.target() == target && leaving.weight().path == path
                || arriving.source() == source && arriving.weight().path == path
        })
    }
}

impl Resource {
    /// Whether nothing is left of it after the change.
    pub fn is_deleted(&self) -> bool {
        matches!(self.action, Action::Delete | Action::Forget)
    }

    /// Whether the configuration manages it, and it is there after the change.
    pub fn is_ours(&self) -> bool {
        self.mode == Mode::Managed && !self.is_deleted()
    }
}

/// Brings every resource to its schema: types, defaults, absent attributes and blocks.
fn complete(this: &mut ResourceGraph) {
    // A plan's and a state's objects are whole; source and Pulumi inputs say only what somebody set.
    let partial = !matches!(this.kind, InputKind::TerraformPlan | InputKind::TerraformState);
    for provider in &mut this.providers {
        provider.region.spread_sensitive();
        provider.default_tags.spread_sensitive();
    }
    let this_is_plan = this.kind == InputKind::TerraformPlan;
    let mut resources: Vec<&mut Resource> = this.graph.node_weights_mut().collect();
    resources.par_iter_mut().for_each(|resource| {
        // A data source of the same name has another schema.
        if resource.mode == Mode::Data {
            return;
        }
        let configured = before::configured(resource);
        let partial = partial || this_is_plan && spelling::is_settled(resource);
        let type_name = &resource.type_name;
        let sides = [(&mut resource.before, &configured), (&mut resource.after, &resource.configured)];
        let sides = sides.into_iter().map(|(object, configured)| (object.as_mut(), configured));
        for (object, configured) in sides.chain([(resource.untold.as_deref_mut(), &resource.configured)]) {
            if let Some(object) = object {
                let value = std::mem::replace(object, Value::NULL);
                *object = complete_object(type_name, value, partial, configured.as_deref());
            }
        }
    });
}

/// The object, of which `configured` is set, with what its schema says of it.
fn complete_object(
    type_name: &str,
    object: Value,
    partial: bool,
    configured: Option<&BTreeSet<SmolStr>>,
) -> Value {
    let mut value = catalog::complete(type_name, object, partial);
    // The marks of plans and states are on every part.
    if partial {
        value.spread_sensitive();
    }
    note_not_null(&mut value);
    if let Some(configured) = configured {
        catalog::fill(type_name, &mut value, configured);
    }
    value
}

/// A value that is another resource's attribute is not null, though it is known after apply.
fn note_not_null(value: &mut Value) {
    // Instances share what is equal in them: to change it would be to copy it.
    if !has_nullable_reference(value) {
        return;
    }
    let is_reference = value.reference.is_some();
    match &mut value.kind {
        Kind::Unknown(unknown) => {
            let unknown = Arc::make_mut(unknown);
            unknown.not_null |= is_reference && !unknown.may_be_left_out();
            if let Some(Partial::Elements(elements)) = &mut unknown.partial {
                for element in Arc::make_mut(elements) {
                    note_not_null(&mut element.value);
                }
            }
        }
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
            Arc::make_mut(items).iter_mut().for_each(note_not_null);
        }
        Kind::Map(map) | Kind::Object(map) => Arc::make_mut(map).values_mut().for_each(note_not_null),
        _ => {}
    }
}

/// Whether [`note_not_null`] changes the value.
fn has_nullable_reference(value: &Value) -> bool {
    match &value.kind {
        Kind::Unknown(unknown) => {
            value.reference.is_some() && !unknown.not_null && !unknown.may_be_left_out()
                || value.elements().is_some_and(|all| all.iter().any(|e| has_nullable_reference(&e.value)))
        }
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => items.iter().any(has_nullable_reference),
        Kind::Map(map) | Kind::Object(map) => map.values().any(has_nullable_reference),
        _ => false,
    }
}

/// Finds nodes by address, block and type.
fn index(this: &mut ResourceGraph) {
    this.by_address.reserve(this.graph.node_count());
    for node in this.graph.node_indices() {
        let Some(resource) = this.graph.node_weight(node) else { continue };
        this.by_address.insert(resource.address.clone(), node);
        let of_block = this.by_block.entry(resource.block.clone()).or_default();
        of_block.push(node);
        this.first_of_block.push(of_block.first().copied().unwrap_or(node));
        this.by_type.entry(resource.type_name.clone()).or_default().push(node);
        if matches!(resource.action, Action::Delete | Action::Replace) {
            for attribute in ["arn", "bucket", "key_id"] {
                let name =
                    |object: &Option<Value>| Some(SmolStr::from(object.as_ref()?.get(attribute)?.as_str()?));
                if let Some(gone) =
                    name(&resource.before).filter(|_| name(&resource.after) != name(&resource.before))
                {
                    this.removed.entry(resource.type_name.clone()).or_default().insert(gone);
                }
            }
        }
    }
}
