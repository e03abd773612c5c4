//! Whether a `Resource` is every resource, or every one of a kind, also where parts of it are not known.
//!
//! The texts that are form a regular language, so a small automaton decides. It is in every state that what is known
//! allows: if all that it can end in accept, the answer is yes, if none does, no.

use std::collections::BTreeSet;

use super::text::{Part, Stand, Text};
use super::told::Told;

/// Where the automaton is after a part of `arn:partition:service:region:account:kind/name`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Start,
    /// `*` alone.
    Star,
    /// In one of the parts, counted from 0, before the name; `s3` is whether the third part is, or can still be.
    Part(u8, Service),
    /// At the beginning of the last part.
    Name(Service),
    /// `*` is all of the last part.
    NameStar(Service),
    /// In the last part, before a slash.
    Kind(Service),
    /// Just after its first slash.
    Slash,
    /// Only `*` after its first slash.
    SlashStar,
    /// Some resources, whatever follows.
    Narrow,
}

/// What is known of the service.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Service {
    None,
    S,
    S3,
    Other,
}

impl State {
    fn accepts(self) -> bool {
        matches!(self, Self::Star | Self::NameStar(_) | Self::SlashStar)
    }

    fn step(self, c: char) -> Self {
        match (self, c) {
            (Self::Start, '*') => Self::Star,
            (Self::Start | Self::Star, ':') => Self::Part(1, Service::None),
            (Self::Start | Self::Star, _) => Self::Part(0, Service::None),
            (Self::Part(4, service), ':') => Self::Name(service),
            (Self::Part(part, service), ':') => Self::Part(part + 1, service),
            (Self::Part(2, service), c) => Self::Part(
                2,
                match (service, c) {
                    (Service::None, 's') => Service::S,
                    (Service::S, '3') => Service::S3,
                    _ => Service::Other,
                },
            ),
            (Self::Part(..), _) => self,
            (Self::Name(service), '*') => Self::NameStar(service),
            // Of S3 what is before the slash is a bucket, not a kind; every bucket is `*`.
            (Self::Name(Service::S3) | Self::Kind(Service::S3), '/') => Self::Narrow,
            (Self::Name(_) | Self::NameStar(_) | Self::Kind(_), '/') => Self::Slash,
            (Self::Name(service) | Self::NameStar(service) | Self::Kind(service), _) => Self::Kind(service),
            (Self::Slash, '*') => Self::SlashStar,
            (Self::Slash | Self::SlashStar | Self::Narrow, _) => Self::Narrow,
        }
    }
}

/// One character of each sort that the automaton tells apart.
const SORTS: [char; 6] = ['*', '/', ':', 's', '3', 'x'];

/// Kinds of which to name every one allows nothing by itself: what they lead to is asked for too. Who invokes a model through
/// an inference profile must be allowed to invoke the model.
const LEAD_ON: [&str; 2] = [":inference-profile/", ":application-inference-profile/"];

/// Whether the text, as a `Resource`, is every resource, or every resource of a kind (`…::foundation-model/*`).
pub fn is_every_resource(text: &Text) -> Told {
    // Most are one resource, and end with its name.
    if matches!(text.suffix().bytes().last(), Some(last) if last != b'*') {
        return Ok(false);
    }
    let leads_on = |known: &str| LEAD_ON.iter().any(|kind| known.contains(kind));
    if let Some(known) = text.as_str() {
        return Ok((known == "*" || is_every_of_kind(known).unwrap_or(false)) && !leads_on(known));
    }
    if text.parts().any(|part| matches!(part, Part::Text(known) if leads_on(known))) {
        return Ok(false);
    }
    let mut states = BTreeSet::from([State::Start]);
    // Colons that may still come before a hole does not hold one.
    let mut colons = if has_all_parts(text) { 0 } else { usize::MAX };
    for part in text.parts() {
        match part {
            Part::Text(known) => {
                for c in known.chars() {
                    colons = colons.saturating_add(usize::from(c == ':' && colons != usize::MAX));
                    states = states.into_iter().map(|state| state.step(c)).collect();
                }
            }
            // What begins with the identity of one resource is about that one.
            Part::Hole(Stand::Name | Stand::Arn) if states.contains(&State::Start) => {
                states = BTreeSet::from([State::Narrow]);
            }
            Part::Hole(stand) => {
                let in_part = colons < 5;
                let may_hold = |c: char| match c {
                    ':' => !in_part && stand != Stand::Name,
                    '*' => stand == Stand::Any,
                    _ => true,
                };
                let sorts = SORTS.into_iter().filter(|&c| may_hold(c));
                let once = |states: &BTreeSet<State>| -> BTreeSet<State> {
                    states.iter().flat_map(|state| sorts.clone().map(|c| state.step(c))).collect()
                };
                let mut reached = if stand == Stand::Any { states } else { once(&states) };
                loop {
                    let before = reached.len();
                    let further = once(&reached);
                    reached.extend(further);
                    if reached.len() == before {
                        break;
                    }
                }
                states = reached;
            }
        }
    }
    match (states.iter().any(|state| state.accepts()), states.iter().all(|state| state.accepts())) {
        (false, _) => Ok(false),
        (true, true) => Ok(true),
        (true, false) => Err(text.cause()),
    }
}

/// What the automaton says of a text that is known, and not `*` alone.
fn is_every_of_kind(text: &str) -> Option<bool> {
    let mut colons = memchr::memchr_iter(b':', text.as_bytes());
    let (second, third, fifth) = (colons.nth(1)?, colons.next()?, colons.nth(1)?);
    let (service, name) = (text.get(second + 1..third)?, text.get(fifth + 1..)?);
    let (kind, rest) = name.split_once('/').unwrap_or(("*", name));
    Some(rest == "*" && (service != "s3" || kind == "*"))
}

/// Whether the known text alone has the six parts of an ARN. Then each hole stands within its part and has no colon: a
/// region, an account. The account between two known colons is digits, `aws`, or nothing; if it reads otherwise, a hole has
/// taken the place of more than one part.
fn has_all_parts(text: &Text) -> bool {
    if !text.prefix().starts_with("arn:") {
        return false;
    }
    let known = text.parts().map(|part| match part {
        Part::Text(known) => known,
        Part::Hole(_) => "?",
    });
    let known: String = known.collect();
    let mut parts = known.splitn(6, ':');
    let account = parts.nth(4).unwrap_or_default().trim_matches(['?', '*']);
    parts.next().is_some() && (account == "aws" || account.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::value::{Cause, Piece, Reference, Truth, Value};

    /// `{}` is a hole that may be anything, `{type.attribute}` one that is an attribute of a resource.
    fn asked(pattern: &str) -> Truth {
        let mut pieces = Vec::new();
        for part in pattern.split_inclusive('}') {
            let (known, hole) = part.split_once('{').unwrap_or((part, ""));
            if !known.is_empty() {
                pieces.push(Piece::Text(known.into()));
            }
            if let Some(hole) = hole.strip_suffix('}') {
                let reference = hole.rsplit_once('.').map(|(name, attribute)| {
                    Arc::new(Reference { resource: format!("{name}.x").into(), attribute: attribute.into() })
                });
                let value = Value::unknown(Cause::Variable("x".into()));
                pieces.push(Piece::Hole(Value { reference, ..value }));
            }
        }
        is_every_resource(&Text::of_pieces(pieces)).map_or(Truth::Maybe, Truth::from)
    }

    #[test]
    fn a_known_text_is_told_as_the_automaton_tells_it() {
        let mut accepted = 0;
        for begin in ["", "arn:aws:s3:::", "arn:aws:s:::", "arn:aws:s3:x:", "a:*:s3s:1::", ":::::", "*"] {
            for number in 0..SORTS.len().pow(4) {
                let sorts = (0..4).map(|at| SORTS[number / SORTS.len().pow(at) % SORTS.len()]);
                let text = sorts.fold(begin.to_owned(), |text, sort| text + &sort.to_string());
                for text in [text.as_str(), text.trim_end_matches('x')] {
                    let accepts = text.chars().fold(State::Start, State::step).accepts();
                    assert_eq!(text == "*" || is_every_of_kind(text) == Some(true), accepts, "{text}");
                    accepted += usize::from(accepts);
                }
            }
        }
        assert!(accepted > 100, "{accepted}");
    }

    #[test]
    fn of_known_texts_all_and_all_of_a_kind_are() {
        for (resource, expected) in [
            ("*", true),
            ("arn:aws:bedrock:*::foundation-model/*", true),
            ("arn:aws:bedrock:*:*:inference-profile/*", false),
            ("arn:aws:bedrock:*:*:application-inference-profile/*", false),
            ("arn:aws:iam::1:role/*", true),
            ("arn:aws:iam::1:role/x", false),
            ("arn:aws:iam::1:role/path/*", false),
            ("arn:*:*:*:*:*", true),
            ("arn:aws:s3:::*", true),
            ("arn:aws:s3:::*/*", true),
            ("arn:aws:s3:::b/*", false),
            ("arn:aws:s3:::b*", false),
            ("arn:aws:s3", false),
            ("", false),
        ] {
            assert_eq!(asked(resource), Truth::from(expected), "{resource}");
        }
    }

    #[test]
    fn an_unknown_part_matters_only_where_it_can() {
        for (resource, expected) in [
            ("arn:aws:bedrock:eu-west-1:{}:inference-profile/*", Truth::No),
            ("{}", Truth::Maybe),
            ("{}/*", Truth::Maybe),
            ("{}-logs/x", Truth::No),
            ("{aws_s3_bucket.arn}", Truth::No),
            ("{aws_s3_bucket.arn}/*", Truth::No),
            ("{aws_s3_bucket.id}/*", Truth::No),
            ("arn:aws:s3:::{}/*", Truth::Maybe),
            ("arn:aws:s3:::{}-data/*", Truth::No),
            ("arn:aws:s3:::{aws_s3_bucket.id}/*", Truth::No),
            ("arn:aws:s3:::{aws_s3_bucket.id}*", Truth::No),
            ("arn:{data.aws_partition.partition}:s3:::*", Truth::Yes),
            ("arn:aws:bedrock:{}::foundation-model/*", Truth::Yes),
            ("arn:aws:bedrock:{}:{}:provisioned-model/*", Truth::Yes),
            ("arn:aws:bedrock:{}:{}:inference-profile/*", Truth::No),
            ("arn:aws:bedrock:{}::foundation-model/anthropic.{}", Truth::No),
            ("arn:aws:bedrock:{}::foundation-model/{}", Truth::Maybe),
            ("arn:aws:bedrock:{}::{}/*", Truth::Maybe),
            // One hole for two parts, so that the rest is not where it seems to be.
            ("arn:aws:logs:{}:log-group:*", Truth::Maybe),
            ("arn:aws:{}:::*", Truth::Yes),
            ("arn:aws:{}:::x/*", Truth::Maybe),
        ] {
            assert_eq!(asked(resource), expected, "{resource}");
        }
    }
}
