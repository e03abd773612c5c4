//! `[for …]` and `{for …}`, and the iteration that template directives share with them.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::access;
use super::control::condition_of;
use super::evaluator::{Eval, Evaluator, MAX_ITEMS, Names, Stop, error};
use super::lift::one;
use crate::hcl::ast::{Expr, For};
use crate::source::Span;
use crate::value::{Kind, Type, Unknown, Value, convert};

/// Keys and values to iterate, or the unknown that they come from.
pub(super) enum Entries {
    Known(Vec<(Value, Value)>),
    Unknown,
}

impl Evaluator<'_> {
    pub(super) fn for_expression(&self, each: &For<'_>, names: Option<&Names<'_>>) -> Eval {
        let collection = self.eval(&each.collection, names)?;
        let plain = self.for_each_of(each, &collection, names)?;
        Ok(self.lift(&[&collection], plain, |of| self.for_each_of(each, one(of), names)))
    }

    fn for_each_of(&self, each: &For<'_>, collection: &Value, names: Option<&Names<'_>>) -> Eval {
        let Entries::Known(entries) = self.entries(collection, each.collection.span)? else {
            return Ok(unknown(&[collection]));
        };
        let mut built = Built::default();
        let mut undecided = Vec::new();
        let mut sensitive = collection.sensitive;
        for (key, value) in &entries {
            let outer = each.key_var.map(|name| Names::with(name.text, key, names));
            let inner = Names::with(each.value_var.text, value, outer.as_ref().or(names));
            let names = Some(&inner);
            if let Some(condition) = &each.condition {
                let keep = self.eval(condition, names)?;
                sensitive |= keep.sensitive;
                match condition_of(&keep, condition.span)? {
                    Some(true) => {}
                    Some(false) => continue,
                    None => {
                        undecided.push(keep);
                        continue;
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
            built.push(key, self.eval(&each.value, names)?, each.group)?;
        }
        if undecided.is_empty() {
            let result = built.finish(each);
            return Ok(result.mark(sensitive));
        }
        let operands: Vec<&Value> = undecided.iter().chain([collection]).collect();
        Ok(unknown(&operands).mark(sensitive))
    }

    /// What `for` iterates.
    pub(super) fn entries(&self, collection: &Value, span: Span) -> Eval<Entries> {
        let not_iterable = |ty: &Type| error(format!("a {} cannot be iterated", ty.word()), span);
        let entries: Vec<(Value, Value)> = match &collection.kind {
            Kind::Null => return error("null cannot be iterated", span),
            Kind::List(items) | Kind::Tuple(items) => items
                .iter()
                .enumerate()
                .map(|(at, item)| (Value::number(at), access::nth(collection, item, at)))
                .collect(),
            Kind::Set(items) => items
                .iter()
                .map(|item| {
                    let item = access::nth(collection, item, 0);
                    (item.clone(), item)
                })
                .collect(),
            Kind::Map(map) | Kind::Object(map) => map
                .iter()
                .map(|(key, item)| (Value::string(key.clone()), access::entry(collection, item, key)))
                .collect(),
            Kind::Unknown(unknown) if unknown.ty.is_primitive() => return not_iterable(&unknown.ty),
            Kind::Unknown(_) => return Ok(Entries::Unknown),
            Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => return not_iterable(&Type::of(collection)),
        };
        self.charge(entries.len())?;
        Ok(Entries::Known(entries))
    }
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
    items: Vec<Value>,
    entries: BTreeMap<SmolStr, Vec<Value>>,
    count: usize,
}

impl Built {
    fn push(&mut self, key: Option<(SmolStr, Span)>, value: Value, group: bool) -> Eval<()> {
        self.count += 1;
        if self.count > MAX_ITEMS {
            return Err(Stop::Limit("a collection is too large"));
        }
        match key {
            None => self.items.push(value),
            Some((key, span)) => {
                let values = self.entries.entry(key).or_default();
                if !group && !values.is_empty() {
                    // Not which: a key may be sensitive.
                    return error(
                        "two elements have the same key; `...` after the value would group them",
                        span,
                    );
                }
                values.push(value);
            }
        }
        Ok(())
    }

    fn finish(self, each: &For<'_>) -> Value {
        if each.key.is_none() {
            return Value::tuple(self.items);
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
