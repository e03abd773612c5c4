//! The accounts of AI that the input makes, by where they are: an assignment asks which of them its scope may hold, and there
//! may be as many assignments as accounts.

use std::collections::BTreeMap;

use foldhash::HashMap;

use crate::graph::{NodeId, ResourceGraph};
use crate::program::Resource;
use crate::value::Value;

use super::azapi;
use super::scope::{Level, Scope, Surroundings, is_below};

/// What actions of a provider are done to: by its type there, and by those of Terraform.
const KINDS: [(&str, &str, &[&str]); 3] = [
    ("microsoft.cognitiveservices/", "accounts", &["azurerm_ai_services", "azurerm_cognitive_account"]),
    (
        "microsoft.machinelearningservices/",
        "workspaces",
        &["azurerm_ai_foundry", "azurerm_machine_learning_workspace"],
    ),
    ("microsoft.search/", "searchservices", &["azurerm_search_service"]),
];

/// The accounts of each of [`KINDS`].
#[derive(Debug)]
pub(in super::super::super) struct Accounts([OfKind; KINDS.len()]);

/// Those of one kind, by where they are. Each is named by its place among them.
#[derive(Debug, Default)]
pub(super) struct OfKind {
    /// The provider whose actions are done to them, in lower case: `microsoft.search/`.
    pub(super) provider: &'static str,
    nodes: Vec<NodeId>,
    /// Those that can be asked with a key.
    with_keys: Vec<bool>,
    /// By each resource that they are in, and by themselves.
    by_node: HashMap<NodeId, Vec<usize>>,
    /// By the ids of these in lower case, sorted.
    by_id: Vec<(String, usize)>,
    /// By the name of the resource group in lower case.
    by_group: HashMap<String, Vec<usize>>,
    /// Those whose resource group has no name that is known.
    of_unnamed: Vec<usize>,
    /// Those of which no reference tells it.
    of_unlinked: Vec<usize>,
    /// Those whose own id is not known.
    without_id: Vec<bool>,
}

impl Accounts {
    /// Those of the input.
    pub(in super::super::super) fn of_graph(graph: &ResourceGraph) -> Self {
        let mut made: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
        for &node in graph.by_type(azapi::TYPE) {
            if let Some(kind) = graph.resource(node).and_then(azapi::kind_of) {
                made.entry(kind).or_default().push(node);
            }
        }
        Self(KINDS.map(|(provider, kind, types)| {
            let mut nodes: Vec<NodeId> = types.iter().flat_map(|name| graph.by_type(name)).copied().collect();
            nodes.extend(made.remove(&[provider, kind].concat()).unwrap_or_default());
            OfKind::new(graph, provider, nodes)
        }))
    }

    /// Those that an action, in lower case, is done to.
    pub(super) fn of_action(&self, action: &str) -> Option<&OfKind> {
        self.0.iter().find(|it| action.starts_with(it.provider))
    }
}

impl OfKind {
    fn new(graph: &ResourceGraph, provider: &'static str, nodes: Vec<NodeId>) -> Self {
        let mut this = Self { provider, ..Self::default() };
        for (at, &node) in nodes.iter().enumerate() {
            let around = Surroundings::of(graph, node);
            for &within in &around.nodes {
                this.by_node.entry(within).or_default().push(at);
            }
            this.by_id.extend(around.ids(graph).map(|id| (id, at)));
            match around.group_name(graph) {
                Some(name) => this.by_group.entry(name.to_ascii_lowercase()).or_default().push(at),
                None => this.of_unnamed.push(at),
            }
            if around.group(graph).is_none() {
                this.of_unlinked.push(at);
            }
            this.with_keys.push(!graph.resource(node).is_some_and(takes_no_keys));
            this.without_id.push(super::scope::id_of(graph, node).is_none());
        }
        this.by_id.sort_unstable();
        Self { nodes, ..this }
    }

    /// All of them, or `by_key` those that can be asked with a key.
    pub(super) fn all(&self, by_key: bool) -> impl Iterator<Item = NodeId> {
        let all = self.nodes.iter().zip(&self.with_keys);
        all.filter(move |(_, with_keys)| !by_key || **with_keys).map(|(node, _)| *node)
    }

    /// Those of [`all`](Self::all) that the scope of one resource or of a resource group may hold, in order:
    /// [`Scope::holds`] says of every other that it does not.
    pub(super) fn held(
        &self,
        graph: &ResourceGraph,
        scope: &Scope,
        level: Level,
        by_key: bool,
    ) -> Vec<NodeId> {
        let of_node = scope.node.and_then(|node| self.by_node.get(&node)).into_iter().flatten().copied();
        let mut held: Vec<usize> = of_node.collect();
        let id = scope.known_id().map(|id| id.trim_end_matches('/'));
        if let Some(id) = id {
            let from = self.by_id.partition_point(|(it, _)| it.as_str() < id);
            let below = self.by_id.iter().skip(from).take_while(|(it, _)| it.starts_with(id));
            held.extend(below.filter(|(it, _)| is_below(it, id)).map(|(_, at)| *at));
        }
        let is_open = |at: &usize| id.is_none() || self.without_id.get(*at) == Some(&true);
        match (level, scope.node, scope.group_name(graph)) {
            (Level::Resource, Some(_), _) => {}
            (Level::ResourceGroup, Some(_), None) => {
                held.extend(self.of_unlinked.iter().filter(|at| is_open(at)));
            }
            (Level::ResourceGroup, node, Some(name)) => {
                let of_name = self.by_group.get(&name.to_ascii_lowercase()).into_iter().flatten();
                // A reference to another group tells, too.
                let may_be = |at: &&usize| node.is_none() || self.of_unlinked.binary_search(at).is_ok();
                held.extend(of_name.chain(self.of_unnamed.iter().filter(may_be)).filter(|at| is_open(at)));
            }
            _ => held.extend((0..self.nodes.len()).filter(is_open)),
        }
        held.retain(|at| !by_key || self.with_keys.get(*at) == Some(&true));
        held.sort_unstable();
        held.dedup();
        held.into_iter().filter_map(|at| self.nodes.get(at).copied()).collect()
    }
}

fn takes_no_keys(resource: &Resource) -> bool {
    let after = resource.after.as_ref();
    let is_off = |name: &str| after.and_then(|it| it.get(name)).and_then(Value::as_bool) == Some(false);
    let is_disabled = || azapi::property(after?, "disableLocalAuth")?.as_bool();
    is_off("local_auth_enabled") || is_off("local_authentication_enabled") || is_disabled() == Some(true)
}

#[cfg(test)]
mod tests;
