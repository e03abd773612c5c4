//! From checked graphs to one sorted report, and the numbers at its end.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::catalog::{self, Catalog};
use crate::check::Checked;
use crate::diagnostic::{Diagnostic, Level};
use crate::facts::Facts;
use crate::finding::{
    Change, Finding, FrameworkInfo, InputInfo, Provided, Report, RuleInfo, State, Summary, Tally, Verdict,
};
use crate::graph::Before;
use crate::program::{Action, InputKind, Mode, Program};
use crate::source::{Site, Sources};

/// What one input gives to the report.
#[derive(Debug)]
pub struct Part {
    input: InputInfo,
    summary: Summary,
    diagnostics: Vec<Diagnostic>,
    findings: Vec<Finding>,
    resolved: Vec<Finding>,
    provided: Vec<Provided>,
    passed: Vec<usize>,
}

impl Part {
    /// Takes down what the graph will not tell: before it is built.
    pub fn new(program: &mut Program) -> Self {
        let count = |mode| program.resources.iter().filter(|resource| resource.mode == mode).count();
        let (managed, data) = (count(Mode::Managed), count(Mode::Data));
        let mut unknown_types: BTreeMap<SmolStr, usize> = BTreeMap::new();
        for resource in &program.resources {
            if resource.mode == Mode::Managed
                && Catalog::get().kind(&resource.type_name).is_none()
                && catalog::spelling(&resource.type_name).is_none()
            {
                *unknown_types.entry(resource.type_name.clone()).or_default() += 1;
            }
        }
        let mut diagnostics = std::mem::take(&mut program.diagnostics);
        diagnostics.extend(forgotten(program));
        Self {
            input: InputInfo {
                path: program.path.clone(),
                unit: program.unit.take().unwrap_or_else(|| program.path.clone()),
                kind: program.kind,
                written_by: program.written_by.take(),
                managed,
                data,
                source: program.source.take(),
                incomplete: program.incomplete.take(),
                tells_change: false,
                fail: BTreeMap::new(),
                undetermined: BTreeMap::new(),
            },
            summary: Summary {
                managed,
                data,
                unknown_types,
                unmapped: program.unmapped,
                unfollowed_modules: program.unfollowed.len(),
                failed_files: diagnostics.iter().filter(|d| d.level == Level::Error).count(),
                ..Summary::default()
            },
            diagnostics,
            findings: Vec::new(),
            resolved: Vec::new(),
            provided: Vec::new(),
            passed: Vec::new(),
        }
    }

    /// Adds what checking found.
    #[must_use]
    pub fn checked(mut self, facts: &Facts<'_>, before: &Before, checked: Checked) -> Self {
        let graph = facts.graph;
        let managed =
            |node: &crate::graph::NodeId| graph.resource(*node).is_some_and(|r| r.mode == Mode::Managed);
        let nodes = graph.graph.node_indices();
        self.summary.in_scope = nodes.filter(|&node| facts.scope().contains(node)).filter(managed).count();
        self.summary.passed = checked.passed.iter().sum();
        self.passed = checked.passed;
        self.summary.excluded = facts.scope().excluded().to_vec();
        self.findings = checked.findings;
        self.resolved = checked.resolved;
        self.provided = checked.provided;
        self.input.tells_change = !matches!(before, Before::Untold);
        self.summary.change =
            self.input.tells_change.then(|| Change { left_out: checked.left_out, ..Change::default() });
        self
    }
}

/// What is said of resources that leave the state and stay in the cloud.
fn forgotten(program: &Program) -> Option<Diagnostic> {
    let mut all = program.resources.iter().filter(|resource| resource.action == Action::Forget);
    let first = all.next()?;
    let stay = match all.count() {
        0 => format!("`{}` leaves the state and stays in the cloud: what it protects", first.address),
        more => {
            format!(
                "`{}` and {more} more leave the state and stay in the cloud: what they protect",
                first.address
            )
        }
    };
    let message = format!("{stay} cannot be told any more");
    Some(Diagnostic { site: first.site, ..Diagnostic::notice(message) })
}

/// Joins the parts, sorts what they found and counts it. `diagnostics` are those of no one input.
pub fn report(
    rules: Vec<RuleInfo>,
    frameworks: Vec<FrameworkInfo>,
    rules_digest: String,
    parts: Vec<Part>,
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
) -> Report {
    let mut report = Report {
        tallies: vec![Tally::default(); rules.len()],
        frameworks,
        version: env!("CARGO_PKG_VERSION"),
        rules_digest,
        inputs: Vec::new(),
        rules,
        findings: Vec::new(),
        resolved: Vec::new(),
        provided: Vec::new(),
        summary: Summary {
            failed_files: diagnostics.iter().filter(|d| d.level == Level::Error).count(),
            ..Summary::default()
        },
        diagnostics,
        sources,
    };
    let are_several = parts.len() > 1;
    for mut part in parts {
        if are_several {
            name_unit(&mut part);
        }
        add(&mut report.summary, part.summary);
        report.inputs.push(part.input);
        report.diagnostics.extend(part.diagnostics);
        // Before they are joined: what passes in two inputs counts twice too.
        tally(&mut report.tallies, &part.findings, &part.passed);
        report.findings.extend(part.findings);
        report.resolved.extend(part.resolved);
        report.provided.extend(part.provided);
    }
    report.provided.sort_unstable();
    report.provided.dedup();
    if report.inputs.len() > 1 {
        report.findings = join(std::mem::take(&mut report.findings), &report.inputs);
        report.resolved = join(std::mem::take(&mut report.resolved), &report.inputs);
    }
    for findings in [&mut report.findings, &mut report.resolved] {
        arrange(findings, &report.sources);
    }
    count(&mut report);
    for clause in report.frameworks.iter_mut().flat_map(|framework| &mut framework.clauses) {
        for tally in clause.rules.iter().filter_map(|&rule| report.tallies.get(rule)) {
            clause.tally += *tally;
        }
    }
    report.diagnostics.sort_by_key(|diagnostic| diagnostic.site);
    // What is evaluated for each instance, and for each root module that calls it, is told once.
    let mut told = BTreeSet::new();
    report.diagnostics.retain(|d| told.insert((d.level, d.site, d.message.clone(), d.help.clone())));
    report
}

/// Brings findings into their order, each at the first line of its place.
fn arrange(findings: &mut [Finding], sources: &Sources) {
    for finding in &mut *findings {
        finding.site = finding.site.map(|site| first_line(site, sources));
        for (site, _) in &mut finding.related {
            *site = first_line(*site, sources);
        }
        for via in finding.resources.iter_mut().flat_map(|subject| &mut subject.via) {
            via.site = first_line(via.site, sources);
        }
    }
    findings.sort_by_cached_key(|finding| {
        let severity = std::cmp::Reverse(finding.severity);
        let path = finding.site.and_then(|site| sources.get(site.file)).map(|file| file.path().to_owned());
        let offset = finding.site.map(|site| site.span.start);
        (
            severity,
            path,
            offset,
            finding.rule,
            finding.resources.first().map(|subject| subject.address.clone()),
        )
    });
}

/// Says of each finding which of several inputs it is about, and of what is said without a place too.
fn name_unit(part: &mut Part) {
    let unit = SmolStr::from(&part.input.unit);
    for finding in part.findings.iter_mut().chain(&mut part.resolved) {
        for subject in &mut finding.resources {
            subject.unit = Some(unit.clone());
        }
    }
    for diagnostic in part.diagnostics.iter_mut().filter(|diagnostic| diagnostic.site.is_none()) {
        if part.input.kind != InputKind::TerraformSource {
            diagnostic.message = format!("{unit}: {}", diagnostic.message);
        }
    }
}

/// Counts the findings.
fn count(report: &mut Report) {
    let summary = &mut report.summary;
    let at_of: BTreeMap<String, usize> =
        report.inputs.iter().enumerate().map(|(at, input)| (input.unit.clone(), at)).collect();
    for finding in &report.findings {
        let severity = finding.severity;
        let units: BTreeSet<usize> = finding
            .resources
            .iter()
            .filter_map(|subject| {
                subject.unit.as_ref().map_or(Some(0), |unit| at_of.get(unit.as_str()).copied())
            })
            .collect();
        for unit in units {
            let Some(input) = report.inputs.get_mut(unit) else { continue };
            match finding.verdict {
                Verdict::Fail => *input.fail.entry(severity).or_default() += 1,
                Verdict::Undetermined => *input.undetermined.entry(severity).or_default() += 1,
                Verdict::Pass => {}
            }
        }
        let count = match finding.verdict {
            Verdict::Fail => &mut summary.fail,
            Verdict::Undetermined => &mut summary.undetermined,
            Verdict::Pass => continue,
        };
        *count.entry(severity).or_default() += 1;
        let Some(change) = summary.change.as_mut().filter(|_| finding.verdict == Verdict::Fail) else {
            continue;
        };
        match finding.state {
            Some(State::Regression) => change.regression += 1,
            Some(State::New) => change.new += 1,
            Some(State::Unchanged) => change.unchanged += 1,
            None => {}
        }
        change.drift += usize::from(finding.drift);
    }
    if let Some(change) = &mut summary.change {
        change.resolved = report.resolved.len();
        change.drift += report.resolved.iter().filter(|finding| finding.drift).count();
    }
}

/// Adds what one input says to what each rule says.
fn tally(tallies: &mut [Tally], findings: &[Finding], passed: &[usize]) {
    for (tally, passed) in tallies.iter_mut().zip(passed) {
        tally.passed += passed;
    }
    for finding in findings {
        let Some(tally) = tallies.get_mut(finding.rule) else { continue };
        match finding.verdict {
            Verdict::Fail => tally.failed += finding.resources.len(),
            Verdict::Undetermined => tally.undetermined += finding.resources.len(),
            Verdict::Pass => {}
        }
    }
}

/// Several root modules may call one module. What is wrong at one place of it for one reason is one finding. Of plans, and
/// what they were made of, each is told: who approves one approves nothing of another.
fn join(findings: Vec<Finding>, inputs: &[InputInfo]) -> Vec<Finding> {
    let sources: BTreeSet<&str> = inputs
        .iter()
        .filter(|input| input.kind == InputKind::TerraformSource)
        .map(|input| input.unit.as_str())
        .collect();
    let is_of_plan = |finding: &Finding| {
        let units = finding.resources.iter().filter_map(|subject| subject.unit.as_deref());
        units.into_iter().any(|unit| !sources.contains(unit))
    };
    let mut joined: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut known = BTreeMap::new();
    for finding in findings {
        let Some(site) = finding.site.filter(|_| !is_of_plan(&finding)) else {
            joined.push(finding);
            continue;
        };
        let Finding { rule, verdict, message, causes, state, drift, from_source, moved, .. } = &finding;
        let is = (*verdict, *state, *drift, *from_source, finding.severity, moved.clone());
        let key = (*rule, is, site, message.clone(), as_in_module(&finding), causes.clone());
        let at = *known.entry(key).or_insert(joined.len());
        match joined.get_mut(at) {
            Some(first) => {
                let more = finding.resources.into_iter().filter(|subject| !first.resources.contains(subject));
                let more: Vec<_> = more.collect();
                first.resources.extend(more);
                first.resources.sort_unstable();
                for related in finding.related {
                    if !first.related.contains(&related) {
                        first.related.push(related);
                    }
                }
            }
            None => joined.push(finding),
        }
    }
    joined
}

/// What was found, with addresses as they are in the module of the resource: each root has another name for that.
fn as_in_module(finding: &Finding) -> Option<String> {
    let actual = finding.actual.as_ref()?;
    let module = finding.resources.first().and_then(|subject| {
        let at = subject.address.find(&format!("{}.", subject.type_name))?;
        subject.address.get(..at).filter(|module| module.starts_with("module."))
    });
    Some(module.map_or_else(|| actual.clone(), |module| actual.replace(module, "")))
}

/// An alert shows in a pull request only where all its lines are in the change: a place of several lines is told by its
/// first.
fn first_line(site: Site, sources: &Sources) -> Site {
    sources.get(site.file).map_or(site, |file| Site { span: file.first_line(site.span), ..site })
}

fn add(total: &mut Summary, part: Summary) {
    total.managed += part.managed;
    total.data += part.data;
    total.in_scope += part.in_scope;
    total.excluded.extend(part.excluded);
    total.passed += part.passed;
    total.unmapped += part.unmapped;
    total.unfollowed_modules += part.unfollowed_modules;
    total.failed_files += part.failed_files;
    if let Some(change) = part.change {
        total.change.get_or_insert_default().left_out += change.left_out;
    }
    for (name, count) in part.unknown_types {
        *total.unknown_types.entry(name).or_default() += count;
    }
}
