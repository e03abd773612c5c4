//! Analyses of role assignments for rules.

use crate::graph::NodeId;
use crate::value::{Cause, Truth};

use super::super::super::Facts;
use super::super::{Outcome, Query};
use super::{Assignment, Level};

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
    let (graph, action) = (facts.graph, action.to_ascii_lowercase());
    let Some(of_kind) = facts.ai_accounts().of_action(&action) else { return Ok(false) };
    let level = one.scope.level.clone()?;
    if level > Level::ResourceGroup {
        return Ok(false);
    }
    // Keys that nobody can use are no way in.
    let by_key = action.ends_with("/listkeys/action");
    let holds = |node| one.scope.holds(graph, one.node, node);
    let held = of_kind.held(graph, &one.scope, level, by_key);
    debug_assert!(
        of_kind.all(by_key).all(|node| held.contains(&node) || holds(node) == Ok(false)),
        "an account that a scope may hold is not looked at"
    );
    let mut open = Ok(false);
    for node in held {
        match holds(node) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(cause) => open = Err(cause),
        }
    }
    // An account that is elsewhere.
    let is_elsewhere = || one.scope.id.contains(&format!("/providers/{}", of_kind.provider));
    if one.scope.node.is_none() && is_elsewhere() { Ok(true) } else { open }
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
        if allowed.told == Ok(false) {
            continue;
        }
        let inside = inside(one, action);
        if inside == Ok(false) {
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
