//! What identities may do in effect, asked of whole configurations: `airgate iam`, and the ways of escalation.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "common/answers.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod answers;

use std::fmt::Write as _;
use std::fs;

use airgate::config::Config;
use airgate::facts::iam::access::{Access, Answered, Question};
use airgate::finding::Verdict as Found;
use airgate::iam::context::Context;
use airgate::iam::effective::Verdict;
use airgate::iam::escalation::{self, Escalation};
use airgate::rules::RuleSet;
use airgate::source::Sources;
use answers::Dir;

fn asked(text: &str, question: &Question) -> (Sources, Answered) {
    asked_in(text, question, &Context::default())
}

fn asked_in(text: &str, question: &Question, context: &Context) -> (Sources, Answered) {
    answers::asked_at(Dir::of(text).path(), question, context)
}

fn who(text: &str, action: &str, resource: &str) -> Vec<Access> {
    asked(text, &Question::WhoCan(action.into(), resource.into())).1.rows.unwrap()
}

/// `yes a, only-if b`: the principals, sorted by how sure the answer is.
fn short(rows: &[Access]) -> String {
    answers::short(rows).join(", ")
}

/// A role `r` with these statements inline, and what else there is.
fn role(statements: &str, more: &str) -> String {
    format!(
        r#"
resource "aws_iam_role" "r" {{
  name               = "r"
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "lambda.amazonaws.com" }} }}] }})
}}
resource "aws_iam_role_policy" "r" {{
  role   = aws_iam_role.r.id
  policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{statements}]
  }})
}}
{more}"#
    )
}

const ALLOW: &str = r#"{ Effect = "Allow", Action = "bedrock:*", Resource = "*" }"#;

#[test]
fn a_deny_takes_away_what_it_covers_and_no_more() {
    let deny = |deny: &str| role(&format!("{ALLOW}, {{ Effect = \"Deny\", {deny} }}"), "");
    for (statement, expected) in [
        (r#"Action = "bedrock:InvokeModel", Resource = "*""#, ""),
        (r#"Action = "BEDROCK:invoke*", Resource = "*""#, ""),
        (r#"NotAction = "s3:*", Resource = "*""#, ""),
        (r#"NotAction = "bedrock:Invoke*", Resource = "*""#, "yes aws_iam_role.r"),
        (r#"Action = "bedrock-agentcore:*", Resource = "*""#, "yes aws_iam_role.r"),
        (
            r#"Action = "bedrock:*", Resource = "arn:aws:bedrock:*::foundation-model/a*""#,
            "yes aws_iam_role.r",
        ),
        (
            r#"Action = "bedrock:*", Resource = "*", Condition = { StringNotEquals = { "bedrock:GuardrailIdentifier" = "g" } }"#,
            "only-if aws_iam_role.r",
        ),
        (
            r#"Action = "bedrock:*", Resource = "*", Condition = { Bool = var.x }"#,
            "undetermined aws_iam_role.r",
        ),
        (r#"Action = var.x, Resource = "*""#, "undetermined aws_iam_role.r"),
    ] {
        let text = format!("variable \"x\" {{}}\n{}", deny(statement));
        assert_eq!(short(&who(&text, "bedrock:InvokeModel", "*")), expected, "{statement}");
    }
    let narrow = deny(r#"Action = "bedrock:*", Resource = "arn:aws:bedrock:*::foundation-model/a*""#);
    assert_eq!(
        short(&who(&narrow, "bedrock:InvokeModel", "arn:aws:bedrock:eu-west-1::foundation-model/ab")),
        ""
    );
    assert_eq!(
        short(&who(&narrow, "bedrock:InvokeModel", "arn:aws:bedrock:eu-west-1::foundation-model/b")),
        "yes aws_iam_role.r"
    );
}

#[test]
fn what_is_known_of_a_request_decides_conditions() {
    let text = role(
        r#"{ Effect = "Allow", Action = "bedrock:InvokeModel", Resource = "*", Condition = { IpAddress = { "aws:SourceIp" = "10.0.0.0/8" }, Null = { "bedrock:GuardrailIdentifier" = "false" } } },
      { Effect = "Deny", Action = "*", Resource = "*", Condition = { StringNotEquals = { "aws:RequestedRegion" = "eu-central-1" } } }"#,
        "",
    );
    let with = |keys: &[(&str, &str)]| {
        let mut context = Context::default();
        for (key, value) in keys {
            context.add(key, value);
        }
        let question = Question::WhoCan("bedrock:InvokeModel".into(), "*".into());
        short(&asked_in(&text, &question, &context).1.rows.unwrap())
    };
    let (inside, guarded) = (("aws:sourceip", "10.1.1.1"), ("bedrock:GuardrailIdentifier", "g"));
    assert_eq!(with(&[]), "only-if aws_iam_role.r");
    assert_eq!(with(&[inside, guarded]), "only-if aws_iam_role.r");
    assert_eq!(with(&[inside, guarded, ("aws:RequestedRegion", "eu-central-1")]), "yes aws_iam_role.r");
    assert_eq!(with(&[inside, guarded, ("aws:RequestedRegion", "us-east-1")]), "");
    assert_eq!(with(&[("aws:SourceIp", "11.1.1.1")]), "");
}

#[test]
fn a_boundary_limits_and_grants_nothing() {
    let text = |boundary: &str| {
        role(ALLOW, &format!("resource \"aws_iam_policy\" \"b\" {{\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = {boundary}, Resource = \"*\" }}] }})\n}}"))
            .replace("name               = \"r\"", "permissions_boundary = aws_iam_policy.b.arn")
    };
    assert_eq!(
        short(&who(&text("[\"s3:*\", \"bedrock:Invoke*\"]"), "bedrock:InvokeModel", "*")),
        "yes aws_iam_role.r"
    );
    assert_eq!(short(&who(&text("\"s3:*\""), "bedrock:InvokeModel", "*")), "");
    assert_eq!(short(&who(&text("\"s3:*\""), "s3:GetObject", "*")), "", "a boundary alone grants nothing");
}

#[test]
fn attached_and_managed_policies_count_and_unknown_ones_are_said_so() {
    let attach = |arn: &str| {
        role(
            r#"{ Effect = "Allow", Action = "logs:*", Resource = "*" }"#,
            &format!(
                "variable \"p\" {{}}\nresource \"aws_iam_role_policy_attachment\" \"a\" {{\n  role       = aws_iam_role.r.name\n  policy_arn = {arn}\n}}"
            ),
        )
    };
    for (arn, expected) in [
        ("\"arn:aws:iam::aws:policy/AmazonBedrockFullAccess\"", "yes aws_iam_role.r"),
        ("\"arn:aws:iam::aws:policy/AmazonBedrockReadOnly\"", ""),
        ("\"arn:aws:iam::aws:policy/AdministratorAccess\"", "yes aws_iam_role.r"),
        ("\"arn:aws:iam::aws:policy/AWSBudgetsReadOnlyAccess\"", "undetermined aws_iam_role.r"),
        ("\"arn:aws:iam::111122223333:policy/own\"", "undetermined aws_iam_role.r"),
        ("var.p", "undetermined aws_iam_role.r"),
    ] {
        let rows = who(&attach(arn), "bedrock:InvokeModel", "*");
        assert_eq!(short(&rows), expected, "{arn}");
        if let Some(Access { verdict: Verdict::Undetermined(causes), .. }) = rows.first() {
            let name = arn.trim_matches('"').rsplit(['/', '.']).next().unwrap();
            assert!(causes.iter().any(|cause| cause.contains(name)), "{causes:?} of {arn}");
        }
    }
}

#[test]
fn groups_give_their_policies_to_users() {
    let text = r#"
resource "aws_iam_user" "u" { name = "u" }
resource "aws_iam_user" "v" { name = "v" }
resource "aws_iam_group" "g" { name = "g" }
resource "aws_iam_user_group_membership" "u" {
  user   = aws_iam_user.u.name
  groups = [aws_iam_group.g.name]
}
resource "aws_iam_group_policy_attachment" "g" {
  group      = aws_iam_group.g.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
}"#;
    assert_eq!(short(&who(text, "sagemaker:InvokeEndpoint", "*")), "yes aws_iam_user.u");
}

#[test]
fn a_bucket_lets_in_whom_its_policy_names() {
    let text = role(
        r#"{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.a.arn}/*" }"#,
        r#"
resource "aws_s3_bucket" "a" { bucket = "a-data" }
resource "aws_s3_bucket" "b" { bucket = "b-data" }
resource "aws_s3_bucket_policy" "b" {
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Principal = { AWS = "arn:aws:iam::999988887777:root" }, Action = "s3:GetObject", Resource = "${aws_s3_bucket.b.arn}/*" },
      { Effect = "Deny", Principal = "*", Action = "s3:PutObject", Resource = "${aws_s3_bucket.b.arn}/*" },
    ]
  })
}"#,
    );
    assert_eq!(short(&who(&text, "s3:GetObject", "aws_s3_bucket.a")), "yes aws_iam_role.r");
    assert_eq!(short(&who(&text, "s3:GetObject", "arn:aws:s3:::a-data/x")), "yes aws_iam_role.r");
    assert_eq!(short(&who(&text, "s3:GetObject", "aws_s3_bucket.b")), "yes arn:aws:iam::999988887777:root");
    assert_eq!(short(&who(&text, "s3:GetObjectAcl", "aws_s3_bucket.b")), "");
}

#[test]
fn a_key_grants_nothing_that_its_policy_does_not_leave_to_the_account() {
    let key = |principal: &str| {
        role(
            r#"{ Effect = "Allow", Action = "kms:Decrypt", Resource = "*" }"#,
            &format!(
                r#"resource "aws_kms_key" "k" {{
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Principal = {{ AWS = {principal} }}, Action = "kms:*", Resource = "*" }}] }})
}}"#
            ),
        )
    };
    let mine = |rows: Vec<Access>| {
        short(&rows.into_iter().filter(|it| it.principal.starts_with("aws_")).collect::<Vec<_>>())
    };
    let root = key("\"arn:aws:iam::111122223333:root\"");
    assert_eq!(mine(who(&root, "kms:Decrypt", "aws_kms_key.k")), "yes aws_iam_role.r");
    let other = key("\"arn:aws:iam::111122223333:role/other\"");
    assert_eq!(mine(who(&other, "kms:Decrypt", "aws_kms_key.k")), "");
    assert_eq!(mine(who(&key("aws_iam_role.r.arn"), "kms:Decrypt", "aws_kms_key.k")), "yes aws_iam_role.r");
}

#[test]
fn permissions_of_functions_and_grants_of_keys_are_policies_of_resources() {
    let text = role(
        r#"{ Effect = "Allow", Action = "logs:*", Resource = "*" }"#,
        r#"
resource "aws_lambda_function" "f" {
  function_name = "f"
  role          = aws_iam_role.r.arn
}
resource "aws_lambda_permission" "p" {
  function_name = aws_lambda_function.f.function_name
  action        = "lambda:InvokeFunction"
  principal     = "bedrock.amazonaws.com"
  source_arn    = "arn:aws:bedrock:eu-central-1:111122223333:agent/A"
}
resource "aws_lambda_permission" "open" {
  function_name = aws_lambda_function.f.function_name
  action        = "lambda:InvokeFunction"
  principal     = "s3.amazonaws.com"
}
resource "aws_kms_key" "k" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = "arn:aws:iam::111122223333:role/admin" }, Action = "kms:*", Resource = "*" }] })
}
resource "aws_kms_grant" "g" {
  key_id            = aws_kms_key.k.key_id
  grantee_principal = aws_iam_role.r.arn
  operations        = ["Decrypt"]
}"#,
    );
    assert_eq!(
        short(&who(&text, "lambda:InvokeFunction", "aws_lambda_function.f")),
        "yes s3.amazonaws.com, only-if bedrock.amazonaws.com"
    );
    let mine = |action: &str| {
        let rows = who(&text, action, "aws_kms_key.k");
        short(&rows.into_iter().filter(|it| it.principal.starts_with("aws_")).collect::<Vec<_>>())
    };
    assert_eq!(mine("kms:Decrypt"), "yes aws_iam_role.r");
    assert_eq!(mine("kms:Encrypt"), "");
}

#[test]
fn what_a_resource_grants_passes_a_boundary_as_the_manual_says() {
    let text = |principal: &str, effect: &str| {
        format!(
            r#"
resource "aws_iam_policy" "b" {{
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "logs:*", Resource = "*" }}] }})
}}
resource "aws_iam_user" "u" {{
  name                 = "u"
  permissions_boundary = aws_iam_policy.b.arn
}}
resource "aws_iam_role" "r" {{
  name                 = "r"
  permissions_boundary = aws_iam_policy.b.arn
  assume_role_policy   = jsonencode({{ Version = "2012-10-17", Statement = [] }})
}}
resource "aws_iam_role" "free" {{
  name               = "free"
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [] }})
}}
resource "aws_s3_bucket" "d" {{ bucket = "d" }}
resource "aws_s3_bucket_policy" "d" {{
  bucket = aws_s3_bucket.d.id
  policy = jsonencode({{ Version = "2012-10-17", Statement = [
    {{ Effect = "Allow", Principal = {principal}, Action = "s3:GetObject", Resource = "${{aws_s3_bucket.d.arn}}/*" }},
    {effect}
  ] }})
}}"#
        )
    };
    let may = |principal: &str, more: &str| {
        let rows = who(&text(principal, more), "s3:GetObject", "aws_s3_bucket.d");
        short(&rows.into_iter().filter(|it| it.principal.starts_with("aws_")).collect::<Vec<_>>())
    };
    let each = "{ AWS = [aws_iam_user.u.arn, aws_iam_role.r.arn, aws_iam_role.free.arn] }";
    assert_eq!(
        may(each, ""),
        "yes aws_iam_role.free, yes aws_iam_user.u",
        "of a role the boundary limits it"
    );
    assert_eq!(may("\"*\"", ""), "yes aws_iam_role.free, yes aws_iam_role.r, yes aws_iam_user.u");
    let deny = |who: &str| {
        format!(
            "{{ Effect = \"Deny\", {who}, Action = \"s3:*\", Resource = \"${{aws_s3_bucket.d.arn}}/*\" }}"
        )
    };
    let root = "\"arn:aws:iam::111122223333:root\"";
    let excepts = |who: &str| may("\"*\"", &deny(&format!("NotPrincipal = {{ AWS = [{who}] }}")));
    assert_eq!(excepts(&format!("{root}, aws_iam_role.free.arn")), "yes aws_iam_role.free");
    assert_eq!(excepts(&format!("{root}, aws_iam_role.r.arn")), "", "who has a boundary is never excepted");
    assert_eq!(
        excepts("aws_iam_role.free.arn"),
        "undetermined aws_iam_role.free",
        "its account is not named"
    );
    let account = may(each, &deny(&format!("Principal = {{ AWS = {root} }}")));
    assert_eq!(
        account, "undetermined aws_iam_role.free, undetermined aws_iam_user.u",
        "it may be their account"
    );
}

#[test]
fn an_answer_names_the_line_of_the_statement() {
    let text = role(
        &format!(
            "\n      {{ Effect = \"Allow\", Action = \"s3:*\", Resource = \"*\" }},\n      {ALLOW}\n    "
        ),
        "",
    );
    let (sources, answered) = asked(&text, &Question::WhatCan("aws_iam_role.r".into()));
    let rows = answered.rows.unwrap();
    let lines: Vec<u32> = rows
        .iter()
        .map(|row| {
            let site = row.by[0].site.unwrap();
            sources.get(site.file).unwrap().position(site.span.start).line
        })
        .collect();
    let expected: Vec<u32> = ["\"s3:*\"", "\"bedrock:*\""]
        .iter()
        .map(|action| {
            u32::try_from(text.lines().position(|line| line.contains(action)).unwrap()).unwrap() + 1
        })
        .collect();
    assert_eq!(lines, expected);
}

/// A role that may do the actions of a way, each in a policy of its own, but for one group.
fn with_actions(way: &Escalation, without: Option<usize>) -> String {
    let mut text = role(
        r#"{ Effect = "Allow", Action = ["bedrock:ListAgents", "sagemaker:ListModels"], Resource = "*" }"#,
        "",
    );
    for (at, group) in way.actions.iter().enumerate().filter(|(at, _)| Some(*at) != without) {
        let action = group.last().unwrap();
        let _ = write!(
            text,
            "resource \"aws_iam_role_policy\" \"p{at}\" {{\n  role   = aws_iam_role.r.id\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \"{action}\", Resource = \"*\" }}] }})\n}}\n"
        );
    }
    text
}

#[test]
fn every_way_of_escalation_is_found_and_none_with_an_action_less() {
    let rules = RuleSet::builtin()
        .unwrap()
        .select(&["ANY-IAM-IAM-001", "AWS-IAM-IAM-001", "AWS-IAM-IAM-002"].map(ToOwned::to_owned), &[])
        .unwrap();
    let failing = |text: &str| -> Vec<String> {
        let report = airgate::analyze_text(&[("main.tf", text)], &rules, &Config::default()).unwrap();
        let found = report.findings.iter().filter(|finding| finding.verdict == Found::Fail);
        found.filter_map(|finding| finding.actual.clone()).collect()
    };
    let mut ways = 0;
    for way in escalation::of(&["pass-role", "take-over", "credentials", "tampering"]) {
        ways += 1;
        let found = failing(&with_actions(way, None));
        assert!(found.iter().any(|actual| actual.contains(way.what)), "{}: {found:?}", way.id);
        for without in 0..way.actions.len() {
            let found = failing(&with_actions(way, Some(without)));
            assert!(
                !found.iter().any(|actual| actual.contains(way.what)),
                "{} without {without}: {found:?}",
                way.id
            );
        }
    }
    assert!(ways >= 48);
}

/// What makes a role one that acts for AI.
const AI: &str = r#"{ Effect = "Allow", Action = "bedrock:ListAgents", Resource = "*" }"#;

#[test]
fn the_page_of_escalations_has_a_policy_that_fails_and_one_that_passes_for_every_way() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/escalations.md");
    let page = fs::read_to_string(page).unwrap();
    let rules = RuleSet::builtin()
        .unwrap()
        .select(&["ANY-IAM-IAM-001", "AWS-IAM-IAM-001", "AWS-IAM-IAM-002"].map(ToOwned::to_owned), &[])
        .unwrap();
    let finds = |statements: &str, what: &str| {
        let report = airgate::analyze_text(
            &[("main.tf", &role(&format!("{AI}, {statements}"), ""))],
            &rules,
            &Config::default(),
        )
        .unwrap();
        report.findings.iter().any(|finding| finding.actual.as_ref().is_some_and(|it| it.contains(what)))
    };
    let mut rows = 0;
    for way in escalation::of(&["pass-role", "take-over", "credentials", "tampering"]) {
        let start = format!("| `{}` |", way.id);
        let row = page.lines().find(|line| line.starts_with(&start)).unwrap();
        let cells: Vec<&str> = row.split(" | ").collect();
        let code = |cell: &str| cell.trim_matches(['`', ' ', '|']).to_owned();
        let [_, _, _, fails, passes] = cells.as_slice() else { panic!("{row}") };
        assert!(finds(&code(fails), way.what), "{row}");
        assert!(!finds(&code(passes), way.what), "{row}");
        rows += 1;
    }
    println!("{rows} ways, each with a policy that fails and one that passes");
    assert!(rows >= 48);
}

#[test]
fn a_role_that_is_named_or_another_service_is_no_way() {
    let rules = RuleSet::builtin().unwrap().select(&["AWS-IAM-IAM-001".to_owned()], &[]).unwrap();
    let verdicts = |pass: &str| -> Vec<Found> {
        let text =
            role(&format!(r#"{{ Effect = "Allow", Action = "sagemaker:*", Resource = "*" }}, {pass}"#), "");
        let text = format!("variable \"s\" {{}}\n{text}");
        let report = airgate::analyze_text(&[("main.tf", &text)], &rules, &Config::default()).unwrap();
        report.findings.iter().map(|finding| finding.verdict).collect()
    };
    let on = |resource: &str, service: &str| {
        format!(
            r#"{{ Effect = "Allow", Action = "iam:PassRole", Resource = {resource}, Condition = {{ StringEquals = {{ "iam:PassedToService" = {service} }} }} }}"#
        )
    };
    assert_eq!(
        verdicts(&on("\"*\"", "[\"glue.amazonaws.com\", \"sagemaker.amazonaws.com\"]")),
        [Found::Fail]
    );
    assert_eq!(verdicts(&on("\"*\"", "\"states.amazonaws.com\"")), [Found::Pass]);
    assert_eq!(verdicts(&on("aws_iam_role.r.arn", "\"sagemaker.amazonaws.com\"")), [Found::Pass]);
    assert_eq!(verdicts(&on("\"*\"", "var.s")), [Found::Undetermined]);
}

#[test]
fn what_is_no_policy_is_told_with_its_place_and_costs_no_time() {
    let heredoc = |document: &str| {
        format!(
            "resource \"aws_iam_role_policy\" \"r\" {{\n  role   = \"r\"\n  policy = <<EOF\n{document}\nEOF\n}}\n"
        )
    };
    let faults = |document: &str| -> Vec<String> {
        let question = Question::WhoCan("s3:GetObject".into(), "*".into());
        let faults = asked(&heredoc(document), &question).1.faults;
        faults
            .into_iter()
            .map(|(_, site, fault)| {
                assert!(site.is_some(), "{fault}");
                fault
            })
            .collect()
    };
    for (document, expected) in [
        ("{\"Statement\": [\n{,}]}", "line 2, column"),
        (
            r#"{"Statement": [{"Effect":"Allow","Action":"a:b","Resource":"*"}, {"Action": "a:b"}]}"#,
            "statement 2: it has no `Effect`",
        ),
        (
            r#"{"Statement": {"Effect":"Allow","Action":"a:b","Acton":"*","Resource":"*"}}"#,
            "statement 1: `Acton` is no element",
        ),
        (
            r#"{"Statement": {"Effect":"Allow","Action":"a:b","NotAction":"a:c","Resource":"*"}}"#,
            "exclude each other",
        ),
        (
            r#"{"Statement": {"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"StringEqual":{"a":"b"}}}}"#,
            "`StringEqual` is no operator",
        ),
        (
            r#"{"Statement": {"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"StringEquals":"b"}}}"#,
            "has no keys",
        ),
        (
            r#"{"Statement": {"Effect":"Allow","Action":{"a":{"b":[]}},"Resource":"*"}}"#,
            "statement 1: `Action`: there is no text",
        ),
        (r#"{"Version":"2012","Statement": []}"#, "`Version` is neither"),
    ] {
        let faults = faults(document);
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{document}: {faults:?}");
    }
    // Large ones are read, or refused, at once.
    let statement = r#"{"Effect":"Allow","Action":["s3:Get*","bedrock:*"],"Resource":"arn:aws:s3:::b/*"}"#;
    let many = format!("{{\"Statement\":[{}]}}", vec![statement; 20_000].join(","));
    assert_eq!(faults(&many), Vec::<String>::new());
    let stars = format!(
        r#"{{"Statement":{{"Effect":"Allow","Action":"{}","Resource":"{}"}}}}"#,
        "s*".repeat(1000),
        "a*".repeat(100_000)
    );
    assert_eq!(faults(&stars), Vec::<String>::new());
    let deep = format!(
        r#"{{"Statement":{{"Effect":"Allow","Condition":{}1{}}}}}"#,
        "{\"a\":".repeat(5_000),
        "}".repeat(5_000)
    );
    assert!(faults(&deep).iter().any(|fault| fault.contains("too deep")));
}
