//! Every rule of every resource that it is about: type by type, the resources in chunks that are asked in parallel.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::ask::{ask_rule, decide_rule, tell};
use super::memo::{Memo, Memos, OfTypes, Outcome};
use super::{Result, Rules, absence};
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
    let is_of = |index: usize, scope| rules.compiled.get(index).is_some_and(|rule| rule.scope == scope);
    let is_each = |index: usize| is_of(index, Scope::Resource) || is_of(index, Scope::Provider);
    let memos = Memos::new(rules);
    let mut buckets: Vec<Vec<usize>> = memos.types().iter().map(|_| Vec::new()).collect();
    for (index, rule) in rules.compiled.iter().enumerate().filter(|(index, _)| is_each(*index)) {
        for type_name in rule.types {
            if let Some(bucket) = memos.number(type_name).and_then(|number| buckets.get_mut(number)) {
                bucket.push(index);
            }
        }
    }
    let asked = asked(facts, memos.types(), &buckets);
    let chunks = rayon::current_num_threads() * CHUNKS_OF_THREAD;
    let size = asked.len().div_ceil(chunks).clamp(1, MAX_CHUNK);
    let passed: Vec<AtomicUsize> = rules.compiled.iter().map(|_| AtomicUsize::new(0)).collect();
    let ask = |chunk: &[(NodeId, usize)], memos: &mut OfTypes| -> Vec<Box<Result>> {
        let mut told = Told { rules, keep_pass, results: Vec::new(), passed: vec![0; rules.compiled.len()] };
        for &(node, number) in chunk {
            let (Some(memo), Some(bucket)) = (memos.of(number), buckets.get(number)) else { continue };
            memo.turn();
            let scope = ConditionScope::new(facts, node);
            if let Some(outcome) = memo.outcome(&scope).filter(|_| !keep_pass) {
                told.by_outcome(&outcome, &scope, memo);
                continue;
            }
            for &rule in bucket {
                told.by_rule(rule, &scope, memo);
            }
            memo.learn(rules, bucket, &scope);
        }
        for (all, count) in passed.iter().zip(told.passed) {
            if count > 0 {
                all.fetch_add(count, Ordering::Relaxed);
            }
        }
        told.results
    };
    let told: Vec<Box<Result>> =
        asked.par_chunks(size).flat_map_iter(|chunk| memos.with(|memos| ask(chunk, memos))).collect();
    let of_resource =
        |bucket: &Vec<usize>| bucket.iter().filter(|&&rule| is_of(rule, Scope::Resource)).count();
    let counts: Vec<usize> = buckets.iter().map(of_resource).collect();
    let evaluations = asked.iter().filter_map(|(_, number)| counts.get(*number)).sum();
    let (of_accounts, mut results): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|result| is_of(result.rule, Scope::Provider));
    let of_resources = passed.into_iter().map(AtomicUsize::into_inner).enumerate();
    let mut passed: Vec<usize> =
        of_resources.map(|(index, passed)| if is_of(index, Scope::Provider) { 0 } else { passed }).collect();
    debug_assert!(
        same_as_naive(facts, rules, &results, keep_pass, passed.iter().sum()),
        "buckets lose or add results"
    );
    // There are few of them, and what passed before the change is asked for after it.
    let (absences, provided) = absence::ask(facts, rules, &memos, of_accounts);
    for absence in absences.iter().filter(|result| result.verdict == Verdict::Pass) {
        if let Some(count) = passed.get_mut(absence.rule) {
            *count += 1;
        }
    }
    results.extend(absences);
    Answers { results, passed, evaluations, provided }
}

/// The resources that rules are asked of, type by type, each with the number of its type.
fn asked(facts: &Facts<'_>, types: &[&str], buckets: &[Vec<usize>]) -> Vec<(NodeId, usize)> {
    let numbered = types.iter().zip(buckets).enumerate().filter(|(_, (_, bucket))| !bucket.is_empty());
    let of_type = |(number, (type_name, _)): (usize, (&&str, _))| {
        let of_type = facts.graph.by_type(type_name).iter();
        of_type.filter(|&&node| facts.is_subject(node)).map(move |&node| (node, number))
    };
    numbered.flat_map(of_type).collect()
}

/// What the rules of a type say of its resources.
struct Told<'r> {
    rules: &'r Rules<'r>,
    keep_pass: bool,
    results: Vec<Box<Result>>,
    /// How many pass, of each rule.
    passed: Vec<usize>,
}

impl Told<'_> {
    /// What all rules say, as it is remembered.
    fn by_outcome(&mut self, outcome: &Outcome, scope: &ConditionScope<'_, '_>, memo: &mut Memo) {
        for &rule in &outcome.passed {
            self.pass(rule);
        }
        for (rule, remembered) in &outcome.told {
            match memo.told(remembered) {
                Some(decision) => self
                    .results
                    .extend(tell(self.rules, *rule, scope, decision.into(), Some(memo)).map(Box::new)),
                None => self.by_rule(*rule, scope, memo),
            }
        }
        for &rule in &outcome.open {
            self.by_rule(rule, scope, memo);
        }
    }

    /// What one rule says.
    fn by_rule(&mut self, rule: usize, scope: &ConditionScope<'_, '_>, memo: &mut Memo) {
        let Some(decided) = decide_rule(self.rules, rule, scope, Some(memo)) else { return };
        let passes = decided.verdict() == Verdict::Pass;
        if passes {
            self.pass(rule);
        }
        if self.keep_pass || !passes {
            self.results.extend(tell(self.rules, rule, scope, decided, Some(memo)).map(Box::new));
        }
    }

    fn pass(&mut self, rule: usize) {
        if let Some(count) = self.passed.get_mut(rule) {
            *count += 1;
        }
    }
}

/// The naive way: every rule, every resource, nothing remembered.
fn same_as_naive(
    facts: &Facts<'_>,
    rules: &Rules<'_>,
    results: &[Box<Result>],
    keep_pass: bool,
    passed: usize,
) -> bool {
    let (mut naive, mut naive_passed) = (0, 0);
    let nodes = || facts.graph.graph.node_indices().filter(|&node| facts.is_subject(node));
    let told: BTreeMap<_, _> = results.iter().map(|result| ((result.rule, result.node), result)).collect();
    for (index, rule) in rules.compiled.iter().enumerate().filter(|(_, rule)| rule.scope == Scope::Resource) {
        for node in nodes() {
            let applies = facts
                .graph
                .resource(node)
                .is_some_and(|r| rule.types.iter().any(|t| t == r.type_name.as_str()));
            if let Some(expected) = applies.then(|| ask_rule(facts, rules, index, node)).flatten() {
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
