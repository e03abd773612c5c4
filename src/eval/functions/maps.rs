//! Maps and objects.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::call::{Call, Outcome};
use crate::value::{Kind, Map, Type, Value, convert};

const MAP: &str = "a map or object is required";

pub(super) fn keys(call: &Call<'_>) -> Outcome {
    let value = call.value(0);
    let keys = value.map().ok_or(MAP)?.keys().map(|key| Value::string(key.clone()));
    Ok(if matches!(value.kind, Kind::Map(_)) { Value::list(keys) } else { Value::tuple(keys) })
}

pub(super) fn values(call: &Call<'_>) -> Outcome {
    let value = call.value(0);
    let values = value.map().ok_or(MAP)?.values().cloned();
    Ok(if matches!(value.kind, Kind::Map(_)) { Value::list(values) } else { Value::tuple(values) })
}

pub(super) fn lookup(call: &Call<'_>) -> Outcome {
    if call.args.len() > 3 {
        return Err("at most three arguments are allowed".to_owned());
    }
    let value = call.value(0);
    if !value.is_unknown() && value.map().is_none() {
        return Err(MAP.to_owned());
    }
    let (Some(map), Some(key)) = (value.map(), call.value(1).as_str()) else {
        return Ok(Value::from_unknown(super::call::unknown(call.args, Type::of(value).element(), false)));
    };
    let default = call.args.get(2);
    match (map.get(key), default, &value.kind) {
        (Some(found), Some(default), Kind::Map(_)) => {
            // A default of another type that converts is no error, one that does not is.
            let ty = Type::of(value).element();
            convert(default, &ty)?;
            Ok(found.clone())
        }
        (Some(found), _, _) => Ok(found.clone()),
        (None, Some(default), Kind::Map(_)) => convert(default, &Type::of(value).element()),
        (None, Some(default), _) => Ok(default.clone()),
        (None, None, _) => Err("the key does not exist, and there is no default".to_owned()),
    }
}

pub(super) fn merge(call: &Call<'_>) -> Outcome {
    let given = || call.args.iter().filter(|arg| !arg.is_null());
    if given().any(|arg| arg.map().is_none() && !arg.is_unknown()) {
        return Err("all arguments must be maps or objects".to_owned());
    }
    if given().any(Value::is_unknown) {
        return Ok(call.unknown(Type::Any));
    }
    let entries = given().filter_map(Value::map).flat_map(Map::iter);
    let entries = entries.map(|(key, value)| (key.clone(), value.clone()));
    let types: Vec<Type> = given().map(|arg| Type::of(arg).element()).collect();
    let same = types.iter().zip(types.iter().skip(1)).all(|(a, b)| !a.conflicts(b));
    let maps = given().all(|arg| matches!(arg.kind, Kind::Map(_)));
    Ok(if maps && same && !types.is_empty() { Value::map_of(entries) } else { Value::object(entries) })
}

pub(super) fn transpose(call: &Call<'_>) -> Outcome {
    let mut out: BTreeMap<SmolStr, Vec<Value>> = BTreeMap::new();
    for (key, list) in call.value(0).map().into_iter().flat_map(Map::iter) {
        for item in list.items().ok_or("a value is null")? {
            let item = item.as_str().ok_or("an element is null")?;
            out.entry(item.into()).or_default().push(Value::string(key.clone()));
        }
    }
    Ok(Value::map_of(out.into_iter().map(|(key, list)| (key, Value::list(list)))))
}

pub(super) fn zipmap(call: &Call<'_>) -> Outcome {
    let (keys, values) = (call.value(0), call.value(1));
    if !keys.is_wholly_known() || values.is_unknown() {
        return Ok(call.unknown(match &values.kind {
            Kind::List(_) => Type::map(Type::of(values).element()),
            _ => Type::Any,
        }));
    }
    let (Kind::List(items) | Kind::Tuple(items)) = &values.kind else {
        return Err("the values must be a list or tuple".to_owned());
    };
    let keys: Option<Vec<SmolStr>> =
        call.items(0).iter().map(|key| key.as_str().map(SmolStr::from)).collect();
    let keys = keys.ok_or("a key is null")?;
    if keys.len() != items.len() {
        return Err("there must be as many keys as values".to_owned());
    }
    // A sensitive key makes the whole sensitive.
    let sensitive = call.value(0).holds_sensitive();
    let entries = keys.into_iter().zip(items.iter().cloned());
    let result = match &values.kind {
        Kind::List(_) => Value::map_of(entries),
        _ => Value::object(entries),
    };
    Ok(result.mark(sensitive))
}
