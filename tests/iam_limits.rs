//! What limits identities beside their own policies: sessions, and lists of what an organisation allows.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "common/answers.rs"]
mod answers;

use airgate::facts::iam::access::{Access, Question};
use airgate::iam::context::Context;
use airgate::iam::effective::Verdict;
use answers::{Dir, asked, asked_at};

/// `yes a, only-if b`: the principals, sorted by how sure the answer is.
fn who(text: &str, action: &str) -> String {
    short(&asked(text, &Question::WhoCan(action.into(), "*".into())).rows.unwrap())
}

fn short(rows: &[Access]) -> String {
    answers::short(rows).join(", ")
}

/// A role `r` that may call models and read objects.
const ROLE: &str = r#"
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["sts:AssumeRole", "sts:TagSession"], Principal = { Service = "pods.eks.amazonaws.com" } }] })
}
resource "aws_iam_role_policy" "r" {
  role   = aws_iam_role.r.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["bedrock:InvokeModel", "s3:GetObject"], Resource = "*" }]
  })
}
"#;

/// [`ROLE`] and a way to it for pods, with this policy for their sessions.
fn pods(policy: &str, more: &str) -> String {
    format!(
        r#"{ROLE}
resource "aws_eks_pod_identity_association" "chat" {{
  cluster_name         = "ml"
  namespace            = "chat"
  service_account      = "chat"
  role_arn             = aws_iam_role.r.arn
  disable_session_tags = true
  policy               = {policy}
  {more}
}}"#
    )
}

fn policy(statements: &str) -> String {
    format!(r#"jsonencode({{ Version = "2012-10-17", Statement = [{statements}] }})"#)
}

#[test]
fn a_session_may_what_its_role_and_its_policy_allow() {
    let model = policy(r#"{ Effect = "Allow", Action = "bedrock:*", Resource = "*" }"#);
    let text = pods(&model, "");
    let both = "yes aws_eks_pod_identity_association.chat, yes aws_iam_role.r";
    assert_eq!(who(&text, "bedrock:InvokeModel"), both);
    assert_eq!(who(&text, "s3:GetObject"), "yes aws_iam_role.r");
    // What only the session's policy allows, nobody may.
    assert_eq!(who(&text, "bedrock:DeleteGuardrail"), "");

    let question = Question::WhatCan("aws_eks_pod_identity_association.chat".into());
    let answered = asked(&text, &question);
    let rows = answered.rows.unwrap();
    let actions: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(actions, ["bedrock:InvokeModel"]);
    assert!(answered.identities.iter().any(|it| it == "aws_eks_pod_identity_association.chat"));
}

#[test]
fn a_session_policy_denies_and_has_conditions() {
    let deny = policy(
        r#"{ Effect = "Allow", Action = "*", Resource = "*" }, { Effect = "Deny", Action = "s3:*", Resource = "*" }"#,
    );
    assert_eq!(who(&pods(&deny, ""), "s3:GetObject"), "yes aws_iam_role.r");
    let condition = policy(
        r#"{ Effect = "Allow", Action = "s3:*", Resource = "*", Condition = { StringEquals = { "aws:SourceVpce" = "vpce-1" } } }"#,
    );
    assert_eq!(
        who(&pods(&condition, ""), "s3:GetObject"),
        "yes aws_iam_role.r, only-if aws_eks_pod_identity_association.chat"
    );
}

#[test]
fn a_session_policy_that_is_not_known_leaves_it_open() {
    let text = format!("variable \"policy\" {{}}\n{}", pods("var.policy", ""));
    assert_eq!(
        who(&text, "s3:GetObject"),
        "yes aws_iam_role.r, undetermined aws_eks_pod_identity_association.chat"
    );
    // Which of two roles in a chain it limits is not said.
    let model = policy(r#"{ Effect = "Allow", Action = "bedrock:*", Resource = "*" }"#);
    let chain = pods(&model, r#"target_role_arn = "arn:aws:iam::444455556666:role/other""#);
    assert_eq!(
        who(&chain, "s3:GetObject"),
        "yes aws_iam_role.r, undetermined aws_eks_pod_identity_association.chat"
    );
}

#[test]
fn a_way_without_a_policy_is_the_role_itself() {
    assert_eq!(who(&pods("null", ""), "s3:GetObject"), "yes aws_iam_role.r");
}

#[test]
fn sessions_from_outside_of_aws_have_policies_too() {
    let text = format!(
        r#"{ROLE}
resource "aws_rolesanywhere_profile" "hpc" {{
  name           = "hpc"
  role_arns      = [aws_iam_role.r.arn]
  session_policy = {}
}}
resource "aws_transfer_user" "labels" {{
  server_id = "s-1"
  user_name = "labels"
  role      = aws_iam_role.r.arn
  policy    = {}
}}"#,
        policy(r#"{ Effect = "Allow", Action = "bedrock:*", Resource = "*" }"#),
        policy(r#"{ Effect = "Allow", Action = "s3:*", Resource = "*" }"#),
    );
    assert_eq!(who(&text, "bedrock:InvokeModel"), "yes aws_iam_role.r, yes aws_rolesanywhere_profile.hpc");
    assert_eq!(who(&text, "s3:GetObject"), "yes aws_iam_role.r, yes aws_transfer_user.labels");
}

/// [`ROLE`] and an organisation whose unit has a policy with these statements, and what else there is.
fn organisation(statements: &str, more: &str) -> String {
    format!(
        r#"{ROLE}
resource "aws_organizations_policy" "list" {{
  name    = "list"
  content = {}
}}
resource "aws_organizations_policy_attachment" "list" {{
  policy_id = aws_organizations_policy.list.id
  target_id = "ou-1111-22222222"
}}
{more}"#,
        policy(statements)
    )
}

const LIST: &str = r#"{ Effect = "Allow", Action = "s3:*", Resource = "*" }"#;

#[test]
fn what_no_list_of_the_organisation_allows_may_be_denied() {
    let text = organisation(LIST, "");
    assert_eq!(who(&text, "s3:GetObject"), "yes aws_iam_role.r");
    assert_eq!(who(&text, "bedrock:InvokeModel"), "undetermined aws_iam_role.r");
    let rows = asked(&text, &Question::WhoCan("bedrock:InvokeModel".into(), "*".into())).rows.unwrap();
    let Verdict::Undetermined(causes) = &rows.first().unwrap().verdict else { panic!("{rows:?}") };
    let because = "whether p-FullAWSAccess is attached beside `aws_organizations_policy.list` is not known";
    assert_eq!(causes, &[because]);
}

#[test]
fn everything_that_is_allowed_at_a_target_counts() {
    // A second policy of the same target adds, and `FullAWSAccess` adds everything.
    let second = format!(
        r#"
resource "aws_organizations_policy" "models" {{
  name    = "models"
  content = {}
}}
resource "aws_organizations_policy_attachment" "models" {{
  policy_id = aws_organizations_policy.models.id
  target_id = "ou-1111-22222222"
}}"#,
        policy(r#"{ Effect = "Allow", Action = "bedrock:*", Resource = "*" }"#)
    );
    let full = |target: &str| {
        format!(
            r#"
resource "aws_organizations_policy_attachment" "full" {{
  policy_id = "p-FullAWSAccess"
  target_id = "{target}"
}}"#
        )
    };
    for (more, expected) in [
        (second.clone(), "yes aws_iam_role.r"),
        (second.replace("ou-1111-22222222", "r-1111"), "undetermined aws_iam_role.r"),
        (full("ou-1111-22222222"), "yes aws_iam_role.r"),
        (full("r-1111"), "undetermined aws_iam_role.r"),
    ] {
        assert_eq!(who(&organisation(LIST, &more), "bedrock:InvokeModel"), expected, "{more}");
    }
    // One that allows everything, or only denies, is no list.
    for statements in [
        r#"{ Effect = "Allow", Action = "*", Resource = "*" }"#,
        r#"{ Effect = "Deny", Action = "ec2:*", Resource = "*" }"#,
    ] {
        assert_eq!(who(&organisation(statements, ""), "bedrock:InvokeModel"), "yes aws_iam_role.r");
    }
}

#[test]
fn an_organisation_holds_strangers_off_its_resources() {
    let bucket = r#"
resource "aws_s3_bucket" "data" {
  bucket = "acme-training"
}
resource "aws_s3_bucket_policy" "data" {
  bucket = aws_s3_bucket.data.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Principal = "*", Resource = "${aws_s3_bucket.data.arn}/*" }] })
}"#;
    let control = r#"
resource "aws_organizations_policy" "ours" {
  name    = "ours"
  type    = "RESOURCE_CONTROL_POLICY"
  content = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Action = "s3:*", Principal = "*", Resource = "*", Condition = { StringNotEqualsIfExists = { "aws:PrincipalOrgID" = "o-1" } } }] })
}
resource "aws_organizations_policy_attachment" "ours" {
  policy_id = aws_organizations_policy.ours.id
  target_id = "r-1111"
}"#;
    let ask = |text: &str| {
        let question = Question::WhoCan("s3:GetObject".into(), "aws_s3_bucket.data".into());
        short(&asked(text, &question).rows.unwrap())
    };
    assert_eq!(ask(bucket), "yes *");
    assert_eq!(ask(&format!("{bucket}{control}")), "only-if *");
}

/// A plan with [`organisation`]'s list, in which the attachment of `FullAWSAccess` has this action.
fn plan(full: &str) -> String {
    let text = |statement: &str| format!(r#"{{\"Version\":\"2012-10-17\",\"Statement\":[{statement}]}}"#);
    let allow = |action: &str| {
        text(&format!(r#"{{\"Effect\":\"Allow\",\"Action\":\"{action}\",\"Resource\":\"*\"}}"#))
    };
    let resource = |ty: &str, name: &str, actions: &str, values: &str| {
        let (before, after) = match actions {
            "delete" => (values, "null"),
            "no-op" => (values, values),
            _ => ("null", values),
        };
        format!(
            r#"{{"address":"{ty}.{name}","mode":"managed","type":"{ty}","name":"{name}","provider_name":"registry.terraform.io/hashicorp/aws","change":{{"actions":["{actions}"],"before":{before},"after":{after},"after_unknown":{{}}}}}}"#
        )
    };
    let attachment = "aws_organizations_policy_attachment";
    let changes = [
        resource("aws_iam_role", "r", "create", r#"{"name":"r","assume_role_policy":"{}"}"#),
        resource(
            "aws_iam_role_policy",
            "r",
            "create",
            &format!(r#"{{"role":"r","policy":"{}"}}"#, allow("bedrock:*")),
        ),
        resource(
            "aws_organizations_policy",
            "list",
            "no-op",
            &format!(
                r#"{{"id":"p-1","name":"list","type":"SERVICE_CONTROL_POLICY","content":"{}"}}"#,
                allow("s3:*")
            ),
        ),
        resource(attachment, "list", "no-op", r#"{"policy_id":"p-1","target_id":"r-1"}"#),
        resource(attachment, "full", full, r#"{"policy_id":"p-FullAWSAccess","target_id":"r-1"}"#),
    ];
    format!(
        r#"{{"format_version":"1.2","terraform_version":"1.11.0","resource_changes":[{}]}}"#,
        changes.join(",")
    )
}

#[test]
fn a_change_that_takes_full_access_off_puts_the_list_in_force() {
    for (full, expected) in [("no-op", "yes aws_iam_role.r"), ("delete", "only-if aws_iam_role.r")] {
        let dir = Dir::new();
        dir.write("plan.json", plan(full));
        let question = Question::WhoCan("bedrock:InvokeModel".into(), "*".into());
        let (_, answered) = asked_at(&dir.path().join("plan.json"), &question, &Context::default());
        assert_eq!(short(&answered.rows.unwrap()), expected, "{full}");
    }
}
