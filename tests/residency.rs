//! Residency end to end: what is promised, where resources are, where prompts and copies go, and the report of it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use airgate::config::Config;
use airgate::finding::Verdict;
use airgate::rules::RuleSet;
use serde_json::Value;

/// What the rules on residency say: `RULE verdict address`, sorted, without what passes.
fn said(files: &[(&str, &str)], config: &str) -> Vec<String> {
    let rules = RuleSet::builtin().unwrap().select(&["residency".to_owned()], &[]).unwrap();
    let config = Config::parse(config, Path::new("airgate.toml")).unwrap();
    let report = airgate::analyze_text(files, &rules, &config).unwrap();
    let findings = report.findings.iter().filter(|finding| finding.verdict != Verdict::Pass);
    let line = |finding: &airgate::finding::Finding| {
        let verdict = if finding.verdict == Verdict::Fail { "fails" } else { "cannot be told" };
        let of = |subject: &airgate::finding::Subject| {
            format!("{} {verdict}: {}", report.rules[finding.rule].id, subject.address)
        };
        finding.resources.iter().map(of).collect::<Vec<_>>()
    };
    let mut said: Vec<String> = findings.flat_map(line).collect();
    said.sort();
    said
}

/// An agent in a region, with a model and more.
fn agent(region: &str, model: &str, more: &str) -> String {
    format!(
        r#"
        provider "aws" {{ region = "{region}" }}
        resource "aws_bedrockagent_agent" "a" {{
          agent_name              = "a"
          agent_resource_role_arn = "arn:aws:iam::111122223333:role/a"
          foundation_model        = {model}
          {more}
        }}
        "#
    )
}

const EU: &str = "[residency]\nallowed = ['EU']\n";

#[test]
fn a_tag_is_stronger_than_a_classification_and_that_than_the_configuration() {
    let config = "[residency]\nallowed = ['EU']\n[residency.classification]\npersonal = ['Germany']\n";
    let eu = "\"eu.anthropic.claude-sonnet-4-5-20250929-v1:0\"";
    let with = |tags: &str| said(&[("main.tf", &agent("eu-central-1", eu, tags))], config);
    assert_eq!(with(""), [""; 0]);
    assert_eq!(with(r#"tags = { data-classification = "internal" }"#), [""; 0]);
    let personal = ["AWS-BED-RES-002 fails: aws_bedrockagent_agent.a"];
    assert_eq!(with(r#"tags = { data-classification = "Personal" }"#), personal);
    assert_eq!(with(r#"tags = { data-classification = "personal", data-residency = "EU" }"#), [""; 0]);
    let unknown = r"tags = { data-classification = var.class }";
    let files = agent("eu-central-1", eu, unknown) + "variable \"class\" {}";
    assert_eq!(said(&[("main.tf", &files)], config).len(), 3, "region, global and geography cannot be told");
}

#[test]
fn the_union_the_kingdom_and_the_confederation_are_three() {
    let eu = "\"eu.anthropic.claude-sonnet-4-5-20250929-v1:0\"";
    for (region, allowed, expected) in [
        ("eu-central-1", "['EU']", vec![]),
        ("eu-central-1", "['EEA']", vec![]),
        ("eu-west-2", "['UK']", vec!["AWS-BED-RES-002"]),
        ("eu-west-2", "['UK', 'EU']", vec![]),
        ("eu-west-2", "['EU']", vec!["ANY-RES-RES-001"]),
        ("eu-central-2", "['CH']", vec!["AWS-BED-RES-002"]),
        ("eu-central-2", "['EEA']", vec!["ANY-RES-RES-001"]),
    ] {
        let config = format!("[residency]\nallowed = {allowed}\n");
        let said = said(&[("main.tf", &agent(region, eu, ""))], &config);
        let rules: Vec<&str> = said.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(rules, expected, "{region} in {allowed}");
    }
}

#[test]
fn profiles_are_followed_through_modules_and_locals() {
    let root = r#"
        provider "aws" { region = "eu-central-1" }
        module "profile" {
          source = "./profile"
          from   = "us.amazon.nova-pro-v1:0"
        }
        locals { model = module.profile.arn }
        resource "aws_bedrockagent_agent" "a" {
          agent_name              = "a"
          agent_resource_role_arn = "arn:aws:iam::111122223333:role/a"
          foundation_model        = local.model
        }
    "#;
    let module = r#"
        variable "from" {}
        resource "aws_bedrock_inference_profile" "this" {
          name = "p"
          model_source { copy_from = "arn:aws:bedrock:eu-central-1:111122223333:inference-profile/${var.from}" }
        }
        output "arn" { value = aws_bedrock_inference_profile.this.arn }
    "#;
    let printed = report("module", &[("main.tf", root), ("profile/main.tf", module)], "text");
    let way =
        "module.profile.aws_bedrock_inference_profile.this → us.amazon.nova-pro-v1:0 → us-east-1, us-east-2";
    assert!(printed.contains(way), "{printed}");
    assert!(
        printed.ends_with("2 resources hold or process data: 2 outside, 0 cannot be told, 0 inside\n"),
        "{printed}"
    );
}

#[test]
fn a_profile_that_is_read_is_its_id() {
    let read = agent("eu-central-1", "data.aws_bedrock_inference_profile.p.inference_profile_arn", "")
        + r#"data "aws_bedrock_inference_profile" "p" { inference_profile_id = var.id }
             variable "id" {}"#;
    let unknown = [
        "AWS-BED-RES-001 cannot be told: aws_bedrockagent_agent.a",
        "AWS-BED-RES-002 cannot be told: aws_bedrockagent_agent.a",
    ];
    assert_eq!(said(&[("main.tf", &read)], EU), unknown);
    let known = read.replace("= var.id", "= \"us.amazon.nova-pro-v1:0\"");
    assert_eq!(said(&[("main.tf", &known)], EU), ["AWS-BED-RES-002 fails: aws_bedrockagent_agent.a"]);
}

#[test]
fn a_region_of_the_resource_is_stronger_than_the_provider_and_without_one_nothing_is_told() {
    let model = "\"anthropic.claude-3-haiku-20240307-v1:0\"";
    let own = agent("us-east-1", model, "region = \"eu-west-1\"");
    assert_eq!(said(&[("main.tf", &own)], EU), [""; 0]);
    let environment = agent("x", model, "").replace(r#"provider "aws" { region = "x" }"#, "");
    let unknown = ["ANY-RES-RES-001 cannot be told: aws_bedrockagent_agent.a"];
    assert_eq!(said(&[("main.tf", &environment)], EU), unknown);
}

#[test]
fn a_word_that_is_no_place_is_told() {
    let tagged = agent("eu-central-1", "\"eu.x.y\"", r#"tags = { data-residency = "Europe" }"#);
    let said = said(&[("main.tf", &tagged)], "");
    assert!(said.iter().all(|line| line.contains("cannot be told")) && !said.is_empty(), "{said:?}");
    let wrong = Config::parse("[residency]\nallowed = ['Europe']\n", Path::new("airgate.toml"));
    assert!(wrong.unwrap_err().to_string().contains("`EU`, `EEA` or `UK` may be meant"));
}

/// What the report says of a directory with these files and a configuration.
fn report(name: &str, files: &[(&str, &str)], format: &str) -> String {
    let dir: PathBuf = std::env::temp_dir().join(format!("airgate-residency-{name}-{}", std::process::id()));
    for (path, text) in files {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::write(dir.join("airgate.toml"), EU).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_airgate"))
        .args(["residency", ".", "--format", format])
        .current_dir(&dir)
        .output()
        .unwrap();
    fs::remove_dir_all(&dir).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_report_tells_the_way_of_prompts() {
    let text = agent("eu-central-1", "aws_bedrock_inference_profile.p.arn", "")
        + r#"resource "aws_bedrock_inference_profile" "p" {
               name = "p"
               model_source {
                 copy_from = "arn:aws:bedrock:eu-central-1:111122223333:inference-profile/us.amazon.nova-pro-v1:0"
               }
             }"#;
    let printed = report("text", &[("main.tf", &text)], "text");
    let way = "prompts and answers: aws_bedrock_inference_profile.p → us.amazon.nova-pro-v1:0 → us-east-1, us-east-2, us-west-1, us-west-2 (US), OUTSIDE";
    assert!(printed.contains(way), "{printed}");
    assert!(printed.contains("at rest: eu-central-1 (EU)\n"), "{printed}");
    let json: Value = serde_json::from_str(&report("json", &[("main.tf", &text)], "json")).unwrap();
    let agent = &json["inputs"][0]["resources"][1];
    assert_eq!(agent["address"], "aws_bedrockagent_agent.a");
    assert_eq!((&agent["at_rest"]["verdict"], &agent["verdict"]), (&"inside".into(), &"outside".into()));
    assert_eq!(agent["leaves"][0]["regions"].as_array().unwrap().len(), 4);
}
