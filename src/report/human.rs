//! The report for people: a source snippet and notes for each finding, then the diagnostics, then one closing line.

use std::io;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::place::{Place, Places};
use super::window::window;
use super::{Item, Options, addresses, draw_path, listed, scrub, summary};
use crate::diagnostic::{Diagnostic, Level as DiagnosticLevel};
use crate::finding::{Finding, Report, Severity, Verdict};
use crate::source::{Site, Span};

/// Resources, causes and related places shown of one finding.
const MAX_LISTED: usize = 5;
/// Warnings and notices shown of one run; errors are all shown.
const MAX_DIAGNOSTICS: usize = 50;
/// Where lines are authored by people. Plans and states hold the values of secrets in clear text, beside any other value:
/// of those, and of variable files, only the place is shown.
const SHOWN: [&str; 8] = [".tf", ".tofu", ".hcl", ".tf.json", ".tofu.json", ".yaml", ".yml", ".toml"];

pub(super) fn write(report: &Report, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    let renderer =
        if options.color { Renderer::styled() } else { Renderer::plain() }.term_width(options.width);
    let places = Places::of(report);
    for item in listed(report, options) {
        writeln!(out, "{}\n", renderer.render(&[finding_group(item, report, &places)]))?;
    }
    let mut minor = 0;
    for diagnostic in &report.diagnostics {
        minor += usize::from(diagnostic.level < DiagnosticLevel::Error);
        if diagnostic.level == DiagnosticLevel::Error || minor <= MAX_DIAGNOSTICS {
            writeln!(out, "{}\n", renderer.render(&[diagnostic_group(diagnostic, &places)]))?;
        }
    }
    if minor > MAX_DIAGNOSTICS {
        writeln!(
            out,
            "… and {} more warnings and notes; the JSON format has them all\n",
            minor - MAX_DIAGNOSTICS
        )?;
    }
    for input in &report.inputs {
        if let Some(why) = &input.incomplete {
            writeln!(out, "incomplete: {}: {}\n", scrub(&input.path), scrub(why))?;
        }
    }
    writeln!(out, "{}", summary::line(report, options))
}

fn finding_group<'a>(item: Item<'a>, report: &'a Report, places: &Places<'a>) -> Group<'a> {
    let Item { finding, rule, .. } = item;
    let title =
        level(finding.verdict, rule.severity).primary_title(scrub(&finding.message)).id(scrub(&rule.id));
    Group::with_title(title).elements(source(finding, places)).elements(notes(item, report))
}

/// What is under the snippet: `= name: text`.
fn notes(item: Item<'_>, report: &Report) -> Vec<Element<'static>> {
    let Item { finding, rule, .. } = item;
    let mut notes: Vec<(&'static str, String)> = Vec::new();
    if finding.site.is_none() {
        let inputs: Vec<&str> =
            report.inputs.iter().take(MAX_LISTED).map(|input| input.path.as_str()).collect();
        notes.push(("input", inputs.join(", ")));
    }
    let one = finding.resources.len() == 1;
    let resources = addresses(&finding.resources, MAX_LISTED);
    notes.push((if one { "resource" } else { "resources" }, resources));
    if let Some(path) = finding.resources.iter().find_map(draw_path) {
        notes.push(("AI path", path));
    }
    if let Some(actual) = &finding.actual {
        notes.push(("found", actual.clone()));
    }
    notes.extend(finding.causes.iter().take(MAX_LISTED).map(|cause| ("not known", cause.clone())));
    if finding.causes.len() > MAX_LISTED {
        notes.push(("not known", format!("+{} more causes", finding.causes.len() - MAX_LISTED)));
    }
    if finding.verdict != Verdict::Pass && !rule.fix.is_empty() {
        notes.push(("fix", rule.fix.clone()));
    }
    let control = format!("{} {}", rule.control, rule.control_title);
    notes.push(("rule", format!("{}, {}; `airgate rule {}`", rule.severity, control.trim(), rule.id)));
    let element = |(name, text): (&'static str, String)| {
        Level::NOTE.with_name(Some(name)).message(scrub(&text).into_owned()).into()
    };
    notes.into_iter().map(element).collect()
}

/// Failures speak by severity; what cannot be told is a note, so that no log reads it as broken.
fn level(verdict: Verdict, severity: Severity) -> Level<'static> {
    match (verdict, severity) {
        (Verdict::Fail, Severity::Critical | Severity::High) => Level::ERROR,
        (Verdict::Fail, Severity::Medium) => Level::WARNING,
        (Verdict::Fail, Severity::Low) => Level::INFO,
        (Verdict::Undetermined, _) => Level::NOTE,
        (Verdict::Pass, _) => Level::HELP.with_name(Some("pass")),
    }
}

fn diagnostic_group<'a>(diagnostic: &'a Diagnostic, places: &Places<'a>) -> Group<'a> {
    let level = match diagnostic.level {
        DiagnosticLevel::Error => Level::ERROR,
        DiagnosticLevel::Warning => Level::WARNING,
        DiagnosticLevel::Notice => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(scrub(&diagnostic.message)));
    if let Some(place) = diagnostic.site.and_then(|site| places.get(site)) {
        group = group.element(origin(place));
        if shows_source(place) {
            group = group.element(snippet(place, AnnotationKind::Primary, "", &[]).0);
        }
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(scrub(help).into_owned()));
    }
    group
}

/// The place of a finding and the places that explain it.
fn source<'a>(finding: &'a Finding, places: &Places<'a>) -> Vec<Element<'a>> {
    let Some(place) = finding.site.and_then(|site| places.get(site)) else { return Vec::new() };
    let related: Vec<&(Site, String)> = finding.related.iter().take(MAX_LISTED).collect();
    let mut elements = vec![origin(place).into()];
    let mut drawn = Vec::new();
    let secret = finding.actual.as_deref() == Some("(sensitive)");
    if shows_source(place) && !secret {
        let (element, inside) = snippet(place, AnnotationKind::Primary, "", &related);
        elements.push(element);
        drawn = inside;
    }
    for (index, (site, label)) in related.iter().enumerate() {
        if drawn.contains(&index) {
            continue;
        }
        let Some(place) = places.get(*site) else { continue };
        elements.push(origin(place).into());
        if shows_source(place) && !secret {
            elements.push(snippet(place, AnnotationKind::Context, label, &[]).0);
        } else {
            elements.push(Level::NOTE.message(scrub(label).into_owned()).into());
        }
    }
    elements
}

/// The source around a place, with those of `related` that are inside, and which of them are.
fn snippet<'a>(
    place: Place<'a>,
    kind: AnnotationKind,
    label: &'a str,
    related: &[&'a (Site, String)],
) -> (Element<'a>, Vec<usize>) {
    // A site in another file becomes an empty span at the end of time: never inside.
    let elsewhere = Span::new(u32::MAX, u32::MAX);
    let spans: Vec<Span> = related
        .iter()
        .map(|(site, _)| if site.file == place.site.file { site.span } else { elsewhere })
        .collect();
    let line = place.region.start.line as usize;
    let cut = window(place.file.text(), place.site.span, line, &spans);
    let mut snippet = Snippet::source(cut.text).line_start(cut.first_line);
    let primary = kind.span(cut.span);
    snippet = snippet.annotation(if label.is_empty() { primary } else { primary.label(scrub(label)) });
    let mut inside = Vec::new();
    for (index, range) in cut.others {
        let Some((_, label)) = related.get(index) else { continue };
        snippet = snippet.annotation(AnnotationKind::Context.span(range).label(scrub(label)));
        inside.push(index);
    }
    (snippet.into(), inside)
}

/// `path:line:column`, as every format counts them.
fn origin(place: Place<'_>) -> Origin<'_> {
    let start = place.region.start;
    Origin::path(scrub(place.file.path())).line(start.line as usize).char_column(start.column as usize)
}

fn shows_source(place: Place<'_>) -> bool {
    let name = Path::new(place.file.path()).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    SHOWN.iter().any(|extension| name.ends_with(extension))
}
