//! Sets.

use super::call::{Call, Outcome};
use crate::value::{Kind, Truth, Type, Value, convert, equal, unify};

/// A product of more elements is not made.
const MAX_PRODUCT: usize = 1 << 16;

/// Whether it is known how many elements a value has: an unknown element of a set may be equal to another one.
pub(super) fn is_settled(value: &Value) -> bool {
    match &value.kind {
        Kind::Set(items) => items.len() < 2 || items.iter().all(Value::is_wholly_known),
        _ => true,
    }
}

/// The elements of all arguments as values of one type.
fn of_one_type(call: &Call<'_>) -> Result<Vec<Vec<Value>>, String> {
    let types: Vec<Type> = call.args.iter().map(|arg| Type::of(arg).element()).collect();
    let ty = unify(&types).ok_or("all sets must have elements of the same type")?;
    let all = |arg: &Value| arg.items().unwrap_or_default().iter().map(|item| convert(item, &ty)).collect();
    call.args.iter().map(all).collect()
}

fn holds(set: &[Value], value: &Value) -> bool {
    set.iter().any(|item| equal(item, value) == Truth::Yes)
}

pub(super) fn setunion(call: &Call<'_>) -> Outcome {
    Ok(Value::set(of_one_type(call)?.into_iter().flatten()))
}

pub(super) fn setintersection(call: &Call<'_>) -> Outcome {
    let mut sets = of_one_type(call)?.into_iter();
    let mut kept = sets.next().unwrap_or_default();
    for set in sets {
        kept.retain(|item| holds(&set, item));
    }
    Ok(Value::set(kept))
}

pub(super) fn setsubtract(call: &Call<'_>) -> Outcome {
    let mut sets = of_one_type(call)?.into_iter();
    let mut kept = sets.next().unwrap_or_default();
    let removed = sets.next().unwrap_or_default();
    kept.retain(|item| !holds(&removed, item));
    Ok(Value::set(kept))
}

pub(super) fn setproduct(call: &Call<'_>) -> Outcome {
    if call.args.len() < 2 {
        return Err("at least two arguments are required".to_owned());
    }
    let mut total = 1_usize;
    let mut factors = Vec::new();
    for arg in call.args {
        let items = arg.items().ok_or("all arguments must be lists, sets or tuples")?;
        total = total.saturating_mul(items.len());
        // The elements of a tuple become those of a list.
        let listed = convert(&Value::from(arg.kind.clone()), &Type::list(Type::Any))?;
        factors.push(listed.items().unwrap_or_default().to_vec());
    }
    let listed = call.args.iter().all(|arg| !matches!(arg.kind, Kind::Set(_)));
    if !call.args.iter().all(is_settled) && total > 0 {
        return Ok(call.unknown(Type::set(Type::Any)));
    }
    if total > MAX_PRODUCT {
        return Ok(call.limited(&format!("{MAX_PRODUCT} elements"), Type::list(Type::Any)));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for factor in &factors {
        rows = rows
            .iter()
            .flat_map(|row| factor.iter().map(|item| row.iter().chain([item]).cloned().collect()))
            .collect();
    }
    let rows = rows.into_iter().map(Value::tuple);
    Ok(if listed { Value::list(rows) } else { Value::set(rows) })
}
