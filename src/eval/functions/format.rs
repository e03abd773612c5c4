//! `format` and `formatlist`.

use super::call::{Call, Outcome, string, unknown};
use super::verb::{Verb, append};
use crate::value::{Kind, Type, Unknown, Value, safe_prefix};

/// Longer padding is refused.
const MAX_WIDTH: usize = 10_000;

pub(super) fn format(call: &Call<'_>) -> Outcome {
    let Some(text) = call.value(0).as_str() else {
        return Ok(call.unknown(Type::String));
    };
    let args = call.args.get(1..).unwrap_or_default();
    // A null without a type has no text yet.
    if args.iter().any(Value::is_null) {
        return Ok(call.not_evaluated(Type::String));
    }
    one(text, &args.iter().collect::<Vec<_>>())
}

/// Formats one string; unknown if an argument is, but for what stands before the first verb.
fn one(text: &str, args: &[&Value]) -> Outcome {
    if args.iter().all(|arg| arg.is_wholly_known()) {
        return Ok(string(render(text, args)?));
    }
    let before = text.split('%').next().unwrap_or_default();
    let unknown = unknown(args.iter().copied(), Type::String, true);
    Ok(Value::from_unknown(Unknown { prefix: safe_prefix(before).into(), ..unknown }))
}

pub(super) fn formatlist(call: &Call<'_>) -> Outcome {
    let strings = || Type::list(Type::String);
    let args = call.args.get(1..).unwrap_or_default();
    let Some(text) = call.value(0).as_str() else {
        return Ok(call.unknown(strings()));
    };
    let listed = |arg: &Value| match &arg.kind {
        Kind::Unknown(unknown) => {
            matches!(unknown.ty, Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_))
        }
        _ => !super::sets::is_settled(arg),
    };
    if args.iter().any(listed) {
        return Ok(call.unknown(strings()));
    }
    let mut count = None;
    for items in args.iter().filter_map(Value::items) {
        if *count.get_or_insert(items.len()) != items.len() {
            return Err("the lists differ in length".to_owned());
        }
    }
    let mut out = Vec::new();
    for i in 0..count.unwrap_or(1) {
        let row = args.iter().map(|arg| arg.items().map_or(Some(arg), |items| items.get(i)));
        let row: Option<Vec<&Value>> = row.collect();
        out.push(one(text, &row.unwrap_or_default())?);
    }
    Ok(Kind::List(out.into()).into())
}

/// A part of a formatted text.
pub(in crate::eval) enum Formatted<'v> {
    /// What is known.
    Text(String),
    /// A verb of an argument that is not wholly known, and whether it writes the argument as templates do.
    Unknown(&'v Value, bool),
}

/// Formats wholly known arguments.
fn render(text: &str, args: &[&Value]) -> Result<String, String> {
    let parts = parts(text, args)?.into_iter();
    Ok(parts.map(|part| if let Formatted::Text(text) = part { text } else { String::new() }).collect())
}

/// Formats arguments, of which some are not wholly known.
pub(in crate::eval) fn parts<'v>(text: &str, args: &[&'v Value]) -> Result<Vec<Formatted<'v>>, String> {
    let mut parts = Vec::new();
    let mut out = String::new();
    let mut rest = text;
    let mut next = 0;
    let mut used = 0;
    while let Some((literal, after)) = rest.split_once('%') {
        out.push_str(literal);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (verb, after) = parse(after)?;
        rest = after;
        let index = verb.argument.unwrap_or(next);
        let Some(value) = args.get(index) else {
            return Err(format!(
                "%{} wants argument {}, but there are {}",
                verb.letter,
                index.saturating_add(1),
                args.len()
            ));
        };
        if value.is_wholly_known() {
            append(&verb, value, &mut out)?;
        } else {
            let is_text = value.as_unknown().is_some_and(|unknown| unknown.ty.is_primitive());
            let is_plain = verb.width == 0 && verb.precision.is_none();
            let as_template = is_plain && (verb.letter == 's' || verb.letter == 'v' && is_text);
            parts.push(Formatted::Text(std::mem::take(&mut out)));
            parts.push(Formatted::Unknown(value, as_template));
        }
        next = index.saturating_add(1);
        used = used.max(next);
    }
    if used < args.len() {
        return Err(format!("the format uses {used} of {} arguments", args.len()));
    }
    out.push_str(rest);
    parts.push(Formatted::Text(out));
    Ok(parts)
}

/// A verb after its percent sign, and what follows it.
fn parse(text: &str) -> Result<(Verb, &str), String> {
    let mut verb = Verb::default();
    let mut rest = text;
    loop {
        let Some(c) = rest.chars().next() else {
            return Err("the format ends in a verb that is not complete".to_owned());
        };
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '#' => verb.sharp = true,
            '0' => verb.zero = true,
            '-' => verb.left = true,
            '+' => verb.plus = true,
            ' ' => verb.space = true,
            '1'..='9' => {
                let (width, after) = number(text.get(text.len() - rest.len() - 1..).unwrap_or_default())?;
                verb.width = width;
                rest = after;
            }
            '.' => {
                let (precision, after) = number(rest)?;
                verb.precision = Some(precision);
                rest = after;
            }
            '[' => {
                let (index, after) = number(rest)?;
                verb.argument = Some(index.checked_sub(1).ok_or("arguments are counted from 1")?);
                rest = after.strip_prefix(']').ok_or("an argument index is not closed")?;
            }
            _ => {
                verb.letter = c;
                return Ok((verb, rest));
            }
        }
    }
}

/// Leading digits as a number; none are zero.
fn number(text: &str) -> Result<(usize, &str), String> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.get(..text.len() - rest.len()).unwrap_or_default();
    if digits.is_empty() {
        return Ok((0, rest));
    }
    let value = digits.parse().ok().filter(|value| *value <= MAX_WIDTH);
    Ok((value.ok_or_else(|| format!("{digits} is too large for a format"))?, rest))
}
