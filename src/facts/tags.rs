//! Effective tags: what the resource says, with the provider's `default_tags` below it.

use std::borrow::Cow;

use petgraph::Direction;
use smol_str::{SmolStr, StrExt};

use crate::catalog::LinkKind;
use crate::config::{Allowed, Pattern, Tags};
use crate::graph::NodeId;
use crate::program::Resource;
use crate::value::{Kind, Type, Unknown, Value};

use super::choice::of_each;
use super::{Facts, is_left_to_the_provider, is_unset};

/// The tag that says where a resource runs.
pub(super) const ENVIRONMENT: &str = "environment";

/// The value of the tag `name` or one of its synonyms; null if the resource has none, unknown if that cannot be told.
pub fn tag<'g>(facts: &Facts<'g>, node: NodeId, name: &str) -> Cow<'g, Value> {
    effective(facts, node).tag(&facts.config.tags, name)
}

/// Maps of tags, the strongest first: `tags_all` where the input has it, else the resource's own and the provider's.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Layers<'l>([Option<&'l Value>; 2]);

impl<'l> Layers<'l> {
    /// The value of the tag `name`: see [`tag`].
    pub(super) fn tag(self, config: &Tags, name: &str) -> Cow<'l, Value> {
        let is_choice = |layer: Option<&Value>| {
            let unknown = layer.and_then(Value::as_unknown);
            unknown.is_some_and(|unknown| unknown.alternatives().is_some())
        };
        if let Some(at) = self.0.into_iter().position(is_choice) {
            let choice = self.0.get(at).copied().flatten().unwrap_or(&Value::NULL);
            return Cow::Owned(of_each(choice, |one| {
                let mut layers = Layers(self.0);
                if let Some(layer) = layers.0.get_mut(at) {
                    *layer = Some(one);
                }
                layers.tag(config, name).into_owned()
            }));
        }
        let named = Named { name, synonyms: config.synonyms.get(name) };
        let mut unknown = None;
        for layer in self.0.into_iter().flatten() {
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
            match found {
                Some(value) if layer.via.is_none() => return Cow::Borrowed(value),
                Some(value) => return Cow::Owned(layer.handing_on(value.clone())),
                None => {}
            }
        }
        // The map is not known, and so neither is whether the tag is in it.
        let Some(layer) = unknown else { return Cow::Borrowed(&Value::NULL) };
        Cow::Owned(match layer.as_unknown() {
            Some(map) => {
                let tag = Unknown { ty: Type::String, not_null: false, partial: None, ..map.clone() };
                Value { via: layer.via.clone(), ..Value::from_unknown(tag) }
            }
            None => layer.clone(),
        })
    }
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
        // Most are spelled as they are called.
        key == self.name
            || key.len() == self.name.len() && key.bytes().map(plain).eq(self.name.bytes().map(plain))
            || self.synonyms.is_some_and(|others| others.iter().any(|other| other == key))
    }
}

/// The tags that resources of the type must have for their role, beside all others.
pub(super) fn of_role(tags: &Tags, type_name: &str) -> Value {
    let names = tags.of_type(type_name).into_iter().flat_map(|role| &role.required);
    strings(names.filter(|name| !tags.required.contains(name)).map(String::as_str))
}

/// What is wrong with each tag whose values the configuration limits: null if nothing is, or the resource does not have it.
pub(super) fn faults<'l>(facts: &Facts<'_>, node: NodeId, layers: impl FnOnce() -> Layers<'l>) -> Value {
    if let Some(none) = facts.of_type(node).and_then(|of_type| of_type.no_faults.as_ref()) {
        return none.clone();
    }
    let layers = layers();
    let type_name = facts.graph.resource(node).map_or("", |resource| resource.type_name.as_str());
    let fault = |(name, allowed, pattern): (&str, Option<&Allowed>, Option<&Pattern>)| {
        of_each(&layers.tag(&facts.config.tags, name), |value| {
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
    Value::tuple(facts.config.tags.limits(type_name).into_iter().map(fault))
}

/// The environments that the resource, with this tag, and what directly uses it are tagged with, in lower case, each once.
pub(super) fn environments(facts: &Facts<'_>, node: NodeId, own: &Value) -> Value {
    let uses = [LinkKind::Data, LinkKind::Identity, LinkKind::Key];
    let users = facts.graph.edges(node, Direction::Incoming).filter(|(edge, user)| {
        let resource = facts.graph.resource(*user);
        uses.contains(&edge.kind) && resource.is_some_and(Resource::is_ours)
    });
    let lower = |tag: &Value| match &tag.kind {
        Kind::String(text) if !tag.sensitive => {
            let is_lower = text.bytes().all(|byte| !byte.is_ascii_uppercase());
            Value::string(if is_lower { text.clone() } else { text.to_ascii_lowercase_smolstr() })
        }
        _ => tag.clone(),
    };
    let (mut names, mut others) = (Vec::with_capacity(1), Vec::new());
    let mut add = |tag: &Value| match of_each(tag, lower) {
        // Most are in the same.
        Value { kind: Kind::String(name), sensitive: false, .. } if names.last() == Some(&name) => {}
        Value { kind: Kind::String(name), sensitive: false, .. } => names.push(name),
        tag if tag.is_null() => {}
        tag => others.push(tag),
    };
    add(own);
    users.for_each(|(_, user)| add(&tag(facts, user, ENVIRONMENT)));
    names.sort_unstable();
    names.dedup();
    Value::tuple(names.into_iter().map(Value::string).chain(others))
}

/// The layers of the tags of a resource.
pub(super) fn effective<'g>(facts: &Facts<'g>, node: NodeId) -> Layers<'g> {
    let graph = facts.graph;
    let Some(resource) = graph.resource(node) else { return Layers::default() };
    let Some(after) = &resource.after else { return Layers::default() };
    let of_type = facts.of_type(node);
    let own = after.get("tags").filter(|tags| !is_unset(resource, "tags", tags));
    let provider = resource.provider.and_then(|at| graph.providers.get(at));
    let defaults = provider.map(|provider| &provider.default_tags);
    let below = match after.get("tags_all") {
        // Where the provider computes it and does not say, default tags are ours to merge.
        Some(all) if provider.is_some() && (all.is_null() || is_left_to_the_provider(all)) => defaults,
        Some(all) => Some(all),
        // What has no tags gets none.
        None => defaults.filter(|_| of_type.is_none_or(|of_type| of_type.has_tags)),
    };
    Layers([own, below])
}

/// A list of strings as a value.
pub(super) fn strings<'s>(items: impl Iterator<Item = &'s str>) -> Value {
    Value::tuple(items.map(|item| Value::string(SmolStr::from(item))))
}
