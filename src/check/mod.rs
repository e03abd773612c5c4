//! Rules against resources: type by type its rules and its resources, these in parallel chunks, each of which is read ahead
//! (`ahead`); then what rules say, rule by rule (`results`), becomes findings (`group`).
//!
//! Where the input tells what was before, the same is asked of that, and `change` says what became of it.
//!
//! A debug build checks that the result of `all` is the one that asking every rule of every resource gives.

mod absence;
mod ahead;
mod all;
mod ask;
mod callers;
mod change;
mod display;
mod group;
mod memo;
mod pinpoint;
mod places;
mod removal;
mod results;
mod rules;
mod source;
mod wanted;
mod words;

use std::sync::Arc;

use smol_str::SmolStr;

use all::{Answers, Tell, ask_all};
pub use change::{Asked, Earlier};
pub use display::display;
use group::group;
use results::Results;
pub use rules::{Rules, vocabulary};
pub use wanted::Wanted;
use words::Words;

use crate::facts::Facts;
use crate::facts::iam::callers::Place;
use crate::finding::{Finding, Provided, Severity, State, Subject, Verdict, Via};
use crate::graph::NodeId;
use crate::source::Site;
use crate::value::Step;

/// The result of checking one graph.
#[derive(Debug, Default)]
pub struct Checked {
    /// Findings, of instances of one block that fare alike one; unsorted.
    pub findings: Vec<Finding>,
    /// Resources that pass, of each rule by its index.
    pub passed: Vec<usize>,
    /// Rule and resource pairs that were asked.
    pub evaluations: usize,
    /// Findings that failed before the change and are no more.
    pub resolved: Vec<Finding>,
    /// What the configuration declares to be provided elsewhere.
    pub provided: Vec<Provided>,
    /// Findings that were left out because the change does not touch them.
    pub left_out: usize,
}

/// Why something cannot be told, if that is so: many results share it.
type Causes = Option<Arc<[String]>>;

/// What one rule says of one resource.
#[derive(Clone, Debug, PartialEq)]
struct Result {
    rule: usize,
    node: NodeId,
    verdict: Verdict,
    message: SmolStr,
    site: Option<Site>,
    /// Where what decides was written.
    decided_at: Option<Site>,
    causes: Causes,
    /// Its resource, as findings tell it; [`None`] where only the verdict is asked for.
    subject: Option<Subject>,
    /// [`None`] as long as nobody asked for them: of resources that fare alike, those of the first are told.
    words: Option<Box<Words>>,
    /// The account and region that it stands for: of rules about absence.
    place: Option<Place>,
    /// What the change does to it.
    state: Option<State>,
    /// It failed before because somebody changed something outside of the tool.
    drift: bool,
    /// It is not asked for.
    left_out: bool,
    /// The plan alone does not tell it.
    from_source: bool,
    /// How severe it is of this resource, and what moved it there.
    severity: (Severity, Option<SmolStr>),
}

impl Result {
    /// That a rule comes to this of a resource, and no more.
    const fn of_verdict(rule: usize, node: NodeId, verdict: Verdict) -> Self {
        Self {
            rule,
            node,
            verdict,
            message: SmolStr::new_static(""),
            site: None,
            decided_at: None,
            causes: None,
            subject: None,
            words: None,
            place: None,
            state: None,
            drift: false,
            left_out: false,
            from_source: false,
            severity: (Severity::Low, None),
        }
    }
}

/// Asks every rule of every resource that it is about and that is in scope.
/// `untold` are the facts without what only the source of a plan tells, if there is such; `stored` those of the state before it
/// was refreshed, where that is another one than `earlier`.
pub fn check(
    facts: &Facts<'_>,
    earlier: Earlier<'_, '_>,
    untold: Option<&Facts<'_>>,
    stored: Option<&Facts<'_>>,
    rules: &Rules<'_>,
    asked: Asked,
) -> Checked {
    let Answers { mut results, mut passed, mut evaluations, provided } =
        ask_all(facts, rules, if asked.keep_pass { Tell::All } else { Tell::Open });
    if let Some(untold) = untold {
        source::mark(facts, &mut results, untold, rules);
    }
    let (mut resolved, mut removed) = (Vec::new(), Vec::new());
    match earlier {
        Earlier::Untold => absence::soften(facts.config, rules, &mut results, None),
        Earlier::Same => {
            change::unchanged(&mut results);
            if let Some(stored) = stored {
                evaluations += change::mark_drift(facts, &mut results, stored, rules);
            }
            absence::soften(facts.config, rules, &mut results, None);
        }
        Earlier::Other(before) => {
            let mut was = ask_all(before, rules, Tell::Verdicts);
            if let Some(stored) = stored {
                evaluations += change::mark_drift(before, &mut was.results, stored, rules);
            }
            evaluations += was.evaluations;
            absence::soften(facts.config, rules, &mut was.results, None);
            absence::soften(facts.config, rules, &mut results, Some(&was.results));
            let mut gone = change::compare(facts, &mut results, before, was.results, rules);
            change::tell(before, rules, &mut gone);
            resolved = group(before, rules, gone);
            let mut removals = removal::ask(facts, before, rules);
            evaluations += removals.len();
            for removal in removals.iter().filter(|result| result.verdict == Verdict::Pass) {
                if let Some(count) = passed.get_mut(removal.rule) {
                    *count += 1;
                }
            }
            removals.retain(|result| asked.keep_pass || result.verdict != Verdict::Pass);
            let mut of_rules = Results::new(rules);
            of_rules.extend(removals);
            removed = group(before, rules, of_rules);
        }
    }
    if !asked.keep_pass {
        results.retain(|result| result.verdict != Verdict::Pass);
    }
    if asked.changed_only && !matches!(earlier, Earlier::Untold) {
        change::leave_out(facts, &mut results);
    }
    removed.extend(group(facts, rules, results));
    let (left_out, findings) = removed.into_iter().partition::<Vec<_>, _>(|(out, _)| *out);
    let of_set = |(_, finding): (bool, Finding)| Finding { rule: rules.index(finding.rule), ..finding };
    let mut all_passed = vec![0; rules.count];
    for (rule, passed) in rules.compiled.iter().zip(passed) {
        if let Some(count) = all_passed.get_mut(rule.index) {
            *count = passed;
        }
    }
    let provided = provided.into_iter().map(|it| Provided { rule: rules.index(it.rule), ..it });
    Checked {
        findings: findings.into_iter().map(of_set).collect(),
        passed: all_passed,
        evaluations,
        resolved: resolved.into_iter().map(of_set).collect(),
        provided: provided.collect(),
        left_out: left_out.len(),
    }
}

/// The way as findings tell it. The last step is told by the place of the value itself, where that is a part of it.
fn via(way: &Step, decided_at: Option<Site>) -> Vec<Via> {
    let mut via: Vec<Via> =
        way.chain().map(|step| Via { what: step.what.clone(), site: step.site }).collect();
    if let (Some(last), Some(origin)) = (via.last_mut(), decided_at)
        && covers(Some(last.site), origin)
    {
        last.site = origin;
    }
    via
}

fn covers(site: Option<Site>, other: Site) -> bool {
    site.is_some_and(|site| {
        site.file == other.file && site.span.start <= other.span.start && other.span.end <= site.span.end
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;
    use crate::source::Span;

    #[test]
    fn a_finding_in_a_plan_points_at_the_attribute() {
        let plan = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bedrock-agent/plan.json");
        let text = std::fs::read_to_string(&plan).unwrap();
        let report = crate::analyze(&[plan], &Options::default()).unwrap();
        let is_it = |finding: &&Finding| report.rules[finding.rule].id == "AWS-BED-LOG-002";
        let site = report.findings.iter().find(is_it).and_then(|finding| finding.site).unwrap();
        let span = site.span.start as usize..site.span.end as usize;
        assert_eq!(text.get(span), Some("\"text_data_delivery_enabled\""));
        assert_eq!(report.sources.text(site.file), "", "the plan is not held any longer than it is read");
    }

    #[test]
    fn an_origin_elsewhere_is_no_place_of_the_resource() {
        let file = crate::source::Sources::default().add("a", "");
        let at = |start| Span::new(start, start + 5).at(file);
        assert!(covers(Some(at(10)), at(10)));
        assert!(!covers(Some(at(10)), at(8)));
        assert!(!covers(None, at(10)));
    }
}
