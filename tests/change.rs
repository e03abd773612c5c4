//! What a plan does to the posture: states of findings, what is left out, and how the gate takes it.

#![cfg(test)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use program::{Dir, Run};
use serde_json::{Value, json};

/// A real plan over a state: `fixtures/README.md` tells how it was made.
const PLAN: &str = include_str!("../fixtures/change/plan.json");

/// Runs the check of a plan and returns the JSON report.
#[track_caller]
fn report(plan: &str, arguments: &[&str]) -> Value {
    let run = run(plan, &[&["--format", "json", "--fail-on", "critical"], arguments].concat());
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

fn run(plan: &str, arguments: &[&str]) -> Run {
    let dir = Dir::new();
    dir.write("plan.json", plan);
    dir.run(&[&["check", "plan.json"], arguments].concat())
}

/// `rule address` of the findings of that state and verdict.
fn told(report: &Value, state: &str, verdict: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let of_state = findings.iter().filter(|f| f["state"] == state && f["verdict"] == verdict);
    let mut told: Vec<String> = of_state
        .flat_map(|f| {
            let addresses = f["resources"].as_array().unwrap().iter();
            addresses.map(|r| format!("{} {}", f["rule"].as_str().unwrap(), r["address"].as_str().unwrap()))
        })
        .collect();
    told.sort();
    told
}

fn resolved(report: &Value) -> Vec<String> {
    let resolved = report["resolved"].as_array().unwrap().iter();
    let mut told: Vec<String> = resolved
        .flat_map(|f| {
            let addresses = f["resources"].as_array().unwrap().iter();
            addresses.map(|r| format!("{} {}", f["rule"].as_str().unwrap(), r.as_str().unwrap()))
        })
        .collect();
    told.sort();
    told
}

/// A plan of notebooks: `root_access` before and after of each address. `null` is no object, `"?"` known after apply.
fn notebooks(changes: &[(&str, &str, Value, Value)]) -> String {
    let object = |access: &Value| match access.as_str() {
        None => Value::Null,
        Some("?") => json!({ "name": "n" }),
        Some(access) => json!({ "name": "n", "root_access": access }),
    };
    let entry = |(address, action, before, after): &(&str, &str, Value, Value)| {
        let name = address.rsplit('.').next().unwrap().split('[').next().unwrap();
        let mut entry = json!({
            "address": address, "mode": "managed", "type": "aws_sagemaker_notebook_instance", "name": name,
            "change": {
                "actions": action.split(',').collect::<Vec<_>>(), "before": object(before), "after": object(after),
                "after_unknown": if after == "?" { json!({ "root_access": true }) } else { json!({}) },
            },
        });
        if let Some((_, key)) = address.split_once("[\"") {
            entry["index"] = json!(key.trim_end_matches("\"]"));
        }
        entry
    };
    let changes: Vec<Value> = changes.iter().map(entry).collect();
    json!({ "format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": changes }).to_string()
}

const ROOT: [&str; 2] = ["--select", "AWS-SM-IAM-001"];
const NOTEBOOK: &str = "aws_sagemaker_notebook_instance";

#[test]
fn what_protected_something_and_goes_is_a_regression_of_what_it_protected() {
    let report = report(PLAN, &[]);
    assert_eq!(
        told(&report, "regression", "fail"),
        [
            "AWS-BED-ENC-004 aws_s3_bucket.corpus", // its encryption configuration is deleted
            "AWS-BED-GRD-001 aws_bedrockagent_agent.support", // its guardrail is deleted and taken off
            "AWS-BED-LOG-001 aws_bedrockagent_agent.support", // invocation logging is deleted
            "AWS-S3-IAM-001 aws_s3_bucket.corpus",  // its public-access block is deleted
            "AWS-SM-ENC-001 aws_sagemaker_notebook_instance.lab", // it is replaced by one without a key
        ]
    );
    let new = told(&report, "new", "fail");
    assert!(!new.is_empty() && new.iter().all(|told| told.ends_with("notebook_instance.new")), "{new:?}");
    let unchanged = told(&report, "unchanged", "fail");
    assert!(unchanged.contains(&format!("AWS-SM-IAM-001 {NOTEBOOK}.moved")), "{unchanged:?}");
    let resolved = resolved(&report);
    assert!(resolved.contains(&format!("AWS-SM-IAM-001 {NOTEBOOK}.lab")), "it passes: {resolved:?}");
    assert!(resolved.contains(&format!("AWS-SM-IAM-001 {NOTEBOOK}.gone")), "it is gone: {resolved:?}");
    assert!(!resolved.iter().any(|told| told.ends_with("left") || told.ends_with("old")), "{resolved:?}");
    let change = &report["summary"]["change"];
    assert_eq!((&change["regression"], &change["left_out"]), (&json!(5), &json!(0)));
    assert_eq!(change["resolved"], report["resolved"].as_array().unwrap().len());
}

#[test]
fn the_summary_says_what_the_change_does_and_the_gate_can_ask_for_it() {
    let human = run(PLAN, &["--fail-on", "critical"]);
    human.reports(
        0,
        &["; change: +7 new, 5 regressions, 13 resolved\n", "change: regression: it passed before"],
    );
    assert!(human.out.contains("\nresolved AWS-SM-IAM-001: aws_sagemaker_notebook_instance.lab: "));
    let gate = ["--fail-on", "critical", "--fail-on-regression"];
    run(PLAN, &gate).reports(1, &["5 regressions"]);
    run(PLAN, &[&gate[..], &["--exit-zero"]].concat()).reports(0, &["5 regressions"]);
    // It is asked for whatever its severity, and only of what passed before.
    let low = ["--select", "AWS-SM-IAM-001", "--fail-on-regression", "--fail-on", "critical"];
    for (before, after, code) in
        [("Disabled", "Enabled", 1), ("Enabled", "Enabled", 0), ("Enabled", "Disabled", 0)]
    {
        let plan = notebooks(&[("aws_sagemaker_notebook_instance.a", "update", json!(before), json!(after))]);
        assert_eq!(run(&plan, &low).code, Some(code), "{before} → {after}");
    }
}

#[test]
fn only_what_the_plan_touches_is_asked_for() {
    let all = report(PLAN, &[]);
    let touched = report(PLAN, &["--changed-only"]);
    for state in ["new", "regression"] {
        assert_eq!(told(&touched, state, "fail"), told(&all, state, "fail"));
    }
    let left = told(&touched, "unchanged", "fail");
    assert!(left.contains(&format!("ANY-TAG-GOV-001 {NOTEBOOK}.lab")), "it is replaced: {left:?}");
    assert!(
        !left
            .iter()
            .any(|told| told.ends_with("moved") || told.ends_with("corpus") && !told.contains("data_source")),
        "nothing of them changes: {left:?}"
    );
    let change = &touched["summary"]["change"];
    assert!(change["left_out"].as_u64().unwrap() > 0);
    assert_eq!(change["unchanged"], left.len());
}

#[test]
fn each_pair_of_verdicts_has_a_state() {
    let (on, off, open, none) = (json!("Enabled"), json!("Disabled"), json!("?"), Value::Null);
    for (action, before, after, expected) in [
        ("update", &off, &on, Some(("regression", "fail"))),
        ("update", &on, &on, Some(("unchanged", "fail"))),
        ("create", &none, &on, Some(("new", "fail"))),
        ("delete,create", &off, &on, Some(("regression", "fail"))),
        ("create,delete", &on, &on, Some(("unchanged", "fail"))),
        ("update", &off, &open, Some(("new", "undetermined"))),
        ("update", &on, &open, Some(("unchanged", "undetermined"))),
        ("create", &none, &open, Some(("new", "undetermined"))),
        ("no-op", &on, &on, Some(("unchanged", "fail"))),
        ("update", &on, &off, None),
        ("delete", &on, &none, None),
        ("delete", &off, &none, None),
        ("forget", &on, &none, None),
    ] {
        let address = format!("{NOTEBOOK}.a");
        let report = report(&notebooks(&[(&address, action, before.clone(), after.clone())]), &ROOT);
        let what = format!("{action}: {before} → {after}");
        let named = vec![format!("AWS-SM-IAM-001 {address}")];
        match expected {
            Some((state, verdict)) => assert_eq!(told(&report, state, verdict), named, "{what}: {report}"),
            None => assert_eq!(report["findings"], json!([]), "{what}"),
        }
        let is_resolved = before == "Enabled" && expected.is_none() && action != "forget";
        assert_eq!(resolved(&report) == named, is_resolved, "{what}");
        assert!(is_resolved || resolved(&report).is_empty(), "{what}");
    }
}

#[test]
fn instances_of_a_block_are_told_apart_by_their_states() {
    let (on, off) = (json!("Enabled"), json!("Disabled"));
    let [a, b, c] = ["a", "b", "c"].map(|key| format!("{NOTEBOOK}.lab[\"{key}\"]"));
    let plan = notebooks(&[
        (&a, "no-op", on.clone(), on.clone()),
        (&b, "update", off, on.clone()),
        (&c, "create", Value::Null, on),
    ]);
    let report = report(&plan, &ROOT);
    for (state, address) in [("unchanged", a), ("regression", b), ("new", c)] {
        assert_eq!(told(&report, state, "fail"), [format!("AWS-SM-IAM-001 {address}")]);
    }
}

#[test]
fn an_import_changes_nothing_but_is_touched() {
    let (on, address) = (json!("Enabled"), format!("{NOTEBOOK}.a"));
    let plan = notebooks(&[(&address, "no-op", on.clone(), on)]);
    let untouched = report(&plan, &[&ROOT[..], &["--changed-only"]].concat());
    assert_eq!(
        (&untouched["findings"], &untouched["summary"]["change"]["left_out"]),
        (&json!([]), &json!(1))
    );
    let plan = plan.replace(r#""actions":["no-op"]"#, r#""actions":["no-op"],"importing":{"id":"a"}"#);
    let touched = report(&plan, &[&ROOT[..], &["--changed-only"]].concat());
    assert_eq!(told(&touched, "unchanged", "fail"), [format!("AWS-SM-IAM-001 {address}")]);
}

#[test]
fn what_is_absent_is_a_matter_of_the_region_and_not_of_who_stands_for_it() {
    let agent = |name: &str, action: &str| {
        let object = json!({ "agent_name": name });
        let before = if action == "create" { Value::Null } else { object.clone() };
        json!({ "address": format!("aws_bedrockagent_agent.{name}"), "mode": "managed", "name": name,
            "type": "aws_bedrockagent_agent",
            "change": { "actions": [action], "before": before, "after": object, "after_unknown": {} } })
    };
    let plan =
        json!({ "format_version": "1.2", "resource_changes": [agent("b", "no-op"), agent("a", "create")] });
    let report = report(&plan.to_string(), &["--select", "AWS-BED-LOG-001"]);
    assert_eq!(told(&report, "unchanged", "fail"), ["AWS-BED-LOG-001 aws_bedrockagent_agent.a"]);
    assert_eq!(report["resolved"], json!([]));
}

#[test]
fn inputs_that_tell_nothing_of_before_have_no_states() {
    let dir = Dir::of("resource \"aws_sagemaker_notebook_instance\" \"lab\" {\n  name = \"n\"\n}\n");
    let flags = ["--changed-only", "--fail-on-regression"];
    let run = dir.run(&[&["check", ".", "--format", "json"], &flags[..]].concat());
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(run.code, Some(1), "nothing is left out: {run:?}");
    assert_eq!(report["summary"]["change"], Value::Null);
    assert!(report["findings"].as_array().unwrap().iter().all(|finding| finding["state"].is_null()));
    let note = "note: .: there is nothing for --changed-only and --fail-on-regression, only a plan";
    assert_eq!(run.err.matches("note:").count(), 1, "{}", run.err);
    assert!(run.err.contains(note), "{}", run.err);
    assert!(!dir.run(&["check", "."]).err.contains("note:"));
    // An action that airgate does not know is no knowledge of what was before.
    let on = json!("Enabled");
    let plan = notebooks(&[(&format!("{NOTEBOOK}.a"), "transmute", on.clone(), on)]);
    assert_eq!(self::report(&plan, &ROOT)["summary"]["change"], Value::Null);
}

#[test]
fn previews_tell_what_was_before_too() {
    let urn = "urn:pulumi:prod::app::aws:sagemaker/notebookInstance:NotebookInstance::lab";
    let state = |access: &str| {
        json!({ "urn": urn, "type": "aws:sagemaker/notebookInstance:NotebookInstance", "custom": true,
            "inputs": { "rootAccess": access } })
    };
    let step = |op: &str, old: &str, new: &str| {
        json!({ "steps": [{ "op": op, "urn": urn, "oldState": state(old), "newState": state(new) }] })
            .to_string()
    };
    let report = report(&step("update", "Disabled", "Enabled"), &ROOT);
    assert_eq!(told(&report, "regression", "fail"), [format!("AWS-SM-IAM-001 {urn}")]);
    let report = self::report(&step("update", "Enabled", "Disabled"), &ROOT);
    assert_eq!(resolved(&report), [format!("AWS-SM-IAM-001 {urn}")]);
    let report = self::report(&step("same", "Enabled", "Enabled"), &ROOT);
    assert_eq!(told(&report, "unchanged", "fail"), [format!("AWS-SM-IAM-001 {urn}")]);
}

#[test]
fn a_key_that_goes_is_a_regression_of_what_goes_on_naming_it() {
    const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";
    let entry = |ty: &str, action: &str, before: Value, after: Value| {
        json!({ "address": format!("{ty}.x"), "mode": "managed", "type": ty, "name": "x",
            "change": { "actions": [action], "before": before, "after": after, "after_unknown": {} } })
    };
    let lab = json!({ "name": "lab", "kms_key_id": ARN });
    for (action, expected) in [("delete", 1), ("forget", 0)] {
        let plan = json!({ "format_version": "1.2", "resource_changes": [
            entry(NOTEBOOK, "no-op", lab.clone(), lab.clone()),
            entry("aws_kms_key", action, json!({ "arn": ARN, "key_id": "1" }), Value::Null),
        ] });
        let report = report(&plan.to_string(), &["--select", "AWS-SM-ENC-001"]);
        assert_eq!(told(&report, "regression", "fail").len(), expected, "{action}: {report}");
    }
}
