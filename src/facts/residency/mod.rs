//! Where a resource is, where its data may be, and where that goes.
//!
//! `allowed` says what is promised, `flow` finds what leaves by the table of flows, `model` follows models and profiles to
//! the regions that process a prompt, `judge` compares, and `rows` puts all of it together for the residency report.

mod allowed;
mod flow;
mod judge;
mod model;
mod rows;

pub(super) use judge::no_place;

pub use allowed::{Allowed, By, allowed};
pub(super) use allowed::{TAG, allowed_by_tag};
pub use flow::{Flow, Place, Target, flows_of};
pub use judge::{Verdict, is_asked, leaves, of_flow, of_region, stays};
pub use rows::{InputRows, Leaving, Report, Row, rows};

use crate::graph::{NodeId, ResourceGraph};
use crate::program::{InputKind, Resource};
use crate::residency as places;
use crate::value::{Cause, Value};

use super::{Facts, is_left_to_the_provider};

/// Beginnings of the types whose resources are in no region.
const GLOBAL: [&str; 16] = [
    "aws_account_",
    "aws_budgets_",
    "aws_ce_",
    "aws_cloudfront_",
    "aws_ecrpublic_",
    "aws_globalaccelerator_",
    "aws_iam_",
    "aws_networkmanager_",
    "aws_organizations_",
    "aws_route53_",
    "aws_route53domains_",
    "aws_s3control_multi_region_access_point",
    "aws_savingsplans_",
    "aws_shield_",
    "aws_waf_",
    "awscc_iam_",
];

/// Services whose names begin as those of [`GLOBAL`], and that are in a region nevertheless.
const REGIONAL: [&str; 3] = ["aws_route53_resolver_", "aws_route53profiles_", "aws_route53recovery"];

/// Whether resources of the type are of a service that is in no region.
pub fn is_global(type_name: &str) -> bool {
    let begins = |with: &&str| type_name.starts_with(*with);
    GLOBAL.iter().any(begins) && !REGIONAL.iter().any(begins)
}

/// The region that the resource is created in: its own `region` argument, that of its provider configuration, or what its own
/// ARN or availability zone tells; null for a global service.
pub fn region(facts: &Facts<'_>, node: NodeId) -> Value {
    facts.graph.resource(node).map_or(Value::NULL, |resource| region_of(facts.graph, resource))
}

/// [`region`] of a resource.
pub(in crate::facts) fn region_of(graph: &ResourceGraph, resource: &Resource) -> Value {
    if is_global(&resource.type_name) {
        return Value::NULL;
    }
    let after = resource.after.as_ref();
    // A few types have a block of that name.
    let own = after.and_then(|after| after.get("region")).filter(|own| own.items().is_none());
    if let Some(own) = own.filter(|region| !region.is_null() && !is_left_to_the_provider(region)) {
        return own.clone();
    }
    let provider = resource.provider.and_then(|at| graph.providers.get(at)).map(|provider| &provider.region);
    match provider {
        Some(region) if !region.is_null() && !region.is_unknown() => return region.clone(),
        _ => {}
    }
    let open = |value: &&Value| !value.sensitive;
    let text = |name: &str| after.and_then(|after| after.get(name)).filter(open).and_then(Value::as_str);
    let of_arn = text("arn").and_then(region_of_arn);
    if let Some(told) = of_arn.or_else(|| text("availability_zone").and_then(region_of_zone)) {
        return Value::string(told);
    }
    match provider {
        Some(region) if !region.is_null() => region.clone(),
        _ if graph.kind == InputKind::TerraformState => {
            Value::unknown(Cause::Other("the state does not tell the region".into()))
        }
        _ => Value::unknown(Cause::Other("the provider has no `region`: the environment decides".into())),
    }
}

/// The region in an ARN.
fn region_of_arn(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
}

/// The region of an availability zone or local zone: `eu-central-1a`, `us-west-2-lax-1a`.
fn region_of_zone(zone: &str) -> Option<&str> {
    let digit = zone.find(|c: char| c.is_ascii_digit())?;
    let name = zone.get(..=digit)?;
    places::region("aws", name).map(|_| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_and_zones_tell_the_region() {
        assert_eq!(region_of_arn("arn:aws:kms:eu-west-1:111122223333:key/k"), Some("eu-west-1"));
        assert_eq!(region_of_arn("arn:aws:s3:::bucket"), None);
        assert_eq!(region_of_arn("bucket"), None);
        assert_eq!(region_of_zone("eu-central-1a"), Some("eu-central-1"));
        assert_eq!(region_of_zone("us-west-2-lax-1a"), Some("us-west-2"));
        assert_eq!(region_of_zone("nowhere"), None);
    }

    #[test]
    fn global_services_are_told_from_regional_ones() {
        assert!(is_global("aws_iam_role") && is_global("aws_route53_zone"));
        assert!(!is_global("aws_route53_resolver_endpoint") && !is_global("aws_s3_bucket"));
    }
}
