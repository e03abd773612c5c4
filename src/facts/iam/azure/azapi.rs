//! Resources of Azure that the provider `azapi` makes: one type of Terraform for all of Azure's, which its `type` names.

use smol_str::SmolStr;

use super::permission;
use crate::catalog::{Ai, Catalog};
use crate::graph::{NodeId, ResourceGraph};
use crate::iam::azure::Role;
use crate::program::Resource;
use crate::value::json::{self, Dialect};
use crate::value::{Cause, Value};

/// Terraform's type.
pub(super) const TYPE: &str = "azapi_resource";

/// Azure's type, in lower case and without the version of its API: `microsoft.cognitiveservices/accounts`.
pub(super) fn kind_of(resource: &Resource) -> Option<String> {
    let after = resource.after.as_ref().filter(|_| resource.type_name == TYPE)?;
    let text = crate::iam::Text::of_value(after.get("type")?)?;
    // The version may not be known.
    let (kind, _) = text.prefix().split_once('@')?;
    Some(kind.to_ascii_lowercase())
}

/// What is in the `properties` of its body, which is an object, or in older versions JSON.
pub(super) fn property(after: &Value, name: &str) -> Option<Value> {
    let body = after.get("body")?;
    let read = json::told(body, Dialect::Terraform);
    read.as_ref().unwrap_or(body).get("properties")?.get(name).cloned()
}

/// A role assignment that it makes, by the names that `azurerm` gives the same: [`None`] of any other resource. It is made on
/// what it is put into. <https://learn.microsoft.com/azure/templates/microsoft.authorization/roleassignments>
pub(super) fn assignment(resource: &Resource) -> Option<Value> {
    kind_of(resource).filter(|kind| kind == "microsoft.authorization/roleassignments")?;
    let after = resource.after.as_ref()?;
    let open = || after.get("body").filter(|it| it.is_unknown()).cloned();
    let of = |ours: &'static str, native: &str| {
        Some((SmolStr::new_static(ours), property(after, native).or_else(open)?))
    };
    let scope = after.get("parent_id").cloned().map(|it| (SmolStr::new_static("scope"), it));
    let named = [
        of("principal_id", "principalId"),
        of("role_definition_id", "roleDefinitionId"),
        property(after, "condition").map(|it| (SmolStr::new_static("condition"), it)),
        scope,
    ];
    Some(Value::object(named.into_iter().flatten()))
}

/// A role that it defines: [`None`] of any other resource.
pub(super) fn definition(resource: &Resource) -> Option<Role> {
    kind_of(resource).filter(|kind| kind == "microsoft.authorization/roledefinitions")?;
    let mut role = Role { name: resource.address.clone(), ..Role::default() };
    let sets = property(resource.after.as_ref()?, "permissions");
    match sets.as_ref().map(|sets| (sets, sets.items())) {
        Some((_, Some(sets))) => role.permissions.extend(sets.iter().map(permission)),
        Some((sets, None)) => role.more = Some(sets.first_cause().cloned().unwrap_or(Cause::Plan)),
        None => role.more = Some(Cause::Plan),
    }
    Some(role)
}

/// Whether what one of its attributes names may be what this attribute of the same assignment of `azurerm` does: a plan tells
/// only that the body names something.
pub(super) fn is_of(graph: &ResourceGraph, path: &str, target: NodeId, attribute: &str) -> bool {
    let is_role = || {
        graph.resource(target).is_some_and(|it| {
            it.type_name == "azurerm_role_definition"
                || kind_of(it).is_some_and(|kind| kind == "microsoft.authorization/roledefinitions")
        })
    };
    let is_body = || path == "body" || path.starts_with("body.");
    match attribute {
        "scope" => path == "parent_id",
        "principal_id" => is_body() && !is_role(),
        "role_definition_id" => is_body() && is_role(),
        _ => false,
    }
}

/// Whether it is AI: `azapi_resource[Microsoft.CognitiveServices/accounts]` in the catalog.
pub(in super::super::super) fn is_ai(resource: &Resource) -> bool {
    let Some(kind) = kind_of(resource) else { return false };
    Catalog::get().kinds_of(TYPE).any(|(of, info)| info.ai == Ai::Direct && of.eq_ignore_ascii_case(&kind))
}
