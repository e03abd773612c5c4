//! Methods of a REST API of API Gateway: the function behind one, and what it may do for whoever comes.

use petgraph::Direction;

use crate::graph::NodeId;
use crate::value::{Truth, Value};

use super::super::{Facts, is_left_to_the_provider};
use super::analyses::{any_of_identities, identities};
use super::{Outcome, Query};

/// May the function behind a method do one of the actions? It does not apply to an API that only a VPC reaches.
pub(super) fn method_may(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    let graph = facts.graph;
    let target = |node: NodeId, path: &str| {
        graph.edges(node, Direction::Outgoing).find(|(edge, _)| edge.path == path).map(|(_, target)| target)
    };
    let text = |node: NodeId, name: &str| {
        graph.resource(node)?.after.as_ref()?.get(name)?.as_str().map(ToOwned::to_owned)
    };
    let (place, verb) = (target(node, "resource_id")?, text(node, "http_method")?);
    let is_behind = |it: &NodeId| {
        graph.resource(*it).is_some_and(|it| it.type_name == "aws_api_gateway_integration")
            && target(*it, "resource_id") == Some(place)
            && text(*it, "http_method").as_deref() == Some(verb.as_str())
    };
    let around = graph.edges(place, Direction::Incoming).map(|(_, source)| source);
    let mut integrations: Vec<NodeId> = around.filter(is_behind).collect();
    integrations.sort_unstable();
    integrations.dedup();
    let functions = integrations.into_iter().filter_map(|it| target(it, "uri"));
    let mut all: Vec<_> = functions.flat_map(|it| identities(facts, it)).collect();
    all.dedup_by_key(|it| it.node);
    let outcome = any_of_identities(facts, all, query)?;
    let api = target(node, "rest_api_id");
    let made = api.and_then(|it| graph.resource(it)?.after.as_ref());
    let kinds = made.and_then(|it| it.get("endpoint_configuration"));
    let mut is_private = false;
    if let Some(kinds) = kinds {
        kinds.each_at("types", &mut |kind| is_private |= kind.as_str() == Some("PRIVATE"));
    }
    if is_private {
        return None;
    }
    let own = made.and_then(|it| it.get("policy"));
    let has_policy = own.is_some_and(|it| !it.is_null() && !is_left_to_the_provider(it))
        || api.is_some_and(|it| graph.attachments(it, "aws_api_gateway_rest_api_policy").next().is_some());
    let cause = match made {
        None => "the API is not in the configuration",
        Some(_)
            if kinds.is_some_and(Value::is_unknown)
                && kinds.is_some_and(|it| !is_left_to_the_provider(it)) =>
        {
            "whether only a VPC reaches the API is not known"
        }
        Some(_) if has_policy => "the policy of the API may limit who comes",
        Some(_) => return Some(outcome),
    };
    Some(match outcome.holds {
        Truth::No => Outcome { holds: Truth::Maybe, causes: vec![cause.to_owned()], grant: None, ..outcome },
        _ => outcome,
    })
}
