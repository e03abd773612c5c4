//! What conditions came to is remembered by what they asked and were answered, so that of many resources that are alike in all
//! that a condition looks at only the first has it evaluated.
//!
//! A condition sees of a resource nothing but the answers of its scope ([`Scope::lookup`], [`Scope::call`]), and the answers so
//! far decide what it asks next. So each condition has a tree: a question, below it each answer that was given, and below that
//! the next question or what the condition came to. Who comes down a path of the tree with its own answers need not evaluate.
//! Answers are the same only if nothing could tell them apart ([`Value::is_identical`]); a question is asked once of a resource,
//! whichever of its conditions ask it. Places do not count there, so what would hand on the place of an answer is evaluated.
//!
//! Nothing is decided here. What cannot be remembered is evaluated, and a debug build compares with doing that always.

use std::cell::{Cell, RefCell};

use smol_str::SmolStr;

use super::Decision;
use crate::eval::{Directory, Scope};
use crate::value::{Truth, Value};

/// A question with more different answers than this is not one that resources share.
const MAX_ANSWERS: usize = 12;
/// All conditions ask no more questions; a question of a function is one for each of its arguments.
const MAX_QUESTIONS: usize = 2_000;
/// A tree does not grow beyond this.
const MAX_NODES: usize = 400;
/// So often a condition is evaluated with its questions taken down and nothing to remember.
const MAX_LOST: usize = 20;
/// So often a question has yet another answer before it counts how often it has not.
const MAX_MISSES: usize = 50;

/// Which condition of a rule.
#[derive(Copy, Clone, Debug)]
pub(super) enum Condition {
    When,
    Require,
}

/// What is remembered of the conditions of one set of rules and one graph.
#[derive(Debug, Default)]
pub(super) struct Memo {
    questions: Vec<Question>,
    /// By rule and part.
    trees: Vec<Tree>,
    /// Which resource is asked about.
    turn: u64,
}

#[derive(Debug)]
struct Question {
    asked: Asked,
    answers: Vec<Answer>,
    /// Which answer the resource at hand gives.
    told: (u64, Option<usize>),
    hits: usize,
    misses: usize,
}

#[derive(Debug, PartialEq)]
enum Asked {
    Lookup(SmolStr, Vec<SmolStr>),
    Call(SmolStr, Args),
}

#[derive(Debug)]
struct Args(Vec<Value>);

/// A value, and how many names it stands for.
#[derive(Debug)]
struct Answer(Value, usize);

#[derive(Debug, Default)]
struct Tree {
    /// The first is the root.
    nodes: Vec<Node>,
    lost: usize,
}

#[derive(Debug, Default)]
enum Node {
    /// Nobody came here yet.
    #[default]
    Open,
    /// By answer, the next node.
    Ask(usize, Vec<(usize, usize)>),
    End(Decision),
    /// Where the place of an answer is told.
    Evaluate,
}

enum Walk {
    End(Decision),
    /// Nothing is remembered of this way.
    New,
    /// And nothing will be.
    Evaluate,
}

impl PartialEq for Args {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a.is_identical(b))
    }
}

impl Memo {
    /// From here on another resource is asked about.
    pub(super) fn turn(&mut self) {
        self.turn += 1;
    }

    /// What a condition comes to: `evaluate` tells it for a scope.
    pub(super) fn decide(
        &mut self,
        (rule, part): (usize, Condition),
        scope: &dyn Scope,
        evaluate: impl Fn(&dyn Scope) -> Decision,
    ) -> Decision {
        let slot = rule * 2 + part as usize;
        match self.walk(slot, scope) {
            Walk::End(decision) => decision,
            Walk::Evaluate => evaluate(scope),
            Walk::New => {
                let questions = RefCell::new(Questions { all: &mut self.questions, turn: self.turn });
                let recorder =
                    Recorder { scope, questions, path: RefCell::default(), lost: Cell::new(false) };
                let decision = evaluate(&recorder);
                let Recorder { path, lost, .. } = recorder;
                let kept = match part {
                    // Nobody asks where that was written.
                    Condition::When => Some(Decision { site: None, ..decision.clone() }),
                    Condition::Require => {
                        (decision.truth != Truth::No || decision.site.is_none()).then(|| decision.clone())
                    }
                };
                self.remember(slot, (!lost.get()).then(|| path.into_inner()), kept);
                decision
            }
        }
    }

    fn walk(&mut self, slot: usize, scope: &dyn Scope) -> Walk {
        let Some(tree) = self.trees.get(slot) else { return Walk::New };
        let mut at = 0;
        loop {
            match tree.nodes.get(at) {
                Some(Node::Ask(question, next)) => {
                    let answer =
                        self.questions.get_mut(*question).and_then(|question| question.ask(scope, self.turn));
                    let Some(answer) = answer else { return Walk::Evaluate };
                    match next.iter().find(|(known, _)| *known == answer) {
                        Some((_, next)) => at = *next,
                        None => break,
                    }
                }
                Some(Node::End(decision)) => return Walk::End(decision.clone()),
                Some(Node::Evaluate) => return Walk::Evaluate,
                Some(Node::Open) | None => break,
            }
        }
        if tree.nodes.len() < MAX_NODES && tree.lost < MAX_LOST { Walk::New } else { Walk::Evaluate }
    }

    /// Takes down what a condition of a tree comes to on a path; the path is [`None`] if it cannot be told by answers, the
    /// decision if the place of one belongs to it.
    fn remember(&mut self, slot: usize, path: Option<Vec<(usize, usize)>>, decision: Option<Decision>) {
        if self.trees.len() <= slot {
            self.trees.resize_with(slot + 1, Tree::default);
        }
        let Some(tree) = self.trees.get_mut(slot) else { return };
        let Some(path) = path else {
            tree.lost += 1;
            return;
        };
        if tree.nodes.is_empty() {
            tree.nodes.push(Node::Open);
        }
        let mut at = 0;
        for (question, answer) in path {
            let free = tree.nodes.len();
            let Some(node) = tree.nodes.get_mut(at) else { return };
            if matches!(node, Node::Open) {
                *node = Node::Ask(question, Vec::new());
            }
            let Node::Ask(asked, next) = node else { return };
            // The answers before were the same, so it is the same that is asked.
            debug_assert_eq!(*asked, question, "a condition asks by chance");
            if *asked != question {
                return;
            }
            at = if let Some((_, next)) = next.iter().find(|(known, _)| *known == answer) {
                *next
            } else {
                next.push((answer, free));
                tree.nodes.push(Node::Open);
                free
            };
        }
        if let Some(node @ Node::Open) = tree.nodes.get_mut(at) {
            *node = decision.map_or(Node::Evaluate, |decision| match decision.truth {
                // Nobody asks for the place of what holds.
                Truth::Yes => Node::End(Decision { site: None, way: None, ..decision }),
                Truth::No | Truth::Maybe => Node::End(decision),
            });
        }
    }
}

impl Question {
    /// Which answer the scope gives; [`None`] if that is none that is shared.
    fn ask(&mut self, scope: &dyn Scope, turn: u64) -> Option<usize> {
        if self.told.0 == turn {
            return self.told.1;
        }
        let is_shared = self.misses < MAX_MISSES || self.misses < self.hits;
        let answer =
            if is_shared { self.asked.answer(scope).and_then(|answer| self.place(answer)) } else { None };
        self.told = (turn, answer);
        answer
    }

    /// Which of the answers it is.
    fn place(&mut self, answer: Answer) -> Option<usize> {
        let is_it = |known: &Answer| known.1 == answer.1 && known.0.is_identical(&answer.0);
        let known = self.answers.iter().position(is_it);
        if known.is_some() {
            self.hits += 1;
            return known;
        }
        self.misses += 1;
        (self.answers.len() < MAX_ANSWERS).then(|| {
            self.answers.push(answer);
            self.answers.len() - 1
        })
    }
}

impl Asked {
    /// What the scope says; [`None`] if that is an error.
    fn answer(&self, scope: &dyn Scope) -> Option<Answer> {
        match self {
            Self::Lookup(root, attrs) => {
                let attrs: Vec<&str> = attrs.iter().map(SmolStr::as_str).collect();
                scope.lookup(root, &attrs).ok().map(|(value, used)| Answer(value, used))
            }
            Self::Call(name, Args(args)) => scope.call(name, args)?.ok().map(|value| Answer(value, 0)),
        }
    }
}

/// The questions, where a condition that is evaluated asks them.
struct Questions<'m> {
    all: &'m mut Vec<Question>,
    turn: u64,
}

impl Questions<'_> {
    /// The question and which of its answers this is; [`None`] if it is none that resources share.
    fn take(&mut self, asked: Asked, answer: Answer) -> Option<(usize, usize)> {
        let at = match self.all.iter().position(|question| question.asked == asked) {
            Some(known) => known,
            None if self.all.len() == MAX_QUESTIONS => return None,
            None => {
                self.all.push(Question { asked, answers: Vec::new(), told: (0, None), hits: 0, misses: 0 });
                self.all.len() - 1
            }
        };
        let question = self.all.get_mut(at)?;
        if question.told.0 != self.turn {
            question.told = (self.turn, question.place(answer));
        }
        Some((at, question.told.1?))
    }
}

/// The names of a condition, which takes down what is asked of them.
struct Recorder<'r> {
    scope: &'r dyn Scope,
    questions: RefCell<Questions<'r>>,
    /// Each question once, with which of its answers it had.
    path: RefCell<Vec<(usize, usize)>>,
    /// Something cannot be remembered.
    lost: Cell<bool>,
}

impl Recorder<'_> {
    fn take(&self, asked: impl FnOnce() -> Asked, answer: Option<Answer>) {
        if self.lost.get() {
            return;
        }
        match answer.and_then(|answer| self.questions.borrow_mut().take(asked(), answer)) {
            Some(step) => {
                let mut path = self.path.borrow_mut();
                if !path.contains(&step) {
                    path.push(step);
                }
            }
            None => self.lost.set(true),
        }
    }
}

impl Scope for Recorder<'_> {
    fn lookup(&self, root: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
        let found = self.scope.lookup(root, attrs);
        let answer = found.as_ref().ok().map(|(value, used)| Answer(value.clone(), *used));
        let asked = || Asked::Lookup(root.into(), attrs.iter().map(SmolStr::new).collect());
        self.take(asked, answer);
        found
    }

    fn directory(&self) -> Option<Directory<'_>> {
        self.scope.directory()
    }

    fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        // What is no function of the scope is none of any.
        let found = self.scope.call(name, args)?;
        let answer = found.as_ref().ok().map(|value| Answer(value.clone(), 0));
        self.take(|| Asked::Call(name.into(), Args(args.to_vec())), answer);
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::check::decide;
    use crate::hcl;
    use crate::source::{FileId, Sources, Span};
    use crate::value::Cause;

    /// A resource with these attributes; `twice` is a function.
    struct Toy(BTreeMap<&'static str, Value>);

    impl Scope for Toy {
        fn lookup(&self, _root: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
            let name = attrs.first().ok_or("no name")?;
            self.0.get(name).cloned().map(|value| (value, 1)).ok_or_else(|| format!("no {name}"))
        }

        fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
            let twice = || Value::string(args.first().and_then(Value::as_str).unwrap_or_default().repeat(2));
            (name == "twice").then(|| Ok(twice()))
        }
    }

    fn toy<const N: usize>(attributes: [(&'static str, Value); N]) -> Toy {
        Toy(attributes.into_iter().collect())
    }

    fn file() -> FileId {
        Sources::default().add("rules", "")
    }

    /// How often the condition is evaluated, and what it comes to: of each resource in turn.
    fn ask(condition: &str, toys: &[Toy]) -> (usize, Vec<Truth>) {
        let (arena, evaluated) = (bumpalo::Bump::new(), Cell::new(0));
        let (expr, diagnostics) = hcl::parse_expression(condition, file(), &arena);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let mut memo = Memo::default();
        let truths = toys.iter().map(|toy| {
            memo.turn();
            let evaluate = |scope: &dyn Scope| {
                evaluated.set(evaluated.get() + 1);
                decide(&expr, file(), scope)
            };
            let told = memo.decide((0, Condition::Require), toy, evaluate);
            let naive = decide(&expr, file(), toy);
            assert_eq!((told.truth, &told.causes), (naive.truth, &naive.causes), "{condition}");
            told.truth
        });
        let truths = truths.collect();
        (evaluated.get(), truths)
    }

    #[test]
    fn what_is_alike_is_evaluated_once() {
        let of = |a: &str, b: i64| toy([("a", Value::string(a)), ("b", Value::int(b))]);
        let toys = [of("x", 1), of("x", 1), of("x", 2), of("y", 3), of("y", 4), of("x", 2)];
        // Of what is no `x` nobody asks for `b`.
        let (evaluated, truths) = ask("self.a == \"x\" && self.b == 1", &toys);
        assert_eq!(evaluated, 3);
        assert_eq!(truths, [Truth::Yes, Truth::Yes, Truth::No, Truth::No, Truth::No, Truth::No]);
        assert_eq!(ask("twice(self.a) == \"xx\"", &toys).0, 2);
        assert_eq!(ask("1 == 1", &toys).0, 1);
    }

    #[test]
    fn an_unknown_is_told_by_all_that_is_known_of_it() {
        let unknown = |cause: &str| toy([("a", Value::unknown(Cause::Other(cause.into())))]);
        let toys = [unknown("one"), unknown("other"), unknown("one"), toy([("a", Value::NULL)])];
        let (evaluated, truths) = ask("self.a != null", &toys);
        assert_eq!((evaluated, truths), (3, vec![Truth::Maybe, Truth::Maybe, Truth::Maybe, Truth::No]));
    }

    #[test]
    fn an_error_is_not_remembered() {
        let toys = [toy([]), toy([("a", Value::bool(true))]), toy([]), toy([("a", Value::bool(true))])];
        let (evaluated, truths) = ask("self.a", &toys);
        assert_eq!((evaluated, truths), (3, vec![Truth::Maybe, Truth::Yes, Truth::Maybe, Truth::Yes]));
    }

    #[test]
    fn the_place_of_an_answer_is_that_of_the_resource() {
        let mut sources = Sources::default();
        sources.add("rules", "");
        let input = sources.add("plan.json", "");
        let at = |start| Span::new(start, start + 1).at(input);
        let (arena, mut memo) = (bumpalo::Bump::new(), Memo::default());
        let (expr, _) = hcl::parse_expression("self.a", file(), &arena);
        for start in [1, 5, 9] {
            memo.turn();
            let scope = toy([("a", Value::bool(false).or_origin(at(start)))]);
            let told = memo.decide((0, Condition::Require), &scope, |scope| decide(&expr, file(), scope));
            assert_eq!(told.site, Some(at(start)));
        }
    }

    #[test]
    fn what_differs_everywhere_is_asked_in_vain_only_so_often() {
        let toys: Vec<Toy> = (0..500).map(|at| toy([("a", Value::int(at))])).collect();
        let (evaluated, truths) = ask("self.a >= 0", &toys);
        assert_eq!(evaluated, 500, "each is another");
        assert!(truths.iter().all(|truth| *truth == Truth::Yes));
        let mut question = Question {
            asked: Asked::Lookup("self".into(), vec!["a".into()]),
            answers: vec![],
            told: (0, None),
            hits: 0,
            misses: 0,
        };
        let asked = toys.iter().zip(1..).filter(|(toy, turn)| {
            let before = question.misses;
            question.ask(*toy, *turn);
            question.misses > before
        });
        assert_eq!(asked.count(), MAX_MISSES);
    }
}
