//! Lists and tuples: their elements, order and parts.

use super::call::{Call, Outcome};
use super::sets::is_settled;
use super::strings;
use crate::value::{Kind, Truth, Type, Value, convert, equal, unify};

/// The longest list that `range` makes, in Terraform too.
const MAX_RANGE: usize = 1024;

pub(super) fn alltrue(call: &Call<'_>) -> Outcome {
    if call.value(0).is_unknown() {
        return Ok(call.unknown(Type::Bool));
    }
    for item in call.items(0) {
        if item.is_unknown() {
            return Ok(call.unknown(Type::Bool));
        }
        if item.as_bool() != Some(true) {
            return Ok(Value::bool(false));
        }
    }
    Ok(Value::bool(true))
}

pub(super) fn anytrue(call: &Call<'_>) -> Outcome {
    if call.value(0).is_unknown() {
        return Ok(call.unknown(Type::Bool));
    }
    let items = call.items(0);
    Ok(if items.iter().any(|item| item.as_bool() == Some(true)) {
        Value::bool(true)
    } else if items.iter().any(Value::is_unknown) {
        call.unknown(Type::Bool)
    } else {
        Value::bool(false)
    })
}

pub(super) fn chunklist(call: &Call<'_>) -> Outcome {
    let items = call.items(0);
    let size = usize::try_from(call.whole(1)?).map_err(|_| "a size cannot be negative")?;
    let size = if size == 0 { items.len().max(1) } else { size };
    Ok(Value::list(items.chunks(size).map(|chunk| Value::list(chunk.iter().cloned()))))
}

pub(super) fn coalesce(call: &Call<'_>) -> Outcome {
    if call.args.is_empty() {
        return Err("at least one argument is required".to_owned());
    }
    let types: Vec<Type> = call.args.iter().map(Type::of).collect();
    let untyped = call.args.iter().any(|arg| arg.is_unknown() && Type::of(arg) == Type::Any);
    let ty =
        if untyped { Type::Any } else { unify(&types).ok_or("all arguments must have the same type")? };
    for (i, arg) in call.args.iter().enumerate() {
        if let Some(unknown) = arg.as_unknown() {
            let value = Value::from_unknown(super::call::unknown(call.args, ty, true));
            // Terraform allows that it is an empty string; an attribute that others refer to is none.
            let chosen = unknown.not_null || i + 1 == call.args.len();
            let reference = if chosen { arg.reference.clone() } else { None };
            return Ok(Value { reference, ..value });
        }
        if !arg.is_null() && arg.as_str() != Some("") {
            return convert(arg, &ty);
        }
    }
    Err("no argument is neither null nor an empty string".to_owned())
}

pub(super) fn coalescelist(call: &Call<'_>) -> Outcome {
    for arg in call.args {
        match &arg.kind {
            Kind::Unknown(_) => return Ok(call.unknown(Type::Any)),
            // Terraform refuses a null without a type, and takes one of a list: that is what a variable gives.
            Kind::Null => {}
            Kind::List(items) | Kind::Tuple(items) if items.is_empty() => {}
            Kind::List(_) | Kind::Tuple(_) => return Ok(arg.clone()),
            _ => return Err("all arguments must be lists or tuples".to_owned()),
        }
    }
    Err("no argument is a list with elements".to_owned())
}

pub(super) fn compact(call: &Call<'_>) -> Outcome {
    let kept = call.items(0).iter().filter(|item| !item.is_null() && item.as_str() != Some(""));
    Ok(Value::list(kept.cloned()))
}

pub(super) fn concat(call: &Call<'_>) -> Outcome {
    if call.args.is_empty() {
        return Err("at least one argument is required".to_owned());
    }
    if !call.args.iter().all(|arg| matches!(arg.kind, Kind::List(_) | Kind::Tuple(_) | Kind::Unknown(_))) {
        return Err("all arguments must be lists or tuples".to_owned());
    }
    if call.args.iter().any(Value::is_unknown) {
        return Ok(call.unknown(Type::Any));
    }
    let items = call.args.iter().filter_map(Value::items).flatten().cloned();
    if call.args.iter().all(|arg| matches!(arg.kind, Kind::List(_))) {
        let types: Vec<Type> = call.args.iter().map(|arg| Type::of(arg).element()).collect();
        if let Some(ty) = unify(&types) {
            return Ok(Value::list(items.map(|item| convert(&item, &ty)).collect::<Result<Vec<_>, _>>()?));
        }
    }
    Ok(Value::tuple(items))
}

pub(super) fn contains(call: &Call<'_>) -> Outcome {
    let list = call.value(0);
    let Some(items) = list.items() else {
        return if list.is_unknown() { Ok(call.unknown(Type::Bool)) } else { Err(LIST.to_owned()) };
    };
    if call.value(1).is_unknown() {
        return Ok(call.unknown(Type::Bool));
    }
    let mut found = Truth::No;
    for item in items {
        match equal(item, call.value(1)) {
            Truth::Yes => return Ok(Value::bool(true)),
            Truth::Maybe => found = Truth::Maybe,
            Truth::No => {}
        }
    }
    Ok(if found == Truth::Maybe { call.unknown(Type::Bool) } else { Value::bool(false) })
}

const LIST: &str = "a list, set or tuple is required";

const ORDERED: &str = "a list or tuple is required";

/// The elements of a list or tuple, in order.
fn ordered(value: &Value) -> Result<&[Value], String> {
    match &value.kind {
        Kind::List(items) | Kind::Tuple(items) => Ok(items),
        _ => Err(ORDERED.to_owned()),
    }
}

pub(super) fn distinct(call: &Call<'_>) -> Outcome {
    let mut kept: Vec<&Value> = Vec::new();
    for item in call.items(0) {
        if !kept.iter().any(|other| equal(other, item) == Truth::Yes) {
            kept.push(item);
        }
    }
    Ok(Value::list(kept.into_iter().cloned()))
}

pub(super) fn element(call: &Call<'_>) -> Outcome {
    let items = ordered(call.value(0))?;
    let index = call.whole(1)?;
    // Terraform 1.11 stops with an internal error here.
    let index = usize::try_from(index).map_err(|_| "an index cannot be negative")?;
    let wrapped = index.checked_rem(items.len()).and_then(|index| items.get(index));
    Ok(wrapped.ok_or("an empty list has no elements")?.clone())
}

pub(super) fn flatten(call: &Call<'_>) -> Outcome {
    let value = call.value(0);
    if value.items().is_none() && !value.is_unknown() {
        return Err(LIST.to_owned());
    }
    let mut flat = Vec::new();
    let mut sensitive = false;
    Ok(if flatten_into(value, &mut flat, &mut sensitive) {
        Value::tuple(flat).mark(sensitive)
    } else {
        call.unknown(Type::Any)
    })
}

/// Whether the elements of `value`, and so the length of the result, are known.
fn flatten_into(value: &Value, flat: &mut Vec<Value>, sensitive: &mut bool) -> bool {
    *sensitive |= value.sensitive;
    is_settled(value)
        && value.items().is_some_and(|items| {
            items.iter().all(|item| match &item.kind {
                Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => flatten_into(item, flat, sensitive),
                Kind::Unknown(unknown)
                    if matches!(unknown.ty, Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_)) =>
                {
                    false
                }
                _ => {
                    flat.push(item.clone());
                    true
                }
            })
        })
}

pub(super) fn index(call: &Call<'_>) -> Outcome {
    for (i, item) in ordered(call.value(0))?.iter().enumerate() {
        match equal(item, call.value(1)) {
            Truth::Yes => return Ok(Value::number(i)),
            Truth::Maybe => return Ok(call.unknown(Type::Number)),
            Truth::No => {}
        }
    }
    Err("the value is not in the list".to_owned())
}

pub(super) fn length(call: &Call<'_>) -> Outcome {
    let value = call.value(0);
    Ok(Value::number(match &value.kind {
        Kind::String(text) => strings::length(text),
        Kind::Map(map) | Kind::Object(map) => map.len(),
        Kind::Set(items) if is_settled(value) => items.len(),
        Kind::List(items) | Kind::Tuple(items) => items.len(),
        Kind::Set(_) => return Ok(call.unknown(Type::Number)),
        _ => return Err("a string, a collection or a structure is required".to_owned()),
    }))
}

pub(super) fn matchkeys(call: &Call<'_>) -> Outcome {
    if !call.value(0).is_wholly_known() || !call.value(1).is_wholly_known() || call.value(2).is_unknown() {
        return Ok(call.unknown(Type::list(Type::Any)));
    }
    let (values, keys) = (call.items(0), call.items(1));
    if values.len() != keys.len() {
        return Err("there must be as many keys as values".to_owned());
    }
    let types = [Type::of(call.value(1)).element(), Type::of(call.value(2)).element()];
    let ty = unify(&types).ok_or("keys and what is searched for must have the same type")?;
    let all = |items: &[Value]| -> Result<Vec<Value>, String> {
        items.iter().map(|item| convert(item, &ty)).collect()
    };
    let (keys, wanted) = (all(keys)?, all(call.items(2))?);
    let matches = |key: &Value| wanted.iter().any(|other| equal(key, other) == Truth::Yes);
    Ok(Value::list(values.iter().zip(keys).filter(|(_, key)| matches(key)).map(|(value, _)| value.clone())))
}

pub(super) fn one(call: &Call<'_>) -> Outcome {
    let value = call.value(0);
    if value.is_unknown() {
        let ty = Type::of(value).element();
        return Ok(Value::from_unknown(super::call::unknown(call.args, ty, false)));
    }
    match value.items().ok_or(LIST)? {
        [] => Ok(Value::NULL),
        [only] => Ok(only.clone()),
        _ if !is_settled(value) => {
            let ty = Type::of(value).element();
            Ok(Value::from_unknown(super::call::unknown(call.args, ty, false)))
        }
        _ => Err("there is more than one element".to_owned()),
    }
}

pub(super) fn range(call: &Call<'_>) -> Outcome {
    let zero = Value::int(0);
    let (start, limit) = match call.args {
        [limit] => (&zero, limit),
        [start, limit] | [start, limit, _] => (start, limit),
        _ => return Err("one, two or three numbers are required".to_owned()),
    };
    let read = |value| super::call::number(value).ok_or("a number is required");
    let (mut next, limit) = (read(start)?, read(limit)?);
    let down = limit < next;
    let step = match call.args.get(2) {
        Some(step) => read(step)?,
        None => if down { -1_i64 } else { 1 }.into(),
    };
    if step.is_zero() || next != limit && down != step.is_negative() {
        return Err("the step leads away from the limit".to_owned());
    }
    let mut items = Vec::new();
    while if down { next > limit } else { next < limit } {
        if items.len() == MAX_RANGE {
            return Err(format!("a range of more than {MAX_RANGE} numbers"));
        }
        items.push(Value::number(next.clone()));
        next = next.add(&step)?;
    }
    Ok(Value::list(items))
}

pub(super) fn reverse(call: &Call<'_>) -> Outcome {
    let value = call.value(0);
    let reversed = value.items().ok_or(LIST)?.iter().rev().cloned();
    Ok(if matches!(value.kind, Kind::Tuple(_)) { Value::tuple(reversed) } else { Value::list(reversed) })
}

const RANGE: &str = "start and end must be in order and within the list";

pub(super) fn slice(call: &Call<'_>) -> Outcome {
    let value = call.value(0);
    // What is wrong with one of them is told also where the others are not known.
    let index = |at: usize| {
        if call.value(at).is_unknown() {
            return Ok(None);
        }
        usize::try_from(call.whole(at)?).map(Some).map_err(|_| RANGE.to_owned())
    };
    let (start, end) = (index(1)?, index(2)?);
    let part = match (start, end, value.is_unknown()) {
        (Some(start), Some(end), _) if start > end && Type::of(value) != Type::Any => {
            return Err(RANGE.to_owned());
        }
        (Some(start), Some(end), false) => ordered(value)?.get(start..end).ok_or(RANGE)?.iter().cloned(),
        _ if value.is_unknown() => {
            let ty = Type::of(value);
            let not_null = ty != Type::Any;
            return Ok(Value::from_unknown(super::call::unknown(call.args, Type::Any, not_null)));
        }
        _ => return Ok(call.unknown(Type::Any)),
    };
    Ok(if matches!(value.kind, Kind::Tuple(_)) { Value::tuple(part) } else { Value::list(part) })
}

pub(super) fn sort(call: &Call<'_>) -> Outcome {
    let items = call.items(0);
    if items.iter().any(Value::is_unknown) {
        // Which string stands where is not known, but how many there are.
        let unknown = call.unknown(Type::String);
        return Ok(Value::list(items.iter().map(|_| unknown.clone())));
    }
    if items.iter().any(Value::is_null) {
        return Err("an element is null".to_owned());
    }
    let mut sorted = items.to_vec();
    sorted.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    Ok(Value::list(sorted))
}
