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
pub(super) use allowed::{Promise, TAG, allowed_by_tag};
pub use flow::{Flow, Place, Target, flows_of};
pub(super) use flow::{Ways, flows_by};
pub use judge::{Verdict, is_asked, of_flow, of_region};
pub(super) use judge::{leaves, stays};
pub(super) use model::OfModel;
pub use rows::{InputRows, Leaving, Report, Row, rows};

use std::borrow::Cow;

use crate::graph::{NodeId, ResourceGraph};
use crate::program::{InputKind, Resource};
use crate::residency as places;
use crate::value::{Cause, Value};

use super::{Facts, is_left_to_the_provider};

/// Beginnings of the types whose resources are in no region, sorted; none begins as another.
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
    // What it begins with comes before it, and nothing else between the two does.
    let before = GLOBAL.partition_point(|with| *with <= type_name);
    GLOBAL.get(..before).and_then(<[_]>::last).is_some_and(begins) && !REGIONAL.iter().any(begins)
}

/// The region that the resource is created in: its own `region` argument, that of its provider configuration, or what its own
/// ARN or availability zone tells; null for a global service.
pub fn region<'g>(facts: &Facts<'g>, node: NodeId) -> Cow<'g, Value> {
    let Some(resource) = facts.graph.resource(node) else { return Cow::Borrowed(&Value::NULL) };
    match facts.of_type(node) {
        Some(of_type) if of_type.is_global => Cow::Borrowed(&Value::NULL),
        _ => of_regional(facts.graph, resource),
    }
}

/// [`region`] of a resource.
pub(in crate::facts) fn region_of<'g>(graph: &'g ResourceGraph, resource: &'g Resource) -> Cow<'g, Value> {
    if is_global(&resource.type_name) {
        return Cow::Borrowed(&Value::NULL);
    }
    of_regional(graph, resource)
}

/// [`region`] of a resource of a service that is in regions.
fn of_regional<'g>(graph: &'g ResourceGraph, resource: &'g Resource) -> Cow<'g, Value> {
    let after = resource.after.as_ref();
    // A few types have a block of that name.
    let own = after.and_then(|after| after.get("region")).filter(|own| own.items().is_none());
    if let Some(own) = own.filter(|region| !region.is_null() && !is_left_to_the_provider(region)) {
        return Cow::Borrowed(own);
    }
    let provider = resource.provider.and_then(|at| graph.providers.get(at)).map(|provider| &provider.region);
    match provider {
        Some(region) if !region.is_null() && !region.is_unknown() => return Cow::Borrowed(region),
        _ => {}
    }
    let open = |value: &&Value| !value.sensitive;
    let text = |name: &str| after.and_then(|after| after.get(name)).filter(open).and_then(Value::as_str);
    let of_arn = text("arn").and_then(region_of_arn);
    if let Some(told) = of_arn.or_else(|| text("availability_zone").and_then(region_of_zone)) {
        return Cow::Owned(Value::string(told));
    }
    let why = match provider {
        Some(region) if !region.is_null() => return Cow::Borrowed(region),
        _ if graph.kind == InputKind::TerraformState => "the state does not tell the region",
        _ => "the provider has no `region`: the environment decides",
    };
    Cow::Owned(Value::unknown(Cause::Other(why.into())))
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
        assert!(
            GLOBAL.is_sorted() && GLOBAL.iter().all(|with| is_global(with) && is_global(&format!("{with}x")))
        );
        let begins_as = |a: &str| GLOBAL.iter().filter(|b| a.starts_with(**b)).count();
        assert!(GLOBAL.iter().all(|with| begins_as(with) == 1));
    }
}
