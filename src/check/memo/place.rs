//! Places of decisions: which part of which answer a decision has its place from, so that for another resource with the same
//! answers it is the place of that part.
//!
//! All parts that have the place are remembered, for any may be the one that was handed on. Where those of another resource
//! do not agree it cannot be told, and the condition is evaluated.

use super::Condition;
use super::question::{Path, Questions};
use crate::check::ask::Decision;
use crate::source::{FileId, Site};
use crate::value::{Map, Truth, Value};

/// A place is looked for in so many parts of answers, and not remembered where more than a few have it.
const MAX_PARTS: usize = 1_000;
const MAX_SOURCES: usize = 8;

/// What a condition came to.
#[derive(Debug)]
pub(in crate::check) struct Remembered {
    decision: Decision,
    /// The parts of answers that have its place, if it has one: all there are.
    sources: Vec<Source>,
}

/// A part of an answer: which entry of which entry of it.
#[derive(Clone, Debug)]
struct Source {
    question: usize,
    steps: Vec<usize>,
}

impl Remembered {
    /// A decision that answers on a path led to; [`None`] if it cannot be told where it has its place from.
    pub(super) fn new(
        decision: &Decision,
        part: Condition,
        path: &Path,
        questions: &Questions,
        file: FileId,
    ) -> Option<Self> {
        let mut decision = decision.clone();
        // Nobody asks where that was written, nor for the place of what holds.
        if matches!(part, Condition::When) || decision.truth == Truth::Yes {
            decision.site = None;
            decision.way = decision.way.filter(|_| decision.truth != Truth::Yes);
        }
        let Some(site) = decision.site else { return Some(Self { decision, sources: Vec::new() }) };
        let mut search = Search { site, steps: Vec::new(), left: MAX_PARTS, sources: Vec::new() };
        for &(at, _) in path {
            // What comes of an argument has the place of the resource that was asked first.
            if let Some(value) = questions.told(at, file) {
                search.all(at, value);
            }
        }
        let is_told = search.left > 0 && (1..=MAX_SOURCES).contains(&search.sources.len());
        is_told.then_some(Self { decision, sources: search.sources })
    }

    /// With the places of the resource that was asked first.
    pub(super) const fn decision(&self) -> &Decision {
        &self.decision
    }

    pub(super) const fn truth(&self) -> Truth {
        self.decision.truth
    }

    /// This of a rule of which it was decided whether it applies.
    pub(super) fn if_applies(&self, applies: Option<&Decision>) -> Self {
        let decision = match applies {
            Some(applies) => self.decision.clone().if_applies(applies.clone()),
            None => self.decision.clone(),
        };
        Self { decision, sources: self.sources.clone() }
    }

    /// The same for the resource at hand; [`None`] if it cannot be told which of several places it has.
    pub(super) fn of(&self, questions: &Questions) -> Option<Decision> {
        let mut sites = self.sources.iter().map(|source| source.site(questions));
        let site = sites.next().flatten();
        let agree = self.sources.is_empty() || site.is_some() && sites.all(|other| other == site);
        agree.then(|| Decision { site, ..self.decision.clone() })
    }
}

impl Source {
    fn site(&self, questions: &Questions) -> Option<Site> {
        let mut value = questions.value(self.question)?;
        for &step in &self.steps {
            value = parts(value).nth(step)?;
        }
        value.origin
    }
}

/// Looks for the parts of answers that have a place.
struct Search {
    site: Site,
    /// The way to the part at hand.
    steps: Vec<usize>,
    left: usize,
    sources: Vec<Source>,
}

impl Search {
    fn all(&mut self, question: usize, value: &Value) {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return;
        }
        if value.origin == Some(self.site) {
            self.sources.push(Source { question, steps: self.steps.clone() });
        }
        for (step, part) in parts(value).enumerate() {
            self.steps.push(step);
            self.all(question, part);
            self.steps.pop();
        }
    }
}

/// The entries of a collection.
pub(super) fn parts(value: &Value) -> impl Iterator<Item = &Value> {
    let items = value.items().unwrap_or_default().iter();
    items.chain(value.map().into_iter().flat_map(Map::values))
}
