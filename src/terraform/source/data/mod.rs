//! Data sources that say nothing but what the configuration says: airgate evaluates them itself.
//!
//! All others read from AWS, and are unknown. Where a data source or its module waits for resources (`depends_on`), Terraform
//! reads it at apply and knows nothing before: what is evaluated here is the same then, and so is told.

mod document;
mod holes;
mod policy_document;
mod pure;
mod regions;
mod service;

use crate::diagnostic::Diagnostic;
use crate::eval::Scope;
use crate::value::{Cause, Type, Value};

use super::instance;
use super::module::Declared;
use super::scope::ModuleScope;

/// An instance of a data block, and what it is evaluated with.
pub struct Block<'s, 'a> {
    /// The block.
    pub declared: Declared<'a>,
    /// The module that it is in.
    pub scope: &'s ModuleScope<'a>,
    /// The names in the instance.
    pub names: &'s dyn Scope,
}

/// The attributes of a data source of type `kind`; [`None`] if it is not evaluated.
pub fn attributes(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "aws_iam_policy_document" => Some(policy_document::ATTRIBUTES),
        _ => pure::attributes(kind),
    }
}

/// The attribute `name` of a data source of type `kind`, where the configuration does not set it; [`None`] if airgate does
/// not know it.
pub fn computed(kind: &str, name: &str, block: &Block<'_, '_>) -> Option<Value> {
    let value = match kind {
        "aws_iam_policy_document" => policy_document::computed(name, block),
        _ => pure::computed(kind, name, block),
    };
    value.map(|value| value.or_origin(block.declared.site()))
}

/// What is certain of an attribute that is read from AWS: its type, and whether it is not null.
pub fn promise(kind: &str, name: &str) -> (Type, bool) {
    let strings = || Type::list(Type::String);
    match (kind, name) {
        ("aws_caller_identity", "account_id" | "user_id") => (Type::String, true),
        ("aws_availability_zones", "names" | "zone_ids") => (strings(), true),
        ("aws_subnets" | "aws_vpcs" | "aws_security_groups", "ids") => (strings(), true),
        (_, "id" | "arn") if kind.starts_with("aws_") => (Type::String, true),
        ("aws_service", "supported") => (Type::Bool, true),
        ("local_file" | "local_sensitive_file", "content" | "content_base64" | "id") => (Type::String, true),
        ("template_file", "rendered") | ("archive_file", "output_base64sha256" | "output_md5") => {
            (Type::String, true)
        }
        ("http", "response_body" | "body") => (Type::String, true),
        ("http", "status_code") => (Type::Number, true),
        ("external", "result") => (Type::map(Type::String), true),
        _ => (Type::Any, false),
    }
}

impl Block<'_, '_> {
    /// An argument's value, null if it is not set.
    fn argument(&self, name: &str) -> Value {
        let value = instance::attribute(self.declared, name, self.scope, self.names);
        value.unwrap_or(Value::NULL).or_unknown()
    }

    /// What a data source gives that the provider would refuse.
    fn refuse(&self, message: &str) -> Value {
        self.scope.report(Diagnostic::warning(message).at(self.declared.site()));
        Value::unknown(Cause::Error(message.into()))
    }
}

/// The text of a known string.
fn text(value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| "a string is required".to_owned())
}
