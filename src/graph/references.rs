//! Edges that references prove: a value that is, or is computed from, another resource's attribute.

use std::collections::HashSet;

use smol_str::SmolStr;

use crate::program::Resource;
use crate::value::{Kind, Reference, Value};

use super::{Edge, NodeId, ResourceGraph};
use crate::catalog::Catalog;

/// Joins every resource to those that its values and its configuration name.
pub(super) fn connect(this: &mut ResourceGraph) {
    for node in this.graph.node_indices() {
        let Some(resource) = this.resource(node) else { continue };
        let mut found = Vec::new();
        if let Some(value) = &resource.after {
            walk(value, &mut String::new(), &mut found);
        }
        let mut edges: Vec<(SmolStr, NodeId)> = Vec::new();
        for (path, reference) in found {
            edges
                .extend(targets(this, resource, &reference).into_iter().map(|target| (path.clone(), target)));
        }
        let proved: HashSet<(&SmolStr, &SmolStr)> =
            edges.iter().filter_map(|(path, target)| Some((path, &this.resource(*target)?.block))).collect();
        // A link that names a block says less than a value that is an attribute of one of its instances.
        let links = resource.references.iter().filter(|link| {
            this.by_address(&link.target.resource).is_some()
                || !proved.contains(&(&link.path, &link.target.resource))
        });
        let more: Vec<(SmolStr, NodeId)> = links
            .flat_map(|link| {
                targets(this, resource, &link.target).into_iter().map(|target| (link.path.clone(), target))
            })
            .collect();
        edges.extend(more);
        let source_type = resource.type_name.clone();
        for (path, target) in edges {
            let Some(target_type) = this.resource(target).map(|resource| resource.type_name.clone()) else {
                continue;
            };
            let kind = Catalog::get().link_kind(&source_type, &path, &target_type);
            this.connect(node, target, Edge { kind, path });
        }
    }
}

/// The nodes that a reference names: the instance, or the instances of the block, those of the same module instance if
/// there are any.
fn targets(this: &ResourceGraph, source: &Resource, reference: &Reference) -> Vec<NodeId> {
    if let Some(node) = this.by_address(&reference.resource) {
        return vec![node];
    }
    let all = this.by_block(&reference.resource);
    let near: Vec<NodeId> = all
        .iter()
        .copied()
        .filter(|&node| this.resource(node).is_some_and(|target| source.module == target.module))
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
