//! Edges that references prove: a value that is, or is computed from, another resource's attribute.

use smol_str::SmolStr;

use crate::program::Resource;
use crate::value::{Kind, Reference, Value};

use super::{Edge, NodeId, ResourceGraph};
use crate::catalog::Catalog;

/// Joins every resource to those that its values and its configuration name.
pub(super) fn connect(this: &mut ResourceGraph) {
    for node in this.graph.node_indices() {
        let Some(resource) = this.resource(node) else { continue };
        let mut found: Vec<(SmolStr, Reference)> = Vec::new();
        if let Some(value) = &resource.after {
            walk(value, &mut String::new(), &mut found);
        }
        found.extend(resource.references.iter().map(|link| (link.path.clone(), link.target.clone())));
        let source_type = resource.type_name.clone();
        for (path, reference) in found {
            for target in targets(this, this.resource(node), &reference) {
                let Some(target_type) = this.resource(target).map(|resource| resource.type_name.clone()) else { continue };
                let kind = Catalog::get().link_kind(&source_type, &path, &target_type);
                this.connect(node, target, Edge { kind, path: path.clone() });
            }
        }
    }
}

/// The nodes that a reference names: the instance, or the instances of the block, those of the same module instance if
/// there are any.
fn targets(this: &ResourceGraph, source: Option<&Resource>, reference: &Reference) -> Vec<NodeId> {
    if let Some(node) = this.by_address(&reference.resource) {
        return vec![node];
    }
    let all = this.by_block(&reference.resource);
    let near: Vec<NodeId> = all
        .iter()
        .copied()
        .filter(|&node| {
            this.resource(node).is_some_and(|target| source.is_some_and(|source| source.module == target.module))
        })
        .collect();
    if near.is_empty() { all.to_vec() } else { near }
}

/// Collects the references of all leaves, with the path to each, without indexes.
fn walk(value: &Value, path: &mut String, found: &mut Vec<(SmolStr, Reference)>) {
    if let Some(reference) = &value.reference {
        found.push((path.as_str().into(), (**reference).clone()));
    }
    match &value.kind {
        Kind::Unknown(unknown) => {
            found.extend(unknown.references().map(|reference| (path.as_str().into(), (**reference).clone())));
        }
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
            items.iter().for_each(|item| walk(item, path, found));
        }
        Kind::Map(map) | Kind::Object(map) => {
            for (key, item) in map.iter() {
                let length = path.len();
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
                walk(item, path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}
