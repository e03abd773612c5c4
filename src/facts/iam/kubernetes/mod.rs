//! Role bindings of Kubernetes: which service accounts, users and groups have which role, where.

mod analyses;
mod ask;
mod objects;

use std::sync::Arc;

use smol_str::{SmolStr, format_smolstr};

use crate::graph::{NodeId, ResourceGraph};
use crate::iam::kubernetes::{self, Role, Rule};
use crate::value::{Cause, Value};

use super::super::{Facts, presence};
use super::azure::list;
use objects::{Object, first, text};

pub(super) use analyses::workload_may;
pub(super) use ask::{what_can, who_can};

/// A role that somebody has.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The resource that binds it.
    pub node: NodeId,
    /// Who has it, as far as that is known.
    pub subjects: Vec<Subject>,
    /// Why there may be more.
    pub more: Option<Cause>,
    /// What it allows.
    pub role: Arc<Role>,
    /// Where.
    pub place: Place,
}

/// Who has a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A service account: its namespace and name.
    Account(SmolStr, SmolStr),
    /// A user.
    User(SmolStr),
    /// A group.
    Group(SmolStr),
}

/// Where a role is held.
#[derive(Clone, Debug)]
pub enum Place {
    /// In all namespaces, and over what is in none.
    Cluster,
    /// In one namespace.
    Namespace(Result<SmolStr, Cause>),
}

/// All bindings of the graph, sorted by node.
pub(in super::super) fn of_graph(facts: &Facts<'_>) -> Vec<Binding> {
    let graph = facts.graph;
    let bindings = objects::of_kinds(graph, &["ClusterRoleBinding", "RoleBinding"]);
    if bindings.is_empty() {
        return Vec::new();
    }
    let roles = objects::of_kinds(graph, &["ClusterRole", "Role"]);
    bindings.iter().map(|binding| Binding::of(graph, binding, &roles)).collect()
}

impl Binding {
    fn of(graph: &ResourceGraph, object: &Object<'_>, roles: &[Object<'_>]) -> Self {
        let place = if object.kind == "ClusterRoleBinding" {
            Place::Cluster
        } else {
            Place::Namespace(object.namespace())
        };
        let mut subjects = Vec::new();
        let mut more = None;
        match object.part("subject", "subjects") {
            None => {}
            Some(value) => match value.items() {
                Some(items) => {
                    for item in items {
                        match subject(item, &place) {
                            Ok(subject) => subjects.push(subject),
                            Err(cause) => more = Some(cause),
                        }
                    }
                }
                None if value.is_null() => {}
                None => more = Some(value.first_cause().cloned().unwrap_or(Cause::Plan)),
            },
        }
        let role = object.part("role_ref", "roleRef").and_then(first);
        let role = role.map_or_else(|| Role::unknown("?", Cause::Plan), |it| named(graph, object, it, roles));
        Self { node: object.node, subjects, more, role: Arc::new(role), place }
    }

    /// Why it may not be there for a service account.
    pub(super) fn doubt(&self, graph: &ResourceGraph, account: Option<NodeId>) -> Option<Cause> {
        presence::doubt(graph, graph.resource(self.node)?, graph.resource(account?)?)
    }

    /// Whether the service account is one of its subjects, by name or by one of its groups.
    pub(super) fn is_for(&self, namespace: &str, name: &str) -> bool {
        self.subjects.iter().any(|subject| match subject {
            Subject::Account(of, account) => of == namespace && account == name,
            Subject::Group(group) => {
                matches!(group.as_str(), "system:authenticated" | "system:serviceaccounts")
                    || group.strip_prefix("system:serviceaccounts:") == Some(namespace)
            }
            Subject::User(user) => *user == format!("system:serviceaccount:{namespace}:{name}"),
        })
    }
}

impl Place {
    /// In words.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Cluster => "every namespace".to_owned(),
            Self::Namespace(Ok(name)) => format!("namespace {name}"),
            Self::Namespace(Err(cause)) => format!("a namespace that is not known: {cause}"),
        }
    }
}

fn subject(value: &Value, place: &Place) -> Result<Subject, Cause> {
    let kind = text(value, "kind")?.unwrap_or_default();
    let name = text(value, "name")?.unwrap_or_default();
    Ok(match kind.as_str() {
        "ServiceAccount" => {
            let namespace = match (text(value, "namespace")?, place) {
                (Some(namespace), _) => namespace,
                (None, Place::Namespace(namespace)) => namespace.clone()?,
                // The provider's default.
                (None, Place::Cluster) => SmolStr::new_static("default"),
            };
            Subject::Account(namespace, name)
        }
        "Group" => Subject::Group(name),
        _ => Subject::User(name),
    })
}

/// The role that a binding refers to.
fn named(graph: &ResourceGraph, binding: &Object<'_>, reference: &Value, roles: &[Object<'_>]) -> Role {
    let (kind, name) = match (text(reference, "kind"), text(reference, "name")) {
        (Ok(Some(kind)), Ok(Some(name))) => (kind, name),
        (Err(cause), _) | (_, Err(cause)) => return Role::unknown("?", cause),
        _ => return Role::unknown("?", Cause::Plan),
    };
    let is_it = |role: &&Object<'_>| {
        let here = kind == "ClusterRole" || role.namespace().ok() == binding.namespace().ok();
        role.kind == kind
            && role.name().ok().as_ref() == Some(&name)
            && here
            && objects::is_one_cluster(graph, role.node, binding.node)
    };
    if let Some(found) = roles.iter().find(is_it) {
        return defined(found, name);
    }
    if kind == "ClusterRole"
        && let Some(role) = kubernetes::built_in(&name)
    {
        return Role::clone(&role);
    }
    let cause = format!("what the {kind} `{name}` allows is not in the configuration");
    Role::unknown(name, Cause::Other(cause.into()))
}

fn defined(object: &Object<'_>, name: SmolStr) -> Role {
    let mut role = Role { name, ..Role::default() };
    match object.part("rule", "rules") {
        None => {}
        Some(value) => match value.items() {
            Some(rules) => role.rules.extend(rules.iter().map(rule)),
            None if value.is_null() => {}
            None => role.more = Some(value.first_cause().cloned().unwrap_or(Cause::Plan)),
        },
    }
    if object.part("aggregation_rule", "aggregationRule").is_some_and(|it| !it.is_absent()) {
        let cause = format!("`{}` is made of other cluster roles", role.name);
        role.more = Some(Cause::Other(cause.into()));
    }
    role
}

fn rule(value: &Value) -> Rule {
    let of = |ours: &str, native: &str| {
        value.get(ours).or_else(|| value.get(native)).map(list).unwrap_or_default()
    };
    Rule {
        verbs: of("verbs", "verbs"),
        groups: of("api_groups", "apiGroups"),
        resources: of("resources", "resources"),
        names: of("resource_names", "resourceNames"),
    }
}

/// How Kubernetes calls a service account.
pub(super) fn account_name(namespace: &str, name: &str) -> SmolStr {
    format_smolstr!("system:serviceaccount:{namespace}:{name}")
}
