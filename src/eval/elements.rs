//! Collections of which only some elements are known: what `for`, splats and a few functions make of them in extended mode.
//!
//! The order of such elements is never asked for: what comes before an element may not be there.

use super::access;
use super::evaluator::Evaluator;
use crate::value::{Element, Kind, Partial, Times, Truth, Type, Unknown, Value, convert, equal};

/// More elements are not counted.
const MAX_COUNTED: usize = 64;

/// Lists that nest deeper are not flattened.
const MAX_NESTED: usize = 16;

/// An element as `for` and `dynamic` see it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its index or key, or in a set the element itself.
    pub key: Value,
    /// The element.
    pub value: Value,
    /// How often it is there.
    pub times: Times,
}

/// What can be told of the elements of an unknown collection; [`None`] if it has no elements.
pub fn entries(collection: &Value) -> Option<Vec<Entry>> {
    let unknown = collection.as_unknown()?;
    if unknown.ty.is_primitive() {
        return None;
    }
    Some(match &unknown.partial {
        Some(Partial::Elements(elements)) => {
            let entry = |element: &Element| {
                let value = access::some(collection, &element.value).mark(collection.sensitive);
                Entry { key: key(collection, &value), value, times: element.times }
            };
            elements.iter().map(entry).collect()
        }
        Some(Partial::Choice(_)) => match alternatives(&collection.choices().iter().collect::<Vec<_>>()) {
            Some(entries) => entries,
            None => vec![any(collection)],
        },
        _ => vec![any(collection)],
    })
}

/// The one entry that stands for any.
fn any(collection: &Value) -> Entry {
    let value = access::any_element(collection);
    Entry { key: key(collection, &value), value, times: Times::Any }
}

/// The key of an element whose place is not known.
fn key(collection: &Value, element: &Value) -> Value {
    let ty = match collection.as_unknown().map(|unknown| &unknown.ty) {
        Some(Type::Set(_)) => return element.clone(),
        Some(Type::Map(_) | Type::Object(_)) => Type::String,
        Some(Type::List(_) | Type::Tuple(_)) => Type::Number,
        _ => Type::Any,
    };
    Value::unknown_from(&[collection], ty)
}

/// The entries of several collections of which it is one: what all of them begin with is there, the rest may be.
fn alternatives(choice: &[&Value]) -> Option<Vec<Entry>> {
    let all: Vec<Vec<(Value, Value)>> =
        choice.iter().map(|collection| known(collection)).collect::<Option<_>>()?;
    let longest = all.iter().map(Vec::len).max()?;
    let mut out = Vec::new();
    for at in 0..longest {
        let mut different: Vec<&(Value, Value)> = Vec::new();
        for entry in all.iter().filter_map(|entries| entries.get(at)) {
            let is_known = |known: &&(Value, Value)| same(&known.0, &entry.0) && same(&known.1, &entry.1);
            if !different.iter().any(is_known) {
                different.push(entry);
            }
        }
        let in_all = different.len() == 1 && all.iter().all(|entries| entries.len() > at);
        let times = if in_all { Times::Once } else { Times::Perhaps };
        out.extend(different.into_iter().map(|(key, value)| Entry {
            key: key.clone(),
            value: value.clone(),
            times,
        }));
    }
    Some(out)
}

fn same(a: &Value, b: &Value) -> bool {
    a.sensitive == b.sensitive && a.is_same(b)
}

/// Keys and elements of a known collection; of null none.
fn known(collection: &Value) -> Option<Vec<(Value, Value)>> {
    let of = |value: &Value| access::some(collection, value).mark(collection.sensitive);
    Some(match &collection.kind {
        Kind::Null => Vec::new(),
        Kind::Set(items) => items.iter().map(|item| (of(item), of(item))).collect(),
        Kind::List(items) | Kind::Tuple(items) => {
            (0_i64..).zip(items.iter()).map(|(at, item)| (Value::int(at), of(item))).collect()
        }
        Kind::Map(map) | Kind::Object(map) => {
            map.iter().map(|(key, item)| (Value::string(key.clone()), of(item))).collect()
        }
        _ => return None,
    })
}

impl Evaluator<'_> {
    /// `otherwise`, which is one of `choice`: which, if that can be told; else, of lists, sets and tuples, the elements that
    /// are there in all of them, and those that may be.
    pub(super) fn one_of(&self, choice: &[&Value], otherwise: &Value) -> Value {
        let joined = self.join(choice, otherwise);
        let is_told = joined.as_unknown().is_none_or(|unknown| unknown.partial.is_some());
        if is_told || choice.iter().any(|value| value.items().is_none()) {
            return joined;
        }
        let Some(entries) = alternatives(choice) else { return joined };
        let elements = entries.into_iter().map(|entry| Element { value: entry.value, times: entry.times });
        let partial = Partial::elements(elements.collect());
        self.partly(joined, partial)
    }

    /// What `otherwise` says of a collection, and these elements of it, where there is room for them.
    pub(super) fn collected(&self, elements: Vec<Element>, otherwise: Value) -> Value {
        match elements.as_slice() {
            [] => Value::tuple([]),
            [only] if only.times == Times::Once => Value::tuple([only.value.clone()]),
            // Of several nobody knows the order.
            _ => self.partly(otherwise, Partial::elements(elements)),
        }
    }

    /// What a function makes of a collection of which only some elements are known; [`None`] where that tells nothing more.
    pub(super) fn of_elements(&self, name: &str, args: &[Value]) -> Option<Value> {
        let value = match (name, args) {
            ("anytrue", [list]) => logic(list, true)?,
            ("alltrue", [list]) => logic(list, false)?,
            ("length", [list]) => length(list)?,
            ("concat", lists) if lists.iter().any(Value::is_unknown) => return self.concat(lists),
            ("distinct", [list]) => return self.distinct(list),
            ("flatten", [list]) => return self.flatten(list),
            _ => return None,
        };
        let partial = value.as_unknown().and_then(|unknown| unknown.partial.clone());
        Some(self.partly(value.with_partial(None), partial))
    }

    /// The elements of all lists, of an unknown one what any of its elements is.
    fn concat(&self, lists: &[Value]) -> Option<Value> {
        let elements: Vec<Vec<Element>> = lists.iter().map(elements).collect::<Option<_>>()?;
        let elements = elements.into_iter().flatten().collect();
        let operands: Vec<&Value> = lists.iter().collect();
        let unknown = Unknown { not_null: true, ..Unknown::of_operands(&operands) };
        let sensitive = lists.iter().any(|list| list.sensitive);
        Some(self.collected(elements, Value::from_unknown(unknown)).mark(sensitive))
    }

    /// The elements of a list, each once: what may be another one already there is there perhaps.
    fn distinct(&self, list: &Value) -> Option<Value> {
        let all = elements(list)?;
        if all.len() > MAX_COUNTED {
            return None;
        }
        let mut kept: Vec<Element> = Vec::new();
        for mut element in all {
            let truths = || kept.iter().map(|other| (equal(&other.value, &element.value), other.times));
            if truths().any(|(truth, times)| truth == Truth::Yes && times == Times::Once) {
                continue;
            }
            if element.times == Times::Once && truths().any(|(truth, _)| truth != Truth::No) {
                element.times = Times::Perhaps;
            }
            kept.push(element);
        }
        let unknown = Unknown { not_null: true, ..Unknown::of_operands(&[list]) };
        Some(self.collected(kept, Value::from_unknown(unknown)).mark(list.sensitive))
    }

    /// The elements of a list, those of lists in it in their place.
    fn flatten(&self, list: &Value) -> Option<Value> {
        let (mut flat, mut sensitive) = (Vec::new(), false);
        flatten(list, Times::Once, MAX_NESTED, &mut flat, &mut sensitive)?;
        let unknown = Unknown { not_null: true, ..Unknown::of_operands(&[list]) };
        Some(self.collected(flat, Value::from_unknown(unknown)).mark(sensitive))
    }
}

/// Puts the elements of a list, which is there so often, where they belong; [`None`] if they cannot be told or nest too deep.
fn flatten(
    list: &Value,
    times: Times,
    depth: usize,
    flat: &mut Vec<Element>,
    sensitive: &mut bool,
) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    *sensitive |= list.sensitive;
    for element in elements(list)? {
        let times = match (times, element.times) {
            (Times::Once, inner) => inner,
            (Times::Any, _) | (_, Times::Any) => Times::Any,
            (Times::Perhaps, _) => Times::Perhaps,
        };
        let value = element.value;
        match (&value.kind, value.as_unknown().map(|unknown| &unknown.ty)) {
            (Kind::List(_) | Kind::Set(_) | Kind::Tuple(_), _)
            | (_, Some(Type::List(_) | Type::Set(_) | Type::Tuple(_))) => {
                flatten(&value, times, depth, flat, sensitive)?;
            }
            // It may be a list or none.
            (_, Some(Type::Any)) if value.elements().is_none() => {
                *sensitive |= value.sensitive;
                flat.push(Element { value: Value::unknown_from(&[&value], Type::Any), times: Times::Any });
            }
            (_, Some(Type::Any)) => flatten(&value, times, depth, flat, sensitive)?,
            _ => flat.push(Element { value, times }),
        }
    }
    Some(())
}

/// The elements of a list, set or tuple.
fn elements(list: &Value) -> Option<Vec<Element>> {
    let Some(items) = list.items() else {
        let element = |entry: Entry| Element { value: entry.value, times: entry.times };
        return entries(list).map(|entries| entries.into_iter().map(element).collect());
    };
    let once = |item| Element { value: access::some(list, item).mark(list.sensitive), times: Times::Once };
    Some(items.iter().map(once).collect())
}

/// What `unknown` says of a collection, and these elements of it; where they are too many, any of which nothing is known.
pub fn collected(elements: Vec<Element>, unknown: Value) -> Value {
    let partial = Partial::elements(elements).or_else(|| {
        let any = Value { kind: unknown.kind.clone(), ..Value::NULL };
        Partial::elements(vec![Element { value: access::any_element(&any), times: Times::Any }])
    });
    unknown.with_partial(partial)
}

/// `anytrue` if one `true` decides, `alltrue` if one `false` does.
fn logic(list: &Value, decides: bool) -> Option<Value> {
    let elements = entries(list)?;
    let mut open: Option<&Value> = None;
    for element in &elements {
        let value = convert(&element.value, &Type::Bool).ok()?;
        // A null is no `true`.
        let truth = if value.is_null() { Some(false) } else { value.as_bool() };
        match truth {
            Some(truth) if truth != decides => {}
            Some(_) if element.times == Times::Once => {
                return Some(
                    Value { origin: value.origin, ..Value::bool(decides) }.mark(list.holds_sensitive()),
                );
            }
            // Whether it is there decides.
            Some(_) => {
                open.get_or_insert(list);
            }
            None => {
                open.get_or_insert(&element.value);
            }
        }
    }
    let sensitive = elements.iter().any(|element| element.value.holds_sensitive());
    let value = open.map_or_else(|| Value::bool(!decides), |open| Value::unknown_from(&[open], Type::Bool));
    Some(value.mark(sensitive || list.sensitive))
}

/// A number that is one of a few.
fn length(list: &Value) -> Option<Value> {
    let elements = entries(list)?;
    if elements.len() > MAX_COUNTED || elements.iter().any(|element| element.times == Times::Any) {
        return None;
    }
    // Those that may be equal may be one.
    let mut apart: Vec<&Value> = Vec::new();
    for element in elements.iter().filter(|element| element.times == Times::Once) {
        if apart.iter().all(|other| equal(other, &element.value) == Truth::No) {
            apart.push(&element.value);
        }
    }
    let least = apart.len();
    let numbers: Vec<Value> =
        (least..=elements.len()).take(Partial::MAX_CHOICES + 1).map(Value::number).collect();
    if let [only] = numbers.as_slice() {
        return Some(only.clone().mark(list.sensitive));
    }
    let partial = Partial::choice(&numbers)?;
    Some(Value::unknown_from(&[list], Type::Number).with_partial(Some(partial)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Cause;

    fn partial(ty: Type, partial: Partial) -> Value {
        Value::from_unknown(Unknown { ty, partial: Some(partial), ..Unknown::new(Cause::Plan) })
    }

    /// `[1, perhaps 2, any 3]`
    fn some_of(ty: Type) -> Value {
        let element = |value, times| Element { value: Value::int(value), times };
        let elements = [element(1, Times::Once), element(2, Times::Perhaps), element(3, Times::Any)];
        partial(ty, Partial::Elements(elements.into()))
    }

    fn told(entries: Option<Vec<Entry>>) -> Vec<(String, Times)> {
        let text = |entry: Entry| (format!("{:?}={:?}", entry.key.kind, entry.value.kind), entry.times);
        entries.unwrap().into_iter().map(text).collect()
    }

    #[test]
    fn of_several_collections_what_all_begin_with_is_certain() {
        let list = |items: &[i64]| Value::tuple(items.iter().map(|item| Value::int(*item)));
        let choice = [list(&[1, 2, 3]), list(&[1, 4]), Value::NULL];
        let two = told(entries(&partial(Type::Any, Partial::Choice(choice[..2].into()))));
        let times: Vec<Times> = two.iter().map(|(_, times)| *times).collect();
        assert_eq!(times, [Times::Once, Times::Perhaps, Times::Perhaps, Times::Perhaps]);
        let with_null = told(entries(&partial(Type::Any, Partial::Choice(choice.into()))));
        assert!(with_null.iter().all(|(_, times)| *times == Times::Perhaps), "{with_null:?}");
        let odd = [list(&[1]), Value::unknown(Cause::Plan)];
        let [(_, times)] = told(entries(&partial(Type::Any, Partial::Choice(odd.into()))))[..] else {
            panic!("one entry stands for any")
        };
        assert_eq!(times, Times::Any);
        assert!(entries(&partial(Type::String, Partial::Choice([].into()))).is_none());
        assert!(entries(&Value::tuple([])).is_none());
    }

    #[test]
    fn the_key_of_an_element_is_known_in_a_set_only() {
        let keys = |ty| {
            let keys = entries(&some_of(ty)).unwrap().into_iter().map(|entry| entry.key);
            keys.map(|key| key.is_unknown()).collect::<Vec<_>>()
        };
        assert_eq!(keys(Type::set(Type::Number)), [false; 3]);
        assert_eq!(keys(Type::list(Type::Number)), [true; 3]);
    }

    #[test]
    fn a_length_is_one_of_a_few() {
        let lengths_of = |values: &[i64], times: &[Times]| -> Option<Vec<String>> {
            let element =
                |(value, times): (&i64, &Times)| Element { value: Value::int(*value), times: *times };
            let elements = values.iter().cycle().zip(times).map(element).collect();
            let value = length(&partial(Type::Any, Partial::Elements(elements)))?;
            let Some(Partial::Choice(choice)) = &value.as_unknown()?.partial else { return None };
            Some(choice.iter().map(|value| format!("{:?}", value.kind)).collect())
        };
        let (once, perhaps) = (Times::Once, Times::Perhaps);
        assert_eq!(lengths_of(&[1, 2, 3], &[once, once, perhaps]).unwrap().len(), 2);
        // Both may be the same.
        assert_eq!(lengths_of(&[1], &[once, once, perhaps]).unwrap().len(), 3);
        assert_eq!(lengths_of(&[1, 2], &[once, Times::Any]), None);
        assert_eq!(lengths_of(&[1], &[perhaps; 20]), None);
    }

    #[test]
    fn logic_is_decided_by_what_is_certain() {
        let list = |items: &[(Option<bool>, Times)]| {
            let value = |truth: Option<bool>| truth.map_or(Value::unknown(Cause::Provider), Value::bool);
            let elements = items.iter().map(|(truth, times)| Element { value: value(*truth), times: *times });
            partial(Type::Any, Partial::Elements(elements.collect()))
        };
        let ask = |name: &str, items: &[(Option<bool>, Times)]| {
            logic(&list(items), name == "anytrue").and_then(|value| value.as_bool())
        };
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(ask("anytrue", &[(yes, Times::Once), (None, Times::Any)]), Some(true));
        assert_eq!(ask("anytrue", &[(yes, Times::Perhaps), (no, Times::Once)]), None);
        assert_eq!(ask("anytrue", &[(no, Times::Any), (no, Times::Once)]), Some(false));
        assert_eq!(ask("alltrue", &[(no, Times::Once), (None, Times::Once)]), Some(false));
        assert_eq!(ask("alltrue", &[(yes, Times::Any), (yes, Times::Once)]), Some(true));
        assert_eq!(ask("alltrue", &[(no, Times::Any), (yes, Times::Once)]), None);
    }
}
