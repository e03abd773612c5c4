//! From a [`Report`] to what people and machines read. Writers compute nothing: what they print is in the report.
//!
//! Everything a report holds was written by whoever wrote the input, so every writer passes it through [`scrub()`].
#![expect(
    clippy::format_push_string,
    reason = "a String cannot fail to be written to; `write!` has an error to ignore"
)]

mod fingerprint;
mod framework;
mod graph;
mod human;
mod json;
mod markdown;
mod place;
mod residency;
mod sarif;
mod scrub;
mod summary;
mod window;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::str::FromStr;

pub use graph::{GraphFormat, write_graph};
pub use residency::{json as residency_json, text as residency_text};
pub use scrub::scrub;

use crate::diagnostic::{Diagnostic, Level};
use crate::finding::{Finding, Provided, Report, RuleInfo, Severity, Subject, Verdict, Via};
use crate::source::{FileId, SourceFile};
use place::Places;

/// The formats of a report.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Source snippets and a closing line, for a terminal or a log.
    Human,
    /// `airgate.report/v1`, see `docs/report.schema.json`.
    Json,
    /// SARIF 2.1.0 as GitHub code scanning reads it.
    Sarif,
    /// A page for the summary of a CI job.
    Markdown,
}

/// How to write a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What to list beside failures, in the formats for people. JSON holds all that the report holds, SARIF only failures.
    pub show: Show,
    /// Findings below are left out, in every format.
    pub min_severity: Severity,
    /// Style the human format with terminal escapes.
    pub color: bool,
    /// Columns of the terminal: longer source lines are trimmed around what they show.
    pub width: usize,
}

/// The verdicts to list beside failures.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Show {
    /// List what cannot be told.
    pub undetermined: bool,
    /// List what passes.
    pub pass: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { show: Show::default(), min_severity: Severity::Low, color: false, width: 120 }
    }
}

impl Format {
    /// All, in the order of `--help`.
    pub const ALL: [Self; 4] = [Self::Human, Self::Json, Self::Sarif, Self::Markdown];

    /// `"human"`, …
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Markdown => "markdown",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a format; use human, json, sarif or markdown"))
    }
}

/// Writes the report. Nothing else fails than `out`.
pub fn write(report: &Report, format: Format, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Human => human::write(report, options, out),
        Format::Json => json::write(report, options, out),
        Format::Sarif => sarif::write(report, options, out),
        Format::Markdown => markdown::write(report, options, out),
    }
}

/// The rules as a JSON array, as in [`Format::Json`].
pub fn rules_json(rules: &[RuleInfo]) -> String {
    json::rules(rules)
}

/// One rule as a JSON object, with its page.
pub fn rule_json(rule: &RuleInfo) -> String {
    json::rule(rule)
}

/// How many inputs, files or parts of them could not be analysed at all: unless it is 0, nobody can be sure of the rest.
pub fn failed_to_analyse(report: &Report) -> usize {
    let errors = report.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).count();
    let incomplete = report.inputs.iter().filter(|input| input.incomplete.is_some()).count();
    errors.max(report.summary.failed_files) + incomplete
}

/// What could not be analysed, a line each and not more than ten: for who keeps the report in a file.
pub fn unsure(report: &Report) -> Vec<String> {
    let place = |diagnostic: &Diagnostic| {
        let site = diagnostic.site?;
        let file = report.sources.get(site.file)?;
        let start = file.position(site.span.start);
        Some(format!("{}:{}:{}: ", file.path(), start.line, start.column))
    };
    let errors = report.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error);
    let errors = errors.map(|error| format!("{}{}", place(error).unwrap_or_default(), error.message));
    let incomplete = report.inputs.iter().filter_map(|input| {
        input.incomplete.as_ref().map(|why| format!("{} is not complete: {why}", input.path))
    });
    incomplete.chain(errors).take(10).map(|line| scrub(&line).into_owned()).collect()
}

/// [`addresses`], with the input that they are all of, if there are others.
fn addresses_in_unit(subjects: &[Subject], max: usize) -> String {
    let text = addresses(subjects, max);
    match units(subjects).as_slice() {
        [one] => format!("{text} in {one}"),
        _ => text,
    }
}

/// Where the page of a rule can be read. A user's rule has the file of the user, at the same place.
pub fn rule_url(rule: &RuleInfo) -> String {
    let base = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/");
    format!("{base}{}", rule.path)
}

/// What a finding says, for people. Of what passes there is nothing to say but what was asked.
fn said<'a>(finding: &'a Finding, rule: &'a RuleInfo) -> &'a str {
    if finding.message.is_empty() { &rule.title } else { &finding.message }
}

/// What is said of a finding that hangs on what only the source of a plan tells.
const FROM_SOURCE: &str = "the plan knows the value that decides only after apply";

/// A finding with its rule.
#[derive(Copy, Clone)]
struct Item<'a> {
    /// Index into [`Report::findings`].
    index: usize,
    finding: &'a Finding,
    rule: &'a RuleInfo,
}

/// The findings that are severe enough, in the report's order. One without a rule cannot be explained and is left out.
fn items<'a>(report: &'a Report, options: &Options) -> impl Iterator<Item = Item<'a>> {
    items_of(report, &report.findings, options)
}

/// Those that the change resolves. Their index is into [`Report::resolved`].
fn resolved<'a>(report: &'a Report, options: &Options) -> impl Iterator<Item = Item<'a>> {
    items_of(report, &report.resolved, options)
}

/// What the configuration declares provided elsewhere, with the rules that it satisfies.
fn provided<'a>(report: &'a Report, options: &Options) -> impl Iterator<Item = (&'a Provided, &'a RuleInfo)> {
    let min = options.min_severity;
    report.provided.iter().filter_map(move |provided| {
        let rule = report.rules.get(provided.rule)?;
        (rule.severity >= min).then_some((provided, rule))
    })
}

/// What is said of them: for each that provides something a line with what it provides.
fn said_of_provided(report: &Report, options: &Options) -> Vec<String> {
    let mut by: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (provided, rule) in provided(report, options) {
        let control = format!("{} ({})", provided.control, rule.id);
        by.entry(&provided.by).or_default().insert(control);
    }
    let line = |(by, controls): (&str, BTreeSet<String>)| {
        let controls: Vec<String> = controls.into_iter().collect();
        format!("provided by \"{by}\", as configured: {}", controls.join(", "))
    };
    by.into_iter().map(line).collect()
}

fn items_of<'a>(
    report: &'a Report,
    findings: &'a [Finding],
    options: &Options,
) -> impl Iterator<Item = Item<'a>> {
    let min = options.min_severity;
    findings.iter().enumerate().filter_map(move |(index, finding)| {
        let rule = report.rules.get(finding.rule)?;
        (finding.severity >= min).then_some(Item { index, finding, rule })
    })
}

/// Those of them that the formats for people list.
fn listed<'a>(report: &'a Report, options: &Options) -> impl Iterator<Item = Item<'a>> {
    let show = options.show;
    items(report, options).filter(move |item| match item.finding.verdict {
        Verdict::Fail => true,
        Verdict::Undetermined => show.undetermined,
        Verdict::Pass => show.pass,
    })
}

/// The path that AI takes to a resource, drawn: `a ─data→ b`. [`None`] for a resource that is itself AI.
fn draw_path(subject: &Subject) -> Option<String> {
    let (first, rest) = subject.path.split_first()?;
    if rest.is_empty() {
        return None;
    }
    let mut drawn = first.address.to_string();
    for step in rest {
        drawn.push_str(&format!(" ─{}→ {}", step.edge.unwrap_or("link"), step.address));
    }
    Some(drawn)
}

/// The ways that the deciding value came, each with the resources for which it did: the first of them tells how. Resources of
/// which it is not told are left out.
fn ways(subjects: &[Subject]) -> Vec<(&[Via], Vec<&Subject>)> {
    let mut ways: Vec<(&[Via], Vec<&Subject>)> = Vec::new();
    let mut known: BTreeMap<&[Via], usize> = BTreeMap::new();
    for subject in subjects.iter().filter(|subject| !subject.via.is_empty()) {
        let next = ways.len();
        match ways.get_mut(*known.entry(&subject.via).or_insert(next)) {
            Some((_, alike)) => alike.push(subject),
            None => ways.push((&subject.via, vec![subject])),
        }
    }
    ways
}

/// A way, drawn: `local.region (locals.tf:4) ← var.region (terraform.tfvars:1)`.
fn draw_way(way: &[Via], places: &Places<'_>) -> String {
    let step = |via: &Via| match places.brief(via.site) {
        Some(place) => format!("{} ({place})", via.what),
        None => via.what.to_string(),
    };
    way.iter().map(step).collect::<Vec<_>>().join(" ← ")
}

/// What is said of a finding that is drift.
const DRIFT: &str =
    "it passed in the state as stored and fails as refreshed: it was changed outside of the code";

/// The inputs that the finding's resources are of, where there are several.
fn units(subjects: &[Subject]) -> Vec<&str> {
    let mut units: Vec<&str> = subjects.iter().filter_map(|subject| subject.unit.as_deref()).collect();
    units.sort_unstable();
    units.dedup();
    units
}

/// The addresses of the finding's resources: `max` of them, then how many more. Where they are of several inputs, each with
/// its own.
fn addresses(subjects: &[Subject], max: usize) -> String {
    let are_several = units(subjects).len() > 1;
    let show = |subject: &Subject| match subject.unit.as_deref().filter(|_| are_several) {
        Some(unit) => format!("{} in {unit}", subject.address),
        None => subject.address.to_string(),
    };
    let shown: Vec<String> = subjects.iter().take(max).map(show).collect();
    let mut text = shown.join(", ");
    if subjects.len() > max {
        text.push_str(&format!(", +{} more", subjects.len() - max));
    }
    text
}

/// The text, or its first `max` characters: a value can be a policy document, a name anything.
fn clip(text: &str, max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// What stands for the place of a finding without one: the first file that was read.
fn fallback_file(report: &Report) -> Option<(FileId, &SourceFile)> {
    report.sources.iter().find(|(_, file)| !file.is_empty())
}

/// Its path, or that of the first input.
fn fallback_path(report: &Report) -> &str {
    let file = fallback_file(report).map(|(_, file)| file.path());
    file.or_else(|| report.inputs.first().map(|input| input.path.as_str())).unwrap_or("-")
}

/// What follows `n` things: `1 failure`, `2 failures`.
fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
