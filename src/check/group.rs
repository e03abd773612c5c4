//! Findings of results: instances of one block that fare alike are one, also where why they do names what is beside each.

use std::hash::BuildHasher as _;

use foldhash::HashMap;
use rayon::prelude::*;

use super::results::Results;
use super::words::{self, Words};
use super::{Causes, Result, Rules, pinpoint, via};
use crate::facts::Facts;
use crate::finding::{Finding, Subject};
use crate::graph::NodeId;
use crate::rules::CompiledRule;
use crate::source::Site;

/// Instances of one block that fare alike become one finding, told with whether it is left out.
pub(super) fn group(facts: &Facts<'_>, rules: &Rules<'_>, results: Results) -> Vec<(bool, Finding)> {
    let grouped = rules.compiled.par_iter().zip(results.by_rule()).with_max_len(1);
    let groups: Vec<_> = grouped
        .flat_map_iter(|(rule, of_rule)| groups(facts, of_rule).into_iter().map(move |it| (rule, it)))
        .collect();
    // One rule may make many findings.
    groups.into_par_iter().map(|(rule, group)| group.finding(facts, rules, rule)).collect()
}

/// Results that are one finding.
struct Group {
    /// It stands for all.
    first: Box<Result>,
    /// [`beside`] of it.
    beside: Causes,
    others: Vec<Box<Result>>,
}

impl Group {
    /// Whether a result of the same block is one of it.
    fn holds(&self, result: &Result, beside: &Causes) -> bool {
        let first = &self.first;
        first.verdict == result.verdict
            && first.state == result.state
            && (first.drift, first.left_out, first.from_source)
                == (result.drift, result.left_out, result.from_source)
            && first.severity == result.severity
            && first.message == result.message
            && (first.causes == result.causes || self.beside == *beside)
    }

    /// The finding, with whether it is left out.
    fn finding(self, facts: &Facts<'_>, rules: &Rules<'_>, rule: &CompiledRule<'_>) -> (bool, Finding) {
        let Self { mut first, others, .. } = self;
        let mut words = words::take(facts, rules, &mut first);
        let part = pinpoint::apply(facts, rules, rule, &mut first, &mut words);
        let left_out = first.left_out;
        let mut finding = finding(facts, *first, words);
        finding.resources.reserve(others.len());
        for other in others {
            // Instances of a block share its place in source; in JSON each has its own, and the first stands for all.
            if facts.graph.calls.is_empty() {
                finding.site = finding.site.min(other.site);
            }
            let way = pinpoint::way(facts, part.as_deref(), other.node);
            finding.resources.extend(other.subject.map(|subject| match way {
                Some(way) => Subject { via: via(&way, None), ..subject },
                None => subject,
            }));
        }
        // They come in runs, which the other sort does not look for.
        finding.resources.sort();
        (left_out, finding)
    }
}

/// The groups of the instances of one block.
#[derive(Default)]
struct OfBlock {
    /// The one that the last instance is of: nearly always the next one's too.
    last: Option<usize>,
    /// By the digest of what is told: instances of one block may each be told something else.
    by_digest: HashMap<u64, Vec<usize>>,
}

impl OfBlock {
    /// The group that a result is of, if there is one.
    fn group<'g>(
        &mut self,
        groups: &'g mut [Group],
        result: &Result,
        beside: &Causes,
    ) -> Option<&'g mut Group> {
        let holds = |&at: &usize| groups.get(at).is_some_and(|group| group.holds(result, beside));
        if !self.last.as_ref().is_some_and(holds) {
            let digest = self.digest(result, beside);
            self.last = self.by_digest.get(&digest)?.iter().copied().find(holds);
        }
        groups.get_mut(self.last?)
    }

    /// A new group.
    fn add(&mut self, at: usize, group: &Group) {
        let digest = self.digest(&group.first, &group.beside);
        self.by_digest.entry(digest).or_default().push(at);
        self.last = Some(at);
    }

    fn digest(&self, result: &Result, beside: &Causes) -> u64 {
        self.by_digest.hasher().hash_one((&result.message, beside))
    }
}

/// The causes without the keys of the instances that a resource is one of or in: `module.team["a"].data.x.y` is to
/// `module.team["a"].x.z` what `module.team["b"].data.x.y` is to `module.team["b"].x.z`.
fn beside(facts: &Facts<'_>, result: &Result) -> Causes {
    let causes = result.causes.as_ref().filter(|causes| causes.iter().any(|cause| cause.contains("[\"")));
    let resource = causes.and_then(|_| facts.graph.resource(result.node));
    let (Some(causes), Some(resource)) = (causes, resource) else { return result.causes.clone() };
    let keys = || resource.address.split("[\"").skip(1).filter_map(|rest| rest.split_once("\"]"));
    let without = |cause: &String| {
        keys().fold(cause.clone(), |cause, (key, _)| cause.replace(&["[\"", key, "\"]"].concat(), "[]"))
    };
    Some(causes.iter().map(without).collect())
}

/// The groups of the results of one rule.
fn groups(facts: &Facts<'_>, results: Vec<Box<Result>>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut of_blocks: HashMap<Option<NodeId>, OfBlock> = HashMap::default();
    for result in results {
        let of_block = of_blocks.entry(facts.graph.first_of_block(result.node)).or_default();
        let beside = beside(facts, &result);
        if let Some(group) = of_block.group(&mut groups, &result, &beside) {
            group.others.push(result);
        } else {
            let group = Group { first: result, beside, others: Vec::new() };
            of_block.add(groups.len(), &group);
            groups.push(group);
        }
    }
    groups
}

/// The finding of a result.
fn finding(facts: &Facts<'_>, result: Result, words: Words) -> Finding {
    let (site, related) = around_calls(facts, result.node, result.site, words.related);
    Finding {
        rule: result.rule,
        verdict: result.verdict,
        severity: result.severity.0,
        moved: result.severity.1,
        message: result.message.into(),
        resources: result.subject.into_iter().collect(),
        site,
        related,
        actual: words.actual,
        grant: words.grant,
        causes: result.causes.as_deref().unwrap_or_default().to_vec(),
        state: result.state,
        drift: result.drift,
        from_source: result.from_source,
    }
}

/// The place of a finding and those that explain it, with the calls of the module that the resource is in. What is wrong in a
/// module that was installed is told at the call that brings it in: that is what its user can change.
fn around_calls(
    facts: &Facts<'_>,
    node: NodeId,
    site: Option<Site>,
    mut related: Vec<(Site, String)>,
) -> (Option<Site>, Vec<(Site, String)>) {
    let calls = facts.graph.resource(node).map(|resource| facts.graph.calls_of(resource)).unwrap_or_default();
    let outermost = calls.iter().rfind(|(_, call)| call.installed).map(|(_, call)| call.site);
    if let (Some(inner), Some(_)) = (site, outermost) {
        let label = if Some(inner.file) == facts.graph.document {
            "in the plan: the module is not installed here"
        } else {
            "in the module, which was installed"
        };
        related.insert(0, (inner, label.to_owned()));
    }
    let others = calls.into_iter().filter(|(_, call)| Some(call.site) != outermost);
    related.extend(others.map(|(path, call)| (call.site, format!("`{path}` is called here"))));
    (outermost.or(site), related)
}
