//! Edges that only a literal proves: a name, an ARN, an id or an `s3://` URI that equals another resource's.

use std::collections::{HashMap, HashSet};

use smol_str::SmolStr;

use crate::catalog::Catalog;
use crate::value::Value;

use super::{Edge, NodeId, ResourceGraph};

/// Joins resources by the links of the catalog where the attribute is a known string.
pub(super) fn connect(this: &mut ResourceGraph) {
    let names = names(this);
    let mut found = Vec::new();
    for node in this.graph.node_indices() {
        let Some(resource) = this.resource(node) else { continue };
        let Some(value) = &resource.after else { continue };
        for link in Catalog::get().links(&resource.type_name) {
            let mut texts = Vec::new();
            strings(value, link.attribute, &mut texts);
            for text in texts {
                for target in
                    candidates(text).filter_map(|name| names.get(&(link.target_type, name))).flatten()
                {
                    found.push((node, *target, Edge { kind: link.kind, path: link.attribute.into() }));
                }
            }
        }
    }
    for (source, target, edge) in found {
        this.connect(source, target, edge);
    }
}

/// Known values of the attributes that links look at, by target type.
fn names(this: &ResourceGraph) -> HashMap<(&'static str, SmolStr), Vec<NodeId>> {
    let mut names: HashMap<(&'static str, SmolStr), Vec<NodeId>> = HashMap::new();
    let mut seen = HashSet::new();
    for link in Catalog::get().all_links() {
        for &attribute in &link.target_attributes {
            if !seen.insert((link.target_type, attribute)) {
                continue;
            }
            for &node in this.by_type(link.target_type) {
                let value = this.resource(node).and_then(|resource| resource.after.as_ref());
                if let Some(text) = value.and_then(|value| value.at_path(attribute)).and_then(Value::as_str) {
                    let nodes = names.entry((link.target_type, text.into())).or_default();
                    if !nodes.contains(&node) {
                        nodes.push(node);
                    }
                }
            }
        }
    }
    names
}

/// All known, non-empty strings at a dotted path, through lists.
fn strings<'v>(value: &'v Value, path: &str, out: &mut Vec<&'v str>) {
    if let Some(items) = value.items() {
        return items.iter().for_each(|item| strings(item, path, out));
    }
    if path.is_empty() {
        return out.extend(value.as_str().filter(|text| !text.is_empty()));
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    if let Some(value) = value.get(step) {
        strings(value, rest, out);
    }
}

/// What a literal may name: itself, the bucket of an `s3://` URI, the last part of an ARN.
fn candidates(text: &str) -> impl Iterator<Item = SmolStr> {
    let bucket = text.strip_prefix("s3://").map(|rest| rest.split('/').next().unwrap_or(rest));
    let arn = text.strip_prefix("arn:").and_then(|rest| rest.splitn(5, ':').nth(4));
    let tail = arn.map(|name| {
        if text.contains(":s3:::") { name.split('/').next() } else { name.rsplit(['/', ':']).next() }
    });
    [Some(text), bucket, tail.flatten()]
        .into_iter()
        .flatten()
        .map(SmolStr::from)
        .collect::<Vec<_>>()
        .into_iter()
}
