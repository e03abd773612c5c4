//! `data "aws_service"`: the names of a service's endpoint, put together from its id and region or taken apart.

use super::Block;
use super::pure::{map_text, partition, region_of};
use crate::value::{Type, Value};

pub(super) const ATTRIBUTES: &[&str] = &[
    "id",
    "dns_name",
    "partition",
    "region",
    "reverse_dns_name",
    "reverse_dns_prefix",
    "service_id",
    "supported",
];

/// The attribute `name`. Whether a region has the service is not known here.
pub(super) fn computed(name: &str, block: &Block<'_, '_>) -> Option<Value> {
    let (reverse, dns) = (block.argument("reverse_dns_name"), block.argument("dns_name"));
    if !reverse.is_null() {
        return map_text(
            &reverse,
            |reverse| Ok(Parts::of_reverse(reverse).and_then(|parts| parts.get(name))),
            block,
        );
    }
    if !dns.is_null() {
        let turned = |dns: &str| dns.rsplit('.').collect::<Vec<_>>().join(".");
        return map_text(
            &dns,
            |dns| Ok(Parts::of_reverse(&turned(dns)).and_then(|parts| parts.get(name))),
            block,
        );
    }
    let (service, region, prefix) =
        (block.argument("service_id"), region_of(block)?, block.argument("reverse_dns_prefix"));
    let arguments = [&service, &region, &prefix];
    if arguments.iter().any(|argument| argument.is_unknown()) {
        return Some(Value::unknown_from(&arguments, Type::String));
    }
    let own = partition(region.as_str()?).1.rsplit('.').collect::<Vec<_>>().join(".");
    let prefix_text = prefix.as_str().unwrap_or(&own).to_owned();
    let parts = Parts {
        prefix: prefix_text,
        region: region.as_str()?.to_owned(),
        service: service.as_str()?.to_owned(),
    };
    let sensitive = arguments.iter().any(|argument| argument.sensitive);
    parts.get(name).map(|text| Value::string(text).mark(sensitive))
}

struct Parts {
    /// `com.amazonaws`
    prefix: String,
    region: String,
    service: String,
}

impl Parts {
    /// The parts of `com.amazonaws.eu-west-1.s3`: the last is the service, the one before it the region.
    fn of_reverse(name: &str) -> Option<Self> {
        let (rest, service) = name.rsplit_once('.')?;
        let (prefix, region) = rest.rsplit_once('.')?;
        Some(Self { prefix: prefix.to_owned(), region: region.to_owned(), service: service.to_owned() })
    }

    fn get(&self, name: &str) -> Option<String> {
        let Self { prefix, region, service } = self;
        let reverse = format!("{prefix}.{region}.{service}");
        Some(match name {
            "id" | "reverse_dns_name" => reverse,
            "dns_name" => reverse.rsplit('.').collect::<Vec<_>>().join("."),
            "partition" => partition(region).0.to_owned(),
            "region" => region.clone(),
            "reverse_dns_prefix" => prefix.clone(),
            "service_id" => service.clone(),
            _ => return None,
        })
    }
}
