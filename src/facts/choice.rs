//! What is asked of a value that is one of a few: each is asked, and where they agree that is the answer.

use crate::value::{Partial, Truth, Unknown, Value, equal};

/// What `ask` says of the value; of one of a few, what it says of each: that answer, or one of the answers.
pub(super) fn of_each(value: &Value, ask: impl Fn(&Value) -> Value) -> Value {
    let Some(unknown) = value.as_unknown() else { return ask(value) };
    let Some(Partial::Choice(all)) = &unknown.partial else { return ask(value) };
    let mut answers: Vec<Value> = Vec::new();
    for one in all.iter() {
        let mut answer = ask(one);
        answer.sensitive |= value.sensitive;
        // Two that are not known are not the same.
        if !answers.iter().any(|other| equal(other, &answer) == Truth::Yes) {
            answers.push(answer);
        }
    }
    if let [only] = answers.as_slice() {
        return only.clone();
    }
    let sensitive = answers.iter().any(|answer| answer.sensitive);
    let nested = answers
        .iter()
        .any(|answer| matches!(answer.as_unknown(), Some(Unknown { partial: Some(Partial::Choice(_)), .. })));
    let partial = (!nested && answers.len() > 1).then(|| Partial::Choice(answers.into()));
    Value::from_unknown(Unknown { partial, ..Unknown::new(unknown.cause.clone()) }).mark(sensitive)
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
        let unknown = starts("eu");
        let Some(Partial::Choice(answers)) = &unknown.as_unknown().unwrap().partial else {
            panic!("{unknown:?}")
        };
        assert_eq!(answers.iter().map(Value::as_bool).collect::<Vec<_>>(), [Some(true), Some(false)]);
        assert_eq!(unknown.as_unknown().unwrap().cause, Cause::Variable("x".into()));
    }

    #[test]
    fn a_sensitive_alternative_marks_the_answer() {
        let value = choice(&[Value::string("a"), Value::string("b").mark(true)]);
        assert!(of_each(&value, |one| one.clone()).sensitive);
    }
}
