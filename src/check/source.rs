//! Findings that hang on what only the source of a plan tells: the same asked of the plan alone.

use std::collections::BTreeMap;

use super::{Place, Result, Rules, absence, ask_rule};
use crate::facts::Facts;
use crate::finding::Verdict;
use crate::graph::NodeId;

/// Marks those of `results` that the plan alone does not give, of which `untold` are the facts.
pub(super) fn mark(facts: &Facts<'_>, results: &mut [Result], untold: &Facts<'_>, rules: &Rules<'_>) {
    let nodes: Vec<NodeId> =
        untold.graph.graph.node_indices().filter(|&node| untold.is_subject(node)).collect();
    let absent = absence::ask(untold, rules, &nodes).0.into_iter();
    let absent: BTreeMap<(usize, Place), Verdict> =
        absent.filter_map(|result| Some(((result.rule, result.place?), result.verdict))).collect();
    for result in results {
        let verdict = match &result.place {
            Some(place) => absent.get(&(result.rule, place.clone())).copied(),
            None => facts.graph.resource(result.node).and_then(|resource| {
                let node = untold.graph.by_address(&resource.address);
                let node = node.filter(|&node| untold.is_subject(node))?;
                ask_rule(untold, rules, result.rule, node, false).map(|result| result.verdict)
            }),
        };
        result.from_source = verdict != Some(result.verdict);
    }
}
