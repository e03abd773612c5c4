//! Conversions between types, and the mark of what is sensitive.

use super::call::{Call, Outcome};
use crate::value::{Kind, Type, Unknown, Value, convert};

/// The argument as a `ty`. It is the same resource attribute as before, though to Terraform an unknown may now be null, so
/// that not even one without elements is known.
fn to(call: &Call<'_>, ty: &Type) -> Outcome {
    let mut value = call.value(0).clone();
    if let Some(unknown) = value.as_unknown() {
        value.kind = Value::from_unknown(Unknown { not_null: false, ..unknown.clone() }).kind;
    }
    convert(&value, ty)
}

pub(super) fn tobool(call: &Call<'_>) -> Outcome {
    to(call, &Type::Bool)
}

pub(super) fn tonumber(call: &Call<'_>) -> Outcome {
    to(call, &Type::Number)
}

pub(super) fn tostring(call: &Call<'_>) -> Outcome {
    to(call, &Type::String)
}

pub(super) fn tolist(call: &Call<'_>) -> Outcome {
    let value = call.value(0);
    if !super::sets::is_settled(value) {
        let ty = Type::list(Type::of(value).element());
        return Ok(Value::from_unknown(super::call::unknown(call.args, ty, false)));
    }
    to(call, &Type::list(Type::Any))
}

pub(super) fn toset(call: &Call<'_>) -> Outcome {
    to(call, &Type::set(Type::Any))
}

pub(super) fn tomap(call: &Call<'_>) -> Outcome {
    to(call, &Type::map(Type::Any))
}

/// Nothing is ephemeral in a plan.
pub(super) fn ephemeralasnull(call: &Call<'_>) -> Outcome {
    Ok(call.value(0).clone())
}

pub(super) fn sensitive(call: &Call<'_>) -> Outcome {
    Ok(call.value(0).clone().mark(true))
}

pub(super) fn nonsensitive(call: &Call<'_>) -> Outcome {
    Ok(Value { sensitive: false, ..call.value(0).clone() })
}

pub(super) fn issensitive(call: &Call<'_>) -> Outcome {
    let value = call.value(0);
    Ok(match value.kind {
        _ if value.sensitive => Value::bool(true),
        // It may turn out to be.
        Kind::Unknown(_) => Value::from_unknown(super::call::unknown(call.args, Type::Bool, false)),
        _ => Value::bool(false),
    })
}

/// `try` of values that all are known to be: the evaluator has tried them.
pub(super) fn first(call: &Call<'_>) -> Outcome {
    call.args.first().cloned().ok_or_else(|| "at least one argument is required".to_owned())
}

/// `can` of a value.
pub(super) fn can(_: &Call<'_>) -> Outcome {
    Ok(Value::bool(true))
}
