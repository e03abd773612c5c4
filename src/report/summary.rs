//! The closing line: what a gate's log ends with, and what Atlantis reads the verdict from.
//!
//! It always says `N failures`, so that a reader of text can tell a clean run from one that printed nothing.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::{Options, failed_to_analyse, plural, provided};
use crate::finding::{InputInfo, Report, Severity};

/// More inputs are not listed one by one.
const MAX_UNITS: usize = 50;

/// More types that are not known are only counted.
const MAX_TYPES: usize = 10;

/// `3 failures (1 critical, 2 high), 4 undetermined, 61 passed; 23 managed resources (9 in AI scope), 2 types not known`
pub(super) fn line(report: &Report, options: &Options) -> String {
    let summary = &report.summary;
    let mut line = failures(report, options);
    line.push_str(&format!(
        ", {} undetermined, {} passed",
        total(&summary.undetermined, options),
        summary.passed
    ));
    line.push_str(&format!("; {}", resources(report)));
    if let Some(change) = change(report) {
        line.push_str(&format!("; change: {change}"));
    }
    let declared = provided(report, options).count();
    if declared > 0 {
        line.push_str(&format!("; {declared} provided elsewhere"));
    }
    let unsure = failed_to_analyse(report);
    if unsure > 0 {
        line.push_str(&format!("; {}", plural(unsure, "failure to analyse", "failures to analyse")));
    }
    line
}

/// `3 failures (1 critical, 2 high)`, with what `--min-severity` hides.
pub(super) fn failures(report: &Report, options: &Options) -> String {
    let fail = &report.summary.fail;
    let mut line = counted(fail, options);
    let hidden = fail.values().sum::<usize>() - total(fail, options);
    if hidden > 0 {
        line.push_str(&format!(", {hidden} below {} not shown", options.min_severity));
    }
    line
}

/// `3 failures (1 critical, 2 high)`
fn counted(fail: &BTreeMap<Severity, usize>, options: &Options) -> String {
    let shown: Vec<String> = Severity::ALL
        .into_iter()
        .filter(|&severity| severity >= options.min_severity)
        .filter_map(|severity| fail.get(&severity).filter(|&&n| n > 0).map(|n| format!("{n} {severity}")))
        .collect();
    let mut line = plural(total(fail, options), "failure", "failures");
    if !shown.is_empty() {
        line.push_str(&format!(" ({})", shown.join(", ")));
    }
    line
}

/// `+2 new, 1 regression, 3 resolved`, all of them, whatever is shown; [`None`] if no input tells what was before.
pub(super) fn change(report: &Report) -> Option<String> {
    let change = report.summary.change?;
    let regressions = plural(change.regression, "regression", "regressions");
    let mut text = format!("+{} new, {regressions}, {} resolved", change.new, change.resolved);
    if change.drift > 0 {
        text.push_str(&format!(", {} by drift", change.drift));
    }
    if change.left_out > 0 {
        text.push_str(&format!(", {} not touched left out", change.left_out));
    }
    Some(text)
}

/// `prod/agent: 3 failures (1 high, 2 medium), 2 undetermined; 23 managed resources`, for each of several inputs.
pub(super) fn units(report: &Report, options: &Options) -> Vec<String> {
    if report.inputs.len() < 2 {
        return Vec::new();
    }
    // What there is to do first.
    let mut inputs: Vec<_> = report.inputs.iter().collect();
    inputs.sort_by_key(|input| std::cmp::Reverse(total(&input.fail, options) > 0));
    let line = |input: &&InputInfo| {
        let managed = plural(input.managed, "managed resource", "managed resources");
        let undetermined = total(&input.undetermined, options);
        format!("{}: {}, {undetermined} undetermined; {managed}", input.unit, counted(&input.fail, options))
    };
    let mut lines: Vec<String> = inputs.iter().take(MAX_UNITS).map(line).collect();
    if inputs.len() > MAX_UNITS {
        lines.push(format!("… and {} more", inputs.len() - MAX_UNITS));
    }
    lines
}

/// `types not known: aws_new_thing, random_pet`, if there are any: nothing is said of their resources.
pub(super) fn unknown_types(report: &Report) -> Option<String> {
    let types = &report.summary.unknown_types;
    let mut names: Vec<&str> = types.keys().map(SmolStr::as_str).take(MAX_TYPES).collect();
    let more = types.len().saturating_sub(MAX_TYPES);
    let more = (more > 0).then(|| format!("and {more} more"));
    names.extend(more.as_deref());
    (!names.is_empty()).then(|| format!("types not known: {}", names.join(", ")))
}

/// `23 managed resources (9 in AI scope) in 3 inputs, 2 types not known`
pub(super) fn resources(report: &Report) -> String {
    let summary = &report.summary;
    let managed = plural(summary.managed, "managed resource", "managed resources");
    let mut line = format!("{managed} ({} in AI scope)", summary.in_scope);
    if report.inputs.len() > 1 {
        line.push_str(&format!(" in {} inputs", report.inputs.len()));
    }
    let mut also = |n: usize, one: &str, many: &str| {
        if n > 0 {
            line.push_str(&format!(", {}", plural(n, one, many)));
        }
    };
    also(summary.excluded.len(), "left out of AI scope by its tags", "left out of AI scope by their tags");
    also(summary.unknown_types.len(), "type not known", "types not known");
    also(summary.unmapped, "resource not mapped", "resources not mapped");
    also(summary.unfollowed_modules, "module not followed", "modules not followed");
    line
}

fn total(counts: &BTreeMap<Severity, usize>, options: &Options) -> usize {
    counts.range(options.min_severity..).map(|(_, n)| n).sum()
}
