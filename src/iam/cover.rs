//! What one pattern covers of another where parts of either are not known.
//!
//! Two views of a text bound what it can be. In the *narrow* one a hole stands for itself and nothing else; what holds then
//! holds whatever fills it, since it is filled alike on both sides. In the *wide* one it is all that it may become.

use std::borrow::Cow;

use super::pattern;
use super::text::{Part, Stand, Text, resource_of};
use super::told::Told;
use crate::value::{Cause, Piece};

/// What is compared.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// Actions: case does not matter.
    Actions,
    /// Resources, or values of conditions.
    Resources,
}

/// Whether every text that `inner` covers is covered by `outer`.
pub fn contains(outer: &Text, inner: &Text, of: Of) -> Told {
    if end_apart(of, outer.suffix(), inner.suffix()) || begin_apart(of, outer.prefix(), inner.prefix()) {
        return Ok(false);
    }
    if let (Some(a), Some(b)) = (plain(outer), plain(inner)) {
        return match of {
            Of::Actions if !pattern::has_wildcard(b) => limited(pattern::contains_action(a, b)),
            _ => ask(of, a, b, pattern::contains),
        };
    }
    // How long a hole is, is not known, so no `?` counts the characters of one.
    let is_sure = inner.as_str().is_some() || !narrow(outer).contains('?');
    if is_sure && ask(of, &narrow(outer), &narrow(inner), pattern::contains) == Ok(true) {
        return Ok(true);
    }
    if apart(outer, inner, of) {
        return Ok(false);
    }
    if let Some(inner) = plain(inner)
        && ask(of, &wide(outer), inner, pattern::contains) == Ok(false)
    {
        return Ok(false);
    }
    Err(cause(outer, inner))
}

/// Whether some text is covered by both.
pub fn intersects(a: &Text, b: &Text, of: Of) -> Told {
    if end_apart(of, a.suffix(), b.suffix()) || begin_apart(of, a.prefix(), b.prefix()) {
        return Ok(false);
    }
    if let (Some(a), Some(b)) = (plain(a), plain(b)) {
        return match of {
            Of::Actions if !pattern::has_wildcard(b) => limited(pattern::contains_action(a, b)),
            Of::Actions if !pattern::has_wildcard(a) => limited(pattern::contains_action(b, a)),
            _ => ask(of, a, b, pattern::intersects),
        };
    }
    if apart(a, b, of) {
        return Ok(false);
    }
    let is_sure = !narrow(a).contains('?') && !narrow(b).contains('?');
    if is_sure && ask(of, &narrow(a), &narrow(b), pattern::intersects) == Ok(true) {
        Ok(true)
    } else {
        Err(cause(a, b))
    }
}

/// Whether they surely have nothing in common.
fn apart(a: &Text, b: &Text, of: Of) -> bool {
    let others = match (resource_of(a), resource_of(b)) {
        // Two resources have two ARNs.
        (Some(a), Some(b)) => a.attribute == b.attribute && a.resource != b.resource && !may_be_one(a, b),
        _ => false,
    };
    let services = match (service(a), service(b)) {
        (Some(a), Some(b)) => a != b,
        _ => false,
    };
    others || services || ask(of, &wide(a), &wide(b), pattern::intersects) == Ok(false)
}

/// The service that all ARNs of the text are of: of the resource that it begins with, or the third of its six parts where
/// nothing before it is open.
fn service(text: &Text) -> Option<String> {
    if let Some(service) = resource_of(text).and_then(|it| service_of(&it.resource)) {
        return Some(service.to_owned());
    }
    let open = '\u{3}';
    let text = text.with_holes(open);
    let mut parts = text.splitn(6, ':');
    let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let is_closed = |part: &str| !part.contains(['*', '?', open, '$']);
    let is_arn =
        arn == "arn" && (partition == open.to_string() || is_closed(partition)) && is_closed(service);
    (is_arn && parts.count() == 3).then(|| service.to_owned())
}

/// Whether the two may be one resource: an instance and the block that it is of, or what is only read.
fn may_be_one(a: &crate::value::Reference, b: &crate::value::Reference) -> bool {
    let block = |address: &str| address.split('[').next().unwrap_or_default().to_owned();
    let is_read = |address: &str| address.starts_with("data.") || address.contains(".data.");
    is_read(&a.resource) || is_read(&b.resource) || block(&a.resource) == block(&b.resource)
}

fn ask(of: Of, a: &str, b: &str, ask: impl Fn(&str, &str) -> Option<bool>) -> Told {
    limited(match of {
        Of::Actions if a.bytes().chain(b.bytes()).any(|byte| byte.is_ascii_uppercase()) => {
            ask(&a.to_ascii_lowercase(), &b.to_ascii_lowercase())
        }
        _ => ask(a, b),
    })
}

/// What is told if it was not too long to find out.
fn limited(told: Option<bool>) -> Told {
    told.ok_or_else(|| Cause::Limit("size of patterns".into()))
}

/// Whether the known ends of the patterns surely differ: most are of another action or another resource.
fn end_apart(of: Of, a: &str, b: &str) -> bool {
    // A variable ends with a brace.
    let is_known = |byte: u8| !matches!(byte, b'*' | b'?' | b'}');
    let (Some(a), Some(b)) = (a.bytes().last(), b.bytes().last()) else { return false };
    let is_one = a == b || of == Of::Actions && a.eq_ignore_ascii_case(&b);
    !is_one && is_known(a) && is_known(b)
}

/// Whether what is known of the patterns differs before the first wildcard or variable of either. Most are of another service
/// or another resource: then neither covers any of the other.
fn begin_apart(of: Of, a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    match of {
        // They are short.
        Of::Actions => {
            let is_known = |byte: u8| !matches!(byte, b'*' | b'?' | b'$');
            let mut pairs = a.iter().zip(b);
            let differ = pairs.find(|(a, b)| !is_known(**a) || !a.eq_ignore_ascii_case(b));
            differ.is_some_and(|(a, b)| is_known(*a) && is_known(*b))
        }
        // They begin alike for long.
        Of::Resources => {
            let known = |text: &[u8]| memchr::memchr3(b'*', b'?', b'$', text).unwrap_or(text.len());
            let length = known(a).min(known(b));
            a.get(..length) != b.get(..length)
        }
    }
}

/// A text that is known and has no variable of the request in it.
fn plain(text: &Text) -> Option<&str> {
    text.as_str().filter(|text| !has_variable(text))
}

fn has_variable(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'$', bytes).any(|at| bytes.get(at + 1) == Some(&b'{'))
}

fn cause(a: &Text, b: &Text) -> Cause {
    let holed = [a, b].into_iter().find(|text| text.as_str().is_none());
    holed.map_or_else(
        || Cause::Other("a policy variable decides at the time of the request".into()),
        Text::cause,
    )
}

/// What no wildcard of a document is; it stands around what is not known.
pub(crate) const MARK: char = '\u{1}';

/// The text with each hole and each variable by its name. What covers another for certain covers what this says of it, so the
/// other begins with what this begins with before its first wildcard.
pub fn narrow(text: &Text) -> Cow<'_, str> {
    let pieces = match text {
        Text::Known(known) if !has_variable(known) => return Cow::Borrowed(known),
        Text::Known(known) => {
            return Cow::Owned(without_variables(known, |name| format!("{MARK}{name}{MARK}")));
        }
        Text::Holed(pieces) => pieces,
    };
    let mut out = String::new();
    for piece in pieces.iter() {
        match piece {
            Piece::Text(text) => out.push_str(&without_variables(text, |name| format!("{MARK}{name}{MARK}"))),
            Piece::Hole(value) => match &value.reference {
                Some(reference) => {
                    out.extend([MARK.to_string(), reference.resource.replace(['*', '?'], "\u{2}")]);
                    out.extend([
                        ".".to_owned(),
                        reference.attribute.replace(['*', '?'], "\u{2}"),
                        MARK.to_string(),
                    ]);
                }
                // Nothing tells whether it is the same as another: only a star covers it, and it covers nothing.
                None => out.extend([MARK.to_string(), format!("{value:p}"), MARK.to_string()]),
            },
        }
    }
    Cow::Owned(out)
}

fn wide(text: &Text) -> String {
    let mut out = String::new();
    for (at, part) in text.parts().enumerate() {
        match part {
            Part::Text(text) => out.push_str(&without_variables(text, |_| "*".to_owned())),
            Part::Hole(Stand::Arn) if at == 0 => {
                match resource_of(text).and_then(|it| service_of(&it.resource)) {
                    Some(service) => out.extend(["arn:*:", service, ":*"]),
                    None => out.push('*'),
                }
            }
            Part::Hole(_) => out.push('*'),
        }
    }
    out
}

/// The text with what `instead` gives for each `${variable}`.
fn without_variables(text: &str, instead: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        out.push_str(before);
        out.push_str(&instead(&name.replace(['*', '?'], "\u{2}")));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The service in the ARNs of a resource's type, where the type's name tells it.
pub fn service_of(address: &str) -> Option<&'static str> {
    const SERVICES: [(&str, &str); 20] = [
        ("aws_bedrockagentcore_", "bedrock-agentcore"),
        ("aws_bedrock", "bedrock"),
        ("aws_cloudtrail", "cloudtrail"),
        ("aws_cloudwatch_log_", "logs"),
        ("aws_comprehend_", "comprehend"),
        ("aws_dynamodb_", "dynamodb"),
        ("aws_ecr_", "ecr"),
        ("aws_iam_", "iam"),
        ("aws_kendra_", "kendra"),
        ("aws_kms_", "kms"),
        ("aws_lambda_", "lambda"),
        ("aws_opensearchserverless_", "aoss"),
        ("aws_s3_bucket", "s3"),
        ("aws_s3vectors_", "s3vectors"),
        ("aws_sagemaker_", "sagemaker"),
        ("aws_secretsmanager_", "secretsmanager"),
        ("aws_sfn_", "states"),
        ("aws_sns_", "sns"),
        ("aws_sqs_", "sqs"),
        ("aws_ssm_parameter", "ssm"),
    ];
    // The type is the part of the address that begins so.
    let start = address.rfind(".aws_").map_or(0, |at| at + 1);
    let name = address.get(start..).unwrap_or_default();
    SERVICES.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, service)| *service)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::value::{Reference, Truth, Value};

    /// `{type.name.attribute}` is a hole.
    fn text(text: &str) -> Text {
        let mut pieces = Vec::new();
        for part in text.split_inclusive('}') {
            let (known, hole) = match part.split_once('{') {
                Some((known, hole)) if !known.ends_with('$') => (known, hole.strip_suffix('}')),
                _ => (part, None),
            };
            if !known.is_empty() {
                pieces.push(Piece::Text(known.into()));
            }
            if let Some(hole) = hole {
                let reference = hole.rsplit_once('.').map(|(resource, attribute)| {
                    Arc::new(Reference { resource: resource.into(), attribute: attribute.into() })
                });
                let value = Value::unknown(Cause::Variable("x".into()));
                pieces.push(Piece::Hole(Value { reference, ..value }));
            }
        }
        Text::of_pieces(pieces)
    }

    fn truth(told: Told) -> Truth {
        told.map_or(Truth::Maybe, Truth::from)
    }

    #[test]
    fn what_is_not_known_is_itself_and_no_other() {
        use Truth::{Maybe, No, Yes};
        for (outer, inner, covers, meets) in [
            ("{aws_s3_bucket.a.arn}/*", "{aws_s3_bucket.a.arn}/x", Yes, Yes),
            ("{aws_s3_bucket.a.arn}/*", "{aws_s3_bucket.b.arn}/x", No, No),
            ("{aws_s3_bucket.a.arn}/*", "arn:aws:s3:::data/x", Maybe, Maybe),
            ("{aws_s3_bucket.a.arn}/*", "arn:aws:bedrock:*::foundation-model/*", No, No),
            ("*", "{aws_s3_bucket.a.arn}/x", Yes, Yes),
            ("arn:aws:s3:::*", "{aws_s3_bucket.a.arn}", Maybe, Maybe),
            ("arn:aws:s3:::{}/*", "arn:aws:s3:::data/x", Maybe, Maybe),
            ("arn:aws:s3:::{}-logs/*", "arn:aws:s3:::data/x", No, No),
            ("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/eve/x", Maybe, Maybe),
            ("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::c/eve/x", No, No),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:username}/*", Yes, Yes),
            ("{}", "arn:aws:s3:::data", Maybe, Maybe),
        ] {
            let (a, b) = (text(outer), text(inner));
            assert_eq!(truth(contains(&a, &b, Of::Resources)), covers, "{outer} {inner}");
            assert_eq!(truth(intersects(&a, &b, Of::Resources)), meets, "{outer} {inner}");
        }
    }

    #[test]
    fn actions_ignore_case_and_resources_do_not() {
        let (a, b) = (text("BEDROCK:invoke*"), text("bedrock:InvokeModel"));
        assert_eq!(contains(&a, &b, Of::Actions), Ok(true));
        assert_eq!(contains(&a, &b, Of::Resources), Ok(false));
    }
}
