//! What the provider fills in where a configuration sets nothing: `rules/catalog/defaults.csv`.
//!
//! Provider schemas do not tell defaults, so they are measured: `cargo xtask defaults` plans small resources with the
//! provider and writes what it added. What has no line was measured to be null or empty, or unknown where the schema says
//! computed. Of a block that could not be measured (`block.*`) nothing is known that is not set.
//!
//! Only the AWS provider was measured. Where a configuration of another one leaves out a number, text or truth, any default
//! may stand there; a list, a map or a block is surely absent, since the frameworks that providers are made with let only
//! the others have one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, OnceLock};

use serde_json::Value as Json;

use super::table::lines;
use crate::value::{Kind, Number, Type, Value};

const DEFAULTS: &str = include_str!("../../rules/catalog/defaults.csv");

/// What the provider puts where nothing is set.
#[derive(Clone, Debug)]
pub(super) enum Filled {
    /// This value.
    Value(Value),
    /// What it decides when it creates the resource, though the schema does not say so, or what nobody has measured.
    Computed,
}

/// The provider whose defaults were measured, as its types begin.
const MEASURED: &str = "aws_";

/// The defaults of one type.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Defaults {
    of_type: Option<&'static OfType>,
    /// Nothing of its provider was measured.
    is_unmeasured: bool,
}

/// What was measured of a type.
#[derive(Debug, Default)]
pub(super) struct OfType {
    /// By dotted path.
    pub(super) filled: BTreeMap<&'static str, Filled>,
    /// Paths of blocks that could not be measured; the empty one is the whole resource.
    pub(super) unmeasured: BTreeSet<&'static str>,
}

/// The lines of one type, and what they say once somebody asks.
#[derive(Debug)]
struct Lines {
    type_name: &'static str,
    texts: Vec<&'static str>,
    read: OnceLock<OfType>,
}

/// Sorted by type.
static ALL: LazyLock<Vec<Lines>> = LazyLock::new(|| {
    let mut all: Vec<Lines> = Vec::new();
    for (type_name, line) in lines(DEFAULTS).skip(1).filter_map(|line| line.split_once(',')) {
        match all.last_mut() {
            Some(last) if last.type_name == type_name => last.texts.push(line),
            _ => all.push(Lines { type_name, texts: vec![line], read: OnceLock::new() }),
        }
    }
    all
});

impl Lines {
    fn read(&self) -> &OfType {
        self.read.get_or_init(|| {
            let mut read = OfType::default();
            for (path, default) in self.texts.iter().filter_map(|line| parse(line)) {
                match path.strip_suffix('*') {
                    Some(block) => {
                        read.unmeasured.insert(block.strip_suffix('.').unwrap_or(block));
                    }
                    None => {
                        read.filled.insert(path, default);
                    }
                }
            }
            read
        })
    }
}

impl Defaults {
    /// Those of `type_name`.
    pub(super) fn of(type_name: &str) -> Self {
        let at = ALL.binary_search_by(|lines| lines.type_name.cmp(type_name));
        let of_type = at.ok().and_then(|at| ALL.get(at)).map(Lines::read);
        Self { of_type, is_unmeasured: !type_name.starts_with(MEASURED) }
    }

    /// Whether any value of this type may be there that nobody set.
    pub(super) fn may_be_any(self, ty: &Type) -> bool {
        self.is_unmeasured && ty.is_primitive()
    }

    /// Whether there are none: all is what the schema lets one expect.
    pub(super) fn is_empty(self) -> bool {
        self.of_type.is_none()
    }

    /// That of the attribute or block at `path`, in the block at `around`; [`None`] if it was measured to be what the
    /// schema lets one expect.
    pub(super) fn get(self, around: &str, path: &str) -> Option<&'static Filled> {
        let of_type = self.of_type?;
        let unmeasured = || of_type.unmeasured.contains(around).then_some(&Filled::Computed);
        of_type.filled.get(path).or_else(unmeasured)
    }
}

/// All of them, sorted by type.
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static OfType)> {
    ALL.iter().map(|lines| (lines.type_name, lines.read()))
}

/// A line without its type: path, and the value as JSON, `?` where it is not known.
fn parse(line: &'static str) -> Option<(&'static str, Filled)> {
    let (path, json) = line.split_once(',')?;
    let default = match json {
        "?" => Filled::Computed,
        json => Filled::Value(value_of(&serde_json::from_str(json).ok()?)?),
    };
    Some((path, default))
}

/// The value that the JSON of a plan stands for.
pub(super) fn value_of(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::NULL,
        Json::Bool(value) => Value::bool(*value),
        Json::Number(number) => Kind::Number(Number::parse(&number.to_string())?).into(),
        Json::String(text) => Value::string(text),
        Json::Array(items) => Value::tuple(items.iter().map(value_of).collect::<Option<Vec<_>>>()?),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, item)| Some((key.into(), value_of(item)?)));
            Value::object(entries.collect::<Option<Vec<_>>>()?)
        }
    })
}
