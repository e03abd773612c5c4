//! Whether two values are the same in all that an evaluation can tell apart.
//!
//! What is computed of identical values is identical, so what came of one need not be computed again for the other. That is
//! more than being equal: marks, references, ways, and all that is known of an unknown and why it is unknown count. Of where
//! they were written only counts whether that is told: places are handed on, and nothing is decided by them.

use std::sync::Arc;

use super::{Element, Kind, Map, Partial, Piece, Type, Unknown, Value};

impl Value {
    /// Whether nothing that is computed of the one could be another thing of the other, but for places.
    pub(crate) fn is_identical(&self, other: &Self) -> bool {
        self.kind.is_identical(&other.kind) && self.is_marked_as(other)
    }

    /// Whether all that they say beside what they are is the same.
    pub(crate) fn is_marked_as(&self, other: &Self) -> bool {
        self.sensitive == other.sensitive
            && self.origin.is_some() == other.origin.is_some()
            && self.reference == other.reference
            && self.via == other.via
    }
}

impl Kind {
    fn is_identical(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::List(a), Self::List(b))
            | (Self::Set(a), Self::Set(b))
            | (Self::Tuple(a), Self::Tuple(b)) => all(a, b, Value::is_identical),
            (Self::Map(a), Self::Map(b)) | (Self::Object(a), Self::Object(b)) => {
                Arc::ptr_eq(a, b) || entries(a, b)
            }
            (Self::Unknown(a), Self::Unknown(b)) => Arc::ptr_eq(a, b) || unknowns(a, b),
            _ => false,
        }
    }
}

fn all<T>(a: &Arc<[T]>, b: &Arc<[T]>, same: impl Fn(&T, &T) -> bool) -> bool {
    Arc::ptr_eq(a, b) || a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
}

fn entries(a: &Map, b: &Map) -> bool {
    let values = || a.values().zip(b.values()).all(|(a, b)| a.is_identical(b));
    a.len() == b.len() && (a.shares_keys_with(b) || a.keys().eq(b.keys())) && values()
}

fn unknowns(a: &Unknown, b: &Unknown) -> bool {
    // Whoever adds a field says here whether it counts.
    let Unknown { ty, not_null, prefix, cause, sources, partial } = a;
    *not_null == b.not_null
        && *prefix == b.prefix
        && *cause == b.cause
        && *sources == b.sources
        && types(ty, &b.ty)
        && match (partial, &b.partial) {
            (None, None) => true,
            (Some(a), Some(b)) => partials(a, b),
            _ => false,
        }
}

fn partials(a: &Partial, b: &Partial) -> bool {
    match (a, b) {
        (Partial::Template(a), Partial::Template(b)) => all(a, b, pieces),
        (Partial::Json(a), Partial::Json(b)) => a.is_identical(b),
        (Partial::Choice(a), Partial::Choice(b)) => all(a, b, Value::is_identical),
        (Partial::Elements(a), Partial::Elements(b)) => {
            all(a, b, |a: &Element, b: &Element| a.times == b.times && a.value.is_identical(&b.value))
        }
        _ => false,
    }
}

fn pieces(a: &Piece, b: &Piece) -> bool {
    match (a, b) {
        (Piece::Text(a), Piece::Text(b)) => a == b,
        (Piece::Hole(a), Piece::Hole(b)) => a.is_identical(b),
        _ => false,
    }
}

/// Types that are equal may differ in which attributes may be left out: such types count as two.
fn types(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) | (Type::Map(a), Type::Map(b)) => {
            types(a, b)
        }
        (Type::Tuple(a), Type::Tuple(b)) => all(a, b, types),
        (Type::Object(a), Type::Object(b)) => all(a, b, |a, b| {
            let same = a.name == b.name && a.optional == b.optional && types(&a.ty, &b.ty);
            same && match (&a.default, &b.default) {
                (None, None) => true,
                (Some(a), Some(b)) => a.is_identical(b),
                _ => false,
            }
        }),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Sources, Span};
    use crate::value::{Cause, Reference};

    #[test]
    fn all_that_can_be_told_apart_counts() {
        let file = Sources::default().add("a.tf", "");
        let site = |start| Span::new(start, start + 1).at(file);
        let reference =
            |name: &str| Some(Arc::new(Reference { resource: name.into(), attribute: "arn".into() }));
        let text = || Value::string("a");
        let unknown = || Value::unknown(Cause::Plan);
        let typed = |ty, prefix: &str| {
            Value::from_unknown(Unknown { ty, prefix: prefix.into(), ..Unknown::new(Cause::Plan) })
        };
        let different = [
            text(),
            Value::string("b"),
            text().mark(true),
            text().or_origin(site(1)),
            text().through("var.a", site(2)),
            text().through("var.a", site(3)),
            Value { reference: reference("r.a"), ..text() },
            Value { reference: reference("r.b"), ..text() },
            Value::NULL,
            Value::bool(true),
            Value::int(1),
            Value::tuple([text()]),
            Value::list([text()]),
            Value::tuple([text(), text()]),
            Value::object([("a".into(), text())]),
            Value::object([("b".into(), text())]),
            unknown(),
            Value::unknown(Cause::Provider),
            typed(Type::String, ""),
            typed(Type::String, "x"),
            typed(Type::list(Type::String), ""),
            unknown().with_partial(Partial::choice(&[text(), Value::string("b")])),
            unknown().with_partial(Partial::choice(&[text(), Value::string("c")])),
        ];
        for (at, one) in different.iter().enumerate() {
            for (other_at, other) in different.iter().enumerate() {
                assert_eq!(one.is_identical(other), at == other_at, "{one:?} and {other:?}");
            }
        }
        assert!(text().or_origin(site(1)).is_identical(&text().or_origin(site(5))), "places do not count");
        assert!(
            Value::tuple([typed(Type::String, "x")]).is_identical(&Value::tuple([typed(Type::String, "x")]))
        );
    }
}
