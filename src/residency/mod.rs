//! Where data and inference may be: regions of the clouds, the jurisdictions they are in, where AWS may send a prompt, and
//! which attributes make data leave.
//!
//! A policy allows *places*: a jurisdiction of `rules/regions.csv` (`US`, `UK`, `US-GOV`), a country by its ISO code (`DE`,
//! `GB`) or its English name (`Germany`), a group (`EU`, `EEA`, `APAC`), one region by its name, or `GLOBAL`, which is
//! anywhere. A region is within what is allowed if one of these is its jurisdiction, or if they cover all its countries. `EU`
//! is not `eu-*`: London and Zurich are outside.

mod bedrock;
mod flows;
mod inference;
mod place;

pub use bedrock::{HOLE, Hidden, UNCLASSIFIED, geography_within, model_geography, partial_model_geography};
pub use flows::{FlowKind, FlowRule, Names, all_flows, flows};
pub use inference::{Route, route, route_from};
pub use place::{allow_anywhere, is_place, suggestion};

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::value::Truth;

const REGIONS: &str = include_str!("../../rules/regions.csv");

/// A region of a cloud, or a multi-region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// `aws`, `azure`, `gcp`, `oci`, `ibm`, `alicloud`.
    pub cloud: &'static str,
    /// Its name in lower case.
    pub name: &'static str,
    /// The countries it may be in, by ISO code; none where that is not told.
    pub countries: Box<[&'static str]>,
    /// Its jurisdiction: `EU`, a country, or `MULTI-…`, `GLOBAL`.
    pub jurisdiction: &'static str,
}

/// The region `name` of `cloud`, which may be a provider's name (`google`). Azure's display names (`West Europe`) are
/// understood.
pub fn region(cloud: &str, name: &str) -> Option<&'static Region> {
    let cloud = match cloud {
        "awscc" => "aws",
        "google" | "google-beta" => "gcp",
        "azurerm" | "azapi" => "azure",
        other => other,
    };
    let is_plain = name.bytes().all(|byte| byte != b' ' && !byte.is_ascii_uppercase());
    let plain = || name.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_lowercase()).collect();
    let name = if is_plain { Cow::Borrowed(name) } else { Cow::Owned::<str>(plain()) };
    let (_, regions) = clouds().iter().find(|(known, _)| *known == cloud)?;
    let at = regions.binary_search_by(|region| region.name.cmp(&*name)).ok()?;
    regions.get(at)
}

/// Each cloud with its regions, sorted by name.
fn clouds() -> &'static [(&'static str, &'static [Region])] {
    static CLOUDS: OnceLock<Vec<(&str, &[Region])>> = OnceLock::new();
    CLOUDS.get_or_init(|| {
        let clouds = regions().chunk_by(|a, b| a.cloud == b.cloud);
        clouds.filter_map(|regions| Some((regions.first()?.cloud, regions))).collect()
    })
}

/// All regions, sorted by cloud and name.
pub fn regions() -> &'static [Region] {
    static ALL: OnceLock<Vec<Region>> = OnceLock::new();
    ALL.get_or_init(|| REGIONS.lines().skip(1).filter_map(Region::parse).collect())
}

/// The jurisdiction that the region `name` of `cloud` is in; [`None`] if the region is not known.
pub fn jurisdiction(cloud: &str, name: &str) -> Option<&'static str> {
    region(cloud, name).map(|region| region.jurisdiction)
}

/// Whether the region `name` of `cloud` is within the places of `allowed`; not to be told of a region that is not known.
pub fn region_within<S: AsRef<str>>(cloud: &str, name: &str, allowed: &[S]) -> Truth {
    region(cloud, name).map_or(Truth::Maybe, |region| region.within(allowed).into())
}

impl Region {
    /// Whether it is within the places of `allowed`.
    pub fn within<S: AsRef<str>>(&self, allowed: &[S]) -> bool {
        let named = |place: &S| {
            let is = |name: &str| place.as_ref().eq_ignore_ascii_case(name);
            is(self.name)
                || is(self.jurisdiction)
                || is(place::ANYWHERE)
                || (is("EEA") && self.jurisdiction == "EU")
                || (is("APAC") && self.jurisdiction == "MULTI-APAC")
        };
        let covered = |country: &&str| allowed.iter().any(|place| place::covers(place.as_ref(), country));
        allowed.iter().any(named) || (!self.countries.is_empty() && self.countries.iter().all(covered))
    }

    /// A line of `regions.csv`.
    fn parse(line: &'static str) -> Option<Self> {
        let mut fields = line.split(',');
        let region = Self {
            cloud: fields.next()?,
            name: fields.next()?,
            countries: fields.next()?.split('|').filter(|country| !country.is_empty()).collect(),
            jurisdiction: fields.next()?,
        };
        fields.next().is_none().then_some(region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood_and_in_order() {
        assert_eq!(regions().len(), REGIONS.lines().count() - 1);
        assert!(regions().is_sorted_by(|a, b| (a.cloud, a.name) < (b.cloud, b.name)));
    }

    #[test]
    fn regions_are_found_by_provider_and_by_display_name() {
        assert_eq!(jurisdiction("aws", "eu-central-1"), Some("EU"));
        assert_eq!(jurisdiction("azurerm", "West Europe"), Some("EU"));
        assert_eq!(jurisdiction("google", "EU"), Some("EU"));
        assert_eq!(jurisdiction("alicloud", "eu-west-1"), Some("UK"));
        assert_eq!(jurisdiction("aws", "eu-nowhere-1"), None);
    }

    #[test]
    fn the_union_is_not_every_european_region() {
        assert_eq!(region_within("aws", "eu-west-1", &["EU"]), Truth::Yes);
        assert_eq!(region_within("aws", "eu-west-2", &["EU"]), Truth::No);
        assert_eq!(region_within("aws", "eu-central-2", &["EEA"]), Truth::No);
        assert_eq!(region_within("azure", "norwayeast", &["EU"]), Truth::No);
        assert_eq!(region_within("azure", "norwayeast", &["EEA"]), Truth::Yes);
        assert_eq!(region_within("aws", "eusc-de-east-1", &["EU"]), Truth::Yes);
    }

    #[test]
    fn countries_and_regions_can_be_allowed() {
        assert_eq!(region_within("aws", "eu-central-1", &["DE"]), Truth::Yes);
        assert_eq!(region_within("aws", "eu-west-3", &["DE"]), Truth::No);
        assert_eq!(region_within("aws", "eu-west-2", &["UK"]), Truth::Yes);
        assert_eq!(region_within("aws", "eu-west-2", &["gb"]), Truth::Yes);
        assert_eq!(region_within("aws", "eu-west-3", &["eu-west-3"]), Truth::Yes);
        assert_eq!(region_within("aws", "us-gov-west-1", &["US"]), Truth::Yes);
        assert_eq!(region_within("aws", "us-west-1", &["US-GOV"]), Truth::No);
    }

    #[test]
    fn all_countries_of_a_multi_region_must_be_allowed() {
        assert_eq!(region_within("gcp", "eur5", &["EU"]), Truth::No);
        assert_eq!(region_within("gcp", "eur5", &["EU", "UK"]), Truth::Yes);
        assert_eq!(region_within("gcp", "eur4", &["EU"]), Truth::Yes);
        assert_eq!(region_within("gcp", "eu", &["DE"]), Truth::No);
        assert_eq!(region_within("gcp", "global", &["EU", "US"]), Truth::No);
        assert_eq!(region_within("gcp", "us", &["GLOBAL"]), Truth::Yes);
    }

    #[test]
    fn an_unknown_region_cannot_be_told_and_nothing_allowed_holds_nothing() {
        assert_eq!(region_within("aws", "eu-nowhere-1", &["EU"]), Truth::Maybe);
        assert_eq!(region_within::<&str>("aws", "eu-west-1", &[]), Truth::No);
    }
}
