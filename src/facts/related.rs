//! Resources that hang together with the one that a rule asks about: what it names (`-> type`), what names it (`<- type`),
//! and what there is in its account and region.
//!
//! The answer is a list of objects that is as known as it can be: an element that may not be there is there *perhaps*, and
//! where there may be others that cannot be told, any number of unknown ones are. So `anytrue([for x in … : …])` is true
//! only for what is certainly there, and `alltrue` never where something was not looked at.

use std::sync::{PoisonError, RwLock};

use foldhash::HashMap;
use petgraph::Direction;
use smol_str::SmolStr;

use crate::catalog::Catalog;
use crate::graph::{NodeId, ResourceGraph};
use crate::program::{Mode, Resource};
use crate::value::{Cause, Element, Partial, Times, Type, Unknown, Value};

use super::{Facts, presence, residency};

/// Steps of one route; a longer one is a mistake.
const MAX_STEPS: usize = 4;

/// A step of a route, from one type of resource to another.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Step<'r> {
    /// `->`: what is named; `<-`: what names.
    pub direction: Direction,
    /// The type at its end.
    pub type_name: &'r str,
}

/// Reads a route: `-> aws_sagemaker_endpoint_configuration -> aws_sagemaker_model`.
///
/// # Errors
///
/// What is wrong with it, in words.
pub fn route(text: &str) -> Result<Vec<Step<'_>>, String> {
    let mut words = text.split_ascii_whitespace();
    let mut steps = Vec::with_capacity(MAX_STEPS);
    while let Some(arrow) = words.next() {
        let (direction, type_name) = match (arrow, words.next()) {
            ("->", Some(type_name)) => (Direction::Outgoing, type_name),
            ("<-", Some(type_name)) => (Direction::Incoming, type_name),
            _ => return Err(format!("`{text}` is not a route such as `-> type <- type`")),
        };
        steps.push(Step { direction, type_name });
    }
    match steps.len() {
        1..=MAX_STEPS => Ok(steps),
        _ => Err(format!("a route has one to {MAX_STEPS} steps")),
    }
}

/// What was found, and whether that is all.
#[derive(Default)]
struct Found {
    /// Each with why it may not be there.
    nodes: Vec<(NodeId, Option<Cause>)>,
    /// Why there may be others.
    open: Option<Cause>,
}

impl Found {
    fn add(&mut self, node: NodeId, doubt: Option<Cause>) {
        self.nodes.push((node, doubt));
    }

    /// Each node once, in the order of the input. One way that is certain is enough.
    fn settle(&mut self) {
        self.nodes.sort_by_key(|(node, _)| *node);
        self.nodes.dedup_by(|(node, doubt), (kept, other)| {
            if node == kept && doubt.is_none() {
                *other = None;
            }
            node == kept
        });
    }

    /// Why those may not be there of which that is so.
    fn doubts(&self) -> impl Iterator<Item = &Cause> {
        self.nodes.iter().filter_map(|(_, doubt)| doubt.as_ref())
    }

    /// The objects as a list.
    fn into_value(self, graph: &ResourceGraph) -> Value {
        let cause = self.open.clone().or_else(|| self.doubts().next().cloned());
        let nodes = self.nodes.into_iter();
        let mut objects =
            nodes.filter_map(|(node, doubt)| Some((graph.resource(node)?.after.clone()?, doubt)));
        let Some(cause) = cause else {
            // Most are one.
            let first = objects.next().map(|(object, _)| object);
            let rest: Vec<Value> = objects.map(|(object, _)| object).collect();
            return Value::tuple(first.into_iter().chain(rest));
        };
        let elements = objects.map(|(value, doubt)| {
            let times = if doubt.is_some() { Times::Perhaps } else { Times::Once };
            Element { value, times }
        });
        let others = self.open.map(|cause| Element { value: Value::unknown(cause), times: Times::Any });
        let partial = Partial::elements(elements.chain(others).collect());
        Value::from_unknown(Unknown { ty: Type::Any, not_null: true, partial, ..Unknown::new(cause) })
    }
}

/// Of each pair of types, the first resource of the one whose link to the other cannot be told.
#[derive(Debug, Default)]
pub(super) struct Unplaced(RwLock<HashMap<(SmolStr, SmolStr), Option<Cause>>>);

/// The resources at the end of a route from `node`.
pub(super) fn related(facts: &Facts<'_>, node: NodeId, route: &[Step<'_>]) -> Value {
    let mut here = Found { nodes: vec![(node, None)], open: None };
    for step in route {
        let mut next = Found { open: here.open.take(), ..Found::default() };
        for (node, doubt) in here.nodes {
            let Some(resource) = facts.graph.resource(node) else { continue };
            match step.direction {
                Direction::Outgoing => {
                    named(facts, node, resource, doubt.as_ref(), step.type_name, &mut next);
                }
                Direction::Incoming => {
                    naming(facts, node, resource, doubt.as_ref(), step.type_name, &mut next);
                }
            }
        }
        next.settle();
        here = next;
    }
    here.into_value(facts.graph)
}

/// Adds what the resource names.
fn named(
    facts: &Facts<'_>,
    node: NodeId,
    resource: &Resource,
    doubt: Option<&Cause>,
    type_name: &str,
    found: &mut Found,
) {
    for (_, target) in facts.graph.edges(node, Direction::Outgoing) {
        let Some(other) = facts.graph.resource(target) else { continue };
        if is_declared(other, type_name) {
            let why = doubt.cloned().or_else(|| presence::doubt(facts.graph, other, resource));
            found.add(target, why);
        }
    }
    // A name that led to some resource says what it had to say.
    let is_told =
        |path: &str| facts.graph.edges(node, Direction::Outgoing).any(|(edge, _)| edge.path == path);
    for link in facts.of_type(node).map_or(&[][..], |of_type| of_type.links) {
        if link.target_type != type_name || found.open.is_some() || is_told(link.attribute) {
            continue;
        }
        let Some(after) = &resource.after else { continue };
        after.each_at(link.attribute, &mut |value| {
            if !value.is_absent() && value.as_str() != Some("") {
                let cause =
                    format!("`{}` of `{}` names what is not in the input", link.attribute, resource.address);
                found.open.get_or_insert(match value.as_unknown() {
                    Some(unknown) => unknown.cause.clone(),
                    None => Cause::Other(cause.into()),
                });
            }
        });
    }
}

/// Adds what names the resource.
fn naming(
    facts: &Facts<'_>,
    node: NodeId,
    resource: &Resource,
    doubt: Option<&Cause>,
    type_name: &str,
    found: &mut Found,
) {
    for (_, source) in facts.graph.edges(node, Direction::Incoming) {
        let Some(other) = facts.graph.resource(source).filter(|other| is_declared(other, type_name)) else {
            continue;
        };
        let why = doubt.cloned().or_else(|| presence::doubt(facts.graph, other, resource));
        found.add(source, why);
    }
    if found.open.is_none() {
        let call = facts.unfollowed_users(node).next();
        let call = call.map(|call| Cause::Module(call.into()));
        found.open = call.or_else(|| facts.unplaced_links.get(facts.graph, type_name, &resource.type_name));
    }
}

fn is_declared(resource: &Resource, type_name: &str) -> bool {
    resource.mode == Mode::Managed && resource.type_name == type_name && !resource.is_deleted()
}

impl Unplaced {
    /// Why a resource of `type_name` may name one of `target` that the graph does not know it to name.
    fn get(&self, graph: &ResourceGraph, type_name: &str, target: &str) -> Option<Cause> {
        let key = (SmolStr::from(type_name), SmolStr::from(target));
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        let cause = graph.by_type(type_name).iter().find_map(|&node| unplaced(graph, node, target));
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key, cause.clone());
        cause
    }
}

/// Why the resource may name a `target`, if its link to one is not known.
fn unplaced(graph: &ResourceGraph, node: NodeId, target: &str) -> Option<Cause> {
    let resource = graph.resource(node).filter(|resource| is_declared(resource, &resource.type_name))?;
    let after = resource.after.as_ref()?;
    for link in Catalog::get().links(&resource.type_name).iter().filter(|link| link.target_type == target) {
        let is_placed =
            || graph.edges(node, Direction::Outgoing).any(|(edge, _)| edge.path == link.attribute);
        let mut is_unknown = false;
        after.each_at(link.attribute, &mut |value| is_unknown |= value.is_unknown());
        if is_unknown && !is_placed() {
            let cause = format!("`{}` may name it: its `{}` is not known", resource.address, link.attribute);
            return Some(Cause::Other(cause.into()));
        }
    }
    None
}

/// An account and region, and the resource that stands for it.
#[derive(Copy, Clone)]
pub(super) struct At<'a> {
    pub(super) here: &'a Resource,
    pub(super) account: Option<usize>,
    pub(super) region: &'a Value,
}

/// The resources of a type that are declared for the provider configuration, or the region.
pub(super) fn beside(facts: &Facts<'_>, at: At<'_>, type_name: &str) -> Value {
    here(facts, at, type_name).into_value(facts.graph)
}

/// Whether there is one for certain.
pub(super) fn declared(facts: &Facts<'_>, at: At<'_>, type_name: &str) -> Value {
    let found = here(facts, at, type_name);
    if found.nodes.iter().any(|(_, doubt)| doubt.is_none()) {
        return Value::bool(true);
    }
    let doubt = found.doubts().next().cloned();
    let cause = found.open.or(doubt);
    cause.map_or_else(|| Value::bool(false), Value::unknown)
}

fn here(facts: &Facts<'_>, at: At<'_>, type_name: &str) -> Found {
    let graph = facts.graph;
    let mut found = Found::default();
    let At { here, account, region } = at;
    let reach = Catalog::get().reach(type_name);
    for &node in graph.by_type(type_name) {
        let Some(other) = graph.resource(node).filter(|other| is_declared(other, type_name)) else {
            continue;
        };
        let elsewhere = residency::region(facts, node);
        let is_provider = account == graph.account(other);
        let spans = reach.is_some_and(|reach| reach.spans_regions(other.after.as_ref()));
        let why = match (region.as_str(), elsewhere.as_str()) {
            (Some(a), Some(b)) if a == b => None,
            (Some(_), Some(_)) if !spans => continue,
            (Some(_), Some(_)) if !is_provider => Some("for the same account"),
            _ if is_provider => None,
            _ => Some("in the same region"),
        };
        let doubt = why.map(|why| Cause::Other(format!("`{}` may be {why}", other.address).into()));
        found.add(node, doubt.or_else(|| presence::doubt(graph, other, here)));
    }
    found.settle();
    found.open = graph.unfollowed.first().map(|call| Cause::Module(call.address.clone()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_read() {
        let steps = route("-> a <-  b").unwrap();
        assert_eq!(
            steps,
            [
                Step { direction: Direction::Outgoing, type_name: "a" },
                Step { direction: Direction::Incoming, type_name: "b" },
            ]
        );
        for wrong in ["", "a", "->", "-> a b", "=> a", "-> a -> b -> c -> d -> e"] {
            assert!(route(wrong).is_err(), "{wrong}");
        }
    }
}
