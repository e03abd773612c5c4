//! Provider configurations in modules, and data sources that read them (the values: `tests/source.rs`).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test"
)]

#[path = "common/folder.rs"]
mod folder;

use std::path::Path;

use airgate::input::Inputs;
use airgate::program::Program;
use airgate::source::Sources;
use airgate::terraform::source::variables::RunOptions;

use folder::{Folder, resource, value};

#[test]
fn provider_configurations_are_those_that_the_call_hands_down() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/modules/environments/prod");
    let mut sources = Sources::default();
    let inputs = Inputs::read(&[fixture], &RunOptions::default(), &mut sources).unwrap();
    let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
    let region = |address: &str| {
        let provider = &program.providers[resource(&program, address).provider.unwrap()];
        provider.region.as_str().map(str::to_owned)
    };
    assert_eq!(region(r#"module.copies["old"].aws_s3_bucket.target"#).as_deref(), Some("eu-west-1"));
    assert_eq!(
        region(r#"module.copies["old"].aws_s3_bucket_versioning.source"#).as_deref(),
        Some("eu-central-1")
    );
    assert_eq!(region(r#"module.lake.aws_s3_bucket.this["raw"]"#).as_deref(), Some("eu-central-1"));
}

#[test]
fn data_sources_read_the_provider_configuration_that_the_module_has() {
    let inner = r#"
        data "aws_region" "here" {}
        resource "aws_s3_bucket" "b" { bucket = data.aws_region.here.name }
    "#;
    let folder = Folder::new(&[
        (
            "main.tf",
            r#"
            provider "aws" { region = var.region }
            provider "aws" {
              alias  = "west"
              region = "us-west-2"
            }
            variable "region" { default = "eu-central-1" }
            module "same" { source = "./m" }
            module "west" {
              source    = "./m"
              providers = { aws = aws.west }
            }
            "#,
        ),
        ("m/main.tf", inner),
    ]);
    let (program, said) = folder.program(".");
    assert_eq!(said, [""; 0]);
    assert_eq!(value(&program, "module.same.aws_s3_bucket.b", "bucket").as_str(), Some("eu-central-1"));
    assert_eq!(value(&program, "module.west.aws_s3_bucket.b", "bucket").as_str(), Some("us-west-2"));
}

#[test]
fn provider_configurations_that_are_missing_are_told_and_cost_only_what_they_say() {
    let folder = Folder::new(&[
        (
            "main.tf",
            r#"
            provider "aws" {
              alias    = "by_region"
              for_each = var.regions
              region   = each.key
            }
            variable "regions" { default = ["eu-central-1"] }
            module "short" { source = "./m" }
            module "each" {
              source    = "./m"
              for_each  = toset(var.regions)
              providers = { aws.far = aws.by_region[each.key] }
            }
            resource "aws_s3_bucket" "wrong" { provider = aws.nowhere }
            "#,
        ),
        (
            "m/main.tf",
            r#"
            terraform {
              required_providers {
                aws = {
                  source                = "hashicorp/aws"
                  configuration_aliases = [aws.far]
                }
              }
            }
            resource "aws_s3_bucket" "b" { provider = aws.far }
            resource "aws_s3_bucket" "c" {}
            "#,
        ),
    ]);
    let (program, mut said) = folder.program(".");
    said.sort();
    let expected = [
        "`module.short` is not given the provider configuration `aws.far`",
        "provider configuration `aws.nowhere` is not declared",
    ];
    assert_eq!(said, expected);
    let why = |program: &Program, address: &str| {
        let provider = &program.providers[resource(program, address).provider.unwrap()];
        provider.region.as_unknown().map(|unknown| unknown.cause.to_string())
    };
    let in_error = |message: &str| Some(format!("the expression is in error: {message}"));
    assert_eq!(why(&program, "module.short.aws_s3_bucket.b"), in_error(expected[0]));
    assert_eq!(why(&program, "aws_s3_bucket.wrong"), in_error(expected[1]));
    assert_eq!(
        why(&program, r#"module.each["eu-central-1"].aws_s3_bucket.b"#).as_deref(),
        Some("`aws.by_region` has `for_each`: which configuration is meant is not told")
    );
    // Its region comes from the environment: that is told where it is asked for.
    assert_eq!(why(&program, "module.short.aws_s3_bucket.c"), None);

    // On its own, a module does not know what it will be given.
    let (program, said) = folder.program("m");
    assert_eq!(said, [""; 0]);
    assert_eq!(
        why(&program, "aws_s3_bucket.b").as_deref(),
        Some("`aws.far` is what a caller of the module hands to it")
    );
}

#[test]
fn data_that_waits_for_resources_says_now_what_it_will_say_then() {
    let folder = Folder::new(&[
        (
            "main.tf",
            r#"
            provider "aws" { region = "eu-central-1" }
            resource "aws_s3_bucket" "first" { bucket = "first" }
            module "waits" {
              source     = "./m"
              depends_on = [aws_s3_bucket.first]
            }
            "#,
        ),
        (
            "m/main.tf",
            r#"
            data "aws_region" "here" {}
            data "aws_vpc" "any" { id = "vpc-1" }
            resource "aws_s3_bucket" "b" {
              bucket = data.aws_region.here.name
              tags   = { vpc = data.aws_vpc.any.arn }
            }
            "#,
        ),
    ]);
    let (program, said) = folder.program(".");
    assert_eq!(said, [""; 0]);
    let bucket = "module.waits.aws_s3_bucket.b";
    assert_eq!(value(&program, bucket, "bucket").as_str(), Some("eu-central-1"));
    assert!(value(&program, bucket, "tags.vpc").is_unknown());
}
