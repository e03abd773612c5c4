//! Analyses of role assignments for rules.

use std::collections::BTreeMap;

use crate::graph::{NodeId, ResourceGraph};
use crate::value::{Cause, Truth, Value};

use super::super::super::Facts;
use super::super::{Outcome, Query};
use super::{Assignment, Level, azapi};

/// Accounts of AI, those of each of [`ACCOUNTS`].
pub(in super::super::super) type Accounts = [Vec<NodeId>; ACCOUNTS.len()];

/// What actions of a provider are done to: by its type there, and by those of Terraform.
const ACCOUNTS: [(&str, &str, &[&str]); 3] = [
    ("microsoft.cognitiveservices/", "accounts", &["azurerm_ai_services", "azurerm_cognitive_account"]),
    (
        "microsoft.machinelearningservices/",
        "workspaces",
        &["azurerm_ai_foundry", "azurerm_machine_learning_workspace"],
    ),
    ("microsoft.search/", "searchservices", &["azurerm_search_service"]),
];

/// Does the assignment let a workload do one of the actions to an AI account, or to those of a resource group?
pub(in super::super) fn allows(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    ask(facts, node, query, |one, action| on_account(facts, one, action))
}

/// Does it, on a subscription or more?
pub(in super::super) fn allows_everywhere(
    facts: &Facts<'_>,
    node: NodeId,
    query: Query<'_>,
) -> Option<Outcome> {
    ask(facts, node, query, |one, _| one.scope.level.clone().map(|level| level >= Level::Subscription))
}

/// Whether something that the action can be done to is in the scope; more than a resource group is another matter.
fn on_account(facts: &Facts<'_>, one: &Assignment, action: &str) -> Result<bool, Cause> {
    let graph = facts.graph;
    let action = action.to_ascii_lowercase();
    let mut accounts = ACCOUNTS.iter().zip(facts.ai_accounts());
    let Some(((provider, ..), accounts)) = accounts.find(|((provider, ..), _)| action.starts_with(provider))
    else {
        return Ok(false);
    };
    if one.scope.level.clone()? > Level::ResourceGroup {
        return Ok(false);
    }
    let mut open = Ok(false);
    for &node in accounts {
        // Keys that nobody can use are no way in.
        if action.ends_with("/listkeys/action") && takes_no_keys(facts, node) {
            continue;
        }
        match one.scope.holds(graph, one.node, node) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(cause) => open = Err(cause),
        }
    }
    // An account that is elsewhere.
    if one.scope.node.is_none() && one.scope.id.contains(&format!("/providers/{provider}")) {
        Ok(true)
    } else {
        open
    }
}

/// The accounts that the input makes, in the order of [`ACCOUNTS`].
pub(in super::super::super) fn accounts(graph: &ResourceGraph) -> Accounts {
    let mut made: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
    for &node in graph.by_type(azapi::TYPE) {
        if let Some(kind) = graph.resource(node).and_then(azapi::kind_of) {
            made.entry(kind).or_default().push(node);
        }
    }
    ACCOUNTS.map(|(provider, kind, types)| {
        let mut nodes: Vec<NodeId> = types.iter().flat_map(|name| graph.by_type(name)).copied().collect();
        nodes.extend(made.remove(&[provider, kind].concat()).unwrap_or_default());
        nodes
    })
}

fn takes_no_keys(facts: &Facts<'_>, node: NodeId) -> bool {
    let after = facts.graph.resource(node).and_then(|it| it.after.as_ref());
    let is_off = |name: &str| after.and_then(|it| it.get(name)).and_then(Value::as_bool) == Some(false);
    let is_disabled = || azapi::property(after?, "disableLocalAuth")?.as_bool();
    is_off("local_auth_enabled") || is_off("local_authentication_enabled") || is_disabled() == Some(true)
}

fn ask(
    facts: &Facts<'_>,
    node: NodeId,
    query: Query<'_>,
    inside: impl Fn(&Assignment, &str) -> Result<bool, Cause>,
) -> Option<Outcome> {
    let all = facts.assignments();
    let one = all.get(all.binary_search_by_key(&node, |it| it.node).ok()?)?;
    // What people and pipelines may do is another matter.
    if !one.is_workload(facts.graph) {
        return None;
    }
    let outcome = |holds, actual, causes| Some(Outcome { causes, actual, ..Outcome::of(holds) });
    let doubts = one.doubts(facts.graph);
    let mut open: Option<(Cause, String)> = None;
    for action in query.args {
        let allowed = one.role.allows(action);
        let inside = inside(one, action);
        if allowed.told == Ok(false) || inside == Ok(false) {
            continue;
        }
        let path = format!(
            "{} → `{}` → `{}` on `{}` allows `{action}`",
            one.who(facts.graph),
            one.role.name,
            allowed.by,
            one.scope.shown
        );
        let limit =
            one.conditions.iter().cloned().chain(allowed.condition.iter().map(ToString::to_string)).next();
        let limit = limit.map(|it| Cause::Other(format!("only if {it}").into()));
        let cause = allowed.told.err().or(inside.err()).or_else(|| doubts.first().cloned()).or(limit);
        match cause {
            None => return outcome(Truth::No, Some(path), Vec::new()),
            Some(cause) => open = open.or(Some((cause, path))),
        }
    }
    match open {
        Some((cause, path)) => outcome(Truth::Maybe, Some(path), vec![cause.to_string()]),
        None => outcome(Truth::Yes, None, Vec::new()),
    }
}
