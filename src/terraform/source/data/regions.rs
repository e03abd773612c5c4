//! What the AWS provider 5.100 says of each region without asking AWS: its description, and the account that load balancers
//! write their logs from (newer regions have none).

/// Name, description, account.
#[rustfmt::skip]
const REGIONS: &[(&str, &str, &str)] = &[
    ("af-south-1", "Africa (Cape Town)", "098369216593"),
    ("ap-east-1", "Asia Pacific (Hong Kong)", "754344448648"),
    ("ap-east-2", "Asia Pacific (Taipei)", ""),
    ("ap-northeast-1", "Asia Pacific (Tokyo)", "582318560864"),
    ("ap-northeast-2", "Asia Pacific (Seoul)", "600734575887"),
    ("ap-northeast-3", "Asia Pacific (Osaka)", "383597477331"),
    ("ap-south-1", "Asia Pacific (Mumbai)", "718504428378"),
    ("ap-south-2", "Asia Pacific (Hyderabad)", ""),
    ("ap-southeast-1", "Asia Pacific (Singapore)", "114774131450"),
    ("ap-southeast-2", "Asia Pacific (Sydney)", "783225319266"),
    ("ap-southeast-3", "Asia Pacific (Jakarta)", "589379963580"),
    ("ap-southeast-4", "Asia Pacific (Melbourne)", ""),
    ("ap-southeast-5", "Asia Pacific (Malaysia)", ""),
    ("ap-southeast-7", "Asia Pacific (Thailand)", ""),
    ("ca-central-1", "Canada (Central)", "985666609251"),
    ("ca-west-1", "Canada West (Calgary)", ""),
    ("cn-north-1", "China (Beijing)", "638102146993"),
    ("cn-northwest-1", "China (Ningxia)", "037604701340"),
    ("eu-central-1", "Europe (Frankfurt)", "054676820928"),
    ("eu-central-2", "Europe (Zurich)", ""),
    ("eu-isoe-west-1", "EU ISOE West", ""),
    ("eu-north-1", "Europe (Stockholm)", "897822967062"),
    ("eu-south-1", "Europe (Milan)", "635631232127"),
    ("eu-south-2", "Europe (Spain)", ""),
    ("eu-west-1", "Europe (Ireland)", "156460612806"),
    ("eu-west-2", "Europe (London)", "652711504416"),
    ("eu-west-3", "Europe (Paris)", "009996457667"),
    ("eusc-de-east-1", "EU (Germany)", ""),
    ("il-central-1", "Israel (Tel Aviv)", ""),
    ("me-central-1", "Middle East (UAE)", ""),
    ("me-south-1", "Middle East (Bahrain)", "076674570225"),
    ("mx-central-1", "Mexico (Central)", ""),
    ("sa-east-1", "South America (Sao Paulo)", "507241528517"),
    ("us-east-1", "US East (N. Virginia)", "127311923021"),
    ("us-east-2", "US East (Ohio)", "033677994240"),
    ("us-gov-east-1", "AWS GovCloud (US-East)", "190560391635"),
    ("us-gov-west-1", "AWS GovCloud (US-West)", "048591011584"),
    ("us-iso-east-1", "US ISO East", ""),
    ("us-iso-west-1", "US ISO WEST", ""),
    ("us-isob-east-1", "US ISOB East (Ohio)", ""),
    ("us-isof-east-1", "US ISOF EAST", ""),
    ("us-isof-south-1", "US ISOF SOUTH", ""),
    ("us-west-1", "US West (N. California)", "027434742980"),
    ("us-west-2", "US West (Oregon)", "797873946194"),
];

fn find(name: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    let at = REGIONS.binary_search_by(|(region, ..)| region.cmp(&name)).ok()?;
    REGIONS.get(at)
}

/// What people call the region; [`None`] for one that is newer than this table.
pub(super) fn description(name: &str) -> Option<&'static str> {
    find(name).map(|(_, description, _)| *description)
}

/// The account of the region's load balancers.
pub(super) fn load_balancers(name: &str) -> Option<&'static str> {
    find(name).map(|(_, _, account)| *account).filter(|account| !account.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(REGIONS.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(description("eu-central-1"), Some("Europe (Frankfurt)"));
        assert_eq!(load_balancers("eu-central-2"), None);
    }
}
