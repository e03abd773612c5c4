//! `airgate.report/v1`: everything a report holds, for machines. `docs/report.schema.json` describes it.
//!
//! A field is never removed or given another meaning under the same version; new ones may come.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write as _};

use serde::{Serialize, Serializer};
use smol_str::SmolStr;

use super::fingerprint::{Fingerprint, fingerprints};
use super::framework::{Checks, Framework};
use super::place::Places;
use super::scrub::SafeJson;
use super::{Item, Options, items, provided, resolved, rule_url, units};
use crate::diagnostic::{Diagnostic, Level};
use crate::finding::{self, InputInfo, PathStep, Report, RuleInfo, Severity, Subject, Tally};
use crate::source::Site;

pub(super) fn write(report: &Report, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    // Of many small pieces: into what buffers them without a call.
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let cx = Context { report, options, places: Places::of(report), fingerprints: fingerprints(report) };
    let document = Document {
        schema: "airgate.report/v1",
        version: "1",
        tool: Tool { name: "airgate", version: report.version, rules_digest: &report.rules_digest },
        summary: Summary::of(report),
        inputs: report.inputs.iter().map(Input::of).collect(),
        rules: report.rules.iter().zip(&report.tallies).map(RanRule::of).collect(),
        frameworks: report.frameworks.iter().map(|of| Framework::of(of, report)).collect(),
        findings: Findings(&cx),
        resolved: Resolved(&cx),
        provided: provided(report, options).map(|(it, rule)| Provided::of(it, rule)).collect(),
        diagnostics: report.diagnostics.iter().map(|diagnostic| Note::of(diagnostic, &cx)).collect(),
    };
    document.serialize(&mut serde_json::Serializer::with_formatter(&mut out, SafeJson))?;
    out.write_all(b"\n")?;
    out.flush()
}

/// All rules, as in a report.
pub(super) fn rules(rules: &[RuleInfo]) -> String {
    text(&rules.iter().map(Rule::of).collect::<Vec<_>>())
}

/// One rule, with its page.
pub(super) fn rule(rule: &RuleInfo) -> String {
    text(&RulePage { rule: Rule::of(rule), why: &rule.why, fix: &rule.fix, page: &rule.page })
}

fn text(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    // Neither the values nor a vector can fail.
    let _infallible = value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, SafeJson));
    out.push(b'\n');
    String::from_utf8(out).unwrap_or_default()
}

struct Context<'a> {
    report: &'a Report,
    options: &'a Options,
    places: Places<'a>,
    fingerprints: Vec<Fingerprint>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'static str,
    tool: Tool<'a>,
    summary: Summary<'a>,
    inputs: Vec<Input<'a>>,
    rules: Vec<RanRule<'a>>,
    frameworks: Vec<Framework<'a>>,
    findings: Findings<'a>,
    resolved: Resolved<'a>,
    provided: Vec<Provided<'a>>,
    diagnostics: Vec<Note<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'static str,
    rules_digest: &'a str,
}

#[derive(Serialize)]
struct Summary<'a> {
    managed: usize,
    data: usize,
    in_scope: usize,
    fail: BTreeMap<&'static str, usize>,
    undetermined: BTreeMap<&'static str, usize>,
    passed: usize,
    unknown_types: &'a BTreeMap<SmolStr, usize>,
    unmapped: usize,
    unfollowed_modules: usize,
    failed_files: usize,
    change: Option<Change>,
    excluded: Vec<Exclusion<'a>>,
}

#[derive(Serialize)]
struct Exclusion<'a> {
    address: &'a str,
    tag: &'a str,
}

#[derive(Serialize)]
struct Change {
    new: usize,
    regression: usize,
    unchanged: usize,
    resolved: usize,
    drift: usize,
    left_out: usize,
}

#[derive(Serialize)]
struct Input<'a> {
    path: &'a str,
    unit: &'a str,
    kind: String,
    written_by: Option<&'a str>,
    managed: usize,
    data: usize,
    source: Option<PlanSource<'a>>,
    incomplete: Option<&'a str>,
    fail: BTreeMap<&'static str, usize>,
    undetermined: BTreeMap<&'static str, usize>,
}

#[derive(Serialize)]
struct PlanSource<'a> {
    path: &'a str,
    exact: bool,
}

#[derive(Serialize)]
struct Rule<'a> {
    id: &'a str,
    name: &'a str,
    title: &'a str,
    family: &'a str,
    severity: &'static str,
    control: &'a str,
    control_title: &'a str,
    clauses: &'a [Cow<'static, str>],
    revision: u32,
    url: String,
}

/// A rule with what it says.
#[derive(Serialize)]
struct RanRule<'a> {
    #[serde(flatten)]
    rule: Rule<'a>,
    checks: Checks,
}

#[derive(Serialize)]
struct RulePage<'a> {
    #[serde(flatten)]
    rule: Rule<'a>,
    why: &'a str,
    fix: &'a str,
    page: &'a str,
}

/// Findings are made one at a time, as they are written.
struct Findings<'a>(&'a Context<'a>);

/// And those that the change resolves.
struct Resolved<'a>(&'a Context<'a>);

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'a str,
    name: &'a str,
    verdict: &'static str,
    severity: &'static str,
    severity_reason: Option<&'a str>,
    family: &'a str,
    control: &'a str,
    message: &'a str,
    resources: Vec<Resource<'a>>,
    location: Option<Location<'a>>,
    related: Vec<Related<'a>>,
    actual: Option<&'a str>,
    grant: Option<&'a str>,
    causes: &'a [String],
    fix: &'a str,
    state: Option<&'static str>,
    drift: bool,
    from_source: bool,
    fingerprint: &'a str,
    previous_fingerprint: Option<&'a str>,
}

#[derive(Serialize)]
struct Resource<'a> {
    address: &'a str,
    moved_from: Option<&'a str>,
    unit: Option<&'a str>,
    #[serde(rename = "type")]
    type_name: &'a str,
    path: Vec<Step<'a>>,
    via: Vec<Via<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    edge: Option<&'static str>,
    address: &'a str,
}

#[derive(Serialize)]
struct Via<'a> {
    what: &'a str,
    location: Option<Location<'a>>,
}

/// Lines and columns count from 1, columns in UTF-16 code units; offsets count bytes from 0.
#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    offset: u32,
}

#[derive(Serialize)]
struct Related<'a> {
    label: &'a str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Note<'a> {
    level: &'static str,
    message: &'a str,
    location: Option<Location<'a>>,
    help: Option<&'a str>,
}

impl Serialize for Findings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(items(self.0.report, self.0.options).map(|item| Finding::of(item, self.0)))
    }
}

impl Serialize for Resolved<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let items = resolved(self.0.report, self.0.options);
        serializer.collect_seq(items.map(|item| ResolvedFinding::of(item, self.0)))
    }
}

#[derive(Serialize)]
struct ResolvedFinding<'a> {
    rule: &'a str,
    name: &'a str,
    severity: &'static str,
    message: &'a str,
    resources: Vec<&'a str>,
    units: Vec<&'a str>,
    drift: bool,
    location: Option<Location<'a>>,
}

impl<'a> ResolvedFinding<'a> {
    fn of(item: Item<'a>, cx: &'a Context<'a>) -> Self {
        let Item { finding, rule, .. } = item;
        Self {
            rule: &rule.id,
            name: &rule.name,
            severity: finding.severity.as_str(),
            message: &finding.message,
            resources: finding.resources.iter().map(|subject| subject.address.as_str()).collect(),
            units: units(&finding.resources),
            drift: finding.drift,
            location: finding.site.and_then(|site| Location::of(site, cx)),
        }
    }
}

#[derive(Serialize)]
struct Provided<'a> {
    rule: &'a str,
    name: &'a str,
    control: &'a str,
    by: &'a str,
    resources: Vec<&'a str>,
}

impl<'a> Provided<'a> {
    fn of(provided: &'a finding::Provided, rule: &'a RuleInfo) -> Self {
        Self {
            rule: &rule.id,
            name: &rule.name,
            control: &provided.control,
            by: &provided.by,
            resources: provided.resources.iter().map(SmolStr::as_str).collect(),
        }
    }
}

impl<'a> Finding<'a> {
    fn of(item: Item<'a>, cx: &'a Context<'a>) -> Self {
        let Item { index, finding, rule } = item;
        let related = finding
            .related
            .iter()
            .filter_map(|(site, label)| Some(Related { label, location: Location::of(*site, cx)? }));
        Self {
            rule: &rule.id,
            name: &rule.name,
            verdict: finding.verdict.as_str(),
            severity: finding.severity.as_str(),
            severity_reason: finding.moved.as_deref(),
            family: &rule.family,
            control: &rule.control,
            message: &finding.message,
            resources: finding.resources.iter().map(|subject| Resource::of(subject, cx)).collect(),
            location: finding.site.and_then(|site| Location::of(site, cx)),
            related: related.collect(),
            actual: finding.actual.as_deref(),
            grant: finding.grant.as_deref(),
            causes: &finding.causes,
            fix: &rule.fix,
            state: finding.state.map(finding::State::as_str),
            from_source: finding.from_source,
            drift: finding.drift,
            fingerprint: cx.fingerprints.get(index).map_or("", |print| print.now.as_str()),
            previous_fingerprint: cx.fingerprints.get(index).and_then(|print| print.before.as_deref()),
        }
    }
}

impl<'a> Location<'a> {
    fn of(site: Site, cx: &Context<'a>) -> Option<Self> {
        let place = cx.places.get(site)?;
        let (start, end) = (place.region.start, place.region.end);
        Some(Self {
            path: place.file.path(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            offset: site.span.start,
        })
    }
}

impl<'a> Summary<'a> {
    fn of(report: &'a Report) -> Self {
        let summary = &report.summary;
        Self {
            managed: summary.managed,
            data: summary.data,
            in_scope: summary.in_scope,
            fail: by_severity(&summary.fail),
            undetermined: by_severity(&summary.undetermined),
            passed: summary.passed,
            unknown_types: &summary.unknown_types,
            unmapped: summary.unmapped,
            unfollowed_modules: summary.unfollowed_modules,
            failed_files: summary.failed_files,
            change: summary.change.map(|change| Change {
                new: change.new,
                regression: change.regression,
                unchanged: change.unchanged,
                resolved: change.resolved,
                drift: change.drift,
                left_out: change.left_out,
            }),
            excluded: summary
                .excluded
                .iter()
                .map(|one| Exclusion { address: &one.address, tag: &one.tag })
                .collect(),
        }
    }
}

/// All four severities, so that a reader need not know what absence means.
fn by_severity(counts: &BTreeMap<Severity, usize>) -> BTreeMap<&'static str, usize> {
    let count = |severity: Severity| counts.get(&severity).copied().unwrap_or_default();
    Severity::ALL.into_iter().map(|severity| (severity.as_str(), count(severity))).collect()
}

impl<'a> Input<'a> {
    fn of(input: &'a InputInfo) -> Self {
        Self {
            path: &input.path,
            unit: &input.unit,
            kind: input.kind.to_string().to_lowercase().replace(' ', "-"),
            written_by: input.written_by.as_deref(),
            managed: input.managed,
            data: input.data,
            source: input.source.as_ref().map(|it| PlanSource { path: &it.path, exact: it.exact }),
            incomplete: input.incomplete.as_deref(),
            fail: by_severity(&input.fail),
            undetermined: by_severity(&input.undetermined),
        }
    }
}

impl<'a> Rule<'a> {
    fn of(rule: &'a RuleInfo) -> Self {
        Self {
            id: &rule.id,
            name: &rule.name,
            title: &rule.title,
            family: &rule.family,
            severity: rule.severity.as_str(),
            control: &rule.control,
            control_title: &rule.control_title,
            clauses: &rule.clauses,
            revision: rule.revision,
            url: rule_url(rule),
        }
    }
}

impl<'a> RanRule<'a> {
    fn of((rule, &tally): (&'a RuleInfo, &'a Tally)) -> Self {
        Self { rule: Rule::of(rule), checks: tally.into() }
    }
}

impl<'a> Resource<'a> {
    fn of(subject: &'a Subject, cx: &Context<'a>) -> Self {
        let step = |step: &'a PathStep| Step { edge: step.edge, address: &step.address };
        let via = |via: &'a finding::Via| Via { what: &via.what, location: Location::of(via.site, cx) };
        Self {
            address: &subject.address,
            moved_from: subject.moved_from.as_deref(),
            unit: subject.unit.as_deref(),
            type_name: &subject.type_name,
            path: subject.path.iter().map(step).collect(),
            via: subject.via.iter().map(via).collect(),
        }
    }
}

impl<'a> Note<'a> {
    fn of(diagnostic: &'a Diagnostic, cx: &Context<'a>) -> Self {
        Self {
            level: match diagnostic.level {
                Level::Notice => "notice",
                Level::Warning => "warning",
                Level::Error => "error",
            },
            message: &diagnostic.message,
            location: diagnostic.site.and_then(|site| Location::of(site, cx)),
            help: diagnostic.help.as_deref(),
        }
    }
}
