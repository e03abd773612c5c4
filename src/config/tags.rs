//! `[tags]`: which tags resources must have, and what may be in them.

use std::collections::BTreeMap;

use regex::Regex;
use serde::{Deserialize, Deserializer};

use crate::catalog::Catalog;

/// What resources must be tagged with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tags {
    /// The tags that must be there.
    pub required: Vec<String>,
    /// Other names that count for a tag: `owner = ["Owner", "team"]`.
    pub synonyms: BTreeMap<String, Vec<String>>,
    /// The values that a tag may have: `environment = ["prod", "dev"]`.
    pub allowed: BTreeMap<String, Allowed>,
    /// What the value of a tag is like: `system-id = "^[a-z]+-[0-9]+$"`.
    pub pattern: BTreeMap<String, Pattern>,
    /// The same for resources of one role in the catalog: `data-store`, `model`.
    #[serde(deserialize_with = "roles")]
    pub roles: BTreeMap<String, TagsOfRole>,
}

/// What resources of a role must be tagged with, beside all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TagsOfRole {
    /// More tags that must be there.
    pub required: Vec<String>,
    /// The values that a tag may have; of a tag of this role instead of those for all.
    pub allowed: BTreeMap<String, Allowed>,
    /// The same of patterns.
    pub pattern: BTreeMap<String, Pattern>,
}

/// The values that a tag may have, at least one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Allowed(pub Vec<String>);

/// A regular expression that is found in the value of a tag.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(pub Regex);

impl Default for Tags {
    fn default() -> Self {
        let required = ["owner", "system-id", "purpose", "environment"];
        Self {
            required: required.map(str::to_owned).into(),
            synonyms: BTreeMap::new(),
            allowed: BTreeMap::new(),
            pattern: BTreeMap::new(),
            roles: BTreeMap::new(),
        }
    }
}

impl Tags {
    /// What is said of resources of the type beside all others, by its role.
    pub fn of_type(&self, type_name: &str) -> Option<&TagsOfRole> {
        if self.roles.is_empty() {
            return None;
        }
        self.roles.get(Catalog::get().kind(type_name)?.role)
    }

    /// The tags whose values are limited, sorted, with the values and the pattern that resources of the type may have.
    pub fn limits(&self, type_name: &str) -> Vec<(&str, Option<&Allowed>, Option<&Pattern>)> {
        let of_role = self.of_type(type_name);
        let names = self.allowed.keys().chain(self.pattern.keys());
        let more = of_role.into_iter().flat_map(|role| role.allowed.keys().chain(role.pattern.keys()));
        let mut names: Vec<&str> = names.chain(more).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let limit = |name: &str| {
            let allowed = of_role.and_then(|role| role.allowed.get(name)).or_else(|| self.allowed.get(name));
            let pattern = of_role.and_then(|role| role.pattern.get(name)).or_else(|| self.pattern.get(name));
            (allowed, pattern)
        };
        let of_name = |name| {
            let (allowed, pattern) = limit(name);
            (name, allowed, pattern)
        };
        names.into_iter().map(of_name).collect()
    }
}

impl TryFrom<Vec<String>> for Allowed {
    type Error = String;

    fn try_from(values: Vec<String>) -> Result<Self, String> {
        if values.is_empty() {
            return Err("no value would be allowed: name at least one".to_owned());
        }
        Ok(Self(values))
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Regex::new(&text).map(Self).map_err(|error| {
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("`{text}` is not a regular expression: {reason}")
        })
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

/// A role that there is not would never require anything.
fn roles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, TagsOfRole>, D::Error> {
    let roles = BTreeMap::<String, TagsOfRole>::deserialize(deserializer)?;
    let mut known: Vec<&str> = Catalog::get().types().iter().map(|info| info.role).collect();
    known.sort_unstable();
    known.dedup();
    match roles.keys().find(|role| !known.contains(&role.as_str())) {
        Some(odd) => {
            let known = known.join("`, `");
            Err(serde::de::Error::custom(format!("`{odd}` is no role; there are `{known}`")))
        }
        None => Ok(roles),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Tags, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn limits_of_a_role_stand_for_those_of_all() {
        let tags = parse(
            "[allowed]\nenvironment = ['prod', 'dev']\n[pattern]\nsystem-id = '^[a-z]+$'\n\
             [roles.data-store]\nrequired = ['data-classification']\nallowed.environment = ['prod']\n",
        )
        .unwrap();
        let of = |type_name| {
            let limits = tags.limits(type_name);
            let text = |(name, allowed, pattern): &(&str, Option<&Allowed>, Option<&Pattern>)| {
                let values = allowed.map(|allowed| allowed.0.join("|")).unwrap_or_default();
                format!("{name}:{values}{}", pattern.map_or("", |pattern| pattern.0.as_str()))
            };
            limits.iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(of("aws_sagemaker_model"), ["environment:prod|dev", "system-id:^[a-z]+$"]);
        assert_eq!(of("aws_s3_bucket"), ["environment:prod", "system-id:^[a-z]+$"]);
        assert_eq!(tags.of_type("aws_s3_bucket").unwrap().required, ["data-classification"]);
        assert!(tags.of_type("aws_sagemaker_model").is_none());
    }

    #[test]
    fn what_could_never_hold_is_an_error() {
        let message = parse("[pattern]\nowner = '('\n").unwrap_err();
        assert!(message.starts_with("`(` is not a regular expression: "), "{message}");
        assert_eq!(
            parse("[allowed]\nowner = []\n").unwrap_err(),
            "no value would be allowed: name at least one"
        );
        let message = parse("[roles.bucket]\nrequired = ['owner']\n").unwrap_err();
        assert!(message.starts_with("`bucket` is no role; there are `agent`, "), "{message}");
    }
}
