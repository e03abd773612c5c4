//! Reads what the provider says against a made-up configuration, and makes a better one.

use serde_json::{Map, Value, json};

use super::{attributes, blocks, dummy, minimal};

const BUCKET_ARN: &str = "arn:aws:s3:::example-bucket";
const ARN: &str = "arn:aws:sns:us-east-1:123456789012:example";

/// Changes `config`, of a resource with `schema`, so that the refusal in `said` does not come again; says whether it found
/// a way. `said` is the summary and the detail of a diagnostic.
pub(super) fn repair(schema: &Value, config: &mut Value, said: &str) -> bool {
    if let Some((path, values)) = one_of(said) {
        return replace(config, leaf(path), &json!(values), |old| !said.contains(&format!("\"{old}\" ")));
    }
    if let Some((before, _)) = said.split_once(" must have a configuration value") {
        return before.rsplit(' ').next().is_some_and(|path| add(schema, config, path));
    }
    if let Some(path) = between(said, "Must set a configuration value for the ", " attribute") {
        return add(schema, config, path);
    }
    let alternatives = alternatives(said);
    if !alternatives.is_empty() {
        return alternatives.into_iter().any(|path| add(schema, config, path));
    }
    if let Some(path) =
        said.strip_suffix("is an invalid ARN: arn: invalid prefix ").or_else(|| between(said, "\"", "\" ("))
    {
        let path = path.trim_start_matches('"').split('"').next().unwrap_or_default();
        let arn = if leaf(path).contains("bucket") { BUCKET_ARN } else { ARN };
        return said.contains("invalid ARN")
            && replace(config, leaf(path), &json!(arn), |old| !old.starts_with("arn:"));
    }
    if let Some(path) = between(said, "\"", "\" contains an invalid JSON") {
        return replace(config, leaf(path), &json!("{}"), |old| !old.starts_with('{'));
    }
    false
}

/// The attributes or blocks of which the provider wants one: what is true where one of them is set need not be true where
/// it is another one.
pub(super) fn alternatives(said: &str) -> Vec<&str> {
    let list = between(said, "one of `", "` must be specified")
        .or_else(|| between(said, "attributes must be configured: [", "]"));
    list.into_iter().flat_map(|list| list.split(',').map(str::trim)).collect()
}

/// The attribute and the first of the values that it may have.
fn one_of(said: &str) -> Option<(&str, &str)> {
    if let Some(path) = between(said, "expected ", " to be one of [\"") {
        return Some((path, between(said, " to be one of [\"", "\"")?));
    }
    if let Some((before, values)) = said.split_once(" value must be one of: [\"") {
        return Some((before.rsplit(' ').next()?, values.split('"').next()?));
    }
    let path = between(said, "Path: ", "\n")?;
    let values = between(said, "Valid Values: [", "]")?;
    Some((path, values.split(' ').next()?))
}

/// Puts `value` in place of the strings of `leaf` that `wrong` is true of; says whether there was one.
fn replace(config: &mut Value, leaf: &str, value: &Value, wrong: impl Fn(&str) -> bool + Copy) -> bool {
    match config {
        Value::Object(entries) => {
            let mut any = false;
            for (name, entry) in entries {
                if name == leaf {
                    let slot = if entry.is_array() { entry.get_mut(0) } else { Some(entry) };
                    if let Some(slot) =
                        slot.filter(|slot| slot.as_str().is_some_and(wrong) && **slot != *value)
                    {
                        *slot = value.clone();
                        any = true;
                    }
                } else {
                    any |= replace(entry, leaf, value, wrong);
                }
            }
            any
        }
        Value::Array(items) => {
            items.iter_mut().map(|item| replace(item, leaf, value, wrong)).fold(false, |a, b| a | b)
        }
        _ => false,
    }
}

/// Sets the attribute or block at a path like `a.0.b` or `a[0].b` that is not set; says whether it could.
pub(super) fn add(schema: &Value, config: &mut Value, path: &str) -> bool {
    let path = path.replace(['[', ']'], ".");
    let steps: Vec<_> =
        path.split('.').filter(|step| !step.is_empty() && step.parse::<u32>().is_err()).collect();
    let Some((last, parents)) = steps.split_last() else { return false };
    let (mut schema, mut config) = (schema, config);
    for name in parents {
        let Some((_, (_, _, block))) = blocks(schema).find(|(other, _)| other == name) else { return false };
        schema = block;
        let Some(inner) = config.get_mut(*name) else { return false };
        let Some(inner) = (if inner.is_array() { inner.get_mut(0) } else { Some(inner) }) else {
            return false;
        };
        config = inner;
    }
    let Some(entries) = config.as_object_mut().filter(|entries| !entries.contains_key(*last)) else {
        return false;
    };
    insert(schema, entries, last)
}

fn insert(schema: &Value, entries: &mut Map<String, Value>, name: &str) -> bool {
    if let Some((_, _, ty)) = attributes(schema).find(|(other, ..)| *other == name) {
        entries.insert(name.to_owned(), dummy(name, ty));
        return true;
    }
    let Some((_, (nesting, _, block))) = blocks(schema).find(|(other, _)| *other == name) else {
        return false;
    };
    let Ok(object) = minimal(block, &std::collections::BTreeMap::new(), "", &[]) else { return false };
    entries.insert(name.to_owned(), if nesting == "single" { object } else { json!([object]) });
    true
}

fn leaf(path: &str) -> &str {
    let mut named =
        path.split(['.', '[', ']']).filter(|step| !step.is_empty() && step.parse::<u32>().is_err());
    named.next_back().unwrap_or(path)
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    Some(rest.split_once(end)?.0)
}
