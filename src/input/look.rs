//! A look at the top of a JSON document, as far as it tells what the document is.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Found, InputFile};

/// What a look at the file has shown.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) shape: Shape,
    entries: Vec<(String, Peek)>,
}

#[derive(Debug, Default, PartialEq)]
pub(super) enum Shape {
    #[default]
    Object,
    Array,
    Scalar,
}

/// A value at the top, as far as it tells something.
#[derive(Debug)]
enum Peek {
    String(String),
    Number(i64),
    Array,
    /// With its first keys.
    Object(Vec<String>),
    Other,
}

/// So many keys at the top, and of each object there, are kept.
const MAX_KEYS: usize = 64;

impl Seen {
    fn get(&self, key: &str) -> Option<&Peek> {
        self.entries.iter().find(|(known, _)| known == key).map(|(_, peek)| peek)
    }

    fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn is_only(&self, keys: &[&str]) -> bool {
        self.entries.iter().all(|(key, _)| keys.contains(&key.as_str()))
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Peek::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Peek::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether the keys seen so far tell the kind, whatever follows.
    pub(super) fn is_certain(&self) -> bool {
        self.file().is_some_and(|file| match file {
            InputFile::Plan => self.text("format_version").is_some(),
            InputFile::State => self.has("values") && self.text("format_version").is_some(),
            InputFile::RawTfstate => self.number("version").is_some(),
            InputFile::PulumiPreview => self.has("steps"),
            InputFile::PulumiStack => self.number("version").is_some(),
        })
    }

    pub(super) fn file(&self) -> Option<InputFile> {
        let has = |key| self.has(key);
        if has("encrypted_data") {
            // What is beside it tells nothing.
            None
        } else if has("planned_values")
            || has("resource_changes")
            || (has("format_version") && has("configuration"))
        {
            Some(InputFile::Plan)
        } else if has("format_version")
            && (has("values") || self.is_only(&["format_version", "terraform_version"]))
        {
            // An empty state has no values.
            Some(InputFile::State)
        } else if has("deployment") || has("checkpoint") {
            Some(InputFile::PulumiStack)
        } else if has("version") && (has("lineage") || has("serial") || has("modules")) {
            Some(InputFile::RawTfstate)
        } else if matches!(self.get("steps"), Some(Peek::Array)) || has("changeSummary") {
            Some(InputFile::PulumiPreview)
        } else if matches!(self.get("diagnostics"), Some(Peek::Array))
            && self.is_only(&["config", "diagnostics", "duration", "maybeCorrupt"])
        {
            // A preview that failed has nothing but messages.
            Some(InputFile::PulumiPreview)
        } else {
            None
        }
    }

    pub(super) fn found(&self) -> Option<Found> {
        const SOURCE: [&str; 14] = [
            "//",
            "resource",
            "data",
            "variable",
            "provider",
            "terraform",
            "module",
            "output",
            "locals",
            "moved",
            "import",
            "removed",
            "check",
            "ephemeral",
        ];
        let has = |key| self.has(key);
        let is_output = |peek: &Peek| match peek {
            Peek::Object(keys) => {
                ["value", "sensitive"].iter().all(|key| keys.iter().any(|known| known == key))
            }
            _ => false,
        };
        if self.file().is_some() {
            None
        } else if self.entries.is_empty() {
            Some(Found::EmptyObject)
        } else if has("encrypted_data") {
            Some(Found::Encrypted)
        } else if has("plan_json_api_url") {
            Some(Found::RunTask)
        } else if has("@level") || has("@message") {
            Some(Found::StreamingPlan)
        } else if has("provider_schemas") {
            Some(Found::ProviderSchema)
        } else if has("valid") && has("error_count") {
            Some(Found::Validation)
        } else if has("resourcePlans") {
            Some(Found::PulumiUpdatePlan)
        } else if has("sequence") && has("timestamp") {
            Some(Found::PulumiEvents)
        } else if has("result") && has("summary") {
            Some(Found::PulumiSummary)
        } else if has("AWSTemplateFormatVersion") || has("Resources") {
            Some(Found::CloudFormation)
        } else if self.text("$schema").is_some_and(|schema| schema.contains("deploymentTemplate")) {
            Some(Found::AzureTemplate)
        } else if self.is_only(&SOURCE) {
            Some(Found::Source)
        } else if self.entries.iter().all(|(_, peek)| is_output(peek)) {
            Some(Found::Outputs)
        } else {
            None
        }
    }

    pub(super) fn first_keys(&self) -> String {
        let keys: Vec<_> = self.entries.iter().take(5).map(|(key, _)| format!("{key:?}")).collect();
        keys.join(", ")
    }
}

impl<'de> Visitor<'de> for &mut Seen {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if self.entries.len() < MAX_KEYS {
                self.entries.push((key, Peek::Other));
                if self.is_certain() {
                    // The rest is for the reader: stop here.
                    return Err(A::Error::custom("certain"));
                }
                let peek = map.next_value()?;
                if let Some((_, last)) = self.entries.last_mut() {
                    *last = peek;
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.shape = Shape::Array;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.shape = Shape::Scalar;
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.shape = Shape::Scalar;
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.shape = Shape::Scalar;
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.shape = Shape::Scalar;
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.shape = Shape::Scalar;
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.shape = Shape::Scalar;
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Peek {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PeekVisitor;
        impl<'de> Visitor<'de> for PeekVisitor {
            type Value = Peek;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Peek, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry::<String, _>()? {
                    if keys.len() < MAX_KEYS {
                        keys.push(key);
                    }
                }
                Ok(Peek::Object(keys))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Peek, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Peek::Array)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Peek, E> {
                Ok(Peek::Other)
            }

            fn visit_i64<E>(self, number: i64) -> Result<Peek, E> {
                Ok(Peek::Number(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Peek, E> {
                Ok(i64::try_from(number).map_or(Peek::Other, Peek::Number))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Peek, E> {
                Ok(Peek::Other)
            }

            fn visit_str<E>(self, text: &str) -> Result<Peek, E> {
                Ok(Peek::String(text.chars().take(128).collect()))
            }

            fn visit_unit<E>(self) -> Result<Peek, E> {
                Ok(Peek::Other)
            }
        }
        deserializer.deserialize_any(PeekVisitor)
    }
}

/// Where in the text of a plan its `planned_values` stand, if a list of the changes follows, which tells them too. Both are at
/// the top, and what stands before the list is JSON.
pub(super) fn planned_values(text: &str) -> Option<Range<usize>> {
    let mut planned = Planned::default();
    // It ends as soon as it is told.
    let _ended = serde_json::Deserializer::from_str(text).deserialize_map(&mut planned);
    let value = planned.value.filter(|_| planned.is_repeated)?;
    let start = value.get().as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    Some(start..start + value.get().len())
}

/// What [`planned_values`] finds.
#[derive(Debug, Default)]
struct Planned<'a> {
    value: Option<&'a RawValue>,
    is_repeated: bool,
}

impl<'de: 'a, 'a> Visitor<'de> for &mut Planned<'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plan")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match (key.as_str(), self.value) {
                ("planned_values", None) => self.value = Some(map.next_value()?),
                ("planned_values", Some(_)) | ("resource_changes", None) => break,
                ("resource_changes", Some(_)) => {
                    map.next_value_seed(IsList(&mut self.is_repeated))?;
                    break;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Err(A::Error::custom("told"))
    }
}

/// Says whether a value is a list, and reads nothing of it.
struct IsList<'l>(&'l mut bool);

impl<'de> DeserializeSeed<'de> for IsList<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for IsList<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        *self.0 = true;
        Ok(())
    }
}
