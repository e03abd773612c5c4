//! What all rules of a type come to together, so that a resource comes down one tree and not one for each condition.
//!
//! The way down is that of its rules one after the other, each question once; at its end stands what they came to. It is learnt
//! from their own trees, when a resource has been asked by these. What cannot be told by its answers is asked rule by rule.

use std::sync::Arc;

use super::place::Remembered;
use super::question::{Path, Questions};
use super::tree::{Tree, Walk};
use crate::eval::Scope;

/// The tree does not grow beyond this.
const MAX_NODES: usize = 4_000;
/// So many resources may come to no end before it counts how many did.
const MAX_MISSES: usize = 32;
/// So often the tree is begun anew.
const MAX_STARTS: usize = 8;

/// What resources with the same answers are told by the rules of their type.
#[derive(Debug, Default)]
pub(in crate::check) struct Outcome {
    /// The rules that they pass.
    pub(in crate::check) passed: Vec<usize>,
    /// The rules that they do not pass, with what these came to.
    pub(in crate::check) told: Vec<(usize, Remembered)>,
    /// The rules that are asked of each.
    pub(in crate::check) open: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Together {
    tree: Tree<Arc<Outcome>>,
    hits: usize,
    misses: usize,
    starts: usize,
}

impl Default for Together {
    fn default() -> Self {
        Self { tree: Tree::new(MAX_NODES), hits: 0, misses: 0, starts: 1 }
    }
}

impl Together {
    /// What a resource is told by its answers, if that is known.
    pub(super) fn walk(&mut self, questions: &mut Questions, scope: &dyn Scope) -> Option<Arc<Outcome>> {
        if self.starts > MAX_STARTS {
            return None;
        }
        match self.tree.walk(questions, scope) {
            Walk::End(outcome) => {
                self.hits += 1;
                Some(Arc::clone(outcome))
            }
            Walk::New => None,
            Walk::Evaluate | Walk::Unshared => {
                self.misses += 1;
                if self.misses > MAX_MISSES && self.misses * 4 > self.hits {
                    self.start();
                }
                None
            }
        }
    }

    /// Takes down what a resource came to by its answers.
    pub(super) fn remember(&mut self, path: Path, outcome: Outcome) {
        // A rule may ask otherwise than it did: its own tree was begun anew.
        if self.starts <= MAX_STARTS && !self.tree.remember(path, Some(Arc::new(outcome))) {
            self.start();
        }
    }

    fn start(&mut self) {
        *self = Self { starts: self.starts + 1, ..Self::default() };
    }
}
