//! Edges that references prove: a value that is, or is computed from, another resource's attribute.

use petgraph::Direction;
use smol_str::SmolStr;

use crate::program::{Link, Resource};
use crate::value::{Kind, Reference, Value};

use super::{Edge, NodeId, ResourceGraph};
use crate::catalog::Catalog;

/// Joins every resource to those that its values are, or are computed from.
pub(super) fn connect_values(this: &mut ResourceGraph) {
    for node in this.graph.node_indices() {
        let Some(resource) = this.resource(node) else { continue };
        let mut found = Vec::new();
        if let Some(value) = &resource.after {
            walk(value, &mut String::new(), &mut found);
        }
        let edges = found.into_iter().flat_map(|(path, reference)| {
            targets(this, resource, &reference).into_iter().map(move |target| (path.clone(), target))
        });
        let edges: Vec<_> = edges.collect();
        join(this, node, edges);
    }
}

/// Joins every resource to those that its configuration names. A link that names a block says less than a value or a
/// literal at the same place that names one of its instances.
pub(super) fn connect_links(this: &mut ResourceGraph) {
    for node in this.graph.node_indices() {
        let Some(resource) = this.resource(node) else { continue };
        let is_told = |link: &Link| {
            this.edges(node, Direction::Outgoing).any(|(edge, target)| {
                edge.path == link.path
                    && this.resource(target).is_some_and(|target| target.block == link.target.resource)
            })
        };
        let links = resource
            .references
            .iter()
            .filter(|link| this.by_address(&link.target.resource).is_some() || !is_told(link));
        let edges: Vec<_> = links
            .flat_map(|link| {
                targets(this, resource, &link.target).into_iter().map(|target| (link.path.clone(), target))
            })
            .collect();
        join(this, node, edges);
    }
}

/// Adds edges of the kind that the catalog says.
fn join(this: &mut ResourceGraph, node: NodeId, edges: Vec<(SmolStr, NodeId)>) {
    for (path, target) in edges {
        let (Some(source), Some(other)) = (this.resource(node), this.resource(target)) else { continue };
        let kind = Catalog::get().link_kind(&source.type_name, &path, &other.type_name);
        this.connect(node, target, Edge { kind, path });
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
