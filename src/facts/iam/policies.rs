//! The policy documents of every resource, each read once for all that ask.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use foldhash::HashMap;
use rayon::prelude::*;

use crate::graph::{NodeId, ResourceGraph};
use crate::iam::context::Context;
use crate::iam::questions;
use crate::iam::{AI_ACTION_PREFIXES, AI_SERVICE_PRINCIPALS, Policy, Services, Statement};
use crate::program::{Mode, Resource};
use crate::source::Site;
use crate::value::{ByHash, Cause, Reference, Value};

use super::super::{Facts, is_left_to_the_provider};

/// The policies of a resource, each read once.
#[derive(Debug, Default)]
pub struct Policies {
    /// What it allows its holder; of a bucket, what it allows others.
    pub(super) grants: Vec<Read>,
    /// Who may assume it.
    pub(super) trust: Option<Read>,
    /// What the policy of a resource allows others.
    pub(super) others: Vec<Read>,
    /// What it leaves to those who come through it as a role.
    pub(super) session: Option<Read>,
}

/// A policy and the place it was written at.
#[derive(Clone, Debug)]
pub struct Read {
    /// What it says.
    pub policy: Arc<Policy>,
    /// The value.
    pub site: Option<Site>,
    /// The attribute that holds it.
    pub attribute: &'static str,
    /// The attribute of another resource that it is.
    pub reference: Option<Arc<Reference>>,
}

/// Types with a policy of a resource, and the attribute that holds it.
const RESOURCE_POLICIES: [(&str, &str); 16] = [
    ("aws_bedrockagentcore_resource_policy", "policy"),
    ("aws_ecr_registry_policy", "policy"),
    ("aws_ecr_repository_policy", "policy"),
    ("aws_kms_key", "policy"),
    ("aws_kms_key_policy", "policy"),
    ("aws_kms_replica_key", "policy"),
    ("aws_opensearch_domain", "access_policies"),
    ("aws_opensearch_domain_policy", "access_policies"),
    ("aws_organizations_policy", "content"),
    ("aws_s3vectors_vector_bucket_policy", "policy"),
    ("aws_sagemaker_model_package_group_policy", "resource_policy"),
    ("aws_secretsmanager_secret", "policy"),
    ("aws_secretsmanager_secret_policy", "policy"),
    ("aws_sns_topic_policy", "policy"),
    ("aws_sqs_queue_policy", "policy"),
    ("aws_vpc_endpoint", "policy"),
];

impl Policies {
    /// Reads those of every resource, by node; [`None`] of one that holds none.
    pub(in super::super) fn of_graph(graph: &ResourceGraph) -> Vec<Option<Box<Self>>> {
        let nodes: Vec<NodeId> = graph.graph.node_indices().collect();
        let texts = Texts::default();
        nodes.par_iter().map(|&node| Self::of(graph.resource(node)?, &texts).map(Box::new)).collect()
    }

    fn of<'g>(resource: &'g Resource, texts: &Texts<'g>) -> Option<Self> {
        let read = |value: &'g Value, attribute| Read {
            policy: texts.read(value),
            site: value.origin,
            attribute,
            reference: value.reference.clone(),
        };
        let after = resource.after.as_ref()?;
        let attribute = |name: &str| after.get(name).filter(|value| !value.is_null());
        match resource.type_name.as_str() {
            "aws_iam_policy" | "aws_iam_role_policy" | "aws_iam_user_policy" | "aws_iam_group_policy" => {
                Some(Self {
                    grants: attribute("policy").map(|value| read(value, "policy")).into_iter().collect(),
                    ..Self::default()
                })
            }
            "aws_iam_role" => {
                let inline = attribute("inline_policy").map_or(Vec::new(), |value| match value.items() {
                    Some(items) => items.iter().filter_map(|item| item.get("policy")).collect(),
                    // Nobody says so: those that there are stand elsewhere.
                    None if is_left_to_the_provider(value) => Vec::new(),
                    None => vec![value],
                });
                let grants = inline.into_iter().filter(|value| !value.is_null());
                Some(Self {
                    grants: grants.map(|value| read(value, "inline_policy")).collect(),
                    trust: attribute("assume_role_policy").map(|value| read(value, "assume_role_policy")),
                    ..Self::default()
                })
            }
            "aws_s3_bucket" | "aws_s3_bucket_policy" => {
                let set = attribute("policy")
                    .filter(|value| resource.type_name != "aws_s3_bucket" || !is_left_to_the_provider(value));
                set.map(|value| Self { grants: vec![read(value, "policy")], ..Self::default() })
            }
            "aws_kms_grant" | "aws_lambda_permission" if resource.mode == Mode::Managed => {
                let policy = Arc::new(super::made::policy(resource)?);
                let read = Read { policy, site: resource.site, attribute: "", reference: None };
                Some(Self { others: vec![read], ..Self::default() })
            }
            name if resource.mode == Mode::Managed => {
                if let Some(holds) = super::sessions::policy_of(name) {
                    // The provider computes none: one that is not known is set.
                    return attribute(holds)
                        .map(|value| Self { session: Some(read(value, holds)), ..Self::default() });
                }
                let at = RESOURCE_POLICIES.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
                let (_, holds) = RESOURCE_POLICIES.get(at)?;
                let set = attribute(holds).filter(|value| !is_left_to_the_provider(value));
                set.map(|value| Self { others: vec![read(value, holds)], ..Self::default() })
            }
            _ => None,
        }
    }

    /// Makes them what they are for requests of which this is known.
    pub(in super::super) fn apply(&mut self, context: &Context) {
        for read in self.all_mut() {
            read.policy = Arc::new(context.apply(&read.policy));
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Read> {
        self.grants.iter().chain(&self.trust).chain(&self.others).chain(&self.session)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Read> {
        self.grants.iter_mut().chain(&mut self.trust).chain(&mut self.others).chain(&mut self.session)
    }

    /// The policies that it is given.
    pub(in super::super) fn grants(&self) -> impl Iterator<Item = &Policy> {
        self.grants.iter().map(|read| &*read.policy)
    }

    /// Every policy that belongs to a resource and says what others may do with it.
    pub(super) fn of_resource(&self, type_name: &str) -> &[Read] {
        if matches!(type_name, "aws_s3_bucket" | "aws_s3_bucket_policy") {
            &self.grants
        } else {
            &self.others
        }
    }

    /// The statements of a policy of an organisation.
    pub(in super::super) fn of_organisation(&self) -> impl Iterator<Item = &Statement> {
        self.others.iter().flat_map(|read| &read.policy.alternatives).flat_map(|it| &it.statements)
    }

    /// Whether they name AI services: a policy with actions of one, a role that one may assume.
    pub(in super::super) fn name_ai(&self) -> bool {
        static AI: LazyLock<Services> = LazyLock::new(|| Services::named(&AI_ACTION_PREFIXES));
        let is_ai = |prefix: &str| AI_ACTION_PREFIXES.iter().any(|ai| ai.eq_ignore_ascii_case(prefix));
        // Most documents have nothing to do with AI.
        let may = |policy: &Policy| policy.alternatives.iter().any(|document| document.services().share(*AI));
        self.grants
            .iter()
            .chain(&self.session)
            .any(|read| may(&read.policy) && questions::service_prefixes(&read.policy).any(is_ai))
            || self.serve_ai()
    }

    /// Whether a service acts as it that runs AI in the account's name.
    pub(in super::super) fn serve_ai(&self) -> bool {
        let trusts = |read: &Read| questions::trusts(&read.policy, &AI_SERVICE_PRINCIPALS) == Ok(true);
        self.trust.as_ref().is_some_and(trusts)
    }
}

/// What is wrong in the documents of an input.
pub(super) fn faults(facts: &Facts<'_>) -> Vec<(String, Option<Site>, String)> {
    let mut out = Vec::new();
    for node in facts.graph.graph.node_indices() {
        let (Some(resource), Some(policies)) = (facts.graph.resource(node), facts.policies(node)) else {
            continue;
        };
        for read in policies.all() {
            for document in &read.policy.alternatives {
                let unread = document.unread.as_ref().map(|cause| format!("not read: {cause}"));
                for fault in document.faults.iter().map(ToString::to_string).chain(unread) {
                    let fault = if read.policy.sensitive { "it is not a policy".to_owned() } else { fault };
                    out.push((
                        format!("{}.{}", resource.address, read.attribute),
                        read.site.or(resource.site),
                        fault,
                    ));
                }
            }
        }
    }
    out.sort_by(|a, b| (&a.0, &a.2).cmp(&(&b.0, &b.2)));
    out.dedup();
    out
}

type Shard<'g> = ByHash<Hashed<'g>, Arc<Policy>>;

/// A text with its hash.
#[derive(Copy, Clone, PartialEq, Eq)]
struct Hashed<'g> {
    hash: u64,
    text: &'g str,
}

impl Hash for Hashed<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Documents by what is known of them: many roles carry the same, and it is read once.
#[derive(Default)]
struct Texts<'g> {
    hasher: foldhash::quality::RandomState,
    /// By a part of the hash, so that threads seldom wait for each other; then by all of it.
    read: [Mutex<Shard<'g>>; 32],
    /// Those of which nothing is known, by why.
    unknown: Mutex<HashMap<&'g Cause, Arc<Policy>>>,
}

impl<'g> Texts<'g> {
    fn read(&self, value: &'g Value) -> Arc<Policy> {
        let own = || Arc::new(Policy::read(value));
        if let Some(unknown) = value.as_unknown().filter(|it| it.partial.is_none() && !value.sensitive) {
            let mut known = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
            return known.entry(&unknown.cause).or_insert_with(own).clone();
        }
        let Some(text) = value.as_str().filter(|_| !value.sensitive) else { return own() };
        let hash = self.hasher.hash_one(text);
        let shard = self.read.iter().cycle().nth(usize::from(hash.to_le_bytes()[7] % 32));
        let Some(shard) = shard else { return own() };
        let text = Hashed { hash, text };
        // Nobody panics while holding the lock.
        let lock = || shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policy) = lock().get(&text) {
            return policy.clone();
        }
        let policy = own();
        // Another may have read it in the meantime: who asks for the same shall have one.
        lock().entry(text).or_insert(policy).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_searched_in_their_order() {
        assert!(RESOURCE_POLICIES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
