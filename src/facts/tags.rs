//! Effective tags: what the resource says, with the provider's `default_tags` below it.

use smol_str::SmolStr;

use crate::config::Tags;
use crate::graph::NodeId;
use crate::value::{Type, Unknown, Value};

use super::{Facts, is_left_to_the_provider};

/// The value of the tag `name` or one of its synonyms; null if the resource has none, unknown if that cannot be told.
pub fn tag(facts: &Facts<'_>, node: NodeId, name: &str) -> Value {
    let tags = effective(facts, node);
    let mut unknown = None;
    for layer in &tags {
        if layer.is_unknown() {
            unknown.get_or_insert(layer);
            continue;
        }
        let Some(map) = layer.map() else { continue };
        let found = map.iter().find(|(key, _)| means(&facts.config.tags, key, name));
        if let Some((_, value)) = found {
            return value.clone();
        }
    }
    // The map is not known, and so neither is whether the tag is in it.
    unknown.map_or(Value::NULL, |layer| match layer.as_unknown() {
        Some(map) => Value::from_unknown(Unknown { ty: Type::String, not_null: false, ..map.clone() }),
        None => layer.clone(),
    })
}

/// Whether a tag called `key` is the one that rules call `name`: spelled alike but for case and `_`, or a synonym.
fn means(tags: &Tags, key: &str, name: &str) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    key.bytes().map(plain).eq(name.bytes().map(plain))
        || tags.synonyms.get(name).is_some_and(|others| others.iter().any(|other| other == key))
}

/// The layers of tags, the strongest first: `tags_all` where the input has it, else the resource's own and the provider's.
fn effective(facts: &Facts<'_>, node: NodeId) -> Vec<Value> {
    let Some(resource) = facts.graph.resource(node) else { return Vec::new() };
    let Some(after) = &resource.after else { return Vec::new() };
    let mut layers: Vec<Value> = after.get("tags").cloned().into_iter().collect();
    let provider = resource.provider.and_then(|at| facts.graph.providers.get(at));
    match (after.get("tags_all"), provider) {
        // Where the provider computes it and does not say, default tags are ours to merge.
        (Some(all), Some(provider)) if all.is_null() || is_left_to_the_provider(all) => {
            layers.push(provider.default_tags.clone());
        }
        (Some(all), _) => layers.push(all.clone()),
        (None, provider) => layers.extend(provider.map(|provider| provider.default_tags.clone())),
    }
    layers
}

/// A list of strings as a value.
pub(super) fn strings<'s>(items: impl Iterator<Item = &'s str>) -> Value {
    Value::tuple(items.map(|item| Value::string(SmolStr::from(item))))
}
