//! Controls: neutral requirements, each with the framework clauses that it supports.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::RuleError;

/// All controls by id.
pub type Controls = BTreeMap<String, Control>;

/// One control.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// In words.
    pub title: String,
    /// `EU-AI-ACT:15(5)`, …
    pub clauses: Vec<String>,
}

/// Reads a `controls.toml`.
pub fn parse(path: &str, text: &str) -> Result<Controls, RuleError> {
    toml::from_str(text).map_err(|error| {
        RuleError::at(path, text, error.span().map_or(0, |span| span.start), error.message())
    })
}
