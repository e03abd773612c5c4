//! What conditions came to is remembered by what they asked and were answered, so that of many resources that are alike in all
//! that a condition looks at only the first has it evaluated.
//!
//! A condition sees of a resource nothing but the answers of its scope ([`Scope::lookup`], [`Scope::call`]), and the answers
//! so far decide what it asks next. So each condition has a tree for each type of resource: a question, below it each answer
//! that was given, and below that the next question or what the condition came to (`tree`). Who comes down a path of the tree
//! with its own answers need not evaluate. Answers are the same only if nothing could tell them apart; where they differ
//! everywhere, if nothing that the condition reads of them could (`reads`). A question is asked once of a resource, whichever
//! of its conditions ask it, and what answers alike for all of a type is none (`question`). Places do not count: of a
//! condition that hands on the place of an answer it is remembered which part of which answer has it (`place`). Messages are
//! remembered in the same way.
//!
//! Nothing is decided here. What cannot be remembered is evaluated, and a debug build compares with doing that always.

mod place;
mod question;
mod reads;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::HashMap;
use std::sync::Mutex;

use smol_str::SmolStr;

use place::Remembered;
use question::{Questions, record};
use tree::{Tree, Walk};

use super::Decision;
use crate::eval::Scope;
use crate::hcl::ast::Expr;
use crate::source::FileId;

/// Which condition of a rule.
#[derive(Copy, Clone, Debug)]
pub(super) enum Condition {
    When,
    Require,
}

/// What is remembered of one set of rules and one graph: by thread, since what one learned it need not share to be fast.
pub(super) struct Memos(Vec<Mutex<OfTypes>>);

/// What one thread remembers, by the type of the resources.
#[derive(Debug, Default)]
pub(super) struct OfTypes(HashMap<SmolStr, Memo>);

/// What is remembered of the resources of a type.
#[derive(Debug, Default)]
pub(super) struct Memo {
    questions: Questions,
    /// By rule and part.
    conditions: Vec<Option<Box<Tree<Remembered>>>>,
    /// By rule.
    messages: Vec<Option<Box<Tree<SmolStr>>>>,
}

impl Memos {
    pub(super) fn new() -> Self {
        Self((0..rayon::current_num_threads()).map(|_| Mutex::default()).collect())
    }

    /// Asks with what this thread remembers.
    pub(super) fn with<R>(&self, ask: impl FnOnce(&mut OfTypes) -> R) -> R {
        let own = rayon::current_thread_index().and_then(|thread| self.0.get(thread));
        // A thread that waits inside of what it asks may take up something else.
        let mut own = own.and_then(|memo| memo.try_lock().ok());
        ask(own.as_deref_mut().unwrap_or(&mut OfTypes::default()))
    }
}

impl OfTypes {
    /// What is remembered of a type.
    pub(super) fn of(&mut self, type_name: &str) -> &mut Memo {
        self.0.entry(type_name.into()).or_default()
    }
}

impl Memo {
    /// From here on another resource is asked about.
    pub(super) fn turn(&mut self) {
        self.questions.turn += 1;
    }

    /// What a condition of a rule comes to: `evaluate` tells it for a scope. The rules are in `file`.
    pub(super) fn decide(
        &mut self,
        (rule, part, condition): (usize, Condition, &Expr<'_>),
        file: FileId,
        scope: &dyn Scope,
        evaluate: impl Fn(&dyn Scope) -> Decision,
    ) -> Decision {
        let tree = at(&mut self.conditions, rule * 2 + part as usize);
        let Some(tree) = tree else { return evaluate(scope) };
        match tree.walk(&mut self.questions, scope) {
            Walk::End(known) => known.of(&self.questions).unwrap_or_else(|| evaluate(scope)),
            Walk::Evaluate => evaluate(scope),
            Walk::Unshared => {
                tree.narrow(condition);
                evaluate(scope)
            }
            Walk::New => {
                let (decision, path) = record(&mut self.questions, &tree.demands, scope, evaluate);
                let remember = |path: &_| Remembered::new(&decision, part, path, &self.questions, file);
                let remembered = path.as_ref().and_then(remember);
                tree.remember(path, remembered);
                decision
            }
        }
    }

    /// The message of a rule: `evaluate` tells it for a scope.
    pub(super) fn tell(
        &mut self,
        rule: usize,
        scope: &dyn Scope,
        evaluate: impl Fn(&dyn Scope) -> SmolStr,
    ) -> SmolStr {
        let tree = at(&mut self.messages, rule);
        let Some(tree) = tree else { return evaluate(scope) };
        match tree.walk(&mut self.questions, scope) {
            Walk::End(known) => known.clone(),
            Walk::Evaluate | Walk::Unshared => evaluate(scope),
            Walk::New => {
                let (message, path) = record(&mut self.questions, &tree.demands, scope, evaluate);
                tree.remember(path, Some(message.clone()));
                message
            }
        }
    }
}

/// The tree at a place.
fn at<T>(trees: &mut Vec<Option<Box<Tree<T>>>>, slot: usize) -> Option<&mut Tree<T>> {
    if trees.len() <= slot {
        trees.resize_with(slot + 1, || None);
    }
    Some(trees.get_mut(slot)?.get_or_insert_with(|| Box::new(Tree::new())))
}
