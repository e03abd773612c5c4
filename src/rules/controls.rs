//! Controls: neutral requirements, each with the framework clauses that it supports.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::RuleError;
use super::file::Texts;

/// All controls by id.
pub type Controls = BTreeMap<Cow<'static, str>, Control>;

/// One control.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// In words.
    pub title: Cow<'static, str>,
    /// `EU-AI-ACT:15(5)`, …
    pub clauses: Texts,
}

/// Reads a `controls.toml`.
pub fn parse(path: &str, text: &str) -> Result<Controls, RuleError> {
    toml::from_str(text).map_err(|error| {
        RuleError::at(path, text, error.span().map_or(0, |span| span.start), error.message())
    })
}
