//! Findings of results: instances of one block that fare alike are one, also where why they do names what is beside each.

use std::hash::BuildHasher as _;

use foldhash::HashMap;
use rayon::prelude::*;
use smol_str::SmolStr;

use super::results::Results;
use super::words::{self, Words};
use super::{Causes, Result, Rules, pinpoint, via};
use crate::facts::Facts;
use crate::finding::Finding;
use crate::graph::NodeId;
use crate::rules::CompiledRule;
use crate::source::Site;

/// Instances of one block that fare alike become one finding, told with whether it is left out.
pub(super) fn group(facts: &Facts<'_>, rules: &Rules<'_>, results: Results) -> Vec<(bool, Finding)> {
    let grouped = |(rule, results)| group_of_rule(facts, rules, rule, results);
    rules.compiled.par_iter().zip(results.by_rule()).with_max_len(1).flat_map_iter(grouped).collect()
}

/// A finding, with whether it is left out and the part of the attribute that decides.
struct Group {
    finding: Finding,
    /// Of the finding, as its results share them: most often to be compared is to be the same.
    message: SmolStr,
    causes: Causes,
    /// [`beside`]
    beside: Causes,
    left_out: bool,
    part: Option<String>,
}

impl Group {
    /// Whether a result of the same block is one of it.
    fn holds(&self, result: &Result, beside: &Causes) -> bool {
        let Self { finding, left_out, message, causes, .. } = self;
        finding.verdict == result.verdict
            && finding.state == result.state
            && (finding.drift, *left_out, finding.from_source)
                == (result.drift, result.left_out, result.from_source)
            && (finding.severity, &finding.moved) == (result.severity.0, &result.severity.1)
            && *message == result.message
            && (*causes == result.causes || self.beside == *beside)
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
            let digest = self.digest(&result.message, beside);
            self.last = self.by_digest.get(&digest)?.iter().copied().find(holds);
        }
        groups.get_mut(self.last?)
    }

    /// A new group.
    fn add(&mut self, at: usize, group: &Group) {
        self.by_digest.entry(self.digest(&group.message, &group.beside)).or_default().push(at);
        self.last = Some(at);
    }

    fn digest(&self, message: &SmolStr, beside: &Causes) -> u64 {
        self.by_digest.hasher().hash_one((message, beside))
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

/// [`group`] of the results of one rule.
fn group_of_rule(
    facts: &Facts<'_>,
    rules: &Rules<'_>,
    rule: &CompiledRule<'_>,
    results: Vec<Box<Result>>,
) -> Vec<(bool, Finding)> {
    let mut groups: Vec<Group> = Vec::new();
    let mut of_blocks: HashMap<Option<NodeId>, OfBlock> = HashMap::default();
    for mut result in results {
        let of_block = of_blocks.entry(facts.graph.first_of_block(result.node)).or_default();
        let beside = beside(facts, &result);
        if let Some(Group { finding, part, .. }) = of_block.group(&mut groups, &result, &beside) {
            // Instances of a block share its place in source; in JSON each has its own, and the first stands for all.
            if facts.graph.calls.is_empty() {
                finding.site = finding.site.min(result.site);
            }
            let mut subject = result.subject.take();
            let way = pinpoint::way(facts, part.as_deref(), result.node);
            if let (Some(subject), Some(way)) = (&mut subject, way) {
                subject.via = via(&way, None);
            }
            finding.resources.extend(subject);
        } else {
            let (left_out, message, causes) =
                (result.left_out, result.message.clone(), result.causes.clone());
            let mut words = words::take(facts, rules, &mut result);
            let part = pinpoint::apply(facts, rules, rule, &mut result, &mut words);
            let finding = finding(facts, *result, words);
            let group = Group { finding, message, causes, beside, left_out, part };
            of_block.add(groups.len(), &group);
            groups.push(group);
        }
    }
    let sorted = |mut group: Group| {
        // They come in runs, which the other sort does not look for.
        group.finding.resources.sort();
        (group.left_out, group.finding)
    };
    groups.into_iter().map(sorted).collect()
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
