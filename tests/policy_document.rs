//! Holds the data sources that airgate evaluates against the AWS provider: `fixtures/data/*` holds configurations and the
//! plans that Terraform made of them. Texts are compared byte for byte.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

use std::collections::BTreeSet;
use std::path::Path;

use airgate::config::Options;
use airgate::diagnostic::Level;
use airgate::finding::{Report, Verdict};
use airgate::input::Inputs;
use airgate::program::Program;
use airgate::source::Sources;
use airgate::terraform::source::variables::RunOptions;
use airgate::value::{Cause, Value};
use serde_json::Value as Json;

fn fixture(name: &str) -> (Program, Json) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/data").join(name);
    let mut sources = Sources::default();
    let inputs = Inputs::read(std::slice::from_ref(&folder), &RunOptions::default(), &mut sources).unwrap();
    let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
    let plan = serde_json::from_slice(&std::fs::read(folder.join("plan.json")).unwrap()).unwrap();
    (program, plan)
}

/// What the text makes of `data.aws_iam_policy_document.t.json`, as a value of `terraform_data.t.input`.
fn evaluate(text: &str) -> (Value, Vec<String>) {
    let text = format!(
        "{text}\nresource \"terraform_data\" \"t\" {{\n  input = data.aws_iam_policy_document.t.json\n}}\n"
    );
    let mut sources = Sources::default();
    let inputs = Inputs::text(&[("main.tf", &text)], &mut sources);
    let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
    let messages = program.diagnostics.iter().filter(|diagnostic| diagnostic.level != Level::Notice);
    (input(&program, "t").clone(), messages.map(|diagnostic| diagnostic.message.clone()).collect())
}

fn input<'p>(program: &'p Program, name: &str) -> &'p Value {
    let resource = program.resources.iter().find(|r| r.type_name == "terraform_data" && r.name == name);
    resource.unwrap().after.as_ref().unwrap().get("input").unwrap()
}

/// A known value as JSON; unknown leaves are left out.
fn json(value: &Value) -> Option<Json> {
    match (value.map(), value.items()) {
        (Some(map), _) => {
            Some(map.iter().filter_map(|(key, value)| Some((key.to_string(), json(value)?))).collect())
        }
        (_, Some(items)) => Some(items.iter().filter_map(json).collect()),
        _ => value.as_str().map(Json::from),
    }
}

/// What the plan says of `terraform_data.{name}.input`, without what it does not know.
fn planned<'p>(plan: &'p Json, name: &str) -> &'p Json {
    let address = format!("terraform_data.{name}");
    let mut changes = plan["resource_changes"].as_array().unwrap().iter();
    &changes.find(|change| change["address"] == address.as_str()).unwrap()["change"]["after"]["input"]
}

#[test]
fn documents_are_those_of_the_provider() {
    let (program, plan) = fixture("policy_document");
    let mut wrong = Vec::new();
    for attribute in ["json", "minified_json", "id"] {
        let (ours, theirs) = (input(&program, attribute), planned(&plan, attribute).as_object().unwrap());
        assert!(theirs.len() > 80, "{} documents are compared", theirs.len());
        for (name, theirs) in theirs {
            let ours = ours.get(name).unwrap();
            if ours.as_str() != theirs.as_str() {
                wrong.push(format!("{name}.{attribute}: {ours:?}, the provider {theirs}"));
            }
        }
        for (name, ours) in ours.map().unwrap().iter() {
            assert_eq!(ours.is_unknown(), !theirs.contains_key(name.as_str()), "{name}");
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    let messages: Vec<_> = program.diagnostics.iter().map(|diagnostic| &diagnostic.message).collect();
    assert!(messages.is_empty(), "{messages:?}");
}

#[test]
fn other_data_sources_say_what_the_provider_says() {
    let (program, plan) = fixture("pure");
    assert_eq!(json(input(&program, "values")).as_ref(), Some(planned(&plan, "values")));
}

#[test]
fn a_document_with_an_unknown_says_why_and_of_what() {
    let (value, _) = evaluate(
        r#"
        variable "team" {}
        resource "aws_s3_bucket" "raw" {}
        data "aws_iam_policy_document" "t" {
          statement {
            actions   = ["s3:GetObject"]
            resources = ["*", "${aws_s3_bucket.raw.arn}/*"]
            condition {
              test     = "StringEquals"
              variable = "aws:PrincipalTag/team"
              values   = [var.team]
            }
          }
        }"#,
    );
    let unknown = value.as_unknown().unwrap();
    assert!(unknown.not_null);
    assert!(matches!(&unknown.cause, Cause::Variable(_) | Cause::Resource(_)), "{:?}", unknown.cause);
    let sources: Vec<_> = unknown.sources.iter().map(ToString::to_string).collect();
    assert_eq!(sources, ["aws_s3_bucket.raw.arn"]);
    assert_eq!(value.reference.unwrap().to_string(), "data.aws_iam_policy_document.t.json");
}

#[test]
fn what_the_provider_refuses_is_unknown_and_reported() {
    let twice = "locals { t = jsonencode({ Statement = [{ Sid = \"A\" }] }) }";
    for (body, expected) in [
        ("statement {\n sid = \"A\"\n}\nstatement {\n sid = \"A\"\n}", "two statements have the same `sid`"),
        ("source_policy_documents = [local.t, local.t]", "two statements have the same `sid`"),
        ("source_policy_documents = [jsonencode({ Statement = { Sid = \"A\" } })]", "must be a list"),
        ("source_policy_documents = [null]", "a string is required"),
        ("statement {\n actions = [null]\n}", "a string is required"),
        ("statement {\n actions = \"s3:*\"\n}", "set required"),
        ("statement {\n action = [\"s3:*\"]\n}", "`action` is no argument of it"),
        ("statement {\n effect = \"allow\"\n}", "`effect` must be"),
        (
            "statement {\n condition {\n test = \"a\"\n variable = \"b\"\n}\n}",
            "attribute `values` is required",
        ),
        ("statement {\n actions = [tonumber(\"x\")]\n}", "a number is required"),
        ("version = \"2012\"", "`version` must be"),
        ("version = \"2008-10-17\"\nstatement {\n resources = [\"&{a}\"]\n}", "has no policy variables"),
        ("override_policy_documents = [\"{\"]", "it is not JSON at line 1"),
    ] {
        let (value, messages) =
            evaluate(&format!("{twice}\ndata \"aws_iam_policy_document\" \"t\" {{\n{body}\n}}"));
        assert!(matches!(value.as_unknown().unwrap().cause, Cause::Error(_)), "{body}: {value:?}");
        assert_eq!(messages.len(), 1, "{body}: {messages:?}");
        assert!(messages[0].contains(expected), "{body}: {messages:?}");
    }
}

#[test]
fn a_sensitive_argument_makes_the_document_sensitive() {
    let (value, _) = evaluate(
        r#"
        variable "account" {
          default   = "111122223333"
          sensitive = true
        }
        data "aws_iam_policy_document" "t" {
          statement {
            principals {
              type        = "AWS"
              identifiers = [var.account]
            }
          }
        }"#,
    );
    assert!(value.sensitive && value.as_str().is_some());
}

#[test]
fn documents_that_double_end_at_a_limit() {
    use std::fmt::Write as _;
    let mut text = "data \"aws_iam_policy_document\" \"d0\" {\n statement {}\n}\n".to_owned();
    for n in 1..60 {
        let name = if n == 59 { "t".to_owned() } else { format!("d{n}") };
        let source = format!("data.aws_iam_policy_document.d{}.json", n - 1);
        writeln!(text, "data \"aws_iam_policy_document\" \"{name}\" {{").unwrap();
        writeln!(text, " source_policy_documents = [{source}, {source}]\n}}").unwrap();
    }
    let (value, _) = evaluate(&text);
    assert!(matches!(value.as_unknown().unwrap().cause, Cause::Limit(_)), "{value:?}");
}

#[test]
fn the_provider_that_is_named_tells_the_region() {
    let (value, messages) = evaluate(
        r#"
        provider "aws" {}
        provider "aws" {
          alias  = "china"
          region = "cn-north-1"
        }
        data "aws_partition" "p" {
          provider = aws.china
        }
        data "aws_iam_policy_document" "t" {
          policy_id = "${data.aws_partition.p.partition} ${data.aws_partition.p.reverse_dns_prefix}"
        }"#,
    );
    assert!(value.as_str().unwrap().contains(r#""Id": "aws-cn cn.com.amazonaws""#), "{value:?} {messages:?}");
}

#[test]
fn a_region_of_the_environment_is_not_guessed_and_its_partition_is() {
    let document = |id: &str| {
        let (value, messages) = evaluate(&format!(
            r#"
            provider "aws" {{}}
            data "aws_region" "r" {{}}
            data "aws_partition" "p" {{}}
            data "aws_service_principal" "s" {{
              service_name = "bedrock"
            }}
            data "aws_iam_policy_document" "t" {{
              policy_id = {id}
            }}"#
        ));
        assert!(messages.is_empty(), "{messages:?}");
        value
    };
    for id in ["data.aws_region.r.name", "data.aws_service_principal.s.id"] {
        assert!(matches!(document(id).as_unknown().unwrap().cause, Cause::Data(_)), "{id}");
    }
    // The partition is assumed to be the common one.
    for (id, expected) in [
        ("data.aws_partition.p.partition", "\"Id\": \"aws\""),
        ("data.aws_service_principal.s.name", "\"Id\": \"bedrock.amazonaws.com\""),
    ] {
        assert!(document(id).as_str().unwrap().contains(expected), "{id}");
    }
}

/// Rule, verdict and resource of all that was found.
fn verdicts(report: &Report) -> BTreeSet<(String, String, String)> {
    let of = |finding: &airgate::finding::Finding| {
        let (rule, verdict) = (report.rules[finding.rule].id.clone(), format!("{:?}", finding.verdict));
        let resources = finding.resources.iter();
        resources
            .map(move |subject| (rule.clone(), verdict.clone(), subject.address.to_string()))
            .collect::<Vec<_>>()
    };
    report.findings.iter().flat_map(of).collect()
}

#[test]
fn verdicts_over_documents_in_source_are_those_of_the_plan() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/data/agent");
    let options = Options { keep_pass: true, ..Options::default() };
    let plan = airgate::analyze(&[folder.join("plan.json")], &options).unwrap();
    let source = airgate::analyze(&[folder], &options).unwrap();
    assert_eq!(verdicts(&source), verdicts(&plan));
    let failed = |rule: &str| {
        let is_it = |finding: &&airgate::finding::Finding| {
            source.rules[finding.rule].id == rule && finding.verdict == Verdict::Fail
        };
        source.findings.iter().find(is_it).unwrap()
    };
    for (rule, at, because) in [
        ("AWS-BED-IAM-004", "policy = data.", r#"data "aws_iam_policy_document" "agent""#),
        ("AWS-BED-IAM-003", "assume_role_policy = ", r#"data "aws_iam_policy_document" "agent_trust""#),
        ("AWS-SM-IAM-003", "policy   = each.value.json", r#"data "aws_iam_policy_document" "training""#),
    ] {
        let finding = failed(rule);
        let text = |site: airgate::source::Site| source.sources.get(site.file).unwrap().slice(site.span);
        assert!(text(finding.site.unwrap()).starts_with(at), "{rule}");
        let related: Vec<_> = finding.related.iter().map(|(site, _)| text(*site)).collect();
        assert_eq!(related, [because], "{rule}");
    }
}
