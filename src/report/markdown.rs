//! The page for the summary of a CI job: counts, then the worst findings as a table. GitHub drops a summary above 1 MiB.

use std::io;

use super::place::Places;
use super::{
    Item, Options, addresses_in_unit, clip, draw_way, framework, listed, plural, resolved, said,
    said_of_provided, scrub, summary, ways,
};
use crate::diagnostic::Level;
use crate::finding::{Report, Severity, State, Verdict};

/// The table ends before the page has this many bytes; whole rows only.
const MAX_BYTES: usize = 1_000_000;
/// Beyond this many rows nobody reads on.
const MAX_ROWS: usize = 1000;
/// Characters of any one text of a row.
const MAX_CELL: usize = 500;
/// Resolved findings listed below the table.
const MAX_RESOLVED: usize = 50;
/// Errors listed above the table.
const MAX_ERRORS: usize = 20;

pub(super) fn write(report: &Report, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = format!("## airgate: {}\n\n", summary::failures(report, options));
    page.push_str("| | critical | high | medium | low |\n|---|--:|--:|--:|--:|\n");
    for (name, counts) in [("fail", &report.summary.fail), ("undetermined", &report.summary.undetermined)] {
        let cells =
            Severity::ALL.map(|severity| counts.get(&severity).copied().unwrap_or_default().to_string());
        page.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    page.push_str(&format!("\n{} checks passed; {}\n", report.summary.passed, summary::resources(report)));
    if let Some(change) = summary::change(report) {
        page.push_str(&format!("\nWhat the change does: {change}\n"));
    }
    units(report, options, &mut page);
    problems(report, &mut page);
    page.push_str(&framework::markdown(report, cell));

    let places = Places::of(report);
    let mut items = listed(report, options).peekable();
    if items.peek().is_some() {
        page.push_str("\n| severity | rule | what | resources | where |\n|---|---|---|---|---|\n");
    }
    let mut rows = 0;
    while let Some(item) = items.peek() {
        let row = row(*item, &places);
        if rows == MAX_ROWS || page.len() + row.len() > MAX_BYTES {
            break;
        }
        page.push_str(&row);
        rows += 1;
        items.next();
    }
    let left = items.count();
    if left > 0 {
        page.push_str(&format!("\n{left} more are not listed here; the JSON report has them all.\n"));
    }
    resolved_list(report, options, &mut page);
    for line in said_of_provided(report, options).iter().take(MAX_RESOLVED) {
        page.push_str(&format!("\n{}\n", cell(line)));
    }
    out.write_all(page.as_bytes())
}

/// A row for each of several inputs.
fn units(report: &Report, options: &Options, page: &mut String) {
    for (n, line) in summary::units(report, options).iter().enumerate() {
        page.push_str(if n == 0 { "\n" } else { "" });
        page.push_str(&format!("- {}\n", cell(line)));
    }
}

/// What the change resolves, briefly.
fn resolved_list(report: &Report, options: &Options, page: &mut String) {
    let mut items = resolved(report, options);
    for (n, item) in items.by_ref().take(MAX_RESOLVED).enumerate() {
        page.push_str(if n == 0 { "\nResolved:\n\n" } else { "" });
        let resources = cell(&addresses_in_unit(&item.finding.resources, 3));
        page.push_str(&format!(
            "- {}: {} ({resources})\n",
            cell(&item.rule.id),
            cell(said(item.finding, item.rule))
        ));
    }
    let left = items.count();
    if left > 0 {
        page.push_str(&format!("- {left} more\n"));
    }
}

/// What keeps the run from being sure.
fn problems(report: &Report, page: &mut String) {
    let incomplete =
        report.inputs.iter().filter_map(|input| Some((input.path.as_str(), input.incomplete.as_deref()?)));
    for (path, why) in incomplete.take(MAX_ERRORS) {
        page.push_str(&format!("\n**Incomplete:** {}: {}\n", cell(path), cell(why)));
    }
    let errors: Vec<_> =
        report.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).collect();
    for error in errors.iter().take(MAX_ERRORS) {
        page.push_str(&format!("\n**Error:** {}\n", cell(&error.message)));
    }
    if errors.len() > MAX_ERRORS {
        page.push_str(&format!("\n{} more errors\n", errors.len() - MAX_ERRORS));
    }
}

fn row(item: Item<'_>, places: &Places<'_>) -> String {
    let Item { finding, rule, .. } = item;
    let mut severity = match finding.verdict {
        Verdict::Fail => finding.severity.to_string(),
        verdict => format!("{} ({})", finding.severity, verdict.as_str()),
    };
    if let Some(moved) = &finding.moved {
        severity.push_str(&format!(", {}", cell(moved)));
    }
    if let Some(state @ (State::New | State::Regression)) = finding.state {
        severity.push_str(&format!(", {}", state.as_str()));
    }
    if finding.drift {
        severity.push_str(", drift");
    }
    if finding.from_source {
        severity.push_str(", from source");
    }
    let mut place = finding.site.and_then(|site| places.brief(site)).unwrap_or_default();
    if let Some(((way, _), others)) = ways(&finding.resources).split_first() {
        place.push_str(&format!(" ← {}", draw_way(way, places)));
        if !others.is_empty() {
            place.push_str(&format!(", +{}", plural(others.len(), "other way", "other ways")));
        }
    }
    let actual = finding.actual.as_ref().filter(|_| finding.verdict != Verdict::Pass);
    let found = actual.map(|actual| format!("; found {actual}")).unwrap_or_default();
    format!(
        "| {severity} | {} | {} | {} | {} |\n",
        cell(&rule.id),
        cell(&format!("{}{found}", said(finding, rule))),
        cell(&addresses_in_unit(&finding.resources, 3)),
        cell(&place),
    )
}

/// Text in a table cell: nothing in it is markup, a link, a mention or the end of the cell.
fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    for c in scrub(&clip(text, MAX_CELL)).chars() {
        let link = c == '/' && before == ':';
        let markup =
            matches!(c, '&' | '<' | '>' | '|' | '\\' | '`' | '*' | '[' | ']' | '#' | '~' | '@' | '!' | '$');
        if link || markup || (c == '_' && !before.is_alphanumeric()) {
            escaped.push_str(&format!("&#{};", u32::from(c)));
        } else {
            escaped.push(c);
        }
        before = c;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_holds_no_markup() {
        assert_eq!(
            cell("a|b <img> `c` _d_ e_f @team https://x [y](z)\n"),
            "a&#124;b &#60;img&#62; &#96;c&#96; &#95;d_ e_f &#64;team https:&#47;/x &#91;y&#93;(z)␊"
        );
        assert_eq!(cell(&"x".repeat(600)).chars().count(), MAX_CELL + 1);
    }
}
