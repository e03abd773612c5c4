//! What plans and previews need alike to tie values to the resources that they come from.

use std::sync::Arc;

use crate::program::Mode;
use crate::value::{Cause, Kind, Reference, Unknown, Value};

/// Says that the unknown `value` is the attribute that `reference` names.
pub(crate) fn set_reference(value: &mut Value, mode: Mode, reference: &Arc<Reference>) {
    let cause = match mode {
        Mode::Data => Cause::Data(Arc::clone(reference)),
        Mode::Managed => Cause::Resource(Arc::clone(reference)),
    };
    value.kind = Kind::Unknown(Arc::new(Unknown::new(cause)));
    value.reference = Some(Arc::clone(reference));
}

/// Says of an unknown `value` what it is computed from.
pub(crate) fn set_sources<'r>(value: &mut Value, references: impl IntoIterator<Item = &'r Arc<Reference>>) {
    let mut sources: Vec<Arc<Reference>> = Vec::new();
    for reference in references {
        if sources.len() < Unknown::MAX_SOURCES && !sources.contains(reference) {
            sources.push(Arc::clone(reference));
        }
    }
    if !sources.is_empty() {
        value.kind =
            Kind::Unknown(Arc::new(Unknown { sources: sources.into(), ..Unknown::new(Cause::Plan) }));
    }
}

/// Whether an attribute that holds a whole document names something else than a document: the document is then made
/// around the reference (`jsonencode({ Resource = aws_s3_bucket.b.arn })`), and is not it.
pub(crate) fn is_document_around(name: &str, referenced: &str) -> bool {
    const WORDS: [&str; 9] =
        ["policy", "document", "json", "user_data", "definition", "content", "body", "template", "rendered"];
    let holds = |name: &str| WORDS.iter().any(|word| name.contains(word));
    let is_identifier = |name: &str| name.ends_with("arn") || name.ends_with("id") || name.ends_with("name");
    holds(name) && !is_identifier(name) && (!holds(referenced) || is_identifier(referenced))
}

/// Whether two strings are equal, or the same JSON: providers write policy documents in their own way.
pub(crate) fn is_same_text(a: &str, b: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    a == b || (a.starts_with('{') && b.starts_with('{') && parse(a).is_some_and(|a| Some(a) == parse(b)))
}

/// The entry `key` of an object, to change.
pub(crate) fn entry_mut<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    let (Kind::Object(map) | Kind::Map(map)) = &mut value.kind else { return None };
    // Asked first, for a map that is shared would be copied.
    if Arc::get_mut(map).is_none() && map.get(key).is_none() {
        return None;
    }
    Arc::make_mut(map).get_mut(key)
}

/// The elements of a collection, to change.
pub(crate) fn items_mut(value: &mut Value) -> Option<&mut [Value]> {
    match &mut value.kind {
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => Some(Arc::make_mut(items)),
        _ => None,
    }
}
