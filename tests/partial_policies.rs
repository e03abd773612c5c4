//! Policies in source with an ARN that is not known before apply: rules see the wildcard beside it, and say what they saw.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

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

const FORMS: [fn(&str, &str) -> (String, String); 3] = [encoded, heredoc, document];

#[test]
fn a_wildcard_beside_an_unknown_arn_is_seen() {
    let bucket = r#"["${aws_s3_bucket.corpus.arn}", "${aws_s3_bucket.corpus.arn}/*", "*"]"#;
    let models = r#""arn:aws:bedrock:${data.aws_region.current.name}::foundation-model/*""#;
    let partition = r#""arn:${data.aws_partition.current.partition}:bedrock:*::foundation-model/*""#;
    for form in FORMS {
        for (id, action, resource, shown) in [
            ("AWS-BED-IAM-004", r#""*""#, bucket, "`*` in `statement 1`"),
            ("AWS-BED-IAM-004", r#"["s3:GetObject", "bedrock:*"]"#, bucket, "`bedrock:*` in `statement 1`"),
            ("AWS-BED-IAM-001", r#""bedrock:Invoke*""#, models, "foundation-model/*` in `statement 1`"),
            ("AWS-BED-IAM-001", r#""bedrock:InvokeModel""#, partition, "`bedrock:InvokeModel`"),
            ("AWS-SM-IAM-003", r#""iam:PassRole""#, r#"[aws_iam_role.agent.arn, "*"]"#, "`iam:PassRole`"),
        ] {
            // Names without quotes are no JSON.
            let resource = match form(action, resource).0.starts_with("<<") {
                true => resource.replace("aws_iam_role.agent.arn", "\"${aws_iam_role.agent.arn}\""),
                false => resource.to_owned(),
            };
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
        assert!(finding.actual.as_deref().is_some_and(|it| it.starts_with("`s3:*`")), "{:?}", finding.actual);
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
