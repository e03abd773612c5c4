//! Edges from what runs in Kubernetes to the roles that it acts as: a pod names its service account, and EKS lets that act
//! as a role by the trust of the role (IRSA: a condition on the subject of its token) or by a pod identity association.

use petgraph::Direction;
use smol_str::{SmolStr, format_smolstr};

use super::patterns::ByName;
use super::{Edge, NodeId, ResourceGraph};
use crate::catalog::LinkKind;
use crate::value::Value;
use crate::value::json::{self, Dialect};

const ACCOUNTS: [&str; 2] = ["kubernetes_service_account", "kubernetes_service_account_v1"];
/// What runs pods, and where its pod's specification is.
const WORKLOADS: [(&str, &str); 7] = [
    ("kubernetes_cron_job", "spec.job_template.spec.template.spec"),
    ("kubernetes_daemonset", "spec.template.spec"),
    ("kubernetes_daemon_set", "spec.template.spec"),
    ("kubernetes_deployment", "spec.template.spec"),
    ("kubernetes_job", "spec.template.spec"),
    ("kubernetes_pod", "spec"),
    ("kubernetes_stateful_set", "spec.template.spec"),
];
const ASSOCIATION: &str = "aws_eks_pod_identity_association";
/// The subject of a service account's token.
const SUBJECT: &str = "system:serviceaccount:";
/// Joins pods to service accounts, and those to roles.
pub(super) fn connect(this: &mut ResourceGraph) {
    let accounts = accounts(this);
    if accounts.is_empty() {
        return;
    }
    let mut found: Vec<(NodeId, NodeId, &'static str)> = Vec::new();
    for (type_name, path) in WORKLOADS {
        let versioned = format_smolstr!("{type_name}_v1");
        for &node in this.by_type(type_name).iter().chain(this.by_type(&versioned)) {
            let Some((after, module)) = object(this, node) else { continue };
            let Some(name) = first(after, path, "service_account_name") else { continue };
            let named = accounts.matching(&format_smolstr!("{}:{name}", namespace(after)), module);
            found.extend(named.into_iter().map(|account| (node, account, "service_account_name")));
        }
    }
    for &role in this.by_type("aws_iam_role") {
        let Some((after, module)) = object(this, role) else { continue };
        let trust = after.get("assume_role_policy").and_then(|trust| json::told(trust, Dialect::Policy));
        for subject in trust.iter().flat_map(subjects) {
            found.extend(accounts.matching(&subject, module).into_iter().map(|account| (account, role, "")));
        }
    }
    for &node in this.by_type(ASSOCIATION) {
        let Some((after, module)) = object(this, node) else { continue };
        let text = |name: &str| after.get(name).and_then(Value::as_str);
        let (Some(namespace), Some(name)) = (text("namespace"), text("service_account")) else { continue };
        let named = accounts.matching(&format_smolstr!("{namespace}:{name}"), module);
        let roles = this.edges(node, Direction::Outgoing).filter(|(edge, _)| edge.path == "role_arn");
        for (_, role) in roles {
            found.extend(named.iter().map(|&account| (account, role, "")));
        }
    }
    for (source, target, path) in found {
        this.connect(source, target, Edge { kind: LinkKind::Identity, path: SmolStr::new_static(path) });
    }
}

/// The object of a node, and its module instance.
fn object(this: &ResourceGraph, node: NodeId) -> Option<(&Value, &SmolStr)> {
    let resource = this.resource(node)?;
    Some((resource.after.as_ref()?, &resource.module))
}

/// Service accounts by `namespace:name`.
fn accounts(this: &ResourceGraph) -> ByName {
    let mut accounts = ByName::default();
    for &node in ACCOUNTS.iter().flat_map(|name| this.by_type(name)) {
        let Some((after, module)) = object(this, node) else { continue };
        if let Some(name) = first(after, "metadata", "name") {
            accounts.insert(format_smolstr!("{}:{name}", namespace(after)), module, node);
        }
    }
    accounts
}

/// The namespace that the metadata says; Kubernetes takes `default`.
fn namespace(object: &Value) -> SmolStr {
    first(object, "metadata", "namespace").unwrap_or_else(|| SmolStr::new_static("default"))
}

/// The text of an attribute in blocks of which there is one each.
fn first(value: &Value, path: &str, name: &str) -> Option<SmolStr> {
    let mut value = value;
    for step in path.split('.') {
        value = one(value.get(step)?)?;
    }
    value.get(name)?.as_str().filter(|text| !text.is_empty()).map(SmolStr::from)
}

/// The only block, or the value itself.
fn one(value: &Value) -> Option<&Value> {
    match value.items() {
        Some(items) => items.first(),
        None => Some(value),
    }
}

/// The service accounts, `namespace:name` or patterns of it, that a trust policy lets assume the role.
fn subjects(trust: &Value) -> Vec<SmolStr> {
    let list = |value: &'_ Value| value.items().map_or_else(|| vec![value.clone()], <[Value]>::to_vec);
    let mut found = Vec::new();
    for statement in trust.get("Statement").map(list).into_iter().flatten() {
        let operators = statement.get("Condition").and_then(Value::map);
        for (operator, keys) in operators.into_iter().flat_map(crate::value::Map::iter) {
            // `StringNotEquals` lets all others.
            if !operator.contains("String") || operator.contains("Not") {
                continue;
            }
            for (key, values) in keys.map().into_iter().flat_map(crate::value::Map::iter) {
                if key.ends_with(":sub") {
                    let subjects = list(values);
                    let subjects = subjects.iter().filter_map(Value::as_str);
                    found.extend(subjects.filter_map(|text| text.strip_prefix(SUBJECT)).map(SmolStr::from));
                }
            }
        }
    }
    found
}
