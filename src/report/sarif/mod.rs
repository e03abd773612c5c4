//! SARIF 2.1.0, within what GitHub code scanning reads and refuses: one result for a rule and a place, only failures,
//! each with a file, a region and GitHub's own line hash; what a change resolves is told by its number alone.

mod fingerprint;
mod model;
mod taxonomy;
mod way;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::{Serialize, Serializer};

use self::fingerprint::line_hashes;
use self::model as m;
use self::taxonomy::{Relationship, references, relationships, taxonomies};
use self::way::{Linked, code_flows};
use super::fingerprint::{Fingerprint, KEY, KEY_BEFORE, fingerprints};
use super::place::{Place, Places};
use super::scrub::SafeJson;
use super::{
    DRIFT, FROM_SOURCE, Item, Options, addresses_in_unit, clip, failed_to_analyse, fallback_file,
    fallback_path, items, provided, rule_url, scrub, units, ways,
};
use crate::diagnostic::{Diagnostic, Level};
use crate::finding::{Provided, Report, RuleInfo, Severity, State, Subject, Verdict};
use crate::source::{FileId, Site};

/// GitHub shows no more of one run, and refuses a run with five times as many.
const MAX_RESULTS: usize = 5000;
/// GitHub keeps as many of a result's locations and of a rule's tags.
const MAX_LOCATIONS: usize = 100;
const MAX_TAGS: usize = 10;
/// GitHub's limit for a rule's descriptions.
const MAX_DESCRIPTION: usize = 1024;
/// Characters of a message.
const MAX_MESSAGE: usize = 2000;
const MAX_NOTIFICATIONS: usize = 1000;
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(super) fn write(report: &Report, options: &Options, mut out: &mut dyn io::Write) -> io::Result<()> {
    let places = Places::of(report);
    let (groups, dropped) = groups(report, options);
    let cx = Context {
        report,
        hashes: hashes(report, &places, &groups),
        places,
        fingerprints: fingerprints(report),
    };
    let run = m::Run {
        tool: m::Tool { driver: driver(report) },
        automation_details: m::AutomationDetails { id: automation_id(report) },
        invocations: [m::Invocation {
            execution_successful: failed_to_analyse(report) == 0,
            tool_execution_notifications: notifications(&cx, dropped),
        }],
        taxonomies: taxonomies(report),
        column_kind: "utf16CodeUnits",
        results: Results { cx: &cx, groups: &groups },
        properties: m::RunProperties {
            rules_digest: &report.rules_digest,
            undetermined: report.summary.undetermined.values().sum(),
            passed: report.summary.passed,
            change: report.summary.change.map(|change| m::Change {
                new: change.new,
                regression: change.regression,
                unchanged: change.unchanged,
                resolved: change.resolved,
                drift: change.drift,
            }),
            provided: provided(report, options).map(|(it, rule)| provided_of(it, rule)).collect(),
        },
    };
    let log = m::Log { schema: SCHEMA, version: "2.1.0", runs: [run] };
    log.serialize(&mut serde_json::Serializer::with_formatter(&mut out, SafeJson))?;
    out.write_all(b"\n")
}

struct Context<'a> {
    report: &'a Report,
    places: Places<'a>,
    fingerprints: Vec<Fingerprint>,
    hashes: BTreeMap<FileId, BTreeMap<u32, String>>,
}

fn provided_of<'a>(provided: &'a Provided, rule: &'a RuleInfo) -> m::Provided<'a> {
    m::Provided {
        rule: &rule.id,
        control: &provided.control,
        by: &provided.by,
        resources: provided.resources.iter().map(smol_str::SmolStr::as_str).take(MAX_LOCATIONS).collect(),
    }
}

/// What becomes one result: GitHub would take findings of one rule and place for one alert.
struct Group<'a> {
    first: Item<'a>,
    subjects: Vec<Subject>,
    related: Vec<&'a (Site, String)>,
    /// The worst of its findings.
    state: Option<State>,
    /// One of them is drift.
    drift: bool,
}

/// The results, worst first, and how many were too many.
fn groups<'a>(report: &'a Report, options: &Options) -> (Vec<Group<'a>>, usize) {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut by_place: BTreeMap<(usize, Site), usize> = BTreeMap::new();
    for item in items(report, options).filter(|item| item.finding.verdict == Verdict::Fail) {
        let next = groups.len();
        let group =
            item.finding.site.map_or(next, |site| *by_place.entry((item.finding.rule, site)).or_insert(next));
        match groups.get_mut(group) {
            // Several root modules may call one module.
            Some(group) => {
                group.drift |= item.finding.drift;
                group.state = [group.state, item.finding.state].into_iter().flatten().min();
                for subject in &item.finding.resources {
                    if !group.subjects.contains(subject) {
                        group.subjects.push(subject.clone());
                    }
                }
                for related in &item.finding.related {
                    if !group.related.contains(&related) && group.related.len() < MAX_LOCATIONS {
                        group.related.push(related);
                    }
                }
            }
            None => groups.push(Group {
                first: item,
                subjects: item.finding.resources.clone(),
                related: item.finding.related.iter().collect(),
                state: item.finding.state,
                drift: item.finding.drift,
            }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.first.finding.severity));
    let dropped = groups.len().saturating_sub(MAX_RESULTS);
    groups.truncate(MAX_RESULTS);
    (groups, dropped)
}

/// The line hashes of all lines where a result starts. A line of a plan or state may be little more than a secret, which its
/// hash would tell to whoever tries a few: those have none.
fn hashes(
    report: &Report,
    places: &Places<'_>,
    groups: &[Group<'_>],
) -> BTreeMap<FileId, BTreeMap<u32, String>> {
    let mut lines: BTreeMap<FileId, BTreeSet<u32>> = BTreeMap::new();
    for group in groups {
        match group.first.finding.site.and_then(|site| places.get(site)) {
            Some(place) => {
                lines.entry(place.site.file).or_default().insert(place.region.start.line);
            }
            None => {
                if let Some((file, _)) = fallback_file(report) {
                    lines.entry(file).or_default().insert(1);
                }
            }
        }
    }
    let of_file = |(file, lines): (FileId, BTreeSet<u32>)| {
        let lines: Vec<u32> = lines.into_iter().collect();
        (file, line_hashes(report.sources.text(file), &lines))
    };
    let is_open = |file: &FileId| report.sources.get(*file).is_some_and(|file| !file.is_confidential());
    lines.into_iter().filter(|(file, _)| is_open(file)).map(of_file).collect()
}

/// Results are made one at a time, as they are written.
struct Results<'a> {
    cx: &'a Context<'a>,
    groups: &'a [Group<'a>],
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.groups.iter().map(|group| result(group, self.cx)))
    }
}

fn result<'a>(group: &'a Group<'a>, cx: &'a Context<'a>) -> m::Result<'a> {
    let Item { index, finding, rule } = group.first;
    let place = finding.site.and_then(|site| cx.places.get(site));
    let mut linked = Linked::default();
    let related = group.related.iter();
    let links: Vec<String> =
        related.filter_map(|(site, label)| linked.link(*site, label, &cx.places)).collect();

    let mut text = format!("{}: {}.", finding.message, addresses_in_unit(&group.subjects, 5));
    if group.drift {
        text.push_str(&format!(" This is drift: {DRIFT}."));
    }
    if let Some(actual) = &finding.actual {
        text.push_str(&format!(" Found: {actual}."));
    }
    if let Some(grant) = &finding.grant {
        text.push_str(&format!(" What suffices: {grant}."));
    }
    if let Some(why) = &finding.moved {
        text.push_str(&format!(" Severity {}, {why}.", finding.severity));
    }
    if finding.from_source {
        text.push_str(&format!(" From source: {FROM_SOURCE}."));
    }
    // Nothing that the input wrote becomes a link.
    let mut text = scrub(&clip(&text, MAX_MESSAGE)).replace("](", "] (");
    if !links.is_empty() {
        text.push_str(&format!(" See {}.", links.join(", ")));
    }
    let ways = ways(&group.subjects);
    if let Some((way, _)) = ways.first() {
        text.push_str(&format!(" The value came through {}.", linked.way(way, &cx.places)));
    }

    let file =
        place.map_or_else(|| fallback_file(cx.report).map(|(id, _)| id), |place| Some(place.site.file));
    let line = place.map_or(1, |place| place.region.start.line);
    let hash = file.and_then(|file| cx.hashes.get(&file)?.get(&line));
    let mut partial_fingerprints = BTreeMap::new();
    if let Some(own) = cx.fingerprints.get(index) {
        partial_fingerprints.insert(KEY, own.now.as_str());
        if let Some(before) = &own.before {
            partial_fingerprints.insert(KEY_BEFORE, before.as_str());
        }
    }
    if let Some(hash) = hash {
        partial_fingerprints.insert("primaryLocationLineHash", hash.as_str());
    }

    let subjects = group.subjects.iter().map(|subject| subject.address.as_str());
    m::Result {
        rule_id: &rule.id,
        rule_index: finding.rule,
        kind: "fail",
        level: level(finding.severity),
        message: m::Text { text: text.into() },
        locations: [m::Location {
            id: None,
            message: None,
            physical_location: place.map_or_else(|| no_place(cx.report), physical),
            logical_locations: subjects
                .clone()
                .take(MAX_LOCATIONS)
                .map(|address| m::LogicalLocation { fully_qualified_name: address, kind: "resource" })
                .collect(),
        }],
        related_locations: linked.locations,
        code_flows: code_flows(ways.iter().map(|(way, _)| *way), place, &cx.places),
        partial_fingerprints,
        baseline_state: group.state.map(baseline_state),
        properties: m::ResultProperties {
            resources: subjects.collect(),
            units: units(&group.subjects),
            drift: group.drift,
            state: group.state.map(State::as_str),
            from_source: finding.from_source,
            grant: finding.grant.as_deref(),
            security_severity: finding.moved.as_ref().map(|_| security_severity(finding.severity)),
            severity_reason: finding.moved.as_deref(),
        },
    }
}

fn driver(report: &Report) -> m::Driver<'_> {
    m::Driver {
        name: "airgate",
        full_name: format!("airgate {}", report.version),
        version: report.version,
        semantic_version: report.version,
        information_uri: env!("CARGO_PKG_REPOSITORY"),
        rules: (0..)
            .zip(&report.rules)
            .map(|(index, rule)| self::rule(rule, relationships(report, index)))
            .collect(),
        supported_taxonomies: references(report),
    }
}

fn rule<'a>(rule: &'a RuleInfo, relationships: Vec<Relationship<'a>>) -> m::Rule<'a> {
    let mut tags: Vec<&str> = Vec::new();
    for tag in
        ["security", &rule.family, &rule.control].into_iter().chain(rule.clauses.iter().map(AsRef::as_ref))
    {
        if !tag.is_empty() && !tags.contains(&tag) && tags.len() < MAX_TAGS {
            tags.push(tag);
        }
    }
    m::Rule {
        id: &rule.id,
        name: pascal_case(&rule.name).into(),
        short_description: m::Text { text: description(&rule.title) },
        full_description: m::Text { text: description(&format!("{}. {}", rule.title, rule.why)) },
        help: m::Help {
            text: format!("{} {}", rule.why, rule.fix).into(),
            markdown: Cow::Borrowed(&rule.page),
        },
        help_uri: rule_url(rule),
        default_configuration: m::Configuration { level: level(rule.severity) },
        properties: m::RuleProperties {
            security_severity: security_severity(rule.severity),
            precision: "high",
            tags,
        },
        relationships,
    }
}

/// A sentence within GitHub's limit.
fn description(text: &str) -> Cow<'static, str> {
    let text = text.trim().trim_end_matches('.');
    let mut short: String = text.chars().take(MAX_DESCRIPTION - 1).collect();
    short.push(if short.len() < text.len() { '…' } else { '.' });
    short.into()
}

/// SARIF wants names as identifiers: `sagemaker-notebook-without-cmk` becomes `SagemakerNotebookWithoutCmk`.
fn pascal_case(name: &str) -> String {
    let mut pascal = String::with_capacity(name.len());
    for word in name.split('-') {
        let mut chars = word.chars();
        pascal.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        pascal.push_str(chars.as_str());
    }
    pascal
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// The baseline is what was before the change. What is resolved would be `absent`: it is only counted, because GitHub reads
/// no states and would open an alert for it.
const fn baseline_state(state: State) -> &'static str {
    match state {
        State::Regression | State::New => "new",
        State::Unchanged => "unchanged",
    }
}

/// GitHub shows these as the four severities of the same names.
const fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

/// One category for each analysed root: uploads of one category replace each other.
fn automation_id(report: &Report) -> String {
    match report.inputs.as_slice() {
        // Where on a machine it lies is nobody's category.
        [input] if !input.path.starts_with('/') => match uri(&input.path).trim_matches('/') {
            "" | "." => "airgate/".to_owned(),
            path => format!("airgate/{path}/"),
        },
        _ => "airgate/".to_owned(),
    }
}

fn notifications<'a>(cx: &Context<'a>, dropped: usize) -> Vec<m::Notification<'a>> {
    let mut all: Vec<m::Notification<'a>> = Vec::new();
    let mut say = |level: &'static str, text: String| {
        all.push(m::Notification { level, message: m::Text { text: text.into() }, locations: Vec::new() });
    };
    if dropped > 0 {
        say(
            "warning",
            format!("{dropped} results of lesser severity are left out: {MAX_RESULTS} is the limit."),
        );
    }
    for input in &cx.report.inputs {
        if let Some(source) = &input.source {
            let revision = if source.exact { "" } else { ", as far as they are of one revision" };
            let (path, source) = (scrub(&input.path), scrub(&source.path));
            say("note", format!("{path}: lines are those of the source in {source}{revision}."));
        }
        if let Some(why) = &input.incomplete {
            say("error", format!("{} is not complete: {}.", scrub(&input.path), scrub(why)));
        }
    }
    let excluded = &cx.report.summary.excluded;
    for one in excluded.iter().take(MAX_NOTIFICATIONS) {
        let text = format!("{} is left out of AI scope by its tag {}.", scrub(&one.address), scrub(&one.tag));
        say("note", text);
    }
    if excluded.len() > MAX_NOTIFICATIONS {
        say(
            "note",
            format!("{} more resources are left out by their tags.", excluded.len() - MAX_NOTIFICATIONS),
        );
    }
    let left = cx.report.diagnostics.len().saturating_sub(MAX_NOTIFICATIONS);
    if left > 0 {
        say("note", format!("{left} more diagnostics are left out."));
    }
    // Errors first: they are the last to be left out.
    let mut diagnostics: Vec<&Diagnostic> = cx.report.diagnostics.iter().collect();
    diagnostics.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.level));
    all.extend(
        diagnostics.into_iter().take(MAX_NOTIFICATIONS).map(|diagnostic| notification(diagnostic, cx)),
    );
    all
}

fn notification<'a>(diagnostic: &Diagnostic, cx: &Context<'a>) -> m::Notification<'a> {
    let help = diagnostic.help.as_ref().map(|help| format!(" {help}.")).unwrap_or_default();
    let location = |place| m::Location {
        id: None,
        message: None,
        physical_location: physical(place),
        logical_locations: Vec::new(),
    };
    m::Notification {
        level: match diagnostic.level {
            Level::Notice => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        },
        message: m::Text { text: scrub(&format!("{}.{help}", diagnostic.message)).into_owned().into() },
        locations: diagnostic.site.and_then(|site| cx.places.get(site)).map(location).into_iter().collect(),
    }
}

fn physical(place: Place<'_>) -> m::PhysicalLocation {
    let (start, end) = (place.region.start, place.region.end);
    let empty = start == end;
    m::PhysicalLocation {
        artifact_location: m::ArtifactLocation { uri: uri(place.file.path()) },
        region: m::Region {
            start_line: start.line,
            start_column: start.column,
            end_line: end.line,
            // An empty region is an insertion point, which GitHub does not draw.
            end_column: if empty { end.column.saturating_add(1) } else { end.column },
        },
    }
}

/// GitHub refuses a result without a location: the first line of what was analysed.
fn no_place(report: &Report) -> m::PhysicalLocation {
    m::PhysicalLocation {
        artifact_location: m::ArtifactLocation { uri: uri(fallback_path(report)) },
        region: m::Region { start_line: 1, start_column: 1, end_line: 1, end_column: 2 },
    }
}

/// A path as a relative reference: `/` between parts, everything else but unreserved characters encoded.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut uri = String::with_capacity(path.len());
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => uri.push(byte.into()),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("./infra/a b/ß[0].tf"), "infra/a%20b/%C3%9F%5B0%5D.tf");
        assert_eq!(uri("a:b.tf"), "a%3Ab.tf", "no scheme is read into it");
        assert_eq!(uri("/srv/x.tf"), "file:///srv/x.tf");
    }

    #[test]
    fn descriptions_fit() {
        assert_eq!(description("No key. "), "No key.");
        assert_eq!(description(&"ß".repeat(3000)).chars().count(), MAX_DESCRIPTION);
    }
}
