//! Roles inside Cosmos DB, which has its own for what is done to data: two that every account has, and those that are defined.
//! <https://learn.microsoft.com/azure/cosmos-db/nosql/security/reference-data-plane-roles>

use std::sync::Arc;

use smol_str::SmolStr;

use super::{list, source};
use crate::graph::{NodeId, ResourceGraph};
use crate::iam::Text;
use crate::iam::azure::{Permission, Role};
use crate::iam::document::List;
use crate::program::Mode;
use crate::value::{Cause, Value};

/// What assigns them.
pub(super) const ASSIGNMENT: &str = "azurerm_cosmosdb_sql_role_assignment";
/// What defines one.
const DEFINITION: &str = "azurerm_cosmosdb_sql_role_definition";

/// A role that every account has: the end of its id, its name, what it allows.
type BuiltIn = (&'static str, &'static str, &'static [&'static str]);

const BUILT_IN: [BuiltIn; 2] = [
    (
        "00000000-0000-0000-0000-000000000001",
        "Cosmos DB Built-in Data Reader",
        &[
            "Microsoft.DocumentDB/databaseAccounts/readMetadata",
            "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/executeQuery",
            "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/read",
            "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/readChangeFeed",
        ],
    ),
    (
        "00000000-0000-0000-0000-000000000002",
        "Cosmos DB Built-in Data Contributor",
        &[
            "Microsoft.DocumentDB/databaseAccounts/readMetadata",
            "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/*",
            "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/*",
        ],
    ),
];

/// The role that an assignment gives.
pub(super) fn role(graph: &ResourceGraph, node: NodeId, after: &Value) -> Arc<Role> {
    let Some(value) = after.get("role_definition_id") else {
        return Arc::new(Role::unknown("?", Cause::Plan));
    };
    let defined = source(graph, node, value, "role_definition_id").and_then(|it| graph.resource(it));
    if let Some(defined) = defined.filter(|it| it.type_name == DEFINITION && it.mode == Mode::Managed) {
        let sets = defined.after.as_ref().and_then(|after| after.get("permissions"));
        let known = sets.and_then(Value::items);
        let more =
            sets.filter(|_| known.is_none()).map(|it| it.first_cause().cloned().unwrap_or(Cause::Plan));
        let each = known
            .into_iter()
            .flatten()
            .map(|set| allowing(set.get("data_actions").map(list).unwrap_or_default()));
        return Arc::new(Role { name: defined.address.clone(), permissions: each.collect(), more });
    }
    let text = Text::of_value(value).filter(|_| !value.sensitive);
    let found = text.as_ref().and_then(|text| BUILT_IN.iter().find(|(id, ..)| text.suffix().ends_with(id)));
    match (found, text) {
        (Some((_, name, actions)), _) => {
            let items = actions.iter().map(|it| Text::Known(SmolStr::new_static(it))).collect();
            let permissions = vec![allowing(List { items, more: None })];
            Arc::new(Role { name: SmolStr::new_static(name), permissions, more: None })
        }
        (None, Some(text)) => {
            let why = format!("what the role `{text}` of Cosmos DB allows is unknown content");
            Arc::new(Role::unknown(text.to_string(), Cause::Other(why.into())))
        }
        (None, None) => Arc::new(Role::unknown("?", value.first_cause().cloned().unwrap_or(Cause::Plan))),
    }
}

fn allowing(data_actions: List) -> Permission {
    Permission { data_actions, ..Permission::default() }
}
