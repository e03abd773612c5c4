//! Findings of results: instances of one block that fare alike are one.

use rayon::prelude::*;

use super::display::shown;
use super::{Actual, Result, Rules, pinpoint, via};
use crate::facts::Facts;
use crate::finding::{Finding, Subject, Via};
use crate::graph::NodeId;
use crate::rules::CompiledRule;
use crate::source::Site;

/// Instances of one block that fare alike become one finding, told with whether it is left out.
pub(super) fn group(facts: &Facts<'_>, rules: &Rules<'_>, results: Vec<Box<Result>>) -> Vec<(bool, Finding)> {
    let mut by_rule: Vec<Vec<Box<Result>>> = rules.compiled.iter().map(|_| Vec::new()).collect();
    for result in results {
        if let Some(of_rule) = by_rule.get_mut(result.rule) {
            of_rule.push(result);
        }
    }
    let grouped = |(rule, results)| group_of_rule(facts, rules, rule, results);
    rules.compiled.par_iter().zip(by_rule).flat_map_iter(grouped).collect()
}

/// [`group`] of the results of one rule.
fn group_of_rule(
    facts: &Facts<'_>,
    rules: &Rules<'_>,
    rule: &CompiledRule<'_>,
    mut results: Vec<Box<Result>>,
) -> Vec<(bool, Finding)> {
    let block = |node| facts.graph.resource(node).map(|resource| &resource.block);
    let key = |result: &Result| {
        let is = (result.drift, result.left_out, result.from_source);
        (result.verdict, block(result.node), result.state, is)
    };
    results.sort_by(|a, b| {
        let text = || {
            let severity = || a.severity.cmp(&b.severity);
            a.message.cmp(&b.message).then_with(|| a.causes.cmp(&b.causes)).then_with(severity)
        };
        key(a).cmp(&key(b)).then_with(text)
    });
    let mut findings: Vec<(bool, Finding)> = Vec::new();
    let (mut last, mut part) = (None, None);
    for mut result in results {
        let key = key(&result);
        match findings.last_mut() {
            Some((_, finding))
                if last == Some(key)
                    && finding.message == result.message
                    && finding.causes == result.causes
                    && (finding.severity, &finding.moved) == (result.severity.0, &result.severity.1) =>
            {
                // Instances of a block share its place in source; in JSON each has its own, and the first stands for all.
                if facts.graph.calls.is_empty() {
                    finding.site = finding.site.min(result.site);
                }
                let via = pinpoint::way(facts, part.as_deref(), result.node)
                    .map_or(result.via, |way| via(&way, None));
                finding.resources.extend(subject(facts, result.node, via));
            }
            _ => {
                part = pinpoint::apply(facts, rules, rule, &mut result);
                let subject = subject(facts, result.node, result.via);
                let (site, related) = around_calls(facts, result.node, result.site, result.related);
                let finding = Finding {
                    rule: result.rule,
                    verdict: result.verdict,
                    severity: result.severity.0,
                    moved: result.severity.1,
                    message: result.message.into(),
                    resources: subject.into_iter().collect(),
                    site,
                    related,
                    actual: result.actual.and_then(|actual| actual.told(facts, rule, result.node)),
                    grant: result.grant,
                    causes: result.causes,
                    state: result.state,
                    drift: result.drift,
                    from_source: result.from_source,
                };
                findings.push((result.left_out, finding));
            }
        }
        last = Some(key);
    }
    for (_, finding) in &mut findings {
        // They come in runs, which the other sort does not look for.
        finding.resources.sort();
    }
    findings
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

fn subject(facts: &Facts<'_>, node: NodeId, via: Vec<Via>) -> Option<Subject> {
    let resource = facts.graph.resource(node)?;
    Some(Subject {
        address: resource.address.clone(),
        moved_from: facts.graph.moved.get(&resource.address).cloned(),
        unit: None,
        type_name: resource.native_type.clone().unwrap_or_else(|| resource.type_name.clone()),
        path: facts.scope().path(facts.graph, node),
        via,
    })
}

impl Actual {
    /// It in words, of a resource that the rule is about.
    fn told(self, facts: &Facts<'_>, rule: &CompiledRule<'_>, node: NodeId) -> Option<String> {
        match self {
            Self::Told(text) => Some(text),
            Self::Value => facts.graph.resource(node)?.after.as_ref()?.at_path(rule.at?).map(shown),
        }
    }
}
