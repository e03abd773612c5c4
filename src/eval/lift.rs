//! What is computed from one of a few values is one of the results: extended mode applies what it evaluates to each.
//!
//! Two uses of one unknown count as independent of each other, so more results may be told than there can be, never fewer.
//! A combination that is in error is left out: there the value does not exist, because Terraform ends. If all are, the
//! value stays an unknown without alternatives.

use super::evaluator::{Eval, Evaluator, Stop};
use crate::value::{Partial, Unknown, Value};

impl Evaluator<'_> {
    /// `plain`, which is what `apply` gives of `operands` as Terraform sees them; if it is unknown, and some operands are one
    /// of a few values, what the results of all combinations have in common, or that it is one of them.
    pub(super) fn lift(
        &self,
        operands: &[&Value],
        plain: Value,
        mut apply: impl FnMut(&[Value]) -> Eval,
    ) -> Value {
        if !self.extended() || !plain.as_unknown().is_some_and(|unknown| unknown.partial.is_none()) {
            return plain;
        }
        let Some(combinations) = combinations(operands) else { return plain };
        if !self.afford(combinations.len() * COST) {
            return plain;
        }
        let mut results = Vec::with_capacity(combinations.len());
        for combination in &combinations {
            match apply(combination) {
                Ok(result) => results.push(result),
                Err(Stop::Error(error)) if !error.is_static => {}
                Err(_) => return plain,
            }
        }
        if results.is_empty() {
            return plain;
        }
        self.join(&results.iter().collect::<Vec<_>>(), &plain)
    }

    /// `plain` with what is partly known of it, where there is room for that.
    pub(super) fn partly(&self, plain: Value, partial: Option<Partial>) -> Value {
        match partial {
            Some(partial) if self.extended() && self.afford(partial.parts()) => {
                plain.with_partial(Some(partial))
            }
            _ => plain,
        }
    }
}

/// What a combination takes of the room for what is partly known.
const COST: usize = 16;

/// All combinations of what the operands may be; [`None`] if none is one of a few, or if they are too many.
fn combinations(operands: &[&Value]) -> Option<Vec<Vec<Value>>> {
    if !operands.iter().any(|operand| is_choice(operand)) {
        return None;
    }
    let counts = operands.iter().map(|operand| operand.as_unknown().and_then(Unknown::alternatives));
    let count = counts.map(|all| all.map_or(1, <[Value]>::len)).try_fold(1_usize, |product, count| {
        product.checked_mul(count).filter(|product| *product <= Partial::MAX_CHOICES)
    })?;
    let mut out: Vec<Vec<Value>> = Vec::with_capacity(count);
    out.push(Vec::with_capacity(operands.len()));
    for operand in operands {
        let choices = operand.choices();
        out = out
            .iter()
            .flat_map(|begun| {
                choices.iter().map(move |choice| begun.iter().chain([choice]).cloned().collect())
            })
            .collect();
    }
    Some(out)
}

/// Whether a value is known to be one of a few.
pub(super) fn is_choice(value: &Value) -> bool {
    value.as_unknown().is_some_and(|unknown| unknown.alternatives().is_some())
}

static NULL: Value = Value::NULL;

/// The only operand.
pub(super) fn one(operands: &[Value]) -> &Value {
    operands.first().unwrap_or(&NULL)
}

/// Both operands.
pub(super) fn two(operands: &[Value]) -> (&Value, &Value) {
    (one(operands), operands.get(1).unwrap_or(&NULL))
}
