//! Every rule of every resource that it is about: rules in buckets by type, resources in chunks that are asked in parallel.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::memo::{Memos, OfTypes};
use super::{Result, Rules, absence, ask_remembering, ask_rule};
use crate::facts::Facts;
use crate::facts::domain::ConditionScope;
use crate::finding::{Provided, Verdict};
use crate::graph::NodeId;
use crate::rules::Scope;

/// So many chunks of resources there are for each thread, so that none waits long for the last.
const CHUNKS_OF_THREAD: usize = 8;
/// A chunk is no longer.
const MAX_CHUNK: usize = 256;

/// What the rules say of one graph.
pub(super) struct Answers {
    pub(super) results: Vec<Box<Result>>,
    pub(super) passed: Vec<usize>,
    pub(super) evaluations: usize,
    pub(super) provided: Vec<Provided>,
}

/// Asks all rules of one graph.
pub(super) fn ask_all(facts: &Facts<'_>, rules: &Rules<'_>, keep_pass: bool) -> Answers {
    let mut buckets: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, rule) in rules.compiled.iter().enumerate().filter(|(_, rule)| rule.scope == Scope::Resource) {
        for type_name in rule.types {
            buckets.entry(type_name.as_ref()).or_default().push(index);
        }
    }
    let nodes: Vec<NodeId> =
        facts.graph.graph.node_indices().filter(|&node| facts.is_subject(node)).collect();
    let evaluations = AtomicUsize::new(0);
    let passed: Vec<AtomicUsize> = rules.compiled.iter().map(|_| AtomicUsize::new(0)).collect();
    let memos = Memos::new();
    let ask = |chunk: &[NodeId], memos: &mut OfTypes| -> Vec<Box<Result>> {
        let mut results = Vec::new();
        let (mut asked, mut pass) = (0, vec![0; rules.compiled.len()]);
        for &node in chunk {
            let type_name = facts.graph.resource(node).map_or("", |resource| resource.type_name.as_str());
            let bucket = buckets.get(type_name).map_or(&[][..], Vec::as_slice);
            asked += bucket.len();
            let mut memo = memos.turn_to(type_name);
            let scope = ConditionScope::new(facts, node);
            for &rule in bucket {
                let memo = memo.as_deref_mut();
                let Some(result) = ask_remembering(rules, rule, &scope, keep_pass, memo) else { continue };
                let passes = result.verdict == Verdict::Pass;
                if let Some(count) = pass.get_mut(rule).filter(|_| passes) {
                    *count += 1;
                }
                if keep_pass || !passes {
                    results.push(Box::new(result));
                }
            }
        }
        evaluations.fetch_add(asked, Ordering::Relaxed);
        for (all, count) in passed.iter().zip(pass).filter(|(_, count)| *count > 0) {
            all.fetch_add(count, Ordering::Relaxed);
        }
        results
    };
    let chunks = rayon::current_num_threads() * CHUNKS_OF_THREAD;
    let size = nodes.len().div_ceil(chunks).clamp(1, MAX_CHUNK);
    let ask = |chunk: &[NodeId]| memos.with(|memos| ask(chunk, memos));
    let mut results: Vec<Box<Result>> = nodes.par_chunks(size).flat_map_iter(ask).collect();
    let mut passed: Vec<usize> = passed.into_iter().map(AtomicUsize::into_inner).collect();
    debug_assert!(
        same_as_naive(facts, rules, &nodes, &results, keep_pass, passed.iter().sum()),
        "buckets lose or add results"
    );
    // There are few of them, and what passed before the change is asked for after it.
    let (absences, provided) = absence::ask(facts, rules, &nodes, &memos, keep_pass);
    for absence in absences.iter().filter(|result| result.verdict == Verdict::Pass) {
        if let Some(count) = passed.get_mut(absence.rule) {
            *count += 1;
        }
    }
    results.extend(absences);
    Answers { results, passed, evaluations: evaluations.into_inner(), provided }
}

/// The naive way: every rule, every resource, nothing remembered.
fn same_as_naive(
    facts: &Facts<'_>,
    rules: &Rules<'_>,
    nodes: &[NodeId],
    results: &[Box<Result>],
    keep_pass: bool,
    passed: usize,
) -> bool {
    let (mut naive, mut naive_passed) = (0, 0);
    let told: BTreeMap<_, _> = results.iter().map(|result| ((result.rule, result.node), result)).collect();
    for (index, rule) in rules.compiled.iter().enumerate().filter(|(_, rule)| rule.scope == Scope::Resource) {
        for &node in nodes {
            let applies = facts
                .graph
                .resource(node)
                .is_some_and(|r| rule.types.iter().any(|t| t == r.type_name.as_str()));
            if let Some(expected) = applies.then(|| ask_rule(facts, rules, index, node, keep_pass)).flatten()
            {
                naive_passed += usize::from(expected.verdict == Verdict::Pass);
                if expected.verdict == Verdict::Pass && !keep_pass {
                    continue;
                }
                naive += 1;
                if told.get(&(index, node)).map(|it| &***it) != Some(&expected) {
                    return false;
                }
            }
        }
    }
    naive == results.len() && naive_passed == passed
}
