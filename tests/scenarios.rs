//! Whole scenarios: of source, plan and preview airgate says exactly what their `expected*.toml` say.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use airgate::config::{Config, FILE_NAME, Options};
use airgate::diagnostic::Level;
use airgate::finding::{Report, Verdict};
use airgate::program::InputKind;
use serde::Deserialize;
use serde_json::Value;

/// `expected.toml`, and `expected-pulumi.toml` where resources are the last parts of URNs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    counts: Counts,
    finding: Vec<Expectation>,
    /// What is also said of the plan, where it is read without its source and so tells less.
    #[serde(default)]
    plan_alone: Vec<Expectation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    /// Instances of managed resources.
    managed: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    rule: String,
    verdict: String,
    resources: Vec<String>,
}

/// A finding of one rule on one resource.
type Said = (String, String, String);

/// One way in which a scenario is written down, and what must be said of it.
struct Form {
    path: PathBuf,
    kind: InputKind,
    expected: Expected,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

impl Expected {
    fn load(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    fn said(&self) -> BTreeSet<Said> {
        let of = |it: &Expectation| {
            let (rule, verdict) = (it.rule.clone(), it.verdict.clone());
            let resources = it.resources.clone();
            resources.into_iter().map(move |resource| (rule.clone(), verdict.clone(), resource))
        };
        self.finding.iter().flat_map(of).collect()
    }

    /// What is expected of the plan: that, and what it tells less.
    fn of_plan(mut self) -> Self {
        self.finding.append(&mut self.plan_alone);
        self
    }
}

/// The names of all scenarios: the folders with an `expected.toml`.
fn scenarios() -> Vec<String> {
    let entries = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries
        .filter(|path| path.join("expected.toml").is_file())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Source, plan, and preview if there is one.
fn forms(scenario: &str) -> Vec<Form> {
    let dir = fixtures().join(scenario);
    let form =
        |path: PathBuf, kind, expected| Form { path, kind, expected: Expected::load(&dir.join(expected)) };
    let mut forms = vec![form(dir.clone(), InputKind::TerraformSource, "expected.toml")];
    let plan = form(dir.join("plan.json"), InputKind::TerraformPlan, "expected.toml");
    forms.push(Form { expected: plan.expected.of_plan(), ..plan });
    let preview = dir.join("pulumi-preview.json");
    if preview.is_file() {
        forms.push(form(preview, InputKind::PulumiPreview, "expected-pulumi.toml"));
    }
    forms
}

/// The last part of a URN, which may itself hold `::`.
fn urn_name(urn: &str) -> &str {
    urn.splitn(4, "::").nth(3).unwrap_or(urn)
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// How often each address (or URN name) of a managed resource is in a plan or a preview, read without airgate.
fn managed_in(form: &Form) -> Option<BTreeMap<String, usize>> {
    let document = match form.kind {
        InputKind::TerraformPlan | InputKind::PulumiPreview => json(&form.path),
        _ => return None,
    };
    let names: Vec<&str> = if form.kind == InputKind::TerraformPlan {
        let changes = document["resource_changes"].as_array().unwrap().iter();
        changes.filter(|it| it["mode"] == "managed").map(|it| it["address"].as_str().unwrap()).collect()
    } else {
        let steps = document["steps"].as_array().unwrap().iter();
        let custom = steps.filter(|it| it["newState"]["custom"] == true);
        custom.map(|it| urn_name(it["urn"].as_str().unwrap())).collect()
    };
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    Some(counts)
}

/// What does not fit between what is expected of a form and the form itself.
fn misfits(form: &Form) -> Vec<String> {
    let mut wrong = Vec::new();
    for it in &form.expected.finding {
        if !matches!(it.verdict.as_str(), "fail" | "undetermined") {
            wrong.push(format!("{}: `{}` is not a verdict that is reported", it.rule, it.verdict));
        }
        if it.resources.is_empty() || !it.resources.is_sorted_by(|a, b| a < b) {
            wrong.push(format!("{}: resources are none, repeated or not sorted", it.rule));
        }
    }
    let pairs: Vec<_> =
        form.expected.finding.iter().flat_map(|it| it.resources.iter().map(|r| (&it.rule, r))).collect();
    if pairs.iter().collect::<BTreeSet<_>>().len() != pairs.len() {
        wrong.push("a rule says two things of one resource".to_owned());
    }
    if let Some(managed) = managed_in(form) {
        let total: usize = managed.values().sum();
        if total != form.expected.counts.managed {
            wrong.push(format!("{total} managed resources, not {}", form.expected.counts.managed));
        }
        for (rule, resource) in pairs {
            match managed.get(resource) {
                Some(1) => {}
                Some(n) => wrong.push(format!("{rule}: {n} resources are called {resource}")),
                None => wrong.push(format!("{rule}: there is no {resource}")),
            }
        }
    }
    wrong
}

/// The configuration of a scenario, as the command line would find it.
fn options(scenario: &str) -> Options {
    let file = fixtures().join(scenario).join(FILE_NAME);
    let config = if file.is_file() { Config::load(&file).unwrap() } else { Config::default() };
    Options { config, ..Options::default() }
}

fn said(report: &Report, kind: InputKind) -> BTreeSet<Said> {
    let mut said = BTreeSet::new();
    for finding in report.findings.iter().filter(|finding| finding.verdict != Verdict::Pass) {
        for subject in &finding.resources {
            let name = match kind {
                InputKind::PulumiPreview => urn_name(&subject.address),
                _ => &subject.address,
            };
            said.insert((
                report.rules[finding.rule].id.clone(),
                finding.verdict.as_str().to_owned(),
                name.to_owned(),
            ));
        }
    }
    said
}

/// What airgate says of a form that it should not, and the other way round; empty if all is well.
fn differences(scenario: &str, form: &Form) -> String {
    let mut out = String::new();
    let report = match airgate::analyze(std::slice::from_ref(&form.path), &options(scenario)) {
        Ok(report) => report,
        Err(error) => return format!("  not analysed: {error}\n"),
    };
    let kinds: Vec<InputKind> = report.inputs.iter().map(|input| input.kind).collect();
    if kinds != [form.kind] {
        let _ = writeln!(out, "  read as {kinds:?}, not as one {:?}", form.kind);
    }
    if report.summary.managed != form.expected.counts.managed {
        let (read, there) = (report.summary.managed, form.expected.counts.managed);
        let _ = writeln!(out, "  {read} managed resources, not {there}");
    }
    for diagnostic in report.diagnostics.iter().filter(|it| it.level == Level::Error) {
        let _ = writeln!(out, "  error: {}", diagnostic.message);
    }
    let (expected, actual) = (form.expected.said(), said(&report, form.kind));
    for (rule, verdict, resource) in expected.difference(&actual) {
        let _ = writeln!(out, "  missing     {rule} {verdict} {resource}");
    }
    for (rule, verdict, resource) in actual.difference(&expected) {
        let _ = writeln!(out, "  unexpected  {rule} {verdict} {resource}");
    }
    out
}

/// Holds all forms of a scenario against what is expected of them.
fn hold(scenario: &str) {
    let mut out = String::new();
    for form in forms(scenario) {
        let differences = differences(scenario, &form);
        if !differences.is_empty() {
            let _ = write!(out, "{} ({})\n{differences}", scenario, form.kind);
        }
    }
    assert!(out.is_empty(), "\n{out}");
}

/// One test a scenario, and the list of them.
macro_rules! scenarios {
    ($($test:ident = $name:literal),+ $(,)?) => {
        const SCENARIOS: &[&str] = &[$($name),+];
        $(
            #[test]
            fn $test() {
                hold($name);
            }
        )+
    };
}

scenarios! {
    bedrock_agent = "bedrock-agent",
    clean = "clean",
    rag_bedrock = "rag-bedrock",
    realtime_endpoint = "realtime-endpoint",
    sagemaker_training = "sagemaker-training",
    studio_domain = "studio-domain",
}

#[test]
fn every_scenario_has_a_test() {
    assert_eq!(scenarios(), SCENARIOS);
}

#[test]
fn expectations_fit_their_plans_and_previews() {
    let mut wrong = Vec::new();
    let mut documents = 0;
    for scenario in scenarios() {
        for form in forms(&scenario) {
            documents += usize::from(managed_in(&form).is_some());
            wrong.extend(misfits(&form).into_iter().map(|it| format!("{scenario} ({}): {it}", form.kind)));
        }
    }
    assert_eq!(documents, 8, "six plans and two previews");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_named_file_that_is_no_input_is_an_error() {
    for name in ["truncated.json", "streaming.ndjson", "schema.json"] {
        let path = fixtures().join("broken").join(name);
        let error = airgate::analyze(&[path], &Options::default()).expect_err(name).to_string();
        assert!(error.contains(name), "{name} is not named: {error}");
    }
}

#[test]
fn a_plan_with_errors_is_analysed_and_said_to_be_incomplete() {
    let path = fixtures().join("broken/errored-plan.json");
    let report = airgate::analyze(&[path], &Options::default()).unwrap();
    assert_eq!(report.summary.managed, 1);
    assert!(report.inputs[0].incomplete.is_some());
}

#[test]
fn a_broken_file_does_not_hide_its_neighbours() {
    let report = airgate::analyze(&[fixtures().join("broken")], &Options::default()).unwrap();
    let said = said(&report, InputKind::TerraformSource);
    for (rule, address) in [
        ("AWS-SM-ENC-001", "aws_sagemaker_notebook_instance.lab"),
        ("AWS-BED-ENC-002", "aws_bedrock_guardrail.before"),
    ] {
        assert!(said.contains(&(rule.into(), "fail".into(), address.into())), "{rule} {address}: {said:?}");
    }
    let errors: Vec<&str> =
        report.diagnostics.iter().filter_map(|it| Some(report.sources.get(it.site?.file)?.path())).collect();
    for file in ["invalid-utf8.tf", "unclosed.tf"] {
        let told = errors.iter().any(|path| path.ends_with(file))
            || report.diagnostics.iter().any(|it| it.message.contains(file));
        assert!(told, "nothing is said of {file}");
    }
}
