//! Resources of Azure that the provider `azapi` makes: one type of Terraform for all of Azure's, which its `type` names.

use crate::catalog::{Ai, Catalog};
use crate::program::Resource;
use crate::value::Value;
use crate::value::json::{self, Dialect};

/// Terraform's type.
pub(super) const TYPE: &str = "azapi_resource";

/// Azure's type, in lower case and without the version of its API: `microsoft.cognitiveservices/accounts`.
pub(super) fn kind_of(resource: &Resource) -> Option<String> {
    let after = resource.after.as_ref().filter(|_| resource.type_name == TYPE)?;
    let text = crate::iam::Text::of_value(after.get("type")?)?;
    // The version may not be known.
    let (kind, _) = text.prefix().split_once('@')?;
    Some(kind.to_ascii_lowercase())
}

/// What is in the `properties` of its body, which is an object, or in older versions JSON.
pub(super) fn property(after: &Value, name: &str) -> Option<Value> {
    let body = after.get("body")?;
    let read = json::told(body, Dialect::Terraform);
    read.as_ref().unwrap_or(body).get("properties")?.get(name).cloned()
}

/// Whether it is AI: `azapi_resource[Microsoft.CognitiveServices/accounts]` in the catalog.
pub(in super::super::super) fn is_ai(resource: &Resource) -> bool {
    let Some(kind) = kind_of(resource) else { return false };
    Catalog::get().kinds_of(TYPE).any(|(of, info)| info.ai == Ai::Direct && of.eq_ignore_ascii_case(&kind))
}
