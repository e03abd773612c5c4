//! What was changed outside of the code and breaks a rule is told as drift, by every kind of plan and in every format.

#![cfg(test)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use program::{Dir, Run};
use serde_json::{Value, json};

/// Real plans: `fixtures/README.md` tells how they were made.
const PLAN: &str = include_str!("../fixtures/drift/plan.json");
const BINARY: &[u8] = include_bytes!("../fixtures/drift/plan.tfplan");
const REFRESH_ONLY: &str = include_str!("../fixtures/drift/refresh-only.json");
const BINARY_REFRESH_ONLY: &[u8] = include_bytes!("../fixtures/drift/refresh-only.tfplan");
const STATE: &str = include_str!("../fixtures/drift/terraform.tfstate");

const ROOT: &str = "AWS-SM-IAM-001";

fn run(input: &[u8], arguments: &[&str]) -> Run {
    let dir = Dir::new();
    dir.write("input", input);
    dir.run(&[&["check", "input"], arguments].concat())
}

#[track_caller]
fn report(input: &[u8], arguments: &[&str]) -> Value {
    let run = run(input, &[&["--format", "json"], arguments].concat());
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// Rule, address and state of the findings that are drift.
fn drift(report: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["drift"] == true);
    let told = |f: &Value| (text(&f["rule"]), text(&f["resources"][0]["address"]), text(&f["state"]));
    findings.map(told).collect()
}

/// Rule and address of what was drift and is resolved.
fn repaired(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let resolved = report["resolved"].as_array().unwrap().iter().filter(|finding| finding["drift"] == true);
    resolved.map(|f| (text(&f["rule"]), text(&f["resources"][0]))).collect()
}

fn own(told: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    told.iter().map(|(a, b, c)| ((*a).into(), (*b).into(), (*c).into())).collect()
}

const LAB: &str = "aws_sagemaker_notebook_instance.lab";
const LEFT: &str = "aws_sagemaker_notebook_instance.left";

#[test]
fn drift_that_the_plan_leaves_and_drift_that_it_takes_back() {
    let stored = report(STATE.as_bytes(), &["--select", ROOT]);
    assert_eq!(stored["findings"], json!([]), "the state as stored passes");
    for input in [PLAN.as_bytes(), BINARY] {
        let report = report(input, &[]);
        assert_eq!(drift(&report), own(&[(ROOT, LEFT, "unchanged")]));
        assert_eq!(repaired(&report), [(ROOT.to_owned(), LAB.to_owned())]);
        assert_eq!(report["summary"]["change"]["drift"], 2);
        assert_eq!(report["summary"]["change"]["regression"], 0, "the plan is not to blame");
    }
}

#[test]
fn a_refresh_only_plan_tells_what_there_is() {
    for input in [REFRESH_ONLY.as_bytes(), BINARY_REFRESH_ONLY] {
        let report = report(input, &[]);
        assert_eq!(drift(&report), own(&[(ROOT, LAB, "unchanged"), (ROOT, LEFT, "unchanged")]));
        assert_eq!(report["summary"]["managed"], 2, "the third one is gone");
        assert_eq!(report["inputs"][0]["incomplete"], Value::Null);
    }
}

#[test]
fn every_format_says_that_it_is_drift() {
    let label = "it passed in the state as stored and fails as refreshed";
    let human = run(PLAN.as_bytes(), &["--select", ROOT]);
    human.reports(1, &[&format!("= drift: {label}"), " (it was drift)\n", ", 2 by drift\n"]);
    let sarif = run(PLAN.as_bytes(), &["--select", ROOT, "--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&sarif.out).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["properties"]["drift"], true);
    assert!(result["message"]["text"].as_str().unwrap().contains(label));
    assert_eq!(sarif["runs"][0]["properties"]["change"]["drift"], 2);
    let markdown = run(PLAN.as_bytes(), &["--select", ROOT, "--format", "markdown"]);
    assert!(
        markdown.out.contains("high, drift |") && markdown.out.contains("2 by drift"),
        "{}",
        markdown.out
    );
}

#[test]
fn drift_is_what_somebody_changed_so_it_is_not_left_out() {
    let report = report(REFRESH_ONLY.as_bytes(), &["--changed-only"]);
    assert_eq!(report["findings"].as_array().unwrap().len(), 2);
    let run = run(REFRESH_ONLY.as_bytes(), &["--fail-on", "critical", "--fail-on-regression"]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

/// The plan with a Bedrock resource that was there all the time, as `place` makes it of its entry.
fn with_model(plan: &str, place: fn(&mut Value, Value)) -> Value {
    let mut plan: Value = serde_json::from_str(plan).unwrap();
    let values = json!({
        "name": "m", "arn": "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/m",
        "id": "m", "status": "ACTIVE", "type": "APPLICATION", "tags": null,
    });
    place(&mut plan, values);
    let blocks = plan["configuration"]["root_module"]["resources"].as_array_mut().unwrap();
    blocks.push(json!({
        "address": "aws_bedrock_inference_profile.m", "mode": "managed", "type": "aws_bedrock_inference_profile",
        "name": "m", "provider_config_key": "aws", "expressions": {}, "schema_version": 0,
    }));
    plan
}

fn entry(values: &Value) -> Value {
    json!({
        "address": "aws_bedrock_inference_profile.m", "mode": "managed", "type": "aws_bedrock_inference_profile",
        "name": "m", "provider_name": "registry.terraform.io/hashicorp/aws", "values": values,
        "change": { "actions": ["no-op"], "before": values, "after": values, "after_unknown": {} },
    })
}

#[test]
fn what_protected_something_and_was_deleted_outside_is_drift_of_what_it_protected() {
    let logging = ("AWS-BED-LOG-001".to_owned(), "aws_bedrock_inference_profile.m".to_owned());
    let plan = with_model(PLAN, |plan, values| {
        plan["resource_changes"].as_array_mut().unwrap().push(entry(&values));
    });
    let told = report(plan.to_string().as_bytes(), &["--select", &logging.0]);
    assert_eq!(repaired(&told), std::slice::from_ref(&logging), "the plan creates it anew");
    let plan = with_model(REFRESH_ONLY, |plan, values| {
        let resources = &mut plan["prior_state"]["values"]["root_module"]["resources"];
        resources.as_array_mut().unwrap().push(entry(&values));
    });
    let told = report(plan.to_string().as_bytes(), &["--select", &logging.0]);
    assert_eq!(drift(&told), own(&[(&logging.0, &logging.1, "unchanged")]));
}

#[test]
fn drift_of_nothing_that_a_rule_asks_is_no_drift() {
    let mut plan: Value = serde_json::from_str(PLAN).unwrap();
    for entry in plan["resource_drift"].as_array_mut().unwrap() {
        entry["change"]["before"] = entry["change"]["after"].clone();
    }
    let report = report(plan.to_string().as_bytes(), &[]);
    assert_eq!((drift(&report), report["summary"]["change"]["drift"].clone()), (Vec::new(), json!(0)));
}

#[test]
fn a_damaged_entry_makes_the_run_unsure() {
    let mut plan: Value = serde_json::from_str(PLAN).unwrap();
    plan["resource_drift"][1] = json!({ "address": 5 });
    run(plan.to_string().as_bytes(), &[]).reports(2, &["an entry of `resource_drift`"]);
}
