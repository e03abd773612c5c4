//! Brings a resource's object to the provider's schema.

use crate::value::Value;

/// `value` as the schema of `type_name` says.
pub fn complete(_type_name: &str, value: &Value, _partial: bool) -> Value {
    value.clone()
}
