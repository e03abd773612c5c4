//! Canaries: every attribute of every type that a rule is about holds a secret, in every kind of input and under every shape
//! of mark; no format, verdict or state of a finding may show it, nor what is computed from it.
//!
//! `tests/secrets.rs` has the single cases, and the streams of the program; this is what nobody thought of.

#![cfg(test)]
#![expect(
    clippy::format_push_string,
    clippy::needless_pass_by_value,
    reason = "what is written here is made once"
)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use std::collections::{BTreeMap, BTreeSet};

use airgate::catalog::{BlockSchema, Catalog, Nesting};
use airgate::config::{Config, Options, Residency, Scope};
use airgate::finding::{Report, Verdict};
use airgate::report::{self, Format, Show};
use airgate::rules::RuleSet;
use airgate::value::Type;
use program::Dir;
use serde_json::{Map, Value, json};

/// What every planted secret holds.
const CANARY: &str = "hunter2canary";
/// A number that nothing else is.
const NUMBER: u64 = 735_560_812_357;
/// What of a secret, computed from it, would give it away.
const DERIVED: [&str; 6] = [
    CANARY,
    "HUNTER2CANARY",
    "yranac2retnuh",
    "aHVudGVyMmNhbmFye", // base64
    "68756e746572326361",
    "735560812357",
];
/// Texts with the secret that rules read as keys, models, regions, policies of AWS.
const TEXTS: [&str; 8] = [
    "hunter2canary",
    "arn:aws:kms:eu-west-1:111122223333:key/hunter2canary",
    "arn:aws:kms:eu-west-1:111122223333:alias/aws/hunter2canary",
    "arn:aws:iam::aws:policy/AdministratorAccess/hunter2canary",
    "us.anthropic.hunter2canary",
    "arn:aws:bedrock:us-east-1:111122223333:inference-profile/global.hunter2canary",
    "EU hunter2canary",
    "arn:aws:s3:::hunter2canary",
];

/// The types that any rule is about, and what configures buckets and roles.
fn types() -> BTreeSet<String> {
    let rules = RuleSet::builtin().unwrap();
    let types = rules.iter().flat_map(|rule| rule.front().types.iter());
    let mut types: BTreeSet<String> = types.map(ToString::to_string).collect();
    types.extend(
        Catalog::get()
            .all_links()
            .iter()
            .map(|link| link.source_type.to_owned())
            .filter(|name| name.starts_with("aws_s3_bucket_") || name.starts_with("aws_iam_role_policy")),
    );
    types.retain(|name| Catalog::get().schema(name).is_some());
    assert!(types.len() > 40, "{types:?}");
    types
}

/// A policy in which the secret stands wherever there is room for one.
fn policy(text: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Sid": text, "Effect": "Allow", "Action": ["bedrock:*", "sts:AssumeRole", "iam:PassRole", text],
          "Resource": ["*", text] },
        { "Sid": text, "Effect": "Allow", "Action": "sts:AssumeRole",
          "Principal": { "Service": ["bedrock.amazonaws.com", "sagemaker.amazonaws.com", text], "AWS": text } },
    ] })
}

const TAGS: [&str; 5] = ["owner", "data-residency", "ai-risk-tier", "data-classification", "other"];

/// A value of the type that holds the secret, and how Terraform marks it where each leaf is marked.
fn value_of(name: &str, ty: &Type, text: &str) -> (Value, Value) {
    match ty {
        Type::String if name.contains("policy") => (json!(policy(text).to_string()), json!(true)),
        Type::Number => (json!(NUMBER), json!(true)),
        Type::Bool => (json!(true), json!(true)),
        Type::List(of) | Type::Set(of) => {
            let (value, marks) = value_of(name, of, text);
            (json!([value]), json!([marks]))
        }
        Type::Map(of) => {
            let of = |key: &str| (key.to_owned(), value_of(name, of, text));
            let (values, marks): (Map<_, _>, Map<_, _>) =
                TAGS.map(of).into_iter().map(|(key, (v, m))| ((key.clone(), v), (key, m))).unzip();
            (values.into(), marks.into())
        }
        Type::Object(fields) => {
            let fields =
                fields.iter().map(|field| (field.name.to_string(), value_of(&field.name, &field.ty, text)));
            let (values, marks): (Map<_, _>, Map<_, _>) =
                fields.map(|(key, (v, m))| ((key.clone(), v), (key, m))).unzip();
            (values.into(), marks.into())
        }
        _ => (json!(text), json!(true)),
    }
}

/// An object of the block with the secret in all that can be set, and its marks.
fn object_of(schema: &BlockSchema, text: &str) -> (Value, Value) {
    let (mut values, mut marks) = (Map::new(), Map::new());
    for (name, attribute) in schema.attributes() {
        let (value, mark) = value_of(name, &attribute.ty, text);
        values.insert(name.to_string(), value);
        marks.insert(name.to_string(), mark);
    }
    for (name, nested) in schema.blocks() {
        let (value, mark) = object_of(&nested.block, text);
        let (value, mark) = match nested.nesting {
            Nesting::Single => (value, mark),
            Nesting::List | Nesting::Set => (json!([value]), json!([mark])),
            Nesting::Map => (json!({ "a": value }), json!({ "a": mark })),
        };
        values.insert(name.to_string(), value);
        marks.insert(name.to_string(), mark);
    }
    (values.into(), marks.into())
}

/// How a plan may mark what is sensitive: the whole, each attribute whole, the elements of lists whole, each leaf.
fn shapes(marks: &Value) -> [Value; 4] {
    let tops = marks.as_object().unwrap().keys().map(|key| (key.clone(), json!(true)));
    let elements = marks.as_object().unwrap().iter().map(|(key, mark)| {
        let mark = if mark.is_array() { json!([true]) } else { mark.clone() };
        (key.clone(), mark)
    });
    [json!(true), tops.collect::<Map<_, _>>().into(), elements.collect::<Map<_, _>>().into(), marks.clone()]
}

fn options() -> Options {
    let residency = Residency { allowed: vec!["EU".to_owned()], ..Residency::default() };
    let config = Config { scope: Scope::All, residency, ..Config::default() };
    Options { config, keep_pass: true, ..Options::default() }
}

/// Everything that can be written of the report, by format.
fn written(report: &Report) -> Vec<(&'static str, String)> {
    let show = Show { undetermined: true, pass: true };
    let options = report::Options { show, ..report::Options::default() };
    let write = |format: Format| {
        let mut out = Vec::new();
        report::write(report, format, &options, &mut out).unwrap();
        (format.as_str(), String::from_utf8(out).unwrap())
    };
    let unsure = report::unsure(report).join("\n");
    Format::ALL.map(write).into_iter().chain([("unsure", unsure), ("debug", debug(report))]).collect()
}

/// What a log of the report's own data would hold, without the texts of files.
fn debug(report: &Report) -> String {
    format!("{:?}{:?}{:?}{:?}", report.findings, report.resolved, report.diagnostics, report.summary)
}

/// The first thing that a report gives away.
fn leak(report: &Report) -> Option<String> {
    written(report).into_iter().find_map(|(format, text)| {
        let at = DERIVED.iter().filter_map(|needle| text.find(needle)).min()?;
        let start = text.floor_char_boundary(at.saturating_sub(400));
        let end = text.floor_char_boundary(at + 200);
        Some(format!("{format}: …{}…", &text[start..end]))
    })
}

/// Analyses the files with all rules, of all resources; no canary may be told. Returns the verdicts that there are.
#[track_caller]
fn keeps(what: &str, files: &[(&str, String)], input: &str) -> BTreeSet<Verdict> {
    let dir = Dir::new();
    for (name, text) in files {
        dir.write(name, text);
    }
    let report = airgate::analyze(&[dir.path().join(input)], &options()).unwrap();
    if let Some(leak) = leak(&report) {
        panic!("{what}: {leak}");
    }
    report.findings.iter().map(|finding| finding.verdict).collect()
}

fn plan(changes: Vec<Value>) -> String {
    json!({ "format_version": "1.2", "terraform_version": "1.11.4", "planned_values": { "root_module": {} },
        "variables": { "s": { "value": CANARY } },
        "output_changes": { "o": { "actions": ["create"], "before": CANARY, "after": CANARY, "after_sensitive": true } },
        "prior_state": { "format_version": "1.0", "values": { "outputs": {
            "o": { "value": CANARY, "sensitive": true } }, "root_module": {} } },
        "checks": [{ "address": { "kind": "output_value", "to_display": "output.o" }, "status": "fail",
            "instances": [{ "status": "fail", "problems": [{ "message": CANARY }] }] }],
        "configuration": {
            "provider_config": { "aws": { "name": "aws", "full_name": "registry.terraform.io/hashicorp/aws",
                "expressions": { "region": { "references": ["var.s"] }, "secret_key": { "constant_value": CANARY },
                    "default_tags": [{ "tags": { "references": ["var.s"] } }] } } },
            "root_module": { "variables": { "s": { "sensitive": true, "default": CANARY } } } },
        "resource_changes": changes,
    })
    .to_string()
}

fn change(type_name: &str, actions: Value, sides: [&Value; 2], marks: [&Value; 2]) -> Value {
    json!({ "address": format!("{type_name}.x"), "mode": "managed", "type": type_name, "name": "x",
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": { "actions": actions, "before": sides[0], "after": sides[1], "after_unknown": {},
            "before_sensitive": marks[0], "after_sensitive": marks[1] } })
}

#[test]
fn plans_tell_nothing_that_they_mark() {
    let types = types();
    let mut verdicts = BTreeSet::new();
    let (null, none) = (Value::Null, json!({}));
    for (number, text) in TEXTS.into_iter().enumerate() {
        for shape in [number % 4, (number + 1) % 4] {
            let changes = types.iter().enumerate().map(|(index, name)| {
                let (object, marks) = object_of(Catalog::get().schema(name).unwrap(), text);
                let marks = &shapes(&marks)[shape];
                // All that a change can do, over the types and shapes.
                match (index + shape) % 4 {
                    0 => change(name, json!(["create"]), [&null, &object], [&none, marks]),
                    1 => change(name, json!(["update"]), [&object, &object], [marks, marks]),
                    2 => change(name, json!(["delete", "create"]), [&object, &object], [&none, marks]),
                    _ => change(name, json!(["delete"]), [&object, &null], [marks, &none]),
                }
            });
            let file = [("plan.json", plan(changes.collect()))];
            verdicts.extend(keeps(&format!("{text}, shape {shape}"), &file, "plan.json"));
        }
    }
    assert_eq!(verdicts.len(), 3, "every verdict is shown: {verdicts:?}");
}

#[test]
fn what_nobody_marks_is_told() {
    // So that the tests here can fail.
    let changes = types().into_iter().map(|name| {
        let (object, _) = object_of(Catalog::get().schema(&name).unwrap(), "hunter2canary");
        change(&name, json!(["create"]), [&Value::Null, &object], [&json!({}), &json!({})])
    });
    let dir = Dir::new();
    dir.write("plan.json", plan(changes.collect()));
    let report = airgate::analyze(&[dir.path().join("plan.json")], &options()).unwrap();
    let told: BTreeMap<&str, String> = written(&report).into_iter().collect();
    for format in Format::ALL {
        assert!(told[format.as_str()].contains(CANARY), "{}", format.as_str());
    }

    let few =
        BTreeSet::from(["aws_bedrockagent_agent".to_owned(), "aws_sagemaker_notebook_instance".to_owned()]);
    let mut untold = Vec::new();
    for expression in EXPRESSIONS.into_iter().filter(|expression| !expression.contains("sensitive(")) {
        let dir = Dir::new();
        for (name, text) in source(expression, "hunter2canary", &few) {
            dir.write(name, text.replace("sensitive = true", "nullable = true"));
        }
        let report = airgate::analyze(&[dir.path().to_owned()], &options()).unwrap();
        if leak(&report).is_none() {
            untold.push(expression);
        }
    }
    assert_eq!(untold, [""; 0], "nothing of them would ever be shown");
}

#[test]
fn states_tell_nothing_that_they_mark() {
    let types = types();
    for (number, text) in TEXTS.into_iter().enumerate() {
        let object = |name: &str| object_of(Catalog::get().schema(name).unwrap(), text);
        let instances = types.iter().map(|name| {
            let (values, marks) = object(name);
            let paths: Vec<Value> = marks
                .as_object()
                .unwrap()
                .keys()
                .map(|key| json!([{ "type": "get_attr", "value": key }]))
                .collect();
            json!({ "mode": "managed", "type": name, "name": "x",
                "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
                "instances": [{ "schema_version": 0, "attributes": values, "sensitive_attributes": paths }] })
        });
        let raw = json!({ "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "l",
            "outputs": { "o": { "value": CANARY, "type": "string", "sensitive": true } },
            "resources": instances.collect::<Vec<_>>() });
        let verdicts = keeps(text, &[("terraform.tfstate", raw.to_string())], "terraform.tfstate");
        assert!(verdicts.contains(&Verdict::Fail), "{text}: {verdicts:?}");
        for shape in [number % 4, (number + 1) % 4] {
            let resources = types.iter().map(|name| {
                let (values, marks) = object(name);
                json!({ "address": format!("{name}.x"), "mode": "managed", "type": name, "name": "x",
                    "provider_name": "registry.terraform.io/hashicorp/aws",
                    "values": values, "sensitive_values": shapes(&marks)[shape] })
            });
            let shown = json!({ "format_version": "1.0", "terraform_version": "1.11.4", "values": {
                "outputs": { "o": { "value": CANARY, "sensitive": true, "type": "string" } },
                "root_module": { "resources": resources.collect::<Vec<_>>() } } });
            let what = format!("{text}, shape {shape}");
            let verdicts = keeps(&what, &[("state.json", shown.to_string())], "state.json");
            assert!(verdicts.contains(&Verdict::Fail), "{what}: {verdicts:?}");
        }
    }
}

/// Expressions that hold the secret, alone or in part.
const EXPRESSIONS: [&str; 30] = [
    "var.s",
    "local.through",
    "upper(var.s)",
    "strrev(var.s)",
    "base64encode(var.s)",
    "sensitive(local.plain)",
    "substr(var.s, 0, 20)",
    "format(\"%s!\", var.s)",
    "split(\"-\", var.s)[0]",
    "trimprefix(\"x-${var.s}\", \"x-\")",
    "\"a-${var.s}\"",
    "\"a-${var.s}-${var.open}\"",
    "\"${var.open}-${var.s}\"",
    "\"${var.open}-${upper(var.s)}-${aws_s3_bucket.b.arn}\"",
    "var.open == \"a\" ? var.s : \"b\"",
    "var.open == \"a\" ? \"b\" : \"c-${var.s}\"",
    "var.object.a",
    "var.object.list[0]",
    "var.list[0]",
    "one(var.list)",
    "element(var.list, var.index)",
    "lookup(var.map, \"a\", \"b\")",
    "lookup(var.map, var.open, \"b\")",
    "values(var.map)[0]",
    "keys(var.keyed)[0]",
    "[for k, v in var.keyed : k][0]",
    "join(\",\", concat(var.list, [var.open]))",
    "coalesce(var.open, var.s)",
    "try(var.object.none, var.s)",
    "module.m.secret",
];

const DECLARED: &str = r#"
variable "s" {
  type      = string
  sensitive = true
  default   = "SECRET"
}
variable "object" {
  sensitive = true
  default   = { a = "SECRET", list = ["SECRET"] }
}
variable "list" {
  type      = list(string)
  sensitive = true
}
variable "map" {
  type      = map(string)
  sensitive = true
  ephemeral = true
}
variable "keyed" {
  sensitive = true
  default   = { "SECRET" = "SECRET" }
}
variable "open" {}
variable "index" {}
locals {
  through = local.before
  before  = var.s
  plain   = nonsensitive(var.s)
}
module "m" {
  source = "./m"
  given  = var.s
}
resource "aws_s3_bucket" "b" {
}
provider "aws" {
  region = var.s
  default_tags {
    tags = var.map
  }
}
"#;

const MODULE: &str =
    "variable \"given\" {\n}\noutput \"secret\" {\n  value     = \"m-${var.given}\"\n  sensitive = true\n}\n";

/// The expression in the shape of the type.
fn expression_of(name: &str, ty: &Type, expression: &str) -> String {
    match ty {
        Type::String if name.contains("policy") => {
            let statement = format!(
                "Sid = {expression}, Effect = \"Allow\", Action = [\"bedrock:*\", \"sts:AssumeRole\", {expression}], \
                 Resource = [\"*\", {expression}], Principal = {{ Service = [\"bedrock.amazonaws.com\", {expression}] }}"
            );
            format!("jsonencode({{ Statement = [{{ {statement} }}] }})")
        }
        Type::List(of) | Type::Set(of) => format!("[{}]", expression_of(name, of, expression)),
        Type::Map(of) => {
            let of = |key: &str| format!("\"{key}\" = {}", expression_of(name, of, expression));
            format!("{{ {} }}", TAGS.map(of).join(", "))
        }
        Type::Object(fields) => {
            let fields =
                fields.iter().map(|f| format!("{} = {}", f.name, expression_of(&f.name, &f.ty, expression)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        _ => expression.to_owned(),
    }
}

fn body_of(schema: &BlockSchema, expression: &str, out: &mut String) {
    for (name, attribute) in schema.attributes().filter(|(_, a)| a.required || a.optional) {
        if !matches!(name.as_str(), "provider" | "count" | "for_each") {
            out.push_str(&format!("  {name} = {}\n", expression_of(name, &attribute.ty, expression)));
        }
    }
    for (name, nested) in schema.blocks() {
        if name != "timeouts" {
            out.push_str(&format!("  {name} {{\n"));
            body_of(&nested.block, expression, out);
            out.push_str("  }\n");
        }
    }
}

/// A root module with a resource of each type that has the expression everywhere.
fn source(expression: &str, text: &str, types: &BTreeSet<String>) -> [(&'static str, String); 4] {
    let mut resources = String::new();
    for name in types {
        resources.push_str(&format!("resource \"{name}\" \"x\" {{\n"));
        body_of(Catalog::get().schema(name).unwrap(), expression, &mut resources);
        resources.push_str("}\n");
    }
    let given = format!("list = [\"{text}\"]\nmap = {{ a = \"{text}\" }}\nno = \"{text}\"\n");
    [
        ("variables.tf", DECLARED.replace("SECRET", text)),
        ("main.tf", resources),
        ("m/main.tf", MODULE.to_owned()),
        ("terraform.tfvars", given),
    ]
}

#[test]
fn source_tells_nothing_of_sensitive_variables() {
    let types = types();
    let mut verdicts = BTreeSet::new();
    for (number, expression) in EXPRESSIONS.iter().enumerate() {
        // Each expression with another text.
        let text = TEXTS[number % TEXTS.len()];
        verdicts.extend(keeps(&format!("{expression} of {text}"), &source(expression, text, &types), ""));
    }
    assert_eq!(verdicts.len(), 3, "every verdict is shown: {verdicts:?}");
}

#[test]
fn a_line_that_is_shown_covers_what_it_calls_sensitive() {
    let line = "resource \"aws_sagemaker_notebook_instance\" \"x\" { name = sensitive(\"hunter2canary\") }\n";
    assert!(keeps(line, &[("main.tf", line.to_owned())], "").contains(&Verdict::Fail));
}

#[test]
fn source_tells_nothing_of_sensitive_collections_and_blocks() {
    const NOTEBOOK: &str = "aws_sagemaker_notebook_instance";
    for body in [
        "tags = { owner = sensitive(\"hunter2canary\") }",
        "name = sensitive(\"hunter2canary\")\n  kms_key_id = sensitive([\"hunter2canary\"])[0]",
        "tags = var.map",
        "tags = merge(var.map, { purpose = \"x\" })",
        "tags = { for k, v in var.map : k => v }",
        "tags = { for k, v in var.keyed : k => \"x\" }",
        "tags = zipmap(var.list, var.list)",
        "tags = var.object",
        "security_groups = var.list",
        "security_groups = toset(var.list)",
        "security_groups = concat(var.list, [var.open])",
        "security_groups = [for x in var.list : upper(x)]",
        "root_access = var.object.a\n  tags = { owner = var.list }",
        "for_each = toset(var.list)\n  name = each.key",
        "for_each = var.keyed\n  name = each.key\n  kms_key_id = each.value",
        "for_each = { for k, v in var.keyed : k => v }\n  name = each.key",
        "for_each = nonsensitive(toset([\"a\"]))\n  name = var.map[each.key]",
        "count = length(var.list)\n  name = var.list[count.index]",
        "dynamic \"instance_metadata_service_configuration\" {\n    for_each = var.list\n    content {\n      \
         minimum_instance_metadata_service_version = instance_metadata_service_configuration.value\n    }\n  }",
        "dynamic \"instance_metadata_service_configuration\" {\n    for_each = var.open\n    content {\n      \
         minimum_instance_metadata_service_version = var.s\n    }\n  }",
        "lifecycle {\n    precondition {\n      condition = var.s == \"\"\n      error_message = \"not ${var.s}\"\n    }\n  }",
    ] {
        for text in TEXTS {
            let files = [
                ("variables.tf", DECLARED.replace("SECRET", text)),
                ("main.tf", format!("resource \"{NOTEBOOK}\" \"x\" {{\n  {body}\n}}\n")),
                ("m/main.tf", MODULE.to_owned()),
                (
                    "terraform.tfvars",
                    format!("list = [\"{text}\"]\nmap = {{ a = \"{text}\", owner = \"{text}\" }}\n"),
                ),
            ];
            let verdicts = keeps(&format!("{body} of {text}"), &files, "");
            assert!(!verdicts.is_empty(), "{body}");
        }
    }
}

/// The value with each leaf in the envelope of a Pulumi secret, and names as Pulumi writes them.
fn enveloped(value: &Value, whole: bool) -> Value {
    let secret = |plain: &Value| {
        json!({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
            "plaintext": plain.to_string(), "ciphertext": format!("v1:{CANARY}") })
    };
    match value {
        _ if whole => secret(value),
        Value::Array(items) => items.iter().map(|item| enveloped(item, false)).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (camel(key), enveloped(value, false))).collect::<Map<_, _>>().into()
        }
        leaf => secret(leaf),
    }
}

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(&part[..1].to_uppercase());
        out.push_str(&part[1..]);
    }
    out
}

#[test]
fn stacks_and_previews_tell_nothing_of_their_secrets() {
    let tokens: BTreeMap<&str, &str> = include_str!("../rules/catalog/pulumi/aws.csv")
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(',').map(|(token, rest)| (rest.split(',').next().unwrap(), token)))
        .collect();
    let types = types();
    for (number, text) in TEXTS.into_iter().enumerate() {
        let whole = number % 2 == 0;
        let states: Vec<Value> = types
            .iter()
            .filter_map(|name| Some((name, tokens.get(name.as_str())?)))
            .map(|(name, token)| {
                let (object, _) = object_of(Catalog::get().schema(name).unwrap(), text);
                let inputs = object.as_object().unwrap().iter();
                let inputs: Map<_, _> =
                    inputs.map(|(key, value)| (camel(key), enveloped(value, whole))).collect();
                json!({ "urn": format!("urn:pulumi:prod::app::{token}::x"), "type": token, "custom": true,
                        "inputs": inputs, "outputs": inputs })
            })
            .collect();
        assert!(states.len() > 40, "{}", states.len());
        let what = format!("{text}, whole {whole}");
        let config = json!({ "app:key": CANARY });
        let stack = json!({ "version": 3, "deployment": { "resources": states } }).to_string();
        if number < 4 {
            assert!(!keeps(&what, &[("stack.json", stack)], "stack.json").is_empty());
            continue;
        }
        let steps = states.iter().enumerate().map(|(index, state)| match index % 3 {
            0 => json!({ "op": "create", "urn": state["urn"], "newState": state }),
            1 => json!({ "op": "update", "urn": state["urn"], "oldState": state, "newState": state }),
            _ => json!({ "op": "delete", "urn": state["urn"], "oldState": state }),
        });
        let diagnostics = json!([{ "urn": "", "severity": "error", "message": CANARY }]);
        let preview =
            json!({ "config": config, "steps": steps.collect::<Vec<_>>(), "diagnostics": diagnostics });
        assert!(!keeps(&what, &[("preview.json", preview.to_string())], "preview.json").is_empty());
    }
}

#[test]
fn binary_plans_tell_nothing_that_they_or_their_source_mark() {
    for name in ["secrets.tfplan", "secrets.json"] {
        let plan = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/binary").join(name);
        let report = airgate::analyze(&[plan], &options()).unwrap();
        assert_eq!(leak(&report), None, "{name}");
        assert!(report.findings.len() > 10, "{name}");
    }
}
