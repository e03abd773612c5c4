//! The report for people: a source snippet and notes for each finding, then the diagnostics, then one closing line.

use std::io;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::place::{Place, Places};
use super::window::window;
use super::{
    DRIFT, FROM_SOURCE, Item, Options, addresses, addresses_in_unit, clip, draw_path, draw_way, framework,
    listed, plural, resolved, said, said_of_provided, scrub, summary, units, ways,
};
use crate::diagnostic::{Diagnostic, Level as DiagnosticLevel};
use crate::finding::{Finding, Report, Severity, State, Verdict};
use crate::source::{Site, Span};

/// Resources, causes and related places shown of one finding.
/// Resources that are listed as left out of AI scope.
const MAX_EXCLUDED: usize = 20;
const MAX_LISTED: usize = 5;
/// Ways shown that the value came in different instances.
const MAX_WAYS: usize = 3;
/// Characters of a note, and of a label in the source.
const MAX_NOTE: usize = 1000;
const MAX_LABEL: usize = 200;
/// Resolved findings told of one run.
const MAX_RESOLVED: usize = 50;
/// Warnings and notices shown of one run; errors are all shown.
const MAX_DIAGNOSTICS: usize = 50;
/// Where lines are authored by people. Plans and states hold the values of secrets in clear text, beside any other value:
/// of those, and of variable files, only the place is shown.
const SHOWN: [&str; 8] = [".tf", ".tofu", ".hcl", ".tf.json", ".tofu.json", ".yaml", ".yml", ".toml"];

/// Characters of a line on what is provided elsewhere.
const MAX_PROVIDED: usize = 1000;

pub(super) fn write(report: &Report, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    let renderer =
        if options.color { Renderer::styled() } else { Renderer::plain() }.term_width(options.width);
    let places = Places::of(report);
    for item in listed(report, options) {
        writeln!(out, "{}\n", renderer.render(&[finding_group(item, report, &places)]))?;
    }
    let mut fixed = resolved(report, options);
    for item in fixed.by_ref().take(MAX_RESOLVED) {
        let title = format!(
            "{}: {}: {}",
            item.rule.id,
            addresses_in_unit(&item.finding.resources, MAX_LISTED),
            clip(said(item.finding, item.rule), MAX_LABEL)
        );
        let drift = if item.finding.drift { " (it was drift)" } else { "" };
        writeln!(out, "resolved {}{drift}", scrub(&title))?;
    }
    match fixed.count() {
        0 => {}
        more => writeln!(out, "… and {more} more resolved; the JSON format has them all")?,
    }
    if resolved(report, options).next().is_some() {
        writeln!(out)?;
    }
    for line in said_of_provided(report, options) {
        writeln!(out, "{}\n", scrub(&clip(&line, MAX_PROVIDED)))?;
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
            let title = format!("{} is not complete: {why}", input.path);
            let title = Level::ERROR.primary_title(scrub(&title).into_owned());
            writeln!(out, "{}\n", renderer.render(&[Group::with_title(title)]))?;
        }
    }
    let excluded = &report.summary.excluded;
    for one in excluded.iter().take(MAX_EXCLUDED) {
        let text = format!("{} is left out of AI scope by its tag `{}`", one.address, one.tag);
        let title = Level::NOTE.primary_title(scrub(&text).into_owned());
        writeln!(out, "{}\n", renderer.render(&[Group::with_title(title)]))?;
    }
    if excluded.len() > MAX_EXCLUDED {
        let more = excluded.len() - MAX_EXCLUDED;
        writeln!(out, "… and {more} more resources left out by their tags; the JSON format has them all\n")?;
    }
    write!(out, "{}", framework::text(report))?;
    write_sources(report, out)?;
    for line in summary::unknown_types(report).into_iter().chain(summary::units(report, options)) {
        writeln!(out, "{}", scrub(&line))?;
    }
    writeln!(out, "{}", summary::line(report, options))
}

/// Which source the findings of each plan point into.
fn write_sources(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let sources = report.inputs.iter().filter_map(|input| Some((&input.path, input.source.as_ref()?)));
    for (path, source) in sources.clone().take(MAX_LISTED) {
        let revision = if source.exact { "" } else { ", as far as they are of one revision" };
        let line = format!("{path}: lines are those of the source in `{}`{revision}", source.path);
        writeln!(out, "{}", scrub(&line))?;
    }
    match sources.count().saturating_sub(MAX_LISTED) {
        0 => Ok(()),
        more => writeln!(out, "… and {more} more plans with their source; the JSON format has them all"),
    }
}

fn finding_group<'a>(item: Item<'a>, report: &'a Report, places: &Places<'a>) -> Group<'a> {
    let Item { finding, rule, .. } = item;
    let title = level(finding.verdict, finding.severity)
        .primary_title(scrub(&clip(said(finding, rule), MAX_NOTE)).into_owned())
        .id(scrub(&rule.id));
    let (source, labelled) = source(finding, places);
    Group::with_title(title).elements(source).elements(notes(item, report, places, labelled))
}

/// What is under the snippet: `= name: text`. The actual value is not said twice.
fn notes(item: Item<'_>, report: &Report, places: &Places<'_>, labelled: bool) -> Vec<Element<'static>> {
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
    if let [unit] = units(&finding.resources).as_slice() {
        notes.push(("unit", (*unit).to_owned()));
    }
    let moved = finding.resources.iter().find_map(|subject| subject.moved_from.as_ref());
    notes.extend(moved.map(|from| ("moved", format!("it was {from}"))));
    if finding.drift {
        notes.push(("drift", DRIFT.to_owned()));
    }
    match finding.state {
        Some(State::Regression) => notes.push(("change", "regression: it passed before".to_owned())),
        Some(State::New) => notes.push(("change", "new".to_owned())),
        Some(State::Unchanged) | None => {}
    }
    if finding.from_source {
        notes.push(("from source", FROM_SOURCE.to_owned()));
    }
    if let Some(path) = finding.resources.iter().find_map(draw_path) {
        notes.push(("AI path", path));
    }
    if let Some(actual) = finding.actual.as_ref().filter(|_| !labelled) {
        notes.push(("found", actual.clone()));
    }
    let ways = ways(&finding.resources);
    for (way, alike) in ways.iter().take(MAX_WAYS) {
        let drawn = draw_way(way, places);
        let one_of_several = alike.len() < finding.resources.len();
        notes.push((
            "value from",
            match alike.first().filter(|_| one_of_several) {
                Some(first) if alike.len() > 1 => {
                    format!("{drawn}, in {}, +{} more", first.address, alike.len() - 1)
                }
                Some(first) => format!("{drawn}, in {}", first.address),
                None => drawn,
            },
        ));
    }
    if ways.len() > MAX_WAYS {
        let more = plural(ways.len() - MAX_WAYS, "other way", "other ways");
        notes.push(("value from", format!("+{more}")));
    }
    notes.extend(finding.causes.iter().take(MAX_LISTED).map(|cause| ("not known", cause.clone())));
    if finding.causes.len() > MAX_LISTED {
        notes.push(("not known", format!("+{} more causes", finding.causes.len() - MAX_LISTED)));
    }
    if finding.verdict != Verdict::Pass && !rule.fix.is_empty() {
        notes.push(("fix", rule.fix.to_string()));
    }
    notes.extend(finding.grant.iter().map(|grant| ("suffices", grant.clone())));
    let control = format!("{} {}", rule.control, rule.control_title);
    notes.push(("control", control.trim().to_owned()));
    let moved = finding.moved.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
    notes.push(("rule", format!("{} severity{moved}, see `airgate rule {}`", finding.severity, rule.id)));
    let element = |(name, text): (&'static str, String)| {
        Level::NOTE.with_name(Some(name)).message(scrub(&clip(&text, MAX_NOTE)).into_owned()).into()
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
        let snippet = snippet(place, AnnotationKind::Primary, None, &[]);
        group = group.element(snippet.map_or_else(|| origin(place).into(), |(snippet, _)| snippet));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(scrub(help).into_owned()));
    }
    group
}

/// The place of a finding and the places that explain it; and whether the source shows the actual value.
fn source<'a>(finding: &'a Finding, places: &Places<'a>) -> (Vec<Element<'a>>, bool) {
    let Some(place) = finding.site.and_then(|site| places.get(site)) else { return (Vec::new(), false) };
    let related: Vec<&(Site, String)> = finding.related.iter().take(MAX_LISTED).collect();
    let secret = finding.actual.as_ref().is_some_and(|actual| actual.contains("(sensitive)"));
    let visible = |place, kind, label, related: &[_]| {
        if secret { None } else { snippet(place, kind, label, related) }
    };
    let actual = finding.actual.as_deref();
    let first = visible(place, AnnotationKind::Primary, actual, &related);
    let labelled = first.is_some();
    let (first, drawn) = first.unwrap_or_else(|| (origin(place).into(), Vec::new()));
    // Where the way ends is told with it, unless there is more to show than the place.
    let ends: Vec<Site> =
        finding.resources.iter().filter_map(|subject| Some(subject.via.last()?.site)).collect();
    let mut elements = vec![first];
    for (index, (site, label)) in related.iter().enumerate() {
        let Some(place) = places.get(*site).filter(|_| !drawn.contains(&index)) else { continue };
        if let Some((snippet, _)) = visible(place, AnnotationKind::Context, Some(label), &[]) {
            elements.push(snippet);
        } else if !ends.contains(site) {
            elements.push(origin(place).into());
            elements.push(Level::NOTE.message(scrub(label).into_owned()).into());
        }
    }
    (elements, labelled)
}

/// The source around a place, with those of `related` that are inside, and which of them are. [`None`] where it may not be
/// shown.
fn snippet<'a>(
    place: Place<'a>,
    kind: AnnotationKind,
    label: Option<&'a str>,
    related: &[&'a (Site, String)],
) -> Option<(Element<'a>, Vec<usize>)> {
    if !shows_source(place) {
        return None;
    }
    // A site in another file becomes an empty span at the end of time: never inside.
    let elsewhere = Span::new(u32::MAX, u32::MAX);
    let spans: Vec<Span> = related
        .iter()
        .map(|(site, _)| if site.file == place.site.file { site.span } else { elsewhere })
        .collect();
    let line = place.region.start.line as usize;
    let cut = window(place.file.text(), place.site.span, line, &spans)?;
    let mut snippet = Snippet::source(cut.text)
        .line_start(cut.first_line)
        .path(scrub(place.file.path()))
        .annotation(kind.span(cut.span).label(label.map(shorten)));
    let mut inside = Vec::new();
    for (index, range) in cut.others {
        let Some((_, label)) = related.get(index) else { continue };
        snippet = snippet.annotation(AnnotationKind::Context.span(range).label(shorten(label)));
        inside.push(index);
    }
    Some((snippet.into(), inside))
}

fn shorten(label: &str) -> String {
    scrub(&clip(label, MAX_LABEL)).into_owned()
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
