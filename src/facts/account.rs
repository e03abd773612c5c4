//! What is declared for an account and region: the controls that rules about absence ask for.

use crate::catalog::Catalog;
use crate::graph::NodeId;
use crate::program::Resource;
use crate::value::{Cause, Element, Partial, Times, Truth, Type, Unknown, Value};

use super::{Facts, presence, residency};

/// Whether a resource of the type is declared for the provider configuration and region of `node`.
pub(super) fn declared(facts: &Facts<'_>, node: NodeId, type_name: &str) -> Value {
    let (mut unsure, mut here) = (None, false);
    visit(facts, node, type_name, |_, doubt| match doubt {
        None => here = true,
        Some(doubt) => unsure = Some(doubt),
    });
    match unsure.or_else(|| unfollowed(facts)) {
        _ if here => Value::bool(true),
        None => Value::bool(false),
        Some(cause) => Value::unknown(cause),
    }
}

/// The resources of the type that are declared for the provider configuration and region of `node`: a list of which only some
/// elements are known where some may be elsewhere, or more in a module that is not followed.
pub(super) fn here(facts: &Facts<'_>, node: NodeId, type_name: &str) -> Value {
    let (mut elements, mut unsure) = (Vec::new(), None);
    visit(facts, node, type_name, |resource, doubt| {
        let value = resource.after.clone().unwrap_or(Value::NULL);
        let times = if doubt.is_some() { Times::Perhaps } else { Times::Once };
        unsure = unsure.take().or(doubt);
        elements.push(Element { value, times });
    });
    if let Some(cause) = unfollowed(facts) {
        elements.push(Element { value: Value::unknown(cause.clone()), times: Times::Any });
        unsure = Some(cause);
    }
    let Some(cause) = unsure else { return Value::tuple(elements.into_iter().map(|element| element.value)) };
    let unknown = Unknown { ty: Type::list(Type::Any), not_null: true, ..Unknown::new(cause) };
    Value::from_unknown(unknown).with_partial(Partial::elements(elements))
}

/// A module that is not followed may declare anything.
fn unfollowed(facts: &Facts<'_>) -> Option<Cause> {
    facts.graph.unfollowed.first().map(|call| Cause::Module(call.address.clone()))
}

/// Shows `see` the resources of the type that are, or may be, in the account and region of `node`; then with why that is not
/// sure.
fn visit<'g>(
    facts: &Facts<'g>,
    node: NodeId,
    type_name: &str,
    mut see: impl FnMut(&'g Resource, Option<Cause>),
) {
    let graph = facts.graph;
    let Some(here) = graph.resource(node) else { return };
    let region = residency::region(facts, node);
    for &other_node in graph.by_type(type_name) {
        let Some(other) = graph.resource(other_node).filter(|resource| !resource.is_deleted()) else {
            continue;
        };
        let elsewhere = residency::region(facts, other_node);
        let is_provider = here.provider == other.provider;
        let is_region = match (region.as_str(), elsewhere.as_str()) {
            (Some(a), Some(b)) => Truth::from(a == b),
            _ if is_provider => Truth::Yes,
            _ => Truth::Maybe,
        };
        let spans =
            || Catalog::get().reach(type_name).is_some_and(|reach| reach.spans_regions(other.after.as_ref()));
        match is_region {
            Truth::Yes => see(other, presence::doubt(graph, other, here)),
            Truth::No if !spans() => {}
            _ if spans() && is_provider => see(other, presence::doubt(graph, other, here)),
            Truth::No => see(other, Some(doubt(other, "for the same account"))),
            Truth::Maybe => see(other, Some(doubt(other, "in the same region"))),
        }
    }
}

fn doubt(other: &Resource, of: &str) -> Cause {
    Cause::Other(format!("`{}` may be {of}", other.address).into())
}
