//! A policy document as the AWS provider holds, merges and writes it.
//!
//! What it writes is byte for byte what the provider writes: `fixtures/data/policy_document` holds the real one's.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;
use unicode_normalization::UnicodeNormalization;

/// A document. The order of the fields is that of the output.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Document {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) id: String,
    #[serde(rename = "Statement", skip_serializing_if = "Vec::is_empty")]
    pub(super) statements: Vec<Statement>,
}

/// A statement, each part as it will be written.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statement {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) sid: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) effect: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_action: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resource: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_resource: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) principal: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_principal: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<Json>,
}

/// Principals of one type: a single text is written as such, a list stays a list.
#[derive(Debug)]
pub(super) enum Identifiers {
    One(String),
    Many(Vec<String>),
}

/// A document as text.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) json: String,
    pub(super) minified: String,
    /// The checksum of the indented text.
    pub(super) id: String,
}

/// What is wrong, in part of a sentence, without content of the document.
pub(super) type Wrong = String;

impl Document {
    /// Reads a whole document. Names are read in any case, as the provider does.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let json: Json = serde_json::from_str(text)
            .map_err(|error| format!("it is not JSON at line {}, column {}", error.line(), error.column()))?;
        Self::from_json(&json)
    }

    /// As [`Document::parse`].
    pub(super) fn from_json(json: &Json) -> Result<Self, Wrong> {
        let members = match json {
            Json::Null => return Ok(Self::default()),
            json => json.as_object().ok_or("it is no object")?,
        };
        let statements = match member(members, "Statement") {
            None => Vec::new(),
            Some(Json::Array(items)) => items.iter().map(Statement::parse).collect::<Result<_, _>>()?,
            Some(_) => return Err("`Statement` must be a list".to_owned()),
        };
        Ok(Self { version: text_of(members, "Version")?, id: text_of(members, "Id")?, statements })
    }

    /// Takes over what `other` says: its id, its version if it is later, its statements. One with the `Sid` of a statement
    /// that is there replaces it.
    pub(super) fn merge(&mut self, other: Self) {
        if !other.id.is_empty() {
            self.id = other.id;
        }
        if other.version > self.version {
            self.version = other.version;
        }
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for (place, statement) in
            self.statements.iter().enumerate().filter(|(_, known)| !known.sid.is_empty())
        {
            places.entry(statement.sid.clone()).or_insert(place);
        }
        for statement in other.statements {
            let known = places.get(&statement.sid).and_then(|&place| self.statements.get_mut(place));
            if let Some(known) = known {
                *known = statement;
                continue;
            }
            if !statement.sid.is_empty() {
                places.insert(statement.sid.clone(), self.statements.len());
            }
            self.statements.push(statement);
        }
    }

    pub(super) fn render(&self) -> Result<Rendered, Wrong> {
        let error = |error: serde_json::Error| error.to_string();
        let json = escape_html(&serde_json::to_string_pretty(self).map_err(error)?);
        let minified = escape_html(&serde_json::to_string(self).map_err(error)?);
        // The checksum is made by the provider, before Terraform normalises the text.
        let id = checksum(json.as_bytes()).to_string();
        Ok(Rendered { json: json.nfc().collect(), minified: minified.nfc().collect(), id })
    }
}

impl Statement {
    fn parse(json: &Json) -> Result<Self, Wrong> {
        let members = json.as_object().ok_or("a statement must be an object")?;
        // Whatever stands here is written again.
        let any = |name| member(members, name).map(canonical).transpose();
        Ok(Self {
            sid: text_of(members, "Sid")?,
            effect: text_of(members, "Effect")?,
            action: any("Action")?,
            not_action: any("NotAction")?,
            resource: any("Resource")?,
            not_resource: any("NotResource")?,
            principal: parse_principals(members, "Principal")?,
            not_principal: parse_principals(members, "NotPrincipal")?,
            condition: parse_conditions(members)?,
        })
    }
}

/// Principals as they are written: `"*"` alone for anyone, else by type.
pub(super) fn principals(all: Vec<(String, Identifiers)>) -> Option<Json> {
    if let [(kind, identifiers)] = all.as_slice() {
        let anyone = match identifiers {
            Identifiers::One(one) => one == "*",
            Identifiers::Many(many) => many.as_slice() == ["*"],
        };
        if kind == "*" && anyone {
            return Some("*".into());
        }
    }
    let mut by_type: BTreeMap<String, Json> = BTreeMap::new();
    for (kind, identifiers) in all {
        let before = by_type.remove(&kind);
        let both = match (before, identifiers) {
            (None, Identifiers::One(one)) => one.into(),
            (before, identifiers) => {
                let mut list = match before {
                    Some(Json::Array(list)) => list,
                    before => before.into_iter().collect(),
                };
                match identifiers {
                    Identifiers::One(one) => list.push(one.into()),
                    Identifiers::Many(many) => list.extend(reverse_sorted(many).into_iter().map(Json::from)),
                }
                list.into()
            }
        };
        by_type.insert(kind, both);
    }
    object(by_type)
}

/// Conditions as they are written: values of one operator and key together, a single one without a list.
pub(super) fn conditions(all: Vec<(String, String, Vec<String>)>) -> Option<Json> {
    let mut by_test: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (test, variable, mut values) in all {
        by_test.entry(test).or_default().entry(variable).or_default().append(&mut values);
    }
    let keys = |keys: BTreeMap<String, Vec<String>>| {
        object(keys.into_iter().map(|(key, values)| (key, one_or_list(values))).collect())
    };
    object(by_test.into_iter().filter_map(|(test, all)| Some((test, keys(all)?))).collect())
}

/// The last of all in the order of texts comes first.
pub(super) fn reverse_sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_unstable_by(|a, b| b.cmp(a));
    texts
}

/// A single text stands without a list.
pub(super) fn one_or_list(mut texts: Vec<String>) -> Json {
    match (texts.pop(), texts.is_empty()) {
        (Some(only), true) => only.into(),
        (last, _) => texts.into_iter().chain(last).map(Json::from).collect::<Vec<_>>().into(),
    }
}

/// CRC-32 as zlib and Go have it.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(sum & 1)))
    })
}

/// An object with sorted keys, whatever features of `serde_json` another crate turned on; [`None`] if it would be empty.
fn object(members: BTreeMap<String, Json>) -> Option<Json> {
    (!members.is_empty()).then(|| members.into_iter().collect::<serde_json::Map<_, _>>().into())
}

type Members = serde_json::Map<String, Json>;

/// The member of that name, else one whose name differs in case; null is as if it were absent.
fn member<'j>(members: &'j Members, name: &str) -> Option<&'j Json> {
    let other = || members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    members.get(name).or_else(other).filter(|value| !value.is_null())
}

fn text_of(members: &Members, name: &str) -> Result<String, Wrong> {
    match member(members, name) {
        None => Ok(String::new()),
        Some(Json::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("`{name}` must be a string")),
    }
}

fn texts(items: &[Json], what: &str) -> Result<Vec<String>, Wrong> {
    let text = |item: &Json| item.as_str().map(str::to_owned);
    items.iter().map(text).collect::<Option<_>>().ok_or_else(|| format!("{what} must be strings"))
}

fn parse_principals(members: &Members, name: &str) -> Result<Option<Json>, Wrong> {
    let wrong = || format!("`{name}` must hold strings or lists of strings");
    match member(members, name) {
        // Unlike elsewhere the provider refuses a null.
        None if members.iter().any(|(key, _)| key.eq_ignore_ascii_case(name)) => Err(wrong()),
        None => Ok(None),
        // Any text at all.
        Some(Json::String(_)) => Ok(Some("*".into())),
        Some(Json::Object(kinds)) => {
            let kinds = kinds.iter().map(|(kind, value)| {
                let identifiers = match value {
                    Json::String(one) => Identifiers::One(one.clone()),
                    Json::Array(many) => Identifiers::Many(texts(many, "principals")?),
                    _ => return Err(wrong()),
                };
                Ok((kind.clone(), identifiers))
            });
            Ok(principals(kinds.collect::<Result<_, _>>()?))
        }
        Some(_) => Err(wrong()),
    }
}

fn parse_conditions(members: &Members) -> Result<Option<Json>, Wrong> {
    let wrong = || "`Condition` must hold an object for each operator".to_owned();
    let Some(tests) = member(members, "Condition") else { return Ok(None) };
    let mut all = Vec::new();
    for (test, keys) in tests.as_object().ok_or_else(wrong)?.iter().filter(|(_, keys)| !keys.is_null()) {
        for (key, values) in keys.as_object().ok_or_else(wrong)? {
            let values = match values {
                Json::String(one) => vec![one.clone()],
                Json::Bool(one) => vec![one.to_string()],
                Json::Array(many) => texts(many, "values of conditions")?,
                // The provider loses numbers and all else.
                _ => continue,
            };
            all.push((test.clone(), key.clone(), values));
        }
    }
    Ok(conditions(all))
}

/// Any JSON as Go writes it after reading it: sorted keys, and all numbers as floats.
fn canonical(json: &Json) -> Result<Json, Wrong> {
    Ok(match json {
        Json::Array(items) => items.iter().map(canonical).collect::<Result<Vec<_>, _>>()?.into(),
        Json::Object(members) => {
            let members = members.iter().map(|(key, value)| Ok((key.clone(), canonical(value)?)));
            object(members.collect::<Result<_, Wrong>>()?).unwrap_or_else(|| Members::new().into())
        }
        Json::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            // Beyond this the notations differ. No element of a policy takes a number at all.
            if float != 0.0 && !(1e-4..9e15).contains(&float.abs()) {
                return Err("a number in it is too large or too small".to_owned());
            }
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            if float.fract() == 0.0 { Json::from(float as i64) } else { Json::from(float) }
        }
        other => other.clone(),
    })
}

/// As Go does, so that the text can stand in HTML. None of these can be outside of a string.
fn escape_html(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_zlib() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn documents_that_the_provider_refuses_are_refused() {
        for text in [
            " ",
            "[]",
            r#"{"Statement": {"Sid": "A"}}"#,
            r#"{"Statement": ["a"]}"#,
            r#"{"Statement": [null]}"#,
            r#"{"Statement": [{"Sid": 1}]}"#,
            r#"{"Statement": [{"Principal": null}]}"#,
            r#"{"Statement": [{"Principal": ["a"]}]}"#,
            r#"{"Statement": [{"Principal": {"AWS": {}}}]}"#,
            r#"{"Statement": [{"Principal": {"AWS": [1]}}]}"#,
            r#"{"Statement": [{"Condition": []}]}"#,
            r#"{"Statement": [{"Condition": {"A": "b"}}]}"#,
            r#"{"Version": 1}"#,
        ] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
    }
}
