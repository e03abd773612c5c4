//! The graph and its facts: which resources hang together, over which path AI reaches them, and what that makes of a verdict.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use airgate::config::{Config, Scope};
use airgate::facts::Facts;
use airgate::finding::{Report, Verdict};
use airgate::graph::ResourceGraph;
use airgate::input::Inputs;
use airgate::rules::RuleSet;
use airgate::source::Sources;
use petgraph::Direction;

fn graph(text: &str) -> ResourceGraph {
    let mut sources = Sources::default();
    let inputs = Inputs::text(&[("main.tf", text)], &mut sources);
    let program = inputs.items.first().unwrap().program(&inputs, &sources, &|_| true).unwrap();
    ResourceGraph::build(program)
}

/// `source -kind-> target` of every edge that leaves `address`, sorted.
fn edges(graph: &ResourceGraph, address: &str) -> Vec<String> {
    let node = graph.by_address(address).unwrap_or_else(|| panic!("no {address}"));
    let mut edges: Vec<String> = graph
        .edges(node, Direction::Outgoing)
        .map(|(edge, target)| {
            format!("{} {} {}", edge.path, edge.kind.name(), graph.resource(target).unwrap().address)
        })
        .collect();
    edges.sort();
    edges
}

fn path(text: &str, address: &str) -> String {
    let graph = graph(text);
    let config = Config::default();
    let facts = Facts::new(&graph, &config);
    let steps = facts.scope().path(&graph, graph.by_address(address).unwrap());
    let steps = steps.iter().map(|step| match step.edge {
        Some(edge) => format!("-{edge}-> {}", step.address),
        None => step.address.to_string(),
    });
    steps.collect::<Vec<_>>().join(" ")
}

fn run(text: &str, rule: &str, config: &Config) -> Report {
    let rules = RuleSet::builtin().unwrap().select(&[rule.to_owned()], &[]).unwrap();
    airgate::analyze_text(&[("main.tf", text)], &rules, config).unwrap()
}

fn verdicts(text: &str, rule: &str, config: &Config) -> Vec<Verdict> {
    run(text, rule, config).findings.iter().map(|finding| finding.verdict).collect()
}

#[test]
fn a_literal_proves_a_link_as_a_reference_does() {
    let text = r#"
resource "aws_s3_bucket" "models" { bucket = "acme-models" }
resource "aws_iam_role" "run" {
  name               = "run"
  assume_role_policy = "{}"
}
resource "aws_sagemaker_model" "by_name" {
  name               = "m"
  execution_role_arn = "arn:aws:iam::111122223333:role/run"
  primary_container {
    image          = "x"
    model_data_url = "s3://acme-models/a/model.tar.gz"
  }
}
resource "aws_sagemaker_model" "by_reference" {
  name               = "n"
  execution_role_arn = aws_iam_role.run.arn
  primary_container {
    image          = "x"
    model_data_url = "s3://${aws_s3_bucket.models.id}/a/model.tar.gz"
  }
}
"#;
    let graph = graph(text);
    let expected = [
        "execution_role_arn identity aws_iam_role.run",
        "primary_container.model_data_url data aws_s3_bucket.models",
    ];
    assert_eq!(edges(&graph, "aws_sagemaker_model.by_name"), expected);
    assert_eq!(edges(&graph, "aws_sagemaker_model.by_reference"), expected);
}

#[test]
fn an_instance_is_joined_to_the_instance_of_its_key() {
    let text = r#"
resource "aws_s3_bucket" "b" {
  for_each = toset(["x", "y"])
  bucket   = "acme-${each.key}"
}
resource "aws_s3_bucket_versioning" "v" {
  for_each = toset(["x"])
  bucket   = aws_s3_bucket.b[each.key].id
  versioning_configuration { status = "Enabled" }
}
"#;
    assert_eq!(
        edges(&graph(text), r#"aws_s3_bucket_versioning.v["x"]"#),
        [r#"bucket attachment aws_s3_bucket.b["x"]"#]
    );
}

#[test]
fn scope_follows_data_and_what_configures_it() {
    let text = r#"
resource "aws_s3_bucket" "raw" { bucket = "raw" }
resource "aws_s3_bucket" "other" { bucket = "other" }
resource "aws_s3_bucket_versioning" "raw" {
  bucket = aws_s3_bucket.raw.id
  versioning_configuration { status = "Enabled" }
}
resource "aws_bedrockagent_data_source" "d" {
  name              = "d"
  knowledge_base_id = "KB"
  data_source_configuration {
    type = "S3"
    s3_configuration { bucket_arn = aws_s3_bucket.raw.arn }
  }
}
"#;
    assert_eq!(
        path(text, "aws_s3_bucket_versioning.raw"),
        "aws_bedrockagent_data_source.d -data-> aws_s3_bucket.raw -attachment-> aws_s3_bucket_versioning.raw"
    );
    assert_eq!(path(text, "aws_s3_bucket.other"), "", "nothing leads there");
}

#[test]
fn a_policy_that_names_ai_actions_is_ai_itself() {
    let text = |action: &str| {
        format!(
            r#"resource "aws_iam_policy" "p" {{
  policy = jsonencode({{ Statement = [{{ Effect = "Allow", Action = "{action}", Resource = "*" }}] }})
}}"#
        )
    };
    assert_eq!(path(&text("bedrock:InvokeModel"), "aws_iam_policy.p"), "aws_iam_policy.p");
    assert_eq!(path(&text("dynamodb:GetItem"), "aws_iam_policy.p"), "");
    let config = Config::default();
    assert_eq!(verdicts(&text("bedrock:InvokeModel"), "AWS-BED-IAM-001", &config), [Verdict::Fail]);
}

#[test]
fn out_of_scope_there_is_no_verdict_unless_all_is_in_scope() {
    let text = r#"resource "aws_kms_key" "k" { enable_key_rotation = false }"#;
    assert_eq!(verdicts(text, "AWS-KMS-ENC-001", &Config::default()), []);
    let all = Config { scope: Scope::All, ..Config::default() };
    assert_eq!(verdicts(text, "AWS-KMS-ENC-001", &all), [Verdict::Fail]);
}

#[test]
fn a_module_that_is_not_followed_may_configure_what_it_is_given() {
    let text = |call: &str| {
        format!(
            r#"
resource "aws_s3_bucket" "raw" {{ bucket = "raw" }}
resource "aws_bedrockagent_data_source" "d" {{
  name              = "d"
  knowledge_base_id = "KB"
  data_source_configuration {{
    type = "S3"
    s3_configuration {{ bucket_arn = aws_s3_bucket.raw.arn }}
  }}
}}
{call}"#
        )
    };
    let config = Config::default();
    let alone = text("");
    assert_eq!(verdicts(&alone, "AWS-BED-SUP-003", &config), [Verdict::Fail]);
    let call = "module \"harden\" {\n  source = \"./harden\"\n  bucket = aws_s3_bucket.raw.id\n}";
    let given = text(call);
    let report = run(&given, "AWS-BED-SUP-003", &config);
    let finding = report.findings.first().unwrap();
    assert_eq!(finding.verdict, Verdict::Undetermined);
    assert_eq!(finding.causes, ["`module.harden` is not followed"]);
    assert_eq!(report.summary.unfollowed_modules, 1);
}

#[test]
fn a_sub_resource_of_an_unknown_bucket_may_be_this_ones() {
    let text = r#"
variable "name" {}
resource "aws_s3_bucket" "raw" { bucket = "raw" }
resource "aws_s3_bucket_versioning" "v" {
  bucket = var.name
  versioning_configuration { status = "Enabled" }
}
resource "aws_bedrockagent_data_source" "d" {
  name              = "d"
  knowledge_base_id = "KB"
  data_source_configuration {
    type = "S3"
    s3_configuration { bucket_arn = aws_s3_bucket.raw.arn }
  }
}"#;
    let report = run(text, "AWS-BED-SUP-003", &Config::default());
    let finding = report.findings.first().unwrap();
    assert_eq!(finding.verdict, Verdict::Undetermined);
    assert_eq!(finding.causes, ["`aws_s3_bucket_versioning.v` may configure it: its bucket is not known"]);
}

#[test]
fn tags_count_by_synonym_and_spelling_and_from_the_provider() {
    let text = r#"
provider "aws" {
  region = "eu-central-1"
  default_tags { tags = { Team = "x", Environment = "prod" } }
}
resource "aws_sagemaker_notebook_instance" "n" {
  name          = "n"
  role_arn      = "r"
  instance_type = "ml.t3.medium"
  tags          = { system_id = "s", purpose = "p" }
}"#;
    let mut config = Config::default();
    assert_eq!(
        verdicts(text, "ANY-TAG-GOV-001", &config),
        [Verdict::Fail],
        "nobody said that Team is the owner"
    );
    config.tags.synonyms.insert("owner".into(), vec!["Team".into()]);
    assert_eq!(verdicts(text, "ANY-TAG-GOV-001", &config), [Verdict::Pass]);
}
