//! Choices: a value that is one of a few makes a document one of a few. Each reading of the value takes one way through
//! its choices, and the next reading the next way.

use crate::value::{Cause, Partial, Value};

/// A way through choices.
#[derive(Debug, Default)]
pub(super) struct Picks {
    /// What is picked at each choice, and out of how many.
    way: Vec<(usize, usize)>,
    /// The next choice of this reading.
    at: usize,
    /// Why it is not known which of the first choice it is.
    cause: Option<Cause>,
}

impl Picks {
    /// A value is not read in more ways; further choices are unknown values.
    const MAX: usize = Partial::MAX_CHOICES;

    /// What is picked of the value, if it is one of several; else the value itself.
    pub(super) fn pick<'v>(&mut self, mut value: &'v Value) -> &'v Value {
        while let Some(unknown) = value.as_unknown() {
            let Some(Partial::Choice(values)) = &unknown.partial else { break };
            let Some(picked) = self.next(values.len()).and_then(|picked| values.get(picked)) else { break };
            self.cause.get_or_insert_with(|| unknown.cause.clone());
            value = picked;
        }
        value
    }

    fn next(&mut self, of: usize) -> Option<usize> {
        if self.at == self.way.len() {
            let ways: usize = self.way.iter().map(|(_, of)| of).product();
            if ways.saturating_mul(of) > Self::MAX || of == 0 {
                return None;
            }
            self.way.push((0, of));
        }
        let (picked, _) = self.way.get(self.at)?;
        self.at += 1;
        Some(*picked)
    }

    /// Turns to the next way; false if there is none.
    pub(super) fn advance(&mut self) -> bool {
        self.at = 0;
        while let Some((picked, of)) = self.way.pop() {
            if picked + 1 < of {
                self.way.push((picked + 1, of));
                return true;
            }
        }
        false
    }

    /// Why it is not known which way it is, if there is more than one.
    pub(super) fn into_cause(self) -> Option<Cause> {
        self.cause
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Unknown;

    fn choice(values: &[Value]) -> Value {
        let partial = Some(Partial::Choice(values.into()));
        Value::from_unknown(Unknown { partial, ..Unknown::new(Cause::Variable("x".into())) })
    }

    /// All readings of the values, each as the texts that were picked, `?` for what is not.
    fn readings(values: &[Value]) -> Vec<String> {
        let mut picks = Picks::default();
        let mut all = Vec::new();
        loop {
            all.push(values.iter().map(|value| picks.pick(value).as_str().unwrap_or("?")).collect());
            if !picks.advance() {
                return all;
            }
        }
    }

    #[test]
    fn every_way_is_taken_once() {
        let [a, b, c] = ["a", "b", "c"].map(Value::string);
        let nested = choice(&[a.clone(), choice(&[b.clone(), c.clone()])]);
        assert_eq!(readings(std::slice::from_ref(&nested)), ["a", "b", "c"]);
        assert_eq!(readings(&[nested, choice(&[b, c])]), ["ab", "ac", "bb", "bc", "cb", "cc"]);
        assert_eq!(readings(&[a]), ["a"]);
    }

    #[test]
    fn more_than_a_few_ways_are_not_taken() {
        let two = choice(&[Value::string("a"), Value::string("b")]);
        let all = readings(&vec![two; 40]);
        assert_eq!(all.len(), 8);
        assert!(all.iter().all(|picked| picked.ends_with(&"?".repeat(37))), "{all:?}");
    }
}
