//! What the provider fills in where a configuration sets nothing: `rules/catalog/defaults.csv`.
//!
//! Provider schemas do not tell defaults, so they are measured: `cargo xtask defaults` plans small resources with the
//! provider and writes what it added. A type that was not measured has none here, and its absent attributes are null or,
//! where the schema says computed, unknown.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value as Json;

use crate::value::{Kind, Number, Value};

const DEFAULTS: &str = include_str!("../../rules/catalog/defaults.csv");

/// What the provider puts where nothing is set.
#[derive(Clone, Debug)]
pub(super) enum Filled {
    /// This value.
    Value(Value),
    /// What it decides when it creates the resource, though the schema does not say so.
    Computed,
}

/// The defaults of one type by dotted path.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Defaults(Option<&'static BTreeMap<&'static str, Filled>>);

type ByType = BTreeMap<&'static str, BTreeMap<&'static str, Filled>>;

impl Defaults {
    /// Those of `type_name`.
    pub(super) fn of(type_name: &str) -> Self {
        Self(all().get(type_name))
    }

    /// Whether there are none.
    pub(super) fn is_empty(self) -> bool {
        self.0.is_none()
    }

    /// That of the attribute or block at `path`.
    pub(super) fn get(self, path: &str) -> Option<&'static Filled> {
        self.0?.get(path)
    }
}

/// All of them, by type and path, read on the first call.
pub(super) fn all() -> &'static ByType {
    static ALL: OnceLock<ByType> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = ByType::new();
        for (type_name, path, default) in DEFAULTS.lines().filter_map(parse) {
            all.entry(type_name).or_default().insert(path, default);
        }
        all
    })
}

/// A line: type, path, and the value as JSON, or `?` where it is computed.
fn parse(line: &'static str) -> Option<(&'static str, &'static str, Filled)> {
    let (type_name, rest) = line.split_once(',')?;
    let (path, json) = rest.split_once(',')?;
    let default = match json {
        "?" => Filled::Computed,
        json => Filled::Value(value(&serde_json::from_str(json).ok()?)?),
    };
    Some((type_name, path, default))
}

/// The value that the JSON of a plan stands for.
fn value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::NULL,
        Json::Bool(value) => Value::bool(*value),
        Json::Number(number) => Kind::Number(Number::parse(&number.to_string())?).into(),
        Json::String(text) => Value::string(text),
        Json::Array(items) => Value::tuple(items.iter().map(value).collect::<Option<Vec<_>>>()?),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, item)| Some((key.into(), value(item)?)));
            Value::object(entries.collect::<Option<Vec<_>>>()?)
        }
    })
}
