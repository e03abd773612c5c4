//! `jsonencode` and `jsondecode`: exact numbers, sorted keys, and the escapes that Terraform writes.

use std::fmt::Write as _;
use std::sync::Arc;

use super::call::{Call, Outcome, string, unknown};
use crate::value::json::{self, Dialect, NotJson};
use crate::value::{Cause, Kind, Partial, Type, Unknown, Value};

pub(super) fn jsonencode(call: &Call<'_>) -> Outcome {
    let value = call.value(0);
    if value.is_wholly_known() {
        let mut out = String::new();
        write(value, &mut out);
        return Ok(string(out));
    }
    Ok(not_told(call))
}

/// The text of a first argument that is not wholly known, in JSON or Terraform's own language: both begin alike.
pub(super) fn not_told(call: &Call<'_>) -> Value {
    // The first character tells the type, and a type is often known where a value is not.
    let first = match &call.value(0).kind {
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => "[",
        Kind::Map(_) | Kind::Object(_) => "{",
        Kind::Unknown(unknown) if unknown.not_null => match unknown.ty {
            Type::String => "\"",
            Type::List(_) | Type::Set(_) | Type::Tuple(_) => "[",
            Type::Map(_) | Type::Object(_) => "{",
            _ => "",
        },
        _ => "",
    };
    let unknown = unknown(call.args, Type::String, true);
    Value::from_unknown(Unknown { prefix: first.into(), ..unknown })
}

/// Writes a wholly known value.
pub(super) fn write(value: &Value, out: &mut String) {
    match &value.kind {
        Kind::Null | Kind::Unknown(_) => out.push_str("null"),
        Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Kind::Number(number) => out.push_str(&number.to_string()),
        Kind::String(text) => write_string(text, out),
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Kind::Map(map) | Kind::Object(map) => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
    }
}

/// Angle brackets and ampersands are escaped, so that the text can stand in HTML.
pub(super) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

pub(super) fn jsondecode(call: &Call<'_>) -> Outcome {
    match json::read(call.text(0), Dialect::Terraform) {
        Err(NotJson::TooDeep(..) | NotJson::TooLarge) => {
            Ok(Value::unknown(Cause::Limit("depth of a JSON document".into())))
        }
        Err(NotJson::At(line, column)) => {
            Err(format!("the text is not JSON at line {line}, column {column}"))
        }
        Ok(value) => Ok(value),
    }
}

/// `jsondecode` of a text that is partly known, with the types that it gives.
pub(in crate::eval) fn decode(value: &Value) -> Option<Value> {
    json::told(value, Dialect::Terraform).map(|value| decoded(&value))
}

/// What is left of a value after it was written as JSON and read.
fn decoded(value: &Value) -> Value {
    let kind = match &value.kind {
        Kind::Set(_) if !super::sets::is_settled(value) => {
            return Value::from_unknown(unknown([value], Type::Any, false));
        }
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
            Kind::Tuple(items.iter().map(decoded).collect())
        }
        Kind::Map(map) | Kind::Object(map) => {
            Kind::Object(Arc::new(map.iter().map(|(key, item)| (key.clone(), decoded(item))).collect()))
        }
        Kind::Unknown(unknown) if !unknown.ty.is_primitive() => {
            let all: Vec<Value> = unknown.alternatives().into_iter().flatten().map(decoded).collect();
            let (ty, partial) = (Type::Any, Partial::choice(&all));
            Kind::Unknown(Arc::new(Unknown { ty, partial, ..(**unknown).clone() }))
        }
        kind => kind.clone(),
    };
    Value { kind, ..value.clone() }
}
