//! The smallest grant that suffices, as findings tell it, and where nothing is told.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use airgate::config::Config;
use airgate::finding::Verdict;
use airgate::rules::RuleSet;

/// The grants that failing findings of a rule tell.
fn grants(rule: &str, text: &str) -> Vec<Option<String>> {
    let rules = RuleSet::builtin().unwrap().select(&[rule.to_owned()], &[]).unwrap();
    let report = airgate::analyze_text(&[("main.tf", text)], &rules, &Config::default()).unwrap();
    let failing = report.findings.into_iter().filter(|finding| finding.verdict == Verdict::Fail);
    failing.map(|finding| finding.grant).collect()
}

const TRUST: &str = r#"jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "bedrock.amazonaws.com" } }] })"#;

/// An agent with a knowledge base over one bucket, both with the role `r` that has these statements, and what else there is.
fn agent(model: &str, statements: &str, more: &str) -> String {
    format!(
        r#"
provider "aws" {{ region = "eu-central-1" }}
resource "aws_bedrockagent_agent" "a" {{
  agent_name              = "a"
  agent_resource_role_arn = aws_iam_role.r.arn
  foundation_model        = {model}
}}
resource "aws_s3_bucket" "docs" {{ bucket = "the-docs" }}
resource "aws_bedrockagent_knowledge_base" "k" {{
  name     = "k"
  role_arn = aws_iam_role.r.arn
  knowledge_base_configuration {{
    type = "VECTOR"
    vector_knowledge_base_configuration {{
      embedding_model_arn = "arn:aws:bedrock:eu-central-1::foundation-model/amazon.titan-embed-text-v2:0"
    }}
  }}
}}
resource "aws_bedrockagent_data_source" "d" {{
  name              = "d"
  knowledge_base_id = aws_bedrockagent_knowledge_base.k.id
  data_source_configuration {{
    type = "S3"
    s3_configuration {{ bucket_arn = aws_s3_bucket.docs.arn }}
  }}
}}
resource "aws_bedrockagent_agent_knowledge_base_association" "ak" {{
  agent_id             = aws_bedrockagent_agent.a.agent_id
  description          = "docs"
  knowledge_base_id    = aws_bedrockagent_knowledge_base.k.id
  knowledge_base_state = "ENABLED"
}}
resource "aws_iam_role" "r" {{
  name               = "r"
  assume_role_policy = {TRUST}
}}
resource "aws_iam_role_policy" "r" {{
  role   = aws_iam_role.r.id
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{statements}] }})
}}
{more}"#
    )
}

const HAIKU: &str = "\"anthropic.claude-3-haiku-20240307-v1:0\"";
const INVOKE: &str = r#"{ Effect = "Allow", Action = "bedrock:InvokeModel*", Resource = "*" }"#;

#[test]
fn models_are_those_that_the_workloads_name() {
    let told = |model: &str, more: &str| grants("AWS-BED-IAM-001", &agent(model, INVOKE, more));
    let both = [
        r#"{ Effect = "Allow", Action = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"], Resource = "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0" }"#,
        r#"{ Effect = "Allow", Action = "bedrock:InvokeModel", Resource = "arn:aws:bedrock:eu-central-1::foundation-model/amazon.titan-embed-text-v2:0" }"#,
    ];
    assert_eq!(told(HAIKU, ""), [Some(both.join(", "))]);
    // A profile is called, and with it the model wherever it runs.
    let profile = told("\"eu.anthropic.claude-3-haiku-20240307-v1:0\"", "").pop().unwrap().unwrap();
    assert!(profile.contains("\"arn:aws:bedrock:eu-central-1:*:inference-profile/eu.anthropic.claude-3-haiku-20240307-v1:0\", \"arn:aws:bedrock:*::foundation-model/anthropic.claude-3-haiku-20240307-v1:0\""), "{profile}");
    // What is not known is not made up: the model, or what else runs as the role.
    assert_eq!(told("var.model", "variable \"model\" {}"), [None]);
    let function = r#"resource "aws_lambda_function" "f" {
  function_name = "f"
  role          = aws_iam_role.r.arn
}"#;
    assert_eq!(told(HAIKU, function), [None]);
}

#[test]
fn a_wildcard_becomes_what_is_used_of_the_services() {
    let told = grants(
        "AWS-BED-IAM-004",
        &agent(HAIKU, r#"{ Effect = "Allow", Action = ["s3:*"], Resource = "*" }"#, ""),
    );
    let told = told[0].clone().unwrap();
    for part in [
        r#"Action = "s3:ListBucket", Resource = aws_s3_bucket.docs.arn"#,
        r#"Action = "s3:GetObject", Resource = "${aws_s3_bucket.docs.arn}/*""#,
        r#"Action = "bedrock:Retrieve", Resource = aws_bedrockagent_knowledge_base.k.arn"#,
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let beyond = grants(
        "AWS-BED-IAM-008",
        &agent(HAIKU, r#"{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }"#, ""),
    );
    assert!(beyond[0].as_ref().unwrap().contains("${aws_s3_bucket.docs.arn}/*"), "{beyond:?}");
    assert!(!beyond[0].as_ref().unwrap().contains("bedrock:"), "{beyond:?}");
}

#[test]
fn a_passed_role_is_one_that_the_service_may_assume() {
    let pass =
        r#"{ Effect = "Allow", Action = ["iam:PassRole", "bedrock:InvokeInlineAgent"], Resource = "*" }"#;
    for rule in ["AWS-IAM-IAM-001", "AWS-SM-IAM-003"] {
        assert_eq!(
            grants(rule, &agent(HAIKU, pass, "")),
            [Some(
                r#"{ Effect = "Allow", Action = "iam:PassRole", Resource = aws_iam_role.r.arn, Condition = { StringEquals = { "iam:PassedToService" = "bedrock.amazonaws.com" } } }"#
                    .to_owned()
            )],
            "{rule}"
        );
    }
}

#[test]
fn a_deputy_is_held_to_the_account_that_the_configuration_asks_for() {
    let caller = "data \"aws_caller_identity\" \"me\" {}";
    assert_eq!(
        grants("AWS-BED-IAM-003", &agent(HAIKU, INVOKE, caller)),
        [Some(
            r#"Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.me.account_id }, ArnLike = { "aws:SourceArn" = ["arn:aws:bedrock:eu-central-1:${data.aws_caller_identity.me.account_id}:agent/*", "arn:aws:bedrock:eu-central-1:${data.aws_caller_identity.me.account_id}:knowledge-base/*"] } }"#
                .to_owned()
        )]
    );
    assert_eq!(grants("AWS-BED-IAM-003", &agent(HAIKU, INVOKE, "")), [None], "no account is made up");
}

#[test]
fn calls_are_held_to_the_one_guardrail_that_there_is() {
    let guardrail = |name: &str| {
        format!(
            "resource \"aws_bedrock_guardrail\" \"{name}\" {{\n  name = \"{name}\"\n  blocked_input_messaging = \"no\"\n  blocked_outputs_messaging = \"no\"\n}}\n"
        )
    };
    let told = |more: &str| grants("AWS-BED-GRD-012", &agent(HAIKU, INVOKE, more));
    assert!(told(&guardrail("g"))[0].as_ref().unwrap().contains("aws_bedrock_guardrail.g.guardrail_arn"));
    assert_eq!(told(&(guardrail("g") + &guardrail("h"))), [None]);
}
