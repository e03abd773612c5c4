//! Analyses of role assignments for rules.

use crate::graph::NodeId;
use crate::value::{Cause, Truth};

use super::super::super::Facts;
use super::super::Outcome;
use super::{Assignment, Level};

/// Does the assignment let a workload do one of the actions?
pub(in super::super) fn allows(facts: &Facts<'_>, node: NodeId, actions: &[String]) -> Option<Outcome> {
    ask(facts, node, actions, |_| Truth::Yes)
}

/// Does it, on a subscription or more?
pub(in super::super) fn allows_everywhere(
    facts: &Facts<'_>,
    node: NodeId,
    actions: &[String],
) -> Option<Outcome> {
    ask(facts, node, actions, |one| match &one.scope.level {
        Ok(level) => Truth::from(*level >= Level::Subscription),
        Err(_) => Truth::Maybe,
    })
}

fn ask(
    facts: &Facts<'_>,
    node: NodeId,
    actions: &[String],
    wide: impl Fn(&Assignment) -> Truth,
) -> Option<Outcome> {
    let one = facts.assignments().iter().find(|it| it.node == node)?;
    // What people and pipelines may do is another matter.
    if !one.is_workload(facts.graph) {
        return None;
    }
    let wide = wide(one);
    let holds = |holds, actual, causes| Some(Outcome { holds, actual, causes, site: None, statement: None });
    let mut open: Option<(Cause, String)> = None;
    for action in actions {
        let allowed = one.role.allows(action);
        let path = || {
            let level = one.scope.level.as_ref().map_or("?", |level| level.word());
            format!(
                "{} → `{}` → `{}` allows `{action}` on {level}, `{}`",
                one.who(facts.graph),
                one.role.name,
                allowed.by,
                one.scope.shown
            )
        };
        let doubts = one.doubts(facts.graph);
        let limit =
            one.conditions.iter().cloned().chain(allowed.condition.iter().map(ToString::to_string)).next();
        match (allowed.told.clone(), wide) {
            (Ok(false), _) | (_, Truth::No) => {}
            (Ok(true), Truth::Yes) if doubts.is_empty() && limit.is_none() => {
                return holds(Truth::No, Some(path()), Vec::new());
            }
            (told, _) => {
                let limit = limit.map(|it| Cause::Other(format!("only if {it}").into()));
                let cause = told
                    .err()
                    .or_else(|| one.scope.level.clone().err().filter(|_| wide == Truth::Maybe))
                    .or_else(|| doubts.into_iter().next())
                    .or(limit);
                open = open.or_else(|| Some((cause?, path())));
            }
        }
    }
    match open {
        Some((cause, path)) => holds(Truth::Maybe, Some(path), vec![cause.to_string()]),
        None => holds(Truth::Yes, None, Vec::new()),
    }
}
