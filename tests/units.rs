//! Folders of plans: what is found in them, what each unit is called, and that none is silently lost or mixed with another.

#![cfg(test)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use program::Dir;
use serde_json::{Value, json};

const PLAN: &str = include_str!("../fixtures/change/plan.json");
const BINARY: &[u8] = include_bytes!("../fixtures/binary/rag-platform.tfplan");
const ITS_JSON: &str = include_str!("../fixtures/binary/rag-platform.json");
const STATE: &str = include_str!("../fixtures/drift/terraform.tfstate");
const PREVIEW: &str = include_str!("../fixtures/readers/pulumi/preview.json");
const STACK: &str = include_str!("../fixtures/readers/pulumi/stack.json");
const NOTEBOOK: &str = "resource \"aws_sagemaker_notebook_instance\" \"n\" {\n  name = \"n\"\n}\n";

/// The report of a run in the directory.
#[track_caller]
fn report(dir: &Dir, arguments: &[&str]) -> Value {
    let run = dir.run(&[&["check", "--format", "json"], arguments].concat());
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// Path and unit of the inputs.
fn inputs(report: &Value) -> Vec<(&str, &str)> {
    let text = |value: &'_ Value| value.as_str().unwrap().to_owned().leak() as &str;
    report["inputs"].as_array().unwrap().iter().map(|i| (text(&i["path"]), text(&i["unit"]))).collect()
}

/// What is said, without what single inputs say.
fn said(report: &Value) -> Vec<String> {
    let said = report["diagnostics"].as_array().unwrap().iter().map(|d| d["message"].as_str().unwrap());
    said.filter(|message| {
        !message.contains(": ") || message.contains("left out") || message.contains("each is one")
    })
    .map(str::to_owned)
    .collect()
}

#[test]
fn the_tree_of_terragrunt_is_one_report_of_its_units() {
    let dir = Dir::new();
    dir.write("out/prod/agent/tfplan.json", PLAN);
    dir.write("out/dev/agent/tfplan.json", PLAN);
    dir.write("out/prod/rag/tfplan.tfplan", BINARY);
    dir.write("out/prod/rag/tfplan.json", ITS_JSON);
    let report = report(&dir, &["out"]);
    assert_eq!(
        inputs(&report),
        [
            ("out/dev/agent/tfplan.json", "dev/agent"),
            ("out/prod/agent/tfplan.json", "prod/agent"),
            ("out/prod/rag/tfplan.tfplan", "prod/rag"), // the plan is one unit, not two
        ]
    );
    // Two units with the same addresses have the findings of each.
    let of = |unit: &str| {
        let findings = report["findings"].as_array().unwrap().iter();
        let own = findings.filter(|f| f["resources"].as_array().unwrap().iter().all(|r| r["unit"] == unit));
        own.map(|f| (f["rule"].as_str().unwrap(), f["resources"][0]["address"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert!(!of("dev/agent").is_empty());
    assert_eq!(of("dev/agent"), of("prod/agent"));
    let all = report["findings"].as_array().unwrap();
    assert_eq!(all.len(), of("dev/agent").len() * 2 + of("prod/rag").len(), "each is of one unit");
    let mut prints: Vec<_> = all.iter().map(|finding| finding["fingerprint"].as_str().unwrap()).collect();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), all.len());
    // The numbers are those of each alone.
    let alone = self::report(&dir, &["out/prod/agent"]);
    assert_eq!(alone["summary"]["fail"], report["inputs"][1]["fail"]);
    assert_eq!(alone["findings"][0]["resources"][0]["unit"], Value::Null);
}

#[test]
fn findings_and_the_summary_name_the_unit() {
    let dir = Dir::new();
    dir.write("plans/agent.json", PLAN);
    dir.write("plans/lab.json", STATE);
    let human = dir.run(&["check", "plans"]);
    human.reports(1, &["= unit: agent.json\n", "= unit: lab.json\n", " in 2 inputs", " in agent.json: "]);
    let lines: Vec<&str> = human.out.lines().filter(|line| line.contains(" managed resource")).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines[0].starts_with("agent.json: ")
            && lines[1].starts_with("lab.json: 5 failures (4 medium, 1 low)")
    );
    let sarif = dir.run(&["check", "plans", "--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&sarif.out).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().all(|result| result["properties"]["units"].as_array().unwrap().len() == 1));
    assert!(results[0]["message"]["text"].as_str().unwrap().contains(" in agent.json."), "{}", results[0]);
    let markdown = dir.run(&["check", "plans", "--format", "markdown"]);
    assert!(markdown.out.contains("\n- lab.json: 5 failures"), "{}", markdown.out);
}

#[test]
fn content_tells_what_a_file_is() {
    let dir = Dir::new();
    dir.write("mixed/a.txt", PLAN);
    dir.write("mixed/b", BINARY);
    dir.write("mixed/c.dat", STATE);
    dir.write("mixed/preview", PREVIEW);
    dir.write("mixed/stacks/dev.json", STACK);
    dir.write("mixed/package.json", "{\"name\": \"x\", \"version\": \"1.0.0\"}");
    dir.write("mixed/readme.md", "Terraform used the selected providers");
    dir.write("mixed/code.zip", "PK\x03\x04 of something else");
    dir.write("mixed/terraform.tfstate.backup", STATE);
    dir.write("mixed/.terraform/terraform.tfstate", STATE);
    dir.write("mixed/node_modules/x/plan.json", PLAN);
    let report = report(&dir, &["mixed"]);
    let paths: Vec<_> = inputs(&report).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["mixed/a.txt", "mixed/b", "mixed/c.dat", "mixed/preview", "mixed/stacks/dev.json"]);
    assert_eq!(said(&report), ["neither plans nor states, and left out: `mixed/package.json`"]);
}

#[test]
fn a_plan_that_cannot_be_read_is_told_and_the_others_are_analysed() {
    let dir = Dir::new();
    let newer = PLAN.replacen("\"1.2\"", "\"2.0\"", 1);
    for (name, content, message) in [
        ("plan.json", "", "is empty"),
        ("network.json", &PLAN[..5000], "it ends in the middle"),
        ("newer.json", &newer, "is Terraform JSON of version 2.0"),
        ("log.json", "{\"@level\":\"info\",\"@message\":\"x\"}", "streaming output"),
        ("x.tfplan", "PK\x03\x04", "is a zip archive like a binary plan, but it is cut off"),
        ("y.tfstate", "{\"meta\": {}, \"encrypted_data\": \"x\"}", "OpenTofu has encrypted"),
    ] {
        let dir_of = format!("plans/{name}-of");
        dir.write(&format!("{dir_of}/{name}"), content);
        dir.write(&format!("{dir_of}/good/tfplan.json"), PLAN);
        let run = dir.run(&["check", &dir_of]);
        run.reports(2, &[message, &format!("{dir_of}/{name}"), "AWS-BED-LOG-001"]);
    }
    dir.write("bad/tfplan.json", "");
    dir.run(&["check", "bad"]).reports(2, &["bad/tfplan.json is empty"]);
    dir.write("none/tsconfig.json", "// comment\n{}");
    dir.run(&["check", "none"]).refuses(3, &["no Terraform files, plans or states in none"]);
}

#[test]
fn two_forms_of_one_plan_are_told_by_what_they_say() {
    let dir = Dir::new();
    dir.write("one/tfplan", BINARY);
    dir.write("one/plan.json", ITS_JSON);
    let one = report(&dir, &["one"]);
    assert_eq!(inputs(&one), [("one/tfplan", "tfplan")]);
    assert_eq!(said(&one), ["1 plan is there as binary and as JSON: each is one unit"]);
    // Another plan in the same directory, and one of the same name that was made at another time.
    dir.write("two/tfplan", BINARY);
    dir.write("two/plan.json", PLAN);
    assert_eq!(inputs(&report(&dir, &["two"])).len(), 2);
    let mut stale: Value = serde_json::from_str(ITS_JSON).unwrap();
    stale["timestamp"] = json!("2020-01-01T00:00:00Z");
    dir.write("stale/p.tfplan", BINARY);
    dir.write("stale/p.json", stale.to_string());
    assert_eq!(inputs(&report(&dir, &["stale"])).len(), 2);
    // Of a binary plan that cannot be read the JSON is.
    let mut newer = BINARY.to_vec();
    newer.truncate(BINARY.len() / 2);
    dir.write("half/p.tfplan", newer);
    dir.write("half/p.json", ITS_JSON);
    assert_eq!(inputs(&report(&dir, &["half"])), [("half/p.json", "p.json")]);
}

#[test]
fn source_stays_source_and_recursive_finds_both() {
    let dir = Dir::new();
    dir.write("repo/infra/main.tf", NOTEBOOK);
    dir.write("repo/infra/plan.json", PLAN);
    dir.write("repo/infra/terraform.tfstate.d/prod/terraform.tfstate", STATE);
    dir.write("repo/out/lab/tfplan.json", PLAN);
    let report = |arguments: &[&str]| report(&dir, arguments);
    let plain = report(&["repo"]);
    assert_eq!(inputs(&plain), [("repo/infra", "repo/infra")]);
    assert!(plain["diagnostics"].as_array().unwrap().iter().any(|d| {
        d["message"] == "not analysed, as there is Terraform source: `repo/out/lab/tfplan.json`"
    }));
    let both = report(&["repo", "--recursive"]);
    assert_eq!(inputs(&both), [("repo/out/lab/tfplan.json", "out/lab"), ("repo/infra", "repo/infra")]);
    let root = report(&["repo/infra"]);
    assert_eq!(inputs(&root), [("repo/infra", "repo/infra")], "the plan beside a root is for who names it");
    assert_eq!(root["diagnostics"], json!([]));
}

#[test]
fn units_of_one_name_are_told_by_their_paths() {
    let dir = Dir::new();
    dir.write("a/vpc/tfplan.json", PLAN);
    dir.write("b/vpc/tfplan.json", PLAN);
    let report = report(&dir, &["a", "b", "a/vpc/tfplan.json"]);
    let path = |unit: &'static str| (unit, unit);
    assert_eq!(inputs(&report), [path("a/vpc/tfplan.json"), path("b/vpc/tfplan.json")]);
}
