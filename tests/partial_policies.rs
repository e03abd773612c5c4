//! Policies in source with an ARN that is not known before apply: rules see the wildcard beside it, and say what they saw.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use airgate::config::Config;
use airgate::finding::{Finding, Report, Verdict};
use airgate::rules::RuleSet;

const AGENT: &str = r#"
variable "models" {}
variable "region" {}
variable "admin" { type = bool }

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}
data "aws_partition" "current" {}

resource "aws_s3_bucket" "corpus" {}

resource "aws_bedrockagent_agent" "support" {
  agent_name              = "support"
  agent_resource_role_arn = aws_iam_role.agent.arn
  foundation_model        = "anthropic.claude-3-5-sonnet-20241022-v2:0"
}

resource "aws_iam_role" "agent" {
  assume_role_policy = <<-EOT
    {
      "Version": "2012-10-17",
      "Statement": [{
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": { "Service": "bedrock.${data.aws_partition.current.dns_suffix}" },
        "Condition": { "StringEquals": { "aws:SourceAccount": "${data.aws_caller_identity.current.account_id}" } }
      }]
    }
  EOT
}

resource "aws_iam_role_policy" "agent" {
  role   = aws_iam_role.agent.id
  policy = POLICY
}
"#;

fn analyze(text: &str, ids: &[&str]) -> Report {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let rules = RuleSet::builtin().unwrap().select(&ids, &[]).unwrap();
    airgate::analyze_text(&[("main.tf", text)], &rules, &Config::default()).unwrap()
}

/// What the rule says of the role's policy; [`None`] if it passes.
fn verdict(policy: &str, more: &str, id: &str) -> Option<Finding> {
    let text = AGENT.replace("POLICY", policy) + more;
    let report = analyze(&text, &[id]);
    let about_it = |finding: &&Finding| {
        finding.verdict != Verdict::Pass
            && finding.resources.iter().any(|subject| subject.address == "aws_iam_role_policy.agent")
    };
    let finding = report.findings.iter().find(about_it).cloned();
    assert!(finding.is_some() || report.summary.passed > 0, "{id} asks nothing of:\n{text}");
    finding
}

fn encoded(action: &str, resource: &str) -> (String, String) {
    let statement = format!(r#"{{ Effect = "Allow", Action = {action}, Resource = {resource} }}"#);
    (format!(r#"jsonencode({{ Version = "2012-10-17", Statement = [{statement}] }})"#), String::new())
}

fn heredoc(action: &str, resource: &str) -> (String, String) {
    // A list is written as JSON, too.
    let statement = format!(r#"{{ "Effect": "Allow", "Action": {action}, "Resource": {resource} }}"#);
    (format!("<<-EOT\n{{ \"Version\": \"2012-10-17\", \"Statement\": [{statement}] }}\nEOT\n"), String::new())
}

fn document(action: &str, resource: &str) -> (String, String) {
    let list = |texts: &str| if texts.starts_with('[') { texts.to_owned() } else { format!("[{texts}]") };
    let data = format!(
        "data \"aws_iam_policy_document\" \"agent\" {{\n  statement {{\n    actions = {}\n    resources = {}\n  }}\n}}\n",
        list(action),
        list(resource)
    );
    ("data.aws_iam_policy_document.agent.json".to_owned(), data)
}

/// Of an action and a resource: the policy as an expression, and what it needs beside it.
type Form = fn(&str, &str) -> (String, String);

const FORMS: [Form; 3] = [encoded, heredoc, document];

#[test]
fn a_wildcard_beside_an_unknown_arn_is_seen() {
    let bucket = r#"["${aws_s3_bucket.corpus.arn}", "${aws_s3_bucket.corpus.arn}/*", "*"]"#;
    let models = r#""arn:aws:bedrock:${data.aws_region.current.name}::foundation-model/*""#;
    let partition = r#""arn:${data.aws_partition.current.partition}:bedrock:*::foundation-model/*""#;
    for form in FORMS {
        for (id, action, resource, shown) in [
            ("AWS-BED-IAM-004", r#""*""#, bucket, "`statement 1` → `*` on `*`"),
            (
                "AWS-BED-IAM-004",
                r#"["s3:GetObject", "bedrock:*"]"#,
                bucket,
                "`statement 1` → `bedrock:*` on `*`",
            ),
            ("AWS-BED-IAM-001", r#""bedrock:Invoke*""#, models, "foundation-model/*`"),
            (
                "AWS-BED-IAM-001",
                r#""bedrock:InvokeModel""#,
                partition,
                "`aws_iam_role.agent` → `aws_iam_role_policy.agent` → `statement 1` → `bedrock:InvokeModel`",
            ),
            ("AWS-SM-IAM-003", r#""iam:PassRole""#, r#"[aws_iam_role.agent.arn, "*"]"#, "`iam:PassRole`"),
        ] {
            // Names without quotes are no JSON.
            let quoted = resource.replace("[aws_iam_role.agent.arn,", "[\"${aws_iam_role.agent.arn}\",");
            let is_json = form(action, resource).0.starts_with("<<");
            let resource = if is_json { quoted } else { resource.to_owned() };
            let (policy, more) = form(action, &resource);
            let finding =
                verdict(&policy, &more, id).unwrap_or_else(|| panic!("{id} passes:\n{policy}{more}"));
            assert_eq!(finding.verdict, Verdict::Fail, "{id} {:?}\n{policy}{more}", finding.causes);
            let actual = finding.actual.unwrap();
            assert!(actual.contains(shown), "{actual}");
        }
    }
}

#[test]
fn what_is_limited_to_a_resource_passes_though_its_arn_is_not_known() {
    for form in FORMS {
        for (id, action, resource) in [
            (
                "AWS-BED-IAM-004",
                r#""s3:*""#,
                r#"["${aws_s3_bucket.corpus.arn}", "${aws_s3_bucket.corpus.arn}/*"]"#,
            ),
            ("AWS-BED-IAM-004", r#""s3:*""#, r#""arn:aws:s3:::${aws_s3_bucket.corpus.id}/*""#),
            ("AWS-BED-IAM-004", r#""s3:GetObject""#, r#""${var.models}""#),
            (
                "AWS-BED-IAM-001",
                r#""bedrock:InvokeModel""#,
                r#""arn:aws:bedrock:${var.region}::foundation-model/amazon.nova-lite-v1:0""#,
            ),
            (
                "AWS-SM-IAM-003",
                r#""iam:PassRole""#,
                r#""arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/lab""#,
            ),
        ] {
            let (policy, more) = form(action, resource);
            let finding = verdict(&policy, &more, id);
            assert!(finding.is_none(), "{id} {finding:?}\n{policy}{more}");
        }
    }
}

#[test]
fn what_may_be_every_resource_is_not_told_and_its_cause_is() {
    for form in FORMS {
        let (policy, more) = form(r#""s3:*""#, r#""${var.models}""#);
        let finding = verdict(&policy, &more, "AWS-BED-IAM-004").unwrap();
        assert_eq!(finding.verdict, Verdict::Undetermined, "{policy}{more}");
        assert_eq!(finding.causes, ["variable `models` has no default and no value"]);
        assert!(finding.actual.as_deref().is_some_and(|it| it.contains("`s3:*`")), "{:?}", finding.actual);
    }
}

#[test]
fn a_choice_decides_where_all_agree() {
    let policy = |other: &str| {
        let document = |action: &str| {
            format!(
                r#"jsonencode({{ Statement = [{{ Effect = "Allow", Action = "{action}", Resource = "*" }}] }})"#
            )
        };
        format!("var.admin ? {} : {}", document("*"), document(other))
    };
    let said = |other: &str| verdict(&policy(other), "", "AWS-BED-IAM-004").map(|finding| finding.verdict);
    assert_eq!(said("bedrock:*"), Some(Verdict::Fail));
    assert_eq!(said("bedrock:InvokeModel"), Some(Verdict::Undetermined));
}

/// The verdicts of the rule, by address.
fn verdicts(text: &str, id: &str) -> Vec<(String, Verdict)> {
    let report = analyze(text, &[id]);
    let of = |finding: &Finding| {
        let verdict = finding.verdict;
        let addresses: Vec<_> = finding.resources.iter().map(|subject| subject.address.to_string()).collect();
        addresses.into_iter().map(move |address| (address, verdict))
    };
    report.findings.iter().flat_map(of).collect()
}

#[test]
fn keys_are_told_by_what_is_known_of_them() {
    for (key, expected) in [
        (r#""arn:aws:kms:${var.region}:${var.account}:key/${var.id}""#, Verdict::Pass),
        (r#""alias/ml-${var.id}""#, Verdict::Pass),
        (r#""arn:aws:kms:${var.region}:${var.account}:alias/aws/sagemaker""#, Verdict::Fail),
        (r#""alias/${var.id}""#, Verdict::Undetermined),
        ("var.second ? aws_kms_key.a.arn : aws_kms_key.b.arn", Verdict::Pass),
        ("var.second ? aws_kms_key.a.arn : null", Verdict::Undetermined),
        (r#"var.second ? "alias/aws/sagemaker" : null"#, Verdict::Fail),
    ] {
        let text = format!(
            r#"
variable "region" {{}}
variable "account" {{}}
variable "id" {{}}
variable "second" {{ type = bool }}
resource "aws_kms_key" "a" {{}}
resource "aws_kms_key" "b" {{}}
resource "aws_sagemaker_notebook_instance" "lab" {{ kms_key_id = {key} }}
"#
        );
        let said = verdicts(&text, "AWS-SM-ENC-001");
        assert_eq!(said, [("aws_sagemaker_notebook_instance.lab".to_owned(), expected)], "{key}");
    }
}

#[test]
fn tags_of_one_of_two_maps_are_told_where_both_have_them() {
    for (tags, expected) in [
        (r#"var.second ? { ai-risk-tier = "high" } : { ai-risk-tier = "limited", x = "y" }"#, Verdict::Pass),
        (r#"var.second ? { ai-risk-tier = "high" } : { x = "y" }"#, Verdict::Undetermined),
        (r#"var.second ? { a = "b" } : { x = "y" }"#, Verdict::Fail),
        (r#"{ ai-risk-tier = "high", x = var.second }"#, Verdict::Pass),
    ] {
        let text = format!(
            r#"
variable "second" {{ type = bool }}
resource "aws_sagemaker_endpoint" "fraud" {{ tags = {tags} }}
"#
        );
        let said = verdicts(&text, "ANY-TAG-GOV-002");
        assert_eq!(said, [("aws_sagemaker_endpoint.fraud".to_owned(), expected)], "{tags}");
    }
}

#[test]
fn a_name_of_which_a_part_is_not_known_still_leads_to_the_bucket() {
    for (bucket, arn, reached) in [
        ("support-corpus", "arn:${data.aws_partition.p.partition}:s3:::support-corpus", true),
        (
            "corpus-${data.aws_caller_identity.me.account_id}",
            "arn:aws:s3:::corpus-${data.aws_caller_identity.me.account_id}",
            true,
        ),
        (
            "corpus-${data.aws_caller_identity.me.account_id}",
            "arn:aws:s3:::corpus-${data.aws_caller_identity.you.account_id}",
            false,
        ),
        ("corpus-${var.x}", "arn:aws:s3:::logs-${var.x}", false),
    ] {
        let text = format!(
            r#"
variable "x" {{}}
data "aws_partition" "p" {{}}
data "aws_caller_identity" "me" {{}}
data "aws_caller_identity" "you" {{}}
resource "aws_s3_bucket" "corpus" {{ bucket = "{bucket}" }}
resource "aws_bedrockagent_data_source" "docs" {{
  data_source_configuration {{
    type = "S3"
    s3_configuration {{ bucket_arn = "{arn}" }}
  }}
}}
"#
        );
        let said = verdicts(&text, "AWS-S3-ENC-002");
        assert_eq!(!said.is_empty(), reached, "{bucket} {arn}: {said:?}");
    }
}
