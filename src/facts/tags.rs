//! Effective tags: what the resource says, with the provider's `default_tags` below it.

use std::collections::BTreeSet;

use petgraph::Direction;
use smol_str::SmolStr;

use crate::catalog::{Catalog, LinkKind};
use crate::config::{Allowed, Pattern, Tags};
use crate::graph::NodeId;
use crate::program::Resource;
use crate::value::{Partial, Type, Unknown, Value};

use super::choice::of_each;
use super::{Facts, is_left_to_the_provider, is_unset};

/// The value of the tag `name` or one of its synonyms; null if the resource has none, unknown if that cannot be told.
pub fn tag(facts: &Facts<'_>, node: NodeId, name: &str) -> Value {
    tag_in(&facts.config.tags, &effective(facts, node), name)
}

pub(super) fn tag_in(config: &Tags, layers: &[&Value], name: &str) -> Value {
    let is_choice = |layer: &&Value| {
        matches!(layer.as_unknown(), Some(Unknown { partial: Some(Partial::Choice(_)), .. }))
    };
    if let Some(at) = layers.iter().position(is_choice) {
        let choice = layers.get(at).copied().unwrap_or(&Value::NULL);
        return of_each(choice, |one| {
            let mut layers = layers.to_vec();
            if let Some(layer) = layers.get_mut(at) {
                *layer = one;
            }
            tag_in(config, &layers, name)
        });
    }
    let named = Named { name, synonyms: config.synonyms.get(name) };
    let mut unknown = None;
    for &layer in layers {
        if layer.is_unknown() {
            unknown.get_or_insert(layer);
            continue;
        }
        let found = match layer.map() {
            Some(map) => map.iter().find(|(key, _)| named.is(key)).map(|(_, value)| value),
            // The Cloud Control provider has objects of a key and a value.
            None => layer.items().into_iter().flatten().find_map(|pair| {
                pair.get("value")
                    .filter(|_| pair.get("key").and_then(Value::as_str).is_some_and(|key| named.is(key)))
            }),
        };
        if let Some(value) = found {
            return layer.handing_on(value.clone());
        }
    }
    // The map is not known, and so neither is whether the tag is in it.
    unknown.map_or(Value::NULL, |layer| match layer.as_unknown() {
        Some(map) => {
            let tag = Unknown { ty: Type::String, not_null: false, partial: None, ..map.clone() };
            Value { via: layer.via.clone(), ..Value::from_unknown(tag) }
        }
        None => layer.clone(),
    })
}

/// Whether a tag called `key` is the one that rules call `name`: spelled alike but for case and `_`, or a synonym.
pub(super) fn means(tags: &Tags, key: &str, name: &str) -> bool {
    Named { name, synonyms: tags.synonyms.get(name) }.is(key)
}

/// A tag as rules call it.
struct Named<'t> {
    name: &'t str,
    synonyms: Option<&'t Vec<String>>,
}

impl Named<'_> {
    /// Whether a tag called `key` is it.
    fn is(&self, key: &str) -> bool {
        let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
        key.len() == self.name.len() && key.bytes().map(plain).eq(self.name.bytes().map(plain))
            || self.synonyms.is_some_and(|others| others.iter().any(|other| other == key))
    }
}

/// The tags that resources of this role must have beside all others.
pub(super) fn of_role(facts: &Facts<'_>, node: NodeId) -> Value {
    let tags = &facts.config.tags;
    let of_role = facts.graph.resource(node).and_then(|resource| tags.of_type(&resource.type_name));
    let names = of_role.into_iter().flat_map(|role| &role.required);
    strings(names.filter(|name| !tags.required.contains(name)).map(String::as_str))
}

/// What is wrong with each tag whose values the configuration limits: null if nothing is, or the resource does not have it.
pub(super) fn faults(facts: &Facts<'_>, node: NodeId) -> Value {
    let type_name = facts.graph.resource(node).map_or("", |resource| resource.type_name.as_str());
    let limits = facts.config.tags.limits(type_name);
    if limits.is_empty() {
        return Value::tuple([]);
    }
    let layers = effective(facts, node);
    let fault = |(name, allowed, pattern): (&str, Option<&Allowed>, Option<&Pattern>)| {
        of_each(&tag_in(&facts.config.tags, &layers, name), |value| {
            let Some(text) = value.as_str() else { return value.clone() };
            let shown = if value.sensitive { "(sensitive)" } else { text };
            let fault = match (allowed, pattern) {
                (Some(Allowed(values)), _) if !values.iter().any(|one| one == text) => {
                    format!("{name} = {shown} is not one of {}", values.join(", "))
                }
                (_, Some(Pattern(regex))) if !regex.is_match(text) => {
                    format!("{name} = {shown} does not match {regex}")
                }
                _ => return Value::NULL,
            };
            Value { origin: value.origin, via: value.via.clone(), ..Value::string(fault) }
        })
    };
    Value::tuple(limits.into_iter().map(fault))
}

/// The environments that the resource and what directly uses it are tagged with, in lower case, each once.
pub(super) fn environments(facts: &Facts<'_>, node: NodeId) -> Value {
    let uses = [LinkKind::Data, LinkKind::Identity, LinkKind::Key];
    let users = facts.graph.edges(node, Direction::Incoming).filter(|(edge, user)| {
        let resource = facts.graph.resource(*user);
        uses.contains(&edge.kind) && resource.is_some_and(Resource::is_ours)
    });
    let lower = |tag: &Value| match tag.as_str() {
        Some(text) if !tag.sensitive => Value::string(text.to_ascii_lowercase()),
        _ => tag.clone(),
    };
    let tags = std::iter::once(node).chain(users.map(|(_, user)| user));
    let tags = tags.map(|user| of_each(&tag(facts, user, "environment"), lower)).filter(|tag| !tag.is_null());
    let (known, unknown): (Vec<Value>, Vec<Value>) = tags.partition(|tag| tag.as_str().is_some());
    let names: BTreeSet<&str> = known.iter().filter_map(Value::as_str).collect();
    Value::tuple(names.into_iter().map(Value::string).chain(unknown))
}

/// The layers of tags, the strongest first: `tags_all` where the input has it, else the resource's own and the provider's.
pub(super) fn effective<'g>(facts: &Facts<'g>, node: NodeId) -> Vec<&'g Value> {
    let graph = facts.graph;
    let Some(resource) = graph.resource(node) else { return Vec::new() };
    let Some(after) = &resource.after else { return Vec::new() };
    let own = after.get("tags").filter(|tags| !is_unset(resource, "tags", tags));
    let mut layers: Vec<&Value> = Vec::with_capacity(2);
    layers.extend(own);
    let provider = resource.provider.and_then(|at| graph.providers.get(at));
    match (after.get("tags_all"), provider) {
        // Where the provider computes it and does not say, default tags are ours to merge.
        (Some(all), Some(provider)) if all.is_null() || is_left_to_the_provider(all) => {
            layers.push(&provider.default_tags);
        }
        (Some(all), _) => layers.push(all),
        // What has no tags gets none.
        (None, _) if Catalog::get().schema(&resource.type_name).is_some_and(|schema| !schema.has("tags")) => {
        }
        (None, provider) => layers.extend(provider.map(|provider| &provider.default_tags)),
    }
    layers
}

/// A list of strings as a value.
pub(super) fn strings<'s>(items: impl Iterator<Item = &'s str>) -> Value {
    Value::tuple(items.map(|item| Value::string(SmolStr::from(item))))
}
