//! From a Pulumi value to Terraform's: names, lists of one block, and the strings and objects that stand for something else.

use smol_str::SmolStr;

use crate::input::json::{Document, known_after_apply};
use crate::value::{Cause, Kind, Map, Unknown, Value};

use super::map::Mapping;

/// Any value that is not known before the update.
const UNKNOWN: &str = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/// A secret of a preview, whatever its type.
const MASKED: &str = "[secret]";
/// The key that says that an object is something else, and the values that say what.
const SIGNATURE: &str = "4dabf18193072939515e22adb298388d";
const SECRET: &str = "1b47061264138c4ac30d75fd1eb44270";
const ASSET: &str = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE: &str = "0def7320c3a5731c473e5ecbe6d01bc7";
const RESOURCE: &str = "5cf8f73096256a8f31e491e813e4eb8e";
const OUTPUT: &str = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/// Objects within secrets within objects: deeper ones stay unknown.
const MAX_DEPTH: usize = 64;

/// The properties of a resource with Terraform's names. Without a mapping names stay as they are.
pub(super) fn properties(value: Value, mapping: Option<&Mapping>) -> Value {
    convert(value, Path { mapping, pulumi: "", terraform: "" }, 0)
}

/// A property's value without any renaming.
pub(super) fn plain(value: Value) -> Value {
    properties(value, None)
}

/// The name of a top-level property in Terraform.
pub(super) fn name(property: &str, mapping: Option<&Mapping>) -> SmolStr {
    mapping.map_or_else(|| property.into(), |mapping| mapping.name(property, property))
}

/// Where a value is, in both tongues.
#[derive(Copy, Clone)]
struct Path<'p> {
    /// None where names are data.
    mapping: Option<&'p Mapping>,
    pulumi: &'p str,
    terraform: &'p str,
}

fn convert(mut value: Value, path: Path<'_>, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::unknown(Cause::Limit("the value is nested too deep".into()));
    }
    value.kind = match value.kind {
        Kind::String(text) if text == UNKNOWN => known_after_apply().kind,
        Kind::String(text) if text == MASKED => {
            value.sensitive = true;
            secret()
        }
        Kind::Tuple(items) => {
            Kind::Tuple(items.iter().map(|item| convert(item.clone(), path, depth + 1)).collect())
        }
        Kind::Object(map) => match map.get(SIGNATURE).and_then(Value::as_str) {
            Some(signature) => {
                let special = special(signature, &map, path, depth);
                value.sensitive |= special.sensitive;
                special.kind
            }
            None => object(&map, path, depth).kind,
        },
        kind => kind,
    };
    value
}

fn object(map: &Map, path: Path<'_>, depth: usize) -> Value {
    let mapping = path.mapping.filter(|mapping| !mapping.is_map(path.terraform));
    let entries = map.iter().filter(|(key, _)| !key.starts_with("__")).map(|(key, value)| {
        let Some(mapping) = mapping else {
            return (key.clone(), convert(value.clone(), Path { mapping: None, ..path }, depth + 1));
        };
        let pulumi = join(path.pulumi, key);
        let name = mapping.name(&pulumi, key);
        let terraform = join(path.terraform, &name);
        let inner = Path { mapping: Some(mapping), pulumi: &pulumi, terraform: &terraform };
        let mut value = convert(value.clone(), inner, depth + 1);
        if mapping.is_single(&terraform) && !value.is_null() && !value.is_unknown() && value.items().is_none()
        {
            let (origin, sensitive) = (value.origin, value.sensitive);
            value = Value::tuple([value]).mark(sensitive);
            value.origin = origin;
        }
        (name, value)
    });
    Value::object(entries)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn secret() -> Kind {
    let cause = Cause::Other("Pulumi keeps it as a secret".into());
    Value::from_unknown(Unknown { not_null: true, ..Unknown::new(cause) }).kind
}

/// An object with a signature.
fn special(signature: &str, map: &Map, path: Path<'_>, depth: usize) -> Value {
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    match signature {
        SECRET => {
            let plain = text("plaintext").and_then(decode).or_else(|| map.get("value").cloned());
            plain.map_or_else(|| secret().into(), |plain| convert(plain, path, depth + 1)).mark(true)
        }
        OUTPUT => {
            let is_secret = map.get("secret").and_then(Value::as_bool) == Some(true);
            let inner = map.get("value").cloned();
            inner.map_or_else(known_after_apply, |inner| convert(inner, path, depth + 1)).mark(is_secret)
        }
        // Terraform has the file's name there.
        ASSET | ARCHIVE => text("path").or_else(|| text("uri")).map_or_else(
            || Value::unknown(Cause::Other("it is the content of a file".into())),
            Value::string,
        ),
        RESOURCE => text("id").filter(|id| *id != UNKNOWN).map_or_else(known_after_apply, Value::string),
        _ => Value::unknown(Cause::Other("a kind of Pulumi value that airgate does not know".into())),
    }
}

/// JSON within a string. What is in there has no place of its own in the file.
fn decode(text: &str) -> Option<Value> {
    let raw: &serde_json::value::RawValue = serde_json::from_str(text).ok()?;
    Document::nowhere().decode_plain(raw).ok()
}

/// JSON that a provider's input holds as a string, or the value itself.
pub(super) fn unwrap_json(value: Value) -> Value {
    match value.as_str().filter(|text| text.starts_with(['{', '['])).and_then(decode) {
        Some(inner) => plain(inner).mark(value.sensitive),
        None => value,
    }
}
