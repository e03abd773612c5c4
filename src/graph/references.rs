//! Edges that references prove: a value that is, or is computed from, another resource's attribute.

use petgraph::Direction;
use smol_str::SmolStr;

use crate::program::{Link, Resource};
use crate::value::{Kind, Partial, Piece, Reference, Value};

use super::{Edge, NodeId, ResourceGraph};
use crate::catalog::{Catalog, LinkKind};

/// Joins every resource to those that its values are, or are computed from.
pub(super) fn connect_values(this: &mut ResourceGraph) {
    this.connect_all(|this, _, resource| {
        let mut found = Vec::new();
        if let Some(value) = &resource.after {
            walk(value, &mut String::new(), &mut found);
        }
        edges(this, resource, found)
    });
}

/// Joins every resource to those that its configuration names. A link that names a block says less than a value or a
/// literal at the same place that names one of its instances.
pub(super) fn connect_links(this: &mut ResourceGraph) {
    this.connect_all(|this, node, resource| {
        let is_told = |link: &Link| {
            this.edges(node, Direction::Outgoing).any(|(edge, target)| {
                edge.path == link.path
                    && this.resource(target).is_some_and(|target| target.block == link.target.resource)
            })
        };
        // Most links say what a value says, too.
        let links = resource.references.iter().filter(|link| match this.by_address(&link.target.resource) {
            Some(target) => !this.is_joined(node, target, &link.path),
            None => !is_told(link),
        });
        let mut found = edges(this, resource, links.map(|link| (link.path.clone(), &*link.target)));
        for (target, edge) in &mut found {
            if let (Some(value), Some(target)) = (&resource.after, this.resource(*target))
                && edge.kind != LinkKind::Reference
                && Catalog::get().stated_kind(&resource.type_name, &edge.path, &target.type_name).is_none()
                && is_about_another(value, &edge.path, target)
            {
                edge.kind = LinkKind::Reference;
            }
        }
        found
    });
}

/// Whether what the attribute at `path` holds is known, or known to be of another resource, and nothing in it names the target:
/// an object of a `for_each` of which another attribute does was taken apart, or a condition asks for the target.
fn is_about_another(value: &Value, path: &str, target: &Resource) -> bool {
    const NAMES: [&str; 5] = ["arn", "bucket", "id", "key_id", "name"];
    let mut leaves = Vec::new();
    leaves_at(value, path, &mut leaves);
    let names: Vec<&str> = target
        .after
        .iter()
        .flat_map(|after| NAMES.iter().filter_map(|name| after.get(name)?.as_str()))
        .filter(|name| !name.is_empty())
        .collect();
    // What is an attribute of another resource is not of this one, known or not.
    let is_other = |leaf: &Value| {
        let own = |reference: &Reference| [&target.address, &target.block].contains(&&reference.resource);
        leaf.reference.as_deref().is_some_and(|reference| !own(reference))
    };
    let may_name = |leaf: &&Value| {
        (leaf.is_unknown() && !is_other(leaf))
            || leaf.as_str().is_some_and(|text| names.iter().any(|name| text.contains(name)))
    };
    !leaves.is_empty() && !leaves.iter().any(may_name)
}

/// The values that are no collections at a dotted path, through lists, and below it.
fn leaves_at<'v>(value: &'v Value, path: &str, out: &mut Vec<&'v Value>) {
    value.each_at(path, &mut |end| match end.map() {
        Some(map) => map.values().for_each(|item| leaves_at(item, "", out)),
        None => out.push(end),
    });
}

/// The edges that references make, of the kind that the catalog says.
fn edges<'r>(
    this: &ResourceGraph,
    source: &Resource,
    references: impl IntoIterator<Item = (SmolStr, &'r Reference)>,
) -> Vec<(NodeId, Edge)> {
    let mut edges = Vec::new();
    for (path, reference) in references {
        for target in targets(this, source, reference) {
            let Some(other) = this.resource(target) else { continue };
            let kind = Catalog::get().link_kind(&source.type_name, &path, &other.type_name);
            edges.push((target, Edge { kind, path: path.clone() }));
        }
    }
    edges
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

/// Collects the references of all leaves of what the attribute at `path` holds as text.
fn leaves<'v>(value: &'v Value, path: &str, found: &mut Vec<(SmolStr, &'v Reference)>) {
    let mut inside = Vec::new();
    walk(value, &mut String::new(), &mut inside);
    found.extend(inside.into_iter().map(|(_, reference)| (path.into(), reference)));
}

/// Collects the references of all leaves, with the path to each, without indexes.
fn walk<'v>(value: &'v Value, path: &mut String, found: &mut Vec<(SmolStr, &'v Reference)>) {
    if let Some(reference) = &value.reference {
        found.push((path.as_str().into(), reference));
    }
    match &value.kind {
        Kind::Unknown(unknown) => {
            found.extend(unknown.references().map(|reference| (path.as_str().into(), &**reference)));
            // An unknown keeps few of its sources, what is known of it has each in its place.
            match &unknown.partial {
                Some(Partial::Template(pieces)) => pieces.iter().for_each(|piece| match piece {
                    Piece::Hole(value) => leaves(value, path, found),
                    Piece::Text(_) => {}
                }),
                Some(Partial::Json(value)) => leaves(value, path, found),
                Some(Partial::Choice(values)) => values.iter().for_each(|value| walk(value, path, found)),
                Some(Partial::Elements(all)) => {
                    all.iter().for_each(|element| walk(&element.value, path, found));
                }
                None => {}
            }
        }
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
            items.iter().for_each(|item| walk(item, path, found));
        }
        Kind::Map(map) | Kind::Object(map) => {
            for (key, item) in map.iter().filter(|(_, item)| !is_plain(item)) {
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

/// Whether a value refers to nothing, and nothing is in it that could: most that nobody set are so.
fn is_plain(value: &Value) -> bool {
    value.reference.is_none()
        && match &value.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => true,
            Kind::Unknown(unknown) => unknown.partial.is_none() && unknown.references().next().is_none(),
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => items.is_empty(),
            Kind::Map(map) | Kind::Object(map) => map.is_empty(),
        }
}
