//! Plans and their source: what is said of source, of plan JSON beside it and of the binary plan is the same, at the same
//! lines; and where they do not belong together that is said, and no line is a wrong one.

#![cfg(test)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use airgate::input::{Inputs, SourceOptions};
use airgate::source::Sources;
use airgate::terraform::source::variables::RunOptions;
use program::{Dir, Run};
use serde_json::Value;

/// The folders whose `plan.json` is of the source beside it.
const FIXTURES: [&str; 7] = [
    "bedrock-agent",
    "clean",
    "plan-source",
    "rag-bedrock",
    "realtime-endpoint",
    "sagemaker-training",
    "studio-domain",
];

/// In the sources and values of `plan-source`, as a secret.
const CANARY: &str = "hunter2canary";

fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
}

/// A copy of the fixture `plan-source`, with edits: the file, what stands there, and what shall.
fn copy(edits: &[(&str, &str, &str)]) -> Dir {
    let dir = Dir::new();
    for name in [
        "main.tf",
        "iam.tf",
        "variables.tf",
        "terraform.tfvars",
        "modules/store/main.tf",
        "policies/train.json.tftpl",
        "plan.json",
        "tfplan",
    ] {
        dir.write(name, fs::read(fixtures().join("plan-source").join(name)).unwrap());
    }
    for (name, from, to) in edits {
        let text = fs::read_to_string(dir.path().join(name)).unwrap();
        assert!(text.contains(from), "`{from}` is not in {name}");
        dir.write(name, text.replace(from, to));
    }
    dir
}

/// A copy without the binary plan.
fn copy_of_source(edits: &[(&str, &str, &str)]) -> Dir {
    let dir = copy(edits);
    fs::remove_file(dir.path().join("tfplan")).unwrap();
    dir
}

fn report(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.err))
}

/// The report on `arguments`, run in `dir`.
fn check(dir: &Dir, arguments: &[&str]) -> Value {
    report(&dir.run(&[&["check", "--format", "json", "--show", "all"], arguments].concat()))
}

/// By rule and address: the verdict, the place, and the fingerprint.
fn said(report: &Value) -> BTreeMap<(String, String), (String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut said = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let place = format!("{}:{}", text(&finding["location"]["path"]), finding["location"]["line"]);
        for resource in finding["resources"].as_array().unwrap() {
            said.insert(
                (text(&finding["rule"]), text(&resource["address"])),
                (text(&finding["verdict"]), place.clone(), text(&finding["fingerprint"])),
            );
        }
    }
    said
}

fn verdicts(report: &Value) -> BTreeMap<(String, String), String> {
    said(report).into_iter().map(|(what, (verdict, ..))| (what, verdict)).collect()
}

/// The finding of a rule on an address that begins so.
fn finding<'r>(report: &'r Value, rule: &str, address: &str) -> &'r Value {
    let is_it = |finding: &&Value| {
        finding["rule"] == rule
            && finding["resources"][0]["address"].as_str().unwrap_or_default().starts_with(address)
    };
    report["findings"].as_array().unwrap().iter().find(is_it).unwrap_or_else(|| panic!("{rule} on {address}"))
}

fn place(finding: &Value) -> (String, u64) {
    let location = &finding["location"];
    (location["path"].as_str().unwrap().to_owned(), location["line"].as_u64().unwrap())
}

fn messages(report: &Value) -> String {
    let all = report["diagnostics"].as_array().unwrap().iter();
    all.map(|it| it["message"].as_str().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn source_plan_and_binary_plan_say_the_same_of_the_same_lines() {
    for name in FIXTURES {
        let dir = Dir::new();
        let path = |file: &str| fixtures().join(name).join(file).display().to_string();
        let source = check(&dir, &[&path("")]);
        let plan = check(&dir, &[&path("plan.json"), "--source-root", &path("")]);
        assert!(plan["inputs"][0]["source"]["exact"] == true, "{name}: {}", messages(&plan));
        let (expected, found) = (said(&source), said(&plan));
        assert!(expected.len() > 20, "{name}");
        assert_eq!(expected, found, "{name}");
    }
    let dir = copy(&[]);
    let expected = said(&check(&dir, &["."]));
    assert_eq!(expected, said(&check(&dir, &["tfplan"])), "the binary plan");
    let plan = check(&dir, &["plan.json"]);
    assert_eq!(plan["inputs"][0]["source"]["path"], "tfplan");
    assert_eq!(expected, said(&plan), "the plan with its binary form beside");
}

#[test]
fn plans_whose_source_is_elsewhere_point_into_what_the_binary_plan_holds() {
    let dir = Dir::new();
    for name in ["changes", "rag-platform", "targeted"] {
        let path = |ending: &str| fixtures().join("binary").join(format!("{name}.{ending}"));
        let (binary, json) = (path("tfplan").display().to_string(), path("json").display().to_string());
        let (expected, found) = (said(&check(&dir, &[&binary])), said(&check(&dir, &[&json])));
        assert!(!expected.is_empty() && expected == found, "{name}: {expected:?}\n{found:?}");
        assert!(found.values().all(|(_, place, _)| place.contains(".tf:")), "{found:?}");
    }
}

#[test]
fn each_source_is_found_and_told() {
    let dir = copy(&[]);
    let plan = |arguments: &[&str]| check(&dir, arguments)["inputs"][0]["source"]["path"].clone();
    assert_eq!(plan(&["plan.json"]), "tfplan");
    assert_eq!(plan(&["plan.json", "--source-root", "."]), ".");
    assert_eq!(plan(&["plan.json", "--plan-binary", "tfplan"]), "tfplan");
    assert_eq!(plan(&["plan.json", "--no-source"]), Value::Null);
    let text = fs::read_to_string(dir.path().join("plan.json")).unwrap();
    let of_stdin = dir.run_with(&["check", "-", "--format", "json"], &text);
    assert_eq!(report(&of_stdin)["inputs"][0]["source"]["path"], ".", "the current directory");
    let human = dir.run(&["check", "plan.json", "--source-root", "."]);
    assert!(human.out.contains("plan.json: lines are those of the source in `.`"), "{}", human.out);
    let sarif = dir.run(&["check", "plan.json", "--format", "sarif"]);
    assert!(sarif.out.contains("plan.json: lines are those of the source in tfplan."), "{}", sarif.out);
    dir.run(&["check", "plan.json", "--no-source", "--source-root", "."]).refuses(2, &["--no-source"]);
    let note = "note: .: there is nothing for --source-root, only a plan has its source elsewhere\n";
    let source = dir.run(&["check", "--source-root", "."]);
    assert!(source.err.contains(note), "{}", source.err);
    assert!(!human.err.contains("nothing for"), "{}", human.err);
}

#[test]
fn what_only_the_source_knows_is_said_to_be_from_there() {
    let dir = copy(&[]);
    let what = ("AWS-BED-IAM-001", "aws_iam_role_policy.invoke");
    let plain = check(&dir, &["plan.json", "--no-source"]);
    let told = finding(&plain, what.0, what.1);
    assert!(told["verdict"] == "undetermined" && told["from_source"] == false, "{told}");
    for arguments in [&["plan.json"][..], &["plan.json", "--source-root", "."], &["tfplan"]] {
        let report = check(&dir, arguments);
        let told = finding(&report, what.0, what.1);
        assert!(told["verdict"] == "fail" && told["from_source"] == true, "{arguments:?}: {told}");
        assert_eq!(place(told), ("iam.tf".to_owned(), 15), "{arguments:?}");
        // Of a template on the disk too.
        let told = finding(&report, "AWS-SM-IAM-012", "aws_iam_role_policy.train");
        assert!(told["verdict"] == "fail" && told["from_source"] == true, "{arguments:?}: {told}");
        // What the plan knows itself is not marked.
        let told = finding(&report, "AWS-BED-GRD-007", "aws_bedrock_guardrail.answers");
        assert!(told["verdict"] == "fail" && told["from_source"] == false, "{arguments:?}: {told}");
    }
    for format in ["human", "sarif"] {
        let run = dir.run(&["check", "plan.json", "--format", format]);
        assert!(run.out.contains("the plan knows the value that decides only after apply"), "{}", run.out);
    }
    let markdown = dir.run(&["check", "plan.json", "--format", "markdown"]);
    assert!(markdown.out.contains("high, new, from source"), "{}", markdown.out);
}

#[test]
fn blocks_that_the_plan_does_not_know_are_those_of_the_source_also_inside_of_others() {
    let path = |file: &str| fixtures().join("source/unknown-dynamic").join(file).display().to_string();
    let dir = Dir::new();
    let plain = check(&dir, &[&path("plan.json"), "--no-source"]);
    let joined = check(&dir, &[&path("plan.json")]);
    let source = check(&dir, &[&path("")]);
    for rule in ["AWS-BED-GRD-006", "AWS-BED-GRD-007"] {
        let of = |report| finding(report, rule, "aws_bedrock_guardrail.inside_a_block").clone();
        assert_eq!(of(&plain)["verdict"], "undetermined", "{rule}");
        let told = of(&joined);
        assert!(told["verdict"] == "fail" && told["from_source"] == true, "{told}");
        assert_eq!(told["location"]["line"], of(&source)["location"]["line"]);
    }
}

#[test]
fn what_is_written_as_null_is_left_to_the_provider() {
    let path = |file: &str| fixtures().join("source/null-and-nullable").join(file).display().to_string();
    let dir = Dir::new();
    let plain = check(&dir, &[&path("plan.json"), "--no-source"]);
    let joined = check(&dir, &[&path("plan.json")]);
    let source = check(&dir, &[&path("")]);
    let of = |report| finding(report, "AWS-VEC-ENC-001", "aws_rds_cluster.vectors")["verdict"].clone();
    // It is null by a variable, which the plan does not tell.
    assert_eq!(of(&plain), "undetermined");
    assert_eq!((of(&joined), of(&source)), ("fail".into(), "fail".into()));
    for report in [&plain, &joined, &source] {
        let findings = report["findings"].as_array().unwrap();
        assert!(findings.iter().all(|told| told["rule"] != "AWS-BED-SEC-001"), "there is no instruction");
    }
}

#[test]
fn a_file_is_not_read_where_the_source_contradicts_the_plan() {
    let what = ("AWS-SM-IAM-012", "aws_iam_role_policy.train");
    let verdict = |dir: &Dir| {
        let report = check(dir, &["plan.json"]);
        assert!(report["inputs"][0]["source"]["exact"] == true, "{}", messages(&report));
        finding(&report, what.0, what.1)["verdict"].clone()
    };
    assert_eq!(verdict(&copy_of_source(&[])), "fail");
    // A value that the source does not give: the template may be of another day too.
    let small = "\"instance_type\":\"ml.t3.medium\"";
    let edits = [("plan.json", small, "\"instance_type\":\"ml.t3.large\"")];
    assert_eq!(verdict(&copy_of_source(&edits)), "undetermined");
    assert_eq!(verdict(&copy(&edits)), "undetermined", "with the binary plan beside");
}

#[test]
fn the_source_of_a_plan_is_evaluated_once() {
    let expressions = |name: &str, find: bool| {
        let mut sources = Sources::default();
        let mut inputs =
            Inputs::read(&[fixtures().join(name)], &RunOptions::default(), &mut sources).unwrap();
        inputs.find_sources(&SourceOptions { find, ..SourceOptions::default() }, &mut sources).unwrap();
        inputs.items[0].program(&inputs, &sources, &|_| true).unwrap().expressions
    };
    for name in FIXTURES {
        let source = expressions(name, false);
        assert!(source > 20, "{name}: {source}");
        assert_eq!(expressions(&format!("{name}/plan.json"), true), source, "{name}");
        assert_eq!(expressions(&format!("{name}/plan.json"), false), 0, "{name}");
    }
}

#[test]
fn an_element_of_blocks_has_its_own_line() {
    let dir = copy_of_source(&[]);
    let report = check(&dir, &["plan.json"]);
    let told = finding(&report, "AWS-SM-NET-001", "aws_sagemaker_notebook_instance.lab[0]");
    assert_eq!(place(told), ("main.tf".to_owned(), 36));
    // What decides is the second of two blocks.
    let told = finding(&report, "AWS-BED-GRD-007", "aws_bedrock_guardrail.answers");
    assert_eq!(place(told), ("main.tf".to_owned(), 68));
    let told = finding(&report, "AWS-SM-IAM-012", "aws_iam_role_policy.train");
    assert_eq!(place(told), ("iam.tf".to_owned(), 26));
}

#[test]
fn a_source_of_another_revision_is_named_and_gives_no_wrong_line() {
    let dir = copy_of_source(&[
        ("main.tf", "input_strength  = \"LOW\"", "input_strength  = \"MEDIUM\""),
        (
            "iam.tf",
            "resource \"aws_iam_role_policy\" \"train\"",
            "resource \"aws_iam_role_policy\" \"trainer\"",
        ),
    ]);
    let plain = check(&dir, &["plan.json", "--no-source"]);
    let report = check(&dir, &["plan.json"]);
    let said = messages(&report);
    assert!(
        said.contains(
            "`.` is the source of plan.json in another revision: 10 of the plan's 12 blocks are the same"
        ),
        "{said}"
    );
    assert!(said.contains("`aws_bedrock_guardrail.answers` (its `content_policy_config.filters_config.input_strength` is another one)"), "{said}");
    assert!(said.contains("`aws_iam_role_policy.train` (it is not in the source)"), "{said}");
    assert!(said.contains("`aws_iam_role_policy.trainer` (it is not in the plan)"), "{said}");
    assert_eq!(report["inputs"][0]["source"]["exact"], false);
    // The source decides nothing.
    let (alone, beside) = (verdicts(&plain), verdicts(&report));
    let differ: Vec<_> = alone.iter().filter(|it| !beside.iter().any(|other| other == *it)).collect();
    assert!(differ.is_empty(), "{differ:?}");
    assert_eq!(alone, beside);
    for (rule, address, file) in [
        ("AWS-BED-GRD-007", "aws_bedrock_guardrail.answers", "plan.json"),
        ("AWS-SM-IAM-012", "aws_iam_role_policy.train", "plan.json"),
        ("AWS-SM-NET-001", "aws_sagemaker_notebook_instance.lab", "main.tf"),
    ] {
        assert_eq!(place(finding(&report, rule, address)).0, file, "{rule}");
    }
    // Nor is a binary plan taken that is of another plan.
    let other = copy(&[("plan.json", "\"timestamp\":\"", "\"timestamp\":\"1999")]);
    assert_eq!(check(&other, &["plan.json"])["inputs"][0]["source"]["path"], ".");
}

#[test]
fn what_is_named_and_is_not_the_source_is_refused() {
    let dir = copy(&[]);
    let clean = fixtures().join("clean").display().to_string();
    let root = dir.run(&["check", "plan.json", "--source-root", &clean]);
    root.refuses(2, &["is not the source of plan.json: 0 of the plan's 12 blocks are the same"]);
    let other = fixtures().join("binary/changes.tfplan").display().to_string();
    let binary = dir.run(&["check", "plan.json", "--plan-binary", &other]);
    binary.refuses(2, &["is the binary form of another plan than plan.json"]);
    dir.run(&["check", "plan.json", "--plan-binary", "plan.json"])
        .refuses(2, &["`plan.json` is not what `terraform plan -out` writes"]);
    dir.run(&["check", "plan.json", "--source-root", "policies"]).refuses(2, &["holds no Terraform files"]);
    dir.run(&["check", "plan.json", "--source-root", "nowhere"]).refuses(2, &["cannot read nowhere"]);
    // What only lies there is not taken, and nobody is told of it.
    let plan = fixtures().join("plan-source/plan.json");
    let elsewhere = Dir::of("resource \"aws_s3_bucket\" \"b\" {}\n");
    elsewhere.write("plan.json", fs::read(plan).unwrap());
    let report = check(&elsewhere, &["plan.json"]);
    assert_eq!((&report["inputs"][0]["source"], messages(&report).as_str()), (&Value::Null, ""));
    assert!(said(&report).values().all(|(_, place, _)| place.starts_with("plan.json:")));
}

#[test]
fn what_is_in_a_module_that_is_not_there_is_told_at_its_call() {
    let registry = "registry.terraform.io/acme/store/aws";
    let dir = copy_of_source(&[
        ("plan.json", "\"./modules/store\"", &format!("\"{registry}\"")),
        ("main.tf", "\"./modules/store\"", "\"acme/store/aws\""),
    ]);
    let report = check(&dir, &["plan.json"]);
    assert!(report["inputs"][0]["source"]["exact"] == true, "{}", messages(&report));
    let told = finding(&report, "AWS-S3-LOG-002", "module.store");
    assert_eq!(place(told), ("main.tf".to_owned(), 18), "{told}");
    let inner = &told["related"][0];
    assert_eq!(inner["label"], "in the plan: the module is not installed here");
    assert_eq!(inner["location"]["path"], "plan.json");
    let human = dir.run(&["check", "plan.json"]);
    assert!(!human.out.contains("acme-results"), "the plan is not shown: {}", human.out);
}

#[test]
fn no_output_shows_a_secret_of_a_plan_or_of_its_source() {
    let dir = copy(&[]);
    assert!(fs::read_to_string(dir.path().join("plan.json")).unwrap().contains(CANARY));
    for format in ["human", "json", "sarif", "markdown"] {
        for arguments in [&["plan.json"][..], &["plan.json", "--source-root", "."], &["tfplan"]] {
            let run = dir.run(&[&["check", "--show", "all", "--format", format], arguments].concat());
            assert!(run.out.contains("aws_iam_role_policy.invoke"), "{format}");
            assert!(!run.out.contains(CANARY) && !run.err.contains(CANARY), "{format} {arguments:?}");
        }
    }
}
