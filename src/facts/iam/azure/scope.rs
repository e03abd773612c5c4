//! What an assignment is made on: a management group, a subscription, a resource group or a resource, with all in it.

use petgraph::Direction;

use crate::graph::{NodeId, ResourceGraph};
use crate::iam::Text;
use crate::iam::told::Told;
use crate::program::{Mode, Resource};
use crate::value::{Cause, Piece, Reference, Value};

use super::{azapi, source};

/// How much a scope holds.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// One resource, and what is in it.
    Resource,
    /// A resource group.
    ResourceGroup,
    /// A subscription.
    Subscription,
    /// A management group: subscriptions.
    ManagementGroup,
    /// All of a tenant.
    Tenant,
}

/// What an assignment is made on.
#[derive(Clone, Debug)]
pub struct Scope {
    /// How much it holds, or why that is not known.
    pub level: Result<Level, Cause>,
    /// The resource of the input whose id it is.
    pub node: Option<NodeId>,
    /// Its id in lower case, as far as that is known, with `?` in a part that is not.
    pub id: String,
    /// It, for people.
    pub shown: String,
}

/// Attributes by which a resource names what it is in.
const PARENTS: [&str; 8] = [
    "ai_services_hub_id",
    "cognitive_account_id",
    "key_vault_id",
    "machine_learning_workspace_id",
    "parent_id",
    "search_service_id",
    "storage_account_id",
    "workspace_id",
];

/// No resource is in more others than this.
const MAX_DEPTH: usize = 8;

impl Level {
    /// That of an id.
    fn of_id(id: &str) -> Self {
        let lower = id.to_ascii_lowercase();
        let parts: Vec<&str> = lower.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            [] => Self::Tenant,
            ["subscriptions", _] => Self::Subscription,
            ["subscriptions", _, "resourcegroups", _] => Self::ResourceGroup,
            ["providers", "microsoft.management", "managementgroups", _] => Self::ManagementGroup,
            _ => Self::Resource,
        }
    }

    /// That of the id of a resource.
    fn of_resource(resource: &Resource) -> Option<Self> {
        match azapi::kind_of(resource).as_deref() {
            Some("microsoft.resources/resourcegroups") => Some(Self::ResourceGroup),
            Some(_) => Some(Self::Resource),
            None => Self::of_type(&resource.type_name),
        }
    }

    /// That of the id of a resource of the type.
    fn of_type(type_name: &str) -> Option<Self> {
        Some(match type_name {
            "azurerm_management_group" => Self::ManagementGroup,
            "azurerm_subscription" => Self::Subscription,
            "azurerm_resource_group" => Self::ResourceGroup,
            name if name.starts_with("azurerm_") && !name.ends_with("_client_config") => Self::Resource,
            _ => return None,
        })
    }
}

impl Scope {
    /// That of an assignment, which an attribute names.
    pub(super) fn of(graph: &ResourceGraph, node: NodeId, after: &Value, attribute: &str) -> Self {
        let absent = Value::unknown(Cause::Provider);
        let value = after.get(attribute).unwrap_or(&absent);
        let text = Text::of_value(value);
        let known = text.as_ref().and_then(Text::as_str);
        // A part of another resource's id is not its id.
        let is_id = |reference: &Reference| matches!(reference.attribute.as_str(), "id" | "");
        let is_whole = value.reference.as_ref().map_or(known.is_none(), |reference| is_id(reference));
        // A plan tells a known id and what it is computed from.
        let is_its = |source: NodeId| {
            let id = graph.resource(source).and_then(|it| it.after.as_ref()?.get("id")?.as_str());
            known.is_some() && known == id
        };
        let of_node = source(graph, node, value, attribute)
            .filter(|&source| (is_whole || is_its(source)) && !matches!(text, Some(Text::Holed(_))))
            .and_then(|it| Some((it, graph.resource(it)?)))
            .and_then(|(it, resource)| Some((it, resource, Level::of_resource(resource)?)));
        if let Some((target, resource, level)) = of_node {
            let id = known.map(str::to_ascii_lowercase).unwrap_or_default();
            return Self { level: Ok(level), node: Some(target), id, shown: resource.address.to_string() };
        }
        let Some(text) = text else {
            let cause = value.first_cause().cloned().unwrap_or(Cause::Plan);
            return Self { level: Err(cause), node: None, id: String::new(), shown: "?".to_owned() };
        };
        let shown = if value.sensitive { "(sensitive)".to_owned() } else { text.to_string() };
        match written(graph, &text) {
            Ok(id) => Self { level: Ok(Level::of_id(&id)), node: None, id: id.to_ascii_lowercase(), shown },
            Err(cause) => Self { level: Err(cause), node: None, id: String::new(), shown },
        }
    }

    /// Whether a resource of the input is in it.
    pub(super) fn holds(&self, graph: &ResourceGraph, assigned_by: NodeId, target: NodeId) -> Told {
        let level = self.level.clone()?;
        let around = Surroundings::of(graph, target);
        match level {
            Level::Tenant => return Ok(true),
            Level::ManagementGroup => {
                let what = format!("whether its subscription is in `{}` is not known", self.shown);
                return Err(Cause::Other(what.into()));
            }
            Level::Subscription => {
                let provider = |node| graph.resource(node).and_then(|it: &Resource| it.provider);
                let own = self.node.and_then(|node| graph.resource(node)).is_some_and(|it| {
                    let id = it.after.as_ref().and_then(|after| after.get("subscription_id"));
                    // A data source that names none reads that of its provider, as does a plan of one.
                    it.mode == Mode::Data && id.is_none_or(|id| id.as_str().is_none())
                });
                if own && provider(assigned_by) == provider(target) {
                    return Ok(true);
                }
            }
            Level::ResourceGroup | Level::Resource => {}
        }
        if let Some(node) = self.node
            && around.nodes.contains(&node)
        {
            return Ok(true);
        }
        if let Some(id) = self.known_id() {
            if around.ids(graph).any(|it| is_below(&it, id)) {
                return Ok(true);
            }
            if id_of(graph, target).is_some() {
                return Ok(false);
            }
        }
        match (level, self.node) {
            (Level::Resource, Some(_)) => Ok(false),
            (Level::ResourceGroup, _) => self.is_group_of(graph, &around),
            (Level::Resource, None) if self.is_another(graph, target) => Ok(false),
            _ => Err(self.open(graph, target)),
        }
    }

    fn open(&self, graph: &ResourceGraph, target: NodeId) -> Cause {
        let target = graph.resource(target).map_or("it", |it| it.address.as_str());
        Cause::Other(format!("whether `{target}` is in `{}` is not known", self.shown).into())
    }

    /// Its id, if all of it is known.
    pub(super) fn known_id(&self) -> Option<&str> {
        Some(self.id.as_str()).filter(|id| !id.is_empty() && !id.contains('?'))
    }

    /// The last part of its id: the name of a resource group that is one.
    pub(super) fn group_name<'a>(&'a self, graph: &'a ResourceGraph) -> Option<&'a str> {
        let named = self.id.rsplit('/').next().filter(|name| !name.contains('?') && !name.is_empty());
        let of_node = self.node.and_then(|node| graph.resource(node));
        of_node.and_then(|it| it.after.as_ref()?.get("name")?.as_str()).or(named)
    }

    /// Whether the resource group is that of a resource or of what it is in.
    fn is_group_of(&self, graph: &ResourceGraph, around: &Surroundings) -> Told {
        let other = around.group(graph);
        match (self.group_name(graph), around.group_name(graph)) {
            (Some(ours), Some(theirs)) => Ok(ours.eq_ignore_ascii_case(theirs)),
            _ if self.node.is_some() && other.is_some() => Ok(self.node == other),
            _ => Err(around.nodes.first().map_or(Cause::Plan, |&target| self.open(graph, target))),
        }
    }

    /// Whether the id ends with another name than the resource has.
    fn is_another(&self, graph: &ResourceGraph, target: NodeId) -> bool {
        let name = graph.resource(target).and_then(|it| it.after.as_ref()?.get("name")?.as_str());
        let last = self.id.rsplit('/').next().unwrap_or_default();
        name.is_some_and(|name| !last.contains('?') && !last.eq_ignore_ascii_case(name))
    }

    /// Whether what a text names, an id or `*`, is in it; `*` is anything.
    pub(super) fn holds_text(&self, asked: &str) -> Told {
        let level = self.level.clone()?;
        if asked == "*" || level == Level::Tenant {
            return Ok(true);
        }
        if self.id.is_empty() || self.id.contains('?') || level == Level::ManagementGroup {
            return Err(Cause::Other(format!("whether it is in `{}` is not known", self.shown).into()));
        }
        Ok(is_below(&asked.to_ascii_lowercase(), &self.id))
    }
}

/// Whether an id is another one, or of something in that.
pub(super) fn is_below(id: &str, other: &str) -> bool {
    let other = other.trim_end_matches('/');
    id.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A resource, and what it is in, the innermost first.
pub(super) struct Surroundings {
    pub(super) nodes: Vec<NodeId>,
}

impl Surroundings {
    /// Those of a resource.
    pub(super) fn of(graph: &ResourceGraph, target: NodeId) -> Self {
        let mut nodes = vec![target];
        let mut at = target;
        while nodes.len() < MAX_DEPTH {
            let mut up = graph.edges(at, Direction::Outgoing).filter(|(edge, next)| {
                let is_kept = graph.resource(*next).is_some_and(|it| it.type_name.starts_with("azurerm_"));
                // A vault or an account that a workspace uses is named so too, and is not what it is in.
                is_kept && PARENTS.contains(&edge.path.as_str()) && is_part(graph, at)
            });
            match up.next() {
                Some((_, next)) if !nodes.contains(&next) => {
                    nodes.push(next);
                    at = next;
                }
                _ => break,
            }
        }
        let mut this = Self { nodes };
        let group = this.group(graph);
        this.nodes.extend(group);
        this
    }

    /// The ids that are known, in lower case.
    pub(super) fn ids(&self, graph: &ResourceGraph) -> impl Iterator<Item = String> {
        self.nodes.iter().filter_map(|&node| id_of(graph, node)).map(str::to_ascii_lowercase)
    }

    /// The resource group that one of them names by a reference.
    pub(super) fn group(&self, graph: &ResourceGraph) -> Option<NodeId> {
        let mut edges = self.nodes.iter().flat_map(|&node| graph.edges(node, Direction::Outgoing));
        edges.find(|(edge, _)| edge.path == "resource_group_name").map(|(_, target)| target)
    }

    /// The name of the resource group, as far as one of them tells it.
    pub(super) fn group_name<'g>(&self, graph: &'g ResourceGraph) -> Option<&'g str> {
        let named =
            |&node: &NodeId| graph.resource(node)?.after.as_ref()?.get("resource_group_name")?.as_str();
        self.nodes.iter().find_map(named)
    }
}

/// The id of a resource, where it is known.
pub(super) fn id_of(graph: &ResourceGraph, node: NodeId) -> Option<&str> {
    graph.resource(node)?.after.as_ref()?.get("id")?.as_str()
}

/// Whether the resource is a part of another: then it has no group of its own.
fn is_part(graph: &ResourceGraph, node: NodeId) -> bool {
    let group = graph.resource(node).and_then(|it| it.after.as_ref()?.get("resource_group_name"));
    group.is_none_or(Value::is_null)
}

/// A text with holes as an id, with `?` in a part that is not known.
fn written(graph: &ResourceGraph, text: &Text) -> Result<String, Cause> {
    let Text::Holed(pieces) = text else {
        let known = text.as_str().unwrap_or_default();
        return if known.starts_with('/') {
            Ok(known.to_owned())
        } else {
            Err(Cause::Other(format!("`{known}` is no id").into()))
        };
    };
    let mut out = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(known) => out.push_str(known),
            Piece::Hole(_) if at > 0 => out.push('?'),
            Piece::Hole(value) => {
                let base = value
                    .reference
                    .as_ref()
                    .filter(|reference| reference.attribute == "id")
                    .and_then(|reference| graph.named(&reference.resource))
                    .and_then(|it| match it.type_name.as_str() {
                        "azurerm_subscription" => Some("/subscriptions/?"),
                        "azurerm_resource_group" => Some("/subscriptions/?/resourceGroups/?"),
                        "azurerm_management_group" => {
                            Some("/providers/Microsoft.Management/managementGroups/?")
                        }
                        name if name.starts_with("azurerm_") => {
                            Some("/subscriptions/?/resourceGroups/?/providers/?/?/?")
                        }
                        _ => None,
                    });
                match base {
                    Some(base) => out.push_str(base),
                    None => return Err(text.cause()),
                }
            }
        }
    }
    if out.starts_with('/') { Ok(out) } else { Err(text.cause()) }
}
