//! Every rule of every resource that it is about: type by type, its resources in chunks that are asked in parallel.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::memo::{Memo, Memos};
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
    let mut buckets: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, rule) in rules.compiled.iter().enumerate().filter(|(_, rule)| rule.scope == Scope::Resource) {
        for type_name in rule.types {
            buckets.entry(type_name.as_ref()).or_default().push(index);
        }
    }
    let nodes: Vec<NodeId> =
        facts.graph.graph.node_indices().filter(|&node| facts.is_subject(node)).collect();
    let subjects = |type_name: &str| -> Vec<NodeId> {
        let of_type = facts.graph.by_type(type_name).iter().copied();
        of_type.filter(|&node| facts.is_subject(node)).collect()
    };
    let asked: Vec<_> = buckets.iter().map(|(name, bucket)| (*name, bucket, subjects(name))).collect();
    let chunks = rayon::current_num_threads() * CHUNKS_OF_THREAD;
    let size = nodes.len().div_ceil(chunks).clamp(1, MAX_CHUNK);
    let chunks: Vec<_> = asked
        .iter()
        .flat_map(|(name, bucket, nodes)| nodes.chunks(size).map(move |chunk| (*name, *bucket, chunk)))
        .collect();
    let passed: Vec<AtomicUsize> = rules.compiled.iter().map(|_| AtomicUsize::new(0)).collect();
    let memos = Memos::new();
    let ask = |bucket: &[usize], chunk: &[NodeId], memo: &mut Memo| -> Vec<Box<Result>> {
        let (mut results, mut pass) = (Vec::new(), vec![0; bucket.len()]);
        for &node in chunk {
            memo.turn();
            let scope = ConditionScope::new(facts, node);
            for (&rule, pass) in bucket.iter().zip(&mut pass) {
                let Some(result) = ask_remembering(rules, rule, &scope, keep_pass, Some(memo)) else {
                    continue;
                };
                let passes = result.verdict == Verdict::Pass;
                *pass += usize::from(passes);
                if keep_pass || !passes {
                    results.push(Box::new(result));
                }
            }
        }
        for (&rule, count) in bucket.iter().zip(pass) {
            if let Some(all) = passed.get(rule) {
                all.fetch_add(count, Ordering::Relaxed);
            }
        }
        results
    };
    let evaluations = chunks.iter().map(|(_, bucket, chunk)| bucket.len() * chunk.len()).sum();
    let mut results: Vec<Box<Result>> = chunks
        .par_iter()
        .flat_map_iter(|&(name, bucket, chunk)| memos.with(|memos| ask(bucket, chunk, memos.of(name))))
        .collect();
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
    Answers { results, passed, evaluations, provided }
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
