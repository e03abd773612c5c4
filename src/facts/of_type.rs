//! What facts ask of the type of a resource: found once of each type in the graph, since it is asked of every resource.

use smol_str::SmolStr;

use crate::catalog::{self, Catalog, LinkRule};
use crate::config::Config;
use crate::graph::{NodeId, ResourceGraph};
use crate::program::Resource;
use crate::residency::{FlowRule, Names, flows};
use crate::value::Value;

use super::classes::Class;
use super::few::Few;
use super::{is_unset_by, residency, tags};

/// Blocks that the provider computes where nobody sets them; the schema does not say so of blocks. Measured in plans.
const COMPUTED_BLOCKS: [(&str, &str); 2] = [
    ("aws_sagemaker_model", "container.model_data_source"),
    ("aws_sagemaker_model", "primary_container.model_data_source"),
];

/// What is so of all resources of a type.
#[derive(Debug)]
pub(super) struct OfType {
    name: SmolStr,
    /// What is at dotted paths; [`None`] of a type that has no schema.
    members: Few<Option<Member>>,
    /// What they are to AI scope.
    pub(super) class: Class,
    /// They are in no region.
    pub(super) is_global: bool,
    /// The attributes that name other resources.
    pub(super) links: &'static [LinkRule],
    /// The attributes that make data leave.
    pub(super) flows: &'static [FlowRule],
    /// The attribute that names what one of them is a copy of.
    pub(super) copy_of: Option<&'static str>,
    /// What has no tags gets none.
    pub(super) has_tags: bool,
    /// The tags that the configuration requires of them beside all others.
    pub(super) role_tags: Value,
    /// That nothing is wrong with their tags, where the configuration does not limit the values.
    pub(super) no_faults: Option<Value>,
}

/// What is at a dotted path.
#[derive(Copy, Clone, Debug)]
pub(super) enum Member {
    Attribute,
    Block {
        /// The provider computes it where nobody sets it.
        is_computed: bool,
    },
}

/// [`OfType`] of every resource.
#[derive(Debug)]
pub(super) struct OfTypes {
    types: Vec<OfType>,
    /// By node, which of them.
    of_node: Vec<u32>,
}

impl OfTypes {
    pub(super) fn new(graph: &ResourceGraph, config: &Config) -> Self {
        let mut this = Self { types: Vec::new(), of_node: vec![u32::MAX; graph.graph.node_count()] };
        for ((type_name, nodes), at) in graph.nodes_by_type().zip(0..) {
            this.types.push(OfType::new(type_name, config));
            for node in nodes {
                if let Some(slot) = this.of_node.get_mut(node.index()) {
                    *slot = at;
                }
            }
        }
        this
    }

    /// What a resource is to AI scope.
    pub(super) fn class(&self, node: NodeId) -> Class {
        self.get(node).map(|of_type| of_type.class).unwrap_or_default()
    }

    pub(super) fn get(&self, node: NodeId) -> Option<&OfType> {
        self.types.get(usize::try_from(*self.of_node.get(node.index())?).ok()?)
    }
}

impl OfType {
    fn new(type_name: &str, config: &Config) -> Self {
        let schema = Catalog::get().schema(type_name);
        let flows = flows(type_name);
        Self {
            name: type_name.into(),
            members: Few::default(),
            links: Catalog::get().links(type_name),
            class: Class::of(type_name),
            is_global: residency::is_global(type_name),
            flows,
            copy_of: flows.iter().find(|flow| flow.names == Names::Itself).map(|flow| flow.path),
            has_tags: schema.is_none_or(|schema| schema.has("tags")),
            role_tags: tags::of_role(&config.tags, type_name),
            no_faults: config.tags.limits(type_name).is_empty().then(|| Value::tuple([])),
        }
    }

    /// [`is_unset`](super::is_unset) of a resource of the type.
    pub(super) fn is_unset(&self, resource: &Resource, path: &str, value: &Value) -> bool {
        is_unset_by(resource, path, value, |at| self.members.get(at, |at| Member::of(&self.name, at)))
    }
}

impl Member {
    /// What is at a dotted path; [`None`] of a type that has no schema.
    pub(super) fn of(type_name: &str, path: &str) -> Option<Self> {
        if Catalog::get().schema(type_name)?.block(path).is_none() {
            return Some(Self::Attribute);
        }
        let computed = catalog::unset(type_name).and_then(|unset| unset.get(path));
        let is_computed =
            computed.is_some_and(Value::is_unknown) || COMPUTED_BLOCKS.contains(&(type_name, path));
        Some(Self::Block { is_computed })
    }
}
