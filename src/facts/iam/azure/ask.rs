//! `airgate iam` of Azure: who may do an action on a resource, and what an identity may do.

use crate::graph::NodeId;
use crate::iam::azure::Plane;
use crate::iam::effective::Verdict;
use crate::iam::told::{self, Told};

use super::super::super::Facts;
use super::super::access::{Access, Step, Surest};
use super::{Assignment, Level, Principal, vault};

/// Everybody who may do the action on a resource: an address, an id, or `*`.
pub(in super::super) fn who_can(facts: &Facts<'_>, action: &str, resource: &str) -> Vec<Access> {
    let graph = facts.graph;
    let targets: Vec<NodeId> = match graph.by_address(resource) {
        Some(node) => vec![node],
        None => graph.by_block(resource).to_vec(),
    };
    let mut surest = Surest::default();
    for one in facts.assignments() {
        // A role says nothing of what is in a vault that goes by its policies.
        let is_policy = |&it: &NodeId| vault::is_closed(graph, one, action, it);
        if !targets.is_empty() && targets.iter().all(is_policy) {
            continue;
        }
        let inside = if targets.is_empty() {
            one.scope.holds_text(resource)
        } else {
            // One of the instances is enough.
            told::any(targets.iter().map(|&it| one.scope.holds(graph, one.node, it)))
        };
        let allowed = one.role.allows(action);
        let Some(mut found) = access(facts, one, action, allowed.told, inside, allowed.condition.as_deref())
        else {
            continue;
        };
        let by = if allowed.by.is_empty() { "?".to_owned() } else { allowed.by.to_string() };
        found.by = vec![step(facts, one, by)];
        if resource == "*" {
            found.on = vec![one.scope.shown.clone()];
        }
        surest.add(found);
    }
    surest.into_rows()
}

/// What the identity of a node may do, a row for every pattern of every role that it has; [`None`] if it has none and could
/// have no other.
pub(in super::super) fn what_can(facts: &Facts<'_>, node: NodeId) -> Option<Vec<Access>> {
    let has_identity = facts.graph.resource(node)?.type_name == "azurerm_user_assigned_identity";
    let mut out = Vec::new();
    let own = facts.assignments().iter().filter(|it| match it.principal {
        Principal::Node(principal) => principal == node,
        Principal::Unknown(_) => has_identity,
        Principal::Id(_) => false,
    });
    let mut is_any = has_identity;
    for one in own {
        is_any = true;
        for (pattern, plane) in one.role.patterns() {
            let text = pattern.to_string();
            let (list, lists) = match plane {
                Plane::Management => ("actions", "notActions"),
                Plane::Data => ("dataActions", "notDataActions"),
            };
            let told = pattern.as_str().map_or_else(|| Err(pattern.cause()), |_| Ok(true));
            let condition = one.role.permissions.iter().find_map(|it| it.condition.as_deref());
            let Some(mut found) = access(facts, one, &text, told, Ok(true), condition) else { continue };
            found.on = vec![one.scope.shown.clone()];
            found.by = vec![step(facts, one, list.to_owned())];
            found.less = one
                .role
                .taken_from(pattern, plane)
                .map(|taken| step(facts, one, format!("{lists}: {taken}")))
                .collect();
            out.push(found);
        }
        if let Some(cause) = &one.role.more {
            let told = Err(cause.clone());
            if let Some(mut found) = access(facts, one, "?", told, Ok(true), None) {
                found.on = vec![one.scope.shown.clone()];
                found.by = vec![step(facts, one, "?".to_owned())];
                out.push(found);
            }
        }
    }
    is_any.then_some(out)
}

/// What an assignment gives its principal; [`None`] if that is nothing of what is asked.
fn access(
    facts: &Facts<'_>,
    one: &Assignment,
    action: &str,
    allowed: Told,
    inside: Told,
    condition: Option<&str>,
) -> Option<Access> {
    if allowed == Ok(false) || inside == Ok(false) {
        return None;
    }
    // Which subscriptions are in one no configuration says.
    let group = (one.scope.level == Ok(Level::ManagementGroup) && inside.is_err())
        .then(|| format!("its subscription is below {}", one.scope.shown));
    let inside = if group.is_some() { Ok(true) } else { inside };
    let mut causes: Vec<String> =
        [allowed, inside].into_iter().filter_map(Result::err).map(|it| it.to_string()).collect();
    causes.extend(one.doubts(facts.graph).iter().map(ToString::to_string));
    let conditions: Vec<String> = group
        .into_iter()
        .chain(one.conditions.iter().cloned())
        .chain(condition.map(ToOwned::to_owned))
        .collect();
    let verdict = match (causes.is_empty(), conditions.is_empty()) {
        (false, _) => Verdict::Undetermined(causes),
        (true, false) => Verdict::OnlyIf(conditions),
        (true, true) => Verdict::Yes,
    };
    let site = match &one.principal {
        Principal::Node(node) => facts.graph.resource(*node).and_then(|it| it.site),
        _ => None,
    };
    Some(Access {
        principal: one.who(facts.graph),
        site,
        action: action.to_owned(),
        verdict,
        on: Vec::new(),
        by: Vec::new(),
        less: Vec::new(),
    })
}

fn step(facts: &Facts<'_>, one: &Assignment, statement: String) -> Step {
    let assigned = facts.graph.resource(one.node);
    Step {
        policy: one.role.name.to_string(),
        attached_by: assigned.map(|it| it.address.to_string()),
        statement,
        site: assigned.and_then(|it| it.site),
    }
}
