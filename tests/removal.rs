//! What a plan deletes is judged for what it protected, and the controls of an account for whether anybody provides them.

#![cfg(test)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use program::{Dir, Run};
use serde_json::{Value, json};

/// A real plan over a state: `fixtures/README.md` tells how it was made.
const PLAN: &str = include_str!("../fixtures/removal/plan.json");
/// The same of `fixtures/change`, which deletes invocation logging and takes a guardrail off its agent.
const DETACHED: &str = include_str!("../fixtures/change/plan.json");

fn run(plan: &str, arguments: &[&str]) -> Run {
    let dir = Dir::new();
    dir.write("plan.json", plan);
    dir.run(&[&["check", "plan.json"], arguments].concat())
}

#[track_caller]
fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// `rule address` of the findings with that state and verdict.
fn told(report: &Value, state: &str, verdict: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let of_state = findings.iter().filter(|f| f["state"] == state && f["verdict"] == verdict);
    let named = |f: &Value| {
        format!("{} {}", f["rule"].as_str().unwrap(), f["resources"][0]["address"].as_str().unwrap())
    };
    let mut told: Vec<String> = of_state.map(named).collect();
    told.sort();
    told
}

/// The plan with the changes that `edit` makes to its entries.
fn edited(edit: impl Fn(&str, &mut Value)) -> String {
    let mut plan: Value = serde_json::from_str(PLAN).unwrap();
    for entry in plan["resource_changes"].as_array_mut().unwrap() {
        let address = entry["address"].as_str().unwrap().to_owned();
        edit(&address, entry);
    }
    plan.to_string()
}

const REMOVALS: &str =
    "AWS-BED-GRD-014,AWS-KMS-ENC-003,AWS-CW-LOG,AWS-SM-MON-007,AWS-VPC-NET-001,AWS-S3-LOG-003,AWS-BKP";

#[test]
fn whatever_protected_something_that_stays_is_a_regression() {
    let report = json_of(&run(PLAN, &["--format", "json"]));
    let regressions = told(&report, "regression", "fail");
    for expected in [
        "AWS-BED-GRD-014 aws_bedrock_guardrail.support",
        "AWS-BED-LOG-007 aws_bedrockagent_agent.support", // the trail with the selector
        "AWS-BKP-RSL-001 aws_backup_selection.models",
        "AWS-CFG-AUD-001 aws_bedrockagent_agent.support",
        "AWS-CT-LOG-002 aws_bedrockagent_agent.support",
        "AWS-CW-LOG-001 aws_flow_log.subnet",
        "AWS-CW-LOG-002 aws_cloudwatch_log_group.invocations",
        "AWS-GD-IR-001 aws_bedrockagent_agent.support",
        "AWS-KMS-ENC-003 aws_kms_key.lab",
        "AWS-MAC-IR-001 aws_s3_bucket.models",
        "AWS-S3-IAM-002 aws_s3_bucket.models",
        "AWS-S3-LOG-003 aws_s3_bucket_object_lock_configuration.models",
        "AWS-SH-AUD-001 aws_bedrockagent_agent.support",
        "AWS-SM-ENC-001 aws_sagemaker_notebook_instance.lab",
        "AWS-SM-MON-007 aws_cloudwatch_metric_alarm.errors",
        "AWS-SM-REG-003 aws_s3_bucket.models", // its versioning
        "AWS-VPC-NET-001 aws_vpc_endpoint.runtime",
    ] {
        assert!(regressions.contains(&expected.to_owned()), "{expected}: {regressions:#?}");
    }
    // Another flow log of the VPC stays; and what goes with another part of it is told once.
    assert!(!regressions.iter().any(|told| told.ends_with("aws_flow_log.vpc")), "{regressions:?}");
    assert!(!regressions.iter().any(|told| told.ends_with("monitoring_schedule.hourly")), "{regressions:?}");
    let tls = json_of(&run(PLAN, &["--format", "json", "--select", "AWS-S3-ENC-002"]));
    assert_eq!(told(&tls, "regression", "fail"), ["AWS-S3-ENC-002 aws_s3_bucket.models"], "its policy");
}

#[test]
fn a_finding_tells_what_stays_without_it() {
    let run = run(PLAN, &["--select", "AWS-KMS-ENC-003"]);
    run.reports(
        1,
        &[
            "error[AWS-KMS-ENC-003]: the change deletes a key that resources of an AI system go on naming",
            "`aws_sagemaker_notebook_instance.lab` stays without it",
            "= resource: aws_kms_key.lab",
            "= change: regression: it passed before",
            "change: +0 new, 1 regression, 0 resolved",
        ],
    );
}

#[test]
fn the_gate_stops_a_plan_that_removes_logging_and_detaches_a_guardrail() {
    let only = ["--select", "AWS-BED-LOG-001,AWS-BED-GRD-001", "--changed-only", "--fail-on", "critical"];
    run(DETACHED, &only).reports(0, &["2 failures (2 high)"]);
    let gate = [&only[..], &["--fail-on-regression"]].concat();
    run(DETACHED, &gate).reports(
        1,
        &[
            "error[AWS-BED-LOG-001]",
            "error[AWS-BED-GRD-001]",
            "change: regression: it passed before",
            "change: +0 new, 2 regressions, 0 resolved",
        ],
    );
}

#[test]
fn what_is_kept_replaced_or_goes_as_a_whole_is_no_loss() {
    let gate = ["--select", REMOVALS, "--format", "json", "--fail-on-regression"];
    let keep = |address: &str, entry: &mut Value, actions: Value| {
        let change = &mut entry["change"];
        if change["actions"] == json!(["delete"]) {
            change["actions"] = actions;
            change["after"] = change["before"].clone();
            change["address"] = json!(address);
        }
    };
    for actions in [json!(["no-op"]), json!(["delete", "create"]), json!(["create", "delete"])] {
        let plan = edited(|address, entry| keep(address, entry, actions.clone()));
        let report = run(&plan, &gate);
        assert_eq!((report.code, &json_of(&report)["findings"]), (Some(0), &json!([])), "{actions}");
    }
    // A move is told by the new address.
    let moved = edited(|address, entry| {
        keep(address, entry, json!(["no-op"]));
        if address == "aws_kms_key.lab" {
            entry["previous_address"] = json!("aws_kms_key.old");
        }
    });
    assert_eq!(run(&moved, &gate).code, Some(0));
    // All goes.
    let gone = edited(|_, entry| {
        let change = &mut entry["change"];
        change["actions"] = json!(["delete"]);
        change["after"] = Value::Null;
    });
    let report = run(&gone, &gate);
    assert_eq!((report.code, &json_of(&report)["findings"]), (Some(0), &json!([])));
}

#[test]
fn what_is_forgotten_cannot_be_told() {
    let plan = edited(|_, entry| {
        if entry["change"]["actions"] == json!(["delete"]) {
            entry["change"]["actions"] = json!(["forget"]);
        }
    });
    let run = run(&plan, &["--select", REMOVALS, "--format", "json", "--fail-on", "low"]);
    let report = json_of(&run);
    assert_eq!((run.code, told(&report, "regression", "fail")), (Some(0), Vec::new()));
    let open = told(&report, "new", "undetermined");
    assert!(open.contains(&"AWS-KMS-ENC-003 aws_kms_key.lab".to_owned()), "{open:?}");
    let cause = &report["findings"][0]["causes"][0];
    assert_eq!(cause, "it stays as it is, but this configuration does not manage it any more");
}

const AGENT: &str = "resource \"aws_bedrockagent_agent\" \"a\" {\n  agent_name = \"a\"\n}\n";
const ACCOUNT: [&str; 4] = ["--select", "AWS-BED-LOG-001,AWS-GD-IR-001", "--show", "undetermined"];

#[test]
fn a_control_that_is_declared_elsewhere_is_told_and_not_asked_for() {
    let dir = Dir::of(AGENT);
    dir.run(&[&["check", "."], &ACCOUNT[..]].concat()).reports(
        1,
        &[
            "error[AWS-BED-LOG-001]",
            "note[AWS-GD-IR-001]: cannot tell whether GuardDuty does not watch",
            "another may have it: name that as `guardduty` below `[provided]`",
            "1 failure (1 high), 1 undetermined, 0 passed",
        ],
    );
    dir.write(
        "airgate.toml",
        "[provided]\ninvocation-logging = \"platform/logging stack\"\nguardduty = \"platform/logging stack\"\n",
    );
    dir.run(&[&["check", "."], &ACCOUNT[..]].concat()).reports(
        0,
        &[
            "provided by \"platform/logging stack\", as configured: guardduty (AWS-GD-IR-001), invocation-logging (AWS-BED-LOG-001)",
            "0 failures, 0 undetermined, 2 passed; 1 managed resource (1 in AI scope); 2 provided elsewhere",
        ],
    );
    let report = json_of(&dir.run(&[&["check", ".", "--format", "json"], &ACCOUNT[..]].concat()));
    let provided = json!({ "rule": "AWS-BED-LOG-001", "name": "bedrock-without-invocation-logging",
        "control": "invocation-logging", "by": "platform/logging stack", "resources": ["aws_bedrockagent_agent.a"] });
    assert_eq!((&report["provided"][0], &report["findings"]), (&provided, &json!([])));
    let sarif = json_of(&dir.run(&[&["check", ".", "--format", "sarif"], &ACCOUNT[..]].concat()));
    assert_eq!(sarif["runs"][0]["properties"]["provided"].as_array().unwrap().len(), 2);
    assert_eq!(sarif["runs"][0]["results"], json!([]));
    let markdown = dir.run(&[&["check", ".", "--format", "markdown"], &ACCOUNT[..]].concat());
    assert!(
        markdown.out.contains("provided by \"platform/logging stack\", as configured: "),
        "{}",
        markdown.out
    );
    // What is here needs nobody else.
    dir.write("detector.tf", "resource \"aws_guardduty_detector\" \"d\" {\n}\n");
    let report = json_of(&dir.run(&[&["check", ".", "--format", "json"], &ACCOUNT[..]].concat()));
    assert_eq!(report["provided"].as_array().unwrap().len(), 1);
}

#[test]
fn a_control_that_nothing_else_provides_must_be_here() {
    let dir = Dir::of(AGENT);
    dir.write("airgate.toml", "[provided]\nguardduty = false\n");
    dir.run(&["check", ".", "--select", "AWS-GD-IR-001"])
        .reports(1, &["error[AWS-GD-IR-001]: GuardDuty does not"]);
    for (text, said) in [
        ("[provided]\nguarduty = \"x\"\n", "no rule asks for `guarduty`; did you mean `guardduty`"),
        ("[provided]\nguardduty = true\n", "say in words what provides it"),
        ("[provided]\nguardduty = \" \"\n", "say in words what provides it"),
        ("[provided]\nguardduty = 3\n", "airgate.toml:2:13: "),
    ] {
        dir.write("airgate.toml", text);
        dir.run(&["check", "."]).refuses(2, &[said]);
    }
}

#[test]
fn controls_of_an_account_are_asked_for_once_where_ai_is() {
    let rule = ["check", ".", "--format", "json", "--select", "AWS-GD-IR-001"];
    let verdicts = |source: &str| {
        let report = json_of(&Dir::of(source).run(&rule));
        let findings = report["findings"].as_array().unwrap().clone();
        let verdicts: Vec<String> =
            findings.iter().map(|f| f["verdict"].as_str().unwrap().to_owned()).collect();
        (verdicts, report["summary"]["passed"].as_u64().unwrap())
    };
    let of = |verdicts: &[&str], passed: u64| (verdicts.iter().map(|&v| v.to_owned()).collect(), passed);
    assert_eq!(verdicts("resource \"aws_s3_bucket\" \"b\" {\n}\n"), of(&[], 0), "no AI, nothing to watch");
    let providers = "provider \"aws\" {\n  region = \"eu-west-1\"\n}\nprovider \"aws\" {\n  alias = \"us\"\n  region = \"us-east-1\"\n}\n";
    let two = format!("{providers}{AGENT}{}", AGENT.replace("\"a\" {", "\"b\" {\n  provider = aws.us"));
    assert_eq!(verdicts(&two), of(&["undetermined", "undetermined"], 0), "once for each region");
    let one = format!("{two}resource \"aws_guardduty_detector\" \"d\" {{\n}}\n");
    assert_eq!(verdicts(&one), of(&["undetermined"], 1), "a detector is of its region");
    let module = format!("{AGENT}module \"m\" {{\n  source = \"example.com/a/b/aws\"\n}}\n");
    assert_eq!(verdicts(&module), of(&["undetermined"], 0));
    // A trail of all regions of one provider configuration's account may be that of another's.
    let trail = format!(
        "{providers}{}resource \"aws_cloudtrail\" \"t\" {{\n  name = \"t\"\n  is_multi_region_trail = true\n}}\n",
        AGENT.replace("\"a\" {", "\"b\" {\n  provider = aws.us")
    );
    let report =
        json_of(&Dir::of(&trail).run(&["check", ".", "--format", "json", "--select", "AWS-CT-LOG-002"]));
    assert_eq!(report["findings"][0]["causes"][0], "`aws_cloudtrail.t` may be for the same account");
}
