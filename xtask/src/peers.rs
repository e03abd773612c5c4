//! `docs/peers.md`: each check that another tool has for AI on AWS, and the rule that answers it. `rules/peers.csv` is its data.
//!
//! Its columns are peer, check, rules, what it checks, and why no rule answers it; only the last may have commas. A rule with
//! `?` before its id is one that may come: it counts from when it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use airgate::rules::RuleSet;
use anyhow::Context as _;

/// A check of another tool.
struct Row<'a> {
    peer: &'a str,
    check: &'a str,
    /// Ids, those that may come with `?`.
    rules: Vec<&'a str>,
    checks: &'a str,
    reason: &'a str,
}

/// The whole text of the page.
pub fn page(data: &str, rules: &RuleSet) -> anyhow::Result<String> {
    let paths: BTreeMap<&str, &str> = rules.iter().map(|rule| (rule.id(), rule.path())).collect();
    let mut rows = rows(data)?;
    for row in &mut rows {
        judge(row, &paths)?;
    }
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for row in &rows {
        let count = counts.entry(row.peer).or_default();
        count.0 += 1;
        count.1 += usize::from(!row.rules.is_empty());
    }
    let answered: usize = counts.values().map(|count| count.1).sum();
    let mut out = format!(
        "# What others check\n\n\
         Each check that another tool has for AI on AWS, and the rule of airgate that answers it, or why none does. A rule answers a\n\
         check if it finds what the check is about; it may ask for more, or only where AI is. `cargo xtask docs` writes this page\n\
         from [rules/peers.csv](../rules/peers.csv).\n\n\
         {answered} of {} checks have a rule.\n\n\
         | tool | checks | with a rule | without |\n|---|--:|--:|--:|\n",
        rows.len()
    );
    for (peer, (all, with)) in &counts {
        writeln!(out, "| {peer} | {all} | {with} | {} |", all - with)?;
    }
    let mut last = "";
    for row in &rows {
        if row.peer != last {
            write!(out, "\n## {}\n\n| check | asks that | rule |\n|---|---|---|\n", row.peer)?;
            last = row.peer;
        }
        let link = |id: &&str| format!("[{id}](../{})", paths.get(id).copied().unwrap_or_default());
        let answer = match row.rules.as_slice() {
            [] => format!("none: {}", row.reason),
            ids => ids.iter().map(link).collect::<Vec<_>>().join(", "),
        };
        writeln!(out, "| `{}` | {} | {answer} |", row.check, row.checks)?;
    }
    Ok(out)
}

fn rows(data: &str) -> anyhow::Result<Vec<Row<'_>>> {
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for line in data.lines().skip(1) {
        let parts: Vec<&str> = line.splitn(5, ',').collect();
        let [peer, check, rules, checks, reason] = parts[..] else {
            anyhow::bail!("`{line}` has not 5 columns")
        };
        anyhow::ensure!(seen.insert((peer, check)), "{peer} has {check} twice");
        rows.push(Row { peer, check, rules: rules.split_whitespace().collect(), checks, reason });
    }
    Ok(rows)
}

/// Leaves the rules that there are.
fn judge(row: &mut Row<'_>, paths: &BTreeMap<&str, &str>) -> anyhow::Result<()> {
    let (peer, check) = (row.peer, row.check);
    let mut there = Vec::new();
    for id in &row.rules {
        match id.strip_prefix('?') {
            Some(id) if paths.contains_key(id) => there.push(id),
            Some(_) => {}
            None if paths.contains_key(id) => there.push(*id),
            None => anyhow::bail!("{peer} {check}: there is no rule {id}"),
        }
    }
    row.rules = there;
    anyhow::ensure!(
        !row.rules.is_empty() || !row.reason.is_empty(),
        "{peer} {check}: neither a rule nor a reason"
    );
    Ok(())
}

/// The page as it must be now.
pub fn fresh(rules: &RuleSet) -> anyhow::Result<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/peers.csv");
    page(&std::fs::read_to_string(path).context("rules/peers.csv")?, rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(row: &str) -> anyhow::Result<String> {
        page(&format!("peer,check,rules,checks,reason\n{row}\n"), &RuleSet::builtin().unwrap())
    }

    #[test]
    fn every_check_has_a_rule_that_exists_or_a_reason() {
        let text = fresh(&RuleSet::builtin().unwrap()).unwrap();
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/peers.md");
        assert!(
            std::fs::read_to_string(page).unwrap() == text,
            "docs/peers.md is stale: run `cargo xtask docs`"
        );
    }

    #[test]
    fn what_answers_nothing_is_an_error() {
        let message = |row| of(row).unwrap_err().to_string();
        assert_eq!(message("tool,C1,AWS-XX-ENC-001,keys,"), "tool C1: there is no rule AWS-XX-ENC-001");
        assert_eq!(message("tool,C1,?AWS-XX-ENC-001,keys,"), "tool C1: neither a rule nor a reason");
        assert_eq!(message("tool,C1,keys"), "`tool,C1,keys` has not 5 columns");
        let page =
            of("tool,C1,?AWS-XX-ENC-001 AWS-SM-ENC-001,keys,\ntool,C2,,names,nobody asks, ever").unwrap();
        assert!(
            page.contains("1 of 2 checks have a rule.") && page.contains("| tool | 2 | 1 | 1 |"),
            "{page}"
        );
        assert!(page.contains("| `C2` | names | none: nobody asks, ever |"), "{page}");
    }
}
