//! Findings that hang on what only the source of a plan tells: the same asked of the plan alone.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::ask::decide_rule;
use super::memo::Memos;
use super::results::Results;
use super::{Place, Result, Rules, absence, places};
use crate::facts::Facts;
use crate::finding::Verdict;

/// Marks those of `results` that the plan alone does not give, of which `untold` are the facts.
pub(super) fn mark(facts: &Facts<'_>, results: &mut Results, untold: &Facts<'_>, rules: &Rules<'_>) {
    let memos = Memos::new(rules);
    let broken = absence::broken(untold, rules, &memos);
    let places = places::of_graph(untold, rules, memos.types());
    let (absent, _) = absence::ask(untold, rules, &memos, &places, &broken);
    let absent: BTreeMap<(usize, Place), Verdict> = absent
        .into_iter()
        .filter_map(|result| Some(((result.rule, result.place?), result.verdict)))
        .collect();
    let mark = |result: &mut Result| {
        let verdict = match &result.place {
            Some(place) => absent.get(&(result.rule, place.clone())).copied(),
            None => facts.graph.resource(result.node).and_then(|resource| {
                let node = untold.graph.by_address(&resource.address);
                let node = node.filter(|&node| untold.is_subject(node))?;
                memos.of_resource(untold, node, |memo, scope| {
                    Some(decide_rule(rules, result.rule, scope, Some(memo))?.verdict())
                })
            }),
        };
        result.from_source = verdict != Some(result.verdict);
    };
    results.par_iter_mut().for_each(mark);
}
