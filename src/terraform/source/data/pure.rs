//! Data sources of the provider's own configuration: partition, region, default tags; parts of an ARN; files of the tree.
//!
//! The region is known where the configuration says it. The partition is assumed to be `aws` where it does not: hardly any
//! question to a policy depends on it, and nearly every ARN that somebody puts together does.

use std::rc::Rc;

use super::{Block, regions, service, text};
use crate::eval::{Scope as _, functions};
use crate::terraform::source::instance;
use crate::terraform::source::module::Declared;
use crate::terraform::source::scope::ModuleScope;
use crate::terraform::source::tags;
use crate::value::{Type, Value, convert};

/// The attributes of a data source, [`None`] if it is none of these.
pub(super) fn attributes(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "aws_arn" => &["arn", "id", "partition", "service", "region", "account", "resource"],
        "aws_billing_service_account" => &["id", "arn"],
        "aws_default_tags" => &["id", "tags"],
        "aws_elb_service_account" => &["id", "arn", "region"],
        "aws_partition" => &["id", "partition", "dns_suffix", "reverse_dns_prefix"],
        "aws_region" => &["id", "name", "region", "endpoint", "description"],
        "aws_service" => service::ATTRIBUTES,
        "aws_service_principal" => &["id", "name", "service_name", "suffix", "region"],
        "null_data_source" => &["id", "inputs", "outputs", "has_computed_default", "random"],
        "local_file" => &["id", "filename", "content", "content_base64", "content_md5", "content_sha256"],
        _ => return None,
    })
}

/// The attribute `name`, that the configuration does not set.
pub(super) fn computed(kind: &str, name: &str, block: &Block<'_, '_>) -> Option<Value> {
    match kind {
        "aws_arn" => map_text(&block.argument("arn"), |arn| part_of_arn(arn, name), block),
        "aws_billing_service_account" => account(name, &Value::string(BILLING), block),
        "aws_default_tags" if name == "tags" => {
            let tags = tags::default(block.declared, kind, block.scope)?;
            Some(Value { origin: None, ..tags })
        }
        "aws_elb_service_account" => {
            let region = region_of(block)?;
            if name == "region" {
                return Some(Value::NULL);
            }
            let of =
                map_text(&region, |region| Ok(regions::load_balancers(region).map(str::to_owned)), block)?;
            account(name, &of, block)
        }
        "aws_default_tags" | "aws_partition" => of_partition(name, block),
        "aws_region" => {
            let region = match block.argument("name") {
                name if !name.is_null() => name,
                _ => match block.argument("endpoint") {
                    endpoint if !endpoint.is_null() => map_text(&endpoint, of_endpoint, block)?,
                    _ => region_of(block)?,
                },
            };
            map_text(&region, |region| Ok(of_region(region, name)), block)
        }
        "aws_service" => service::computed(name, block),
        "aws_service_principal" => service_principal(name, block),
        "null_data_source" if name == "outputs" => {
            convert(&block.argument("inputs"), &Type::map(Type::String)).ok()
        }
        "local_file" => {
            let function = match name {
                "id" => "filesha1",
                "content" => "file",
                "content_base64" => "filebase64",
                "content_md5" => "filemd5",
                "content_sha256" => "filesha256",
                _ => return None,
            };
            let content = functions::call(function, &[block.argument("filename")], block.scope.directory())?;
            Some(content.unwrap_or_else(|wrong| block.refuse(&wrong)))
        }
        _ => None,
    }
}

/// The partitions by prefix of their regions: name, DNS suffix.
const PARTITIONS: [(&str, &str, &str); 8] = [
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
    ("", "aws", "amazonaws.com"),
];

/// Name and DNS suffix of a region's partition.
pub(super) fn partition(region: &str) -> (&'static str, &'static str) {
    let found = PARTITIONS.iter().find(|(prefix, ..)| region.starts_with(prefix));
    found.map_or(("aws", "amazonaws.com"), |(_, name, suffix)| (name, suffix))
}

fn of_partition(name: &str, block: &Block<'_, '_>) -> Option<Value> {
    let region = configured_region(block);
    let (partition, suffix) = partition(region.as_ref().and_then(Value::as_str).unwrap_or_default());
    let value = match name {
        "id" | "partition" => partition.to_owned(),
        "dns_suffix" => suffix.to_owned(),
        "reverse_dns_prefix" => suffix.rsplit('.').collect::<Vec<_>>().join("."),
        _ => return None,
    };
    Some(Value::string(value).mark(region.is_some_and(|region| region.sensitive)))
}

fn of_region(region: &str, name: &str) -> Option<String> {
    match name {
        "id" | "name" | "region" => Some(region.to_owned()),
        "endpoint" => Some(format!("ec2.{region}.{}", partition(region).1)),
        "description" => regions::description(region).map(str::to_owned),
        _ => None,
    }
}

/// The region of `ec2.eu-west-1.amazonaws.com`.
fn of_endpoint(endpoint: &str) -> Result<Option<String>, String> {
    let region = endpoint.strip_prefix("ec2.").and_then(|rest| rest.split('.').next());
    region.map(|region| Some(region.to_owned())).ok_or_else(|| "`endpoint` is not of a region".to_owned())
}

/// The account that AWS writes bills from, in every region.
const BILLING: &str = "386209384616";

/// The root of an account of AWS, in the partition of the provider.
fn account(name: &str, account: &Value, block: &Block<'_, '_>) -> Option<Value> {
    if name == "id" {
        return Some(account.clone());
    }
    let partition = of_partition("partition", block)?;
    let partition = partition.as_str().filter(|_| name == "arn")?;
    map_text(account, |account| Ok(Some(format!("arn:{partition}:iam::{account}:root"))), block)
}

fn part_of_arn(arn: &str, name: &str) -> Result<Option<String>, String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = *parts else {
        return Err("`arn` is no ARN".to_owned());
    };
    let part = match name {
        "id" => arn,
        "partition" => partition,
        "service" => service,
        "region" => region,
        "account" => account,
        "resource" => resource,
        _ => return Ok(None),
    };
    Ok(Some(part.to_owned()))
}

fn service_principal(name: &str, block: &Block<'_, '_>) -> Option<Value> {
    let region = region_of(block);
    if name == "region" {
        return region;
    }
    let service = block.argument("service_name");
    let in_region = region.as_ref().and_then(Value::as_str);
    let Some(of_service) = service.as_str() else {
        return Some(Value::unknown_from(&[&service], Type::String));
    };
    // In other partitions a few services have names of their own.
    let (partition, own) = partition(in_region.unwrap_or_default());
    let has_own = match partition {
        "aws-iso" => matches!(of_service, "cloudhsm" | "config" | "logs" | "workspaces"),
        "aws-iso-b" => matches!(of_service, "dms" | "logs"),
        "aws-cn" => matches!(of_service, "codedeploy" | "elasticmapreduce" | "logs"),
        _ => false,
    };
    let suffix = if has_own { own } else { "amazonaws.com" };
    let value = match name {
        "id" => format!("{of_service}.{}.{suffix}", in_region?),
        "name" => format!("{of_service}.{suffix}"),
        "suffix" => suffix.to_owned(),
        _ => return None,
    };
    Some(Value::string(value).mark(service.sensitive || region.is_some_and(|region| region.sensitive)))
}

/// What `part` makes of a text that may be unknown.
pub(super) fn map_text(
    value: &Value,
    part: impl Fn(&str) -> Result<Option<String>, String>,
    block: &Block<'_, '_>,
) -> Option<Value> {
    if value.is_unknown() {
        return Some(Value::unknown_from(&[value], Type::String));
    }
    match text(value).and_then(|text| part(&text)) {
        Ok(part) => part.map(|part| Value::string(part).mark(value.sensitive)),
        Err(wrong) => Some(block.refuse(&wrong)),
    }
}

/// The region that the data source is read in: its own argument, else that of its provider configuration.
pub(super) fn region_of(block: &Block<'_, '_>) -> Option<Value> {
    match block.argument("region") {
        region if !region.is_null() => Some(Value { origin: None, reference: None, ..region }),
        _ => configured_region(block),
    }
}

/// The region of the provider configuration. [`None`] if it sets none: it is then that of the environment.
fn configured_region(block: &Block<'_, '_>) -> Option<Value> {
    let (provider, scope) = provider(block)?;
    let region = instance::attribute(provider, "region", &scope, &*scope)?;
    (!region.is_null()).then_some(Value { origin: None, reference: None, ..region })
}

/// The block of the provider configuration that the data source is read with, and the module that it is in.
fn provider<'a>(block: &Block<'_, 'a>) -> Option<(Declared<'a>, Rc<ModuleScope<'a>>)> {
    block.scope.provider_block(block.declared, "aws")
}
