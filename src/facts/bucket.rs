//! The state of an S3 bucket: its own arguments, its policy and the sub-resources that configure it.
//!
//! Service facts: objects are encrypted with SSE-S3 where nothing else is configured (since January 2023); new buckets
//! block public access by default (since April 2023), older ones do not.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use petgraph::Direction;
use smol_str::SmolStr;

use crate::catalog::LinkKind;
use crate::graph::{NodeId, ResourceGraph};
use crate::iam::{Policy, buckets, told::Told};
use crate::program::Resource;
use crate::value::{Cause, Kind, Partial, Unknown, Value};

use super::choice::of_each;
use super::iam::Policies;
use super::{Facts, domain, presence};

/// How one thing about a bucket is told.
type Tell = fn(&Reader<'_, '_>) -> Value;

/// What `facts.bucket` has: booleans, each unknown with its cause where it cannot be told.
const STATE: [(&str, Tell); 6] = [
    ("customer_managed_key", |read| read.customer_managed_key()),
    ("public_access_blocked", |read| read.public_access_blocked()),
    ("versioned", |read| read.versioned()),
    ("access_logged", |read| read.access_logged()),
    ("tls_only", |read| read.of_policies(buckets::denies_plain_http)),
    ("public_policy", |read| read.of_policies(|policy| buckets::allows_everybody(policy).told)),
];

/// `facts.bucket`: an object of all that is told of the bucket.
pub fn object(facts: &Facts<'_>, node: NodeId) -> Value {
    let Some(bucket) = facts.graph.resource(node) else { return Value::NULL };
    let read = Reader { facts, node, bucket };
    Value::object(STATE.map(|(name, state)| (SmolStr::new_static(name), state(&read))))
}

/// `facts.bucket.name`, and not the rest of it; [`None`] if there is no such thing.
pub(super) fn state(facts: &Facts<'_>, node: NodeId, name: &str) -> Option<Value> {
    let read = Reader { facts, node, bucket: facts.graph.resource(node)? };
    STATE.iter().find(|(known, _)| *known == name).map(|(_, state)| state(&read))
}

struct Reader<'f, 'g> {
    facts: &'f Facts<'g>,
    node: NodeId,
    bucket: &'g Resource,
}

impl Reader<'_, '_> {
    fn customer_managed_key(&self) -> Value {
        const TYPE: &str = "aws_s3_bucket_server_side_encryption_configuration";
        let of_default = |default: &Value| match default.get("sse_algorithm").and_then(Value::as_str) {
            Some(algorithm) if algorithm.starts_with("aws:kms") => {
                let key = default.get("kms_master_key_id").cloned().unwrap_or(Value::NULL);
                domain::is_customer_managed_key(self.facts.graph, &key)
            }
            Some(_) => located(false, default),
            None => unknown_or(default.get("sse_algorithm"), false),
        };
        let of_rules = |rules: &Value| {
            each(rules, |rule| each(&descend(rule, "apply_server_side_encryption_by_default"), of_default))
        };
        self.attached(
            TYPE,
            |resource| of_rules(&descend(resource, "rule")),
            || {
                self.inline("server_side_encryption_configuration", "rule", of_rules)
                    .unwrap_or_else(|| self.absent(TYPE))
            },
        )
    }

    fn public_access_blocked(&self) -> Value {
        const TYPE: &str = "aws_s3_bucket_public_access_block";
        const FLAGS: [&str; 4] =
            ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"];
        let flags = |block: &Value| {
            let flag = |flag: &'static str| match block.map() {
                Some(map) => map.get(flag).unwrap_or(&Value::NULL),
                None => block.at_path(flag).unwrap_or(&Value::NULL),
            };
            all(FLAGS.map(flag))
        };
        self.attached(TYPE, flags, || {
            // Cloud Control says it at the bucket.
            let own = self.bucket.after.as_ref().and_then(|after| after.get("public_access_block_configuration"));
            if let Some(own) = own.filter(|own| !own.is_null()) {
                return flags(own);
            }
            if self.is_removed(TYPE) {
                return Value::bool(false);
            }
            let cause = "no `aws_s3_bucket_public_access_block` names it: buckets made since April 2023 are blocked, older \
                         ones are not";
            self.elsewhere(TYPE).unwrap_or_else(|| Value::unknown(Cause::Other(cause.into())))
        })
    }

    fn versioned(&self) -> Value {
        const TYPE: &str = "aws_s3_bucket_versioning";
        let of_status = |status: &Value| {
            each(status, |value| match &value.kind {
                Kind::String(status) => located(status == "Enabled", value),
                Kind::Bool(enabled) => located(*enabled, value),
                _ => unknown_or(Some(value), false),
            })
        };
        let status = |resource: &Value| of_status(&descend(resource, "versioning_configuration.status"));
        self.attached(TYPE, status, || {
            self.inline("versioning", "enabled", of_status).unwrap_or_else(|| self.absent(TYPE))
        })
    }

    fn access_logged(&self) -> Value {
        const TYPE: &str = "aws_s3_bucket_logging";
        // A target that is known after apply is a target.
        let of_target = |target: &Value| match target.as_unknown() {
            Some(unknown) if !unknown.not_null && target.reference.is_none() => target.clone(),
            _ => located(!target.is_null(), target),
        };
        self.attached(
            TYPE,
            |resource| of_target(&descend(resource, "target_bucket")),
            || self.inline("logging", "target_bucket", of_target).unwrap_or_else(|| self.absent(TYPE)),
        )
    }

    /// What all sub-resources of `type_name` say, and `otherwise` what is so without any. One that may not be there tells
    /// only what is so either way.
    fn attached(
        &self,
        type_name: &str,
        say: impl Fn(&Value) -> Value,
        otherwise: impl Fn() -> Value,
    ) -> Value {
        let graph = self.facts.graph;
        let (mut sure, mut perhaps, mut doubt) = (None, Vec::new(), None);
        for resource in graph.attachments(self.node, type_name) {
            let Some(said) = resource.after.as_ref().map(&say) else { continue };
            match presence::doubt(graph, resource, self.bucket) {
                None => sure = Some(all(sure.into_iter().chain([said]))),
                Some(cause) => {
                    perhaps.push(said);
                    doubt.get_or_insert(cause);
                }
            }
        }
        let Some(doubt) = doubt else { return sure.unwrap_or_else(otherwise) };
        let without = sure.clone().unwrap_or_else(otherwise);
        let with = all(sure.into_iter().chain(perhaps));
        match (with.as_bool(), without.as_bool()) {
            (Some(a), Some(b)) if a == b => with,
            _ => Value::unknown(doubt),
        }
    }

    /// Whether one of the bucket's policies is as `ask` asks. One that may not be there makes nothing certain.
    fn of_policies(&self, ask: impl Fn(&Policy) -> Told) -> Value {
        const TYPE: &str = "aws_s3_bucket_policy";
        let graph = self.facts.graph;
        let attached = graph
            .edges(self.node, Direction::Incoming)
            .filter(|(edge, _)| edge.kind == LinkKind::Attachment)
            .filter_map(|(_, source)| Some((source, graph.resource(source)?)))
            .filter(|(_, resource)| resource.type_name == TYPE && !resource.is_deleted());
        let mut answer = None;
        for (node, resource) in std::iter::once((self.node, self.bucket)).chain(attached) {
            let doubt = presence::doubt(graph, resource, self.bucket);
            for policy in self.facts.policies(node).into_iter().flat_map(Policies::grants) {
                match (ask(policy), &doubt) {
                    (Ok(true), None) => return Value::bool(true),
                    (Ok(true), Some(cause)) => answer = Some(Value::unknown(cause.clone())),
                    (Ok(false), None) => answer = answer.or(Some(Value::bool(false))),
                    // Then it is as if there were none.
                    (Ok(false), Some(_)) => answer = answer.or_else(|| Some(self.absent(TYPE))),
                    (Err(cause), _) => answer = Some(Value::unknown(cause)),
                }
            }
        }
        answer.unwrap_or_else(|| self.absent(TYPE))
    }

    /// What the bucket's own, deprecated block says at `path`, if somebody set it.
    fn inline(&self, name: &str, path: &str, say: impl Fn(&Value) -> Value) -> Option<Value> {
        let set = self.bucket.configured.as_ref().is_none_or(|names| names.contains(name));
        let value = self.bucket.after.as_ref()?.get(name)?;
        (set && !value.is_absent()
            && !matches!(value.as_unknown(), Some(unknown) if unknown.cause == Cause::Provider))
        .then(|| say(&descend(value, path)))
    }

    /// Nobody here configures it, unless a sub-resource of a bucket that is not known does, or a module that is not
    /// followed.
    fn absent(&self, type_name: &str) -> Value {
        self.elsewhere(type_name).unwrap_or_else(|| Value::bool(false))
    }

    /// Whether the change deletes what configured the bucket: the service keeps nothing of it.
    fn is_removed(&self, type_name: &str) -> bool {
        let name = self.bucket.after.as_ref().and_then(|after| after.get("bucket")?.as_str());
        name.is_some_and(|name| self.facts.graph.removes(type_name, name))
    }

    /// What may configure the bucket and cannot be told.
    fn elsewhere(&self, type_name: &str) -> Option<Value> {
        if let Some(call) = self.facts.unfollowed_users(self.node).next() {
            return Some(Value::unknown(Cause::Module(SmolStr::from(call))));
        }
        let unplaced = self.facts.graph.resource(*self.facts.unplaced.get(type_name)?)?;
        let cause = format!("`{}` may configure it: its bucket is not known", unplaced.address);
        Some(Value::unknown(Cause::Other(cause.into())))
    }
}

/// Of each type that configures buckets, the first resource whose bucket cannot be told.
pub(super) fn unplaced(graph: &ResourceGraph) -> BTreeMap<&'static str, NodeId> {
    const TYPES: [&str; 5] = [
        "aws_s3_bucket_logging",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
    ];
    let is_unplaced = |node: NodeId| {
        let resource = graph.resource(node).filter(|resource| !resource.is_deleted())?;
        let bucket = resource.after.as_ref()?.get("bucket")?;
        let is_placed = || graph.edges(node, Direction::Outgoing).any(|(edge, _)| edge.path == "bucket");
        Some(bucket.is_unknown() && !is_placed())
    };
    let first = |name| {
        let node = graph.by_type(name).iter().copied().find(|&node| is_unplaced(node) == Some(true))?;
        Some((name, node))
    };
    TYPES.into_iter().filter_map(first).collect()
}

/// The value at `path`; unknown where a step is, null where it is missing.
fn descend(value: &Value, path: &str) -> Value {
    value.at_path(path).cloned().unwrap_or(Value::NULL)
}

/// Asks each element of a list, or the value itself; all must hold, and of none it does not.
fn each(value: &Value, ask: impl Fn(&Value) -> Value) -> Value {
    match (value.items(), value.as_unknown()) {
        (_, Some(Unknown { partial: Some(Partial::Choice(_)), .. })) => {
            of_each(value, |one| each(one, &ask as &dyn Fn(&Value) -> Value))
        }
        (_, Some(_)) => value.clone(),
        (Some([]), _) => Value::bool(false),
        (Some(items), _) => all(items.iter().map(|item| match item.items() {
            None if !item.is_unknown() => ask(item),
            _ => each(item, &ask as &dyn Fn(&Value) -> Value),
        })),
        (None, None) => ask(value),
    }
}

/// Three-valued "all are true": false beats unknown beats true.
fn all<V: Borrow<Value>>(values: impl IntoIterator<Item = V>) -> Value {
    let (mut unknown, mut origin) = (None, None);
    for value in values {
        let this = value.borrow();
        match &this.kind {
            Kind::Bool(true) => origin = origin.or(this.origin),
            Kind::Unknown(_) if unknown.is_some() => {}
            Kind::Unknown(_) => {
                origin = this.origin;
                unknown = Some(value);
            }
            _ => return Value { kind: Kind::Bool(false), ..this.clone() },
        }
    }
    let answer = unknown.map_or_else(|| Value::bool(true), |unknown: V| unknown.borrow().clone());
    Value { origin, ..answer }
}

/// A boolean that stands where `value` was written.
fn located(truth: bool, value: &Value) -> Value {
    Value { origin: value.origin, via: value.via.clone(), ..Value::bool(truth) }
}

/// The unknown itself, or `default` where the value is null or absent.
fn unknown_or(value: Option<&Value>, default: bool) -> Value {
    match value {
        Some(value) if value.is_unknown() => value.clone(),
        Some(value) => located(default, value),
        None => Value::bool(default),
    }
}
