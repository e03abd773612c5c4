//! Who should not have a permission, whatever it is on: callers of models who govern them too, anonymous visitors, and
//! whoever can sign in anywhere.

use petgraph::Direction;

use crate::graph::NodeId;
use crate::iam::buckets;
use crate::iam::escalation;
use crate::value::{Cause, Truth, Value};

use super::super::Facts;
use super::analyses::{any_of_identity, ask_best, broken, is_administrator, is_workload, rank};
use super::{Outcome, Query, outcome};

/// The ways of tampering that separate who calls models from who governs them.
const GOVERNS: [&str; 2] = ["guardrail-tampering", "bedrock-log-tampering"];

/// May a role or user call models by one of the actions, and change the guardrails or the log of those calls? Workloads are
/// asked by `iam.escalates`, and administrators do what they are for.
pub(super) fn invokes_and_governs(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    let identity = facts.identities().get(&node)?;
    if is_workload(facts, identity) || is_administrator(identity) {
        return None;
    }
    let actions: Vec<&str> = query.args.iter().map(String::as_str).collect();
    let (calls, call) = ask_best(identity, &actions)?;
    let mut best: Option<Outcome> = None;
    for way in escalation::of(&["tampering"]).filter(|way| GOVERNS.contains(&way.id)) {
        let Some((governs, change)) = way.actions.first().and_then(|group| ask_best(identity, group)) else {
            continue;
        };
        let holds = match rank(calls).min(rank(governs)) {
            2 => Truth::No,
            1 => Truth::Maybe,
            _ => Truth::Yes,
        };
        let worse = best.as_ref().is_none_or(|best| rank(holds) < rank(best.holds));
        if worse {
            best = Some(broken(facts, query, holds, &[&call, &change], Some(way.what)));
        }
    }
    best
}

/// May visitors who did not sign in do one of the actions, by the role that an identity pool gives them?
pub(super) fn unauthenticated_may(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    let graph = facts.graph;
    let attachment = graph.resource(node)?;
    let role = attachment.after.as_ref()?.get("roles")?.get("unauthenticated").filter(|it| !it.is_null())?;
    let pools = graph.edges(node, Direction::Outgoing).filter_map(|(_, target)| graph.resource(target));
    let pool = pools.into_iter().find(|it| it.type_name == "aws_cognito_identity_pool");
    let open = pool.and_then(|it| it.after.as_ref()?.get("allow_unauthenticated_identities"));
    let lets_in = match open {
        Some(value) if value.as_bool() == Some(true) => Truth::Yes,
        Some(value) if value.is_unknown() => Truth::Maybe,
        Some(_) => return None,
        None => Truth::Maybe,
    };
    let known = role.as_str();
    let is_it = |it: NodeId| {
        let arn = graph.resource(it).and_then(|it| it.after.as_ref()?.get("arn")).and_then(Value::as_str);
        arn.is_some() && arn == known
    };
    let by_name = role.reference.as_ref().and_then(|it| graph.by_address(&it.resource));
    let target = by_name.or_else(|| facts.identities().keys().copied().find(|&it| is_it(it)));
    let Some(identity) = target.and_then(|it| facts.identities().get(&it)) else {
        let cause = role
            .first_cause()
            .cloned()
            .unwrap_or_else(|| Cause::Other("the role is not in the configuration".into()));
        return Some(Outcome { causes: vec![cause.to_string()], ..Outcome::of(Truth::Maybe) });
    };
    let outcome = any_of_identity(facts, identity, query);
    match (outcome.holds, lets_in) {
        (Truth::No, Truth::Maybe) => {
            let mut outcome = Outcome { holds: Truth::Maybe, ..outcome };
            outcome
                .causes
                .push("whether the identity pool lets in who did not sign in is not known".to_owned());
            Some(outcome)
        }
        _ => Some(outcome),
    }
}

/// May everybody, whatever account they are of, assume the role?
pub(super) fn trust_everybody(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    let trust = facts.policies(node)?.trust.as_ref()?;
    Some(outcome(facts, query, &buckets::allows_everybody(&trust.policy), trust))
}
