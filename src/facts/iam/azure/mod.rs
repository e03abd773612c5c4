//! Azure role assignments: who has which role on what. Access policies of Key Vault are some, too (`vault`).

mod accounts;
mod analyses;
mod ask;
mod azapi;
mod cosmos;
mod scope;
mod vault;

use std::sync::Arc;

use petgraph::Direction;
use smol_str::SmolStr;

use crate::graph::{NodeId, ResourceGraph};
use crate::iam::azure::{self, Permission, Role};
use crate::iam::document::List;
use crate::iam::{Text, azure::Plane};
use crate::program::{Mode, Resource};
use crate::value::{Cause, Value};

use super::super::{Facts, is_left_to_the_provider, presence};

pub(in super::super) use accounts::Accounts;
pub(super) use analyses::{allows, allows_everywhere};
pub(super) use ask::{what_can, who_can};
pub(in super::super) use azapi::is_ai as is_made_ai;
pub use scope::{Level, Scope};

/// What assigns roles.
const ASSIGNMENTS: [&str; 4] = [
    cosmos::ASSIGNMENT,
    "azurerm_pim_active_role_assignment",
    "azurerm_pim_eligible_role_assignment",
    "azurerm_role_assignment",
];

/// A role that somebody has on something.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The resource that assigns it.
    pub node: NodeId,
    /// Who has it.
    pub principal: Principal,
    /// What it allows.
    pub role: Arc<Role>,
    /// On what, with all that is in it.
    pub scope: Scope,
    /// What limits it: a condition, or that somebody has to activate it.
    pub conditions: Vec<String>,
    /// Why it may not be there, or may be limited.
    pub doubts: Vec<Cause>,
}

/// Who has a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// An identity of the input, or a resource that has one of its own.
    Node(NodeId),
    /// Somebody else, by object id.
    Id(SmolStr),
    /// That is not known: why.
    Unknown(SmolStr),
}

/// All assignments of the graph, sorted by node.
pub(in super::super) fn of_graph(facts: &Facts<'_>) -> Vec<Assignment> {
    let graph = facts.graph;
    let nodes = ASSIGNMENTS.iter().chain([&azapi::TYPE]).flat_map(|name| graph.by_type(name)).copied();
    let mut all: Vec<Assignment> = nodes.filter_map(|node| Assignment::of(graph, node)).collect();
    all.extend(vault::policies(graph));
    all.sort_by_key(|it| it.node);
    all
}

impl Assignment {
    fn of(graph: &ResourceGraph, node: NodeId) -> Option<Self> {
        let resource = graph.resource(node).filter(|it| it.is_ours())?;
        let made = (resource.type_name == azapi::TYPE).then(|| azapi::assignment(resource));
        let after = match &made {
            Some(made) => made.as_ref()?,
            None => resource.after.as_ref()?,
        };
        let mut conditions = Vec::new();
        let mut doubts = Vec::new();
        if resource.type_name == "azurerm_pim_eligible_role_assignment" {
            conditions.push("the role is activated".to_owned());
        }
        match after.get("condition") {
            Some(value) if value.is_null() || value.as_str() == Some("") => {}
            Some(value) if is_left_to_the_provider(value) => {}
            Some(value) => match value.as_str().filter(|_| !value.sensitive) {
                Some(text) => conditions.push(text.split_whitespace().collect::<Vec<_>>().join(" ")),
                None if value.sensitive => conditions.push("(sensitive)".to_owned()),
                None => doubts.push(value.first_cause().cloned().unwrap_or(Cause::Plan)),
            },
            None => {}
        }
        Some(Self {
            node,
            principal: principal(graph, node, after.get("principal_id"), "principal_id"),
            role: if resource.type_name == cosmos::ASSIGNMENT {
                cosmos::role(graph, node, after)
            } else {
                role(graph, node, after)
            },
            scope: Scope::of(graph, node, after, "scope"),
            conditions,
            doubts,
        })
    }

    /// The address of what it assigns to, or the id.
    pub fn who(&self, graph: &ResourceGraph) -> String {
        match &self.principal {
            Principal::Node(node) => {
                graph.resource(*node).map_or_else(String::new, |it| it.address.to_string())
            }
            Principal::Id(id) => id.to_string(),
            Principal::Unknown(_) => "?".to_owned(),
        }
    }

    /// Whether it belongs to what runs code, as far as that can be told: a managed identity, and no person.
    pub fn is_workload(&self, graph: &ResourceGraph) -> bool {
        let Principal::Node(node) = &self.principal else { return false };
        graph.resource(*node).is_some_and(|it| it.mode == Mode::Managed && is_of_azure(&it.type_name))
    }

    /// Why it may not be there for the principal.
    pub(super) fn doubts(&self, graph: &ResourceGraph) -> Vec<Cause> {
        let mut doubts = self.doubts.clone();
        if let Principal::Unknown(cause) = &self.principal {
            doubts.push(Cause::Other(cause.clone()));
        }
        let target = match &self.principal {
            Principal::Node(node) => graph.resource(*node),
            _ => None,
        };
        if let (Some(own), Some(target)) = (graph.resource(self.node), target) {
            doubts.extend(presence::doubt(graph, own, target));
        }
        doubts
    }
}

/// Whether resources of the type are Azure's own.
fn is_of_azure(type_name: &str) -> bool {
    type_name.starts_with("azurerm_") || type_name == azapi::TYPE
}

/// What the attribute of the resource is taken from: the value's own reference, or the only resource that it names.
fn source(graph: &ResourceGraph, node: NodeId, value: &Value, attribute: &str) -> Option<NodeId> {
    let targets = || {
        let made = graph.resource(node).is_some_and(|it| it.type_name == azapi::TYPE);
        let edges = graph.edges(node, Direction::Outgoing).filter(|(edge, target)| {
            if made { azapi::is_of(graph, &edge.path, *target, attribute) } else { edge.path == attribute }
        });
        let mut targets: Vec<NodeId> = edges.map(|(_, target)| target).collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    };
    if let Some(reference) = &value.reference {
        let near = targets().into_iter().find(|&it| {
            graph
                .resource(it)
                .is_some_and(|it| it.address == reference.resource || it.block == reference.resource)
        });
        return near
            .or_else(|| graph.by_address(&reference.resource))
            .or_else(|| graph.by_block(&reference.resource).first().copied());
    }
    match targets().as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

fn principal(graph: &ResourceGraph, node: NodeId, value: Option<&Value>, path: &str) -> Principal {
    let absent = Value::unknown(Cause::Provider);
    let value = value.unwrap_or(&absent);
    if let Some(source) = source(graph, node, value, path) {
        return Principal::Node(source);
    }
    match value.as_str() {
        Some(_) if value.sensitive => Principal::Id("(sensitive)".into()),
        Some(id) => Principal::Id(id.into()),
        None => {
            let cause = value.first_cause().map_or_else(String::new, ToString::to_string);
            Principal::Unknown(format!("who has it is not known: {cause}").into())
        }
    }
}

fn role(graph: &ResourceGraph, node: NodeId, after: &Value) -> Arc<Role> {
    let given = |name: &str| {
        let value = after.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""))?;
        (!is_left_to_the_provider(value) || source(graph, node, value, name).is_some()).then_some(value)
    };
    let (value, attribute) = match (given("role_definition_name"), given("role_definition_id")) {
        (Some(name), _) => (name, "role_definition_name"),
        (None, Some(id)) => (id, "role_definition_id"),
        (None, None) => return Arc::new(Role::unknown("?", Cause::Plan)),
    };
    if let Some(found) = source(graph, node, value, attribute).and_then(|it| graph.resource(it)) {
        if found.type_name == "azurerm_role_definition" {
            return definition(found);
        }
        if let Some(made) = azapi::definition(found) {
            return Arc::new(made);
        }
    }
    let text = Text::of_value(value);
    let built_in = match (&text, attribute) {
        (Some(Text::Known(name)), "role_definition_name") => {
            azure::named(name).or_else(|| custom(graph, name))
        }
        (Some(text), "role_definition_id") => azure::of_id(text.suffix()),
        _ => None,
    };
    let shown = match &text {
        Some(text) if !value.sensitive => text.to_string(),
        _ => "?".to_owned(),
    };
    built_in.unwrap_or_else(|| {
        let cause = match text.as_ref().and_then(Text::as_str) {
            Some(_) => {
                Cause::Other(format!("what the Azure role `{shown}` allows is unknown content").into())
            }
            None => value.first_cause().cloned().unwrap_or(Cause::Plan),
        };
        Arc::new(Role::unknown(shown, cause))
    })
}

/// The custom role of that name, if the input makes one.
fn custom(graph: &ResourceGraph, name: &str) -> Option<Arc<Role>> {
    let named = |resource: &&Resource| {
        let own = resource.after.as_ref().and_then(|after| after.get("name")?.as_str());
        resource.mode == Mode::Managed && own.is_some_and(|own| own.eq_ignore_ascii_case(name))
    };
    let nodes = graph.by_type("azurerm_role_definition").iter();
    nodes.filter_map(|&node| graph.resource(node)).find(named).map(definition)
}

/// What a role definition of the input allows: its own, or of one that is only read the one of that name or id.
fn definition(resource: &Resource) -> Arc<Role> {
    let text = |name: &str| resource.after.as_ref().and_then(|after| after.get(name)?.as_str());
    if resource.mode == Mode::Data {
        let found = text("name")
            .and_then(azure::named)
            .or_else(|| text("role_definition_id").and_then(azure::of_id))
            .or_else(|| text("id").and_then(azure::of_id));
        return found.unwrap_or_else(|| {
            let cause = format!("what the Azure role of `{}` allows is unknown content", resource.address);
            Arc::new(Role::unknown(resource.address.clone(), Cause::Other(cause.into())))
        });
    }
    let mut role = Role { name: resource.address.clone(), ..Role::default() };
    let permissions = resource.after.as_ref().and_then(|after| after.get("permissions"));
    match permissions {
        None => {}
        Some(value) if value.is_absent() => {}
        Some(value) => match value.items() {
            Some(sets) => role.permissions.extend(sets.iter().map(permission)),
            None => role.more = Some(value.first_cause().cloned().unwrap_or(Cause::Plan)),
        },
    }
    Arc::new(role)
}

/// A set of permissions, by the names of `azurerm` or those of Azure.
fn permission(set: &Value) -> Permission {
    let list =
        |ours: &str, native: &str| set.get(ours).or_else(|| set.get(native)).map(list).unwrap_or_default();
    Permission {
        actions: list("actions", "actions"),
        not_actions: list("not_actions", "notActions"),
        data_actions: list("data_actions", "dataActions"),
        not_data_actions: list("not_data_actions", "notDataActions"),
        condition: None,
    }
}

/// The texts of a list, as far as they are known.
pub(super) fn list(value: &Value) -> List {
    if value.is_null() {
        return List::default();
    }
    let (mut known, mut more) = (Vec::new(), None);
    let mut add = |item: &Value, is_sure: bool| match Text::of_value(item).filter(|_| is_sure) {
        Some(text) => known.push(text),
        None => more = Some(item.first_cause().cloned().unwrap_or(Cause::Plan)),
    };
    match (value.items(), value.elements()) {
        (Some(items), _) => items.iter().for_each(|item| add(item, true)),
        (None, Some(elements)) => {
            for it in elements {
                add(&it.value, it.times == crate::value::Times::Once);
            }
            more = more.or_else(|| value.first_cause().cloned());
        }
        (None, None) if value.as_str().is_some() => add(value, true),
        (None, None) => more = Some(value.first_cause().cloned().unwrap_or(Cause::Plan)),
    }
    List { items: known.into(), more: more.map(Box::new) }
}

/// Whether a role or an assignment speaks of AI services by name.
pub(in super::super) fn names_ai(resource: &Resource) -> bool {
    let Some(after) = resource.after.as_ref().filter(|_| resource.mode == Mode::Managed) else {
        return false;
    };
    let made = azapi::assignment(resource);
    let text = |name: &str| made.as_ref().unwrap_or(after).get(name).and_then(Text::of_value);
    let role = match resource.type_name.as_str() {
        "azurerm_role_definition" => Some(definition(resource)),
        azapi::TYPE => azapi::definition(resource)
            .map(Arc::new)
            .or_else(|| azure::of_id(text("role_definition_id")?.suffix())),
        name if ASSIGNMENTS.contains(&name) => text("role_definition_name")
            .and_then(|name| azure::named(name.as_str()?))
            .or_else(|| azure::of_id(text("role_definition_id")?.suffix())),
        _ => None,
    };
    role.is_some_and(|role| {
        role.patterns().any(|(pattern, plane): (&Text, Plane)| {
            let begins = pattern.prefix().to_ascii_lowercase();
            // What everybody may read of an account says nothing.
            let counts = plane == Plane::Data || !begins.ends_with("/read");
            counts && AI_PROVIDERS.iter().any(|provider| begins.starts_with(provider))
        })
    })
}

/// Providers of AI services.
const AI_PROVIDERS: [&str; 3] =
    ["microsoft.cognitiveservices/", "microsoft.machinelearningservices/", "microsoft.search/"];
