//! What the graph says beyond single attributes: AI scope, the state of a bucket, effective tags, residency.
//!
//! Derived from the graph and the configuration; rules read facts, facts know nothing of rules.

pub mod bucket;
mod choice;
mod classes;
pub mod domain;
mod few;
pub mod iam;
mod of_type;
pub mod presence;
pub mod related;
pub mod residency;
pub mod scope;
mod secrets;
mod seeds;
pub mod tags;
pub mod tier;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::OnceLock;

use smol_str::SmolStr;

use crate::config::{self, Config};
use crate::graph::{NodeId, ResourceGraph};
use crate::iam::context::Context;
use crate::program::Resource;
use crate::source::Sources;
use crate::value::{Cause, Value};

use few::Few;
use of_type::{Member, OfType, OfTypes};
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
    allowed_places: residency::Promise,
    /// What `data-residency` tags promise.
    promises: Few<residency::Promise>,
    /// Where the ids of models send prompts.
    models: Few<residency::OfModel>,
    /// By node: what is so of its type.
    of_types: OfTypes,
    /// By node: what every rule about policies asks.
    policies: Vec<Option<Box<iam::Policies>>>,
    /// Asked for with every bucket, so found once.
    unplaced: BTreeMap<&'static str, NodeId>,
    /// Found when first asked for.
    identities: OnceLock<iam::principals::Found>,
    /// Found when first asked for.
    assignments: OnceLock<Vec<iam::azure::Assignment>>,
    /// Asked for with every assignment.
    ai_accounts: OnceLock<iam::azure::Accounts>,
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
    /// Asked for with every role that lacks a condition.
    askers: OnceLock<iam::grant::Askers>,
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
        let (policies, of_types) =
            rayon::join(|| iam::Policies::of_graph(graph), || OfTypes::new(graph, config));
        // Scope is for one thread.
        let (scope, unplaced) =
            rayon::join(|| Scope::new(graph, config, &policies, &of_types), || bucket::unplaced(graph));
        Self {
            graph,
            config,
            scope,
            required_tags: tags::strings(config.tags.required.iter().map(String::as_str)),
            allowed_places: residency::Promise::new(config.residency.allowed.iter().map(String::as_str)),
            promises: Few::default(),
            models: Few::default(),
            of_types,
            policies,
            unplaced,
            identities: OnceLock::new(),
            assignments: OnceLock::new(),
            ai_accounts: OnceLock::new(),
            bindings: OnceLock::new(),
            google_grants: OnceLock::new(),
            sources: None,
            context: Context::default(),
            unplaced_links: related::Unplaced::default(),
            bucket_objects: iam::objects::Objects::default(),
            passable: OnceLock::new(),
            accounts: OnceLock::new(),
            askers: OnceLock::new(),
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

    /// The accounts of AI of Azure that the input makes.
    fn ai_accounts(&self) -> &iam::azure::Accounts {
        self.ai_accounts.get_or_init(|| iam::azure::Accounts::of_graph(self.graph))
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

    /// What is so of all resources of its type.
    fn of_type(&self, node: NodeId) -> Option<&OfType> {
        self.of_types.get(node)
    }

    /// The roles that services may assume.
    fn passable(&self) -> &iam::grant::Passable {
        self.passable.get_or_init(|| iam::grant::passable(self))
    }

    /// What asks who one is, by module and provider configuration.
    fn askers(&self) -> &iam::grant::Askers {
        self.askers.get_or_init(|| iam::grant::askers(self.graph))
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

/// Whether nobody sets what is at a dotted path of the resource, and it is the provider that does not tell the value yet.
fn is_unset(resource: &Resource, path: &str, value: &Value) -> bool {
    is_unset_by(resource, path, value, |at| Member::of(&resource.type_name, at))
}

/// [`is_unset`], where `member` tells what is at a dotted path of the type.
fn is_unset_by(
    resource: &Resource,
    path: &str,
    value: &Value,
    member: impl Fn(&str) -> Option<Member>,
) -> bool {
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
    let Some(at) = first_unknown(after, path).filter(|at| !set.contains(*at)) else { return false };
    match member(at) {
        // A plan does not tell of `dynamic` blocks, so this may be one, unless the provider computes it.
        Some(Member::Block { is_computed }) => is_computed,
        // Of a block that the configuration has, it tells every attribute.
        Some(Member::Attribute) => match at.rsplit_once('.') {
            Some((block, _)) => set.contains(block) && has_below(set, block),
            None => true,
        },
        None => false,
    }
}

/// The beginning of a dotted path where the value is unknown.
fn first_unknown<'p>(object: &Value, path: &'p str) -> Option<&'p str> {
    let (mut value, mut start) = (object, 0);
    for step in path.split('.') {
        value = match value.map() {
            Some(map) => map.get(step)?,
            None => value.at_path(step)?,
        };
        let end = start + step.len();
        if value.is_unknown() {
            return path.get(..end);
        }
        start = end + 1;
    }
    None
}

/// Whether one of the dotted paths is below `path`.
fn has_below(paths: &BTreeSet<SmolStr>, path: &str) -> bool {
    let after = paths.range::<str, _>((Bound::Excluded(path), Bound::Unbounded));
    let mut rest = after.map_while(|other| other.strip_prefix(path));
    rest.any(|rest| rest.starts_with('.'))
}

/// Whether nobody set the value and the provider decides it, as far as the input tells.
fn is_left_to_the_provider(value: &Value) -> bool {
    value.as_unknown().is_some_and(|unknown| matches!(unknown.cause, Cause::Provider | Cause::Plan))
}
