//! Findings that hang on what only the source of a plan tells: the same asked of the plan alone.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::memo::Memos;
use super::{Place, Result, Rules, absence, ask_remembering};
use crate::facts::Facts;
use crate::facts::domain::ConditionScope;
use crate::finding::Verdict;
use crate::graph::NodeId;

/// Marks those of `results` that the plan alone does not give, of which `untold` are the facts.
pub(super) fn mark(facts: &Facts<'_>, results: &mut [Box<Result>], untold: &Facts<'_>, rules: &Rules<'_>) {
    let nodes: Vec<NodeId> =
        untold.graph.graph.node_indices().filter(|&node| untold.is_subject(node)).collect();
    let memos = Memos::new();
    let absent = absence::ask(untold, rules, &nodes, &memos, false).0.into_iter();
    let absent: BTreeMap<(usize, Place), Verdict> =
        absent.filter_map(|result| Some(((result.rule, result.place?), result.verdict))).collect();
    let mark = |result: &mut Box<Result>| {
        let verdict = match &result.place {
            Some(place) => absent.get(&(result.rule, place.clone())).copied(),
            None => facts.graph.resource(result.node).and_then(|resource| {
                let node = untold.graph.by_address(&resource.address);
                let node = node.filter(|&node| untold.is_subject(node))?;
                memos.with(|memos| {
                    let memo = memos.of(&resource.type_name);
                    memo.turn();
                    let scope = ConditionScope::new(untold, node);
                    let result = ask_remembering(rules, result.rule, &scope, false, Some(memo))?;
                    Some(result.verdict)
                })
            }),
        };
        result.from_source = verdict != Some(result.verdict);
    };
    results.par_iter_mut().for_each(mark);
}
