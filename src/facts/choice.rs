//! What is asked of a value that is one of a few: each is asked, and where they agree that is the answer.

use crate::value::{Partial, Type, Unknown, Value};

/// What `ask` says of the value; of one of a few, what it says of each: that answer, or one of the answers.
pub(super) fn of_each(value: &Value, ask: impl Fn(&Value) -> Value) -> Value {
    let Some(unknown) = value.as_unknown().filter(|unknown| unknown.alternatives().is_some()) else {
        return ask(value);
    };
    let answers: Vec<Value> = value.choices().iter().map(|one| ask(one).mark(one.sensitive)).collect();
    if let Some((first, rest)) = answers.split_first()
        && rest.iter().all(|answer| first.is_same(answer))
    {
        return first.clone();
    }
    let not_null = |answer: &Value| answer.as_unknown().map_or(!answer.is_null(), |unknown| unknown.not_null);
    let types: Vec<Type> = answers.iter().filter(|answer| !answer.is_null()).map(Type::of).collect();
    let ty = types.first().filter(|first| types.iter().all(|ty| ty == *first)).cloned().unwrap_or_default();
    let one_of = Unknown {
        ty,
        not_null: answers.iter().all(not_null),
        partial: Partial::choice(&answers),
        ..Unknown::new(unknown.cause.clone())
    };
    Value::from_unknown(one_of).mark(answers.iter().any(|answer| answer.sensitive))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Cause;

    fn choice(values: &[Value]) -> Value {
        let partial = Some(Partial::Choice(values.into()));
        Value::from_unknown(Unknown { partial, ..Unknown::new(Cause::Variable("x".into())) })
    }

    #[test]
    fn they_agree_or_it_is_one_of_the_answers() {
        let regions = choice(&["eu-west-1", "eu-west-3", "us-east-1"].map(Value::string));
        let starts = |with: &'static str| {
            of_each(&regions, |region| {
                Value::bool(region.as_str().is_some_and(|text| text.starts_with(with)))
            })
        };
        assert_eq!(starts("ap").as_bool(), Some(false));
        let either = starts("eu");
        let either = either.as_unknown().unwrap();
        assert_eq!((either.not_null, &either.cause), (true, &Cause::Variable("x".into())));
        let parts = of_each(&regions, |region| {
            Value::string(region.as_str().unwrap_or_default().split_once('-').unwrap().0)
        });
        let parts = parts.choices();
        assert_eq!(parts.iter().filter_map(Value::as_str).collect::<Vec<_>>(), ["eu", "us"]);
    }

    #[test]
    fn a_sensitive_alternative_marks_the_answer() {
        let value = choice(&[Value::string("a"), Value::string("b").mark(true)]);
        assert!(of_each(&value, Value::clone).sensitive);
    }
}
