//! `[for …]` and `{for …}`, and the iteration that template directives share with them.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::access;
use super::control::condition_of;
use super::elements::{self, Entry};
use super::evaluator::{Eval, Evaluator, MAX_ITEMS, Names, Stop, error, optional, unless_wrong};
use super::lift::{is_choice, one};
use crate::hcl::ast::{Expr, For};
use crate::source::Span;
use crate::value::{Element, Kind, Times, Type, Unknown, Value, convert};

/// Keys and values to iterate, or the unknown that they come from.
pub(super) enum Entries {
    Known(Vec<Entry>),
    Unknown,
}

impl Evaluator<'_> {
    pub(super) fn for_expression(&self, each: &For<'_>, names: Option<&Names<'_>>) -> Eval {
        let collection = self.eval(&each.collection, names)?;
        let plain = self.for_each_of(each, &collection, names)?;
        let value = self.lift(&[&collection], plain, |of| self.for_each_of(each, one(of), names));
        // Where the results of the alternatives are too many, of each element.
        if is_choice(&collection) && value.as_unknown().is_some_and(|unknown| unknown.partial.is_none()) {
            return self.for_some_of(each, &collection, names);
        }
        Ok(value)
    }

    fn for_each_of(&self, each: &For<'_>, collection: &Value, names: Option<&Names<'_>>) -> Eval {
        if is_choice(collection) {
            self.entries(collection, each.collection.span)?;
            return Ok(unknown(&[collection]));
        }
        self.for_some_of(each, collection, names)
    }

    fn for_some_of(&self, each: &For<'_>, collection: &Value, names: Option<&Names<'_>>) -> Eval {
        // Of a tuple some elements can be told where others cannot; of an object all keys must be known.
        let in_part = self.extended() && each.key.is_none();
        let entries = match self.entries(collection, each.collection.span)? {
            Entries::Known(entries) => entries,
            Entries::Unknown if in_part => elements::entries(collection).unwrap_or_default(),
            Entries::Unknown => return Ok(unknown(&[collection])),
        };
        let mut built = Built::default();
        let mut undecided = Vec::new();
        let mut sensitive = collection.sensitive;
        for Entry { key, value, times } in &entries {
            let outer = each.key_var.map(|name| Names::with(name.text, key, names));
            let inner = Names::with(each.value_var.text, value, outer.as_ref().or(names));
            let names = Some(&inner);
            let mut times = *times;
            if let Some(condition) = &each.condition {
                let keep = self.eval_there(condition, times, names)?;
                sensitive |= keep.sensitive;
                match there(condition_of(&keep, condition.span), times, None)? {
                    Some(true) => {}
                    Some(false) => continue,
                    None => {
                        undecided.push(keep);
                        if !in_part {
                            continue;
                        }
                        times = if times == Times::Once { Times::Perhaps } else { times };
                    }
                }
            }
            let key = match &each.key {
                Some(key) => {
                    let value = self.eval(key, names)?;
                    sensitive |= value.sensitive;
                    let Some(text) = object_key(&value, key)? else {
                        undecided.push(value);
                        continue;
                    };
                    Some((text, key.span))
                }
                None => None,
            };
            let value = self.eval_there(&each.value, times, names)?;
            built.push(key, Element { value, times }, each.group)?;
        }
        if undecided.is_empty() && !collection.is_unknown() {
            let result = built.finish(each);
            return Ok(result.mark(sensitive));
        }
        let operands: Vec<&Value> = undecided.iter().chain([collection]).collect();
        let unknown = unknown(&operands).mark(sensitive);
        if !in_part {
            return Ok(unknown);
        }
        Ok(self.collected(built.items, unknown).mark(sensitive))
    }

    /// The value of an expression about an element: what is wrong with one that may not be there may never be asked.
    fn eval_there(&self, expr: &Expr<'_>, times: Times, names: Option<&Names<'_>>) -> Eval {
        let result = self.eval(expr, names);
        if times == Times::Once { result } else { Ok(unless_wrong(optional(result)?)) }
    }

    /// What `for` iterates.
    pub(super) fn entries(&self, collection: &Value, span: Span) -> Eval<Entries> {
        let not_iterable = |ty: &Type| error(format!("a {} cannot be iterated", ty.word()), span);
        let once = |key: Value, value: Value| Entry { key, value, times: Times::Once };
        let entries: Vec<Entry> = match &collection.kind {
            Kind::Null => return error("null cannot be iterated", span),
            Kind::List(items) | Kind::Tuple(items) => items
                .iter()
                .enumerate()
                .map(|(at, item)| once(Value::number(at), access::nth(collection, item, at)))
                .collect(),
            Kind::Set(items) => items
                .iter()
                .map(|item| {
                    let item = access::nth(collection, item, 0);
                    once(item.clone(), item)
                })
                .collect(),
            Kind::Map(map) | Kind::Object(map) => map
                .iter()
                .map(|(key, item)| once(Value::string(key.clone()), access::entry(collection, item, key)))
                .collect(),
            Kind::Unknown(unknown) if unknown.ty.is_primitive() => return not_iterable(&unknown.ty),
            Kind::Unknown(_) => return Ok(Entries::Unknown),
            Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => return not_iterable(&Type::of(collection)),
        };
        self.charge(entries.len())?;
        Ok(Entries::Known(entries))
    }
}

/// What is told of an element; of one that may not be there `otherwise` instead of an error.
fn there<T>(result: Eval<T>, times: Times, otherwise: T) -> Eval<T> {
    result.or_else(|stop| if times == Times::Once { Err(stop) } else { Ok(otherwise) })
}

/// The key of an entry, [`None`] if it is unknown.
fn object_key(value: &Value, key: &Expr<'_>) -> Eval<Option<SmolStr>> {
    if value.is_unknown() {
        return Ok(None);
    }
    match convert(value, &Type::String) {
        Ok(value) if value.is_null() => error("a key cannot be null", key.span),
        Ok(value) => Ok(value.as_str().map(Into::into)),
        Err(why) => error(format!("this value cannot be a key: {why}"), key.span),
    }
}

/// The result so far.
#[derive(Default)]
struct Built {
    items: Vec<Element>,
    entries: BTreeMap<SmolStr, Vec<Value>>,
    count: usize,
}

impl Built {
    fn push(&mut self, key: Option<(SmolStr, Span)>, element: Element, group: bool) -> Eval<()> {
        self.count += 1;
        if self.count > MAX_ITEMS {
            return Err(Stop::Limit("a collection is too large"));
        }
        match key {
            None => self.items.push(element),
            Some((key, span)) => {
                let values = self.entries.entry(key).or_default();
                if !group && !values.is_empty() {
                    // Not which: a key may be sensitive.
                    return error(
                        "two elements have the same key; `...` after the value would group them",
                        span,
                    );
                }
                values.push(element.value);
            }
        }
        Ok(())
    }

    fn finish(self, each: &For<'_>) -> Value {
        if each.key.is_none() {
            return Value::tuple(self.items.into_iter().map(|element| element.value));
        }
        Value::object(self.entries.into_iter().map(|(key, mut values)| {
            let value = if each.group { Value::tuple(values) } else { values.pop().unwrap_or(Value::NULL) };
            (key, value)
        }))
    }
}

/// Unknown of any type; Terraform does not even know that it is not null.
fn unknown(operands: &[&Value]) -> Value {
    Value::from_unknown(Unknown::of_operands(operands))
        .mark(operands.iter().any(|operand| operand.holds_sensitive()))
        .computed_from(operands.iter().copied())
}
