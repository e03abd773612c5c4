//! No two rules report the same defect of the same resource, in any fixture and any example of a rule. Two findings are of one
//! defect if their rules have the same control or family, and a question in common: what they decide by. `allowed.csv` has the
//! few pairs that share a question and ask for different things of it, each with the reason.

#![cfg(test)]

mod questions;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use airgate::check::vocabulary;
use airgate::config::{Config, FILE_NAME, Options};
use airgate::finding::{Report, Verdict};
use airgate::rules::{Expectation, RuleSet, compile};
use airgate::source::Sources;
use bumpalo::Bump;
use questions::{questions, same};

/// Two ids, the lesser first.
type Pair = (String, String);

/// What each rule decides by.
struct Asked(BTreeMap<String, BTreeSet<String>>);

impl Asked {
    fn of(rules: &RuleSet) -> Self {
        let arena = Bump::new();
        let file = Sources::default().add("rules", "");
        let compiled = compile(rules, &arena, file, vocabulary(), |_| true).unwrap();
        Self(compiled.iter().map(|rule| (rule.rule.id().to_owned(), questions(rule))).collect())
    }

    /// What both decide by.
    fn common(&self, one: &str, other: &str) -> Option<&str> {
        let (one, other) = (self.0.get(one)?, self.0.get(other)?);
        one.iter().find(|a| other.iter().any(|b| same(a, b))).map(String::as_str)
    }

    /// The pairs that report one defect of one resource as failed, each with where and what.
    fn pairs(&self, report: &Report) -> BTreeMap<Pair, String> {
        let mut by_resource: BTreeMap<(&str, &str), BTreeSet<usize>> = BTreeMap::new();
        for finding in report.findings.iter().filter(|finding| finding.verdict == Verdict::Fail) {
            for subject in &finding.resources {
                let unit = subject.unit.as_deref().unwrap_or_default();
                by_resource.entry((unit, &subject.address)).or_default().insert(finding.rule);
            }
        }
        let mut pairs = BTreeMap::new();
        for ((_, address), rules) in by_resource {
            let rules: Vec<_> = rules.into_iter().map(|rule| &report.rules[rule]).collect();
            for (n, one) in rules.iter().enumerate() {
                for other in &rules[n + 1..] {
                    let alike = one.control == other.control || one.family == other.family;
                    if let Some(question) = self.common(&one.id, &other.id).filter(|_| alike) {
                        let (a, b) =
                            (one.id.clone().min(other.id.clone()), one.id.clone().max(other.id.clone()));
                        pairs.entry((a, b)).or_insert_with(|| format!("`{question}` of {address}"));
                    }
                }
            }
        }
        pairs
    }
}

/// Every root module, plan, preview and stack of the fixtures.
fn fixtures(dir: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let has_source = |dir: &Path| {
        std::fs::read_dir(dir).is_ok_and(|mut all| {
            all.any(|entry| entry.is_ok_and(|entry| entry.path().extension().is_some_and(|it| it == "tf")))
        })
    };
    for path in entries {
        if path.is_dir() {
            if has_source(&path) {
                out.push(path.clone());
            }
            fixtures(&path, out);
        } else if path.extension().is_some_and(|it| it == "json" || it == "tfplan" || it == "tfstate") {
            out.push(path);
        }
    }
}

fn options(path: &Path) -> Options {
    let dir = if path.is_dir() { path } else { path.parent().unwrap() };
    let file = dir.join(FILE_NAME);
    let config = std::fs::read_to_string(&file)
        .map_or_else(|_| Config::default(), |text| Config::parse(&text, &file).unwrap());
    Options { config, ..Options::default() }
}

/// The pairs that are allowed, each with its reason.
fn allowed() -> BTreeMap<Pair, &'static str> {
    let lines = include_str!("allowed.csv").lines().skip(1);
    lines
        .map(|line| {
            let mut parts = line.splitn(3, ',');
            let mut next = || parts.next().unwrap_or_else(|| panic!("three parts: {line}"));
            let pair = (next().to_owned(), next().to_owned());
            let reason = next();
            assert!(pair.0 < pair.1 && reason.len() > 40, "the lesser id first, and a reason: {line}");
            (pair, reason)
        })
        .collect()
}

/// What is told twice by the fixtures and the examples of all rules.
fn told_twice(rules: &RuleSet) -> BTreeMap<Pair, String> {
    let asked = Asked::of(rules);
    let mut pairs = BTreeMap::new();
    let mut paths = Vec::new();
    fixtures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut paths);
    let mut read = 0;
    for path in paths {
        // Some of them are wrong on purpose, or no input at all.
        let Ok(report) = airgate::analyze(std::slice::from_ref(&path), &options(&path)) else { continue };
        read += 1;
        for (pair, what) in asked.pairs(&report) {
            pairs.entry(pair).or_insert_with(|| format!("{what} in {}", path.display()));
        }
    }
    assert!(read > 100, "only {read} fixtures were read");
    for rule in rules.iter() {
        for example in rule.examples().unwrap().iter().filter(|example| example.expect == Expectation::Fail) {
            let after = [("main.tf", example.text)];
            let report = match example.before {
                Some(before) => {
                    airgate::analyze_change(&[("main.tf", before)], &after, rules, &Config::default())
                }
                None => airgate::analyze_text(&after, rules, &Config::default()),
            };
            for (pair, what) in asked.pairs(&report.unwrap()) {
                pairs.entry(pair).or_insert_with(|| format!("{what} in {}:{}", rule.path(), example.line));
            }
        }
    }
    pairs
}

#[test]
fn no_two_rules_report_the_same_defect_of_the_same_resource() {
    let rules = RuleSet::builtin().unwrap();
    let allowed = allowed();
    let twice = told_twice(&rules);
    let wrong: Vec<String> = twice
        .iter()
        .filter(|(pair, _)| !allowed.contains_key(pair))
        .map(|((one, other), what)| format!("{one} and {other}: {what}"))
        .collect();
    assert!(wrong.is_empty(), "{} pairs report one defect twice:\n{}", wrong.len(), wrong.join("\n"));
    let stale: Vec<&Pair> = allowed.keys().filter(|pair| !twice.contains_key(pair)).collect();
    assert!(stale.is_empty(), "allowed, and never told twice: {stale:?}");
}

#[test]
fn a_copy_of_a_rule_is_found() {
    let rules = RuleSet::builtin().unwrap();
    let rule = rules.get("AWS-SM-ENC-001").unwrap();
    let copy = rule.text().replace("AWS-SM-ENC-001", "AWS-SM-ENC-901").replace(rule.name(), "copy");
    let dir = std::env::temp_dir().join(format!("airgate-overlap-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("AWS-SM-ENC-901-copy.md"), copy).unwrap();
    let both =
        rules.select(&[rule.id().to_owned()], &[]).unwrap().merge(RuleSet::load(&dir).unwrap()).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    let example = rule.examples().unwrap()[0].text.to_owned();
    let report = airgate::analyze_text(&[("main.tf", &example)], &both, &Config::default()).unwrap();
    let found: Vec<Pair> = Asked::of(&both).pairs(&report).into_keys().collect();
    assert_eq!(found, [("AWS-SM-ENC-001".to_owned(), "AWS-SM-ENC-901".to_owned())]);
}

#[test]
fn a_tag_that_the_configuration_requires_is_missed_once() {
    let config = Config::parse(
        "[tags]\nrequired = [\"ai-risk-tier\", \"data-classification\", \"data-residency\"]\n",
        Path::new("airgate.toml"),
    );
    let text = "resource \"aws_bedrockagent_knowledge_base\" \"a\" {\n  name     = \"a\"\n  role_arn = \"arn:aws:iam::111122223333:role/a\"\n}\n";
    let rules = RuleSet::builtin().unwrap();
    let report = airgate::analyze_text(&[("main.tf", text)], &rules, &config.unwrap()).unwrap();
    let failed = report.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
    let of_tags: Vec<&str> = failed
        .map(|finding| report.rules[finding.rule].id.as_str())
        .filter(|id| id.starts_with("ANY-TAG-"))
        .collect();
    assert_eq!(of_tags, ["ANY-TAG-GOV-001"]);
}
