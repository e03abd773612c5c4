//! What a file is: JSON is told by its first keys, a binary plan by its first bytes; and if it is nothing that airgate reads,
//! what it is and what to do.

mod archive;
mod binary;
mod error;
pub mod files;
pub mod json;
mod look;
mod marks;
mod origin;
mod roots;
mod units;
pub(crate) mod wiring;

use serde::de::Deserializer as _;

use crate::program::Program;
use crate::source::FileId;
use crate::{pulumi, terraform};

pub use binary::BinaryPlan;
pub use error::{Found, InputError};
pub use files::{Input, Inputs, ReadError};
use look::{Seen, Shape};
pub use origin::SourceOptions;

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

/// The text in the bytes of a file: UTF-8, or UTF-16 as PowerShell writes it, without a byte order mark.
pub fn decode(path: &str, bytes: Vec<u8>) -> Result<String, InputError> {
    let path = || path.to_owned();
    if u32::try_from(bytes.len()).is_err() {
        return Err(InputError::TooLarge { path: path() });
    }
    match bytes.as_slice() {
        bytes if binary::is_archive(bytes) => {
            Err(InputError::BinaryPlan { path: path(), reason: "it is no text".to_owned() })
        }
        [0x1f, 0x8b, ..] => Err(InputError::Gzip { path: path() }),
        [0xff, 0xfe, rest @ ..] => {
            utf16(rest, u16::from_le_bytes).ok_or_else(|| InputError::NotText { path: path() })
        }
        [0xfe, 0xff, rest @ ..] => {
            utf16(rest, u16::from_be_bytes).ok_or_else(|| InputError::NotText { path: path() })
        }
        // Some write it without a mark; no other text has a zero there.
        [b'{' | b' ' | b'\r' | b'\n', 0, ..] => {
            utf16(&bytes, u16::from_le_bytes).ok_or_else(|| InputError::NotText { path: path() })
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

/// Whether [`decode`] leaves the text as it is.
fn is_decoded(text: &str) -> bool {
    let is_marked = text.starts_with('\u{feff}') || text.get(1..2) == Some("\0");
    !is_marked && !binary::is_archive(text.as_bytes()) && u32::try_from(text.len()).is_ok()
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
    if let Some(values) = too_many_values(text) {
        return Err(InputError::TooMany { path: path(), values });
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut seen = Seen::default();
    let result = deserializer.deserialize_any(&mut seen);
    if let Err(error) = result
        && !seen.is_certain()
    {
        if !error.is_eof() && !start.starts_with('{') && speaks_of_plans(text.as_bytes()) {
            return Err(other(Found::Surrounded));
        }
        let (line, column) = (error.line(), error.column().max(1));
        return Err(if error.is_eof() {
            InputError::Truncated { path: path(), line, column }
        } else {
            InputError::Invalid { path: path(), line, column, reason: reason(&error) }
        });
    }
    match seen.shape {
        Shape::Object => {}
        Shape::Array => return Err(other(Found::Array)),
        Shape::Scalar if speaks_of_plans(text.as_bytes()) => return Err(other(Found::Surrounded)),
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
                let known = if version > 4 {
                    "version 4: airgate is older than the Terraform that wrote it; use `terraform show -json`"
                } else {
                    "version 4: `terraform state pull` of Terraform 0.12 or later gives it so"
                };
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
    if error.is_eof() {
        return "it ends in the middle".to_owned();
    }
    // The names of fields are ours, not those of the input.
    let is_ours = ["missing field", "duplicate field", TWICE].iter().any(|start| text.starts_with(start));
    if error.is_data() && !is_ours {
        return "a value has not the type that it should".to_owned();
    }
    text.to_owned()
}

/// What is said of an object that has a key twice.
pub(crate) const TWICE: &str = "an object has a key twice";

/// No plan or state has more values.
const MAX_VALUES: usize = 50_000_000;

/// Above a size each value of a plan or state has, with its name, more bytes: real ones have 25.
const MIN_BYTES: usize = 10;

/// Files up to this size may hold anything.
const SMALL: usize = 16 << 20;

/// How many values the text has, if they would take more memory than any plan does: a value in memory is larger than `null`.
fn too_many_values(text: &str) -> Option<usize> {
    if text.len() <= SMALL {
        return None;
    }
    let values = memchr::memchr_iter(b',', text.as_bytes()).count();
    (values > MAX_VALUES.min(text.len() / MIN_BYTES)).then_some(values)
}

/// Whether the text has keys that only inputs have.
fn speaks_of_plans(bytes: &[u8]) -> bool {
    const KEYS: [&[u8]; 5] = [
        b"\"format_version\"",
        b"\"resource_changes\"",
        b"\"planned_values\"",
        b"\"terraform_version\"",
        b"\"changeSummary\"",
    ];
    KEYS.iter().any(|key| memchr::memmem::find(bytes, key).is_some())
}

/// The first line of what people read is no longer.
const MAX_LINE: usize = 1 << 14;

/// Whether it is what `terraform plan` and `terraform show` print, perhaps coloured.
fn is_plan_for_people(text: &str) -> bool {
    const STARTS: [&str; 7] = [
        "Terraform ",
        "OpenTofu ",
        "Note: Objects have changed",
        "No changes.",
        "data.",
        "# data.",
        "The state file is empty",
    ];
    // A line of many megabytes is none for people.
    let mut text = text.get(..text.floor_char_boundary(MAX_LINE)).unwrap_or(text);
    while let Some((_, rest)) = text.strip_prefix("\u{1b}[").and_then(|text| text.split_once('m')) {
        text = rest;
    }
    let line = text.lines().next().unwrap_or_default();
    let line = line.split('\u{1b}').next().unwrap_or_default();
    let is_change = line.starts_with("# ")
        && ([" will be ", " must be "].iter().any(|words| line.contains(words)) || line.ends_with(':'));
    let is_refreshed = [": Refreshing state...", ": Reading..."].iter().any(|words| line.contains(words));
    is_change || is_refreshed || STARTS.iter().any(|start| text.starts_with(start))
}
