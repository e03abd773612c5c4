//! Whether something here can stop an AI system without waiting for people: what events start, and what that may do.

use petgraph::Direction;

use crate::graph::NodeId;
use crate::value::{Cause, Truth};

use super::super::Facts;
use super::analyses::{Answer, ask, broken, identities};
use super::{Outcome, Query};

/// May anything that an EventBridge rule starts do one of the actions?
#[expect(clippy::unnecessary_wraps, reason = "all analyses are of one type")]
pub(super) fn by_events(facts: &Facts<'_>, _node: NodeId, query: Query<'_>) -> Option<Outcome> {
    let graph = facts.graph;
    let mut answers: Vec<Answer<'_>> = Vec::new();
    // Why there may be more than is seen.
    let mut open = graph.unfollowed.first().map(|call| Cause::Module(call.address.clone()).to_string());
    for &target in graph.by_type("aws_cloudwatch_event_target") {
        let started: Vec<NodeId> = graph
            .edges(target, Direction::Outgoing)
            .filter(|(edge, _)| edge.path == "arn")
            .map(|(_, started)| started)
            .collect();
        if let Some(target) = graph.resource(target).filter(|_| started.is_empty()) {
            open.get_or_insert_with(|| {
                format!("what `{}` starts is not in this configuration", target.address)
            });
        }
        let acting = started.into_iter().flat_map(|started| identities(facts, started));
        answers.extend(acting.flat_map(|identity| query.args.iter().map(|action| ask(identity, action))));
    }
    if answers.iter().any(|answer| answer.truth(false) == Truth::Yes) {
        return Some(Outcome::of(Truth::Yes));
    }
    let maybe: Vec<&Answer<'_>> =
        answers.iter().filter(|answer| answer.truth(false) == Truth::Maybe).collect();
    if !maybe.is_empty() {
        return Some(broken(facts, query, Truth::Maybe, &maybe, None));
    }
    let holds = if open.is_some() { Truth::Maybe } else { Truth::No };
    Some(Outcome { causes: open.into_iter().collect(), ..Outcome::of(holds) })
}
