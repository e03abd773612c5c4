//! What resources protect, and lose with them who deletes them: `rules/catalog/protections.csv`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

const PROTECTIONS: &str = include_str!("../../rules/catalog/protections.csv");

/// What a resource of a type protects.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// The kind of protection: one resource of a kind stands in for another.
    pub kind: &'static str,
    /// It protects what it names, by one of these attributes; else what names it.
    pub names: bool,
    attributes: &'static str,
    /// The attribute in which two of a kind must agree to stand in for each other.
    pub same: Option<&'static str>,
}

impl Protection {
    /// Whether a link at the dotted path is one that tells what is protected.
    pub fn is_by(self, path: &str) -> bool {
        self.attributes.split('|').any(|attribute| attribute == path)
    }
}

/// What the type protects, if it does.
pub(super) fn of(type_name: &str) -> Option<Protection> {
    static BY_TYPE: OnceLock<BTreeMap<&str, Protection>> = OnceLock::new();
    BY_TYPE.get_or_init(|| lines().collect()).get(type_name).copied()
}

/// All lines.
fn lines() -> impl Iterator<Item = (&'static str, Protection)> {
    PROTECTIONS.lines().skip(1).filter_map(parse)
}

fn parse(line: &'static str) -> Option<(&'static str, Protection)> {
    let mut fields = line.split(',');
    let (name, kind, attributes, same) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let same = Some(same).filter(|same| !same.is_empty());
    Some((name, Protection { kind, names: attributes != "*", attributes, same }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn every_line_names_a_type_attributes_and_links_that_there_are() {
        assert_eq!(lines().count(), PROTECTIONS.lines().count() - 1);
        for (name, protection) in lines() {
            let schema = Catalog::get().schema(name).unwrap_or_else(|| panic!("{name} has no schema"));
            let attributes = protection.attributes.split('|').filter(|attribute| *attribute != "*");
            for attribute in attributes.chain(protection.same) {
                assert!(schema.has(attribute), "{name}.{attribute}");
            }
            let links = Catalog::get().links(name);
            let is_linked = |attribute: &str| links.iter().any(|link| link.attribute == attribute);
            for attribute in protection.attributes.split('|').filter(|_| protection.names) {
                assert!(is_linked(attribute), "{name}.{attribute} leads nowhere");
            }
        }
    }
}
