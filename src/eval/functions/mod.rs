//! Terraform's functions, one file a family.

use std::path::Path;

use crate::value::Value;

/// Calls a function; [`None`] if there is none of this name.
pub fn call(name: &str, args: &[Value], directory: Option<&Path>) -> Option<Result<Value, String>> {
    let _ = (name, args, directory);
    None
}
