//! Rules against resources: type by type its rules and its resources, these in parallel chunks, then sorted.
//!
//! Where the input tells what was before, the same is asked of that, and `change` says what became of it.
//!
//! A debug build checks that the result of `all` is the one that asking every rule of every resource gives.

mod absence;
mod all;
mod change;
mod display;
mod memo;
mod pinpoint;
mod removal;
mod rules;
mod source;
mod wanted;

use std::sync::Arc;

use rayon::prelude::*;
use smol_str::{SmolStr, format_smolstr};

use all::{Answers, ask_all};
pub use change::{Asked, Earlier};
pub use display::display;
use display::shown;
use memo::{Condition, Memo};
pub use rules::{Rules, vocabulary};
pub use wanted::Wanted;

use crate::eval::{self, Mode as EvalMode};
use crate::facts::Facts;
use crate::facts::domain::ConditionScope;
use crate::facts::iam::ANALYSES;
use crate::facts::{presence, tier};
use crate::finding::{Finding, Provided, Severity, State, Subject, Verdict, Via};
use crate::graph::NodeId;
use crate::hcl::ast::{Expr, ExprKind, Part};
use crate::program::Resource;
use crate::rules::{CompiledRule, Test};
use crate::source::{FileId, Site};
use crate::value::{Kind, Step, Truth, Value};

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

/// What one rule says of one resource.
#[derive(Clone, Debug, PartialEq)]
struct Result {
    rule: usize,
    node: NodeId,
    verdict: Verdict,
    message: SmolStr,
    site: Option<Site>,
    related: Vec<(Site, String)>,
    actual: Option<Actual>,
    grant: Option<String>,
    causes: Vec<String>,
    via: Vec<Via>,
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

/// What is found in a resource.
#[derive(Clone, Debug, PartialEq)]
enum Actual {
    /// The value of the attribute that the rule is about: made to words where that is told, which is once for many.
    Value,
    /// In words.
    Told(String),
}

/// A provider configuration and a region.
type Place = (Option<usize>, Option<SmolStr>);

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
        ask_all(facts, rules, asked.keep_pass);
    if let Some(untold) = untold {
        source::mark(facts, &mut results, untold, rules);
    }
    let (mut resolved, mut removed) = (Vec::new(), Vec::new());
    match earlier {
        Earlier::Untold => absence::soften(facts.config, rules, &mut results, &[]),
        Earlier::Same => {
            change::unchanged(&mut results);
            if let Some(stored) = stored {
                evaluations += change::mark_drift(facts, &mut results, stored, rules);
            }
            absence::soften(facts.config, rules, &mut results, &[]);
        }
        Earlier::Other(before) => {
            let mut was = ask_all(before, rules, false);
            if let Some(stored) = stored {
                evaluations += change::mark_drift(before, &mut was.results, stored, rules);
            }
            evaluations += was.evaluations;
            absence::soften(facts.config, rules, &mut was.results, &[]);
            absence::soften(facts.config, rules, &mut results, &was.results);
            resolved = group(before, rules, change::compare(facts, &mut results, before, was.results, rules));
            let mut removals = removal::ask(facts, before, rules);
            evaluations += removals.len();
            for removal in removals.iter().filter(|result| result.verdict == Verdict::Pass) {
                if let Some(count) = passed.get_mut(removal.rule) {
                    *count += 1;
                }
            }
            removals.retain(|result| asked.keep_pass || result.verdict != Verdict::Pass);
            removed = group(before, rules, removals);
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

/// What rule number `index` says of a resource of one of its types; [`None`] where it does not apply. What it says of one
/// that passes is only told if it is kept.
fn ask_rule(
    facts: &Facts<'_>,
    rules: &Rules<'_>,
    index: usize,
    node: NodeId,
    keep_pass: bool,
) -> Option<Result> {
    ask_remembering(rules, index, &ConditionScope::new(facts, node), keep_pass, None)
}

/// [`ask_rule`] of the resource of a scope, with what is remembered of other resources.
fn ask_remembering(
    rules: &Rules<'_>,
    index: usize,
    scope: &ConditionScope<'_, '_>,
    keep_pass: bool,
    mut memo: Option<&mut Memo>,
) -> Option<Result> {
    let &ConditionScope { facts, node, .. } = scope;
    let rule = rules.compiled.get(index)?;
    let resource = facts.graph.resource(node)?;
    let mut decide = |part, condition: &Expr<'_>| {
        let evaluate = |scope: &dyn eval::Scope| decide(condition, rules.file, scope);
        match &mut memo {
            Some(memo) => memo.decide((index, part, condition), rules.file, scope, evaluate),
            None => evaluate(scope),
        }
    };
    let applies = match &rule.when {
        Some(when) => decide(Condition::When, when),
        None => Decision { truth: Truth::Yes, causes: Vec::new(), site: None, way: None },
    };
    if applies.truth == Truth::No {
        return None;
    }
    let (mut statement, mut grant) = (None, None);
    let (mut truth, mut causes, mut actual, mut decided_at, mut way) = match &rule.test {
        Test::Require(require) => {
            let decision = decide(Condition::Require, require);
            (decision.truth, decision.causes, None, decision.site, decision.way)
        }
        Test::Analysis { name, args } => {
            let (_, analysis) = ANALYSES.iter().find(|(known, _)| known == name)?;
            let outcome = analysis(facts, node, args)?;
            statement = outcome.statement.filter(|statement| Some(*statement) != outcome.site);
            grant = outcome.grant;
            (outcome.holds, outcome.causes, outcome.actual.map(Actual::Told), outcome.site, None)
        }
        // Only the change decides: see `removal`.
        Test::Removal => (Truth::No, Vec::new(), None, None, None),
    };
    if truth == Truth::No && applies.truth == Truth::Maybe {
        (truth, causes, way) = (Truth::Maybe, applies.causes, applies.way);
    }
    let verdict = match truth {
        Truth::Yes => Verdict::Pass,
        Truth::No => Verdict::Fail,
        Truth::Maybe => Verdict::Undetermined,
    };
    let mut result = Result {
        rule: index,
        node,
        verdict,
        message: SmolStr::default(),
        site: None,
        related: Vec::new(),
        actual: None,
        grant: None,
        causes,
        via: Vec::new(),
        place: None,
        state: None,
        drift: false,
        left_out: false,
        from_source: false,
        severity: (rule.rule.front().severity, None),
    };
    if verdict == Verdict::Pass && !keep_pass {
        return Some(result);
    }
    // What is not known yet is not what fails: then something else decided.
    let decides = |value: &&Value| verdict == Verdict::Undetermined || !value.is_unknown();
    let value = rule.at.and_then(|at| resource.after.as_ref()?.at_path(at)).filter(decides);
    let is_it = |value: &Value| decided_at.is_none_or(|site| value.origin == Some(site));
    if way.is_none() && value.is_some_and(is_it) {
        way = resource.after.as_ref().zip(rule.at).and_then(|(after, at)| after.way_at(at));
    }
    if let Test::Require(_) = &rule.test {
        actual = value.map(|_| Actual::Value);
        decided_at = decided_at.or(value.filter(|value| !value.sensitive).and_then(|value| value.origin));
    }
    let is_secret = rule.rule.front().family == "secrets";
    result.actual = if is_secret { Some(Actual::Told(HIDDEN.to_owned())) } else { actual };
    result.site = locate(resource, rule.at.unwrap_or_default());
    if verdict != Verdict::Pass {
        result.grant = grant.filter(|_| verdict == Verdict::Fail);
        result.via = way.map_or_else(Vec::new, |way| via(&way, decided_at));
        if let Some(origin) = decided_at.filter(|origin| says_more(facts, resource, result.site, *origin)) {
            result.related.push((origin, DECIDES.to_owned()));
        }
        if let Some(statement) = statement {
            result.related.push((statement, "the statement that decides".to_owned()));
        }
        let any = presence::repeated(facts.graph, resource);
        result.related.extend(any.map(|repeated| (repeated.site, ANY_INSTANCE.to_owned())));
        let message = |scope: &dyn eval::Scope| SmolStr::from(message(rule, rules.file, scope));
        let message = match memo {
            Some(memo) => memo.tell(index, scope, message),
            None => message(scope),
        };
        let is_told = verdict == Verdict::Fail;
        result.message = if is_told { message } else { format_smolstr!("cannot tell whether {message}") };
    }
    Some(result)
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

/// What is found where a rule is about secrets in clear: they are told by place only, and no source is shown of it.
const HIDDEN: &str = "(sensitive)";

/// What is said of a place that is not that of the attribute.
const DECIDES: &str = "the value that decides";

/// What is said of `[?]` in an address.
const ANY_INSTANCE: &str = "how many there are is not known: this is said of any instance, if there is one";

/// Whether the place where a value was written says more than that of its attribute. Where the source of a plan is there, the
/// places in its JSON do not.
fn says_more(facts: &Facts<'_>, resource: &Resource, site: Option<Site>, origin: Site) -> bool {
    let is_mapped = resource.site.is_some_and(|site| Some(site.file) != facts.graph.document);
    let is_lost = is_mapped && Some(origin.file) == facts.graph.document;
    !is_lost && !covers(site, origin)
}

fn covers(site: Option<Site>, other: Site) -> bool {
    site.is_some_and(|site| {
        site.file == other.file && site.span.start <= other.span.start && other.span.end <= site.span.end
    })
}

#[derive(Clone, Debug)]
struct Decision {
    truth: Truth,
    causes: Vec<String>,
    /// Where the deciding value was written.
    site: Option<Site>,
    /// The way that it came.
    way: Option<Arc<Step>>,
}

/// Evaluates a condition to a yes, a no, or why neither.
fn decide(condition: &Expr<'_>, file: FileId, scope: &dyn eval::Scope) -> Decision {
    let maybe = |cause: String, way| Decision { truth: Truth::Maybe, causes: vec![cause], site: None, way };
    match eval::try_evaluate(condition, file, scope, EvalMode::Extended) {
        Ok(value) => match &value.kind {
            Kind::Bool(truth) => {
                // A fact tells where what decides was written; a literal of the rule itself does not.
                let site = value.origin.filter(|site| site.file != file && !value.sensitive);
                let way = site.and(value.via);
                Decision { truth: Truth::from(*truth), causes: Vec::new(), site, way }
            }
            Kind::Unknown(unknown) => maybe(unknown.cause.to_string(), value.via.clone()),
            _ => maybe("the value that decides is null".to_owned(), None),
        },
        Err(error) => maybe(error.message, None),
    }
}

/// The deepest place of the dotted path that the input has: the attribute, else the block around it, else the resource.
fn locate(resource: &Resource, at: &str) -> Option<Site> {
    let mut path = at;
    while !path.is_empty() {
        if let Some(site) = resource.places.get(path).copied().or_else(|| entry(resource, path)) {
            return Some(site);
        }
        path = path.rsplit_once('.').map_or("", |(rest, _)| rest);
    }
    resource.site
}

/// Where the attribute is in an input of JSON: in the resource's own entry. The value of an attribute in HCL may come from
/// anywhere, so its origin tells nothing here.
fn entry(resource: &Resource, path: &str) -> Option<Site> {
    let origin = resource.after.as_ref()?.at_path(path)?.origin?;
    covers(resource.site, origin).then_some(origin)
}

/// The rule's message with its interpolations.
fn message(rule: &CompiledRule<'_>, file: FileId, scope: &dyn eval::Scope) -> String {
    let mut text = String::new();
    match &rule.message.kind {
        ExprKind::String(literal) => text.push_str(literal),
        ExprKind::Template(parts) => {
            for part in *parts {
                match part {
                    Part::Literal(literal, _) => text.push_str(literal),
                    Part::Interpolation(expr) => {
                        let value =
                            eval::try_evaluate(expr, file, scope, EvalMode::Extended).unwrap_or(Value::NULL);
                        text.push_str(&match (value.as_str(), value.sensitive) {
                            (Some(known), false) => known.to_owned(),
                            _ => display(&value),
                        });
                    }
                    Part::If { .. } | Part::For { .. } => {}
                }
            }
        }
        _ => {}
    }
    text
}

/// Instances of one block that fare alike become one finding, told with whether it is left out.
fn group(facts: &Facts<'_>, rules: &Rules<'_>, results: Vec<Box<Result>>) -> Vec<(bool, Finding)> {
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
    let front = rule.rule.front();
    for result in &mut results {
        result.severity = tier::severity(facts, result.node, &front.family, front.severity);
    }
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
        finding.resources.sort_unstable();
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
