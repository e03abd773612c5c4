//! Holds the reading of binary plans against `terraform show -json`: every `NAME.tfplan` below `fixtures/binary` beside the
//! `NAME.json` that Terraform printed of it. Instances, actions, every value and every mark must be the same, and so must the
//! verdicts, but where the source in the plan knows what the JSON does not.
//!
//! Plans below the directory that `AIRGATE_BINARY_PLANS` names are held to the same.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use airgate::catalog;
use airgate::config::Options;
use airgate::finding::{Report, Verdict};
use airgate::input::Inputs;
use airgate::program::{Mode, Program, Resource};
use airgate::source::Sources;
use airgate::terraform::source::is_configuration;
use airgate::terraform::source::variables::RunOptions;
use airgate::value::{Kind, Truth, Value, equal};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/binary")
}

/// The plans with what Terraform printed of them.
fn plans() -> Vec<(PathBuf, PathBuf)> {
    let more = std::env::var_os("AIRGATE_BINARY_PLANS").map(PathBuf::from);
    let mut plans = Vec::new();
    for directory in std::iter::once(fixtures()).chain(more) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let json = path.with_extension("json");
            if path.extension().is_some_and(|extension| extension == "tfplan") && json.is_file() {
                plans.push((path, json));
            }
        }
    }
    plans.sort();
    plans
}

fn program(path: &Path) -> Program {
    let mut sources = Sources::default();
    let inputs = Inputs::read(&[path.to_owned()], &RunOptions::default(), &mut sources).unwrap();
    inputs.items[0].program(&inputs, &sources, &|_| true).unwrap()
}

/// What two readings of one plan have, and where they differ.
#[derive(Default)]
struct Comparison {
    leaves: usize,
    /// Known from the source alone.
    fused: usize,
    wrong: Vec<String>,
}

impl Comparison {
    fn programs(&mut self, json: &Program, binary: &Program) {
        let by_address = |program: &'_ Program| {
            program.resources.iter().map(|r| r.address.to_string()).collect::<BTreeSet<_>>()
        };
        let (expected, found) = (by_address(json), by_address(binary));
        self.wrong
            .extend(expected.symmetric_difference(&found).map(|address| format!("{address}: only in one")));
        assert_eq!(binary.resources.len(), found.len(), "each once");
        let found: BTreeMap<&str, &Resource> =
            binary.resources.iter().map(|resource| (resource.address.as_str(), resource)).collect();
        for resource in &json.resources {
            if let Some(other) = found.get(resource.address.as_str()) {
                self.resources(resource, other);
                let region = |program: &Program, at: Option<usize>| {
                    at.map(|at| program.providers[at].region.as_str().map(str::to_owned))
                };
                let regions = (region(json, resource.provider), region(binary, other.provider));
                if regions.0.as_ref().is_some_and(Option::is_some) && regions.0 != regions.1 {
                    self.wrong.push(format!(
                        "{}: the region is {:?}, not {:?}",
                        resource.address, regions.1, regions.0
                    ));
                }
            }
        }
        if json.incomplete != binary.incomplete || json.written_by != binary.written_by {
            self.wrong.push(format!("{:?} and {:?}", json.incomplete, binary.incomplete));
        }
    }

    fn resources(&mut self, json: &Resource, binary: &Resource) {
        let facts = |resource: &Resource| {
            let Resource { action, mode, type_name, name, module, key, block, .. } = resource.clone();
            (action, mode, type_name, name, module, key, block)
        };
        let at = json.address.as_str();
        if facts(json) != facts(binary) {
            self.wrong.push(format!("{at}: {:?} and {:?}", facts(json), facts(binary)));
        }
        let sides = [
            ("before", json.earlier(), binary.earlier()),
            ("after", json.after.as_ref(), binary.after.as_ref()),
        ];
        for (when, json_value, binary_value) in sides {
            match (json_value, binary_value) {
                (None, None) => {}
                (Some(a), Some(b)) => {
                    let complete = |value: &Value| match json.mode {
                        Mode::Managed => catalog::complete(&json.type_name, value.clone(), false),
                        Mode::Data => value.clone(),
                    };
                    self.values(at, &complete(a), &complete(b), false, false);
                }
                _ => self.wrong.push(format!("{at}: one has nothing {when} the change")),
            }
        }
    }

    /// Compares two values that are sensitive as a part of what is around them.
    fn values(&mut self, at: &str, json: &Value, binary: &Value, hidden: bool, other_hidden: bool) {
        let (hidden, other_hidden) = (hidden || json.sensitive, other_hidden || binary.sensitive);
        match (&json.kind, &binary.kind) {
            (Kind::Unknown(_), Kind::Unknown(_)) => self.leaves += 1,
            (Kind::Unknown(_), _) => self.fused += 1,
            _ => match ((json.items(), json.map()), (binary.items(), binary.map())) {
                ((Some(a), _), (Some(b), _)) if a.len() == b.len() => {
                    for (index, (a, b)) in a.iter().zip(b).enumerate() {
                        self.values(&format!("{at}[{index}]"), a, b, hidden, other_hidden);
                    }
                }
                ((_, Some(a)), (_, Some(b))) if a.keys().eq(b.keys()) => {
                    for ((name, a), b) in a.iter().zip(b.values()) {
                        self.values(&format!("{at}.{name}"), a, b, hidden, other_hidden);
                    }
                }
                ((None, None), (None, None)) => {
                    self.leaves += 1;
                    if !is_equal(json, binary) {
                        self.wrong.push(format!("{at}: {:?} and {:?}", json.kind, binary.kind));
                    }
                    if hidden != other_hidden && !json.is_null() {
                        self.wrong.push(format!("{at}: sensitive is {other_hidden}, not {hidden}"));
                    }
                }
                _ => self.wrong.push(format!("{at}: other parts: {:?} and {:?}", json.kind, binary.kind)),
            },
        }
    }
}

/// Terraform's JSON has numbers of 64 bits, its plan all digits.
fn is_equal(json: &Value, binary: &Value) -> bool {
    match (&json.kind, &binary.kind) {
        (Kind::Null, Kind::Null) => true,
        (Kind::Number(a), Kind::Number(b)) => a.to_f64().to_bits() == b.to_f64().to_bits(),
        _ => equal(json, binary) == Truth::Yes,
    }
}

#[test]
fn a_binary_plan_says_what_its_json_says() {
    let mut total = Comparison::default();
    let plans = plans();
    for (path, json) in &plans {
        let mut comparison = Comparison::default();
        comparison.programs(&program(json), &program(path));
        let name = path.file_name().unwrap().to_string_lossy();
        println!("{name}: {} leaves, {} from the source", comparison.leaves, comparison.fused);
        total.leaves += comparison.leaves;
        total.wrong.extend(comparison.wrong.into_iter().map(|line| format!("{name}: {line}")));
    }
    assert!(total.wrong.is_empty(), "{}", total.wrong.join("\n"));
    assert!(plans.len() >= 2 && total.leaves > 500, "{} leaves of {} plans", total.leaves, plans.len());
}

/// Rule, resource and verdict.
type Said = BTreeMap<(String, String), Verdict>;

fn said(report: &Report) -> Said {
    let all = report.findings.iter().flat_map(|finding| {
        let rule = report.rules[finding.rule].id.clone();
        let each = finding.resources.iter();
        each.map(move |subject| ((rule.clone(), subject.address.to_string()), finding.verdict))
    });
    all.collect()
}

#[test]
fn a_binary_plan_is_judged_as_its_json_and_its_findings_point_into_the_source() {
    for (path, json) in plans() {
        let report = |path: &Path| airgate::analyze(&[path.to_owned()], &Options::default()).unwrap();
        let (binary, json) = (report(&path), report(&json));
        let (found, expected) = (said(&binary), said(&json));
        for (what, verdict) in &expected {
            let other = found.get(what);
            // What the source knows may decide.
            let is_same = other == Some(verdict) || *verdict == Verdict::Undetermined;
            assert!(is_same, "{}: {what:?} is {other:?}, not {verdict:?}", path.display());
        }
        for (what, verdict) in &found {
            // Who calls models may be told by a policy that only the source knows.
            let is_told = expected.contains_key(what) || what.0 == "AWS-BED-LOG-001";
            assert!(is_told, "{}: {what:?} is {verdict:?} in the binary plan alone", path.display());
        }
        for finding in &binary.findings {
            let file = finding.site.and_then(|site| binary.sources.get(site.file));
            let place =
                file.unwrap_or_else(|| panic!("{}: no place: {}", path.display(), finding.message)).path();
            assert!(is_configuration(place), "{place}");
        }
    }
}

#[test]
fn a_policy_that_only_the_source_knows_is_judged() {
    let report = |name: &str| airgate::analyze(&[fixtures().join(name)], &Options::default()).unwrap();
    let what = ("AWS-BED-IAM-001".to_owned(), "aws_iam_role_policy.invoke".to_owned());
    assert_eq!(said(&report("changes.json")).get(&what), Some(&Verdict::Undetermined));
    assert_eq!(said(&report("changes.tfplan")).get(&what), Some(&Verdict::Fail));
}

#[test]
fn no_output_shows_a_sensitive_value_of_a_binary_plan() {
    const CANARY: &str = "canary-7f3a";
    let plan = fixtures().join("changes.tfplan");
    assert!(std::fs::read_to_string(plan.with_extension("json")).unwrap().contains(CANARY));
    for format in ["human", "json", "sarif", "markdown"] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_airgate"));
        let output =
            command.args(["check", "--show", "all", "--format", format]).arg(&plan).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        let shown = [output.stdout, output.stderr].concat();
        let shown = String::from_utf8_lossy(&shown);
        assert!(shown.contains("aws_sagemaker_model.chat"), "{format}");
        assert!(!shown.contains(CANARY), "{format}");
    }
}
