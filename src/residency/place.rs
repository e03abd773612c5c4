//! The words by which a policy names places: groups of countries, countries, jurisdictions and regions.

use std::cmp::Ordering;
use std::sync::OnceLock;

use super::regions;

/// The place that holds every other.
pub(super) const ANYWHERE: &str = "GLOBAL";

/// The members of the European Union.
const EU: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// The members of the European Economic Area that are not of the European Union.
const EEA: [&str; 3] = ["IS", "LI", "NO"];

/// Where the Asia-Pacific regions of AWS are; China is a partition of its own.
const APAC: [&str; 11] = ["AU", "HK", "ID", "IN", "JP", "KR", "MY", "NZ", "SG", "TH", "TW"];

/// English names of countries that have a region of a cloud or are members of the European Economic Area.
const NAMES: [(&str, &str); 61] = [
    ("Australia", "AU"),
    ("Austria", "AT"),
    ("Bahrain", "BH"),
    ("Belgium", "BE"),
    ("Brazil", "BR"),
    ("Bulgaria", "BG"),
    ("Canada", "CA"),
    ("Chile", "CL"),
    ("China", "CN"),
    ("Croatia", "HR"),
    ("Cyprus", "CY"),
    ("Czechia", "CZ"),
    ("Denmark", "DK"),
    ("Estonia", "EE"),
    ("Finland", "FI"),
    ("France", "FR"),
    ("Germany", "DE"),
    ("Greece", "GR"),
    ("Hong Kong", "HK"),
    ("Hungary", "HU"),
    ("Iceland", "IS"),
    ("India", "IN"),
    ("Indonesia", "ID"),
    ("Ireland", "IE"),
    ("Israel", "IL"),
    ("Italy", "IT"),
    ("Japan", "JP"),
    ("Korea", "KR"),
    ("Latvia", "LV"),
    ("Liechtenstein", "LI"),
    ("Lithuania", "LT"),
    ("Luxembourg", "LU"),
    ("Malaysia", "MY"),
    ("Malta", "MT"),
    ("Mexico", "MX"),
    ("Netherlands", "NL"),
    ("New Zealand", "NZ"),
    ("Norway", "NO"),
    ("Poland", "PL"),
    ("Portugal", "PT"),
    ("Qatar", "QA"),
    ("Romania", "RO"),
    ("Saudi Arabia", "SA"),
    ("Singapore", "SG"),
    ("Slovakia", "SK"),
    ("Slovenia", "SI"),
    ("South Africa", "ZA"),
    ("South Korea", "KR"),
    ("Spain", "ES"),
    ("Sweden", "SE"),
    ("Switzerland", "CH"),
    ("Taiwan", "TW"),
    ("Thailand", "TH"),
    ("Philippines", "PH"),
    ("UAE", "AE"),
    ("United Arab Emirates", "AE"),
    ("United Kingdom", "GB"),
    ("United States", "US"),
    ("UK", "GB"),
    ("USA", "US"),
    ("Great Britain", "GB"),
];

/// Words that people write for a place and that say no one place, with what they may mean.
const VAGUE: [(&str, &str); 7] = [
    ("Europe", "`EU`, `EEA` or `UK`"),
    ("EMEA", "`EU`, `EEA` or `UK`"),
    ("EU-27", "`EU`"),
    ("England", "`UK`"),
    ("Asia", "`APAC`"),
    ("America", "`US`"),
    ("any", "`GLOBAL`"),
];

/// Whether the country, by its ISO code, is within `place`.
pub(super) fn covers(place: &str, country: &str) -> bool {
    let is = |name: &str| place.eq_ignore_ascii_case(name);
    is(country)
        || NAMES.iter().any(|(name, code)| is(name) && *code == country)
        || (is("EU") && EU.contains(&country))
        || (is("EEA") && (EU.contains(&country) || EEA.contains(&country)))
        || (is("APAC") && APAC.contains(&country))
}

/// Whether these places are all of the world.
pub fn allow_anywhere<S: AsRef<str>>(allowed: &[S]) -> bool {
    allowed.iter().any(|place| place.as_ref().eq_ignore_ascii_case(ANYWHERE))
}

/// Whether `place` is one that a policy can allow. What is not is a mistake in the configuration, for it allows nothing.
pub fn is_place(place: &str) -> bool {
    static NAMED: OnceLock<Vec<&str>> = OnceLock::new();
    let named = NAMED.get_or_init(|| {
        let groups = ["EEA", "APAC", ANYWHERE].into_iter().chain(EU).chain(EEA);
        let countries = NAMES.iter().map(|(name, _)| *name);
        let of_region = |region: &'static super::Region| {
            [region.name, region.jurisdiction].into_iter().chain(region.countries.iter().copied())
        };
        let mut named: Vec<&str> =
            groups.chain(countries).chain(regions().iter().flat_map(of_region)).collect();
        named.sort_unstable_by(|a, b| by_letters(a, b));
        named
    });
    let named = named.binary_search_by(|name| by_letters(name, place)).is_ok();
    // Azure has a geography `Europe`, and who writes that for a policy seldom means it.
    named && suggestion(place).is_none()
}

/// The order of two names, whatever the case of their letters.
fn by_letters(a: &str, b: &str) -> Ordering {
    a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// What somebody may have meant who wrote `place`, which is none.
pub fn suggestion(place: &str) -> Option<&'static str> {
    VAGUE.iter().find(|(word, _)| place.eq_ignore_ascii_case(word)).map(|(_, meant)| *meant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::residency::region_within;
    use crate::value::Truth;

    #[test]
    fn places_are_told_from_mistakes() {
        for place in
            ["EU", "eea", "DE", "UK", "GB", "US", "CH", "APAC", "eu-central-1", "PT", "Germany", "global"]
        {
            assert!(is_place(place), "{place}");
        }
        for word in ["Europe/Berlin", "", "Europe", "any", "eu-*"] {
            assert!(!is_place(word), "{word}");
        }
        assert_eq!(suggestion("europe"), Some("`EU`, `EEA` or `UK`"));
    }

    #[test]
    fn every_vague_word_is_no_place_and_every_name_is_one() {
        assert!(VAGUE.iter().all(|(word, _)| !is_place(word)));
        assert!(NAMES.iter().all(|(name, code)| covers(name, code) && is_place(code)));
    }

    #[test]
    fn a_country_can_be_named_in_words() {
        assert_eq!(region_within("aws", "eu-central-2", &["Switzerland"]), Truth::Yes);
        assert_eq!(region_within("aws", "eu-west-2", &["United Kingdom"]), Truth::Yes);
        assert_eq!(region_within("aws", "eu-west-2", &["Ireland"]), Truth::No);
    }
}
