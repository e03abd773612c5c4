//! Brings together what a binary plan says and what its configuration evaluates to: the values are the plan's; the
//! configuration gives places, references and providers, and says more of what the plan does not know.

use std::collections::HashMap;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::diagnostic::Level;
use crate::input::wiring::{entry_mut, is_same_text, items_mut};
use crate::program::{Key, Program, Resource};
use crate::terraform::state;
use crate::value::{Cause, Kind, Type, Unknown, Value};

/// Values are followed so deep.
const MAX_DEPTH: usize = 64;

/// More pairs of elements of one collection are not compared.
const MAX_PAIRS: usize = 1 << 12;

/// Joins `source` to `program`; `providers` has what the plan says of the provider of each resource, or nothing.
pub(super) fn join(program: &mut Program, providers: &[SmolStr], mut source: Program) {
    program.providers = std::mem::take(&mut source.providers);
    program.calls = std::mem::take(&mut source.calls);
    // Terraform has evaluated this configuration: what we could not is no news, as the values are here.
    let errors = source.diagnostics.into_iter().filter(|diagnostic| diagnostic.level == Level::Error);
    program.diagnostics.extend(errors);
    let mut by_address: HashMap<SmolStr, usize> = HashMap::with_capacity(source.resources.len());
    let mut by_block: HashMap<SmolStr, usize> = HashMap::new();
    for (index, resource) in source.resources.iter().enumerate() {
        by_address.entry(resource.address.clone()).or_insert(index);
        by_block.entry(resource.block.clone()).or_insert(index);
    }
    let mut resources = std::mem::take(&mut program.resources);
    for (at, resource) in resources.iter_mut().enumerate() {
        let same = by_address.get(&resource.address);
        let found = same.or_else(|| by_block.get(&resource.block)).and_then(|&at| source.resources.get(at));
        if let Some(from) = found {
            // Of a block whose instances we could not tell apart, one stands for all.
            let is_it = same.is_some() || from.key == Some(Key::Any);
            attach(resource, from, is_it);
        }
        if resource.provider.is_none() {
            resource.provider = providers.get(at).and_then(|text| state::provider(program, text));
        }
    }
    program.resources = resources;
}

/// Gives a resource of the plan what its block in the source has.
fn attach(resource: &mut Resource, from: &Resource, is_it: bool) {
    resource.site = from.site;
    resource.places.clone_from(&from.places);
    resource.provider = from.provider;
    if !is_it {
        return;
    }
    resource.configured.clone_from(&from.configured);
    resource.references.clone_from(&from.references);
    if let (Some(after), Some(written)) = (&mut resource.after, &from.after) {
        fuse(after, written, MAX_DEPTH);
        after.spread_sensitive();
    }
}

/// Says of a value of the plan what the source, where it is `written`, knows of it.
fn fuse(value: &mut Value, written: &Value, depth: usize) {
    let is_object = value.map().is_some();
    if depth == 0 || (!is_object && contradicts(value, written, depth)) {
        return;
    }
    match (&mut value.kind, &written.kind) {
        (Kind::Unknown(unknown), Kind::Unknown(known)) => {
            *unknown = Arc::new(both(unknown, known));
            value.sensitive |= written.sensitive;
        }
        (Kind::Unknown(_), _) => {
            // A provider makes a whole map or text unknown for one part that is.
            if !decides(written) {
                return;
            }
            value.kind = written.kind.clone();
            value.sensitive |= written.sensitive;
        }
        (Kind::Object(_) | Kind::Map(_), Kind::Object(map) | Kind::Map(map)) => {
            for (name, written) in map.iter() {
                if let Some(part) = entry_mut(value, name) {
                    fuse(part, written, depth - 1);
                }
            }
        }
        (
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items),
            Kind::List(all) | Kind::Set(all) | Kind::Tuple(all),
        ) => {
            let pairs = pairs(items, all, depth - 1);
            for (item, written) in items_mut(value).unwrap_or_default().iter_mut().zip(pairs) {
                if let Some(written) = written {
                    fuse(item, written, depth - 1);
                }
            }
        }
        _ => {}
    }
    value.origin = value.origin.or(written.origin);
    if value.via.is_none() {
        value.via.clone_from(&written.via);
    }
    if value.reference.is_none() {
        value.reference.clone_from(&written.reference);
    }
}

/// What is known of an unknown value by the plan and by the source.
fn both(plan: &Unknown, source: &Unknown) -> Unknown {
    let mut all = source.clone();
    all.not_null |= plan.not_null;
    if all.prefix.len() < plan.prefix.len() {
        all.prefix.clone_from(&plan.prefix);
        all.ty = Type::String;
    }
    // What only we do not know is not why the plan does not know it.
    if !matches!(all.cause, Cause::Resource(_) | Cause::Data(_)) {
        all.cause = Cause::Plan;
    }
    all
}

/// Whether what is written decides where the plan knows nothing: a text, number or truth, or a map or list of such. What is
/// null or empty leaves it to the provider, and of nested blocks only the provider knows the whole.
fn decides(written: &Value) -> bool {
    let is_scalar = |value: &Value| value.items().is_none() && value.map().is_none();
    match (&written.kind, written.items(), written.map()) {
        (Kind::Null, ..) => false,
        (Kind::String(text), ..) => !text.is_empty(),
        (_, Some(items), _) => !items.is_empty() && items.iter().all(is_scalar),
        (_, _, Some(map)) => !map.is_empty() && map.values().all(is_scalar),
        _ => true,
    }
}

/// For each element of a collection in the plan the one in the source that became it: at the same place if they all fit
/// there or are alone, for a set the only one that fits.
fn pairs<'w>(items: &[Value], written: &'w [Value], depth: usize) -> Vec<Option<&'w Value>> {
    if items.len() != written.len() || items.len().saturating_mul(items.len()) > MAX_PAIRS {
        return Vec::new();
    }
    let is_aligned = |item, written| !contradicts(item, written, depth);
    if items.len() == 1 || items.iter().zip(written).all(|(item, written)| is_aligned(item, written)) {
        return written.iter().map(Some).collect();
    }
    let only = |item: &Value| {
        let mut fits = written.iter().filter(|written| !contradicts(item, written, depth));
        fits.next().filter(|_| fits.next().is_none())
    };
    items.iter().map(only).collect()
}

/// Whether the value cannot have come from what is written.
fn contradicts(value: &Value, written: &Value, depth: usize) -> bool {
    let text = |value: &Value| match &value.kind {
        Kind::String(text) => Some(text.clone()),
        Kind::Number(number) => Some(number.to_string().into()),
        Kind::Bool(truth) => Some(truth.to_string().into()),
        _ => None,
    };
    let differ = |value: &SmolStr, written: &SmolStr| !is_same_text(value, written);
    match (text(value), text(written)) {
        (Some(value), Some(written)) => return differ(&value, &written),
        (Some(value), None) if written.is_unknown() => {
            let prefix = written.as_unknown().map(|unknown| unknown.prefix.as_str()).unwrap_or_default();
            return !value.starts_with(prefix);
        }
        _ => {}
    }
    match (value.map(), written.map()) {
        (Some(map), Some(all)) if depth > 0 => all
            .iter()
            .any(|(name, written)| map.get(name).is_some_and(|value| contradicts(value, written, depth - 1))),
        _ => false,
    }
}
