//! Regular expressions: `regex`, `regexall` and `replace`.

use regex::{Captures, Regex, RegexBuilder};

use super::call::{Call, Outcome, string};
use super::{re2, strings};
use crate::value::{Kind, Type, Value};

/// A compiled pattern larger than this is not run, nor on long texts one that is smaller: matching takes time for both.
const MAX_COMPILED: usize = 4 << 20;

/// Patterns of this size are run on all texts.
const MIN_COMPILED: usize = 16 << 10;

/// Bytes of the pattern times bytes of the text: seconds.
const MAX_WORK: usize = 30_000_000_000;

/// Why there is no compiled pattern.
enum Refusal {
    Invalid(String),
    TooLarge,
}

/// The pattern, compiled for a text of that many bytes.
fn compile(pattern: &str, length: usize) -> Result<Regex, Refusal> {
    let limit = (MAX_WORK / length.max(1)).clamp(MIN_COMPILED, MAX_COMPILED);
    let translated = re2::translate(pattern).map_err(Refusal::Invalid)?;
    RegexBuilder::new(&translated).size_limit(limit).nest_limit(200).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => Refusal::TooLarge,
        _ => Refusal::Invalid("the pattern is not a regular expression".to_owned()),
    })
}

/// How matches are told: the text, the groups in order, or the groups by name.
fn shape(regex: &Regex) -> Result<fn(&Regex, &Captures<'_>) -> Value, String> {
    let named = regex.capture_names().skip(1).flatten().count();
    let groups = regex.captures_len() - 1;
    match (groups, named) {
        (0, _) => Ok(|_, captures| string(captures.get_match().as_str())),
        (_, 0) => Ok(|_, captures| Value::tuple(captures.iter().skip(1).map(group))),
        _ if named == groups => Ok(|regex, captures| {
            Value::object(
                regex.capture_names().flatten().map(|name| (name.into(), group(captures.name(name)))),
            )
        }),
        _ => Err("named and unnamed groups are mixed".to_owned()),
    }
}

/// The type of what [`shape`] tells.
fn shape_type(regex: &Regex) -> Type {
    let names: Vec<_> = regex.capture_names().skip(1).collect();
    if names.is_empty() {
        Type::String
    } else if names.iter().any(Option::is_some) {
        Type::object(names.into_iter().flatten().map(|name| (name.into(), Type::String)))
    } else {
        Type::Tuple(names.iter().map(|_| Type::String).collect())
    }
}

fn group(found: Option<regex::Match<'_>>) -> Value {
    found.map_or(Value::NULL, |found| string(found.as_str()))
}

pub(super) fn regex(call: &Call<'_>) -> Outcome {
    if call.value(0).is_unknown() {
        return Ok(call.unknown(Type::Any));
    }
    let regex = match compile(call.text(0), call.text(1).len()) {
        Ok(regex) => regex,
        Err(Refusal::Invalid(message)) => return Err(message),
        Err(Refusal::TooLarge) => return Ok(call.limited("size of the compiled pattern", Type::Any)),
    };
    let shape = shape(&regex)?;
    if call.value(1).is_unknown() {
        return Ok(call.unknown(shape_type(&regex)));
    }
    let captures = regex.captures(call.text(1)).ok_or("the pattern does not match")?;
    Ok(shape(&regex, &captures))
}

pub(super) fn regexall(call: &Call<'_>) -> Outcome {
    let unknown = call.args.iter().any(Value::is_unknown);
    if call.value(0).is_unknown() {
        return Ok(call.unknown(Type::list(Type::Any)));
    }
    let regex = match compile(call.text(0), call.text(1).len()) {
        Ok(_) if unknown => return Ok(call.unknown(Type::list(Type::Any))),
        Ok(regex) => regex,
        Err(Refusal::Invalid(message)) => return Err(message),
        Err(Refusal::TooLarge) => return Ok(call.limited("size of the compiled pattern", Type::Any)),
    };
    let shape = shape(&regex)?;
    let found: Vec<Value> = regex.captures_iter(call.text(1)).map(|found| shape(&regex, &found)).collect();
    Ok(Kind::List(found.into()).into())
}

/// `/pattern/` is a regular expression, anything else is literal.
pub(super) fn replace(call: &Call<'_>) -> Outcome {
    let (text, search, replacement) = (call.text(0), call.text(1), call.text(2));
    let pattern = search.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let out = match pattern {
        Some(pattern) => match compile(pattern, text.len()) {
            Ok(regex) => replace_all(&regex, text, replacement),
            Err(Refusal::Invalid(message)) => return Err(message),
            Err(Refusal::TooLarge) => {
                return Ok(call.limited("size of the compiled pattern", Type::String));
            }
        },
        None => replace_literal(text, search, replacement),
    };
    Ok(out.map_or_else(|| call.limited("16 MiB", Type::String), string))
}

fn replace_literal(text: &str, search: &str, replacement: &str) -> Option<String> {
    let found = if search.is_empty() { text.chars().count() + 1 } else { text.matches(search).count() };
    let added = found.saturating_mul(replacement.len());
    (added.saturating_add(text.len()) <= strings::MAX_LENGTH).then(|| text.replace(search, replacement))
}

fn replace_all(regex: &Regex, text: &str, replacement: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let found = captures.get_match();
        out.push_str(text.get(end..found.start())?);
        captures.expand(replacement, &mut out);
        end = found.end();
        if out.len() > strings::MAX_LENGTH {
            return None;
        }
    }
    out.push_str(text.get(end..)?);
    Some(out)
}
