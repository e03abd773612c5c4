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
use airgate::value::{Cause, Kind, Piece, Value};
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
        _ => match &value.kind {
            Kind::Null => Some(Json::Null),
            Kind::Bool(value) => Some(Json::Bool(*value)),
            Kind::Number(number) => serde_json::from_str(&number.to_string()).ok(),
            _ => value.as_str().map(Json::from),
        },
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

/// `fixtures/data/documents.jsonl` is of `cargo xtask documents`: documents made by chance, as the provider renders them.
#[test]
fn documents_made_by_chance_are_those_of_the_provider() {
    use std::fmt::Write as _;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/data/documents.jsonl");
    let stored = std::fs::read_to_string(path).unwrap();
    let stored: Vec<Json> = stored.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut text = String::new();
    for (n, line) in stored.iter().enumerate() {
        let body = line["body"].as_str().unwrap();
        writeln!(text, "data \"aws_iam_policy_document\" \"d{n}\" {{\n{body}}}").unwrap();
        let it = format!("data.aws_iam_policy_document.d{n}");
        writeln!(text, "resource \"terraform_data\" \"d{n}\" {{").unwrap();
        writeln!(text, "  input = {{ minified = {it}.minified_json, id = {it}.id }}\n}}").unwrap();
    }
    let mut sources = Sources::default();
    let inputs = Inputs::text(&[("main.tf", &text)], &mut sources);
    let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
    let (mut wrong, mut statements, mut refused) = (Vec::new(), 0, 0);
    for (n, line) in stored.iter().enumerate() {
        statements += line["body"].as_str().unwrap().matches("statement {").count();
        refused += usize::from(line.get("error").is_some());
        for name in ["minified", "id"] {
            let ours = input(&program, &format!("d{n}")).get(name).unwrap();
            if ours.as_str() != line.get(name).and_then(Json::as_str) {
                wrong.push(format!(
                    "{}{name}:\n  {ours:?}\n  {}",
                    line["body"].as_str().unwrap(),
                    line[name]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(
        stored.len() >= 200 && statements >= 350 && refused < 40,
        "{statements} statements, {refused} refused"
    );
}

#[test]
fn other_data_sources_say_what_the_provider_says() {
    let (program, plan) = fixture("pure");
    assert_eq!(json(input(&program, "values")).as_ref(), Some(planned(&plan, "values")));
}

#[test]
fn functions_of_providers_say_what_the_providers_say() {
    let (program, plan) = fixture("functions");
    let (Some(Json::Object(ours)), Json::Object(theirs)) =
        (json(input(&program, "values")), planned(&plan, "values"))
    else {
        panic!("two objects are compared");
    };
    for (name, theirs) in theirs {
        assert_eq!(ours.get(name), Some(theirs), "{name}");
    }
    assert_eq!((ours.len(), theirs.len()), (48, 48), "the rest is unknown to both");
    assert!(program.diagnostics.is_empty(), "{:?}", program.diagnostics);
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

#[test]
fn what_is_read_from_aws_has_its_type() {
    let (value, messages) = evaluate(
        r#"
        data "aws_caller_identity" "c" {}
        data "aws_availability_zones" "z" {}
        data "aws_iam_policy_document" "t" {
          policy_id = data.aws_caller_identity.c.account_id == null ? "null" : "some"
          version   = data.aws_availability_zones.z.names == "x" ? "1" : "2012-10-17"
        }"#,
    );
    assert!(value.as_str().unwrap().contains(r#""Id": "some""#), "{value:?} {messages:?}");
}

#[test]
fn files_inside_of_the_tree_are_read_and_others_are_not() {
    let folder = std::env::temp_dir().join(format!("airgate-local-file-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("root")).unwrap();
    std::fs::write(folder.join("root/in.txt"), "inside").unwrap();
    std::fs::write(folder.join("out.txt"), "outside").unwrap();
    let text = r#"
        data "local_file" "in" { 
          filename = "in.txt" 
        }
        data "local_file" "out" { 
          filename = "../out.txt" 
        }
        data "null_data_source" "n" {
          inputs = { a = 1 }
        }
        resource "terraform_data" "t" {
          input = [data.local_file.in.content, data.local_file.out.content, data.null_data_source.n.outputs.a]
        }"#;
    std::fs::write(folder.join("root/main.tf"), text).unwrap();
    let mut sources = Sources::default();
    let inputs = Inputs::read(&[folder.join("root")], &RunOptions::default(), &mut sources).unwrap();
    let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
    let found: Vec<_> = input(&program, "t").items().unwrap().iter().map(Value::as_str).collect();
    std::fs::remove_dir_all(folder).unwrap();
    assert_eq!(found, [Some("inside"), None, Some("1")]);
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
    let (said, planned) = (verdicts(&source), verdicts(&plan));
    assert_eq!(planned.difference(&said).collect::<Vec<_>>(), [] as [&(String, String, String); 0]);
    // The plan knows nothing of this document, so not even that its holder calls an endpoint. The source knows all but the
    // ARN of one bucket.
    for (rule, verdict, resource) in said.difference(&planned) {
        assert_eq!(
            (verdict.as_str(), resource.as_str()),
            ("Pass", "aws_iam_policy.training[\"data\"]"),
            "{rule}"
        );
    }
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
        assert_eq!(related.first(), Some(&because), "{rule}");
    }
}

/// What is known of the document that the text makes, in few signs: an unknown is `?`, or the attribute that it is.
fn partly(text: &str) -> String {
    fn show(value: &Value) -> String {
        let list = |items: &[Value]| items.iter().map(show).collect::<Vec<_>>().join(", ");
        match &value.kind {
            Kind::String(text) => text.to_string(),
            Kind::Tuple(items) => format!("[{}]", list(items)),
            Kind::Set(items) => format!("any of [{}]", list(items)),
            Kind::Object(map) => {
                let entries = map.iter().map(|(key, value)| format!("{key}: {}", show(value)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
            _ => match (value.pieces(), &value.reference) {
                (Some(pieces), _) => pieces.iter().fold(String::new(), |text, piece| match piece {
                    Piece::Text(more) => text + more,
                    Piece::Hole(hole) => format!("{text}${{{}}}", show(hole)),
                }),
                (None, Some(reference)) => reference.to_string(),
                (None, None) => "?".to_owned(),
            },
        }
    }
    let (value, messages) = evaluate(&format!(
        "variable \"x\" {{}}\nresource \"aws_s3_bucket\" \"b\" {{}}\nresource \"aws_iam_role\" \"r\" {{}}\n{text}"
    ));
    assert!(value.as_unknown().unwrap().not_null && messages.is_empty(), "{messages:?}");
    value.json().map_or("?".to_owned(), show)
}

fn document(name: &str, body: &str) -> String {
    format!("data \"aws_iam_policy_document\" \"{name}\" {{\n{body}\n}}\n")
}

#[test]
fn a_document_with_an_unknown_keeps_all_else() {
    let body = r#"
      statement {
        sid       = "A"
        actions   = ["s3:*", "s3:Get*"]
        resources = ["${aws_s3_bucket.b.arn}/&{aws:username}/*", aws_s3_bucket.b.arn]
        principals {
          type        = "AWS"
          identifiers = [aws_iam_role.r.arn, "1"]
        }
        condition {
          test     = "StringEquals"
          variable = "aws:PrincipalTag/team"
          values   = [var.x]
        }
      }
      statement {
        effect    = "Deny"
        actions   = var.x
        resources = ["*"]
      }"#;
    assert_eq!(
        partly(&document("t", body)),
        "{Statement: [{Action: [s3:Get*, s3:*], \
         Condition: {StringEquals: {aws:PrincipalTag/team: ?}}, Effect: Allow, \
         Principal: {AWS: any of [aws_iam_role.r.arn, 1]}, \
         Resource: any of [aws_s3_bucket.b.arn, ${aws_s3_bucket.b.arn}/${aws:username}/*], Sid: A}, \
         {Action: ?, Effect: Deny, Resource: *}], Version: 2012-10-17}"
    );
}

#[test]
fn parts_that_could_change_more_than_themselves_are_unknown_as_a_whole() {
    let statement = |inner: &str| document("t", &format!("statement {{\nactions = [\"a\"]\n{inner}\n}}"));
    let principals = |kind: &str, who: &str| {
        statement(&format!("principals {{\ntype = {kind}\nidentifiers = [{who}]\n}}"))
    };
    let expected = "{Statement: [{Action: a, Effect: Allow, Principal: ?}], Version: 2012-10-17}";
    assert_eq!(partly(&principals("var.x", "\"1\"")), expected);
    assert_eq!(partly(&principals("\"*\"", "var.x")), expected);
    let condition = statement("condition {\ntest = \"Bool\"\nvariable = var.x\nvalues = [\"true\"]\n}");
    assert_eq!(
        partly(&condition),
        "{Statement: [{Action: a, Condition: {Bool: ?}, Effect: Allow}], Version: 2012-10-17}"
    );
    assert_eq!(
        partly(&statement("effect = var.x")),
        "{Statement: [{Action: a, Effect: ?}], Version: 2012-10-17}"
    );
    let dynamic = statement(
        "dynamic \"condition\" {\nfor_each = var.x\ncontent {\ntest = \"Bool\"\nvariable = \"a\"\nvalues = [\"b\"]\n}\n}",
    );
    assert_eq!(
        partly(&dynamic),
        "{Statement: [{Action: a, Condition: ?, Effect: Allow}], Version: 2012-10-17}"
    );
}

#[test]
fn documents_that_are_partly_known_are_merged() {
    let source =
        document("s", "statement {\nsid = \"A\"\nactions = [\"a\"]\nresources = [aws_s3_bucket.b.arn]\n}");
    let own =
        |lists: &str| document("t", &format!("{lists}\nstatement {{\nsid = \"B\"\nactions = [\"b\"]\n}}"));
    let over = document("o", "statement {\nsid = \"A\"\nactions = [var.x]\n}");
    let json = |name: &str| format!("[data.aws_iam_policy_document.{name}.json]");
    assert_eq!(
        partly(&(source.clone() + &own(&format!("source_policy_documents = {}", json("s"))))),
        "{Statement: [{Action: a, Effect: Allow, Resource: aws_s3_bucket.b.arn, Sid: A}, \
         {Action: b, Effect: Allow, Sid: B}], Version: 2012-10-17}"
    );
    // The override replaces the statement of that name.
    let both = format!("source_policy_documents = {}\noverride_policy_documents = {}", json("s"), json("o"));
    assert_eq!(
        partly(&(source + &over + &own(&both))),
        "{Statement: [{Action: ?, Effect: Allow, Sid: A}, {Action: b, Effect: Allow, Sid: B}], Version: 2012-10-17}"
    );
    // A document that is not known may have any statements, but own ones stay.
    assert_eq!(
        partly(&own("source_policy_documents = [var.x]")),
        "{Id: ?, Statement: any of [?, {Action: b, Effect: Allow, Sid: B}], Version: ?}"
    );
    // As an override it may replace them.
    assert_eq!(partly(&own("override_policy_documents = [var.x]")), "?");
    assert_eq!(
        partly(&own(
            "source_policy_documents = [jsonencode({ Statement = [{ Sid = var.x, Effect = \"Allow\" }] })]"
        )),
        "?"
    );
    // `jsonencode` is read as well, also where a whole part is unknown.
    let encoded = r#"source_policy_documents = [jsonencode({ Statement = [{ Effect = "Allow", Principal = var.x, Action = "*" }] })]"#;
    assert_eq!(
        partly(&own(encoded)),
        "{Statement: [{Action: *, Effect: Allow, Principal: ?}, {Action: b, Effect: Allow, Sid: B}], Version: 2012-10-17}"
    );
    assert_eq!(partly(&document("t", "source_policy_documents = [var.x]")), "?");
    // A text keeps what stands beside elements that are not known; a repeated key is not followed.
    let text = |document: &str| own(&format!("source_policy_documents = [<<-EOT\n{document}\nEOT\n]"));
    assert_eq!(
        partly(&text(
            r#"{"Statement": [{"Effect": "Allow", "Action": ["*", ${var.x}], "Resource": ${var.x}}]}"#
        )),
        "{Statement: [{Action: any of [*, ?], Effect: Allow, Resource: ?}, {Action: b, Effect: Allow, Sid: B}], \
         Version: 2012-10-17}"
    );
    assert_eq!(
        partly(&text(r#"{"Statement": [{"Effect": "Allow", "Action": "*"}, ${var.x}]}"#)),
        "{Statement: any of [{Action: *, Effect: Allow}, ?, {Action: b, Effect: Allow, Sid: B}], \
         Version: 2012-10-17}"
    );
    assert_eq!(
        partly(&text(r#"{"Id": "${var.x}", "Id": "a", "Statement": []}"#)),
        "{Id: ?, Statement: any of [?, {Action: b, Effect: Allow, Sid: B}], Version: ?}"
    );
}
