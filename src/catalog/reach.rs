//! How far the controls of an account reach: `rules/catalog/reach.csv`. What is not in it is of one region.

use crate::value::Value;

const REACH: &str = include_str!("../../rules/catalog/reach.csv");

/// Whether what a type declares is for other regions of its account too.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It is for the account.
    Account,
    /// It is where this attribute is true.
    If(&'static str),
}

impl Reach {
    /// Whether it spans regions, as far as is known.
    pub fn spans_regions(self, object: Option<&Value>) -> bool {
        match self {
            Self::Account => true,
            Self::If(attribute) => {
                let value = object.and_then(|object| object.get(attribute));
                value.is_some_and(|value| value.is_unknown() || value.as_bool() == Some(true))
            }
        }
    }
}

/// The reach of a type, if it may be more than a region.
pub(super) fn of(type_name: &str) -> Option<Reach> {
    lines().find(|(name, _)| *name == type_name).map(|(_, reach)| reach)
}

/// All lines: they are few, and rarely asked for.
pub(super) fn lines() -> impl Iterator<Item = (&'static str, Reach)> {
    let line = |line: &'static str| {
        let (name, reach) = line.split_once(',')?;
        Some((name, if reach == "always" { Reach::Account } else { Reach::If(reach) }))
    };
    REACH.lines().skip(1).filter_map(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn every_line_names_a_type_and_an_attribute_that_there_are() {
        assert_eq!(lines().count(), REACH.lines().count() - 1);
        for (name, reach) in lines() {
            let schema = Catalog::get().schema(name).unwrap_or_else(|| panic!("{name} has no schema"));
            if let Reach::If(attribute) = reach {
                assert!(schema.has(attribute), "{name}.{attribute}");
            }
        }
        assert_eq!(of("aws_s3_account_public_access_block"), Some(Reach::Account));
        assert_eq!(of("aws_guardduty_detector"), None);
    }
}
