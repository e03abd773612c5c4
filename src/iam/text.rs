//! A text of a policy, of which parts may not be known, and what can be said of it all the same.
//!
//! Every answer holds for whatever the unknown parts become, under two assumptions: an attribute that identifies a
//! resource (`aws_s3_bucket.b.arn`) has no wildcards in it, and no part holds a quote or backslash that would end the
//! JSON string it stands in.

use std::borrow::Cow;
use std::sync::Arc;

use smol_str::SmolStr;

use super::pattern::action_covers;
use super::told::Told;
use crate::value::{Cause, Kind, Partial, Piece, Reference, Value};

/// A text with at least one unknown part, or with none.
#[derive(Clone, Debug)]
pub enum Text {
    /// All of it.
    Known(SmolStr),
    /// Its pieces, with at least one hole.
    Holed(Arc<[Piece]>),
}

/// What may stand in a hole.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// Any text.
    Any,
    /// A name, an id or another part of an ARN: not empty, without wildcards.
    Name,
    /// The ARN of one thing.
    Arn,
}

/// A part of a text as patterns are matched.
#[derive(Copy, Clone, Debug)]
pub(super) enum Part<'t> {
    Text(&'t str),
    Hole(Stand),
}

impl Text {
    /// A text of these pieces.
    pub(super) fn of_pieces(pieces: Vec<Piece>) -> Self {
        let known = |piece: &Piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::Hole(_) => None,
        };
        match pieces.iter().map(known).collect::<Option<Vec<_>>>() {
            Some(texts) => Self::Known(match <[SmolStr; 1]>::try_from(texts) {
                Ok([only]) => only,
                Err(texts) => texts.concat().into(),
            }),
            None => Self::Holed(pieces.into()),
        }
    }

    /// `Text::of_pieces` where known pieces may stand side by side.
    pub fn of_pieces_merged(pieces: Vec<Piece>) -> Self {
        let mut merged: Vec<Piece> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match (merged.last_mut(), piece) {
                (Some(Piece::Text(last)), Piece::Text(text)) => *last = format!("{last}{text}").into(),
                (_, piece) => merged.push(piece),
            }
        }
        Self::of_pieces(merged)
    }

    /// What is known of a string; [`None`] of what is none, and of one of which nothing is known.
    pub fn of_value(value: &Value) -> Option<Self> {
        let unknown = match &value.kind {
            Kind::String(text) => return Some(Self::Known(text.clone())),
            Kind::Unknown(unknown) => unknown,
            _ => return None,
        };
        match &unknown.partial {
            Some(Partial::Template(pieces)) => Some(Self::Holed(pieces.clone())),
            _ if unknown.prefix.is_empty() => None,
            _ => Some(Self::of_pieces(vec![Piece::Text(unknown.prefix.clone()), Piece::Hole(value.clone())])),
        }
    }

    /// The text with `hole` for each part that is not known.
    pub fn with_holes(&self, hole: char) -> String {
        let part = |part| match part {
            Part::Text(text) => text.to_owned(),
            Part::Hole(_) => hole.to_string(),
        };
        self.parts().map(part).collect()
    }

    /// The known text that it ends with.
    pub fn suffix(&self) -> &str {
        match self {
            Self::Known(text) => text,
            Self::Holed(pieces) => match pieces.last() {
                Some(Piece::Text(text)) => text,
                _ => "",
            },
        }
    }

    /// All of it, if it is known.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Known(text) => Some(text),
            Self::Holed(_) => None,
        }
    }

    /// All of it, if it is known and stands for nothing but itself.
    pub(super) fn as_literal(&self) -> Option<&str> {
        self.as_str().filter(|text| memchr::memchr3(b'*', b'?', b'$', text.as_bytes()).is_none())
    }

    /// The known text that it begins with.
    pub fn prefix(&self) -> &str {
        match self {
            Self::Known(text) => text,
            Self::Holed(pieces) => match pieces.first() {
                Some(Piece::Text(text)) => text,
                _ => "",
            },
        }
    }

    /// Whether it is `wanted`.
    pub fn is(&self, wanted: &str) -> Told {
        let possible = || walk(self.parts(), wanted, false).0;
        self.tell(|text| text == wanted, possible)
    }

    /// Whether, as a pattern, it covers `action`. `*` is any text, `?` any one character; case does not matter.
    pub fn covers(&self, action: &str) -> Told {
        self.tell(|pattern| action_covers(pattern, action), || walk(self.parts(), action, true).0)
    }

    /// Whether, as a pattern, it covers something that begins with `prefix`.
    pub fn touches(&self, prefix: &str) -> Told {
        let any = || walk(self.parts(), prefix, true).1;
        self.tell(|_| any(), any)
    }

    /// Asks the whole text if it is known; else it is surely not so unless `possible`.
    fn tell(&self, known: impl Fn(&str) -> bool, possible: impl Fn() -> bool) -> Told {
        match self {
            Self::Known(text) => Ok(known(text)),
            Self::Holed(_) if possible() => Err(self.cause()),
            Self::Holed(_) => Ok(false),
        }
    }

    /// Why it is not known.
    pub fn cause(&self) -> Cause {
        let pieces = match self {
            Self::Known(_) => &[][..],
            Self::Holed(pieces) => pieces,
        };
        let cause = pieces.iter().find_map(|piece| match piece {
            Piece::Hole(value) => Some(cause_of(value)),
            Piece::Text(_) => None,
        });
        cause.unwrap_or_else(|| Cause::Other("not known".into()))
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = Part<'_>> + Clone {
        let (text, pieces) = match self {
            Self::Known(text) => (Some(Part::Text(text)), &[][..]),
            Self::Holed(pieces) => (None, &**pieces),
        };
        text.into_iter().chain(pieces.iter().map(|piece| match piece {
            Piece::Text(text) => Part::Text(text),
            Piece::Hole(value) => Part::Hole(stand(value)),
        }))
    }
}

impl Text {
    /// It as it is shown.
    pub fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Known(text) if text.len() <= MAX_SHOWN => Cow::Borrowed(text),
            _ => Cow::Owned(self.to_string()),
        }
    }
}

/// Longer texts are not shown whole: no ARN is as long.
const MAX_SHOWN: usize = 2048;

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = self.parts().map(|part| match part {
            Part::Text(text) => text.len(),
            Part::Hole(_) => 0,
        });
        let length: usize = known.sum();
        match self {
            _ if length > MAX_SHOWN => {
                let whole = self.with_holes('…');
                let begin: String = whole.chars().take(100).collect();
                write!(f, "{begin}… ({length} bytes)")
            }
            Self::Known(text) => f.write_str(text),
            Self::Holed(pieces) => pieces.iter().try_for_each(|piece| piece.fmt(f)),
        }
    }
}

/// Why a value is not known.
pub(super) fn cause_of(value: &Value) -> Cause {
    value.first_cause().cloned().unwrap_or_else(|| Cause::Other("not known".into()))
}

/// Whether the parts can make all of `text`, and whether a beginning of them can.
///
/// It keeps every place of `text` that the parts so far can end at. As a pattern, wildcards in known parts are such, and so
/// may be what fills a hole; it covers no more than `*` does.
fn walk<'t>(parts: impl Iterator<Item = Part<'t>>, text: &str, pattern: bool) -> (bool, bool) {
    let text = text.as_bytes();
    let end = text.len();
    let mut here = vec![false; end + 1];
    if let Some(first) = here.first_mut() {
        *first = true;
    }
    let mut reached = end == 0;
    for part in parts {
        match part {
            Part::Text(known) => {
                for &byte in known.as_bytes() {
                    here = match byte {
                        b'*' if pattern => onward(&here),
                        _ => step(&here, text, |other| {
                            pattern && (byte == b'?' || byte.eq_ignore_ascii_case(&other)) || byte == other
                        }),
                    };
                    reached |= here.last() == Some(&true);
                }
            }
            // Names are not empty, and as literal text they have no wildcard.
            Part::Hole(Stand::Name | Stand::Arn) => {
                let mut from = vec![false; end + 1];
                let mut on = here;
                for _ in 0..=end {
                    on = step(&on, text, |other| pattern || !matches!(other, b'*' | b'?'));
                    if !on.contains(&true) {
                        break;
                    }
                    for (from, on) in from.iter_mut().zip(&on) {
                        *from |= on;
                    }
                }
                here = from;
            }
            Part::Hole(Stand::Any) => here = onward(&here),
        }
        reached |= here.last() == Some(&true);
    }
    (here.last() == Some(&true), reached)
}

/// All places from the first on.
fn onward(here: &[bool]) -> Vec<bool> {
    let first = here.iter().position(|&is| is).unwrap_or(here.len());
    (0..here.len()).map(|at| at >= first).collect()
}

/// The places one byte further, where that byte fits.
fn step(here: &[bool], text: &[u8], fits: impl Fn(u8) -> bool) -> Vec<bool> {
    let moved = here.iter().zip(text).map(|(&is, &byte)| is && fits(byte));
    std::iter::once(false).chain(moved).collect()
}

/// What may stand in a hole, by the attribute that it is.
fn stand(value: &Value) -> Stand {
    let Some(reference) = &value.reference else { return Stand::Any };
    if !type_of(reference).starts_with("aws_") {
        return Stand::Any;
    }
    let last = reference.attribute.rsplit('.').next().unwrap_or_default();
    let last = last.split('[').next().unwrap_or_default();
    match last {
        "arn" => Stand::Arn,
        "id" | "name" | "bucket" | "partition" | "region" => Stand::Name,
        _ if last.ends_with("_arn") => Stand::Arn,
        _ if last.ends_with("_id") || last.ends_with("_name") => Stand::Name,
        _ => Stand::Any,
    }
}

/// Whether it is the ARN of one thing, also where no schema tells that it is a text.
pub(super) fn is_arn(value: &Value) -> bool {
    stand(value) == Stand::Arn
}

/// The resource whose ARN, id or name the text begins with.
pub(super) fn resource_of(text: &Text) -> Option<&Reference> {
    let Text::Holed(pieces) = text else { return None };
    let Some(Piece::Hole(value)) = pieces.first() else { return None };
    value.reference.as_deref().filter(|_| stand(value) == Stand::Arn)
}

/// The type in the address of a resource or data source, also of one in modules: `aws_s3_bucket`.
fn type_of(reference: &Reference) -> &str {
    let mut rest = reference.resource.as_str();
    while let Some(call) = rest.strip_prefix("module.") {
        // The key of an instance may hold a dot.
        let mut quoted = false;
        let end = call.char_indices().find(|&(_, c)| {
            quoted ^= c == '"';
            c == '.' && !quoted
        });
        rest = end.and_then(|(at, _)| call.get(at + 1..)).unwrap_or_default();
    }
    let rest = rest.strip_prefix("data.").unwrap_or(rest);
    rest.split('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hole(resource: &str, attribute: &str) -> Piece {
        let reference = Arc::new(Reference { resource: resource.into(), attribute: attribute.into() });
        let value = Value::unknown(Cause::Resource(reference.clone()));
        Piece::Hole(Value { reference: Some(reference), ..value })
    }

    /// `{}` is a hole that may be anything.
    fn text(pattern: &str) -> Text {
        let mut pieces = Vec::new();
        for (at, known) in pattern.split("{}").enumerate() {
            if at > 0 {
                pieces.push(Piece::Hole(Value::unknown(Cause::Variable("x".into()))));
            }
            if !known.is_empty() {
                pieces.push(Piece::Text(known.into()));
            }
        }
        Text::of_pieces(pieces)
    }

    #[test]
    fn known_patterns_cover_actions_in_any_case() {
        for (pattern, action, expected) in [
            ("*", "s3:x", true),
            ("BEDROCK:invoke*", "bedrock:InvokeModel", true),
            ("bedrock:*", "bedrock-agentcore:InvokeAgentRuntime", false),
            ("s3:*Object*", "s3:GetObjectAcl", true),
            ("s3:*Object", "s3:GetObjectAcl", false),
            ("s3:Get?bject", "s3:GetObject", true),
            ("s3:GetObject?", "s3:GetObject", false),
            ("", "s3:x", false),
        ] {
            assert_eq!(text(pattern).covers(action), Ok(expected), "{pattern} {action}");
        }
        assert_eq!(text("S3:*").is("s3:*"), Ok(false));
    }

    #[test]
    fn a_hole_covers_what_it_may_become() {
        for (pattern, action, possible) in [
            ("{}", "s3:GetObject", true),
            ("s3:{}", "s3:GetObject", true),
            ("s3:{}Object", "s3:GetObject", true),
            ("s3:Put{}", "s3:GetObject", false),
            ("{}:GetObject", "s3:PutObject", false),
        ] {
            assert_eq!(text(pattern).covers(action).is_err(), possible, "{pattern} {action}");
        }
    }

    #[test]
    fn a_pattern_touches_a_service() {
        for (pattern, expected) in [
            ("*", true),
            ("s3:GetObject", true),
            ("s3:*", true),
            ("s*", true),
            ("s3", false),
            ("sns:*", false),
            ("s3-object-lambda:*", false),
        ] {
            assert_eq!(text(pattern).touches("s3:"), Ok(expected), "{pattern}");
        }
        assert!(text("{}:*").touches("s3:").is_err());
        assert_eq!(text("sns:{}").touches("s3:"), Ok(false));
    }

    #[test]
    fn what_identifies_a_resource_is_no_wildcard() {
        let arn = |text: &str| {
            Text::of_pieces(vec![hole("module.a[\"x.y\"].aws_s3_bucket.b", "arn"), Piece::Text(text.into())])
        };
        assert_eq!(arn("/*").is("*"), Ok(false));
        let name = Text::of_pieces(vec![hole("data.aws_region.here", "name")]);
        assert_eq!(name.is("*"), Ok(false));
        assert!(name.is("eu-central-1").is_err());
        let output = Text::of_pieces(vec![hole("data.terraform_remote_state.aws_x", "outputs.bucket_arn")]);
        assert!(output.is("*").is_err(), "anything can be in a state");
        assert_eq!(arn("/*").to_string(), "${module.a[\"x.y\"].aws_s3_bucket.b.arn}/*");
    }
}
