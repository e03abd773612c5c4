//! What all users of values need: equality, order, construction, and what a result inherits from its operands.

use std::cmp::Ordering;
use std::sync::Arc;

use smol_str::SmolStr;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{Cause, Kind, Number, Reference, Truth, Type, Unknown, Value};

/// Whether two values are equal as Terraform's `==` tells: of one type (`"1"` is not `1`, a tuple no list), `null` equal
/// to `null` alone, and [`Truth::Maybe`] where an unknown decides.
pub fn equal(a: &Value, b: &Value) -> Truth {
    let structured = |value: &Value| value.items().is_some() || value.map().is_some() || value.is_unknown();
    if structured(a) && structured(b) && Type::of(a).conflicts(&Type::of(b)) {
        return Truth::No;
    }
    content_equal(a, b)
}

fn content_equal(a: &Value, b: &Value) -> Truth {
    match (&a.kind, &b.kind) {
        (Kind::Null, Kind::Null) => Truth::Yes,
        (Kind::Unknown(unknown), Kind::Null) | (Kind::Null, Kind::Unknown(unknown)) => {
            let never = |all: &[Value]| all.iter().all(|value| equal(value, &Value::NULL) == Truth::No);
            if unknown.not_null || unknown.alternatives().is_some_and(never) {
                Truth::No
            } else {
                Truth::Maybe
            }
        }
        (Kind::Null, _) | (_, Kind::Null) => Truth::No,
        (Kind::Unknown(a), Kind::Unknown(b)) => {
            let both = a.not_null && b.not_null;
            let apart = || match (&a.partial, &b.partial) {
                (Some(a), Some(b)) => !a.may_meet(b),
                _ => false,
            };
            if both && (a.ty.conflicts(&b.ty) || apart()) { Truth::No } else { Truth::Maybe }
        }
        (Kind::Unknown(unknown), _) => unknown_equal(unknown, b),
        (_, Kind::Unknown(unknown)) => unknown_equal(unknown, a),
        (Kind::Bool(a), Kind::Bool(b)) => (a == b).into(),
        (Kind::Number(a), Kind::Number(b)) => (a == b).into(),
        (Kind::String(a), Kind::String(b)) => (a == b).into(),
        (Kind::List(a), Kind::List(b)) | (Kind::Tuple(a), Kind::Tuple(b)) => all_equal(a, b),
        (Kind::Set(a), Kind::Set(b)) => {
            if a.iter().chain(b.iter()).all(Value::is_wholly_known) {
                all_equal(a, b)
            } else {
                Truth::Maybe
            }
        }
        (Kind::Map(a), Kind::Map(b)) | (Kind::Object(a), Kind::Object(b)) => {
            if !a.keys().eq(b.keys()) {
                return Truth::No;
            }
            first_difference(a.values().zip(b.values()))
        }
        _ => Truth::No,
    }
}

/// Whether an unknown may be a known value that is no null.
fn unknown_equal(unknown: &Unknown, known: &Value) -> Truth {
    let other_text = known.as_str().is_some_and(|text| !text.starts_with(unknown.prefix.as_str()));
    let excluded = || unknown.partial.as_ref().is_some_and(|partial| !partial.may_be(known));
    if other_text || unknown.ty.conflicts(&Type::of(known)) || excluded() { Truth::No } else { Truth::Maybe }
}

fn all_equal(a: &[Value], b: &[Value]) -> Truth {
    if a.len() == b.len() { first_difference(a.iter().zip(b)) } else { Truth::No }
}

/// Terraform stops at the first pair that is not equal or not known, and so must we.
fn first_difference<'v>(mut pairs: impl Iterator<Item = (&'v Value, &'v Value)>) -> Truth {
    pairs
        .find_map(|(a, b)| Some(content_equal(a, b)).filter(|truth| *truth != Truth::Yes))
        .unwrap_or(Truth::Yes)
}

/// A total order: that of a set's elements. Numbers by value, strings by bytes, false before true, collections by their
/// elements; unknowns after all that is known and equal among themselves, null last.
pub fn order(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value.kind {
        Kind::Bool(_) => 0,
        Kind::Number(_) => 1,
        Kind::String(_) => 2,
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => 3,
        Kind::Map(_) | Kind::Object(_) => 4,
        Kind::Unknown(_) => 5,
        Kind::Null => 6,
    };
    match (&a.kind, &b.kind) {
        (Kind::Bool(a), Kind::Bool(b)) => a.cmp(b),
        (Kind::Number(a), Kind::Number(b)) => a.cmp(b),
        (Kind::String(a), Kind::String(b)) => a.cmp(b),
        _ => match (a.items(), b.items(), a.map(), b.map()) {
            (Some(a), Some(b), _, _) => first_order(a.iter().zip(b)).then(a.len().cmp(&b.len())),
            (_, _, Some(a), Some(b)) => {
                a.keys().cmp(b.keys()).then_with(|| first_order(a.values().zip(b.values())))
            }
            _ => rank(a).cmp(&rank(b)),
        },
    }
}

fn first_order<'v>(mut pairs: impl Iterator<Item = (&'v Value, &'v Value)>) -> Ordering {
    pairs.find_map(|(a, b)| Some(order(a, b)).filter(|o| o.is_ne())).unwrap_or(Ordering::Equal)
}

/// Elements as a set keeps them: in order, of equal known ones the first; and whether one was sensitive, which is then a
/// mark of the whole set.
pub(super) fn set_items(mut items: Vec<Value>) -> (Arc<[Value]>, bool) {
    let sensitive = items.iter().any(Value::holds_sensitive);
    items.sort_by(order);
    items.dedup_by(|b, a| order(a, b).is_eq() && a.is_wholly_known());
    (items.into(), sensitive)
}

/// NFC, as all strings of Terraform are.
pub fn normalize(text: &str) -> SmolStr {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        text.into()
    } else {
        text.nfc().collect()
    }
}

impl Value {
    /// A number.
    pub fn number(value: impl Into<Number>) -> Self {
        Kind::Number(value.into()).into()
    }

    /// A list of elements of one type.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Kind::List(items.into_iter().collect()).into()
    }

    /// A set of elements of one type: they are put in order, and duplicates are left out.
    pub fn set(items: impl IntoIterator<Item = Self>) -> Self {
        let (items, sensitive) = set_items(items.into_iter().collect());
        Self::from(Kind::Set(items)).mark(sensitive)
    }

    /// A map to values of one type.
    pub fn map_of(items: impl IntoIterator<Item = (SmolStr, Self)>) -> Self {
        Kind::Map(Arc::new(items.into_iter().collect())).into()
    }

    /// An unknown bool, number, string or structure of type `ty`, not null, that depends on `operands`: unknown for the
    /// cause of the first unknown in them, with all their references as sources, and sensitive if one of them is.
    pub fn unknown_from(operands: &[&Self], ty: Type) -> Self {
        Self::from_unknown(Unknown { ty, not_null: true, ..Unknown::of_operands(operands) })
            .mark(operands.iter().any(|operand| operand.holds_sensitive()))
            .computed_from(operands.iter().copied())
    }

    /// Whether it or anything in it is sensitive.
    pub fn holds_sensitive(&self) -> bool {
        self.sensitive
            || match &self.kind {
                Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                    items.iter().any(Self::holds_sensitive)
                }
                Kind::Map(map) | Kind::Object(map) => map.values().any(Self::holds_sensitive),
                // The mark of the whole covers all else that is partly known.
                Kind::Unknown(_) => {
                    self.elements().into_iter().flatten().any(|element| element.value.holds_sensitive())
                }
                _ => false,
            }
    }

    /// Adds to `out` the resource attributes that this value is or is computed from, each once, at most
    /// [`Unknown::MAX_SOURCES`].
    pub fn collect_references(&self, out: &mut Vec<Arc<Reference>>) {
        if out.len() >= Unknown::MAX_SOURCES {
            return;
        }
        let mut push = |reference: &Arc<Reference>| {
            if out.len() < Unknown::MAX_SOURCES && !out.contains(reference) {
                out.push(reference.clone());
            }
        };
        if let Some(reference) = &self.reference {
            push(reference);
            return;
        }
        match &self.kind {
            Kind::Unknown(unknown) => unknown.references().for_each(push),
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                items.iter().for_each(|item| item.collect_references(out));
            }
            Kind::Map(map) | Kind::Object(map) => map.values().for_each(|item| item.collect_references(out)),
            _ => {}
        }
    }

    /// The cause of the first unknown in it.
    pub fn first_cause(&self) -> Option<&Cause> {
        match &self.kind {
            Kind::Unknown(unknown) => Some(&unknown.cause),
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                items.iter().find_map(Self::first_cause)
            }
            Kind::Map(map) | Kind::Object(map) => map.values().find_map(Self::first_cause),
            _ => None,
        }
    }
}

impl Unknown {
    /// What an unknown that depends on `operands` inherits from them: the first cause, and all references.
    pub fn of_operands(operands: &[&Value]) -> Self {
        let cause = operands.iter().find_map(|operand| operand.first_cause()).cloned();
        let mut sources = Vec::new();
        for operand in operands {
            operand.collect_references(&mut sources);
        }
        Self {
            sources: sources.into(),
            ..Self::new(cause.unwrap_or_else(|| Cause::Other("not known".into())))
        }
    }
}

impl From<Truth> for Option<bool> {
    fn from(truth: Truth) -> Self {
        match truth {
            Truth::Yes => Some(true),
            Truth::No => Some(false),
            Truth::Maybe => None,
        }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(ty: Type, prefix: &str) -> Value {
        let unknown = Unknown { ty, prefix: prefix.into(), not_null: true, ..Unknown::new(Cause::Plan) };
        Value::from_unknown(unknown)
    }

    #[test]
    fn equality_is_of_one_type() {
        let one = || Value::int(1);
        assert_eq!(equal(&one(), &Value::string("1")), Truth::No);
        assert_eq!(equal(&Value::tuple([one()]), &Value::list([one()])), Truth::No);
        assert_eq!(equal(&Value::list([one()]), &Value::list([Value::string("1")])), Truth::No);
        assert_eq!(equal(&Value::NULL, &Value::NULL), Truth::Yes);
        assert_eq!(equal(&Value::tuple([Value::NULL]), &Value::tuple([one()])), Truth::No);
    }

    #[test]
    fn unknowns_are_equal_to_what_they_may_be() {
        let id = unknown(Type::String, "abc-");
        assert_eq!(equal(&id, &Value::NULL), Truth::No);
        assert_eq!(equal(&id, &Value::int(1)), Truth::No);
        assert_eq!(equal(&id, &Value::string("x")), Truth::No);
        assert_eq!(equal(&id, &Value::string("abc-1")), Truth::Maybe);
        assert_eq!(equal(&Value::unknown(Cause::Plan), &Value::NULL), Truth::Maybe);
        let pair = |a: Value, b: i64| Value::tuple([a, Value::int(b)]);
        assert_eq!(equal(&pair(id.clone(), 1), &pair(Value::string("abc-"), 2)), Truth::Maybe);
        assert_eq!(equal(&pair(id, 1), &pair(Value::int(1), 1)), Truth::No, "types alone tell");
    }

    #[test]
    fn results_inherit_cause_sources_and_mark() {
        let reference = |n: usize| {
            Arc::new(Reference { resource: smol_str::format_smolstr!("r.{n}"), attribute: "id".into() })
        };
        let operands: Vec<Value> = (0..40)
            .map(|n| Value { reference: Some(reference(n)), ..Value::unknown(Cause::Resource(reference(n))) })
            .collect();
        let secret = Value::tuple([Value::string("s").mark(true)]);
        let mut all: Vec<&Value> = operands.iter().collect();
        all.push(&secret);
        let result = Value::unknown_from(&all, Type::String);
        let unknown = result.as_unknown().unwrap();
        assert!(result.sensitive);
        assert_eq!(unknown.cause, Cause::Resource(reference(0)));
        assert_eq!(unknown.sources.len(), Unknown::MAX_SOURCES);
        assert_eq!(unknown.sources.first(), Some(&reference(0)));
    }

    #[test]
    fn a_set_is_sensitive_if_an_element_is() {
        assert!(Value::set([Value::string("a").mark(true), Value::string("b")]).sensitive);
        let set = Value::set([Value::int(10), Value::int(9), Value::int(10)]);
        assert_eq!(equal(&set, &Value::set([Value::int(9), Value::int(10)])), Truth::Yes);
        assert_eq!(set.items().unwrap().len(), 2);
    }
}
