//! What conditions came to is remembered by what they asked and were answered, so that of many resources that are alike in all
//! that a condition looks at only the first has it evaluated.
//!
//! A condition sees of a resource nothing but the answers of its scope ([`Scope::lookup`], [`Scope::call`]), and the answers so
//! far decide what it asks next. So each condition has a tree: a question, below it each answer that was given, and below that
//! the next question or what the condition came to. Who comes down a path of the tree with its own answers need not evaluate.
//! Answers are the same only if nothing could tell them apart ([`Value::is_identical`]); a question is asked once of a resource,
//! whichever of its conditions ask it. Places do not count there: of a condition that hands on the place of an answer it is
//! remembered which part of which answer has it. Messages are remembered in the same way.
//!
//! Nothing is decided here. What cannot be remembered is evaluated, and a debug build compares with doing that always.

mod place;

use std::cell::{Cell, RefCell};
use std::sync::Mutex;

use smol_str::SmolStr;

use place::{Remembered, parts};

use super::Decision;
use crate::eval::{Directory, Scope};
use crate::source::FileId;
use crate::value::Value;

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

/// What is remembered of one set of rules and one graph: one memo for each thread, since what one learned it need not share
/// to be fast.
pub(super) struct Memos(Vec<Mutex<Memo>>);

/// What one thread remembers.
#[derive(Debug, Default)]
pub(super) struct Memo {
    questions: Vec<Question>,
    /// By rule and part.
    conditions: Vec<Tree<Remembered>>,
    /// By rule.
    messages: Vec<Tree<SmolStr>>,
    /// Which resource is asked about.
    turn: u64,
}

#[derive(Debug)]
struct Question {
    asked: Asked,
    answers: Vec<Answer>,
    told: Told,
    hits: usize,
    misses: usize,
}

/// What the resource at hand says.
#[derive(Debug)]
struct Told {
    turn: u64,
    /// With its own places.
    value: Value,
    /// Which of the answers it is, if it is one that is shared.
    which: Option<usize>,
}

#[derive(Debug, PartialEq)]
enum Asked {
    Lookup(SmolStr, Vec<SmolStr>),
    Call(SmolStr, Args),
}

#[derive(Debug)]
struct Args(Vec<Value>);

/// A value, and how many names it stands for.
#[derive(Clone, Debug)]
struct Answer(Value, usize);

#[derive(Debug)]
struct Tree<T> {
    /// The first is the root.
    nodes: Vec<Node<T>>,
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

enum Walk<'t, T> {
    End(&'t T),
    /// Nothing is remembered of this way.
    New,
    /// And nothing will be.
    Evaluate,
}

/// Each question once, with which of its answers it had.
type Path = Vec<(usize, usize)>;

impl PartialEq for Args {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a.is_identical(b))
    }
}

impl Memos {
    pub(super) fn new() -> Self {
        Self((0..rayon::current_num_threads()).map(|_| Mutex::default()).collect())
    }

    /// Asks with the memo of this thread.
    pub(super) fn with<R>(&self, ask: impl FnOnce(&mut Memo) -> R) -> R {
        let own = rayon::current_thread_index().and_then(|thread| self.0.get(thread));
        // A thread that waits inside of what it asks may take up something else.
        let mut own = own.and_then(|memo| memo.try_lock().ok());
        ask(own.as_deref_mut().unwrap_or(&mut Memo::default()))
    }
}

impl Memo {
    /// From here on another resource is asked about.
    pub(super) fn turn(&mut self) {
        self.turn += 1;
    }

    /// What a condition of a rule comes to: `evaluate` tells it for a scope. The rules are in `file`.
    pub(super) fn decide(
        &mut self,
        (rule, part): (usize, Condition),
        file: FileId,
        scope: &dyn Scope,
        evaluate: impl Fn(&dyn Scope) -> Decision,
    ) -> Decision {
        let slot = rule * 2 + part as usize;
        let Some(tree) = at(&mut self.conditions, slot) else { return evaluate(scope) };
        match tree.walk(&mut self.questions, self.turn, scope) {
            Walk::End(known) => known.of(&self.questions).unwrap_or_else(|| evaluate(scope)),
            Walk::Evaluate => evaluate(scope),
            Walk::New => {
                let (decision, path) = record(&mut self.questions, self.turn, scope, evaluate);
                let remember = |path: &Path| Remembered::new(&decision, part, path, &self.questions, file);
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
        let Some(tree) = at(&mut self.messages, rule) else { return evaluate(scope) };
        match tree.walk(&mut self.questions, self.turn, scope) {
            Walk::End(known) => known.clone(),
            Walk::Evaluate => evaluate(scope),
            Walk::New => {
                let (message, path) = record(&mut self.questions, self.turn, scope, evaluate);
                tree.remember(path, Some(message.clone()));
                message
            }
        }
    }
}

/// The tree at a place.
fn at<T>(trees: &mut Vec<Tree<T>>, slot: usize) -> Option<&mut Tree<T>> {
    if trees.len() <= slot {
        trees.resize_with(slot + 1, || Tree { nodes: vec![Node::Open], lost: 0 });
    }
    trees.get_mut(slot)
}

/// Evaluates and takes down what is asked on the way; no path if that cannot be told by answers that resources share.
fn record<T>(
    questions: &mut Vec<Question>,
    turn: u64,
    scope: &dyn Scope,
    evaluate: impl Fn(&dyn Scope) -> T,
) -> (T, Option<Path>) {
    let questions = RefCell::new(Questions { all: questions, turn });
    let recorder = Recorder { scope, questions, path: RefCell::default(), lost: Cell::new(false) };
    let result = evaluate(&recorder);
    let Recorder { path, lost, .. } = recorder;
    (result, (!lost.get()).then(|| path.into_inner()))
}

impl<T> Tree<T> {
    /// Comes down the tree with the answers of the scope.
    fn walk(&self, questions: &mut [Question], turn: u64, scope: &dyn Scope) -> Walk<'_, T> {
        let mut at = 0;
        loop {
            match self.nodes.get(at) {
                Some(Node::Ask(question, next)) => {
                    let answer = questions.get_mut(*question).and_then(|question| question.ask(scope, turn));
                    let Some(answer) = answer else { return Walk::Evaluate };
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
        if self.nodes.len() < MAX_NODES && self.lost < MAX_LOST { Walk::New } else { Walk::Evaluate }
    }

    /// Takes down what it comes to on a path; the path is [`None`] if it cannot be told by answers, `known` if it cannot be
    /// remembered.
    fn remember(&mut self, path: Option<Path>, known: Option<T>) {
        let Some(path) = path else {
            self.lost += 1;
            return;
        };
        let mut at = 0;
        for (question, answer) in path {
            let free = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return };
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
                self.nodes.push(Node::Open);
                free
            };
        }
        if let Some(node @ Node::Open) = self.nodes.get_mut(at) {
            *node = known.map_or(Node::Evaluate, Node::End);
        }
    }
}

impl Question {
    /// Which answer the scope gives; [`None`] if that is none that is shared.
    fn ask(&mut self, scope: &dyn Scope, turn: u64) -> Option<usize> {
        if self.told.turn != turn {
            let is_shared = self.misses < MAX_MISSES || self.misses < self.hits;
            match if is_shared { self.asked.answer(scope) } else { None } {
                Some(answer) => self.take(answer, turn),
                None => self.told = Told { turn, value: Value::NULL, which: None },
            }
        }
        self.told.which
    }

    /// Takes down what the resource at hand says.
    fn take(&mut self, answer: Answer, turn: u64) {
        let is_it = |known: &Answer| known.1 == answer.1 && known.0.is_identical(&answer.0);
        let mut which = self.answers.iter().position(is_it);
        if which.is_some() {
            self.hits += 1;
        } else {
            self.misses += 1;
            if self.answers.len() < MAX_ANSWERS {
                which = Some(self.answers.len());
                self.answers.push(answer.clone());
            }
        }
        self.told = Told { turn, value: answer.0, which };
    }
}

impl Asked {
    /// What the scope says; [`None`] if that is an error.
    fn answer(&self, scope: &dyn Scope) -> Option<Answer> {
        match self {
            Self::Lookup(root, attrs) => {
                let found = match attrs.as_slice() {
                    // Nearly all name one attribute or fact.
                    [attr] => scope.lookup(root, &[attr]),
                    attrs => scope.lookup(root, &attrs.iter().map(SmolStr::as_str).collect::<Vec<_>>()),
                };
                found.ok().map(|(value, used)| Answer(value, used))
            }
            Self::Call(name, Args(args)) => scope.call(name, args)?.ok().map(|value| Answer(value, 0)),
        }
    }

    /// Whether the question has nothing in it that a resource said: the rules are in `file`.
    fn is_of_rule(&self, file: FileId) -> bool {
        let is_of_rule =
            |arg: &Value| parts(arg).next().is_none() && arg.origin.is_some_and(|site| site.file == file);
        match self {
            Self::Lookup(..) => true,
            Self::Call(_, Args(args)) => args.iter().all(is_of_rule),
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
                let told = Told { turn: 0, value: Value::NULL, which: None };
                self.all.push(Question { asked, answers: Vec::new(), told, hits: 0, misses: 0 });
                self.all.len() - 1
            }
        };
        let question = self.all.get_mut(at)?;
        if question.told.turn != self.turn {
            question.take(answer, self.turn);
        }
        Some((at, question.told.which?))
    }
}

/// The names of a condition, which takes down what is asked of them.
struct Recorder<'r> {
    scope: &'r dyn Scope,
    questions: RefCell<Questions<'r>>,
    path: RefCell<Path>,
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
    use crate::source::{Site, Sources, Span};
    use crate::value::{Cause, Truth};

    /// A resource with these attributes; `twice` and `same` are functions, and nothing is the `same` as anything.
    struct Toy(BTreeMap<&'static str, Value>);

    impl Scope for Toy {
        fn lookup(&self, _root: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
            let name = attrs.first().ok_or("no name")?;
            self.0.get(name).cloned().map(|value| (value, 1)).ok_or_else(|| format!("no {name}"))
        }

        fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
            let twice = || Value::string(args.first().and_then(Value::as_str).unwrap_or_default().repeat(2));
            match name {
                "twice" => Some(Ok(twice())),
                "same" => Some(Ok(Value { origin: args.first()?.origin, ..Value::bool(false) })),
                _ => None,
            }
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
            let told = memo.decide((0, Condition::Require), file(), toy, evaluate);
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

    /// Places in an input that is not the file of the rules.
    fn place() -> impl Fn(u32) -> Site {
        let mut sources = Sources::default();
        sources.add("rules", "");
        let input = sources.add("plan.json", "");
        move |start| Span::new(start, start + 1).at(input)
    }

    /// How often the condition is evaluated, and that of each resource in turn its place is told.
    fn places(condition: &str, toys: &[(Toy, Site)]) -> usize {
        let (arena, evaluated, mut memo) = (bumpalo::Bump::new(), Cell::new(0), Memo::default());
        let (expr, _) = hcl::parse_expression(condition, file(), &arena);
        for (toy, site) in toys {
            memo.turn();
            let evaluate = |scope: &dyn Scope| {
                evaluated.set(evaluated.get() + 1);
                decide(&expr, file(), scope)
            };
            let told = memo.decide((0, Condition::Require), file(), toy, evaluate);
            assert_eq!((told.truth, told.site), (Truth::No, Some(*site)), "{condition}");
        }
        evaluated.get()
    }

    #[test]
    fn the_place_of_an_answer_is_that_of_the_resource() {
        let at = place();
        let no = |start| Value::bool(false).or_origin(at(start));
        let plain = [1, 5, 9].map(|start| (toy([("a", no(start))]), at(start)));
        assert_eq!(places("self.a", &plain), 1);
        let inside = [1, 5, 9].map(|start| (toy([("a", Value::tuple([no(20), no(start)]))]), at(start)));
        assert_eq!(places("self.a[1]", &inside), 1);
    }

    #[test]
    fn a_place_that_several_answers_have_is_told_while_they_agree() {
        let at = place();
        let of = |a, b| {
            let no = |start| Value::bool(false).or_origin(at(start));
            (toy([("a", no(a)), ("b", no(b))]), at(b))
        };
        assert_eq!(places("[self.a, self.b][1]", &[of(1, 1), of(5, 5)]), 1);
        assert_eq!(places("[self.a, self.b][1]", &[of(1, 1), of(5, 7), of(9, 9)]), 2);
    }

    #[test]
    fn the_place_of_an_argument_is_not_that_of_the_resource_that_was_asked_first() {
        let at = place();
        let toys = [1, 5, 9].map(|start| (toy([("a", Value::string("x").or_origin(at(start)))]), at(start)));
        assert_eq!(places("same(self.a)", &toys), 1);
    }

    #[test]
    fn a_message_is_told_once_of_what_is_alike() {
        let toys = ["x", "x", "y", "x"].map(|a| toy([("a", Value::string(a))]));
        let (evaluated, mut memo) = (Cell::new(0), Memo::default());
        let texts = toys.iter().map(|toy| {
            memo.turn();
            memo.tell(0, toy, |scope| {
                evaluated.set(evaluated.get() + 1);
                let found = scope.lookup("self", &["a"]);
                found.ok().and_then(|(value, _)| Some(SmolStr::from(value.as_str()?))).unwrap_or_default()
            })
        });
        assert_eq!(texts.collect::<Vec<_>>(), ["x", "x", "y", "x"]);
        assert_eq!(evaluated.get(), 2);
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
            told: Told { turn: 0, value: Value::NULL, which: None },
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
