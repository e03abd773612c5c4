//! Where AWS may process a request that it routes on its own: `rules/inference.csv`.
//!
//! A line says of a service and a geography the regions that a request may go to, whichever of the source regions (`starts`)
//! it comes from. It may also stay where it starts. For inference profiles and guardrails the prefix of the id names the
//! geography, for other services the region that they run in.

use std::sync::OnceLock;

use super::{Region, region};

const INFERENCE: &str = include_str!("../../rules/inference.csv");

/// Where requests of one geography go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// `model`, `guardrail`, or a service that has no profiles: `agentcore-memory`.
    pub service: &'static str,
    /// The geography, as the prefix of a profile names it: `EU`.
    pub geography: &'static str,
    /// The regions that a request may go to; [`None`] is all of the partition.
    pub regions: Option<Box<[&'static str]>>,
    /// Those that the table of regions has.
    destinations: Option<Box<[&'static Region]>>,
    /// The regions that a request may come from; [`None`] is any.
    pub starts: Option<Box<[&'static str]>>,
    /// The page of the AWS documentation that says it.
    pub page: &'static str,
    /// When it was compared with that page.
    pub checked: &'static str,
}

/// All lines, in their order.
fn routes() -> &'static [Route] {
    static ALL: OnceLock<Vec<Route>> = OnceLock::new();
    ALL.get_or_init(|| INFERENCE.lines().skip(1).filter_map(Route::parse).collect())
}

/// The route of a profile of `service` whose prefix names `geography`, in whatever case.
pub fn route(service: &str, geography: &str) -> Option<&'static Route> {
    routes().iter().find(|it| it.service == service && it.geography.eq_ignore_ascii_case(geography))
}

/// The route of requests to a `service` without profiles that start in a region.
pub fn route_from(service: &str, start: &str) -> Option<&'static Route> {
    let from = |it: &&Route| it.starts.as_ref().is_none_or(|starts| starts.contains(&start));
    routes().iter().find(|it| it.service == service && from(it))
}

/// The service of that name, if the table has it.
pub(super) fn service(name: &str) -> Option<&'static str> {
    routes().iter().find(|it| it.service == name).map(|it| it.service)
}

impl Route {
    /// The regions that requests may go to; [`None`] if they may go anywhere.
    pub fn destinations(&self) -> Option<&[&'static Region]> {
        self.destinations.as_deref()
    }

    /// A line of `inference.csv`.
    fn parse(line: &'static str) -> Option<Self> {
        let mut fields = line.split(',');
        let list = |field: &'static str| (field != "*").then(|| field.split('|').collect());
        let (service, geography) = (fields.next()?, fields.next()?);
        let regions: Option<Box<[_]>> = list(fields.next()?);
        let told = |names: &[&'static str]| names.iter().filter_map(|name| region("aws", name)).collect();
        let this = Self {
            service,
            geography,
            destinations: regions.as_deref().map(told),
            regions,
            starts: list(fields.next()?),
            page: fields.next()?,
            checked: fields.next()?,
        };
        fields.next().is_none().then_some(this)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood_and_names_regions() {
        assert_eq!(routes().len(), INFERENCE.lines().count() - 1);
        for it in routes() {
            for name in it.regions.iter().chain(&it.starts).flatten() {
                assert!(region("aws", name).is_some(), "{} {}: {name}", it.service, it.geography);
            }
            assert!(it.page.contains("/latest/") && it.checked.len() == 10, "{it:?}");
        }
        assert!(routes().is_sorted_by(|a, b| (a.service, a.geography) < (b.service, b.geography)));
    }

    #[test]
    fn a_request_comes_from_one_geography() {
        for it in routes().iter().filter(|it| !["model", "guardrail"].contains(&it.service)) {
            for start in it.starts.iter().flatten() {
                assert_eq!(route_from(it.service, start), Some(it), "{start}");
            }
        }
    }

    #[test]
    fn london_and_zurich_start_requests_of_the_union_and_receive_none() {
        let eu = route("model", "eu").unwrap();
        let regions = eu.destinations().unwrap();
        assert!(regions.iter().all(|region| region.jurisdiction == "EU"));
        let starts = eu.starts.as_ref().unwrap();
        assert!(starts.contains(&"eu-west-2") && starts.contains(&"eu-central-2"));
    }

    #[test]
    fn memory_of_agents_in_the_union_is_processed_in_london_too() {
        let regions = route_from("agentcore-memory", "eu-central-1").unwrap().destinations().unwrap();
        assert!(regions.iter().any(|region| region.jurisdiction == "UK"));
        assert_eq!(route_from("agentcore-memory", "sa-east-1"), None);
    }
}
