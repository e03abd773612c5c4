//! The messages of a binary plan: protobuf's wire format, and of Terraform's plan format 3 the fields that are needed.
//!
//! The format's own rule is that its version rises when an old reader would misunderstand it; fields that are not known
//! are skipped.

use crate::input::json::PathStep;

use super::msgpack;

/// The version of the format that is read.
pub const VERSION: u64 = 3;

/// The bytes are not what they should be.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Broken;

/// A field's content.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Field<'a> {
    Int(u64),
    Bytes(&'a [u8]),
    /// Four or eight bytes: no field that is read has these.
    Fixed,
}

/// The fields of a message, in their order.
struct Fields<'a>(&'a [u8]);

/// The message of a whole plan; what is in it is not decoded.
#[derive(Debug, Default)]
pub struct Plan<'a> {
    /// The version of the format.
    pub version: u64,
    /// The version of Terraform or OpenTofu.
    pub terraform_version: &'a str,
    /// Names and values of root variables.
    pub variables: Vec<(&'a str, &'a [u8])>,
    /// The changes of resource instances.
    pub changes: Vec<&'a [u8]>,
    /// What refreshing the state found: changes of resource instances from what was stored.
    pub drift: Vec<&'a [u8]>,
    /// Those that wait for a later run.
    pub deferred: Vec<&'a [u8]>,
    /// The workspace.
    pub workspace: Option<&'a str>,
    /// When it was made; Terraform 1.5 and later say so.
    pub timestamp: Option<&'a str>,
    /// It was saved after an error.
    pub errored: bool,
    /// It covers the whole configuration. Older versions do not say so, so false says nothing alone.
    pub complete: bool,
    /// It can be applied. Whoever says this also says whether it is complete.
    pub applyable: bool,
    /// It is of some resources only.
    pub targeted: bool,
}

impl Plan<'_> {
    /// The addresses of what it changes, unless they are damaged.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let all = self.changes.iter().chain(&self.deferred);
        all.filter_map(|change| Some(Change::parse(change).ok()?.address))
    }
}

/// The message without the changes in it: what a plan says of itself.
pub fn without_changes(bytes: &[u8]) -> Result<Vec<u8>, Broken> {
    let (mut fields, mut rest, mut out) = (Fields(bytes), bytes, Vec::new());
    while let Some(field) = fields.next() {
        let whole = rest.get(..rest.len().saturating_sub(fields.0.len())).unwrap_or_default();
        rest = fields.0;
        if !matches!(field?, (3 | 18 | 27, _)) {
            out.extend_from_slice(whole);
        }
    }
    Ok(out)
}

/// The change of a resource instance.
#[derive(Debug, Default)]
pub(super) struct Change<'a> {
    pub(super) address: &'a str,
    /// Before it was moved; the same if it was not.
    pub(super) previous: &'a str,
    pub(super) deposed: bool,
    pub(super) provider: &'a str,
    pub(super) action: u64,
    pub(super) values: Vec<&'a [u8]>,
    pub(super) before_sensitive: Vec<Vec<PathStep>>,
    pub(super) after_sensitive: Vec<Vec<PathStep>>,
    pub(super) importing: bool,
}

impl<'a> Plan<'a> {
    /// Reads the message. Of a version other than [`VERSION`] only that may be right.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Broken> {
        let mut this = Self::default();
        for field in Fields(bytes) {
            match field? {
                (1, Field::Int(version)) => this.version = version,
                (2, Field::Bytes(entry)) => this.variables.extend(variable(entry)?),
                (3, Field::Bytes(change)) => this.changes.push(change),
                (5, Field::Bytes(_)) => this.targeted = true,
                (13, Field::Bytes(backend)) => {
                    if let Some(name) = last(backend, 3)? {
                        this.workspace = Some(text(name)?);
                    }
                }
                (14, Field::Bytes(version)) => this.terraform_version = text(version)?,
                (21, Field::Bytes(timestamp)) => this.timestamp = Some(text(timestamp)?),
                (18, Field::Bytes(drift)) => this.drift.push(drift),
                (20, Field::Int(errored)) => this.errored = errored != 0,
                (25, Field::Int(applyable)) => this.applyable = applyable != 0,
                (26, Field::Int(complete)) => this.complete = complete != 0,
                (27, Field::Bytes(deferred)) => this.deferred.extend(last(deferred, 2)?),
                _ => {}
            }
        }
        Ok(this)
    }
}

impl<'a> Change<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Broken> {
        let mut this = Self::default();
        for field in Fields(bytes) {
            match field? {
                (7, Field::Bytes(key)) => this.deposed = !key.is_empty(),
                (8, Field::Bytes(provider)) => this.provider = text(provider)?,
                (9, Field::Bytes(change)) => this.read_change(change)?,
                (13, Field::Bytes(address)) => this.address = text(address)?,
                (14, Field::Bytes(address)) => this.previous = text(address)?,
                _ => {}
            }
        }
        Ok(this)
    }

    fn read_change(&mut self, bytes: &'a [u8]) -> Result<(), Broken> {
        for field in Fields(bytes) {
            match field? {
                (1, Field::Int(action)) => self.action = action,
                (2, Field::Bytes(value)) => self.values.push(last(value, 1)?.unwrap_or_default()),
                (3, Field::Bytes(path)) => self.before_sensitive.push(steps(path)?),
                (4, Field::Bytes(path)) => self.after_sensitive.push(steps(path)?),
                (5, Field::Bytes(_)) => self.importing = true,
                _ => {}
            }
        }
        Ok(())
    }
}

/// An entry of `variables`, unless it has no value.
fn variable(entry: &[u8]) -> Result<Option<(&str, &[u8])>, Broken> {
    let name = text(last(entry, 1)?.ok_or(Broken)?)?;
    let value = last(entry, 2)?.map(|value| last(value, 1)).transpose()?.flatten();
    Ok(value.map(|value| (name, value)))
}

/// A path into a value. A step that is not understood ends it: what is above that is marked whole.
fn steps(path: &[u8]) -> Result<Vec<PathStep>, Broken> {
    let mut out = Vec::new();
    for field in Fields(path) {
        let (1, Field::Bytes(step)) = field? else { continue };
        let name = last(step, 1)?.map(text).transpose()?;
        let key = last(step, 2)?.map(|value| last(value, 1)).transpose()?.flatten();
        match (name, key.and_then(msgpack::key)) {
            (Some(name), _) => out.push(PathStep::Field(name.into())),
            (None, Some(step)) => out.push(step),
            (None, None) => break,
        }
        if out.len() == MAX_PATH {
            break;
        }
    }
    Ok(out)
}

/// Sensitive paths are followed so far; what lies deeper is hidden with what is there.
const MAX_PATH: usize = 64;

/// The bytes of the field `wanted`: the last of several, as protobuf has it.
fn last(message: &[u8], wanted: u64) -> Result<Option<&[u8]>, Broken> {
    let mut found = None;
    for field in Fields(message) {
        if let (number, Field::Bytes(bytes)) = field?
            && number == wanted
        {
            found = Some(bytes);
        }
    }
    Ok(found)
}

fn text(bytes: &[u8]) -> Result<&str, Broken> {
    std::str::from_utf8(bytes).map_err(|_| Broken)
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let tag = self.varint()?;
        let field = match tag & 7 {
            0 => Field::Int(self.varint()?),
            1 => self.take(8).map(|_| Field::Fixed)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Field::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Field::Fixed)?,
            _ => return None,
        };
        Some((tag >> 3, field)).filter(|(number, _)| *number > 0)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut out = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            out |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(out);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or(Broken);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_unknown_ones_skipped() {
        let bytes = b"\x08\x03\x72\x061.11.4\xa0\x01\x01\xfd\x7f\0\0\0\0\xd9\x3e\0\0\0\0\0\0\0\0\x1a\0";
        let plan = Plan::parse(bytes).unwrap();
        assert_eq!((plan.version, plan.terraform_version, plan.errored), (3, "1.11.4", true));
        assert_eq!(plan.changes, [b""]);
        let rest = without_changes(bytes).unwrap();
        assert_eq!(rest, bytes[..bytes.len() - 2], "the change stands at the end");
        assert_eq!(without_changes(b"\x1a\x01\0\x08"), Err(Broken));
    }

    #[test]
    fn what_is_cut_off_or_no_message_is_broken() {
        for bytes in
            [b"\x08".as_slice(), b"\x12\x05abc", b"\x0b", b"\0\0", b"\x80", &[0xff; 12], b"\x72\x01\xff"]
        {
            assert_eq!(Plan::parse(bytes).err(), Some(Broken), "{bytes:?}");
        }
    }
}
