//! What rules say, of each rule by its index: what is asked of some rules only need not look at all that the others say.

use rayon::prelude::*;

use super::{Result, Rules};

/// What rules say.
#[derive(Debug, Default)]
pub(super) struct Results(Vec<Vec<Box<Result>>>);

impl Results {
    /// Nothing yet.
    pub(super) fn new(rules: &Rules<'_>) -> Self {
        Self(rules.compiled.iter().map(|_| Vec::new()).collect())
    }

    /// What one rule says.
    pub(super) fn of(&self, rule: usize) -> &[Box<Result>] {
        self.0.get(rule).map_or(&[], Vec::as_slice)
    }

    /// What one rule says, to change.
    pub(super) fn of_mut(&mut self, rule: usize) -> &mut [Box<Result>] {
        self.0.get_mut(rule).map_or(&mut [], Vec::as_mut_slice)
    }

    /// Adds what a rule says: its index is told beside it, for what it says is not looked at.
    pub(super) fn push(&mut self, rule: usize, result: Box<Result>) {
        if let Some(of_rule) = self.0.get_mut(rule) {
            of_rule.push(result);
        }
    }

    /// What all rules say, rule by rule.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Result> {
        self.0.iter().flatten().map(AsRef::as_ref)
    }

    /// What all rules say, each to change.
    pub(super) fn par_iter_mut(&mut self) -> impl ParallelIterator<Item = &mut Result> {
        self.0.par_iter_mut().flatten().map(AsMut::as_mut)
    }

    /// Keeps what is asked for.
    pub(super) fn retain(&mut self, keep: impl Fn(&Result) -> bool + Sync) {
        self.0.par_iter_mut().for_each(|of_rule| of_rule.retain(|result| keep(result)));
    }

    /// What each rule says, rule by rule.
    pub(super) fn by_rule(self) -> Vec<Vec<Box<Result>>> {
        self.0
    }
}

impl Extend<Box<Result>> for Results {
    fn extend<I: IntoIterator<Item = Box<Result>>>(&mut self, results: I) {
        results.into_iter().for_each(|result| self.push(result.rule, result));
    }
}
