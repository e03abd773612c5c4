//! Every rule of every resource that it is about: type by type, the resources in chunks that are asked in parallel.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::absence::Broken;
use super::ask::{Decision, ask_rule, decide_rule, tell};
use super::memo::{Memo, Memos, OfTypes, Outcome};
use super::places::{self, Gathered};
use super::results::Results;
use super::{Result, Rules, absence, ahead};
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
    pub(super) results: Results,
    pub(super) passed: Vec<usize>,
    pub(super) evaluations: usize,
    pub(super) provided: Vec<Provided>,
}

/// What is told of what rules come to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Tell {
    /// All, also what passes.
    All,
    /// What does not pass.
    Open,
    /// Which do not pass, and not a word of why. What rules of accounts and regions say is told all the same: it is little.
    Verdicts,
}

/// Asks all rules of one graph.
pub(super) fn ask_all(facts: &Facts<'_>, rules: &Rules<'_>, what: Tell) -> Answers {
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
    let are_placed = places::are_wanted(rules, memos.types());
    let wanted = |number: usize| {
        are_placed.get(number) == Some(&true) || buckets.get(number).is_some_and(|it| !it.is_empty())
    };
    let asked = asked(facts, memos.types(), wanted);
    let of_resource =
        |bucket: &Vec<usize>| bucket.iter().filter(|&&rule| is_of(rule, Scope::Resource)).count();
    let counts: Vec<usize> = buckets.iter().map(of_resource).collect();
    let chunks = rayon::current_num_threads() * CHUNKS_OF_THREAD;
    let size = asked.len().div_ceil(chunks).clamp(1, MAX_CHUNK);
    let ask = |chunk: &[(NodeId, usize)], memos: &mut OfTypes| {
        let mut told = Told::new(rules, what);
        for batch in chunk.chunks(ahead::BATCH) {
            ahead::read(facts.graph, batch.iter().map(|(node, _)| *node));
            for &(node, number) in batch.iter().filter(|(node, _)| facts.is_subject(*node)) {
                let (Some(memo), Some(bucket)) = (memos.of(number), buckets.get(number)) else { continue };
                if are_placed.get(number) == Some(&true) {
                    told.places.add(facts, number, node);
                }
                told.asked += counts.get(number).copied().unwrap_or_default();
                told.of_resource(bucket, &ConditionScope::new(facts, node), memo);
            }
        }
        told
    };
    let told: Vec<Told<'_>> =
        asked.par_chunks(size).map(|chunk| memos.with(|memos| ask(chunk, memos))).collect();
    let (mut results, mut passed, mut evaluations) = (Results::new(rules), vec![0; rules.compiled.len()], 0);
    let mut broken: Vec<Vec<Broken>> = rules.compiled.iter().map(|_| Vec::new()).collect();
    let mut places = Vec::with_capacity(told.len());
    for of_chunk in told {
        places.push(of_chunk.places);
        evaluations += of_chunk.asked;
        for (all, count) in passed.iter_mut().zip(of_chunk.passed) {
            *all += count;
        }
        for (rule, result) in of_chunk.results {
            results.push(rule, result);
        }
        for (rule, one) in of_chunk.broken {
            if let Some(of_rule) = broken.get_mut(rule) {
                of_rule.push(one);
            }
        }
    }
    // Those of accounts pass once.
    for (_, count) in passed.iter_mut().enumerate().filter(|(index, _)| is_of(*index, Scope::Provider)) {
        *count = 0;
    }
    debug_assert!(
        same_as_naive(facts, rules, &results, what, passed.iter().sum()),
        "buckets lose or add results"
    );
    // There are few of them, and what passed before the change is asked for after it.
    let places = Gathered::join(facts, memos.types(), places);
    let (absences, provided) = absence::ask(facts, rules, &memos, &places, &broken);
    for absence in absences.iter().filter(|result| result.verdict == Verdict::Pass) {
        if let Some(count) = passed.get_mut(absence.rule) {
            *count += 1;
        }
    }
    results.extend(absences);
    Answers { results, passed, evaluations, provided }
}

/// The resources of the types that are wanted, type by type, each with the number of its type.
fn asked(facts: &Facts<'_>, types: &[&str], wanted: impl Fn(usize) -> bool) -> Vec<(NodeId, usize)> {
    let numbered = types.iter().enumerate().filter(|(number, _)| wanted(*number));
    let of_type = |(number, type_name): (usize, &&str)| {
        facts.graph.by_type(type_name).iter().map(move |&node| (node, number))
    };
    numbered.flat_map(of_type).collect()
}

/// What the rules of a type say of its resources.
struct Told<'r> {
    rules: &'r Rules<'r>,
    what: Tell,
    /// Each with its rule.
    results: Vec<(usize, Box<Result>)>,
    /// Of rules of accounts it is only told which resources do not pass: each with its rule.
    broken: Vec<(usize, Broken)>,
    /// How many pass, of each rule.
    passed: Vec<usize>,
    /// What rules about absence are asked of.
    places: Gathered,
    /// Rule and resource pairs that were asked, but for rules of accounts.
    asked: usize,
}

impl<'r> Told<'r> {
    /// Nothing yet.
    fn new(rules: &'r Rules<'r>, what: Tell) -> Self {
        let passed = vec![0; rules.compiled.len()];
        Self {
            rules,
            what,
            results: Vec::new(),
            broken: Vec::new(),
            passed,
            places: Gathered::default(),
            asked: 0,
        }
    }

    /// What the rules of its type say of a resource.
    fn of_resource(&mut self, of_type: &[usize], scope: &ConditionScope<'_, '_>, memo: &mut Memo) {
        memo.turn();
        if let Some(outcome) = memo.outcome(scope).filter(|_| self.what != Tell::All) {
            return self.by_outcome(&outcome, scope, memo);
        }
        for &rule in of_type {
            self.by_rule(rule, scope, memo);
        }
        memo.learn(self.rules, of_type, scope);
    }

    /// What all rules say, as it is remembered.
    fn by_outcome(&mut self, outcome: &Outcome, scope: &ConditionScope<'_, '_>, memo: &mut Memo) {
        for &rule in &outcome.passed {
            self.pass(rule);
        }
        for (rule, remembered) in &outcome.told {
            match memo.told(remembered) {
                Some(decision) => self.tell(*rule, scope, decision, memo),
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
        if self.what == Tell::All || !passes {
            self.tell(rule, scope, decided, memo);
        }
    }

    fn tell(&mut self, rule: usize, scope: &ConditionScope<'_, '_>, decided: Decision, memo: &mut Memo) {
        if self.rules.compiled.get(rule).is_some_and(|it| it.scope == Scope::Provider) {
            let broken = Broken::new(scope.facts, scope.node, decided.verdict());
            return self.broken.extend(broken.map(|broken| (rule, broken)));
        }
        let told = match self.what {
            Tell::Verdicts => Some(Result::of_verdict(rule, scope.node, decided.verdict())),
            Tell::All | Tell::Open => tell(self.rules, rule, scope, decided, Some(memo)),
        };
        self.results.extend(told.map(|result| (rule, Box::new(result))));
    }

    fn pass(&mut self, rule: usize) {
        if let Some(count) = self.passed.get_mut(rule) {
            *count += 1;
        }
    }
}

/// The naive way: every rule, every resource, nothing remembered.
fn same_as_naive(facts: &Facts<'_>, rules: &Rules<'_>, results: &Results, what: Tell, passed: usize) -> bool {
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
                if expected.verdict == Verdict::Pass && what != Tell::All {
                    continue;
                }
                let expected = match what {
                    Tell::Verdicts => Result::of_verdict(index, node, expected.verdict),
                    Tell::All | Tell::Open => expected,
                };
                naive += 1;
                if told.get(&(index, node)) != Some(&&expected) {
                    return false;
                }
            }
        }
    }
    naive == told.len() && naive_passed == passed
}
