//! Where Bedrock may process a prompt: the geographies of its cross-region inference profiles.

use super::{allow_anywhere, route};
use crate::value::Truth;

/// The first part of model ids. What stands before one is the prefix of a profile, known or not.
const VENDORS: [&str; 19] = [
    "ai21",
    "amazon",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "luma",
    "meta",
    "minimax",
    "mistral",
    "moonshot",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "stability",
    "twelvelabs",
    "writer",
    "zai",
];

/// What stands for the vendor in the id of a guardrail profile.
const GUARDRAIL: &str = "guardrail";

/// Resources of Bedrock whose id begins with the prefix of a geography.
const PROFILES: [&str; 2] = ["inference-profile", "guardrail-profile"];

/// Resources of Bedrock that stand for a profile and do not tell which.
const OPAQUE: [&str; 3] = ["application-inference-profile", "default-prompt-router", "prompt-router"];

/// The geography of what may leave its region to where it does not tell: an application inference profile that was made
/// elsewhere, or a prefix newer than this program.
pub const UNCLASSIFIED: &str = "UNCLASSIFIED";

/// Where the model, inference profile or guardrail profile with this id or ARN may process prompts beyond its own region:
/// `GLOBAL`, `US`, `EU`, `UK`, `APAC`, `JP`, `AU`, `CA`, `US-GOV`, or [`UNCLASSIFIED`]. [`None`] for a model that stays in its
/// region, and for what is none of these.
pub fn model_geography(id: &str) -> Option<&'static str> {
    partial_model_geography(id).unwrap_or_default()
}

/// Stands for a part of an id that is not known. It is no character.
pub const HOLE: char = '\u{fdd0}';

/// A part that decides is not known.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Hidden;

/// [`model_geography`] of an id of which parts are not known, each a [`HOLE`] that stands within its part of an ARN: a
/// region, an account. Geography stands in front, so the beginning decides.
pub fn partial_model_geography(id: &str) -> Result<Option<&'static str>, Hidden> {
    let whole = |part: &str| part.contains(HOLE).then_some(Hidden).map_or(Ok(()), Err);
    let (profile, is_profile) = match id.strip_prefix("arn:") {
        None => {
            let begin = id.split(HOLE).next().unwrap_or_default();
            if begin.len() < id.len() && "arn:".starts_with(begin) {
                return Err(Hidden);
            }
            (id, false)
        }
        Some(arn) => {
            // partition:bedrock:region:account:type/id
            let mut parts = arn.splitn(5, ':');
            let (Some(service), Some(name)) = (parts.nth(1), parts.nth(2)) else {
                return whole(arn).map(|()| None);
            };
            let Some((kind, id)) = name.split_once('/') else { return whole(name).map(|()| None) };
            whole(service)?;
            whole(kind)?;
            if service != "bedrock" {
                return Ok(None);
            }
            if OPAQUE.contains(&kind) {
                return Ok(Some(UNCLASSIFIED));
            }
            if !PROFILES.contains(&kind) {
                return Ok(None);
            }
            (id, true)
        }
    };
    // A profile that does not say its geography goes somewhere; a model stays.
    let untold = is_profile.then_some(UNCLASSIFIED);
    let Some((prefix, rest)) = profile.split_once('.') else { return whole(profile).map(|()| untold) };
    whole(prefix)?;
    if VENDORS.contains(&prefix) {
        return Ok(untold);
    }
    let vendor = rest.split('.').next().unwrap_or_default();
    if vendor == GUARDRAIL {
        return Ok(Some(route(GUARDRAIL, prefix).map_or(UNCLASSIFIED, |route| route.geography)));
    }
    if let Some(route) = route("model", prefix) {
        return Ok(Some(route.geography));
    }
    whole(vendor)?;
    let is_prefix = VENDORS.contains(&vendor) || (rest.contains('.') && may_be_prefix(prefix));
    Ok(if is_prefix { Some(UNCLASSIFIED) } else { untold })
}

/// Whether it looks like the prefix of a profile: what comes before a vendor that is newer than this program.
fn may_be_prefix(text: &str) -> bool {
    text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// Whether all regions of a geography of [`model_geography`] are within the places of `allowed`; a model that stays in its
/// region is. The regions are those of `rules/inference.csv`, wherever the request starts: it may also stay where it starts,
/// and the rules on the resource's own region speak of that.
pub fn geography_within<S: AsRef<str>>(geography: Option<&str>, allowed: &[S]) -> Truth {
    let Some(geography) = geography else { return Truth::Yes };
    let Some(route) = route("model", geography).or_else(|| route(GUARDRAIL, geography)) else {
        return Truth::Maybe;
    };
    match route.destinations() {
        Some(regions) => Truth::from(regions.iter().all(|region| region.within(allowed))),
        None => Truth::from(allow_anywhere(allowed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_profiles_are_geographies() {
        for (id, geography) in [
            ("eu.anthropic.claude-sonnet-4-20250514-v1:0", "EU"),
            ("us.amazon.nova-pro-v1:0", "US"),
            ("us-gov.anthropic.claude-3-5-sonnet-20240620-v1:0", "US-GOV"),
            ("apac.anthropic.claude-3-haiku-20240307-v1:0", "APAC"),
            ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "GLOBAL"),
            ("jp.anthropic.claude-sonnet-4-5-20250929-v1:0", "JP"),
            (
                "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.meta.llama3-2-1b-instruct-v1:0",
                "EU",
            ),
            ("arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/us-gov.x.y", "US-GOV"),
            ("arn:aws:bedrock:us-east-1:123456789012:guardrail-profile/us.guardrail.v1:0", "US"),
            ("eu.guardrail.v1:0", "EU"),
            ("uk.guardrail.v1:0", "UK"),
        ] {
            assert_eq!(model_geography(id), Some(geography), "{id}");
        }
    }

    #[test]
    fn models_stay_in_their_region() {
        for id in [
            "anthropic.claude-3-haiku-20240307-v1:0",
            "amazon.titan-embed-text-v2:0",
            "arn:aws:bedrock:eu-central-1::foundation-model/amazon.titan-embed-text-v2:0",
            "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdef123456",
            "arn:aws:sagemaker:us-east-1:123456789012:inference-profile/us.x",
            "arn:aws:bedrock",
            "",
            "us",
        ] {
            assert_eq!(model_geography(id), None, "{id}");
        }
    }

    #[test]
    fn what_may_leave_and_does_not_tell_where_is_unclassified() {
        for id in [
            "xx.anthropic.claude-9-v1:0",
            "xx.newcomer.model-1",
            "xx.guardrail.v1:0",
            "uk.anthropic.claude-9-v1:0",
            "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/abcdef123456",
            "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abcdef123456",
        ] {
            assert_eq!(model_geography(id), Some(UNCLASSIFIED), "{id}");
        }
        assert_eq!(geography_within(Some(UNCLASSIFIED), &["EU"]), Truth::Maybe);
    }

    #[test]
    fn what_is_known_of_an_id_often_decides() {
        for (id, expected) in [
            ("us.anthropic.?", Ok(Some("US"))),
            ("us.?", Ok(Some("US"))),
            ("global.?.?", Ok(Some("GLOBAL"))),
            ("anthropic.claude-?-v1:0", Ok(None)),
            ("?.anthropic.claude-9-v1:0", Err(Hidden)),
            ("?", Err(Hidden)),
            ("eu?", Err(Hidden)),
            ("ar?", Err(Hidden)),
            ("xx.?", Err(Hidden)),
            ("arn:?:bedrock:?::foundation-model/?", Ok(None)),
            ("arn:aws:bedrock:?:?:inference-profile/eu.meta.?", Ok(Some("EU"))),
            ("arn:aws:bedrock:?:?:application-inference-profile/?", Ok(Some(UNCLASSIFIED))),
            ("arn:aws:bedrock:?:?:inference-profile/?", Err(Hidden)),
            ("arn:aws:bedrock:?:?:?", Err(Hidden)),
            ("arn:aws:bedrock:?:inference-profile/us.x", Err(Hidden)),
            ("arn:aws:sagemaker:?:?:endpoint/?", Ok(None)),
        ] {
            assert_eq!(partial_model_geography(&id.replace('?', "\u{fdd0}")), expected, "{id}");
        }
    }

    #[test]
    fn a_geography_is_within_what_holds_all_of_it() {
        assert_eq!(geography_within(None, &["EU"]), Truth::Yes);
        assert_eq!(geography_within(Some("EU"), &["EU"]), Truth::Yes);
        assert_eq!(geography_within(Some("EU"), &["EEA"]), Truth::Yes);
        assert_eq!(geography_within(Some("EU"), &["DE"]), Truth::No);
        assert_eq!(geography_within(Some("EU"), &["DE", "ES", "FR", "IE", "IT", "SE"]), Truth::Yes);
        assert_eq!(geography_within(Some("US"), &["EU", "UK"]), Truth::No);
        assert_eq!(geography_within(Some("APAC"), &["JP", "AU"]), Truth::No);
        assert_eq!(geography_within(Some("APAC"), &["APAC"]), Truth::Yes);
        assert_eq!(geography_within(Some("GLOBAL"), &["EU", "US", "APAC"]), Truth::No);
        assert_eq!(geography_within(Some("GLOBAL"), &["global"]), Truth::Yes);
        assert_eq!(geography_within(Some("UK"), &["EU"]), Truth::No);
    }
}
