//! Which resource types have values that anything looks at.

use foldhash::HashSet;

use crate::catalog::{self, Ai, Catalog};
use crate::facts::iam::accounts::TELLING;
use crate::rules::RuleSet;

/// The types that the rules of a set are about.
#[derive(Debug)]
pub struct Wanted<'a> {
    types: HashSet<&'a str>,
}

impl<'a> Wanted<'a> {
    /// What the rules of `set` are about.
    pub fn by(set: &'a RuleSet) -> Self {
        Self { types: set.iter().flat_map(|rule| rule.front().types.iter()).map(AsRef::as_ref).collect() }
    }

    /// Whether the values of a type's resources matter: a rule is about it, the graph looks at it on the way from AI to
    /// what a rule is about, or facts about those read it.
    pub fn wants(&self, type_name: &str) -> bool {
        let catalog = Catalog::get();
        let type_name = catalog::spelling(type_name).map_or(type_name, |spelling| spelling.type_name);
        self.types.contains(type_name)
            || catalog.kind(type_name).is_some_and(|info| info.ai != Ai::None)
            || !catalog.links(type_name).is_empty()
            || catalog.all_links().iter().any(|link| link.target_type == type_name)
            || TELLING.contains(&type_name)
    }
}
