//! Brings resources of a provider that spells the same things in another way (`awscc_bedrock_agent`) to the types and names
//! that rules and links know. Addresses and messages keep what the user wrote.

use std::collections::BTreeSet;
use std::sync::Arc;

use smol_str::{SmolStr, format_smolstr};

use super::ResourceGraph;
use crate::catalog::{self, Spelling};
use crate::program::{InputKind, Mode, Resource};
use crate::value::{Cause, Kind, Value};

/// Deeper than this nothing is renamed: no provider nests as deep.
const MAX_DEPTH: usize = 32;

/// Renames every resource of another provider.
pub(super) fn settle(this: &mut ResourceGraph) {
    let is_plan = this.kind == InputKind::TerraformPlan;
    for resource in this.graph.node_weights_mut() {
        if resource.mode == Mode::Managed
            && let Some(spelling) = catalog::spelling(&resource.type_name)
        {
            rename(resource, spelling, is_plan);
        }
    }
}

/// Whether the object of the resource is what somebody set, though it comes from a plan.
pub(super) fn is_settled(resource: &Resource) -> bool {
    resource.native_type.as_deref().is_some_and(|native| catalog::spelling(native).is_some())
}

fn rename(resource: &mut Resource, spelling: &Spelling, is_plan: bool) {
    // In a plan of such a provider all that nobody set is known after apply, since the service tells it then.
    let set = resource.configured.clone().filter(|_| is_plan);
    for object in [&mut resource.before, &mut resource.after] {
        if let Some(value) = object.take() {
            *object = Some(value_of(value, "", spelling, set.as_deref(), 0));
        }
    }
    settle_as(resource, spelling.type_name, |path| spelling.path(path));
}

/// Makes a resource one of another type, whose attributes are at other paths: those that have none there are left out.
pub(super) fn settle_as<P: Into<SmolStr>>(
    resource: &mut Resource,
    type_name: &'static str,
    path: impl Fn(&str) -> Option<P>,
) {
    let path = |of: &SmolStr| path(of).map(Into::into);
    if let Some(configured) = &resource.configured {
        resource.configured = Some(Arc::new(configured.iter().filter_map(path).collect()));
    }
    let places = resource.places.iter().filter_map(|(of, site)| Some((path(of)?, *site)));
    resource.places = Arc::new(places.collect());
    for link in &mut resource.references {
        if let Some(path) = path(&link.path) {
            link.path = path;
        }
    }
    let native = std::mem::replace(&mut resource.type_name, SmolStr::new_static(type_name));
    resource.native_type.get_or_insert(native);
}

/// The value at `path`, with the names of here. `set` are the paths that the configuration sets, where nothing else counts.
fn value_of(
    value: Value,
    path: &str,
    spelling: &Spelling,
    set: Option<&BTreeSet<SmolStr>>,
    depth: usize,
) -> Value {
    if depth > MAX_DEPTH {
        return value;
    }
    let each = |items: &[Value]| -> Arc<[Value]> {
        items.iter().map(|item| value_of(item.clone(), path, spelling, set, depth + 1)).collect()
    };
    let kind = match &value.kind {
        Kind::Tuple(items) | Kind::List(items) | Kind::Set(items) if path == "tags" => match tags(items) {
            Some(tags) => tags,
            None => return value,
        },
        Kind::Tuple(items) => Kind::Tuple(each(items)),
        Kind::List(items) => Kind::List(each(items)),
        Kind::Set(items) => Kind::Set(each(items)),
        Kind::Object(map) if path != "tags" => {
            let entries = map.iter().filter_map(|(name, item)| {
                let path = if path.is_empty() { name.clone() } else { format_smolstr!("{path}.{name}") };
                if set.is_some_and(|set| is_left_out(item, &path, set)) {
                    return None;
                }
                let name = SmolStr::from(spelling.name(&path)?);
                Some((name, value_of(item.clone(), &path, spelling, set, depth + 1)))
            });
            Kind::Object(Arc::new(entries.collect()))
        }
        _ => return value,
    };
    Value { kind, ..value }
}

/// Whether nobody set what a plan says is known after apply. Of an object that is set as a whole nothing more is told.
fn is_left_out(value: &Value, path: &str, set: &BTreeSet<SmolStr>) -> bool {
    let is_plain = value.as_unknown().is_some_and(|unknown| unknown.cause == Cause::Plan);
    let below = |path: &str| {
        let next = set.range::<str, _>((std::ops::Bound::Excluded(path), std::ops::Bound::Unbounded)).next();
        next.is_some_and(|next| next.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    };
    let is_told = path.rsplit_once('.').is_none_or(|(around, _)| below(around));
    is_plain && value.reference.is_none() && is_told && !set.contains(path) && !below(path)
}

/// `[{ key = "owner", value = "ml" }]` as the map that other resources have; [`None`] if it is not known.
fn tags(items: &[Value]) -> Option<Kind> {
    let pair = |item: &Value| Some((item.get("key")?.as_str()?.into(), item.get("value")?.clone()));
    let entries: Option<Vec<(SmolStr, Value)>> = items.iter().map(pair).collect();
    Some(Kind::Map(Arc::new(entries?.into_iter().collect())))
}
