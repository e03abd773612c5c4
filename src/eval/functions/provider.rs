//! The functions of providers that say nothing but what their arguments say: those of `hashicorp/aws` for ARNs, and those of
//! the built-in provider.

use bumpalo::Bump;
use smol_str::SmolStr;

use super::call::{Call, Outcome};
use super::hclwrite;
use super::table::{Function, PROVIDER_FUNCTIONS};
use crate::eval::{Mode, Scope, evaluator};
use crate::hcl::parse;
use crate::source::Sources;
use crate::value::Value;

/// The function `provider::name::function` where `name` is what its provider is usually called.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    PROVIDER_FUNCTIONS.iter().find(|function| function.name == name)
}

/// The parts of an ARN after `arn`: partition, service, region, account, resource.
pub(super) fn parse_arn(text: &str) -> Result<[&str; 5], String> {
    let mut parts = text.splitn(6, ':');
    let wrong = || "the text is no ARN".to_owned();
    if parts.next() != Some("arn") {
        return Err(wrong());
    }
    let mut next = || parts.next().ok_or_else(wrong);
    Ok([next()?, next()?, next()?, next()?, next()?])
}

pub(super) fn arn_parse(call: &Call<'_>) -> Outcome {
    let names = ["partition", "service", "region", "account_id", "resource"];
    let parts = parse_arn(call.text(0))?;
    Ok(Value::object(names.into_iter().zip(parts).map(|(name, part)| (name.into(), Value::string(part)))))
}

pub(super) fn arn_build(call: &Call<'_>) -> Outcome {
    let parts: Vec<&str> = (0..5).map(|index| call.text(index)).collect();
    Ok(super::call::string(format!("arn:{}", parts.join(":"))))
}

/// A role's ARN without the path between `role/` and its name.
pub(super) fn trim_iam_role_path(call: &Call<'_>) -> Outcome {
    let [partition, service, region, account, resource] = parse_arn(call.text(0))?;
    let name = resource.strip_prefix("role/").map(|path| path.rsplit('/').next().unwrap_or(path));
    match name {
        Some(name) if service == "iam" && region.is_empty() => {
            Ok(Value::string(format!("arn:{partition}:iam::{account}:role/{name}")))
        }
        _ => Err("the ARN is not of a role".to_owned()),
    }
}

pub(super) fn encode_expr(call: &Call<'_>) -> Outcome {
    Ok(hclwrite::expression(call))
}

pub(super) fn encode_tfvars(call: &Call<'_>) -> Outcome {
    hclwrite::variables(call)
}

/// The attributes of a variable file: expressions without names and functions.
pub(super) fn decode_tfvars(call: &Call<'_>) -> Outcome {
    let arena = Bump::new();
    // The places in this text are none of the configuration's; the file only names it to the parser.
    let (body, diagnostics) = parse(call.text(0), Sources::default().add("", ""), &arena);
    if !diagnostics.is_empty() || body.blocks().next().is_some() {
        return Err("the text is no file of variables".to_owned());
    }
    let mut entries: Vec<(SmolStr, Value)> = Vec::new();
    for attribute in body.attributes() {
        let value = evaluator::run(&attribute.value, None, &NoNames, Mode::Strict).0;
        let value = value.map_err(|_| "a value is no constant expression".to_owned())?;
        entries.push((attribute.name.text.into(), value));
    }
    Ok(Value::object(entries))
}

struct NoNames;

impl Scope for NoNames {
    fn lookup(&self, root: &str, _: &[&str]) -> Result<(Value, usize), String> {
        Err(format!("`{root}` cannot be used here"))
    }

    fn call(&self, name: &str, _: &[Value]) -> Option<Result<Value, String>> {
        Some(Err(format!("`{name}` cannot be called here")))
    }
}
