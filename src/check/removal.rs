//! What a change deletes is judged for what it protected: rules of scope `removal`.
//!
//! `rules/catalog/protections.csv` says what a resource of a type protects. If that stays, AI reaches it, and nothing of the
//! kind protects it after the change, the rule fails. Who replaces a resource, moves it or deletes it with all that it
//! protected loses nothing; who makes the code forget it keeps it, and cannot tell for how long.

use std::collections::BTreeSet;

use petgraph::Direction;
use rayon::prelude::*;
use smol_str::format_smolstr;

use super::ask::ask_rule;
use super::words::words;
use super::{Result, Rules};
use crate::catalog::{Catalog, LinkKind, Protection};
use crate::facts::Facts;
use crate::finding::{State, Verdict};
use crate::graph::{NodeId, ResourceGraph};
use crate::program::{Action, Resource};
use crate::rules::Scope;
use crate::value::{Truth, Value, equal};

/// More places than this are not told for one finding.
const MAX_RELATED: usize = 10;
/// A delivery names its source, which names what is logged: no protection goes further round than this.
const MAX_STEPS: usize = 3;

/// What the rules say of what the change deletes.
pub(super) fn ask(facts: &Facts<'_>, before: &Facts<'_>, rules: &Rules<'_>) -> Vec<Box<Result>> {
    let of_removal = rules.compiled.iter().enumerate().filter(|(_, rule)| rule.scope == Scope::Removal);
    let of_types = of_removal.flat_map(|(index, rule)| rule.types.iter().map(move |name| (index, name)));
    let nodes =
        of_types.flat_map(|(index, name)| before.graph.by_type(name).iter().map(move |&node| (index, node)));
    let asked: Vec<(usize, NodeId)> = nodes.collect();
    asked
        .into_par_iter()
        .filter_map(|(index, node)| judge(facts, before, rules, index, node).map(Box::new))
        .collect()
}

/// What rule number `index` says of one resource, which was there; [`None`] if that stays or protected nothing that AI reaches.
fn judge(
    facts: &Facts<'_>,
    before: &Facts<'_>,
    rules: &Rules<'_>,
    index: usize,
    node: NodeId,
) -> Option<Result> {
    let gone = before.graph.resource(node)?;
    let now = facts.graph.by_address(&gone.address).and_then(|now| facts.graph.resource(now))?;
    if !now.is_deleted() {
        return None;
    }
    let protection = Catalog::get().protection(&gone.type_name)?;
    let mut protected = protected(before.graph, node, protection);
    // What goes with it is judged itself.
    protected.retain(|found| !found.through.is_some_and(|part| is_deleted(facts, before, part)));
    let is_ours = |found: &&Protected| before.is_subject(found.node);
    if protected.iter().filter(is_ours).count() == 0 {
        return None;
    }
    let staying: Vec<NodeId> = protected.iter().filter_map(|found| stays(facts, before, found)).collect();
    // Asked of what it was: `when` may be about its attributes.
    let mut result = ask_rule(before, rules, index, node)?;
    let mut words = words(before, rules, &result);
    let replaced = |&&stay: &&NodeId| has_another(facts.graph, stay, gone, protection);
    let left: Vec<NodeId> = staying.iter().filter(|stay| !replaced(stay)).copied().collect();
    if left.is_empty() {
        result.verdict = Verdict::Pass;
    } else if now.action == Action::Forget && result.verdict == Verdict::Fail {
        result.verdict = Verdict::Undetermined;
        result.message = format_smolstr!("cannot tell whether {}", result.message);
        let cause = "it stays as it is, but this configuration does not manage it any more".to_owned();
        result.causes = Some([cause].into());
    }
    result.state = match result.verdict {
        Verdict::Fail => Some(State::Regression),
        Verdict::Undetermined => Some(State::New),
        Verdict::Pass => None,
    };
    let left = left.iter().filter_map(|&node| facts.graph.resource(node));
    let mut labels = BTreeSet::new();
    words.related.extend(left.take(MAX_RELATED).filter_map(|resource| {
        labels.insert(&resource.address).then_some(())?;
        Some((resource.site?, format!("`{}` stays without it", resource.address)))
    }));
    result.words = Some(Box::new(words));
    Some(result)
}

/// A resource that another one protected.
struct Protected {
    node: NodeId,
    /// The attribute by which it names what protects it, if that is what it takes.
    by: Option<String>,
    /// The part of the protection that is between.
    through: Option<NodeId>,
}

fn is_deleted(facts: &Facts<'_>, before: &Facts<'_>, node: NodeId) -> bool {
    let was = before.graph.resource(node);
    let now = was.and_then(|was| facts.graph.resource(facts.graph.by_address(&was.address)?));
    now.is_none_or(Resource::is_deleted)
}

/// What the resource of `node` protects.
fn protected(graph: &ResourceGraph, node: NodeId, protection: Protection) -> Vec<Protected> {
    let direction = if protection.names { Direction::Outgoing } else { Direction::Incoming };
    let mut found = Vec::new();
    let mut open = vec![(node, protection, None)];
    // What is a part of what names it has no need of it.
    let is_part = |kind| matches!(kind, LinkKind::Attachment | LinkKind::Containment);
    for _ in 0..MAX_STEPS {
        let mut next = Vec::new();
        for (node, protection, through) in std::mem::take(&mut open) {
            for (edge, other) in graph.edges(node, direction) {
                let tells = if protection.names { protection.is_by(&edge.path) } else { !is_part(edge.kind) };
                if !tells {
                    continue;
                }
                let type_name = graph.resource(other).map_or("", |resource| resource.type_name.as_str());
                match Catalog::get().protection(type_name).filter(|_| protection.names) {
                    // It is a part of the same protection: what that names is meant.
                    Some(further) if further.names => next.push((other, further, Some(other))),
                    _ => found.push(Protected {
                        node: other,
                        by: (!protection.names).then(|| edge.path.to_string()),
                        through,
                    }),
                }
            }
        }
        open = next;
    }
    found
}

/// The resource after the change, if it is there, AI reaches it, and it goes on naming what protected it.
fn stays(facts: &Facts<'_>, before: &Facts<'_>, found: &Protected) -> Option<NodeId> {
    let was = before.graph.resource(found.node)?;
    let node = facts.graph.by_address(&was.address).filter(|&node| facts.is_subject(node))?;
    let Some(path) = &found.by else { return Some(node) };
    let at = |resource: &Resource| resource.after.as_ref().and_then(|object| at(object, path));
    let (old, new) = (at(was)?, at(facts.graph.resource(node)?)?);
    (equal(&old, &new) == Truth::Yes).then_some(node)
}

/// What stands at a path without indexes; of several blocks all.
fn at(value: &Value, path: &str) -> Option<Value> {
    value.at_path(path).cloned().or_else(|| value.get(path.split('.').next()?).cloned())
}

/// All that may protect the resource of `node`: what it names, and what names it, or what does that (see [`protected`]).
fn near(graph: &ResourceGraph, node: NodeId) -> BTreeSet<NodeId> {
    let ends = |node, direction| graph.edges(node, direction).map(|(_, other)| other);
    let mut near: BTreeSet<NodeId> = ends(node, Direction::Outgoing).collect();
    let mut open = BTreeSet::from([node]);
    for _ in 0..MAX_STEPS {
        open = open.into_iter().flat_map(|node| ends(node, Direction::Incoming)).collect();
        near.extend(&open);
    }
    near
}

/// Whether another resource of the same kind protects the one of `node`.
fn has_another(graph: &ResourceGraph, node: NodeId, gone: &Resource, protection: Protection) -> bool {
    let same = |other: &Resource| {
        protection.same.is_none_or(|attribute| {
            let of =
                |object: &Option<Value>| object.as_ref().and_then(|object| object.get(attribute).cloned());
            match (of(&gone.after), of(&other.after)) {
                (Some(a), Some(b)) => equal(&a, &b) != Truth::No,
                _ => false,
            }
        })
    };
    // What goes on naming what is gone is not protected by the name.
    protection.names
        && near(graph, node).into_iter().any(|other| {
            let Some(resource) = graph.resource(other).filter(|resource| !resource.is_deleted()) else {
                return false;
            };
            let kind = Catalog::get().protection(&resource.type_name);
            kind.is_some_and(|kind| {
                kind.kind == protection.kind
                    && same(resource)
                    && protected(graph, other, kind).iter().any(|found| found.node == node)
            })
        })
}
