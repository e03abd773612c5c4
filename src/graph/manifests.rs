//! Manifests of Kubernetes that are written as text: `kubectl_manifest` (of the providers `gavinbunny/kubectl` and
//! `alekc/kubectl`) makes what `kubernetes_manifest` makes, from YAML, and is settled to it.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{ResourceGraph, spelling};
use crate::eval::functions;
use crate::program::{Mode, Resource};
use crate::value::{Cause, Kind, Value};

/// The type that has YAML.
pub const TEXT: &str = "kubectl_manifest";
/// The type that has an object.
const OBJECT: &str = "kubernetes_manifest";
/// The attributes that have the text: as it is written, and as a plan shows it, since that hides the first.
const BODIES: [&str; 2] = ["yaml_body", "yaml_body_parsed"];

/// Reads every manifest that is written as text.
pub(super) fn read(this: &mut ResourceGraph) {
    for resource in this.graph.node_weights_mut() {
        if resource.mode == Mode::Managed && resource.type_name == TEXT {
            settle(resource);
        }
    }
}

fn settle(resource: &mut Resource) {
    for object in [&mut resource.before, &mut resource.after] {
        if let Some(value) = object.take() {
            let manifest = manifest(&value);
            *object = Some(Value::object([(SmolStr::new_static("manifest"), manifest)]));
        }
    }
    spelling::settle_as(resource, OBJECT, |path| {
        Some(SmolStr::new(if BODIES.contains(&path) { "manifest" } else { path }))
    });
}

/// The object that the text is; not known where the text is not, or may not be shown.
fn manifest(after: &Value) -> Value {
    let body = |name: &&str| after.get(name).filter(|it| !it.sensitive && it.as_str().is_some());
    let Some(body) = BODIES.iter().find_map(body) else {
        let cause = after.get("yaml_body").and_then(Value::first_cause).cloned();
        return Value::unknown(cause.unwrap_or_else(|| Cause::Other("the manifest is not shown".into())));
    };
    let decoded = functions::call("yamldecode", std::slice::from_ref(body), None);
    match decoded {
        Some(Ok(value)) if value.map().is_some() => within(value, after.get("override_namespace")),
        _ => Value::unknown(Cause::Other("the manifest is no YAML of one object".into())),
    }
}

/// The object in the namespace that the resource says instead of its own.
fn within(mut object: Value, namespace: Option<&Value>) -> Value {
    if let Some(namespace) = namespace.filter(|it| !it.is_absent() && it.as_str() != Some(""))
        && let Kind::Object(map) = &mut object.kind
        && let Some(Value { kind: Kind::Object(metadata), .. }) = Arc::make_mut(map).get_mut("metadata")
    {
        Arc::make_mut(metadata).insert(SmolStr::new_static("namespace"), namespace.clone());
    }
    object
}
