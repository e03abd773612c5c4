//! Questions to the policy of a bucket.

use super::condition::Test;
use super::document::{Effect, Policy, Statement};
use super::questions::{Answer, Grant, Whole, ask, ask_policy, has_effect};
use super::text::{Part, Stand, Text};
use super::told::{Told, all, any, both, not};
use crate::value::Cause;

/// Condition keys that hold everybody to some: an account, an organisation, a network.
const LIMITING: [&str; 17] = [
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    "kms:CallerAccount",
    "s3:DataAccessPointAccount",
    "s3:DataAccessPointArn",
    "sts:ExternalId",
];

/// Does it allow anything to everybody?
pub fn allows_everybody(policy: &Policy) -> Answer<'_> {
    fn grant(statement: &Statement, number: usize) -> Grant<'_> {
        let limited = || match (statement.condition.narrows_one_of(&LIMITING), is_no_limit(statement)) {
            (Ok(true), _) => Ok(false),
            (_, Ok(false)) => {
                let name = statement.name(number);
                Err(Cause::Other(format!("a condition may limit `{name}`").into()))
            }
            (_, told) => told,
        };
        let what = statement.action.items.first().map(Text::shown);
        Grant { told: both(statement.is_about_everybody(), limited), what, on: None }
    }
    ask_policy(policy, |document| ask(document, grant))
}

/// Whether the condition leaves everybody in: there is none, or it tests keys of [`LIMITING`] and holds them to nothing.
fn is_no_limit(statement: &Statement) -> Told {
    let of_limiting = |test: &Test| LIMITING.iter().any(|key| test.is_of(key));
    let tests = &statement.condition.tests;
    if !tests.is_empty() && tests.iter().all(of_limiting) {
        return match (all(tests.iter().map(|test| not(test.narrows()))), statement.condition.more.as_deref())
        {
            (Ok(true), Some(cause)) => Err(cause.clone()),
            (told, _) => told,
        };
    }
    statement.condition.is_empty()
}

/// Does it deny every action on every object to whoever comes without TLS?
pub fn denies_plain_http(policy: &Policy) -> Told {
    let mut answers = policy.alternatives.iter().map(|document| {
        any(document.statements.iter().map(|statement| {
            let plain = || {
                let test =
                    statement.condition.is_only(&["Bool", "BoolIfExists"], "aws:SecureTransport", "false");
                both(test, || statement.resource.any(is_every_object).0)
            };
            let everything = || both(Whole::of("s3").is_covered(statement).0, plain);
            both(has_effect(statement, Effect::Deny), || both(statement.is_about_everybody(), everything))
        }))
    });
    let first = answers.next().unwrap_or(Ok(false));
    match answers.find(|answer| *answer != first) {
        Some(_) => Err(policy.choice.clone().unwrap_or_else(|| Cause::Other("not known".into()))),
        None => first,
    }
}

/// Whether a `Resource` of a bucket's policy is all objects of the bucket: the policy can speak of no other.
fn is_every_object(resource: &Text) -> Told {
    if let Some(known) = resource.as_str() {
        let name = known.splitn(6, ':').nth(5).unwrap_or(known);
        return Ok(name == "*" || name.split_once('/').is_some_and(|(_, object)| object == "*"));
    }
    // After the bucket comes a slash, and `*` for all objects.
    let Some(bucket) = resource.suffix().strip_suffix("/*") else {
        let may_end = resource.suffix().is_empty() || resource.suffix() == "*";
        return if may_end && !resource.is_of_name() { Err(resource.cause()) } else { Ok(false) };
    };
    let known = resource.parts().map(|part| match part {
        Part::Text(text) => text.matches('/').count(),
        Part::Hole(_) => 0,
    });
    match known.sum::<usize>() {
        1 if !bucket.contains('/') && resource.is_of_name() => Ok(true),
        1 => Err(resource.cause()),
        _ => Ok(false),
    }
}

impl Text {
    /// Whether its holes are what identifies resources.
    fn is_of_name(&self) -> bool {
        self.parts().all(|part| !matches!(part, Part::Hole(Stand::Any)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::value::{Partial, Piece, Reference, Truth, Unknown, Value};

    /// `{}` is a hole, `{arn}` the ARN of a bucket, `{id}` its name.
    fn policy(statement: &str) -> Policy {
        let text = r#"{"Statement": [@]}"#.replace('@', statement);
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some(start) = ["{}", "{arn}", "{id}"].iter().filter_map(|hole| rest.find(hole)).min() {
            let (known, hole) = rest.split_at(start);
            let (attribute, after) = hole[1..].split_once('}').unwrap();
            let reference = (!attribute.is_empty()).then(|| {
                Arc::new(Reference { resource: "aws_s3_bucket.b".into(), attribute: attribute.into() })
            });
            let value = Value::unknown(Cause::Variable("x".into()));
            pieces.extend([Piece::Text(known.into()), Piece::Hole(Value { reference, ..value })]);
            rest = after;
        }
        pieces.push(Piece::Text(rest.into()));
        let partial = Some(Partial::Template(pieces.into()));
        Policy::read(&Value::from_unknown(Unknown { partial, ..Unknown::new(Cause::Plan) }))
    }

    fn truth(told: Told) -> Truth {
        told.map_or(Truth::Maybe, Truth::from)
    }

    #[test]
    fn a_deny_of_plain_http_is_seen_on_a_bucket_that_is_not_known() {
        let deny = |resource: &str, more: &str| {
            policy(&format!(
                r#"{{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":{resource},
                "Condition":{{"Bool":{{"aws:SecureTransport":"false"}}{more}}}}}"#
            ))
        };
        for (resource, expected) in [
            (r#"["{arn}","{arn}/*"]"#, Truth::Yes),
            (r#""arn:aws:s3:::{id}/*""#, Truth::Yes),
            (r#"["arn:aws:s3:::b","arn:aws:s3:::b/*"]"#, Truth::Yes),
            (r#""*""#, Truth::Yes),
            (r#""{arn}""#, Truth::No),
            (r#""{arn}/logs/*""#, Truth::No),
            (r#""arn:aws:s3:::b/logs/*""#, Truth::No),
            (r#""{}/*""#, Truth::Maybe),
            ("{}", Truth::Maybe),
        ] {
            assert_eq!(truth(denies_plain_http(&deny(resource, ""))), expected, "{resource}");
        }
        let narrower = r#","StringEquals":{"aws:PrincipalOrgID":"o-1"}"#;
        assert_eq!(denies_plain_http(&deny("\"*\"", narrower)), Ok(false));
        assert_eq!(
            denies_plain_http(&policy(r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#)),
            Ok(false)
        );
        assert!(denies_plain_http(&policy("{}")).is_err());
    }

    #[test]
    fn everybody_is_seen_on_a_bucket_that_is_not_known() {
        let allow = |principal: &str, condition: &str| {
            policy(&format!(
                r#"{{"Effect":"Allow",{principal},"Action":"s3:GetObject","Resource":"{{arn}}/*"{condition}}}"#
            ))
        };
        let organisation = r#","Condition":{"StringEquals":{"aws:PrincipalOrgID":"{}"}}"#;
        for (principal, condition, expected) in [
            (r#""Principal":"*""#, "", Truth::Yes),
            (r#""Principal":{"AWS":["{}","*"]}"#, "", Truth::Yes),
            (r#""NotPrincipal":{"AWS":"{}"}"#, "", Truth::Yes),
            (r#""Principal":{"AWS":"arn:aws:iam::{}:root"}"#, "", Truth::No),
            (r#""Principal":{"AWS":"{}"}"#, "", Truth::Maybe),
            (r#""Principal":{"Service":"{}"}"#, "", Truth::No),
            (r#""Principal":"*""#, organisation, Truth::No),
            (r#""Principal":"*""#, r#","Condition":{}"#, Truth::Maybe),
        ] {
            let told = allows_everybody(&allow(principal, condition)).told;
            assert_eq!(truth(told), expected, "{principal} {condition}");
        }
    }
}
