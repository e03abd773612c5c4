//! Data sources that say nothing but what the configuration says: airgate evaluates them itself.
//!
//! All others read from AWS, and are unknown. Where a data source or its module waits for resources (`depends_on`), Terraform
//! reads it at apply and knows nothing before: what is evaluated here is the same then, and so is told.

mod document;
mod policy_document;
mod pure;

use crate::diagnostic::Diagnostic;
use crate::eval::Scope;
use crate::value::{Cause, Value};

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

impl Block<'_, '_> {
    /// An argument's value, null if it is not set.
    fn argument(&self, name: &str) -> Value {
        instance::attribute(self.declared, name, self.scope, self.names).unwrap_or(Value::NULL)
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
