//! The tree of one condition: questions, the answers that were given to them, and what the condition came to then.

use super::question::{Path, Questions};
use super::reads::Demands;
use crate::eval::Scope;
use crate::hcl::ast::Expr;

/// So often a condition is evaluated with its questions taken down and nothing to remember.
const MAX_LOST: usize = 20;

#[derive(Debug)]
pub(super) struct Tree<T> {
    /// What the condition reads of what it asks: all of it, until that turns out to differ everywhere.
    pub(super) demands: Demands,
    is_narrow: bool,
    /// The first is the root.
    nodes: Vec<Node<T>>,
    /// It does not grow beyond this.
    max_nodes: usize,
    lost: usize,
}

#[derive(Debug)]
enum Node<T> {
    /// Nobody came here yet.
    Open,
    /// By answer, the next node.
    Ask(usize, Vec<(usize, usize)>),
    End(T),
    /// Where it cannot be remembered what it comes to.
    Evaluate,
}

/// Where the answers of a resource lead.
pub(super) enum Walk<'t, T> {
    End(&'t T),
    /// Nothing is remembered of this way.
    New,
    /// And nothing will be.
    Evaluate,
    /// There is an answer that resources do not share, or there are too many ways.
    Unshared,
}

impl<T> Tree<T> {
    pub(super) fn new(max_nodes: usize) -> Self {
        Self { demands: Demands::default(), is_narrow: false, nodes: vec![Node::Open], max_nodes, lost: 0 }
    }

    /// From here on only that counts which the condition reads.
    pub(super) fn narrow(&mut self, condition: &Expr<'_>) {
        if self.is_narrow {
            return;
        }
        self.is_narrow = true;
        self.demands = Demands::of(condition);
        if !self.demands.is_empty() {
            (self.nodes, self.lost) = (vec![Node::Open], 0);
        }
    }

    /// Comes down the tree with the answers of the scope.
    pub(super) fn walk(&self, questions: &mut Questions, scope: &dyn Scope) -> Walk<'_, T> {
        let mut at = 0;
        loop {
            match self.nodes.get(at) {
                Some(Node::Ask(question, next)) => {
                    let Some(answer) = questions.ask(*question, scope) else { return Walk::Unshared };
                    match next.iter().find(|(known, _)| *known == answer) {
                        Some((_, next)) => at = *next,
                        None => break,
                    }
                }
                Some(Node::End(known)) => return Walk::End(known),
                Some(Node::Evaluate) => return Walk::Evaluate,
                Some(Node::Open) | None => break,
            }
        }
        if self.nodes.len() < self.max_nodes && self.lost < MAX_LOST { Walk::New } else { Walk::Unshared }
    }

    /// The end that the answers of the resource at hand lead to, and what was asked and answered on the way: added to `path`
    /// where it is not there yet.
    pub(super) fn trace(&self, questions: &mut Questions, scope: &dyn Scope, path: &mut Path) -> Option<&T> {
        let mut at = 0;
        loop {
            match self.nodes.get(at)? {
                Node::Ask(question, next) => {
                    let answer = questions.ask(*question, scope)?;
                    if !path.contains(&(*question, answer)) {
                        path.push((*question, answer));
                    }
                    at = next.iter().find(|(known, _)| *known == answer)?.1;
                }
                Node::End(known) => return Some(known),
                Node::Evaluate | Node::Open => return None,
            }
        }
    }

    /// Takes down what a condition comes to on a path; the path is [`None`] if it cannot be told by answers, `known` if it cannot
    /// be remembered.
    pub(super) fn take(&mut self, path: Option<Path>, known: Option<T>) {
        match path {
            Some(path) => {
                // The answers before were the same, so it is the same that is asked.
                let is_known = self.remember(path, known);
                debug_assert!(is_known, "a condition asks by chance");
            }
            None => self.lost += 1,
        }
    }

    /// Takes down what it comes to on a path, `known` if that can be remembered. False if the path is none of this tree: before
    /// it something else was asked after the same answers.
    pub(super) fn remember(&mut self, path: Path, known: Option<T>) -> bool {
        let mut at = 0;
        for (question, answer) in path {
            let free = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return false };
            if matches!(node, Node::Open) {
                *node = Node::Ask(question, Vec::new());
            }
            let Node::Ask(asked, next) = node else { return false };
            if *asked != question {
                return false;
            }
            at = if let Some((_, next)) = next.iter().find(|(known, _)| *known == answer) {
                *next
            } else {
                next.push((answer, free));
                self.nodes.push(Node::Open);
                free
            };
        }
        if let Some(node @ Node::Open) = self.nodes.get_mut(at) {
            *node = known.map_or(Node::Evaluate, Node::End);
        }
        true
    }
}
