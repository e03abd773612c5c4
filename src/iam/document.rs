//! The AWS policy language: JSON text to statements.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

/// A policy document.
#[derive(Clone, Debug, Deserialize)]
pub struct Document {
    /// Its statements, in order; one statement may stand without a list.
    #[serde(rename = "Statement", default, deserialize_with = "one_or_many")]
    pub statements: Vec<Statement>,
}

/// A statement.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// Its id.
    #[serde(default)]
    pub sid: Option<String>,
    /// `Allow` or `Deny`.
    pub effect: Effect,
    /// `Action`
    #[serde(default, deserialize_with = "one_or_many")]
    pub action: Vec<String>,
    /// `NotAction`
    #[serde(default, deserialize_with = "one_or_many")]
    pub not_action: Vec<String>,
    /// `Resource`
    #[serde(default, deserialize_with = "one_or_many")]
    pub resource: Vec<String>,
    /// `NotResource`
    #[serde(default, deserialize_with = "one_or_many")]
    pub not_resource: Vec<String>,
    /// `Principal`
    #[serde(default)]
    pub principal: Option<Principal>,
    /// `Condition`: operator → key → values.
    #[serde(default)]
    pub condition: BTreeMap<String, BTreeMap<String, Values>>,
}

/// `Allow` or `Deny`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Deserialize)]
pub enum Effect {
    /// It grants.
    Allow,
    /// It takes away, whatever else grants.
    Deny,
}

/// Who a statement of a resource policy or trust policy speaks of.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Principal {
    /// `"*"`
    Text(String),
    /// `{ "Service": … }`: kind → principals.
    Map(BTreeMap<String, Values>),
}

/// One value or several; numbers and booleans as text.
#[derive(Clone, Debug)]
pub struct Values(pub Vec<String>);

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// What is wrong and where in the text, without its content.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            format!("line {}, column {} of the document: not a policy", error.line(), error.column())
        })
    }
}

impl Principal {
    /// Names of service principals.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        let services = match self {
            Self::Text(_) => None,
            Self::Map(map) => map.get("Service"),
        };
        services.into_iter().flat_map(|values| values.0.iter().map(String::as_str))
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsText;
        impl<'de> Visitor<'de> for AsText {
            type Value = Values;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string, a boolean, a number or a list of them")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Values, E> {
                Ok(Values(vec![text.to_owned()]))
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Values, E> {
                Ok(Values(vec![value.to_string()]))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Values, E> {
                Ok(Values(vec![value.to_string()]))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Values, E> {
                Ok(Values(vec![value.to_string()]))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Values, E> {
                Ok(Values(vec![value.to_string()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Values, A::Error> {
                let mut all = Vec::new();
                while let Some(Values(more)) = seq.next_element()? {
                    all.extend(more);
                }
                Ok(Values(all))
            }
        }
        deserializer.deserialize_any(AsText)
    }
}

/// `x` or `[x, …]`.
fn one_or_many<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany<T> {
        Many(Vec<T>),
        One(T),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::Many(many) => many,
        OneOrMany::One(one) => vec![one],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_values_stand_for_lists() {
        let text = r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*",
            "Principal": {"Service": "bedrock.amazonaws.com"},
            "Condition": {"Bool": {"aws:SecureTransport": false}}}}"#;
        let document = Document::parse(text).unwrap();
        let statement = &document.statements[0];
        assert_eq!(statement.action, ["s3:*"]);
        assert_eq!(statement.condition["Bool"]["aws:SecureTransport"].0, ["false"]);
        assert_eq!(
            statement.principal.as_ref().unwrap().services().collect::<Vec<_>>(),
            ["bedrock.amazonaws.com"]
        );
    }

    #[test]
    fn errors_tell_the_place_and_not_the_content() {
        let error = Document::parse("{\"Statement\": [{\"Effect\": \"hunter2\"}]}").unwrap_err();
        assert!(error.starts_with("line 1"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
