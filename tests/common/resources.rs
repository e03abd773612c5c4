//! Resources as an input tells them, made without one.

use std::sync::Arc;

use airgate::program::{Action, Mode, Resource};
use airgate::value::Value;

/// A resource with attributes that are texts.
pub(crate) fn resource<const N: usize>(
    type_name: &str,
    name: &str,
    attributes: [(&str, &str); N],
) -> Resource {
    let address = format!("{type_name}.{name}");
    let after = attributes.into_iter().map(|(key, text)| (key.into(), Value::string(text)));
    Resource {
        address: address.as_str().into(),
        block: address.as_str().into(),
        mode: Mode::Managed,
        type_name: type_name.into(),
        native_type: None,
        name: name.into(),
        module: "".into(),
        key: None,
        provider: None,
        before: None,
        after: Some(Value::object(after)),
        action: Action::None,
        site: None,
        places: Arc::default(),
        configured: None,
        references: Vec::new(),
        untold: None,
    }
}
