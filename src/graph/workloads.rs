//! Edges from what runs in Kubernetes to the roles that it acts as: a pod names its service account, and EKS lets that act
//! as a role by the trust of the role (IRSA: a condition on the subject of its token) or by a pod identity association. A
//! role binding of the cluster names service accounts too.

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
/// What makes an object of any kind.
const MANIFEST: &str = "kubernetes_manifest";
/// What gives a service account a role in the cluster.
const BINDINGS: [&str; 4] = [
    "kubernetes_cluster_role_binding",
    "kubernetes_cluster_role_binding_v1",
    "kubernetes_role_binding",
    "kubernetes_role_binding_v1",
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
    bind(this, &accounts);
    let mut found: Vec<(NodeId, NodeId, &'static str)> = Vec::new();
    for &node in this.by_type(MANIFEST) {
        let Some((after, module)) = object(this, node) else { continue };
        let Some(manifest) = after.get("manifest").filter(|it| !is_binding(it)) else { continue };
        let mut names = Vec::new();
        named_accounts(manifest, 0, &mut names);
        for name in names {
            let named = accounts.matching(&format_smolstr!("{}:{name}", namespace(manifest)), module);
            found.extend(named.into_iter().map(|account| (node, account, "manifest")));
        }
    }
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

/// Joins role bindings to the service accounts that they name.
fn bind(this: &mut ResourceGraph, accounts: &ByName) {
    let mut found: Vec<(NodeId, NodeId)> = Vec::new();
    let bindings = BINDINGS.iter().flat_map(|name| this.by_type(name));
    for &node in bindings.chain(this.by_type(MANIFEST)) {
        let Some((after, module)) = object(this, node) else { continue };
        let subjects = match after.get("manifest") {
            Some(manifest) if is_binding(manifest) => manifest.get("subjects"),
            Some(_) => None,
            None => after.get("subject"),
        };
        for subject in subjects.and_then(Value::items).into_iter().flatten() {
            let text = |name: &str| subject.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
            let (Some("ServiceAccount"), Some(name)) = (text("kind"), text("name")) else { continue };
            let own = after.get("manifest").map_or_else(|| namespace(after), namespace);
            let of = text("namespace").map_or(own, SmolStr::from);
            let named = accounts.matching(&format_smolstr!("{of}:{name}"), module);
            found.extend(named.into_iter().map(|account| (node, account)));
        }
    }
    for (binding, account) in found {
        let edge = Edge { kind: LinkKind::Attachment, path: SmolStr::new_static("subject.name") };
        this.connect(binding, account, edge);
    }
}

fn is_account(manifest: &Value) -> bool {
    manifest.get("kind").and_then(Value::as_str) == Some("ServiceAccount")
}

fn is_binding(manifest: &Value) -> bool {
    let kind = manifest.get("kind").and_then(Value::as_str);
    matches!(kind, Some("ClusterRoleBinding" | "RoleBinding"))
}

/// No manifest is deeper, nor has more pods.
const MAX_DEPTH: usize = 16;
const MAX_PODS: usize = 64;

/// The service accounts that the pods of a manifest run as, wherever its kind has their specification.
fn named_accounts(value: &Value, depth: usize, out: &mut Vec<SmolStr>) {
    if depth == MAX_DEPTH || out.len() >= MAX_PODS {
        return;
    }
    for item in value.items().into_iter().flatten() {
        named_accounts(item, depth + 1, out);
    }
    for (key, item) in value.map().into_iter().flat_map(crate::value::Map::iter) {
        match item.as_str() {
            Some(name) if key == "serviceAccountName" && !name.is_empty() => out.push(name.into()),
            Some(_) => {}
            None => named_accounts(item, depth + 1, out),
        }
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
    for &node in this.by_type(MANIFEST) {
        let Some((after, module)) = object(this, node) else { continue };
        let Some(manifest) = after.get("manifest").filter(|it| is_account(it)) else { continue };
        if let Some(name) = first(manifest, "metadata", "name") {
            accounts.insert(format_smolstr!("{}:{name}", namespace(manifest)), module, node);
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
