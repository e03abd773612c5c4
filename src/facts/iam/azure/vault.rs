//! Access policies of Key Vault: who may do what with the keys, secrets and certificates in a vault that does not go by roles.
//!
//! A vault goes by one of the two: where it authorises by roles its access policies count for nothing.
//! <https://learn.microsoft.com/azure/key-vault/general/rbac-access-policy>
//! What a permission of a policy is as an action on data:
//! <https://learn.microsoft.com/azure/role-based-access-control/permissions/security#microsoftkeyvault>

use std::sync::Arc;

use petgraph::Direction;
use smol_str::{SmolStr, format_smolstr};

use super::{Assignment, Level, Principal, Scope, list, principal, source};
use crate::graph::{NodeId, ResourceGraph};
use crate::iam::Text;
use crate::iam::azure::{self, Permission, Role};
use crate::iam::document::List;
use crate::iam::told::Told;
use crate::program::{Mode, Resource};
use crate::value::{Cause, Value};

use super::super::super::is_left_to_the_provider;

/// The type of vaults, which may have policies of their own.
const VAULT: &str = "azurerm_key_vault";
/// The type of one policy.
const POLICY: &str = "azurerm_key_vault_access_policy";

/// What an access policy is called where roles have a name.
const NAME: &str = "access policy";
/// What actions on the data of vaults begin with.
const DATA: &str = "microsoft.keyvault/vaults/";

/// Kinds of permissions: the attribute, the kind of object, and what the action is called where it is not called so.
type Kind = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const KINDS: [Kind; 3] = [
    (
        "certificate_permissions",
        "certificates",
        &[
            ("delete", "certificates/delete"),
            ("deleteissuers", "certificatecas/delete"),
            ("get", "certificates/read"),
            ("getissuers", "certificatecas/read"),
            ("list", "certificates/read"),
            ("listissuers", "certificatecas/read"),
            ("managecontacts", "certificatecontacts/write"),
            ("manageissuers", "certificatecas/*"),
            ("setissuers", "certificatecas/write"),
        ],
    ),
    (
        "key_permissions",
        "keys",
        &[
            ("delete", "keys/delete"),
            ("get", "keys/read"),
            ("getrotationpolicy", "keyrotationpolicies/read"),
            ("list", "keys/read"),
            ("setrotationpolicy", "keyrotationpolicies/write"),
            ("unwrapkey", "keys/unwrap/action"),
            ("wrapkey", "keys/wrap/action"),
        ],
    ),
    (
        "secret_permissions",
        "secrets",
        &[
            ("delete", "secrets/delete"),
            ("get", "secrets/getSecret/action"),
            ("list", "secrets/readMetadata/action"),
            ("set", "secrets/setSecret/action"),
        ],
    ),
];

/// The access policies of all vaults, as assignments on them.
pub(super) fn policies(graph: &ResourceGraph) -> Vec<Assignment> {
    let mut out = Vec::new();
    let managed = |node: NodeId| graph.resource(node).filter(|it| it.is_ours());
    for &node in graph.by_type(VAULT) {
        let Some(vault) = managed(node) else { continue };
        let list = vault.after.as_ref().and_then(|it| it.get("access_policy"));
        let items = list.and_then(Value::items).unwrap_or_default();
        if items.is_empty() {
            continue;
        }
        if let Some(doubts) = doubts(Some(vault)) {
            let id = vault.after.as_ref().and_then(|it| it.get("id")?.as_str()).unwrap_or_default();
            let scope = Scope {
                level: Ok(Level::Resource),
                node: Some(node),
                id: id.to_ascii_lowercase(),
                shown: vault.address.to_string(),
            };
            out.extend(
                items.iter().map(|item| {
                    of(graph, node, item, "access_policy.object_id", scope.clone(), doubts.clone())
                }),
            );
        }
    }
    for &node in graph.by_type(POLICY) {
        let Some(after) = managed(node).and_then(|it| it.after.as_ref()) else { continue };
        let vault = after.get("key_vault_id").and_then(|id| source(graph, node, id, "key_vault_id"));
        if let Some(doubts) = doubts(vault.and_then(|it| graph.resource(it))) {
            let scope = Scope::of(graph, node, after, "key_vault_id");
            out.push(of(graph, node, after, "object_id", scope, doubts));
        }
    }
    out
}

fn of(
    graph: &ResourceGraph,
    node: NodeId,
    policy: &Value,
    path: &str,
    scope: Scope,
    doubts: Vec<Cause>,
) -> Assignment {
    let role = Role {
        name: SmolStr::new_static(NAME),
        permissions: vec![Permission { data_actions: actions(policy), ..Permission::default() }],
        more: None,
    };
    let principal: Principal = principal(graph, node, policy.get("object_id"), path);
    Assignment { node, principal, role: Arc::new(role), scope, conditions: Vec::new(), doubts }
}

/// Why the policies of a vault may not count; [`None`] if they surely do not.
fn doubts(vault: Option<&Resource>) -> Option<Vec<Cause>> {
    match vault.map_or(Ok(false), goes_by_roles) {
        Ok(true) => None,
        Ok(false) => Some(Vec::new()),
        Err(cause) => Some(vec![cause]),
    }
}

/// Whether the vault authorises by roles. The provider's default is that it does not.
pub(super) fn goes_by_roles(vault: &Resource) -> Told {
    let mut told = Ok(false);
    for name in ["rbac_authorization_enabled", "enable_rbac_authorization"] {
        match vault.after.as_ref().and_then(|it| it.get(name)) {
            Some(value) if value.as_bool() == Some(true) => return Ok(true),
            Some(value) if value.is_unknown() && !is_left_to_the_provider(value) => {
                told = Err(value.first_cause().cloned().unwrap_or(Cause::Plan));
            }
            _ => {}
        }
    }
    told
}

/// Whether an assignment says nothing of the action on a vault or a part of it: a role, of one that surely goes by policies.
pub(super) fn is_closed(graph: &ResourceGraph, one: &Assignment, action: &str, target: NodeId) -> bool {
    let is_of_data = || azure::is_on_data(action) && action.to_ascii_lowercase().starts_with(DATA);
    if one.role.name == NAME || !is_of_data() {
        return false;
    }
    let Some(resource) = graph.resource(target) else { return false };
    let mut edges = graph.edges(target, Direction::Outgoing);
    let mut of =
        || edges.find(|(edge, _)| edge.path == "key_vault_id").and_then(|(_, it)| graph.resource(it));
    let vault = if resource.type_name == VAULT { Some(resource) } else { of() };
    let is_off = |vault: &Resource, name: &str| {
        vault.after.as_ref().and_then(|it| it.get(name)?.as_bool()) == Some(false)
    };
    vault.filter(|it| it.type_name == VAULT && it.mode == Mode::Managed).is_some_and(|vault| {
        (is_off(vault, "rbac_authorization_enabled") || is_off(vault, "enable_rbac_authorization"))
            && goes_by_roles(vault) == Ok(false)
    })
}

/// What a policy allows, as actions on data.
fn actions(policy: &Value) -> List {
    let (mut items, mut more) = (Vec::new(), None);
    for (attribute, of, names) in KINDS {
        let permissions = policy.get(attribute).map(list).unwrap_or_default();
        more = more.or(permissions.more);
        for permission in &permissions.items {
            match permission.as_str() {
                Some(permission) => items.push(Text::Known(action(of, names, permission))),
                None => more = more.or_else(|| Some(Box::new(permission.cause()))),
            }
        }
    }
    List { items: items.into(), more }
}

fn action(of: &str, names: &[(&str, &str)], permission: &str) -> SmolStr {
    let permission = permission.to_ascii_lowercase();
    match names.iter().find(|(own, _)| *own == permission) {
        Some((_, action)) => format_smolstr!("Microsoft.KeyVault/vaults/{action}"),
        None if permission == "all" => format_smolstr!("Microsoft.KeyVault/vaults/{of}/*"),
        None => format_smolstr!("Microsoft.KeyVault/vaults/{of}/{permission}/action"),
    }
}
