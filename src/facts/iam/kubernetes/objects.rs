//! Objects of Kubernetes, whether a resource of their own type or a manifest makes them.

use smol_str::SmolStr;

use crate::graph::{NodeId, ResourceGraph, manifests};
use crate::value::{Cause, Value};

/// Kinds, and the types that make one beside `kubernetes_manifest`; each also with `_v1` behind it.
const TYPES: [(&str, &str); 5] = [
    ("ClusterRole", "kubernetes_cluster_role"),
    ("ClusterRoleBinding", "kubernetes_cluster_role_binding"),
    ("Role", "kubernetes_role"),
    ("RoleBinding", "kubernetes_role_binding"),
    ("ServiceAccount", "kubernetes_service_account"),
];
/// What makes an object of any kind.
const MANIFEST: &str = "kubernetes_manifest";

/// An object of a cluster.
#[derive(Clone, Debug)]
pub(super) struct Object<'g> {
    /// The resource that makes it.
    pub(super) node: NodeId,
    /// `RoleBinding`
    pub(super) kind: &'static str,
    value: &'g Value,
}

impl<'g> Object<'g> {
    /// A part of it, by the name that a type of its own gives it and by the one of Kubernetes.
    pub(super) fn part(&self, ours: &str, native: &str) -> Option<&'g Value> {
        self.value.get(ours).or_else(|| self.value.get(native))
    }

    pub(super) fn name(&self) -> Result<SmolStr, Cause> {
        Ok(self.metadata("name")?.unwrap_or_default())
    }

    /// Its namespace; Kubernetes takes `default`.
    pub(super) fn namespace(&self) -> Result<SmolStr, Cause> {
        Ok(self.metadata("namespace")?.unwrap_or_else(|| SmolStr::new_static("default")))
    }

    fn metadata(&self, name: &str) -> Result<Option<SmolStr>, Cause> {
        match self.value.get("metadata").and_then(first) {
            Some(metadata) => text(metadata, name),
            None => Ok(None),
        }
    }
}

/// Whether two are in one cluster, as far as that can be told: of one provider configuration, or of the only one of each
/// of the two providers where a manifest is written as text.
pub(super) fn is_one_cluster(graph: &ResourceGraph, one: NodeId, other: NodeId) -> bool {
    let of = |node: NodeId| graph.resource(node).map(|it| (it.provider, it.native_type.as_deref()));
    let (Some((a, a_type)), Some((b, b_type))) = (of(one), of(other)) else { return false };
    let is_text = |native: Option<&str>| native == Some(manifests::TEXT);
    let is_only = |name: &str| graph.providers.iter().filter(|it| it.name == name).count() <= 1;
    a == b || is_text(a_type) != is_text(b_type) && is_only("kubernetes") && is_only("kubectl")
}

/// All objects of these kinds, in the order of the graph.
pub(super) fn of_kinds<'g>(graph: &'g ResourceGraph, kinds: &[&str]) -> Vec<Object<'g>> {
    let mut out = Vec::new();
    let made = |node: NodeId| {
        let resource = graph.resource(node).filter(|it| it.is_ours())?;
        resource.after.as_ref()
    };
    for &(kind, type_name) in TYPES.iter().filter(|(kind, _)| kinds.contains(kind)) {
        let versioned = format!("{type_name}_v1");
        for &node in graph.by_type(type_name).iter().chain(graph.by_type(&versioned)) {
            out.extend(made(node).map(|value| Object { node, kind, value }));
        }
    }
    for &node in graph.by_type(MANIFEST) {
        let Some(manifest) = made(node).and_then(|it| it.get("manifest")) else { continue };
        let of = manifest.get("kind").and_then(Value::as_str);
        let kind = TYPES.iter().map(|(kind, _)| *kind).find(|kind| kinds.contains(kind) && of == Some(kind));
        out.extend(kind.map(|kind| Object { node, kind, value: manifest }));
    }
    out.sort_by_key(|object| object.node);
    out
}

/// The only block, or the value itself.
pub(super) fn first(value: &Value) -> Option<&Value> {
    match value.items() {
        Some(items) => items.first(),
        None => Some(value).filter(|value| !value.is_null()),
    }
}

/// A text in an object: [`None`] if nobody sets it.
pub(super) fn text(value: &Value, name: &str) -> Result<Option<SmolStr>, Cause> {
    let Some(value) = value.get(name) else {
        // Of what is not known at all, this is not either.
        return value.as_unknown().map_or(Ok(None), |unknown| Err(unknown.cause.clone()));
    };
    match value.as_str() {
        Some("") => Ok(None),
        Some(text) => Ok(Some(text.into())),
        None if value.is_null() => Ok(None),
        None => match value.first_cause() {
            Some(Cause::Provider) => Ok(None),
            cause => Err(cause.cloned().unwrap_or(Cause::Plan)),
        },
    }
}
