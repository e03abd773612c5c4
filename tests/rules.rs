//! Every rule file is one test: it loads, and its examples get the verdicts that they promise with only that rule on.
//! `rules/README.md` is one more, for what the files must be together.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use airgate::config::Config;
use airgate::diagnostic::Level;
use airgate::finding::{Report, Verdict};
use airgate::rules::{Example, Expectation, Rule, RuleSet, index};
use datatest_stable::Result;

#[path = "common/fixes.rs"]
mod fixes;

datatest_stable::harness! {
    { test = one_rule, root = "rules", pattern = r"/[A-Z0-9]+(-[A-Z0-9]+){3}-[^/]*\.md$" },
    { test = all_rules, root = "rules", pattern = r"^README\.md$" },
}

fn one_rule(path: &Path) -> Result<()> {
    let shown = path.to_string_lossy().replace('\\', "/");
    let rule = Rule::parse(&shown, Cow::Owned(std::fs::read_to_string(path)?))?;
    let examples = rule.examples()?;
    for needed in [Expectation::Fail, Expectation::Pass] {
        if !examples.iter().any(|example| example.expect == needed) {
            return Err(format!("{shown}: no example of {needed:?}").into());
        }
    }
    // What a rule asks of the configuration, its page shows.
    let config = match std::fs::read_to_string(path)?.split("\n```toml\n").nth(1) {
        Some(block) => Config::parse(block.split("```").next().unwrap_or_default(), path)?,
        None => Config::default(),
    };
    let only_this = RuleSet::builtin()?.select(&[rule.id().to_owned()], &[])?;
    let mut faults: Vec<String> = examples
        .iter()
        .filter_map(|example| {
            let fault =
                analyze(example, &only_this, &config).and_then(|report| judge(example, &report)).err()?;
            Some(format!("{shown}:{}: {fault}", example.line))
        })
        .collect();
    faults.extend(fixes::faults(&rule, &examples, &only_this, &config));
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// Ids, names and controls are checked by loading them together; the order of sections by loading one.
fn all_rules(readme: &Path) -> Result<()> {
    let rules = RuleSet::builtin()?;
    let files = count_rule_files(Path::new("rules"))?;
    if rules.len() != files {
        return Err(format!("{files} rule files, but {} are embedded", rules.len()).into());
    }
    for rule in rules.iter() {
        // rules/aws/… holds AWS-…, rules/any/… ANY-…
        let provider = match rule.path().split('/').nth(1).unwrap_or_default() {
            "azure" => "AZ".to_owned(),
            "google" => "GCP".to_owned(),
            "kubernetes" => "K8S".to_owned(),
            other => other.to_uppercase(),
        };
        if !rule.id().starts_with(&format!("{provider}-")) {
            return Err(format!("{}: not in the directory of its provider", rule.path()).into());
        }
    }
    if std::fs::read_to_string(readme)? != index::readme(&rules) {
        return Err("rules/README.md is stale: run `cargo xtask docs`".into());
    }
    Ok(())
}

/// Runs one example as a root module with one file, or as the change that makes it.
fn analyze(example: &Example<'_>, rules: &RuleSet, config: &Config) -> Result<Report> {
    let after = [("main.tf", example.text)];
    Ok(match example.before {
        Some(before) => airgate::analyze_change(&[("main.tf", before)], &after, rules, config)?,
        None => airgate::analyze_text(&after, rules, config)?,
    })
}

/// Whether the report is what the example promises.
fn judge(example: &Example<'_>, report: &Report) -> Result<()> {
    if let Some(first) = report.diagnostics.iter().find(|diagnostic| diagnostic.level > Level::Notice) {
        return Err(format!("the example is not understood: {}", first.message).into());
    }
    let of = |verdict| -> BTreeSet<&str> {
        let findings = report.findings.iter().filter(|finding| finding.verdict == verdict);
        findings.flat_map(|finding| &finding.resources).map(|subject| subject.address.as_str()).collect()
    };
    let (failed, undetermined) = (of(Verdict::Fail), of(Verdict::Undetermined));
    let (found, excluded) = match example.expect {
        Expectation::Fail => (&failed, BTreeSet::new()),
        Expectation::Undetermined => (&undetermined, failed.clone()),
        Expectation::Pass => (&failed, &failed | &undetermined),
    };
    if !excluded.is_empty() {
        let messages: Vec<&str> = report.findings.iter().map(|finding| finding.message.as_str()).collect();
        return Err(format!("{:?} expected, but there are findings: {messages:?}", example.expect).into());
    }
    if example.expect == Expectation::Pass {
        return if report.summary.passed > 0 { Ok(()) } else { Err("nothing passes".into()) };
    }
    if found.is_empty() {
        return Err(format!("{:?} expected, but nothing is found", example.expect).into());
    }
    match example.addresses.iter().find(|address| !found.contains(*address)) {
        Some(missing) => {
            Err(format!("{:?} expected of {missing}, found of {found:?}", example.expect).into())
        }
        None => Ok(()),
    }
}

fn count_rule_files(dir: &Path) -> std::io::Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            count += count_rule_files(&path)?;
        } else if path.extension().is_some_and(|ext| ext == "md")
            && path.file_name().is_some_and(|name| name != "README.md")
        {
            count += 1;
        }
    }
    Ok(count)
}
