//! The rules that are asked of one input: those of a set that are about its types, compiled.

use bumpalo::Bump;

use crate::catalog::Catalog;
use crate::eval::functions;
use crate::facts::iam::ANALYSIS_NAMES;
use crate::rules::{self, CompiledRule, Rule, RuleError, RuleSet, Vocabulary};
use crate::source::FileId;

/// The rules that are asked of one input.
#[derive(Debug)]
pub struct Rules<'a> {
    /// Sorted by id: of the set those that are about a type of the input.
    pub compiled: Vec<CompiledRule<'a>>,
    /// Stands for the text of rules in spans.
    pub file: FileId,
    /// How many the set has. A finding names its rule by the index in it.
    pub count: usize,
}

impl<'a> Rules<'a> {
    /// Compiles the rules of `set` that are about a type that is there.
    pub fn compile(
        set: &'a RuleSet,
        arena: &'a Bump,
        file: FileId,
        is_there: impl Fn(&str) -> bool,
    ) -> Result<Self, RuleError> {
        let asked = |rule: &Rule| rule.front().types.iter().any(|name| is_there(name));
        let compiled = rules::compile(set, arena, file, vocabulary(), asked)?;
        Ok(Self { compiled, file, count: set.len() })
    }

    /// Which of the set the rule at `at` is.
    pub(super) fn index(&self, at: usize) -> usize {
        self.compiled.get(at).map_or(at, |rule| rule.index)
    }
}

/// What conditions may name.
pub fn vocabulary() -> Vocabulary<'static> {
    Vocabulary {
        schema: &|type_name, path| Some(Catalog::get().schema(type_name)?.has(&path.join("."))),
        links: &|from, to| Catalog::get().links(from).iter().any(|link| link.target_type == to),
        is_function: &functions::exists,
        analyses: &ANALYSIS_NAMES,
    }
}
