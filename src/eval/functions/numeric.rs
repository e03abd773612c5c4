//! Numbers: `abs` to `sum`.

use super::call::{Call, Outcome, number};
use crate::value::{Kind, Number, Type, Value, convert};

fn done(number: Number) -> Outcome {
    Ok(Kind::Number(number).into())
}

pub(super) fn abs(call: &Call<'_>) -> Outcome {
    done(call.number(0).abs())
}

pub(super) fn ceil(call: &Call<'_>) -> Outcome {
    done(call.number(0).ceil())
}

pub(super) fn floor(call: &Call<'_>) -> Outcome {
    done(call.number(0).floor())
}

pub(super) fn signum(call: &Call<'_>) -> Outcome {
    Ok(Value::int(call.whole(0)?.signum()))
}

pub(super) fn max(call: &Call<'_>) -> Outcome {
    let largest = call.args.iter().filter_map(number).max();
    done(largest.ok_or("at least one number is required")?)
}

pub(super) fn min(call: &Call<'_>) -> Outcome {
    let smallest = call.args.iter().filter_map(number).min();
    done(smallest.ok_or("at least one number is required")?)
}

/// Terraform goes through 64-bit floats here.
pub(super) fn log(call: &Call<'_>) -> Outcome {
    float(call.number(0).to_f64().ln() / call.number(1).to_f64().ln())
}

/// Terraform goes through 64-bit floats here.
pub(super) fn pow(call: &Call<'_>) -> Outcome {
    float(call.number(0).to_f64().powf(call.number(1).to_f64()))
}

fn float(value: f64) -> Outcome {
    done(Number::from_f64(value).ok_or("the result is not a number")?)
}

pub(super) fn parseint(call: &Call<'_>) -> Outcome {
    let Some(text) = call.value(0).as_str() else {
        return Err("the first argument must be a string".to_owned());
    };
    let base = u32::try_from(call.whole(1)?).ok().filter(|base| (2..=62).contains(base));
    let base = base.ok_or("the base must be between 2 and 62")?;
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    if digits.is_empty() {
        return Err("there are no digits".to_owned());
    }
    if digits.len() > 4096 {
        return Ok(call.limited("4096 digits", Type::Number));
    }
    let radix = Number::from(i64::from(base));
    let mut sum = Number::ZERO;
    for c in digits.chars() {
        let digit = digit(c, base).ok_or_else(|| format!("{text:?} is not a whole number of base {base}"))?;
        sum = sum.mul(&radix).and_then(|sum| sum.add(&Number::from(i64::from(digit))))?;
    }
    done(if negative { -sum } else { sum })
}

/// Letters are one case below 37, and `a` to `z` before `A` to `Z` above.
fn digit(c: char, base: u32) -> Option<u32> {
    let value = match c {
        'A'..='Z' if base > 36 => u32::from(c) - u32::from('A') + 36,
        _ => c.to_digit(36)?,
    };
    (value < base).then_some(value)
}

pub(super) fn sum(call: &Call<'_>) -> Outcome {
    let Some(items) = call.value(0).items() else {
        return Err("a list, set or tuple of numbers is required".to_owned());
    };
    if items.is_empty() {
        return Err("a sum of nothing has no value".to_owned());
    }
    let mut sum = Number::ZERO;
    for item in items {
        let item = convert(item, &Type::Number)?;
        let item = number(&item).ok_or("an element is null")?;
        sum = sum.add(&item)?;
    }
    done(sum)
}
