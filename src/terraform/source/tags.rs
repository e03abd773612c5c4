//! `tags_all`: what the aws provider makes of a resource's `tags` and the `default_tags` of its configuration.
//!
//! As provider 5.100 plans it: the resource's own tags win, null ones count for nothing, and what `ignore_tags` names is
//! left out; objects in a bucket may set the default tags aside. Where nothing remains the provider decides at apply. Where
//! default tags are not known Terraform plans as if there were none and finds out at apply; here `tags_all` is then not
//! known.

use smol_str::SmolStr;

use crate::catalog::Catalog;
use crate::value::{Map, Type, Value, convert};

use super::module::Declared;
use super::scope::ModuleScope;

/// The name of the attribute.
pub(super) const TAGS_ALL: &str = "tags_all";

/// The block with which objects in a bucket set default tags aside.
pub(super) const OVERRIDE: &str = "override_provider";

/// The value of `tags_all` of a resource, if it can be told before apply; `tags` are its own, and `overriding` is what it
/// has of [`OVERRIDE`].
pub(super) fn all(
    declared: Declared<'_>,
    kind: &str,
    tags: Option<&Value>,
    overriding: Option<&Value>,
    scope: &ModuleScope<'_>,
) -> Option<Value> {
    let schema = Catalog::get().schema(kind)?;
    let has = |name: &str| schema.attribute(name).is_some();
    if !kind.starts_with("aws_") || !has("tags") || !has(TAGS_ALL) {
        return None;
    }
    let provider = scope.environment().of_resource(declared, kind, scope)?;
    // The provider takes no tags there.
    let is_bare = match overriding.and_then(|block| block.at_path("default_tags")) {
        Some(block) if block.is_unknown() => return None,
        Some(block) => block.items().is_some_and(|blocks| !blocks.is_empty()),
        None => false,
    };
    let all = merged(provider, !is_bare, tags, scope)?;
    all.map().is_some_and(|all| !all.is_empty()).then_some(all)
}

/// The tags that every resource has which is configured as the data source `declared` is.
pub(super) fn default(declared: Declared<'_>, kind: &str, scope: &ModuleScope<'_>) -> Option<Value> {
    merged(scope.environment().of_resource(declared, kind, scope)?, true, None, scope)
}

/// The default tags of a configuration if `with_defaults`, `own` ones over them, and without those that are ignored.
fn merged(
    provider: usize,
    with_defaults: bool,
    own: Option<&Value>,
    scope: &ModuleScope<'_>,
) -> Option<Value> {
    let providers = &scope.run.providers;
    let defaults = if with_defaults { providers.default_tags(provider) } else { None };
    let layers = [defaults.as_ref().map(known), own.map(known)];
    let ignored = providers.field(provider, "ignore_tags");
    let list = |path: &str| match ignored.as_ref().and_then(|ignored| ignored.at_path(path)) {
        Some(list) if !list.is_null() => {
            list.items()?.iter().map(|item| item.as_str().map(SmolStr::from)).collect::<Option<Vec<_>>>()
        }
        Some(_) | None => Some(Vec::new()),
    };
    let (keys, prefixes) = (list("keys")?, list("key_prefixes")?);
    let is_ignored =
        |key: &SmolStr| keys.contains(key) || prefixes.iter().any(|prefix| key.starts_with(prefix.as_str()));
    let room = layers.iter().flatten().flatten().filter_map(Value::map).map(Map::len).sum();
    let (mut merged, mut is_sensitive) = (Vec::with_capacity(room), false);
    for layer in layers.into_iter().flatten() {
        let layer = layer?;
        is_sensitive |= layer.sensitive;
        let tags = layer.map()?.iter().filter(|(key, value)| !value.is_null() && !is_ignored(key));
        merged.extend(tags.map(|(key, value)| (key.clone(), value.clone())));
    }
    // Of equal keys the last one stays.
    Some(Value::map_of(merged).mark(is_sensitive))
}

/// The tags as a map of strings, if all of them are known.
fn known(tags: &Value) -> Option<Value> {
    if tags.is_null() {
        return Some(Value::map_of([]));
    }
    tags.is_wholly_known().then(|| convert(tags, &Type::map(Type::String)).ok()).flatten()
}
