//! The state of an S3 bucket: its own arguments, its policy and the sub-resources that configure it.
//!
//! Service facts: objects are encrypted with SSE-S3 where nothing else is configured (since January 2023); new buckets
//! block public access by default (since April 2023), older ones do not.

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
use super::{Facts, domain};

/// `facts.bucket`: an object of booleans, each unknown with its cause where it cannot be told.
pub fn object(facts: &Facts<'_>, node: NodeId) -> Value {
    let Some(bucket) = facts.graph.resource(node) else { return Value::NULL };
    let read = Reader { facts, node, bucket };
    Value::object([
        ("customer_managed_key".into(), read.customer_managed_key()),
        ("public_access_blocked".into(), read.public_access_blocked()),
        ("versioned".into(), read.versioned()),
        ("access_logged".into(), read.access_logged()),
        ("tls_only".into(), read.of_policies(buckets::denies_plain_http)),
        ("public_policy".into(), read.of_policies(|policy| buckets::allows_everybody(policy).told)),
    ])
}

struct Reader<'f, 'g> {
    facts: &'f Facts<'g>,
    node: NodeId,
    bucket: &'g Resource,
}

impl Reader<'_, '_> {
    fn customer_managed_key(&self) -> Value {
        const TYPE: &str = "aws_s3_bucket_server_side_encryption_configuration";
        let attached = self.attached(TYPE, "rule");
        let inline = self.inline("server_side_encryption_configuration").map(|value| descend(&value, "rule"));
        match attached.or(inline) {
            Some(rules) => each(&rules, |rule| {
                let default =
                    rule.at_path("apply_server_side_encryption_by_default").cloned().unwrap_or(Value::NULL);
                each(&default, |default| match default.get("sse_algorithm").and_then(Value::as_str) {
                    Some(algorithm) if algorithm.starts_with("aws:kms") => {
                        let key = default.get("kms_master_key_id").cloned().unwrap_or(Value::NULL);
                        domain::is_customer_managed_key(self.facts.graph, &key)
                    }
                    Some(_) => located(false, default),
                    None => unknown_or(default.get("sse_algorithm"), false),
                })
            }),
            None => self.absent(TYPE),
        }
    }

    fn public_access_blocked(&self) -> Value {
        const FLAGS: [&str; 4] =
            ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"];
        let mut blocks =
            self.facts.graph.attachments(self.node, "aws_s3_bucket_public_access_block").peekable();
        if blocks.peek().is_none() {
            if self.is_removed("aws_s3_bucket_public_access_block") {
                return Value::bool(false);
            }
            let cause = "no `aws_s3_bucket_public_access_block` names it: buckets made since April 2023 are blocked, older \
                         ones are not";
            let elsewhere = self.elsewhere("aws_s3_bucket_public_access_block");
            return elsewhere.unwrap_or_else(|| Value::unknown(Cause::Other(cause.into())));
        }
        all(blocks.flat_map(|block| {
            FLAGS.map(|flag| {
                block.after.as_ref().and_then(|after| after.get(flag)).cloned().unwrap_or(Value::NULL)
            })
        }))
    }

    fn versioned(&self) -> Value {
        const TYPE: &str = "aws_s3_bucket_versioning";
        let attached = self.attached(TYPE, "versioning_configuration.status");
        let inline = self.inline("versioning").map(|value| descend(&value, "enabled"));
        match attached.or(inline) {
            Some(value) => each(&value, |value| match &value.kind {
                Kind::String(status) => located(status == "Enabled", value),
                Kind::Bool(enabled) => located(*enabled, value),
                _ => unknown_or(Some(value), false),
            }),
            None => self.absent(TYPE),
        }
    }

    fn access_logged(&self) -> Value {
        const TYPE: &str = "aws_s3_bucket_logging";
        let attached = self.attached(TYPE, "target_bucket");
        let inline = self.inline("logging").map(|value| descend(&value, "target_bucket"));
        match attached.or(inline) {
            // A target that is known after apply is a target.
            Some(value) => each(&value, |value| match value.as_unknown() {
                Some(unknown) if !unknown.not_null && value.reference.is_none() => value.clone(),
                _ => located(!value.is_null(), value),
            }),
            None => self.absent(TYPE),
        }
    }

    /// Whether one of the bucket's policies is as `ask` asks.
    fn of_policies(&self, ask: impl Fn(&Policy) -> Told) -> Value {
        const TYPE: &str = "aws_s3_bucket_policy";
        let graph = self.facts.graph;
        let is_policy = |&node: &NodeId| {
            graph.resource(node).is_some_and(|resource| resource.type_name == TYPE && !resource.is_deleted())
        };
        let attached = graph
            .edges(self.node, Direction::Incoming)
            .filter(|(edge, _)| edge.kind == LinkKind::Attachment)
            .map(|(_, source)| source)
            .filter(is_policy);
        let nodes = std::iter::once(self.node).chain(attached);
        let policies = nodes.filter_map(|node| self.facts.policies(node)).flat_map(Policies::grants);
        let mut answer = None;
        for policy in policies {
            match ask(policy) {
                Ok(true) => return Value::bool(true),
                Ok(false) => answer = answer.or(Some(Value::bool(false))),
                Err(cause) => answer = Some(Value::unknown(cause)),
            }
        }
        answer.unwrap_or_else(|| self.absent(TYPE))
    }

    /// What the sub-resources of `type_name` say at `path`, if there are any.
    fn attached(&self, type_name: &str, path: &str) -> Option<Value> {
        let values: Vec<Value> = self
            .facts
            .graph
            .attachments(self.node, type_name)
            .filter_map(|resource| resource.after.as_ref())
            .map(|after| descend(after, path))
            .collect();
        (!values.is_empty()).then(|| Value::tuple(values))
    }

    /// The bucket's own, deprecated block, if somebody set it.
    fn inline(&self, name: &str) -> Option<Value> {
        let set = self.bucket.configured.as_ref().is_none_or(|names| names.contains(name));
        let value = self.bucket.after.as_ref()?.get(name)?;
        let empty = value.is_null() || value.items().is_some_and(<[Value]>::is_empty);
        (set && !empty && !matches!(value.as_unknown(), Some(unknown) if unknown.cause == Cause::Provider))
            .then(|| value.clone())
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
fn all(values: impl Iterator<Item = Value>) -> Value {
    let mut result = Value::bool(true);
    for value in values {
        match &value.kind {
            Kind::Bool(true) => {
                if result.origin.is_none() {
                    result.origin = value.origin;
                }
            }
            Kind::Unknown(_) => {
                if !result.is_unknown() {
                    result = value;
                }
            }
            _ => return Value { kind: Kind::Bool(false), ..value },
        }
    }
    result
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
