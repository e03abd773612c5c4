//! What can be told of a value that is one of several: extended mode's answer to an unknown condition or key.

use std::sync::Arc;

use smol_str::SmolStr;

use super::evaluator::Evaluator;
use crate::value::{Kind, Map, Partial, Type, Unknown, Value};

impl Evaluator<'_> {
    /// What all of `values` have in common, and which they are where they differ. `otherwise` is the unknown that stands
    /// there: it has the cause, the sources and the type.
    pub(super) fn join(&self, values: &[&Value], otherwise: &Value) -> Value {
        let Some((&first, rest)) = values.split_first() else { return otherwise.clone() };
        let sensitive = otherwise.sensitive || values.iter().any(|value| value.sensitive);
        if rest.iter().all(|value| first.is_same(value)) {
            return first.clone().mark(sensitive);
        }
        let value = self.joined(first, rest, otherwise);
        value.unwrap_or_else(|| self.narrowed(values, otherwise)).mark(sensitive)
    }

    /// Objects of the same attributes and tuples of the same length, element by element. A set has no such elements.
    fn joined(&self, first: &Value, rest: &[&Value], otherwise: &Value) -> Option<Value> {
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
            Some(self.join(&parts.iter().collect::<Vec<_>>(), &loosened(otherwise, ty)))
        };
        let elements = |items: &[Value]| -> Option<Arc<[Value]>> {
            (0..items.len()).map(|at| element(&|value| value.items()?.get(at).cloned())).collect()
        };
        let entries = |map: &Map| -> Option<Arc<Map>> {
            let entries =
                map.keys().map(|key| Some((key.clone(), element(&|value| value.get(key).cloned())?)));
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

    /// `otherwise`, one of the values: not null if none of them is, with the beginning that all strings share.
    fn narrowed(&self, values: &[&Value], otherwise: &Value) -> Value {
        let Some(unknown) = otherwise.as_unknown() else { return otherwise.clone() };
        let mut unknown = unknown.clone();
        unknown.not_null |= values
            .iter()
            .all(|value| value.as_unknown().map_or(!value.is_null(), |unknown| unknown.not_null));
        let begins: Option<Vec<&str>> = values
            .iter()
            .map(|value| value.as_str().or_else(|| value.as_unknown().map(|unknown| unknown.prefix.as_str())))
            .collect();
        if let Some((first, rest)) = begins.as_deref().and_then(<[&str]>::split_first) {
            let prefix = rest.iter().fold(*first, |common, text| common_prefix(common, text));
            if prefix.len() > unknown.prefix.len() {
                unknown.prefix = prefix.into();
            }
        }
        unknown.partial = None;
        let value = Value { kind: Kind::Unknown(Arc::new(unknown)), ..otherwise.clone() };
        self.partly(value, Partial::choice(values.iter().copied()))
    }
}

/// `otherwise` for a part of type `ty`: what else it says of the whole does not hold there.
fn loosened(otherwise: &Value, ty: Type) -> Value {
    let Some(unknown) = otherwise.as_unknown() else { return otherwise.clone() };
    let unknown =
        Unknown { ty, not_null: false, prefix: SmolStr::default(), partial: None, ..unknown.clone() };
    Value { sensitive: otherwise.sensitive, origin: otherwise.origin, ..Value::from_unknown(unknown) }
}

fn common_prefix<'t>(a: &'t str, b: &str) -> &'t str {
    let end = a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b).map(|((at, _), _)| at);
    a.get(..end.unwrap_or(a.len().min(b.len()))).unwrap_or_default()
}
