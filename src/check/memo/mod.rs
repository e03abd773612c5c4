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
//! remembered in the same way. What all rules of a type come to is remembered once more, in one tree (`together`).
//!
//! Nothing is decided here. What cannot be remembered is evaluated, and a debug build compares with doing that always.

mod place;
mod question;
mod reads;
#[cfg(test)]
mod tests;
mod together;
mod tree;

use std::sync::{Arc, Mutex};

use smol_str::SmolStr;

use place::Remembered;
use question::{Path, Questions, record};
pub(super) use together::Outcome;
use together::Together;
use tree::{Tree, Walk};

use super::Rules;
use super::ask::Decision;
use crate::eval::Scope;
use crate::facts::Facts;
use crate::facts::domain::ConditionScope;
use crate::finding::Verdict;
use crate::graph::NodeId;
use crate::hcl::ast::Expr;
use crate::rules::{CompiledRule, Test};
use crate::source::FileId;
use crate::value::Truth;

/// A tree of one condition does not grow beyond this.
const MAX_NODES: usize = 400;

/// Which condition of a rule.
#[derive(Copy, Clone, Debug)]
pub(super) enum Condition {
    When,
    Require,
}

/// What is remembered of one set of rules and one graph: by thread, since what one learned it need not share to be fast.
pub(super) struct Memos<'r> {
    /// Types that rules are about, sorted: each has its number.
    types: Vec<&'r str>,
    threads: Vec<Mutex<OfTypes>>,
}

/// What one thread remembers, by the number of the type of the resources.
#[derive(Debug, Default)]
pub(super) struct OfTypes(Vec<Memo>);

/// What is remembered of the resources of a type.
#[derive(Debug, Default)]
pub(super) struct Memo {
    questions: Questions,
    /// By rule and part.
    conditions: Vec<Option<Box<Tree<Remembered>>>>,
    /// By rule and whether it fails.
    messages: Vec<Option<Box<Tree<SmolStr>>>>,
    together: Together,
}

/// What the trees of a rule lead to.
enum Traced {
    To(Remembered),
    /// It does not apply.
    ToNothing,
}

impl<'r> Memos<'r> {
    /// Of the types that the rules are about nothing is remembered yet.
    pub(super) fn new(rules: &Rules<'r>) -> Self {
        let mut types: Vec<&str> =
            rules.compiled.iter().flat_map(|rule| rule.types).map(AsRef::as_ref).collect();
        types.sort_unstable();
        types.dedup();
        Self { types, threads: (0..rayon::current_num_threads()).map(|_| Mutex::default()).collect() }
    }

    /// The types that rules are about, in the order of their numbers.
    pub(super) fn types(&self) -> &[&'r str] {
        &self.types
    }

    /// The number of a type that rules are about.
    pub(super) fn number(&self, type_name: &str) -> Option<usize> {
        self.types.binary_search(&type_name).ok()
    }

    /// Asks with what this thread remembers.
    pub(super) fn with<R>(&self, ask: impl FnOnce(&mut OfTypes) -> R) -> R {
        let own = rayon::current_thread_index().and_then(|thread| self.threads.get(thread));
        // A thread that waits inside of what it asks may take up something else.
        let mut own = own.and_then(|memo| memo.try_lock().ok());
        let mut other = OfTypes::default();
        let of_types = own.as_deref_mut().unwrap_or(&mut other);
        if of_types.0.is_empty() {
            of_types.0.resize_with(self.types.len(), Memo::default);
        }
        ask(of_types)
    }

    /// Asks of one resource with what this thread remembers of its type; [`None`] if no rule is about that.
    pub(super) fn of_resource<R>(
        &self,
        facts: &Facts<'_>,
        node: NodeId,
        ask: impl FnOnce(&mut Memo, &ConditionScope<'_, '_>) -> Option<R>,
    ) -> Option<R> {
        let number = self.number(&facts.graph.resource(node)?.type_name)?;
        self.with(|of_types| {
            let memo = of_types.of(number)?;
            memo.turn();
            ask(memo, &ConditionScope::new(facts, node))
        })
    }
}

impl OfTypes {
    /// What is remembered of the type of a number.
    pub(super) fn of(&mut self, number: usize) -> Option<&mut Memo> {
        self.0.get_mut(number)
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
        let tree = at(&mut self.conditions, slot(rule, part));
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
                tree.take(path, remembered);
                decision
            }
        }
    }

    /// What the resource at hand is told by the rules of its type, if its answers tell.
    pub(super) fn outcome(&mut self, scope: &dyn Scope) -> Option<Arc<Outcome>> {
        self.together.walk(&mut self.questions, scope)
    }

    /// What a rule came to that is told by [`Memo::outcome`], with the places of the resource at hand.
    pub(super) fn told(&self, remembered: &Remembered) -> Option<Decision> {
        remembered.of(&self.questions)
    }

    /// Takes down what the rules of a type came to, of which the resource at hand was asked each.
    pub(super) fn learn(&mut self, rules: &Rules<'_>, of_type: &[usize], scope: &dyn Scope) {
        let (mut path, mut outcome) = (Path::new(), Outcome::default());
        for &index in of_type {
            let Some(rule) = rules.compiled.get(index) else { continue };
            match self.trace(index, rule, scope, &mut path) {
                Some(Traced::ToNothing) => {}
                Some(Traced::To(told)) if told.truth() == Truth::Yes => outcome.passed.push(index),
                Some(Traced::To(told)) => outcome.told.push((index, told)),
                None => outcome.open.push(index),
            }
        }
        self.together.remember(path, outcome);
    }

    /// What its answers tell of what a rule comes to; [`None`] if they do not tell.
    fn trace(
        &mut self,
        index: usize,
        rule: &CompiledRule<'_>,
        scope: &dyn Scope,
        path: &mut Path,
    ) -> Option<Traced> {
        let Self { questions, conditions, .. } = self;
        let mut trace = |part| {
            let tree = conditions.get(slot(index, part))?.as_deref()?;
            let before = path.len();
            let end = tree.trace(questions, scope, path);
            // Who is seldom answered alike would keep the others from one end.
            let end = end.filter(|_| !path.iter().any(|(question, _)| questions.is_seldom_shared(*question)));
            if end.is_none() {
                path.truncate(before);
            }
            end
        };
        let applies = match rule.when {
            Some(_) => Some(trace(Condition::When)?.decision()),
            None => None,
        };
        if applies.is_some_and(|applies| applies.truth == Truth::No) {
            return Some(Traced::ToNothing);
        }
        match rule.test {
            Test::Require(_) => Some(Traced::To(trace(Condition::Require)?.if_applies(applies))),
            Test::Analysis { .. } | Test::Removal => None,
        }
    }

    /// The message of a rule and verdict: `evaluate` tells it for a scope.
    pub(super) fn tell(
        &mut self,
        (rule, verdict): (usize, Verdict),
        scope: &dyn Scope,
        evaluate: impl Fn(&dyn Scope) -> SmolStr,
    ) -> SmolStr {
        let tree = at(&mut self.messages, rule * 2 + usize::from(verdict == Verdict::Fail));
        let Some(tree) = tree else { return evaluate(scope) };
        match tree.walk(&mut self.questions, scope) {
            Walk::End(known) => known.clone(),
            Walk::Evaluate | Walk::Unshared => evaluate(scope),
            Walk::New => {
                let (message, path) = record(&mut self.questions, &tree.demands, scope, evaluate);
                tree.take(path, Some(message.clone()));
                message
            }
        }
    }
}

/// The place of the tree of a condition.
const fn slot(rule: usize, part: Condition) -> usize {
    rule * 2 + part as usize
}

/// The tree at a place.
fn at<T>(trees: &mut Vec<Option<Box<Tree<T>>>>, slot: usize) -> Option<&mut Tree<T>> {
    if trees.len() <= slot {
        trees.resize_with(slot + 1, || None);
    }
    Some(trees.get_mut(slot)?.get_or_insert_with(|| Box::new(Tree::new(MAX_NODES))))
}
