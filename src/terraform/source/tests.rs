//! What a plan cannot show: what is unknown and why, what is wrong, and limits.

use crate::diagnostic::{Diagnostic, Level};
use crate::input::Inputs;
use crate::program::{Program, Resource};
use crate::source::{Site, Sources};
use crate::value::{Kind, Value};

/// The program of one file, and its sources.
fn read(text: &str) -> (Program, Sources) {
    read_files(&[("main.tf", text)])
}

fn read_files(files: &[(&str, &str)]) -> (Program, Sources) {
    let mut sources = Sources::default();
    let inputs = Inputs::text(files, &mut sources);
    let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
    (program, sources)
}

fn resource<'p>(program: &'p Program, address: &str) -> &'p Resource {
    let found = program.resources.iter().find(|resource| resource.address == address);
    let all: Vec<_> = program.resources.iter().map(|resource| &resource.address).collect();
    found.unwrap_or_else(|| panic!("{address} is none of {all:?}"))
}

fn value<'p>(program: &'p Program, address: &str, path: &str) -> &'p Value {
    let after = resource(program, address).after.as_ref().unwrap();
    after.at_path(path).unwrap_or_else(|| panic!("{address} has no {path}"))
}

/// Why the value at `path` is unknown.
fn cause(program: &Program, address: &str, path: &str) -> String {
    let value = value(program, address, path);
    value.as_unknown().unwrap_or_else(|| panic!("{value:?} is known")).cause.to_string()
}

fn reference(program: &Program, address: &str, path: &str) -> String {
    let value = value(program, address, path);
    value.reference.as_ref().unwrap_or_else(|| panic!("{value:?} is no reference")).to_string()
}

fn messages(program: &Program) -> Vec<&str> {
    program.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect()
}

/// The line, from 1, and the text of a place.
fn line(sources: &Sources, site: Site) -> (u32, &str) {
    let file = sources.get(site.file).unwrap();
    (file.position(site.span.start).line, file.slice(site.span))
}

#[test]
fn an_unknown_for_each_makes_one_instance_that_stands_for_any() {
    let (program, _) = read(
        r#"
        variable "buckets" { type = map(object({ name = string, tags = map(string) })) }
        variable "count" { type = number }
        variable "names" {}
        resource "aws_s3_bucket" "b" {
          for_each = var.buckets
          bucket   = "ai-${each.key}"
          tags     = each.value.tags
          acl      = "same for all"
        }
        resource "aws_s3_bucket_versioning" "v" {
          for_each = aws_s3_bucket.b
          bucket   = each.value.id
        }
        resource "aws_s3_bucket_versioning" "w" {
          for_each = var.buckets
          bucket   = aws_s3_bucket.b[each.key].id
          versioning_configuration { status = aws_s3_bucket.b[each.key].acl }
        }
        resource "aws_s3_bucket" "c" {
          count  = var.count
          bucket = "c${count.index}"
          acl    = try(aws_s3_bucket.b["x"].id, aws_s3_bucket.b["x"].acl, "none")
        }
        resource "aws_s3_bucket" "d" {
          for_each = toset(var.names)
          bucket   = each.value
        }
        resource "aws_s3_bucket_policy" "p" {
          bucket = aws_s3_bucket.b["x"].id
          policy = aws_s3_bucket.c[0].bucket
        }
        "#,
    );
    assert_eq!(messages(&program), [""; 0]);
    let addresses: Vec<_> = program.resources.iter().map(|resource| resource.address.as_str()).collect();
    assert_eq!(
        addresses,
        [
            "aws_s3_bucket.b[?]",
            "aws_s3_bucket_versioning.v[?]",
            "aws_s3_bucket_versioning.w[?]",
            "aws_s3_bucket.c[?]",
            "aws_s3_bucket.d[?]",
            "aws_s3_bucket_policy.p"
        ]
    );
    let why = "variable `buckets` has no default and no value";
    assert_eq!(cause(&program, "aws_s3_bucket.b[?]", "bucket"), why);
    let name = value(&program, "aws_s3_bucket.b[?]", "bucket").as_unknown().unwrap();
    assert!(name.not_null);
    assert_eq!(name.prefix, "ai-");
    let tags = value(&program, "aws_s3_bucket.b[?]", "tags").as_unknown().unwrap();
    assert_eq!(tags.ty.to_string(), "map(string)");
    assert_eq!(
        cause(&program, "aws_s3_bucket.d[?]", "bucket"),
        "variable `names` has no default and no value"
    );
    assert_eq!(reference(&program, "aws_s3_bucket_policy.p", "bucket"), "aws_s3_bucket.b[?].id");
    assert!(value(&program, "aws_s3_bucket_policy.p", "policy").is_unknown());
    for address in ["aws_s3_bucket_versioning.v[?]", "aws_s3_bucket_versioning.w[?]"] {
        assert_eq!(reference(&program, address, "bucket"), "aws_s3_bucket.b[?].id", "{address}");
    }
    let status = value(&program, "aws_s3_bucket_versioning.w[?]", "versioning_configuration.status");
    assert!(status.is_unknown(), "there may be no such bucket");
    let tried = value(&program, "aws_s3_bucket.c[?]", "acl");
    assert!(tried.is_unknown() && tried.reference.is_none());
}

#[test]
fn an_unknown_dynamic_block_may_be_there_or_not() {
    let (program, _) = read(
        r#"
        variable "vpc" {}
        resource "aws_sagemaker_model" "m" {
          name = "m"
          dynamic "vpc_config" {
            for_each = var.vpc
            content { subnets = vpc_config.value.subnets }
          }
          dynamic "container" {
            for_each = 3
            content { image = "x" }
          }
        }
        "#,
    );
    let vpc = value(&program, "aws_sagemaker_model.m", "vpc_config");
    assert!(vpc.is_unknown());
    assert_eq!(
        cause(&program, "aws_sagemaker_model.m", "vpc_config"),
        "variable `vpc` has no default and no value"
    );
    let model = resource(&program, "aws_sagemaker_model.m");
    assert!(model.configured.as_ref().unwrap().contains("vpc_config"));
    assert!(value(&program, "aws_sagemaker_model.m", "container").is_unknown());
    assert_eq!(messages(&program), ["`for_each` of a `dynamic` block takes a collection"]);
}

#[test]
fn a_resource_may_be_named_with_its_mode() {
    let (program, _) = read(
        r#"
        resource "aws_s3_bucket" "b" { bucket = "data" }
        resource "aws_sns_topic" "t" {
          for_each = { a = "first" }
          name     = each.value
        }
        resource "terraform_data" "t" {
          input = [resource.aws_s3_bucket.b.bucket, resource.aws_sns_topic.t["a"].name, resource.aws_s3_bucket.b.arn]
        }
        "#,
    );
    assert_eq!(messages(&program), [""; 0]);
    assert_eq!(value(&program, "terraform_data.t", "input.0").as_str(), Some("data"));
    assert_eq!(value(&program, "terraform_data.t", "input.1").as_str(), Some("first"));
    assert_eq!(reference(&program, "terraform_data.t", "input.2"), "aws_s3_bucket.b.arn");
}

#[test]
fn what_no_schema_tells_of_is_known_after_apply() {
    let (program, _) = read(
        r#"
        resource "other_endpoint" "e" {
          connection { name = "a" }
          plain = { name = "b" }
        }
        data "aws_vpc_endpoint_service" "s" {
          service_name = null
          filter { name = "service-type" }
        }
        resource "terraform_data" "t" {
          input = {
            computed = other_endpoint.e.connection[0].address
            set      = other_endpoint.e.plain.name
            asked    = data.aws_vpc_endpoint_service.s.service_name
            block    = data.aws_vpc_endpoint_service.s.filter[0].id
          }
        }
        "#,
    );
    assert_eq!(messages(&program), [""; 0]);
    let of = |name: &str| reference(&program, "terraform_data.t", &format!("input.{name}"));
    assert_eq!(of("computed"), "other_endpoint.e.connection[0].address");
    assert_eq!(of("asked"), "data.aws_vpc_endpoint_service.s.service_name");
    assert!(value(&program, "terraform_data.t", "input.asked").is_unknown());
    assert!(value(&program, "terraform_data.t", "input.block").is_unknown());
    assert_eq!(value(&program, "terraform_data.t", "input.set").as_str(), Some("b"));
}

#[test]
fn data_and_modules_are_unknown_for_their_cause() {
    let (program, _) = read(
        r#"
        data "aws_iam_policy" "d" {
          count = 2
          name  = "read"
        }
        data "aws_kms_key" "k" { key_id = "alias/x" }
        module "keys" {
          for_each = toset(["a"])
          source   = "./keys"
          providers = { aws = aws.west }
          bucket   = aws_s3_bucket.b.id
        }
        ephemeral "aws_secretsmanager_secret_version" "s" {}
        resource "aws_s3_bucket" "b" {}
        resource "aws_s3_bucket_policy" "p" {
          bucket = module.keys["a"].bucket_name
          policy = data.aws_iam_policy.d[1].policy
        }
        resource "aws_sagemaker_notebook_instance" "n" {
          kms_key_id = data.aws_kms_key.k.arn
          name       = data.aws_kms_key.k.key_id
          role_arn   = ephemeral.aws_secretsmanager_secret_version.s.secret_string
        }
        "#,
    );
    assert_eq!(
        messages(&program),
        ["`module.keys` is not followed: it is not installed, and what it declares not analysed"]
    );
    assert!(program.diagnostics.iter().all(|diagnostic| diagnostic.level == Level::Notice));
    assert_eq!(cause(&program, "aws_s3_bucket_policy.p", "bucket"), "`module.keys` is not followed");
    assert_eq!(
        cause(&program, "aws_s3_bucket_policy.p", "policy"),
        "`data.aws_iam_policy.d[1].policy` is of a data source, which airgate does not read"
    );
    assert_eq!(
        reference(&program, "aws_sagemaker_notebook_instance.n", "kms_key_id"),
        "data.aws_kms_key.k.arn"
    );
    assert_eq!(value(&program, "aws_sagemaker_notebook_instance.n", "name").as_str(), Some("alias/x"));
    assert!(cause(&program, "aws_sagemaker_notebook_instance.n", "role_arn").contains("read at apply"));
    let links: Vec<_> = program.unfollowed.iter().flat_map(|call| &call.references).collect();
    assert_eq!(links.len(), 1, "{links:?}");
    assert_eq!(links[0].target.resource, "aws_s3_bucket.b");
}

#[test]
fn a_module_that_loops_over_resources_names_them() {
    let (program, _) = read(
        r#"
        resource "aws_s3_bucket" "b" { for_each = toset(["x", "y"]) }
        module "guard" {
          source   = "./guard"
          for_each = aws_s3_bucket.b
          bucket   = each.value.id
        }
        "#,
    );
    let names: Vec<_> = program.unfollowed[0].references.iter().map(|link| &link.target.resource).collect();
    assert_eq!(names, ["aws_s3_bucket.b"]);
}

#[test]
fn a_call_without_instances_is_none() {
    let (program, _) = read(
        r#"
        variable "on" { default = false }
        module "off" {
          count  = var.on ? 1 : 0
          source = "./off"
        }
        module "many" {
          for_each = toset(["a", "b"])
          source   = "./many"
        }
        resource "aws_s3_bucket" "b" {
          bucket = coalesce(one(module.off[*].name), "none")
          acl    = join(",", keys(module.many))
          tags   = { a = try(module.off[0].name, "absent"), b = try(module.many["a"].name, "absent") }
        }
        "#,
    );
    assert_eq!(
        messages(&program),
        ["`module.many` is not followed: it is not installed, and what it declares not analysed"]
    );
    assert_eq!(program.unfollowed.len(), 1);
    let text = |path| value(&program, "aws_s3_bucket.b", path).as_str();
    assert_eq!((text("bucket"), text("acl"), text("tags.a")), (Some("none"), Some("a,b"), Some("absent")));
    assert_eq!(cause(&program, "aws_s3_bucket.b", "tags.b"), "`module.many` is not followed");
}

#[test]
fn one_mistake_is_told_once_and_where_it_is() {
    let (program, sources) = read(
        r#"
locals {
  wrong = nothing.at_all
  uses  = [local.wrong, upper(local.wrong)]
}
resource "aws_s3_bucket" "logs" { count = 0 }
resource "aws_s3_bucket" "b" {
  count  = 3
  bucket = local.uses[1]
  acl    = aws_s3_bucket.logs[0].id
  tags   = { a = tonumber("x") }
}
resource "aws_s3_bucket" "names" {
  bucket = var.missing
  acl    = "${var.missing}-${nothing.at_all}"
}
resource "aws_s3_bucket_policy" "p" {
  bucket = aws_s3_bucket.b[0].acl
  policy = join("", [for b in aws_s3_bucket.b : b.tags.a])
}
"#,
    );
    let told: Vec<_> = program
        .diagnostics
        .iter()
        .map(|diagnostic| (line(&sources, diagnostic.site.unwrap()), diagnostic.message.as_str()))
        .collect();
    let lines: Vec<_> = told.iter().map(|((line, _), _)| *line).collect();
    assert_eq!(lines, [10, 3, 11, 15], "{told:#?}");
    assert_eq!(told[1].0.1, "nothing.at_all");
    assert_eq!(told[0].1, "there is no element with this index");
    for path in ["bucket", "policy"] {
        assert!(cause(&program, "aws_s3_bucket_policy.p", path).contains("in error"), "{path}");
    }
}

#[test]
fn what_refers_to_itself_is_unknown() {
    let (program, sources) = read(
        r#"
locals {
  a = local.b
  b = [local.c]
  c = local.a
}
resource "aws_s3_bucket" "x" { bucket = aws_s3_bucket.y.bucket }
resource "aws_s3_bucket" "y" { bucket = aws_s3_bucket.x.bucket }
resource "aws_s3_bucket" "z" {
  for_each = aws_s3_bucket.z
  bucket   = local.a[0]
}
"#,
    );
    assert!(cause(&program, "aws_s3_bucket.x", "bucket").contains("refers to itself"));
    assert!(cause(&program, "aws_s3_bucket.z[?]", "bucket").contains("refers to itself"));
    let lines: Vec<_> =
        program.diagnostics.iter().map(|d| (line(&sources, d.site.unwrap()).0, d.message.as_str())).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
}

#[test]
fn chains_of_any_length_end() {
    use std::fmt::Write as _;
    let length = 10_000;
    let mut locals = String::from("locals {\n  l0 = \"x\"\n");
    let mut resources = String::new();
    for i in 1..=length {
        writeln!(locals, "  l{i} = \"${{upper(local.l{})}}\"", i - 1).unwrap();
        let block = "lifecycle_rule {\n filter {\n x {\n y {\n";
        let close = "}\n}\n}\n}\n";
        writeln!(
            resources,
            "resource \"aws_thing\" \"r{i}\" {{\n{block} a = aws_thing.r{}.lifecycle_rule\n{close}}}",
            i - 1
        )
        .unwrap();
    }
    writeln!(locals, "}}\nresource \"aws_s3_bucket\" \"b\" {{ bucket = local.l{length} }}").unwrap();
    let (program, _) = read(&locals);
    assert!(cause(&program, "aws_s3_bucket.b", "bucket").starts_with("limit passed"));
    let limit = "limit passed: expressions nest too deeply; the value counts as not known";
    assert_eq!(messages(&program), [limit], "told once");

    // In the order in which they are asked for, each has its value and it is the value that grows.
    let mut nested = String::from("locals {\n  l10000 = \"x\"\n");
    for i in 10_001..11_000 {
        writeln!(nested, "  l{i} = [local.l{}, local.l{}]", i - 1, i - 1).unwrap();
    }
    nested.push_str("}\n");
    for i in 10_001..11_000 {
        writeln!(nested, "resource \"aws_s3_bucket\" \"b{i}\" {{ bucket = local.l{i} }}").unwrap();
    }
    let (program, _) = read(&nested);
    let whole = value(&program, "aws_s3_bucket.b10010", "bucket");
    assert!(whole.is_wholly_known());
    let cut = value(&program, "aws_s3_bucket.b10999", "bucket");
    // Which limit is passed first is not the point: the value is cut, and says so.
    assert!(cut.first_cause().unwrap().to_string().starts_with("limit passed: "));

    resources.push_str("resource \"aws_thing\" \"r0\" {}\n");
    let (program, _) = read(&resources);
    assert_eq!(program.resources.len(), length + 1);
}

#[test]
fn attributes_and_blocks_know_their_lines() {
    let (program, sources) = read(
        r#"
resource "aws_sagemaker_endpoint_configuration" "e" {
  name = "e"
  production_variants {
    model_name    = "m"
    instance_type = "ml.m5.large"
  }
  dynamic "data_capture_config" {
    for_each = [20]
    content {
      initial_sampling_percentage = data_capture_config.value
      dynamic "capture_options" {
        for_each = ["Input"]
        content {
          capture_mode = capture_options.value
        }
      }
    }
  }
  dynamic "async_inference_config" {
    for_each = []
    content {}
  }
}
"#,
    );
    let endpoint = resource(&program, "aws_sagemaker_endpoint_configuration.e");
    let places: Vec<_> =
        endpoint.places.iter().map(|(path, site)| (path.as_str(), line(&sources, *site).0)).collect();
    assert_eq!(
        places,
        [
            ("async_inference_config", 20),
            ("data_capture_config", 8),
            ("data_capture_config.capture_options", 12),
            ("data_capture_config.capture_options.capture_mode", 15),
            ("data_capture_config.initial_sampling_percentage", 11),
            ("name", 3),
            ("production_variants", 4),
            ("production_variants.instance_type", 6),
            ("production_variants.model_name", 5),
        ]
    );
    let configured = endpoint.configured.as_ref().unwrap();
    assert!(!configured.contains("async_inference_config") && configured.contains("data_capture_config"));
    let percentage = value(
        &program,
        "aws_sagemaker_endpoint_configuration.e",
        "data_capture_config.initial_sampling_percentage",
    );
    assert_eq!(line(&sources, percentage.origin.unwrap()), (9, "20"), "the value is written elsewhere");
}

#[test]
fn what_is_set_in_objects_is_configured_as_in_blocks() {
    let (program, _) = read(
        r#"
        variable "more" {}
        resource "aws_bedrock_model_invocation_logging_configuration" "l" {
          logging_config = {
            s3_config = ({ bucket_name = "b", key_prefix = null })
            lists     = [{ one = 1 }, { two = 2 }]
            more      = var.more
            (var.more) = 1
          }
        }
        "#,
    );
    let logging = resource(&program, "aws_bedrock_model_invocation_logging_configuration.l");
    let configured: Vec<&str> =
        logging.configured.iter().flat_map(|it| it.iter()).map(smol_str::SmolStr::as_str).collect();
    let below = |name: &str| format!("logging_config.{name}");
    let expected = [
        "lists",
        "lists.one",
        "lists.two",
        "more",
        "s3_config",
        "s3_config.bucket_name",
        "s3_config.key_prefix",
    ];
    let expected: Vec<String> =
        std::iter::once("logging_config".to_owned()).chain(expected.map(below)).collect();
    assert_eq!(configured, expected);
}

#[test]
fn a_reference_has_the_type_of_the_schema_and_a_cause_where_the_provider_decides() {
    let (program, _) = read(
        r#"
        variable "name" { default = null }
        resource "aws_lambda_function" "f" {
          function_name = var.name
          timeout       = "30"
          vpc_config { subnet_ids = ["b", "a", "b"] }
        }
        resource "aws_lambda_function" "g" {
          function_name = aws_lambda_function.f.arn
          timeout       = aws_lambda_function.f.timeout
          description   = aws_lambda_function.f.vpc_config[0].vpc_id
          layers        = aws_lambda_function.f.vpc_config[0].subnet_ids
        }
        "#,
    );
    let timeout = value(&program, "aws_lambda_function.g", "timeout");
    assert!(matches!(timeout.kind, Kind::Number(_)));
    assert_eq!(reference(&program, "aws_lambda_function.g", "timeout"), "aws_lambda_function.f.timeout");
    assert_eq!(
        cause(&program, "aws_lambda_function.g", "description"),
        "`aws_lambda_function.f.vpc_config[0].vpc_id` is known after apply"
    );
    let subnets: Vec<_> = value(&program, "aws_lambda_function.g", "layers")
        .items()
        .unwrap()
        .iter()
        .map(Value::as_str)
        .collect();
    assert_eq!(subnets, [Some("a"), Some("b")]);
}

#[test]
fn providers_have_the_values_of_their_expressions() {
    let (program, _) = read(
        r#"
        variable "region" { default = "eu-central-1" }
        variable "owner" {}
        provider "aws" {
          region = var.region
          default_tags { tags = merge({ team = "ml" }, { owner = var.owner }) }
        }
        provider "aws" {
          alias  = "us"
          region = "us-${"east"}-1"
        }
        resource "aws_s3_bucket" "a" {}
        resource "aws_s3_bucket" "b" { provider = aws.us }
        resource "aws_s3_bucket" "c" { provider = "aws.us" }
        resource "aws_s3_bucket" "d" { provider = aws.missing }
        resource "google_storage_bucket" "e" {}
        "#,
    );
    assert_eq!(messages(&program), ["provider configuration `aws.missing` is not declared"]);
    let provider = |address: &str| &program.providers[resource(&program, address).provider.unwrap()];
    assert_eq!(provider("aws_s3_bucket.a").region.as_str(), Some("eu-central-1"));
    let tags = &provider("aws_s3_bucket.a").default_tags;
    assert_eq!(tags.get("team").unwrap().as_str(), Some("ml"));
    assert!(tags.get("owner").unwrap().is_unknown());
    for address in ["aws_s3_bucket.b", "aws_s3_bucket.c"] {
        assert_eq!(provider(address).region.as_str(), Some("us-east-1"), "{address}");
    }
    assert_eq!(provider("aws_s3_bucket.d").site, None);
    assert_eq!(provider("google_storage_bucket.e").name, "google");
}

#[test]
fn wrong_counts_are_told_and_many_instances_are_analysed_as_one() {
    let (program, sources) = read(
        r#"
resource "aws_s3_bucket" "a" { count = -1 }
resource "aws_s3_bucket" "b" { count = 1.5 }
resource "aws_s3_bucket" "c" { count = null }
resource "aws_s3_bucket" "d" { count = 20000 }
resource "aws_s3_bucket" "e" { for_each = ["a"] }
resource "aws_s3_bucket" "f" { for_each = 3 }
"#,
    );
    assert!(program.resources.iter().all(|resource| resource.address.ends_with("[?]")));
    let told: Vec<_> = program
        .diagnostics
        .iter()
        .map(|Diagnostic { level, site, .. }| (line(&sources, site.unwrap()).0, *level))
        .collect();
    let mut expected = vec![(2, Level::Warning), (3, Level::Warning), (4, Level::Warning)];
    expected.extend([(5, Level::Notice), (6, Level::Warning), (7, Level::Warning)]);
    assert_eq!(told, expected);
}
