//! What the graph says beyond single attributes: AI scope, the state of a bucket, effective tags, residency.
//!
//! Derived from the graph and the configuration; rules read facts, facts know nothing of rules.

pub mod bucket;
mod choice;
pub mod domain;
pub mod iam;
pub mod presence;
pub mod related;
pub mod residency;
pub mod scope;
mod secrets;
mod seeds;
pub mod tags;
pub mod tier;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::catalog::{self, Catalog};
use crate::config::{self, Config};
use crate::graph::{NodeId, ResourceGraph};
use crate::iam::context::Context;
use crate::program::Resource;
use crate::source::Sources;
use crate::value::{Cause, Value};

use scope::Scope;

/// The facts of one graph.
#[derive(Debug)]
pub struct Facts<'g> {
    /// The graph.
    pub graph: &'g ResourceGraph,
    /// The user's configuration: allowed jurisdictions, tags.
    pub config: &'g Config,
    scope: Scope,
    /// The configuration's `[tags] required`, as conditions see it.
    required_tags: Value,
    /// The configuration's `[residency] allowed`, as conditions see it.
    allowed_places: Value,
    /// By node: what every rule about policies asks.
    policies: Vec<Option<Box<iam::Policies>>>,
    /// Asked for with every bucket, so found once.
    unplaced: BTreeMap<&'static str, NodeId>,
    /// Found when first asked for.
    identities: OnceLock<iam::principals::Found>,
    /// Found when first asked for.
    assignments: OnceLock<Vec<iam::azure::Assignment>>,
    /// Found when first asked for.
    bindings: OnceLock<Vec<iam::kubernetes::Binding>>,
    /// Found when first asked for.
    google_grants: OnceLock<iam::google::Grants>,
    /// The texts of the input, where they tell more than values do.
    pub(crate) sources: Option<&'g Sources>,
    /// What is known of requests; nothing where rules ask.
    context: Context,
    /// As routes ask.
    unplaced_links: related::Unplaced,
    /// Asked for with every knowledge base.
    bucket_objects: iam::objects::Objects,
    /// Asked for with every role that may be passed, so found once.
    passable: OnceLock<iam::grant::Passable>,
    /// Found when first asked for.
    accounts: OnceLock<iam::accounts::Accounts>,
}

impl Drop for Facts<'_> {
    /// Documents are many small things that all cores made: it takes one alone as long to free them as to read them.
    fn drop(&mut self) {
        rayon::join(|| drop(self.identities.take()), || drop(std::mem::take(&mut self.policies)));
    }
}

impl<'g> Facts<'g> {
    /// Derives what every rule needs; the rest is derived when asked for.
    pub fn new(graph: &'g ResourceGraph, config: &'g Config) -> Self {
        let policies = iam::Policies::of_graph(graph);
        Self {
            graph,
            config,
            scope: Scope::new(graph, config, &policies),
            required_tags: tags::strings(config.tags.required.iter().map(String::as_str)),
            allowed_places: tags::strings(config.residency.allowed.iter().map(String::as_str)),
            policies,
            unplaced: bucket::unplaced(graph),
            identities: OnceLock::new(),
            assignments: OnceLock::new(),
            bindings: OnceLock::new(),
            google_grants: OnceLock::new(),
            sources: None,
            context: Context::default(),
            unplaced_links: related::Unplaced::default(),
            bucket_objects: iam::objects::Objects::default(),
            passable: OnceLock::new(),
            accounts: OnceLock::new(),
        }
    }

    /// With the texts that the input was read from, findings can tell the line of a statement.
    #[must_use]
    pub fn with_sources(mut self, sources: &'g Sources) -> Self {
        self.sources = Some(sources);
        self
    }

    /// The same facts of the graph, with policies as they are for requests of which this is known.
    #[must_use]
    pub fn in_context(&self, context: &Context) -> Self {
        let mut facts = Self::new(self.graph, self.config);
        facts.sources = self.sources;
        facts.policies.iter_mut().flatten().for_each(|policies| policies.apply(context));
        facts.context = context.clone();
        facts
    }

    /// Every role and user that the input makes, with the policies that bear on it.
    pub fn identities(&self) -> iam::principals::Identities<'_> {
        let found = self.identities.get_or_init(|| iam::principals::Found::new(self));
        iam::principals::Identities { facts: self, found }
    }

    /// Every role assignment of Azure that the input makes.
    pub fn assignments(&self) -> &[iam::azure::Assignment] {
        self.assignments.get_or_init(|| iam::azure::of_graph(self))
    }

    /// Every role binding of Kubernetes that the input makes.
    pub fn bindings(&self) -> &[iam::kubernetes::Binding] {
        self.bindings.get_or_init(|| iam::kubernetes::of_graph(self))
    }

    /// Every role that Google's resources grant.
    pub(crate) fn google_grants(&self) -> &iam::google::Grants {
        self.google_grants.get_or_init(|| iam::google::of_graph(self.graph))
    }

    /// The policies that the resource holds, if it is of a type that holds some.
    pub(crate) fn policies(&self, node: NodeId) -> Option<&iam::Policies> {
        self.policies.get(node.index())?.as_deref()
    }

    /// The roles that services may assume.
    fn passable(&self) -> &iam::grant::Passable {
        self.passable.get_or_init(|| iam::grant::passable(self))
    }

    /// What the input tells of accounts of AWS.
    fn accounts(&self) -> &iam::accounts::Accounts {
        self.accounts.get_or_init(|| iam::accounts::Accounts::of_graph(self.graph))
    }

    /// Whether findings may be about the resource: it is ours, it will be there, and it is in scope.
    pub fn is_subject(&self, node: NodeId) -> bool {
        let in_scope = self.config.scope == config::Scope::All || self.scope().contains(node);
        let here = |resource: &Resource| resource.is_ours();
        in_scope && self.graph.resource(node).is_some_and(here)
    }

    /// How AI reaches the resource.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Addresses of module calls that are not followed and name `node` in their arguments: what they declare may
    /// configure it.
    pub fn unfollowed_users(&self, node: NodeId) -> impl Iterator<Item = &'g str> {
        let resource = self.graph.resource(node);
        self.graph.unfollowed.iter().filter_map(move |call| {
            let resource = resource?;
            call.references
                .iter()
                .any(|link| {
                    link.target.resource == resource.address || link.target.resource == resource.block
                })
                .then_some(call.address.as_str())
        })
    }
}

/// Blocks that the provider computes where nobody sets them; the schema does not say so of blocks. Measured in plans.
const COMPUTED_BLOCKS: [(&str, &str); 2] = [
    ("aws_sagemaker_model", "container.model_data_source"),
    ("aws_sagemaker_model", "primary_container.model_data_source"),
];

/// Whether nobody sets what is at a dotted path of the resource, and it is the provider that does not tell the value yet.
fn is_unset(resource: &Resource, path: &str, value: &Value) -> bool {
    let Some(unknown) = value.as_unknown() else { return false };
    if unknown.cause != Cause::Plan {
        return unknown.cause == Cause::Provider;
    }
    let native = resource.native_type.as_ref().unwrap_or(&resource.type_name);
    if native.starts_with("awscc_") {
        // This provider computes all that is null: what depends on no other resource is that.
        return value.reference.is_none()
            && unknown.references().next().is_none()
            && !resource.references.iter().any(|link| path.starts_with(link.path.as_str()));
    }
    let (Some(set), Some(after)) = (&resource.configured, &resource.after) else { return false };
    let ends = path.match_indices('.').map(|(end, _)| end).chain([path.len()]);
    let mut prefixes = ends.filter_map(|end| path.get(..end));
    let Some(at) = prefixes.find(|prefix| after.at_path(prefix).is_some_and(Value::is_unknown)) else {
        return false;
    };
    let schema = Catalog::get().schema(&resource.type_name);
    if set.contains(at) || schema.is_none() {
        return false;
    }
    let block = at.rsplit_once('.').map_or("", |(block, _)| block);
    if schema.is_some_and(|schema| schema.block(at).is_some()) {
        // A plan does not tell of `dynamic` blocks, so this may be one, unless the provider computes it.
        let computed = catalog::unset(&resource.type_name).and_then(|unset| unset.get(at));
        return computed.is_some_and(Value::is_unknown)
            || COMPUTED_BLOCKS.contains(&(resource.type_name.as_str(), at));
    }
    // Of a block that the configuration has, it tells every attribute.
    block.is_empty() || set.contains(block) && set.iter().any(|it| it.starts_with(&format!("{block}.")))
}

/// Whether nobody set the value and the provider decides it, as far as the input tells.
fn is_left_to_the_provider(value: &Value) -> bool {
    value.as_unknown().is_some_and(|unknown| matches!(unknown.cause, Cause::Provider | Cause::Plan))
}
