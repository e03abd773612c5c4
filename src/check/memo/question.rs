//! What conditions ask of a resource, and the answers that resources share.
//!
//! What answers alike for all resources of a type that give the same arguments is no question ([`Scope::is_alike`]): the
//! arguments come of answers that were given before.

use std::cell::{Cell, RefCell};

use smol_str::SmolStr;

use super::place::parts;
use super::reads::{Demands, Reads};
use crate::eval::{Directory, Scope};
use crate::source::FileId;
use crate::value::Value;

/// A question with more different answers than this is not one that resources share.
const MAX_ANSWERS: usize = 12;
/// All conditions of a type ask no more questions; a question of a function is one for each of its arguments.
const MAX_QUESTIONS: usize = 500;
/// So often a question has yet another answer before it counts how often it has not.
pub(super) const MAX_MISSES: usize = 50;

/// Each question once, with which of its answers it had.
pub(super) type Path = Vec<(usize, usize)>;

/// All that is asked of the resources of a type.
#[derive(Debug, Default)]
pub(super) struct Questions {
    all: Vec<Question>,
    /// Which resource is asked about.
    pub(super) turn: u64,
}

#[derive(Debug)]
pub(super) struct Question {
    asked: Asked,
    /// What is read of its answers.
    reads: Reads,
    answers: Vec<Answer>,
    told: Told,
    hits: usize,
    pub(super) misses: usize,
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
pub(super) enum Asked {
    Lookup(SmolStr, Vec<SmolStr>),
    Call(SmolStr, Args),
}

#[derive(Debug)]
pub(super) struct Args(Vec<Value>);

/// A value, and how many names it stands for.
#[derive(Clone, Debug)]
struct Answer(Value, usize);

impl PartialEq for Args {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a.is_identical(b))
    }
}

impl Questions {
    /// Which answer the scope gives to a question; [`None`] if that is none that is shared.
    pub(super) fn ask(&mut self, question: usize, scope: &dyn Scope) -> Option<usize> {
        self.all.get_mut(question)?.ask(scope, self.turn)
    }

    /// What the resource at hand says, if the question has nothing in it that a resource said: the rules are in `file`.
    pub(super) fn told(&self, question: usize, file: FileId) -> Option<&Value> {
        self.all.get(question).filter(|question| question.asked.is_of_rule(file)).map(Question::value)
    }

    /// What the resource at hand says.
    pub(super) fn value(&self, question: usize) -> Option<&Value> {
        self.all.get(question).map(Question::value)
    }

    /// Whether resources that give the answers of others are few.
    pub(super) fn is_seldom_shared(&self, question: usize) -> bool {
        self.all.get(question).is_some_and(|it| it.misses > MAX_ANSWERS && it.misses * 4 > it.hits)
    }

    /// The question and which of its answers this is; [`None`] if it is none that resources share.
    fn take(&mut self, asked: Asked, reads: &Reads, answer: Answer) -> Option<(usize, usize)> {
        let is_it = |question: &Question| question.asked == asked && question.reads == *reads;
        let at = match self.all.iter().position(is_it) {
            Some(known) => known,
            None if self.all.len() == MAX_QUESTIONS => return None,
            None => {
                self.all.push(Question::new(asked, reads.clone()));
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

impl Question {
    pub(super) fn new(asked: Asked, reads: Reads) -> Self {
        let told = Told { turn: 0, value: Value::NULL, which: None };
        Self { asked, reads, answers: Vec::new(), told, hits: 0, misses: 0 }
    }

    fn value(&self) -> &Value {
        &self.told.value
    }

    /// Which answer the scope gives; [`None`] if that is none that is shared.
    pub(super) fn ask(&mut self, scope: &dyn Scope, turn: u64) -> Option<usize> {
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
        let is_it = |known: &Answer| known.1 == answer.1 && self.reads.alike(&known.0, &answer.0);
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

    /// What it is about: the name of an attribute or fact, or the text that a function is called with.
    pub(super) fn topic(&self) -> (&str, &str) {
        match self {
            Self::Lookup(root, attrs) => (root, attrs.first().map_or("", SmolStr::as_str)),
            Self::Call(name, Args(args)) => (name, args.first().and_then(Value::as_str).unwrap_or_default()),
        }
    }
}

/// Evaluates and takes down what is asked on the way; no path if that cannot be told by answers that resources share.
pub(super) fn record<T>(
    questions: &mut Questions,
    demands: &Demands,
    scope: &dyn Scope,
    evaluate: impl Fn(&dyn Scope) -> T,
) -> (T, Option<Path>) {
    let questions = RefCell::new(questions);
    let recorder = Recorder { scope, demands, questions, path: RefCell::default(), lost: Cell::new(false) };
    let result = evaluate(&recorder);
    let Recorder { path, lost, .. } = recorder;
    (result, (!lost.get()).then(|| path.into_inner()))
}

/// The names of a condition, which takes down what is asked of them.
struct Recorder<'r> {
    scope: &'r dyn Scope,
    demands: &'r Demands,
    questions: RefCell<&'r mut Questions>,
    path: RefCell<Path>,
    /// Something cannot be remembered.
    lost: Cell<bool>,
}

impl Recorder<'_> {
    fn take(&self, asked: Asked, answer: Option<Answer>) {
        if self.lost.get() {
            return;
        }
        let reads = self.demands.reads(&asked);
        match answer.and_then(|answer| self.questions.borrow_mut().take(asked, reads, answer)) {
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
        if !self.scope.is_alike(root, attrs) {
            let answer = found.as_ref().ok().map(|(value, used)| Answer(value.clone(), *used));
            self.take(Asked::Lookup(root.into(), attrs.iter().map(SmolStr::new).collect()), answer);
        }
        found
    }

    fn directory(&self) -> Option<Directory<'_>> {
        self.scope.directory()
    }

    fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        // What is no function of the scope is none of any.
        let found = self.scope.call(name, args)?;
        if !self.scope.is_alike(name, &[]) {
            let answer = found.as_ref().ok().map(|value| Answer(value.clone(), 0));
            self.take(Asked::Call(name.into(), Args(args.to_vec())), answer);
        }
        Some(found)
    }
}
