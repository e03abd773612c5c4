//! What a file of JSON is: told by its first keys, and if it is nothing that airgate reads, what it is and what to do.

pub mod files;
pub mod json;
pub(crate) mod wiring;

pub use files::{Input, Inputs, ReadError};

use std::fmt;

use crate::program::Program;
use crate::source::FileId;
use crate::{pulumi, terraform};
use serde::Deserialize;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The kinds of file that airgate reads.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum InputFile {
    /// `terraform show -json PLAN`
    Plan,
    /// `terraform show -json` of a state.
    State,
    /// `terraform.tfstate`, version 4.
    RawTfstate,
    /// `pulumi preview --json`
    PulumiPreview,
    /// `pulumi stack export`, or a checkpoint of a file backend.
    PulumiStack,
}

/// Why a file is not an input.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InputError {
    /// Nothing in it.
    #[error("{path} is empty: the command that should have written it failed")]
    Empty {
        /// The file.
        path: String,
    },
    /// Not text.
    #[error("{path} is not UTF-8 text")]
    NotText {
        /// The file.
        path: String,
    },
    /// A plan as `terraform plan -out` writes it, or another zip archive.
    #[error("{path} is a binary plan: run `terraform show -json {path}` and check what that prints")]
    BinaryPlan {
        /// The file.
        path: String,
    },
    /// A gzip file.
    #[error("{path} is compressed with gzip: run `gzip -dc {path}` and check what that prints")]
    Gzip {
        /// The file.
        path: String,
    },
    /// The file is too large for 32-bit offsets.
    #[error("{path} has 4 GiB or more: airgate reads no file of that size")]
    TooLarge {
        /// The file.
        path: String,
    },
    /// JSON that stops in the middle.
    #[error("{path} ends in the middle of its JSON, at line {line}, column {column}: write the file anew")]
    Truncated {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Not JSON.
    #[error("{path} is not valid JSON at line {line}, column {column}: {reason}")]
    Invalid {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// JSON of another tool or command.
    #[error("{path} is {found}: {advice}")]
    Other {
        /// The file.
        path: String,
        /// What it is.
        found: Found,
        /// What to do.
        advice: &'static str,
    },
    /// A version that airgate does not read.
    #[error("{path} is {what} of version {version}; airgate reads {known}")]
    Version {
        /// The file.
        path: String,
        /// What it is.
        what: &'static str,
        /// Its version.
        version: String,
        /// Which versions are read, and what to do.
        known: &'static str,
    },
    /// An object that tells nothing.
    #[error("{path} is a JSON object of no known kind (its first keys are {keys}): {ADVICE}")]
    Unknown {
        /// The file.
        path: String,
        /// Its first keys, for people.
        keys: String,
    },
}

/// JSON that people take for a plan.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what `as_str` says")]
pub enum Found {
    StreamingPlan,
    ProviderSchema,
    Outputs,
    Validation,
    Source,
    PulumiEvents,
    PulumiSummary,
    PulumiUpdatePlan,
    CloudFormation,
    AzureTemplate,
    HumanPlan,
    Array,
    Scalar,
    EmptyObject,
}

const ADVICE: &str = "give a plan (`terraform show -json PLAN`), a state, a `pulumi preview --json` or a `pulumi stack export`";

impl Found {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StreamingPlan => "the streaming output of `terraform plan -json`",
            Self::ProviderSchema => "the output of `terraform providers schema -json`",
            Self::Outputs => "the output of `terraform output -json`",
            Self::Validation => "the output of `terraform validate -json`",
            Self::Source => "Terraform source in JSON syntax",
            Self::PulumiEvents => "a log of Pulumi engine events",
            Self::PulumiSummary => "the summary that `pulumi preview --output json` prints",
            Self::PulumiUpdatePlan => "a plan of `pulumi preview --save-plan`",
            Self::CloudFormation => "a CloudFormation template",
            Self::AzureTemplate => "an Azure Resource Manager template",
            Self::HumanPlan => "a plan as text for people",
            Self::Array => "a JSON array",
            Self::Scalar => "a single JSON value",
            Self::EmptyObject => "an empty JSON object",
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::StreamingPlan => "save a plan with `-out=PLAN` and use `terraform show -json PLAN`",
            Self::HumanPlan => "use `terraform show -json PLAN`",
            Self::Outputs => "use `terraform show -json` for the whole state",
            Self::Source => "name its directory instead of the file",
            Self::PulumiEvents | Self::PulumiSummary | Self::PulumiUpdatePlan => {
                "use `pulumi preview --json --show-sames` or `pulumi stack export`"
            }
            Self::EmptyObject => "the command that wrote it failed; look at its messages",
            _ => ADVICE,
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text in the bytes of a file: UTF-8, or UTF-16 as PowerShell writes it, without a byte order mark.
pub fn decode(path: &str, bytes: Vec<u8>) -> Result<String, InputError> {
    let path = || path.to_owned();
    if u32::try_from(bytes.len()).is_err() {
        return Err(InputError::TooLarge { path: path() });
    }
    match bytes.as_slice() {
        [b'P', b'K', 3 | 5, _, ..] => Err(InputError::BinaryPlan { path: path() }),
        [0x1f, 0x8b, ..] => Err(InputError::Gzip { path: path() }),
        [0xff, 0xfe, rest @ ..] => {
            utf16(rest, u16::from_le_bytes).ok_or_else(|| InputError::NotText { path: path() })
        }
        [0xfe, 0xff, rest @ ..] => {
            utf16(rest, u16::from_be_bytes).ok_or_else(|| InputError::NotText { path: path() })
        }
        _ => {
            let mut text = String::from_utf8(bytes).map_err(|_| InputError::NotText { path: path() })?;
            if text.starts_with('\u{feff}') {
                text.drain(..'\u{feff}'.len_utf8());
            }
            Ok(text)
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let units: Vec<u16> = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(unit)).collect();
    bytes.len().is_multiple_of(2).then(|| String::from_utf16(&units).ok())?
}

/// Tells what the JSON `text` of the file at `path` is. It looks no further into it than it must.
pub fn detect(path: &str, text: &str) -> Result<InputFile, InputError> {
    let path = || path.to_owned();
    let other = |found: Found| InputError::Other { path: path(), found, advice: found.advice() };
    let start = text.trim_start();
    if start.is_empty() {
        return Err(InputError::Empty { path: path() });
    }
    if is_plan_for_people(start) {
        return Err(other(Found::HumanPlan));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut seen = Seen::default();
    let result = deserializer.deserialize_any(&mut seen);
    if let Err(error) = result
        && !seen.is_certain()
    {
        let (line, column) = (error.line(), error.column());
        return Err(if error.is_eof() {
            InputError::Truncated { path: path(), line, column }
        } else {
            InputError::Invalid { path: path(), line, column, reason: reason(&error) }
        });
    }
    match seen.shape {
        Shape::Object => {}
        Shape::Array => return Err(other(Found::Array)),
        Shape::Scalar => return Err(other(Found::Scalar)),
    }
    if let Some(found) = seen.found() {
        return Err(other(found));
    }
    let file = seen.file().ok_or_else(|| InputError::Unknown { path: path(), keys: seen.first_keys() })?;
    match file {
        InputFile::Plan | InputFile::State => {
            let version = seen.text("format_version").unwrap_or("1.0");
            if !matches!(version.split('.').next(), Some("0" | "1")) {
                let known = "0.1 to 1.x: airgate is older than the Terraform that wrote it";
                let what = "Terraform JSON";
                return Err(InputError::Version { path: path(), what, version: version.to_owned(), known });
            }
        }
        InputFile::RawTfstate => {
            let version = seen.number("version").unwrap_or_default();
            if version != 4 {
                let known = "version 4: let Terraform 0.12 or later write it anew (`terraform state push`), \
                             or use `terraform show -json`";
                let what = "a Terraform state";
                return Err(InputError::Version { path: path(), what, version: version.to_string(), known });
            }
        }
        InputFile::PulumiStack => {
            let version = seen.number("version").unwrap_or(3);
            if !(1..=4).contains(&version) {
                let (what, known) = ("a Pulumi stack", "versions 1 to 4");
                return Err(InputError::Version { path: path(), what, version: version.to_string(), known });
            }
        }
        InputFile::PulumiPreview => {}
    }
    Ok(file)
}

/// Reads the `text` of `file` as the kind that [`detect`] told. Only types that are `wanted` get their values; they are named
/// as in Terraform.
pub fn read(kind: InputFile, path: &str, text: &str, file: FileId, wanted: &dyn Fn(&str) -> bool) -> Program {
    let mut program = match kind {
        InputFile::Plan => terraform::plan::read(text, file, wanted),
        InputFile::State => terraform::state::read(text, file, wanted),
        InputFile::RawTfstate => terraform::state::read_raw(text, file, wanted),
        InputFile::PulumiPreview => pulumi::preview::read(text, file, wanted),
        InputFile::PulumiStack => pulumi::stack::read(text, file, wanted),
    };
    path.clone_into(&mut program.path);
    program
}

/// What is wrong with JSON, with none of its content: serde quotes values that do not fit, and they may be secret.
pub fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if error.is_data() && !text.starts_with("missing field") {
        return "a value has not the type that it should".to_owned();
    }
    text.to_owned()
}

fn is_plan_for_people(text: &str) -> bool {
    const STARTS: [&str; 6] =
        ["Terraform ", "OpenTofu ", "Note: Objects have changed", "No changes.", "data.", "# "];
    STARTS.iter().any(|start| text.starts_with(start))
}

/// What a look at the file has shown.
#[derive(Debug, Default)]
struct Seen {
    shape: Shape,
    entries: Vec<(String, Peek)>,
}

#[derive(Debug, Default, PartialEq)]
enum Shape {
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

    fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Peek::String(text) => Some(text),
            _ => None,
        }
    }

    fn number(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Peek::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether the keys seen so far tell the kind, whatever follows.
    fn is_certain(&self) -> bool {
        self.file().is_some_and(|file| match file {
            InputFile::Plan => self.text("format_version").is_some(),
            InputFile::State => self.has("values") && self.text("format_version").is_some(),
            InputFile::RawTfstate => self.number("version").is_some(),
            InputFile::PulumiPreview => self.has("steps"),
            InputFile::PulumiStack => self.number("version").is_some(),
        })
    }

    fn file(&self) -> Option<InputFile> {
        let has = |key| self.has(key);
        if has("planned_values") || has("resource_changes") || (has("format_version") && has("configuration"))
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

    fn found(&self) -> Option<Found> {
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

    fn first_keys(&self) -> String {
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
