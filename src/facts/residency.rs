//! Where a resource is, and where its data may be.

use crate::graph::NodeId;
use crate::program::InputKind;
use crate::value::{Cause, Value};

use super::choice::of_each;
use super::{Facts, is_left_to_the_provider, tags};

/// The region that the resource is created in: its own `region` argument, or that of its provider configuration.
pub fn region(facts: &Facts<'_>, node: NodeId) -> Value {
    let Some(resource) = facts.graph.resource(node) else { return Value::NULL };
    let own = resource.after.as_ref().and_then(|after| after.get("region"));
    if let Some(own) = own.filter(|region| !region.is_null() && !is_left_to_the_provider(region)) {
        return own.clone();
    }
    let provider = resource.provider.and_then(|at| facts.graph.providers.get(at));
    match provider {
        Some(provider) if !provider.region.is_null() => provider.region.clone(),
        _ if facts.graph.kind == InputKind::TerraformState => region_of_arn(resource.after.as_ref()),
        _ => Value::unknown(Cause::Other("the provider has no `region`: the environment decides".into())),
    }
}

/// The jurisdictions that the data of the resource may be in; null if nothing is promised.
pub fn allowed(facts: &Facts<'_>, node: NodeId) -> Value {
    of_each(&tags::tag(facts, node, "data-residency"), |tag| allowed_by(facts, tag))
}

fn allowed_by(facts: &Facts<'_>, tag: &Value) -> Value {
    if tag.is_unknown() {
        return tag.clone();
    }
    if let Some(text) = tag.as_str() {
        // Several jurisdictions stand in one tag with any separator that tag values allow.
        let list = text.split([',', ' ', '+', '/', ':']).filter(|item| !item.is_empty());
        let mut list = Value { origin: tag.origin, ..tags::strings(list) }.mark(tag.sensitive);
        list.spread_sensitive();
        return list;
    }
    let configured = &facts.config.residency.allowed;
    if configured.is_empty() { Value::NULL } else { tags::strings(configured.iter().map(String::as_str)) }
}

/// A state has no provider configuration; ARNs in it tell the region.
fn region_of_arn(after: Option<&Value>) -> Value {
    let arn = after.and_then(|after| after.get("arn"));
    let is_sensitive = arn.is_some_and(|arn| arn.sensitive);
    match arn
        .and_then(Value::as_str)
        .and_then(|arn| arn.split(':').nth(3))
        .filter(|region| !region.is_empty())
    {
        Some(region) => Value::string(region).mark(is_sensitive),
        None => Value::unknown(Cause::Other("the state does not tell the region".into())),
    }
}
