//! Manifests of Kubernetes that are written as text: `kubectl_manifest` (of the providers `gavinbunny/kubectl` and
//! `alekc/kubectl`) makes what `kubernetes_manifest` makes, from YAML, and is settled to it.

use std::sync::Arc;

use smol_str::SmolStr;

use super::ResourceGraph;
use crate::eval::functions;
use crate::program::{Mode, Resource};
use crate::value::{Cause, Kind, Map, Value};

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
    let named = |path: &SmolStr| {
        if BODIES.contains(&path.as_str()) { SmolStr::new_static("manifest") } else { path.clone() }
    };
    if let Some(configured) = &resource.configured {
        resource.configured = Some(Arc::new(configured.iter().map(named).collect()));
    }
    let places = resource.places.iter().map(|(path, site)| (named(path), *site));
    resource.places = Arc::new(places.collect());
    for link in &mut resource.references {
        link.path = named(&link.path);
    }
    let native = std::mem::replace(&mut resource.type_name, SmolStr::new_static(OBJECT));
    resource.native_type.get_or_insert(native);
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
fn within(object: Value, namespace: Option<&Value>) -> Value {
    let Some(namespace) = namespace.filter(|it| !it.is_absent() && it.as_str() != Some("")) else {
        return object;
    };
    let with = |map: &Map, name: &'static str, value: Value| -> Kind {
        let others = map.iter().filter(|(key, _)| key.as_str() != name);
        let entries = others.map(|(key, value)| (SmolStr::from(key.as_str()), value.clone()));
        Kind::Object(Arc::new(entries.chain([(SmolStr::new_static(name), value)]).collect()))
    };
    let Some(map) = object.map() else { return object };
    let Some(metadata) = object.get("metadata") else { return object };
    let Some(of) = metadata.map() else { return object };
    let kind = with(of, "namespace", namespace.clone());
    let metadata = Value { kind, ..metadata.clone() };
    let kind = with(map, "metadata", metadata);
    Value { kind, ..object }
}
