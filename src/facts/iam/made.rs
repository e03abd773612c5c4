//! Grants that are written as attributes and not as documents, as the policy of a resource that says the same: permissions
//! of functions, grants of keys.

use smol_str::SmolStr;

use crate::iam::Policy;
use crate::program::Resource;
use crate::value::{Cause, Partial, Unknown, Value};

/// The policy that the resource is, if it is of such a type.
pub(super) fn policy(resource: &Resource) -> Option<Policy> {
    let after = resource.after.as_ref()?;
    let statement = match resource.type_name.as_str() {
        "aws_lambda_permission" => permission(after)?,
        "aws_kms_grant" => grant(after)?,
        _ => return None,
    };
    let document = object([
        ("Version", Value::string("2012-10-17")),
        (
            "Statement",
            Value::tuple([object(statement.into_iter().chain([("Effect", Value::string("Allow"))]))]),
        ),
    ]);
    let unknown = Unknown { partial: Partial::json(document), ..Unknown::new(Cause::Plan) };
    Some(Policy::read(&Value::from_unknown(unknown)))
}

type Statement = Vec<(&'static str, Value)>;

fn object(members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::object(members.into_iter().map(|(name, value)| (SmolStr::new_static(name), value)))
}

/// What is set at `name`.
fn set<'v>(after: &'v Value, name: &str) -> Option<&'v Value> {
    after.get(name).filter(|value| !value.is_null())
}

/// `aws_lambda_permission`: who may call the function, for which source.
fn permission(after: &Value) -> Option<Statement> {
    let principal = set(after, "principal")?;
    let kind = match principal.as_str() {
        Some(name) if name.ends_with(".amazonaws.com") => "Service",
        Some(_) => "AWS",
        // It may be either.
        None => {
            return Some(vec![
                ("Principal", principal.clone()),
                ("Action", set(after, "action")?.clone()),
                ("Resource", Value::string("*")),
            ]);
        }
    };
    let mut tests: Vec<(&'static str, Value)> = Vec::new();
    let arn = set(after, "source_arn").map(|value| object([("aws:SourceArn", value.clone())]));
    tests.extend(arn.map(|test| ("ArnLike", test)));
    let equal = [("source_account", "aws:SourceAccount"), ("principal_org_id", "aws:PrincipalOrgID")];
    let equal: Vec<(&'static str, Value)> =
        equal.into_iter().filter_map(|(name, key)| Some((key, set(after, name)?.clone()))).collect();
    if !equal.is_empty() {
        tests.push(("StringEquals", object(equal)));
    }
    let mut statement = vec![
        ("Principal", object([(kind, principal.clone())])),
        ("Action", set(after, "action")?.clone()),
        ("Resource", Value::string("*")),
    ];
    if !tests.is_empty() {
        statement.push(("Condition", object(tests)));
    }
    Some(statement)
}

/// `aws_kms_grant`: what the grantee may do with the key.
fn grant(after: &Value) -> Option<Statement> {
    let operations = set(after, "operations")?;
    let actions = match operations.items() {
        Some(items) => Value::tuple(items.iter().map(|item| match item.as_str() {
            Some(name) => Value::string(format!("kms:{name}")),
            None => item.clone(),
        })),
        None => operations.clone(),
    };
    let mut statement = vec![
        ("Principal", object([("AWS", set(after, "grantee_principal")?.clone())])),
        ("Action", actions),
        ("Resource", Value::string("*")),
    ];
    // What the context of the encryption must be.
    if set(after, "constraints").is_some_and(|it| !it.is_absent()) {
        let context = object([("kms:EncryptionContextKeys", Value::string("of the grant's constraints"))]);
        statement.push(("Condition", object([("ForAllValues:StringEquals", context)])));
    }
    Some(statement)
}
