//! Where resource types keep their controls: `rules/catalog/controls.csv`.
//!
//! A control is what an auditor asks of any resource (is there a key of the customer, a log, a role?), and a type has it at
//! the attributes that the file names. Tests hold each of them to a schema of the provider.

use super::table::{fields, lines};

const CONTROLS: &str = include_str!("../../rules/catalog/controls.csv");

/// An attribute that decides a control of a type.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Control {
    /// The resource type.
    pub type_name: &'static str,
    /// What it controls: `customer-managed-key`, `network`, `role`, `logging`.
    pub name: &'static str,
    /// The attribute, as a dotted path without indexes.
    pub attribute: &'static str,
}

/// All of them, sorted.
pub(super) fn embedded() -> Vec<Control> {
    lines(CONTROLS).skip(1).filter_map(parse).collect()
}

fn parse(line: &'static str) -> Option<Control> {
    let mut fields = fields(line);
    let control = Control { type_name: fields.next()?, name: fields.next()?, attribute: fields.next()? };
    fields.next().is_none().then_some(control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood_in_order_and_once() {
        let all = embedded();
        assert_eq!(all.len(), CONTROLS.lines().count() - 1);
        for pair in all.windows(2) {
            assert!(pair[0] < pair[1], "{:?}", pair[1]);
        }
    }
}
