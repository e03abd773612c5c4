//! What rules say of the clauses of a framework: for people as text and as a Markdown table, for machines as JSON.
//!
//! The word is *supports*: nobody complies with a clause because a rule passes.

use serde::Serialize;

use super::{clip, plural, scrub};
use crate::finding::{ClauseInfo, FrameworkInfo, Report, Tally};

/// Characters of a clause's meaning in a table.
const MAX_MEANING: usize = 100;
/// What every table says of itself.
const SUPPORTS: &str = "checks support these clauses; passing them does not show compliance";

/// How a clause stands, worst first.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Standing {
    Failed,
    Undetermined,
    Passed,
    /// Rules check it, and the input has nothing of their kind.
    Nothing,
    /// No rule that ran checks it.
    NoRule,
}

impl Standing {
    fn of(clause: &ClauseInfo) -> Self {
        match clause.tally {
            _ if clause.rules.is_empty() => Self::NoRule,
            tally if tally.failed > 0 => Self::Failed,
            tally if tally.undetermined > 0 => Self::Undetermined,
            tally if tally.passed > 0 => Self::Passed,
            _ => Self::Nothing,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Undetermined => "undetermined",
            Self::Passed => "passed",
            Self::Nothing => "nothing-to-check",
            Self::NoRule => "no-rule",
        }
    }
}

/// A section of text for each framework.
pub(super) fn text(report: &Report) -> String {
    report.frameworks.iter().map(|framework| text_of(framework, report)).collect()
}

fn text_of(framework: &FrameworkInfo, report: &Report) -> String {
    let width =
        framework.clauses.iter().map(|clause| clause.clause.chars().count()).max().unwrap_or(0).max(6);
    let mut text = format!("{}\n  {SUPPORTS}\n\n", scrub(&headline(framework)));
    text.push_str(&format!("  {:width$}  failed  undetermined  passed\n", "clause"));
    for clause in asked(framework) {
        let Tally { failed, undetermined, passed } = clause.tally;
        let counts = format!("{failed:>6}  {undetermined:>12}  {passed:>6}");
        let meaning = clip(&clause.meaning, MAX_MEANING);
        text.push_str(&format!("  {:width$}  {counts}  {}\n", scrub(&clause.clause), scrub(&meaning)));
        let wrong = unsettled(clause, report);
        if !wrong.is_empty() {
            text.push_str(&format!("  {:width$}  {}\n", "", scrub(&wrong.join(", "))));
        }
    }
    for (what, standing) in UNASKED {
        let clauses = standing_so(framework, standing);
        if !clauses.is_empty() {
            text.push_str(&format!("\n  {what}: {}\n", scrub(&clauses.join(", "))));
        }
    }
    text.push_str("\n  no code can show:\n");
    for beyond in &framework.beyond {
        text.push_str(&format!("    - {}\n", scrub(beyond)));
    }
    text.push('\n');
    text
}

/// A section with a table for each framework. `cell` makes a text safe in a cell.
pub(super) fn markdown(report: &Report, cell: fn(&str) -> String) -> String {
    let mut page = String::new();
    for framework in &report.frameworks {
        page.push_str(&format!("\n### {}\n\n{SUPPORTS}\n\n", cell(&headline(framework))));
        page.push_str(
            "| clause | failed | undetermined | passed | what it asks | rules that do not pass |\n",
        );
        page.push_str("|---|--:|--:|--:|---|---|\n");
        for clause in asked(framework) {
            let Tally { failed, undetermined, passed } = clause.tally;
            page.push_str(&format!(
                "| {} | {failed} | {undetermined} | {passed} | {} | {} |\n",
                cell(&clause.clause),
                cell(&clause.meaning),
                cell(&unsettled(clause, report).join(", "))
            ));
        }
        for (what, standing) in UNASKED {
            let clauses = standing_so(framework, standing);
            if !clauses.is_empty() {
                page.push_str(&format!("\nWith {what}: {}\n", cell(&clauses.join(", "))));
            }
        }
        page.push_str("\nNo code can show:\n\n");
        for beyond in &framework.beyond {
            page.push_str(&format!("- {}\n", cell(beyond)));
        }
    }
    page
}

/// The standings of clauses that nothing was asked for.
const UNASKED: [(&str, Standing); 2] =
    [("nothing of its kind in the input", Standing::Nothing), ("no rule", Standing::NoRule)];

/// `EU AI Act, Regulation (EU) 2024/1689: 3 of 38 clauses fail, 4 undetermined, 9 pass`
fn headline(framework: &FrameworkInfo) -> String {
    let count = |standing| framework.clauses.iter().filter(|clause| Standing::of(clause) == standing).count();
    format!(
        "{}, {}: of {} {} with failures, {} undetermined, {} passed",
        framework.name,
        framework.title,
        plural(framework.clauses.len(), "clause", "clauses"),
        count(Standing::Failed),
        count(Standing::Undetermined),
        count(Standing::Passed),
    )
}

/// The clauses that something was asked for.
fn asked(framework: &FrameworkInfo) -> impl Iterator<Item = &ClauseInfo> {
    framework.clauses.iter().filter(|clause| clause.tally.asked() > 0)
}

fn standing_so(framework: &FrameworkInfo, standing: Standing) -> Vec<String> {
    let so = framework.clauses.iter().filter(|clause| Standing::of(clause) == standing);
    so.map(|clause| clause.clause.clone()).collect()
}

/// The ids of a clause's rules that fail or cannot be told.
fn unsettled(clause: &ClauseInfo, report: &Report) -> Vec<String> {
    let tally = |rule: usize| report.tallies.get(rule).copied().unwrap_or_default();
    let open = clause.rules.iter().filter(|&&rule| tally(rule).failed + tally(rule).undetermined > 0);
    open.filter_map(|&rule| report.rules.get(rule).map(|rule| rule.id.clone())).collect()
}

/// A framework in the JSON report.
#[derive(Serialize)]
pub(super) struct Framework<'a> {
    id: &'a str,
    name: &'a str,
    title: &'a str,
    source: &'a str,
    clauses: Vec<Clause<'a>>,
    beyond: &'a [String],
}

#[derive(Serialize)]
struct Clause<'a> {
    #[serde(rename = "clause")]
    id: &'a str,
    meaning: &'a str,
    standing: &'static str,
    checks: Checks,
    rules: Vec<&'a str>,
}

/// Pairs of a rule and a resource.
#[derive(Serialize)]
pub(super) struct Checks {
    failed: usize,
    undetermined: usize,
    passed: usize,
}

impl From<Tally> for Checks {
    fn from(Tally { failed, undetermined, passed }: Tally) -> Self {
        Self { failed, undetermined, passed }
    }
}

impl<'a> Framework<'a> {
    pub(super) fn of(framework: &'a FrameworkInfo, report: &'a Report) -> Self {
        let clause = |clause: &'a ClauseInfo| Clause {
            id: &clause.clause,
            meaning: &clause.meaning,
            standing: Standing::of(clause).as_str(),
            checks: clause.tally.into(),
            rules: clause
                .rules
                .iter()
                .filter_map(|&rule| Some(report.rules.get(rule)?.id.as_str()))
                .collect(),
        };
        Self {
            id: &framework.id,
            name: &framework.name,
            title: &framework.title,
            source: &framework.source,
            clauses: framework.clauses.iter().map(clause).collect(),
            beyond: &framework.beyond,
        }
    }
}
