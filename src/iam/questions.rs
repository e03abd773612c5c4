//! Questions to one document: the answer is yes, no, or not to be told because a condition may limit the statement.

use crate::value::Truth;

use super::document::{Document, Effect, Statement};
use super::pattern::{action_covers, glob};

/// An answer and the statement that decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Yes, no, or maybe.
    pub truth: Truth,
    /// The statement: its `Sid`, or its number from 1.
    pub statement: String,
    /// The action or principal in it that decides.
    pub what: String,
    /// What cannot be told, where it is maybe.
    pub why: String,
}

impl Answer {
    fn no() -> Self {
        Self { truth: Truth::No, statement: String::new(), what: String::new(), why: String::new() }
    }
}

/// Is one of `actions` allowed on every resource? A resource pattern that ends a kind (`…::foundation-model/*`) is every
/// resource too. `limiting` are the condition keys that take the width away (`iam:PassedToService`).
pub fn allows_on_every_resource(document: &Document, actions: &[&str], limiting: &[&str]) -> Answer {
    ask(
        document,
        |statement| {
            let action = covered_action(statement, actions)?;
            every_resource(statement).then(|| (action, limits(statement, limiting)))
        },
        |statement| actions.iter().all(|action| covered_action(statement, &[action]).is_some()),
    )
}

/// Are all actions of one of `services` allowed on every resource?
pub fn allows_whole_service(document: &Document, services: &[&str]) -> Answer {
    let whole = |pattern: &str| {
        pattern == "*"
            || pattern.split_once(':').is_some_and(|(service, action)| {
                action == "*" && services.iter().any(|s| glob(&service.to_ascii_lowercase(), s))
            })
    };
    ask(
        document,
        |statement| {
            let pattern = match statement.action.iter().find(|pattern| whole(pattern)) {
                Some(pattern) => pattern.clone(),
                // Everything but a few actions.
                None if !statement.not_action.is_empty() => {
                    format!("everything but {}", statement.not_action.join(", "))
                }
                None => return None,
            };
            every_resource(statement).then(|| (pattern, limits(statement, &[])))
        },
        |statement| statement.action.iter().any(|pattern| whole(pattern)),
    )
}

/// May one of the service principals `services` assume the role without a condition on the source?
/// [`None`] if none of them may assume it at all.
pub fn trusts_without_source(document: &Document, services: &[&str]) -> Option<Answer> {
    let trusted = |statement: &Statement| {
        let principal = statement.principal.as_ref()?;
        principal.services().find(|service| services.contains(service)).map(str::to_owned)
    };
    if !document.statements.iter().any(|s| s.effect == Effect::Allow && trusted(s).is_some()) {
        return None;
    }
    let answer = ask(
        document,
        |statement| {
            let service = trusted(statement)?;
            let keys = ["aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"];
            let limited = statement
                .condition
                .values()
                .flat_map(|keys| keys.keys())
                .any(|key| keys.contains(&key.to_ascii_lowercase().as_str()));
            (!limited).then_some((service, Truth::No))
        },
        |_| false,
    );
    Some(answer)
}

/// The action prefixes that the document's allow statements name.
pub fn service_prefixes(document: &Document) -> impl Iterator<Item = &str> {
    document
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Allow)
        .flat_map(|statement| &statement.action)
        .filter_map(|action| action.split_once(':').map(|(service, _)| service))
}

/// Asks each allow statement: `granted` gives what it grants and whether a condition limits it. A deny without conditions
/// on everything that is `denied` takes all away.
fn ask(
    document: &Document,
    granted: impl Fn(&Statement) -> Option<(String, Truth)>,
    denied: impl Fn(&Statement) -> bool,
) -> Answer {
    let deny = document.statements.iter().any(|statement| {
        statement.effect == Effect::Deny
            && statement.condition.is_empty()
            && statement.resource.iter().any(|resource| resource == "*")
            && denied(statement)
    });
    if deny {
        return Answer::no();
    }
    let mut maybe = None;
    for (number, statement) in (1..).zip(&document.statements) {
        if statement.effect != Effect::Allow {
            continue;
        }
        let Some((what, limited)) = granted(statement) else { continue };
        let name = statement
            .sid
            .clone()
            .filter(|sid| !sid.is_empty())
            .unwrap_or_else(|| format!("statement {number}"));
        match limited {
            Truth::Yes => {}
            Truth::No => {
                return Answer { truth: Truth::Yes, statement: name, what, why: String::new() };
            }
            Truth::Maybe => {
                let why = format!("a condition may limit `{name}`");
                maybe.get_or_insert(Answer { truth: Truth::Maybe, statement: name, what, why });
            }
        }
    }
    maybe.unwrap_or_else(Answer::no)
}

/// The first of `actions` that the statement speaks of.
fn covered_action(statement: &Statement, actions: &[&str]) -> Option<String> {
    if statement.not_action.is_empty() {
        return actions
            .iter()
            .find(|action| statement.action.iter().any(|pattern| action_covers(pattern, action)))
            .map(|&action| action.to_owned());
    }
    actions
        .iter()
        .find(|action| !statement.not_action.iter().any(|pattern| action_covers(pattern, action)))
        .map(|&action| action.to_owned())
}

/// Whether the statement speaks of every resource, or of every resource of a kind.
fn every_resource(statement: &Statement) -> bool {
    if !statement.not_resource.is_empty() {
        return true;
    }
    statement.resource.iter().any(|resource| {
        // arn:partition:service:region:account:kind/name; of S3 what is before the slash is a bucket, not a kind.
        let mut parts = resource.splitn(6, ':').skip(2);
        match (parts.next(), parts.nth(2)) {
            (Some("s3"), Some(name)) => name == "*",
            (_, Some(name)) => name == "*" || name.split_once('/').is_some_and(|(_, name)| name == "*"),
            _ => resource == "*",
        }
    })
}

/// Whether the statement's conditions take its width away: yes if a key of `limiting` is tested, no if there is none.
fn limits(statement: &Statement, limiting: &[&str]) -> Truth {
    if statement.condition.is_empty() {
        return Truth::No;
    }
    let tested = statement
        .condition
        .values()
        .flat_map(|keys| keys.keys())
        .any(|key| limiting.iter().any(|limiting| limiting.eq_ignore_ascii_case(key)));
    if tested { Truth::Yes } else { Truth::Maybe }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(statements: &str) -> Document {
        Document::parse(&format!("{{\"Statement\": {statements}}}")).unwrap()
    }

    #[test]
    fn wide_allow_is_yes_scoped_is_no_and_a_condition_is_maybe() {
        let ask = |text: &str| {
            allows_on_every_resource(&document(text), &["iam:PassRole"], &["iam:PassedToService"]).truth
        };
        assert_eq!(ask(r#"{"Effect":"Allow","Action":"iam:*","Resource":"*"}"#), Truth::Yes);
        assert_eq!(
            ask(r#"{"Effect":"Allow","Action":"iam:pass*","Resource":"arn:aws:iam::1:role/*"}"#),
            Truth::Yes
        );
        assert_eq!(
            ask(r#"{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::1:role/x"}"#),
            Truth::No
        );
        assert_eq!(ask(r#"{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}"#), Truth::Yes);
        let condition = |key: &str| {
            format!(
                r#"{{"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{{"StringEquals":{{"{key}":"x"}}}}}}"#
            )
        };
        assert_eq!(ask(&condition("iam:PassedToService")), Truth::No);
        assert_eq!(ask(&condition("aws:RequestedRegion")), Truth::Maybe);
        let denied = r#"[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:*","Resource":"*"}]"#;
        assert_eq!(ask(denied), Truth::No);
    }

    #[test]
    fn trust_without_source_is_told_only_of_roles_that_are_trusted() {
        let ask = |text: &str| {
            trusts_without_source(&document(text), &["bedrock.amazonaws.com"]).map(|answer| answer.truth)
        };
        let trust = |service: &str, condition: &str| {
            format!(
                r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"Service":"{service}"}}{condition}}}"#
            )
        };
        assert_eq!(ask(&trust("lambda.amazonaws.com", "")), None);
        assert_eq!(ask(&trust("bedrock.amazonaws.com", "")), Some(Truth::Yes));
        let condition = r#","Condition":{"StringEquals":{"AWS:SourceAccount":"1"}}"#;
        assert_eq!(ask(&trust("bedrock.amazonaws.com", condition)), Some(Truth::No));
    }
}
