//! Expressions of a plan's `configuration`: constants and the names that are referred to, nothing between.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use smol_str::SmolStr;

use crate::input::json::{Entries, Text};

/// Blocks nested deeper are not looked at.
const MAX_DEPTH: usize = 32;

/// What a configuration gives to an attribute or to a block.
#[derive(Debug)]
pub(super) enum Node<'a> {
    /// An attribute's expression.
    Leaf(Leaf<'a>),
    /// The body of one block.
    Body(Vec<(SmolStr, Node<'a>)>),
    /// Blocks of one type, in the order of the source. Terraform leaves dynamic blocks out.
    Blocks(Vec<Node<'a>>),
}

/// An attribute's expression.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Leaf<'a> {
    /// The value, where the expression is made of literals alone; `null` too.
    #[serde(borrow, default, rename = "constant_value", deserialize_with = "present")]
    pub(super) constant: Option<&'a RawValue>,
    /// What it names: each with its prefixes behind it, longest first.
    #[serde(borrow, default)]
    pub(super) references: Vec<Text<'a>>,
}

impl<'a> Node<'a> {
    /// Reads `expressions` as a whole.
    pub(super) fn parse_body(raw: &'a RawValue) -> Vec<(SmolStr, Self)> {
        body(raw, 0)
    }

    fn parse_at(raw: &'a RawValue, depth: usize) -> Self {
        if depth > MAX_DEPTH {
            return Self::Leaf(Leaf::default());
        }
        if raw.get().starts_with('[') {
            let blocks: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
            return Self::Blocks(
                blocks.into_iter().map(|block| Self::Body(body(block, depth + 1))).collect(),
            );
        }
        match Leaf::parse(raw) {
            Some(leaf) => Self::Leaf(leaf),
            None => Self::Body(body(raw, depth + 1)),
        }
    }
}

impl<'a> Leaf<'a> {
    /// An expression object; [`None`] if it is the body of a block.
    pub(super) fn parse(raw: &'a RawValue) -> Option<Self> {
        // An attribute of a block may itself be called `references`: its value is then an object.
        let entries: Entries<'a> = serde_json::from_str(raw.get()).ok()?;
        let is_leaf = entries.0.iter().all(|(name, value)| match name.0.as_ref() {
            "constant_value" => true,
            "references" => value.get().starts_with('['),
            _ => false,
        });
        is_leaf.then(|| serde_json::from_str(raw.get()).ok())?
    }

    /// Whether it is written to be nothing, as if it were left out.
    pub(super) fn is_null(&self) -> bool {
        self.constant.is_some_and(|raw| raw.get() == "null")
    }

    /// The references without those that are only a prefix of one before them.
    pub(super) fn longest(&self) -> impl Iterator<Item = &str> {
        let texts = || self.references.iter().map(|reference| reference.0.as_ref());
        let mut last = "";
        texts().filter(move |text| {
            let is_prefix =
                last.strip_prefix(*text).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
            if !is_prefix {
                last = text;
            }
            !is_prefix
        })
    }
}

/// What is there, which serde takes for absent if it is null.
fn present<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn body<'a>(raw: &'a RawValue, depth: usize) -> Vec<(SmolStr, Node<'a>)> {
    let entries: Entries<'a> = serde_json::from_str(raw.get()).unwrap_or_default();
    entries.0.into_iter().map(|(name, raw)| (SmolStr::new(name.0), Node::parse_at(raw, depth))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_left_out() {
        let leaf: Leaf<'_> = serde_json::from_str(
            r#"{"references": ["a.b[0].c", "a.b[0]", "a.b", "a.bc", "module.m.o", "module.m", "a.b.d", "a.b"]}"#,
        )
        .unwrap();
        assert_eq!(leaf.longest().collect::<Vec<_>>(), ["a.b[0].c", "a.bc", "module.m.o", "a.b.d"]);
    }

    #[test]
    fn a_body_and_an_expression_are_told_apart() {
        let parse = |text| Node::parse_at(serde_json::from_str(text).unwrap(), 0);
        assert!(matches!(parse("{}"), Node::Leaf(_)));
        assert!(matches!(parse(r#"{"constant_value": {"a": 1}}"#), Node::Leaf(_)));
        assert!(matches!(parse(r#"{"references": {"constant_value": 1}}"#), Node::Body(_)));
        assert!(matches!(parse(r#"[{"a": {}}, {}]"#), Node::Blocks(blocks) if blocks.len() == 2));
    }
}
