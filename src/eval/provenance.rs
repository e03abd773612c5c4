//! The way that what a function gives came: what it passes on comes the way of its arguments, see [`crate::value::Step`].

use std::borrow::Cow;
use std::sync::Arc;

use crate::value::{Kind, Map, Value};

/// Whether the result of a function holds elements of its arguments. All others pass on an argument whole, or make a new value.
fn passes_on(name: &str) -> bool {
    matches!(
        name,
        "chunklist"
            | "compact"
            | "concat"
            | "distinct"
            | "element"
            | "flatten"
            | "lookup"
            | "matchkeys"
            | "merge"
            | "one"
            | "reverse"
            | "setintersection"
            | "setproduct"
            | "setsubtract"
            | "setunion"
            | "slice"
            | "sort"
            | "values"
            | "zipmap"
    )
}

/// The arguments for function `name`: where it takes elements out of collections, with the way of the collections.
pub(super) fn arguments<'v>(name: &str, args: &'v [Value]) -> Cow<'v, [Value]> {
    let hands_on = |arg: &Value| arg.items().is_some() || arg.map().is_some();
    if !passes_on(name) || !args.iter().any(hands_on) {
        return Cow::Borrowed(args);
    }
    let deep = name == "flatten";
    args.iter().map(|arg| spread(arg, deep)).collect::<Vec<_>>().into()
}

/// What function `name` gave for `args`, with the way that it came.
pub(super) fn result(name: &str, value: Value, args: &[Value]) -> Value {
    // Elements that were passed on came the way of one argument, and others of none.
    let elements_tell = passes_on(name) && (value.items().is_some() || value.map().is_some());
    // Of a template that is known its own evaluation told.
    let is_template = matches!(name, "templatefile" | "templatestring") && !value.is_unknown();
    if elements_tell || is_template { value } else { value.computed_from(args) }
}

/// A collection whose way its elements have.
fn spread(value: &Value, deep: bool) -> Value {
    if value.via.is_none() && !deep {
        return value.clone();
    }
    let part = |item: &Value| {
        let item = value.handing_on(item.clone());
        if deep && item.items().is_some() { spread(&item, deep) } else { item }
    };
    let items = |items: &[Value]| items.iter().map(part).collect();
    let map = |map: &Arc<Map>| {
        let mut map = Map::clone(map);
        map.values_mut().for_each(|item| *item = part(item));
        Arc::new(map)
    };
    let kind = match &value.kind {
        Kind::List(list) => Kind::List(items(list)),
        Kind::Set(set) => Kind::Set(items(set)),
        Kind::Tuple(tuple) => Kind::Tuple(items(tuple)),
        Kind::Map(entries) => Kind::Map(map(entries)),
        Kind::Object(entries) => Kind::Object(map(entries)),
        _ => return value.clone(),
    };
    Value { kind, via: None, ..value.clone() }
}
