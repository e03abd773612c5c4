//! What can be told of a value that is one of several: extended mode's answer to an unknown condition or key.

use std::sync::Arc;

use smol_str::SmolStr;

use crate::value::{Kind, Map, Truth, Type, Unknown, Value, equal};

/// What all of `values` have in common. `otherwise` is the unknown that stands where they differ: it has the cause, the
/// sources and the type.
pub(super) fn join(values: &[&Value], otherwise: &Value) -> Value {
    let Some((&first, rest)) = values.split_first() else { return otherwise.clone() };
    let sensitive = otherwise.sensitive || values.iter().any(|value| value.sensitive);
    if rest.iter().all(|value| same(first, value)) {
        return first.clone().mark(sensitive);
    }
    joined(first, rest, otherwise).unwrap_or_else(|| narrowed(values, otherwise)).mark(sensitive)
}

/// Whether two values are the same for every purpose: equal and the same attribute.
fn same(a: &Value, b: &Value) -> bool {
    a.reference == b.reference
        && (equal(a, b) == Truth::Yes
            || a.is_unknown() && b.is_unknown() && a.reference.is_some()
            || a.is_null() && b.is_null())
}

/// Objects of the same attributes and tuples of the same length, element by element. A set has no such elements.
fn joined(first: &Value, rest: &[&Value], otherwise: &Value) -> Option<Value> {
    let shape = std::mem::discriminant(&first.kind);
    let alike = rest.iter().all(|value| {
        std::mem::discriminant(&value.kind) == shape
            && value.items().map(<[Value]>::len) == first.items().map(<[Value]>::len)
            && value.map().into_iter().flat_map(Map::keys).eq(first.map().into_iter().flat_map(Map::keys))
    });
    if !alike {
        return None;
    }
    let element = |part: &dyn Fn(&'_ Value) -> Option<Value>| -> Option<Value> {
        let parts: Vec<Value> =
            std::iter::once(first).chain(rest.iter().copied()).map(part).collect::<Option<_>>()?;
        let types: Vec<Type> = parts.iter().filter(|part| !part.is_null()).map(Type::of).collect();
        let alike = types.iter().all(|ty| Some(ty) == types.first());
        let ty = types.first().filter(|_| alike).cloned().unwrap_or_default();
        Some(join(&parts.iter().collect::<Vec<_>>(), &loosened(otherwise, ty)))
    };
    let elements = |items: &[Value]| -> Option<Arc<[Value]>> {
        (0..items.len()).map(|at| element(&|value| value.items()?.get(at).cloned())).collect()
    };
    let entries = |map: &Map| -> Option<Arc<Map>> {
        let entries = map.keys().map(|key| Some((key.clone(), element(&|value| value.get(key).cloned())?)));
        entries.collect::<Option<Map>>().map(Arc::new)
    };
    let kind = match &first.kind {
        Kind::Tuple(items) => Kind::Tuple(elements(items)?),
        Kind::List(items) => Kind::List(elements(items)?),
        Kind::Object(map) => Kind::Object(entries(map)?),
        Kind::Map(map) => Kind::Map(entries(map)?),
        _ => return None,
    };
    Some(Value { origin: otherwise.origin, ..kind.into() })
}

/// `otherwise` for a part of type `ty`: what else it says of the whole does not hold there.
fn loosened(otherwise: &Value, ty: Type) -> Value {
    let Some(unknown) = otherwise.as_unknown() else { return otherwise.clone() };
    let unknown =
        Unknown { ty, not_null: false, prefix: SmolStr::default(), partial: None, ..unknown.clone() };
    Value { kind: Value::from_unknown(unknown).kind, reference: None, ..otherwise.clone() }
}

/// `otherwise`, not null if none of the values is, with the beginning that all strings share.
fn narrowed(values: &[&Value], otherwise: &Value) -> Value {
    let Some(unknown) = otherwise.as_unknown() else { return otherwise.clone() };
    let mut unknown = unknown.clone();
    unknown.not_null =
        values.iter().all(|value| value.as_unknown().map_or(!value.is_null(), |unknown| unknown.not_null));
    let begins: Option<Vec<&str>> = values
        .iter()
        .map(|value| value.as_str().or_else(|| value.as_unknown().map(|unknown| unknown.prefix.as_str())))
        .collect();
    if let Some((first, rest)) = begins.as_deref().and_then(<[&str]>::split_first) {
        unknown.prefix = rest.iter().fold(*first, |common, text| common_prefix(common, text)).into();
    }
    Value { kind: Kind::Unknown(Arc::new(unknown)), ..otherwise.clone() }
}

fn common_prefix<'t>(a: &'t str, b: &str) -> &'t str {
    let end = a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b).map(|((at, _), _)| at);
    a.get(..end.unwrap_or(a.len().min(b.len()))).unwrap_or_default()
}
