//! Values as findings show them, without any sensitive content.

use crate::value::{Element, Kind, Partial, Times, Value};

/// A deciding value for people: what nobody wrote is the provider's default, or nothing at all.
pub(super) fn shown(value: &Value) -> String {
    let is_told = value.is_null() || value.is_unknown() || is_written(value);
    match value.items() {
        Some([]) if !is_told => display(&Value::NULL),
        _ if is_told => display(value),
        _ => format!("{} (default)", display(value)),
    }
}

/// Whether somebody wrote it, or a part of it: blocks are written, not the list that they make.
fn is_written(value: &Value) -> bool {
    value.origin.is_some()
        || value.items().is_some_and(|items| items.iter().any(is_written))
        || value.map().is_some_and(|map| map.iter().any(|(_, value)| is_written(value)))
}

/// Longest text of a value that is shown.
const MAX_SHOWN: usize = 100;

/// A value for people, without any sensitive content.
pub fn display(value: &Value) -> String {
    let text = match &value.kind {
        _ if value.sensitive => "(sensitive)".to_owned(),
        Kind::Null => "(not set)".to_owned(),
        Kind::Bool(truth) => truth.to_string(),
        Kind::Number(number) => number.to_string(),
        Kind::String(text) => format!("\"{text}\""),
        Kind::Unknown(unknown) => match (&value.reference, &unknown.partial) {
            (Some(reference), _) => reference.to_string(),
            (None, Some(partial)) => display_partial(partial),
            (None, None) => "(known after apply)".to_owned(),
        },
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
            let items: Vec<String> = items.iter().take(4).map(display).collect();
            let more = if value.items().is_some_and(|all| all.len() > 4) { ", …" } else { "" };
            format!("[{}{more}]", items.join(", "))
        }
        Kind::Map(map) | Kind::Object(map) => {
            let set = map.iter().filter(|(_, value)| !value.is_null());
            let items: Vec<String> =
                set.take(4).map(|(key, value)| format!("{key} = {}", display(value))).collect();
            format!("{{ {} }}", items.join(", "))
        }
    };
    if text.len() <= MAX_SHOWN {
        return text;
    }
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// What is known of an unknown value, as an expression would write it.
fn display_partial(partial: &Partial) -> String {
    match partial {
        Partial::Template(pieces) => {
            format!("\"{}\"", pieces.iter().map(ToString::to_string).collect::<String>())
        }
        Partial::Json(value) => format!("jsonencode({})", display(value)),
        Partial::Choice(all) => all.iter().map(display).collect::<Vec<_>>().join(" or "),
        Partial::Elements(all) => {
            let element = |element: &Element| match element.times {
                Times::Once => display(&element.value),
                Times::Perhaps => format!("perhaps {}", display(&element.value)),
                Times::Any => format!("any number of {}", display(&element.value)),
            };
            let more = if all.len() > 4 { ", …" } else { "" };
            format!("[{}{more}]", all.iter().take(4).map(element).collect::<Vec<_>>().join(", "))
        }
    }
}
