//! What a change does to what rules say: the answers of before and after, side by side.
//!
//! | before | after | |
//! |---|---|---|
//! | passes | fails | regression |
//! | fails | fails | unchanged |
//! | undetermined, not asked, not there | fails | new |
//! | fails, undetermined | undetermined | unchanged |
//! | passes, not asked, not there | undetermined | new |
//! | fails | passes, not asked any more, gone | resolved |
//!
//! A resource is the same if it has the same address after the change. A rule about absence is asked of an account and
//! region, whichever resource stands for that. What is forgotten is not resolved: it stays as it was, and nobody looks at it.
//!
//! Before is the state as refreshed. What fails in it and passed in the state as stored is *drift*, whatever becomes of it.

use foldhash::{HashMap, HashSet};
use petgraph::Direction;
use rayon::prelude::*;

use super::ask::{ask_remembered, decide_rule};
use super::memo::Memos;
use super::results::Results;
use super::{Place, Result, Rules, Tell, ask_all};
use crate::catalog::LinkKind;
use crate::facts::Facts;
use crate::facts::domain::ConditionScope;
use crate::finding::{State, Verdict};
use crate::graph::NodeId;
use crate::program::{Action, Resource};

/// What is asked.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Keep what passes.
    pub keep_pass: bool,
    /// Leave out what the change does not touch.
    pub changed_only: bool,
}

/// The time before the change, as far as the input tells.
#[derive(Copy, Clone, Debug)]
pub enum Earlier<'f, 'g> {
    /// It does not.
    Untold,
    /// All was as it is.
    Same,
    /// This was there.
    Other(&'f Facts<'g>),
}

/// What an answer is about.
#[derive(PartialEq, Eq, Hash)]
enum About {
    /// By what it is on the other side of the change.
    Resource(NodeId),
    Place(Place),
}

/// Where nothing changes.
pub(super) fn unchanged(results: &mut Results) {
    let open = results.par_iter_mut().filter(|result| result.verdict != Verdict::Pass);
    open.for_each(|result| result.state = Some(State::Unchanged));
}

/// Gives each of `results` its state. `was` is what rules said before. Returns what of that is resolved.
pub(super) fn compare(
    facts: &Facts<'_>,
    results: &mut Results,
    before: &Facts<'_>,
    mut was: Results,
    rules: &Rules<'_>,
) -> Results {
    let side = Side::new(facts, before, &was, |resource| resource.earlier().is_some());
    results.par_iter_mut().filter(|result| result.verdict != Verdict::Pass).for_each(|result| {
        let told = side.told(result, rules);
        result.state = Some(state(told.map(|(verdict, _)| verdict), result.verdict));
        result.drift = result.verdict == Verdict::Fail && told.is_some_and(|(_, drift)| drift);
    });
    if !was.iter().any(|result| result.verdict == Verdict::Fail) {
        return Results::default();
    }
    let left: HashSet<(usize, About)> = results
        .iter()
        .filter(|result| result.verdict != Verdict::Pass)
        .filter_map(|result| Some((result.rule, side.about(result)?)))
        .collect();
    let is_resolved = |result: &Result| {
        let is_left = || left.contains(&(result.rule, About::of(result)));
        result.verdict == Verdict::Fail && !is_left() && !is_forgotten(facts, before, result)
    };
    was.retain(is_resolved);
    was
}

/// Tells in full what rules said of resources, of which only the verdicts are there.
pub(super) fn tell(facts: &Facts<'_>, rules: &Rules<'_>, results: &mut Results) {
    let memos = Memos::new(rules);
    results.par_iter_mut().filter(|result| result.place.is_none()).for_each(|result| {
        if let Some(told) = ask_remembered(facts, rules, &memos, result.rule, result.node) {
            *result = Result { drift: result.drift, ..told };
        }
    });
}

/// Marks those of `results` that fail where the state as stored passed: `stored` is what it was. Tells how often rules were
/// asked.
pub(super) fn mark_drift(
    facts: &Facts<'_>,
    results: &mut Results,
    stored: &Facts<'_>,
    rules: &Rules<'_>,
) -> usize {
    let answers = ask_all(stored, rules, Tell::Verdicts);
    let side = Side::new(facts, stored, &answers.results, |_| true);
    results.par_iter_mut().filter(|result| result.verdict == Verdict::Fail).for_each(|result| {
        result.drift = side.told(result, rules).is_some_and(|(verdict, _)| verdict == Verdict::Pass);
    });
    answers.evaluations
}

/// What rules say of another side of the change.
struct Side<'s, 'g> {
    facts: &'s Facts<'g>,
    /// By the node of this side, the same resource on the other; empty where that is.
    same: Vec<Option<NodeId>>,
    /// With whether it is drift. What passes is there only where it is about absence.
    known: HashMap<(usize, About), (Verdict, bool)>,
}

impl<'s, 'g> Side<'s, 'g> {
    /// Of `results`, which are those of `other`, seen from `facts`: `may_be` tells which resources there may be on the other.
    fn new(
        facts: &Facts<'_>,
        other: &'s Facts<'g>,
        results: &Results,
        may_be: impl Fn(&Resource) -> bool + Sync,
    ) -> Self {
        let entry = |result: &Result| ((result.rule, About::of(result)), (result.verdict, result.drift));
        // Each is looked for once, and not for each result.
        let same = |at| {
            let resource = facts.graph.resource(NodeId::new(at)).filter(|resource| may_be(resource))?;
            other.graph.by_address(&resource.address)
        };
        // Of a change that makes all from nothing there is none.
        let is_empty = other.graph.graph.node_count() == 0;
        let count = if is_empty { 0 } else { facts.graph.graph.node_count() };
        let same = (0..count).into_par_iter().with_min_len(512).map(same).collect();
        Self { facts: other, same, known: results.iter().map(entry).collect() }
    }

    /// What a result of this side is about; [`None`] where there is no such thing on the other.
    fn about(&self, result: &Result) -> Option<About> {
        match &result.place {
            Some(place) => Some(About::Place(place.clone())),
            None => self.same.get(result.node.index()).copied().flatten().map(About::Resource),
        }
    }

    /// What is said there of what a result of this side is about.
    fn told(&self, result: &Result, rules: &Rules<'_>) -> Option<(Verdict, bool)> {
        let asked = (result.rule, self.about(result)?);
        let known = self.known.get(&asked).copied();
        let (_, About::Resource(node)) = asked else { return known };
        // Of what passed only the few are asked again that do not pass on this side.
        known.or_else(|| {
            let scope = self.facts.is_subject(node).then(|| ConditionScope::new(self.facts, node))?;
            Some((decide_rule(rules, result.rule, &scope, None)?.verdict(), false))
        })
    }
}

impl About {
    /// What a result of the other side is about.
    fn of(result: &Result) -> Self {
        result.place.as_ref().map_or(Self::Resource(result.node), |place| Self::Place(place.clone()))
    }
}

const fn state(before: Option<Verdict>, after: Verdict) -> State {
    match (before, after) {
        (Some(Verdict::Pass), Verdict::Fail) => State::Regression,
        (Some(Verdict::Fail), _) | (Some(Verdict::Undetermined), Verdict::Undetermined) => State::Unchanged,
        _ => State::New,
    }
}

fn is_forgotten(facts: &Facts<'_>, before: &Facts<'_>, result: &Result) -> bool {
    let address = before.graph.resource(result.node).map(|resource| &resource.address);
    let now = address.and_then(|address| facts.graph.by_address(address));
    now.and_then(|node| facts.graph.resource(node)).is_some_and(|now| now.action == Action::Forget)
}

/// Marks what the change does not touch: nothing became of it, and neither its resource nor what configures that changes.
pub(super) fn leave_out(facts: &Facts<'_>, results: &mut Results) {
    results.par_iter_mut().for_each(|result| {
        let is_same = matches!(result.state, Some(State::Unchanged) | None) && !result.drift;
        result.left_out = is_same && !is_touched(facts, result.node);
    });
}

fn is_touched(facts: &Facts<'_>, node: NodeId) -> bool {
    let changes = |resource: &Resource| resource.action.is_change();
    let mut configuring = facts
        .graph
        .edges(node, Direction::Incoming)
        .filter(|(edge, _)| edge.kind == LinkKind::Attachment)
        .filter_map(|(_, source)| facts.graph.resource(source));
    facts.graph.resource(node).is_some_and(changes) || configuring.any(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_told_is_no_regression() {
        use Verdict::{Fail, Pass, Undetermined};
        assert_eq!(state(Some(Pass), Fail), State::Regression);
        assert_eq!(state(Some(Undetermined), Fail), State::New);
        assert_eq!(state(None, Fail), State::New);
        assert_eq!(state(Some(Pass), Undetermined), State::New);
        for before in [Fail, Undetermined] {
            assert_eq!(state(Some(before), Undetermined), State::Unchanged, "{before:?}");
        }
    }
}
